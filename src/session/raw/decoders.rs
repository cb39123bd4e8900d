//! Machines that decode log files for a question.
//!
//! In: the form of rows, and parcels. Out: the rows. Promise: how work gets to the other machines is for [`Decoders`] to say.

use super::form::Form;
use crate::source::LogFile;
use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::DataFusionError;
use futures::stream::BoxStream;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Log files, each with the name of its source.
pub type Parcels = Vec<Vec<(Arc<str>, LogFile)>>;

/// Rows as they come from other machines.
pub type SentRows = BoxStream<'static, Result<RecordBatch, DataFusionError>>;

/// Machines that decode log files.
#[async_trait]
pub trait Decoders: fmt::Debug + Send + Sync {
    /// How many jobs they should have at once.
    fn at_once(&self) -> usize;

    /// What to tell them of the rows that are wanted.
    ///
    /// # Errors
    ///
    /// Why it cannot be told.
    fn order(&self, form: &Form) -> Result<Arc<[u8]>, String>;

    /// Decodes parcels with `decode_there`. Given up, the job is cancelled.
    ///
    /// # Errors
    ///
    /// A parcel cannot be decoded, also when it is tried again.
    async fn decode(
        &self,
        order: Arc<[u8]>,
        parcels: Parcels,
    ) -> Result<SentRows, Arc<dyn Error + Send + Sync>>;

    /// Log files that could have been decoded there are decoded here, for this reason.
    fn stays(&self, why: &str);
}
