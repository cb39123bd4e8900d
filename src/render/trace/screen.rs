//! A trace on one screen.
//!
//! In: a [`Brief`], and how much room there is. Out: the alarm, what is known, the commands to run now, and where the rest is. Promise: it
//! fits the screen; a command is one line, whole, so that it can be copied; what is left out is counted.

use super::super::escape::terminal as escaped;
use super::super::fold::{SCREEN, lines};
use super::super::grid::wrapped;
use super::super::terminal::Terminal;
use super::super::{RenderOptions, coverage, tone};
use crate::report::trace::{Asked, Brief, Origin, Step, Trace};
use std::io::{self, Write};

/// Lines that are kept for the prompt, and for the next step, which the program adds.
const RESERVED: usize = 3;

/// Where the text of a fact begins.
const LABEL: usize = 12;

/// How much is shown: lines of a fact, and commands.
type Amount = (usize, usize);

/// From much to little.
const AMOUNTS: [Amount; 7] = [(4, 5), (3, 5), (2, 5), (2, 4), (2, 3), (1, 4), (1, 3)];

/// Where even that is too much: two commands, or one.
const LEAST: [Amount; 2] = [(1, 2), (1, 1)];

pub(super) fn write(trace: &Trace, options: RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let brief = trace.brief();
    let height = options.height.map_or(SCREEN, usize::from).max(SCREEN);
    let room = height - RESERVED;
    let screen = Screen {
        trace,
        brief: &brief,
        options,
        terminal: Terminal::new(options, None),
    };
    let mut text = String::new();
    for amount in AMOUNTS.into_iter().chain(LEAST) {
        text = screen.text(amount);
        // Codes of colours have no width, but they would be counted.
        let plain = Screen {
            options: RenderOptions {
                color: false,
                ..options
            },
            terminal: Terminal::new(
                RenderOptions {
                    color: false,
                    ..options
                },
                None,
            ),
            ..screen
        };
        if lines(&plain.text(amount), options.width) <= room {
            break;
        }
    }
    out.write_all(text.as_bytes())
}

struct Screen<'a> {
    trace: &'a Trace,
    brief: &'a Brief,
    options: RenderOptions,
    terminal: Terminal,
}

impl Screen<'_> {
    fn text(&self, (tall, commands): Amount) -> String {
        let brief = self.brief;
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let headline = format!("{} (times in UTC)", escaped(&brief.headline));
        line(&match brief.origin {
            Origin::Intruder => self.toned(tone::URGENT, &headline),
            Origin::Suspicious => self.toned(tone::YELLOW, &headline),
            _ => self.terminal.bold(&headline),
        });
        for part in self.prose(&brief.subject, 0, 2) {
            line(&part);
        }
        if let Some(alarm) = &brief.alarm {
            let mut letters = alarm.chars();
            let first: String = letters
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .collect();
            for part in self.prose(&format!("{first}{}", letters.as_str()), 0, 2) {
                line(&self.toned(tone::RED, &part));
            }
            let why = format!("because {}", brief.why.join("; "));
            for part in self.prose(&why, 2, tall) {
                line(&format!("  {part}"));
            }
        } else if !self.trace.credentials.is_empty() {
            let help = self.options.advice.map_or("", |advice| advice.owner);
            for part in self.prose(help, 2, 2) {
                line(&format!("  {part}"));
            }
        }
        for fact in &brief.facts {
            // What may still be going on is cut last.
            let most = if fact.asked == Asked::Over {
                tall.max(2)
            } else {
                tall
            };
            for (at, part) in self.prose(&fact.text, LABEL, most).iter().enumerate() {
                match at {
                    0 => {
                        let space = " ".repeat(LABEL - fact.label.len());
                        line(&format!("{}{space}{part}", self.terminal.bold(fact.label)));
                    }
                    _ => line(&format!("{}{part}", " ".repeat(LABEL))),
                }
            }
        }
        if !brief.steps.is_empty() {
            let more = brief.steps.len().saturating_sub(commands);
            let more = match more {
                0 => String::new(),
                more => {
                    let advice = self.options.advice;
                    let place = advice.map_or_else(String::new, |it| format!(": {}", it.commands));
                    format!("; and {more} more{place}")
                }
            };
            let heading = format!("{} (keytrail runs none of these{more})", brief.when);
            line(&self.terminal.bold(&heading));
            for step in brief.steps.iter().take(commands) {
                line(&format!("  {}", escaped(&command(step))));
            }
        }
        // Where there is no room for them, notes are counted.
        for note in self.trace.notes.iter().filter(|_| tall > 1) {
            for part in self.prose(&format!("note: {note}"), 0, tall.min(2)) {
                line(&self.terminal.dim(&part));
            }
        }
        for part in self.prose(&self.rest(tall), 0, if tall > 1 { 3 } else { 1 }) {
            line(&part);
        }
        for part in self.rests_on(tall) {
            line(&self.terminal.dim(&part));
        }
        text
    }

    /// Where the rest is.
    fn rest(&self, tall: usize) -> String {
        let parts = self.brief.parts.iter();
        let parts: Vec<String> = parts
            .map(|part| match tall {
                1 => part.name.to_owned(),
                _ => format!("{} ({})", part.name, part.rows),
            })
            .collect();
        if parts.is_empty() {
            return String::new();
        }
        let notes = match self.trace.notes.len() {
            _ if tall > 1 => String::new(),
            0 => String::new(),
            1 => " (1 note)".to_owned(),
            notes => format!(" ({notes} notes)"),
        };
        let sections = self.options.advice.map_or("", |advice| advice.sections);
        format!("More{notes}: {sections}{}", parts.join(", "))
    }

    /// What the answer rests on: all of it where nothing was found, else how much, and whether something was not read.
    fn rests_on(&self, tall: usize) -> Vec<String> {
        let coverage = &self.trace.coverage;
        let all = coverage::footer(coverage);
        if self.trace.credentials.is_empty() {
            return all
                .iter()
                .flat_map(|line| self.prose(line, 0, tall))
                .collect();
        }
        let first = all.first().cloned().unwrap_or_default();
        match coverage::losses(coverage) {
            // In one line what is missing comes first.
            Some(losses) if tall == 1 => self.prose(&format!("{losses}; {first}"), 0, 1),
            losses => [Some(first), losses]
                .iter()
                .flatten()
                .flat_map(|line| self.prose(line, 0, 2))
                .collect(),
        }
    }

    /// A text in lines that fit beside an indent, so many at most.
    fn prose(&self, text: &str, indent: usize, most: usize) -> Vec<String> {
        let text = escaped(text);
        if text.is_empty() {
            return Vec::new();
        }
        let Some(width) = self.options.width.map(usize::from) else {
            return vec![text.into_owned()];
        };
        let width = width.saturating_sub(indent).max(20);
        let mut lines = wrapped(&text, width);
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                *last = ended(last, width);
            }
        }
        lines
    }

    fn toned(&self, tone: &str, text: &str) -> String {
        match self.options.color {
            true => format!("{tone}{text}{}", tone::PLAIN),
            false => text.to_owned(),
        }
    }
}

