//! IAM asked itself: a server that speaks its API (moto) and the program against it.
//!
//! `pip install 'moto[server]'` installs the server.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::StatusType;
use serde_json::Value;

use crate::program::keytrail;
use crate::signed_trail::{Chain, IRELAND, VIRGINIA, hour};

/// A running server; it ends with the test.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        // A port that is free now.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new("python3")
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return moto;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("moto does not listen");
    }

    async fn client(&self) -> Client {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&self.url)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::for_tests());
        Client::new(&config.load().await)
    }

    fn asked(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let args = [
            "credentials",
            "--live",
            "--endpoint-url",
            &self.url,
            "--format",
            "json",
        ];
        let folder = tempfile::tempdir().unwrap();
        let output = keytrail(&[&args, more].concat())
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// More users than a page of ListUsers holds.
const USERS: usize = 120;

#[tokio::test]
#[ignore = "needs moto"]
async fn live_users_and_keys_are_those_of_iam_with_moto() {
    let moto = Moto::start();
    let iam = moto.client().await;
    for n in 0..USERS {
        iam.create_user()
            .user_name(format!("user-{n:03}"))
            .path("/many/")
            .send()
            .await
            .unwrap();
    }
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = iam
            .create_access_key()
            .user_name("user-007")
            .send()
            .await
            .unwrap();
        ids.push(made.access_key.unwrap().access_key_id);
    }
    let second = iam
        .update_access_key()
        .user_name("user-007")
        .access_key_id(&ids[1]);
    second.status(StatusType::Inactive).send().await.unwrap();
    iam.create_login_profile()
        .user_name("user-008")
        .password("Secret-123456")
        .send()
        .await
        .unwrap();

    let (code, answer, errors) = moto.asked(&[]);
    assert_eq!(code, Some(0), "{errors}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let users = answer["users"].as_array().unwrap();
    assert_eq!(users.len(), USERS);
    assert!(users.iter().all(|user| user["source"] == "IAM"));
    assert!(
        users[7]["arn"]
            .as_str()
            .unwrap()
            .ends_with(":user/many/user-007")
    );
    let keys = answer["keys"].as_array().unwrap();
    let mut listed: Vec<_> = keys
        .iter()
        .map(|key| {
            (
                key["access_key_id"].as_str().unwrap(),
                key["active"].as_bool().unwrap(),
            )
        })
        .collect();
    listed.sort_unstable();
    let mut expected = vec![(ids[0].as_str(), true), (ids[1].as_str(), false)];
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(keys.iter().all(|key| key["matched_by"] == "id"));
    let findings = answer["findings"].as_array().unwrap();
    let of = |name: &str| {
        findings
            .iter()
            .filter(|finding| finding["finding"] == name)
            .count()
    };
    assert_eq!(of("password-without-mfa"), 1);
    assert_eq!(of("inactive-key"), 1);
    // All but the one with a key and the one with a password.
    assert_eq!(of("user-without-credentials"), USERS - 2);
}

#[test]
fn live_without_a_server_or_credentials_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = folder.path().join("none");
    let output = keytrail(&["credentials", "--live"])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", &nobody)
        .env("AWS_SHARED_CREDENTIALS_FILE", &nobody)
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("no AWS credentials"), "{errors}");
}

