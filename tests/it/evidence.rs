//! A case is handed over: the same input gives the same bytes, and whatever is changed on the way is named.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::keytrail;
use crate::signed_trail::{Chain, event, public_keys, rewrite};

const KEY: &str = "AKIA3EXAMPLE00000001";

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = keytrail(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn manifest(out: &str) -> &str {
    out.split("SHA-256 ").nth(1).unwrap().trim()
}

#[test]
fn a_case_is_the_same_each_time_and_shows_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut chain = Chain::new("main");
    let files = chain.hours(&path.join("copy"), 0..4);
    fs::write(path.join("keys.json"), public_keys()).unwrap();
    let (code, _, err) = run(path, &["ingest", "copy", "--lake", "lake"]);
    assert_eq!(code, 0, "{err}");
    let export = |name: &str| {
        let args = [
            "evidence",
            "export",
            KEY,
            "--lake",
            "lake",
            "--digests",
            "copy",
            "--public-keys",
            "keys.json",
            "--output",
            name,
        ];
        run(path, &args)
    };
    let (code, out, err) = export("case.tar.zst");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("intact; valid: 3 of 4 digests"), "{out}");
    assert_eq!(export("again.tar.zst").0, 0);
    let bytes = fs::read(path.join("case.tar.zst")).unwrap();
    assert!(
        bytes == fs::read(path.join("again.tar.zst")).unwrap(),
        "not the same bytes"
    );

    // On another machine.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("case.tar.zst"), &bytes).unwrap();
    let hash = manifest(&out).to_owned();
    let args = [
        "evidence",
        "verify",
        "case.tar.zst",
        "--manifest",
        &hash,
        "--format",
        "json",
    ];
    let (code, verified, err) = run(other.path(), &args);
    assert_eq!(code, 0, "{err}");
    let verified: Value = serde_json::from_str(&verified).unwrap();
    let parts = verified["parts"].as_array().unwrap();
    let of = |folder: &str| {
        parts
            .iter()
            .filter(|it| it["name"].as_str().unwrap().starts_with(folder))
            .count()
    };
    assert_eq!((of("log-files/"), of("digests/")), (files.len(), 4));
    assert_eq!(parts.len(), files.len() + 4 + 3);
    let states = parts.iter().filter_map(|it| it["integrity"].as_str());
    assert_eq!(states.filter(|state| *state == "valid").count(), 3 + 4);
    // The log files are as they were delivered.
    let tar = zstd::decode_all(bytes.as_slice()).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let mut delivered = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let of_file = files
            .iter()
            .find(|it| name.ends_with(it.object.rsplit('/').next().unwrap()));
        if let Some(file) = of_file {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            assert_eq!(
                content,
                fs::read(path.join("copy").join(&file.object)).unwrap()
            );
            delivered += 1;
        }
    }
    assert_eq!(delivered, files.len());

    let (code, _, err) = run(
        other.path(),
        &["evidence", "verify", "case.tar.zst", "--manifest", "00ff"],
    );
    assert_eq!(code, 1);
    assert!(
        err.contains("the manifest is not the one you named"),
        "{err}"
    );
    let at = tar
        .windows(9)
        .position(|it| it == b"# Trace o")
        .or_else(|| tar.windows(4).position(|it| it == b"AKIA"))
        .unwrap();
    let mut changed = tar.clone();
    changed[at] ^= 1;
    fs::write(
        other.path().join("changed.tar.zst"),
        zstd::encode_all(changed.as_slice(), 1).unwrap(),
    )
    .unwrap();
    let (code, out, err) = run(other.path(), &["evidence", "verify", "changed.tar.zst"]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("report.json: changed") && err.contains("1 parts differ"),
        "{out}{err}"
    );

    // A log file that is another one than the one that was ingested, and one that is gone.
    rewrite(&path.join("copy"), &files[0].object, |text| {
        text.replace("192.0.2.1", "192.0.2.2")
    });
    fs::remove_file(path.join("copy").join(&files[1].object)).unwrap();
    let (code, out, err) = export("forged.tar.zst");
    assert_eq!(code, 3, "{out}{err}");
    assert!(
        err.contains("differs from the file that was read before"),
        "{err}"
    );
    assert!(err.contains("it is no longer there"), "{err}");
    assert!(out.contains("failed: 2 findings"), "{out}");
}

#[test]
fn ingest_keeps_what_digests_say_of_each_log_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut chain = Chain::new("main");
    let files = chain.hours(&path.join("copy"), 0..8);
    fs::write(path.join("keys.json"), public_keys()).unwrap();
    let verify = |lake: &str| {
        run(
            path,
            &[
                "ingest",
                "copy",
                "--lake",
                lake,
                "--verify",
                "--public-keys",
                "keys.json",
            ],
        )
    };
    let (code, out, err) = verify("lake");
    assert_eq!(code, 0, "{out}{err}");
    let line = |lake: &str| run(path, &["keys", "--lake", lake, "--format", "markdown"]).1;
    assert!(
        line("lake").contains("integrity: valid for 10 of 12 log files; 2 not verified"),
        "{}",
        line("lake")
    );
    let (code, out, err) = run(path, &["keys", "--lake", "lake", "--format", "json"]);
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["coverage"]["integrity"]["valid"], 10);

    // Without the check, that is what stands there; then some log files are checked, and two are forged.
    let (code, _, _) = run(path, &["ingest", "copy", "--lake", "plain"]);
    assert_eq!(code, 0);
    assert_eq!(line("plain").matches("integrity").count(), 1);
    assert!(line("plain").contains("integrity not checked"));
    chain.digest(&path.join("copy"), 8, &[]);
    rewrite(&path.join("copy"), &files[2].object, |text| {
        text.replace("192.0.2.1", "192.0.2.2")
    });
    let added = chain.deliver(&path.join("copy"), 5, &[event(5, 7, "GetObject")]);
    fs::remove_file(path.join("copy").join(&files[6].object)).unwrap();
    let (code, out, err) = verify("plain");
    assert_eq!(code, 1, "{out}");
    let name = |object: &str| object.rsplit('/').next().unwrap().to_owned();
    for (file, problem) in [
        (&files[2].object, "log file altered"),
        (&added.object, "log file in no digest"),
        (&files[6].object, "log file missing"),
    ] {
        assert!(
            out.contains(&name(file)) && out.contains(problem),
            "{problem}: {out}"
        );
    }
    assert!(err.contains("not as AWS delivered them"), "{err}");
    assert!(
        line("plain").contains(
            "integrity: failed for 2 of 13 log files, valid for 0; 11 not checked; first copy/"
        ),
        "{}",
        line("plain")
    );
    let sql = "SELECT coalesce(integrity, 'none') AS state, count(*) AS n FROM log_files WHERE outcome = 'stored' GROUP BY 1 ORDER BY 1";
    let (_, rows, _) = run(path, &["sql", sql, "--lake", "plain", "--format", "csv"]);
    assert_eq!(
        rows,
        "state,n\nlog file altered,1\nlog file in no digest,1\nnone,11\n"
    );
    let (code, _, err) = run(path, &["lake", "compact", "--lake", "plain"]);
    assert_eq!(code, 0, "{err}");
    assert!(line("plain").contains("failed for 2 of 13 log files"));
}
