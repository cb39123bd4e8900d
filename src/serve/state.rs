//! What every request needs.
//!
//! In: nothing. Out: [`Pages`]. Promise: clones are the same.

use super::guard::Guard;
use crate::case::CaseFile;
use crate::service::Service;
use std::sync::Arc;

/// The service that answers, who is answered, and where notes are.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    pub(super) service: Service,
    pub(super) guard: Arc<Guard>,
    pub(super) case: CaseFile,
}
