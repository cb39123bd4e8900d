//! A shell's view of a command: in: a line. Out: its words, or why it is not one harmless command.

/// The words of a line in which nothing acts: no variable, no substitution, no pipe, no glob, no comment. A `> FILE` at the end is
/// allowed, and is no word.
pub(crate) fn words(line: &str) -> Result<Vec<String>, String> {
    let line = match line.rsplit_once(" > ") {
        Some((command, file)) if file.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') => {
            command
        }
        _ => line,
    };
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(format!("a quote is open: {line}")),
                    }
                }
            }
            // A quote inside a quoted word is written '\''.
            '\\' if chars.as_str().starts_with('\'') => {
                word.get_or_insert_default().extend(chars.next());
            }
            c if c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c) => {
                let begins = word.is_none();
                if begins && c == '=' {
                    return Err(format!("a word begins with =: {line}"));
                }
                word.get_or_insert_default().push(c);
            }
            c => return Err(format!("{c:?} acts: {line}")),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Asserts that a line is a command that a person can run as it stands, once words in capitals are filled in.
pub(crate) fn assert_command(line: &str) {
    let words = words(line).unwrap_or_else(|why| panic!("{why}"));
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match word(0) {
        "aws" => {
            assert!(name(word(1)) && name(word(2)), "{line}");
            // After service and verb come options, each with its values.
            assert!(words.len() == 3 || word(3).starts_with("--"), "{line}");
            for option in words[3..].iter().filter(|word| word.starts_with('-')) {
                // A value that begins with a dash stands behind the option's `=`.
                let begin = option.split('=').next().unwrap_or(option);
                assert!(
                    begin.strip_prefix("--").is_some_and(name),
                    "{option}: {line}"
                );
            }
            // What the AWS CLI would read from a disk is a file of the plan's own.
            for value in &words[3..] {
                let file = value
                    .split("://")
                    .next()
                    .filter(|kind| kind.starts_with("file"));
                let own = [
                    "file://plan/",
                    "file://environment.json",
                    "file://task-definition.json",
                    "file://project.json",
                ];
                assert!(
                    file.is_none() || own.iter().any(|own| value.starts_with(own)),
                    "{line}"
                );
                assert!(!value.contains("/../"), "{line}");
            }
        }
        "keytrail" => assert!(KEYTRAIL.contains(&word(1)), "{line}"),
        "git" | "gh" | "grep" | "kubectl" => {}
        other => panic!("{other} is no program of a plan: {line}"),
    }
}

/// The commands of keytrail that plans name.
const KEYTRAIL: [&str; 8] = [
    "consumers",
    "credentials",
    "key",
    "keys",
    "policy",
    "progress",
    "ready",
    "trace",
];

#[test]
fn commands_that_plans_name_are_there() {
    for command in KEYTRAIL {
        let help = crate::program::ran(&[command, "--help"]);
        assert!(help.starts_with("exit code: 0"), "{command}");
    }
}

#[test]
fn what_acts_is_found() {
    assert_eq!(
        words("aws iam x 'a b' c").unwrap(),
        ["aws", "iam", "x", "a b", "c"]
    );
    assert_eq!(words(r"x 'it'\''s'").unwrap(), ["x", "it's"]);
    assert_eq!(
        words("aws iam get > report.json").unwrap(),
        ["aws", "iam", "get"]
    );
    for bad in [
        "a; b",
        "a $(b)",
        "a `b`",
        "a $B",
        "a | b",
        "a > /etc/x",
        "a 'b",
        "a *",
        "a\nb",
        "a ~",
        "a {b,c}",
        "a =b",
        "a #b",
    ] {
        assert!(words(bad).is_err(), "{bad}");
    }
}
