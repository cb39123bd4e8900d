//! Every command that asks a lake, with `--cluster` and without.

use super::{Cluster, TURN};
use crate::program::keytrail;
use crate::questions::LEAKED;

/// Exit code and standard output.
fn answered(args: &[&str]) -> (Option<i32>, String, String) {
    let output = keytrail(args)
        .env_remove("KEYTRAIL_CLUSTER")
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Every command that asks.
pub(super) const QUESTIONS: &[&[&str]] = &[
    &["keys"],
    &["keys", "--temporary", "--sort", "last_seen"],
    &["key", LEAKED],
    &["consumers", LEAKED],
    &["ready", LEAKED, "--until", UNTIL],
    &["progress", LEAKED, "--before", "2025-03-09"],
    &["plan", LEAKED, "--until", UNTIL],
    &["trace", LEAKED],
    &["policy", LEAKED],
    &["coverage"],
    &[
        "run",
        "key-timeline",
        "--param",
        "access_key_id=AKIARTX3GSDSZHURWZGJ",
    ],
    &[
        "sql",
        "SELECT event_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1",
    ],
    &[
        "sql",
        "SELECT * FROM events ORDER BY event_id",
        "--since",
        "2025-03-09",
    ],
];

const UNTIL: &str = "2025-03-10";

#[test]
fn every_command_answers_as_here() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/questions", folder.path());
    let cluster = Cluster::start(3, 2);
    for command in QUESTIONS {
        let here = [command, &["--lake", &lake, "--format", "json"][..]].concat();
        let there = [&here[..], &["--cluster", &cluster.address]].concat();
        let (code, answer, said) = answered(&here);
        assert!(matches!(code, Some(0 | 3)), "{command:?}: {said}");
        let there = answered(&there);
        assert_eq!(
            (there.0, &there.1),
            (code, &answer),
            "{command:?}: {}",
            there.2
        );
    }
}

#[test]
fn the_variable_names_a_cluster_and_explain_shows_it() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = Cluster::start(1, 2);
    let count = "SELECT count(*) AS n FROM events WHERE access_key_id IS NOT NULL";
    let args = ["sql", count, "--lake", &lake, "--format", "csv", "-v"];
    let output = keytrail(&args)
        .env("KEYTRAIL_CLUSTER", &cluster.address)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cluster answered"), "{said}");
    let (_, here, _) = answered(&["sql", count, "--lake", &lake, "--format", "csv"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), here);
    // Log files are read on this machine, which is told.
    let args = [
        "sql",
        count,
        "--trail",
        "testdata/trail",
        "--format",
        "csv",
        "--cluster",
        &cluster.address,
    ];
    let (_, there, said) = answered(&args);
    assert_eq!(there, here);
    assert!(
        said.contains("runs on this machine, not on the cluster"),
        "{said}"
    );
}
