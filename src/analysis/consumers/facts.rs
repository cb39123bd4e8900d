//! What is known about a group of uses of a key.
//!
//! In: user agents, addresses and calls of the group. Out: [`Facts`], and questions that signs ask of them. Promise: nothing is
//! concluded here.

use super::agent::Agent;
use std::collections::{BTreeMap, BTreeSet};

/// What is known about a group.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// Its user agents, the most used first.
    pub(super) agents: Vec<&'a Agent>,
    /// Whether its addresses change all the time.
    pub(super) rotating: bool,
    pub(super) addresses: usize,
    pub(super) events: u64,
    /// Calls by kind of address.
    pub(super) origins: BTreeMap<Origin, u64>,
    /// A network of the user's own, or an address of ours, by name.
    pub(super) named_network: Option<String>,
    /// Kernels of other programs at the same addresses.
    pub(super) neighbours: BTreeSet<&'static str>,
    /// Whose account the key is of, if a vendor's; or the vendor whose name the program has.
    pub(super) vendor: Option<String>,
    pub(super) user_name: Option<&'a str>,
    /// Different calls.
    pub(super) operations: usize,
    /// Terminal sessions of the AWS command line that were seen.
    pub(super) sessions: usize,
}

/// Kinds of addresses, as far as they tell workloads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Origin {
    Ours,
    Vpc,
    Aws,
    AwsCodeBuild,
    AwsCloudShell,
    GitHub,
    Microsoft,
    OtherCloud,
    OwnNetwork,
    Public,
    Other,
}

impl Facts<'_> {
    /// The share of calls from these kinds of addresses.
    pub(super) fn share(&self, origins: &[Origin]) -> f64 {
        let counted = origins.iter().filter_map(|origin| self.origins.get(origin));
        counted.sum::<u64>() as f64 / self.events.max(1) as f64
    }

    pub(super) fn mostly(&self, origins: &[Origin]) -> bool {
        self.share(origins) > 0.5
    }

    pub(super) fn any(&self, test: impl Fn(&Agent) -> bool) -> Option<&Agent> {
        self.agents.iter().copied().find(|agent| test(agent))
    }

    pub(super) fn flavour(&self, flavours: &[&str]) -> Option<&'static str> {
        let agent = self.any(|agent| {
            agent
                .flavour
                .is_some_and(|flavour| flavours.contains(&flavour))
        })?;
        agent.flavour
    }

    pub(super) fn exec_env(&self, class: &str) -> Option<String> {
        let agent = self.any(|agent| agent.exec_env.as_deref() == Some(class))?;
        let env = agent.ua.exec_env.as_deref().unwrap_or(class);
        Some(format!("the user agent says it runs in {env}"))
    }

    pub(super) fn tool(&self, part: &str) -> Option<String> {
        let agent = self.any(|agent| {
            agent
                .ua
                .tool
                .as_deref()
                .is_some_and(|tool| tool.to_lowercase().contains(part))
        })?;
        Some(format!("the user agent names {}", agent.title()))
    }

    pub(super) fn user_is_called(&self, words: &[&str]) -> Option<String> {
        let name = self.user_name?;
        let lower = name.to_lowercase();
        let mut parts = lower.split(|c: char| !c.is_alphanumeric());
        let said =
            parts.any(|part| words.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit())));
        said.then(|| format!("the user is named {name}"))
    }
}
