//! The permissions that uses ask for, and the statements that give them.
//!
//! In: [`Use`]s. Out: [`Permissions`]: per action and condition the resources, generalised by prefix; [`Statement`]s.
//! Promise: what was used is allowed. What is allowed beyond it comes from generalising alone, and only for objects of S3
//! (three objects below a prefix stand for all below it, three such prefixes for the one above), for what `recurring` says will not
//! come again, and where one action has more resources than a policy can name.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Conditions, Statement};
use super::recurring::{self, Lives, lives};
use super::uses::Use;
use crate::knowledge::iam::actions::{self, AccessLevel};

/// So many objects below a prefix, or prefixes below another, stand for all below it.
const ALIKE: usize = 3;
/// So many prefixes at the root of a bucket stand for the whole bucket: fewer are told apart.
const ROOTS: usize = 10;
/// More resources than this of one action and kind are generalised: instances, tasks and log streams come and go.
const NAMED: usize = 40;

/// An action under a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action, e.g. `s3:GetObject`.
    pub action: String,
    /// The condition: key and values, `kms:ViaService=s3.eu-west-1.amazonaws.com`.
    pub condition: Option<String>,
}

/// What was used, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// The resources, as a policy writes them.
    pub resources: BTreeSet<String>,
    /// Whether resources were generalised because there are too many to name.
    pub generalised: bool,
    /// Patterns among the resources, each with what it stands for, since that will not come again.
    pub patterns: BTreeMap<String, BTreeSet<String>>,
    /// How many calls.
    pub events: i64,
    /// Time of the first call, microseconds since 1970.
    pub first_seen: i64,
    /// Time of the last call.
    pub last_seen: i64,
}

/// The permissions of a policy.
pub type Permissions = BTreeMap<Permission, Used>;

/// Objects below a prefix.
#[derive(Default)]
struct Leaves {
    names: BTreeSet<String>,
    many: bool,
}

/// The permissions that these uses ask for.
pub fn permissions<'a>(uses: impl IntoIterator<Item = &'a Use>) -> Permissions {
    let mut permissions = Permissions::new();
    let mut objects: BTreeMap<Permission, BTreeMap<String, Leaves>> = BTreeMap::new();
    let uses: Vec<&Use> = uses.into_iter().collect();
    let lives = lives(uses.iter().copied());
    for of in uses {
        let permission = Permission {
            action: of.action.clone(),
            condition: of.condition.clone(),
        };
        let used = permissions
            .entry(permission.clone())
            .or_insert_with(|| Used {
                first_seen: of.first_seen,
                last_seen: of.last_seen,
                ..Used::default()
            });
        used.events += of.events;
        used.first_seen = used.first_seen.min(of.first_seen);
        used.last_seen = used.last_seen.max(of.last_seen);
        if of.leaves.is_empty() {
            used.resources.insert(of.resource.clone());
        } else {
            let leaves = objects
                .entry(permission)
                .or_default()
                .entry(of.resource.clone())
                .or_default();
            leaves.names.extend(of.leaves.iter().cloned());
            leaves.many |= of.many;
        }
    }
    for (permission, prefixes) in objects {
        let resources = prefixes.into_iter().flat_map(|(prefix, leaves)| {
            match leaves.many || leaves.names.len() >= ALIKE {
                true => vec![prefix + "*"],
                false => leaves
                    .names
                    .iter()
                    .map(|name| format!("{prefix}{name}"))
                    .collect(),
            }
        });
        if let Some(used) = permissions.get_mut(&permission) {
            used.resources.extend(resources);
        }
    }
    for (permission, used) in &mut permissions {
        used.generalise(&permission.action, &lives);
    }
    without_doubles(&mut permissions);
    permissions
}

impl Used {
    fn generalise(&mut self, action: &str, lives: &Lives<'_>) {
        self.patterns = recurring::patterns(action, &self.resources, lives);
        for (pattern, below) in &self.patterns {
            self.resources.retain(|resource| !below.contains(resource));
            self.resources.insert(pattern.clone());
        }
        while let Some((prefix, below)) = alike(&self.resources) {
            self.resources.retain(|resource| !below.contains(resource));
            self.resources.insert(prefix);
        }
        self.drop_covered();
        if self.resources.len() > NAMED {
            self.resources = self
                .resources
                .iter()
                .map(|resource| kind_of(resource))
                .collect();
            self.generalised = true;
            self.drop_covered();
        }
    }

