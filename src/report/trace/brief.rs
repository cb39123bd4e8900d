//! A trace in short: what has to be known at once.
//!
//! In: a [`Trace`]. Out: a [`Brief`]: the alarm, a few facts, what to do now, and where the rest is. Promise: it says nothing that the
//! trace does not say; the intruder comes first; what is left out is counted.

use serde::Serialize;
use std::collections::BTreeSet;

use super::{
    Answer, Asked, Change, Created, Credential, CredentialKind, Origin, Rule, State, Step, Trace,
};

/// What has to be known at once.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Brief {
    /// What was found, in a line.
    pub headline: String,
    /// Who is behind it, at worst.
    pub origin: Origin,
    /// What it is, and whose.
    pub subject: String,
    /// The first suspicious use: when, what, from where. None where nothing tells an intruder from the owner.
    pub alarm: Option<String>,
    /// Why it is suspicious, the weightiest reason first; or what helps to tell.
    pub why: Vec<String>,
    /// What is known, a line each.
    pub facts: Vec<Fact>,
    /// When the steps are to be taken: now, or only if it was not the owner.
    pub when: &'static str,
    /// What to do then, in order: containment, then what undoes the intruder's changes.
    pub steps: Vec<Step>,
    /// The sections that have the rest.
    pub parts: Vec<Part>,
}

/// Something that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The question that it answers.
    #[serde(skip)]
    pub asked: Asked,
    /// What it is about, in a word or two.
    pub label: &'static str,
    /// What is known.
    pub text: String,
}

/// A section of the whole trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name, as `--section` takes it.
    pub name: &'static str,
    /// Its rows.
    pub rows: usize,
}

/// Credentials that are named; the others are counted.
const NAMED: usize = 2;

/// Calls that are named; the others are counted.
const CALLS: usize = 4;

/// Why an address counts as an intruder's when a trace starts from it.
pub(crate) const ASKED: &str = "this is the address you asked about";

/// The answers that make the facts: the label of each, and whether it is left out where no event stands behind it.
const FACTS: [(Asked, &str, bool); 8] = [
    (Asked::Sources, "Used from", false),
    (Asked::Gained, "Gained", true),
    (Asked::Persistence, "Persistence", true),
    (Asked::DataRead, "Data read", false),
    (Asked::Damage, "Damage", true),
    (Asked::Logging, "Logging", true),
    (Asked::Over, "Status", false),
    (Asked::Others, "Others", true),
];

