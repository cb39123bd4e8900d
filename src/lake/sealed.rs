//! Seals of the tables' logs.
//!
//! In: a file of a table's log and its bytes. Out: the same with a seal; whether a seal fits. Promise: every reader of Delta Lake reads
//! a sealed log; a changed bit anywhere in a sealed file is noticed, and so is a file in the place of another.
//!
//! A data file is sealed by its name ([`names`](super::names)). The names of a log are Delta's: a commit and the hints
//! `_last_checkpoint` and `_last_commit` are JSON and carry their seal inside, so that it is written in the same instant; a
//! checkpoint has it in a file beside it.

use super::LakeError;
use super::damage::MISSING;
use super::names::Seal;
use super::reader::Folder;
use super::tables::TableName;
use bytes::Bytes;
use deltalake_core::logstore::get_actions;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{DynObjectStore, ObjectStoreExt, PutPayload};
use std::collections::BTreeSet;

/// The folder of a table's log.
pub(super) const LOG: &str = "_delta_log";

/// The hint that says which version of the ledger was there last; readers of Delta Lake pass over it.
pub(super) const LAST_COMMIT: &str = "_last_commit";

/// What a commit begins with: readers pass over what they do not know in it.
const COMMIT: &str = r#"{"commitInfo":{"#;

/// What a seal in JSON stands between. There are two names: a changed bit leaves one of them, which says that there was a seal.
const NAMES: [&str; 2] = [r#""keytrail.sealed":true"#, r#""keytrail.seal":""#];
const END: &str = r#"","#;

/// How the name of the seal of a checkpoint ends.
const SEAL_END: &str = ".seal";

/// The kinds of files in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The changes of a version.
    Commit,
    /// All changes up to a version.
    Checkpoint,
    /// What the last checkpoint or commit is; readers do without it.
    Hint,
    /// Whatever else.
    Other,
}

/// A file in the log of a table.
#[derive(Debug, Clone)]
pub(super) struct LogFile {
    pub(super) table: TableName,
    pub(super) kind: Kind,
    /// Its path in the lake.
    pub(super) name: String,
}

impl LogFile {
    /// The file at this path, if it is one of a log.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let path = path.as_ref();
        let (folder, file) = path.rsplit_once('/')?;
        let (folder, log) = folder.rsplit_once('/')?;
        let table = folder.rsplit('/').next()?;
        let table = TableName::ALL
            .into_iter()
            .find(|name| name.as_str() == table);
        let table = table.filter(|_| log == LOG)?;
        Some(Self {
            table,
            kind: Kind::of(file),
            name: format!("{}/{LOG}/{file}", table.as_str()),
        })
    }

    /// The bytes to be written instead of these.
    pub(super) fn sealed(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let place = self.place(bytes)?;
        let (before, after) = bytes.split_at_checked(place)?;
        let [said, name] = NAMES;
        let seal = format!("{said},{name}{}{END}", self.seal(bytes).hex());
        Some([before, seal.as_bytes(), after].concat())
    }

    /// Whether these bytes of a commit or a hint are those that were written.
    pub(super) fn is_whole(&self, bytes: &[u8]) -> bool {
        if let Some((rest, seal)) = self.opened(bytes) {
            return self.seal(&rest).hex() == seal;
        }
        let says = |name: &str| {
            let name = name.trim_end_matches([':', '"']).as_bytes();
            bytes.windows(name.len()).any(|part| part == name)
        };
        // Of an older keytrail, or of another program, there is no seal.
        let is_readable = match self.kind {
            Kind::Commit => is_commit(bytes),
            _ => true,
        };
        is_readable && !NAMES.into_iter().any(says)
    }

    /// What is to be in the file beside a checkpoint of these bytes.
    pub(super) fn beside(&self, bytes: &[u8]) -> String {
        self.seal(bytes).hex()
    }

    fn seal(&self, bytes: &[u8]) -> Seal {
        Seal::of(&[self.name.as_bytes(), b"\n", bytes].concat())
    }

    /// Where a seal belongs.
    fn place(&self, bytes: &[u8]) -> Option<usize> {
        let begin = match self.kind {
            Kind::Commit => COMMIT,
            Kind::Hint => "{",
            Kind::Checkpoint | Kind::Other => return None,
        };
        bytes.starts_with(begin.as_bytes()).then_some(begin.len())
    }

    /// The bytes without their seal, and the seal.
    fn opened<'a>(&self, bytes: &'a [u8]) -> Option<(Vec<u8>, &'a str)> {
        let (before, rest) = bytes.split_at_checked(self.place(bytes)?)?;
        let [said, name] = NAMES;
        let rest = rest.strip_prefix(said.as_bytes())?.strip_prefix(b",")?;
        let rest = rest.strip_prefix(name.as_bytes())?;
        let (seal, rest) = rest.split_at_checked(Seal::HEX)?;
        let after = rest.strip_prefix(END.as_bytes())?;
        Some(([before, after].concat(), str::from_utf8(seal).ok()?))
    }
}

