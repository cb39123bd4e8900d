//! What to do about an error of a question that a program or a page asked.
//!
//! In: errors of the service and of those it serves. Out: a [`Failure`] with hints. Promise: that of `advice`.

use keytrail::case::CaseError;
use keytrail::mcp::McpError;
use keytrail::service::ServiceError;

use super::Failure;

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Analysis(error) => error.into(),
            ServiceError::Unknown(error) => error.into(),
            ServiceError::Parameter(error) => error.into(),
            error => Failure::of(&error),
        }
    }
}

impl From<CaseError> for Failure {
    fn from(error: CaseError) -> Self {
        Failure::of(&error).of_option("--case")
    }
}

impl From<McpError> for Failure {
    fn from(error: McpError) -> Self {
        Failure::of(&error).hint("an agent's program starts this command: see docs/mcp.md")
    }
}
