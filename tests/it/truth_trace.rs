//! `keytrail trace` against truths that it did not compute: simulated attacks that others published, and the story in trails of
//! a generator.
//!
//! Records and generator are not part of the project: `KEYTRAIL_CORPUS` and `KEYTRAIL_SYNTH` name them. `lineage.rs` checks the
//! project's own scenarios against the truth that they were made with.

use crate::intruders::agrees_with_itself;
use crate::needs;
use crate::program::{json, keytrail, number};
use crate::truth_synth::Synthetic;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The values of a field.
fn texts(values: &[Value], name: &str) -> BTreeSet<String> {
    values
        .iter()
        .filter_map(|value| value[name].as_str())
        .map(str::to_owned)
        .collect()
}

/// Positions of the credentials that answers in the log lead to, one from the other.
fn exact(trace: &Value) -> BTreeSet<u64> {
    let credentials = list(trace, "credentials").iter().enumerate();
    credentials
        .filter(|(_, credential)| credential["path_confidence"] == "exact")
        .map(|(at, _)| at as u64)
        .collect()
}

/// The events by those credentials.
fn events_of<'a>(trace: &'a Value, credentials: &BTreeSet<u64>) -> Vec<&'a Value> {
    let timeline = list(trace, "timeline").iter();
    timeline
        .filter(|event| {
            let by = event["credential"].as_u64();
            by.is_some_and(|by| credentials.contains(&by))
        })
        .collect()
}

/// From key, to key, event, name.
type Edges = BTreeSet<[String; 4]>;

fn edges(trace: &Value) -> Edges {
    let credentials = list(trace, "credentials").iter();
    credentials
        .filter(|credential| credential["rule"] == "J1" && credential["path_confidence"] == "exact")
        .map(|credential| {
            [
                "parent_access_key_id",
                "access_key_id",
                "issued_by_event_id",
                "issued_by_event_name",
            ]
            .map(|name| text(credential, name).to_owned())
        })
        .collect()
}

fn agrees_with_case(lake: &str, key: &str) {
    let path = needs::corpus().join(format!("truth/invictus.case-{key}.json"));
    let truth: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let trace = json(&["trace", key, "--lake", lake], 0);
    agrees_with_itself(&trace, key);

    let own: Vec<&Value> = list(&trace, "timeline")
        .iter()
        .filter(|event| event["access_key_id"] == key && event["relation"] == "by")
        .map(|event| &event["event_id"])
        .collect();
    let expected: Vec<&Value> = list(&truth, "own_event_ids").iter().collect();
    assert_eq!(own, expected, "own events of {key}, in order");

    let exact = exact(&trace);
    let keys: BTreeSet<String> = exact
        .iter()
        .map(|at| text(&trace["credentials"][*at as usize], "access_key_id").to_owned())
        .collect();
    let closure: BTreeSet<String> = list(&truth, "closure_keys")
        .iter()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys, closure, "closure of {key}");
    for at in &exact {
        let credential = &trace["credentials"][*at as usize];
        let key = text(credential, "access_key_id");
        assert_eq!(
            credential["events"], truth["per_key_events"][key],
            "events of {key}"
        );
    }
    let expected: Edges = list(&truth, "derived_explicit")
        .iter()
        .map(|edge| {
            ["from_key", "to_key", "event_id", "event"].map(|name| text(edge, name).to_owned())
        })
        .collect();
    assert_eq!(edges(&trace), expected, "edges of {key}");

    let events = events_of(&trace, &exact);
    assert_eq!(events.len() as u64, number(&truth, "/closure/events"));
    assert_eq!(
        events.len() as u64,
        exact
            .iter()
            .map(|at| number(&trace["credentials"][*at as usize], "/events"))
            .sum::<u64>()
    );
    assert_implicit(&trace, &truth);
    assert_failures(&events, &truth);
    assert_created(&trace, &truth, &keys);
    assert_buckets(&trace, &truth);
}

