//! SQL that is still being typed.
//!
//! In: a text, or what of it stands before the cursor. Out: whether it is whole, which tables it names, and what can come
//! next. Promise: nothing is refused here; that is for [`Statement`](super::Statement), once the text is whole.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace, Word};

/// A text that somebody types.
#[derive(Debug)]
pub struct Typed {
    /// Without spaces and comments.
    tokens: Vec<Token>,
    /// What is begun and not ended, if anything is.
    open: Option<Open>,
}

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is nothing but spaces and comments.
    Nothing,
    /// With a semicolon, or with `\g` or `\gx`, which psql takes for one.
    Whole,
    /// With something else.
    Unfinished,
    /// Within something that has to be closed first.
    Within(Open),
}

/// What has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// A text: `'…'`.
    Text,
    /// A name: `"…"`.
    Name,
    /// `/* … */`.
    Comment,
    /// `$$…$$`.
    Dollar,
    /// `-- …`, up to the end of the line.
    Line,
    /// `( … )`, so many of them.
    Brackets(usize),
}

/// What can come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing that is known: a text, a comment, a new name.
    Unknown,
    /// A table.
    Table,
    /// A column of the table of this name.
    ColumnOf(String),
    /// A value: a column, a function.
    Value,
    /// A keyword.
    Keyword,
}

/// A table that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The table.
    pub table: String,
    /// What the statement calls it.
    pub alias: Option<String>,
}

/// Keywords after which a value is expected.
const BEFORE_VALUES: &[&str] = &[
    "SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "BY", "ON", "HAVING", "CASE", "WHEN",
    "THEN", "ELSE", "LIKE", "ILIKE", "BETWEEN", "QUALIFY", "LIMIT", "OFFSET", "INTERVAL",
];

/// Keywords after which a table is expected.
const BEFORE_TABLES: &[&str] = &["FROM", "JOIN", "DESCRIBE", "DESC", "TABLE"];

/// Keywords that end the list of tables after FROM.
const AFTER_TABLES: &[&str] = &[
    "SELECT",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "QUALIFY",
    "WINDOW",
    "BY",
    "ON",
    "USING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "OFFSET",
];

impl Typed {
    /// Reads what there is.
    pub fn read(text: &str) -> Self {
        let mut tokens = Vec::new();
        let read =
            Tokenizer::new(&GenericDialect {}, text).tokenize_with_location_into_buf(&mut tokens);
        let mut tokens: Vec<Token> = tokens.into_iter().map(|token| token.token).collect();
        let open = match read {
            Err(error) => Open::of(&error.message),
            Ok(()) => match tokens.last() {
                Some(Token::Whitespace(Whitespace::SingleLineComment { comment, .. }))
                    if !comment.ends_with('\n') =>
                {
                    Some(Open::Line)
                }
                _ => None,
            },
        };
        tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
        Self { tokens, open }
    }

    /// How the text ends.
    pub fn ending(&self) -> Ending {
        match (self.open, self.tokens.as_slice()) {
            (Some(open), _) if open != Open::Line => Ending::Within(open),
            (_, []) => Ending::Nothing,
            (_, [.., Token::SemiColon]) => Ending::Whole,
            (_, [.., Token::Backslash, Token::Word(word)]) if is_go(word) => Ending::Whole,
            (_, tokens) => match unclosed(tokens) {
                0 => Ending::Unfinished,
                brackets => Ending::Within(Open::Brackets(brackets)),
            },
        }
    }

