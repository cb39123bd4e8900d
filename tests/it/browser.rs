//! Shows a page in Chromium. In: a page. Out: the document after its scripts ran, and what the browser
//! said.

use std::path::Path;
use std::process::Command;

/// A page as the browser has it.
pub(crate) struct Shown {
    pub(crate) dom: String,
    /// Standard error: complaints about the Content Security Policy are there.
    pub(crate) said: String,
}

/// Shows a page. Tests that call it are `#[ignore = "needs chromium"]`, and have `in_chromium` in their names.
pub(crate) fn shown(page: &Path) -> Shown {
    let chromium = chromium().expect("chromium is installed");
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    Shown {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let version = Command::new(name).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        })
}
