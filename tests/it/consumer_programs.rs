//! Programs that are upgraded stay one consumer; applications that name themselves are told apart.

use std::fs;

use serde_json::{Value, json};

const KEY: &str = "AKIARTX3GSDSVYJXHKU3";

/// A trail of one call a day with each of these user agents, one after the other.
fn trail(agents: &[(&str, u32)]) -> tempfile::TempDir {
    let mut records = Vec::new();
    let mut day = 0;
    for (agent, days) in agents {
        for _ in 0..*days {
            day += 1;
            records.push(json!({
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333",
                    "arn": "arn:aws:iam::111122223333:user/job", "accessKeyId": KEY, "userName": "job"
                },
                "eventTime": format!("2026-{:02}-{:02}T03:00:00Z", 7 + (day - 1) / 28, 1 + (day - 1) % 28),
                "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "us-east-1",
                "sourceIPAddress": "203.0.113.10", "userAgent": agent,
                "requestParameters": {"bucketName": "lake", "key": "in.csv"}, "responseElements": null,
                "eventID": format!("00000000-0000-4000-8000-{day:012}"), "readOnly": true,
                "eventType": "AwsApiCall", "managementEvent": false, "recipientAccountId": "111122223333",
                "eventCategory": "Data"
            }));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("events.json"),
        json!({ "Records": records }).to_string(),
    )
    .unwrap();
    folder
}

fn consumers(agents: &[(&str, u32)]) -> Vec<Value> {
    let folder = trail(agents);
    let trail = folder.path().to_str().unwrap();
    let answer = crate::program::json(&["consumers", KEY, "--trail", trail], 0);
    answer["consumers"].as_array().unwrap().clone()
}

#[test]
fn an_upgrade_is_no_new_consumer() {
    for (old, new, name) in [
        (
            "Hadoop 3.3.4, aws-sdk-java/1.12.262 Linux/5.10.0 OpenJDK_64-Bit_Server_VM/11.0.20+8 java/11.0.20",
            "Hadoop 3.3.6, aws-sdk-java/1.12.367 Linux/5.10.0 OpenJDK_64-Bit_Server_VM/11.0.20+8 java/11.0.20",
            "Hadoop",
        ),
        (
            "aws-sdk-go/1.44.320 (go1.20.7; linux; amd64) karpenter.sh-v0.30.0",
            "aws-sdk-go/1.45.26 (go1.21.3; linux; amd64) karpenter.sh-v0.31.1",
            "karpenter.sh",
        ),
        (
            "loader-20260701/2.0 aws-sdk-go-v2/1.30.0 ua/2.1 os/linux lang/go#1.22.1",
            "loader-20260915/2.1 aws-sdk-go-v2/1.31.0 ua/2.1 os/linux lang/go#1.22.4",
            "loader",
        ),
    ] {
        let found = consumers(&[(old, 40), (new, 15)]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["events"], 55);
        assert!(
            found[0]["name"].as_str().unwrap().starts_with(name),
            "{found:#?}"
        );
        let folder = trail(&[(old, 40), (new, 15)]);
        let trail = folder.path().to_str().unwrap();
        let progress = crate::program::json(
            &["progress", KEY, "--before", "2026-08-13", "--trail", trail],
            0,
        );
        assert_eq!(
            progress["progress"][0]["status"], "still there",
            "{progress:#}"
        );
        assert_eq!(
            progress["progress"].as_array().unwrap().len(),
            1,
            "{progress:#}"
        );
    }
}

