//! Plans: the order of keys, steps that can be followed, and commands in which nothing of a log acts.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as value};

use crate::browser::{self, Shown};
use crate::policy_language::assert_grammar;
use crate::program::{json, keytrail, ran};
use crate::shell_words::{assert_command, words};
use crate::truth_synth::Synthetic;

/// The groups, in the order in which keys are to be worked on.
const GROUPS: [&str; 8] = [
    "incident",
    "unused",
    "root",
    "people",
    "aws-compute",
    "ci",
    "outside",
    "exceptions",
];

const TRAIL: [&str; 2] = ["--trail", "testdata/trail"];

/// The twenty keys that `ready` is tested with, one for each rule.
const READY: [&str; 4] = [
    "--trail",
    "testdata/ready/trail.json.gz",
    "--credential-report",
    "testdata/ready/credential-report.csv",
];

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// Every step of a plan.
fn steps(plan: &Value) -> Vec<&Value> {
    let mut steps: Vec<&Value> = rows(&plan["first"]).chain(rows(&plan["last"])).collect();
    for key in rows(&plan["keys"]) {
        steps.extend(rows(&key["first"]));
        for consumer in rows(&key["consumers"]) {
            steps.extend(rows(&consumer["steps"]));
        }
        steps.extend(rows(&key["steps"]));
    }
    steps
}

fn commands(plan: &Value) -> Vec<&str> {
    let steps = steps(plan).into_iter();
    steps
        .flat_map(|step| rows(&step["commands"]))
        .map(|command| command.as_str().unwrap())
        .collect()
}

/// What holds for every plan.
fn assert_plan(plan: &Value) {
    let place = |key: &Value| GROUPS.iter().position(|group| *group == text(key, "group"));
    let mut last = Some(0);
    for (number, key) in (1..).zip(rows(&plan["keys"])) {
        assert_eq!(key["number"], number);
        assert!(
            place(key).is_some() && place(key) >= last,
            "{}",
            key["group"]
        );
        last = place(key);
        let verdict = text(key, "verdict");
        let all: Vec<&Value> = rows(&key["first"]).chain(rows(&key["steps"])).collect();
        assert!(!all.is_empty(), "{key}");
        let says = |what: &str| {
            all.iter()
                .flat_map(|step| rows(&step["commands"]))
                .any(|command| command.as_str().unwrap().contains(what))
        };
        assert!(says("delete-access-key"), "{key}");
        match verdict {
            "incident" => {
                assert_eq!(text(key, "group"), "incident");
                assert!(says("keytrail trace"));
                for consumer in rows(&key["consumers"]) {
                    assert_eq!(consumer["steps"], value!([]), "an incident is not migrated");
                }
            }
            "migrate first" => {
                let left = rows(&key["consumers"]).filter(|one| one["steps"] != value!([]));
                assert!(left.count() > 0 || key["first"] != value!([]), "{key}");
                assert!(says("--status Active"), "no way back: {key}");
            }
            "delete" => assert!(!says("--status Inactive"), "{key}"),
            _ => assert!(says("--status"), "{key}"),
        }
        for consumer in rows(&key["consumers"]) {
            let steps: Vec<&Value> = rows(&consumer["steps"]).collect();
            if steps.is_empty() {
                continue;
            }
            let kinds: Vec<&str> = steps.iter().map(|step| text(step, "kind")).collect();
            assert!(
                kinds.contains(&"check") && kinds.contains(&"back"),
                "{consumer}"
            );
            if !consumer["trust_policy"].is_null() {
                assert_grammar(&consumer["trust_policy"]);
            }
            if let Some(role) = consumer["role_name"].as_str() {
                assert!(role.len() <= 64, "{role}");
            }
        }
    }
    let commands = commands(plan);
    assert!(!commands.is_empty());
    for command in commands {
        assert_command(command);
        assert!(
            !command.contains(['{', '}']) || command.contains('\''),
            "{command}"
        );
    }
}

/// No two roles of an account have one name.
fn assert_roles_differ(plan: &Value) {
    let mut roles = Vec::new();
    for key in rows(&plan["keys"]) {
        for consumer in rows(&key["consumers"]) {
            if let Some(role) = consumer["role_name"].as_str() {
                roles.push((key["account_id"].to_string(), role.to_owned()));
            }
        }
    }
    let all = roles.len();
    roles.sort();
    roles.dedup();
    assert_eq!(roles.len(), all, "two roles have one name");
}

#[test]
fn keys_stand_in_the_order_in_which_they_are_worked_on() {
    let plan = json(&[&["plan"], &TRAIL[..]].concat(), 0);
    assert_plan(&plan);
    let order: Vec<(&str, &str)> = rows(&plan["keys"])
        .map(|key| (text(key, "group"), text(key, "user_identity_user_name")))
        .collect();
    assert_eq!(
        order,
        [
            ("incident", "svc-backup-sync"),
            ("incident", "svc-export"),
            ("people", "alice"),
            ("ci", "ci-deploy"),
            ("outside", "svc-orders"),
            ("outside", "svc-backup"),
            ("outside", "svc-report"),
            ("outside", "svc-orders"),
        ]
    );
}