/// A line that shows that it goes on.
fn ended(line: &str, width: usize) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut words = &words[..];
    loop {
        let text = words.join(" ");
        if unicode_width::UnicodeWidthStr::width(text.as_str()) + 2 <= width || words.len() < 2 {
            return format!("{text} …");
        }
        words = &words[..words.len() - 1];
    }
}

/// What a person runs; where there is no command, what there is to do stands before the remark.
fn command(step: &Step) -> String {
    match step.command.starts_with('#') {
        true => format!("# {}: {}", step.what, step.command.trim_start_matches("# ")),
        false => step.command.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Advice;
    use super::*;
    use crate::report::trace::{Answer, Credential, FirstUse, Summary};

    fn many() -> Trace {
        let long = "a very long answer that goes on and on ".repeat(30);
        Trace {
            title: "What access key AKIA1 did".to_owned(),
            summary: Summary {
                first_suspicious_use: Some(FirstUse {
                    event_time: "2025-03-06T15:01:00Z".to_owned(),
                    event_name: "GetCallerIdentity".to_owned(),
                    origin: Origin::Intruder,
                    why: vec![long.clone(); 5],
                    ..FirstUse::default()
                }),
                answers: [Asked::Sources, Asked::DataRead, Asked::Over]
                    .map(|question| Answer {
                        question,
                        answer: long.clone(),
                        event_ids: Vec::new(),
                    })
                    .into(),
                ..Summary::default()
            },
            credentials: vec![Credential::default(); 400],
            containment: vec![
                Step {
                    what: "do".to_owned(),
                    command: "aws iam do-it --with a-long-name-of-somebody --and more".to_owned(),
                };
                60
            ],
            ..Trace::default()
        }
    }

    const SOME: Advice = Advice {
        columns: "",
        rows: "",
        owner: "",
        commands: "--section steps,cleanup",
        sections: "--section ",
        owners_changes: "",
        events: "",
        steps: "",
    };

    fn shown(width: u16, height: u16) -> String {
        let options = RenderOptions {
            width: Some(width),
            height: Some(height),
            advice: Some(&SOME),
            ..RenderOptions::default()
        };
        let mut out = Vec::new();
        write(&many(), options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_fits_the_screen() {
        for (width, height) in [(80, 24), (100, 30), (120, 40), (200, 50)] {
            let text = shown(width, height);
            let taken = lines(&text, Some(width));
            assert!(taken < usize::from(height), "{taken} lines:\n{text}");
            assert!(text.contains("aws iam do-it"), "{text}");
            assert!(text.contains("more: --section steps,cleanup"), "{text}");
            assert!(text.contains("lineage"), "{text}");
        }
    }

    #[test]
    fn a_command_is_one_line() {
        let command = "  aws iam do-it --with a-long-name-of-somebody --and more";
        let text = shown(80, 24);
        assert!(text.lines().any(|line| line == command), "{text}");
    }
}
