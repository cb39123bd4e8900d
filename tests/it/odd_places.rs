//! Places with odd names, places that may not be read, and answers that cannot be written.

use crate::home::Home;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const KEYS: [&str; 5] = ["keys", "--format", "csv", "--lake", "lake"];

/// The data files of events, and the first entry of the table's log.
fn files(lake: &Path) -> [PathBuf; 2] {
    let events = lake.join("events");
    let days = fs::read_dir(&events)
        .unwrap()
        .map(|day| day.unwrap().path());
    let mut files = days
        .filter(|day| day.to_string_lossy().contains("event_date="))
        .flat_map(|day| fs::read_dir(day).unwrap())
        .map(|file| file.unwrap().path());
    let data = files.find(|file| file.extension().is_some_and(|end| end == "parquet"));
    [
        data.unwrap(),
        events.join("_delta_log/00000000000000000000.json"),
    ]
}

const EVERYTHING: [&str; 4] = ["sql", "SELECT * FROM events", "--lake", "lake"];

/// What the operating system does not let be read is not damaged: nothing is to be mended. A link to itself is opened by nobody, not
/// even by root.
#[cfg(unix)]
#[test]
fn what_cannot_be_opened_is_not_damaged() {
    for at in 0..2 {
        let home = Home::with_lake();
        let file = &files(&home.path("lake"))[at];
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink(file.file_name().unwrap(), file).unwrap();
        let place = file
            .strip_prefix(home.0.path())
            .unwrap()
            .display()
            .to_string();
        for args in [
            &EVERYTHING[..],
            &["lake", "check", "--lake", "lake"],
            &["lake", "mend", "--lake", "lake"],
        ] {
            let said = home.refused(args, 1);
            assert!(said.contains(&place), "{said}");
            assert!(said.contains("symbolic links (os error "), "{said}");
            assert!(
                !said.contains("damaged") && !said.contains("Generic"),
                "{said}"
            );
        }
        assert!(fs::symlink_metadata(file).unwrap().is_symlink());
    }
}

