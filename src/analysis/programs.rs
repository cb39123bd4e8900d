//! The programs behind user agents.
//!
//! In: a table of user agents with their calls. Out: a table of programs, each with its versions and systems. Promise: the calls
//! add up; the user agents stay for programs, as AWS writes them.

use super::AnalysisError;
use super::consumers::Agent;
use super::rows::{Micros, read};
use crate::report::table::{Column, Kind, section};
use crate::report::{FIT, Section};
use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Deserialize)]
struct AgentRow {
    user_agent: Option<String>,
    events: i64,
    errors: i64,
    first_seen: Micros,
    last_seen: Micros,
}

#[derive(Serialize)]
struct Program {
    program: String,
    versions: Vec<String>,
    systems: Vec<String>,
    user_agents: usize,
    events: i64,
    errors: i64,
    first_seen: Micros,
    last_seen: Micros,
}

const COLUMNS: &[Column] = &[
    ("program", Kind::Text, Some("whole")),
    ("versions", Kind::Texts, Some("wrap")),
    ("systems", Kind::Texts, Some("wrap")),
    ("events", Kind::Count, None),
    ("errors", Kind::Count, Some("detail")),
    ("first_seen", Kind::Time, Some("detail")),
    ("last_seen", Kind::Time, Some("detail")),
    ("user_agents", Kind::Count, Some("detail")),
];

/// Puts the programs before the user agents, and leaves these to programs that read the answer.
pub fn with_programs(sections: &mut Vec<Section>) -> Result<(), AnalysisError> {
    let place = sections
        .iter()
        .position(|section| section.name == "user_agents");
    let Some(at) = place else {
        return Ok(());
    };
    let programs = programs(&sections[at])?;
    let agents = &mut sections[at];
    let mut metadata = agents.schema.metadata().clone();
    metadata.insert(FIT.to_owned(), "data".to_owned());
    agents.schema = Arc::new(Schema::new_with_metadata(
        agents.schema.fields().clone(),
        metadata,
    ));
    sections.insert(at, programs);
    Ok(())
}

fn programs(agents: &Section) -> Result<Section, AnalysisError> {
    let mut found: BTreeMap<String, (Program, BTreeSet<String>, BTreeSet<String>)> =
        BTreeMap::new();
    for row in read::<AgentRow>(&agents.batches)? {
        let agent = Agent::new(row.user_agent.as_deref().unwrap_or_default());
        let title = agent.title();
        let version = match agent.ua.tool {
            Some(_) => agent.ua.tool_version.clone(),
            None => agent.ua.sdk_version.clone(),
        };
        let system = agent.ua.distrib.clone().or(agent.ua.os.clone());
        let (program, versions, systems) = found.entry(title.clone()).or_insert_with(|| {
            let program = Program {
                program: title,
                versions: Vec::new(),
                systems: Vec::new(),
                user_agents: 0,
                events: 0,
                errors: 0,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
            };
            (program, BTreeSet::new(), BTreeSet::new())
        });
        program.user_agents += 1;
        program.events += row.events;
        program.errors += row.errors;
        program.first_seen = program.first_seen.min(row.first_seen);
        program.last_seen = program.last_seen.max(row.last_seen);
        versions.extend(version);
        systems.extend(system);
    }
    let mut rows: Vec<Program> = found
        .into_values()
        .map(|(program, versions, systems)| Program {
            versions: versions.into_iter().collect(),
            systems: systems.into_iter().collect(),
            ..program
        })
        .collect();
    rows.sort_by(|a, b| (b.events, &a.program).cmp(&(a.events, &b.program)));
    Ok(section(("programs", "Programs"), COLUMNS, &rows)?)
}
