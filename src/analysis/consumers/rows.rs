//! The report `consumers`.
//!
//! In: consumers. Out: the sections of a report: one row per consumer, and, where keys are named, the evidence and the networks
//! of each. Promise: programs get every field; a table for people has the columns that fit.

use super::{
    AddressUse, Confidence, Consumer, ConsumerOptions, Consumers, Counted, KeyEvidence, Pattern,
    Target, Workload,
};
use crate::analysis::{Analysis, AnalysisError};
use crate::cloudtrail::AccessKeyId;
use crate::report::Section;
use crate::report::table::{Column, Kind, section};
use crate::session::{Params, Session};
use arrow::error::ArrowError;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The question, of every long-term key and with what the program itself knows of networks.
pub const CONSUMERS: ConsumersQuestion = ConsumersQuestion {
    keys: Vec::new(),
    options: None,
};

/// Who uses these keys?
#[derive(Debug, Clone)]
pub struct ConsumersQuestion {
    /// The keys; every long-term key if none is named.
    pub keys: Vec<AccessKeyId>,
    /// How; with what the program itself knows if none.
    pub options: Option<ConsumerOptions>,
}

#[async_trait]
impl Analysis for ConsumersQuestion {
    fn name(&self) -> &'static str {
        "consumers"
    }

    fn title(&self) -> &'static str {
        "Consumers of access keys"
    }

    async fn sections(
        &self,
        session: &Session,
        _params: &Params,
    ) -> Result<(Vec<Section>, Vec<String>), AnalysisError> {
        let options = match &self.options {
            Some(options) => options.clone(),
            None => ConsumerOptions::built_in()?,
        };
        let known = KeyEvidence::read(session, &self.keys, &options).await?;
        let mut told = known.notes();
        told.extend(known.seen_elsewhere());
        let found = known.consumers;
        let mut sections = vec![summary(&found.consumers)?];
        if !self.keys.is_empty() {
            sections.push(evidence(&found.consumers)?);
            sections.push(networks(&found.consumers)?);
        }
        told.extend(notes(&found, &options));
        Ok((sections, told))
    }
}

fn notes(found: &Consumers, options: &ConsumerOptions) -> Vec<String> {
    let mut notes = Vec::new();
    if found.consumers.is_empty() {
        notes.push("no events by these keys in the logs read; this does not prove that they have no consumers: check the coverage".to_owned());
    }
    let through: u64 = found
        .through_services
        .values()
        .flat_map(|services| services.values())
        .map(|used| used.events)
        .sum();
    if through > 0 {
        let services: BTreeSet<&str> = found
            .through_services
            .values()
            .flat_map(|services| services.keys().map(String::as_str))
            .collect();
        let services: Vec<&str> = services.into_iter().collect();
        notes.push(format!(
            "{through} calls made by AWS services on behalf of keys are not counted as consumers: {}",
            services.join(", ")
        ));
    }
    for consumer in &found.consumers {
        for warning in &consumer.warnings {
            notes.push(format!(
                "{} ({}): {warning}",
                consumer.access_key_id, consumer.consumer_id
            ));
        }
    }
    notes.push(format!(
        "programs choose their own user agents, so these can be forged; {}",
        options.addresses.sources().join(", ")
    ));
    notes
}

const CONSUMER_COLUMNS: &[Column] = &[
    ("access_key_id", Kind::Text, None),
    ("consumer_id", Kind::Text, Some("detail")),
    ("name", Kind::Text, Some("wrap")),
    ("move_to", Kind::Text, Some("wrap")),
    ("workload", Kind::Text, Some("whole")),
    ("confidence", Kind::Text, Some("detail")),
    ("evidence", Kind::Texts, Some("data")),
    ("warnings", Kind::Texts, Some("data")),
    ("source_ip_addresses", Kind::Texts, Some("data")),
    ("user_agents", Kind::Texts, Some("data")),
    ("api_calls", Kind::Texts, Some("data")),
    ("resources", Kind::Texts, Some("data")),
    ("regions", Kind::Texts, Some("data")),
    ("events", Kind::Count, None),
    ("errors", Kind::Count, Some("detail")),
    ("first_seen", Kind::Time, Some("detail")),
    ("last_seen", Kind::Time, None),
    ("cadence", Kind::Text, Some("detail")),
    ("typical_gap_seconds", Kind::Count, Some("data")),
    ("longest_gap_seconds", Kind::Count, Some("data")),
    ("program", Kind::Text, Some("data")),
    ("site", Kind::Text, Some("data")),
    ("credential_sources", Kind::Texts, Some("data")),
    ("owner_hints", Kind::Texts, Some("data")),
    ("user_identity_user_name", Kind::Text, Some("data")),
    ("account_id", Kind::Text, Some("data")),
];

#[derive(Serialize)]
struct Row<'a> {
    access_key_id: &'a str,
    consumer_id: &'a str,
    name: &'a str,
    workload: Workload,
    confidence: Confidence,
    evidence: &'a [String],
    warnings: &'a [String],
    source_ip_addresses: Vec<&'a str>,
    user_agents: Vec<&'a str>,
    api_calls: Vec<String>,
    resources: Vec<&'a str>,
    regions: &'a [String],
    events: u64,
    errors: u64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    cadence: Pattern,
    typical_gap_seconds: Option<i64>,
    longest_gap_seconds: i64,
    move_to: Target,
    program: &'a str,
    site: &'a str,
    credential_sources: &'a [String],
    owner_hints: &'a [String],
    user_identity_user_name: Option<&'a str>,
    account_id: Option<&'a str>,
}

