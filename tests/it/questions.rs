//! The library of questions: each has its answer on `testdata/` beside the tests, from log files and from a lake alike.
//! `UPDATE_ANSWERS=1 cargo test questions` writes the answers anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{json, keytrail, ran};
use chrono::DateTime;
use keytrail::analysis::question::{FILES, Header, Library, Question};
use keytrail::analysis::{Analysis as _, answer};
use keytrail::cloudtrail::Selection;
use keytrail::lake::{Lake, Location};
use keytrail::render::{Format, RenderOptions, renderer};
use keytrail::session::{Session, SessionOptions};
use keytrail::source::{self, SourceOptions};

/// A weekend on which a leaked key is used for everything that is asked about.
const WEEKEND: &str = "testdata/questions";

/// Five days with a hole, a log file that is torn, and keys that replace each other.
const WEEK: &str = "testdata/trail";

/// What is given to the parameters that have to be given.
const GIVEN: [(&str, &str); 7] = [
    ("access_key_id", LEAKED),
    ("bucket", "example-media"),
    ("moment", "2025-03-09T03:10:00Z"),
    ("source_ip_address", "198.51.100.66"),
    ("user_name", "svc-media"),
    ("days", "1"),
    ("event_id", "fad3ba40-4faf-4526-a80f-d338e55fa022"),
];

/// The key that leaked.
pub(crate) const LEAKED: &str = "AKIARTX3GSDSZHURWZGJ";

/// Questions whose answer is of the other trail.
const OF_THE_WEEK: [&str; 4] = ["data-events", "log-files-per-day", "role-users", "silences"];

fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn options(threads: usize) -> SessionOptions {
    SessionOptions {
        selection: Selection::default(),
        threads,
        ..SessionOptions::default()
    }
}

async fn of_log_files(trail: &str, threads: usize) -> Session {
    let access = SourceOptions::default();
    let trail = path(trail);
    let source = source::open(trail.to_str().unwrap(), &access)
        .await
        .unwrap();
    Session::trail(vec![source], &options(threads))
        .await
        .unwrap()
}

async fn of_lake(trail: &str, lake: &Path) -> Session {
    let lake = lake.join(trail.replace('/', "-"));
    let lake = lake.to_str().unwrap();
    keytrail(&[
        "ingest",
        path(trail).to_str().unwrap(),
        "--lake",
        lake,
        "--quiet",
    ])
    .output()
    .unwrap();
    let lake = Lake::open(&Location::new(lake, None).unwrap())
        .await
        .unwrap();
    Session::lake(lake, &options(2)).await.unwrap()
}

/// The values for a question's parameters: those that have to be given, and `days`, whose default is longer than the trail.
pub(crate) fn given(question: &Question) -> BTreeMap<String, String> {
    let wanted = question.header().parameters.iter().filter(|parameter| {
        // Without a condition, this one finds every event.
        let conditions = question.name() == "find-events"
            && ["access_key_id", "moment", "source_ip_address"].contains(&parameter.name.as_str());
        parameter.default_text().is_none() || parameter.name == "days" || conditions
    });
    wanted
        .map(|parameter| {
            let value = GIVEN.iter().find(|(name, _)| *name == parameter.name);
            let (name, value) = value.unwrap_or_else(|| panic!("{}", parameter.name));
            ((*name).to_owned(), (*value).to_owned())
        })
        .collect()
}

/// The rows of an answer, one per line.
async fn rows(session: &Session, question: &Question) -> String {
    let params = question
        .params(&given(question), DateTime::UNIX_EPOCH)
        .unwrap();
    let report = answer(session, question, &params).await;
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", question.name()));
    let columns = report.sections[0].schema.fields();
    for detail in &question.header().details {
        assert!(
            columns.find(detail).is_some(),
            "{}: no column {detail}",
            question.name()
        );
    }
    let mut out = Vec::new();
    renderer(Format::Jsonl, RenderOptions::default())
        .render(&report, &mut out)
        .unwrap();
    // Where the log files lie on this machine is no part of the answer.
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    String::from_utf8(out).unwrap().replace(here, "")
}

