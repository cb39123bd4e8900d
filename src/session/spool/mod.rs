//! Log files that are read once, however often a command asks them.
//!
//! In: the table of all events, and the scans that a command is going to make. Out: the same table; scans that were foreseen
//! are answered from what one reading of the log files kept. Promise: a scan that nobody foresaw streams as before and keeps
//! nothing; planning reads nothing, the first scan that is executed does; each value is kept once, and only where a scan
//! asks for it; what is kept is bounded in memory, the rest is in a temporary file without a name.
//!
//! ```text
//! queries ──▶ wants: (columns, conditions) per scan ──▶ slots ──▶ fill: one reading ──▶ kept: memory, then a file
//!                                                                                         │
//!                                      scan: want covered by a slot ◀─────────────────────┘
//! ```

mod account;
mod fault;
mod fill;
mod foresee;
mod kept;
mod scan;
#[cfg(test)]
mod tests;
mod want;

pub(super) use account::Deferred;
pub(super) use fault::ReadFault;
pub(super) use foresee::{Foreseen, physical};

use super::raw::locked;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use fill::{Keeping, Spool};
use scan::KeptScan;
use std::sync::{Arc, Mutex};
use want::Want;

/// The most that is kept in memory; more goes to a file.
const IN_MEMORY: usize = 512 << 20;

/// The events of log files.
#[derive(Debug)]
pub(super) struct Spooled {
    /// The table that reads the log files.
    all: Arc<dyn TableProvider>,
    /// Threads that scan what is kept.
    threads: usize,
    /// The most bytes that are kept in memory.
    in_memory: usize,
    spools: Mutex<Vec<Arc<Spool>>>,
}

impl Spooled {
    /// The events that `all` reads; a query may take `max_memory` bytes.
    pub(super) fn new(
        all: Arc<dyn TableProvider>,
        threads: usize,
        max_memory: Option<usize>,
    ) -> Self {
        // Operators that sort, group and join share the rest.
        let share = max_memory.map_or(IN_MEMORY, |bytes| bytes / 4);
        Self {
            all,
            threads,
            in_memory: share.min(IN_MEMORY),
            spools: Mutex::default(),
        }
    }

    /// The spool whose reading covers a scan, and the slot in it.
    fn covering(&self, want: &Want) -> Option<(Arc<Spool>, usize)> {
        let spools = locked(&self.spools);
        spools.iter().find_map(|spool| {
            let slot = spool.slots.iter().position(|slot| slot.covers(want))?;
            Some((Arc::clone(spool), slot))
        })
    }

    /// Makes a spool for these scans; nothing is read yet.
    async fn keep(
        &self,
        state: &dyn CatalogSession,
        wants: Vec<Want>,
        whole: bool,
    ) -> Result<Arc<Spool>, DataFusionError> {
        let kept = Keeping {
            wants,
            whole,
            in_memory: self.in_memory,
        };
        let spool = Arc::new(Spool::new(state, &self.all, kept).await?);
        locked(&self.spools).push(Arc::clone(&spool));
        Ok(spool)
    }

    /// Forgets a spool, for the scans that are planned from now on.
    fn forget(&self, spool: &Arc<Spool>) {
        locked(&self.spools).retain(|other| !Arc::ptr_eq(other, spool));
    }

    /// The spool that was made last.
    fn last(&self) -> Option<Arc<Spool>> {
        locked(&self.spools).last().cloned()
    }
}

#[async_trait]
impl TableProvider for Spooled {
    fn schema(&self) -> SchemaRef {
        self.all.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        self.all.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let want = Want::new(&self.schema(), projection.map(Vec::as_slice), filters)?;
        match self.covering(&want) {
            Some(place) => Ok(Arc::new(KeptScan::new(
                state,
                place,
                (&want, self.threads),
            )?)),
            None => self.all.scan(state, projection, filters, limit).await,
        }
    }
}