/// Sessions of the same user that no event issued: by principal only, from no key.
fn assert_implicit(trace: &Value, truth: &Value) {
    let user = &truth["identity"][0]["arn"];
    let found: BTreeMap<String, u64> = list(trace, "credentials")
        .iter()
        .filter(|credential| {
            credential["issued_by_event_id"].is_null() && credential["rule"] != "start"
        })
        .filter(|credential| {
            credential["principal_arn"] == *user && !credential["access_key_id"].is_null()
        })
        .map(|credential| {
            assert_eq!(credential["confidence"], "principal");
            assert_eq!(credential["parent_access_key_id"], Value::Null);
            (
                text(credential, "access_key_id").to_owned(),
                number(credential, "/events"),
            )
        })
        .collect();
    let expected: BTreeMap<String, u64> = list(truth, "derived_implicit_same_principal")
        .iter()
        .map(|session| (text(session, "key").to_owned(), number(session, "/events")))
        .collect();
    assert_eq!(found, expected);
}

fn assert_failures(events: &[&Value], truth: &Value) {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for code in events
        .iter()
        .filter_map(|event| event["error_code"].as_str())
    {
        *found.entry(code).or_default() += 1;
    }
    let errors = truth["closure"]["errors"].as_object().unwrap();
    let expected: BTreeMap<&str, u64> = errors
        .iter()
        .map(|(code, count)| (code.as_str(), count.as_u64().unwrap()))
        .collect();
    assert_eq!(found, expected);
}

/// What was created, by kind: the events that made it.
fn assert_created(trace: &Value, truth: &Value, keys: &BTreeSet<String>) {
    let Some(created) = truth["created"].as_object() else {
        return;
    };
    let kinds = [
        ("users", "user"),
        ("roles", "role"),
        ("policies", "policy"),
        ("instance_profiles", "instance_profile"),
        ("instances", "instance"),
        ("login_profiles", "password"),
        ("access_keys", "access_key"),
        ("sg_changes", "security_group_rule"),
    ];
    for (name, kind) in kinds {
        let expected = created.get(name).and_then(Value::as_array);
        let expected = texts(expected.map_or(&[], Vec::as_slice), "event_id");
        let rows = list(trace, "created").iter();
        let of_kind: Vec<Value> = rows
            .filter(|row| row["kind"] == kind && row["event_name"] != "UpdateLoginProfile")
            .filter(|row| keys.contains(text(row, "by_access_key_id")))
            .cloned()
            .collect();
        assert_eq!(texts(&of_kind, "event_id"), expected, "{name}");
    }
    let changes = created.get("permission_changes").and_then(Value::as_array);
    let changes = texts(changes.map_or(&[], Vec::as_slice), "event_id");
    let found = texts(list(trace, "created"), "event_id");
    let missing: Vec<&String> = changes.iter().filter(|id| !found.contains(*id)).collect();
    assert!(
        missing.is_empty(),
        "permission changes that are not listed: {missing:?}"
    );
}

fn assert_buckets(trace: &Value, truth: &Value) {
    let buckets = truth["touched"]["buckets"].as_object().unwrap();
    for (bucket, expected) in buckets {
        let mut rows = list(trace, "data_access").iter();
        let row = rows
            .find(|row| row["kind"] == "bucket" && row["resource"] == **bucket)
            .unwrap_or_else(|| panic!("{bucket} is not listed"));
        let calls: BTreeMap<&str, u64> = list(row, "calls")
            .iter()
            .map(|call| (call[0].as_str().unwrap(), call[1].as_u64().unwrap()))
            .collect();
        let expected_calls: BTreeMap<&str, u64> = expected["calls"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, count)| (name.as_str(), count.as_u64().unwrap()))
            .collect();
        assert_eq!(calls, expected_calls, "{bucket}");
        assert_eq!(row["failed"], expected["failed"], "{bucket}");
        assert_eq!(row["objects"], expected["distinct_objects"], "{bucket}");
        assert_eq!(row["bytes_in"], expected["bytes_in"], "{bucket}");
        let bytes = number(row, "/bytes_out") + number(row, "/bytes_out_failed");
        assert_eq!(bytes, number(expected, "/bytes_out"), "{bucket}");
    }
}

