//! What calls create or change, and what undoes it: the clean-up table.
//!
//! In: `cleanup.tsv`, for people to edit. Out: [`MADE`]. Promise: one row per call; a command is complete or it is none, and then words
//! say what a person has to do.

use super::super::graph::paths::{Call, name_of};
use crate::analysis::shell::{add_value, option, quoted};
use crate::json;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A row: a call that creates or changes something.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis::trace) struct Made {
    pub(in crate::analysis::trace) source: &'static str,
    pub(in crate::analysis::trace) operation: &'static str,
    pub(in crate::analysis::trace) kind: &'static str,
    /// Where the id is.
    pub(in crate::analysis::trace) id: &'static str,
    /// Where the name of what it was done to is.
    pub(in crate::analysis::trace) on: &'static str,
    command: &'static str,
    words: &'static str,
    /// The call that removes it, and where the id is there; none for changes whose old state no event holds.
    pub(in crate::analysis::trace) gone: Option<(&'static str, &'static str)>,
}

const TABLE: &str = include_str!("cleanup.tsv");

/// The table.
pub(in crate::analysis::trace) static MADE: LazyLock<Vec<Made>> =
    LazyLock::new(|| rows(TABLE).collect());

fn rows(table: &'static str) -> impl Iterator<Item = Made> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next();
        let (source, operation, kind) = (next()?, next()?, next()?);
        let (id, on, command, words) = (next()?, next()?, next()?, next()?);
        let (removed_by, removed_id) = (next()?, next()?);
        Some(Made {
            source,
            operation,
            kind,
            id,
            on,
            command,
            words,
            gone: (!removed_by.is_empty()).then_some((removed_by, removed_id)),
        })
    })
}

/// What a command is filled with.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis::trace) struct Filling<'a> {
    pub(in crate::analysis::trace) id: &'a str,
    pub(in crate::analysis::trace) on: Option<&'a str>,
    pub(in crate::analysis::trace) call: &'a Call,
    /// The account, if its root user made the call.
    pub(in crate::analysis::trace) root_of: Option<&'a str>,
}

impl Made {
    /// The command that undoes it, or a comment that says what a person has to do.
    pub(in crate::analysis::trace) fn undo(&self, filling: Filling<'_>) -> String {
        let command = match self.command.is_empty() {
            true => None,
            false => filling.command(self.command),
        };
        command.unwrap_or_else(|| {
            let words = filling.words(self.words).filter(|words| !words.is_empty());
            comment(&words.unwrap_or_else(|| {
                format!(
                    "no command available: check what {}:{} did, and undo it by hand",
                    self.source, self.operation
                )
            }))
        })
    }
}

/// Words that a shell takes for a comment, whatever they hold.
pub(in crate::analysis::trace) fn comment(words: &str) -> String {
    let words: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# {words}")
}

impl Filling<'_> {
    /// The command with its values, if all are there.
    fn command(self, template: &str) -> Option<String> {
        let filled = self.filled(template, true)?;
        Some(match (filled.1, self.root_of) {
            (false, _) => filled.0,
            (true, Some(account)) => {
                format!(
                    "{}  # signed in as the root user of account {}",
                    filled.0,
                    quoted(account)
                )
            }
            // Without a user's name the command is about whoever runs it.
            (true, None) => return None,
        })
    }

    /// The words with their values, if all are there.
    fn words(self, template: &str) -> Option<String> {
        self.filled(template, false).map(|filled| filled.0)
    }

    /// The template with its values, and whether a part in `[]` was left out.
    fn filled(self, template: &str, for_shell: bool) -> Option<(String, bool)> {
        let mut text = String::with_capacity(template.len());
        let mut left_out = false;
        let mut rest = template;
        while let Some(at) = rest.find(['{', '[']) {
            text += &rest[..at];
            let (close, whole) = match rest[at..].starts_with('{') {
                true => ('}', true),
                false => (']', false),
            };
            let (inner, after) = rest[at + 1..].split_once(close)?;
            match whole {
                true => self.add(&mut text, inner, for_shell)?,
                false => match self.filled(inner, for_shell) {
                    Some((inner, _)) => text += &inner,
                    None => left_out = true,
                },
            }
            rest = after;
        }
        Some((text + rest, left_out))
    }

    /// Adds the value of a place, as a shell's words or as it is.
    fn add(self, text: &mut String, place: &str, for_shell: bool) -> Option<()> {
        let call = self.call;
        let words = match place {
            "group" => Some(group(call)?),
            "shares" => Some(shares(call)?),
            "values" => Some(values(call)?),
            "rule" => Some(rule(call)?),
            _ => None,
        };
        if let Some(words) = words {
            *text += &words;
            return Some(());
        }
        let values = match place {
            "id" => vec![self.id.to_owned()],
            "name" => vec![name_of(self.id).to_owned()],
            "on" => vec![self.on?.to_owned()],
            "region" => vec![call.region.clone()?],
            "status" => vec![other_status(call).to_owned()],
            path => call.all(path),
        };
        if values.is_empty() || values.iter().any(|value| value.trim().is_empty()) {
            return None;
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            match for_shell {
                true => add_value(text, value),
                false => text.push_str(value),
            }
        }
        Some(())
    }
}

