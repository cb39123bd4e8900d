//! `keytrail trace`: what a compromised key did, and all that came out of it.
//!
//! In: a lake or log files, and a start point. Out: lineage, timeline, clean-up list and the rest of a trace. Promise: nothing is
//! run or changed; what a person has to do is printed as commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{SubsecRound as _, Utc};
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use keytrail::analysis::findings::Lists;
use keytrail::analysis::{Start, TraceOptions, trace};
use keytrail::case::CaseFile;
use keytrail::cloudtrail::Bound;
use keytrail::render::{SECTIONS, TraceView, html, render_trace};
use keytrail::report::note::{Note, of_trace};
use keytrail::report::trace::{Confidence, Trace};
use keytrail::service::page_sources;
use keytrail::session::NameKind;

use super::consumers::{NetworkArgs, lists, own_networks};
use super::rules;
use crate::args::{TrailArgs, moment};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::output_file::write_file;
use crate::{next, output, question, sought};

/// Trace a compromised key: everything it did, what came out of it, what to clean up
///
/// The start is an access key (AKIA… or ASIA…), the ARN of a user, role or role session, a user's name, a source IP address,
/// an instance id, or an event id. Every credential that came from it is followed: sessions, new keys and users, roles,
/// console sessions, functions and instances, to any depth and across accounts. Events are attributed to the intruder, the
/// owner, or neither; --known-networks and --incident-start help where the logs alone do not decide.
///
/// csv and jsonl write the timeline, in the format that Timesketch imports.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to start: a key, an ARN, the name of a user or a role, an IP address, an instance id, or an event id
    #[arg(value_name = "START")]
    start: String,

    /// Find where a session's key came from, instead of what followed
    #[arg(long, conflicts_with = "down")]
    up: bool,

    /// Find what followed (the default)
    #[arg(long, hide_short_help = true)]
    down: bool,

    /// Show each event of the timeline on its own line
    #[arg(long, hide_short_help = true)]
    all: bool,

    /// Also follow what the owner made or changed; otherwise it is only counted
    #[arg(long, conflicts_with = "up", hide_short_help = true)]
    follow_owner: bool,

    /// The owner's networks: a file with one address or CIDR range per line; any other address is the intruder's
    #[arg(long, value_name = "FILE")]
    known_networks: Option<PathBuf>,

    /// When the incident began: addresses first seen from then on are the intruder's
    #[arg(long, value_name = "TIME")]
    incident_start: Option<String>,

    /// The weakest links to follow: exact (one record names both ends), session, or principal
    #[arg(
        long,
        value_name = "LEVEL",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        hide_short_help = true
    )]
    confidence: Level,

    /// Judge what is still valid as of this time; default: the last event in the logs
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    as_of: Option<String>,

    /// Also use the rules in this CSV file (written like `keytrail rules --format csv`)
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    rules: Option<PathBuf>,

    /// Known accounts, principals and so on: a file with lines such as `known_accounts 123456789012`
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    lists: Option<PathBuf>,

    /// Show all sections, instead of what fits one screen (or a ticket, as Markdown)
    #[arg(long)]
    full: bool,

    /// Show only these sections, in full: summary, case, timeline, lineage, findings, sources, created, data, denied, others, secrets,
    /// steps, cleanup, unseen, not-followed
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(SECTIONS.map(|section| section.name)), hide_possible_values = true)]
    section: Vec<String>,

    /// Also write the whole trace as one self-contained HTML page, to hand over
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Include notes from the case file of `keytrail serve`; in --html, Markdown and JSON
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// How sure a link must be to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Level {
    Exact,
    Session,
    #[default]
    Principal,
}

