//! `keytrail sql` as people see it: what is printed to standard output and standard error, and the exit code, together.

use crate::program::{json, keytrail, ran};
use insta::assert_snapshot;
use std::fs;

/// `keytrail sql` on the test data.
const SQL: [&str; 3] = ["sql", "--trail", "testdata/trail"];

/// What the command printed, and how it ended.
fn asked(args: &[&str]) -> String {
    ran(&[&SQL, args].concat())
}

/// The same when it read this from standard input.
fn fed(args: &[&str], input: &str) -> String {
    let output = keytrail(&[&SQL, args].concat())
        .write_stdin(input)
        .output()
        .unwrap();
    format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    )
}

#[test]
fn rows_are_a_table() {
    assert_snapshot!(asked(&["SELECT user_identity_user_name, count(*) AS events, max(event_time) AS last_seen FROM events WHERE access_key_id LIKE 'AKIA%' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3"]), @"
    exit code: 3
    --- stdout
    user_identity_user_name  events  last_seen
    ci-deploy                    75  2025-03-07 15:02:42
    svc-orders                   64  2025-03-07 15:01:40
    svc-backup                   35  2025-03-07 02:04:40
    3 rows (times in UTC)

    336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    data events of dynamodb.amazonaws.com, s3.amazonaws.com
    not read: 1 log file rejected; …/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    skipped: 1 file or folder without events; …/CloudTrail-Digest: digest files, not events
    --- stderr
    ");
}

/// JSON columns are JSON, not text with JSON in it.
#[test]
fn several_statements_in_json() {
    assert_snapshot!(asked(&["--format", "json", "SELECT event_name, request_parameters FROM events WHERE event_name = 'CreateUser'; -- and then\nSELECT 1 AS one WHERE false"]), @r#"
    exit code: 3
    --- stdout
    {
      "report": "sql",
      "rows_1": [
        {"event_name":"CreateUser","request_parameters":{"userName":"svc-backup-sync"}}
      ],
      "rows_2": [],
      "coverage": {"source":"testdata/trail","events":336,"first_event":"2025-03-03T02:01:00Z","last_event":"2025-03-07T15:06:02Z","accounts":["111122223333","444455556666"],"regions":["eu-west-1","us-east-1"],"days_with_events":5,"days_missing":[],"log_files":54,"log_files_rejected":1,"records_rejected":2,"event_categories":["Data","Management"],"data_event_services":["dynamodb.amazonaws.com","s3.amazonaws.com"],"integrity":{"log_files":55,"valid":0,"not_verified":0,"failed":0,"not_checked":55,"examples":[]},"not_read":[{"kind":"rejected","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz","reason":"the compressed data ends too early, after 2471 bytes of text: the rest is missing"}]},{"kind":"skipped","count":1,"examples":[{"log_file":"testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest","reason":"digest files, not events"}]}],"warnings":[]},
      "notes": []
    }
    --- stderr
    "#);
}

