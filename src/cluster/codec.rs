//! How plans are written for other processes.
//!
//! In: operators and functions. Out: bytes, and operators and functions again. Promise: functions travel as their names, and
//! are keytrail's own or the engine's on the other end; what neither the engine, Ballista nor this file knows is refused.

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{Result, not_impl_err};
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
}

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
        self.ballista.try_encode(node, bytes, converter)
    }

    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.ballista.try_decode(bytes, inputs, context, converter)
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
