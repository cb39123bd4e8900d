//! What an address says.
//!
//! In: the address of a page. Out: the page, the form it is wanted in, and values by name. Promise: two addresses that are the same
//! show the same; a value that is given twice counts as it was given last.

use crate::analysis::Start;
use crate::cloudtrail::{AccessKeyId, Bound, Range, parse_time};
use crate::knowledge::address_range;
use crate::service::{Part, View};
use axum::http::Uri;
use chrono::Utc;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// What is not a value of the question, but of how its answer is shown.
const SHOWN: [&str; 7] = [
    "since", "until", "section", "sort", "order", "filter", "offset",
];

/// What a choice of a value begins with, before the name of the column.
const ONLY: &str = "is.";

/// Rows of a table of its own, and of one among others.
const ROWS: (usize, usize) = (100, 20);

/// An address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// The page's name.
    pub(super) page: String,
    /// What comes after the dot: `json`, `csv`, `parquet`, `part` …
    pub(super) form: Option<String>,
    values: BTreeMap<String, String>,
}

/// The page that shows such a value, and what the value is called there.
fn place_of(sought: &str) -> (&'static str, &'static str) {
    let is_resource = sought.starts_with("s3://")
        || (sought.starts_with("arn:") && !sought.contains(":iam:") && !sought.contains(":sts:"));
    match Start::new(sought) {
        Start::Event(_) => ("event", "event_id"),
        _ if address_range(sought).is_some() => ("address", "source_ip_address"),
        _ if is_resource => ("resource", "resource"),
        _ => ("trace", "start"),
    }
}

