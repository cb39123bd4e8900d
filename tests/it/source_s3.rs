//! S3 sources against a real server: what is listed and with how many requests, what happens when it goes wrong.

use std::collections::BTreeSet;
use std::path::Path;

use keytrail::cloudtrail::Selection;
use keytrail::source::{self, Listing, SourceError};
use s3s::s3_error;

use crate::s3_server::S3Server;
use crate::source_local::{LAYOUTS, march, part};
use crate::trail::{key, write};

const ORGANIZATION: &str = "trails/main/AWSLogs/o-abcdefghij";

/// A folder with one bucket, and a server on it.
async fn bucket(fill: impl FnOnce(&Path)) -> (tempfile::TempDir, S3Server) {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("logs");
    std::fs::create_dir(&bucket).unwrap();
    fill(&bucket);
    let server = S3Server::start(folder.path()).await;
    (folder, server)
}

/// Two accounts with two regions and a log file on each day of March 2025, and things that are no log files.
fn organization(bucket: &Path) {
    for account in ["111111111111", "222222222222"] {
        let account = format!("{ORGANIZATION}/{account}");
        for region in ["eu-west-1", "us-east-1"] {
            for day in 1..=31 {
                let day = format!("2025/03/{day:02}");
                write(
                    bucket,
                    &key(&format!("{account}/CloudTrail/{region}"), &day, "1205"),
                    b"{}",
                );
                write(
                    bucket,
                    &key(
                        &format!("{account}/CloudTrail-Digest/{region}"),
                        &day,
                        "1205",
                    ),
                    b"{}",
                );
            }
        }
        write(
            bucket,
            &format!("{account}/vpcflowlogs/eu-west-1/2025/03/01/x.log.gz"),
            b"",
        );
    }
    write(bucket, "trails/main/AWSLogs/README.md", b"hello");
    write(bucket, "trails/main/notes/a.txt", b"hello");
    write(bucket, "trails/other/deep/deeper/b.txt", b"hello");
}

async fn list(server: &S3Server, uri: &str, selection: &Selection) -> Result<Listing, SourceError> {
    let source = source::open(uri, &server.options()).await?;
    source.list(selection, &|_, _| {}).await
}

fn uris(listing: &Listing) -> BTreeSet<&str> {
    listing.files.iter().map(|file| file.uri.as_str()).collect()
}

#[tokio::test]
async fn only_the_folders_that_are_needed_are_listed() {
    let (_folder, server) = bucket(organization).await;
    let selection = Selection {
        since: Some("2025-03-10T00:00:00Z".parse().unwrap()),
        until: Some("2025-03-11T00:00:00Z".parse().unwrap()),
        accounts: ["111111111111".parse().unwrap()].into(),
        regions: ["eu-west-1".to_owned()].into(),
    };
    let listing = list(&server, "s3://logs/trails/main", &selection)
        .await
        .unwrap();
    let days: Vec<_> = listing
        .files
        .iter()
        .map(|file| file.log_date().unwrap().to_string())
        .collect();
    assert_eq!(days, ["2025-03-09", "2025-03-10", "2025-03-11"]);
    let file = &listing.files[0];
    assert_eq!(file.uri, format!("s3://logs/{}", file.key().unwrap()));
    assert_eq!(file.etag, "99914b932bd37a50b983c5e7c90ae93b");
    // The prefix, what lies beside AWSLogs; AWSLogs, the organization, the account, CloudTrail; what lies beside the years of
    // the region, the months of that year and the days of that month, and one run of keys.
    assert_eq!(listing.stats.requests, 10);
    assert_eq!(server.requests("ListObjectsV2"), 10);
    assert_eq!(listing.stats.bytes, 6);
}

#[tokio::test]
async fn what_is_left_out_is_said() {
    let (_folder, server) = bucket(organization).await;
    let listing = list(&server, "s3://logs", &Selection::default())
        .await
        .unwrap();
    assert_eq!(listing.files.len(), 2 * 2 * 31);
    let skipped: Vec<_> = listing
        .skipped
        .iter()
        .map(|it| {
            format!(
                "{}: {}",
                it.uri.strip_prefix("s3://logs/trails/").unwrap(),
                it.reason
            )
        })
        .collect();
    assert_eq!(
        skipped,
        [
            "main/AWSLogs/README.md: a document by its name, not a log file",
            "main/AWSLogs/o-abcdefghij/111111111111/CloudTrail-Digest/: digest files, not events",
            "main/AWSLogs/o-abcdefghij/111111111111/vpcflowlogs/: logs of another service",
            "main/AWSLogs/o-abcdefghij/222222222222/CloudTrail-Digest/: digest files, not events",
            "main/AWSLogs/o-abcdefghij/222222222222/vpcflowlogs/: logs of another service",
            "main/notes/: beside AWSLogs; name it as a source to read it",
            "other/: beside AWSLogs; name it as a source to read it",
        ]
    );
}

