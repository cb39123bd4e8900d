//! How do programs and pages ask?
//!
//! In: a session, and questions by name or in SQL. Out: answers with their coverage, whole or in parts. Promise: a question only
//! asks: SQL goes through the gate of [`Session`], nothing is read from or written to a place that a request names. Each
//! question is bounded in time and memory, SQL in rows too, few are answered at once, and one that nobody waits for any longer
//! ends. A lake that has grown is seen by the next question.
//!
//! ```text
//! explorer ─┐                                      ┌─▶ analysis
//! agents  ──┴─▶ Asked ─▶ kept? ─▶ turn ─▶ a fork ──┴─▶ SQL ─▶ Answer ─▶ parts: sorted, filtered, paged
//! ```

mod answer;
mod ask;
mod document;
mod facets;
mod inventory;
mod kept;
mod lake;
mod question;
mod sources;
mod sql;
mod table;

pub use answer::Answer;
pub use document::{Document, Table};
pub use facets::Facet;
pub use lake::Reopen;
pub use question::{Asked, Question, Traced};
pub use sources::page_sources;
pub use table::{Part, View};

use crate::analysis::AnalysisError;
use crate::analysis::consumers::ConsumerOptions;
use crate::analysis::findings::{Rules, RulesError};
use crate::analysis::question::{Library, ParameterError, UnknownQuestion};
use crate::session::{Session, SessionError, SqlFault};
use kept::Kept;
use lake::Base;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How much a question may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// The most rows of a statement that are kept.
    pub rows: usize,
    /// How many questions are answered at once; others wait.
    pub at_once: usize,
}

impl Default for Limits {
    /// Two minutes, ten thousand rows, four at once.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(120),
            rows: 10_000,
            at_once: 4,
        }
    }
}

/// What questions are answered with, besides the events.
#[derive(Debug)]
pub struct Settings {
    /// How much a question may take.
    pub limits: Limits,
    /// The saved queries.
    pub library: Library,
    /// The rules that traces judge events by.
    pub rules: Rules,
    /// What is known of networks.
    pub consumers: ConsumerOptions,
    /// What is asked, as options of the command line, for commands that are shown: `--lake`, `--trail`.
    pub input: Vec<(&'static str, Option<String>)>,
}

impl Settings {
    /// What comes with the program.
    ///
    /// # Errors
    ///
    /// A table that comes with the program is broken.
    pub fn built_in() -> Result<Self, AnalysisError> {
        Ok(Self {
            limits: Limits::default(),
            library: Library::built_in(),
            rules: Rules::builtin()?,
            consumers: ConsumerOptions::built_in()?,
            input: Vec::new(),
        })
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It could not be answered.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// There is no such saved query.
    #[error(transparent)]
    Unknown(#[from] UnknownQuestion),
    /// A parameter of a saved query has no value, or not a fitting one.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// There is no such column in the answer.
    #[error("there is no column {0:?} in the answer")]
    NoColumn(String),
    /// The rows could not be put into the form that was asked for.
    #[error("the answer could not be written: {0}")]
    Write(#[from] io::Error),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Time(Duration),
    /// The engine failed on the way.
    #[error("the question was cancelled: {0}")]
    GivenUp(String),
}

impl From<SessionError> for ServiceError {
    fn from(error: SessionError) -> Self {
        ServiceError::Analysis(error.into())
    }
}

impl From<SqlFault> for ServiceError {
    fn from(fault: SqlFault) -> Self {
        SessionError::from(fault).into()
    }
}

impl From<RulesError> for ServiceError {
    fn from(error: RulesError) -> Self {
        ServiceError::Analysis(error.into())
    }
}

impl From<arrow::error::ArrowError> for ServiceError {
    fn from(error: arrow::error::ArrowError) -> Self {
        ServiceError::Analysis(error.into())
    }
}

impl ServiceError {
    /// The fault of a statement, if that is what it is.
    pub fn sql(&self) -> Option<&SqlFault> {
        match self {
            ServiceError::Analysis(AnalysisError::Session(SessionError::Sql(fault))) => Some(fault),
            _ => None,
        }
    }
}

/// An answer, and what it was asked of.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The state of the events that it rests on: another number, other events.
    pub state: u64,
}

/// Answers questions. Clones are the same service.
#[derive(Debug, Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base: tokio::sync::Mutex<Base>,
    settings: Settings,
    kept: Mutex<Kept>,
    turns: Semaphore,
    /// Where questions are worked on. Those who wait for answers are elsewhere: a busy engine leaves them nothing.
    work: Handle,
}

impl Service {
    /// A service on the events of a session; its lake is looked at again now and then if it is known where that is.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub async fn new(
        session: Session,
        reopen: Option<Reopen>,
        settings: Settings,
    ) -> Result<Self, ServiceError> {
        session.keep_all().await?;
        Ok(Self {
            inner: Arc::new(Inner {
                base: tokio::sync::Mutex::new(Base::new(session, reopen)),
                kept: Mutex::default(),
                turns: Semaphore::new(settings.limits.at_once.max(1)),
                work: Handle::current(),
                settings,
            }),
        })
    }

    /// What questions are answered with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Asks. Dropping the future ends the question.
    ///
    /// # Errors
    ///
    /// Those of the question, and that it took too long.
    pub async fn ask(&self, asked: &Asked) -> Result<Arc<Answered>, ServiceError> {
        let inner = Arc::clone(&self.inner);
        let limit = inner.settings.limits.time;
        let asked = asked.clone();
        // A set of its own: dropped, it ends its task.
        let mut task = JoinSet::new();
        task.spawn_on(async move { inner.answered(asked).await }, &self.inner.work);
        match tokio::time::timeout(limit, task.join_next()).await {
            Err(_) => Err(ServiceError::Time(limit)),
            Ok(Some(Ok(answered))) => answered,
            Ok(Some(Err(error))) => Err(ServiceError::GivenUp(error.to_string())),
            Ok(None) => Err(ServiceError::GivenUp("it was not begun".to_owned())),
        }
    }
}

impl Inner {
    async fn answered(&self, asked: Asked) -> Result<Arc<Answered>, ServiceError> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|error| ServiceError::GivenUp(error.to_string()))?;
        let (session, state) = self.base.lock().await.fork(&asked.range).await?;
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = kept().get(&asked, state) {
            return Ok(answered);
        }
        let answer = ask::answer(&session, &asked.question, &self.settings).await?;
        let answered = Arc::new(Answered { answer, state });
        kept().put(asked, Arc::clone(&answered));
        Ok(answered)
    }
}
