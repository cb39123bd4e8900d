//! Ways round: keys that an intruder got through a function, a console user or a role that he let himself in by, and those that its owners
//! got in the same way.

use crate::intruders::{Caller, LOOKS_AROUND, Trail, origin, service, session, user};
use serde_json::{Value, json as value};

const ACCOUNT: &str = "111122223333";
/// The call that replaces a function's code.
const UPDATE: &str = "lambda:UpdateFunctionCode20150331v2";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const PIPELINE: &str = "AKIAIOSFODNN7PIPELIN";
const STRANGE: &str = "198.51.100.7";
const AWAY: &str = "192.0.2.77";
const FAR: &str = "192.0.2.88";
const CLI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.5.0-25-generic exe/x86_64.ubuntu.22 prompt/off";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

/// A stolen key: its owner's job, and an intruder who enumerates the account on the 20th.
fn stolen() -> (Trail, Caller, Caller) {
    let owner = user("svc", KEY);
    let intruder = owner.from(STRANGE, CLI);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("20T12:00", &intruder, &LOOKS_AROUND);
    (trail, owner, intruder)
}

/// An owner makes a key, which is used in the office.
fn owner_makes(trail: &mut Trail, time: &str, who: &Caller, key: &str) {
    makes_used_from(trail, time, who, (key, "203.0.113.20"));
}

/// Somebody makes a key, which is used from far away.
fn makes(trail: &mut Trail, time: &str, who: &Caller, key: &str) {
    makes_used_from(trail, time, who, (key, FAR));
}

fn makes_used_from(
    trail: &mut Trail,
    time: &str,
    who: &Caller,
    (key, address): (&str, &'static str),
) {
    trail.call(
        time,
        who,
        "iam:CreateAccessKey",
        value!({"userName": "batch"}),
        value!({"accessKey": {"accessKeyId": key, "userName": "batch", "status": "Active"}}),
    );
    let (day, _) = time.split_once('T').unwrap();
    let used = user("batch", key).from(address, CLI);
    trail.plain(&format!("{day}T20:00"), &used, &["s3:GetObject"; 3]);
}

fn code(trail: &mut Trail, time: &str, who: &Caller, call: &str) {
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:rotate");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/exec");
    let answer = value!({"functionName": "rotate", "functionArn": arn, "role": role});
    trail.call(time, who, call, value!({"functionName": "rotate"}), answer);
}

/// A session of the function, opened then.
fn of_function(day: u32, key: &str) -> Caller {
    session(
        "exec",
        "rotate",
        key,
        &format!("2026-06-{day:02}T13:00:00Z"),
    )
}

const K2: &str = "AKIAIOSFODNN7DETOUR2";
const K3: &str = "AKIAIOSFODNN7DETOUR3";
const K4: &str = "AKIAIOSFODNN7DETOUR4";

#[test]
fn a_key_that_an_intruders_function_made_is_an_incident() {
    let (mut trail, _, intruder) = stolen();
    code(
        &mut trail,
        "20T12:30",
        &intruder,
        "lambda:CreateFunction20150331",
    );
    let function = of_function(20, "ASIAIOSFODNN7LAMBDA1");
    makes(&mut trail, "20T13:05", &function, K2);
    assert_eq!(trail.verdict(KEY), "incident");
    assert_eq!(trail.verdict(K2), "incident");
    let trace = trail.trace(&[KEY]);
    assert_eq!(origin(&trace, FAR), "intruder");
    assert_eq!(origin(&trace, function.address), "intruder");
}

