//! From the text of a condition to its tree.
//!
//! In: text such as `errorMessage = 'x' and count >= 5 per 15m by accountId`. Out: a [`Condition`]. Promise: an error
//! names the column at which the text stopped making sense and what could have stood there.

use super::condition::{Comparison, Condition, Measure, Operand, Right, Set, Test, Window};
use super::list_name::ListName;
use super::path::Path;
use regex::Regex;
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{
    alt, cut_err, delimited, fail, not, opt, preceded, repeat, separated, terminated,
};
use winnow::error::{ContextError, ErrMode, StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::stream::AsChar;
use winnow::token::{take_till, take_while};

/// Conditions nest no deeper than this, so that no rules file can exhaust the stack.
const MAX_DEPTH: usize = 32;

const A_TEST: &str = "a test, e.g. `path = 'value'`";

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Characters before the place.
    pub(super) at: usize,
    pub(super) reason: String,
}

/// Reads a condition; nothing means always.
pub(super) fn condition(text: &str) -> Result<Condition, Fault> {
    if text.trim().is_empty() {
        return Ok(Condition::All(Vec::new()));
    }
    let depth = text.chars().filter(|&c| c == '(').count();
    if depth > MAX_DEPTH {
        let reason = format!("more than {MAX_DEPTH} parentheses");
        return Err(Fault { at: 0, reason });
    }
    let mut parser = delimited(multispace0, any_of, multispace0);
    parser.parse(text).map_err(|error| {
        let at = text[..error.offset()].chars().count();
        let context = error.inner();
        let reason = match context.cause() {
            Some(cause) => cause.to_string(),
            None if error.offset() == text.len() => {
                format!("{}, but the text ends here", wanted(context))
            }
            None => wanted(context),
        };
        Fault { at, reason }
    })
}

fn wanted(context: &ContextError) -> String {
    let expected = context.context().filter_map(|context| match context {
        StrContext::Expected(StrContextValue::Description(what)) => Some(*what),
        _ => None,
    });
    // From the inside out: the widest that is still part of the test says most.
    let mut expected: Vec<&str> = expected.collect();
    let test = expected.iter().position(|what| *what == A_TEST);
    expected.truncate(test.map_or(expected.len(), |at| at.max(1)));
    match expected.last() {
        Some(what) => format!("expected {what}"),
        None => "expected `and`, `or` or the end".to_owned(),
    }
}

fn expected(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

/// A mistake that the grammar cannot see.
#[derive(Debug)]
struct Mistake(String);

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

// ---- and, or, not

fn any_of(input: &mut &str) -> ModalResult<Condition> {
    let mut parts: Vec<Condition> = separated(1.., all_of, spaced(word("or"))).parse_next(input)?;
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => Condition::Any(parts),
    })
}

fn all_of(input: &mut &str) -> ModalResult<Condition> {
    let mut parts: Vec<Condition> = separated(1.., part, spaced(word("and"))).parse_next(input)?;
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => Condition::All(parts),
    })
}

fn part(input: &mut &str) -> ModalResult<Condition> {
    let nots: Vec<()> =
        repeat(0..MAX_DEPTH, terminated(word("not"), multispace0).void()).parse_next(input)?;
    let inner = alt((
        delimited(
            ('(', multispace0),
            cut_err(any_of),
            cut_err((multispace0, ')').context(expected("`)`"))),
        ),
        test.map(Condition::Test),
    ))
    .context(expected(A_TEST))
    .parse_next(input)?;
    Ok(match nots.len() % 2 {
        0 => inner,
        _ => Condition::Not(Box::new(inner)),
    })
}

// ---- tests

fn test(input: &mut &str) -> ModalResult<Test> {
    alt((first_seen, window, relation)).parse_next(input)
}

fn first_seen(input: &mut &str) -> ModalResult<Test> {
    let paths: Vec<(&str, Path)> =
        preceded(word("first_seen"), cut_err(arguments(path_text))).parse_next(input)?;
    let names: Vec<&str> = paths.iter().map(|(text, _)| *text).collect();
    let name = names.join(",");
    let paths = paths.into_iter().map(|(_, path)| path).collect();
    Ok(Test::FirstSeen(name, paths))
}

