//! A plan for tickets and wikis.
//!
//! In: a plan. Out: GitHub's Markdown, each step with a box to tick and its commands in a block. Promise: a value is text and nothing
//! else; a command is one line, which cannot end its block.

use super::super::advice::{Advice, behind};
use super::super::fold::{self, Room};
use super::super::{Format, RenderOptions, coverage, escape};
use super::terminal::{about, facts, name, title};
use super::{mark, rows, table};
use crate::report::Report;
use crate::report::plan::{Plan, Step};
use std::io::{self, Write};

/// Keys whose steps are shown, tried from many to few where it has to fit a ticket.
const KEYS: [usize; 8] = [100, 40, 20, 10, 5, 3, 1, 0];

/// Writes it; folded, with the steps of as many keys as a ticket takes.
pub(super) fn write(plan: &Plan, options: RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let order = Report::of(
        "",
        "",
        vec![rows::order(&plan.keys).map_err(io::Error::other)?],
    );
    let mut text = Vec::new();
    let (folded, advice) = (options.folded, options.advice);
    document(plan, (&order, plan.keys.len(), advice), &mut text)?;
    let room = Room::Bytes(fold::TICKET);
    for keys in KEYS {
        if !folded || room.holds(&text) {
            break;
        }
        let order = fold::folded(&order, room, |order, text| {
            document(plan, (order, keys, advice), text)
        })?;
        text.clear();
        document(plan, (&order, keys, advice), &mut text)?;
    }
    out.write_all(&text)
}

fn document(
    plan: &Plan,
    (order, keys, advice): (&Report, usize, Option<&'static Advice>),
    out: &mut Vec<u8>,
) -> io::Result<()> {
    writeln!(out, "# {}\n", escape::markdown(&plan.title))?;
    list(&plan.notes, out)?;
    for order in &order.sections {
        let options = RenderOptions {
            advice,
            ..RenderOptions::default()
        };
        table(order, Format::Markdown, options, out)?;
    }
    chapter("Before the first key", &plan.first, out)?;
    for key in plan.keys.iter().take(keys) {
        writeln!(out, "\n## {}\n", escape::markdown(&title(key)))?;
        list(&facts(key), out)?;
        steps(&key.first, out)?;
        for consumer in &key.consumers {
            let heading = format!("{}: {}", consumer.consumer_id, consumer.name);
            writeln!(out, "\n### {}\n", escape::markdown(&heading))?;
            list(&about(consumer), out)?;
            steps(&consumer.steps, out)?;
        }
        if !key.steps.is_empty() {
            let heading = format!("{}: the key itself", name(key));
            writeln!(out, "\n### {}", escape::markdown(&heading))?;
            steps(&key.steps, out)?;
        }
    }
    match plan.keys.len().saturating_sub(keys) {
        0 => {}
        more => writeln!(
            out,
            "\nThe steps of {more} more keys are left out{}",
            behind(advice, |advice| advice.rows)
        )?,
    }
    chapter("When an account has no key left", &plan.last, out)?;
    writeln!(out, "\n## Coverage\n")?;
    list(&coverage::lines(&plan.coverage), out)
}

fn chapter(title: &str, of: &[Step], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## {}", escape::markdown(title))?;
    steps(of, out)
}

fn list(lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    for line in lines {
        writeln!(out, "- {}", escape::markdown(line))?;
    }
    Ok(())
}

fn steps(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    for (index, step) in steps.iter().enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        let what = format!("{}{}", mark(step.kind), step.what);
        write!(out, "- [ ] **{}**", escape::markdown(&what))?;
        match step.detail.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, ": {}", escape::markdown(&step.detail))?,
        }
        if !step.commands.is_empty() {
            writeln!(out, "\n  ```sh")?;
            for command in &step.commands {
                // One line, which begins with the name of a program: it cannot end the block.
                writeln!(out, "  {}", escape::terminal(command))?;
            }
            writeln!(out, "  ```\n")?;
        }
    }
    Ok(())
}
