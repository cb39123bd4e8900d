//! Every event once, whatever happens on the way: ingests that are killed, stopped, run at once, or run on log files that
//! were replaced.

use crate::facts::Facts;
use crate::program::{assert_adds_up, number};
use crate::trail::{EVENTS_OF_A_DAY, record, write_days, write_log_file};
use serde_json::Value;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Days of the trails: each is a parcel, and so a commit of each table.
const DAYS: Range<u32> = 0..12;

/// A folder with trails and lakes in it.
struct Place(TempDir);

impl Place {
    /// A place with one trail, `trail`.
    fn with_trail() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        write_days(&place.path("trail"), "111111111111", DAYS);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts an ingest of trails into a lake.
    fn start(&self, trails: &[&str], lake: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command
            .arg("ingest")
            .args(trails.iter().map(|trail| self.path(trail)));
        self.spawn(command, lake)
    }

    /// Starts a command of `keytrail lake`.
    fn lake(&self, command: &[&str], lake: &str) -> Child {
        let mut process = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        process.arg("lake").args(command);
        self.spawn(process, lake)
    }

    fn spawn(&self, mut command: Command, lake: &str) -> Child {
        command.arg("--lake").arg(self.path(lake));
        command.args(["--format", "json", "--quiet"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Ingests trails into a lake. Exit code 3: each trail has records and log files that cannot be read.
    fn ingest(&self, trails: &[&str], lake: &str) -> Value {
        finish(self.start(trails, lake), 3)
    }

    /// Ingests the rest of a trail; the exit code tells whether that rest could be read.
    fn ingest_rest(&self, lake: &str) -> Value {
        let child = self.start(&["trail"], lake);
        let output = child.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
        let summary = serde_json::from_slice(&output.stdout).unwrap();
        assert_adds_up(&summary);
        assert_eq!(number(&summary, "/log_files/left"), 0);
        summary
    }

    async fn facts(&self, lake: &str) -> Facts {
        Facts::of(&self.path(lake)).await
    }
}

/// The summary of an ingest that must end with this exit code.
fn finish(ingest: Child, exit_code: i32) -> Value {
    let output = ingest.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(exit_code), "{output:?}");
    let summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&summary);
    summary
}

/// Waits until a file is there; false when the process ends before.
fn wait_for(file: &Path, process: &mut Child) -> bool {
    let begun = Instant::now();
    while !file.exists() {
        if process.try_wait().unwrap().is_some() {
            return file.exists();
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no {} came",
            file.display()
        );
        thread::sleep(Duration::from_micros(100));
    }
    true
}

/// The entry of a version in a table's log.
fn version(lake: &Path, table: &str, version: u32) -> PathBuf {
    lake.join(format!("{table}/_delta_log/{version:020}.json"))
}

/// Kills with SIGKILL; true when the process was still running.
fn kill(mut process: Child) -> bool {
    let running = process.try_wait().unwrap().is_none();
    process.kill().unwrap();
    process.wait().unwrap();
    running
}

#[tokio::test]
async fn killed_between_commits_nothing_is_lost_or_doubled() {
    let place = Place::with_trail();
    place.ingest(&["trail"], "undisturbed");
    let lake = place.path("killed");
    // As soon as a table is made; then as soon as the events of a parcel, its rejects or its ledger rows are there.
    let mut moments = ["events", "rejects", "log_files"]
        .map(|table| version(&lake, table, 0))
        .to_vec();
    for parcel in [1, 2, 4, 7] {
        moments.push(version(&lake, "events", parcel));
        moments.push(version(&lake, "rejects", parcel));
        moments.push(version(&lake, "log_files", parcel));
    }
    let mut kills = 0;
    for moment in moments {
        let mut ingest = place.start(&["trail"], "killed");
        wait_for(&moment, &mut ingest);
        kills += u32::from(kill(ingest));
    }
    assert!(kills >= 8, "only {kills} kills hit a run");
    place.ingest_rest("killed");
    let facts = place.facts("killed").await;
    assert_eq!(facts, place.facts("undisturbed").await);
    assert_eq!(facts.events, facts.distinct);
    assert_eq!(facts.events as u64, EVENTS_OF_A_DAY * DAYS.len() as u64);
}

#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost_or_doubled() {
    let place = Place::with_trail();
    let begun = Instant::now();
    place.ingest(&["trail"], "undisturbed");
    let whole_run = begun.elapsed();
    let undisturbed = place.facts("undisturbed").await;
    // Parts of a run, in percent, in no order: each lake is killed along one of these lists.
    let lists = [
        [35, 50, 20, 45, 30],
        [70, 10, 60, 40, 25],
        [55, 65, 5, 30, 80],
    ];
    let mut kills = 0;
    for (lake, parts) in ["a", "b", "c"].into_iter().zip(lists) {
        for part in parts {
            let ingest = place.start(&["trail"], lake);
            thread::sleep(whole_run * part / 100);
            kills += u32::from(kill(ingest));
        }
        place.ingest_rest(lake);
        assert_eq!(place.facts(lake).await, undisturbed, "lake {lake}");
    }
    // How many hit depends on the machine's mood; kills at known moments are those of another test.
    assert!(kills > 0, "no kill hit a run");
}

