//! The page as a browser gets it.

use super::*;
use crate::report::trace::{Credential, FirstUse, Step, Summary, TimelineEvent, TraceFinding};

/// What somebody may have written into a log.
const HOSTILE: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "<!--<script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "a\u{202e}b\u{1b}[31mc\u{2028}d\u{0}",
    "javascript:alert(1)",
];

fn hostile() -> Trace {
    let all = HOSTILE.join(" ");
    let text = || Some(all.clone());
    Trace {
        title: all.clone(),
        notes: vec![all.clone()],
        summary: Summary {
            start: all.clone(),
            first_suspicious_use: Some(FirstUse {
                event_id: all.clone(),
                event_name: all.clone(),
                source_ip_address: text(),
                user_agent: text(),
                why: vec![all.clone()],
                ..FirstUse::default()
            }),
            ..Summary::default()
        },
        containment: vec![Step {
            what: all.clone(),
            command: all.clone(),
        }],
        credentials: vec![Credential {
            principal_arn: text(),
            ..Credential::default()
        }],
        findings: vec![TraceFinding {
            why: all.clone(),
            tactic: all.clone(),
            event_ids: vec![all.clone()],
            ..TraceFinding::default()
        }],
        timeline: vec![TimelineEvent {
            event_id: all.clone(),
            event_name: all.clone(),
            user_agent: text(),
            target: text(),
            request_parameters: text(),
            ..TimelineEvent::default()
        }],
        ..Trace::default()
    }
}

fn made(trace: &Trace) -> String {
    let mut out = Vec::new();
    let notes = [Note {
        event_id: HOSTILE.join(" "),
        event_name: Some(HOSTILE.join(" ")),
        tags: HOSTILE.map(str::to_owned).to_vec(),
        note: HOSTILE.join("\n"),
        ..Note::default()
    }];
    page(trace, &Sources::default(), &notes, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The page without what this program wrote itself.
fn without_own(page: &str) -> String {
    let mut rest = page.to_owned();
    for own in SCRIPTS.iter().chain([&STYLE]) {
        assert!(
            rest.contains(own),
            "a script or style is not in the page as it is"
        );
        rest = rest.replacen(own, "", 1);
    }
    rest
}

#[test]
fn what_an_attacker_wrote_is_text() {
    let page = made(&hostile());
    let rest = without_own(&page);
    let lower = rest.to_lowercase();
    // The four scripts, the data, and no element or attribute that came from a log.
    assert_eq!(lower.matches("<script").count(), SCRIPTS.len() + 1);
    assert_eq!(lower.matches("</script").count(), SCRIPTS.len() + 1);
    for markup in ["<img", "<svg", "<!--"] {
        let of_data = rest.find("id=\"trace-data\"").unwrap();
        assert!(!rest[..of_data].contains(markup), "{markup}");
        assert!(
            !rest[of_data..].contains('<') || !rest[of_data..].contains("<img"),
            "{markup}"
        );
    }
    assert!(
        !rest.contains("\" onmouseover"),
        "an attribute came from a log"
    );
    let hidden: Vec<char> = rest
        .chars()
        .filter(|&c| c != '\n' && escape::is_hidden(c))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert!(rest.contains("a\\u{202e}b\\x1b[31mc"));
}

#[test]
fn the_policy_allows_what_is_there_and_nothing_else() {
    let page = made(&hostile());
    let start = page.find("Content-Security-Policy\" content=\"").unwrap();
    let policy = page[start..].split('"').nth(2).unwrap();
    let policy = policy
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(policy.matches("'sha256-").count(), SCRIPTS.len() + 1);
    // Nothing in the page would be refused, and nothing is fetched.
    let rest = without_own(&page);
    for refused in [" style=", " onclick=", "<link", "@import", "url("] {
        let of_data = rest.find("id=\"trace-data\"").unwrap();
        assert!(!rest[..of_data].contains(refused), "{refused}");
    }
    for script in SCRIPTS {
        assert!(!script.contains("sourceMappingURL"));
        assert!(!script.to_lowercase().contains("</script"));
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    assert_eq!(made(&hostile()), made(&hostile()));
}

#[test]
fn the_data_is_what_the_trace_holds() {
    let page = made(&hostile());
    let block = page.split("id=\"trace-data\">").nth(1).unwrap();
    let block = block.split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(block).unwrap();
    assert_eq!(data["timeline"]["count"], 1);
    let agent = &data["timeline"]["columns"]["user_agent"]["values"][0];
    assert_eq!(agent, &escape::terminal(&HOSTILE.join(" ")).into_owned());
    assert_eq!(
        data["timeline"]["columns"]["tactic"]["rows"],
        serde_json::json!([0])
    );
}
