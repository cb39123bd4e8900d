//! SQL functions that DataFusion lacks.
//!
//! In: columns. Out: columns. Promise: only what neither DataFusion nor a column of `events` offers: what keytrail's own
//! questions need, and what queries written for Athena or CloudTrail Lake call. One family a file; `docs/sql-dialects.md`
//! lists them all.

mod address;
mod base64;
mod consumers;
mod described;
mod function;
mod iam_needs;
mod json;
mod json_path;
mod keys;
mod moment;
mod nested;
mod record;
mod regex;
mod substr;
mod time;
mod time_format;
mod time_joda;
mod time_text;
mod url;
mod zone;

pub(crate) use address::IP_ADDRESS;
pub(super) use function::columnar;
pub(crate) use json::{
    AS_TEXT as JSON_AS_TEXT, ELEMENTS as JSON_ELEMENTS, EXTRACT as JSON_EXTRACT,
    MEMBER as JSON_MEMBER,
};
pub(super) use moment::moment;
pub(crate) use substr::SUBSTR;
pub(crate) use zone::AT_TIMEZONE;

use datafusion::logical_expr::ScalarUDF;

/// All functions, to be registered with a session.
pub(crate) fn all() -> Vec<ScalarUDF> {
    [
        keys::all(),
        vec![iam_needs::function()],
        address::all(),
        base64::all(),
        consumers::all(),
        json::all(),
        json_path::all(),
        nested::all(),
        record::all(),
        regex::all(),
        substr::all(),
        time::all(),
        time_text::all(),
        url::all(),
        zone::all(),
    ]
    .concat()
}
