//! Which events was a trail told to leave out?
//!
//! In: calls that set the event selectors of trails. Out: from when on a kind of event may be left out. Promise: what a call does not
//! name as logged in full counts as left out, until a later call names it.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html>

use super::kind::{GLOBAL, LoggedKind, short};
use crate::analysis::rows::Micros;
use crate::json::Value;
use chrono::{DateTime, Utc};
use serde::Deserialize;

pub(in crate::analysis) const SELECTORS: &str =
    include_str!("../../../queries/logged/selectors.sql");

/// A row of [`SELECTORS`].
#[derive(Deserialize)]
pub(super) struct Row {
    event_time: Micros,
    event_name: String,
    account_id: Option<String>,
    aws_region: Option<String>,
    request_parameters: Option<String>,
}

/// A call that says what a trail logs.
#[derive(Debug)]
pub(super) struct Selectors {
    time: DateTime<Utc>,
    is_put: bool,
    /// Account, region and name.
    trail: [String; 3],
    request: Value,
}

impl Selectors {
    pub(super) fn of(row: Row) -> Option<Self> {
        let request = Value::parse(row.request_parameters.as_deref()?)?;
        let name = request.get("trailName").or_else(|| request.get("name"));
        let name = name.and_then(Value::as_str).unwrap_or_default();
        // An ARN ends with the name.
        let name = name.rsplit_once("trail/").map_or(name, |(_, name)| name);
        Some(Self {
            time: row.event_time.0,
            is_put: row.event_name == "PutEventSelectors",
            trail: [
                row.account_id.unwrap_or_default(),
                row.aws_region.unwrap_or_default(),
                name.to_owned(),
            ],
            request,
        })
    }

    pub(super) fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// Whether all events of a kind are logged since the call; none if it says nothing of them.
    fn keeps(&self, kind: &LoggedKind) -> Option<bool> {
        let service = match kind {
            LoggedKind::Apart(source) if source == GLOBAL.0 => {
                let global = self.request.get("includeGlobalServiceEvents")?;
                return Some(*global == Value::Bool(true));
            }
            LoggedKind::Apart(source) => {
                let excludes = |one: &Value| {
                    let sources = list(one, "excludeManagementEventSources");
                    sources.iter().any(|one| one.as_str() == Some(source))
                };
                let basic = list(&self.request, "eventSelectors");
                let excluded = basic.iter().any(excludes) || self.advanced_excludes(source);
                return self.is_put.then_some(!excluded);
            }
            LoggedKind::Data(service)
            | LoggedKind::DataReads(service)
            | LoggedKind::DataWrites(service) => short(service),
            _ => return None,
        };
        let basic = list(&self.request, "eventSelectors").iter();
        let whole = basic
            .filter(|one| one.get("readWriteType").and_then(Value::as_str) == Some("All"))
            .flat_map(|one| list(one, "dataResources"))
            .filter(|resource| is_of(resource.get("type"), service))
            .flat_map(|resource| list(resource, "values"))
            .filter_map(Value::as_str)
            // `arn:aws:s3` and `arn:aws:s3:::` are all objects of all buckets.
            .any(|arn| arn.trim_end_matches(':').split(':').count() == 3);
        self.is_put
            .then(|| whole || self.advanced_takes_all(service))
    }

    /// The fields of each advanced selector, with what they must equal.
    fn advanced(&self) -> impl Iterator<Item = Vec<(&str, &Value)>> {
        let selectors = list(&self.request, "advancedEventSelectors").iter();
        selectors.map(|one| {
            let fields = list(one, "fieldSelectors").iter();
            fields
                .filter_map(|field| Some((field.get("field")?.as_str()?, field)))
                .collect()
        })
    }

    fn advanced_takes_all(&self, service: &str) -> bool {
        self.advanced().any(|fields| {
            let of_service = fields.iter().any(|(name, field)| {
                let types = list(field, "equals").iter();
                *name == "resources.type" && types.clone().any(|one| is_of(Some(one), service))
            });
            let narrows = |name: &str| !matches!(name, "eventCategory" | "resources.type");
            of_service && !fields.iter().any(|(name, _)| narrows(name))
        })
    }

