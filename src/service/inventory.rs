//! The keys as a page shows them.
//!
//! In: a session. Out: the answer of `keys`, with two columns more: who is behind a key that looks stolen, and the services it called;
//! that of `key`, which says first that the key looks stolen. Promise: in a lake where that would take long, it is left out.

use super::{ServiceError, Settings};
use crate::analysis::{KEY, KEY_SERVICES, KEYS, KeysOrder, Suspicions, answer as analysed};
use crate::cloudtrail::AccessKeyId;
use crate::report::{FIT, Report, Section};
use crate::session::{Params, Session};
use arrow::array::{Array as _, ArrayRef, AsArray as _, ListBuilder, RecordBatch, StringBuilder};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use std::collections::HashMap;
use std::sync::Arc;

/// In the order that the command has.
pub(super) async fn keys(session: &Session, temporary: bool) -> Result<Report, ServiceError> {
    let mut report = analysed(session, &KEYS, &kind(temporary)).await?;
    let order = KeysOrder {
        column: "events".to_owned(),
    };
    if let Some(section) = report.sections.first_mut() {
        order.apply(section)?;
    }
    Ok(report)
}

fn kind(temporary: bool) -> Params {
    [("temporary".to_owned(), ScalarValue::from(temporary))].into()
}

/// The long-term keys, those that look stolen marked.
pub(super) async fn marked_keys(
    session: &Session,
    settings: &Settings,
) -> Result<Report, ServiceError> {
    let quick = Suspicions::are_quick(session)?;
    let params = kind(false);
    if quick {
        let asked = [KEYS.sections[0].sql, KEY_SERVICES.sql].map(|sql| (sql, &params));
        Suspicions::foresee(session, &asked).await?;
    }
    let mut report = keys(session, false).await?;
    let Some(section) = report.sections.first_mut() else {
        return Ok(report);
    };
    if quick {
        let found = Suspicions::read(session, &settings.consumers.addresses).await?;
        *section = found.mark(section)?;
    }
    if quick || session.has_key_uses().await? {
        let (schema, batches) = KEY_SERVICES.rows(session, &params).await?;
        *section = with_services(section, &concat_batches(&schema, &batches)?)?;
    }
    Ok(report)
}

/// Everything that a key did.
pub(super) async fn key(session: &Session, key: &AccessKeyId) -> Result<Report, ServiceError> {
    Ok(analysed(session, &KEY, &named(key)).await?)
}

fn named(key: &AccessKeyId) -> Params {
    let key = ScalarValue::from(key.as_str());
    [("access_key_id".to_owned(), key)].into()
}

/// Everything that a key did, with a warning first if it looks stolen.
pub(super) async fn marked_key(
    session: &Session,
    id: &AccessKeyId,
    settings: &Settings,
) -> Result<Report, ServiceError> {
    if !Suspicions::are_quick(session)? {
        return key(session, id).await;
    }
    let params = named(id);
    let uses = KEY.base.map(|(_, uses)| (uses, &params));
    Suspicions::foresee(session, uses.as_slice()).await?;
    let mut report = key(session, id).await?;
    let found = Suspicions::read(session, &settings.consumers.addresses).await?;
    found.warn(id.as_str(), &mut report);
    Ok(report)
}

/// The keys with the services that each called, before the column of places.
fn with_services(keys: &Section, pairs: &RecordBatch) -> Result<Section, ServiceError> {
    let texts = |column: &ArrayRef| cast(column, &DataType::Utf8);
    let (ids, services) = (texts(pairs.column(0))?, texts(pairs.column(1))?);
    let pairs = ids
        .as_string::<i32>()
        .iter()
        .zip(services.as_string::<i32>());
    let mut called: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, service) in pairs {
        if let (Some(id), Some(service)) = (id, service) {
            called.entry(id).or_default().push(service);
        }
    }
    let mut batch = concat_batches(&keys.schema, &keys.batches)?;
    let ids = batch.column_by_name("access_key_id").map(texts);
    let ids = ids.unwrap_or_else(|| texts(batch.column(0)))?;
    let mut lists = ListBuilder::new(StringBuilder::new());
    for id in ids.as_string::<i32>() {
        let services = id.and_then(|id| called.get(id));
        lists.append_value(services.into_iter().flatten().copied().map(Some));
    }
    let lists: ArrayRef = Arc::new(lists.finish());
    let fields = keys.schema.fields();
    let at = fields.iter().position(|field| field.name() == "first_seen");
    let at = at.unwrap_or(fields.len());
    let mut fields = fields.to_vec();
    let field = Field::new("services", lists.data_type().clone(), true)
        .with_metadata([(FIT.to_owned(), "detail".to_owned())].into());
    fields.insert(at, Arc::new(field));
    let mut columns = batch.columns().to_vec();
    columns.insert(at, lists);
    let metadata = keys.schema.metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    Ok(Section {
        schema,
        batches: vec![batch],
        ..keys.clone()
    })
}
