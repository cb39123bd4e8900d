//! What is wrong with SQL that a user gave.
//!
//! In: the engine's errors. Out: [`SqlFault`]: one sentence, the place in the text, and names that may have been meant.
//! Promise: what the engine knows of the place is kept; its long lists of everything that would have been valid are not.

mod words;

use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{DataFusionError, SchemaError, Span};
use std::fmt;

/// Names that are offered at most.
const MOST_NEAR: usize = 3;

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", at(.place))]
pub struct SqlFault {
    /// One sentence.
    pub message: String,
    /// Where, if that is known.
    pub place: Option<Box<Position>>,
    /// Names that may have been meant, the most similar first.
    pub near: Vec<String>,
    /// What kind of fault it is.
    pub kind: FaultKind,
}

/// The kinds of faults that something can be done about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The statement is wrong.
    Wrong,
    /// The statement is understood and not allowed.
    Refused,
    /// A file is named where a table belongs.
    File,
    /// There is no table of this name.
    NoTable(String),
    /// There is no function of this name.
    NoFunction(String),
    /// A parameter of this name has no value.
    NoValue(String),
    /// A parameter's value is not of the type that the statement wants.
    UnfitValue,
}

/// A place in a statement's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In characters, at least 1.
    pub length: usize,
    /// The whole line.
    pub text: String,
}

fn at(place: &Option<Box<Position>>) -> impl fmt::Display {
    match place {
        Some(place) => format!(" (line {}, column {})", place.line, place.column),
        None => String::new(),
    }
}

impl Position {
    /// The place at a line and column of a text, if it is one.
    pub(super) fn new((line, column): (u64, u64), length: usize, text: &str) -> Option<Self> {
        let line = usize::try_from(line).ok()?;
        let column = usize::try_from(column).ok()?.max(1);
        let found = text.lines().nth(line.checked_sub(1)?)?;
        let left = found.chars().count().saturating_sub(column - 1);
        Some(Self {
            line,
            column,
            length: length.min(left).max(1),
            text: found.to_owned(),
        })
    }

    fn of(span: Span, text: &str) -> Option<Self> {
        let length = match span.start.line == span.end.line {
            true => span.end.column.saturating_sub(span.start.column),
            // The rest of the line.
            false => u64::MAX,
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Self::new((span.start.line, span.start.column), length, text)
    }

    /// A parser's words without the place they end with, and that place.
    pub(super) fn cut_from(words: &str, text: &str) -> (String, Option<Self>) {
        let parts = words.rsplit_once(" at Line: ");
        let place = parts.and_then(|(words, place)| {
            let (line, column) = place.split_once(", Column: ")?;
            Some((words, line.parse().ok()?, column.trim().parse().ok()?))
        });
        match place {
            Some((words, line, column)) => {
                // The word that the parser stumbled over is as long as it is shown.
                let found = words
                    .rsplit_once("found: ")
                    .map_or(1, |(_, found)| found.chars().count());
                (words.to_owned(), Self::new((line, column), found, text))
            }
            None => (words.to_owned(), None),
        }
    }
}

impl SqlFault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            near: Vec::new(),
            kind: FaultKind::Wrong,
        }
    }

    /// A statement that is understood and not allowed.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Refused,
            ..Self::new(message)
        }
    }

    pub(super) fn no_table(name: &str) -> Self {
        Self {
            kind: FaultKind::NoTable(name.to_owned()),
            ..Self::new(format!("there is no table {name:?}"))
        }
    }

    pub(super) fn at(mut self, place: Option<Position>) -> Self {
        self.place = place.map(Box::new);
        self
    }

    /// What does not fit into a column of a batch of rows, if these words of the engine's are about that: its columns of
    /// texts and lists end at 2 GiB.
    pub(super) fn too_wide(words: &str) -> Option<Self> {
        let words = words.to_lowercase();
        let overflow = [
            "offset overflow",
            "capacity overflow",
            "offset_overflow",
            "overflow: offset",
        ];
        overflow.iter().any(|overflow| words.contains(overflow)).then(|| {
            Self::new(
                "the texts or lists of a batch of rows would take more than 2 GiB: make them shorter, e.g. with substr(text, 1, 1000), or select fewer",
            )
        })
    }

    /// What is wrong with a pattern, if an error is about that.
    pub(super) fn of_pattern(error: &DataFusionError) -> Option<Self> {
        words::of_pattern(&error.find_root().to_string()).map(Self::new)
    }

    /// What the engine says of memory, in numbers.
    pub(super) fn of_memory(said: &str) -> String {
        words::of_memory(said)
    }

    /// What the planner found.
    pub(super) fn of(error: &DataFusionError, text: &str) -> Self {
        let diagnostic = error.diagnostic();
        let place = diagnostic
            .and_then(|diagnostic| diagnostic.span)
            .and_then(|span| Position::of(span, text));
        let root = error.find_root();
        if let DataFusionError::SchemaError(schema, _) = root {
            return Self::of_schema(schema).at(place);
        }
        let said = match diagnostic {
            // That message does not say which types.
            Some(diagnostic) if !diagnostic.message.ends_with("incompatible types") => {
                diagnostic.message.clone()
            }
            _ => root.message().into_owned(),
        };
        // Only the first line is about this statement; what follows is a list of everything valid.
        let said = words::plain(said.lines().next().unwrap_or_default());
        if let Some(fault) = Self::too_wide(&said) {
            return fault;
        }
        let quoted = |start: &str, end: &str| {
            let name = said.strip_prefix(start)?.strip_suffix(end)?;
            Some(name.to_owned())
        };
        if let Some(name) = quoted("table '", "' not found") {
            let name = name.trim_start_matches("datafusion.public.");
            return Self::no_table(name).at(place);
        }
        if let Some(name) = quoted("Invalid function '", "'") {
            return Self {
                kind: FaultKind::NoFunction(name.clone()),
                ..Self::new(format!("there is no function {name:?}")).at(place)
            };
        }
        Self::new(said.trim_end_matches('.')).at(place)
    }

    fn of_schema(error: &SchemaError) -> Self {
        match error {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => {
                let names = valid_fields.iter().map(|field| field.name.as_str());
                Self {
                    near: nearest(&field.name, names),
                    ..Self::new(format!("there is no column {:?}", field.flat_name()))
                }
            }
            SchemaError::AmbiguousReference { field } => Self::new(format!(
                "several tables have a column {:?}: write the table before it",
                field.name
            )),
            error => Self::new(error.to_string()),
        }
    }
}

