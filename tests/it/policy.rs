//! Policies from observed use: valid in IAM's grammar; all that succeeded is allowed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use datafusion::common::ScalarValue;
use keytrail::analysis::policy::{
    Guard, Observed, Outcome, Policy, PolicyDocument, PolicyKind, PolicyOptions, Trust,
};
use keytrail::cloudtrail::AccessKeyId;
use keytrail::session::{Params, Session, SessionOptions};
use keytrail::source::{self, SourceOptions};
use serde_json::Value;

use crate::policy_language::{Request, allows, assert_grammar, texts};
use crate::program::{json, keytrail, ran};
use crate::truth_synth::Synthetic;
use crate::usage::session;

async fn observed(session: &Session, key: &str) -> Observed {
    Observed::read(session, &AccessKeyId::new(key).unwrap())
        .await
        .unwrap()
}

/// A session on the test data's trail.
async fn test_data() -> Session {
    let trail = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
    let source = source::open(trail, &SourceOptions::default())
        .await
        .unwrap();
    let options = SessionOptions {
        threads: 1,
        ..SessionOptions::default()
    };
    Session::trail(vec![source], &options).await.unwrap()
}

/// The documents that allow.
fn granting(policy: &Policy) -> Vec<Value> {
    let documents = policy
        .documents
        .iter()
        .filter(|document| document.name.starts_with("policy-"));
    documents.map(PolicyDocument::json).collect()
}

/// What the conditions of a use say of the request.
fn context(condition: Option<&str>) -> BTreeMap<String, String> {
    let pair = condition.and_then(|condition| condition.split_once('='));
    let pair =
        pair.map(|(key, values)| (key.to_owned(), values.split(' ').next().unwrap().to_owned()));
    pair.into_iter().collect()
}

/// A resource that a use was of: wildcards stand for what the event did not name, so that anything will do.
fn concrete(resource: &str) -> String {
    let plain = resource
        .replace("${*}", "\u{1}")
        .replace("${?}", "\u{2}")
        .replace("${$}", "$");
    let plain = plain.replace('*', "any").replace('?', "x");
    plain.replace('\u{1}', "*").replace('\u{2}', "?")
}

/// Everything the uses needed, as requests.
fn requests(observed: &Observed, outcome: Outcome) -> BTreeSet<Request> {
    let mut requests = BTreeSet::new();
    let derived = observed.uses.iter().filter(|of| of.open.is_none());
    for of in derived.filter(|of| of.outcome == outcome) {
        let leaves = if of.leaves.is_empty() {
            BTreeSet::from([String::new()])
        } else {
            of.leaves.clone()
        };
        for leaf in leaves {
            requests.insert(Request {
                action: of.action.clone(),
                resource: concrete(&format!("{}{leaf}", of.resource)),
                context: context(of.condition.as_deref()),
            });
        }
    }
    requests
}

/// That the policy allows what succeeded, and nothing that it should not.
fn assert_least(observed: &Observed, policy: &Policy) -> usize {
    let documents = granting(policy);
    for document in policy.documents.iter() {
        assert_grammar(&document.json());
        if document.name.starts_with("policy-") {
            assert!(
                document.characters() <= PolicyKind::Managed.limit(),
                "{}",
                document.characters()
            );
        }
    }
    let needed = requests(observed, Outcome::Allowed);
    for request in &needed {
        assert!(
            allows(&documents, request),
            "{request:?} is not allowed by {documents:#?}"
        );
    }
    let actions: BTreeSet<String> = needed
        .iter()
        .map(|request| request.action.to_lowercase())
        .collect();
    // No action that was not used.
    let granted: BTreeSet<String> = documents
        .iter()
        .flat_map(|document| document["Statement"].as_array().unwrap())
        .flat_map(|statement| texts(&statement["Action"]))
        .map(str::to_lowercase)
        .collect();
    for action in &granted {
        assert!(!action.contains(['*', '?']), "{action}");
        assert!(actions.contains(action), "{action} was not used");
    }
    for request in &needed {
        // Not in another account, not in another bucket, not beside the prefix.
        let elsewhere = Request {
            resource: foreign(&request.resource),
            ..request.clone()
        };
        if request.resource != elsewhere.resource && request.resource != "any" {
            assert!(!allows(&documents, &elsewhere), "{elsewhere:?}");
        }
        // What only a service did for the key, the key cannot do.
        if !request.context.is_empty() {
            let bare = Request {
                context: BTreeMap::new(),
                ..request.clone()
            };
            assert!(
                needed.contains(&bare) || !allows(&documents, &bare),
                "{bare:?}"
            );
        }
    }
    // Every statement is there for a use.
    for statement in documents
        .iter()
        .flat_map(|document| document["Statement"].as_array().unwrap())
    {
        let alone = [serde_json::json!({"Version": "2012-10-17", "Statement": [statement]})];
        assert!(
            needed.iter().any(|request| allows(&alone, request)),
            "{statement}"
        );
    }
    needed.len()
}

