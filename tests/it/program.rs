//! Runs the program: in: arguments. Out: what it printed and how it ended.

use assert_cmd::Command;
use serde_json::Value;

/// What of this machine's environment could change the program's words.
pub(crate) const ENVIRONMENT: [&str; 4] =
    ["KEYTRAIL_LAKE", "COLUMNS", "NO_COLOR", "CLICOLOR_FORCE"];

/// The program, with nothing of this machine's environment that changes its words.
pub(crate) fn keytrail(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    for name in ENVIRONMENT {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", "/nowhere");
    command.args(args);
    command
}

/// Exit code, standard output and standard error as one text.
pub(crate) fn ran(args: &[&str]) -> String {
    let output = keytrail(args).output().unwrap();
    format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    )
}

/// The JSON that the program prints; it must end with this exit code. 0 is that of an answer: it is 3 where the answer says
/// itself that it rests on a part of the log, and only there.
pub(crate) fn json(args: &[&str], exit_code: i32) -> Value {
    let mut command = keytrail(args);
    let output = command
        .args(["--format", "json", "--quiet"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let partial = answer.as_ref().is_some_and(is_partial);
    let expected = if exit_code == 0 && partial {
        3
    } else {
        exit_code
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(code, Some(expected), "{args:?} said: {errors}{said}");
    answer.unwrap()
}

/// Whether an answer says that something was not read.
pub(crate) fn is_partial(answer: &Value) -> bool {
    let coverage = &answer["coverage"];
    let not_read = coverage["not_read"].as_array();
    let loss = |part: &Value| part["kind"] != "skipped";
    coverage["records_rejected"].as_u64() > Some(0)
        || not_read.is_some_and(|parts| parts.iter().any(loss))
}

/// A number in JSON, e.g. at `/events/stored`.
pub(crate) fn number(value: &Value, place: &str) -> u64 {
    let found = value.pointer(place).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number at {place} of {value}"))
}

/// The identity of every ingest: what was read is stored, a duplicate or rejected; log files likewise.
pub(crate) fn assert_adds_up(summary: &Value) {
    let events = |name: &str| number(summary, &format!("/events/{name}"));
    assert_eq!(
        events("read"),
        events("stored") + events("duplicates") + events("rejected"),
        "{summary}"
    );
    let files = |name: &str| number(summary, &format!("/log_files/{name}"));
    let accounted = files("stored")
        + files("already_stored")
        + files("rejected")
        + files("rejected_before")
        + files("left");
    assert!(
        accounted <= files("listed") && files("listed") <= accounted + files("skipped"),
        "{summary}"
    );
}
