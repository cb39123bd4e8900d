//! What people who break into AWS accounts do, as CloudTrail records it.
//!
//! In: nothing. Out: the table of events with tactic, technique, severity and condition, as CSV text, and the older ids
//! of techniques that were renamed. Promise: every row of the table compiles (a test of `analysis::findings`).

use std::collections::HashMap;
use std::sync::LazyLock;

/// The table, in the shape of a `--rules` file.
pub const ATTACK_EVENTS: &str = include_str!("data/attack_events.csv");

/// The name of the table in the `rule` of a finding.
pub const ATTACK_EVENTS_NAME: &str = "attack_events.csv";

static OLDER: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("data/attack_techniques.csv").lines().skip(2);
    lines.filter_map(|line| line.split_once(',')).collect()
});

/// The id that a technique of ATT&CK v19 had in v18; most have kept theirs.
///
/// ```
/// use keytrail::knowledge::attack::technique_v18;
///
/// assert_eq!(technique_v18("T1685.002"), "T1562.008");
/// assert_eq!(technique_v18("T1530"), "T1530");
/// ```
pub fn technique_v18(technique_id: &str) -> &str {
    OLDER.get(technique_id).copied().unwrap_or(technique_id)
}
