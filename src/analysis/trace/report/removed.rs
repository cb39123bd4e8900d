//! Whether something that was made is still there.
//!
//! In: all changes, and a row of the clean-up. Out: the row, which says whether a later call removed it, and whose that was. Promise: only
//! what was done to the same thing counts: in the same account and region, and for a rule of a security group the same rule.

use super::super::graph::births::call;
use super::super::graph::facts::{Changes, number, text};
use super::super::graph::paths::{Call, name_of};
use super::cleanup_table::{MADE, Made};
use super::group_rules::Rules;
use super::renamed::Renames;
use crate::analysis::findings::principals;
use crate::report::trace::{Created, State};
use rustc_hash::FxHashMap;
use std::collections::HashSet;

/// Services whose things have a name once in an account, or in the world: their events may name any region.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html>
const GLOBAL: [&str; 7] = [
    "iam",
    "organizations",
    "account",
    "route53",
    "route53domains",
    "cloudfront",
    "s3",
];

/// Calls that put right what was there before, without removing it.
const PUT_RIGHT: [(&str, &str); 4] = [
    ("password", "UpdateLoginProfile"),
    ("password", "CreateLoginProfile"),
    ("password", "DeleteLoginProfile"),
    ("trust", "UpdateAssumeRolePolicy"),
];

/// Later removals, by call and name.
pub(super) struct Removed<'a> {
    changes: &'a Changes,
    renames: &'a Renames,
    by: FxHashMap<(&'static str, String), Vec<usize>>,
}

impl<'a> Removed<'a> {
    pub(super) fn new(changes: &'a Changes, renames: &'a Renames) -> Self {
        let mut paths: FxHashMap<&str, Vec<(&'static str, &'static str, &str)>> =
            FxHashMap::default();
        let removals = MADE.iter().filter_map(|made| {
            let (operation, path) = made.gone?;
            Some((operation, path, made.source))
        });
        let put_right = PUT_RIGHT.iter().map(|(kind, operation)| {
            let path = match *kind {
                "trust" => "request.roleName",
                _ => "request.userName|caller",
            };
            (*operation, path, "iam")
        });
        for (operation, path, source) in removals.chain(put_right) {
            let entry = paths.entry(operation).or_default();
            if !entry.contains(&(operation, path, source)) {
                entry.push((operation, path, source));
            }
        }
        let mut by: FxHashMap<(&'static str, String), Vec<usize>> = FxHashMap::default();
        for row in 0..changes.len() {
            let operation = text(&changes.operation, row).unwrap_or_default();
            for (operation, path, source) in paths.get(operation).into_iter().flatten() {
                let of_service = text(&changes.event_source, row)
                    .is_some_and(|event_source| event_source.split('.').next() == Some(source));
                if of_service {
                    for id in call(changes, row).all(path) {
                        let rows = by.entry((operation, name_of(&id).to_owned())).or_default();
                        if rows.last() != Some(&row) {
                            rows.push(row);
                        }
                    }
                }
            }
        }
        Self {
            changes,
            renames,
            by,
        }
    }

    /// Says whether what a row made was removed later, and by whom.
    pub(super) fn look_up(
        &self,
        mut row: Created,
        made: &Made,
        did: &Call,
        (time, own): (i64, &HashSet<&str>),
    ) -> Created {
        let event = |at: usize| text(&self.changes.event_id, at).unwrap_or_default();
        let removals = made.gone.map(|(operation, _)| operation);
        let removals = removals.map_or_else(Vec::new, |of| self.later(of, &row, made, time));
        let removed = match made.kind {
            "security_group_rule" => self.closed(&removals, did),
            _ => removals.first().copied(),
        };
        // What others put right is right; the intruder may change it as often as he likes.
        let put_right = PUT_RIGHT.iter().filter(|(kind, _)| *kind == made.kind);
        let put_right = put_right.flat_map(|(_, of)| self.later(of, &row, made, time));
        let names =
            |call: &Call| principals(&call.first("request.policyDocument").unwrap_or_default());
        let is_right = |at: usize| {
            let now = names(&call(self.changes, at));
            // A trust that names all whom the intruder's did lets it in still.
            made.kind != "trust" || names(did).iter().any(|name| !now.contains(name))
        };
        let put_right = put_right.filter(|at| !own.contains(event(*at)) && is_right(*at));
        let put_right = put_right.min();
        if let Some(at) = removed.or(put_right) {
            row.state = match own.contains(event(at)) {
                true => State::RemovedByTree,
                false => State::RemovedByOthers,
            };
            row.removed_by_event_id = Some(event(at).to_owned());
        }
        row
    }

    /// Later calls of a kind on the same thing, in order.
    fn later(&self, operation: &'static str, row: &Created, made: &Made, time: i64) -> Vec<usize> {
        let changes = self.changes;
        let rows = self.by.get(&(operation, name_of(&row.id).to_owned()));
        let is_same = |at: &usize| {
            let at = *at;
            let account = text(&changes.account_id, at);
            let is_here = account == row.account_id.as_deref();
            let there = text(&changes.aws_region, at);
            let is_in_region = GLOBAL.contains(&made.source)
                || there.is_none()
                || row.aws_region.is_none()
                || there == row.aws_region.as_deref();
            let is_later = number(&changes.event_time, at).is_some_and(|at| at >= time);
            let is_other = text(&changes.event_id, at) != Some(row.event_id.as_str());
            is_here && is_in_region && is_later && is_other && self.is_on(at, row, made)
        };
        rows.into_iter()
            .flatten()
            .copied()
            .filter(is_same)
            .collect()
    }

    /// Whether a call was about the same user, role … : a policy is detached from a user, a key deleted of a user.
    fn is_on(&self, at: usize, row: &Created, made: &Made) -> bool {
        let Some(on) = row.on.as_deref() else {
            return true;
        };
        let call = call(self.changes, at);
        let path = made.on.trim_start_matches("response.accessKey.userName|");
        call.first(path).is_none_or(|there| {
            let account = row.account_id.as_deref().unwrap_or_default();
            let time = number(&self.changes.event_time, at).unwrap_or_default();
            let today = self.renames.today((account, name_of(&there)), time);
            name_of(&there) == name_of(on) || today == name_of(on)
        })
    }

    /// The call by which the last of some rules of a security group was removed.
    fn closed(&self, removals: &[usize], did: &Call) -> Option<usize> {
        let mut rules = Rules::made(did);
        if rules.is_unknown() {
            return removals.first().copied();
        }
        let mut removals = removals.iter().copied();
        removals.find(|at| rules.are_closed(&call(self.changes, *at)))
    }
}