#[test]
fn every_verdict_has_its_steps() {
    let plan = json(&[&["plan"], &READY[..]].concat(), 0);
    assert_plan(&plan);
    let ready = json(&[&["ready"], &READY[..]].concat(), 0);
    let verdicts = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        let mut verdicts: Vec<(String, String)> = rows
            .map(|key| {
                (
                    key["access_key_id"].to_string(),
                    text(key, "verdict").to_owned(),
                )
            })
            .collect();
        verdicts.sort();
        verdicts
    };
    assert_eq!(verdicts(&plan["keys"]), verdicts(&ready["ready"]));
    let mut seen: Vec<&str> = rows(&plan["keys"])
        .map(|key| text(key, "verdict"))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "deactivate",
            "delete",
            "incident",
            "migrate first",
            "unused",
            "wait until"
        ]
    );
}

#[test]
fn a_consumer_s_steps_name_what_the_log_shows() {
    let plan = json(&[&["plan", "AKIARTX3GSDS6GMG3NS7"], &TRAIL[..]].concat(), 0);
    assert_plan(&plan);
    let consumer = &plan["keys"][0]["consumers"][0];
    assert_eq!(consumer["move_to"], "IAM Roles Anywhere");
    assert_eq!(consumer["role_name"], "svc-backup-anywhere");
    let id = text(consumer, "consumer_id");
    let commands = commands(&plan);
    let policy = format!(
        "keytrail policy AKIARTX3GSDS6GMG3NS7 --consumer {id} --place role-inline --trust roles-anywhere=TRUST_ANCHOR_ARN --documents plan/AKIARTX3GSDS6GMG3NS7/{id} --trail testdata/trail"
    );
    assert!(commands.contains(&policy.as_str()), "{commands:#?}");
    assert!(commands.contains(
        &"aws iam update-access-key --user-name svc-backup --access-key-id AKIARTX3GSDS6GMG3NS7 --status Inactive"
    ));
    // The command of keytrail is one that keytrail takes.
    let folder = tempfile::tempdir().unwrap();
    let anchor = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a";
    let mut words = words(&policy.replace("TRUST_ANCHOR_ARN", anchor)).unwrap();
    let place = words.iter().position(|word| word == "--documents").unwrap() + 1;
    words[place] = folder.path().display().to_string();
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    json(&words, 0);
    for file in ["policy-1.json", "trust-roles-anywhere.json"] {
        let text = fs::read(folder.path().join(file)).unwrap();
        assert_grammar(&serde_json::from_slice(&text).unwrap());
    }
}

/// What a chapter asks of a person: every command of every file, also of those that no test data leads to.
#[test]
fn every_command_of_every_chapter_is_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analysis/plan/steps");
    let mut commands = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(command) = line.strip_prefix("    ") else {
                continue;
            };
            let mut filled = command.replace("{input}", "").replace("{trail}", "");
            for name in [
                "key",
                "user",
                "account",
                "consumer",
                "role",
                "folder",
                "region",
                "partition",
                "address",
                "set",
            ] {
                let value = if name == "folder" { "plan/x" } else { "x" };
                filled = filled.replace(&format!("{{{name}}}"), value);
            }
            assert_command(&filled);
            assert!(
                words(&filled)
                    .unwrap()
                    .iter()
                    .all(|word| !word.contains('{') || word.contains(['=', '['])),
                "{}: {filled}",
                path.display()
            );
            commands += 1;
        }
    }
    assert!(commands > 100, "{commands}");
}

#[test]
#[ignore = "needs KEYTRAIL_SYNTH"]
fn plans_of_synthetic_trails_can_be_followed() {
    let mut targets = std::collections::BTreeSet::new();
    for seed in [7, 11] {
        let trail = Synthetic::generate(seed);
        trail.ingest();
        let lake = trail.lake();
        let plan = json(&["plan", "--lake", &lake], 0);
        assert_plan(&plan);
        assert_roles_differ(&plan);
        for key in rows(&plan["keys"]) {
            for consumer in rows(&key["consumers"]).filter(|one| one["steps"] != value!([])) {
                targets.insert(text(consumer, "move_to").to_owned());
            }
        }
    }
    println!("targets: {targets:?}");
    assert!(targets.len() >= 6, "{targets:?}");
}

#[test]
fn the_same_trail_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let page = |name: &str| {
        let path = folder.path().join(name);
        let args = [
            "plan",
            "--format",
            "markdown",
            "--html",
            path.to_str().unwrap(),
        ];
        let said = ran(&[&args, &TRAIL[..]].concat());
        (said, fs::read(path).unwrap())
    };
    assert!(page("a.html") == page("b.html"));
}

#[test]
fn one_row_per_step() {
    let plan = json(&[&["plan"], &TRAIL[..]].concat(), 0);
    let output = keytrail(&[&["plan", "--format", "jsonl", "--quiet"], &TRAIL[..]].concat())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), steps(&plan).len());
}

const KEY: &str = "AKIARTX3GSDS75MXKBSU";

