//! Questions that SQL answers.
//!
//! In: `.sql` files. Out: the sections of a report, one per file. Promise: a question that needs several tables reads the
//! events once: what they share is made a table first.

use super::{Analysis, AnalysisError};
use crate::report::{FIT, Section};
use crate::session::{Params, Session, SessionError};
use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;

/// One table of an answer.
#[derive(Debug, Clone, Copy)]
pub struct SqlSection {
    /// The field name in JSON.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The query.
    pub sql: &'static str,
    /// The same question to the table `key_uses`, for a lake whose summaries of use suffice.
    pub of_summaries: Option<&'static str>,
    /// Columns that a narrow table may leave out.
    pub details: &'static [&'static str],
}

impl SqlSection {
    /// Asks the summaries of use where they suffice, else the events.
    ///
    /// # Errors
    ///
    /// Those of the session.
    pub async fn rows(
        &self,
        session: &Session,
        params: &Params,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), SessionError> {
        let sql = match self.of_summaries {
            Some(of_summaries) if session.has_key_uses().await? => of_summaries,
            _ => self.sql,
        };
        session.sql(sql, params).await
    }
}

/// A question that SQL answers.
#[derive(Debug, Clone, Copy)]
pub struct SqlAnalysis {
    /// The name on the command line and in JSON.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// A table that the sections are computed from: its name and query.
    pub base: Option<(&'static str, &'static str)>,
    /// The tables of the answer.
    pub sections: &'static [SqlSection],
    /// What to say when the first section has no row.
    pub empty: &'static str,
}

#[async_trait]
impl Analysis for SqlAnalysis {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    async fn sections(
        &self,
        session: &Session,
        params: &Params,
    ) -> Result<(Vec<Section>, Vec<String>), AnalysisError> {
        let mut params = params.clone();
        if let Some((table, sql)) = self.base {
            session.register(table, session.sql(sql, &params).await?)?;
            // The sections ask the table, which is of these parameters already.
            params.clear();
        }
        let mut sections = Vec::new();
        for section in self.sections {
            let (schema, batches) = section.rows(session, &params).await?;
            sections.push(Section {
                name: section.name.to_owned(),
                title: section.title.to_owned(),
                schema: with_details(&schema, section.details),
                batches,
            });
        }
        let none = sections.first().is_none_or(|section| section.rows() == 0);
        let notes = if none {
            vec![self.empty.to_owned()]
        } else {
            Vec::new()
        };
        Ok((sections, notes))
    }
}

/// The schema, with a mark on the columns that a narrow table may leave out.
fn with_details(schema: &Schema, details: &[&str]) -> SchemaRef {
    let mark = HashMap::from([(FIT.to_owned(), "detail".to_owned())]);
    let fields =
        schema
            .fields()
            .iter()
            .map(|field| match details.contains(&field.name().as_str()) {
                true => field.as_ref().clone().with_metadata(mark.clone()),
                false => field.as_ref().clone(),
            });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
