//! Local sources: what is found, what is left out and said, what is read.

use std::path::Path;

use keytrail::cloudtrail::Selection;
use keytrail::source::{self, Listing, SourceError, SourceOptions};

use crate::trail::{key, write};

const ACCOUNT: &str = "AWSLogs/o-abcdefghij/111111111111";

/// Places below `AWSLogs` that are nearly those of CloudTrail's layout.
pub(crate) const LAYOUTS: &[&str] = &[
    "111111111111/CloudTrail/us_east_1/2025/03/01",
    "111111111111/CloudTrail/US-EAST-1/2025/03/01",
    "111111111111/CloudTrail/us-east-1/2025/3/1",
    "111111111111/CloudTrail/us-east-1/2025-03-01",
    "111111111111/CloudTrail/us-east-1/20250301",
    "111111111111/CloudTrail/us-east-1/2025/03",
    "111111111111/CloudTrail/us-east-1/2025",
    "111111111111/CloudTrail/us-east-1",
    "111111111111/CloudTrail/us-east-1/year=2025/month=03/day=01",
    "111111111111/CloudTrail/us-east-1/2025/03/01/12",
    "111111111111/CloudTrail/2025/03/01",
    "111111111111/CloudTrail",
    "111111111111/cloudtrail/us-east-1/2025/03/01",
    "111111111111/CloudTrail copy/us-east-1/2025/03/01",
    "111111111111/us-east-1/2025/03/01",
    "my-company-prod/CloudTrail/us-east-1/2025/03/01",
    "CloudTrail/us-east-1/2025/03/01",
    "111111111111",
];

/// The first days of a March.
pub(crate) fn march() -> Selection {
    Selection {
        since: Some("2025-03-01T00:00:00Z".parse().unwrap()),
        until: Some("2025-03-05T00:00:00Z".parse().unwrap()),
        ..Selection::default()
    }
}

/// An account and a region.
pub(crate) fn part() -> Selection {
    Selection {
        accounts: ["111111111111".parse().unwrap()].into(),
        regions: ["us-east-1".to_owned()].into(),
        ..Selection::default()
    }
}

async fn list(uri: impl AsRef<Path>, selection: &Selection) -> Result<Listing, SourceError> {
    let uri = uri.as_ref().to_str().unwrap();
    let source = source::open(uri, &SourceOptions::default()).await?;
    source.list(selection, &|_, _| {}).await
}

/// The paths below a folder, of files and of what was skipped.
async fn found(uri: impl AsRef<Path>, below: &Path) -> (Vec<String>, Vec<String>) {
    let listing = list(uri, &Selection::default()).await.unwrap();
    let short = |uri: &str| {
        Path::new(uri)
            .strip_prefix(below)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    (
        listing.files.iter().map(|file| short(&file.uri)).collect(),
        listing
            .skipped
            .iter()
            .map(|it| format!("{}: {}", short(&it.uri), it.reason))
            .collect(),
    )
}

fn trail() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for region in ["eu-west-1", "us-east-1"] {
        for day in ["2025/03/01", "2025/03/05", "2025/04/01"] {
            let region = format!("{ACCOUNT}/CloudTrail/{region}");
            write(root, &key(&region, day, "1205"), b"{}");
        }
    }
    write(
        root,
        &key(
            &format!("{ACCOUNT}/CloudTrail-Digest/eu-west-1"),
            "2025/03/05",
            "1205",
        ),
        b"{}",
    );
    write(
        root,
        &format!("{ACCOUNT}/vpcflowlogs/eu-west-1/2025/03/05/x.log.gz"),
        b"",
    );
    write(root, "AWSLogs/README.md", b"hello");
    write(root, "truth.json", b"{}");
    write(root, ".DS_Store", b"{}");
    folder
}

#[tokio::test]
async fn a_trail_is_read_by_its_layout() {
    let trail = trail();
    let (files, skipped) = found(trail.path(), trail.path()).await;
    assert_eq!(files.len(), 6);
    // In order of delivery, not of path.
    assert!(files[0].contains("eu-west-1/2025/03/01") && files[1].contains("us-east-1/2025/03/01"));
    assert_eq!(
        skipped,
        [
            ".DS_Store: of an operating system or a program, by its name",
            "AWSLogs/README.md: a document by its name, not a log file",
            "AWSLogs/o-abcdefghij/111111111111/CloudTrail-Digest: digest files, not events",
            "AWSLogs/o-abcdefghij/111111111111/vpcflowlogs: logs of another service",
            "truth.json: beside AWSLogs; name it as a source to read it",
        ]
    );
}

