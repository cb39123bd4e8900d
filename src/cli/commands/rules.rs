//! `keytrail rules`: what is known of attacks.
//!
//! In: the table that came with the program, and the user's own. Out: one row per event and condition. Promise: what is
//! listed is what `trace` judges events by; a file with a mistake is refused with the line and the place.

use std::fs;
use std::path::{Path, PathBuf};

use keytrail::analysis::catalogue::rules as listed;
use keytrail::analysis::findings::Rules;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::{FoldArgs, OutputArgs};
use crate::{next, output};

/// List the attack rules: event, severity, technique and condition
///
/// `trace` judges events by these rows. The conditions are explained in docs/rules.md.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only rows of services or calls whose name contains this
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Also use the rules in this CSV file (written like `keytrail rules --format csv`)
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail rules                        All rules
  keytrail rules cloudtrail             What can be done to the trail itself
  keytrail rules CreateAccessKey        What one call can mean
  keytrail rules --rules ours.csv ours  Check rules of your own, and list them";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let rules = known(args.rules.as_deref())?;
    let text = args.text.as_deref().unwrap_or_default();
    let report = listed(&rules, text)
        .map_err(|error| Failure::new("the rules do not line up").because(&error))?;
    if report.sections.iter().all(|section| section.rows() == 0) {
        return Err(
            Failure::new(format!("no rule for a service or call named {text:?}"))
                .hint("keytrail rules lists all rules"),
        );
    }
    let next = next::line(&["keys", "--suspicious"], None);
    let ending = Ending::next(next).fold(args.fold);
    output::write_ending(&report, &args.output, &ending, context)
}

/// The built-in rules, and those of a file.
pub(super) fn known(file: Option<&Path>) -> Result<Rules, Failure> {
    let rules = Rules::builtin()
        .map_err(|error| Failure::new("the built-in rules are broken").because(&error))?;
    let Some(path) = file else {
        return Ok(rules);
    };
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("{file} cannot be read"))
            .because(&error)
            .of_option("--rules")
    })?;
    rules
        .with_file(&file, &text)
        .map_err(|error| Failure::new("the rules cannot be read").because(&error))
}
