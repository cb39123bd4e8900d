//! How is the lake asked?
//!
//! In: a lake, or sources without ingest. Out: a [`Session`]: DataFusion's own `SessionContext` with the tables `events`,
//! `log_files` and `rejects`, views of them, and what they cover. Promise: a question sees the same events either way, each
//! once; the selection (times, accounts, regions) holds for every question asked. There is one way from SQL to rows, for
//! keytrail's own SQL as for a user's, and it only asks: [`Session::statements`], [`Session::plan`], [`Query::bind`],
//! [`Query::ready`], [`Ready::run`], [`Rows::next`].

mod bounded;
mod cancel;
mod catalog;
mod checked;
mod constants;
mod count_texts;
mod covered;
mod damage;
mod dialect;
mod distinct;
mod elsewhere;
mod engine;
mod error;
mod fault;
mod functions;
mod intervals;
mod joined;
mod lists;
mod marks;
mod measured;
mod memory;
mod near;
mod params;
mod percentiles;
mod placeholder;
mod query;
mod raw;
mod selected;
mod sound;
mod spill;
mod spool;
mod statement;
mod stored;
mod summarized;
mod times;
mod together;
mod typed;
mod views;

pub use catalog::{ColumnInfo, FunctionInfo};
pub use dialect::fill_event_data_store;
pub use elsewhere::{Carried, Elsewhere, ElsewhereFault};
#[cfg(feature = "cluster")]
pub(crate) use engine::{engine, written_by_rules};
pub use error::SessionError;
pub use fault::{FaultKind, Position, SqlFault};
pub use near::{NameKind, Near};
pub use placeholder::{is_placeholder, placeholders};
pub use query::{Query, Ready, Rows};
pub use raw::{Decoders, Form, Parcels, SentRows, Shape, decode_there, schema_there};
pub use statement::Statement;
pub use typed::{Ending, Named, Next, Open, Typed};
pub use views::{EVENT_DATA_STORE, VIEWS, View};

use crate::cloudtrail::{Range, Selection};
use crate::lake::{Lake, TableName};
use crate::read::{Observer, Silent};
use crate::source::Source;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use engine::context;
use memory::runtime;
use raw::{LedgerTable, RawTable, Trail};
use selected::register_selected;
use spool::{Deferred, Foreseen, Spooled};
use std::collections::HashMap;
use std::sync::Arc;
use stored::Stored;

/// How to ask.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Which events every question sees.
    pub selection: Selection,
    /// Threads that work on a question.
    pub threads: usize,
    /// The most JSON a log file may have; only for log files without ingest.
    pub max_json: u64,
    /// The most memory that sorting, grouping and joining may take, in bytes. What does not fit is put into temporary
    /// files where the engine knows how. If none, what sorts and groups uses files early, and nothing is refused.
    pub max_memory: Option<usize>,
    /// Follows listing and reading; only for log files without ingest.
    pub observer: Arc<dyn Observer>,
    /// Other machines that queries run on; only for a lake.
    pub elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Other machines that decode; only for log files without ingest.
    pub decoders: Option<Arc<dyn Decoders>>,
}

impl Default for SessionOptions {
    /// Every event, one thread, log files of up to 2 GiB, no limit to memory.
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            threads: 1,
            max_json: 2 << 30,
            max_memory: None,
            observer: Arc::new(Silent),
            elsewhere: None,
            decoders: None,
        }
    }
}

/// A place to ask questions.
pub struct Session {
    context: SessionContext,
    origin: Origin,
    selection: Selection,
    elsewhere: Option<Arc<dyn Elsewhere>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
enum Origin {
    Lake(Arc<Lake>),
    Trail(Arc<Trail>),
}

/// Named parameters of a query, e.g. `$access_key_id`.
pub type Params = HashMap<String, ScalarValue>;

impl Session {
    /// Asks a lake.
    pub async fn lake(lake: Lake, options: &SessionOptions) -> Result<Self, SessionError> {
        let context = context(options.threads, runtime(options.max_memory)?)?;
        for name in TableName::ALL {
            let files = lake.scannable(name)?;
            context.register_object_store(&files.root, Arc::clone(&files.store) as _);
            let table = Arc::new(Stored::new(name, files)?);
            match name {
                TableName::Events => register_selected(&context, table, &options.selection)?,
                _ => drop(context.register_table(name.as_str(), table)?),
            }
        }
        Ok(Self {
            context,
            origin: Origin::Lake(Arc::new(lake)),
            selection: options.selection.clone(),
            elsewhere: options.elsewhere.clone(),
        })
    }

    /// The lake that is asked.
    fn lake_asked(&self) -> Option<&Arc<Lake>> {
        match &self.origin {
            Origin::Lake(lake) => Some(lake),
            Origin::Trail(_) => None,
        }
    }

    /// Asks log files. `log_files` and `rejects` tell of the last time that all of them were read.
    pub async fn trail(
        sources: Vec<Arc<dyn Source>>,
        options: &SessionOptions,
    ) -> Result<Self, SessionError> {
        let trail = Arc::new(Trail::list(sources, options).await?);
        let streams = options.threads.div_ceil(DECODERS_PER_STREAM).max(1);
        let context = context(streams, runtime(options.max_memory)?)?;
        let raw = Arc::new(RawTable::new(Arc::clone(&trail), options.threads, streams));
        let events = Arc::new(Spooled::new(
            Arc::clone(&raw) as _,
            options.threads,
            options.max_memory,
        ));
        let names = [TableName::LogFiles, TableName::Rejects];
        let ledger = names.map(|name| Arc::new(LedgerTable::new(name, Arc::clone(&raw))) as _);
        for (name, table) in names.into_iter().zip(Deferred::all(ledger, &events)) {
            context.register_table(name.as_str(), Arc::new(table))?;
        }
        register_selected(&context, events, &options.selection)?;
        Ok(Self {
            context,
            origin: Origin::Trail(trail),
            selection: options.selection.clone(),
            elsewhere: None,
        })
    }

