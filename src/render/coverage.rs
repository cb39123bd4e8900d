//! What an answer rests on, in a few lines for people.
//!
//! In: a [`Coverage`]. Out: two to four plain lines. Promise: what was *not* seen is always said: rejected log files, days
//! without events, no data events. The lines are not escaped: that is for the format that shows them.

use chrono::NaiveDate;

use super::value::readable_text;
use crate::report::{Coverage, Integrity, NotRead};

/// More names than this are counted instead of listed.
const NAMES: usize = 6;

/// A path of more bytes than this fills a line.
const LONG_PATH: usize = 60;

/// The service whose data events people take for granted.
const S3: &str = "s3.amazonaws.com";

/// The coverage as short lines of text, not escaped.
pub fn lines(coverage: &Coverage) -> Vec<String> {
    let mut lines = vec![events(coverage)];
    if coverage.events > 0 {
        lines.push(format!(
            "{}; {}",
            named(&coverage.accounts, "account", "accounts"),
            named(&coverage.regions, "region", "regions")
        ));
    }
    lines.push(gaps(coverage));
    if coverage.events > 0 {
        lines.push(data_events(&coverage.data_event_services));
    }
    if coverage.integrity.is_checked() {
        lines.push(integrity(&coverage.integrity));
    }
    lines.extend(coverage.not_read.iter().map(not_read));
    lines.extend(coverage.warnings.iter().cloned());
    lines
}

/// The coverage below an answer in a terminal: long paths end in `…/NAME`, since CloudTrail's names say account, region and time.
pub(super) fn footer(coverage: &Coverage) -> Vec<String> {
    let mut short = coverage.clone();
    let not_read = short.not_read.iter_mut();
    let examples = not_read
        .flat_map(|part| &mut part.examples)
        .chain(&mut short.integrity.examples);
    for example in examples {
        let named = example.log_file.trim_end_matches('/').rsplit_once('/');
        if let Some((_, name)) = named.filter(|_| example.log_file.len() > LONG_PATH) {
            example.log_file = format!("…/{name}");
        }
    }
    lines(&short)
}

