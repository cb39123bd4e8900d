//! What the engine says, in plain words.
//!
//! In: the words of an error. Out: one sentence about the statement. Promise: no path through the engine's parts, no list of
//! all that would be valid, no syntax tree, and no type by the name it has inside.

use regex::Regex;
use std::sync::LazyLock;

/// The sentence.
pub(super) fn plain(said: &str) -> String {
    let said = about_the_statement(said);
    let said = named_types(&without_insides(&said));
    let said = without_trees(&said);
    translated(&said)
}

/// What the engine says of a pattern that it cannot use, if that is what these words are about.
pub(super) fn of_pattern(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("regex parse error:")?;
    let pattern = rest.lines().map(str::trim).find(|line| !line.is_empty())?;
    let (_, reason) = rest.split_once("error: ")?;
    let reason = reason.lines().next().unwrap_or_default();
    Some(format!(
        "the regular expression {pattern:?} cannot be used: {}",
        reason.trim_end_matches(['.', ')', '"'])
    ))
}

/// What the engine says when memory is used up: how much is held, and how much more is needed for what.
pub(super) fn of_memory(said: &str) -> String {
    let first = said.lines().next().unwrap_or_default();
    let told = || {
        let (_, rest) = first.split_once("Failed to allocate additional ")?;
        let (more, rest) = rest.split_once(" for ")?;
        let (part, rest) = rest.split_once(" with ")?;
        let (held, _) = rest.split_once(" already")?;
        let does = [
            ("Join", "join"),
            ("Sort", "sort"),
            ("Aggregate", "group"),
            ("Group", "group"),
        ];
        let does = does.iter().find(|(name, _)| part.contains(name));
        let does = does.map_or("answer", |(_, does)| does);
        Some(format!(
            "{held} are held, and {more} more are needed to {does} rows"
        ))
    };
    told().unwrap_or_else(|| first.to_owned())
}

/// What the engine says without the parts of it through which the error went.
fn about_the_statement(said: &str) -> String {
    const THROUGH: [&str; 2] = [
        "user-defined coercion failed with: ",
        "failed to match any signature, errors: ",
    ];
    const PARTS: [&str; 8] = [
        "Error during planning: ",
        "Execution error: ",
        "Internal error: ",
        "Arrow error: ",
        "Cast error: ",
        "Compute error: ",
        "Parser error: ",
        "This feature is not implemented: ",
    ];
    let mut said = said.trim();
    for through in THROUGH {
        said = said.split_once(through).map_or(said, |(_, inside)| inside);
    }
    while let Some(inside) = PARTS.iter().find_map(|part| said.strip_prefix(part)) {
        said = inside;
    }
    // More tries, and advice to look at a list that is not there.
    for rest in [
        ".,Error during planning: ",
        ",Error during planning: ",
        ". No function matches",
    ] {
        said = said.split_once(rest).map_or(said, |(before, _)| before);
    }
    said.to_owned()
}

/// `Unsupported ast node Pivot { table: … }` as `PIVOT is not supported`.
fn without_trees(said: &str) -> String {
    static TREE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"([A-Z][a-z][A-Za-z]*) ?(\{ \w+: |\([A-Z][A-Za-z]+[({ ])").ok()
    });
    let refuses = ["support", "implement"]
        .iter()
        .any(|word| said.contains(word));
    let tree = TREE.as_ref().filter(|_| refuses);
    let tree = tree.and_then(|tree| tree.captures(said));
    let Some(name) = tree.and_then(|tree| tree.get(1)) else {
        return said.to_owned();
    };
    let mut words = String::new();
    for letter in name.as_str().chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_uppercase());
    }
    format!("{words} is not supported in this place")
}

