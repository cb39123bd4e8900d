//! What can IAM allow, and what does a call need of it?
//!
//! In: a call, as an event records it. Out: the permissions that it needs: actions, resources, conditions; and what the event does
//! not tell of them. Promise: everything comes from AWS's service authorization reference and from the tables in `../data`; nothing
//! is guessed; a text out of a log never acts as a wildcard.
//!
//! ```text
//! call ─▶ names: its actions ─▶ resources: what each is done to ◀─ parameters
//!      └▶ implied: what its parameters ask for besides (tags, roles, encryption) ─▶ needs
//! ```

mod accounts;
pub mod actions;
mod call;
mod data;
mod encrypted;
mod gateway;
mod implied;
mod models;
mod names;
mod needs;
mod parameters;
mod particulars;
mod partiql;
mod passing;
mod placeholders;
mod refusal;
mod resources;
mod roles;
mod sources;
mod split;
mod tags;
mod via;
mod walk;

pub use call::{Call, Need, Open};
pub use names::{actions_of, prefix};
pub use needs::needs;
pub use passing::{Ending, Passing, passing};
