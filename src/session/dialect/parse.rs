//! How does text become statements?
//!
//! In: SQL text. Out: statements, rewritten. Promise: a text that DataFusion reads has the same statements, unless it calls
//! a function of another dialect.

use super::{calls, columns, headings, operators, unnest};
use crate::session::functions::IP_ADDRESS;
use datafusion::common::{DataFusionError, Result, plan_datafusion_err};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::VisitMut;
use datafusion::sql::sqlparser::dialect::{Dialect, DuckDbDialect, GenericDialect};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{
    Token, TokenWithSpan, Tokenizer, TokenizerError, Word,
};
use std::collections::VecDeque;

/// How deep a statement may be nested; deeper ones could exhaust the stack of a thread.
pub(crate) const DEEPEST: usize = 50;

/// The words of a text.
pub(crate) fn words(sql: &str) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location()
}

/// The statements that words make, as somebody typed them: columns without a name are called what was typed.
pub(crate) fn typed(words: Vec<TokenWithSpan>) -> Result<VecDeque<Statement>> {
    made(words, true)
}

/// The statements that words make.
fn parse(words: Vec<TokenWithSpan>) -> Result<VecDeque<Statement>> {
    made(words, false)
}

fn made(words: Vec<TokenWithSpan>, is_typed: bool) -> Result<VecDeque<Statement>> {
    // Where lambdas are read, `a -> b` is one; else it is an operator on JSON.
    let dialect: &dyn Dialect = match has_lambda(&words) {
        true => &DuckDbDialect {},
        false => &GenericDialect {},
    };
    let mut statements = DFParserBuilder::new(types(addresses(numbers(words))))
        .with_dialect(dialect)
        .with_recursion_limit(DEEPEST)
        .build()?
        .parse_statements()?;
    for statement in &mut statements {
        // Before anything is written anew.
        if is_typed && let Statement::Statement(statement) = statement {
            headings::name(statement);
        }
        rewrite(statement);
    }
    Ok(statements)
}

/// The one statement of a text that is keytrail's own.
pub(crate) fn statement(sql: &str) -> Result<Statement> {
    let words = words(sql).map_err(|error| DataFusionError::from(ParserError::from(error)))?;
    let mut statements = parse(words)?;
    match (statements.pop_front(), statements.pop_front()) {
        (Some(statement), None) => Ok(statement),
        (None, _) => Err(plan_datafusion_err!("no SQL statement")),
        (Some(_), Some(_)) => Err(plan_datafusion_err!("more than one SQL statement")),
    }
}

fn rewrite(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut unnest::Unnest);
            operators::rewrite(statement);
            let _ = statement.visit(&mut calls::Calls);
            let _ = statement.visit(&mut columns::Columns);
        }
        Statement::Explain(explain) => rewrite(&mut explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
    }
}

fn word(token: &TokenWithSpan) -> Option<&Word> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word),
        _ => None,
    }
}

/// Whether a function that takes a lambda is called, and an arrow stands somewhere.
fn has_lambda(tokens: &[TokenWithSpan]) -> bool {
    let arrow = tokens.iter().any(|token| token.token == Token::Arrow);
    arrow
        && tokens.windows(2).any(|pair| {
            pair[1].token == Token::LParen
                && word(&pair[0]).is_some_and(|word| calls::takes_lambda(&word.value))
        })
}

/// `1_000` as one number, not as a 1 that is called `_000`.
fn numbers(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if let Some(digits) = word(&token).and_then(|word| grouped_digits(&word.value))
            && let Some(TokenWithSpan {
                token: Token::Number(number, _),
                span,
            }) = out.last_mut()
            && span.end == token.span.start
        {
            number.push_str(&digits);
            span.end = token.span.end;
            continue;
        }
        out.push(token);
    }
    out
}

/// `_000` as `000`.
fn grouped_digits(word: &str) -> Option<String> {
    let digits = word.strip_prefix('_')?;
    let only_digits = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_');
    only_digits.then(|| digits.replace('_', ""))
}

