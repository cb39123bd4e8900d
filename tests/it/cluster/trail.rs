//! Questions about log files without a lake: executors decode, and the answer is the same as here.

use std::collections::BTreeMap;
use std::process::Output;

use super::TURN;
use super::commands::QUESTIONS;
use super::ingest::{Remote, TRAIL};

/// A question with and without the cluster.
struct Asked<'a> {
    remote: &'a Remote,
    args: Vec<&'a str>,
}

impl Asked<'_> {
    fn command(&self, cluster: Option<&str>) -> std::process::Command {
        let trail = ["--trail", TRAIL];
        let cluster = cluster.into_iter().flat_map(|it| ["--cluster", it]);
        let args: Vec<&str> = self
            .args
            .iter()
            .copied()
            .chain(trail)
            .chain(cluster)
            .collect();
        self.remote.command(&args)
    }

    fn here(&self) -> Output {
        self.command(None).output().unwrap()
    }

    fn there(&self) -> Output {
        let cluster = self.remote.cluster.address.as_str();
        self.command(Some(cluster)).output().unwrap()
    }

    /// The answer of the cluster is the one of this machine, and no log file was fetched twice for it.
    fn assert_same(&self) {
        let gets = self.assert_answer().into_iter();
        let again: Vec<_> = gets
            .filter(|(key, times)| key.ends_with(".gz") && *times > 1)
            .collect();
        assert!(again.is_empty(), "{:?}: {again:?}", self.args);
    }

    /// The answer of the cluster is the one of this machine. Gives what was fetched meanwhile.
    fn assert_answer(&self) -> BTreeMap<String, u64> {
        let here = self.here();
        let said = String::from_utf8_lossy(&here.stderr);
        assert!(
            matches!(here.status.code(), Some(0 | 3)),
            "{:?}: {said}",
            self.args
        );
        self.remote.server.take_gets();
        let there = self.there();
        let gets = self.remote.server.take_gets();
        let said = String::from_utf8_lossy(&there.stderr);
        assert_eq!(
            (String::from_utf8_lossy(&there.stdout), there.status.code()),
            (String::from_utf8_lossy(&here.stdout), here.status.code()),
            "{:?}: {said}",
            self.args
        );
        // Nobody looks at a terminal.
        assert!(!said.contains("on the cluster"), "{:?}: {said}", self.args);
        gets
    }
}

#[test]
fn every_command_answers_as_here_and_fetches_no_log_file_twice() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::with("testdata/questions");
    remote.add(2, false);
    remote.add(1, false);
    for question in QUESTIONS {
        let args = [*question, &["--format", "json"]].concat();
        Asked {
            remote: &remote,
            args,
        }
        .assert_same();
    }
}

/// Of an event that two log files have, either copy may be kept.
const STATEMENTS: &[&str] = &[
    "SELECT * EXCEPT (log_file, log_file_record) FROM events ORDER BY event_id, content_sha256",
    "SELECT count(*) FROM events",
    "SELECT log_file, etag, size_bytes, sha256, outcome, reason, json_bytes, events, stored + duplicates AS known, rejected, accounts, regions FROM log_files ORDER BY log_file, etag",
    "SELECT sum(stored), sum(duplicates), sum(events) FROM log_files",
    "SELECT * EXCEPT (ingest_time) FROM rejects ORDER BY log_file, log_file_record",
    "SELECT event_id FROM events WHERE json_get_str(request_parameters, 'userName') IS NOT NULL ORDER BY 1",
    "SELECT event_id, event_date FROM events WHERE regexp_like(event_name, '^(Get|List)') AND error_code IS NULL ORDER BY 1",
    "SELECT event_name, count(*) FROM events WHERE event_date >= DATE '2025-03-04' AND access_key_id IN ('AKIARTX3GSDS75MXKBSU', 'AKIARTX3GSDSZHURWZGJ') GROUP BY 1 ORDER BY 1",
    "SELECT event_name FROM events WHERE source_ip_address LIKE '198.%' OR length(user_agent) > 40 ORDER BY event_id",
    "SELECT count(*) FROM events AS a JOIN events AS b ON a.issued_access_key_id = b.access_key_id",
    "SELECT count(*) FROM events WHERE log_file LIKE '%.json.gz'",
    "WITH RECURSIVE chain AS (SELECT issued_access_key_id AS k FROM events WHERE issued_access_key_id IS NOT NULL UNION SELECT e.issued_access_key_id FROM events AS e JOIN chain ON e.access_key_id = chain.k WHERE e.issued_access_key_id IS NOT NULL) SELECT count(*) FROM chain",
    "SELECT 1 + 1",
];

