//! Hostile input: whatever the bytes, nothing panics, nothing hangs, and what is promised of the answer holds.
//!
//! In: seeds that are sound, changed at random. Each target runs for a second; `KEYTRAIL_FUZZ=3600 cargo test --test it fuzz::
//! -- --nocapture` runs each for an hour and prints how often it was called.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use keytrail::analysis::findings::Rules;
use keytrail::analysis::question::Header;
use keytrail::cloudtrail::{
    AccessKeyId, KeyPrefix, LogFileKey, UserAgent, decode_account, delivery_stamp, parse_span,
};
use keytrail::event::{Decoder, EventBuilder, Field, Outcome, without_secrets};
use keytrail::iam;
use keytrail::integrity::{DigestName, Original, PublicKeys, Signatures};
use keytrail::json::{Value, is_sound};
use keytrail::knowledge::address_range;
use keytrail::render::escape;
use keytrail::source::announced;

use crate::signed_trail::{Chain, public_keys};
use crate::trail::{gzip, record, write};
use crate::validate::{options, trust, validated};

/// Seconds per target.
fn seconds() -> u64 {
    let given = std::env::var("KEYTRAIL_FUZZ").ok();
    given.map_or(1, |text| text.parse().unwrap())
}

/// Calls `target` with changed seeds until the time is over.
fn fuzz(name: &str, seeds: &[Vec<u8>], target: impl Fn(&[u8])) {
    let (calls, begun) = (AtomicU64::new(0), Instant::now());
    arbtest(|u| {
        let input = mutated(u, seeds)?;
        target(&input);
        calls.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })
    .size_min(64)
    .size_max(4_096)
    .budget(Duration::from_secs(seconds()));
    let calls = calls.into_inner();
    println!("{name}: {calls} executions in {:.0?}", begun.elapsed());
    // Whatever the machine: a target that is called a few times only has tested nothing.
    assert!(calls > 10, "{name}: {calls} executions");
}

/// What parsers stumble over.
const TOKENS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"99999999999999999999999",
    b"\\u0000",
    b"\\ud800",
    b"\\\"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"(/*",
    b"*/",
    b"--",
    b"'",
    b"/",
    b"AWSLogs/",
    b"..",
    b"[][][][][][][]",
    b"2025-02-30T24:61:61Z",
    b"=",
    b"$(id)",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"sessionToken",
    b"Records",
    b"eventTime",
    b"0x",
];

/// A seed with some changes, or, now and then, bytes as they come.
fn mutated(u: &mut Unstructured<'_>, seeds: &[Vec<u8>]) -> Result<Vec<u8>> {
    if u.ratio(1, 16)? {
        return u.arbitrary();
    }
    let mut bytes = u.choose(seeds)?.clone();
    for _ in 0..u.int_in_range(1..=6)? {
        let at = u.int_in_range(0..=bytes.len())?;
        let to = u.int_in_range(at..=bytes.len().min(at + 64))?;
        match u.int_in_range(0..=6)? {
            0 => drop(bytes.splice(at..at, u.choose(&TOKENS)?.iter().copied())),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(to..to, piece);
            }
            3 => bytes.truncate(at),
            4 => {
                let other = u.choose(seeds)?;
                let from = u.int_in_range(0..=other.len())?;
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ if at < bytes.len() => bytes[at] = u.arbitrary()?,
            _ => {}
        }
    }
    Ok(bytes)
}

fn texts(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

/// The input of a target that takes text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn log_file() -> String {
    let secret = r#"{"eventVersion":"1.11","eventTime":"2025-03-05T02:17:31Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole",
        "userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/x"},"attributes":{}}},
        "responseElements":{"credentials":{"accessKeyId":"ASIAX","sessionToken":"IQoJ"}},"eventID":"x","errorCode":"Success"}"#;
    format!(r#"{{"Records":[{},{},{secret}]}}"#, record(0), record(17))
}

