//! Every field of a log was written by somebody: what `trace` prints of it must not act on a terminal, in a spreadsheet, in a
//! wiki, or in a browser, and must not grow without bound.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::browser::{self, Shown};

const KEY: &str = "AKIARTX3GSDS75MXKBSU";

const EVIL: [&str; 10] = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m",
    "=HYPERLINK(\"http://evil.test\",\"x\")",
    "+1+1\t@SUM(A1)",
    "gpj.\u{202e}exe\u{2066}\u{200b}\u{feff}",
    "[click](javascript:alert(1)) `code` | cell | <b>",
    "line\r\nbreak\u{2028}paragraph\u{2029}end\u{85}",
    "{{ 7*7 }}{% raw %}{{7*7}}",
    "'; rm -rf / #$(id)`id`\"",
];

/// More than any place in a table has room for.
const LONG: usize = 1 << 17;

/// A trail in which an intruder named everything.
fn trail(folder: &Path) -> std::path::PathBuf {
    let long = "A".repeat(LONG);
    let texts: Vec<&str> = EVIL.into_iter().chain([long.as_str()]).collect();
    trail_of(folder, &texts)
}

/// A trail in which these texts stand everywhere.
fn trail_of(folder: &Path, texts: &[&str]) -> std::path::PathBuf {
    let mut records = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let mut call = |service: &str, name: &str, request: Value, response: Value| {
            let at = records.len();
            records.push(json!({
                "eventVersion": "1.10", "eventTime": format!("2025-03-06T15:{:02}:{:02}Z", at / 60, at % 60),
                "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": text,
                "sourceIPAddress": if n % 2 == 0 { "198.51.100.7" } else { text }, "userAgent": text,
                "userIdentity": {"type": "IAMUser", "accessKeyId": KEY, "userName": text, "accountId": "111122223333",
                    "principalId": "AIDARTX3GSDS75MXKBSUA", "arn": "arn:aws:iam::111122223333:user/svc"},
                "errorCode": if name == "ListBuckets" { json!(text) } else { Value::Null },
                "errorMessage": if name == "ListBuckets" { json!(text) } else { Value::Null },
                "requestParameters": request, "responseElements": response, "recipientAccountId": "111122223333",
                "eventID": format!("00000000-0000-4000-a000-{at:012}"), "readOnly": false, "eventType": "AwsApiCall",
                "eventCategory": if service == "s3" { "Data" } else { "Management" },
            }));
        };
        let session = format!("ASIARTX3GSDS75MXKB{n:02}");
        let arn = format!("arn:aws:sts::111122223333:assumed-role/admin/{text}");
        call(
            "s3",
            "GetObject",
            json!({"bucketName": text, "key": text}),
            Value::Null,
        );
        call("s3", "ListBuckets", json!({}), Value::Null);
        call(
            "iam",
            "CreateUser",
            json!({"userName": text}),
            json!({"user": {"userName": text, "arn": format!("arn:aws:iam::111122223333:user/{text}")}}),
        );
        call(
            "iam",
            "AttachUserPolicy",
            json!({"userName": text, "policyArn": text}),
            Value::Null,
        );
        call(
            "secretsmanager",
            "GetSecretValue",
            json!({"secretId": text}),
            Value::Null,
        );
        call(
            "sts",
            "AssumeRole",
            json!({"roleArn": "arn:aws:iam::111122223333:role/admin", "roleSessionName": text}),
            json!({"credentials": {"accessKeyId": session}, "assumedRoleUser": {"arn": arn, "assumedRoleId": format!("AROARTX3GSDS75MXKBSUA:{text}")}}),
        );
        let mut used = records[records.len() - 1].clone();
        let at = records.len();
        used["eventID"] = json!(format!("00000000-0000-4000-a000-{at:012}"));
        used["eventName"] = json!(text);
        used["userIdentity"] = json!({"type": "AssumedRole", "accessKeyId": session, "arn": arn, "accountId": "111122223333",
            "principalId": format!("AROARTX3GSDS75MXKBSUA:{text}"), "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "admin",
            "arn": "arn:aws:iam::111122223333:role/admin", "accountId": "111122223333", "principalId": "AROARTX3GSDS75MXKBSUA"}}});
        records.push(used);
    }
    let path = folder.join("evil.json");
    fs::write(&path, json!({ "Records": records }).to_string()).unwrap();
    path
}