/// The answers of all questions; sessions are opened once per trail.
async fn answers(week: Session, weekend: Session) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for question in Library::built_in().questions() {
        let session = match OF_THE_WEEK.contains(&question.name()) {
            true => &week,
            false => &weekend,
        };
        let name = format!("{}/{}", question.group(), question.name());
        answers.insert(name, rows(session, question).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_its_answer() {
    let found = answers(of_log_files(WEEK, 2).await, of_log_files(WEEKEND, 2).await).await;
    assert_eq!(found.len(), FILES.len());
    let folder = path("tests/answers");
    if std::env::var_os("UPDATE_ANSWERS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        for (name, rows) in &found {
            let file = folder.join(format!("{name}.jsonl"));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, rows).unwrap();
        }
    }
    let mut expected = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry
                .path()
                .strip_prefix(&folder)
                .unwrap()
                .with_extension("");
            let name = name.to_str().unwrap().replace('\\', "/");
            expected.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    for (name, rows) in &found {
        assert!(!rows.is_empty(), "{name} has no row on the test data");
        assert_eq!(Some(rows), expected.get(name), "{name}");
    }
    assert!(expected.keys().eq(found.keys()), "an answer to no question");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_and_other_threads_answer_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let one = answers(of_log_files(WEEK, 1).await, of_log_files(WEEKEND, 1).await).await;
    let lake = answers(
        of_lake(WEEK, folder.path()).await,
        of_lake(WEEKEND, folder.path()).await,
    )
    .await;
    for (name, rows) in one {
        assert_eq!(Some(&rows), lake.get(&name), "{name}");
    }
}

/// Questions about a key that also look at what others did: who changed it, what was deleted of its things.
const OF_OTHERS_TOO: [&str; 2] = ["key-left-behind", "key-lifecycle"];

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_found_by_pruning() {
    let folder = tempfile::tempdir().unwrap();
    let lake = of_lake(WEEKEND, folder.path()).await;
    let library = Library::built_in();
    let mut asked = 0;
    for question in library.questions() {
        let parameters = &question.header().parameters;
        let of_a_key = parameters.iter().any(|p| p.name == "access_key_id");
        if !of_a_key || OF_OTHERS_TOO.contains(&question.name()) {
            continue;
        }
        asked += 1;
        let mut values = given(question);
        values.insert("access_key_id".to_owned(), LEAKED.to_owned());
        let params = question.params(&values, DateTime::UNIX_EPOCH).unwrap();
        let explained = format!("EXPLAIN FORMAT INDENT {}", question.sql());
        let (_, plan) = lake.sql(&explained, &params).await.unwrap();
        let plan = arrow::util::pretty::pretty_format_batches(&plan)
            .unwrap()
            .to_string();
        let scans: Vec<&str> = plan
            .lines()
            .filter(|line| line.contains("DataSourceExec"))
            .collect();
        assert!(!scans.is_empty(), "{plan}");
        for scan in scans {
            let pruned = scan.contains("pruning_predicate=") && scan.contains("access_key_id");
            let joined = scan.contains("DynamicFilter");
            assert!(pruned || joined, "{}: {scan}", question.name());
        }
    }
    assert!(asked > 15, "{asked}");
}

#[test]
fn every_query_has_a_header() {
    for entry in walkdir::WalkDir::new(path("queries")) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|end| end == "sql") {
            let text = fs::read_to_string(entry.path()).unwrap();
            let header = Header::parse(&text);
            let header =
                header.unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
            let name = entry
                .path()
                .strip_prefix(path("."))
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            let named = FILES.iter().any(|(file, _)| *file == name);
            assert_eq!(
                header.group.is_some(),
                named,
                "{name} has a group, or is in FILES, but not both"
            );
        }
    }
}

const TRAIL: [&str; 2] = ["--trail", WEEKEND];

fn run<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["run"], args, &TRAIL].concat()
}

#[test]
fn the_answer_as_json_is_as_that_of_sql() {
    let key = format!("access_key_id={LEAKED}");
    let answer = json(&run(&["key-refused", "--param", &key]), 0);
    assert_eq!(answer["report"], "sql");
    assert_eq!(answer["query"], "key-refused");
    assert_eq!(answer["coverage"]["events"], 99);
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["event_name"] == "GetSendQuota"));
}

#[test]
fn a_query_that_reads_twice_does_not_count_twice() {
    let once = json(&run(&["overview-regions"]), 0);
    let twice = json(&run(&["keys-created"]), 0);
    assert_eq!(once["coverage"], twice["coverage"]);
}

#[test]
fn wrong_questions() {
    let said = |args: &[&str]| ran(&run(args));
    assert_eq!(
        said(&["key-timelime"]),
        "exit code: 2\n--- stdout\n--- stderr\n\
         error: there is no saved query \"key-timelime\"\n\
         hint: did you mean key-timeline or key-lifecycle or key-issued?\n\
         hint: keytrail list shows all saved queries\n"
    );
    assert_eq!(
        said(&["new-since"]),
        "exit code: 2\n--- stdout\n--- stderr\n\
         error: new-since needs access_key_id (text: the key) and moment (time: since when)\n\
         hint: keytrail run new-since --param access_key_id=… --param moment=…\n"
    );
    assert_eq!(
        said(&["top-actions", "--param", "top=many"]),
        "exit code: 2\n--- stdout\n--- stderr\nerror: top: \"many\" is not a whole number\n"
    );
    assert_eq!(
        said(&["top-actions", "--param", "first=1"]),
        "exit code: 2\n--- stdout\n--- stderr\n\
         error: top-actions has no parameter \"first\"\n\
         hint: its parameters are top\n"
    );
    assert!(said(&["top-actions", "--param", "top"]).contains("write it as NAME=VALUE"));
}

