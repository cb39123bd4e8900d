//! SQL as people wrote it for Athena and CloudTrail Lake.
//!
//! In: SQL text. Out: statements that DataFusion plans. Promise: what DataFusion reads as it is stays as it is; what those
//! dialects write differently is written anew in the syntax tree, never in the text, except for what no parser of
//! DataFusion's reads (`IPADDRESS '…'`, names of event data stores without quotes).
//!
//! | file | question |
//! |---|---|
//! | `data_store` | Which event data store is meant? |
//! | `parse` | How does text become statements? |
//! | `calls` | Which function is called by another name, or in another order? |
//! | `columns` | What are columns of nested fields called? |
//! | `foreign` | What is written here for a function of another engine? |
//! | `headings` | What is a column called that has no name? |
//! | `operators` | Which operator is written in another way? |
//! | `planner` | What does a dot after a column mean? |
//! | `unnest` | What is joined with its own list? |

mod calls;
mod columns;
mod data_store;
mod foreign;
mod headings;
mod operators;
mod parse;
mod planner;
mod unnest;

pub(crate) use columns::is_json;
pub use data_store::fill_event_data_store;
pub(crate) use data_store::quote_ids;
#[cfg(test)]
pub(crate) use foreign::all as all_foreign;
pub(crate) use foreign::instead;
pub(crate) use parse::{DEEPEST, statement, typed, words};
pub(crate) use planner::planners;
