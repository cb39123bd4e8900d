//! What a question needs to know.
//!
//! In: a line of a header (`days integer = 90: how far back`), and values as typed. Out: a [`Parameter`], and values of its
//! type for `$days` in the query. Promise: a value is bound, never pasted into the text of a query; one that does not fit
//! is an error that names the parameter, its type and the value.

use crate::cloudtrail::{Bound, parse_time};
use crate::session::Params;
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use std::collections::BTreeMap;
use std::fmt;

/// A named parameter of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `$name` in the query.
    pub name: String,
    /// What its values are.
    pub kind: ParameterKind,
    /// What it is if it is not given.
    pub default: Default,
    /// One line for people.
    pub meaning: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A moment in UTC, written as `--since` takes it.
    Time,
}

/// What a parameter is if it is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Default {
    /// It has to be given.
    Required,
    /// Null: the condition it stands in does not apply.
    Null,
    /// This value, as one would type it.
    Value(String),
}

/// Why a question cannot be asked with these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Values without which there is no question.
    #[error("{question} needs {}", listed(missing))]
    Missing {
        /// The question.
        question: String,
        /// What it needs.
        missing: Vec<Parameter>,
    },
    /// A value for nothing.
    #[error("{question} has no parameter {name:?}")]
    Unknown {
        /// The question.
        question: String,
        /// The name as given.
        name: String,
        /// What it has.
        known: Vec<Parameter>,
    },
    /// A value of another type.
    #[error("{name}: {value:?} is {expected}")]
    Unreadable {
        /// The parameter.
        name: String,
        /// The value as given.
        value: String,
        /// What it is not.
        expected: String,
    },
}

/// Names and meanings, one after the other.
fn listed(parameters: &[Parameter]) -> String {
    let one = |parameter: &Parameter| {
        format!(
            "{} ({}: {})",
            parameter.name, parameter.kind, parameter.meaning
        )
    };
    let all: Vec<String> = parameters.iter().map(one).collect();
    all.join(" and ")
}

impl ParameterKind {
    const ALL: [ParameterKind; 5] = [
        ParameterKind::Text,
        ParameterKind::Integer,
        ParameterKind::Number,
        ParameterKind::Boolean,
        ParameterKind::Time,
    ];

    /// The name in headers.
    pub const fn name(self) -> &'static str {
        match self {
            ParameterKind::Text => "text",
            ParameterKind::Integer => "integer",
            ParameterKind::Number => "number",
            ParameterKind::Boolean => "boolean",
            ParameterKind::Time => "time",
        }
    }

    /// The value that a text stands for, or what it should have been.
    fn read(self, text: &str, now: DateTime<Utc>) -> Result<ScalarValue, String> {
        match self {
            ParameterKind::Text => Ok(ScalarValue::from(text)),
            ParameterKind::Integer => text
                .parse()
                .map(|number: i64| ScalarValue::from(number))
                .map_err(|_| "not a whole number".to_owned()),
            ParameterKind::Number => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(ScalarValue::from)
                .ok_or_else(|| "not a number".to_owned()),
            ParameterKind::Boolean => text
                .parse()
                .map(|flag: bool| ScalarValue::from(flag))
                .map_err(|_| "neither true nor false".to_owned()),
            ParameterKind::Time => parse_time(text, now, Bound::Since)
                .map(|time| moment(Some(time.timestamp_micros())))
                .map_err(|error| {
                    let said = error.to_string();
                    // The text is said already.
                    let expected = said.split_once(" is ").map(|(_, rest)| rest.to_owned());
                    expected.unwrap_or(said)
                }),
        }
    }

    /// Null, of this type.
    fn null(self) -> ScalarValue {
        match self {
            ParameterKind::Text => ScalarValue::Utf8(None),
            ParameterKind::Integer => ScalarValue::Int64(None),
            ParameterKind::Number => ScalarValue::Float64(None),
            ParameterKind::Boolean => ScalarValue::Boolean(None),
            ParameterKind::Time => moment(None),
        }
    }
}

