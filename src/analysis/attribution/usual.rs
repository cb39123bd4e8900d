//! What the owner usually does with a credential.
//!
//! In: sources that are not an intruder's. Out: [`Usual`]: places, programs, calls, hours. Promise: learns from nothing that looks
//! like an intruder.

use super::place::Place;
use super::source::Source;
use super::used::{DAY, HOUR};
use crate::knowledge::Coordinates;
use std::collections::BTreeSet;

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Usual {
    /// The credential's first use.
    pub(super) began: i64,
    pub(super) addresses: BTreeSet<String>,
    pub(super) places: BTreeSet<Place>,
    pub(super) programs: BTreeSet<String>,
    /// Programs in networks of providers.
    pub(super) spots: BTreeSet<(String, Place)>,
    pub(super) calls: BTreeSet<String>,
    /// Hours of the day, in UTC.
    pub(super) hours: BTreeSet<i64>,
    pub(super) desktop: bool,
    /// Where and when people were with a program: what runs on a desktop is where somebody is.
    pub(super) trips: Vec<(String, Coordinates, Vec<i64>)>,
    /// Places, and from when to when.
    pub(super) spans: Vec<(Place, i64, i64)>,
}

impl Usual {
    /// Learns what a source does.
    pub(super) fn learn(&mut self, source: &Source) {
        self.addresses.insert(source.address.clone());
        self.programs.insert(source.program.clone());
        self.calls.extend(source.calls());
        self.desktop |= source.desktop;
        for one in &source.uses {
            self.hours
                .extend([one.first, one.last].map(|time| time.rem_euclid(DAY) / HOUR));
        }
        if let Some(place) = source.coordinates.filter(|_| source.desktop) {
            let times = source.uses.iter().flat_map(|one| [one.first, one.last]);
            self.trips
                .push((source.program.clone(), place, times.collect()));
        }
        if let Some(place) = &source.place {
            self.places.insert(place.clone());
            self.spots.extend(spot(source));
            self.spans.push((place.clone(), source.first, source.last));
        }
    }

    /// Whether this program was used in this network before, whatever its address there.
    pub(super) fn knows_spot(&self, source: &Source) -> bool {
        spot(source).is_some_and(|spot| self.spots.contains(&spot))
    }
}

fn spot(source: &Source) -> Option<(String, Place)> {
    Some((source.program.clone(), source.place.clone()?))
}