    fn advanced_excludes(&self, source: &str) -> bool {
        self.advanced().any(|fields| {
            fields.iter().any(|(name, field)| {
                let sources = list(field, "notEquals").iter();
                *name == "eventSource" && sources.clone().any(|one| one.as_str() == Some(source))
            })
        })
    }
}

/// The times in which calls left out events of a kind, from each to the next that names them for the same trail, or to the end.
/// Which trail the log is of, it does not say.
pub(super) fn left_out(
    calls: &[Selectors],
    kind: &LoggedKind,
    end: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let told: Vec<(&Selectors, bool)> = calls
        .iter()
        .filter_map(|call| Some((call, call.keeps(kind)?)))
        .collect();
    let spans = told.iter().enumerate().filter(|(_, (_, keeps))| !keeps);
    let spans = spans.map(|(at, (call, _))| {
        let later = told[at + 1..].iter();
        let next = later
            .map(|(next, _)| *next)
            .find(|next| next.trail == call.trail);
        (call.time, next.map_or(end, |next| next.time))
    });
    spans.filter(|(from, to)| from < to).collect()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).map_or(&[], |value| match value {
        Value::Array(items) => items,
        _ => &[],
    })
}

/// Whether a type of resource, such as `AWS::S3::Object`, is of a service.
fn is_of(kind: Option<&Value>, service: &str) -> bool {
    let kind = kind.and_then(Value::as_str).unwrap_or_default();
    let of = kind.split("::").nth(1);
    of.is_some_and(|of| of.eq_ignore_ascii_case(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn what_a_call_does_not_name_in_full_is_left_out_until_one_does() {
        let day = |day: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
        let call = |at: i64, request: &str| Selectors {
            time: day(at),
            is_put: request.contains("electors"),
            trail: Default::default(),
            request: Value::parse(request).unwrap(),
        };
        let basic = |values: &str, read_write: &str| {
            format!(
                r#"{{"eventSelectors":[{{"readWriteType":"{read_write}","dataResources":[{{"type":"AWS::S3::Object","values":["{values}"]}}],
                "excludeManagementEventSources":["kms.amazonaws.com"]}}]}}"#
            )
        };
        let advanced = |more: &str| {
            format!(
                r#"{{"advancedEventSelectors":[{{"fieldSelectors":[{{"field":"eventCategory","equals":["Data"]}},
                {{"field":"resources.type","equals":["AWS::S3::Object"]}}{more}]}}]}}"#
            )
        };
        let narrow = r#",{"field":"resources.ARN","startsWith":["arn:aws:s3:::b/"]}"#;
        let calls = [
            call(1, &basic("arn:aws:s3", "All")),
            call(2, &basic("arn:aws:s3:::other/", "All")),
            call(3, &advanced("")),
            call(4, &advanced(narrow)),
            call(5, &basic("arn:aws:s3:::", "WriteOnly")),
            call(6, r#"{"name":"t","includeGlobalServiceEvents":false}"#),
        ];
        let of = |kind| left_out(&calls, &kind, day(9));
        let s3 = LoggedKind::DataReads("s3.amazonaws.com".to_owned());
        assert_eq!(
            of(s3),
            [(day(2), day(3)), (day(4), day(5)), (day(5), day(9))]
        );
        let lambda = LoggedKind::Data("lambda.amazonaws.com".to_owned());
        assert_eq!(of(lambda).first(), Some(&(day(1), day(2))));
        let kms = LoggedKind::Apart("kms.amazonaws.com".to_owned());
        assert_eq!(
            of(kms),
            [(day(1), day(2)), (day(2), day(3)), (day(5), day(9))]
        );
        assert_eq!(
            of(LoggedKind::Apart(GLOBAL.0.to_owned())),
            [(day(6), day(9))]
        );
        assert_eq!(of(LoggedKind::Reads), []);
        // What another trail is told changes nothing.
        let mut calls = [
            call(2, &basic("arn:aws:s3:::other/", "All")),
            call(3, &basic("arn:aws:s3", "All")),
        ];
        calls[1].trail[2] = "another".to_owned();
        let s3 = LoggedKind::Data("s3.amazonaws.com".to_owned());
        assert_eq!(left_out(&calls, &s3, day(9)), [(day(2), day(9))]);
    }
}