#[test]
fn log_files_are_decoded() {
    let (whole, one) = (log_file(), record(5));
    let mut seeds = texts(&[&whole, &one]);
    seeds.push(gzip(&whole));
    seeds.push([gzip(&one), gzip(&one)].concat());
    seeds.push(format!("{one}\n{one}\n").into_bytes());
    seeds.push(
        format!("eventTime,eventName,eventSource\n2025-03-05T02:17:31Z,X,y\n{one}").into_bytes(),
    );
    fuzz("log file", &seeds, |bytes| {
        let mut builder = EventBuilder::new(Field::all());
        let decoded = Decoder::new(1 << 20).decode(bytes, "fuzz.json", (&mut builder, &mut |_| {}));
        assert!(decoded.rejected <= decoded.records);
        let rows = builder.rows() as u64;
        assert_eq!(rows, decoded.records - decoded.rejected);
        if decoded.outcome == Outcome::Read {
            assert!(decoded.rejects.len() as u64 <= decoded.rejected);
        }
        let (batch, keys) = builder.finish().unwrap();
        assert_eq!(batch.num_rows(), keys.len());
    });
}

#[test]
fn json_has_a_value_if_it_is_sound() {
    let whole = log_file();
    let seeds = texts(&[
        &whole,
        r#"{"a":[1,2.5e-3,"x\u00e9\ud83d\ude00",null,true,{"b":{}}],"a":0}"#,
        r#"{"policy":"{\"Statement\":[{\"password\":\"p\"}]}","masterUserPassword":"s3cr3t"}"#,
        "[[[[[[[[]]]]]]]]",
    ]);
    fuzz("json", &seeds, |bytes| {
        let text = text(bytes);
        let value = Value::parse(&text);
        assert_eq!(value.is_some(), is_sound(text.as_bytes()));
        let safe = without_secrets(&text);
        assert_eq!(without_secrets(&safe), safe);
        assert_eq!(is_sound(safe.as_bytes()), value.is_some(), "{text}");
        if let Some(value) = value {
            let again = Value::parse(&value.to_string()).unwrap();
            assert_eq!(again.to_string(), value.to_string());
        }
    });
}

#[test]
fn keys_print_back_to_the_same_text() {
    let seeds = texts(&[
        "p/AWSLogs/o-abcdefghij/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1205Z_AbCdEfGhIjKlMnOp.json.gz",
        "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2025/03/05/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20250305T120500Z_backfill.json.gz",
        "AWSLogs/111122223333/CloudTrail-Insight/us-gov-west-1/2025/",
    ]);
    fuzz("keys", &seeds, |bytes| {
        let text = text(bytes);
        if let Some(key) = LogFileKey::parse(&text) {
            assert_eq!(key.to_string(), text);
        }
        if let Some(place) = KeyPrefix::parse(&text) {
            assert_eq!(KeyPrefix::parse(&place.to_string()), Some(place));
        }
        delivery_stamp(&text);
        DigestName::parse(&text);
        Original::parse(&text);
        if text.parse::<AccessKeyId>().is_ok() {
            decode_account(&text);
        }
        parse_span(&text);
    });
}

#[test]
fn user_agents_are_taken_apart() {
    let seeds = texts(&[
        "aws-cli/2.15.0 Python/3.11.6 Linux/5.10 exe/x86_64.amzn.2 prompt/off command/s3.ls",
        "[Boto3/1.26.0 md/Botocore#1.29.0 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.9 exec-env/AWS_Lambda_python3.9 cfg/retry-mode#legacy]",
        "APN/1.0 HashiCorp/1.0 Terraform/1.5.0 (+https://www.terraform.io) terraform-provider-aws/5.0 aws-sdk-go/1.44 (go1.20; linux; amd64)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36",
    ]);
    fuzz("user agents", &seeds, |bytes| {
        let text = text(bytes);
        let agent = UserAgent::parse(&text);
        let canonical = agent.canonical();
        assert_eq!(UserAgent::parse(&text).canonical(), canonical);
        std::hint::black_box((
            agent.program(),
            agent.flavour(),
            agent.exec_env_class(),
            agent.application(),
        ));
        let shown = escape::terminal(&canonical).to_string();
        assert!(!shown.contains(escape::is_hidden));
    });
}

