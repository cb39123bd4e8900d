//! Places in SQL that were to be filled in.
//!
//! In: SQL text, or a value. Out: what in it looks like a placeholder: `<KEY>`, `${KEY}`, `{{key}}`,
//! `ACCOUNT_ID`, also within a value (`arn:aws:iam::ACCOUNT_ID:user/USER_NAME`), `AKIAXXXXXXXX`.
//! Promise: a query that asks for a placeholder is right and answers nothing; whoever reads "no rows" learns why. What only
//! looks like one is still asked for.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace, Word};
use std::collections::HashSet;

/// What stands in the place of a value in the examples of others, and in no value that is written in capitals.
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

/// The same, but AWS writes some of its own values with these: `EC2_INSTANCE`.
const MORE_NOUNS: [&str; 12] = [
    "aws", "database", "event", "function", "group", "instance", "number", "policy", "redacted",
    "resource", "secret", "table",
];

/// Brackets around what is to be filled in. What is in the first pair may be of another language: only a noun tells.
const BRACKETS: [(&str, &str); 4] = [("<", ">"), ("${", "}"), ("{{", "}}"), ("{", "}")];

/// Letters of a value that nobody shows: `AKIAXXXXXXXXXXXXXXXX`.
const CROSSES: usize = 6;

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
    let words: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    for (at, token) in words.iter().enumerate() {
        let Token::SingleQuotedString(text) = token else {
            continue;
        };
        // After a comma, it is the format of a time.
        let follows_comma = at > 0 && matches!(words[at - 1], Token::Comma);
        if is_placeholder(text) && !(follows_comma && begs(text)) {
            found.push(format!("'{text}'"));
        }
    }
    for words in words.windows(3) {
        if let [Token::Word(column), Token::Eq, Token::Word(value)] = words
            && is_itself(column, value)
        {
            found.push(value.value.clone());
        }
    }
    found.extend(in_brackets(&tokens));
    found.extend(in_braces(&words));
    let mut seen = HashSet::new();
    found.retain(|place| seen.insert(place.clone()));
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

/// `{{key}}`, `${table}` and `{key}`: a name alone in braces is no SQL, whatever it is.
fn in_braces(words: &[&Token]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, around) in words.windows(3).enumerate() {
        let [Token::LBrace, Token::Word(word), Token::RBrace] = around else {
            continue;
        };
        let before = at.checked_sub(1).map(|before| words[before]);
        let place = match (before, words.get(at + 3)) {
            (Some(Token::LBrace), Some(Token::RBrace)) => format!("{{{{{}}}}}", word.value),
            (Some(Token::Placeholder(dollar)), _) if dollar == "$" => {
                format!("${{{}}}", word.value)
            }
            _ => format!("{{{}}}", word.value),
        };
        found.push(place);
    }
    found
}

/// Whether a value, or a part of it, was to be filled in.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches('%');
    if let Some(inside) = value.strip_prefix('[') {
        return inside.strip_suffix(']').is_some_and(is_phrase);
    }
    if let Some(word) = value.strip_prefix('$')
        && !word.starts_with('{')
    {
        return is_phrase(word) && word.starts_with(|c: char| c.is_ascii_alphabetic());
    }
    // ACCOUNT_ID, YOUR-BUCKET: nobody names things in capitals with a noun like that.
    let shouted = is_shouted(value) && value.contains(['_', '-']);
    begs(value)
        || has_brackets(value)
        || (shouted && is_plain(value) && words(value).any(|word| NOUNS.contains(&word.as_str())))
        || is_addressed(value)
        || value.split([':', '/', ',', ' ']).any(is_unfilled)
}

/// Whether a day is to be written: `YYYY-MM-DD`.
fn begs(value: &str) -> bool {
    value.contains("YYYY") && value.contains("DD")
}

/// Whether something in a text is in brackets and stands for a value: `AKIA<REDACTED>`, `${table}`, `user/{user_name}`.
fn has_brackets(value: &str) -> bool {
    BRACKETS.iter().any(|(open, close)| {
        let mut rest = value;
        while let Some((before, after)) = rest.split_once(open) {
            // `(?<name>…)` names a group of a pattern.
            let group =
                before.ends_with("(?") || before.ends_with("(?P") || before.ends_with("\\k");
            let inside = after.split_once(close).map(|(inside, _)| inside);
            let named = matches!(*open, "${" | "{{") && inside.is_some_and(is_name);
            if !group && (named || inside.is_some_and(is_phrase)) {
                return true;
            }
            rest = after;
        }
        false
    })
}