/// What digest files say of the log files.
fn integrity(integrity: &Integrity) -> String {
    let Integrity {
        log_files,
        valid,
        not_verified,
        failed,
        not_checked,
        examples,
    } = integrity;
    let of = format!("of {}", counted(*log_files, "log file", "log files"));
    let mut parts = vec![match failed {
        0 => format!("valid for {valid} {of}"),
        failed => format!("failed for {failed} {of}, valid for {valid}"),
    }];
    for (count, what) in [(not_verified, "not verified"), (not_checked, "not checked")] {
        if *count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if let Some(first) = examples.first() {
        parts.push(format!("first {}: {}", first.log_file, first.reason));
    }
    format!("integrity: {}", parts.join("; "))
}

/// What was there but could not be read, or is not what AWS delivered, in one line, without names; none where nothing was lost.
pub(super) fn losses(coverage: &Coverage) -> Option<String> {
    let counts = coverage.losses();
    let unread = (!counts.is_empty()).then(|| format!("not read: {}", counts.join(", ")));
    let Integrity {
        failed, log_files, ..
    } = coverage.integrity;
    let forged = (failed > 0).then(|| {
        let of = counted(log_files, "log file", "log files");
        format!("integrity: failed for {failed} of {of}")
    });
    let parts: Vec<String> = unread.into_iter().chain(forged).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What was not read, of one kind, with the first of them.
fn not_read(part: &NotRead) -> String {
    let what = match part.kind.is_loss() {
        true => "not read",
        false => "skipped",
    };
    let counted = part.counted();
    match part.examples.first() {
        None => format!("{what}: {counted}"),
        Some(example) => {
            let first = match part.count {
                1 => "",
                _ => "first ",
            };
            format!(
                "{what}: {counted}; {first}{}: {}",
                example.log_file, example.reason
            )
        }
    }
}

fn events(coverage: &Coverage) -> String {
    let count = counted(coverage.events, "event", "events");
    let time = match (&coverage.first_event, &coverage.last_event) {
        (Some(first), Some(last)) => {
            format!(", {} to {} UTC", readable_text(first), readable_text(last))
        }
        _ => String::new(),
    };
    format!("{count}{time}, from {}", coverage.source)
}

fn gaps(coverage: &Coverage) -> String {
    let mut parts = Vec::new();
    if coverage.events > 0 {
        parts.push(format!(
            "{} with events, {}",
            counted(coverage.days_with_events, "day", "days"),
            match coverage.days_missing.len() {
                0 => "no gap days (all accounts combined)".to_owned(),
                count => format!(
                    "{count} without: {}",
                    listed(&ranges(&coverage.days_missing))
                ),
            }
        ));
    }
    parts.push(format!(
        "{} read, {} rejected",
        counted(coverage.log_files, "log file", "log files"),
        coverage.log_files_rejected
    ));
    if coverage.records_rejected > 0 {
        parts.push(format!(
            "{} rejected",
            counted(coverage.records_rejected, "record", "records")
        ));
    }
    if coverage.log_files > 0 && !coverage.integrity.is_checked() {
        parts.push("integrity not checked".to_owned());
    }
    parts.join("; ")
}

fn data_events(services: &[String]) -> String {
    let blind = "reads and writes of S3 objects are not visible";
    if services.is_empty() {
        format!("no data events: {blind}")
    } else if services.iter().any(|service| service == S3) {
        format!("data events of {}", listed(services))
    } else {
        format!("data events of {} only: {blind}", listed(services))
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn named(names: &[String], one: &str, many: &str) -> String {
    format!(
        "{}: {}",
        counted(names.len() as u64, one, many),
        listed(names)
    )
}

fn listed(names: &[String]) -> String {
    let shown = names.len().min(NAMES);
    let more = match names.len() - shown {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("{}{more}", names[..shown].join(", "))
}

/// Joins days that follow each other: `2025-03-04..2025-03-06`. What is no day stands alone.
fn ranges(days: &[String]) -> Vec<String> {
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    for day in days {
        match ranges.last_mut() {
            Some((_, last)) if follows(last, day) => *last = day,
            _ => ranges.push((day, day)),
        }
    }
    ranges
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_owned(),
            false => format!("{first}..{last}"),
        })
        .collect()
}

fn follows(day: &str, next: &str) -> bool {
    let parsed = |day: &str| day.parse::<NaiveDate>().ok();
    parsed(day).and_then(|day| day.succ_opt()) == parsed(next) && parsed(next).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{NotReadExample, NotReadKind};

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn what_was_not_seen_is_said() {
        let coverage = Coverage {
            source: "keytrail-lake".to_owned(),
            events: 1234,
            first_event: Some("2025-03-01T00:00:12Z".to_owned()),
            last_event: Some("2025-03-14T23:59:01Z".to_owned()),
            accounts: strings(&["111111111111"]),
            regions: strings(&["eu-west-1", "us-east-1"]),
            days_with_events: 10,
            days_missing: strings(&["2025-03-04", "2025-03-05", "2025-03-06", "2025-03-09"]),
            log_files: 1931,
            log_files_rejected: 2,
            records_rejected: 1,
            ..Coverage::default()
        };
        assert_eq!(
            lines(&coverage),
            [
                "1234 events, 2025-03-01 00:00:12 to 2025-03-14 23:59:01 UTC, from keytrail-lake",
                "1 account: 111111111111; 2 regions: eu-west-1, us-east-1",
                "10 days with events, 4 without: 2025-03-04..2025-03-06, 2025-03-09; \
                 1931 log files read, 2 rejected; 1 record rejected; integrity not checked",
                "no data events: reads and writes of S3 objects are not visible",
            ]
        );
    }

    #[test]
    fn a_terminal_gets_names_instead_of_long_paths() {
        let log_file = |log_file: &str| NotReadExample {
            log_file: log_file.to_owned(),
            reason: "not JSON".to_owned(),
        };
        let deep = format!(
            "trail/{}/111122223333_CloudTrail.json.gz",
            "2025/".repeat(9)
        );
        let coverage = Coverage {
            not_read: vec![NotRead {
                kind: NotReadKind::Rejected,
                count: 2,
                examples: vec![log_file(&deep)],
            }],
            ..Coverage::default()
        };
        let last = |lines: Vec<String>| lines.last().cloned().unwrap_or_default();
        let says = |name: &str| format!("not read: 2 log files rejected; first {name}: not JSON");
        assert_eq!(
            last(footer(&coverage)),
            says("…/111122223333_CloudTrail.json.gz")
        );
        assert_eq!(last(lines(&coverage)), says(&deep));
    }

    #[test]
    fn an_empty_lake_is_two_lines() {
        let coverage = Coverage {
            source: "keytrail-lake".to_owned(),
            ..Coverage::default()
        };
        assert_eq!(
            lines(&coverage),
            [
                "0 events, from keytrail-lake",
                "0 log files read, 0 rejected"
            ]
        );
    }

    #[test]
    fn data_events_of_other_services_do_not_show_objects() {
        assert_eq!(
            data_events(&strings(&["lambda.amazonaws.com"])),
            "data events of lambda.amazonaws.com only: reads and writes of S3 objects are not visible"
        );
        assert_eq!(
            data_events(&strings(&["lambda.amazonaws.com", S3])),
            "data events of lambda.amazonaws.com, s3.amazonaws.com"
        );
    }

    #[test]
    fn long_lists_are_counted() {
        let names: Vec<String> = (0..9).map(|index| index.to_string()).collect();
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5 and 3 more");
        assert_eq!(ranges(&strings(&["x", "y"])), ["x", "y"]);
    }
}