/// Numbers that look random, and are the same in each run.
struct Moments(u64);

impl Moments {
    /// The next number below `end`.
    fn below(&mut self, end: u32) -> u32 {
        // Knuth's MMIX generator; its low bits are poor.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

/// Ingests and compactions, alone or beside an ingest, are killed again and again. `KEYTRAIL_KILLS=1000 cargo test --test it
/// killed_at_random_moments -- --nocapture` goes on until so many kills have hit a run.
#[tokio::test]
async fn killed_at_random_moments_nothing_is_lost_or_doubled() {
    let wanted = std::env::var("KEYTRAIL_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let place = Place::with_trail();
    let begun = Instant::now();
    place.ingest(&["trail"], "undisturbed");
    let whole_run = begun.elapsed();
    let undisturbed = place.facts("undisturbed").await;
    let mut moments = Moments(wanted.into());
    let (mut kills, mut rounds) = (0, 0);
    while kills < wanted {
        for _ in 0..2 + moments.below(8) {
            let lake = place.path("lake");
            let beside = (moments.below(4) == 0).then(|| place.start(&["trail"], "lake"));
            let compacts = lake.exists() && moments.below(3) == 0;
            let victim = match compacts {
                true => place.lake(&["compact"], "lake"),
                false => place.start(&["trail"], "lake"),
            };
            thread::sleep(whole_run * moments.below(100) / 100);
            kills += u32::from(kill(victim));
            kills += beside.map_or(0, |beside| u32::from(kill(beside)));
        }
        place.ingest_rest("lake");
        assert_eq!(place.facts("lake").await, undisturbed, "{kills} kills");
        let check = place.lake(&["check"], "lake").wait_with_output().unwrap();
        assert!(check.status.success(), "{kills} kills: {check:?}");
        std::fs::remove_dir_all(place.path("lake")).unwrap();
        rounds += 1;
    }
    println!("{kills} kills of {rounds} lakes: every event is there once");
}

#[tokio::test]
async fn two_ingests_at_once_are_both_right() {
    let place = Place::with_trail();
    // The trail of another account tells of the same events, and of some days more.
    write_days(&place.path("other"), "222222222222", 6..16);
    place.ingest(&["trail", "other"], "one");
    let one = place.facts("one").await;
    assert_eq!(one.events as u64, EVENTS_OF_A_DAY * 16);
    for lake in ["a", "b", "c"] {
        let first = place.start(&["trail", "other"], lake);
        let second = place.start(&["other"], lake);
        let summaries = [finish(first, 3), finish(second, 3)];
        let stored: u64 = summaries
            .iter()
            .map(|summary| number(summary, "/events/stored"))
            .sum();
        assert_eq!(stored, EVENTS_OF_A_DAY * 16, "lake {lake}");
        assert_eq!(place.facts(lake).await, one, "lake {lake}");
    }
}

#[tokio::test]
async fn a_replaced_log_file_is_read_again() {
    let place = Place(tempfile::tempdir().unwrap());
    let region = "AWSLogs/111111111111/CloudTrail/eu-west-1";
    let deliver = |events: Range<u32>| {
        let records: Vec<String> = events.map(record).collect();
        write_log_file(&place.path("trail"), (region, 0, 0), &records);
    };
    let ingest = || finish(place.start(&["trail"], "lake"), 0);
    deliver(0..20);
    assert_eq!(number(&ingest(), "/events/stored"), 20);
    deliver(10..30);
    let again = ingest();
    assert_eq!(number(&again, "/log_files/stored"), 1);
    assert_eq!(number(&again, "/events/stored"), 10);
    assert_eq!(number(&again, "/events/duplicates"), 10);
    assert_eq!(number(&ingest(), "/log_files/already_stored"), 1);
    let facts = place.facts("lake").await;
    assert_eq!((facts.events, facts.distinct), (30, 30));
    assert_eq!(number(&facts.coverage, "/coverage/log_files"), 1);
}

/// A log file that was touched, linked, or cut off when it was first read: its last row in the ledger counts.
#[cfg(unix)]
#[tokio::test]
async fn a_log_file_that_is_read_again_counts_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place(tempfile::tempdir().unwrap());
    let region = "AWSLogs/111111111111/CloudTrail/eu-west-1";
    let mut files = Vec::new();
    for (file, events) in [(0, 0..20), (1, 15..40), (2, 40..60)] {
        let records: Vec<String> = events.map(record).collect();
        write_log_file(&place.path("trail"), (region, 0, file), &records);
    }
    for entry in walkdir::WalkDir::new(place.path("trail")).sort_by_file_name() {
        let entry = entry.unwrap();
        files.extend(entry.file_type().is_file().then(|| entry.into_path()));
    }
    // The last is cut off at first.
    let whole = std::fs::read(&files[2]).unwrap();
    std::fs::write(&files[2], &whole[..whole.len() / 2]).unwrap();
    finish(place.start(&["trail"], "lake"), 3);
    let first = place.facts("lake").await;
    assert_eq!(first.ledger[0], 3);
    std::fs::write(&files[2], &whole).unwrap();
    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::hard_link(&files[1], place.path("link")).unwrap();
    for read in [3, 0] {
        let again = finish(place.start(&["trail"], "lake"), 0);
        assert_eq!(number(&again, "/log_files/stored"), read);
        let facts = place.facts("lake").await;
        // Five events are in two log files.
        assert_eq!(facts.ledger, [3, 65, 60]);
        assert_eq!((facts.events, facts.distinct), (60, 60));
    }
    // Compacted, the ledger has one file, with rows of log files that stay as they are.
    finish_lake(place.lake(&["compact"], "lake"));
    std::fs::remove_file(place.path("link")).unwrap();
    finish(place.start(&["trail"], "lake"), 0);
    assert_eq!(place.facts("lake").await.ledger, [3, 65, 60]);
}

#[cfg(unix)]
fn finish_lake(command: Child) {
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Other content of the same size, with the time of the old.
#[cfg(unix)]
#[test]
fn a_log_file_replaced_behind_its_time_is_read_again() {
    let place = Place(tempfile::tempdir().unwrap());
    let path = place.path("trail");
    std::fs::create_dir(&path).unwrap();
    let file = path.join("x.json");
    let ingest = || finish(place.start(&["trail"], "lake"), 0);
    std::fs::write(&file, record(1)).unwrap();
    assert_eq!(number(&ingest(), "/events/stored"), 1);
    let before = std::fs::metadata(&file).unwrap();
    assert_eq!(record(1).len(), record(3).len());
    std::fs::write(&file, record(3)).unwrap();
    let open = std::fs::File::options().write(true).open(&file).unwrap();
    open.set_modified(before.modified().unwrap()).unwrap();
    drop(open);
    let after = std::fs::metadata(&file).unwrap();
    assert_eq!(
        (after.len(), after.modified().unwrap()),
        (before.len(), before.modified().unwrap())
    );
    assert_eq!(number(&ingest(), "/events/stored"), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopped_ingest_commits_what_is_in_flight() {
    let place = Place::with_trail();
    let whole = place.ingest(&["trail"], "undisturbed");
    let mut ingest = place.start(&["trail"], "stopped");
    assert!(wait_for(
        &version(&place.path("stopped"), "log_files", 1),
        &mut ingest
    ));
    let pid = ingest.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let stopped = finish(ingest, 130);
    let stored = number(&stopped, "/log_files/stored");
    let left = number(&stopped, "/log_files/left");
    assert!(stored > 0 && left > 0, "{stopped}");

    let rest = place.ingest_rest("stopped");
    let read = |summary: &Value| {
        number(summary, "/log_files/stored") + number(summary, "/log_files/rejected")
    };
    assert_eq!(read(&rest), left);
    let before = ["already_stored", "rejected_before"]
        .map(|name| number(&rest, &format!("/log_files/{name}")));
    assert_eq!(before.iter().sum::<u64>(), read(&stopped));
    assert_eq!(read(&stopped) + read(&rest), read(&whole));
    assert_eq!(
        place.facts("stopped").await,
        place.facts("undisturbed").await
    );
}
