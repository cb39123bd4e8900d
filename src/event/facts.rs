//! What follows from a field of a record, wherever it is asked.
//!
//! In: `addendum`, `errorCode`. Out: whether the record updates another, and which; whether the call failed. Promise: SQL and
//! summaries of use judge alike.

use crate::json::scan as json;

/// Whether a record repeats an earlier one of the same call, with other data.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
pub fn is_update(addendum: &str) -> bool {
    json::string(json::member(addendum, "reason").unwrap_or_default())
        .is_some_and(|reason| reason == "UPDATED_DATA")
}

/// The event that a record with this addendum updates.
pub(crate) fn updated_event(addendum: &str) -> Option<String> {
    let id = json::member(addendum, "originalEventID")?;
    json::string(id).map(|id| id.into_owned())
}

/// Whether a call failed. A dry run that would have succeeded has an error code, too:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
pub fn is_failure(code: &str) -> bool {
    !matches!(
        code,
        "Client.DryRunOperation" | "DryRunOperation" | "Success"
    )
}

/// Whether a call did what it asked for: a call that failed did not, nor did a dry run.
pub(crate) fn has_effect(code: Option<&str>) -> bool {
    code.is_none_or(|code| code == "Success")
}
