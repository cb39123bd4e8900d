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
use super::gzip::{Inflater, Text};
use super::input::Input;
use super::paths::Guesses;
use super::summary::Summary;
use super::walk::{Walk, WhenFull};
use crate::json::encoding;
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
        let before = builder.rows();
        builder.begin_file(name);
        let (guesses, stop) = (&mut self.guesses, &*self.stop);
        let mut walk = Walk::new(Some((&mut *builder, when_full)), guesses, stop);
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
        let outcome = match result {
            Err(fault) => Outcome::Rejected(fault),
            Ok(()) if events || (walked.foreign.is_none() && walked.unknown.is_none()) => {
                Outcome::Read
            }
            Ok(()) => match (walked.foreign, walked.unknown) {
                (Some((what, _)), _) => Outcome::Skipped(what.to_owned()),
                (None, fields) => Outcome::Rejected(FileFault::NoEvents {
                    fields: fields.unwrap_or_default(),
                }),
            },
        };
        let kept = match &outcome {
            Outcome::Read => true,
            Outcome::Rejected(fault) => events && fault.keeps_events(),
            Outcome::Skipped(_) => false,
        };
        if kept {
            let passed_over = walked
                .foreign
                .map(|(what, n)| format!("passed over {what} ({n} of its objects)"));
            return Decoded {
                outcome,
                records: walked.records,
                rejected: walked.rejects.count(),
                remark: walked
                    .remark
                    .or(passed_over)
                    .or_else(|| walked.rejects.remark()),
                rejects: walked.rejects.kept(),
                json_bytes: walked.json_bytes,
                summary: builder.take_summary(),
            };
        }
        builder.truncate(before);
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
    if let Some(remark) = inflated.remark {
        walk.remark(remark);
    }
    match inflated.text {
        Text::Whole(text) => {
            let text = encoding::utf8(text);
            let result = match export::rows(&text) {
                Some(rows) => walk.rows(rows),
                None => walk.document(&mut Input::whole(&text)),
            };
            match inflated.cut {
                true => Err(FileFault::CutGzip {
                    byte: text.len() as u64,
                }),
                false => result,
            }
        }
        Text::Long(reader) => {
            // Rows of a long file cannot be taken back once handed over: check it first, then read it again.
            let mut guesses = Guesses::default();
            let checked =
                Walk::new(None, &mut guesses, walk.stop).document(&mut Input::long(reader, limit));
            if let Err(fault) = checked
                && !fault.keeps_events()
            {
                return Err(fault);
            }
            match Inflater::new().text(bytes, limit)?.text {
                Text::Long(reader) => walk.document(&mut Input::long(reader, limit)),
                Text::Whole(_) => Err(FileFault::NotTwice),
            }
        }
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
        left = left
            .checked_sub(content.len() as u64)
            .ok_or(FileFault::TooLarge { limit })?;
        walk.begin_member(&format!("{name}/{member}"));
        let result = match archive::kind(content, member) {
            Some(_) => Err(FileFault::Format("an archive within an archive")),
            None => file(content, walk, (&mut *inflater, limit)),
        };
        match result {
            Err(fault @ (FileFault::OnlyRejects { .. } | FileFault::Stopped)) => Err(fault),
            Err(fault) => {
                walk.member_fault(member, &fault);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    })
}
