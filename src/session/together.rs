//! The statements of one text, made ready together.
//!
//! In: statements, texts for their parameters. Out: queries that can begin. Promise: an error in the last one is known before the
//! first begins; log files are read once for all of them; a value that no statement takes is an error, not ignored.

use super::fault::{FaultKind, SqlFault};
use super::{Query, Ready, Session, SessionError, Statement};
use std::collections::BTreeMap;

impl Session {
    /// Makes statements ready.
    ///
    /// # Errors
    ///
    /// Those of [`Session::plan`], [`Query::bind_texts`] and [`Query::ready`]; a value for which there is no parameter.
    pub async fn ready_all(
        &self,
        statements: Vec<Statement>,
        texts: &BTreeMap<String, String>,
    ) -> Result<Vec<Ready>, SessionError> {
        let mut unused: Vec<&String> = texts.keys().collect();
        let mut queries = Vec::new();
        for statement in statements {
            let query = self.plan(statement).await?;
            let wanted = query.parameters()?;
            unused.retain(|name| !wanted.contains_key(*name));
            queries.push(query);
        }
        if let Some(name) = unused.first() {
            let kind = FaultKind::UnfitValue;
            let message = format!("no statement has a parameter ${name}");
            return Err(SqlFault {
                kind,
                ..SqlFault::new(message)
            }
            .into());
        }
        let bound = queries.into_iter().map(|query| query.bind_texts(texts));
        let bound = bound.collect::<Result<Vec<Query>, _>>()?;
        self.foresee_queries(&bound).await?;
        let mut ready = Vec::new();
        for query in bound {
            ready.push(query.ready().await?);
        }
        Ok(ready)
    }
}
