//! Owners and intruders on small trails that are made here: who is told to be behind a use, what is asked of people, and that no answer
//! contradicts another.

use crate::program::{json, keytrail};
use crate::trail::{gzip, write};
use serde_json::{Value, json as value};
use std::path::Path;

const ACCOUNT: &str = "111122223333";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const OFFICE: &str = "203.0.113.10";
const STRANGE: &str = "198.51.100.7";
const BOTO: &str = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10 lang/python#3.11.6";
const CLI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.5.0-25-generic exe/x86_64.ubuntu.22 prompt/off";
const MAC: &str = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";

/// Records of a trail, in order.
#[derive(Default)]
pub(crate) struct Trail(pub(crate) Vec<Value>);

/// Who calls, from where, with what.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) identity: Value,
    pub(crate) address: &'static str,
    pub(crate) agent: &'static str,
}

impl Caller {
    pub(crate) fn from(&self, address: &'static str, agent: &'static str) -> Self {
        Self {
            address,
            agent,
            ..self.clone()
        }
    }
}

pub(crate) fn user(name: &str, key: &str) -> Caller {
    Caller {
        identity: value!({"type": "IAMUser", "principalId": format!("AIDA{name}"), "accountId": ACCOUNT, "userName": name,
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "accessKeyId": key}),
        address: OFFICE,
        agent: BOTO,
    }
}

fn root(key: &str) -> Caller {
    Caller {
        identity: value!({"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT,
            "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accessKeyId": key}),
        address: OFFICE,
        agent: BOTO,
    }
}

pub(crate) fn session(role: &str, name: &str, key: &str, opened: &str) -> Caller {
    Caller {
        identity: value!({"type": "AssumedRole", "principalId": format!("AROA{role}:{name}"), "accountId": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"), "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": format!("AROA{role}"), "accountId": ACCOUNT,
                "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "userName": role},
                "attributes": {"creationDate": opened, "mfaAuthenticated": "false"}}}),
        address: "3.80.12.13",
        agent: BOTO,
    }
}

pub(crate) fn service(name: &'static str) -> Caller {
    Caller {
        identity: value!({"type": "AWSService", "invokedBy": name}),
        address: name,
        agent: name,
    }
}

impl Trail {
    /// A call at a time `DDTHH:MM` of June 2026; `!` behind its name: it was denied.
    pub(crate) fn call(
        &mut self,
        time: &str,
        who: &Caller,
        name: &str,
        request: Value,
        response: Value,
    ) {
        let denied = name.ends_with('!');
        let (source, operation) = name.trim_end_matches('!').split_once(':').unwrap();
        let reads = ["Get", "List", "Describe"];
        let mut record = value!({"eventVersion": "1.08", "userIdentity": who.identity, "eventTime": format!("2026-06-{time}:00Z"),
            "eventSource": format!("{source}.amazonaws.com"), "eventName": operation, "awsRegion": "us-east-1",
            "sourceIPAddress": who.address, "userAgent": who.agent, "requestParameters": request, "responseElements": response,
            "requestID": format!("r{}", self.0.len()), "eventID": format!("00000000-0000-4000-8000-{:012}", self.0.len()),
            "readOnly": reads.iter().any(|word| operation.starts_with(word)), "eventType": "AwsApiCall",
            "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"});
        if denied {
            record["errorCode"] = "AccessDenied".into();
        }
        self.0.push(record);
    }

    pub(crate) fn plain(&mut self, time: &str, who: &Caller, names: &[&str]) {
        let (day, minute) = time.rsplit_once(':').unwrap();
        let minute: usize = minute.parse().unwrap();
        for (at, name) in names.iter().enumerate() {
            self.call(
                &format!("{day}:{:02}", minute + at),
                who,
                name,
                Value::Null,
                Value::Null,
            );
        }
    }

