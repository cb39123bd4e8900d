//! Which function is called by another name, or in another order?
//!
//! In: calls as Athena and CloudTrail Lake write them. Out: calls of DataFusion's functions, and of ours. Promise: the same
//! rows; where a function of DataFusion's has the same name and another meaning, the other dialect's meaning counts, and
//! `docs/sql-dialects.md` says so.

use crate::session::functions::{AT_TIMEZONE, IP_ADDRESS, JSON_AS_TEXT, JSON_ELEMENTS, SUBSTR};
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    NullTreatment, ObjectName, OrderByExpr, OrderByOptions, Subscript, UnaryOperator, Value,
    VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// The same functions by other names: theirs, DataFusion's.
const NAMES: [(&str, &str); 16] = [
    ("approx_percentile", "approx_percentile_cont"),
    ("collect_list", "array_agg"),
    ("every", "bool_and"),
    ("filter", "array_filter"),
    ("grouparray", "array_agg"),
    ("list", "array_agg"),
    ("rand", "random"),
    ("sequence", "generate_series"),
    ("split", "string_to_array"),
    ("str_split", "string_to_array"),
    ("string_split", "string_to_array"),
    ("transform", "array_transform"),
    ("uniq", "approx_distinct"),
    ("list_filter", "array_filter"),
    ("list_transform", "array_transform"),
    ("zip", "arrays_zip"),
];

/// Whether a function is called with a lambda.
pub(super) fn takes_lambda(name: &str) -> bool {
    [
        "filter",
        "transform",
        "any_match",
        "all_match",
        "none_match",
        "array_filter",
        "array_transform",
        "array_any_match",
        "list_filter",
        "list_transform",
        "list_any_match",
    ]
    .iter()
    .any(|lambda| lambda.eq_ignore_ascii_case(name))
}

pub(super) struct Calls;

impl VisitorMut for Calls {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast {
            expr: inner,
            data_type,
            ..
        } = expr
        {
            let function = match data_type {
                DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("ipaddress") => {
                    Some(IP_ADDRESS)
                }
                // Lists in JSON text; a list made of something else has no need of a cast.
                DataType::Array(_) => Some(JSON_ELEMENTS),
                // JSON is text here, also in the place of maps.
                DataType::JSON => None,
                _ => {
                    if gives_json(inner) {
                        let json = std::mem::replace(&mut **inner, null());
                        **inner = call(JSON_AS_TEXT, vec![json]);
                    }
                    return ControlFlow::Continue(());
                }
            };
            let inner = std::mem::replace(&mut **inner, null());
            *expr = match function {
                Some(function) => call(function, vec![inner]),
                None => inner,
            };
        }
        // The engine's own clause takes a time without a zone for one in that zone, and forgets the zone in most functions.
        if let Expr::AtTimeZone {
            timestamp,
            time_zone,
        } = expr
        {
            let taken = [timestamp, time_zone].map(|part| std::mem::replace(&mut **part, null()));
            *expr = call(AT_TIMEZONE, taken.into());
        }
        // Else it is the engine's own function, which counts in another way.
        if let Expr::Substring {
            expr: whole,
            substring_from,
            substring_for,
            ..
        } = expr
        {
            let start = substring_from.take();
            let start = start.map_or_else(|| number("1"), |start| *start);
            let mut arguments = vec![std::mem::replace(&mut **whole, null()), start];
            arguments.extend(substring_for.take().map(|length| *length));
            *expr = call(SUBSTR, arguments);
        }
        if let Expr::Lambda(lambda) = expr {
            let parameters: Vec<String> = lambda
                .params
                .iter()
                .map(|parameter| parameter.name.value.to_lowercase())
                .collect();
            let _ = lambda.body.visit(&mut Fields { of: &parameters });
        }
        if let Expr::Function(function) = expr
            && let Some(new) = rewritten(function)
        {
            *expr = new;
        }
        ControlFlow::Continue(())
    }
}

/// Fields of what a lambda is called with: `r.arn` as `r['arn']`, since `r` is no table.
struct Fields<'a> {
    of: &'a [String],
}

impl VisitorMut for Fields<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(names) = expr
            && let Some((first, fields)) = names.split_first()
            && self.of.contains(&first.value.to_lowercase())
        {
            let fields = fields.iter().map(|field| {
                AccessExpr::Subscript(Subscript::Index {
                    index: text(&field.value.to_lowercase()),
                })
            });
            *expr = Expr::CompoundFieldAccess {
                root: Box::new(Expr::Identifier(first.clone())),
                access_chain: fields.collect(),
            };
        }
        ControlFlow::Continue(())
    }
}

/// Whether a value is JSON: a text in it has quotes, which are not meant where it is cast.
fn gives_json(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else {
        return false;
    };
    match function.name.0.as_slice() {
        [part] => part.as_ident().is_some_and(|name| {
            ["json_extract", "json_array_get", "json_parse"]
                .iter()
                .any(|json| json.eq_ignore_ascii_case(&name.value))
        }),
        _ => false,
    }
}

