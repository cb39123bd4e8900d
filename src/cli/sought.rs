//! Names that people ask for and the log does not have.
//!
//! In: a key, a user or an address whose answer is empty. Out: what may have been meant. Promise: a slip of the fingers does
//! not read as "never used".

use std::collections::BTreeMap;

use keytrail::cloudtrail::AccessKeyId;
use keytrail::render::coverage_lines;
use keytrail::session::{NameKind, Near, Session};

use crate::failure::Failure;

/// Fails if the logs do not have this name. Logs without events, or that were read in part, answer for themselves: the answer
/// says what was not read.
pub(crate) async fn check(session: &Session, kind: NameKind, name: &str) -> Result<(), Failure> {
    let near = session.near(kind, name).await?;
    if let Some(failure) = meant(kind, name, &near) {
        return Err(failure);
    }
    let coverage = session.coverage().await?;
    if near.seen || coverage.events == 0 || coverage.is_partial() {
        return Ok(());
    }
    let absent = Failure::new(format!(
        "no calls {} {name} in these logs",
        kind.preposition()
    ))
    .hint("this does not prove that there were none: check what the logs cover");
    let lines = coverage_lines(&coverage).into_iter();
    Err(lines.fold(absent, Failure::hint))
}

/// Fails if the logs do not have this name but one that is nearly the same.
pub(crate) async fn suggest(session: &Session, kind: NameKind, name: &str) -> Result<(), Failure> {
    let near = session.near(kind, name).await?;
    meant(kind, name, &near).map_or(Ok(()), Err)
}

/// What may have been meant by a name that the logs do not have.
fn meant(kind: NameKind, name: &str, near: &Near) -> Option<Failure> {
    if near.seen || near.names.is_empty() {
        return None;
    }
    let names = near.names.iter().map(|(name, who)| match who {
        Some(who) => format!("{name} ({who})"),
        None => name.clone(),
    });
    let names: Vec<String> = names.collect();
    let noun = kind.noun();
    Some(
        Failure::new(format!("{noun} {name} is not in these logs"))
            .hint(format!("did you mean {}?", names.join(" or "))),
    )
}

/// [`check`] for the access keys of an answer that has no row.
pub(crate) async fn check_keys(session: &Session, keys: &[AccessKeyId]) -> Result<(), Failure> {
    for key in keys {
        check(session, NameKind::AccessKey, key.as_str()).await?;
    }
    Ok(())
}

/// [`suggest`] for the parameters of a saved query that has no row.
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
        suggest(session, kind, value).await?;
    }
    Ok(())
}