fn summary(consumers: &[Consumer]) -> Result<Section, ArrowError> {
    let rows: Vec<Row<'_>> = consumers.iter().map(row).collect();
    let names = ("consumers", "Consumers of access keys");
    section(names, CONSUMER_COLUMNS, &rows)
}

fn row(consumer: &Consumer) -> Row<'_> {
    fn names(counted: &[Counted]) -> Vec<&str> {
        counted.iter().map(|one| one.name.as_str()).collect()
    }
    let addresses = consumer.source_ip_addresses.iter();
    let calls = consumer.api_calls.iter();
    Row {
        access_key_id: &consumer.access_key_id,
        consumer_id: &consumer.consumer_id,
        name: &consumer.name,
        workload: consumer.workload,
        confidence: consumer.confidence,
        evidence: &consumer.evidence,
        warnings: &consumer.warnings,
        source_ip_addresses: addresses
            .map(|used| used.source_ip_address.as_str())
            .collect(),
        user_agents: names(&consumer.user_agents),
        api_calls: calls
            .map(|call| format!("{}:{}", call.event_source, call.operation))
            .collect(),
        resources: names(&consumer.resources),
        regions: &consumer.regions,
        events: consumer.events,
        errors: consumer.errors,
        first_seen: consumer.first_seen,
        last_seen: consumer.last_seen,
        cadence: consumer.cadence.pattern,
        typical_gap_seconds: consumer.cadence.typical_gap_seconds,
        longest_gap_seconds: consumer.cadence.longest_gap_seconds,
        move_to: consumer.move_to,
        program: &consumer.program,
        site: &consumer.site,
        credential_sources: &consumer.credential_sources,
        owner_hints: &consumer.owner_hints,
        user_identity_user_name: consumer.user_name.as_deref(),
        account_id: consumer.account_id.as_deref(),
    }
}

const EVIDENCE_COLUMNS: &[Column] = &[
    ("consumer_id", Kind::Text, Some("whole")),
    ("workload", Kind::Text, Some("whole")),
    ("confidence", Kind::Text, Some("whole")),
    ("evidence", Kind::Text, Some("wrap")),
];

#[derive(Serialize)]
struct EvidenceRow<'a> {
    consumer_id: &'a str,
    workload: Workload,
    confidence: Confidence,
    evidence: String,
}

fn evidence(consumers: &[Consumer]) -> Result<Section, ArrowError> {
    let rows = consumers.iter().map(|consumer| {
        let mut evidence = consumer.evidence.join("; ");
        let sources = consumer.credential_sources.join(", ");
        if !sources.is_empty() {
            evidence += &format!("; where the program found the key: {sources}");
        }
        EvidenceRow {
            consumer_id: &consumer.consumer_id,
            workload: consumer.workload,
            confidence: consumer.confidence,
            evidence,
        }
    });
    let rows: Vec<_> = rows.collect();
    section(("evidence", "Why"), EVIDENCE_COLUMNS, &rows)
}

const NETWORK_COLUMNS: &[Column] = &[
    ("consumer_id", Kind::Text, Some("whole")),
    ("network", Kind::Text, Some("cut")),
    ("source_ip_addresses", Kind::Count, None),
    ("events", Kind::Count, None),
    ("first_seen", Kind::Time, None),
    ("last_seen", Kind::Time, None),
];

#[derive(Serialize)]
struct NetworkRow<'a> {
    consumer_id: &'a str,
    network: String,
    source_ip_addresses: usize,
    events: u64,
    first_seen: Option<DateTime<Utc>>,
    last_seen: Option<DateTime<Utc>>,
}

fn networks(consumers: &[Consumer]) -> Result<Section, ArrowError> {
    let rows: Vec<_> = consumers.iter().flat_map(of_networks).collect();
    section(("networks", "Networks"), NETWORK_COLUMNS, &rows)
}

/// The networks of a consumer, those with the most calls first; an address that is alone in its network is named.
fn of_networks(consumer: &Consumer) -> Vec<NetworkRow<'_>> {
    let mut networks: BTreeMap<&str, Vec<&AddressUse>> = BTreeMap::new();
    for used in &consumer.source_ip_addresses {
        networks.entry(&used.network).or_default().push(used);
    }
    let mut networks: Vec<(&str, Vec<&AddressUse>)> = networks.into_iter().collect();
    let events = |used: &[&AddressUse]| used.iter().map(|used| used.events).sum::<u64>();
    networks.sort_by_key(|(_, used)| Reverse(events(used)));
    let rows = networks.into_iter().map(|(network, used)| {
        let network = match used.as_slice() {
            [single] => format!("{} ({network})", single.source_ip_address),
            _ => network.to_owned(),
        };
        NetworkRow {
            consumer_id: &consumer.consumer_id,
            network,
            source_ip_addresses: used.len(),
            events: events(&used),
            first_seen: used.iter().map(|used| used.first_seen).min(),
            last_seen: used.iter().map(|used| used.last_seen).max(),
        }
    });
    rows.collect()
}
