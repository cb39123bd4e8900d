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
