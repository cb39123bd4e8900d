//! What the credentials of the tree did.
//!
//! In: the events of the tree's keys. Out: one [`Deed`] per event, in order. Promise: an event belongs to the credential whose
//! key, principal and opening it has; within a second, parents come before their children; secrets are never
//! shown.

use super::facts::{Changes, Records, number, text};
use super::nodes::Nodes;
use super::paths::Call;
use super::tree::Member;
use crate::cloudtrail;
use crate::event::{has_effect, is_failure, without_secrets};
use crate::json::Value;
use crate::report::trace::{Relation, TimelineEvent};
use chrono::DateTime;
use rustc_hash::FxHashMap;

/// An event, and what the lists are made from.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis::trace) struct Deed {
    pub(in crate::analysis::trace) time: i64,
    pub(in crate::analysis::trace) depth: u32,
    /// The credential's position in the tree; none for what others did to it.
    pub(in crate::analysis::trace) member: Option<usize>,
    pub(in crate::analysis::trace) operation: String,
    pub(in crate::analysis::trace) user_name: Option<String>,
    pub(in crate::analysis::trace) additional: Option<String>,
    pub(in crate::analysis::trace) resources: Vec<String>,
    pub(in crate::analysis::trace) event: TimelineEvent,
}

impl Deed {
    /// Parameters and answer.
    pub(in crate::analysis::trace) fn call(&self) -> Call {
        Call {
            caller: self.user_name.clone(),
            region: self.event.aws_region.clone(),
            account: self.event.account_id.clone(),
            ..Call::new(
                self.event.request_parameters.as_deref(),
                self.event.response_elements.as_deref(),
                self.additional.as_deref(),
            )
        }
    }

    /// The service, e.g. `iam`.
    pub(in crate::analysis::trace) fn service(&self) -> &str {
        let source = self.event.event_source.as_deref().unwrap_or_default();
        source.strip_suffix(".amazonaws.com").unwrap_or(source)
    }

    pub(in crate::analysis::trace) fn failed(&self) -> bool {
        self.event.error_code.as_deref().is_some_and(is_failure) || self.is_failed_sign_in()
    }

    /// Whether it did what it asked for; a dry run neither fails nor does anything.
    pub(in crate::analysis::trace) fn has_effect(&self) -> bool {
        has_effect(self.event.error_code.as_deref()) && !self.is_failed_sign_in()
    }

    /// A failed console sign-in has a message, and no code.
    fn is_failed_sign_in(&self) -> bool {
        self.operation == "ConsoleLogin" && self.event.error_message.is_some()
    }

    /// Whether a change in IAM is of the caller itself.
    pub(in crate::analysis::trace) fn is_about_itself(&self) -> bool {
        let path = match ABOUT_CALLER.contains(&self.operation.as_str()) {
            true => "request.userName|caller",
            false => "request.userName",
        };
        let user = self.call().first(path);
        user.is_some() && user == self.user_name
    }

    /// Whether the call quarantines its own user, as AWS does with keys that it finds in public: signed with the key itself, from
    /// AWS's own program. Until 2020 or so it wrote an inline policy that only denies.
    /// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html>
    pub(in crate::analysis::trace) fn is_quarantine(&self) -> bool {
        let agent = self.event.user_agent.as_deref().unwrap_or_default();
        if !agent.starts_with("aws-internal/") || !self.is_about_itself() {
            return false;
        }
        let call = self.call();
        let named = |path, name: &str| call.first(path).is_some_and(|value| value.contains(name));
        match self.operation.as_str() {
            "AttachUserPolicy" => named("request.policyArn", QUARANTINE),
            "PutUserPolicy" => {
                named("request.policyName", EXPOSED) && !named("request.policyDocument", "Allow")
            }
            _ => false,
        }
    }

    /// The call as people write it, e.g. `iam:CreateUser`.
    pub(in crate::analysis::trace) fn name(&self) -> String {
        format!("{}:{}", self.service(), self.operation)
    }
}

/// Changes of a user that are about the caller if they name no user: AWS documents their `UserName` as not required.
/// `queries/attribution/uses.sql` has the same list.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>
const ABOUT_CALLER: [&str; 13] = [
    "ChangePassword",
    "CreateAccessKey",
    "CreateLoginProfile",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "DeleteLoginProfile",
    "DeleteServiceSpecificCredential",
    "DeleteSigningCertificate",
    "ResetServiceSpecificCredential",
    "UpdateAccessKey",
    "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate",
    "UploadSigningCertificate",
];

/// The managed policies that AWS attaches to users whose keys leaked; versions follow.
pub(in crate::analysis::trace) const QUARANTINE: &str = ":policy/AWSCompromisedKeyQuarantine";

/// The inline policy that AWS wrote before there were these.
pub(in crate::analysis::trace) const EXPOSED: &str = "AWSExposedCredentialPolicy_DO_NOT_REMOVE";

