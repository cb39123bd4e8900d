//! Reports for the tests of every format.
//!
//! In: nothing. Out: a report with a value of every kind, an empty one, a hostile one. Promise: small enough to be
//! written out whole in a test.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};

use super::{Format, RenderOptions, renderer};
use crate::report::{Coverage, JSON_TEXT, Report, Section};

/// 2025-03-03T02:17:31Z in microseconds.
const TIME: i64 = 1_740_968_251_000_000;

pub(super) fn rendered(format: Format, report: &Report) -> String {
    rendered_with(format, RenderOptions::default(), report)
}

pub(super) fn rendered_with(format: Format, options: RenderOptions, report: &Report) -> String {
    let mut out = Vec::new();
    renderer(format, options).render(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn section(name: &str, title: &str, columns: Vec<(Field, ArrayRef)>) -> Section {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    Section {
        name: name.to_owned(),
        title: title.to_owned(),
        schema: Arc::clone(&schema),
        batches: vec![RecordBatch::try_new(schema, arrays).unwrap()],
    }
}

fn column(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), true), array)
}

/// Two rows with a value of every kind, and missing ones.
pub(super) fn sample() -> Report {
    let keys = StringArray::from(vec![Some("AKIAIOSFODNN7EXAMPLE"), None]);
    let times = TimestampMicrosecondArray::from(vec![TIME, TIME + 250_000]).with_timezone("UTC");
    let regions = Field::new("item", DataType::Utf8, true);
    let mut builder =
        arrow::array::ListBuilder::new(arrow::array::StringBuilder::new()).with_field(regions);
    builder.append_value([Some("eu-west-1"), Some("us-east-1")]);
    builder.append_value([None::<&str>; 0]);
    let json: ArrayRef = Arc::new(StringArray::from(vec!["{\"a\":\n[1]}", "not json"]));
    let json_field = Field::new("other_fields", DataType::Utf8, true)
        .with_metadata(HashMap::from([(JSON_TEXT.to_owned(), "true".to_owned())]));
    let rows = section(
        "rows",
        "Sample",
        vec![
            column("access_key_id", Arc::new(keys)),
            column("last_seen", Arc::new(times)),
            column("events", Arc::new(Int64Array::from(vec![12, -1]))),
            column("root", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            column("regions", Arc::new(builder.finish())),
            (json_field, json),
        ],
    );
    Report {
        notes: vec!["Two rows.".to_owned()],
        ..Report::of("sample", "Sample", vec![rows])
    }
}

/// One section without a row and without a batch.
pub(super) fn empty() -> Report {
    let mut rows = section(
        "rows",
        "Rows",
        vec![column(
            "event_name",
            Arc::new(StringArray::from(vec![""; 0])),
        )],
    );
    rows.batches.clear();
    Report::of("empty", "Empty", vec![rows])
}

/// Values, names and coverage from somebody who means harm.
pub(super) fn hostile() -> Report {
    let agents = vec![
        "\u{1b}[2J\u{202e}=x\n|<b>\u{7f}\u{9b}",
        "=cmd|' /C calc'!A0",
    ];
    let users = section(
        "users",
        "Users",
        vec![
            column("user_agent", Arc::new(StringArray::from(agents))),
            column("events", Arc::new(UInt64Array::from(vec![1, 2]))),
        ],
    );
    let regions = section(
        "regions",
        "Regions",
        vec![column(
            "region",
            Arc::new(StringArray::from(vec!["@\u{1b}]0;x\u{7}"])),
        )],
    );
    Report {
        notes: vec!["seen: \u{1b}[8m\u{feff}".to_owned()],
        coverage: Some(Coverage {
            source: "lake\r\u{2028}".to_owned(),
            events: 3,
            accounts: vec!["1\u{1b}[31m".to_owned()],
            ..Coverage::default()
        }),
        ..Report::of("hostile", "Ho\u{200b}stile", vec![users, regions])
    }
}

/// Numbers that JSON does not know, nested and encoded arrays.
#[test]
fn unusual_types_have_a_value() {
    let dictionary: arrow::array::DictionaryArray<Int32Type> =
        [Some("a"), None].into_iter().collect();
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]);
    let floats = arrow::array::Float64Array::from(vec![f64::NAN, 1.5]);
    let bytes = arrow::array::BinaryArray::from(vec![b"\x00\xff".as_slice(), b""]);
    let dates = arrow::array::Date32Array::from(vec![20_150, 0]);
    let decimals = arrow::array::Decimal128Array::from(vec![1250, -1])
        .with_precision_and_scale(10, 2)
        .unwrap();
    let rows = section(
        "rows",
        "Rows",
        vec![
            column("dictionary", Arc::new(dictionary)),
            column("nested", Arc::new(nested)),
            column("float", Arc::new(floats)),
            column("bytes", Arc::new(bytes)),
            column("date", Arc::new(dates)),
            column("decimal", Arc::new(decimals)),
        ],
    );
    assert_eq!(
        rendered(Format::Jsonl, &Report::of("unusual", "Unusual", vec![rows])),
        concat!(
            "{\"dictionary\":\"a\",\"nested\":[1,null],\"float\":\"NaN\",\"bytes\":\"00ff\",\"date\":\"2025-03-03\",\"decimal\":12.50}\n",
            "{\"dictionary\":null,\"nested\":null,\"float\":1.5,\"bytes\":\"\",\"date\":\"1970-01-01\",\"decimal\":-0.01}\n",
        )
    );
}