/// The same resource of another account, or of another bucket.
fn foreign(resource: &str) -> String {
    if let Some(rest) = resource.strip_prefix("arn:aws:s3:::") {
        return format!("arn:aws:s3:::other-{rest}");
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    match parts.as_slice() {
        [arn, partition, service, region, account, rest] if account.len() == 12 => {
            format!("{arn}:{partition}:{service}:{region}:999999999999:{rest}")
        }
        _ => resource.to_owned(),
    }
}

/// The events of a key that succeeded, counted without the program's own mapping.
async fn calls(session: &Session, key: &str) -> BTreeSet<(String, String)> {
    let sql = "SELECT DISTINCT event_source, operation FROM events WHERE access_key_id = $key AND error_code IS NULL";
    let params = Params::from([("key".to_owned(), ScalarValue::from(key))]);
    let (_, batches) = session.sql(sql, &params).await.unwrap();
    let mut calls = BTreeSet::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let text = |column: usize| {
                ScalarValue::try_from_array(batch.column(column), row)
                    .unwrap()
                    .to_string()
            };
            calls.insert((text(0), text(1)));
        }
    }
    calls
}

/// Calls that need no permission.
const FREE: [(&str, &str); 2] = [
    ("sts.amazonaws.com", "GetCallerIdentity"),
    ("sts.amazonaws.com", "GetSessionToken"),
];

