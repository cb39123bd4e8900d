//! Functions whose result may be far larger than what they are given.
//!
//! In: the functions of a session. Out: the same, with a look at what the result would take before it is made. Promise: no
//! call of `repeat`, `lpad`, `range` and their like takes more memory than a query may have, nor ends the process, whether
//! its arguments are constants or come from a log file.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{
    DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::{Result, exec_err, resources_datafusion_err};
use datafusion::execution::FunctionRegistry as _;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;
use regex::RegexBuilder;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The functions, and how large their results are.
const FUNCTIONS: [(&str, Size); 17] = [
    ("repeat", Size::Repeated),
    ("lpad", Size::Padded),
    ("rpad", Size::Padded),
    ("replace", Size::Replaced),
    ("regexp_replace", Size::ReplacedPattern),
    ("regexp_like", Size::Pattern),
    ("regexp_match", Size::Pattern),
    ("regexp_count", Size::Pattern),
    ("regexp_instr", Size::Pattern),
    ("regexp_extract", Size::Pattern),
    ("regexp_extract_all", Size::Pattern),
    ("array_repeat", Size::RepeatedElement),
    ("array_resize", Size::Resized),
    ("range", Size::Range),
    ("generate_series", Size::Range),
    ("to_char", Size::Formatted),
    ("space", Size::Spaces),
];

/// The most that the results of one call may take where a query has no limit.
const MOST: usize = 1 << 30;

/// The most that a constant may take: it is written once for each of some thousand rows.
const MOST_OF_CONSTANT: u64 = 1 << 20;

/// Memory for all patterns of one call; each has what the `regex` crate gives one, if there are few.
const PATTERNS: usize = 64 << 20;
const PATTERN: usize = 10 << 20;

/// Puts the functions that look first into the place of those that do not.
pub(super) fn register(context: &SessionContext, max_memory: Option<usize>) {
    let most = max_memory.map_or(MOST, |bytes| bytes / 4).min(MOST) as u64;
    for (name, size) in FUNCTIONS {
        // Not every build of the engine has every function.
        let Ok(function) = context.udf(name) else {
            continue;
        };
        context.register_udf(ScalarUDF::from(Bounded {
            function,
            size,
            most,
        }));
    }
}

/// How large a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Size {
    /// The first argument so many times.
    Repeated,
    /// So many characters as the second argument says.
    Padded,
    /// So many spaces.
    Spaces,
    /// The first argument with the third in the place of the second.
    Replaced,
    /// The same, for every match of a pattern.
    ReplacedPattern,
    /// As large as the first argument, but a pattern takes memory.
    Pattern,
    /// A list of the first argument so many times.
    RepeatedElement,
    /// A list of that length.
    Resized,
    /// A list from one number, day or time to another.
    Range,
    /// A time in a format.
    Formatted,
}

/// A function that looks first.
#[derive(Debug)]
struct Bounded {
    function: Arc<ScalarUDF>,
    size: Size,
    most: u64,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.function.inner().return_type(given)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(given)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // An operator in its place would not look first.
        let constant = args
            .get(1)
            .is_some_and(|pattern| pattern.as_literal().is_some());
        match self.size == Size::Pattern && !constant {
            true => Ok(ExprSimplifyResult::Original(args)),
            false => self.function.simplify(args, info),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = match constant {
            true => 1,
            false => args.number_rows,
        };
        let taken = self.size.of(&args.args, rows)?;
        let most = match constant {
            true => self.most.min(MOST_OF_CONSTANT),
            false => self.most,
        };
        if taken > u128::from(most) {
            return Err(resources_datafusion_err!(
                "{} would take {taken} bytes of memory, of at most {most}",
                self.name()
            ));
        }
        self.function.invoke_with_args(args)
    }
}

impl Size {
    /// The bytes that the result takes, at most.
    fn of(self, args: &[ColumnarValue], rows: usize) -> Result<u128> {
        let each = |of: &dyn Fn(usize) -> u128| (0..rows).map(of).sum::<u128>();
        Ok(match self {
            Self::Repeated => {
                let (length, count) = (lengths(args, 0)?, numbers(args, 1)?);
                each(&|row| length.at(row) * count.at(row))
            }
            // A character takes up to four bytes.
            Self::Padded => {
                let count = numbers(args, 1)?;
                each(&|row| count.at(row) * 4)
            }
            Self::Spaces => {
                let count = numbers(args, 0)?;
                each(&|row| count.at(row))
            }
            Self::Replaced => {
                let (length, from, to) = (lengths(args, 0)?, lengths(args, 1)?, lengths(args, 2)?);
                each(&|row| {
                    let places = length.at(row) / from.at(row).max(1) + 1;
                    length.at(row) + places * to.at(row)
                })
            }
            Self::ReplacedPattern => {
                patterns(args)?;
                let (length, to) = (lengths(args, 0)?, lengths(args, 2)?);
                // Most patterns match some characters; groups in the replacement are parts of the text.
                each(&|row| length.at(row) + (length.at(row) / 2 + 1) * to.at(row))
            }
            Self::Pattern => {
                patterns(args)?;
                0
            }
            Self::RepeatedElement => {
                let (length, count) = (lengths(args, 0)?, numbers(args, 1)?);
                each(&|row| (length.at(row) + 8) * count.at(row))
            }
            Self::Resized => {
                let count = numbers(args, 1)?;
                each(&|row| count.at(row) * 8)
            }
            // The longest specifiers give some twenty characters for two.
            Self::Formatted => {
                let format = lengths(args, 1)?;
                each(&|row| format.at(row) * 10)
            }
            Self::Range => {
                let (first, last, step) = range(args)?;
                each(&|row| {
                    let distance = last.signed(row) - first.signed(row);
                    let step = step.signed(row);
                    match step != 0 && (distance < 0) == (step < 0) {
                        true => (distance / step + 1).unsigned_abs() * 8,
                        false => 0,
                    }
                })
            }
        })
    }
}