#[tokio::test]
async fn any_part_of_a_trail_is_read_by_its_layout() {
    let trail = trail();
    let part = |below: &str| trail.path().join(below);
    for (below, files) in [
        ("AWSLogs", 6),
        (ACCOUNT, 6),
        (&format!("{ACCOUNT}/CloudTrail"), 6),
        (&format!("{ACCOUNT}/CloudTrail/eu-west-1"), 3),
        (&format!("{ACCOUNT}/CloudTrail/eu-west-1/2025/03"), 2),
        (
            &format!("{ACCOUNT}/CloudTrail/../CloudTrail/eu-west-1/2025/03/05"),
            1,
        ),
        (&format!("{ACCOUNT}/CloudTrail-Digest"), 0),
    ] {
        let listing = list(part(below), &Selection::default()).await.unwrap();
        assert_eq!(listing.files.len(), files, "{below}");
        for file in listing.files {
            assert_eq!(file.key().unwrap().account.to_string(), "111111111111");
        }
    }
}

#[tokio::test]
async fn a_selection_leaves_folders_out() {
    let trail = trail();
    let selection = Selection {
        since: Some("2025-03-05T10:00:00Z".parse().unwrap()),
        until: Some("2025-03-31T00:00:00Z".parse().unwrap()),
        regions: ["eu-west-1".to_owned()].into(),
        ..Selection::default()
    };
    let listing = list(trail.path(), &selection).await.unwrap();
    assert_eq!(listing.files.len(), 1);
    let file = &listing.files[0];
    assert_eq!(file.log_date().unwrap().to_string(), "2025-03-05");
    assert_eq!(
        file.delivered().unwrap().to_rfc3339(),
        "2025-03-05T12:05:00+00:00"
    );
    let nobody = Selection {
        accounts: ["999999999999".parse().unwrap()].into(),
        ..Selection::default()
    };
    assert!(list(trail.path(), &nobody).await.unwrap().files.is_empty());
}

#[tokio::test]
async fn in_any_other_folder_every_file_counts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in [
        "b.json",
        "sub/a",
        "sub/deeper/1_CloudTrail_eu-west-1_20250305T1205Z_x.json.gz",
        ".git/x",
        ".DS_Store",
        ".x.json.gz",
        ".copy/y.json",
        "sub/._a",
    ] {
        write(root, name, b"{}");
    }
    write(
        root,
        "exports/AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/x.json",
        b"{}",
    );
    write(root, "exports/beside.json", b"{}");
    write(root, "exports/.gitignore", b"");
    let (files, skipped) = found(root, root).await;
    assert_eq!(
        files,
        [
            ".copy/y.json",
            ".x.json.gz",
            "b.json",
            "sub/a",
            "exports/AWSLogs/111111111111/CloudTrail/eu-west-1/2025/03/05/x.json",
            "sub/deeper/1_CloudTrail_eu-west-1_20250305T1205Z_x.json.gz",
        ]
    );
    assert_eq!(
        skipped,
        [
            ".DS_Store: of an operating system or a program, by its name",
            ".git: of an operating system or a program, by its name",
            "exports/.gitignore: of an operating system or a program, by its name",
            "exports/beside.json: beside AWSLogs; name it as a source to read it",
            "sub/._a: of an operating system or a program, by its name",
        ]
    );
}

