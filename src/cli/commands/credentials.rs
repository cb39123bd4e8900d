//! `keytrail credentials`: what IAM itself says of users and keys.
//!
//! In: credential reports, or IAM itself; a lake or log files if there are any. Out: findings, keys, users. Promise:
//! nothing is changed in AWS; what could not be compared, because there is no trail, is said.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use keytrail::analysis::credentials::{CredentialOptions, Credentials, TrailKeys};
use keytrail::cloudtrail::Bound;
use keytrail::iam::{self, Inventory};

use crate::args::{OutputArgs, TrailArgs, moment, span};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::{output, question};

/// Show what IAM says of users and keys: unused, doubled, used unseen
///
/// From IAM's credential report, or from IAM itself. With a lake or a trail, each key is joined to its events: by id
/// (--live), by the CreateAccessKey that made it, or because no other key of the user is left. What IAM knows of a
/// key's last use is compared with the trail's newest event of it: if IAM's is later, something uses the key that
/// CloudTrail does not show.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("iam").required(true).multiple(true).args(["credential_reports", "live"]))]
pub(crate) struct Args {
    /// A credential report of IAM (CSV, or as the AWS CLI saves it); one per account (repeatable)
    #[arg(long = "credential-report", value_name = "FILE")]
    credential_reports: Vec<PathBuf>,

    /// Ask IAM itself, with read-only calls
    #[arg(long)]
    live: bool,

    /// Profile for IAM, if it is not --profile; one per account (repeatable, with --live)
    #[arg(long = "iam-profile", value_name = "NAME", requires = "live")]
    iam_profiles: Vec<String>,

    /// A key or password that was not used for longer is unused (CIS: 90d, since version 1.3 45d)
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    unused_after: TimeDelta,

    /// A key that is older is to be rotated
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    rotate_after: TimeDelta,

    /// Count ages to this moment instead of now, e.g. the day of the report
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  aws iam generate-credential-report                      Make the report, then save it:
  aws iam get-credential-report > report.json
  keytrail credentials --credential-report report.json    Joined to ./keytrail-lake, if there is one
  keytrail credentials --live --iam-profile prod          Straight from IAM, with key ids
  keytrail credentials --credential-report report.json --unused-after 45d --format csv";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let mut parts = Vec::new();
    for file in &args.credential_reports {
        parts.push(iam::read(file)?);
    }
    if args.live {
        parts.extend(live(&args).await?);
    }
    let (inventory, replaced) = Inventory::merge(parts);
    let session = question::session_if_any(&args.trail).await?;
    let trail = match &session {
        Some(session) => Some(TrailKeys::read(session).await?),
        None => None,
    };
    let now = Utc::now();
    let as_of = moment(args.as_of.as_deref(), now, Bound::Until)?;
    let credentials = Credentials {
        inventory,
        trail,
        options: CredentialOptions {
            now: as_of.unwrap_or(now),
            unused_after: args.unused_after,
            rotate_after: args.rotate_after,
        },
    };
    let mut report = credentials.report(session.as_ref()).await?;
    report.notes.extend(
        replaced
            .iter()
            .map(|arn| format!("{arn} is in several reports: the last one counts")),
    );
    output::write(&report, &args.output, context)?;
    Ok(Done::Complete)
}

/// What IAM says to each profile.
#[cfg(feature = "live")]
async fn live(args: &Args) -> Result<Vec<Inventory>, Failure> {
    let mut inventories = Vec::new();
    let profiles = args.iam_profiles.iter().map(|name| Some(name.clone()));
    let profiles = if args.iam_profiles.is_empty() {
        vec![None]
    } else {
        profiles.collect()
    };
    for profile in profiles {
        let mut options = args.trail.access.options();
        options.profile = profile.or(options.profile);
        let sdk = keytrail::source::aws(&options).await?;
        inventories.push(iam::live::inventory(&sdk).await?);
    }
    Ok(inventories)
}

#[cfg(not(feature = "live"))]
async fn live(_: &Args) -> Result<Vec<Inventory>, Failure> {
    Err(Failure::usage("this keytrail was built without the feature `live`: it cannot ask IAM")
        .hint("use --credential-report FILE, or build it with: cargo build --release --features live"))
}
