//! Where in a document a value stands.
//!
//! In: a path. Out: the values there. Promise: one language for SQL's functions, the conditions of findings, the paths of
//! `trace` and the tables of `knowledge`.
//!
//! | step | leads to |
//! |---|---|
//! | `$` | the document; may be left out, and so may the dot after it |
//! | `.name`, `['na.me']`, `["na.me"]`, `."name"` | the member of that name |
//! | `..name` | every member of that name, at any depth |
//! | `[0]` | the element at that place, from 0 |
//! | `[]`, `[*]` | every element |
//!
//! There are two ways to follow a path, which SQL/JSON calls strict and lax. Strict, as Athena's functions do: a step fits or
//! leads nowhere, and a path to several values leads nowhere. Lax, for rules that have to hold whichever form a service
//! chose: a step through an array is a step through each of its elements, one element may stand for a list of one, and a
//! name that is not there may be written in other capitals (AWS writes `Bucket` and `bucket`).

use super::scan::{self, Elements, sound};
use super::value::Value;
use std::borrow::Cow;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step<'p> {
    /// A member of this object.
    Member(Cow<'p, str>),
    /// Members of that name at any depth.
    Anywhere(Cow<'p, str>),
    /// An element of this array.
    Index(usize),
    /// All elements of this array.
    Each,
}

/// A path, read once and followed often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step<'static>>);

impl Path {
    /// Reads a path; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Path> {
        let mut steps = Vec::new();
        let mut rest = begun(text);
        let bare = !rest.starts_with(['.', '[']) && !text.trim_start().starts_with('$');
        if bare {
            let (name, after) = rest.split_at(name_end(rest));
            steps.push(Step::Member(Cow::Owned(named(name)?.to_owned())));
            rest = after;
        }
        while !rest.is_empty() {
            let step;
            (step, rest) = first_step(rest)?;
            steps.push(step.into_owned());
        }
        Some(Path(steps))
    }

    /// The names with which the path begins, before any other kind of step.
    pub(crate) fn leading_names(&self) -> Vec<&str> {
        let names = self.0.iter().map_while(|step| match step {
            Step::Member(name) => Some(name.as_ref()),
            _ => None,
        });
        names.collect()
    }

    /// The path without its first steps.
    pub(crate) fn after(&self, steps: usize) -> Path {
        Path(self.0.iter().skip(steps).cloned().collect())
    }

    /// Whether it leads to the document itself.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The values at this place, lax: elements of arrays one by one, never null.
    pub(crate) fn values<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in found {
                match step {
                    Step::Member(name) => member(value, name, &mut next),
                    Step::Anywhere(name) => anywhere(value, name, &mut next),
                    Step::Each => flatten(value, &mut next),
                    Step::Index(at) => match value {
                        Value::Array(elements) => next.extend(elements.get(*at)),
                        value => next.extend((*at == 0).then_some(value)),
                    },
                }
            }
            found = next;
        }
        let mut flat = Vec::with_capacity(found.len());
        for value in found {
            flatten(value, &mut flat);
        }
        flat
    }
}

impl Step<'_> {
    fn into_owned(self) -> Step<'static> {
        match self {
            Step::Member(name) => Step::Member(Cow::Owned(name.into_owned())),
            Step::Anywhere(name) => Step::Anywhere(Cow::Owned(name.into_owned())),
            Step::Index(at) => Step::Index(at),
            Step::Each => Step::Each,
        }
    }
}

/// Whether a path leads to one value at most.
pub(crate) fn leads_to_one(path: &str) -> bool {
    let one = |step: &Step<'_>| matches!(step, Step::Member(_) | Step::Index(_));
    let steps = Path::parse(path).filter(|_| path.trim_start().starts_with('$'));
    steps.is_some_and(|path| path.0.iter().all(one))
}

/// The text of the value at a path, strict; `None` when the document is not sound JSON.
pub(crate) fn text_at<'a>(document: &'a str, path: &str) -> Option<&'a str> {
    let mut value = sound(document)?;
    let mut rest = path.trim().strip_prefix('$')?;
    while !rest.is_empty() {
        let step;
        (step, rest) = first_step(rest)?;
        value = match step {
            Step::Member(name) => scan::member(value, &name)?,
            Step::Index(index) => Elements::of(value)?.nth(index)?,
            Step::Anywhere(_) | Step::Each => return None,
        };
    }
    Some(value)
}

/// How a step is taken that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A step through an array is a step through each of its elements, and one element stands for a list of one.
    Lax,
    /// It leads nowhere.
    Strict,
}

