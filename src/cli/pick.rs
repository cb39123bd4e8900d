//! Which rows of an answer are wanted.
//!
//! In: `--top`, `--user`, `--verdict`. Out: the answer with these rows. Promise: the options mean the same in every command that has
//! them; what is left out is said.

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use clap::Args;
use keytrail::analysis::AnalysisError;
use keytrail::analysis::ready::Verdict;
use keytrail::report::{Report, Section};

use crate::args::at_least_one;
use crate::failure::Failure;

/// Which keys of an answer are wanted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PickArgs {
    /// Only the first N rows
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    pub(crate) top: Option<usize>,

    /// Only keys of this user (repeatable)
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,
}

/// Which verdicts are wanted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct VerdictArgs {
    /// Only keys with this verdict: incident, unused, deactivate, delete, migrate-first, wait-until (repeatable)
    #[arg(long = "verdict", value_name = "VERDICT", value_parser = verdict)]
    verdicts: Vec<Verdict>,
}

/// A verdict as reports write it, or with a hyphen.
fn verdict(text: &str) -> Result<Verdict, String> {
    let said = text.to_lowercase().replace('-', " ");
    let found = Verdict::ALL.iter().find(|verdict| verdict.as_str() == said);
    found.copied().ok_or_else(|| {
        let names = Verdict::ALL.iter();
        let names = names.map(|verdict| verdict.as_str().replace(' ', "-"));
        format!("verdicts are {}", names.collect::<Vec<_>>().join(", "))
    })
}

impl VerdictArgs {
    /// Whether keys with this verdict are wanted.
    pub(crate) fn wants(&self, verdict: Verdict) -> bool {
        self.verdicts.is_empty() || self.verdicts.contains(&verdict)
    }
}

/// Columns that name a user.
const USERS: [&str; 2] = ["user_identity_user_name", "user_name"];

impl PickArgs {
    /// Whether keys of this user are wanted.
    pub(crate) fn wants(&self, user: Option<&str>) -> bool {
        self.users.is_empty()
            || user.is_some_and(|user| {
                let mut users = self.users.iter();
                users.any(|wanted| wanted.eq_ignore_ascii_case(user))
            })
    }

    /// The report with the rows of these users, and the first of them.
    pub(crate) fn apply(&self, report: &mut Report) -> Result<(), Failure> {
        for section in &mut report.sections {
            self.of_users(section)
                .map_err(|error| Failure::from(AnalysisError::from(error)))?;
        }
        let Some(top) = self.top else {
            return Ok(());
        };
        // The tables whose rows are keys or consumers; counts of all stay.
        let rows = report
            .sections
            .iter_mut()
            .find(|section| section.schema.column_with_name("access_key_id").is_some());
        if let Some(section) = rows {
            report.notes.extend(first(section, top));
        }
        Ok(())
    }

    fn of_users(&self, section: &mut Section) -> Result<(), arrow::error::ArrowError> {
        if self.users.is_empty() {
            return Ok(());
        }
        let named = USERS
            .iter()
            .find(|name| section.schema.column_with_name(name).is_some());
        let Some(name) = named else {
            return Ok(());
        };
        for batch in &mut section.batches {
            let Some(column) = batch.column_by_name(name) else {
                continue;
            };
            let texts = cast(column, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            let wanted: BooleanArray = (0..batch.num_rows())
                .map(|row| {
                    let user = texts.is_valid(row).then(|| texts.value(row));
                    Some(self.wants(user))
                })
                .collect();
            *batch = filter_record_batch(batch, &wanted)?;
        }
        Ok(())
    }
}

/// The first rows of a table; what is said of the others.
pub(crate) fn first(section: &mut Section, top: usize) -> Option<String> {
    let more = section.rows().saturating_sub(top);
    let mut left = top;
    for batch in &mut section.batches {
        *batch = batch.slice(0, batch.num_rows().min(left));
        left -= batch.num_rows();
    }
    (more > 0).then(|| format!("{more} more are not shown (--top)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_typed_with_a_hyphen() {
        assert_eq!(verdict("migrate-first"), Ok(Verdict::MigrateFirst));
        assert_eq!(verdict("Incident"), Ok(Verdict::Incident));
        assert!(verdict("gone").unwrap_err().contains("wait-until"));
    }

    #[test]
    fn users_are_named_in_any_case() {
        let pick = PickArgs {
            users: vec!["Alice".to_owned()],
            ..PickArgs::default()
        };
        assert!(pick.wants(Some("alice")));
        assert!(!pick.wants(Some("bob")) && !pick.wants(None));
        assert!(PickArgs::default().wants(None));
    }
}