const EXAMPLES: &str = "\
Examples:
  keytrail trace AKIAIOSFODNN7EXAMPLE                          One screen: what happened, what to do now
  keytrail trace AKIAIOSFODNN7EXAMPLE --section timeline,data  These sections, in full
  keytrail trace AKIAIOSFODNN7EXAMPLE --full                   Every section
  keytrail trace AKIAIOSFODNN7EXAMPLE --known-networks our.txt Separate our own addresses from the intruder's
  keytrail trace AKIAIOSFODNN7EXAMPLE --incident-start 2025-03-06T15:00:00Z
  keytrail trace ASIAIOSFODNN7EXAMPLE --up                     Which key is this session from?
  keytrail trace 198.51.100.202                                What came from an address, and what followed
  keytrail trace AKIAIOSFODNN7EXAMPLE --format markdown        For the ticket
  keytrail trace AKIAIOSFODNN7EXAMPLE --format csv -o t.csv    The timeline, for Timesketch
  keytrail trace AKIAIOSFODNN7EXAMPLE --html report.html       The report to hand over";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    // CloudTrail's times are whole seconds.
    let now = Utc::now().trunc_subsecs(0);
    let book = Arc::new(args.networks.address_book()?);
    let options = TraceOptions {
        start: Start::new(&args.start),
        up: args.up,
        weakest: match args.confidence {
            Level::Exact => Confidence::Exact,
            Level::Session => Confidence::Session,
            Level::Principal => Confidence::Principal,
        },
        follow_owner: args.follow_owner,
        known_networks: match &args.known_networks {
            Some(path) => own_networks("--known-networks", path)?.ranges().collect(),
            None => Vec::new(),
        },
        incident_start: moment(
            "--incident-start",
            args.incident_start.as_deref(),
            now,
            Bound::Since,
        )?,
        as_of: moment("--as-of", args.as_of.as_deref(), now, Bound::Until)?,
        rules: rules::known(args.rules.as_deref())?,
        lists: args.lists.as_deref().map_or(Ok(Lists::default()), lists)?,
        addresses: Some(Arc::clone(&book)),
    };
    let session = question::session(&args.trail, context).await?;
    let trace = trace(&session, &options).await?;
    if trace.timeline.is_empty() && trace.credentials.is_empty() {
        let kind = match &options.start {
            Start::AccessKey(_) => Some(NameKind::AccessKey),
            Start::Principal(_) => Some(NameKind::Principal),
            Start::SourceIp(_) => Some(NameKind::Address),
            Start::User(_) => Some(NameKind::User),
            Start::Role(_) | Start::Instance(_) | Start::Event(_) => None,
        };
        if let Some(kind) = kind {
            sought::check(&session, kind, options.start.as_str()).await?;
        }
    }
    let notes = match &args.case {
        Some(path) => noted(path, &trace, context)?,
        None => Vec::new(),
    };
    if let Some(path) = &args.html {
        let sources = page_sources(&session, &trace, &book).await?;
        write_file(path, |out| {
            html::page(&trace, &sources, &notes, out).map_err(std::io::Error::other)
        })?;
    }
    let view = TraceView {
        all: args.all,
        full: args.full,
        sections: args.section.clone(),
        notes,
    };
    let ending = Ending::next(next(&trace, &args, &view));
    let format = args.output.format;
    output::deliver(&args.output, &ending, context, |options, out| {
        render_trace(&trace, format, (options, &view), out)
    })?;
    if format.rows_only() {
        output::mention_the_rest(&trace.notes, Some(&trace.coverage), context);
    }
    Ok(Done::on(&trace.coverage))
}

/// The notes about events of the trace. How many are about others is said.
fn noted(path: &Path, trace: &Trace, context: &Context) -> Result<Vec<Note>, Failure> {
    let unreadable = |error: &std::io::Error| Failure::unreadable(path, error).of_option("--case");
    std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    let all = CaseFile::at(path).notes()?;
    let (here, others) = of_trace(all, trace);
    if !others.is_empty() {
        let count = others.len();
        context.mention(&format!(
            "{count} of the notes are about events that are not in this trace"
        ));
    }
    Ok(here)
}

/// What to do after a trace: where nothing was seen, see what the logs cover; else read what happened, or hand it over.
fn next(trace: &Trace, args: &Args, view: &TraceView) -> String {
    let start = trace.summary.start.as_str();
    if trace.credentials.is_empty() {
        return next::command(&["keys"], &args.trail);
    }
    let words = match view.full || !view.sections.is_empty() {
        true => ["trace", start, "--html", "trace.html"],
        false => ["trace", start, "--section", "timeline"],
    };
    let known = args.known_networks.as_ref();
    let known = known.map(|file| ("--known-networks", Some(file.display().to_string())));
    let begin = args.incident_start.clone();
    let begin = begin.map(|time| ("--incident-start", Some(time)));
    let up = args.up.then_some(("--up", None));
    let given = up.into_iter().chain(known).chain(begin);
    let again = args.trail.again().into_iter().chain(args.networks.again());
    next::line(&words, again.chain(given))
}
