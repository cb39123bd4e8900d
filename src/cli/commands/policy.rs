//! `keytrail policy`: the least-privilege policy that a key's observed use asks for.
//!
//! In: a lake or log files, and a key. Out: policy documents, and what they rest on. Promise: nothing is changed in AWS;
//! what could not be derived is said beside the documents.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use keytrail::analysis::consumers::{Consumer, KeyEvidence};
use keytrail::analysis::policy::{
    Guard, Observed, PolicyDocument, PolicyKind, PolicyOptions, Trust, scp_document, scp_report,
};
use keytrail::cloudtrail::AccessKeyId;
use keytrail::render::escape;
use keytrail::session::NameKind;

use super::consumers::{NetworkArgs, consumer_options};
use crate::args::{TrailArgs, at_least_one};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::{next, output, question, sought};

/// Write the least-privilege IAM policy for a key's observed use
///
/// The policy allows the calls that AWS allowed, on the resources they used, and nothing else. Denied calls, and what
/// the events do not show, are listed separately. What only an intruder did is left out unless you ask for it (--include
/// intruder).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The access key, e.g. AKIAIOSFODNN7EXAMPLE; only `--guard scp` works without one
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = crate::args::key_id)]
    access_key_id: Option<AccessKeyId>,

    /// Only the use of this consumer, by its id in `keytrail consumers ACCESS_KEY_ID`
    #[arg(long, value_name = "CONSUMER_ID")]
    consumer: Option<String>,

    /// Also allow what was denied, what failed for other reasons, or what an intruder did (repeatable)
    #[arg(long, value_name = "OUTCOME", value_enum)]
    include: Vec<Include>,

    /// Principals whose unusual use is expected: a file with lines such as `known_principals break-glass`
    #[arg(long, value_name = "FILE")]
    lists: Option<PathBuf>,

    /// What the documents will be attached to, which limits their length
    #[arg(long, value_name = "PLACE", default_value = PolicyKind::Managed.name(), value_parser = places())]
    place: PolicyKind,

    /// Add a guard: a permissions boundary, or a policy that denies other addresses, calls without MFA, or new keys (repeatable)
    #[arg(long = "guard", value_name = "GUARD", value_parser = guards())]
    guards: Vec<Guard>,

    /// The most addresses that --guard source-ip may allow
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    max_addresses: usize,

    /// Add the trust policy of a role: ec2, lambda, ecs-tasks, pods, codebuild,
    /// github=OWNER/REPOSITORY:ref:refs/heads/BRANCH, oidc=ISSUER,AUDIENCE,SUBJECT,
    /// roles-anywhere=TRUST_ANCHOR_ARN, cross-account=ACCOUNT:EXTERNAL_ID (repeatable)
    #[arg(long = "trust", value_name = "TRUST")]
    trusts: Vec<Trust>,

    /// Also write each document to a file of its own in this folder: policy-1.json …
    #[arg(long, value_name = "FOLDER")]
    documents: Option<PathBuf>,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// What is allowed besides what succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Include {
    Denied,
    Failed,
    Intruder,
}

const EXAMPLES: &str = "\
Examples:
  keytrail policy AKIAIOSFODNN7EXAMPLE                           What it needs, from ./keytrail-lake
  keytrail policy AKIAIOSFODNN7EXAMPLE --documents policies      The documents as files, for a pull request
  keytrail policy AKIAIOSFODNN7EXAMPLE --consumer c-0123456789ab What one of its consumers needs
  keytrail policy AKIAIOSFODNN7EXAMPLE --trust lambda            For the role of a function that replaces the key
  keytrail policy AKIAIOSFODNN7EXAMPLE --trust github=example/infra:ref:refs/heads/main
  keytrail policy AKIAIOSFODNN7EXAMPLE --guard source-ip --guard boundary   For a key that has to stay a while
  keytrail policy --guard scp                                    No new keys and users in an account";

