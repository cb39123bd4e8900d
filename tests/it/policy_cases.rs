//! Policies of keys whose calls need more, or other, permissions than their names say: through the whole program.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const KEY: &str = "AKIARTX3GSDSVYJXHKU3";

/// A call of the key: source, name, request, and what else the event has.
pub(crate) fn event(number: usize, call: (&str, &str), more: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/worker",
            "accountId": "111122223333",
            "accessKeyId": KEY,
            "userName": "worker"
        },
        "eventTime": format!("2026-09-01T03:{:02}:00Z", number % 60),
        "eventSource": format!("{}.amazonaws.com", call.0),
        "eventName": call.1,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": null,
        "responseElements": null,
        "requestID": format!("r{number}"),
        "eventID": format!("00000000-0000-4000-8000-{number:012}"),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management"
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

pub(crate) fn trail(events: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = json!({ "Records": events }).to_string();
    fs::write(folder.path().join("events.json"), text).unwrap();
    folder
}

pub(crate) fn policy(events: &[Value]) -> Value {
    let folder = trail(events);
    let trail = folder.path().to_str().unwrap();
    crate::program::json(&["policy", KEY, "--trail", trail], 0)
}

/// `action resource` of each permission.
pub(crate) fn allowed(policy: &Value) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for permission in policy["permissions"].as_array().unwrap() {
        let action = permission["action"].as_str().unwrap();
        for resource in permission["resources"].as_array().unwrap() {
            allowed.insert(format!("{action} {}", resource.as_str().unwrap()));
        }
    }
    allowed
}

pub(crate) fn open(policy: &Value, subject: &str) -> String {
    let rows = policy["not_derived"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["subject"] == subject);
    let reasons: Vec<&str> = rows.map(|row| row["reason"].as_str().unwrap()).collect();
    reasons.join("\n")
}

