//! What does keytrail itself know?
//!
//! In: the one table of columns, the rules about attacks, the library of saved queries. Out: a `Report` of each, which rests
//! on no trail. Promise: nothing is listed that is not in that table, those rules, or that library.

mod columns;
mod queries;
mod rules;

pub use columns::{column_named, column_names, columns};
pub use queries::{saved_queries, saved_query};
pub use rules::rules;
