//! Where a file was read from, as far as it can be compared with where it was written to.
//!
//! In: a file of a listing. Out: its [`FileName`]. Promise: in S3, bucket and key; of a copy, all that the copy's folders still
//! tell, at the least the name.

use super::digest::ObjectName;
use crate::cloudtrail::{Folder, LogFileKey};
use crate::source::LogFile;

/// Where a copy was made from: `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
}

impl Original {
    /// Reads `s3://bucket/prefix`; the prefix is what stands before `AWSLogs/`.
    pub fn parse(uri: &str) -> Option<Self> {
        let location = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        let prefix = prefix.trim_end_matches('/');
        let prefix = prefix.strip_suffix("AWSLogs").unwrap_or(prefix);
        let prefix = prefix.trim_end_matches('/');
        (!bucket.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
        })
    }
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileName {
    /// Bucket and key.
    Exact(ObjectName),
    /// The end of a key, from `AWSLogs/` on.
    Layout(String),
    /// Only the name.
    Name(String),
}

impl FileName {
    /// Where a file is, and what its folder says that it is.
    pub(super) fn of(file: &LogFile, original: Option<&Original>) -> (Self, Option<Folder>) {
        let key = file.key();
        let folder = key.as_ref().map(|key| key.folder);
        let tail = |key: LogFileKey| {
            let key = LogFileKey {
                prefix: String::new(),
                ..key
            };
            key.to_string()
        };
        let in_s3 = file.uri.strip_prefix("s3://");
        let place = match (original, key) {
            (Some(Original { bucket, prefix }), Some(key)) => Self::Exact(ObjectName {
                bucket: bucket.clone(),
                key: format!("{prefix}{}", tail(key)),
            }),
            (None, key) => match (in_s3.and_then(|it| it.split_once('/')), key) {
                (Some((bucket, key)), _) => Self::Exact(ObjectName {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                }),
                (None, Some(key)) => Self::Layout(tail(key)),
                (None, None) => Self::Name(name(&file.uri).to_owned()),
            },
            (Some(_), None) => Self::Name(name(&file.uri).to_owned()),
        };
        (place, folder)
    }

    /// Whether the object can be the one that was read from here.
    pub(super) fn is_of(&self, object: &ObjectName) -> bool {
        match self {
            Self::Exact(place) => place == object,
            Self::Layout(tail) => {
                let before = object.key.strip_suffix(tail.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
            }
            // A copy may have been decompressed.
            Self::Name(place) => {
                let key = name(&object.key);
                key == place || key.strip_suffix(".gz") == Some(place)
            }
        }
    }
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit(['/', std::path::MAIN_SEPARATOR])
        .next()
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/05/x.json.gz";

    fn object(bucket: &str, prefix: &str) -> ObjectName {
        ObjectName {
            bucket: bucket.to_owned(),
            key: format!("{prefix}{KEY}"),
        }
    }

    fn place(uri: &str, original: Option<&str>) -> FileName {
        let original = original.map(|uri| Original::parse(uri).unwrap());
        let file = LogFile::new(uri.to_owned(), 1, String::new(), None);
        FileName::of(&file, original.as_ref()).0
    }

    #[test]
    fn a_place_says_as_much_as_it_can() {
        let in_s3 = place(&format!("s3://b/p/{KEY}"), None);
        assert!(in_s3.is_of(&object("b", "p/")));
        assert!(!in_s3.is_of(&object("c", "p/")) && !in_s3.is_of(&object("b", "")));
        let copy = place(&format!("/copy/{KEY}"), None);
        assert!(copy.is_of(&object("b", "p/")) && copy.is_of(&object("c", "")));
        assert!(!copy.is_of(&object("b", "p")));
        let of = |uri| place(&format!("/copy/{KEY}"), Some(uri));
        assert!(of("s3://b/p/").is_of(&object("b", "p/")));
        assert!(of("s3://b/p/AWSLogs/").is_of(&object("b", "p/")));
        assert!(!of("s3://b").is_of(&object("b", "p/")));
        for flat in ["/flat/x.json.gz", "/flat/x.json"] {
            assert!(place(flat, None).is_of(&object("b", "p/")), "{flat}");
        }
        assert!(!place("/flat/y.json.gz", None).is_of(&object("b", "p/")));
    }
}
