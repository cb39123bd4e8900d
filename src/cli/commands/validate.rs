//! `keytrail validate`: are these the log files that AWS delivered?
//!
//! In: log files with their digest files, CloudTrail's public keys. Out: what is valid, and every finding. Promise: exit code 0
//! only if nothing speaks against the trail; nothing is written anywhere.

use chrono::Utc;
use keytrail::integrity::{
    Detail, Gathered, PublicKeys, ValidateOptions, gather, report, validate_gathered,
};
use keytrail::source;

use crate::args::{SelectionArgs, SourceArgs, at_least_one};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::integrity::TrustArgs;
use crate::output;
use crate::output_args::OutputArgs;
use crate::progress::Progress;
use crate::size::ByteSize;

/// Check that log files are as AWS delivered them: digest files, signatures, hashes
///
/// Follows the digest files of each account, region and trail, checks their signatures, and compares the SHA-256 of each
/// log file. Finds log files that were changed, removed, added or moved, and those that no digest lists. Works on S3 and,
/// offline, on a copy in any folder. A copy has lost the signature of the newest digest file, which is metadata of its S3
/// object: that digest is not verified unless --signatures has it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Log files and digest files: s3://bucket/prefix or a folder
    #[arg(value_name = "SOURCE")]
    source: String,

    #[command(flatten)]
    trust: TrustArgs,

    /// Ask CloudTrail for its public keys: ListPublicKeys in each region of the digest files (needs a build with --features live)
    #[arg(long, help_heading = "Validation")]
    live: bool,

    /// Also list each digest file and each log file
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    access: SourceArgs,

    /// Files to fetch at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = at_least_one(), help_heading = "Limits")]
    fetches: usize,

    /// Treat files with more JSON than this as damaged: they are decompression bombs
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "2GiB",
        help_heading = "Limits"
    )]
    max_log_file_size: ByteSize,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  aws cloudtrail list-public-keys --region eu-west-1 --start-time 2025-03-01 > keys.json
  keytrail validate s3://my-trail-bucket --public-keys keys.json --since 2025-03-01
  keytrail validate s3://my-trail-bucket --live --since 2025-03-01
  keytrail validate ./copy --public-keys eu-west-1=keys.json --copied-from s3://my-trail-bucket
  keytrail validate ./copy --public-keys keys.json --all --format csv

Exit codes:
  0 no log file or digest file failed   1 something failed, or there is no digest file   2 wrong usage";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let trust = args.trust.trust()?;
    if args.trust.public_keys.is_empty() && !args.live {
        return Err(Failure::usage(
            "--public-keys is missing: without CloudTrail's public keys no signature can be checked",
        )
        .hint("save them: aws cloudtrail list-public-keys --region REGION --start-time TIME > keys.json")
        .hint("or let keytrail ask for them: --live"));
    }
    let mut options = ValidateOptions {
        selection: args.selection.selection()?,
        trust,
        fetches: args.fetches,
        max_json: args.max_log_file_size.0,
        now: Utc::now(),
    };
    let source = source::open(&args.source, &args.access.options()).await?;
    let progress = Progress::of_question(context);
    let validation = async {
        let gathered = gather(&source, &options, progress.as_ref()).await?;
        if args.live {
            ask(&mut options.trust.keys, &gathered, &args.access).await?;
        }
        let validated = validate_gathered(&source, gathered, &options, progress.as_ref());
        Ok::<_, Failure>(validated.await?)
    };
    let validation = validation.await;
    progress.finish();
    let validation = validation?;
    let detail = match args.all {
        true => Detail::Files,
        false => Detail::Findings,
    };
    let report = report(&validation, detail)
        .map_err(|error| Failure::new("the answer could not be put together").because(&error))?;
    output::write(&report, &args.output, context)?;
    if validation.is_intact() {
        return Ok(Done::Complete);
    }
    let words = validation.in_words();
    let failure = Failure::new(format!("{}: {words}", args.source));
    Err(match validation.digests.is_empty() {
        true => failure.hint(
            "digest files are in the folder CloudTrail-Digest beside CloudTrail, if the trail has log file validation turned on",
        ),
        false => failure,
    })
}

/// Asks CloudTrail for the keys that the digests may have been signed with.
#[cfg(feature = "live")]
async fn ask(
    keys: &mut PublicKeys,
    gathered: &Gathered,
    access: &SourceArgs,
) -> Result<(), Failure> {
    // CloudTrail signs a digest after its hour has ended.
    const LATER: chrono::TimeDelta = chrono::TimeDelta::hours(2);
    let mut options = access.options();
    // That of S3; AWS_ENDPOINT_URL_CLOUDTRAIL names another server for CloudTrail.
    options.endpoint_url = None;
    let sdk = source::aws(&options).await?;
    for (region, (first, last)) in gathered.regions() {
        let range = (first - LATER, last + LATER);
        keytrail::integrity::live::add_public_keys(keys, &sdk, &region, range).await?;
    }
    Ok(())
}

#[cfg(not(feature = "live"))]
async fn ask(_: &mut PublicKeys, _: &Gathered, _: &SourceArgs) -> Result<(), Failure> {
    Err(Failure::usage(
        "this keytrail was built without the feature `live`: it cannot ask CloudTrail",
    )
    .hint("use --public-keys FILE, or build it with: cargo build --release --features live"))
}
