//! The explorer in a browser: an incident worked by keys and clicks at three widths; a hostile trail in which nothing runs.

use crate::devtools::Browser;
use crate::injections;
use crate::needs;
use crate::serve::{Explorer, pages};

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// Phone, tablet, desk.
const SIZES: [(u32, u32); 3] = [(390, 844), (820, 1180), (1400, 900)];

/// Nothing is wider than the window, nothing is asked of another machine, and the browser has no complaint.
fn check(browser: &mut Browser, explorer: &Explorer, place: &str) {
    let wide = browser
        .value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert!(
        wide.as_i64().unwrap() <= 0,
        "{place} is {wide} pixels wider than the window"
    );
    let unnamed = browser.value(
        "[...document.querySelectorAll('a,button,input:not([type=hidden]),textarea,iframe')].filter((of) => \
         !(of.textContent.trim() || of.getAttribute('aria-label') || of.title || of.labels?.length)).map((of) => of.outerHTML)",
    );
    assert_eq!(
        unnamed,
        serde_json::json!([]),
        "{place} has something without a name"
    );
    // What scrolls can be scrolled by keys.
    let stuck = browser.value(
        "[...document.querySelectorAll('main *, dialog[open] *')].filter((of) => (of.scrollHeight > of.clientHeight + 1 || of.scrollWidth > of.clientWidth + 1) && \
         /auto|scroll/.test(getComputedStyle(of).overflow) && of.tabIndex < 0 && !of.querySelector('a,button,input')).map((of) => of.outerHTML.slice(0, 200))",
    );
    assert_eq!(
        stuck,
        serde_json::json!([]),
        "{place} has something that keys cannot scroll"
    );
    let headings = browser.value("document.querySelectorAll('h1').length");
    assert_eq!(headings, 1, "{place}");
    let own = explorer.url();
    let own = own.split("/?").next().unwrap();
    for url in &browser.requests {
        assert!(
            url.starts_with(own) || url.starts_with("about:") || url.starts_with("data:"),
            "{place} asked {url}"
        );
    }
    assert!(
        browser.complaints.is_empty(),
        "{place}: {:?}",
        browser.complaints
    );
}

#[test]
#[ignore = "needs chromium"]
fn an_incident_is_worked_by_keys_and_clicks_in_chromium() {
    for (width, height) in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("case.json");
        let explorer = Explorer::of(&["--trail", TRAIL, "--case", case.to_str().unwrap()]);
        let mut browser = Browser::start();
        browser.width(width, height);
        browser.open(&explorer.url());
        check(&mut browser, &explorer, "keys");
        assert_eq!(
            browser.value("document.cookie"),
            "",
            "a script sees the token"
        );
        assert_eq!(browser.value("location.search.includes('token')"), false);
        // From the keys to one of them: rows by keys.
        browser.press("j");
        browser.press("j");
        browser.press("k");
        assert_eq!(
            browser.value("document.querySelectorAll('tr.on').length"),
            1
        );
        browser.press("Enter");
        browser.settled();
        assert!(
            browser
                .value("document.querySelector('h1').textContent")
                .as_str()
                .unwrap()
                .starts_with("Key AKIA")
        );
        check(&mut browser, &explorer, "key");
        assert!(
            browser
                .value("document.querySelectorAll('.panel .days canvas').length")
                .as_u64()
                > Some(0),
            "no chart"
        );
        // The search leads to the trace of whatever is typed.
        browser.press("/");
        browser.type_in(KEY);
        browser.press("Enter");
        browser.settled();
        let title = browser.value("document.querySelector('h1').textContent");
        assert_eq!(title, format!("Trace of {KEY}"));
        check(&mut browser, &explorer, "trace");
        browser.picture(&format!("trace-{width}"));
        // An event beside the page, which keeps its place; from there its address; back again; closed.
        browser.value("document.querySelector('#t-timeline a[href^=\"/event\"]').click()");
        browser.wait("document.querySelector('#drawer[open] dl.record') !== null");
        browser.settled();
        check(&mut browser, &explorer, "event beside a trace");
        assert_eq!(browser.value("location.pathname"), "/trace");
        browser.picture(&format!("drawer-{width}"));
        // What is noted there is kept, and there again when the address is opened anew.
        browser.value(
            "document.querySelector('#drawer textarea[name=note]').value = 'the intruder begins'",
        );
        browser.value("document.querySelector('#drawer form[action=\"/note\"]').requestSubmit()");
        browser.wait("document.querySelector('#drawer textarea')?.value === 'the intruder begins' && document.querySelector('#drawer .hint a[href=\"/case\"]') !== null");
        browser.value("document.querySelector('#drawer dl.record a[href^=\"/address\"]').click()");
        browser.wait("document.getElementById('d-title')?.textContent.startsWith('Address ')");
        browser.settled();
        check(&mut browser, &explorer, "address beside a trace");
        browser.value("history.back()");
        browser.wait("document.getElementById('d-title')?.textContent.startsWith('Event ')");
        browser.value("location.reload()");
        browser.settled();
        browser.wait("document.querySelector('#drawer textarea')?.value === 'the intruder begins'");
        browser.press("Escape");
        browser.wait("!document.getElementById('drawer').open && !location.hash");
        // The same as a page of its own.
        browser.value(
            "location.assign(document.querySelector('#t-timeline a[href^=\"/event\"]').href)",
        );
        browser.settled();
        check(&mut browser, &explorer, "event");
        assert!(
            browser
                .value("document.querySelectorAll('.panel table').length")
                .as_u64()
                >= Some(2)
        );
        browser.picture(&format!("event-{width}"));
        // Help opens and closes.
        browser.press("?");
        assert_eq!(browser.value("document.getElementById('help').open"), true);
        browser.press("Escape");
        assert_eq!(browser.value("document.getElementById('help').open"), false);
        // SQL.
        browser.value(
            "[...document.querySelectorAll('nav a')].find((a) => a.textContent === 'SQL').click()",
        );
        browser.settled();
        browser.value("document.getElementById('f-sql').focus()");
        browser.type_in("SELECT event_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC");
        browser.value("document.querySelector('form.fill').requestSubmit()");
        browser.settled();
        assert!(
            browser
                .value("document.querySelectorAll('#answer tbody tr').length")
                .as_u64()
                > Some(5)
        );
        check(&mut browser, &explorer, "sql");
    }
}

