//! Arguments as typed.
//!
//! In: the command line. Out: the groups of options that commands share. Promise: what is typed here is
//! turned into what is meant (`Selection`, `SourceOptions`, …) by a method of its group, once; the library never sees
//! clap.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ColorChoice};
use keytrail::analysis::question::Library;
use keytrail::cloudtrail::{
    AccessKeyId, AccountId, Bound, InvalidAccessKeyId, Selection, parse_span, parse_time,
};
use keytrail::render::escape::terminal;
use keytrail::source::SourceOptions;

#[cfg(feature = "cluster")]
use crate::cluster::ClusterArgs;
use crate::config::{self, DEFAULT_LAKE};
use crate::context::Context;
use crate::failure::Failure;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub(crate) struct GlobalArgs {
    /// Print only the answer and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Write diagnostics to standard error: listing, skipped files, memory; -vv adds every request; RUST_LOG works, too
    #[arg(long, short, global = true, hide_short_help = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Do not show long answers in a pager ($PAGER, or less)
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_pager: bool,

    /// When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
    #[arg(long, global = true, hide_short_help = true, value_name = "WHEN", default_value_t = config::color(), hide_possible_values = true)]
    pub(crate) color: ColorChoice,
}

/// How to reach log files in S3.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access to S3")]
pub(crate) struct SourceArgs {
    /// Profile of the AWS configuration files
    #[arg(long, hide_short_help = true, value_name = "NAME")]
    profile: Option<String>,

    /// S3-compatible server to use instead of AWS (with the bucket in the path)
    #[arg(long, hide_short_help = true, value_name = "URL")]
    endpoint_url: Option<String>,

    /// Region of the bucket; default: found automatically
    #[arg(long, hide_short_help = true, value_name = "REGION")]
    s3_region: Option<String>,

    /// Accept that your account pays for requests and transfer (requester-pays buckets)
    #[arg(long, hide_short_help = true)]
    request_payer: bool,

    /// Send no credentials, for public buckets
    #[arg(long, hide_short_help = true)]
    no_sign_request: bool,
}

impl SourceArgs {
    /// The way to a source that is meant.
    pub(crate) fn options(&self) -> SourceOptions {
        SourceOptions {
            profile: self.profile.clone().or_else(config::profile),
            endpoint_url: self.endpoint_url.clone(),
            region: self.s3_region.clone(),
            request_payer: self.request_payer,
            no_sign_request: self.no_sign_request,
            ..SourceOptions::default()
        }
    }
}

/// Which part of the trail is wanted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Part of the trail")]
pub(crate) struct SelectionArgs {
    /// From this time (UTC): 2025-03-01, "2025-03-01 12:00", yesterday, or a time ago: 90d, 12h, 1h30m
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Up to this time (written like --since); a date includes that day
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Only this account (repeatable)
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<AccountId>,

    /// Only this CloudTrail region (repeatable); IAM and other global services are in us-east-1
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
}

impl SelectionArgs {
    /// The selection that is meant, now.
    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        let now = Utc::now();
        let since = moment("--since", self.since.as_deref(), now, Bound::Since)?;
        let until = moment("--until", self.until.as_deref(), now, Bound::Until)?;
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(Failure::usage("--since must be before --until"));
        }
        Ok(Selection {
            since,
            until,
            accounts: self.accounts.iter().copied().collect(),
            regions: self.regions.iter().cloned().collect(),
        })
    }
}

/// The option that names a lake.
#[derive(Debug, Clone, Args)]
pub(crate) struct LakeArgs {
    /// Lake: a folder or s3://bucket/prefix
    #[arg(
        long,
        value_name = "PATH",
        env = "KEYTRAIL_LAKE",
        hide_env_values = true,
        default_value_t = config::lake()
    )]
    pub(crate) lake: String,
}

/// What a question is asked of: a lake, or log files without ingest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// Read log files directly, without a lake: s3://bucket/prefix, a folder, a file, a glob, or - (repeatable)
    #[arg(long = "trail", value_name = "SOURCE")]
    trails: Vec<String>,
}

/// What a question is asked of: which events, how they are reached, and the part that is wanted.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrailArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,

    #[command(flatten)]
    pub(crate) access: SourceArgs,

    #[cfg(feature = "cluster")]
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