    /// A session of its own on the same events, or on those of them in a range of time: what a question makes a table in
    /// one session is not seen in the other, so that both can be asked at once. Memory is shared.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub async fn fork(&self, range: &Range) -> Result<Self, SessionError> {
        let partitions = self.context.copied_config().target_partitions();
        let context = context(partitions, self.context.runtime_env())?;
        for name in TableName::ALL {
            let table = self.context.table_provider(name.as_str()).await?;
            match name {
                TableName::Events => register_selected(&context, table, &range.selection())?,
                _ => drop(context.register_table(name.as_str(), table)?),
            }
        }
        Ok(Self {
            context,
            origin: self.origin.clone(),
            selection: self.selection.within(range),
            elsewhere: self.elsewhere.clone(),
        })
    }

    /// Reads log files once for all questions that follow, by whichever fork; a lake can be asked as often as one likes.
    ///
    /// # Errors
    ///
    /// Those of the engine. Nothing is read yet.
    pub async fn keep_all(&self) -> Result<(), SessionError> {
        let everything = "SELECT * FROM events";
        self.foresee(&[(everything, &Params::new())]).await
    }

    /// Whether it asks this state of a lake.
    pub fn is_of(&self, lake: &Lake) -> bool {
        let versions = |lake: &Lake| TableName::ALL.map(|name| lake.delta(name).version());
        matches!(&self.origin, Origin::Lake(ours) if versions(ours) == versions(lake))
    }

    /// The events that every question sees.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Reads SQL: statements that ask, and nothing else.
    ///
    /// # Errors
    ///
    /// The text is no SQL, or one of its statements does something else than ask.
    pub fn statements(&self, text: &str) -> Result<Vec<Statement>, SqlFault> {
        Statement::read(text)
    }

    /// Runs the one statement of a text, and waits for all its rows.
    ///
    /// # Errors
    ///
    /// Those of [`Session::statements`] and [`Session::plan`], values that are missing or cannot be computed, input that
    /// cannot be read.
    pub async fn sql(
        &self,
        sql: &str,
        params: &Params,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), SessionError> {
        self.rows(sql, params).await?.all().await
    }

    /// Runs the one statement of a text; its rows come bit by bit.
    ///
    /// # Errors
    ///
    /// Those of [`Session::sql`].
    pub async fn rows(&self, sql: &str, params: &Params) -> Result<Rows, SessionError> {
        let query = self.plan(Statement::read_one(sql)?).await?;
        query.bind(params)?.ready().await?.run()
    }

    /// Says what is going to be asked, so that log files are read once for all of it; a lake can be asked as often as one
    /// likes. A parameter whose value is not known yet is null.
    ///
    /// # Errors
    ///
    /// Those of [`Session::sql`], but for the input.
    pub async fn foresee(&self, questions: &[(&str, &Params)]) -> Result<(), SessionError> {
        if let Origin::Lake(_) = self.origin {
            return Ok(());
        }
        let mut foreseen = Foreseen::default();
        for (sql, params) in questions {
            let query = self.plan(Statement::read_one(sql)?).await?;
            let query = query.not_known_yet(params)?.bind(params)?;
            query.foresee(&mut foreseen)?;
        }
        foreseen.keep(&self.context.state()).await?;
        Ok(())
    }

    /// Lets queries that are run one after the other read log files once.
    ///
    /// # Errors
    ///
    /// Those of [`Query::ready`].
    pub async fn foresee_queries(&self, queries: &[Query]) -> Result<(), SessionError> {
        let mut foreseen = Foreseen::default();
        for query in queries {
            query.foresee(&mut foreseen)?;
        }
        foreseen.keep_if_repeated(&self.context.state()).await?;
        Ok(())
    }

    /// Makes rows a table for the queries that follow.
    pub fn register(
        &self,
        name: &str,
        (schema, batches): (SchemaRef, Vec<RecordBatch>),
    ) -> Result<(), SessionError> {
        // Batches may differ from the plan's schema in nullability only; the table takes the batches' own.
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        self.context.deregister_table(name)?;
        self.context
            .register_table(name, Arc::new(MemTable::try_new(schema, vec![batches])?))?;
        Ok(())
    }

    /// Gives the view [`EVENT_DATA_STORE`] another name: that of an event data store in somebody's queries.
    ///
    /// # Errors
    ///
    /// Another table has this name.
    pub async fn name_event_data_store(&self, name: &str) -> Result<(), SessionError> {
        if name == EVENT_DATA_STORE {
            return Ok(());
        }
        let mut taken = TableName::ALL.into_iter().map(TableName::as_str);
        if taken.any(|table| table == name) || VIEWS.iter().any(|view| view.name == name) {
            return Err(SqlFault::new(format!(
                "an event data store cannot be called {name:?}: there is such a table already"
            ))
            .into());
        }
        Ok(views::name_event_data_store(&self.context, name).await?)
    }

    /// Log files read so far, and how many there are; none for a lake, which knows without reading them.
    pub fn log_files_read(&self) -> Option<(usize, usize)> {
        match &self.origin {
            Origin::Lake(_) => None,
            Origin::Trail(trail) => Some(trail.progress()),
        }
    }
}

/// Threads that decode log files for one that works on the query. Decoding is most of the work, and the fewer parts a
/// query is cut into, the less there is to put together again.
const DECODERS_PER_STREAM: usize = 4;
