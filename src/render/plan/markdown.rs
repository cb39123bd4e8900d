//! A plan for tickets and wikis.
//!
//! In: a plan. Out: GitHub's Markdown, each step with a box to tick and its commands in a block. Promise: a value is text and nothing
//! else; a command is one line, which cannot end its block.

use super::super::{Format, RenderOptions, coverage, escape};
use super::terminal::{about, facts, name, title};
use super::{mark, rows, table};
use crate::report::plan::{Plan, Step};
use std::io::{self, Write};

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", escape::markdown(&plan.title))?;
    list(&plan.notes, out)?;
    let order = rows::order(&plan.keys).map_err(io::Error::other)?;
    table(&order, Format::Markdown, RenderOptions::default(), out)?;
    chapter("Before the first key", &plan.first, out)?;
    for key in &plan.keys {
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
