//! `coverage` shows the gaps that `ready` counts.

use crate::silence::{KEY, Log, admin, to};
use serde_json::{Value, json};

/// A call that sets what a trail logs.
fn told(before: i64, name: &str, request: Value) -> Value {
    let mut event = admin(before, name, request, Value::Null);
    event["eventSource"] = "cloudtrail.amazonaws.com".into();
    event
}

/// A log in which others call once a week, and a key that falls silent.
fn weekly(event: Value) -> Log {
    let weeks = (0..24).map(|week| 5 + 7 * week);
    let log = Log::new(weeks).used("us-east-1", 15..145);
    log.with("us-east-1", event)
}

fn trail() -> Value {
    json!({"name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"})
}

fn selectors(include: bool, kind: &str) -> Value {
    json!({"trailName": "main", "eventSelectors": [{"readWriteType": kind, "includeManagementEvents": include}]})
}

/// The gaps of a key's places, as `ready` writes them: where and what, from when to when.
fn counted(row: &Value) -> Vec<[String; 3]> {
    let rules = row["rules"].as_array().unwrap().iter();
    let mut of_gaps = rules.filter(|rule| rule["rule"] == "no-holes");
    let value = of_gaps.next().unwrap()["value"].as_str().unwrap();
    let (_, places) = value.split_once(" without logs: ").unwrap_or(("", ""));
    let mut found = Vec::new();
    for place in places.split("; ").filter(|place| !place.is_empty()) {
        // More than three places are counted.
        let Some((what, times)) = place.strip_suffix(')').and_then(|of| of.rsplit_once(" ("))
        else {
            continue;
        };
        for time in times
            .split(", ")
            .filter(|time| !time.starts_with("no events"))
        {
            let (first, last) = time.split_once(" to ").unwrap_or((time, time));
            found.push([what, first, last].map(str::to_owned));
        }
    }
    found
}

/// Every gap that `ready` counts is part of one that `coverage` shows, of the same kind of events or of a wider one.
#[track_caller]
fn agree(log: &Log) -> Vec<String> {
    let holes = log.holes();
    let counted = counted(&log.ready(KEY, &[]));
    assert!(!counted.is_empty());
    for [what, first, last] in &counted {
        let (region, kind) = what.split_once(", ").unwrap_or((what, "all events"));
        let shown = holes.iter().any(|[here, missing, from, to]| {
            let wider = missing.split(',').next().unwrap();
            let is_part = wider == "all events" || kind.starts_with(wider);
            here == region && is_part && from <= first && last <= to
        });
        assert!(shown, "{what}, {first} to {last} is not in {holes:#?}");
    }
    let here = holes
        .into_iter()
        .filter(|[region, ..]| region == "us-east-1");
    here.map(|[_, what, first, last]| format!("{what}: {first} to {last}"))
        .collect()
}

#[test]
fn a_region_without_a_log_and_a_kind_that_ended() {
    let log = Log::new(0..131)
        .used("eu-west-1", 40..131)
        .without(|event, before| {
            let ended = event["awsRegion"] == "eu-west-1" && before < 30;
            ended || event["eventCategory"] == "Data" && (50..60).contains(&before)
        });
    agree(&log);
    let holes: Vec<String> = log.holes().iter().map(|hole| hole.join(" ")).collect();
    assert_eq!(
        holes,
        [
            "eu-west-1 data events of s3 2026-05-02 2026-05-11",
            "eu-west-1 all events 2026-06-01 2026-06-30",
            "us-east-1 data events of s3 2026-05-02 2026-05-11",
        ]
    );
}

#[test]
fn a_trail_that_was_stopped_or_deleted() {
    for name in ["StopLogging", "DeleteTrail"] {
        let stopped = agree(&weekly(told(11, name, trail())));
        let why = format!(
            "all events, which a trail was set not to log ({name}): 2026-06-19 to 2026-06-25"
        );
        assert!(stopped.contains(&why), "{stopped:#?}");
    }
    // Started again two minutes later, and seen by another trail all the while: one day.
    let mut again = told(11, "StartLogging", trail());
    again["eventTime"] = "2026-06-19T08:02:00Z".into();
    let log = weekly(told(11, "StopLogging", trail())).with("us-east-1", again);
    let shown = agree(&log);
    let day =
        "all events, which a trail was set not to log (StopLogging): 2026-06-19 to 2026-06-19";
    assert!(shown.iter().any(|hole| hole == day), "{shown:#?}");
}

#[test]
fn a_trail_that_was_told_what_to_leave_out() {
    let shown = agree(&weekly(told(
        11,
        "PutEventSelectors",
        selectors(false, "All"),
    )));
    let none = "management events, which a trail was set not to log (PutEventSelectors): 2026-06-19 to 2026-06-25";
    assert!(shown.iter().any(|hole| hole == none), "{shown:#?}");
    let shown = agree(&weekly(told(
        11,
        "PutEventSelectors",
        selectors(true, "ReadOnly"),
    )));
    let writes = "management events that write, which a trail was set not to log (PutEventSelectors): 2026-06-19 to 2026-06-25";
    assert!(shown.iter().any(|hole| hole == writes), "{shown:#?}");
    let objects = json!({"eventSelectors": [{"readWriteType": "All", "dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3:::other/"]}]}]});
    let log = (40..131).fold(Log::new(0..131), |log, before| {
        log.with("us-east-1", to(before, ("s3", "GetObject"), KEY, true))
    });
    let shown = agree(&log.with("us-east-1", told(39, "PutEventSelectors", objects)));
    let data = "data events of s3, which a trail was set to leave out: 2026-05-22 to 2026-06-30";
    assert!(shown.iter().any(|hole| hole == data), "{shown:#?}");
}

#[test]
fn a_trail_of_one_region_and_a_kind_that_others_no_longer_use() {
    let one_region = json!({"name": "main", "isMultiRegionTrail": false});
    let mut log = weekly(told(11, "UpdateTrail", one_region.clone()));
    log = log.used("eu-west-1", 15..145);
    log = log.with("eu-west-1", told(10, "UpdateTrail", one_region));
    let shown = agree(&log);
    let elsewhere =
        "all events, which a trail was set not to log (UpdateTrail): 2026-06-20 to 2026-06-25";
    assert!(shown.iter().any(|hole| hole == elsewhere), "{shown:#?}");
    // KMS was used every day, and its events end.
    let kms = (40..131).fold(Log::new(0..131), |log, before| {
        let log = log.with("us-east-1", to(before, ("kms", "Decrypt"), KEY, false));
        log.with("us-east-1", to(before, ("kms", "Decrypt"), "", false))
    });
    let shown = agree(&kms);
    let ended = "management events of kms: 2026-05-22 to 2026-06-30";
    assert!(shown.iter().any(|hole| hole == ended), "{shown:#?}");
}
