//! The shell of `keytrail sql`.
//!
//! In: what the reader types: SQL, and commands that begin with a backslash. Out: rows, through the same writers, pager and
//! limits as those of a statement on the command line. Promise: nothing but leaving ends the shell: not an error, not
//! Ctrl-C.
//!
//! | file | question |
//! |---|---|
//! | `input` | What does the reader type? |
//! | `history` | What was typed before? |
//! | `complete` | Which names can stand at the cursor? |
//! | `questions` | What has a name, and need not be written? |
//! | `commands` | What is there besides SQL? |
//! | `settings` | How does the reader want answers? |

mod commands;
mod complete;
mod history;
mod input;
mod questions;
mod settings;

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use keytrail::analysis::question::Library;
use keytrail::render::{Format, coverage_lines, escape::terminal, renderer};
use keytrail::report::Report;
use keytrail::session::{FaultKind, Session, SessionError, Statement, fill_event_data_store};
use tokio::task::block_in_place;

use self::commands::Command;
use self::complete::Names;
use self::input::{Heard, Input};
pub(crate) use self::settings::Settings;
use self::settings::shown;
use crate::commands::list;
use crate::failure::{Done, Failure};
use crate::output::Out;
use crate::output_args::OutputArgs;
use crate::query;
use crate::stream::{self, Asked, Terms};

/// Talks with the reader until they leave.
pub(crate) async fn run(
    session: &Session,
    settings: Settings,
    library: Library,
    terms: &Terms,
) -> Result<Done, Failure> {
    terms.watch.stay();
    terms.context.end_waiting();
    let Some(names) = terms
        .run(async { Ok(Names::of(session, &library).await?) })
        .await?
    else {
        return Ok(Done::Stopped);
    };
    let mut input = Input::open(names, &terms.context)?;
    let mut shell = Shell {
        session,
        settings,
        library,
        terms,
    };
    shell.welcome().await?;
    loop {
        // The reader thinks; the engine's threads need not wait for that.
        match block_in_place(|| input.listen(&terms.context))? {
            Heard::Text(text) => {
                if shell.hear(&text).await.is_break() {
                    return Ok(Done::Complete);
                }
            }
            Heard::GivenUp => {}
            Heard::Left => return Ok(Done::Complete),
        }
    }
}

struct Shell<'a> {
    session: &'a Session,
    settings: Settings,
    library: Library,
    terms: &'a Terms,
}

