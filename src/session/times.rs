//! Times in SQL as people write them.
//!
//! In: a plan, and the text it was made from. Out: the plan, with texts that are compared with times read as `--since` reads
//! them: `2025-03-09 23:00`, `yesterday`, `7d`. Promise: what the engine reads itself is left to it; a text that is not a
//! time is an error that points at it, before anything is read; a time without a zone is UTC, also where it meets one that
//! has another, and a time that loses its zone keeps what the clock there shows.

use super::fault::{Position, SqlFault};
use crate::cloudtrail::{Bound, parse_time};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::functions::datetime::to_local_time;
use datafusion::logical_expr::expr::{Cast, InList, TryCast};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Between, BinaryExpr, Expr, ExprSchemable as _, LogicalPlan, Operator,
};
use std::sync::Arc;

/// The plan with its times read.
///
/// # Errors
///
/// Those of the engine, or a fault that names a text which is compared with a time and is not one.
pub(super) fn read(
    plan: LogicalPlan,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Result<LogicalPlan, SqlFault>, DataFusionError> {
    let mut unreadable = None;
    let read = plan.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let read = node.map_expressions(|expression| {
            let name = names.save(&expression);
            let read = expression.transform_up(|expression| {
                let mut reader = Reader {
                    schema: &schema,
                    now,
                    changed: false,
                    unreadable: &mut unreadable,
                };
                let expression = reader.expression(expression);
                Ok(match reader.changed {
                    true => Transformed::yes(expression),
                    false => Transformed::no(expression),
                })
            })?;
            Ok(match read.transformed {
                true => read.update_data(|expression| name.restore(expression)),
                false => read,
            })
        })?;
        match read.transformed {
            true => read.map_data(LogicalPlan::recompute_schema),
            false => Ok(read),
        }
    })?;
    Ok(match unreadable {
        Some(found) => Err(not_a_time(&found, text)),
        None => Ok(read.data),
    })
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(
        operator,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
    )
}

/// Reads the texts of one expression.
struct Reader<'a> {
    schema: &'a DFSchema,
    now: DateTime<Utc>,
    changed: bool,
    unreadable: &'a mut Option<String>,
}

impl Reader<'_> {
    fn expression(&mut self, expression: Expr) -> Expr {
        match expression {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
                let (left, right) = self.of_one_zone(left, right);
                let (left_is, right_is) = (self.is_time(&left), self.is_time(&right));
                let left = if right_is { self.time(*left) } else { *left };
                let right = if left_is { self.time(*right) } else { *right };
                Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
            }
            Expr::Between(between) if self.is_time(&between.expr) => Expr::Between(Between {
                low: Box::new(self.time(*between.low)),
                high: Box::new(self.time(*between.high)),
                ..between
            }),
            Expr::InList(list) if self.is_time(&list.expr) => {
                let times = list.list.into_iter().map(|one| self.time(one)).collect();
                Expr::InList(InList::new(list.expr, times, list.negated))
            }
            Expr::Cast(cast) if self.loses_its_zone(&cast.expr, cast.field.data_type()) => {
                self.changed = true;
                Expr::Cast(Cast {
                    expr: Box::new(to_local_time().call(vec![*cast.expr])),
                    ..cast
                })
            }
            Expr::TryCast(cast) if self.loses_its_zone(&cast.expr, cast.field.data_type()) => {
                self.changed = true;
                Expr::TryCast(TryCast {
                    expr: Box::new(to_local_time().call(vec![*cast.expr])),
                    ..cast
                })
            }
            other => other,
        }
    }

    /// The zone of a time: none for a time without one, or for what is not a time.
    fn zone(&self, expression: &Expr) -> Option<Arc<str>> {
        match expression.get_type(self.schema) {
            Ok(DataType::Timestamp(_, zone)) => zone,
            _ => None,
        }
    }

    /// Whether a time in a zone is made one without.
    fn loses_its_zone(&self, expression: &Expr, to: &DataType) -> bool {
        let zone = self.zone(expression);
        matches!(to, DataType::Timestamp(_, None)) && zone.is_some_and(|zone| &*zone != "UTC")
    }

    /// Two sides of a comparison. The engine would read a time without a zone by the clock of the other's.
    fn of_one_zone(&mut self, left: Box<Expr>, right: Box<Expr>) -> (Box<Expr>, Box<Expr>) {
        let (left_zone, right_zone) = (self.zone(&left), self.zone(&right));
        let other = |zone: &Option<Arc<str>>| zone.as_ref().is_some_and(|zone| &**zone != "UTC");
        match (
            other(&left_zone) && right_zone.is_none() && self.is_time(&right),
            other(&right_zone) && left_zone.is_none() && self.is_time(&left),
        ) {
            (true, _) => (left, self.as_utc(right)),
            (_, true) => (self.as_utc(left), right),
            _ => (left, right),
        }
    }

    fn as_utc(&mut self, time: Box<Expr>) -> Box<Expr> {
        self.changed = true;
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Box::new(Expr::Cast(Cast::new(time, utc)))
    }

    fn is_time(&self, expression: &Expr) -> bool {
        let kind = expression.get_type(self.schema);
        kind.is_ok_and(|kind| matches!(kind, DataType::Timestamp(_, _)))
    }

    /// A text as the time that it is.
    fn time(&mut self, expression: Expr) -> Expr {
        let Expr::Literal(value, metadata) = expression else {
            return expression;
        };
        let Some(Some(text)) = value.try_as_str() else {
            return Expr::Literal(value, metadata);
        };
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        if ScalarValue::try_from_string(text.to_owned(), &micros).is_ok() {
            return Expr::Literal(value, metadata);
        }
        match parse_time(text, self.now, Bound::Since) {
            Ok(time) => {
                self.changed = true;
                let micros = Some(time.timestamp_micros());
                let time = ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()));
                Expr::Literal(time, metadata)
            }
            Err(_) => {
                self.unreadable.get_or_insert_with(|| text.to_owned());
                Expr::Literal(value, metadata)
            }
        }
    }
}

fn not_a_time(found: &str, text: &str) -> SqlFault {
    let quoted = format!("'{found}'");
    let place = text.find(&quoted).and_then(|at| {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default();
        let column = column.chars().count() + 1;
        Position::new((line as u64, column as u64), quoted.chars().count(), text)
    });
    SqlFault::new(format!(
        "{found:?} is not a time; examples: 2025-03-01, 2025-03-01 12:00, 2025-03-01T12:00:00Z, yesterday, 7d"
    ))
    .at(place)
}
