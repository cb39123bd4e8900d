//! Kinds of intruders, each with an owner who does nearly the same: who takes, destroys or runs up costs without looking around; who comes
//! back through a role, a password or a new name; and what the clean-up and the steps say of it.

use crate::intruders::{Caller, LOOKS_AROUND, Trail, origin, session, user};
use serde_json::{Value, json as value};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECOND: &str = "AKIAIOSFODNN7EXAMPLF";
const STRANGE: &str = "198.51.100.7";
const FAR: &str = "192.0.2.88";
const HOME: &str = "86.12.13.14";
const CLI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.5.0-25-generic exe/x86_64.ubuntu.22 prompt/off";
const MAC: &str = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";
const GO: &str = "aws-sdk-go-v2/1.25.3 os/linux lang/go#1.22.1 md/GOOS#linux md/GOARCH#amd64";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

/// An owner's job, and an intruder who enumerates the account on the 20th.
fn stolen() -> (Trail, Caller) {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("20T12:00", &intruder, &LOOKS_AROUND);
    (trail, intruder)
}

/// An administrator in the office.
fn admin() -> Caller {
    let mut who = user("alice", "AKIAIOSFODNN7ALICE11");
    who.agent = MAC;
    who
}

fn rows<'a>(trace: &'a Value, section: &str) -> &'a [Value] {
    trace[section].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

/// What to do, and the command.
fn steps(trace: &Value) -> Vec<String> {
    let steps = rows(trace, "containment").iter();
    steps
        .map(|step| format!("{} || {}", text(step, "what"), text(step, "command")))
        .collect()
}

/// The step that holds all of these words.
fn step<'a>(steps: &'a [String], words: &[&str]) -> Option<&'a str> {
    let mut steps = steps.iter().map(String::as_str);
    steps.find(|step| words.iter().all(|word| step.contains(word)))
}

fn created<'a>(trace: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = rows(trace, "created").iter();
    all.filter(|row| text(row, "kind") == kind).collect()
}

/// In a region of the call's own.
fn in_region(trail: &mut Trail, region: &str) {
    trail.0.last_mut().unwrap()["awsRegion"] = region.into();
}

