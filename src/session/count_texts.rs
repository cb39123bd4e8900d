//! The SQL function `count_texts(text, …)`: how many different texts, or combinations of texts, there are.
//!
//! In: columns of text, or of lists of texts, which are gone through side by side. Out: a count per group. Promise: exact; a row
//! without any text does not count.
//!
//! `count(DISTINCT …)` would say the same. But an inventory has a hundred thousand groups with a handful of texts each, over
//! and over the same ones; so a text is given a number once, and what is remembered per group is numbers.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Int64Array, ListArray, ListBuilder,
};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::hash_utils::RandomState;
use datafusion::common::{HashMap, HashSet, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use std::ops::Range;
use std::sync::Arc;

/// The function, to be registered with a session.
pub(super) fn count_texts() -> AggregateUDF {
    AggregateUDF::new_from_impl(CountTexts {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CountTexts {
    signature: Signature,
}

impl AggregateUDFImpl for CountTexts {
    fn name(&self) -> &str {
        "count_texts"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.is_empty() {
            return plan_err!("count_texts needs a text to count");
        }
        let lists = types.iter().filter(|data_type| is_list(data_type)).count();
        let texts = types.iter().map(|data_type| match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(data_type.clone()),
            DataType::Null => Ok(DataType::Utf8),
            DataType::Dictionary(_, values) if values.is_string() => Ok(values.as_ref().clone()),
            list if is_list(list) && lists == types.len() => Ok(list.clone()),
            other => plan_err!("count_texts counts texts, not {other}"),
        });
        texts.collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(DataType::Binary, true);
        let list = Field::new_list(format!("{}[texts]", args.name), item, false);
        Ok(vec![Arc::new(list)])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Texts::default())))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Texts::default()))
    }
}

/// The texts of each group.
#[derive(Default)]
struct Texts {
    /// The number of each text seen in any group.
    numbers: HashMap<Arc<[u8]>, u32, RandomState>,
    /// The texts by number.
    texts: Vec<Arc<[u8]>>,
    bytes: usize,
    /// Group and number, for each text of each group.
    seen: HashSet<(u32, u32), RandomState>,
    groups: Vec<Group>,
}

#[derive(Clone, Copy)]
struct Group {
    count: i64,
    /// The number of the text that came last: often it comes again.
    last: u32,
}

const NO_GROUP: Group = Group {
    count: 0,
    last: u32::MAX,
};

