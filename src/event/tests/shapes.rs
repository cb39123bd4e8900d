//! Damaged log files, and records in other shapes.

use super::*;

/// One bad spot costs one record, and what it costs is kept.
#[test]
fn one_bad_spot_costs_one_record() {
    let deep = format!(
        "{{\"eventName\":\"X\",\"a\":{}1{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    for (bad, reason) in [
        (deep.as_str(), "nested deeper than 128 levels"),
        (r#"{"eventName":"X","a":NaN}"#, "broken JSON at byte"),
        ("{\"eventName\":\"a\0b\"}", "broken JSON at byte"),
        (r#"{"eventName":"X",}"#, "broken JSON at byte"),
        (r#"{"eventName":"X","a":[1,2}"#, "broken JSON at byte"),
        (r#"{"eventName":'X'}"#, "broken JSON at byte"),
        ("NaN", "broken JSON at byte"),
        ("nul", "broken JSON at byte"),
    ] {
        for text in [
            format!(r#"{{"Records":[{EVENT},{bad},{EVENT}]}}"#),
            format!(r#"{{"NextToken":null,"Events":[{EVENT} , {bad} , {EVENT}],"x":{{}}}}"#),
            format!("[{EVENT},{bad},\n{EVENT}]"),
            format!(r#"{{"meta":{{"a":[1]}},"Records":[{EVENT},{bad},{EVENT}]}}"#),
        ] {
            let (decoded, batch) = decode(text.as_bytes());
            assert_eq!(decoded.outcome, Outcome::Read, "{text}");
            assert_eq!((decoded.records, batch.num_rows()), (3, 2), "{text}");
            let reject = &decoded.rejects[0];
            assert_eq!((reject.record, reject.text.as_str()), (1, bad));
            assert!(reject.reason.contains(reason), "{}", reject.reason);
        }
    }
    // Where nothing is lost, nothing is rejected.
    for text in [
        format!("[{EVENT},{EVENT},]"),
        format!("[{EVENT},,{EVENT}]"),
        format!("[{EVENT} {EVENT}]"),
    ] {
        let (decoded, batch) = decode(text.as_bytes());
        assert_eq!((decoded.rejects.len(), batch.num_rows()), (0, 2), "{text}");
        assert!(
            decoded
                .remark
                .is_some_and(|remark| remark.contains("comma"))
        );
    }
}

/// What breaks off is rejected, and what came before is kept.
#[test]
fn a_file_that_breaks_off_keeps_its_events() {
    let many = format!("{{\"Records\":[{}]}}", vec![EVENT; 2_000].join(","));
    let whole = gzip(many.as_bytes());
    let (decoded, batch) = decode(&whole[..whole.len() / 2]);
    let Outcome::Rejected(fault @ FileFault::CutGzip { .. }) = &decoded.outcome else {
        panic!("{:?}", decoded.outcome);
    };
    assert!(fault.to_string().contains("the rest is missing"), "{fault}");
    assert!(batch.num_rows() > 100 && batch.num_rows() < 2_000);
    let rejects = decoded.rejects.len() as u64;
    assert!(rejects <= 1);
    assert_eq!(decoded.records, batch.num_rows() as u64 + rejects);
    for (text, rows, rest) in [
        (format!(r#"{{"Records":[{EVENT},{EVENT}"#), 2, None),
        (format!(r#"{{"Records":[{EVENT},{EVENT},"#), 2, None),
        (
            format!(r#"{{"Records":[{EVENT},{{"eventName":"cu"#),
            1,
            Some(r#"{"eventName":"cu"#),
        ),
        (format!(r#"{{"Records":[{EVENT},<html>"#), 1, Some("<html>")),
        (format!(r#"{{"Records":[{EVENT}],"x":"#), 1, None),
    ] {
        let (decoded, batch) = decode(text.as_bytes());
        assert!(matches!(decoded.outcome, Outcome::Rejected(_)), "{text}");
        assert_eq!(batch.num_rows(), rows, "{text}");
        assert_eq!(
            decoded.rejects.first().map(|reject| reject.text.as_str()),
            rest
        );
        assert_eq!(decoded.summary.first, Some(1_741_141_051_000_000));
    }
}

#[test]
fn utf16_is_read() {
    for text in [
        format!("{{\"Records\":[{EVENT}]}}\r\n"),
        format!("{EVENT}\r\n{EVENT}\r\n"),
    ] {
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &wide].concat();
        let expected = decode(text.as_bytes()).1.num_rows();
        for bytes in [wide, marked.clone(), gzip(&marked)] {
            let (decoded, batch) = decode(&bytes);
            assert_eq!(
                (decoded.outcome, batch.num_rows()),
                (Outcome::Read, expected)
            );
        }
    }
}

#[test]
fn archives_are_read_in_place_with_the_names_of_their_files() {
    let log = format!(r#"{{"Records":[{EVENT},{EVENT}]}}"#);
    let packed = gzip(log.as_bytes());
    let files: [(&str, &[u8]); 3] = [
        ("a/one.json", log.as_bytes()),
        ("a/two.json.gz", &packed),
        ("notes.txt", b"see <mail>"),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("in memory");
        std::io::Write::write_all(&mut zip, content).expect("in memory");
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content)
            .expect("in memory");
    }
    let zip = zip.finish().expect("in memory").into_inner();
    let tar = tar.into_inner().expect("in memory");
    let zstd = zstd::encode_all(&tar[..], 3).expect("in memory");
    for bytes in [zip, gzip(&tar), zstd, tar] {
        let (decoded, batch) = decode(&bytes);
        assert_eq!(decoded.outcome, Outcome::Read);
        assert_eq!(
            (batch.num_rows(), decoded.records, decoded.rejects.len()),
            (4, 5, 1)
        );
        let names = texts(&batch, Field::LogFile);
        assert_eq!(names[0].as_deref(), Some("file/a/one.json"));
        assert_eq!(names[3].as_deref(), Some("file/a/two.json.gz"));
        assert!(decoded.rejects[0].reason.starts_with("notes.txt: "));
    }
    let single = zstd::encode_all(log.as_bytes(), 3).expect("in memory");
    assert_eq!(decode(&single).1.num_rows(), 2);
}

/// What queues, log services and SIEMs make of a record.
#[test]
fn wrapped_records_are_read() {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let quoted = |text: &str| serde_json::to_string(text).expect("string");
    let text = quoted(EVENT);
    let sns = format!(
        r#"{{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:x","Message":{text}}}"#
    );
    let bridge = format!(
        r#"{{"version":"0","source":"aws.s3","detail-type":"AWS API Call via CloudTrail","time":"2020-01-01T00:00:00Z","detail":{EVENT}}}"#
    );
    let logs = format!(
        r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","timestamp":1,"message":{text}}}]}}"#
    );
    for wrapped in [
        format!("[{text}]"),
        format!("{EVENT}\t{EVENT}").replacen(&format!("\t{EVENT}"), "", 1),
        text.clone(),
        format!(r#"{{"QueryStatus":"FINISHED","QueryResultRows":[[{{"eventJson":{text}}}]]}}"#),
        format!(
            r#"{{"results":[[{{"field":"@timestamp","value":"2020-01-01 00:00:00.000"}},{{"field":"@message","value":{text}}},{{"field":"@ptr","value":"p"}}]],"status":"Complete"}}"#
        ),
        format!(r#"{{"preview":false,"result":{{"_raw":{text},"_time":"2020-01-01"}}}}"#),
        format!(
            r#"{{"_index":"logs-aws","_id":"1","_source":{{"@timestamp":"2020-01-01T00:00:00Z","event":{{"action":"GetObject","original":{text}}},"aws":{{"cloudtrail":{{}}}}}}}}"#
        ),
        format!(
            r#"{{"took":1,"hits":{{"total":{{"value":1}},"hits":[{{"_source":{{"message":{text}}}}}]}}}}"#
        ),
        format!(r#"{{"@timestamp":"2020-01-01T00:00:00Z","@version":"1","message":{text}}}"#),
        format!(
            r#"{{"timestamp":"2020-01-01","rule":{{"id":"80202"}},"data":{{"integration":"aws","aws":{EVENT}}}}}"#
        ),
        sns.clone(),
        format!(
            r#"{{"Messages":[{{"MessageId":"1","ReceiptHandle":"r","Body":{}}}]}}"#,
            quoted(&sns)
        ),
        format!(
            r#"{{"Records":[{{"messageId":"1","receiptHandle":"r","eventSource":"aws:sqs","body":{}}}]}}"#,
            quoted(&bridge)
        ),
        format!(
            r#"{{"Records":[{{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"a","Sns":{{"Message":{text}}}}}]}}"#
        ),
        format!(
            r#"{{"Records":[{{"eventSource":"aws:kinesis","eventName":"aws:kinesis:record","kinesis":{{"data":"{}"}}}}]}}"#,
            base64(&gzip(logs.as_bytes()))
        ),
        format!(
            r#"{{"records":[{{"recordId":"1","data":"{}"}}]}}"#,
            base64(EVENT.as_bytes())
        ),
        format!(
            r#"{{"awslogs":{{"data":"{}"}}}}"#,
            base64(&gzip(logs.as_bytes()))
        ),
        format!("\u{1e}{EVENT}\n"),
    ] {
        let (decoded, batch) = decode(wrapped.as_bytes());
        assert_eq!(decoded.outcome, Outcome::Read, "{wrapped}");
        assert_eq!(
            (decoded.records, decoded.rejects.len(), batch.num_rows()),
            (1, 0, 1),
            "{wrapped}"
        );
        let keys = batch.column_by_name("event_time").expect("column");
        let times = keys.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
        // The record's own time, not the wrapper's.
        assert_eq!(times.value(0), 1_741_141_051_000_000, "{wrapped}");
    }
}

/// Exports of tables: CSV and JSON, with whole records or a column for each field.
#[test]
fn exports_are_read() {
    let whole = EVENT.replace('"', "\"\"");
    let columns =
        "eventversion,useridentity,eventtime,eventsource,eventname,requestparameters,eventid";
    let identity = "{type=IAMUser, principalid=AIDA, accesskeyid=AKIAIOSFODNN7EXAMPLE, username=a=b, sessioncontext=null}";
    let id = "1e4b8c0a-0000-4000-a000-000000000001";
    let row = format!(
        "1.11,\"{identity}\",2025-03-05T02:17:31Z,s3.amazonaws.com,GetObject,\"{{\"\"bucketName\"\":\"\"b\"\"}}\",{id}"
    );
    let lake = format!(
        r#"{{"QueryResultRows":[[{{"eventTime":"2025-03-05 02:17:31.000"}},{{"eventSource":"s3.amazonaws.com"}},{{"eventName":"GetObject"}},{{"userIdentity":"{identity}"}},{{"requestParameters":"{{\"bucketName\":\"b\"}}"}},{{"eventID":"{id}"}}]]}}"#
    );
    let unloaded = format!(
        r#"{{"useridentity":{{"type":"IAMUser","accesskeyid":"AKIAIOSFODNN7EXAMPLE","username":"a=b"}},"eventtime":"2025-03-05T02:17:31Z","eventsource":"s3.amazonaws.com","eventname":"GetObject","requestparameters":"{{\"bucketName\":\"b\"}}","eventid":"{id}","errorcode":null}}"#
    );
    for text in [
        format!("{columns}\n{row}\n"),
        format!("\u{feff}{columns}\r\n{row}\r\n"),
        format!("{}\n{row}\n", columns.to_uppercase()),
        lake,
        unloaded,
    ] {
        let (decoded, batch) = decode(text.as_bytes());
        assert_eq!(decoded.outcome, Outcome::Read, "{text}");
        assert_eq!((decoded.records, decoded.rejects.len()), (1, 0), "{text}");
        for (field, value) in [
            (Field::EventName, "GetObject"),
            (Field::AccessKeyId, "AKIAIOSFODNN7EXAMPLE"),
            (Field::UserIdentityUserName, "a=b"),
            (Field::RequestParameters, r#"{"bucketName":"b"}"#),
            (Field::EventId, id),
        ] {
            assert_eq!(texts(&batch, field)[0].as_deref(), Some(value), "{text}");
        }
        let null = batch.column_by_name("error_code").expect("column");
        assert!(null.is_null(0));
    }
    for header in [
        "eventJson",
        "@timestamp,@message",
        "CloudTrailEvent",
        "_raw",
    ] {
        let time = header
            .contains("@timestamp")
            .then_some("2020-01-01 00:00:00.000,");
        let text = format!("{header}\n{}\"{whole}\"\n", time.unwrap_or_default());
        let (decoded, batch) = decode(text.as_bytes());
        assert_eq!(
            (decoded.outcome, batch.num_rows()),
            (Outcome::Read, 1),
            "{text}"
        );
    }
}