fn traced(folder: &Path, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["trace", KEY, "--quiet", "--as-of", "2025-03-08", "--trail"])
        .arg(trail(folder))
        .args(more)
        .current_dir(folder)
        .env("COLUMNS", "120")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more:?}: {error}");
    assert!(!hides(&error), "{more:?}: standard error");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a character acts or cannot be seen.
fn hides(text: &str) -> bool {
    let hidden = |c: char| c != '\n' && keytrail::render::escape::is_hidden(c);
    if let Some(at) = text.find(hidden) {
        println!("…{:?}…", text[at..].chars().take(40).collect::<String>());
    }
    text.contains(hidden)
}

#[test]
fn a_terminal_is_not_acted_on_and_not_flooded() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &["--all"]] {
        let text = traced(folder.path(), more);
        assert!(!hides(&text));
        assert!(text.contains(KEY));
    }
}

#[test]
fn json_is_whole_and_shows_what_hides() {
    let folder = tempfile::tempdir().unwrap();
    let text = traced(folder.path(), &["--format", "json"]);
    assert!(!hides(&text));
    let report: Value = serde_json::from_str(&text).unwrap();
    let agents: Vec<&str> = report["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["user_agent"].as_str())
        .collect();
    // Programs get the very text.
    for evil in EVIL {
        assert!(agents.contains(&evil), "{evil:?}");
    }
    assert!(agents.iter().any(|agent| agent.len() == LONG));
    let lines = traced(folder.path(), &["--format", "jsonl"]);
    assert!(!hides(&lines));
    for line in lines.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn a_spreadsheet_computes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = traced(folder.path(), &["--format", "csv"]);
    assert!(!hides(&text));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut cells = 0;
    for row in reader.records() {
        for cell in &row.unwrap() {
            cells += 1;
            let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '\t']);
            let number = cell.parse::<f64>().is_ok();
            assert!(!formula || number, "{:?}", &cell[..cell.len().min(80)]);
        }
    }
    assert!(cells > 100);
}

#[test]
fn a_wiki_shows_no_markup() {
    let folder = tempfile::tempdir().unwrap();
    let text = traced(folder.path(), &["--format", "markdown"]);
    assert!(!hides(&text));
    // In blocks of code, markup is text; they end only where they are meant to.
    let mut prose = String::new();
    let mut code = false;
    for line in text.lines() {
        match line.trim_start().starts_with("```") {
            true => code = !code,
            false if !code => prose += line,
            false => {}
        }
    }
    assert!(!code, "a block of code does not end");
    // What is escaped is text.
    let prose = prose.replace("\\]", "").replace("\\`", "");
    let spans: Vec<&str> = prose.split('`').step_by(2).collect();
    let prose = spans.join("");
    for markup in ["<script", "<img", "<b>", "](javascript"] {
        assert!(!prose.contains(markup), "{markup}");
    }
}

#[test]
fn a_page_is_text_and_runs_only_its_own_scripts() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path(), &["--html", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let (before, after) = page.split_once("id=\"trace-data\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    assert!(!hides(data) && !data.contains(['<', '>', '&']));
    let data: Value = serde_json::from_str(data).unwrap();
    assert!(data["timeline"]["count"].as_u64().unwrap() > 70);
    let (_, body) = before.split_once("<body>").unwrap();
    let (body, _) = body.rsplit_once("<script type").unwrap();
    assert!(!hides(body));
    let lower = body.to_lowercase();
    for markup in [
        "<script",
        "<img",
        "<svg",
        "<b>alert",
        "onerror=alert(1)>",
        "javascript:alert(1))</a",
    ] {
        assert!(!lower.contains(markup), "{markup}");
    }
    traced(folder.path(), &["--html", "again.html"]);
    let again = fs::read_to_string(folder.path().join("again.html")).unwrap();
    assert!(page == again, "the same trace gives other bytes");
}

#[test]
#[ignore = "needs chromium"]
fn the_page_acts_on_nothing_in_chromium() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path(), &["--html", "page.html"]);
    let page = folder.path().join("page.html");
    let Shown { dom, said } = browser::shown(&page);
    let (_, body) = dom.split_once("<body>").unwrap();
    // The scripts ran to their end: the tables are there, and the graph and the chart were drawn.
    assert!(dom.contains("data-ready=\"yes\""));
    assert!(body.contains("<canvas") && body.contains("class=\"grid\""));
    let (body, _) = body.split_once("<script").unwrap();
    for markup in ["<img", "<svg", "<b>alert"] {
        assert!(!body.to_lowercase().contains(markup), "{markup}");
    }
    assert!(!said.contains("Content Security Policy"), "{said}");
}

