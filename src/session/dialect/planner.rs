//! What does a dot after a column mean?
//!
//! In: a column and the names after it. Out: the field of a struct, or the member of an object in JSON text. Promise: case
//! does not matter, as in Athena; a struct without such a field is an error, JSON without such a member is null.

use super::columns::is_json;
use crate::session::functions::JSON_MEMBER;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, Result, TableReference, plan_err};
use datafusion::execution::SessionStateDefaults;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use std::sync::Arc;

/// DataFusion's planners, after one of our own.
pub(crate) fn planners(functions: &[ScalarUDF]) -> Vec<Arc<dyn ExprPlanner>> {
    let member = functions
        .iter()
        .find(|function| function.name() == JSON_MEMBER);
    let dots = member.map(|member| {
        Arc::new(Dots {
            member: member.clone(),
        }) as Arc<dyn ExprPlanner>
    });
    dots.into_iter()
        .chain(SessionStateDefaults::default_expr_planners())
        .collect()
}

#[derive(Debug)]
struct Dots {
    member: ScalarUDF,
}

impl ExprPlanner for Dots {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let mut expr = Expr::Column(Column::from((qualifier, field)));
        let mut data_type = field.data_type();
        let mut json = is_json(field.name());
        for name in names {
            match data_type {
                DataType::Struct(fields) => {
                    let found = fields
                        .iter()
                        .find(|field| field.name() == name)
                        .or_else(|| {
                            fields
                                .iter()
                                .find(|field| field.name().eq_ignore_ascii_case(name))
                        });
                    let Some(found) = found else {
                        let known: Vec<&str> =
                            fields.iter().map(|field| field.name().as_str()).collect();
                        return plan_err!(
                            "{} has no field {name}: {}",
                            field.name(),
                            known.join(", ")
                        );
                    };
                    expr = get_field(expr, found.name().as_str());
                    data_type = found.data_type();
                    json =
                        found.name() == "attributes" && !matches!(data_type, DataType::Struct(_));
                }
                _ if json => {
                    expr = self.member.call(vec![expr, lit(name.as_str())]);
                    data_type = &DataType::Utf8;
                }
                _ => return Ok(PlannerResult::Original(Vec::new())),
            }
        }
        Ok(PlannerResult::Planned(expr))
    }
}
