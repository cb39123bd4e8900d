//! The integration tests: one binary, because linking the query engine takes long.

mod cli;
mod s3_server;
mod source_local;
mod source_s3;
mod trail;
