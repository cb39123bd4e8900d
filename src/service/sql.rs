//! Statements, within bounds.
//!
//! In: statements that passed the session's gate, values for their parameters. Out: a report with a section for each. Promise: no
//! more rows and bytes are kept than the limits say, and that some are missing is said; a query whose rows are not wanted any
//! more ends.

use super::{ServiceError, Settings};
use crate::analysis::Analysis as _;
use crate::analysis::question::{NOTHING, Question};
use crate::report::{Report, Section};
use crate::session::{Ready, Session, SqlFault, Statement};
use std::collections::BTreeMap;

/// The most bytes that are kept of a statement's rows.
const BYTES: usize = 64 << 20;

/// The most statements of one text.
const STATEMENTS: usize = 20;

/// Answers statements.
pub(super) async fn answer(
    session: &Session,
    statements: Vec<Statement>,
    values: &BTreeMap<String, String>,
    settings: &Settings,
) -> Result<Report, ServiceError> {
    match statements.len() {
        0 => return Err(SqlFault::new("there is no statement in the SQL").into()),
        1..=STATEMENTS => {}
        count => {
            let many = format!("{count} statements at once; at most {STATEMENTS} are answered");
            return Err(SqlFault::new(many).into());
        }
    }
    let queries = session.ready_all(statements, values).await?;
    let rests = queries.iter().any(Ready::rests_on_events);
    let several = queries.len() > 1;
    let (mut sections, mut notes) = (Vec::new(), Vec::new());
    for (number, query) in (1..).zip(queries) {
        let (name, title) = match several {
            true => (format!("rows_{number}"), format!("Statement {number}")),
            false => ("rows".to_owned(), "Rows".to_owned()),
        };
        let (section, note) = rows((name, title), query, settings).await?;
        sections.push(section);
        notes.extend(note);
    }
    Ok(Report {
        name: "sql".to_owned(),
        title: "SQL".to_owned(),
        sections,
        notes,
        coverage: match rests {
            true => Some(session.coverage().await?),
            false => None,
        },
    })
}

/// Answers a saved query.
pub(super) async fn saved(
    session: &Session,
    asked: &Question,
    ready: Ready,
    settings: &Settings,
) -> Result<Report, ServiceError> {
    let title = asked.title().to_owned();
    let (section, note) = rows(("rows".to_owned(), title), ready, settings).await?;
    let nothing = (section.rows() == 0).then(|| NOTHING.to_owned());
    Ok(Report {
        name: asked.report().to_owned(),
        title: asked.title().to_owned(),
        sections: vec![section],
        notes: nothing.into_iter().chain(note).collect(),
        coverage: Some(session.coverage().await?),
    })
}

/// The first rows of a query, and a remark if there are more.
async fn rows(
    (name, title): (String, String),
    query: Ready,
    settings: &Settings,
) -> Result<(Section, Option<String>), ServiceError> {
    let mut section = Section {
        name,
        title,
        schema: query.schema(),
        batches: Vec::new(),
    };
    let (mut left, mut bytes) = (settings.limits.rows, 0);
    let mut rows = query.run()?;
    let mut more = false;
    while let Some(batch) = rows.next().await? {
        let fits = batch.num_rows().min(left);
        more = fits < batch.num_rows();
        if fits > 0 {
            let batch = batch.slice(0, fits);
            bytes += batch.get_array_memory_size();
            left -= fits;
            section.batches.push(batch);
        }
        // One row more tells that there are more.
        if more || bytes > BYTES {
            more = more || rows.next().await?.is_some();
            break;
        }
    }
    let note = more.then(|| {
        format!(
            "only the first {} rows are shown: ask for less (WHERE, LIMIT, GROUP BY), or use the command for all",
            section.rows()
        )
    });
    Ok((section, note))
}
