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

/// Adds a value to a command. After an option, a value that begins with a dash would be taken for another option: the AWS CLI reads its
/// words as Python's argparse does, which takes it with `=` only.
/// <https://docs.python.org/3/library/argparse.html#arguments-containing>
pub(in crate::analysis) fn add_value(command: &mut String, value: &str) {
    let last = command
        .strip_suffix(' ')
        .and_then(|before| before.rsplit(' ').next());
    let is_after_option = last.is_some_and(|word| word.starts_with("--") && !word.contains('='));
    if value.starts_with('-') && is_after_option {
        command.pop();
        command.push('=');
    }
    *command += &quoted(value);
}

/// An option with its value.
pub(in crate::analysis) fn option(name: &str, value: &str) -> String {
    let mut words = format!("{name} ");
    add_value(&mut words, value);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_begins_with_a_dash_is_no_option() {
        assert_eq!(option("--user-name", "bob"), "--user-name bob");
        assert_eq!(option("--user-name", "-rf"), "--user-name='-rf'");
        let mut command = "aws iam x --ids a ".to_owned();
        add_value(&mut command, "-b");
        assert_eq!(command, "aws iam x --ids a '-b'");
    }

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