#[tokio::test]
async fn a_prefix_may_point_anywhere() {
    let (_folder, server) = bucket(organization).await;
    let account = format!("{ORGANIZATION}/111111111111");
    for (prefix, files) in [
        ("", 124),
        ("trails", 124),
        ("trails/main/", 124),
        ("trails/main/AWSLogs", 124),
        (ORGANIZATION, 124),
        (&account, 62),
        (&format!("{account}/CloudTrail/"), 62),
        (&format!("{account}/CloudTrail/eu-west-1"), 31),
        (&format!("{account}/CloudTrail/eu-west-1/2025"), 31),
        (&format!("{account}/CloudTrail/eu-west-1/2025/03/"), 31),
        (&format!("{account}/CloudTrail/eu-west-1/2025/03/07"), 1),
        (
            &key(
                &format!("{account}/CloudTrail/eu-west-1"),
                "2025/03/07",
                "1205",
            ),
            1,
        ),
        (&format!("{account}/CloudTrail-Digest"), 0),
        ("trails/main/notes", 1),
        ("trails/main/notes/a.txt", 1),
    ] {
        let listing = list(
            &server,
            &format!("s3://logs/{prefix}"),
            &Selection::default(),
        )
        .await
        .unwrap();
        assert_eq!(listing.files.len(), files, "{prefix}");
    }
    for prefix in [
        "trail",
        "nowhere/",
        "trails/main/AWSLogs/o-abcdefghij/333333333333",
    ] {
        let error = list(
            &server,
            &format!("s3://logs/{prefix}"),
            &Selection::default(),
        )
        .await
        .unwrap_err();
        assert!(
            matches!(error, SourceError::NotFound { .. }),
            "{prefix}: {error}"
        );
    }
    // Something is there, though nothing that is wanted.
    let selection = Selection {
        since: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..Selection::default()
    };
    let listing = list(
        &server,
        &format!("s3://logs/{account}/CloudTrail"),
        &selection,
    )
    .await
    .unwrap();
    assert_eq!(listing.files.len(), 0);
}

#[tokio::test]
async fn a_busy_region_is_listed_in_pages_some_of_them_at_once() {
    let region = "AWSLogs/111111111111/CloudTrail/eu-west-1";
    let (_folder, server) = bucket(|bucket| {
        for day in 1..=28 {
            for hour in 0..24 {
                for minute in 0..5 {
                    let day = format!("2025/02/{day:02}");
                    write(
                        bucket,
                        &key(region, &day, &format!("{hour:02}{minute:02}")),
                        b"{}",
                    );
                }
            }
        }
    })
    .await;
    let options = server.options();
    let source = source::open("s3://logs", &options).await.unwrap();
    let last = std::sync::Mutex::new((0, 0));
    let seen = |files, bytes| *last.lock().unwrap() = (files, bytes);
    let listing = source.list(&Selection::default(), &seen).await.unwrap();
    assert_eq!(uris(&listing).len(), 28 * 24 * 5);
    assert_eq!(listing.files.len(), 28 * 24 * 5);
    assert!(listing.files.is_sorted_by_key(|file| file.delivered()));
    assert_eq!(*last.lock().unwrap(), (3360, 6720));

    // The end of the range is known here, and so is how many runs the first page of 8 days suggests: two, of 10 days.
    let selection = Selection {
        until: Some("2025-02-27T00:00:00Z".parse().unwrap()),
        ..Selection::default()
    };
    let before = server.requests("ListObjectsV2");
    let source = source::open(&format!("s3://logs/{region}"), &options)
        .await
        .unwrap();
    let listing = source.list(&selection, &|_, _| {}).await.unwrap();
    assert_eq!(uris(&listing).len(), 27 * 24 * 5);
    assert_eq!(listing.files.len(), 27 * 24 * 5);
    // 3,240 keys are at least four pages; what lies beside the days where the range ends takes three more.
    assert!(
        (4..=9).contains(&listing.stats.requests),
        "{:?}",
        listing.stats
    );
    assert_eq!(
        server.requests("ListObjectsV2") - before,
        listing.stats.requests
    );
}

