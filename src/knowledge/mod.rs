//! What do others publish that we need to know?
//!
//! In: nothing. Out: dated tables that came with the program. Promise: each says in its first line what it is and as of
//! when; nothing is fetched.

pub mod attack;
