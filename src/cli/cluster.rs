//! Questions and ingests on other machines.
//!
//! In: `--cluster`. Out: the cluster, connected once for a command. Promise: what runs here although a cluster was named is
//! told, each reason once; stopped by Ctrl-C, nothing goes on there.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use keytrail::cluster::{Address, Cluster, Far, Follow};
use keytrail::ingest::Packers;
use keytrail::render::escape::terminal;

use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt;

/// Other machines to run on.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Run on the cluster of this scheduler: df://HOST:PORT
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "KEYTRAIL_CLUSTER",
        hide_env_values = true
    )]
    cluster: Option<Address>,
}

/// Tells what does not run on the cluster.
#[derive(Debug)]
struct Tell {
    context: Context,
    told: Mutex<HashSet<String>>,
}

impl Follow for Tell {
    fn stays(&self, why: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(why.to_owned()) {
            let why = terminal(why);
            self.context
                .mention(&format!("runs on this machine, not on the cluster: {why}"));
        }
    }

    fn far(&self, far: Far) {
        if far.stages > 0 {
            self.context.waiting_for(format!("reading the lake {far}"));
        }
    }
}

/// Why log files of these sources are not read by executors, if they are not.
pub(crate) fn not_in_s3<'a>(mut sources: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let all = sources.all(|source| source.starts_with("s3://"));
    (!all).then_some("executors read log files from S3 only")
}

/// The cluster to ask, if one is named; where `why_here` says why it cannot, it is asked on this machine.
pub(crate) async fn asked(
    args: &ClusterArgs,
    why_here: Option<&str>,
    context: &Context,
) -> Result<Option<Arc<Cluster>>, Failure> {
    let Some(address) = &args.cluster else {
        return Ok(None);
    };
    if let Some(why) = why_here {
        context.mention(&format!("runs on this machine, not on the cluster: {why}"));
        return Ok(None);
    }
    if let Some(cluster) = context.cluster() {
        return Ok(Some(cluster));
    }
    let cluster = connect(address, context).await?;
    if !context.is_watched() {
        let cluster = Arc::clone(&cluster);
        interrupt::end_after(async move { cluster.end().await })?;
    }
    Ok(Some(cluster))
}

/// The cluster that packs log files, if one is named; where `why_here` says why it cannot, they are packed on this machine.
pub(crate) async fn packers(
    args: &ClusterArgs,
    why_here: Option<&str>,
    context: &Context,
) -> Result<Option<Arc<dyn Packers>>, Failure> {
    let Some(address) = &args.cluster else {
        return Ok(None);
    };
    if let Some(why) = why_here {
        context.mention(&format!("runs on this machine, not on the cluster: {why}"));
        return Ok(None);
    }
    Ok(Some(connect(address, context).await?))
}

async fn connect(address: &Address, context: &Context) -> Result<Arc<Cluster>, Failure> {
    let tell = Arc::new(Tell {
        context: context.clone(),
        told: Mutex::default(),
    });
    let cluster = Arc::new(Cluster::connect(address.clone(), tell).await?);
    context.keep_cluster(Arc::clone(&cluster));
    Ok(cluster)
}