impl Texts {
    /// The number of a text.
    fn number(&mut self, text: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        let text: Arc<[u8]> = text.into();
        self.bytes += text.len();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    fn add(&mut self, group: usize, number: u32) {
        let known = &mut self.groups[group];
        if known.last != number {
            known.last = number;
            known.count += i64::from(self.seen.insert((group as u32, number)));
        }
    }

    /// Takes the groups out that are emitted, and counts the remaining ones from 0.
    fn take(&mut self, emit_to: EmitTo) -> (Vec<Group>, Vec<(u32, u32)>) {
        let groups = emit_to.take_needed(&mut self.groups);
        let n = groups.len() as u32;
        let (mut taken, mut kept) = (Vec::new(), HashSet::default());
        for (group, number) in self.seen.drain() {
            match group.checked_sub(n) {
                None => taken.push((group, number)),
                Some(group) => {
                    kept.insert((group, number));
                }
            }
        }
        self.seen = kept;
        (groups, taken)
    }
}

impl GroupsAccumulator for Texts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, NO_GROUP);
        let columns = values.iter().map(Column::of).collect::<Result<Vec<_>>>()?;
        // Neighbours are often the same.
        let (mut combination, mut last) = (Vec::new(), u32::MAX);
        for (row, group) in group_indices.iter().enumerate() {
            if counts(opt_filter, row) {
                each(&columns, row, &mut combination, &mut |text| {
                    last = match self.texts.get(last as usize) {
                        Some(known) if **known == *text => last,
                        _ => self.number(text),
                    };
                    self.add(*group, last);
                });
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let columns = values.iter().map(Column::of).collect::<Result<Vec<_>>>()?;
        let mut lists = ListBuilder::new(BinaryBuilder::new());
        let mut combination = Vec::new();
        for row in 0..values[0].len() {
            if counts(opt_filter, row) {
                each(&columns, row, &mut combination, &mut |text| {
                    lists.values().append_value(text);
                });
            }
            lists.append(true);
        }
        Ok(vec![Arc::new(lists.finish())])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (groups, _) = self.take(emit_to);
        let counts = groups.iter().map(|group| group.count);
        Ok(Arc::new(Int64Array::from_iter_values(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (groups, mut numbers) = self.take(emit_to);
        numbers.sort_unstable();
        let mut numbers = numbers.into_iter().peekable();
        let mut lists = ListBuilder::new(BinaryBuilder::new());
        for group in 0..groups.len() as u32 {
            while let Some((_, number)) = numbers.next_if(|(of, _)| *of == group) {
                lists.values().append_value(&self.texts[number as usize]);
            }
            lists.append(true);
        }
        Ok(vec![Arc::new(lists.finish())])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, NO_GROUP);
        let lists: &ListArray = values[0].as_list();
        for (row, group) in group_indices.iter().enumerate() {
            let texts = lists.value(row);
            for text in texts.as_binary::<i32>().iter().flatten() {
                let number = self.number(text);
                self.add(*group, number);
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.bytes
            + self.texts.capacity() * size_of::<(Arc<[u8]>, usize, usize)>()
            + self.numbers.capacity() * size_of::<(Arc<[u8]>, u32)>()
            + self.seen.capacity() * size_of::<(u32, u32)>()
            + self.groups.capacity() * size_of::<Group>()
    }
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) if item.data_type() == &DataType::Utf8)
}

type TextAt<'a> = Box<dyn Fn(usize) -> Option<&'a str> + 'a>;

/// A column of texts, or of lists of texts.
struct Column<'a> {
    texts: TextAt<'a>,
    lists: Option<&'a ListArray>,
}

impl<'a> Column<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        let lists = array.as_list_opt::<i32>();
        let texts = texts_of(lists.map_or(array, ListArray::values))?;
        Ok(Self { texts, lists })
    }

    /// Where the texts of a row are.
    fn range(&self, row: usize) -> Range<usize> {
        let offset = |lists: &ListArray, at: usize| lists.value_offsets()[at] as usize;
        match self.lists {
            None => row..row + 1,
            Some(lists) if lists.is_null(row) => 0..0,
            Some(lists) => offset(lists, row)..offset(lists, row + 1),
        }
    }
}

/// Shows the texts of a row, one after the other; combinations of texts as one.
fn each(
    columns: &[Column<'_>],
    row: usize,
    combination: &mut Vec<u8>,
    show: &mut impl FnMut(&[u8]),
) {
    if let [column] = columns {
        let texts = column.range(row).filter_map(|at| (column.texts)(at));
        return texts.for_each(|text| show(text.as_bytes()));
    }
    let longest = columns.iter().map(|column| column.range(row).len()).max();
    for n in 0..longest.unwrap_or_default() {
        let texts = columns.iter().map(|column| {
            let at = column.range(row).nth(n)?;
            (column.texts)(at)
        });
        if combine(texts, combination) {
            show(combination);
        }
    }
}

fn texts_of(array: &ArrayRef) -> Result<TextAt<'_>> {
    macro_rules! texts {
        ($array:expr) => {{
            let array = $array;
            Box::new(move |row| array.is_valid(row).then(|| array.value(row)))
        }};
    }
    Ok(match array.data_type() {
        DataType::Utf8 => texts!(array.as_string::<i32>()),
        DataType::LargeUtf8 => texts!(array.as_string::<i64>()),
        DataType::Utf8View => texts!(array.as_string_view()),
        other => return exec_err!("count_texts counts texts, not {other}"),
    })
}

/// Whether the filter of the aggregate lets a row through.
fn counts(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// Several texts as one; false when there is none of them.
fn combine<'a>(texts: impl Iterator<Item = Option<&'a str>>, into: &mut Vec<u8>) -> bool {
    into.clear();
    let mut any = false;
    for text in texts {
        // The lengths keep the texts apart.
        let length = text.map_or(u32::MAX, |text| text.len() as u32);
        into.extend_from_slice(&length.to_le_bytes());
        into.extend_from_slice(text.unwrap_or_default().as_bytes());
        any |= text.is_some();
    }
    any
}

