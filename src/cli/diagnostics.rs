//! What goes on inside, for whoever asks why something is slow.
//!
//! In: how often `-v` was given, and `RUST_LOG`. Out: lines on standard error. Promise: without either nothing is written;
//! the library only emits, and this is the one subscriber.

use std::fmt::Write as _;
use std::fs;
use std::io::stderr;
use std::time::Instant;

use crate::size::ByteSize;
use keytrail::render::escape::terminal;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, debug, info};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// The variable that names what is shown, as in other programs of this language.
const VARIABLE: &str = "RUST_LOG";

/// What each `-v` adds: what keytrail does, each of its requests and plans, and all that its libraries say.
const LEVELS: [&str; 3] = [
    "keytrail=info",
    "keytrail=debug,aws_smithy_runtime::client::retries=debug,aws_smithy_runtime::client::orchestrator=debug",
    "debug",
];

/// Begins to write, if it is asked for. The variable wins over the option.
pub(crate) fn begin(verbosity: u8) {
    let filter = match std::env::var(VARIABLE) {
        Ok(filter) if !filter.is_empty() => filter,
        _ => match usize::from(verbosity) {
            0 => return,
            level => LEVELS[level.min(LEVELS.len()) - 1].to_owned(),
        },
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(stderr)
        .with_ansi(false)
        .event_format(Lines {
            begun: Instant::now(),
        })
        .finish();
    // A second subscriber would be a mistake of this program; the first one stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    debug!(version = env!("CARGO_PKG_VERSION"), "keytrail begins");
}

/// Says how much memory was taken at most, where the system tells.
pub(crate) fn end() {
    if let Some(peak) = peak_memory() {
        info!(peak_memory = %ByteSize(peak), "done");
    }
}

/// The most memory that this process had at once, in bytes
/// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// One line per event: seconds since the start, where, what, and its fields. Values come from log files, too: they are escaped.
struct Lines {
    begun: Instant,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut text = Text::default();
        event.record(&mut text);
        let seconds = self.begun.elapsed().as_secs_f64();
        let meta = event.metadata();
        write!(
            writer,
            "{seconds:8.3} {:<5} {}: ",
            meta.level(),
            meta.target()
        )?;
        write!(
            writer,
            "{}{}",
            terminal(&text.message),
            terminal(&text.fields)
        )?;
        writeln!(writer)
    }
}

/// An event's message and fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a text does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}
