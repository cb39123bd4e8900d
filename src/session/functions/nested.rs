//! Lists, maps, and JSON objects in the place of maps.
//!
//! In: a list, a map or JSON text. Out: elements, keys, values, how many. Promise: Athena's and CloudTrail Lake's rules:
//! positions count from 1, what is not there is null. `requestParameters` of an event data store is a map there and JSON
//! text here; these functions read both.

use super::address;
use super::function::{ArgumentKind, Arguments, Function, text};
use super::json;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, ListBuilder, MapArray,
    StringArray, StringBuilder, StructArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::functions_nested::array_has::array_has_udf;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

const COLLECTION: Arguments = Arguments::all(&[("collection", ArgumentKind::Any)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    let element = Arguments::all(&[
        ("collection", ArgumentKind::Any),
        ("key", ArgumentKind::Any),
    ]);
    vec![
        Function::udf("element_at", element, element_type, |arrays, _| {
            element_at(&arrays[0], &arrays[1])
        }),
        Function::udf(
            "contains",
            element,
            |_| Ok(DataType::Boolean),
            |arrays, _| contains(&arrays[0], &arrays[1]),
        ),
        Function::udf(
            "cardinality",
            COLLECTION,
            |_| Ok(DataType::Int64),
            |arrays, _| cardinality(&arrays[0]),
        ),
        Function::udf(
            "map_keys",
            COLLECTION,
            |given| part_type("map_keys", given, 0),
            |arrays, _| map_part(&arrays[0], 0),
        ),
        Function::udf(
            "map_values",
            COLLECTION,
            |given| part_type("map_values", given, 1),
            |arrays, _| map_part(&arrays[0], 1),
        ),
        Function::udf(
            "resource_list",
            Arguments::all(&[("resources", ArgumentKind::Text)]),
            |_| {
                Ok(DataType::List(Arc::new(Field::new(
                    "item",
                    resource(),
                    true,
                ))))
            },
            |arrays, _| resource_list(&text(&arrays[0])?),
        ),
    ]
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null
    )
}

fn element_type(given: &[DataType]) -> Result<DataType> {
    match &given[0] {
        DataType::List(item) => Ok(item.data_type().clone()),
        DataType::Map(entries, _) => entry_type(entries, 1),
        other if is_text(other) => Ok(DataType::Utf8),
        other => plan_err!("element_at takes a list, a map or JSON text, not {other}"),
    }
}

fn entry_type(entries: &Field, part: usize) -> Result<DataType> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Ok(fields[part].data_type().clone()),
        other => plan_err!("a map whose entries are {other}"),
    }
}

fn element_at(collection: &ArrayRef, key: &ArrayRef) -> Result<ArrayRef> {
    if let Some(list) = collection.as_list_opt::<i32>() {
        let positions = cast(key, &DataType::Int64)?;
        let positions = positions.as_primitive::<arrow::datatypes::Int64Type>();
        let indices: UInt32Array = (0..list.len())
            .map(|row| {
                if list.is_null(row) || positions.is_null(row) {
                    return None;
                }
                let length = i64::from(list.value_length(row));
                let index = match positions.value(row) {
                    position if position > 0 => position - 1,
                    position => length + position,
                };
                // Position 0 is at the place of the length: outside, like in no database at all.
                ((0..length).contains(&index))
                    .then(|| (list.value_offsets()[row] as i64 + index) as u32)
            })
            .collect();
        return Ok(take(list.values(), &indices, None)?);
    }
    let keys = text(key)?;
    if let Some(map) = collection.as_map_opt() {
        let names = text(map.keys())?;
        let indices: UInt32Array = (0..map.len())
            .map(|row| {
                if map.is_null(row) || keys.is_null(row) {
                    return None;
                }
                let (from, to) = (map.value_offsets()[row], map.value_offsets()[row + 1]);
                (from as usize..to as usize)
                    .find(|at| names.value(*at) == keys.value(row))
                    .map(|at| at as u32)
            })
            .collect();
        return Ok(take(map.values(), &indices, None)?);
    }
    let objects = text(collection)?;
    let found: StringArray = objects
        .iter()
        .zip(&keys)
        .map(|(object, key)| json::member_text(object?, key?))
        .collect();
    Ok(Arc::new(found))
}

/// `contains(list, value)`, `contains(network, address)`, and DataFusion's own `contains(text, part)`.
fn contains(collection: &ArrayRef, value: &ArrayRef) -> Result<ArrayRef> {
    if let DataType::List(item) = collection.data_type() {
        let value = cast(value, item.data_type())?;
        let fields = [collection, &value]
            .map(|array| Arc::new(Field::new("argument", array.data_type().clone(), true)));
        let result = array_has_udf().invoke_with_args(ScalarFunctionArgs {
            number_rows: collection.len(),
            args: vec![
                ColumnarValue::Array(Arc::clone(collection)),
                ColumnarValue::Array(value),
            ],
            arg_fields: fields.to_vec(),
            return_field: Arc::new(Field::new("contains", DataType::Boolean, true)),
            config_options: Arc::new(ConfigOptions::default()),
        })?;
        return result.into_array(collection.len());
    }
    let texts = text(collection)?;
    if let Some(addresses) = value.as_binary_opt::<i32>() {
        return address::in_networks(
            addresses
                .iter()
                .map(|bytes| bytes.and_then(address::of_bytes)),
            &texts,
        );
    }
    let parts = text(value)?;
    let found: BooleanArray = texts
        .iter()
        .zip(&parts)
        .map(|(text, part)| Some(text?.contains(part?)))
        .collect();
    Ok(Arc::new(found))
}