impl Shell<'_> {
    /// What is asked here, and how to find out more.
    async fn welcome(&mut self) -> Result<(), Failure> {
        let context = &self.terms.context;
        if context.quiet {
            return Ok(());
        }
        let coverage = self.session.coverage().await?;
        context.mention(concat!("keytrail ", env!("CARGO_PKG_VERSION")));
        match self.session.log_files_read() {
            Some((_, files)) => context.mention(&format!(
                "{files} log files in {}; each statement reads them again, a lake is faster: keytrail ingest",
                terminal(&coverage.source)
            )),
            None => {
                for line in coverage_lines(&coverage) {
                    context.mention(&terminal(&line));
                }
                self.terms.told.tell(coverage);
            }
        }
        context.mention(
            "Type SQL and end it with a semicolon. \\d lists the tables, \\? helps, \\q leaves.\n",
        );
        Ok(())
    }

    /// Does what was typed: commands, one a line, then statements.
    async fn hear(&mut self, text: &str) -> ControlFlow<()> {
        let (from, is_command) = commands::current(text);
        let (commands, sql) = match is_command {
            true => (text, ""),
            false => text.split_at(from),
        };
        for line in commands.lines().filter(|line| !line.trim().is_empty()) {
            let done = match Command::read(line) {
                Ok(Command::Leave) => return ControlFlow::Break(()),
                Ok(command) => self.obey(command).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = done {
                self.terms.context.say(&failure.to_string());
                return ControlFlow::Continue(());
            }
        }
        if let Err(failure) = self.run_all(sql).await {
            self.terms.context.say(&failure.to_string());
        }
        ControlFlow::Continue(())
    }

    async fn obey(&mut self, command: Command) -> Result<(), Failure> {
        let context = &self.terms.context;
        match command {
            Command::Help => context.say(&commands::help()),
            Command::Leave => {}
            Command::Tables => {
                let _ = self.answer(Statement::tables()).await?;
            }
            Command::Columns(table) => {
                let _ = self.answer(Statement::columns(&table)).await?;
            }
            Command::Functions(pattern) => {
                let statement = Statement::functions(pattern.as_deref());
                let _ = self.answer(statement).await?;
            }
            Command::Questions(None) => self.show(&list::all(&self.library)?)?,
            Command::Questions(Some(name)) => {
                let mut output = self.settings.output();
                if output.format == Format::Records {
                    output.format = Format::Table;
                }
                list::describe(self.library.get(&name)?, &output, context)?;
                self.told_where(&output);
            }
            Command::Ask(name, values) => {
                let began = Instant::now();
                let asked = questions::asked(
                    &self.library,
                    (&name, values),
                    &self.settings.values,
                    self.session,
                );
                let output = self.settings.output();
                let answered = self.terms.run(async {
                    let asked = asked.await?;
                    let planned = began.elapsed();
                    let answered = stream::write(self.session, asked, &output, self.terms).await?;
                    Ok(planned + answered.took)
                });
                let answered = answered.await;
                let _ = self.answered(answered, &output)?;
            }
            Command::Read(path) => {
                let sql = fs::read_to_string(&path)
                    .map_err(|error| Failure::unreadable(&path, &error))?;
                let run = self.run_all(&sql).await;
                run.map_err(|failure| failure.within(&path.display().to_string()))?;
            }
            command => context.say(&self.settings.change(command)),
        }
        Ok(())
    }

    /// Runs the statements of a text until one fails or is stopped.
    async fn run_all(&mut self, sql: &str) -> Result<(), Failure> {
        let (sql, as_records) = without_go(sql);
        let sql = fill_event_data_store(sql, &self.settings.event_data_store);
        // Before the first one begins: an error in the last one is known at once.
        let statements = self.session.statements(&sql)?;
        for note in query::unfilled(&sql, &self.settings.values) {
            let note = format!("note: {}", terminal(&note));
            self.terms.context.mention(&note);
        }
        let before = self.settings.records(as_records);
        for statement in statements {
            let statement = match self.settings.explain {
                true => statement.explained(),
                false => statement,
            };
            let answered = self.answer(statement).await;
            if !matches!(answered, Ok(ControlFlow::Continue(()))) {
                self.settings.restore(before);
                return answered.map(drop);
            }
        }
        self.settings.restore(before);
        Ok(())
    }

    /// Runs a statement and writes its rows. Breaks when the reader has stopped it.
    async fn answer(&mut self, statement: Statement) -> Result<ControlFlow<()>, Failure> {
        let output = self.settings.output();
        let answered = self.terms.run(async {
            let began = Instant::now();
            let query = self.session.plan(statement).await?;
            let bound = query.bind_texts(&self.settings.values).map_err(unbound)?;
            let asked = Asked {
                name: "sql".to_owned(),
                title: String::new(),
                queries: vec![bound.ready().await?],
                nothing: None,
                notes: Vec::new(),
            };
            let planned = began.elapsed();
            let answered = stream::write(self.session, asked, &output, self.terms).await?;
            Ok(planned + answered.took)
        });
        let answered = answered.await;
        self.answered(answered, &output)
    }

    /// Says what there is to say after an answer.
    fn answered(
        &mut self,
        answered: Result<Option<Duration>, Failure>,
        output: &OutputArgs,
    ) -> Result<ControlFlow<()>, Failure> {
        let context = &self.terms.context;
        // A second Ctrl-C of somebody impatient is not for the next statement.
        self.terms.watch.forget();
        let Some(took) = answered? else {
            context.say("stopped");
            return Ok(ControlFlow::Break(()));
        };
        self.told_where(output);
        if self.settings.timing {
            context.say(&format!("Time: {}", exact(took)));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn told_where(&mut self, output: &OutputArgs) {
        if let Some(file) = &output.output {
            let context = &self.terms.context;
            context.mention(&format!("written to {}", shown(file)));
            self.settings.written();
        }
    }

    /// Writes a report that is there already.
    fn show(&mut self, report: &Report) -> Result<(), Failure> {
        let output = self.settings.output();
        let mut out = Out::open(&output, &self.terms.context)?;
        let renderer = renderer(output.format, out.options(&self.terms.context));
        if out.write(|out| renderer.render(report, out))?.is_continue() {
            out.complete()?;
        }
        self.told_where(&output);
        Ok(())
    }
}

/// SQL without `\g` or `\gx` at its end, and whether it was the latter, which wants each row as a list.
fn without_go(sql: &str) -> (&str, bool) {
    let text = sql.trim_end();
    let end = |end: &str| text.strip_suffix(end);
    match (end("\\gx").or_else(|| end("\\G")), end("\\g")) {
        (Some(sql), _) => (sql, true),
        (None, Some(sql)) => (sql, false),
        (None, None) => (sql, false),
    }
}

/// A parameter without a value: here it is not given on the command line.
fn unbound(error: SessionError) -> Failure {
    match error {
        SessionError::Sql(fault) => match &fault.kind {
            FaultKind::NoValue(name) => {
                Failure::usage(fault.message.clone()).hint(format!("set it: \\set {name} VALUE"))
            }
            _ => fault.into(),
        },
        error => error.into(),
    }
}

/// A time that tells quick from quicker.
fn exact(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..1.0 => format!("{:.1} ms", seconds * 1_000.0),
        1.0..60.0 => format!("{seconds:.3} s"),
        _ => format!("{} min {:.1} s", time.as_secs() / 60, seconds % 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        assert_eq!(exact(Duration::from_micros(12_345)), "12.3 ms");
        assert_eq!(exact(Duration::from_millis(1_234)), "1.234 s");
        assert_eq!(exact(Duration::from_millis(83_500)), "1 min 23.5 s");
    }

    #[test]
    fn go_is_no_sql() {
        assert_eq!(without_go("SELECT 1 \\gx\n"), ("SELECT 1 ", true));
        assert_eq!(without_go("SELECT 1\\g"), ("SELECT 1", false));
        assert_eq!(without_go("SELECT 1;"), ("SELECT 1;", false));
    }
}