    /// A job of the owner, each day of the month until the 28th.
    pub(crate) fn job(&mut self, who: &Caller) {
        for day in 1..=28 {
            self.call(
                &format!("{day:02}T08:00"),
                who,
                "dynamodb:PutItem",
                value!({"tableName": "orders"}),
                Value::Null,
            );
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> String {
        let text = value!({"Records": self.0}).to_string();
        let key = format!(
            "AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/06/30/{ACCOUNT}_CloudTrail_us-east-1_20260630T1205Z_AbCdEfGhIjKlMnOp.json.gz"
        );
        write(folder, &key, &gzip(&text));
        folder.to_str().unwrap().to_owned()
    }

    /// The trace of a start, which contradicts itself nowhere.
    pub(crate) fn trace(&self, args: &[&str]) -> Value {
        let home = tempfile::tempdir().unwrap();
        let folder = self.write(home.path());
        let mut all = vec!["trace"];
        all.extend(args);
        all.extend(["--trail", &folder]);
        let trace = json(&all, 0);
        agrees_with_itself(&trace, args[0]);
        trace
    }

    /// What a person sees of a trace.
    pub(crate) fn screen(&self, args: &[&str]) -> String {
        let home = tempfile::tempdir().unwrap();
        let folder = self.write(home.path());
        let all = [&["trace"], args, &["--trail", &folder]].concat();
        let output = keytrail(&all).env("COLUMNS", "120").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `ready` says of a key.
    pub(crate) fn ready(&self, key: &str) -> Value {
        let home = tempfile::tempdir().unwrap();
        let folder = self.write(home.path());
        let ready = json(&["ready", "--trail", &folder], 0);
        let rows = ready["ready"].as_array().unwrap().iter();
        let mut of_key = rows.filter(|row| row["access_key_id"] == key);
        of_key.next().unwrap().clone()
    }

    pub(crate) fn verdict(&self, key: &str) -> String {
        text(&self.ready(key), "verdict").to_owned()
    }
}

fn rows<'a>(trace: &'a Value, section: &str) -> &'a [Value] {
    trace[section].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

fn answer<'a>(trace: &'a Value, question: &str) -> &'a str {
    let answers = rows(&trace["summary"], "answers").iter();
    let mut found = answers.filter(|row| row["question"] == question);
    text(found.next().unwrap(), "answer")
}

/// The verdict on an address.
pub(crate) fn origin<'a>(trace: &'a Value, address: &str) -> &'a str {
    let sources = rows(&trace["summary"], "sources").iter();
    let mut found = sources.filter(|row| row["source_ip_address"] == address);
    text(found.next().unwrap_or(&Value::Null), "origin")
}

fn commands(trace: &Value) -> Vec<&str> {
    let steps = rows(trace, "containment").iter();
    steps.map(|step| text(step, "command")).collect()
}

