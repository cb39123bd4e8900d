//! `keytrail credentials`: what IAM itself says of users and keys.
//!
//! In: credential reports, or IAM itself; a lake or log files if there are any. Out: findings, keys, users. Promise:
//! nothing is changed in AWS; what could not be compared, because there is no trail, is said.

use chrono::{TimeDelta, Utc};
use keytrail::analysis::credentials::{CredentialOptions, Credentials, TrailKeys};
use keytrail::cloudtrail::Bound;

use crate::args::{TrailArgs, moment, span};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::inventory::IamArgs;
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::{next, output, question};

/// Audit IAM users and keys: unused, duplicate, or used outside CloudTrail
///
/// From IAM's credential report, or from IAM itself. With a lake or a trail, each key is joined to its events: by id
/// (--live), by the CreateAccessKey that made it, or because no other key of the user is left. IAM's record of
/// a key's last use is compared with the last event in the logs: if IAM's is later, something uses the key in a way that
/// CloudTrail does not log.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("iam").required(true).multiple(true).args(["credential_reports", "live"]))]
pub(crate) struct Args {
    #[command(flatten)]
    iam: IamArgs,

    /// A key or password not used for longer than this is unused (CIS: 90d; since version 1.3, 45d)
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    unused_after: TimeDelta,

    /// A key older than this should be rotated
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    rotate_after: TimeDelta,

    /// Compute ages as of this time instead of now, e.g. the day of the report
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
    let (inventory, replaced) = args.iam.inventory(&args.trail).await?;
    let session = question::session_if_any(&args.trail, context).await?;
    let trail = match &session {
        Some(session) => Some(TrailKeys::read(session).await?),
        None => None,
    };
    let now = Utc::now();
    let as_of = moment("--as-of", args.as_of.as_deref(), now, Bound::Until)?;
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
    report.notes.extend(replaced);
    let ending = Ending::next(match &session {
        Some(_) => next::line(
            &["ready"],
            args.iam.again().into_iter().chain(args.trail.again()),
        ),
        None => next::line(&["ingest", "--help"], None),
    });
    output::write_ending(&report, &args.output, &ending, context)
}
