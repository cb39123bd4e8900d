//! `testdata/` is what its generator makes, and the answers on it are the generator's truth.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;

fn testdata() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"))
}

/// Every file below a folder: its path and its text. Another zlib may compress the same text to other bytes.
fn texts(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files
        .map(Result::unwrap)
        .filter(|f| f.file_type().is_file());
    let text = |entry: walkdir::DirEntry| {
        let (bytes, mut text) = (fs::read(entry.path()).unwrap(), Vec::new());
        // Of the torn log file only the name is compared.
        let whole = flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut text);
        let path = entry.path().strip_prefix(folder).unwrap();
        if whole.is_err() {
            text.clear();
        }
        (path.to_str().unwrap().replace('\\', "/"), text)
    };
    files.map(text).collect()
}

/// Runs a generator anew.
fn generate(script: &str, out: &Path) {
    let made = Command::new("python3")
        .arg(testdata().join(script))
        .arg("--out")
        .arg(out)
        .status();
    assert!(made.unwrap().success());
}

#[test]
#[ignore = "needs python3"]
fn the_weekend_is_what_its_generator_makes_with_python() {
    let again = tempfile::tempdir().unwrap();
    generate("questions.py", again.path());
    assert_eq!(
        texts(&testdata().join("questions")),
        texts(&again.path().join("questions"))
    );
}

#[test]
#[ignore = "needs python3"]
fn the_keys_that_are_ready_are_what_their_generator_makes_with_python() {
    let again = tempfile::tempdir().unwrap();
    generate("ready.py", again.path());
    let folder = |root: &Path| {
        let name = |name: &str| fs::read(root.join("ready").join(name)).unwrap();
        let mut trail = Vec::new();
        let packed = name("trail.json.gz");
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_end(&mut trail)
            .unwrap();
        [
            trail,
            name("credential-report.csv"),
            name("expected.csv"),
            name("expected-progress.csv"),
        ]
    };
    assert!(
        folder(testdata()) == folder(again.path()),
        "python3 testdata/ready.py"
    );
}

#[test]
#[ignore = "needs python3"]
fn the_generator_makes_the_same_trail_again_with_python() {
    let again = tempfile::tempdir().unwrap();
    generate("generate.py", again.path());
    assert_eq!(
        texts(&testdata().join("trail")),
        texts(&again.path().join("trail"))
    );
    let files = [
        "truth.json",
        "credential-report-111122223333.csv",
        "credential-report-444455556666.csv",
    ];
    for name in files {
        let text = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text(testdata()), text(again.path()), "{name}");
    }
}

/// What `keytrail` prints as JSON.
fn json(args: &[&str], exit_code: i32) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(args)
        .args(["--format", "json", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(exit_code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_answers_are_the_truth() {
    let truth = fs::read(testdata().join("truth.json")).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let lake = tempfile::tempdir().unwrap();
    let lake = lake.path().to_str().unwrap();

    let summary = json(&["ingest", "testdata/trail", "--lake", lake], 3);
    for (part, counts) in [
        ("log_files", &truth["log_files"]),
        ("events", &truth["events"]),
    ] {
        for (name, count) in counts.as_object().unwrap() {
            assert_eq!(&summary[part][name], count, "{part}.{name}");
        }
    }
    for input in [["--trail", "testdata/trail"], ["--lake", lake]] {
        let answer = json(&[&["keys", "--temporary"], &input[..]].concat(), 0);
        let keys = answer["keys"].as_array().unwrap();
        assert_eq!(keys.len(), truth["keys"].as_object().unwrap().len());
        for key in keys {
            let id = key["access_key_id"].as_str().unwrap();
            let truth = &truth["keys"][id];
            assert_eq!(key["user_identity_user_name"], truth["user_name"], "{id}");
            for name in [
                "account_id",
                "events",
                "errors",
                "first_seen",
                "last_seen",
                "issued_keys",
            ] {
                assert_eq!(key[name], truth[name], "{id}: {name}");
            }
            for name in ["source_ip_addresses", "user_agents", "api_calls", "regions"] {
                let distinct = truth[name].as_object().unwrap().len();
                assert_eq!(key[name], distinct, "{id}: {name}");
            }
        }
    }
}
