//! What a data file of events tells of each access key, in short.
//!
//! In: the rows of a data file, sorted by access key. Out: a summary of use: the bytes of a small Parquet file with a row per
//! key. Promise: counts, first and last use, and which addresses, agents, calls, regions there were, as the events say;
//! the same events make the same summary.

use super::LakeError;
use super::checksum::with_checksums;
use super::distinct::Distinct;
use crate::event::{is_failure, is_update, updated_event};
use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::sync::{Arc, LazyLock};

/// Rows of a data page: what has to be decompressed to get at one key.
const PAGE_ROWS: usize = 1_024;

/// The columns of a record that say whose a key is: of each, the greatest text is kept.
const OWNER: [&str; 4] = [
    "user_identity_type",
    "user_identity_arn",
    "user_identity_user_name",
    "user_identity_account_id",
];

/// Lists of different texts, and the columns of events that they are from.
const LISTS: [(&str, &str); 4] = [
    ("source_ip_addresses", "source_ip_address"),
    ("user_agents", "user_agent"),
    ("regions", "aws_region"),
    ("issued_access_key_ids", "issued_access_key_id"),
];

/// The columns of events that a summary is made of.
pub(super) const SUMMARIZED: [&str; 14] = [
    "access_key_id",
    "event_time",
    "event_source",
    "event_name",
    "error_code",
    "addendum",
    OWNER[0],
    OWNER[1],
    OWNER[2],
    OWNER[3],
    LISTS[0].1,
    LISTS[1].1,
    LISTS[2].1,
    LISTS[3].1,
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let texts = || DataType::new_list(DataType::Utf8, true);
    let mut fields = vec![
        Field::new("access_key_id", DataType::Utf8, false),
        // Records that update another are no calls of their own; their texts are in the lists.
        Field::new("events", DataType::Int64, false),
        Field::new("errors", DataType::Int64, false),
        Field::new("first_seen", time.clone(), false),
        Field::new("last_seen", time, false),
    ];
    fields.extend(OWNER.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.extend(LISTS.map(|(name, _)| Field::new(name, texts(), false)));
    fields.extend(
        ["event_sources", "event_names", "updated_events"]
            .map(|name| Field::new(name, texts(), false)),
    );
    Arc::new(Schema::new(fields))
});

/// The columns of a summary of use.
pub(crate) fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A summary in the making.
#[derive(Debug, Default)]
pub(super) struct KeyUses {
    /// The key whose events are at hand.
    key: Option<String>,
    at_hand: Use,
    keys: StringBuilder,
    events: Vec<i64>,
    errors: Vec<i64>,
    first_seen: Vec<i64>,
    last_seen: Vec<i64>,
    owner: [StringBuilder; OWNER.len()],
    lists: [ListBuilder<StringBuilder>; LISTS.len()],
    calls: [ListBuilder<StringBuilder>; 2],
    updated: ListBuilder<StringBuilder>,
}

/// What the events of one key have in common, and in what they differ.
#[derive(Debug, Default)]
struct Use {
    events: i64,
    errors: i64,
    seen: Option<(i64, i64)>,
    owner: [Option<String>; OWNER.len()],
    lists: [Distinct<1>; LISTS.len()],
    calls: Distinct<2>,
    updated: Distinct<1>,
}

/// The columns of a batch of events; a file of an older keytrail may lack some.
struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn texts(&self, name: &str) -> Texts<'a> {
        let column = self.0.column_by_name(name);
        Texts(column.and_then(|column| column.as_string_opt::<i32>()))
    }
}

struct Texts<'a>(Option<&'a StringArray>);

impl<'a> Texts<'a> {
    fn at(&self, row: usize) -> Option<&'a str> {
        let texts = self.0?;
        texts.is_valid(row).then(|| texts.value(row))
    }
}