fn window(input: &mut &str) -> ModalResult<Test> {
    let one = |input: &mut &str| {
        cut_err(delimited(('(', multispace0), path, (multispace0, ')'))).parse_next(input)
    };
    let measure = alt((
        word("count").value(Measure::Count),
        preceded(word("distinct"), one).map(Measure::Distinct),
        preceded(word("sum"), one).map(Measure::Sum),
    ));
    let rest = (
        preceded(spaced(">="), number).context(expected("`>= number`")),
        preceded(spaced(word("per")), duration)
            .context(expected("`per` and a time, e.g. `per 10m`")),
        preceded(spaced(word("by")), path).context(expected("`by` and a path")),
    );
    (measure, cut_err(rest))
        .map(|(measure, (at_least, span, by))| {
            Test::Window(Window {
                id: 0,
                measure,
                at_least,
                span,
                by,
            })
        })
        .parse_next(input)
}

fn relation(input: &mut &str) -> ModalResult<Test> {
    let left = operand.parse_next(input)?;
    let sign = alt(("!=", "<=", ">=", "=", "~"));
    let verb = alt((
        word("contains"),
        word("startswith"),
        word("in"),
        word("exists"),
        (word("not"), multispace0, word("in")).value("not in"),
        (word("not"), multispace0, word("exists")).value("not exists"),
    ));
    let operator = spaced(alt((sign, verb)));
    let operator = cut_err(operator)
        .context(expected(
            "an operator: =, !=, <=, >=, ~, contains, startswith, in, not in, exists, not exists",
        ))
        .parse_next(input)?;
    let text =
        |input: &mut &str| cut_err(quoted.context(expected("a text in '…'"))).parse_next(input);
    let limit = |input: &mut &str| cut_err(number.context(expected("a number"))).parse_next(input);
    Ok(match operator {
        "exists" | "not exists" => Test::Exists {
            value: left,
            negated: operator == "not exists",
        },
        "in" | "not in" => Test::In {
            value: left,
            negated: operator == "not in",
            set: cut_err(set).parse_next(input)?,
        },
        "contains" => Test::Compare(left, Comparison::Contains(text(input)?)),
        "startswith" => Test::Compare(left, Comparison::StartsWith(text(input)?)),
        "~" => {
            let mut pattern = cut_err(quoted.context(expected("a pattern in '…'")).try_map(
                |text| {
                    Regex::new(&text)
                        .map_err(|error| Mistake(format!("not a regular expression: {error}")))
                },
            ));
            Test::Compare(left, Comparison::Matches(pattern.parse_next(input)?))
        }
        "<=" => Test::Compare(left, Comparison::AtMost(limit(input)?)),
        ">=" => Test::Compare(left, Comparison::AtLeast(limit(input)?)),
        "!=" => Test::Compare(left, Comparison::Unequal(right(input)?)),
        _ => Test::Compare(left, Comparison::Equal(right(input)?)),
    })
}

fn right(input: &mut &str) -> ModalResult<Right> {
    cut_err(alt((
        quoted.map(Right::Text),
        alt((word("true"), word("false"))).map(|text: &str| Right::Text(text.to_owned())),
        number.map(Right::Number),
        operand.map(Right::Operand),
    )))
    .context(expected("a text in '…', a number, true, false or a path"))
    .parse_next(input)
}

fn set(input: &mut &str) -> ModalResult<Set> {
    let named = name.try_map(|name| {
        ListName::named(name).ok_or_else(|| Mistake(format!("unknown list {name:?}")))
    });
    alt((arguments(quoted).map(Set::Given), named.map(Set::Named)))
        .context(expected("('a', 'b') or the name of a list"))
        .parse_next(input)
}

