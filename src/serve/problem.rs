//! Why there is no answer.
//!
//! In: errors of the service, and of what was asked. Out: words, and the status of HTTP that says whose fault it is. Promise: names
//! that may have been meant are said.

use crate::service::ServiceError;
use axum::http::StatusCode;

/// Why there is no answer, and which kind of reason that is.
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) words: String,
}

impl Problem {
    pub(super) fn asked(words: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            words: words.into(),
        }
    }

    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            words: error.to_string(),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let near = error.sql().map(|fault| fault.near.join(" or "));
        let words = match near.filter(|near| !near.is_empty()) {
            Some(near) => format!("{error}. Did you mean {near}?"),
            None => error.to_string(),
        };
        let status = match &error {
            ServiceError::Unknown(_) | ServiceError::Parameter(_) | ServiceError::NoColumn(_) => {
                StatusCode::BAD_REQUEST
            }
            error if error.sql().is_some() => StatusCode::BAD_REQUEST,
            ServiceError::Time(_) => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, words }
    }
}
