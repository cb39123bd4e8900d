//! How a question is put.
//!
//! In: the options that questions share. Out: a session on a lake or on log files. Promise: both are opened in one place,
//! so that every question takes the same options.

use std::sync::Arc;
use std::thread::available_parallelism;

use chrono::{DateTime, Utc};
use keytrail::cloudtrail::Selection;
use keytrail::lake::{Lake, LakeError, Location};
use keytrail::session::{Session, SessionOptions};
use keytrail::source::{self, Source};

use crate::args::{Input, SourceArgs, TrailArgs};
use crate::config::DEFAULT_LAKE;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Progress;

/// The most JSON a log file may have when it is asked without ingest.
const MAX_JSON: u64 = 2 << 30;

/// Threads to work with: as many as there are cores.
pub(crate) fn threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The sources of these names.
pub(crate) async fn sources(
    names: &[String],
    access: &SourceArgs,
) -> Result<Vec<Arc<dyn Source>>, Failure> {
    let mut sources = Vec::new();
    for name in names {
        sources.push(source::open(name, &access.options()).await?);
    }
    Ok(sources)
}

/// The place of a lake; only a lake on S3 needs credentials.
pub(crate) async fn location(lake: &str, access: &SourceArgs) -> Result<Location, Failure> {
    let sdk = match lake.starts_with("s3://") {
        true => Some(source::reach(lake, &access.options()).await?),
        false => None,
    };
    Ok(Location::new(lake, sdk.as_ref())?)
}

/// A session on what the options name.
pub(crate) async fn session(trail: &TrailArgs, context: &Context) -> Result<Session, Failure> {
    session_within(None, trail, context).await
}

/// The same with at most so many bytes of memory for sorting, grouping and joining.
pub(crate) async fn session_within(
    max_memory: Option<usize>,
    trail: &TrailArgs,
    context: &Context,
) -> Result<Session, Failure> {
    open(trail, trail.selection.selection()?, max_memory, context).await
}

/// The same on events from an earlier moment on than the options say.
pub(crate) async fn session_from(
    since: DateTime<Utc>,
    trail: &TrailArgs,
    context: &Context,
) -> Result<Session, Failure> {
    let selection = trail.selection.selection()?;
    let since = selection.since.map(|narrow| narrow.min(since));
    open(trail, Selection { since, ..selection }, None, context).await
}

/// How questions are asked.
pub(crate) fn options(
    selection: Selection,
    max_memory: Option<usize>,
    context: &Context,
) -> SessionOptions {
    SessionOptions {
        observer: Progress::of_question(context),
        selection,
        threads: threads(),
        max_json: MAX_JSON,
        max_memory,
        ..SessionOptions::default()
    }
}

async fn open(
    trail: &TrailArgs,
    selection: Selection,
    max_memory: Option<usize>,
    context: &Context,
) -> Result<Session, Failure> {
    let input = trail.input.input();
    #[cfg(feature = "cluster")]
    let cluster = {
        let why_here = match &input {
            Input::Lake(_) => None,
            Input::Trails(names) => crate::cluster::not_in_s3(names.iter().map(String::as_str)),
        };
        crate::cluster::asked(&trail.cluster, why_here, context).await?
    };
    let options = SessionOptions {
        #[cfg(feature = "cluster")]
        elsewhere: cluster.clone().map(|cluster| cluster as _),
        #[cfg(feature = "cluster")]
        decoders: cluster.map(|cluster| cluster as _),
        ..options(selection, max_memory, context)
    };
    let session = match input {
        Input::Lake(lake) => {
            let lake = Lake::open(&location(&lake, &trail.access).await?).await?;
            Session::lake(lake, &options).await?
        }
        Input::Trails(names) => {
            Session::trail(sources(&names, &trail.access).await?, &options).await?
        }
    };
    match session.misnamed().await? {
        None => Ok(session),
        Some((what, near)) => Err(Failure::new(format!("{what} is not in these logs"))
            .hint(format!("did you mean {}?", near.join(" or ")))),
    }
}

/// A session on what the options name; none if they name nothing and there is no lake at the usual place.
pub(crate) async fn session_if_any(
    trail: &TrailArgs,
    context: &Context,
) -> Result<Option<Session>, Failure> {
    if trail.input.input() == Input::Lake(DEFAULT_LAKE.to_owned()) {
        let lake = Lake::open(&location(DEFAULT_LAKE, &trail.access).await?).await;
        if let Err(LakeError::Missing { .. }) = lake {
            return Ok(None);
        }
    }
    session(trail, context).await.map(Some)
}
