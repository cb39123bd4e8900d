//! Rows, column by column.
//!
//! In: scanned records. Out: one Arrow batch and, row by row, the identity by which copies of an event are told. Promise:
//! columns that nobody asked for cost nothing.

use super::column::{ColumnBuilder, Value};
use super::derive;
use super::record::Record;
use super::schema::{self, ColumnKind, Field, WIDTH};
use super::secrets::without_secrets;
use super::summary::Summary;
use crate::cloudtrail::hex;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use uuid::Uuid;

/// A builder with more bytes than this is full. Offsets of text columns are 32 bits, and packing needs some copies.
const FULL: usize = 64 << 20;

/// What makes an event the same event: its time and AWS's GUID. Where AWS gave none, a hash of the record stands in, so
/// that copies meet and namesakes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey {
    /// `event_time` in microseconds; copies of an event share it.
    pub time: i64,
    /// The GUID, or half of a SHA-256.
    pub id: u128,
}

impl EventKey {
    /// The key of a stored event, from its columns.
    pub fn new(time: i64, event_id: &str, content_sha256: Option<&str>) -> Self {
        let id = match (guid(event_id), content_sha256) {
            (Some(id), None) => id,
            (_, Some(sha)) => {
                u128::from_str_radix(sha.get(..32).unwrap_or_default(), 16).unwrap_or_default()
            }
            (None, None) => first_half(&Sha256::digest(event_id)),
        };
        Self { time, id }
    }
}

fn guid(event_id: &str) -> Option<u128> {
    (event_id.len() == 36)
        .then(|| Uuid::try_parse(event_id).ok())
        .flatten()
        .map(|uuid| uuid.as_u128())
}

fn first_half(sha: &[u8]) -> u128 {
    sha.iter()
        .take(16)
        .fold(0, |id, byte| id << 8 | u128::from(*byte))
}

/// Collects events as columns.
#[derive(Debug)]
pub struct EventBuilder {
    fields: Vec<Field>,
    columns: Vec<ColumnBuilder>,
    /// The column of each field.
    places: [Option<usize>; WIDTH],
    /// A bit for each column that is a field of the record as it stands.
    plain: u128,
    /// The other columns.
    derived: Vec<Field>,
    keys: Vec<EventKey>,
    log_file: String,
    summary: Summary,
    keep_secrets: bool,
}

impl EventBuilder {
    /// A builder of these columns, in this order.
    pub fn new(fields: &[Field]) -> Self {
        let mut places = [None; WIDTH];
        for (place, field) in fields.iter().enumerate() {
            places[*field as usize] = Some(place);
        }
        let (derived, plain): (Vec<Field>, Vec<Field>) =
            fields.iter().partition(|field| is_derived(**field));
        let plain = plain
            .iter()
            .fold(0, |bits, field| bits | 1 << *field as usize);
        let columns = fields
            .iter()
            .map(|field| ColumnBuilder::new(field.column().kind))
            .collect();
        Self {
            fields: fields.to_vec(),
            columns,
            places,
            plain,
            derived,
            keys: Vec::new(),
            log_file: String::new(),
            summary: Summary::default(),
            keep_secrets: false,
        }
    }

    /// The same; session tokens and passwords that services log are kept, if so.
    #[must_use]
    pub fn keeping_secrets(self, keep_secrets: bool) -> Self {
        Self {
            keep_secrets,
            ..self
        }
    }

