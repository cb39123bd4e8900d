//! What is an action of a call done to?
//!
//! In: a call and one of its actions. Out: resources as a policy writes them. Promise: in this order: the ARNs that the
//! event names (its `resources`, its parameters) and that look like those of the action's types; ARNs built from
//! parameters by the formats of these types; for a type that a policy must name and the event does not, the format with
//! `*` for what is unknown; `*` alone only for actions that are done to nothing in particular. Texts of the event never
//! act as wildcards. An object's key is cut before a part that is a date, a number or an id: it will not come again.

use super::super::arn::{Captured, literal};
use super::accounts;
use super::actions::{self, Action, ResourceType, Service};
use super::call::Call;
use super::data::{fits, rows};
use super::parameters::Parameters;
use super::particulars::{self, COPIES, EC2_IDS, PATH_GIVERS, PATHS};
use super::placeholders::captured_value;
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
        let mut own = named;
        if own.is_empty() {
            own = search.built(kind, *required || search.comes_along(known, kind));
        } else if search.copies(kind) {
            own.push(any(call, kind));
        } else if search.several(kind) {
            own.extend(search.built(kind, true));
        }
        match told {
            true => found.extend(own),
            false => unnamed.extend(own),
        }
    }
    if !one_of || found.is_empty() {
        found.extend(unnamed);
    }
    particulars::apply(call, parameters, action, &mut found);
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        everything()
    } else {
        found
    }
}

/// Resources of these types, as the parameters name them to an action.
pub(super) fn of_types(
    call: &Call<'_>,
    action: &str,
    parameters: &Parameters,
    kinds: &[&'static ResourceType],
) -> Vec<String> {
    let prefix = action.split(':').next().unwrap_or_default();
    let Some(service) = actions::service(prefix) else {
        return Vec::new();
    };
    let search = Search {
        call,
        service,
        prefix,
        parameters,
    };
    let mut found = Vec::new();
    for kind in kinds {
        let mut built = search.built(kind, true);
        // Of a copy and what it is of, the copy comes last.
        if search.several(kind) {
            built.drain(..built.len().saturating_sub(1));
        }
        found.extend(built);
    }
    particulars::apply(call, parameters, action, &mut found);
    found
}

/// Any resource of a type.
pub(super) fn any(call: &Call<'_>, kind: &ResourceType) -> String {
    fill(call, kind, (call.region, call.account), &|_| "*".to_owned())
}

fn fill(
    call: &Call<'_>,
    kind: &ResourceType,
    (region, account): (&str, &str),
    name: &dyn Fn(&str) -> String,
) -> String {
    kind.arn.filled(|placeholder| match placeholder {
        "Partition" => call.partition().to_owned(),
        "Region" => region.to_owned(),
        "Account" => account.to_owned(),
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
            .map(|name| (*name, self.values(name, kind)))
            .collect();
        let parents = self.parents(kind);
        let parent = |placeholder: &str| {
            let mut values = parents.iter();
            values.find_map(|captured| captured_value(captured, placeholder))
        };
        let first = names.first().is_some_and(|(name, values)| {
            // The index of a table that is named by its ARN.
            let last = names.last().is_some_and(|(_, values)| !values.is_empty());
            let above = parent(name).is_some() || *name == "OrganizationId";
            !values.is_empty() || (last && above)
        });
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
                    .or_else(|| parent(placeholder).map(literal))
                    .unwrap_or_else(|| self.usual(placeholder, &all).to_owned())
            };
            arns.extend(self.variants(kind, self.fill(kind, &value)));
        }
        arns
    }

    fn fill(&self, kind: &ResourceType, name: &dyn Fn(&str) -> String) -> String {
        // It is where its parent is.
        let parents = self.parents(kind);
        let mut homes = parents.iter().filter_map(|captured| {
            let place = |name: &str| captured_value(captured, name);
            Some((place("Region")?, place("Account")?))
        });
        let owner = accounts::owner(self.call, self.prefix, self.parameters);
        let place = homes.next().unwrap_or((self.call.region, owner));
        fill(self.call, kind, place, name)
    }

    /// The ARNs of the parameters that share a placeholder with this type: of what holds it, or is held by it.
    fn parents(&self, kind: &ResourceType) -> Vec<Captured<'_>> {
        if self.several(kind) {
            return Vec::new();
        }
        let mut parents = self.parameters.parents(self.prefix);
        let shares = |captured: &Captured<'_>| {
            let mut names = kind.arn.names();
            names.any(|name| captured_value(captured, name).is_some())
        };
        parents.retain(shares);
        parents
    }

    /// What stands for a placeholder where no parameter does.
    fn usual(&self, placeholder: &str, all: &[&str]) -> &'static str {
        match (self.prefix, placeholder) {
            // <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html>
            ("ecs", "ClusterName") if all.len() > 1 => "default",
            // <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
            ("events", "EventBusName") if self.call.operation == "PutEvents" => "default",
            // <https://docs.aws.amazon.com/athena/latest/ug/workgroups.html>
            ("athena", "WorkGroupName") if self.call.operation.starts_with("Start") => "primary",
            _ => "*",
        }
    }

    /// Whether the call makes one more resource of the type that it names, and gives it an id.
    fn copies(&self, kind: &ResourceType) -> bool {
        COPIES.contains(&(self.prefix, self.call.operation, kind.name))
    }

    /// Whether two parameters name two resources of the type: a copy and what it is of.
    fn several(&self, kind: &ResourceType) -> bool {
        let mut names = kind.arn.names();
        names.any(|name| self.parameters.several(self.prefix, name))
    }

    /// Whether a parameter names a resource of this type.
    fn tells(&self, kind: &ResourceType) -> bool {
        let all: Vec<&str> = kind.arn.names().collect();
        all.iter().any(|name| self.filled(name, kind))
    }

    /// Whether parameters name a resource of this type to the last part.
    fn names_all(&self, kind: &ResourceType) -> bool {
        let all: Vec<&str> = kind.arn.names().collect();
        !all.is_empty() && all.iter().all(|name| self.filled(name, kind))
    }

    fn filled(&self, name: &str, kind: &ResourceType) -> bool {
        self.parameters.fill(self.call, self.prefix, name, kind)
    }

    /// The values for a placeholder of a type.
    fn values(&self, name: &str, kind: &ResourceType) -> Vec<String> {
        let values = self.parameters.values(self.call, self.prefix, name, kind);
        match (self.prefix, name) {
            // A database of a catalog below the account's own has the catalog in its name.
            // https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
            ("glue", "DatabaseName") => {
                let catalog = self.parameters.text("catalogId");
                let path = catalog.map(|id| accounts::below(id).unwrap_or(id));
                match path.filter(|path| !path.is_empty()) {
                    Some(path) => values
                        .iter()
                        .map(|name| format!("{}/{name}", literal(path)))
                        .collect(),
                    None => values,
                }
            }
            _ => values,
        }
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
            ("iam", kind) if PATHS.contains(&kind) && last != "*" => {
                let start = &arn[..arn.len() - last.len()];
                match PATH_GIVERS.contains(&self.call.operation) {
                    true => {
                        let path = self.parameters.text("path").unwrap_or("/");
                        let path = literal(path.trim_start_matches('/'));
                        vec![format!("{start}{path}{last}")]
                    }
                    // Other calls do not give the path.
                    false => vec![format!("{start}*/{last}"), arn],
                }
            }
            _ => vec![arn],
        }
    }
}
