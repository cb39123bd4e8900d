//! CloudTrail asked for its public keys.
//!
//! In: how AWS is reached, a region, a range of time. Out: the region's keys of that time. Promise: one operation and no other,
//! ListPublicKeys; a refused call names its permission.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Builder;
use aws_sdk_cloudtrail::primitives::DateTime as SdkTime;
use aws_sdk_cloudtrail::types::PublicKey as Listed;
use chrono::{DateTime, Utc};

use super::keys::{PublicKey, PublicKeys};
use crate::source::SourceError;
use crate::source::call::Call;

/// Adds the keys that a region signed with in a range of time.
///
/// # Errors
///
/// The call is refused or not answered.
pub async fn add_public_keys(
    keys: &mut PublicKeys,
    sdk: &SdkConfig,
    region: &str,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), SourceError> {
    let config = Builder::from(sdk).region(Region::new(region.to_owned()));
    let call = Call {
        service: "cloudtrail",
        operation: "ListPublicKeys",
        resource: region,
    };
    let request = Client::from_conf(config.build())
        .list_public_keys()
        .start_time(SdkTime::from_secs(from.timestamp()))
        .end_time(SdkTime::from_secs(to.timestamp()));
    let mut pages = request.into_paginator().items().send();
    while let Some(listed) = pages.next().await {
        let listed = listed.map_err(|error| call.failed(error))?;
        keys.push(key(listed, region));
    }
    Ok(())
}

fn key(listed: Listed, region: &str) -> PublicKey {
    let utc = |time: Option<SdkTime>| DateTime::from_timestamp(time?.secs(), 0);
    PublicKey {
        fingerprint: listed.fingerprint.unwrap_or_default(),
        der: listed
            .value
            .unwrap_or_else(|| Vec::new().into())
            .into_inner(),
        from: utc(listed.validity_start_time),
        to: utc(listed.validity_end_time),
        region: Some(region.to_owned()),
    }
}
