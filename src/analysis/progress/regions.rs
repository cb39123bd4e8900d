//! Where do roles call?
//!
//! In: a session. Out: the regions of each role. Promise: one narrow query, whatever the number of roles.

use crate::analysis::AnalysisError;
use crate::analysis::consumers::{Consumer, Replacement};
use crate::analysis::rows::each;
use crate::session::{Params, Session};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ROLE_REGIONS: &str = include_str!("../../../queries/ready/role_regions.sql");

/// The regions in which the sessions of each role call.
#[derive(Debug, Default)]
pub(super) struct RoleRegions(BTreeMap<String, BTreeSet<String>>);

#[derive(Deserialize)]
struct Row {
    session_issuer_arn: String,
    aws_region: String,
}

impl RoleRegions {
    pub(super) async fn read(session: &Session) -> Result<Self, AnalysisError> {
        let mut regions = Self::default();
        each::<Row>(session, (ROLE_REGIONS, &Params::new()), |row| {
            let of_role = regions.0.entry(row.session_issuer_arn).or_default();
            of_role.insert(row.aws_region);
        })
        .await?;
        Ok(regions)
    }

    /// Whether a role calls in a region of a consumer's: what it does elsewhere is other work.
    pub(super) fn meet(&self, role: &Replacement, consumer: &Consumer) -> bool {
        let Some(regions) = self.0.get(&role.role_arn) else {
            return true;
        };
        consumer.regions.is_empty() || consumer.regions.iter().any(|own| regions.contains(own))
    }
}
