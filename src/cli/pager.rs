//! Answers that are taller than the screen.
//!
//! In: text for a terminal. Out: the text, through a pager as soon as it has more lines than the screen. Promise: a short
//! answer is simply there; a reader who leaves the pager early is no error.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write, stdout};
use std::process::{Child, Command, Stdio};

use crate::config;

/// What is used when `$PAGER` names nothing: `less` that keeps colours and leaves the text on the screen, as git
/// calls it.
const DEFAULT: &str = "less -FRX";

/// Standard output on a terminal.
#[derive(Debug)]
pub(crate) struct Screen {
    /// Lines of the screen; no pager when none.
    height: Option<usize>,
    lines: usize,
    /// What was written while it still fits the screen.
    waiting: Vec<u8>,
    pager: Option<Child>,
}

impl Screen {
    /// A screen of so many lines.
    pub(crate) fn new(height: Option<usize>) -> Self {
        Self {
            height: height.filter(|_| pager().is_some()),
            lines: 0,
            waiting: Vec::new(),
            pager: None,
        }
    }

    /// Whether something was written.
    pub(crate) fn is_begun(&self) -> bool {
        self.lines > 0
    }

    /// Writes what waits; waits for the reader to leave the pager.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self.pager.take() {
            Some(mut pager) => {
                // Its end of the pipe closes, so that the pager knows the end.
                drop(pager.stdin.take());
                pager.wait().map(drop)
            }
            None => {
                self.height = None;
                self.flush()
            }
        }
    }

    fn page(&mut self) -> io::Result<()> {
        let Some(command) = pager() else {
            return self.plain();
        };
        let child = shell(&command).stdin(Stdio::piped()).spawn();
        match child {
            Ok(child) => self.pager = Some(child),
            // No shell, no pager.
            Err(error) if error.kind() == ErrorKind::NotFound => return self.plain(),
            Err(error) => return Err(error),
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.write_all(&waiting)
    }

    /// Goes on without a pager.
    fn plain(&mut self) -> io::Result<()> {
        self.height = None;
        self.flush()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(pager) = &mut self.pager {
            return match &mut pager.stdin {
                Some(pipe) => pipe.write(bytes),
                None => Err(ErrorKind::BrokenPipe.into()),
            };
        }
        self.waiting.extend_from_slice(bytes);
        self.lines += bytes.iter().filter(|&&byte| byte == b'\n').count();
        // A line is for the prompt that comes after.
        if self.height.is_some_and(|height| self.lines >= height) {
            self.page()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(pager) = &mut self.pager {
            return pager.stdin.as_mut().map_or(Ok(()), Write::flush);
        }
        if self.height.is_none() {
            let mut out = stdout().lock();
            out.write_all(&self.waiting)?;
            self.waiting.clear();
            out.flush()?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What was written before a failure is shown; the failure itself is told elsewhere.
        let _ = self.finish();
    }
}

/// The pager's command: `$PAGER`, that of the configuration, or `less` if it is there. An empty `$PAGER` or `cat` means none.
fn pager() -> Option<OsString> {
    match env::var_os("PAGER") {
        Some(pager) if pager.is_empty() || pager == "cat" => None,
        Some(pager) => Some(pager),
        None => match config::pager() {
            Some("" | "cat") => None,
            Some(pager) => Some(pager.into()),
            None => usual(),
        },
    }
}

/// `less`, if it is there.
fn usual() -> Option<OsString> {
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path).any(|folder| folder.join("less").is_file());
    found.then(|| DEFAULT.into())
}

/// `$PAGER` may have arguments.
fn shell(command: &OsString) -> Command {
    let mut shell = match cfg!(windows) {
        true => Command::new("cmd"),
        false => Command::new("sh"),
    };
    shell
        .arg(if cfg!(windows) { "/C" } else { "-c" })
        .arg(command);
    shell
}