const EVIL: [&str; 9] = [
    "<script>alert(1)</script>",
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m",
    "$(touch owned)`touch owned`;touch owned",
    "'; touch owned #",
    "line\nrm -rf /\r```\n# heading\u{202e}\u{2028}",
    "--user-name=root",
    "file:///etc/passwd",
    "=ls [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% raw %}{user}{input}",
];

/// A trail in which a stranger named everything, one key per text.
fn hostile(folder: &Path) -> std::path::PathBuf {
    let mut records = Vec::new();
    for (n, evil) in EVIL.iter().enumerate() {
        for day in 3..7 {
            let at = records.len();
            records.push(value!({
                "eventVersion": "1.10", "eventTime": format!("2025-03-0{day}T10:00:00Z"),
                "eventSource": "s3.amazonaws.com", "eventName": if n % 2 == 0 { "GetObject" } else { evil },
                "awsRegion": evil, "sourceIPAddress": if n % 3 == 0 { evil } else { "203.0.113.7" },
                "userAgent": format!("aws-cli/2.15.0 {evil} os/linux exec-env/AWS_Lambda_python3.12 m/g"),
                "userIdentity": {"type": "IAMUser", "accessKeyId": format!("{}{n}", &KEY[..19]), "userName": evil,
                    "accountId": "111122223333", "principalId": "AIDARTX3GSDS75MXKBSUA",
                    "arn": format!("arn:aws:iam::111122223333:user/{evil}")},
                "requestParameters": {"bucketName": evil, "key": evil, "roleName": evil},
                "eventID": format!("00000000-0000-4000-a000-{at:012}"), "readOnly": false,
                "eventType": "AwsApiCall", "eventCategory": "Management", "recipientAccountId": "111122223333",
            }));
        }
    }
    let path = folder.join("evil's trail.json");
    fs::write(&path, value!({ "Records": records }).to_string()).unwrap();
    path
}

fn hides(text: &str) -> bool {
    text.contains(|c: char| c != '\n' && keytrail::render::escape::is_hidden(c))
}

#[test]
fn nothing_of_a_log_acts_in_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let path = hostile(folder.path());
    let trail = path.to_str().unwrap();
    let plan = json(&["plan", "--trail", trail], 0);
    assert_eq!(plan["keys"].as_array().unwrap().len(), EVIL.len());
    for key in rows(&plan["keys"]) {
        // What IAM does not give as a name is no word of a command.
        assert!(EVIL.contains(&text(key, "user_identity_user_name")));
    }
    for command in commands(&plan) {
        assert_command(command);
        for word in words(command).unwrap() {
            let own = word.contains("evil's trail") || !EVIL.iter().any(|evil| word.contains(evil));
            assert!(own, "{command}");
        }
    }
    let page = folder.path().join("page.html");
    for format in ["table", "markdown", "json", "jsonl", "csv"] {
        let keys: Vec<String> = (0..EVIL.len())
            .map(|n| format!("{}{n}", &KEY[..19]))
            .collect();
        let mut args = vec!["plan", "--trail", trail, "--format", format, "--quiet"];
        args.extend(["--html", page.to_str().unwrap()]);
        args.extend(keys.iter().map(String::as_str));
        let output = keytrail(&args).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !hides(&said), "{format}");
        if format == "markdown" {
            assert!(!said.contains("<script") && !said.contains("<img"));
            // A command stays in its block: no line of a block begins with anything but a program.
            for block in said.split("```sh\n").skip(1) {
                let (block, _) = block.split_once("  ```\n").unwrap();
                for line in block.lines() {
                    assert_command(line.strip_prefix("  ").unwrap());
                }
            }
        }
        if format == "table" {
            for line in said.lines() {
                if let Some(command) = line.trim_start().strip_prefix("$ ") {
                    assert_command(command);
                }
            }
        }
    }
    let page = fs::read_to_string(page).unwrap();
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script").unwrap();
    assert!(!hides(body));
    let lower = body.to_lowercase();
    for markup in ["<script", "<img", "onerror=alert(1)>", "href=\"javascript"] {
        assert!(!lower.contains(markup), "{markup}");
    }
    assert!(
        lower.contains("{{ 7*7 }}"),
        "a text of a log was taken for a template"
    );
}

#[test]
#[ignore = "needs chromium"]
fn the_plan_acts_on_nothing_in_chromium() {
    let folder = tempfile::tempdir().unwrap();
    let trail = hostile(folder.path());
    let page = folder.path().join("page.html");
    json(
        &[
            "plan",
            "--trail",
            trail.to_str().unwrap(),
            "--html",
            page.to_str().unwrap(),
        ],
        0,
    );
    let Shown { dom, said } = browser::shown(&page);
    // The scripts ran to their end: steps are counted, commands can be copied.
    assert!(dom.contains("data-ready=\"yes\"") && dom.contains("steps done"));
    assert!(dom.contains(">copy</button>"));
    let (_, body) = dom.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script").unwrap();
    for markup in ["<img", "<b>alert"] {
        assert!(!body.to_lowercase().contains(markup), "{markup}");
    }
    assert!(!said.contains("Content Security Policy"), "{said}");
}
