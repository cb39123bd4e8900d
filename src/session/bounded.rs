//! Functions whose result may be far larger than what they are given.
//!
//! In: the functions of a session. Out: the same, with a look at what the result would take before it is made. Promise: no
//! call of `repeat`, `lpad`, `range` and their like takes more memory than a query may have, nor ends the process, whether
//! its arguments are constants or come from a log file.

mod measures;

use super::memory::Most;
use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, resources_datafusion_err};
use datafusion::execution::FunctionRegistry as _;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;
use measures::{elements, lengths, numbers, range};
use regex::RegexBuilder;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The functions, and how large their results are.
const FUNCTIONS: [(&str, Size); 20] = [
    ("repeat", Size::Repeated),
    ("concat", Size::Joined),
    ("concat_ws", Size::JoinedBy),
    ("array_to_string", Size::JoinedList),
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

/// The most that a constant may take: plans, and with them their constants, are copied again and again while they are made.
/// How often a constant is written into rows is looked at by `constants`.
const MOST_OF_CONSTANT: u64 = 4 << 20;

/// Memory for all patterns of one call; each has what the `regex` crate gives one, if there are few.
const PATTERNS: usize = 64 << 20;
const PATTERN: usize = 10 << 20;

/// Puts the functions that look first into the place of those that do not.
pub(super) fn register(context: &SessionContext, most: Most) {
    for (name, size) in FUNCTIONS {
        // Not every build of the engine has every function.
        let Ok(function) = context.udf(name) else {
            continue;
        };
        // Another function may have taken an alias since: our `date_format` is not that of `to_char`.
        let means_it = |alias: &&String| {
            let meant = context.udf(alias);
            meant.is_ok_and(|meant| meant.name() == function.name())
        };
        let aliases = function.aliases().iter().filter(means_it).cloned();
        context.register_udf(ScalarUDF::from(Bounded {
            aliases: aliases.collect(),
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
    /// All arguments, one after the other.
    Joined,
    /// All arguments but the first, with that between them.
    JoinedBy,
    /// The elements of a list, with the second argument between them.
    JoinedList,
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
    aliases: Vec<String>,
    size: Size,
    most: Most,
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
        &self.aliases
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
        match self.size {
            Size::Pattern if !constant => Ok(ExprSimplifyResult::Original(args)),
            // They would become the engine's own.
            Size::Joined | Size::JoinedBy => Ok(ExprSimplifyResult::Original(args)),
            _ => self.function.simplify(args, info),
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
        self.most.check(self.name(), taken)?;
        if constant && taken > u128::from(MOST_OF_CONSTANT) {
            return exec_err!(
                "{} would take {taken} bytes of memory: a constant may take {MOST_OF_CONSTANT} at most",
                self.name()
            );
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
            Self::Joined | Self::JoinedBy => {
                let lengths = (0..args.len()).map(|at| lengths(args, at));
                let lengths = lengths.collect::<Result<Vec<_>>>()?;
                let between = match (self, lengths.first()) {
                    (Self::JoinedBy, Some(between)) => Some((between, args.len() as u128)),
                    _ => None,
                };
                each(&|row| {
                    let joined = lengths.iter().map(|length| length.at(row)).sum::<u128>();
                    joined + between.map_or(0, |(between, times)| between.at(row) * times)
                })
            }
            Self::JoinedList => {
                let (list, elements) = (lengths(args, 0)?, elements(args, 0)?);
                let (between, null) = (lengths(args, 1)?, lengths(args, 2)?);
                // A number is written with more bytes than it takes.
                each(&|row| list.at(row) * 3 + elements.at(row) * (between.at(row) + null.at(row)))
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
                let (count, value) = (numbers(args, 1)?, lengths(args, 2)?);
                each(&|row| count.at(row) * (value.at(row) + 8))
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
