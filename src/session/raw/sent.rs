//! Decoded log files, as they come from other machines.
//!
//! In: fetched log files. Out: rows: each event of theirs once, and after the events of a log file what became of it. Promise: whoever
//! receives the rows can tell which events are copies of others, and account for every log file and record; of events that
//! the scan does not want, only that travels.
//!
//! ```text
//! account  log_file  time  id  passes  place…   columns of the scan
//! null     3         …     …   true    …        …                      an event of log file 3 of the parcel
//! null     3         …     …   false   …        null                   an event that the condition leaves out
//! JSON     3                                                           what became of log file 3: its events came before
//! JSON     null                                                        a record that was rejected
//! ```

use super::form::Form;
use super::selected;
use crate::event::{EventKey, Field as Column};
use crate::read::{DecodedParcel, EventRows, FetchedParcel, ParcelDecoder, Stop, Taken};
use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray,
    UInt32Array, new_null_array,
};
use arrow::compute::{filter_record_batch, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, exec_err};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;

/// The columns before those of the scan, by their place.
pub(super) const ACCOUNT: usize = 0;
pub(super) const LOG_FILE: usize = 1;
pub(super) const TIME: usize = 2;
pub(super) const ID: usize = 3;
pub(super) const PASSES: usize = 4;
pub(super) const PLACE: usize = 5;
pub(super) const OF_SCAN: usize = PLACE + selected::COLUMNS.len();

/// Bytes of an event's id.
const ID_BYTES: usize = 16;

/// Bytes of accounts in a batch, about.
const ACCOUNTS: usize = 4 << 20;

/// The columns of the rows. Their own names are none that a column of events has.
pub fn schema(form: &Form) -> SchemaRef {
    let own = |name: &str, kind| Field::new(format!("({name})"), kind, true);
    let mut fields = vec![
        own("account", DataType::Utf8),
        own("log_file", DataType::UInt32),
        own("time", DataType::Int64),
        own("id", DataType::FixedSizeBinary(ID_BYTES as i32)),
        own("passes", DataType::Boolean),
    ];
    let place = selected::COLUMNS.into_iter();
    fields.extend(place.map(|field| own(field.column().name, DataType::Utf8)));
    let of_scan = form.schema.fields().iter();
    fields.extend(of_scan.map(|field| Field::clone(field).with_nullable(true)));
    Arc::new(Schema::new(fields))
}

/// Decodes a parcel, to be sent.
///
/// # Errors
///
/// Columns cannot be put together, or it was to stop.
pub fn decode(
    fetched: FetchedParcel,
    form: &Form,
    stop: &Stop,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let schema = schema(form);
    let mut seen: HashSet<EventKey> = HashSet::new();
    let mut batches = Vec::new();
    let mut take = |rows: EventRows| {
        let fresh: Vec<bool> = rows.keys.iter().map(|key| seen.insert(*key)).collect();
        let batch = events(form, &schema, &rows)?;
        batches.push(match fresh.contains(&false) {
            true => filter_record_batch(&batch, &fresh.clone().into())?,
            false => batch,
        });
        Ok::<_, DataFusionError>(Taken { fresh, spent: None })
    };
    let mut decoder = ParcelDecoder::new(&form.fields(), form.shape().max_json, stop.clone());
    let decoded = decoder.decode(fetched, &mut take)?;
    // A parcel that was not decoded to its end has no account.
    if stop.requested() {
        return exec_err!("the job was cancelled");
    }
    batches.extend(accounts(&schema, &decoded)?);
    Ok(batches)
}

fn events(
    form: &Form,
    schema: &SchemaRef,
    rows: &EventRows,
) -> Result<RecordBatch, DataFusionError> {
    let EventRows {
        batch,
        keys,
        log_files,
    } = rows;
    let of = log_files.iter();
    let of = of.flat_map(|(rows, place)| rows.clone().map(move |_| *place as u32));
    let ids = keys.iter().map(|key| key.id.to_le_bytes());
    let arranged = form.arrange(batch)?;
    let passes = form.passes(&arranged)?;
    let visible = form.visible(&arranged)?;
    let mut columns: Vec<ArrayRef> = vec![
        new_null_array(&DataType::Utf8, keys.len()),
        Arc::new(UInt32Array::from_iter_values(of)),
        Arc::new(Int64Array::from_iter_values(
            keys.iter().map(|key| key.time),
        )),
        match keys.is_empty() {
            true => new_null_array(schema.field(ID).data_type(), 0),
            false => Arc::new(FixedSizeBinaryArray::try_from_iter(ids)?),
        },
    ];
    let whole = || BooleanArray::from(vec![true; keys.len()]);
    columns.push(Arc::new(passes.clone().unwrap_or_else(whole)));
    columns.extend(selected::COLUMNS.into_iter().map(|field: Column| {
        let column = batch.column_by_name(field.column().name);
        match column.filter(|_| form.shape().selecting) {
            Some(column) => Arc::clone(column),
            None => new_null_array(&DataType::Utf8, keys.len()),
        }
    }));
    match passes {
        None => columns.extend(visible.columns().iter().map(Arc::clone)),
        Some(passes) => {
            let wanted = passes.values().iter().zip(0_u32..);
            let wanted: UInt32Array = wanted.map(|(passes, row)| passes.then_some(row)).collect();
            for column in visible.columns() {
                columns.push(take(column, &wanted, None)?);
            }
        }
    }
    Ok(RecordBatch::try_new(SchemaRef::clone(schema), columns)?)
}

/// What became of log files and records.
fn accounts(
    schema: &SchemaRef,
    decoded: &DecodedParcel,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let rejects = decoded.rejects.iter();
    let rejects = rejects.map(|reject| account(None, reject));
    let log_files = decoded.log_files.iter().zip(0..);
    let log_files = log_files.map(|(row, place)| account(Some(place), row));
    let (mut batches, mut some, mut bytes) = (Vec::new(), Vec::new(), 0);
    for account in rejects.chain(log_files) {
        let account = account?;
        bytes += account.1.len();
        some.push(account);
        if bytes >= ACCOUNTS {
            batches.push(account_rows(schema, std::mem::take(&mut some))?);
            bytes = 0;
        }
    }
    if !some.is_empty() {
        batches.push(account_rows(schema, some)?);
    }
    Ok(batches)
}

fn account_rows(
    schema: &SchemaRef,
    accounts: Vec<(Option<u32>, String)>,
) -> Result<RecordBatch, DataFusionError> {
    let rows = accounts.len();
    let (places, texts): (Vec<_>, Vec<_>) = accounts.into_iter().unzip();
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(texts)),
        Arc::new(UInt32Array::from(places)),
    ];
    let rest = schema.fields().iter().skip(columns.len());
    columns.extend(rest.map(|field| new_null_array(field.data_type(), rows)));
    Ok(RecordBatch::try_new(SchemaRef::clone(schema), columns)?)
}

/// A row, and the log file it is about.
fn account(
    log_file: Option<u32>,
    row: &impl Serialize,
) -> Result<(Option<u32>, String), DataFusionError> {
    let text = serde_json::to_string(row);
    let text = text.map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok((log_file, text))
}