/// A number for each row, or one for all.
struct Numbers(Option<Int64Array>, i128);

impl Numbers {
    fn signed(&self, row: usize) -> i128 {
        match &self.0 {
            Some(numbers) if numbers.len() == 1 && numbers.is_valid(0) => {
                i128::from(numbers.value(0))
            }
            Some(numbers) if row < numbers.len() && numbers.is_valid(row) => {
                i128::from(numbers.value(row))
            }
            Some(_) => 0,
            None => self.1,
        }
    }

    /// None below zero: functions take that for zero.
    fn at(&self, row: usize) -> u128 {
        u128::try_from(self.signed(row)).unwrap_or(0)
    }
}

fn array(argument: &ColumnarValue) -> Result<ArrayRef> {
    match argument {
        ColumnarValue::Array(array) => Ok(Arc::clone(array)),
        ColumnarValue::Scalar(one) => one.to_array(),
    }
}

fn as_numbers(array: &ArrayRef) -> Result<Numbers> {
    let numbers = cast(array, &DataType::Int64)?;
    Ok(Numbers(
        Some(numbers.as_primitive::<Int64Type>().clone()),
        0,
    ))
}

/// An argument that is a number; zero if there is none.
fn numbers(args: &[ColumnarValue], at: usize) -> Result<Numbers> {
    match args.get(at) {
        Some(argument) => as_numbers(&array(argument)?),
        None => Ok(Numbers(None, 0)),
    }
}

/// The length of an argument, in bytes; eight for what has none.
fn lengths(args: &[ColumnarValue], at: usize) -> Result<Numbers> {
    let Some(argument) = args.get(at) else {
        return Ok(Numbers(None, 0));
    };
    let array = array(argument)?;
    match length(array.as_ref()) {
        Ok(lengths) => as_numbers(&lengths),
        Err(_) => Ok(Numbers(None, 8)),
    }
}

/// First, last and step of a range, as numbers of one unit.
fn range(args: &[ColumnarValue]) -> Result<(Numbers, Numbers, Numbers)> {
    let arrays = args.iter().map(array).collect::<Result<Vec<_>>>()?;
    Ok(match arrays.as_slice() {
        [last] => (Numbers(None, 0), as_numbers(last)?, Numbers(None, 1)),
        [first, last] => (moment(first)?, moment(last)?, Numbers(None, 1)),
        [first, last, step] => (moment(first)?, moment(last)?, interval(step)?),
        _ => return exec_err!("a range has one to three arguments"),
    })
}

/// A number, or a day or time in microseconds.
fn moment(array: &ArrayRef) -> Result<Numbers> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            as_numbers(&times)
        }
        _ => as_numbers(array),
    }
}

/// A number, or an interval in microseconds; months are as short as February.
fn interval(array: &ArrayRef) -> Result<Numbers> {
    const DAY: i64 = 86_400_000_000;
    let DataType::Interval(_) = array.data_type() else {
        return as_numbers(array);
    };
    let intervals = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let micros: Int64Array = intervals.unary(|interval| {
        let days = i64::from(interval.months) * 28 + i64::from(interval.days);
        days * DAY + interval.nanoseconds / 1_000
    });
    Ok(Numbers(Some(micros), 0))
}

/// Refuses patterns that come from a column and would take too much memory together.
fn patterns(args: &[ColumnarValue]) -> Result<()> {
    let Some(ColumnarValue::Array(column)) = args.get(1) else {
        return Ok(());
    };
    let texts = cast(column, &DataType::Utf8)?;
    let texts: HashSet<&str> = texts.as_string::<i32>().iter().flatten().collect();
    let share = (PATTERNS / texts.len().max(1)).min(PATTERN);
    for text in &texts {
        let built = RegexBuilder::new(text).size_limit(share).build();
        if let Err(regex::Error::CompiledTooBig(_)) = built {
            return Err(resources_datafusion_err!(
                "{} patterns of a column would take more than {PATTERNS} bytes of memory",
                texts.len()
            ));
        }
    }
    Ok(())
}