    /// Leaves out what another resource covers.
    fn drop_covered(&mut self) {
        let covering: Vec<String> = self
            .resources
            .iter()
            .filter_map(|all| all.strip_suffix('*'))
            .map(str::to_owned)
            .collect();
        self.resources.retain(|resource| {
            !covering.iter().any(|prefix| {
                resource.starts_with(prefix) && resource.strip_suffix('*') != Some(prefix)
            })
        });
    }
}

/// A prefix of objects that has enough prefixes below it to stand for them, and these.
fn alike(resources: &BTreeSet<String>) -> Option<(String, BTreeSet<String>)> {
    let mut above: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resource in resources
        .iter()
        .filter(|resource| resource.contains(":s3:::"))
    {
        let Some(prefix) = resource.strip_suffix("/*") else {
            continue;
        };
        if let Some((parent, _)) = prefix.rsplit_once('/') {
            above.entry(parent).or_default().insert(resource.clone());
        }
    }
    let enough = |parent: &str| if parent.contains('/') { ALIKE } else { ROOTS };
    above
        .into_iter()
        .find(|(parent, below)| below.len() >= enough(parent))
        .map(|(parent, below)| (format!("{parent}/*"), below))
}

/// All resources of the kind: the ARN up to its last part.
fn kind_of(resource: &str) -> String {
    let arn_end = resource
        .match_indices(':')
        .nth(4)
        .map_or(0, |(index, _)| index + 1);
    let (start, name) = resource.split_at(arn_end);
    if start.contains(":s3:::") || resource.contains(":s3:::") {
        return match name.split_once('/') {
            Some((bucket, _)) => format!("{start}{bucket}/*"),
            None => resource.to_owned(),
        };
    }
    match name.find(['/', ':']) {
        Some(end) => format!("{start}{}*", &name[..=end]),
        None => format!("{start}*"),
    }
}

/// What is allowed without a condition needs not be allowed with one.
fn without_doubles(permissions: &mut Permissions) {
    let free: BTreeMap<String, BTreeSet<String>> = permissions
        .iter()
        .filter(|(permission, _)| permission.condition.is_none())
        .map(|(permission, used)| (permission.action.clone(), used.resources.clone()))
        .collect();
    permissions.retain(|permission, used| {
        if permission.condition.is_some()
            && let Some(free) = free.get(&permission.action)
        {
            used.resources
                .retain(|resource| !free.contains(resource) && !free.contains("*"));
        }
        !used.resources.is_empty()
    });
}

/// The statements that allow these permissions: one for each service, set of resources and condition.
pub fn statements(permissions: &Permissions) -> Vec<Statement> {
    type Group<'a> = (&'a str, Option<&'a str>, &'a BTreeSet<String>);
    let mut groups: BTreeMap<Group<'_>, BTreeSet<String>> = BTreeMap::new();
    for (permission, used) in permissions {
        let service = permission.action.split(':').next().unwrap_or_default();
        let group = (service, permission.condition.as_deref(), &used.resources);
        groups
            .entry(group)
            .or_default()
            .insert(permission.action.clone());
    }
    let statements = groups
        .into_iter()
        .map(|((service, condition, resources), actions)| Statement {
            sid: sid(service, condition, &actions),
            actions,
            resources: resources.clone(),
            conditions: condition.map(conditions).unwrap_or_default(),
            ..Statement::default()
        });
    statements.collect()
}

/// A name that tells the service and what may be done: `S3ReadWrite`, `KmsWriteViaService`.
fn sid(service: &str, condition: Option<&str>, actions: &BTreeSet<String>) -> String {
    let mut sid = String::new();
    for part in service.split(|c: char| !c.is_ascii_alphanumeric()) {
        let (first, rest) = part.split_at(part.len().min(1));
        sid.push_str(&first.to_ascii_uppercase());
        sid.push_str(rest);
    }
    let levels = actions
        .iter()
        .map(|action| actions::action(action).map(|(_, action)| action.level));
    let levels: BTreeSet<Option<AccessLevel>> = levels.collect();
    for level in levels {
        sid.push_str(level.map_or("Other", AccessLevel::as_str));
    }
    match condition.and_then(|condition| condition.split('=').next()) {
        Some("iam:PassedToService") => "PassRole".clone_into(&mut sid),
        Some(_) => sid.push_str("ViaService"),
        None => {}
    }
    sid
}

