//! The pages.
//!
//! In: an address. Out: what the page asks, and what stands beside the answer. Promise: every page is a row of one table; what it
//! needs and does not get is said.

use super::query::Address;
use crate::analysis::Start;
use crate::service::{Question, Settings, Traced};

/// A page.
pub(super) struct Page {
    /// One line for people.
    pub(super) title: String,
    /// What it is for, in a sentence.
    pub(super) about: &'static str,
    /// What it asks; none until its form is filled in.
    pub(super) question: Option<Question>,
    /// Further answers that stand below: a title and the page that gives each.
    pub(super) panels: Vec<(&'static str, String)>,
    /// What can be filled in.
    pub(super) form: Vec<Field>,
    /// What is counted beside the table.
    pub(super) facets: Facets,
}

/// Columns whose values are counted, to choose rows by them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facets {
    /// The table that has them; the first if none.
    pub(super) section: Option<&'static str>,
    pub(super) columns: &'static [&'static str],
}

/// What keys have in common.
const OF_KEYS: Facets = Facets {
    section: None,
    columns: &[
        "origin",
        "account_id",
        "services",
        "last_seen",
        "user_identity_type",
    ],
};

/// What verdicts have in common.
const OF_VERDICTS: Facets = Facets {
    section: Some("ready"),
    columns: &["verdict", "account_id", "last_used"],
};

/// A field of a form.
#[derive(Debug, serde::Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) meaning: String,
    /// `text`, `flag`, `sql`, or `hidden`.
    pub(super) kind: &'static str,
    pub(super) needed: bool,
}

/// The pages that the bar at the top leads to.
pub(super) const BAR: [(&str, &str); 8] = [
    ("keys", "Keys"),
    ("trace", "Trace"),
    ("ready", "Ready"),
    ("find", "Find events"),
    ("queries", "Saved queries"),
    ("sql", "SQL"),
    ("coverage", "Coverage"),
    ("case", "Case"),
];

fn field(here: &Address, name: &str, meaning: &str, needed: bool) -> Field {
    Field {
        name: name.to_owned(),
        value: here.value(name).unwrap_or_default().to_owned(),
        meaning: meaning.to_owned(),
        kind: "text",
        needed,
    }
}

/// The page of an address; none if there is no such page.
pub(super) fn page(here: &Address, settings: &Settings) -> Option<Result<Page, String>> {
    let made = match here.page.as_str() {
        "keys" => Ok(keys(here)),
        "suspicious" => Ok(simple(
            "Keys that look stolen",
            "Each with a score and its reasons.",
            Question::SuspiciousKeys,
        )),
        "key" => key(here),
        "consumers" => here.keys().map(|keys| {
            let about = "The programs, machines and people that use the key, and what each should use instead.";
            simple("Consumers", about, Question::Consumers(keys))
        }),
        "ready" => here.keys().map(|keys| {
            let about = "Which keys can be deactivated or deleted, and which cannot yet. IAM was not asked.";
            Page {
                facets: OF_VERDICTS,
                ..simple("Ready to remove?", about, Question::Ready(keys))
            }
        }),
        "plan" => here.keys().map(|keys| {
            let about = "The steps for a person to take. keytrail runs none of them.";
            simple("Plan", about, Question::Plan(keys))
        }),
        "policy" => here.key().map(|key| {
            let about = "The least-privilege policy for what the key was seen to do.";
            simple(&format!("Policy for {key}"), about, Question::Policy(key))
        }),
        "trace" => Ok(trace(here)),
        "event" => event(here),
        // Asked of the case file: see `case`.
        "case" => Ok(Page {
            question: None,
            ..simple("Case", "What was noted about events.", Question::Coverage)
        }),
        "address" => address(here),
        "role" => role(here),
        "resource" => resource(here),
        "find" => Ok(saved(here, settings, "find-events")?),
        "query" => here.needed("name").and_then(|name| {
            saved(here, settings, &name).ok_or_else(|| format!("there is no saved query {name:?}"))
        }),
        "queries" => Ok(simple(
            "Saved queries",
            "Saved queries by purpose. Each is one SQL query with a form.",
            Question::SavedQueries,
        )),
        "sql" => Ok(sql(here)),
        "tables" => Ok(simple("Tables", "The tables and views for SQL.", Question::Tables(None))),
        "table" => here.needed("table").map(|table| {
            let title = format!("Table {table}");
            simple(&title, "Its columns.", Question::Tables(Some(table)))
        }),
        "columns" => Ok(simple("Columns of events", "Name, type and meaning.", Question::Columns)),
        "rules" => {
            let text = here.value("text").unwrap_or_default().to_owned();
            Ok(simple("Rules", "The rules that a trace judges events by.", Question::Rules(text)))
        }
        "coverage" => Ok(simple(
            "Coverage",
            "What the logs cover, and what they do not: where they do not, missing events prove nothing.",
            Question::Coverage,
        )),
        _ => return None,
    };
    Some(made)
}

fn simple(title: &str, about: &'static str, question: Question) -> Page {
    Page {
        title: title.to_owned(),
        about,
        question: Some(question),
        panels: Vec::new(),
        form: Vec::new(),
        facets: Facets::default(),
    }
}

/// Those that look stolen are marked for people; as data, the answer is that of the command.
fn keys(here: &Address) -> Page {
    let question = match here.flag("temporary") {
        false if here.form.is_none() => Question::MarkedKeys,
        temporary => Question::Keys(temporary),
    };
    let about =
        "Every access key in the logs: whose it is, when it was used, from how many places.";
    Page {
        panels: vec![("Keys that look stolen", here.other("suspicious", &[]))],
        facets: OF_KEYS,
        ..simple("Access keys", about, question)
    }
}

