//! Whole numbers that do not fit.
//!
//! In: the plan of a query. Out: the same, in which `+`, `-`, `*` and `sum` of whole numbers end in an error where the
//! result does not fit. Promise: no number wraps round to another without a word; results that fit stay as they are, of the
//! same type and name.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::compute::kernels::numeric::{add, mul, neg, sub};
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, exec_datafusion_err, exec_err, internal_err};
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, Cast, ScalarFunction, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, Projection,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, Window,
    WindowFunctionDefinition, lit,
};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// The rule, to be registered with a session.
#[derive(Debug)]
pub(super) struct Checked {
    arithmetic: Arc<ScalarUDF>,
    /// Matches a pattern; of a column's patterns it looks at the memory first.
    matches: Option<Arc<ScalarUDF>>,
}

/// Room for the sum of 10^19 numbers of 64 bits.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// The functions that the rule writes into plans.
#[cfg(feature = "cluster")]
pub(super) fn functions() -> Vec<ScalarUDF> {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let signature = Signature::user_defined(Volatility::Immutable);
    let sums = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64];
    let sums = sums.iter().map(|to| ScalarUDF::from(Narrow::to(to)));
    std::iter::once(ScalarUDF::from(Arithmetic { signature }))
        .chain(sums)
        .collect()
}

impl Checked {
    /// With the function that takes the place of `text ~ pattern` where the pattern comes from a column.
    pub(super) fn new(matches: Option<Arc<ScalarUDF>>) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self {
            arithmetic: Arc::new(ScalarUDF::from(Arithmetic { signature })),
            matches,
        }
    }

    /// A chain of operators is one call, whatever its length: calls inside of calls would exhaust the stack.
    fn call(&self, does: char, left: Expr, right: Option<Expr>) -> Transformed<Expr> {
        let (mut does_all, mut args) = (String::new(), Vec::new());
        match left {
            Expr::ScalarFunction(call) if call.func.name() == ARITHMETIC => {
                let mut before = call.args.into_iter();
                let chain = before.next();
                let chain = chain.as_ref().and_then(Expr::as_literal);
                let chain = chain.and_then(|chain| chain.try_as_str().flatten());
                does_all.push_str(chain.unwrap_or_default());
                args.extend(before);
            }
            other => args.push(other),
        }
        does_all.push(does);
        args.extend(right);
        args.insert(0, lit(does_all));
        let func = Arc::clone(&self.arithmetic);
        Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
    }

    fn expression(&self, expr: Expr, rows: &DFSchema) -> Transformed<Expr> {
        let whole = |expr: &Expr| expr.get_type(rows).is_ok_and(|given| given.is_integer());
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let does = match op {
                    Operator::Plus => Some('+'),
                    Operator::Minus => Some('-'),
                    Operator::Multiply => Some('*'),
                    _ => None,
                };
                match does.filter(|_| whole(&left) && whole(&right)) {
                    Some(does) => self.call(does, *left, Some(*right)),
                    None => self.pattern(BinaryExpr { left, op, right }),
                }
            }
            // A literal is as large as it says.
            Expr::Negative(inner) if whole(&inner) && !matches!(*inner, Expr::Literal(..)) => {
                self.call(NEGATES, *inner, None)
            }
            other => Transformed::no(other),
        }
    }

    /// `text ~ pattern` with a pattern that is not constant, as a call.
    fn pattern(&self, binary: BinaryExpr) -> Transformed<Expr> {
        use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
        let pattern = matches!(
            binary.op,
            RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch
        );
        let constant = matches!(*binary.right, Expr::Literal(..));
        let Some(matches) = self.matches.as_ref().filter(|_| pattern && !constant) else {
            return Transformed::no(Expr::BinaryExpr(binary));
        };
        let mut args = vec![*binary.left, *binary.right];
        if matches!(binary.op, RegexIMatch | RegexNotIMatch) {
            args.push(lit("i"));
        }
        let call = matches.call(args);
        Transformed::yes(match binary.op {
            RegexNotMatch | RegexNotIMatch => Expr::Not(Box::new(call)),
            _ => call,
        })
    }
}

