//! What the log says about our own addresses, about who made keys and users, and about the roles of instance profiles.
//!
//! In: the rows of `context.sql`. Out: [`Context`]. Promise: only successful calls count; a response that cannot be read says
//! nothing.

use super::super::AnalysisError;
use crate::json::Value;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// The roles of instance profiles, by account and name of the profile.
pub(in crate::analysis) type Profiles = BTreeMap<(String, String), BTreeSet<String>>;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// Our addresses, and what they are.
    pub(super) addresses: HashMap<IpAddr, String>,
    /// Hints about the owner, by key.
    pub(super) makers: HashMap<String, BTreeSet<String>>,
    /// Hints about the owner, by user name.
    pub(super) tags: HashMap<String, BTreeSet<String>>,
    /// Which roles were added to instance profiles.
    pub(super) profiles: Profiles,
}

/// Tags whose value names somebody.
const OWNER_TAGS: &[&str] = &[
    "owner",
    "team",
    "contact",
    "department",
    "costcenter",
    "createdby",
    "project",
    "application",
];

impl Context {
    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let text = |name: &str| {
            let column = batch.column_by_name(name);
            let column = column.ok_or_else(|| AnalysisError::NoColumn(name.to_owned()))?;
            Ok::<_, AnalysisError>(cast(column, &DataType::Utf8)?)
        };
        let operations = text("operation")?;
        let arns = text("user_identity_arn")?;
        let issued = text("issued_access_key_id")?;
        let requests = text("request_parameters")?;
        let responses = text("response_elements")?;
        for row in 0..batch.num_rows() {
            let at = |array: &'_ dyn Array| {
                let array = array.as_string::<i32>();
                (!array.is_null(row)).then(|| array.value(row).to_owned())
            };
            let json = |array: &dyn Array| {
                let text = at(array)?;
                Value::parse(&text)
            };
            match at(&operations).unwrap_or_default().as_str() {
                "CreateAccessKey" => {
                    if let (Some(key), Some(arn)) = (at(&issued), at(&arns)) {
                        self.makers
                            .entry(key)
                            .or_default()
                            .insert(format!("key created by {arn}"));
                    }
                }
                "CreateUser" | "TagUser" => {
                    let request = json(&requests).unwrap_or_default();
                    if let Some(user) = request["userName"].as_str() {
                        let hints = self.tags.entry(user.to_owned()).or_default();
                        hints.extend(tags(&request));
                        let maker =
                            at(&arns).filter(|_| at(&operations).as_deref() == Some("CreateUser"));
                        hints.extend(maker.map(|arn| format!("user created by {arn}")));
                    }
                }
                "AddRoleToInstanceProfile" => {
                    let request = json(&requests).unwrap_or_default();
                    let names =
                        ["instanceProfileName", "roleName"].map(|name| request[name].as_str());
                    // A role is added by a caller of its account.
                    let caller = at(&arns).unwrap_or_default();
                    let account = caller.split(':').nth(4).unwrap_or_default().to_owned();
                    if let [Some(profile), Some(role)] = names {
                        let roles = self.profiles.entry((account, profile.to_owned()));
                        roles.or_default().insert(role.to_owned());
                    }
                }
                operation => {
                    for part in [json(&requests), json(&responses)].into_iter().flatten() {
                        collect(&part, operation, &mut self.addresses);
                    }
                }
            }
        }
        Ok(())
    }

    /// What is known about the owner of a key.
    pub(super) fn hints(&self, key: &str, user: Option<&str>) -> BTreeSet<String> {
        let made = self.makers.get(key).into_iter().flatten();
        let tagged = user
            .and_then(|user| self.tags.get(user))
            .into_iter()
            .flatten();
        made.chain(tagged).cloned().collect()
    }
}

fn tags(request: &Value) -> Vec<String> {
    let tags = request["tags"].as_array().unwrap_or_default();
    let named = tags.iter().filter_map(|tag| {
        let name = tag["key"].as_str()?;
        let plain: String = name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        let value = tag["value"].as_str()?;
        OWNER_TAGS
            .contains(&plain.as_str())
            .then(|| format!("tag {name}={value}"))
    });
    named.collect()
}

/// Members that hold an address of ours, by the call they come from.
fn collect(value: &Value, operation: &str, found: &mut HashMap<IpAddr, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter() {
                let address = match name {
                    "publicIp" | "ipAddress" | "privateIpAddress" | "publicIpAddress"
                    | "privateIp" | "ipv6Address" => {
                        member.as_str().and_then(|text| text.parse::<IpAddr>().ok())
                    }
                    _ => None,
                };
                if let Some(address) = address {
                    found
                        .entry(address)
                        .or_insert_with(|| title(operation).to_owned());
                }
                collect(member, operation, found);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, operation, found)),
        _ => {}
    }
}

fn title(operation: &str) -> &'static str {
    match operation {
        "CreateNatGateway" => "NAT gateway",
        "RunInstances" => "instance",
        _ => "elastic IP",
    }
}
