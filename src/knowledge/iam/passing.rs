//! What in a name will not come again?
//!
//! In: names and ARNs out of a log. Out: whether a text is a date; where in a name the part begins that a program or AWS made for
//! one time; ARNs with `*` in the place of such parts. Promise: nothing is concluded from one name alone, except for a date in a
//! part of an object's key and for the types that `../data/short_lived.tsv` calls always short-lived.

use std::sync::LazyLock;

use super::data::rows;
use crate::cloudtrail::is_guid;

/// Types of resources whose ids AWS or a program makes for a short life.
static SHORT_LIVED: LazyLock<Vec<[&'static str; 4]>> =
    LazyLock::new(|| rows(include_str!("../data/short_lived.tsv")).collect());

/// What a name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// A date, with or without a time.
    Date,
    /// A number, a UUID, hexadecimal digits.
    Serial,
}

/// A resource with `*` in the place of what was made for one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// The ARN with `*`.
    pub pattern: String,
    /// Whether its type is made for one time always; otherwise several have to be seen.
    pub always: bool,
    /// What the name ends with; none for the id of a type that is short-lived.
    pub ending: Option<Ending>,
}

/// Services whose names are never generalised: what they guard is too much for a wildcard, or, as with buckets, others have names of
/// the same kind; model versions are dates that stay.
const NAMED: [&str; 9] = [
    "acm",
    "bedrock",
    "iam",
    "kms",
    "organizations",
    "s3",
    "s3express",
    "secretsmanager",
    "sts",
];

/// The resource with `*` in the place of what was made for one time, if there is something.
pub fn passing(arn: &str) -> Option<Passing> {
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
    let start = &arn[..arn.len() - resource.len()];
    if let Some((pattern, always)) = of_type(service, resource) {
        return Some(Passing {
            pattern: format!("{start}{pattern}"),
            always,
            ending: None,
        });
    }
    let (pattern, ending) = (!NAMED.contains(&service)).then(|| of_name(resource))??;
    // The ids of EC2 that are not in the table are of things that stay: networks, groups, gateways.
    if service == "ec2" && ending == Ending::Serial && is_ec2_id(resource) {
        return None;
    }
    Some(Passing {
        pattern: format!("{start}{pattern}"),
        always: false,
        ending: Some(ending),
    })
}

/// `task/prod/0123…` of a type in the table: `task/prod/*`, and whether always.
fn of_type(service: &str, resource: &str) -> Option<(String, bool)> {
    let rows = SHORT_LIVED.iter().filter(|row| row[0] == service);
    let mut found = rows.filter_map(|[_, kind, kept, when]| {
        let rest = resource.strip_prefix(kind)?;
        let inner = rest.strip_prefix(['/', ':'])?;
        let kept: usize = kept.parse().ok()?;
        // An old ARN of a task has no cluster.
        let ends: Vec<usize> = inner
            .match_indices(['/', ':'])
            .map(|(at, _)| at + 1)
            .collect();
        let kept = kept.min(ends.len());
        let at = kept.checked_sub(1).and_then(|last| ends.get(last));
        let at = at.copied().unwrap_or_default();
        let id = &inner[at..];
        let stays = &resource[..resource.len() - id.len()];
        (!id.is_empty() && !id.contains('*')).then(|| (format!("{stays}*"), *when == "always"))
    });
    found.next()
}

/// A resource whose names end with what was made for one time, with `*` in its place.
fn of_name(resource: &str) -> Option<(String, Ending)> {
    let mut pattern = String::new();
    let mut found: Option<Ending> = None;
    let single = !resource.contains(['/', ':']);
    for (number, part) in resource.split_inclusive(['/', ':']).enumerate() {
        let name = part.trim_end_matches(['/', ':']);
        let separator = &part[name.len()..];
        let is_name = single || number > 0;
        match ending(name).filter(|_| is_name) {
            Some((at, ending)) => {
                pattern.push_str(&name[..at]);
                pattern.push('*');
                found = Some(found.map_or(ending, |known| known.min(ending)));
            }
            // `stack/pr-401/UUID`: the id belongs to the name.
            None if found.is_some() && is_guid(name) => pattern.push('*'),
            None => pattern.push_str(name),
        }
        pattern.push_str(separator);
    }
    found.map(|ending| (pattern, ending))
}

