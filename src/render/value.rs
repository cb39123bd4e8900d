//! One cell of a report.
//!
//! In: an Arrow array and a row. Out: a [`Value`], the few kinds of things that formats tell apart. Promise: every Arrow
//! type has a value; a type that nobody thought of becomes its text. Times are UTC.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrowPrimitiveType, AsArray, GenericListArray, MapArray, OffsetSizeTrait, RecordBatch,
};
use arrow::datatypes::{
    ArrowNativeType, DataType, Field, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::downcast_dictionary_array;
use arrow::temporal_conversions::as_datetime;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDateTime, SecondsFormat};

use crate::report::JSON_TEXT;

/// What a cell holds, as far as formats care.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// Digits as JSON and people write them.
    Number(String),
    /// A time in UTC.
    Time(NaiveDateTime),
    Text(Cow<'a, str>),
    /// A JSON text as it was written.
    Json(&'a str),
    List(Vec<Value<'a>>),
    Object(Vec<(&'a str, Value<'a>)>),
}

/// The rows of a batch, each as long as its schema.
pub(super) fn rows(batch: &RecordBatch) -> impl Iterator<Item = Vec<Value<'_>>> {
    let fields = batch.schema_ref().fields();
    (0..batch.num_rows()).map(move |row| {
        fields
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| value(field, column.as_ref(), row))
            .collect()
    })
}

/// A time as RFC 3339 has it, `2025-03-03T02:17:31Z`, with a fraction only where there is one.
pub(super) fn rfc3339(time: NaiveDateTime) -> String {
    time.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time for people, `2025-03-03 02:17:31`. That it is UTC is said elsewhere, once.
pub(super) fn readable(time: NaiveDateTime) -> String {
    rfc3339(time).replacen('T', " ", 1).replace('Z', "")
}

/// The same for a time that is text already; what is no time stays as it is.
pub(super) fn readable_text(text: &str) -> String {
    DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |time| readable(time.naive_utc()))
}

fn value<'a>(field: &'a Field, array: &'a dyn Array, row: usize) -> Value<'a> {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => text(field, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(field, array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(field, array.as_string_view().value(row)),
        DataType::Timestamp(TimeUnit::Second, _) => time::<TimestampSecondType>(array, row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            time::<TimestampMillisecondType>(array, row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time::<TimestampMicrosecondType>(array, row)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => time::<TimestampNanosecondType>(array, row),
        DataType::Dictionary(_, _) => downcast_dictionary_array!(
            array => value(field, array.values().as_ref(), array.keys().value(row).as_usize()),
            _ => Value::Text(formatted(array, row).into())
        ),
        DataType::List(item) => list(item, array.as_list::<i32>(), row),
        DataType::LargeList(item) => list(item, array.as_list::<i64>(), row),
        DataType::Struct(fields) => Value::Object(
            fields
                .iter()
                .zip(array.as_struct().columns())
                .map(|(field, column)| (field.name().as_str(), value(field, column.as_ref(), row)))
                .collect(),
        ),
        DataType::Map(entries, _) => map(entries, array.as_map(), row),
        DataType::Union(fields, _) => {
            let union = array.as_union();
            let (kind, place) = (union.type_id(row), union.value_offset(row));
            let field = fields.iter().find(|(id, _)| *id == kind);
            field.map_or(Value::Null, |(_, field)| {
                value(field, union.child(kind).as_ref(), place)
            })
        }
        // Counts: most numbers there are.
        DataType::Int64 => Value::Number(array.as_primitive::<Int64Type>().value(row).to_string()),
        data_type if data_type.is_numeric() => number(formatted(array, row)),
        _ => Value::Text(formatted(array, row).into()),
    }
}

fn text<'a>(field: &Field, text: &'a str) -> Value<'a> {
    match field.metadata().get(JSON_TEXT) {
        Some(flag) if flag == "true" => Value::Json(text),
        _ => Value::Text(text.into()),
    }
}

fn time<'a, T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array, row: usize) -> Value<'a> {
    let ticks = array.as_primitive::<T>().value(row);
    // A time too far away for a calendar.
    as_datetime::<T>(ticks).map_or_else(|| Value::Number(ticks.to_string()), Value::Time)
}

fn list<'a, O: OffsetSizeTrait>(
    item: &'a Field,
    list: &'a GenericListArray<O>,
    row: usize,
) -> Value<'a> {
    let offsets = list.value_offsets();
    let range = offsets[row].as_usize()..offsets[row + 1].as_usize();
    let values = list.values().as_ref();
    Value::List(range.map(|index| value(item, values, index)).collect())
}

/// A map with texts for keys is an object; another one a list of pairs.
fn map<'a>(entries: &'a Field, map: &'a MapArray, row: usize) -> Value<'a> {
    let offsets = map.value_offsets();
    let range = offsets[row].as_usize()..offsets[row + 1].as_usize();
    let values = map.values().as_ref();
    let fields = match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => fields,
        _ => return Value::Text(formatted(map, row).into()),
    };
    if let Some(keys) = map.keys().as_string_opt::<i32>() {
        let members = range.map(|at| (keys.value(at), value(&fields[1], values, at)));
        return Value::Object(members.collect());
    }
    let keys = map.keys().as_ref();
    let pairs = range.map(|at| {
        Value::List(vec![
            value(&fields[0], keys, at),
            value(&fields[1], values, at),
        ])
    });
    Value::List(pairs.collect())
}

/// `NaN` and `inf` are no numbers in JSON; they end in a letter.
fn number<'a>(digits: String) -> Value<'a> {
    if digits.ends_with(|c: char| c.is_ascii_digit()) {
        Value::Number(digits)
    } else {
        Value::Text(digits.into())
    }
}

/// What Arrow itself prints, e.g. for numbers, dates (`2025-03-03`), binary (hexadecimal digits) and intervals.
fn formatted(array: &dyn Array, row: usize) -> String {
    ArrayFormatter::try_new(array, &FormatOptions::new())
        .and_then(|formatter| formatter.value(row).try_to_string())
        .unwrap_or_else(|error| error.to_string())
}
