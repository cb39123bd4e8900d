//! The arguments of a call.
//!
//! In: a JSON object. Out: values of the types that a tool takes. Promise: a value of another type, and a name that the tool does
//! not have, are errors that say what was expected; nothing is ignored.

use crate::cloudtrail::{AccessKeyId, Bound, Range, parse_time};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Arguments that have not been taken yet.
#[derive(Debug)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) fn new(given: Map<String, Value>) -> Self {
        // Clients send null for what they leave out.
        Self(
            given
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        )
    }

    /// A text that may be left out.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{name} is a text")),
        }
    }

    /// A text that has to be given.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, String> {
        let text = self.text(name)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| format!("{name} is required"))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.0.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(format!("{name} is true or false")),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<usize>, String> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        number
            .map(Some)
            .ok_or_else(|| format!("{name} is a whole number"))
    }

    pub(super) fn key(&mut self) -> Result<AccessKeyId, String> {
        key(&self.needed("access_key_id")?)
    }

    pub(super) fn keys(&mut self) -> Result<Vec<AccessKeyId>, String> {
        let wrong = || "access_key_ids is a list of texts".to_owned();
        match self.0.remove("access_key_ids") {
            None => Ok(Vec::new()),
            Some(Value::Array(keys)) => keys
                .iter()
                .map(|text| key(text.as_str().ok_or_else(wrong)?))
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// Values for the parameters of a query, as texts.
    pub(super) fn values(&mut self) -> Result<BTreeMap<String, String>, String> {
        let Some(value) = self.0.remove("parameters") else {
            return Ok(BTreeMap::new());
        };
        let Value::Object(given) = value else {
            return Err("parameters is an object: names and values".to_owned());
        };
        let texts = given.into_iter().filter_map(|(name, value)| match value {
            Value::Null => None,
            Value::String(text) => Some(Ok((name, text))),
            Value::Bool(_) | Value::Number(_) => Some(Ok((name, value.to_string()))),
            _ => Some(Err(format!(
                "the value of the parameter {name} is a text or a number"
            ))),
        });
        texts.collect()
    }

    pub(super) fn range(&mut self) -> Result<Range, String> {
        Ok(Range {
            since: self.moment("since", Bound::Since)?,
            until: self.moment("until", Bound::Until)?,
        })
    }

    fn moment(&mut self, name: &str, bound: Bound) -> Result<Option<DateTime<Utc>>, String> {
        let text = self.text(name)?;
        let moment = text.map(|text| parse_time(&text, Utc::now(), bound));
        moment
            .transpose()
            .map_err(|error| format!("{name}: {error}"))
    }

    /// Nothing is left.
    pub(super) fn end(self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("this tool has no argument {name:?}")),
        }
    }
}

/// A key, which is often copied with a space or typed in small letters.
fn key(text: &str) -> Result<AccessKeyId, String> {
    let key = text.trim().to_ascii_uppercase().parse::<AccessKeyId>();
    key.map_err(|error| error.to_string())
}