/// A time for the report.
pub(in crate::analysis::trace) fn rfc3339(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(cloudtrail::rfc3339)
        .unwrap_or_default()
}

/// A time for a sentence.
pub(in crate::analysis::trace) fn short(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(cloudtrail::second)
        .unwrap_or_default()
}

/// A member's position, and when its session was opened.
type Opening = (usize, Option<i64>);

/// Which credential of the tree an event is by.
pub(in crate::analysis::trace) struct Members<'a> {
    by: FxHashMap<(&'a str, &'a str), Vec<Opening>>,
    members: &'a [Member],
    /// Where the start is an address: of the credentials that it was seen with, only what came from there.
    only_from: Option<&'a str>,
}

impl<'a> Members<'a> {
    pub(in crate::analysis::trace) fn new(
        nodes: &'a Nodes<'a>,
        members: &'a [Member],
        only_from: Option<&'a str>,
    ) -> Self {
        let mut by: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (at, member) in members.iter().enumerate() {
            let node = &nodes.all[member.node];
            let who = (
                node.key.unwrap_or_default(),
                node.principal.unwrap_or_default(),
            );
            by.entry(who).or_default().push((at, node.created));
        }
        Self {
            by,
            members,
            only_from,
        }
    }

    fn of(&self, records: &Records, row: usize) -> Option<usize> {
        let key = text(&records.access_key_id, row).unwrap_or_default();
        let arn = text(&records.user_identity_arn, row);
        let principal = arn.or(text(&records.user_identity_principal_id, row));
        let sessions = self.by.get(&(key, principal.unwrap_or_default()))?;
        let created = number(&records.session_creation_time, row);
        let exact = sessions.iter().find(|(_, opened)| *opened == created);
        // A session without a key has no opening of its own in the tree.
        let keyless = key.is_empty().then(|| sessions.first()).flatten();
        let (at, _) = exact.or(keyless)?;
        let is_elsewhere = self.only_from.is_some_and(|address| {
            self.members[*at].depth == 0 && text(&records.source_ip_address, row) != Some(address)
        });
        if is_elsewhere {
            return None;
        }
        let time = number(&records.event_time, row)?;
        let since = self.members[*at].link.since;
        since.is_none_or(|since| time >= since).then_some(*at)
    }
}

/// The deeds of a batch of events.
pub(in crate::analysis::trace) fn deeds(records: &Records, members: &Members<'_>) -> Vec<Deed> {
    let rows = 0..records.len();
    rows.filter_map(|row| {
        let at = members.of(records, row)?;
        let member = &members.members[at];
        let get = |column| text(column, row).map(str::to_owned);
        let resources = arns(text(&records.resources, row));
        let request = get(&records.request_parameters);
        let time = number(&records.event_time, row)?;
        Some(Deed {
            time,
            depth: member.depth,
            member: Some(at),
            operation: get(&records.operation).unwrap_or_default(),
            user_name: get(&records.user_identity_user_name),
            event: TimelineEvent {
                bytes_out: sent(text(&records.additional_event_data, row)),
                event_id: get(&records.event_id)?,
                event_time: rfc3339(time),
                relation: Relation::By,
                credential: Some(at as u32),
                access_key_id: get(&records.access_key_id),
                user_identity_arn: get(&records.user_identity_arn),
                event_source: get(&records.event_source),
                event_name: get(&records.event_name).unwrap_or_default(),
                target: target(&resources, request.as_deref()),
                aws_region: get(&records.aws_region),
                account_id: get(&records.account_id),
                source_ip_address: get(&records.source_ip_address),
                user_agent: get(&records.user_agent),
                error_code: get(&records.error_code),
                error_message: get(&records.error_message),
                read_only: number(&records.read_only, row).map(|flag| flag == 1),
                via_service: get(&records.via_service),
                event_category: get(&records.event_category),
                confidence: member.path_confidence,
                request_parameters: request.map(shown),
                response_elements: get(&records.response_elements).map(shown),
                log_file: get(&records.log_file),
                log_file_record: number(&records.log_file_record, row),
                ..TimelineEvent::default()
            },
            additional: get(&records.additional_event_data),
            resources,
        })
    })
    .collect()
}

/// The bytes that S3 says it sent.
fn sent(additional: Option<&str>) -> Option<i64> {
    const SENT: &str = "bytesTransferredOut";
    let additional = additional.filter(|text| text.contains(SENT))?;
    let bytes = Value::parse(additional)?.get(SENT)?.as_f64()?;
    Some(bytes as i64)
}

