//! How a command ends.
//!
//! In: errors of the library, which carry facts. Out: [`Failure`], which adds what to do about it, and exit codes.
//! Promise: every error that leaves the program passes here; its text comes from log files, buckets and servers, and is
//! made harmless for the terminal here.

mod advice;
#[cfg(feature = "cluster")]
mod cluster;
mod excerpt;
#[cfg(feature = "mcp")]
mod service;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use keytrail::render::escape::terminal;
use keytrail::report::Coverage;

/// A command that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Everything went well.
    Complete,
    /// The work is done, but something was not read: rejected, archived, unreadable.
    WithRejects,
    /// No log file was found, or none could be read: there is nothing that the answer could rest on.
    Void,
    /// Ctrl-C ended the work early; what was begun is finished.
    Stopped,
}

impl Done {
    /// The end of an answer that rests on this.
    pub(crate) fn on(coverage: &Coverage) -> Self {
        match coverage {
            coverage if coverage.is_void() => Self::Void,
            coverage if coverage.is_partial() => Self::WithRejects,
            _ => Self::Complete,
        }
    }
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Complete => ExitCode::SUCCESS,
            Done::WithRejects => ExitCode::from(3),
            Done::Void => ExitCode::FAILURE,
            Done::Stopped => ExitCode::from(STOPPED),
        }
    }
}

/// What a shell reports for a program that Ctrl-C ended.
pub(crate) const STOPPED: u8 = 130;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The work could not be done.
    Failed,
    /// The command line asks for something impossible.
    Usage,
}

/// A command that did not come to its end, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    message: String,
    causes: Vec<String>,
    /// Lines of what the reader wrote, with a mark below the place.
    excerpt: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// Work that could not be done.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Failed,
            message: message.into(),
            causes: Vec::new(),
            excerpt: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{} cannot be read", path.display())).because(error)
    }

    /// A command line that asks for something impossible.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Usage,
            ..Self::new(message)
        }
    }

    /// An error of the library, with its causes.
    fn of(error: &dyn Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.source() {
            Some(cause) => failure.because(cause),
            None => failure,
        }
    }

    /// Adds an error and its own causes, leaving out a cause that its parent's text already tells.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            let text = without_part(&text).to_owned();
            let told = self.causes.last().unwrap_or(&self.message);
            if !told.contains(&text) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Says which option the error is about.
    pub(crate) fn of_option(mut self, option: &str) -> Self {
        self.message = format!("{option}: {}", self.message);
        self
    }

    /// Says in which file the excerpt is.
    pub(crate) fn within(mut self, file: &str) -> Self {
        if let Some(first) = self.excerpt.first_mut() {
            *first = format!("{first}  {file}");
        }
        self
    }

    /// Adds something the reader can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What a cause says without the engine's part that it came through.
fn without_part(text: &str) -> &str {
    let rest = text.strip_prefix("Generic ");
    let rest = rest.and_then(|rest| rest.split_once(" error: "));
    rest.map_or(text, |(_, said)| said)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", terminal(&self.message))?;
        for cause in &self.causes {
            write!(f, "\ncaused by: {}", terminal(cause))?;
        }
        for line in &self.excerpt {
            write!(f, "\n{}", terminal(line))?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {}", terminal(hint))?;
        }
        Ok(())
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::Failed => ExitCode::FAILURE,
            FailureKind::Usage => ExitCode::from(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_are_listed_once_and_harmless() {
        let inner = Layer {
            text: "disk\u{1b}[2J full",
            source: None,
        };
        let outer = Layer {
            text: "write failed",
            source: Some(Box::new(inner)),
        };
        let failure = Failure::new("no lake: write failed")
            .because(&outer)
            .hint("make room");
        assert_eq!(
            failure.to_string(),
            "error: no lake: write failed\ncaused by: disk\\x1b[2J full\nhint: make room"
        );
    }
}
