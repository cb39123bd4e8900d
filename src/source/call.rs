//! What the errors of AWS's other services mean.
//!
//! In: an error and the call that met it. Out: a [`SourceError`]. Promise: the service's code and message are kept; a refused
//! request names the permission that was missing.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::SourceError;
use super::s3::failure::{causes, in_full};

/// A call, for its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The service, as in the name of a permission.
    pub(crate) service: &'static str,
    /// The operation, e.g. `ReceiveMessage`.
    pub(crate) operation: &'static str,
    /// What the call is about.
    pub(crate) resource: &'a str,
}

impl Call<'_> {
    /// What the error means.
    pub(crate) fn failed<E>(self, error: SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Call { operation, .. } = self;
        let resource = self.resource.to_owned();
        let Some(response) = error.raw_response() else {
            let message = in_full(&error);
            return match causes(&error).any(|cause| cause.is::<CredentialsError>()) {
                true => SourceError::NoCredentials { message },
                false => SourceError::Connection {
                    uri: resource,
                    operation,
                    message,
                },
            };
        };
        let status = response.status().as_u16().to_string();
        let code = error.code().map_or(status, str::to_owned);
        let message = error.message().unwrap_or_default().to_owned();
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" => SourceError::AccessDenied {
                action: format!("{}:{operation}", self.service),
                resource,
                message,
            },
            // <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html>
            "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "OptInRequired"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => SourceError::RefusedCredentials { code, message },
            _ => SourceError::Service {
                uri: resource,
                operation,
                code,
                message,
            },
        }
    }
}