fn places() -> impl TypedValueParser<Value = PolicyKind> {
    named(&PolicyKind::ALL, |place| place.name())
}

fn guards() -> impl TypedValueParser<Value = Guard> {
    named(&Guard::ALL, |guard| guard.name())
}

/// A parser that knows these values by name.
fn named<T: Copy + Send + Sync + 'static>(
    values: &'static [T],
    name: fn(&T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = values
        .iter()
        .map(move |value| PossibleValue::new(name(value)));
    PossibleValuesParser::new(names).try_map(move |text| {
        let found = values.iter().find(|value| name(value) == text);
        found.copied().ok_or("not one of the values")
    })
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let Some(key) = args.access_key_id.clone() else {
        return without_key(&args, context);
    };
    let session = question::session(&args.trail, context).await?;
    Observed::foresee(&session, &key).await?;
    let include_intruder = args.include.contains(&Include::Intruder);
    let options = consumer_options(&args.networks, args.lists.as_deref(), include_intruder)?;
    let evidence = KeyEvidence::read(&session, std::slice::from_ref(&key), &options).await?;
    let observed = Observed::read(&session, &key).await?;
    let mut observed = observed.with_evidence(&evidence);
    if observed.uses.is_empty() {
        sought::check(&session, NameKind::AccessKey, key.as_str()).await?;
    }
    if !options.include_intruder {
        observed = observed.without_intruder(&evidence);
    }
    if let Some(id) = &args.consumer {
        let found = evidence.consumers.consumers;
        let consumer = found.iter().find(|consumer| consumer.consumer_id == *id);
        observed = observed.of(consumer.ok_or_else(|| unknown(id, &key, &found))?);
    }
    let policy = observed.policy(&PolicyOptions {
        denied: args.include.contains(&Include::Denied),
        failed: args.include.contains(&Include::Failed),
        place: args.place,
        guards: args.guards,
        trusts: args.trusts,
        most_addresses: args.max_addresses,
    });
    let mut report = policy.report(&observed)?;
    if !observed.left_out.is_empty() {
        let hint = "--include intruder allows what the intruder did, too".to_owned();
        report.notes.insert(1, hint);
    }
    if let Some(folder) = &args.documents {
        write_documents(folder, &policy.documents)?;
    }
    let next = next::judged(&["plan", key.as_str()], &args.trail, &args.networks);
    output::write_ending(&report, &args.output, &Ending::next(next), context)
}

/// A service control policy is the same for every key.
fn without_key(args: &Args, context: &Context) -> Result<Done, Failure> {
    let only_scp = args.guards.iter().all(|guard| *guard == Guard::Scp);
    if args.guards.is_empty() || !only_scp || !args.trusts.is_empty() {
        return Err(Failure::usage("policy needs an access key".to_owned())
            .hint("only --guard scp works without one")
            .hint("keytrail keys lists the keys of these logs"));
    }
    let report = scp_report()?;
    if let Some(folder) = &args.documents {
        write_documents(folder, &[scp_document()])?;
    }
    output::write(&report, &args.output, context)?;
    Ok(Done::Complete)
}

/// No consumer has this id: which ones there are.
fn unknown(id: &str, key: &AccessKeyId, found: &[Consumer]) -> Failure {
    let failure = Failure::usage(format!("{key} has no consumer {id:?}"));
    if found.is_empty() {
        return failure.hint("no events by this key in the logs read; see keytrail coverage");
    }
    let known = found.iter();
    known.fold(failure, |failure, consumer| {
        let name = escape::terminal(&consumer.name);
        failure.hint(format!("{}  {name}", consumer.consumer_id))
    })
}

fn write_documents(folder: &Path, documents: &[PolicyDocument]) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("{} cannot be written", path.display())).because(&error)
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for document in documents {
        let path = folder.join(format!("{}.json", document.name));
        fs::write(&path, format!("{:#}\n", document.json()))
            .map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
