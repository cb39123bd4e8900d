//! What an ingest or a question is doing, for the person who waits.
//!
//! In: the calls of an [`Observer`]. Out: two lines on standard error that change in place on a terminal, for a question only
//! once it takes long; without a terminal, an ingest writes a plain line at each new phase and every few seconds, a question
//! writes nothing; nothing if quiet was asked for. Promise: standard output is never touched, the lines are gone before an
//! answer appears, and an observing pipeline never waits for a slow terminal.

use std::io::{IsTerminal as _, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use keytrail::read::{Observer, Outcome, Phase, Spread};

use crate::context::Context;
use crate::size::ByteSize;

/// Between two plain lines: rare enough for a log, often enough to see that it is alive.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// A question that is answered sooner is not commented on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two turns of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// Shows an ingest.
#[derive(Debug)]
pub(crate) struct Progress {
    face: Face,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Face {
    Silent,
    Lines(Context),
    Bar(ProgressBar),
    /// Of a question: it says at the end that only the answer is missing.
    Question(ProgressBar),
}

impl Progress {
    /// The kind of progress that suits the surroundings.
    pub(crate) fn new(context: &Context) -> Self {
        let face = match (context.quiet, stderr().is_terminal()) {
            (true, _) => Face::Silent,
            (false, true) => Face::Bar(bar(ProgressDrawTarget::stderr(), lines())),
            (false, false) => Face::Lines(context.clone()),
        };
        Self {
            face,
            state: Mutex::new(State::new()),
        }
    }

    /// The progress of a question; the context takes the lines away when there is an answer.
    pub(crate) fn of_question(context: &Context) -> Arc<Self> {
        let face = match context.quiet || !stderr().is_terminal() {
            true => Face::Silent,
            false => {
                let bar = bar(ProgressDrawTarget::hidden(), line());
                bar.set_message("reading the lake");
                context.wait_with(bar.clone());
                let late = bar.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(PATIENCE).await;
                    if !late.is_finished() {
                        late.set_draw_target(ProgressDrawTarget::stderr());
                    }
                });
                Face::Question(bar)
            }
        };
        Arc::new(Self {
            face,
            state: Mutex::new(State::new()),
        })
    }

    /// Says something without disturbing the line that changes in place.
    pub(crate) fn say(&self, context: &Context, text: &str) {
        match &self.face {
            Face::Bar(bar) | Face::Question(bar) => bar.suspend(|| context.say(text)),
            Face::Lines(_) | Face::Silent => context.say(text),
        }
    }

    /// Takes the changing line away, and says nothing more: the summary says what happened.
    pub(crate) fn finish(&self) {
        self.state().over = true;
        if let Face::Bar(bar) | Face::Question(bar) = &self.face {
            bar.finish_and_clear();
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        match &self.face {
            Face::Silent => {}
            Face::Bar(_) | Face::Question(_) if state.over => {}
            Face::Question(bar) if state.is_read() => {
                bar.set_message("all log files are read; answering");
                bar.set_position(state.total.bytes);
                bar.set_prefix("");
            }
            Face::Bar(bar) | Face::Question(bar) => {
                // A bar of length zero would be drawn full.
                bar.set_length(state.total.bytes.max(1));
                bar.set_position(state.done.bytes);
                bar.set_message(state.amount());
                bar.set_prefix(state.pace().join(", "));
            }
            Face::Lines(context) if !state.over && state.said.elapsed() >= BETWEEN_LINES => {
                state.said = Instant::now();
                context.say(&state.line());
            }
            Face::Lines(_) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Numbers are whole even if a thread panicked while it held them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn phase(&self, phase: Phase) {
        self.update(|state| {
            state.phase = Some(phase);
            if let Face::Question(bar) = &self.face {
                // A question may read the log files again.
                state.done = Amount::default();
                state.spread = Spread::default();
                bar.set_style(lines());
            }
            state.since = Instant::now();
            // Makes a plain line due at once.
            state.said = state
                .since
                .checked_sub(BETWEEN_LINES)
                .unwrap_or(state.since);
        });
    }

    fn listed(&self, files: u64, bytes: u64) {
        self.update(|state| state.listed.add(files, bytes));
    }

    fn total(&self, files: u64, bytes: u64) {
        self.update(|state| state.total = Amount { files, bytes });
    }

    fn log_file(&self, bytes: u64, outcome: Outcome) {
        self.update(|state| {
            match outcome {
                // Not part of what this run has to read.
                Outcome::AlreadyStored => return,
                Outcome::Rejected => state.rejected_files += 1,
                Outcome::Stored | Outcome::Skipped => {}
            }
            state.done.add(1, bytes);
        });
    }

    fn events(&self, read: u64, _stored: u64, _duplicates: u64, rejected: u64) {
        self.update(|state| {
            state.events += read;
            state.rejected_records += rejected;
        });
    }

    fn spread(&self, more: Spread) {
        self.update(|State { spread, .. }| {
            spread.stages += more.stages;
            spread.stages_done += more.stages_done;
            spread.tasks += more.tasks;
            spread.tasks_done += more.tasks_done;
        });
    }
}

/// What is being done, and how far it is.
fn lines() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}\n  [{bar:20}] {prefix}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// What is being done, where nobody knows how far it is.
fn line() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A bar that is drawn from now on, where it is drawn at all.
fn bar(target: ProgressDrawTarget, style: ProgressStyle) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1), target).with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

