//! Summaries of use: what is counted from them is what is counted from the events, whatever happens to a lake.

use crate::program::{json, keytrail, number};
use serde_json::{Value, json as object};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
const KEY: &str = "AKIA3EXAMPLE00000001";

/// A folder with a lake.
struct Home(TempDir);

impl Home {
    /// A lake of the sample trail, and of records that update others, each in an ingest of its own.
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.ingest(Path::new(TRAIL));
        for (n, record) in updates().into_iter().enumerate() {
            let folder = home.0.path().join(format!("more-{n}"));
            fs::create_dir(&folder).unwrap();
            let text = object!({ "Records": [record] }).to_string();
            fs::write(folder.join("log.json"), text).unwrap();
            home.ingest(&folder);
        }
        home
    }

    fn ingest(&self, source: &Path) {
        let output = keytrail(&["ingest", source.to_str().unwrap(), "--quiet"])
            .args(["--lake", self.lake().to_str().unwrap()])
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    }

    fn lake(&self) -> PathBuf {
        self.0.path().join("lake")
    }

    fn ask(&self, args: &[&str]) -> Value {
        let lake = self.lake();
        json(&[args, &["--lake", lake.to_str().unwrap()]].concat(), 0)
    }

    /// Files below a folder of `events`, in order.
    fn files(&self, folder: &str, end: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for day in fs::read_dir(self.lake().join("events").join(folder)).unwrap() {
            let day = day.unwrap().path();
            let name = day.file_name().unwrap().to_str().unwrap();
            if day.is_dir() && name.starts_with("event_date=") {
                let entries = fs::read_dir(day).unwrap();
                files.extend(entries.map(|entry| entry.unwrap().path()));
            }
        }
        files.retain(|file| file.to_str().unwrap().ends_with(end));
        files.sort();
        files
    }

    fn data(&self) -> Vec<PathBuf> {
        self.files("", ".parquet")
    }

    fn summaries(&self) -> Vec<PathBuf> {
        self.files("_uses", ".uses")
    }

    fn answers(&self) -> Vec<Value> {
        QUESTIONS.iter().map(|args| self.ask(args)).collect()
    }
}

/// A download, the same with another address and in another region, an update of it, and updates of an event that is not there.
fn updates() -> [Value; 4] {
    let record = |n: u32, of: Option<&str>| {
        let mut record = object!({
            "eventVersion": "1.11", "eventID": format!("{n:08}-0000-4000-8000-000000000000"),
            "eventTime": format!("2025-03-0{n}T10:00:00Z"), "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
            "awsRegion": "us-east-1", "userIdentity": {"type": "IAMUser", "accountId": "111111111111", "accessKeyId": KEY,
                "arn": "arn:aws:iam::111111111111:user/u", "userName": "u"},
            "sourceIPAddress": format!("192.0.2.{n}"), "userAgent": "agent", "recipientAccountId": "111111111111",
            "eventCategory": "Data", "readOnly": true, "managementEvent": false, "errorCode": "AccessDenied",
        });
        if let Some(of) = of {
            record["addendum"] = object!({"reason": "UPDATED_DATA", "originalEventID": of});
        }
        record
    };
    let first = "00000001-0000-4000-8000-000000000000";
    [
        record(1, None),
        record(2, Some(first)),
        record(3, Some(first)),
        record(4, Some("elsewhere")),
    ]
}

const QUESTIONS: [&[&str]; 6] = [
    &["keys"],
    &["keys", "--temporary"],
    &["keys", "--suspicious"],
    &["keys", "--temporary", "--since", "2025-03-02T00:00:00Z"],
    &["keys", "--temporary", "--until", "2025-03-02T12:34:56Z"],
    &["keys", "--temporary", "--region", "eu-west-1"],
];

#[test]
fn summaries_say_what_the_events_say() {
    let home = Home::new();
    assert_eq!(home.summaries().len(), home.data().len());
    let answers = home.answers();
    let keys = answers[0]["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["access_key_id"] == KEY).unwrap();
    assert_eq!(
        (&key["events"], &key["errors"], &key["source_ip_addresses"]),
        (&object!(2), &object!(1), &object!(4)),
        "one call and its updates, and one that only an update tells of"
    );
    fs::remove_dir_all(home.lake().join("events/_uses")).unwrap();
    assert_eq!(home.answers(), answers);

    // Where files are merged, and where they are not, their summaries are written.
    let compacted = home.ask(&["lake", "compact"]);
    assert_eq!(home.summaries().len(), {
        let table = home.ask(&["lake", "stats"]);
        let tables = table["tables"].as_array().unwrap();
        let events = tables.iter().find(|table| table["table"] == "events");
        number(events.unwrap(), "/files") as usize
    });
    assert!(number(&compacted, "/summaries_written") > 0, "{compacted}");
    assert_eq!(home.answers(), answers);
    let again = home.ask(&["lake", "compact"]);
    assert_eq!(number(&again, "/summaries_written"), 0, "{again}");
}

#[test]
fn the_inventory_reads_no_data_file() {
    let home = Home::new();
    let answers = [home.ask(QUESTIONS[0]), home.ask(QUESTIONS[1])];
    for file in home.data() {
        fs::remove_file(file).unwrap();
    }
    assert_eq!([home.ask(QUESTIONS[0]), home.ask(QUESTIONS[1])], answers);
}

#[test]
fn a_wrong_summary_is_noticed_and_mended() {
    let home = Home::new();
    let answers = home.answers();
    let lake = home.lake();
    let lake = lake.to_str().unwrap();
    let summaries = home.summaries();
    // One that tells of other events, and one that is no file of Parquet.
    fs::copy(&summaries[0], &summaries[1]).unwrap();
    fs::write(&summaries[2], "summary").unwrap();
    let check = json(&["lake", "check", "--lake", lake], 1);
    let faults = check["faults"].as_array().unwrap();
    let problems: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault["problem"].as_str())
        .collect();
    assert_eq!(
        problems,
        ["it does not match the events", "it cannot be read"],
        "{check}"
    );
    home.ask(&["lake", "mend"]);
    assert_eq!(home.ask(&["lake", "check"])["whole"], true);
    assert_eq!(home.answers(), answers);
}

#[test]
fn a_summary_goes_with_its_file() {
    let home = Home::new();
    home.ask(&["lake", "forget", "--before", "2025-03-02"]);
    let before = home.summaries();
    assert_eq!(number(&home.ask(&["lake", "vacuum"]), "/files"), 0);
    // Only the time of the log's entry counts for what was just taken out.
    let old = SystemTime::now() - Duration::from_secs(30 * 86_400);
    for file in [home.data(), before.clone()].concat() {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(old).unwrap();
    }
    assert_eq!(number(&home.ask(&["lake", "vacuum"]), "/files"), 0);
    assert_eq!(home.summaries(), before);
    // The file is no longer known to the log at all: a killed run's.
    let orphan = before[0].with_file_name("part-0.zstd.parquet.uses");
    fs::copy(&before[0], &orphan).unwrap();
    let file = fs::File::options().write(true).open(&orphan).unwrap();
    file.set_modified(old).unwrap();
    assert_eq!(number(&home.ask(&["lake", "vacuum"]), "/files"), 1);
    assert_eq!(home.summaries(), before);
}