/// What others did to the tree.
pub(in crate::analysis::trace) fn about(changes: &Changes, row: usize) -> Deed {
    let get = |column| text(column, row).map(str::to_owned);
    let request = get(&changes.request_parameters);
    let time = number(&changes.event_time, row).unwrap_or_default();
    Deed {
        time,
        depth: u32::MAX,
        operation: get(&changes.operation).unwrap_or_default(),
        user_name: get(&changes.user_identity_user_name),
        additional: get(&changes.additional_event_data),
        event: TimelineEvent {
            event_id: get(&changes.event_id).unwrap_or_default(),
            event_time: rfc3339(time),
            relation: Relation::About,
            access_key_id: get(&changes.access_key_id),
            user_identity_arn: get(&changes.user_identity_arn),
            event_source: get(&changes.event_source),
            event_name: get(&changes.event_name).unwrap_or_default(),
            target: target(&[], request.as_deref()),
            aws_region: get(&changes.aws_region),
            account_id: get(&changes.account_id),
            source_ip_address: get(&changes.source_ip_address),
            user_agent: get(&changes.user_agent),
            read_only: number(&changes.read_only, row).map(|flag| flag == 1),
            event_category: get(&changes.event_category),
            request_parameters: request.map(shown),
            response_elements: get(&changes.response_elements).map(shown),
            log_file: get(&changes.log_file),
            log_file_record: number(&changes.log_file_record, row),
            ..TimelineEvent::default()
        },
        ..Deed::default()
    }
}

/// By time; within a second by depth, so that what issued a key comes before the key's first use.
pub(in crate::analysis::trace) fn sort(deeds: &mut [Deed]) {
    deeds.sort_by(|a, b| {
        let place = |deed: &Deed| (deed.time, deed.depth);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.event.event_id.cmp(&b.event.event_id))
    });
}

/// The ARNs of a record's resources.
fn arns(resources: Option<&str>) -> Vec<String> {
    let parsed = resources.and_then(Value::parse);
    let list = parsed
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(|resource| {
        let arn = resource.get("ARN").or_else(|| resource.get("arn"))?;
        arn.as_str().map(str::to_owned)
    })
    .collect()
}

/// The most parameters that name a call's object.
const NAMES: usize = 3;

/// Ends of parameters that name something.
const NAMING: [&str; 7] = ["Name", "Id", "Arn", "ARN", "Identifier", "name", "key"];

/// What the call was on, in short: its resource, or the parameters that name one.
fn target(resources: &[String], request: Option<&str>) -> Option<String> {
    if let Some(first) = resources.first() {
        // An object comes with its bucket.
        let others = resources
            .iter()
            .filter(|arn| !first.starts_with(arn.as_str()));
        return Some(match others.count() {
            0 => first.clone(),
            more => format!("{first} and {more} more"),
        });
    }
    let parsed = request.and_then(Value::parse)?;
    let object = parsed.as_object()?;
    let mut names = Vec::new();
    for (name, value) in object.iter() {
        let lists = |list: &str| {
            let items = value.get("items").and_then(Value::as_array)?;
            let ids: Vec<&str> = items
                .iter()
                .filter_map(|item| item.get(list)?.as_str())
                .collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        };
        let named = NAMING.iter().any(|end| name.ends_with(end));
        let found = match value {
            Value::String(text) if named && name != "roleSessionName" => Some(text.clone()),
            Value::Array(items) if name.ends_with("Ids") || name.ends_with("names") => {
                let ids: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                (!ids.is_empty()).then(|| ids.join(" "))
            }
            Value::Object(_) => lists("instanceId").or_else(|| lists("groupId")),
            _ => None,
        };
        names.extend(found);
        if names.len() == NAMES {
            break;
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// A text without secrets, which a lake may have kept.
fn shown(text: String) -> String {
    without_secrets(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_knows_the_same_calls_about_the_caller() {
        let query = include_str!("../../../../queries/attribution/uses.sql");
        let (_, list) = query.split_once("operation IN (").unwrap();
        let (list, _) = list.split_once(')').unwrap();
        let of_query: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
        assert_eq!(of_query, ABOUT_CALLER);
    }

    #[test]
    fn a_target_is_the_resource_or_what_names_one() {
        let target = |resources: &[&str], request| {
            let resources: Vec<String> = resources.iter().map(|arn| (*arn).to_owned()).collect();
            target(&resources, request)
        };
        assert_eq!(
            target(&["arn:aws:s3:::b/k", "arn:aws:s3:::b"], None).as_deref(),
            Some("arn:aws:s3:::b/k")
        );
        assert_eq!(
            target(&[], Some(r#"{"userName":"u","policyArn":"p","x":1}"#)).as_deref(),
            Some("u, p")
        );
        assert_eq!(
            target(
                &[],
                Some(r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#)
            )
            .as_deref(),
            Some("i-1")
        );
        assert_eq!(target(&[], Some("null")), None);
        assert_eq!(target(&[], Some("{broken")), None);
    }
}
