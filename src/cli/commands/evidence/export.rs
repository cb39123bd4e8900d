//! `keytrail evidence export`: the log files, digests and answers of a case into one file.
//!
//! In: a key, a lake or log files, public keys. Out: the file, and the hash of its manifest. Promise: log files are stored as they were
//! delivered, byte for byte; one that cannot be read, or is not the one that was ingested, is named and shows in the exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use keytrail::analysis::findings::{Lists, Rules};
use keytrail::analysis::{Start, TraceOptions, log_file_hashes, trace};
use keytrail::cloudtrail::Selection;
use keytrail::evidence::{EvidenceError, Packer, Part};
use keytrail::integrity::{Detail, ValidateOptions, Validation, report, validate};
use keytrail::render::escape::terminal;
use keytrail::render::{Format, RenderOptions, TraceView, render_trace, renderer};
use keytrail::report::Coverage;
use keytrail::report::trace::{Confidence, Trace};
use keytrail::session::Session;
use keytrail::source::{self, Files, LogFile, Source};

use crate::args::{SourceArgs, TrailArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::integrity::TrustArgs;
use crate::output_file::write_file;
use crate::progress::Progress;
use crate::{output, question};

/// Write a case into one file: log files as delivered, digest files, the trace, and a manifest of hashes
///
/// A case is everything that keytrail trace finds about the key. Keep the SHA-256 of the manifest that is printed: with it, the
/// recipient of the file can verify that nothing was changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An access key id, or another start of keytrail trace
    #[arg(value_name = "KEY")]
    start: String,

    /// Write the case to this file
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Validate with the digest files of this source, and include them in the case: s3://bucket/prefix or a folder
    #[arg(long, value_name = "SOURCE", requires = "public_keys")]
    digests: Option<String>,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    trail: TrailArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail evidence export AKIAIOSFODNN7EXAMPLE --output case.tar.zst
  keytrail evidence export AKIAIOSFODNN7EXAMPLE --digests s3://my-trail-bucket --public-keys keys.json --output case.tar.zst";

/// Digest files cover an hour, and are looked for somewhat before and after the case.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// Files to fetch at once while validating.
const FETCHES: usize = 32;

/// The most JSON of a log file while validating.
const MAX_JSON: u64 = 2 << 30;

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let trust = args.trust.trust()?;
    let session = question::session(&args.trail, context).await?;
    let options = TraceOptions {
        start: Start::new(&args.start),
        up: false,
        weakest: Confidence::Principal,
        follow_owner: false,
        known_networks: Vec::new(),
        incident_start: None,
        as_of: None,
        rules: Rules::builtin().map_err(|error| Failure::new(error.to_string()))?,
        lists: Lists::default(),
        addresses: None,
    };
    let trace = trace(&session, &options).await?;
    let validated = match &args.digests {
        None => None,
        Some(name) => {
            let source = source::open(name, &args.trail.access.options()).await?;
            let options = ValidateOptions {
                selection: range(&trace),
                trust,
                fetches: FETCHES,
                max_json: MAX_JSON,
                now: Utc::now(),
            };
            let progress = Progress::of_question(context);
            let validation = validate(&source, &options, progress.as_ref()).await;
            progress.finish();
            Some((source, options.selection, validation?))
        }
    };
    let mut case = Case::new(&session, &trace, validated.as_ref()).await?;
    let packed = case.write(&args, &trace).await?;
    let Packed {
        bytes,
        manifest_sha256,
        parts,
        integrity,
    } = packed;
    write_file(&args.output, |out| out.write_all(&bytes))?;
    context.end_waiting();
    output::print(|out| {
        let name = args.output.display().to_string();
        writeln!(
            out,
            "{}: {parts} parts, {} bytes",
            terminal(&name),
            bytes.len()
        )?;
        writeln!(out, "integrity  {}", terminal(&integrity))?;
        writeln!(out, "manifest   SHA-256 {manifest_sha256}")
    })?;
    for unread in &case.unread {
        context.say(&format!("not in the case: {}", terminal(unread)));
    }
    for loss in unread(&trace.coverage) {
        context.say(&terminal(&loss));
    }
    let failed = validated
        .as_ref()
        .is_some_and(|(_, _, validation)| !validation.is_intact());
    Ok(match case.unread.is_empty() && !failed {
        true => Done::on(&trace.coverage),
        false => Done::WithRejects,
    })
}