/// Whether a part of a value is only a place for one: `ACCOUNT_ID` in an ARN, `XXXXXXXXXXXX`, `REGION`, `x.x.x.x`.
fn is_unfilled(part: &str) -> bool {
    let crosses = part.trim_end_matches(['X', 'x', '*']);
    if part.len() - crosses.len() >= CROSSES {
        return true;
    }
    let numbers: Vec<&str> = part.split('.').collect();
    if numbers.len() == 4
        && numbers
            .iter()
            .all(|number| matches!(*number, "x" | "X" | "xxx" | "XXX"))
    {
        return true;
    }
    let nouns: Vec<usize> = words(part).map(|word| nouns_of(&word)).collect();
    // One noun alone may be a value that AWS writes: `USER`, `ROLE`, `ACCOUNT`.
    let alone = nouns.iter().sum::<usize>() == 1 && part != "REGION";
    is_shouted(part) && is_plain(part) && !nouns.is_empty() && !nouns.contains(&0) && !alone
}

/// Whether the reader is told what to write: `your_key_here`, `your-bucket-name`, `put-the-arn-here`.
fn is_addressed(value: &str) -> bool {
    let words: Vec<String> = words(value).collect();
    let told = words.first().is_some_and(|word| word == "your")
        || words.last().is_some_and(|word| word == "here");
    told && words.len() > 1 && is_phrase(value)
}

fn is_shouted(value: &str) -> bool {
    value == value.to_uppercase()
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    is_plain(text) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.'))
}

/// Words, one of which stands for a value.
fn is_phrase(text: &str) -> bool {
    is_plain(text) && words(text).any(|word| nouns_of(&word) > 0)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// How many nouns a word is made of, perhaps with a number: `key`, `username`, `ip1`; none if it is another word.
fn nouns_of(word: &str) -> usize {
    let mut rest = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut count = 0;
    while !rest.is_empty() {
        let nouns = NOUNS.iter().chain(&MORE_NOUNS);
        let noun = nouns.filter_map(|noun| rest.strip_prefix(noun));
        let Some(after) = noun.min_by_key(|after| after.len()) else {
            return 0;
        };
        (rest, count) = (after, count + 1);
    }
    count
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
            "arn:aws:iam::ACCOUNT_ID:user/USER_NAME",
            "arn:aws:iam::<account-id>:role/x",
            "arn:aws:iam::XXXXXXXXXXXX:user/bob",
            "arn:aws:s3:::{bucket}/*",
            "<IP1>",
            "%<USERNAME>%",
            "AKIA<REDACTED>",
            "AKIA****************",
            "{access_key}",
            "{{access-key-id}}",
            "${table}",
            "your_key_here",
            "your-bucket-name",
            "put-the-arn-here",
            "REGION",
            "USERNAME",
            "AccountId-<AccountId>",
            "x.x.x.x",
            "YYYY-MM-DD",
            "YYYY/MM/DD",
            "YYYY-MM-DDTHH:MM:SSZ",
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
            "%<script>%",
            "%(?<user>[a-z]+)%",
            "(?P<key>A[A-Z]IA)",
            "[A-Za-z0-9]{6}",
            "{\"key\": 1}",
            "arn:aws:s3:::${aws:username}/*",
            "$.userName",
            "$[0].accountId",
            "yyyy-MM-dd HH:mm:ss",
            "%Y-%m-%d",
            "USER",
            "ROLE",
            "ARN",
            "KEY",
            "REPLACE",
            "ACCOUNT",
            "GROUP",
            "EC2_INSTANCE",
            "RESOURCE_NOT_FOUND",
            "arn:aws:ssm:us-east-1:123456789012:parameter/PROD/DB_USER",
            "arn:aws:iam::123456789012:user/Alice",
            "xx",
            "10.0.0.0/8",
            "here",
            "",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    /// The saved queries, and what AWS shows with values in it.
    #[test]
    fn queries_that_are_complete_have_none() {
        fn look(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => look(&path, found),
                    false => {
                        let text = std::fs::read_to_string(&path).unwrap();
                        let places = placeholders(&text).into_iter();
                        found.extend(places.map(|place| format!("{}: {place}", path.display())));
                    }
                }
            }
        }
        let mut found = Vec::new();
        let queries = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        look(std::path::Path::new(queries), &mut found);
        assert_eq!(found, [""; 0]);
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
            (
                "SELECT 1 FROM ${database}.${table} WHERE k = {{key}} OR k = {key}",
                &["${database}", "${table}", "{{key}}", "{key}"],
            ),
            (
                "SELECT 1 FROM t WHERE a IN ('<KEY>', 'x', '<KEY>')",
                &["'<KEY>'"],
            ),
            ("SELECT {'a': 1}, map {'k': 1}", &[]),
            (
                "SELECT to_char(t, 'YYYY-MM-DD') FROM t WHERE t > 'YYYY-MM-DD'",
                &["'YYYY-MM-DD'"],
            ),
            ("SELECT to_char(t, 'YYYY-MM-DD')", &[]),
            ("SELECT 1 FROM t WHERE a < b AND c > d", &[]),
            ("SELECT 1 FROM t JOIN u ON t.id = u.id", &[]),
            ("SELECT 1 FROM t WHERE a = 'x' OR a = $key", &[]),
        ] {
            assert_eq!(placeholders(sql), expected, "{sql}");
        }
    }
}
