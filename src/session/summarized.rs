//! The summaries of use as a table.
//!
//! In: a session. Out: the table `key_uses`, with a row per data file and access key, if the lake's summaries tell of exactly the
//! events that the session's questions see. Promise: what is counted from it is what would be counted from the events.

use super::stored::Stored;
use super::{Origin, Session, SessionError};
use std::sync::Arc;

/// The table's name.
const KEY_USES: &str = "key_uses";

impl Session {
    /// Makes the summaries of use the table `key_uses`; says whether there is one. There is none for log files, if a data file
    /// has no summary, if only a part of a file's events is selected, and where other machines compute.
    ///
    /// # Errors
    ///
    /// The lake cannot be listed.
    pub async fn has_key_uses(&self) -> Result<bool, SessionError> {
        let Origin::Lake(lake) = &self.origin else {
            return Ok(false);
        };
        if self.elsewhere.is_some() {
            return Ok(false);
        }
        if self.context.table_exist(KEY_USES)? {
            return Ok(true);
        }
        let Some(summaries) = lake.key_uses(&self.selection).await? else {
            return Ok(false);
        };
        let table = Arc::new(Stored::key_uses(summaries)?);
        self.context.register_table(KEY_USES, table)?;
        Ok(true)
    }
}
