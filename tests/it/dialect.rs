//! SQL as people wrote it for Athena and CloudTrail Lake, each construct once, on `testdata/trail`: asked of the log files
//! and of a lake, which must agree.

use crate::program::keytrail;
use crate::usage;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use keytrail::session::{
    Params, Session, SessionError, SessionOptions, VIEWS, fill_event_data_store,
};
use keytrail::source::{self, SourceOptions};
use tempfile::TempDir;

const TRAIL: &str = "testdata/trail";

async fn trail() -> Session {
    let options = SessionOptions {
        threads: 2,
        ..SessionOptions::default()
    };
    let trail = source::open(TRAIL, &SourceOptions::default()).await;
    Session::trail(vec![trail.unwrap()], &options)
        .await
        .unwrap()
}

/// A lake of the trail, which lives as long as its folder.
async fn lake() -> (TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let ingest = ["ingest", TRAIL, "--quiet", "--lake", lake.to_str().unwrap()];
    assert_eq!(keytrail(&ingest).output().unwrap().status.code(), Some(3));
    let session = usage::session(&lake).await;
    (folder, session)
}

/// The rows, values apart by `|`, nulls as `-`; before them the names of the columns.
async fn asked(session: &Session, sql: &str) -> Result<String, SessionError> {
    let (schema, batches) = session.sql(sql, &Params::new()).await?;
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let mut lines = vec![names.join("|")];
    let options = FormatOptions::default().with_null("-");
    for batch in &batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        lines.extend((0..batch.num_rows()).map(|row| {
            let values: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            values.join("|")
        }));
    }
    Ok(lines.join("\n"))
}