impl AnalyzerRule for Checked {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|plan| {
            // How many rows are wanted is no part of the answer.
            if matches!(plan, LogicalPlan::Limit(_)) {
                return Ok(Transformed::no(plan));
            }
            let mut rows = merge_schema(&plan.inputs());
            if let LogicalPlan::TableScan(scan) = &plan {
                rows.merge(&scan.projected_schema);
            }
            let names = NamePreserver::new(&plan);
            let checked = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let checked = expr.transform_up(|expr| Ok(self.expression(expr, &rows)))?;
                Ok(checked.update_data(|expr| name.restore(expr)))
            })?;
            let checked = match checked.transformed {
                true => checked.map_data(LogicalPlan::recompute_schema)?,
                false => checked,
            };
            checked.transform_data(|plan| match plan {
                LogicalPlan::Aggregate(aggregate) => sums_of(aggregate),
                LogicalPlan::Window(window) => running_sums_of(window),
                plan => Ok(Transformed::no(plan)),
            })
        });
        Ok(rewritten?.data)
    }

    fn name(&self) -> &str {
        "checked"
    }
}

/// A sum of whole numbers as one of wide numbers.
fn widened(params: &AggregateFunctionParams, rows: &DFSchema) -> Option<AggregateFunctionParams> {
    let [number] = params.args.as_slice() else {
        return None;
    };
    let whole = number.get_type(rows).is_ok_and(|given| given.is_integer());
    whole.then(|| AggregateFunctionParams {
        args: vec![Expr::Cast(Cast::new(Box::new(number.clone()), WIDE))],
        ..params.clone()
    })
}

fn wide_sum(expr: &Expr, rows: &DFSchema) -> Option<Expr> {
    match expr {
        Expr::Alias(alias) => wide_sum(&alias.expr, rows),
        Expr::AggregateFunction(call) if call.func.name() == "sum" => {
            let params = widened(&call.params, rows)?;
            let func = Arc::clone(&call.func);
            Some(Expr::AggregateFunction(AggregateFunction { func, params }))
        }
        Expr::WindowFunction(call) if call.fun.name() == "sum" => {
            let WindowFunctionDefinition::AggregateUDF(_) = &call.fun else {
                return None;
            };
            let [number] = call.params.args.as_slice() else {
                return None;
            };
            let whole = number.get_type(rows).is_ok_and(|given| given.is_integer());
            whole.then(|| {
                let mut wide: WindowFunction = call.as_ref().clone();
                wide.params.args = vec![Expr::Cast(Cast::new(Box::new(number.clone()), WIDE))];
                Expr::from(wide)
            })
        }
        _ => None,
    }
}

fn sums_of(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let rows = aggregate.input.schema();
    let wide = aggregate.aggr_expr.iter().map(|expr| wide_sum(expr, rows));
    let wide: Vec<Option<Expr>> = wide.collect();
    if wide.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let before = Arc::clone(&aggregate.schema);
    let groups = before.fields().len() - aggregate.aggr_expr.len();
    let changed = |at: usize| at >= groups && wide[at - groups].is_some();
    let exprs = aggregate.aggr_expr.iter().zip(&wide);
    let exprs = exprs.map(|(expr, wide)| wide.clone().unwrap_or_else(|| expr.clone()));
    let exprs = exprs.collect();
    let wide = Aggregate::try_new(aggregate.input, aggregate.group_expr, exprs)?;
    narrowed(LogicalPlan::Aggregate(wide), &before, changed)
}

