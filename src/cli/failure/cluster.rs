//! What to do about a cluster that fails.
//!
//! In: errors of the cluster. Out: a [`Failure`] with hints. Promise: as of `advice`.

use keytrail::cluster::ClusterError;
use keytrail::session::ElsewhereFault;

use super::Failure;

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        (&error).into()
    }
}

impl From<&ClusterError> for Failure {
    fn from(error: &ClusterError) -> Self {
        let failure = Failure::of(error);
        match error {
            ClusterError::Unreachable { .. } => failure
                .hint("start one: keytrail cluster scheduler --bind HOST:PORT")
                .hint("without --cluster the command runs on this machine"),
            ClusterError::Foreign { .. } => {
                failure.hint("--cluster names the address that keytrail cluster scheduler listens on")
            }
            ClusterError::NoExecutor { address, .. } => failure.hint(format!(
                "start some: keytrail cluster executor --scheduler {address} --work-dir DIR"
            )),
            ClusterError::Version(_) => {
                failure.hint("run the same version of keytrail here, on the scheduler and on all executors")
            }
            ClusterError::Lost { .. }
            | ClusterError::ExecutorLost { .. }
            | ClusterError::ExecutorsLost { .. } => failure
                .hint("nothing is half done: run it again when the cluster is back"),
            ClusterError::Full { .. } => {
                failure.hint("give the executors a --work-dir with more space, or ask for less: --since, --account, fewer columns")
            }
            ClusterError::Fetch { .. } => failure.hint(
                "rows are fetched from the executors themselves: this machine must reach the address that they --advertise",
            ),
            ClusterError::WorkDirTaken { .. } => failure.hint("give each executor a --work-dir of its own"),
            _ => failure,
        }
    }
}

impl From<ElsewhereFault> for Failure {
    fn from(fault: ElsewhereFault) -> Self {
        match fault.0.downcast_ref::<ClusterError>() {
            Some(error) => error.into(),
            None => Failure::of(&fault),
        }
    }
}
