//! Where the answer goes.
//!
//! In: a report or rows as they come, and the output options. Out: bytes on standard output or in a file. Promise: a file appears under its
//! name only when it is complete; a reader who closes the pipe (`| head`) is no error; what a format has no room for
//! (notes, coverage) is said on standard error instead of being lost.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Stdout, Write, stdout};
use std::ops::ControlFlow;

use keytrail::cloudtrail::AccessKeyId;
use keytrail::render::{Format, RenderOptions, coverage_lines, escape, hanging, renderer};
use keytrail::report::{Coverage, Report};

use crate::advise::{ADVICE, OF_SECTIONS};
use crate::columns;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output_args::{FoldArgs, OutputArgs};
use crate::output_file::{OutputFile, unwritable, write_file};
use crate::pager::Screen;

/// How an answer ends.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// The command to run next.
    pub(crate) next: Option<String>,
    /// Whether only what fits is shown.
    pub(crate) folded: bool,
}

impl Ending {
    /// With this command to run next.
    pub(crate) fn next(command: impl Into<Option<String>>) -> Self {
        Self {
            next: command.into(),
            folded: false,
        }
    }

    /// Folded, unless all was asked for, or these few keys: of them every detail is wanted.
    pub(crate) fn fold_unless(self, named: &[AccessKeyId], fold: FoldArgs) -> Self {
        match named.is_empty() {
            true => self.fold(fold),
            false => self,
        }
    }

    /// Folded, unless all was asked for.
    pub(crate) fn fold(self, fold: FoldArgs) -> Self {
        Self {
            folded: !fold.full,
            ..self
        }
    }
}

/// Writes the report where and how the options say; tells whether it rests on all there was to read.
pub(crate) fn write(
    report: &Report,
    args: &OutputArgs,
    context: &Context,
) -> Result<Done, Failure> {
    write_ending(report, args, &Ending::default(), context)
}

/// The same with an ending.
pub(crate) fn write_ending(
    report: &Report,
    args: &OutputArgs,
    ending: &Ending,
    context: &Context,
) -> Result<Done, Failure> {
    let report = columns::of_report(report, &args.columns)?;
    place(args, context, |options, out| {
        let options = RenderOptions {
            folded: ending.folded,
            ..options
        };
        renderer(args.format, options).render(&report, out)?;
        end(ending, args.format, options, context, out)
    })?;
    if args.format.rows_only() {
        mention_the_rest(&report.notes, report.coverage.as_ref(), context);
    }
    Ok(report.coverage.as_ref().map_or(Done::Complete, Done::on))
}

/// Says what to do next, where people read the answer.
fn end(
    ending: &Ending,
    format: Format,
    options: RenderOptions,
    context: &Context,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_wanted = format == Format::Table && !context.quiet;
    let Some(next) = ending.next.as_deref().filter(|_| is_wanted) else {
        return Ok(());
    };
    let next = escape::terminal(next);
    match options.color {
        true => writeln!(out, "\u{1b}[1mNext:\u{1b}[0m {next}"),
        false => writeln!(out, "Next: {next}"),
    }
}

/// Hands the place that the options name to a function that writes no table, with what may be assumed about it.
pub(crate) fn deliver(
    args: &OutputArgs,
    ending: &Ending,
    context: &Context,
    fill: impl FnOnce(RenderOptions, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    if !args.columns.is_empty() {
        return Err(Failure::usage(
            "--columns: the answer of this command is not a table",
        ));
    }
    place(args, context, |options, out| {
        let options = RenderOptions {
            folded: ending.folded,
            advice: Some(&OF_SECTIONS),
            ..options
        };
        fill(options, out)?;
        end(ending, args.format, options, context, out)
    })
}

fn place(
    args: &OutputArgs,
    context: &Context,
    fill: impl FnOnce(RenderOptions, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match &args.output {
        Some(path) => write_file(path, |out| fill(in_file(), out)),
        None => {
            let options = on_screen(context);
            context.end_waiting();
            show(context, |out| fill(options, out))
        }
    }
}

/// Writes text that is no report, and that is harmless already, where the options say.
pub(crate) fn write_text(
    text: &str,
    args: &OutputArgs,
    ending: &Ending,
    context: &Context,
) -> Result<(), Failure> {
    place(args, context, |options, out| {
        out.write_all(text.as_bytes())?;
        end(ending, args.format, options, context, out)
    })
}

/// What may be assumed about a file.
fn in_file() -> RenderOptions {
    RenderOptions {
        advice: Some(&ADVICE),
        ..RenderOptions::default()
    }
}

/// What may be assumed about standard output.
fn on_screen(context: &Context) -> RenderOptions {
    RenderOptions {
        width: context.width(),
        height: context.height().and_then(|lines| u16::try_from(lines).ok()),
        color: context.color(),
        advice: Some(&ADVICE),
        folded: false,
    }
}

/// Hands standard output to a function; a terminal through a pager, if what is written is taller.
pub(crate) fn show(
    context: &Context,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    if !stdout().is_terminal() {
        return print(fill);
    }
    let mut screen = Screen::new(context.page());
    let written = fill(&mut screen).and_then(|()| screen.finish());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new("standard output cannot be written").because(&error))
        }
        _ => Ok(()),
    }
}