fn running_sums_of(window: Window) -> Result<Transformed<LogicalPlan>> {
    let rows = window.input.schema();
    let wide = window.window_expr.iter().map(|expr| wide_sum(expr, rows));
    let wide: Vec<Option<Expr>> = wide.collect();
    if wide.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let before = Arc::clone(&window.schema);
    let inputs = before.fields().len() - window.window_expr.len();
    let changed = |at: usize| at >= inputs && wide[at - inputs].is_some();
    let exprs = window.window_expr.iter().zip(&wide);
    let exprs = exprs.map(|(expr, wide)| wide.clone().unwrap_or_else(|| expr.clone()));
    let exprs = exprs.collect();
    let wide = Window::try_new(exprs, window.input)?;
    narrowed(LogicalPlan::Window(wide), &before, changed)
}

/// The plan's columns by their names and types before.
fn narrowed(
    plan: LogicalPlan,
    before: &DFSchema,
    changed: impl Fn(usize) -> bool,
) -> Result<Transformed<LogicalPlan>> {
    let columns = before.iter().zip(plan.schema().iter()).enumerate();
    let columns = columns.map(|(at, ((table, field), now))| {
        let column = Expr::Column(Column::from(now));
        match changed(at) {
            true => ScalarUDF::from(Narrow::to(field.data_type()))
                .call(vec![column])
                .alias_qualified(table.cloned(), field.name()),
            false => column,
        }
    });
    let columns = columns.collect();
    let projection = Projection::try_new(columns, Arc::new(plan))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

/// A wide number as one of the type that it has without overflow.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Narrow {
    /// With the type: other machines know it by its name.
    name: String,
    to: DataType,
    signature: Signature,
}

impl Narrow {
    fn to(to: &DataType) -> Self {
        Self {
            name: format!("checked_sum_{to}").to_lowercase(),
            to: to.clone(),
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Narrow {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        super::functions::columnar(&args, |arrays| {
            let wide = arrays[0].as_primitive::<Decimal128Type>();
            // What does not fit is null after the cast.
            let fitting = cast(&arrays[0], &self.to)?;
            let lost = (0..wide.len()).find(|row| wide.is_valid(*row) && fitting.is_null(*row));
            match lost {
                None => Ok(fitting),
                Some(row) => exec_err!(
                    "the sum does not fit: {} is outside of {}; for larger ones write sum(CAST(… AS DOUBLE))",
                    wide.value(row),
                    self.to
                ),
            }
        })
    }
}

const ARITHMETIC: &str = "checked_arithmetic";

/// What turns the sign, among `+`, `-` and `*`.
const NEGATES: char = '~';

/// `checked_arithmetic('+*', a, b, c)` is `(a + b) * c`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        ARITHMETIC
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        // They were made the same before the rule.
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [_, number, ..] => Ok(number.clone()),
            _ => internal_err!("{ARITHMETIC} of nothing"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        super::functions::columnar(&args, |arrays| match arrays {
            [chain, first, rest @ ..] => computed(chain.as_string::<i32>().value(0), first, rest),
            _ => internal_err!("{ARITHMETIC} of nothing"),
        })
    }
}

fn computed(chain: &str, first: &ArrayRef, rest: &[ArrayRef]) -> Result<ArrayRef> {
    let mut result = Arc::clone(first);
    let mut rest = rest.iter();
    for does in chain.chars() {
        let kind = result.data_type().clone();
        let next = match does {
            NEGATES => neg(&result),
            _ => {
                let Some(other) = rest.next() else {
                    return internal_err!("{ARITHMETIC} has too few numbers");
                };
                match does {
                    '+' => add(&result, other),
                    '-' => sub(&result, other),
                    _ => mul(&result, other),
                }
            }
        };
        result = next.map_err(|_| {
            let sign = if does == NEGATES { '-' } else { does };
            exec_datafusion_err!(
                "a whole number does not fit: the result of {sign} is outside of {kind}; for larger ones write CAST(… AS DOUBLE)"
            )
        })?;
    }
    Ok(result)
}