/// What holds for every trace, whatever the trail.
pub(crate) fn agrees_with_itself(trace: &Value, start: &str) {
    if rows(trace, "credentials").is_empty() {
        let answers = rows(&trace["summary"], "answers");
        assert_eq!(
            answers.len(),
            1,
            "{start}: no all-clear for what is not there"
        );
        assert_eq!(text(&answers[0], "answer"), "not in these logs");
        return;
    }
    let others = rows(trace, "credentials")
        .iter()
        .filter(|row| row["rule"] != "start");
    let said = answer(trace, "Which credentials were issued?");
    let count = others.clone().count();
    assert_eq!(said == "none in these logs", count == 0, "{start}: {said}");
    let of = |origin: &str| others.clone().filter(|row| row["origin"] == origin).count();
    let counted = match said.contains("none attributed to an intruder") {
        true => said.starts_with(&format!("{count} issued")),
        false => {
            let rest = [
                ("suspicious", "suspicious"),
                ("unknown", "of unknown origin"),
                ("owner", "the owner's"),
            ];
            let rest = rest.map(|(origin, words)| match of(origin) {
                0 => !said.contains(&format!("{words}: ")),
                some => said.contains(&format!("; {words}: {some}")),
            });
            let intruders = format!("{} used by the intruder", of("intruder"));
            said.starts_with(&intruders) && rest.iter().all(|is_said| *is_said)
        }
    };
    assert!(count == 0 || counted, "{start}: {said}");

    let events = rows(trace, "timeline")
        .iter()
        .filter(|row| row["relation"] == "by");
    let from_where = answer(trace, "From where?");
    for event in
        events.filter(|event| event["origin"] == "intruder" && event["via_service"].is_null())
    {
        let address = text(event, "source_ip_address");
        let is_address = address.parse::<std::net::IpAddr>().is_ok();
        assert!(
            !is_address || from_where.contains(address),
            "{start}: {address} is missing in {from_where}"
        );
    }
    let left = rows(trace, "created").iter();
    let left = left
        .filter(|row| row["state"] == "there" && row["origin"] != "owner")
        .count();
    let cleanup = answer(trace, "What has to be cleaned up?");
    assert!(
        cleanup.starts_with(&format!("{left} resource")),
        "{start}: {cleanup}"
    );
    let users = |row: &&Value| {
        ["user", "access_key", "password", "role"].contains(&text(row, "kind"))
            && row["origin"] != "owner"
    };
    let back = answer(trace, "Can the intruder come back?");
    if rows(trace, "created").iter().any(|row| users(&row)) {
        assert!(!back.starts_with("nothing"), "{start}: {back}");
    }
    for row in rows(trace, "containment")
        .iter()
        .chain(rows(trace, "created"))
    {
        let command = row["command"]
            .as_str()
            .or(row["undo"].as_str())
            .unwrap_or_default();
        assert!(
            command.starts_with("aws ") || command.starts_with("# "),
            "{start}: {command}"
        );
        let (before, _) = command.split_once(" #").unwrap_or((command, ""));
        if before.starts_with("aws ") {
            assert!(
                !before.contains("''") || before.contains(r"'\''"),
                "{start}: an empty value: {command}"
            );
            let mut words = before.split_whitespace();
            let made_up = words.find(|word| {
                [
                    "ON",
                    "USER_NAME",
                    "OLD",
                    "NEW",
                    "ACCOUNT",
                    "ASSOCIATION",
                    "NAME",
                    "REGION",
                ]
                .contains(word)
            });
            assert_eq!(made_up, None, "{start}: {command}");
        }
    }
}

/// Who am I, what is there: most of it denied.
pub(crate) const LOOKS_AROUND: [&str; 5] = [
    "sts:GetCallerIdentity",
    "iam:ListUsers!",
    "iam:ListRoles!",
    "s3:ListBuckets!",
    "secretsmanager:ListSecrets!",
];

#[test]
fn a_key_that_an_intruder_made_is_an_incident_too() {
    let second = "AKIAIOSFODNN7EXAMPLF";
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &intruder, &LOOKS_AROUND);
    trail.call(
        "28T12:06",
        &intruder,
        "iam:CreateUser",
        value!({"userName": "sync"}),
        value!({"user": {"userName": "sync"}}),
    );
    trail.call(
        "28T12:07",
        &intruder,
        "iam:CreateAccessKey",
        value!({"userName": "sync"}),
        value!({"accessKey": {"accessKeyId": second, "userName": "sync", "status": "Active"}}),
    );
    trail.plain(
        "28T13:00",
        &user("sync", second).from("192.0.2.77", CLI),
        &["s3:GetObject"; 4],
    );
    assert_eq!(trail.verdict(KEY), "incident");
    assert_eq!(trail.verdict(second), "incident");

    let trace = trail.trace(&[KEY]);
    assert_eq!(origin(&trace, OFFICE), "owner");
    assert_eq!(origin(&trace, STRANGE), "intruder");
    assert_eq!(
        origin(&trace, "192.0.2.77"),
        "intruder",
        "an address of the lineage"
    );
    assert_eq!(
        text(&trace["summary"], "as_of"),
        "2026-06-28T13:03:00Z",
        "the last event of the logs"
    );
    let commands = commands(&trace);
    for key in [KEY, second] {
        assert!(
            commands.iter().any(
                |command| command.contains(&format!("--access-key-id {key} --status Inactive"))
            ),
            "{commands:?}"
        );
    }
}

