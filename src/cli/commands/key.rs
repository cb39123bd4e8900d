//! `keytrail key`: everything one access key did.
//!
//! In: a lake or log files, and a key. Out: the dossier, in sections. Promise: every event of the key is counted, and what
//! the answer rests on comes with it.

use keytrail::cloudtrail::AccessKeyId;

use datafusion::common::ScalarValue;
use keytrail::analysis::{KEY, Suspicions, answer, with_programs};
use keytrail::render::Format;
use keytrail::session::{NameKind, Params};

use super::consumers::NetworkArgs;
use crate::args::{TrailArgs, key_id};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::{next, output, question, sought};

/// Show one access key: every source IP, user agent, API call, region and error
///
/// Every event that the key signed counts; an error is an event with an error code. Calls that an AWS service made
/// on the key's behalf count, too, and are also listed under via_services.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The access key, e.g. AKIAIOSFODNN7EXAMPLE
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = key_id)]
    access_key_id: AccessKeyId,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail key AKIAIOSFODNN7EXAMPLE                       All about it, from ./keytrail-lake
  keytrail key AKIAIOSFODNN7EXAMPLE --since 2025-03-01    Since the day the key leaked
  keytrail key AKIAIOSFODNN7EXAMPLE --trail ./AWSLogs     Straight from log files
  keytrail key AKIAIOSFODNN7EXAMPLE --format markdown     For the ticket";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let book = args.networks.address_book()?;
    let session = question::session(&args.trail, context).await?;
    let key = ScalarValue::from(args.access_key_id.as_str());
    let params = Params::from([("access_key_id".to_owned(), key)]);
    let key = args.access_key_id.as_str();
    // People see at once whether it looks stolen.
    let is_marked = matches!(args.output.format, Format::Table | Format::Markdown);
    let is_quick = Suspicions::are_quick(&session)?;
    let (is_marked, is_left_out) = (is_marked && is_quick, is_marked && !is_quick);
    if is_marked && let Some((_, uses)) = KEY.base {
        Suspicions::foresee(&session, &[(uses, &params)]).await?;
    }
    let mut report = answer(&session, &KEY, &params).await?;
    if report.sections.iter().all(|section| section.rows() == 0) {
        sought::check(&session, NameKind::AccessKey, key).await?;
    }
    with_programs(&mut report.sections)?;
    let found = match is_marked {
        true => Suspicions::read(&session, &book).await?,
        false => Suspicions::default(),
    };
    if is_left_out {
        report.notes.push(super::keys::NOT_MARKED.to_owned());
    }
    found.warn(key, &mut report);
    let ending = Ending::next(match found.of(key) {
        Some(_) => next::judged(&["trace", key], &args.trail, &args.networks),
        None => next::judged(&["consumers", key], &args.trail, &args.networks),
    });
    output::write_ending(&report, &args.output, &ending, context)
}
