//! Log files, compared with what digests say of them.
//!
//! In: what the digests list, and the log files that are there. Out: the state of each. Promise: each log file is fetched and
//! decompressed once, many at a time; one that no digest lists is a failure, since whoever can write into the bucket can
//! add events; one that is listed and not there is one, too.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use super::chain::Verified;
use super::digest::ObjectName;
use super::logging::{self, Watch};
use super::place::{FileName, Original, name};
use super::unpack::{UnpackFault, unpack, whole};
use super::{
    DigestState, Finding, LogFileResult, LogFileState, LoggingChange, PATIENCE, Problem,
    ValidateOptions,
};
use crate::cloudtrail::{Selection, rfc3339};
use crate::read::{Observer, Outcome, Phase, ReadError};
use crate::source::{LogFile, Source};

/// What all digests together list.
#[derive(Debug)]
pub struct ListedLogFiles {
    /// By the last part of the key.
    by_name: HashMap<String, Vec<ListedFile>>,
    /// The object of each hash: the content of a file that was put in the place of another is known.
    by_hash: HashMap<String, ObjectName>,
    original: Option<Original>,
    selection: Selection,
    /// When the last of the digests ended.
    end: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    max_json: u64,
}

#[derive(Debug)]
struct ListedFile {
    object: ObjectName,
    hash: String,
    state: DigestState,
    chain: Option<usize>,
    in_range: bool,
}

/// A log file that was compared.
#[derive(Debug, Clone)]
pub struct FileVerdict {
    /// What it turned out to be.
    pub state: LogFileState,
    /// What was seen, of one that failed.
    pub detail: String,
}

/// Log files of a listing.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    listed: Vec<LogFile>,
    unlisted: Vec<(LogFile, FileVerdict)>,
}

/// What became of the log files.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) results: Vec<LogFileResult>,
    pub(super) findings: Vec<Finding>,
    pub(super) logging: Vec<LoggingChange>,
}

impl ListedLogFiles {
    /// Takes what the digests list.
    pub(super) fn new(verified: &mut Verified, options: &ValidateOptions) -> Self {
        let mut by_name: HashMap<String, Vec<ListedFile>> = HashMap::new();
        let mut by_hash = HashMap::new();
        let mut end = None;
        for digest in std::mem::take(&mut verified.listed) {
            end = end.max(Some(digest.end));
            for entry in digest.entries {
                by_hash.insert(entry.hash.clone(), entry.object.clone());
                let of_name = by_name.entry(name(&entry.object.key).to_owned());
                of_name.or_default().push(ListedFile {
                    object: entry.object,
                    hash: entry.hash,
                    state: digest.state,
                    chain: digest.chain,
                    in_range: digest.in_range,
                });
            }
        }
        Self {
            by_name,
            by_hash,
            original: options.trust.original.clone(),
            selection: options.selection.clone(),
            end,
            now: options.now,
            max_json: options.max_json,
        }
    }

    /// What digests say of the file in this place.
    fn entries(&self, file: &LogFile) -> Vec<&ListedFile> {
        let (place, _) = FileName::of(file, self.original.as_ref());
        let file_name = name(&file.uri);
        let packed = format!("{file_name}.gz");
        let of_name = self.by_name.get(file_name).into_iter();
        let of_name = of_name.chain(self.by_name.get(&packed)).flatten();
        of_name.filter(|entry| place.is_of(&entry.object)).collect()
    }

    /// Compares a log file, as it was fetched, with what the digests say of it.
    pub fn verdict(&self, file: &LogFile, bytes: &[u8]) -> FileVerdict {
        match self.entries(file).as_slice() {
            [] => self.unlisted(file),
            entries => self.compare(entries, unpack(bytes, self.max_json, &mut |_| {})),
        }
    }