#[tokio::test]
async fn a_prefix_without_the_layout_is_listed_whole() {
    let (_folder, server) = bucket(|bucket| {
        for number in 0..1_200 {
            write(bucket, &format!("flat/{number:04}.json"), b"{}");
        }
    })
    .await;
    let listing = list(&server, "s3://logs/flat", &Selection::default())
        .await
        .unwrap();
    assert_eq!(listing.files.len(), 1_200);
    // One page to look for AWSLogs, one to be sure of it, two for the objects.
    assert_eq!(listing.stats.requests, 4);
}

#[tokio::test]
async fn a_tree_that_resembles_the_layout_is_read_whole() {
    for place in LAYOUTS {
        let stray = format!("AWSLogs/{place}/x.json.gz");
        let (_folder, server) = bucket(|bucket| {
            for file in [
                "AWSLogs/222222222222/CloudTrail/eu-west-1/2025/03/01/x.json.gz",
                &stray,
                &format!("AWSLogs/{place}/README.md"),
                &format!("AWSLogs/{place}/CloudTrail-Digest/x.json.gz"),
                &format!("AWSLogs/{place}/vpcflowlogs/x.log.gz"),
            ] {
                write(bucket, file, b"{}");
            }
        })
        .await;
        for selection in [Selection::default(), march(), part()] {
            let listing = list(&server, "s3://logs", &selection).await.unwrap();
            let uris: Vec<_> = listing.files.iter().map(|file| &file.uri).collect();
            assert!(uris.contains(&&format!("s3://logs/{stray}")), "{place}");
            let sound = usize::from(selection != part());
            assert_eq!(uris.len(), 1 + sound, "{place}: {uris:?}");
            assert!(!listing.skipped.iter().any(|it| it.reason.is_unread()));
        }
    }
}

/// A key that does not sort by its day is found wherever a range of days begins and ends.
#[tokio::test]
async fn a_range_of_days_loses_nothing_that_has_none() {
    let region = "AWSLogs/111111111111/CloudTrail/us-east-1";
    let name = "111111111111_CloudTrail_us-east-1_20250301T1205Z_AbCdEfGhIjKlMnOp.json.gz";
    let strays = [
        format!("{region}/2025/03/{name}"),
        format!("{region}/2025/03/x.json.gz"),
        format!("{region}/2025/{name}"),
        format!("{region}/2025/x.json.gz"),
        format!("{region}/2025/3/1/x.json.gz"),
        format!("{region}/2025/13/x.json.gz"),
        format!("{region}/2025/03/1/x.json.gz"),
        format!("{region}/2025/03/01/12/x.json.gz"),
        format!("{region}/{name}"),
        format!("{region}/2025-03-01/x.json.gz"),
        format!("{region}/year=2025/x.json.gz"),
        format!("{region}/~x.json.gz"),
    ];
    let of_days = [
        "2024/12/31",
        "2025/02/28",
        "2025/03/02",
        "2025/04/30",
        "2026/01/01",
    ];
    let wanted = |listing: &Listing| {
        let uris = listing.files.iter();
        let strays = uris.filter(|file| strays.iter().any(|key| file.uri.ends_with(key.as_str())));
        strays.count()
    };
    let (_folder, server) = bucket(|bucket| {
        for day in of_days {
            write(bucket, &key(region, day, "1205"), b"{}");
        }
        for stray in &strays {
            write(bucket, stray, b"{}");
        }
    })
    .await;
    let time = |text: &str| Some(format!("{text}T00:00:00Z").parse().unwrap());
    for (since, until) in [
        (None, None),
        (time("2025-03-02"), None),
        (None, time("2025-03-02")),
        (time("2025-03-01"), time("2025-03-02")),
        (time("2025-03-02"), time("2025-12-31")),
        (time("2024-06-01"), time("2025-03-02")),
    ] {
        let selection = Selection {
            since,
            until,
            ..Selection::default()
        };
        for prefix in ["", region, &format!("{region}/2025")] {
            let listing = list(&server, &format!("s3://logs/{prefix}"), &selection)
                .await
                .unwrap();
            let below = match prefix.ends_with("2025") {
                true => 8,
                false => strays.len(),
            };
            let missing: Vec<_> = strays
                .iter()
                .filter(|key| {
                    !listing
                        .files
                        .iter()
                        .any(|file| file.uri.ends_with(key.as_str()))
                })
                .collect();
            assert_eq!(
                wanted(&listing),
                below,
                "{since:?} {until:?} {prefix}: {missing:?}"
            );
            assert_eq!(uris(&listing).len(), listing.files.len());
        }
    }
}

