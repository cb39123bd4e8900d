//! What a source is compared with.
//!
//! In: a source, and what is usual and known of its credential. Out: whether its network and its program are new. Promise: without a past,
//! nothing is new.

use super::known::Known;
use super::source::Source;
use super::usual::Usual;

/// What is looked at.
pub(super) struct Looked<'a> {
    pub(super) source: &'a Source,
    pub(super) usual: &'a Usual,
    pub(super) known: &'a Known<'a>,
    /// Whether there is enough of a past to call something new.
    pub(super) has_past: bool,
    /// Whether nothing like it came before or after, and there is enough of an after to say so.
    pub(super) stands_alone: bool,
}

impl Looked<'_> {
    pub(super) fn new_place(&self) -> bool {
        let Some(place) = self.source.place.as_ref().filter(|_| self.has_past) else {
            return false;
        };
        !self.usual.places.contains(place)
            && !self.known.usual_addresses.contains(&self.source.address)
    }

    pub(super) fn new_program(&self) -> bool {
        self.has_past && !self.usual.programs.contains(&self.source.program)
    }
}
