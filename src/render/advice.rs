//! What to tell people who want more than is shown.
//!
//! In: sentences of the program whose options they name. Out: [`Advice`], which renderers say where something was left out. Promise: the
//! library knows no option; where there is no advice, only the fact is said.

/// Sentences of a program about its own options.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// For who misses a column.
    pub columns: &'static str,
    /// For who misses rows.
    pub rows: &'static str,
    /// For who can help to separate the owner from an intruder.
    pub owner: &'static str,
    /// Where further commands are.
    pub commands: &'static str,
    /// Where all sections are; with a name of each section behind it.
    pub sections: &'static str,
    /// For who wants changes by the owner followed.
    pub owners_changes: &'static str,
    /// For who wants each event of a timeline.
    pub events: &'static str,
    /// Where the steps of a plan are.
    pub steps: &'static str,
}

/// Words behind a fact: a semicolon and the advice, if there is any.
pub(super) fn behind(advice: Option<&Advice>, what: fn(&Advice) -> &'static str) -> String {
    advice.map_or_else(String::new, |advice| format!("; {}", what(advice)))
}