/// Hands standard output to a function that writes lines; a terminal gets them broken between words.
pub(crate) fn lines(
    context: &Context,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    show(context, |out| {
        let mut text = Vec::new();
        fill(&mut text)?;
        let text = hanging(&String::from_utf8_lossy(&text), context.width());
        out.write_all(text.as_bytes())
    })
}

/// Hands standard output to a function.
pub(crate) fn print(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(stdout().lock());
    match fill(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new("standard output cannot be written").because(&error))
        }
        _ => Ok(()),
    }
}

/// Says what a format of bare rows has no room for.
pub(crate) fn mention_the_rest(notes: &[String], coverage: Option<&Coverage>, context: &Context) {
    for note in notes {
        context.mention(&format!("note: {}", escape::terminal(note)));
    }
    for line in coverage.into_iter().flat_map(coverage_lines) {
        context.mention(&format!("coverage: {}", escape::terminal(&line)));
    }
}

/// Where an answer goes that comes piece by piece. Dropped before it is complete, it leaves no file.
pub(crate) enum Out {
    /// A terminal.
    Screen(Screen),
    /// A pipe or a redirection.
    Pipe(BufWriter<Stdout>),
    /// A file, beside its name until it is complete.
    File {
        file: BufWriter<File>,
        place: OutputFile,
        complete: bool,
    },
}

impl Out {
    /// Opens what the options name.
    pub(crate) fn open(args: &OutputArgs, context: &Context) -> Result<Self, Failure> {
        match &args.output {
            Some(path) => {
                let place = OutputFile::of(path);
                let file =
                    File::create(place.written()).map_err(|error| unwritable(path, &error))?;
                Ok(Out::File {
                    file: BufWriter::new(file),
                    place,
                    complete: false,
                })
            }
            None if stdout().is_terminal() => Ok(Out::Screen(Screen::new(context.page()))),
            None => Ok(Out::Pipe(BufWriter::new(stdout()))),
        }
    }

    /// What may be assumed about the place.
    pub(crate) fn options(&self, context: &Context) -> RenderOptions {
        match self {
            Out::File { .. } => in_file(),
            _ => on_screen(context),
        }
    }

    /// Whether what is written shows on a terminal.
    pub(crate) fn is_screen(&self) -> bool {
        matches!(self, Out::Screen(_))
    }

    /// Whether something shows on the terminal already.
    pub(crate) fn is_begun(&self) -> bool {
        matches!(self, Out::Screen(screen) if screen.is_begun())
    }

    /// Writes a piece. Breaks when the reader has gone away.
    pub(crate) fn write(
        &mut self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<ControlFlow<()>, Failure> {
        let written = match self {
            Out::Screen(screen) => fill(screen),
            Out::Pipe(pipe) => fill(pipe).and_then(|()| pipe.flush()),
            Out::File { file, .. } => fill(file),
        };
        self.gone(written)
    }

    /// Ends the answer.
    pub(crate) fn complete(mut self) -> Result<(), Failure> {
        let written = match &mut self {
            Out::Screen(screen) => screen.finish(),
            Out::Pipe(pipe) => pipe.flush(),
            Out::File {
                file,
                place,
                complete,
            } => file
                .flush()
                .and_then(|()| place.complete())
                .inspect(|()| *complete = true),
        };
        self.gone(written).map(drop)
    }

    /// A reader who has gone away is no error.
    fn gone(&self, written: io::Result<()>) -> Result<ControlFlow<()>, Failure> {
        match (written, self) {
            (Ok(()), _) => Ok(ControlFlow::Continue(())),
            (Err(error), Out::File { place, .. }) => Err(unwritable(place.name(), &error)),
            (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            (Err(error), _) => {
                Err(Failure::new("standard output cannot be written").because(&error))
            }
        }
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if let Out::File {
            place,
            complete: false,
            ..
        } = self
        {
            place.abandon();
        }
    }
}