#[test]
fn several_statements_in_csv() {
    assert_snapshot!(asked(&["--format", "csv", "SELECT event_name, count(*) AS events FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 2; SELECT aws_region, count(*) AS events FROM events GROUP BY 1 ORDER BY 1"]), @"
    exit code: 3
    --- stdout
    section,event_name,events,aws_region
    rows_1,PutObject,70,
    rows_1,GetObject,64,
    rows_2,,145,eu-west-1
    rows_2,,191,us-east-1
    --- stderr
    coverage: 336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail
    coverage: 2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1
    coverage: 5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked
    coverage: data events of dynamodb.amazonaws.com, s3.amazonaws.com
    coverage: not read: 1 log file rejected; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2025/03/05/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing
    coverage: skipped: 1 file or folder without events; testdata/trail/AWSLogs/o-exampleorg1/111122223333/CloudTrail-Digest: digest files, not events
    ");
}

#[test]
fn rows_are_json_lines() {
    assert_snapshot!(asked(&["--format", "jsonl", "--quiet", "SELECT event_time, event_name, error_code FROM events WHERE error_code IS NOT NULL ORDER BY event_time, event_id LIMIT 2"]), @r#"
    exit code: 3
    --- stdout
    {"event_time":"2025-03-03T02:05:00Z","event_name":"DescribeInstances","error_code":"Client.UnauthorizedOperation"}
    {"event_time":"2025-03-03T02:05:01Z","event_name":"GetCostAndUsage","error_code":"AccessDenied"}
    --- stderr
    "#);
}

#[test]
fn markdown() {
    assert_snapshot!(asked(&["--format", "markdown", "SELECT event_name, count(*) AS events FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 2"]), @r"
    exit code: 3
    --- stdout
    | event\_name | events |
    | --- | ---: |
    | PutObject | 70 |
    | GetObject | 64 |

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
fn values_of_parameters_take_the_type_that_the_query_wants() {
    assert_snapshot!(asked(&["--quiet", "--format", "csv", "--param", "since=2025-03-06", "--param", "account=111122223333", "--param", "n=2", "SELECT event_name, count(*) AS events FROM events WHERE event_time >= $since AND account_id = $account GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $n"]), @"
    exit code: 3
    --- stdout
    event_name,events
    PutObject,22
    GetObject,16
    --- stderr
    ");
}

#[test]
fn a_value_is_never_sql() {
    assert_snapshot!(asked(&["--quiet", "--format", "csv", "--param", "name=x' OR '1' = '1", "SELECT count(*) AS n FROM events WHERE user_identity_user_name = $name"]), @"
    exit code: 3
    --- stdout
    n
    0
    --- stderr
    ");
}

#[test]
fn a_parameter_without_a_value() {
    assert_snapshot!(asked(&["SELECT count(*) FROM events WHERE event_name = $name"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: parameter $name has no value
    hint: set it: --param name=VALUE
    ");
}

#[test]
fn a_value_without_a_parameter() {
    assert_snapshot!(asked(&["--param", "nmae=x", "SELECT count(*) FROM events"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: no statement has a parameter $nmae
    ");
}

#[test]
fn a_value_of_another_type() {
    assert_snapshot!(asked(&["--param", "since=soon", "SELECT count(*) FROM events WHERE event_time > $since"]), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: parameter $since: "soon" is not a time
    "#);
}

#[test]
fn a_wrong_column_is_shown_where_it_stands() {
    assert_snapshot!(asked(&["SELECT event_name,\n\tuser_agnt\nFROM events"]), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no column "user_agnt"
      |
    2 |  user_agnt
      |  ^^^^^^^^^
    hint: did you mean user_agent?
    "#);
}

#[test]
fn no_sql() {
    assert_snapshot!(asked(&["SELECT * FORM events"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: not SQL: expected end of statement, found FORM
      |
    1 | SELECT * FORM events
      |          ^^^^
    ");
}

#[test]
fn a_table_that_is_not_there() {
    assert_snapshot!(asked(&["SELECT * FROM evnts"]), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no table "evnts"
      |
    1 | SELECT * FROM evnts
      |               ^^^^^
    hint: did you mean events?
    "#);
}

#[test]
fn a_function_that_is_not_there() {
    assert_snapshot!(asked(&["SELECT decode_account_id(access_key_id) FROM events"]), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no function "decode_account_id"
      |
    1 | SELECT decode_account_id(access_key_id) FROM events
      |        ^^^^^^^^^^^^^^^^^
    hint: did you mean decoded_account_id?
    "#);
}

#[test]
fn the_end_is_missing() {
    assert_snapshot!(asked(&["SELECT count(* FROM events"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: not SQL: expected ), found FROM
      |
    1 | SELECT count(* FROM events
      |                ^^^^
    ");
}

#[test]
fn what_is_not_a_question_is_refused() {
    assert_snapshot!(asked(&["COPY events TO 'events.parquet'"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: COPY is not allowed: SQL is read-only here
    ");
}

#[test]
fn files_have_no_names_here() {
    assert_snapshot!(asked(&["SELECT * FROM '/etc/passwd'"]), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: files cannot be read by name ("/etc/passwd")
    hint: read log files with --trail, or ingest them
    "#);
}

#[test]
fn nothing_is_answered_before_all_statements_are_right() {
    assert_snapshot!(asked(&["SELECT 1; SELECT nothing FROM events"]), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no column "nothing"
      |
    1 | SELECT 1; SELECT nothing FROM events
      |                  ^^^^^^^
    "#);
}

#[test]
fn no_statement() {
    assert_snapshot!(asked(&[" -- nothing"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: there is no statement in the SQL
    ");
}

#[test]
fn each_row_may_be_a_list() {
    assert_snapshot!(ran(&["sql", "--trail", "testdata/trail", "--format", "records", "SELECT event_name, count(*) AS events FROM events WHERE event_name LIKE 'Create%' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2"]), @"
    exit code: 3
    --- stdout
    event_name  CreateAccessKey
    events      2

    event_name  CreateUser
    events      1
    2 rows

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
fn an_unknown_format() {
    assert_snapshot!(ran(&["sql", "--format", "yaml", "SELECT 1"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'yaml' for '--format <FORMAT>'
      [possible values: table, records, json, jsonl, csv, markdown, parquet]

    For more information, try '--help'.
    ");
}

#[test]
fn parquet_is_for_files() {
    assert_snapshot!(ran(&["sql", "--format", "parquet", "SELECT 1"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: a Parquet file cannot be written to a terminal or pipe
    hint: name a file: --output FILE
    ");
}

#[test]
fn too_slow() {
    assert_snapshot!(asked(&["--timeout", "1s", "SELECT count(*) FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 10000000) b WHERE a.value * b.value = 7"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: no answer within 1 s
    hint: raise --timeout, or ask for less: --since, --account, LIMIT
    ");
}

#[test]
fn tables_and_columns_are_described() {
    assert_snapshot!(asked(&["SHOW TABLES; DESCRIBE rejects; SHOW FUNCTIONS LIKE 'key%'"]), @"
    exit code: 0
    --- stdout
    Statement 1
    table_name           columns  description
    calls                73       Events with each call once, even if it has several records
    cloudtrail           27       Events as in the table of the AWS Security Analytics Bootstrap
    cloudtrail_logs      36       Events as in the CloudTrail table of AWS's Athena documentation
    console_sign_ins     15       Console sign-ins
    cross_account_calls  18       Calls from one account to resources of another
    event_data_store     35       Events as in an event data store of CloudTrail Lake
    events               73       Every event of the selection, once
    failures             16       Failed calls and sign-ins
    first_records        73       Events without the records that update an earlier record of the same call
    issued_credentials   19       Access keys as they were issued: by whom, from where, for whom
    key_lifecycle        12       Long-term access keys created, activated, deactivated and deleted
    key_usage            12       Daily use of access keys
    log_files            22       Every log file: outcome, counts, first and last event
    principals           12       Principals: users, roles and others that made calls
    rejects              5        Every record that could not be decoded, and why
    s3_object_access     19       S3 objects read, written and deleted, with bytes
    sessions             17       Sessions: what was done with each temporary access key
    17 rows

    Statement 2
    column_name      data_type  description
    log_file         text       –
    log_file_record  integer    –
    reason           text       –
    record           text       –
    ingest_time      timestamp  –
    5 rows

    Statement 3
    function_name  kind    syntax                   description
    key_type       scalar  key_type(access_key_id)  The kind of credential that an access key's id begins with.
    1 row
    --- stderr
    ");
}

#[test]
fn statements_from_standard_input() {
    assert_snapshot!(fed(&["--format", "csv", "--quiet"], "SELECT 1 AS a;\n-- done\n"), @r"
    exit code: 0
    --- stdout
    a
    1
    --- stderr
    ");
}

#[test]
fn statements_from_standard_input_have_places() {
    assert_snapshot!(fed(&[], "SELECT 1;\nSELECT x FROM events;\n"), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no column "x"
      |  standard input
    2 | SELECT x FROM events;
      |        ^
    "#);
}

#[test]
fn only_what_was_needed_is_read() {
    assert_snapshot!(asked(&["SELECT 1 AS one"]), @r"
    exit code: 0
    --- stdout
    one
      1
    1 row

    note: no log file was read: the rows do not come from any
    --- stderr
    ");
}

/// A file appears only when the rows are complete; Parquet keeps types.
#[test]
fn rows_go_into_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let trail = ["sql", "--trail", "testdata/trail", "--quiet"];
    let csv = path("rows.csv");
    let sql = "SELECT event_time, event_name FROM events";
    let args = [&trail[..], &["--format", "csv", "--output", &csv, sql]].concat();
    assert_eq!(ran(&args), "exit code: 3\n--- stdout\n--- stderr\n");
    assert_eq!(fs::read_to_string(&csv).unwrap().lines().count(), 337);

    let parquet = path("rows.parquet");
    let args = [
        &trail[..],
        &["--format", "parquet", "--output", &parquet, sql],
    ]
    .concat();
    assert_eq!(ran(&args), "exit code: 3\n--- stdout\n--- stderr\n");
    let file = fs::File::open(&parquet).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 336);
    assert!(reader.schema().field(0).data_type().is_temporal());

    let failed = path("failed.json");
    let sql = "SELECT CAST(event_name AS INT) FROM events";
    let args = [&trail[..], &["--format", "json", "--output", &failed, sql]].concat();
    assert!(ran(&args).starts_with("exit code: 1\n"));
    let two = path("two.parquet");
    let args = [
        &trail[..],
        &[
            "--format",
            "parquet",
            "--output",
            &two,
            "SELECT 1; SELECT 2",
        ],
    ]
    .concat();
    assert!(ran(&args).starts_with("exit code: 2\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// Rows are written as they come: the first ones are there long before the last.
#[test]
fn a_reader_who_has_enough_ends_the_query() {
    for format in ["csv", "jsonl", "json", "table", "markdown"] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"))
            .args(["sql", "--trail", "testdata/trail", "--format", format])
            .arg("SELECT * FROM generate_series(1, 1000000000000)")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut start = [0; 4096];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut start).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{format}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
    }
}

/// The same statements from a file, with its name where they are wrong.
#[test]
fn statements_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hunt.sql");
    let name = path.to_str().unwrap();
    let args = [
        "sql",
        "--trail",
        "testdata/trail",
        "--quiet",
        "--file",
        name,
    ];
    fs::write(&path, "-- counts\nSELECT count(*) AS n FROM events;\n").unwrap();
    assert_eq!(
        ran(&args),
        "exit code: 3\n--- stdout\n  n\n336\n1 row\n\n\
         336 events, 2025-03-03 02:01:00 to 2025-03-07 15:06:02 UTC, from testdata/trail\n\
         2 accounts: 111122223333, 444455556666; 2 regions: eu-west-1, us-east-1\n\
         5 days with events, no gap days (all accounts combined); 54 log files read, 1 rejected; 2 records rejected; integrity not checked\n\
         data events of dynamodb.amazonaws.com, s3.amazonaws.com\n\
         not read: 1 log file rejected; …/111122223333_CloudTrail_eu-west-1_20250305T1525Z_ADJrXbvlGvePF4Vy.json.gz: the compressed data ends too early, after 2471 bytes of text: the rest is missing\n\
         skipped: 1 file or folder without events; …/CloudTrail-Digest: digest files, not events\n--- stderr\n"
    );
    fs::write(&path, "-- counts\nSELECT cuont(*) FROM events;\n").unwrap();
    let expected = format!(
        "exit code: 1\n--- stdout\n--- stderr\nerror: there is no function \"cuont\"\n  |  {name}\n\
         2 | SELECT cuont(*) FROM events;\n  |        ^^^^^\nhint: did you mean count?\n"
    );
    assert_eq!(ran(&args), expected);
}

/// A query for CloudTrail Lake keeps its placeholder; the event data store may have a name or an id of its own.
#[test]
fn queries_of_cloudtrail_lake_run_as_they_are() {
    let id = "01234567-0123-0123-0123-0123456789ab";
    let expected = "exit code: 3\n--- stdout\nn\n336\n--- stderr\n";
    let csv = ["--quiet", "--format", "csv"];
    for (sql, store) in [
        ("SELECT count(*) AS n FROM <EDS ID>", None),
        ("SELECT count(*) AS n FROM $EDS_ID", Some(id)),
        (
            "SELECT count(*) AS n FROM 01234567-0123-0123-0123-0123456789ab",
            Some(id),
        ),
        (
            "SELECT count(*) AS n FROM \"01234567-0123-0123-0123-0123456789ab\"",
            Some(id),
        ),
        ("SELECT count(*) AS n FROM MyStore", Some("MyStore")),
        (
            "SELECT count(*) AS n FROM event_data_store",
            Some("MyStore"),
        ),
    ] {
        let store = store.map(|name| ["--eds", name]);
        let store = store.as_ref().map_or(&[][..], |args| args);
        assert_eq!(asked(&[&csv, store, &[sql]].concat()), expected, "{sql}");
    }
    let said = asked(&["--event-data-store", "events", "SELECT 1"]);
    assert!(
        said.contains("error: an event data store cannot be called \"events\""),
        "{said}"
    );

    let folder = tempfile::tempdir().unwrap();
    let question = "-- Mine\n-- grain: one row\nSELECT count(*) AS n FROM <EDS ID>\n";
    fs::write(folder.path().join("mine.sql"), question).unwrap();
    let own = ["run", "mine", "--queries", folder.path().to_str().unwrap()];
    let trail = ["--trail", "testdata/trail"];
    for store in [&[][..], &["--eds", id]] {
        assert_eq!(ran(&[&own[..], &trail, store, &csv].concat()), expected);
    }
}

/// Distinct texts of groups are counted with as little memory as the groups need, under the name that people expect.
#[test]
fn distinct_texts_are_counted() {
    let sql = "SELECT account_id, count(DISTINCT user_agent), count(DISTINCT user_agent) FILTER (WHERE error_code IS NOT NULL) AS refused, \
        count(DISTINCT error_code) AS codes, count(DISTINCT event_date) AS days FROM events GROUP BY account_id ORDER BY account_id";
    let one_by_one = "SELECT account_id, count(*) FROM (SELECT DISTINCT account_id, user_agent FROM events WHERE user_agent IS NOT NULL) \
        GROUP BY account_id ORDER BY account_id";
    let csv = ["--quiet", "--format", "csv"];
    let rows = asked(&[&csv[..], &[sql]].concat());
    assert!(
        rows.starts_with(
            "exit code: 3\n--- stdout\naccount_id,count(DISTINCT user_agent),refused,codes,days\n"
        ),
        "{rows}"
    );
    let agents = |said: &str| -> Vec<String> {
        let rows = said
            .lines()
            .skip(3)
            .take_while(|line| !line.starts_with("---"));
        rows.filter_map(|row| row.split(',').nth(1).map(str::to_owned))
            .collect()
    };
    let expected = asked(&[&csv[..], &[one_by_one]].concat());
    assert_eq!(agents(&rows), agents(&expected), "{rows}{expected}");
    assert_eq!(agents(&rows).len(), 2);
    let plan = asked(&["--explain", sql]);
    assert!(plan.contains("count_texts(events.user_agent)"), "{plan}");
}

/// A query that needs more memory than it may have says so; what can go to disk does.
#[test]
fn memory_has_a_limit() {
    let trail = [
        "sql",
        "--trail",
        "testdata/trail",
        "--quiet",
        "--format",
        "csv",
    ];
    let join = "SELECT count(DISTINCT a.value) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.value = b.value";
    let said = ran(&[&trail[..], &["--max-memory", "1MB", join]].concat());
    assert!(said.starts_with("exit code: 1\n"), "{said}");
    assert!(said.contains("\nerror: not enough memory: "), "{said}");
    assert!(said.contains("\nhint: raise --max-memory"), "{said}");
    let sort = "SELECT max(value) AS m FROM (SELECT value, row_number() OVER (ORDER BY value % 1000, value) AS n FROM generate_series(1, 3000000))";
    assert_eq!(
        ran(&[&trail[..], &["--max-memory", "24MiB", sort]].concat()),
        "exit code: 0\n--- stdout\nm\n3000000\n--- stderr\n"
    );
}

/// A plan is shown line by line, and nothing is read for it.
#[test]
fn a_plan_is_text() {
    let sql = "SELECT event_name FROM events WHERE event_name = 'GetObject'";
    let said = asked(&["--explain", sql]);
    assert!(
        said.starts_with("exit code: 0\n--- stdout\nplan_type      plan\nlogical_plan "),
        "{said}"
    );
    assert!(said.contains("\nphysical_plan "), "{said}");
    assert!(said.ends_with(" rows\n--- stderr\n"), "{said}");
}

/// SQL as it is pasted, with its comment first.
#[test]
fn sql_that_begins_with_a_comment_is_not_an_option() {
    for sql in [
        "-- who was it?\nSELECT count(*) AS n FROM events",
        "--\tthe same\nSELECT count(*) AS n FROM events",
        "/* the same */ SELECT count(*) AS n FROM events",
    ] {
        let answer = json(&["sql", sql, "--trail", "testdata/trail"], 0);
        assert_eq!(answer["rows"][0]["n"], 336, "{sql}");
    }
    let refused = ran(&["sql", "--tral", "testdata/trail", "SELECT 1"]);
    assert!(
        refused.contains("unexpected argument '--tral'"),
        "{refused}"
    );
}

#[test]
fn a_placeholder_that_was_left_is_named() {
    for (sql, place) in [
        (
            "SELECT 1 FROM events WHERE access_key_id = '<KEY>'",
            "'<KEY>'",
        ),
        (
            "SELECT 1 FROM events WHERE account_id = ACCOUNT_ID",
            "ACCOUNT_ID",
        ),
        (
            "SELECT 1 FROM events WHERE access_key_id LIKE '$KEY_ID'",
            "'$KEY_ID'",
        ),
        (
            "SELECT 1 FROM events WHERE user_identity_arn = 'arn:aws:iam::ACCOUNT_ID:user/USER_NAME'",
            "'arn:aws:iam::ACCOUNT_ID:user/USER_NAME'",
        ),
        (
            "SELECT 1 FROM events WHERE source_ip_address IN ('<IP1>')",
            "'<IP1>'",
        ),
    ] {
        let answer = json(&["sql", sql, "--trail", "testdata/trail"], 0);
        let note = format!("{place} looks like a placeholder: replace it with a value");
        assert_eq!(answer["notes"][0], note, "{answer}");
    }
    let refused = ran(&[
        "sql",
        "SELECT 1 FROM events WHERE access_key_id = <KEY>",
        "--trail",
        "testdata/trail",
    ]);
    assert!(
        refused.contains(
            "hint: <KEY> looks like a placeholder: replace it with a name, or with a value in quotes"
        ),
        "{refused}"
    );
    let refused = ran(&[
        "sql",
        "SELECT 1 FROM ${database}.${table}",
        "--trail",
        "testdata/trail",
    ]);
    assert!(
        refused.contains("hint: ${database} looks like a placeholder"),
        "{refused}"
    );
    let run = json(
        &[
            "run",
            "key-timeline",
            "--param",
            "access_key_id=<KEY>",
            "--trail",
            "testdata/trail",
        ],
        0,
    );
    assert_eq!(
        run["notes"][0],
        "\"<KEY>\", the value of $access_key_id, looks like a placeholder: replace it with a value"
    );
}

#[test]
fn commands_of_the_shell_are_not_sql() {
    for command in [".tables", "\\d events"] {
        let refused = ran(&["sql", command, "--trail", "testdata/trail"]);
        assert!(refused.starts_with("exit code: 2"), "{refused}");
        assert!(
            refused.contains("is a command of the shell, not SQL"),
            "{refused}"
        );
        assert!(
            refused.contains("hint: the same in SQL: SHOW TABLES"),
            "{refused}"
        );
    }
}
