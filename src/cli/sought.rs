//! Names that people ask for and the log does not have.
//!
//! In: a key, a user or an address whose answer is empty. Out: what may have been meant. Promise: a slip of the fingers does
//! not read as "never used".

use std::collections::BTreeMap;

use keytrail::cloudtrail::AccessKeyId;
use keytrail::session::{NameKind, Session};

use crate::failure::Failure;

/// Fails if the log does not have this name but one that is nearly the same.
pub(crate) async fn check(session: &Session, kind: NameKind, name: &str) -> Result<(), Failure> {
    let near = session.near(kind, name).await?;
    if near.seen || near.names.is_empty() {
        return Ok(());
    }
    let names = near.names.into_iter().map(|(name, who)| match who {
        Some(who) => format!("{name} ({who})"),
        None => name,
    });
    let names: Vec<String> = names.collect();
    let noun = kind.noun();
    Err(Failure::new(format!("{noun} {name} is not in these logs"))
        .hint(format!("did you mean {}?", names.join(" or "))))
}

/// The same for the access keys that an answer has nothing of.
pub(crate) async fn check_keys(
    session: &Session,
    keys: &[AccessKeyId],
    found: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for key in keys.iter().filter(|key| !found(key.as_str())) {
        check(session, NameKind::AccessKey, key.as_str()).await?;
    }
    Ok(())
}

/// The same for the parameters of a saved query that has no row.
pub(crate) async fn check_params(
    session: &Session,
    values: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    for (name, value) in values {
        let kind = match name.as_str() {
            "access_key_id" => NameKind::AccessKey,
            "user_name" | "user" => NameKind::User,
            "role_arn" | "arn" | "principal" => NameKind::Principal,
            "source_ip_address" | "address" => NameKind::Address,
            _ => continue,
        };
        check(session, kind, value).await?;
    }
    Ok(())
}
