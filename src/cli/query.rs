//! Options of the commands that run SQL.
//!
//! In: the command line. Out: values for parameters, and limits. Promise: a value given by `--param`
//! stays a value; it never becomes SQL.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use keytrail::session::{EVENT_DATA_STORE, is_placeholder, placeholders};

use crate::failure::Failure;
use crate::size::ByteSize;

/// Values for the parameters of a query.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ParamArgs {
    /// Value of a parameter: --param user=alice for $user (repeatable)
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    params: Vec<Assignment>,
}

/// `name=value`.
#[derive(Debug, Clone)]
struct Assignment {
    name: String,
    value: String,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
        let name = name.trim().trim_start_matches('$');
        let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(known) {
            return Err("the name before = may contain letters, digits and _");
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl ParamArgs {
    /// The values by name.
    pub(crate) fn texts(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut texts = BTreeMap::new();
        for Assignment { name, value } in &self.params {
            if texts.insert(name.clone(), value.clone()).is_some() {
                return Err(Failure::usage(format!("--param {name}=… is given twice")));
            }
        }
        Ok(texts)
    }

    /// The same, and values without a name for the parameters that have none yet, in their order.
    pub(crate) fn with(
        &self,
        values: &[String],
        names: &[&str],
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut texts = self.texts()?;
        let open: Vec<&str> = names
            .iter()
            .filter(|name| !texts.contains_key(**name))
            .copied()
            .collect();
        if values.len() > open.len() {
            let taken = match open.len() {
                0 => "takes no value".to_owned(),
                _ => format!("takes {}", open.join(", ")),
            };
            return Err(Failure::usage(format!(
                "{} values are given, and the saved query {taken}",
                values.len()
            )));
        }
        for (name, value) in open.into_iter().zip(values) {
            texts.insert(name.to_owned(), value.clone());
        }
        Ok(texts)
    }
}

/// The event data store that queries written for CloudTrail Lake ask.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "CloudTrail Lake")]
pub(crate) struct StoreArgs {
    /// Name or id of the event data store in queries for CloudTrail Lake; replaces <EDS ID>, $EDS_ID and the like
    #[arg(
        long,
        visible_alias = "eds",
        value_name = "NAME_OR_UUID",
        default_value = EVENT_DATA_STORE
    )]
    event_data_store: String,
}

impl StoreArgs {
    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.event_data_store
    }
}

/// How much a query may take.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Give up after this time: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,

    /// Memory for sorting, grouping and joining; the rest goes to temporary files ($TMPDIR)
    #[arg(long, value_name = "SIZE", default_value = "4GiB")]
    max_memory: ByteSize,
}

impl LimitArgs {
    /// How long a query may take.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Bytes.
    pub(crate) fn max_memory(&self) -> usize {
        usize::try_from(self.max_memory.0).unwrap_or(usize::MAX)
    }
}

fn span(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "write it like 30s, 5m or 1h";
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(WRONG)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| WRONG)?;
    let seconds = match unit {
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    };
    match seconds {
        Some(0) | None => Err(WRONG),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

/// What to say of places in a query, or in its values, that were to be filled in: the answer is empty, and does not say why.
pub(crate) fn unfilled(sql: &str, values: &BTreeMap<String, String>) -> Vec<String> {
    let values = values.iter().filter(|(_, value)| is_placeholder(value));
    let values = values.map(|(name, value)| format!("{value:?}, the value of ${name},"));
    let places = placeholders(sql).into_iter().chain(values);
    let notes =
        places.map(|place| format!("{place} looks like a placeholder: replace it with a value"));
    notes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(span("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(span("1h"), Ok(Duration::from_secs(3600)));
        for wrong in [
            "",
            "30",
            "s",
            "0s",
            "1.5h",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_may_hold_anything() {
        let assignment: Assignment = "$arn=arn:aws:iam::1:user/a=b' OR 1=1".parse().unwrap();
        assert_eq!(assignment.name, "arn");
        assert_eq!(assignment.value, "arn:aws:iam::1:user/a=b' OR 1=1");
        for wrong in ["arn", "=x", "a b=c"] {
            assert!(wrong.parse::<Assignment>().is_err(), "{wrong}");
        }
    }
}
