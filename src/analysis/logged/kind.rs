//! Kinds of events that a trail is told to log, or not.
//!
//! In: nothing. Out: [`LoggedKind`]. Promise: what a trail can leave out while it logs the rest is a kind of its own.

use std::fmt;

/// Kinds of events that a trail is told to log, or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::analysis) enum LoggedKind {
    /// Events of every kind.
    Any,
    /// Management events of both kinds.
    Management,
    /// Management events that change nothing.
    Reads,
    /// Management events that change something.
    Writes,
    /// Management events of sources that a trail may leave out while it logs all others.
    Apart(String),
    /// Data events, or network activity, of a service.
    Data(String),
    /// Those that change nothing.
    DataReads(String),
    /// Those that change something.
    DataWrites(String),
}

impl LoggedKind {
    /// The two kinds that make up this one, if a trail can log one of them without the other.
    pub(super) fn halves(&self) -> Vec<LoggedKind> {
        match self {
            LoggedKind::Management => vec![LoggedKind::Reads, LoggedKind::Writes],
            LoggedKind::Data(service) => vec![
                LoggedKind::DataReads(service.clone()),
                LoggedKind::DataWrites(service.clone()),
            ],
            _ => Vec::new(),
        }
    }

    /// Whether trails leave out this kind and log all that is logged with it: KMS, the Data API of RDS, and reads of data, of which there
    /// are the most. Nobody logs reads of data without writes.
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
    pub(super) fn is_left_out_alone(&self) -> bool {
        match self {
            LoggedKind::Apart(source) => source != GLOBAL.0,
            LoggedKind::DataReads(_) => true,
            _ => false,
        }
    }

    /// The kinds that this one is part of.
    pub(super) fn wider(&self) -> impl Iterator<Item = LoggedKind> {
        let any = (*self != LoggedKind::Any).then_some(LoggedKind::Any);
        self.whole().into_iter().chain(any)
    }

    /// The kind that stands for this one where it has too few events to go by; none of a kind that stands for itself.
    pub(in crate::analysis) fn whole(&self) -> Option<LoggedKind> {
        match self {
            LoggedKind::Any | LoggedKind::Management | LoggedKind::Data(_) => None,
            LoggedKind::Reads | LoggedKind::Writes | LoggedKind::Apart(_) => {
                Some(LoggedKind::Management)
            }
            LoggedKind::DataReads(service) | LoggedKind::DataWrites(service) => {
                Some(LoggedKind::Data(service.clone()))
            }
        }
    }
}

/// What [`LoggedKind::Apart`] calls the events of these, which a trail logs together or not at all.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>
pub(super) const GLOBAL: (&str, [&str; 3]) = (
    "global services",
    [
        "iam.amazonaws.com",
        "cloudfront.amazonaws.com",
        "sts.amazonaws.com",
    ],
);

/// Whether events of a source are of a kind [`LoggedKind::Apart`].
pub(in crate::analysis) fn is_apart(kind: &str, source: &str) -> bool {
    kind == source || (kind == GLOBAL.0 && GLOBAL.1.contains(&source))
}

/// The kind of a management event of a source, in a region: one that a trail may leave out, or any.
pub(in crate::analysis) fn kind_of(source: &str, region: &str) -> LoggedKind {
    let is_global = source != "sts.amazonaws.com" || region == "us-east-1";
    match source {
        "kms.amazonaws.com" | "rdsdata.amazonaws.com" => LoggedKind::Apart(source.to_owned()),
        _ if GLOBAL.1.contains(&source) && is_global => LoggedKind::Apart(GLOBAL.0.to_owned()),
        _ => LoggedKind::Management,
    }
}

/// A service as people call it.
pub(super) fn short(service: &str) -> &str {
    service.trim_end_matches(".amazonaws.com")
}

impl fmt::Display for LoggedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoggedKind::Any => f.write_str("all events"),
            LoggedKind::Management => f.write_str("management events"),
            LoggedKind::Reads => f.write_str("management events that read"),
            LoggedKind::Writes => f.write_str("management events that write"),
            LoggedKind::Apart(source) => write!(f, "management events of {}", short(source)),
            LoggedKind::Data(service) => write!(f, "data events of {}", short(service)),
            LoggedKind::DataReads(service) => {
                write!(f, "data events of {} that read", short(service))
            }
            LoggedKind::DataWrites(service) => {
                write!(f, "data events of {} that write", short(service))
            }
        }
    }
}
