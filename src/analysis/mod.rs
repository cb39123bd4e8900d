//! What do people want to know?
//!
//! In: a [`Session`] and the parameters of a question. Out: a [`Report`]. Promise: every answer carries its coverage;
//! [`answer`] attaches it, so no caller can forget it.

mod attribution;
mod batches;
pub mod catalogue;
pub mod consumers;
mod coverage;
pub mod credentials;
mod evidence;
pub mod findings;
mod keys;
mod logged;
pub mod plan;
pub mod policy;
mod programs;
pub mod progress;
pub mod question;
pub mod ready;
mod rows;
mod shell;
mod sql;
mod suspicion;
mod trace;

pub use consumers::CONSUMERS;
pub use coverage::COVERAGE;
pub use evidence::{event_records, log_file_hashes, log_file_states};
pub use keys::{KEY, KEY_SERVICES, KEYS, KeysOrder};
pub use programs::with_programs;
pub use shell::quoted as shell_word;
pub use sql::{SqlAnalysis, SqlSection};
pub use suspicion::{Suspicion, Suspicions, suspicious_keys};
pub use trace::{Start, TraceOptions, trace};

use crate::cloudtrail::second;
use crate::knowledge::KnowledgeError;
use crate::report::{Coverage, Report, Section};
use crate::session::{Params, Session, SessionError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The question could not be put to the events.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Rows could not be put in order.
    #[error("rows of the answer: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Rows do not have the columns that are expected of them.
    #[error("rows of the answer: {0}")]
    Rows(#[from] serde_arrow::Error),
    /// A table of networks or vendors could not be used.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// A table of what is known of attacks could not be used.
    #[error(transparent)]
    Rules(#[from] findings::RulesError),
    /// The day that divides the log lies after its end, so that there is nothing to compare with.
    #[error("no events on or after {day}: the logs {end}")]
    DayAfterEnd {
        /// The day.
        day: chrono::NaiveDate,
        /// Where the logs end, in words.
        end: String,
    },
    /// The time as of which is to be judged lies before the log's beginning.
    #[error("no events before {time}: the logs begin {begin}")]
    TimeBeforeBegin {
        /// The time, in words.
        time: String,
        /// The first event, in words.
        begin: String,
    },
    /// There is no such column to sort by.
    #[error("no column {0:?} to sort by")]
    NoColumn(String),
}

/// Refuses to judge as of a time before the first event: nothing would be seen, and nothing of it said.
fn begun_before(time: DateTime<Utc>, coverage: &Coverage) -> Result<(), AnalysisError> {
    let first = coverage.first_event.as_deref();
    let begin = first.and_then(|first| DateTime::parse_from_rfc3339(first).ok());
    let words = |time: DateTime<Utc>| format!("{} UTC", second(time));
    match begin.map(|begin| begin.to_utc()) {
        Some(begin) if time < begin => Err(AnalysisError::TimeBeforeBegin {
            time: words(time),
            begin: words(begin),
        }),
        _ => Ok(()),
    }
}

/// A question that can be asked of any trail.
#[async_trait]
pub trait Analysis: Send + Sync {
    /// The name on the command line.
    fn name(&self) -> &str;

    /// One line for people.
    fn title(&self) -> &str;

    /// The name in the JSON field `report`.
    fn report(&self) -> &str {
        self.name()
    }

    /// The tables of the answer, and remarks.
    async fn sections(
        &self,
        session: &Session,
        params: &Params,
    ) -> Result<(Vec<Section>, Vec<String>), AnalysisError>;
}

/// Asks a question.
pub async fn answer(
    session: &Session,
    analysis: &dyn Analysis,
    params: &Params,
) -> Result<Report, AnalysisError> {
    let (sections, notes) = analysis.sections(session, params).await?;
    Ok(Report {
        name: analysis.report().to_owned(),
        title: analysis.title().to_owned(),
        sections,
        notes,
        // After the question: log files without ingest are covered by being read.
        coverage: Some(session.coverage().await?),
    })
}
