//! Options that help with what a note says.
//!
//! In: the notes of an answer. Out: the notes, with the option that helps behind those that have one. Promise: the library states facts;
//! which option helps is said here.

use keytrail::analysis::consumers::LEFT_OUT;

/// What a note says, and the option that helps.
const OPTIONS: &[(&str, &str)] = &[
    (LEFT_OUT, "--include intruder counts them"),
    (
        "IAM was not asked",
        "--credential-report FILE or --live asks it",
    ),
];

/// The notes with the options behind them.
pub(crate) fn on(notes: &mut [String]) {
    for note in notes {
        let fits = |(fact, _): &&(&str, &str)| note.starts_with(fact);
        if let Some((_, option)) = OPTIONS.iter().find(fits) {
            note.push_str(&format!(" ({option})"));
        }
    }
}
