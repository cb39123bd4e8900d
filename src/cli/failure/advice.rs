//! What to do about an error of the library.
//!
//! In: the error enums of the rooms, which carry facts. Out: a [`Failure`] with hints. Promise: a hint names the option,
//! the permission or the command that helps, or there is no hint.

use std::error::Error;
use std::io::{self, ErrorKind};

use keytrail::analysis::question::{ParameterError, UnknownQuestion};
use keytrail::analysis::{AnalysisError, shell_word};
use keytrail::iam::IamError;
use keytrail::ingest::IngestError;
use keytrail::lake::{Damage, LakeError};
use keytrail::read::ReadError;
use keytrail::session::{FaultKind, SessionError, SqlFault};
use keytrail::source::SourceError;

use super::{Failure, FailureKind, excerpt};

impl From<&SourceError> for Failure {
    fn from(error: &SourceError) -> Self {
        let usage = matches!(
            error,
            SourceError::InvalidUri { .. } | SourceError::Glob { .. }
        );
        advised(error, usage, of_source(error))
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        (&error).into()
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        let usage = matches!(error, LakeError::Location { .. });
        advised(&error, usage, of_lake(&error))
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Source(error) => error.into(),
            error => Self::of(&error),
        }
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Source(error) => error.into(),
            IngestError::Lake(error) => error.into(),
            #[cfg(feature = "cluster")]
            IngestError::Elsewhere(fault) => keytrail::session::ElsewhereFault(fault).into(),
            error => Failure::of(&error),
        }
    }
}

impl From<IamError> for Failure {
    fn from(error: IamError) -> Self {
        advised(&error, false, of_iam(&error))
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Source(error) => error.as_ref().into(),
            SessionError::TemporaryFile { .. } => Failure::of(&error)
                .hint("what does not fit into memory is kept there: set TMPDIR to a folder with more space"),
            SessionError::Lake(error) => error.into(),
            SessionError::Sql(fault) => fault.into(),
            #[cfg(feature = "cluster")]
            SessionError::Elsewhere(fault) => fault.into(),
            SessionError::Memory(_) => Failure::of(&error)
                .hint("raise --max-memory, or ask for less: --since, --account, fewer columns"),
            error => Failure::of(&error),
        }
    }
}

impl From<UnknownQuestion> for Failure {
    fn from(error: UnknownQuestion) -> Self {
        let mut failure = Failure::usage(error.to_string());
        if let UnknownQuestion::Name { near, .. } = error {
            if !near.is_empty() {
                failure = failure.hint(format!("did you mean {}?", near.join(" or ")));
            }
            failure = failure.hint("keytrail list shows all saved queries");
        }
        failure
    }
}

impl From<ParameterError> for Failure {
    fn from(error: ParameterError) -> Self {
        let failure = Failure::usage(error.to_string());
        match error {
            ParameterError::Missing { question, missing } => {
                let params = missing.iter().map(|p| format!(" --param {}=…", p.name));
                failure.hint(format!(
                    "keytrail run {question}{}",
                    params.collect::<String>()
                ))
            }
            ParameterError::Unknown { known, .. } if known.is_empty() => {
                failure.hint("it takes no parameters")
            }
            ParameterError::Unknown { known, .. } => {
                let names: Vec<&str> = known.iter().map(|p| p.name.as_str()).collect();
                failure.hint(format!("its parameters are {}", names.join(", ")))
            }
            _ => failure,
        }
    }
}

impl From<SqlFault> for Failure {
    fn from(fault: SqlFault) -> Self {
        let failure = Self {
            excerpt: fault
                .place
                .as_deref()
                .map(excerpt::lines)
                .unwrap_or_default(),
            kind: match fault.kind {
                // The SQL may be right.
                FaultKind::NoValue(_) | FaultKind::UnfitValue => FailureKind::Usage,
                _ => FailureKind::Failed,
            },
            ..Self::new(fault.message)
        };
        match (fault.kind, fault.near.as_slice()) {
            (FaultKind::NoValue(name), _) => failure.hint(format!("set it: --param {name}=VALUE")),
            (FaultKind::File, _) => failure.hint("read log files with --trail, or ingest them"),
            (FaultKind::NoTable(_), []) => failure.hint("list tables with SHOW TABLES"),
            (_, []) => failure,
            (_, names) => failure.hint(format!("did you mean {}?", names.join(" or "))),
        }
    }
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Session(error) => error.into(),
            error @ AnalysisError::DayAfterEnd { .. } => {
                let hint = "--before needs a day within the logs, with events before and after it";
                advised(&error, true, vec![hint.to_owned()])
            }
            error @ AnalysisError::TimeBeforeBegin { .. } => {
                let hint = "choose a time within the logs: keytrail coverage shows what they cover";
                advised(&error, true, vec![hint.to_owned()])
            }
            error => Failure::of(&error),
        }
    }
}

