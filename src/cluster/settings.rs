//! What client, scheduler and executors agree on.
//!
//! In: settings of a session. Out: the same with those that plans for a cluster need, and the version of the program that made
//! the plan. Promise: a process of another version refuses, and names both versions; no setting carries a credential.

use super::MESSAGE;
use ballista_core::config::BallistaConfig;
use ballista_core::extension::{SessionConfigExt as _, SessionConfigHelperExt as _};
use ballista_core::optimizer::with_ballista_optimizer_rules;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{DataFusionError, config_err};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use std::any::Any;

/// The version of everything that must be equal on both ends: functions, operators, the way they are written.
const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), ", plans 3");

/// How the refusal of another version begins; by it the client knows it again among Ballista's words.
pub(super) const MISMATCH: &str = "different versions of keytrail: ";

/// What keytrail says about a plan.
///
/// Written out, since the engine's macro for this leaves the prefix out of the names that travel.
#[derive(Debug, Clone, Default)]
struct Sender {
    /// The version of the program that made it.
    build: String,
}

impl ExtensionOptions for Sender {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DataFusionError> {
        match key {
            "build" => value.clone_into(&mut self.build),
            _ => return config_err!("keytrail has no setting {key}"),
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        vec![ConfigEntry {
            key: format!("{}.build", Self::PREFIX),
            value: Some(self.build.clone()),
            description: "the version of keytrail that made the plan",
        }]
    }
}

impl ConfigExtension for Sender {
    const PREFIX: &'static str = "keytrail";
}

/// The settings of a process of a cluster, before those of a query.
pub(super) fn of_process() -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_option_extension(Sender::default())
        .set_usize("ballista.client.grpc_max_message_size", MESSAGE)
}

/// The state to make plans with that travel: as the session's own, with so many partitions, and so many for each task.
pub(super) fn planner(state: &SessionState, partitions: usize, per_task: usize) -> SessionState {
    let sender = Sender {
        build: BUILD.to_owned(),
    };
    let config = state
        .config()
        .clone()
        .with_option_extension(BallistaConfig::default())
        .ballista_restricted_configuration()
        .with_target_partitions(partitions)
        // The builder would put an empty catalog into the place of the session's own.
        .with_create_default_catalog_and_schema(false)
        .with_option_extension(sender)
        // How a scan may be turned round to suit a sort is not written down.
        .set_bool("datafusion.optimizer.enable_sort_pushdown", false)
        // A union whose parts are shared by hash is one that Ballista does not cut into tasks.
        .set_bool("datafusion.optimizer.prefer_existing_union", true)
        .set_usize("ballista.client.grpc_max_message_size", MESSAGE)
        .set_usize("ballista.scheduler.max_partitions_per_task", per_task);
    let rules = with_ballista_optimizer_rules(state.optimizers());
    SessionStateBuilder::new_from_existing(state.clone())
        .with_config(config)
        .with_optimizer_rules(rules)
        .build()
}

/// Refuses a plan that another version of the program made.
///
/// # Errors
///
/// Both versions, by name.
pub(super) fn same_version(who: &str, config: &SessionConfig) -> Result<(), DataFusionError> {
    let sender = config.options().extensions.get::<Sender>();
    let theirs = sender.map_or("", |sender| sender.build.as_str());
    if theirs == BUILD {
        return Ok(());
    }
    let theirs = match theirs {
        "" => "unknown",
        theirs => theirs,
    };
    Err(DataFusionError::Execution(format!(
        "{MISMATCH}the query comes from {theirs}, {who} is {BUILD} (all must be equal)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    #[test]
    fn another_version_is_refused_by_name() {
        let planner = planner(&SessionContext::new().state(), 4, 0);
        let sent = planner.config().to_key_value_pairs();
        let received = of_process().update_from_key_value_pair(&sent);
        assert!(same_version("the executor", &received).is_ok());
        let mut other = planner.config().clone();
        other
            .options_mut()
            .set("keytrail.build", "9.9.9, plans 7")
            .unwrap();
        let refused = same_version("the executor", &other).unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("9.9.9, plans 7"), "{refused}");
        assert!(refused.contains(BUILD), "{refused}");
        assert!(same_version("the executor", &of_process()).is_err());
    }
}
