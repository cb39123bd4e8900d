//! A plan for people at a terminal.
//!
//! In: a plan and the terminal's width. Out: the order of the keys, then each with its steps. Promise: prose is wrapped; a command is
//! one line, however long, so that it can be copied.

use super::super::fold::{self, Room};
use super::super::grid::wrapped;
use super::super::terminal::Terminal;
use super::super::{Format, RenderOptions, coverage, escape};
use super::{PlanView, mark, moment, rows, table};
use crate::report::plan::{Plan, PlannedConsumer, PlannedKey, Step};
use crate::report::{Report, Section};
use std::io::{self, Write};

/// Prose is not wider than this: longer lines are hard to read.
const WIDEST: usize = 110;

/// Nor narrower than this, on the narrowest terminal.
const NARROWEST: usize = 40;

/// Lines of a plan besides the order of its keys: title, notes, coverage, what to do next.
const BESIDE: usize = 20;

/// Where text begins below the line it belongs to.
const INDENT: usize = 4;

pub(super) fn write(
    plan: &Plan,
    (options, view): (RenderOptions, PlanView),
    out: &mut dyn Write,
) -> io::Result<()> {
    let width = options.width.map_or(WIDEST, usize::from);
    Writer {
        terminal: Terminal::new(options, None),
        options,
        width: width.clamp(NARROWEST, WIDEST),
        out,
    }
    .plan(plan, view)
}

struct Writer<'a> {
    terminal: Terminal,
    options: RenderOptions,
    width: usize,
    out: &'a mut dyn Write,
}

impl Writer<'_> {
    fn plan(&mut self, plan: &Plan, view: PlanView) -> io::Result<()> {
        self.heading(&format!("{} (times in UTC)", plan.title))?;
        for note in &plan.notes {
            self.prose(&format!("note: {note}"), 0)?;
        }
        // A key alone has no order.
        let several = plan.keys.len() > 1 || !view.steps;
        let order = rows::order(&plan.keys).map_err(io::Error::other)?;
        if several {
            writeln!(self.out)?;
            let order = match self.options.folded && !view.steps {
                true => self.folded(order)?,
                false => order,
            };
            table(&order, Format::Table, self.options, self.out)?;
        }
        if view.steps {
            self.chapter("Before the first key", &plan.first)?;
            for key in &plan.keys {
                self.key(key)?;
            }
            self.chapter("When an account has no key left", &plan.last)?;
        } else {
            if let Some(advice) = self.options.advice {
                writeln!(self.out)?;
                self.prose(advice.steps, 0)?;
            }
        }
        writeln!(self.out)?;
        for line in coverage::footer(&plan.coverage) {
            for line in wrapped(&escape::terminal(&line), self.width) {
                writeln!(self.out, "{}", self.terminal.dim(&line))?;
            }
        }
        Ok(())
    }

    /// The order with as many keys as fit beside the notes and the coverage.
    fn folded(&self, order: Section) -> io::Result<Section> {
        let report = Report::of("", "", vec![order]);
        let room = Room::lines(self.options).without(BESIDE);
        // Codes of colours take no room.
        let plain = RenderOptions {
            color: false,
            ..self.options
        };
        let report = fold::folded(&report, room, |report, text| {
            let mut sections = report.sections.iter();
            sections.try_for_each(|order| table(order, Format::Table, plain, text))
        })?;
        let mut sections = report.sections.into_iter();
        sections
            .next()
            .ok_or_else(|| io::Error::other("no order of keys"))
    }

    fn chapter(&mut self, title: &str, steps: &[Step]) -> io::Result<()> {
        writeln!(self.out)?;
        self.heading(title)?;
        self.steps(steps, 0)
    }

    fn key(&mut self, key: &PlannedKey) -> io::Result<()> {
        writeln!(self.out)?;
        self.heading(&title(key))?;
        for line in facts(key) {
            self.prose(&line, INDENT)?;
        }
        self.steps(&key.first, 0)?;
        for consumer in &key.consumers {
            self.consumer(consumer)?;
        }
        if !key.steps.is_empty() {
            writeln!(self.out)?;
            self.heading(&format!("{}: the key itself", name(key)))?;
            self.steps(&key.steps, 0)?;
        }
        Ok(())
    }

    fn consumer(&mut self, consumer: &PlannedConsumer) -> io::Result<()> {
        writeln!(self.out)?;
        self.heading(&format!("{}: {}", consumer.consumer_id, consumer.name))?;
        for line in about(consumer) {
            self.prose(&line, INDENT)?;
        }
        self.steps(&consumer.steps, 0)
    }

    fn steps(&mut self, steps: &[Step], indent: usize) -> io::Result<()> {
        for (number, step) in (1..).zip(steps) {
            let begin = format!("{number:>2}. {}{}", mark(step.kind), step.what);
            let begin = escape::terminal(&begin).into_owned();
            writeln!(self.out, "{:indent$}{}", "", self.terminal.bold(&begin))?;
            self.prose(&step.detail, indent + INDENT)?;
            for command in &step.commands {
                let indent = indent + INDENT;
                writeln!(self.out, "{:indent$}$ {}", "", escape::terminal(command))?;
            }
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = escape::terminal(text).into_owned();
        writeln!(self.out, "{}", self.terminal.bold(&text))
    }

    fn prose(&mut self, text: &str, indent: usize) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        for line in wrapped(&escape::terminal(text), self.width - indent) {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }
}

/// What a key is called.
pub(super) fn name(key: &PlannedKey) -> String {
    match (&key.access_key_id, key.key) {
        (Some(id), _) => id.clone(),
        (None, Some(slot)) => format!("key {slot} of the credential report"),
        (None, None) => "a key without an id".to_owned(),
    }
}

/// The line above a key.
pub(super) fn title(key: &PlannedKey) -> String {
    let user = key.user_identity_user_name.as_deref().unwrap_or("–");
    let account = key.account_id.as_deref().unwrap_or("–");
    format!(
        "{}. {} of {user} in {account}: {}",
        key.number,
        name(key),
        rows::verdict(key)
    )
}

/// What there is to know of a key before anything is done.
pub(super) fn facts(key: &PlannedKey) -> Vec<String> {
    let used = key.last_used.as_deref().map_or_else(
        || "no use of it is known".to_owned(),
        |time| format!("last used {}", moment(time)),
    );
    let mut facts = vec![format!("{}; {used}", key.group_title)];
    facts.extend(key.why.iter().map(|why| format!("! {why}")));
    facts.extend(key.not_checked.iter().map(|open| format!("? {open}")));
    facts
}

/// What there is to know of a consumer.
pub(super) fn about(consumer: &PlannedConsumer) -> Vec<String> {
    let mut about = vec![
        format!(
            "{} ({} confidence), {}; {} calls, {} failed, {}, last {}",
            consumer.workload,
            consumer.confidence,
            consumer.state,
            consumer.events,
            consumer.errors,
            consumer.cadence,
            moment(&consumer.last_seen)
        ),
        format!("from {}", consumer.networks.join(", ")),
        format!("→ {}: {}", consumer.move_to, consumer.about),
    ];
    if consumer.steps.is_empty() {
        about.pop();
    }
    let warnings = consumer.warnings.iter();
    about.extend(warnings.map(|warning| format!("! {warning}")));
    about
}