/// Root may read everything, so the program runs as somebody else.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs unshare"]
fn a_lake_that_may_not_be_read_is_not_damaged_with_unshare() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with_lake();
    let lake = home.path("lake");
    let [data, log] = files(&lake);
    let places = [
        lake.clone(),
        lake.join("events"),
        lake.join("log_files"),
        lake.join("events/_delta_log"),
        lake.join("log_files/_delta_log"),
        log,
        data,
    ];
    for place in places {
        let before = fs::metadata(&place).unwrap().permissions();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o000)).unwrap();
        for args in [
            &EVERYTHING[..],
            &["lake", "check", "--lake", "lake"],
            &["lake", "mend", "--lake", "lake"],
        ] {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-user=1000", env!("CARGO_BIN_EXE_keytrail")]);
            let output = command.args(args).current_dir(&home.0).output().unwrap();
            let said = home.said(&output, 1);
            let named = place.strip_prefix(home.0.path()).unwrap();
            assert!(
                said.starts_with(&format!("error: ~/{}", named.display())),
                "{said}"
            );
            assert!(
                said.contains(": Permission denied (os error 13)\n"),
                "{said}"
            );
            assert!(said.contains("hint: check the permissions"), "{said}");
            assert!(!said.contains("mend"), "{said}");
        }
        fs::set_permissions(&place, before).unwrap();
    }
    assert_eq!(
        home.run(&["lake", "check", "--lake", "lake"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_lake_and_log_files_are_not_asked_at_once() {
    let home = Home::with_lake();
    for command in ["keys", "coverage", "ready", "consumers"] {
        let said = home.refused(&[command, "--lake", "lake", "--trail", "trail"], 2);
        let error = "error: --lake and --trail cannot be used together: ";
        assert!(said.starts_with(error), "{said}");
    }
    // What is set for all commands gives way.
    let keys = home.done(&["keys", "--trail", "trail", "--format", "csv"]);
    let mut command = home.command(&["keys", "--trail", "trail", "--format", "csv"]);
    let by_environment = command.env("KEYTRAIL_LAKE", "lake").output().unwrap();
    assert_eq!(String::from_utf8(by_environment.stdout).unwrap(), keys);
    fs::write(home.path("keytrail.toml"), "lake = \"elsewhere\"\n").unwrap();
    assert_eq!(
        home.done(&["keys", "--trail", "trail", "--format", "csv"]),
        keys
    );
    assert_eq!(home.done(&KEYS), keys);
}

/// Nobody reads what is on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let home = Home::with_lake();
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let commands: [&[&str]; 10] = [
        &["keys", "--lake", "lake"],
        &["keys", "--lake", "lake", "--format", "json"],
        &EVERYTHING,
        &["ingest", "trail", "--lake", "lake"],
        &["lake", "check", "--lake", "lake"],
        &["list"],
        &["describe"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ];
    for args in commands {
        let output = home.command(args).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            errors.contains("No space left on device"),
            "{args:?}: {errors}"
        );
    }
}

#[test]
fn settings_that_cannot_be_read_are_said_and_left_out() {
    let home = Home::with_lake();
    let keys = home.done(&KEYS);
    // A folder is no file, whoever reads it.
    fs::create_dir_all(home.path(".config/keytrail/keytrail.toml")).unwrap();
    let output = home.run(&KEYS);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), keys);
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8(output.stderr).unwrap();
    let warning = errors.lines().next().unwrap();
    assert!(
        warning.starts_with("warning: settings left out: "),
        "{errors}"
    );
    assert!(
        warning.contains(".config/keytrail/keytrail.toml: "),
        "{errors}"
    );
    let quiet = home.run(&[&KEYS[..], &["--quiet"]].concat());
    assert!(quiet.stderr.is_empty(), "{quiet:?}");
    // There is no folder for them: nothing to say.
    fs::remove_dir_all(home.path(".config")).unwrap();
    fs::write(home.path(".config"), "").unwrap();
    let output = home.run(&KEYS);
    assert!(
        !String::from_utf8(output.stderr)
            .unwrap()
            .contains("warning")
    );
    // Settings that are wrong are not left out.
    fs::write(home.path("keytrail.toml"), b"lake = \"\xff\"").unwrap();
    assert!(
        home.refused(&KEYS, 2)
            .contains("keytrail.toml is not UTF-8")
    );
}

#[test]
fn nothing_is_judged_as_of_a_time_before_the_log() {
    let home = Home::with_lake();
    let lake = ["--lake", "lake"];
    let begin = "SELECT cast(min(event_time) AS varchar) AS t FROM events";
    let begin = home.done(&[&["sql", begin, "--format", "csv"], &lake[..]].concat());
    let day = begin.lines().nth(1).unwrap()[..10].to_owned();
    let key = "AKIAIOSFODNN7EXAMPLE";
    let commands: [&[&str]; 3] = [
        &["ready", "--as-of", "2001-01-01"],
        &["plan", "--as-of", "2001-01-01"],
        &["trace", key, "--as-of", "2001-01-01"],
    ];
    for args in commands {
        let said = home.refused(&[args, &lake[..]].concat(), 2);
        assert!(said.starts_with("error: no events before 200"), "{said}");
        assert!(said.contains(&format!(": the logs begin {day}")), "{said}");
        assert!(
            said.contains("\nhint: choose a time within the logs"),
            "{said}"
        );
    }
    // The day of the first event will do.
    home.done(&[&["ready", "--as-of", &day], &lake[..]].concat());
}