impl Trace {
    /// The credentials that were asked for, at whichever end of the tree they are.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &Credential> {
        let named = |one: &&Credential| one.access_key_id.as_ref() == Some(&self.summary.start);
        let credentials = self.credentials.iter();
        credentials.filter(move |one| one.rule == Rule::Start || named(one))
    }

    /// The trace in short.
    pub fn brief(&self) -> Brief {
        let first = self.summary.first_suspicious_use.as_ref();
        let origin = first.map_or(Origin::Unknown, |first| first.origin);
        let what = self.title.strip_prefix("What ").unwrap_or(&self.title);
        let what = what.strip_suffix(" did").unwrap_or(what);
        let mut letters = what.chars();
        let what: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect();
        let headline = match origin {
            _ if self.credentials.is_empty() => format!("{what}: not seen in these logs"),
            Origin::Intruder if first.is_some_and(|first| first.why == [ASKED]) => {
                format!("{what}: treated as an intruder's, because you asked about it")
            }
            Origin::Intruder => format!("{what}: used by an intruder"),
            Origin::Suspicious => format!("{what}: suspicious, not proven"),
            _ => format!("{what}: cannot distinguish an intruder from the owner"),
        };
        let (alarm, why) = match first {
            Some(first) => (
                Some(format!(
                    "first suspicious use {}: {} from {}",
                    spoken(&first.event_time),
                    first.event_name,
                    first
                        .source_ip_address
                        .as_deref()
                        .unwrap_or("an unknown address"),
                )),
                match first.why.is_empty() {
                    true => vec!["from an address of the intruder".to_owned()],
                    false => first.why.clone(),
                },
            ),
            None => (None, Vec::new()),
        };
        Brief {
            headline,
            origin,
            when: match origin {
                Origin::Intruder => "What to do now",
                Origin::Suspicious => "What to do if it was not the owner",
                _ => "What to do if the key is stolen",
            },
            subject: self.subject(),
            alarm,
            why,
            facts: self.facts(),
            steps: self.steps(),
            parts: self.parts(),
        }
    }

    fn answer(&self, question: Asked) -> Option<&Answer> {
        let mut answers = self.summary.answers.iter();
        answers.find(|answer| answer.question == question)
    }

    fn subject(&self) -> String {
        let answer = self.answer(Asked::Subject);
        answer.map_or_else(String::new, |answer| plain(&answer.answer))
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for (question, label, only_with_events) in FACTS {
            let Some(answer) = self.answer(question) else {
                continue;
            };
            let is_found = match question {
                Asked::Others => !self.pivot.is_empty(),
                _ => !only_with_events || !answer.event_ids.is_empty(),
            };
            if is_found {
                facts.push(Fact {
                    asked: question,
                    label,
                    text: plain(&answer.answer),
                });
            }
            if question == Asked::Sources {
                facts.extend(self.came_out());
                facts.extend(self.handed_out());
            }
        }
        facts
    }

    /// The credentials that came out of it, those in the intruder's hands by name.
    fn came_out(&self) -> Option<Fact> {
        let others = self.credentials.iter();
        let others: Vec<&Credential> = others.filter(|one| one.rule != Rule::Start).collect();
        if others.is_empty() {
            return None;
        }
        let strange = |one: &&&Credential| {
            matches!(one.origin, Origin::Intruder | Origin::Suspicious)
                || (one.origin == Origin::Unknown && self.summary.first_suspicious_use.is_none())
        };
        let mut named: Vec<&Credential> = others.iter().filter(strange).copied().collect();
        // A key that lasts matters more than a session, and a session that is valid more than one that may be over.
        named.sort_by_key(|one| {
            let lasts = match &one.access_key_id {
                Some(key) if key.starts_with("AKIA") => 0,
                _ if one.live == Some(true) => 1,
                _ => 2,
            };
            (one.origin, lasts, std::cmp::Reverse(one.events))
        });
        let mut parts: Vec<String> = named.iter().take(NAMED).map(|one| called(one)).collect();
        if named.len() > NAMED {
            parts.push(format!("{} more", named.len() - NAMED));
        }
        if named.is_empty() {
            parts.push("none attributed to the intruder".to_owned());
        }
        let is_told = self.summary.first_suspicious_use.is_some();
        for (origin, whose) in [
            (Origin::Unknown, "of unknown origin"),
            (Origin::Owner, "the owner's"),
        ] {
            let all = others.iter().filter(|one| one.origin == origin).count();
            if all > 0 && (is_told || origin == Origin::Owner) {
                parts.push(format!("{whose}: {all}"));
            }
        }
        Some(Fact {
            asked: Asked::Issued,
            label: "Issued",
            text: parts.join("; "),
        })
    }

    /// Calls of others than the owner that may have handed out credentials which no event names: passwords, logins, sessions of other services.
    fn handed_out(&self) -> Option<Fact> {
        let owners = self
            .timeline
            .iter()
            .filter(|event| event.origin == Origin::Owner);
        let owners: BTreeSet<&str> = owners.map(|event| event.event_id.as_str()).collect();
        let calls = self.findings.iter().filter(|finding| {
            let ids = &finding.event_ids;
            !finding.failed
                && finding.tactic == "credential-access"
                && ["critical", "high", "medium"].contains(&finding.severity.as_str())
                && ids.iter().any(|id| !owners.contains(id.as_str()))
        });
        let mut names: Vec<&str> = Vec::new();
        for finding in calls {
            if !names.contains(&finding.event_name.as_str()) {
                names.push(&finding.event_name);
            }
        }
        let more = names.len().saturating_sub(CALLS);
        names.truncate(CALLS);
        let mut text = names.join(", ");
        if more > 0 {
            text += &format!(" and {more} more");
        }
        (!text.is_empty()).then_some(Fact {
            asked: Asked::Issued,
            label: "Also got",
            text,
        })
    }

    /// Containment first; then what undoes the changes of whoever is not the owner, the latest first. A key that was made is deactivated
    /// by the former, and deleted only when the case is closed: IAM forgets the last use of a deleted key.
    fn steps(&self) -> Vec<Step> {
        let mut steps = self.containment.clone();
        steps.extend(self.undo_of(|row| row.kind != "access_key"));
        steps
    }

    /// What is left of what somebody else than the owner made, and the commands that undo it, the latest first: what was made last
    /// may rest on what was made before.
    pub fn undo(&self) -> Vec<Step> {
        self.undo_of(|_| true)
    }

    fn undo_of(&self, wanted: impl Fn(&Created) -> bool) -> Vec<Step> {
        let left = self
            .created
            .iter()
            .filter(|row| row.state == State::There && row.origin != Origin::Owner && wanted(row));
        let steps = left.rev().map(|row| {
            let verb = match row.change {
                Change::Created => "remove",
                _ => "revert",
            };
            let kind = row.kind.replace('_', " ");
            Step {
                what: match &row.on {
                    Some(on) => format!("{verb} {kind} {} on {on}", row.id),
                    None => format!("{verb} {kind} {}", row.id),
                },
                command: row.undo.clone(),
            }
        });
        steps.collect()
    }

    fn parts(&self) -> Vec<Part> {
        let parts = [
            ("timeline", self.timeline.len()),
            ("lineage", self.credentials.len()),
            ("findings", self.findings.len()),
            ("sources", self.summary.sources.len()),
            ("created", self.created.len()),
            ("data", self.data_access.len()),
            ("denied", self.denied.len()),
            ("others", self.pivot.len()),
            ("secrets", self.rotate.len()),
            ("steps", self.containment.len()),
            ("cleanup", self.undo().len()),
            ("unseen", self.unseen.len()),
            ("not-followed", self.not_followed.len()),
            ("summary", self.summary.answers.len()),
        ];
        let parts = parts.into_iter().filter(|(_, rows)| *rows > 0);
        parts.map(|(name, rows)| Part { name, rows }).collect()
    }
}

