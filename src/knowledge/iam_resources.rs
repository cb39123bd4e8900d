//! What is an action of a call done to?
//!
//! In: a call and one of its actions. Out: resources as a policy writes them. Promise: in this order: the ARNs that the
//! event names (its `resources`, its parameters) and that look like those of the action's types; ARNs built from
//! parameters by the formats of these types; for a type that a policy must name and the event does not, the format with
//! `*` for what is unknown; `*` alone only for actions that are done to nothing in particular. Texts of the event never
//! act as wildcards. An object's key is cut before a part that is a date, a number or an id: it will not come again.

use super::arn::{literal, partition};
use super::iam_actions::{self, ResourceType, Service};
use super::iam_calls::{Call, texts};
use super::iam_parameters::Parameters;

/// The resources of an action.
pub(super) fn of(call: &Call<'_>, action: &str, parameters: &Parameters) -> Vec<String> {
    let everything = || vec!["*".to_owned()];
    let Some((service, known)) = iam_actions::action(action) else {
        return everything();
    };
    let prefix = action.split(':').next().unwrap_or_default();
    if let Some(source) = parameters
        .copied_from()
        .filter(|_| action.starts_with("s3:Get"))
    {
        return vec![source];
    }
    let types: Vec<(&ResourceType, bool)> = known
        .types
        .iter()
        .map(|(index, required)| (&service.types[*index], *required))
        .collect();
    let search = Search {
        call,
        service,
        prefix,
        parameters,
    };
    let mut found = Vec::new();
    for (kind, required) in &types {
        let named = search.named(kind, &types);
        let own = if named.is_empty() {
            search.built(kind, *required)
        } else {
            named
        };
        found.extend(own);
    }
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        everything()
    } else {
        found
    }
}

/// A search for the resources of one type.
struct Search<'a> {
    call: &'a Call<'a>,
    service: &'static Service,
    prefix: &'a str,
    parameters: &'a Parameters,
}

impl Search<'_> {
    /// The ARNs of the event that are of this type: that look like it more than like any other type of the service. If
    /// that other type is none of the action's, looking like this one at all is enough.
    fn named(&self, kind: &ResourceType, types: &[(&ResourceType, bool)]) -> Vec<String> {
        let ids = self.ec2_ids();
        let arns = self
            .parameters
            .arns()
            .iter()
            .chain(&ids)
            .filter(|arn| kind.arn.matches(arn));
        let is_own = |arn: &&String| {
            let alike = self
                .service
                .types
                .iter()
                .filter(|other| other.arn.matches(arn));
            let best = alike.max_by_key(|other| other.arn.fixed());
            best.is_none_or(|best| {
                best.name == kind.name || !types.iter().any(|(own, _)| own.name == best.name)
            })
        };
        arns.filter(is_own).cloned().collect()
    }

    /// The ARNs of the ids of EC2 in the parameters, which say themselves what they are.
    fn ec2_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        if self.prefix == "ec2" {
            texts("", self.parameters.request(), &mut |_, text| {
                let kind = text
                    .rsplit_once('-')
                    .filter(|(_, id)| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
                let kind = kind.and_then(|(start, _)| EC2_IDS.iter().find(|(id, _)| *id == start));
                let kind = kind.and_then(|(_, name)| {
                    self.service.types.iter().find(|kind| kind.name == *name)
                });
                ids.extend(kind.map(|kind| self.fill(kind, &|_| text.to_owned())));
            });
        }
        ids
    }

    /// The ARN of the type that the parameters give. Unless the type is required, what names it first must be known.
    fn built(&self, kind: &ResourceType, required: bool) -> Vec<String> {
        if kind.name == "user" && self.prefix == "iam" && !self.parameters.given("userName", None) {
            // A call about a user without a name is about the caller.
            return self
                .call
                .caller
                .contains(":user/")
                .then(|| literal(self.call.caller))
                .into_iter()
                .collect();
        }
        let names: Vec<(&str, Vec<String>)> = kind
            .arn
            .names()
            .map(|name| (name, self.parameters.values(self.call, (self.prefix, name))))
            .collect();
        let first = names.first().is_some_and(|(_, values)| !values.is_empty());
        if !required && !first {
            return Vec::new();
        }
        // Several values of one parameter are several resources.
        let several = names
            .iter()
            .map(|(_, values)| values.len())
            .max()
            .unwrap_or(1)
            .max(1);
        let mut arns = Vec::new();
        for index in 0..several {
            let value = |placeholder: &str| {
                let values = names
                    .iter()
                    .find(|(name, _)| *name == placeholder)
                    .map(|(_, values)| values);
                let values = values.map(Vec::as_slice).unwrap_or_default();
                values
                    .get(index)
                    .or(values.first())
                    .cloned()
                    .unwrap_or_else(|| "*".to_owned())
            };
            arns.extend(self.variants(kind, self.fill(kind, &value)));
        }
        arns
    }

    fn fill(&self, kind: &ResourceType, name: &dyn Fn(&str) -> String) -> String {
        kind.arn.filled(|placeholder| match placeholder {
            "Partition" => partition(self.call.region).to_owned(),
            "Region" => self.call.region.to_owned(),
            "Account" => self.call.account.to_owned(),
            placeholder => name(placeholder),
        })
    }

    /// Other ways in which the same resource's ARN can be written, where the event does not tell which holds.
    fn variants(&self, kind: &ResourceType, arn: String) -> Vec<String> {
        let last = arn.rsplit('/').next().unwrap_or_default();
        match (self.prefix, kind.name) {
            // The path of a user, role or group is not in the call.
            ("iam", "user" | "role" | "group" | "policy" | "instance-profile") if last != "*" => {
                let start = &arn[..arn.len() - last.len()];
                vec![format!("{start}*/{last}"), arn]
            }
            ("logs", "log-group") if !arn.ends_with('*') => vec![format!("{arn}:*"), arn],
            _ => vec![arn],
        }
    }
}

/// The beginnings of EC2's ids, and the types they are of.
const EC2_IDS: [(&str, &str); 24] = [
    ("acl", "network-acl"),
    ("ami", "image"),
    ("cgw", "customer-gateway"),
    ("dopt", "dhcp-options"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("lt", "launch-template"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("pl", "prefix-list"),
    ("rtb", "route-table"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpn", "vpn-connection"),
];

/// A resource, and the last part of an object's key apart. Of a key, what comes after the first part that will not come
/// again is `*`; of a log stream's name, all is.
pub(super) fn split(resource: String) -> (String, Option<String>) {
    if let Some((group, _)) = resource.split_once(":log-stream:") {
        return (format!("{group}:log-stream:*"), None);
    }
    let Some((start, key)) = resource.split_once(":s3:::").and_then(|(start, path)| {
        let (bucket, key) = path.split_once('/')?;
        Some((format!("{start}:s3:::{bucket}/"), key))
    }) else {
        return (resource, None);
    };
    let mut known = start;
    let mut parts = key.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        if passes(part) || part == "*" {
            return (known + "*", None);
        }
        if last {
            return (known, Some(part.to_owned()));
        }
        known.push_str(part);
        known.push('/');
    }
    (known, None)
}

/// Whether a part of a key is one of many by its look: a date, a number, an id.
fn passes(part: &str) -> bool {
    // Hive writes `dt=2025-03-01`.
    let value = part.rsplit('=').next().unwrap_or(part);
    let value = value.split('.').next().unwrap_or(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let number = digits > 0
        && value
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b':' | b'T' | b'Z'));
    number || (hex && value.len() >= 8 && digits >= 2)
}
