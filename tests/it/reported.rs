//! Inputs that people reported to other tools: fields that came and went, odd values of IAM's report, keys of JSON with signs.

use crate::intruders::{Trail, user};
use crate::program::json;
use serde_json::{Value, json as value};
use std::fs;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const KALI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off";

fn rows<'a>(answer: &'a Value, section: &str) -> &'a [Value] {
    answer[section].as_array().map_or(&[], Vec::as_slice)
}

fn asked(sql: &str, records: &[Value]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let text = value!({ "Records": records }).to_string();
    fs::write(folder.path().join("log.json"), text).unwrap();
    json(&["sql", sql, "--trail", folder.path().to_str().unwrap()], 0)
}

fn record(time: &str, identity: Value, request: Value) -> Value {
    value!({"eventVersion": "1.11", "userIdentity": identity, "eventTime": time, "eventSource": "sso.amazonaws.com",
        "eventName": "Authenticate", "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.5", "userAgent": "agent",
        "requestParameters": request, "responseElements": null, "eventID": format!("00000000-0000-4000-8000-0000{}", &time[..4].repeat(2)),
        "eventType": "AwsServiceEvent", "recipientAccountId": "111122223333", "eventCategory": "Management"})
}

/// Since 2025 events of Identity Center name the user by `onBehalfOf` instead of `principalId`.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-cloudtrail-use-cases.html>
#[test]
fn a_user_of_identity_center_is_the_same_before_and_after_the_change() {
    let before = record(
        "2024-10-01T10:00:00Z",
        value!({"type": "Unknown", "principalId": "f478e4c8-90c1", "accountId": "111122223333", "userName": "dana"}),
        Value::Null,
    );
    let after = record(
        "2026-10-01T10:00:00Z",
        value!({"type": "IdentityCenterUser", "accountId": "111122223333", "credentialId": "90e292de",
            "onBehalfOf": {"userId": "f478e4c8-90c1", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}}),
        Value::Null,
    );
    let answer = asked(
        "SELECT count(*) AS n, count(DISTINCT coalesce(useridentity.onbehalfof.userid, useridentity.principalid)) AS users \
         FROM cloudtrail_logs",
        &[before, after],
    );
    let row = &rows(&answer, "rows")[0];
    assert_eq!((&row["n"], &row["users"]), (&2.into(), &1.into()));
}

#[test]
fn keys_of_json_may_have_signs() {
    let request = value!({"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::b/k", "config/web": "w", "kubernetes.io/cluster": "c1"}});
    let answer = asked(
        "SELECT json_extract_scalar(requestparameters, '$.encryptionContext[\"aws:s3:arn\"]') AS a, \
         json_extract_scalar(requestparameters, '$[\"encryptionContext\"][\"config/web\"]') AS b, \
         json_extract_scalar(requestparameters, '$.encryptionContext[\"kubernetes.io/cluster\"]') AS c FROM cloudtrail_logs",
        &[record(
            "2026-10-01T10:00:00Z",
            value!({"type": "Root"}),
            request,
        )],
    );
    let row = &rows(&answer, "rows")[0];
    let values = ["a", "b", "c"].map(|name| row[name].as_str().unwrap());
    assert_eq!(values, ["arn:aws:s3:::b/k", "w", "c1"]);
}

fn stolen() -> (Trail, crate::intruders::Caller) {
    let owner = user("svc", KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    (trail, owner.from("198.51.100.7", KALI))
}

#[test]
fn a_key_leads_to_the_console_by_a_federated_session() {
    let (mut trail, intruder) = stolen();
    let arn = "arn:aws:sts::111122223333:federated-user/support";
    let federated = |key: &str| {
        let mut caller = intruder.clone();
        caller.identity = value!({"type": "FederatedUser", "principalId": "111122223333:support", "arn": arn,
            "accountId": "111122223333", "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "userName": "svc",
                "arn": "arn:aws:iam::111122223333:user/svc", "accountId": "111122223333"},
                "attributes": {"creationDate": "2026-06-29T10:00:00Z", "mfaAuthenticated": "false"}}});
        caller
    };
    trail.call(
        "29T10:00",
        &intruder,
        "sts:GetFederationToken",
        value!({"name": "support", "durationSeconds": 129_600}),
        value!({"credentials": {"accessKeyId": "ASIAIOSFODNN7FEDTOKN", "expiration": "Jun 30, 2026, 10:00:00 PM"},
            "federatedUser": {"federatedUserId": "111122223333:support", "arn": arn}}),
    );
    trail.call(
        "29T10:01",
        &federated("ASIAIOSFODNN7FEDTOKN"),
        "signin:GetSigninToken",
        Value::Null,
        value!({"GetSigninToken": "Success"}),
    );
    trail.call(
        "29T10:04",
        &federated("ASIAIOSFODNN7CONSOLE"),
        "iam:CreateUser",
        value!({"userName": "backup2"}),
        value!({"user": {"userName": "backup2"}}),
    );
    let trace = trail.trace(&[KEY]);
    let of = |key: &str| {
        let mut found = rows(&trace, "credentials").iter();
        found
            .find(|row| row["access_key_id"] == key)
            .unwrap_or(&Value::Null)
            .clone()
    };
    assert_eq!(of("ASIAIOSFODNN7FEDTOKN")["path_confidence"], "exact");
    assert_eq!(
        of("ASIAIOSFODNN7CONSOLE")["origin"],
        "intruder",
        "{trace:#}"
    );
    assert!(
        rows(&trace, "created")
            .iter()
            .any(|row| row["id"] == "backup2" && row["origin"] == "intruder"),
        "{trace:#}"
    );
    // Deactivating the key does not end the federated session: a policy that denies does.
    let steps = trace["containment"].to_string();
    assert!(steps.contains("-user-policy --user-name svc"), "{steps}");
    assert!(steps.contains("federated"), "{steps}");
}

