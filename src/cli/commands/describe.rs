//! `keytrail describe`: the columns of the lake.
//!
//! In: the one table of columns. Out: one row per column. Promise: nothing is described that is not in that table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use keytrail::event::{COLUMNS, EVENT_DATE, Kind};
use keytrail::report::{FIT, Report, Section};

use crate::args::OutputArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// Describe the columns of an event: name, type, place in the record, meaning
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these columns
    #[arg(id = "names", value_name = "COLUMN")]
    columns: Vec<String>,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail describe                      Every column of the lake's events
  keytrail describe user_agent           One column
  keytrail describe --format markdown    The same for a wiki";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let known: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let known = [&known[..], &[EVENT_DATE]].concat();
    let unknown = args
        .columns
        .iter()
        .find(|name| !known.contains(&name.as_str()));
    if let Some(name) = unknown {
        let alike = known.iter().filter(|known| known.contains(name.as_str()));
        let alike: Vec<&str> = alike.copied().collect();
        let failure = Failure::usage(format!("there is no column {name:?}"));
        return Err(match alike.as_slice() {
            [] => failure.hint("keytrail describe lists all columns"),
            alike => failure.hint(format!("did you mean {}?", alike.join(" or "))),
        });
    }
    let report = report(&args.columns)
        .map_err(|error| Failure::new("the columns do not line up").because(&error))?;
    output::write(&report, &args.output, context)
}

/// The columns of the answer, and what may happen to them where a table has to fit.
const HEAD: [(&str, &str); 4] = [
    ("column", "whole"),
    ("type", "whole"),
    ("description", "wrap"),
    ("record_field", "detail"),
];

fn report(only: &[String]) -> Result<Report, ArrowError> {
    let fields = HEAD.map(|(name, fit)| {
        let fit = HashMap::from([(FIT.to_owned(), fit.to_owned())]);
        Field::new(name, DataType::Utf8, true).with_metadata(fit)
    });
    let partition = [
        Some(EVENT_DATE),
        Some("date"),
        Some("The day of `event_time` in UTC, by which the lake is partitioned."),
        None,
    ];
    let columns = COLUMNS.iter().map(|column| {
        [
            Some(column.name),
            Some(type_name(column.kind)),
            Some(column.description),
            Some(column.path).filter(|path| !path.is_empty()),
        ]
    });
    let rows: Vec<[Option<&str>; 4]> = columns
        .chain([partition])
        .filter(|row| only.is_empty() || only.iter().any(|name| row[0] == Some(name)))
        .collect();
    let texts = |index: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row[index]).collect::<StringArray>())
    };
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), (0..HEAD.len()).map(texts).collect())?;
    Ok(Report {
        name: "describe".to_owned(),
        title: "Columns of events".to_owned(),
        sections: vec![Section {
            name: "columns".to_owned(),
            title: "Columns of events".to_owned(),
            schema,
            batches: vec![batch],
        }],
        notes: Vec::new(),
        coverage: None,
    })
}

/// The type as people say it.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Json => "JSON text",
        Kind::Bool => "boolean",
        Kind::Time => "timestamp",
        Kind::Int => "integer",
        Kind::Address => "16 bytes",
    }
}