/// The status of an access key that puts back what a call did.
fn other_status(call: &Call) -> &'static str {
    match call.first("request.status").as_deref() {
        Some("Inactive") => "Active",
        _ => "Inactive",
    }
}

/// The security group of a call: by id, or by name.
/// <https://docs.aws.amazon.com/cli/latest/reference/ec2/revoke-security-group-ingress.html>
fn group(call: &Call) -> Option<String> {
    if let Some(id) = call.first("request.groupId") {
        return Some(option("--group-id", &id));
    }
    let name = call.first("request.groupName")?;
    Some(option("--group-name", &name))
}

/// The shares of a snapshot or image that put back what a call did: what it added is removed, what it removed is added, and no other share
/// is touched.
/// <https://docs.aws.amazon.com/cli/latest/reference/ec2/modify-snapshot-attribute.html>
fn shares(call: &Call) -> Option<String> {
    let lists = [
        "createVolumePermission",
        "launchPermission",
        "loadPermission",
    ];
    let given = lists.iter().find_map(|list| call.request.get(list))?;
    let mut undone = serde_json::Map::new();
    for (did, undo) in [("add", "Remove"), ("remove", "Add")] {
        let items = given.get(did).and_then(|list| list.get("items"));
        let Some(items) = items.and_then(json::Value::as_array) else {
            continue;
        };
        let shares: Option<Vec<Value>> = items.iter().map(share).collect();
        let shares = shares.filter(|shares| !shares.is_empty())?;
        undone.insert(undo.to_owned(), Value::from(shares));
    }
    (!undone.is_empty()).then(|| quoted(&Value::Object(undone).to_string()))
}

/// With whom something is shared, in the form that the command line takes.
fn share(item: &json::Value) -> Option<Value> {
    let members = [
        ("UserId", "userId"),
        ("Group", "group"),
        ("OrganizationArn", "organizationArn"),
        ("OrganizationalUnitArn", "organizationalUnitArn"),
    ];
    let members = members.iter().filter_map(|(name, from)| {
        let text = item.get(from)?.as_str().filter(|text| !text.is_empty())?;
        Some(((*name).to_owned(), Value::from(text)))
    });
    let share: serde_json::Map<String, Value> = members.collect();
    (!share.is_empty()).then_some(Value::Object(share))
}

/// The values of an attribute of RDS that put back what a call did.
/// <https://docs.aws.amazon.com/cli/latest/reference/rds/modify-db-snapshot-attribute.html>
fn values(call: &Call) -> Option<String> {
    let mut options = Vec::new();
    for (did, undo) in [
        ("request.valuesToAdd[]", "--values-to-remove"),
        ("request.valuesToRemove[]", "--values-to-add"),
    ] {
        let given = call.all(did);
        if !given.is_empty() {
            let given: Vec<String> = given.iter().map(|value| quoted(value)).collect();
            options.push(format!("{undo} {}", given.join(" ")));
        }
    }
    (!options.is_empty()).then(|| options.join(" "))
}

/// The rules that a call made: by id where the answer has them, otherwise written out as the request has them.
fn rule(call: &Call) -> Option<String> {
    let ids = call.all("response.securityGroupRuleSet.items[].securityGroupRuleId");
    if !ids.is_empty() {
        let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        return Some(format!("--security-group-rule-ids {}", ids.join(" ")));
    }
    let items = call
        .request
        .get("ipPermissions")?
        .get("items")?
        .as_array()?;
    let permissions: Option<Vec<Value>> = items.iter().map(permission).collect();
    let permissions = permissions.filter(|permissions| !permissions.is_empty())?;
    Some(format!(
        "--ip-permissions {}",
        quoted(&Value::from(permissions).to_string())
    ))
}

