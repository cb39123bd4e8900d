//! Digest files: their names and their content.
//!
//! In: the name and the uncompressed bytes of a digest file. Out: a [`DigestFile`] and the text that CloudTrail signed.
//! Promise: the signed text is made of what stands in the file, byte for byte; nothing is written anew.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>

use chrono::{DateTime, Utc};

use crate::cloudtrail::delivery_stamp;
use crate::json::Value;

/// What the name of a digest file says:
/// `account_CloudTrail-Digest_region_trail_homeRegion_20250305T120500Z[_backfill].json.gz`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestName {
    /// The account whose log files it lists.
    pub account: String,
    /// The region whose log files it lists.
    pub region: String,
    /// The trail.
    pub trail: String,
    /// The region in which the trail was made.
    pub home_region: String,
    /// Whether it was made later, for a time that had passed.
    pub backfill: bool,
}

impl DigestName {
    /// Reads the last part of a key.
    pub fn parse(file_name: &str) -> Option<Self> {
        let stem = file_name.split_once(".json")?.0;
        let (stem, backfill) = match stem.strip_suffix("_backfill") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let (stem, stamp) = stem.rsplit_once('_')?;
        delivery_stamp(stamp)?;
        let (account, rest) = stem.split_once("_CloudTrail-Digest_")?;
        let (region, rest) = rest.split_once('_')?;
        // The name of a trail may have underscores, those of regions have none.
        let (trail, home_region) = rest.rsplit_once('_')?;
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            trail: trail.to_owned(),
            home_region: home_region.to_owned(),
            backfill,
        })
    }
}

