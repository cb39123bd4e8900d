//! What executors do with parcels.
//!
//! In: an order to pack, or the form of rows. Out: a task, as it is sent and as it is read. Promise: a condition is read back as the same
//! condition.

use super::plan;
use crate::ingest::Order;
use crate::session::{Form, Shape};
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion_proto::physical_plan::PhysicalExtensionCodec;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is done with a parcel.
#[derive(Debug)]
pub(super) enum Task {
    /// Its events are written into a lake's folder.
    Pack(Order),
    /// Its events are decoded.
    Read {
        /// What is wanted of them.
        form: Form,
        /// The condition of the form, as it is sent.
        filter: Option<Vec<u8>>,
    },
}

/// A form as it is sent.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    shape: Shape,
    /// A plan that filters nothing by the condition: a condition alone has no written form.
    filter: Option<Vec<u8>>,
}

/// The form as it is sent.
pub(super) fn write(form: &Form, filter: Option<&[u8]>) -> Result<Vec<u8>, DataFusionError> {
    let written = Written {
        shape: form.shape().clone(),
        filter: filter.map(<[u8]>::to_vec),
    };
    serde_json::to_vec(&written).map_err(|error| exec_datafusion_err!("{error}"))
}

/// The condition of a form as it is sent.
///
/// # Errors
///
/// Why it cannot be sent.
pub(super) fn write_filter(
    filter: &Arc<dyn PhysicalExpr>,
    form: &Form,
    (codec, context): (&dyn PhysicalExtensionCodec, &TaskContext),
) -> Result<Vec<u8>, String> {
    let rows = Arc::new(EmptyExec::new(Arc::clone(form.decoded())));
    let filter = FilterExec::try_new(Arc::clone(filter), rows);
    let filter: Arc<dyn ExecutionPlan> = Arc::new(filter.map_err(|it| it.strip_backtrace())?);
    plan::write(&filter, codec, context)
}

/// The task of decoding, as it was sent.
pub(super) fn read(
    bytes: &[u8],
    codec: &dyn PhysicalExtensionCodec,
    context: &TaskContext,
) -> Result<Task, DataFusionError> {
    let written: Result<Written, _> = serde_json::from_slice(bytes);
    let Written { shape, filter } = written.map_err(|error| exec_datafusion_err!("{error}"))?;
    let condition = match &filter {
        None => None,
        Some(bytes) => Some(condition(bytes, codec, context)?),
    };
    let form = Form::new(shape)?.filtered(condition);
    Ok(Task::Read { form, filter })
}

fn condition(
    bytes: &[u8],
    codec: &dyn PhysicalExtensionCodec,
    context: &TaskContext,
) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let plan = plan::read(bytes, codec, context)?;
    let filter = plan.downcast_ref::<FilterExec>();
    let filter = filter.ok_or_else(|| exec_datafusion_err!("a condition was expected"))?;
    Ok(Arc::clone(filter.predicate()))
}