#[tokio::test]
async fn a_tree_that_resembles_the_layout_is_read_whole() {
    for place in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        // A tree that is right in part must not hide that the rest is not.
        for file in [
            "AWSLogs/222222222222/CloudTrail/eu-west-1/2025/03/01/x.json.gz",
            &format!("AWSLogs/{place}/x.json.gz"),
            &format!("AWSLogs/{place}/README.md"),
            &format!("AWSLogs/{place}/CloudTrail-Digest/x.json.gz"),
            &format!("AWSLogs/{place}/vpcflowlogs/x.log.gz"),
        ] {
            write(root, file, b"{}");
        }
        for selection in [Selection::default(), march(), part()] {
            let listing = list(root, &selection).await.unwrap();
            let stray = listing.files.iter().filter(|file| {
                Path::new(&file.uri).ends_with(format!("AWSLogs/{place}/x.json.gz"))
            });
            // Where the path does not tell, the events do: nothing that may be wanted is left out.
            let sound = usize::from(selection != part());
            assert_eq!(
                (stray.count(), listing.files.len()),
                (1, 1 + sound),
                "{place}: {listing:?}"
            );
            assert_eq!(listing.skipped.len(), 3, "{place}: {:?}", listing.skipped);
            assert!(!listing.skipped.iter().any(|it| it.reason.is_unread()));
        }
    }
}

/// A copy of a trail beside it, under another name.
#[tokio::test]
async fn log_files_beside_a_trail_are_read() {
    let trail = trail();
    let root = trail.path();
    let name = "111111111111_CloudTrail_us-east-1_20250301T1205Z_AbCdEfGhIjKlMnOp.json.gz";
    for file in [
        &format!("awslogs/111111111111/CloudTrail/us-east-1/2025/03/01/{name}"),
        &format!("AWSLogs (1)/deep/{name}"),
        &format!("copy_{name}"),
        "AWSLogs (1)/notes.json",
        "other/x.json.gz",
        "other/deep/y.json.gz",
        "notes/README.md",
        "second/deep/AWSLogs/222222222222/CloudTrail/us-east-1/2025/03/01/renamed.json.gz",
        &format!("copy/{name}"),
    ] {
        write(root, file, b"{}");
    }
    let (files, skipped) = found(root, root).await;
    let beside: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with("AWSLogs/"))
        .collect();
    assert_eq!(beside.len(), 5, "{beside:?}");
    let beside: Vec<_> = skipped
        .iter()
        .filter_map(|it| it.split_once(": "))
        .filter(|(_, reason)| reason.contains("beside AWSLogs"))
        .collect();
    let unread = "beside AWSLogs; name it as a source to read it";
    assert_eq!(
        beside,
        [
            ("AWSLogs (1)", unread),
            ("notes", "nothing but documents, beside AWSLogs"),
            ("other", unread),
            ("truth.json", unread)
        ]
    );
    // A trail beside the trail is read by its own layout.
    let selection = Selection {
        until: Some("2025-02-01T00:00:00Z".parse().unwrap()),
        ..Selection::default()
    };
    let listing = list(root, &selection).await.unwrap();
    let renamed = |uri: &str| uri.contains("renamed");
    assert!(!listing.files.iter().any(|file| renamed(&file.uri)));
}

#[cfg(unix)]
#[tokio::test]
async fn symbolic_links_are_followed_and_loops_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    write(folder.path(), "a/x.json", b"{}");
    write(elsewhere.path(), "y.json", b"{}");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).unwrap();
    let (files, skipped) = found(folder.path(), folder.path()).await;
    assert_eq!(files, ["a/x.json", "link/y.json"]);
    assert_eq!(skipped.len(), 2);
    assert!(
        skipped[0].starts_with("a/loop: a symbolic link back to"),
        "{}",
        skipped[0]
    );
    assert!(
        skipped[1].starts_with("broken: cannot be read: "),
        "{}",
        skipped[1]
    );
}

