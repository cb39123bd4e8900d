//! Whole documents.
//!
//! In: JSON text. Out: a [`Value`] to walk through. Promise: what `scan` calls sound has a value, and nothing else has; a key
//! that stands twice in an object has its first value, as everywhere.
//!
//! simd-json takes the text apart, in the widest steps that the processor has. What it refuses and JSON allows (whole numbers
//! beyond 64 bits, half a surrogate pair) is built from scanned slices instead.

use super::scan::{self, Elements, Members, sound};
use rustc_hash::FxHashSet;
use serde::ser::{Serialize, SerializeMap, Serializer};
use simd_json::{Buffers, Node, StaticNode, Tape};
use std::cell::RefCell;
use std::fmt;

/// A value of a JSON document.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// A number, as exactly as 64 bits can hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A whole number above those.
    Large(u64),
    /// Any other number.
    Float(f64),
}

/// The members of an object, each key once, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object(Vec<(String, Value)>);

/// What stands in place of a value that is not there.
static NULL: Value = Value::Null;

/// Objects with more members than this look for doubled keys in a set.
const FEW: usize = 16;

/// Buffers larger than this are given back after use.
const KEPT: usize = 4 << 20;

impl Value {
    /// The document, or `None` when the text is not JSON from end to end.
    pub fn parse(text: &str) -> Option<Value> {
        thread_local! {
            static PARSER: RefCell<Parser> = RefCell::default();
        }
        let text = sound(text)?;
        PARSER
            .with_borrow_mut(|parser| parser.parse(text))
            .or_else(|| scanned(text))
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// An object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// A number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The JSON text in several lines, indented.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// The member of that name; null where there is none.
impl std::ops::Index<&str> for Value {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }
}

/// As JSON text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(Number::Int(n)) => serializer.serialize_i64(*n),
            Value::Number(Number::Large(n)) => serializer.serialize_u64(*n),
            Value::Number(Number::Float(n)) => serializer.serialize_f64(*n),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => serializer.collect_seq(elements),
            Value::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (name, value) in &object.0 {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Number::Int(n) => n as f64,
            Number::Large(n) => n as f64,
            Number::Float(n) => n,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::Number(*self).fmt(f)
    }
}