#[test]
fn values_are_values() {
    // Pasted into the text of the query it would be true for every event.
    let answer = json(
        &run(&["address", "--param", "source_ip_address=x' OR '1'='1"]),
        0,
    );
    assert_eq!(answer["rows"], serde_json::json!([]));
    assert!(!answer["notes"].as_array().unwrap().is_empty());
}

/// A network in the place of an address means every address in it.
#[test]
fn a_network_is_as_good_as_an_address() {
    for question in ["address", "secrets-to-rotate"] {
        let of = |address: &str| {
            let param = format!("source_ip_address={address}");
            json(&run(&[question, "--param", &param]), 0)["rows"].clone()
        };
        let rows = of("198.51.100.66");
        assert!(!rows.as_array().unwrap().is_empty(), "{question}");
        assert_eq!(of("198.51.100.64/29"), rows, "{question}");
        assert_eq!(of("198.51.100.0/26"), serde_json::json!([]), "{question}");
    }
    let said = ran(&run(&["address", "--param", "source_ip_address=10/8"]));
    assert!(
        said.contains("\"10/8\" is not a network like 10.0.0.0/8"),
        "{said}"
    );
}

#[test]
fn questions_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "busy-days.sql",
        "-- Busy days\n-- grain: one row per day\n-- parameter: at_least integer = 30: events\n\
         SELECT event_date, count(*) AS events FROM events GROUP BY event_date HAVING count(*) >= $at_least ORDER BY event_date",
    );
    write("wipe.sql", "-- Wipe\n-- grain: none\nDROP TABLE events");
    write(
        "leave.sql",
        "-- Leave\n-- grain: none\nWITH x AS (SELECT 1) INSERT INTO events SELECT * FROM events",
    );
    write(
        "read.sql",
        "-- Read\n-- grain: a line\nSELECT * FROM '/etc/passwd'",
    );
    write("plan.sql", "-- Plan\n-- grain: a line\nEXPLAIN SELECT 1");
    let own = ["--queries", folder.path().to_str().unwrap()];
    let with = |name: &'static str| [&["run", name], &own[..], &TRAIL].concat();

    let answer = json(&with("busy-days"), 0);
    let rows = serde_json::json!([{"event_date": "2025-03-09", "events": 75}]);
    assert_eq!(answer["rows"], rows);
    for (name, reason) in [
        ("wipe", "DROP TABLE is not allowed: SQL is read-only here"),
        ("leave", "INSERT is not allowed"),
        (
            "plan",
            "a saved query is one query (SELECT …, or WITH … SELECT …) and nothing else",
        ),
        ("read", "files cannot be read by name (\"/etc/passwd\")"),
    ] {
        let said = ran(&with(name));
        assert!(said.contains(reason), "{said}");
    }
    // What is broken is named; what is not is listed.
    let said = ran(&[&["list"], &own[..]].concat());
    assert!(
        said.contains("Your own") && said.contains("busy-days"),
        "{said}"
    );
    assert!(
        said.contains("plan.sql: a saved query is one query"),
        "{said}"
    );
    let said = ran(&["list", "--queries", "no-such-folder"]);
    assert!(
        said.starts_with("exit code: 2") && said.contains("no-such-folder"),
        "{said}"
    );
}

#[test]
fn the_list() {
    let said = ran(&["list"]);
    for question in Library::built_in().questions() {
        assert!(
            said.contains(question.name()) && said.contains(question.title()),
            "{said}"
        );
    }
    let list = json(&["list"], 0);
    assert_eq!(list["report"], "list");
    assert_eq!(list["incident"][0]["name"], "find-events");
    assert_eq!(list["commands"][0]["name"], "keys");
    for command in list["commands"].as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        let help = ran(&[name, "--help"]);
        assert!(help.starts_with("exit code: 0"), "{help}");
    }

    let one = ran(&["list", "key-timeline"]);
    assert_eq!(one, ran(&["run", "key-timeline", "--describe"]));
    for part in [
        "key-timeline: Everything a key did, in order",
        "required",
        "ORDER BY event_time",
    ] {
        assert!(one.contains(part), "{one}");
    }
    let one = json(&["list", "new-since"], 0);
    assert_eq!(one["query"][0]["group"], "baseline");
    assert_eq!(one["parameters"][1]["type"], "time");
    assert!(ran(&["list", "nothing-like-it"]).starts_with("exit code: 2"));
}
