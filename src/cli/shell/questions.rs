//! Questions of the library, asked from the shell.
//!
//! In: a name, and values for its parameters. Out: what is to be run. Promise: values of `\set` stand for those that are
//! not given, so that one key can be looked at from every side.

use std::collections::BTreeMap;

use chrono::Utc;
use keytrail::analysis::Analysis as _;
use keytrail::analysis::question::{Library, NOTHING, ParameterError};
use keytrail::session::Session;

use crate::failure::Failure;
use crate::stream::Asked;

/// What a question of this name asks, with these values.
pub(super) async fn asked(
    library: &Library,
    (name, given): (&str, BTreeMap<String, String>),
    set: &BTreeMap<String, String>,
    session: &Session,
) -> Result<Asked, Failure> {
    let question = library.get(name)?;
    let mut values = given;
    for parameter in &question.header().parameters {
        if let (false, Some(value)) = (
            values.contains_key(&parameter.name),
            set.get(&parameter.name),
        ) {
            values.insert(parameter.name.clone(), value.clone());
        }
    }
    let params = question.params(&values, Utc::now()).map_err(missing)?;
    let query = question.ready(session, &params).await;
    let query = query.map_err(|error| Failure::from(error).within(question.file()))?;
    Ok(Asked {
        name: question.report().to_owned(),
        title: question.title().to_owned(),
        queries: vec![query],
        nothing: Some(NOTHING),
        notes: Vec::new(),
    })
}

/// A value that is missing: here it is not given on the command line.
fn missing(error: ParameterError) -> Failure {
    match &error {
        ParameterError::Missing { question, missing } => {
            let params = missing
                .iter()
                .map(|parameter| format!(" {}=…", parameter.name));
            Failure::usage(error.to_string())
                .hint(format!("\\run {question}{}", params.collect::<String>()))
                .hint("or once for all saved queries: \\set NAME VALUE")
        }
        _ => error.into(),
    }
}