fn moment(micros: Option<i64>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Parameter {
    /// Reads `NAME TYPE: MEANING` or `NAME TYPE = DEFAULT: MEANING`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "a parameter is written `NAME TYPE: MEANING` or `NAME TYPE = DEFAULT: MEANING`";
        // A colon inside a default, as times have it, has no space after it.
        let (declared, meaning) = text.split_once(": ").ok_or(FORM)?;
        let (declared, default) = match declared.split_once('=') {
            None => (declared, Default::Required),
            Some((declared, default)) => match default.trim() {
                "" => return Err(FORM.to_owned()),
                "null" => (declared, Default::Null),
                value => (declared, Default::Value(value.to_owned())),
            },
        };
        let mut words = declared.split_whitespace();
        let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
            return Err(FORM.to_owned());
        };
        if !name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            || !name.starts_with(|c: char| c.is_ascii_lowercase())
        {
            return Err(format!(
                "parameter `{name}`: names are lower-case letters, digits and _"
            ));
        }
        let kind = ParameterKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| {
                let known = ParameterKind::ALL.map(ParameterKind::name).join(", ");
                format!("parameter `{name}`: unknown type `{kind}`; types are {known}")
            })?;
        if let Default::Value(value) = &default {
            kind.read(value, DateTime::UNIX_EPOCH)
                .map_err(|expected| format!("parameter `{name}`: {value:?} is {expected}"))?;
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            default,
            meaning: meaning.trim().to_owned(),
        })
    }

    /// The default as people write it; none if the parameter has to be given.
    pub fn default_text(&self) -> Option<&str> {
        match &self.default {
            Default::Required => None,
            Default::Null => Some("null"),
            Default::Value(value) => Some(value),
        }
    }
}

/// The values of a question's parameters, from names and texts as given.
///
/// # Errors
///
/// A name that the question does not have, a value of another type, a value that is missing.
pub(super) fn bind(
    question: &str,
    parameters: &[Parameter],
    given: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Result<Params, ParameterError> {
    let read = |parameter: &Parameter, value: &str| {
        parameter
            .kind
            .read(value, now)
            .map_err(|expected| ParameterError::Unreadable {
                name: parameter.name.clone(),
                value: value.to_owned(),
                expected,
            })
    };
    let mut params = Params::new();
    for (name, value) in given {
        let parameter = parameters.iter().find(|known| known.name == *name);
        let parameter = parameter.ok_or_else(|| ParameterError::Unknown {
            question: question.to_owned(),
            name: name.clone(),
            known: parameters.to_vec(),
        })?;
        params.insert(name.clone(), read(parameter, value)?);
    }
    let mut missing = Vec::new();
    for parameter in parameters {
        if params.contains_key(&parameter.name) {
            continue;
        }
        let value = match &parameter.default {
            Default::Required => {
                missing.push(parameter.clone());
                continue;
            }
            Default::Null => parameter.kind.null(),
            Default::Value(value) => read(parameter, value)?,
        };
        params.insert(parameter.name.clone(), value);
    }
    if missing.is_empty() {
        Ok(params)
    } else {
        Err(ParameterError::Missing {
            question: question.to_owned(),
            missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(text: &str) -> Parameter {
        Parameter::parse(text).unwrap()
    }

    fn bound(parameters: &[Parameter], given: &[(&str, &str)]) -> Result<Params, ParameterError> {
        let given: BTreeMap<_, _> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        bind("q", parameters, &given, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn declarations() {
        let days = parameter("days integer = 90: how far back");
        assert_eq!(days.default_text(), Some("90"));
        for (text, problem) in [
            ("days", "a parameter is written"),
            ("days integer", "a parameter is written"),
            ("days integer =: x", "a parameter is written"),
            (
                "days whole: x",
                "unknown type `whole`; types are text, integer",
            ),
            ("Days integer: x", "lower-case"),
            (
                "days integer = ninety: x",
                "\"ninety\" is not a whole number",
            ),
        ] {
            let said = Parameter::parse(text).unwrap_err();
            assert!(said.contains(problem), "{text}: {said}");
        }
    }

    #[test]
    fn values() {
        let parameters = [
            parameter("key text: the key"),
            parameter("days integer = 90: how far back"),
            parameter("at time = null: when"),
        ];
        let params = bound(&parameters, &[("key", "a'; --"), ("at", "2025-03-01")]).unwrap();
        assert_eq!(params["key"], ScalarValue::from("a'; --"));
        assert_eq!(params["days"], ScalarValue::from(90_i64));
        assert_eq!(params["at"], moment(Some(1_740_787_200_000_000)));
        assert!(bound(&parameters, &[("key", "k")]).unwrap()["at"].is_null());
    }

    #[test]
    fn values_that_do_not_fit() {
        let parameters = [
            parameter("key text: the key"),
            parameter("days integer = 90: how far back"),
        ];
        let said = |given: &[(&str, &str)]| bound(&parameters, given).unwrap_err().to_string();
        assert_eq!(said(&[]), "q needs key (text: the key)");
        assert_eq!(said(&[("kee", "k")]), "q has no parameter \"kee\"");
        assert_eq!(said(&[("days", "x")]), "days: \"x\" is not a whole number");
    }
}