#[test]
fn the_first_suspicious_use_is_the_first_sign() {
    // In the office, with the usual program: all that tells the intruder is what is done from the 20th on.
    let owner = user("svc", KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("20T12:00", &owner, &LOOKS_AROUND);
    trail.call(
        "20T12:10",
        &owner,
        "iam:AttachUserPolicy",
        value!({"userName": "svc"}),
        Value::Null,
    );
    trail.call(
        "20T12:11",
        &owner,
        "iam:CreateUser",
        value!({"userName": "sync"}),
        Value::Null,
    );
    trail.call(
        "20T12:12",
        &owner,
        "cloudtrail:StopLogging",
        Value::Null,
        Value::Null,
    );
    let trace = trail.trace(&[KEY]);
    assert_ne!(origin(&trace, OFFICE), "owner");
    let first = &trace["summary"]["first_suspicious_use"];
    assert_eq!(first["event_time"], "2026-06-20T12:00:00Z", "{first}");
}

#[test]
fn an_engineer_at_home_is_at_most_suspicious() {
    let owner = user("svc", KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain(
        "28T12:00",
        &owner.from("86.12.13.14", MAC),
        &[
            "sts:GetCallerIdentity",
            "dynamodb:DescribeTable",
            "dynamodb:Scan!",
        ],
    );
    let trace = trail.trace(&[KEY]);
    assert_eq!(origin(&trace, "86.12.13.14"), "suspicious");
    assert!(answer(&trace, "First suspicious use?").contains("suspicious, not proven"));
    assert!(
        answer(&trace, "Is anyone else affected?")
            .starts_with("no address of an intruder is known")
    );
    assert_ne!(trail.verdict(KEY), "incident");
}

#[test]
fn who_else_was_seen_is_said_also_where_no_intruder_is_known() {
    let mut trail = Trail::default();
    trail.job(&user("svc", KEY));
    trail.plain(
        "20T10:00",
        &user("other", "AKIAIOSFODNN7EXAMPLG"),
        &["s3:ListBuckets"],
    );
    let trace = trail.trace(&[KEY]);
    let others = answer(&trace, "Is anyone else affected?");
    assert_eq!(
        others,
        "no address of an intruder is known; seen from the same addresses: AKIAIOSFODNN7EXAMPLG"
    );
    assert_eq!(rows(&trace, "pivot")[0]["origin"], "unknown");
}

#[test]
fn an_address_tells_what_came_from_it_and_what_followed() {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.call(
        "20T08:30",
        &owner,
        "iam:CreateUser",
        value!({"userName": "ours"}),
        value!({"user": {"userName": "ours"}}),
    );
    trail.plain(
        "21T08:00",
        &user("ours", "AKIAIOSFODNN7EXAMPLH"),
        &["s3:ListBuckets"],
    );
    trail.plain(
        "28T12:00",
        &intruder,
        &["sts:GetCallerIdentity", "iam:ListUsers!"],
    );
    trail.call(
        "28T12:07",
        &intruder,
        "iam:CreateAccessKey",
        value!({"userName": "svc"}),
        value!({"accessKey": {"accessKeyId": "AKIAIOSFODNN7EXAMPLF", "userName": "svc"}}),
    );
    trail.plain(
        "28T13:00",
        &user("svc", "AKIAIOSFODNN7EXAMPLF").from("192.0.2.77", CLI),
        &["s3:GetObject"],
    );
    let trace = trail.trace(&[STRANGE]);
    let by = rows(&trace, "timeline")
        .iter()
        .filter(|row| row["relation"] == "by");
    assert_eq!(
        by.count(),
        4,
        "three calls from there, and one with the key that they made"
    );
    let keys: Vec<&str> = rows(&trace, "credentials")
        .iter()
        .map(|row| text(row, "access_key_id"))
        .collect();
    assert_eq!(keys, [KEY, "AKIAIOSFODNN7EXAMPLF"]);
}

#[test]
fn an_instances_session_in_other_hands() {
    let key = "ASIAIOSFODNN7EXAMPLE";
    let instance = session("web", "i-0aaaabbbbccccdddd", key, "2026-06-28T04:00:00Z");
    let mut trail = Trail::default();
    trail.call("28T04:00", &service("ec2.amazonaws.com"), "sts:AssumeRole",
        value!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/web"), "roleSessionName": "i-0aaaabbbbccccdddd"}),
        value!({"credentials": {"accessKeyId": key, "expiration": "Jun 28, 2026, 10:00:00 AM"}}));
    for hour in 4..9 {
        trail.call(
            &format!("28T{hour:02}:01"),
            &instance,
            "dynamodb:PutItem",
            value!({"tableName": "orders"}),
            Value::Null,
        );
    }
    trail.plain(
        "28T07:10",
        &instance.from("45.148.10.94", MAC),
        &LOOKS_AROUND,
    );
    let trace = trail.trace(&[key]);
    assert_eq!(origin(&trace, "45.148.10.94"), "intruder");
    assert_eq!(origin(&trace, "3.80.12.13"), "owner");
    let made = rows(&trace, "created")
        .iter()
        .filter(|row| row["kind"] == "PutItem");
    assert_eq!(made.count(), 0, "data is no thing to clean up");
    assert!(commands(&trace)[0].contains("aws iam put-role-policy --role-name web "));
}

#[test]
fn the_birth_of_a_services_session_is_the_services_call() {
    let key = "ASIAIOSFODNN7EXAMPLE";
    let mut trail = Trail::default();
    trail.call(
        "10T12:00",
        &user("deployer", KEY),
        "iam:PutRolePolicy",
        value!({"roleName": "task", "policyName": "p", "policyDocument": "{}"}),
        Value::Null,
    );
    trail.call("28T04:00", &service("ecs-tasks.amazonaws.com"), "sts:AssumeRole",
        value!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/task"), "roleSessionName": "0123456789abcdef"}),
        value!({"credentials": {"accessKeyId": key, "expiration": "Jun 28, 2026, 10:00:00 AM"}}));
    trail.plain(
        "28T04:05",
        &session("task", "0123456789abcdef", key, "2026-06-28T04:00:00Z"),
        &["dynamodb:GetItem"],
    );
    let trace = trail.trace(&[key, "--up"]);
    let credentials = rows(&trace, "credentials");
    assert_eq!(credentials.len(), 1, "{credentials:?}");
    assert_eq!(credentials[0]["issued_by_event_name"], "AssumeRole");
    assert_eq!(
        credentials[0]["parent_principal_arn"],
        "ecs-tasks.amazonaws.com"
    );
}

#[test]
fn a_stolen_key_of_the_root_user_is_deactivated_as_root() {
    let owner = root(KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &owner.from(STRANGE, CLI), &LOOKS_AROUND);
    trail.call(
        "28T12:07",
        &owner.from(STRANGE, CLI),
        "iam:CreateAccessKey",
        Value::Null,
        value!({"accessKey": {"accessKeyId": "AKIAIOSFODNN7EXAMPLF", "status": "Active"}}),
    );
    trail.plain(
        "28T12:20",
        &root("AKIAIOSFODNN7EXAMPLF").from(STRANGE, CLI),
        &["iam:ListUsers"],
    );
    let trace = trail.trace(&[KEY]);
    let commands = commands(&trace);
    for key in [KEY, "AKIAIOSFODNN7EXAMPLF"] {
        let command = format!("aws iam update-access-key --access-key-id {key} --status Inactive");
        assert!(commands.contains(&command.as_str()), "{commands:?}");
    }
    assert!(
        commands
            .iter()
            .all(|command| !command.contains("--user-name")),
        "{commands:?}"
    );
    let undo: Vec<&str> = rows(&trace, "created")
        .iter()
        .map(|row| text(row, "undo"))
        .collect();
    assert_eq!(
        undo,
        [format!(
            "aws iam delete-access-key --access-key-id AKIAIOSFODNN7EXAMPLF  # signed in as the root user of account {ACCOUNT}"
        )]
    );
    // Nor does the plan name a user.
    let home = tempfile::tempdir().unwrap();
    let folder = trail.write(home.path());
    let plan = json(&["plan", KEY, "--trail", &folder], 0);
    let plan = plan.to_string();
    assert!(
        plan.contains(&format!(
            "aws iam update-access-key --access-key-id {KEY} --status Inactive"
        )),
        "{plan}"
    );
    assert!(
        !plan.contains("--user-name") && !plan.contains("USER_NAME"),
        "{plan}"
    );
}

#[test]
fn what_aws_does_to_a_leaked_key_is_no_step_of_an_intruder() {
    for (operation, request) in [
        (
            "iam:AttachUserPolicy",
            value!({"userName": "svc", "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}),
        ),
        (
            "iam:PutUserPolicy",
            value!({"userName": "svc", "policyName": "AWSExposedCredentialPolicy_DO_NOT_REMOVE",
            "policyDocument": r#"{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#}),
        ),
    ] {
        let owner = user("svc", KEY);
        let mut trail = Trail::default();
        trail.job(&owner);
        trail.call(
            "28T12:00",
            &owner.from("72.21.217.30", "aws-internal/3 aws-sdk-java/1.12.500"),
            operation,
            request,
            Value::Null,
        );
        let trace = trail.trace(&[KEY]);
        assert!(
            answer(&trace, "What is it, and whose?").contains("AWS attached its quarantine policy"),
            "{operation}"
        );
        assert!(
            answer(&trace, "Were permissions gained?").starts_with("no call"),
            "{operation}"
        );
        let created = rows(&trace, "created");
        assert!(
            created
                .iter()
                .all(|row| row["kind"] == "denial" && row["origin"] == "owner"),
            "{created:?}"
        );
        let quarantine = commands(&trace);
        assert!(
            quarantine.last().unwrap().starts_with("# "),
            "{quarantine:?}"
        );
        assert!(
            quarantine.iter().all(|command| !command.contains("detach")),
            "{quarantine:?}"
        );
    }
}

#[test]
fn calls_that_hand_out_credentials_are_in_the_lineage_and_among_the_findings() {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &intruder, &LOOKS_AROUND);
    trail.call(
        "28T12:10",
        &intruder,
        "lightsail:CreateBucketAccessKey",
        value!({"bucketName": "media"}),
        value!({"accessKey": {"accessKeyId": "AKIAIOSFODNN7LIGHTSL", "status": "Active"}}),
    );
    trail.call(
        "28T12:11",
        &intruder,
        "s3:GetDataAccess",
        value!({"target": "s3://finance/*"}),
        value!({"credentials": {"accessKeyId": "ASIAIOSFODNN7GRANTSX"}}),
    );
    trail.call(
        "28T12:12",
        &intruder,
        "lakeformation:GetTemporaryGlueTableCredentials",
        value!({"tableArn": "t"}),
        value!({"accessKeyId": "ASIAIOSFODNN7LAKEFMX", "expiration": "Jun 28, 2026, 1:12:00 PM"}),
    );
    for (minute, name) in [
        "lightsail:GetRelationalDatabaseMasterUserPassword",
        "elasticmapreduce:GetClusterSessionCredentials",
        "codepipeline:PollForJobs",
        "connect:GetFederationToken",
        "ecs:ExecuteCommand",
    ]
    .iter()
    .enumerate()
    {
        trail.call(
            &format!("28T12:{}", 13 + minute),
            &intruder,
            name,
            Value::Null,
            Value::Null,
        );
    }
    let trace = trail.trace(&[KEY]);
    let keys: Vec<&str> = rows(&trace, "credentials")
        .iter()
        .map(|row| text(row, "access_key_id"))
        .collect();
    for key in [
        "AKIAIOSFODNN7LIGHTSL",
        "ASIAIOSFODNN7GRANTSX",
        "ASIAIOSFODNN7LAKEFMX",
    ] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    let found: Vec<&str> = rows(&trace, "findings")
        .iter()
        .map(|row| text(row, "event_name"))
        .collect();
    for name in [
        "CreateBucketAccessKey",
        "GetDataAccess",
        "GetTemporaryGlueTableCredentials",
        "GetRelationalDatabaseMasterUserPassword",
        "GetClusterSessionCredentials",
        "PollForJobs",
        "GetFederationToken",
        "ExecuteCommand",
    ] {
        assert!(found.contains(&name), "{name} in {found:?}");
    }
    let undo: Vec<&str> = rows(&trace, "created")
        .iter()
        .map(|row| text(row, "undo"))
        .collect();
    assert!(undo.contains(&"aws lightsail delete-bucket-access-key --bucket-name media --access-key-id AKIAIOSFODNN7LIGHTSL --region us-east-1"), "{undo:?}");
    assert!(
        commands(&trace)
            .iter()
            .all(|command| !command.contains("LIGHTSL")),
        "it is no key of an IAM user"
    );
    let screen = trail.screen(&[KEY]);
    for part in [
        "AKIAIOSFODNN7LIGHTSL",
        "Also got",
        "GetRelationalDatabaseMasterUserPassword, GetClusterSessionCredentials",
    ] {
        assert!(screen.contains(part), "{part} is not in\n{screen}");
    }
}

/// Somebody whom a user's key let in as a federated user; without a key, what the console's sign-in shows.
fn federated(name: &str, key: Option<&str>) -> Caller {
    let mut identity = value!({"type": "FederatedUser", "principalId": format!("{ACCOUNT}:{name}"), "accountId": ACCOUNT,
        "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/{name}"), "sessionContext": {
            "sessionIssuer": {"type": "IAMUser", "principalId": "AIDAsvc", "accountId": ACCOUNT, "userName": "svc",
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/svc")},
            "attributes": {"creationDate": "2026-06-28T12:10:00Z", "mfaAuthenticated": "false"}}});
    if let Some(key) = key {
        identity["accessKeyId"] = key.into();
    }
    Caller {
        identity,
        address: STRANGE,
        agent: CLI,
    }
}

#[test]
fn a_console_session_by_federation_is_followed_and_stopped_with_its_user() {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &intruder, &LOOKS_AROUND);
    let (token, console) = ("ASIAIOSFODNN7FEDTOKN", "ASIAIOSFODNN7CONSOLE");
    trail.call(
        "28T12:10",
        &intruder,
        "sts:GetFederationToken",
        value!({"name": "support", "durationSeconds": 129600}),
        value!({"credentials": {"accessKeyId": token, "expiration": "Jun 30, 2026, 12:10:00 AM"},
            "federatedUser": {"arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/support"), "federatedUserId": format!("{ACCOUNT}:support")}}),
    );
    let succeeded = |name: &str| value!({name: "Success"});
    trail.call(
        "28T12:11",
        &federated("support", Some(token)),
        "signin:GetSigninToken",
        Value::Null,
        succeeded("GetSigninToken"),
    );
    trail.call(
        "28T12:12",
        &federated("support", None),
        "signin:ConsoleLogin",
        Value::Null,
        succeeded("ConsoleLogin"),
    );
    trail.call(
        "28T12:15",
        &federated("support", Some(console)),
        "iam:CreateUser",
        value!({"userName": "backup2"}),
        value!({"user": {"userName": "backup2"}}),
    );
    let trace = trail.trace(&[KEY]);
    let credentials = rows(&trace, "credentials");
    for key in [token, console] {
        let of_key = credentials.iter().find(|row| row["access_key_id"] == key);
        assert_eq!(of_key.unwrap()["origin"], "intruder", "{key}");
    }
    let created = rows(&trace, "created");
    let of_user = created.iter().find(|row| row["id"] == "backup2").unwrap();
    assert_eq!(of_user["origin"], "intruder");
    let deny = "aws iam attach-user-policy --user-name svc --policy-arn arn:aws:iam::aws:policy/AWSDenyAll";
    assert!(commands(&trace).contains(&deny), "{:?}", commands(&trace));
    let screen = trail.screen(&[KEY]);
    for part in [token, "backup2", "until 2026-06-30 00:10", deny] {
        assert!(screen.contains(part), "{part} is not in\n{screen}");
    }
}

#[test]
fn a_root_session_of_a_member_account_is_exact() {
    const MEMBER: &str = "444455556666";
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    for target in [MEMBER.to_owned(), format!("arn:aws:iam::{MEMBER}:root")] {
        let mut trail = Trail::default();
        trail.job(&owner);
        trail.plain("28T12:00", &intruder, &LOOKS_AROUND);
        let key = "ASIAIOSFODNN7ROOT001";
        trail.call(
            "28T12:10",
            &intruder,
            "sts:AssumeRoot",
            value!({"targetPrincipal": target, "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}}),
            value!({"credentials": {"accessKeyId": key, "expiration": "Jun 28, 2026, 12:25:00 PM"}}),
        );
        let root = Caller {
            identity: value!({"type": "Root", "principalId": MEMBER, "accountId": MEMBER, "accessKeyId": key,
                "arn": format!("arn:aws:iam::{MEMBER}:root"),
                "sessionContext": {"attributes": {"creationDate": "2026-06-28T12:10:00Z"}, "assumedRoot": "true"}}),
            ..intruder.clone()
        };
        let request = value!({"bucketName": "member-data", "policy": ""});
        trail.call(
            "28T12:12",
            &root,
            "s3:DeleteBucketPolicy",
            request,
            Value::Null,
        );
        let trace = trail.trace(&[KEY]);
        let credentials = rows(&trace, "credentials");
        let session = credentials.iter().find(|row| row["access_key_id"] == key);
        let session = session.unwrap();
        assert_eq!(session["account_id"], MEMBER, "{target}");
        assert_eq!(session["confidence"], "exact", "{target}");
        assert_eq!(session["origin"], "intruder", "{target}");
        let events = rows(&trace, "timeline").iter();
        let mut deleted = events.filter(|event| event["event_name"] == "DeleteBucketPolicy");
        assert_eq!(deleted.next().unwrap()["access_key_id"], key, "{target}");
        let screen = trail.screen(&[KEY]);
        for part in [key, MEMBER, "member-data"] {
            assert!(screen.contains(part), "{part} is not in\n{screen}");
        }
    }
}

#[test]
fn hostile_names_stay_words_of_a_command() {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &intruder, &LOOKS_AROUND);
    trail.call(
        "28T12:10",
        &intruder,
        "ec2:CreateKeyPair",
        value!({"keyName": "x'; touch /tmp/owned #"}),
        value!({"keyName": "x'; touch /tmp/owned #"}),
    );
    trail.call("28T12:11", &intruder, "ec2:AuthorizeSecurityGroupIngress",
        value!({"groupName": "web $(id)", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}), value!({"_return": true}));
    let trace = trail.trace(&[KEY]);
    let undo: Vec<&str> = rows(&trace, "created")
        .iter()
        .map(|row| text(row, "undo"))
        .collect();
    assert_eq!(
        undo,
        [
            r"aws ec2 delete-key-pair --key-name 'x'\''; touch /tmp/owned #' --region us-east-1",
            r#"aws ec2 revoke-security-group-ingress --group-name 'web $(id)' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]' --region us-east-1"#,
        ]
    );
}

#[test]
fn a_person_in_the_console_is_no_service() {
    let key = "ASIAIOSFODNN7CONSOLE";
    let mut mary = user("mary", key);
    mary.identity["invokedBy"] = "signin.amazonaws.com".into();
    mary.agent = "signin.amazonaws.com";
    let mut trail = Trail::default();
    trail.plain("28T08:00", &mary, &["s3:ListBuckets"]);
    let trace = trail.trace(&[key]);
    let event = &rows(&trace, "timeline")[0];
    assert_eq!(event["via_service"], Value::Null);
    assert_eq!(event["source_ip_address"], OFFICE);
}

/// Traces every key of a trail or a lake; none contradicts itself. How many there are.
pub(crate) fn every_trace_agrees_with_itself(source: [&str; 2]) -> usize {
    let keys = "SELECT DISTINCT access_key_id FROM events WHERE regexp_like(access_key_id, '^A[KS]IA[A-Z0-9]{16}$') ORDER BY 1";
    let keys = json(&[&["sql", keys][..], &source].concat(), 0);
    let keys = rows(&keys, "rows").iter().chain(rows(&keys, "result"));
    let keys: Vec<&str> = keys.map(|row| text(row, "access_key_id")).collect();
    for key in &keys {
        let trace = json(&[&["trace", key][..], &source].concat(), 0);
        agrees_with_itself(&trace, key);
    }
    keys.len()
}

#[test]
fn no_trace_on_any_trail_contradicts_itself() {
    let trails = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    for (trail, least) in [("trail", 5), ("questions", 1), ("ready/trail.json.gz", 25)] {
        let trail = format!("{trails}/{trail}");
        let traced = every_trace_agrees_with_itself(["--trail", &trail]);
        assert!(traced >= least, "{trail}: {traced}");
    }
    let trail = format!("{trails}/trail");
    for start in [OFFICE, "203.0.113.12", "198.51.100.202", "svc-export"] {
        agrees_with_itself(&json(&["trace", start, "--trail", &trail], 0), start);
    }
}
