//! The questions that can be asked by name.
//!
//! In: the files that keytrail brings along, and folders of the user's own. Out: a [`Library`]. Promise: [`FILES`] is the
//! one list from which `list`, `run`, the README and the tests come; a broken file is named with its reason and hides no
//! other; no file takes the name of another.

use super::{Group, Question, QuestionError};
use crate::analysis::Analysis;
use crate::session::fill_event_data_store;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use std::fs;
use std::io;
use std::path::Path;
use walkdir::WalkDir;

macro_rules! files {
    ($($file:literal,)*) => {
        /// The files that keytrail brings along, by their path in its sources, and their text: by group, and in the order
        /// in which one would ask.
        pub const FILES: &[(&str, &str)] = &[
            $((concat!("queries/", $file), include_str!(concat!("../../../queries/", $file))),)*
        ];
    };
}

files! {
    "keys/key-owner.sql",
    "keys/key-lifecycle.sql",
    "keys/key-days.sql",
    "keys/keys-created.sql",
    "keys/use-after-deactivation.sql",
    "keys/first-of-two-keys.sql",
    "keys/unused-keys.sql",
    "keys/credential-births.sql",
    "incident/find-events.sql",
    "incident/event.sql",
    "incident/key-timeline.sql",
    "incident/key-addresses.sql",
    "incident/key-successes.sql",
    "incident/key-refused.sql",
    "incident/first-refusal.sql",
    "incident/key-issued.sql",
    "incident/key-persistence.sql",
    "incident/key-left-behind.sql",
    "incident/launched-instances.sql",
    "incident/created-resources.sql",
    "incident/logging-changes.sql",
    "incident/quarantine.sql",
    "incident/sign-ins-around.sql",
    "access/user-timeline.sql",
    "access/user-keys.sql",
    "access/role-users.sql",
    "access/role-self-assumption.sql",
    "access/cross-account.sql",
    "access/into-other-accounts.sql",
    "access/refusals.sql",
    "data/key-data-read.sql",
    "data/secrets-to-rotate.sql",
    "data/bucket-transfers.sql",
    "data/object-access.sql",
    "data/shared-outside.sql",
    "data/destroyed.sql",
    "identity/sign-ins.sql",
    "identity/password-mfa-changes.sql",
    "identity/permission-changes.sql",
    "identity/trust-changes.sql",
    "identity/root-use.sql",
    "network/address.sql",
    "network/public-calls.sql",
    "network/opened-ports.sql",
    "network/old-tls.sql",
    "baseline/addresses.sql",
    "baseline/user-agents.sql",
    "baseline/key-hours.sql",
    "baseline/new-since.sql",
    "baseline/top-actions.sql",
    "baseline/overview-users.sql",
    "baseline/overview-apis.sql",
    "baseline/overview-regions.sql",
    "coverage/log-files-per-day.sql",
    "coverage/silences.sql",
    "coverage/data-events.sql",
}

/// Questions by name.
#[derive(Debug, Clone, Default)]
pub struct Library {
    questions: Vec<Question>,
    broken: Vec<Broken>,
}

/// A file that is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {error}")]
pub struct Broken {
    /// The name it would have had.
    pub name: String,
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub error: QuestionError,
}

/// Why no question is found by a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownQuestion {
    /// The file of that name is broken.
    #[error(transparent)]
    Broken(Broken),
    /// No question has that name.
    #[error("there is no saved query {name:?}")]
    Name {
        /// The name as given.
        name: String,
        /// Names that look like it, the nearest first.
        near: Vec<String>,
    },
}

impl Library {
    /// What keytrail brings along.
    pub fn built_in() -> Self {
        let mut library = Self::default();
        for (file, text) in FILES {
            library.add(file, || Ok((*text).to_owned()));
        }
        library
    }

