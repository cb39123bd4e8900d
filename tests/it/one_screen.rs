//! Answers that fit: one screen for a trace, two for lists, a ticket as Markdown; keys that look stolen; what comes next.

use crate::program::{json, keytrail};
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TRAIL: &str = "testdata/trail";
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// What the program prints at a width, from the project's folder.
fn printed(args: &[&str], width: &str) -> String {
    let mut command = keytrail(args);
    let output = command
        .current_dir(ROOT)
        .env("COLUMNS", width)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{args:?}: {said}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that a text takes on a terminal of this width.
fn lines(text: &str, width: usize) -> usize {
    text.lines()
        .map(|line| line.chars().count().div_ceil(width).max(1))
        .sum()
}

#[test]
fn a_trace_is_one_screen() {
    for width in ["80", "120", "200"] {
        let text = printed(&["trace", KEY, "--trail", TRAIL], width);
        let taken = lines(&text, width.parse().unwrap());
        assert!(taken < 24, "{taken} lines at {width}:\n{text}");
        for part in [
            "used by an intruder",
            "First suspicious use 2025-03-06 15:01:00",
            "198.51.100.202 (14 events)",
            "8 objects of bucket example-exports (95.5 KiB)",
            "Issued      ",
            "Status",
            "\n  aws iam attach-user-policy --user-name svc-backup-sync --policy-arn arn:aws:iam::aws:policy/AWSDenyAll\n",
            "--section timeline",
            "Next: keytrail trace AKIARTX3GSDS75MXKBSU --section timeline --trail testdata/trail",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}

#[test]
fn sections_are_whole() {
    let text = printed(
        &[
            "trace",
            KEY,
            "--trail",
            TRAIL,
            "--section",
            "created,cleanup",
        ],
        "120",
    );
    assert!(text.contains("Created and changed") && text.contains("Clean-up"));
    assert!(!text.contains("Timeline") && !text.contains("In short"));
    let full = printed(&["trace", KEY, "--trail", TRAIL, "--full"], "120");
    for title in ["In short", "Lineage", "Findings", "Timeline", "Clean-up"] {
        assert!(full.contains(title), "{title}");
    }
    let refused = keytrail(&["trace", KEY, "--section", "everything"]).output();
    assert_eq!(refused.unwrap().status.code(), Some(2));
}

/// A trail with more of everything than a screen takes.
fn large(folder: &Path) -> String {
    let mut records = Vec::new();
    for key in 0..60 {
        for day in 1..9 {
            let at = records.len();
            records.push(serde_json::json!({
                "eventVersion": "1.10", "eventTime": format!("2025-03-0{day}T10:{key:02}:00Z"),
                "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "eu-west-1",
                "sourceIPAddress": format!("203.0.113.{key}"), "userAgent": format!("aws-cli/2.{day}.0 Python/3.11.8 Linux/6.5.0"),
                "userIdentity": {"type": "IAMUser", "accessKeyId": format!("AKIAIOSFODNN7EXAMP{:02}", key).replace(['0', '1', '8', '9'], "Z"),
                    "userName": format!("svc-{key}"), "accountId": "111122223333", "principalId": format!("AIDA{key}"),
                    "arn": format!("arn:aws:iam::111122223333:user/svc-{key}")},
                "requestParameters": {"bucketName": format!("bucket-{key}"), "key": "a"},
                "eventID": format!("00000000-0000-4000-a000-{at:012}"), "readOnly": true,
                "eventType": "AwsApiCall", "eventCategory": "Data", "recipientAccountId": "111122223333",
            }));
        }
    }
    let path = folder.join("large.json");
    fs::write(&path, serde_json::json!({ "Records": records }).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn long_answers_are_folded_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let trail = large(folder.path());
    let commands: [&[&str]; 6] = [
        &["consumers", "--trail", &trail],
        &["ready", "--trail", &trail],
        &["plan", "--trail", &trail],
        &["progress", "--before", "2025-03-05", "--trail", &trail],
        &["coverage", "--trail", TRAIL],
        &["rules"],
    ];
    for command in commands {
        for width in ["80", "140"] {
            let short = printed(command, width);
            let taken = lines(&short, width.parse().unwrap());
            assert!(
                taken <= 48,
                "{command:?}: {taken} lines at {width}:\n{short}"
            );
            assert!(
                short.contains("more; --full shows all"),
                "{command:?}: {short}"
            );
            let full = printed(&[command, &["--full"]].concat(), width);
            assert!(full.lines().count() > short.lines().count(), "{command:?}");
            assert!(!full.contains("--full shows all"), "{command:?}");
        }
        let ticket = printed(&[command, &["--format", "markdown"]].concat(), "80");
        assert!(ticket.len() <= 30 * 1024, "{command:?}: {}", ticket.len());
    }
    // For programs nothing is left out.
    let rows = json(&["consumers", "--trail", &trail], 0);
    assert!(rows["consumers"].as_array().unwrap().len() >= 30);
}

/// Colours take no room: the same rows are shown with them and without.
#[test]
fn colours_fold_nothing_more() {
    for command in [
        &["ready", "--trail", TRAIL][..],
        &["plan", "--trail", TRAIL],
        &["trace", KEY, "--trail", TRAIL],
    ] {
        let plain = printed(command, "80");
        let coloured = printed(&[command, &["--color", "always"]].concat(), "80");
        assert_eq!(
            plain.lines().count(),
            coloured.lines().count(),
            "{command:?}"
        );
        assert!(coloured.contains("\u{1b}["), "{command:?}");
    }
}

#[test]
fn a_ticket_has_what_matters() {
    let text = printed(
        &["trace", KEY, "--trail", TRAIL, "--format", "markdown"],
        "80",
    );
    assert!(text.len() <= 30 * 1024);
    assert!(text.starts_with("# Access key AKIARTX3GSDS75MXKBSU: used by an intruder\n"));
    for part in ["## What to do now", "```sh\n", "## Findings", "## Coverage"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn keys_that_look_stolen_are_named_with_their_reasons() {
    let found = json(
        &[
            "keys",
            "--suspicious",
            "--trail",
            &format!("{ROOT}/{TRAIL}"),
        ],
        0,
    );
    let rows = found["keys"].as_array().unwrap();
    let keys: Vec<&str> = rows
        .iter()
        .map(|row| row["access_key_id"].as_str().unwrap())
        .collect();
    // The third only looks like it: svc-report asks for what it may not.
    assert_eq!(keys, [KEY, "AKIARTX3GSDS4J6SD2VQ", "AKIAWO645SY5N7R27AUY"]);
    for (at, row) in rows.iter().enumerate() {
        let (origin, least) = [("intruder", 12), ("suspicious", 7)][at / 2];
        assert_eq!(row["origin"], origin);
        assert!(row["score"].as_i64().unwrap() >= least, "{row}");
        assert!(!row["why"].as_str().unwrap().is_empty());
    }
    // The inventory and the dossier mark them, and name the next command.
    let inventory = printed(&["keys", "--trail", TRAIL], "140");
    assert!(inventory.contains("looks stolen (intruder)"), "{inventory}");
    assert!(
        inventory.contains("\nNext: keytrail trace AKIA"),
        "{inventory}"
    );
    let dossier = printed(&["key", KEY, "--trail", TRAIL], "140");
    assert!(
        dossier.contains("it looks stolen (intruder): "),
        "{dossier}"
    );
    // An innocent fleet: nothing, and that this proves little.
    let folder = tempfile::tempdir().unwrap();
    let trail = large(folder.path());
    let quiet = printed(&["keys", "--suspicious", "--trail", &trail], "80");
    assert!(quiet.contains("looks like an intruder's"), "{quiet}");
    assert!(quiet.contains("none"), "{quiet}");
}

#[test]
fn the_next_command_runs() {
    for args in [
        &["ready", "--trail", TRAIL][..],
        &["keys", "--trail", TRAIL],
        &["consumers", "--trail", TRAIL],
        &["coverage", "--trail", TRAIL],
    ] {
        let text = printed(args, "120");
        let next = text.lines().last().unwrap();
        let next = next.strip_prefix("Next: keytrail ").unwrap();
        let words: Vec<&str> = next.split(' ').collect();
        printed(&words, "120");
    }
}

#[test]
fn programs_are_counted_by_family() {
    let folder = tempfile::tempdir().unwrap();
    let trail = large(folder.path());
    let found = json(&["keys", "--trail", &trail], 0);
    let key = found["keys"][0]["access_key_id"].as_str().unwrap();
    let dossier = printed(&["key", key, "--trail", &trail], "120");
    let programs: Vec<&str> = dossier
        .lines()
        .filter(|line| line.starts_with("aws-cli"))
        .collect();
    assert_eq!(programs.len(), 1, "{dossier}");
    assert!(programs[0].contains("2.1.0, 2.2.0"), "{dossier}");
    // Programs get the user agents as AWS writes them.
    let whole = json(&["key", key, "--trail", &trail], 0);
    assert_eq!(whole["user_agents"].as_array().unwrap().len(), 8);
}

#[test]
fn options_mean_the_same_everywhere() {
    let trail = format!("{ROOT}/{TRAIL}");
    for command in ["keys", "consumers", "ready"] {
        let top = json(&[command, "--top", "2", "--trail", &trail], 0);
        let name = if command == "keys" { "keys" } else { command };
        assert_eq!(top[name].as_array().unwrap().len(), 2, "{command}");
        let of_user = json(&[command, "--user", "alice", "--trail", &trail], 0);
        assert_eq!(of_user[name].as_array().unwrap().len(), 1, "{command}");
    }
    let incidents = json(&["ready", "--verdict", "incident", "--trail", &trail], 0);
    assert_eq!(incidents["ready"].as_array().unwrap().len(), 2);
    let plan = json(
        &[
            "plan",
            "--verdict",
            "migrate-first",
            "--top",
            "3",
            "--trail",
            &trail,
        ],
        0,
    );
    assert_eq!(plan["keys"].as_array().unwrap().len(), 3);
    let questions = format!("{ROOT}/testdata/questions");
    let run = json(
        &[
            "run",
            "key-left-behind",
            "AKIARTX3GSDSZHURWZGJ",
            "--trail",
            &questions,
        ],
        0,
    );
    assert_eq!(run["rows"].as_array().unwrap().len(), 10);
    let many = keytrail(&["run", "key-left-behind", "AKIARTX3GSDSZHURWZGJ", "b", "c"]).output();
    assert_eq!(many.unwrap().status.code(), Some(2));
}

#[test]
fn sql_calls_columns_what_was_typed() {
    let trail = format!("{ROOT}/{TRAIL}");
    let sql = "SELECT count(*), 1, max_by(event_name, event_time) FROM events";
    let rows = json(&["sql", sql, "--trail", &trail], 0);
    let row = rows["rows"][0].as_object().unwrap();
    let names: Vec<&str> = row.keys().map(String::as_str).collect();
    assert_eq!(names, ["count(*)", "1", "max_by(event_name, event_time)"]);
}

#[test]
fn help_is_short_and_examples_come_first() {
    let short = printed(&["trace", "-h"], "100");
    let (examples, options) = (short.find("Examples:"), short.find("Options:"));
    assert!(examples.unwrap() < options.unwrap(), "{short}");
    assert!(!short.contains("--endpoint-url"), "{short}");
    let long = printed(&["trace", "--help"], "100");
    assert!(long.contains("--endpoint-url"), "{long}");
}

/// The words of a command; in double quotes nothing acts.
fn parted(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn a_demo_needs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |args: &[&str]| {
        let mut command = keytrail(args);
        command.current_dir(folder.path()).output().unwrap()
    };
    let said = demo(&["demo"]);
    assert!(said.status.success());
    let said = String::from_utf8(said.stdout).unwrap();
    // Each command that is printed works on what was written.
    let mut commands = 0;
    let said = said.replace("\\\n", "");
    for line in said
        .lines()
        .filter_map(|line| line.strip_prefix("  keytrail "))
    {
        let words = parted(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let code = demo(&words).status.code();
        assert!(matches!(code, Some(0 | 3)), "{line}: {code:?}");
        commands += 1;
    }
    assert!(commands >= 6, "{said}");
    // The walk-throughs can be followed there, word for word.
    let within = folder.path().join("keytrail-demo");
    let mut followed = 0;
    for page in ["incident", "migration"] {
        let text = fs::read_to_string(format!("{ROOT}/docs/{page}.md")).unwrap();
        let commands = text.lines().filter_map(|line| {
            let command = line.strip_prefix("<!-- begin: keytrail ")?;
            let command = command.strip_suffix(" -->")?.split(" | ").next()?;
            (command.contains("--trail testdata/")).then(|| parted(command))
        });
        for words in commands {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let told = |at: &Path| {
                let mut command = keytrail(&words);
                let output = command.current_dir(at).output().unwrap();
                assert!(matches!(output.status.code(), Some(0 | 3)), "{words:?}");
                String::from_utf8(output.stdout).unwrap()
            };
            assert_eq!(told(&within), told(Path::new(ROOT)), "{words:?}");
            followed += 1;
        }
    }
    assert!(followed >= 10, "{followed} commands");
    // What is there is left alone.
    assert_eq!(demo(&["demo"]).status.code(), Some(1));
}

#[test]
fn a_file_sets_what_is_the_same_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let trail = format!("{ROOT}/{TRAIL}");
    let run = |args: &[&str]| {
        let mut command = keytrail(args);
        command.current_dir(folder.path()).output().unwrap()
    };
    let file = folder.path().join("keytrail.toml");
    fs::write(&file, "lake = \"our-lake\"\n").unwrap();
    assert_eq!(run(&["ingest", &trail, "-q"]).status.code(), Some(3));
    assert!(folder.path().join("our-lake").is_dir());
    assert_eq!(run(&["keys", "-q"]).status.code(), Some(3));
    // Options win.
    assert_eq!(run(&["keys", "--lake", "another"]).status.code(), Some(1));
    fs::write(&file, "lake = \"our-lake\"\nnetwork = \"x\"\n").unwrap();
    let refused = run(&["keys"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("keytrail.toml, line 2: "), "{said}");
    fs::write(&file, "pager = \"touch owned\"\n").unwrap();
    assert_eq!(run(&["keys"]).status.code(), Some(2));
    assert!(!folder.path().join("owned").exists());
}

/// A key that is used at a company for a week, and then from a new place by somebody who enumerates the account.
fn moved(folder: &Path) -> String {
    let mut records = Vec::new();
    let mut push = |day: u32, minute: u32, address: &str, agent: &str, call: (&str, &str)| {
        let at = records.len();
        records.push(serde_json::json!({
            "eventVersion": "1.10", "eventTime": format!("2025-03-{day:02}T10:{minute:02}:00Z"),
            "eventSource": format!("{}.amazonaws.com", call.0), "eventName": call.1, "awsRegion": "eu-west-1",
            "sourceIPAddress": address, "userAgent": agent,
            "userIdentity": {"type": "IAMUser", "accessKeyId": "AKIAIOSFODNN7MOVED22", "userName": "svc-mover",
                "accountId": "111122223333", "principalId": "AIDAMOVER", "arn": "arn:aws:iam::111122223333:user/svc-mover"},
            "requestParameters": null, "eventID": format!("00000000-0000-4000-b000-{at:012}"), "readOnly": true,
            "eventType": "AwsApiCall", "eventCategory": "Management", "recipientAccountId": "111122223333",
        }));
    };
    for day in 1..8 {
        let agent = "Boto3/1.34.0 Python/3.11.8 Linux/6.5.0 Botocore/1.34.0";
        push(day, 0, "203.0.113.10", agent, ("sqs", "ListQueues"));
    }
    let agent = "aws-cli/2.15.10 Python/3.11.8 Linux/6.5.0 exe/x86_64.ubuntu.22";
    let calls = [
        ("sts", "GetCallerIdentity"),
        ("iam", "GetUser"),
        ("s3", "ListBuckets"),
    ];
    for (minute, call) in calls.into_iter().enumerate() {
        push(9, minute as u32, "192.0.2.9", agent, call);
    }
    let path = folder.join("moved.json");
    fs::write(&path, serde_json::json!({ "Records": records }).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every command that judges takes the owner's networks for the owner's.
#[test]
fn our_networks_tell_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let trail = moved(folder.path());
    let file = folder.path().join("ours.txt");
    fs::write(&file, "192.0.2.0/24 new office\n").unwrap();
    let file = file.to_str().unwrap();
    let key = "AKIAIOSFODNN7MOVED22";
    let asked = |args: &[&str], named: bool| {
        let networks: &[&str] = if named { &["--networks", file] } else { &[] };
        json(&[args, &["--trail", &trail], networks].concat(), 0)
    };
    let suspicious = |named| asked(&["keys", "--suspicious"], named)["keys"].clone();
    assert_eq!(suspicious(false).as_array().unwrap().len(), 1);
    assert_eq!(suspicious(true), serde_json::json!([]));
    for args in [&["ready", key][..], &["consumers", key], &["plan", key]] {
        let (without, with) = (asked(args, false), asked(args, true));
        let noted = |answer: &serde_json::Value| answer["notes"].to_string();
        assert!(
            noted(&without).contains("use by an intruder is excluded"),
            "{args:?}: {without}"
        );
        assert!(
            !noted(&with).contains("use by an intruder is excluded"),
            "{args:?}: {with}"
        );
    }
    let trace = asked(&["trace", key], true);
    let sources = trace["summary"]["sources"].as_array().unwrap();
    let office = sources
        .iter()
        .find(|source| source["source_ip_address"] == "192.0.2.9")
        .unwrap();
    assert_eq!(office["origin"], "owner", "{office}");
    // The next command names the same file.
    let text = printed(&["keys", "--trail", &trail, "--networks", file], "200");
    assert!(text.contains(&format!("--networks {file}")), "{text}");
}

/// A list of networks may be wrong, and an intruder may be inside.
#[test]
fn a_mistake_in_our_networks_does_not_make_an_intruder_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ours.txt");
    // Both addresses of the intruder, and the owner's.
    fs::write(&file, "198.51.100.0/24\n203.0.113.0/24\n192.0.2.0/24\n").unwrap();
    let file = file.to_str().unwrap();
    let trail = format!("{ROOT}/{TRAIL}");
    let networks = ["--networks", file];
    for option in ["--networks", "--known-networks"] {
        let trace = json(&["trace", KEY, "--trail", &trail, option, file], 0);
        let sources = trace["summary"]["sources"].as_array().unwrap();
        let of = |address: &str| {
            let found = sources
                .iter()
                .filter(|source| source["source_ip_address"] == address);
            found
                .map(|source| source["origin"].clone())
                .collect::<Vec<_>>()
        };
        let intruder = of("198.51.100.202");
        assert!(!intruder.is_empty(), "{sources:?}");
        assert!(
            intruder.iter().all(|origin| origin == "intruder"),
            "{sources:?}"
        );
    }
    let suspicious = |options: &[&str]| {
        let args = [&["keys", "--suspicious", "--trail", &trail][..], options].concat();
        let rows = json(&args, 0)["keys"].clone();
        let rows = rows.as_array().unwrap().iter();
        let stolen = rows.filter(|row| row["origin"] == "intruder");
        stolen
            .map(|row| row["access_key_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(suspicious(&[]), suspicious(&networks));
    let incidents = |options: &[&str]| {
        let args = [
            &["ready", "--verdict", "incident", "--trail", &trail][..],
            options,
        ]
        .concat();
        json(&args, 0)["ready"].as_array().unwrap().len()
    };
    assert_eq!(incidents(&[]), incidents(&networks));
    let allowed = |options: &[&str]| {
        let args = [&["policy", KEY, "--trail", &trail][..], options].concat();
        json(&args, 0)["documents"].clone()
    };
    assert_eq!(allowed(&[]), allowed(&networks));
    fs::write(file, "0.0.0.0/0 everything\n").unwrap();
    let refused = keytrail(&["keys", "--trail", &trail, "--networks", file]).output();
    let refused = refused.unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("line 1: 0.0.0.0/0 is too wide"), "{said}");
}

/// Without what differs from run to run: times, and into how many files of which size a lake is cut.
fn same(text: &str, name: &str) -> String {
    let rules: &[(&str, &str)] = match name {
        "ingest" => &[
            ("(?m)^time .*$", "time       (time)"),
            (r"[0-9.]+ (B|KiB|MiB) in the lake", "(size) in the lake"),
        ],
        name if name.starts_with("lake") => &[
            ("(?m)^small .*\n", ""),
            (r"[0-9][0-9.]*( B| KiB| MiB)?", "N"),
        ],
        _ => &[],
    };
    rules.iter().fold(text.to_owned(), |text, (what, instead)| {
        let what = regex::Regex::new(what).unwrap();
        what.replace_all(&text, *instead).into_owned()
    })
}

/// Every command at the width of a small terminal and of a wide one.
#[test]
fn every_command_at_two_widths() {
    let ready = "testdata/ready/trail.json.gz";
    let lake = tempfile::tempdir().unwrap();
    let lake = lake.path().join("lake");
    let lake = lake.to_str().unwrap();
    let report = "testdata/credential-report-111122223333.csv";
    let sql = "SELECT event_name, count(*), max(event_time) FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5";
    let commands: [(&str, &[&str]); 21] = [
        ("ingest", &["ingest", TRAIL, "--lake", lake]),
        ("lake_check", &["lake", "check", "--lake", lake]),
        ("lake_stats", &["lake", "stats", "--lake", lake]),
        (
            "credentials",
            &[
                "credentials",
                "--credential-report",
                report,
                "--as-of",
                "2025-03-10",
                "--trail",
                TRAIL,
            ],
        ),
        ("sql", &["sql", sql, "--trail", TRAIL]),
        ("list_name", &["list", "key-timeline"]),
        ("keys", &["keys", "--trail", TRAIL]),
        ("suspicious", &["keys", "--suspicious", "--trail", TRAIL]),
        ("key", &["key", KEY, "--trail", TRAIL]),
        ("trace", &["trace", KEY, "--trail", TRAIL]),
        (
            "timeline",
            &[
                "trace",
                KEY,
                "--trail",
                TRAIL,
                "--section",
                "timeline,lineage",
            ],
        ),
        ("consumers", &["consumers", "--trail", TRAIL]),
        ("coverage", &["coverage", "--trail", TRAIL]),
        ("ready", &["ready", "--trail", ready]),
        ("plan", &["plan", "--trail", TRAIL]),
        (
            "progress",
            &["progress", "--before", "2025-06-11", "--trail", ready],
        ),
        (
            "policy",
            &["policy", "AKIAWO645SY5PJD4OYL5", "--trail", TRAIL],
        ),
        ("rules", &["rules", "cloudtrail"]),
        ("list", &["list"]),
        ("describe", &["describe"]),
        (
            "run",
            &[
                "run",
                "key-left-behind",
                "AKIARTX3GSDSZHURWZGJ",
                "--trail",
                "testdata/questions",
            ],
        ),
    ];
    for (name, args) in commands {
        for width in ["80", "140"] {
            if name == "ingest" {
                let _ = fs::remove_dir_all(lake);
            }
            let text = same(&printed(args, width).replace(lake, "our-lake"), name);
            for line in text.lines() {
                assert_eq!(line, line.trim_end(), "{name} at {width}");
            }
            insta::assert_snapshot!(format!("{name}_{width}"), text);
        }
    }
}