#[test]
fn code_is_the_intruders_from_the_change_until_its_owner_deploys_again() {
    let (mut trail, _, intruder) = stolen();
    let pipeline = user("ci", PIPELINE);
    trail.job(&pipeline);
    for day in [2, 5, 9] {
        code(&mut trail, &format!("{day:02}T09:00"), &pipeline, UPDATE);
    }
    makes(
        &mut trail,
        "10T13:05",
        &of_function(10, "ASIAIOSFODNN7LAMBDA1"),
        K2,
    );
    code(&mut trail, "20T12:30", &intruder, UPDATE);
    makes(
        &mut trail,
        "20T13:05",
        &of_function(20, "ASIAIOSFODNN7LAMBDA2"),
        K3,
    );
    code(&mut trail, "24T09:00", &pipeline, UPDATE);
    makes(
        &mut trail,
        "25T13:05",
        &of_function(25, "ASIAIOSFODNN7LAMBDA3"),
        K4,
    );
    assert_ne!(trail.verdict(K2), "incident", "before the change");
    assert_eq!(trail.verdict(K3), "incident");
    assert_ne!(trail.verdict(PIPELINE), "incident", "an ordinary pipeline");
}

#[test]
fn what_an_owner_deployed_again_is_the_owners() {
    let deployed_after = |change: &str| {
        let (mut trail, _, intruder) = stolen();
        let pipeline = user("ci", PIPELINE);
        trail.job(&pipeline);
        code(&mut trail, "20T12:30", &intruder, change);
        code(&mut trail, "24T09:00", &pipeline, UPDATE);
        let function = of_function(25, "ASIAIOSFODNN7LAMBDA3");
        makes(&mut trail, "25T13:05", &function, K4);
        trail.verdict(K4)
    };
    assert_ne!(deployed_after(UPDATE), "incident");
    // Settings, such as a layer, outlive new code.
    let settings = "lambda:UpdateFunctionConfiguration20150331v2";
    assert_eq!(deployed_after(settings), "incident");
}

#[test]
fn a_change_that_failed_lets_nobody_in() {
    for call in [
        "lambda:UpdateFunctionCode20150331v2!",
        "lambda:CreateFunction20150331!",
    ] {
        let (mut trail, _, intruder) = stolen();
        code(&mut trail, "20T12:30", &intruder, call);
        makes(
            &mut trail,
            "20T13:05",
            &of_function(20, "ASIAIOSFODNN7LAMBDA1"),
            K2,
        );
        assert_ne!(trail.verdict(K2), "incident", "{call}");
    }
    let (mut trail, _, intruder) = stolen();
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:rotate");
    trail.call(
        "20T12:30",
        &intruder,
        UPDATE,
        value!({"functionName": "rotate", "dryRun": true}),
        value!({"functionArn": arn}),
    );
    makes(
        &mut trail,
        "20T13:05",
        &of_function(20, "ASIAIOSFODNN7LAMBDA1"),
        K2,
    );
    assert_ne!(trail.verdict(K2), "incident", "a dry run");
}

/// A console session of a user.
fn console(name: &str, key: &str, opened: &str) -> Caller {
    let mut who = user(name, key).from(AWAY, BROWSER);
    who.identity["sessionContext"] =
        value!({"attributes": {"creationDate": opened, "mfaAuthenticated": "false"}});
    who
}

#[test]
fn a_console_user_with_an_intruders_password_is_the_intruder() {
    for (call, user_name) in [
        ("iam:CreateLoginProfile", "ann"),
        ("iam:UpdateLoginProfile", "ann"),
        ("iam:CreateUser", "ann"),
    ] {
        let own = "AKIAIOSFODNN7ANNSOWN";
        let (mut trail, _, intruder) = stolen();
        let was_there = call != "iam:CreateUser";
        if was_there {
            trail.job(&user("ann", own));
            // The owner's session began before, and goes on.
            let before = console("ann", "ASIAIOSFODNN7BEFORE1", "2026-06-20T08:00:00Z");
            owner_makes(
                &mut trail,
                "20T12:40",
                &before.from("203.0.113.10", BROWSER),
                K4,
            );
        }
        trail.call(
            "20T12:30",
            &intruder,
            call,
            value!({"userName": user_name}),
            Value::Null,
        );
        let session = console("ann", "ASIAIOSFODNN7CONSOLE", "2026-06-20T12:45:00Z");
        makes(&mut trail, "20T13:00", &session, K2);
        // Some records of the console have no key.
        let mut keyless = session.clone();
        keyless
            .identity
            .as_object_mut()
            .unwrap()
            .remove("accessKeyId");
        makes(&mut trail, "20T13:10", &keyless, K3);
        assert_eq!(trail.verdict(K2), "incident", "{call}");
        assert_eq!(trail.verdict(K3), "incident", "{call}");
        if was_there {
            assert_ne!(trail.verdict(own), "incident", "{call}");
            assert_ne!(trail.verdict(K4), "incident", "{call}");
        }
        let trace = trail.trace(&[KEY]);
        assert_eq!(origin(&trace, AWAY), "intruder", "{call}");
        assert_eq!(origin(&trace, FAR), "intruder", "{call}");
    }
}

