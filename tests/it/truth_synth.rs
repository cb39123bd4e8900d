//! Trails of an organisation with broken, doubled and odd log files, against a truth that their generator knows.
//!
//! The generator is not part of the project: `KEYTRAIL_SYNTH` names the script, which needs Python. `testdata.rs` checks the
//! small trail of the project against its truth in the same way.

use crate::needs;
use crate::program::{assert_adds_up, json, number};
use crate::usage::{Usage, session};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A trail, the lake it was read into, and what is true of it.
pub(crate) struct Synthetic {
    folder: TempDir,
    pub(crate) truth: Value,
}

impl Synthetic {
    pub(crate) fn generate(seed: u32) -> Self {
        Self::sized(seed, "0.01")
    }

    /// A trail of so many GB of JSON.
    pub(crate) fn sized(seed: u32, gigabytes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let generated = Command::new("python3")
            .arg(needs::generator())
            .arg("--out")
            .arg(folder.path().join("trail"))
            .args(["--gb", gigabytes, "--files-avg-kb", "64", "--jobs", "1"])
            .args(["--seed", &seed.to_string()])
            .output()
            .unwrap();
        assert!(generated.status.success(), "{generated:?}");
        let truth = fs::read(folder.path().join("trail/truth.json")).unwrap();
        Self {
            truth: serde_json::from_slice(&truth).unwrap(),
            folder,
        }
    }

    fn trail(&self) -> String {
        self.path("trail/AWSLogs")
    }

