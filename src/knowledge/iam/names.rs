//! Which actions does a call have?
//!
//! In: an event source and a call's name. Out: the IAM prefix and the actions. Promise: in this order: `event_actions.tsv`, the
//! name of the call, the name without what AWS adds to the names of calls but not of actions (`Batch`, `V2`). A name that the reference does not have is
//! returned as it is; who asks can tell by looking it up.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::actions;
use super::data::{fits, rows};

/// The IAM prefix of an event source, e.g. `cloudwatch` for `monitoring.amazonaws.com`.
pub fn prefix(event_source: &str) -> &str {
    let label = event_source
        .strip_suffix(".amazonaws.com")
        .unwrap_or(event_source);
    PREFIXES
        .iter()
        .find(|[name, _]| fits(name, label))
        .map_or_else(
            || label.split('.').next().unwrap_or(label),
            |[_, prefix]| *prefix,
        )
}

/// The actions of a call, without what it does them to. `given` tells whether a parameter is given, and has the value if there is
/// one.
pub fn actions_of(
    prefix: &str,
    operation: &str,
    given: &dyn Fn(&str, Option<&str>) -> bool,
) -> Vec<String> {
    let operation = undated(operation);
    let Some(lines) = exceptions(prefix, operation) else {
        return vec![named(prefix, operation)];
    };
    let holding = lines.iter().filter(|line| holds(line.when, given));
    let mut actions: Vec<String> = holding
        .flat_map(|line| line.actions.split(' '))
        .map(str::to_owned)
        .collect();
    if actions.is_empty() {
        return vec![named(prefix, operation)];
    }
    actions.retain(|action| !action.is_empty());
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// A call's name without a date such as CloudFront's `2020_05_31`.
fn undated(operation: &str) -> &str {
    let is_date = |text: &str| {
        let mut parts = text.split('_');
        let mut digits = |length: usize| {
            parts.next().is_some_and(|part| {
                part.len() == length && part.bytes().all(|b| b.is_ascii_digit())
            })
        };
        digits(4) && digits(2) && digits(2)
    };
    let dated = operation
        .len()
        .checked_sub("2020_05_31".len())
        .and_then(|at| operation.split_at_checked(at));
    match dated {
        Some((name, date)) if !name.is_empty() && is_date(date) => name,
        _ => operation,
    }
}

/// The action named as the call, in the reference's letters if it has it.
fn named(prefix: &str, operation: &str) -> String {
    let Some(service) = actions::service(prefix) else {
        return format!("{prefix}:{operation}");
    };
    let known = service.action(operation).or_else(|| {
        // `SendMessageBatch`, `BatchIsAuthorized`, `ListFindingsV2`.
        let shorter = [
            operation.strip_suffix("Batch"),
            operation.strip_prefix("Batch"),
            operation.strip_suffix("V2"),
        ];
        shorter
            .into_iter()
            .flatten()
            .find_map(|name| service.action(name))
    });
    let name = known.map_or(operation, |action| action.name);
    format!("{prefix}:{name}")
}

/// A line of `event_actions.tsv`.
struct Exception {
    when: &'static str,
    actions: &'static str,
}

/// By prefix: the calls, in the order of the table, and their lines.
type Exceptions = HashMap<&'static str, Vec<(&'static str, Vec<Exception>)>>;

static EXCEPTIONS: LazyLock<Exceptions> = LazyLock::new(|| {
    let mut exceptions = Exceptions::new();
    for [service, call, when, actions] in rows(include_str!("../data/event_actions.tsv")) {
        let calls = exceptions.entry(service).or_default();
        let line = Exception { when, actions };
        match calls.iter_mut().find(|(name, _)| *name == call) {
            Some((_, lines)) => lines.push(line),
            None => calls.push((call, vec![line])),
        }
    }
    exceptions
});

static PREFIXES: LazyLock<Vec<[&'static str; 2]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_prefixes.tsv")).collect());

fn exceptions(prefix: &str, operation: &str) -> Option<&'static [Exception]> {
    let calls = EXCEPTIONS.get(prefix)?;
    let exact = calls.iter().find(|(call, _)| *call == operation);
    let begins = || calls.iter().find(|(call, _)| fits(call, operation));
    exact.or_else(begins).map(|(_, lines)| lines.as_slice())
}

fn holds(when: &str, given: &dyn Fn(&str, Option<&str>) -> bool) -> bool {
    let one = |condition: &str| match (condition.strip_prefix('!'), condition.split_once('=')) {
        (Some(absent), _) => !given(absent, None),
        (None, Some((name, value))) => given(name, Some(value)),
        (None, None) => given(condition, None),
    };
    let mut all = when.split(' ').filter(|part| !part.is_empty());
    all.all(|part| part.split('|').any(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_is_in_the_reference() {
        let mut count = 0;
        for (prefix, calls) in EXCEPTIONS.iter() {
            assert!(
                actions::service(prefix).is_some()
                    || matches!(*prefix, "signin" | "sso-oauth" | "s3express"),
                "{prefix}"
            );
            for (call, lines) in calls {
                count += 1;
                let named = lines.iter().flat_map(|line| line.actions.split(' '));
                for action in named.filter(|action| !action.is_empty()) {
                    assert!(
                        actions::action(action).is_some(),
                        "{prefix} {call}: {action}"
                    );
                }
            }
        }
        for [label, prefix] in PREFIXES.iter() {
            assert!(actions::service(prefix).is_some(), "{label}: {prefix}");
        }
        assert!(count > 130 && PREFIXES.len() > 30);
    }

    #[test]
    fn prefixes_follow_the_reference() {
        assert_eq!(prefix("monitoring.amazonaws.com"), "cloudwatch");
        assert_eq!(prefix("email.amazonaws.com"), "ses");
        assert_eq!(prefix("chime-sdk-voice.amazonaws.com"), "chime");
        assert_eq!(prefix("streams.dynamodb.amazonaws.com"), "dynamodb");
        assert_eq!(prefix("s3.amazonaws.com"), "s3");
    }

    #[test]
    fn what_aws_adds_to_names_of_calls_is_left_out() {
        let of = |prefix, operation| actions_of(prefix, operation, &|_, _| false);
        assert_eq!(of("sqs", "SendMessageBatch"), ["sqs:SendMessage"]);
        assert_eq!(
            of("verifiedpermissions", "BatchIsAuthorized"),
            ["verifiedpermissions:IsAuthorized"]
        );
        assert_eq!(
            of("cloudfront", "CreateDistribution2020_05_31"),
            ["cloudfront:CreateDistribution"]
        );
        assert_eq!(
            of("access-analyzer", "ListFindingsV2"),
            ["access-analyzer:ListFindings"]
        );
        // An action of its own keeps its name.
        assert_eq!(of("dynamodb", "BatchGetItem"), ["dynamodb:BatchGetItem"]);
        assert_eq!(of("unheard", "DoItBatch"), ["unheard:DoItBatch"]);
    }
}
