//! Objects that S3 announced, instead of a listing.
//!
//! In: the body of a message of S3's event notifications, as it arrives in a queue: from S3 directly, through SNS, or through
//! EventBridge. Out: [`Announced`] objects, and a [`Source`] of exactly those. Promise: an announced object is the same log
//! file as the listed one (name, ETag, size), so that it is never stored twice; what is not a log file by its path is
//! skipped as in a listing.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::skipped::by_key;
use super::{Files, Listing, LogFile, Skipped, Source, SourceError};
use crate::cloudtrail::{LogFileKey, Selection};

/// An object that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// `s3://bucket/key`.
    pub uri: String,
    /// Bytes as stored.
    pub size: u64,
    /// As in a listing, without quotes.
    pub etag: String,
}

/// Why a message could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum NotAnnouncement {
    /// It is not JSON of a form that S3, SNS or EventBridge sends.
    #[error("not a notification of S3, SNS or EventBridge: {0}")]
    Form(#[from] serde_json::Error),
    /// An object without its size or ETag cannot be compared with a listing.
    #[error("s3://{bucket}/{key} is announced without its {field}")]
    Incomplete {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
        /// What is missing.
        field: &'static str,
    },
}

/// The forms of a message's body.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
    Direct {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// What S3 sends when notifications are switched on, to see whether the queue takes them.
    Test {
        #[serde(rename = "Event")]
        _event: String,
        #[serde(rename = "Bucket")]
        _bucket: String,
    },
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
    Sns {
        #[serde(rename = "Message")]
        message: String,
        #[serde(rename = "TopicArn")]
        _topic: String,
    },
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
    EventBridge {
        #[serde(rename = "detail-type")]
        kind: String,
        detail: Detail,
    },
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: String,
    s3: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
}

/// The objects whose creation a message announces: none, where it is about something else that happened to an object, or
/// S3's test message.
pub fn announced(body: &str) -> Result<Vec<Announced>, NotAnnouncement> {
    match serde_json::from_str(body)? {
        Body::Direct { records } => records
            .into_iter()
            .filter(|record| record.name.starts_with("ObjectCreated:"))
            .map(|record| {
                let key = form_decoded(&record.s3.object.key);
                record.s3.announced(key)
            })
            .collect(),
        Body::Test { .. } => Ok(Vec::new()),
        // SNS wraps once; a wrapper in a wrapper is refused as the text it then is.
        Body::Sns { message, .. } => match serde_json::from_str(&message)? {
            Body::Sns { .. } => Err(<serde_json::Error as serde::de::Error>::custom(
                "an SNS message within an SNS message",
            )
            .into()),
            _ => announced(&message),
        },
        Body::EventBridge { kind, .. } if kind != "Object Created" => Ok(Vec::new()),
        Body::EventBridge { detail, .. } => {
            let key = detail.object.key.clone();
            Ok(vec![detail.announced(key)?])
        }
    }
}

impl Detail {
    fn announced(self, key: String) -> Result<Announced, NotAnnouncement> {
        let (bucket, object) = (self.bucket.name, self.object);
        let missing = match (&object.size, &object.etag) {
            (None, _) => Some("size"),
            (_, None) => Some("ETag"),
            _ => None,
        };
        if let Some(field) = missing {
            return Err(NotAnnouncement::Incomplete { bucket, key, field });
        }
        Ok(Announced {
            uri: format!("s3://{bucket}/{key}"),
            size: object.size.unwrap_or_default(),
            etag: object.etag.unwrap_or_default().trim_matches('"').to_owned(),
        })
    }
}

/// A key as S3 writes it in lists and notifications: that of HTML forms, where `+` is a space.
pub(super) fn form_decoded(text: &str) -> String {
    // A whole form would be cut at these.
    let text = text.replace('&', "%26").replace('=', "%3D");
    let key = url::form_urlencoded::parse(text.as_bytes()).next();
    key.map(|(key, _)| key.into_owned()).unwrap_or_default()
}

/// A source of announced objects only; they are fetched through the source whose objects they are.
#[derive(Debug)]
pub struct Notified {
    source: Arc<dyn Source>,
    /// Where they were announced: this source is no list of what the bucket holds, and must not be taken for one.
    queue: String,
    objects: Vec<Announced>,
}

