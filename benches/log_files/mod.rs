//! Log files to measure with: the records of `testdata/trail` over and over with ids of their own, in files of the size that
//! CloudTrail delivers in a busy account; or those of the folder `KEYTRAIL_BENCH_TRAIL`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use uuid::Uuid;
use walkdir::WalkDir;

/// JSON of one log file.
const FILE_BYTES: usize = 512 << 10;

/// A log file, compressed and not.
pub(crate) struct LogFile {
    /// Where it would lie below `AWSLogs/`.
    pub(crate) key: String,
    pub(crate) gzip: Vec<u8>,
    pub(crate) json: Vec<u8>,
}

/// Log files with this much JSON together, or somewhat more.
pub(crate) fn log_files(bytes: usize) -> Vec<LogFile> {
    match env::var_os("KEYTRAIL_BENCH_TRAIL") {
        Some(folder) => read(Path::new(&folder), bytes),
        None => made(bytes),
    }
}

/// The JSON of all of them, in bytes.
pub(crate) fn json_bytes(log_files: &[LogFile]) -> u64 {
    log_files.iter().map(|file| file.json.len() as u64).sum()
}

fn read(folder: &Path, bytes: usize) -> Vec<LogFile> {
    let (mut files, mut read) = (Vec::new(), 0);
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if read >= bytes || !entry.file_type().is_file() {
            continue;
        }
        let (gzip, mut json) = (fs::read(entry.path()).unwrap(), Vec::new());
        // The broken ones are of no use here.
        if GzDecoder::new(gzip.as_slice())
            .read_to_end(&mut json)
            .is_ok()
        {
            read += json.len();
            let key = entry.file_name().to_string_lossy().into_owned();
            files.push(LogFile { key, gzip, json });
        }
    }
    files
}

fn made(bytes: usize) -> Vec<LogFile> {
    let trail = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trail");
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for file in read(&trail, usize::MAX) {
        let mut document: Value = serde_json::from_slice(&file.json).unwrap();
        for record in document["Records"].as_array_mut().into_iter().flatten() {
            let day = record["eventTime"].as_str().unwrap()[..10].to_owned();
            days.entry(day).or_default().push(record.take());
        }
    }
    let (mut files, mut ids) = (Vec::new(), 0u128);
    let files_a_day = bytes.div_ceil(FILE_BYTES * days.len());
    for (day, records) in &mut days {
        let mut next = 0;
        for file in 0..files_a_day {
            let mut json = b"{\"Records\":[".to_vec();
            while json.len() < FILE_BYTES {
                let count = records.len();
                let record = &mut records[next % count];
                next += 1;
                for id in ["eventID", "requestID"] {
                    // An odd factor gives every number another id, without any order.
                    ids += 1;
                    record[id] = Uuid::from_u128(
                        ids.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
                    )
                    .to_string()
                    .into();
                }
                serde_json::to_writer(&mut json, record).unwrap();
                json.push(b',');
            }
            json.pop();
            json.extend(b"]}");
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&json).unwrap();
            let (account, region) = ("111122223333", "us-east-1");
            let (folders, date) = (day.replace('-', "/"), day.replace('-', ""));
            let time = format!("{:02}{:02}", file / 60 % 24, file % 60);
            files.push(LogFile {
                key: format!(
                    "AWSLogs/{account}/CloudTrail/{region}/{folders}/{account}_CloudTrail_{region}_{date}T{time}Z_{file:016}.json.gz"
                ),
                gzip: encoder.finish().unwrap(),
                json,
            });
        }
    }
    files
}