/// Why a digest file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDigest {
    /// It is not JSON.
    #[error("it is not a JSON object")]
    NotJson,
    /// A field is missing, or is something else.
    #[error("its field {0} is missing or has another type")]
    Field(&'static str),
    /// A time is none.
    #[error("its field {0} is not a time")]
    Time(&'static str),
}

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ObjectName {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// What a digest says of the one before it.
#[derive(Debug, Clone)]
pub(super) struct Previous {
    pub(super) object: ObjectName,
    pub(super) hash: String,
    pub(super) signature: String,
}

/// What a digest says of a log file.
#[derive(Debug, Clone)]
pub(super) struct DigestEntry {
    pub(super) object: ObjectName,
    pub(super) hash: String,
}

/// The content of a digest file.
#[derive(Debug, Clone)]
pub(super) struct DigestFile {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// As it stands in the file: it is signed.
    end_text: String,
    pub(super) object: ObjectName,
    pub(super) fingerprint: String,
    /// Algorithms that are not those of CloudTrail.
    pub(super) odd_algorithm: Option<String>,
    /// `None` in the first digest of a chain.
    pub(super) previous: Option<Previous>,
    pub(super) log_files: Vec<DigestEntry>,
    /// SHA-256 of the uncompressed file.
    pub(super) hash: String,
}

impl DigestFile {
    /// Reads the uncompressed content, whose hash this is.
    pub(super) fn parse(content: &[u8], hash: String) -> Result<Self, InvalidDigest> {
        let text = std::str::from_utf8(content).map_err(|_| InvalidDigest::NotJson)?;
        let value = Value::parse(text).ok_or(InvalidDigest::NotJson)?;
        value.as_object().ok_or(InvalidDigest::NotJson)?;
        let end_text = text_of(&value, "digestEndTime")?;
        let mut odd_algorithm = None;
        let mut algorithm = |found: Option<&str>, usual: &str| {
            if let Some(found) = found.filter(|found| *found != usual) {
                odd_algorithm.get_or_insert(found.to_owned());
            }
        };
        let signature = text_of(&value, "digestSignatureAlgorithm")?;
        algorithm(Some(&signature), "SHA256withRSA");
        algorithm(value["previousDigestHashAlgorithm"].as_str(), "SHA-256");
        let mut log_files = Vec::new();
        let listed = value["logFiles"].as_array();
        for entry in listed.ok_or(InvalidDigest::Field("logFiles"))? {
            algorithm(entry["hashAlgorithm"].as_str(), "SHA-256");
            log_files.push(DigestEntry {
                object: ObjectName {
                    bucket: text_of(entry, "s3Bucket")?,
                    key: text_of(entry, "s3Object")?,
                },
                hash: text_of(entry, "hashValue")?.to_ascii_lowercase(),
            });
        }
        Ok(Self {
            start: time_of(&text_of(&value, "digestStartTime")?, "digestStartTime")?,
            end: time_of(&end_text, "digestEndTime")?,
            end_text,
            object: ObjectName {
                bucket: text_of(&value, "digestS3Bucket")?,
                key: text_of(&value, "digestS3Object")?,
            },
            fingerprint: text_of(&value, "digestPublicKeyFingerprint")
                .or_else(|_| text_of(&value, "publicKeyFingerprint"))
                .map_err(|_| InvalidDigest::Field("digestPublicKeyFingerprint"))?,
            previous: previous(&value)?,
            odd_algorithm,
            log_files,
            hash,
        })
    }

    /// The text that CloudTrail signed.
    ///
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>
    pub(super) fn signed_text(&self) -> String {
        let ObjectName { bucket, key } = &self.object;
        let previous = self.previous.as_ref();
        // The first digest of a chain has no previous signature; its text has the word instead.
        let previous = previous.map_or("null", |previous| &previous.signature);
        format!(
            "{}\n{bucket}/{key}\n{}\n{previous}",
            self.end_text, self.hash
        )
    }
}

fn previous(value: &Value) -> Result<Option<Previous>, InvalidDigest> {
    let names = [
        "previousDigestS3Bucket",
        "previousDigestS3Object",
        "previousDigestHashValue",
        "previousDigestSignature",
    ];
    if names.iter().all(|name| value[*name].is_null()) {
        return Ok(None);
    }
    let [bucket, key, hash, signature] = names.map(|name| text_of(value, name));
    Ok(Some(Previous {
        object: ObjectName {
            bucket: bucket?,
            key: key?,
        },
        hash: hash?.to_ascii_lowercase(),
        signature: signature?,
    }))
}

fn text_of(value: &Value, name: &'static str) -> Result<String, InvalidDigest> {
    let text = value[name].as_str().map(str::to_owned);
    text.ok_or(InvalidDigest::Field(name))
}

fn time_of(text: &str, name: &'static str) -> Result<DateTime<Utc>, InvalidDigest> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidDigest::Time(name))?;
    Ok(time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let name = DigestName::parse(
            "111122223333_CloudTrail-Digest_eu-west-1_my_own_trail_us-east-1_20250305T120500Z.json.gz",
        )
        .unwrap();
        assert_eq!(
            (name.account.as_str(), name.region.as_str()),
            ("111122223333", "eu-west-1")
        );
        assert_eq!(
            (name.trail.as_str(), name.home_region.as_str()),
            ("my_own_trail", "us-east-1")
        );
        assert!(!name.backfill);
        let backfill = "1_CloudTrail-Digest_eu-west-1_t_eu-west-1_20250305T120500Z_backfill.json";
        assert!(DigestName::parse(backfill).unwrap().backfill);
        for other in [
            "",
            "1_CloudTrail_eu-west-1_20250305T1205Z_AbCd.json.gz",
            "1_CloudTrail-Digest_eu-west-1_20250305T120500Z.json.gz",
            "1_CloudTrail-Digest_eu-west-1_t_eu-west-1_soon.json.gz",
        ] {
            assert_eq!(DigestName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_first_digest_signs_the_word_null() {
        let text = r#"{"awsAccountId":"1","digestStartTime":"2015-08-12T03:01:31Z","digestEndTime":"2015-08-12T04:01:31Z",
            "digestS3Bucket":"b","digestS3Object":"k","digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA",
            "previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,
            "previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[]}"#;
        let digest = DigestFile::parse(text.as_bytes(), "00ff".to_owned()).unwrap();
        assert_eq!(
            digest.signed_text(),
            "2015-08-12T04:01:31Z\nb/k\n00ff\nnull"
        );
        let half = text.replace(
            "\"previousDigestHashValue\":null",
            "\"previousDigestHashValue\":\"a\"",
        );
        let fault = DigestFile::parse(half.as_bytes(), String::new()).unwrap_err();
        assert!(
            fault.to_string().contains("previousDigestS3Bucket"),
            "{fault}"
        );
    }
}