/// What the case may lack because it was not read, and the first of each kind.
fn unread(coverage: &Coverage) -> Vec<String> {
    let losses = coverage.losses();
    let lost = (!losses.is_empty()).then(|| {
        let losses = losses.join(", ");
        format!("not read, so the case may lack events: {losses}; keytrail coverage names them")
    });
    let void = coverage.is_void();
    let void = void.then(|| "no log file was read: the case has no event".to_owned());
    lost.into_iter().chain(void).collect()
}

/// The part of a trail in which the digests of a case are.
fn range(trace: &Trace) -> Selection {
    let time = |text: &Option<String>| -> Option<DateTime<Utc>> { text.as_deref()?.parse().ok() };
    Selection {
        since: time(&trace.summary.first_event).map(|time| time - MARGIN),
        until: time(&trace.summary.last_event).map(|time| time + MARGIN),
        ..Selection::default()
    }
}

/// A validation, and what it was made of.
type Validated = (Arc<dyn Source>, Selection, Validation);

/// What goes into the file.
struct Case<'a> {
    /// The log files of the case, and the hash the ledger has of each.
    log_files: BTreeMap<&'a str, Option<String>>,
    validated: Option<&'a Validated>,
    /// What could not be read, or is another one than the one that was ingested.
    unread: Vec<String>,
}

/// A file that is complete.
struct Packed {
    bytes: Vec<u8>,
    manifest_sha256: String,
    parts: usize,
    integrity: String,
}

impl<'a> Case<'a> {
    async fn new(
        session: &Session,
        trace: &'a Trace,
        validated: Option<&'a Validated>,
    ) -> Result<Self, Failure> {
        let names = trace.timeline.iter();
        let names: BTreeSet<&str> = names.filter_map(|it| it.log_file.as_deref()).collect();
        let hashes = log_file_hashes(session, &names).await?;
        let log_files = names.into_iter();
        Ok(Self {
            log_files: log_files
                .map(|name| (name, hashes.get(name).cloned()))
                .collect(),
            validated,
            unread: Vec::new(),
        })
    }

    async fn write(&mut self, args: &Args, trace: &Trace) -> Result<Packed, Failure> {
        let mut bytes = Vec::new();
        let commands = vec![
            format!("keytrail trace {} --format json", args.start),
            format!(
                "keytrail trace {} --all --full --format markdown",
                args.start
            ),
        ];
        let mut packer = Packer::new(&mut bytes, &args.start, commands).map_err(unwritten)?;
        for (name, format) in [
            ("report.json", Format::Json),
            ("report.md", Format::Markdown),
        ] {
            let mut answer = Vec::new();
            let view = TraceView {
                all: true,
                full: true,
                ..TraceView::default()
            };
            render_trace(
                trace,
                format,
                (RenderOptions::default(), &view),
                &mut answer,
            )
            .map_err(|error| Failure::new("the report").because(&error))?;
            packer.add(answer_named(name), &answer).map_err(unwritten)?;
        }
        let integrity = self.validation(&mut packer).await?;
        packer.integrity(integrity.clone());
        self.add_log_files(&mut packer, &args.trail.access).await?;
        let (manifest_sha256, manifest) = packer.finish().map_err(unwritten)?;
        Ok(Packed {
            manifest_sha256,
            parts: manifest.parts.len(),
            integrity,
            bytes,
        })
    }