#[test]
fn a_deployment_that_writes_a_roles_policy_does_not_grant_itself_permissions() {
    let verdict = |name: &str, request: Value| {
        let (mut trail, owner) = (Trail::default(), user("deploy", KEY));
        trail.job(&owner);
        let here = owner.from(STRANGE, GO);
        for day in 20..=28 {
            trail.call(
                &format!("{day}T09:00"),
                &here,
                name,
                request.clone(),
                Value::Null,
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let path = trail.write(folder.path());
        let ready = crate::program::json(&["ready", KEY, "--trail", &path], 0);
        ready["ready"][0].to_string()
    };
    let itself = "grants itself permissions";
    let role = value!({"roleName": "app", "policyName": "p", "policyDocument": "{}"});
    let row = verdict("iam:PutRolePolicy", role);
    assert!(!row.contains(itself), "{row}");
    assert!(
        row.contains("grants permissions, which the key had never done"),
        "{row}"
    );
    let own = value!({"userName": "deploy", "policyName": "p", "policyDocument": "{}"});
    let row = verdict("iam:PutUserPolicy", own);
    assert!(row.contains(itself), "{row}");
}

/// The verdict on a key whose owner has a job, after so many calls by somebody within minutes.
fn after(who: fn(&Caller) -> Caller, names: &[&str], times: usize, day: u32) -> String {
    let owner = user("svc", KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    let who = who(&owner);
    for at in 0..times {
        for name in names {
            trail.plain(&format!("{day:02}T13:{at:02}"), &who, &[name]);
        }
    }
    trail.verdict(KEY)
}

#[test]
fn who_takes_destroys_or_runs_up_costs_without_looking_around_is_an_intruder() {
    let strange = |owner: &Caller| owner.from(STRANGE, CLI);
    for name in [
        "ec2:RunInstances",
        "s3:DeleteObject",
        "secretsmanager:GetSecretValue",
        "bedrock:InvokeModel",
    ] {
        assert_eq!(after(strange, &[name], 12, 28), "incident", "{name}");
        assert_ne!(after(strange, &[name], 4, 28), "incident", "{name}, a few");
        let office = |owner: &Caller| owner.from("203.0.113.20", CLI);
        assert_ne!(
            after(office, &[name], 12, 28),
            "incident",
            "{name}, in the office"
        );
        let same = |owner: &Caller| owner.from(STRANGE, owner.agent);
        assert_ne!(
            after(same, &[name], 12, 28),
            "incident",
            "{name}, the usual program"
        );
    }
    // A service that was rewritten and moved does its job, and reads its secrets and settings.
    let moved = |owner: &Caller| owner.from(STRANGE, GO);
    let job = ["secretsmanager:GetSecretValue", "dynamodb:PutItem"];
    assert_ne!(after(moved, &job, 12, 28), "incident", "a new host");
    assert_ne!(
        after(moved, &["ssm:GetParameter"], 30, 28),
        "incident",
        "settings"
    );
    // Another service that was given the key.
    assert_ne!(
        after(moved, &["s3:ListObjects", "s3:GetObject"], 20, 28),
        "incident",
        "a reader"
    );
}

#[test]
fn a_deployment_that_goes_on_for_weeks_is_no_plunder() {
    let owner = user("svc", KEY);
    let moved = owner.from(STRANGE, GO);
    let mut trail = Trail::default();
    trail.job(&owner);
    for day in 16..=28 {
        for minute in 0..12 {
            let time = format!("{day}T13:{minute:02}");
            trail.plain(&time, &moved, &["bedrock:InvokeModel"]);
        }
    }
    assert_ne!(trail.verdict(KEY), "incident");
}

#[test]
fn what_was_removed_in_one_region_is_there_in_others() {
    let (mut trail, intruder) = stolen();
    let admin = admin();
    for region in ["us-east-1", "eu-west-1"] {
        for (name, request) in [
            ("ec2:ImportKeyPair", value!({"keyName": "ops"})),
            ("s3:CreateBucket", value!({"bucketName": "drop"})),
            (
                "iam:CreateUser",
                value!({"userName": format!("u-{region}")}),
            ),
        ] {
            trail.call("20T12:30", &intruder, name, request, Value::Null);
            in_region(&mut trail, region);
        }
    }
    for (name, request) in [
        ("ec2:DeleteKeyPair", value!({"keyName": "ops"})),
        ("s3:DeleteBucket", value!({"bucketName": "drop"})),
        ("iam:DeleteUser", value!({"userName": "u-us-east-1"})),
    ] {
        trail.call("21T12:30", &admin, name, request, Value::Null);
        in_region(&mut trail, "eu-west-1");
    }
    let trace = trail.trace(&[KEY]);
    let left: Vec<(&str, &str)> = rows(&trace, "created")
        .iter()
        .filter(|row| text(row, "state") == "there")
        .map(|row| (text(row, "id"), text(row, "aws_region")))
        .collect();
    assert_eq!(left, [("ops", "us-east-1"), ("u-eu-west-1", "eu-west-1")]);
}

/// A rule for this port, as requests have it.
fn port(port: u16) -> Value {
    value!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": port, "toPort": port,
        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}})
}

#[test]
fn another_rule_of_the_group_that_was_revoked_closes_nothing() {
    let state = |revoked: u16| {
        let (mut trail, intruder) = stolen();
        let open = "ec2:AuthorizeSecurityGroupIngress";
        let close = "ec2:RevokeSecurityGroupIngress";
        trail.call("20T12:30", &intruder, open, port(3389), Value::Null);
        trail.call("21T12:30", &admin(), close, port(revoked), Value::Null);
        let trace = trail.trace(&[KEY]);
        let rules = created(&trace, "security_group_rule");
        assert_eq!(rules.len(), 1);
        text(rules[0], "state").to_owned()
    };
    assert_eq!(state(22), "there");
    assert_eq!(state(3389), "removed by others");
}