/// Puts the seal of a checkpoint beside it, if there is a checkpoint of this version.
pub(super) async fn seal_checkpoint(folder: &Folder, version: u64) -> Result<(), LakeError> {
    let path = Path::from(format!("{LOG}/{version:020}.checkpoint.parquet"));
    let Some(file) = LogFile::of(&Path::from(format!("{}/{path}", folder.table.as_str()))) else {
        return Ok(());
    };
    let bytes = match folder.store.get(&path).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let seal = PutPayload::from(file.beside(&bytes));
    folder.store.put(&seal_path(&path), seal).await?;
    Ok(())
}

/// The same error; where it does not say which file of a log is to blame, and the log has a gap, with that.
pub(super) async fn located(
    error: LakeError,
    folder: &DynObjectStore,
) -> Result<LakeError, LakeError> {
    let LakeError::Unreadable {
        lake,
        table,
        fault: None,
    } = error
    else {
        return Ok(error);
    };
    Ok(LakeError::Unreadable {
        lake,
        table,
        fault: gap(folder, table).await?,
    })
}

/// What is missing in the log of a table, and that it is: a checkpoint whose seal is there, or a commit.
async fn gap(folder: &DynObjectStore, table: &str) -> Result<Option<(String, String)>, LakeError> {
    let (mut commits, mut checkpoint) = (BTreeSet::new(), None);
    let (mut checkpoints, mut seals) = (BTreeSet::new(), BTreeSet::new());
    let mut listing = folder.list(Some(&Path::from(LOG)));
    while let Some(object) = listing.try_next().await? {
        let name = object.location.filename().unwrap_or_default();
        let version = name
            .split('.')
            .next()
            .and_then(|text| text.parse::<u64>().ok());
        match (Kind::of(name), version) {
            (Kind::Commit, Some(version)) => drop(commits.insert(version)),
            (Kind::Checkpoint, Some(version)) => {
                checkpoint = checkpoint.max(Some(version));
                if object.size > 0 {
                    checkpoints.insert(name.to_owned());
                }
            }
            _ => seals.extend(name.strip_suffix(SEAL_END).map(str::to_owned)),
        }
    }
    if let Some(lost) = seals.difference(&checkpoints).last() {
        let problem = "it is missing or empty".to_owned();
        return Ok(Some((format!("{table}/{LOG}/{lost}"), problem)));
    }
    let first = checkpoint.map_or(0, |version: u64| version + 1);
    let mut versions = first..=commits.last().copied().unwrap_or_default();
    let gap = versions.find(|version| !commits.contains(version));
    let name = |version| format!("{table}/{LOG}/{version:020}.json");
    Ok(gap.map(|version| (name(version), MISSING.to_owned())))
}

/// Where the seal of a checkpoint is.
pub(super) fn seal_path(checkpoint: &Path) -> Path {
    Path::from(format!("{checkpoint}{SEAL_END}"))
}

/// Whether something can be read in these bytes: a commit is never empty.
fn is_commit(bytes: &[u8]) -> bool {
    let actions = get_actions(0, &Bytes::copy_from_slice(bytes));
    actions.is_ok_and(|actions| !actions.is_empty())
}

impl Kind {
    fn of(file: &str) -> Self {
        let is_version = |text: &str| text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit());
        match file.split_once('.') {
            Some((version, "json")) if is_version(version) => Self::Commit,
            Some((version, rest)) if is_version(version) => {
                match rest.starts_with("checkpoint.") && rest.ends_with(".parquet") {
                    true => Self::Checkpoint,
                    false => Self::Other,
                }
            }
            _ if file == "_last_checkpoint" || file == LAST_COMMIT => Self::Hint,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"{"commitInfo":{"operation":"WRITE","keytrail.commit":"x"}}
{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":69}"}}
"#;

    fn file(path: &str) -> LogFile {
        LogFile::of(&Path::from(path)).unwrap()
    }

    #[test]
    fn every_bit_counts() {
        let commit = file("a/lake/events/_delta_log/00000000000000000007.json");
        assert_eq!(
            (commit.kind, commit.table),
            (Kind::Commit, TableName::Events)
        );
        let sealed = commit.sealed(TEXT).unwrap();
        assert!(commit.is_whole(&sealed));
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!commit.is_whole(&changed), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(!commit.is_whole(&sealed[..length]), "{length}");
        }
        let other = file("a/lake/events/_delta_log/00000000000000000008.json");
        assert!(!other.is_whole(&sealed));
        let other = file("a/lake/rejects/_delta_log/00000000000000000007.json");
        assert!(!other.is_whole(&sealed));
    }

    #[test]
    fn what_others_wrote_is_taken_as_it_is() {
        let commit = file("lake/events/_delta_log/00000000000000000007.json");
        assert!(commit.is_whole(TEXT));
        assert!(!commit.is_whole(b""));
        assert!(!commit.is_whole(b"{\"adx\":{}}"));
        assert_eq!(
            file("lake/events/_delta_log/_last_checkpoint").kind,
            Kind::Hint
        );
        let checkpoint = "lake/events/_delta_log/00000000000000000099.checkpoint.parquet";
        assert_eq!(file(checkpoint).kind, Kind::Checkpoint);
        assert_eq!(file(&format!("{checkpoint}.seal")).kind, Kind::Other);
        assert!(LogFile::of(&Path::from("lake/events/part.parquet")).is_none());
        assert!(LogFile::of(&Path::from("_delta_log/00000000000000000007.json")).is_none());
    }
}
