//! How the rows of queries are written as they come.
//!
//! In: queries that are ready. Out: an answer in any format, on standard output or in a file. Promise: memory does not grow
//! with the number of rows; Ctrl-C, a time that is over and a reader who goes away end the query at once; what the rows
//! rest on comes with them.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use keytrail::render::{Format, Heading, Opening, Remarks, RowsWriter, writer};
use keytrail::report::Coverage;
use keytrail::session::{Ready, Rows, Session};
use tokio::time::Interval;

use crate::columns;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::interrupt::{Watch, too_large, too_slow};
use crate::memory::BESIDES;
use crate::output::{self, Out};
use crate::output_args::OutputArgs;
use crate::query::LimitArgs;
use crate::waiting::{TICK, Waiting};

/// Queries whose rows make an answer.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The name in the JSON field `report`.
    pub(crate) name: String,
    /// One line for people; none is shown when empty.
    pub(crate) title: String,
    /// The queries, in order.
    pub(crate) queries: Vec<Ready>,
    /// What to say if there is no row, when that needs saying.
    pub(crate) nothing: Option<&'static str>,
    /// What to say in any case.
    pub(crate) notes: Vec<String>,
}

/// Who waits for the rows, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// The surroundings.
    pub(crate) context: Context,
    /// Ctrl-C and the clock.
    pub(crate) watch: Watch,
    /// The time that an answer may take.
    pub(crate) timeout: Option<Duration>,
    /// The memory that the process may take meanwhile, in bytes.
    pub(crate) memory: u64,
    /// What they know already.
    pub(crate) told: Told,
}

/// What answers rest on, as it was told last. Where one answer follows another, it is told again when it has changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Option<Coverage>>>);

impl Told {
    /// It is told now. Whether that is new.
    pub(crate) fn tell(&self, coverage: Coverage) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = told.as_ref() != Some(&coverage);
        *told = Some(coverage);
        news
    }
}

impl Terms {
    /// Begins to listen for Ctrl-C.
    pub(crate) fn begin(limits: &LimitArgs, context: &Context) -> Result<Self, Failure> {
        #[cfg(feature = "cluster")]
        context.watch();
        Ok(Self {
            context: context.clone(),
            watch: Watch::begin()?,
            timeout: limits.timeout(),
            memory: (limits.max_memory() as u64).saturating_add(BESIDES),
            told: Told::default(),
        })
    }

