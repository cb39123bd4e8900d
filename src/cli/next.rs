//! What to do next.
//!
//! In: the words of a command, and the options that name the same events, and the same networks, again. Out: one line to copy. Promise: a
//! shell takes each word as it is, whatever a log made of it.

use std::io::{IsTerminal as _, stdout};

use keytrail::analysis::shell_word;
use keytrail::render::{Format, escape};

use crate::args::TrailArgs;
use crate::commands::NetworkArgs;
use crate::context::Context;
use crate::output_args::OutputArgs;

/// An option that was given, to be given again.
type Again = (&'static str, Option<String>);

/// The command of these words, asked of the same events.
pub(crate) fn command(words: &[&str], trail: &TrailArgs) -> String {
    line(words, trail.again())
}

/// The same with the same networks, which decide who is the owner.
pub(crate) fn judged(words: &[&str], trail: &TrailArgs, networks: &NetworkArgs) -> String {
    line(words, trail.again().into_iter().chain(networks.again()))
}

/// The command of these words, which asks no events.
pub(crate) fn line(words: &[&str], again: impl IntoIterator<Item = Again>) -> String {
    let mut line: Vec<String> = vec!["keytrail".to_owned()];
    line.extend(words.iter().map(|word| match word.starts_with("--") {
        true => (*word).to_owned(),
        false => shell_word(word),
    }));
    for (option, value) in again {
        line.push(option.to_owned());
        line.extend(value.as_deref().map(shell_word));
    }
    line.join(" ")
}

/// Says on standard error what to do next, where rows were written to a terminal: rows in a pipe are nobody's reading.
pub(crate) fn mention(next: &str, args: &OutputArgs, context: &Context) {
    let is_read = args.format == Format::Table && args.output.is_none() && stdout().is_terminal();
    if is_read {
        context.mention(&format!("Next: {}", escape::terminal(next)));
    }
}
