//! The words of a user agent.
//!
//! In: the text, without its brackets. Out: products (`name/version`), bare words and comments (`(…)`). Promise: every
//! character belongs to one token or is a space between two; a text that was cut in the middle ends in a shorter token.

/// One part of a user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `name/version`; the version may hold further slashes.
    Product(&'a str, &'a str),
    /// A word without a slash.
    Word(&'a str),
    /// What stands in parentheses, without them.
    Comment(&'a str),
}

/// The tokens, in order. Spaces inside parentheses do not part tokens.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                found.extend(token(&text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(token(&text[start..]));
    found
}

fn token(text: &str) -> Option<Token<'_>> {
    if text.is_empty() {
        return None;
    }
    if let Some(comment) = text.strip_prefix('(') {
        return Some(Token::Comment(comment.strip_suffix(')').unwrap_or(comment)));
    }
    Some(match text.split_once('/') {
        // An address is no product.
        Some((scheme, _)) if scheme.ends_with(':') => Token::Comment(text),
        Some((name, version)) => Token::Product(name, version),
        None => Token::Word(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_words_and_comments() {
        assert_eq!(
            tokens("MinIO (linux; amd64)  minio-go/v7.0/x inputs:(a b) (cut (off"),
            [
                Token::Word("MinIO"),
                Token::Comment("linux; amd64"),
                Token::Product("minio-go", "v7.0/x"),
                Token::Word("inputs:(a b)"),
                Token::Comment("cut (off"),
            ]
        );
        assert_eq!(tokens(""), []);
        assert_eq!(
            tokens("S3 https://s3browser.com"),
            [Token::Word("S3"), Token::Comment("https://s3browser.com")]
        );
    }
}
