//! A lake in a bucket: what is written to S3 is the same lake as one on disk, also when answers are lost and when two
//! ingests write at once.

use crate::facts::Facts;
use crate::program::{assert_adds_up, keytrail, number};
use crate::s3_server::S3Server;
use crate::trail::{EVENTS_OF_A_DAY, write_days};
use s3s::s3_error;
use serde_json::Value;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

const DAYS: Range<u32> = 0..4;

/// A server with the buckets `logs`, which has a trail, and `data`, which is empty.
struct Buckets {
    folder: TempDir,
    server: S3Server,
}

impl Buckets {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_days(&folder.path().join("logs"), "111111111111", DAYS);
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let server = S3Server::start(folder.path()).await;
        Self { folder, server }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    /// Runs the program with credentials for the server.
    async fn run(&self, args: &[&str]) -> Output {
        let mut command = keytrail(args);
        command.args(["--endpoint-url", &self.server.endpoint, "--quiet"]);
        command.envs(self.server.environment());
        // The server runs on the threads of this runtime.
        let output = tokio::task::spawn_blocking(move || command.output());
        output.await.unwrap().unwrap()
    }

    /// The answer in JSON of a run that must end with this exit code.
    async fn json(&self, args: &[&str], exit_code: i32) -> Value {
        let output = self.run(&[args, &["--format", "json"]].concat()).await;
        assert_eq!(output.status.code(), Some(exit_code), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Ingests into the lake in the bucket. Exit code 3: there are records and a log file that cannot be read.
    async fn ingest(&self, sources: &[&str], exit_code: i32) -> Value {
        let args = [&["ingest"], sources, &["--lake", "s3://data/a/lake"]].concat();
        let summary = self.json(&args, exit_code).await;
        assert_adds_up(&summary);
        summary
    }

    /// What the lake in the bucket holds, and what one on disk does.
    async fn assert_same_as_on_disk(&self, sources: &[&str]) {
        let disk = self.path("on-disk");
        let args = [&["ingest"], sources, &["--lake", disk.to_str().unwrap()]].concat();
        self.json(&args, 3).await;
        // The server keeps objects as files.
        let bucket = Facts::of(&self.path("data/a/lake")).await;
        assert_eq!(bucket, Facts::of(&disk).await);
        assert_eq!(bucket.events, bucket.distinct);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_in_a_bucket_is_the_lake_on_disk() {
    let buckets = Buckets::new().await;
    let first = buckets.ingest(&["s3://logs"], 3).await;
    let events = EVENTS_OF_A_DAY * DAYS.len() as u64;
    assert_eq!(number(&first, "/events/stored"), events);
    let again = buckets.ingest(&["s3://logs"], 3).await;
    assert_eq!(number(&again, "/events/read"), 0);
    assert_eq!(
        number(&again, "/log_files/already_stored") + number(&again, "/log_files/rejected_before"),
        number(&first, "/log_files/listed")
    );
    buckets.assert_same_as_on_disk(&["s3://logs"]).await;

    let mut in_bucket = buckets
        .json(&["keys", "--lake", "s3://data/a/lake"], 3)
        .await;
    let disk = buckets.path("on-disk");
    let mut on_disk = buckets
        .json(&["keys", "--lake", disk.to_str().unwrap()], 3)
        .await;
    assert_eq!(in_bucket["coverage"]["source"].take(), "s3://data/a/lake");
    on_disk["coverage"]["source"].take();
    assert_eq!(in_bucket, on_disk);
    assert_eq!(in_bucket["keys"].as_array().unwrap().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_counts() {
    let buckets = Buckets::new().await;
    for table in ["events", "rejects", "log_files"] {
        buckets
            .server
            .lose_answer(&format!("{table}/_delta_log/{:020}.json", 1));
    }
    buckets.ingest(&["s3://logs"], 3).await;
    assert!(!buckets.server.has_answers_to_lose());
    buckets.assert_same_as_on_disk(&["s3://logs"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ingests_at_once_into_a_bucket_are_both_right() {
    let buckets = Buckets::new().await;
    // The trail of another account tells of the same events, and of some days more.
    write_days(&buckets.path("logs/other"), "222222222222", 2..6);
    let both = ["s3://logs/AWSLogs", "s3://logs/other/AWSLogs"];
    let ingests = (buckets.ingest(&both, 3), buckets.ingest(&both[1..], 3));
    let (first, second) = tokio::join!(ingests.0, ingests.1);
    let stored = number(&first, "/events/stored") + number(&second, "/events/stored");
    assert_eq!(stored, EVENTS_OF_A_DAY * 6);
    buckets.assert_same_as_on_disk(&both).await;
}

/// What a command says that fails.
async fn refused(buckets: &Buckets, args: &[&str]) -> String {
    let output = buckets.run(args).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_cannot_be_reached_is_explained() {
    let buckets = Buckets::new().await;
    let missing = ["keys", "--lake", "s3://data/nothing"];
    insta::assert_snapshot!(refused(&buckets, &missing).await, @r"
    error: there is no lake at s3://data/nothing
    hint: create one: keytrail ingest SOURCE --lake s3://data/nothing
    hint: or read log files directly, without a lake: --trail SOURCE
    ");
    let no_bucket = ["ingest", "s3://logs", "--lake", "s3://nowhere/lake"];
    insta::assert_snapshot!(refused(&buckets, &no_bucket).await, @r"
    error: there is no bucket nowhere
    hint: check the spelling; a bucket of another S3 server needs --endpoint-url
    ");
    let unsigned = ["keys", "--lake", "s3://data/a/lake", "--no-sign-request"];
    insta::assert_snapshot!(refused(&buckets, &unsigned).await, @r"
    error: access denied: s3:ListBucket on arn:aws:s3:::data: Access Denied
    hint: these credentials need s3:ListBucket on arn:aws:s3:::data
    hint: for a requester-pays bucket: --request-payer
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_may_not_be_written_is_explained() {
    let buckets = Buckets::new().await;
    let denied = || s3_error!(AccessDenied, "Access Denied");
    buckets.server.refuse("PutObject", 100, denied);
    let ingest = ["ingest", "s3://logs", "--lake", "s3://data/a/lake"];
    let errors = refused(&buckets, &ingest).await;
    assert!(errors.starts_with("error: "), "{errors}");
    let hint =
        "hint: these credentials need s3:GetObject, s3:PutObject and s3:DeleteObject on the lake";
    assert!(errors.contains(hint), "{errors}");
}

/// Objects in Glacier that were not restored: every command says that they were not read, of the bucket and of a lake.
#[tokio::test(flavor = "multi_thread")]
async fn archived_objects_are_in_every_answer() {
    let buckets = Buckets::new().await;
    let logs = buckets.path("logs");
    let mut keys: Vec<String> = walkdir::WalkDir::new(&logs)
        .into_iter()
        .filter_map(|entry| entry.ok().filter(|entry| entry.file_type().is_file()))
        .filter_map(|entry| Some(entry.path().strip_prefix(&logs).ok()?.to_str()?.to_owned()))
        .filter(|key| key.ends_with(".json.gz") && !key.contains("Digest"))
        .collect();
    keys.sort();
    buckets.server.archive(&keys[0]);
    let summary = buckets.ingest(&["s3://logs"], 3).await;
    assert!(summary.to_string().contains("archived"), "{summary}");
    // What an ingest could not read before is said again, and tried again.
    buckets.ingest(&["s3://logs"], 3).await;
    let key = "AKIAZZZZZZZZZZZZZZZZ";
    let commands: &[&[&str]] = &[
        &["keys"],
        &["key", key],
        &["consumers"],
        &["coverage"],
        &["ready"],
        &["plan"],
        &["policy", key],
        &["progress", "--before", "2025-03-02"],
        &["trace", key],
        &["run", "overview-apis"],
        &["sql", "SELECT count(*) AS n FROM events"],
    ];
    for place in [["--trail", "s3://logs"], ["--lake", "s3://data/a/lake"]] {
        for command in commands {
            let answer = buckets.json(&[command, &place[..]].concat(), 3).await;
            let parts = answer["coverage"]["not_read"].as_array().unwrap();
            let archived = parts.iter().find(|part| part["kind"] == "archived");
            assert_eq!(
                archived.map(|part| &part["count"]),
                Some(&1.into()),
                "{command:?}: {answer}"
            );
        }
    }
}

/// A fault of the store that passes is waited for, and is never called damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_passes_is_no_damage() {
    let buckets = Buckets::new().await;
    buckets.ingest(&["s3://logs"], 3).await;
    let keys = ["keys", "--temporary", "--lake", "s3://data/a/lake"];
    let check = ["lake", "check", "--lake", "s3://data/a/lake"];
    let right = buckets.json(&keys, 3).await;
    let busy: fn() -> s3s::S3Error = || s3_error!(SlowDown);
    let broken: fn() -> s3s::S3Error = || s3_error!(InternalError);
    for part in [
        "_delta_log/",
        "log_files/part-",
        "events/_uses/",
        "events/_delta_log/",
    ] {
        for times in [1, 4] {
            buckets.server.break_off(part, times);
            assert_eq!(buckets.json(&keys, 3).await, right, "{part}");
            assert_eq!(buckets.server.left_to_break_off(), 0, "{part}");
            buckets.server.break_off(part, times);
            assert_eq!(buckets.json(&check, 0).await["whole"], true, "{part}");
        }
    }
    for refusal in [busy, broken] {
        buckets.server.refuse("GetObject", 3, refusal);
        assert_eq!(buckets.json(&keys, 3).await, right);
        buckets.server.refuse("ListObjectsV2", 3, refusal);
        assert_eq!(buckets.json(&check, 0).await["whole"], true);
    }
}

/// A store that does not answer is said to be one; nothing is mended that nobody has seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_is_not_mended() {
    let buckets = Buckets::new().await;
    buckets.ingest(&["s3://logs"], 3).await;
    let place = ["--lake", "s3://data/a/lake"];
    let commands: [&[&str]; 5] = [
        &["keys"],
        &[
            "sql",
            "SELECT count(*) FROM events WHERE error_code IS NULL",
        ],
        &["ingest", "s3://logs"],
        &["lake", "check"],
        &["lake", "mend"],
    ];
    let files = || {
        let files = walkdir::WalkDir::new(buckets.path("data/a/lake")).sort_by_file_name();
        let files = files.into_iter().map(|file| file.unwrap().into_path());
        files.collect::<Vec<_>>()
    };
    let before = files();
    for operation in ["GetObject", "ListObjectsV2"] {
        for command in commands {
            let denied: fn() -> s3s::S3Error = || s3_error!(AccessDenied, "Access Denied");
            buckets.server.refuse(operation, 1_000, denied);
            let errors = refused(&buckets, &[command, &place].concat()).await;
            buckets.server.refuse(operation, 0, denied);
            assert!(
                !errors.contains("damage"),
                "{operation} {command:?}: {errors}"
            );
            assert!(
                !errors.contains("Generic"),
                "{operation} {command:?}: {errors}"
            );
            assert!(
                errors.contains("\nhint: "),
                "{operation} {command:?}: {errors}"
            );
        }
    }
    assert_eq!(files(), before);
    assert_eq!(
        buckets
            .json(&["lake", "check", place[0], place[1]], 0)
            .await["whole"],
        true
    );
}