impl Address {
    pub(super) fn of(uri: &Uri) -> Self {
        let path = uri.path().trim_matches('/');
        let (page, form) = match path.rsplit_once('.') {
            Some((page, form)) => (page, Some(form.to_owned())),
            None => (path, None),
        };
        let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let values = given
            .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty());
        Self {
            page: if page.is_empty() { "keys" } else { page }.to_owned(),
            form,
            values: values.collect(),
        }
    }

    /// The page of what is typed into the search at the top.
    pub(super) fn sought(uri: &Uri) -> Self {
        let mut here = Self::of(uri);
        let place = here.values.remove("q").map(|sought| {
            let (page, name) = place_of(&sought);
            here.values.insert(name.to_owned(), sought);
            page
        });
        here.page = place.unwrap_or("keys").to_owned();
        here
    }

    /// The page of an event.
    pub(super) fn event(event_id: &str, range: [(&str, &str); 2]) -> Self {
        let values = [("event_id", event_id)].into_iter().chain(range);
        let values = values.filter(|(_, value)| !value.is_empty());
        Self {
            page: "event".to_owned(),
            form: None,
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A value that the page cannot do without.
    pub(super) fn needed(&self, name: &str) -> Result<String, String> {
        let value = self.value(name).map(str::to_owned);
        value.ok_or_else(|| format!("{name} is required"))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value != "false" && value != "0")
    }

    pub(super) fn key(&self) -> Result<AccessKeyId, String> {
        let key = self.needed("access_key_id")?.to_ascii_uppercase();
        key.parse::<AccessKeyId>()
            .map_err(|error| error.to_string())
    }

    /// The key, or none for all.
    pub(super) fn keys(&self) -> Result<Vec<AccessKeyId>, String> {
        match self.value("access_key_id") {
            None => Ok(Vec::new()),
            Some(_) => Ok(vec![self.key()?]),
        }
    }

    /// The values of the question: all that say nothing about how it is shown.
    pub(super) fn values(&self, but: &[&str]) -> BTreeMap<String, String> {
        let values = self.values.iter();
        let values = values.filter(|(name, _)| {
            let name = name.as_str();
            !SHOWN.contains(&name) && !name.starts_with(ONLY) && !but.contains(&name)
        });
        values
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    pub(super) fn range(&self) -> Result<Range, String> {
        let moment = |name: &str, bound| {
            let read = self
                .value(name)
                .map(|text| parse_time(text, Utc::now(), bound));
            read.transpose().map_err(|error| format!("{name}: {error}"))
        };
        Ok(Range {
            since: moment("since", Bound::Since)?,
            until: moment("until", Bound::Until)?,
        })
    }

    /// Values that the rows have to have, by column.
    pub(super) fn only(&self) -> Vec<(String, String)> {
        let values = self.values.iter();
        let only = values.filter_map(|(name, value)| Some((name.strip_prefix(ONLY)?, value)));
        only.map(|(column, value)| (column.to_owned(), value.clone()))
            .collect()
    }

    /// The address with a value chosen, or with none of this column; of a table that has a name, where it is not the only one.
    pub(super) fn choosing(
        &self,
        column: &str,
        value: Option<&str>,
        section: Option<&str>,
    ) -> String {
        let section = section.or(self.value("section"));
        let column = format!("{ONLY}{column}");
        self.with(&[(&column, value), ("section", section), ("offset", None)])
    }

    /// What a form keeps that changes the filter.
    pub(super) fn around_filter(&self) -> Vec<(String, String)> {
        let values = self.values.iter();
        let kept = values.filter(|(name, _)| !["filter", "offset"].contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    pub(super) fn view(&self) -> View {
        View {
            only: self.only(),
            filter: self.value("filter").map(str::to_owned),
            sort: self.value("sort").map(str::to_owned),
            descending: self.value("order") == Some("down"),
        }
    }

    /// The rows that are shown: many of one section, or the first of each.
    pub(super) fn part(&self, alone: bool) -> Part {
        let section = self.value("section").map(str::to_owned);
        let offset = self.value("offset").and_then(|text| text.parse().ok());
        let rows = match alone || section.is_some() {
            true => ROWS.0,
            false => ROWS.1,
        };
        Part {
            section,
            offset: offset.unwrap_or(0),
            rows,
        }
    }

    /// The address with some values changed; none takes a value away.
    pub(super) fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut values = self.values.clone();
        for (name, value) in changes {
            match value {
                Some(value) => drop(values.insert((*name).to_owned(), (*value).to_owned())),
                None => drop(values.remove(*name)),
            }
        }
        to(&self.page, values.iter())
    }

    /// The same as data, or as another form.
    pub(super) fn as_form(&self, form: &str) -> String {
        to(&format!("{}.{form}", self.page), self.values.iter())
    }

    /// Another page about the same range of time.
    pub(super) fn other(&self, page: &str, values: &[(&str, &str)]) -> String {
        let range = ["since", "until"].into_iter();
        let range = range.filter_map(|name| Some((name, self.value(name)?)));
        let values: Vec<(&str, &str)> = range.chain(values.iter().copied()).collect();
        to(page, values.into_iter())
    }
}

/// An address of this server.
fn to<K: AsRef<str>, V: AsRef<str>>(page: &str, values: impl Iterator<Item = (K, V)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(values)
        .finish();
    match query.is_empty() {
        true => format!("/{page}"),
        false => format!("/{page}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_is_shown_by_its_own_page() {
        for (sought, page, name) in [
            ("AKIAIOSFODNN7EXAMPLE", "trace", "start"),
            ("arn%3Aaws%3Aiam%3A%3A1%3Arole/a", "trace", "start"),
            ("svc-report", "trace", "start"),
            ("203.0.113.7", "address", "source_ip_address"),
            ("2001:db8::/32", "address", "source_ip_address"),
            ("8c62c61e-6f49-4c05-add8-56867724b790", "event", "event_id"),
            ("arn:aws:s3:::example-exports", "resource", "resource"),
        ] {
            let uri = format!("/search?q={sought}&since=7d").parse().unwrap();
            let here = Address::sought(&uri);
            assert_eq!(here.page, page, "{sought}");
            assert!(here.value(name).is_some(), "{sought}");
            assert_eq!(here.value("since"), Some("7d"));
        }
    }
}
