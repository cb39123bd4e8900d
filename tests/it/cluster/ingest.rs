//! An ingest on a cluster stores what an ingest on one machine stores, whatever happens on the way.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::{Cluster, Ear, TURN};
use crate::s3_server::S3Server;

/// A trail in a bucket, and a cluster that may read it and write a lake beside it.
pub(super) struct Remote {
    pub(super) cluster: Cluster,
    pub(super) server: S3Server,
    /// The server's.
    _runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

pub(super) const TRAIL: &str = "s3://logs/trail";

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(to).unwrap(),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

impl Remote {
    /// A bucket with the trail of the tests, and no executor yet.
    pub(super) fn start() -> Self {
        Self::with("testdata/trail")
    }

    /// A bucket with this trail, and no executor yet.
    pub(super) fn with(trail: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trail = Path::new(env!("CARGO_MANIFEST_DIR")).join(trail);
        copy(&trail, &folder.path().join("logs/trail"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(S3Server::start(folder.path()));
        Self {
            cluster: Cluster::start(0, 1),
            server,
            _runtime: runtime,
            folder,
        }
    }

    /// Starts one more executor. The server can tell it from the client; those that it is told to hold are of `other`.
    pub(super) fn add(&mut self, slots: usize, other: bool) {
        let s3 = ["--endpoint-url", &self.server.endpoint];
        let environment = match other {
            true => self.server.other_environment(),
            false => self.server.environment(),
        };
        self.cluster.add(slots, &s3, &environment);
        self.cluster.wait_for(self.cluster.executors.len());
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.args(args);
        command.args(["--endpoint-url", &self.server.endpoint]);
        command.env_remove("KEYTRAIL_CLUSTER");
        command.envs(self.server.environment());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn ingest(&self, lake: &str, cluster: Option<&str>) -> Command {
        let mut args = vec!["ingest", TRAIL, "--lake", lake, "--format", "json"];
        args.extend(cluster.into_iter().flat_map(|it| ["--cluster", it]));
        self.command(&args)
    }

    pub(super) fn there(&self, lake: &str) -> Command {
        self.ingest(lake, Some(&self.cluster.address))
    }

    /// What is in a lake: events, ledger, rejects; and that nothing is wrong with it.
    fn content(&self, lake: &str) -> [String; 3] {
        let checked = self.command(&["lake", "check", "--lake", lake]);
        let checked = { checked }.output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
        let rows = |sql: &str| {
            let args = ["sql", sql, "--lake", lake, "--format", "jsonl"];
            let output = self.command(&args).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
            String::from_utf8(output.stdout).unwrap()
        };
        [
            rows("SELECT * EXCEPT (log_file, log_file_record) FROM events ORDER BY event_id, content_sha256"),
            rows(
                "SELECT log_file, etag, size_bytes, sha256, outcome, reason, json_bytes, events, stored + duplicates AS known, rejected, accounts, regions
                FROM log_files ORDER BY log_file, etag",
            ),
            rows("SELECT * EXCEPT (ingest_time) FROM rejects ORDER BY log_file, log_file_record"),
        ]
    }

    /// Waits until an executor that the server holds reads a log file.
    pub(super) fn begun(&self, ingest: &mut Child) {
        let since = Instant::now();
        while !self.server.holds_one() {
            assert!(ingest.try_wait().unwrap().is_none(), "nothing waited");
            assert!(since.elapsed() < Duration::from_secs(60), "nothing begins");
            sleep(Duration::from_millis(20));
        }
    }

    /// The trail's log file number `n` of a day, counted from the first of March, with these events.
    pub(super) fn put(&self, (day, n): (u32, u32), events: std::ops::Range<u32>) {
        let records: Vec<String> = events
            .map(|n| format!(r#"{{"eventVersion":"1.11","eventName":"GetUser","eventSource":"iam.amazonaws.com","awsRegion":"us-east-1","eventTime":"2025-03-01T00:00:{:02}Z","eventID":"{n:08}-0000-4000-8000-000000000000"}}"#, n % 60))
            .collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        self.put_bytes((day, n), text.as_bytes());
    }

    /// The same, with this content.
    pub(super) fn put_bytes(&self, (day, n): (u32, u32), content: &[u8]) {
        let first = NaiveDate::from_ymd_opt(2025, 3, 1).unwrap();
        let day = first + Days::new(u64::from(day) - 1);
        let folder = day.format("logs/trail/AWSLogs/123456789012/CloudTrail/us-east-1/%Y/%m/%d");
        let folder = self.folder.path().join(folder.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let day = day.format("%Y%m%d");
        let name =
            format!("123456789012_CloudTrail_us-east-1_{day}T0005Z_abcdefghijkl{n:04}.json.gz");
        std::fs::write(folder.join(name), content).unwrap();
    }

    /// How often the ledger of a lake was committed.
    fn commits(&self, lake: &str) -> usize {
        let lake = lake.trim_start_matches("s3://");
        let log = self.folder.path().join(lake).join("log_files/_delta_log");
        let files = walkdir::WalkDir::new(log)
            .into_iter()
            .filter_map(Result::ok);
        let names = files.map(|file| file.into_path());
        names
            .filter(|name| name.extension().is_some_and(|end| end == "json"))
            .count()
    }

    /// The scheduler is killed.
    pub(super) fn kill_scheduler(&mut self) {
        drop(self.cluster.scheduler.take());
    }

    /// A new scheduler at the address of the old one. Executors that it had end after a while without it, and are started anew.
    fn revive_scheduler(&mut self) {
        let bind = self.cluster.address.trim_start_matches("df://");
        let (scheduler, _) = super::scheduler(bind);
        self.cluster.scheduler = Some(scheduler);
        self.cluster.executors.clear();
        self.add(2, false);
    }

    /// A scheduler that knows no executor.
    pub(super) fn restart_scheduler(&mut self) {
        let (scheduler, address) = super::scheduler("127.0.0.1:0");
        self.cluster.scheduler = Some(scheduler);
        self.cluster.address = address;
    }

    /// A trail that has nothing yet.
    pub(super) fn empty_trail(&self) {
        std::fs::remove_dir_all(self.folder.path().join("logs/trail")).unwrap();
    }
}

/// The summary of an ingest, without what differs from one to the next.
pub(super) fn summary(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    assert!(!said.contains("not on the cluster"), "{said}");
    let mut summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    summary.as_object_mut().unwrap().remove("seconds");
    summary["bytes"].as_object_mut().unwrap().remove("lake");
    summary
}

/// A number of events.
pub(super) fn events(summary: &Value, name: &str) -> u64 {
    let number = summary["events"][name].as_u64();
    number.unwrap_or_else(|| panic!("{name}: {summary}"))
}

#[test]
fn an_ingest_stores_the_same_as_here_on_one_two_and_three_executors() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    let here = remote.ingest("s3://logs/here", None).output().unwrap();
    let expected = remote.content("s3://logs/here");
    assert!(expected.iter().all(|rows| rows.lines().count() > 1));
    for (executors, slots) in [(1, 1), (2, 2), (3, 1)] {
        remote.add(slots, false);
        let lake = format!("s3://logs/there-{executors}");
        let there = remote.there(&lake).output().unwrap();
        assert_eq!(summary(&there), summary(&here), "{executors} executors");
        assert_eq!(there.status.code(), here.status.code());
        assert_eq!(remote.content(&lake), expected, "{executors} executors");
        // What is there is not read again.
        remote.server.take_gets();
        let again = summary(&remote.there(&lake).output().unwrap());
        assert_eq!(events(&again, "read"), 0, "{again}");
        let gets = remote.server.take_gets();
        assert!(
            !gets.keys().any(|key| key.starts_with("trail/")),
            "{gets:?}"
        );
    }
}

#[test]
fn copies_of_an_event_that_two_tasks_have_are_stored_once() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.empty_trail();
    // A parcel, and with it a task, has log files of one day.
    remote.put((1, 1), 0..40);
    remote.put((1, 2), 30..50);
    remote.put((2, 1), 20..60);
    remote.put((3, 1), 0..10);
    remote.add(1, false);
    remote.add(1, false);
    let lake = "s3://logs/lake";
    let first = summary(&remote.there(lake).output().unwrap());
    let counts =
        |summary: &Value| ["read", "stored", "duplicates"].map(|name| events(summary, name));
    assert_eq!(counts(&first), [110, 60, 50], "{first}");
    let in_lake = || remote.content(lake)[0].lines().count();
    assert_eq!(in_lake(), 60);
    // Delivered again, and late: what is new of it is stored.
    remote.put((4, 1), 0..60);
    remote.put((4, 2), 55..70);
    let second = summary(&remote.there(lake).output().unwrap());
    assert_eq!(counts(&second), [75, 10, 65], "{second}");
    assert_eq!(in_lake(), 70);
}

#[test]
fn an_executor_that_is_killed_during_an_ingest_costs_no_event() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    let here = remote.ingest("s3://logs/here", None).output().unwrap();
    remote.add(1, false);
    remote.add(1, true);
    remote.server.hold();
    let lake = "s3://logs/lake";
    let mut ingest = remote.there(lake).spawn().unwrap();
    remote.begun(&mut ingest);
    remote.cluster.executors.pop();
    let there = ingest.wait_with_output().unwrap();
    assert_eq!(summary(&there), summary(&here));
    assert_eq!(remote.content(lake), remote.content("s3://logs/here"));
}

#[test]
fn a_scheduler_that_is_killed_during_an_ingest_costs_no_event() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.empty_trail();
    // A log day is a parcel, and a job has 32 of them: the second job has two.
    for day in 1..=34 {
        remote.put((day, 1), day * 10..day * 10 + 10);
    }
    let here = remote.ingest("s3://logs/here", None).output().unwrap();
    assert_eq!(events(&summary(&here), "stored"), 340);
    let expected = remote.content("s3://logs/here");
    remote.add(2, true);
    let lake = "s3://logs/lake";
    remote.server.hold_those("_20250403T");
    let mut ingest = remote.there(lake).spawn().unwrap();
    remote.begun(&mut ingest);
    let since = Instant::now();
    while remote.commits(lake) < 2 {
        assert!(since.elapsed() < Duration::from_secs(60), "no commit");
        sleep(Duration::from_millis(20));
    }
    remote.kill_scheduler();
    let output = ingest.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let sentence = format!(
        "the scheduler {} went away during the job",
        remote.cluster.address
    );
    assert!(said.contains(&sentence), "{said}");
    assert!(
        said.contains("nothing is half done: run it again"),
        "{said}"
    );
    // The first job is whole, of the second there is nothing.
    let rows = |content: [String; 3]| content.map(|rows| rows.lines().count());
    assert_eq!(rows(remote.content(lake)), [320, 32, 0]);
    remote.server.release();
    remote.revive_scheduler();
    remote.server.take_gets();
    let again = summary(&remote.there(lake).output().unwrap());
    let counts = ["read", "stored", "duplicates"].map(|name| events(&again, name));
    assert_eq!(counts, [20, 20, 0], "{again}");
    let gets = remote.server.take_gets().into_keys();
    assert_eq!(gets.filter(|key| key.starts_with("trail/")).count(), 2);
    assert_eq!(remote.content(lake), expected);
}

#[test]
fn a_bucket_that_refuses_every_fifth_request_costs_no_event() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    let here = remote.ingest("s3://logs/here", None).output().unwrap();
    remote.add(2, true);
    remote.server.refuse_every(5);
    let there = remote.there("s3://logs/lake").output().unwrap();
    remote.server.refuse_every(0);
    println!("{} requests refused", remote.server.requests("refused"));
    assert!(remote.server.requests("refused") > 3);
    assert_eq!(summary(&there), summary(&here));
    assert_eq!(
        remote.content("s3://logs/lake"),
        remote.content("s3://logs/here")
    );
}

#[test]
fn two_ingests_at_once_store_every_event_once() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.ingest("s3://logs/here", None).output().unwrap();
    remote.add(2, false);
    remote.add(2, false);
    let lake = "s3://logs/lake";
    let ingests = [0, 1].map(|_| remote.there(lake).spawn().unwrap());
    for ingest in ingests {
        let output = ingest.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    }
    assert_eq!(remote.content(lake), remote.content("s3://logs/here"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_half_done_and_the_next_ingest_goes_on() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.ingest("s3://logs/here", None).output().unwrap();
    remote.add(1, true);
    remote.server.hold();
    let lake = "s3://logs/lake";
    let mut ingest = remote.there(lake).spawn().unwrap();
    remote.begun(&mut ingest);
    let stopped = Command::new("kill")
        .args(["-INT", &ingest.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let output = ingest.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    let code = |command: &[&str]| {
        let command = [command, &["--lake", lake]].concat();
        remote.command(&command).output().unwrap().status.code()
    };
    assert_eq!(code(&["lake", "check"]), Some(0));
    // No log file is stored: there is nothing to answer from.
    assert_eq!(code(&["keys"]), Some(1));
    remote.server.release();
    let output = remote.there(lake).output().unwrap();
    summary(&output);
    assert_eq!(remote.content(lake), remote.content("s3://logs/here"));
}

#[test]
fn what_executors_cannot_reach_is_read_here_or_refused_in_a_sentence() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    let cluster = ["--cluster", &remote.cluster.address];
    let local = ["ingest", "testdata/trail", "--lake", "s3://logs/local"];
    let output = remote
        .command(&[&local[..], &cluster].concat())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let sentence =
        "runs on this machine, not on the cluster: executors read log files from S3 only";
    assert!(said.contains(sentence), "{said}");
    // Credentials are those of the executor, and it has none that the bucket knows.
    remote.cluster.executors.clear();
    let s3 = ["--endpoint-url", &remote.server.endpoint];
    let mut stranger = remote.server.environment();
    stranger[0].1 = "AKIAIOSFODNN7STRANGE";
    let mut cluster = Cluster::start_in(1, 1, (&s3, &stranger));
    std::mem::swap(&mut remote.cluster, &mut cluster);
    let output = remote.there("s3://logs/lake").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("the job failed on the cluster: AWS refuses the credentials"),
        "{said}"
    );
}

#[test]
fn credentials_do_not_travel_with_an_ingest() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start();
    remote.add(1, true);
    let ear = Ear::before(&remote.cluster.address);
    let output = remote.ingest("s3://logs/lake", Some(&ear.address)).output();
    assert!(events(&summary(&output.unwrap()), "stored") > 0);
    ear.assert_no_credentials(&remote.server);
}
