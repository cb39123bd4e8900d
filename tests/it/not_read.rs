//! What was not read is part of every answer, with a lake and without, and of the exit code.

use crate::program::{json, keytrail, number};
use crate::trail::{gzip, record};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use tempfile::TempDir;

const KEY: &str = "AKIA3EXAMPLE00000001";

/// Every command that answers from events, with what it needs to be asked.
const COMMANDS: [&[&str]; 17] = [
    &["keys"],
    &["keys", "--suspicious"],
    &["keys", "--temporary"],
    &["key", KEY],
    &["trace", KEY],
    &["trace", KEY, "--full"],
    &["trace", KEY, "--up"],
    &["consumers"],
    &["consumers", KEY],
    &["coverage"],
    &["ready"],
    &["ready", KEY],
    &["plan"],
    &["policy", KEY],
    &[
        "credentials",
        "--credential-report",
        "testdata/credential-report-111122223333.csv",
    ],
    &["run", "top-actions"],
    &["sql", "SELECT event_id FROM events"],
];

/// An archive of a kind that keytrail does not open.
const ARCHIVE: &[u8] = b"7z\xbc\xaf\x27\x1c\x00\x04";

fn good(folder: &Path) {
    let records: Vec<String> = (0..40).map(record).collect();
    log_file(folder, &records);
}

/// 200 events, and among them a record that is none.
fn with_a_bad_record(folder: &Path) {
    let mut records: Vec<String> = (0..200).map(record).collect();
    records.insert(100, r#"{"eventName":"GetObject"}"#.to_owned());
    log_file(folder, &records);
}

fn log_file(folder: &Path, records: &[String]) {
    let text = format!("{{\"Records\":[{}]}}", records.join(","));
    fs::write(folder.join("good.json.gz"), gzip(&text)).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with a lake and a trail beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("trail")).unwrap();
        place
    }

    fn trail(&self) -> std::path::PathBuf {
        self.0.path().join("trail")
    }

    fn lake(&self) -> std::path::PathBuf {
        self.0.path().join("lake")
    }

    fn ingest(&self, exit_code: i32) -> Value {
        json(
            &["ingest", text(&self.trail()), "--lake", text(&self.lake())],
            exit_code,
        )
    }

    /// Each command, on the trail and on the lake.
    fn commands(&self) -> Vec<Vec<String>> {
        self.asked(&COMMANDS)
    }

    /// These commands, on the trail and on the lake.
    fn asked(&self, commands: &[&[&str]]) -> Vec<Vec<String>> {
        let (trail, lake) = (self.trail(), self.lake());
        let inputs = [["--trail", text(&trail)], ["--lake", text(&lake)]];
        let commands = commands.iter().flat_map(|command| {
            inputs.map(|input| {
                let words = command.iter().chain(&input);
                words.map(|word| (*word).to_owned()).collect()
            })
        });
        commands.collect()
    }
}

/// Standard output and standard error of a command that must end like this.
fn ran(command: &[String], format: &str, exit_code: i32) -> (String, String) {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut program = keytrail(&words);
    let output = program.args(["--format", format]).output().unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(
        output.status.code(),
        Some(exit_code),
        "{command:?} {format}: {out}{errors}"
    );
    (out, errors)
}

/// The kinds of what was not read, with their numbers.
fn not_read(coverage: &Value) -> Vec<(String, u64)> {
    let parts = coverage["not_read"].as_array().unwrap().iter();
    let kinds = parts.map(|part| {
        (
            part["kind"].as_str().unwrap().to_owned(),
            number(part, "/count"),
        )
    });
    kinds.collect()
}