    fn compare(
        &self,
        entries: &[&ListedFile],
        unpacked: Result<String, UnpackFault>,
    ) -> FileVerdict {
        let failed = |problem, detail: String| FileVerdict {
            state: LogFileState::Failed(problem),
            detail,
        };
        let hash = match unpacked {
            Ok(hash) => hash,
            Err(fault) => {
                let problem = match fault {
                    UnpackFault::Truncated => Problem::LogFileTruncated,
                    UnpackFault::Padded(_) => Problem::LogFilePadded,
                    UnpackFault::Damaged(_) | UnpackFault::TooLarge(_) => Problem::LogFileDamaged,
                };
                return failed(problem, fault.to_string());
            }
        };
        let fits = |entry: &&&ListedFile| entry.hash == hash;
        let is_valid = |entry: &&&ListedFile| entry.state == DigestState::Valid;
        let said = |entry: &ListedFile| {
            let whose = self.by_hash.get(&hash).map_or(String::new(), |object| {
                format!(": the content is that of {object}")
            });
            format!("its hash is {hash}, the digest has {}{whose}", entry.hash)
        };
        // A valid digest counts more than one that is not.
        if let Some(other) = entries
            .iter()
            .filter(is_valid)
            .find(|entry| entry.hash != hash)
        {
            return failed(Problem::LogFileAltered, said(other));
        }
        let state = match entries.iter().find(fits) {
            None => match entries.first() {
                Some(entry) => return failed(Problem::LogFileAltered, said(entry)),
                None => LogFileState::Failed(Problem::LogFileUnlisted),
            },
            Some(_) if entries.iter().any(|entry| is_valid(&entry)) => LogFileState::Valid,
            Some(_) => LogFileState::Unverified,
        };
        FileVerdict {
            state,
            detail: String::new(),
        }
    }

    /// A log file that no digest lists.
    fn unlisted(&self, file: &LogFile) -> FileVerdict {
        let delivered = file.delivered();
        let ended = self.end;
        let later = matches!((delivered, ended), (Some(delivered), Some(end)) if delivered > end);
        let recent = delivered.is_some_and(|delivered| delivered > self.now - PATIENCE);
        if recent {
            return FileVerdict {
                state: LogFileState::Pending,
                detail: String::new(),
            };
        }
        let detail = match (ended, later) {
            (None, _) => "there is no digest file".to_owned(),
            (Some(end), true) => format!(
                "it was delivered after the newest digest, which ends {}",
                rfc3339(end)
            ),
            (Some(_), false) => "no digest lists it".to_owned(),
        };
        FileVerdict {
            state: LogFileState::Failed(Problem::LogFileUnlisted),
            detail,
        }
    }

    /// Which of the files are listed, and which are not.
    pub(super) fn sort(&self, files: Vec<LogFile>) -> Sorted {
        let mut sorted = Sorted::default();
        for file in files {
            let entries = self.entries(&file);
            if entries.iter().any(|entry| entry.in_range) {
                sorted.listed.push(file);
            } else if entries.is_empty() && self.should_be_listed(&file) {
                let verdict = self.unlisted(&file);
                sorted.unlisted.push((file, verdict));
            }
        }
        sorted
    }

    /// Whether a file is one whose events would be read, of the range.
    fn should_be_listed(&self, file: &LogFile) -> bool {
        let (_, folder) = FileName::of(file, None);
        let in_range = file
            .delivered()
            .is_none_or(|time| self.selection.wants_time(time.timestamp_micros()));
        folder.is_none_or(|folder| folder.has_events()) && in_range
    }

    /// Findings for the objects in the range that are not among the files.
    pub(super) fn missing_among(&self, files: &[LogFile]) -> Vec<Finding> {
        let missing = self.missing(files).into_iter();
        let finding = |entry: &ListedFile| {
            let detail = "a digest lists it, but it is missing";
            Finding::new(Problem::LogFileMissing, entry.object.to_string(), detail)
        };
        missing.map(finding).collect()
    }

    /// The objects in the range that are not among the files.
    fn missing(&self, files: &[LogFile]) -> Vec<&ListedFile> {
        let there: HashSet<*const ListedFile> = files
            .iter()
            .flat_map(|file| self.entries(file))
            .map(std::ptr::from_ref)
            .collect();
        let mut seen = HashSet::new();
        let entries = self.by_name.values().flatten();
        let gone =
            entries.filter(|entry| entry.in_range && !there.contains(&std::ptr::from_ref(*entry)));
        let mut gone: Vec<&ListedFile> = gone.filter(|entry| seen.insert(&entry.object)).collect();
        gone.sort_by(|a, b| a.object.cmp(&b.object));
        gone
    }
}

