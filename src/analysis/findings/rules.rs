//! The rules: what is known of what an event can mean.
//!
//! In: the table that came with the program, and tables of the user in the same shape. Out: [`Rules`], looked up by event.
//! Promise: a row that cannot be understood is an error that names file, line and column; none is passed over.

use super::condition::{Condition, Test};
use super::parse;
use super::path::Path;
use crate::knowledge::attack::{ATTACK_EVENTS, ATTACK_EVENTS_NAME, technique_v18};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look beside other things: a failed attempt at something of low severity.
    Info,
    /// Usual in itself.
    Low,
    /// Unusual.
    Medium,
    /// Harmful.
    High,
    /// Harmful at once.
    Critical,
}

impl Severity {
    /// The name, in small letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// One step lower.
    pub(super) fn lower(self) -> Self {
        match self {
            Severity::Critical => Severity::High,
            Severity::High => Severity::Medium,
            Severity::Medium => Severity::Low,
            Severity::Low | Severity::Info => Severity::Info,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "info" => Ok(Severity::Info),
            "low" => Ok(Severity::Low),
            "medium" => Ok(Severity::Medium),
            "high" => Ok(Severity::High),
            "critical" => Ok(Severity::Critical),
            _ => Err(()),
        }
    }
}

/// One row of knowledge: an event of this kind, under this condition, means this.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where the row stands: `FILE:LINE`.
    pub id: Arc<str>,
    /// The service, e.g. `iam.amazonaws.com`.
    pub event_source: Arc<str>,
    /// The call, as CloudTrail records it.
    pub event_name: Arc<str>,
    /// The tactic of ATT&CK, e.g. `persistence`.
    pub tactic: Arc<str>,
    /// The technique's id in ATT&CK v19.
    pub technique_id: Arc<str>,
    /// The technique's id in v18, which many rule sets still print.
    pub technique_id_v18: Arc<str>,
    /// The technique's name.
    pub technique_name: Arc<str>,
    /// How bad a success is.
    pub severity: Severity,
    /// One sentence.
    pub why: Arc<str>,
    /// When the row applies, in the language of `docs/rules.md`; empty: always.
    pub condition: Arc<str>,
    /// Its place in [`Rules::conditions`].
    pub(super) compiled: usize,
}

/// Why a table of rules is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The file is no CSV.
    #[error("{file}: {reason}")]
    Csv {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A column is missing.
    #[error("{file}: no column {column:?}; expected {expected}")]
    NoColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// All columns.
        expected: String,
    },
    /// A field of a row cannot be understood.
    #[error("{file}: line {line}: {column}{at}: {reason}")]
    Row {
        /// The file.
        file: String,
        /// The line on which the row begins, from 1.
        line: u64,
        /// The column of the table.
        column: &'static str,
        /// Where in the field, if that is known.
        at: String,
        /// What is wrong.
        reason: String,
    },
}

const COLUMNS: [&str; 8] = [
    "eventSource",
    "eventName",
    "tactic",
    "technique_id",
    "technique_name",
    "severity",
    "why",
    "condition",
];

/// The line of a row. The reader counts from before the remarks above it.
fn first_line(text: &str, from: u64) -> u64 {
    let before = usize::try_from(from).unwrap_or(1).saturating_sub(1);
    let skipped = text.lines().skip(before);
    let skipped = skipped.take_while(|line| line.starts_with('#') || line.trim().is_empty());
    from + skipped.count() as u64
}

/// Rules by event.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// By service and call, the latter with and without the date that old APIs carry.
    by_event: HashMap<(Arc<str>, Arc<str>), Vec<u32>>,
    conditions: Vec<Condition>,
    by_text: HashMap<Arc<str>, usize>,
    windows: usize,
    combinations: BTreeMap<String, Vec<Path>>,
}

impl Rules {
    /// The rules that came with the program.
    ///
    /// # Errors
    ///
    /// None in a program whose tests pass: every row is compiled there.
    pub fn builtin() -> Result<Self, RulesError> {
        Rules::default().with_file(ATTACK_EVENTS_NAME, ATTACK_EVENTS)
    }

