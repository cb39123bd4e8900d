//! `keytrail keys`: every access key and who uses it.
//!
//! In: a lake or log files. Out: one row per key. Promise: the order and the number of rows are those that were asked
//! for; what the answer rests on comes with it.

use clap::ValueEnum;
use datafusion::common::ScalarValue;
use keytrail::analysis::{KEYS, KeysOrder, answer};
use keytrail::session::Params;

use crate::args::{OutputArgs, TrailArgs, at_least_one};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::{output, question};

/// List every access key: whose it is, when it was used, from how many places
///
/// Long-term keys (AKIA…) by default. A key appears if at least one event names it; a key that was never used does not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Also temporary keys (ASIA…)
    #[arg(long)]
    temporary: bool,

    /// Order of the keys: counts and times from the highest, texts from A
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t)]
    sort: Sort,

    /// Only the first N keys of that order
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    top: Option<usize>,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The columns by which keys can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Sort {
    #[default]
    Events,
    LastSeen,
    FirstSeen,
    Errors,
    SourceIpAddresses,
    UserAgents,
    ApiCalls,
    Regions,
    IssuedKeys,
    AccessKeyId,
    AccountId,
}

const EXAMPLES: &str = "\
Examples:
  keytrail keys                                          Every long-term key of ./keytrail-lake
  keytrail keys --trail s3://my-trail-bucket --since 7d  The last week, straight from the log files
  keytrail keys --sort last_seen --top 20                The keys in use now
  keytrail keys --sort source_ip_addresses --temporary   Keys used from many places first
  keytrail keys --format csv --output keys.csv           For a spreadsheet";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let session = question::session(&args.trail, context).await?;
    let temporary = ScalarValue::from(args.temporary);
    let params = Params::from([("temporary".to_owned(), temporary)]);
    let mut report = answer(&session, &KEYS, &params).await?;
    let order = KeysOrder {
        column: args.sort.column(),
        top: args.top,
    };
    if let Some(section) = report.sections.first_mut() {
        report.notes.extend(order.apply(section)?);
    }
    output::write(&report, &args.output, context)
}

impl Sort {
    /// The column's name, which is the option's value.
    fn column(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
