//! `ingest --follow`: a lake is kept up to date by listing or by announcements; what is announced is deleted only once it is
//! stored.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use keytrail::cloudtrail::Selection;
use keytrail::ingest::{Follow, IngestOptions, Round};
use keytrail::lake::{Lake, Location};
use keytrail::read::{Silent, Stop};
use keytrail::source::{self, Message, Queue, SourceError};
use s3s::s3_error;
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::s3_server::S3Server;
use crate::trail::{EVENTS_OF_A_DAY, write_days};

const ACCOUNT: &str = "111111111111";

/// Its next summary.
fn next(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
}

/// A running program; it ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn terminate(process: &Child) {
    let id = process.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn follow_stores_what_is_added_until_it_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    write_days(&folder.path().join("trail"), ACCOUNT, 0..1);
    let process = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args([
            "ingest", "trail", "--lake", "lake", "--follow", "--every", "1s",
        ])
        .args(["--format", "json", "--metrics-addr", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(process);
    let process = &mut running.0;
    let mut words = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();

    let first = next(&mut lines);
    assert_eq!(first["events"]["stored"], EVENTS_OF_A_DAY);
    write_days(&folder.path().join("trail"), ACCOUNT, 1..2);
    // A round may begin while the files are being written.
    let mut stored = 0;
    for _ in 0..20 {
        stored += next(&mut lines)["events"]["stored"].as_u64().unwrap();
        if stored >= EVENTS_OF_A_DAY {
            break;
        }
    }
    assert_eq!(stored, EVENTS_OF_A_DAY);

    let said = words.find(|line| line.as_ref().is_ok_and(|line| line.contains("/metrics")));
    let said = said.unwrap().unwrap();
    let address = said
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches("/metrics");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let total = format!(
        "keytrail_events_total{{kind=\"stored\"}} {}",
        2 * EVENTS_OF_A_DAY
    );
    assert!(page.contains(&total), "{page}");

    terminate(process);
    // Each second day has a log file that is cut off, and records that cannot be read.
    assert_eq!(process.wait().unwrap().code(), Some(3));
}

#[test]
fn a_source_that_cannot_be_listed_at_the_beginning_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["ingest", "nowhere", "--follow"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("nowhere")
    );
}

/// A queue in memory.
#[derive(Debug, Default)]
struct Memory {
    waiting: Mutex<Vec<Message>>,
    /// Received and not deleted.
    hidden: Mutex<Vec<Message>>,
}

impl Memory {
    fn send(&self, body: &Value) {
        let mut waiting = self.waiting.lock().unwrap();
        let receipt = format!("{body}");
        waiting.push(Message {
            body: body.to_string(),
            receipt,
        });
    }

    /// Makes what was not deleted come again.
    fn uncover(&self) -> usize {
        let mut hidden = self.hidden.lock().unwrap();
        let count = hidden.len();
        self.waiting.lock().unwrap().append(&mut hidden);
        count
    }
}

#[async_trait::async_trait]
impl Queue for Memory {
    fn name(&self) -> &str {
        "https://sqs.us-east-1.amazonaws.com/111111111111/logs"
    }

    async fn receive(&self, _: Duration) -> Result<Vec<Message>, SourceError> {
        let messages = std::mem::take(&mut *self.waiting.lock().unwrap());
        if messages.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.hidden.lock().unwrap().extend(messages.iter().cloned());
        Ok(messages)
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), SourceError> {
        let deleted = |hidden: &Message| messages.iter().any(|m| m.receipt == hidden.receipt);
        self.hidden
            .lock()
            .unwrap()
            .retain(|hidden| !deleted(hidden));
        Ok(())
    }
}

/// What S3 announces about the objects of a bucket, as objects of the bucket `logs`.
async fn announcements(server: &S3Server, bucket: &str) -> Vec<Value> {
    let place = format!("s3://{bucket}/");
    let source = source::open(&place, &server.options()).await.unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| ())
        .await
        .unwrap();
    let record = |file: source::LogFile| {
        let key = file.uri.strip_prefix(&place).unwrap();
        json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": {"key": key, "size": file.size, "eTag": file.etag}}})
    };
    listing.files.into_iter().map(record).collect()
}

#[tokio::test]
async fn announced_objects_are_stored_before_their_messages_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    write_days(&logs, ACCOUNT, 0..1);
    let server = S3Server::start(folder.path()).await;
    write_days(&folder.path().join("later"), ACCOUNT, 1..2);
    let records = announcements(&server, "later").await;
    let (one, others) = records.split_first().unwrap();
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let lake = Location::new(folder.path().join("lake").to_str().unwrap(), None).unwrap();
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
    let (queue, stop) = (Memory::default(), Stop::default());
    let sources = [source];
    let follow = Follow {
        lake: &lake,
        sources: &sources,
        options: &options,
        every: Duration::from_millis(50),
        stop: &stop,
    };
    let mut rounds = 0;
    let (mut stored, mut left, mut listed) = (0, Vec::new(), 0);
    let mut tell = |round: Round<'_>| {
        match round {
            Round::Done(summary) => {
                rounds += 1;
                stored += summary.events_stored;
                match rounds {
                    // The whole listing is done: a new day is announced, beside what has nothing to do with it.
                    1 => {
                        listed = server.requests("ListObjectsV2");
                        write_days(&logs, ACCOUNT, 1..2);
                        // One object cannot be fetched the first time round, with all tries of the client.
                        server.refuse("GetObject", 12, || s3_error!(InternalError));
                        queue.send(&json!({"Records": others}));
                        queue.send(&json!({"TopicArn": "arn:aws:sns:eu-west-1:111111111111:t", "Message": json!({"Records": [one]}).to_string()}));
                        queue.send(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"}));
                        queue.send(&json!({"hello": "world"}));
                        queue.send(&json!({"detail-type": "Object Created", "detail": {"bucket": {"name": "other"}, "object": {"key": "x", "size": 1, "etag": "e"}}}));
                    }
                    _ if stored < 2 * EVENTS_OF_A_DAY && rounds < 9 => {
                        queue.uncover();
                    }
                    _ => stop.request(),
                }
            }
            Round::Failed(error) => panic!("{error}"),
            Round::Left(why) => left.push(why.to_owned()),
        }
    };
    follow.by_queue(&queue, &Silent, &mut tell).await.unwrap();

    assert_eq!(stored, 2 * EVENTS_OF_A_DAY);
    let facts = Facts::of(&folder.path().join("lake")).await;
    assert_eq!(facts.events.unsigned_abs(), 2 * EVENTS_OF_A_DAY);
    assert_eq!(
        server.requests("ListObjectsV2"),
        listed,
        "announced objects are not listed"
    );
    assert!(
        left.iter().any(|why| why.contains("not a notification")),
        "{left:?}"
    );
    assert!(
        left.iter()
            .any(|why| why.contains("s3://other/x lies outside")),
        "{left:?}"
    );
    // What was not understood stays; the rest is gone.
    assert_eq!(queue.uncover(), 2);
    // A listing finds nothing that is new: announced and listed, a log file is the same.
    let mut lake = Lake::open(&lake).await.unwrap();
    let again =
        keytrail::ingest::ingest(&mut lake, &sources, &options, (&Silent, &Stop::default())).await;
    assert_eq!(again.unwrap().events_read, 0);
}
