//! Calls and what they need, against a table that was written from AWS's documentation.

use std::collections::BTreeSet;

use keytrail::knowledge::iam::{Call, actions, needs};

const TABLE: &str = include_str!("../../testdata/policy/calls.tsv");

/// A row of the table.
struct Row<'a> {
    source: String,
    call: &'a str,
    request: &'a str,
    needs: BTreeSet<String>,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [source, call, request, needs] = columns[..] else {
                panic!("{line:?} has {} columns", columns.len());
            };
            let needs = needs.split(" ; ").filter(|need| *need != "-").map(|need| {
                need.replace('~', "eu-west-1:111122223333")
                    .replace('^', "111122223333")
            });
            Row {
                source: format!("{source}.amazonaws.com"),
                call,
                request: if request == "//" { "null" } else { request },
                needs: needs.collect(),
            }
        })
        .collect()
}

#[test]
fn calls_need_what_the_documentation_says() {
    let rows = rows();
    let mut wrong = Vec::new();
    for row in &rows {
        let found: BTreeSet<String> = needs(&Call {
            event_source: &row.source,
            operation: row.call,
            region: "eu-west-1",
            account: "111122223333",
            caller: "arn:aws:iam::111122223333:user/service/svc",
            request_parameters: Some(row.request),
            ..Call::default()
        })
        .into_iter()
        .map(|need| {
            if need.open.is_some() {
                return format!("? {}", need.action);
            }
            let leaf = need.leaf.unwrap_or_default();
            let condition = need
                .condition
                .map_or_else(String::new, |text| format!(" if {text}"));
            format!("{} {}{leaf}{condition}", need.action, need.resource)
        })
        .collect();
        if found != row.needs {
            wrong.push(format!(
                "{} {} {}\n  found {found:#?}\n  expected {:#?}",
                row.source, row.call, row.request, row.needs
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows.len() >= 150, "{}", rows.len());
}

#[test]
fn what_the_table_names_is_in_the_reference() {
    for row in rows() {
        for need in row.needs.iter().filter(|need| !need.starts_with("? ")) {
            let action = need.split(' ').next().unwrap();
            assert!(actions::action(action).is_some(), "{action}");
        }
    }
}

/// The partition is the caller's, where the event has no ARN and one is built.
#[test]
fn arns_are_of_the_callers_partition() {
    for (caller, region, expected) in [
        (
            "arn:aws-us-gov:iam::111122223333:user/u",
            "us-gov-west-1",
            "arn:aws-us-gov:",
        ),
        (
            "arn:aws-cn:iam::111122223333:user/u",
            "cn-north-1",
            "arn:aws-cn:",
        ),
        ("", "cn-northwest-1", "arn:aws-cn:"),
        ("", "us-isob-east-1", "arn:aws-iso-b:"),
        ("", "us-isof-south-1", "arn:aws-iso-f:"),
        ("", "eu-isoe-west-1", "arn:aws-iso-e:"),
        ("", "eusc-de-east-1", "arn:aws-eusc:"),
    ] {
        for (source, operation, request) in [
            (
                "s3.amazonaws.com",
                "CopyObject",
                r#"{"bucketName":"to","key":"k","x-amz-copy-source":"from/a"}"#,
            ),
            (
                "monitoring.amazonaws.com",
                "PutMetricAlarm",
                r#"{"alarmName":"x"}"#,
            ),
            (
                "sqs.amazonaws.com",
                "SendMessage",
                r#"{"queueUrl":"https://sqs.example/111122223333/q"}"#,
            ),
            (
                "elasticmapreduce.amazonaws.com",
                "RunJobFlow",
                r#"{"serviceRole":"EMR"}"#,
            ),
            ("bedrock.amazonaws.com", "Converse", r#"{"modelId":"m"}"#),
            (
                "dynamodb.amazonaws.com",
                "ExecuteStatement",
                r#"{"statement":"SELECT * FROM t"}"#,
            ),
        ] {
            let found = needs(&Call {
                event_source: source,
                operation,
                region,
                account: "111122223333",
                caller,
                request_parameters: Some(request),
                ..Call::default()
            });
            let built: Vec<_> = found.iter().filter(|need| need.resource != "*").collect();
            assert!(!built.is_empty(), "{source} {operation}");
            for need in built {
                assert!(need.resource.starts_with(expected), "{region}: {need:?}");
            }
        }
    }
}

/// Services in China have names of their own in two conditions.
#[test]
fn conditions_name_the_services_of_china() {
    let of = |source, operation, request| {
        needs(&Call {
            event_source: source,
            operation,
            region: "cn-north-1",
            account: "111122223333",
            request_parameters: Some(request),
            ..Call::default()
        })
        .into_iter()
        .filter_map(|need| need.condition)
        .collect::<BTreeSet<_>>()
    };
    let profile = of(
        "ec2.amazonaws.com",
        "RunInstances",
        r#"{"iamInstanceProfile":{"name":"web"}}"#,
    );
    let expected = "iam:PassedToService=ec2.amazonaws.com ec2.amazonaws.com.cn".to_owned();
    assert_eq!(profile, BTreeSet::from([expected]));
    let object = of(
        "s3.amazonaws.com",
        "PutObject",
        r#"{"bucketName":"b","key":"k","x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"k1"}"#,
    );
    let expected = "kms:ViaService=s3.cn-north-1.amazonaws.com.cn".to_owned();
    assert_eq!(object, BTreeSet::from([expected]));
}
