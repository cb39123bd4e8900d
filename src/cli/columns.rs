//! Which columns of an answer are shown.
//!
//! In: names, from `--columns`. Out: the same answer with these columns, in this order. Promise: a name that no table of the
//! answer has is an error that lists those it has; a table without any of them is left out.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use keytrail::render::{Heading, Opening, Remarks, RowsWriter, heading};
use keytrail::report::{FIT, Report, Section};

use crate::failure::Failure;

/// The report with these columns; as it is if there are none.
pub(crate) fn of_report(report: &Report, names: &[String]) -> Result<Report, Failure> {
    if names.is_empty() {
        return Ok(report.clone());
    }
    check(report.sections.iter().map(|section| &section.schema), names)?;
    let mut sections = Vec::new();
    for section in &report.sections {
        let columns = positions(&section.schema, names);
        if columns.is_empty() {
            continue;
        }
        let batches = section.batches.iter().map(|batch| project(batch, &columns));
        sections.push(Section {
            name: section.name.clone(),
            title: section.title.clone(),
            schema: chosen(&section.schema, &columns),
            batches: batches.collect::<Result<_, _>>()?,
        });
    }
    Ok(Report {
        sections,
        ..report.clone()
    })
}

/// Fails if a name is a column of none of these tables.
pub(crate) fn check<'a>(
    schemas: impl Iterator<Item = &'a SchemaRef>,
    names: &[String],
) -> Result<(), Failure> {
    let mut known = BTreeSet::new();
    for schema in schemas {
        known.extend(schema.fields().iter().map(|field| field.name().as_str()));
    }
    let is_known = |name: &&String| known.iter().any(|column| is_called(column, name));
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => {
            let known: Vec<&str> = known.into_iter().collect();
            Err(
                Failure::usage(format!("--columns: the answer has no column {name:?}"))
                    .hint(format!("its columns are {}", known.join(", "))),
            )
        }
        None => Ok(()),
    }
}

/// A writer that hands on only these columns of rows; the writer itself if there are none.
pub(crate) fn writer(inner: Box<dyn RowsWriter>, names: &[String]) -> Box<dyn RowsWriter> {
    match names {
        [] => inner,
        names => Box::new(Chosen {
            inner,
            names: names.to_vec(),
            columns: Vec::new(),
        }),
    }
}

struct Chosen {
    inner: Box<dyn RowsWriter>,
    names: Vec<String>,
    /// Of the table that is being written.
    columns: Vec<usize>,
}

impl Chosen {
    fn heading(&self, heading: &Heading) -> Heading {
        Heading {
            schema: chosen(&heading.schema, &positions(&heading.schema, &self.names)),
            ..heading.clone()
        }
    }
}

impl RowsWriter for Chosen {
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        let sections = opening.sections.iter().map(|heading| self.heading(heading));
        let opening = Opening {
            sections: sections.collect(),
            ..opening.clone()
        };
        self.inner.open(&opening, out)
    }

    fn section(&mut self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        self.columns = positions(&heading.schema, &self.names);
        let heading = self.heading(heading);
        self.inner.section(&heading, out)
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        let batch = batch.project(&self.columns).map_err(io::Error::other)?;
        self.inner.rows(&batch, out)
    }

    fn close(&mut self, remarks: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()> {
        self.inner.close(remarks, out)
    }
}

/// Where the columns of these names are, in the order of the names.
fn positions(schema: &Schema, names: &[String]) -> Vec<usize> {
    let place = |name: &String| {
        let mut fields = schema.fields().iter();
        let called = fields.position(|field| is_called(field.name(), name));
        schema.index_of(name).ok().or(called)
    };
    names.iter().filter_map(place).collect()
}

/// Whether a column has this name, or this heading in tables for people.
fn is_called(column: &str, name: &str) -> bool {
    column == name || heading(column).eq_ignore_ascii_case(name)
}

/// The schema of these columns. Whoever asks for a column wants to see it: none is left out where a table is narrow.
fn chosen(schema: &Schema, columns: &[usize]) -> SchemaRef {
    let fields = columns.iter().map(|&column| {
        let mut field = schema.field(column).clone();
        let fit = field.metadata().get(FIT).map(String::as_str);
        if matches!(fit, Some("detail" | "data")) {
            let rest = field.metadata().clone().into_iter();
            let rest: HashMap<_, _> = rest.filter(|(name, _)| name != FIT).collect();
            field.set_metadata(rest);
        }
        field
    });
    let fields: Vec<_> = fields.collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn project(batch: &RecordBatch, columns: &[usize]) -> Result<RecordBatch, Failure> {
    batch
        .project(columns)
        .map_err(|error| Failure::new("the columns cannot be chosen").because(&error))
}
