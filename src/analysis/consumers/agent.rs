//! What a user agent says about where and by whom a program is run.
//!
//! In: a user agent. Out: [`Agent`]: its parts, the program it is, and the title people know it by. Promise: parsed once per
//! distinct text.

use crate::cloudtrail::{Family, UserAgent};

/// A user agent, understood.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct Agent {
    pub(in crate::analysis) ua: UserAgent,
    /// The same for every version of the program.
    pub(in crate::analysis) program: String,
    pub(super) flavour: Option<&'static str>,
    pub(super) exec_env: Option<String>,
    /// Whether it runs on a machine that somebody sits at.
    pub(in crate::analysis) desktop: Option<&'static str>,
}

/// Programs with windows, for people.
const WINDOWED: &[&str] = &[
    "S3 Browser",
    "Cyberduck",
    "Mountain Duck",
    "WinSCP",
    "FileZilla",
    "Transmit",
    "CloudBerry",
    "PostmanRuntime",
];

/// Releases of Windows that are no servers.
const WINDOWS_CLIENTS: &[&str] = &["7", "8", "8.1", "10", "11"];

/// SDKs by the names that people know.
const TITLES: &[(&str, &str)] = &[
    ("aws-cli", "aws-cli"),
    ("boto2", "boto"),
    ("go-v1", "AWS SDK for Go"),
    ("go-v2", "AWS SDK for Go"),
    ("js-v2", "AWS SDK for JavaScript"),
    ("js-v3", "AWS SDK for JavaScript"),
    ("java", "AWS SDK for Java"),
    ("kotlin", "AWS SDK for Kotlin"),
    ("swift", "AWS SDK for Swift"),
    ("ruby-v1", "AWS SDK for Ruby"),
    ("ruby-v2", "AWS SDK for Ruby"),
    ("ruby-v3", "AWS SDK for Ruby"),
    ("rust", "AWS SDK for Rust"),
    ("php", "AWS SDK for PHP"),
    ("cpp", "AWS SDK for C++"),
    ("dotnet", "AWS SDK for .NET"),
    ("powershell", "AWS Tools for PowerShell"),
];

impl Agent {
    pub(in crate::analysis) fn new(text: &str) -> Self {
        let ua = UserAgent::parse(text);
        let flavour = ua.flavour();
        Self {
            program: ua.program(),
            flavour,
            exec_env: ua.exec_env_class(),
            desktop: desktop(&ua, flavour),
            ua,
        }
    }

    /// The program as people call it.
    pub(in crate::analysis) fn title(&self) -> String {
        let sdk = self.ua.sdk.as_deref();
        let known = TITLES.iter().find(|(label, _)| Some(*label) == sdk);
        let sdk = known.map(|(_, title)| *title).or(sdk);
        if let Some(application) = self.ua.application() {
            return application;
        }
        match (&self.ua.tool, sdk, self.ua.family) {
            (Some(tool), _, _) => tool.clone(),
            (None, Some(sdk), _) => sdk.to_owned(),
            (None, None, Family::None) => "no user agent".to_owned(),
            (None, None, family) => family.to_string(),
        }
    }

    /// Whether it or its system is made for attacks.
    pub(in crate::analysis) fn suspicion(&self) -> Option<String> {
        if self.ua.family == Family::AttackTool {
            return Some(format!("{} is an attack tool", self.title()));
        }
        let systems = ["kali", "parrot", "pentoo"];
        let system = self.flavour.filter(|flavour| systems.contains(flavour));
        let env = self
            .exec_env
            .as_deref()
            .filter(|env| env.starts_with("grimoire"));
        system
            .map(|system| format!("it runs on {system}, a penetration-testing system"))
            .or_else(|| env.map(|env| format!("its user agent names {env}, an attack tool")))
    }
}

/// Where programs without a system of their own run.
pub(super) const BROWSER: &str = "a browser";

/// What shows that somebody sits at the machine.
fn desktop(ua: &UserAgent, flavour: Option<&str>) -> Option<&'static str> {
    let version = ua.os_version.as_deref();
    match ua.os.as_deref() {
        Some("macos") => return Some("macOS"),
        Some("windows") if version.is_some_and(|version| WINDOWS_CLIENTS.contains(&version)) => {
            return Some("Windows");
        }
        _ => {}
    }
    match flavour {
        Some("wsl") => return Some("Windows (WSL)"),
        Some("docker-desktop") => return Some("Docker Desktop"),
        _ => {}
    }
    let tool = ua.tool.as_deref();
    let windowed = WINDOWED.iter().find(|name| Some(**name) == tool).copied();
    windowed.or((ua.family == Family::Browser).then_some(BROWSER))
}
