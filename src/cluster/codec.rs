//! How plans are written for other processes.
//!
//! In: operators and functions. Out: bytes, and operators and functions again. Promise: functions travel as their names, and
//! are keytrail's own or the engine's on the other end; what neither the engine, Ballista nor keytrail knows is refused.

use super::parcels::ParcelsExec;
use super::reach::Reach;
use super::task::{self, Task};
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{Result, exec_datafusion_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The codec of client, scheduler and executors.
pub(super) struct Codec {
    ballista: BallistaPhysicalExtensionCodec,
    functions: Arc<BallistaFunctionRegistry>,
    /// What an executor works on parcels with; the others only handle plans.
    reach: Option<Arc<Reach>>,
}

/// Whose operator the bytes are of: the first of them.
const BALLISTA: u8 = 0;
const PACK: u8 = 1;
const READ: u8 = 2;

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").finish_non_exhaustive()
    }
}

impl Codec {
    /// A codec that knows these functions.
    pub(super) fn new(functions: Arc<BallistaFunctionRegistry>) -> Self {
        Self {
            ballista: BallistaPhysicalExtensionCodec::default(),
            functions,
            reach: None,
        }
    }

    fn parcels(&self, input: &Arc<dyn ExecutionPlan>, task: Task) -> Arc<dyn ExecutionPlan> {
        let (input, reach) = (Arc::clone(input), self.reach.clone());
        Arc::new(ParcelsExec::new(input, Arc::new(task), reach))
    }

    /// The same; parcels are worked on with this.
    pub(super) fn reaching(self, reach: Arc<Reach>) -> Self {
        Self {
            reach: Some(reach),
            ..self
        }
    }
}

fn named<T>(known: &HashMap<String, Arc<T>>, name: &str) -> Result<Arc<T>> {
    match known.get(name) {
        Some(function) => Ok(Arc::clone(function)),
        None => not_impl_err!("this version of keytrail has no function {name}"),
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<ParcelsExec>().map(ParcelsExec::task) {
            Some(Task::Pack(order)) => {
                bytes.push(PACK);
                serde_json::to_writer(bytes, order).map_err(|error| exec_datafusion_err!("{error}"))
            }
            Some(Task::Read { form, filter }) => {
                bytes.push(READ);
                bytes.extend(task::write(form, filter.as_deref())?);
                Ok(())
            }
            None => {
                bytes.push(BALLISTA);
                self.ballista.try_encode(node, bytes, converter)
            }
        }
    }

    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (bytes.split_first(), inputs) {
            (Some((&BALLISTA, bytes)), _) => {
                self.ballista.try_decode(bytes, inputs, context, converter)
            }
            (Some((&PACK, order)), [input]) => {
                let order = serde_json::from_slice(order);
                let order = order.map_err(|error| exec_datafusion_err!("{error}"))?;
                Ok(self.parcels(input, Task::Pack(order)))
            }
            (Some((&READ, form)), [input]) => {
                Ok(self.parcels(input, task::read(form, self, context)?))
            }
            _ => not_impl_err!("this version of keytrail has no such operator"),
        }
    }

    fn try_decode_udf(&self, name: &str, _: &[u8]) -> Result<Arc<ScalarUDF>> {
        named(&self.functions.scalar_functions, name)
    }

    fn try_decode_udaf(&self, name: &str, _: &[u8]) -> Result<Arc<AggregateUDF>> {
        named(&self.functions.aggregate_functions, name)
    }

    fn try_decode_udwf(&self, name: &str, _: &[u8]) -> Result<Arc<WindowUDF>> {
        named(&self.functions.window_functions, name)
    }
}