impl Object {
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(key, _)| *key == name).map(|(_, v)| v)
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// All members, to change their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        let members = self.0.iter_mut();
        members.map(|(name, value)| (name.as_str(), value))
    }

    /// Members of which the first of each name is kept.
    fn of(members: Vec<(String, Value)>) -> Self {
        let doubled: Vec<bool> = if members.len() <= FEW {
            let before = |at: usize| members[..at].iter().any(|(name, _)| *name == members[at].0);
            (0..members.len()).map(before).collect()
        } else {
            let mut seen = FxHashSet::default();
            let known = |(name, _): &(String, Value)| !seen.insert(name.clone());
            members.iter().map(known).collect()
        };
        if !doubled.contains(&true) {
            return Self(members);
        }
        let members = members.into_iter().zip(doubled);
        let first = members.filter(|(_, doubled)| !doubled);
        Self(first.map(|(member, _)| member).collect())
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a str, &'a Value);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (String, Value)>,
        fn(&'a (String, Value)) -> (&'a str, &'a Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// simd-json with its buffers, used again and again.
#[derive(Default)]
struct Parser {
    /// simd-json writes into the text.
    text: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
}

impl Parser {
    /// The document, or `None` when simd-json refuses it.
    fn parse(&mut self, sound: &str) -> Option<Value> {
        self.text.clear();
        self.text.extend_from_slice(sound.as_bytes());
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let filled = simd_json::fill_tape(&mut self.text, &mut self.buffers, &mut tape);
        let value = filled.ok().and_then(|()| built(&mut tape.0.iter()));
        self.tape = Some(tape.reset());
        if self.text.capacity() > KEPT {
            *self = Self::default();
        }
        value
    }
}

/// The value that begins with the next node. Sound text is not nested deeper than `scan` allows.
fn built(nodes: &mut std::slice::Iter<'_, Node<'_>>) -> Option<Value> {
    Some(match nodes.next()? {
        Node::String(text) => Value::String((*text).to_owned()),
        Node::Static(StaticNode::Null) => Value::Null,
        Node::Static(StaticNode::Bool(value)) => Value::Bool(*value),
        Node::Static(StaticNode::I64(n)) => Value::Number(Number::Int(*n)),
        Node::Static(StaticNode::U64(n)) => Value::Number(match i64::try_from(*n) {
            Ok(n) => Number::Int(n),
            Err(_) => Number::Large(*n),
        }),
        Node::Static(StaticNode::F64(n)) => Value::Number(Number::Float(*n)),
        Node::Array { len, .. } => {
            let elements = (0..*len).map(|_| built(nodes));
            Value::Array(elements.collect::<Option<_>>()?)
        }
        Node::Object { len, .. } => {
            let mut members = Vec::with_capacity(*len);
            for _ in 0..*len {
                let Node::String(name) = nodes.next()? else {
                    return None;
                };
                members.push(((*name).to_owned(), built(nodes)?));
            }
            Value::Object(Object::of(members))
        }
    })
}

/// The value of a sound text, from its slices.
fn scanned(sound: &str) -> Option<Value> {
    Some(match sound.as_bytes().first()? {
        b'"' => Value::String(scan::string(sound)?.into_owned()),
        b'[' => {
            let elements = Elements::of(sound)?.map(scanned);
            Value::Array(elements.collect::<Option<_>>()?)
        }
        b'{' => {
            let (mut scan, mut members) = (Members::of(sound)?, Vec::new());
            while let Some((name, value)) = scan.next().ok()? {
                members.push((scan::unescape(name), scanned(value)?));
            }
            Value::Object(Object::of(members))
        }
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' => Value::Null,
        _ => Value::Number(match (sound.parse(), sound.parse()) {
            (Ok(n), _) => Number::Int(n),
            (Err(_), Ok(n)) => Number::Large(n),
            (Err(_), Err(_)) => Number::Float(sound.parse().ok()?),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to a value, and serde_json's for comparison.
    #[test]
    fn simd_json_the_scanner_and_serde_json_read_the_same() {
        for text in [
            r#"{"a":[1,-2.5e3,0,true,false,null,"x\"y\\z\u00e9 \ud83d\ude00"],"b":{},"c":[],"d":{"e":[{"f":18446744073709551615}]}}"#,
            " [ 0.0 , -1 , 1E9 , 9223372036854775807, -9223372036854775808 ] ",
            "\"tab\\t é日\"",
            "null",
            "12",
        ] {
            let value = Value::parse(text).expect("sound");
            assert_eq!(scanned(text.trim()).as_ref(), Some(&value), "{text}");
            let theirs: serde_json::Value = serde_json::from_str(text).expect("sound");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&value.to_string()).ok(),
                Some(theirs),
                "{text}"
            );
        }
    }

    #[test]
    fn what_simd_json_refuses_is_read_all_the_same() {
        let value = Value::parse(r#"{"n":123456789012345678901234567890,"h":"a\ud800b","s":"t"}"#);
        let value = value.expect("sound");
        assert_eq!(value["n"].as_f64(), Some(123456789012345678901234567890.0));
        assert_eq!(value["h"].as_str(), Some("a\u{fffd}b"));
        assert_eq!(value["s"].as_str(), Some("t"));
    }

    #[test]
    fn broken_text_has_no_value() {
        for text in [
            "",
            "{\"a\":\"x\"",
            "{\"a\":1,}",
            "[1,]",
            "NaN",
            "{}{}",
            "{\"a\":\"\0\"}",
            "[[1]",
        ] {
            assert_eq!(Value::parse(text), None, "{text:?}");
        }
        assert_eq!(Value::parse(&("[".repeat(200) + &"]".repeat(200))), None);
        assert!(Value::parse(&("[".repeat(128) + &"]".repeat(128))).is_some());
    }

    #[test]
    fn the_first_of_two_equal_keys_counts() {
        let value = Value::parse(r#"{"a":1,"b":2,"\u0061":3,"b":null}"#).expect("sound");
        assert_eq!(value.to_string(), r#"{"a":1,"b":2}"#);
        let many: Vec<String> = (0..60).map(|n| format!("\"k{}\":{n}", n % 20)).collect();
        let value = Value::parse(&format!("{{{}}}", many.join(","))).expect("sound");
        assert_eq!(
            value.as_object().map(|object| object.iter().count()),
            Some(20)
        );
        assert_eq!(value["k7"].as_f64(), Some(7.0));
    }
}
