//! IAM asked itself: GenerateCredentialReport, GetCredentialReport, ListUsers, ListAccessKeys, GetAccessKeyLastUsed.
//!
//! In: how AWS is reached. Out: an [`Inventory`] with the ids of keys and users. Promise: these five calls and no others,
//! none of which changes anything (IAM makes a report anew at most every four hours, whoever asks); a refused call names
//! its permission. The report alone knows root and passwords; ids and the last use come from the other calls, which are
//! fresher: they win where both speak.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::{AccessKeyMetadata, ReportStateType, StatusType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};

use super::{IamError, Inventory, Key, Moment, Password, User, parse};
use crate::cloudtrail::{AccessKeyId, AccountId};

/// How often it is asked whether the report is ready, and for how long at most. IAM takes seconds, for accounts with
/// thousands of users a minute.
const POLL: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(300);

/// Calls under way at once: IAM's limits are low, and the SDK retries what it refuses.
const AT_ONCE: usize = 4;

/// Where an inventory of this room is from, see [`User::source`].
const SOURCE: &str = "IAM";

/// Asks IAM for the users and keys of the account whose credentials these are.
pub async fn inventory(config: &SdkConfig) -> Result<Inventory, IamError> {
    let client = Client::new(config);
    let mut inventory = credential_report(&client).await?;
    for listed in users(&client).await? {
        match inventory
            .users
            .iter_mut()
            .find(|user| user.name == listed.name)
        {
            Some(user) => {
                user.id = listed.id;
                user.password.last_used = user.password.last_used.max(listed.password.last_used);
            }
            // Made since the report was.
            None => inventory.users.push(listed),
        }
    }
    let users = futures::stream::iter(inventory.users)
        .map(|user| with_keys(&client, user))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let taken = inventory.taken;
    let (inventory, _) = Inventory::merge([Inventory { users, taken }]);
    Ok(inventory)
}

/// The report: made, waited for, read.
async fn credential_report(client: &Client) -> Result<Inventory, IamError> {
    let mut waited = Duration::ZERO;
    loop {
        let answer = client.generate_credential_report().send().await;
        let answer = answer.map_err(|error| failed("GenerateCredentialReport", error))?;
        if answer.state == Some(ReportStateType::Complete) {
            break;
        }
        if waited >= PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(IamError::ReportTooSlow { seconds });
        }
        tokio::time::sleep(POLL).await;
        waited += POLL;
    }
    let report = client.get_credential_report().send().await;
    let report = report.map_err(|error| failed("GetCredentialReport", error))?;
    let content = report.content.unwrap_or_default().into_inner();
    let mut inventory = parse("the credential report", &content)?;
    inventory.taken = report.generated_time.as_ref().and_then(utc);
    for user in &mut inventory.users {
        SOURCE.clone_into(&mut user.source);
    }
    Ok(inventory)
}

/// All users, without their keys.
async fn users(client: &Client) -> Result<Vec<User>, IamError> {
    let mut pages = client.list_users().into_paginator().items().send();
    let mut users = Vec::new();
    while let Some(user) = pages.next().await {
        let user = user.map_err(|error| failed("ListUsers", error))?;
        let account = user
            .arn
            .split(':')
            .nth(4)
            .and_then(|id| id.parse::<AccountId>().ok());
        let Some(account) = account else {
            return Err(IamError::Service {
                operation: "ListUsers",
                code: "no account".to_owned(),
                message: format!("the user's ARN is {:?}", user.arn),
            });
        };
        users.push(User {
            account,
            name: user.user_name,
            arn: user.arn,
            id: Some(user.user_id),
            created: moment(Some(&user.create_date)),
            password: Password {
                last_used: moment(user.password_last_used.as_ref()),
                ..Password::default()
            },
            mfa_active: None,
            keys: Vec::new(),
            active_certificates: 0,
            other: std::collections::BTreeMap::new(),
            source: SOURCE.to_owned(),
            taken: None,
        });
    }
    Ok(users)
}

/// The user with the keys that IAM lists. Root's cannot be listed: those of the report stay.
async fn with_keys(client: &Client, mut user: User) -> Result<User, IamError> {
    if user.is_root() {
        return Ok(user);
    }
    let list = client.list_access_keys().user_name(&user.name);
    let mut pages = list.into_paginator().items().send();
    let mut keys = Vec::new();
    while let Some(listed) = pages.next().await {
        match listed {
            Ok(listed) => keys.extend(key(client, listed, &user.keys).await?),
            // Deleted since the report was made.
            Err(error) if code(&error) == Some("NoSuchEntity") => break,
            Err(error) => return Err(failed("ListAccessKeys", error)),
        }
    }
    user.keys = keys;
    Ok(user)
}

/// What IAM says of one key, and what the report said of it.
async fn key(
    client: &Client,
    listed: AccessKeyMetadata,
    reported: &[Key],
) -> Result<Option<Key>, IamError> {
    let Some(id) = listed
        .access_key_id
        .and_then(|id| AccessKeyId::new(&id).ok())
    else {
        return Ok(None);
    };
    let created = listed.create_date.as_ref().and_then(utc);
    let reported = reported
        .iter()
        .find(|key| key.last_rotated.time() == created && created.is_some());
    let used = client
        .get_access_key_last_used()
        .access_key_id(id.as_str())
        .send()
        .await;
    let used = used
        .map_err(|error| failed("GetAccessKeyLastUsed", error))?
        .access_key_last_used;
    let known = |text: &str| (text != "N/A").then(|| text.to_owned());
    Ok(Some(Key {
        slot: reported.and_then(|key| key.slot),
        id: Some(id),
        active: listed.status == Some(StatusType::Active),
        created,
        last_rotated: reported.map_or_else(
            || moment(listed.create_date.as_ref()),
            |key| key.last_rotated,
        ),
        last_used: moment(used.as_ref().and_then(|used| used.last_used_date.as_ref())),
        last_used_region: used.as_ref().and_then(|used| known(&used.region)),
        last_used_service: used.as_ref().and_then(|used| known(&used.service_name)),
    }))
}

fn utc(time: &aws_sdk_iam::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}

fn moment(time: Option<&aws_sdk_iam::primitives::DateTime>) -> Moment {
    time.and_then(utc).map_or(Moment::NotApplicable, Moment::At)
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

/// What an error of the SDK means.
fn failed<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> IamError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(response) = error.raw_response() else {
        let message = in_full(&error);
        return match causes(&error).any(|cause| cause.is::<CredentialsError>()) {
            true => IamError::NoCredentials { message },
            false => IamError::Connection { operation, message },
        };
    };
    let status = response.status().as_u16();
    let code = code(&error).map_or_else(|| status.to_string(), str::to_owned);
    let message = error.message().unwrap_or_default().to_owned();
    match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            IamError::AccessDenied {
                action: format!("iam:{operation}"),
                message,
            }
        }
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "IncompleteSignature"
        | "RequestExpired"
        | "OptInRequired" => IamError::RefusedCredentials { code, message },
        _ => IamError::Service {
            operation,
            code,
            message,
        },
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// An error and its causes in one line, outermost first, without repetition.
fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error).map(ToString::to_string) {
        if !parts.iter().any(|part| part.contains(&cause)) {
            parts.push(cause);
        }
    }
    parts.join(": ")
}
