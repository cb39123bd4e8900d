//! What a lake holds, as questions see it: in: a lake. Out: [`Facts`], which two lakes with the same content share.

use crate::program::json;
use crate::usage::session;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use serde_json::Value;
use std::path::Path;

/// A commit without its seal, as an older keytrail or another program would have written it.
pub(crate) fn unsealed(commit: &str) -> String {
    let Some((before, sealed)) = commit.split_once("\"keytrail.sealed\"") else {
        return commit.to_owned();
    };
    let (_, after) = sealed.split_once("\",").unwrap();
    format!("{before}{after}")
}

#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) events: i64,
    pub(crate) distinct: i64,
    pub(crate) rejects: i64,
    /// The ledger: rows, records read, events stored.
    pub(crate) ledger: [i64; 3],
    pub(crate) keys: Value,
    pub(crate) coverage: Value,
}

impl Facts {
    /// Of the lake in a folder.
    pub(crate) async fn of(lake: &Path) -> Self {
        let session = session(lake).await;
        let count = async |sql| {
            let (_, batches) = session.sql(sql, &Default::default()).await.unwrap();
            batches[0].column(0).as_primitive::<Int64Type>().value(0)
        };
        let events = count("SELECT count(*) FROM events").await;
        let distinct = count("SELECT count(DISTINCT event_id) FROM events").await;
        let rejects = count("SELECT count(*) FROM rejects").await;
        let ledger = [
            count("SELECT count(*) FROM log_files").await,
            count("SELECT sum(events) FROM log_files").await,
            count("SELECT sum(stored) FROM log_files").await,
        ];
        let name = lake.to_str().unwrap();
        let check = json(&["lake", "check", "--lake", name], 0);
        assert_eq!(check["whole"], true, "{check}");
        // An ingest that failed may have left events that the next one accounts for.
        let unaccounted = check["events_unaccounted"].as_i64().unwrap();
        assert_eq!(ledger[2] + unaccounted, events, "{check}");
        let mut keys = json(&["keys", "--temporary", "--lake", name], 0);
        assert!(keys["coverage"]["source"].take().is_string());
        let mut coverage = json(&["coverage", "--lake", name], 0);
        assert!(coverage["coverage"]["source"].take().is_string());
        Self {
            events,
            distinct,
            rejects,
            ledger,
            keys,
            coverage,
        }
    }
}
