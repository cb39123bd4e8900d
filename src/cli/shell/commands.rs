//! What the shell does besides SQL.
//!
//! In: a line that begins with a backslash, or with a dot as those of DuckDB do. Out: a [`Command`]. Promise: what psql
//! and DuckDB call by a name has that name here, too.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keytrail::render::Format;

use crate::failure::Failure;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Show the commands.
    Help,
    /// Leave the shell.
    Leave,
    /// List the tables.
    Tables,
    /// List the columns of a table.
    Columns(String),
    /// List the functions, or those whose names are like a pattern.
    Functions(Option<String>),
    /// List the questions of the library, or show one in full.
    Questions(Option<String>),
    /// Ask a question of the library, with values for its parameters.
    Ask(String, BTreeMap<String, String>),
    /// Show each row as a list, or not; the other way round if nothing is said.
    Records(Option<bool>),
    /// Choose a format, or tell which one is chosen.
    Format(Option<Format>),
    /// Write the next answer to a file, or to the screen after all.
    Output(Option<PathBuf>),
    /// Run the statements of a file.
    Read(PathBuf),
    /// Give a parameter its value, or list the values.
    Set(Option<(String, String)>),
    /// Take a value away.
    Unset(String),
    /// Say how long statements take, or do not; the other way round if nothing is said.
    Timing(Option<bool>),
}

/// A command as people know it.
#[derive(Debug)]
pub(super) struct Known {
    /// Its names, the usual one first.
    pub(super) names: &'static [&'static str],
    /// What comes after the name.
    pub(super) argument: Argument,
    /// What it does.
    pub(super) about: &'static str,
    make: fn(&str) -> Result<Command, Failure>,
}

/// What comes after the name of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// Nothing.
    None,
    /// The name of a table, or nothing.
    Table,
    /// `on`, `off` or nothing.
    Switch,
    /// The name of a format, or nothing.
    Format,
    /// The name of a file.
    File,
    /// The name of a question, or nothing.
    Question,
    /// The name of a question, and values.
    Asked,
    /// Something else, as it is shown to people.
    Other(&'static str),
}

impl Argument {
    /// As help texts show it.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Argument::None => "",
            Argument::Table => "[TABLE]",
            Argument::Switch => "[on|off]",
            Argument::Format => "[FORMAT]",
            Argument::File => "FILE",
            Argument::Question => "[NAME]",
            Argument::Asked => "NAME [PARAM=VALUE]",
            Argument::Other(shown) => shown,
        }
    }
}

/// All commands, in the order in which people are shown them.
pub(super) const COMMANDS: &[Known] = &[
    Known {
        names: &[
            "\\d", "\\dt", "\\dv", "\\d+", "\\dt+", "\\l", ".tables", ".schema",
        ],
        argument: Argument::Table,
        about: "the tables, or the columns of a table",
        make: |rest| {
            Ok(match rest {
                "" => Command::Tables,
                table => Command::Columns(table.to_owned()),
            })
        },
    },
    Known {
        names: &["\\df", ".functions"],
        argument: Argument::Other("[PATTERN]"),
        about: "the functions, all or some: \\df json",
        make: |rest| Ok(Command::Functions(some(rest).map(pattern))),
    },
    Known {
        names: &["\\list", ".list"],
        argument: Argument::Question,
        about: "the saved queries, or one in full",
        make: |rest| Ok(Command::Questions(some(rest).map(str::to_owned))),
    },
    Known {
        names: &["\\run", ".run"],
        argument: Argument::Asked,
        about: "run one; values from \\set apply, too",
        make: ask,
    },
    Known {
        names: &["\\x"],
        argument: Argument::Switch,
        about: "each row as a list",
        make: |rest| Ok(Command::Records(switch(rest)?)),
    },
    Known {
        names: &["\\format", "\\f", ".mode"],
        argument: Argument::Format,
        about: "table, records, json, jsonl, csv or markdown",
        make: |rest| some(rest).map(format).transpose().map(Command::Format),
    },
    Known {
        names: &["\\o", ".output", ".once"],
        argument: Argument::File,
        about: "write the next answer to a file (.csv, .parquet …)",
        make: |rest| Ok(Command::Output(some(rest).map(path))),
    },
    Known {
        names: &["\\i", "\\ir", ".read"],
        argument: Argument::File,
        about: "run the statements of a file",
        make: |rest| match rest {
            "" => Err(Failure::usage("which file?").hint("\\i FILE")),
            file => Ok(Command::Read(path(file))),
        },
    },
    Known {
        names: &["\\set"],
        argument: Argument::Other("[NAME VALUE]"),
        about: "set $NAME for statements; alone, list all",
        make: set,
    },
    Known {
        names: &["\\unset"],
        argument: Argument::Other("NAME"),
        about: "remove that value",
        make: |rest| match name(rest) {
            "" => Err(Failure::usage("which name?").hint("\\unset NAME")),
            name => Ok(Command::Unset(name.to_owned())),
        },
    },
    Known {
        names: &["\\timing", ".timer"],
        argument: Argument::Switch,
        about: "how long each statement takes",
        make: |rest| Ok(Command::Timing(switch(rest)?)),
    },
    Known {
        names: &["\\?", "\\h", "\\help", ".help", "help"],
        argument: Argument::None,
        about: "this help",
        make: |_| Ok(Command::Help),
    },
    Known {
        names: &["\\q", "\\quit", ".quit", ".exit", "quit", "exit"],
        argument: Argument::None,
        about: "quit; so does Ctrl-D",
        make: |_| Ok(Command::Leave),
    },
];