/// A credential in a few words.
fn called(credential: &Credential) -> String {
    let key = credential
        .access_key_id
        .as_deref()
        .unwrap_or("a console session");
    let whose = credential.principal_arn.as_deref().map(plain);
    let whose = whose.map_or_else(String::new, |whose| format!(" of {whose}"));
    let calls = match credential.events {
        1 => "1 call".to_owned(),
        events => format!("{events} calls"),
    };
    // Deactivating a key ends none of its sessions.
    // <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html>
    let valid = match (&credential.expires_at, credential.live) {
        (Some(end), Some(true)) if credential.kind == CredentialKind::Temporary => {
            format!(", valid until {} with or without its key", spoken(end))
        }
        _ => String::new(),
    };
    format!("{key}{whose} ({calls}{valid})")
}

/// A text whose ARNs of IAM and STS are short: their end names somebody, and the account is said elsewhere.
fn plain(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let lead = word.len() - word.trim_start_matches('(').len();
        let mut fields = word[lead..].splitn(6, ':');
        let (Some("arn"), Some(_), Some("iam" | "sts"), Some(_), Some(account), Some(resource)) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return word.to_owned();
        };
        let short = match resource.split_once('/') {
            Some((kind @ ("user" | "role"), path)) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                format!("{kind} {name}")
            }
            Some(("assumed-role", session)) => format!("role {session}"),
            Some(("policy", path)) => path.to_owned(),
            // Of which account is all there is to know.
            None if resource.trim_end_matches(';') == "root" => {
                format!("root of {account}{}", &resource[4..])
            }
            _ => resource.to_owned(),
        };
        format!("{}{short}", &word[..lead])
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A time for a sentence.
fn spoken(time: &str) -> String {
    time.replacen('T', " ", 1).replace('Z', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::trace::{Created, FirstUse};

    #[test]
    fn arns_are_said_in_short() {
        assert_eq!(
            plain(
                "key of arn:aws:iam::111122223333:user/service/svc; (by arn:aws:iam::111122223333:user/alice)"
            ),
            "key of user svc; (by user alice)"
        );
        assert_eq!(
            plain("permission arn:aws:iam::aws:policy/AdministratorAccess on svc"),
            "permission AdministratorAccess on svc"
        );
        assert_eq!(plain("arn:aws:sts::1:assumed-role/web/i-1"), "role web/i-1");
        assert_eq!(plain("arn:aws:s3:::bucket"), "arn:aws:s3:::bucket");
        assert_eq!(
            plain("key of arn:aws:iam::444455556666:root; it may be active"),
            "key of root of 444455556666; it may be active"
        );
    }

    #[test]
    fn the_intruders_credentials_are_named_first() {
        let credential = |key: &str, origin, expires: Option<&str>| Credential {
            access_key_id: Some(key.to_owned()),
            origin,
            rule: Rule::J1,
            expires_at: expires.map(str::to_owned),
            events: 1,
            ..Credential::default()
        };
        let trace = Trace {
            title: "What access key AKIA1 did".to_owned(),
            summary: crate::report::trace::Summary {
                first_suspicious_use: Some(FirstUse {
                    origin: Origin::Intruder,
                    ..FirstUse::default()
                }),
                answers: vec![Answer {
                    question: Asked::Sources,
                    answer: "intruder: 192.0.2.1".to_owned(),
                    event_ids: Vec::new(),
                }],
                ..Default::default()
            },
            credentials: vec![
                credential("ASIAOWNER", Origin::Owner, Some("x")),
                credential("ASIA1", Origin::Intruder, Some("x")),
                credential("ASIA2", Origin::Intruder, Some("x")),
                credential("AKIA2", Origin::Intruder, None),
                credential("ASIA3", Origin::Unknown, Some("x")),
            ],
            created: vec![Created {
                kind: "user".to_owned(),
                id: "u".to_owned(),
                origin: Origin::Owner,
                state: State::There,
                ..Created::default()
            }],
            ..Trace::default()
        };
        let brief = trace.brief();
        assert_eq!(brief.headline, "Access key AKIA1: used by an intruder");
        assert_eq!(
            brief.facts[1].text,
            "AKIA2 (1 call); ASIA1 (1 call); 1 more; of unknown origin: 1; the owner's: 1"
        );
        // What the owner made is not undone.
        assert!(brief.steps.is_empty());
    }
}