/// Log files beside a trail are read as on disk, and what is not read is said.
#[tokio::test]
async fn log_files_beside_a_trail_are_read() {
    let name = "111111111111_CloudTrail_us-east-1_20250301T1205Z_AbCdEfGhIjKlMnOp.json.gz";
    let place = "111111111111/CloudTrail/us-east-1/2025/03/01";
    let (_folder, server) = bucket(|bucket| {
        for file in [
            &format!("AWSLogs/{place}/x.json.gz"),
            &format!("second/AWSLogs/{place}/y.json.gz"),
            &format!("third/a/b/AWSLogs/{place}/z.json.gz"),
            &format!("third/a/b/c/d/e/AWSLogs/{place}/z.json.gz"),
            &format!("AWSLogs (1)/{place}/{name}"),
            &format!("flat/{name}"),
            name,
            "flat/README.md",
            "events.json",
            "notes/README.md",
            "notes/.DS_Store",
            "tool/.git/config",
            "other/deep/deeper/and/deeper/x.json",
        ] {
            write(bucket, file, b"{}");
        }
        for number in 0..6_500 {
            write(bucket, &format!("many/{number:04}.md"), b"");
        }
    })
    .await;
    let listing = list(&server, "s3://logs", &Selection::default())
        .await
        .unwrap();
    assert_eq!(listing.files.len(), 7, "{:?}", uris(&listing));
    let unread = "beside AWSLogs; name it as a source to read it";
    let skipped: Vec<_> = listing
        .skipped
        .iter()
        .map(|it| {
            (
                it.uri.strip_prefix("s3://logs/").unwrap(),
                it.reason.to_string(),
            )
        })
        .collect();
    let documents = "nothing but documents, beside AWSLogs";
    let expected = [
        ("events.json", unread),
        // More than is looked through.
        ("many/", unread),
        ("notes/", documents),
        ("other/", unread),
        ("tool/", documents),
    ];
    assert_eq!(
        skipped,
        expected.map(|(name, reason)| (name, reason.to_owned()))
    );
}

