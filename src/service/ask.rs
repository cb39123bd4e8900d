//! Who answers what.
//!
//! In: a question, a session of its own. Out: its answer. Promise: it is the one that the command of the same name gives.

use super::inventory::{key as key_report, keys, marked_key, marked_keys};
use super::question::Traced;
use super::{Answer, Question, ServiceError, Settings, page_sources, sql};
use crate::analysis::catalogue::{columns, rules, saved_queries, saved_query};
use crate::analysis::consumers::{ConsumersQuestion, KeyEvidence};
use crate::analysis::findings::Lists;
use crate::analysis::plan::{PlanOptions, plan};
use crate::analysis::policy::{Observed, PolicyOptions};
use crate::analysis::ready::{Ready, ReadyOptions, ready};
use crate::analysis::{
    Analysis, COVERAGE, TraceOptions, answer as analysed, suspicious_keys, trace,
};
use crate::cloudtrail::{AccessKeyId, minute};
use crate::report::Report;
use crate::report::trace::Confidence;
use crate::session::{Params, Session, Statement};
use chrono::Utc;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers a question.
pub(super) async fn answer(
    session: &Session,
    question: &Question,
    settings: &Settings,
) -> Result<Answer, ServiceError> {
    let none = BTreeMap::new();
    let report = match question {
        Question::Keys(temporary) => keys(session, *temporary).await?,
        Question::MarkedKeys => marked_keys(session, settings).await?,
        Question::SuspiciousKeys => suspicious_keys(session, &settings.consumers.addresses).await?,
        Question::Key(key) => key_report(session, key).await?,
        Question::MarkedKey(key) => marked_key(session, key, settings).await?,
        Question::Consumers(keys) => {
            let question = ConsumersQuestion {
                keys: keys.clone(),
                options: Some(settings.consumers.clone()),
            };
            report(session, &question).await?
        }
        Question::Coverage => report(session, &COVERAGE).await?,
        Question::Ready(keys) => verdicts(session, keys, settings).await?.report()?,
        Question::Plan(keys) => {
            let found = verdicts(session, keys, settings).await?;
            let options = PlanOptions {
                trail: settings.input.clone(),
                networks: Vec::new(),
            };
            return Ok(Answer::Plan(Box::new(plan(&found, &options))));
        }
        Question::Policy(key) => policy(session, key, settings).await?,
        Question::Trace(traced) => {
            let options = trace_options(traced, settings);
            let trace = trace(session, &options).await?;
            let book = &settings.consumers.addresses;
            let sources = page_sources(session, &trace, book).await?;
            return Ok(Answer::Trace(Box::new((trace, sources))));
        }
        Question::Rules(text) => rules(&settings.rules, text)?,
        Question::Columns => columns(&[])?,
        Question::Tables(None) => {
            sql::answer(session, vec![Statement::tables()], &none, settings).await?
        }
        Question::Tables(Some(table)) => {
            sql::answer(session, vec![Statement::columns(table)], &none, settings).await?
        }
        Question::SavedQueries => saved_queries(&settings.library)?,
        Question::SavedQuery(name) => saved_query(settings.library.get(name)?)?,
        Question::Saved(name, values) => {
            let asked = settings.library.get(name)?;
            let params = asked.params(values, Utc::now())?;
            let ready = asked.ready(session, &params).await?;
            sql::saved(session, asked, ready, settings).await?
        }
        Question::Sql(text, values) => {
            let statements = session.statements(text)?;
            sql::answer(session, statements, values, settings).await?
        }
    };
    Ok(Answer::Report(report))
}

async fn report(session: &Session, analysis: &dyn Analysis) -> Result<Report, ServiceError> {
    Ok(analysed(session, analysis, &Params::new()).await?)
}

async fn verdicts(
    session: &Session,
    keys: &[AccessKeyId],
    settings: &Settings,
) -> Result<Ready, ServiceError> {
    let options = ReadyOptions::new(settings.consumers.clone());
    let mut found = ready(session, keys, None, &options).await?;
    if let (Some(since), Some(as_of)) = (session.selection().since, found.as_of)
        && since > as_of - options.window
    {
        found.notes.push(format!(
            "the time range begins at {} UTC, within the window of {} days: earlier use does not count",
            minute(since),
            options.window.num_days()
        ));
    }
    Ok(found)
}

async fn policy(
    session: &Session,
    key: &AccessKeyId,
    settings: &Settings,
) -> Result<Report, ServiceError> {
    Observed::foresee(session, key).await?;
    let evidence =
        KeyEvidence::read(session, std::slice::from_ref(key), &settings.consumers).await?;
    let observed = Observed::read(session, key).await?;
    let observed = observed.with_evidence(&evidence);
    let observed = observed.without_intruder(&evidence);
    Ok(observed
        .policy(&PolicyOptions::default())
        .report(&observed)?)
}

fn trace_options(traced: &Traced, settings: &Settings) -> TraceOptions {
    TraceOptions {
        start: traced.start.clone(),
        up: traced.up,
        weakest: Confidence::Principal,
        follow_owner: traced.follow_owner,
        known_networks: Vec::new(),
        incident_start: None,
        as_of: None,
        rules: settings.rules.clone(),
        lists: Lists::default(),
        addresses: Some(Arc::clone(&settings.consumers.addresses)),
    }
}
