//! What the answers rest on.
//!
//! In: a session. Out: a [`Coverage`] of the events that its selection wants. Promise: what was not read is in it, also what an
//! earlier ingest could not read; where the selection asks for something that the log does not have, it says so, since an
//! empty answer is no proof.

use super::fault::differ_by;
use super::raw::Places;
use super::{Origin, Params, Session, SessionError};
use crate::cloudtrail::{Selection, is_region, minute};
use crate::event::Summary;
use crate::read::Tally;
use crate::report::Coverage;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;

/// Letters by which the id of an account or the name of a region may differ and still be meant.
const SLIPS: usize = 2;

/// Names that are listed where none is near to the one that was asked for.
const MOST_NAMES: usize = 6;

impl Session {
    /// How many events a lake has, whatever is selected; of log files, that is not known before they are read.
    pub fn stored_events(&self) -> Result<Option<u64>, SessionError> {
        match &self.origin {
            Origin::Trail(_) => Ok(None),
            Origin::Lake(lake) => Ok(Some(lake.stored_events()?)),
        }
    }

    /// What the answers rest on. For log files without ingest: what was read so far.
    pub async fn coverage(&self) -> Result<Coverage, SessionError> {
        match &self.origin {
            Origin::Trail(trail) => {
                let (read, wanted) = trail.tallies();
                let warnings = doubts(&self.selection, &read.coverage(trail.name()));
                let wanted = wanted.coverage(trail.name());
                let coverage = match self.selection == *trail.selection() {
                    true => wanted,
                    false => self.of_selection(wanted).await?,
                };
                Ok(Coverage {
                    warnings,
                    ..coverage
                })
            }
            Origin::Lake(lake) => {
                let whole = lake.coverage().await?;
                let warnings = doubts(&self.selection, &whole);
                let coverage = match self.selection.is_everything() {
                    true => whole,
                    false => self.of_selection(whole).await?,
                };
                Ok(Coverage {
                    warnings,
                    ..coverage
                })
            }
        }
    }

    /// The last day of log files that are still to be read, as far as their paths tell; none for a lake.
    pub fn last_day_to_read(&self) -> Option<NaiveDate> {
        match &self.origin {
            Origin::Lake(_) => None,
            Origin::Trail(trail) => trail.last_day(),
        }
    }

    /// An account or region of the selection that the lake does not have, and those that differ by a slip. Of log files, their
    /// paths tell; nothing does where some are not CloudTrail's.
    pub async fn misnamed(&self) -> Result<Option<(String, Vec<String>)>, SessionError> {
        let Selection {
            accounts, regions, ..
        } = &self.selection;
        if accounts.is_empty() && regions.is_empty() {
            return Ok(None);
        }
        let [known_accounts, known_regions] = match &self.origin {
            Origin::Trail(trail) => match trail.other_places().await? {
                places if places.others => return Ok(None),
                places => names(places),
            },
            Origin::Lake(_) => self.places().await?,
        };
        let accounts = accounts.iter().map(ToString::to_string);
        let accounts = accounts.map(|name| ("account", name, &known_accounts));
        let regions = regions.iter().cloned();
        let regions = regions.map(|name| ("region", name, &known_regions));
        let misnamed = accounts.chain(regions).find_map(|(what, name, known)| {
            let near = differ_by(SLIPS, &name, known.iter().map(String::as_str));
            // A region that the log does not have may be meant all the same.
            let meant = known.contains(&name) || (what == "region" && is_region(&name));
            (!meant && !near.is_empty()).then(|| (format!("{what} {name}"), near))
        });
        Ok(misnamed)
    }

    /// How many accounts there are besides those that were selected; none if all were.
    pub async fn other_accounts(&self) -> Result<Option<u64>, SessionError> {
        let selected = &self.selection.accounts;
        if selected.is_empty() {
            return Ok(None);
        }
        let [accounts, _] = self.places().await?;
        let others = accounts
            .iter()
            .filter(|name| !selected.iter().any(|account| account.to_string() == **name));
        Ok(Some(others.count() as u64).filter(|others| *others > 0))
    }

    /// The accounts and regions that there are. Of log files, their paths tell, where these are CloudTrail's.
    async fn places(&self) -> Result<[Vec<String>; 2], SessionError> {
        Ok(match &self.origin {
            Origin::Lake(lake) => {
                let whole = lake.coverage().await?;
                [whole.accounts, whole.regions]
            }
            Origin::Trail(trail) => names(trail.all_places().await?),
        })
    }

    /// The coverage of the events that are wanted; log files and what was not read are those of the whole lake.
    async fn of_selection(&self, whole: Coverage) -> Result<Coverage, SessionError> {
        let sql = include_str!("../../queries/coverage/selected.sql");
        let (_, batches) = self.sql(sql, &Params::new()).await?;
        let mut tally = Tally::default();
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            tally.events += batch.column(0).as_primitive::<Int64Type>().value(0) as u64;
            tally.summary.merge(&summary(batch)?);
        }
        let selected = tally.coverage(whole.source.clone());
        Ok(Coverage {
            log_files: whole.log_files,
            log_files_rejected: whole.log_files_rejected,
            records_rejected: whole.records_rejected,
            integrity: whole.integrity,
            not_read: whole.not_read,
            ..selected
        })
    }
}

