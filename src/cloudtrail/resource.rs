//! What a call was about.
//!
//! In: service, `requestParameters` and `resources` of a record. Out: one resource, by ARN or as `service:name`, objects by the
//! first folder of their key. Promise: calls on many objects of one folder name one resource; a record that names none has none.

use crate::json::scan::{self, Elements};
use std::borrow::Cow;

/// Parameters that name what a call is about, the more telling first.
const NAMES: [&str; 24] = [
    "roleArn",
    "tableName",
    "functionName",
    "secretId",
    "queueUrl",
    "topicArn",
    "targetArn",
    "streamName",
    "streamARN",
    "deliveryStreamName",
    "keyId",
    "logGroupName",
    "repositoryName",
    "cluster",
    "clusterName",
    "dBInstanceIdentifier",
    "stateMachineArn",
    "stackName",
    "projectName",
    "domainName",
    "roleName",
    "userName",
    "policyArn",
    "name",
];

/// The resource that a call was about, if the record names one.
pub fn used_resource(
    event_source: &str,
    request_parameters: Option<&str>,
    resources: Option<&str>,
) -> Option<String> {
    let service = event_source
        .strip_suffix(".amazonaws.com")
        .unwrap_or(event_source);
    let parameters = request_parameters.unwrap_or_default();
    let [bucket, key] = given(parameters, &["bucketName", "key"]);
    if let Some(bucket) = bucket {
        return Some(match key.as_deref().map(|key| key.split_once('/')) {
            None => format!("arn:aws:s3:::{bucket}"),
            Some(None) => format!("arn:aws:s3:::{bucket}/*"),
            Some(Some((folder, _))) => format!("arn:aws:s3:::{bucket}/{folder}/*"),
        });
    }
    let listed = resources.and_then(scan::sound).and_then(Elements::of);
    for resource in listed.into_iter().flatten() {
        let [upper, lower] = given(resource, &["ARN", "arn"]);
        if let Some(arn) = upper.or(lower).filter(|arn| arn.starts_with("arn:")) {
            return Some(arn.into_owned());
        }
    }
    let named = given(parameters, &NAMES).into_iter().flatten().next()?;
    Some(match named.starts_with("arn:") {
        true => named.into_owned(),
        false => format!(
            "{service}:{}",
            named
                .rsplit_once("amazonaws.com/")
                .map_or(named.as_ref(), |(_, name)| name)
        ),
    })
}

/// The texts of these members, as far as they are there and not empty.
fn given<'a, const N: usize>(object: &'a str, names: &[&str; N]) -> [Option<Cow<'a, str>>; N] {
    let texts = scan::texts(object, names).unwrap_or([const { None }; N]);
    texts.map(|text| text.filter(|text| !text.is_empty()))
}

/// The session that a call on STS asked for, numbers that count up left out: `botocore-session-*`.
pub fn session_name(request_parameters: &str) -> Option<String> {
    let [session, name] = given(request_parameters, &["roleSessionName", "name"]);
    let name = session.or(name)?;
    let mut plain = String::new();
    let mut digits = String::new();
    // Four digits may be a year or a ticket, more are a clock.
    let close = |digits: &mut String, plain: &mut String| {
        match digits.len() {
            0..=4 => plain.push_str(digits),
            _ => plain.push('*'),
        }
        digits.clear();
    };
    for c in name.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            close(&mut digits, &mut plain);
            plain.push(c);
        }
    }
    close(&mut digits, &mut plain);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_by_arn_name_or_folder() {
        let used = |source, parameters, resources| {
            used_resource(source, parameters, resources).unwrap_or_default()
        };
        let s3 = "s3.amazonaws.com";
        assert_eq!(
            used(s3, Some(r#"{"bucketName":"b","key":"a/b/c.csv"}"#), None),
            "arn:aws:s3:::b/a/*"
        );
        assert_eq!(
            used(s3, Some(r#"{"bucketName":"b","key":"c.csv"}"#), None),
            "arn:aws:s3:::b/*"
        );
        assert_eq!(
            used(s3, Some(r#"{"bucketName":"b","prefix":""}"#), None),
            "arn:aws:s3:::b"
        );
        assert_eq!(used(s3, Some(r#"{"Host":"s3.amazonaws.com"}"#), None), "");
        let table = r#"[{"accountId":"1","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:eu-west-1:1:table/orders"}]"#;
        let parameters = Some(
            r#"{"tableName":"orders","key":{"pk":"x"},"n":[1,{"a":null}],"t":true,"f":1.5,"i":-1}"#,
        );
        assert_eq!(
            used("dynamodb.amazonaws.com", parameters, Some(table)),
            "arn:aws:dynamodb:eu-west-1:1:table/orders"
        );
        assert_eq!(
            used("dynamodb.amazonaws.com", parameters, None),
            "dynamodb:orders"
        );
        let queue =
            Some(r#"{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/orders"}"#);
        assert_eq!(
            used("sqs.amazonaws.com", queue, None),
            "sqs:444455556666/orders"
        );
        assert_eq!(
            used("ec2.amazonaws.com", Some("null"), Some("nonsense")),
            ""
        );
        assert_eq!(
            used(
                "ec2.amazonaws.com",
                None,
                Some(r#"[{"ARN":7},{"ARN":"arn:aws:x"}]"#)
            ),
            "arn:aws:x"
        );
    }

    #[test]
    fn session_names_without_clocks() {
        let name = |text| session_name(text).unwrap_or_default();
        assert_eq!(
            name(r#"{"roleSessionName":"botocore-session-1741142000"}"#),
            "botocore-session-*"
        );
        assert_eq!(name(r#"{"roleSessionName":"alice-2025"}"#), "alice-2025");
        assert_eq!(name(r#"{"durationSeconds":3600}"#), "");
        assert_eq!(name("null"), "");
    }
}
