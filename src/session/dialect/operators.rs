//! Which operator is written in another way?
//!
//! In: operators, joins and parameters as other engines write them. Out: those that DataFusion plans. Promise: the same rows.
//!
//! | written | becomes |
//! |---|---|
//! | `x LIKE ANY ('a%', 'b%')`, `x LIKE ALL (…)`, also `ILIKE` | `x LIKE 'a%' OR x LIKE 'b%'`, with `AND` |
//! | `x RLIKE 'a'`, `x REGEXP 'a'`, `x ^@ 'a'` | `x ~ 'a'`, `starts_with(x, 'a')` |
//! | `json ->> 'a' = 'b'`, also with `LIKE`, `IN`, `IS NULL` … | `(json ->> 'a') = 'b'`: the parser has arrows bind weaker |
//! | `json -> '$.a'`, `json ->> '$.a'` | the value at the path, not the member of that name |
//! | `SEMI JOIN`, `ANTI JOIN` | `LEFT SEMI JOIN`, `LEFT ANTI JOIN` |
//! | `:name` | `$name` |

use super::calls::call;
use crate::session::functions::{JSON_AS_TEXT, JSON_EXTRACT};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, JoinOperator, Select,
    UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Changes the operators of a statement.
pub(super) fn rewrite(statement: &mut impl VisitMut) {
    let _ = statement.visit(&mut Arrows);
    let _ = statement.visit(&mut Operators);
}

/// Gives each arrow what stands beside it, before anything else is changed.
struct Arrows;

impl VisitorMut for Arrows {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        bind(expr);
        ControlFlow::Continue(())
    }
}

struct Operators;

impl VisitorMut for Operators {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(new) = of_many(expr).or_else(|| of_two(expr)) {
            *expr = new;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let tables = select.from.iter_mut();
        for join in tables.flat_map(|table| &mut table.joins) {
            join.join_operator = match &join.join_operator {
                JoinOperator::Semi(on) => JoinOperator::LeftSemi(on.clone()),
                JoinOperator::Anti(on) => JoinOperator::LeftAnti(on.clone()),
                _ => continue,
            };
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        if let Value::Placeholder(name) = &mut value.value
            && let Some(word) = name.strip_prefix(':')
            && word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        {
            *name = format!("${word}");
        }
        ControlFlow::Continue(())
    }
}

/// The arrow between what stands beside it, and what compares or joins texts around it.
fn bind(expr: &mut Expr) {
    let Expr::BinaryOp { left, op, right } = expr else {
        return;
    };
    if !matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow) {
        return;
    }
    let (mut before, mut after) = (taken_from(left), taken_from(right));
    let op = op.clone();
    let json = taken_from(last(&mut before));
    let key = taken_from(first(&mut after));
    let member = Expr::BinaryOp {
        left: Box::new(json),
        op,
        right: Box::new(key),
    };
    *first(&mut after) = member;
    *last(&mut before) = after;
    *expr = before;
}

fn taken_from(place: &mut Expr) -> Expr {
    std::mem::replace(place, Expr::Value(Value::Null.into()))
}

/// The first operand of what is looser than an arrow, itself if it is none.
fn first(expr: &mut Expr) -> &mut Expr {
    if is_tighter(expr) {
        return expr;
    }
    match expr {
        Expr::BinaryOp { left, .. } | Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } => {
            first(left)
        }
        Expr::IsDistinctFrom(left, _) | Expr::IsNotDistinctFrom(left, _) => first(left),
        Expr::Like { expr, .. }
        | Expr::ILike { expr, .. }
        | Expr::RLike { expr, .. }
        | Expr::InList { expr, .. }
        | Expr::InSubquery { expr, .. }
        | Expr::Between { expr, .. }
        | Expr::IsNull(expr)
        | Expr::IsNotNull(expr) => first(expr),
        other => other,
    }
}

/// The last operand of what is looser than an arrow, itself if it is none.
fn last(expr: &mut Expr) -> &mut Expr {
    if is_tighter(expr) {
        return expr;
    }
    match expr {
        Expr::BinaryOp { right, .. } => last(right),
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => last(right),
        Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } => last(pattern),
        Expr::Between { high, .. } => last(high),
        other => other,
    }
}

