//! How the reader wants answers.
//!
//! In: commands. Out: where and how the next answer is written. Promise: each change is said in a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keytrail::render::Format;
use keytrail::render::escape::terminal;

use super::commands::{Command, formats};
use crate::output_args::OutputArgs;

/// What a reader can choose.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// How rows are written.
    pub(crate) format: Format,
    /// Where the next answer goes; to the screen when none.
    pub(crate) file: Option<PathBuf>,
    /// The values of parameters.
    pub(crate) values: BTreeMap<String, String>,
    /// Whether plans are shown instead of rows.
    pub(crate) explain: bool,
    /// Whether times are said.
    pub(crate) timing: bool,
    /// What stands where SQL has a placeholder for an event data store.
    pub(crate) event_data_store: String,
}

impl Settings {
    /// How the next answer is written.
    pub(super) fn output(&self) -> OutputArgs {
        let named = self.file.as_deref().and_then(Format::of_file);
        OutputArgs {
            format: named.unwrap_or(self.format),
            output: self.file.clone(),
            columns: Vec::new(),
        }
    }

    /// The file has its answer.
    pub(super) fn written(&mut self) {
        self.file = None;
    }

    /// Shows rows as lists if that is wanted. Gives the format of before.
    pub(super) fn records(&mut self, wanted: bool) -> Format {
        let before = self.format;
        if wanted {
            self.format = Format::Records;
        }
        before
    }

    /// Takes a format back.
    pub(super) fn restore(&mut self, before: Format) {
        self.format = before;
    }

    /// Changes something, and says what.
    pub(super) fn change(&mut self, command: Command) -> String {
        match command {
            Command::Records(wanted) => {
                let wanted = wanted.unwrap_or(self.format != Format::Records);
                self.format = match wanted {
                    true => Format::Records,
                    false => Format::Table,
                };
                match wanted {
                    true => "each row is a list".to_owned(),
                    false => "rows are in tables".to_owned(),
                }
            }
            Command::Format(None) => format!("the format is {}; {}", self.format, formats()),
            Command::Format(Some(format)) => {
                self.format = format;
                format!("the format is {format}")
            }
            Command::Output(None) => {
                self.file = None;
                "answers go to the screen".to_owned()
            }
            Command::Output(Some(file)) => {
                self.file = Some(file.clone());
                let format = self.output().format;
                format!("the next answer goes to {} as {format}", shown(&file))
            }
            Command::Timing(wanted) => {
                self.timing = wanted.unwrap_or(!self.timing);
                match self.timing {
                    true => "timing is on".to_owned(),
                    false => "timing is off".to_owned(),
                }
            }
            Command::Set(Some((name, value))) => {
                let said = format!("${name} is {value:?}");
                self.values.insert(name, value);
                said
            }
            Command::Set(None) => match self.values.is_empty() {
                true => "no values; \\set NAME VALUE sets $NAME".to_owned(),
                false => {
                    let values = self.values.iter();
                    let lines: Vec<String> = values
                        .map(|(name, value)| format!("${name} is {value:?}"))
                        .collect();
                    lines.join("\n")
                }
            },
            Command::Unset(name) => match self.values.remove(&name) {
                Some(_) => format!("${name} no longer has a value"),
                None => format!("${name} had no value"),
            },
            // What is no setting is done elsewhere.
            Command::Help
            | Command::Leave
            | Command::Tables
            | Command::Columns(_)
            | Command::Functions(_)
            | Command::Questions(_)
            | Command::Ask(..)
            | Command::Read(_) => String::new(),
        }
    }
}

/// A file as people read it.
pub(super) fn shown(file: &Path) -> String {
    terminal(&file.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_one_answer_in_the_format_of_its_name() {
        let mut settings = Settings::default();
        for (file, format) in [
            ("a.csv", Format::Csv),
            ("a.md", Format::Markdown),
            ("a.parquet", Format::Parquet),
            ("a.JSONL", Format::Jsonl),
            ("a", Format::Table),
        ] {
            settings.change(Command::Output(Some(PathBuf::from(file))));
            let output = settings.output();
            assert_eq!(output.format, format, "{file}");
            assert_eq!(output.output, Some(PathBuf::from(file)));
            settings.written();
            assert_eq!(settings.output().output, None);
        }
    }

    #[test]
    fn records_can_be_switched() {
        let mut settings = Settings::default();
        settings.change(Command::Records(None));
        assert_eq!(settings.output().format, Format::Records);
        settings.change(Command::Records(None));
        assert_eq!(settings.output().format, Format::Table);
        settings.change(Command::Format(Some(Format::Csv)));
        let before = settings.records(true);
        assert_eq!(settings.output().format, Format::Records);
        settings.restore(before);
        assert_eq!(settings.output().format, Format::Csv);
    }
}