    /// What can come after the text, which ends before the word at the cursor.
    pub fn next(&self) -> Next {
        if self.open.is_some() {
            return Next::Unknown;
        }
        match self.tokens.as_slice() {
            [] | [.., Token::SemiColon] => Next::Keyword,
            [.., Token::Word(table), Token::Period] => Next::ColumnOf(table.value.clone()),
            [.., Token::Period] => Next::Unknown,
            [before @ .., Token::Comma] if self.lists_tables(before) => Next::Table,
            [before @ .., Token::LParen] if lists_tables_or_begins(before) => Next::Keyword,
            [.., Token::Word(word)] if is_one_of(word, BEFORE_TABLES) => Next::Table,
            [.., Token::Word(word)] if is_one_of(word, BEFORE_VALUES) => Next::Value,
            [.., Token::Word(word)] if is_one_of(word, &["AS"]) => Next::Unknown,
            // Keywords that go on with keywords or values: IN (…), IS NULL, ORDER BY.
            [
                ..,
                Token::Word(_) | Token::RParen | Token::RBracket | Token::Number(..),
            ] => Next::Keyword,
            [.., Token::SingleQuotedString(_) | Token::Placeholder(_)] => Next::Keyword,
            _ => Next::Value,
        }
    }

    /// The tables that are named after FROM and JOIN, and those that WITH makes.
    pub fn tables(&self) -> Vec<Named> {
        let mut named = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let before = &self.tokens[..at];
            let is_table = match before {
                [.., Token::Word(word)] => is_one_of(word, BEFORE_TABLES),
                [before @ .., Token::Comma] => self.lists_tables(before),
                _ => false,
            };
            if let (Token::Word(table), true) = (token, is_table)
                && !is_one_of(table, AFTER_TABLES)
            {
                named.push(Named {
                    table: table.value.clone(),
                    alias: alias(&self.tokens[at + 1..]),
                });
            }
        }
        named
    }

    /// The names that WITH gives to queries.
    pub fn queries(&self) -> Vec<String> {
        let named = self.tokens.windows(3).filter_map(|tokens| match tokens {
            [Token::Word(name), Token::Word(word), Token::LParen] if is_one_of(word, &["AS"]) => {
                Some(name.value.clone())
            }
            _ => None,
        });
        named.collect()
    }

    /// Whether a comma after these tokens is followed by one more table.
    fn lists_tables(&self, before: &[Token]) -> bool {
        let mut depth = 0_usize;
        for token in before.iter().rev() {
            match token {
                Token::RParen => depth += 1,
                Token::LParen if depth == 0 => return false,
                Token::LParen => depth -= 1,
                Token::SemiColon => return false,
                Token::Word(word) if depth == 0 && is_one_of(word, BEFORE_TABLES) => return true,
                Token::Word(word) if depth == 0 && is_one_of(word, AFTER_TABLES) => return false,
                _ => {}
            }
        }
        false
    }
}

impl Open {
    /// What the tokenizer complains of, if it is something open.
    fn of(message: &str) -> Option<Self> {
        let open = [
            ("dollar-quoted", Open::Dollar),
            ("multi-line comment", Open::Comment),
            ("delimiter", Open::Name),
            ("Unterminated", Open::Text),
        ];
        let found = open.into_iter().find(|(words, _)| message.contains(words));
        found.map(|(_, open)| open)
    }
}

/// `\g`, and `\gx`.
fn is_go(word: &Word) -> bool {
    word.quote_style.is_none() && matches!(word.value.as_str(), "g" | "gx" | "G")
}

fn is_one_of(word: &Word, words: &[&str]) -> bool {
    word.quote_style.is_none()
        && words
            .iter()
            .any(|known| word.value.eq_ignore_ascii_case(known))
}

/// Whether a bracket after these tokens begins a query.
fn lists_tables_or_begins(before: &[Token]) -> bool {
    match before {
        [] => true,
        [.., Token::Word(word)] => is_one_of(word, &["FROM", "JOIN", "AS", "EXISTS"]),
        _ => false,
    }
}

/// Brackets that are not closed yet.
fn unclosed(tokens: &[Token]) -> usize {
    tokens.iter().fold(0, |open, token| match token {
        Token::LParen => open + 1,
        Token::RParen => open.saturating_sub(1),
        Token::SemiColon => 0,
        _ => open,
    })
}

