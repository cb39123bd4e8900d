//! Objects of S3 that are encrypted with a KMS key.
//!
//! In: a call of S3 and what S3 adds to its event. Out: what KMS has to allow. Promise: only where the event says that KMS
//! encrypts; a key that the event does not name is left open.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms>

use super::super::arn::literal;
use super::call::{Call, Need, Open};
use super::parameters::Parameters;
use super::via;

/// Where requests and answers name the key.
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// Calls that write an object or a part of one.
const WRITES: [&str; 7] = [
    "PutObject",
    "PostObject",
    "CopyObject",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
];

/// Calls that read one. `HeadObject` reads no content and needs no key.
const READS: [&str; 3] = ["GetObject", "SelectObjectContent", "GetObjectTorrent"];

/// What the call needs of KMS.
pub(super) fn needs(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    if prefix != "s3" || call.via_service.is_some() {
        return Vec::new();
    }
    let writes = WRITES.contains(&call.operation);
    let reads = READS.contains(&call.operation);
    if !(writes || reads) || !parameters.encrypted_by_kms() {
        return Vec::new();
    }
    let bucket = parameters.text("bucketName").unwrap_or_default();
    let Some(key) = parameters.answered(KEY) else {
        let subject = format!("arn:{}:s3:::{}", call.partition(), literal(bucket));
        let actions = match writes {
            true => &["kms:Decrypt", "kms:GenerateDataKey"][..],
            false => &["kms:Decrypt"],
        };
        return actions
            .iter()
            .map(|action| Need::open(action, &subject, Open::KmsKey))
            .collect();
    };
    let (partition, region, account) = (call.partition(), call.region, call.account);
    let start = format!("arn:{partition}:kms:{region}:{account}:");
    let resource = match key {
        arn if arn.starts_with("arn:") && arn.contains(":key/") => literal(arn),
        // No policy can name a key by its alias.
        alias if alias.contains("alias/") => format!("{start}key/*"),
        id => format!("{start}key/{}", literal(id)),
    };
    let condition = via::kms_via(call, "s3");
    let actions = match writes {
        true => &["kms:Decrypt", "kms:GenerateDataKey"][..],
        false => &["kms:Decrypt"],
    };
    actions
        .iter()
        .map(|action| Need::new(*action, resource.clone()).under(Some(condition.clone())))
        .collect()
}