/// Where in a name the end begins that was made for one time, and what it is. What stands before it is not empty.
fn ending(name: &str) -> Option<(usize, Ending)> {
    let starts = || {
        let pairs = name.char_indices().zip(name.chars().skip(1));
        pairs.filter_map(|((at, before), after)| {
            let next = at + before.len_utf8();
            let apart = matches!(before, '-' | '_' | '.');
            (apart || before.is_alphabetic() && after.is_ascii_digit()).then_some((next, apart))
        })
    };
    let rest = |at: usize| name.get(at..).unwrap_or_default();
    let dated = starts().find(|(at, apart)| {
        let date = Date::read(rest(*at));
        date.is_some_and(|date| date.is_whole() && (*apart || date.begins_with_year))
    });
    if let Some((at, _)) = dated {
        return Some((at, Ending::Date));
    }
    let serial = starts().find(|(at, apart)| {
        let text = rest(*at);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number = digits > 0 && digits == text.len();
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        *apart && (number || is_guid(text) || (hex && text.len() >= 8 && digits >= 2))
    });
    serial.map(|(at, _)| (at, Ending::Serial))
}

/// Whether a resource ends with an id as EC2 makes them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>
fn is_ec2_id(resource: &str) -> bool {
    let id = resource.rsplit('-').next().unwrap_or_default();
    matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is a date or a part of one that is more than a number: `Jun-2026`, `2026Q2`, `2026-W23`, `June`.
pub(super) fn is_date(text: &str) -> bool {
    let Some(date) = Date::read(text) else {
        return false;
    };
    // In small letters a month's name alone may be something else.
    let capital = text.starts_with(|c: char| c.is_ascii_uppercase());
    let alone = !date.year && (capital || text.len() > 5 || date.month && date.tokens > 1);
    (date.year || alone) && (date.month || date.period)
}

/// What a text has of a date, if it is nothing else.
#[derive(Debug, Clone, Copy, Default)]
struct Date {
    year: bool,
    month: bool,
    /// A quarter or a week.
    period: bool,
    begins_with_year: bool,
    tokens: usize,
}

impl Date {
    fn read(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut date = Self {
            tokens: tokens.len(),
            begins_with_year: tokens.first().is_some_and(|first| year(first).is_some()),
            ..Self::default()
        };
        let first = tokens.first()?;
        // `7-2026-06-01` is a number and a date.
        if first.len() == 1 && first.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            rest = after;
            let next = after.first().copied().unwrap_or_default();
            let is_number = token.bytes().all(|b| b.is_ascii_digit());
            match (token.to_ascii_lowercase().as_str(), year(token)) {
                (_, Some(has_month)) => {
                    date.year = true;
                    date.month |= has_month || next.len() == 2 && is_among(next, 12);
                }
                // `01-06-2026`
                _ if is_number => {
                    let before_year = token.len() == 2 && year(next).is_some();
                    date.month |= before_year && is_among(token, 12);
                }
                (unit @ ("q" | "w" | "kw" | "cw" | "week"), _) => {
                    let most = if unit == "q" { 4 } else { 53 };
                    if !is_among(next, most) {
                        return None;
                    }
                    date.period = true;
                }
                ("t" | "z" | "h", _) if date.year => {}
                (word, _) if is_month(word) => date.month = true,
                _ => return None,
            }
        }
        Some(date)
    }

    /// Whether it is a day, a month, a week or a quarter of a year.
    fn is_whole(self) -> bool {
        self.year && (self.month || self.period)
    }
}

/// Whether a text is a number from 1 on, and not above the other.
fn is_among(text: &str, most: u32) -> bool {
    let number = text.parse::<u32>().ok();
    number.is_some_and(|number| (1..=most).contains(&number))
}

/// Runs of digits and of letters; none if there is something else.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last: Option<bool> = None;
    for (at, c) in text.char_indices() {
        let kind = match c {
            '-' | '_' | '.' | ':' | ' ' => None,
            c if c.is_ascii_digit() => Some(true),
            c if c.is_ascii_alphabetic() => Some(false),
            _ => return None,
        };
        if kind != last {
            if last.is_some() {
                tokens.push(&text[start..at]);
            }
            start = at;
        }
        last = kind;
    }
    if last.is_some() {
        tokens.push(&text[start..]);
    }
    Some(tokens)
}

/// Whether digits begin with a year, as `2026`, `202606`, `20260601`, `20260601081500` do, and whether a month follows in them.
fn year(digits: &str) -> Option<bool> {
    if !matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14) || !digits.is_ascii() {
        return None;
    }
    let year: u32 = digits[..4].parse().ok()?;
    let known = (1990..2100).contains(&year);
    let Some(month) = digits.get(4..6) else {
        return known.then_some(false);
    };
    let month: u32 = month.parse().ok()?;
    (known && (1..=12).contains(&month)).then_some(true)
}