fn names(places: Places) -> [Vec<String>; 2] {
    [places.accounts, places.regions].map(|names| names.into_iter().collect())
}

/// The row of `selected.sql`.
fn summary(batch: &RecordBatch) -> Result<Summary, SessionError> {
    let time = |column: usize| {
        let column = batch
            .column(column)
            .as_primitive::<TimestampMicrosecondType>();
        column.is_valid(0).then(|| column.value(0))
    };
    let list = |column: usize| {
        let lists = batch.column(column).as_list::<i32>();
        lists.is_valid(0).then(|| lists.value(0))
    };
    let texts = |column: usize| -> Result<BTreeSet<String>, SessionError> {
        let Some(list) = list(column) else {
            return Ok(BTreeSet::new());
        };
        let texts =
            cast(&list, &DataType::Utf8).map_err(datafusion::error::DataFusionError::from)?;
        let texts = texts.as_string::<i32>().iter().flatten();
        Ok(texts.map(str::to_owned).collect())
    };
    let days = list(3).map(|days| days.as_primitive::<Date32Type>().values().to_vec());
    Ok(Summary {
        first: time(1),
        last: time(2),
        days: days.unwrap_or_default().into_iter().collect(),
        accounts: texts(4)?,
        regions: texts(5)?,
        event_categories: texts(6)?,
        data_event_services: texts(7)?,
    })
}

/// No log file was read: why.
fn nothing_found(selection: &Selection, coverage: &Coverage) -> Vec<String> {
    match (coverage.not_read.is_empty(), selection.is_everything()) {
        (true, true) => vec![format!("no log file was found in {}", coverage.source)],
        (true, false) => vec![format!(
            "no log file of the accounts, regions and time asked for was found in {}",
            coverage.source
        )],
        (false, _) => vec![format!("no log file of {} was read", coverage.source)],
    }
}

/// What the selection asks for and the log does not have.
fn doubts(selection: &Selection, log: &Coverage) -> Vec<String> {
    if log.is_void() {
        return nothing_found(selection, log);
    }
    let mut doubts = Vec::new();
    for account in &selection.accounts {
        doubts.extend(missing("account", &account.to_string(), &log.accounts));
    }
    for region in &selection.regions {
        doubts.extend(missing("region", region, &log.regions));
    }
    let time = |text: &Option<String>| text.as_deref()?.parse::<DateTime<Utc>>().ok();
    if let (Some(since), Some(last)) = (selection.since, time(&log.last_event))
        && last < since
    {
        let (last, since) = (minute(last), minute(since));
        doubts.push(format!(
            "the logs end {last} UTC, before the time range begins ({since} UTC)"
        ));
    }
    if let (Some(until), Some(first)) = (selection.until, time(&log.first_event))
        && until <= first
    {
        let (first, until) = (minute(first), minute(until));
        doubts.push(format!(
            "the logs begin {first} UTC, after the time range ends ({until} UTC)"
        ));
    }
    doubts
}

/// That there is no event of an account or region, and what may be meant.
fn missing(what: &str, name: &str, known: &[String]) -> Option<String> {
    if known.iter().any(|known| known == name) {
        return None;
    }
    let near = differ_by(SLIPS, name, known.iter().map(String::as_str));
    Some(match (near.is_empty(), known.len()) {
        (_, 0) => format!("no events of {what} {name}"),
        (false, _) => format!(
            "no events of {what} {name}; did you mean {}?",
            near.join(" or ")
        ),
        (true, 1..=MOST_NAMES) => {
            format!(
                "no events of {what} {name}; there are events of {}",
                known.join(", ")
            )
        }
        (true, count) => format!("no events of {what} {name}; there are events of {count} others"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_does_not_have_is_said() {
        let log = Coverage {
            log_files: 3,
            first_event: Some("2025-03-01T00:00:12Z".to_owned()),
            last_event: Some("2025-03-09T00:00:00Z".to_owned()),
            accounts: vec!["111111111111".to_owned()],
            regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
            ..Coverage::default()
        };
        let selection = Selection {
            since: "2026-01-01T00:00:00Z".parse().ok(),
            until: None,
            accounts: ["222233334444".parse().expect("an account")].into(),
            regions: ["us-east1".to_owned(), "eu-west-1".to_owned()].into(),
        };
        assert_eq!(
            doubts(&selection, &log),
            [
                "no events of account 222233334444; there are events of 111111111111",
                "no events of region us-east1; did you mean us-east-1?",
                "the logs end 2025-03-09 00:00 UTC, before the time range begins (2026-01-01 00:00 UTC)",
            ]
        );
        assert_eq!(doubts(&Selection::default(), &log), [""; 0]);
        let empty = Coverage {
            source: "empty".to_owned(),
            ..Coverage::default()
        };
        assert_eq!(
            doubts(&Selection::default(), &empty),
            ["no log file was found in empty"]
        );
    }
}