#[tokio::test]
async fn a_pattern_names_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in [
        "2025-01/a.json",
        "2025-02/b.json",
        "2025-02/deep/c.json",
        "2024-12/d.json",
        "2025-03.json",
    ] {
        write(root, name, b"{}");
    }
    assert_eq!(
        found(root.join("2025-*/*.json"), root).await.0,
        ["2025-01/a.json", "2025-02/b.json"]
    );
    assert_eq!(
        found(root.join("**/c.*"), root).await.0,
        ["2025-02/deep/c.json"]
    );
    // As in a shell, a dot has to be asked for.
    write(root, ".old/e.json", b"{}");
    assert_eq!(found(root.join(".*/*.json"), root).await.0, [".old/e.json"]);
    let hidden = list(root.join("*/e.json"), &Selection::default()).await;
    assert!(matches!(hidden, Err(SourceError::NotFound { .. })));
    assert_eq!(
        found(root.join("2025-{02,03*}"), root).await.0,
        ["2025-02/b.json", "2025-02/deep/c.json", "2025-03.json"]
    );
    for nothing in ["2026-*", "nowhere/*.json"] {
        let error = list(root.join(nothing), &Selection::default())
            .await
            .unwrap_err();
        assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
    }
    let error = list(root.join("[z-a]"), &Selection::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Glob { .. }) && error.is_fatal(),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_is_read_whole_and_only_if_it_is_the_one_that_was_listed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.json", b"first");
    let path = folder.path().join("x.json");
    let source = source::open(path.to_str().unwrap(), &SourceOptions::default())
        .await
        .unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    assert_eq!(
        (
            listing.stats.files,
            listing.stats.bytes,
            listing.stats.requests
        ),
        (1, 5, 0)
    );
    assert_eq!(
        source.fetch(&listing.files[0]).await.unwrap().as_ref(),
        b"first"
    );
    write(folder.path(), "x.json", b"second");
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Changed { .. }) && !error.is_fatal(),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error}");
}

#[tokio::test]
async fn nothing_there_is_an_error() {
    let error = list("no/such/folder", &Selection::default())
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn progress_ends_at_what_was_found() {
    let trail = trail();
    let source = source::open(trail.path().to_str().unwrap(), &SourceOptions::default())
        .await
        .unwrap();
    let last = std::sync::Mutex::new((0, 0));
    let seen = |files, bytes| *last.lock().unwrap() = (files, bytes);
    let listing = source.list(&Selection::default(), &seen).await.unwrap();
    assert_eq!(
        *last.lock().unwrap(),
        (listing.stats.files, listing.stats.bytes)
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe_is_read_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, b"{}").unwrap()
    });
    let source = source::open(pipe.to_str().unwrap(), &SourceOptions::default())
        .await
        .unwrap();
    for _ in 0..2 {
        let listing = source
            .list(&Selection::default(), &|_, _| {})
            .await
            .unwrap();
        let file = &listing.files[0];
        assert_eq!(file.size, 2);
        // The identity is that of the content: SHA-256 of `{}`.
        assert!(file.etag.starts_with("44136fa355b3678a"), "{}", file.etag);
        assert_eq!(source.fetch(file).await.unwrap().as_ref(), b"{}");
    }
    writer.join().unwrap();
}

/// What is no file is not waited for, and is said; what is in a folder twice is listed twice, and read once by its events.
#[cfg(unix)]
#[tokio::test]
async fn pipes_and_sockets_in_a_folder_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.json", b"{}");
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("pipe.json"))
        .status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.json")).unwrap();
    std::os::unix::fs::symlink("a.json", root.join("same.json")).unwrap();
    let (files, skipped) = found(root, root).await;
    assert_eq!(files, ["a.json", "same.json"]);
    assert_eq!(
        skipped,
        [
            "pipe.json: not a regular file",
            "socket.json: not a regular file"
        ]
    );
    // Beside a trail, too.
    write(
        root,
        "AWSLogs/111111111111/CloudTrail/us-east-1/2025/03/01/x.json.gz",
        b"{}",
    );
    let listing = list(root, &Selection::default()).await.unwrap();
    assert_eq!(listing.files.len(), 1);
    let unread = listing.skipped.iter().filter(|it| it.reason.is_unread());
    assert_eq!(unread.count(), 4);
}

/// A pattern says what it could not look into, where that matters.
#[cfg(unix)]
#[tokio::test]
async fn a_pattern_reports_what_is_closed_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "2025-01/a.json", b"{}");
    std::fs::create_dir(root.join("2024-01")).unwrap();
    for link in ["2025-01/gone.json", "2025-01/gone.txt", "2024-01/gone.json"] {
        std::os::unix::fs::symlink("nowhere", root.join(link)).unwrap();
    }
    let listing = list(root.join("2025-*/*.json"), &Selection::default())
        .await
        .unwrap();
    assert_eq!(listing.files.len(), 1);
    assert_eq!(listing.skipped.len(), 1, "{:?}", listing.skipped);
    assert!(listing.skipped[0].uri.ends_with("2025-01/gone.json"));
    assert!(listing.skipped[0].reason.is_unread());
}