pub(crate) fn texts(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn names_without_an_action_are_left_out_and_listed() {
    let policy = policy(&[
        event(
            1,
            ("quicksight", "DescribeDashboardDefinition"),
            json!({"requestParameters": {"dashboardId": "d"}}),
        ),
        event(
            2,
            ("newservice", "StartThing"),
            json!({"requestParameters": {"thing": "t"}}),
        ),
        event(
            3,
            ("sqs", "SendMessageBatch"),
            json!({"requestParameters": {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"}}),
        ),
    ]);
    assert_eq!(
        allowed(&policy),
        texts(&["sqs:SendMessage arn:aws:sqs:eu-west-1:111122223333:jobs"])
    );
    for unknown in [
        "quicksight:DescribeDashboardDefinition",
        "newservice:StartThing",
    ] {
        assert!(open(&policy, unknown).contains("omits it"), "{policy:#}");
        let documents = policy["documents"].to_string();
        assert!(!documents.contains(unknown), "{documents}");
    }
}

#[test]
fn tasks_and_templates_pass_roles_that_the_event_does_not_name() {
    let policy = policy(&[
        event(
            1,
            ("ecs", "RunTask"),
            json!({"requestParameters": {"cluster": "prod", "taskDefinition": "load:3"}}),
        ),
        event(
            2,
            ("elasticmapreduce", "RunJobFlow"),
            json!({"requestParameters": {"name": "n", "jobFlowRole": "Nodes", "serviceRole": "Emr"}}),
        ),
        event(
            3,
            ("ec2", "RunInstances"),
            json!({"requestParameters": {"launchTemplate": {"launchTemplateId": "lt-0123456789abcdef0"}, "instancesSet": {"items": [{}]}}}),
        ),
    ]);
    let roles: BTreeSet<String> = allowed(&policy)
        .into_iter()
        .filter(|line| line.starts_with("iam:PassRole"))
        .collect();
    let expected = [
        "iam:PassRole arn:aws:iam::111122223333:role/Emr",
        "iam:PassRole arn:aws:iam::111122223333:role/Nodes",
    ];
    assert_eq!(roles, texts(&expected));
    assert!(
        open(&policy, "ecs:RunTask").contains("load:3"),
        "{policy:#}"
    );
    assert!(
        open(&policy, "ec2:RunInstances").contains("lt-0123456789abcdef0"),
        "{policy:#}"
    );
}

#[test]
fn objects_under_kms_need_their_key() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k1";
    let read = event(
        1,
        ("s3", "GetObject"),
        json!({
            "requestParameters": {"bucketName": "vault", "key": "a.csv"},
            "additionalEventData": {"SSEApplied": "SSE_KMS"}
        }),
    );
    let write = event(
        2,
        ("s3", "PutObject"),
        json!({
            "requestParameters": {"bucketName": "vault", "key": "b.csv"},
            "responseElements": {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key},
            "additionalEventData": {"SSEApplied": "SSE_KMS"}
        }),
    );
    let plain = event(
        3,
        ("s3", "GetObject"),
        json!({
            "requestParameters": {"bucketName": "open", "key": "a.csv"},
            "additionalEventData": {"SSEApplied": "SSE_S3"}
        }),
    );
    let alone = policy(&[read.clone(), plain.clone()]);
    assert!(
        open(&alone, "kms:Decrypt").contains("arn:aws:s3:::vault"),
        "{alone:#}"
    );
    assert!(!open(&alone, "kms:Decrypt").contains("open"), "{alone:#}");
    let both = policy(&[read.clone(), write]);
    for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
        assert!(
            allowed(&both).contains(&format!("{action} {key}")),
            "{both:#}"
        );
    }
    // S3's own call to KMS is logged and names the key: nothing is open.
    let mut own = event(
        4,
        ("kms", "Decrypt"),
        json!({
            "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal",
            "requestParameters": {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::vault/a.csv"}},
            "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key}]
        }),
    );
    own["userIdentity"]["invokedBy"] = json!("AWS Internal");
    let logged = policy(&[read, own]);
    assert!(
        allowed(&logged).contains(&format!("kms:Decrypt {key}")),
        "{logged:#}"
    );
    assert_eq!(open(&logged, "kms:Decrypt"), "");
    let condition = logged["permissions"].as_array().unwrap().iter();
    let mut condition = condition.filter(|row| row["action"] == "kms:Decrypt");
    assert_eq!(
        condition.next().unwrap()["condition"],
        "kms:ViaService=s3.eu-west-1.amazonaws.com"
    );
}

/// An owner's program, every day, and somebody with an attackers' tool.
fn stolen() -> Vec<Value> {
    let mut events: Vec<Value> = (0..30)
        .map(|day| {
            let mut event = event(
                day,
                ("s3", "PutObject"),
                json!({"requestParameters": {"bucketName": "backup", "key": "a.bin"}}),
            );
            event["eventTime"] = json!(format!("2026-08-{:02}T03:00:00Z", day + 1));
            event
        })
        .collect();
    for (at, operation) in [
        "GetCallerIdentity",
        "CreateUser",
        "AttachUserPolicy",
        "CreateAccessKey",
    ]
    .iter()
    .enumerate()
    {
        let service = if at == 0 { "sts" } else { "iam" };
        events.push(event(
            40 + at,
            (service, operation),
            json!({
                "sourceIPAddress": "198.51.100.77",
                "userAgent": "TruffleHog",
                "requestParameters": {"userName": "support"}
            }),
        ));
    }
    events
}

#[test]
fn an_intruder_s_use_is_left_out_and_said_first() {
    let policy = policy(&stolen());
    assert_eq!(
        allowed(&policy),
        texts(&["s3:PutObject arn:aws:s3:::backup/a.bin"])
    );
    let first = policy["notes"][0].as_str().unwrap();
    assert!(first.contains("198.51.100.77"), "{first}");
    let folder = trail(&stolen());
    let trail = folder.path().to_str().unwrap();
    let all = crate::program::json(
        &["policy", KEY, "--trail", trail, "--include", "intruder"],
        0,
    );
    assert!(
        allowed(&all)
            .iter()
            .any(|line| line.starts_with("iam:CreateUser ")),
        "{all:#}"
    );
    let owner = crate::program::json(&["consumers", KEY, "--trail", trail], 0);
    assert_eq!(owner["consumers"].as_array().unwrap().len(), 1, "{owner:#}");
    assert!(
        owner["notes"][0].as_str().unwrap().contains("intruder"),
        "{owner:#}"
    );
    let both = crate::program::json(
        &["consumers", KEY, "--trail", trail, "--include", "intruder"],
        0,
    );
    assert_eq!(both["consumers"].as_array().unwrap().len(), 2, "{both:#}");
}

#[test]
fn a_service_control_policy_needs_no_key() {
    let report = crate::program::json(&["policy", "--guard", "scp"], 0);
    let document = report["documents"][0].to_string();
    assert!(document.contains("iam:CreateAccessKey"), "{report:#}");
    let mut without = crate::program::keytrail(&["policy", "--guard", "mfa"]);
    assert_eq!(without.output().unwrap().status.code(), Some(2));
}
