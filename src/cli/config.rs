//! What is the same for every command, in a file.
//!
//! In: `keytrail.toml` in the working folder, and the user's own below `$XDG_CONFIG_HOME`. Out: [`Settings`]. Promise: options and
//! environment variables win over them, the working folder's file over the user's; a name that is not known is an error that names
//! file and line; a file that cannot be read is said, and left out; a file that merely lies in the working folder cannot name a program to run.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::ColorChoice;
use serde::Deserialize;

use crate::failure::Failure;

/// The lake of a command that names none.
pub(crate) const DEFAULT_LAKE: &str = "keytrail-lake";

/// The file's name, in either place.
const NAME: &str = "keytrail.toml";

/// What can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The lake of commands that name none: `--lake`.
    lake: Option<String>,
    /// The file with the names of our networks: `--networks`.
    networks: Option<PathBuf>,
    /// The profile of the AWS configuration files: `--profile`.
    profile: Option<String>,
    /// `auto`, `always` or `never`: `--color`.
    color: Option<Color>,
    /// The pager, as in `$PAGER`; empty means none.
    pager: Option<String>,
}

/// As `--color` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Auto,
    Always,
    Never,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Reads the files. To be called once, before the command line is read. Those that the operating system does not let be read
/// are left out, and said: another user's are no reason to answer nothing.
pub(crate) fn load() -> Result<Vec<String>, Failure> {
    let (mut settings, mut left_out) = (Settings::default(), Vec::new());
    let files = [(Some(PathBuf::from(NAME)), false), (own_file(), true)];
    for (path, is_own) in files {
        let Some(path) = path else { continue };
        match fs::read_to_string(&path) {
            Ok(text) => settings = settings.over(parsed(&text, &path, is_own)?),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(
                    Failure::usage(format!("{} is not UTF-8", path.display())).because(&error)
                );
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => left_out.push(format!(
                "warning: settings left out: {}: {error}",
                path.display()
            )),
        }
    }
    // It is only set here.
    let _ = SETTINGS.set(settings);
    Ok(left_out)
}

/// Whether there is no such file, nor a folder for it.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn settings() -> &'static Settings {
    SETTINGS.get_or_init(Settings::default)
}

/// The lake of commands that name none.
pub(crate) fn lake() -> String {
    let set = settings().lake.clone();
    set.unwrap_or_else(|| DEFAULT_LAKE.to_owned())
}

/// The file with the names of our networks.
pub(crate) fn networks() -> Option<&'static Path> {
    settings().networks.as_deref()
}

/// The profile, unless the environment names one.
pub(crate) fn profile() -> Option<String> {
    let named = env::var_os("AWS_PROFILE").is_some_and(|name| !name.is_empty());
    settings().profile.clone().filter(|_| !named)
}

/// Whether there are colours, unless the environment says.
pub(crate) fn color() -> ColorChoice {
    let said = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match settings().color.filter(|_| !said) {
        None | Some(Color::Auto) => ColorChoice::Auto,
        Some(Color::Always) => ColorChoice::Always,
        Some(Color::Never) => ColorChoice::Never,
    }
}

/// The pager.
pub(crate) fn pager() -> Option<&'static str> {
    settings().pager.as_deref()
}

impl Settings {
    /// These, and what they leave open from others.
    fn over(self, others: Self) -> Self {
        Self {
            lake: self.lake.or(others.lake),
            networks: self.networks.or(others.networks),
            profile: self.profile.or(others.profile),
            color: self.color.or(others.color),
            pager: self.pager.or(others.pager),
        }
    }

    /// Relative paths count from the file's folder.
    fn from(self, folder: &Path) -> Self {
        let lake = self.lake.map(|lake| match lake.contains("://") {
            true => lake,
            false => folder.join(lake).display().to_string(),
        });
        Self {
            lake,
            networks: self.networks.map(|path| folder.join(path)),
            ..self
        }
    }
}

/// The user's own file, as the XDG base directories have it.
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
fn own_file() -> Option<PathBuf> {
    let set = |name: &str| {
        let folder = PathBuf::from(env::var_os(name)?);
        folder.is_absolute().then_some(folder)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("keytrail").join(NAME))
}

/// The settings in a file.
fn parsed(text: &str, path: &Path, is_own: bool) -> Result<Settings, Failure> {
    let settings = parse(text, &path.display().to_string(), is_own)?;
    Ok(settings.from(path.parent().unwrap_or(Path::new(""))))
}

fn parse(text: &str, file: &str, is_own: bool) -> Result<Settings, Failure> {
    let at = |place: usize| text[..place.min(text.len())].matches('\n').count() + 1;
    let settings: Settings = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| at(span.start));
        let what = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        Failure::usage(format!("{file}, line {line}: {what}"))
            .hint("valid settings are lake, networks, profile, color and pager")
    })?;
    if settings.pager.is_some() && !is_own {
        let place = text.find("pager").unwrap_or_default();
        return Err(Failure::usage(format!(
            "{file}, line {}: pager cannot be set here: keytrail would run a program that this folder chooses",
            at(place)
        ))
        .hint("set it in ~/.config/keytrail/keytrail.toml, or as $PAGER"));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text, "keytrail.toml", false).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_known_names_its_line() {
        let text = wrong("lake = \"lake\"\n\nlakes = \"x\"\n");
        assert!(text.contains("keytrail.toml, line 3: "), "{text}");
        assert!(text.contains("lakes"), "{text}");
        let text = wrong("color = \"blue\"");
        assert!(text.contains("line 1"), "{text}");
        let text = wrong("lake = \"a\"\nlake =");
        assert!(text.contains("line 2"), "{text}");
    }

    #[test]
    fn a_folder_names_no_program() {
        let text = "lake = \"lake\"\npager = \"rm -rf .\"\n";
        assert!(wrong(text).contains("line 2: pager"), "{}", wrong(text));
        let own = parse(text, "keytrail.toml", true).unwrap();
        assert_eq!(own.pager.as_deref(), Some("rm -rf ."));
    }

    #[test]
    fn paths_count_from_the_file() {
        let set = parse(
            "lake = \"lake\"\nnetworks = \"ours.txt\"\ncolor = \"never\"",
            "x",
            true,
        );
        let set = set.unwrap().from(Path::new("/cases/1"));
        assert_eq!(set.lake.as_deref(), Some("/cases/1/lake"));
        assert_eq!(set.networks, Some(PathBuf::from("/cases/1/ours.txt")));
        let bucket = parse("lake = \"s3://b/lake\"", "x", true).unwrap();
        let bucket = bucket.from(Path::new("/cases/1"));
        assert_eq!(bucket.lake.as_deref(), Some("s3://b/lake"));
        // The nearer file wins, setting by setting.
        let both = bucket.over(set);
        assert_eq!(both.lake.as_deref(), Some("s3://b/lake"));
        assert_eq!(both.color, Some(Color::Never));
    }
}
