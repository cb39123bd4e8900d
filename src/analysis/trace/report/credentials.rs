//! The credentials of the tree, for people and programs.
//!
//! In: the tree and its deeds. Out: one [`Credential`] per member, in the tree's order. Promise: what is not known is null; whether
//! a credential is alive is only said where the logs tell.

use super::super::Lineage;
use super::super::graph::deeds::{Deed, rfc3339};
use super::super::graph::facts::{SECOND, text};
use super::super::graph::joins::Evidence;
use super::super::graph::tree::time_of;
use super::containment::About;
use crate::cloudtrail::answered_time;
use crate::report::trace::{Credential, CredentialKind, Origin, UsedBy};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What a session lives at most, where its birth does not say.
const LONGEST: i64 = 36 * 3_600 * SECOND;

/// The rows.
pub(in crate::analysis::trace) fn credentials(
    lineage: &Lineage<'_>,
    deeds: &[Deed],
    (origins, about): (&[Origin], &About),
    as_of: i64,
) -> Vec<Credential> {
    let facts = lineage.joins.facts;
    let tallies = tallies(deeds, lineage.members.len());
    let by_event: FxHashMap<&str, &Deed> = deeds
        .iter()
        .map(|deed| (deed.event.event_id.as_str(), deed))
        .collect();
    let mut rows = Vec::with_capacity(lineage.members.len());
    for (at, member) in lineage.members.iter().enumerate() {
        let node = &lineage.joins.nodes.all[member.node];
        let evidence = member.link.evidence;
        let event = lineage.event_of(evidence);
        let parent = member
            .parent
            .map(|parent| &lineage.joins.nodes.all[lineage.members[parent].node]);
        // A session that no event made belongs to the principal, not to one of its keys.
        let known_parent = parent.filter(|_| evidence != Evidence::None);
        let born = time_of(&lineage.joins, evidence);
        let expires = event
            .and_then(|event| by_event.get(event))
            .filter(|_| matches!(evidence, Evidence::Issued(_)))
            .and_then(|deed| deed.call().first("response.credentials.expiration"))
            .and_then(|text| answered_time(&text))
            .map(|time| time.timestamp_micros());
        let (name, by) = match evidence {
            Evidence::Issued(row) => (
                text(&facts.issued.event_name, row as usize),
                text(&facts.issued.user_identity_arn, row as usize)
                    .or(text(&facts.issued.user_identity_invoked_by, row as usize)),
            ),
            Evidence::Change(row) => (
                text(&facts.changes.event_name, row as usize),
                text(&facts.changes.user_identity_arn, row as usize),
            ),
            Evidence::None => (None, parent.and_then(|parent| parent.principal)),
        };
        let tally = &tallies[at];
        let origin = origins.get(at).copied().unwrap_or_default();
        rows.push(Credential {
            access_key_id: node.key.map(str::to_owned),
            kind: match node.key {
                Some(_) if node.is_long_term() => CredentialKind::LongTerm,
                Some(_) => CredentialKind::Temporary,
                None => CredentialKind::Console,
            },
            principal_arn: node.principal.map(str::to_owned).or_else(|| {
                let (account, user) = (node.account?, node.user_name?);
                Some(format!("arn:aws:iam::{account}:user/{user}"))
            }),
            account_id: node.account.map(str::to_owned),
            session_name: node.session_name().map(str::to_owned),
            parent_access_key_id: known_parent
                .and_then(|parent| parent.key)
                .map(str::to_owned),
            parent_principal_arn: by.map(str::to_owned),
            issued_by_event_id: event.map(str::to_owned),
            issued_by_event_name: name.map(str::to_owned),
            issued_at: born.map(rfc3339),
            expires_at: expires.map(rfc3339),
            live: live((node.key, node.begins(), tally.last), expires, about, as_of),
            rule: member.link.rule,
            confidence: member.link.confidence,
            path_confidence: member.path_confidence,
            depth: member.depth,
            first_seen: tally.first.map(rfc3339),
            last_seen: tally.last.map(rfc3339),
            events: tally.events,
            errors: tally.errors,
            intruder_events: tally.intruders,
            origin,
            used_by: match origin {
                Origin::Intruder if (1..tally.events).contains(&tally.intruders) => UsedBy::Both,
                origin => origin.into(),
            },
            source_ip_addresses: tally
                .addresses
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
            via_services: tally
                .services
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
        });
    }
    rows
}

/// What one credential did.
#[derive(Debug, Default, Clone)]
struct Tally<'a> {
    first: Option<i64>,
    last: Option<i64>,
    events: u64,
    errors: u64,
    intruders: u64,
    addresses: BTreeSet<&'a str>,
    services: BTreeSet<&'a str>,
}

fn tallies(deeds: &[Deed], members: usize) -> Vec<Tally<'_>> {
    let mut tallies = vec![Tally::default(); members];
    for deed in deeds {
        let Some(tally) = deed.member.and_then(|at| tallies.get_mut(at)) else {
            continue;
        };
        tally.first = tally.first.or(Some(deed.time));
        tally.last = Some(deed.time);
        tally.events += 1;
        tally.errors += u64::from(deed.failed());
        tally.intruders += u64::from(deed.event.origin == Origin::Intruder);
        tally.services.extend(deed.event.via_service.as_deref());
        if deed.event.via_service.is_none() {
            tally
                .addresses
                .extend(deed.event.source_ip_address.as_deref());
        }
    }
    tallies
}

/// Whether a credential can still be used.
fn live(
    (key, begins, last): (Option<&str>, Option<i64>, Option<i64>),
    expires: Option<i64>,
    about: &About,
    now: i64,
) -> Option<bool> {
    if let Some(key) = key.filter(|key| key.starts_with("AKIA")) {
        // Without an event that ends it a key may be alive; IAM knows.
        let off = about.keys.get(key)?.off_since(last);
        return off.map(|_| false);
    }
    if let Some(expires) = expires {
        return Some(expires > now);
    }
    let begins = begins?;
    // Every session is over after the longest life that AWS gives.
    (begins + LONGEST < now).then_some(false)
}
