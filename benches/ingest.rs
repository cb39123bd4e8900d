//! How fast do log files get from disk into a lake, and how fast is the inventory made from them without one? Bytes of
//! JSON per second on all cores: `cargo bench --bench ingest`.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot go on fails, and says where"
)]

mod log_files;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use datafusion::common::ScalarValue;
use keytrail::analysis::{KEYS, answer};
use keytrail::cloudtrail::Selection;
use keytrail::ingest::{IngestOptions, IngestSummary, ingest};
use keytrail::lake::{Lake, Location};
use keytrail::read::{Silent, Stop};
use keytrail::session::{Params, Session, SessionOptions};
use keytrail::source::{self, Source, SourceOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A few parcels.
const JSON_BYTES: usize = 256 << 20;

/// More than any log file here.
const MAX_JSON: u64 = 1 << 30;

fn main() {
    let trail = tempfile::tempdir().unwrap();
    let files = log_files::log_files(JSON_BYTES);
    for file in &files {
        let path = trail.path().join(&file.key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.gzip).unwrap();
    }
    let json_bytes = log_files::json_bytes(&files);
    drop(files);

    let runtime = Runtime::new().unwrap();
    let threads = available_parallelism().map_or(1, usize::from);
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("ingest");
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Bytes(json_bytes));
    group.bench_function("log files into a new lake", |b| {
        b.iter_batched(
            || tempfile::tempdir().unwrap(),
            |lake| {
                let summary = runtime.block_on(stored(trail.path(), &lake, threads));
                assert_eq!(summary.bytes_json, json_bytes);
                // Removed outside the measurement.
                lake
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("inventory from log files", |b| {
        b.iter(|| runtime.block_on(inventory(trail.path(), threads)));
    });
    group.finish();
    criterion.final_summary();
}

async fn open(trail: &Path) -> Arc<dyn Source> {
    let options = SourceOptions::default();
    source::open(trail.to_str().unwrap(), &options)
        .await
        .unwrap()
}

/// Everything into a lake.
async fn stored(trail: &Path, lake: &TempDir, threads: usize) -> IngestSummary {
    let location = Location::new(lake.path().to_str().unwrap(), None).unwrap();
    let mut lake = Lake::open_or_create(&location).await.unwrap();
    let options = IngestOptions {
        selection: Selection::default(),
        max_json: MAX_JSON,
        fetches: 32,
        threads,
        retry_rejected: false,
        keep_secrets: false,
        verify: None,
        packers: None,
    };
    let (sources, stop) = ([open(trail).await], Stop::default());
    ingest(&mut lake, &sources, &options, (&Silent, &stop))
        .await
        .unwrap()
}

/// The number of keys, without a lake.
async fn inventory(trail: &Path, threads: usize) -> usize {
    let options = SessionOptions {
        threads,
        max_json: MAX_JSON,
        ..SessionOptions::default()
    };
    let session = Session::trail(vec![open(trail).await], &options)
        .await
        .unwrap();
    let params = Params::from([("temporary".to_owned(), ScalarValue::from(true))]);
    let report = answer(&session, &KEYS, &params).await.unwrap();
    report.sections[0]
        .batches
        .iter()
        .map(|batch| batch.num_rows())
        .sum()
}