    /// Adds the answer of the validation and the digest files; gives the answer in one line.
    async fn validation<W: Write>(&mut self, packer: &mut Packer<W>) -> Result<String, Failure> {
        let Some((source, selection, validation)) = self.validated else {
            return Ok("not checked".to_owned());
        };
        let answer = report(validation, Detail::Files);
        let answer = answer.map_err(|error| Failure::new("the validation").because(&error))?;
        let mut text = Vec::new();
        renderer(Format::Json, RenderOptions::default())
            .render(&answer, &mut text)
            .map_err(|error| Failure::new("the validation").because(&error))?;
        packer
            .add(answer_named("validation.json"), &text)
            .map_err(unwritten)?;
        let digests: BTreeMap<&str, &str> = validation
            .digests
            .iter()
            .map(|digest| (digest.file.as_str(), digest.state.as_str()))
            .collect();
        let listing = source.list_files(Files::All, selection, &|_, _| {}).await?;
        for file in listing.files {
            let Some(state) = digests.get(file.uri.as_str()) else {
                continue;
            };
            match source.fetch(&file).await {
                Ok(bytes) => {
                    let part = Part {
                        folder: "digests",
                        name: file.uri.clone(),
                        source: Some(file.uri),
                        integrity: Some((*state).to_owned()),
                        ..Part::default()
                    };
                    packer.add(part, &bytes).map_err(unwritten)?;
                }
                Err(error) => self.unread.push(format!("{}: {error}", file.uri)),
            }
        }
        Ok(validation.in_words())
    }

    async fn add_log_files<W: Write>(
        &mut self,
        packer: &mut Packer<W>,
        access: &SourceArgs,
    ) -> Result<(), Failure> {
        let mut missing: BTreeSet<&str> = self.log_files.keys().copied().collect();
        let folders: BTreeSet<&str> = missing.iter().map(|name| folder(name)).collect();
        for folder in folders {
            // What cannot be listed is named below, file by file.
            let Some(source) = nearest(folder, access).await else {
                continue;
            };
            let Ok(listing) = source.list(&Selection::default(), &|_, _| {}).await else {
                continue;
            };
            let mut files = listing.files;
            files.sort_by(|a, b| a.uri.cmp(&b.uri));
            for file in files {
                let of_file: Vec<&str> = missing
                    .iter()
                    .copied()
                    .filter(|name| is_of(name, &file.uri))
                    .collect();
                let Some(first) = of_file.first() else {
                    continue;
                };
                let ledger = self.log_files.get(first).cloned().flatten();
                match source.fetch(&file).await {
                    Ok(bytes) => {
                        let part = self.part(&file, ledger, &bytes);
                        packer.add(part, &bytes).map_err(unwritten)?;
                        missing.retain(|name| !of_file.contains(name));
                    }
                    Err(error) => {
                        self.unread.push(format!("{}: {error}", file.uri));
                        missing.retain(|name| !of_file.contains(name));
                    }
                }
            }
        }
        let gone = missing.into_iter();
        self.unread
            .extend(gone.map(|name| format!("{name}: it is no longer there")));
        Ok(())
    }

    fn part(&mut self, file: &LogFile, ledger: Option<String>, bytes: &Bytes) -> Part {
        let hash = keytrail::cloudtrail::sha256(bytes);
        if ledger.as_ref().is_some_and(|ledger| *ledger != hash) {
            let name = &file.uri;
            self.unread.push(format!(
                "{name}: it is in the case, but differs from the file that was read before"
            ));
        }
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let integrity = self.validated.map(|(_, _, validation)| {
            let mut checked = validation.log_files.iter();
            let checked =
                checked.find(|it| it.file == file.uri || last(&it.file) == last(&file.uri));
            checked
                .map_or("not checked", |it| it.state.as_str())
                .to_owned()
        });
        Part {
            folder: "log-files",
            name: file.uri.clone(),
            source: Some(file.uri.clone()),
            ledger_sha256: ledger,
            integrity,
        }
    }
}

/// The folder a log file is in, or the archive.
fn folder(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => name,
    }
}

/// The folder, or the archive that it is in.
async fn nearest(folder: &str, access: &SourceArgs) -> Option<Arc<dyn Source>> {
    let mut place = Some(folder);
    while let Some(name) = place.filter(|name| !name.is_empty() && !name.ends_with("s3:/")) {
        if let Ok(source) = source::open(name, &access.options()).await {
            return Some(source);
        }
        place = name.rsplit_once('/').map(|(above, _)| above);
    }
    None
}

/// Whether a log file is this file, or in this archive.
fn is_of(name: &str, file: &str) -> bool {
    let rest = name.strip_prefix(file);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn answer_named(name: &str) -> Part {
    Part {
        name: name.to_owned(),
        ..Part::default()
    }
}

fn unwritten(error: EvidenceError) -> Failure {
    Failure::new("the case cannot be put together").because(&error)
}
