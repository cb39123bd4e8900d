//! Columns that no field holds as it is.
//!
//! In: a scanned record. Out: what SQL would otherwise dig out of JSON text again and again. Promise: derived values come
//! from this record alone and replace nothing; the fields they come from have columns of their own.

use super::record::Record;
use super::schema::Field;
use crate::json::scan as json;
use std::borrow::Cow;
use std::net::IpAddr;

/// The API call without the API's date: `CreateFunction20150331` and `UpdateFunctionCode20150331v2` lose it.
pub(crate) fn operation(event_name: &str) -> &str {
    let without_version = match event_name.rsplit_once('v') {
        Some((name, version))
            if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => event_name,
    };
    let Some((name, date)) = without_version
        .len()
        .checked_sub(8)
        .and_then(|at| without_version.split_at_checked(at))
    else {
        return event_name;
    };
    let is_date = date.starts_with("20") && date.bytes().all(|byte| byte.is_ascii_digit());
    if is_date && !name.is_empty() {
        name
    } else {
        event_name
    }
}

/// The address as 16 bytes that sort and match prefixes; service names have none.
pub(crate) fn address(source_ip_address: &str) -> Option<[u8; 16]> {
    // Service names are common, and their first letter tells: no hexadecimal digit, or a later byte that is none.
    let address: IpAddr = source_ip_address.parse().ok()?;
    Some(match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    })
}

/// The account in whose log the event is.
pub(crate) fn account_id<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    record
        .text(Field::RecipientAccountId)
        .or_else(|| record.text(Field::UserIdentityAccountId))
}

/// The service that made the call on the caller's behalf. A service that calls for itself is the caller; so is a person in the
/// console, whose older records name the sign-in service.
pub(crate) fn via_service<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    match record.raw(Field::UserIdentityType) {
        "" | "\"AWSService\"" => None,
        _ => record
            .text(Field::UserIdentityInvokedBy)
            .filter(|service| !service.is_empty() && service != "signin.amazonaws.com"),
    }
}

/// A key that a call issued.
#[derive(Debug, PartialEq)]
pub(crate) struct Issued<'a> {
    pub(crate) access_key_id: Cow<'a, str>,
    pub(crate) principal: Option<Cow<'a, str>>,
}