/// Log files and their stored bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    files: u64,
    bytes: u64,
}

impl Amount {
    fn add(&mut self, files: u64, bytes: u64) {
        self.files += files;
        self.bytes += bytes;
    }
}

/// What is known so far.
#[derive(Debug)]
struct State {
    phase: Option<Phase>,
    /// When the phase began.
    since: Instant,
    /// When a plain line was last written.
    said: Instant,
    listed: Amount,
    total: Amount,
    done: Amount,
    events: u64,
    /// On other machines.
    spread: Spread,
    rejected_files: u64,
    rejected_records: u64,
    over: bool,
}

impl State {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            phase: None,
            since: now,
            said: now,
            listed: Amount::default(),
            total: Amount::default(),
            done: Amount::default(),
            events: 0,
            spread: Spread::default(),
            rejected_files: 0,
            rejected_records: 0,
            over: false,
        }
    }

    /// Whether all log files were read.
    fn is_read(&self) -> bool {
        self.phase == Some(Phase::Reading)
            && self.total.files > 0
            && self.done.files >= self.total.files
    }

    /// The state as one line.
    fn line(&self) -> String {
        let mut parts = vec![self.amount()];
        parts.extend(self.pace());
        parts.join(", ")
    }

    /// The phase and how far it is.
    fn amount(&self) -> String {
        match self.phase {
            None => String::new(),
            Some(phase @ Phase::Listing) if self.listed.files > 0 => {
                format!(
                    "{phase}: {} log files, {}",
                    self.listed.files,
                    ByteSize(self.listed.bytes)
                )
            }
            Some(phase @ Phase::Reading) if self.total.files > 0 => format!(
                "{phase}: {} of {} log files, {} of {}",
                self.done.files,
                self.total.files,
                ByteSize(self.done.bytes),
                ByteSize(self.total.bytes)
            ),
            Some(phase @ Phase::Committing) => format!("{phase}: {} events read", self.events),
            Some(phase) => phase.to_string(),
        }
    }

    /// How fast it goes, how long it will take, and what was rejected.
    fn pace(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let seconds = self.since.elapsed().as_secs_f64();
        // The first second says nothing about the rate.
        if self.phase == Some(Phase::Reading) && seconds >= 1.0 && self.done.bytes > 0 {
            let missing = self.total.bytes.saturating_sub(self.done.bytes) as f64;
            let left = Duration::from_secs_f64(seconds * missing / self.done.bytes as f64);
            parts.push(format!("{:.0} events/s", self.events as f64 / seconds));
            parts.push(format!("{} left", readable(left)));
        }
        if self.phase == Some(Phase::Reading) && self.spread.tasks > 0 {
            let Spread {
                stages,
                stages_done,
                tasks,
                tasks_done,
            } = self.spread;
            parts.push(format!(
                "on the cluster: {stages_done} of {stages} stages, {tasks_done} of {tasks} tasks"
            ));
        }
        for (count, what) in [
            (self.rejected_files, "log files rejected"),
            (self.rejected_records, "records rejected"),
        ] {
            if count > 0 {
                parts.push(format!("{what}: {count}"));
            }
        }
        parts
    }
}

/// `7 s`, `3 min 07 s`, `2 h 05 min`.
pub(crate) fn readable(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            face: Face::Silent,
            state: Mutex::new(State::new()),
        }
    }

    #[test]
    fn the_line_adds_up() {
        let progress = progress();
        progress.phase(Phase::Listing);
        assert_eq!(progress.state().line(), "listing");
        progress.listed(3, 1024);
        progress.listed(1, 1024);
        assert_eq!(progress.state().line(), "listing: 4 log files, 2 KiB");

        progress.phase(Phase::Reading);
        progress.total(3, 2048);
        progress.log_file(512, Outcome::Stored);
        progress.log_file(512, Outcome::Rejected);
        progress.log_file(9999, Outcome::AlreadyStored);
        progress.events(500, 400, 98, 2);
        progress.state().since -= Duration::from_secs(10);
        assert_eq!(
            progress.state().line(),
            "reading: 2 of 3 log files, 1 KiB of 2 KiB, 50 events/s, 10 s left, \
             log files rejected: 1, records rejected: 2"
        );

        progress.spread(Spread::begun(2, 40));
        progress.spread(Spread::done(32));
        assert_eq!(
            progress.state().line(),
            "reading: 2 of 3 log files, 1 KiB of 2 KiB, 50 events/s, 10 s left, \
             on the cluster: 1 of 2 stages, 32 of 40 tasks, log files rejected: 1, records rejected: 2"
        );

        progress.phase(Phase::Committing);
        assert_eq!(
            progress.state().line(),
            "committing: 500 events read, log files rejected: 1, records rejected: 2"
        );
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(readable(Duration::from_secs(7)), "7 s");
        assert_eq!(readable(Duration::from_secs(187)), "3 min 07 s");
        assert_eq!(readable(Duration::from_secs(7500)), "2 h 05 min");
    }
}