    /// These rules and those of a CSV text with the columns `eventSource`, `eventName`, `tactic`, `technique_id`,
    /// `technique_name`, `severity`, `why` and `condition`; lines that begin with `#` are remarks. `file` is how errors
    /// and findings call it. Of two rules that hold with the same severity the later file's wins.
    ///
    /// # Errors
    ///
    /// When the text cannot be understood.
    pub fn with_file(mut self, file: &str, text: &str) -> Result<Self, RulesError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let broken = |error: csv::Error| RulesError::Csv {
            file: file.to_owned(),
            reason: error.to_string(),
        };
        let head = reader.headers().map_err(broken)?.clone();
        let mut places = [0; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = head
                .iter()
                .position(|name| name.trim_start_matches('\u{feff}').trim() == column);
            *place = found.ok_or_else(|| RulesError::NoColumn {
                file: file.to_owned(),
                column,
                expected: COLUMNS.join(", "),
            })?;
        }
        let shared = |text: &str| Arc::<str>::from(text);
        for row in reader.records() {
            let row = row.map_err(broken)?;
            let line = row.position().map_or(0, |at| first_line(text, at.line()));
            let field = |column: usize| row.get(places[column]).unwrap_or_default().trim();
            let fault = |column: usize, at: String, reason: String| RulesError::Row {
                file: file.to_owned(),
                line,
                column: COLUMNS[column],
                at,
                reason,
            };
            for column in [0, 1, 2, 6] {
                if field(column).is_empty() {
                    return Err(fault(column, String::new(), "is empty".to_owned()));
                }
            }
            let severity = field(5).parse().map_err(|()| {
                let reason = format!(
                    "{:?} is not one of critical, high, medium, low, info",
                    field(5)
                );
                fault(5, String::new(), reason)
            })?;
            let compiled = self.compile(field(7)).map_err(|problem| {
                fault(7, format!(", character {}", problem.at + 1), problem.reason)
            })?;
            for name in field(1).split_whitespace() {
                self.add(Rule {
                    id: shared(&format!("{file}:{line}")),
                    event_source: shared(field(0)),
                    event_name: shared(name),
                    tactic: shared(field(2)),
                    technique_id: shared(field(3)),
                    technique_id_v18: shared(technique_v18(field(3))),
                    technique_name: shared(field(4)),
                    severity,
                    why: shared(field(6)),
                    condition: shared(field(7)),
                    compiled,
                });
            }
        }
        Ok(self)
    }

    /// Every rule, in the order of the tables.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// How a rule looks into the compiled conditions. Equal texts are compiled once, so that the windows of all rules with
    /// that text measure their events together.
    fn compile(&mut self, text: &str) -> Result<usize, parse::Fault> {
        if let Some(at) = self.by_text.get(text) {
            return Ok(*at);
        }
        let mut condition = parse::condition(text)?;
        condition.number(&mut self.windows);
        condition.tests(&mut |test| {
            if let Test::FirstSeen(name, paths) = test {
                self.combinations.insert(name.clone(), paths.clone());
            }
        });
        self.conditions.push(condition);
        let at = self.conditions.len() - 1;
        self.by_text.insert(Arc::from(text), at);
        Ok(at)
    }

    fn add(&mut self, rule: Rule) {
        // More rules than numbers of 32 bits are more than fit into memory.
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        let key = (Arc::clone(&rule.event_source), Arc::clone(&rule.event_name));
        self.by_event.entry(key).or_default().push(number);
        self.rules.push(rule);
    }

    /// The rules for an event.
    pub(super) fn of(&self, event_source: &str, event_name: &str) -> &[u32] {
        let key = (Arc::from(event_source), Arc::from(event_name));
        self.by_event.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn rule(&self, number: u32) -> &Rule {
        &self.rules[number as usize]
    }

    pub(super) fn condition(&self, rule: &Rule) -> &Condition {
        &self.conditions[rule.compiled]
    }

    pub(super) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The combinations of values that conditions ask to be new.
    pub(super) fn combinations(&self) -> impl Iterator<Item = (&str, &[Path])> {
        self.combinations
            .iter()
            .map(|(name, paths)| (name.as_str(), paths.as_slice()))
    }
}
