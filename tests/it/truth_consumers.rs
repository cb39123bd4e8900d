//! Consumers of an organisation's keys, against a generator that knows them: kind and grouping.
//!
//! The generator's consumer is a set of addresses, each with the same programs. keytrail tells programs apart and says by `site`
//! which of them share addresses: a consumer must be of one true consumer, and the programs of one true consumer of one site.
//! The generator is not part of the project: `KEYTRAIL_SYNTH` names it.

use crate::truth_synth::Synthetic;
use keytrail::analysis::consumers::{Consumer, ConsumerOptions, consumers};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// What the generator calls kinds, and what keytrail may call them.
const KINDS: [(&str, &[&str]); 6] = [
    ("ec2", &["ec2"]),
    ("lambda", &["lambda"]),
    ("gha", &["github-actions"]),
    ("onprem", &["on-premises"]),
    ("laptop", &["person"]),
    ("saas", &["third-party"]),
];

/// A consumer that the generator made.
struct True {
    kind: String,
    addresses: HashSet<String>,
    agents: HashSet<String>,
}

fn true_consumers(key: &Value) -> Vec<True> {
    let texts = |value: &Value| -> HashSet<String> {
        let texts = value.as_array().unwrap().iter();
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let details = key["consumer_details"].as_array().unwrap().iter();
    details
        .map(|consumer| True {
            kind: consumer["kind"].as_str().unwrap().to_owned(),
            addresses: texts(&consumer["source_ips"]),
            agents: texts(&consumer["user_agents"]),
        })
        .collect()
}

#[derive(Default)]
struct Measured {
    /// Events of true consumers; those of attackers are none.
    events: u64,
    right_kind: u64,
    /// Events in a consumer that mostly has events of the same true consumer.
    pure: u64,
    /// Events of a program of a true consumer in the consumer that has most of them.
    whole: u64,
    /// Events of a true consumer at the site that has most of them.
    one_site: u64,
    consumers: usize,
    true_consumers: usize,
    /// What was taken for what, in events.
    confused: BTreeMap<(String, String), u64>,
}

impl Measured {
    /// Counts one key. Events are attributed by address: only a consumer's own addresses are in its details.
    fn add(&mut self, truth: &[True], found: &[&Consumer]) {
        let mut by_program: HashMap<(usize, String), HashMap<usize, u64>> = HashMap::new();
        let mut by_site: HashMap<usize, HashMap<&str, u64>> = HashMap::new();
        let mut owners: Vec<HashMap<usize, u64>> = vec![HashMap::new(); found.len()];
        for (at, consumer) in found.iter().enumerate() {
            for used in &consumer.source_ip_addresses {
                let agents = || consumer.user_agents.iter().map(|agent| &agent.name);
                let owner = truth.iter().position(|owner| {
                    owner.addresses.contains(&used.source_ip_address)
                        && agents().any(|agent| owner.agents.contains(agent))
                });
                let Some(owner) = owner else { continue };
                self.events += used.events;
                let accepted = KINDS
                    .iter()
                    .find(|(kind, _)| *kind == truth[owner].kind)
                    .unwrap()
                    .1;
                if accepted.contains(&consumer.workload.as_str()) {
                    self.right_kind += used.events;
                } else {
                    let pair = (truth[owner].kind.clone(), consumer.workload.to_string());
                    *self.confused.entry(pair).or_default() += used.events;
                }
                *owners[at].entry(owner).or_default() += used.events;
                let program = (owner, consumer.program.clone());
                *by_program
                    .entry(program)
                    .or_default()
                    .entry(at)
                    .or_default() += used.events;
                *by_site
                    .entry(owner)
                    .or_default()
                    .entry(&consumer.site)
                    .or_default() += used.events;
            }
        }
        fn most<K>(parts: &HashMap<K, u64>) -> u64 {
            parts.values().copied().max().unwrap_or(0)
        }
        self.pure += owners.iter().map(most).sum::<u64>();
        self.whole += by_program.values().map(most).sum::<u64>();
        self.one_site += by_site.values().map(most).sum::<u64>();
        self.consumers += owners.iter().filter(|owners| !owners.is_empty()).count();
        self.true_consumers += by_site.len();
    }

    fn percent(&self, events: u64) -> f64 {
        100.0 * events as f64 / self.events.max(1) as f64
    }
}

async fn measured(seed: u32) -> Measured {
    let synthetic = Synthetic::generate(seed);
    synthetic.ingest();
    let session = crate::usage::session(Path::new(&synthetic.lake())).await;
    let options = ConsumerOptions::built_in().unwrap();
    let found = consumers(&session, &[], &options).await.unwrap().consumers;
    let mut by_key: HashMap<&str, Vec<&Consumer>> = HashMap::new();
    for consumer in &found {
        by_key
            .entry(&consumer.access_key_id)
            .or_default()
            .push(consumer);
    }
    let mut measured = Measured::default();
    let keys = synthetic.truth["keys"].as_object().unwrap();
    for (key, truth) in keys {
        let found = by_key.get(key.as_str()).map_or(&[][..], Vec::as_slice);
        let events: u64 = found.iter().map(|consumer| consumer.events).sum();
        assert_eq!(
            events,
            truth["events"].as_u64().unwrap(),
            "every event of {key} is in one consumer"
        );
        measured.add(&true_consumers(truth), found);
    }
    measured
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn consumers_are_those_that_the_generator_made() {
    for seed in [11, 12, 13] {
        let measured = measured(seed).await;
        let of = |events| measured.percent(events);
        println!(
            "seed {seed}: {} events of {} true consumers in {} consumers: kind {:.1} %, of one true consumer {:.1} %, \
             a program in one consumer {:.1} %, a true consumer at one site {:.1} %",
            measured.events,
            measured.true_consumers,
            measured.consumers,
            of(measured.right_kind),
            of(measured.pure),
            of(measured.whole),
            of(measured.one_site),
        );
        for ((truth, found), events) in &measured.confused {
            println!("  {truth} taken for {found}: {:.1} %", of(*events));
        }
        assert!(of(measured.right_kind) > 80.0, "kind");
        assert!(of(measured.pure) > 95.0, "precision of grouping");
        assert!(of(measured.whole) > 90.0, "recall of grouping");
    }
}
