//! What may have been meant by a name that the log does not have?
//!
//! In: a key, a user, a principal or an address. Out: whether the log has it, and names of the log that differ by a slip.
//! Promise: it is asked only where an answer is empty, since it reads all names of the kind.

use super::fault::{differ_by, nearest};
use super::{Params, Session, SessionError};
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};

/// The kinds of names that people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// An access key's id.
    AccessKey,
    /// A user's name.
    User,
    /// The ARN of a user, a role or a session.
    Principal,
    /// An IP address.
    Address,
}

/// Letters by which ids may differ that nobody chose, and still be meant.
const SLIPS: usize = 2;

/// What the log has of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Whether it has that name.
    pub seen: bool,
    /// Names that differ by a slip, the most similar first, with whose they are where that helps.
    pub names: Vec<(String, Option<String>)>,
}

impl NameKind {
    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::User => "user",
            Self::Principal => "principal",
            Self::Address => "address",
        }
    }

    /// What stands between a call and such a name.
    pub fn preposition(self) -> &'static str {
        match self {
            Self::AccessKey => "with access key",
            Self::User => "by user",
            Self::Principal => "by",
            Self::Address => "from",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::AccessKey => include_str!("../../queries/near/keys.sql"),
            Self::User => include_str!("../../queries/near/users.sql"),
            Self::Principal => include_str!("../../queries/near/principals.sql"),
            Self::Address => include_str!("../../queries/near/addresses.sql"),
        }
    }
}

impl Session {
    /// Looks for a name, and for those that are near to it.
    ///
    /// # Errors
    ///
    /// The input cannot be read.
    pub async fn near(&self, kind: NameKind, name: &str) -> Result<Near, SessionError> {
        let begin: String = name.chars().take(4).collect();
        let params = Params::from([("begin".to_owned(), ScalarValue::from(begin.as_str()))]);
        let (_, batches) = self.sql(kind.sql(), &params).await?;
        let mut known = Vec::new();
        for batch in &batches {
            let (names, whose) = (text(batch.column(0))?, text(batch.column(1))?);
            let (names, whose) = (names.as_string::<i32>(), whose.as_string::<i32>());
            let rows = names.iter().zip(whose);
            known.extend(
                rows.filter_map(|(name, who)| Some((name?.to_owned(), who.map(str::to_owned)))),
            );
        }
        Ok(Near {
            seen: known.iter().any(|(known, _)| known == name),
            names: alike(kind, name, known),
        })
    }
}

fn alike(
    kind: NameKind,
    name: &str,
    known: Vec<(String, Option<String>)>,
) -> Vec<(String, Option<String>)> {
    let names = known.iter().map(|(name, _)| name.as_str());
    let near = match kind {
        NameKind::User | NameKind::Principal => nearest(name, names),
        NameKind::AccessKey | NameKind::Address => differ_by(SLIPS, name, names),
    };
    let whose = |name: String| {
        let who = known.iter().find(|(known, _)| *known == name);
        let who = who.and_then(|(_, who)| who.clone());
        (name, who)
    };
    near.into_iter().map(whose).collect()
}

fn text(column: &ArrayRef) -> Result<ArrayRef, SessionError> {
    Ok(cast(column, &DataType::Utf8).map_err(DataFusionError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_near_by_a_slip_only() {
        let known = ["AKIARTX3GSDS75MXKBSU", "AKIARTX3GSDS4J6SD2VQ"];
        let known = || {
            known
                .map(|key| (key.to_owned(), Some("u".to_owned())))
                .to_vec()
        };
        let near = |key| alike(NameKind::AccessKey, key, known());
        assert_eq!(near("AKIARTX3GSDS75MXKBUS")[0].0, "AKIARTX3GSDS75MXKBSU");
        assert_eq!(near("AKIARTX3GSDS75MXKB5U").len(), 1);
        assert_eq!(near("AKIARTX3GSDS75MXAAAA"), []);
        let near = alike(
            NameKind::Address,
            "192.0.2.7",
            vec![("192.0.2.77".to_owned(), None)],
        );
        assert_eq!(near, [("192.0.2.77".to_owned(), None)]);
    }
}
