//! How AWS is reached: credentials, region, retries, time limits.
//!
//! In: [`SourceOptions`]. Out: the SDK's configuration and a client. Promise: the default credential chain, unless the
//! options say otherwise; no question is sent to the instance metadata service for a region that is not needed.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};

use super::failure;
use crate::source::{SourceError, SourceOptions};

/// Where the bucket's region is asked for when nothing is configured.
const DEFAULT_REGION: Region = Region::from_static("us-east-1");

/// With waits of random length that double up to 20 seconds this is a minute and a half on average. By then all
/// requests that are under way at once make some three per second, a thousandth of what S3 serves for one prefix.
///
/// Retries are the SDK's standard ones. Its adaptive mode slows down all requests together, and recovers from half a
/// request per second with each retry counting as five: two refused requests of each kind at the start of a run cost
/// 70 seconds there and 4 seconds here.
const ATTEMPTS: u32 = 12;
/// Longer than any healthy handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// To the first byte of an answer; the SDK itself watches over bodies that stall.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// The AWS configuration that the options ask for.
pub(super) async fn sdk_config(options: &SourceOptions) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_LIMIT)
                .read_timeout(ANSWER_LIMIT)
                .build(),
        );
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    } else if !needs_default_chain(options) {
        loader = loader.region(configured_region(options));
    }
    if options.no_sign_request {
        loader = loader.no_credentials();
    } else if let Some(credentials) = &options.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    let config = loader.load().await;
    match config.region() {
        Some(_) => config,
        None => config.into_builder().region(DEFAULT_REGION).build(),
    }
}

/// Whether credentials are looked for everywhere, down to the instance's metadata service.
fn needs_default_chain(options: &SourceOptions) -> bool {
    options.endpoint_url.is_none() && options.credentials.is_none() && !options.no_sign_request
}

/// The region of the environment or the profile. The default chain would go on to the instance's metadata service,
/// which takes seconds to be absent.
fn configured_region(options: &SourceOptions) -> RegionProviderChain {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &options.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(DEFAULT_REGION)
}

/// Fails early, and clearly, where there are no credentials.
pub(super) async fn check_credentials(config: &SdkConfig) -> Result<(), SourceError> {
    // Without a provider requests are sent unsigned.
    let Some(provider) = config.credentials_provider() else {
        return Ok(());
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(SourceError::NoCredentials {
            message: failure::in_full(&error),
        }),
    }
}

/// A client for a bucket in the given region, or else in the configured one.
pub(super) fn client(config: &SdkConfig, region: Option<Region>) -> Client {
    // The SDK's budget of retries protects a service from clients that send more and more. Here requests at once are
    // bounded, and giving up would leave log files out.
    let retries = RetryPartition::custom("keytrail")
        .token_bucket(TokenBucket::unlimited())
        .build();
    let mut builder = aws_sdk_s3::config::Builder::from(config)
        .retry_partition(retries)
        // Other servers seldom have a DNS name for each bucket.
        .force_path_style(config.endpoint_url().is_some());
    if let Some(region) = region {
        builder = builder.region(region);
    }
    Client::from_conf(builder.build())
}