/// Whether a text in small letters is the English name of a month.
fn is_month(text: &str) -> bool {
    let months = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    months
        .iter()
        .any(|month| text == *month || text == &month[..3] || text == "sept")
}

#[cfg(test)]
mod tests {
    use super::super::actions;
    use super::*;

    #[test]
    fn months_quarters_and_weeks_are_dates() {
        for date in [
            "Jun-2026",
            "2026-Jun",
            "June2026",
            "01-Jun-2026",
            "2026Q2",
            "2026-Q2",
            "Q2-2026",
            "2026-W23",
            "2026W23",
            "2026-week-23",
            "20260601T081500Z",
            "2026-06-01",
            "June",
            "Q3",
        ] {
            assert!(is_date(date), "{date}");
        }
        for other in [
            "",
            "may",
            "mar",
            "q1",
            "q5-2026",
            "2026-W99",
            "W",
            "junk-2026",
            "prod",
            "Q9",
            "2026-x",
        ] {
            assert!(!is_date(other), "{other}");
        }
    }

    #[test]
    fn a_name_ends_with_what_was_made_for_one_time() {
        for (name, stays) in [
            ("nightly-2026-06-01", Some("nightly-")),
            ("train-20260601-081500", Some("train-")),
            ("backup20260601", Some("backup")),
            ("v2-2026-06-01", Some("v2-")),
            ("rep_Jun-2026", Some("rep_")),
            ("pr-412", Some("pr-")),
            ("reply-11111111-2222-4333-8444-555555555555", Some("reply-")),
            ("app-3fa85f64", Some("app-")),
            ("orders", None),
            ("worker7", None),
            ("20260601", None),
            ("model-20240229-v1", None),
            ("tab-deadbeef", None),
        ] {
            let found = ending(name).map(|(at, _)| &name[..at]);
            assert_eq!(found, stays, "{name}");
        }
    }

    #[test]
    fn ids_of_types_and_ends_of_names_pass() {
        let of = |resource: &str| passing(resource).map(|passing| passing.pattern);
        for (arn, pattern) in [
            (
                "arn:aws:ecs:r:1:task/prod/0123",
                "arn:aws:ecs:r:1:task/prod/*",
            ),
            ("arn:aws:ecs:r:1:task/0123", "arn:aws:ecs:r:1:task/*"),
            (
                "arn:aws:states:r:1:execution:etl:run-7",
                "arn:aws:states:r:1:execution:etl:*",
            ),
            (
                "arn:aws:states:r:1:express:etl:a:b",
                "arn:aws:states:r:1:express:etl:*",
            ),
            ("arn:aws:route53:::change/C1", "arn:aws:route53:::change/*"),
            (
                "arn:aws:ec2:r:1:instance/i-01234567",
                "arn:aws:ec2:r:1:instance/*",
            ),
            ("arn:aws:sqs:r:1:reply-7", "arn:aws:sqs:r:1:reply-*"),
            (
                "arn:aws:cloudformation:r:1:stack/pr-7/*",
                "arn:aws:cloudformation:r:1:stack/pr-*/*",
            ),
        ] {
            assert_eq!(of(arn).as_deref(), Some(pattern));
        }
        for arn in [
            "*",
            "arn:aws:kms:r:1:key/11111111-2222-4333-8444-555555555555",
            "arn:aws:iam::1:role/pr-7",
            "arn:aws:s3:::logs-2026-06-01",
            "arn:aws:ec2:r:1:instance/*",
            "arn:aws:ec2:r:1:vpc/vpc-01234567",
            "arn:aws:states:r:1:stateMachine:etl",
            "arn:aws:dynamodb:r:1:table/orders",
        ] {
            assert_eq!(of(arn), None, "{arn}");
        }
    }

    #[test]
    fn the_table_names_types_of_the_reference() {
        assert!(SHORT_LIVED.len() > 15);
        for [service, kind, kept, when] in SHORT_LIVED.iter() {
            let types = &actions::service(service).unwrap().types;
            let like = |text: &str| {
                text.split(':')
                    .nth(5)
                    .is_some_and(|text| text.starts_with(kind))
            };
            let known = types
                .iter()
                .any(|of| like(&of.arn.filled(|_| "x".to_owned())));
            assert!(known, "{service} {kind}");
            assert!(kept.parse::<usize>().is_ok() && ["always", "several"].contains(when));
        }
    }
}
