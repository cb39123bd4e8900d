//! What was typed before.
//!
//! In: statements. Out: a file of the reader's own, from one start to the next. Promise: a file that cannot be read or
//! written is said once and is no failure; nobody but the reader can read it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

use crate::context::Context;

/// Names the file; empty for none.
const VARIABLE: &str = "KEYTRAIL_HISTORY";

/// Where statements are kept.
#[derive(Debug)]
pub(super) struct History {
    /// None when nothing is kept, or no more.
    file: Option<PathBuf>,
}

impl History {
    /// Reads what was kept.
    pub(super) fn open<H: Helper>(editor: &mut Editor<H, FileHistory>, context: &Context) -> Self {
        let mut history = Self { file: place() };
        if let Some(file) = &history.file
            && let Err(error) = editor.load_history(file)
            && !is_missing(&error)
        {
            history.give_up("read", &error, context);
        }
        history
    }

    /// Keeps a statement.
    pub(super) fn keep<H: Helper>(
        &mut self,
        editor: &mut Editor<H, FileHistory>,
        text: &str,
        context: &Context,
    ) {
        let Ok(true) = editor.add_history_entry(text) else {
            return;
        };
        let Some(file) = &self.file else { return };
        let kept = folder(file)
            .map_err(ReadlineError::from)
            .and_then(|()| editor.append_history(file));
        if let Err(error) = kept {
            self.give_up("written", &error, context);
        }
    }

    fn give_up(&mut self, what: &str, error: &ReadlineError, context: &Context) {
        if let Some(file) = self.file.take() {
            context.mention(&format!(
                "note: {} cannot be {what}, so what you type is not remembered: {error}",
                file.display()
            ));
        }
    }
}

fn folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

fn is_missing(error: &ReadlineError) -> bool {
    matches!(error, ReadlineError::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

/// The file: as the environment names it, or where the system keeps the state of programs.
fn place() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|named| !named.as_os_str().is_empty());
    }
    let variable = match cfg!(windows) {
        true => "LOCALAPPDATA",
        false => "XDG_STATE_HOME",
    };
    let state = env::var_os(variable).map(PathBuf::from);
    let state = state
        // As the specification has it.
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".local").join("state")))?;
    Some(state.join("keytrail").join("sql_history"))
}
