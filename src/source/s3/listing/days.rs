//! The log files of a region, for a range of days.
//!
//! In: folders of regions, or below. Out: their log files. Promise: about as few requests as there are pages of a
//! thousand wanted keys, and not all of them one after the other.
//!
//! Keys sort by day, and a listing may begin after any key. So a range of days is one run of pages, from the first day's
//! folder to the first key of a later day: a quiet region costs one request for a year as for a day, where one request
//! per day would cost 365. Pages of one run come one after the other, though. So when the first page shows that a
//! region is busy, the days that are left are divided into several runs, no more than there are pages to be expected.

use chrono::{Days, NaiveDate, Utc};

use super::{Found, Lister, Query};
use crate::cloudtrail::{KeyPrefix, Level, LogFileKey};
use crate::source::SourceError;

/// Keys of one folder, from one day to another.
struct Run {
    place: KeyPrefix,
    /// `None`: from the folder's beginning.
    first: Option<NaiveDate>,
    /// `None`: to the folder's end.
    last: Option<NaiveDate>,
    /// Where the run goes on; `None` at its beginning.
    token: Option<String>,
}

/// The days of the keys in a page.
type Span = (NaiveDate, NaiveDate);

impl Lister<'_> {
    /// The log files in the folders that lie in the days the selection wants.
    pub(super) async fn list_days(&self, folders: &[KeyPrefix]) -> Result<Found, SourceError> {
        let (first, last) = self.selection.log_days();
        let runs = folders.iter().map(|place| Run {
            place: place.clone(),
            first,
            last,
            token: None,
        });
        let mut found = Found::default();
        let mut rest = Vec::new();
        for (page, left) in self
            .at_once(runs.collect(), |run| self.first_page(run))
            .await?
        {
            found.add(page);
            rest.extend(left);
        }
        for pages in self.at_once(rest, |run| self.all_pages(run)).await? {
            found.add(pages);
        }
        Ok(found)
    }

    /// What lies on the way to the folders of days and in none of them, where a range of days would pass it over: its key
    /// does not sort by day. Only where the range begins and ends; between, its runs meet everything.
    pub(super) async fn beside_days(&self, folders: &[KeyPrefix]) -> Result<Found, SourceError> {
        let mut found = Found::default();
        let mut level = match self.selection.log_days() {
            (None, None) => Vec::new(),
            _ => folders.to_vec(),
        };
        level.retain(|place| place.level() < Level::Day);
        while !level.is_empty() {
            let mut next = Vec::new();
            for (below, beside) in self.at_once(level, |place| self.below(place)).await? {
                next.extend(below);
                found.add(beside);
            }
            next.retain(|place| self.has_edge(place) && place.level() < Level::Day);
            level = next;
        }
        Ok(found)
    }

    /// Whether the range of days begins or ends in the folder.
    fn has_edge(&self, place: &KeyPrefix) -> bool {
        let (first, last) = self.selection.log_days();
        let within = |day: NaiveDate| {
            let days = place.days();
            days.is_some_and(|(from, to)| from <= day && day <= to)
        };
        [first, last].into_iter().flatten().any(within)
    }

    /// Whether what lies in this folder and in none of a day is for a run to take: [`Self::beside_days`] takes the rest.
    fn is_met_between(&self, place: &KeyPrefix) -> bool {
        let between =
            place.level() == Level::Day || place.days().is_some() && !self.has_edge(place);
        between && self.selection.wants_prefix(place)
    }

    /// The first page of a run, and the runs that are left.
    async fn first_page(&self, run: Run) -> Result<(Found, Vec<Run>), SourceError> {
        let (found, span, rest) = self.one_page(run).await?;
        let left = match (rest, span) {
            (Some(rest), Some(span)) => divide(rest, span, self.s3.concurrency),
            (rest, _) => rest.into_iter().collect(),
        };
        Ok((found, left))
    }

    async fn all_pages(&self, run: Run) -> Result<Found, SourceError> {
        let mut found = Found::default();
        let mut rest = Some(run);
        while let Some(run) = rest {
            let (page, _, next) = self.one_page(run).await?;
            found.add(page);
            rest = next;
        }
        Ok(found)
    }

    /// The next page of a run, the days in it, and the rest of the run.
    async fn one_page(&self, run: Run) -> Result<(Found, Option<Span>, Option<Run>), SourceError> {
        let prefix = run.place.to_string();
        let begin = run.first.filter(|_| run.token.is_none());
        let page = self
            .page(&Query {
                prefix: &prefix,
                after: begin.and_then(|day| Some(run.place.on(day)?.to_string())),
                token: run.token.clone(),
                ..Query::default()
            })
            .await?;
        let limited = self.selection.log_days() != (None, None);
        let mut found = Found::default();
        let mut span: Option<Span> = None;
        let mut beyond = false;
        for object in page.objects {
            let key = object.key().unwrap_or_default();
            let day = LogFileKey::parse(key).map(|key| key.date);
            let Some(day) = day else {
                // Not in a folder of a day, so that its day is not known before it is read.
                if !limited || self.is_met_between(&deepest(&run.place, key)) {
                    self.take(object, &mut found);
                }
                continue;
            };
            span = Some(span.map_or((day, day), |(first, _)| (first, day)));
            beyond = run.last.is_some_and(|last| day > last);
            if beyond {
                break;
            }
            // Days before the first are only seen where a server does not know how to begin after a key.
            if run.first.is_none_or(|first| first <= day) {
                self.take(object, &mut found);
            }
        }
        self.tell();
        let rest = page.next.filter(|_| !beyond).map(|token| Run {
            token: Some(token),
            ..run
        });
        Ok((found, span, rest))
    }
}

/// The deepest folder of the layout that a key below `place` lies in.
fn deepest(place: &KeyPrefix, key: &str) -> KeyPrefix {
    let below = key.strip_prefix(&place.to_string()).unwrap_or_default();
    let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
    let mut deepest = place.clone();
    for name in folders.split('/') {
        match deepest.child(name) {
            Some(child) => deepest = child,
            None => break,
        }
    }
    deepest
}

/// Divides what is left of a run after a page into runs of equally many days, as many as pages are to be expected.
fn divide(rest: Run, (first, last): Span, at_most: usize) -> Vec<Run> {
    let end = rest
        .last
        .into_iter()
        .chain(rest.place.days().map(|(_, last)| last))
        .min()
        .unwrap_or_else(|| Utc::now().date_naive());
    let days_left = (end - last).num_days();
    let days_of_page = (last - first).num_days().max(1);
    let runs = (days_left / days_of_page).clamp(1, i64::try_from(at_most).unwrap_or(1));
    let each = Days::new((days_left.max(1) as u64).div_ceil(runs as u64));
    let mut divided = Vec::new();
    let mut run = rest;
    let mut until = last.checked_add_days(each);
    for _ in 1..runs {
        let (Some(day), Some(next)) = (until, until.and_then(|day| day.succ_opt())) else {
            break;
        };
        if day >= end {
            break;
        }
        let after = Run {
            place: run.place.clone(),
            first: Some(next),
            last: run.last,
            token: None,
        };
        divided.push(Run {
            last: Some(day),
            ..run
        });
        run = after;
        until = day.checked_add_days(each);
    }
    // The last of them keeps the run's own end, which can be none.
    divided.push(run);
    divided
}
