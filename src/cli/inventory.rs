//! Where IAM's own data comes from.
//!
//! In: the options that commands share: credential reports, or IAM itself. Out: an [`Inventory`]. Promise: nothing is
//! changed in AWS; a user who is in several reports is said.

use std::path::PathBuf;

use keytrail::iam::{self, Inventory};

use crate::args::TrailArgs;
use crate::failure::Failure;

/// IAM's own data, and where it comes from.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "IAM")]
pub(crate) struct IamArgs {
    /// An IAM credential report (CSV, or as the AWS CLI saves it); one per account (repeatable)
    #[arg(long = "credential-report", value_name = "FILE")]
    credential_reports: Vec<PathBuf>,

    /// Ask IAM directly, with read-only calls
    #[arg(long)]
    live: bool,

    /// Profile for IAM, if it is not --profile; one per account (repeatable, with --live)
    #[arg(long = "iam-profile", value_name = "NAME", requires = "live")]
    iam_profiles: Vec<String>,
}

impl IamArgs {
    /// The options that name the same data again.
    pub(crate) fn again(&self) -> Vec<(&'static str, Option<String>)> {
        let reports = self.credential_reports.iter();
        let reports = reports.map(|file| ("--credential-report", Some(file.display().to_string())));
        let profiles = self.iam_profiles.iter();
        let profiles = profiles.map(|name| ("--iam-profile", Some(name.clone())));
        let live = self.live.then_some(("--live", None));
        reports.chain(live).chain(profiles).collect()
    }

    /// Whether IAM's data was asked for at all.
    pub(crate) fn given(&self) -> bool {
        self.live || !self.credential_reports.is_empty()
    }

    /// What IAM says, and remarks on it.
    pub(crate) async fn inventory(
        &self,
        trail: &TrailArgs,
    ) -> Result<(Inventory, Vec<String>), Failure> {
        let mut parts = Vec::new();
        for file in &self.credential_reports {
            let read = iam::read(file);
            parts
                .push(read.map_err(|error| Failure::from(error).of_option("--credential-report"))?);
        }
        if self.live {
            parts.extend(self.live(trail).await?);
        }
        let (inventory, replaced) = Inventory::merge(parts);
        let notes = replaced
            .iter()
            .map(|arn| format!("{arn} is in several reports: the last one is used"));
        Ok((inventory, notes.collect()))
    }

    /// What IAM says to each profile.
    #[cfg(feature = "live")]
    async fn live(&self, trail: &TrailArgs) -> Result<Vec<Inventory>, Failure> {
        let mut inventories = Vec::new();
        let profiles = self.iam_profiles.iter().map(|name| Some(name.clone()));
        let profiles = if self.iam_profiles.is_empty() {
            vec![None]
        } else {
            profiles.collect()
        };
        for profile in profiles {
            let mut options = trail.access.options();
            options.profile = profile.or(options.profile);
            let sdk = keytrail::source::aws(&options).await?;
            inventories.push(iam::live::inventory(&sdk).await?);
        }
        Ok(inventories)
    }

    #[cfg(not(feature = "live"))]
    async fn live(&self, _: &TrailArgs) -> Result<Vec<Inventory>, Failure> {
        Err(Failure::usage("this keytrail was built without the feature `live`: it cannot ask IAM")
            .hint("use --credential-report FILE, or build it with: cargo build --release --features live"))
    }
}