/// The names that are most similar to a name, the most similar first.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|known| {
            let candidate = known.to_lowercase();
            let distance = match letters(&name) == letters(&candidate) {
                // Letters in another order are the likeliest slip.
                true => 0,
                false => levenshtein(&name, &candidate),
            };
            // A part of a name is meant as often as a misspelt one.
            let part = name.len() >= 4 && candidate.contains(&name);
            match part {
                true => Some((1 + distance / 8, known)),
                false => (distance * 2 <= name.chars().count()).then_some((distance, known)),
            }
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    // The best one, and what is hardly worse.
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.retain(|(distance, _)| *distance <= best + 1);
    near.truncate(MOST_NEAR);
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Whether a third of a name's letters are other ones at most, or they are in another order.
pub(super) fn differs_by_a_third(name: &str, known: &str) -> bool {
    letters(name) == letters(known) || levenshtein(name, known) * 3 <= name.chars().count()
}

/// The names that differ from a name by so many letters at most, the most similar first.
pub(super) fn differ_by<'a>(
    letters: usize,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let near = known.map(|known| (levenshtein(name, known), known));
    let mut near: Vec<(usize, &str)> = near.filter(|(distance, _)| *distance <= letters).collect();
    near.sort_unstable();
    near.truncate(MOST_NEAR);
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

fn letters(name: &str) -> Vec<char> {
    let mut letters: Vec<char> = name.chars().collect();
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_the_words() {
        let text = "SELECT *\nFORM events";
        let (words, place) = Position::cut_from(
            "Expected: end of statement, found: events at Line: 2, Column: 6",
            text,
        );
        assert_eq!(words, "Expected: end of statement, found: events");
        let place = place.unwrap();
        assert_eq!((place.line, place.column, place.length), (2, 6, 6));
        assert_eq!(place.text, "FORM events");
        assert_eq!(
            Position::cut_from("nowhere", text),
            ("nowhere".to_owned(), None)
        );
        assert_eq!(Position::new((9, 1), 1, text), None);
    }

    #[test]
    fn similar_names_come_first() {
        let names = ["event_name", "event_time", "aws_region", "user_agent"];
        let near = |name| nearest(name, names.into_iter());
        assert_eq!(near("evnt_name"), ["event_name"]);
        assert_eq!(near("region"), ["aws_region"]);
        assert_eq!(near("evetn_name"), ["event_name"]);
        assert_eq!(near("zzz"), [""; 0]);
    }
}
