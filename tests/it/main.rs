//! The integration tests: one binary, because linking the query engine takes long.

#![expect(
    clippy::print_stdout,
    reason = "tests against a truth print what they measured, for `--nocapture`"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and says where"
)]

mod answers;
mod architecture;
mod browser;
#[cfg(feature = "serve")]
mod case;
mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod consumer_programs;
mod coverage_gaps;
mod credentials;
#[cfg(feature = "serve")]
mod detours;
mod devtools;
mod dialect;
mod elsewhere;
mod evidence;
mod exactly_once;
#[cfg(feature = "serve")]
mod explorer;
mod facts;
mod follow;
mod fuzz;
mod home;
mod hostile;
#[cfg(feature = "mcp")]
mod injections;
mod intruder_kinds;
mod intruders;
mod lake_care;
mod lake_damage;
mod lake_failures;
mod lake_s3;
mod limits;
mod lineage;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "mcp")]
mod mcp;
mod needs;
mod not_read;
mod odd_places;
mod one_call;
mod one_reading;
mod one_screen;
mod page;
mod plan;
mod policy;
mod policy_calls;
mod policy_cases;
mod policy_kinds;
mod policy_language;
mod program;
mod progress;
mod questions;
mod reading;
mod readme;
mod reads_once;
mod ready;
mod reported;
mod rules;
mod s3_server;
mod secrets;
#[cfg(feature = "serve")]
mod serve;
mod service;
mod shapes;
mod shell_words;
mod signed_trail;
mod silence;
mod source_local;
mod source_s3;
mod sql;
mod sql_safety;
mod sql_shell;
mod stolen_keys;
mod summaries;
mod testdata;
mod trail;
mod truth_consumers;
mod truth_corpus;
mod truth_ready;
mod truth_synth;
mod truth_trace;
mod usage;
mod validate;
mod verdict_cases;
mod verdict_kinds;
mod verdict_variants;