#[test]
fn a_key_that_the_intruder_deactivated_is_activated_again() {
    let (mut trail, intruder) = stolen();
    for (name, status) in [("carl", "Inactive"), ("old", "Active")] {
        let request = value!({"userName": name, "accessKeyId": SECOND, "status": status});
        trail.call(
            "20T12:30",
            &intruder,
            "iam:UpdateAccessKey",
            request,
            Value::Null,
        );
    }
    let trace = trail.trace(&[KEY]);
    let rows = created(&trace, "access_key_status");
    let undo: Vec<&str> = rows.iter().map(|row| text(row, "undo")).collect();
    assert!(undo[0].ends_with("--status Active"), "{undo:?}");
    assert!(undo[1].ends_with("--status Inactive"), "{undo:?}");
}

/// A user and its key, made by somebody.
fn makes_user(trail: &mut Trail, time: &str, who: &Caller, (name, key): (&str, &str)) {
    let request = value!({"userName": name});
    let answer = value!({"user": {"userName": name}});
    trail.call(time, who, "iam:CreateUser", request.clone(), answer);
    let answer = value!({"accessKey": {"accessKeyId": key, "userName": name, "status": "Active"}});
    trail.call(time, who, "iam:CreateAccessKey", request, answer);
}

#[test]
fn a_user_whose_name_is_an_option_breaks_no_command() {
    let (mut trail, intruder) = stolen();
    makes_user(&mut trail, "20T12:30", &intruder, ("-rf", SECOND));
    let trace = trail.trace(&[KEY]);
    let commands = rows(&trace, "containment")
        .iter()
        .map(|row| text(row, "command"));
    let undo = rows(&trace, "created").iter().map(|row| text(row, "undo"));
    let named: Vec<&str> = commands
        .chain(undo)
        .filter(|line| line.contains("-rf"))
        .collect();
    assert!(named.len() >= 3, "{named:?}");
    for line in named {
        assert!(line.contains("--user-name='-rf'"), "{line}");
        crate::shell_words::assert_command(line.split("  #").next().unwrap());
    }
}

const OUTSIDE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole"}]}"#;
const INSIDE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn trusts(trail: &mut Trail, time: &str, who: &Caller, (role, policy): (&str, &str)) {
    let request = value!({"roleName": role, "policyDocument": policy});
    trail.call(
        time,
        who,
        "iam:UpdateAssumeRolePolicy",
        request,
        Value::Null,
    );
}

fn makes_role(trail: &mut Trail, time: &str, who: &Caller, (role, policy): (&str, &str)) {
    let request = value!({"roleName": role, "assumeRolePolicyDocument": policy});
    let answer = value!({"role": {"roleName": role}});
    trail.call(time, who, "iam:CreateRole", request, answer);
}

#[test]
fn a_way_into_a_role_is_closed_before_its_sessions_end() {
    let (mut trail, intruder) = stolen();
    makes_role(&mut trail, "05T09:00", &admin(), ("deploy", INSIDE));
    makes_role(&mut trail, "05T09:10", &admin(), ("nightly", INSIDE));
    makes_role(&mut trail, "20T12:30", &intruder, ("support", OUTSIDE));
    trusts(&mut trail, "20T12:31", &intruder, ("deploy", OUTSIDE));
    trusts(&mut trail, "20T12:32", &intruder, ("older", OUTSIDE));
    trusts(&mut trail, "20T12:33", &intruder, ("nightly", OUTSIDE));
    trusts(&mut trail, "21T09:00", &admin(), ("nightly", INSIDE));
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/evil.example");
    trail.call(
        "20T12:34",
        &intruder,
        "iam:CreateOpenIDConnectProvider",
        value!({"url": "https://evil.example"}),
        value!({"openIDConnectProviderArn": provider}),
    );
    let there = session(
        "support",
        "x",
        "ASIAIOSFODNN7SUPPORT",
        "2026-06-28T10:00:00Z",
    );
    trail.plain("28T10:01", &there.from(FAR, GO), &["s3:ListBuckets"]);
    let found = steps(&trail.trace(&[KEY]));
    let deny = step(
        &found,
        &[
            "put-role-policy",
            "--role-name support",
            r#""Effect":"Deny","Action":"*","Resource":"*"}]"#,
        ],
    );
    assert!(deny.is_some(), "{found:#?}");
    let ends = step(&found, &["end all sessions", "support"]);
    assert_eq!(ends, None, "everything is denied");
    let back = step(
        &found,
        &["update-assume-role-policy", "--role-name deploy", INSIDE],
    );
    assert!(back.is_some(), "{found:#?}");
    let words = step(&found, &["role older", "|| # ", "999988887777"]);
    assert!(words.is_some(), "{found:#?}");
    let delete =
        format!("delete-open-id-connect-provider --open-id-connect-provider-arn {provider}");
    assert!(step(&found, &[&delete]).is_some(), "{found:#?}");
    assert_eq!(step(&found, &["nightly"]), None, "its owner put it right");
}