#[test]
#[ignore = "needs chromium"]
fn every_page_fits_three_widths_in_chromium() {
    let explorer = Explorer::of(&["--trail", TRAIL]);
    let base = explorer.url();
    let base = base.split("/?").next().unwrap();
    let mut browser = Browser::start();
    browser.open(&explorer.url());
    for (width, height) in SIZES {
        browser.width(width, height);
        for page in pages() {
            browser.open(&format!("{base}{page}"));
            check(&mut browser, &explorer, &format!("{page} at {width}"));
            let name = page
                .trim_start_matches('/')
                .split(['&', '='])
                .next()
                .unwrap()
                .replace('?', "-");
            browser.picture(&format!("{name}-{width}"));
        }
    }
}

/// Every page, light and dark: axe-core finds nothing.
#[test]
#[ignore = "needs axe-core"]
fn screen_readers_find_their_way_with_axe() {
    let axe = std::fs::read_to_string(needs::axe()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case.json");
    let explorer = Explorer::of(&["--trail", TRAIL, "--case", case.to_str().unwrap()]);
    let base = explorer.url();
    let base = base.split("/?").next().unwrap();
    let mut browser = Browser::start();
    browser.open(&explorer.url());
    let mut found = Vec::new();
    let reports = ["trace", "plan"].map(|page| {
        let name = if page == "trace" {
            "start"
        } else {
            "access_key_id"
        };
        format!("/{page}.page?{name}={KEY}")
    });
    for (scheme, (width, height)) in [("light", SIZES[0]), ("dark", SIZES[2])] {
        browser.scheme(scheme);
        browser.width(width, height);
        for page in pages().into_iter().chain(reports.clone()) {
            browser.open(&format!("{base}{page}"));
            browser.value(&format!("{axe};0"));
            // What is in a frame is looked at as a page of its own.
            let result = browser.value(
                "axe.run({exclude: [['iframe']]}, {resultTypes: ['violations'], iframes: false}).then((all) => \
                 all.violations.map((of) => of.id + ': ' + of.nodes.map((node) => node.target + ' ' + node.failureSummary).slice(0, 3).join(' | ')))",
            );
            for of in result.as_array().unwrap() {
                found.push(format!("{page} {scheme}: {}", of.as_str().unwrap()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} findings\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
#[ignore = "needs chromium"]
fn nothing_of_a_hostile_trail_runs_in_chromium() {
    let folder = tempfile::tempdir().unwrap();
    injections::write(folder.path());
    let explorer = Explorer::of(&["--trail", folder.path().to_str().unwrap()]);
    let base = explorer.url();
    let base = base.split("/?").next().unwrap();
    let key = injections::KEY;
    let mut browser = Browser::start();
    browser.width(1400, 900);
    browser.open(&explorer.url());
    for page in [
        "/keys".to_owned(),
        format!("/key?access_key_id={key}"),
        format!("/trace?start={key}"),
        format!("/find?access_key_id={key}"),
        "/event?event_id=00000000-0000-4000-a000-000000000004".to_owned(),
        "/event?event_id=00000000-0000-4000-a000-000000000016".to_owned(),
        "/sql?sql=SELECT%20*%20FROM%20events".to_owned(),
    ] {
        browser.open(&format!("{base}{page}"));
        check(&mut browser, &explorer, &page);
        assert_eq!(
            browser.value("document.querySelectorAll('#main img, #main script').length"),
            0,
            "{page}"
        );
        let away = "[...document.querySelectorAll('a')].filter((a) => a.origin !== location.origin).map((a) => a.href)";
        assert_eq!(browser.value(away), serde_json::json!([]), "{page}");
    }
}
