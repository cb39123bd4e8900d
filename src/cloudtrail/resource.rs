//! What a call was about.
//!
//! In: service, `requestParameters` and `resources` of a record. Out: one resource, by ARN or as `service:name`, objects by the
//! first folder of their key. Promise: calls on many objects of one folder name one resource; a record that names none has none.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Parameters that name what a call is about, the more telling first.
const NAMES: &[&str] = &[
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

/// A value that may be anything; only texts count.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text<'de>, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text<'de>, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// The members of an object that are texts.
struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = object.next_entry::<Text<'de>, Text<'de>>()? {
                    if let (Some(name), Some(value)) = (name.0, value.0) {
                        members.push((name, value));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(member, _)| member == name);
        found
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }
}

/// The resource that a call was about, if the record names one.
pub fn used_resource(
    event_source: &str,
    request_parameters: Option<&str>,
    resources: Option<&str>,
) -> Option<String> {
    let service = event_source
        .strip_suffix(".amazonaws.com")
        .unwrap_or(event_source);
    let parameters: Option<Members<'_>> =
        request_parameters.and_then(|text| serde_json::from_str(text).ok());
    if let Some(bucket) = parameters
        .as_ref()
        .and_then(|members| members.get("bucketName"))
    {
        let key = parameters.as_ref().and_then(|members| members.get("key"));
        return Some(match key.map(|key| key.split_once('/')) {
            None => format!("arn:aws:s3:::{bucket}"),
            Some(None) => format!("arn:aws:s3:::{bucket}/*"),
            Some(Some((folder, _))) => format!("arn:aws:s3:::{bucket}/{folder}/*"),
        });
    }
    let listed: Option<Vec<Members<'_>>> =
        resources.and_then(|text| serde_json::from_str(text).ok());
    for resource in listed.iter().flatten() {
        let arn = resource.get("ARN").or_else(|| resource.get("arn"));
        if let Some(arn) = arn.filter(|arn| arn.starts_with("arn:")) {
            return Some(arn.to_owned());
        }
    }
    let parameters = parameters?;
    let named = NAMES.iter().find_map(|name| parameters.get(name))?;
    Some(match named.starts_with("arn:") {
        true => named.to_owned(),
        false => format!(
            "{service}:{}",
            named
                .rsplit_once("amazonaws.com/")
                .map_or(named, |(_, name)| name)
        ),
    })
}

/// The session that a call on STS asked for, numbers that count up left out: `botocore-session-*`.
pub fn session_name(request_parameters: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(request_parameters).ok()?;
    let name = members
        .get("roleSessionName")
        .or_else(|| members.get("name"))?;
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
