//! `keytrail evidence verify`: is the case as it was exported?
//!
//! In: an evidence file. Out: what is in it, and what differs. Promise: exit code 1 if anything does.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use keytrail::evidence::{Verified, verify};
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::output_args::formats;

/// Check a case: every part against the manifest, and the manifest against a hash you were given
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What keytrail evidence export wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// SHA-256 of the manifest, as the export printed it; without it, the file is only checked against itself
    #[arg(long, value_name = "SHA256")]
    manifest: Option<String>,

    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value_t, value_parser = formats(&[Format::Table, Format::Json]))]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  keytrail evidence verify case.tar.zst
  keytrail evidence verify case.tar.zst --manifest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) async fn run(args: Args, _context: &Context) -> Result<Done, Failure> {
    let name = args.file.display().to_string();
    let file = File::open(&args.file)
        .map_err(|error| Failure::new(format!("{name} cannot be read")).because(&error))?;
    let verified = verify(BufReader::new(file))
        .map_err(|error| Failure::new(format!("{name} cannot be verified")).because(&error))?;
    let expected = args.manifest.as_deref().map(str::trim);
    let other = expected.is_some_and(|hash| !hash.eq_ignore_ascii_case(&verified.manifest_sha256));
    output::print(|out| {
        let Verified {
            manifest_sha256,
            manifest,
            differences,
        } = &verified;
        let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        if args.format == Format::Json {
            let value = json!({
                "report": "evidence-verify",
                "manifest_sha256": manifest_sha256,
                "manifest_matches": expected.map(|_| !other),
                "subject": manifest.subject,
                "program": manifest.program,
                "commands": manifest.commands,
                "integrity": manifest.integrity,
                "parts": manifest.parts,
                "differences": differences,
            });
            return writeln!(out, "{value:#}");
        }
        writeln!(out, "subject    {}", terminal(&manifest.subject))?;
        writeln!(out, "made by    {}", terminal(&manifest.program))?;
        writeln!(out, "parts      {}", manifest.parts.len())?;
        writeln!(out, "integrity  {}", terminal(&manifest.integrity))?;
        writeln!(out, "manifest   SHA-256 {manifest_sha256}")?;
        for difference in &differences {
            writeln!(out, "differs    {}", terminal(difference))?;
        }
        Ok(())
    })?;
    if other {
        return Err(Failure::new(format!(
            "{name}: the manifest is not the one you named: its SHA-256 is {}",
            verified.manifest_sha256
        )));
    }
    match verified.differences.len() {
        0 => Ok(Done::Complete),
        count => Err(Failure::new(format!(
            "{name}: {count} parts differ from the manifest"
        ))),
    }
}
