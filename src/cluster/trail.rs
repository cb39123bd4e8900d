//! Questions about log files, which executors decode.
//!
//! In: the form of rows, and parcels. Out: decoded events, with what became of each log file. Promise: a condition that has no written form is
//! worked on here.

use super::codec::Codec;
use super::rows::rows_of;
use super::{Cluster, functions, task};
use crate::session::{Decoders, Form, Parcels, SentRows};
use async_trait::async_trait;
use datafusion::common::DataFusionError;
use std::error::Error;
use std::sync::Arc;

#[async_trait]
impl Decoders for Cluster {
    fn at_once(&self) -> usize {
        self.jobs_at_once()
    }

    fn order(&self, form: &Form) -> Result<Arc<[u8]>, String> {
        let said = |error: DataFusionError| error.strip_backtrace();
        let filter = match form.filter() {
            None => None,
            Some(filter) => {
                let state = functions::anywhere().map_err(said)?;
                let codec = Codec::new(functions::known(&state));
                Some(task::write_filter(
                    filter,
                    form,
                    (&codec, &state.task_ctx()),
                )?)
            }
        };
        Ok(task::write(form, filter.as_deref()).map_err(said)?.into())
    }

    async fn decode(
        &self,
        order: Arc<[u8]>,
        parcels: Parcels,
    ) -> Result<SentRows, Arc<dyn Error + Send + Sync>> {
        let answer = self.work_on(&parcels, |codec, context| {
            task::read(&order, codec, context)
        });
        let answer = answer.await?;
        Ok(rows_of(answer, 0))
    }

    fn stays(&self, why: &str) {
        self.told(why);
    }
}
