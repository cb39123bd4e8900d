//! Calls that issued keys.
//!
//! In: a session. Out: an [`Issue`] per call. Promise: of the texts that many calls share, one copy is held.

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::session::{Params, Session};
use arrow::array::RecordBatch;
use std::collections::HashSet;
use std::sync::Arc;

/// The question.
pub(in crate::analysis) const ISSUED: &str =
    include_str!("../../../queries/attribution/issued.sql");

/// Texts of which many are the same: each is kept once.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// A call that issued a key.
#[derive(Debug)]
pub(super) struct Issue {
    pub(super) by: Arc<str>,
    pub(super) key: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) agent: Arc<str>,
    pub(super) event_id: Box<str>,
    pub(super) time: i64,
}

/// Reads them.
pub(super) async fn issues(session: &Session) -> Result<Vec<Issue>, AnalysisError> {
    let mut issues = Vec::new();
    let mut rows = session.rows(ISSUED, &Params::new()).await?;
    let mut texts = Texts::default();
    while let Some(batch) = rows.next().await? {
        add_issues(&mut issues, &mut texts, &batch)?;
    }
    Ok(issues)
}

fn add_issues(
    issues: &mut Vec<Issue>,
    texts: &mut Texts,
    batch: &RecordBatch,
) -> Result<(), AnalysisError> {
    let columns = Columns(batch);
    let by = columns.text("access_key_id")?;
    let keys = columns.text("issued_access_key_id")?;
    let addresses = columns.text("source_ip_address")?;
    let agents = columns.text("user_agent")?;
    let ids = columns.text("event_id")?;
    for row in 0..batch.num_rows() {
        let mut text = |column| texts.one(value(column, row).unwrap_or_default());
        issues.push(Issue {
            by: text(&by),
            key: text(&keys),
            address: text(&addresses),
            agent: text(&agents),
            event_id: value(&ids, row).unwrap_or_default().into(),
            time: columns
                .time("event_time", row)?
                .map_or(i64::MIN, |time| time.timestamp_micros()),
        });
    }
    Ok(())
}
