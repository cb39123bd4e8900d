//! How deep a statement is nested, before it is parsed.
//!
//! In: text, as words. Out: a refusal of what would make trees too deep to be walked. Promise: neither parser nor planner nor the
//! release of what they made meets a tree that exhausts the stack, since a chain of operators is a tree as deep as the
//! chain is long, and no parser counts those levels.

use super::SqlFault;
use crate::session::fault::Position;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// Operators and keywords in one expression, what is in brackets inside it apart.
const LONGEST_CHAIN: usize = 1_000;

/// A text longer than this was not written by anybody.
const LONGEST_TEXT: usize = 4 << 20;

/// Refuses texts that are too long for anybody to have written them.
pub(super) fn check_length(text: &str) -> Result<(), SqlFault> {
    match text.len() <= LONGEST_TEXT {
        true => Ok(()),
        false => Err(SqlFault::new(format!(
            "the SQL is too long: {} bytes of at most {LONGEST_TEXT}",
            text.len()
        ))),
    }
}

/// How statements of other engines begin, and what is written here.
const FOREIGN: [(&str, &str); 4] = [
    (
        "SUMMARIZE",
        "DESCRIBE events lists the columns; ask for count(x), count(DISTINCT x), min(x), max(x) of those that matter",
    ),
    (
        "PIVOT",
        "write a column for each value, as in count(*) FILTER (WHERE event_name = 'CreateUser') AS create_user",
    ),
    (
        "UNPIVOT",
        "write SELECT 'a' AS name, a AS value … UNION ALL SELECT 'b', b …",
    ),
    ("TABLE", "write SELECT * FROM …"),
];

/// Refuses statements of other engines that have another form here, with that form.
pub(super) fn check_begin(words: &[TokenWithSpan]) -> Result<(), SqlFault> {
    let mut begins = true;
    for token in words {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::Word(word) if begins => {
                let is = |(begin, _): &&(&str, &str)| word.value.eq_ignore_ascii_case(begin);
                if let Some((begin, instead)) = FOREIGN.iter().find(is) {
                    return Err(SqlFault::new(format!(
                        "{begin} is not supported: {instead}"
                    )));
                }
            }
            _ => {}
        }
        begins = token.token == Token::SemiColon;
    }
    Ok(())
}

/// Refuses words that nest too deeply.
pub(super) fn check(words: &[TokenWithSpan], text: &str) -> Result<(), SqlFault> {
    // Operators so far in each open bracket.
    let mut chains = vec![0_usize];
    for token in words {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                // Subscripts and calls are links of a chain, too.
                lengthen(&mut chains);
                chains.push(0);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                chains.pop();
            }
            Token::Comma => clear(&mut chains),
            Token::SemiColon => chains = vec![0],
            operator if is_operator(operator) => lengthen(&mut chains),
            _ => {}
        }
        if chains.last().is_some_and(|&chain| chain > LONGEST_CHAIN) {
            let start = token.span.start;
            let place = Position::new((start.line, start.column), 1, text);
            return Err(SqlFault::new(format!(
                "the expression is too long: more than {LONGEST_CHAIN} operators and keywords in a row; for many values write x IN (…)"
            ))
            .at(place));
        }
        if chains.is_empty() {
            // A bracket too many; the parser will say so.
            chains.push(0);
        }
    }
    Ok(())
}

fn lengthen(chains: &mut [usize]) {
    if let Some(chain) = chains.last_mut() {
        *chain += 1;
    }
}

fn clear(chains: &mut [usize]) {
    if let Some(chain) = chains.last_mut() {
        *chain = 0;
    }
}

/// Whether a token may make the tree one level deeper. Values, names and brackets do not; of the keywords only those of a
/// list of cases do not.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(
            word.keyword,
            Keyword::NoKeyword | Keyword::WHEN | Keyword::THEN | Keyword::ELSE | Keyword::END
        ),
        Token::EOF
        | Token::Number(..)
        | Token::Char(_)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Placeholder(_)
        | Token::Whitespace(_) => false,
        _ => true,
    }
}
