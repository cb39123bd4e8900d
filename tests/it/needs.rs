//! What some tests need and the project does not have. Such tests are ignored with their reason (`#[ignore = "needs …"]`), so
//! that `cargo test` counts them; `.ci/run` runs those whose needs it can meet.
//!
//! In: the environment. Out: a path, or the test fails and names the variable.

use std::env;
use std::path::PathBuf;

/// A folder of CloudTrail records that others published, one folder for each source, and `truth/`.
pub(crate) fn corpus() -> PathBuf {
    path("KEYTRAIL_CORPUS")
}

/// The script that makes trails of an organisation together with their truth.
pub(crate) fn generator() -> PathBuf {
    path("KEYTRAIL_SYNTH")
}

/// A folder with the sources of tables: `attack_events.csv`, `user_agents.csv`.
pub(crate) fn tables() -> PathBuf {
    path("KEYTRAIL_TABLES")
}

/// axe-core's script, which finds what screen readers stumble over: `npm install axe-core`.
#[cfg(feature = "serve")]
pub(crate) fn axe() -> PathBuf {
    path("KEYTRAIL_AXE")
}

fn path(variable: &str) -> PathBuf {
    let Some(value) = env::var_os(variable) else {
        panic!("{variable} is not set; `.ci/run` shows what it names");
    };
    // Relative to the project, wherever the test runs.
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(value);
    assert!(
        path.exists(),
        "{variable}: {} does not exist",
        path.display()
    );
    path
}