fn cardinality(collection: &ArrayRef) -> Result<ArrayRef> {
    let lengths: Int64Array = match collection.data_type() {
        DataType::List(_) => {
            let list = collection.as_list::<i32>();
            (0..list.len())
                .map(|row| {
                    list.is_valid(row)
                        .then(|| i64::from(list.value_length(row)))
                })
                .collect()
        }
        DataType::Map(..) => {
            let map = collection.as_map();
            (0..map.len())
                .map(|row| map.is_valid(row).then(|| i64::from(map.value_length(row))))
                .collect()
        }
        other if is_text(other) => text(collection)?
            .iter()
            .map(|text| json::size_of(text?))
            .collect(),
        other => return exec_err!("cardinality takes a list, a map or JSON text, not {other}"),
    };
    Ok(Arc::new(lengths))
}

fn part_type(name: &str, given: &[DataType], part: usize) -> Result<DataType> {
    let item = match &given[0] {
        DataType::Map(entries, _) => entry_type(entries, part)?,
        other if is_text(other) => DataType::Utf8,
        other => return plan_err!("{name} takes a map or JSON text, not {other}"),
    };
    Ok(DataType::List(Arc::new(Field::new("item", item, true))))
}

/// The keys or the values of a map, or of a JSON object, as a list.
fn map_part(collection: &ArrayRef, part: usize) -> Result<ArrayRef> {
    if let Some(map) = collection.as_map_opt() {
        let values = [MapArray::keys, MapArray::values][part](map);
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        let list = ListArray::try_new(
            field,
            map.offsets().clone(),
            Arc::clone(values),
            map.nulls().cloned(),
        )?;
        return Ok(Arc::new(list));
    }
    let mut lists = ListBuilder::new(StringBuilder::new());
    for object in &text(collection)? {
        match object.and_then(json::members) {
            None => lists.append_null(),
            Some(members) => lists.append_value(members.into_iter().map(|(key, value)| {
                if part == 0 {
                    Some(key.into_owned())
                } else {
                    value
                }
            })),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn resource() -> DataType {
    DataType::Struct(Fields::from(
        ["arn", "accountid", "type"]
            .map(|name| Field::new(name, DataType::Utf8, true))
            .to_vec(),
    ))
}

/// `resources` as the records have it, as a list of structs.
fn resource_list(texts: &StringArray) -> Result<ArrayRef> {
    let mut columns = [const { Vec::new() }; 3];
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for resources in texts {
        let elements = resources.and_then(json::elements);
        valid.push(elements.is_some());
        let elements = elements.unwrap_or_default();
        lengths.push(elements.len());
        for element in elements {
            for (column, name) in columns.iter_mut().zip(["arn", "accountid", "type"]) {
                column.push(json::member_of_any_case(element, name).and_then(json::scalar_text));
            }
        }
    }
    let columns = columns.map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
    let DataType::Struct(fields) = resource() else {
        return exec_err!("a resource is a struct");
    };
    let structs = StructArray::try_new(fields, columns.to_vec(), None)?;
    let list = ListArray::try_new(
        Arc::new(Field::new("item", resource(), true)),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(structs),
        Some(NullBuffer::from(valid)),
    )?;
    Ok(Arc::new(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int32Array;

    #[test]
    fn elements_are_counted_from_one() -> Result<()> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for _ in 0..5 {
            lists.append_value([Some("a"), Some("b")]);
        }
        let lists: ArrayRef = Arc::new(lists.finish());
        let positions: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 0, -1]));
        let found = element_at(&lists, &positions)?;
        assert_eq!(
            found.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("a"), Some("b"), None, None, Some("b")]
        );
        Ok(())
    }

    #[test]
    fn json_takes_the_place_of_maps() -> Result<()> {
        let objects: ArrayRef = Arc::new(StringArray::from(vec![
            Some(r#"{"a":"x","b":{"c":1},"n":null}"#),
            Some("[]"),
            None,
        ]));
        let keys: ArrayRef = Arc::new(StringArray::from(vec!["b", "b", "b"]));
        let found = element_at(&objects, &keys)?;
        assert_eq!(
            found.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some(r#"{"c":1}"#), None, None]
        );
        let sizes = cardinality(&objects)?;
        assert_eq!(
            sizes
                .as_primitive::<arrow::datatypes::Int64Type>()
                .iter()
                .collect::<Vec<_>>(),
            [Some(3), Some(0), None]
        );
        let values = map_part(&objects, 1)?;
        let values = values.as_list::<i32>();
        assert_eq!(
            values
                .value(0)
                .as_string::<i32>()
                .iter()
                .collect::<Vec<_>>(),
            [Some("x"), Some(r#"{"c":1}"#), None]
        );
        assert!(values.is_null(1));
        Ok(())
    }

    #[test]
    fn resources_are_structs_whatever_the_case() -> Result<()> {
        let texts = StringArray::from(vec![
            Some(r#"[{"ARN":"arn:1","accountId":"2","type":"AWS::S3::Bucket"},{"arn":"arn:2"}]"#),
            Some("null"),
            None,
        ]);
        let lists = resource_list(&texts)?;
        let lists = lists.as_list::<i32>();
        assert!(lists.is_null(1) && lists.is_null(2));
        let first = lists.value(0);
        let arns = first.as_struct().column(0).as_string::<i32>().clone();
        assert_eq!(
            arns.iter().flatten().collect::<Vec<_>>(),
            ["arn:1", "arn:2"]
        );
        assert!(first.as_struct().column(2).is_null(1));
        Ok(())
    }
}
