//! The parameters of a call, as far as they name resources.
//!
//! In: a call's JSON. Out: ARNs, as a policy writes them, and what single parameters say. Promise: what an attacker put into a value
//! means itself.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::json::Value;
use crate::json::path::Path;

use super::super::arn::literal;
use super::call::Call;
use super::walk::{below, texts};

/// IAM's own limit for an ARN.
pub(super) const LONGEST_ARN: usize = 2_048;

/// The parameters of a call.
#[derive(Debug)]
pub(super) struct Parameters {
    request: Value,
    response: Value,
    additional: Value,
    /// ARNs of the event's own list of resources, as a policy writes them.
    resources: Vec<String>,
    arns: OnceCell<Vec<String>>,
}

impl Parameters {
    pub(super) fn read(call: &Call<'_>) -> Self {
        let parse = |text: Option<&str>| text.and_then(Value::parse).unwrap_or_default();
        let listed: Value = parse(call.resources);
        let mut resources = Vec::new();
        let request: Value = parse(call.request_parameters);
        // The URL of a queue says whose it is.
        resources.extend(
            request["queueUrl"]
                .as_str()
                .and_then(|url| queue(call, url)),
        );
        for resource in listed.as_array().into_iter().flatten() {
            let text = |names: [&str; 2]| names.iter().find_map(|name| resource[*name].as_str());
            resources.extend(text(["ARN", "arn"]).map(literal));
            // Where one call touches many.
            resources.extend(
                text(["ARNPrefix", "arnPrefix"]).map(|prefix| format!("{}*", literal(prefix))),
            );
        }
        Self {
            request,
            response: parse(call.response_elements),
            additional: parse(call.additional_event_data),
            resources,
            arns: OnceCell::new(),
        }
    }

    /// Whether a parameter is given, and is the value if there is one.
    pub(super) fn given(&self, name: &str, value: Option<&str>) -> bool {
        let found = self.at(name);
        // An empty list is given, too.
        let given = !found.is_empty() || !self.request[name].is_null();
        given
            && value.is_none_or(|value| {
                found.iter().any(|found| match found {
                    Value::String(text) => text == value,
                    found => found.to_string() == value,
                })
            })
    }

    /// The parameters at a path.
    pub(super) fn at(&self, path: &str) -> Vec<&Value> {
        let path = Path::parse(path);
        path.map(|path| path.values(&self.request))
            .unwrap_or_default()
    }

    /// A parameter that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.request[name].as_str().filter(|text| !text.is_empty())
    }

    /// The first text of this name, however deep it stands.
    pub(super) fn anywhere(&self, wanted: &str) -> Option<String> {
        let mut found = None;
        self.texts(&mut |name, text| {
            if found.is_none() && name.eq_ignore_ascii_case(wanted) && !text.is_empty() {
                found = Some(text.to_owned());
            }
        });
        found
    }

    /// What the request or else the answer says.
    pub(super) fn answered(&self, name: &str) -> Option<&str> {
        let mut sides = [&self.request, &self.response].into_iter();
        sides.find_map(|side| side[name].as_str().filter(|text| !text.is_empty()))
    }

    /// Whether S3 says that KMS encrypts the object.
    pub(super) fn encrypted_by_kms(&self) -> bool {
        let applied = self.additional["SSEApplied"].as_str().unwrap_or_default();
        let asked = self.answered("x-amz-server-side-encryption");
        applied.contains("SSE_KMS") || asked.is_some_and(|asked| asked.starts_with("aws:kms"))
    }

    /// The texts of the request, each with the name under which it stands.
    pub(super) fn texts<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a str)) {
        texts("", &self.request, visit);
    }

    /// Whether the request gives tags.
    pub(super) fn has_tags(&self) -> bool {
        let Value::Object(fields) = &self.request else {
            return false;
        };
        let given = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => fields
                .get("items")
                .and_then(Value::as_array)
                .map_or(!fields.is_empty(), |items| !items.is_empty()),
            Value::String(text) => !text.is_empty(),
            _ => false,
        };
        let mut named = fields
            .iter()
            .filter(|(name, _)| TAGS.iter().any(|known| name.eq_ignore_ascii_case(known)));
        named.any(|(_, value)| given(value))
    }

    /// The types of resources to which EC2 is to give tags.
    pub(super) fn tagged_kinds(&self) -> BTreeSet<&str> {
        let mut kinds = BTreeSet::new();
        below(&self.request, &mut |name, value| {
            if name.to_ascii_lowercase().starts_with("tagspecification") {
                texts("", value, &mut |name, text| {
                    if name.eq_ignore_ascii_case("resourceType") {
                        kinds.insert(text);
                    }
                });
            }
        });
        kinds
    }

    /// The parameters as they are.
    pub(super) fn request(&self) -> &Value {
        &self.request
    }

    pub(super) fn has_context(&self, key: &str) -> bool {
        self.request["encryptionContext"].get(key).is_some()
    }

    /// Every ARN in the event.
    pub(super) fn arns(&self) -> &[String] {
        self.arns.get_or_init(|| {
            let mut arns = self.resources.clone();
            texts("", &self.request, &mut |name, text| {
                // What a copy reads has actions of its own, see `sources`.
                let read = name == "x-amz-copy-source";
                if text.starts_with("arn:") && text.len() <= LONGEST_ARN && !read {
                    arns.push(literal(text));
                }
            });
            arns.sort_unstable();
            arns.dedup();
            arns
        })
    }
}

/// Where requests hold the tags of what they make.
const TAGS: [&str; 8] = [
    "tags",
    "tagList",
    "tagSet",
    "tagsToAdd",
    "tagMap",
    "tagsList",
    "hostedZoneTags",
    "x-amz-tagging-on-create",
];

/// The queue at `https://sqs.eu-west-1.amazonaws.com/444455556666/orders`.
fn queue(call: &Call<'_>, url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let known = account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && !name.is_empty();
    known.then(|| {
        format!(
            "arn:{}:sqs:{}:{account}:{}",
            call.partition(),
            call.region,
            literal(name)
        )
    })
}