/// The failure of an error, with hints and with what the operating system's answer suggests.
fn advised(error: &(dyn Error + 'static), usage: bool, hints: Vec<String>) -> Failure {
    let kind = if usage {
        FailureKind::Usage
    } else {
        FailureKind::Failed
    };
    let failure = Failure {
        kind,
        ..Failure::of(error)
    };
    let system = of_system(error).map(str::to_owned);
    hints.into_iter().chain(system).fold(failure, Failure::hint)
}

/// What to do about the operating system's answer, wherever it stands among the causes.
fn of_system(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(cause) = next {
        match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                return Some("free disk space and run the command again: what is stored is kept");
            }
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                return Some("check the permissions of the file or folder");
            }
            Some(ErrorKind::NotADirectory) => {
                return Some("there is a file where a folder is needed: choose another place");
            }
            _ => {}
        }
        if let Some(
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. },
        ) = cause.downcast_ref()
        {
            return Some(
                "these credentials need s3:GetObject, s3:PutObject and s3:DeleteObject on the lake",
            );
        }
        next = cause.source();
    }
    None
}

fn of_lake(error: &LakeError) -> Vec<String> {
    let hint = match error {
        LakeError::Missing { lake } => {
            return vec![
                format!(
                    "create one: keytrail ingest SOURCE --lake {}",
                    shell_word(lake)
                ),
                "or read log files directly, without a lake: --trail SOURCE".to_owned(),
            ];
        }
        LakeError::MissingTable { lake, .. }
        | LakeError::Lost { lake, .. }
        | LakeError::Unreadable { lake, .. }
        | LakeError::DamagedFile { lake }
        | LakeError::Damaged(Damage { lake, .. }) => {
            let lake = shell_word(lake);
            return vec![
                format!("list all damage: keytrail lake check --lake {lake}"),
                format!(
                    "restore what is lost from its log files: keytrail lake mend --lake {lake}"
                ),
            ];
        }
        LakeError::Storage(_) if of_system(error).is_none() => {
            "the lake may be whole: run the command again when its storage answers"
        }
        LakeError::NotALake { .. } => "choose another place with --lake",
        LakeError::Newer { .. } => "use the keytrail that wrote it, or a newer one",
        LakeError::Foreign { .. } => {
            "another program wrote to the lake: create a new one from the log files with keytrail ingest"
        }
        LakeError::Location { .. } => "a lake is a folder or s3://bucket/prefix",
        LakeError::Contended { .. } => {
            "run the command again, with fewer at once: what is stored is kept"
        }
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

fn of_iam(error: &IamError) -> Vec<String> {
    let hint = match error {
        IamError::NotAReport { .. } | IamError::Value { .. } => {
            return vec![
                "generate one: aws iam generate-credential-report".to_owned(),
                "and save it: aws iam get-credential-report > report.json".to_owned(),
            ];
        }
        IamError::AccessDenied { action, .. } => {
            return vec![format!(
                "these credentials need {action}; the AWS managed policy SecurityAudit has all that --live needs"
            )];
        }
        IamError::NoCredentials { .. } => {
            "choose a profile with --iam-profile, --profile or AWS_PROFILE, or sign in: aws sso login"
        }
        IamError::RefusedCredentials { code, .. } => {
            return refused(code).iter().map(|&hint| hint.to_owned()).collect();
        }
        IamError::Connection { .. } => "check the network, a proxy, and --endpoint-url",
        IamError::ReportTooSlow { .. } => "run the command again: IAM is still making the report",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

fn of_source(error: &SourceError) -> Vec<String> {
    let hints: &[&str] = match error {
        SourceError::InvalidUri { .. } => {
            &["a source is s3://bucket/prefix, a folder, a file, a glob, or - for standard input"]
        }
        SourceError::Glob { .. } => &["quote the pattern, so that the shell does not expand it"],
        SourceError::NotFound { uri } if uri.starts_with("s3://") => &[
            "use the part of the object keys before AWSLogs/ as the prefix; list them: aws s3 ls s3://bucket/",
        ],
        SourceError::Changed { .. } => &["run the command again"],
        SourceError::TooLong { .. } => &["save it as a file first, and name the file"],
        SourceError::Archived { .. } => {
            &["restore the objects first, with S3 Batch Operations or: aws s3api restore-object"]
        }
        SourceError::NoCredentials { .. } => &[
            "choose a profile with --profile or AWS_PROFILE, or sign in: aws sso login",
            "a public bucket needs no credentials: --no-sign-request",
        ],
        SourceError::RefusedCredentials { code, .. } => refused(code),
        SourceError::AccessDenied {
            action, resource, ..
        } => return denied(action, resource),
        SourceError::NoSuchBucket { .. } => {
            &["check the spelling; a bucket of another S3 server needs --endpoint-url"]
        }
        SourceError::WrongRegion { region, .. } => {
            return vec![match region {
                Some(region) => format!("leave out --s3-region, or give --s3-region {region}"),
                None => "leave out --s3-region: the region is found automatically".to_owned(),
            }];
        }
        SourceError::Service { code, .. } if code == "SlowDown" => {
            &["S3 asks for fewer requests: lower --fetches, or try later"]
        }
        SourceError::Connection { .. } => &["check the network, a proxy, and --endpoint-url"],
        _ => &[],
    };
    hints.iter().map(|&hint| hint.to_owned()).collect()
}

fn refused(code: &str) -> &'static [&'static str] {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            &["the credentials have expired; get new ones, e.g. aws sso login"]
        }
        "RequestTimeTooSkewed" => &["set the clock of this machine"],
        _ => &["check which credentials are in use: aws sts get-caller-identity"],
    }
}

fn denied(action: &str, resource: &str) -> Vec<String> {
    let mut hints = vec![format!("these credentials need {action} on {resource}")];
    if action == "s3:GetObject" {
        hints.push("log files encrypted with KMS also need kms:Decrypt on the key".to_owned());
    }
    hints.push("for a requester-pays bucket: --request-payer".to_owned());
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_named() {
        let failure = Failure::from(SourceError::AccessDenied {
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::trail/*".to_owned(),
            message: "Access Denied\u{1b}[2J".to_owned(),
        });
        assert_eq!(
            failure.to_string(),
            "error: access denied: s3:GetObject on arn:aws:s3:::trail/*: Access Denied\\x1b[2J\n\
             hint: these credentials need s3:GetObject on arn:aws:s3:::trail/*\n\
             hint: log files encrypted with KMS also need kms:Decrypt on the key\n\
             hint: for a requester-pays bucket: --request-payer"
        );
    }

    #[test]
    fn an_unreadable_name_is_wrong_usage() {
        let failure = Failure::from(SourceError::InvalidUri {
            uri: "s3://".to_owned(),
            reason: "no bucket",
        });
        assert_eq!(failure.kind, FailureKind::Usage);
    }

    #[test]
    fn causes_are_not_told_twice() {
        let failure = Failure::from(SourceError::Io {
            path: "logs".into(),
            source: std::io::Error::other("disk on fire"),
        });
        assert_eq!(failure.to_string(), "error: logs: disk on fire");
    }

    #[test]
    fn a_full_disk_is_recognised_among_the_causes() {
        let full = io::Error::from(ErrorKind::StorageFull);
        let storage = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(full),
        };
        let failure = Failure::from(LakeError::Storage(storage));
        assert_eq!(failure.hints.len(), 1);
        assert!(failure.hints[0].contains("free disk space"), "{failure}");
    }

    #[test]
    fn a_missing_lake_says_how_to_make_one() {
        let failure = Failure::from(LakeError::Missing {
            lake: "keytrail-lake".to_owned(),
        });
        assert_eq!(
            failure.to_string(),
            "error: there is no lake at keytrail-lake\n\
             hint: create one: keytrail ingest SOURCE --lake keytrail-lake\n\
             hint: or read log files directly, without a lake: --trail SOURCE"
        );
    }
}