/// A rule in the form that the command line takes.
fn permission(item: &json::Value) -> Option<Value> {
    let mut permission = serde_json::Map::new();
    permission.insert("IpProtocol".to_owned(), json!(item.get("ipProtocol")?));
    for (name, from) in [("FromPort", "fromPort"), ("ToPort", "toPort")] {
        if let Some(port) = item.get(from).filter(|port| port.as_f64().is_some()) {
            permission.insert(name.to_owned(), json!(port));
        }
    }
    let list = |list: &str, names: &[(&str, &str)]| -> Vec<Value> {
        let items = item.get(list).and_then(|list| list.get("items"));
        let items = items.and_then(json::Value::as_array).into_iter().flatten();
        let entry = |entry: &json::Value| {
            let members = names.iter().filter_map(|(name, from)| {
                Some((
                    (*name).to_owned(),
                    entry.get(from)?.as_str().map(Value::from)?,
                ))
            });
            Value::Object(members.collect())
        };
        let entries = items.map(entry);
        entries.filter(|entry| *entry != json!({})).collect()
    };
    for (name, from, members) in [
        ("IpRanges", "ipRanges", &[("CidrIp", "cidrIp")][..]),
        ("Ipv6Ranges", "ipv6Ranges", &[("CidrIpv6", "cidrIpv6")]),
        (
            "PrefixListIds",
            "prefixListIds",
            &[("PrefixListId", "prefixListId")],
        ),
        (
            "UserIdGroupPairs",
            "groups",
            &[
                ("GroupId", "groupId"),
                ("GroupName", "groupName"),
                ("UserId", "userId"),
            ],
        ),
    ] {
        let entries = list(from, members);
        if !entries.is_empty() {
            permission.insert(name.to_owned(), Value::from(entries));
        }
    }
    (permission.len() > 1).then(|| Value::Object(permission))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn made(operation: &str) -> &'static Made {
        MADE.iter()
            .find(|made| made.operation == operation)
            .unwrap()
    }

    fn undo(operation: &str, request: &str, response: &str, root_of: Option<&str>) -> String {
        let call = Call {
            region: Some("eu-west-1".to_owned()),
            ..Call::new(Some(request), Some(response), None)
        };
        let made = made(operation);
        let id = call.first(made.id).unwrap_or_default();
        let on = call.first(made.on);
        made.undo(Filling {
            id: &id,
            on: on.as_deref(),
            call: &call,
            root_of,
        })
    }

    #[test]
    fn every_line_is_a_row_and_no_command_has_a_made_up_value() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(MADE.len(), lines);
        let mut calls = HashSet::new();
        for made in MADE.iter() {
            assert!(
                calls.insert((made.source, made.operation)),
                "{}",
                made.operation
            );
            assert!(!made.id.is_empty(), "{}", made.operation);
            assert!(
                made.command.is_empty() || made.command.starts_with("aws "),
                "{}",
                made.command
            );
            assert!(
                !(made.command.is_empty() && made.words.is_empty()),
                "{}",
                made.operation
            );
            let (command, _) = made.command.split_once("  #").unwrap_or((made.command, ""));
            let mut words = command.split([' ', '=', '{', '}', '[', ']', '.', '|', ',']);
            let made_up = words.find(|word| {
                word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            });
            assert_eq!(made_up, None, "{command}");
        }
    }

    #[test]
    fn a_rule_of_a_security_group_is_written_out() {
        let request = r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#;
        assert_eq!(
            undo("AuthorizeSecurityGroupIngress", request, "{}", None),
            r#"aws ec2 revoke-security-group-ingress --group-id sg-1 --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]' --region eu-west-1"#
        );
        let response = r#"{"securityGroupRuleSet":{"items":[{"securityGroupRuleId":"sgr-1"},{"securityGroupRuleId":"sgr-2"}]}}"#;
        assert_eq!(
            undo(
                "AuthorizeSecurityGroupIngress",
                r#"{"groupName":"web; x"}"#,
                response,
                None
            ),
            "aws ec2 revoke-security-group-ingress --group-name 'web; x' --security-group-rule-ids sgr-1 sgr-2 --region eu-west-1"
        );
        assert_eq!(
            undo(
                "AuthorizeSecurityGroupIngress",
                r#"{"groupId":"sg-1"}"#,
                "{}",
                None
            ),
            "# remove the rule that the event added from security group sg-1"
        );
    }

    #[test]
    fn a_share_is_put_back_by_exactly_what_was_added_or_removed() {
        let snapshot = |change: &str| {
            let request = format!(
                r#"{{"snapshotId":"snap-1","createVolumePermission":{change},"attributeType":"CREATE_VOLUME_PERMISSION"}}"#
            );
            undo("ModifySnapshotAttribute", &request, "{}", None)
        };
        let start =
            "aws ec2 modify-snapshot-attribute --snapshot-id snap-1 --create-volume-permission";
        let end = "--region eu-west-1  # copies that were made remain";
        for (change, expected) in [
            (
                r#"{"add":{"items":[{"userId":"999988887777"}]}}"#,
                r#"'{"Remove":[{"UserId":"999988887777"}]}'"#,
            ),
            (
                r#"{"add":{"items":[{"userId":"999988887777"},{"group":"all"}]}}"#,
                r#"'{"Remove":[{"UserId":"999988887777"},{"Group":"all"}]}'"#,
            ),
            (
                r#"{"remove":{"items":[{"userId":"444455556666"}]}}"#,
                r#"'{"Add":[{"UserId":"444455556666"}]}'"#,
            ),
        ] {
            assert_eq!(snapshot(change), format!("{start} {expected} {end}"));
        }
        for change in ["{}", r#"{"add":{"items":[{}]}}"#, r#"{"add":{"items":[]}}"#] {
            let words = snapshot(change);
            assert!(words.starts_with("# remove the shares"), "{words}");
        }
        let organization = r#"{"imageId":"ami-1","launchPermission":{"add":{"items":[{"organizationArn":"arn:aws:organizations::9:organization/o-1"}]}}}"#;
        assert_eq!(
            undo("ModifyImageAttribute", organization, "{}", None),
            r#"aws ec2 modify-image-attribute --image-id ami-1 --launch-permission '{"Remove":[{"OrganizationArn":"arn:aws:organizations::9:organization/o-1"}]}' --region eu-west-1  # copies that were made remain"#
        );
        let description = r#"{"imageId":"ami-1","description":{"value":"x"}}"#;
        let words = undo("ModifyImageAttribute", description, "{}", None);
        assert!(
            words.starts_with("# restore the attribute of image ami-1"),
            "{words}"
        );
        let cluster = r#"{"dBClusterSnapshotIdentifier":"s","attributeName":"restore","valuesToAdd":["999988887777","all"]}"#;
        assert_eq!(
            undo("ModifyDBClusterSnapshotAttribute", cluster, "{}", None),
            "aws rds modify-db-cluster-snapshot-attribute --db-cluster-snapshot-identifier s --attribute-name restore --values-to-remove 999988887777 all --region eu-west-1  # copies that were made remain"
        );
        let both = r#"{"dBSnapshotIdentifier":"s","attributeName":"restore","valuesToAdd":["999988887777"],"valuesToRemove":["444455556666"]}"#;
        assert_eq!(
            undo("ModifyDBSnapshotAttribute", both, "{}", None),
            "aws rds modify-db-snapshot-attribute --db-snapshot-identifier s --attribute-name restore --values-to-remove 999988887777 --values-to-add 444455556666 --region eu-west-1  # copies that were made remain"
        );
        let document =
            r#"{"name":"d","permissionType":"Share","accountIdsToAdd":["999988887777"]}"#;
        assert_eq!(
            undo("ModifyDocumentPermission", document, "{}", None),
            "aws ssm modify-document-permission --name d --permission-type Share --account-ids-to-remove 999988887777 --region eu-west-1  # copies that were made remain"
        );
    }

    #[test]
    fn a_key_of_the_root_user_has_no_user_name() {
        let response = r#"{"accessKey":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}}"#;
        assert_eq!(
            undo("CreateAccessKey", "{}", response, Some("111122223333")),
            "aws iam delete-access-key --access-key-id AKIAIOSFODNN7EXAMPLE  # signed in as the root user of account 111122223333"
        );
        let unknown = undo("CreateAccessKey", "{}", response, None);
        assert!(unknown.starts_with("# no command available"), "{unknown}");
        assert_eq!(
            undo("CreateAccessKey", r#"{"userName":"it's"}"#, response, None),
            r"aws iam delete-access-key --user-name 'it'\''s' --access-key-id AKIAIOSFODNN7EXAMPLE"
        );
    }

    #[test]
    fn a_key_gets_its_other_status_back_and_a_name_is_no_option() {
        let status = |status: &str| {
            let request = format!(
                r#"{{"userName":"-rf","accessKeyId":"AKIAIOSFODNN7EXAMPLE","status":"{status}"}}"#
            );
            undo("UpdateAccessKey", &request, "{}", None)
        };
        let begin = "aws iam update-access-key --user-name='-rf' --access-key-id AKIAIOSFODNN7EXAMPLE --status";
        assert_eq!(status("Inactive"), format!("{begin} Active"));
        assert_eq!(status("Active"), format!("{begin} Inactive"));
    }

    #[test]
    fn words_cannot_be_pasted_as_a_command() {
        let undo = undo(
            "PutBucketPolicy",
            r#"{"bucketName":"b\ntouch /tmp/x"}"#,
            "{}",
            None,
        );
        assert!(
            undo.starts_with("# restore the previous policy of bucket b touch"),
            "{undo}"
        );
    }
}
