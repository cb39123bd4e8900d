//! `keytrail ingest`: log files into the lake.
//!
//! In: sources and a lake. Out: a summary. Promise: every event is stored once, whatever ends the command; rejects and an
//! early end show in the exit code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use keytrail::cloudtrail::Selection;
use keytrail::ingest::{Follow, IngestOptions, IngestSummary, NotReadBefore, Round, ingest, plan};
use keytrail::lake::{Known, Lake, LakeError, Location};
use keytrail::read::Stop;
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use keytrail::source::{Queue, Source};

use crate::args::{LakeArgs, SelectionArgs, SourceArgs, at_least_one, span};
use crate::config::DEFAULT_LAKE;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::integrity::TrustArgs;
use crate::metrics::Metrics;
use crate::output_args::formats;
use crate::progress::Progress;
use crate::size::ByteSize;
use crate::{interrupt, next, output, question, summary};

/// Read log files into a lake, storing each event once
///
/// Run it again to add what is new: log files the lake already has are not fetched. It can be stopped or killed at any
/// moment, and several ingests can write to one lake at once; nothing is lost and nothing is stored twice.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Log files: s3://bucket/prefix, a folder, a file, a glob, or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Only show what would be read: log files, bytes, requests, cost and time
    #[arg(long)]
    dry_run: bool,

    /// Keep session tokens and passwords that services log; by default, they are stored as (not shown)
    #[arg(long)]
    keep_secrets: bool,

    /// Output format of the summary
    #[arg(long, short, value_name = "FORMAT", default_value_t, value_parser = formats(&[Format::Table, Format::Json]))]
    format: Format,

    /// Compare each log file with CloudTrail's digest files while it is read; the lake keeps the state
    #[arg(
        long,
        requires = "public_keys",
        conflicts_with = "follow",
        help_heading = "Validation"
    )]
    verify: bool,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    access: SourceArgs,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    follow: FollowArgs,

    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: crate::cluster::ClusterArgs,
}

/// How an ingest goes on.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keep the lake up to date")]
struct FollowArgs {
    /// Keep running: look for new log files until Ctrl-C or SIGTERM
    #[arg(long, conflicts_with_all = ["dry_run", "until"])]
    follow: bool,

    /// Time between listings; in S3, only the last days' folders are listed, and everything once a day
    #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = span, requires = "follow")]
    every: TimeDelta,

    /// SQS queue in which S3 announces new objects (directly, through SNS or EventBridge), instead of listing
    #[arg(long, value_name = "URL", requires = "follow")]
    sqs_url: Option<String>,

    /// Serve Prometheus metrics at http://ADDRESS/metrics, e.g. 127.0.0.1:9184
    #[arg(long, value_name = "ADDRESS", requires = "follow")]
    metrics_addr: Option<SocketAddr>,
}

/// How much of the machine an ingest may take.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// Reject log files with more JSON than this: they are decompression bombs
    #[arg(long, value_name = "SIZE", default_value = "2GiB")]
    max_log_file_size: ByteSize,

    /// Retry log files that were rejected before, e.g. with a higher --max-log-file-size
    #[arg(long)]
    retry_rejected: bool,

    /// Log files to fetch at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = at_least_one())]
    fetches: usize,

    /// Decoding threads; default: one per core
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    threads: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  keytrail ingest s3://my-trail-bucket                        The whole trail, into ./keytrail-lake
  keytrail ingest s3://my-trail-bucket --since 90d --dry-run  What would the last 90 days cost?
  keytrail ingest s3://my-trail-bucket --account 123456789012 --region us-east-1
  keytrail ingest ./AWSLogs --lake s3://my-lake/keytrail      From disk into a lake on S3
  aws cloudtrail lookup-events | keytrail ingest -            From the event history
  keytrail ingest s3://my-trail-bucket --follow               Keep the lake up to date

Exit code 3 means done, but something was not read, now or by an earlier ingest; the summary and `keytrail coverage` name it.";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    #[cfg_attr(
        not(feature = "cluster"),
        expect(unused_mut, reason = "only a cluster is added")
    )]
    let mut options = args.options()?;
    let sources = question::sources(&args.sources, &args.access).await?;
    let place = question::location(&args.lake.lake, &args.access).await?;
    let progress = Arc::new(Progress::new(context));
    if args.dry_run {
        return dry_run(&args, (&sources, &place, &options), (&progress, context)).await;
    }
    #[cfg(feature = "cluster")]
    {
        let why_here = args.why_here(&sources, &place);
        options.packers = crate::cluster::packers(&args.cluster, why_here, context).await?;
    }
    let stop = Stop::default();
    interrupt::listen(stop.clone(), Arc::clone(&progress), context.clone())?;
    if args.follow.follow {
        let follow = Follow {
            lake: &place,
            sources: &sources,
            options: &options,
            every: args.follow.every(),
            stop: &stop,
        };
        return follow_on(&args, &follow, (&progress, context)).await;
    }
    let mut lake = Lake::open_or_create(&place).await?;
    let result = ingest(&mut lake, &sources, &options, (progress.as_ref(), &stop)).await;
    progress.finish();
    let summary = result?;
    match args.format {
        Format::Json => output::print(|out| summary::json(&summary, out))?,
        _ => output::lines(context, |out| {
            summary::text(&summary, &lake.name(), out)?;
            match summary.listed {
                0 => Ok(()),
                _ if context.quiet => Ok(()),
                _ => writeln!(out, "\nNext: {}", terminal(&next(&args.lake.lake))),
            }
        })?,
    }
    if !summary.integrity.is_empty() || !summary.failed.is_empty() {
        return Err(Failure::new(
            "the events are stored, but some log files are not as AWS delivered them",
        )
        .hint("for details see the summary above, and keytrail validate"));
    }
    // A range of time may have no log file yet; a whole source that has none is not what was meant.
    let whole = options.selection == Selection::default();
    Ok(match summary {
        IngestSummary {
            stopped_listing: true,
            ..
        }
        | IngestSummary { left: 1.., .. } => Done::Stopped,
        IngestSummary { listed: 0, .. } if whole => Done::Void,
        // What an earlier ingest could not read is missing still.
        _ => Done::on(&lake.coverage().await?),
    })
}

