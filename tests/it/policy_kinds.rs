//! Kinds of use for which a policy of exactly what was seen would deny the next run, or allow what the owner never did.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::policy_cases::{allowed, event, open, policy, texts};

/// A call on a day of June 2026, at an hour.
fn on(day: usize, hour: usize, call: (&str, &str), request: Value) -> Value {
    let mut event = event(
        day * 100 + hour,
        call,
        json!({"requestParameters": request}),
    );
    event["eventID"] = json!(format!(
        "{:08}-{:04}-4000-8000-{:012}",
        call.1.len(),
        hour,
        day * 1_000 + request.to_string().len()
    ));
    event["eventTime"] = json!(format!("2026-06-{day:02}T{hour:02}:00:00Z"));
    event
}

/// The resources of an action.
fn resources(policy: &Value, action: &str) -> BTreeSet<String> {
    let lines = allowed(policy).into_iter();
    lines
        .filter_map(|line| Some(line.strip_prefix(&format!("{action} "))?.to_owned()))
        .collect()
}

/// Whether an action is allowed on exactly these resources, `~` for the region and the account.
#[track_caller]
fn assert_on(policy: &Value, action: &str, expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|arn| arn.replace('~', "eu-west-1:111122223333"))
        .collect();
    let expected: BTreeSet<String> = expected.into_iter().collect();
    assert_eq!(resources(policy, action), expected, "{action}: {policy:#}");
}

#[test]
fn what_is_made_anew_each_time_is_not_named() {
    let mut events = Vec::new();
    for day in 1..=4 {
        let id = format!("i-0123456789abcde{day:02}");
        let date = format!("nightly-2026-06-{day:02}");
        let task = format!("{:032x}", day * 7_777_777);
        for (service, call, request) in [
            (
                "ec2",
                "TerminateInstances",
                json!({"instancesSet": {"items": [{"instanceId": id}]}}),
            ),
            (
                "ec2",
                "StartInstances",
                json!({"instancesSet": {"items": [{"instanceId": id}]}}),
            ),
            (
                "ec2",
                "DeleteSnapshot",
                json!({"snapshotId": format!("snap-0123456789abcde{day:02}")}),
            ),
            (
                "rds",
                "CreateDBSnapshot",
                json!({"dBInstanceIdentifier": "prod", "dBSnapshotIdentifier": date}),
            ),
            (
                "rds",
                "DeleteDBSnapshot",
                json!({"dBSnapshotIdentifier": date}),
            ),
            (
                "states",
                "DescribeExecution",
                json!({"executionArn": format!("arn:aws:states:eu-west-1:111122223333:execution:etl:run-{day}")}),
            ),
            ("ecs", "StopTask", json!({"cluster": "prod", "task": task})),
            (
                "cloudformation",
                "CreateStack",
                json!({"stackName": format!("pr-{}", 400 + day)}),
            ),
            (
                "sqs",
                "CreateQueue",
                json!({"queueName": format!("reply-0000000{day}-2222-4333-8444-555555555555")}),
            ),
        ] {
            events.push(on(day, 9, (service, call), request));
        }
    }
    events.push(on(5, 9, ("route53", "GetChange"), json!({"id": "C123"})));
    let policy = policy(&events);
    for (action, expected) in [
        ("ec2:TerminateInstances", vec!["arn:aws:ec2:~:instance/*"]),
        ("ec2:StartInstances", vec!["arn:aws:ec2:~:instance/*"]),
        (
            "ec2:DeleteSnapshot",
            vec!["arn:aws:ec2:eu-west-1::snapshot/*"],
        ),
        (
            "rds:CreateDBSnapshot",
            vec!["arn:aws:rds:~:db:prod", "arn:aws:rds:~:snapshot:nightly-*"],
        ),
        (
            "rds:DeleteDBSnapshot",
            vec!["arn:aws:rds:~:snapshot:nightly-*"],
        ),
        ("ecs:StopTask", vec!["arn:aws:ecs:~:task/prod/*"]),
        (
            "cloudformation:CreateStack",
            vec!["arn:aws:cloudformation:~:stack/pr-*/*"],
        ),
        ("sqs:CreateQueue", vec!["arn:aws:sqs:~:reply-*"]),
        ("route53:GetChange", vec!["arn:aws:route53:::change/*"]),
    ] {
        assert_on(&policy, action, &expected);
        // An answer row says so.
        let said = open(&policy, action);
        assert!(said.contains("made anew each time"), "{action}: {said}");
    }
    let executions = resources(&policy, "states:DescribeExecution");
    assert!(
        executions.contains("arn:aws:states:eu-west-1:111122223333:execution:etl:*"),
        "{executions:?}"
    );
}

