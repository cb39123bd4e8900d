//! Different texts, in the order in which they first came.
//!
//! In: texts, or combinations of them. Out: each once, as an entry of a list column. Promise: a combination without any text does
//! not count; few texts cost no allocation of their own, many are found by their hash.

use arrow::array::{ListBuilder, StringBuilder};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

/// Up to so many, comparing with each is quicker than hashing.
const FEW: usize = 8;

/// Different combinations of `N` texts.
#[derive(Debug)]
pub(super) struct Distinct<const N: usize> {
    /// All texts, one after the other.
    text: String,
    /// Where those of a combination begin and end.
    places: Vec<[Option<(usize, usize)>; N]>,
    /// Which combinations have a hash; empty as long as there are few.
    hashes: FxHashMap<u64, Vec<usize>>,
    /// The combination that came last: often it comes again.
    last: usize,
}

impl<const N: usize> Default for Distinct<N> {
    fn default() -> Self {
        Self {
            text: String::new(),
            places: Vec::new(),
            hashes: FxHashMap::default(),
            last: 0,
        }
    }
}

impl<const N: usize> Distinct<N> {
    pub(super) fn add(&mut self, texts: [Option<&str>; N]) {
        if texts.iter().all(Option::is_none) || self.is_at(self.last, &texts) {
            return;
        }
        let hash = (self.places.len() >= FEW).then(|| FxBuildHasher.hash_one(texts));
        let found = match hash {
            None => (0..self.places.len()).find(|at| self.is_at(*at, &texts)),
            Some(hash) => {
                if self.hashes.is_empty() {
                    self.hash_all();
                }
                let with_hash = self.hashes.get(&hash).map(Vec::as_slice);
                let mut with_hash = with_hash.unwrap_or_default().iter().copied();
                with_hash.find(|at| self.is_at(*at, &texts))
            }
        };
        self.last = found.unwrap_or(self.places.len());
        if found.is_some() {
            return;
        }
        if let Some(hash) = hash {
            self.hashes.entry(hash).or_default().push(self.last);
        }
        self.places.push(texts.map(|text| {
            let begin = self.text.len();
            self.text.push_str(text?);
            Some((begin, self.text.len()))
        }));
    }

    fn texts(&self, at: usize) -> Option<[Option<&str>; N]> {
        let places = self.places.get(at)?;
        Some(places.map(|place| place.map(|(begin, end)| &self.text[begin..end])))
    }

    fn is_at(&self, at: usize, texts: &[Option<&str>; N]) -> bool {
        self.texts(at).as_ref() == Some(texts)
    }

    fn hash_all(&mut self) {
        for at in 0..self.places.len() {
            if let Some(texts) = self.texts(at) {
                let hash = FxBuildHasher.hash_one(texts);
                self.hashes.entry(hash).or_default().push(at);
            }
        }
    }

    /// Appends an entry to `N` list columns, and forgets all.
    pub(super) fn move_to(&mut self, lists: [&mut ListBuilder<StringBuilder>; N]) {
        for (n, list) in lists.into_iter().enumerate() {
            for places in &self.places {
                let text = places[n].map(|(begin, end)| &self.text[begin..end]);
                list.values().append_option(text);
            }
            list.append(true);
        }
        self.text.clear();
        self.places.clear();
        self.hashes.clear();
        self.last = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn each_combination_is_kept_once_however_many_there_are() {
        let mut distinct = Distinct::<2>::default();
        let mut lists = [const { None }; 2].map(|_: Option<()>| ListBuilder::default());
        for round in [1, FEW, 100 * FEW] {
            for n in (0..round).chain(0..round) {
                let text = n.to_string();
                distinct.add([Some(&text), None]);
                distinct.add([None, Some(&text)]);
                distinct.add([Some(&text), Some("")]);
                distinct.add([None, None]);
            }
            distinct.move_to(lists.each_mut());
            let [firsts, seconds] = lists.each_mut().map(ListBuilder::finish);
            assert_eq!(firsts.value(0).len(), 3 * round);
            assert_eq!(seconds.value(0).len(), 3 * round);
            let firsts = firsts.value(0);
            let empty = firsts.as_string::<i32>().iter().filter(Option::is_none);
            assert_eq!(empty.count(), round);
        }
    }
}
