//! The tools.
//!
//! In: a tool's name and arguments. Out: what is asked, and how much of the answer is wanted. Promise: every tool is a row of one
//! table, and only asks; what a client is told of its arguments is what the tool takes.

use super::arguments::Arguments;
use super::output::{self, Cursor, Wanted};
use crate::analysis::Start;
use crate::service::{Asked, Part, Question, Traced, View};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A tool.
#[derive(Debug)]
pub(super) struct ToolOf {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The names of its arguments; those that have to be given first.
    arguments: &'static [&'static str],
    /// How many of them have to be given.
    needed: usize,
    ask: fn(&mut Arguments) -> Result<Question, String>,
}

/// Rows of a section when nothing is said, and at most.
const ROWS: (usize, usize) = (50, 500);

const RANGE: [&str; 2] = ["since", "until"];
const PAGE: [&str; 3] = ["section", "rows", "cursor"];
const ORDER: [&str; 3] = ["filter", "sort", "descending"];

/// Every tool.
pub(super) const TOOLS: &[ToolOf] = &[
    ToolOf {
        name: "coverage",
        title: "What the logs cover",
        description: "Accounts, regions and days with logs, days without, log files that could not be read, and whether data events are logged at all. Check this before you conclude that something did not happen.",
        arguments: &[],
        needed: 0,
        ask: |_| Ok(Question::Coverage),
    },
    ToolOf {
        name: "keys",
        title: "Access keys",
        description: "Every access key in the logs: owner, first and last use, number of events, errors, addresses and programs. Long-term keys (AKIA…) unless temporary is true. With suspicious, only the keys that look stolen, each with a score and its reasons.",
        arguments: &["temporary", "suspicious"],
        needed: 0,
        ask: |given| {
            let temporary = given.flag("temporary")?;
            Ok(match given.flag("suspicious")? {
                true => Question::SuspiciousKeys,
                false => Question::Keys(temporary),
            })
        },
    },
    ToolOf {
        name: "key",
        title: "One access key",
        description: "Everything one access key did: addresses, user agents, API calls, regions, errors, calls that AWS services made for it.",
        arguments: &["access_key_id"],
        needed: 1,
        ask: |given| Ok(Question::Key(given.key()?)),
    },
    ToolOf {
        name: "trace",
        title: "Trace a compromised credential",
        description: "What came out of a credential: sessions, new keys, users, roles, functions and instances, to any depth, who is behind each event, findings, what to clean up, what to do now. Start from an access key, an ARN, a user's name, an IP address, an instance id or an event id. With up, where it came from instead.",
        arguments: &["start", "up", "follow_owner"],
        needed: 1,
        ask: |given| {
            Ok(Question::Trace(Traced {
                start: Start::new(&given.needed("start")?),
                up: given.flag("up")?,
                follow_owner: given.flag("follow_owner")?,
            }))
        },
    },
    ToolOf {
        name: "consumers",
        title: "Who uses access keys",
        description: "The programs, machines and people that use access keys, with the evidence, and what each should use instead. Every long-term key if none is named; intruders are among them.",
        arguments: &["access_key_ids"],
        needed: 0,
        ask: |given| Ok(Question::Consumers(given.keys()?)),
    },
    ToolOf {
        name: "ready",
        title: "Whether keys can be deactivated or deleted",
        description: "One verdict per key (incident, unused, deactivate, delete, migrate first, wait), with every rule and what was not checked. IAM is not asked here: keys that were never used are not in the logs.",
        arguments: &["access_key_ids"],
        needed: 0,
        ask: |given| Ok(Question::Ready(given.keys()?)),
    },
    ToolOf {
        name: "plan",
        title: "How to remove keys",
        description: "The runbook to remove keys: steps and commands for a person to run, checks, and how to roll back. Nothing is run.",
        arguments: &["access_key_ids"],
        needed: 0,
        ask: |given| Ok(Question::Plan(given.keys()?)),
    },
    ToolOf {
        name: "policy",
        title: "The least-privilege policy of a key",
        description: "An IAM policy that allows what the key was seen to do and nothing else; what was denied, failed or could not be derived is listed apart.",
        arguments: &["access_key_id"],
        needed: 1,
        ask: |given| Ok(Question::Policy(given.key()?)),
    },
    ToolOf {
        name: "rules",
        title: "Attack rules",
        description: "The rules that a trace judges events by: event, severity, technique, condition. Only those whose service, call or rule contains text.",
        arguments: &["text"],
        needed: 0,
        ask: |given| Ok(Question::Rules(given.text("text")?.unwrap_or_default())),
    },
    ToolOf {
        name: "saved_queries",
        title: "Saved queries",
        description: "Saved queries that run answers by name: title, parameters, when to use each. With name, one in full with its SQL.",
        arguments: &["name"],
        needed: 0,
        ask: |given| {
            Ok(match given.text("name")? {
                Some(name) => Question::SavedQuery(name),
                None => Question::SavedQueries,
            })
        },
    },
    ToolOf {
        name: "run",
        title: "Run a saved query",
        description: "The rows of a saved query, with values for its parameters.",
        arguments: &["name", "parameters"],
        needed: 1,
        ask: |given| Ok(Question::Saved(given.needed("name")?, given.values()?)),
    },
    ToolOf {
        name: "sql",
        title: "Run read-only SQL",
        description: "SELECT over the tables events, log_files, rejects and their views (see describe). Read-only: no statement that changes or writes, and no files. $name takes its value from parameters. Group and limit: the rows come in parts.",
        arguments: &["sql", "parameters"],
        needed: 1,
        ask: |given| Ok(Question::Sql(given.needed("sql")?, given.values()?)),
    },
    ToolOf {
        name: "describe",
        title: "Tables and columns",
        description: "The columns of an event with their meaning; with table, the columns of that table; table '*' lists the tables.",
        arguments: &["table"],
        needed: 0,
        ask: |given| {
            Ok(match given.text("table")?.as_deref() {
                None => Question::Columns,
                Some("*") => Question::Tables(None),
                Some(table) => Question::Tables(Some(table.to_owned())),
            })
        },
    },
];