impl KeyUses {
    /// Looks at events that follow those before in the order of their keys.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let columns = Columns(batch);
        let times = batch
            .column_by_name("event_time")
            .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(times) = times else { return };
        let (keys, addenda) = (columns.texts("access_key_id"), columns.texts("addendum"));
        let error_codes = columns.texts("error_code");
        let calls = ["event_source", "event_name"].map(|name| columns.texts(name));
        let owner = OWNER.map(|name| columns.texts(name));
        let lists = LISTS.map(|(_, name)| columns.texts(name));
        for row in 0..batch.num_rows() {
            let key = keys.at(row);
            if key != self.key.as_deref() {
                self.end_key();
                self.key = key.map(str::to_owned);
            }
            if key.is_none() {
                continue;
            }
            let at_hand = &mut self.at_hand;
            let time = times.value(row);
            at_hand.seen = Some(match at_hand.seen {
                Some((first, last)) => (first.min(time), last.max(time)),
                None => (time, time),
            });
            match addenda.at(row).filter(|addendum| is_update(addendum)) {
                Some(addendum) => at_hand.updated.add([updated_event(addendum).as_deref()]),
                None => {
                    at_hand.events += 1;
                    at_hand.errors += i64::from(error_codes.at(row).is_some_and(is_failure));
                }
            }
            for (greatest, texts) in at_hand.owner.iter_mut().zip(&owner) {
                let text = texts.at(row);
                if text > greatest.as_deref() {
                    *greatest = text.map(str::to_owned);
                }
            }
            for (list, texts) in at_hand.lists.iter_mut().zip(&lists) {
                list.add([texts.at(row)]);
            }
            at_hand.calls.add([calls[0].at(row), calls[1].at(row)]);
        }
    }

    /// Writes the row of the key whose events were at hand.
    fn end_key(&mut self) {
        let Some((first, last)) = self.at_hand.seen.take() else {
            return;
        };
        let at_hand = &mut self.at_hand;
        self.keys.append_option(self.key.take());
        self.events.push(std::mem::take(&mut at_hand.events));
        self.errors.push(std::mem::take(&mut at_hand.errors));
        self.first_seen.push(first);
        self.last_seen.push(last);
        for (column, greatest) in self.owner.iter_mut().zip(&mut at_hand.owner) {
            column.append_option(greatest.take());
        }
        for (column, list) in self.lists.iter_mut().zip(&mut at_hand.lists) {
            list.move_to([column]);
        }
        at_hand.calls.move_to(self.calls.each_mut());
        at_hand.updated.move_to([&mut self.updated]);
    }

    /// The summary as rows.
    pub(super) fn rows(mut self) -> Result<RecordBatch, LakeError> {
        self.end_key();
        let times = |times: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.keys.finish()),
            Arc::new(Int64Array::from(self.events)),
            Arc::new(Int64Array::from(self.errors)),
            times(self.first_seen),
            times(self.last_seen),
        ];
        for column in &mut self.owner {
            columns.push(Arc::new(column.finish()));
        }
        let lists = self.lists.iter_mut().chain(&mut self.calls);
        for column in lists.chain([&mut self.updated]) {
            columns.push(Arc::new(column.finish()));
        }
        Ok(RecordBatch::try_new(schema(), columns)?)
    }

    /// The summary as a file.
    pub(super) fn file(self) -> Result<Bytes, LakeError> {
        let rows = self.rows()?;
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties()))?;
        writer.write(&rows)?;
        let metadata = writer.finish()?;
        Ok(Bytes::from(with_checksums(writer.inner(), metadata)?))
    }
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("keytrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None);
    for name in ["events", "errors", "first_seen", "last_seen"] {
        let path = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    let key = ColumnPath::from("access_key_id");
    properties
        .set_column_dictionary_enabled(key.clone(), false)
        .set_column_encoding(key.clone(), Encoding::DELTA_BYTE_ARRAY)
        // One key is found without reading the pages of the others.
        .set_column_statistics_enabled(key, EnabledStatistics::Page)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::reader::BytesReader;

    fn column(texts: &[Option<&str>]) -> ArrayRef {
        Arc::new(texts.iter().copied().collect::<StringArray>())
    }

    /// Events of two keys and of none, in two pieces that cut the second key's in two.
    fn pieces() -> Vec<RecordBatch> {
        let update = r#"{"reason":"UPDATED_DATA","originalEventID":"e1"}"#;
        let times = Arc::new(
            TimestampMicrosecondArray::from(vec![5, 3, 9, 9, 11, 12, 1]).with_timezone("UTC"),
        );
        let batch = RecordBatch::try_from_iter_with_nullable([
            (
                "access_key_id",
                column(&[
                    Some("A"),
                    Some("B"),
                    Some("B"),
                    Some("B"),
                    Some("B"),
                    Some("B"),
                    None,
                ]),
                true,
            ),
            ("event_time", times as ArrayRef, true),
            ("event_source", column(&[Some("s3"); 7]), true),
            (
                "event_name",
                column(&[
                    Some("Get"),
                    Some("Get"),
                    Some("Put"),
                    None,
                    Some("Get"),
                    Some("Put"),
                    Some("Get"),
                ]),
                true,
            ),
            (
                "error_code",
                column(&[
                    None,
                    Some("AccessDenied"),
                    Some("DryRunOperation"),
                    None,
                    None,
                    Some("AccessDenied"),
                    Some("AccessDenied"),
                ]),
                true,
            ),
            (
                "addendum",
                column(&[None, None, None, None, None, Some(update), None]),
                true,
            ),
            (
                "source_ip_address",
                column(&[
                    None,
                    Some("1.1.1.1"),
                    Some("2.2.2.2"),
                    Some("1.1.1.1"),
                    Some("2.2.2.2"),
                    Some("3.3.3.3"),
                    Some("4.4.4.4"),
                ]),
                true,
            ),
            (
                "user_identity_user_name",
                column(&[None, None, Some("bob"), Some("bo"), None, None, Some("zoe")]),
                true,
            ),
        ])
        .unwrap();
        vec![batch.slice(0, 3), batch.slice(3, 4)]
    }

    fn texts(batch: &RecordBatch, name: &str, row: usize) -> Vec<Option<String>> {
        let lists = batch.column_by_name(name).unwrap().as_list::<i32>();
        let texts = lists.value(row);
        let texts = texts.as_string::<i32>().iter();
        texts.map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn a_key_has_one_row_with_what_its_events_say() {
        let mut uses = KeyUses::default();
        for piece in pieces() {
            uses.add(&piece);
        }
        let (rows, batches) = BytesReader::read(uses.file().unwrap(), None).unwrap();
        assert_eq!(rows, 2);
        let batch = &batches[0];
        let number = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap();
            column
                .as_primitive::<arrow::datatypes::Int64Type>()
                .value(row)
        };
        // The update is no event of its own, and its error none.
        assert_eq!((number("events", 0), number("events", 1)), (1, 4));
        assert_eq!((number("errors", 0), number("errors", 1)), (0, 1));
        let seen = ["first_seen", "last_seen"].map(|name| {
            let column = batch.column_by_name(name).unwrap();
            column.as_primitive::<TimestampMicrosecondType>().value(1)
        });
        assert_eq!(seen, [3, 12]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(batch, "source_ip_addresses", 0), []);
        assert_eq!(
            texts(batch, "source_ip_addresses", 1),
            ["1.1.1.1", "2.2.2.2", "3.3.3.3"].map(some)
        );
        assert_eq!(
            texts(batch, "event_names", 1),
            [some("Get"), some("Put"), None]
        );
        assert_eq!(texts(batch, "updated_events", 1), [some("e1")]);
        let names = batch.column_by_name("user_identity_user_name").unwrap();
        let names = names.as_string::<i32>();
        assert!(names.is_null(0));
        assert_eq!(names.value(1), "bob");
    }

    #[test]
    fn a_file_without_keys_has_a_summary_without_rows() {
        let (rows, _) = BytesReader::read(KeyUses::default().file().unwrap(), None).unwrap();
        assert_eq!(rows, 0);
    }
}
