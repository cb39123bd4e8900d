//! A reason to take a use for an intruder's, or for the owner's.
//!
//! In: a weight and words. Out: a [`Sign`]. Promise: whoever shows a verdict can show what it rests on.

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::analysis) struct Sign {
    /// For an intruder if positive, against if negative.
    pub(in crate::analysis) weight: i32,
    pub(in crate::analysis) what: String,
    /// Whether it says no more than that the use is new.
    pub(super) is_novelty: bool,
    /// From when on, where it is in some of the use only.
    pub(super) since: Option<i64>,
}

impl Sign {
    /// With a weight.
    pub(super) fn new(weight: i32, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            weight,
            what,
            is_novelty: false,
            since: None,
        }
    }

    /// Of what was done from a moment on.
    pub(super) fn since(self, moment: i64) -> Self {
        Self {
            since: Some(moment),
            ..self
        }
    }

    /// That something is new.
    pub(super) fn novelty(weight: i32, what: impl Into<String>) -> Self {
        Self {
            is_novelty: true,
            ..Self::new(weight, what)
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self.weight < 0 {
            true => format!("but {}", self.what),
            false => self.what.clone(),
        }
    }
}
