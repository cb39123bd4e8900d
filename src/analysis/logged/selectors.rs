//! Which events was a trail told to leave out, and when was it stopped?
//!
//! In: calls that set the event selectors of trails, or stop them. Out: from when on a kind of event may be left out. Promise: what a call
//! does not name as logged in full counts as left out, until a later call names it; a trail that was stopped logs nothing until
//! it is started.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html>

use super::Stream;
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

/// A time in which a trail left out events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::analysis) struct LeftOut {
    pub(in crate::analysis) from: DateTime<Utc>,
    pub(in crate::analysis) to: DateTime<Utc>,
    /// In words.
    pub(in crate::analysis) why: String,
}

/// A call that says what a trail logs.
#[derive(Debug)]
pub(super) struct Selectors {
    time: DateTime<Utc>,
    call: String,
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
            call: row.event_name,
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

    /// Whether a trail logs events of a place at all since the call; none if it says nothing of it.
    fn runs(&self, of: &Stream) -> Option<bool> {
        if self.trail[0] != of.account {
            return None;
        }
        match self.call.as_str() {
            "StopLogging" | "DeleteTrail" => Some(false),
            "StartLogging" => Some(true),
            "PutEventSelectors" => self.takes_management(&of.kind),
            // A trail of one region logs the calls to that region.
            "UpdateTrail" if self.trail[1] != of.region => {
                let all = self.request.get("isMultiRegionTrail")?;
                Some(*all == Value::Bool(true))
            }
            _ => None,
        }
    }

