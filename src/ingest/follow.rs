//! How does a lake stay up to date?
//!
//! In: sources, and how often they are listed, or a queue in which S3 announces new objects. Out: one ingest after another
//! ([`Round`]) until asked to stop. Promise: once a day everything is listed, so that nothing that came late or was never
//! announced is missed for longer; a message is deleted only after what it announces is in the lake; what fails is tried
//! again, but a first round that fails ends the whole.

use super::{IngestError, IngestOptions, IngestSummary, ingest};
use crate::cloudtrail::Selection;
use crate::lake::{Lake, Location};
use crate::read::{Observer, Stop};
use crate::source::{Announced, Message, Notified, Queue, Source, announced};
use chrono::{Days, NaiveTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at whether to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// How long one request for messages waits until there is one: the most that SQS allows.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const LONG_POLL: Duration = Duration::from_secs(20);

/// Messages that are ingested together, if so many wait.
const TOGETHER: usize = 1_000;

/// What happened while a lake was kept up to date.
#[derive(Debug)]
pub enum Round<'a> {
    /// An ingest came to its end.
    Done(&'a IngestSummary),
    /// An ingest, or a request to the queue, failed. It is tried again.
    Failed(&'a IngestError),
    /// A message that stays in the queue, and why.
    Left(&'a str),
}

/// A lake that is kept up to date.
#[derive(Debug)]
pub struct Follow<'a> {
    /// The lake; it is made if there is none.
    pub lake: &'a Location,
    /// Where log files are delivered to.
    pub sources: &'a [Arc<dyn Source>],
    /// How to ingest.
    pub options: &'a IngestOptions,
    /// The pause between two listings, and after a failure.
    pub every: Duration,
    /// When to stop.
    pub stop: &'a Stop,
}

impl Follow<'_> {
    /// Lists the sources again and again. Buckets are listed whole once a day, in between only the folders of the last days.
    pub async fn by_listing(
        &self,
        observer: &dyn Observer,
        tell: &mut (dyn FnMut(Round<'_>) + Send),
    ) -> Result<(), IngestError> {
        let mut listed_on = None;
        // Walking folders costs no requests.
        let costs = self
            .sources
            .iter()
            .all(|source| source.uri().starts_with("s3://"));
        loop {
            let today = Utc::now().date_naive();
            let whole = listed_on != Some(today) || !costs;
            let mut selection = self.options.selection.clone();
            if !whole {
                // The selection's own margin adds a day.
                let recent = today.checked_sub_days(Days::new(1)).unwrap_or(today);
                selection.since = selection
                    .since
                    .max(Some(recent.and_time(NaiveTime::MIN).and_utc()));
            }
            match self.round(self.sources, selection, observer).await {
                Ok(summary) => {
                    if whole && summary.left == 0 {
                        listed_on = Some(today);
                    }
                    tell(Round::Done(&summary));
                }
                Err(error) if listed_on.is_none() => return Err(error),
                Err(error) => tell(Round::Failed(&error)),
            }
            if !self.pause(self.every).await {
                return Ok(());
            }
        }
    }

    /// Ingests what a queue announces. Everything is listed at the beginning and once a day.
    pub async fn by_queue(
        &self,
        queue: &dyn Queue,
        observer: &dyn Observer,
        tell: &mut (dyn FnMut(Round<'_>) + Send),
    ) -> Result<(), IngestError> {
        let mut listed_on = None;
        while !self.stop.requested() {
            let today = Utc::now().date_naive();
            let done = if listed_on == Some(today) {
                self.announced_round(queue, observer, tell).await
            } else {
                let selection = self.options.selection.clone();
                let summary = self.round(self.sources, selection, observer).await;
                summary.map(|summary| {
                    if summary.left == 0 {
                        listed_on = Some(today);
                    }
                    tell(Round::Done(&summary));
                })
            };
            match done {
                Ok(()) => {}
                Err(error) if listed_on.is_none() => return Err(error),
                Err(error) => {
                    tell(Round::Failed(&error));
                    self.pause(self.every).await;
                }
            }
        }
        Ok(())
    }

    /// Waits for messages, ingests what they announce, and deletes those whose objects were read.
    async fn announced_round(
        &self,
        queue: &dyn Queue,
        observer: &dyn Observer,
        tell: &mut (dyn FnMut(Round<'_>) + Send),
    ) -> Result<(), IngestError> {
        let mut sources: Vec<Vec<Announced>> = vec![Vec::new(); self.sources.len()];
        let mut done = Vec::new();
        for message in self.gather(queue).await? {
            let objects = match announced(&message.body) {
                Ok(objects) => objects,
                Err(error) => {
                    tell(Round::Left(&error.to_string()));
                    continue;
                }
            };
            let places: Vec<Option<usize>> =
                objects.iter().map(|object| self.place(object)).collect();
            let strange = objects
                .iter()
                .zip(&places)
                .find(|(_, place)| place.is_none());
            if let Some((object, _)) = strange {
                tell(Round::Left(&format!(
                    "{} lies outside the sources",
                    object.uri
                )));
                continue;
            }
            let uris: Vec<String> = objects.iter().map(|object| object.uri.clone()).collect();
            for (object, place) in objects.into_iter().zip(places.into_iter().flatten()) {
                sources[place].push(object);
            }
            done.push((message, uris));
        }
        if done.is_empty() {
            return Ok(());
        }
        let named: Vec<Arc<dyn Source>> = self
            .sources
            .iter()
            .zip(sources)
            .filter(|(_, objects)| !objects.is_empty())
            .map(|(source, objects)| {
                let name = queue.name().to_owned();
                Arc::new(Notified::new(Arc::clone(source), name, objects)) as Arc<dyn Source>
            })
            .collect();
        let selection = self.options.selection.clone();
        let summary = self.round(&named, selection, observer).await?;
        tell(Round::Done(&summary));
        // What a stop left unread is announced again.
        if summary.left > 0 {
            return Ok(());
        }
        let unfetched: HashSet<&String> = summary.unfetched.iter().collect();
        let read = done
            .into_iter()
            .filter(|(_, uris)| !uris.iter().any(|uri| unfetched.contains(uri)))
            .map(|(message, _)| message);
        Ok(queue.delete(&read.collect::<Vec<_>>()).await?)
    }

    /// The messages that wait; none if asked to stop.
    async fn gather(&self, queue: &dyn Queue) -> Result<Vec<Message>, IngestError> {
        let mut messages = tokio::select! {
            first = queue.receive(LONG_POLL) => first?,
            () = self.stopped() => return Ok(Vec::new()),
        };
        while !messages.is_empty() && messages.len() < TOGETHER {
            match queue.receive(Duration::ZERO).await? {
                more if more.is_empty() => break,
                more => messages.extend(more),
            }
        }
        Ok(messages)
    }

    /// The source in which an object lies.
    fn place(&self, object: &Announced) -> Option<usize> {
        let mut sources = self.sources.iter();
        sources.position(|source| Notified::lies_in(object, source.as_ref()))
    }

    /// One ingest. The lake is opened anew: others may have written to it.
    async fn round(
        &self,
        sources: &[Arc<dyn Source>],
        selection: Selection,
        observer: &dyn Observer,
    ) -> Result<IngestSummary, IngestError> {
        let mut lake = Lake::open_or_create(self.lake).await?;
        let options = IngestOptions {
            selection,
            ..self.options.clone()
        };
        ingest(&mut lake, sources, &options, (observer, self.stop)).await
    }

    /// Waits; whether to go on.
    async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => !self.stop.requested(),
            () = self.stopped() => false,
        }
    }

    async fn stopped(&self) {
        while !self.stop.requested() {
            tokio::time::sleep(GLANCE).await;
        }
    }
}
