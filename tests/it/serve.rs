//! The explorer over HTTP, without a browser: who is answered, what a page lets through, and the same as data.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::injections;
use crate::program;
use crate::sql_safety::{ATTEMPTS, files};

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// A running explorer; it ends with the test.
pub(crate) struct Explorer {
    process: Child,
    /// `127.0.0.1:port`.
    pub(crate) host: String,
    token: String,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// As they came, names in small letters.
    head: String,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Explorer {
    pub(crate) fn of(options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_keytrail"))
            .arg("serve")
            .args(options)
            .env_remove("KEYTRAIL_LAKE")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let rest = url.trim().strip_prefix("http://").unwrap();
        let (host, token) = rest.split_once("/?token=").unwrap();
        assert!(host.starts_with("127.0.0.1:"), "{host}");
        Self {
            process,
            host: host.to_owned(),
            token: token.to_owned(),
        }
    }

    fn on_testdata() -> Self {
        Self::of(&["--trail", TRAIL])
    }

    /// The address to open.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/?token={}", self.host, self.token)
    }

    /// A request as it is written.
    pub(crate) fn raw(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = &answer[end + 4..];
        Reply {
            status,
            head: head.replace("\r\n", "\n"),
            body: if chunked { joined(body) } else { body.to_vec() },
        }
    }

    fn with(&self, path: &str, headers: &str) -> Reply {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    pub(crate) fn bearer(&self) -> String {
        format!(
            "Host: {}\r\nAuthorization: Bearer {}\r\n",
            self.host, self.token
        )
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.with(path, &self.bearer())
    }
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The chunks of a body.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks
            .windows(2)
            .position(|window| window == b"\r\n")
            .unwrap();
        let length =
            usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 4 + length..];
    }
}

/// A value in an address.
pub(crate) fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Every page, on the test data.
pub(crate) fn pages() -> Vec<String> {
    let role = encoded("arn:aws:iam::111122223333:role/admin");
    let event = "SELECT event_id FROM events WHERE access_key_id IS NOT NULL ORDER BY 1 LIMIT 1";
    let rows = program::json(&["sql", event, "--trail", TRAIL], 0);
    let event = rows["rows"][0]["event_id"].as_str().unwrap();
    [
        "/keys".to_owned(),
        "/suspicious".to_owned(),
        "/keys?temporary=true&sort=last_seen&order=down&filter=asia&offset=1".to_owned(),
        format!("/key?access_key_id={KEY}"),
        format!("/key?access_key_id={KEY}&since=2025-03-04&until=2025-03-05"),
        format!("/consumers?access_key_id={KEY}"),
        format!("/ready?access_key_id={KEY}"),
        "/ready".to_owned(),
        format!("/plan?access_key_id={KEY}"),
        format!("/policy?access_key_id={KEY}"),
        "/trace".to_owned(),
        format!("/trace?start={KEY}"),
        format!("/trace?start={KEY}&section=timeline&offset=5"),
        format!("/event?event_id={event}"),
        "/address?source_ip_address=198.51.100.7".to_owned(),
        format!("/role?caller={role}"),
        format!("/resource?resource={role}"),
        "/find".to_owned(),
        "/find?event_name=AssumeRole".to_owned(),
        "/queries".to_owned(),
        "/query?name=key-timeline".to_owned(),
        format!("/query?name=key-days&access_key_id={KEY}"),
        "/sql".to_owned(),
        format!("/sql?sql={}", encoded("SELECT event_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC; SHOW TABLES")),
        "/tables".to_owned(),
        "/table?table=sessions".to_owned(),
        "/columns".to_owned(),
        "/rules?text=cloudtrail".to_owned(),
        "/case".to_owned(),
        "/coverage".to_owned(),
    ]
    .to_vec()
}