/// The tool of a name.
pub(super) fn named(name: &str) -> Option<&'static ToolOf> {
    TOOLS.iter().find(|tool| tool.name == name)
}

impl ToolOf {
    /// What a client is told of it.
    pub(super) fn described(&self) -> Tool {
        let names = self.arguments.iter().chain(self.range()).chain(&PAGE);
        let names = names.chain(self.order());
        let properties: Map<String, Value> = names
            .map(|name| ((*name).to_owned(), property(name)))
            .collect();
        let input = json!({
            "type": "object",
            "properties": properties,
            "required": self.arguments[..self.needed],
            "additionalProperties": false,
        });
        let mut tool = Tool::new(self.name, self.description, object(input));
        tool.title = Some(self.title.to_owned());
        tool.output_schema = Some(object(output::schema()));
        let hints = ToolAnnotations::with_title(self.title);
        let hints = hints.read_only(true).destructive(false).idempotent(true);
        tool.annotations = Some(hints.open_world(false));
        tool
    }

    /// What is asked with these arguments, and how much of the answer is wanted.
    pub(super) fn asked(&self, given: Map<String, Value>) -> Result<(Asked, Wanted), String> {
        let mut given = Arguments::new(given);
        let question = (self.ask)(&mut given)?;
        let range = match self.range().is_empty() {
            true => Default::default(),
            false => given.range()?,
        };
        let cursor = given.text("cursor")?;
        let cursor = cursor.map(|text| Cursor::read(&text)).transpose()?;
        let (usual, most) = ROWS;
        let rows = given.number("rows")?.unwrap_or(usual).clamp(1, most);
        let section = given.text("section")?;
        let mut view = View::default();
        if !self.order().is_empty() {
            view = View {
                filter: given.text("filter")?,
                sort: given.text("sort")?,
                descending: given.flag("descending")?,
                ..View::default()
            };
        }
        given.end()?;
        let part = match &cursor {
            Some(cursor) => Part {
                section: Some(cursor.section.clone()),
                offset: cursor.offset,
                rows,
            },
            None => Part {
                section,
                offset: 0,
                rows,
            },
        };
        let state = cursor.map(|cursor| cursor.state);
        Ok((Asked { question, range }, Wanted { view, part, state }))
    }

    /// Whether it is about events, so that a range of time means something.
    fn range(&self) -> &'static [&'static str] {
        match self.name {
            "saved_queries" | "describe" | "rules" => &[],
            _ => &RANGE,
        }
    }

    /// Whether its answer is a table that can be put in another order.
    fn order(&self) -> &'static [&'static str] {
        match self.name {
            "trace" | "plan" => &[],
            _ => &ORDER,
        }
    }
}

/// What a client is told of an argument.
fn property(name: &str) -> Value {
    let (kind, description) = match name {
        "access_key_id" => ("string", "The access key, e.g. AKIAIOSFODNN7EXAMPLE"),
        "access_key_ids" => {
            return json!({
                "type": "array",
                "items": { "type": "string" },
                "description": "Only these access keys",
            });
        }
        "temporary" => ("boolean", "Include temporary keys (ASIA…)"),
        "suspicious" => ("boolean", "Only the keys that look stolen, and why"),
        "start" => (
            "string",
            "An access key, an ARN, a user's name, an IP address, an instance id, or an event id",
        ),
        "up" => (
            "boolean",
            "Find where it came from, instead of what followed",
        ),
        "follow_owner" => ("boolean", "Also follow what the owner made or changed"),
        "text" => ("string", "Part of the name of a service, a call or a rule"),
        "name" => ("string", "The name of a saved query"),
        "parameters" => {
            return json!({
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
                "description": "Values by the name of the parameter, without $",
            });
        }
        "sql" => ("string", "One or more SELECT, SHOW or DESCRIBE statements"),
        "table" => ("string", "A table or view, or * for a list of them"),
        "since" => (
            "string",
            "Only events from this time (UTC): 2025-03-01, 2025-03-01T12:00:00Z, or a time ago: 90d",
        ),
        "until" => (
            "string",
            "Only events up to this time (written like since); a date includes that day",
        ),
        "section" => ("string", "Only this table of the answer"),
        "rows" => {
            return json!({
                "type": "integer",
                "minimum": 1,
                "maximum": ROWS.1,
                "description": format!("Rows of each table; default {}", ROWS.0),
            });
        }
        "cursor" => (
            "string",
            "A next_cursor of the same call, for the rows that follow",
        ),
        "filter" => ("string", "Only rows with text that contains this"),
        "sort" => ("string", "The column to sort by"),
        "descending" => ("boolean", "Sort in descending order"),
        _ => ("string", ""),
    };
    json!({ "type": kind, "description": description })
}

fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}
