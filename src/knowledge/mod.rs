//! What do others publish that we need to know?
//!
//! In: nothing. Out: dated tables that came with the program. Promise: each says in its first line what it is and as of
//! when; nothing is fetched.

pub mod arn;
pub mod attack;
pub mod iam_actions;
pub mod iam_calls;
mod iam_parameters;
mod iam_resources;
