//! What is known of the use of one access key, as the tests compare it: in: an answer of the library, or a truth that an
//! independent program computed. Out: the same [`Usage`].

use datafusion::common::ScalarValue;
use keytrail::analysis::{Analysis, KEY};
use keytrail::lake::{Lake, Location};
use keytrail::render::{Format, RenderOptions, renderer};
use keytrail::report::Report;
use keytrail::session::{Params, Session, SessionOptions};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Times as text, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) events: u64,
    pub(crate) first: String,
    pub(crate) last: String,
}

/// The use of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) all: Span,
    pub(crate) source_ips: BTreeMap<String, Span>,
    pub(crate) user_agents: BTreeMap<String, u64>,
    /// `source:name`, calls that succeeded and calls that failed.
    pub(crate) calls: BTreeMap<String, (u64, u64)>,
    pub(crate) regions: BTreeMap<String, u64>,
}

/// A session on the lake in a folder.
pub(crate) async fn session(lake: &Path) -> Session {
    let location = Location::new(lake.to_str().unwrap(), None).unwrap();
    let options = SessionOptions {
        threads: 1,
        ..SessionOptions::default()
    };
    let lake = Lake::open(&location).await.unwrap();
    Session::lake(lake, &options).await.unwrap()
}

/// The dossier of a key as JSON, without coverage.
async fn dossier(session: &Session, key: &str) -> Value {
    let params = Params::from([("access_key_id".to_owned(), ScalarValue::from(key))]);
    let (sections, notes) = KEY.sections(session, &params).await.unwrap();
    let report = Report {
        name: KEY.name.to_owned(),
        title: KEY.title.to_owned(),
        sections,
        notes,
        coverage: None,
    };
    let mut json = Vec::new();
    let renderer = renderer(Format::Json, RenderOptions::default());
    renderer.render(&report, &mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

impl Span {
    fn of_row(row: &Value) -> Self {
        Self {
            events: count(&row["events"]),
            first: text(&row["first_seen"]),
            last: text(&row["last_seen"]),
        }
    }

    fn of_truth(truth: &Value) -> Self {
        Self {
            events: count(&truth["events"]),
            first: text(&truth["first"]),
            last: text(&truth["last"]),
        }
    }
}

impl Usage {
    /// As the library answers.
    pub(crate) async fn asked(session: &Session, key: &str) -> Self {
        let dossier = dossier(session, key).await;
        let rows = |section: &str| dossier[section].as_array().unwrap().clone();
        let counts = |section: &str, column: &str| {
            let pairs = rows(section)
                .into_iter()
                .map(|row| (text(&row[column]), count(&row["events"])));
            pairs.collect()
        };
        let calls = rows("api_calls").into_iter().map(|row| {
            let name = format!(
                "{}:{}",
                text(&row["event_source"]),
                text(&row["event_name"])
            );
            let errors = count(&row["errors"]);
            (name, (count(&row["events"]) - errors, errors))
        });
        let ips = rows("source_ip_addresses")
            .into_iter()
            .map(|row| (text(&row["source_ip_address"]), Span::of_row(&row)));
        Self {
            all: Span::of_row(&dossier["summary"][0]),
            source_ips: ips.collect(),
            user_agents: counts("user_agents", "user_agent"),
            calls: calls.collect(),
            regions: counts("regions", "aws_region"),
        }
    }

    /// As a truth file has it.
    pub(crate) fn of_truth(truth: &Value) -> Self {
        let entries = |place: &str| {
            let entries = truth[place].as_object();
            entries.into_iter().flatten()
        };
        let counts = |place: &str| {
            entries(place)
                .map(|(name, value)| (name.clone(), count(value)))
                .collect()
        };
        let mut calls = BTreeMap::<String, (u64, u64)>::new();
        for (name, events) in entries("calls_ok") {
            calls.entry(name.clone()).or_default().0 = count(events);
        }
        for (name, events) in entries("calls_failed") {
            calls.entry(name.clone()).or_default().1 = count(events);
        }
        for (name, both) in entries("calls") {
            calls.insert(name.clone(), (count(&both["ok"]), count(&both["failed"])));
        }
        Self {
            all: Span::of_truth(truth),
            source_ips: entries("source_ips")
                .map(|(ip, span)| (ip.clone(), Span::of_truth(span)))
                .collect(),
            user_agents: counts("user_agents"),
            calls,
            regions: counts("regions"),
        }
    }
}
