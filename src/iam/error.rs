//! What can go wrong when IAM is asked what it says.
//!
//! In: the failures of files, of the CSV in them, and of IAM's API. Out: [`IamError`], which carries facts: the file and
//! line, the permission that was missing. Promise: no advice (that is the command line's).

use std::path::PathBuf;

/// Why there is no inventory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IamError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The file is no credential report.
    #[error("{file} is not a credential report: {reason}")]
    NotAReport {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of the report cannot be read.
    #[error("{file}, line {line}, column {column}: {value:?} is not {expected}")]
    Value {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The machine has no AWS credentials.
    #[error("no AWS credentials: {message}")]
    NoCredentials {
        /// What the search for credentials said.
        message: String,
    },
    /// AWS does not accept the credentials: expired, unknown, wrongly signed.
    #[error("AWS refuses the credentials: {code}: {message}")]
    RefusedCredentials {
        /// The error code, e.g. `ExpiredToken`.
        code: String,
        /// The message beside the code.
        message: String,
    },
    /// The credentials lack a permission.
    #[error("access denied: {action}: {message}")]
    AccessDenied {
        /// The permission, e.g. `iam:ListUsers`.
        action: String,
        /// AWS's own message, which may name the policy that denies.
        message: String,
    },
    /// IAM answered with any other error, also after retries.
    #[error("{operation}: {code}: {message}")]
    Service {
        /// The operation, e.g. `ListUsers`.
        operation: &'static str,
        /// The error code.
        code: String,
        /// The message beside the code.
        message: String,
    },
    /// IAM gave no answer, also after retries.
    #[error("{operation} of IAM: {message}")]
    Connection {
        /// The operation.
        operation: &'static str,
        /// What happened.
        message: String,
    },
    /// IAM was still making the report when patience ended.
    #[error("IAM has not finished the credential report after {seconds} seconds")]
    ReportTooSlow {
        /// How long it was waited for.
        seconds: u64,
    },
}
