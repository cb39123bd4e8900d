//! What ingests and questions on a cluster cost over those on this machine. Run by hand, on an idle machine:
//! `cargo test --features cluster --test it -- --ignored --nocapture measured_ingest`, or `measured_questions`.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::TURN;
use super::ingest::Remote;

/// Days of the trail, log files of a day, events of a log file.
const DAYS: u32 = 8;
const LOG_FILES: u32 = 40;
const EVENTS: u32 = 200;

/// How often all is measured.
const ROUNDS: u32 = 3;

/// A log file with events of about the usual size.
fn log_file(day: u32, number: u32) -> Vec<u8> {
    let records = (0..EVENTS).map(|n| {
        let id = (day * LOG_FILES + number) * EVENTS + n;
        let secret = (0..6u32).map(|k| format!("{:08x}", (id + k).wrapping_mul(2_654_435_761)));
        let padding = secret.collect::<String>().repeat(8);
        let user = id % 400 / 10;
        if id.is_multiple_of(10) {
            return format!(
                r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDAEXAMPLE{user}","arn":"arn:aws:iam::123456789012:user/user-{user}","accountId":"123456789012","accessKeyId":"AKIA{user:016}","userName":"user-{user}"}},"eventTime":"2025-03-{day:02}T{hour:02}:{minute:02}:{second:02}Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.{address}","userAgent":"[aws-sdk-go/1.44 (go1.22; linux; amd64)]","requestParameters":null,"responseElements":null,"requestID":"{id:016X}","eventID":"{id:08}-0000-4000-8000-000000000000","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management"}}"#,
                hour = number % 24,
                minute = n % 60,
                second = id % 60,
                address = id % 250,
            );
        }
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{role}:session","arn":"arn:aws:sts::123456789012:assumed-role/role-{role}/session-{id}","accountId":"123456789012","accessKeyId":"ASIA{key:016}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{role}","arn":"arn:aws:iam::123456789012:role/role-{role}","accountId":"123456789012","userName":"role-{role}"}},"attributes":{{"creationDate":"2025-03-{day:02}T00:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2025-03-{day:02}T{hour:02}:{minute:02}:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.{address}","userAgent":"[aws-sdk-go/1.44 (go1.22; linux; amd64)]","requestParameters":{{"bucketName":"bucket-{role}","key":"{padding}"}},"responseElements":null,"additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredOut":{id}}},"requestID":"{id:016X}","eventID":"{id:08}-0000-4000-8000-000000000000","readOnly":true,"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789012","eventCategory":"Data"}}"#,
            role = id % 50,
            key = id % 400,
            hour = number % 24,
            minute = n % 60,
            second = id % 60,
            address = id % 250,
        )
    });
    let text = format!(
        r#"{{"Records":[{}]}}"#,
        records.collect::<Vec<_>>().join(",")
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Processor time in seconds: of this process's children that ended, or of another process.
fn processor_time(process: Option<u32>) -> f64 {
    let name = process.map_or("self".to_owned(), |id| id.to_string());
    let stat = std::fs::read_to_string(format!("/proc/{name}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let first = if process.is_some() { 11 } else { 13 };
    let ticks = fields[first..first + 2]
        .iter()
        .map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// Wall time and processor time of a command, the cluster's included; and what it says.
fn timed(remote: &Remote, mut command: Command) -> (Duration, f64, Output) {
    let cluster = remote
        .cluster
        .executors
        .iter()
        .chain(&remote.cluster.scheduler);
    let cluster: Vec<u32> = cluster.map(|process| process.0.id()).collect();
    let all = || {
        let others = cluster.iter().map(|id| processor_time(Some(*id)));
        processor_time(None) + others.sum::<f64>()
    };
    let (begun, before) = (Instant::now(), all());
    let output = command.output().unwrap();
    (begun.elapsed(), all() - before, output)
}

/// Wall time and processor time of an ingest.
fn measured(remote: &Remote, lake: &str, there: bool, threads: &str) -> (Duration, f64) {
    let mut command = match there {
        true => remote.there(lake),
        false => remote.ingest(lake, None),
    };
    command.args(["--threads", threads]);
    let (took, processor, output) = timed(remote, command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let stored = super::ingest::events(&super::ingest::summary(&output), "stored");
    assert_eq!(stored, u64::from(DAYS * LOG_FILES * EVENTS));
    (took, processor)
}

/// A bucket with the trail that is measured.
fn remote() -> Remote {
    let remote = Remote::start();
    remote.empty_trail();
    for day in 1..=DAYS {
        for number in 0..LOG_FILES {
            remote.put_bytes((day, number), &log_file(day, number));
        }
    }
    remote
}

#[test]
#[ignore = "it measures, which takes minutes"]
fn measured_ingest() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = remote();
    let say = |what: &str, (took, processor): (Duration, f64)| {
        let took = took.as_secs_f64();
        println!("{what}: {took:.1} s, {processor:.1} s of processor time");
    };
    for round in 0..ROUNDS {
        let lake = |what: &str| format!("s3://logs/{what}-{round}");
        remote.cluster.executors.clear();
        remote.restart_scheduler();
        say(
            "here, 1 thread",
            measured(&remote, &lake("here-1"), false, "1"),
        );
        say(
            "here, 2 threads",
            measured(&remote, &lake("here-2"), false, "2"),
        );
        remote.add(1, false);
        say(
            "1 executor of 1 slot",
            measured(&remote, &lake("1-of-1"), true, "1"),
        );
        remote.add(1, false);
        say(
            "2 executors of 1 slot",
            measured(&remote, &lake("2-of-1"), true, "1"),
        );
        remote.cluster.executors.clear();
        remote.restart_scheduler();
        remote.add(2, false);
        say(
            "1 executor of 2 slots",
            measured(&remote, &lake("1-of-2"), true, "1"),
        );
    }
}

const KEY: &str = "AKIA0000000000000007";

const QUESTIONS: &[(&str, &[&str])] = &[
    ("keys", &["keys"]),
    ("key", &["key", KEY]),
    ("ready", &["ready", KEY]),
    ("trace", &["trace", KEY]),
    ("coverage", &["coverage"]),
    (
        "SQL: events by name and address",
        &[
            "sql",
            "SELECT event_name, source_ip_address, count(*) FROM events GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        ],
    ),
    (
        "SQL: requests, each once",
        &["sql", "SELECT count(DISTINCT request_id) FROM events"],
    ),
    (
        "SQL: a join by key",
        &[
            "sql",
            "SELECT count(*) FROM events AS a JOIN (SELECT access_key_id, max(event_time) AS last FROM events GROUP BY 1) AS b ON a.access_key_id = b.access_key_id AND a.event_time = b.last",
        ],
    ),
    (
        "SQL: all events, sorted",
        &[
            "sql",
            "SELECT event_id, event_time, request_parameters FROM events ORDER BY event_id",
        ],
    ),
];

/// Bytes of the files in executors' folders, each at its largest.
struct Shuffled {
    stop: Arc<AtomicBool>,
    watch: std::thread::JoinHandle<HashMap<PathBuf, u64>>,
}

impl Shuffled {
    fn watch(folder: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, folder) = (Arc::clone(&stop), folder.to_owned());
        let watch = std::thread::spawn(move || {
            let mut largest: HashMap<PathBuf, u64> = HashMap::new();
            while !stopped.load(Ordering::SeqCst) {
                let files = walkdir::WalkDir::new(&folder)
                    .into_iter()
                    .filter_map(Result::ok);
                for file in files {
                    // It may be gone.
                    let Ok(size) = file.metadata() else { continue };
                    if size.is_file() {
                        let largest = largest.entry(file.into_path()).or_default();
                        *largest = size.len().max(*largest);
                    }
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            largest
        });
        Self { stop, watch }
    }

    fn bytes(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.watch.join().unwrap().values().sum()
    }
}

#[test]
#[ignore = "it measures, which takes minutes"]
fn measured_questions() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = remote();
    let lake = "s3://logs/lake";
    let ingested = remote.ingest(lake, None).output().unwrap();
    assert_eq!(ingested.status.code(), Some(0), "{ingested:?}");
    let places = [["--lake", lake], ["--trail", super::ingest::TRAIL]];
    for (executors, slots) in [(0, 0), (1, 2), (1, 1), (2, 1)] {
        remote.cluster.executors.clear();
        remote.restart_scheduler();
        (0..executors).for_each(|_| remote.add(slots, false));
        let address = remote.cluster.address.clone();
        let cluster: &[&str] = match executors {
            0 => &[],
            _ => &["--cluster", &address],
        };
        for place in places {
            for (name, question) in QUESTIONS {
                let args = [*question, &place[..], cluster, &["--format", "json"]].concat();
                let mut figures = Vec::new();
                for _ in 0..ROUNDS {
                    let (took, processor, output) = timed(&remote, remote.command(&args));
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(
                        matches!(output.status.code(), Some(0 | 3)),
                        "{name}: {said}"
                    );
                    assert!(!said.contains("not on the cluster"), "{name}: {said}");
                    figures.push(format!("{processor:.2} ({:.1})", took.as_secs_f64()));
                }
                // Apart from the others: who watches takes time, too.
                let shuffled = Shuffled::watch(remote.cluster.folder.path());
                remote.command(&args).output().unwrap();
                println!(
                    "{executors} executors of {slots}, {}, {name}: {} s of processor time (s), {} bytes shuffled",
                    place[0],
                    figures.join(", "),
                    shuffled.bytes()
                );
            }
        }
    }
}
