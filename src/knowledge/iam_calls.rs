//! Which permissions does a call need?
//!
//! In: a [`Call`], as an event records it. Out: its [`Need`]s: actions, each with a resource and a condition. Promise: in
//! this order: what AWS's own refusal says, `data/event_actions.tsv`, the name of the call without its date. A name that
//! the reference does not have is still a need; whoever asks can tell by looking it up. Passing a role is a need of its
//! own, since no event tells of it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::iam_actions::{self, Action};
use super::iam_parameters::Parameters;
use super::iam_resources;

/// A call, as an event records it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// `event_source`.
    pub event_source: &'a str,
    /// `operation`: the call's name without a date.
    pub operation: &'a str,
    /// `aws_region`.
    pub region: &'a str,
    /// `account_id`.
    pub account: &'a str,
    /// `user_identity_arn`.
    pub caller: &'a str,
    /// `via_service`.
    pub via_service: Option<&'a str>,
    /// `resources`, JSON.
    pub resources: Option<&'a str>,
    /// `request_parameters`, JSON.
    pub request_parameters: Option<&'a str>,
    /// `error_message`, if the call was refused.
    pub refusal: Option<&'a str>,
}

/// A permission that a call needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The action, e.g. `s3:GetObject`.
    pub action: String,
    /// The resource as a policy writes it. For objects of S3 up to their last `/`, the rest is in `leaf`.
    pub resource: String,
    /// The last part of an object's key, where nothing in it tells that it is one of many.
    pub leaf: Option<String>,
    /// A condition under which alone it was needed, e.g. `kms:ViaService=s3.eu-west-1.amazonaws.com`.
    pub condition: Option<String>,
    /// Whether it is the first need of its action in this call: who counts calls counts these.
    pub first: bool,
}

/// The IAM prefix of an event source, e.g. `cloudwatch` for `monitoring.amazonaws.com`.
pub fn prefix(event_source: &str) -> &str {
    let label = event_source
        .strip_suffix(".amazonaws.com")
        .unwrap_or(event_source);
    PREFIXES
        .iter()
        .find(|(name, _)| match name.strip_suffix('*') {
            Some(start) => label.starts_with(start),
            None => *name == label,
        })
        .map_or_else(
            || label.split('.').next().unwrap_or(label),
            |(_, prefix)| *prefix,
        )
}

