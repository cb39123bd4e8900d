//! The commands, one per file: its arguments, its help, and what it does.
//!
//! In: a [`Command`] as typed. Out: how it ended. Promise: a command says what it has to say through `output` and
//! `Context`, and returns every error.

mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod completions;
mod consumers;
mod coverage;
mod credentials;
mod demo;
mod describe;
mod evidence;
mod ingest;
mod key;
mod keys;
mod lake;
pub(crate) mod list;
mod man;
#[cfg(feature = "mcp")]
mod mcp;
mod networks;
mod plan;
mod policy;
mod progress;
mod ready;
mod rules;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod sql;
mod trace;
mod validate;

use clap::Subcommand;

pub(crate) use self::cli::Cli;
pub(crate) use self::consumers::NetworkArgs;
#[cfg(feature = "mcp")]
pub(crate) use self::consumers::consumer_options;
use crate::context::Context;
use crate::failure::{Done, Failure};

/// What keytrail can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ingest(ingest::Args),
    Lake(lake::Args),
    Keys(keys::Args),
    Key(key::Args),
    Trace(trace::Args),
    Validate(validate::Args),
    Evidence(evidence::Args),
    Consumers(consumers::Args),
    Coverage(coverage::Args),
    Credentials(credentials::Args),
    Plan(plan::Args),
    Policy(policy::Args),
    Ready(ready::Args),
    Progress(progress::Args),
    Run(run::Args),
    List(list::Args),
    Sql(sql::Args),
    Networks(networks::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    #[cfg(feature = "mcp")]
    Mcp(mcp::Args),
    Describe(describe::Args),
    Demo(demo::Args),
    #[cfg(feature = "cluster")]
    Cluster(cluster::Args),
    Rules(rules::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<Done, Failure> {
        match self {
            Command::Ingest(args) => ingest::run(args, context).await,
            Command::Lake(args) => lake::run(args, context).await,
            Command::Keys(args) => keys::run(args, context).await,
            Command::Key(args) => key::run(args, context).await,
            Command::Trace(args) => trace::run(args, context).await,
            Command::Validate(args) => validate::run(args, context).await,
            Command::Evidence(args) => evidence::run(args, context).await,
            Command::Consumers(args) => consumers::run(args, context).await,
            Command::Coverage(args) => coverage::run(args, context).await,
            Command::Credentials(args) => credentials::run(args, context).await,
            Command::Plan(args) => plan::run(args, context).await,
            Command::Policy(args) => policy::run(args, context).await,
            Command::Ready(args) => ready::run(args, context).await,
            Command::Progress(args) => progress::run(args, context).await,
            Command::Run(args) => run::run(args, context).await,
            Command::List(args) => list::run(args, context).await,
            Command::Sql(args) => sql::run(args, context).await,
            Command::Networks(args) => networks::run(args, context).await,
            #[cfg(feature = "serve")]
            Command::Serve(args) => serve::run(args, context).await,
            #[cfg(feature = "mcp")]
            Command::Mcp(args) => mcp::run(args, context).await,
            Command::Describe(args) => describe::run(args, context).await,
            Command::Demo(args) => demo::run(&args, context),
            #[cfg(feature = "cluster")]
            Command::Cluster(args) => cluster::run(args, context).await,
            Command::Rules(args) => rules::run(args, context).await,
            Command::Completions(args) => completions::run(args, context).await,
            Command::Man(args) => man::run(args, context).await,
        }
    }
}
