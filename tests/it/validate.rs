//! Log files that AWS delivered, and every way to pretend so: what was forged is found and named, what is only odd passes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use keytrail::cloudtrail::Selection;
use keytrail::integrity::{Original, Trust, ValidateOptions, Validation, validate};
use keytrail::read::Silent;
use keytrail::source::{self, SourceOptions};

use crate::program::keytrail;
use crate::s3_server::S3Server;
use crate::signed_trail::{Chain, IRELAND, LogFile, VIRGINIA, event, hour, public_keys, rewrite};
use crate::trail::{gzip, write};

pub(crate) fn trust() -> Trust {
    let mut trust = Trust::default();
    trust.keys.add(&public_keys(), None).unwrap();
    trust
}

pub(crate) fn options(trust: Trust) -> ValidateOptions {
    ValidateOptions {
        selection: Selection::default(),
        trust,
        fetches: 4,
        max_json: 1 << 30,
        now: hour(24 * 365),
    }
}

pub(crate) async fn validated(folder: &Path, options: &ValidateOptions) -> Validation {
    let source = source::open(folder.to_str().unwrap(), &SourceOptions::default()).await;
    validate(&source.unwrap(), options, &Silent).await.unwrap()
}

/// `problem: file name` of all failures.
fn failures(validation: &Validation) -> BTreeSet<String> {
    let failures = validation.failures();
    failures
        .map(|it| format!("{}: {}", it.problem.as_str(), name(&it.file)))
        .collect()
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn details(validation: &Validation) -> String {
    let details = validation.findings.iter().map(|it| it.detail.as_str());
    details.collect::<Vec<_>>().join("\n")
}

fn said(problem: &str, files: &[&str]) -> BTreeSet<String> {
    let said = files
        .iter()
        .map(|file| format!("{problem}: {}", name(file)));
    said.collect()
}

/// Eight hours of a trail.
fn trail(folder: &Path) -> (Chain, Vec<LogFile>) {
    let mut chain = Chain::new("main");
    let files = chain.hours(folder, 0..8);
    assert_eq!(files.len(), 12);
    (chain, files)
}

/// Forges something; gives the failures that are to be found, and a part of what is said of them.
type Forge = fn(&Path, &Chain, &[LogFile]) -> (BTreeSet<String>, &'static str);

const FORGERIES: [(&str, Forge); 17] = [
    ("an event is changed", |folder, _, files| {
        let object = &files[5].object;
        rewrite(folder, object, |text| {
            text.replace("192.0.2.1", "192.0.2.2")
        });
        (said("log file altered", &[object]), "the digest has")
    }),
    ("an event is taken out", |folder, _, files| {
        write(folder, &files[0].object, &gzip(r#"{"Records":[]}"#));
        (said("log file altered", &[&files[0].object]), "its hash is")
    }),
    ("a log file is removed", |folder, _, files| {
        fs::remove_file(folder.join(&files[3].object)).unwrap();
        (said("log file missing", &[&files[3].object]), "lists it")
    }),
    ("a log file is added", |folder, chain, _| {
        let object = chain.deliver(folder, 4, &[event(4, 9, "GetObject")]).object;
        (
            said("log file in no digest", &[&object]),
            "no digest lists it",
        )
    }),
    (
        "a log file is put in the place of another",
        |folder, _, files| {
            fs::copy(folder.join(&files[2].object), folder.join(&files[7].object)).unwrap();
            (
                said("log file altered", &[&files[7].object]),
                "the content is that of",
            )
        },
    ),
    (
        "a copy with other events lies in another folder",
        |folder, _, files| {
            let object = files[2].object.replace("/05/", "/06/");
            write(folder, &object, &gzip(r#"{"Records":[{"eventName":"X"}]}"#));
            (
                said("log file in no digest", &[&object]),
                "no digest lists it",
            )
        },
    ),
    ("a log file is cut off", |folder, _, files| {
        let path = folder.join(&files[4].object);
        let whole = fs::read(&path).unwrap();
        fs::write(path, &whole[..whole.len() - 9]).unwrap();
        (
            said("log file truncated", &[&files[4].object]),
            "ends too early",
        )
    }),
    ("a log file has more behind its end", |folder, _, files| {
        let path = folder.join(&files[4].object);
        let more = gzip(r#"{"Records":[{"eventName":"Hidden"}]}"#);
        fs::write(&path, [fs::read(&path).unwrap(), more].concat()).unwrap();
        (
            said("log file with bytes after its end", &[&files[4].object]),
            "bytes follow the end",
        )
    }),
    (
        "a log file's entry is taken out of its digest",
        |folder, chain, _| {
            let object = &chain.made[4].object;
            rewrite(folder, object, |text| {
                let (before, list) = text.split_once("\"logFiles\":[").unwrap();
                let (_, rest) = list.split_once("},{").unwrap();
                format!("{before}\"logFiles\":[{{{rest}")
            });
            let mut expected = said("digest altered", &[object]);
            expected.extend(unlisted(chain, 4, 1));
            (expected, "the next digest has")
        },
    ),
    ("a digest is removed", |folder, chain, _| {
        fs::remove_file(folder.join(&chain.made[4].object)).unwrap();
        let mut expected = said("digest missing", &[&chain.made[4].object]);
        expected.extend(unlisted(chain, 4, 2));
        (
            expected,
            "nothing covers 2025-03-05T03:01:31Z to 2025-03-05T04:01:31Z: one digest",
        )
    }),
    ("two digests in a row are removed", |folder, chain, _| {
        for made in &chain.made[3..5] {
            fs::remove_file(folder.join(&made.object)).unwrap();
        }
        let mut expected = said("digest missing", &[&chain.made[4].object]);
        expected.extend(unlisted(chain, 3, 2));
        expected.extend(unlisted(chain, 4, 2));
        (
            expected,
            "nothing covers 2025-03-05T02:01:31Z to 2025-03-05T04:01:31Z: about 2 digests",
        )
    }),
    ("the last digest is removed", |folder, chain, _| {
        fs::remove_file(folder.join(&chain.made[7].object)).unwrap();
        fs::remove_file(folder.join(&chain.made[6].object)).unwrap();
        let mut expected = unlisted(chain, 7, 2);
        expected.extend(unlisted(chain, 6, 2));
        (
            expected,
            "after the newest digest, which ends 2025-03-05T05:01:31Z",
        )
    }),
    ("the first digest is removed", |folder, chain, _| {
        fs::remove_file(folder.join(&chain.made[0].object)).unwrap();
        let mut expected = said("digest missing", &[&chain.made[0].object]);
        expected.extend(unlisted(chain, 0, 2));
        (expected, "no digest before 2025-03-05T00:01:31Z")
    }),
    ("two digests change places", |folder, chain, _| {
        let [a, b] = [2, 5].map(|at| folder.join(&chain.made[at].object));
        let content = fs::read(&a).unwrap();
        fs::copy(&b, &a).unwrap();
        fs::write(&b, content).unwrap();
        (
            said(
                "digest in another place",
                &[&chain.made[2].object, &chain.made[5].object],
            ),
            "it was written for s3://logs/",
        )
    }),
    ("a digest is cut off", |folder, chain, _| {
        let path = folder.join(&chain.made[2].object);
        let whole = fs::read(&path).unwrap();
        fs::write(path, &whole[..whole.len() / 2]).unwrap();
        (
            said("digest damaged", &[&chain.made[2].object]),
            "ends too early",
        )
    }),
    ("a digest has more behind its end", |folder, chain, _| {
        let path = folder.join(&chain.made[2].object);
        fs::write(&path, [fs::read(&path).unwrap(), b"more".to_vec()].concat()).unwrap();
        (
            said("digest with bytes after its end", &[&chain.made[2].object]),
            "4 bytes follow",
        )
    }),
    ("a digest is no digest", |folder, chain, _| {
        write(folder, &chain.made[2].object, &gzip("{\"logFiles\":{}}"));
        (
            said("digest damaged", &[&chain.made[2].object]),
            "is missing or has another type",
        )
    }),
];

/// The log files of an hour, which no digest lists any more.
fn unlisted(chain: &Chain, n: i64, count: usize) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let files =
        (0..2).map(|file| chain.deliver(folder.path(), n, &[event(n, file, "ListBuckets")]));
    let objects: Vec<String> = files.map(|file| file.object).take(count).collect();
    said(
        "log file in no digest",
        &objects.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn every_forgery_is_found_and_named() {
    for (what, forge) in FORGERIES {
        let folder = tempfile::tempdir().unwrap();
        let (chain, files) = trail(folder.path());
        let (expected, words) = forge(folder.path(), &chain, &files);
        let validation = validated(folder.path(), &options(trust())).await;
        assert_eq!(failures(&validation), expected, "{what}");
        assert!(!validation.is_intact(), "{what}");
        let details = details(&validation);
        assert!(details.contains(words), "{what}: {details}");
    }
}

#[tokio::test]
async fn a_copy_without_metadata_is_verified_but_for_the_newest_digest() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, _) = trail(folder.path());
    let validation = validated(folder.path(), &options(trust())).await;
    assert_eq!(failures(&validation), BTreeSet::new());
    assert_eq!(
        validation.in_words(),
        "intact; valid: 7 of 8 digests, 10 of 12 log files; not verified: 1 digests with 2 log files"
    );
    let newest = &chain.made[7];
    for (signature, words) in [
        (
            newest.signature.clone(),
            "intact; valid: 8 of 8 digests, 12 of 12 log files",
        ),
        (
            chain.made[3].signature.clone(),
            "failed: 1 finding; valid: 7 of 8 digests, 10 of 12 log files",
        ),
        (
            "00ff".to_owned(),
            "failed: 1 finding; valid: 7 of 8 digests, 10 of 12 log files",
        ),
    ] {
        let mut trust = trust();
        let line = format!("{} {signature}", newest.object);
        trust.signatures.add(&line).unwrap();
        let validation = validated(folder.path(), &options(trust)).await;
        assert_eq!(validation.in_words(), words);
        if signature == chain.made[3].signature {
            let expected = said("signature of another digest", &[&newest.object]);
            assert_eq!(failures(&validation), expected);
            assert!(details(&validation).contains(&format!(
                "the signature belongs to s3://logs/{}",
                chain.made[3].object
            )));
        }
    }
}

#[tokio::test]
async fn keys_count_for_their_region_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new("main");
    chain.signer = &VIRGINIA;
    chain.hours(folder.path(), 0..3);
    let of_chain = |problem| {
        let objects: Vec<&str> = chain.made.iter().map(|made| made.object.as_str()).collect();
        said(problem, &objects)
    };
    let all = validated(folder.path(), &options(trust())).await;
    assert_eq!(failures(&all), of_chain("public key of another region"));
    let year = ("2025-01-01T00:00:00Z", "2025-12-31T00:00:00Z");
    for ((signer, region), (from, to), problem) in [
        ((&VIRGINIA, Some("eu-west-1")), year, None),
        ((&VIRGINIA, None), year, None),
        (
            (&VIRGINIA, None),
            ("2024-01-01T00:00:00Z", "2025-03-04T00:00:00Z"),
            Some("public key not valid at the time"),
        ),
        (
            (&VIRGINIA, None),
            ("2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z"),
            Some("public key not valid at the time"),
        ),
        ((&IRELAND, None), year, Some("public key unknown")),
    ] {
        let mut trust = Trust::default();
        let listed = signer.listed(from, to).to_string();
        trust.keys.add(&listed, region).unwrap();
        let validation = validated(folder.path(), &options(trust)).await;
        let expected = problem.map_or(BTreeSet::new(), of_chain);
        assert_eq!(
            failures(&validation),
            expected,
            "{problem:?} {}",
            signer.region
        );
    }
    // Signed by one who has another key and names the right one.
    let forged = tempfile::tempdir().unwrap();
    let (chain, _) = trail(forged.path());
    let object = &chain.made[3].object;
    rewrite(forged.path(), object, |text| {
        text.replace("\"logFiles\":[", "\"logFiles\":[ ")
    });
    let mut trust = trust();
    let line = format!("{object} {}", VIRGINIA.sign("anything"));
    trust.signatures.add(&line).unwrap();
    let validation = validated(forged.path(), &options(trust)).await;
    assert_eq!(failures(&validation), said("digest altered", &[object]));
}

#[tokio::test]
async fn bucket_and_prefix_are_compared_where_they_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new("main");
    chain.prefix = "a/b/".to_owned();
    chain.hours(folder.path(), 0..4);
    for (uri, moved) in [
        ("s3://logs/a/b", 0),
        ("s3://logs/a/b/AWSLogs/", 0),
        ("s3://logs/a", 4),
        ("s3://other/a/b", 4),
    ] {
        let trust = Trust {
            original: Original::parse(uri),
            ..trust()
        };
        let validation = validated(folder.path(), &options(trust)).await;
        let found = failures(&validation);
        let count = found
            .iter()
            .filter(|it| it.starts_with("digest in another place"));
        assert_eq!(count.count(), moved, "{uri}: {found:?}");
        assert_eq!(validation.is_intact(), moved == 0, "{uri}");
    }
}

#[tokio::test]
async fn a_time_without_digests_needs_an_explanation() {
    for (call, problem) in [
        (Some("StopLogging"), None),
        (Some("DeleteTrail"), None),
        (Some("StartLogging"), Some("time without digests")),
        (None, Some("time without digests")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut chain, _) = trail(folder.path());
        let call = call.map(|name| event(8, 0, name));
        let last: Vec<LogFile> = call
            .map(|call| chain.deliver(folder.path(), 8, &[call]))
            .into_iter()
            .collect();
        chain.digest(folder.path(), 8, &last);
        let again = chain.digest_after(folder.path(), (12, None), &[]);
        chain.hours(folder.path(), 13..15);
        let mut trust = trust();
        // The digest that begins a chain does not hold the signature of the one before.
        for made in [&chain.made[8], chain.made.last().unwrap()] {
            trust
                .signatures
                .add(&format!("{} {}", made.object, made.signature))
                .unwrap();
        }
        let validation = validated(folder.path(), &options(trust)).await;
        let expected = problem.map_or(BTreeSet::new(), |problem| said(problem, &[&again.object]));
        assert_eq!(failures(&validation), expected);
        assert_eq!(validation.logging.len(), last.len());
    }
}

#[tokio::test]
async fn a_chain_that_ends_before_the_other_regions_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (ireland, _) = trail(folder.path());
    let mut virginia = Chain::new("main");
    virginia.region = "us-east-1".to_owned();
    virginia.signer = &VIRGINIA;
    virginia.hours(folder.path(), 0..14);
    let validation = validated(folder.path(), &options(trust())).await;
    assert_eq!(
        failures(&validation),
        said("chain ends early", &[&ireland.made[7].object])
    );
    let mut within = options(trust());
    within.selection.until = Some(hour(8));
    let validation = validated(folder.path(), &within).await;
    assert_eq!(failures(&validation), BTreeSet::new());
    within.selection.until = Some(hour(30));
    let validation = validated(folder.path(), &within).await;
    assert_eq!(failures(&validation).len(), 2);
    assert!(details(&validation).contains("and the range goes on to 2025-03-06T06:01:31Z"));
}

/// What real trails have, and nobody forged.
#[tokio::test]
async fn oddities_of_real_trails_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A trail that was renamed: the old chain ends, a new one begins.
    let mut old = Chain::new("main");
    let mut renamed = Chain::new("renamed_trail");
    for (chain, hours) in [(&mut old, 0..8), (&mut renamed, 8..12)] {
        chain.prefix = "single/".to_owned();
        chain.hours(path, hours);
    }
    // An organization's trail, with two accounts, below a prefix; and a trail beside it in the same bucket.
    for account in ["111122223333", "444455556666"] {
        let mut chain = Chain::new("org");
        chain.prefix = "company/".to_owned();
        chain.organization = "o-abcdefghij/".to_owned();
        chain.account = account.to_owned();
        chain.hours(path, 0..6);
    }
    let mut second = Chain::new("second");
    second.account = "444455556666".to_owned();
    second.prefix = "single/".to_owned();
    second.hours(path, 3..7);
    // Digests that were made later.
    let mut backfill = Chain::new("main");
    backfill.backfill = true;
    backfill.prefix = "single/".to_owned();
    backfill.hours(path, -5..-2);
    let validation = validated(path, &options(trust())).await;
    assert_eq!(failures(&validation), BTreeSet::new());
    assert!(validation.is_intact());
    assert_eq!(validation.chains.len(), 6);
    assert_eq!(validation.digests.len(), 8 + 4 + 6 + 6 + 4 + 3);

    // Hours before the range are not asked for, and lend nothing but signatures.
    let mut range = options(trust());
    range.selection.since = Some(hour(2));
    range.selection.until = Some(hour(5));
    let validation = validated(path, &range).await;
    assert_eq!(failures(&validation), BTreeSet::new());
    // The trail that is replaced, both accounts of the organization, and the one beside it.
    assert_eq!(validation.digests.len(), 3 + 3 + 3 + 3);
    assert!(validation.log_files.len() > 10);

    // One flat folder, decompressed by whoever made it.
    let flat = tempfile::tempdir().unwrap();
    let (chain, files) = trail(tempfile::tempdir().unwrap().path());
    let made = tempfile::tempdir().unwrap();
    let mut again = Chain::new("main");
    again.hours(made.path(), 0..8);
    let objects = again.made.iter().map(|made| &made.object);
    for object in objects.chain(files.iter().map(|file| &file.object)) {
        let to = flat.path().join(name(object));
        fs::copy(made.path().join(object), to).unwrap();
    }
    let validation = validated(flat.path(), &options(trust())).await;
    assert_eq!(failures(&validation), BTreeSet::new());
    assert_eq!(
        (validation.digests.len(), validation.log_files.len()),
        (chain.made.len(), 12)
    );
}

#[tokio::test]
async fn on_s3_the_newest_digest_has_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let made = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let server = S3Server::start(folder.path()).await;
    let (chain, files) = trail(made.path());
    let put = async |object: &str, signature: Option<&str>| {
        let content = fs::read(made.path().join(object)).unwrap();
        server.put("logs", object, (content, signature)).await;
    };
    for file in &files {
        put(&file.object, None).await;
    }
    for made in &chain.made {
        put(&made.object, Some(&made.signature)).await;
    }
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    server.take_gets();
    let valid = validate(&source, &options(trust()), &Silent).await.unwrap();
    assert_eq!(
        valid.in_words(),
        "intact; valid: 8 of 8 digests, 12 of 12 log files"
    );
    let gets = server.take_gets();
    assert_eq!(gets.len(), 20);
    assert!(gets.values().all(|times| *times == 1), "{gets:?}");

    put(&chain.made[4].object, Some(&chain.made[2].signature)).await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let forged = validate(&source, &options(trust()), &Silent).await.unwrap();
    assert_eq!(
        failures(&forged),
        said("signature of another digest", &[&chain.made[4].object])
    );

    let mut other = Chain::new("main");
    other.bucket = "elsewhere".to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    other.hours(elsewhere.path(), 0..8);
    let moved = &other.made[4];
    let content = fs::read(elsewhere.path().join(&moved.object)).unwrap();
    server
        .put("logs", &moved.object, (content, Some(&moved.signature)))
        .await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let forged = validate(&source, &options(trust()), &Silent).await.unwrap();
    assert!(failures(&forged).is_superset(&said("digest in another place", &[&moved.object])));
}

#[test]
fn the_program_ends_with_1_if_something_was_forged() {
    let folder = tempfile::tempdir().unwrap();
    let trail_folder = folder.path().join("copy");
    let (_, files) = trail(&trail_folder);
    fs::write(folder.path().join("keys.json"), public_keys()).unwrap();
    let run = |more: &[&str]| {
        let args = [&["validate", "copy", "--public-keys", "keys.json"], more].concat();
        let mut command = keytrail(&args);
        let output = command.current_dir(folder.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, out, err) = run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("not verified: newest digest"), "{out}");
    for format in ["json", "jsonl", "csv", "markdown", "table"] {
        let (code, out, _) = run(&["--all", "--format", format]);
        assert_eq!(code, 0, "{format}");
        assert!(
            out.contains(&files[0].object[files[0].object.len() - 24..])
                && out.contains("not verified"),
            "{format}: {out}"
        );
    }
    fs::remove_file(trail_folder.join(&files[1].object)).unwrap();
    for format in ["json", "jsonl", "csv", "markdown", "table"] {
        let (code, out, err) = run(&["--format", format]);
        assert_eq!(code, 1, "{format}");
        assert!(out.contains("log file missing"), "{format}: {out}");
        assert!(err.contains("failed: 1 finding"), "{format}: {err}");
    }
    let (code, _, err) = run(&["--public-keys", "copy"]);
    assert_eq!(code, 2, "{err}");
    let mut command = keytrail(&["validate", "copy"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("list-public-keys"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    let mut command = keytrail(&["validate", "empty", "--public-keys", "keys.json"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no digest file was found"));
}
