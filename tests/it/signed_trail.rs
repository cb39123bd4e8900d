//! Makes trails with digest files, as CloudTrail does: in: accounts, regions, hours. Out: log files and signed digest files in a
//! folder, and the public keys. The keys are made anew for each run.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use chrono::{DateTime, TimeDelta, Utc};
use keytrail::cloudtrail::{hex, sha256};
use serde_json::{Value, json};

use crate::trail::{gzip, write};

/// A region's key, which is the same for all trails.
pub(crate) struct Signer {
    pub(crate) region: &'static str,
    pair: KeyPair,
}

pub(crate) static IRELAND: LazyLock<Signer> = LazyLock::new(|| Signer::new("eu-west-1"));
pub(crate) static VIRGINIA: LazyLock<Signer> = LazyLock::new(|| Signer::new("us-east-1"));

impl Signer {
    fn new(region: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { region, pair }
    }

    fn der(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn fingerprint(&self) -> String {
        sha256(self.der())[..32].to_owned()
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
            .unwrap();
        hex(&signature)
    }

    /// What `aws cloudtrail list-public-keys` prints.
    pub(crate) fn listed(&self, from: &str, to: &str) -> Value {
        json!({"PublicKeyList": [{
            "Value": base64::engine::general_purpose::STANDARD.encode(self.der()),
            "ValidityStartTime": from, "ValidityEndTime": to, "Fingerprint": self.fingerprint(),
        }]})
    }
}

/// Both keys, by region, for all of 2025.
pub(crate) fn public_keys() -> String {
    let listed = |signer: &Signer| signer.listed("2025-01-01T00:00:00Z", "2025-12-31T00:00:00Z");
    json!({"eu-west-1": listed(&IRELAND), "us-east-1": listed(&VIRGINIA)}).to_string()
}

/// The digest files of one account, region and trail.
pub(crate) struct Chain {
    pub(crate) bucket: String,
    /// Before `AWSLogs/`: empty, or ends with `/`.
    pub(crate) prefix: String,
    /// Empty, or `o-…/`.
    pub(crate) organization: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) trail: String,
    pub(crate) backfill: bool,
    pub(crate) signer: &'static Signer,
    pub(crate) made: Vec<Made>,
}

/// A digest file.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) object: String,
    pub(crate) signature: String,
    hash: String,
    end: DateTime<Utc>,
}

/// A log file.
#[derive(Clone)]
pub(crate) struct LogFile {
    pub(crate) object: String,
    hash: String,
}

/// The n-th hour of a day in March 2025.
pub(crate) fn hour(n: i64) -> DateTime<Utc> {
    "2025-03-05T00:01:31Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(n)
}