/// Changes a call; gives what stands in its place if that is no call.
fn rewritten(function: &mut Function) -> Option<Expr> {
    let name = match function.name.0.as_slice() {
        [part] => part.as_ident()?.value.to_lowercase(),
        _ => return None,
    };
    let FunctionArguments::List(list) = &mut function.args else {
        return None;
    };
    let arguments = list.args.len();
    match (name.as_str(), arguments) {
        ("try", 1) => return Some(lenient(argument(list, 0)?)),
        ("if" | "iff" | "iif", 2 | 3) => {
            let mut values = taken(list)?;
            let otherwise = (values.len() == 3).then(|| values.pop()).flatten();
            let result = values.pop()?;
            return Some(Expr::Case {
                case_token: AttachedToken::empty(),
                end_token: AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen {
                    condition: values.pop()?,
                    result,
                }],
                else_result: otherwise.map(Box::new),
            });
        }
        // Every match is replaced, not the first only.
        ("regexp_replace", 2 | 3) => {
            if arguments == 2 {
                list.args.push(unnamed(text("")));
            }
            list.args.push(unnamed(text("g")));
        }
        // https://trino.io/docs/current/functions/aggregate.html#listagg
        ("listagg", 1 | 2) => {
            if arguments == 1 {
                list.args.push(unnamed(text("")));
            }
            if !function.within_group.is_empty() {
                let order = std::mem::take(&mut function.within_group);
                list.clauses.push(FunctionArgumentClause::OrderBy(order));
            }
            rename(function, "string_agg");
        }
        ("max_by" | "min_by" | "arg_max" | "arg_min", 2) => {
            let by = argument(list, 1)?;
            list.args.pop();
            list.clauses
                .push(FunctionArgumentClause::OrderBy(vec![OrderByExpr {
                    expr: by,
                    options: OrderByOptions {
                        asc: Some(matches!(name.as_str(), "min_by" | "arg_min")),
                        nulls_first: Some(false),
                    },
                    with_fill: None,
                }]));
            rename(function, "first_value");
        }
        // None of them, or none of them not.
        ("none_match" | "all_match", 2) => {
            if let (
                "all_match",
                Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(rule)))),
            ) = (name.as_str(), list.args.get_mut(1))
            {
                let body = std::mem::replace(&mut *rule.body, null());
                *rule.body = not(body);
            }
            rename(function, "any_match");
            return Some(not(Expr::Function(function.clone())));
        }
        // https://trino.io/docs/current/functions/aggregate.html#arbitrary: one that is not null, if there is one.
        ("any_value" | "arbitrary", 1) => {
            function.null_treatment = Some(NullTreatment::IgnoreNulls);
            rename(function, "first_value");
        }
        // https://trino.io/docs/current/functions/aggregate.html#approx_percentile: x, weight, percentage.
        ("approx_percentile", 3) => rename(function, "approx_percentile_cont_with_weight"),
        ("from_unixtime", 2) => {
            let zone = list.args.pop()?;
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(zone)) = zone else {
                return None;
            };
            return Some(call(
                AT_TIMEZONE,
                vec![Expr::Function(function.clone()), zone],
            ));
        }
        // https://duckdb.org/docs/stable/sql/functions/dateformat: the format may come first.
        ("strftime", 2) if is_format(list) => list.args.swap(0, 1),
        ("array_agg", 1) if !function.within_group.is_empty() => {
            let order = std::mem::take(&mut function.within_group);
            list.clauses.push(FunctionArgumentClause::OrderBy(order));
        }
        ("uniqexact", 1) => {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            rename(function, "count");
        }
        ("count_if" | "countif", 1) => {
            let condition = argument(list, 0)?;
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)];
            function.filter = Some(Box::new(condition));
            rename(function, "count");
        }
        ("set_agg" | "collect_set" | "groupuniqarray", 1) => {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            rename(function, "array_agg");
        }
        _ => {
            let (_, ours) = NAMES.iter().find(|(theirs, _)| *theirs == name)?;
            rename(function, ours);
        }
    }
    None
}

/// Whether the first argument is a format, as a constant.
fn is_format(list: &FunctionArgumentList) -> bool {
    match list.args.first() {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => {
            matches!(&value.value, Value::SingleQuotedString(text) if text.contains('%'))
        }
        _ => false,
    }
}

/// The expression with casts, and readings of times, that give null where they would fail.
fn lenient(mut expr: Expr) -> Expr {
    struct Casts;
    impl VisitorMut for Casts {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            match expr {
                Expr::Cast { kind, .. } => *kind = CastKind::TryCast,
                Expr::Function(function) => {
                    let name = function.name.to_string().to_lowercase();
                    if ["date_parse", "parse_datetime"].contains(&name.as_str()) {
                        rename(function, &format!("try_{name}"));
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let _ = expr.visit(&mut Casts);
    expr
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(Expr::Nested(Box::new(expr))),
    }
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), false).into())
}

fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

/// Takes an argument out of its place.
fn argument(list: &mut FunctionArgumentList, at: usize) -> Option<Expr> {
    match list.args.get_mut(at)? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(std::mem::replace(expr, null())),
        _ => None,
    }
}

fn taken(list: &mut FunctionArgumentList) -> Option<Vec<Expr>> {
    (0..list.args.len()).map(|at| argument(list, at)).collect()
}

fn rename(function: &mut Function, name: &str) {
    function.name = ObjectName::from(vec![Ident::new(name)]);
}

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(unnamed).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
