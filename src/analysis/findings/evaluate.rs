//! Rules put to events.
//!
//! In: the events of an incident. Out: what they mean. Promise: only events that a rule is about are looked into.

use super::baseline::Baseline;
use super::condition::{Comparison, Condition, Measure, Right, Set, Test};
use super::events::{Columns, Row};
use super::lists::Lists;
use super::operand::{resolve, values};
use super::rules::{Rule, Rules, Severity};
use super::windows::{Sample, crowded};
use crate::event::Field;
use arrow::array::RecordBatch;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What an event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The event.
    pub event_id: String,
    /// Its time, in microseconds.
    pub event_time: i64,
    /// The tactic of ATT&CK, e.g. `persistence`.
    pub tactic: Arc<str>,
    /// The technique's id in ATT&CK v19.
    pub technique_id: Arc<str>,
    /// The technique's id in v18.
    pub technique_id_v18: Arc<str>,
    /// The technique's name.
    pub technique_name: Arc<str>,
    /// How bad it is; of a failed attempt one step lower than of a success.
    pub severity: Severity,
    /// Whether the call failed.
    pub failed: bool,
    /// One sentence.
    pub why: Arc<str>,
    /// The row of knowledge that says so: `FILE:LINE`.
    pub rule: Arc<str>,
}

/// Finds what the events mean, in order of time. The batches have columns of `events`; those that are missing count as
/// null. They should hold the events of one incident, since "made in the incident" and windows of time are taken over all
/// of them.
pub fn find(
    (rules, lists): (&Rules, &Lists),
    batches: &[RecordBatch],
    baseline: &Baseline,
) -> Vec<Finding> {
    let columns: Vec<Columns> = batches.iter().map(Columns::of).collect();
    let lists = lists.clone().with_created(&columns);
    let candidates = candidates(rules, &columns);
    let mut context = Context {
        baseline,
        lists: &lists,
        crowded: HashSet::new(),
    };
    context.crowded = windows(rules, &candidates, &context);
    let mut findings: Vec<Finding> = candidates
        .iter()
        .enumerate()
        .filter_map(|(number, candidate)| gravest(rules, (number_of(number), candidate), &context))
        .collect();
    findings.sort_by(|a, b| (a.event_time, &a.event_id).cmp(&(b.event_time, &b.event_id)));
    findings
}

/// An event that rules are about.
struct Candidate<'c> {
    columns: &'c Columns,
    row: usize,
    rules: Vec<u32>,
}

impl<'c> Candidate<'c> {
    fn row(&self) -> Row<'c> {
        self.columns.row(self.row)
    }
}

fn number_of(at: usize) -> u32 {
    // More rows than that are more than fit into memory.
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn candidates<'c>(rules: &Rules, columns: &'c [Columns]) -> Vec<Candidate<'c>> {
    let mut found = Vec::new();
    for columns in columns {
        for (at, row) in columns.rows().enumerate() {
            let source = row.text(Field::EventSource).unwrap_or_default();
            let name = row.text(Field::EventName).unwrap_or_default();
            let mut numbers = rules.of(source, name).to_vec();
            // Rules may leave out the date of the API, and old records lack the one that rules name.
            let operation = row.text(Field::Operation).unwrap_or(name);
            if operation != name {
                numbers.extend(rules.of(source, operation));
            }
            if !numbers.is_empty() {
                found.push(Candidate {
                    columns,
                    row: at,
                    rules: numbers,
                });
            }
        }
    }
    found
}

/// What conditions are evaluated against.
struct Context<'x> {
    baseline: &'x Baseline,
    lists: &'x Lists,
    /// Windows and events: the event is in a crowd that the window asks for.
    crowded: HashSet<(usize, u32)>,
}