#[test]
#[ignore = "needs KEYTRAIL_CORPUS"]
fn simulated_attacks_agree_with_their_truth() {
    let folder = needs::corpus().join("invictus");
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let lake = lake.to_str().unwrap();
    let ingest = keytrail(&["ingest", folder.to_str().unwrap(), "--lake", lake, "-q"])
        .output()
        .unwrap();
    assert!(matches!(ingest.status.code(), Some(0 | 3)), "{ingest:?}");
    for key in [
        "AKIATFQR7NSC8Q4X20BJ",
        "AKIATFQR7NSCUXC3DDDP",
        "AKIATFQZ7NSC8Q4X21BJ",
    ] {
        agrees_with_case(lake, key);
    }
}

/// Every key that came out of one, by the generator's own list.
fn closure(synthetic: &Synthetic, key: &str) -> BTreeSet<String> {
    let mut issued: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for session in synthetic.sessions() {
        let by = text(&session, "issued_by").to_owned();
        issued
            .entry(by)
            .or_default()
            .push(text(&session, "key").to_owned());
    }
    let mut closure = BTreeSet::from([key.to_owned()]);
    let mut ahead = vec![key.to_owned()];
    while let Some(key) = ahead.pop() {
        for child in issued.get(&key).into_iter().flatten() {
            if closure.insert(child.clone()) {
                ahead.push(child.clone());
            }
        }
    }
    closure
}

/// Of the key's own events: all of the intruder's are held to be the intruder's, none of the owner's are.
fn assert_told_apart(trace: &Value, story: &Value, seed: u32) {
    let key = text(story, "compromised_key");
    let attacks = texts(list(story, "attacker_events"), "event_id");
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for event in list(trace, "timeline") {
        if event["access_key_id"] == key && event["relation"] == "by" {
            let truth = match attacks.contains(text(event, "event_id")) {
                true => "intruder",
                false => "owner",
            };
            *counts.entry((truth, text(event, "origin"))).or_default() += 1;
        }
    }
    let of = |truth, origin| counts.get(&(truth, origin)).copied().unwrap_or_default();
    let (right, open) = (of("owner", "owner"), of("owner", "unknown"));
    let intruders = of("intruder", "intruder");
    println!(
        "seed {seed}: the intruder's {intruders} of {} events; the owner's {right} of {}, {open} not told",
        intruders + of("intruder", "owner") + of("intruder", "unknown"),
        right + open + of("owner", "intruder"),
    );
    assert_eq!(of("owner", "intruder"), 0);
    assert_eq!(of("intruder", "owner") + of("intruder", "unknown"), 0);
}

