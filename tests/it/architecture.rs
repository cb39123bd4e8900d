//! The house rules that no compiler checks: imports point down and never in a circle, files say what they are for and stay
//! short.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Lowest first. Rooms on one layer do not see each other. ARCHITECTURE.md says what each is for.
const LAYERS: [&[&str]; 14] = [
    &["json"],
    &["cloudtrail"],
    &["knowledge"],
    &["source", "event", "iam", "report"],
    &["read"],
    &["lake", "integrity"],
    &["ingest", "session", "evidence", "case"],
    &["analysis", "render"],
    &["cluster"],
    &["service"],
    &["mcp"],
    &["serve"],
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

/// A text without its comments.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A path such as `crate::lake::Lake`, in parts.
type Names = Vec<String>;

/// The paths that begin here: `a::b::{c, d::e}` are `a::b::c` and `a::b::d::e`. And what follows them.
fn paths(text: &str) -> (Vec<Names>, &str) {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() {
        return (Vec::new(), rest);
    }
    let (below, rest) = match rest.strip_prefix("::") {
        None => (vec![Names::new()], rest),
        Some(rest) if !rest.starts_with('{') => paths(rest),
        Some(rest) => {
            let (mut below, mut rest) = (Vec::new(), &rest[1..]);
            loop {
                let (more, after) = paths(rest);
                below.extend(more);
                // A new name of what was imported.
                let end = after.find([',', '}']).unwrap_or(after.len());
                rest = &after[end..];
                match rest.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => rest = next,
                    _ => break (below, rest.split_once('}').map_or("", |(_, rest)| rest)),
                }
            }
        }
    };
    let mut below = below;
    for path in &mut below {
        path.insert(0, name.to_owned());
    }
    if below.is_empty() {
        below.push(vec![name.to_owned()]);
    }
    (below, rest)
}

/// The paths that a file names, from `crate`, `super` and `self` on.
fn named(text: &str) -> Vec<Names> {
    let code = code(text);
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            let inside = before.ends_with("::")
                || before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if !inside {
                found.extend(paths(&code[at..]).0);
            }
        }
    }
    found
}

/// The module that a file is, from the library's root, or the program's.
fn module(path: &Path) -> Names {
    let path = path.with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    let mut names: Names = names.collect();
    if matches!(
        names.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        names.pop();
    }
    names
}

/// The modules of the same room that each module imports.
fn imports(sources: &BTreeMap<PathBuf, String>) -> BTreeMap<Names, BTreeSet<Names>> {
    let known: BTreeSet<Names> = sources.keys().map(|path| module(path)).collect();
    let imported = |here: &Names, path: Names| {
        let mut names = path.into_iter().peekable();
        let mut full = match names.next().as_deref() {
            // The program is a crate of its own.
            Some("crate") if here.first().is_some_and(|room| room == "cli") => here[..1].to_vec(),
            Some("crate") => Names::new(),
            Some("super") => here[..here.len().saturating_sub(1)].to_vec(),
            _ => here.clone(),
        };
        while names.next_if(|name| name == "super").is_some() {
            full.pop();
        }
        full.extend(names);
        while !known.contains(&full) {
            full.pop();
        }
        full
    };
    let of_file = |(path, text): (&PathBuf, &String)| {
        let here = module(path);
        let there = named(text).into_iter().map(|path| imported(&here, path));
        // A folder's own file and the files in it are one: the one is the map of the others.
        let apart = |there: &Names| !there.starts_with(&here) && !here.starts_with(there);
        let there = there.filter(|there| apart(there) && there.first() == here.first());
        (here.clone(), there.collect())
    };
    sources.iter().map(of_file).collect()
}

/// All that can be reached from a module.
fn reached(from: &Names, imports: &BTreeMap<Names, BTreeSet<Names>>) -> BTreeSet<Names> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![from];
    while let Some(module) = ahead.pop() {
        for next in &imports[module] {
            if reached.insert(next.clone()) {
                ahead.push(next);
            }
        }
    }
    reached
}

#[test]
fn imports_point_down() {
    for (path, text) in sources() {
        let here = room(&path);
        if here == "cli" {
            // The program is a crate of its own: the compiler sees to it that nothing imports it.
            continue;
        }
        let paths = named(&text).into_iter().filter(|path| path[0] == "crate");
        for there in paths.filter_map(|path| path.get(1).cloned()) {
            if there != here {
                let down = layer(&there) < layer(&here);
                assert!(down, "{} in {here} imports {there}", path.display());
            }
        }
    }
}

#[test]
fn no_files_of_a_room_import_each_other() {
    let imports = imports(&sources());
    let mut circles = BTreeSet::new();
    for module in imports.keys() {
        let there = reached(module, &imports);
        let circle = there
            .iter()
            .filter(|there| reached(there, &imports).contains(module));
        let circle: Vec<String> = circle.map(|there| there.join("/")).collect();
        if there.contains(module) {
            circles.insert(circle);
        }
    }
    assert_eq!(circles, BTreeSet::new());
}

#[test]
fn paths_are_taken_apart() {
    let text = "use crate::a::{self, b::{C, D as E}, F};\n// crate::not::this\nlet x = super::super::g(self::H);";
    let found: Vec<String> = named(text).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::a::self",
            "crate::a::b::C",
            "crate::a::b::D",
            "crate::a::F",
            "super::super::g",
            "self::H",
        ]
    );
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
