//! The house rules that no compiler checks: imports point down, files say what they are for and stay short.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Lowest first. Rooms on one layer do not see each other.
const LAYERS: [&[&str]; 11] = [
    &["json"],
    &["cloudtrail"],
    &["knowledge"],
    &["source", "event", "iam", "report"],
    &["read"],
    &["lake", "integrity"],
    &["ingest", "session"],
    &["analysis", "render"],
    &["cluster", "serve"],
    &["lib"],
    &["cli"],
];

/// Lines of a file, its tests apart.
const MOST_LINES: usize = 400;

/// Every source file, by its path below `src`, without its tests.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(SOURCES)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let product = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let path = path.strip_prefix(SOURCES).unwrap().to_owned();
                found.insert(path, product.to_owned());
            }
        }
    }
    assert!(found.len() > 50, "the sources are not where they were");
    found
}

/// The room a file is in.
fn room(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str();
    first.to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn layer(room: &str) -> usize {
    let layer = LAYERS.iter().position(|rooms| rooms.contains(&room));
    layer.unwrap_or_else(|| panic!("{room} has no layer"))
}

/// The rooms that a file names, after `crate::`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
}

#[test]
fn imports_point_down() {
    for (path, text) in sources() {
        let here = room(&path);
        if here == "cli" {
            // The program is a crate of its own: the compiler sees to it that nothing imports it.
            continue;
        }
        for there in named(&text).filter(|there| **there != here) {
            let down = layer(there) < layer(&here);
            assert!(down, "{} in {here} imports {there}", path.display());
        }
    }
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn no_file_is_long() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{}: {lines} lines", path.display());
    }
}
