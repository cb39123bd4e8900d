//! Who came in through which door.
//!
//! In: doors, and who calls. Out: the [`Passage`] of a caller, and the intruder's door that it leads through. Promise: what was done
//! before the change came through no door; what is changed back, or removed, is shut.

use super::doors::{Assumed, CHOSEN, Door, Effect, Way, Who, is_machine, name_of};
use std::collections::{HashMap, HashSet};

/// Who calls, kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Kept([Box<str>; 9], bool);

impl Kept {
    fn of(who: Who<'_>) -> Self {
        let texts = [
            who.account,
            who.arn,
            who.id,
            who.user,
            who.role,
            who.function,
            who.service,
            who.via,
            who.provider,
        ];
        Self(texts.map(Box::from), who.is_console)
    }

    fn who(&self) -> Who<'_> {
        let [
            account,
            arn,
            id,
            user,
            role,
            function,
            service,
            via,
            provider,
        ] = self.0.each_ref().map(|text| &**text);
        Who {
            account,
            arn,
            id,
            user,
            role,
            function,
            service,
            via,
            provider,
            is_console: self.1,
        }
    }
}

/// All of them, in order of time.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Doors {
    pub(in crate::analysis) all: Vec<Door>,
    /// Those of one thing: its way, account and name.
    groups: Vec<Vec<u32>>,
    by: HashMap<Way, HashMap<String, HashMap<String, u32>>>,
    /// Who assumed which of these roles, from when on.
    assumed: HashMap<(u32, Kept), i64>,
    /// Keys of sessions that a user's own key opened, not a password.
    tokens: HashSet<String>,
}

/// A thing that doors lead through, and who came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(in crate::analysis) struct Passage {
    groups: Vec<u32>,
    who: Kept,
    /// Since when the same caller was seen to assume the role.
    known_since: Option<i64>,
}

impl Doors {
    /// Of these changes, in order of time.
    pub(in crate::analysis) fn new(all: Vec<Door>) -> Self {
        let mut doors = Self::default();
        for mut door in all {
            let at = doors.all.len() as u32;
            for name in &door.names {
                let names = doors.by.entry(door.way).or_default();
                let names = names.entry(door.account.clone()).or_default();
                let group = *names
                    .entry(name.clone())
                    .or_insert(doors.groups.len() as u32);
                if group as usize == doors.groups.len() {
                    doors.groups.push(Vec::new());
                }
                let group = &mut doors.groups[group as usize];
                if let Some(before) = group.last().map(|before| &doors.all[*before as usize]) {
                    door.newly.retain(|named| !before.named.contains(named));
                }
                group.push(at);
            }
            doors.all.push(door);
        }
        doors
    }

    fn group(&self, way: Way, account: &str, name: &str) -> Option<u32> {
        self.by.get(&way)?.get(account)?.get(name).copied()
    }

    /// Remembers that a user's own key opened a session.
    pub(in crate::analysis) fn learn_token(&mut self, key: &str) {
        if self.by.contains_key(&Way::Password) {
            self.tokens.insert(key.to_owned());
        }
    }

    /// Whether a user's session was opened with a password.
    pub(in crate::analysis) fn is_console(&self, key: &str) -> bool {
        !key.starts_with("AKIA") && !self.tokens.contains(key)
    }

    /// Where a caller may have come in.
    pub(in crate::analysis) fn of_caller(&self, who: Who<'_>) -> Passage {
        if self.all.is_empty() {
            return Passage::default();
        }
        let session = who.arn.split_once(":assumed-role/").map(|(_, role)| role);
        let session = session
            .and_then(|role| role.split_once('/'))
            .map(|(_, name)| name);
        let mut groups = Vec::new();
        let mut add = |way, name: &str| groups.extend(self.group(way, who.account, name));
        if !who.user.is_empty() {
            add(Way::User, who.user);
            add(Way::Password, who.user);
        }
        match (who.function, session) {
            ("", None) => {}
            ("", Some(session)) => add(Way::Function, session),
            (function, _) => add(Way::Function, name_of(function)),
        }
        if let Some(session) = session {
            add(Way::Machine, session);
            add(Way::Host, session);
            if is_machine(session) {
                add(Way::Host, CHOSEN);
            }
            add(Way::Switch, who.arn);
        }
        for name in who.stacks() {
            add(Way::Stack, &name);
        }
        if groups.is_empty() {
            return Passage::default();
        }
        Passage {
            groups,
            who: Kept::of(who),
            known_since: None,
        }
    }

    /// By which trust somebody may have assumed a role; calls come in order of time.
    pub(in crate::analysis) fn of_assumed(
        &mut self,
        role: Assumed<'_>,
        who: Who<'_>,
        time: i64,
    ) -> Passage {
        let Some(group) = self.group(Way::Role, role.account, role.name) else {
            return Passage::default();
        };
        // Another session of the same role is the same caller.
        let caller = Who {
            arn: match who.role {
                "" => who.arn,
                role => role,
            },
            ..who
        };
        let caller = (group, Kept::of(caller));
        let since = *self.assumed.entry(caller).or_insert(time);
        Passage {
            groups: vec![group],
            who: Kept::of(who),
            known_since: Some(since),
        }
    }

    /// The door of an intruder's that a session came in through which began then.
    pub(in crate::analysis) fn through(
        &self,
        passage: &Passage,
        since: i64,
        is_intruders: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let doors = passage.groups.iter().flat_map(|group| {
            let group = &self.groups[*group as usize];
            group
                .iter()
                .enumerate()
                .map(move |(at, door)| (group, at, *door as usize))
        });
        let mut open = doors.filter(|(group, at, index)| {
            let door = &self.all[*index];
            // Who assumed the role before was let in before.
            let is_new = passage.known_since.is_none_or(|known| known >= door.time);
            let shuts = |other: &u32| {
                let other = *other as usize;
                self.all[other].time <= since && self.shuts(door, other, &is_intruders)
            };
            is_intruders(*index)
                && is_new
                && door.holds(passage.who.who(), since)
                && !group[at + 1..].iter().any(shuts)
        });
        open.next().map(|(_, _, index)| index)
    }

    fn shuts(&self, door: &Door, other: usize, is_intruders: impl Fn(usize) -> bool) -> bool {
        let is_theirs = is_intruders(other);
        let other = &self.all[other];
        match (other.effect, other.way) {
            (Effect::Shuts, _) => true,
            (Effect::Opens, _) => false,
            // What the new trust still names goes on.
            (Effect::Replaces, Way::Role) => {
                !door.newly.iter().any(|named| other.named.contains(named))
            }
            // The intruder's settings, such as a layer, outlive new code.
            (Effect::Replaces, Way::Function) => {
                !is_theirs && door.operation != "UpdateFunctionConfiguration"
            }
            (Effect::Replaces, _) => !is_theirs,
        }
    }
}
