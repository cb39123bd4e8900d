//! The events that are asked, as they are now.
//!
//! In: a session, and where its lake is. Out: a session for each question. Promise: a question sees the lake as it was some
//! seconds ago at most; each state of it has its own number.

use super::ServiceError;
use crate::cloudtrail::Range;
use crate::lake::{Lake, Location};
use crate::session::{Session, SessionError, SessionOptions};
use std::time::{Duration, Instant};

/// How long a lake is taken for what it was. Looking again costs a few requests where it is on S3.
const FRESH: Duration = Duration::from_secs(10);

/// How a lake is opened again.
#[derive(Debug)]
pub struct Reopen {
    /// Where it is.
    pub location: Location,
    /// How it is asked.
    pub options: SessionOptions,
}

/// The session that others are forks of.
#[derive(Debug)]
pub(super) struct Base {
    session: Session,
    reopen: Option<Reopen>,
    looked: Instant,
    state: u64,
}

impl Base {
    pub(super) fn new(session: Session, reopen: Option<Reopen>) -> Self {
        Self {
            session,
            reopen,
            looked: Instant::now(),
            state: 1,
        }
    }

    /// A session for one question, and the number of the state that it sees.
    pub(super) async fn fork(&mut self, range: &Range) -> Result<(Session, u64), ServiceError> {
        if let Some(reopen) = &self.reopen
            && self.looked.elapsed() > FRESH
        {
            let lake = Lake::open(&reopen.location).await;
            let lake = lake.map_err(SessionError::from)?;
            if !self.session.is_of(&lake) {
                self.session = Session::lake(lake, &reopen.options).await?;
                self.state += 1;
            }
            self.looked = Instant::now();
        }
        Ok((self.session.fork(range).await?, self.state))
    }
}