fn operand(input: &mut &str) -> ModalResult<Operand> {
    let one = |input: &mut &str| {
        cut_err(delimited(('(', multispace0), operand, (multispace0, ')'))).parse_next(input)
    };
    alt((
        preceded(word("accounts"), one).map(|of| Operand::Accounts(Box::new(of))),
        preceded(word("principals"), one).map(|of| Operand::Principals(Box::new(of))),
        preceded(word("join"), cut_err(arguments(operand))).map(Operand::Join),
        path.map(Operand::Path),
    ))
    .parse_next(input)
}

// ---- words

/// `(a, b)`.
fn arguments<'i, O>(
    one: impl Parser<&'i str, O, ErrMode<ContextError>>,
) -> impl Parser<&'i str, Vec<O>, ErrMode<ContextError>> {
    delimited(
        ('(', multispace0),
        separated(1.., one, spaced(",")),
        (multispace0, ')').context(expected("`,` or `)`")),
    )
}

fn spaced<'i, O>(
    inner: impl Parser<&'i str, O, ErrMode<ContextError>>,
) -> impl Parser<&'i str, O, ErrMode<ContextError>> {
    delimited(multispace0, inner, multispace0)
}

/// A keyword that is not the beginning of a longer word.
fn word<'i>(keyword: &'static str) -> impl Parser<&'i str, &'i str, ErrMode<ContextError>> {
    terminated(keyword, not(take_while(1, in_path)))
}

fn in_path(c: char) -> bool {
    c.is_alphanum() || matches!(c, '_' | '-' | ':' | '.' | '[' | ']')
}

fn name<'i>(input: &mut &'i str) -> ModalResult<&'i str> {
    take_while(1.., in_path).parse_next(input)
}

fn path(input: &mut &str) -> ModalResult<Path> {
    path_text.map(|(_, path)| path).parse_next(input)
}

fn path_text<'i>(input: &mut &'i str) -> ModalResult<(&'i str, Path)> {
    const RESERVED: [&str; 9] = [
        "and",
        "or",
        "not",
        "in",
        "exists",
        "contains",
        "startswith",
        "per",
        "by",
    ];
    let start = *input;
    let text = name
        .context(expected("a path into a record"))
        .parse_next(input)?;
    if RESERVED.contains(&text) {
        *input = start;
        return fail
            .context(expected("a path into a record"))
            .parse_next(input);
    }
    match Path::parse(text) {
        Ok(path) => Ok((text, path)),
        Err(reason) => {
            *input = start;
            let error = winnow::error::FromExternalError::<&str, Mistake>::from_external_error(
                &start,
                Mistake(reason),
            );
            Err(ErrMode::Cut(error))
        }
    }
}

/// `'text'`; two quotes stand for one.
fn quoted(input: &mut &str) -> ModalResult<String> {
    let piece = take_till(0.., '\'');
    let inner = separated(1.., piece, "''").map(|pieces: Vec<&str>| pieces.join("'"));
    delimited('\'', inner, '\'').parse_next(input)
}

/// `5`, `0.5`, `1GiB`.
fn number(input: &mut &str) -> ModalResult<f64> {
    let digits = (digit1, opt(('.', digit1))).take().parse_to::<f64>();
    let unit = alt((
        "KiB".value(1_024.0),
        "MiB".value(1_048_576.0),
        "GiB".value(1_073_741_824.0),
        "TiB".value(1_099_511_627_776.0),
    ));
    let number =
        (digits, opt(unit)).map(|(number, unit): (f64, Option<f64>)| number * unit.unwrap_or(1.0));
    terminated(number, not(take_while(1, in_path))).parse_next(input)
}

/// `30s`, `10m`, `1h`, `7d`, in microseconds.
fn duration(input: &mut &str) -> ModalResult<i64> {
    let unit = alt((
        's'.value(1),
        'm'.value(60),
        'h'.value(3_600),
        'd'.value(86_400),
    ));
    let span = (digit1.parse_to::<i64>(), unit)
        .verify_map(|(n, unit): (i64, i64)| n.checked_mul(unit)?.checked_mul(1_000_000));
    terminated(span, not(take_while(1, in_path))).parse_next(input)
}
