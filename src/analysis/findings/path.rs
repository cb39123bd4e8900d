//! Where in a record a value stands.
//!
//! In: a path as CloudTrail writes it, e.g. `requestParameters.ipPermissions..cidrIp`. Out: the column that holds it and
//! the way into that column's JSON. Promise: a path whose first part no record has is refused when rules are read, not
//! when they are used.

use crate::event::{COLUMNS, ColumnKind, Field};
use crate::json::{Value, path};

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The column.
    pub(super) field: Field,
    inside: path::Path,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        let path = path::Path::parse(text)
            .ok_or_else(|| format!("{text:?} is not a path into a record"))?;
        let names = path.leading_names();
        let (field, used) = column_of(&names).ok_or_else(|| {
            let first = names.first().copied().unwrap_or_default();
            format!("records have no field {first:?}")
        })?;
        let inside = path.after(used);
        if !inside.is_root() && field.column().kind != ColumnKind::Json {
            return Err(format!("{text:?}: `{}` has no fields", field.column().path));
        }
        Ok(Path { field, inside })
    }

    /// Whether the path goes into a column's JSON rather than being the column.
    pub(super) fn is_inside(&self) -> bool {
        self.field.column().kind == ColumnKind::Json
    }

    /// The values at this place; elements of arrays one by one, never null.
    pub(super) fn values<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        self.inside.values(root)
    }
}

/// The column that the first names of a path lead to, and how many names that took. The objects around the caller's
/// identity may be left out: `accessKeyId`, `onBehalfOf.userId`.
fn column_of(names: &[&str]) -> Option<(Field, usize)> {
    for used in (1..=names.len()).rev() {
        let name = names[..used].join(".");
        for prefix in ["", "userIdentity.", "userIdentity.sessionContext."] {
            let found = COLUMNS.iter().position(|column| {
                !column.path.is_empty()
                    && column.path.len() == prefix.len() + name.len()
                    && column.path.starts_with(prefix)
                    && column.path.ends_with(&name)
            });
            if let Some(at) = found {
                return Some((Field::all()[at], used));
            }
        }
        if used == 1
            && let Some(field) = Field::named(&name)
        {
            return Some((field, 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_column() {
        for (path, field) in [
            ("accessKeyId", Field::AccessKeyId),
            ("userIdentity.accessKeyId", Field::AccessKeyId),
            ("access_key_id", Field::AccessKeyId),
            ("eventName", Field::EventName),
            ("onBehalfOf.userId", Field::OnBehalfOfUserId),
            ("userIdentity.accountId", Field::UserIdentityAccountId),
            ("sessionIssuer.arn", Field::SessionIssuerArn),
            (
                "userIdentity.sessionContext.sessionIssuer.arn",
                Field::SessionIssuerArn,
            ),
            ("resources[].ARN", Field::Resources),
            ("requestParameters..cidrIp", Field::RequestParameters),
            ("tlsDetails.tlsVersion", Field::TlsVersion),
        ] {
            assert_eq!(Path::parse(path).unwrap().field, field, "{path}");
        }
        for path in [
            "",
            "x",
            "a..b",
            "requestParameters.[x]",
            "eventName.x",
            "requestParameters.",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
