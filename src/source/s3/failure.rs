//! What the SDK's errors mean.
//!
//! In: an error and the call that met it. Out: a [`SourceError`] with the bucket, the key, the permission. Promise: the
//! code and the message of S3 are kept; a refused request names the permission that was missing and on what.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::source::SourceError;

/// A call to S3, for its error.
pub(super) struct Call<'a> {
    /// The operation, e.g. `GetObject`.
    pub(super) operation: &'static str,
    /// The bucket.
    pub(super) bucket: &'a str,
    /// The key, for calls about one object.
    pub(super) key: Option<&'a str>,
    /// The region that was asked.
    pub(super) region: &'a str,
}

impl Call<'_> {
    /// What the error means.
    pub(super) fn failed<E>(&self, error: SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(response) = error.raw_response() else {
            return self.unanswered(&error);
        };
        let status = response.status().as_u16();
        let code = error
            .code()
            .map_or_else(|| status.to_string(), str::to_owned);
        let message = error.message().unwrap_or_default().to_owned();
        match (code.as_str(), status) {
            ("NoSuchBucket", _) => SourceError::NoSuchBucket {
                bucket: self.bucket.to_owned(),
            },
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect", _)
            | (_, 301 | 307) => SourceError::WrongRegion {
                bucket: self.bucket.to_owned(),
                asked: self.region.to_owned(),
                region: bucket_region(response),
            },
            (
                "ExpiredToken"
                | "InvalidToken"
                | "TokenRefreshRequired"
                | "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "RequestTimeTooSkewed"
                | "NotSignedUp",
                _,
            ) => SourceError::RefusedCredentials { code, message },
            (_, 403) => self.denied(message),
            (_, 404) if self.key.is_some() => SourceError::NotFound { uri: self.uri() },
            (_, 412) => SourceError::Changed { uri: self.uri() },
            _ => SourceError::Service {
                uri: self.uri(),
                operation: self.operation,
                code,
                message,
            },
        }
    }

    /// No response: the credentials could not be had, or the connection was not.
    fn unanswered(&self, error: &(dyn Error + 'static)) -> SourceError {
        let message = in_full(error);
        if causes(error).any(|cause| cause.is::<CredentialsError>()) {
            SourceError::NoCredentials { message }
        } else {
            SourceError::Connection {
                uri: self.uri(),
                operation: self.operation,
                message,
            }
        }
    }

    fn denied(&self, message: String) -> SourceError {
        let (action, resource) = denied_permission(&message)
            .or_else(|| kms_permission(&message))
            .unwrap_or_else(|| self.permission());
        SourceError::AccessDenied {
            action,
            resource,
            message,
        }
    }

    /// The permission the call needs, and on what.
    fn permission(&self) -> (String, String) {
        let partition = match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let bucket = format!("arn:{partition}:s3:::{}", self.bucket);
        match self.key {
            Some(key) => ("s3:GetObject".to_owned(), format!("{bucket}/{key}")),
            None => ("s3:ListBucket".to_owned(), bucket),
        }
    }

    fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key.unwrap_or_default())
    }
}

/// The permission in AWS's sentence `… is not authorized to perform: ACTION on resource: "ARN" because …`.
fn denied_permission(message: &str) -> Option<(String, String)> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let (action, rest) = rest.split_once(" on resource: ")?;
    let resource = rest
        .split_whitespace()
        .next()?
        .trim_matches(['"', '.', ',']);
    Some((action.to_owned(), resource.to_owned()))
}

/// S3 says of a key of KMS only that it may not be used.
fn kms_permission(message: &str) -> Option<(String, String)> {
    message.to_ascii_lowercase().contains("kms").then(|| {
        let key = message
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '.', ',', '(', ')']))
            .find(|word| word.starts_with("arn:") && word.contains(":kms:"));
        let key = key.unwrap_or("the KMS key of the log files");
        ("kms:Decrypt".to_owned(), key.to_owned())
    })
}

/// The region of the bucket, which S3 tells in a header also when it refuses or redirects.
pub(super) fn bucket_region(response: &HttpResponse) -> Option<String> {
    response
        .headers()
        .get("x-amz-bucket-region")
        .map(str::to_owned)
}

/// An error and its causes in one line, outermost first, without repetition.
pub(in crate::source) fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error).map(ToString::to_string) {
        if !parts.iter().any(|part| part.contains(&cause)) {
            parts.push(cause);
        }
    }
    parts.join(": ")
}

/// An error and its causes, outermost first.
pub(in crate::source) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permission_is_read_from_the_message() {
        let message = "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: \
            \"arn:aws:kms:eu-west-1:1:key/2\" because no identity-based policy allows the kms:Decrypt action";
        let expected = (
            "kms:Decrypt".to_owned(),
            "arn:aws:kms:eu-west-1:1:key/2".to_owned(),
        );
        assert_eq!(denied_permission(message), Some(expected));
        assert_eq!(denied_permission("Access Denied"), None);
    }

    #[test]
    fn a_key_of_kms_is_named_if_it_is_known() {
        let permission =
            |message| kms_permission(message).map(|(action, key)| format!("{action} {key}"));
        assert_eq!(permission("Access Denied"), None);
        assert_eq!(
            permission("The ciphertext refers to a KMS key that you may not use").as_deref(),
            Some("kms:Decrypt the KMS key of the log files")
        );
        assert_eq!(
            permission("KMS: (arn:aws:kms:eu-west-1:1:key/2).").as_deref(),
            Some("kms:Decrypt arn:aws:kms:eu-west-1:1:key/2")
        );
    }

    #[test]
    fn permissions_are_named_in_their_partition() {
        let call = |region, key| {
            let call = Call {
                operation: "GetObject",
                bucket: "b",
                key,
                region,
            };
            call.permission().1
        };
        assert_eq!(call("eu-west-1", None), "arn:aws:s3:::b");
        assert_eq!(call("cn-north-1", Some("k")), "arn:aws-cn:s3:::b/k");
        assert_eq!(call("us-gov-west-1", None), "arn:aws-us-gov:s3:::b");
    }
}
