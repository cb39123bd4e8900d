//! The language of conditions, as a tree.
//!
//! In: the text of one condition. Out: a [`Condition`]. Promise: what cannot be understood is refused with the place and
//! what was expected there; what is understood means what `docs/rules.md` says.

use super::list_name::ListName;
use super::path::Path;
use regex::Regex;

/// When a rule holds.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// Every part holds; with no part: always.
    All(Vec<Condition>),
    /// At least one part holds.
    Any(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// A single test.
    Test(Test),
}

/// A test of one event, or of one event among others.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// Some value of the left side stands in this relation to the right side.
    Compare(Operand, Comparison),
    /// Some value is in the set, or (`negated`) some value is not.
    In {
        value: Operand,
        negated: bool,
        set: Set,
    },
    /// There is a value, or there is none.
    Exists { value: Operand, negated: bool },
    /// This combination of values was not seen before the incident. The text names the combination.
    FirstSeen(String, Vec<Path>),
    /// The event is in a span of time with many others.
    Window(Window),
}

/// A relation to another value.
#[derive(Debug, Clone)]
pub(super) enum Comparison {
    Equal(Right),
    Unequal(Right),
    Contains(String),
    StartsWith(String),
    Matches(Regex),
    AtMost(f64),
    AtLeast(f64),
}

/// The right side of `=` and `!=`.
#[derive(Debug, Clone)]
pub(super) enum Right {
    Text(String),
    Number(f64),
    Operand(Operand),
}

/// The left side of a test.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// What stands there.
    Path(Path),
    /// The account ids in it.
    Accounts(Box<Operand>),
    /// Whom the policy document in it allows something.
    Principals(Box<Operand>),
    /// Several values with `/` between them.
    Join(Vec<Operand>),
}

/// What `in` looks into.
#[derive(Debug, Clone)]
pub(super) enum Set {
    Given(Vec<String>),
    Named(ListName),
}

/// Many events in a short time.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Its number among all windows of the rules; rules with the same condition share it.
    pub(super) id: usize,
    pub(super) measure: Measure,
    pub(super) at_least: f64,
    /// In microseconds.
    pub(super) span: i64,
    /// Events are measured together where this is the same.
    pub(super) by: Path,
}

/// What is measured in a window.
#[derive(Debug, Clone)]
pub(super) enum Measure {
    Count,
    Distinct(Path),
    Sum(Path),
}

impl Condition {
    /// Calls `visit` for every window, each with the parts of the condition that must hold besides it: only events for
    /// which those hold are measured.
    pub(super) fn windows<'c>(
        &'c self,
        guards: &mut Vec<&'c Condition>,
        visit: &mut impl FnMut(&'c Window, &[&'c Condition]),
    ) {
        match self {
            Condition::Test(Test::Window(window)) => visit(window, guards),
            Condition::Test(_) => {}
            Condition::Not(part) => part.windows(guards, visit),
            Condition::Any(parts) => parts.iter().for_each(|part| part.windows(guards, visit)),
            Condition::All(parts) => {
                let before = guards.len();
                guards.extend(parts.iter().filter(|part| !part.has_window()));
                parts.iter().for_each(|part| part.windows(guards, visit));
                guards.truncate(before);
            }
        }
    }

    fn has_window(&self) -> bool {
        match self {
            Condition::Test(test) => matches!(test, Test::Window(_)),
            Condition::Not(part) => part.has_window(),
            Condition::Any(parts) | Condition::All(parts) => {
                parts.iter().any(Condition::has_window)
            }
        }
    }

    /// Numbers the windows, beginning with `next`.
    pub(super) fn number(&mut self, next: &mut usize) {
        match self {
            Condition::Test(Test::Window(window)) => {
                window.id = *next;
                *next += 1;
            }
            Condition::Test(_) => {}
            Condition::Not(part) => part.number(next),
            Condition::Any(parts) | Condition::All(parts) => {
                parts.iter_mut().for_each(|part| part.number(next));
            }
        }
    }

    /// Calls `visit` for every test.
    pub(super) fn tests<'c>(&'c self, visit: &mut impl FnMut(&'c Test)) {
        match self {
            Condition::Test(test) => visit(test),
            Condition::Not(part) => part.tests(visit),
            Condition::Any(parts) | Condition::All(parts) => {
                parts.iter().for_each(|part| part.tests(visit));
            }
        }
    }

    /// Whether only a failed call can fulfil it: then the rule's severity is already that of a failure.
    pub(super) fn is_about_failure(&self) -> bool {
        use crate::event::Field;
        match self {
            Condition::Test(Test::Compare(Operand::Path(path), comparison)) => {
                !matches!(comparison, Comparison::Unequal(_))
                    && matches!(path.field, Field::ErrorCode | Field::ErrorMessage)
            }
            Condition::Test(Test::In { value, negated, .. } | Test::Exists { value, negated }) => {
                let error = |value: &Operand| {
                    matches!(value, Operand::Path(path)
                        if matches!(path.field, Field::ErrorCode | Field::ErrorMessage))
                };
                !negated && error(value)
            }
            Condition::Test(_) | Condition::Not(_) => false,
            Condition::All(parts) => parts.iter().any(Condition::is_about_failure),
            Condition::Any(parts) => {
                !parts.is_empty() && parts.iter().all(Condition::is_about_failure)
            }
        }
    }
}