#[test]
fn only_who_has_the_token_is_answered() {
    let explorer = Explorer::on_testdata();
    let host = format!("Host: {}\r\n", explorer.host);
    for path in [
        "/",
        "/keys",
        "/keys.json",
        "/static/explorer.js",
        "/mcp",
        "/?token=",
        "/?token=0",
        "/keys?token=x&token=y",
    ] {
        let reply = explorer.with(path, &host);
        assert_eq!(reply.status, 401, "{path}");
        assert!(!reply.text().contains("AKIA"));
    }
    let wrong = explorer.with(
        "/keys",
        &format!("{host}Authorization: Bearer {}0\r\n", explorer.token),
    );
    assert_eq!(wrong.status, 401);
    // The token in the address becomes a cookie, and leaves the address.
    let entered = explorer.with(
        &format!("/keys?temporary=true&token={}", explorer.token),
        &host,
    );
    assert_eq!(entered.status, 303);
    assert_eq!(entered.header("location"), Some("/keys?temporary=true"));
    let cookie = entered.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let reply = explorer.with("/keys", &format!("{host}Cookie: other=1; {pair}\r\n"));
    assert_eq!(reply.status, 200);
    // No way leads to another server.
    let away = explorer.with(&format!("//evil.test/?token={}", explorer.token), &host);
    assert_eq!(away.header("location"), Some("/evil.test/"));
}

#[test]
fn no_other_site_and_no_other_name_is_answered() {
    let explorer = Explorer::on_testdata();
    let port = explorer.host.rsplit(':').next().unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", explorer.token);
    for (headers, status) in [
        (format!("Host: evil.test:{port}\r\n"), 421),
        ("Host: 127.0.0.1\r\n".to_owned(), 421),
        (format!("Host: 127.0.0.1.evil.test:{port}\r\n"), 421),
        (format!("Host: localhost:{port}\r\n"), 200),
        (
            format!("Host: {}\r\nOrigin: http://evil.test\r\n", explorer.host),
            403,
        ),
        (format!("Host: {}\r\nOrigin: null\r\n", explorer.host), 403),
        (
            format!(
                "Host: {}\r\nOrigin: https://{}\r\n",
                explorer.host, explorer.host
            ),
            403,
        ),
        (
            format!(
                "Host: {}\r\nOrigin: http://{}\r\n",
                explorer.host, explorer.host
            ),
            200,
        ),
        (
            format!(
                "Host: {}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
                explorer.host
            ),
            403,
        ),
        (
            format!(
                "Host: {}\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n",
                explorer.host
            ),
            403,
        ),
        (
            format!(
                "Host: {}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
                explorer.host
            ),
            200,
        ),
        (
            format!("Host: {}\r\nSec-Fetch-Site: same-origin\r\n", explorer.host),
            200,
        ),
    ] {
        let reply = explorer.with("/keys", &format!("{headers}{bearer}"));
        assert_eq!(reply.status, status, "{headers}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let reply = explorer.raw(&format!(
            "{method} /keys HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n{}\r\n",
            explorer.bearer()
        ));
        assert_eq!(reply.status, 405, "{method}");
    }
}

