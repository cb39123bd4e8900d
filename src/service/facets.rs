//! What a table's rows have in common.
//!
//! In: the rows of a table, the columns to look at. Out: of each column, how many rows have which value. Promise: a count is what the table
//! would have if its value were chosen; what is left out is counted. Times are counted by their age, at the end of what the table tells of.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use std::collections::HashMap;

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
    names: Vec<String>,
    ids: Vec<u32>,
    ends: Vec<usize>,
    of_times: bool,
}

impl Words {
    fn of(batch: &RecordBatch, column: &str) -> Result<Option<Self>, ArrowError> {
        let Some(values) = batch.column_by_name(column) else {
            return Ok(None);
        };
        let mut words = Self {
            names: Vec::new(),
            ids: Vec::with_capacity(values.len()),
            ends: Vec::with_capacity(values.len()),
            of_times: matches!(values.data_type(), DataType::Timestamp(..)),
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut id = |names: &mut Vec<String>, word: &str| match known.get(word) {
            Some(id) => *id,
            None => {
                let id = u32::try_from(names.len()).unwrap_or(u32::MAX);
                names.push(word.to_owned());
                known.insert(word.to_owned(), id);
                id
            }
        };
        let of_lists = matches!(values.data_type(), DataType::List(_));
        let (texts, offsets) = match values.data_type() {
            DataType::List(_) => {
                let lists = values.as_list::<i32>();
                (
                    cast(lists.values(), &DataType::Utf8)?,
                    Some(lists.value_offsets()),
                )
            }
            DataType::Timestamp(..) => (ages(values)?, None),
            _ => (cast(values, &DataType::Utf8)?, None),
        };
        let texts = texts.as_string::<i32>();
        for row in 0..values.len() {
            let range = match offsets {
                Some(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
                None => row..row + 1,
            };
            let begun = words.ids.len();
            for at in range {
                let text = if texts.is_valid(at) {
                    texts.value(at)
                } else {
                    NONE
                };
                words.ids.push(id(&mut words.names, text));
            }
            if of_lists && words.ids.len() == begun {
                words.ids.push(id(&mut words.names, NONE));
            }
            words.ends.push(words.ids.len());
        }
        Ok(Some(words))
    }

    fn of_row(&self, row: usize) -> &[u32] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[begin..self.ends[row]]
    }

    /// The rows that have a word.
    fn rows_with(&self, word: &str) -> Vec<bool> {
        let id = self.names.iter().position(|name| name == word);
        let id = id.and_then(|id| u32::try_from(id).ok());
        let has = |row| id.is_some_and(|id| self.of_row(row).contains(&id));
        (0..self.ends.len()).map(has).collect()
    }
}

/// Times as ages before the last of them.
fn ages(times: &dyn Array) -> Result<arrow::array::ArrayRef, ArrowError> {
    let micros = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    let last = micros.iter().flatten().max().unwrap_or(0);
    let word = |time: i64| {
        let age = last - time;
        let found = AGES.iter().find(|(days, _)| age <= days * DAY);
        found.map_or(OLD, |(_, word)| word)
    };
    let words = micros.iter().map(|time| time.map(word));
    Ok(std::sync::Arc::new(
        words.collect::<arrow::array::StringArray>(),
    ))
}

/// The rows that have all of these values.
pub(super) fn chosen(
    batch: &RecordBatch,
    only: &[(String, String)],
) -> Result<Option<BooleanArray>, ArrowError> {
    let mut mask: Option<Vec<bool>> = None;
    for (column, word) in only {
        let rows = match Words::of(batch, column)? {
            Some(words) => words.rows_with(word),
            // Asked by name before: see `table`.
            None => continue,
        };
        mask = Some(match mask {
            None => rows,
            Some(mask) => mask.iter().zip(&rows).map(|(a, b)| *a && *b).collect(),
        });
    }
    Ok(mask.map(BooleanArray::from))
}

/// The values of columns, each among the rows that the choices in the other columns leave.
pub(super) fn facets(
    batch: &RecordBatch,
    only: &[(String, String)],
    columns: &[&str],
) -> Result<Vec<Facet>, ArrowError> {
    let mut found = Vec::new();
    for column in columns {
        let Some(words) = Words::of(batch, column)? else {
            continue;
        };
        let others: Vec<_> = only
            .iter()
            .filter(|(of, _)| of != column)
            .cloned()
            .collect();
        let mask = chosen(batch, &others)?;
        let mut counts = vec![0; words.names.len()];
        for row in 0..batch.num_rows() {
            if mask.as_ref().is_none_or(|mask| mask.value(row)) {
                for id in words.of_row(row) {
                    counts[*id as usize] += 1;
                }
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
    use arrow::array::{
        ArrayRef, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
    };
    use std::sync::Arc;

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
