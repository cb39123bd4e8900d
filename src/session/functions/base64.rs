//! Bytes as text.
//!
//! In: base64, bytes, text. Out: the other. Promise: what is not base64 gives null, so that one odd value ends no query;
//! bytes that are not UTF-8 are shown as U+FFFD, as Athena does.

use super::function::{ArgumentKind, Arguments, Function, text};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

/// Padding is written, and not asked for.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Function::udf(
            "from_base64",
            Arguments::all(&[("text", ArgumentKind::Text)]),
            |_| Ok(DataType::Binary),
            |arrays, _| {
                let texts = text(&arrays[0])?;
                let bytes = texts.iter().map(|text| BASE64.decode(text?.trim()).ok());
                Ok(Arc::new(bytes.collect::<BinaryArray>()))
            },
        ),
        Function::udf(
            "to_base64",
            BYTES,
            |_| Ok(DataType::Utf8),
            |arrays, _| {
                let bytes = bytes(&arrays[0])?;
                let texts = bytes.as_binary::<i32>().iter();
                let texts = texts.map(|bytes| Some(BASE64.encode(bytes?)));
                Ok(Arc::new(texts.collect::<StringArray>()))
            },
        ),
        Function::udf(
            "from_utf8",
            BYTES,
            |_| Ok(DataType::Utf8),
            |arrays, _| {
                let bytes = bytes(&arrays[0])?;
                let texts = bytes.as_binary::<i32>().iter();
                let texts = texts.map(|bytes| Some(String::from_utf8_lossy(bytes?).into_owned()));
                Ok(Arc::new(texts.collect::<StringArray>()))
            },
        ),
        Function::udf(
            "to_utf8",
            Arguments::all(&[("text", ArgumentKind::Text)]),
            |_| Ok(DataType::Binary),
            |arrays, _| bytes(&arrays[0]),
        ),
    ]
}

const BYTES: Arguments = Arguments::all(&[("bytes", ArgumentKind::Any)]);

/// A column of bytes, or of texts, as bytes.
fn bytes(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Ok(cast(column, &DataType::Binary)?)
        }
        _ => {
            let texts = text(column)?;
            let bytes: BinaryArray = texts.iter().map(|text| Some(text?.as_bytes())).collect();
            Ok(Arc::new(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bytes_and_padding_may_be_left_out() -> Result<()> {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("aé"), None]));
        let bytes = bytes(&texts)?;
        assert_eq!(bytes.as_binary::<i32>().value(0), "aé".as_bytes());
        assert!(bytes.is_null(1));
        assert_eq!(BASE64.decode("aGk").ok().as_deref(), Some(&b"hi"[..]));
        assert_eq!(BASE64.encode("hi"), "aGk=");
        assert!(BASE64.decode("a!").is_err());
        Ok(())
    }
}
