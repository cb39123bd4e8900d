//! How do other machines share the work?
//!
//! In: plans that were made here. Out: their rows, worked out by the executors of an Apache DataFusion Ballista cluster.
//! Promise: planning stays here, and physical plans travel; a plan that is not known to give the same rows there runs here;
//! credentials never travel; scheduler, shuffle, retries and wire format are Ballista's.
//!
//! ```text
//! session ──▶ guard ──▶ plan ──▶ job ──▶ scheduler ──▶ executors ──▶ rows
//!    │          └─ not known to be right: runs here
//! ingest ──▶ work ──▶ parcels ──▶ plan …             ├─ pack ──▶ data files in the lake, accounts as rows
//! --trail ─▶ work ──▶ parcels ──▶ plan …             └─ read ──▶ decoded events and accounts as rows
//! ```
//!
//! Scheduler, executors and client are this program, so that all three know the same functions and operators. Without the
//! feature `cluster` none of this is built.

mod address;
mod answer;
mod client;
mod codec;
mod connections;
mod error;
mod executor;
mod follow;
mod functions;
mod guard;
mod ingest;
mod job;
mod pack;
mod parcel;
mod parcels;
mod plan;
mod probe;
mod reach;
mod read;
mod rows;
mod scheduler;
mod settings;
mod stage;
mod stores;
mod task;
mod trail;
mod unions;
mod work;

pub use address::{Address, InvalidAddress};
pub use client::Cluster;
pub use error::ClusterError;
pub use executor::{ExecutorOptions, execute};
pub use follow::{Far, Follow};
pub use scheduler::{SchedulerOptions, schedule};

/// The largest message between two processes of a cluster, in bytes. A plan names every data file that it reads.
const MESSAGE: usize = 256 << 20;

/// The largest plan that is sent, in bytes: each task gets a part of it, and a message has more than one task.
const PLAN: usize = MESSAGE / 4;
