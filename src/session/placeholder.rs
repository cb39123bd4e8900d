//! Places in SQL that were to be filled in.
//!
//! In: SQL text, or a value. Out: what in it looks like a placeholder: `<KEY>`, `${KEY}`, `ACCOUNT_ID`, `AKIAXXXXXXXX`.
//! Promise: a query that asks for a placeholder is right and answers nothing; whoever reads "no rows" learns why. What only
//! looks like one is still asked for.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace, Word};

/// What stands in the place of a value in the examples of others.
const NOUNS: [&str; 22] = [
    "access",
    "account",
    "address",
    "arn",
    "bucket",
    "date",
    "eds",
    "here",
    "id",
    "insert",
    "ip",
    "key",
    "my",
    "name",
    "principal",
    "region",
    "replace",
    "role",
    "time",
    "user",
    "value",
    "your",
];

/// The placeholders in a text of SQL, each once.
pub fn placeholders(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    // What cannot be read is an error of its own; up to there it is known.
    let _ = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location_into_buf(&mut tokens);
    let mut tokens: Vec<Token> = tokens.into_iter().map(|token| token.token).collect();
    tokens.retain(
        |token| !matches!(token, Token::Whitespace(kind) if !matches!(kind, Whitespace::Space)),
    );
    let mut found = Vec::new();
    for token in &tokens {
        if let Token::SingleQuotedString(text) = token
            && is_placeholder(text)
        {
            found.push(format!("'{text}'"));
        }
    }
    let words: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    for words in words.windows(3) {
        if let [Token::Word(column), Token::Eq, Token::Word(value)] = words
            && is_itself(column, value)
        {
            found.push(value.value.clone());
        }
    }
    found.extend(in_brackets(&tokens));
    found.dedup();
    found
}

/// `account_id = ACCOUNT_ID`: to the engine, both are the column.
fn is_itself(column: &Word, value: &Word) -> bool {
    let plain = column.quote_style.is_none() && value.quote_style.is_none();
    let shouted = value.value == value.value.to_uppercase() && column.value != value.value;
    plain && shouted && column.value.eq_ignore_ascii_case(&value.value)
}

/// `= <KEY>`, which no SQL has.
fn in_brackets(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(Token::Word(_)) = tokens.get(at + 1).filter(|_| *token == Token::Lt) else {
            continue;
        };
        let inside = &tokens[at + 1..];
        let end = inside.iter().take(12).position(|token| *token == Token::Gt);
        let text: Option<String> =
            end.map(|end| inside[..end].iter().map(ToString::to_string).collect());
        found.extend(
            text.filter(|text| is_phrase(text))
                .map(|text| format!("<{text}>")),
        );
    }
    found
}

/// Whether a value was to be filled in.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches('%');
    for (open, close) in [("<", ">"), ("${", "}"), ("{{", "}}"), ("[", "]")] {
        if let Some(inside) = value.strip_prefix(open) {
            return inside.strip_suffix(close).is_some_and(is_phrase);
        }
    }
    if let Some(word) = value.strip_prefix('$') {
        return is_phrase(word) && word.starts_with(|c: char| c.is_ascii_alphabetic());
    }
    // AKIAXXXXXXXXXXXXXXXX, XXXXXXXXXXXX, i-xxxxxxxx.
    let crosses = value.trim_end_matches(['X', 'x']);
    if value.len() - crosses.len() >= 6 {
        return true;
    }
    // ACCOUNT_ID, YOUR-BUCKET: nobody names things in capitals with a noun like that.
    let shouted = value == value.to_uppercase() && value.contains(['_', '-']);
    shouted && is_phrase(value)
}

/// Words, one of which stands for a value.
fn is_phrase(text: &str) -> bool {
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.'));
    plain
        && words.into_iter().any(|word| {
            let word = word.to_lowercase();
            NOUNS.iter().any(|noun| word == *noun)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known_and_values_are_not() {
        for value in [
            "<KEY>",
            "<access key id>",
            "<your-account-id>",
            "$EDS_ID",
            "${ACCOUNT_ID}",
            "{{ key }}",
            "ACCOUNT_ID",
            "YOUR_BUCKET",
            "YOUR-ACCESS-KEY",
            "AKIAXXXXXXXXXXXXXXXX",
            "XXXXXXXXXXXX",
            "%<BUCKET_NAME>%",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            "123456789012",
            "UPDATED_DATA",
            "HIDDEN_DUE_TO_SECURITY_REASONS",
            "<script>",
            "AccessDenied",
            "my-bucket",
            "user",
            "us-east-1",
            "ap-southeast-1",
            "arn:aws:iam::111122223333:user/alice",
            "$Default",
            "GetObject",
            "TLS_AES_128_GCM_SHA256",
            "",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn a_text_is_searched_outside_of_comments() {
        for (sql, expected) in [
            (
                "SELECT 1 FROM t WHERE k = '<KEY>' -- '<KEY>'",
                &["'<KEY>'"][..],
            ),
            ("SELECT 1 FROM t WHERE k = <KEY>", &["<KEY>"]),
            (
                "SELECT 1 FROM t WHERE k = <your account id> AND 1 = 1",
                &["<your account id>"],
            ),
            (
                "SELECT 1 FROM t WHERE account_id = ACCOUNT_ID",
                &["ACCOUNT_ID"],
            ),
            ("SELECT 1 FROM t WHERE a < b AND c > d", &[]),
            ("SELECT 1 FROM t JOIN u ON t.id = u.id", &[]),
            ("SELECT 1 FROM t WHERE a = 'x' OR a = $key", &[]),
        ] {
            assert_eq!(placeholders(sql), expected, "{sql}");
        }
    }
}
