//! `keytrail ready`: may a key be made inactive, or deleted?
//!
//! In: a lake or log files, and what IAM says if it was asked. Out: one verdict per key with its rules. Promise: nothing is
//! changed in AWS; what was not checked is said beside the verdict.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use keytrail::analysis::consumers::ConsumerOptions;
use keytrail::analysis::ready::{Ready, ReadyOptions, Verdict, ready};
use keytrail::cloudtrail::{AccessKeyId, Bound, minute};
use keytrail::session::NameKind;

use super::consumers::{IncludeArgs, NetworkArgs};
use crate::args::{TrailArgs, moment, span};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::inventory::IamArgs;
use crate::output::Ending;
use crate::output_args::{FoldArgs, OutputArgs};
use crate::pick::{PickArgs, VerdictArgs};
use crate::{advise, next, output, question, sought};

/// Show which keys can be deactivated or deleted, and which cannot yet
///
/// One verdict per key: incident, unused, deactivate, delete, migrate first, or wait until a day. With keys named, every
/// rule with its value and whether it holds. Silence counts only where there are logs: they should cover the
/// window without a gap, and IAM should be asked (--credential-report or --live), because CloudTrail does not log all use.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys, with all their rules
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = crate::args::key_id)]
    access_key_ids: Vec<AccessKeyId>,

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

/// The last event may be older than the day of the last log file by this.
const SLACK: TimeDelta = TimeDelta::days(1);

/// What keys are judged by.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct JudgedArgs {
    /// Judge as of this time instead of the last event in the logs
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,

    #[command(flatten)]
    thresholds: ThresholdArgs,

    #[command(flatten)]
    iam: IamArgs,

    #[command(flatten)]
    include: IncludeArgs,

    #[command(flatten)]
    pub(crate) networks: NetworkArgs,

    #[command(flatten)]
    pub(crate) trail: TrailArgs,
}

impl JudgedArgs {
    /// The options that judge the same keys in the same way again, as far as they name files and networks.
    pub(crate) fn again(&self) -> Vec<(&'static str, Option<String>)> {
        let networks = self.networks.again().into_iter();
        self.iam
            .again()
            .into_iter()
            .chain(self.trail.again())
            .chain(networks)
            .collect()
    }

    /// The verdicts on these keys; on all when there are none.
    pub(crate) async fn ready(
        &self,
        keys: &[AccessKeyId],
        context: &Context,
    ) -> Result<Ready, Failure> {
        let (inventory, replaced) = self.iam.inventory(&self.trail).await?;
        let mut session = question::session(&self.trail, context).await?;
        let asked_since = session.selection().since;
        let as_of = moment("--as-of", self.as_of.as_deref(), Utc::now(), Bound::Until)?;
        if let Some(last) = session.last_day_to_read() {
            // Log files are read once, so from as early on as the window can begin. A log ends on the day of its last log file or
            // the day before.
            let last = as_of.map_or(last, |as_of| as_of.date_naive().min(last));
            let window = last.and_time(NaiveTime::MIN).and_utc() - SLACK - self.thresholds.window;
            if asked_since.is_some_and(|since| since > window) {
                session = question::session_from(window, &self.trail, context).await?;
            }
        }
        let options = self
            .thresholds
            .options(as_of, self.include.options(&self.networks)?);
        let iam = self.iam.given().then_some(&inventory);
        let mut found = ready(&session, keys, iam, &options).await?;
        let judged = |key: &str| {
            let mut ids = found
                .keys
                .iter()
                .filter_map(|known| known.access_key_id.as_ref());
            ids.any(|id| id.as_str() == key)
        };
        for key in keys.iter().filter(|key| !judged(key.as_str())) {
            let (kind, name) = (NameKind::AccessKey, key.as_str());
            match iam {
                None => sought::check(&session, kind, name).await?,
                // That IAM does not list a key is an answer.
                Some(_) => sought::suggest(&session, kind, name).await?,
            }
        }
        // Keys that are in use would not even be listed if their last calls were left out.
        let mut read_since = session.selection().since;
        let window = found.as_of.map(|as_of| as_of - self.thresholds.window);
        if let (Some(since), Some(window)) = (read_since, window)
            && since > window
        {
            let session = question::session_from(window, &self.trail, context).await?;
            found = ready(&session, keys, iam, &options).await?;
            read_since = Some(window);
        }
        if let Some(from) = read_since
            && read_since != asked_since
        {
            found.notes.push(format!(
                "--since falls within the window: the logs were read from {} UTC on",
                minute(from)
            ));
        }
        found.notes.extend(replaced);
        Ok(found)
    }
}