fn is_tighter(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op, .. } if !is_looser(op))
}

fn is_looser(op: &BinaryOperator) -> bool {
    use BinaryOperator::{
        Eq, Gt, GtEq, Lt, LtEq, NotEq, PGILikeMatch, PGLikeMatch, PGNotILikeMatch, PGNotLikeMatch,
        PGRegexIMatch, PGRegexMatch, PGRegexNotIMatch, PGRegexNotMatch, PGStartsWith, StringConcat,
    };
    matches!(
        op,
        Eq | NotEq
            | Lt
            | LtEq
            | Gt
            | GtEq
            | StringConcat
            | PGStartsWith
            | PGRegexMatch
            | PGRegexIMatch
            | PGRegexNotMatch
            | PGRegexNotIMatch
            | PGLikeMatch
            | PGILikeMatch
            | PGNotLikeMatch
            | PGNotILikeMatch
    )
}

/// `LIKE` with several patterns.
fn of_many(expr: &Expr) -> Option<Expr> {
    let (Expr::Like {
        pattern,
        any,
        negated,
        ..
    }
    | Expr::ILike {
        pattern,
        any,
        negated,
        ..
    }) = expr
    else {
        return None;
    };
    let (joins, patterns) = match &**pattern {
        several if *any => (BinaryOperator::Or, listed(several)?),
        Expr::Function(all) if all.name.to_string().eq_ignore_ascii_case("all") => {
            let FunctionArguments::List(list) = &all.args else {
                return None;
            };
            let patterns = list.args.iter().map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern)) => Some(pattern.clone()),
                _ => None,
            });
            (BinaryOperator::And, patterns.collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let alike = patterns.into_iter().map(|one| {
        let mut alike = expr.clone();
        if let Expr::Like {
            pattern,
            any,
            negated,
            ..
        }
        | Expr::ILike {
            pattern,
            any,
            negated,
            ..
        } = &mut alike
        {
            (**pattern, *any, *negated) = (one, false, false);
        }
        alike
    });
    let alike = Expr::Nested(Box::new(joined(&joins, alike.collect())?));
    Some(match negated {
        true => Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(alike),
        },
        false => alike,
    })
}

/// The elements of `('a', 'b')`, `('a')` and `(ARRAY['a', 'b'])`.
fn listed(patterns: &Expr) -> Option<Vec<Expr>> {
    match patterns {
        Expr::Tuple(patterns) => Some(patterns.clone()),
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Nested(inner) => match &**inner {
            inner @ Expr::Array(_) => listed(inner),
            one => Some(vec![one.clone()]),
        },
        Expr::Value(_) => Some(vec![patterns.clone()]),
        _ => None,
    }
}

/// Conditions as a tree that is no deeper than it must be.
fn joined(by: &BinaryOperator, mut conditions: Vec<Expr>) -> Option<Expr> {
    if conditions.len() < 2 {
        return conditions.pop();
    }
    let right = conditions.split_off(conditions.len() / 2);
    Some(Expr::BinaryOp {
        left: Box::new(joined(by, conditions)?),
        op: by.clone(),
        right: Box::new(joined(by, right)?),
    })
}

fn of_two(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::RLike {
            negated,
            expr,
            pattern,
            ..
        } => Some(Expr::BinaryOp {
            left: expr.clone(),
            op: match negated {
                true => BinaryOperator::PGRegexNotMatch,
                false => BinaryOperator::PGRegexMatch,
            },
            right: pattern.clone(),
        }),
        Expr::BinaryOp { left, op, right } => {
            let both = || vec![(**left).clone(), (**right).clone()];
            match op {
                BinaryOperator::PGStartsWith => Some(call("starts_with", both())),
                BinaryOperator::Arrow if is_path(right) => Some(call(JSON_EXTRACT, both())),
                BinaryOperator::LongArrow if is_path(right) => {
                    Some(call(JSON_AS_TEXT, vec![call(JSON_EXTRACT, both())]))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a text is a path (`$.a`, `$[0]`); no member is called like that.
fn is_path(expr: &Expr) -> bool {
    let Expr::Value(value) = expr else {
        return false;
    };
    match &value.value {
        Value::SingleQuotedString(text) => text.starts_with("$.") || text.starts_with("$["),
        _ => false,
    }
}
