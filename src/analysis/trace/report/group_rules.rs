//! Which rules of a security group a call makes or removes.
//!
//! In: calls `AuthorizeSecurityGroup…` and `RevokeSecurityGroup…`. Out: whether the rules that the one made were removed by the others.
//! Promise: rules are the same if EC2's ids are, or protocol, ports and the other end are.

use super::super::graph::paths::Call;
use crate::json::Value;
use std::collections::BTreeSet;

/// The rules that are open still.
#[derive(Debug)]
pub(super) struct Rules {
    /// Written out.
    texts: BTreeSet<String>,
    ids: BTreeSet<String>,
}

impl Rules {
    /// Those that a call made.
    pub(super) fn made(call: &Call) -> Self {
        Self {
            texts: texts(&call.request),
            ids: call
                .all("response.securityGroupRuleSet.items[].securityGroupRuleId")
                .into_iter()
                .collect(),
        }
    }

    /// Whether the record does not say which rules they are.
    pub(super) fn is_unknown(&self) -> bool {
        self.texts.is_empty() && self.ids.is_empty()
    }

    /// Takes away what another call removed; whether nothing is left.
    pub(super) fn are_closed(&mut self, call: &Call) -> bool {
        let is_gone = |left: &mut BTreeSet<String>, gone: BTreeSet<String>| {
            let before = left.len();
            left.retain(|rule| !gone.contains(rule));
            before > 0 && left.is_empty()
        };
        let mut ids = BTreeSet::new();
        add_ids(&call.request, &mut ids);
        add_ids(&call.response, &mut ids);
        let by_text = is_gone(&mut self.texts, texts(&call.request));
        is_gone(&mut self.ids, ids) || by_text
    }
}

/// The ids of rules anywhere in a document.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html>
fn add_ids(document: &Value, ids: &mut BTreeSet<String>) {
    match document {
        Value::String(text) if text.starts_with("sgr-") => {
            ids.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| add_ids(item, ids)),
        Value::Object(members) => members.iter().for_each(|(_, member)| add_ids(member, ids)),
        _ => {}
    }
}

/// Each rule of a request: protocol, ports, and one other end.
fn texts(request: &Value) -> BTreeSet<String> {
    const ENDS: [(&str, &[&str]); 4] = [
        ("ipRanges", &["cidrIp"]),
        ("ipv6Ranges", &["cidrIpv6"]),
        ("prefixListIds", &["prefixListId"]),
        ("groups", &["groupId", "groupName"]),
    ];
    let items = |of: &Value, name: &str| -> Vec<Value> {
        let items = of.get(name).and_then(|list| list.get("items"));
        items.and_then(Value::as_array).unwrap_or_default().to_vec()
    };
    let mut texts = BTreeSet::new();
    for rule in items(request, "ipPermissions") {
        let part = |name: &str| match rule.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let ports = format!(
            "{} {} {}",
            part("ipProtocol"),
            part("fromPort"),
            part("toPort")
        );
        for (list, names) in ENDS {
            for end in items(&rule, list) {
                let end = names.iter().find_map(|name| end.get(name)?.as_str());
                texts.extend(end.map(|end| format!("{ports} {end}")));
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &str, response: &str) -> Call {
        Call::new(Some(request), Some(response), None)
    }

    fn rule(port: u16, ends: &[&str]) -> String {
        let ends: Vec<String> = ends
            .iter()
            .map(|end| format!(r#"{{"cidrIp":"{end}"}}"#))
            .collect();
        let ends = ends.join(",");
        format!(
            r#"{{"ipPermissions":{{"items":[{{"ipProtocol":"tcp","fromPort":{port},"toPort":{port},"ipRanges":{{"items":[{ends}]}}}}]}}}}"#
        )
    }

    #[test]
    fn a_rule_is_gone_when_all_of_it_is() {
        let made = call(&rule(3389, &["0.0.0.0/0", "192.0.2.0/24"]), "{}");
        let mut rules = Rules::made(&made);
        assert!(!rules.are_closed(&call(&rule(22, &["0.0.0.0/0"]), "{}")));
        assert!(!rules.are_closed(&call(&rule(3389, &["0.0.0.0/0"]), "{}")));
        assert!(rules.are_closed(&call(&rule(3389, &["192.0.2.0/24"]), "{}")));
        let answer = r#"{"securityGroupRuleSet":{"items":[{"securityGroupRuleId":"sgr-1"}]}}"#;
        let mut rules = Rules::made(&call(&rule(3389, &["0.0.0.0/0"]), answer));
        assert!(!rules.are_closed(&call(r#"{"securityGroupRuleIds":["sgr-2"]}"#, "{}")));
        assert!(rules.are_closed(&call(r#"{"securityGroupRuleIds":["sgr-1"]}"#, "{}")));
        assert!(Rules::made(&call("{}", "{}")).is_unknown());
    }
}