    /// Adds every `.sql` file of a folder and the folders in it. Where a file has a placeholder for an event data store,
    /// `event_data_store` is the name that goes there.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn add_folder(&mut self, folder: &Path, event_data_store: &str) -> io::Result<()> {
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "sql") && !path.is_dir() {
                let read = || {
                    fs::read_to_string(path)
                        .map(|text| fill_event_data_store(&text, event_data_store))
                        .map_err(|error| QuestionError::Unreadable(error.to_string()))
                };
                self.add(&path.to_string_lossy(), read);
            }
        }
        // A lone file would be taken for a folder with nothing in it.
        match folder.is_dir() {
            true => Ok(()),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, file: &str, read: impl FnOnce() -> Result<String, QuestionError>) {
        let name = Path::new(file).file_stem().unwrap_or_default();
        let name = name.to_string_lossy();
        let made = read().and_then(|text| Question::new(&name, file, &text));
        let taken = self.questions.iter().any(|known| known.name() == name);
        match made {
            Ok(question) if !taken => self.questions.push(question),
            made => self.broken.push(Broken {
                error: made
                    .err()
                    .unwrap_or(QuestionError::Taken(name.clone().into_owned())),
                name: name.into_owned(),
                file: file.to_owned(),
            }),
        }
    }

    /// Every question.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The questions of a group.
    pub fn of(&self, group: Group) -> impl Iterator<Item = &Question> {
        self.questions
            .iter()
            .filter(move |question| question.group() == group)
    }

    /// The files that are no questions.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The question of that name.
    ///
    /// # Errors
    ///
    /// There is none, or its file is broken.
    pub fn get(&self, name: &str) -> Result<&Question, UnknownQuestion> {
        let found = self
            .questions
            .iter()
            .find(|question| question.name() == name);
        let broken = self.broken.iter().find(|broken| broken.name == name);
        found.ok_or_else(|| match broken {
            Some(broken) => UnknownQuestion::Broken(broken.clone()),
            None => UnknownQuestion::Name {
                name: name.to_owned(),
                near: self.near(name),
            },
        })
    }

    /// At most three names that look like one: those that contain it, or a word of it, or differ in a few letters.
    fn near(&self, name: &str) -> Vec<String> {
        const MOST: usize = 3;
        let wanted = name.to_lowercase().replace('_', "-");
        let words = || wanted.split('-').filter(|word| word.len() > 2);
        let mut near: Vec<(usize, &str)> = self
            .questions
            .iter()
            .filter_map(|question| {
                let known = question.name();
                let distance = levenshtein(&wanted, known);
                let shared = words().filter(|word| known.contains(word)).count();
                let alike = distance <= known.len() / 3 || shared > 0;
                alike.then(|| (distance.saturating_sub(3 * shared), known))
            })
            .collect();
        near.sort_unstable();
        near.iter()
            .take(MOST)
            .map(|(_, name)| (*name).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_comes_along_is_a_question() {
        let library = Library::built_in();
        assert_eq!(library.broken(), []);
        assert_eq!(library.questions().len(), FILES.len());
        for question in library.questions() {
            let folder = format!("queries/{}/", question.group());
            assert!(question.file().starts_with(&folder), "{}", question.file());
            let header = question.header();
            assert!(
                header.when.as_ref().is_some_and(|when| when.ends_with('.')),
                "{}",
                question.file()
            );
        }
        assert!(FILES.is_sorted_by_key(|(file, _)| {
            let group = file
                .split('/')
                .nth(1)
                .and_then(|name| name.parse::<Group>().ok());
            group.unwrap()
        }));
    }

    #[test]
    fn a_broken_file_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("good.sql", "-- Good\n-- grain: one row\nSELECT 1");
        write(
            "bad.sql",
            "-- Bad\n-- grain: one row\n-- wehn: never\nSELECT 1",
        );
        write(
            "worse.sql",
            "-- Worse\n-- grain: one row\nDROP TABLE events",
        );
        write("notes.txt", "no SQL");
        let mut library = Library::default();
        library.add_folder(folder.path(), "eds").unwrap();
        library.add_folder(folder.path(), "eds").unwrap();
        let names: Vec<_> = library.questions().iter().map(Question::name).collect();
        assert_eq!(names, ["good"]);
        let broken: Vec<_> = library.broken().iter().map(ToString::to_string).collect();
        let path = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(
            broken[0],
            format!(
                "{}: line 3: unknown entry `wehn`; entries are when, grain, group, parameter, details",
                path("bad.sql")
            )
        );
        assert!(broken[1].starts_with(&path("worse.sql")), "{broken:?}");
        assert_eq!(
            broken[3],
            format!("{}: there is already a saved query good", path("good.sql"))
        );
        assert_eq!(
            library.get("bad").unwrap_err().to_string(),
            library.broken()[0].to_string()
        );
        let add = |library: &mut Library, name: &str| {
            library.add_folder(&folder.path().join(name), "eds")
        };
        assert!(add(&mut library, "good.sql").is_err());
        assert!(add(&mut library, "none").is_err());
    }

    #[test]
    fn names_that_look_alike() {
        let mut library = Library::default();
        for name in ["key-timeline", "user-timeline", "old-tls", "quarantine"] {
            library.add(&format!("{name}.sql"), || {
                Ok("-- T\n-- grain: one row\nSELECT 1".to_owned())
            });
        }
        let near = |name: &str| match library.get(name) {
            Err(UnknownQuestion::Name { near, .. }) => near,
            found => panic!("{found:?}"),
        };
        assert_eq!(near("key_timeline"), ["key-timeline", "user-timeline"]);
        assert_eq!(near("quarantin"), ["quarantine"]);
        assert_eq!(near("timeline"), ["key-timeline", "user-timeline"]);
        assert!(near("zzz").is_empty());
    }
}
