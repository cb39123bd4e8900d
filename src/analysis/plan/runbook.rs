//! The steps, as they are written in `steps/`.
//!
//! In: a chapter's name, and values. Out: its steps. Promise: steps are texts, not code: one file per target and verdict; a value
//! in a command is quoted for a shell, in prose it is text.
//!
//! ```text
//! # Title
//! What this is.                      (paragraphs)
//!
//! ## A step
//! is: check                          (do if not said; check, wait, back)
//! when: env-vars profile             (only if one of these facts is true)
//! What there is to know about it.
//!
//!     a command with {values}        (four spaces)
//!
//! include: chapter                   (the steps of another chapter)
//! ```

use super::super::shell::add_value;
use crate::report::plan::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

macro_rules! chapters {
    ($($name:literal)*) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("steps/", $name, ".md")))),*];
    };
}

chapters! {
    "first" "last"
    "key-incident" "key-unseen" "key-unused" "key-root-first" "key-root" "key-root-incident" "key-migrate" "key-wait" "key-deactivate" "key-delete"
    "ready" "deactivate" "delete" "take-away" "verify" "other-programs" "limits"
    "instance-profile" "execution-role" "task-role" "service-role" "pod-identity" "github-oidc" "oidc" "roles-anywhere"
    "other-cloud" "identity-center" "cross-account" "limited-key" "investigate"
}

/// A file of `steps/`.
#[derive(Debug, Default)]
struct Chapter {
    about: String,
    parts: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Step(Written),
    Include(&'static str),
}

/// A step before its values are in it.
#[derive(Debug, Default)]
struct Written {
    what: &'static str,
    kind: &'static str,
    when: Vec<&'static str>,
    detail: String,
    commands: Vec<&'static str>,
}

static CHAPTERS: LazyLock<BTreeMap<&'static str, Chapter>> = LazyLock::new(|| {
    let read = FILES.iter().map(|(name, text)| (*name, chapter(text)));
    read.collect()
});

fn chapter(text: &'static str) -> Chapter {
    let mut chapter = Chapter::default();
    let mut open: Option<Written> = None;
    for line in text.lines() {
        if let Some(what) = line.strip_prefix("## ") {
            chapter.parts.extend(open.take().map(Piece::Step));
            open = Some(Written {
                what,
                kind: "do",
                ..Written::default()
            });
        } else if let Some(name) = line.strip_prefix("include: ") {
            chapter.parts.extend(open.take().map(Piece::Step));
            chapter.parts.push(Piece::Include(name));
        } else if let Some(step) = &mut open {
            if let Some(command) = line.strip_prefix("    ") {
                step.commands.push(command);
            } else if let Some(kind) = line.strip_prefix("is: ") {
                step.kind = kind;
            } else if let Some(facts) = line.strip_prefix("when: ") {
                step.when = facts.split(' ').collect();
            } else {
                add_line(&mut step.detail, line);
            }
        } else if !line.starts_with("# ") {
            add_line(&mut chapter.about, line);
        }
    }
    chapter.parts.extend(open.map(Piece::Step));
    chapter
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() && !line.is_empty() {
        text.push(' ');
    }
    text.push_str(line);
}

/// What the steps are filled with.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// The words of a command line that say what the plan was made of, each preceded by a space.
    pub(super) trail: String,
    /// The same, with what is known of networks.
    pub(super) input: String,
    /// Values by the names that stand for them.
    pub(super) texts: BTreeMap<&'static str, String>,
    /// What is true.
    pub(super) facts: BTreeSet<String>,
}

impl Values {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.texts.insert(name, value.into());
    }

    fn filled(&self, text: &str, add: fn(&mut String, &str)) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled += before;
            let place = after.split_once('}');
            match place.and_then(|(name, after)| Some((self.texts.get(name)?, after))) {
                Some((value, after)) => {
                    add(&mut filled, value);
                    rest = after;
                }
                // Words already, several or none.
                None if after.starts_with("input}") => {
                    filled += &self.input;
                    rest = &after["input}".len()..];
                }
                None if after.starts_with("trail}") => {
                    filled += &self.trail;
                    rest = &after["trail}".len()..];
                }
                // A brace of the command's own.
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// What a chapter is about.
    pub(super) fn about(&self, name: &str) -> String {
        let chapter = CHAPTERS.get(name);
        chapter.map_or_else(String::new, |chapter| {
            self.filled(&chapter.about, String::push_str)
        })
    }

    /// The steps of a chapter.
    pub(super) fn steps(&self, name: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        self.add_steps(name, &mut steps);
        steps
    }

    fn add_steps(&self, name: &str, steps: &mut Vec<Step>) {
        for part in CHAPTERS.get(name).into_iter().flat_map(|of| &of.parts) {
            match part {
                Piece::Include(name) => self.add_steps(name, steps),
                Piece::Step(step) => {
                    let mut when = step.when.iter();
                    if step.when.is_empty() || when.any(|fact| self.facts.contains(*fact)) {
                        steps.push(self.step(step));
                    }
                }
            }
        }
    }

    fn step(&self, step: &Written) -> Step {
        let commands = step.commands.iter();
        Step {
            kind: step.kind,
            what: self.filled(step.what, String::push_str),
            detail: self.filled(&step.detail, String::push_str),
            commands: commands
                .map(|command| self.filled(command, add_value))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chapter_is_whole() {
        let mut included = BTreeSet::new();
        for (name, chapter) in &*CHAPTERS {
            assert!(!chapter.parts.is_empty(), "{name}");
            for part in &chapter.parts {
                match part {
                    Piece::Include(other) => {
                        assert!(CHAPTERS.contains_key(other), "{name} includes {other}");
                        included.insert(*other);
                    }
                    Piece::Step(step) => {
                        assert!(
                            ["do", "check", "wait", "back"].contains(&step.kind),
                            "{name}"
                        );
                        let said = !step.detail.is_empty() || !step.commands.is_empty();
                        assert!(said, "{name}: {}", step.what);
                        for command in &step.commands {
                            assert!(command.is_ascii(), "{name}: {command}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn values_are_words_in_commands_and_text_in_prose() {
        let mut values = Values {
            input: " --lake 'my lake'".to_owned(),
            ..Values::default()
        };
        values.set("user", "a b; c");
        assert_eq!(
            values.filled("x --user-name {user}{input} --query a.{b}", add_value),
            "x --user-name 'a b; c' --lake 'my lake' --query a.{b}"
        );
        assert_eq!(values.filled("of {user}", String::push_str), "of a b; c");
        values.set("user", "-rf");
        assert_eq!(
            values.filled("x --user-name {user}", add_value),
            "x --user-name='-rf'"
        );
    }
}
