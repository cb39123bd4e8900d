//! What conditions mean, and how mistakes in them are named.

use super::*;

#[test]
fn each_operator_does_what_it_says() {
    let request = json!({"requestParameters": {
        "name": "alice", "n": "4096", "size": 3.0, "flag": true, "list": ["a", "b"], "none": null, "empty": [],
        "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "other": "alice", "x-amz-acl": "public-read",
    }});
    for (condition, expected) in [
        ("", true),
        ("requestParameters.name = 'alice'", true),
        ("requestParameters.name = 'bob'", false),
        ("requestParameters.flag = true", true),
        ("requestParameters.flag = false", false),
        ("requestParameters.size = 3", true),
        ("requestParameters.name != 'alice'", false),
        ("requestParameters.name != 'bob'", true),
        ("requestParameters.absent != 'bob'", false),
        ("requestParameters.list[] = 'b'", true),
        ("requestParameters.list[] != 'a'", true),
        ("not requestParameters.list[] = 'a'", false),
        ("requestParameters.name != userIdentity.userName", true),
        ("requestParameters.name = requestParameters.other", true),
        ("requestParameters.name contains 'lic'", true),
        ("requestParameters.name contains 'x'", false),
        ("requestParameters.name startswith 'al'", true),
        ("requestParameters.name startswith 'l'", false),
        ("not requestParameters.name startswith 'al'", false),
        (
            "requestParameters.policyArn ~ ':policy/(Administrator|PowerUser)Access$'",
            true,
        ),
        ("requestParameters.policyArn ~ '^policy'", false),
        ("requestParameters.name in ('bob', 'alice')", true),
        ("requestParameters.name in ('bob')", false),
        ("requestParameters.name not in ('bob')", true),
        ("requestParameters.list[] not in ('a','b')", false),
        ("requestParameters.name exists", true),
        ("requestParameters.none exists", false),
        ("requestParameters.empty[] not exists", true),
        ("requestParameters.absent not exists", true),
        ("requestParameters.n >= 4096", true),
        ("requestParameters.n >= 4097", false),
        ("requestParameters.size <= 3", true),
        ("requestParameters.name <= 3", false),
        ("requestParameters.x-amz-acl ~ '^public-'", true),
        ("requestParameters..name = 'alice'", true),
        (
            "requestParameters.name = 'x' or eventName = 'CreateUser'",
            true,
        ),
        (
            "requestParameters.name = 'x' or requestParameters.flag = true and eventName = 'y'",
            false,
        ),
        (
            "(requestParameters.name = 'x' or requestParameters.flag = true) and eventName = 'CreateUser'",
            true,
        ),
        (
            "not (requestParameters.name = 'x' or eventName = 'y')",
            true,
        ),
        (
            "join(requestParameters.name, requestParameters.n) = 'alice/4096'",
            true,
        ),
        ("accounts(userIdentity.arn) = '111122223333'", true),
        ("userAgent startswith 'aws-cli'", true),
        ("requestParameters.name = 'it''s'", false),
    ] {
        assert_eq!(holds(condition, request.clone()), expected, "{condition}");
    }
}