#[test]
fn statements_answer_as_here_on_one_two_and_three_executors() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    for slots in [1, 2, 1] {
        remote.add(slots, false);
        for statement in STATEMENTS {
            let args = vec!["sql", statement, "--format", "json"];
            Asked {
                remote: &remote,
                args,
            }
            .assert_same();
        }
    }
}

#[test]
fn a_part_of_the_log_answers_as_here() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(2, false);
    let parts: &[&[&str]] = &[
        &["--since", "2025-03-05"],
        &["--until", "2025-03-04"],
        &["--region", "us-east-1"],
        &[
            "--account",
            "111122223333",
            "--since",
            "2025-03-03T12:00:00Z",
        ],
    ];
    for part in parts {
        for question in [
            &["keys"][..],
            &["coverage"],
            &["sql", "SELECT count(*) FROM events"],
        ] {
            let args = [question, *part, &["--format", "json"]].concat();
            Asked {
                remote: &remote,
                args,
            }
            .assert_same();
        }
    }
}

/// So many log files that there are two tasks, some with the same events.
fn many_log_files(remote: &Remote) {
    remote.empty_trail();
    for n in 1..=600 {
        remote.put((1 + n / 100, n), n..n + 2);
    }
    // What came first is delivered once more.
    remote.put((9, 1), 0..100);
}

const COUNTS: &str = "SELECT sum(events), sum(stored), sum(duplicates), (SELECT count(*) FROM events) FROM log_files";

#[test]
fn copies_that_two_tasks_have_are_one_event() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    many_log_files(&remote);
    remote.add(2, false);
    let args = vec!["sql", COUNTS, "--format", "csv"];
    let asked = Asked {
        remote: &remote,
        args,
    };
    asked.assert_same();
    let there = String::from_utf8(asked.there().stdout).unwrap();
    assert!(there.ends_with("\n1300,602,698,602\n"), "{there}");
}

#[test]
fn an_executor_that_is_killed_costs_no_event() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    many_log_files(&remote);
    // Each executor has one of the tasks.
    remote.add(1, false);
    remote.add(1, true);
    let args = vec!["sql", COUNTS, "--format", "csv"];
    let question = Asked {
        remote: &remote,
        args,
    };
    let here = question.here();
    let mut asked = question.command(Some(&remote.cluster.address));
    remote.server.hold();
    let mut asked = asked.spawn().unwrap();
    remote.begun(&mut asked);
    remote.cluster.executors.pop();
    let there = asked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&there.stderr);
    assert_eq!(there.stdout, here.stdout, "{said}");
    assert_eq!(there.status.code(), here.status.code());
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_the_job() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    remote.server.hold();
    let args = vec!["keys", "--format", "json"];
    let question = Asked {
        remote: &remote,
        args,
    };
    let mut asked = question
        .command(Some(&remote.cluster.address))
        .spawn()
        .unwrap();
    remote.begun(&mut asked);
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &asked.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let output = asked.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    remote.server.release();
    // Executors end the log files that they had begun, which are fetched beside those of the next question.
    question.assert_answer();
}

#[test]
fn what_fails_there_is_told_in_a_sentence() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    let args = vec!["keys", "--format", "json"];
    // For a while the bucket refuses some requests; that costs nothing.
    remote.server.refuse_every(5);
    Asked {
        remote: &remote,
        args: args.clone(),
    }
    .assert_same();
    remote.server.refuse_every(0);
    remote.server.hold();
    let address = remote.cluster.address.clone();
    let mut asked = Asked {
        remote: &remote,
        args,
    }
    .command(Some(&address));
    let mut asked = asked.spawn().unwrap();
    remote.begun(&mut asked);
    remote.kill_scheduler();
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty());
    assert!(
        said.contains(&format!("the scheduler {address} went away during the job")),
        "{said}"
    );
    remote.server.release();
}

#[test]
fn credentials_do_not_travel_with_log_files() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    let ear = super::Ear::before(&remote.cluster.address);
    let args = vec!["keys", "--format", "json"];
    let output = Asked {
        remote: &remote,
        args,
    }
    .command(Some(&ear.address))
    .output()
    .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    ear.assert_no_credentials(&remote.server);
}
