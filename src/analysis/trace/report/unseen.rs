//! What the logs do not show.
//!
//! In: the coverage, the tree and the deeds. Out: blind spots, each with what it means. Promise: silence is never taken for
//! innocence; what is possible without any event is named where the tree has what it takes.

use super::super::Lineage;
use super::super::graph::deeds::Deed;
use super::super::graph::facts::text;
use super::super::graph::joins::Evidence;
use crate::analysis::attribution::doors::Way;
use crate::report::trace::{BlindSpot, Origin, Unseen};
use crate::report::{Coverage, counted};
use std::collections::{BTreeMap, BTreeSet};

/// More names than this are counted.
const NAMES: usize = 8;

/// The blind spots.
pub(in crate::analysis::trace) fn unseen(
    coverage: &Coverage,
    lineage: &Lineage<'_>,
    deeds: &[Deed],
    left_out: Option<Unseen>,
) -> Vec<Unseen> {
    let mut rows: Vec<Unseen> = left_out.into_iter().collect();
    let mut add = |kind, what: String, meaning| {
        rows.push(Unseen {
            kind,
            what,
            meaning,
        })
    };
    if coverage.data_event_services.is_empty() {
        add(
            BlindSpot::DataEvents,
            "there are no data events in these logs".to_owned(),
            "what was read, written or deleted in S3, DynamoDB, SQS and others is not logged: assume it happened",
        );
    } else if !coverage
        .data_event_services
        .iter()
        .any(|service| service == "s3.amazonaws.com")
    {
        add(
            BlindSpot::DataEvents,
            format!(
                "data events of {} only",
                listed(&coverage.data_event_services)
            ),
            "reads, writes and deletions of S3 objects are not logged: assume they happened",
        );
    }
    if !coverage.days_missing.is_empty() {
        add(
            BlindSpot::Days,
            format!("no events on {}", listed(&coverage.days_missing)),
            "either nothing happened or the trail was off; keytrail coverage shows it by account and region",
        );
    }
    if coverage.log_files_rejected > 0 || coverage.records_rejected > 0 {
        add(
            BlindSpot::Rejected,
            format!(
                "{} and {} could not be read",
                counted(coverage.log_files_rejected, "log file"),
                counted(coverage.records_rejected, "record"),
            ),
            "what they held is missing here; the table rejects and the ingest summary name them",
        );
    }
    add(
        BlindSpot::Regions,
        format!("logs of {} only", listed(&coverage.regions)),
        "calls in other regions, and in regions enabled later, are not logged unless the trail covers all regions",
    );
    let accounts = foreign_accounts(coverage, deeds);
    if !accounts.is_empty() {
        add(
            BlindSpot::Accounts,
            format!(
                "sessions were opened in accounts without logs here: {}",
                listed(&accounts)
            ),
            "what they did there is in those accounts' logs: get these",
        );
    }
    orphans(lineage, &mut add);
    possible(lineage, deeds, &mut add);
    rows
}

/// Accounts in which a role was assumed and of which there are no logs.
fn foreign_accounts(coverage: &Coverage, deeds: &[Deed]) -> Vec<String> {
    let opened = deeds.iter().filter(|deed| {
        deed.member.is_some() && deed.has_effect() && deed.operation.starts_with("AssumeRole")
    });
    let accounts: BTreeSet<String> = opened
        .filter_map(|deed| deed.call().first("request.roleArn"))
        .filter_map(|arn| arn.split(':').nth(4).map(str::to_owned))
        .filter(|account| account.len() == 12 && !coverage.accounts.contains(account))
        .collect();
    accounts.into_iter().collect()
}

