//! One way to read log files: with a lake and without, the ledger and the progress are the same.

use crate::trail::record;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use keytrail::cloudtrail::Selection;
use keytrail::ingest::{IngestOptions, ingest};
use keytrail::lake::{Lake, Location};
use keytrail::read::{Observer, Outcome, Phase, Stop};
use keytrail::session::{Params, Session, SessionOptions};
use keytrail::source::{self, Source, SourceOptions};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What an observer was told.
#[derive(Debug, Default)]
struct Heard {
    phases: Mutex<Vec<Phase>>,
    listed: AtomicU64,
    total: AtomicU64,
    bytes: AtomicU64,
    read: AtomicU64,
    rejected: AtomicU64,
    events: [AtomicU64; 4],
}

impl Observer for Heard {
    fn phase(&self, phase: Phase) {
        self.phases.lock().unwrap().push(phase);
    }

    fn listed(&self, files: u64, bytes: u64) {
        self.listed.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn total(&self, files: u64, _: u64) {
        self.total.store(files, Ordering::Relaxed);
    }

    fn log_file(&self, _: u64, outcome: Outcome) {
        self.read.fetch_add(1, Ordering::Relaxed);
        let rejected = u64::from(outcome == Outcome::Rejected);
        self.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    fn events(&self, read: u64, stored: u64, duplicates: u64, rejected: u64) {
        for (sum, new) in self.events.iter().zip([read, stored, duplicates, rejected]) {
            sum.fetch_add(new, Ordering::Relaxed);
        }
    }
}

impl Heard {
    /// Listed, to be read, read, rejected log files; read, stored, duplicate, rejected records.
    fn numbers(&self) -> [u64; 8] {
        let [read, stored, duplicates, rejected] = &self.events;
        [
            &self.listed,
            &self.total,
            &self.read,
            &self.rejected,
            read,
            stored,
            duplicates,
            rejected,
        ]
        .map(|number| number.load(Ordering::Relaxed))
    }
}

/// A trail of one day: copies of events in other log files, a rejected record, a rejected log file.
fn trail() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let records = |range: std::ops::Range<u32>| -> Vec<String> { range.map(record).collect() };
    let path = folder.path();
    write(path, 1, &records(0..20));
    write(
        path,
        2,
        &[records(15..30), vec!["{\"eventName\":1}".to_owned()]].concat(),
    );
    write(path, 3, &records(0..5));
    std::fs::write(path.join("4.json"), "<html>").unwrap();
    folder
}

fn write(folder: &Path, n: u32, records: &[String]) {
    let text = format!("{{\"Records\":[{}]}}", records.join(","));
    std::fs::write(folder.join(format!("{n}.json")), text).unwrap();
}

async fn open(trail: &Path) -> Arc<dyn Source> {
    let trail = trail.to_str().unwrap();
    source::open(trail, &SourceOptions::default())
        .await
        .unwrap()
}

async fn without_lake(trail: &Path) -> (Session, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let options = SessionOptions {
        observer: Arc::clone(&heard) as _,
        ..SessionOptions::default()
    };
    let session = Session::trail(vec![open(trail).await], &options).await;
    (session.unwrap(), heard)
}

async fn with_lake(trail: &Path, lake: &Path) -> (Session, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let options = IngestOptions {
        selection: Selection::default(),
        max_json: 1 << 30,
        fetches: 4,
        threads: 1,
        retry_rejected: false,
        keep_secrets: false,
        verify: None,
        packers: None,
    };
    let place = Location::new(lake.to_str().unwrap(), None).unwrap();
    let mut lake = Lake::open_or_create(&place).await.unwrap();
    let sources = [open(trail).await];
    let stop = Stop::default();
    let done = ingest(&mut lake, &sources, &options, (heard.as_ref(), &stop)).await;
    done.unwrap();
    let lake = Lake::open(&place).await.unwrap();
    let session = Session::lake(lake, &SessionOptions::default()).await;
    (session.unwrap(), heard)
}

/// Rows of text, `|` between the columns.
async fn rows(session: &Session, sql: &str) -> Vec<String> {
    let (_, batches) = session.sql(sql, &Params::new()).await.unwrap();
    let texts = batches.iter().flat_map(|batch| {
        let column = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8);
        let column = column.unwrap();
        let texts = column.as_string::<i32>().iter();
        texts
            .map(|text| text.unwrap_or("null").to_owned())
            .collect::<Vec<_>>()
    });
    texts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_the_same_with_and_without_a_lake() {
    let (trail, lake) = (trail(), tempfile::tempdir().unwrap());
    let (raw, _) = without_lake(trail.path()).await;
    let (stored, _) = with_lake(trail.path(), lake.path()).await;
    for session in [&raw, &stored] {
        let (_, batches) = session
            .sql(
                "SELECT count(*), count(sha256) FROM log_files",
                &Params::new(),
            )
            .await
            .unwrap();
        let count = |column: usize| {
            batches[0]
                .column(column)
                .as_primitive::<Int64Type>()
                .value(0)
        };
        assert_eq!((count(0), count(1)), (4, 4));
    }
    let sql = "SELECT concat_ws('|', right(log_file, 6), outcome, coalesce(reason, '-'), sha256, size_bytes, json_bytes,
                 events, stored, duplicates, rejected, first_event_time, last_event_time)
               FROM log_files ORDER BY log_file";
    let ledger = rows(&raw, sql).await;
    assert_eq!(ledger, rows(&stored, sql).await);
    let counts = "SELECT concat_ws('|', right(log_file, 6), events, stored, duplicates, rejected) FROM log_files ORDER BY log_file";
    assert_eq!(
        rows(&raw, counts).await,
        [
            "1.json|20|20|0|0",
            "2.json|16|10|5|1",
            "3.json|5|0|5|0",
            "4.json|0|0|0|0"
        ]
    );
    let rejects =
        "SELECT concat_ws('|', right(log_file, 6), log_file_record, reason, record) FROM rejects";
    let rejected = rows(&raw, rejects).await;
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected, rows(&stored, rejects).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_observer_follows_listing_and_reading() {
    let (trail, lake) = (trail(), tempfile::tempdir().unwrap());
    let (raw, heard) = without_lake(trail.path()).await;
    assert_eq!(heard.numbers(), [4, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        rows(&raw, "SELECT count(DISTINCT event_id) FROM events").await,
        ["30"]
    );
    let (_, ingested) = with_lake(trail.path(), lake.path()).await;
    let numbers = [4, 4, 4, 1, 41, 30, 10, 1];
    assert_eq!((heard.numbers(), ingested.numbers()), (numbers, numbers));
    for heard in [heard, ingested] {
        assert_eq!(
            heard.phases.lock().unwrap()[..2],
            [Phase::Listing, Phase::Reading]
        );
        assert!(heard.bytes.load(Ordering::Relaxed) > 0);
    }
}

/// A condition on `log_file` reads those log files only; what it leaves out is still part of the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_log_files_that_a_query_names_are_read() {
    let trail = trail();
    let (raw, heard) = without_lake(trail.path()).await;
    let name = trail.path().join("2.json");
    let sql = format!(
        "SELECT count(*) FROM events WHERE log_file = '{}'",
        name.display()
    );
    assert_eq!(rows(&raw, &sql).await, ["15"]);
    assert_eq!(heard.numbers()[1..3], [1, 1]);
    assert_eq!(rows(&raw, "SELECT count(*) FROM log_files").await, ["4"]);
}

/// More partitions than parcels, and a plan that reads its input again: nothing is lost and nothing is counted twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_work_may_be_cut_in_any_way() {
    let trail = trail();
    for threads in [1, 5, 16] {
        let options = SessionOptions {
            threads,
            ..SessionOptions::default()
        };
        let session = Session::trail(vec![open(trail.path()).await], &options);
        let session = session.await.unwrap();
        assert_eq!(
            rows(&session, "SELECT count(*) FROM events").await,
            ["30"],
            "{threads}"
        );
        let limited = "SELECT count(*) FROM (SELECT 1 FROM events LIMIT 7)";
        assert_eq!(rows(&session, limited).await, ["7"], "{threads}");
        let again = "WITH RECURSIVE step AS (SELECT 1 AS n UNION ALL
                       SELECT n + 1 FROM step, (SELECT count(*) AS \"all\" FROM events) WHERE n < 3 AND \"all\" = 30)
                     SELECT count(*) FROM step";
        assert_eq!(rows(&session, again).await, ["3"], "{threads}");
    }
}
