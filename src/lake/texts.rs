//! A column of texts, whether it repeats them or has codes for them.
//!
//! In: a string array, or a dictionary array of strings. Out: the text of a row. Promise: an array of another type has no texts.

use arrow::array::{Array, AsArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;

/// Texts by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// The row of `texts`, for each row; none if they are the same rows.
    codes: Option<&'a Int32Array>,
    texts: Option<&'a StringArray>,
}

impl<'a> Texts<'a> {
    /// The texts of a column; none without a column.
    pub(super) fn of(column: Option<&'a dyn Array>) -> Self {
        let codes = column.and_then(|column| column.as_dictionary_opt::<Int32Type>());
        Self {
            codes: codes.map(|codes| codes.keys()),
            texts: match codes {
                Some(codes) => codes.values().as_string_opt(),
                None => column.and_then(|column| column.as_string_opt()),
            },
        }
    }

    /// The text of a row.
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        let texts = self.texts?;
        let at = match self.codes {
            Some(codes) => codes.is_valid(row).then(|| codes.value(row) as usize)?,
            None => row,
        };
        texts.is_valid(at).then(|| texts.value(at))
    }

    /// The least and the greatest of all.
    pub(super) fn range(&self) -> Option<(&'a str, &'a str)> {
        let rows = self.codes.map_or(self.texts?.len(), Array::len);
        let mut range: Option<(&str, &str)> = None;
        let mut last = None;
        for text in (0..rows).filter_map(|row| self.at(row)) {
            // Rows are sorted by one column, and alike in many others.
            if last.replace(text) != Some(text) {
                let (least, greatest) = range.unwrap_or((text, text));
                range = Some((least.min(text), greatest.max(text)));
            }
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int64Array};

    #[test]
    fn codes_and_texts_are_the_same() {
        let rows = [Some("b"), None, Some("c"), Some("a"), Some("a")];
        let texts: StringArray = rows.into_iter().collect();
        let codes: DictionaryArray<Int32Type> = rows.into_iter().collect();
        for column in [&texts as &dyn Array, &codes, &codes.slice(0, 5)] {
            let found = Texts::of(Some(column));
            assert_eq!([0, 1, 2, 3, 4].map(|row| found.at(row)), rows);
            assert_eq!(found.range(), Some(("a", "c")));
        }
        let part = codes.slice(1, 2);
        assert_eq!(Texts::of(Some(&part)).range(), Some(("c", "c")));
    }

    #[test]
    fn what_is_no_text_has_none() {
        let numbers = Int64Array::from(vec![1]);
        for column in [None, Some(&numbers as &dyn Array)] {
            let found = Texts::of(column);
            assert_eq!((found.at(0), found.range()), (None, None));
        }
    }
}