#[test]
fn an_upgrade_of_everything_at_once_is_no_new_consumer() {
    let old = "aws-sdk-java/1.12.262 Linux/4.14.355-275.603.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/25.412-b08 java/1.8.0_412 vendor/Amazon.com_Inc.";
    let new = "aws-sdk-java/2.25.11 md/io#async md/http#NettyNio ua/2.1 os/Linux#6.1.109-118.189.amzn2023.x86_64 lang/java#21.0.4 md/OpenJDK_64-Bit_Server_VM#21.0.4+7-LTS md/vendor#Amazon.com_Inc. md/en_US";
    let asked = |trail: tempfile::TempDir| {
        let path = trail.path().to_str().unwrap().to_owned();
        let args = ["progress", KEY, "--before", "2026-08-13", "--trail", &path];
        crate::program::json(&args, 0)
    };
    assert_eq!(consumers(&[(old, 40), (new, 15)]).len(), 2);
    let answer = asked(trail(&[(old, 40), (new, 15)]));
    let rows = answer["progress"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{answer:#}");
    assert_eq!(rows[0]["status"], "still there", "{answer:#}");
    assert_eq!(rows[0]["events_before"], 40, "{answer:#}");
    assert_eq!(rows[0]["events_since"], 15, "{answer:#}");
    let now = rows[0]["now_with"].as_str().unwrap();
    assert!(now.starts_with("another version: "), "{now}");
    // A program that calls something else is another one.
    let folder = trail(&[(old, 40), (new, 15)]);
    let path = folder.path().join("events.json");
    let mut records: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for record in records["Records"].as_array_mut().unwrap() {
        if record["userAgent"] == new {
            record["requestParameters"]["bucketName"] = "another".into();
        }
    }
    fs::write(&path, records.to_string()).unwrap();
    let answer = asked(folder);
    assert_eq!(
        answer["progress"].as_array().unwrap().len(),
        2,
        "{answer:#}"
    );
}

#[test]
fn applications_that_name_themselves_are_told_apart() {
    let sdk = "Boto3/1.39.3 md/Botocore#1.39.3 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.12.3 m/Z,b Botocore/1.39.3";
    let (billing, images) = (format!("{sdk} app/billing"), format!("{sdk} app/images"));
    let server = format!("{sdk} md/awslabs#mcp#aws-api-mcp-server#1.0.2");
    let newer = format!("{sdk} md/awslabs#mcp#aws-api-mcp-server#1.1.0");
    let found = consumers(&[
        (&billing, 9),
        (&images, 8),
        (&server, 4),
        (&newer, 3),
        (sdk, 5),
    ]);
    let mut names: Vec<&str> = found
        .iter()
        .map(|consumer| {
            consumer["name"]
                .as_str()
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["aws-api-mcp-server", "billing", "boto3", "images"]);
}

const BOTO: &str = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.15.0-1050 md/arch#x86_64 lang/python#3.10.12 md/pyimpl#CPython Botocore/1.34.69";

/// A call of every day: the hour, the address, the user agent, service and call, the region.
type Daily<'a> = (u32, &'a str, &'a str, (&'a str, &'a str), &'a str);

/// Each of these sets of calls has so many consumers.
#[track_caller]
fn counts_are<'a>(cases: impl IntoIterator<Item = (Vec<Daily<'a>>, usize)>) {
    for (calls, count) in cases {
        let found = daily(&calls);
        assert_eq!(found.len(), count, "{calls:?}: {found:#?}");
    }
}

