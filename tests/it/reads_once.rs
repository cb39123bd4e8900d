//! Every command that asks log files fetches each of them once, however many questions it puts to them and whatever is in
//! them: nobody who attacks sets the defender's bill at S3.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::program::keytrail;
use crate::questions::{LEAKED, given};
use crate::s3_server::S3Server;
use chrono::DateTime;
use keytrail::analysis::question::{FILES, Library};
use keytrail::analysis::{Analysis as _, answer};
use keytrail::session::{Session, SessionOptions};
use keytrail::source;
use serde_json::Value;
use tempfile::TempDir;

/// A server with one bucket, `logs`, that has the log files of a folder of `testdata`.
struct Bucket {
    folder: TempDir,
    server: S3Server,
    /// The keys of its objects, each asked for once.
    once: BTreeMap<String, u64>,
}

fn copy(from: &Path, to: &Path, keys: &mut Vec<String>) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target, keys);
        } else if !target.to_str().unwrap().contains("CloudTrail-Digest") {
            fs::copy(entry.path(), &target).unwrap();
            keys.push(target.to_str().unwrap().to_owned());
        }
    }
}

impl Bucket {
    async fn new(trail: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bucket = folder.path().join("logs/AWSLogs");
        fs::create_dir_all(&bucket).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let mut files = Vec::new();
        copy(&from.join(trail).join("AWSLogs"), &bucket, &mut files);
        let start = folder.path().join("logs/");
        let start = start.to_str().unwrap();
        let once = files.iter().map(|file| (file[start.len()..].to_owned(), 1));
        Self {
            once: once.collect(),
            server: S3Server::start(folder.path()).await,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program on the bucket; gives what it printed.
    async fn run(&self, args: &[&str]) -> String {
        let mut command = keytrail(args);
        command.args(["--trail", "s3://logs", "--quiet"]);
        command.args(["--endpoint-url", &self.server.endpoint]);
        command.envs(self.server.environment());
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{args:?}: {output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must fetch each log file once.
    async fn run_once(&self, args: &[&str]) -> String {
        self.server.take_gets();
        let answer = self.run(args).await;
        let gets = self.server.take_gets();
        assert_eq!(gets, self.once, "{args:?}");
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_fetches_each_log_file_once() {
    let bucket = Bucket::new("questions").await;
    let consumers = ["consumers", LEAKED, "--format", "json"];
    let consumers: Value = serde_json::from_str(&bucket.run(&consumers).await).unwrap();
    let consumer = consumers["consumers"][0]["consumer_id"].as_str().unwrap();
    let (trace, plan) = (bucket.path("trace.html"), bucket.path("plan.html"));
    let (trace, plan) = (trace.to_str().unwrap(), plan.to_str().unwrap());
    let commands: &[&[&str]] = &[
        &["keys"],
        &["keys", "--temporary"],
        &["key", LEAKED],
        &["consumers"],
        &["consumers", LEAKED],
        &["coverage"],
        &["ready"],
        &["ready", LEAKED],
        // Within the window, which is read as well.
        &["ready", "--since", "2025-03-08"],
        &["ready", "--since", "2025-03-08", "--as-of", "2025-03-10"],
        &["plan"],
        &["plan", LEAKED, "--html", plan],
        &["progress", "--before", "2025-03-09"],
        &["policy", LEAKED],
        &["policy", LEAKED, "--consumer", consumer],
        &["trace", LEAKED],
        &["trace", LEAKED, "--html", trace],
        &["trace", LEAKED, "--up"],
        &["trace", "198.51.100.66"],
        &[
            "run",
            "key-timeline",
            "-p",
            &format!("access_key_id={LEAKED}"),
        ],
    ];
    for command in commands {
        bucket.run_once(command).await;
    }
    assert!(fs::read_to_string(trace).unwrap().contains("eventVersion"));
    let event = format!("SELECT min(event_id) AS id FROM events WHERE access_key_id = '{LEAKED}'");
    let event = bucket.run_once(&["sql", &event, "--format", "jsonl"]).await;
    let event: Value = serde_json::from_str(&event).unwrap();
    bucket
        .run_once(&["trace", event["id"].as_str().unwrap()])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn iams_own_words_cost_no_second_reading() {
    let bucket = Bucket::new("trail").await;
    let report = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = report.join("testdata/credential-report-111122223333.csv");
    let report = report.to_str().unwrap();
    for command in ["credentials", "ready", "plan"] {
        bucket
            .run_once(&[command, "--credential-report", report])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_that_asks_more_than_once_fetches_each_log_file_once() {
    let bucket = Bucket::new("questions").await;
    let statements = [
        // A self join.
        "SELECT count(*) FROM events a JOIN events b ON a.issued_access_key_id = b.access_key_id",
        // A common table that is used twice.
        "WITH e AS (SELECT event_name, count(*) AS n FROM events GROUP BY 1)
         SELECT * FROM e WHERE n = (SELECT max(n) FROM e)",
        // Steps of a recursion.
        "WITH RECURSIVE tree AS (
             SELECT DISTINCT access_key_id, 0 AS depth FROM events WHERE access_key_id LIKE 'AKIA%'
             UNION ALL
             SELECT DISTINCT e.issued_access_key_id, depth + 1
             FROM tree JOIN events e ON e.access_key_id = tree.access_key_id
             WHERE e.issued_access_key_id IS NOT NULL AND depth < 5
         ) SELECT count(*) FROM tree",
        "SELECT count(*) FROM events WHERE source_ip_address IN
             (SELECT source_ip_address FROM events WHERE error_code IS NOT NULL)",
        "SELECT event_id FROM events UNION ALL SELECT access_key_id FROM events",
        // What became of the log files, beside their events.
        "SELECT f.log_file, count(*) FROM log_files f JOIN events e ON e.log_file = f.log_file GROUP BY 1",
        // A condition that leaves log files out, beside all of them.
        "SELECT count(*) FROM events WHERE log_file = (SELECT min(log_file) FROM log_files)",
        "SELECT f.log_file FROM log_files f LEFT JOIN events e ON e.log_file = f.log_file WHERE e.log_file LIKE 's%' AND e.log_file IN ('x', 'y')",
        "SELECT (SELECT count(*) FROM log_files) AS files, (SELECT count(*) FROM rejects) AS rejects",
        // Views are events, too.
        "SELECT count(*) FROM failures JOIN sessions ON failures.access_key_id = sessions.access_key_id",
        // Several statements, of which one stops early.
        "SELECT event_id FROM events LIMIT 1; SELECT count(*) FROM log_files; SELECT count(*) FROM events",
    ];
    for statement in statements {
        bucket.run_once(&["sql", statement]).await;
    }
    // A plan reads nothing.
    bucket.server.take_gets();
    bucket.run(&["sql", "--explain", statements[0]]).await;
    assert_eq!(bucket.server.take_gets(), BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_queries_fetch_each_log_file_once() {
    let bucket = Bucket::new("questions").await;
    let mut asked = 0;
    for question in Library::built_in().questions() {
        let source = source::open("s3://logs", &bucket.server.options()).await;
        let options = SessionOptions {
            threads: 2,
            ..SessionOptions::default()
        };
        let session = Session::trail(vec![source.unwrap()], &options).await;
        let params = question.params(&given(question), DateTime::UNIX_EPOCH);
        bucket.server.take_gets();
        let answered = answer(&session.unwrap(), question, &params.unwrap()).await;
        answered.unwrap();
        assert_eq!(
            bucket.server.take_gets(),
            bucket.once,
            "{}",
            question.name()
        );
        asked += 1;
    }
    assert_eq!(asked, FILES.len());
}