#[test]
fn a_root_session_of_a_member_account_given_by_arn() {
    let (mut trail, intruder) = stolen();
    trail.call(
        "29T10:00",
        &intruder,
        "sts:AssumeRoot",
        value!({"targetPrincipal": "arn:aws:iam::444455556666:root",
            "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}}),
        value!({"credentials": {"accessKeyId": "ASIAIOSFODNN7ROOTKEY", "expiration": "Jun 29, 2026, 10:15:00 AM"}}),
    );
    let mut root = intruder.clone();
    root.identity = value!({"type": "Root", "principalId": "444455556666", "arn": "arn:aws:iam::444455556666:root",
        "accountId": "444455556666", "accessKeyId": "ASIAIOSFODNN7ROOTKEY",
        "sessionContext": {"assumedRoot": "true", "attributes": {"creationDate": "2026-06-29T10:00:00Z"}}});
    trail.call(
        "29T10:02",
        &root,
        "s3:DeleteBucketPolicy",
        value!({"bucketName": "b"}),
        Value::Null,
    );
    let trace = trail.trace(&[KEY]);
    let mut found = rows(&trace, "credentials").iter();
    let session = found
        .find(|row| row["access_key_id"] == "ASIAIOSFODNN7ROOTKEY")
        .unwrap();
    assert_eq!(session["account_id"], "444455556666");
    assert_eq!(session["path_confidence"], "exact");
    assert!(
        rows(&trace, "timeline")
            .iter()
            .any(|row| row["event_name"] == "DeleteBucketPolicy"),
        "{trace:#}"
    );
}

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// The findings on a report, as `finding user key`.
fn findings(lines: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    fs::write(&path, format!("{HEADER}\n{}\n", lines.join("\n"))).unwrap();
    let path = path.to_str().unwrap();
    let args = [
        "credentials",
        "--credential-report",
        path,
        "--as-of",
        "2026-10-01T12:00:00Z",
    ];
    let answer = json(&args, 0);
    let rows = rows(&answer, "findings").iter();
    rows.map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("finding"), text("user_name"), row["key"])
    })
    .collect()
}

fn line(user: &str, created: &str, password: &str, keys: [&str; 2]) -> String {
    format!(
        "{user},arn:aws:iam::111122223333:user/{user},{created}T00:00:00+00:00,{password},{},{},false,N/A,false,N/A",
        keys[0], keys[1]
    )
}

const NO_KEY: &str = "false,N/A,N/A,N/A,N/A";

#[test]
fn odd_values_of_a_report_are_values() {
    let root = "<root_account>,arn:aws:iam::111122223333:root,2024-01-02T03:04:05+00:00,not_supported,2026-09-13T13:17:57+00:00,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A".to_owned();
    let password = |changed: &str| format!("true,no_information,{changed}T00:00:00+00:00,N/A,true");
    let used = "true,2026-09-01T00:00:00+00:00,2026-09-30T00:00:00+00:00,N/A,N/A";
    let found = findings(&[
        root,
        line(
            "new-console",
            "2026-09-20",
            &password("2026-09-20"),
            [NO_KEY; 2],
        ),
        line(
            "old-console",
            "2024-01-02",
            &password("2025-09-20"),
            [NO_KEY; 2],
        ),
        line(
            "maria+ops@example.com",
            "2024-01-02",
            "false,N/A,N/A,N/A,false",
            [used, NO_KEY],
        ),
    ]);
    let unused: Vec<&String> = found
        .iter()
        .filter(|row| row.starts_with("unused-password"))
        .collect();
    assert_eq!(unused, ["unused-password old-console null"]);
    assert!(!found.iter().any(|row| row.contains("maria")), "{found:?}");
}

#[test]
fn findings_are_not_mixed_from_two_keys() {
    let young = "true,2026-09-01T00:00:00+00:00,N/A,N/A,N/A";
    let old = "true,2026-03-01T00:00:00+00:00,2026-09-29T00:00:00+00:00,us-east-1,s3";
    let user = line(
        "read-s3",
        "2024-01-02",
        "false,N/A,N/A,N/A,false",
        [young, old],
    );
    assert_eq!(
        findings(&[user]),
        ["two-active-keys read-s3 null", "key-not-rotated read-s3 2"]
    );
}
