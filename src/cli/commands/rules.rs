//! `keytrail rules`: what is known of attacks.
//!
//! In: the table that came with the program, and the user's own. Out: one row per event and condition. Promise: what is
//! listed is what `trace` judges events by; a file with a mistake is refused with the line and the place.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use keytrail::analysis::findings::{Rule, Rules};
use keytrail::report::{FIT, Report, Section};

use crate::args::{FoldArgs, OutputArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::{self, Ending};

/// List the rules about attacks: event, severity, technique and condition
///
/// `trace` judges events by these rows. The conditions are explained in docs/rules.md.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only rows of services or calls whose name contains this
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Also the rules of this CSV file, in the shape of `keytrail rules --format csv`
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail rules                        Everything that is known
  keytrail rules cloudtrail             What can be done to the trail itself
  keytrail rules CreateAccessKey        What one call can mean
  keytrail rules --rules ours.csv ours  Check rules of your own, and list them";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let rules = known(args.rules.as_deref())?;
    let wanted = args.text.as_deref().unwrap_or_default().to_lowercase();
    let rows: Vec<&Rule> = rules
        .iter()
        .filter(|rule| {
            let names = [&rule.event_source, &rule.event_name, &rule.id];
            names
                .iter()
                .any(|name| name.to_lowercase().contains(&wanted))
        })
        .collect();
    if rows.is_empty() {
        return Err(
            Failure::new(format!("no rule about a service or call named {wanted:?}"))
                .hint("keytrail rules lists all rules"),
        );
    }
    let report =
        report(&rows).map_err(|error| Failure::new("the rules do not line up").because(&error))?;
    let ending = Ending::default().fold(args.fold);
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
        .map_err(|error| Failure::new("the rules are not understood").because(&error))
}

/// A column of the answer: its name, what may happen to it where a table has to fit, and what stands in it.
type Head = (&'static str, &'static str, fn(&Rule) -> &str);

/// The names are those of a rules file, so that the answer as CSV is one.
const HEAD: [Head; 10] = [
    ("eventSource", "cut", |rule| &rule.event_source),
    ("eventName", "whole", |rule| &rule.event_name),
    ("tactic", "detail", |rule| &rule.tactic),
    ("technique_id", "detail", |rule| &rule.technique_id),
    ("technique_id_v18", "detail", |rule| &rule.technique_id_v18),
    ("technique_name", "detail", |rule| &rule.technique_name),
    ("severity", "whole", |rule| rule.severity.as_str()),
    ("why", "wrap", |rule| &rule.why),
    ("condition", "detail", |rule| &rule.condition),
    ("rule", "detail", |rule| &rule.id),
];

fn report(rules: &[&Rule]) -> Result<Report, ArrowError> {
    let fields = HEAD.map(|(name, fit, _)| {
        let fit = HashMap::from([(FIT.to_owned(), fit.to_owned())]);
        Field::new(name, DataType::Utf8, true).with_metadata(fit)
    });
    let columns = HEAD.map(|(_, _, text)| -> ArrayRef {
        Arc::new(
            rules
                .iter()
                .map(|rule| Some(text(rule)))
                .collect::<StringArray>(),
        )
    });
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.to_vec())?;
    Ok(Report {
        name: "rules".to_owned(),
        title: "What is known of attacks".to_owned(),
        sections: vec![Section {
            name: "rules".to_owned(),
            title: "Events and what they mean".to_owned(),
            schema,
            batches: vec![batch],
        }],
        notes: Vec::new(),
        coverage: None,
    })
}