#[tokio::test]
async fn the_test_data_s_policies_are_least() {
    let session = test_data().await;
    let keys = json(&["keys", "--trail", "testdata/trail"], 0);
    let mut requests = 0;
    for row in keys["keys"].as_array().unwrap() {
        let key = row["access_key_id"].as_str().unwrap();
        let observed = observed(&session, key).await;
        let options = PolicyOptions {
            guards: Guard::ALL.to_vec(),
            trusts: vec![
                Trust::Ec2,
                Trust::Pods,
                "github=a/b:ref:refs/heads/main".parse().unwrap(),
            ],
            ..PolicyOptions::default()
        };
        requests += assert_least(&observed, &observed.policy(&options));
    }
    assert!(requests > 40, "{requests}");
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn synthetic_policies_are_least() {
    let synthetic = Synthetic::generate(1);
    synthetic.ingest();
    let session = session(Path::new(&synthetic.lake())).await;
    let keys = json(&["keys", "--lake", &synthetic.lake(), "--top", "25"], 0);
    let (mut requests, mut services) = (0, BTreeSet::new());
    for row in keys["keys"].as_array().unwrap() {
        let key = row["access_key_id"].as_str().unwrap();
        let observed = observed(&session, key).await;
        requests += assert_least(&observed, &observed.policy(&PolicyOptions::default()));
        // Each call that succeeded asks for something of its service.
        for (source, operation) in calls(&session, key).await {
            if FREE.contains(&(source.as_str(), operation.as_str())) {
                continue;
            }
            let prefix = format!("{}:", keytrail::knowledge::iam::prefix(&source));
            let asked = observed
                .uses
                .iter()
                .any(|of| of.action.starts_with(&prefix));
            assert!(asked, "{key}: {source} {operation}");
            services.insert(prefix);
        }
    }
    println!(
        "{requests} requests of 25 keys, {} services",
        services.len()
    );
    assert!(
        requests > 1_000 && services.len() > 10,
        "{requests} {services:?}"
    );
}

#[test]
fn the_policy_of_the_test_data_s_ci_key() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("policies");
    let key = "AKIARTX3GSDSVYJXHKU3";
    let args = [
        "policy",
        key,
        "--trail",
        "testdata/trail",
        "--guard",
        "source-ip",
        "--trust",
        "ecs-tasks",
    ];
    let answer = json(
        &[&args[..], &["--documents", files.to_str().unwrap()]].concat(),
        0,
    );
    let names: Vec<&str> = answer["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["policy-1", "guard-source-ip", "trust-ecs-tasks"]);
    for (name, row) in names.iter().zip(answer["documents"].as_array().unwrap()) {
        let file: Value =
            serde_json::from_slice(&fs::read(files.join(format!("{name}.json"))).unwrap()).unwrap();
        assert_eq!(file, row["document"]);
        assert_grammar(&file);
    }
    let put = &answer["documents"][0]["document"]["Statement"][3];
    assert_eq!(put["Sid"], "S3Write");
    assert_eq!(put["Resource"], "arn:aws:s3:::example-releases/shop/*");
}

#[test]
fn refusals_are_apart_and_included_on_request() {
    let asked = |more: &[&str]| {
        json(
            &[
                &[
                    "policy",
                    "AKIAWO645SY5N7R27AUY",
                    "--trail",
                    "testdata/trail",
                ],
                more,
            ]
            .concat(),
            0,
        )
    };
    let actions = |answer: &Value| -> Vec<String> {
        let rows = answer["permissions"].as_array().unwrap().iter();
        rows.map(|row| row["action"].as_str().unwrap().to_owned())
            .collect()
    };
    let plain = asked(&[]);
    assert_eq!(actions(&plain), ["cloudwatch:GetMetricData"]);
    assert_eq!(plain["denied"].as_array().unwrap().len(), 3);
    assert_eq!(plain["denied"][0]["events"], 5);
    let wanted = asked(&["--include", "denied"]);
    assert_eq!(
        actions(&wanted),
        [
            "ce:GetCostAndUsage",
            "cloudwatch:GetMetricData",
            "ec2:DescribeInstances",
            "iam:ListUsers"
        ]
    );
}

#[test]
fn guards_that_would_break_the_key_are_not_made() {
    let args = [
        "policy",
        "AKIARTX3GSDSVYJXHKU3",
        "--trail",
        "testdata/trail",
        "--guard",
        "source-ip",
        "--max-addresses",
        "5",
    ];
    let answer = json(&args, 0);
    assert_eq!(answer["documents"].as_array().unwrap().len(), 1);
    assert!(
        answer["notes"]
            .to_string()
            .contains("10 addresses are not a stable set"),
        "{}",
        answer["notes"]
    );
    let refused = keytrail(&[
        "policy",
        "AKIARTX3GSDSVYJXHKU3",
        "--trust",
        "github=example/*:ref:refs/heads/main",
    ])
    .output()
    .unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_consumer_s_policy_is_its_part_of_the_key_s() {
    let key = "AKIARTX3GSDSVYJXHKU3";
    let trail = ["--trail", "testdata/trail"];
    let asked = |more: &[&str]| json(&[&["policy", key], more, &trail[..]].concat(), 0);
    let actions = |answer: &Value| -> BTreeSet<String> {
        let rows = answer["permissions"].as_array().unwrap().iter();
        rows.map(|row| row["action"].as_str().unwrap().to_owned())
            .collect()
    };
    let whole = asked(&[]);
    let consumers = json(&[&["consumers", key], &trail[..]].concat(), 0);
    let consumers = consumers["consumers"].as_array().unwrap();
    assert!(consumers.len() > 1, "{consumers:?}");
    let mut together = BTreeSet::new();
    for consumer in consumers {
        let id = consumer["consumer_id"].as_str().unwrap();
        let part = asked(&["--consumer", id]);
        let notes = texts(&part["notes"]);
        assert!(notes.iter().any(|note| note.contains(id)), "{notes:?}");
        let allowed = actions(&part);
        assert!(!allowed.is_empty() && allowed.is_subset(&actions(&whole)));
        // Each action of its policy is a call that the consumer made (none of its calls needs another's permission).
        let calls = texts(&consumer["api_calls"]);
        for action in &allowed {
            let (service, name) = action.split_once(':').unwrap();
            assert!(
                calls.iter().any(|call| call.starts_with(service)),
                "{id}: {service}:{name} of {calls:?}"
            );
        }
        together.extend(allowed);
    }
    assert_eq!(together, actions(&whole));
}

#[test]
fn an_unknown_consumer_is_told_which_there_are() {
    let said = ran(&[
        "policy",
        "AKIARTX3GSDSVYJXHKU3",
        "--trail",
        "testdata/trail",
        "--consumer",
        "c-000000000000",
    ]);
    assert!(said.starts_with("exit code: 2"), "{said}");
    let consumers = json(
        &[
            "consumers",
            "AKIARTX3GSDSVYJXHKU3",
            "--trail",
            "testdata/trail",
        ],
        0,
    );
    for consumer in consumers["consumers"].as_array().unwrap() {
        for field in ["consumer_id", "name"] {
            let text = consumer[field].as_str().unwrap();
            assert!(said.contains(text), "{text}: {said}");
        }
    }
}

/// What was seen and allowed is not said to be unseen, also where no record says that it is a data event.
#[test]
fn what_was_seen_is_not_called_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let event = |number: u8, source: &str, name: &str, parameters: Value| {
        serde_json::json!({
            "eventVersion": "1.08",
            "eventID": format!("00000000-0000-4000-8000-{number:012}"),
            "eventTime": "2025-03-03T10:00:00Z",
            "eventType": "AwsApiCall",
            "eventSource": source,
            "eventName": name,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.9",
            "userAgent": "aws-cli/2.15.0",
            "recipientAccountId": "111122223333",
            "requestParameters": parameters,
            "userIdentity": {
                "type": "IAMUser", "accessKeyId": "AKIARTX3GSDSVYJXHKU3", "accountId": "111122223333",
                "userName": "queue", "arn": "arn:aws:iam::111122223333:user/queue"
            }
        })
    };
    let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders";
    let records = serde_json::json!({ "Records": [
        event(1, "sqs.amazonaws.com", "SendMessage", serde_json::json!({ "queueUrl": url })),
    ]});
    fs::write(folder.path().join("log.json"), records.to_string()).unwrap();
    let trail = folder.path().to_str().unwrap();
    let answer = json(&["policy", "AKIARTX3GSDSVYJXHKU3", "--trail", trail], 0);
    assert_eq!(answer["permissions"][0]["action"], "sqs:SendMessage");
    let open: Vec<&str> = answer["not_derived"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["subject"].as_str().unwrap())
        .collect();
    assert!(!open.contains(&"sqs"), "{open:?}");
    assert!(
        open.contains(&"sns") && open.contains(&"dynamodb"),
        "{open:?}"
    );
}