#[test]
fn lists_say_what_is_ours() {
    let mut lists = Lists::default();
    lists.read("lists.txt", "known_accounts 444455556666 # partner\nvpc_ranges 203.0.113.0/24\n\nown_buckets arn:aws:s3:::mine\n").unwrap();
    lists.learn(&[batch(&[event(0, "iam:ListUsers", json!({}))])]);
    let with = |condition: &str, more: Value| {
        holds_with(condition, &[event(0, "iam:CreateUser", more)], &[], &lists)[0]
    };
    let asked = |principal: &str| {
        json!({"requestParameters": {"policy":
        json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}}]}).to_string()}})
    };
    let foreign = "accounts(principals(requestParameters.policy)) not in known_accounts";
    assert!(with(foreign, asked("arn:aws:iam::999999999999:root")));
    assert!(!with(foreign, asked("444455556666")));
    assert!(!with(foreign, asked("arn:aws:iam::111122223333:root")));
    assert!(with(
        "principals(requestParameters.policy) = '*'",
        asked("*")
    ));
    assert!(with("sourceIPAddress not in vpc_ranges", json!({})));
    for address in ["203.0.113.9", "10.1.2.3", "ec2.amazonaws.com"] {
        assert!(
            !with(
                "sourceIPAddress not in vpc_ranges",
                json!({"sourceIPAddress": address})
            ),
            "{address}"
        );
    }
    let bucket = |name: &str| json!({"requestParameters": {"b": name}});
    assert!(!with(
        "requestParameters.b not in own_buckets",
        bucket("arn:aws:s3:::mine")
    ));
    assert!(with("requestParameters.b in own_buckets", bucket("mine")));
    assert!(with(
        "requestParameters.b in trail_buckets",
        bucket("trail-bucket")
    ));
    assert!(!with(
        "requestParameters.b not in own_registries",
        bucket("111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:1")
    ));
    assert!(with(
        "requestParameters.b not in own_registries",
        bucket("docker.io/miner")
    ));

    let refused = |text: &str| Lists::default().read("l", text).unwrap_err().to_string();
    assert_eq!(
        refused("\nknown_accounts"),
        "l: line 2: expected a list and an entry, e.g. `known_accounts 123456789012`"
    );
    assert_eq!(refused("friends x"), "l: line 1: unknown list \"friends\"");
    assert_eq!(
        refused("vpc_ranges x"),
        "\"x\" is not an address range such as 10.0.0.0/8"
    );
}

