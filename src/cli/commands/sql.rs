//! `keytrail sql`: SQL over events.
//!
//! In: a lake or log files, and SQL from the command line, a file or standard input. Out: rows. Promise: SQL only
//! asks; nothing it says writes or reads a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal as _, Read as _, stdin};
use std::path::{Path, PathBuf};

use keytrail::render::Format;
use keytrail::session::{Ready, Session, Statement, fill_event_data_store, placeholders};

use crate::args::{LibraryArgs, TrailArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output_args::RowsArgs;
use crate::query::{self, LimitArgs, ParamArgs, StoreArgs};
use crate::question;
use crate::shell::{self, Settings};
use crate::stream::{self, Asked, Terms};

/// Run SQL, or open a SQL shell
///
/// The tables are events, log_files and rejects, and views of them, including the tables of Athena and CloudTrail Lake. SHOW
/// TABLES lists them, DESCRIBE events lists columns. SQL is read-only: it changes and writes nothing, and cannot read files
/// by name. Without SQL, a shell opens on a terminal; otherwise SQL is read from standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// One or more statements, separated by semicolons; - reads them from standard input
    #[arg(value_name = "SQL")]
    sql: Option<String>,

    /// Read the statements from this file (- for standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    file: Option<PathBuf>,

    #[command(flatten)]
    params: ParamArgs,

    /// Show how the query would run, without running it
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    library: LibraryArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: RowsArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail sql                                       A shell on ./keytrail-lake; \\? lists what it can do
  keytrail sql \"SHOW TABLES\"                         The tables and views of ./keytrail-lake
  keytrail sql --trail s3://my-trail-bucket --since 2d \"SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC\"
  keytrail sql --file hunt.sql --param user=alice    $user in the file is alice
  keytrail sql --file lake-sample.sql                A query written for CloudTrail Lake, including <EDS ID>
  keytrail sql --format csv \"SELECT * FROM events\" > events.csv
  keytrail sql --format parquet --output week.parquet --since 7d \"SELECT * FROM events\"
  echo 'DESCRIBE events' | keytrail sql";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let texts = args.params.texts()?;
    let output = args.output.output()?;
    // Before anything is opened: what cannot be read needs no lake.
    let text = Text::of(&args)?;
    let statements = match &text {
        Some(text) => text.statements(args.explain)?,
        None => Vec::new(),
    };
    if statements.len() > 1 && output.format == Format::Parquet {
        return Err(Failure::usage(
            "a Parquet file has one table, but there are several statements",
        ));
    }
    let terms = Terms::begin(&args.limits, context)?;
    let opened = terms.run(async {
        let session =
            question::session_within(Some(args.limits.max_memory()), &args.trail, context).await?;
        session.name_event_data_store(args.store.name()).await?;
        Ok(session)
    });
    let Some(session) = opened.await? else {
        return Ok(Done::Stopped);
    };
    let Some(text) = text else {
        let settings = Settings {
            format: output.format,
            file: output.output,
            values: texts,
            explain: args.explain,
            timing: false,
            event_data_store: args.store.name().to_owned(),
        };
        let library = args.library.library(args.store.name(), context)?;
        return shell::run(&session, settings, library, &terms).await;
    };
    let answered = terms.run(async {
        let queries = text.ready(&session, statements, &texts).await?;
        let asked = Asked {
            name: "sql".to_owned(),
            title: String::new(),
            queries,
            nothing: None,
            notes: query::unfilled(&text.sql, &texts),
        };
        stream::write(&session, asked, &output, &terms).await
    });
    Ok(answered
        .await?
        .map_or(Done::Stopped, |answered| answered.done))
}

/// SQL, and where it stood.
#[derive(Debug)]
struct Text {
    sql: String,
    /// The file's name; none for the command line.
    file: Option<String>,
}

impl Text {
    /// The SQL that the arguments name, with the event data store in its place; none means a shell.
    fn of(args: &Args) -> Result<Option<Self>, Failure> {
        let dash = |text: &Path| text.as_os_str() == "-";
        let text = match (&args.sql, &args.file) {
            (Some(sql), _) if sql != "-" => Self {
                sql: sql.clone(),
                file: None,
            },
            (_, Some(path)) if !dash(path) => Self {
                sql: fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?,
                file: Some(path.display().to_string()),
            },
            (None, None) if stdin().is_terminal() => return Ok(None),
            _ => {
                let mut sql = String::new();
                let read = stdin().lock().read_to_string(&mut sql);
                read.map_err(|error| Failure::unreadable(Path::new("standard input"), &error))?;
                Self {
                    sql,
                    file: Some("standard input".to_owned()),
                }
            }
        };
        Ok(Some(Self {
            sql: fill_event_data_store(&text.sql, args.store.name()),
            ..text
        }))
    }

    fn statements(&self, explain: bool) -> Result<Vec<Statement>, Failure> {
        if let Some(command) = self.sql.trim_start().strip_prefix(['.', '\\'])
            && command.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '?')
        {
            return Err(Failure::usage(format!(
                "{} is a command of the shell, not SQL",
                self.sql.split_whitespace().next().unwrap_or_default()
            ))
            .hint("to open the shell, give no SQL: keytrail sql")
            .hint("the same in SQL: SHOW TABLES, DESCRIBE events, SHOW FUNCTIONS LIKE 'json%'"));
        }
        let statements = Statement::read(&self.sql);
        let statements = statements.map_err(|fault| {
            let failure = self.place(fault.into());
            match placeholders(&self.sql).first() {
                Some(place) => failure.hint(format!(
                    "{place} looks like a placeholder: replace it with a name, or with a value in quotes"
                )),
                None => failure,
            }
        })?;
        if statements.is_empty() {
            return Err(Failure::usage("there is no statement in the SQL"));
        }
        Ok(match explain {
            true => statements.into_iter().map(Statement::explained).collect(),
            false => statements,
        })
    }

    /// All queries, before the first one begins: an error in the last one is known at once.
    async fn ready(
        &self,
        session: &Session,
        statements: Vec<Statement>,
        texts: &BTreeMap<String, String>,
    ) -> Result<Vec<Ready>, Failure> {
        let ready = session.ready_all(statements, texts).await;
        ready.map_err(|error| self.place(error.into()))
    }

    fn place(&self, failure: Failure) -> Failure {
        match &self.file {
            Some(file) => failure.within(file),
            None => failure,
        }
    }
}
