//! `keytrail consumers`: the programs, machines and people that use access keys.
//!
//! In: a lake or log files, and what is known of networks. Out: one row per consumer; with keys named, also the evidence and the
//! addresses of each. Promise: what the answer rests on comes with it, the dates of tables too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keytrail::analysis::answer;
use keytrail::analysis::consumers::{ConsumerOptions, ConsumersQuestion};
use keytrail::analysis::findings::Lists;
use keytrail::cloudtrail::AccessKeyId;
use keytrail::knowledge::{AddressBook, GeoIp, KnowledgeError, Networks, OwnNetworks};
use keytrail::session::Params;

use crate::args::TrailArgs;
use crate::config;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::{FoldArgs, OutputArgs};
use crate::pick::PickArgs;
use crate::{advise, next, output, question, sought};

/// Show who uses access keys, and what each of them should use instead
///
/// Every long-term key (AKIA…) by default. Calls are grouped by program and by the place they come from; the kind
/// of workload is inferred from user agents, addresses and behaviour, and shown with its evidence. Calls that AWS
/// services made on a key's behalf are not counted as consumers.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = crate::args::key_id)]
    access_key_ids: Vec<AccessKeyId>,

    #[command(flatten)]
    include: IncludeArgs,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,

    #[command(flatten)]
    pick: PickArgs,
}

/// Who counts among the consumers.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IncludeArgs {
    /// Also count intruders, who are left out by default
    #[arg(long, value_name = "WHOM", value_enum)]
    include: Option<Include>,

    /// Principals whose unusual use is expected: a file with lines such as `known_principals break-glass`
    #[arg(long, value_name = "FILE")]
    lists: Option<PathBuf>,
}

impl IncludeArgs {
    /// How consumers are found.
    pub(crate) fn options(&self, networks: &NetworkArgs) -> Result<ConsumerOptions, Failure> {
        consumer_options(networks, self.lists.as_deref(), self.include.is_some())
    }
}

/// How consumers are found: with these networks and the lists in a file, with intruders among them or not.
pub(crate) fn consumer_options(
    networks: &NetworkArgs,
    file: Option<&Path>,
    include_intruder: bool,
) -> Result<ConsumerOptions, Failure> {
    Ok(ConsumerOptions {
        addresses: Arc::new(networks.address_book()?),
        lists: Arc::new(file.map(lists).transpose()?.unwrap_or_default()),
        include_intruder,
    })
}

/// The lists in a file.
pub(crate) fn lists(path: &Path) -> Result<Lists, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::unreadable(path, &error).of_option("--lists"))?;
    let mut lists = Lists::default();
    lists
        .read(&path.display().to_string(), &text)
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(lists)
}

/// What is known of networks.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Networks")]
pub(crate) struct NetworkArgs {
    /// Your own networks: a file with lines such as 192.0.2.0/24 office; use from there counts as the owner's, unless it acts like an intruder's
    #[arg(long, value_name = "FILE")]
    networks: Option<PathBuf>,

    /// Address ranges instead of the built-in ones: AWS's ip-ranges.json, or a table of keytrail networks build
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    ip_ranges: Option<PathBuf>,

    /// A folder with MaxMind databases (.mmdb): operators, countries, cities
    #[arg(long, hide_short_help = true, value_name = "FOLDER")]
    geoip: Option<PathBuf>,
}

impl NetworkArgs {
    /// Everything that is known of networks.
    pub(crate) fn address_book(&self) -> Result<AddressBook, Failure> {
        let networks = match &self.ip_ranges {
            Some(path) => Networks::open(path),
            None => Networks::built_in(),
        };
        let networks = networks.map_err(|error| unusable("--ip-ranges", &error))?;
        let mut book = AddressBook::new(networks);
        if let Some(own) = self.own()? {
            book = book.with_own(own);
        }
        if let Some(folder) = &self.geoip {
            let databases = GeoIp::open(folder).map_err(|error| unusable("--geoip", &error))?;
            book = book.with_geoip(databases);
        }
        Ok(book)
    }

    /// The options that say the same again.
    pub(crate) fn again(&self) -> Vec<(&'static str, Option<String>)> {
        let options = [
            ("--networks", &self.networks),
            ("--ip-ranges", &self.ip_ranges),
            ("--geoip", &self.geoip),
        ];
        let given = options.into_iter().filter_map(|(name, path)| {
            let path = path.as_ref()?;
            Some((name, Some(path.display().to_string())))
        });
        given.collect()
    }

    /// Our own networks.
    fn own(&self) -> Result<Option<OwnNetworks>, Failure> {
        let path = self.networks.as_deref().or(config::networks());
        path.map(|path| own_networks("--networks", path))
            .transpose()
    }
}

/// The networks in a file that an option names.
pub(crate) fn own_networks(option: &str, path: &Path) -> Result<OwnNetworks, Failure> {
    OwnNetworks::open(path).map_err(|error| unusable(option, &error))
}

/// A file that an option names.
fn unusable(option: &str, error: &KnowledgeError) -> Failure {
    Failure::new("the file cannot be used")
        .because(error)
        .of_option(option)
}

/// Who counts among the consumers besides the owner's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Include {
    Intruder,
}

const EXAMPLES: &str = "\
Examples:
  keytrail consumers                                      Everyone who uses a long-term key
  keytrail consumers AKIAIOSFODNN7EXAMPLE                 Who uses this key, and why we think so
  keytrail consumers --since 90d --format json            For programs, with every detail
  keytrail consumers --networks offices.txt               Name the networks that are ours";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let options = args.include.options(&args.networks)?;
    let session = question::session(&args.trail, context).await?;
    let consumers = ConsumersQuestion {
        keys: args.access_key_ids.clone(),
        options: Some(options),
    };
    let mut report = answer(&session, &consumers, &Params::new()).await?;
    if report.sections.iter().all(|section| section.rows() == 0) {
        sought::check_keys(&session, &args.access_key_ids).await?;
    }
    advise::on(&mut report.notes);
    args.pick.apply(&mut report)?;
    let ending = Ending::next(next::judged(&["ready"], &args.trail, &args.networks));
    let ending = ending.fold_unless(&args.access_key_ids, args.fold);
    output::write_ending(&report, &args.output, &ending, context)
}