/// The key that this call issued: a session (`AssumeRole*`, `GetSessionToken`, `GetFederationToken`, `CreateSession`,
/// `GetCredentialsForIdentity`, S3's `GetDataAccess`; Lake Formation's answers have the key at their top) or a long-term key
/// (`CreateAccessKey`; Lightsail's `CreateBucketAccessKey`, which belongs to no user). `GetSigninToken` answers with the key that
/// it was given, so it issues none.
pub(crate) fn issued<'a>(record: &Record<'a>) -> Option<Issued<'a>> {
    let response = record.raw(Field::ResponseElements);
    if !response.starts_with('{')
        || !record.raw(Field::ErrorCode).is_empty()
        || !response.contains("accessKeyId")
    {
        return None;
    }
    if record.raw(Field::EventName) == "\"GetSigninToken\"" {
        return None;
    }
    let text = |object: &'a str, key: &str| json::member(object, key).and_then(json::string);
    if let Some(key) = json::member(response, "accessKey") {
        // A call without a user name is about the caller, but for keys of buckets.
        let caller = match record.raw(Field::EventName) {
            "\"CreateAccessKey\"" => record.text(Field::UserIdentityUserName),
            _ => None,
        };
        let user = text(key, "userName").or(caller);
        return Some(Issued {
            access_key_id: text(key, "accessKeyId")?,
            principal: user,
        });
    }
    let set = json::member(response, "credentialSet")
        .map(|set| set.trim_start_matches(['[', ' ', '\n', '\r', '\t']));
    // <https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetTemporaryGlueTableCredentials.html>
    let at_top = || text(response, "accessKeyId").map(|_| response);
    let credentials = json::member(set.unwrap_or(response), "credentials").or_else(at_top)?;
    let principal = ["assumedRoleUser", "federatedUser"]
        .into_iter()
        .find_map(|user| json::member(set.unwrap_or(response), user))
        .and_then(|user| text(user, "arn"))
        .or_else(|| match record.raw(Field::EventName) {
            "\"GetSessionToken\"" => record.text(Field::UserIdentityArn),
            "\"AssumeRoot\"" => text(record.raw(Field::RequestParameters), "targetPrincipal"),
            _ => None,
        });
    Some(Issued {
        access_key_id: text(credentials, "accessKeyId").filter(|key| !key.is_empty())?,
        principal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_api_is_no_part_of_the_call() {
        for (name, operation) in [
            ("CreateFunction20150331", "CreateFunction"),
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            (
                "AddLayerVersionPermission20181031",
                "AddLayerVersionPermission",
            ),
            ("GetObject", "GetObject"),
            ("Describe20", "Describe20"),
            ("20150331", "20150331"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("Überraschung", "Überraschung"),
        ] {
            assert_eq!(super::operation(name), operation);
        }
    }

    #[test]
    fn addresses_sort_and_services_have_none() {
        let v4 = address("10.0.0.1").expect("address");
        assert_eq!(v4[12..], [10, 0, 0, 1]);
        assert!(address("10.0.0.9") < address("10.0.0.10"));
        assert!(address("2a02::1").is_some());
        for service in [
            "cloudtrail.amazonaws.com",
            "AWS Internal",
            "AWS Internal/3",
            "",
            "10.0.0",
        ] {
            assert_eq!(address(service), None);
        }
    }

    fn scan(text: &str) -> Record<'_> {
        Record::scan(text, &mut Default::default())
            .expect("sound")
            .0
    }

    #[test]
    fn births_of_keys() {
        for (text, key, principal) in [
            (
                r#"{"eventName":"AssumeRole","responseElements":{"credentials":{"accessKeyId":"ASIAX"},"assumedRoleUser":{"arn":"arn:aws:sts::1:assumed-role/r/s"}}}"#,
                "ASIAX",
                Some("arn:aws:sts::1:assumed-role/r/s"),
            ),
            (
                r#"{"eventName":"CreateAccessKey","userIdentity":{"userName":"me"},"responseElements":{"accessKey":{"accessKeyId":"AKIAX"}}}"#,
                "AKIAX",
                Some("me"),
            ),
            (
                r#"{"eventName":"GetSessionToken","userIdentity":{"arn":"arn:aws:iam::1:user/u"},"responseElements":{"credentials":{"accessKeyId":"ASIAY"}}}"#,
                "ASIAY",
                Some("arn:aws:iam::1:user/u"),
            ),
            (
                r#"{"eventName":"CreateSession","responseElements":{"credentialSet":[ {"credentials":{"accessKeyId":"ASIAZ"}}]}}"#,
                "ASIAZ",
                None,
            ),
            (
                r#"{"eventName":"GetTemporaryGlueTableCredentials","responseElements":{"accessKeyId":"ASIAL","expiration":"Sep 8, 2026, 11:04:00 AM"}}"#,
                "ASIAL",
                None,
            ),
            (
                r#"{"eventName":"CreateBucketAccessKey","userIdentity":{"userName":"me"},"responseElements":{"accessKey":{"accessKeyId":"AKIAB"}}}"#,
                "AKIAB",
                None,
            ),
            (
                r#"{"eventName":"AssumeRoot","requestParameters":{"targetPrincipal":"123456789012"},"responseElements":{"credentials":{"accessKeyId":"ASIAR"}}}"#,
                "ASIAR",
                Some("123456789012"),
            ),
        ] {
            let expected = Issued {
                access_key_id: key.into(),
                principal: principal.map(Into::into),
            };
            assert_eq!(issued(&scan(text)), Some(expected));
        }
    }

    #[test]
    fn no_birth() {
        for text in [
            r#"{"eventName":"GetSigninToken","responseElements":{"credentials":{"accessKeyId":"ASIAX"}}}"#,
            r#"{"eventName":"AssumeRole","errorCode":"AccessDenied","responseElements":{"credentials":{"accessKeyId":"ASIAX"}}}"#,
            r#"{"eventName":"AssumeRole","responseElements":"accessKeyId"}"#,
            r#"{"eventName":"AssumeRole","responseElements":null}"#,
        ] {
            assert_eq!(issued(&scan(text)), None);
        }
    }

    #[test]
    fn forward_access_sessions_are_told_from_services() {
        let via = |text| via_service(&scan(text)).map(Cow::into_owned);
        assert_eq!(
            via(
                r#"{"userIdentity":{"type":"IAMUser","invokedBy":"cloudformation.amazonaws.com"}}"#
            )
            .as_deref(),
            Some("cloudformation.amazonaws.com")
        );
        assert_eq!(
            via(r#"{"userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}}"#),
            None
        );
        assert_eq!(
            via(r#"{"userIdentity":{"accountId":"1","invokedBy":"AWS Internal"}}"#),
            None
        );
    }
}
