//! Secrets that services log: in no answer, in no lake unless it was asked for, in no diagnostics.

use std::fs;
use std::path::Path;

use crate::program::keytrail;
use crate::s3_server::S3Server;
use crate::trail::gzip;

const KEY: &str = "AKIARTX3GSDS75MXKBSU";
const SECRETS: [&str; 5] = ["IQoJtoken1", "Pa55w0rd2", "Pa55w0rd3", "s3cr3t4", "s3cr3t5"];

/// A session is issued, a database gets a password, a record without an id has one, and so has one that cannot be decoded.
fn trail(folder: &Path) -> std::path::PathBuf {
    let event = |n: u32, source: &str, name: &str, rest: &str| {
        format!(
            r#"{{"eventVersion":"1.11","eventTime":"2025-03-05T02:17:{n:02}Z","eventSource":"{source}.amazonaws.com","eventName":"{name}",
            "awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"a","recipientAccountId":"111122223333","eventType":"AwsApiCall",
            "userIdentity":{{"type":"IAMUser","accessKeyId":"{KEY}","userName":"u","arn":"arn:aws:iam::111122223333:user/u","accountId":"111122223333"}},{rest}}}"#
        )
    };
    let id = |n: u32| format!(r#""eventID":"{n:08x}-0000-4000-8000-000000000000","#);
    let records = [
        event(
            1,
            "sts",
            "AssumeRole",
            &format!(
                r#"{}"requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"s"}},
            "responseElements":{{"credentials":{{"accessKeyId":"ASIARTX3GSDS75MXKBSU","sessionToken":"{}"}}}}"#,
                id(1),
                SECRETS[0]
            ),
        ),
        event(
            2,
            "rds",
            "CreateDBInstance",
            &format!(
                r#"{}"requestParameters":{{"dBInstanceIdentifier":"d","masterUserPassword":"{}"}}"#,
                id(2),
                SECRETS[1]
            ),
        ),
        event(
            3,
            "mq",
            "CreateUser",
            &format!(
                r#""requestParameters":{{"body":"{{\"password\":\"{}\"}}"}}"#,
                SECRETS[2]
            ),
        ),
        event(
            4,
            "x",
            "Y",
            &format!(
                r#"{}"somethingNew":{{"clientSecret":"{}"}}"#,
                id(4),
                SECRETS[3]
            ),
        ),
        format!(
            r#"{{"eventName":"NoTime","eventSource":"x","requestParameters":{{"secretString":"{}"}}}}"#,
            SECRETS[4]
        ),
    ];
    let path = folder.join("log.json.gz");
    fs::write(
        &path,
        gzip(&format!(r#"{{"Records":[{}]}}"#, records.join(","))),
    )
    .unwrap();
    path
}

/// Exit code, and all that was said.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = keytrail(args).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn shown(text: &str) -> Vec<&'static str> {
    SECRETS
        .into_iter()
        .filter(|secret| text.contains(secret))
        .collect()
}

const ALL: &str = "SELECT * FROM events";
const REJECTS: &str = "SELECT * FROM rejects";

#[test]
fn no_answer_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    trail(folder.path());
    let (code, said) = run(folder.path(), &["ingest", "log.json.gz", "--lake", "lake"]);
    assert_eq!(code, 3, "{said}");
    for input in [["--trail", "log.json.gz"], ["--lake", "lake"]] {
        for format in ["table", "records", "json", "jsonl", "csv", "markdown"] {
            for sql in [ALL, REJECTS] {
                let (_, said) = run(
                    folder.path(),
                    &[&["sql", sql, "--format", format][..], &input].concat(),
                );
                assert_eq!(shown(&said), [""; 0], "{input:?} {format} {said}");
                assert!(
                    format == "table" || said.contains("(not shown)"),
                    "{input:?} {format} {sql}: {said}"
                );
            }
        }
        let token = "SELECT json_get_str(response_elements, 'credentials', 'sessionToken') AS t FROM events WHERE event_name = 'AssumeRole'";
        let (_, said) = run(
            folder.path(),
            &[&["sql", token, "--format", "csv"][..], &input].concat(),
        );
        assert!(said.contains("(not shown)"), "{said}");
        for format in ["table", "json", "jsonl", "csv", "markdown"] {
            let args = [
                "trace",
                KEY,
                "--html",
                "page.html",
                "--as-of",
                "2025-03-06",
                "--format",
                format,
            ];
            let (_, said) = run(folder.path(), &[&args[..], &input].concat());
            let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
            assert_eq!(shown(&said), [""; 0], "{format}");
            assert_eq!(shown(&page), [""; 0]);
        }
    }
}

#[test]
fn a_lake_keeps_secrets_only_if_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    trail(folder.path());
    let (code, said) = run(
        folder.path(),
        &["ingest", "log.json.gz", "--lake", "kept", "--keep-secrets"],
    );
    assert_eq!(code, 3, "{said}");
    let select = |sql: &str| {
        run(
            folder.path(),
            &["sql", sql, "--lake", "kept", "--format", "json"],
        )
        .1
    };
    assert_eq!(shown(&(select(ALL) + &select(REJECTS))), SECRETS);
    let (_, traced) = run(
        folder.path(),
        &["trace", KEY, "--lake", "kept", "--format", "json"],
    );
    assert!(traced.contains("(not shown)"));
    assert_eq!(shown(&traced), [""; 0]);
    // A copy is a copy, whether its secrets were kept or not: a record without an id is known by the hash of all of it.
    fs::copy(
        folder.path().join("log.json.gz"),
        folder.path().join("again.json.gz"),
    )
    .unwrap();
    let (code, said) = run(
        folder.path(),
        &["ingest", "again.json.gz", "--lake", "kept"],
    );
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("5 read = 0 stored + 4 duplicates + 1 rejected"),
        "{said}"
    );
}

#[tokio::test]
async fn diagnostics_hold_no_credential() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("logs");
    fs::create_dir(&bucket).unwrap();
    trail(&bucket);
    let server = S3Server::start(folder.path()).await;
    let environment = server.environment();
    let secret = environment
        .iter()
        .find(|(name, _)| *name == "AWS_SECRET_ACCESS_KEY")
        .unwrap()
        .1;
    let endpoint = server.endpoint.clone();
    let said = tokio::task::spawn_blocking(move || {
        let args = [
            "keys",
            "--trail",
            "s3://logs",
            "--endpoint-url",
            &endpoint,
            "-vv",
        ];
        let mut command = keytrail(&args);
        command
            .envs(environment)
            .env("RUST_LOG", "keytrail=trace,info");
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    let said = said.await.unwrap();
    assert!(
        said.contains("ListObjectsV2") && said.contains("GetObject"),
        "{said}"
    );
    assert!(!said.contains(secret), "{said}");
    assert_eq!(shown(&said), [""; 0]);
}
