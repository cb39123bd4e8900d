//! How an executor packs a parcel.
//!
//! In: a parcel. Out: data files in the lake's folder, and the account of them, in bytes. Promise: nothing is part of the lake yet.

use super::parcel::{Parcel, fault};
use super::reach::Reach;
use crate::ingest::{IngestError, Order, Place, pack_there};
use crate::read::Stop;
use arrow::array::{BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use std::sync::Arc;

/// Bytes of a row: an account may be longer than a message.
const PIECE: usize = 4 << 20;

pub(super) fn schema() -> SchemaRef {
    let bytes = Field::new("account", DataType::Binary, false);
    Arc::new(Schema::new(vec![bytes]))
}

/// Packs a parcel; its account as rows.
pub(super) async fn rows(
    reach: &Reach,
    parcel: Parcel,
    (order, stop): (&Order, &Stop),
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let account = pack(reach, parcel, (order, stop)).await.map_err(fault)?;
    account.chunks(PIECE).map(row).collect()
}

async fn pack(
    reach: &Reach,
    Parcel { sources, log_files }: Parcel,
    (order, stop): (&Order, &Stop),
) -> Result<Vec<u8>, IngestError> {
    let place = Place {
        sources,
        log_files,
        lake: reach.lake(&order.lake).await?,
    };
    pack_there(place, order, stop).await?.to_bytes()
}

fn row(piece: &[u8]) -> Result<RecordBatch, DataFusionError> {
    let piece = BinaryArray::from_iter_values([piece]);
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(piece)])?)
}
