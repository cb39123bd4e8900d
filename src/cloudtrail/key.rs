//! The layout of log files in S3, both ways.
//!
//! In: an object key or a path of the same form. Out: [`LogFileKey`] for a log file; [`KeyPrefix`] is for a folder on
//! the way to it. Promise: both print back to the same text, and what is not of the layout is `None`.
//!
//! ```text
//! [prefix/]AWSLogs/[o-organization/]account/folder/region/YYYY/MM/DD/file name
//! ```
//!
//! The prefix may hold slashes, and even `AWSLogs/`; the last `AWSLogs/` that an organization or an account follows is
//! the one that counts.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::prefix::ANCHOR;
use super::{AccountId, KeyPrefix};

/// What CloudTrail delivers side by side, each under its own folder name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folder {
    /// Management and data events.
    CloudTrail,
    /// Insights: statistics about unusual activity, no events of a principal.
    Insight,
    /// Events of VPC endpoints.
    NetworkActivity,
    /// Summaries of data events, in a shape of their own.
    Aggregated,
    /// Digest files, with which log files are validated.
    Digest,
}

impl Folder {
    const ALL: [Self; 5] = [
        Self::CloudTrail,
        Self::Insight,
        Self::NetworkActivity,
        Self::Aggregated,
        Self::Digest,
    ];

    /// The folder with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|folder| folder.as_str() == name)
    }

    /// The name as it stands in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudTrail => "CloudTrail",
            Self::Insight => "CloudTrail-Insight",
            Self::NetworkActivity => "CloudTrail-NetworkActivity",
            Self::Aggregated => "CloudTrail-Aggregated",
            Self::Digest => "CloudTrail-Digest",
        }
    }

    /// Whether its files are log files with events.
    pub fn has_events(self) -> bool {
        self.not_events().is_none()
    }

    /// Why files of this folder are not log files with events; `None` for the folders that have events.
    pub fn not_events(self) -> Option<&'static str> {
        match self {
            Self::CloudTrail | Self::NetworkActivity => None,
            Self::Insight => Some("Insights, not events"),
            Self::Aggregated => Some("aggregated summaries, not events"),
            Self::Digest => Some("digest files, not events"),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key of one log file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogFileKey {
    /// What stands before `AWSLogs/`: empty, or ends with `/`.
    pub prefix: String,
    /// The organization, for an organization's trail.
    pub organization: Option<String>,
    /// The account whose events the file holds.
    pub account: AccountId,
    /// What kind of file it is.
    pub folder: Folder,
    /// The region the file was delivered for; single events in it can be of another one.
    pub region: String,
    /// The day of delivery.
    pub date: NaiveDate,
    /// The time of delivery, from the file name; `None` if the file was renamed.
    pub delivered: Option<DateTime<Utc>>,
    /// The last part of the key.
    pub file_name: String,
}

impl LogFileKey {
    /// Reads an object key, or a path with the same last parts.
    pub fn parse(key: &str) -> Option<Self> {
        let (folders, file_name) = key.rsplit_once('/')?;
        // In S3, a folder may have an empty name; the layout has none.
        if folders.ends_with('/') {
            return None;
        }
        KeyPrefix::parse(folders)?.file(file_name)
    }
}

impl fmt::Display for LogFileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ANCHOR}", self.prefix)?;
        if let Some(organization) = &self.organization {
            write!(f, "{organization}/")?;
        }
        let Self {
            account,
            folder,
            region,
            file_name,
            ..
        } = self;
        let date = self.date.format("%Y/%m/%d");
        write!(f, "{account}/{folder}/{region}/{date}/{file_name}")
    }
}

/// The time of delivery in a log file's name: `…_20250304T1205Z_…`, to the minute.
///
/// One documented example has no `_` after the stamp, and digest files have seconds; both are read.
pub fn delivery_stamp(file_name: &str) -> Option<DateTime<Utc>> {
    file_name.split('_').rev().find_map(|part| {
        stamp(part, "%Y%m%dT%H%MZ", 14).or_else(|| stamp(part, "%Y%m%dT%H%M%SZ", 16))
    })
}