/// What answers, each with the start of its words. Saved queries are added.
const COMMANDS: [&[&str]; 17] = [
    &["keys"],
    &["key", KEY],
    &["consumers"],
    &["consumers", KEY],
    &["coverage"],
    &["ready"],
    &["ready", KEY],
    &["policy", KEY],
    &["plan"],
    &["plan", KEY],
    &["progress", "--before", "2025-03-07"],
    &["trace", KEY, "--as-of", "2025-03-08"],
    &["trace", "198.51.100.7", "--as-of", "2025-03-08"],
    &["sql", "SELECT * FROM events"],
    &[
        "sql",
        "SELECT user_agent, source_ip_address, error_code, event_name, request_parameters FROM events",
    ],
    &["sql", "SELECT * FROM log_files"],
    &["sql", "SELECT 1 AS \"<b>=x\u{1b}[2J\" FROM events LIMIT 1"],
];

const FORMATS: [&str; 6] = ["table", "records", "json", "jsonl", "csv", "markdown"];

/// Whether an answer is harmless in the place where it is read.
fn acts(format: &str, text: &str) -> Option<String> {
    if hides(text) {
        return Some("a character that acts or hides".to_owned());
    }
    match format {
        "json" => serde_json::from_str::<Value>(text)
            .err()
            .map(|it| it.to_string()),
        "jsonl" => text
            .lines()
            .find_map(|line| serde_json::from_str::<Value>(line).err())
            .map(|it| it.to_string()),
        "csv" => {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let cells = reader
                .records()
                .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
            let mut formulas = cells.filter(|cell| {
                cell.trim_start().starts_with(['=', '+', '-', '@', '\t'])
                    && cell.parse::<f64>().is_err()
            });
            formulas.next()
        }
        "markdown" => {
            let mut code = false;
            let prose = text.lines().filter(|line| {
                let fence = line.trim_start().starts_with("```");
                code ^= fence;
                !fence && !code
            });
            let prose = prose
                .collect::<Vec<_>>()
                .join("\n")
                .replace("\\]", "")
                .replace("\\`", "");
            let prose = prose.split('`').step_by(2).collect::<String>();
            let found = ["<script", "<img", "<b>", "](javascript"]
                .into_iter()
                .find(|it| prose.contains(it));
            found.map(str::to_owned)
        }
        _ => None,
    }
}

#[test]
fn every_command_is_harmless_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = trail_of(folder.path(), &EVIL);
    let mut commands: Vec<Vec<String>> = COMMANDS
        .iter()
        .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
        .collect();
    for question in keytrail::analysis::question::Library::built_in().questions() {
        let mut words = vec![
            "run".to_owned(),
            Path::new(question.file())
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
        ];
        for parameter in &question.header().parameters {
            let value = match parameter.name.as_str() {
                "access_key_id" => KEY,
                "source_ip_address" => "198.51.100.7",
                _ => continue,
            };
            words.extend(["--param".to_owned(), format!("{}={value}", parameter.name)]);
        }
        commands.push(words);
    }
    assert!(commands.len() > 40);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let one = |words: &[String], format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
            .args(words)
            .args(["--quiet", "--format", format, "--trail"])
            .arg(&path)
            .current_dir(folder.path())
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(!hides(&err), "{words:?} {format}: {err}");
        match output.status.code() {
            // Not every command has every format, and some questions need to be told more.
            Some(2) => assert!(out.is_empty() || !hides(&out)),
            Some(0 | 1 | 3) => {
                assert_eq!(acts(format, &out), None, "{words:?} {format}");
                answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            code => panic!("{words:?} {format}: {code:?}: {err}"),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(words) = commands.get(at) else { break };
                    for format in FORMATS {
                        one(words, format);
                    }
                }
            });
        }
    });
    let answered = answered.into_inner();
    println!("{answered} answers of {} commands", commands.len());
    assert!(answered > 200, "{answered}");
}
