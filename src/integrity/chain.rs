//! Digests, one after the other.
//!
//! In: the digest files of a source. Out: the state of each, and what is wrong with the way they hang together. Promise: a
//! digest is valid only if its signature is; where a copy has lost a signature, that in the next digest stands for it. Each
//! digest that is missing between two others is found by the one that names it, and by the time that nobody covers.

use crate::cloudtrail::rfc3339;
use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::digest::{DigestEntry, DigestFile, ObjectName};
use super::gather::ReadDigest;
use super::keys::{NoKey, is_signed};
use super::{DigestName, DigestResult, DigestState, Finding, Problem, Trust, ValidateOptions};

/// The digests of one account, region and trail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainName {
    /// The organization, for an organization's trail.
    pub organization: Option<String>,
    /// Account, region and trail.
    pub digests: DigestName,
}

/// Digests whose signatures were checked.
#[derive(Debug, Default)]
pub(super) struct Verified {
    pub(super) chains: Vec<ChainName>,
    /// Those in the range.
    pub(super) results: Vec<DigestResult>,
    pub(super) findings: Vec<Finding>,
    /// What each digest lists, also those beside the range.
    pub(super) listed: Vec<Listed>,
    /// Times between two chains of one name.
    pub(super) restarts: Vec<Restart>,
}

/// What a digest lists.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) entries: Vec<DigestEntry>,
    pub(super) state: DigestState,
    pub(super) chain: Option<usize>,
    pub(super) in_range: bool,
    pub(super) end: DateTime<Utc>,
}

/// A chain that begins after another of the same name has ended.
#[derive(Debug)]
pub(super) struct Restart {
    pub(super) chain: usize,
    pub(super) file: String,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// Digests are made once per hour.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// Checks signatures and links.
pub(super) fn verify(digests: Vec<ReadDigest>, options: &ValidateOptions) -> Verified {
    let digests = once(digests);
    let names: BTreeSet<ChainName> = digests.iter().filter_map(chain_name).collect();
    let chains: Vec<ChainName> = names.into_iter().collect();
    let place = |digest: &ReadDigest| {
        let name = chain_name(digest)?;
        chains.binary_search(&name).ok()
    };
    let mut work = Work {
        options,
        by_object: HashMap::new(),
        next: HashMap::new(),
        states: vec![DigestState::Invalid; digests.len()],
        chain_of: digests.iter().map(place).collect(),
        verified: Verified::default(),
        digests,
    };
    for (at, digest) in work.digests.iter().enumerate() {
        let Some(content) = &digest.content else {
            continue;
        };
        work.by_object.insert(content.object.clone(), at);
        if let Some(previous) = &content.previous {
            let next = work.next.entry(previous.object.clone()).or_default();
            next.push(at);
        }
    }
    work.verified.chains = chains;
    work.signatures();
    work.links();
    work.done()
}

/// The chain a digest is of.
fn chain_name(digest: &ReadDigest) -> Option<ChainName> {
    Some(ChainName {
        organization: digest.organization.clone(),
        digests: digest.name.clone()?,
    })
}

/// The same digest in two copies is one.
fn once(mut digests: Vec<ReadDigest>) -> Vec<ReadDigest> {
    let mut seen = HashSet::new();
    digests.retain(|digest| match &digest.content {
        Some(content) if digest.place.is_of(&content.object) => {
            seen.insert((content.object.clone(), content.hash.clone()))
        }
        _ => true,
    });
    digests
}

/// When the digest's hour ended.
pub(super) fn end(digest: &ReadDigest) -> Option<DateTime<Utc>> {
    let content = digest.content.as_ref().map(|content| content.end);
    content.or(digest.stamp)
}

fn start(digest: &ReadDigest) -> Option<DateTime<Utc>> {
    let content = digest.content.as_ref().map(|content| content.start);
    content.or(Some(digest.stamp? - HOUR))
}

pub(super) struct Work<'a> {
    pub(super) options: &'a ValidateOptions,
    pub(super) digests: Vec<ReadDigest>,
    pub(super) by_object: HashMap<ObjectName, usize>,
    /// The digests that name an object as the one before them.
    next: HashMap<ObjectName, Vec<usize>>,
    states: Vec<DigestState>,
    pub(super) chain_of: Vec<Option<usize>>,
    pub(super) verified: Verified,
}

