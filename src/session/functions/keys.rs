//! Access keys.
//!
//! In: columns of text. Out: columns. Promise: what an access key's id itself tells, without a look at any event.

use super::function::{ArgumentKind, Arguments, of_texts};
use crate::cloudtrail::{access_key_kind, decode_account};
use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

const ID: Arguments = Arguments::all(&[("access_key_id", ArgumentKind::Text)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    let function = |name, function| {
        of_texts::<String, StringArray>(name, ID, |_| Ok(DataType::Utf8), function)
    };
    vec![
        function("key_type", |row| {
            Some(access_key_kind(row[0]).as_str().to_owned())
        }),
        function("decoded_account_id", |row| {
            decode_account(row[0]).map(|account| account.to_string())
        }),
    ]
}
