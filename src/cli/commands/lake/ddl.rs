//! `keytrail lake ddl`: the lake's tables in other engines.
//!
//! In: a lake and an engine. Out: SQL. Promise: the statements stand in `.sql` files; only the lake's place is filled in.

use clap::ValueEnum;

use super::Options;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// Print the statements that define the lake's tables in another engine
///
/// The lake consists of Delta Lake tables: other engines read them where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// The engine
    #[arg(long, value_enum)]
    engine: Engine,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake ddl --engine athena --lake s3://my-lake/keytrail
  keytrail lake ddl --engine duckdb | duckdb";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Engine {
    Athena,
    Trino,
    Spark,
    Duckdb,
}

impl Engine {
    fn statements(self) -> &'static str {
        match self {
            Engine::Athena => include_str!("ddl/athena.sql"),
            Engine::Trino => include_str!("ddl/trino.sql"),
            Engine::Spark => include_str!("ddl/spark.sql"),
            Engine::Duckdb => include_str!("ddl/duckdb.sql"),
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let lake = args.options.location().await?.name();
    if matches!(args.engine, Engine::Athena) && !lake.starts_with("s3://") {
        return Err(
            Failure::usage(format!("Athena reads S3 only, and the lake is {lake}"))
                .hint("name a lake on S3: --lake s3://bucket/prefix"),
        );
    }
    // Within the quotes of a text, a quote is written twice.
    let statements = args
        .engine
        .statements()
        .replace("{lake}", &lake.replace('\'', "''"));
    output::show(context, |out| out.write_all(statements.as_bytes()))?;
    Ok(Done::Complete)
}