#[test]
fn the_name_of_the_file_says_the_format() {
    let home = Home::with_lake();
    let written = |args: &[&str], file: &str| {
        assert_eq!(
            home.done(&[args, &["--lake", "lake", "-o", file]].concat()),
            ""
        );
        fs::read_to_string(home.path(file)).unwrap()
    };
    let keys = home.done(&KEYS);
    assert_eq!(written(&["keys"], "k.csv"), keys);
    assert_eq!(written(&["keys"], "k.CSV"), keys);
    let json = written(&["keys"], "k.json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["coverage"].is_object(), "{json}");
    assert!(written(&["keys"], "k.jsonl").starts_with("{\"access_key_id\""));
    assert!(written(&["keys"], "k.md").starts_with("# "));
    // What is named counts.
    assert_eq!(written(&["keys", "--format", "csv"], "k.json"), keys);
    let table = written(&["keys"], "k.txt");
    assert_eq!(written(&["keys"], "k"), table);
    let count = written(&["sql", "SELECT count(*) AS n FROM events"], "n.csv");
    assert_eq!(count.lines().next(), Some("n"));
    home.done(&[
        "sql",
        "SELECT 1 AS n FROM events",
        "--lake",
        "lake",
        "-o",
        "n.parquet",
    ]);
    assert!(
        fs::read(home.path("n.parquet"))
            .unwrap()
            .starts_with(b"PAR1")
    );
    for file in ["k.parquet", "k.html"] {
        let said = home.refused(&["keys", "--lake", "lake", "-o", file], 2);
        assert!(said.starts_with(&format!("error: {file}: ")), "{said}");
        assert!(!home.path(file).exists());
    }
}

#[test]
fn quiet_is_the_answer_and_what_it_rests_on() {
    let home = Home::with_lake();
    let loud = home.done(&["keys", "--lake", "lake"]);
    assert!(loud.contains("\nNext: "), "{loud}");
    let output = home.run(&["keys", "--lake", "lake", "--quiet"]);
    assert!(output.stderr.is_empty(), "{output:?}");
    let quiet = String::from_utf8(output.stdout).unwrap();
    assert_eq!(quiet, loud.split("Next: ").next().unwrap());
    assert!(quiet.contains("log files read"), "{quiet}");
    let ingest = home.done(&["ingest", "trail", "--lake", "lake", "--quiet"]);
    assert!(!ingest.contains("Next: "), "{ingest}");
    let output = home.run(&[&KEYS[..], &["--quiet"]].concat());
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// What a query put into files is gone with it, however it ends.
#[cfg(target_os = "linux")]
#[test]
fn no_temporary_file_outlives_its_process() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let home = Home::with_lake();
    let temporary = home.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let sort = "SELECT a, b FROM (SELECT unnest(range(0, 100000)) AS a), (SELECT unnest(range(0, 10000)) AS b)
        ORDER BY md5(cast(a * b AS varchar)), a, b";
    for signal in ["KILL", "TERM", "HUP", "INT"] {
        let mut command = home.command(&["sql", sort, "--lake", "lake", "--max-memory", "64MiB"]);
        command.env("TMPDIR", &temporary).stdout(Stdio::null());
        let mut running = command.stderr(Stdio::null()).spawn().unwrap();
        let handles = format!("/proc/{}/fd", running.id());
        // Written to, and without a name.
        let writes = || {
            let handles = fs::read_dir(&handles).into_iter().flatten().flatten();
            let mut files = handles.filter_map(|handle| {
                let file = fs::read_link(handle.path()).ok()?;
                let length = fs::metadata(handle.path()).ok()?.len();
                Some((file, length))
            });
            files.any(|(file, length)| file.starts_with(&temporary) && length > 1 << 20)
        };
        let begun = Instant::now();
        while !writes() {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "nothing is spilled"
            );
            assert!(
                running.try_wait().unwrap().is_none(),
                "it ended before it spilled"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(
            fs::read_dir(&temporary).unwrap().count(),
            0,
            "while it runs"
        );
        let kill = Command::new("kill")
            .args([format!("-{signal}"), running.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        running.wait().unwrap();
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "{signal}");
    }
}