/// The consumers of a key that makes these calls on each of thirty days, `%` in an address for the day. Private addresses go through
/// a VPC endpoint.
fn daily(calls: &[Daily<'_>]) -> Vec<Value> {
    let mut records = Vec::new();
    for day in 1..=30 {
        for (at, (hour, address, agent, (service, call), region)) in calls.iter().enumerate() {
            let mut record = json!({
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333",
                    "arn": "arn:aws:iam::111122223333:user/job", "accessKeyId": KEY, "userName": "job"
                },
                "eventTime": format!("2026-06-{day:02}T{hour:02}:{at:02}:00Z"),
                "eventSource": format!("{service}.amazonaws.com"), "eventName": call, "awsRegion": region,
                "sourceIPAddress": address.replace('%', &day.to_string()), "userAgent": agent,
                "requestParameters": null, "responseElements": null,
                "eventID": format!("00000000-0000-4000-8000-{:012}", day * 100 + at), "readOnly": false,
                "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333",
                "eventCategory": "Management"
            });
            if address.starts_with("10.") {
                record["vpcEndpointId"] = json!("vpce-0123456789abcdef0");
            }
            records.push(record);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let text = json!({ "Records": records }).to_string();
    fs::write(folder.path().join("events.json"), text).unwrap();
    let trail = folder.path().to_str().unwrap();
    let answer = crate::program::json(&["consumers", KEY, "--trail", trail], 0);
    answer["consumers"].as_array().unwrap().clone()
}

#[test]
fn the_routes_of_one_host_are_one_consumer() {
    let (put, list, send) = (
        ("s3", "PutObject"),
        ("ec2", "DescribeInstances"),
        ("sqs", "SendMessage"),
    );
    let ec2 = BOTO.replace("5.15.0-1050", "5.10.210-201.852.amzn2.x86_64");
    let ec2 = ec2.as_str();
    let (here, nat) = ("us-east-1", "54.210.1.2");
    counts_are([
        // A VPC endpoint, and a NAT gateway; IPv6 and IPv4.
        (
            vec![
                (8, "10.20.1.5", ec2, put, here),
                (8, "10.20.1.6", ec2, put, here),
                (8, nat, ec2, list, here),
            ],
            1,
        ),
        (
            vec![
                (8, "2001:db8:4f2:1::10", BOTO, put, here),
                (8, "203.0.113.10", BOTO, send, here),
            ],
            1,
        ),
        // At other hours, and two that do not share a route.
        (
            vec![(3, "10.20.1.5", ec2, put, here), (15, nat, ec2, list, here)],
            2,
        ),
        (
            vec![
                (3, "2001:db8:4f2:1::10", BOTO, put, here),
                (15, "203.0.113.10", BOTO, send, here),
            ],
            2,
        ),
        (
            vec![
                (8, "203.0.113.10", BOTO, put, here),
                (8, "198.51.100.7", BOTO, send, here),
            ],
            2,
        ),
    ]);
}

#[test]
fn functions_with_nothing_in_common_are_two_consumers() {
    let lambda = "Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10.211 lang/python#3.11.6 exec-env/AWS_Lambda_python3.11 Botocore/1.34.42";
    let newer = lambda.replace("3.11", "3.12");
    let newer = newer.as_str();
    let (put, mail) = (("dynamodb", "PutItem"), ("ses", "SendEmail"));
    let (us, eu) = ("us-east-1", "eu-west-1");
    counts_are([
        (
            vec![
                (8, "3.80.%.1", lambda, put, us),
                (9, "3.250.%.1", lambda, mail, eu),
            ],
            2,
        ),
        (
            vec![
                (8, "3.80.%.1", lambda, put, us),
                (9, "3.81.%.1", newer, mail, us),
            ],
            2,
        ),
        // One function calls two regions from one address, and one call is made in two regions.
        (
            vec![
                (8, "3.80.%.1", lambda, put, us),
                (8, "3.80.%.1", lambda, mail, eu),
            ],
            1,
        ),
        (
            vec![
                (8, "3.80.%.1", lambda, put, us),
                (9, "3.250.%.1", lambda, put, eu),
            ],
            1,
        ),
    ]);
}

#[test]
fn machines_with_other_versions_on_the_same_days_are_two_consumers() {
    let new = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off command/s3.ls";
    let old = "aws-cli/2.9.1 Python/3.9.11 Darwin/21.6.0 exe/x86_64 prompt/off command/s3.ls";
    let list = ("s3", "ListObjects");
    let here = "us-east-1";
    counts_are([
        (
            vec![
                (8, "203.0.113.60", new, list, here),
                (8, "91.20.30.40", old, list, here),
            ],
            2,
        ),
        // Two versions on one machine; one version at home and in the office.
        (
            vec![
                (8, "203.0.113.60", new, list, here),
                (8, "203.0.113.60", old, list, here),
            ],
            1,
        ),
        (
            vec![
                (8, "203.0.113.60", new, list, here),
                (20, "91.20.30.40", new, list, here),
            ],
            1,
        ),
    ]);
}
