//! Options that help.
//!
//! In: what an answer leaves out, and its notes. Out: the option that helps. Promise: the library states facts; which option helps is
//! said here.

use keytrail::analysis::consumers::LEFT_OUT;
use keytrail::render::Advice;

/// What helps people who miss something.
pub(crate) const ADVICE: Advice = Advice {
    columns: "--columns NAME,… shows them",
    rows: "--full shows all",
    owner: "name the owner's networks (--known-networks FILE), or when the incident began (--incident-start TIME)",
    commands: "--section steps,cleanup",
    sections: "--full, --html FILE, --section ",
    owners_changes: "--follow-owner follows them",
    events: "--all shows each event",
    steps: "The steps of a key: keytrail plan AKIA…; of all of them: --format markdown, or --html FILE.",
};

/// The same for answers of more than one kind of row, which take no `--columns`.
pub(crate) const OF_SECTIONS: Advice = Advice {
    columns: "--format json has all of them",
    ..ADVICE
};

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
