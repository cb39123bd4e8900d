//! CloudTrail's public keys, and signatures checked with them.
//!
//! In: what `aws cloudtrail list-public-keys` prints, of one region or several. Out: [`PublicKeys`]. Promise: a key counts only
//! for its region, where that is known, and for the time in which it was valid.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>

use std::collections::BTreeMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// CloudTrail signs a digest after its hour has ended; by then, its key may have been replaced.
const SIGNED_WITHIN: TimeDelta = TimeDelta::hours(2);

/// Why public keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It is not what `list-public-keys` prints.
    #[error("not the output of aws cloudtrail list-public-keys: {0}")]
    Json(#[from] serde_json::Error),
    /// A key is not Base64.
    #[error("the public key {fingerprint} is not Base64: {source}")]
    Base64 {
        /// The key.
        fingerprint: String,
        /// What is wrong with it.
        source: base64::DecodeError,
    },
    /// A time is none.
    #[error("{0:?} is not a time")]
    Time(String),
    /// There is no key in it.
    #[error("no public key in it")]
    Empty,
}

/// Some public keys.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Vec<PublicKey>);

/// A public key, and for what it counts.
#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    pub(super) fingerprint: String,
    pub(super) der: Vec<u8>,
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
    pub(super) region: Option<String>,
}

/// Why there is no key for a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoKey {
    Unknown,
    OtherRegion(String),
    Expired(Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

/// Output of the command, or several of them by region.
#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    One(List),
    Keys(Vec<Key>),
    ByRegion(BTreeMap<String, List>),
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "PublicKeyList")]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    value: String,
    fingerprint: String,
    validity_start_time: Option<serde_json::Value>,
    validity_end_time: Option<serde_json::Value>,
}

impl PublicKeys {
    /// Adds the keys in a text: one output of the command, several one after the other, or an object with the outputs by
    /// region. `region` is that of keys of which the text does not say it, if it is known.
    pub fn add(&mut self, text: &str, region: Option<&str>) -> Result<(), KeysError> {
        let before = self.0.len();
        for output in serde_json::Deserializer::from_str(text).into_iter::<Output>() {
            match output? {
                Output::One(List { keys }) | Output::Keys(keys) => self.extend(keys, region)?,
                Output::ByRegion(regions) => {
                    for (region, list) in regions {
                        self.extend(list.keys, Some(&region))?;
                    }
                }
            }
        }
        match self.0.len() == before {
            true => Err(KeysError::Empty),
            false => Ok(()),
        }
    }

    /// Adds a key.
    #[cfg(feature = "live")]
    pub(super) fn push(&mut self, key: PublicKey) {
        self.0.push(key);
    }

    fn extend(&mut self, keys: Vec<Key>, region: Option<&str>) -> Result<(), KeysError> {
        for key in keys {
            let der = STANDARD
                .decode(key.value.trim())
                .map_err(|source| KeysError::Base64 {
                    fingerprint: key.fingerprint.clone(),
                    source,
                })?;
            self.0.push(PublicKey {
                fingerprint: key.fingerprint,
                der,
                from: time(key.validity_start_time)?,
                to: time(key.validity_end_time)?,
                region: region.map(str::to_owned),
            });
        }
        Ok(())
    }

    /// The keys, as DER, with which a digest of the region may have been signed that ended then, if that is known.
    pub(super) fn find(
        &self,
        fingerprint: &str,
        region: Option<&str>,
        signed: Option<DateTime<Utc>>,
    ) -> Result<Vec<&[u8]>, NoKey> {
        let mut why = NoKey::Unknown;
        let mut found = Vec::new();
        for key in self.0.iter().filter(|key| key.fingerprint == fingerprint) {
            let of_region = match (&key.region, region) {
                (Some(of), Some(region)) => of == region,
                _ => true,
            };
            let in_time = signed.is_none_or(|signed| {
                key.from.is_none_or(|from| from <= signed + SIGNED_WITHIN)
                    && key.to.is_none_or(|to| signed <= to)
            });
            match (of_region, in_time) {
                (true, true) => found.push(key.der.as_slice()),
                (false, _) => why = NoKey::OtherRegion(key.region.clone().unwrap_or_default()),
                (true, false) => why = NoKey::Expired(key.from, key.to),
            }
        }
        match found.is_empty() {
            true => Err(why),
            false => Ok(found),
        }
    }
}

/// Whether it is the signature of a text with one of these keys: PKCS #1 `RSAPublicKey`, which the service gives out, or
/// `SubjectPublicKeyInfo`.
pub(super) fn is_signed(keys: &[&[u8]], text: &str, signature: &str) -> bool {
    let Some(signature) = unhex(signature) else {
        return false;
    };
    keys.iter().any(|key| {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        key.verify(text.as_bytes(), &signature).is_ok()
    })
}

/// Bytes that are written in hexadecimal.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.trim().chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8);
    Some(bytes.collect())
}

/// A time as the AWS CLI prints it: RFC 3339, or seconds since 1970.
fn time(value: Option<serde_json::Value>) -> Result<Option<DateTime<Utc>>, KeysError> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let time = match &value {
        serde_json::Value::String(text) => {
            let time = DateTime::parse_from_rfc3339(text);
            time.ok().map(|time| time.to_utc())
        }
        other => other
            .as_f64()
            .and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1e3) as i64)),
    };
    time.map(Some)
        .ok_or_else(|| KeysError::Time(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        text.parse().ok()
    }

    #[test]
    fn keys_are_read_in_every_form_the_command_has() {
        let list = r#"{"PublicKeyList":[{"Value":"AAEC","Fingerprint":"f","ValidityStartTime":1425168000.0,
            "ValidityEndTime":"2015-04-01T00:00:00+00:00"}]}"#;
        for text in [
            list.to_owned(),
            format!("{list}\n{}", list.replace("\"f\"", "\"g\"")),
            format!(r#"{{"eu-west-1":{list}}}"#),
            list["{\"PublicKeyList\":".len()..list.len() - 1].to_owned(),
        ] {
            let mut keys = PublicKeys::default();
            keys.add(&text, None).unwrap();
            let found = keys.find("f", Some("eu-west-1"), at("2015-03-10T00:00:00Z"));
            assert_eq!(found.unwrap(), [&[0u8, 1, 2][..]], "{text}");
            let late = keys.find("f", None, at("2015-04-02T00:00:00Z"));
            assert!(matches!(late, Err(NoKey::Expired(Some(_), Some(_)))));
        }
        let mut keys = PublicKeys::default();
        keys.add(&format!(r#"{{"eu-west-1":{list}}}"#), None)
            .unwrap();
        let other = keys.find("f", Some("us-east-1"), at("2015-03-10T00:00:00Z"));
        assert_eq!(other, Err(NoKey::OtherRegion("eu-west-1".to_owned())));
        assert!(matches!(
            PublicKeys::default().add(r#"{"PublicKeyList":[]}"#, None),
            Err(KeysError::Empty)
        ));
        assert!(matches!(
            PublicKeys::default().add("[1]", None),
            Err(KeysError::Json(_))
        ));
    }

    #[test]
    fn hexadecimal_is_read_strictly() {
        assert_eq!(unhex("00fFa1"), Some(vec![0, 255, 161]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
