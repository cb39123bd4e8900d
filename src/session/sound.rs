//! One reading of JSON for every function.
//!
//! In: the plan of a query. Out: the same, in which `json_get` and its like are given sound JSON only. Promise: text that is
//! not JSON from end to end is null for them, as for `json_extract`; half a surrogate pair is U+FFFD, as everywhere.
//!
//! These functions come from `datafusion-functions-json`, whose parser stops when it has found what it looks for: of
//! `{"a":"x"` it gives `x`. Of doubled keys it takes the first, as `json` does.

use crate::json::scan::sound;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use std::borrow::Cow;
use std::sync::Arc;

/// The functions whose first argument is JSON text.
const READERS: [&str; 11] = [
    "json_get",
    "json_get_bool",
    "json_get_float",
    "json_get_int",
    "json_get_json",
    "json_get_array",
    "json_get_str",
    "json_as_text",
    "json_contains",
    "json_length",
    "json_object_keys",
];

/// The rule, to be registered with a session.
#[derive(Debug)]
pub(super) struct SoundJson {
    sound: Arc<ScalarUDF>,
}

/// The function that the rule writes into plans.
pub(super) fn function() -> ScalarUDF {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::from(Sound { signature })
}

impl SoundJson {
    pub(super) fn new() -> Self {
        Self {
            sound: Arc::new(function()),
        }
    }

    fn expression(&self, expr: Expr, rows: &DFSchema) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(mut call) = expr else {
            return Ok(Transformed::no(expr));
        };
        let name = call.func.name();
        let reads = READERS.contains(&name);
        let text = call.args.first().filter(|text| {
            let checked = matches!(text, Expr::ScalarFunction(call) if call.func.name() == NAME);
            !checked && text.get_type(rows).is_ok_and(|given| given.is_string())
        });
        let Some(text) = text.filter(|_| reads) else {
            return Ok(Transformed::no(Expr::ScalarFunction(call)));
        };
        let (func, args) = (Arc::clone(&self.sound), vec![text.clone()]);
        call.args[0] = Expr::ScalarFunction(ScalarFunction { func, args });
        Ok(Transformed::yes(Expr::ScalarFunction(call)))
    }
}

impl AnalyzerRule for SoundJson {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|plan| {
            let mut rows = merge_schema(&plan.inputs());
            if let LogicalPlan::TableScan(scan) = &plan {
                rows.merge(&scan.projected_schema);
            }
            let names = NamePreserver::new(&plan);
            let sound = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let sound = expr.transform_up(|expr| self.expression(expr, &rows))?;
                Ok(sound.update_data(|expr| name.restore(expr)))
            })?;
            match sound.transformed {
                true => sound.map_data(LogicalPlan::recompute_schema),
                false => Ok(sound),
            }
        });
        Ok(rewritten?.data)
    }

    fn name(&self) -> &str {
        NAME
    }
}

const NAME: &str = "sound_json";

/// The text if it is JSON, else null.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sound {
    signature: Signature,
}

impl ScalarUDFImpl for Sound {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        super::functions::columnar(&args, |arrays| checked(&arrays[0]))
    }
}

/// The column without what is not JSON; itself when all of it is.
fn checked(column: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let rows: Vec<Option<Cow<'_, str>>> =
        texts.iter().map(|text| sound(text?).map(whole)).collect();
    let as_given = |(row, text): (&Option<Cow<'_, str>>, Option<&str>)| match row {
        Some(Cow::Borrowed(_)) => true,
        Some(Cow::Owned(_)) => false,
        None => text.is_none(),
    };
    if rows.iter().zip(texts.iter()).all(as_given) {
        return Ok(Arc::clone(column));
    }
    let checked: StringArray = rows.into_iter().collect();
    Ok(cast(&checked, column.data_type())?)
}

/// A sound text whose escapes all stand for characters.
fn whole(sound: &str) -> Cow<'_, str> {
    /// `\` `u` and four digits.
    const ESCAPE: usize = 6;
    if !sound.contains("\\ud") && !sound.contains("\\uD") {
        return Cow::Borrowed(sound);
    }
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut rest) = (String::with_capacity(sound.len()), sound);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, written) = match (unit(rest), rest.get(ESCAPE..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (2 * ESCAPE, None),
            (Some(0xd800..0xe000), _) => (ESCAPE, Some("\\ufffd")),
            (Some(_), _) => (ESCAPE, None),
            (None, _) => (2, None),
        };
        let (this, after) = rest.split_at_checked(escape).unwrap_or((rest, ""));
        out.push_str(written.unwrap_or(this));
        rest = after;
    }
    out.push_str(rest);
    match out == sound {
        true => Cow::Borrowed(sound),
        false => Cow::Owned(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_pairs_are_mended_and_everything_else_stays() {
        for (text, mended) in [
            (r#""a\ud800b""#, r#""a\ufffdb""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\ud83d\ude00\uDC00""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud800\u0041""#, r#""\ufffd\u0041""#),
        ] {
            assert_eq!(whole(text), mended);
        }
    }
}