#[test]
fn what_stays_is_named() {
    let key = |n: usize| {
        format!("arn:aws:kms:eu-west-1:111122223333:key/1111111{n}-2222-4333-8444-555555555555")
    };
    let mut events = Vec::new();
    for day in 1..=6 {
        // Three instances that are stopped each night, three queues that are there to stay.
        for n in 1..=3 {
            let id = format!("i-0123456789abcde{n:02}");
            events.push(on(
                day,
                8 + n,
                ("ec2", "StopInstances"),
                json!({"instancesSet": {"items": [{"instanceId": id}]}}),
            ));
            let url = format!("https://sqs.eu-west-1.amazonaws.com/111122223333/shard-{n}");
            events.push(on(
                day,
                8 + n,
                ("sqs", "SendMessage"),
                json!({"queueUrl": url}),
            ));
        }
        // What a wildcard would open too far: keys and roles, each once.
        events.push(on(day, 15, ("kms", "Encrypt"), json!({"keyId": key(day)})));
        events.push(on(
            day,
            16,
            ("iam", "CreateRole"),
            json!({"roleName": format!("pr-{day}")}),
        ));
    }
    let policy = policy(&events);
    let id = |n: usize| format!("arn:aws:ec2:~:instance/i-0123456789abcde{n:02}");
    assert_on(&policy, "ec2:StopInstances", &[&id(1), &id(2), &id(3)]);
    let queue = |n: usize| format!("arn:aws:sqs:~:shard-{n}");
    assert_on(
        &policy,
        "sqs:SendMessage",
        &[&queue(1), &queue(2), &queue(3)],
    );
    assert_eq!(resources(&policy, "kms:Encrypt").len(), 6);
    assert_eq!(resources(&policy, "iam:CreateRole").len(), 6);
    assert!(!policy.to_string().contains("made anew"), "{policy:#}");
}

/// A call that failed.
fn failed(mut event: Value, code: &str) -> Value {
    event["errorCode"] = json!(code);
    event["errorMessage"] = json!("it did not work");
    event
}