/// The actions of a call, without what it does them to.
pub fn actions(
    prefix: &str,
    operation: &str,
    given: &dyn Fn(&str, Option<&str>) -> bool,
) -> Vec<String> {
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

/// Every permission that the call needs; none for calls that need none.
pub fn needs(call: &Call<'_>) -> Vec<Need> {
    if let Some(need) = call.refusal.and_then(refused) {
        return vec![need];
    }
    let prefix = prefix(call.event_source);
    let parameters = Parameters::read(call);
    let mut needs = Vec::new();
    for name in actions(prefix, call.operation, &|name, value| {
        parameters.given(name, value)
    }) {
        let known = iam_actions::action(&name);
        let condition = via(call, prefix, &parameters);
        for resource in iam_resources::of(call, &name, &parameters) {
            let (resource, leaf) = iam_resources::split(resource);
            needs.push(Need {
                action: name.clone(),
                resource,
                leaf,
                condition: condition.clone(),
                first: false,
            });
        }
        needs.extend(passed_roles(
            prefix,
            known.map(|(_, action)| action),
            &parameters,
        ));
    }
    needs.sort();
    needs.dedup();
    let mut last = None;
    for need in &mut needs {
        need.first = last.replace(need.action.clone()).as_ref() != Some(&need.action);
    }
    needs
}

/// The services to which a call of this prefix passes roles.
fn passed_to(prefix: &str) -> String {
    let listed = PASSED_TO.iter().find(|(name, _)| *name == prefix);
    listed.map_or_else(
        || format!("{prefix}.amazonaws.com"),
        |(_, services)| (*services).to_owned(),
    )
}

/// The roles that the call passes on.
fn passed_roles(prefix: &str, action: Option<&Action>, parameters: &Parameters) -> Vec<Need> {
    // Here a role is what the call is about.
    if matches!(prefix, "sts" | "iam") && action.is_none_or(|action| !action.passes_role) {
        return Vec::new();
    }
    let passes = action.is_some_and(|action| action.passes_role);
    let roles = parameters.roles(passes).into_iter();
    let need = |resource| Need {
        action: "iam:PassRole".to_owned(),
        resource,
        leaf: None,
        condition: Some(format!("iam:PassedToService={}", passed_to(prefix))),
        first: false,
    };
    roles.map(need).collect()
}

/// Services that `aws:CalledVia` knows; for all others `aws:ViaAWSService` has to do.
const CALLED_VIA: [&str; 18] = [
    "aoss.amazonaws.com",
    "athena.amazonaws.com",
    "backup.amazonaws.com",
    "cloud9.amazonaws.com",
    "cloudformation.amazonaws.com",
    "databrew.amazonaws.com",
    "dataexchange.amazonaws.com",
    "dynamodb.amazonaws.com",
    "imagebuilder.amazonaws.com",
    "kms.amazonaws.com",
    "mgn.amazonaws.com",
    "nimble.amazonaws.com",
    "omics.amazonaws.com",
    "ram.amazonaws.com",
    "robomaker.amazonaws.com",
    "servicecatalog-appregistry.amazonaws.com",
    "sqlworkbench.amazonaws.com",
    "ssm-guiconnect.amazonaws.com",
];

/// Keys of KMS's encryption context, and the services that put them there.
const CONTEXTS: [(&str, &str); 8] = [
    ("aws:s3:arn", "s3"),
    ("aws:ebs:id", "ec2"),
    ("SecretARN", "secretsmanager"),
    ("PARAMETER_ARN", "ssm"),
    ("aws:dynamodb:tableName", "dynamodb"),
    ("aws:sqs:arn", "sqs"),
    ("aws:lambda:FunctionArn", "lambda"),
    ("aws:rds:db-id", "rds"),
];

/// The condition of a call that a service made on the caller's behalf.
fn via(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Option<String> {
    let service = call.via_service?;
    let named = service.strip_suffix(".amazonaws.com");
    if prefix == "kms" {
        let context = CONTEXTS
            .iter()
            .find(|(key, _)| parameters.has_context(key))
            .map(|(_, service)| *service);
        return Some(match named.or(context) {
            Some(name) => format!("kms:ViaService={name}.{}.amazonaws.com", call.region),
            None => "aws:ViaAWSService=true".to_owned(),
        });
    }
    Some(match CALLED_VIA.contains(&service) {
        true => format!("aws:CalledVia={service}"),
        false => "aws:ViaAWSService=true".to_owned(),
    })
}

/// What AWS's refusal names: `… is not authorized to perform: s3:GetObject on resource: "arn:…" because …`.
fn refused(message: &str) -> Option<Need> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let (action, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (prefix, name) = action.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !plain(prefix) || !plain(name) {
        return None;
    }
    let resource = rest
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let resource = resource.map(|resource| resource.trim_matches(['"', '.', ',']));
    let (resource, leaf) = match resource {
        Some(arn) if arn.starts_with("arn:") => iam_resources::split(super::arn::literal(arn)),
        _ => ("*".to_owned(), None),
    };
    Some(Need {
        action: action.to_owned(),
        resource,
        leaf,
        condition: None,
        first: true,
    })
}

/// The action named as the call, in the reference's letters if it has it.
fn named(prefix: &str, operation: &str) -> String {
    let name = format!("{prefix}:{operation}");
    iam_actions::action(&name).map_or(name, |(_, action)| format!("{prefix}:{}", action.name))
}

/// A line of `event_actions.tsv`.
struct Exception {
    when: &'static str,
    actions: &'static str,
}

type Exceptions = HashMap<(&'static str, &'static str), Vec<Exception>>;

static EXCEPTIONS: LazyLock<Exceptions> = LazyLock::new(|| {
    let mut exceptions = Exceptions::new();
    for [service, call, when, actions] in table(include_str!("data/event_actions.tsv")) {
        exceptions
            .entry((service, call))
            .or_default()
            .push(Exception { when, actions });
    }
    exceptions
});

static PREFIXES: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    table(include_str!("data/iam_prefixes.tsv"))
        .map(|[label, prefix]| (label, prefix))
        .collect()
});

