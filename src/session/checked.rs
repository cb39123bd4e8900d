//! Operators that look first.
//!
//! In: the plan of a query. Out: the same, in which `+`, `-`, `*`, `<<`, `>>` and `sum` of whole numbers end in an error
//! where the result does not fit, and `||` of texts and `~` where it would take too much memory. Promise: no number wraps
//! round to another without a word; results that fit stay as they are, of the same type and name.

mod arithmetic;

use super::joined;
use arithmetic::{ARITHMETIC, NEGATES, SHIFTS_LEFT, SHIFTS_RIGHT, WIDE, arithmetic, narrow};
use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions::math::round;
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, Cast, ScalarFunction, TryCast, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Projection, ScalarUDF,
    Window, WindowFunctionDefinition, lit,
};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// The rule, to be registered with a session.
#[derive(Debug)]
pub(super) struct Checked {
    arithmetic: Arc<ScalarUDF>,
    /// Matches a pattern; of a column's patterns it looks at the memory first.
    matches: Option<Arc<ScalarUDF>>,
    /// Joins texts.
    joins: Arc<ScalarUDF>,
}

/// The functions that the rule writes into plans.
#[cfg(feature = "cluster")]
pub(super) fn functions() -> Vec<ScalarUDF> {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let sums = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64];
    let sums = sums.iter().map(narrow);
    std::iter::once(arithmetic()).chain(sums).collect()
}

impl Checked {
    /// With the functions that take the places of `text ~ pattern` where the pattern comes from a column, and of `||`.
    pub(super) fn new(matches: Option<Arc<ScalarUDF>>, joins: ScalarUDF) -> Self {
        Self {
            arithmetic: Arc::new(arithmetic()),
            matches,
            joins: Arc::new(joins),
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
                    Operator::BitwiseShiftLeft => Some(SHIFTS_LEFT),
                    Operator::BitwiseShiftRight => Some(SHIFTS_RIGHT),
                    _ => None,
                };
                let text = |expr: &Expr| expr.get_type(rows).is_ok_and(|given| given.is_string());
                match does.filter(|_| whole(&left) && whole(&right)) {
                    Some(does) => self.call(does, *left, Some(*right)),
                    None if op == Operator::StringConcat && text(&left) && text(&right) => {
                        self.join(*left, *right)
                    }
                    None => self.pattern(BinaryExpr { left, op, right }),
                }
            }
            Expr::Cast(cast) if loses_its_fraction(&cast.expr, cast.field.data_type(), rows) => {
                Transformed::yes(Expr::Cast(Cast {
                    expr: Box::new(round().call(vec![*cast.expr])),
                    ..cast
                }))
            }
            Expr::TryCast(cast) if loses_its_fraction(&cast.expr, cast.field.data_type(), rows) => {
                Transformed::yes(Expr::TryCast(TryCast {
                    expr: Box::new(round().call(vec![*cast.expr])),
                    ..cast
                }))
            }
            // A literal is as large as it says.
            Expr::Negative(inner) if whole(&inner) && !matches!(*inner, Expr::Literal(..)) => {
                self.call(NEGATES, *inner, None)
            }
            other => Transformed::no(other),
        }
    }

    /// A chain of `||` is one call, too.
    fn join(&self, left: Expr, right: Expr) -> Transformed<Expr> {
        let mut args = match left {
            Expr::ScalarFunction(call) if call.func.name() == joined::NAME => call.args,
            other => vec![other],
        };
        args.push(right);
        let func = Arc::clone(&self.joins);
        Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
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

/// Whether a number is made a whole one: the engine would cut it, where Athena, DuckDB and Postgres round.
fn loses_its_fraction(number: &Expr, to: &DataType, rows: &DFSchema) -> bool {
    let rounded =
        matches!(number, Expr::ScalarFunction(call) if call.func.name() == round().name());
    let given = number.get_type(rows);
    let fraction = given.is_ok_and(|given| given.is_floating() || given.is_decimal());
    to.is_integer() && fraction && !rounded
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
            true => narrow(field.data_type())
                .call(vec![column])
                .alias_qualified(table.cloned(), field.name()),
            false => column,
        }
    });
    let columns = columns.collect();
    let projection = Projection::try_new(columns, Arc::new(plan))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}
