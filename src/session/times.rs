//! Times in SQL as people write them.
//!
//! In: a plan, and the text it was made from. Out: the plan, with texts that are compared with times and days, or cast to
//! them, read as `--since` reads them: `2025-03-09 23:00`, `yesterday`, `7d`. Promise: what the engine reads itself is left
//! to it; a text that is not a time, and a number in the place of one, is an error that says so, before anything is read; a
//! time without a zone is UTC, also where it meets one that has another, and a time that loses its zone keeps what the clock
//! there shows; lengths of time are compared by how long they are.

use super::fault::{Position, SqlFault};
use super::{functions, intervals};
use crate::cloudtrail::{Bound, parse_span, parse_time};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::functions::datetime::to_local_time;
use datafusion::logical_expr::expr::{Cast, InList, InSubquery, ScalarFunction, TryCast};
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
    let mut unreadable: Option<SqlFault> = None;
    let read = plan.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let read = node.map_expressions(|expression| {
            let name = names.save(&expression);
            let read = expression.transform_up(|expression| {
                let mut reader = Reader {
                    schema: &schema,
                    text,
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
        Some(fault) => Err(fault),
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
    text: &'a str,
    now: DateTime<Utc>,
    changed: bool,
    unreadable: &'a mut Option<SqlFault>,
}

impl Reader<'_> {
    fn expression(&mut self, expression: Expr) -> Expr {
        match expression {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
                let [left, right] = self.compared([*left, *right]);
                Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
            }
            Expr::Between(between) => {
                let sides = [*between.expr, *between.low, *between.high];
                let [expr, low, high] = self.compared(sides);
                Expr::Between(Between {
                    expr: Box::new(expr),
                    low: Box::new(low),
                    high: Box::new(high),
                    ..between
                })
            }
            Expr::InList(list) if self.has_a_time(&list.expr) => {
                let others = list.list.into_iter().map(|one| {
                    // What all are compared with is looked at again for each of them, and stays.
                    let [_, one] = self.compared([(*list.expr).clone(), one]);
                    one
                });
                let others: Vec<Expr> = others.collect();
                let [expr, _] = self.compared([(*list.expr).clone(), *list.expr]);
                Expr::InList(InList::new(Box::new(expr), others, list.negated))
            }
            Expr::InSubquery(among) => Expr::InSubquery(InSubquery {
                expr: Box::new(self.in_utc(*among.expr)),
                ..among
            }),
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Minus,
                right,
            }) if self.are_times(&left, &right) => {
                let (left, right) = (self.in_utc(*left), self.in_utc(*right));
                Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(left),
                    Operator::Minus,
                    Box::new(right),
                ))
            }
            Expr::ScalarFunction(call) => {
                self.look_at_constant(&call);
                self.binned(call)
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
            Expr::Cast(cast) => Expr::Cast(Cast {
                expr: Box::new(self.made(*cast.expr, cast.field.data_type(), false)),
                ..cast
            }),
            Expr::TryCast(cast) => Expr::TryCast(TryCast {
                expr: Box::new(self.made(*cast.expr, cast.field.data_type(), true)),
                ..cast
            }),
            other => other,
        }
    }

    fn kind(&self, expression: &Expr) -> Option<DataType> {
        expression.get_type(self.schema).ok()
    }

    fn has_a_time(&self, expression: &Expr) -> bool {
        use DataType::{Date32, Interval, Timestamp};
        let kind = self.kind(expression);
        matches!(kind, Some(Timestamp(..) | Date32 | Interval(_)))
    }

    fn are_times(&self, left: &Expr, right: &Expr) -> bool {
        let is_time = |side| matches!(self.kind(side), Some(DataType::Timestamp(..)));
        is_time(left) && is_time(right)
    }

    /// Refuses a constant that is no time: of a column's value, the function makes null, and a comparison with null finds nothing.
    fn look_at_constant(&mut self, call: &ScalarFunction) {
        let [argument] = call.args.as_slice() else {
            return;
        };
        let Some(text) = text_of(argument) else {
            return;
        };
        let is_read = match call.func.name() {
            "from_iso8601_timestamp" => functions::moment(&text).is_some(),
            "from_iso8601_date" => text.trim().parse::<NaiveDate>().is_ok(),
            _ => true,
        };
        if !is_read {
            self.refused(argument.clone(), not_a_time(&text));
        }
    }

    /// `date_bin` of a time in a zone, whose days and hours are those there.
    fn binned(&mut self, call: ScalarFunction) -> Expr {
        let zone = call.args.get(1).and_then(|time| self.zone(time));
        let zone = zone.filter(|zone| call.func.name() == "date_bin" && &**zone != "UTC");
        let Some(zone) = zone else {
            return Expr::ScalarFunction(call);
        };
        self.changed = true;
        let args = call.args.into_iter().enumerate();
        let args = args.map(|(at, arg)| match at {
            1 => to_local_time().call(vec![arg]),
            _ => arg,
        });
        let binned = call.func.call(args.collect());
        let there = DataType::Timestamp(TimeUnit::Microsecond, Some(zone));
        Expr::Cast(Cast::new(Box::new(binned), there))
    }

    /// The zone of a time: none for a time without one, or for what is not a time.
    fn zone(&self, expression: &Expr) -> Option<Arc<str>> {
        match self.kind(expression) {
            Some(DataType::Timestamp(_, zone)) => zone,
            _ => None,
        }
    }

    /// Whether a time in a zone is made one without.
    fn loses_its_zone(&self, expression: &Expr, to: &DataType) -> bool {
        let zone = self.zone(expression);
        matches!(to, DataType::Timestamp(_, None)) && zone.is_some_and(|zone| &*zone != "UTC")
    }

    /// What is compared with each other, each such that it means the same in front of the others.
    fn compared<const SIDES: usize>(&mut self, sides: [Expr; SIDES]) -> [Expr; SIDES] {
        use DataType::{Date32, Duration, Interval, Timestamp};
        let kinds = sides.each_ref().map(|side| self.kind(side));
        let any = |is: fn(&DataType) -> bool| kinds.iter().flatten().any(is);
        let (time, day) = (
            any(|kind| matches!(kind, Timestamp(..))),
            any(|kind| *kind == Date32),
        );
        let length = |kind: &Option<DataType>| matches!(kind, Some(Duration(_) | Interval(_)));
        let lengths = kinds.iter().all(length) && any(|kind| matches!(kind, Interval(_)));
        let mut kinds = kinds.into_iter();
        sides.map(|side| match kinds.next().flatten() {
            Some(Timestamp(..)) => self.in_utc(side),
            Some(kind) if kind.is_string() && time => self.time(side),
            Some(kind) if kind.is_string() && day => self.day(side),
            Some(kind) if kind.is_numeric() && day => self.not_a_number(side),
            Some(_) if lengths => {
                self.changed = true;
                intervals::micros(side)
            }
            _ => side,
        })
    }

    /// A time in another zone as the same one in UTC: by the clock of the other zone, the engine would read what it meets.
    fn in_utc(&mut self, side: Expr) -> Expr {
        match self.zone(&side) {
            Some(zone) if &*zone != "UTC" => {
                self.changed = true;
                Expr::Cast(Cast::new(Box::new(side), utc()))
            }
            _ => side,
        }
    }

    /// A text as the time that it is.
    fn time(&mut self, expression: Expr) -> Expr {
        let Some(text) = text_of(&expression) else {
            return expression;
        };
        if ScalarValue::try_from_string(text.clone(), &utc()).is_ok() {
            return expression;
        }
        match parse_time(&text, self.now, Bound::Since) {
            Ok(time) => {
                self.changed = true;
                Expr::Literal(moment(time), None)
            }
            Err(_) => self.refused(expression, not_a_time(&text)),
        }
    }

    /// A text as the day that it is.
    fn day(&mut self, expression: Expr) -> Expr {
        let Some(text) = text_of(&expression) else {
            return expression;
        };
        let time = parse_time(&text, self.now, Bound::Since).ok();
        let span = parse_span(&text).is_some() || text.trim() == "now";
        match time {
            Some(time) if !span && time.time() != NaiveTime::MIN => {
                let said = format!(
                    "{text:?} is a time, and is compared with a day: compare event_time with it, or leave the time out"
                );
                self.refused(expression, said)
            }
            _ if ScalarValue::try_from_string(text.clone(), &DataType::Date32).is_ok() => {
                expression
            }
            Some(time) => {
                self.changed = true;
                let day = ScalarValue::Date32(Some(time.date_naive().to_epoch_days()));
                Expr::Literal(day, None)
            }
            None => {
                let said = format!("{text:?} is not a day; examples: 2025-03-01, yesterday, 7d");
                self.refused(expression, said)
            }
        }
    }

    /// A text that is cast to a time or a day, if the engine does not read it.
    fn made(&mut self, expression: Expr, to: &DataType, may_fail: bool) -> Expr {
        let (DataType::Timestamp(..) | DataType::Date32, Some(text)) = (to, text_of(&expression))
        else {
            return expression;
        };
        if ScalarValue::try_from_string(text.clone(), to).is_ok() {
            return expression;
        }
        match parse_time(&text, self.now, Bound::Since) {
            Ok(time) => {
                self.changed = true;
                Expr::Literal(moment(time), None)
            }
            Err(_) if may_fail => expression,
            Err(_) => self.refused(expression, not_a_time(&text)),
        }
    }

    /// The engine would count days since 1970.
    fn not_a_number(&mut self, expression: Expr) -> Expr {
        let said = "a day is compared with a number: write a day like '2025-03-01'";
        self.refused(expression, said.to_owned())
    }

    /// The expression as it is; the statement is refused, at the place of the text.
    fn refused(&mut self, expression: Expr, said: String) -> Expr {
        let place = text_of(&expression).and_then(|found| place_of(&found, self.text));
        self.unreadable
            .get_or_insert_with(|| SqlFault::new(said).at(place));
        expression
    }
}

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn moment(time: DateTime<Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(time.timestamp_micros()), Some("UTC".into()))
}

/// The text of a constant.
fn text_of(expression: &Expr) -> Option<String> {
    let text = expression.as_literal()?.try_as_str()??;
    Some(text.to_owned())
}

fn not_a_time(found: &str) -> String {
    format!(
        "{found:?} is not a time; examples: 2025-03-01, 2025-03-01 12:00, 2025-03-01T12:00:00Z, yesterday, 7d"
    )
}

/// Where a text stands in a statement.
fn place_of(found: &str, text: &str) -> Option<Position> {
    let quoted = format!("'{found}'");
    let before = &text[..text.find(&quoted)?];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default();
    let column = column.chars().count() + 1;
    Position::new((line as u64, column as u64), quoted.chars().count(), text)
}
