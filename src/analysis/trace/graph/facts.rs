//! What the lineage is walked on.
//!
//! In: the answers of the queries in `queries/trace`. Out: their columns, plain. Promise: a few narrow columns of the whole
//! trail, read once, with each text kept once; the walk itself asks no more.

use super::super::AnalysisError;
use crate::session::{Params, Session};
use arrow::array::{
    Array, AsArray, Int64Array, Int64Builder, LargeStringArray, LargeStringDictionaryBuilder,
    RecordBatch, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt32Type};
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;

/// Microseconds of a second.
pub(in crate::analysis::trace) const SECOND: i64 = 1_000_000;

/// CloudTrail's times have whole seconds, and a session's first call may carry the second before its birth's.
pub(in crate::analysis::trace) const CLOCK: i64 = 2 * SECOND;

/// A column of texts, each of which is kept once.
#[derive(Debug)]
pub(in crate::analysis::trace) struct Texts {
    /// For each row, where its text is.
    places: UInt32Array,
    kept: LargeStringArray,
}

impl Texts {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn of(mut gathered: LargeStringDictionaryBuilder<UInt32Type>) -> Self {
        let (places, kept) = gathered.finish().into_parts();
        Self {
            places,
            kept: kept.as_string::<i64>().clone(),
        }
    }
}

/// Rows that come bit by bit.
#[derive(Default)]
struct Gathered {
    texts: Vec<LargeStringDictionaryBuilder<UInt32Type>>,
    numbers: Vec<Int64Builder>,
}

impl Gathered {
    /// Takes in these columns of a batch.
    fn add(
        &mut self,
        batch: &RecordBatch,
        (texts, numbers): (&[&str], &[&str]),
    ) -> Result<(), ArrowError> {
        let column = |name: &str| batch.schema().index_of(name).map(|at| batch.column(at));
        self.texts.resize_with(texts.len(), Default::default);
        self.numbers.resize_with(numbers.len(), Default::default);
        for (name, gathered) in texts.iter().zip(&mut self.texts) {
            let values = cast(column(name)?, &DataType::Utf8View)?;
            for value in values.as_string_view() {
                gathered.append_option(value);
            }
        }
        for (name, gathered) in numbers.iter().zip(&mut self.numbers) {
            let values = cast(column(name)?, &DataType::Int64)?;
            gathered.append_array(values.as_primitive::<Int64Type>());
        }
        Ok(())
    }
}

/// Names of columns of text, and of numbers.
type Names = (&'static [&'static str], &'static [&'static str]);

/// Rows as columns of text and of numbers (times in microseconds, truth values as 0 and 1).
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $first:ident $($text:ident)* ; $($number:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::analysis::trace) struct $name {
            pub(in crate::analysis::trace) $first: Texts,
            $(pub(in crate::analysis::trace) $text: Texts,)*
            $(pub(in crate::analysis::trace) $number: Int64Array,)*
        }

        impl $name {
            const NAMES: Names = (
                &[stringify!($first), $(stringify!($text)),*],
                &[$(stringify!($number)),*],
            );

            /// How many rows there are.
            pub(in crate::analysis::trace) fn len(&self) -> usize {
                self.$first.len()
            }

            fn of(gathered: Gathered) -> Self {
                let mut texts = gathered.texts.into_iter();
                let mut numbers = gathered.numbers.into_iter();
                let mut next = || Texts::of(texts.next().unwrap_or_default());
                Self {
                    $first: next(),
                    $($text: next(),)*
                    $($number: numbers.next().unwrap_or_default().finish(),)*
                }
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
        via_service user_identity_type user_identity_account_id user_identity_identity_provider session_issuer_arn;
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
) -> Result<Texts, ArrowError> {
    let mut column = Gathered::default();
    column.add(batch, (&[name], &[]))?;
    Ok(Texts::of(column.texts.pop().unwrap_or_default()))
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

/// The text of a row, if there is one.
pub(in crate::analysis::trace) fn text(column: &Texts, row: usize) -> Option<&str> {
    let place = || column.places.value(row) as usize;
    column
        .places
        .is_valid(row)
        .then(|| column.kept.value(place()))
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
            uses: Uses::of(gathered(session, (uses, &none), Uses::NAMES).await?),
            issued: Issued::of(gathered(session, (issued, &none), Issued::NAMES).await?),
            changes: Changes::of(gathered(session, (changes, &params), Changes::NAMES).await?),
        })
    }
}

/// The rows of a query.
async fn gathered(
    session: &Session,
    (sql, params): (&str, &Params),
    names: Names,
) -> Result<Gathered, AnalysisError> {
    let mut rows = session.rows(sql, params).await?;
    let mut gathered = Gathered::default();
    while let Some(batch) = rows.next().await? {
        gathered.add(&batch, names)?;
    }
    Ok(gathered)
}

impl Records {
    /// The events of one batch.
    pub(in crate::analysis::trace) fn of_batch(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let mut gathered = Gathered::default();
        gathered.add(batch, Self::NAMES)?;
        Ok(Self::of(gathered))
    }
}
