//! The list of work: which log files a scan is going to read, as rows.
//!
//! In: parcels. Out: a batch for each, and a parcel again from a batch. Promise: a batch says all that is needed to read the
//! parcel wherever the sources can be reached, so that a plan is data below our operator, and another engine can cut it up.

use crate::read::{Parcel, Planned};
use crate::source::LogFile;
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type, UInt64Type};
use arrow::error::ArrowError;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

/// Place of the source among the session's sources; URI, ETag and size as listed.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("source", DataType::UInt32, false),
        Field::new("log_file", DataType::Utf8, false),
        Field::new("etag", DataType::Utf8, false),
        Field::new("size_bytes", DataType::UInt64, false),
    ]))
});

/// The columns of a list of work.
pub(super) fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A parcel as rows.
pub(super) fn batch(parcel: &Parcel) -> Result<RecordBatch, ArrowError> {
    let files = || parcel.log_files.iter().map(|planned| &planned.log_file);
    let sources = parcel.log_files.iter().map(|planned| planned.source as u32);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(sources)),
        Arc::new(StringArray::from_iter_values(files().map(|file| &file.uri))),
        Arc::new(StringArray::from_iter_values(
            files().map(|file| &file.etag),
        )),
        Arc::new(UInt64Array::from_iter_values(files().map(|file| file.size))),
    ];
    RecordBatch::try_new(schema(), columns)
}

/// The parcel of a batch.
pub(super) fn parcel(batch: &RecordBatch) -> Parcel {
    let sources = batch.column(0).as_primitive::<UInt32Type>().values();
    let (names, etags) = (
        batch.column(1).as_string::<i32>(),
        batch.column(2).as_string::<i32>(),
    );
    let sizes = batch.column(3).as_primitive::<UInt64Type>().values();
    let log_files = (0..batch.num_rows()).map(|row| Planned {
        source: sources[row] as usize,
        // Of the key only the order of the list comes, and the list has its order.
        log_file: LogFile::new(
            names.value(row).to_owned(),
            sizes[row],
            etags.value(row).to_owned(),
            None,
        ),
    });
    Parcel {
        log_files: log_files.collect(),
    }
}

/// Log files in a list, and their bytes.
pub(super) fn amount(work: &[RecordBatch]) -> (u64, u64) {
    work.iter().fold((0, 0), |(files, bytes), batch| {
        let sizes = batch.column(3).as_primitive::<UInt64Type>().values();
        (
            files + batch.num_rows() as u64,
            bytes + sizes.iter().sum::<u64>(),
        )
    })
}

/// Of a list, only these log files, and the archives they are in.
pub(super) fn only(
    work: &[RecordBatch],
    names: &HashSet<String>,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let names: HashSet<&str> = names.iter().flat_map(|name| with_archives(name)).collect();
    let mut kept = Vec::new();
    for batch in work {
        let listed = batch.column(1).as_string::<i32>().iter();
        let wanted = listed.map(|name| Some(name.is_some_and(|name| names.contains(name))));
        let batch = filter_record_batch(batch, &wanted.collect::<BooleanArray>())?;
        if batch.num_rows() > 0 {
            kept.push(batch);
        }
    }
    Ok(kept)
}

/// The name, and every name of an archive in which a file would be called so: `a.zip/b.json` is in `a.zip`.
fn with_archives(name: &str) -> impl Iterator<Item = &str> {
    let above = name.match_indices('/').map(|(at, _)| &name[..at]);
    above.chain([name])
}

/// The log files that a condition names, if it names all it can hold for.
pub(super) fn named(condition: &Expr) -> Option<HashSet<String>> {
    let is_log_file =
        |expr: &Expr| matches!(expr, Expr::Column(Column { name, .. }) if name == "log_file");
    let text = |expr: &Expr| match expr {
        Expr::Literal(
            ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text),
            _,
        ) => text.clone(),
        _ => None,
    };
    match condition {
        Expr::InList(list) if !list.negated && is_log_file(&list.expr) => {
            list.list.iter().map(text).collect()
        }
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) if is_log_file(left) => Some(HashSet::from([text(right)?])),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Or,
            right,
        }) => {
            let (mut left, right) = (named(left)?, named(right)?);
            left.extend(right);
            Some(left)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_survives_being_rows() -> Result<(), ArrowError> {
        let file = |source: usize, name: &str, size| Planned {
            source,
            log_file: LogFile::new(name.to_owned(), size, format!("tag-{name}"), None),
        };
        let sent = Parcel {
            log_files: vec![file(0, "a", 1), file(3, "s3://b/ü", u64::MAX >> 1)],
        };
        let work = [batch(&sent)?];
        let (files, _) = amount(&work);
        assert_eq!(files, 2);
        for (sent, got) in sent.log_files.iter().zip(parcel(&work[0]).log_files) {
            assert_eq!((sent.source, &sent.log_file), (got.source, &got.log_file));
        }
        // A file in the archive `a` is looked for there.
        let in_archive = only(&work, &HashSet::from(["a/x.json".to_owned()]))?;
        assert_eq!(amount(&in_archive), (1, 1));
        let kept = only(&work, &HashSet::from(["a".to_owned()]))?;
        assert_eq!(amount(&kept), (1, 1));
        Ok(())
    }
}