#[test]
fn credential_reports_are_read_or_refused() {
    let report = include_str!("../../testdata/credential-report-111122223333.csv");
    let seeds = texts(&[
        report,
        &format!(r#"{{"Content":"","GeneratedTime":"x"}}{report}"#),
    ]);
    fuzz("credential reports", &seeds, |bytes| {
        if let Ok(inventory) = iam::parse("fuzz", bytes) {
            assert!(inventory.users.len() <= bytes.len());
        }
    });
}

#[test]
fn address_lists_are_read_or_refused() {
    let seeds = texts(&[
        "192.0.2.0/24",
        "2001:db8::/32",
        "::ffff:192.0.2.1",
        "10.0.0.0/33",
        "192.0.2.1/255.255.255.0",
    ]);
    fuzz("addresses", &seeds, |bytes| {
        if let Some(range) = address_range(&text(bytes)) {
            assert!(range.contains(&range.network()));
        }
    });
}

#[test]
fn rules_and_their_conditions_are_read_or_refused() {
    let rules = "eventSource,eventName,tactic,technique_id,technique_name,severity,why,condition\n\
        iam.amazonaws.com,CreateUser,persistence,T1136.003,Create Account,medium,x,\"requestParameters.userName ~ '^a.*' and (errorCode = null or count >= 5 per 15m by userIdentity.arn)\"\n";
    let real = include_str!("../../src/knowledge/data/attack_events.csv");
    let some: String = real
        .lines()
        .take(12)
        .map(|line| format!("{line}\n"))
        .collect();
    let seeds = texts(&[rules, &some]);
    let builtin = Rules::builtin().unwrap();
    fuzz("conditions", &seeds, |bytes| {
        let read = builtin.clone().with_file("fuzz", &text(bytes));
        drop(read);
    });
}

#[test]
fn question_headers_are_read_or_refused() {
    let seeds = texts(&[
        include_str!("../../queries/trace/log_files.sql"),
        "-- title: Calls of a key\n-- group: usage\n-- param key: text = 'AKIA'\n-- grain: one row per call\nSELECT 1\n",
    ]);
    fuzz("question headers", &seeds, |bytes| {
        drop(Header::parse(&text(bytes)))
    });
}

#[test]
fn public_keys_and_signatures_are_read_or_refused() {
    let keys = public_keys();
    let lines = "s3://logs/x_CloudTrail-Digest_y.json.gz 00ff\n{\"a\":\"00\"}";
    let seeds = texts(&[
        &keys,
        lines,
        r#"{"x.json.gz":{"Metadata":{"signature":"abcd"}}}"#,
    ]);
    fuzz("public keys", &seeds, |bytes| {
        let text = text(bytes);
        drop(PublicKeys::default().add(&text, None));
        drop(Signatures::default().add(&text));
    });
}

#[test]
fn a_digest_that_was_changed_is_never_passed() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new("main");
    chain.hours(folder.path(), 0..3);
    let object = &chain.made[1].object;
    let mut whole = String::new();
    let packed = std::fs::read(folder.path().join(object)).unwrap();
    let mut unpacked = flate2::read::GzDecoder::new(packed.as_slice());
    std::io::Read::read_to_string(&mut unpacked, &mut whole).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let validation = || runtime.block_on(validated(folder.path(), &options(trust())));
    assert_eq!(validation().failures().count(), 0);
    fuzz("digests", &texts(&[&whole]), |bytes| {
        write(folder.path(), object, &gzip(&text(bytes)));
        let changed = text(bytes) != whole;
        assert_eq!(
            validation().failures().count() > 0,
            changed,
            "{}",
            text(bytes)
        );
    });
}

#[test]
fn announcements_are_read_or_refused() {
    let direct = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"logs"},"object":{"key":"AWSLogs/a+b%2Fc","size":1,"eTag":"e"}}}]}"#;
    let seeds = texts(&[
        direct,
        r#"{"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:111122223333:t","Message":"{\"Event\":\"s3:TestEvent\",\"Bucket\":\"logs\"}"}"#,
        r#"{"detail-type":"Object Created","detail":{"bucket":{"name":"logs"},"object":{"key":"k","size":2,"etag":"e"}}}"#,
    ]);
    fuzz("announcements", &seeds, |bytes| {
        for object in announced(&text(bytes)).into_iter().flatten() {
            assert!(object.uri.starts_with("s3://"), "{object:?}");
        }
    });
}