/// `IPADDRESS '10.0.0.0'` as a call.
fn addresses(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let literal = matches!(token.token, Token::SingleQuotedString(_));
        let before = out
            .iter()
            .rposition(|token| !matches!(token.token, Token::Whitespace(_)));
        let type_name = before.filter(|at| {
            literal
                && word(&out[*at]).is_some_and(|word| word.value.eq_ignore_ascii_case("ipaddress"))
        });
        let Some(at) = type_name else {
            out.push(token);
            continue;
        };
        let span = out[at].span;
        out.truncate(at);
        let spanned = |token| TokenWithSpan { token, span };
        out.push(spanned(Token::make_word(IP_ADDRESS, None)));
        out.push(spanned(Token::LParen));
        out.push(token);
        out.push(spanned(Token::RParen));
    }
    out
}

/// `AS ARRAY(T)` as `AS ARRAY<T>`, and `AS MAP(…)` as `AS JSON`: types that no dialect of the parser's writes like that.
fn types(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let opens = token.token == Token::LParen;
        let mut before = out
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
        let is = |token: Option<(usize, &TokenWithSpan)>, name: &str| {
            let (at, token) = token?;
            word(token)?.value.eq_ignore_ascii_case(name).then_some(at)
        };
        let type_name = before.next().filter(|_| opens);
        let cast = is(before.next(), "as").is_some();
        let array = is(type_name, "array").filter(|_| cast);
        let map = is(type_name, "map").filter(|_| cast);
        if array.is_none() && map.is_none() {
            out.push(token);
            continue;
        }
        let span = token.span;
        let spanned = |token| TokenWithSpan { token, span };
        let mut inside = Vec::new();
        let mut open = 1;
        for token in tokens.by_ref() {
            match token.token {
                Token::LParen => open += 1,
                Token::RParen => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            inside.push(token);
        }
        match map {
            Some(at) => {
                out.truncate(at);
                out.push(spanned(Token::make_keyword("JSON")));
            }
            None => {
                out.push(spanned(Token::Lt));
                out.extend(inside);
                out.push(spanned(Token::Gt));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> String {
        let statements = parse(words(sql).expect("words")).expect("SQL");
        let texts: Vec<String> = statements.iter().map(ToString::to_string).collect();
        texts.join("; ")
    }

    #[test]
    fn plain_sql_stays_as_it_is() {
        for sql in [
            "SELECT a, count(*) AS n FROM t WHERE b = 'x' GROUP BY a ORDER BY n DESC LIMIT 3",
            "SELECT t.a FROM t WHERE a -> 'k' = 'v'",
            "SELECT regexp_replace(a, 'x', 'y', 'i') FROM \"T\"",
            "SHOW TABLES",
        ] {
            assert_eq!(written(sql), sql);
        }
    }

    #[test]
    fn other_dialects_are_translated() {
        for (sql, meant) in [
            (
                "SELECT 1 FROM t WHERE CAST(a AS IPADDRESS) > IPADDRESS '10.0.0.0'",
                "SELECT 1 FROM t WHERE ip_address(a) > ip_address('10.0.0.0')",
            ),
            (
                "SELECT TRY(CAST(a AS BIGINT)) FROM t",
                "SELECT TRY_CAST(a AS BIGINT) FROM t",
            ),
            (
                "SELECT IF(a > 1, 'x', 'y'), if(b, 1) FROM t",
                "SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END, CASE WHEN b THEN 1 END FROM t",
            ),
            (
                "SELECT regexp_replace(a, 'x'), regexp_replace(a, 'x', 'y') FROM t",
                "SELECT regexp_replace(a, 'x', '', 'g'), regexp_replace(a, 'x', 'y', 'g') FROM t",
            ),
            (
                "SELECT arbitrary(a), max_by(a, b), min_by(a, b), count_if(a > 1) FROM t",
                "SELECT first_value(a) IGNORE NULLS, first_value(a ORDER BY b DESC NULLS LAST), first_value(a ORDER BY b ASC NULLS LAST), count(*) FILTER (WHERE a > 1) FROM t",
            ),
            (
                "SELECT useridentity.arn, ct.useridentity.sessioncontext.sessionissuer.arn, resources[1].type FROM t",
                "SELECT useridentity.arn AS \"useridentity.arn\", ct.useridentity.sessioncontext.sessionissuer.arn AS \"useridentity.sessioncontext.sessionissuer.arn\", resources[1]['type'] AS type FROM t",
            ),
            (
                "SELECT userIdentity.userName FROM t ORDER BY userIdentity.userName",
                "SELECT userIdentity.userName AS username FROM t ORDER BY userIdentity.userName",
            ),
            (
                "SELECT \"eventTime\", \"Other\" FROM t",
                "SELECT \"eventtime\", \"Other\" FROM t",
            ),
            (
                "SELECT CAST(a AS ARRAY(VARCHAR)), element_at(CAST(b AS MAP(VARCHAR, JSON)), 'k') FROM t",
                "SELECT json_elements(a), element_at(b, 'k') FROM t",
            ),
            (
                "SELECT t.a, u.r.arn FROM t CROSS JOIN UNNEST(resources) AS u(r) WHERE u.r.type = 'x'",
                "SELECT t.a, r.arn FROM (SELECT *, unnest(resources) AS r FROM t WHERE resources IS NOT NULL) AS t WHERE r.type = 'x'",
            ),
            (
                "SELECT b.a FROM x.t AS b, UNNEST(split(b.c, ',')) v",
                "SELECT b.a FROM (SELECT *, unnest(string_to_array(b.c, ',')) AS v FROM x.t AS b WHERE string_to_array(b.c, ',') IS NOT NULL) AS b",
            ),
            (
                "SELECT arn FROM t CROSS JOIN UNNEST(t.resources) AS u (arn, account, type)",
                "SELECT arn FROM (SELECT * EXCEPT (resource), resource['arn'] AS arn, resource['accountid'] AS account, resource['type'] AS type FROM (SELECT *, unnest(t.resources) AS resource FROM t WHERE t.resources IS NOT NULL)) AS t",
            ),
            (
                "SELECT a FROM \"default\".\"cloudtrail_logs\" JOIN awsdb.cloudtrail AS c ON true",
                "SELECT a FROM \"cloudtrail_logs\" JOIN cloudtrail AS c ON true",
            ),
            (
                "SELECT filter(a, x -> x > 1) FROM t",
                "SELECT array_filter(a, x -> x > 1) FROM t",
            ),
            (
                "SELECT 1_000, 2 _000, a FROM t LIMIT 1_0",
                "SELECT 1000, 2 AS _000, a FROM t LIMIT 10",
            ),
            (
                "SELECT 1 FROM t WHERE a ILIKE ANY ('x%', 'y%', 'z') AND b NOT LIKE ALL ('x', 'y') AND c LIKE ANY (ARRAY['x'])",
                "SELECT 1 FROM t WHERE (a ILIKE 'x%' OR a ILIKE 'y%' OR a ILIKE 'z') AND NOT (b LIKE 'x' AND b LIKE 'y') AND (c LIKE 'x')",
            ),
            (
                "SELECT a ->> '$.k', a -> '$[0]', a ->> 'k' FROM t WHERE a RLIKE 'x' AND a NOT REGEXP 'y' AND a ^@ 'z' AND b = :name",
                "SELECT json_as_text(json_extract(a, '$.k')), json_extract(a, '$[0]'), a ->> 'k' FROM t WHERE a ~ 'x' AND a !~ 'y' AND starts_with(a, 'z') AND b = $name",
            ),
            (
                "SELECT 1 FROM t SEMI JOIN u ON t.a = u.a ANTI JOIN v ON t.a = v.a",
                "SELECT 1 FROM t LEFT SEMI JOIN u ON t.a = u.a LEFT ANTI JOIN v ON t.a = v.a",
            ),
            (
                "SELECT countIf(a > 1), groupArray(b), list(b), collect_set(b), iff(a, 1, 2), strftime('%Y', c), array_agg(a) WITHIN GROUP (ORDER BY b) FROM t",
                "SELECT count(*) FILTER (WHERE a > 1), array_agg(b), array_agg(b), array_agg(DISTINCT b), CASE WHEN a THEN 1 ELSE 2 END, strftime(c, '%Y'), array_agg(a ORDER BY b) FROM t",
            ),
        ] {
            assert_eq!(written(sql), meant);
        }
    }

    /// The parser has arrows bind weaker than what compares, and writes no brackets.
    #[test]
    fn arrows_take_what_is_beside_them() {
        let spans = r"Span\(Location\(\d+,\d+\)\.\.Location\(\d+,\d+\)\)";
        let spans = regex::Regex::new(spans).expect("a pattern");
        for (sql, meant) in [
            ("a ->> 'k' = 'v'", "(a ->> 'k') = 'v'"),
            ("a -> 'x' ->> 'y' <> 'v'", "((a -> 'x') ->> 'y') <> 'v'"),
            ("a ->> 'k' IS NOT NULL", "(a ->> 'k') IS NOT NULL"),
            ("NOT a ->> 'k' LIKE 'v%'", "NOT ((a ->> 'k') LIKE 'v%')"),
            ("a ->> 'k' IN ('v', 'w')", "(a ->> 'k') IN ('v', 'w')"),
            (
                "a ->> 'k' BETWEEN 'v' AND 'w'",
                "(a ->> 'k') BETWEEN 'v' AND 'w'",
            ),
            (
                "a ->> 'k' LIKE ANY ('v', 'w')",
                "(a ->> 'k') LIKE ANY ('v', 'w')",
            ),
            ("a ->> 'k' ^@ 'v'", "(a ->> 'k') ^@ 'v'"),
            ("a ->> 'k' ~ 'v'", "(a ->> 'k') ~ 'v'"),
            ("a -> 'x' = b -> 'y'", "(a -> 'x') = (b -> 'y')"),
            ("'v' = a ->> 'k'", "'v' = (a ->> 'k')"),
            (
                "a ->> 'k' || 'x' || b ->> 'z'",
                "((a ->> 'k') || 'x') || (b ->> 'z')",
            ),
            (
                "a ->> 'k' = 'v' AND b ->> 'l' = 'w'",
                "((a ->> 'k') = 'v') AND ((b ->> 'l') = 'w')",
            ),
            ("a -> 0 + 1", "a -> (0 + 1)"),
        ] {
            let tree = |condition: &str| {
                let sql = format!("SELECT 1 FROM t WHERE {condition}");
                let statements = parse(words(&sql).expect("words")).expect("SQL");
                let tree = format!("{:?}", statements[0]);
                // Brackets are nodes; places are not of interest.
                without_brackets(spans.replace_all(&tree, "").into_owned())
            };
            assert_eq!(tree(sql), tree(meant), "{sql}");
        }
    }

    /// The tree without the nodes of brackets.
    fn without_brackets(mut tree: String) -> String {
        while let Some(at) = tree.find("Nested(") {
            let inside = at + "Nested(".len();
            let mut depth = 1;
            let end = tree[inside..].char_indices().find(|(_, letter)| {
                depth += match letter {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let end = inside + end.expect("a closing bracket").0;
            tree = format!("{}{}{}", &tree[..at], &tree[inside..end], &tree[end + 1..]);
        }
        tree
    }

    #[test]
    fn what_is_no_sql_is_an_error() {
        assert!(statement("SELEC 1").is_err());
        assert!(statement("SELECT 'open").is_err());
        assert!(statement("").is_err());
        assert!(statement("SELECT 1; SELECT 2").is_err());
    }
}
