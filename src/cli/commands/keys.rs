//! `keytrail keys`: every access key and who uses it.
//!
//! In: a lake or log files. Out: one row per key. Promise: the order and the number of rows are those that were asked
//! for; what the answer rests on comes with it.

use arrow::array::{Array as _, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use clap::ValueEnum;
use datafusion::common::ScalarValue;
use keytrail::analysis::{KEYS, KeysOrder, Suspicions, answer, suspicious_keys};
use keytrail::render::Format;
use keytrail::report::Section;
use keytrail::session::Params;

use super::consumers::NetworkArgs;
use crate::args::TrailArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::pick::PickArgs;
use crate::{next, output, question};

/// List every access key: whose it is, when it was used, from how many places
///
/// Long-term keys (AKIA…) by default. A key appears if at least one event names it; a key that was never used does not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Include temporary keys (ASIA…)
    #[arg(long)]
    temporary: bool,

    /// Only keys whose use looks like an intruder's, most serious first, with a score and the reasons
    #[arg(long, conflicts_with_all = ["temporary", "sort"])]
    suspicious: bool,

    /// Sort by this column: counts and times descending, text ascending
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t)]
    sort: Sort,

    #[command(flatten)]
    pick: PickArgs,

    #[command(flatten)]
    networks: NetworkArgs,

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
  keytrail keys --suspicious                             The keys that look stolen, and why
  keytrail keys --sort last_seen --top 20                The keys in use now
  keytrail keys --sort source_ip_addresses --temporary   Keys used from many places first
  keytrail keys --format csv --output keys.csv           For a spreadsheet";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let book = args.networks.address_book()?;
    let session = question::session(&args.trail, context).await?;
    if args.suspicious {
        let mut report = suspicious_keys(&session, &book).await?;
        args.pick.apply(&mut report)?;
        let first = report
            .sections
            .first()
            .and_then(|keys| key_of(keys, "access_key_id"));
        let ending = Ending::next(match first {
            Some(key) => next::judged(&["trace", &key], &args.trail, &args.networks),
            None => next::judged(&["ready"], &args.trail, &args.networks),
        });
        return output::write_ending(&report, &args.output, &ending, context);
    }
    // People see at once which keys look stolen.
    let is_marked = args.output.format == Format::Table && !args.temporary;
    let is_quick = Suspicions::are_quick(&session)?;
    let (is_marked, is_left_out) = (is_marked && is_quick, is_marked && !is_quick);
    let temporary = ScalarValue::from(args.temporary);
    let params = Params::from([("temporary".to_owned(), temporary)]);
    if is_marked {
        Suspicions::foresee(&session, &[(KEYS.sections[0].sql, &params)]).await?;
    }
    let mut report = answer(&session, &KEYS, &params).await?;
    let order = KeysOrder {
        column: args.sort.column(),
    };
    if let Some(section) = report.sections.first_mut() {
        order.apply(section)?;
    }
    args.pick.apply(&mut report)?;
    let mut worst = None;
    if is_marked && let Some(section) = report.sections.first_mut() {
        let found = Suspicions::read(&session, &book).await?;
        if found.iter().next().is_some() {
            *section = found.mark(section)?;
        }
        worst = found.iter().next().cloned();
    }
    if let Some(worst) = &worst {
        report.notes.push(format!(
            "{} looks stolen ({}): keytrail keys --suspicious has the reasons",
            worst.access_key_id,
            worst.origin.as_str()
        ));
    }
    if is_left_out {
        report.notes.push(NOT_MARKED.to_owned());
    }
    let first = report
        .sections
        .first()
        .and_then(|keys| key_of(keys, "access_key_id"));
    let command = match (&worst, &first) {
        (Some(worst), _) => next::judged(
            &["trace", &worst.access_key_id],
            &args.trail,
            &args.networks,
        ),
        (None, Some(key)) => next::judged(&["key", key], &args.trail, &args.networks),
        (None, None) => next::command(&["coverage"], &args.trail),
    };
    output::write_ending(&report, &args.output, &Ending::next(command), context)
}

/// Said where marking stolen keys would take longer than the answer.
pub(super) const NOT_MARKED: &str =
    "not searched for stolen keys, because the lake is large: keytrail keys --suspicious";

/// The text in the first row of a column.
fn key_of(section: &Section, column: &str) -> Option<String> {
    let batch = section.batches.iter().find(|batch| batch.num_rows() > 0)?;
    let texts = cast(batch.column_by_name(column)?, &DataType::Utf8).ok()?;
    let texts = texts.as_string::<i32>();
    texts.is_valid(0).then(|| texts.value(0).to_owned())
}

impl Sort {
    /// The column's name, which is the option's value.
    fn column(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
