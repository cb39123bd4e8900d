//! What to do next.
//!
//! In: the words of a command, and the options that name the same events again. Out: one line to copy. Promise: a shell takes each word as
//! it is, whatever a log made of it.

use keytrail::analysis::shell_word;

use crate::args::TrailArgs;

/// The command of these words, asked of the same events.
pub(crate) fn command(words: &[&str], trail: &TrailArgs) -> String {
    let mut line: Vec<String> = vec!["keytrail".to_owned()];
    line.extend(words.iter().map(|word| match word.starts_with("--") {
        true => (*word).to_owned(),
        false => shell_word(word),
    }));
    for (option, value) in trail.again() {
        line.push(option.to_owned());
        line.extend(value.as_deref().map(shell_word));
    }
    line.join(" ")
}