#[test]
fn an_administrator_who_gives_out_passwords_is_no_intruder() {
    let (mut trail, owner, _) = stolen();
    trail.call(
        "19T12:30",
        &owner,
        "iam:CreateLoginProfile",
        value!({"userName": "ann"}),
        Value::Null,
    );
    let session = console("ann", "ASIAIOSFODNN7CONSOLE", "2026-06-19T12:45:00Z");
    makes(&mut trail, "19T13:00", &session, K2);
    assert_ne!(trail.verdict(K2), "incident");
    // Whoever gives the user another password takes it from the intruder.
    let (mut trail, _, intruder) = stolen();
    let admin = user("admin", PIPELINE);
    trail.job(&admin);
    let request = || value!({"userName": "ann"});
    trail.call(
        "20T12:30",
        &intruder,
        "iam:UpdateLoginProfile",
        request(),
        Value::Null,
    );
    trail.call(
        "21T08:30",
        &admin,
        "iam:UpdateLoginProfile",
        request(),
        Value::Null,
    );
    let session = console("ann", "ASIAIOSFODNN7CONSOLE", "2026-06-22T12:45:00Z");
    makes(
        &mut trail,
        "22T13:00",
        &session.from("203.0.113.44", BROWSER),
        K2,
    );
    assert_ne!(trail.verdict(K2), "incident");
}

#[test]
fn a_console_session_that_switches_to_a_role_takes_it_along() {
    let (mut trail, _, intruder) = stolen();
    trail.call(
        "20T12:30",
        &intruder,
        "iam:CreateLoginProfile",
        value!({"userName": "ann"}),
        Value::Null,
    );
    let role = session(
        "admin",
        "ann",
        "ASIAIOSFODNN7SWITCH1",
        "2026-06-20T13:00:00Z",
    )
    .from(AWAY, BROWSER);
    let mut switch = role.clone();
    switch
        .identity
        .as_object_mut()
        .unwrap()
        .remove("accessKeyId");
    trail.call(
        "20T13:00",
        &switch,
        "signin:SwitchRole",
        Value::Null,
        value!({"SwitchRole": "Success"}),
    );
    let record = trail.0.last_mut().unwrap();
    record["additionalEventData"] =
        value!({"SwitchFrom": format!("arn:aws:iam::{ACCOUNT}:user/ann")});
    makes(&mut trail, "20T13:05", &role, K2);
    assert_eq!(trail.verdict(K2), "incident");
}

/// A caller of another account, as the log of the role's account has it.
fn outsider(account: &str) -> Caller {
    let mut who = user("x", "");
    who.identity =
        value!({"type": "AWSAccount", "principalId": "AIDAOUTSIDE", "accountId": account});
    who.from(AWAY, CLI)
}

fn trust(principals: &[&str]) -> String {
    value!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": principals}}]})
    .to_string()
}

fn assumes(trail: &mut Trail, time: &str, who: &Caller, key: &str) -> Caller {
    let (day, minute) = time.split_once('T').unwrap();
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run");
    trail.call(
        time,
        who,
        "sts:AssumeRole",
        value!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/deploy"), "roleSessionName": "run"}),
        value!({"credentials": {"accessKeyId": key}, "assumedRoleUser": {"arn": arn, "assumedRoleId": "AROAdeploy:run"}}),
    );
    session("deploy", "run", key, &format!("2026-06-{day}T{minute}:00Z"))
        .from(who.address, who.agent)
}