    /// Whether management events of a kind are logged in full since the call.
    fn takes_management(&self, kind: &LoggedKind) -> Option<bool> {
        let of_kind: &[&str] = match kind {
            LoggedKind::Reads => &["ReadOnly"],
            LoggedKind::Writes => &["WriteOnly"],
            LoggedKind::Management | LoggedKind::Apart(_) => &["ReadOnly", "WriteOnly"],
            _ => return None,
        };
        let basic = list(&self.request, "eventSelectors").iter();
        let mut taken: Vec<&str> = basic
            .filter(|one| one.get("includeManagementEvents") != Some(&Value::Bool(false)))
            .map(|one| {
                one.get("readWriteType")
                    .and_then(Value::as_str)
                    .unwrap_or("All")
            })
            .collect();
        taken.extend(self.advanced().filter_map(|fields| management(&fields)));
        let takes = |wanted: &&&str| taken.iter().any(|one| one == *wanted || *one == "All");
        Some(of_kind.iter().filter(takes).count() == of_kind.len())
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

/// Which management events an advanced selector takes in full. A source that is left out is a kind of its own.
fn management(fields: &[(&str, &Value)]) -> Option<&'static str> {
    let equals = |name: &str, value: &str| {
        let mut of_name = fields.iter().filter(|(field, _)| *field == name);
        of_name.any(|(_, field)| {
            list(field, "equals")
                .iter()
                .any(|one| one.as_str() == Some(value))
        })
    };
    let narrows = |(name, field): &(&str, &Value)| match *name {
        "eventCategory" | "readOnly" => false,
        "eventSource" => field.get("notEquals").is_none(),
        _ => true,
    };
    if !equals("eventCategory", "Management") || fields.iter().any(narrows) {
        return None;
    }
    Some(
        match (equals("readOnly", "true"), equals("readOnly", "false")) {
            (true, false) => "ReadOnly",
            (false, true) => "WriteOnly",
            _ => "All",
        },
    )
}

/// The times from when on a trail logged nothing of a place, to the call that made it do so again, or to the end.
pub(super) fn stopped(calls: &[Selectors], of: &Stream, end: DateTime<Utc>) -> Vec<LeftOut> {
    let told = calls.iter().filter_map(|call| Some((call, call.runs(of)?)));
    let told: Vec<(&Selectors, bool)> = told.collect();
    let kind = |call: &Selectors| match call.call.as_str() {
        "StartLogging" | "DeleteTrail" => "StopLogging".to_owned(),
        other => other.to_owned(),
    };
    let spans = told.iter().enumerate().filter(|(_, (_, runs))| !runs);
    let spans = spans.map(|(at, (call, _))| {
        let mut later = told[at + 1..].iter().map(|(next, _)| *next);
        let next = later.find(|next| next.trail == call.trail && kind(next) == kind(call));
        LeftOut {
            from: call.time,
            to: next.map_or(end, |next| next.time),
            why: format!("which a trail was set not to log ({})", call.call),
        }
    });
    spans.filter(|span| span.from < span.to).collect()
}

/// The times in which calls left out events of a kind, from each to the next that names them for the same trail, or to the end.
/// Which trail the log is of, it does not say.
pub(super) fn left_out(calls: &[Selectors], kind: &LoggedKind, end: DateTime<Utc>) -> Vec<LeftOut> {
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
        LeftOut {
            from: call.time,
            to: next.map_or(end, |next| next.time),
            why: "which a trail was set to leave out".to_owned(),
        }
    });
    spans.filter(|span| span.from < span.to).collect()
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
            call: String::new(),
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
        let spans = |calls: &[Selectors], kind: &LoggedKind| -> Vec<_> {
            let found = left_out(calls, kind, day(9));
            found.iter().map(|span| (span.from, span.to)).collect()
        };
        let of = |kind| spans(&calls, &kind);
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
        assert_eq!(spans(&calls, &s3), [(day(2), day(9))]);
    }

    #[test]
    fn a_trail_that_was_stopped_logs_nothing_until_it_is_started() {
        let day = |day: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
        let told = |at: i64, call: &str, request: &str| Selectors {
            time: day(at),
            is_put: call == "PutEventSelectors",
            call: call.to_owned(),
            trail: ["1", "here", "t"].map(str::to_owned),
            request: Value::parse(request).unwrap(),
        };
        let of = |calls: &[Selectors], (account, region): (&str, &str), kind: LoggedKind| {
            let stream = Stream {
                account: account.to_owned(),
                region: region.to_owned(),
                kind,
            };
            let found = stopped(calls, &stream, day(9));
            let spans = found.iter().map(|span| (span.from, span.to));
            spans.collect::<Vec<_>>()
        };
        let calls = [
            told(1, "StopLogging", "{}"),
            told(
                2,
                "PutEventSelectors",
                r#"{"eventSelectors":[{"readWriteType":"All"}]}"#,
            ),
            told(3, "StartLogging", "{}"),
            told(5, "DeleteTrail", "{}"),
        ];
        let here = ("1", "here");
        let all = [(day(1), day(3)), (day(5), day(9))];
        assert_eq!(of(&calls, here, LoggedKind::Any), all);
        assert_eq!(of(&calls, here, LoggedKind::Reads), all);
        assert_eq!(of(&calls, ("2", "here"), LoggedKind::Any), []);

        let puts = [
            told(
                1,
                "PutEventSelectors",
                r#"{"eventSelectors":[{"readWriteType":"WriteOnly"}]}"#,
            ),
            told(
                2,
                "PutEventSelectors",
                r#"{"eventSelectors":[{"includeManagementEvents":false}]}"#,
            ),
            told(
                3,
                "PutEventSelectors",
                r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},
                {"field":"readOnly","equals":["true"]}]}]}"#,
            ),
            told(
                4,
                "PutEventSelectors",
                r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]}]}"#,
            ),
        ];
        let reads = [(day(1), day(2)), (day(2), day(3))];
        assert_eq!(of(&puts, here, LoggedKind::Reads), reads);
        assert_eq!(
            of(&puts, here, LoggedKind::Writes),
            [(day(2), day(3)), (day(3), day(4))]
        );
        assert_eq!(of(&puts, here, LoggedKind::Any), []);

        let narrowed = [told(1, "UpdateTrail", r#"{"isMultiRegionTrail":false}"#)];
        assert_eq!(of(&narrowed, here, LoggedKind::Any), []);
        assert_eq!(
            of(&narrowed, ("1", "there"), LoggedKind::Any),
            [(day(1), day(9))]
        );
    }
}