/// The name that stands after a table.
fn alias(after: &[Token]) -> Option<String> {
    let after = match after {
        [Token::Word(word), after @ ..] if is_one_of(word, &["AS"]) => after,
        after => after,
    };
    match after {
        [Token::Word(word), ..] if word.quote_style.is_some() || !is_keyword(word) => {
            Some(word.value.clone())
        }
        _ => None,
    }
}

/// Whether a word after a table goes on with the statement, and names nothing.
fn is_keyword(word: &Word) -> bool {
    const MORE: &[&str] = &[
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "OUTER",
        "FULL",
        "CROSS",
        "NATURAL",
        "LATERAL",
        "SEMI",
        "ANTI",
        "TABLESAMPLE",
    ];
    is_one_of(word, AFTER_TABLES) || is_one_of(word, MORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(text: &str) -> Ending {
        Typed::read(text).ending()
    }

    fn next(text: &str) -> Next {
        Typed::read(text).next()
    }

    #[test]
    fn a_semicolon_ends_a_statement_unless_it_is_inside_of_something() {
        for whole in [
            "SELECT 1;",
            "SELECT 1; -- and done",
            "SELECT ';';",
            "SELECT (1;",
            "SELECT 1 \\gx",
            "SELECT 1\n\\g\n",
        ] {
            assert_eq!(ending(whole), Ending::Whole, "{whole}");
        }
        for open in ["SELECT 1", "SELECT 1; SELECT 2", "SELECT 1 -- not yet;"] {
            assert_eq!(ending(open), Ending::Unfinished, "{open}");
        }
        for nothing in ["", " \n", "-- only a remark", "/* the same */"] {
            assert_eq!(ending(nothing), Ending::Nothing, "{nothing}");
        }
        let within = [
            ("SELECT 'a;", Open::Text),
            ("SELECT \"a;", Open::Name),
            ("SELECT /* 1;", Open::Comment),
            ("SELECT $$1;", Open::Dollar),
            ("SELECT ((1)", Open::Brackets(1)),
        ];
        for (text, open) in within {
            assert_eq!(ending(text), Ending::Within(open), "{text}");
        }
    }

    #[test]
    fn what_comes_next() {
        for (text, expected) in [
            ("", Next::Keyword),
            ("SELECT ", Next::Value),
            ("SELECT event_name, ", Next::Value),
            ("SELECT count(", Next::Value),
            ("SELECT event_name ", Next::Keyword),
            ("SELECT * FROM ", Next::Table),
            ("SELECT * FROM events, ", Next::Table),
            ("SELECT * FROM events e JOIN ", Next::Table),
            ("SELECT * FROM events WHERE ", Next::Value),
            (
                "SELECT * FROM events WHERE event_name IN ('a', ",
                Next::Value,
            ),
            ("SELECT * FROM events ORDER BY event_time, ", Next::Value),
            ("SELECT * FROM events WHERE event_name = ", Next::Value),
            (
                "SELECT * FROM events WHERE event_name = 'a' ",
                Next::Keyword,
            ),
            ("SELECT e.", Next::ColumnOf("e".to_owned())),
            ("SELECT * FROM (", Next::Keyword),
            ("SELECT 1 AS ", Next::Unknown),
            ("SELECT 'a ", Next::Unknown),
            ("SELECT 1 -- ", Next::Unknown),
            ("DESCRIBE ", Next::Table),
            ("SELECT 1; ", Next::Keyword),
        ] {
            assert_eq!(next(text), expected, "{text}");
        }
    }

    #[test]
    fn tables_are_known_by_their_names_in_the_statement() {
        let typed = Typed::read(
            "WITH odd AS (SELECT * FROM events e) SELECT x FROM odd, log_files AS l JOIN rejects ON true WHERE a IN (1, 2)",
        );
        let tables: Vec<String> = typed
            .tables()
            .into_iter()
            .map(|named| format!("{}:{}", named.table, named.alias.unwrap_or_default()))
            .collect();
        assert_eq!(tables, ["events:e", "odd:", "log_files:l", "rejects:"]);
        assert_eq!(typed.queries(), ["odd"]);
    }
}
