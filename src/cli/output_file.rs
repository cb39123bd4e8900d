//! A file that an answer is written to.
//!
//! In: its name, and a function that writes. Out: the file. Promise: it appears under its name only when it is complete; a file that was
//! there stays until then; devices and named pipes are written as they are.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::failure::Failure;

/// What to say of a file that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written", path.display())).because(error)
}

/// Hands a file to a function and puts it in place when the function is done.
pub(crate) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let place = OutputFile::of(path);
    let result = File::create(place.written()).and_then(|file| {
        let mut out = BufWriter::new(file);
        fill(&mut out)?;
        out.flush()?;
        place.complete()
    });
    result.map_err(|error| {
        place.abandon();
        unwritable(path, &error)
    })
}

/// Where the bytes of an output file go before they are complete.
pub(crate) enum OutputFile {
    /// Devices and named pipes are written as they are; renaming over them would replace them.
    Direct(PathBuf),
    /// A file is written beside its final name.
    Beside { part: PathBuf, path: PathBuf },
}

impl OutputFile {
    /// Where a file of this name is written.
    pub(crate) fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => OutputFile::Direct(path.to_owned()),
            _ => {
                // The file a link leads to is replaced, not the link.
                let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(format!(".{}.part", process::id()));
                OutputFile::Beside {
                    part: path.with_file_name(name),
                    path,
                }
            }
        }
    }

    /// The final name.
    pub(crate) fn name(&self) -> &Path {
        match self {
            OutputFile::Direct(path) | OutputFile::Beside { path, .. } => path,
        }
    }

    /// Where its bytes go now.
    pub(crate) fn written(&self) -> &Path {
        match self {
            OutputFile::Direct(path) => path,
            OutputFile::Beside { part, .. } => part,
        }
    }

    /// Puts it in place.
    pub(crate) fn complete(&self) -> io::Result<()> {
        match self {
            OutputFile::Direct(_) => Ok(()),
            OutputFile::Beside { part, path } => fs::rename(part, path),
        }
    }

    /// Leaves nothing of it.
    pub(crate) fn abandon(&self) {
        if let OutputFile::Beside { part, .. } = self {
            // It may not even exist; the first error is the one to tell.
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answer.csv");
        fs::write(&path, "before").unwrap();
        let failed = write_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(
            failed
                .unwrap_err()
                .to_string()
                .contains("caused by: no more")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");

        write_file(&path, |out| out.write_all(b"whole")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_not_replaced() {
        if cfg!(unix) {
            write_file(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
            assert!(!fs::metadata("/dev/null").unwrap().is_file());
        }
    }
}