static PASSED_TO: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    table(include_str!("data/passed_to.tsv"))
        .map(|[prefix, services]| (prefix, services))
        .collect()
});

/// The rows of a table of this many columns.
pub(super) fn table<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

fn exceptions(prefix: &str, operation: &str) -> Option<&'static [Exception]> {
    let exact = EXCEPTIONS
        .iter()
        .find(|((service, call), _)| *service == prefix && *call == operation);
    let begins = || {
        EXCEPTIONS.iter().find(|((service, call), _)| {
            *service == prefix
                && call
                    .strip_suffix('*')
                    .is_some_and(|start| operation.starts_with(start))
        })
    };
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

/// The texts of a JSON value, with the name under which each stands.
pub(super) fn texts<'a>(name: &'a str, value: &'a Value, visit: &mut dyn FnMut(&'a str, &'a str)) {
    match value {
        Value::String(text) => visit(name, text),
        Value::Array(items) => items.iter().for_each(|item| texts(name, item, visit)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| texts(name, value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str, operation: &str, parameters: &str) -> Vec<String> {
        told(&Call {
            event_source: source,
            operation,
            region: "eu-west-1",
            account: "111122223333",
            caller: "arn:aws:iam::111122223333:user/service/svc",
            request_parameters: Some(parameters),
            ..Call::default()
        })
    }

    fn told(call: &Call<'_>) -> Vec<String> {
        let told = needs(call).into_iter().map(|need| {
            let leaf = need.leaf.unwrap_or_default();
            let condition = need
                .condition
                .map_or_else(String::new, |condition| format!(" if {condition}"));
            format!("{} {}{leaf}{condition}", need.action, need.resource)
        });
        told.collect()
    }

    #[test]
    fn every_exception_is_of_the_reference() {
        for ((prefix, call), lines) in EXCEPTIONS.iter() {
            assert!(
                iam_actions::service(prefix).is_some() || *prefix == "signin",
                "{prefix}"
            );
            for action in lines
                .iter()
                .flat_map(|line| line.actions.split(' '))
                .filter(|action| !action.is_empty())
            {
                assert!(
                    iam_actions::action(action).is_some(),
                    "{prefix} {call}: {action}"
                );
            }
        }
        for (label, prefix) in PREFIXES.iter() {
            assert!(iam_actions::service(prefix).is_some(), "{label}: {prefix}");
        }
        assert!(EXCEPTIONS.len() > 80 && PREFIXES.len() > 25 && PASSED_TO.len() > 8);
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
    fn calls_of_s3_have_actions_of_other_names() {
        let s3 = |operation, parameters| of("s3.amazonaws.com", operation, parameters);
        let object = r#"{"bucketName":"b","key":"daily/2025-03-03/1.csv"}"#;
        assert_eq!(s3("ListBuckets", "{}"), ["s3:ListAllMyBuckets *"]);
        assert_eq!(
            s3("ListObjects", r#"{"bucketName":"b","list-type":"2"}"#),
            ["s3:ListBucket arn:aws:s3:::b"]
        );
        assert_eq!(
            s3("HeadObject", object),
            ["s3:GetObject arn:aws:s3:::b/daily/*"]
        );
        assert_eq!(
            s3(
                "HeadObject",
                r#"{"bucketName":"b","key":"k","versionId":"v"}"#
            ),
            ["s3:GetObjectVersion arn:aws:s3:::b/k"]
        );
        assert_eq!(
            s3("DeleteObjects", r#"{"bucketName":"b"}"#),
            ["s3:DeleteObject arn:aws:s3:::b/*"]
        );
        assert_eq!(
            s3(
                "PutObject",
                r#"{"bucketName":"b","key":"k","x-amz-acl":"private"}"#
            ),
            [
                "s3:PutObject arn:aws:s3:::b/k",
                "s3:PutObjectAcl arn:aws:s3:::b/k"
            ]
        );
        assert_eq!(
            s3(
                "CopyObject",
                r#"{"bucketName":"to","key":"k","x-amz-copy-source":"from/a"}"#
            ),
            [
                "s3:GetObject arn:aws:s3:::from/a",
                "s3:PutObject arn:aws:s3:::to/k"
            ]
        );
        assert_eq!(
            s3("DeleteBucketCors", r#"{"bucketName":"b"}"#),
            ["s3:PutBucketCORS arn:aws:s3:::b"]
        );
    }

    #[test]
    fn a_key_of_an_attacker_opens_nothing() {
        let get = of(
            "s3.amazonaws.com",
            "GetObject",
            r#"{"bucketName":"b","key":"a*?${aws:username}"}"#,
        );
        assert_eq!(
            get,
            ["s3:GetObject arn:aws:s3:::b/a${*}${?}${$}{aws:username}"]
        );
        let listed = told(&Call {
            event_source: "s3.amazonaws.com",
            operation: "GetObject",
            resources: Some(r#"[{"ARN":"arn:aws:s3:::b/*","type":"AWS::S3::Object"}]"#),
            ..Call::default()
        });
        assert_eq!(listed, ["s3:GetObject arn:aws:s3:::b/${*}"]);
    }

    #[test]
    fn resources_are_built_from_parameters() {
        let start = "arn:aws:";
        for (source, operation, parameters, expected) in [
            (
                "dynamodb",
                "GetItem",
                r#"{"tableName":"orders"}"#,
                "dynamodb:GetItem dynamodb:eu-west-1:111122223333:table/orders",
            ),
            (
                "sqs",
                "SendMessage",
                r#"{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/q"}"#,
                "sqs:SendMessage sqs:eu-west-1:444455556666:q",
            ),
            (
                "ssm",
                "GetParameter",
                r#"{"name":"/prod/app"}"#,
                "ssm:GetParameter ssm:eu-west-1:111122223333:parameter/prod/app",
            ),
            (
                "ssm",
                "GetParametersByPath",
                r#"{"path":"/prod/"}"#,
                "ssm:GetParametersByPath ssm:eu-west-1:111122223333:parameter/prod/*",
            ),
            (
                "secretsmanager",
                "GetSecretValue",
                r#"{"secretId":"db"}"#,
                "secretsmanager:GetSecretValue secretsmanager:eu-west-1:111122223333:secret:db-??????",
            ),
            (
                "eks",
                "DescribeCluster",
                r#"{"name":"web"}"#,
                "eks:DescribeCluster eks:eu-west-1:111122223333:cluster/web",
            ),
            (
                "rds",
                "DescribeDBInstances",
                r#"{"dBInstanceIdentifier":"main"}"#,
                "rds:DescribeDBInstances rds:eu-west-1:111122223333:db:main",
            ),
            (
                "ec2",
                "StopInstances",
                r#"{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]}}"#,
                "ec2:StopInstances ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0",
            ),
            (
                "iam",
                "GetUser",
                "null",
                "iam:GetUser iam::111122223333:user/service/svc",
            ),
            (
                "logs",
                "PutLogEvents",
                r#"{"logGroupName":"g","logStreamName":"2025/s"}"#,
                "logs:PutLogEvents logs:eu-west-1:111122223333:log-group:g:log-stream:*",
            ),
            (
                "kms",
                "Encrypt",
                r#"{"keyId":"arn:aws:kms:eu-west-1:111122223333:key/k"}"#,
                "kms:Encrypt kms:eu-west-1:111122223333:key/k",
            ),
            (
                "sns",
                "Publish",
                r#"{"topicArn":"arn:aws:sns:eu-west-1:444455556666:t"}"#,
                "sns:Publish sns:eu-west-1:444455556666:t",
            ),
        ] {
            let source = format!("{source}.amazonaws.com");
            let (action, arn) = expected.split_once(' ').unwrap();
            assert_eq!(
                of(&source, operation, parameters),
                [format!("{action} {start}{arn}")]
            );
        }
        let user = of("iam.amazonaws.com", "DeleteUser", r#"{"userName":"bob"}"#);
        assert_eq!(
            user,
            [
                "iam:DeleteUser arn:aws:iam::111122223333:user/*/bob",
                "iam:DeleteUser arn:aws:iam::111122223333:user/bob"
            ]
        );
        assert_eq!(
            of("ec2.amazonaws.com", "DescribeInstances", "{}"),
            ["ec2:DescribeInstances *"]
        );
        assert_eq!(
            of("unheard.amazonaws.com", "DoIt", "{}"),
            ["unheard:DoIt *"]
        );
    }

    #[test]
    fn instances_need_all_they_are_made_of() {
        let run = of(
            "ec2.amazonaws.com",
            "RunInstances",
            r#"{"instancesSet":{"items":[{"imageId":"ami-0123456789abcdef0","keyName":"ops"}]},"subnetId":"subnet-01234567","tagSpecificationSet":{"items":[]},"iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/web"}}"#,
        );
        for expected in [
            "ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:instance/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:security-group/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-01234567",
            "iam:PassRole arn:aws:iam::111122223333:role/web if iam:PassedToService=ec2.amazonaws.com",
        ] {
            assert!(
                run.iter().any(|need| need == expected),
                "{expected} in {run:#?}"
            );
        }
        assert!(
            run.iter().any(|need| need.starts_with("ec2:CreateTags ")),
            "{run:#?}"
        );
    }

    #[test]
    fn roles_that_are_passed_and_roles_that_are_assumed() {
        let create = of(
            "lambda.amazonaws.com",
            "CreateFunction",
            r#"{"functionName":"f","role":"arn:aws:iam::111122223333:role/service/fn"}"#,
        );
        assert_eq!(
            create,
            [
                "iam:PassRole arn:aws:iam::111122223333:role/service/fn if iam:PassedToService=lambda.amazonaws.com",
                "lambda:CreateFunction arn:aws:lambda:eu-west-1:111122223333:function:f",
            ]
        );
        let assume = of(
            "sts.amazonaws.com",
            "AssumeRole",
            r#"{"roleArn":"arn:aws:iam::444455556666:role/deploy"}"#,
        );
        assert_eq!(
            assume,
            ["sts:AssumeRole arn:aws:iam::444455556666:role/deploy"]
        );
        assert!(of("sts.amazonaws.com", "GetCallerIdentity", "null").is_empty());
        let tasks = of(
            "ecs.amazonaws.com",
            "RegisterTaskDefinition",
            r#"{"family":"web","taskRoleArn":"arn:aws:iam::111122223333:role/t"}"#,
        );
        assert!(
            tasks[1].contains("iam:PassRole") || tasks[0].contains("iam:PassRole"),
            "{tasks:?}"
        );
    }

    #[test]
    fn what_a_service_did_for_the_caller_is_bound_to_it() {
        let decrypt = Call {
            event_source: "kms.amazonaws.com",
            operation: "Decrypt",
            region: "eu-west-1",
            account: "1",
            via_service: Some("AWS Internal"),
            resources: Some(r#"[{"ARN":"arn:aws:kms:eu-west-1:1:key/k"}]"#),
            request_parameters: Some(r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::b"}}"#),
            ..Call::default()
        };
        let expected = "kms:Decrypt arn:aws:kms:eu-west-1:1:key/k if kms:ViaService=s3.eu-west-1.amazonaws.com";
        assert_eq!(told(&decrypt), [expected]);
        let stack = |service| Call {
            event_source: "sns.amazonaws.com",
            operation: "ListTopics",
            via_service: Some(service),
            ..Call::default()
        };
        assert_eq!(
            told(&stack("cloudformation.amazonaws.com")),
            ["sns:ListTopics * if aws:CalledVia=cloudformation.amazonaws.com"]
        );
        assert_eq!(
            told(&stack("AWS Internal")),
            ["sns:ListTopics * if aws:ViaAWSService=true"]
        );
    }

    #[test]
    fn a_refusal_names_what_was_needed() {
        let refused = |message| {
            told(&Call {
                event_source: "s3.amazonaws.com",
                operation: "ListBuckets",
                refusal: Some(message),
                ..Call::default()
            })
        };
        assert_eq!(
            refused(
                "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: \"arn:aws:kms:r:1:key/2\" because no identity-based policy allows the kms:Decrypt action"
            ),
            ["kms:Decrypt arn:aws:kms:r:1:key/2"]
        );
        assert_eq!(refused("Access Denied"), ["s3:ListAllMyBuckets *"]);
        // An attacker who writes messages can name no wildcard.
        assert_eq!(
            refused("not authorized to perform: iam:* on resource: *"),
            ["s3:ListAllMyBuckets *"]
        );
    }
}
