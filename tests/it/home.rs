//! A folder of its own for a test that runs the program.
//!
//! In: arguments. Out: what the program answers there. Promise: nothing of this machine's environment or settings changes the answer.

use crate::program::ENVIRONMENT;
use crate::trail::write_days;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a trail of a day in it.
pub(crate) struct Home(pub(crate) TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        write_days(&home.path("trail"), "111111111111", 0..1);
        home
    }

    /// One that has a lake, too, with the trail in it.
    pub(crate) fn with_lake() -> Self {
        let home = Self::new();
        home.done(&["ingest", "trail", "--lake", "lake"]);
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        for name in ENVIRONMENT.into_iter().chain(["XDG_CONFIG_HOME"]) {
            command.env_remove(name);
        }
        command
            .args(args)
            .current_dir(&self.0)
            .env("HOME", self.0.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command answers that is done; one record of the trail is rejected.
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that fails with this code; it must not answer anything. The folder is called `~`.
    pub(crate) fn refused(&self, args: &[&str], code: i32) -> String {
        self.said(&self.run(args), code)
    }

    /// What a command said that failed so.
    pub(crate) fn said(&self, output: &Output, code: i32) -> String {
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let errors = String::from_utf8(output.stderr.clone()).unwrap();
        errors.replace(self.0.path().to_str().unwrap(), "~")
    }
}
