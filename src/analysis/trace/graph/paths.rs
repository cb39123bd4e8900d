//! Values inside the JSON of a record.
//!
//! In: parameters and answer of a call, and paths such as `response.instancesSet.items[].instanceId`, with alternatives
//! `request.userName|caller`. Out: texts. Promise: a path that does not fit gives nothing.

use crate::json::Value;
use crate::json::path::Path;

/// What a path can lead into.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis::trace) struct Call {
    pub(in crate::analysis::trace) request: Value,
    pub(in crate::analysis::trace) response: Value,
    pub(in crate::analysis::trace) additional: Value,
    /// The caller's user name: calls about a user without a name are about the caller.
    pub(in crate::analysis::trace) caller: Option<String>,
    pub(in crate::analysis::trace) region: Option<String>,
    pub(in crate::analysis::trace) account: Option<String>,
}

impl Call {
    /// Of JSON texts; what is not JSON is null.
    pub(in crate::analysis::trace) fn new(
        request: Option<&str>,
        response: Option<&str>,
        additional: Option<&str>,
    ) -> Self {
        let value = |text: Option<&str>| text.and_then(Value::parse).unwrap_or_default();
        Self {
            request: value(request),
            response: value(response),
            additional: value(additional),
            ..Self::default()
        }
    }

    /// The values at the first alternative that has some.
    pub(in crate::analysis::trace) fn all(&self, path: &str) -> Vec<String> {
        for path in path.split('|') {
            let found = self.at(path);
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The first value.
    pub(in crate::analysis::trace) fn first(&self, path: &str) -> Option<String> {
        self.all(path).into_iter().next()
    }

    fn at(&self, path: &str) -> Vec<String> {
        let (root, rest) = path.split_once('.').unwrap_or((path, ""));
        let root = match root {
            "request" => &self.request,
            "response" => &self.response,
            "additional" => &self.additional,
            "caller" => return self.caller.iter().cloned().collect(),
            "region" => return self.region.iter().cloned().collect(),
            "account" => return self.account.iter().cloned().collect(),
            _ => return Vec::new(),
        };
        let path = Path::parse(rest).unwrap_or_default();
        path.values(root).into_iter().filter_map(as_text).collect()
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The name at the end of an ARN or a path: `arn:aws:iam::1:role/x/name` is `name`.
pub(in crate::analysis::trace) fn name_of(id: &str) -> &str {
    id.rsplit(['/', ':']).next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_lists_and_have_alternatives() {
        let call = Call {
            caller: Some("me".to_owned()),
            ..Call::new(
                Some(r#"{"a":{"items":[{"id":"1"},{"id":2},{}]},"empty":""}"#),
                Some("no json"),
                None,
            )
        };
        assert_eq!(call.all("request.a.items[].id"), ["1", "2"]);
        assert_eq!(call.all("request.empty|response.x|caller"), ["me"]);
        assert_eq!(call.first("request.a.items"), None);
        assert_eq!(name_of("arn:aws:iam::1:role/path/name"), "name");
        assert_eq!(name_of("plain"), "plain");
    }
}
