//! What is covered at all.
//!
//! In: events and the ledger. Out: the report `coverage`. Promise: reads the log files once; what is missing is listed, since
//! silence in a log means nothing where there is no log. The gaps are those that `ready` counts.

use super::logged::{self, Logged};
use super::{Analysis, AnalysisError};
use crate::cloudtrail::Selection;
use crate::report::Section;
use crate::report::table::{Column, Kind, section};
use crate::session::{Params, Session};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use serde::Serialize;

/// The question.
pub const COVERAGE: Coverage = Coverage;

/// See [`COVERAGE`].
#[derive(Debug, Clone, Copy)]
pub struct Coverage;

/// Events by account, region and day: the table that the sections are computed from.
const DAYS: &str = include_str!("../../queries/coverage/days.sql");

const SECTIONS: [(&str, &str, &str); 3] = [
    (
        "regions",
        "Accounts and regions",
        include_str!("../../queries/coverage/regions.sql"),
    ),
    (
        "event_categories",
        "Kinds of events",
        include_str!("../../queries/coverage/event_categories.sql"),
    ),
    (
        "rejected_log_files",
        "Log files that could not be read",
        include_str!("../../queries/coverage/rejected_log_files.sql"),
    ),
];

#[async_trait]
impl Analysis for Coverage {
    fn name(&self) -> &'static str {
        "coverage"
    }

    fn title(&self) -> &'static str {
        "Coverage"
    }

    async fn sections(
        &self,
        session: &Session,
        params: &Params,
    ) -> Result<(Vec<Section>, Vec<String>), AnalysisError> {
        let none = Params::new();
        session
            .foresee(&[
                (DAYS, params),
                (logged::DAYS, &none),
                (logged::SELECTORS, &none),
            ])
            .await?;
        let days = session.sql(DAYS, params).await?;
        let logged = Logged::read(session).await?;
        let mut sections = vec![Section {
            name: "days".to_owned(),
            title: "Events per account, region and day".to_owned(),
            schema: SchemaRef::clone(&days.0),
            batches: days.1.clone(),
        }];
        session.register("event_days", days)?;
        // The ledger has all log files, whatever is selected.
        let selection = session.selection();
        let accounts = selection.accounts.iter().map(ToString::to_string);
        let accounts = accounts.collect::<Vec<_>>().join(",");
        let regions = Vec::from_iter(selection.regions.iter().map(String::as_str)).join(",");
        let mut chosen = params.clone();
        chosen.insert("accounts".to_owned(), ScalarValue::from(accounts));
        chosen.insert("regions".to_owned(), ScalarValue::from(regions));
        for (name, title, sql) in SECTIONS {
            let (schema, batches) = session.sql(sql, &chosen).await?;
            sections.push(Section {
                name: name.to_owned(),
                title: title.to_owned(),
                schema,
                batches,
            });
        }
        sections.insert(2, holes(&logged, selection)?);
        // The overview first, the long list of days last.
        sections.rotate_left(1);
        Ok((sections, Vec::new()))
    }
}

const HOLE_COLUMNS: &[Column] = &[
    ("account_id", Kind::Text, None),
    ("region", Kind::Text, None),
    ("missing", Kind::Text, None),
    ("first_day", Kind::Day, None),
    ("last_day", Kind::Day, None),
    ("days", Kind::Count, None),
];

#[derive(Serialize)]
struct HoleRow {
    account_id: String,
    region: Option<String>,
    missing: String,
    first_day: String,
    last_day: String,
    days: u64,
}

/// Days without logs, up to the log's end.
fn holes(logged: &Logged, selection: &Selection) -> Result<Section, ArrowError> {
    let gaps = logged.end.map(|end| logged.gaps(end)).unwrap_or_default();
    // What has no region is of all.
    let any = selection.regions.first().map(String::as_str);
    let rows: Vec<HoleRow> = gaps
        .into_iter()
        .filter(|missing| {
            let region = missing.region.as_deref().or(any);
            selection.wants_event_of(Some(&missing.account), region)
        })
        .map(|missing| HoleRow {
            account_id: missing.account,
            region: missing.region,
            missing: missing.what,
            first_day: missing.gap.first_day.to_string(),
            last_day: missing.gap.last_day.to_string(),
            days: missing.gap.days(),
        })
        .collect();
    section(("holes", "Gaps and unread records"), HOLE_COLUMNS, &rows)
}
