//! What somebody sees who waits for a cluster.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::TURN;
use super::ingest::{Remote, TRAIL};

const TERMINAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");

/// Longer than the pause between two plain lines.
const LINES: Duration = Duration::from_secs(6);

#[test]
fn an_ingest_tells_of_stages_and_tasks() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.empty_trail();
    for day in 1..=3 {
        remote.put((day, 1), day * 10..day * 10 + 10);
    }
    remote.add(1, true);
    remote.server.hold();
    let mut ingest = remote.there("s3://logs/lake").spawn().unwrap();
    remote.begun(&mut ingest);
    sleep(LINES);
    remote.server.release();
    let output = ingest.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("reading: 0 of 3 log files"), "{said}");
    assert!(
        said.contains("on the cluster: 1 of 1 stages, 3 of 3 tasks"),
        "{said}"
    );
}

/// What a terminal shows of a command whose executor waits for a moment.
fn shown(remote: &Remote, args: &[&str], awaited: &str) -> String {
    let mut terminal = Command::new("python3");
    terminal.arg(TERMINAL).arg(env!("CARGO_BIN_EXE_keytrail"));
    terminal
        .args(args)
        .args(["--cluster", &remote.cluster.address]);
    terminal.args(["--endpoint-url", &remote.server.endpoint]);
    terminal.envs(remote.server.environment());
    terminal
        .env("TERM", "xterm")
        .env("PAGER", "")
        .env_remove("COLUMNS");
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    remote.server.hold();
    let mut terminal = terminal.spawn().unwrap();
    let dialogue = json!([[awaited, ""]]).to_string();
    terminal
        .stdin
        .take()
        .unwrap()
        .write_all(dialogue.as_bytes())
        .unwrap();
    remote.begun(&mut terminal);
    // A question is not commented on in its first second.
    sleep(Duration::from_secs(2));
    remote.server.release();
    let output = terminal.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{shown}");
    shown
}

#[test]
#[ignore = "needs python3"]
fn stages_tasks_and_log_files_are_shown_with_python() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    let lake = "s3://logs/lake";
    let begun = "on the cluster: 0 of 1 stages, 0 of ";
    let ingest = ["ingest", TRAIL, "--lake", lake];
    assert!(shown(&remote, &ingest, begun).contains("reading: 0 of "));
    let of_trail = ["keys", "--trail", TRAIL];
    assert!(shown(&remote, &of_trail, begun).contains("log files"));
    // Of the stages of a question about a lake, the first ended; the next one reads data files that the server holds.
    let of_lake = [
        "sql",
        "SELECT count(*) FROM events WHERE access_key_id IS NOT NULL",
        "--lake",
        lake,
    ];
    shown(
        &remote,
        &of_lake,
        "on the cluster: 0 stages, 0 partitions done",
    );
}
