//! What is wrong with a file of a lake.
//!
//! In: a path in an object store. Out: [`Damage`]: lake, file, and what is wrong. Promise: it can be read without the words of an
//! engine, and goes through engines as the cause of their errors.

use super::tables::TableName;
use object_store::path::Path;
use std::error::Error;
use std::fmt;

/// A file of a lake that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which lake.
    pub lake: String,
    /// Table and path.
    pub file: String,
    /// What is wrong with it, as a sentence.
    pub problem: String,
}

/// What is wrong with a file that is not there.
pub(super) const MISSING: &str = "it is missing";

/// What is wrong with a file that is there.
pub(super) const CHANGED: &str = "its bytes have changed";

/// What is wrong with a file that a decoder gives up on.
pub(super) const UNREADABLE: &str = "it is cut, or its bytes have changed";

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lake,
            file,
            problem,
        } = self;
        write!(f, "the file {file} of the lake {lake} is ")?;
        match problem == MISSING {
            true => f.write_str("missing"),
            false => write!(f, "damaged: {problem}"),
        }
    }
}

impl Error for Damage {}

impl Damage {
    /// Of the file at this path in the store that begins at `base`.
    pub(super) fn of(base: &str, path: &Path, problem: String) -> Self {
        let (lake, file) = split(path).unwrap_or(("", path.as_ref()));
        Self {
            lake: format!("{base}{lake}"),
            file: file.to_owned(),
            problem,
        }
    }

    /// What is wrong with a file of a lake, if that is among the causes of an error.
    pub(crate) fn among(error: &(dyn Error + 'static)) -> Option<Self> {
        let known = causes(error).find_map(|cause| cause.downcast_ref().cloned());
        // Some engines keep the words of a cause only.
        known.or_else(|| Self::read(&error.to_string()))
    }

    /// What the words say.
    fn read(words: &str) -> Option<Self> {
        let (_, words) = words.split_once("the file ")?;
        let (file, words) = words.split_once(" of the lake ")?;
        let (lake, problem) = match words.split_once(" is damaged: ") {
            Some((lake, problem)) => (lake, problem.lines().next().unwrap_or_default()),
            None => (words.split_once(" is missing")?.0, MISSING),
        };
        Some(Self {
            lake: lake.to_owned(),
            file: file.to_owned(),
            problem: problem.to_owned(),
        })
    }
}

/// An error and its causes.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next: fn(&&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> =
        |error| (*error).source();
    std::iter::successors(Some(error), next)
}

/// Whether this is a file of a lake's table.
pub(super) fn is_of_table(path: &Path) -> bool {
    split(path).is_some()
}

/// The path of a lake and that of a file in it.
fn split(path: &Path) -> Option<(&str, &str)> {
    let path = path.as_ref();
    let names = TableName::ALL.into_iter();
    let places = names.filter_map(|name| {
        let name = name.as_str();
        let inner = path.rfind(&format!("/{name}/")).map(|place| place + 1);
        inner.or_else(|| path.starts_with(&format!("{name}/")).then_some(0))
    });
    let (lake, file) = path.split_at_checked(places.max()?)?;
    Some((lake.trim_end_matches('/'), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_lake_and_table() {
        let said = |base: &str, path: &str, problem: &str| {
            Damage::of(base, &Path::from(path), problem.to_owned()).to_string()
        };
        assert_eq!(
            said(
                "/",
                "a b/events/x/lake/events/event_date=2025-03-01/p.parquet",
                MISSING
            ),
            "the file events/event_date=2025-03-01/p.parquet of the lake /a b/events/x/lake is missing"
        );
        assert_eq!(
            said("s3://data/", "log_files/p.parquet", CHANGED),
            "the file log_files/p.parquet of the lake s3://data/ is damaged: its bytes have changed"
        );
        let damage = Damage::of(
            "/",
            &Path::from("lake/events/p.parquet"),
            CHANGED.to_owned(),
        );
        let through = std::io::Error::other(format!("External: Generic lake error: {damage}"));
        assert_eq!(Damage::among(&through), Some(damage));
        assert!(!is_of_table(&Path::from("lake/others/p.parquet")));
    }
}
