//! Browsers.
//!
//! In: a text that begins with `Mozilla/`. Out: the browser's name and version, and the system it runs on.

use super::token::Token;
use super::{Family, UserAgent};

/// Browsers, those that pretend to be others first.
const BROWSERS: &[&str] = &[
    "Edg",
    "OPR",
    "Vivaldi",
    "SamsungBrowser",
    "CriOS",
    "FxiOS",
    "Chrome",
    "Firefox",
    "Safari",
];

/// Systems by a word of the first comment, the more telling first.
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "android"),
    ("iPhone", "ios"),
    ("iPad", "ios"),
    ("CrOS", "chromeos"),
    ("Windows", "windows"),
    ("Mac", "macos"),
    ("Linux", "linux"),
    ("X11", "linux"),
];

/// Fills in what a browser says of itself.
pub(super) fn read(tokens: &[Token<'_>], agent: &mut UserAgent) {
    agent.family = Family::Browser;
    let products = || {
        tokens.iter().filter_map(|token| match token {
            Token::Product(name, version) => Some((*name, *version)),
            _ => None,
        })
    };
    let known = BROWSERS
        .iter()
        .find_map(|browser| products().find(|(name, _)| name == browser));
    if let Some((name, version)) = known {
        agent.tool = Some(name.to_owned());
        agent.tool_version = Some(version.to_owned());
    }
    let comment = tokens.iter().find_map(|token| match token {
        Token::Comment(text) => Some(*text),
        _ => None,
    });
    let system = comment.and_then(|text| SYSTEMS.iter().find(|(word, _)| text.contains(word)));
    agent.os = system.map(|(_, os)| (*os).to_owned());
}
