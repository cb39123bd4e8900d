//! Log files in S3.

use aws_config::{BehaviorVersion, SdkConfig};

use super::{SourceError, SourceOptions};

/// The AWS configuration that the options ask for.
pub async fn sdk_config(_options: &SourceOptions) -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
}

/// A bucket, or a part of it.
#[derive(Debug)]
pub(super) struct S3;

impl S3 {
    /// Opens `bucket/prefix`.
    pub(super) async fn open(
        location: &str,
        _options: &SourceOptions,
    ) -> Result<super::local::Local, SourceError> {
        Err(SourceError::InvalidUri {
            uri: location.to_owned(),
            reason: "S3 is not built yet",
        })
    }
}
