//! Which permissions does a call need?
//!
//! In: a [`Call`]. Out: its [`Need`]s. Promise: what AWS's own refusal says comes first; a name that the reference does not have is
//! marked [`Open::UnknownAction`], so that nobody allows it; what a parameter asks for besides is a need of its own, since no event
//! tells of it.

use super::actions;
use super::call::{Call, Need, Open};
use super::parameters::Parameters;
use super::{
    encrypted, gateway, implied, models, names, partiql, refusal, resources, roles, sources, tags,
    via,
};

/// Every permission that the call needs; none for calls that need none.
pub fn needs(call: &Call<'_>) -> Vec<Need> {
    let mut needs = match call.refusal.and_then(refusal::refused) {
        Some(need) => vec![need],
        None => all(call),
    };
    for need in &mut needs {
        if need.open.is_none() && actions::action(&need.action).is_none() {
            need.open = Some(Open::UnknownAction);
        }
    }
    needs.sort();
    needs.dedup();
    let mut last = None;
    for need in &mut needs {
        need.first = last.replace(need.action.clone()).as_ref() != Some(&need.action);
    }
    needs
}

fn all(call: &Call<'_>) -> Vec<Need> {
    let prefix = names::prefix(call.event_source);
    let parameters = Parameters::read(call);
    let own = match prefix {
        "apigateway" => gateway::needs(call, &parameters),
        "bedrock" => models::needs(call, &parameters),
        "dynamodb" => partiql::needs(call, &parameters),
        _ => None,
    };
    let mut own = own.unwrap_or_else(|| of_names(call, prefix, &parameters));
    own.extend(sources::needs(call, prefix, &parameters));
    let condition = via::condition(call, prefix, &parameters);
    let mut needs: Vec<Need> = own
        .into_iter()
        .map(|need| match need.open {
            None => need.under(condition.clone()),
            Some(_) => need,
        })
        .collect();
    needs.extend(tags::needs(call, prefix, &parameters, &needs));
    needs.extend(roles::needs(call, prefix, &parameters));
    needs.extend(implied::needs(call, prefix, &parameters));
    needs.extend(encrypted::needs(call, prefix, &parameters));
    needs
}

/// The actions by the call's name, each with what it is done to.
fn of_names(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    let actions = names::actions_of(prefix, call.operation, &|name, value| {
        parameters.given(name, value)
    });
    let mut needs = Vec::new();
    for action in actions {
        let resources = resources::of(call, &action, parameters);
        needs.extend(
            resources
                .into_iter()
                .map(|resource| Need::new(action.clone(), resource)),
        );
    }
    needs
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
            [
                "s3:DeleteObject arn:aws:s3:::b/*",
                "s3:DeleteObjectVersion arn:aws:s3:::b"
            ]
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
                "s3:GetObjectTagging arn:aws:s3:::from/a",
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
        let path = "ssm:GetParametersByPath arn:aws:ssm:eu-west-1:111122223333:parameter/prod";
        assert_eq!(
            of(
                "ssm.amazonaws.com",
                "GetParametersByPath",
                r#"{"path":"/prod/"}"#
            ),
            [path.to_owned(), format!("{path}/*")]
        );
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
            r#"{"instancesSet":{"items":[{"imageId":"ami-0123456789abcdef0","keyName":"ops"}]},"subnetId":"subnet-01234567","tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"a","value":"b"}]}]},"iamInstanceProfile":{"name":"web"}}"#,
        );
        for expected in [
            "ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:instance/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:security-group/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-01234567",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:volume/*",
            "ec2:RunInstances arn:aws:ec2:eu-west-1:111122223333:key-pair/ops",
            "ec2:CreateTags arn:aws:ec2:eu-west-1:111122223333:instance/*",
            "iam:PassRole arn:aws:iam::111122223333:role/web if iam:PassedToService=ec2.amazonaws.com",
        ] {
            assert!(
                run.iter().any(|need| need == expected),
                "{expected} in {run:#?}"
            );
        }
        let tagged = run
            .iter()
            .filter(|need| need.starts_with("ec2:CreateTags "));
        assert_eq!(tagged.count(), 1, "{run:#?}");
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