/// What lies on disk and in S3 is the same trail: of every odd layout, at any depth, for any part of it.
#[tokio::test]
async fn disk_and_s3_list_the_same() {
    let log_file = "111111111111_CloudTrail_us-east-1_20250301T1205Z_AbCdEfGhIjKlMnOp.json.gz";
    let names = [log_file, "x.json.gz", ".y.json", "README.md", ".DS_Store"];
    let more = [
        "111111111111/CloudTrail/us-east-1/2025/03/05",
        "111111111111/CloudTrail/us-east-1/2025/02",
        "111111111111/CloudTrail/us-east-1/2024",
        "111111111111/CloudTrail/us-east-1/2025/03/01/",
        "111111111111/CloudTrail/us-east-1/20251",
        "111111111111/CloudTrail/us-east-1/2025/031",
        "111111111111/CloudTrail/us-gov-east-1/2025/03/31",
        "111111111111/CloudTrail/eu-west-1/2025/03/02",
        "o-abcdefghij/222222222222/CloudTrail/us-east-1/2025/03/02",
        "o-abcdefghij/CloudTrail/us-east-1/2025/03/02",
        "o-ABC/222222222222/CloudTrail/us-east-1/2025/03/02",
        "222222222222/CloudTrail-NetworkActivity/us-east-1/2025/03/02",
        "222222222222/CloudTrail-Insight/us-east-1/2025/03/02",
        "222222222222/CloudTrail-Digest/us-east-1/2025/03",
        "222222222222/Config/us-east-1/2025/3/2",
        "AWSLogs/111111111111/CloudTrail/us-east-1/2025/03/02",
        ".git/111111111111/CloudTrail/us-east-1/2025/03/02",
        "",
    ];
    for prefix in ["", "org/", "a/b/"] {
        for beside in [&[][..], &["copy", "AWSLogs (1)/deep", "notes/.git"]] {
            let (folder, server) = bucket(|bucket| {
                for place in LAYOUTS.iter().chain(&more) {
                    for name in names {
                        write(bucket, &format!("{prefix}AWSLogs/{place}/{name}"), b"{}");
                    }
                }
                for place in beside {
                    for name in names {
                        write(bucket, &format!("{prefix}{place}/{name}"), b"{}");
                    }
                }
            })
            .await;
            let disk = folder.path().join("logs");
            let time = |text: &str| Some(text.parse().unwrap());
            let since = Selection {
                since: time("2025-03-02T00:00:00Z"),
                ..Selection::default()
            };
            let until = Selection {
                until: time("2025-02-20T00:00:00Z"),
                ..Selection::default()
            };
            for selection in [Selection::default(), march(), part(), since, until] {
                for below in ["", "AWSLogs", "AWSLogs/111111111111/CloudTrail/us-east-1"] {
                    let place = format!("{prefix}{below}");
                    let in_s3 = list(&server, &format!("s3://logs/{place}"), &selection)
                        .await
                        .unwrap();
                    let on_disk = disk.join(&place);
                    let options = source::SourceOptions::default();
                    let on_disk = source::open(on_disk.to_str().unwrap(), &options)
                        .await
                        .unwrap();
                    let on_disk = on_disk.list(&selection, &|_, _| {}).await.unwrap();
                    let of_s3: BTreeSet<&str> = in_s3
                        .files
                        .iter()
                        .map(|file| file.uri.strip_prefix("s3://logs/").unwrap())
                        .collect();
                    let of_disk: BTreeSet<&str> = on_disk
                        .files
                        .iter()
                        .map(|file| {
                            Path::new(&file.uri)
                                .strip_prefix(&disk)
                                .unwrap()
                                .to_str()
                                .unwrap()
                        })
                        .collect();
                    let only_s3: Vec<_> = of_s3.difference(&of_disk).collect();
                    let only_disk: Vec<_> = of_disk.difference(&of_s3).collect();
                    assert!(
                        only_s3.is_empty() && only_disk.is_empty(),
                        "{place} {selection:?}: only in S3: {only_s3:#?}, only on disk: {only_disk:#?}"
                    );
                    assert_eq!(in_s3.files.len(), of_s3.len());
                    let unread =
                        |listing: &Listing| listing.skipped.iter().any(|it| it.reason.is_unread());
                    assert_eq!(unread(&in_s3), unread(&on_disk), "{place}");
                }
            }
        }
    }
}

/// Keys may hold characters that XML cannot.
#[tokio::test]
async fn keys_with_control_characters_are_read() {
    let names = [
        "a\u{1}b.json",
        "tab\there.json",
        "line\nbreak.json",
        "a+b %2B c.json",
        "é\u{7f}&<>\".json",
    ];
    let (_folder, server) = bucket(|bucket| {
        for name in names {
            write(bucket, &format!("odd/{name}"), name.as_bytes());
        }
    })
    .await;
    let source = source::open("s3://logs/odd", &server.options())
        .await
        .unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    assert_eq!(listing.files.len(), names.len(), "{:?}", uris(&listing));
    for file in &listing.files {
        let name = file.uri.strip_prefix("s3://logs/odd/").unwrap();
        assert_eq!(source.fetch(file).await.unwrap().as_ref(), name.as_bytes());
    }
}

#[tokio::test]
async fn an_archived_object_is_skipped() {
    let file = key(
        "AWSLogs/111111111111/CloudTrail/eu-west-1",
        "2025/03/05",
        "1205",
    );
    let (_folder, server) = bucket(|bucket| write(bucket, &file, b"{}")).await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    server.archive(&file);
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(matches!(error, SourceError::Archived { .. }), "{error}");
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    assert!(listing.files.is_empty());
    assert_eq!(
        listing.skipped[0].reason.to_string(),
        "archived (GLACIER) and not restored"
    );
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let (_folder, server) = bucket(|bucket| write(bucket, "x.json", b"{}")).await;
    server.refuse("ListObjectsV2", 2, || {
        s3_error!(SlowDown, "Please reduce your request rate.")
    });
    server.refuse("GetObject", 2, || {
        s3_error!(SlowDown, "Please reduce your request rate.")
    });
    let source = source::open("s3://logs/x.json", &server.options())
        .await
        .unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    assert_eq!(
        source.fetch(&listing.files[0]).await.unwrap().as_ref(),
        b"{}"
    );
    assert_eq!(server.requests("ListObjectsV2"), listing.stats.requests + 2);
    assert_eq!(server.requests("GetObject"), 3);
}

