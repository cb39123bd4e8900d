//! Which access keys exist, and who uses them.
//!
//! In: events. Out: the reports `keys` (one row per key) and `key` (everything about one). Promise: counted is every event
//! whose `userIdentity.accessKeyId` is the key; an error is an event with an error code.

use super::{AnalysisError, SqlAnalysis, SqlSection};
use crate::report::Section;
use arrow::array::UInt32Array;
use arrow::compute::{
    SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::DataType;
use std::sync::Arc;

/// A section whose name is also its file's.
macro_rules! section {
    ($folder:literal, $name:literal, $title:literal) => {
        section!($folder, $name, $title, &[])
    };
    ($folder:literal, $name:literal, $title:literal, $details:expr) => {
        SqlSection {
            name: $name,
            title: $title,
            sql: include_str!(concat!("../../queries/", $folder, "/", $name, ".sql")),
            of_summaries: None,
            details: $details,
        }
    };
}

/// What a table of keys leaves out, from the last on, until it fits the terminal.
const KEY_DETAILS: &[&str] = &[
    "source_ip_addresses",
    "account_id",
    "first_seen",
    "user_agents",
    "api_calls",
    "regions",
    "issued_keys",
    "key_type",
    "user_identity_type",
    "decoded_account_id",
    "user_identity_arn",
];

/// The inventory. Parameter: `temporary`.
pub const KEYS: SqlAnalysis = SqlAnalysis {
    name: "keys",
    title: "Access keys",
    base: None,
    sections: &[SqlSection {
        of_summaries: Some(include_str!("../../queries/summaries/keys.sql")),
        ..section!("keys", "keys", "Access keys", KEY_DETAILS)
    }],
    empty: "no access keys of this kind in the logs read",
};

/// The services that each key called. Parameter: `temporary`.
pub const KEY_SERVICES: SqlSection = SqlSection {
    of_summaries: Some(include_str!("../../queries/summaries/services.sql")),
    ..section!("keys", "services", "Services")
};

/// The dossier. Parameter: `access_key_id`.
pub const KEY: SqlAnalysis = SqlAnalysis {
    name: "key",
    title: "Access key",
    base: Some(("uses", include_str!("../../queries/key/uses.sql"))),
    sections: &[
        section!("key", "summary", "Summary"),
        section!("key", "source_ip_addresses", "Source IP addresses"),
        section!("key", "user_agents", "User agents"),
        section!("key", "api_calls", "API calls"),
        section!("key", "regions", "Regions"),
        section!("key", "errors", "Errors"),
        section!(
            "key",
            "via_services",
            "Calls that AWS services made on the key's behalf (also counted above)"
        ),
    ],
    empty: "no events by this key in the logs read; this does not prove that it was never used: check the coverage",
};

/// How the keys of the inventory are ordered.
#[derive(Debug, Clone)]
pub struct KeysOrder {
    /// The column to sort by: numbers and times from the highest, texts from A.
    pub column: String,
}

impl KeysOrder {
    /// Puts the keys in order.
    pub fn apply(&self, section: &mut Section) -> Result<(), AnalysisError> {
        let batch = concat_batches(&section.schema, &section.batches)?;
        let missing = || AnalysisError::NoColumn(self.column.clone());
        let values = batch.column_by_name(&self.column).ok_or_else(missing)?;
        let values = Arc::clone(values);
        let descending = !matches!(values.data_type(), DataType::Utf8 | DataType::Utf8View);
        let by = SortColumn {
            values,
            options: Some(SortOptions {
                descending,
                nulls_first: false,
            }),
        };
        // Ties in the order of the keys, so that the same trail gives the same bytes.
        let then = SortColumn {
            values: Arc::clone(batch.column(0)),
            options: None,
        };
        let order: UInt32Array = lexsort_to_indices(&[by, then], None)?;
        section.batches = vec![take_record_batch(&batch, &order)?];
        Ok(())
    }
}
