//! What events mean by the rules that came with the program.

use super::*;

#[test]
fn every_row_that_came_with_the_program_compiles() {
    let rules = Rules::builtin().unwrap();
    assert_eq!(rules.iter().count(), 950);
    for rule in rules.iter() {
        assert!(rule.technique_id.starts_with('T'), "{}", rule.id);
        assert!(
            !rule.technique_name.is_empty() && !rule.why.is_empty(),
            "{}",
            rule.id
        );
    }
}

#[test]
fn the_gravest_rule_speaks_and_failures_are_a_step_lower() {
    let rules = Rules::builtin().unwrap();
    let attach = |at, policy: &str, more: Value| {
        let mut record = event(
            at,
            "iam:AttachUserPolicy",
            json!({"requestParameters": {"userName": "x", "policyArn": policy}}),
        );
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let records = [
        attach(0, admin, json!({})),
        attach(1, "arn:aws:iam::aws:policy/ReadOnlyAccess", json!({})),
        attach(2, admin, json!({"errorCode": "AccessDenied"})),
        attach(
            3,
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3",
            json!({}),
        ),
        event(
            4,
            "cloudtrail:StopLogging",
            json!({"requestParameters": {"name": "t"}}),
        ),
        event(
            5,
            "ec2:RunInstances",
            json!({"errorCode": "Client.VcpuLimitExceeded"}),
        ),
        event(6, "sts:NoSuchCall", json!({})),
    ];
    let found = find(
        (&rules, &Lists::default()),
        &[batch(&records)],
        &Baseline::default(),
    );
    let short: Vec<(&str, &str, &str, bool)> = found
        .iter()
        .map(|f| {
            (
                &*f.tactic,
                &*f.technique_id_v18,
                f.severity.as_str(),
                f.failed,
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            ("privilege-escalation", "T1098.003", "critical", false),
            ("privilege-escalation", "T1098.003", "high", false),
            ("privilege-escalation", "T1098.003", "high", true),
            ("credential-access", "T1552.001", "critical", false),
            ("defense-impairment", "T1562.008", "critical", false),
            // A row about failures is not lowered.
            ("impact", "T1496.001", "medium", true),
        ]
    );
    assert!(
        found[0].rule.starts_with("attack_events.csv:"),
        "{}",
        found[0].rule
    );
    let again = find(
        (&rules, &Lists::default()),
        &[batch(&records)],
        &Baseline::default(),
    );
    assert_eq!(found, again);
}

#[test]
fn what_was_made_in_the_incident_is_told_from_what_was_there() {
    let rules = Rules::builtin().unwrap();
    let made = event(
        0,
        "iam:CreateUser",
        json!({"requestParameters": {"userName": "evil"}, "responseElements": {"user": {"userName": "evil"}}}),
    );
    let gone = |at, name: &str| {
        event(
            at,
            "iam:DeleteUser",
            json!({"requestParameters": {"userName": name}}),
        )
    };
    let records = [made, gone(1, "evil"), gone(2, "admin")];
    let found = find(
        (&rules, &Lists::default()),
        &[batch(&records)],
        &Baseline::default(),
    );
    let tactics: Vec<&str> = found.iter().map(|finding| &*finding.tactic).collect();
    assert_eq!(tactics, ["persistence", "stealth", "impact"]);
}

#[test]
fn batches_need_not_have_all_columns_and_names_need_no_date() {
    let rules = Rules::builtin().unwrap();
    let whole = batch(&[
        event(
            0,
            "lambda:CreateFunction20150331",
            json!({"requestParameters": {"role": "r"}}),
        ),
        event(1, "cloudtrail:StopLogging", json!({})),
    ]);
    let some = whole.project(&[0, 1, 2, 3]).unwrap();
    // Without its key and parameters the first event cannot be told from a usual one.
    for (batch, expected) in [(&whole, 2), (&some, 1)] {
        let batches = std::slice::from_ref(batch);
        let found = find((&rules, &Lists::default()), batches, &Baseline::default());
        assert_eq!(found.len(), expected);
    }
    let short = "eventSource,eventName,tactic,technique_id,technique_name,severity,why,condition\nlambda.amazonaws.com,CreateFunction,execution,T1648,x,low,w,\n";
    let rules = Rules::default().with_file("my.csv", short).unwrap();
    assert_eq!(
        find((&rules, &Lists::default()), &[whole], &Baseline::default()).len(),
        1
    );
}
