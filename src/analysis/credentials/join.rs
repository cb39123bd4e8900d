//! Which key of IAM is which key of the trail?
//!
//! In: an [`Inventory`] and [`TrailKeys`]. Out: one [`Joined`] key per key of either. Promise: a match says what it rests
//! on; where two keys of the trail could be the one of the report, none is chosen. A credential report holds no ids, so
//! keys are matched, in this order, by
//!
//! 1. the id, where IAM was asked itself;
//! 2. account, user and time of creation: the `CreateAccessKey` that the trail saw;
//! 3. account, user and time of the last change of status, which the report calls rotation too;
//! 4. account and user alone, where a single key of the trail is left for a single key of the report and nothing speaks
//!    against it (it was not used before it was made, it was not deleted).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::trail_keys::{TrailKey, TrailKeys};
use crate::cloudtrail::AccessKeyId;
use crate::iam::{Inventory, Key, User};

/// IAM and CloudTrail write down the same moment with a difference of seconds.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);

/// A key of IAM, of the trail, or of both.
#[derive(Debug, Clone)]
pub struct Joined<'a> {
    /// The user and the key as IAM lists them; none for a key that only the trail knows.
    pub listed: Option<(&'a User, &'a Key)>,
    /// The id, if it is known.
    pub id: Option<AccessKeyId>,
    /// What the trail knows of it; none if nothing is known of it there or if it could not be told which key it is.
    pub seen: Option<&'a TrailKey>,
    /// What the match rests on; none without a match.
    pub matched_by: Option<&'static str>,
    /// Whether the trail holds no key that it could be: without a match, then it has no event there.
    pub absent: bool,
}

/// Matches the keys. Keys of the inventory come first, in its order; then those of its accounts that only the trail
/// knows: deleted, or of a user that IAM no longer has.
pub fn join<'a>(inventory: &'a Inventory, trail: &'a TrailKeys) -> Vec<Joined<'a>> {
    let mut joined = Vec::new();
    let mut taken: BTreeSet<&AccessKeyId> = BTreeSet::new();
    for user in &inventory.users {
        let of_user = Candidates::of(user, trail);
        let mut matches: Vec<Option<(&AccessKeyId, &'static str)>> = vec![None; user.keys.len()];
        for rule in RULES {
            for (index, key) in user.keys.iter().enumerate() {
                if matches[index].is_some() {
                    continue;
                }
                let free = of_user
                    .0
                    .iter()
                    .filter(|(id, _)| !matches.iter().flatten().any(|(taken, _)| taken == id));
                let mut fits = free.filter(|(_, seen)| (rule.fits)(key, seen));
                if let (Some((id, _)), None) = (fits.next(), fits.next()) {
                    matches[index] = Some((id, rule.name));
                }
            }
        }
        for (index, key) in user.keys.iter().enumerate() {
            if let Some(id) = &key.id {
                matches[index] = Some((id, "id"));
            }
        }
        taken.extend(matches.iter().flatten().map(|(id, _)| *id));
        let open = matches.iter().filter(|found| found.is_none()).count();
        for (key, found) in user.keys.iter().zip(matches) {
            // The last rule has no evidence but that nothing else is possible.
            let found = found.or_else(|| of_user.only(key, open, &taken));
            taken.extend(found.map(|(id, _)| id));
            let mut free = of_user.0.iter().filter(|(id, seen)| {
                !taken.contains(id) && possible(key, seen) && !is_off(key, seen)
            });
            let absent = found.map_or_else(
                || free.next().is_none(),
                |(id, _)| !trail.keys.contains_key(id),
            );
            joined.push(Joined {
                listed: Some((user, key)),
                id: found.map(|(id, _)| id.clone()),
                seen: found.and_then(|(id, _)| trail.keys.get(id)),
                matched_by: found.map(|(_, rule)| rule),
                absent,
            });
        }
    }
    let accounts: BTreeSet<_> = inventory.accounts().collect();
    for (id, seen) in &trail.keys {
        let ours = seen
            .account
            .is_some_and(|account| accounts.contains(&account));
        if ours && !taken.contains(id) {
            joined.push(Joined {
                listed: None,
                id: Some(id.clone()),
                seen: Some(seen),
                matched_by: None,
                absent: false,
            });
        }
    }
    joined
}

/// A way to tell that a key of a report is one of the trail.
struct Rule {
    name: &'static str,
    fits: fn(&Key, &TrailKey) -> bool,
}

const RULES: [Rule; 2] = [
    Rule {
        name: "creation time",
        fits: |key, seen| same(key.since(), seen.created),
    },
    Rule {
        name: "status change",
        fits: |key, seen| {
            let mut changes = seen.status.iter();
            changes.any(|(time, active)| {
                *active == key.active && same(key.last_rotated.time(), Some(*time))
            })
        },
    },
];

fn same(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> bool {
    a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= SAME_MOMENT)
}

/// The keys of the trail that are a user's.
struct Candidates<'a>(Vec<(&'a AccessKeyId, &'a TrailKey)>);

impl<'a> Candidates<'a> {
    fn of(user: &User, trail: &'a TrailKeys) -> Self {
        let own = trail.keys.iter().filter(|(_, seen)| {
            seen.account == Some(user.account)
                && seen.user_name.as_deref() == Some(user.name.as_str())
                && seen.deleted.is_none()
        });
        Self(own.collect())
    }

    /// The only key that is left for the only key that is left.
    fn only(
        &self,
        key: &Key,
        open: usize,
        taken: &BTreeSet<&AccessKeyId>,
    ) -> Option<(&'a AccessKeyId, &'static str)> {
        let mut free = self.0.iter().filter(|(id, _)| !taken.contains(id));
        let (id, seen) = free.next()?;
        // That IAM lists the only key as active shows that a call that the log does not have activated it again.
        (open == 1 && free.next().is_none() && possible(key, seen))
            .then_some((*id, "only key of the user"))
    }
}

/// Whether nothing speaks against it. A report's time of rotation can be that of a change of status, long after the key's
/// first use; only where the trail saw the creation does a different time speak against it.
fn possible(key: &Key, seen: &TrailKey) -> bool {
    let made_at_another_time = seen.created.is_some()
        && !key.last_rotated.time().is_none_or(|rotated| {
            seen.created
                .is_some_and(|created| rotated >= created - SAME_MOMENT)
        });
    !made_at_another_time
}

/// Whether the trail knows it as inactive and IAM lists an active key: where there are others, it is probably one of those.
fn is_off(key: &Key, seen: &TrailKey) -> bool {
    seen.inactive_since().is_some() && key.active
}