#[test]
fn every_page_answers_and_lets_nothing_run_but_its_own_script() {
    let explorer = Explorer::on_testdata();
    for page in pages() {
        let reply = explorer.get(&page);
        let text = reply.text();
        assert_eq!(reply.status, 200, "{page}: {text}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(text.starts_with("<!doctype html>"), "{page}");
        // No script, style or handler in the page itself, and nothing of another server.
        for inline in [
            "<script>",
            "<style",
            " style=",
            " onclick=",
            " onload=",
            "http://",
            "https://",
        ] {
            assert!(!text.contains(inline), "{page} has {inline}");
        }
        let asks = page.contains('?')
            || ["/keys", "/suspicious", "/ready", "/coverage"].contains(&page.as_str());
        let of_events = asks
            && !["/table", "/rules", "/query?name=key-timeline"]
                .iter()
                .any(|start| page.starts_with(start));
        if of_events {
            assert!(
                text.contains("class=\"seen"),
                "{page} does not say what was seen"
            );
            assert!(
                text.contains("<pre tabindex=\"0\">keytrail "),
                "{page} has no command"
            );
            let panel = explorer.get(&page.replacen('?', ".part?", 1));
            let panel = panel.text();
            let shows = !page.contains('?') || panel.contains("<pre tabindex=\"0\">keytrail ");
            assert!(shows, "{page} has no command as a panel");
        }
    }
    for (page, status) in [
        ("/nothing", 404),
        ("/../../etc/passwd", 404),
        ("/static/../../Cargo.toml", 404),
        ("/key", 400),
        ("/key?access_key_id=%3Cb%3E", 400),
        ("/keys?sort=nothing", 400),
        ("/keys?since=then", 400),
        ("/query?name=nothing", 400),
        ("/keys.exe", 404),
    ] {
        assert_eq!(explorer.get(page).status, status, "{page}");
    }
}

#[test]
fn a_page_is_data_too() {
    let explorer = Explorer::on_testdata();
    let keys = explorer.get("/keys.json").json();
    assert_eq!(
        keys["keys"],
        program::json(&["keys", "--trail", TRAIL], 0)["keys"]
    );
    assert!(keys["coverage"]["events"].is_number());
    let csv = explorer.get("/keys.csv");
    assert!(
        csv.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    assert!(csv.text().starts_with("access_key_id,"), "{}", csv.text());
    let parquet = explorer.get("/keys.parquet");
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
    let sql = format!(
        "/sql.jsonl?sql={}",
        encoded("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY 1")
    );
    assert_eq!(explorer.get(&sql).text(), "{\"a\":1}\n{\"a\":2}\n");
    let trace = explorer.get(&format!("/trace.json?start={KEY}")).json();
    assert!(!trace["timeline"].as_array().unwrap().is_empty());
    let page = explorer.get(&format!("/trace.page?start={KEY}"));
    assert!(page.text().contains("id=\"trace-data\""));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .starts_with("sandbox ")
    );
    let wrong = explorer.get(&format!(
        "/sql.json?sql={}",
        encoded("SELECT user_agnt FROM events")
    ));
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.json()["error"]
            .as_str()
            .unwrap()
            .contains("Did you mean user_agent")
    );
}

/// What a facet counts is what choosing its value shows.
fn each_choice_shows_what_it_counts(explorer: &Explorer, page: &str, columns: &[&str]) {
    let page = explorer.get(page).text();
    let (_, facets) = page.split_once("class=\"facets\"").unwrap();
    let (facets, _) = facets.split_once("</div>").unwrap();
    let links = facets.split("<li><a href=\"").skip(1);
    let mut seen = 0;
    for link in links {
        let (href, rest) = link.split_once('"').unwrap();
        let (_, count) = rest.split_once("<span class=\"soft\">").unwrap();
        let count = count.split('<').next().unwrap();
        let chosen = explorer.get(&href.replace("&amp;", "&").replace("&#x2f;", "/"));
        assert_eq!(chosen.status, 200, "{href}: {}", chosen.text());
        let text = chosen.text();
        // One key is shown as a record.
        let one = count == "1" && text.contains("<dl class=\"record\">");
        let all = one || text.contains(&format!("of {count}</p>"));
        assert!(all, "{href}: {count}");
        assert!(text.contains("aria-current=\"true\""), "{href}");
        seen += 1;
    }
    assert!(seen > 5, "{facets}");
    for column in columns {
        assert!(
            facets.contains(&format!("<summary>{column}</summary>")),
            "{facets}"
        );
    }
}

#[test]
fn verdicts_are_chosen_by_what_they_have_in_common() {
    const READY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/ready/trail.json.gz");
    let explorer = Explorer::of(&["--trail", READY]);
    each_choice_shows_what_it_counts(&explorer, "/ready", &["verdict", "account"]);
}

/// The first screen is that of the command: what was found, and what to do; every section has its title, in reading order.
#[test]
fn a_trace_begins_with_what_was_found_and_what_to_do() {
    let explorer = Explorer::on_testdata();
    let page = explorer.get(&format!("/trace?start={KEY}")).text();
    let headline = format!("<h2>Access key {KEY}: used by an intruder</h2>");
    let places = [
        headline.as_str(),
        "first suspicious use 2025-03-06 15:01:00: GetCallerIdentity from 198.51.100.201",
        "<dt>Data read</dt><dd>8 objects of bucket example-exports",
        "<h2>What to do now</h2>",
        "aws iam attach-user-policy --user-name svc-backup-sync",
        "<h2>In short",
        "<h2>What to do (keytrail runs none of these commands)",
        "<h2>Lineage",
        "<h2>Timeline",
        "<h2>What these logs do not show",
    ]
    .map(|text| (text, page.find(text)));
    assert!(places.iter().all(|(_, at)| at.is_some()), "{places:?}");
    assert!(places.is_sorted_by_key(|(_, at)| *at), "{places:?}");
    // One section alone is a table, without the rest.
    let alone = explorer.get(&format!("/trace?start={KEY}&section=containment"));
    assert!(!alone.text().contains("used by an intruder</h2>"));
}