/// Lists and structs without what they are made of: that of `userIdentity` takes half a page.
fn without_insides(said: &str) -> String {
    const NAMES: [(&str, &str); 7] = [
        ("LargeList(", "list"),
        ("FixedSizeList(", "list"),
        ("List(", "list"),
        ("Struct(", "struct"),
        ("Map(", "map"),
        ("Dictionary(", "text"),
        ("Union(", "JSON value"),
    ];
    let mut said = said.to_owned();
    for (begin, name) in NAMES {
        while let Some(at) = said.find(begin) {
            let inside = at + begin.len();
            let mut open = 1;
            let end = said[inside..].find(|letter: char| {
                open += match letter {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                open == 0
            });
            let rest = end.map_or("", |end| &said[inside + end + 1..]);
            said = format!("{}{name}{rest}", &said[..at]);
        }
    }
    said
}

/// Types by the names that DESCRIBE gives them.
fn named_types(said: &str) -> String {
    const NAMES: [(&str, &str); 10] = [
        (r" \(DataType: [^()]*(\([^()]*\))?[^()]*\)", ""),
        (
            r#"\bTimestamp\((ns|µs|ms|s)(, (None|Some\([^)]*\)|"[^"]*"))?\)"#,
            "timestamp",
        ),
        (r"\b(Utf8View|LargeUtf8|Utf8)\b", "text"),
        (r"\bU?Int(8|16|32|64)\b", "integer"),
        (
            r"\b(Float(16|32|64)|Decimal(32|64|128|256)?\([0-9]+, ?-?[0-9]+\))",
            "number",
        ),
        (r"\bDate(32|64)\b", "date"),
        (r"\bInterval\(\w+\)", "interval"),
        (r"\bDuration\(\S+\)", "difference of times"),
        (r"\b(LargeBinary|BinaryView|Binary)\b", "bytes"),
        (r"\bBoolean\b", "boolean"),
    ];
    static TYPES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let types = NAMES.iter();
        types
            .filter_map(|(inside, name)| Some((Regex::new(inside).ok()?, *name)))
            .collect()
    });
    TYPES.iter().fold(said.to_owned(), |said, (inside, name)| {
        inside.replace_all(&said, *name).into_owned()
    })
}