fn key(here: &Address) -> Result<Page, String> {
    let key = here.key()?;
    let id = [("access_key_id", key.as_str())];
    let days = [("name", "key-days"), id[0]];
    let panels = vec![
        (
            "Trace: what came out of it",
            here.other("trace", &[("start", key.as_str())]),
        ),
        ("Activity per day", here.other("query", &days)),
        ("Who uses it", here.other("consumers", &id)),
        ("Ready to remove?", here.other("ready", &id)),
        ("Policy for what it did", here.other("policy", &id)),
        ("Plan to remove it", here.other("plan", &id)),
        ("Its events", here.other("find", &id)),
    ];
    let about = "Everything that this key did.";
    let question = match here.form {
        None => Question::MarkedKey(key.clone()),
        Some(_) => Question::Key(key.clone()),
    };
    Ok(Page {
        panels,
        ..simple(&format!("Key {key}"), about, question)
    })
}

fn trace(here: &Address) -> Page {
    let start = here.value("start");
    let question = start.map(|start| {
        Question::Trace(Traced {
            start: Start::new(start),
            up: here.flag("up"),
            follow_owner: here.flag("follow_owner"),
        })
    });
    let meaning = "a key, an ARN, a user's name, an IP address, an instance id, or an event id";
    Page {
        title: start.map_or_else(|| "Trace".to_owned(), |start| format!("Trace of {start}")),
        about: "What came out of a credential, who is behind it, what to clean up, what to do now.",
        question,
        panels: Vec::new(),
        facets: Facets::default(),
        form: vec![
            field(here, "start", meaning, true),
            Field {
                kind: "flag",
                ..field(
                    here,
                    "up",
                    "show where it came from, not what followed",
                    false,
                )
            },
        ],
    }
}

/// What stands beside an event is known only with the event: see `render`.
fn event(here: &Address) -> Result<Page, String> {
    let id = here.needed("event_id")?;
    let values = [("event_id".to_owned(), id.clone())].into();
    let question = Question::Saved("event".to_owned(), values);
    Ok(simple(
        &format!("Event {id}"),
        "All that was recorded.",
        question,
    ))
}

fn address(here: &Address) -> Result<Page, String> {
    let address = here.needed("source_ip_address")?;
    let values = [("source_ip_address".to_owned(), address.clone())].into();
    let question = Question::Saved("address".to_owned(), values);
    let of = [("source_ip_address", address.as_str())];
    Ok(Page {
        panels: vec![
            ("Everything from there", here.other("find", &of)),
            (
                "What came out of it",
                here.other("trace", &[("start", address.as_str())]),
            ),
        ],
        ..simple(
            &format!("Address {address}"),
            "Everyone seen from this address or network.",
            question,
        )
    })
}

fn role(here: &Address) -> Result<Page, String> {
    let caller = here.needed("caller")?;
    let values = [("caller".to_owned(), caller.clone())].into();
    let question = Question::Saved("find-events".to_owned(), values);
    let changes = [("caller", caller.as_str()), ("changes_only", "true")];
    let mut panels = vec![
        ("What it changed", here.other("find", &changes)),
        (
            "What came out of it",
            here.other("trace", &[("start", caller.as_str())]),
        ),
        (
            "Who changed it",
            here.other("resource", &[("resource", caller.as_str())]),
        ),
    ];
    if caller.contains(":role/") {
        let of = [("name", "role-users"), ("role_arn", caller.as_str())];
        panels.insert(0, ("Who assumed it", here.other("query", &of)));
    }
    Ok(Page {
        panels,
        ..simple(
            &caller,
            "What this identity did: a user, a role, or a session.",
            question,
        )
    })
}

fn resource(here: &Address) -> Result<Page, String> {
    let resource = here.needed("resource")?;
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let values = [of("resource", &resource), of("changes_only", "true")].into();
    let question = Question::Saved("find-events".to_owned(), values);
    Ok(Page {
        panels: vec![(
            "Everything that names it",
            here.other("find", &[("resource", resource.as_str())]),
        )],
        ..simple(
            &resource,
            "Who changed this? Calls that change something and name it.",
            question,
        )
    })
}

/// A saved query with its form. It is asked once everything is there that it needs; of many events only with a condition.
fn saved(here: &Address, settings: &Settings, name: &str) -> Option<Page> {
    let query = settings.library.get(name).ok()?;
    let header = query.header();
    let form: Vec<Field> = header
        .parameters
        .iter()
        .map(|parameter| {
            let default = parameter.default_text();
            let mut field = field(here, &parameter.name, &parameter.meaning, default.is_none());
            if let Some(default) = default.filter(|default| *default != "null") {
                field.meaning = format!("{} (default {default})", field.meaning);
            }
            field
        })
        .collect();
    let named = (here.page == "query").then(|| Field {
        kind: "hidden",
        ..field(here, "name", "", false)
    });
    let values = here.values(&["name"]);
    let given = form
        .iter()
        .all(|field| !field.needed || !field.value.is_empty());
    let wanted = given && (here.page != "find" || !values.is_empty());
    Some(Page {
        title: header.title.clone(),
        about: "A saved query.",
        question: wanted.then(|| Question::Saved(name.to_owned(), values)),
        panels: Vec::new(),
        facets: Facets::default(),
        form: form.into_iter().chain(named).collect(),
    })
}

fn sql(here: &Address) -> Page {
    let text = here.value("sql");
    let question = text.map(|text| Question::Sql(text.to_owned(), here.values(&["sql"])));
    Page {
        title: "SQL".to_owned(),
        about: "Read-only SQL over events, log_files, rejects and their views.",
        question,
        panels: Vec::new(),
        facets: Facets::default(),
        form: vec![Field {
            kind: "sql",
            ..field(here, "sql", "", true)
        }],
    }
}
