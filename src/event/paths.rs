//! Which field of a record goes to which column.
//!
//! In: the paths of [`COLUMNS`]. Out: a tree of objects, and a quick way through it. Promise: every key is found, in whatever
//! order fields come; that they come in the order of the last record only makes it quick.
//!
//! Half of a record's text is keys, and a trail's records have theirs in the same few orders. So each key is first
//! compared with the one that followed the key before it the last time, in one step with its quotes and colon.

use super::schema::{COLUMNS, Field};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Keys of this many bytes, quotes and colon included, are guessed; longer ones are looked up.
const GUESSED: usize = 32;

/// The fields of an object.
#[derive(Default)]
pub(super) struct Level {
    /// The dotted path of the object, ending in a dot unless it is the record itself.
    pub(super) path: String,
    /// Where [`Guesses`] keeps what the first key was.
    pub(super) place: usize,
    entries: Vec<Entry>,
    names: FxHashMap<&'static str, usize>,
}

/// A field of an object.
pub(super) struct Entry {
    key: Key,
    pub(super) kind: Target,
    /// Where [`Guesses`] keeps what the next key was.
    pub(super) place: usize,
}

/// Where a field goes: to a column, or one object deeper.
pub(super) enum Target {
    Column(Field),
    Object(Level),
}

/// `"key":` as it stands in a text without white space.
struct Key {
    words: [u64; GUESSED / 8],
    masks: [u64; GUESSED / 8],
    length: usize,
}

/// Which key followed which in the last record, per key.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Vec<usize>);

/// The tree of all paths in [`COLUMNS`].
pub(super) static RECORD: LazyLock<Level> = LazyLock::new(|| {
    let mut root = Level::default();
    for (field, column) in Field::all().iter().zip(COLUMNS) {
        if !column.path.is_empty() {
            root.insert(column.path, *field);
        }
    }
    root.number(0);
    root
});

impl Level {
    fn insert(&mut self, path: &'static str, field: Field) {
        let Some((object, rest)) = path.split_once('.') else {
            self.add(path, Target::Column(field));
            return;
        };
        if !self.names.contains_key(object) {
            let path = format!("{}{object}.", self.path);
            self.add(
                object,
                Target::Object(Level {
                    path,
                    ..Level::default()
                }),
            );
        }
        let place = self.names[object];
        if let Target::Object(level) = &mut self.entries[place].kind {
            level.insert(rest, field);
        }
    }

    fn add(&mut self, name: &'static str, kind: Target) {
        self.names.insert(name, self.entries.len());
        self.entries.push(Entry {
            key: Key::new(name),
            kind,
            place: 0,
        });
    }

    /// Gives this level and all below their places, from `next` on; gives the next free one.
    fn number(&mut self, mut next: usize) -> usize {
        self.place = next;
        next += 1;
        for entry in &mut self.entries {
            entry.place = next;
            next += 1;
            if let Target::Object(level) = &mut entry.kind {
                next = level.number(next);
            }
        }
        next
    }

    /// The field whose key stands at `at`, if it is the one that followed `place` the last time, and the offset after
    /// its colon.
    #[inline]
    pub(super) fn guess(
        &self,
        (bytes, at): (&[u8], usize),
        place: usize,
        guesses: &Guesses,
    ) -> Option<(&Entry, usize)> {
        let entry = self.entries.get(*guesses.0.get(place)?)?;
        let text = bytes.get(at..)?.first_chunk()?;
        entry
            .key
            .stands_in(text)
            .then_some((entry, at + entry.key.length))
    }

    /// The field with this key, which came after `place`.
    pub(super) fn find(&self, key: &str, place: usize, guesses: &mut Guesses) -> Option<&Entry> {
        let found = *self.names.get(key)?;
        if guesses.0.len() <= place {
            guesses.0.resize(place + 1, usize::MAX);
        }
        guesses.0[place] = found;
        self.entries.get(found)
    }
}

impl Key {
    fn new(name: &str) -> Self {
        let text = format!("\"{name}\":");
        let mut padded = [0; GUESSED];
        let length = text.len().min(GUESSED);
        padded[..length].copy_from_slice(&text.as_bytes()[..length]);
        let mut mask = [0; GUESSED];
        mask[..length].fill(0xff);
        Self {
            words: words(&padded),
            masks: words(&mask),
            length: text.len(),
        }
    }

    #[inline]
    fn stands_in(&self, text: &[u8; GUESSED]) -> bool {
        let text = words(text);
        let mut difference = u64::from(self.length > GUESSED);
        for (i, word) in text.into_iter().enumerate() {
            difference |= (word ^ self.words[i]) & self.masks[i];
        }
        difference == 0
    }
}

#[inline]
fn words(bytes: &[u8; GUESSED]) -> [u64; GUESSED / 8] {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_le_bytes(chunks[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_guessed_only_where_they_stand() {
        let padding = " ".repeat(GUESSED);
        let text = format!("\"eventName\":1{padding}");
        let mut guesses = Guesses::default();
        assert!(RECORD.guess((text.as_bytes(), 0), 0, &guesses).is_none());
        assert!(RECORD.find("eventName", 0, &mut guesses).is_some());
        let (entry, after) = RECORD
            .guess((text.as_bytes(), 0), 0, &guesses)
            .expect("seen before");
        assert!(matches!(entry.kind, Target::Column(Field::EventName)));
        assert_eq!(&text[after..=after], "1");
        for other in ["\"eventNames\":", "\"eventName\" :", "\"EventName\":"] {
            let text = format!("{other}{padding}");
            assert!(RECORD.guess((text.as_bytes(), 0), 0, &guesses).is_none());
        }
        assert!(RECORD.guess((b"\"eventName\":", 0), 0, &guesses).is_none());
    }
}