    /// Does something, unless its time is over before. `None` when it was stopped by Ctrl-C.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Option<T>, Failure> {
        self.watch.forget();
        let _guard = self.watch.guard(self.timeout, self.memory, &self.context);
        let over = async {
            match self.timeout {
                Some(timeout) => self.watch.sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.watch.asked() => Ok(None),
            () = over => {
                Err(too_slow(self.timeout.unwrap_or_default()))
            }
            () = self.watch.memory_over(self.memory) => Err(too_large()),
            done = work => done.map(Some),
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// The time that the queries took.
    pub(crate) took: Duration,
    /// Rows of all queries.
    pub(crate) rows: u64,
    /// Whether the rows rest on all there was to read.
    pub(crate) done: Done,
}

/// Runs the queries and writes their rows.
pub(crate) async fn write(
    session: &Session,
    asked: Asked,
    args: &OutputArgs,
    terms: &Terms,
) -> Result<Answered, Failure> {
    let began = Instant::now();
    let context = &terms.context;
    // Another line follows each query.
    context.end_waiting();
    let Asked {
        name,
        title,
        queries,
        nothing,
        notes,
    } = asked;
    // A lake knows what it covers; log files are covered by being read, and that there is no row is known at the end.
    let mut done = Done::Complete;
    let known = match session.log_files_read() {
        _ if !queries.iter().any(Ready::rests_on_events) => Some(Remarks::default()),
        None if nothing.is_none() => {
            let all = remarks(session).await?;
            done = end(&all);
            Some(news(all, args, terms))
        }
        _ => None,
    };
    let noted = |mut remarks: Remarks| {
        remarks.notes.splice(0..0, notes.iter().cloned());
        remarks
    };
    let known = known.map(noted);
    let headings = headings(&title, &queries);
    if !args.columns.is_empty() {
        columns::check(
            headings.iter().map(|heading| &heading.schema),
            &args.columns,
        )?;
    }
    let opening = Opening {
        sections: headings,
        name,
        title,
        remarks: known.clone(),
    };
    let out = Out::open(args, context)?;
    let mut writing = Writing {
        writer: columns::writer(writer(args.format, out.options(context)), &args.columns),
        out,
        waiting: Waiting::new(context),
        written: 0,
        ticks: terms.watch.ticks(TICK),
    };
    if writing.all(session, &opening, queries).await?.is_break() {
        return Ok(Answered {
            took: began.elapsed(),
            rows: writing.written,
            done,
        });
    }
    // What comes now is the reader's time, if there is a pager.
    let took = began.elapsed();
    let late = match known {
        Some(_) => None,
        None => {
            let all = remarks(session).await?;
            done = end(&all);
            let nothing = nothing.filter(|_| writing.written == 0);
            // Where there is nothing, what was not seen matters most.
            let mut remarks = match nothing {
                Some(_) => all,
                None => news(all, args, terms),
            };
            remarks.notes.extend(nothing.map(str::to_owned));
            Some(noted(remarks))
        }
    };
    let Writing {
        mut writer,
        mut out,
        mut waiting,
        written: rows,
        ..
    } = writing;
    waiting.finish();
    if out
        .write(|out| writer.close(late.as_ref(), out))?
        .is_continue()
    {
        out.complete()?;
    }
    if args.format.rows_only()
        && let Some(remarks) = late.or(known)
    {
        output::mention_the_rest(&remarks.notes, remarks.coverage.as_ref(), context);
    }
    Ok(Answered { took, rows, done })
}

/// How the command ends that has these remarks.
fn end(remarks: &Remarks) -> Done {
    remarks.coverage.as_ref().map_or(Done::Complete, Done::on)
}

/// `rows`, or `rows_1`, `rows_2` … if there are several queries.
fn headings(title: &str, queries: &[Ready]) -> Vec<Heading> {
    let several = queries.len() > 1;
    let headings = queries.iter().enumerate().map(|(index, query)| {
        let number = index + 1;
        Heading {
            name: if several {
                format!("rows_{number}")
            } else {
                "rows".to_owned()
            },
            title: if several {
                format!("Statement {number}")
            } else {
                title.to_owned()
            },
            schema: query.schema(),
        }
    });
    headings.collect()
}

/// The remarks without what the reader was told before. What is kept or handed on has to tell everything.
fn news(mut remarks: Remarks, args: &OutputArgs, terms: &Terms) -> Remarks {
    let passing = match args.format {
        Format::Table | Format::Records => args.output.is_none(),
        format => format.rows_only(),
    };
    if passing
        && let Some(coverage) = &remarks.coverage
        && !terms.told.tell(coverage.clone())
    {
        remarks.coverage = None;
    }
    remarks
}

/// What the answer rests on.
async fn remarks(session: &Session) -> Result<Remarks, Failure> {
    let note = match session.log_files_read() {
        Some((0, 1..)) => {
            return Ok(Remarks {
                notes: vec!["no log file was read: the rows do not come from any".to_owned()],
                coverage: None,
            });
        }
        Some((read, all)) if read < all => Some(format!(
            "only {read} of {all} log files were read: the rows asked for needed no others"
        )),
        _ => None,
    };
    Ok(Remarks {
        notes: note.into_iter().collect(),
        coverage: Some(session.coverage().await?),
    })
}

struct Writing {
    writer: Box<dyn RowsWriter>,
    out: Out,
    waiting: Waiting,
    /// Rows.
    written: u64,
    ticks: Interval,
}

impl Writing {
    async fn all(
        &mut self,
        session: &Session,
        opening: &Opening,
        queries: Vec<Ready>,
    ) -> Result<ControlFlow<()>, Failure> {
        let Self { writer, out, .. } = self;
        if out.write(|out| writer.open(opening, out))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        for (query, heading) in queries.into_iter().zip(&opening.sections) {
            let Self { writer, out, .. } = self;
            if out.write(|out| writer.section(heading, out))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if self.rows(session, query.run()?).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn rows(
        &mut self,
        session: &Session,
        mut rows: Rows,
    ) -> Result<ControlFlow<()>, Failure> {
        loop {
            let batch = tokio::select! {
                batch = rows.next() => batch?,
                _ = self.ticks.tick() => {
                    self.waiting.show(rows.read(), session.log_files_read());
                    continue;
                }
            };
            let Some(batch) = batch else {
                return Ok(ControlFlow::Continue(()));
            };
            self.written += batch.num_rows() as u64;
            let Self {
                writer,
                out,
                waiting,
                ..
            } = self;
            if out.is_screen() {
                waiting.hide();
            }
            if out.write(|out| writer.rows(&batch, out))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // Rows and the line that changes in place do not go together.
            if out.is_begun() {
                waiting.finish();
            }
        }
    }
}
