//! The folders of the layout of log files, from `AWSLogs/` down to a day.
//!
//! In: a path, or steps down from `AWSLogs/`. Out: what the folder is known to hold: of which account, region, days.
//! Promise: see [`super::key`].

use std::fmt;

use chrono::{Datelike, NaiveDate};

use super::{AccountId, Folder, LogFileKey, delivery_stamp, is_region};

/// The name of the folder under which all AWS services deliver logs.
pub(super) const ANCHOR: &str = "AWSLogs/";

/// How deep in the layout a folder is, named by its own last part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `AWSLogs/` itself.
    Anchor,
    /// `…/o-organization/`.
    Organization,
    /// `…/account/`.
    Account,
    /// `…/CloudTrail/` and its siblings.
    Folder,
    /// `…/region/`.
    Region,
    /// `…/YYYY/`.
    Year,
    /// `…/MM/`.
    Month,
    /// `…/DD/`, which holds the files.
    Day,
}

/// A folder of the layout, from `AWSLogs/` down to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix {
    prefix: String,
    organization: Option<String>,
    account: Option<AccountId>,
    folder: Option<Folder>,
    region: Option<String>,
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
}

impl KeyPrefix {
    /// Reads a folder's path, with or without a last `/`.
    pub fn parse(path: &str) -> Option<Self> {
        let mut path = path.to_owned();
        if !path.ends_with('/') {
            path.push('/');
        }
        path.rmatch_indices(ANCHOR)
            .filter(|(at, _)| *at == 0 || path.as_bytes().get(at - 1) == Some(&b'/'))
            .find_map(|(at, _)| {
                let anchor = Self::anchor(&path[..at]);
                let below = &path[at + ANCHOR.len()..];
                below
                    .split_terminator('/')
                    .try_fold(anchor, |place, name| place.descend(name))
            })
    }

    /// The folder `AWSLogs/` under a prefix that is empty or ends with `/`.
    pub fn anchor(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            organization: None,
            account: None,
            folder: None,
            region: None,
            year: None,
            month: None,
            day: None,
        }
    }

    /// The folder of this name inside this one; `None` if the layout has no such folder here.
    pub fn child(&self, name: &str) -> Option<Self> {
        self.clone().descend(name)
    }

    fn descend(mut self, name: &str) -> Option<Self> {
        match self.level() {
            Level::Anchor if is_organization(name) => self.organization = Some(name.to_owned()),
            Level::Anchor | Level::Organization => self.account = Some(name.parse().ok()?),
            Level::Account => self.folder = Some(Folder::parse(name)?),
            Level::Folder => self.region = is_region(name).then(|| Some(name.to_owned()))?,
            Level::Region => self.year = Some(number(name, 4)?.try_into().ok()?),
            Level::Year => self.month = Some(number(name, 2).filter(|m| (1..=12).contains(m))?),
            Level::Month => {
                self.day = Some(number(name, 2)?);
                self.date()?;
            }
            Level::Day => return None,
        }
        Some(self)
    }

    /// The file of this name in this folder; `None` if the layout has no files here.
    pub fn file(&self, name: &str) -> Option<LogFileKey> {
        if name.is_empty() {
            return None;
        }
        Some(LogFileKey {
            account: self.account?,
            folder: self.folder?,
            date: self.date()?,
            prefix: self.prefix.clone(),
            organization: self.organization.clone(),
            region: self.region.clone()?,
            delivered: delivery_stamp(name),
            file_name: name.to_owned(),
        })
    }

    /// The folder of a day in the same region; `None` above the level of regions.
    pub fn on(&self, day: NaiveDate) -> Option<Self> {
        self.region.as_ref()?;
        Some(Self {
            year: Some(day.year()),
            month: Some(day.month()),
            day: Some(day.day()),
            ..self.clone()
        })
    }

    /// How deep in the layout the folder is.
    pub fn level(&self) -> Level {
        match self {
            Self { day: Some(_), .. } => Level::Day,
            Self { month: Some(_), .. } => Level::Month,
            Self { year: Some(_), .. } => Level::Year,
            Self {
                region: Some(_), ..
            } => Level::Region,
            Self {
                folder: Some(_), ..
            } => Level::Folder,
            Self {
                account: Some(_), ..
            } => Level::Account,
            Self {
                organization: Some(_),
                ..
            } => Level::Organization,
            _ => Level::Anchor,
        }
    }

    /// The account, from that level on.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// The kind of files, from that level on.
    pub fn folder(&self) -> Option<Folder> {
        self.folder
    }

    /// The region, from that level on.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The first and the last day below this folder, from the level of years on.
    pub fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let first =
            NaiveDate::from_ymd_opt(self.year?, self.month.unwrap_or(1), self.day.unwrap_or(1))?;
        let last = match self.level() {
            Level::Day => first,
            Level::Month => first.with_day(first.num_days_in_month().into())?,
            _ => first.with_month(12)?.with_day(31)?,
        };
        Some((first, last))
    }

    fn date(&self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year?, self.month?, self.day?)
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ANCHOR}", self.prefix)?;
        if let Some(organization) = &self.organization {
            write!(f, "{organization}/")?;
        }
        if let Some(account) = self.account {
            write!(f, "{account}/")?;
        }
        if let Some(folder) = self.folder {
            write!(f, "{folder}/")?;
        }
        if let Some(region) = &self.region {
            write!(f, "{region}/")?;
        }
        if let Some(year) = self.year {
            write!(f, "{year:04}/")?;
        }
        for part in [self.month, self.day].into_iter().flatten() {
            write!(f, "{part:02}/")?;
        }
        Ok(())
    }
}

/// AWS promises 10 to 32 characters; published data sets have shortened ones.
fn is_organization(name: &str) -> bool {
    name.strip_prefix("o-").is_some_and(|id| {
        (1..=32).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_know_their_level_and_days() {
        let region = "x/AWSLogs/o-abcdefghij/111111111111/CloudTrail/eu-west-1/";
        let place = |path: &str| KeyPrefix::parse(path).unwrap();
        assert_eq!(place("AWSLogs").level(), Level::Anchor);
        assert_eq!(place("AWSLogs/o-abcdefghij").level(), Level::Organization);
        assert_eq!(place(region).level(), Level::Region);
        assert_eq!(place(region).days(), None);
        let days = |below: &str| place(&format!("{region}{below}")).days().unwrap();
        let days = |below| (days(below).0.to_string(), days(below).1.to_string());
        assert_eq!(days("2024"), ("2024-01-01".into(), "2024-12-31".into()));
        assert_eq!(days("2024/02"), ("2024-02-01".into(), "2024-02-29".into()));
        assert_eq!(
            days("2024/02/03"),
            ("2024-02-03".into(), "2024-02-03".into())
        );
        assert_eq!(KeyPrefix::parse("a/b/"), None);
        assert_eq!(KeyPrefix::parse("AWSLogs/111111111111/Config"), None);
    }
}