/// A console session of a user.
fn console(name: &str, address: &'static str, key: &str, opened: &str) -> Caller {
    let mut who = user(name, key).from(address, BROWSER);
    who.identity["sessionContext"] =
        value!({"attributes": {"creationDate": opened, "mfaAuthenticated": "false"}});
    who
}

#[test]
fn who_can_sign_in_with_the_intruders_password_is_denied_until_it_is_set_again() {
    let found = |is_reset: bool| {
        let (mut trail, intruder) = stolen();
        let bob = value!({"userName": "bob"});
        trail.call(
            "20T12:30",
            &intruder,
            "iam:UpdateLoginProfile",
            bob.clone(),
            Value::Null,
        );
        let ghost = value!({"userName": "ghost"});
        trail.call(
            "20T12:31",
            &intruder,
            "iam:CreateUser",
            ghost.clone(),
            Value::Null,
        );
        trail.call(
            "20T12:32",
            &intruder,
            "iam:CreateLoginProfile",
            ghost,
            Value::Null,
        );
        let carol = value!({"userName": "carol"});
        trail.call(
            "20T12:33",
            &intruder,
            "iam:UpdateLoginProfile",
            carol,
            Value::Null,
        );
        let his = console("bob", FAR, "ASIAIOSFODNN7BOBBOB1", "2026-06-20T13:00:00Z");
        trail.plain("20T13:01", &his, &["s3:ListBuckets"]);
        if is_reset {
            trail.call(
                "21T09:00",
                &admin(),
                "iam:UpdateLoginProfile",
                bob,
                Value::Null,
            );
        }
        let own = console(
            "bob",
            "203.0.113.60",
            "ASIAIOSFODNN7BOBBOB2",
            "2026-06-28T09:00:00Z",
        );
        trail.plain("28T09:01", &own, &["s3:ListBuckets"]);
        let trace = trail.trace(&[KEY]);
        let passwords = created(&trace, "password").into_iter();
        let mut of_bob = passwords.filter(|row| text(row, "id") == "bob");
        let state = text(of_bob.next().unwrap(), "state").to_owned();
        (steps(&trace), state)
    };
    let (open, state) = found(false);
    for name in ["bob", "ghost", "carol"] {
        let deny = format!("attach-user-policy --user-name {name} ");
        assert!(step(&open, &[&deny]).is_some(), "{name}: {open:#?}");
    }
    assert_eq!(state, "there");
    let (reset, state) = found(true);
    assert!(
        step(&reset, &["--user-name ghost "]).is_some(),
        "{reset:#?}"
    );
    assert_eq!(
        step(&reset, &["bob"]),
        None,
        "its owner has a password again"
    );
    assert_eq!(state, "removed by others");
}

#[test]
fn a_step_says_which_innocent_key_it_stops() {
    let denied = |other: &Caller| {
        let (mut trail, _) = stolen();
        trail.job(other);
        let found = steps(&trail.trace(&[KEY]));
        step(&found, &["attach-user-policy --user-name svc "])
            .unwrap()
            .to_owned()
    };
    let second = user("svc", SECOND).from("203.0.113.30", GO);
    let said = denied(&second);
    assert!(
        said.contains(&format!(
            "other key {SECOND}, used by the owner until 2026-06-28"
        )),
        "{said}"
    );
    let others = user("batch", SECOND).from("203.0.113.30", GO);
    assert!(!denied(&others).contains("other key"), "another user's");
}