impl Command {
    /// Whether a line is for the shell, and no SQL.
    pub(super) fn is_meant(line: &str) -> bool {
        let line = line.trim_start();
        match line.as_bytes() {
            [b'\\', ..] => true,
            [b'.', letter, ..] => letter.is_ascii_alphabetic(),
            // Words that mean the same with and without a semicolon; no statement begins with them.
            _ => {
                let word = line.trim_end_matches([';', ' ', '\n']);
                ["help", "quit", "exit"]
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known))
            }
        }
    }

    /// Reads a line that is meant for the shell.
    pub(super) fn read(line: &str) -> Result<Self, Failure> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let (name, rest) = match line.split_once(char::is_whitespace) {
            Some((name, rest)) => (name, rest.trim()),
            None => (line, ""),
        };
        match Known::named(name) {
            Some(known) => (known.make)(rest),
            None => Err(Failure::usage(format!("there is no command {name}"))
                .hint("\\? lists the commands")),
        }
    }
}

impl Known {
    /// The command of a name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        let lower = name.to_lowercase();
        COMMANDS
            .iter()
            .find(|known| known.names.contains(&name))
            .or_else(|| {
                COMMANDS
                    .iter()
                    .find(|known| known.names.contains(&lower.as_str()))
            })
    }
}

fn some(rest: &str) -> Option<&str> {
    Some(rest).filter(|rest| !rest.is_empty())
}

fn switch(rest: &str) -> Result<Option<bool>, Failure> {
    match rest.to_lowercase().as_str() {
        "" => Ok(None),
        "on" | "true" | "1" => Ok(Some(true)),
        "off" | "false" | "0" => Ok(Some(false)),
        _ => Err(Failure::usage(format!("{rest:?} is neither on nor off"))),
    }
}

fn format(name: &str) -> Result<Format, Failure> {
    match name.to_lowercase().parse() {
        Ok(Format::Parquet) => Err(Failure::usage(
            "a Parquet file cannot be written to a terminal",
        )
        .hint("name a file: \\o FILE.parquet")),
        Ok(format) => Ok(format),
        Err(_) => Err(Failure::usage(format!("there is no format {name}")).hint(formats())),
    }
}

/// The formats that a terminal can take, in a line.
pub(super) fn formats() -> String {
    let names: Vec<&str> = Format::OF_ROWS
        .into_iter()
        .filter(|format| *format != Format::Parquet)
        .map(Format::name)
        .collect();
    format!("formats are {}", names.join(", "))
}

/// A pattern of LIKE; people also write `*`, and parts of names.
fn pattern(text: &str) -> String {
    match text.contains(['%', '*', '?']) {
        true => text.replace('*', "%").replace('?', "_"),
        false => format!("%{text}%"),
    }
}

