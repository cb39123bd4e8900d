//! The README shows what the program prints. Between `<!-- begin: … -->` and `<!-- end -->` stands the output of a command
//! on `testdata`, or a table made from a registry. `UPDATE_README=1 cargo test readme` writes them anew.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use keytrail::analysis::question::{Group, Library};
use keytrail::analysis::{ANALYSES, Analysis as _};

/// A block that people fill.
const BY_HAND: &str = "speed";

/// Lines that differ from run to run: how long it took, and how many bytes names and times compress to.
const VARYING: [&str; 2] = ["time  ", "bytes  "];

#[test]
fn the_readme_shows_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let lake = tempfile::tempdir().unwrap();
    let mut made = String::new();
    let mut rest = readme.as_str();
    while let Some((before, block)) = rest.split_once("<!-- begin: ") {
        let (what, block) = block.split_once(" -->\n").unwrap();
        let (shown, after) = block.split_once("<!-- end -->").unwrap();
        let content = match what {
            BY_HAND => shown.to_owned(),
            "analyses" => analyses(),
            "queries" => queries(),
            command => output(command, lake.path()),
        };
        write!(
            made,
            "{before}<!-- begin: {what} -->\n{content}<!-- end -->"
        )
        .unwrap();
        rest = after;
    }
    made.push_str(rest);
    if env::var_os("UPDATE_README").is_some() {
        fs::write(path, made).unwrap();
        return;
    }
    assert_eq!(
        steady(&readme),
        steady(&made),
        "UPDATE_README=1 cargo test readme"
    );
}

/// Every question, from the registry.
fn analyses() -> String {
    let mut table = String::from("\n| command | answer |\n| --- | --- |\n");
    for analysis in ANALYSES {
        writeln!(table, "| `{}` | {} |", analysis.name(), analysis.title()).unwrap();
    }
    table + "\n"
}

/// Every question that is run by name, from the registry.
fn queries() -> String {
    let library = Library::built_in();
    let mut table = String::from("\n| question | answer |\n| --- | --- |\n");
    for group in Group::ALL {
        let mut questions = library.of(group).peekable();
        if questions.peek().is_some() {
            writeln!(table, "| | **{}** |", group.title()).unwrap();
        }
        for question in questions {
            writeln!(table, "| `{}` | {} |", question.name(), question.title()).unwrap();
        }
    }
    table + "\n"
}

/// What the command prints to standard output, as Markdown.
fn output(command: &str, lake: &Path) -> String {
    let mut words = words(command).into_iter();
    assert_eq!(words.next(), Some("keytrail"));
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("KEYTRAIL_LAKE", lake)
        .env("COLUMNS", "140")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{command}: {:?}", output.stderr);
    // As if it had been the default one in the current folder.
    let text = text.replace(lake.to_str().unwrap(), "keytrail-lake");
    match command.contains("markdown") {
        true => {
            let table = text.lines().filter(|line| !line.starts_with("# "));
            table.fold(String::new(), |made, line| made + line + "\n")
        }
        false => format!("\n```text\n{text}```\n\n"),
    }
}

/// The words of a command; what is in double quotes is one.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('"').enumerate();
    parts
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

/// The text without what differs from run to run.
fn steady(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !VARYING.iter().any(|start| line.starts_with(start)));
    lines.fold(String::new(), |made, line| made + line + "\n")
}
