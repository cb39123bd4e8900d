//! Views: what people ask for by name.
//!
//! In: `.sql` files. Out: tables over `events`. Promise: a view that nobody asks for costs nothing, not even planning; one
//! that is asked for becomes part of the query, so that its conditions skip files as those on `events` do.

use super::dialect;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use std::sync::Arc;

/// A view.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// The query, with a header that says what it is for.
    pub sql: &'static str,
}

impl View {
    /// What it shows, in one line.
    pub fn title(&self) -> &'static str {
        self.header("-- ").unwrap_or(self.name)
    }

    /// What a row is.
    pub fn grain(&self) -> &'static str {
        self.header("-- grain: ").unwrap_or("one row per event")
    }

    fn header(&self, start: &str) -> Option<&'static str> {
        self.sql.lines().find_map(|line| line.strip_prefix(start))
    }
}

macro_rules! views {
    ($($name:literal),*) => {
        &[$(View {
            name: $name,
            sql: include_str!(concat!("../../queries/views/", $name, ".sql")),
        }),*]
    };
}

/// All views, in the order in which people are shown them.
pub const VIEWS: &[View] = views![
    "calls",
    "first_records",
    "key_usage",
    "sessions",
    "issued_credentials",
    "key_lifecycle",
    "principals",
    "failures",
    "console_sign_ins",
    "s3_object_access",
    "cross_account_calls",
    "cloudtrail_logs",
    "cloudtrail",
    "event_data_store"
];

/// The view that an event data store's name stands for.
pub const EVENT_DATA_STORE: &str = "event_data_store";

/// Makes the views that a statement names tables, and the views that these name.
pub(super) async fn register_named(
    context: &SessionContext,
    statement: &Statement,
) -> Result<(), DataFusionError> {
    for table in context.state().resolve_table_references(statement)? {
        register(context, table.table()).await?;
    }
    Ok(())
}

/// Registers the event data store by another name.
pub(super) async fn name_event_data_store(
    context: &SessionContext,
    name: &str,
) -> Result<(), DataFusionError> {
    register(context, EVENT_DATA_STORE).await?;
    let store = context.table_provider(EVENT_DATA_STORE).await?;
    // Without quotes, a name is lower case.
    for name in [name, &name.to_lowercase()] {
        let table = TableReference::bare(name);
        if !context.table_exist(table.clone())? {
            context.register_table(table, Arc::clone(&store))?;
        }
    }
    Ok(())
}

/// Makes a view a table, if there is one of this name and it is none yet.
pub(super) async fn register(context: &SessionContext, name: &str) -> Result<(), DataFusionError> {
    let view = VIEWS.iter().find(|view| view.name == name);
    let Some(view) = view.filter(|view| !context.table_exist(view.name).unwrap_or(true)) else {
        return Ok(());
    };
    let statement = dialect::statement(view.sql)?;
    // Views name views no deeper than the fingers of a hand.
    Box::pin(register_named(context, &statement)).await?;
    let plan = context.state().statement_to_plan(statement).await?;
    let frame = context.execute_logical_plan(plan).await?;
    context.register_table(view.name, frame.into_view())?;
    Ok(())
}
