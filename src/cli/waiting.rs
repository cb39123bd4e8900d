//! What a query is doing, for the person who waits.
//!
//! In: how much was read so far. Out: a line on standard error that changes in place, on a terminal, once a query takes
//! long; nothing otherwise. Promise: the line is gone before rows appear on the same terminal.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::context::Context;
use crate::progress::readable;

/// A query that is quicker is not commented on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two looks at a query.
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// Shows that a query is under way.
#[derive(Debug)]
pub(crate) struct Waiting {
    since: Instant,
    wanted: bool,
    line: Option<ProgressBar>,
    #[cfg(feature = "cluster")]
    context: Context,
}

impl Waiting {
    /// Begins to wait.
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            since: Instant::now(),
            wanted: !context.quiet && stderr().is_terminal(),
            line: None,
            #[cfg(feature = "cluster")]
            context: context.clone(),
        }
    }

    /// Says how far it is: rows of the tables read, and log files of how many if they are read one by one.
    pub(crate) fn show(&mut self, read: u64, log_files: Option<(usize, usize)>) {
        if !self.wanted || self.since.elapsed() < PATIENCE {
            return;
        }
        let line = self.line.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::new_spinner().with_style(style)
        });
        let files = match log_files {
            Some((done, total)) if done < total => format!("{done} of {total} log files, "),
            _ => String::new(),
        };
        #[cfg(feature = "cluster")]
        let files = match self.context.cluster() {
            // Log files that executors decode are counted as they come.
            Some(cluster) if log_files.is_none() => format!("{}, ", cluster.far()),
            _ => files,
        };
        line.set_message(format!(
            "{files}{read} rows read, {}; Ctrl-C stops",
            readable(self.since.elapsed())
        ));
        line.tick();
    }

    /// Takes the line away, for good.
    pub(crate) fn finish(&mut self) {
        self.wanted = false;
        self.hide();
    }

    /// Takes the line away until it is shown again.
    pub(crate) fn hide(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.finish();
    }
}
