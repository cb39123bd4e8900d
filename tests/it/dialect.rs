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
        // https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
        (
            "date_format(timestamp '2025-03-05 14:07:09.123456', '%i %M %s %h %W %c %H %p %y %j %e %k %l')",
            "07 March 09 02 Wednesday 3 14 PM 25 064 5 14 2",
        ),
        (
            "date_format(timestamp '2025-03-05 04:07:09.123456', '%a %b %d %f %I %m %r %S %T %v %x %Y %% %k %l %p')",
            "Wed Mar 05 123456 04 03 04:07:09 AM 09 04:07:09 10 2025 2025 % 4 4 AM",
        ),
        (
            "date_format(timestamp '2024-12-31 00:00:00', '%x-%v %Y %l %j')",
            "2025-01 2024 12 366",
        ),
        (
            "date_format(date '2025-03-05', '%W, %e %M %Y')",
            "Wednesday, 5 March 2025",
        ),
        ("to_char(timestamp '2025-03-05 14:07:09', '%M')", "07"),
        (
            "date_parse('5 March 2025 2:07:09 PM', '%e %M %Y %l:%i:%s %p')",
            "2025-03-05T14:07:09Z",
        ),
        (
            "date_parse('2025-03-05 02:17:31.5', '%Y-%m-%d %H:%i:%s.%f')",
            "2025-03-05T02:17:31.500Z",
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
        (
            "SELECT * FROM events PIVOT (count(*) FOR event_name IN ('CreateUser'))",
            "PIVOT is not supported: write a column for each value",
        ),
        (
            "PIVOT events ON event_name USING count(*)",
            "PIVOT is not supported: write a column for each value",
        ),
        (
            "UNPIVOT events ON event_name INTO NAME n VALUE v",
            "UNPIVOT is not supported",
        ),
        (
            "TABLE events",
            "TABLE is not supported: write SELECT * FROM",
        ),
        (
            "SELECT * FROM events UNPIVOT (v FOR n IN (event_name, event_source))",
            "UNPIVOT is not supported: write SELECT",
        ),
        (
            "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY event_time MEASURES A.event_name AS x PATTERN (A) DEFINE A AS true)",
            "MATCH_RECOGNIZE is not supported: compare a row",
        ),
        (
            "SELECT event_name COLLATE \"C\" FROM events",
            "COLLATE is not supported",
        ),
        (
            "SELECT * FROM events, LATERAL FLATTEN(input => resources)",
            "FLATTEN as a table is not supported: for the elements of a list write CROSS JOIN UNNEST(list) AS t(element)",
        ),
        (
            "SELECT * FROM events, TABLE(FLATTEN(input => resources))",
            "TABLE(…) of a function is not supported",
        ),
        (
            "SELECT request_parameters:bucketName FROM events",
            "a path after a colon is not supported: write json -> 'key'",
        ),
        (
            "SELECT event_name FROM events LIMIT 1 BY event_name",
            "LIMIT … BY is not supported: write QUALIFY",
        ),
        (
            "SELECT * FROM events ORDER BY ALL",
            "ORDER BY ALL of * is not supported: name the columns",
        ),
        (
            "SELECT 1 FROM events CROSS APPLY (SELECT 1) x",
            "APPLY is not supported: write CROSS JOIN LATERAL",
        ),
        (
            "SELECT 1 FROM events WHERE event_name SIMILAR TO 'a'",
            "SIMILAR TO is not supported: write text ~",
        ),
        (
            "SELECT 2 ^ 3",
            "the operator ^ is not supported: a power is power(a, b)",
        ),
        (
            "SELECT 1 INTERSECT ALL SELECT 1",
            "INTERSECT ALL is not supported: write INTERSECT",
        ),
        (
            "SELECT 1 EXCEPT ALL SELECT 1",
            "EXCEPT ALL is not supported: write EXCEPT",
        ),
        (
            "SELECT topK(3)(event_name) FROM events",
            "topK with two lists of arguments is not supported",
        ),
        (
            "SELECT 1 FROM events WHERE event_name = ?",
            "the parameter ? is not supported: give it a name, as in $name",
        ),
    ] {
        let (sql, found) = refused(sql);
        assert!(found.starts_with(said), "{sql}: {found}");
    }
}