#[test]
fn whoever_an_intruder_lets_assume_a_role_is_the_intruder() {
    let (vendor, attacker) = ("444455556666", "666677778888");
    for call in ["iam:UpdateAssumeRolePolicy", "iam:CreateRole"] {
        let (mut trail, _, intruder) = stolen();
        let (mut request, field) = match call {
            "iam:CreateRole" => (value!({"roleName": "deploy"}), "assumeRolePolicyDocument"),
            _ => {
                // The vendor came in before, and goes on to do so.
                let old = outsider(vendor).from("203.0.113.90", CLI);
                assumes(&mut trail, "10T09:00", &old, "ASIAIOSFODNN7VENDOR0");
                (value!({"roleName": "deploy"}), "policyDocument")
            }
        };
        request[field] = trust(&[
            &format!("arn:aws:iam::{vendor}:root"),
            &format!("arn:aws:iam::{attacker}:root"),
        ])
        .into();
        trail.call("20T12:30", &intruder, call, request, Value::Null);
        let inside = assumes(
            &mut trail,
            "20T13:00",
            &outsider(attacker),
            "ASIAIOSFODNN7OUTSIDE",
        );
        makes(&mut trail, "20T13:05", &inside, K2);
        let known = outsider(vendor).from("203.0.113.90", CLI);
        let known = assumes(&mut trail, "21T09:00", &known, "ASIAIOSFODNN7VENDOR1");
        owner_makes(&mut trail, "21T09:05", &known.from("203.0.113.90", CLI), K3);
        assert_eq!(trail.verdict(K2), "incident", "{call}");
        if call == "iam:UpdateAssumeRolePolicy" {
            assert_ne!(trail.verdict(K3), "incident", "let in before");
        }
        let trace = trail.trace(&[KEY]);
        assert_eq!(origin(&trace, AWAY), "intruder", "{call}");
        assert_eq!(origin(&trace, FAR), "intruder", "{call}");
    }
}

#[test]
fn a_trust_that_was_put_back_or_that_its_owner_wrote_is_no_way_in() {
    let attacker = "666677778888";
    let open = trust(&[&format!("arn:aws:iam::{attacker}:root")]);
    let shut = trust(&[&format!("arn:aws:iam::{ACCOUNT}:root")]);
    let update = |policy: &str| value!({"roleName": "deploy", "policyDocument": policy});
    let (mut trail, owner, intruder) = stolen();
    let pipeline = user("ci", PIPELINE);
    trail.job(&pipeline);
    trail.call(
        "20T12:30",
        &intruder,
        "iam:UpdateAssumeRolePolicy",
        update(&open),
        Value::Null,
    );
    trail.call(
        "21T12:30",
        &pipeline,
        "iam:UpdateAssumeRolePolicy",
        update(&shut),
        Value::Null,
    );
    let later = assumes(
        &mut trail,
        "25T13:00",
        &outsider(attacker),
        "ASIAIOSFODNN7OUTSIDE",
    );
    makes(&mut trail, "25T13:05", &later, K2);
    // In its own account rights decide, and whoever has them had them before.
    let own = assumes(&mut trail, "20T13:30", &pipeline, "ASIAIOSFODNN7INSIDE0");
    makes(&mut trail, "20T13:35", &own, K3);
    assert_ne!(trail.verdict(K2), "incident");
    assert_ne!(trail.verdict(K3), "incident");

    let (mut trail, _, _) = stolen();
    trail.call(
        "19T12:30",
        &owner,
        "iam:UpdateAssumeRolePolicy",
        update(&open),
        Value::Null,
    );
    let partner = assumes(
        &mut trail,
        "19T13:00",
        &outsider(attacker),
        "ASIAIOSFODNN7OUTSIDE",
    );
    makes(&mut trail, "19T13:05", &partner, K2);
    assert_ne!(trail.verdict(K2), "incident");
}

