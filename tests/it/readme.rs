//! README and docs show what the program prints. Between `<!-- begin: … -->` and `<!-- end -->` stands the output of a command
//! on `testdata` (with `| head -N`, its first lines), or a table made from a registry. `UPDATE_README=1 cargo test readme` writes
//! them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use keytrail::analysis::Analysis as _;
use keytrail::analysis::question::{Group, Library};

/// The width of a terminal that nobody has made wider.
const WIDTH: &str = "80";

/// Lines of the README: it is what newcomers read first.
const MOST_LINES: usize = 250;

/// A block that people fill.
const BY_HAND: &str = "speed";

/// Lines that differ from run to run: how long it took, and how many bytes names and times compress to.
const VARYING: [&str; 2] = ["time  ", "bytes  "];

#[test]
fn readme_and_docs_show_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in pages(root) {
        let text = fs::read_to_string(&page).unwrap();
        let made = filled(&text);
        if env::var_os("UPDATE_README").is_some() {
            fs::write(page, made).unwrap();
            continue;
        }
        assert_eq!(
            steady(&text),
            steady(&made),
            "{}: UPDATE_README=1 cargo test readme",
            page.display()
        );
    }
}

#[test]
fn the_readme_is_short() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let lines = fs::read_to_string(readme).unwrap().lines().count();
    assert!(lines <= MOST_LINES, "{lines} lines");
}

/// Every link to a file of the project leads somewhere.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for page in pages(root) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                let file = page.parent().unwrap().join(target);
                assert!(file.exists(), "{}: {target}", page.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked} links");
}

/// The pages for people.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ["", "docs", "benches"] {
        let files = fs::read_dir(root.join(folder)).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|file| file.extension().is_some_and(|end| end == "md")));
    }
    pages.sort();
    pages
}

/// The page with its blocks as they should be.
fn filled(page: &str) -> String {
    let lake = tempfile::tempdir().unwrap();
    let mut made = String::new();
    let mut rest = page;
    while let Some((before, block)) = rest.split_once("<!-- begin: ") {
        let (what, block) = block.split_once(" -->\n").unwrap();
        let (shown, after) = block.split_once("<!-- end -->").unwrap();
        let content = match what {
            BY_HAND => shown.to_owned(),
            "commands" => commands(lake.path()),
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
    made + rest
}

/// Every command, as `keytrail -h` lists them.
fn commands(lake: &Path) -> String {
    let help = printed_at("keytrail -h", lake, "140");
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let mut table = String::from("\n| command | what it does |\n| --- | --- |\n");
    for line in list.take_while(|line| !line.is_empty()) {
        let (name, does) = line.trim().split_once(' ').unwrap();
        writeln!(table, "| `{name}` | {} |", does.trim()).unwrap();
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
    let (command, lines) = match command.split_once(" | head -") {
        Some((command, lines)) => (command, lines.parse().unwrap()),
        None => (command, usize::MAX),
    };
    let text = printed(command, lake);
    let lines = text.split_inclusive('\n').take(lines);
    match command.contains("markdown") {
        true => lines.filter(|line| !line.starts_with("# ")).collect(),
        false => {
            let shown: String = lines.collect();
            let more = if shown.len() < text.len() {
                "…\n"
            } else {
                ""
            };
            format!("\n```text\n{shown}{more}```\n\n")
        }
    }
}

/// What the command prints to standard output.
fn printed(command: &str, lake: &Path) -> String {
    printed_at(command, lake, WIDTH)
}

fn printed_at(command: &str, lake: &Path, columns: &str) -> String {
    let mut words = words(command).into_iter();
    assert_eq!(words.next(), Some("keytrail"));
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("KEYTRAIL_LAKE", lake)
        .env("COLUMNS", columns)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{command}: {:?}", output.stderr);
    // As if it had been the default one in the current folder.
    text.replace(lake.to_str().unwrap(), "keytrail-lake")
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