impl Work<'_> {
    pub(super) fn found(&mut self, problem: Problem, file: String, detail: String) {
        let finding = Finding::new(problem, file, detail);
        self.verified.findings.push(finding);
    }

    /// Whether the digest is one that was asked for; the others lend signatures.
    pub(super) fn is_wanted(&self, at: usize) -> bool {
        let digest = &self.digests[at];
        let Trust { trail_name, .. } = &self.options.trust;
        let of_trail = match (trail_name, &digest.name) {
            (Some(wanted), Some(name)) => name.trail == *wanted,
            _ => true,
        };
        let selection = &self.options.selection;
        let after = |since| end(digest).is_none_or(|end| end > since);
        let before = |until| start(digest).is_none_or(|start| start < until);
        of_trail && selection.since.is_none_or(after) && selection.until.is_none_or(before)
    }

    /// Checks each digest, the newest first: it has the signature of the one before.
    fn signatures(&mut self) {
        let mut order: Vec<usize> = (0..self.digests.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(end(&self.digests[*at])));
        for at in order {
            let (state, finding) = self.signature(at);
            self.states[at] = state;
            if let Some((problem, detail)) = finding
                && self.is_wanted(at)
            {
                let file = self.digests[at].file.clone();
                self.found(problem, file, detail);
            }
        }
    }

    fn signature(&self, at: usize) -> (DigestState, Option<(Problem, String)>) {
        let digest = &self.digests[at];
        let Some(content) = &digest.content else {
            // There is a finding already.
            return (DigestState::Invalid, None);
        };
        let invalid = |problem, detail| (DigestState::Invalid, Some((problem, detail)));
        if !digest.place.is_of(&content.object) {
            let object = &content.object;
            return invalid(Problem::DigestMoved, format!("it was written for {object}"));
        }
        if let Some(algorithm) = &content.odd_algorithm {
            return invalid(
                Problem::DigestAlgorithm,
                format!("it declares {algorithm:?}"),
            );
        }
        let keys = match self.keys(digest, content) {
            Ok(keys) => keys,
            Err((problem, detail)) => return invalid(problem, detail),
        };
        let text = content.signed_text();
        let fits = |signature: &str| is_signed(&keys, &text, signature);
        let nexts = self.nexts(at, content);
        let next_fits = nexts.iter().find(|next| fits(next.signature));
        match (&digest.signature, next_fits) {
            (Some(own), _) if fits(own) => (DigestState::Valid, other_hash(content, &nexts)),
            (Some(own), next) => {
                let whose = self.owner(own);
                let whose = whose.map(|object| format!("the signature belongs to {object}"));
                let (problem, why) = match (next, whose) {
                    (_, Some(whose)) => (Problem::DigestSignature, whose),
                    (Some(_), None) => (
                        Problem::DigestSignature,
                        "the next digest has another one, which fits".to_owned(),
                    ),
                    (None, None) => (Problem::DigestAltered, hashes(content, &nexts)),
                };
                invalid(problem, format!("its signature does not fit: {why}"))
            }
            (None, Some(_)) => (DigestState::Valid, other_hash(content, &nexts)),
            (None, None) if nexts.is_empty() => {
                let why = match self.is_newest(at) {
                    true => "newest digest",
                    false => "the next digest, which has its signature, is missing or damaged",
                };
                (DigestState::Unverified(why), None)
            }
            (None, None) if nexts.iter().all(|next| next.state == DigestState::Invalid) => {
                let why = "the next digest, which has its signature, is invalid";
                (DigestState::Unverified(why), None)
            }
            (None, None) => invalid(
                Problem::DigestAltered,
                format!(
                    "the signature in the next digest does not fit: {}",
                    hashes(content, &nexts)
                ),
            ),
        }
    }

    fn keys(
        &self,
        digest: &ReadDigest,
        content: &DigestFile,
    ) -> Result<Vec<&[u8]>, (Problem, String)> {
        let name = digest.name.as_ref();
        let region = name.map(|name| name.region.as_str());
        // A backfill digest is signed when it is made, long after its hour.
        let signed = match name.is_some_and(|name| name.backfill) {
            true => digest.generated,
            false => Some(content.end),
        };
        let keys = &self.options.trust.keys;
        let print = &content.fingerprint;
        keys.find(print, region, signed).map_err(|why| match why {
            NoKey::Unknown => (
                Problem::KeyUnknown,
                format!("the key {print} is not among those given"),
            ),
            NoKey::OtherRegion(of) => (
                Problem::KeyOfOtherRegion,
                format!("the key {print} belongs to {of}"),
            ),
            NoKey::Expired(from, to) => {
                let time = |time: Option<DateTime<Utc>>| time.map_or("?".to_owned(), rfc3339);
                (
                    Problem::KeyExpired,
                    format!(
                        "the key {print} was valid from {} to {}, the digest ends {}",
                        time(from),
                        time(to),
                        rfc3339(content.end)
                    ),
                )
            }
        })
    }

    /// What later digests say of this one.
    fn nexts(&self, at: usize, content: &DigestFile) -> Vec<Next<'_>> {
        let next = self.next.get(&content.object).into_iter().flatten();
        let next = next.filter(|next| **next != at);
        let said = next.filter_map(|next| {
            let previous = self.digests[*next].content.as_ref()?.previous.as_ref()?;
            Some(Next {
                state: self.states[*next],
                hash: &previous.hash,
                signature: &previous.signature,
            })
        });
        said.collect()
    }

    /// The digest that a signature is known to be of.
    fn owner(&self, signature: &str) -> Option<&ObjectName> {
        let contents = self.digests.iter().filter_map(|it| it.content.as_ref());
        let mut previous = contents.filter_map(|content| content.previous.as_ref());
        let owner = previous.find(|previous| previous.signature.eq_ignore_ascii_case(signature));
        owner.map(|previous| &previous.object)
    }

    fn is_newest(&self, at: usize) -> bool {
        let of_chain = (0..self.digests.len()).filter(|it| self.chain_of[*it] == self.chain_of[at]);
        of_chain.max_by_key(|it| end(&self.digests[*it])) == Some(at)
    }

    fn done(mut self) -> Verified {
        for at in 0..self.digests.len() {
            let (state, wanted) = (self.states[at], self.is_wanted(at));
            let digest = &mut self.digests[at];
            let (file, end) = (digest.file.clone(), end(digest));
            let span = digest.content.as_ref().map(|it| (it.start, it.end));
            let entries = digest.content.take().map(|content| content.log_files);
            let entries = entries.unwrap_or_default();
            if wanted {
                if let DigestState::Unverified(why) = state {
                    self.found(Problem::NotVerified, file.clone(), why.to_owned());
                }
                self.verified.results.push(DigestResult {
                    file,
                    chain: self.chain_of[at],
                    span,
                    state,
                    log_files: entries.len() as u64,
                });
            }
            if let Some(end) = end {
                self.verified.listed.push(Listed {
                    entries,
                    state,
                    chain: self.chain_of[at],
                    in_range: wanted,
                    end,
                });
            }
        }
        self.verified
    }
}

/// What a digest says of the one before it.
struct Next<'a> {
    state: DigestState,
    hash: &'a str,
    signature: &'a str,
}

/// A digest that is signed, while the next one has the hash of another.
fn other_hash(content: &DigestFile, nexts: &[Next<'_>]) -> Option<(Problem, String)> {
    let sound = |next: &&Next<'_>| next.state != DigestState::Invalid && next.hash != content.hash;
    let next = nexts.iter().find(sound)?;
    let detail = format!(
        "its signature fits, but its hash is {} and the next digest has {}",
        content.hash, next.hash
    );
    Some((Problem::DigestAltered, detail))
}

fn hashes(content: &DigestFile, nexts: &[Next<'_>]) -> String {
    let hash = &content.hash;
    match nexts.iter().find(|next| next.hash != hash) {
        Some(next) => format!("its hash is {hash}, the next digest has {}", next.hash),
        None => format!("its hash is {hash}"),
    }
}
