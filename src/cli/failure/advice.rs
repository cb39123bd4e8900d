//! What to do about an error of the library.
//!
//! In: the error enums of the rooms, which carry facts. Out: a [`Failure`] with hints. Promise: a hint names the option,
//! the permission or the command that helps, or there is no hint.

use keytrail::source::SourceError;

use super::{Failure, Kind};

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = Failure {
            kind: kind(&error),
            ..Failure::of(&error)
        };
        hints(&error).into_iter().fold(failure, Failure::hint)
    }
}

fn kind(error: &SourceError) -> Kind {
    match error {
        SourceError::InvalidUri { .. } | SourceError::Glob { .. } => Kind::Usage,
        _ => Kind::Failed,
    }
}

fn hints(error: &SourceError) -> Vec<String> {
    let hints: &[&str] = match error {
        SourceError::InvalidUri { .. } => {
            &["a source is s3://bucket/prefix, a folder, a file, a glob, or - for standard input"]
        }
        SourceError::Glob { .. } => &["quote the pattern so that the shell leaves it alone"],
        SourceError::NotFound { uri } if uri.starts_with("s3://") => {
            &["the prefix is what stands before AWSLogs/ in the keys; see: aws s3 ls s3://bucket/"]
        }
        SourceError::Changed { .. } => &["run the command again"],
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
                None => "leave out --s3-region: the region is found by itself".to_owned(),
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
    hints.push("if the bucket makes the reader pay: --request-payer".to_owned());
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
             hint: if the bucket makes the reader pay: --request-payer"
        );
    }

    #[test]
    fn an_unreadable_name_is_wrong_usage() {
        let failure = Failure::from(SourceError::InvalidUri {
            uri: "s3://".to_owned(),
            reason: "no bucket",
        });
        assert_eq!(failure.kind, Kind::Usage);
    }

    #[test]
    fn causes_are_not_told_twice() {
        let failure = Failure::from(SourceError::Io {
            path: "logs".into(),
            source: std::io::Error::other("disk on fire"),
        });
        assert_eq!(failure.to_string(), "error: logs: disk on fire");
    }
}
