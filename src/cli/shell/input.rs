//! What the reader types.
//!
//! In: keys. Out: whole statements and commands. Promise: a statement is whole when it ends with a semicolon, however many
//! lines it has; until then the next line says what is missing. The line editor is rustyline's.

use std::borrow::Cow;
use std::io::{IsTerminal as _, stdout};

use keytrail::session::{Ending, Open, Typed};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, ColorMode, CompletionType, Config, Context as Around, Editor, Helper};

use super::commands::current;
use super::complete::Names;
use super::history::History;
use crate::context::Context;
use crate::failure::Failure;

/// What stands before a statement.
const PROMPT: &str = "keytrail> ";

/// Statements that are kept for the next time.
const REMEMBERED: usize = 10_000;

/// Completions that are shown without asking first.
const SHOWN: usize = 200;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// The reader's keyboard.
pub(super) struct Input {
    editor: Editor<Assistant, FileHistory>,
    history: History,
}

/// What the reader did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Typed something.
    Text(String),
    /// Gave up what was typed.
    GivenUp,
    /// Left.
    Left,
}

impl Input {
    /// Opens the keyboard.
    pub(super) fn open(names: Names, context: &Context) -> Result<Self, Failure> {
        let config = Config::builder()
            .max_history_size(REMEMBERED)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(|error| unusable(&error))?
            // As shells have it: what begins with a space is not remembered.
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .completion_prompt_limit(SHOWN)
            .color_mode(match context.color() {
                true => ColorMode::Enabled,
                false => ColorMode::Disabled,
            })
            .behavior(match stdout().is_terminal() {
                true => Behavior::Stdio,
                // Answers go elsewhere; the reader still sits at the terminal.
                false => Behavior::PreferTerm,
            })
            .build();
        let mut editor = Editor::with_config(config).map_err(|error| unusable(&error))?;
        editor.set_helper(Some(Assistant {
            names,
            files: FilenameCompleter::new(),
            brackets: MatchingBracketHighlighter::new(),
        }));
        let history = History::open(&mut editor, context);
        Ok(Self { editor, history })
    }

    /// Waits for the reader.
    pub(super) fn listen(&mut self, context: &Context) -> Result<Heard, Failure> {
        match self.editor.readline(PROMPT) {
            Ok(text) => {
                if !text.trim().is_empty() {
                    self.history.keep(&mut self.editor, &text, context);
                }
                Ok(Heard::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Heard::GivenUp),
            Err(ReadlineError::Eof) => Ok(Heard::Left),
            Err(error) => Err(unusable(&error)),
        }
    }
}

fn unusable(error: &ReadlineError) -> Failure {
    Failure::new("the terminal cannot be read").because(error)
}

/// Whether a text can be taken as it is.
fn is_whole(text: &str) -> bool {
    let (from, is_command) = current(text);
    is_command
        || matches!(
            Typed::read(&text[from..]).ending(),
            Ending::Whole | Ending::Nothing
        )
}

/// What is missing, said at the beginning of a line after the first.
fn missing(text: &str) -> Option<String> {
    let (from, is_command) = current(text);
    if is_command || !text.ends_with('\n') {
        return None;
    }
    let open = match Typed::read(&text[from..]).ending() {
        Ending::Nothing | Ending::Whole => return None,
        Ending::Unfinished => return Some("-- continues; end it with ;".to_owned()),
        Ending::Within(open) => open,
    };
    let what = match open {
        Open::Text => "the string that began with ' is not closed".to_owned(),
        Open::Name => "the name that began with \" is not closed".to_owned(),
        Open::Comment => "the comment that began with /* is not closed".to_owned(),
        Open::Dollar => "the string that began with $$ is not closed".to_owned(),
        Open::Line => return None,
        Open::Brackets(1) => "a ( is not closed".to_owned(),
        Open::Brackets(count) => format!("{count} ( are not closed"),
    };
    Some(format!("-- continues: {what}"))
}

/// What helps to type.
struct Assistant {
    names: Names,
    files: FilenameCompleter,
    brackets: MatchingBracketHighlighter,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Around<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = self.names.candidates(line, pos);
        if found.files {
            return self.files.complete_path(line, pos);
        }
        let pairs = found.words.into_iter().map(|word| Pair {
            display: word.trim_end().to_owned(),
            replacement: word,
        });
        Ok((found.start, pairs.collect()))
    }
}

/// Words that are shown behind the cursor and cannot be taken over.
struct Remark(String);

impl Hint for Remark {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Remark;

    fn hint(&self, line: &str, pos: usize, _: &Around<'_>) -> Option<Remark> {
        if pos < line.len() {
            return None;
        }
        let call = self.names.call(line).map(str::to_owned);
        call.or_else(|| missing(line)).map(Remark)
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        self.brackets.highlight(line, pos)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("{BOLD}{prompt}{PLAIN}"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("{DIM}{hint}{PLAIN}"))
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.brackets.highlight_char(line, pos, kind)
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_when_it_is_whole() {
        for whole in [
            "SELECT 1;",
            "SELECT\n1;",
            "",
            "\\d",
            "\\timing\nSELECT 1;",
            "exit",
            "-- a remark",
        ] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in ["SELECT 1", "SELECT ';", "\\timing\nSELECT 1", "exit 1"] {
            assert!(!is_whole(part), "{part}");
        }
    }

    #[test]
    fn the_next_line_says_what_is_missing() {
        assert_eq!(
            missing("SELECT 1\n").unwrap(),
            "-- continues; end it with ;"
        );
        assert!(missing("SELECT 'a;\n").unwrap().contains("began with '"));
        assert_eq!(
            missing("SELECT ((1)\n").unwrap(),
            "-- continues: a ( is not closed"
        );
        assert_eq!(missing("SELECT 1\nFROM"), None);
        assert_eq!(missing("SELECT 1"), None);
    }
}
