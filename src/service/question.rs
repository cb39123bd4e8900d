//! What can be asked.
//!
//! In: names and values. Out: a [`Question`], and the command that asks the same. Promise: a question is plain data; two that are
//! equal have the same answer.

use super::Settings;
use crate::analysis::{KEY, KEYS, SqlAnalysis, Start};
use crate::cloudtrail::{AccessKeyId, Range};
use std::collections::BTreeMap;

/// Statements of `queries/`, by name.
macro_rules! sql {
    ($($path:literal),*) => {
        &[$(include_str!(concat!("../../queries/", $path, ".sql"))),*]
    };
}

/// A question, and the range of time that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// Only events of this range.
    pub range: Range,
}

impl From<Question> for Asked {
    /// About all events.
    fn from(question: Question) -> Self {
        Self {
            question,
            range: Range::default(),
        }
    }
}

/// Everything that the commands which read can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Every access key and who uses it; with temporary ones?
    Keys(bool),
    /// The long-term keys, those that look stolen marked.
    MarkedKeys,
    /// The keys that look stolen, and why.
    SuspiciousKeys,
    /// Everything that one key did.
    Key(AccessKeyId),
    /// The same, with a warning first if the key looks stolen.
    MarkedKey(AccessKeyId),
    /// Who uses these keys; every long-term key if none is named.
    Consumers(Vec<AccessKeyId>),
    /// Whether these keys can go; every key if none is named.
    Ready(Vec<AccessKeyId>),
    /// What has to be done until these keys can go.
    Plan(Vec<AccessKeyId>),
    /// The least-privilege policy for what a key was seen to do.
    Policy(AccessKeyId),
    /// What came out of a credential, or where it came from.
    Trace(Traced),
    /// What the logs cover.
    Coverage,
    /// The rules about attacks whose names contain a text.
    Rules(String),
    /// The columns of an event.
    Columns,
    /// The tables that SQL can ask, or the columns of one.
    Tables(Option<String>),
    /// The saved queries.
    SavedQueries,
    /// One saved query in full.
    SavedQuery(String),
    /// A saved query's answer, with values for its parameters.
    Saved(String, BTreeMap<String, String>),
    /// Statements, with values for their parameters.
    Sql(String, BTreeMap<String, String>),
}

/// What is traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The start point.
    pub start: Start,
    /// Whether to find where it came from, instead of what followed.
    pub up: bool,
    /// Whether what the owner made or changed is followed, too.
    pub follow_owner: bool,
}

impl Question {
    /// The words of the command that asks the same, after `keytrail`; what they are asked of comes after them.
    pub fn command(&self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let with = |name: &str, keys: &[AccessKeyId]| {
            let keys = keys.iter().map(|key| key.as_str().to_owned());
            [name.to_owned()].into_iter().chain(keys).collect()
        };
        let valued = |mut words: Vec<String>, values: &BTreeMap<String, String>| {
            for (name, value) in values {
                words.extend(["--param".to_owned(), format!("{name}={value}")]);
            }
            words
        };
        match self {
            Question::Keys(true) => words(&["keys", "--temporary"]),
            Question::Keys(false) | Question::MarkedKeys => words(&["keys"]),
            Question::SuspiciousKeys => words(&["keys", "--suspicious"]),
            Question::Key(key) | Question::MarkedKey(key) => words(&["key", key.as_str()]),
            Question::Consumers(keys) => {
                let mut words: Vec<String> = with("consumers", keys);
                words.extend(["--include".to_owned(), "intruder".to_owned()]);
                words
            }
            Question::Ready(keys) => with("ready", keys),
            Question::Plan(keys) => with("plan", keys),
            Question::Policy(key) => words(&["policy", key.as_str()]),
            Question::Trace(traced) => {
                let mut words: Vec<String> = words(&["trace", traced.start.as_str()]);
                words.extend(traced.up.then(|| "--up".to_owned()));
                words.extend(traced.follow_owner.then(|| "--follow-owner".to_owned()));
                words
            }
            Question::Coverage => words(&["coverage"]),
            Question::Rules(text) if text.is_empty() => words(&["rules"]),
            Question::Rules(text) => words(&["rules", text]),
            Question::Columns => words(&["describe"]),
            Question::Tables(None) => words(&["sql", "SHOW TABLES"]),
            Question::Tables(Some(table)) => words(&["sql", &format!("DESCRIBE \"{table}\"")]),
            Question::SavedQueries => words(&["list"]),
            Question::SavedQuery(name) => words(&["list", name]),
            Question::Saved(name, values) => valued(words(&["run", name]), values),
            Question::Sql(text, values) => valued(words(&["sql", text]), values),
        }
    }

    /// The SQL behind it, in the order it is asked; the first statements only, where further ones depend on their answers.
    pub fn sql(&self, settings: &Settings) -> Vec<String> {
        let of = |analysis: &SqlAnalysis| -> Vec<String> {
            let base = analysis.base.iter().map(|(_, sql)| *sql);
            let sections = analysis.sections.iter().map(|section| section.sql);
            base.chain(sections).map(str::to_owned).collect()
        };
        let files = |sql: &[&str]| sql.iter().map(|sql| (*sql).to_owned()).collect();
        match self {
            Question::Keys(_) | Question::MarkedKeys => of(&KEYS),
            Question::Key(_) | Question::MarkedKey(_) => of(&KEY),
            Question::Sql(text, _) => vec![text.clone()],
            Question::Saved(name, _) => {
                let query = settings.library.get(name);
                query.map_or(Vec::new(), |query| vec![query.sql().to_owned()])
            }
            Question::Coverage => files(sql![
                "coverage/days",
                "coverage/regions",
                "coverage/event_categories",
                "coverage/rejected_log_files"
            ]),
            Question::Consumers(_) => files(sql![
                "consumers/uses",
                "consumers/context",
                "consumers/role_sessions"
            ]),
            Question::Ready(_) | Question::Plan(_) => files(sql![
                "consumers/uses",
                "consumers/context",
                "ready/marks",
                "ready/on_behalf"
            ]),
            Question::Policy(_) => files(sql!["policy/needs"]),
            Question::SuspiciousKeys => files(sql![
                "attribution/uses",
                "attribution/lineage",
                "attribution/issued"
            ]),
            Question::Trace(_) => files(sql![
                "trace/uses",
                "trace/issued",
                "trace/changes",
                "trace/events"
            ]),
            Question::Tables(None) => vec!["SHOW TABLES".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Whether its answer is what its SQL says, and not what is made of that.
    pub fn is_sql(&self) -> bool {
        matches!(
            self,
            Question::Saved(..)
                | Question::Sql(..)
                | Question::Keys(_)
                | Question::Key(_)
                | Question::MarkedKey(_)
                | Question::MarkedKeys
                | Question::Coverage
                | Question::Tables(_)
        )
    }

    /// Whether it rests on events, and takes a range of time.
    pub fn rests_on_events(&self) -> bool {
        !matches!(
            self,
            Question::Rules(_)
                | Question::Columns
                | Question::Tables(_)
                | Question::SavedQueries
                | Question::SavedQuery(_)
        )
    }
}
