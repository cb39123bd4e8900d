//! What every function has in common.
//!
//! In: a name, the kinds of its arguments and what it does with a row. Out: a function that the engine can call. Promise:
//! null for null; constants stay constants; a wrong number of arguments is told with the names of the right ones.

use super::described::sentence;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArgumentKind {
    Text,
    Int,
    Number,
    /// A moment in UTC.
    Time,
    /// A moment in the zone that it was given, else in UTC.
    ZonedTime,
    /// A moment in the zone that it was given, else in UTC, or a day that stays one.
    ZonedTimeOrDay,
    /// A moment in UTC, or a day that stays one.
    TimeOrDay,
    Any,
}

/// A moment, to the microsecond, in UTC: the type of `event_time`.
pub(super) fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl ArgumentKind {
    fn data_type(self, given: &DataType) -> DataType {
        match self {
            ArgumentKind::Text => DataType::Utf8,
            ArgumentKind::Int => DataType::Int64,
            ArgumentKind::Number => DataType::Float64,
            ArgumentKind::TimeOrDay | ArgumentKind::ZonedTimeOrDay
                if *given == DataType::Date32 =>
            {
                DataType::Date32
            }
            ArgumentKind::ZonedTime | ArgumentKind::ZonedTimeOrDay => match given {
                DataType::Timestamp(_, Some(zone)) => {
                    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone)))
                }
                _ => time(),
            },
            ArgumentKind::Time | ArgumentKind::TimeOrDay => time(),
            ArgumentKind::Any => given.clone(),
        }
    }
}

/// The names of the arguments and their kinds; those from `required` on may be left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments {
    pub(super) kinds: &'static [(&'static str, ArgumentKind)],
    pub(super) required: usize,
}

impl Arguments {
    /// All of them are required.
    pub(super) const fn all(kinds: &'static [(&'static str, ArgumentKind)]) -> Self {
        Self {
            kinds,
            required: kinds.len(),
        }
    }

    /// The types that the given ones are turned into.
    pub(super) fn coerce(&self, name: &str, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.len() < self.required || given.len() > self.kinds.len() {
            let names: Vec<&str> = self.kinds.iter().map(|(name, _)| *name).collect();
            return plan_err!(
                "{name}({}) takes {} arguments, not {}",
                names.join(", "),
                match self.required == self.kinds.len() {
                    true => self.required.to_string(),
                    false => format!("{} to {}", self.required, self.kinds.len()),
                },
                given.len()
            );
        }
        let kinds = self.kinds.iter().map(|(_, kind)| kind);
        Ok(kinds
            .zip(given)
            .map(|(kind, given)| kind.data_type(given))
            .collect())
    }
}

type Returns = fn(&[DataType]) -> Result<DataType>;
type Run = Arc<dyn Fn(&[ArrayRef], &DataType) -> Result<ArrayRef> + Send + Sync>;

/// A function of whole columns.
pub(super) struct Function {
    name: &'static str,
    arguments: Arguments,
    documentation: Documentation,
    signature: Signature,
    returns: Returns,
    run: Run,
}

impl Function {
    pub(super) fn udf(
        name: &'static str,
        arguments: Arguments,
        returns: Returns,
        run: impl Fn(&[ArrayRef], &DataType) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> ScalarUDF {
        ScalarUDF::from(Self {
            name,
            arguments,
            documentation: documentation(name, &arguments),
            signature: Signature::user_defined(Volatility::Immutable),
            returns,
            run: Arc::new(run),
        })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// Names are unique in a session.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.arguments.coerce(self.name, given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        (self.returns)(given)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| (self.run)(arrays, args.return_type()))
    }
}

/// Runs `run` on the arguments as columns; of constants, the result is a constant.
pub(in crate::session) fn columnar(
    args: &ScalarFunctionArgs,
    run: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let constant = args
        .args
        .iter()
        .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    let result = run(&ColumnarValue::values_to_arrays(&args.args)?)?;
    Ok(match constant && result.len() == 1 {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
        false => ColumnarValue::Array(result),
    })
}

/// A function of texts, row by row. Whole numbers among the arguments come as texts too.
pub(super) fn of_texts<T: 'static, A>(
    name: &'static str,
    arguments: Arguments,
    returns: Returns,
    function: fn(&[&str]) -> Option<T>,
) -> ScalarUDF
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    Function::udf(name, arguments, returns, move |arrays, _| {
        let texts = texts(arrays)?;
        let rows = texts.first().map_or(1, Array::len);
        let mut row_texts = Vec::with_capacity(texts.len());
        let results: A = (0..rows)
            .map(|row| {
                row_texts.clear();
                for column in &texts {
                    if column.is_null(row) {
                        return None;
                    }
                    row_texts.push(column.value(row));
                }
                function(&row_texts)
            })
            .collect();
        Ok(Arc::new(results))
    })
}

/// The columns as texts.
pub(super) fn texts(arrays: &[ArrayRef]) -> Result<Vec<StringArray>> {
    arrays
        .iter()
        .map(|array| Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()))
        .collect()
}

/// A column as text.
pub(super) fn text(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// A function's documentation, as the engine and the shell show it.
pub(super) fn documentation(name: &str, arguments: &Arguments) -> Documentation {
    let mut syntax = format!("{name}(");
    for (at, (argument, _)) in arguments.kinds.iter().enumerate() {
        let separator = match (at, at < arguments.required) {
            (0, _) => "",
            (_, true) => ", ",
            (_, false) => "[, ",
        };
        syntax += separator;
        syntax += argument;
    }
    syntax += &"]".repeat(arguments.kinds.len() - arguments.required);
    syntax.push(')');
    Documentation::builder(DocSection::default(), sentence(name), syntax).build()
}
