//! What a table's rows have in common.
//!
//! In: the rows of a table, the columns to look at. Out: of each column, how many rows have which value. Promise: a count is what the table
//! would have if its value were chosen; what is left out is counted. Times are counted by their age, at the end of what the table tells of.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{and, cast};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType, UInt32Type};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The most values of a facet.
const MOST: usize = 6;

/// Ages in days: up to how many, and in words.
const AGES: [(i64, &str); 4] = [
    (1, "the last 24 hours"),
    (7, "1 to 7 days before"),
    (30, "7 to 30 days before"),
    (90, "30 to 90 days before"),
];
const OLD: &str = "more than 90 days before";
const DAY: i64 = 86_400_000_000;

/// What is said where there is no value.
const NONE: &str = "none";

/// The values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The column.
    pub column: String,
    /// The values with most rows, and how many.
    pub values: Vec<(String, usize)>,
    /// How many other values there are.
    pub more: usize,
}

/// A column as words: of each row those that it has.
struct Words {
    /// The last stands where there is no value.
    names: Vec<String>,
    codes: UInt32Array,
    /// Which codes are a row's, where it has a list of them.
    lists: Option<OffsetBuffer<i32>>,
    of_times: bool,
}

impl Words {
    fn of(batch: &RecordBatch, column: &str) -> Result<Option<Self>, ArrowError> {
        let Some(values) = batch.column_by_name(column) else {
            return Ok(None);
        };
        let list = values.as_list_opt::<i32>();
        let of_times = matches!(values.data_type(), DataType::Timestamp(..));
        let texts = match list {
            Some(list) => cast(list.values(), &DataType::Utf8)?,
            None if of_times => ages(values)?,
            None => cast(values, &DataType::Utf8)?,
        };
        let (code, text) = (DataType::UInt32.into(), DataType::Utf8.into());
        let coded = cast(&texts, &DataType::Dictionary(code, text))?;
        let coded = coded.as_dictionary::<UInt32Type>();
        let names = coded.values().as_string::<i32>().iter().flatten();
        let names = names.map(str::to_owned).chain([NONE.to_owned()]);
        Ok(Some(Self {
            names: names.collect(),
            codes: coded.keys().clone(),
            lists: list.map(|list| list.offsets().clone()),
            of_times,
        }))
    }

    /// The places of a row's words among the names.
    fn of_row(&self, row: usize) -> impl Iterator<Item = usize> {
        let none = self.names.len() - 1;
        let range = match &self.lists {
            Some(ends) => ends[row] as usize..ends[row + 1] as usize,
            None => row..row + 1,
        };
        let empty = range.is_empty().then_some(none);
        let code = move |at| match self.codes.is_valid(at) {
            true => self.codes.value(at) as usize,
            false => none,
        };
        range.map(code).chain(empty)
    }

    /// The rows that have a word.
    fn rows_with(&self, word: &str) -> BooleanArray {
        let is_word: Vec<bool> = self.names.iter().map(|name| name == word).collect();
        let rows = self
            .lists
            .as_ref()
            .map_or(self.codes.len(), |ends| ends.len() - 1);
        let has = |row| Some(self.of_row(row).any(|at| is_word[at]));
        (0..rows).map(has).collect()
    }
}

/// Times as ages before the last of them.
fn ages(times: &dyn Array) -> Result<ArrayRef, ArrowError> {
    let micros = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    let last = micros.iter().flatten().max().unwrap_or(0);
    let word = |time: i64| {
        let age = last - time;
        let found = AGES.iter().find(|(days, _)| age <= days * DAY);
        found.map_or(OLD, |(_, word)| word)
    };
    let words = micros.iter().map(|time| time.map(word));
    Ok(Arc::new(words.collect::<StringArray>()))
}

/// Of each choice its column and the rows that have its value.
type Choices<'a> = Vec<(&'a str, BooleanArray)>;

fn choices<'a>(
    batch: &RecordBatch,
    only: &'a [(String, String)],
) -> Result<Choices<'a>, ArrowError> {
    let mut found = Vec::new();
    for (column, word) in only {
        // That a column is there was asked before: see `table`.
        if let Some(words) = Words::of(batch, column)? {
            found.push((column.as_str(), words.rows_with(word)));
        }
    }
    Ok(found)
}

/// The rows that are in all of these.
fn all_of<'a>(
    masks: impl Iterator<Item = &'a BooleanArray>,
) -> Result<Option<BooleanArray>, ArrowError> {
    let mut all: Option<BooleanArray> = None;
    for mask in masks {
        all = Some(match all {
            Some(all) => and(&all, mask)?,
            None => mask.clone(),
        });
    }
    Ok(all)
}