impl Notified {
    /// Objects of a source, as announced in a queue.
    pub fn new(source: Arc<dyn Source>, queue: String, objects: Vec<Announced>) -> Self {
        Self {
            source,
            queue,
            objects,
        }
    }

    /// Whether an object lies below the place that a source was opened with.
    pub fn lies_in(object: &Announced, source: &dyn Source) -> bool {
        let place = source.uri();
        object
            .uri
            .strip_prefix(place)
            .is_some_and(|rest| place.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    }
}

#[async_trait::async_trait]
impl Source for Notified {
    fn uri(&self) -> &str {
        &self.queue
    }

    async fn list_files(
        &self,
        files: Files,
        selection: &Selection,
        seen: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Listing, SourceError> {
        let wanted = files;
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for object in &self.objects {
            let uri = object.uri.clone();
            let path = uri
                .strip_prefix("s3://")
                .and_then(|rest| rest.split_once('/'));
            let path = path.map_or("", |(_, key)| key);
            let key = LogFileKey::parse(path);
            if let Some(reason) = by_key((path, key.as_ref()), wanted) {
                skipped.push(Skipped { uri, reason });
            } else if !path.ends_with('/')
                && key.as_ref().is_none_or(|key| selection.wants_key(key))
            {
                let (size, etag) = (object.size, object.etag.clone());
                files.push(LogFile::new(uri, size, etag, key.as_ref()));
            }
        }
        let listing = Listing::new(files, skipped, 0);
        seen(listing.stats.files, listing.stats.bytes);
        Ok(listing)
    }

    async fn fetch(&self, file: &LogFile) -> Result<Bytes, SourceError> {
        self.source.fetch(file).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AWSLogs/111111111111/CloudTrail/us-east-1/2025/03/04/a b+c.json.gz";

    fn direct(name: &str, key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventName":"{name}","s3":{{"bucket":{{"name":"logs"}},"object":{{"key":"{key}","size":12,"eTag":"0a1b"}}}}}}]}}"#
        )
    }

    fn expected() -> Vec<Announced> {
        vec![Announced {
            uri: format!("s3://logs/{KEY}"),
            size: 12,
            etag: "0a1b".to_owned(),
        }]
    }

    #[test]
    fn three_ways_announce_the_same_object() {
        let encoded = KEY.replace('+', "%2B").replace(' ', "+");
        let direct = direct("ObjectCreated:Put", &encoded);
        assert_eq!(announced(&direct).unwrap(), expected());

        let sns = serde_json::json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111111111111:t", "Message": direct});
        assert_eq!(announced(&sns.to_string()).unwrap(), expected());

        // EventBridge does not encode the key.
        let bridge = serde_json::json!({"detail-type": "Object Created", "detail": {"bucket": {"name": "logs"}, "object": {"key": KEY, "size": 12, "etag": "0a1b"}}});
        assert_eq!(announced(&bridge.to_string()).unwrap(), expected());
    }

    #[test]
    fn other_messages_announce_nothing_or_say_why() {
        assert_eq!(announced(&direct("ObjectRemoved:Delete", "x")).unwrap(), []);
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2025-03-04T00:00:00Z","Bucket":"logs"}"#;
        assert_eq!(announced(test).unwrap(), []);
        let gone = r#"{"detail-type":"Object Deleted","detail":{"bucket":{"name":"logs"},"object":{"key":"x"}}}"#;
        assert_eq!(announced(gone).unwrap(), []);

        let sizeless = r#"{"detail-type":"Object Created","detail":{"bucket":{"name":"logs"},"object":{"key":"x","etag":"e"}}}"#;
        assert!(
            announced(sizeless)
                .unwrap_err()
                .to_string()
                .contains("without its size")
        );
        for odd in ["", "hello", "[]", r#"{"Records":7}"#] {
            assert!(announced(odd).is_err(), "{odd}");
        }
        let mut nested = direct("ObjectCreated:Put", "x");
        for _ in 0..2 {
            nested = serde_json::json!({"TopicArn": "t", "Message": nested}).to_string();
        }
        assert!(announced(&nested).is_err());
    }
}