#[test]
fn a_service_that_a_role_was_opened_to_acts_for_the_intruder() {
    let (mut trail, _, intruder) = stolen();
    let policy = value!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "glue.amazonaws.com"}}});
    trail.call(
        "20T12:30",
        &intruder,
        "iam:UpdateAssumeRolePolicy",
        value!({"roleName": "deploy", "policyDocument": policy.to_string()}),
        Value::Null,
    );
    let job = assumes(
        &mut trail,
        "20T13:00",
        &service("glue.amazonaws.com"),
        "ASIAIOSFODNN7GLUEJOB",
    );
    makes(&mut trail, "20T13:05", &job.from("3.80.12.13", CLI), K2);
    assert_eq!(trail.verdict(K2), "incident");
}

/// What CloudFormation does with somebody's rights.
fn for_stack(who: &Caller) -> Caller {
    let name = "cloudformation.amazonaws.com";
    let mut stack = who.from(name, name);
    stack.identity["invokedBy"] = name.into();
    stack
}

#[test]
fn what_an_intruders_stack_makes_is_the_intruders() {
    const KEYS: [&str; 3] = [
        "ASIAIOSFODNN7STACKS1",
        "ASIAIOSFODNN7STACKS2",
        "ASIAIOSFODNN7STACKS3",
    ];
    for role in [None, Some("stacks")] {
        let (mut trail, owner, intruder) = stolen();
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/stacks");
        let request = match role {
            None => value!({"stackName": "net"}),
            Some(_) => value!({"stackName": "net", "roleARN": arn}),
        };
        // A stack, and as whom CloudFormation makes what it has: whoever calls, in a session of their own, or the role.
        let create = |trail: &mut Trail, time: &str, who: &Caller, key: &str| {
            let call = "cloudformation:CreateStack";
            trail.call(time, who, call, request.clone(), Value::Null);
            let opened = format!("2026-06-{time}:00Z");
            let Some(role) = role else {
                let mut session = owner.clone();
                session.identity["accessKeyId"] = key.into();
                session.identity["sessionContext"] =
                    value!({"attributes": {"creationDate": opened}});
                return for_stack(&session);
            };
            let session_arn =
                format!("arn:aws:sts::{ACCOUNT}:assumed-role/stacks/AWSCloudFormation");
            trail.call(
                time,
                &service("cloudformation.amazonaws.com"),
                "sts:AssumeRole",
                value!({"roleArn": arn, "roleSessionName": "AWSCloudFormation"}),
                value!({"credentials": {"accessKeyId": key}, "assumedRoleUser": {"arn": session_arn}}),
            );
            for_stack(&session(role, "AWSCloudFormation", key, &opened))
        };
        let makes_key = |trail: &mut Trail, time: &str, acts: &Caller, name: &str, key: &str| {
            let answer =
                value!({"accessKey": {"accessKeyId": key, "userName": name, "status": "Active"}});
            let request = value!({"userName": name});
            trail.call(time, acts, "iam:CreateAccessKey", request, answer);
        };
        let acts = create(&mut trail, "10T09:00", &owner, KEYS[0]);
        makes_key(&mut trail, "10T09:01", &acts, "first", K3);
        trail.plain("10T10:00", &user("first", K3), &["s3:GetObject"; 3]);
        let acts = create(&mut trail, "20T12:30", &intruder, KEYS[1]);
        let named = value!({"userName": "batch"});
        trail.call(
            "20T12:31",
            &acts,
            "iam:CreateUser",
            named.clone(),
            value!({"user": named}),
        );
        makes(&mut trail, "20T12:32", &acts, K2);
        let acts = create(&mut trail, "20T12:40", &owner, KEYS[2]);
        makes_key(&mut trail, "20T12:41", &acts, "other", K4);
        trail.plain("20T13:00", &user("other", K4), &["s3:GetObject"; 3]);
        assert_eq!(trail.verdict(K2), "incident", "{role:?}");
        assert_ne!(trail.verdict(K3), "incident", "{role:?}: before");
        assert_ne!(trail.verdict(K4), "incident", "{role:?}: the owner's stack");
        let trace = trail.trace(&[KEY]);
        assert_eq!(origin(&trace, FAR), "intruder", "{role:?}");
    }
}