/// A key that looks stolen is said to be before anything else; its trace is what follows.
#[test]
fn the_page_of_a_stolen_key_begins_with_a_warning() {
    let explorer = Explorer::on_testdata();
    let at = format!("access_key_id={KEY}");
    let page = explorer.get(&format!("/key?{at}")).text();
    let places = [
        "it looks stolen (intruder): ",
        "Trace: what came out of it",
        "Activity per day",
    ]
    .map(|text| page.find(text));
    assert!(places.iter().all(Option::is_some), "{page}");
    assert!(places.is_sorted(), "{places:?}");
    let others = "/key?access_key_id=AKIARTX3GSDSQ2NI67DS";
    assert!(!explorer.get(others).text().contains("it looks stolen"));
    // As data, it is what the command says.
    let data = explorer.get(&format!("/key.json?{at}")).json();
    let said = program::json(&["key", KEY, "--trail", TRAIL], 0);
    assert_eq!(data["summary"], said["summary"]);
    assert_eq!(data["notes"], said["notes"]);
}

#[test]
fn keys_are_chosen_by_what_they_have_in_common() {
    let explorer = Explorer::on_testdata();
    let columns = ["origin", "account", "services", "last seen"];
    each_choice_shows_what_it_counts(&explorer, "/keys", &columns);
    assert_eq!(explorer.get("/keys?is.nothing=1").status, 400);
    let hostile = encoded("\"><script>alert(1)</script>");
    let none = explorer.get(&format!("/keys?is.services={hostile}"));
    assert_eq!(none.status, 200);
    assert!(!none.text().contains("<script>alert"));
}

/// The way out that SQL does not have, a page does not have either.
#[test]
fn no_page_can_do_what_sql_may_not() {
    let explorer = Explorer::on_testdata();
    let folder = tempfile::tempdir().unwrap();
    let before = files(std::path::Path::new("."));
    for (sql, said) in ATTEMPTS {
        let sql = sql.replace("FOLDER", folder.path().to_str().unwrap());
        let reply = explorer.get(&format!("/sql.json?sql={}", encoded(&sql)));
        assert_eq!(reply.status, 400, "{sql}");
        let words = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(words.contains(said), "{sql}: {words}");
        let page = explorer.get(&format!("/sql?sql={}", encoded(&sql)));
        assert_eq!(page.status, 400, "{sql}");
        // A value stays a value, a name a name.
        let values = format!(
            "/find.json?source_ip_address={0}&user_agent={0}&caller={0}",
            encoded(&sql)
        );
        assert_eq!(explorer.get(&values).json()["rows"], json!([]), "{sql}");
        assert_eq!(
            explorer
                .get(&format!("/table?table={}", encoded(&sql)))
                .status,
            400,
            "{sql}"
        );
        assert_eq!(
            explorer
                .get(&format!("/query?name={}", encoded(&sql)))
                .status,
            400,
            "{sql}"
        );
    }
    assert_eq!(files(folder.path()), [""; 0]);
    assert_eq!(files(std::path::Path::new(".")), before);
}

