//! Notes on events: kept in the case file alone, by this server's own pages alone, shown as text everywhere, and in the report.

use std::fs;
use std::path::{Path, PathBuf};

use crate::injections;
use crate::program::{json, keytrail};
use crate::serve::{Explorer, Reply, encoded};
use crate::sql_safety::files;

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

struct Case {
    explorer: Explorer,
    folder: tempfile::TempDir,
}

impl Case {
    fn on(trail: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("case.json");
        let explorer = Explorer::of(&["--trail", trail, "--case", file.to_str().unwrap()]);
        Self { explorer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("case.json")
    }

    /// The hidden fields of an event's form.
    fn form(&self, event: &str) -> Vec<(String, String)> {
        let page = self
            .explorer
            .get(&format!("/event?event_id={event}"))
            .text();
        let (_, form) = page.split_once("action=\"/note\"").unwrap();
        let (form, _) = form.split_once("</form>").unwrap();
        let hidden = form.split("type=\"hidden\" name=\"").skip(1);
        let hidden = hidden.map(|of| {
            let (name, rest) = of.split_once("\" value=\"").unwrap();
            (name.to_owned(), rest.split_once('"').unwrap().0.to_owned())
        });
        hidden.collect()
    }

    fn send(&self, values: &[(String, String)], headers: &str) -> Reply {
        let pairs: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let body = pairs.join("&");
        self.explorer.raw(&format!(
            "POST /note HTTP/1.1\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        ))
    }

    fn save(&self, event: &str, (note, tags): (&str, &str)) -> Reply {
        let mut values = self.form(event);
        values.push(("note".to_owned(), note.to_owned()));
        values.push(("tags".to_owned(), tags.to_owned()));
        values.push(("bookmark".to_owned(), "on".to_owned()));
        self.send(&values, &self.explorer.bearer())
    }
}

/// An event of the intruder.
fn event() -> String {
    let sql = format!(
        "SELECT event_id FROM events WHERE access_key_id = '{KEY}' ORDER BY event_time, event_id LIMIT 1"
    );
    let rows = json(&["sql", &sql, "--trail", TRAIL], 0);
    rows["rows"][0]["event_id"].as_str().unwrap().to_owned()
}

fn count(folder: &Path) -> usize {
    files(folder).len()
}

#[test]
fn a_note_is_seen_everywhere_and_is_in_the_report() {
    let case = Case::on(TRAIL);
    let event = event();
    assert_eq!(count(case.folder.path()), 0, "a file without a note");
    let saved = case.save(
        &event,
        ("the first call\nof the intruder", "intruder, first"),
    );
    assert_eq!(saved.status, 303, "{}", saved.text());
    let place = format!("/event?event_id={event}");
    assert_eq!(saved.header("location"), Some(place.as_str()));
    for page in [
        place.clone(),
        format!("/find?access_key_id={KEY}"),
        format!("/trace?start={KEY}"),
        format!("/trace?start={KEY}&section=timeline"),
        "/case".to_owned(),
        "/case.csv".to_owned(),
        format!("/trace.page?start={KEY}"),
        format!("/trace.md?start={KEY}"),
        format!("/trace.json?start={KEY}"),
    ] {
        let text = case.explorer.get(&page).text();
        assert!(text.contains("the first call"), "{page}");
        assert!(text.contains("first"), "{page}");
    }
    // What the file says is enough without the lake.
    let notes = case.explorer.get("/case.json").json();
    let note = &notes["case"][0];
    assert_eq!(note["event_id"], event);
    assert_eq!(note["access_key_id"], KEY);
    assert_eq!(note["tags"], serde_json::json!(["first", "intruder"]));
    assert!(note["event_time"].is_string() && note["bookmark"] == true);
    // The command has the same.
    let file = case.file();
    let file = file.to_str().unwrap();
    let html = case.folder.path().join("report.html");
    let base = ["trace", KEY, "--trail", TRAIL, "--case", file];
    let args = [
        &base[..],
        &["--html", html.to_str().unwrap(), "--format", "markdown"],
    ]
    .concat();
    let run = keytrail(&args).output().unwrap();
    let markdown = String::from_utf8(run.stdout).unwrap();
    assert!(markdown.contains("## Notes of the case"), "{markdown}");
    assert!(markdown.contains("the first call"), "{markdown}");
    assert!(markdown.len() < 30 << 10);
    let html = fs::read_to_string(html).unwrap();
    assert!(html.contains("the first call<br>of the intruder"));
    let trace = json(&base, 0);
    assert_eq!(trace["case"][0]["note"], "the first call\nof the intruder");
    // Nothing noted any longer: nothing is left of it.
    let mut values = case.form(&event);
    values.push(("note".to_owned(), "  ".to_owned()));
    assert_eq!(case.send(&values, &case.explorer.bearer()).status, 303);
    assert_eq!(
        case.explorer.get("/case.json").json()["case"],
        serde_json::json!([])
    );
}

#[test]
fn only_a_page_of_this_server_changes_anything() {
    let case = Case::on(TRAIL);
    let event = event();
    let bearer = case.explorer.bearer();
    let mut values = case.form(&event);
    values.push(("note".to_owned(), "x".to_owned()));
    let host = &case.explorer.host;
    let without = |name: &str| -> Vec<(String, String)> {
        let kept = values.iter().filter(|(of, _)| of != name);
        kept.cloned().collect()
    };
    let other = |name: &str, value: &str| {
        let mut values = without(name);
        values.push((name.to_owned(), value.to_owned()));
        values
    };
    for (values, headers, status) in [
        (values.clone(), format!("Host: {host}\r\n"), 401),
        (
            values.clone(),
            format!("{bearer}Origin: http://evil.test\r\n"),
            403,
        ),
        (values.clone(), format!("{bearer}Origin: null\r\n"), 403),
        (
            values.clone(),
            format!("{bearer}Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"),
            403,
        ),
        (
            values.clone(),
            format!("{bearer}Sec-Fetch-Site: same-site\r\n"),
            403,
        ),
        (without("token"), bearer.clone(), 403),
        (other("token", "0"), bearer.clone(), 403),
        (other("event_id", "nothing"), bearer.clone(), 404),
        (other("event_id", "../../etc/passwd"), bearer.clone(), 404),
        (other("note", &"x".repeat(10_001)), bearer.clone(), 400),
        (other("note", &"x".repeat(300_000)), bearer.clone(), 413),
    ] {
        assert_eq!(case.send(&values, &headers).status, status, "{headers}");
        assert_eq!(count(case.folder.path()), 0, "{headers}");
    }
    assert_eq!(case.explorer.get("/note").status, 405);
    let own = format!("{bearer}Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(case.send(&values, &own).status, 303);
    // Never written to a place that the request names.
    assert_eq!(files(case.folder.path()), [".case.json.lock", "case.json"]);
}

#[test]
fn of_two_browsers_none_loses_what_it_wrote() {
    let case = Case::on(TRAIL);
    let event = event();
    let (mut one, mut two) = (case.form(&event), case.form(&event));
    one.push(("note".to_owned(), "from one".to_owned()));
    two.push(("note".to_owned(), "from two".to_owned()));
    let bearer = case.explorer.bearer();
    assert_eq!(case.send(&one, &bearer).status, 303);
    let late = case.send(&two, &bearer);
    assert_eq!(late.status, 409);
    let text = late.text();
    assert!(text.contains("it now says: from one"), "{text}");
    assert!(
        text.contains(">from two</textarea>"),
        "what was typed is lost: {text}"
    );
    assert_eq!(
        case.explorer.get("/case.json").json()["case"][0]["note"],
        "from one"
    );
    // A file that somebody broke hides no log and is not written over.
    fs::write(case.file(), "{").unwrap();
    let page = case.explorer.get(&format!("/find?access_key_id={KEY}"));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("is not a case file of this version"));
    let mut values = case.form(&event);
    values.push(("note".to_owned(), "mine".to_owned()));
    let refused = case.send(&values, &bearer);
    assert_eq!(refused.status, 500);
    assert!(refused.text().contains(">mine</textarea>"));
    assert_eq!(fs::read_to_string(case.file()).unwrap(), "{");
}

#[test]
fn what_is_noted_is_text() {
    let trail = tempfile::tempdir().unwrap();
    injections::write(trail.path());
    let case = Case::on(trail.path().to_str().unwrap());
    for (at, payload) in injections::PAYLOADS.iter().enumerate() {
        let event = format!("00000000-0000-4000-a000-{:012}", at * 2);
        let tag: String = payload.chars().filter(|c| *c != ',').take(60).collect();
        assert_eq!(case.save(&event, (payload, &tag)).status, 303, "{payload}");
    }
    let key = injections::KEY;
    for page in [
        "/event?event_id=00000000-0000-4000-a000-000000000004".to_owned(),
        "/event?event_id=00000000-0000-4000-a000-000000000012".to_owned(),
        format!("/find?access_key_id={key}"),
        format!("/trace?start={key}"),
        format!("/trace.page?start={key}"),
        format!("/trace.md?start={key}"),
        "/case".to_owned(),
        "/case.md".to_owned(),
    ] {
        let text = case.explorer.get(&page).text();
        assert!(
            !text.contains("<script>alert") && !text.contains("<img"),
            "{page}"
        );
        let acts = !page.contains(".md") && text.contains("onfocus=\"alert");
        assert!(!acts, "{page}");
        // The scripts of the report are others'; its data and everything before them is what is looked at.
        let text = text.split("<script>").next().unwrap();
        let shown = text.split("<textarea").map(|rest| {
            rest.split_once("</textarea>")
                .map_or(rest, |(_, rest)| rest)
        });
        let shown: String = shown.collect();
        let shown: String = shown
            .split(" value=\"")
            .map(|rest| rest.split_once('"').map_or(rest, |(_, rest)| rest))
            .collect();
        let hidden: Vec<char> = shown
            .chars()
            .filter(|c| *c != '\n' && injections::hides(*c))
            .collect();
        assert!(hidden.is_empty(), "{page}: {hidden:?}");
    }
    // Kept as it was written.
    let notes = case.explorer.get("/case.json").json();
    let notes = notes["case"].as_array().unwrap();
    for payload in injections::PAYLOADS {
        assert!(
            notes.iter().any(|note| note["note"] == payload),
            "{payload}"
        );
    }
}