    /// A text of JSON as it goes into a column.
    pub(super) fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.keep_secrets {
            true => Cow::Borrowed(text),
            false => without_secrets(text),
        }
    }

    /// The rows that follow come from this log file.
    pub(crate) fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.log_file);
        self.summary = Summary::default();
    }

    /// The rows that follow come from this file of the same archive.
    pub(crate) fn begin_member(&mut self, name: &str) {
        name.clone_into(&mut self.log_file);
    }

    /// What the rows since [`EventBuilder::begin_file`] are about.
    pub(crate) fn take_summary(&mut self) -> Summary {
        std::mem::take(&mut self.summary)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(ColumnBuilder::bytes).sum::<usize>()
            + self.keys.len() * size_of::<EventKey>()
    }

    /// Whether it is time to take the rows out.
    pub fn is_full(&self) -> bool {
        self.bytes() > FULL
    }

    /// Drops all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.keys.truncate(rows);
        for column in &mut self.columns {
            column.truncate(rows);
        }
    }

    /// All rows as one batch, with the key of each; the builder is empty afterwards.
    pub fn finish(&mut self) -> Result<(RecordBatch, Vec<EventKey>), ArrowError> {
        let keys = std::mem::take(&mut self.keys);
        let arrays = self
            .columns
            .iter_mut()
            .map(|column| column.finish(keys.len()))
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(keys.len()));
        Ok((
            RecordBatch::try_new_with_options(schema::projected(&self.fields), arrays, &options)?,
            keys,
        ))
    }

    /// Takes back the memory of a batch that [`EventBuilder::finish`] gave, for the rows to come: fresh memory costs about as
    /// much as filling it.
    pub fn reuse(&mut self, batch: RecordBatch) {
        let (_, arrays, _) = batch.into_parts();
        for (column, array) in self.columns.iter_mut().zip(arrays) {
            column.reuse(array);
        }
    }

    /// Appends an event: the record, its text, its position in the log file and its time.
    pub(crate) fn push(&mut self, record: &Record<'_>, (text, position, time): (&str, u64, i64)) {
        let (key, id, content) = identity(record, text);
        let row = self.keys.len();
        self.keys.push(EventKey { time, id: key });
        self.summary.add(record, time);
        let mut present = record.present() & self.plain;
        while present != 0 {
            let field = Field::all()[present.trailing_zeros() as usize];
            if let Some(place) = self.places[field as usize] {
                let json = field.column().kind == ColumnKind::Json;
                let shown = json.then(|| self.shown(record.raw(field)));
                let column = &mut self.columns[place];
                match shown {
                    Some(text) => column.set(row, Value::Text(&text)),
                    None => set_field(record, field, (column, row)),
                }
            }
            present &= present - 1;
        }
        let wants = |field: Field| self.places[field as usize].is_some();
        let issued = (wants(Field::IssuedAccessKeyId) || wants(Field::IssuedPrincipal))
            .then(|| derive::issued(record))
            .flatten();
        let others = wants(Field::OtherFields).then(|| record.other_fields());
        let others = others.flatten();
        let others = others.as_deref().map(|text| self.shown(text));
        for field in &self.derived {
            let Some(place) = self.places[*field as usize] else {
                continue;
            };
            let column = &mut self.columns[place];
            let mut set =
                |text: Option<&str>| column.set(row, text.map_or(Value::Null, Value::Text));
            match field {
                Field::EventTime => column.set(row, Value::Int(time)),
                Field::EventId => set(Some(&id)),
                Field::ContentSha256 => set(content.as_deref()),
                Field::LogFile => set(Some(&self.log_file)),
                Field::LogFileRecord => column.set(row, Value::Int(position as i64)),
                Field::Operation => set(record
                    .text(Field::EventName)
                    .as_deref()
                    .map(derive::operation)),
                Field::SourceIp => {
                    let text = record.text(Field::SourceIpAddress);
                    let address = text.as_deref().and_then(derive::address);
                    column.set(row, address.map_or(Value::Null, Value::Address));
                }
                Field::AccountId => set(derive::account_id(record).as_deref()),
                Field::ViaService => set(derive::via_service(record).as_deref()),
                Field::IssuedAccessKeyId => set(issued.as_ref().map(|key| &*key.access_key_id)),
                Field::IssuedPrincipal => {
                    set(issued.as_ref().and_then(|key| key.principal.as_deref()));
                }
                Field::OtherFields => set(others.as_deref()),
                _ => set_field(record, *field, (column, row)),
            }
        }
    }
}

/// Whether a column is not simply what one field of the record holds.
fn is_derived(field: Field) -> bool {
    field.column().path.is_empty() || matches!(field, Field::EventTime | Field::EventId)
}

/// A column that is a field of the record.
#[inline]
fn set_field(record: &Record<'_>, field: Field, (column, row): (&mut ColumnBuilder, usize)) {
    match field.column().kind {
        ColumnKind::Text => {
            let text = record.text(field);
            column.set(row, text.as_deref().map_or(Value::Null, Value::Text));
        }
        ColumnKind::Json => column.set(row, Value::Text(record.raw(field))),
        ColumnKind::Bool => column.set(row, record.bool(field).map_or(Value::Null, Value::Bool)),
        ColumnKind::Time | ColumnKind::Int => {
            column.set(row, record.time(field).map_or(Value::Null, Value::Int))
        }
        ColumnKind::Address => {}
    }
}

/// What the event is known by, its id, and the hash of the record where the id is not AWS's.
fn identity<'a>(record: &Record<'a>, text: &str) -> (u128, Cow<'a, str>, Option<String>) {
    match record.text(Field::EventId).filter(|id| !id.is_empty()) {
        Some(id) if let Some(key) = guid(&id) => (key, id, None),
        id => {
            let sha = Sha256::digest(text);
            let (key, sha) = (first_half(&sha), hex(&sha));
            let id = id.unwrap_or_else(|| Cow::Owned(format!("content-{}", &sha[..32])));
            (key, id, Some(sha))
        }
    }
}
