//! The limit on the size of a log file: a decompression bomb is refused before it is unpacked, and a log file that is
//! only large can be let in.

use crate::program::{assert_adds_up, json, number};
use crate::trail::{gzip, record, write};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::{self, Read};
use tempfile::TempDir;

/// Ingests the folder's trail into its lake.
fn ingest(home: &TempDir, options: &[&str], exit_code: i32) -> Value {
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (trail, lake) = (path("trail"), path("lake"));
    let args = [&["ingest", &trail, "--lake", &lake], options].concat();
    let summary = json(&args, exit_code);
    assert_adds_up(&summary);
    summary
}

fn reason(summary: &Value) -> &str {
    summary["rejected"][0]["reason"].as_str().unwrap()
}

#[test]
fn a_decompression_bomb_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut io::repeat(b' ').take(64 << 20), &mut bomb).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    write(home.path(), "trail/bomb.json.gz", &bomb);
    write(home.path(), "trail/sound.json.gz", &gzip(&record(1)));

    let summary = ingest(&home, &["--max-log-file-size", "1MiB"], 3);
    assert_eq!(
        reason(&summary),
        "more than 1048576 bytes of JSON when decompressed"
    );
    assert_eq!(number(&summary, "/events/stored"), 1);

    // It is not tried again, unless asked to; then it turns out to be empty.
    let summary = ingest(&home, &[], 3);
    assert_eq!(number(&summary, "/log_files/already_stored"), 1);
    assert_eq!(number(&summary, "/log_files/rejected_before"), 1);
    let again = ingest(
        &home,
        &["--retry-rejected", "--max-log-file-size", "65MiB"],
        3,
    );
    assert_eq!(reason(&again), "no JSON in it");
}

/// Long texts are decoded piece by piece: what is not held at once must still be whole in the end.
#[test]
fn a_large_log_file_is_read_once_the_limit_allows() {
    const EVENTS: u32 = 16_000;
    let home = tempfile::tempdir().unwrap();
    let records: Vec<String> = (0..EVENTS).map(record).collect();
    let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    assert!(text.len() > 9 << 20);
    write(home.path(), "trail/large.json.gz", &gzip(&text));

    let summary = ingest(&home, &["--max-log-file-size", "8MiB"], 1);
    assert_eq!(
        reason(&summary),
        "more than 8388608 bytes of JSON when decompressed"
    );
    assert_eq!(number(&summary, "/events/stored"), 0);
    let summary = ingest(&home, &["--retry-rejected"], 0);
    assert_eq!(number(&summary, "/events/stored"), u64::from(EVENTS));
    assert_eq!(number(&summary, "/bytes/json"), text.len() as u64);
}

/// Tiny records that are no events: a small file holds millions of them.
#[test]
fn very_many_records_without_an_event_are_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let empty = format!(r#"{{"Records":[{}{{}}]}}"#, "{},".repeat(2_000_000));
    write(home.path(), "trail/empty.json.gz", &gzip(&empty));
    let summary = ingest(&home, &[], 1);
    assert_eq!(reason(&summary), "no event among its first 1000000 records");

    // One event among them is found, and all records are counted.
    let many = format!(r#"{{"Records":[{}{}]}}"#, "{},".repeat(30_000), record(1));
    write(home.path(), "trail/many.json.gz", &gzip(&many));
    let summary = ingest(&home, &[], 3);
    assert_eq!(number(&summary, "/events/read"), 30_001);
    assert_eq!(number(&summary, "/events/stored"), 1);
    assert_eq!(number(&summary, "/events/rejected"), 30_000);
    assert_eq!(
        summary["remarks"][0]["reason"],
        "of 30000 rejected records, only the first 10000 are kept"
    );
}

/// A device that never ends is not read to its end.
#[cfg(unix)]
#[test]
fn a_device_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let summary = json(
        &["ingest", "/dev/zero", "--lake", lake.to_str().unwrap()],
        1,
    );
    assert_eq!(reason(&summary), "neither gzip nor JSON");
}