/// The texts of all values at a path, as SQL/JSON has them: none where there are none, or the document is not sound JSON.
/// `None` when the path is not one.
pub(crate) fn texts_at<'a>(document: &'a str, path: &str, mode: Mode) -> Option<Vec<&'a str>> {
    let mut found: Vec<&str> = sound(document).into_iter().collect();
    let mut rest = path.trim().strip_prefix('$')?;
    // What follows is not a name: filters, methods, arithmetic.
    let beyond = |part: &str| part.contains(['?', '(', '@', ' ', '+', '-']);
    if path.trim().split('"').step_by(2).any(beyond) {
        return None;
    }
    while !rest.is_empty() {
        let step;
        (step, rest) = first_step(rest)?;
        let mut next = Vec::new();
        for value in found {
            match (&step, Elements::of(value)) {
                (Step::Member(name), Some(elements)) if mode == Mode::Lax => {
                    next.extend(elements.filter_map(|element| scan::member(element, name)));
                }
                (Step::Member(name), _) => next.extend(scan::member(value, name)),
                (Step::Index(at), Some(mut elements)) => next.extend(elements.nth(*at)),
                (Step::Each, Some(elements)) => next.extend(elements),
                (Step::Index(0) | Step::Each, None) if mode == Mode::Lax => next.push(value),
                (Step::Index(_) | Step::Each, None) => {}
                (Step::Anywhere(_), _) => return None,
            }
        }
        found = next;
    }
    Some(found)
}

/// The path after `$`.
fn begun(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('$').unwrap_or(text)
}

fn name_end(text: &str) -> usize {
    text.find(['.', '[']).unwrap_or(text.len())
}

/// A name, without the quotes that it may have.
fn named(name: &str) -> Option<&str> {
    let inner = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    let name = inner.unwrap_or(name);
    (!name.is_empty() && !name.contains(']')).then_some(name)
}

/// The first step of a path, and what follows it.
fn first_step(path: &str) -> Option<(Step<'_>, &str)> {
    if let Some(rest) = path.strip_prefix('.') {
        let (rest, deep) = match rest.strip_prefix('.') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        // A name in quotes may hold a dot or a bracket.
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"')? + 2,
            None => name_end(rest),
        };
        let (name, rest) = rest.split_at(end);
        let name = Cow::Borrowed(named(name)?);
        return Some(match deep {
            true => (Step::Anywhere(name), rest),
            false => (Step::Member(name), rest),
        });
    }
    let inside = path.strip_prefix('[')?;
    for quote in ['"', '\''] {
        if let Some(quoted) = inside.strip_prefix(quote) {
            let (name, rest) = quoted.split_once(quote)?;
            return Some((Step::Member(name.into()), rest.strip_prefix(']')?));
        }
    }
    let (index, rest) = inside.split_once(']')?;
    Some(match index.trim() {
        "" | "*" => (Step::Each, rest),
        index => (Step::Index(index.parse().ok()?), rest),
    })
}

/// The member of that name, else the first whose name differs in capitals only; in arrays, of each element.
fn member<'v>(value: &'v Value, name: &str, into: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => into.extend(object.get(name).or_else(|| {
            let mut members = object.iter();
            let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value)
        })),
        Value::Array(elements) => elements.iter().for_each(|item| member(item, name, into)),
        _ => {}
    }
}

fn anywhere<'v>(value: &'v Value, name: &str, into: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter() {
                if key.eq_ignore_ascii_case(name) {
                    into.push(value);
                }
                anywhere(value, name, into);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|item| anywhere(item, name, into)),
        _ => {}
    }
}

fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Null => {}
        Value::Array(elements) => elements.iter().for_each(|item| flatten(item, into)),
        value => into.push(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::is_sound;

    const TEXT: &str =
        r#" {"a":{"b":[1,{"c-d":"é\n"}, null]},"x.y":"z","B":true,"n":null,"q\"":1} "#;

    #[test]
    fn any_path_in_any_document_leads_to_sound_values() {
        const PIECES: [&str; 16] = [
            "$",
            ".",
            "a",
            "\"",
            "[",
            "]",
            "*",
            "0",
            "99999999999999999999",
            "**",
            "x.y",
            "\\",
            "é",
            "{",
            "?",
            " ",
        ];
        arbtest::arbtest(|u| {
            let mut path = "$".to_owned();
            for _ in 0..u.int_in_range(0..=8)? {
                path.push_str(u.choose(&PIECES)?);
            }
            let cut = u.int_in_range(0..=TEXT.len())?;
            let document = match TEXT.is_char_boundary(cut) && u.ratio(1, 4)? {
                true => &TEXT[..cut],
                false => TEXT,
            };
            let strict = texts_at(document, &path, Mode::Strict);
            let lax = texts_at(document, &path, Mode::Lax);
            assert_eq!(strict.is_some(), lax.is_some(), "{path}");
            let found = strict.into_iter().chain(lax).flatten();
            for value in found.chain(text_at(document, &path)) {
                assert!(is_sound(value.as_bytes()), "{path}: {value}");
            }
            if let Some(path) = Path::parse(&path) {
                std::hint::black_box(Value::parse(document).map(|root| path.values(&root).len()));
            }
            Ok(())
        })
        .budget_ms(500);
    }

    #[test]
    fn lax_and_strict_differ_where_a_step_does_not_fit() {
        let text = r#"{"a":[{"b":1},{"b":2},{"c":3}],"d":{"e":null},"k:/.":"x"}"#;
        for (path, lax, strict) in [
            ("$.a.b", &["1", "2"][..], &[][..]),
            ("$.a[*].b", &["1", "2"], &["1", "2"]),
            ("$.a[1].b", &["2"], &["2"]),
            ("$.d[0].e", &["null"], &[]),
            ("$.d[*].e", &["null"], &[]),
            ("$.d.e", &["null"], &["null"]),
            ("$.d.f", &[], &[]),
            ("$.\"k:/.\"", &["\"x\""], &["\"x\""]),
        ] {
            assert_eq!(
                texts_at(text, path, Mode::Lax).as_deref(),
                Some(lax),
                "{path}"
            );
            let found = texts_at(text, path, Mode::Strict);
            assert_eq!(found.as_deref(), Some(strict), "{path}");
        }
        assert_eq!(texts_at("{", "$.a", Mode::Lax).as_deref(), Some(&[][..]));
        for wrong in ["a.b", "$.a ? (@ > 1)", "$..a", "$.a[1 to 2]", "$."] {
            assert_eq!(texts_at(text, wrong, Mode::Lax), None, "{wrong}");
        }
    }

    #[test]
    fn strict_paths_lead_to_one_value_or_nowhere() {
        for (path, value) in [
            ("$.a.b[0]", Some("1")),
            ("$.a.b[1]['c-d']", Some(r#""é\n""#)),
            (r#"$["a"]["b"][1]["c-d"]"#, Some(r#""é\n""#)),
            ("$['x.y']", Some(r#""z""#)),
            (r#"$."B""#, Some("true")),
            (r#"$."x"#, None),
            ("$.b", None),
            ("$.a.b[3]", None),
            ("$.a.c", None),
            ("$.a.b.c", None),
            ("$.a.b[]", None),
            ("$..b", None),
            ("a", None),
            ("$.", None),
            ("$[", None),
            ("$.n", Some("null")),
        ] {
            assert_eq!(text_at(TEXT, path), value, "{path}");
        }
        assert_eq!(text_at(TEXT, "$").map(str::len), Some(TEXT.len() - 2));
        assert_eq!(text_at(r#"{"a":1"#, "$.a"), None);
        assert_eq!(text_at("", "$"), None);
    }

    #[test]
    fn lax_paths_walk_through_arrays_and_know_no_capitals() {
        let root = r#"{"Rule":[{"ID":1,"Expiration":{"Days":3}},{"Filter":{"x":{"Days":9}}}],
            "key":"k","KEY":"K","none":null,"list":["a",["b"],null]}"#;
        let root = Value::parse(root).expect("sound");
        let at = |path: &str| {
            let path = Path::parse(path).expect(path);
            let values = path.values(&root).into_iter().map(Value::to_string);
            values.collect::<Vec<_>>().join(" ")
        };
        for (path, values) in [
            ("Rule.Expiration.Days", "3"),
            ("$.rule[].expiration.days", "3"),
            ("..Days", "3 9"),
            ("Rule..Expiration.Days", "3"),
            ("Rule[0].ID", "1"),
            ("key[0]", "\"k\""),
            ("list[]", "\"a\" \"b\""),
            ("list[*]", "\"a\" \"b\""),
            ("key", "\"k\""),
            ("KEY", "\"K\""),
            ("Key", "\"k\""),
            ("none", ""),
            ("absent", ""),
        ] {
            assert_eq!(at(path), values, "{path}");
        }
        assert_eq!(
            Path::parse("$").map(|path| path.values(&root).len()),
            Some(1)
        );
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in ["", "a.", "a.[x]", "a[x]", "a...b", "a[", "a]b", "$x"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
        let path = Path::parse("a.b..c.d[]").expect("a path");
        assert_eq!(path.leading_names(), ["a", "b"]);
        assert_eq!(path.after(2), Path::parse("..c.d[]").expect("a path"));
        assert!(path.after(5).is_root());
    }
}