fn orphans(lineage: &Lineage<'_>, add: &mut impl FnMut(BlindSpot, String, &'static str)) {
    let joins = &lineage.joins;
    let mut never_used = Vec::new();
    for member in &lineage.members {
        let node = &lineage.joins.nodes.all[member.node];
        let Some(key) = node.key else { continue };
        if key.starts_with("ASIA")
            && member.depth == 0
            && joins.unborn(node)
            && member.link.evidence == Evidence::None
        {
            let issuer = node
                .role_arn
                .or(node.principal)
                .unwrap_or("an unnamed principal");
            add(
                BlindSpot::Orphan,
                format!("no event shows who issued {key}, a session of {issuer}"),
                "it was issued before these logs begin, in another account or region, in a console, or on an instance whose credentials were stolen",
            );
        }
        if node.seen.is_none() {
            never_used.push(key.to_owned());
        }
    }
    if !never_used.is_empty() {
        add(
            BlindSpot::IssuedNotSeen,
            format!(
                "{} credentials were issued and never seen in use: {}",
                never_used.len(),
                listed(&never_used)
            ),
            "they may have been used outside these logs, or be used later",
        );
    }
}

/// Credentials that can be made without an event.
fn possible(
    lineage: &Lineage<'_>,
    deeds: &[Deed],
    add: &mut impl FnMut(BlindSpot, String, &'static str),
) {
    let did = |service: &str| {
        deeds
            .iter()
            .any(|deed| deed.member.is_some() && deed.service() == service)
    };
    let long_term = lineage
        .members
        .iter()
        .any(|member| lineage.joins.nodes.all[member.node].is_long_term());
    if long_term {
        add(
            BlindSpot::PossibleCredential,
            "presigned S3 URLs".to_owned(),
            "anyone with a key can sign them without an event; they work up to 7 days, or until the key is deactivated",
        );
        add(
            BlindSpot::PossibleCredential,
            "SES SMTP password".to_owned(),
            "computed from the secret key; CloudTrail does not log mail sent with it. It stops working with the key",
        );
    }
    for machine in entered(lineage, deeds) {
        add(
            BlindSpot::PossibleCredential,
            machine,
            "whoever runs commands on a machine can take the credentials of its role without an event, and use them elsewhere until they expire",
        );
    }
    for (service, what, meaning) in [
        (
            "bedrock",
            "Bedrock short-term API key",
            "signed offline, up to 12 hours; its calls carry callWithBearerToken",
        ),
        (
            "eks",
            "EKS token",
            "a presigned GetCallerIdentity; what it did is in the cluster's audit log",
        ),
        (
            "rds",
            "RDS IAM login",
            "a presigned token; what it did is in the database's own log",
        ),
        (
            "redshift",
            "Redshift IAM login",
            "what it did is in the database's own log",
        ),
        (
            "ecr",
            "ECR login",
            "GetAuthorizationToken is logged, pulls with it only in part",
        ),
    ] {
        if did(service) {
            add(BlindSpot::PossibleCredential, what.to_owned(), meaning);
        }
    }
}

/// Machines and tasks on which somebody ran commands or had a shell, who may not be the owner.
fn entered(lineage: &Lineage<'_>, deeds: &[Deed]) -> Vec<String> {
    let changes = &lineage.joins.facts.changes;
    let deeds = deeds.iter().filter(|deed| {
        deed.member.is_some() && deed.has_effect() && deed.event.origin <= Origin::Suspicious
    });
    let strange: BTreeSet<&str> = deeds.map(|deed| deed.event.event_id.as_str()).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in 0..changes.len() {
        let id = text(&changes.event_id, row).unwrap_or_default();
        let door = lineage.joins.entries.door(row as u32);
        let Some(door) = door.filter(|door| door.way == Way::Host && strange.contains(id)) else {
            continue;
        };
        for name in &door.names {
            let calls = found.entry(name.clone()).or_default();
            calls.insert(door.operation.clone());
        }
    }
    let words = |(name, calls): (String, BTreeSet<String>)| {
        let calls: Vec<String> = calls.into_iter().collect();
        format!("the role of {name} ({})", calls.join(", "))
    };
    found.into_iter().map(words).collect()
}

/// Names, the first few written out.
pub(in crate::analysis::trace) fn listed(names: &[String]) -> String {
    let shown = names.len().min(NAMES);
    match names.len() - shown {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..shown].join(", ")),
    }
}
