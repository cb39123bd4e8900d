//! Lists where texts belong.
//!
//! In: a plan. Out: whether a function of texts is given a list. Promise: `length(resources)` is an error that says what is
//! written instead; the engine would count the characters of the list as it is printed.

use super::fault::SqlFault;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};

/// Functions that take anything for a text, and what is written for a list.
const FUNCTIONS: [(&str, &str); 6] = [
    ("character_length", "cardinality(list)"),
    ("octet_length", "cardinality(list)"),
    ("bit_length", "cardinality(list)"),
    ("concat", "one list || another"),
    ("concat_ws", "array_to_string(list, ',')"),
    ("reverse", "array_reverse(list)"),
];

/// The first such call in a plan.
///
/// # Errors
///
/// Those of the engine.
pub(super) fn among_texts(plan: &LogicalPlan) -> Result<Option<SqlFault>, DataFusionError> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|root| {
            root.apply(|expr| {
                found = found.take().or_else(|| fault(expr, &schema));
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

fn fault(expr: &Expr, schema: &DFSchema) -> Option<SqlFault> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let known = FUNCTIONS.iter().find(|(name, _)| *name == call.func.name());
    let (_, instead) = known?;
    let list = call.args.iter().any(|arg| {
        let given = arg.get_type(schema);
        // What `json_get` gives has many types, and texts among them.
        given.is_ok_and(|given| given.is_nested() && !matches!(given, DataType::Union(..)))
    });
    list.then(|| {
        SqlFault::new(format!(
            "{} takes texts, and is given a list: write {instead}",
            call.func.name()
        ))
    })
}