#[test]
fn on_a_machine_that_was_there_what_is_new_after_an_intruders_command_is_suspicious() {
    const MACHINE: &str = "i-0a1b2c3d4e5f60718";
    let on_machine = |day: u32| {
        let opened = format!("2026-06-{day:02}T06:00:00Z");
        session(
            "app",
            MACHINE,
            &format!("ASIAIOSFODNN7APP00{day:02}"),
            &opened,
        )
    };
    for (call, request) in [
        (
            "ssm:SendCommand",
            value!({"documentName": "AWS-RunShellScript", "instanceIds": [MACHINE]}),
        ),
        ("ssm:StartSession", value!({"target": MACHINE})),
        (
            "ec2-instance-connect:SendSSHPublicKey",
            value!({"instanceId": MACHINE, "instanceOSUser": "ec2-user"}),
        ),
    ] {
        let (mut trail, owner, intruder) = stolen();
        let commands = |trail: &mut Trail, time: &str, who: &Caller| {
            trail.call(time, who, call, request.clone(), Value::Null);
        };
        for day in 1..=28 {
            trail.plain(
                &format!("{day:02}T08:00"),
                &on_machine(day),
                &["dynamodb:PutItem"],
            );
        }
        commands(&mut trail, "05T09:00", &owner);
        commands(&mut trail, "20T12:30", &intruder);
        makes(&mut trail, "20T12:40", &on_machine(20), K2);
        let of_key = trail.ready(K2);
        assert_ne!(
            of_key["verdict"], "incident",
            "{call}: it may be the machine's own"
        );
        let name = call.split_once(':').unwrap().1;
        assert!(
            of_key
                .to_string()
                .contains(&format!("after the intruder's {name}")),
            "{of_key}"
        );
        let trace = trail.trace(&[KEY]);
        let rows = |section: &str| trace[section].as_array().unwrap().clone();
        let of = |key: &str| {
            let mut all = rows("credentials").into_iter();
            all.find(|row| row["access_key_id"] == key).unwrap()["origin"].clone()
        };
        assert_eq!(of("ASIAIOSFODNN7APP0020"), "suspicious", "{call}");
        assert_eq!(
            of("ASIAIOSFODNN7APP0021"),
            "unknown",
            "{call}: nothing is new"
        );
        assert_eq!(of(K2), "suspicious", "{call}");
        let way = format!("the role of {MACHINE} ({name})");
        assert!(
            rows("unseen").iter().any(|row| row["what"] == way.as_str()),
            "{call}"
        );
    }
}

#[test]
fn a_machine_that_makes_keys_every_week_is_its_owners() {
    const MACHINE: &str = "i-0a1b2c3d4e5f60718";
    let machine = |key, opened| session("app", MACHINE, key, opened);
    let (mut trail, _, intruder) = stolen();
    let before = machine("ASIAIOSFODNN7APP0001", "2026-06-01T06:00:00Z");
    owner_makes(&mut trail, "13T09:00", &before, K3);
    let request = value!({"target": MACHINE});
    trail.call(
        "20T12:30",
        &intruder,
        "ssm:StartSession",
        request,
        Value::Null,
    );
    let after = machine("ASIAIOSFODNN7APP0020", "2026-06-20T06:00:00Z");
    owner_makes(&mut trail, "20T13:00", &after, K2);
    let of_key = trail.ready(K2).to_string();
    assert!(!of_key.contains("the intruder's StartSession"), "{of_key}");
}