/// The same without `GROUP BY`.
struct OneGroup(Texts);

impl std::fmt::Debug for OneGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OneGroup").finish()
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.update_batch(values, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        self.0.merge_batch(states, &groups, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups.resize(1, NO_GROUP);
        ScalarValue::try_from_array(&self.0.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.groups.resize(1, NO_GROUP);
        let states = self.0.state(EmitTo::All)?;
        states
            .iter()
            .map(|state| ScalarValue::try_from_array(state, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{StringArray, StringViewArray};

    fn evaluated(texts: &mut Texts, emit_to: EmitTo) -> Vec<i64> {
        let counts = texts.evaluate(emit_to).unwrap();
        counts
            .as_primitive::<arrow::datatypes::Int64Type>()
            .values()
            .to_vec()
    }

    fn update(texts: &mut Texts, rows: &[(usize, Option<&str>)]) {
        let groups: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let column: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
        texts.update_batch(&[column], &groups, None, 3).unwrap();
    }

    #[test]
    fn states_of_parts_make_the_count_of_all() {
        let rows = [
            (0, Some("a")),
            (1, Some("a")),
            (0, Some("b")),
            (0, Some("a")),
            (2, None),
            (1, None),
        ];
        let mut whole = Texts::default();
        update(&mut whole, &rows);
        assert_eq!(evaluated(&mut whole, EmitTo::All), [2, 1, 0]);

        let mut merged = Texts::default();
        for part in rows.chunks(4) {
            let mut texts = Texts::default();
            update(&mut texts, part);
            let state = texts.state(EmitTo::All).unwrap();
            merged.merge_batch(&state, &[0, 1, 2], 3).unwrap();
        }
        assert_eq!(evaluated(&mut merged, EmitTo::First(1)), [2]);
        // The other groups have moved up, with their texts.
        let view: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "c"]));
        merged.update_batch(&[view], &[0, 0], None, 2).unwrap();
        assert_eq!(evaluated(&mut merged, EmitTo::All), [2, 0]);
    }

    #[test]
    fn lists_are_gone_through_side_by_side() {
        let lists = |rows: [&[Option<&str>]; 2]| -> ArrayRef {
            let mut lists = ListBuilder::new(arrow::array::StringBuilder::new());
            for row in rows {
                for text in row {
                    lists.values().append_option(*text);
                }
                lists.append(true);
            }
            Arc::new(lists.finish())
        };
        let services = lists([&[Some("s3"), Some("s3"), None], &[Some("iam"), Some("s3")]]);
        let names = lists([
            &[Some("Get"), Some("Put"), None],
            &[Some("Get"), Some("Put")],
        ]);
        let mut one = Texts::default();
        one.update_batch(&[Arc::clone(&services)], &[0, 0], None, 1)
            .unwrap();
        assert_eq!(evaluated(&mut one, EmitTo::All), [2]);
        let mut both = Texts::default();
        let columns = [services, names];
        both.update_batch(&columns, &[0, 0], None, 1).unwrap();
        assert_eq!(evaluated(&mut both, EmitTo::All), [3]);
        let states = Texts::default().convert_to_state(&columns, None).unwrap();
        let mut merged = Texts::default();
        merged.merge_batch(&states, &[0, 0], 1).unwrap();
        assert_eq!(evaluated(&mut merged, EmitTo::All), [3]);
    }

    #[test]
    fn combinations_are_told_apart_and_nothing_at_all_does_not_count() {
        let column =
            |texts: [Option<&str>; 4]| -> ArrayRef { Arc::new(StringArray::from_iter(texts)) };
        let columns = [
            column([Some("ab"), Some("a"), None, None]),
            column([Some("c"), Some("bc"), None, Some("abc")]),
        ];
        let mut one = OneGroup(Texts::default());
        one.update_batch(&columns).unwrap();
        assert_eq!(one.evaluate().unwrap(), ScalarValue::Int64(Some(3)));
        assert_eq!(
            OneGroup(Texts::default()).evaluate().unwrap(),
            ScalarValue::Int64(Some(0))
        );
    }
}