/// Every error is one sentence in plain words, whatever engine a statement was written for.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_engine_is_shown() {
    let (_folder, session) = two_calls().await;
    for (sql, said) in [
        (
            "SELECT 1 FROM events a ASOF JOIN events b MATCH_CONDITION (a.event_time >= b.event_time)",
            "ASOF JOIN is not supported",
        ),
        (
            "SELECT EXISTS (SELECT 1)",
            "EXISTS is not supported in this place",
        ),
        (
            "SELECT count(*) FROM events WHERE event_time > 1741313820",
            "these cannot be compared: timestamp > integer; the time of a number of seconds since 1970 is from_unixtime(number)",
        ),
        (
            "SELECT count(*) FROM events WHERE event_time BETWEEN 1741313820 AND 1741399999",
            "these cannot be compared: timestamp and integer in BETWEEN expression",
        ),
        (
            "SELECT event_time + 1 FROM events",
            "this cannot be computed: timestamp + integer; a length of time is INTERVAL '1' DAY",
        ),
        (
            "SELECT count(*) FROM events WHERE event_time LIKE '2025-03-07%'",
            "LIKE compares texts: write CAST(event_time AS VARCHAR)",
        ),
        (
            "SELECT count(DISTINCT event_name, event_source) FROM events",
            "count(DISTINCT …) takes one value: write count(DISTINCT (a, b))",
        ),
        (
            "SELECT date_trunc(event_time, 'day') FROM events",
            "Function 'date_trunc' requires String, but received timestamp",
        ),
        (
            "SELECT * FROM read_csv('x')",
            "there is no table function \"read_csv\"",
        ),
        (
            "SELECT 1 FROM events WHERE event_name = @name",
            "there are no variables (@name): a parameter is written $name",
        ),
        (
            "SELECT 1 FROM events WHERE event_date = 20250307",
            "a day is compared with a number: write a day like '2025-03-01'",
        ),
        (
            "SELECT 1 FROM events WHERE event_date < '2025-03-06T12:00:00Z'",
            "\"2025-03-06T12:00:00Z\" is a time, and is compared with a day",
        ),
        (
            "SELECT 1 FROM events WHERE event_date > 'soon'",
            "\"soon\" is not a day; examples: 2025-03-01, yesterday, 7d",
        ),
        (
            "SELECT TIMESTAMP '2025-02-29'",
            "\"2025-02-29\" is not a time; examples",
        ),
        (
            "SELECT from_unixtime(1741168800000)",
            "from_unixtime(1741168800000) is no time before the year 10000: it counts seconds; milliseconds are from_unixtime(number / 1000)",
        ),
        (
            "SELECT date_add('hour', 1, DATE '2025-03-01')",
            "date_add(\"hour\", …) of a day is a day again",
        ),
        (
            "SELECT json_extract('{}', '$.a[*].b')",
            "\"$.a[*].b\" is not a path to one value",
        ),
        (
            "SELECT date_parse('5.3.', '%Y-%m-%d')",
            "\"5.3.\" is not a time of the form \"%Y-%m-%d\"",
        ),
    ] {
        let fault = asked(&session, sql).await.unwrap_err().to_string();
        assert!(fault.starts_with(said), "{sql}: {fault}");
        for inside in [
            " { ", "Ident", "Utf8", "Int64", "µs", "ast node", "sqltorel", "\n",
        ] {
            assert!(!fault.contains(inside), "{sql}: {fault}");
        }
    }
    // Functions of others have a hint that can be written.
    for (sql, hint) in [
        (
            "SELECT strptime('2025', '%Y')",
            "date_parse(text, '%Y-%m-%d')",
        ),
        (
            "SELECT explode(ARRAY[1])",
            "CROSS JOIN UNNEST(list) AS t(element)",
        ),
        ("SELECT getdate()", "now()"),
        ("SELECT decode_account_id('x')", "decoded_account_id"),
    ] {
        match asked(&session, sql).await {
            Err(SessionError::Sql(fault)) => assert_eq!(fault.near, [hint], "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    for sql in ["SELECT locale('a')", "SELECT hosted('a')"] {
        match asked(&session, sql).await {
            Err(SessionError::Sql(fault)) => assert_eq!(fault.near, [""; 0], "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

/// What other engines write otherwise, and its rows.
#[tokio::test(flavor = "multi_thread")]
async fn operators_of_other_engines() {
    right(&[
        ("SELECT count(*) FROM events WHERE event_name LIKE ANY ('%1', 'Call2')", &["2"]),
        ("SELECT count(*) FROM events WHERE event_name ILIKE ANY (ARRAY['CALL%'])", &["2"]),
        ("SELECT count(*) FROM events WHERE event_name NOT LIKE ANY ('Call1', 'Call2')", &["0"]),
        ("SELECT count(*) FROM events WHERE event_name LIKE ALL ('Call%', '%1')", &["1"]),
        ("SELECT count(*) FROM events WHERE event_name RLIKE '^Call[12]$' AND event_name NOT REGEXP '1$'", &["1"]),
        ("SELECT count(*) FROM events WHERE event_name ^@ 'Call'", &["2"]),
        ("SELECT count(*) FROM events a SEMI JOIN events b ON a.event_id = b.event_id", &["2"]),
        ("SELECT count(*) FROM events a ANTI JOIN events b ON a.event_id = b.event_id", &["0"]),
        ("SELECT '{\"a\":{\"b\":\"x\"}}' ->> '$.a.b', '{\"a\":{\"b\":\"x\"}}' -> '$.a', '{\"a\":\"x\"}' ->> 'a', json_extract('{\"a\":\"x\"}', '$.a')", &["x|{\"b\":\"x\"}|x|\"x\""]),
        // An arrow belongs to what is beside it, as in Postgres.
        ("SELECT count(*) FROM events WHERE request_parameters ->> 'userName' = 'a'", &["1"]),
        ("SELECT count(*) FROM events WHERE request_parameters ->> 'userName' LIKE 'a%' AND request_parameters -> 'items' -> 0 ->> 'n' IN ('x') AND request_parameters ->> 'nothing' IS NULL", &["1"]),
        ("SELECT 1_000 + 1, 1_0", &["1001|10"]),
        // https://trino.io/docs/current/functions/string.html#substr
        ("SELECT substr('arn:aws:iam::111122223333', -12), substring('abc', -2, 1), substr('abc', 0, 2), substr('abc', 2), substring('abc' FROM 2 FOR 1), substring('abcd' FROM 2)", &["111122223333|b||bc|b|bcd"]),
        ("SELECT to_unixtime(TIMESTAMP '2025-03-05 10:00:00.5'), from_unixtime(1741168800.5), hour(from_unixtime(1741168800, 'Asia/Tokyo')), from_unixtime(-1), from_unixtime(NULL)", &["1741168800.5|2025-03-05T10:00:00.500Z|19|1969-12-31T23:59:59Z|-"]),
        ("SELECT countIf(event_name = 'Call1'), uniqExact(event_name), uniq(event_name), list(event_name ORDER BY event_name) FROM events", &["1|2|2|[Call1, Call2]"]),
        ("SELECT array_agg(event_name) WITHIN GROUP (ORDER BY event_name DESC) FROM events", &["[Call2, Call1]"]),
        ("SELECT iff(1 > 2, 'a', 'b'), strftime('%Y', TIMESTAMP '2025-03-05'), list_transform([1, 2], x -> x + 1), zip(ARRAY[1], ARRAY['a'])[1]['2']", &["b|2025|[2, 3]|a"]),
        ("SELECT any_value(x), arbitrary(x) FROM (VALUES (NULL), (1), (2)) AS t(x)", &["1|1"]),
        ("SELECT approx_percentile(x, 0.5), approx_percentile(x, 1, 0.5) FROM (VALUES (1), (2), (3), (10)) AS t(x)", &["2.0|2.0"]),
        ("SELECT try(date_parse('x', '%Y')), try(parse_datetime('x', 'yyyy')), try(date_parse('2025', '%Y'))", &["-|-|2025-01-01T00:00:00Z"]),
        ("SELECT from_iso8601_timestamp('2025-03-05T10:00'), from_iso8601_timestamp('2025-03-05T19:00:00+0900'), from_iso8601_timestamp(x) FROM (SELECT 'x' AS x)", &["2025-03-05T10:00:00Z|2025-03-05T10:00:00Z|-"]),
        ("SELECT (SELECT 1), (SELECT 2)", &["1|2"]),
        ("SELECT 2 AS a, 'x' AS b UNION ALL SELECT 1, 'y' ORDER BY ALL", &["1|y", "2|x"]),
        ("SELECT event_name, count(*) FROM events GROUP BY ALL ORDER BY ALL DESC", &["Call2|1", "Call1|1"]),
    ])
    .await;
}

/// What is compared with a time means the same in every form.
#[tokio::test(flavor = "multi_thread")]
async fn times_are_compared_as_they_are_meant() {
    let after = |time: &str, text: &str| {
        format!("SELECT event_name FROM events WHERE {time} > {text} ORDER BY 1")
    };
    // The calls are of 2026-03-05 16:30 and 2026-03-06 03:30.
    let tokyo = "event_time AT TIME ZONE 'Asia/Tokyo'";
    for time in ["event_time", tokyo] {
        for text in [
            "'2026-03-05T16:30'",
            "'2026-03-05 16:30'",
            "'2026-03-05T16:30:00'",
            "'2026-03-05 16:30:00.000'",
            "'2026-03-05T16:30:00Z'",
            "'2026-03-06T01:30:00+09:00'",
            "'2026-03-05 16:30:00 UTC'",
            "'1772728200'",
            "'1772728200000'",
            "TIMESTAMP '2026-03-05 16:30'",
            "TIMESTAMP '2026-03-06 01:30:00+09:00'",
            "CAST('2026-03-05T16:30' AS TIMESTAMP)",
            "from_unixtime(1772728200)",
            "date_add('minute', 30, TIMESTAMP '2026-03-05 16:00')",
            "DATE '2026-03-06'",
            "'2026-03-06'",
        ] {
            right(&[(&after(time, text), &["Call2"])]).await;
        }
        let between = |from: &str, to: &str| {
            format!("SELECT event_name FROM events WHERE {time} BETWEEN {from} AND {to} ORDER BY 1")
        };
        right(&[
            (&between("'2026-03-05 16:00:00'", "'2026-03-05T17:00'"), &["Call1"]),
            (&between("TIMESTAMP '2026-03-05 16:00'", "TIMESTAMP '2026-03-05 17:00'"), &["Call1"]),
            (&format!("SELECT event_name FROM events WHERE {time} IN ('2026-03-05 16:30:00', '2026-03-05T16:31')"), &["Call1"]),
            (&format!("SELECT event_name FROM events WHERE {time} IN (TIMESTAMP '2026-03-05 16:30:00')"), &["Call1"]),
        ])
        .await;
    }
    right(&[
        ("SELECT count(*) FROM events WHERE event_date >= '2026-03-06' AND event_date < 'now' AND date(event_time) <> '1d'", &["1"]),
        ("SELECT max(event_time) - min(event_time) > INTERVAL '10' HOUR, max(event_time) - min(event_time) > INTERVAL '1' DAY FROM events", &["true|false"]),
        ("SELECT INTERVAL '36' HOUR > INTERVAL '1' DAY, INTERVAL '24' HOUR = INTERVAL '1' DAY, INTERVAL '25' HOUR BETWEEN INTERVAL '1' DAY AND INTERVAL '2' DAY, INTERVAL '1' MONTH < INTERVAL '31' DAY", &["true|true|true|true"]),
        ("SELECT TIMESTAMP '2025-03-05 10:00' - TIMESTAMP '2025-03-01 09:00' > INTERVAL '4' DAY", &["true"]),
        (
            &format!("SELECT event_name FROM events WHERE {tokyo} > (SELECT '2026-03-05 16:30:00') AND {tokyo} > concat('2026-03-05', ' 16:30:00')"),
            &["Call2"],
        ),
        (
            &format!("SELECT count(*) FROM (SELECT {tokyo} AS t FROM events) WHERE t IN (SELECT CAST(event_time AS TIMESTAMP) FROM events)"),
            &["2"],
        ),
        // Differences of the same moment, and days where the clock is.
        ("SELECT (TIMESTAMP '2025-03-05 10:00' AT TIME ZONE 'Asia/Tokyo') - TIMESTAMP '2025-03-05 10:00' = INTERVAL '0' HOUR", &["true"]),
        (
            "SELECT t, hour(t) FROM (SELECT date_bin(INTERVAL '1' DAY, TIMESTAMP '2025-03-09 23:30' AT TIME ZONE 'Asia/Tokyo') AS t)",
            &["2025-03-10T00:00:00+09:00|0"],
        ),
        ("SELECT INTERVAL '24' HOUR IN (INTERVAL '1' DAY, INTERVAL '2' DAY)", &["true"]),
        ("SELECT TRY_CAST('2025-02-30' AS TIMESTAMP), TRY_CAST('2025-03-01 10:00' AS TIMESTAMP)", &["-|2025-03-01T10:00:00"]),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_numbers_never_wrap_round() {
    let too_large = |sign: &str| {
        format!(
            "a whole number does not fit into 64 bits: the result of {sign}; for larger ones write CAST(… AS DOUBLE)"
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
        ("SELECT CAST(2147483647 AS INT) + CAST(1 AS INT)", &["a whole number does not fit into 32 bits: the result of +; for larger ones write CAST(… AS DOUBLE)"]),
        (&format!("SELECT CAST(sum(x) AS VARCHAR) LIKE '9223%' FROM {largest}"), &["the sum does not fit into 64 bits: 9223372036854775808; for larger ones write sum(CAST(… AS DOUBLE))"]),
        (&format!("SELECT sum(x) OVER (ORDER BY x) FROM {largest}"), &["the sum does not fit into 64 bits: 9223372036854775808; for larger ones write sum(CAST(… AS DOUBLE))"]),
        ("SELECT 1 << 64", &["a shift is by 0 to 63 bits, not more or less"]),
        ("SELECT 1 << -1", &["a shift is by 0 to 63 bits, not more or less"]),
        ("SELECT -1 >> 64", &["a shift is by 0 to 63 bits, not more or less"]),
        ("SELECT 1 << 63", &["a whole number does not fit into 64 bits: the result of <<"]),
        ("SELECT CAST(1 AS INT) << CAST(31 AS INT)", &["a whole number does not fit into 32 bits: the result of <<"]),
        (&format!("SELECT x << 1 FROM {largest}"), &["a whole number does not fit into 64 bits: the result of <<"]),
        ("SELECT 1 << 62, -1 << 63, 1 << 0, -8 >> 1, 8 >> 3, 1 >> 63, (1 << 3) + 1, NULL << 1", &["4611686018427387904|-9223372036854775808|1|-4|1|0|9|-"]),
        // https://trino.io/docs/current/functions/conversion.html: halves are rounded away from zero.
        ("SELECT CAST(1.5 AS INTEGER), CAST(-2.5 AS BIGINT), TRY_CAST(2.4 AS INT), CAST(1.25e1 AS BIGINT), CAST('12' AS INT)", &["2|-3|2|13|12"]),
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
