//! The page of a plan.
//!
//! In: a [`Plan`]. Out: a page with its keys, their consumers with a strip of their activity, and the steps with boxes to tick.
//! Promise: the details of keys stand in the page once, as data, packed where they are many, and are built when a key is opened: hundreds
//! of keys load at once. A tick is kept by what the step is, so that the next plan of the same keys knows it.

use super::data::inert;
use super::strip::{Range, Strip};
use super::{Page, PageError, visible};
use crate::cloudtrail::hex;
use crate::render::coverage;
use crate::render::plan::targets;
use crate::report::plan::{Plan, PlannedKey, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use minijinja::context;
use minijinja::value::Serde;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;

const PLAN: Page = Page {
    template: ("plan.html", include_str!("page/plan.html.j2")),
    style: concat!(
        include_str!("page/style.css"),
        include_str!("page/plan.css")
    ),
    scripts: &[concat!(
        "\"use strict\";(()=>{\n",
        include_str!("page/plan.js"),
        "})();\n"
    )],
};

/// A plan with more keys than this shows them folded.
const OPEN: usize = 2;

/// Details with more bytes than this are packed: those of 500 keys are six million bytes of JSON, and a fifteenth of that as gzip.
const PACKED: usize = 200_000;

/// Writes the page of a plan.
///
/// # Errors
///
/// Those of the writer.
pub fn plan_page(plan: &Plan, out: &mut dyn Write) -> Result<(), PageError> {
    let days = plan.keys.iter().flat_map(|key| &key.consumers);
    let days = days.flat_map(|consumer| &consumer.days);
    let bounds = [&plan.coverage.first_event, &plan.coverage.last_event];
    let bounds = bounds.into_iter().flatten().map(String::as_str);
    let range = Range::of(days.map(|day| day.date.as_str()).chain(bounds));
    let keys = plan.keys.iter().map(|key| of_key(key, range));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let groups = groups(&plan.keys);
    let consumers: usize = plan.keys.iter().map(|key| key.consumers.len()).sum();
    let left: u64 = plan.keys.iter().map(|key| key.consumers_left).sum();
    let details = json!({
        "keys": keys,
        "from": range.map(|range| range.first()),
        "to": range.map(|range| range.last()),
        "open": plan.keys.len() <= OPEN,
    });
    let details = serde_json::to_string(&details)?;
    let is_packed = details.len() > PACKED;
    let data = match is_packed {
        true => packed(&details)?,
        false => inert(&details),
    };
    let heads = plan.keys.iter().map(head).collect::<Result<Vec<_>, _>>()?;
    let written = json!({
        "title": plan.title,
        "as_of": plan.as_of,
        "notes": visible(&plan.notes)?,
        "coverage": visible(&coverage::lines(&plan.coverage))?,
        "first": steps(&plan.first, ("first", ""))?,
        "last": steps(&plan.last, ("last", ""))?,
        "keys": heads,
        "groups": groups,
        "consumers": consumers,
        "left": left,
    });
    let text = PLAN.written(context! {
        plan => minijinja::Value::from(Serde(written)),
        data => data,
        packed => is_packed,
    })?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// The groups that have keys, with how many.
fn groups(keys: &[PlannedKey]) -> Vec<Value> {
    let mut groups: Vec<(&str, &str, u64)> = Vec::new();
    for key in keys {
        match groups.last_mut() {
            Some(last) if last.0 == key.group => last.2 += 1,
            _ => groups.push((key.group, key.group_title, 1)),
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(name, title, keys)| json!({ "name": name, "title": title, "keys": keys }))
        .collect()
}

/// Bytes that mean nothing to HTML.
fn packed(text: &str) -> Result<String, PageError> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(text.as_bytes())?;
    Ok(STANDARD.encode(zip.finish()?))
}

/// What is shown of a key that is not open.
fn head(key: &PlannedKey) -> Result<Value, PageError> {
    Ok(visible(&json!({
        "number": key.number,
        "group": key.group,
        "group_title": key.group_title,
        "access_key_id": key.access_key_id,
        "user_identity_user_name": key.user_identity_user_name,
        "account_id": key.account_id,
        "verdict": key.verdict,
        "not_before": key.not_before,
        "consumers_left": key.consumers_left,
        "last_used": key.last_used,
        "targets": targets(key),
    }))?)
}

/// What is shown of it when it is open.
fn of_key(key: &PlannedKey, range: Option<Range>) -> Result<Value, PageError> {
    let id = key.access_key_id.as_deref().unwrap_or_default();
    let user = key.user_identity_user_name.as_deref().unwrap_or_default();
    // A key of a credential report has no id.
    let own = if id.is_empty() { user } else { id };
    let mut value = visible(&json!({
        "key": key.key,
        "last_used": key.last_used,
        "why": key.why,
        "not_checked": key.not_checked,
        "consumers": key.consumers,
    }))?;
    value["first"] = steps(&key.first, (own, ""))?;
    value["steps"] = steps(&key.steps, (own, ""))?;
    for (at, consumer) in key.consumers.iter().enumerate() {
        let place = &mut value["consumers"][at];
        place["steps"] = steps(&consumer.steps, (own, &consumer.consumer_id))?;
        place["days"] = Value::Null;
        place["strip"] = json!(range.map(|range| Strip::of(&consumer.days, range)));
        if let Some(trust) = &consumer.trust_policy {
            place["trust_policy"] = visible(&format!("{trust:#}").lines().collect::<Vec<_>>())?;
        }
    }
    Ok(value)
}

/// Digits of a step's id: enough that two steps of a plan do not share one.
const ID_BYTES: usize = 8;

/// The steps, each with an id that stays the same from plan to plan.
fn steps(steps: &[Step], (key, consumer): (&str, &str)) -> Result<Value, PageError> {
    let mut values = Vec::new();
    for step in steps {
        let mut hash = Sha256::new();
        for part in [key, consumer, step.kind, &step.what] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let id = hex(&digest[..ID_BYTES]);
        let mut value = visible(step)?;
        value["id"] = json!(id);
        values.push(value);
    }
    Ok(Value::Array(values))
}
