//! What questions are asked for.
//!
//! In: nothing. Out: [`Group`]. Promise: the order of [`Group::ALL`] is the order of every list.

use std::fmt;
use std::str::FromStr;

/// The aim of the one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The keys themselves: whose, since when, still in use.
    Keys,
    /// What a suspect key did.
    Incident,
    /// Who has access to what, by which way.
    Access,
    /// What was read, shared and destroyed.
    Data,
    /// Passwords, permissions, trust.
    Identity,
    /// Addresses and connections.
    Network,
    /// What is normal.
    Baseline,
    /// What the logs cover.
    Coverage,
    /// Files of the user's own that name no group.
    Own,
}

/// The name is not one of [`Group::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown group `{0}`; groups are keys, incident, access, data, identity, network, baseline, coverage, own"
)]
pub struct UnknownGroup(String);

impl Group {
    /// Every group, in the order of lists.
    pub const ALL: [Group; 9] = [
        Group::Keys,
        Group::Incident,
        Group::Access,
        Group::Data,
        Group::Identity,
        Group::Network,
        Group::Baseline,
        Group::Coverage,
        Group::Own,
    ];

    /// The name in headers, and of the folder under `queries/`.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Keys => "keys",
            Group::Incident => "incident",
            Group::Access => "access",
            Group::Data => "data",
            Group::Identity => "identity",
            Group::Network => "network",
            Group::Baseline => "baseline",
            Group::Coverage => "coverage",
            Group::Own => "own",
        }
    }

    /// One line for people.
    pub const fn title(self) -> &'static str {
        match self {
            Group::Keys => "Keys: whose are they, how old, still in use?",
            Group::Incident => "Incident: what did a suspect key do?",
            Group::Access => "Access: who reaches what, and how?",
            Group::Data => "Data: what was read, shared, destroyed?",
            Group::Identity => "Identity: passwords, permissions, trust",
            Group::Network => "Network: addresses and connections",
            Group::Baseline => "Baseline: what is normal?",
            Group::Coverage => "Coverage: what do the logs cover?",
            Group::Own => "Your own",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Group {
    type Err = UnknownGroup;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Group::ALL.into_iter().find(|group| group.name() == name);
        known.ok_or_else(|| UnknownGroup(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_known_by_its_name() {
        for group in Group::ALL {
            assert_eq!(group.name().parse(), Ok(group));
        }
        let error = "pets".parse::<Group>().unwrap_err().to_string();
        for group in Group::ALL {
            assert!(error.contains(group.name()), "{group}");
        }
    }
}