#[test]
fn first_seen_compares_with_the_time_before() {
    let before = [
        event(0, "s3:ListBuckets", json!({})),
        event(
            1,
            "kms:Decrypt",
            json!({"resources": [{"ARN": "a"}, {"ARN": "b"}]}),
        ),
    ];
    let seen = |condition: &str, record: Value| {
        holds_with(condition, &[record], &before, &Lists::default())[0]
    };
    assert!(!seen(
        "first_seen(accessKeyId, eventName)",
        event(60, "s3:ListBuckets", json!({}))
    ));
    assert!(seen(
        "first_seen(accessKeyId, eventName)",
        event(60, "s3:GetBucketAcl", json!({}))
    ));
    assert!(seen(
        "first_seen(accessKeyId, sourceIPAddress)",
        event(
            60,
            "s3:ListBuckets",
            json!({"sourceIPAddress": "203.0.113.1"})
        )
    ));
    assert!(!seen(
        "first_seen(accessKeyId, resources[].ARN)",
        event(60, "kms:Decrypt", json!({"resources": [{"ARN": "b"}]}))
    ));
    assert!(seen(
        "first_seen(accessKeyId, resources[].ARN)",
        event(
            60,
            "kms:Decrypt",
            json!({"resources": [{"ARN": "b"}, {"ARN": "c"}]})
        )
    ));
    // A temporary key stands for the role that it was issued for.
    let session = |key: &str| {
        json!({"userIdentity": {"type": "AssumedRole", "accessKeyId": key, "arn": format!("arn:aws:sts::1:assumed-role/r/{key}"),
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/r"}}}})
    };
    let before = [event(0, "s3:ListBuckets", session("ASIA1"))];
    let later = [event(60, "s3:ListBuckets", session("ASIA2"))];
    assert_eq!(
        holds_with(
            "first_seen(accessKeyId, eventName)",
            &later,
            &before,
            &Lists::default()
        ),
        [false]
    );
    // Nothing is known of a field that the event does not have.
    assert!(!seen(
        "first_seen(requestParameters.x)",
        event(60, "s3:ListBuckets", json!({}))
    ));
}

#[test]
fn windows_count_what_the_rest_of_the_condition_lets_through() {
    let login =
        |at: u32, error: &str| event(at, "signin:ConsoleLogin", json!({"errorMessage": error}));
    let many: Vec<Value> = (0..5)
        .map(|n| {
            login(
                n * 60,
                if n == 2 {
                    "other"
                } else {
                    "Failed authentication"
                },
            )
        })
        .collect();
    let condition = |n: u32| {
        format!(
            "errorMessage = 'Failed authentication' and count >= {n} per 15m by recipientAccountId"
        )
    };
    let held = |n| holds_with(&condition(n), &many, &[], &Lists::default());
    assert_eq!(held(4), [true, true, false, true, true]);
    assert_eq!(held(5), [false; 5]);

    // Rules with one condition measure together: three calls, each of another name.
    let calls: Vec<Value> = ["DescribeVpcs", "DescribeImages", "DescribeTags"]
        .iter()
        .zip(0..)
        .map(|(name, at)| event(at, &format!("ec2:{name}"), json!({})))
        .collect();
    let distinct = "distinct(eventName) >= 3 per 10m by accessKeyId";
    assert_eq!(
        holds_with(distinct, &calls, &[], &Lists::default()),
        [true; 3]
    );
    assert_eq!(
        holds_with(
            "distinct(awsRegion) >= 2 per 10m by accessKeyId",
            &calls,
            &[],
            &Lists::default()
        ),
        [false; 3]
    );

    let read = |at: u32, bytes: f64| {
        event(
            at,
            "s3:GetObject",
            json!({"additionalEventData": {"bytesTransferredOut": bytes}}),
        )
    };
    let reads = [read(0, 6e8), read(10, 6e8), read(3599, 1.0)];
    let sum = "sum(additionalEventData.bytesTransferredOut) >= 1GiB per 1h by accessKeyId";
    assert_eq!(holds_with(sum, &reads, &[], &Lists::default()), [true; 3]);
    assert_eq!(
        holds_with(sum, &reads[1..], &[], &Lists::default()),
        [false; 2]
    );
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let refused = |condition: &str| {
        let text = format!(
            "eventSource,eventName,tactic,technique_id,technique_name,severity,why,condition\n# remark\ns,N,t,T1,n,high,w,\"{condition}\"\n"
        );
        Rules::default()
            .with_file("my.csv", &text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("eventName"),
        "my.csv: line 3: condition, character 10: expected an operator: =, !=, <=, >=, ~, contains, startswith, in, not in, exists, not exists, but the text ends here"
    );
    assert_eq!(
        refused("eventname = 'x'"),
        "my.csv: line 3: condition, character 1: records have no field \"eventname\""
    );
    assert_eq!(
        refused("eventName = 'x' xor"),
        "my.csv: line 3: condition, character 17: expected `and`, `or` or the end"
    );
    assert_eq!(
        refused("eventName in friends"),
        "my.csv: line 3: condition, character 14: unknown list \"friends\""
    );
    assert!(
        refused("eventName ~ '('")
            .starts_with("my.csv: line 3: condition, character 13: not a regular expression"),
        "{}",
        refused("eventName ~ '('")
    );
    assert_eq!(
        refused("eventName = 'x"),
        "my.csv: line 3: condition, character 13: expected a text in '…', a number, true, false or a path"
    );
    assert_eq!(
        refused("count >= 5"),
        "my.csv: line 3: condition, character 11: expected `per` and a time, e.g. `per 10m`, but the text ends here"
    );
    assert_eq!(
        refused("(eventName = 'x'"),
        "my.csv: line 3: condition, character 17: expected `)`, but the text ends here"
    );
    assert!(refused(&"(".repeat(40)).contains("more than 32 parentheses"));

    let head = "eventSource,eventName,tactic,technique_id,technique_name,severity,why,condition\n";
    let refused = |text: &str| {
        Rules::default()
            .with_file("my.csv", text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("a,b\n"),
        "my.csv: no column \"eventSource\"; expected eventSource, eventName, tactic, technique_id, technique_name, severity, why, condition"
    );
    assert_eq!(
        refused(&format!("{head}s,N,t,T1,n,bad,w,\n")),
        "my.csv: line 2: severity: \"bad\" is not one of critical, high, medium, low, info"
    );
    assert_eq!(
        refused(&format!("{head}s,,t,T1,n,high,w,\n")),
        "my.csv: line 2: eventName: is empty"
    );
    assert!(refused(&format!("{head}s,N\n")).starts_with("my.csv: "));
}
