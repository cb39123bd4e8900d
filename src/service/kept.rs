//! Answers that are kept for a while.
//!
//! In: answers. Out: the same answers, for the next page of a table, another order or format. Promise: what is kept is bounded in
//! number and bytes; an answer about other events is not given.

use super::{Answered, Asked};
use std::collections::VecDeque;
use std::sync::Arc;

/// The most answers.
const MOST: usize = 16;

/// The most bytes of all of them.
const BYTES: usize = 256 << 20;

/// The last answers, the newest last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    answers: VecDeque<(Asked, Arc<Answered>, usize)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn get(&mut self, asked: &Asked, state: u64) -> Option<Arc<Answered>> {
        let found = self
            .answers
            .iter()
            .position(|(kept, answered, _)| kept == asked && answered.state == state)?;
        let newest = self.answers.remove(found)?;
        let answered = Arc::clone(&newest.1);
        self.answers.push_back(newest);
        Some(answered)
    }

    pub(super) fn put(&mut self, asked: Asked, answered: Arc<Answered>) {
        let bytes = answered.answer.bytes();
        if bytes > BYTES {
            return;
        }
        self.bytes += bytes;
        self.answers.push_back((asked, answered, bytes));
        while self.answers.len() > MOST || self.bytes > BYTES {
            if let Some((_, _, bytes)) = self.answers.pop_front() {
                self.bytes -= bytes;
            }
        }
    }
}
