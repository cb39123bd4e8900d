//! Regular expressions, as Athena calls them.
//!
//! In: text and patterns. Out: what matched. Promise: patterns are those of DataFusion's own `regexp_…` functions; a pattern
//! that is none is an error.

use super::function::{ArgumentKind, Arguments, Function, text};
use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use arrow::compute::{cast, regexp_match};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Function::udf(
            "regexp_extract",
            GROUP,
            |_| Ok(DataType::Utf8),
            |arrays, _| extract(&arrays[0], &arrays[1], arrays.get(2)),
        ),
        Function::udf(
            "regexp_extract_all",
            GROUP,
            |_| {
                Ok(DataType::List(Arc::new(Field::new(
                    "item",
                    DataType::Utf8,
                    true,
                ))))
            },
            |arrays, _| extract_all(&arrays[0], &arrays[1], arrays.get(2)),
        ),
    ]
}

const GROUP: Arguments = Arguments {
    kinds: &[
        ("text", ArgumentKind::Text),
        ("pattern", ArgumentKind::Text),
        ("group", ArgumentKind::Int),
    ],
    required: 2,
};

/// All matches, or a group of each.
fn extract_all(
    texts: &ArrayRef,
    patterns: &ArrayRef,
    groups: Option<&ArrayRef>,
) -> Result<ArrayRef> {
    let (texts, patterns) = (text(texts)?, text(patterns)?);
    let groups = groups
        .map(|groups| cast(groups, &DataType::Int64))
        .transpose()?;
    let groups = groups
        .as_ref()
        .map(|groups| groups.as_primitive::<Int64Type>());
    let mut lists = ListBuilder::new(StringBuilder::new());
    // Neighbours have the same pattern, mostly.
    let mut last: Option<(&str, Regex)> = None;
    for row in 0..texts.len() {
        let group = groups.map_or(Some(0), |groups| {
            groups.is_valid(row).then(|| groups.value(row))
        });
        let (Some(group), true, true) = (group, texts.is_valid(row), patterns.is_valid(row)) else {
            lists.append_null();
            continue;
        };
        let pattern = patterns.value(row);
        let regex = match last.take() {
            Some((before, regex)) if before == pattern => regex,
            _ => Regex::new(pattern)
                .map_err(|error| exec_datafusion_err!("{pattern:?} is not a pattern: {error}"))?,
        };
        let group = usize::try_from(group)
            .ok()
            .filter(|group| *group < regex.captures_len());
        let Some(group) = group else {
            return exec_err!("the pattern {pattern:?} has no such group");
        };
        let found = regex.captures_iter(texts.value(row));
        lists.append_value(found.map(|found| found.get(group).map(|found| found.as_str())));
        last = Some((pattern, regex));
    }
    Ok(Arc::new(lists.finish()))
}

/// The first match, or a group of it; group 0 is the whole.
fn extract(texts: &ArrayRef, patterns: &ArrayRef, groups: Option<&ArrayRef>) -> Result<ArrayRef> {
    // Without groups the kernel gives the whole match, with groups only these: the whole is made the first group.
    let whole: StringArray = text(patterns)?
        .iter()
        .map(|pattern| pattern.map(|pattern| format!("({pattern})")))
        .collect();
    let matches = regexp_match(&text(texts)?, &whole, None)?;
    let matches = matches.as_list::<i32>();
    let groups = groups
        .map(|groups| cast(groups, &DataType::Int64))
        .transpose()?;
    let groups = groups
        .as_ref()
        .map(|groups| groups.as_primitive::<Int64Type>());
    let found: StringArray = (0..matches.len())
        .map(|row| {
            let group = match groups {
                Some(groups) if groups.is_null(row) => return None,
                Some(groups) => usize::try_from(groups.value(row)).ok()?,
                None => 0,
            };
            if matches.is_null(row) {
                return None;
            }
            let captures = matches.value(row);
            let captures = captures.as_string::<i32>();
            (group < captures.len() && captures.is_valid(group))
                .then(|| captures.value(group).to_owned())
        })
        .collect();
    Ok(Arc::new(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    #[test]
    fn groups_are_counted_from_the_whole() -> Result<()> {
        let column = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; 4])) };
        let groups: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3]));
        let (texts, patterns) = (column("role/admin x"), column("(\\w+)/(\\w+)"));
        let found = extract(&texts, &patterns, Some(&groups))?;
        assert_eq!(
            found.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("role/admin"), Some("role"), Some("admin"), None]
        );
        let found = extract(&texts, &column("role/"), None)?;
        assert_eq!(found.as_string::<i32>().value(0), "role/");
        assert!(extract(&texts, &column("("), None).is_err());
        let all = extract_all(&texts, &column("\\w+"), None)?;
        let all = all.as_list::<i32>().value(0);
        let all = all.as_string::<i32>().iter().collect::<Vec<_>>();
        assert_eq!(all, [Some("role"), Some("admin"), Some("x")]);
        assert!(extract_all(&texts, &column("("), None).is_err());
        assert!(extract_all(&texts, &column("(a)"), Some(&groups)).is_err());
        Ok(())
    }
}
