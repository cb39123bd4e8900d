//! The different texts of a column.
//!
//! In: texts, row by row. Out: a code for each, and the texts that the codes stand for. Promise: equal texts have equal codes, in the
//! order in which the texts first came; whoever writes the texts cannot make the search for them slow.

use arrow::array::StringArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Texts, each once.
#[derive(Debug)]
pub(super) struct Words {
    bytes: Vec<u8>,
    /// Where each text ends; the first entry is 0.
    ends: Vec<i32>,
    codes: HashTable<i32>,
    hasher: DefaultHashBuilder,
    /// The text that came last: often it comes again.
    last: i32,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: vec![0],
            codes: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: 0,
        }
    }
}

impl Words {
    /// The code of a text.
    #[inline]
    pub(super) fn code(&mut self, text: &str) -> i32 {
        let text = text.as_bytes();
        if self.word(self.last) != Some(text) {
            self.last = self.find(text);
        }
        self.last
    }

    fn find(&mut self, text: &[u8]) -> i32 {
        let Self {
            bytes,
            ends,
            codes,
            hasher,
            ..
        } = self;
        let word =
            |code: i32| &bytes[ends[code as usize] as usize..ends[code as usize + 1] as usize];
        let hash = hasher.hash_one(text);
        if let Some(code) = codes.find(hash, |code| word(*code) == text) {
            return *code;
        }
        let code = ends.len() as i32 - 1;
        codes.insert_unique(hash, code, |code| hasher.hash_one(word(*code)));
        bytes.extend_from_slice(text);
        ends.push(bytes.len() as i32);
        code
    }

    fn word(&self, code: i32) -> Option<&[u8]> {
        let end = *self.ends.get(code as usize + 1)?;
        Some(&self.bytes[self.ends[code as usize] as usize..end as usize])
    }

    /// All texts, by their codes; there are none afterwards.
    pub(super) fn finish(&mut self) -> Result<StringArray, ArrowError> {
        self.codes.clear();
        self.last = 0;
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        StringArray::try_new(offsets, bytes, None)
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + 8 * self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array as _;

    #[test]
    fn equal_texts_have_equal_codes() -> Result<(), ArrowError> {
        let mut words = Words::default();
        let texts = ["", "a", "a", "b", "", "ab", "b"];
        assert_eq!(texts.map(|text| words.code(text)), [0, 1, 1, 2, 0, 3, 2]);
        let many: Vec<i32> = (0..1000).map(|n| words.code(&n.to_string())).collect();
        let again: Vec<i32> = (0..1000).map(|n| words.code(&n.to_string())).collect();
        assert_eq!(many, again);
        let found = words.finish()?;
        assert_eq!(found.len(), 1004);
        assert_eq!((found.value(3), found.value(1003)), ("ab", "999"));
        assert_eq!(words.code("b"), 0);
        Ok(())
    }
}