/// Asks each question of log files and of a lake.
async fn answers(questions: &[(&str, &[&str])]) {
    let trail = trail().await;
    let (_folder, lake) = lake().await;
    let mut wrong = String::new();
    for (sql, lines) in questions {
        for session in [&trail, &lake] {
            let answer = asked(session, sql).await;
            let answer = answer.unwrap_or_else(|error| error.to_string());
            if answer.lines().ne(lines.iter().copied()) {
                wrong += &format!("{sql}\n{answer}\nand not\n{}\n\n", lines.join("\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What a question touches of the lake's table, as the plan has it.
async fn plan(session: &Session, sql: &str) -> String {
    asked(session, &format!("EXPLAIN {sql}")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn athena() {
    answers(&[
        (
            "SELECT eventTime, eventName, userIdentity.arn, \"timestamp\", year, month, day FROM cloudtrail_logs \
             WHERE userIdentity.accessKeyId = 'AKIARTX3GSDS75MXKBSU' AND eventTime BETWEEN '2025-03-06T15:01:00Z' AND '2025-03-06T15:01:05Z' \
             ORDER BY eventTime ASC",
            &[
                "eventtime|eventname|arn|timestamp|year|month|day",
                "2025-03-06T15:01:00Z|GetCallerIdentity|arn:aws:iam::111122223333:user/service/svc-export|2025/03/06|2025|03|06",
                "2025-03-06T15:01:04Z|ListUsers|arn:aws:iam::111122223333:user/service/svc-export|2025/03/06|2025|03|06",
                "2025-03-06T15:01:05Z|ListBuckets|arn:aws:iam::111122223333:user/service/svc-export|2025/03/06|2025|03|06",
            ],
        ),
        (
            "SELECT timestamp, count(*) AS n FROM cloudtrail_logs WHERE timestamp >= '2025/03/04' AND timestamp < '2025/03/06' AND region = 'us-east-1' AND account IN ('111122223333', '1') \
             GROUP BY timestamp ORDER BY timestamp",
            &["timestamp|n", "2025/03/04|28", "2025/03/05|29"],
        ),
        (
            "SELECT requestParameters.bucketName AS bucket, COUNT(DISTINCT requestParameters.key) AS keys, \
             SUM(CAST(additionalEventData.bytesTransferredOut AS BIGINT)) AS bytes FROM cloudtrail_logs \
             WHERE eventName = 'GetObject' AND requestParameters.bucketName LIKE 'example-%' AND errorCode IS NULL GROUP BY requestParameters.bucketName ORDER BY bucket",
            &["bucket|keys|bytes", "example-exports|28|327626", "example-orders|36|211824"],
        ),
        (
            "SELECT ct.userIdentity.sessionContext.sessionIssuer.userName, count(*) AS n FROM cloudtrail_logs ct WHERE ct.userIdentity.type = 'AssumedRole' \
             GROUP BY ct.userIdentity.sessionContext.sessionIssuer.userName ORDER BY n DESC LIMIT 2",
            &["username|n", "deploy|12", "github-infra|5"],
        ),
        (
            "SELECT DISTINCT resources[1].type, element_at(resources, 1).accountId FROM cloudtrail_logs WHERE cardinality(resources) > 1 ORDER BY resources[1].type",
            &["type|accountid", "AWS::S3::Object|-"],
        ),
        (
            "SELECT r.type AS type, count(*) AS n FROM cloudtrail_logs CROSS JOIN UNNEST(resources) AS t(r) WHERE eventname = 'AssumeRole' GROUP BY r.type",
            &["type|n", "AWS::IAM::Role|10"],
        ),
        (
            "SELECT t.type, count(*) AS n FROM cloudtrail_logs ct, UNNEST(ct.resources) AS t(arn, owner, type) WHERE ct.eventname = 'AssumeRole' GROUP BY t.type",
            &["type|n", "AWS::IAM::Role|10"],
        ),
        (
            "SELECT date_trunc('day', from_iso8601_timestamp(eventTime)) AS day, count(*) AS n FROM cloudtrail_logs \
             WHERE from_iso8601_timestamp(eventtime) >= timestamp '2025-03-06 12:00:00' GROUP BY date_trunc('day', from_iso8601_timestamp(eventTime)) ORDER BY day",
            &["day|n", "2025-03-06T00:00:00Z|34", "2025-03-07T00:00:00Z|70"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics_bootstrap() {
    answers(&[
        (
            "SELECT useridentity.arn, eventname, array_agg(DISTINCT(sourceipaddress) ORDER BY sourceipaddress) AS sourceips FROM cloudtrail \
             WHERE useridentity.arn IS NOT NULL AND (eventname = 'AssumeRole' OR eventname = 'ConsoleLogin') AND date_partition >= '2025/03/05' \
             AND account_partition = '111122223333' AND region_partition IN ('us-east-1', 'us-east-2') GROUP BY useridentity.arn, eventname ORDER BY eventname, arn",
            &[
                "arn|eventname|sourceips",
                "arn:aws:iam::111122223333:user/alice|AssumeRole|[192.0.2.77]",
                "arn:aws:iam::111122223333:user/ci/ci-deploy|AssumeRole|[198.51.100.14, 198.51.100.16, 198.51.100.18]",
                "arn:aws:iam::111122223333:user/alice|ConsoleLogin|[192.0.2.77, 2001:db8:4f2:1::a5]",
            ],
        ),
        (
            "SELECT count(*) AS n FROM cloudtrail WHERE regexp_like(sourceipaddress, '^\\d') AND NOT ((CAST(sourceipaddress AS IPADDRESS) > IPADDRESS '192.0.0.0' \
             AND CAST(sourceipaddress AS IPADDRESS) < IPADDRESS '192.255.255.255'))",
            &["n", "235"],
        ),
        (
            "SELECT JSON_EXTRACT_SCALAR(JSON_EXTRACT(responseelements, '$.accessKey'), '$.userName') AS userName, \
             JSON_EXTRACT_SCALAR(JSON_EXTRACT(responseelements, '$.accessKey'), '$.accessKeyId') AS \"the key\" \
             FROM cloudtrail WHERE eventname = 'CreateAccessKey' AND errorcode IS NULL ORDER BY account_partition, eventtime",
            &[
                "username|the key",
                "svc-backup-sync|AKIARTX3GSDS4J6SD2VQ",
                "svc-orders|AKIAWO645SY5PJD4OYL5",
            ],
        ),
        (
            "SELECT count(*) AS n FROM cloudtrail WHERE date_partition >= date_format(date_add('day',-30,current_timestamp), '%Y/%m/%d')",
            &["n", "0"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_data_store() {
    let fill = |sql: &str| fill_event_data_store(sql, "event_data_store");
    answers(&[
        (
            &fill("SELECT element_at(requestParameters, 'bucketName') AS bucketName, count(*) AS n FROM <EDS ID> \
                   WHERE eventTime > '2025-03-06 00:00:00' AND eventTime < '2025-03-07 00:00:00' AND eventCategory = 'Data' AND eventName = 'GetObject' \
                   GROUP BY element_at(requestParameters, 'bucketName') ORDER BY n DESC, bucketName"),
            &["bucketname|n", "example-exports|12", "example-orders|9"],
        ),
        (
            &fill("SELECT day_of_week(eventTime) AS weekday, count(*) AS n FROM $EDS_ID GROUP BY day_of_week(eventTime) ORDER BY weekday"),
            &["weekday|n", "1|69", "2|66", "3|48", "4|83", "5|70"],
        ),
        (
            &fill("SELECT userIdentity.principalId, eventName FROM $EDS_ID WHERE sessionCredentialFromConsole = true AND readOnly = false ORDER BY eventTime LIMIT 1"),
            &["principalid|eventname"],
        ),
        (
            &fill("SELECT tlsDetails.tlsVersion, count(*) AS n FROM <event_data_store_id> WHERE tlsDetails.tlsVersion LIKE 'TLSv%' \
                   AND CAST(REPLACE(tlsDetails.tlsVersion, 'TLSv', '') AS DOUBLE) <= 1.1 GROUP BY tlsDetails.tlsVersion"),
            &["tlsversion|n"],
        ),
        (
            &fill("SELECT eventID FROM $EDS_ID WHERE userIdentity.accountId != recipientAccountId AND json_extract_scalar(eventJson, '$.requestParameters.roleSessionName') = 'ci-1'"),
            &["eventid", "f55bf340-c88d-4313-aef0-d5bb452ed213"],
        ),
        (
            &fill("SELECT \"eventName\", \"userIdentity\".\"userName\" FROM $EDS_ID WHERE element_at(additionalEventData, 'MFAUsed') = 'No'"),
            &["eventname|username", "ConsoleLogin|HIDDEN_DUE_TO_SECURITY_REASONS"],
        ),
        (
            &fill("SELECT regexp_replace('StackSet-x-0a1b2c3d', '^StackSet-|(-[a-f0-9]{8})$') AS name, count(*) AS n FROM $EDS_ID"),
            &["name|n", "x|336"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_data_stores_have_names() {
    let session = trail().await;
    let id = "3270e016-59a1-4448-8dd1-d27a4796502d";
    session.name_event_data_store(id).await.unwrap();
    for sql in [
        format!("SELECT count(*) FROM {id}"),
        format!("SELECT count(*) FROM \"{id}\" -- {id}"),
        fill_event_data_store("SELECT count(*) FROM <EDS ID>", id),
    ] {
        assert_eq!(asked(&session, &sql).await.unwrap(), "count(*)\n336");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions() {
    let session = trail().await;
    let mut wrong = String::new();
    for (sql, value) in [
        (
            "json_extract('{\"a\":[1,{\"b\":2}]}', '$.a[1]')",
            "{\"b\":2}",
        ),
        (
            "json_extract_scalar('{\"a\":[1,{\"b\":2}]}', '$.a[1].b')",
            "2",
        ),
        // Cast, a text in JSON has no quotes; other JSON is cast as it is.
        (
            "CAST(json_extract('{\"a\":\"x y\"}', '$.a') AS VARCHAR)",
            "x y",
        ),
        (
            "CAST(json_extract('{\"a\":\"12\"}', '$.a') AS BIGINT) + CAST(json_array_get('[5]', 0) AS BIGINT)",
            "17",
        ),
        (
            "CAST(json_extract('{\"a\":{\"b\":1}}', '$.a') AS VARCHAR)",
            "{\"b\":1}",
        ),
        ("CAST(json_extract('{}', '$.a') AS VARCHAR)", "-"),
        ("json_array_length('[1,2,3]')", "3"),
        ("json_array_contains('[1,\"x\"]', 'x')", "true"),
        ("json_array_get('[1,2]', -1)", "2"),
        ("json_size('{\"a\":{\"b\":1,\"c\":2}}', '$.a')", "2"),
        ("json_parse('{')", "-"),
        ("json_format(json_parse('{\"a\":1}'))", "{\"a\":1}"),
        ("json_get_int('{\"a\":1}', 'a')", "1"),
        (
            "from_iso8601_timestamp('2025-03-05T02:17:31Z')",
            "2025-03-05T02:17:31Z",
        ),
        (
            "from_iso8601_timestamp('2025-03-05')",
            "2025-03-05T00:00:00Z",
        ),
        ("from_iso8601_date('2025-03-05')", "2025-03-05"),
        (
            "to_iso8601(timestamp '2025-03-05 02:17:31')",
            "2025-03-05T02:17:31Z",
        ),
        (
            "date_parse('2025-03-05 02:17', '%Y-%m-%d %H:%i')",
            "2025-03-05T02:17:00Z",
        ),
        (
            "date_format(timestamp '2025-03-05 02:17:31', '%d.%m.%y %T')",
            "05.03.25 02:17:31",
        ),
        ("date_add('month', 1, date '2025-01-31')", "2025-02-28"),
        (
            "date_add('hour', -3, timestamp '2025-03-05 02:00:00')",
            "2025-03-04T23:00:00Z",
        ),
        (
            "date_diff('day', date '2025-03-01', timestamp '2025-03-06 01:00:00')",
            "5",
        ),
        ("day_of_week(date '2025-03-09')", "7"),
        (
            "year(timestamp '2025-03-05 02:17:31') * 100 + hour(timestamp '2025-03-05 02:17:31')",
            "202502",
        ),
        ("week(date '2025-01-01')", "1"),
        ("date('2025-03-05')", "2025-03-05"),
        ("current_timestamp - interval '7' day < now()", "true"),
        ("try(CAST('x' AS BIGINT))", "-"),
        ("if(1 > 2, 'a')", "-"),
        ("element_at(ARRAY['a', 'b'], -1)", "b"),
        ("element_at(MAP(ARRAY['k'], ARRAY[1]), 'k')", "1"),
        ("element_at('{\"k\":{\"x\":1}}', 'k')", "{\"x\":1}"),
        ("cardinality(ARRAY[1, 2]) + cardinality('{\"a\":1}')", "3"),
        ("map_keys('{\"a\":1,\"b\":2}')", "[a, b]"),
        ("map_values('{\"a\":1,\"b\":\"x\"}')", "[1, x]"),
        ("contains(ARRAY['a', 'b'], 'b')", "true"),
        ("contains('abc', 'b')", "true"),
        ("contains('10.0.0.0/8', IPADDRESS '10.1.2.3')", "true"),
        ("ip_in_cidr('2001:db8::1', '2001:db8::/32')", "true"),
        ("ip_in_cidr('ec2.amazonaws.com', '10.0.0.0/8')", "-"),
        ("filter(ARRAY[1, 2, 3], x -> x > 1)", "[2, 3]"),
        ("any_match(ARRAY['a', 'b'], x -> x = 'b')", "true"),
        (
            "any_match(ARRAY[named_struct('arn', 'arn:aws:s3:::a')], r -> r.ARN LIKE '%s3%')",
            "true",
        ),
        (
            "all_match(ARRAY[1, 2], x -> x > 0) AND NOT all_match(ARRAY[1, 2], x -> x > 1 OR x < 1)",
            "true",
        ),
        (
            "none_match(ARRAY[1, 2], x -> x > 2) AND NOT none_match(ARRAY[1, 2], x -> x = 1)",
            "true",
        ),
        ("transform(ARRAY[1, 2], x -> x + 1)", "[2, 3]"),
        ("array_join(split('a/b/c', '/'), '.')", "a.b.c"),
        ("split_part('a/b/c', '/', 2)", "b"),
        ("strpos('abc', 'c')", "3"),
        ("regexp_like('AKIA1', '^AKIA\\d')", "true"),
        (
            "regexp_extract('user/ci/bot', '([^/]+)/([^/]+)$', 2)",
            "bot",
        ),
        ("regexp_replace('a1b2', '\\d')", "ab"),
        ("regexp_replace('a1b2', '\\d', '-')", "a-b-"),
        ("url_extract_host('https://a.example/b?c=d')", "a.example"),
        ("url_extract_parameter('https://a.example/b?c=d', 'c')", "d"),
        ("url_decode('%7B%22a%22%3A1%7D')", "{\"a\":1}"),
        ("CAST('[\"a\",\"b\"]' AS ARRAY(VARCHAR))", "[a, b]"),
        ("key_type('ASIAX')", "temporary"),
    ] {
        let answer = asked(&session, &format!("SELECT {sql} AS value")).await;
        let answer = answer.unwrap_or_else(|error| error.to_string());
        if answer != format!("value\n{value}") {
            wrong += &format!("{sql}: {answer}, not {value}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (sql, reason) in [
        ("date_add('day', 1)", "date_add(unit, count, time)"),
        (
            "date_diff('fortnight', date '2025-03-01', date '2025-03-02')",
            "not a unit of time",
        ),
        ("ip_in_cidr('10.0.0.1', '10.0.0.0/99')", "10.0.0.0/99"),
        ("date_parse('x', '%Y')", "not a time of the form"),
    ] {
        let error = asked(&session, &format!("SELECT {sql}")).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates() {
    answers(&[(
        "SELECT max_by(eventname, eventtime || eventid) AS last, min_by(eventname, eventtime || eventid) AS first, count_if(errorcode IS NOT NULL) AS errors, \
         arbitrary(eventcategory) IS NOT NULL AS some, approx_distinct(eventcategory) AS kinds, bool_or(readonly = 'true') AS reads FROM cloudtrail_logs \
         WHERE useridentity.accesskeyid = 'AKIARTX3GSDS75MXKBSU'",
        &["last|first|errors|some|kinds|reads", "GetObject|GetObject|1|true|2|true"],
    )])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_reach_the_files() {
    let (_folder, session) = lake().await;
    for (sql, conditions) in [
        (
            "SELECT eventname, useridentity.arn FROM cloudtrail_logs WHERE useridentity.accesskeyid = 'AKIARTX3GSDS75MXKBSU' AND eventtime > '2025-03-06' AND \"timestamp\" = '2025/03/06'",
            ["access_key_id", "event_time", "event_date"].as_slice(),
        ),
        (
            "SELECT useridentity.arn FROM cloudtrail WHERE date_partition BETWEEN '2025/03/05' AND '2025/03/06' AND account_partition = '111122223333'",
            &["event_date", "account_id"],
        ),
        (
            "SELECT eventName FROM event_data_store WHERE eventTime > '2025-03-06 00:00:00' AND userIdentity.accessKeyId = 'AKIARTX3GSDS75MXKBSU'",
            &["event_time", "access_key_id"],
        ),
        (
            "SELECT * FROM key_usage WHERE access_key_id = 'AKIARTX3GSDS75MXKBSU' AND event_date = date '2025-03-06'",
            &["access_key_id", "event_date"],
        ),
        (
            "SELECT * FROM failures WHERE access_key_id = 'AKIARTX3GSDS75MXKBSU' AND event_time > '2025-03-06'",
            &["access_key_id", "event_time"],
        ),
    ] {
        let plan = plan(&session, sql).await;
        let scan = plan.split("DataSourceExec").nth(1).unwrap_or_default();
        let predicate = scan.split("pruning_predicate").nth(1).unwrap_or_default();
        for condition in conditions {
            let partition = *condition == "event_date";
            assert!(
                partition || predicate.contains(condition),
                "{condition}: {plan}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_answer() {
    let trail = trail().await;
    let (_folder, lake) = lake().await;
    for view in VIEWS {
        assert_ne!(view.title(), view.name, "{} has no header", view.name);
        let sql = format!("SELECT count(*) AS n FROM {}", view.name);
        let counts = (
            asked(&trail, &sql).await.unwrap(),
            asked(&lake, &sql).await.unwrap(),
        );
        assert_eq!(counts.0, counts.1, "{}", view.name);
    }
    answers(&[
        (
            "SELECT event_date, change, changed_user_name, changed_access_key_id FROM key_lifecycle ORDER BY event_time LIMIT 2",
            &[
                "event_date|change|changed_user_name|changed_access_key_id",
                "2025-03-05|created|svc-orders|AKIAWO645SY5PJD4OYL5",
                "2025-03-06|created|svc-backup-sync|AKIARTX3GSDS4J6SD2VQ",
            ],
        ),
        (
            "SELECT change, count(*) AS n FROM key_lifecycle GROUP BY change ORDER BY change",
            &["change|n", "created|2", "deactivated|2"],
        ),
        (
            "SELECT event_name, count(*) AS objects, sum(bytes_out) AS bytes_out, sum(bytes_in) AS bytes_in FROM s3_object_access \
             WHERE access_key_id IS NOT NULL GROUP BY event_name ORDER BY event_name",
            &["event_name|objects|bytes_out|bytes_in", "GetObject|64|539450|0", "PutObject|40|0|267920"],
        ),
        (
            "SELECT succeeded, mfa_used, count(*) AS n FROM console_sign_ins GROUP BY succeeded, mfa_used ORDER BY n DESC",
            &["succeeded|mfa_used|n", "true|Yes|5", "false|No|1"],
        ),
        (
            "SELECT direction, caller_account_id, owner_account_id, count(*) AS n FROM cross_account_calls GROUP BY 1, 2, 3 ORDER BY 1, 2",
            &[
                "direction|caller_account_id|owner_account_id|n",
                "outgoing|111122223333|444455556666|5",
            ],
        ),
    ])
    .await;
}

/// Two calls, at 16:30Z on 5 March and 03:30Z on 6 March 2026: in Tokyo both are on Friday, 6 March.
async fn two_calls() -> (TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let record = |at: &str, id: u32, more: &str| {
        format!(
            r#"{{"eventVersion":"1.08","eventTime":"{at}","eventSource":"kms.amazonaws.com","eventName":"Call{id}","awsRegion":"us-east-1",
            "sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2.1 Python/3.9","recipientAccountId":"111122223333","eventID":"{id:08}-0000-4000-8000-000000000000",
            "userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/a"}}{more}}}"#
        )
    };
    let records = [
        record(
            "2026-03-05T16:30:00Z",
            1,
            r#","resources":[{"ARN":"arn:aws:iam::444455556666:role/a","accountId":"444455556666","type":"AWS::IAM::Role"},{"ARN":"arn:aws:iam::1:role/b","accountId":"1","type":"AWS::IAM::Role"}],
            "requestParameters":{"encryptionContext":{"aws:s3:arn":"one","config/web":"two","kubernetes.io/cluster":"three"},"items":[{"n":"x"},{"n":"y"}],"none":null,"userName":"a"}"#,
        ),
        record("2026-03-06T03:30:00Z", 2, ""),
    ];
    let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    crate::trail::write(folder.path(), "calls.json.gz", &crate::trail::gzip(&text));
    let source = source::open(folder.path().to_str().unwrap(), &SourceOptions::default()).await;
    let options = SessionOptions::default();
    let session = Session::trail(vec![source.unwrap()], &options).await;
    let session = session.unwrap();
    (folder, session)
}

async fn right(questions: &[(&str, &[&str])]) {
    let (_folder, session) = two_calls().await;
    let mut wrong = String::new();
    for (sql, lines) in questions {
        let answer = asked(&session, sql).await;
        let answer = answer.unwrap_or_else(|error| error.to_string());
        let rows: Vec<&str> = answer
            .lines()
            .skip(usize::from(answer.contains('\n')))
            .collect();
        if rows != *lines {
            wrong += &format!("{sql}\n{answer}\nand not\n{}\n\n", lines.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_of_times_honours_the_zone() {
    let tokyo = "from_iso8601_timestamp(eventtime) AT TIME ZONE 'Asia/Tokyo'";
    let both = |function: &str| {
        format!(
            "SELECT {} FROM cloudtrail_logs ORDER BY eventtime",
            function.replace('@', tokyo)
        )
    };
    right(&[
        (&both("hour(@)"), &["1", "12"]),
        (&both("extract(hour FROM @)"), &["1", "12"]),
        (&both("date_part('hour', @)"), &["1", "12"]),
        (&both("minute(@), second(@), millisecond(@)"), &["30|0|0", "30|0|0"]),
        (&both("date(@), day(@), day_of_month(@)"), &["2026-03-06|6|6", "2026-03-06|6|6"]),
        (&both("cast(@ AS date)"), &["2026-03-06", "2026-03-06"]),
        (&both("date_format(@, '%H')"), &["01", "12"]),
        (&both("format_datetime(@, 'yyyy-MM-dd HH ZZ')"), &["2026-03-06 01 +09:00", "2026-03-06 12 +09:00"]),
        (&both("strftime(@, '%d %H')"), &["06 01", "06 12"]),
        (&both("to_char(@, '%d %H')"), &["06 01", "06 12"]),
        (&both("day_of_week(@), dow(@)"), &["5|5", "5|5"]),
        (&both("day_of_year(@), doy(@), week(@), year_of_week(@)"), &["65|65|10|2026", "65|65|10|2026"]),
        (&both("year(@), quarter(@), month(@)"), &["2026|1|3", "2026|1|3"]),
        (&both("cast(@ AS varchar)"), &["2026-03-06T01:30:00+09:00", "2026-03-06T12:30:00+09:00"]),
        (&both("cast(@ AS timestamp)"), &["2026-03-06T01:30:00", "2026-03-06T12:30:00"]),
        (&both("to_iso8601(@)"), &["2026-03-06T01:30:00+09:00", "2026-03-06T12:30:00+09:00"]),
        (&both("hour(date_trunc('day', @)), date(date_trunc('day', @))"), &["0|2026-03-06", "0|2026-03-06"]),
        (&both("day(date_add('day', 1, @))"), &["7", "7"]),
        (&both("date_diff('day', @, timestamp '2026-03-06 15:00:00')"), &["0", "0"]),
        (&both("hour(at_timezone(from_iso8601_timestamp(eventtime), 'America/New_York'))"), &["11", "22"]),
        (&both("hour(@ AT TIME ZONE 'UTC')"), &["16", "3"]),
        // A time without a zone is UTC, also in front of AT TIME ZONE and where it meets one with another zone.
        ("SELECT hour(timestamp '2026-03-05 16:30:00' AT TIME ZONE 'Asia/Tokyo')", &["1"]),
        ("SELECT hour(timestamp '2026-03-05 16:30:00' AT TIME ZONE '+05:30')", &["22"]),
        (
            &format!("SELECT eventtime FROM cloudtrail_logs WHERE {tokyo} < timestamp '2026-03-05 17:00:00'"),
            &["2026-03-05T16:30:00Z"],
        ),
        (
            &format!("SELECT eventtime FROM cloudtrail_logs WHERE hour({tokyo}) NOT BETWEEN 8 AND 18"),
            &["2026-03-05T16:30:00Z"],
        ),
        (
            "SELECT hour(event_time AT TIME ZONE 'Asia/Tokio') FROM events",
            &["there is no time zone \"Asia/Tokio\"; examples: Asia/Tokyo, Europe/Berlin, +09:00, UTC"],
        ),
        (
            "SELECT hour(event_time AT TIME ZONE aws_region) FROM events",
            &["the time zone has to be a text like 'Asia/Tokyo' or '+09:00', the same for all rows"],
        ),
        // Days have 23 hours where clocks are changed.
        (
            "SELECT date_diff('hour', t, date_add('day', 1, t)), date_diff('day', t, date_add('day', 1, t)) \
             FROM (SELECT timestamp '2025-03-29 12:00:00' AT TIME ZONE 'Europe/Berlin' AS t)",
            &["23|1"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_joined_on_the_left() {
    right(&[
        (
            "SELECT eventname, r.accountid AS role_account, r.arn, count(*) AS n FROM cloudtrail_logs LEFT JOIN UNNEST(resources) u(r) ON TRUE \
             GROUP BY eventname, r.accountid, r.arn ORDER BY 1, 2",
            &[
                "Call1|1|arn:aws:iam::1:role/b|1",
                "Call1|444455556666|arn:aws:iam::444455556666:role/a|1",
                "Call2|-|-|1",
            ],
        ),
        (
            "SELECT c.eventname, u.owner FROM cloudtrail_logs AS c LEFT OUTER JOIN UNNEST(c.resources) AS u(arn, owner, kind) ON true ORDER BY 1, 2",
            &["Call1|1", "Call1|444455556666", "Call2|-"],
        ),
        (
            "SELECT r.accountid, n FROM cloudtrail_logs CROSS JOIN UNNEST(resources) WITH ORDINALITY AS t(r, n) ORDER BY n",
            &["444455556666|1", "1|2"],
        ),
        (
            "SELECT eventname, owner, n FROM cloudtrail_logs LEFT JOIN UNNEST(resources) WITH ORDINALITY AS t(arn, owner, kind, n) ON TRUE ORDER BY 1, n",
            &["Call1|444455556666|1", "Call1|1|2", "Call2|-|-"],
        ),
        (
            "SELECT c.eventname, r.accountid FROM cloudtrail_logs c JOIN events e ON c.eventid = e.event_id CROSS JOIN UNNEST(c.resources) AS t(r) ORDER BY 2",
            &["Call1|1", "Call1|444455556666"],
        ),
        (
            "SELECT c.eventname, x, r.accountid FROM cloudtrail_logs c CROSS JOIN UNNEST(split('a,b', ',')) AS s(x) LEFT JOIN UNNEST(c.resources) AS t(r) ON TRUE ORDER BY 1, 2, 3",
            &["Call1|a|1", "Call1|a|444455556666", "Call1|b|1", "Call1|b|444455556666", "Call2|a|-", "Call2|b|-"],
        ),
        (
            "SELECT 1 FROM cloudtrail_logs LEFT JOIN UNNEST(resources) u(r) ON r.arn = 'x'",
            &["UNNEST of a column in this place is not supported: it follows its table, has a name and one list: FROM t CROSS JOIN UNNEST(t.list) AS u(element), or LEFT JOIN … ON TRUE"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_athena() {
    right(&[
        (
            "SELECT parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS t FROM cloudtrail_logs ORDER BY 1",
            &["2026-03-05T16:30:00Z", "2026-03-06T03:30:00Z"],
        ),
        (
            "SELECT format_datetime(from_iso8601_timestamp(eventtime), 'yyyy-MM-dd HH') AS h FROM cloudtrail_logs ORDER BY 1",
            &["2026-03-05 16", "2026-03-06 03"],
        ),
        (
            "SELECT json_value(requestparameters, 'lax $.userName'), json_value(requestparameters, '$.items'), json_value(requestparameters, 'lax $.items.n'), \
             json_value(requestparameters, 'strict $.items[1].n'), json_query(requestparameters, 'lax $.items[0]'), json_value(requestparameters, '$.none') \
             FROM cloudtrail_logs ORDER BY eventtime",
            &["a|-|-|y|{\"n\":\"x\"}|-", "-|-|-|-|-|-"],
        ),
        (
            "SELECT count(*) FROM cloudtrail_logs WHERE json_exists(requestparameters, 'lax $.userName')",
            &["1"],
        ),
        (
            "SELECT json_exists(requestparameters, '$.items.n'), json_exists(requestparameters, 'strict $.items.n'), json_exists(requestparameters, '$.none') FROM cloudtrail_logs ORDER BY eventtime",
            &["true|false|true", "-|-|-"],
        ),
        (
            "SELECT json_exists(requestparameters, '$.items ? (@.n == \"x\")') FROM cloudtrail_logs",
            &["\"$.items ? (@.n == \\\"x\\\")\" is not a path that keytrail follows: names, indexes and [*] after lax $ or strict $"],
        ),
        (
            "SELECT listagg(eventname, ',') WITHIN GROUP (ORDER BY eventname DESC) FROM cloudtrail_logs",
            &["Call2,Call1"],
        ),
        (
            "SELECT regexp_extract_all(useragent, '[A-Za-z-]+/([0-9.]+)'), regexp_extract_all(useragent, '[A-Za-z-]+/([0-9.]+)', 1) FROM cloudtrail_logs LIMIT 1",
            &["[aws-cli/2.1, Python/3.9]|[2.1, 3.9]"],
        ),
        (
            "SELECT from_utf8(from_base64('aGk=')), from_base64('no!') IS NULL, to_base64(to_utf8('hi'))",
            &["hi|true|aGk="],
        ),
        (
            "SELECT DISTINCT substr(\"$path\", length(\"$path\") - 12) FROM cloudtrail_logs",
            &["calls.json.gz"],
        ),
        // Names with a colon, a slash and a dot in them.
        (
            "SELECT json_extract_scalar(requestparameters, '$.encryptionContext[\"aws:s3:arn\"]'), json_extract_scalar(requestparameters, '$[\"encryptionContext\"][\"config/web\"]'), \
             json_extract_scalar(requestparameters, '$.encryptionContext[\"kubernetes.io/cluster\"]'), json_value(requestparameters, 'lax $.encryptionContext.\"kubernetes.io/cluster\"') \
             FROM cloudtrail_logs ORDER BY eventtime LIMIT 1",
            &["one|two|three|three"],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_would_ignore_is_refused() {
    let refused = |sql: &str| -> (String, String) {
        let fault = keytrail::session::Statement::read(sql).err();
        (
            sql.to_owned(),
            fault.map(|fault| fault.message).unwrap_or_default(),
        )
    };
    for (sql, said) in [
        (
            "SELECT count(*) FROM events TABLESAMPLE (1)",
            "TABLESAMPLE is not supported: for a random sample of rows write WHERE random() < 0.01",
        ),
        (
            "SELECT count(*) FROM events TABLESAMPLE BERNOULLI (10)",
            "TABLESAMPLE",
        ),
        (
            "SELECT count(*) FROM (SELECT * FROM events) TABLESAMPLE SYSTEM (10)",
            "TABLESAMPLE",
        ),
        (
            "SELECT * FROM events WHERE 1 IN (SELECT 1 FROM events TABLESAMPLE (1 ROWS))",
            "TABLESAMPLE",
        ),
        (
            "SELECT * FROM events FETCH FIRST 3 ROWS ONLY",
            "FETCH FIRST is not supported: write LIMIT",
        ),
        (
            "SELECT TOP 3 * FROM events",
            "TOP is not supported: write LIMIT at the end",
        ),
        (
            "FROM events",
            "FROM without SELECT is not supported: write SELECT * FROM …",
        ),
        (
            "SUMMARIZE events",
            "SUMMARIZE is not supported: DESCRIBE events lists the columns",
        ),
        (
            "SELECT * FROM events LATERAL VIEW explode(resources) t AS r",
            "LATERAL VIEW is not supported",
        ),
    ] {
        let (sql, found) = refused(sql);
        assert!(found.starts_with(said), "{sql}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_numbers_never_wrap_round() {
    let too_large = |sign: &str| {
        format!(
            "a whole number does not fit: the result of {sign} is outside of Int64; for larger ones write CAST(… AS DOUBLE)"
        )
    };
    let (plus, minus, times) = (too_large("+"), too_large("-"), too_large("*"));
    let largest = "(SELECT 9223372036854775807 AS x UNION ALL SELECT 1)";
    right(&[
        ("SELECT 9223372036854775807 + 1", &[&plus]),
        ("SELECT -9223372036854775807 - 2", &[&minus]),
        ("SELECT 4611686018427387904 * 2", &[&times]),
        ("SELECT -(x) FROM (SELECT -9223372036854775808 AS x)", &[&minus]),
        (&format!("SELECT x + 1 FROM {largest}"), &[&plus]),
        (&format!("SELECT count(*) FROM {largest} WHERE x + 1 > 0"), &[&plus]),
        ("SELECT CAST(2147483647 AS INT) + CAST(1 AS INT)", &["a whole number does not fit: the result of + is outside of Int32; for larger ones write CAST(… AS DOUBLE)"]),
        (&format!("SELECT CAST(sum(x) AS VARCHAR) LIKE '9223%' FROM {largest}"), &["the sum does not fit: 9223372036854775808 is outside of Int64; for larger ones write sum(CAST(… AS DOUBLE))"]),
        (&format!("SELECT sum(x) OVER (ORDER BY x) FROM {largest}"), &["the sum does not fit: 9223372036854775808 is outside of Int64; for larger ones write sum(CAST(… AS DOUBLE))"]),
        // What fits is as it was, with its type and its name.
        ("SELECT 1 + 2 * 3 - 4, sum(x), arrow_typeof(sum(x)), sum(DISTINCT x) FROM (SELECT 1 AS x UNION ALL SELECT 1)", &["3|2|Int64|1"]),
        ("SELECT sum(x), arrow_typeof(sum(x)) FROM (SELECT CAST(NULL AS BIGINT) AS x)", &["-|Int64"]),
        ("SELECT x, sum(x) OVER (ORDER BY x) AS s FROM (SELECT 1 AS x UNION ALL SELECT 2) ORDER BY x", &["1|1", "2|3"]),
        ("SELECT eventname, sum(length(eventname)) AS n FROM cloudtrail_logs GROUP BY eventname HAVING sum(length(eventname)) > 4 ORDER BY sum(length(eventname)) DESC, 1", &["Call1|5", "Call2|5"]),
    ])
    .await;
    let (_folder, session) = two_calls().await;
    let named = asked(&session, "SELECT sum(length(event_name)) FROM events")
        .await
        .unwrap();
    assert_eq!(named, "sum(length(event_name))\n10");
    let named = asked(&session, "SELECT 1 + 2 FROM events LIMIT 1 + 0")
        .await
        .unwrap();
    assert_eq!(named, "1 + 2\n3");
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb() {
    right(&[
        ("SELECT eventname, eventtime FROM cloudtrail_logs ORDER BY ALL DESC", &["Call2|2026-03-06T03:30:00Z", "Call1|2026-03-05T16:30:00Z"]),
        ("SELECT eventname, count(*) AS n FROM cloudtrail_logs GROUP BY ALL ORDER BY ALL", &["Call1|1", "Call2|1"]),
        ("SELECT arg_max(eventname, eventtime), arg_min(eventname, eventtime) FROM cloudtrail_logs", &["Call2|Call1"]),
        ("SELECT strftime(event_time, '%Y-%m-%d %H:%M:%S.%f') FROM events ORDER BY 1 LIMIT 1", &["2026-03-05 16:30:00.000000"]),
        ("SELECT strftime(event_time, '%Q!') FROM events", &["\"%Q!\" is not a date format"]),
    ])
    .await;
}
