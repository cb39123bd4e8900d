//! From the bytes of one log file to rows.
//!
//! In: bytes, as delivered. Out: rows in an [`EventBuilder`] and a [`Decoded`] that accounts for every record. Promise: a
//! pure function of the bytes; one broken record rejects that record; of a file that breaks off, the events before the fault
//! are kept and the file is rejected; no fault stops the run.

use super::archive::{self, Archive};
use super::build::EventBuilder;
use super::decoded::{Decoded, Outcome};
use super::export;
use super::fault::FileFault;
use super::gzip::{Inflated, Inflater, Text, TextFault};
use super::input::Input;
use super::known::{self, Known};
use super::paths::Guesses;
use super::summary::Summary;
use super::walk::{Walk, WhenFull};
use crate::cloudtrail::{is_clutter, is_document};
use crate::json::encoding;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Decodes log files; keeps its buffers from one to the next.
#[derive(Debug)]
pub struct Decoder {
    inflater: Inflater,
    guesses: Guesses,
    max_json: u64,
    stop: Arc<AtomicBool>,
}

impl Decoder {
    /// A decoder that rejects log files with more than `max_json` bytes of JSON.
    pub fn new(max_json: u64) -> Self {
        Self {
            inflater: Inflater::new(),
            guesses: Guesses::default(),
            max_json,
            stop: Arc::default(),
        }
    }

    /// The same; once `stop` is set, it ends within the log file, which then is rejected as [`FileFault::Stopped`].
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// Decodes the log file `name` into `builder`. A file whose text is too long to be held calls `when_full` in between;
    /// that none of its rows has to be taken back has been made sure of before.
    pub fn decode(
        &mut self,
        bytes: &[u8],
        name: &str,
        (builder, when_full): (&mut EventBuilder, WhenFull<'_>),
    ) -> Decoded {
        // Rows that were handed over in between are no longer in the builder, and neither are those before them.
        let before = Cell::new(builder.rows());
        let mut hand_over = |builder: &mut EventBuilder| {
            when_full(builder);
            before.set(builder.rows());
        };
        builder.begin_file(name);
        let (guesses, stop) = (&mut self.guesses, &*self.stop);
        let mut walk = Walk::new(Some((&mut *builder, &mut hand_over)), guesses, stop);
        let result = match archive::kind(bytes, name) {
            None => file(bytes, &mut walk, (&mut self.inflater, self.max_json)),
            Some(kind) => archived(
                (bytes, name),
                kind,
                &mut walk,
                (&mut self.inflater, self.max_json),
            ),
        };
        let mut walked = walk.done();
        walked.rejects.leave_out(&|text| builder.shown(text));
        let events = walked.records > walked.rejects.count();
        let outcome = match (result, walked.foreign, walked.unknown) {
            (Err(fault), ..) => Outcome::Rejected(fault),
            (Ok(()), ..) if events => Outcome::Read,
            (Ok(()), Some((what, _)), _) => Outcome::Skipped(what.to_owned()),
            (Ok(()), None, Some(fields)) => Outcome::Rejected(FileFault::NoEvents { fields }),
            (Ok(()), None, None) => match walked.rejects.first() {
                None => Outcome::Read,
                Some(reason) => Outcome::Rejected(FileFault::NoRecord {
                    records: walked.records,
                    reason: reason.to_owned(),
                }),
            },
        };
        let kept = match &outcome {
            Outcome::Read | Outcome::Rejected(FileFault::NoRecord { .. }) => true,
            Outcome::Rejected(fault) => events && fault.keeps_events(),
            Outcome::Skipped(_) => false,
        };
        if kept {
            return Decoded {
                outcome,
                records: walked.records,
                rejected: walked.rejects.count(),
                remark: walked.remark,
                rejects: walked.rejects.kept(),
                json_bytes: walked.json_bytes,
                summary: builder.take_summary(),
            };
        }
        builder.truncate(before.get());
        Decoded {
            outcome,
            records: 0,
            rejected: 0,
            rejects: Vec::new(),
            json_bytes: walked.json_bytes,
            remark: walked.remark,
            summary: Summary::default(),
        }
    }
}

/// One file: its text, whole or in pieces.
fn file(
    bytes: &[u8],
    walk: &mut Walk<'_>,
    (inflater, limit): (&mut Inflater, u64),
) -> Result<(), FileFault> {
    let inflated = inflater.text(bytes, limit)?;
    match inflated.text {
        Text::Whole(text) => {
            let mut result = Ok(());
            for part in Inflated::parts(text, &inflated.breaks) {
                match whole(part, walk) {
                    Err(fault) if fault.ends_reading() => return Err(fault),
                    part => result = result.and(part),
                }
            }
            match inflated.flaw {
                None => result,
                Some(TextFault::Cut) => Err(FileFault::CutGzip {
                    byte: text.len() as u64,
                }),
                Some(flaw) => Err(flaw.into()),
            }
        }
        Text::Long(reader) => {
            // Rows of a long file cannot be taken back once handed over: check it first, then read it again.
            let mut guesses = Guesses::default();
            let checked =
                Walk::new(None, &mut guesses, walk.stop).document(&mut Input::long(reader, limit));
            let sound = match &checked {
                Err(FileFault::Damaged { sound, .. }) => *sound,
                Err(fault) if !fault.keeps_events() => return checked,
                _ => u64::MAX,
            };
            let mut again = Inflater::new();
            let Text::Long(reader) = again.text(bytes, limit)?.text else {
                return Err(FileFault::NotTwice);
            };
            let sound = Box::new(std::io::Read::take(reader, sound));
            let read = walk.document(&mut Input::long(sound, limit));
            match checked {
                Err(fault @ FileFault::Damaged { .. }) => Err(fault),
                _ => read,
            }
        }
    }
}

/// A text that is held, from end to end.
fn whole(text: &[u8], walk: &mut Walk<'_>) -> Result<(), FileFault> {
    let text = encoding::utf8(text);
    match known::text(&text) {
        Some(Known::Foreign(what)) => {
            walk.is_foreign(what);
            Ok(())
        }
        Some(Known::Refused(what, instead)) => Err(FileFault::Refused { what, instead }),
        None => match export::rows(&text) {
            Some(rows) => walk.rows(rows),
            None => walk.document(&mut Input::whole(&text)),
        },
    }
}

/// The files in an archive, each under its own name.
fn archived(
    (bytes, name): (&[u8], &str),
    kind: Archive,
    walk: &mut Walk<'_>,
    (inflater, limit): (&mut Inflater, u64),
) -> Result<(), FileFault> {
    let mut left = limit;
    archive::members(bytes, kind, limit, &mut |member, content| {
        let last = member.rsplit('/').next().unwrap_or(member);
        if member.split('/').any(is_clutter) || is_document(last) {
            walk.passed_over(member);
            return Ok(());
        }
        walk.begin_member(&format!("{name}/{member}"));
        let result = content.and_then(|content| {
            left = left.checked_sub(content.len() as u64).ok_or_else(|| {
                let why = format!("more than {limit} bytes in its files; what follows is missing");
                FileFault::Archive(why)
            })?;
            match archive::kind(content, member) {
                Some(_) => Err(FileFault::Format("an archive within an archive")),
                None => file(content, walk, (&mut *inflater, limit)),
            }
        });
        match result {
            Err(fault) if fault.ends_reading() => Err(fault),
            Err(fault) => {
                walk.member_fault(member, &fault);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    })
}
