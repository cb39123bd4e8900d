//! `keytrail plan`: a runbook for the removal of access keys.
//!
//! In: a lake or log files, and what IAM says if it was asked. Out: the keys in the order in which they are to be worked on, and
//! the steps for a person to take. Promise: nothing is run, and nothing is changed in AWS.

use std::path::PathBuf;

use keytrail::analysis::plan::{PlanOptions, plan};
use keytrail::cloudtrail::AccessKeyId;
use keytrail::render::{Format, PlanView, html, render_plan};

use super::ready::JudgedArgs;
use crate::args::OutputArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// Write the runbook for the removal of access keys
///
/// Keys in the order in which they are best worked on: incidents (which are not migrated), unused, root, people, programs in
/// AWS, build services, what is outside, exceptions. For each key its verdict, and for each consumer what it is to use
/// instead, the commands for a person to run, what to check afterwards, and the way back. keytrail runs none of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys, with all their steps
    #[arg(value_name = "ACCESS_KEY_ID")]
    access_key_ids: Vec<AccessKeyId>,

    /// Also write the plan as one self-contained HTML page, with boxes to tick
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    judged: JudgedArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail plan --credential-report report.json           The order of all keys, on the terminal
  keytrail plan AKIAIOSFODNN7EXAMPLE                      One key, with every step
  keytrail plan --format markdown -o plan.md              All of it, for a ticket or a wiki
  keytrail plan --html plan.html                          A page to work through, with boxes to tick
  keytrail plan --format csv -o steps.csv                 One row per step, for a tracker of tasks";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let found = args.judged.ready(&args.access_key_ids, context).await?;
    let plan = plan(
        &found,
        &PlanOptions {
            trail: args.judged.trail.again(),
            networks: args.judged.networks.again(),
        },
    );
    if let Some(path) = &args.html {
        output::write_file(path, |out| {
            html::plan_page(&plan, out).map_err(std::io::Error::other)
        })?;
    }
    let format = args.output.format;
    let view = PlanView {
        steps: !args.access_key_ids.is_empty() || format != Format::Table,
    };
    output::deliver(&args.output, context, |options, out| {
        render_plan(&plan, format, (options, view), out)
    })?;
    if format.rows_only() {
        output::mention_the_rest(&plan.notes, Some(&plan.coverage), context);
    }
    Ok(Done::on(&plan.coverage))
}