/// The rows that have all of these values.
pub(super) fn chosen(
    batch: &RecordBatch,
    only: &[(String, String)],
) -> Result<Option<BooleanArray>, ArrowError> {
    all_of(choices(batch, only)?.iter().map(|(_, rows)| rows))
}

/// The values of columns, each among the rows that the choices in the other columns leave.
pub(super) fn facets(
    batch: &RecordBatch,
    only: &[(String, String)],
    columns: &[&str],
) -> Result<Vec<Facet>, ArrowError> {
    let choices = choices(batch, only)?;
    let mut found = Vec::new();
    for column in columns {
        let Some(words) = Words::of(batch, column)? else {
            continue;
        };
        let others = choices.iter().filter(|(of, _)| of != column);
        let mask = all_of(others.map(|(_, rows)| rows))?;
        let mut counts = vec![0; words.names.len()];
        for row in 0..batch.num_rows() {
            if mask.as_ref().is_none_or(|mask| mask.value(row)) {
                words.of_row(row).for_each(|at| counts[at] += 1);
            }
        }
        let values = words.names.into_iter().zip(counts);
        let mut values: Vec<(String, usize)> = values.filter(|(_, count)| *count > 0).collect();
        // Ages from the youngest on, everything else from the most frequent on.
        let age = |word: &str| AGES.iter().position(|(_, age)| *age == word);
        values.sort_by(|(a, of_a), (b, of_b)| match words.of_times {
            true => age(a)
                .unwrap_or(AGES.len())
                .cmp(&age(b).unwrap_or(AGES.len())),
            false => of_b.cmp(of_a).then_with(|| a.cmp(b)),
        });
        // A value that is chosen stays in sight.
        let wanted = only
            .iter()
            .find(|(of, _)| of == column)
            .map(|(_, word)| word);
        if let Some(at) = values.iter().position(|(word, _)| Some(word) == wanted)
            && at >= MOST
        {
            values.swap(at, MOST - 1);
        }
        let more = values.len().saturating_sub(MOST);
        values.truncate(MOST);
        found.push(Facet {
            column: (*column).to_owned(),
            values,
            more,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ListBuilder, StringBuilder, TimestampMicrosecondArray};

    fn keys() -> RecordBatch {
        let accounts = StringArray::from(vec![Some("1"), Some("1"), Some("2"), None]);
        let mut services = ListBuilder::new(StringBuilder::new());
        for of in [vec!["s3", "iam"], vec!["s3"], vec![], vec!["iam"]] {
            services.append_value(of.into_iter().map(Some));
        }
        let seen = TimestampMicrosecondArray::from(vec![400 * DAY, 399 * DAY, 380 * DAY, DAY]);
        let columns: [(&str, ArrayRef); 3] = [
            ("account", Arc::new(accounts)),
            ("services", Arc::new(services.finish())),
            ("seen", Arc::new(seen.with_timezone("UTC"))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn counted(only: &[(&str, &str)], column: &str) -> Vec<(String, usize)> {
        let only: Vec<_> = only
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let found = facets(&keys(), &only, &[column]).unwrap();
        found[0].values.clone()
    }

    fn pairs(of: &[(&str, usize)]) -> Vec<(String, usize)> {
        of.iter()
            .map(|(word, n)| ((*word).to_owned(), *n))
            .collect()
    }

    #[test]
    fn values_are_counted_among_what_the_other_choices_leave() {
        assert_eq!(
            counted(&[], "account"),
            pairs(&[("1", 2), ("2", 1), ("none", 1)])
        );
        assert_eq!(
            counted(&[], "services"),
            pairs(&[("iam", 2), ("s3", 2), ("none", 1)])
        );
        assert_eq!(
            counted(&[], "seen"),
            pairs(&[
                ("the last 24 hours", 2),
                ("7 to 30 days before", 1),
                (OLD, 1)
            ])
        );
        assert_eq!(
            counted(&[("services", "s3")], "account"),
            pairs(&[("1", 2)])
        );
        // The choice in the column itself does not hide what else there is.
        assert_eq!(counted(&[("account", "2")], "account").len(), 3);
        assert_eq!(facets(&keys(), &[], &["nothing"]).unwrap(), []);
    }

    #[test]
    fn a_count_is_what_choosing_gives() {
        for column in ["account", "services", "seen"] {
            for (word, count) in counted(&[], column) {
                let only = [(column.to_owned(), word.clone())];
                let rows = chosen(&keys(), &only).unwrap().unwrap();
                assert_eq!(rows.true_count(), count, "{column} {word}");
            }
        }
    }
}