#[tokio::test]
async fn a_broken_body_is_continued() {
    let content: Vec<u8> = (0..4_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let (_folder, server) = bucket(|bucket| write(bucket, "x.json", &content)).await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    server.cut_after(2_000_000);
    assert!(source.fetch(&listing.files[0]).await.unwrap() == content);
    assert_eq!(server.requests("GetObject"), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    let (_folder, server) = bucket(|bucket| write(bucket, "x.json", b"{}")).await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    server.cut_after(20);
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    assert_eq!(listing.files.len(), 1);
    assert_eq!(server.requests("ListObjectsV2"), listing.stats.requests + 1);
}

#[tokio::test]
async fn a_replaced_object_is_not_taken_for_the_one_that_was_listed() {
    let (folder, server) = bucket(|bucket| write(bucket, "x.json", b"first")).await;
    let source = source::open("s3://logs", &server.options()).await.unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    write(folder.path(), "logs/x.json", b"other");
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Changed { .. }) && !error.is_fatal(),
        "{error}"
    );
    std::fs::remove_file(folder.path().join("logs/x.json")).unwrap();
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was found at s3://logs/x.json");
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let (_folder, server) = bucket(|bucket| write(bucket, "a/x.json", b"{}")).await;
    server.refuse("ListObjectsV2", 1, || {
        s3_error!(AccessDenied, "Access Denied")
    });
    let error = list(&server, "s3://logs/a", &Selection::default())
        .await
        .unwrap_err();
    assert!(error.is_fatal());
    assert_eq!(
        error.to_string(),
        "access denied: s3:ListBucket on arn:aws:s3:::logs: Access Denied"
    );

    let source = source::open("s3://logs/a", &server.options())
        .await
        .unwrap();
    let listing = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap();
    server.refuse("GetObject", 1, || s3_error!(AccessDenied, "Access Denied"));
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(!error.is_fatal());
    assert_eq!(
        error.to_string(),
        "access denied: s3:GetObject on arn:aws:s3:::logs/a/x.json: Access Denied"
    );

    server.refuse("GetObject", 1, || {
        s3_error!(
            AccessDenied,
            "User: u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/2 because no"
        )
    });
    let error = source.fetch(&listing.files[0]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("access denied: kms:Decrypt on arn:aws:kms:eu-west-1:1:key/2:"),
        "{error}"
    );
}

#[tokio::test]
async fn errors_of_the_bucket_and_of_credentials_stop_the_run() {
    let (_folder, server) = bucket(|_| {}).await;
    let error = list(&server, "s3://no-such-bucket/a", &Selection::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::NoSuchBucket { bucket } if bucket == "no-such-bucket"),
        "{error}"
    );
    assert!(error.is_fatal());

    let error = list(&server, "s3://", &Selection::default())
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::InvalidUri { .. }), "{error}");

    let mut options = server.options();
    options.credentials = Some(aws_credential_types::Credentials::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wrong",
        None,
        None,
        "test",
    ));
    let source = source::open("s3://logs", &options).await.unwrap();
    let error = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::RefusedCredentials { .. }) && error.is_fatal(),
        "{error}"
    );

    server.refuse("ListObjectsV2", 1, || {
        s3_error!(ExpiredToken, "The provided token has expired.")
    });
    let error = list(&server, "s3://logs", &Selection::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::RefusedCredentials { code, .. } if code == "ExpiredToken"),
        "{error}"
    );

    server.refuse("ListObjectsV2", 1, || {
        s3_error!(PermanentRedirect, "Use the specified endpoint.")
    });
    let error = list(&server, "s3://logs", &Selection::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::WrongRegion { .. }) && error.is_fatal(),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_signature_only_public_buckets_answer() {
    let (_folder, server) = bucket(|_| {}).await;
    let mut options = server.options();
    options.credentials = None;
    options.no_sign_request = true;
    let source = source::open("s3://logs", &options).await.unwrap();
    let error = source
        .list(&Selection::default(), &|_, _| {})
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::AccessDenied { .. }), "{error}");
}