/// The condition block of `key=value value`.
fn conditions(text: &str) -> Conditions {
    let (key, values) = text.split_once('=').unwrap_or((text, ""));
    let operator = match key {
        "aws:CalledVia" => "ForAnyValue:StringEquals",
        "aws:ViaAWSService" => "Bool",
        _ => "StringEquals",
    };
    let values = values.split(' ').map(str::to_owned).collect();
    Conditions::from([(
        operator.to_owned(),
        BTreeMap::from([(key.to_owned(), values)]),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::policy::uses::Outcome;

    fn used(action: &str, resource: &str, leaves: &[&str]) -> Use {
        Use {
            action: action.to_owned(),
            resource: resource.to_owned(),
            condition: None,
            open: None,
            outcome: Outcome::Allowed,
            error_code: None,
            source_ip_address: None,
            vpc_endpoint_id: None,
            via_service: None,
            user_agent: None,
            leaves: leaves.iter().map(|leaf| (*leaf).to_owned()).collect(),
            many: false,
            events: 1,
            first_seen: 0,
            last_seen: 0,
        }
    }

    fn resources(uses: &[Use]) -> Vec<String> {
        let permissions = permissions(uses);
        permissions
            .into_values()
            .flat_map(|used| used.resources)
            .collect()
    }

    #[test]
    fn three_objects_stand_for_all_below_their_prefix() {
        let get = |prefix: &str, leaves: &[&str]| {
            used("s3:GetObject", &format!("arn:aws:s3:::b/{prefix}"), leaves)
        };
        assert_eq!(
            resources(&[get("a/", &["1", "2"])]),
            ["arn:aws:s3:::b/a/1", "arn:aws:s3:::b/a/2"]
        );
        assert_eq!(
            resources(&[get("a/", &["1", "2"]), get("a/", &["3"])]),
            ["arn:aws:s3:::b/a/*"]
        );
        let three = ["a/x/", "a/y/", "a/z/"].map(|prefix| get(prefix, &["1", "2", "3"]));
        assert_eq!(resources(&three), ["arn:aws:s3:::b/a/*"]);
        // A bucket is not opened because of three prefixes.
        let three = ["x/", "y/", "z/"].map(|prefix| get(prefix, &["1", "2", "3"]));
        assert_eq!(resources(&three).len(), 3);
    }

    #[test]
    fn what_another_resource_covers_is_left_out() {
        let uses = [
            used("s3:GetObject", "arn:aws:s3:::b/a/", &["1"]),
            used("s3:GetObject", "arn:aws:s3:::b/*", &[]),
        ];
        assert_eq!(resources(&uses), ["arn:aws:s3:::b/*"]);
        let via = Use {
            condition: Some("kms:ViaService=s3.eu-west-1.amazonaws.com".to_owned()),
            ..used("kms:Decrypt", "arn:aws:kms:r:1:key/k", &[])
        };
        let direct = used("kms:Decrypt", "arn:aws:kms:r:1:key/k", &[]);
        assert_eq!(permissions([&via, &direct]).len(), 1);
        assert_eq!(permissions([&via]).len(), 1);
    }

    #[test]
    fn too_many_to_name_become_their_kind() {
        let stop = |n: usize| {
            used(
                "ec2:StopInstances",
                &format!("arn:aws:ec2:r:1:instance/i-{n:08}"),
                &[],
            )
        };
        let few: Vec<Use> = (0..NAMED).map(stop).collect();
        assert_eq!(resources(&few).len(), NAMED);
        let many: Vec<Use> = (0..=NAMED).map(stop).collect();
        assert_eq!(resources(&many), ["arn:aws:ec2:r:1:instance/*"]);
    }

    #[test]
    fn statements_are_grouped_and_named() {
        let uses = [
            used("s3:GetObject", "arn:aws:s3:::b/a/1", &[]),
            used("s3:PutObject", "arn:aws:s3:::b/a/1", &[]),
            used("s3:ListBucket", "arn:aws:s3:::b", &[]),
            Use {
                condition: Some(
                    "iam:PassedToService=ecs-tasks.amazonaws.com ecs.amazonaws.com".to_owned(),
                ),
                ..used("iam:PassRole", "arn:aws:iam::1:role/r", &[])
            },
        ];
        let statements = statements(&permissions(&uses));
        let sids: Vec<&str> = statements
            .iter()
            .map(|statement| statement.sid.as_str())
            .collect();
        assert_eq!(sids, ["PassRole", "S3List", "S3ReadWrite"]);
        assert_eq!(
            statements[0].json()["Condition"].to_string(),
            r#"{"StringEquals":{"iam:PassedToService":["ecs-tasks.amazonaws.com","ecs.amazonaws.com"]}}"#
        );
    }
}