/// Sentences whose meaning takes some knowledge of the engine.
fn translated(said: &str) -> String {
    let after = |start: &str| said.strip_prefix(start);
    let number_for_time = |sides: &str| {
        sides.contains("timestamp") && (sides.contains("integer") || sides.contains("number"))
    };
    let compared = [
        "Cannot infer common argument type for comparison operation ",
        "Can not find compatible types to compare ",
        "Failed to coerce types ",
    ];
    if let Some(sides) = compared.into_iter().find_map(after) {
        return match number_for_time(sides) {
            true => format!(
                "these cannot be compared: {sides}; the time of a number of seconds since 1970 is from_unixtime(number)"
            ),
            false if sides.contains("boolean") => format!(
                "these cannot be compared: {sides}; a boolean is true or false, without quotes"
            ),
            false => format!("these cannot be compared: {sides}"),
        };
    }
    if let Some(sides) = after("Cannot coerce arithmetic expression ") {
        let sides = sides.trim_end_matches(" to valid types");
        return match number_for_time(sides) {
            true => {
                format!("this cannot be computed: {sides}; a length of time is INTERVAL '1' DAY")
            }
            false => format!("this cannot be computed: {sides}"),
        };
    }
    if said.starts_with("Fail to find the coerced type") {
        return "values of different types stand side by side: write a cast, as in CAST('2025-03-01' AS TIMESTAMP)".to_owned();
    }
    if let Some((given, _)) = after("There isn't a common type to coerce ")
        .and_then(|sides| sides.split_once(" and "))
        .filter(|(given, _)| *given != "timestamp")
    {
        return format!(
            "LIKE compares texts, and this is a {given}; the elements of a list are compared with any_match(list, x -> x LIKE 'a%')"
        );
    }
    if said.starts_with("There isn't a common type to coerce timestamp and ") {
        return "LIKE compares texts: write CAST(event_time AS VARCHAR) LIKE '2025-03-01%', or compare times with >= and <".to_owned();
    }
    if said.starts_with("Function 'generate_series' expects") {
        return "a sequence has a first, a last and a step; that of days or times is like INTERVAL '1' DAY".to_owned();
    }
    if said == "Format error" {
        return "the format of a time cannot be used: write it like '%Y-%m-%d'".to_owned();
    }
    if let Some((_, call)) = said.split_once("Array overflow on ") {
        return format!("a whole number does not fit: the result of {call}");
    }
    if said.starts_with("Cannot access field at argument") && said.contains("type text") {
        return "a text has no members: of JSON text write json ->> 'name', or json.name"
            .to_owned();
    }
    if said.starts_with("Projections require unique expression names") {
        return "two columns would have the same name: give one of them another, as in count(*) AS n".to_owned();
    }
    if said.starts_with("COUNT DISTINCT with multiple arguments") {
        return "count(DISTINCT …) takes one value: write count(DISTINCT (a, b))".to_owned();
    }
    if let Some(name) = after("table function '").and_then(|rest| rest.strip_suffix("' not found"))
    {
        return format!("there is no table function {name:?}");
    }
    if let Some(name) = after("variable [").and_then(|rest| rest.split_once(']')) {
        return format!(
            "there are no variables ({}): a parameter is written $name",
            name.0.trim_matches('"')
        );
    }
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_named() {
        let said = "regex parse error:\n    ^(?!a)\n     ^^^\nerror: look-around, including look-ahead and look-behind, is not supported";
        assert_eq!(
            of_pattern(said).as_deref(),
            Some(
                "the regular expression \"^(?!a)\" cannot be used: look-around, including look-ahead and look-behind, is not supported"
            )
        );
        assert_eq!(of_pattern("something else"), None);
    }

    #[test]
    fn memory_is_told_in_numbers() {
        assert_eq!(
            of_memory(
                "Failed to allocate additional 230.7 MB for CrossJoinExec with 3.6 GB already allocated for this reservation - 173.8 MB remain available for the total memory pool: fair(pool_size: 4.0 GB)"
            ),
            "3.6 GB are held, and 230.7 MB more are needed to join rows"
        );
        assert_eq!(
            of_memory("repeat would take 9\nconsumers: x"),
            "repeat would take 9"
        );
    }

    #[test]
    fn only_what_is_wrong_is_said() {
        for (said, meant) in [
            (
                "Cast error: Cannot cast string 'x' to value of Int32 type",
                "Cannot cast string 'x' to value of integer type",
            ),
            (
                "Execution error: Function 'f' user-defined coercion failed with: Error during planning: f(json, path) takes 2 arguments, not 1. No function matches the given name",
                "f(json, path) takes 2 arguments, not 1",
            ),
            (
                "Internal error: Function 'sum' failed to match any signature, errors: Error during planning: Function 'sum' requires Decimal, but received String (DataType: Utf8).,Error during planning: Function 'sum' requires UInt64",
                "Function 'sum' requires Decimal, but received String",
            ),
            (
                "This feature is not implemented: Unsupported ast node MatchRecognize { table: Table { name: ObjectName([Identifier(Ident { value: \"events\" })]) } } in create_relation",
                "MATCH RECOGNIZE is not supported in this place",
            ),
            (
                "Unsupported JOIN operator Semi(On(BinaryOp { left: CompoundIdentifier([]) }))",
                "SEMI is not supported in this place",
            ),
            (
                "Physical plan does not support logical expression Exists(Exists { subquery: <subquery>, negated: false })",
                "EXISTS is not supported in this place",
            ),
            (
                "Function 'date_trunc' requires String, but received Timestamp(µs, \"UTC\") (DataType: Timestamp(µs, \"UTC\"))",
                "Function 'date_trunc' requires String, but received timestamp",
            ),
            (
                "Unsupported CAST from List(Struct(\"arn\": Utf8, \"b\": List(Utf8))) to Utf8",
                "Unsupported CAST from list to text",
            ),
            (
                "There isn't a common type to coerce Struct(\"a\": Utf8) and Utf8 in LIKE expression",
                "LIKE compares texts, and this is a struct; the elements of a list are compared with any_match(list, x -> x LIKE 'a%')",
            ),
            (
                "Cannot infer common argument type for comparison operation Boolean = Utf8",
                "these cannot be compared: boolean = text; a boolean is true or false, without quotes",
            ),
            (
                "Cannot infer common argument type for comparison operation Timestamp(µs, \"UTC\") > Int64",
                "these cannot be compared: timestamp > integer; the time of a number of seconds since 1970 is from_unixtime(number)",
            ),
        ] {
            assert_eq!(plain(said), meant);
        }
    }
}