/// Measures every window of every condition.
fn windows(
    rules: &Rules,
    candidates: &[Candidate<'_>],
    context: &Context<'_>,
) -> HashSet<(usize, u32)> {
    // The events of each condition that has a window.
    let mut with_windows: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut has_window = vec![false; rules.conditions().len()];
    for (at, condition) in rules.conditions().iter().enumerate() {
        condition.windows(&mut Vec::new(), &mut |_, _| has_window[at] = true);
    }
    for (number, candidate) in candidates.iter().enumerate() {
        let mut conditions: Vec<usize> = candidate
            .rules
            .iter()
            .map(|rule| rules.rule(*rule).compiled)
            .collect();
        conditions.sort_unstable();
        conditions.dedup();
        for condition in conditions
            .into_iter()
            .filter(|condition| has_window[*condition])
        {
            with_windows
                .entry(condition)
                .or_default()
                .push(number_of(number));
        }
    }
    let mut marked = HashSet::new();
    for (condition, members) in with_windows {
        rules.conditions()[condition].windows(&mut Vec::new(), &mut |window, guards| {
            let mut groups: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
            for member in &members {
                let row = candidates[*member as usize].row();
                if !guards
                    .iter()
                    .all(|guard| holds(guard, (*member, &row), context))
                {
                    continue;
                }
                let group = match window.by.field {
                    Field::AccessKeyId => row.session().map(str::to_owned),
                    _ => values(&window.by, &row)
                        .into_iter()
                        .next()
                        .map(Cow::into_owned),
                };
                let values = match &window.measure {
                    Measure::Count => Vec::new(),
                    Measure::Distinct(path) | Measure::Sum(path) => values(path, &row)
                        .into_iter()
                        .map(Cow::into_owned)
                        .collect(),
                };
                let sample = Sample {
                    time: row.time(),
                    row: *member,
                    values,
                };
                groups
                    .entry(group.unwrap_or_default())
                    .or_default()
                    .push(sample);
            }
            for samples in groups.values_mut() {
                let rows = crowded(samples, &window.measure, (window.span, window.at_least));
                marked.extend(rows.into_iter().map(|row| (window.id, row)));
            }
        });
    }
    marked
}

/// The gravest rule that holds for an event; of equals the one with a condition, then that of the later file and row.
fn gravest(
    rules: &Rules,
    (number, candidate): (u32, &Candidate<'_>),
    context: &Context<'_>,
) -> Option<Finding> {
    let row = candidate.row();
    let failed = row.failed();
    let graded = |rule: &Rule| match failed && !rules.condition(rule).is_about_failure() {
        true => rule.severity.lower(),
        false => rule.severity,
    };
    let mut held: Option<((Severity, bool), &Rule)> = None;
    for rule in candidate.rules.iter().map(|rule| rules.rule(*rule)) {
        let rank = (graded(rule), !rule.condition.is_empty());
        if held.is_some_and(|(best, _)| best > rank) {
            continue;
        }
        if holds(rules.condition(rule), (number, &row), context) {
            held = Some((rank, rule));
        }
    }
    held.map(|((severity, _), rule)| Finding {
        event_id: row.text(Field::EventId).unwrap_or_default().to_owned(),
        event_time: row.time(),
        tactic: Arc::clone(&rule.tactic),
        technique_id: Arc::clone(&rule.technique_id),
        technique_id_v18: Arc::clone(&rule.technique_id_v18),
        technique_name: Arc::clone(&rule.technique_name),
        severity,
        failed,
        why: Arc::clone(&rule.why),
        rule: Arc::clone(&rule.id),
    })
}

fn holds(condition: &Condition, event: (u32, &Row<'_>), context: &Context<'_>) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, event, context)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, event, context)),
        Condition::Not(part) => !holds(part, event, context),
        Condition::Test(test) => passes(test, event, context),
    }
}

fn passes(test: &Test, (number, row): (u32, &Row<'_>), context: &Context<'_>) -> bool {
    match test {
        Test::Compare(left, comparison) => compares(&resolve(left, row), comparison, row),
        Test::In {
            value,
            negated,
            set,
        } => {
            let within = |value: &str| match set {
                Set::Given(values) => values.iter().any(|given| given == value),
                Set::Named(list) => context.lists.has(*list, value),
            };
            resolve(value, row)
                .iter()
                .any(|value| within(value) != *negated)
        }
        Test::Exists { value, negated } => resolve(value, row).is_empty() == *negated,
        Test::FirstSeen(name, paths) => context.baseline.is_new(name, paths, row),
        Test::Window(window) => context.crowded.contains(&(window.id, number)),
    }
}

fn compares(left: &[Cow<'_, str>], comparison: &Comparison, row: &Row<'_>) -> bool {
    let any = |test: &dyn Fn(&str) -> bool| left.iter().any(|value| test(value));
    match comparison {
        Comparison::Equal(right) => any(&|value| equals(value, right, row)),
        Comparison::Unequal(right) => any(&|value| !equals(value, right, row)),
        Comparison::Contains(part) => any(&|value| value.contains(part.as_str())),
        Comparison::StartsWith(start) => any(&|value| value.starts_with(start.as_str())),
        Comparison::Matches(pattern) => any(&|value| pattern.is_match(value)),
        Comparison::AtMost(limit) => {
            any(&|value| number(value).is_some_and(|value| value <= *limit))
        }
        Comparison::AtLeast(limit) => {
            any(&|value| number(value).is_some_and(|value| value >= *limit))
        }
    }
}

fn equals(value: &str, right: &Right, row: &Row<'_>) -> bool {
    match right {
        Right::Text(text) => value == text,
        // Written out, the limit is the number the rule means: no rounding is involved.
        Right::Number(wanted) => number(value).is_some_and(|value| value.total_cmp(wanted).is_eq()),
        Right::Operand(operand) => resolve(operand, row).iter().any(|wanted| wanted == value),
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}
