//! `keytrail plan`: a runbook for the removal of access keys.
//!
//! In: a lake or log files, and what IAM says if it was asked. Out: the keys in the order in which they are to be worked on, and
//! the steps for a person to take. Promise: nothing is run, and nothing is changed in AWS.

use std::path::PathBuf;

use keytrail::analysis::plan::{PlanOptions, plan};
use keytrail::cloudtrail::AccessKeyId;
use keytrail::render::{Format, PlanView, html, render_plan};
use keytrail::report::plan::Plan;

use super::ready::JudgedArgs;
use crate::advise;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::next;
use crate::output::{self, Ending};
use crate::output_args::{FoldArgs, OutputArgs};
use crate::output_file::write_file;
use crate::pick::{PickArgs, VerdictArgs};

/// Write a runbook to remove access keys
///
/// Lists keys in the order to work on them: incidents (which are not migrated), unused, root, people, programs in AWS,
/// build services, programs outside AWS, exceptions. Shows each key's verdict, and for each consumer what it should use
/// instead, the commands to run, what to check afterwards, and how to roll back. keytrail runs none of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys, with all their steps
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = crate::args::key_id)]
    access_key_ids: Vec<AccessKeyId>,

    /// Also write the plan as one self-contained HTML page, with checkboxes
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    judged: JudgedArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,

    #[command(flatten)]
    pick: PickArgs,

    #[command(flatten)]
    verdict: VerdictArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail plan --credential-report report.json           The order of all keys, on the terminal
  keytrail plan AKIAIOSFODNN7EXAMPLE                      One key, with every step
  keytrail plan --format markdown -o plan.md              All of it, for a ticket or a wiki
  keytrail plan --html plan.html                          A page to work through, with checkboxes
  keytrail plan --format csv -o steps.csv                 One row per step, for an issue tracker";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let mut found = args.judged.ready(&args.access_key_ids, context).await?;
    let (pick, verdict) = (&args.pick, &args.verdict);
    found
        .keys
        .retain(|key| verdict.wants(key.verdict) && pick.wants(key.user_name.as_deref()));
    let mut plan = plan(
        &found,
        &PlanOptions {
            trail: args.judged.trail.again(),
            networks: args.judged.networks.again(),
        },
    );
    advise::on(&mut plan.notes);
    if let Some(top) = args.pick.top
        && plan.keys.len() > top
    {
        let more = plan.keys.len() - top;
        plan.keys.truncate(top);
        plan.notes
            .push(format!("{more} more keys are not shown (--top)"));
    }
    if let Some(path) = &args.html {
        write_file(path, |out| {
            html::plan_page(&plan, out).map_err(std::io::Error::other)
        })?;
    }
    let format = args.output.format;
    let view = PlanView {
        steps: !args.access_key_ids.is_empty() || format != Format::Table,
    };
    let ending = Ending::next(next(&plan, &args)).fold(args.fold);
    output::deliver(&args.output, &ending, context, |options, out| {
        render_plan(&plan, format, (options, view), out)
    })?;
    if format.rows_only() {
        output::mention_the_rest(&plan.notes, Some(&plan.coverage), context);
    }
    Ok(Done::on(&plan.coverage))
}

/// The steps of the first key; with keys named, the page to work through.
fn next(plan: &Plan, args: &Args) -> String {
    let first = plan
        .keys
        .first()
        .and_then(|key| key.access_key_id.as_deref());
    match first.filter(|_| args.access_key_ids.is_empty()) {
        Some(key) => next::line(&["plan", key], args.judged.again()),
        None => next::line(&["plan", "--html", "plan.html"], args.judged.again()),
    }
}
