//! What do these events mean?
//!
//! In: the events of an incident, what was usual before ([`Baseline`]), what is ours ([`Lists`]) and what is known of
//! attacks ([`Rules`]). Out: [`Finding`]s. Promise: an event has at most one finding, the gravest that holds; a call that
//! failed is kept, one step lower; the same events give the same findings in the same order.
//!
//! ```text
//! rules ──parse──▶ condition ──┐
//! batches ──events──▶ rows ────┼── evaluate ──▶ findings
//! baseline · lists · windows ──┘
//! ```

mod baseline;
mod condition;
mod created;
mod evaluate;
mod events;
mod list_name;
mod lists;
mod operand;
mod parse;
mod path;
mod rules;
mod windows;

pub use baseline::Baseline;
pub use evaluate::{Finding, find};
pub use list_name::ListName;
pub use lists::{Lists, ListsError};
pub(in crate::analysis) use operand::principals;
pub use rules::{Rule, Rules, RulesError, Severity};

#[cfg(test)]
mod tests;
