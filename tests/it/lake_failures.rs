//! Lakes that cannot be made, read or written: each failure says what is wrong and what to do about it.

use crate::facts::{Facts, unsealed};
use crate::home::Home;
use crate::program::number;
use crate::trail::{EVENTS_OF_A_DAY, write_days};
use insta::assert_snapshot;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What the program does in the folder.
fn run(home: &Home, args: &[&str]) -> Output {
    home.run(&[args, &["--quiet"]].concat())
}

/// What a command says that fails.
fn refused(home: &Home, args: &[&str]) -> String {
    home.refused(&[args, &["--quiet"]].concat(), 1)
}

const INGEST: [&str; 4] = ["ingest", "trail", "--lake", "lake"];
const KEYS: [&str; 3] = ["keys", "--lake", "lake"];

#[test]
fn no_lake() {
    let home = Home::new();
    assert_snapshot!(refused(&home, &KEYS), @r"
    error: there is no lake at ~/lake
    hint: create one: keytrail ingest SOURCE --lake ~/lake
    hint: or read log files directly, without a lake: --trail SOURCE
    ");
    let key = ["key", "AKIAIOSFODNN7EXAMPLE", "--lake", "lake"];
    assert_eq!(refused(&home, &key), refused(&home, &KEYS));
    assert_eq!(
        refused(&home, &["coverage", "--lake", "lake"]),
        refused(&home, &KEYS)
    );
    assert!(!home.path("lake").exists(), "a question makes no lake");
}

/// As after a kill at the very first moment.
#[test]
fn a_lake_that_was_being_made() {
    let home = Home::with_lake();
    for table in ["log_files", "rejects"] {
        fs::remove_dir_all(home.path("lake").join(table)).unwrap();
    }
    let log = home.path("lake/events/_delta_log");
    for entry in fs::read_dir(log).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with(format!("{:020}.json", 0)) {
            fs::remove_file(path).unwrap();
        }
    }
    assert_snapshot!(refused(&home, &KEYS), @r"
    error: there is no lake at ~/lake
    hint: create one: keytrail ingest SOURCE --lake ~/lake
    hint: or read log files directly, without a lake: --trail SOURCE
    ");
    assert_eq!(run(&home, &INGEST).status.code(), Some(3));
    assert_eq!(run(&home, &KEYS).status.code(), Some(3));
}

#[test]
fn a_lake_without_a_table() {
    for table in ["log_files", "rejects", "events"] {
        let home = Home::with_lake();
        fs::remove_dir_all(home.path("lake").join(table)).unwrap();
        let errors = refused(&home, &KEYS);
        let expected = format!(
            "error: the table {table} of the lake ~/lake is missing\nhint: list all damage: keytrail lake check --lake ~/lake\nhint: restore what is lost from its log files: keytrail lake mend --lake ~/lake\n"
        );
        assert_eq!(errors, expected);
        assert_eq!(refused(&home, &INGEST), expected);
    }
}

#[test]
fn a_folder_that_cannot_be_made() {
    let home = Home::new();
    fs::write(home.path("lake"), "a file").unwrap();
    assert_snapshot!(refused(&home, &INGEST), @"
    error: the folder ~/lake/events cannot be made: Not a directory (os error 20)
    hint: there is a file where a folder is needed: choose another place
    ");
    assert_snapshot!(refused(&home, &KEYS), @r"
    error: there is no lake at ~/lake
    hint: create one: keytrail ingest SOURCE --lake ~/lake
    hint: or read log files directly, without a lake: --trail SOURCE
    ");
}

/// The entry with the metadata of a table.
fn edit_metadata(lake: &Path, table: &str, edit: impl Fn(&str) -> String) {
    let entry = lake.join(table).join(format!("_delta_log/{:020}.json", 0));
    let text = fs::read_to_string(&entry).unwrap();
    let edited = unsealed(&edit(&text));
    assert_ne!(text, edited);
    fs::write(&entry, edited).unwrap();
}

#[test]
fn a_lake_of_a_newer_version() {
    let home = Home::with_lake();
    edit_metadata(&home.path("lake"), "events", |text| {
        text.replace(
            r#""keytrail.lakeVersion":"1""#,
            r#""keytrail.lakeVersion":"999""#,
        )
    });
    assert_snapshot!(refused(&home, &KEYS), @r"
    error: the lake ~/lake has format version 999, and this keytrail knows versions up to 1
    hint: use the keytrail that wrote it, or a newer one
    ");
    assert_eq!(refused(&home, &INGEST), refused(&home, &KEYS));
}

#[test]
fn delta_tables_of_somebody_else() {
    let home = Home::with_lake();
    edit_metadata(&home.path("lake"), "events", |text| {
        text.replace(r#""keytrail.lakeVersion":"1""#, r#""else":"1""#)
    });
    assert_snapshot!(refused(&home, &KEYS), @r"
    error: ~/lake holds Delta tables that keytrail did not make
    hint: choose another place with --lake
    ");
    assert_eq!(refused(&home, &INGEST), refused(&home, &KEYS));
}

/// A log that names a file which is gone.
#[test]
fn a_file_is_gone() {
    let home = Home::with_lake();
    let day = home.path("lake/events/event_date=2025-03-01");
    fs::remove_dir_all(day).unwrap();
    let errors = refused(&home, &KEYS);
    assert!(
        errors.starts_with("error: the file events/event_date=2025-03-01/part-"),
        "{errors}"
    );
    assert!(
        errors.contains(" of the lake ~/lake is missing\n"),
        "{errors}"
    );
    assert!(errors.contains("event_date=2025-03-01"), "{errors}");
    assert!(
        errors.contains("keytrail lake mend --lake ~/lake"),
        "{errors}"
    );
}

/// Data files that were cut, emptied or overwritten: one plain sentence, and no words of the engine.
#[test]
fn a_file_is_damaged() {
    let home = Home::with_lake();
    let day = home.path("lake/events/event_date=2025-03-01");
    let file = fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    let mut overwritten = whole.clone();
    let end = overwritten.len() - 200;
    overwritten[4..end].fill(0xa5);
    for bytes in [&whole[..whole.len() / 2], &overwritten[..], b"PAR1"] {
        fs::write(&file, bytes).unwrap();
        let errors = refused(&home, &["sql", "SELECT * FROM events", "--lake", "lake"]);
        let damaged = "error: the file events/event_date=2025-03-01/part-";
        assert!(errors.starts_with(damaged), "{errors}");
        assert!(
            errors.contains(" of the lake ~/lake is damaged: "),
            "{errors}"
        );
    }
}

/// The disk of this test is made for it, in a name space of its own.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs unshare"]
async fn a_full_disk_with_unshare() {
    let home = Home::new();
    write_days(&home.path("trail"), "111111111111", 1..12);
    for folder in ["disk", "kept"] {
        fs::create_dir(home.path(folder)).unwrap();
    }
    // What the disk holds is gone with the name space: it is copied for what follows.
    let script = "mount -t tmpfs -o size=400k none disk || exit 77
        \"$KEYTRAIL\" ingest trail --lake disk/lake --quiet; code=$?
        cp -r disk/lake kept/lake; exit $code";
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .env("KEYTRAIL", env!("CARGO_BIN_EXE_keytrail"))
        .current_dir(&home.0)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("error: "), "{errors}");
    assert!(errors.contains("No space left on device"), "{errors}");
    assert!(
        errors.contains("\nhint: free disk space and run the command again"),
        "{errors}"
    );

    // What was stored stays, and the next run goes on.
    fs::rename(home.path("kept/lake"), home.path("lake")).unwrap();
    let before = Facts::of(&home.path("lake")).await;
    assert!(before.events > 0, "{before:?}");
    let summary = run(&home, &[&INGEST[..], &["--format", "json"]].concat());
    let summary: serde_json::Value = serde_json::from_slice(&summary.stdout).unwrap();
    assert!(
        number(&summary, "/log_files/already_stored") > 0,
        "{summary}"
    );
    let after = Facts::of(&home.path("lake")).await;
    assert_eq!(after.events as u64, 12 * EVENTS_OF_A_DAY);
    assert_eq!(after.events, after.distinct);
}