#[test]
fn an_error_that_is_no_denial_shows_a_need() {
    let object = |key: &str| json!({"bucketName": "out", "key": key});
    let item = json!({"tableName": "locks"});
    let events = [
        failed(on(1, 1, ("s3", "HeadObject"), object("f/a.csv")), "404"),
        on(1, 2, ("s3", "PutObject"), object("f/a.csv")),
        failed(
            on(1, 3, ("dynamodb", "PutItem"), item.clone()),
            "ConditionalCheckFailedException",
        ),
        failed(
            on(1, 4, ("dynamodb", "GetItem"), item.clone()),
            "AccessDeniedException",
        ),
        failed(
            on(
                1,
                5,
                ("ec2", "RebootInstances"),
                json!({"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}),
            ),
            "Client.UnauthorizedOperation",
        ),
        failed(
            on(
                1,
                6,
                ("s3", "ListObjects"),
                json!({"bucketName": "no-such"}),
            ),
            "NoSuchBucket",
        ),
        failed(
            on(1, 7, ("sqs", "ListQueues"), json!({})),
            "InvalidClientTokenId",
        ),
        // Without permission to list, S3 denies.
        failed(
            on(
                1,
                8,
                ("s3", "GetObject"),
                json!({"bucketName": "other", "key": "k"}),
            ),
            "AccessDenied",
        ),
    ];
    let policy = policy(&events);
    assert_eq!(
        allowed(&policy),
        texts(&[
            "dynamodb:PutItem arn:aws:dynamodb:eu-west-1:111122223333:table/locks",
            "s3:GetObject arn:aws:s3:::out/f/a.csv",
            "s3:ListBucket arn:aws:s3:::out",
            "s3:PutObject arn:aws:s3:::out/f/a.csv",
        ])
    );
    let codes = |section: &str| -> BTreeSet<String> {
        let rows = policy[section].as_array().unwrap().iter();
        rows.map(|row| row["error_code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        codes("denied"),
        texts(&[
            "AccessDenied",
            "AccessDeniedException",
            "Client.UnauthorizedOperation"
        ])
    );
    assert_eq!(
        codes("failed"),
        texts(&[
            "404",
            "ConditionalCheckFailedException",
            "InvalidClientTokenId",
            "NoSuchBucket"
        ])
    );
}

#[test]
fn suspicious_use_is_said_first() {
    let server = "Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10 lang/python#3.12.1";
    let desktop = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";
    let mut owner = Vec::new();
    for day in 1..=30 {
        for hour in 0..12 {
            let request = json!({"bucketName": "backup", "key": "a.bin"});
            let mut event = on(day, hour, ("s3", "PutObject"), request);
            event["userAgent"] = json!(server);
            owner.push(event);
        }
    }
    let mut all = owner.clone();
    for (minute, (service, call)) in [("sts", "GetCallerIdentity"), ("dynamodb", "DescribeTable")]
        .into_iter()
        .enumerate()
    {
        let mut event = on(30, 20, (service, call), json!({"tableName": "orders"}));
        event["eventTime"] = json!(format!("2026-06-30T20:{minute:02}:00Z"));
        event["sourceIPAddress"] = json!("198.51.100.7");
        event["userAgent"] = json!(desktop);
        all.push(event);
    }
    let mut scan = on(30, 20, ("dynamodb", "Scan"), json!({"tableName": "orders"}));
    scan["eventTime"] = json!("2026-06-30T20:02:00Z");
    scan["sourceIPAddress"] = json!("198.51.100.7");
    scan["userAgent"] = json!(desktop);
    all.push(failed(scan, "AccessDenied"));
    let with = policy(&all);
    let first = with["notes"][0].as_str().unwrap();
    for part in [
        "198.51.100.7",
        "suspicious",
        "dynamodb:DescribeTable",
        "keytrail trace AKIARTX3GSDSVYJXHKU3",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let without = policy(&owner);
    assert!(
        !without["notes"].to_string().contains("suspicious"),
        "{without:#}"
    );
}

#[test]
fn months_quarters_and_weeks_are_dates() {
    let put = |n: usize, key: &str| {
        let request = json!({"bucketName": "lake", "key": key});
        on(n, 1, ("s3", "PutObject"), request)
    };
    let policy = policy(&[
        put(1, "rep/Jun-2026/01.pdf"),
        put(2, "rep2/2026Q2/01.pdf"),
        put(3, "rep3/2026-W23/r1.csv"),
        put(4, "rep4/2026W23/r1.csv"),
        put(5, "cfg/app.json"),
        put(6, "may/junk-2026/x"),
    ]);
    let start = "arn:aws:s3:::lake";
    let expected = [
        "rep/*",
        "rep2/*",
        "rep3/*",
        "rep4/*",
        "cfg/app.json",
        "may/junk-2026/x",
    ]
    .map(|key| format!("{start}/{key}"));
    assert_eq!(resources(&policy, "s3:PutObject"), BTreeSet::from(expected));
}

#[test]
fn a_path_of_parameters_and_a_phone_number() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:alerts";
    let paths = policy(&[
        on(
            1,
            1,
            ("ssm", "GetParametersByPath"),
            json!({"path": "/prod/app"}),
        ),
        on(1, 2, ("ssm", "GetParameter"), json!({"name": "/prod/db"})),
        on(
            1,
            3,
            ("sns", "Publish"),
            json!({"phoneNumber": "+49***", "message": "HIDDEN"}),
        ),
    ]);
    assert_on(
        &paths,
        "ssm:GetParametersByPath",
        &[
            "arn:aws:ssm:~:parameter/prod/app",
            "arn:aws:ssm:~:parameter/prod/app/*",
        ],
    );
    assert_on(
        &paths,
        "ssm:GetParameter",
        &["arn:aws:ssm:~:parameter/prod/db"],
    );
    assert_on(&paths, "sns:Publish", &["*"]);
    let topics = policy(&[on(1, 1, ("sns", "Publish"), json!({"topicArn": topic}))]);
    assert_on(&topics, "sns:Publish", &[topic]);
}

/// `role service` of each role that is passed.
fn passed(policy: &Value) -> BTreeSet<String> {
    let rows = policy["permissions"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["action"] == "iam:PassRole");
    rows.flat_map(|row| {
        let service = row["condition"].as_str().unwrap();
        let service = service.replace("iam:PassedToService=", "");
        let roles = row["resources"].as_array().unwrap().iter();
        roles.map(move |role| {
            let name = role.as_str().unwrap().split_once(":role/").unwrap().1;
            format!("{name} {service}")
        })
    })
    .collect()
}

#[test]
fn roles_are_passed_under_other_names_and_to_other_services() {
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let run = |profile: &str| json!({"instancesSet": {"items": [{"imageId": "ami-0123456789abcdef0"}]}, "iamInstanceProfile": {"name": profile}});
    let mut events = vec![
        on(
            1,
            1,
            ("cognito-idp", "CreateUserPool"),
            json!({"poolName": "p", "smsConfiguration": {"snsCallerArn": role("sms"), "externalId": "x"}}),
        ),
        on(
            1,
            2,
            ("apigateway", "PutIntegration"),
            json!({"restApiId": "a", "resourceId": "r", "httpMethod": "POST", "putIntegrationInput": {"type": "AWS", "credentials": role("gateway")}}),
        ),
        on(
            1,
            3,
            ("ec2", "CreateFlowLogs"),
            json!({"CreateFlowLogsRequest": {"ResourceType": "VPC", "DeliverLogsPermissionArn": role("flow"), "LogGroupName": "/vpc"}}),
        ),
        on(
            1,
            4,
            ("s3", "CreateJob"),
            json!({"accountId": "111122223333", "roleArn": role("batch")}),
        ),
        on(1, 5, ("ec2", "RunInstances"), run("web-profile")),
        on(1, 6, ("ec2", "RunInstances"), run("unknown-profile")),
        // The principal of a grant is not passed.
        on(
            1,
            7,
            ("kms", "CreateGrant"),
            json!({"keyId": "arn:aws:kms:eu-west-1:111122223333:key/k", "granteePrincipal": role("x"), "operations": ["Decrypt"]}),
        ),
    ];
    let mut add = on(
        1,
        0,
        ("iam", "AddRoleToInstanceProfile"),
        json!({"instanceProfileName": "web-profile", "roleName": "web-role"}),
    );
    add["userIdentity"]["accessKeyId"] = json!("AKIARTX3GSDSVUTZIFRU");
    add["userIdentity"]["arn"] = json!("arn:aws:iam::111122223333:user/admin");
    add["userIdentity"]["userName"] = json!("admin");
    events.push(add);
    assert_eq!(
        passed(&policy(&events)),
        texts(&[
            "*/web-role ec2.amazonaws.com",
            "batch batchoperations.s3.amazonaws.com",
            "flow vpc-flow-logs.amazonaws.com",
            "gateway apigateway.amazonaws.com",
            "sms cognito-idp.amazonaws.com",
            "unknown-profile ec2.amazonaws.com",
            "web-role ec2.amazonaws.com",
        ])
    );
}
