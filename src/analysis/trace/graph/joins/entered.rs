//! Who came in where a change let somebody in.
//!
//! In: changes, and who opened sessions. Out: whether a session came in through a change. Promise: judged as for every other answer
//! about keys: a session that began before the change did not, and of a role's sessions only those whom the change newly
//! named.

use super::super::facts::{Facts, number, text};
use super::super::nodes::Node;
use super::{Evidence, Joins};
use crate::analysis::attribution::doors::{Assumed, Change, Door, Way, Who};
use crate::analysis::attribution::passages::{Doors, Passage};
use rustc_hash::{FxHashMap, FxHashSet};

/// The changes, and by which trust sessions may have been opened.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Entries {
    doors: Doors,
    /// The row of each door.
    rows: Vec<u32>,
    /// By row of `issued`.
    assumed: FxHashMap<usize, Passage>,
    /// What a service did for somebody else: where that may have come in, and when.
    for_others: FxHashMap<Evidence, (Passage, i64)>,
}

impl Entries {
    pub(super) fn of(facts: &Facts) -> Self {
        let (changes, issued) = (&facts.changes, &facts.issued);
        let door = |row: usize| {
            let get = |column| text(column, row).unwrap_or_default();
            let door = Door::of(Change {
                service: get(&changes.event_source).trim_end_matches(".amazonaws.com"),
                operation: get(&changes.operation),
                account: get(&changes.account_id),
                caller: (
                    get(&changes.user_identity_arn),
                    get(&changes.user_identity_user_name),
                ),
                request: get(&changes.request_parameters),
                response: get(&changes.response_elements),
                time: number(&changes.event_time, row).unwrap_or_default(),
            });
            door.map(|door| (door, row as u32))
        };
        let (all, rows) = (0..changes.len()).filter_map(door).unzip();
        let mut doors = Doors::new(all);
        let mut for_others = FxHashMap::default();
        let mut add = |(rows, times), columns: [_; 3], evidence: fn(u32) -> Evidence| {
            for row in 0..rows {
                let [account, arn, via] = columns.map(|column| text(column, row));
                let Some(via) = via else { continue };
                let passage = doors.of_caller(Who {
                    account: account.unwrap_or_default(),
                    arn: arn.unwrap_or_default(),
                    via,
                    ..Who::default()
                });
                if passage != Passage::default() {
                    let time = number(times, row).unwrap_or_default();
                    for_others.insert(evidence(row as u32), (passage, time));
                }
            }
        };
        add(
            (changes.len(), &changes.event_time),
            [
                &changes.account_id,
                &changes.user_identity_arn,
                &changes.via_service,
            ],
            Evidence::Change,
        );
        add(
            (issued.len(), &issued.event_time),
            [
                &issued.user_identity_account_id,
                &issued.user_identity_arn,
                &issued.via_service,
            ],
            Evidence::Issued,
        );
        let mut assumed = FxHashMap::default();
        for row in 0..issued.len() {
            let get = |column| text(column, row).unwrap_or_default();
            if get(&issued.event_name) == "GetSessionToken" {
                doors.learn_token(get(&issued.issued_access_key_id));
            }
            let Some(role) = Assumed::of(get(&issued.issued_principal)) else {
                continue;
            };
            let who = Who {
                account: get(&issued.user_identity_account_id),
                arn: get(&issued.user_identity_arn),
                id: get(&issued.user_identity_principal_id),
                role: get(&issued.session_issuer_arn),
                service: get(&issued.user_identity_invoked_by),
                provider: get(&issued.user_identity_identity_provider),
                ..Who::default()
            };
            let who = who.of_kind(get(&issued.user_identity_type));
            let time = number(&issued.event_time, row).unwrap_or_default();
            let passage = doors.of_assumed(role, who, time);
            if passage != Passage::default() {
                assumed.insert(row, passage);
            }
        }
        Self {
            doors,
            rows,
            assumed,
            for_others,
        }
    }

    /// What the change of a row opens.
    pub(in crate::analysis::trace) fn door(&self, row: u32) -> Option<&Door> {
        let at = self.rows.binary_search(&row).ok()?;
        Some(&self.doors.all[at])
    }
}

impl Joins<'_> {
    /// Whether a session came in through an intruder's change; `is_intruders` says of a row of changes whether it is one.
    pub(in crate::analysis::trace) fn came_in(
        &self,
        node: &Node<'_>,
        is_intruders: impl Fn(u32) -> bool,
    ) -> bool {
        let Entries {
            doors,
            rows,
            assumed,
            ..
        } = &self.entries;
        let came = |passage: &Passage, since: i64| {
            // Into a machine that was there, somebody may have come: that is no proof.
            let is_open =
                |door: usize| doors.all[door].way != Way::Host && is_intruders(rows[door]);
            doors.through(passage, since, is_open).is_some()
        };
        let key = node.key.unwrap_or_default();
        let who = Who {
            account: node.account.unwrap_or_default(),
            arn: node.principal.unwrap_or_default(),
            user: node.user_name.unwrap_or_default(),
            role: node.role_arn.unwrap_or_default(),
            function: node.issued_to.unwrap_or_default(),
            is_console: doors.is_console(key),
            ..Who::default()
        };
        let who = who.of_kind(node.kind.unwrap_or_default());
        let begins = node.begins().unwrap_or(i64::MAX);
        let by_trust = |row: usize| {
            let time = number(&self.facts.issued.event_time, row).unwrap_or_default();
            assumed.get(&row).is_some_and(|passage| came(passage, time))
        };
        came(&doors.of_caller(who), begins) || self.issues_of(node).any(by_trust)
    }

    /// Whether a service did something for an intruder's stack.
    pub(in crate::analysis::trace) fn is_of_stack(
        &self,
        evidence: Evidence,
        is_intruders: impl Fn(u32) -> bool,
    ) -> bool {
        let Entries {
            doors,
            rows,
            for_others,
            ..
        } = &self.entries;
        let is_open = |door: usize| doors.all[door].way == Way::Stack && is_intruders(rows[door]);
        for_others
            .get(&evidence)
            .is_some_and(|(passage, time)| doors.through(passage, *time, is_open).is_some())
    }

    /// The events of what services did for an intruder's stacks.
    pub(in crate::analysis::trace) fn of_stacks(
        &self,
        is_intruders: impl Fn(u32) -> bool,
    ) -> FxHashSet<&str> {
        let (issued, changes) = (&self.facts.issued, &self.facts.changes);
        let all = self.entries.for_others.keys();
        let of_stacks = all.filter(|evidence| self.is_of_stack(**evidence, &is_intruders));
        let ids = of_stacks.filter_map(|evidence| match evidence {
            Evidence::Issued(row) => text(&issued.event_id, *row as usize),
            Evidence::Change(row) => text(&changes.event_id, *row as usize),
            Evidence::None => None,
        });
        ids.collect()
    }
}
