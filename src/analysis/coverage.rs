//! What is covered at all.
//!
//! In: events and the ledger. Out: the report `coverage`. Promise: reads the events once; what is missing is listed, since
//! silence in a log means nothing where there is no log.

use super::{Analysis, AnalysisError};
use crate::report::Section;
use crate::session::{Params, Session};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

/// The question.
pub const COVERAGE: Coverage = Coverage;

/// See [`COVERAGE`].
#[derive(Debug, Clone, Copy)]
pub struct Coverage;

/// Events by account, region and day: the table that the sections are computed from.
const DAYS: &str = include_str!("../../queries/coverage/days.sql");

const SECTIONS: [(&str, &str, &str); 4] = [
    (
        "regions",
        "Accounts and regions",
        include_str!("../../queries/coverage/regions.sql"),
    ),
    (
        "holes",
        "Days without events, between days with events",
        include_str!("../../queries/coverage/holes.sql"),
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
        let days = session.sql(DAYS, params).await?;
        let mut sections = vec![Section {
            name: "days".to_owned(),
            title: "Events per account, region and day".to_owned(),
            schema: SchemaRef::clone(&days.0),
            batches: days.1.clone(),
        }];
        session.register("event_days", days)?;
        for (name, title, sql) in SECTIONS {
            let (schema, batches) = session.sql(sql, params).await?;
            sections.push(Section {
                name: name.to_owned(),
                title: title.to_owned(),
                schema,
                batches,
            });
        }
        // The overview first, the long list of days last.
        sections.rotate_left(1);
        Ok((sections, Vec::new()))
    }
}
