//! The shell of `keytrail sql`, at a terminal that Python makes.

use crate::program::keytrail;
use arrow::array::RecordBatch;
use keytrail::session::{Session, SessionOptions, Statement};
use keytrail::source::{self, SourceOptions};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, io::Write as _};
use tokio::time::timeout;

const TERMINAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");
const PROMPT: &str = "keytrail> ";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const TAB: &str = "\t";
const UP: &str = "\u{1b}[A";

/// What the terminal showed during a dialogue: what is waited for, and what is typed then. Tests that call it are
/// `#[ignore = "needs python3"]`, and have `with_python` in their names.
fn shown(home: &Path, args: &[&str], dialogue: &[(&str, &str)]) -> String {
    let mut terminal = Command::new("python3")
        .arg(TERMINAL)
        .arg(env!("CARGO_BIN_EXE_keytrail"))
        .arg("sql")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("TERM", "xterm")
        .env("PAGER", "")
        .env_remove("KEYTRAIL_HISTORY")
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut steps = terminal.stdin.take().unwrap();
    steps
        .write_all(json!(dialogue).to_string().as_bytes())
        .unwrap();
    drop(steps);
    let output = terminal.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}\n{shown}");
    shown
}

/// A lake of the small trail.
fn lake(home: &Path) -> String {
    let lake = home.join("lake").display().to_string();
    keytrail(&["ingest", "testdata/trail", "--lake", &lake, "--quiet"])
        .assert()
        .code(3);
    lake
}

#[test]
#[ignore = "needs python3"]
fn a_session_as_a_new_user_has_it_with_python() {
    let home = tempfile::tempdir().unwrap();
    let lake = lake(home.path());
    let kept = home.path().join("answer.csv");
    let keep = format!("\\o {}\r", kept.display());
    let shown = shown(
        home.path(),
        &["--lake", &lake],
        &[
            (PROMPT, "SELECT event_name, count(*) AS events\r"),
            ("-- continues; end it with ;", "FROM events GROUP BY 1\r"),
            (
                "-- continues; end it with ;",
                "ORDER BY 2 DESC, 1 LIMIT 1;\r",
            ),
            ("PutObject       70", ""),
            (PROMPT, "SELECT evnt_name FROM events;\r"),
            ("hint: did you mean event_name?", ""),
            // What was typed is given up, the shell is not.
            (PROMPT, "SELECT 'half"),
            ("'half", CTRL_C),
            (PROMPT, "\\d\r"),
            ("Every event of the selection", ""),
            (PROMPT, "\\d log_file\r"),
            ("hint: did you mean log_files?", ""),
            (PROMPT, "\\x\r"),
            (
                PROMPT,
                "SELECT min(event_time) AS first, max(event_time) AS last FROM events;\r",
            ),
            ("first  2025-03-03 02:01:00", ""),
            (PROMPT, &keep),
            ("as csv", ""),
            (PROMPT, "SELECT 1 AS one;\r"),
            ("written to ", ""),
            (
                PROMPT,
                "SELECT count(*) AS n FROM events WHERE event_name = $name;\r",
            ),
            ("hint: set it: \\set name VALUE", ""),
            (PROMPT, "\\set name GetObject\r"),
            (
                PROMPT,
                "SELECT count(*) AS n FROM events WHERE event_name = $name;\r",
            ),
            ("n  64", ""),
            // Values are for the questions of the library, too.
            (PROMPT, "\\run address\r"),
            ("hint: \\run address source_ip_address=…", ""),
            (PROMPT, "\\set source_ip_address 192.0.2.77\r"),
            (PROMPT, "\\run address\r"),
            ("first_seen", ""),
            (PROMPT, "DROP TABLE events;\r"),
            ("is not allowed", ""),
            (PROMPT, CTRL_D),
        ],
    );
    assert!(
        shown.contains("336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from "),
        "{shown}"
    );
    // What the answers rest on was told once.
    assert_eq!(shown.matches("data events of").count(), 1, "{shown}");
    assert_eq!(fs::read_to_string(kept).unwrap(), "one\n1\n");
}

