//! The whole events of the tree.
//!
//! In: members of the tree. Out: the events of their keys and principals. Promise: what was read once is not read again.

use super::deeds::{self, Deed};
use super::facts::{Records, list};
use super::nodes::Nodes;
use super::tree::Member;
use crate::analysis::AnalysisError;
use crate::session::{Params, Session};
use arrow::array::RecordBatch;
use std::collections::BTreeSet;

/// So many keys can stand in a query's condition. It is taken apart by functions that call themselves for each.
const WRITTEN: usize = 1_000;

const EVENTS: &str = include_str!("../../../../queries/trace/events.sql");

/// Says that all of every event is going to be asked for: of which credentials is not known yet.
pub(in crate::analysis::trace) async fn foresee(session: &Session) -> Result<(), AnalysisError> {
    let everything = include_str!("../../../../queries/trace/everything.sql");
    Ok(session.foresee(&[(everything, &Params::new())]).await?)
}

/// What has been read.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Events<'a> {
    keys: BTreeSet<&'a str>,
    principals: BTreeSet<&'a str>,
    pub(in crate::analysis::trace) batches: Vec<RecordBatch>,
}

impl<'a> Events<'a> {
    /// Reads the events of these members.
    pub(in crate::analysis::trace) async fn read(
        &mut self,
        session: &Session,
        nodes: &Nodes<'a>,
        members: &[Member],
    ) -> Result<(), AnalysisError> {
        let mut keys = BTreeSet::new();
        let mut principals = BTreeSet::new();
        for member in members {
            let node = &nodes.all[member.node];
            match (node.key, node.principal) {
                (Some(key), _) if self.keys.insert(key) => keys.insert(key),
                (None, Some(principal)) if self.principals.insert(principal) => {
                    principals.insert(principal)
                }
                _ => false,
            };
        }
        if keys.is_empty() && principals.is_empty() {
            return Ok(());
        }
        let sql = match keys.len() + principals.len() {
            ..=WRITTEN => EVENTS,
            _ => include_str!("../../../../queries/trace/events-of-many.sql"),
        };
        let params = Params::from([
            ("access_key_ids".to_owned(), list(keys)),
            ("principals".to_owned(), list(principals)),
        ]);
        let (_, batches) = session.sql(sql, &params).await?;
        self.batches.extend(batches);
        Ok(())
    }

    /// What those say that are by these members.
    pub(in crate::analysis::trace) fn deeds(
        &self,
        nodes: &Nodes<'_>,
        members: &[Member],
        only_from: Option<&str>,
    ) -> Result<Vec<Deed>, AnalysisError> {
        let members = deeds::Members::new(nodes, members, only_from);
        let mut deeds = Vec::new();
        for batch in &self.batches {
            deeds.extend(deeds::deeds(&Records::of_batch(batch)?, &members));
        }
        Ok(deeds)
    }
}
