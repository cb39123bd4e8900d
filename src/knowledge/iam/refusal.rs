//! What AWS's own refusal names.
//!
//! In: an error message. Out: the permission that was missing. Promise: an action with a wildcard is none; a resource that is no ARN
//! is `*`.

use super::super::arn::literal;
use super::call::Need;

/// `… is not authorized to perform: s3:GetObject on resource: "arn:…" because …`.
pub(super) fn refused(message: &str) -> Option<Need> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let (action, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (prefix, name) = action.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !plain(prefix) || !plain(name) {
        return None;
    }
    let resource = rest
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let resource = resource.map(|resource| resource.trim_matches(['"', '.', ',']));
    let resource = match resource {
        Some(arn) if arn.starts_with("arn:") => literal(arn),
        _ => "*".to_owned(),
    };
    Some(Need {
        first: true,
        ..Need::new(action, resource)
    })
}
