//! The integration tests: one binary, because linking the query engine takes long.

mod cli;