/// What a command wrote in a format, wherever that has room for what was not read. Tables break lines where they like.
fn said(place: &Place, command: &[String], format: &str) -> String {
    let file = place.0.path().join("answer");
    let mut command = command.to_vec();
    if format == "parquet" {
        command.extend(["--output".to_owned(), text(&file).to_owned()]);
    }
    let (out, errors) = ran(&command, format, 3);
    let said = match format {
        "csv" | "jsonl" | "parquet" => errors,
        _ => out,
    };
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_says_what_was_not_read() {
    let place = Place::new();
    let trail = place.trail();
    with_a_bad_record(&trail);
    fs::write(trail.join("evidence.json.gz"), ARCHIVE).unwrap();
    fs::write(trail.join(OsStr::from_bytes(b"caf\xe9.json.gz")), "{}").unwrap();
    std::os::unix::fs::symlink("gone", trail.join("link.json.gz")).unwrap();
    let summary = place.ingest(3);
    assert_eq!(number(&summary, "/events/stored"), 200);
    assert_eq!(number(&summary, "/events/rejected"), 1);
    let expected = [("rejected".to_owned(), 1), ("unreadable".to_owned(), 2)];
    let losses = [
        "1 log file rejected",
        "2 unreadable files and folders",
        "1 record rejected",
    ];
    let progress: &[&str] = &["progress", KEY, "--before", "2025-03-01"];
    for command in [place.commands(), place.asked(&[progress])].concat() {
        let (out, _) = ran(&command, "json", 3);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(not_read(&answer["coverage"]), expected, "{command:?}");
        assert_eq!(
            number(&answer["coverage"], "/records_rejected"),
            1,
            "{command:?}"
        );
        let first = &answer["coverage"]["not_read"][0]["examples"][0];
        assert_eq!(
            first["reason"], "a 7-Zip archive, not gzip or JSON",
            "{command:?}"
        );
        // The formats do not know where an answer comes from.
        if command.iter().any(|word| word == "--trail") {
            continue;
        }
        let of_rows = matches!(command[0].as_str(), "sql" | "run");
        let more: &[&str] = if of_rows {
            &["records", "parquet"]
        } else {
            &[]
        };
        for format in ["table", "csv", "jsonl", "markdown"].iter().chain(more) {
            let said = said(&place, &command, format);
            for loss in losses {
                assert!(said.contains(loss), "{command:?} {format}: {said}");
            }
        }
    }
    // The pages to hand over.
    for command in [&["trace", KEY][..], &["plan"]] {
        for input in [["--trail", text(&trail)], ["--lake", text(&place.lake())]] {
            let page = place.0.path().join("page.html");
            let html = ["--html", text(&page)];
            let words = [command, &input, &html].concat();
            ran(
                &words.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "json",
                3,
            );
            let page = fs::read_to_string(&page).unwrap();
            for loss in losses {
                assert!(page.contains(loss), "{command:?} {loss}");
            }
        }
    }
}

#[test]
fn nothing_that_could_be_read_is_no_answer() {
    let place = Place::new();
    fs::write(place.trail().join("evidence.7z"), ARCHIVE).unwrap();
    place.ingest(1);
    for command in place.commands() {
        let (out, _) = ran(&command, "json", 1);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let coverage = &answer["coverage"];
        assert_eq!(
            not_read(coverage),
            [("rejected".to_owned(), 1)],
            "{command:?}"
        );
        let warning = coverage["warnings"][0].as_str().unwrap();
        assert!(
            warning.starts_with("no log file of "),
            "{command:?}: {warning}"
        );
    }
    let empty = Place::new();
    let summary = empty.ingest(1);
    assert_eq!(number(&summary, "/log_files/listed"), 0);
    for command in empty.commands() {
        let (out, _) = ran(&command, "json", 1);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let warning = answer["coverage"]["warnings"][0].as_str().unwrap();
        assert!(
            warning.starts_with("no log file was found in "),
            "{command:?}: {warning}"
        );
    }
}

/// A second ingest does not call "already there" what the first could not read; what can be read at last is gone from the
/// account.
#[test]
fn a_lake_remembers_until_it_is_read() {
    let place = Place::new();
    let trail = place.trail();
    good(&trail);
    fs::write(trail.join("evidence.json.gz"), ARCHIVE).unwrap();
    let link = trail.join("link.json.gz");
    std::os::unix::fs::symlink("gone", &link).unwrap();
    let first = place.ingest(3);
    assert_eq!(number(&first, "/log_files/rejected"), 1);
    assert_eq!(
        number(&first, "/log_files/rejected_by_kind/another file format"),
        1
    );
    let second = place.ingest(3);
    assert_eq!(number(&second, "/log_files/already_stored"), 1);
    assert_eq!(number(&second, "/log_files/rejected"), 0);
    assert_eq!(number(&second, "/log_files/rejected_before"), 1);
    assert!(
        second["rejected_before"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("7-Zip")
    );
    // The same account is not written twice.
    let rows = || {
        let sql = "SELECT outcome, count(*) AS n FROM log_files GROUP BY outcome ORDER BY outcome";
        let answer = json(&["sql", sql, "--lake", text(&place.lake())], 3);
        answer["rows"].to_string()
    };
    assert_eq!(
        rows(),
        r#"[{"outcome":"rejected","n":1},{"outcome":"stored","n":1},{"outcome":"unreadable","n":1}]"#
    );

    fs::remove_file(&link).unwrap();
    let records: Vec<String> = (40..50).map(record).collect();
    let mended = format!("{{\"Records\":[{}]}}", records.join(","));
    fs::write(trail.join("evidence.json.gz"), gzip(&mended)).unwrap();
    let third = place.ingest(0);
    assert_eq!(number(&third, "/log_files/stored"), 1);
    let coverage = json(&["coverage", "--lake", text(&place.lake())], 0);
    assert_eq!(not_read(&coverage["coverage"]), []);
    assert_eq!(number(&coverage, "/coverage/events"), 50);
}

/// What an answer rests on is what was asked for, and what the log does not have is said.
#[test]
fn the_footer_counts_what_was_asked_for() {
    let place = Place::new();
    good(&place.trail());
    place.ingest(0);
    let (trail, lake) = (place.trail(), place.lake());
    for input in [["--trail", text(&trail)], ["--lake", text(&lake)]] {
        let asked = |more: &[&str]| {
            let words: Vec<&str> = ["keys"].iter().chain(&input).chain(more).copied().collect();
            json(&words, 0)["coverage"].clone()
        };
        // An event every 90 seconds: events 0 to 39 end at 00:58:30.
        let hour = asked(&["--since", "2025-03-01T00:30:00Z"]);
        assert_eq!(number(&hour, "/events"), 20, "{hour}");
        assert_eq!(hour["first_event"], "2025-03-01T00:30:00Z");
        assert_eq!(hour["regions"], serde_json::json!(["eu-west-1"]));
        assert_eq!(hour["warnings"], serde_json::json!([]));
        let other = asked(&["--account", "111122223333"]);
        assert_eq!(number(&other, "/events"), 0, "{other}");
        let account = other["warnings"][0].as_str().unwrap();
        assert!(
            account.starts_with("no events of account 111122223333"),
            "{account}"
        );
        let late = asked(&["--since", "2026-01-01"]);
        let ends = late["warnings"][0].as_str().unwrap();
        assert!(
            ends.starts_with("the logs end 2025-03-01 00:58 UTC"),
            "{ends}"
        );
    }
    // A slip is an error where that is known before anything is read.
    let region = ["keys", "--region", "eu-west1"];
    let of_trail = json(&[&region[..], &["--trail", text(&trail)]].concat(), 0);
    let near = of_trail["coverage"]["warnings"][0].as_str().unwrap();
    assert_eq!(
        near,
        "no events of region eu-west1; did you mean eu-west-1?"
    );
    let of_lake = crate::program::ran(&[&region[..], &["--lake", text(&lake)]].concat());
    assert!(of_lake.starts_with("exit code: 1"), "{of_lake}");
}

/// A slip of the fingers is not "never used".
#[test]
fn a_key_that_is_not_there_may_be_another() {
    let (slip, meant) = ("AKIARTX3GSDS75MXKBUS", "AKIARTX3GSDS75MXKBSU (svc-export)");
    let commands: &[&[&str]] = &[
        &["key", slip],
        &["trace", slip],
        &["ready", slip],
        &["plan", slip],
        &["consumers", slip],
        &["policy", slip],
        &["progress", slip, "--before", "2025-03-05"],
        &[
            "run",
            "key-timeline",
            "--param",
            "access_key_id=AKIARTX3GSDS75MXKBUS",
        ],
    ];
    for command in commands {
        let said = crate::program::ran(&[command, &["--trail", "testdata/trail"][..]].concat());
        assert!(said.starts_with("exit code: 1"), "{said}");
        assert!(
            said.contains(&format!("error: access key {slip} is not in these logs")),
            "{said}"
        );
        assert!(
            said.contains(&format!("hint: did you mean {meant}?")),
            "{said}"
        );
    }
    for (start, meant) in [
        ("svc-exprt", "svc-export (111122223333)"),
        ("198.51.100.2O", ""),
        (
            "arn:aws:iam::111122223333:user/alise",
            "arn:aws:iam::111122223333:user/alice",
        ),
        ("203.0.113.111", "203.0.113.11"),
    ] {
        let said = crate::program::ran(&["trace", start, "--trail", "testdata/trail"]);
        match meant {
            "" => assert!(!said.starts_with("exit code: 1"), "{said}"),
            meant => assert!(said.contains(&format!("did you mean {meant}")), "{said}"),
        }
    }
    let progress = ["progress", "AKIAZZZZZZZZZZZZZZZZ", "--before", "2025-03-05"];
    let said = crate::program::ran(&[&progress[..], &["--trail", "testdata/trail"]].concat());
    assert!(said.starts_with("exit code: 3"), "{said}");
    assert!(
        said.contains("no events by these keys in the logs"),
        "{said}"
    );
    // Nothing is near: the answer says that it was not seen, and claims no more.
    for command in ["key", "consumers", "policy", "trace", "ready"] {
        let said =
            crate::program::ran(&[command, "AKIAZZZZZZZZZZZZZZZZ", "--trail", "testdata/trail"]);
        assert!(said.starts_with("exit code: 3"), "{said}");
        assert!(!said.contains("did you mean"), "{said}");
        // Logs that were read as a whole do not have it.
        let said = crate::program::ran(&[
            command,
            "AKIAZZZZZZZZZZZZZZZZ",
            "--trail",
            "testdata/questions",
        ]);
        assert!(said.starts_with("exit code: 1"), "{said}");
        assert!(
            said.contains("no calls with access key AKIAZZZZZZZZZZZZZZZZ in these logs"),
            "{said}"
        );
    }
}

#[test]
fn a_region_or_account_that_is_not_there_may_be_another() {
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let lake = lake.to_str().unwrap();
    crate::program::ran(&["ingest", "testdata/trail", "--lake", lake, "--quiet"]);
    for (option, slip, meant) in [
        ("--region", "us-east1", "us-east-1"),
        ("--account", "111122223332", "111122223333"),
    ] {
        for command in [
            &["keys"][..],
            &["coverage"],
            &["trace", "alice"],
            &["sql", "SELECT 1 FROM events"],
        ] {
            for input in [["--lake", lake], ["--trail", "testdata/trail"]] {
                let said =
                    crate::program::ran(&[command, &input[..], &[option, slip][..]].concat());
                assert!(said.starts_with("exit code: 1"), "{said}");
                assert!(
                    said.contains(&format!("{slip} is not in these logs")),
                    "{said}"
                );
                assert!(
                    said.contains(&format!("hint: did you mean {meant}?")),
                    "{said}"
                );
            }
        }
    }
    let said = crate::program::ran(&["keys", "--lake", lake, "--region", "me-south-1"]);
    assert!(said.contains("no events of region me-south-1"), "{said}");
}

/// A log file that broke off and is whole later leaves nothing behind: not in the account, not in the exit code.
#[test]
fn a_log_file_that_is_whole_at_last_is_read() {
    let place = Place::new();
    let trail = place.trail();
    good(&trail);
    let text = format!(r#"{{"Records":[{},{}"#, record(1001), record(1002));
    let torn = format!("{text},{{\"eventID\":");
    fs::write(trail.join("torn.json"), &torn).unwrap();
    let first = place.ingest(3);
    assert_eq!(number(&first, "/log_files/rejected"), 1, "{first}");
    for command in place.commands() {
        ran(&command, "json", 3);
    }
    fs::write(trail.join("torn.json"), format!("{text}]}}")).unwrap();
    place.ingest(0);
    for command in place.commands() {
        let (out, _) = ran(&command, "json", 0);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(not_read(&answer["coverage"]), [], "{command:?}");
        assert_eq!(
            number(&answer["coverage"], "/records_rejected"),
            0,
            "{command:?}"
        );
    }
}

/// Nothing that may hold events lies beside a trail without a word.
#[test]
fn what_lies_beside_a_trail_is_in_every_answer() {
    let place = Place::new();
    let trail = place.trail();
    let folder = trail.join("AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/01");
    fs::create_dir_all(&folder).unwrap();
    good(&folder);
    fs::write(trail.join("README.md"), "# notes").unwrap();
    place.ingest(0);
    fs::write(trail.join("events.json"), record(50)).unwrap();
    fs::write(trail.join("evidence.zip"), ARCHIVE).unwrap();
    place.ingest(3);
    for command in place.commands() {
        let (out, _) = ran(&command, "json", 3);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let coverage = &answer["coverage"];
        let beside = not_read(coverage);
        assert_eq!(beside[0], ("beside".to_owned(), 2), "{command:?}");
        let first = &coverage["not_read"][0]["examples"][0];
        assert!(
            first["log_file"]
                .as_str()
                .unwrap()
                .ends_with("/events.json"),
            "{command:?}"
        );
    }
    let command = ["coverage", "--lake", text(&place.lake())].map(str::to_owned);
    let said = said(&place, &command, "table");
    assert!(
        said.contains("2 files and folders beside the trail"),
        "{said}"
    );
    // Nothing says that it belongs to the logs: it is no reason to keep a key.
    let command = ["ready", KEY, "--lake", text(&place.lake())].map(str::to_owned);
    let verdict: Value = serde_json::from_str(&ran(&command, "json", 3).0).unwrap();
    let rules = verdict["rules"].as_array().unwrap();
    let files_read = rules.iter().find(|rule| rule["rule"] == "log-files-read");
    assert_ne!(files_read.unwrap()["holds"], "no", "{verdict}");
    // Named, it is read; gone, it is no longer missing.
    let events = trail.join("events.json");
    json(&["ingest", text(&events), "--lake", text(&place.lake())], 3);
    fs::remove_file(trail.join("evidence.zip")).unwrap();
    fs::remove_file(events).unwrap();
    place.ingest(0);
    json(&["keys", "--lake", text(&place.lake())], 0);
}

/// Fills a trail, and what its answer names.
type Fill<'a> = (&'a dyn Fn(&Path), &'a str);

/// Digest files and documents are no events, and records that cannot be read are none.
#[test]
fn without_an_event_there_is_no_answer() {
    let digest = |trail: &Path| {
        let folder = trail.join("AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2025/03/01");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("x.json.gz"), gzip("{}")).unwrap();
    };
    let documents = |trail: &Path| {
        fs::write(trail.join("README.md"), "# notes").unwrap();
        fs::write(trail.join(".DS_Store"), "").unwrap();
    };
    let digests_by_content = |trail: &Path| {
        fs::write(trail.join("x.json"), r#"{"digestS3Object":"x"}"#).unwrap();
    };
    let rejects = |trail: &Path| {
        log_file(
            trail,
            &[r#"{"eventName":"X","eventTime":"soon"}"#.to_owned()],
        );
    };
    let fills: [Fill<'_>; 4] = [
        (&digest, "skipped"),
        (&documents, "skipped"),
        (&digests_by_content, "skipped"),
        (&rejects, "rejected"),
    ];
    for (fill, kind) in fills {
        let place = Place::new();
        fill(&place.trail());
        place.ingest(1);
        for command in place.asked(&[&["keys"], &["key", KEY], &["coverage"], &["ready"]]) {
            let (out, _) = ran(&command, "json", 1);
            let answer: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(not_read(&answer["coverage"])[0].0, kind, "{command:?}");
        }
    }
}

/// What broke off was read as far as it goes: that nothing was read is not true.
#[test]
fn a_sole_log_file_that_breaks_off_was_read() {
    let place = Place::new();
    let torn = format!(r#"{{"Records":[{},{}"#, record(1), record(2));
    fs::write(place.trail().join("torn.json"), torn).unwrap();
    place.ingest(3);
    for command in place.asked(&[&["keys"], &["coverage"]]) {
        let (out, _) = ran(&command, "json", 3);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let coverage = &answer["coverage"];
        assert_eq!(number(coverage, "/events"), 2, "{command:?}");
        assert_eq!(coverage["warnings"], serde_json::json!([]), "{command:?}");
    }
}

/// A plan says what it leaves out; an export says why its exit code is 3.
#[test]
fn no_exit_code_is_without_words() {
    let place = Place::new();
    with_a_bad_record(&place.trail());
    fs::write(place.trail().join("evidence.json.gz"), ARCHIVE).unwrap();
    fs::write(place.trail().join("README.md"), "# notes").unwrap();
    let case = place.0.path().join("case.tar.zst");
    let trail = place.trail();
    let export = ["evidence", "export", KEY, "--output", text(&case)];
    let said = crate::program::ran(&[&export[..], &["--trail", text(&trail)]].concat());
    assert!(said.starts_with("exit code: 3"), "{said}");
    for loss in ["1 log file rejected, ", "1 record rejected; "] {
        assert!(said.contains(loss), "{said}");
    }
    let plan = json(
        &[
            "ingest",
            text(&trail),
            "--lake",
            text(&place.lake()),
            "--dry-run",
        ],
        0,
    );
    assert_eq!(plan["skipped"].as_array().unwrap().len(), 1, "{plan}");
}

/// A folder that may not be listed. Root may list everything, so the program runs as somebody else.
#[test]
#[ignore = "needs unshare"]
fn a_folder_that_cannot_be_listed_is_in_every_answer_with_unshare() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let trail = place.trail();
    let folder = trail.join("AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/01");
    fs::create_dir_all(&folder).unwrap();
    good(&folder);
    let closed = trail.join("beside/deep/closed");
    fs::create_dir_all(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let asked = |args: &[&str]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-user=1000", env!("CARGO_BIN_EXE_keytrail")]);
        let output = command
            .args(args)
            .args(["--format", "json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let lake = place.lake();
    asked(&["ingest", text(&trail), "--lake", text(&lake)]);
    for command in place.commands() {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let answer = asked(&command);
        assert_eq!(
            not_read(&answer["coverage"]),
            [("unreadable".to_owned(), 1)],
            "{command:?}"
        );
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}
