//! Tags that are given to a thing as it is made.
//!
//! In: a call and its needs. Out: the service's tagging action on what is made. Promise: only where the event has tags, only for
//! services that have a tagging action, and only on the kinds of things that are tagged.
//!
//! Sources: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html>

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::actions::{self, ResourceType, Service};
use super::call::{Call, Need};
use super::data::{fits, rows};
use super::parameters::Parameters;
use super::resources;

/// Names of tagging actions, the usual first.
const USUAL: [&str; 5] = [
    "TagResource",
    "AddTagsToResource",
    "AddTags",
    "CreateTags",
    "CreateOrUpdateTags",
];

/// Service, call and tagging action, where it is not one of the usual; an action `-` means that none is needed.
static LISTED: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/tag_actions.tsv")).collect());

/// Service, call, and the types that it makes, where its name does not end in them.
static KINDS: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/tag_kinds.tsv")).collect());

/// The tagging needs of a call with tags.
pub(super) fn needs(
    call: &Call<'_>,
    prefix: &str,
    parameters: &Parameters,
    own: &[Need],
) -> Vec<Need> {
    let about_tags = call.operation.contains("Tag");
    if about_tags || !own.iter().any(|need| need.open.is_none()) {
        return Vec::new();
    }
    let Some(service) = actions::service(prefix) else {
        return Vec::new();
    };
    if prefix == "ec2" {
        return of_ec2(call, service, parameters);
    }
    if !parameters.has_tags() {
        return Vec::new();
    }
    let Some(action) = action(prefix, call.operation, service) else {
        return Vec::new();
    };
    let name = format!("{prefix}:{action}");
    let known: Vec<&'static ResourceType> = service
        .action(action)
        .into_iter()
        .flat_map(|action| action.types.iter())
        .map(|(index, _)| &service.types[*index])
        .collect();
    let made = made(prefix, call.operation, &known);
    let mut targets: BTreeSet<String> = resources::of_types(call, &name, parameters, &made)
        .into_iter()
        .collect();
    if targets.is_empty() {
        // What the call is done to and the tagging action can be done to.
        targets = own
            .iter()
            .filter(|need| need.action.starts_with(&format!("{prefix}:")))
            .filter(|need| known.iter().any(|kind| kind.arn.matches(&need.resource)))
            .map(|need| need.resource.clone())
            .collect();
    }
    if targets.is_empty() {
        targets = resources::of(call, &name, parameters).into_iter().collect();
    }
    targets
        .into_iter()
        .map(|resource| Need::new(name.clone(), resource))
        .collect()
}

/// What the call makes, and the tagging action is done to: the types that the table lists, or the one that the call's name ends in.
/// `RunTask` is done to a task definition and makes a task.
fn made(
    prefix: &str,
    operation: &str,
    known: &[&'static ResourceType],
) -> Vec<&'static ResourceType> {
    let listed = KINDS
        .iter()
        .find(|[of, call, _]| *of == prefix && fits(call, operation));
    if let Some([_, _, kinds]) = listed {
        let is_listed = |kind: &ResourceType| kinds.split(',').any(|name| name == kind.name);
        return known
            .iter()
            .copied()
            .filter(|kind| is_listed(kind))
            .collect();
    }
    // `RestoreDBClusterFromSnapshot` makes a cluster.
    let ends = ["From", "To"]
        .iter()
        .filter_map(|word| operation.find(word));
    let what = &operation[..ends.min().unwrap_or(operation.len())];
    let what = what.to_ascii_lowercase();
    let plain = |name: &str| name.replace(['-', ' '], "").to_ascii_lowercase();
    let told = known
        .iter()
        .copied()
        .filter(|kind| what.ends_with(&plain(kind.name)));
    told.max_by_key(|kind| kind.name.len())
        .into_iter()
        .collect()
}

fn action(prefix: &str, operation: &str, service: &'static Service) -> Option<&'static str> {
    let listed = LISTED
        .iter()
        .find(|[of, call, _]| *of == prefix && fits(call, operation));
    let name = match listed {
        Some([_, _, "-"]) => return None,
        Some([_, _, action]) => Some(*action),
        None => USUAL
            .into_iter()
            .find(|name| service.action(name).is_some()),
    };
    service.action(name?).map(|action| action.name)
}

/// EC2 says for each kind of thing that it makes which tags it gets.
fn of_ec2(call: &Call<'_>, service: &'static Service, parameters: &Parameters) -> Vec<Need> {
    let kinds = parameters.tagged_kinds();
    let named: Vec<_> = service
        .types
        .iter()
        .filter(|kind| kinds.contains(kind.name))
        .collect();
    named
        .into_iter()
        .map(|kind| Need::new("ec2:CreateTags", resources::any(call, kind)))
        .collect()
}
