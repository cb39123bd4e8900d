//! What the lineage is walked on.
//!
//! In: the answers of the queries in `queries/trace`. Out: their columns, plain. Promise: a few narrow columns of the whole
//! trail, read once; the walk itself asks no more.

use super::super::AnalysisError;
use crate::session::{Params, Session};
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;

/// Microseconds of a second.
pub(in crate::analysis::trace) const SECOND: i64 = 1_000_000;

/// CloudTrail's times have whole seconds, and a session's first call may carry the second before its birth's.
pub(in crate::analysis::trace) const CLOCK: i64 = 2 * SECOND;

/// Rows as columns of text and of numbers (times in microseconds, truth values as 0 and 1).
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $first:ident $($text:ident)* ; $($number:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::analysis::trace) struct $name {
            pub(in crate::analysis::trace) $first: StringArray,
            $(pub(in crate::analysis::trace) $text: StringArray,)*
            $(pub(in crate::analysis::trace) $number: Int64Array,)*
        }

        impl $name {
            /// How many rows there are.
            pub(in crate::analysis::trace) fn len(&self) -> usize {
                self.$first.len()
            }

            /// The columns of one batch.
            pub(in crate::analysis::trace) fn of_batch(batch: &RecordBatch) -> Result<Self, ArrowError> {
                Ok(Self {
                    $first: texts(batch, stringify!($first))?,
                    $($text: texts(batch, stringify!($text))?,)*
                    $($number: numbers(batch, stringify!($number))?,)*
                })
            }
        }
    };
}

columns! {
    /// Who used which credential from where.
    Uses {
        access_key_id user_identity_type user_identity_arn user_identity_principal_id user_identity_account_id
        user_identity_user_name session_issuer_arn session_source_identity session_sign_in_session_arn
        in_scope_of_credentials_issued_to web_id_federated_provider via_service source_ip_address;
        session_creation_time session_credential_from_console events errors first_seen last_seen
    }
}

columns! {
    /// Calls that issued a key.
    Issued {
        event_id event_name account_id access_key_id user_identity_arn user_identity_principal_id
        user_identity_invoked_by issued_access_key_id issued_principal request_id source_ip_address user_agent
        via_service;
        event_time
    }
}

columns! {
    /// Calls that make, change or remove something.
    Changes {
        event_id event_source event_name operation aws_region account_id access_key_id user_identity_arn
        user_identity_user_name source_ip_address user_agent via_service event_category request_parameters
        response_elements additional_event_data request_id log_file;
        event_time read_only log_file_record
    }
}

columns! {
    /// Whole events, as far as the timeline and the lists need them.
    Records {
        event_id event_source event_name operation aws_region account_id access_key_id source_ip_address user_agent error_code
        error_message user_identity_arn user_identity_principal_id user_identity_user_name via_service request_parameters
        response_elements additional_event_data resources event_category log_file;
        event_time read_only session_creation_time log_file_record
    }
}

/// A column as text.
pub(in crate::analysis::trace) fn texts(
    batch: &RecordBatch,
    name: &str,
) -> Result<StringArray, ArrowError> {
    let column = batch.column(batch.schema().index_of(name)?);
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// A column as numbers.
pub(in crate::analysis::trace) fn numbers(
    batch: &RecordBatch,
    name: &str,
) -> Result<Int64Array, ArrowError> {
    let column = batch.column(batch.schema().index_of(name)?);
    let numbers = cast(column, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().clone())
}

/// All batches as one; they may differ from the plan's schema in nullability.
fn whole((schema, batches): (SchemaRef, Vec<RecordBatch>)) -> Result<RecordBatch, ArrowError> {
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches)
}

/// The text of a row, if there is one.
pub(in crate::analysis::trace) fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The number of a row, if there is one.
pub(in crate::analysis::trace) fn number(column: &Int64Array, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

/// The narrow columns of the whole trail.
#[derive(Debug)]
pub(in crate::analysis::trace) struct Facts {
    pub(in crate::analysis::trace) uses: Uses,
    pub(in crate::analysis::trace) issued: Issued,
    pub(in crate::analysis::trace) changes: Changes,
}

/// A list of texts as a query's parameter.
pub(in crate::analysis::trace) fn list(
    texts: impl IntoIterator<Item = impl Into<String>>,
) -> ScalarValue {
    let values: Vec<ScalarValue> = texts
        .into_iter()
        .map(|text| ScalarValue::Utf8(Some(text.into())))
        .collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Utf8))
}

impl Facts {
    /// Reads the trail three times, each time a few columns.
    pub(in crate::analysis::trace) async fn read(
        session: &Session,
        operations: &[&'static str],
        session_calls: &[&'static str],
    ) -> Result<Self, AnalysisError> {
        let none = Params::new();
        let uses = include_str!("../../../../queries/trace/uses.sql");
        let issued = include_str!("../../../../queries/trace/issued.sql");
        let changes = include_str!("../../../../queries/trace/changes.sql");
        let params = Params::from([
            ("operations".to_owned(), list(operations.iter().copied())),
            (
                "session_calls".to_owned(),
                list(session_calls.iter().copied()),
            ),
        ]);
        Ok(Self {
            uses: Uses::of_batch(&whole(session.sql(uses, &none).await?)?)?,
            issued: Issued::of_batch(&whole(session.sql(issued, &none).await?)?)?,
            changes: Changes::of_batch(&whole(session.sql(changes, &params).await?)?)?,
        })
    }
}