/// A file's name: perhaps in quotes, perhaps in the home folder.
fn path(text: &str) -> PathBuf {
    let bare = ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    match (bare, text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(bare), _, _) => PathBuf::from(bare),
        (None, Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

/// The name of a parameter, with or without `$`.
fn name(text: &str) -> &str {
    text.trim_start_matches('$')
}

fn ask(rest: &str) -> Result<Command, Failure> {
    let (question, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if question.is_empty() {
        return Err(Failure::usage("which saved query?").hint("\\list shows them all"));
    }
    let mut values = BTreeMap::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let Some((parameter, after)) = rest.split_once('=') else {
            return Err(Failure::usage(format!("{rest:?} is not a parameter value"))
                .hint("write it as NAME=VALUE"));
        };
        let (value, after) = match after.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        values.insert(name(parameter.trim()).to_owned(), value.to_owned());
        rest = after.trim_start();
    }
    Ok(Command::Ask(question.to_owned(), values))
}

fn set(rest: &str) -> Result<Command, Failure> {
    if rest.is_empty() {
        return Ok(Command::Set(None));
    }
    let parts = rest.split_once(|c: char| c.is_whitespace() || c == '=');
    let Some((parameter, value)) = parts else {
        return Err(Failure::usage("which value?").hint("\\set NAME VALUE"));
    };
    let value = value.trim();
    // As people write texts in SQL.
    let bare = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    Ok(Command::Set(Some((
        name(parameter).to_owned(),
        bare.unwrap_or(value).to_owned(),
    ))))
}

/// What `\?` says.
pub(super) fn help() -> String {
    let mut text = String::from("A statement may span several lines; a semicolon ends it.\n\n");
    let shown: Vec<String> = COMMANDS
        .iter()
        .map(|known| format!("{} {}", known.names[0], known.argument.shown()))
        .collect();
    let width = shown.iter().map(String::len).max().unwrap_or(0);
    for (shown, known) in shown.iter().zip(COMMANDS) {
        text.push_str(&format!("  {shown:width$}  {}\n", known.about));
    }
    text.push_str(
        "\nTab completes names. The arrow keys and Ctrl-R recall what was typed before.\n\
         Ctrl-C stops a running statement, or discards what is typed.\n\n\
         To begin with:\n\
         \x20 SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 10;\n\
         \x20 SELECT * FROM events WHERE access_key_id = 'AKIA…' LIMIT 1 \\gx",
    );
    text
}

/// Where the SQL of a text begins, after the commands before it, and whether it is a command that comes last.
pub(super) fn current(text: &str) -> (usize, bool) {
    let mut from = 0;
    loop {
        let rest = &text[from..];
        let space = rest.len() - rest.trim_start().len();
        if !Command::is_meant(rest) {
            return (from, false);
        }
        match rest[space..].find('\n') {
            Some(end) if !rest[space + end..].trim().is_empty() => from += space + end + 1,
            _ => return (from + space, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Command {
        assert!(Command::is_meant(line), "{line}");
        Command::read(line).unwrap()
    }

    #[test]
    fn commands_of_psql_and_duckdb_are_known() {
        assert_eq!(read("\\d"), Command::Tables);
        assert_eq!(read(".tables"), Command::Tables);
        assert_eq!(read("\\d events;"), Command::Columns("events".to_owned()));
        assert_eq!(
            read("\\df json"),
            Command::Functions(Some("%json%".to_owned()))
        );
        assert_eq!(
            read("\\df json*"),
            Command::Functions(Some("json%".to_owned()))
        );
        assert_eq!(read("\\x"), Command::Records(None));
        assert_eq!(read("\\x on"), Command::Records(Some(true)));
        assert_eq!(read("\\format CSV"), Command::Format(Some(Format::Csv)));
        assert_eq!(read(".timer off"), Command::Timing(Some(false)));
        assert_eq!(read("\\o"), Command::Output(None));
        assert_eq!(
            read("\\i 'my queries.sql'"),
            Command::Read(PathBuf::from("my queries.sql"))
        );
        for leave in ["\\q", "exit", "quit;", "EXIT"] {
            assert_eq!(read(leave), Command::Leave);
        }
        assert_eq!(read("\\?"), Command::Help);
    }

    #[test]
    fn values_of_parameters() {
        let set = |name: &str, value: &str| Command::Set(Some((name.to_owned(), value.to_owned())));
        assert_eq!(read("\\set user alice"), set("user", "alice"));
        assert_eq!(read("\\set $user 'alice b'"), set("user", "alice b"));
        assert_eq!(read("\\set user=alice"), set("user", "alice"));
        assert_eq!(read("\\set"), Command::Set(None));
        assert_eq!(read("\\unset $user"), Command::Unset("user".to_owned()));
    }

    #[test]
    fn questions_take_values() {
        let values = |values: &[(&str, &str)]| {
            let values = values.iter();
            values
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        assert_eq!(
            read("\\run address source_ip_address=203.0.113.7 role='a b'"),
            Command::Ask(
                "address".to_owned(),
                values(&[("source_ip_address", "203.0.113.7"), ("role", "a b")])
            )
        );
        assert_eq!(
            read("\\run root-use;"),
            Command::Ask("root-use".to_owned(), values(&[]))
        );
        assert_eq!(read("\\list"), Command::Questions(None));
        assert!(Command::read("\\run address 203.0.113.7").is_err());
        assert!(Command::read("\\run").is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |line: &str| Command::read(line).unwrap_err().to_string();
        assert_eq!(
            said("\\copy x"),
            "error: there is no command \\copy\nhint: \\? lists the commands"
        );
        assert!(said("\\format yaml").contains("formats are table, records"));
        assert!(said("\\format parquet").contains("\\o FILE.parquet"));
        assert!(said("\\timing maybe").contains("neither on nor off"));
        assert!(said("\\i").contains("which file?"));
    }

    #[test]
    fn help_fits_a_small_terminal() {
        for line in help().lines() {
            assert!(line.chars().count() <= 78, "{line}");
        }
    }

    #[test]
    fn sql_is_no_command() {
        for sql in ["SELECT 1;", "", "  ", "exits", ".5"] {
            assert!(!Command::is_meant(sql), "{sql}");
        }
    }

    #[test]
    fn commands_may_stand_before_sql() {
        assert_eq!(current("SELECT 1"), (0, false));
        assert_eq!(current("\\timing"), (0, true));
        assert_eq!(current("\\x\n \\timing\nSELECT 1"), (12, false));
        assert_eq!(current("\\x\n\\timing"), (3, true));
        assert_eq!(current("\\x\n\n"), (0, true));
    }
}