    pub(crate) fn lake(&self) -> String {
        self.path("lake")
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn ingest(&self) -> Value {
        // Exit code 3: the trail has log files that cannot be read.
        let summary = json(&["ingest", &self.trail(), "--lake", &self.lake()], 3);
        assert_adds_up(&summary);
        summary
    }

    /// The odd objects which a reader can, or cannot, read.
    fn odd(&self, readable: bool) -> Vec<&Value> {
        let odd = self.truth["odd_objects"].as_array().unwrap();
        odd.iter()
            .filter(|odd| odd["readable"] == readable)
            .collect()
    }

    /// Every key that was issued: `key`, `issued_by`, `event_id`, `events`.
    pub(crate) fn sessions(&self) -> Vec<Value> {
        let path = self.folder.path().join("trail/truth-sessions.jsonl.gz");
        let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    }

    fn total(&self, name: &str) -> u64 {
        number(&self.truth, &format!("/totals/{name}"))
    }
}

/// The path of an odd object.
fn text(odd: &Value) -> &str {
    odd["path"].as_str().unwrap()
}

/// How many records of a log file that breaks off are whole: each but the last is followed by another.
fn whole_records(path: &Path) -> u64 {
    let mut content = Vec::new();
    // It ends with an error, by design.
    let _broken = GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut content);
    String::from_utf8_lossy(&content)
        .matches(r#"},{"eventVersion""#)
        .count() as u64
}

/// The summary of a first ingest, against what the generator wrote.
fn assert_summary(synthetic: &Synthetic, summary: &Value) {
    let (readable, broken) = (synthetic.odd(true), synthetic.odd(false));
    let copies: u64 = readable
        .iter()
        .map(|odd| number(odd, "/copies_of_records"))
        .sum();
    let good = synthetic.total("good_objects");
    let files = |name: &str| number(summary, &format!("/log_files/{name}"));
    assert_eq!(files("stored"), good + readable.len() as u64);
    assert_eq!(files("rejected"), broken.len() as u64);
    assert_eq!(files("listed"), files("stored") + files("rejected"));
    assert_eq!(files("already_stored"), 0);
    let events = |name: &str| number(summary, &format!("/events/{name}"));
    assert_eq!(events("stored"), synthetic.total("unique_events"));
    let before_the_break: u64 = broken
        .iter()
        .map(|odd| whole_records(&synthetic.folder.path().join("trail").join(text(odd))))
        .sum();
    let read = synthetic.total("records_in_good_objects") + copies + before_the_break;
    assert_eq!(events("read") - events("rejected"), read);
    let rejected = summary["rejected"].as_array().unwrap().iter();
    let mut rejected: Vec<&str> = rejected
        .map(|file| file["log_file"].as_str().unwrap())
        .collect();
    let mut expected: Vec<PathBuf> = broken
        .iter()
        .map(|odd| synthetic.folder.path().join("trail").join(text(odd)))
        .collect();
    rejected.sort_unstable();
    expected.sort_unstable();
    let expected: Vec<&str> = expected.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(rejected, expected);
}

/// The inventory, from the lake and from the log files, against the truth and each other.
fn assert_inventory(synthetic: &Synthetic) {
    let mut from_lake = json(&["keys", "--lake", &synthetic.lake()], 0);
    let mut from_trail = json(&["keys", "--trail", &synthetic.trail()], 0);
    let issued = synthetic.truth["derived_sessions_per_key"]
        .as_object()
        .unwrap();
    let truth = synthetic.truth["keys"].as_object().unwrap();
    let rows = from_lake["keys"].as_array().unwrap();
    assert_eq!(rows.len(), truth.len());
    for row in rows {
        let key = row["access_key_id"].as_str().unwrap();
        let keys_issued = issued.get(key).and_then(Value::as_u64).unwrap_or_default();
        assert_eq!(number(row, "/issued_keys"), keys_issued, "issued by {key}");
        assert_eq!(row["events"], truth[key]["events"], "events of {key}");
        assert_eq!(row["user_identity_user_name"], truth[key]["user"]);
        assert_eq!(row["account_id"], truth[key]["account"]);
    }
    for answer in [&mut from_lake, &mut from_trail] {
        assert!(answer["coverage"]["source"].take().is_string());
    }
    assert_eq!(from_lake, from_trail);
}

/// The temporary keys that the generator says were issued, with the events each was used for.
fn assert_sessions(synthetic: &Synthetic) {
    let mut issued = BTreeMap::new();
    for session in synthetic.sessions() {
        let key = session["key"].as_str().unwrap().to_owned();
        issued.insert(key, number(&session, "/events"));
    }
    let keys = json(&["keys", "--temporary", "--lake", &synthetic.lake()], 0);
    let rows = keys["keys"].as_array().unwrap();
    let temporary = rows.iter().filter(|row| row["key_type"] == "temporary");
    let mut used = BTreeMap::new();
    for row in temporary {
        used.insert(
            row["access_key_id"].as_str().unwrap(),
            number(row, "/events"),
        );
    }
    assert_eq!(used.len() as u64, synthetic.total("session_keys_seen"));
    assert!(!issued.is_empty());
    for (key, events) in issued.iter().filter(|(key, _)| key.starts_with("ASIA")) {
        assert_eq!(
            used.get(key.as_str()).copied().unwrap_or_default(),
            *events,
            "{key}"
        );
    }
}

/// The dossiers of every key, or of every n-th.
async fn assert_dossiers(synthetic: &Synthetic, nth: usize) {
    let session = session(Path::new(&synthetic.lake())).await;
    let keys = synthetic.truth["keys"].as_object().unwrap();
    for (key, truth) in keys.iter().step_by(nth) {
        assert_eq!(
            Usage::asked(&session, key).await,
            Usage::of_truth(truth),
            "{key}"
        );
    }
}

async fn agrees_with_its_truth(seed: u32, dossiers_of_every_nth_key: usize) {
    let synthetic = Synthetic::generate(seed);
    let first = synthetic.ingest();
    assert_summary(&synthetic, &first);
    assert_inventory(&synthetic);
    assert_sessions(&synthetic);
    assert_dossiers(&synthetic, dossiers_of_every_nth_key).await;

    let second = json(
        &["ingest", &synthetic.trail(), "--lake", &synthetic.lake()],
        3,
    );
    assert_adds_up(&second);
    assert_eq!(number(&second, "/events/read"), 0);
    assert_eq!(
        number(&second, "/log_files/already_stored"),
        number(&first, "/log_files/stored")
    );
    assert_eq!(
        number(&second, "/log_files/rejected_before"),
        number(&first, "/log_files/rejected")
    );
    assert_inventory(&synthetic);
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn first_trail_agrees_with_its_truth() {
    agrees_with_its_truth(1, 1).await;
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn second_trail_agrees_with_its_truth() {
    agrees_with_its_truth(2, 10).await;
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn third_trail_agrees_with_its_truth() {
    agrees_with_its_truth(3, 10).await;
}
