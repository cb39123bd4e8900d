//! SQL functions that DataFusion lacks.
//!
//! In: columns. Out: columns. Promise: only what neither DataFusion nor a column of `events` offers: what keytrail's own
//! questions need, and what queries written for Athena or CloudTrail Lake call. One family a file; `docs/sql-dialects.md`
//! lists them all.

mod address;
mod consumers;
mod described;
mod function;
mod iam_needs;
mod json;
mod keys;
mod moment;
mod nested;
mod record;
mod regex;
mod time;
mod time_format;
mod time_text;
mod url;

pub(crate) use address::IP_ADDRESS;
pub(crate) use json::{ELEMENTS as JSON_ELEMENTS, MEMBER as JSON_MEMBER};

use datafusion::logical_expr::ScalarUDF;

/// All functions, to be registered with a session.
pub(crate) fn all() -> Vec<ScalarUDF> {
    [
        keys::all(),
        vec![iam_needs::function()],
        address::all(),
        consumers::all(),
        json::all(),
        nested::all(),
        record::all(),
        regex::all(),
        time::all(),
        time_text::all(),
        url::all(),
    ]
    .concat()
}
