//! What do people note about events?
//!
//! In: a file beside the lake, never in it. Out: the notes that it holds, and the same file with one of them changed. Promise: the file is
//! whole at any moment; of two who change the same note, the second is not written over the first: they are told. What this
//! program does not understand is not written over either.

use crate::cloudtrail::sha256;
use crate::lake::write_durably;
use crate::report::note::Note;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What the file says it is.
const VERSION: u32 = 1;

/// Most characters of a note, of a tag; most tags of a note, most notes of a file.
const NOTE: usize = 10_000;
const TAG: usize = 60;
const TAGS: usize = 20;
const NOTES: usize = 10_000;

/// The longest file that is read: all notes at their longest, with room for what is said of their events.
const BYTES: u64 = 512 << 20;

/// Why notes cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file cannot be read or written.
    #[error("the case file {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is no case file.
    #[error("{path} is not a case file of this version of keytrail: {error}")]
    Form {
        /// The file.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// Somebody else changed the note in the meantime; nothing was written.
    #[error("this note was changed in the meantime, and yours is not saved yet")]
    Changed(Option<Box<Note>>),
    /// There is no room.
    #[error("{what}: at most {most}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is room for.
        most: usize,
    },
}

/// A case file. It appears with the first note.
#[derive(Debug, Clone)]
pub struct CaseFile {
    path: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keytrail_case: u32,
    notes: Vec<Note>,
}

