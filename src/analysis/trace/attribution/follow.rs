//! What is followed, and what is left to the key's owner.
//!
//! In: where to start. Out: the tree, and the owner's changes that lead on from it. Promise: a key's own sessions are followed whoever
//! opened them. What was made or changed with it is followed unless the owner's programs did it, for they do it every day and what
//! comes of it is the owner's; and then it is said what was left out.

use super::super::TraceOptions;
use super::super::graph::births::newborn;
use super::super::graph::deeds::rfc3339;
use super::super::graph::events::Events;
use super::super::graph::facts::{number, text};
use super::super::graph::joins::Joins;
use super::super::graph::tree::Member;
use super::super::graph::walk::{self, Held};
use super::super::report::unseen::listed;
use super::behind::Behind;
use super::sources::Ground;
use crate::analysis::AnalysisError;
use crate::report::trace::{BlindSpot, NotFollowed, Unseen};
use crate::session::Session;
use std::collections::{BTreeMap, BTreeSet};

/// The tree, and what was not followed.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Followed {
    pub(in crate::analysis::trace) members: Vec<Member>,
    pub(in crate::analysis::trace) not_followed: Vec<NotFollowed>,
    /// Credentials that would be in the tree otherwise.
    pub(in crate::analysis::trace) left_out: usize,
}

/// Follows.
pub(in crate::analysis::trace) async fn follow<'a>(
    session: &Session,
    joins: &Joins<'a>,
    start: &[usize],
    (options, ground): (&TraceOptions, &Ground),
    events: &mut Events<'a>,
) -> Result<Followed, AnalysisError> {
    let (all, _) = walk::down(joins, start, options, None);
    let is_asked = |member: &Member| walk::rests_on_a_change(&member.link);
    if options.follow_owner || !all.iter().any(is_asked) {
        return Ok(Followed {
            members: all,
            ..Followed::default()
        });
    }
    // Who the owner is shows in what was done with the start itself.
    let first: Vec<Member> = all
        .iter()
        .filter(|member| member.depth == 0)
        .cloned()
        .collect();
    events.read(session, joins.nodes, &first).await?;
    let mut deeds = events.deeds(joins.nodes, &first, options.start.address())?;
    super::super::graph::deeds::sort(&mut deeds);
    let mut behind = Behind::new(ground.judge(&deeds, options));
    let (members, held) = walk::down(joins, start, options, Some(&mut behind));
    Ok(Followed {
        left_out: all.len() - members.len(),
        not_followed: not_followed(joins, &held),
        members,
    })
}

/// The owner's changes, by what was changed and how.
fn not_followed(joins: &Joins<'_>, held: &[Held]) -> Vec<NotFollowed> {
    let changes = &joins.facts.changes;
    let mut by_row: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for held in held {
        by_row.entry(held.row).or_default().insert(held.to);
    }
    let mut rows: BTreeMap<(String, String, String), (NotFollowed, BTreeSet<usize>)> =
        BTreeMap::new();
    for (row, to) in by_row {
        let row = row as usize;
        let get = |column| text(column, row).unwrap_or_default().to_owned();
        let of = newborn(changes, row).map(|born| born.names.join(", "));
        let what = of.unwrap_or_default();
        let time = rfc3339(number(&changes.event_time, row).unwrap_or_default());
        let place = (
            get(&changes.account_id),
            what.clone(),
            get(&changes.event_name),
        );
        let (entry, credentials) = rows.entry(place).or_insert_with(|| {
            let entry = NotFollowed {
                what,
                account_id: text(&changes.account_id, row).map(str::to_owned),
                event_name: get(&changes.event_name),
                first_seen: time.clone(),
                ..NotFollowed::default()
            };
            (entry, BTreeSet::new())
        });
        // Rows of changes are in order of time.
        entry.last_seen = time;
        entry.events += 1;
        entry.event_ids.push(get(&changes.event_id));
        let add = |list: &mut Vec<String>, text: Option<&str>| {
            if let Some(text) = text.filter(|text| !list.iter().any(|known| known == text)) {
                list.push(text.to_owned());
            }
        };
        add(&mut entry.access_key_ids, text(&changes.access_key_id, row));
        add(
            &mut entry.source_ip_addresses,
            text(&changes.source_ip_address, row),
        );
        credentials.extend(to);
        entry.credentials = credentials.len() as u64;
    }
    let mut rows: Vec<NotFollowed> = rows.into_values().map(|(row, _)| row).collect();
    rows.sort_by(|a, b| {
        (&a.first_seen, &a.what, &a.event_name).cmp(&(&b.first_seen, &b.what, &b.event_name))
    });
    rows
}

/// What was not followed, in words.
pub(in crate::analysis::trace) fn said(followed: &Followed) -> Option<Unseen> {
    if followed.left_out == 0 {
        return None;
    }
    let rows = &followed.not_followed;
    let set = |of: fn(&NotFollowed) -> &String| -> Vec<String> {
        let names: BTreeSet<&String> = rows.iter().map(of).collect();
        names.into_iter().cloned().collect()
    };
    let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *calls.entry(&row.event_name).or_default() += row.events;
    }
    let calls: Vec<String> = calls
        .into_iter()
        .map(|(name, count)| match count {
            1 => name.to_owned(),
            count => format!("{name} × {count}"),
        })
        .collect();
    let first = rows.iter().map(|row| row.first_seen.as_str()).min();
    let last = rows.iter().map(|row| row.last_seen.as_str()).max();
    let when = match (first, last) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (first, _) => first.unwrap_or_default().to_owned(),
    };
    let left = match followed.left_out {
        1 => "1 credential was not followed".to_owned(),
        count => format!("{count} credentials were not followed"),
    };
    Some(Unseen {
        kind: BlindSpot::NotFollowed,
        what: format!(
            "{left}: the owner made or changed {} ({}, {when})",
            listed(&set(|row| &row.what)),
            listed(&calls),
        ),
        meaning: "treated as the owner's by address (see sources); they can be followed, too",
    })
}