/// Fetches and compares the log files.
///
/// # Errors
///
/// Only what would meet every file.
pub(super) async fn check(
    source: &Arc<dyn Source>,
    (listed, sorted): (&Arc<ListedLogFiles>, Sorted),
    (options, observer): (&ValidateOptions, &dyn Observer),
) -> Result<Checked, ReadError> {
    let mut checked = Checked::default();
    for entry in listed.missing(&sorted.listed) {
        let detail = match entry.state {
            DigestState::Valid => "a digest lists it, but it is missing",
            _ => "a digest that is not verified lists it, but it is missing",
        };
        let object = entry.object.to_string();
        checked.add(
            object,
            entry.chain,
            &FileVerdict {
                state: LogFileState::Failed(Problem::LogFileMissing),
                detail: detail.to_owned(),
            },
        );
    }
    for (file, verdict) in sorted.unlisted {
        checked.add(file.uri, None, &verdict);
    }
    observer.phase(Phase::Reading);
    let bytes = sorted.listed.iter().map(|file| file.size).sum();
    observer.total(sorted.listed.len() as u64, bytes);
    let mut files = stream::iter(sorted.listed)
        .map(|file| one(Arc::clone(source), Arc::clone(listed), file))
        .buffered(options.fetches.max(1));
    let mut logging = BTreeSet::new();
    while let Some(compared) = files.try_next().await? {
        let Compared {
            file,
            chain,
            verdict,
            changes,
        } = compared;
        let outcome = match verdict.state {
            LogFileState::Failed(_) => Outcome::Rejected,
            _ => Outcome::Stored,
        };
        observer.log_file(file.size, outcome);
        checked.add(file.uri, chain, &verdict);
        logging.extend(changes);
    }
    checked.logging = logging.into_iter().collect();
    Ok(checked)
}

impl Checked {
    fn add(&mut self, file: String, chain: Option<usize>, verdict: &FileVerdict) {
        if let LogFileState::Failed(problem) = verdict.state {
            let finding = Finding::new(problem, file.clone(), verdict.detail.clone());
            self.findings.push(finding);
        }
        self.results.push(LogFileResult {
            file,
            chain,
            state: verdict.state,
        });
    }
}

/// A log file that was fetched and compared.
struct Compared {
    file: LogFile,
    chain: Option<usize>,
    verdict: FileVerdict,
    changes: BTreeSet<LoggingChange>,
}

/// Fetches a log file and compares it, on threads that may work.
async fn one(
    source: Arc<dyn Source>,
    listed: Arc<ListedLogFiles>,
    file: LogFile,
) -> Result<Compared, ReadError> {
    let task = tokio::spawn(async move {
        match source.fetch(&file).await {
            Err(error) if error.is_fatal() => Err(ReadError::from(error)),
            Err(error) => Ok(Compared {
                chain: listed.entries(&file).first().and_then(|it| it.chain),
                file,
                verdict: FileVerdict {
                    state: LogFileState::Failed(Problem::LogFileUnread),
                    detail: error.to_string(),
                },
                changes: BTreeSet::new(),
            }),
            Ok(bytes) => {
                let work = tokio::task::spawn_blocking(move || compared(&listed, file, &bytes));
                work.await.map_err(|_| ReadError::Lost("a comparison"))
            }
        }
    });
    task.await.map_err(|_| ReadError::Lost("a fetch"))?
}

fn compared(listed: &ListedLogFiles, file: LogFile, bytes: &Bytes) -> Compared {
    let entries = listed.entries(&file);
    let mut watch = Watch::new();
    let unpacked = unpack(bytes, listed.max_json, &mut |piece| watch.look(piece));
    let verdict = listed.compare(&entries, unpacked);
    let trusted = !matches!(verdict.state, LogFileState::Failed(_));
    let text = match trusted && watch.found() {
        true => whole(bytes, listed.max_json).ok(),
        false => None,
    };
    let changes = text.map(|(text, _)| logging::changes(&text));
    let chain = entries.first().and_then(|entry| entry.chain);
    Compared {
        chain,
        file,
        verdict,
        changes: changes.unwrap_or_default(),
    }
}
