//! keytrail reads CloudTrail log files, keeps every event once in a lake of Parquet, and answers questions about
//! access keys.
//!
//! Each folder is one step on the way of a log file to an answer, and the question that step asks:
//!
//! ```text
//! source ──▶ read ──▶ event ──▶ ingest ──▶ lake ──▶ session ──▶ analysis ──▶ render
//!                       └──── without a lake ────────▲         report ──────┘
//! ```
//!
//! | folder | question |
//! |---|---|
//! | [`cloudtrail`] | What does AWS say? Identifiers, the layout of log files in S3, the part of a trail one asks for. |
//! | [`json`] | How is JSON read? |
//! | [`knowledge`] | What do others publish that we need to know? Addresses, vendors, what attackers do, what IAM can allow. |
//! | [`source`] | Where do log files come from? |
//! | [`event`] | How does a log file become columns? |
//! | [`iam`] | What does IAM itself say? Users and keys: its credential report, or IAM asked itself. |
//! | [`report`] | What is the one shape of every answer? |
//! | [`read`] | How are log files read, once? |
//! | [`case`] | What do people note about events? |
//! | [`lake`] | How are events kept? |
//! | [`integrity`] | Are these the log files that AWS delivered? |
//! | [`ingest`] | How do all log files get there, once? |
//! | [`evidence`] | How is a case handed over, so that others can check it? |
//! | [`session`] | How is the lake asked? |
//! | [`analysis`] | What do people want to know? |
//! | [`render`] | How does an answer look? |
//! | [`service`] | How do programs and pages ask? |
//! | `mcp` | What do agents ask? |
//! | `serve` | Where do people look? |
//! | `cluster` | How do other machines share the work? Only with the feature `cluster`. |
//!
//! The library does not talk: it prints nothing and ends no process. Errors carry facts (the file, the record, the
//! reason); advice is the command line's.

pub mod analysis;
pub mod case;
pub mod cloudtrail;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod event;
pub mod evidence;
pub mod iam;
pub mod ingest;
pub mod integrity;
pub mod json;
pub mod knowledge;
pub mod lake;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod read;
pub mod render;
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
pub mod service;
pub mod session;
pub mod source;
