//! A queue of messages.
//!
//! In: nothing, or a URL. Out: [`Message`]s. Promise: a message comes again until it is deleted.

use std::fmt::Debug;
use std::time::Duration;

use super::SourceError;

/// A message of a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it says.
    pub body: String,
    /// What deletes it.
    pub receipt: String,
}

/// A queue of messages, each of which comes again until it is deleted.
#[async_trait::async_trait]
pub trait Queue: Debug + Send + Sync {
    /// The queue's name.
    fn name(&self) -> &str;

    /// Some messages; waits up to `patience` for the first.
    async fn receive(&self, patience: Duration) -> Result<Vec<Message>, SourceError>;

    /// Deletes messages.
    async fn delete(&self, messages: &[Message]) -> Result<(), SourceError>;
}
