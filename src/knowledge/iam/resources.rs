//! What is an action of a call done to?
//!
//! In: a call and one of its actions. Out: resources as a policy writes them. Promise: in this order: the ARNs that the
//! event names (its `resources`, its parameters) and that look like those of the action's types; ARNs built from
//! parameters by the formats of these types; for a type that a policy must name and the event does not, the format with
//! `*` for what is unknown; `*` alone only for actions that are done to nothing in particular. Texts of the event never
//! act as wildcards. An object's key is cut before a part that is a date, a number or an id: it will not come again.

use super::super::arn::literal;
use super::actions::{self, Action, ResourceType, Service};
use super::call::Call;
use super::data::{fits, rows};
use super::parameters::Parameters;
use std::sync::LazyLock;

/// Actions that are done to one of their required types, not to all of them: service and action.
static ONE_OF: LazyLock<Vec<[&'static str; 2]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_one_of.tsv")).collect());

/// The resources of an action.
pub(super) fn of(call: &Call<'_>, action: &str, parameters: &Parameters) -> Vec<String> {
    let everything = || vec!["*".to_owned()];
    let Some((service, known)) = actions::action(action) else {
        return everything();
    };
    let prefix = action.split(':').next().unwrap_or_default();
    if let Some(source) = parameters
        .copied_from(call)
        .filter(|_| action.starts_with("s3:Get"))
    {
        return vec![source];
    }
    if action == "s3-object-lambda:WriteGetObjectResponse" {
        return everything();
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
    let one_of = ONE_OF
        .iter()
        .any(|[of, name]| *of == prefix && fits(name, known.name));
    let whole = types.iter().any(|(kind, _)| search.names_all(kind));
    let mut found = Vec::new();
    let mut unnamed = Vec::new();
    for (kind, required) in &types {
        let named = search.named(kind, &types);
        // A keyspace that is named whole is not a table of it.
        if whole
            && named.is_empty()
            && !required
            && !search.names_all(kind)
            && !search.comes_along(known, kind)
        {
            continue;
        }
        let told = !named.is_empty() || search.tells(kind);
        let own = if named.is_empty() {
            search.built(kind, *required || search.comes_along(known, kind))
        } else {
            named
        };
        match told {
            true => found.extend(own),
            false => unnamed.extend(own),
        }
    }
    if !one_of || found.is_empty() {
        found.extend(unnamed);
    }
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        everything()
    } else {
        found
    }
}

/// The resources of a tagging action on what the call makes: the one type that the call's name tells, or all that it names.
pub(super) fn made(call: &Call<'_>, action: &str, parameters: &Parameters) -> Vec<String> {
    let Some((service, known)) = actions::action(action) else {
        return vec!["*".to_owned()];
    };
    let plain = |name: &str| name.replace(['-', ' '], "").to_ascii_lowercase();
    let operation = call.operation.to_ascii_lowercase();
    let types = known.types.iter().map(|(index, _)| &service.types[*index]);
    let told = types
        .filter(|kind| operation.ends_with(&plain(kind.name)))
        .max_by_key(|kind| kind.name.len());
    match told {
        Some(kind) => {
            let prefix = action.split(':').next().unwrap_or_default();
            let search = Search {
                call,
                service,
                prefix,
                parameters,
            };
            search.built(kind, true)
        }
        None => of(call, action, parameters),
    }
}

/// Any resource of a type.
pub(super) fn any(call: &Call<'_>, kind: &ResourceType) -> String {
    fill(call, kind, &|_| "*".to_owned())
}

fn fill(call: &Call<'_>, kind: &ResourceType, name: &dyn Fn(&str) -> String) -> String {
    kind.arn.filled(|placeholder| match placeholder {
        "Partition" => call.partition().to_owned(),
        "Region" => call.region.to_owned(),
        "Account" => call.account.to_owned(),
        placeholder => name(placeholder),
    })
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
            self.parameters.texts(&mut |_, text| {
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
        let all: Vec<&str> = kind.arn.names().collect();
        let names: Vec<(&str, Vec<String>)> = all
            .iter()
            .map(|name| (*name, self.values(name, &all)))
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
        fill(self.call, kind, name)
    }

    /// Whether a parameter names a resource of this type.
    fn tells(&self, kind: &ResourceType) -> bool {
        let all: Vec<&str> = kind.arn.names().collect();
        let mut values = all.iter().map(|name| self.values(name, &all));
        values.any(|values| !values.is_empty())
    }

    /// Whether parameters name a resource of this type to the last part.
    fn names_all(&self, kind: &ResourceType) -> bool {
        let all: Vec<&str> = kind.arn.names().collect();
        let mut values = all.iter().map(|name| self.values(name, &all));
        !all.is_empty() && values.all(|values| !values.is_empty())
    }

    /// The values for a placeholder of a format with these placeholders.
    fn values(&self, name: &str, all: &[&str]) -> Vec<String> {
        self.parameters.values(self.call, self.prefix, name, all)
    }

    /// What EC2 makes with each instance, and checks: its volumes.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances>
    fn comes_along(&self, action: &Action, kind: &ResourceType) -> bool {
        self.prefix == "ec2" && action.name == "RunInstances" && kind.name == "volume"
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
