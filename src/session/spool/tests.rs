//! What is kept gives the rows that a reading gives, from memory and from the file.

use super::super::raw::{RawTable, Trail};
use super::super::{Params, Selection, SessionOptions, context, register_selected};
use super::*;
use crate::session::query::Query;
use crate::session::{Origin, Session};
use crate::source::{self, SourceOptions};
use arrow::util::pretty::pretty_format_batches;
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;

/// Queries that ask for different columns, different rows, and no column at all; some ask more than once.
const QUERIES: [&str; 7] = [
    "SELECT event_id, request_parameters FROM events WHERE access_key_id LIKE 'AKIA%' ORDER BY 1",
    "SELECT event_name, count(*), count(request_parameters), max(event_date) FROM events GROUP BY 1 ORDER BY 1",
    "SELECT count(*) FROM events",
    "SELECT count(*), min(response_elements) FROM events WHERE error_code IS NOT NULL AND event_name <> 'x'",
    "SELECT count(*) FROM events WHERE event_name = 'there is no such call'",
    "SELECT a.event_id, b.user_agent FROM events a JOIN events b ON a.issued_access_key_id = b.access_key_id ORDER BY 1, 2",
    "SELECT * FROM events ORDER BY event_id",
];

async fn session(in_memory: Option<usize>, selection: &Selection) -> Session {
    let source = source::open("testdata/trail", &SourceOptions::default()).await;
    let options = SessionOptions {
        selection: selection.clone(),
        ..SessionOptions::default()
    };
    let trail = Trail::list(vec![source.unwrap()], &options).await;
    let trail = Arc::new(trail.unwrap());
    let raw = Arc::new(RawTable::new(Arc::clone(&trail), 2, 1));
    let context = context(2, super::super::runtime(None).unwrap()).unwrap();
    match in_memory {
        Some(in_memory) => {
            let mut events = Spooled::new(raw, 2, None);
            events.in_memory = in_memory;
            register_selected(&context, Arc::new(events), selection).unwrap();
        }
        None => register_selected(&context, raw, selection).unwrap(),
    }
    Session {
        elsewhere: None,
        context,
        origin: Origin::Trail(trail),
        selection: selection.clone(),
    }
}

async fn answers(session: &Session) -> Vec<String> {
    let mut answers = Vec::new();
    for query in QUERIES {
        let (_, batches) = session.sql(query, &Params::new()).await.unwrap();
        answers.push(pretty_format_batches(&batches).unwrap().to_string());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_rows_are_those_of_a_reading() {
    let late = Selection {
        since: Some("2025-03-05T00:00:00Z".parse::<DateTime<Utc>>().unwrap()),
        ..Selection::default()
    };
    for selection in [Selection::default(), late] {
        let read = answers(&session(None, &selection).await).await;
        for in_memory in [usize::MAX, 100_000, 0] {
            let session = session(Some(in_memory), &selection).await;
            let none = Params::new();
            let foreseen = QUERIES.map(|query| (query, &none));
            session.foresee(&foreseen).await.unwrap();
            assert_eq!(answers(&session).await, read, "{in_memory}");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_not_known_yet_leaves_its_condition_out() {
    let session = session(Some(0), &Selection::default()).await;
    let sql = "SELECT event_name FROM events WHERE access_key_id IS NOT NULL AND event_time >= $since AND event_id = $id";
    let time = |micros| ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()));
    let with = |since: Option<i64>| {
        let id = ScalarValue::from("1e4b8c0a");
        Params::from([
            ("since".to_owned(), time(since)),
            ("id".to_owned(), id.clone()),
        ])
    };
    session.foresee(&[(sql, &with(None))]).await.unwrap();
    for since in [0, 1_741_000_000_000_000] {
        let query = session.plan(crate::session::Statement::read_one(sql).unwrap());
        let query: Query = query.await.unwrap().bind(&with(Some(since))).unwrap();
        let ready = query.ready().await.unwrap();
        let plan = format!("{ready:?}");
        assert!(plan.contains("KeptScan"), "{plan}");
    }
}

#[tokio::test]
async fn one_scan_is_not_kept() {
    let session = session(Some(0), &Selection::default()).await;
    let statement = crate::session::Statement::read_one("SELECT count(*) FROM events").unwrap();
    let ready = session.plan(statement).await.unwrap().ready().await;
    assert!(!format!("{ready:?}").contains("KeptScan"));
}