#[test]
#[ignore = "needs python3"]
fn ctrl_c_stops_a_query_and_keeps_the_shell_with_python() {
    let home = tempfile::tempdir().unwrap();
    let lake = lake(home.path());
    let slow = "SELECT count(*) FROM events a, events b, events c, events d WHERE a.event_id || b.event_id > c.event_id || d.event_id;\r";
    let shown = shown(
        home.path(),
        &["--lake", &lake],
        &[
            (PROMPT, slow),
            ("Ctrl-C stops", CTRL_C),
            ("stopped", ""),
            // The engine is free again.
            (PROMPT, "SELECT count(*) AS still_here FROM events;\r"),
            ("       336", ""),
            (PROMPT, "\\q\r"),
        ],
    );
    assert!(shown.contains("still_here"), "{shown}");
}

/// The same without a terminal: what adds up the rows of a join never waits by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_query_that_is_given_up_leaves_its_threads() {
    let trail = source::open("testdata/trail", &SourceOptions::default()).await;
    let session = Session::trail(vec![trail.unwrap()], &SessionOptions::default())
        .await
        .unwrap();
    let begin = async |sql: &str| {
        let query = session.plan(Statement::read_one(sql).unwrap()).await;
        query.unwrap().ready().await.unwrap().run().unwrap()
    };
    let slow = "SELECT count(*) FROM events a, events b, events c, events d WHERE a.event_id || b.event_id > c.event_id || d.event_id";
    let mut rows = begin(slow).await;
    let given_up = timeout(Duration::from_secs(2), rows.next()).await;
    assert!(given_up.is_err(), "it was not slow");
    drop(rows);
    let next = timeout(Duration::from_secs(30), async {
        begin("SELECT count(*) FROM events").await.all().await
    });
    let (_, batches) = next.await.unwrap().unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[test]
#[ignore = "needs python3"]
fn names_are_completed_and_statements_remembered_with_python() {
    let home = tempfile::tempdir().unwrap();
    let lake = lake(home.path());
    let args = ["--lake", &lake, "--quiet"];
    shown(
        home.path(),
        &args,
        &[
            (PROMPT, "sel"),
            ("sel", TAB),
            ("select ", "max(event_ti"),
            ("event_ti", TAB),
            ("me", ") as last fr"),
            ("fr", TAB),
            ("from ", "events;\r"),
            ("2025-03-07 15:06:02", ""),
            (PROMPT, " select 'not to be kept';\r"),
            ("1 row", ""),
            (PROMPT, CTRL_D),
        ],
    );
    let file = home.path().join("state/keytrail/sql_history");
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(kept, "#V2\nselect max(event_time) as last from events;\n");
    shown(
        home.path(),
        &args,
        &[
            (PROMPT, UP),
            ("as last from events;", "\r"),
            ("2025-03-07 15:06:02", ""),
            (PROMPT, CTRL_D),
        ],
    );
}

/// A file that cannot be written is no failure, and is said once.
#[test]
#[ignore = "needs python3"]
fn a_history_that_cannot_be_kept_is_said_once_with_python() {
    let home = tempfile::tempdir().unwrap();
    let lake = lake(home.path());
    // A file where the folder should be.
    fs::write(home.path().join("state"), "").unwrap();
    let shown = shown(
        home.path(),
        &["--lake", &lake],
        &[
            (PROMPT, "SELECT 1;\r"),
            ("1 row", ""),
            (PROMPT, "SELECT 2;\r"),
            ("1 row", ""),
            (PROMPT, CTRL_D),
        ],
    );
    let said = shown.matches("what you type is not remembered").count();
    assert_eq!(said, 1, "{shown}");
}

#[test]
#[ignore = "needs python3"]
fn log_files_are_asked_without_a_lake_with_python() {
    let home = tempfile::tempdir().unwrap();
    let shown = shown(
        home.path(),
        &["--trail", "testdata/trail"],
        &[
            ("55 log files in testdata/trail", ""),
            (PROMPT, "SELECT count(*) AS n FROM events;\r"),
            ("336", ""),
            ("data events of", ""),
            (PROMPT, "SELECT count(*) AS n FROM events;\r"),
            ("336", ""),
            (PROMPT, CTRL_D),
        ],
    );
    assert_eq!(shown.matches("data events of").count(), 1, "{shown}");
}