impl Chain {
    pub(crate) fn new(trail: &str) -> Self {
        Self {
            bucket: "logs".to_owned(),
            prefix: String::new(),
            organization: String::new(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            trail: trail.to_owned(),
            backfill: false,
            signer: &IRELAND,
            made: Vec::new(),
        }
    }

    fn key(&self, kind: &str, time: DateTime<Utc>, name: &str) -> String {
        let Self {
            prefix,
            organization,
            account,
            region,
            ..
        } = self;
        let day = time.format("%Y/%m/%d");
        format!(
            "{prefix}AWSLogs/{organization}{account}/{kind}/{region}/{day}/{account}_{kind}_{region}_{name}.json.gz"
        )
    }

    /// Delivers a log file within an hour.
    pub(crate) fn deliver(&self, folder: &Path, n: i64, records: &[Value]) -> LogFile {
        let text = json!({ "Records": records }).to_string();
        let hash = sha256(text.as_bytes());
        let time = hour(n) - TimeDelta::minutes(20);
        let stamp = time.format("%Y%m%dT%H%MZ");
        let object = self.key("CloudTrail", time, &format!("{stamp}_{}", &hash[..16]));
        write(folder, &object, &gzip(&text));
        LogFile { object, hash }
    }

    /// Makes the digest of the hour that ends then; `previous` is the one it names.
    pub(crate) fn digest(&mut self, folder: &Path, n: i64, log_files: &[LogFile]) -> Made {
        let previous = self.made.last().cloned();
        self.digest_after(folder, (n, previous), log_files)
    }

    pub(crate) fn digest_after(
        &mut self,
        folder: &Path,
        (n, previous): (i64, Option<Made>),
        log_files: &[LogFile],
    ) -> Made {
        let end = hour(n);
        let start = previous
            .as_ref()
            .map_or(hour(n - 1), |previous| previous.end);
        let backfill = if self.backfill { "_backfill" } else { "" };
        let (trail, stamp) = (&self.trail, end.format("%Y%m%dT%H%M%SZ"));
        let name = format!("{trail}_eu-west-1_{stamp}{backfill}");
        let object = self.key("CloudTrail-Digest", end, &name);
        let text = |of: fn(&Made) -> &String| previous.as_ref().map(|made| of(made).clone());
        let written = |time: DateTime<Utc>| time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let listed = log_files.iter().map(|file| {
            json!({"s3Bucket": self.bucket, "s3Object": file.object, "hashValue": file.hash, "hashAlgorithm": "SHA-256",
                "newestEventTime": written(end), "oldestEventTime": written(start)})
        });
        let content = json!({
            "awsAccountId": self.account, "digestStartTime": written(start), "digestEndTime": written(end),
            "digestS3Bucket": self.bucket, "digestS3Object": object,
            "digestPublicKeyFingerprint": self.signer.fingerprint(), "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.as_ref().map(|_| self.bucket.clone()),
            "previousDigestS3Object": text(|made| &made.object),
            "previousDigestHashValue": text(|made| &made.hash),
            "previousDigestHashAlgorithm": previous.as_ref().map(|_| "SHA-256"),
            "previousDigestSignature": text(|made| &made.signature),
            "logFiles": listed.collect::<Vec<_>>(),
        })
        .to_string();
        let hash = sha256(content.as_bytes());
        let before = text(|made| &made.signature).unwrap_or_else(|| "null".to_owned());
        let signed = format!(
            "{}\n{}/{object}\n{hash}\n{before}",
            written(end),
            self.bucket
        );
        write(folder, &object, &gzip(&content));
        let made = Made {
            object,
            signature: self.signer.sign(&signed),
            hash,
            end,
        };
        self.made.push(made.clone());
        made
    }

    /// Log files and digests of some hours; each third hour has no log file.
    pub(crate) fn hours(&mut self, folder: &Path, hours: std::ops::Range<i64>) -> Vec<LogFile> {
        let mut all = Vec::new();
        for n in hours {
            let count = if n % 3 == 2 { 0 } else { 2 };
            let files: Vec<LogFile> = (0..count)
                .map(|file| self.deliver(folder, n, &[event(n, file, "ListBuckets")]))
                .collect();
            self.digest(folder, n, &files);
            all.extend(files);
        }
        all
    }
}

/// An event shortly before the end of an hour.
pub(crate) fn event(n: i64, file: i64, name: &str) -> Value {
    let time = hour(n) - TimeDelta::minutes(25);
    let source = if name.ends_with("Logging") || name.ends_with("Trail") {
        "cloudtrail"
    } else {
        "s3"
    };
    json!({
        "eventVersion": "1.11", "eventTime": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": "agent", "eventType": "AwsApiCall", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/u", "accountId": "111122223333",
            "accessKeyId": "AKIA3EXAMPLE00000001", "userName": "u", "principalId": "AIDA3EXAMPLE00000001"},
        "requestParameters": {"name": "main"}, "eventID": format!("{n:08x}-{file:04x}-4000-8000-000000000000"),
        "eventCategory": "Management", "managementEvent": true, "readOnly": true,
    })
}

/// Changes the text of a compressed file.
pub(crate) fn rewrite(folder: &Path, object: &str, change: impl FnOnce(String) -> String) {
    let packed = fs::read(folder.join(object)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "nothing was changed");
    write(folder, object, &gzip(&changed));
}