#[tokio::test]
#[ignore = "needs moto"]
async fn live_queue_announces_new_log_files_with_moto() {
    let moto = Moto::start();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&moto.url)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests());
    let config = config.load().await;
    let queue = aws_sdk_sqs::Client::new(&config);
    let url = queue
        .create_queue()
        .queue_name("new-log-files")
        .send()
        .await;
    let url = url.unwrap().queue_url.unwrap();
    let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(s3.build());
    s3.create_bucket().bucket("logs").send().await.unwrap();
    let put = async |day: u32| {
        let folder = tempfile::tempdir().unwrap();
        crate::trail::write_days(folder.path(), "111111111111", day..day + 1);
        let mut records = Vec::new();
        for entry in walkdir::WalkDir::new(folder.path()) {
            let entry = entry.unwrap();
            if !entry.file_type().is_file() {
                continue;
            }
            let key = entry
                .path()
                .strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap();
            let content = std::fs::read(entry.path()).unwrap();
            let size = content.len();
            let put = s3.put_object().bucket("logs").key(key).body(content.into());
            let etag = put.send().await.unwrap().e_tag.unwrap();
            records.push(serde_json::json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": {"key": key, "size": size, "eTag": etag.trim_matches('"')}}}));
        }
        records
    };
    put(0).await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args([
            "ingest",
            "s3://logs",
            "--lake",
            "lake",
            "--follow",
            "--sqs-url",
            &url,
        ])
        .args(["--format", "json", "--endpoint-url", &moto.url])
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(process.stdout.take().unwrap()));
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["events"]["stored"], crate::trail::EVENTS_OF_A_DAY);
    let records = put(1).await;
    let body = serde_json::json!({"Records": records}).to_string();
    queue
        .send_message()
        .queue_url(&url)
        .message_body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(next()["events"]["stored"], crate::trail::EVENTS_OF_A_DAY);
    // The message is deleted after the summary is written.
    let waiting = async || {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let names = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = queue.get_queue_attributes().queue_url(&url);
        let answer = asked
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .unwrap();
        answer
            .attributes
            .unwrap()
            .values()
            .any(|count| count != "0")
    };
    for _ in 0..100 {
        if !waiting().await {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    assert!(!waiting().await, "the message was not deleted");
    let id = process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(process.wait().unwrap().code(), Some(3));
}

/// Answers ListPublicKeys: Ireland's keys; to whoever asks elsewhere, a refusal.
async fn list_public_keys(
    headers: axum::http::HeaderMap,
    body: String,
) -> (axum::http::StatusCode, String) {
    let header = |name: &str| headers[name].to_str().unwrap();
    assert!(header("x-amz-target").ends_with(".ListPublicKeys"));
    if !header("authorization").contains("/eu-west-1/cloudtrail/") {
        let refusal = r#"{"__type":"AccessDeniedException","message":"not authorized"}"#;
        return (axum::http::StatusCode::BAD_REQUEST, refusal.to_owned());
    }
    let asked: Value = serde_json::from_str(&body).unwrap();
    // From two hours before the first digest to two hours after the last one.
    let range = [asked["StartTime"].as_f64(), asked["EndTime"].as_f64()];
    let at = |n: i64| Some(hour(n).timestamp() as f64);
    assert_eq!(range, [at(-2), at(7 + 2)]);
    let mut keys = IRELAND.listed("", "");
    keys["PublicKeyList"][0]["ValidityStartTime"] = at(-1000).into();
    keys["PublicKeyList"][0]["ValidityEndTime"] = at(1000).into();
    (axum::http::StatusCode::OK, keys.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn live_public_keys_are_those_of_the_digests_regions() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::Router::new().route("/", axum::routing::post(list_public_keys));
    tokio::spawn(async { axum::serve(listener, server).await.unwrap() });
    let folder = tempfile::tempdir().unwrap();
    let validate = |args: &[&str]| {
        let path = folder.path().to_str().unwrap();
        let output = keytrail(&[&["validate", path, "--live"], args].concat())
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .env("AWS_ENDPOINT_URL_CLOUDTRAIL", &url)
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), errors)
    };
    Chain::new("main").hours(folder.path(), 0..8);
    let (code, errors) = validate(&[]);
    assert_eq!(code, Some(0), "{errors}");
    Chain {
        region: "us-east-1".to_owned(),
        signer: &VIRGINIA,
        ..Chain::new("main")
    }
    .hours(folder.path(), 0..8);
    let (code, errors) = validate(&[]);
    assert_eq!(code, Some(1), "{errors}");
    let refused = "access denied: cloudtrail:ListPublicKeys on us-east-1: not authorized";
    assert!(errors.contains(refused), "{errors}");
    let (code, errors) = validate(&["--region", "eu-west-1"]);
    assert_eq!(code, Some(0), "{errors}");
}
