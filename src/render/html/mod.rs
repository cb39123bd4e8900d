//! Pages to hand over: a trace, or a plan, as one self-contained HTML file.
//!
//! In: a [`Trace`] and what is known of its log files, or a plan. Out: a page that fetches nothing. Promise: what an attacker wrote is
//! text in it and never markup: the template escapes, the data stands in a block that is no script, and the policy of the
//! page allows the scripts and styles of this program only, by hash. The same data gives the same bytes.
//!
//! The page's scripts are in `page/`, others' in `vendor/` with their licences.

mod data;
mod plan;
mod strip;

pub use plan::plan_page;

use crate::cloudtrail::second;
use crate::render::{coverage, escape};
use crate::report::note::Note;
use crate::report::trace::Trace;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What the page shows besides the trace.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// SHA-256 of log files, by the name that events have for them.
    pub log_files: BTreeMap<String, String>,
    /// What digest files say of log files, by the same name.
    pub integrity: BTreeMap<String, String>,
    /// Records of events, by id.
    pub records: BTreeMap<String, String>,
    /// Whose network an address is in, where that is known.
    pub networks: BTreeMap<String, String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The page could not be made.
    #[error("the page could not be made: {0}")]
    Template(#[from] minijinja::Error),
    /// The data could not be written as JSON.
    #[error("the page's data: {0}")]
    Json(#[from] serde_json::Error),
    /// The page could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What every page begins and ends with. A name that ends in `.html`: everything is escaped unless it is said to be safe.
const BASE: (&str, &str) = ("base.html", include_str!("page/base.html.j2"));

/// A kind of page.
struct Page {
    template: (&'static str, &'static str),
    style: &'static str,
    /// Each is a script element of its own.
    scripts: &'static [&'static str],
}

impl Page {
    /// The page with its values.
    fn written(&self, values: minijinja::Value) -> Result<String, PageError> {
        let mut environment = Environment::new();
        environment.add_template(BASE.0, BASE.1)?;
        environment.add_template(self.template.0, self.template.1)?;
        let text = environment
            .get_template(self.template.0)?
            .render(context! {
                policy => self.policy(),
                style => self.style,
                scripts => self.scripts.to_vec(),
                version => env!("CARGO_PKG_VERSION"),
                ..values
            })?;
        Ok(text)
    }

    /// What the browser lets the page do: run these scripts, use this style, and nothing else.
    fn policy(&self) -> String {
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let scripts: Vec<String> = self.scripts.iter().map(|script| hash(script)).collect();
        format!(
            "default-src 'none'; base-uri 'none'; form-action 'none'; style-src {}; script-src {}",
            hash(self.style),
            scripts.join(" ")
        )
    }
}

const TRACE: Page = Page {
    template: ("page.html", include_str!("page/page.html.j2")),
    style: STYLE,
    scripts: &SCRIPTS,
};

/// The style of the page of a trace, and of the explorer.
pub const STYLE: &str = concat!(
    "/* uPlot 1.6, MIT: see the licences below */\n",
    include_str!("vendor/uPlot.min.css"),
    include_str!("page/style.css")
);

/// What draws charts.
pub const CHARTS: &str = concat!(
    "/*! uPlot\n",
    include_str!("vendor/LICENSE-uplot"),
    "*/\n",
    include_str!("vendor/uPlot.iife.min.js")
);

/// The scripts of the page of a trace.
const SCRIPTS: [&str; 4] = [
    concat!(
        "/*! cytoscape.js\n",
        include_str!("vendor/LICENSE-cytoscape"),
        "*/\n",
        include_str!("vendor/cytoscape.min.js")
    ),
    concat!(
        "/*! cytoscape-dagre, with dagre\n",
        include_str!("vendor/LICENSE-cytoscape-dagre"),
        include_str!("vendor/LICENSE-dagre"),
        "*/\n",
        include_str!("vendor/cytoscape-dagre.min.js")
    ),
    CHARTS,
    concat!(
        "\"use strict\";(()=>{\n",
        include_str!("page/data.js"),
        include_str!("page/table.js"),
        include_str!("page/drawer.js"),
        include_str!("page/graph.js"),
        include_str!("page/chart.js"),
        include_str!("page/main.js"),
        "})();\n"
    ),
];

/// Writes the page of a trace, with what was noted about its events.
///
/// # Errors
///
/// Those of the writer.
pub fn page(
    trace: &Trace,
    sources: &Sources,
    notes: &[Note],
    out: &mut dyn Write,
) -> Result<(), PageError> {
    let written = json!({
        "title": trace.title,
        "notes": trace.notes,
        "summary": trace.summary,
        "rotate": trace.rotate,
        "unseen": trace.unseen,
        "not_followed": trace.not_followed.len(),
        "coverage": coverage::lines(&trace.coverage),
    });
    let written = minijinja::Value::from(Serde(visible(&written)?));
    let brief = visible(&trace.brief())?;
    let text = TRACE.written(context! {
        trace => written,
        brief => minijinja::Value::from(Serde(brief)),
        notes => minijinja::Value::from(Serde(notes_of(notes)?)),
        data => data::block(trace, sources, notes)?,
    })?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// Notes as the page shows them: their lines stay lines.
fn notes_of(notes: &[Note]) -> Result<Vec<Value>, serde_json::Error> {
    let written = notes.iter().map(|note| {
        let lines: Vec<&str> = note.note.lines().collect();
        let mut of = serde_json::to_value(note)?;
        of["lines"] = json!(lines);
        of["time"] = json!(note.event_time.map(second));
        visible(&of)
    });
    written.collect()
}

/// A value in whose texts nothing hides: characters that act or cannot be seen are written out.
pub(crate) fn visible(value: &impl Serialize) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    write_out(&mut value);
    Ok(value)
}

/// The beginning of a long text: one of a log may have a megabyte. The log file has the rest.
fn shortened(text: &str) -> Cow<'_, str> {
    match escape::beginning(text) {
        None => text.into(),
        Some((shown, characters)) => {
            format!("{shown}… (cut: {characters} characters; the log file has the rest)").into()
        }
    }
}

fn write_out(value: &mut Value) {
    match value {
        Value::String(text) => {
            // A text of a log may have a megabyte.
            if let Some((shown, characters)) = escape::beginning(text) {
                *text =
                    format!("{shown}… (cut: {characters} characters; the log file has the rest)");
            }
            if let Cow::Owned(safe) = escape::terminal(text) {
                *text = safe;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_out),
        // Names, too: addresses and log files are some.
        Value::Object(fields) => {
            let written = std::mem::take(fields).into_iter();
            *fields = written
                .map(|(name, mut value)| {
                    write_out(&mut value);
                    (escape::terminal(&name).into_owned(), value)
                })
                .collect();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