#[test]
fn what_a_log_says_is_text() {
    let folder = tempfile::tempdir().unwrap();
    injections::write(folder.path());
    let explorer = Explorer::of(&["--trail", folder.path().to_str().unwrap()]);
    let key = injections::KEY;
    let mut paths: Vec<String> = [
        "/keys".to_owned(),
        format!("/key?access_key_id={key}"),
        format!("/consumers?access_key_id={key}"),
        format!("/ready?access_key_id={key}"),
        format!("/plan?access_key_id={key}"),
        format!("/policy?access_key_id={key}"),
        format!("/trace?start={key}"),
        "/event?event_id=00000000-0000-4000-a000-000000000004".to_owned(),
        "/coverage".to_owned(),
        format!("/sql?sql={}", encoded("SELECT * FROM events")),
    ]
    .to_vec();
    for payload in injections::PAYLOADS {
        let value = encoded(payload);
        paths.push(format!("/find?user_agent={value}"));
        paths.push(format!("/role?caller={value}"));
        paths.push(format!("/resource?resource={value}"));
        paths.push(format!("/trace?start={value}"));
        paths.push(format!("/keys?filter={value}&sort={value}"));
        paths.push(format!("/sql?sql={value}"));
    }
    for path in paths {
        let parted = path.replacen('?', ".part?", 1);
        for path in [path.clone(), parted] {
            let reply = explorer.get(&path);
            let text = reply.text();
            assert!(
                [200, 400, 404].contains(&reply.status),
                "{path}: {}",
                reply.status
            );
            for markup in [
                "<script>alert",
                "<img",
                "</untrusted>",
                "<system>",
                "onfocus=\"alert",
                "onmouseover='alert",
                "href=\"javascript:",
            ] {
                assert!(!text.contains(markup), "{path} has {markup}");
            }
            // A field keeps what it sends back as it is.
            let fields = text.split(" value=\"");
            let shown = fields.map(|rest| rest.split_once('"').map_or(rest, |(_, rest)| rest));
            let text: String = shown.collect();
            let areas = text.split("<textarea");
            let shown = areas.map(|rest| {
                rest.split_once("</textarea>")
                    .map_or(rest, |(_, rest)| rest)
            });
            let text: String = shown.collect();
            let hidden: Vec<char> = text
                .chars()
                .filter(|c| *c != '\n' && injections::hides(*c))
                .collect();
            assert!(hidden.is_empty(), "{path}: {hidden:?}");
        }
    }
}

#[test]
fn a_question_ends_when_the_browser_goes_away() {
    let explorer = Explorer::of(&["--trail", TRAIL, "--timeout", "60s"]);
    let endless = encoded("SELECT count(*) FROM events a, events b, events c, events d, events e");
    // As many as are answered at once, and each given up.
    for _ in 0..4 {
        let mut stream = TcpStream::connect(&explorer.host).unwrap();
        let request = format!(
            "GET /sql?sql={endless} HTTP/1.1\r\n{}\r\n",
            explorer.bearer()
        );
        stream.write_all(request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    let begun = Instant::now();
    let reply = explorer.get(&format!("/sql.json?sql={}", encoded("SELECT 1 AS a")));
    assert_eq!(reply.json()["rows"][0]["a"], 1);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let explorer = Explorer::of(&["--trail", TRAIL, "--timeout", "1s"]);
    let endless = encoded("SELECT count(*) FROM events a, events b, events c, events d, events e");
    let reply = explorer.get(&format!("/sql?sql={endless}"));
    assert_eq!(reply.status, 504);
    assert!(reply.text().contains("no answer within 1 s"));
}

/// Agents over HTTP: the same tools, the same token.
#[test]
fn agents_ask_at_the_same_port() {
    let explorer = Explorer::on_testdata();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "keys", "arguments": {}}});
    let post = |body: &Value, headers: &str| {
        let body = body.to_string();
        explorer.raw(&format!(
            "POST /mcp HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        ))
    };
    let begin = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let begun = post(&begin, &explorer.bearer());
    assert_eq!(begun.status, 200, "{}", begun.text());
    let reply = post(&call, &explorer.bearer());
    assert_eq!(reply.status, 200, "{}", reply.text());
    let rows = &reply.json()["result"]["structuredContent"]["tables"][0]["rows"];
    assert_eq!(*rows, program::json(&["keys", "--trail", TRAIL], 0)["keys"]);
    assert_eq!(
        post(&call, &format!("Host: {}\r\n", explorer.host)).status,
        401
    );
    let other = format!("{}Origin: http://evil.test\r\n", explorer.bearer());
    assert_eq!(post(&call, &other).status, 403);
}
