//! Readiness of an organisation's keys, against a generator that knows when each was last used.
//!
//! The generator is not part of the project: `KEYTRAIL_SYNTH` names it. `ready.rs` checks the project's own keys.

use crate::truth_synth::Synthetic;
use chrono::{DateTime, TimeDelta, Utc};
use keytrail::analysis::Suspicions;
use keytrail::analysis::consumers::ConsumerOptions;
use keytrail::analysis::ready::{Readiness, ReadyOptions, Verdict, ready};
use keytrail::knowledge::AddressBook;
use keytrail::report::trace::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// `keys --suspicious`: the stolen keys are named an intruder's and no others; few innocent ones look suspicious.
#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn stolen_keys_are_named_and_no_others() {
    for seed in [101, 102, 103] {
        let synthetic = Synthetic::generate(seed);
        synthetic.ingest();
        let session = crate::usage::session(Path::new(&synthetic.lake())).await;
        let found = Suspicions::read(&session, &AddressBook::built_in().unwrap())
            .await
            .unwrap();
        let named = |origin: Origin| -> BTreeSet<&str> {
            let found = found.iter().filter(|one| one.origin == origin);
            found.map(|one| one.access_key_id.as_str()).collect()
        };
        let story = &synthetic.truth["story"];
        let stolen: BTreeSet<&str> = [
            &story["keys"]["C"],
            &story["keys"]["B"],
            &story["leaked_key"],
        ]
        .iter()
        .filter_map(|key| key.as_str())
        .collect();
        assert_eq!(stolen.len(), 3);
        assert_eq!(named(Origin::Intruder), stolen, "seed {seed}");
        let keys = synthetic.truth["keys"].as_object().unwrap().len();
        let suspicious = named(Origin::Suspicious).len();
        println!("seed {seed}: {suspicious} of {keys} keys look suspicious");
        assert!(
            suspicious * 50 <= keys,
            "seed {seed}: {suspicious} of {keys}"
        );
    }
}

/// Verdicts that say that nobody uses a key.
const SAFE: [Verdict; 3] = [Verdict::Unused, Verdict::Deactivate, Verdict::Delete];

#[tokio::test]
#[ignore = "needs KEYTRAIL_SYNTH"]
async fn no_key_in_use_is_called_ready() {
    for seed in [11, 12] {
        let synthetic = Synthetic::generate(seed);
        synthetic.ingest();
        let session = crate::usage::session(Path::new(&synthetic.lake())).await;
        let defaults = ReadyOptions::new(ConsumerOptions::built_in().unwrap());
        // The trail has a few days; so that there is silence in it, the other thresholds are of hours.
        let hasty = ReadyOptions {
            window: TimeDelta::hours(30),
            quiet: TimeDelta::hours(12),
            unused_after: TimeDelta::hours(30),
            delete_after: TimeDelta::hours(12),
            ..defaults.clone()
        };
        for (options, in_use) in [
            (defaults, TimeDelta::days(7)),
            (hasty, TimeDelta::hours(12)),
        ] {
            let found = ready(&session, &[], None, &options).await.unwrap();
            let end = found.as_of.unwrap();
            let by_id: BTreeMap<&str, &Readiness> = found
                .keys
                .iter()
                .filter_map(|key| Some((key.access_key_id.as_ref()?.as_str(), key)))
                .collect();
            let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
            for (id, truth) in synthetic.truth["keys"].as_object().unwrap() {
                // Keys that were deleted are no more.
                let Some(key) = by_id.get(id.as_str()) else {
                    let gone = found.notes.iter().any(|note| note.contains(id.as_str()));
                    assert!(gone, "{id} is neither judged nor gone");
                    continue;
                };
                *verdicts.entry(key.verdict).or_default() += 1;
                let last: DateTime<Utc> = truth["last"].as_str().unwrap().parse().unwrap();
                if end - last < in_use && key.active {
                    assert!(
                        !SAFE.contains(&key.verdict),
                        "{id}, last used {last}: {key:?}"
                    );
                }
            }
            println!("seed {seed}, in use for {in_use}: {verdicts:?}");
        }
    }
}