#[test]
fn every_accusation_has_a_reason() {
    let (mut trail, intruder) = stolen();
    makes_user(&mut trail, "20T12:30", &intruder, ("eve", SECOND));
    trail.plain(
        "21T09:00",
        &user("eve", SECOND).from(HOME, MAC),
        &["s3:GetObject"; 3],
    );
    let row = trail.ready(SECOND);
    assert_eq!(text(&row, "verdict"), "incident");
    assert!(
        text(&row, "why").contains("by the intruder who used"),
        "{row}"
    );
}

#[test]
fn a_colleague_who_signs_in_there_with_mfa_is_no_intruder() {
    let verdict = |signs_in: &str, mfa: &str, days: &[u32]| {
        let owner = user("svc", KEY);
        let mut trail = Trail::default();
        trail.job(&owner);
        for day in days {
            let mut who = user(signs_in, "").from(HOME, BROWSER);
            who.identity.as_object_mut().unwrap().remove("accessKeyId");
            let time = format!("{day:02}T19:00");
            let answer = value!({"ConsoleLogin": "Success"});
            trail.call(&time, &who, "signin:ConsoleLogin", Value::Null, answer);
            trail.0.last_mut().unwrap()["additionalEventData"] = value!({"MFAUsed": mfa});
        }
        let night = owner.from(HOME, CLI);
        trail.plain("28T02:00", &night, &LOOKS_AROUND[..1]);
        trail.plain(
            "28T02:01",
            &night,
            &[
                "dynamodb:ListTables",
                "s3:ListBuckets",
                "iam:ListUsers",
                "secretsmanager:GetSecretValue",
            ],
        );
        trail.verdict(KEY)
    };
    let days = [4, 8, 12];
    assert_ne!(verdict("alice", "Yes", &days), "incident");
    assert_eq!(
        verdict("alice", "No", &days),
        "incident",
        "without a second factor"
    );
    assert_eq!(
        verdict("alice", "Yes", &[28]),
        "incident",
        "on the same day, after"
    );
}

#[test]
fn a_renamed_user_is_cleaned_up_by_its_new_name() {
    let (mut trail, intruder) = stolen();
    makes_user(&mut trail, "20T12:30", &intruder, ("bk", SECOND));
    let request = value!({"userName": "bk", "newUserName": "monitoring"});
    trail.call(
        "20T12:31",
        &intruder,
        "iam:UpdateUser",
        request,
        Value::Null,
    );
    let trace = trail.trace(&[KEY]);
    assert_eq!(text(created(&trace, "user")[0], "id"), "monitoring");
    assert_eq!(text(created(&trace, "access_key")[0], "on"), "monitoring");
    let found = steps(&trace);
    assert!(
        step(&found, &["--user-name monitoring"]).is_some(),
        "{found:#?}"
    );
    assert_eq!(step(&found, &["--user-name bk"]), None);
}

#[test]
fn a_user_that_its_owner_made_anew_is_another() {
    let (mut trail, intruder) = stolen();
    let third = "AKIAIOSFODNN7EXAMPLG";
    makes_user(&mut trail, "20T12:30", &intruder, ("deploy", SECOND));
    let deploy = value!({"userName": "deploy"});
    trail.call("21T09:00", &admin(), "iam:DeleteUser", deploy, Value::Null);
    makes_user(&mut trail, "22T09:00", &admin(), ("deploy", third));
    let anew = user("deploy", third).from("203.0.113.40", GO);
    trail.plain("23T09:00", &anew, &["s3:PutObject"; 3]);
    let trace = trail.trace(&[KEY]);
    let keys: Vec<&str> = rows(&trace, "credentials")
        .iter()
        .map(|row| text(row, "access_key_id"))
        .collect();
    assert!(keys.contains(&SECOND) && !keys.contains(&third), "{keys:?}");
    assert_eq!(origin(&trace, STRANGE), "intruder");
    assert_ne!(trail.verdict(third), "incident");
}
