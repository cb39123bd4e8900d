//! Makes trails on disk: in: a folder, and keys or days. Out: files at those keys, or log files of those days.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

/// Writes a file, with the folders it needs.
pub(crate) fn write(folder: &Path, key: &str, content: &[u8]) {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The key of the log file that was delivered on a day (`2025/03/05`) at a time (`1205`).
pub(crate) fn key(region_folder: &str, day: &str, time: &str) -> String {
    let date = day.replace('/', "");
    format!("{region_folder}/{day}/1_CloudTrail_x_{date}T{time}Z_AbCdEfGhIjKlMnOp.json.gz")
}

/// Log files of a day, and events of a log file. An event is made every 90 seconds.
const FILES: u32 = 6;
const EVENTS: u32 = 160;

/// Each log file begins with so many events that the one before ended with.
const REDELIVERED: u32 = 10;

/// Events of a day, each counted once.
pub(crate) const EVENTS_OF_A_DAY: u64 = (FILES * EVENTS) as u64;

/// Writes the log files of some days of March 2025. The events depend on the day only: the trails of two accounts tell
/// the same under other names, as an organization's trail next to an account's does. Events are delivered twice, also
/// from one day to the next; a record of each day has no time; a log file of each fourth day is cut off.
pub(crate) fn write_days(folder: &Path, account: &str, days: Range<u32>) {
    for day in days {
        let region = format!("AWSLogs/{account}/CloudTrail/eu-west-1");
        for file in 0..FILES {
            let first = (day * FILES + file) * EVENTS;
            let mut records: Vec<String> = (first.saturating_sub(REDELIVERED)..first + EVENTS)
                .map(record)
                .collect();
            if file == 2 {
                records.push(r#"{"eventVersion":"1.11","eventName":"NoTime"}"#.to_owned());
            }
            write_log_file(folder, (&region, day, file), &records);
        }
        if day % 4 == 1 {
            let path = folder.join(name(&region, day, FILES));
            let whole = gzip(&log_file(&[record(day * FILES * EVENTS)]));
            fs::write(path, &whole[..whole.len() / 2]).unwrap();
        }
    }
}

/// Writes one log file: region folder, day and position in that day.
pub(crate) fn write_log_file(
    folder: &Path,
    (region, day, file): (&str, u32, u32),
    records: &[String],
) {
    write(folder, &name(region, day, file), &gzip(&log_file(records)));
}

fn name(region: &str, day: u32, file: u32) -> String {
    let stamp = format!("202503{:02}T{:02}55Z", day + 1, file * 4);
    let account = region.split('/').nth(1).unwrap();
    format!(
        "{region}/2025/03/{:02}/{account}_CloudTrail_eu-west-1_{stamp}_AbCdEfGhIjKlMn{file:02}.json.gz",
        day + 1
    )
}

fn log_file(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// The n-th event of March 2025: by one of eleven keys, some of which issue temporary keys, some calls refused.
pub(crate) fn record(n: u32) -> String {
    let seconds = n * 90;
    let time = format!(
        "2025-03-{:02}T{:02}:{:02}:{:02}Z",
        seconds / 86_400 + 1,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    );
    let key = n % 11;
    let (name, response) = match n % 17 {
        0 => (
            "AssumeRole",
            format!(r#"{{"credentials":{{"accessKeyId":"ASIA3EXAMPLE{n:08}"}}}}"#),
        ),
        other => (
            ["GetCallerIdentity", "GetSessionToken"][other as usize % 2],
            "null".to_owned(),
        ),
    };
    let error = match n % 13 {
        5 => r#""errorCode":"AccessDenied","errorMessage":"no","#,
        _ => "",
    };
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDA{key:017}","arn":"arn:aws:iam::111111111111:user/u{key}","accountId":"111111111111","accessKeyId":"AKIA3EXAMPLE{key:08}","userName":"u{key}"}},"eventTime":"{time}","eventSource":"sts.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.{}","userAgent":"agent/{}",{error}"requestParameters":null,"responseElements":{response},"requestID":"r{n}","eventID":"{n:08x}-0000-4000-8000-000000000000","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111111111111","eventCategory":"Management"}}"#,
        n % 5,
        n % 3
    )
}
