//! Moments of texts.
//!
//! In: a text in ISO 8601. Out: microseconds since 1970, and columns of them. Promise: a text that is not a time has no moment.

use crate::event::time::micros;
use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use chrono::NaiveDate;
use datafusion::common::Result;
use std::sync::Arc;

/// The moment that a text in ISO 8601 is; a day is its beginning.
pub(super) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    micros(text).or_else(|| {
        let midnight = text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?;
        Some(midnight.and_utc().timestamp_micros())
    })
}

/// A column of moments, in UTC.
pub(super) fn moments(moments: impl Iterator<Item = Result<Option<i64>>>) -> Result<ArrayRef> {
    let moments: TimestampMicrosecondArray = moments.collect::<Result<_>>()?;
    Ok(Arc::new(moments.with_timezone("UTC")))
}