impl CaseFile {
    /// The case file of this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The notes, in order of their events; none if there is no file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is something else.
    pub fn notes(&self) -> Result<Vec<Note>, CaseError> {
        let mut text = String::new();
        let read =
            File::open(&self.path).and_then(|file| file.take(BYTES).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(error)),
        }
        let form = |error| CaseError::Form {
            path: self.path.clone(),
            error,
        };
        let document: Document = serde_json::from_str(&text).map_err(form)?;
        if document.keytrail_case != VERSION {
            let other = format!("its version is {}", document.keytrail_case);
            return Err(form(serde::de::Error::custom(other)));
        }
        Ok(document.notes)
    }

    /// Keeps a note, in place of the one about the same event; takes that away if nothing is noted. `seen` is the [`state`] of the note
    /// that was changed.
    ///
    /// # Errors
    ///
    /// Somebody else changed the note meanwhile, it is too long, or the file cannot be written.
    pub fn keep(&self, note: Note, seen: &str) -> Result<(), CaseError> {
        check(&note)?;
        let _alone = self.alone().map_err(|error| self.failed(error))?;
        let mut notes = self.notes()?;
        let at = notes.iter().position(|of| of.event_id == note.event_id);
        let now = at.map(|at| &notes[at]);
        if state(now) != seen {
            return Err(CaseError::Changed(now.cloned().map(Box::new)));
        }
        match (at, note.is_empty()) {
            (Some(at), true) => drop(notes.remove(at)),
            (Some(at), false) => notes[at] = note,
            (None, true) => return Ok(()),
            (None, false) if notes.len() >= NOTES => {
                let what = "notes in one case file";
                return Err(CaseError::TooMuch { what, most: NOTES });
            }
            (None, false) => notes.push(note),
        }
        notes.sort_by(|a, b| (&a.event_time, &a.event_id).cmp(&(&b.event_time, &b.event_id)));
        self.write(&Document {
            keytrail_case: VERSION,
            notes,
        })
        .map_err(|error| self.failed(error))
    }

    /// Waits until no other process or thread changes the file. The lock is a file of its own, because the case file is replaced.
    fn alone(&self) -> io::Result<File> {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().ok_or(ErrorKind::InvalidFilename)?);
        name.push(".lock");
        let mut options = OpenOptions::new();
        let lock = options.create(true).write(true).truncate(false);
        let lock = lock.open(self.path.with_file_name(name))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Puts the document in the file's place. A link stays one.
    fn write(&self, document: &Document) -> io::Result<()> {
        let path = match fs::canonicalize(&self.path) {
            Ok(path) => path,
            Err(_) => std::path::absolute(&self.path)?,
        };
        write_durably(&path, true, |file| {
            let mut file = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut file, document)?;
            file.write_all(b"\n")?;
            file.flush()
        })
    }

    fn failed(&self, error: io::Error) -> CaseError {
        CaseError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

/// What tells a note from the same one after a change; empty for none.
pub fn state(note: Option<&Note>) -> String {
    let text = note.and_then(|note| serde_json::to_string(note).ok());
    text.map(|text| sha256(text.as_bytes())).unwrap_or_default()
}

fn check(note: &Note) -> Result<(), CaseError> {
    let longest = note.tags.iter().map(|tag| tag.chars().count()).max();
    for (what, count, most) in [
        ("characters of a note", note.note.chars().count(), NOTE),
        ("characters of a tag", longest.unwrap_or(0), TAG),
        ("tags", note.tags.len(), TAGS),
    ] {
        if count > most {
            return Err(CaseError::TooMuch { what, most });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn note(id: &str, text: &str) -> Note {
        Note {
            event_id: id.to_owned(),
            event_time: "2025-03-07T02:17:03Z".parse().ok(),
            note: text.to_owned(),
            ..Note::default()
        }
    }

    fn case() -> (tempfile::TempDir, CaseFile) {
        let folder = tempfile::tempdir().unwrap();
        let case = CaseFile::at(folder.path().join("case.json"));
        (folder, case)
    }

    #[test]
    fn a_note_is_kept_changed_and_taken_away() {
        let (folder, case) = case();
        assert_eq!(case.notes().unwrap(), []);
        case.keep(note("b", "one"), "").unwrap();
        case.keep(note("a", "two\nlines \u{202e}</script>"), "")
            .unwrap();
        let notes = case.notes().unwrap();
        assert_eq!(notes[0], note("a", "two\nlines \u{202e}</script>"));
        assert_eq!(notes[1].in_short(), "one");
        case.keep(note("b", "three"), &state(Some(&notes[1])))
            .unwrap();
        case.keep(note("a", ""), &state(Some(&notes[0]))).unwrap();
        assert_eq!(case.notes().unwrap(), [note("b", "three")]);
        let left = fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".case.json.lock", "case.json"]);
    }

    #[test]
    fn nothing_is_written_over_the_note_of_another() {
        let (_folder, case) = case();
        case.keep(note("a", "mine"), "").unwrap();
        let seen = state(Some(&note("a", "mine")));
        case.keep(note("a", "theirs"), &seen).unwrap();
        for seen in ["", &seen] {
            let error = case.keep(note("a", "late"), seen).unwrap_err();
            assert!(matches!(error, CaseError::Changed(Some(now)) if now.note == "theirs"));
        }
        let error = case.keep(note("b", "gone"), "state").unwrap_err();
        assert!(matches!(error, CaseError::Changed(None)));
        assert_eq!(case.notes().unwrap(), [note("a", "theirs")]);
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let (_folder, case) = case();
        thread::scope(|threads| {
            for of in 0..8 {
                let case = case.clone();
                threads.spawn(move || {
                    for n in 0..10 {
                        case.keep(note(&format!("{of}-{n}"), "text"), "").unwrap();
                    }
                });
            }
        });
        assert_eq!(case.notes().unwrap().len(), 80);
    }

    #[test]
    fn what_is_no_case_file_is_left_alone() {
        let (_folder, case) = case();
        for text in [
            "",
            "{}",
            "{\"keytrail_case\":2,\"notes\":[]}",
            "{\"keytrail_case\":1,\"notes\":[],\"more\":1}",
        ] {
            fs::write(case.path(), text).unwrap();
            assert!(case.notes().is_err(), "{text}");
            assert!(case.keep(note("a", "x"), "").is_err(), "{text}");
            assert_eq!(fs::read_to_string(case.path()).unwrap(), text);
        }
        for much in [
            note("a", &"é".repeat(NOTE + 1)),
            Note {
                tags: vec!["x".repeat(TAG + 1)],
                ..note("a", "")
            },
            Note {
                tags: vec!["x".to_owned(); TAGS + 1],
                ..note("a", "")
            },
        ] {
            let error = case.keep(much, "").unwrap_err();
            assert!(matches!(error, CaseError::TooMuch { .. }), "{error}");
        }
    }
}
