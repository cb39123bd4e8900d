//! Commands for a person to run.
//!
//! In: texts, out of logs too. Out: words for a POSIX shell. Promise: whatever a word holds, the shell takes it as one word and
//! does nothing with it.

/// A word for a POSIX shell: as it is if nothing in it acts, otherwise in single quotes.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    // A leading = is a command's path to zsh.
    match !word.is_empty() && word.chars().all(plain) && !word.starts_with(['-', '=']) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_act_in_a_shell() {
        assert_eq!(quoted("svc-backup.sync"), "svc-backup.sync");
        assert_eq!(
            quoted("arn:aws:iam::aws:policy/X"),
            "arn:aws:iam::aws:policy/X"
        );
        assert_eq!(quoted("a; rm -rf $HOME"), "'a; rm -rf $HOME'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("--help"), "'--help'");
        assert_eq!(quoted("=ls"), "'=ls'");
        assert_eq!(quoted(""), "''");
    }
}
