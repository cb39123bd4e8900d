//! Ways to work that agents can take from the server.
//!
//! In: a prompt's name and values. Out: what to do, in order. Promise: a value stands in quotes, without control characters and cut:
//! it is a name to look for, whatever it says.

use super::untrusted;
use rmcp::model::{GetPromptResult, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::{Map, Value};

/// A prompt.
#[derive(Debug)]
pub(super) struct PromptOf {
    name: &'static str,
    title: &'static str,
    argument: &'static str,
    meaning: &'static str,
    text: &'static str,
}

/// Every prompt.
pub(super) const PROMPTS: &[PromptOf] = &[
    PromptOf {
        name: "triage_leaked_key",
        title: "Triage a leaked key",
        argument: "access_key_id",
        meaning: "The access key that leaked",
        text: include_str!("prompts/triage_leaked_key.md"),
    },
    PromptOf {
        name: "retire_key",
        title: "Retire a key",
        argument: "access_key_id",
        meaning: "The access key to retire",
        text: include_str!("prompts/retire_key.md"),
    },
    PromptOf {
        name: "who_changed_this",
        title: "Who changed this?",
        argument: "resource",
        meaning: "A resource: its ARN, its id, or its name",
        text: include_str!("prompts/who_changed_this.md"),
    },
];

impl PromptOf {
    /// What a client is told of it.
    pub(super) fn described(&self) -> Prompt {
        let argument = PromptArgument::new(self.argument)
            .with_description(self.meaning)
            .with_required(true);
        Prompt::new(self.name, Some(self.title), Some(vec![argument])).with_title(self.title)
    }
}

/// A prompt with its value.
pub(super) fn filled(name: &str, given: Map<String, Value>) -> Result<GetPromptResult, String> {
    let prompt = PROMPTS.iter().find(|prompt| prompt.name == name);
    let prompt = prompt.ok_or_else(|| format!("there is no prompt {name:?}"))?;
    let value = given.get(prompt.argument).and_then(Value::as_str);
    let value = value.filter(|value| !value.trim().is_empty());
    let value = value.ok_or_else(|| format!("{} is required", prompt.argument))?;
    let quoted = Value::from(untrusted::text(value.trim())).to_string();
    let text = prompt.text.replace("{value}", &quoted);
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(prompt.title))
}