impl TrailArgs {
    /// The options that name the same lake or log files again, without the part that was wanted.
    pub(crate) fn again(&self) -> Vec<(&'static str, Option<String>)> {
        let mut options = Vec::new();
        match self.input.input() {
            Input::Lake(lake) if lake == DEFAULT_LAKE => {}
            Input::Lake(lake) => options.push(("--lake", Some(lake))),
            Input::Trails(names) => {
                options.extend(names.into_iter().map(|name| ("--trail", Some(name))));
            }
        }
        let access = &self.access;
        let named = [
            ("--profile", &access.profile),
            ("--endpoint-url", &access.endpoint_url),
            ("--s3-region", &access.s3_region),
        ];
        let named = named.into_iter().filter(|(_, value)| value.is_some());
        options.extend(named.map(|(name, value)| (name, value.clone())));
        let flags = [
            ("--request-payer", access.request_payer),
            ("--no-sign-request", access.no_sign_request),
        ];
        let flags = flags.into_iter().filter(|(_, given)| *given);
        options.extend(flags.map(|(name, _)| (name, None)));
        options
    }
}

/// Where the events of a question come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A lake, by its location.
    Lake(String),
    /// Log files, by the names of their sources.
    Trails(Vec<String>),
}

impl InputArgs {
    /// The input that is meant: log files if any are named, otherwise the lake.
    pub(crate) fn input(&self) -> Input {
        if self.trails.is_empty() {
            Input::Lake(self.lake.lake.clone())
        } else {
            Input::Trails(self.trails.clone())
        }
    }
}

/// Which questions can be asked by name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Questions")]
pub(crate) struct LibraryArgs {
    /// Also use the .sql files in this folder (repeatable)
    #[arg(long = "queries", value_name = "DIR")]
    folders: Vec<PathBuf>,
}

impl LibraryArgs {
    /// The library that is meant, with this name where a file has a placeholder for an event data store. Files of the
    /// user's that are no questions are said, and left out.
    pub(crate) fn library(
        &self,
        event_data_store: &str,
        context: &Context,
    ) -> Result<Library, Failure> {
        let mut library = Library::built_in();
        for folder in &self.folders {
            library
                .add_folder(folder, event_data_store)
                .map_err(|error| {
                    Failure::usage(format!("--queries {}: {error}", folder.display()))
                })?;
        }
        for broken in library.broken() {
            context.mention(&format!("left out: {}", terminal(&broken.to_string())));
        }
        Ok(library)
    }
}

/// A parser of access key ids, which are often copied with a space or typed in small letters.
pub(crate) fn key_id(text: &str) -> Result<AccessKeyId, InvalidAccessKeyId> {
    text.trim().to_ascii_uppercase().parse()
}

/// A parser of counts for which zero makes no sense.
pub(crate) fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// The moment that an option names, if it was given.
pub(crate) fn moment(
    option: &str,
    text: Option<&str>,
    now: DateTime<Utc>,
    bound: Bound,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let moment = text.map(|text| parse_time(text, now, bound)).transpose();
    moment.map_err(|error| Failure::usage(format!("{option}: {error}")))
}

/// A parser of spans of time: `90d`, `12h`, `30m`, `2w`.
pub(crate) fn span(text: &str) -> Result<TimeDelta, String> {
    parse_span(text).ok_or_else(|| "not a duration; examples: 90d, 12h, 1h30m, 2w".to_owned())
}

/// The arguments, with a space before SQL that begins with a comment: `-- who…` is not an option. Names of options have no
/// white space in them.
pub(crate) fn with_sql(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.iter().any(|argument| argument == "sql") {
        for argument in &mut arguments {
            let begins = argument.to_str().and_then(|text| text.strip_prefix("--"));
            let name = begins.and_then(|text| text.split('=').next());
            if name.is_some_and(|name| name.contains(char::is_whitespace)) {
                let mut spaced = OsString::from(" ");
                spaced.push(&argument);
                *argument = spaced;
            }
        }
    }
    arguments
}

/// Refuses a lake and log files named together: the answer would rest on one of them. A lake that the environment or a file names
/// is for commands that name nothing.
pub(crate) fn one_input(matches: &ArgMatches) -> Result<(), clap::Error> {
    let typed = |matches: &ArgMatches, id: &str| {
        let source = matches
            .try_contains_id(id)
            .is_ok()
            .then(|| matches.value_source(id));
        source.flatten() == Some(ValueSource::CommandLine)
    };
    let mut next = Some(matches);
    while let Some(matches) = next {
        if typed(matches, "lake") && typed(matches, "trails") {
            return Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "--lake and --trail cannot be used together: events come from a lake, or straight from log files",
            ));
        }
        next = matches.subcommand().map(|(_, matches)| matches);
    }
    Ok(())
}

/// Prints what clap has to say: help and version as an answer, anything else as an error.
pub(crate) fn explain(refused: &clap::Error) -> ExitCode {
    match refused.print() {
        // A reader who has gone away is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let failure = Failure::new("the answer cannot be written").because(&error);
            Context::new(false, config::color()).say(&failure.to_string());
            failure.into()
        }
        _ if refused.use_stderr() => ExitCode::from(2),
        _ => ExitCode::SUCCESS,
    }
}
