//! What travels gives the same rows as here; what would not does not travel.

use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use chrono::DateTime;
use datafusion::common::ScalarValue;
use keytrail::analysis::Analysis as _;
use keytrail::analysis::answer;
use keytrail::analysis::question::Library;
use keytrail::cluster::{Cluster, Follow};
use keytrail::lake::{Lake, Location};
use keytrail::render::{Format, RenderOptions, renderer};
use keytrail::session::{Elsewhere, Params, Session, SessionOptions};

use super::TURN;
use super::statements::{STAY, TRAVEL};
use crate::questions::given;

/// What was told to run here.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Follow for Told {
    fn stays(&self, why: &str) {
        self.0.lock().unwrap().push(why.to_owned());
    }
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

async fn session(lake: &str, elsewhere: Option<Arc<dyn Elsewhere>>) -> Session {
    let lake = Lake::open(&Location::new(lake, None).unwrap())
        .await
        .unwrap();
    let options = SessionOptions {
        threads: 2,
        elsewhere,
        ..SessionOptions::default()
    };
    Session::lake(lake, &options).await.unwrap()
}

fn shown(batches: &[RecordBatch]) -> String {
    pretty_format_batches(batches).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::await_holding_lock,
    reason = "one cluster at a time, on a thread of its own"
)]
async fn statements_of_every_shape_answer_as_here() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    assert!(TRAVEL.len() + STAY.len() >= 60);
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let here = session(&lake, None).await;
    let mut expected = Vec::new();
    for statement in TRAVEL
        .iter()
        .chain(STAY.iter().map(|(statement, _)| statement))
    {
        let (_, batches) = here.sql(statement, &Params::new()).await.unwrap();
        expected.push(shown(&batches));
    }
    // One executor after the other comes; and a task takes one partition, or as many as an executor has slots.
    let mut cluster = super::Cluster::start(1, 2);
    for executors in [1, 2, 3] {
        while cluster.executors.len() < executors {
            cluster.add(2, &[], &[]);
            cluster.wait_for(cluster.executors.len());
        }
        for at_once in [0, 1] {
            let told = Arc::new(Told::default());
            let client = Cluster::connect(cluster.address.parse().unwrap(), Arc::clone(&told) as _);
            let client = Arc::new(client.await.unwrap().with_partitions_per_task(at_once));
            let there = session(&lake, Some(Arc::clone(&client) as _)).await;
            let mut wrong = Vec::new();
            for (statement, expected) in TRAVEL.iter().zip(&expected) {
                let found = there.sql(statement, &Params::new()).await;
                let found =
                    found.map_or_else(|error| error.to_string(), |(_, found)| shown(&found));
                let stayed = told.take();
                if found != *expected || !stayed.is_empty() {
                    wrong.push(format!(
                        "{statement}\n{stayed:?}\n{found}\nand not\n{expected}"
                    ));
                }
            }
            assert!(
                wrong.is_empty(),
                "{executors} executors, {at_once} at once: {} are wrong\n{}",
                wrong.len(),
                wrong.join("\n\n")
            );
            for ((statement, word), expected) in STAY.iter().zip(&expected[TRAVEL.len()..]) {
                let (_, found) = there.sql(statement, &Params::new()).await.unwrap();
                assert_eq!(shown(&found), *expected, "{statement}");
                let stayed = told.take();
                assert!(
                    stayed.len() == 1 && stayed[0].contains(word),
                    "{statement}: {stayed:?}"
                );
            }
        }
    }
}

/// A plan may be larger than the messages of gRPC usually are; one that is larger than what is sent runs here, and says so.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::await_holding_lock,
    reason = "one cluster at a time, on a thread of its own"
)]
async fn a_large_plan_travels_and_a_larger_one_stays() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = super::Cluster::start(1, 2);
    let told = Arc::new(Told::default());
    let client = Cluster::connect(cluster.address.parse().unwrap(), Arc::clone(&told) as _);
    let there = session(&lake, Some(Arc::new(client.await.unwrap()) as _)).await;
    let here = session(&lake, None).await;
    let statement = "SELECT count(*) FROM events WHERE event_name <> $long";
    // The condition stands in a plan more than once.
    for (megabytes, stays) in [(17, None), (70, Some("no more than 64 MB are sent"))] {
        let long = ScalarValue::from("x".repeat(megabytes << 20));
        let params = Params::from([("long".to_owned(), long)]);
        let (_, expected) = here.sql(statement, &params).await.unwrap();
        let (_, found) = there.sql(statement, &params).await.unwrap();
        assert_eq!(shown(&found), shown(&expected), "{megabytes} MB");
        let told = told.take();
        match stays {
            None => assert!(told.is_empty(), "{:.200}", told.join(", ")),
            Some(why) => assert!(
                told.len() == 1 && told[0].contains(why),
                "{:.200}",
                told.join(", ")
            ),
        }
    }
}

async fn rows(session: &Session, question: &keytrail::analysis::question::Question) -> String {
    let params = question.params(&given(question), DateTime::UNIX_EPOCH);
    let report = answer(session, question, &params.unwrap()).await;
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", question.name()));
    let mut out = Vec::new();
    renderer(Format::Jsonl, RenderOptions::default())
        .render(&report, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::await_holding_lock,
    reason = "one cluster at a time, on a thread of its own"
)]
async fn every_saved_query_answers_as_here() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let cluster = super::Cluster::start(3, 2);
    let told = Arc::new(Told::default());
    let client = Cluster::connect(cluster.address.parse().unwrap(), Arc::clone(&told) as _);
    let client = Arc::new(client.await.unwrap());
    let (mut asked, mut stayed) = (0, Vec::new());
    for trail in ["testdata/questions", "testdata/trail"] {
        let lake = super::lake(
            trail,
            &folder.path().join(Path::new(trail).file_name().unwrap()),
        );
        let here = session(&lake, None).await;
        let there = session(&lake, Some(Arc::clone(&client) as _)).await;
        for question in Library::built_in().questions() {
            assert_eq!(
                rows(&there, question).await,
                rows(&here, question).await,
                "{}",
                question.name()
            );
            asked += 1;
            let told = told.take();
            stayed.extend(
                told.into_iter()
                    .map(|why| format!("{}: {why}", question.name())),
            );
        }
    }
    println!(
        "{asked} asked, {} ran here:\n{}",
        stayed.len(),
        stayed.join("\n")
    );
    // A guard that lets nothing through would pass the rest of this test.
    assert!(
        stayed.len() * 4 < asked,
        "{asked} asked, ran here:\n{}",
        stayed.join("\n")
    );
}
