//! Who is behind a use: the owner, an intruder, or nobody can tell?
//!
//! In: what a credential was used for, from where, with what, when. Out: a verdict on each address and program, with what speaks
//! for an intruder and what against. Promise: one judge for every answer; an intruder is named only where several signs agree or
//! one is plain; where nothing tells, that is the verdict.
//!
//! ```text
//! uses ──▶ sources (address × program) ──▶ signs, weighed against what is usual ──▶ verdicts ──▶ reach: what an intruder made, opened or shared
//! ```

mod acts;
mod calls;
pub(in crate::analysis) mod doors;
mod issued;
mod judge;
mod known;
mod looked;
pub(in crate::analysis) mod passages;
mod place;
mod places;
mod reach;
mod sign;
mod signs;
mod source;
mod spread;
mod used;
mod usual;

pub(in crate::analysis) use issued::{DOORS, ISSUED};
pub(in crate::analysis) use judge::judge;
pub(in crate::analysis) use known::{Known, SignIn};
pub(in crate::analysis) use source::{Source, Sources};
pub(in crate::analysis) use spread::{
    Attribution, LINEAGE, SIGN_INS, USES, colleagues, params, sign_ins,
};
pub(in crate::analysis) use used::{Use, is_denied};
