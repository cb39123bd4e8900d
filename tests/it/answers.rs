//! The answers on `testdata/trail` as people and programs see them: standard output, standard error and exit code
//! together, in every format.

use crate::program::ran;
use insta::assert_snapshot;

const TRAIL: &str = "testdata/trail";
/// A key that was refused once, was used from several places, and issued another.
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// The answer to a question that is asked of the trail.
fn asked(question: &[&str], format: &str) -> String {
    ran(&[question, &["--trail", TRAIL, "--format", format, "--quiet"]].concat())
}

/// What an ingest says; what differs from run to run is covered up.
fn ingested(format: &str) -> String {
    let lake = tempfile::tempdir().unwrap();
    let lake = lake.path().join("lake");
    let lake = lake.to_str().unwrap();
    let said = ran(&[
        "ingest", TRAIL, "--lake", lake, "--format", format, "--quiet",
    ]);
    said.replace(lake, "LAKE")
}

macro_rules! assert_covered {
    ($format:literal, @$said:literal) => {
        insta::with_settings!({filters => [
            // The trail is of March 2025.
            (r"20(2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?", "NOW"),
        ]}, { assert_snapshot!(asked(&["coverage"], $format), @$said) })
    };
}

macro_rules! assert_ingested {
    ($format:literal, @$said:literal) => {
        insta::with_settings!({filters => [
            (r"time  *[0-9.]+ s, .*", "time       …"),
            (r"JSON, .* in the lake", "JSON, … in the lake"),
            (r#""lake": \d+"#, r#""lake": 0"#),
            (r#""seconds": [\d.e-]+"#, r#""seconds": 0"#),
        ]}, { assert_snapshot!(ingested($format), @$said) })
    };
}

#[test]
fn ingest_in_words() {
    assert_ingested!("table", @"
    exit code: 3
    --- stdout
    log files  55 listed = 54 stored + 0 already there + 1 rejected + 0 without events
    events     368 read = 336 stored + 30 duplicates + 2 rejected
    bytes      89.3 KiB compressed, 436.9 KiB of JSON, … in the lake
    time       …
    lake       LAKE

    rejected:
      testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing

    skipped:
      testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn ingest_in_json() {
    assert_ingested!("json", @r#"
    exit code: 3
    --- stdout
    {
      "report": "ingest",
      "log_files": {
        "listed": 55,
        "stored": 54,
        "already_stored": 0,
        "rejected": 1,
        "rejected_before": 0,
        "rejected_by_kind": {
          "cut off": 1
        },
        "skipped": 1,
        "left": 0,
        "stopped_listing": false
      },
      "events": {
        "read": 368,
        "stored": 336,
        "duplicates": 30,
        "rejected": 2,
        "stored_of_left": 0
      },
      "bytes": {
        "compressed": 91457,
        "json": 447388,
        "lake": 0
      },
      "seconds": 0,
      "rejected": [
        {
          "log_file": "testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz",
          "reason": "the compressed data ends too early, after 2471 bytes of text: the rest is missing"
        }
      ],
      "rejected_before": [],
      "skipped": [
        {
          "log_file": "testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest",
          "reason": "digest files, not events"
        }
      ],
      "remarks": [],
      "integrity": {
        "checked": false,
        "failed": [],
        "digests": []
      }
    }
    --- stderr
    "#);
}

#[test]
fn keys_in_table() {
    assert_snapshot!(asked(&["keys"], "table"), @"
    exit code: 3
    --- stdout
    Access keys (times in UTC)
    note: AKIARTX3GSDS75MXKBSU looks stolen (intruder): keytrail keys --suspicious has the reasons

    access key            user             origin      last seen            events  errors  addresses  account       first seen           user agents  API calls  regions  issued keys  type       identity  account of key  ARN
    AKIARTX3GSDSVYJXHKU3  ci-deploy        –           2025-03-07 15:02:42      75       0         10  111122223333  2025-03-03 09:02:00            4          6        1            5  long-term  IAMUser   111122223333    arn:aws:iam::111122223333:user/ci/ci-deploy
    AKIARTX3GSDS6GMG3NS7  svc-backup       –           2025-03-07 02:04:40      35       0          1  111122223333  2025-03-03 02:03:00            1          2        1            0  long-term  IAMUser   111122223333    arn:aws:iam::111122223333:user/service/svc-backup
    AKIAWO645SY5GR7BCNFK  svc-orders       –           2025-03-04 15:01:40      32       0          2  444455556666  2025-03-03 02:01:00            3          4        1            0  long-term  IAMUser   444455556666    arn:aws:iam::444455556666:user/service/svc-orders
    AKIAWO645SY5PJD4OYL5  svc-orders       –           2025-03-07 15:01:40      32       0          2  444455556666  2025-03-06 02:01:00            3          4        1            0  long-term  IAMUser   444455556666    arn:aws:iam::444455556666:user/service/svc-orders
    AKIARTX3GSDS75MXKBSU  svc-export       intruder    2025-03-07 02:08:03      26       1          3  111122223333  2025-03-03 02:08:00            4          7        1            1  long-term  IAMUser   111122223333    arn:aws:iam::111122223333:user/service/svc-export
    AKIAWO645SY5N7R27AUY  svc-report       suspicious  2025-03-07 02:05:05      26      14          1  444455556666  2025-03-03 02:05:00            1          4        2            0  long-term  IAMUser   444455556666    arn:aws:iam::444455556666:user/service/svc-report
    AKIARTX3GSDSYSEXEVUR  alice            –           2025-03-07 15:06:02      18       0          2  111122223333  2025-03-03 15:06:00            5          5        1            1  long-term  IAMUser   111122223333    arn:aws:iam::111122223333:user/alice
    AKIARTX3GSDS4J6SD2VQ  svc-backup-sync  intruder    2025-03-06 15:01:40       9       1          1  111122223333  2025-03-06 15:01:20            2          2        1            0  long-term  IAMUser   111122223333    arn:aws:iam::111122223333:user/svc-backup-sync

    336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    data events of dynamodb.amazonaws.com, s3.amazonaws.com
    not read: 1 log file rejected; …/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    skipped: 1 file or folder without events; …/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn keys_in_json() {
    assert_snapshot!(asked(&["keys"], "json"), @r#"
    exit code: 3
    --- stdout
    {
      "report": "keys",
      "coverage": {"source":"testdata/trail","events":336,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-07T15:06:02Z","accounts":["111122223333","444455556666"],"regions":["eu-west-1","us-east-1"],"days_with_events":5,"days_missing":[],"log_files":54,"log_files_rejected":1,"records_rejected":2,"event_categories":["Data","Management"],"data_event_services":["dynamodb.amazonaws.com","s3.amazonaws.com"],"integrity":{"log_files":55,"valid":0,"not_verified":0,"failed":0,"not_checked":55,"examples":[]},"not_read":[{"kind":"rejected","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz","reason":"the compressed data ends too early, after 2471 bytes of text: the rest is missing"}]},{"kind":"skipped","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest","reason":"digest files, not events"}]}],"warnings":[]},
      "notes": [],
      "keys": [
        {"access_key_id":"AKIARTX3GSDSVYJXHKU3","user_identity_user_name":"ci-deploy","last_seen":"2025-03-07T15:02:42Z","events":75,"errors":0,"source_ip_addresses":10,"account_id":"111122223333","first_seen":"2025-03-03T09:02:00Z","user_agents":4,"api_calls":6,"regions":1,"issued_keys":5,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/ci/ci-deploy"},
        {"access_key_id":"AKIARTX3GSDS6GMG3NS7","user_identity_user_name":"svc-backup","last_seen":"2025-03-07T02:04:40Z","events":35,"errors":0,"source_ip_addresses":1,"account_id":"111122223333","first_seen":"2025-03-03T02:03:00Z","user_agents":1,"api_calls":2,"regions":1,"issued_keys":0,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/service/svc-backup"},
        {"access_key_id":"AKIAWO645SY5GR7BCNFK","user_identity_user_name":"svc-orders","last_seen":"2025-03-04T15:01:40Z","events":32,"errors":0,"source_ip_addresses":2,"account_id":"444455556666","first_seen":"2025-03-03T02:01:00Z","user_agents":3,"api_calls":4,"regions":1,"issued_keys":0,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"444455556666","user_identity_arn":"arn:aws:iam::444455556666:user/service/svc-orders"},
        {"access_key_id":"AKIAWO645SY5PJD4OYL5","user_identity_user_name":"svc-orders","last_seen":"2025-03-07T15:01:40Z","events":32,"errors":0,"source_ip_addresses":2,"account_id":"444455556666","first_seen":"2025-03-06T02:01:00Z","user_agents":3,"api_calls":4,"regions":1,"issued_keys":0,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"444455556666","user_identity_arn":"arn:aws:iam::444455556666:user/service/svc-orders"},
        {"access_key_id":"AKIARTX3GSDS75MXKBSU","user_identity_user_name":"svc-export","last_seen":"2025-03-07T02:08:03Z","events":26,"errors":1,"source_ip_addresses":3,"account_id":"111122223333","first_seen":"2025-03-03T02:08:00Z","user_agents":4,"api_calls":7,"regions":1,"issued_keys":1,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/service/svc-export"},
        {"access_key_id":"AKIAWO645SY5N7R27AUY","user_identity_user_name":"svc-report","last_seen":"2025-03-07T02:05:05Z","events":26,"errors":14,"source_ip_addresses":1,"account_id":"444455556666","first_seen":"2025-03-03T02:05:00Z","user_agents":1,"api_calls":4,"regions":2,"issued_keys":0,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"444455556666","user_identity_arn":"arn:aws:iam::444455556666:user/service/svc-report"},
        {"access_key_id":"AKIARTX3GSDSYSEXEVUR","user_identity_user_name":"alice","last_seen":"2025-03-07T15:06:02Z","events":18,"errors":0,"source_ip_addresses":2,"account_id":"111122223333","first_seen":"2025-03-03T15:06:00Z","user_agents":5,"api_calls":5,"regions":1,"issued_keys":1,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/alice"},
        {"access_key_id":"AKIARTX3GSDS4J6SD2VQ","user_identity_user_name":"svc-backup-sync","last_seen":"2025-03-06T15:01:40Z","events":9,"errors":1,"source_ip_addresses":1,"account_id":"111122223333","first_seen":"2025-03-06T15:01:20Z","user_agents":2,"api_calls":2,"regions":1,"issued_keys":0,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/svc-backup-sync"}
      ]
    }
    --- stderr
    "#);
}

#[test]
fn keys_in_csv() {
    assert_snapshot!(asked(&["keys"], "csv"), @"
    exit code: 3
    --- stdout
    access_key_id,user_identity_user_name,last_seen,events,errors,source_ip_addresses,account_id,first_seen,user_agents,api_calls,regions,issued_keys,key_type,user_identity_type,decoded_account_id,user_identity_arn
    AKIARTX3GSDSVYJXHKU3,ci-deploy,2025-03-07T15:02:42Z,75,0,10,111122223333,2025-03-03T09:02:00Z,4,6,1,5,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/ci/ci-deploy
    AKIARTX3GSDS6GMG3NS7,svc-backup,2025-03-07T02:04:40Z,35,0,1,111122223333,2025-03-03T02:03:00Z,1,2,1,0,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/service/svc-backup
    AKIAWO645SY5GR7BCNFK,svc-orders,2025-03-04T15:01:40Z,32,0,2,444455556666,2025-03-03T02:01:00Z,3,4,1,0,long-term,IAMUser,444455556666,arn:aws:iam::444455556666:user/service/svc-orders
    AKIAWO645SY5PJD4OYL5,svc-orders,2025-03-07T15:01:40Z,32,0,2,444455556666,2025-03-06T02:01:00Z,3,4,1,0,long-term,IAMUser,444455556666,arn:aws:iam::444455556666:user/service/svc-orders
    AKIARTX3GSDS75MXKBSU,svc-export,2025-03-07T02:08:03Z,26,1,3,111122223333,2025-03-03T02:08:00Z,4,7,1,1,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/service/svc-export
    AKIAWO645SY5N7R27AUY,svc-report,2025-03-07T02:05:05Z,26,14,1,444455556666,2025-03-03T02:05:00Z,1,4,2,0,long-term,IAMUser,444455556666,arn:aws:iam::444455556666:user/service/svc-report
    AKIARTX3GSDSYSEXEVUR,alice,2025-03-07T15:06:02Z,18,0,2,111122223333,2025-03-03T15:06:00Z,5,5,1,1,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/alice
    AKIARTX3GSDS4J6SD2VQ,svc-backup-sync,2025-03-06T15:01:40Z,9,1,1,111122223333,2025-03-06T15:01:20Z,2,2,1,0,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/svc-backup-sync
    --- stderr
    ");
}

#[test]
fn keys_in_markdown() {
    assert_snapshot!(asked(&["keys"], "markdown"), @r"
    exit code: 3
    --- stdout
    # Access keys

    | access\_key\_id | user\_identity\_user\_name | last\_seen | events | errors | source\_ip\_addresses | account\_id | first\_seen | user\_agents | api\_calls | regions | issued\_keys | key\_type | user\_identity\_type | decoded\_account\_id | user\_identity\_arn |
    | --- | --- | --- | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- | --- |
    | AKIARTX3GSDSVYJXHKU3 | ci-deploy | 2025-03-07 15:02:42 | 75 | 0 | 10 | 111122223333 | 2025-03-03 09:02:00 | 4 | 6 | 1 | 5 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/ci/ci-deploy |
    | AKIARTX3GSDS6GMG3NS7 | svc-backup | 2025-03-07 02:04:40 | 35 | 0 | 1 | 111122223333 | 2025-03-03 02:03:00 | 1 | 2 | 1 | 0 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/service/svc-backup |
    | AKIAWO645SY5GR7BCNFK | svc-orders | 2025-03-04 15:01:40 | 32 | 0 | 2 | 444455556666 | 2025-03-03 02:01:00 | 3 | 4 | 1 | 0 | long-term | IAMUser | 444455556666 | arn:aws:iam::444455556666:user/service/svc-orders |
    | AKIAWO645SY5PJD4OYL5 | svc-orders | 2025-03-07 15:01:40 | 32 | 0 | 2 | 444455556666 | 2025-03-06 02:01:00 | 3 | 4 | 1 | 0 | long-term | IAMUser | 444455556666 | arn:aws:iam::444455556666:user/service/svc-orders |
    | AKIARTX3GSDS75MXKBSU | svc-export | 2025-03-07 02:08:03 | 26 | 1 | 3 | 111122223333 | 2025-03-03 02:08:00 | 4 | 7 | 1 | 1 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/service/svc-export |
    | AKIAWO645SY5N7R27AUY | svc-report | 2025-03-07 02:05:05 | 26 | 14 | 1 | 444455556666 | 2025-03-03 02:05:00 | 1 | 4 | 2 | 0 | long-term | IAMUser | 444455556666 | arn:aws:iam::444455556666:user/service/svc-report |
    | AKIARTX3GSDSYSEXEVUR | alice | 2025-03-07 15:06:02 | 18 | 0 | 2 | 111122223333 | 2025-03-03 15:06:00 | 5 | 5 | 1 | 1 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/alice |
    | AKIARTX3GSDS4J6SD2VQ | svc-backup-sync | 2025-03-06 15:01:40 | 9 | 1 | 1 | 111122223333 | 2025-03-06 15:01:20 | 2 | 2 | 1 | 0 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/svc-backup-sync |

    ## Coverage

    - 336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    - 2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    - 5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    - data events of dynamodb.amazonaws.com, s3.amazonaws.com
    - not read: 1 log file rejected; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333\_CloudTrail\_eu-west-1\_20250305T1525Z\_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    - skipped: 1 file or folder without events; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn key_in_table() {
    assert_snapshot!(asked(&["key", KEY], "table"), @"
    exit code: 3
    --- stdout
    Access key (times in UTC)
    note: it looks stolen (intruder): it runs on kali, a penetration-testing system; creates or retrieves credentials, which the key had never done: iam:CreateAccessKey, iam:CreateUser; a network never used before (198.51.100.0/24), 3 days after the key's first use; a program never used before (boto3); network and program are new together; begins with iam:ListUsers; grants permissions, which the key had never done: iam:AttachUserPolicy

    Summary
    access key      AKIARTX3GSDS75MXKBSU
    user            svc-export
    last seen       2025-03-07 02:08:03
    events          26
    errors          1
    addresses       3
    account         111122223333
    first seen      2025-03-03 02:08:00
    user agents     4
    API calls       7
    regions         1
    issued keys     1
    type            long-term
    identity        IAMUser
    account of key  111122223333
    ARN             arn:aws:iam::111122223333:user/service/svc-export

    Source IP addresses
    address         events  errors  first seen           last seen
    203.0.113.12        20       0  2025-03-03 02:08:00  2025-03-07 02:08:03
    198.51.100.202       5       1  2025-03-06 15:01:04  2025-03-06 15:01:15
    198.51.100.201       1       0  2025-03-06 15:01:00  2025-03-06 15:01:00

    Programs
    program     versions          systems           events  errors  first seen           last seen            user agents
    boto3       1.28.57, 1.9.201  kali.2024, linux      25       1  2025-03-03 02:08:00  2025-03-07 02:08:03            3
    TruffleHog                                           1       0  2025-03-06 15:01:00  2025-03-06 15:01:00            1

    API calls
    service            call               events  errors  first seen           last seen
    s3.amazonaws.com   GetObject              20       0  2025-03-03 02:08:00  2025-03-07 02:08:03
    iam.amazonaws.com  AttachUserPolicy        1       0  2025-03-06 15:01:12  2025-03-06 15:01:12
    iam.amazonaws.com  CreateAccessKey         1       0  2025-03-06 15:01:15  2025-03-06 15:01:15
    iam.amazonaws.com  CreateUser              1       0  2025-03-06 15:01:09  2025-03-06 15:01:09
    iam.amazonaws.com  ListUsers               1       1  2025-03-06 15:01:04  2025-03-06 15:01:04
    s3.amazonaws.com   ListBuckets             1       0  2025-03-06 15:01:05  2025-03-06 15:01:05
    sts.amazonaws.com  GetCallerIdentity       1       0  2025-03-06 15:01:00  2025-03-06 15:01:00

    Regions
    region     events  errors  first seen           last seen
    us-east-1      26       1  2025-03-03 02:08:00  2025-03-07 02:08:03

    Errors
    error code    events  errors  first seen           last seen
    AccessDenied       1       1  2025-03-06 15:01:04  2025-03-06 15:01:04

    Calls that AWS services made on the key's behalf (also counted above)
    none

    336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    data events of dynamodb.amazonaws.com, s3.amazonaws.com
    not read: 1 log file rejected; …/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    skipped: 1 file or folder without events; …/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn key_in_json() {
    assert_snapshot!(asked(&["key", KEY], "json"), @r#"
    exit code: 3
    --- stdout
    {
      "report": "key",
      "coverage": {"source":"testdata/trail","events":336,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-07T15:06:02Z","accounts":["111122223333","444455556666"],"regions":["eu-west-1","us-east-1"],"days_with_events":5,"days_missing":[],"log_files":54,"log_files_rejected":1,"records_rejected":2,"event_categories":["Data","Management"],"data_event_services":["dynamodb.amazonaws.com","s3.amazonaws.com"],"integrity":{"log_files":55,"valid":0,"not_verified":0,"failed":0,"not_checked":55,"examples":[]},"not_read":[{"kind":"rejected","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz","reason":"the compressed data ends too early, after 2471 bytes of text: the rest is missing"}]},{"kind":"skipped","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest","reason":"digest files, not events"}]}],"warnings":[]},
      "notes": [],
      "summary": [
        {"access_key_id":"AKIARTX3GSDS75MXKBSU","user_identity_user_name":"svc-export","last_seen":"2025-03-07T02:08:03Z","events":26,"errors":1,"source_ip_addresses":3,"account_id":"111122223333","first_seen":"2025-03-03T02:08:00Z","user_agents":4,"api_calls":7,"regions":1,"issued_keys":1,"key_type":"long-term","user_identity_type":"IAMUser","decoded_account_id":"111122223333","user_identity_arn":"arn:aws:iam::111122223333:user/service/svc-export"}
      ],
      "source_ip_addresses": [
        {"source_ip_address":"203.0.113.12","events":20,"errors":0,"first_seen":"2025-03-03T02:08:00Z","last_seen":"2025-03-07T02:08:03Z"},
        {"source_ip_address":"198.51.100.202","events":5,"errors":1,"first_seen":"2025-03-06T15:01:04Z","last_seen":"2025-03-06T15:01:15Z"},
        {"source_ip_address":"198.51.100.201","events":1,"errors":0,"first_seen":"2025-03-06T15:01:00Z","last_seen":"2025-03-06T15:01:00Z"}
      ],
      "programs": [
        {"program":"boto3","versions":["1.28.57","1.9.201"],"systems":["kali.2024","linux"],"events":25,"errors":1,"first_seen":"2025-03-03T02:08:00Z","last_seen":"2025-03-07T02:08:03Z","user_agents":3},
        {"program":"TruffleHog","versions":[],"systems":[],"events":1,"errors":0,"first_seen":"2025-03-06T15:01:00Z","last_seen":"2025-03-06T15:01:00Z","user_agents":1}
      ],
      "user_agents": [
        {"user_agent":"[Boto3/1.9.201 Python/2.7.12 Linux/4.4.0-159-generic Botocore/1.12.201]","events":20,"errors":0,"first_seen":"2025-03-03T02:08:00Z","last_seen":"2025-03-07T02:08:03Z"},
        {"user_agent":"Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.6.9-amd64 md/distrib#kali.2024 lang/python#3.11.8 Botocore/1.31.57","events":4,"errors":1,"first_seen":"2025-03-06T15:01:04Z","last_seen":"2025-03-06T15:01:15Z"},
        {"user_agent":"TruffleHog","events":1,"errors":0,"first_seen":"2025-03-06T15:01:00Z","last_seen":"2025-03-06T15:01:00Z"},
        {"user_agent":"[Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.6.9-amd64 md/distrib#kali.2024 lang/python#3.11.8 Botocore/1.31.57]","events":1,"errors":0,"first_seen":"2025-03-06T15:01:05Z","last_seen":"2025-03-06T15:01:05Z"}
      ],
      "api_calls": [
        {"event_source":"s3.amazonaws.com","event_name":"GetObject","events":20,"errors":0,"first_seen":"2025-03-03T02:08:00Z","last_seen":"2025-03-07T02:08:03Z"},
        {"event_source":"iam.amazonaws.com","event_name":"AttachUserPolicy","events":1,"errors":0,"first_seen":"2025-03-06T15:01:12Z","last_seen":"2025-03-06T15:01:12Z"},
        {"event_source":"iam.amazonaws.com","event_name":"CreateAccessKey","events":1,"errors":0,"first_seen":"2025-03-06T15:01:15Z","last_seen":"2025-03-06T15:01:15Z"},
        {"event_source":"iam.amazonaws.com","event_name":"CreateUser","events":1,"errors":0,"first_seen":"2025-03-06T15:01:09Z","last_seen":"2025-03-06T15:01:09Z"},
        {"event_source":"iam.amazonaws.com","event_name":"ListUsers","events":1,"errors":1,"first_seen":"2025-03-06T15:01:04Z","last_seen":"2025-03-06T15:01:04Z"},
        {"event_source":"s3.amazonaws.com","event_name":"ListBuckets","events":1,"errors":0,"first_seen":"2025-03-06T15:01:05Z","last_seen":"2025-03-06T15:01:05Z"},
        {"event_source":"sts.amazonaws.com","event_name":"GetCallerIdentity","events":1,"errors":0,"first_seen":"2025-03-06T15:01:00Z","last_seen":"2025-03-06T15:01:00Z"}
      ],
      "regions": [
        {"aws_region":"us-east-1","events":26,"errors":1,"first_seen":"2025-03-03T02:08:00Z","last_seen":"2025-03-07T02:08:03Z"}
      ],
      "errors": [
        {"error_code":"AccessDenied","events":1,"errors":1,"first_seen":"2025-03-06T15:01:04Z","last_seen":"2025-03-06T15:01:04Z"}
      ],
      "via_services": []
    }
    --- stderr
    "#);
}

#[test]
fn key_in_csv() {
    assert_snapshot!(asked(&["key", KEY], "csv"), @r#"
    exit code: 3
    --- stdout
    section,access_key_id,user_identity_user_name,last_seen,events,errors,source_ip_addresses,account_id,first_seen,user_agents,api_calls,regions,issued_keys,key_type,user_identity_type,decoded_account_id,user_identity_arn,source_ip_address,program,versions,systems,user_agent,event_source,event_name,aws_region,error_code,via_service
    summary,AKIARTX3GSDS75MXKBSU,svc-export,2025-03-07T02:08:03Z,26,1,3,111122223333,2025-03-03T02:08:00Z,4,7,1,1,long-term,IAMUser,111122223333,arn:aws:iam::111122223333:user/service/svc-export,,,,,,,,,,
    source_ip_addresses,,,2025-03-07T02:08:03Z,20,0,,,2025-03-03T02:08:00Z,,,,,,,,,203.0.113.12,,,,,,,,,
    source_ip_addresses,,,2025-03-06T15:01:15Z,5,1,,,2025-03-06T15:01:04Z,,,,,,,,,198.51.100.202,,,,,,,,,
    source_ip_addresses,,,2025-03-06T15:01:00Z,1,0,,,2025-03-06T15:01:00Z,,,,,,,,,198.51.100.201,,,,,,,,,
    programs,,,2025-03-07T02:08:03Z,25,1,,,2025-03-03T02:08:00Z,3,,,,,,,,,boto3,"[""1.28.57"",""1.9.201""]","[""kali.2024"",""linux""]",,,,,,
    programs,,,2025-03-06T15:01:00Z,1,0,,,2025-03-06T15:01:00Z,1,,,,,,,,,TruffleHog,[],[],,,,,,
    user_agents,,,2025-03-07T02:08:03Z,20,0,,,2025-03-03T02:08:00Z,,,,,,,,,,,,,[Boto3/1.9.201 Python/2.7.12 Linux/4.4.0-159-generic Botocore/1.12.201],,,,,
    user_agents,,,2025-03-06T15:01:15Z,4,1,,,2025-03-06T15:01:04Z,,,,,,,,,,,,,Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.6.9-amd64 md/distrib#kali.2024 lang/python#3.11.8 Botocore/1.31.57,,,,,
    user_agents,,,2025-03-06T15:01:00Z,1,0,,,2025-03-06T15:01:00Z,,,,,,,,,,,,,TruffleHog,,,,,
    user_agents,,,2025-03-06T15:01:05Z,1,0,,,2025-03-06T15:01:05Z,,,,,,,,,,,,,[Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.6.9-amd64 md/distrib#kali.2024 lang/python#3.11.8 Botocore/1.31.57],,,,,
    api_calls,,,2025-03-07T02:08:03Z,20,0,,,2025-03-03T02:08:00Z,,,,,,,,,,,,,,s3.amazonaws.com,GetObject,,,
    api_calls,,,2025-03-06T15:01:12Z,1,0,,,2025-03-06T15:01:12Z,,,,,,,,,,,,,,iam.amazonaws.com,AttachUserPolicy,,,
    api_calls,,,2025-03-06T15:01:15Z,1,0,,,2025-03-06T15:01:15Z,,,,,,,,,,,,,,iam.amazonaws.com,CreateAccessKey,,,
    api_calls,,,2025-03-06T15:01:09Z,1,0,,,2025-03-06T15:01:09Z,,,,,,,,,,,,,,iam.amazonaws.com,CreateUser,,,
    api_calls,,,2025-03-06T15:01:04Z,1,1,,,2025-03-06T15:01:04Z,,,,,,,,,,,,,,iam.amazonaws.com,ListUsers,,,
    api_calls,,,2025-03-06T15:01:05Z,1,0,,,2025-03-06T15:01:05Z,,,,,,,,,,,,,,s3.amazonaws.com,ListBuckets,,,
    api_calls,,,2025-03-06T15:01:00Z,1,0,,,2025-03-06T15:01:00Z,,,,,,,,,,,,,,sts.amazonaws.com,GetCallerIdentity,,,
    regions,,,2025-03-07T02:08:03Z,26,1,,,2025-03-03T02:08:00Z,,,,,,,,,,,,,,,,us-east-1,,
    errors,,,2025-03-06T15:01:04Z,1,1,,,2025-03-06T15:01:04Z,,,,,,,,,,,,,,,,,AccessDenied,
    --- stderr
    "#);
}

#[test]
fn key_in_markdown() {
    assert_snapshot!(asked(&["key", KEY], "markdown"), @r"
    exit code: 3
    --- stdout
    # Access key

    - it looks stolen (intruder): it runs on kali, a penetration-testing system; creates or retrieves credentials, which the key had never done: iam:CreateAccessKey, iam:CreateUser; a network never used before (198.51.100.0/24), 3 days after the key's first use; a program never used before (boto3); network and program are new together; begins with iam:ListUsers; grants permissions, which the key had never done: iam:AttachUserPolicy

    ## Summary

    | access\_key\_id | user\_identity\_user\_name | last\_seen | events | errors | source\_ip\_addresses | account\_id | first\_seen | user\_agents | api\_calls | regions | issued\_keys | key\_type | user\_identity\_type | decoded\_account\_id | user\_identity\_arn |
    | --- | --- | --- | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- | --- |
    | AKIARTX3GSDS75MXKBSU | svc-export | 2025-03-07 02:08:03 | 26 | 1 | 3 | 111122223333 | 2025-03-03 02:08:00 | 4 | 7 | 1 | 1 | long-term | IAMUser | 111122223333 | arn:aws:iam::111122223333:user/service/svc-export |

    ## Source IP addresses

    | source\_ip\_address | events | errors | first\_seen | last\_seen |
    | --- | ---: | ---: | --- | --- |
    | 203.0.113.12 | 20 | 0 | 2025-03-03 02:08:00 | 2025-03-07 02:08:03 |
    | 198.51.100.202 | 5 | 1 | 2025-03-06 15:01:04 | 2025-03-06 15:01:15 |
    | 198.51.100.201 | 1 | 0 | 2025-03-06 15:01:00 | 2025-03-06 15:01:00 |

    ## Programs

    | program | versions | systems | events | errors | first\_seen | last\_seen | user\_agents |
    | --- | --- | --- | ---: | ---: | --- | --- | ---: |
    | boto3 | 1.28.57, 1.9.201 | kali.2024, linux | 25 | 1 | 2025-03-03 02:08:00 | 2025-03-07 02:08:03 | 3 |
    | TruffleHog |  |  | 1 | 0 | 2025-03-06 15:01:00 | 2025-03-06 15:01:00 | 1 |

    ## API calls

    | event\_source | event\_name | events | errors | first\_seen | last\_seen |
    | --- | --- | ---: | ---: | --- | --- |
    | s3.amazonaws.com | GetObject | 20 | 0 | 2025-03-03 02:08:00 | 2025-03-07 02:08:03 |
    | iam.amazonaws.com | AttachUserPolicy | 1 | 0 | 2025-03-06 15:01:12 | 2025-03-06 15:01:12 |
    | iam.amazonaws.com | CreateAccessKey | 1 | 0 | 2025-03-06 15:01:15 | 2025-03-06 15:01:15 |
    | iam.amazonaws.com | CreateUser | 1 | 0 | 2025-03-06 15:01:09 | 2025-03-06 15:01:09 |
    | iam.amazonaws.com | ListUsers | 1 | 1 | 2025-03-06 15:01:04 | 2025-03-06 15:01:04 |
    | s3.amazonaws.com | ListBuckets | 1 | 0 | 2025-03-06 15:01:05 | 2025-03-06 15:01:05 |
    | sts.amazonaws.com | GetCallerIdentity | 1 | 0 | 2025-03-06 15:01:00 | 2025-03-06 15:01:00 |

    ## Regions

    | aws\_region | events | errors | first\_seen | last\_seen |
    | --- | ---: | ---: | --- | --- |
    | us-east-1 | 26 | 1 | 2025-03-03 02:08:00 | 2025-03-07 02:08:03 |

    ## Errors

    | error\_code | events | errors | first\_seen | last\_seen |
    | --- | ---: | ---: | --- | --- |
    | AccessDenied | 1 | 1 | 2025-03-06 15:01:04 | 2025-03-06 15:01:04 |

    ## Calls that AWS services made on the key's behalf (also counted above)

    None.

    ## Coverage

    - 336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    - 2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    - 5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    - data events of dynamodb.amazonaws.com, s3.amazonaws.com
    - not read: 1 log file rejected; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333\_CloudTrail\_eu-west-1\_20250305T1525Z\_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    - skipped: 1 file or folder without events; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn coverage_in_table() {
    assert_covered!("table", @"
    exit code: 3
    --- stdout
    Coverage (times in UTC)

    Accounts and regions
    account       region     log files  log files rejected  events  days with events  days missing  first event          last event
    111122223333  eu-west-1         11                   1      45                 5             0  2025-03-03 02:03:00  2025-03-07 09:05:31
    111122223333  us-east-1         16                   0     159                 5             0  2025-03-03 02:05:00  2025-03-07 15:06:02
    444455556666  eu-west-1         12                   0     100                 4             1  2025-03-03 02:01:00  2025-03-07 15:01:40
    444455556666  us-east-1         15                   0      32                 5             0  2025-03-03 02:05:00  2025-03-07 15:05:00

    Gaps and unread records
    account       region     missing                           first day   last day    days
    111122223333  –          1 log file and 1 record not read  2025-03-05  2025-03-05     1
    444455556666  –          1 record not read                 2025-03-04  2025-03-04     1
    444455556666  eu-west-1  all events                        2025-03-05  2025-03-05     1

    Kinds of events
    category    data event service      log files
    Data        dynamodb.amazonaws.com         12
    Data        s3.amazonaws.com               49
    Management  –                              44

    Log files that could not be read
    log file                                                                                                                                                     outcome   reason                                                                              size
    testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz  rejected  the compressed data ends too early, after 2471 bytes of text: the rest is missing  900 B

    Events per account, region and day
    account       region     event date  events  first event          last event
    111122223333  eu-west-1  2025-03-03       9  2025-03-03 02:03:00  2025-03-03 09:05:31
    111122223333  eu-west-1  2025-03-04       7  2025-03-04 09:05:30  2025-03-04 23:59:50
    111122223333  eu-west-1  2025-03-05      11  2025-03-05 00:00:10  2025-03-05 09:05:31
    111122223333  eu-west-1  2025-03-06       9  2025-03-06 02:03:00  2025-03-06 09:05:31
    111122223333  eu-west-1  2025-03-07       9  2025-03-07 02:03:00  2025-03-07 09:05:31
    111122223333  us-east-1  2025-03-03      29  2025-03-03 02:05:00  2025-03-03 15:06:02
    111122223333  us-east-1  2025-03-04      28  2025-03-04 02:05:00  2025-03-04 15:06:02
    111122223333  us-east-1  2025-03-05      29  2025-03-05 02:05:00  2025-03-05 15:08:00
    111122223333  us-east-1  2025-03-06      43  2025-03-06 02:05:00  2025-03-06 15:06:02
    111122223333  us-east-1  2025-03-07      30  2025-03-07 02:05:00  2025-03-07 15:06:02
    and 9 more; --full shows all

    336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    data events of dynamodb.amazonaws.com, s3.amazonaws.com
    not read: 1 log file rejected; …/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    skipped: 1 file or folder without events; …/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

#[test]
fn coverage_in_json() {
    assert_covered!("json", @r#"
    exit code: 3
    --- stdout
    {
      "report": "coverage",
      "coverage": {"source":"testdata/trail","events":336,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-07T15:06:02Z","accounts":["111122223333","444455556666"],"regions":["eu-west-1","us-east-1"],"days_with_events":5,"days_missing":[],"log_files":54,"log_files_rejected":1,"records_rejected":2,"event_categories":["Data","Management"],"data_event_services":["dynamodb.amazonaws.com","s3.amazonaws.com"],"integrity":{"log_files":55,"valid":0,"not_verified":0,"failed":0,"not_checked":55,"examples":[]},"not_read":[{"kind":"rejected","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz","reason":"the compressed data ends too early, after 2471 bytes of text: the rest is missing"}]},{"kind":"skipped","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest","reason":"digest files, not events"}]}],"warnings":[]},
      "notes": [],
      "regions": [
        {"account_id":"111122223333","region":"eu-west-1","log_files":11,"log_files_rejected":1,"events":45,"days_with_events":5,"days_missing":0,"first_event":"2025-03-03T02:03:00Z","last_event":"2025-03-07T09:05:31Z"},
        {"account_id":"111122223333","region":"us-east-1","log_files":16,"log_files_rejected":0,"events":159,"days_with_events":5,"days_missing":0,"first_event":"2025-03-03T02:05:00Z","last_event":"2025-03-07T15:06:02Z"},
        {"account_id":"444455556666","region":"eu-west-1","log_files":12,"log_files_rejected":0,"events":100,"days_with_events":4,"days_missing":1,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-07T15:01:40Z"},
        {"account_id":"444455556666","region":"us-east-1","log_files":15,"log_files_rejected":0,"events":32,"days_with_events":5,"days_missing":0,"first_event":"2025-03-03T02:05:00Z","last_event":"2025-03-07T15:05:00Z"}
      ],
      "holes": [
        {"account_id":"111122223333","region":null,"missing":"1 log file and 1 record not read","first_day":"2025-03-05","last_day":"2025-03-05","days":1},
        {"account_id":"444455556666","region":null,"missing":"1 record not read","first_day":"2025-03-04","last_day":"2025-03-04","days":1},
        {"account_id":"444455556666","region":"eu-west-1","missing":"all events","first_day":"2025-03-05","last_day":"2025-03-05","days":1}
      ],
      "event_categories": [
        {"event_category":"Data","data_event_service":"dynamodb.amazonaws.com","log_files":12},
        {"event_category":"Data","data_event_service":"s3.amazonaws.com","log_files":49},
        {"event_category":"Management","data_event_service":null,"log_files":44}
      ],
      "rejected_log_files": [
        {"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz","outcome":"rejected","reason":"the compressed data ends too early, after 2471 bytes of text: the rest is missing","size_bytes":900}
      ],
      "days": [
        {"account_id":"111122223333","aws_region":"eu-west-1","event_date":"2025-03-03","events":9,"first_event":"2025-03-03T02:03:00Z","last_event":"2025-03-03T09:05:31Z"},
        {"account_id":"111122223333","aws_region":"eu-west-1","event_date":"2025-03-04","events":7,"first_event":"2025-03-04T09:05:30Z","last_event":"2025-03-04T23:59:50Z"},
        {"account_id":"111122223333","aws_region":"eu-west-1","event_date":"2025-03-05","events":11,"first_event":"2025-03-05T00:00:10Z","last_event":"2025-03-05T09:05:31Z"},
        {"account_id":"111122223333","aws_region":"eu-west-1","event_date":"2025-03-06","events":9,"first_event":"2025-03-06T02:03:00Z","last_event":"2025-03-06T09:05:31Z"},
        {"account_id":"111122223333","aws_region":"eu-west-1","event_date":"2025-03-07","events":9,"first_event":"2025-03-07T02:03:00Z","last_event":"2025-03-07T09:05:31Z"},
        {"account_id":"111122223333","aws_region":"us-east-1","event_date":"2025-03-03","events":29,"first_event":"2025-03-03T02:05:00Z","last_event":"2025-03-03T15:06:02Z"},
        {"account_id":"111122223333","aws_region":"us-east-1","event_date":"2025-03-04","events":28,"first_event":"2025-03-04T02:05:00Z","last_event":"2025-03-04T15:06:02Z"},
        {"account_id":"111122223333","aws_region":"us-east-1","event_date":"2025-03-05","events":29,"first_event":"2025-03-05T02:05:00Z","last_event":"2025-03-05T15:08:00Z"},
        {"account_id":"111122223333","aws_region":"us-east-1","event_date":"2025-03-06","events":43,"first_event":"2025-03-06T02:05:00Z","last_event":"2025-03-06T15:06:02Z"},
        {"account_id":"111122223333","aws_region":"us-east-1","event_date":"2025-03-07","events":30,"first_event":"2025-03-07T02:05:00Z","last_event":"2025-03-07T15:06:02Z"},
        {"account_id":"444455556666","aws_region":"eu-west-1","event_date":"2025-03-03","events":25,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-03T15:01:40Z"},
        {"account_id":"444455556666","aws_region":"eu-west-1","event_date":"2025-03-04","events":25,"first_event":"2025-03-04T02:01:00Z","last_event":"2025-03-04T15:01:40Z"},
        {"account_id":"444455556666","aws_region":"eu-west-1","event_date":"2025-03-06","events":25,"first_event":"2025-03-06T02:01:00Z","last_event":"2025-03-06T15:01:40Z"},
        {"account_id":"444455556666","aws_region":"eu-west-1","event_date":"2025-03-07","events":25,"first_event":"2025-03-07T02:01:00Z","last_event":"2025-03-07T15:01:40Z"},
        {"account_id":"444455556666","aws_region":"us-east-1","event_date":"2025-03-03","events":6,"first_event":"2025-03-03T02:05:00Z","last_event":"2025-03-03T15:05:00Z"},
        {"account_id":"444455556666","aws_region":"us-east-1","event_date":"2025-03-04","events":6,"first_event":"2025-03-04T02:05:00Z","last_event":"2025-03-04T15:05:00Z"},
        {"account_id":"444455556666","aws_region":"us-east-1","event_date":"2025-03-05","events":8,"first_event":"2025-03-05T02:02:00Z","last_event":"2025-03-05T15:09:00Z"},
        {"account_id":"444455556666","aws_region":"us-east-1","event_date":"2025-03-06","events":6,"first_event":"2025-03-06T02:05:00Z","last_event":"2025-03-06T15:05:00Z"},
        {"account_id":"444455556666","aws_region":"us-east-1","event_date":"2025-03-07","events":6,"first_event":"2025-03-07T02:05:00Z","last_event":"2025-03-07T15:05:00Z"}
      ]
    }
    --- stderr
    "#);
}

#[test]
fn coverage_in_csv() {
    assert_covered!("csv", @r#"
    exit code: 3
    --- stdout
    section,account_id,region,log_files,log_files_rejected,events,days_with_events,days_missing,first_event,last_event,missing,first_day,last_day,days,event_category,data_event_service,log_file,outcome,reason,size_bytes,aws_region,event_date
    regions,111122223333,eu-west-1,11,1,45,5,0,2025-03-03T02:03:00Z,2025-03-07T09:05:31Z,,,,,,,,,,,,
    regions,111122223333,us-east-1,16,0,159,5,0,2025-03-03T02:05:00Z,2025-03-07T15:06:02Z,,,,,,,,,,,,
    regions,444455556666,eu-west-1,12,0,100,4,1,2025-03-03T02:01:00Z,2025-03-07T15:01:40Z,,,,,,,,,,,,
    regions,444455556666,us-east-1,15,0,32,5,0,2025-03-03T02:05:00Z,2025-03-07T15:05:00Z,,,,,,,,,,,,
    holes,111122223333,,,,,,,,,1 log file and 1 record not read,2025-03-05,2025-03-05,1,,,,,,,,
    holes,444455556666,,,,,,,,,1 record not read,2025-03-04,2025-03-04,1,,,,,,,,
    holes,444455556666,eu-west-1,,,,,,,,all events,2025-03-05,2025-03-05,1,,,,,,,,
    event_categories,,,12,,,,,,,,,,,Data,dynamodb.amazonaws.com,,,,,,
    event_categories,,,49,,,,,,,,,,,Data,s3.amazonaws.com,,,,,,
    event_categories,,,44,,,,,,,,,,,Management,,,,,,,
    rejected_log_files,,,,,,,,,,,,,,,,testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz,rejected,"the compressed data ends too early, after 2471 bytes of text: the rest is missing",900,,
    days,111122223333,,,,9,,,2025-03-03T02:03:00Z,2025-03-03T09:05:31Z,,,,,,,,,,,eu-west-1,2025-03-03
    days,111122223333,,,,7,,,2025-03-04T09:05:30Z,2025-03-04T23:59:50Z,,,,,,,,,,,eu-west-1,2025-03-04
    days,111122223333,,,,11,,,2025-03-05T00:00:10Z,2025-03-05T09:05:31Z,,,,,,,,,,,eu-west-1,2025-03-05
    days,111122223333,,,,9,,,2025-03-06T02:03:00Z,2025-03-06T09:05:31Z,,,,,,,,,,,eu-west-1,2025-03-06
    days,111122223333,,,,9,,,2025-03-07T02:03:00Z,2025-03-07T09:05:31Z,,,,,,,,,,,eu-west-1,2025-03-07
    days,111122223333,,,,29,,,2025-03-03T02:05:00Z,2025-03-03T15:06:02Z,,,,,,,,,,,us-east-1,2025-03-03
    days,111122223333,,,,28,,,2025-03-04T02:05:00Z,2025-03-04T15:06:02Z,,,,,,,,,,,us-east-1,2025-03-04
    days,111122223333,,,,29,,,2025-03-05T02:05:00Z,2025-03-05T15:08:00Z,,,,,,,,,,,us-east-1,2025-03-05
    days,111122223333,,,,43,,,2025-03-06T02:05:00Z,2025-03-06T15:06:02Z,,,,,,,,,,,us-east-1,2025-03-06
    days,111122223333,,,,30,,,2025-03-07T02:05:00Z,2025-03-07T15:06:02Z,,,,,,,,,,,us-east-1,2025-03-07
    days,444455556666,,,,25,,,2025-03-03T02:01:00Z,2025-03-03T15:01:40Z,,,,,,,,,,,eu-west-1,2025-03-03
    days,444455556666,,,,25,,,2025-03-04T02:01:00Z,2025-03-04T15:01:40Z,,,,,,,,,,,eu-west-1,2025-03-04
    days,444455556666,,,,25,,,2025-03-06T02:01:00Z,2025-03-06T15:01:40Z,,,,,,,,,,,eu-west-1,2025-03-06
    days,444455556666,,,,25,,,2025-03-07T02:01:00Z,2025-03-07T15:01:40Z,,,,,,,,,,,eu-west-1,2025-03-07
    days,444455556666,,,,6,,,2025-03-03T02:05:00Z,2025-03-03T15:05:00Z,,,,,,,,,,,us-east-1,2025-03-03
    days,444455556666,,,,6,,,2025-03-04T02:05:00Z,2025-03-04T15:05:00Z,,,,,,,,,,,us-east-1,2025-03-04
    days,444455556666,,,,8,,,2025-03-05T02:02:00Z,2025-03-05T15:09:00Z,,,,,,,,,,,us-east-1,2025-03-05
    days,444455556666,,,,6,,,2025-03-06T02:05:00Z,2025-03-06T15:05:00Z,,,,,,,,,,,us-east-1,2025-03-06
    days,444455556666,,,,6,,,2025-03-07T02:05:00Z,2025-03-07T15:05:00Z,,,,,,,,,,,us-east-1,2025-03-07
    --- stderr
    "#);
}

#[test]
fn coverage_in_markdown() {
    assert_covered!("markdown", @r"
    exit code: 3
    --- stdout
    # Coverage

    ## Accounts and regions

    | account\_id | region | log\_files | log\_files\_rejected | events | days\_with\_events | days\_missing | first\_event | last\_event |
    | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |
    | 111122223333 | eu-west-1 | 11 | 1 | 45 | 5 | 0 | 2025-03-03 02:03:00 | 2025-03-07 09:05:31 |
    | 111122223333 | us-east-1 | 16 | 0 | 159 | 5 | 0 | 2025-03-03 02:05:00 | 2025-03-07 15:06:02 |
    | 444455556666 | eu-west-1 | 12 | 0 | 100 | 4 | 1 | 2025-03-03 02:01:00 | 2025-03-07 15:01:40 |
    | 444455556666 | us-east-1 | 15 | 0 | 32 | 5 | 0 | 2025-03-03 02:05:00 | 2025-03-07 15:05:00 |

    ## Gaps and unread records

    | account\_id | region | missing | first\_day | last\_day | days |
    | --- | --- | --- | --- | --- | ---: |
    | 111122223333 | – | 1 log file and 1 record not read | 2025-03-05 | 2025-03-05 | 1 |
    | 444455556666 | – | 1 record not read | 2025-03-04 | 2025-03-04 | 1 |
    | 444455556666 | eu-west-1 | all events | 2025-03-05 | 2025-03-05 | 1 |

    ## Kinds of events

    | event\_category | data\_event\_service | log\_files |
    | --- | --- | ---: |
    | Data | dynamodb.amazonaws.com | 12 |
    | Data | s3.amazonaws.com | 49 |
    | Management | – | 44 |

    ## Log files that could not be read

    | log\_file | outcome | reason | size\_bytes |
    | --- | --- | --- | ---: |
    | testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333\_CloudTrail\_eu-west-1\_20250305T1525Z\_ADJrXbvlGvePF4Vy.json.gz | rejected | the compressed data ends too early, after 2471 bytes of text: the rest is missing | 900 |

    ## Events per account, region and day

    | account\_id | aws\_region | event\_date | events | first\_event | last\_event |
    | --- | --- | --- | ---: | --- | --- |
    | 111122223333 | eu-west-1 | 2025-03-03 | 9 | 2025-03-03 02:03:00 | 2025-03-03 09:05:31 |
    | 111122223333 | eu-west-1 | 2025-03-04 | 7 | 2025-03-04 09:05:30 | 2025-03-04 23:59:50 |
    | 111122223333 | eu-west-1 | 2025-03-05 | 11 | 2025-03-05 00:00:10 | 2025-03-05 09:05:31 |
    | 111122223333 | eu-west-1 | 2025-03-06 | 9 | 2025-03-06 02:03:00 | 2025-03-06 09:05:31 |
    | 111122223333 | eu-west-1 | 2025-03-07 | 9 | 2025-03-07 02:03:00 | 2025-03-07 09:05:31 |
    | 111122223333 | us-east-1 | 2025-03-03 | 29 | 2025-03-03 02:05:00 | 2025-03-03 15:06:02 |
    | 111122223333 | us-east-1 | 2025-03-04 | 28 | 2025-03-04 02:05:00 | 2025-03-04 15:06:02 |
    | 111122223333 | us-east-1 | 2025-03-05 | 29 | 2025-03-05 02:05:00 | 2025-03-05 15:08:00 |
    | 111122223333 | us-east-1 | 2025-03-06 | 43 | 2025-03-06 02:05:00 | 2025-03-06 15:06:02 |
    | 111122223333 | us-east-1 | 2025-03-07 | 30 | 2025-03-07 02:05:00 | 2025-03-07 15:06:02 |
    | 444455556666 | eu-west-1 | 2025-03-03 | 25 | 2025-03-03 02:01:00 | 2025-03-03 15:01:40 |
    | 444455556666 | eu-west-1 | 2025-03-04 | 25 | 2025-03-04 02:01:00 | 2025-03-04 15:01:40 |
    | 444455556666 | eu-west-1 | 2025-03-06 | 25 | 2025-03-06 02:01:00 | 2025-03-06 15:01:40 |
    | 444455556666 | eu-west-1 | 2025-03-07 | 25 | 2025-03-07 02:01:00 | 2025-03-07 15:01:40 |
    | 444455556666 | us-east-1 | 2025-03-03 | 6 | 2025-03-03 02:05:00 | 2025-03-03 15:05:00 |
    | 444455556666 | us-east-1 | 2025-03-04 | 6 | 2025-03-04 02:05:00 | 2025-03-04 15:05:00 |
    | 444455556666 | us-east-1 | 2025-03-05 | 8 | 2025-03-05 02:02:00 | 2025-03-05 15:09:00 |
    | 444455556666 | us-east-1 | 2025-03-06 | 6 | 2025-03-06 02:05:00 | 2025-03-06 15:05:00 |
    | 444455556666 | us-east-1 | 2025-03-07 | 6 | 2025-03-07 02:05:00 | 2025-03-07 15:05:00 |

    ## Coverage

    - 336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    - 2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    - 5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    - data events of dynamodb.amazonaws.com, s3.amazonaws.com
    - not read: 1 log file rejected; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333\_CloudTrail\_eu-west-1\_20250305T1525Z\_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    - skipped: 1 file or folder without events; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}