/// Which keys look stolen is what most people read logs for.
fn next(lake: &str) -> String {
    let named = (lake != DEFAULT_LAKE).then(|| ("--lake", Some(lake.to_owned())));
    next::line(&["keys", "--suspicious"], named)
}

/// Keeps the lake up to date, and says in a line what each round brought.
async fn follow_on(
    args: &Args,
    follow: &Follow<'_>,
    (progress, context): (&Progress, &Context),
) -> Result<Done, Failure> {
    let queue = match &args.follow.sqs_url {
        Some(url) => Some(queue(url, &args.access).await?),
        None => None,
    };
    let metrics = Metrics::default();
    if let Some(address) = args.follow.metrics_addr {
        let address = metrics.serve(address).await?;
        context.say(&format!("metrics: http://{address}/metrics"));
    }
    let mut written = Ok(());
    let mut tell = |round: Round<'_>| {
        progress.finish();
        metrics.count(&round);
        let result = match &round {
            Round::Done(summary) => output::print(|out| match args.format {
                Format::Json => summary::json_line(summary, out),
                _ => summary::line(summary, out),
            }),
            Round::Failed(error) => {
                context.say(&format!(
                    "failed, will try again: {}",
                    terminal(&error.to_string())
                ));
                Ok(())
            }
            Round::Left(why) => {
                context.say(&format!("a message stays in the queue: {}", terminal(why)));
                Ok(())
            }
        };
        if result.is_err() {
            // Nobody sees what happens any more.
            follow.stop.request();
            written = result;
        }
    };
    let ended = match &queue {
        Some(queue) => follow.by_queue(queue.as_ref(), progress, &mut tell).await,
        None => follow.by_listing(progress, &mut tell).await,
    };
    progress.finish();
    ended?;
    written?;
    let lake = Lake::open(follow.lake).await?;
    Ok(Done::on(&lake.coverage().await?))
}

#[cfg(feature = "live")]
async fn queue(url: &str, access: &SourceArgs) -> Result<Box<dyn Queue>, Failure> {
    let queue = keytrail::source::Sqs::open(url, &access.options()).await;
    Ok(Box::new(queue.map_err(|error| {
        Failure::from(error).of_option("--sqs-url")
    })?))
}

#[cfg(not(feature = "live"))]
async fn queue(_: &str, _: &SourceArgs) -> Result<Box<dyn Queue>, Failure> {
    Err(Failure::usage("--sqs-url: this keytrail was built without the feature `live`: it cannot read a queue")
        .hint("leave --sqs-url out: --follow then lists the sources; or build it with: cargo build --release --features live"))
}

/// Says what an ingest would read and cost, and reads nothing.
async fn dry_run(
    args: &Args,
    (sources, place, options): (&[Arc<dyn Source>], &Location, &IngestOptions),
    (progress, context): (&Progress, &Context),
) -> Result<Done, Failure> {
    let (known, not_read) = match Lake::open(place).await {
        Ok(mut lake) => (
            lake.known_log_files(options.retry_rejected).await?,
            lake.not_read().await?,
        ),
        Err(LakeError::Missing { .. }) => (Known::default(), NotReadBefore::default()),
        Err(error) => return Err(error.into()),
    };
    let plan = plan(sources, &options.selection, &known, &not_read, progress).await;
    progress.finish();
    let plan = plan?;
    match args.format {
        Format::Json => output::print(|out| summary::plan_json(&plan, out))?,
        _ => output::lines(context, |out| summary::plan_text(&plan, out))?,
    }
    Ok(Done::Complete)
}

impl FollowArgs {
    fn every(&self) -> Duration {
        // A span has no sign.
        self.every
            .to_std()
            .unwrap_or_default()
            .max(Duration::from_secs(1))
    }
}

impl Args {
    fn options(&self) -> Result<IngestOptions, Failure> {
        Ok(IngestOptions {
            selection: self.selection.selection()?,
            max_json: self.limits.max_log_file_size.0,
            fetches: self.limits.fetches,
            threads: self.limits.threads.unwrap_or_else(question::threads),
            retry_rejected: self.limits.retry_rejected,
            keep_secrets: self.keep_secrets,
            verify: match self.verify {
                true => Some(self.trust.trust()?),
                false => None,
            },
            packers: None,
        })
    }

    /// Why the ingest cannot run on a cluster, if it cannot.
    #[cfg(feature = "cluster")]
    fn why_here(&self, sources: &[Arc<dyn Source>], lake: &Location) -> Option<&'static str> {
        if self.verify {
            return Some("executors do not follow digest files (--verify)");
        }
        if self.follow.sqs_url.is_some() {
            return Some("a queue announces few log files at a time (--sqs-url)");
        }
        if !lake.name().starts_with("s3://") {
            return Some("executors write to a lake in S3 only");
        }
        crate::cluster::not_in_s3(sources.iter().map(|source| source.uri()))
    }
}