fn stamp(part: &str, format: &str, length: usize) -> Option<DateTime<Utc>> {
    let text = part.get(..length)?;
    // chrono would also read fewer digits and signs.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits != length - 2 {
        return None;
    }
    let time = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "111111111111_CloudTrail_eu-west-1_20250305T1205Z_AbCdEfGhIjKlMnOp.json.gz";

    fn delivered(name: &str) -> Option<String> {
        delivery_stamp(name).map(|time| time.to_rfc3339())
    }

    #[test]
    fn keys_round_trip() {
        for start in [
            "AWSLogs/111111111111",
            "AWSLogs/o-abcdefghij/111111111111",
            "a/b c/AWSLogs/111111111111",
            "AWSLogs/999999999999/AWSLogs/o-a1/111111111111",
            "o-abcdefghij/AWSLogs/o-abcdefghij/111111111111",
            "/home/me/trail/AWSLogs/000000000001",
        ] {
            for folder in Folder::ALL {
                let text = format!("{start}/{folder}/us-gov-west-1/2024/02/29/{NAME}");
                let key = LogFileKey::parse(&text).unwrap();
                assert_eq!(key.to_string(), text);
                assert_eq!(key.folder, folder);
                let place = text.strip_suffix(NAME).unwrap();
                assert_eq!(KeyPrefix::parse(place).unwrap().to_string(), place);
            }
        }
    }

    #[test]
    fn a_key_tells_everything() {
        let text =
            format!("p/q/AWSLogs/o-abcdefghij/012345678901/CloudTrail/eu-west-1/2025/03/05/{NAME}");
        let key = LogFileKey::parse(&text).unwrap();
        assert_eq!(key.prefix, "p/q/");
        assert_eq!(key.organization.as_deref(), Some("o-abcdefghij"));
        assert_eq!(key.account.to_string(), "012345678901");
        assert_eq!(key.region, "eu-west-1");
        assert_eq!(key.date.to_string(), "2025-03-05");
        assert_eq!(
            key.delivered.unwrap().to_rfc3339(),
            "2025-03-05T12:05:00+00:00"
        );
        assert_eq!(key.file_name, NAME);
    }

    #[test]
    fn the_stamp_is_read_in_all_its_forms() {
        let expected = Some("2025-03-05T12:05:00+00:00".to_owned());
        assert_eq!(delivered(NAME), expected);
        assert_eq!(
            delivered("1_CloudTrail_us-east-2_20250305T1205ZAbCdEfGhIjKlMnOp.json.gz"),
            expected
        );
        assert_eq!(
            delivered("1_CloudTrail-Digest_eu-west-1_my_trail_eu-west-1_20250305T120500Z.json.gz"),
            expected
        );
        assert_eq!(
            delivered(
                "1_CloudTrail-Digest_eu-west-1_t_eu-west-1_20250305T120500Z_backfill.json.gz"
            ),
            expected
        );
        for name in [
            "events.json",
            "",
            "x_20251305T1205Z_y",
            "x_2025030ÜT1205Z_y",
            "x_+0250305T1205Z_y",
        ] {
            assert_eq!(delivered(name), None, "{name}");
        }
    }

    #[test]
    fn a_renamed_file_keeps_its_place() {
        let key =
            LogFileKey::parse("AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/events.json")
                .unwrap();
        assert_eq!(key.delivered, None);
        assert_eq!(
            key.to_string(),
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/events.json"
        );
    }

    #[test]
    fn what_is_not_of_the_layout_is_no_key() {
        for text in [
            "",
            "x.json.gz",
            "AWSLogs/README.md",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/sub/x.json.gz",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/02/30/x.json.gz",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/3/5/x.json.gz",
            "AWSLogs/111111111111/CloudTrail/EU/2025/03/05/x.json.gz",
            "AWSLogs/111111111111/elasticloadbalancing/eu-west-1/2025/03/05/x.log.gz",
            "AWSLogs/1111/CloudTrail/eu-west-1/2025/03/05/x.json.gz",
            "MyAWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/x.json.gz",
            "AWSLogs//111111111111/CloudTrail/eu-west-1/2025/03/05/x.json.gz",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05//x.json.gz",
        ] {
            assert_eq!(LogFileKey::parse(text), None, "{text}");
        }
    }
}