#[test]
fn a_key_that_was_used_after_its_deactivation_is_deactivated_again() {
    let deactivated = |last: &str| {
        let (mut trail, key) = (Trail::default(), user("svc", KEY));
        trail.plain("18T08:00", &key, &["s3:ListBuckets"]);
        trail.call(
            "21T09:00",
            &user("admin", PIPELINE),
            "iam:UpdateAccessKey",
            value!({"userName": "svc", "accessKeyId": KEY, "status": "Inactive"}),
            value!(null),
        );
        trail.plain(last, &key, &["s3:ListBuckets"]);
        let trace = trail.trace(&[KEY]);
        let steps = trace["containment"].as_array().unwrap().iter();
        let commands: Vec<String> = steps.map(|step| step["command"].to_string()).collect();
        let whose = trace["summary"]["answers"][0]["answer"].to_string();
        let deactivates = commands.iter().any(|command| {
            command.contains("update-access-key")
                && command.contains(KEY)
                && command.contains("Inactive")
        });
        (deactivates, whose)
    };
    let (deactivates, whose) = deactivated("20T23:00");
    assert!(!deactivates, "it is inactive");
    assert!(whose.contains("inactive since 2026-"), "{whose}");
    let (deactivates, whose) = deactivated("23T09:00");
    assert!(deactivates, "it was used two days later");
    assert!(whose.contains("but used later"), "{whose}");
}

#[test]
fn a_role_may_be_named_without_its_arn() {
    let mut trail = Trail::default();
    let role = session(
        "OpsAdmin",
        "anna",
        "ASIAIOSFODNN7OPSADM1",
        "2026-06-05T08:00:00Z",
    );
    trail.plain("05T08:10", &role, &["ec2:DescribeVpcs", "s3:ListBuckets"]);
    let trace = trail.trace(&["OpsAdmin"]);
    assert_eq!(trace["title"], "What role OpsAdmin did");
    assert_eq!(trace["summary"]["events"], 2);
}

#[test]
fn a_command_to_machines_that_it_does_not_name_may_have_reached_any() {
    const MACHINE: &str = "i-0a1b2c3d4e5f60718";
    let tag = value!({"targets": [{"key": "tag:Env", "values": ["prod"]}]});
    let ids = value!({"targets": [{"key": "InstanceIds", "values": [MACHINE]}]});
    let all = value!({"targets": [{"key": "InstanceIds", "values": ["*"]}]});
    let role = value!({"targets": [{"key": "tag:Env", "values": ["prod"]}], "documentName": "AWS-RunShellScript"});
    for (call, request, name) in [
        ("ssm:SendCommand", &tag, "machines chosen by tags or groups"),
        ("ssm:SendCommand", &ids, MACHINE),
        (
            "ssm:CreateAssociation",
            &all,
            "machines chosen by tags or groups",
        ),
        (
            "ssm:StartAutomationExecution",
            &role,
            "machines chosen by tags or groups",
        ),
    ] {
        let (mut trail, _, intruder) = stolen();
        trail.call("20T12:30", &intruder, call, request.clone(), Value::Null);
        let machine = session(
            "app",
            MACHINE,
            "ASIAIOSFODNN7APP0020",
            "2026-06-20T06:00:00Z",
        );
        trail.plain("19T08:00", &machine, &["dynamodb:PutItem"]);
        makes(&mut trail, "20T12:40", &machine, K2);
        let lambda = session(
            "fn",
            "rotate",
            "ASIAIOSFODNN7LAMBDA9",
            "2026-06-20T06:00:00Z",
        );
        owner_makes(&mut trail, "20T12:50", &lambda, K3);
        let of_key = trail.ready(K2);
        assert_ne!(of_key["verdict"], "incident", "{call} {request}");
        let operation = call.split_once(':').unwrap().1;
        let said = format!("{name}, after the intruder's {operation}");
        assert!(
            of_key.to_string().contains(&said),
            "{call} {request}: {of_key}"
        );
        let other = trail.ready(K3).to_string();
        assert!(
            !other.contains("after the intruder's"),
            "{call} {request}: {other}"
        );
        let trace = trail.trace(&[KEY]);
        let way = format!("the role of {name} ({operation})");
        let unseen = trace["unseen"].as_array().unwrap();
        assert!(
            unseen.iter().any(|row| row["what"] == way.as_str()),
            "{call} {request}: {unseen:?}"
        );
    }
}