fn story_agrees(seed: u32, gigabytes: &str) {
    let synthetic = Synthetic::sized(seed, gigabytes);
    synthetic.ingest();
    let story = &synthetic.truth["story"];
    let key = text(story, "compromised_key");
    let lake = synthetic.lake();
    let trace = json(
        &[
            "trace",
            key,
            "--lake",
            &lake,
            "--as-of",
            "2025-03-05T04:00:00Z",
        ],
        0,
    );

    agrees_with_itself(&trace, key);
    let exact = exact(&trace);
    let keys: BTreeSet<String> = exact
        .iter()
        .map(|at| text(&trace["credentials"][*at as usize], "access_key_id").to_owned())
        .collect();
    assert_eq!(keys, closure(&synthetic, key));
    let edges = edges(&trace);
    for edge in list(story, "edges") {
        let edge =
            ["from_key", "to_key", "event_id", "event"].map(|name| text(edge, name).to_owned());
        assert!(edges.contains(&edge), "no edge {edge:?}");
    }
    for (key, events) in story["closure_events"].as_object().unwrap() {
        let mut rows = list(&trace, "credentials").iter();
        let row = rows.find(|row| row["access_key_id"] == **key).unwrap();
        assert_eq!(row["events"], *events, "{key}");
    }

    let timeline = list(&trace, "timeline");
    let by_id: BTreeMap<&str, &Value> = timeline
        .iter()
        .map(|event| (text(event, "event_id"), event))
        .collect();
    let mut failed = BTreeSet::new();
    for expected in list(story, "attacker_events") {
        let id = text(expected, "event_id");
        let event = by_id
            .get(id)
            .unwrap_or_else(|| panic!("{id} is not in the timeline"));
        assert_eq!(event["origin"], "intruder", "{event}");
        assert_eq!(event["event_time"], expected["time"]);
        assert_eq!(event["error_code"].is_null(), expected["failed"] == false);
        if expected["failed"] == true {
            failed.insert(id.to_owned());
        }
    }
    let first = &list(story, "attacker_events")[0];
    assert_eq!(
        trace["summary"]["first_suspicious_use"]["event_id"],
        first["event_id"]
    );
    let intruder = |row: &&Value| row["origin"] == "intruder";
    let denied: u64 = list(&trace, "denied")
        .iter()
        .filter(intruder)
        .map(|row| number(row, "/events"))
        .sum();
    assert_eq!(denied, failed.len() as u64);
    let marked = timeline
        .iter()
        .filter(intruder)
        .filter(|event| !event["access_key_id"].is_null())
        .count();
    assert_eq!(
        marked,
        list(story, "attacker_events").len(),
        "events wrongly held to be the intruder's"
    );

    assert_told_apart(&trace, story, seed);

    // The owner's own changes lead nowhere.
    for credential in list(&trace, "credentials") {
        if ["J8", "J9", "J10"].contains(&text(credential, "rule")) {
            let event = by_id[text(credential, "issued_by_event_id")];
            assert_ne!(event["origin"], "owner", "{credential}");
        }
    }

    for created in list(story, "created") {
        let rows: Vec<&Value> = list(&trace, "created")
            .iter()
            .filter(|row| row["event_id"] == created["event_id"])
            .collect();
        assert!(!rows.is_empty(), "{created} is not on the clean-up list");
        if let Some(ids) = created["ids"].as_array() {
            let found: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
            assert_eq!(found, ids.iter().collect::<Vec<_>>());
        }
    }
    let exfil = &story["exfil"];
    let mut rows = list(&trace, "data_access").iter();
    let bucket = rows.find(|row| row["resource"] == exfil["bucket"]).unwrap();
    assert_eq!(bucket["bytes_out"], exfil["bytes_out"]);
    assert_eq!(bucket["objects"], exfil["distinct_objects"]);
    assert_eq!(bucket["objects_read"], exfil["get_object_ok"]);
    assert_eq!(bucket["failed"], exfil["get_object_failed"]);

    // The other way: where the last session of the chain came from.
    let last = text(&story["keys"], "S3");
    let up = json(
        &[
            "trace",
            last,
            "--up",
            "--lake",
            &lake,
            "--as-of",
            "2025-03-05T04:00:00Z",
        ],
        0,
    );
    let chain: Vec<&str> = list(&up, "credentials")
        .iter()
        .map(|row| text(row, "access_key_id"))
        .collect();
    assert_eq!(
        chain,
        [
            key,
            text(&story["keys"], "S1"),
            text(&story["keys"], "S2"),
            last
        ]
    );
}

#[test]
#[ignore = "needs KEYTRAIL_SYNTH"]
fn first_story_agrees_with_its_truth() {
    story_agrees(1, "0.01");
}

#[test]
#[ignore = "needs KEYTRAIL_SYNTH"]
fn second_story_agrees_with_its_truth() {
    story_agrees(2, "0.003");
}

#[test]
#[ignore = "needs KEYTRAIL_SYNTH"]
fn third_story_agrees_with_its_truth() {
    story_agrees(7, "0.03");
}

#[test]
#[ignore = "needs KEYTRAIL_SYNTH"]
fn more_stories_agree_with_their_truth() {
    for seed in [3, 11, 12, 16] {
        story_agrees(seed, "0.003");
    }
}