/// From when on a key is ready.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Thresholds")]
struct ThresholdArgs {
    /// How far back the logs must reach, without a gap
    #[arg(long, hide_short_help = true, value_name = "SPAN", default_value = "90d", value_parser = span)]
    window: TimeDelta,

    /// How long a consumer must be silent at least
    #[arg(long, hide_short_help = true, value_name = "SPAN", default_value = "14d", value_parser = span)]
    silence: TimeDelta,

    /// How many of its own longest gaps a consumer must be silent for
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(i32).range(1..=100))]
    gaps: i32,

    /// A never-used key is unused from this age on (CIS: 90d; since version 1.3, 45d)
    #[arg(long, hide_short_help = true, value_name = "SPAN", default_value = "90d", value_parser = span)]
    unused_after: TimeDelta,

    /// How long a key must be inactive before it is deleted
    #[arg(long, hide_short_help = true, value_name = "SPAN", default_value = "14d", value_parser = span)]
    delete_after: TimeDelta,

    /// How many days of the window may lack logs
    #[arg(long, hide_short_help = true, value_name = "DAYS", default_value_t = 0)]
    max_holes: u64,
}

impl ThresholdArgs {
    /// The options that are meant.
    fn options(&self, as_of: Option<DateTime<Utc>>, consumers: ConsumerOptions) -> ReadyOptions {
        ReadyOptions {
            as_of,
            window: self.window,
            quiet: self.silence,
            gaps: self.gaps,
            unused_after: self.unused_after,
            delete_after: self.delete_after,
            most_holes: self.max_holes,
            ..ReadyOptions::new(consumers)
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  keytrail ready --credential-report report.json      Every key, those that can go now first
  keytrail ready AKIAIOSFODNN7EXAMPLE                 One key: every rule, its value, whether it holds
  keytrail ready --live --iam-profile prod            With IAM's own record of each key's last use
  keytrail ready --window 400d --format csv           With yearly jobs in mind, for a spreadsheet";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let mut found = args.judged.ready(&args.access_key_ids, context).await?;
    let (pick, verdict) = (&args.pick, &args.verdict);
    found
        .keys
        .retain(|key| verdict.wants(key.verdict) && pick.wants(key.user_name.as_deref()));
    let ending = Ending::next(next(&found, &args.access_key_ids, &args.judged));
    let ending = ending.fold_unless(&args.access_key_ids, args.fold);
    let mut report = found.report()?;
    advise::on(&mut report.notes);
    pick.apply(&mut report)?;
    output::write_ending(&report, &args.output, &ending, context)
}

/// An incident comes first; else the plan.
fn next(found: &Ready, asked: &[AccessKeyId], judged: &JudgedArgs) -> String {
    let incident = found
        .keys
        .iter()
        .find(|key| key.verdict == Verdict::Incident);
    match incident.and_then(|key| key.access_key_id.as_ref()) {
        Some(key) => next::judged(&["trace", key.as_str()], &judged.trail, &judged.networks),
        None => {
            let keys = asked.iter().map(AccessKeyId::as_str);
            let words: Vec<&str> = ["plan"].into_iter().chain(keys).collect();
            next::line(&words, judged.again())
        }
    }
}
