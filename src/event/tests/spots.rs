//! Bad spots that hide nothing, and what is refused by name.

use super::*;

/// A spot that is no JSON costs its line or its record, wherever it stands.
#[test]
fn one_bad_spot_hides_nothing() {
    let deep = format!(
        "{{\"eventName\":\"X\",\"a\":{}1{}}}",
        "{\"a\":".repeat(200),
        "}".repeat(200)
    );
    let versioned = EVENT.replacen('{', r#"{"eventVersion":"1.11","#, 1);
    let torn = versioned.replacen("GetObject\"", "GetObject", 1);
    for (text, rows, rejected) in [
        (format!("{EVENT}\noops\n{EVENT}\n"), 2, 1),
        (format!("oops\n\n# more\n{EVENT}\n{EVENT}"), 2, 2),
        (format!("{EVENT}\n<html>\nnull\n42\n{EVENT}"), 2, 3),
        (
            format!(
                "2025-03-05T02:18:00.000Z {EVENT}\nSTART RequestId: 1\n2025-03-05T02:18:00.000Z {EVENT}\n"
            ),
            2,
            1,
        ),
        (format!("{EVENT}\t{deep}\t{EVENT}\t{EVENT}\n"), 3, 1),
        (format!("{EVENT}\t{{\"a\":NaN}}\t{EVENT}\n"), 2, 1),
        (format!("{EVENT}\n{{\"a\":\"x}}\n{EVENT}\n"), 2, 1),
        (
            format!("{EVENT}\n{{\"a\":\"x\"y\",\"b\":\"}}\",\"c\":1}}\n{EVENT}\n"),
            2,
            1,
        ),
        (format!(r#"{{"x":NaN,"Records":[{EVENT},{EVENT}]}}"#), 2, 0),
        (
            format!(r#"{{"x":[NaN,{{}}],"y":'a',"Records":[{EVENT}]}}"#),
            1,
            0,
        ),
        (
            format!(r#"{{"Records":[{EVENT}],"Records":[{EVENT}]}}"#),
            2,
            0,
        ),
        (
            format!(r#"{{"Records":[{EVENT}],"x":NaN,"\u0052ecords":[{EVENT}]}}"#),
            2,
            1,
        ),
        (
            format!(r#"{{"a":{{}},"Records":[{EVENT}],"Records":[{EVENT}],"Events":[{EVENT}]}}"#),
            3,
            0,
        ),
        (
            format!("{{\"Records\":[{EVENT}}}\n{{\"Records\":[{EVENT}]}}"),
            2,
            0,
        ),
        (
            format!("{{\"Records\":[{EVENT}],\"x\":NaN}}\n{{\"Records\":[{EVENT}]}}"),
            2,
            1,
        ),
        (
            format!(r#"{{"Records":[{versioned},{torn},{versioned},{versioned}]}}"#),
            3,
            1,
        ),
        (
            format!(
                "{{\"Records\": [\n {versioned},\n {torn},\n {{\n  {},\n {versioned}\n]}}",
                &versioned[1..]
            ),
            3,
            1,
        ),
        (
            format!(
                "EVENTS\tAKIA\t{EVENT}\t1e4b\tGetObject\nRESOURCES\tb\tAWS::S3::Bucket\nEVENTS\tNone\t{EVENT}\t1e4c\nNEXTTOKEN\tx\n"
            ),
            2,
            0,
        ),
        (format!("Mar  5 02:18:00 host app[1]: {EVENT}\n"), 1, 0),
        (format!("{EVENT}\nnull\n42\ntrue\n{EVENT}"), 2, 3),
        (
            format!(r#"{{"a":{{}},"digestS3Object":"x","Records":[{EVENT}]}}"#),
            1,
            0,
        ),
        (
            format!(r#"{{"a":{{}},"detail":{EVENT},"Records":[{EVENT}]}}"#),
            2,
            0,
        ),
    ] {
        let (decoded, batch) = decode(text.as_bytes());
        assert_eq!(decoded.outcome, Outcome::Read, "{text}");
        assert_eq!(
            (batch.num_rows(), decoded.rejects.len()),
            (rows, rejected),
            "{text}: {:?}",
            decoded.rejects
        );
        assert_eq!(decoded.records, (rows + rejected) as u64);
    }
    // What is no log at all is not a log of bad lines.
    for text in [
        "hello\nworld\n",
        "a\0b",
        &"x\n".repeat(5_000),
        "A licence\n\"Licensor\" shall mean\n[yyyy] the owner\n1\n",
    ] {
        let outcome = decode(text.as_bytes()).0.outcome;
        assert_eq!(outcome, Outcome::Rejected(FileFault::NotJson), "{text:.20}");
    }
}

/// A member of several, or bytes after the last, that are damaged cost no more than themselves, and are told.
#[test]
fn damage_between_members_is_told() {
    let one = gzip(format!("{EVENT}\n").as_bytes());
    let mut damaged = one.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let mut no_gzip = one.clone();
    no_gzip[0] = 0;
    for (bytes, rows) in [
        ([&one[..], &damaged, &one].concat(), 2),
        ([&damaged[..], &one].concat(), 1),
        ([&one[..], &no_gzip].concat(), 1),
        ([&one[..], b"{\"eventName\":\"hidden\"}"].concat(), 1),
        ([&one[..], &one[..one.len() / 2]].concat(), 1),
    ] {
        let (decoded, batch) = decode(&bytes);
        let Outcome::Rejected(fault) = &decoded.outcome else {
            panic!("{:?}", decoded.outcome);
        };
        assert!(fault.to_string().contains("missing"), "{fault}");
        assert_eq!(batch.num_rows(), rows, "{fault}");
    }
}

#[test]
fn a_stray_quote_in_a_table_costs_its_line() {
    let row = |n: u32| format!("2025-03-05T02:17:31Z,s3.amazonaws.com,GetObject,{n}");
    let text = format!(
        "eventtime,eventsource,eventname,eventid\n{}\n\"{}\n{}\n{},more\n\n{}\n",
        row(1),
        row(2),
        row(3),
        row(4),
        row(5)
    );
    let (decoded, batch) = decode(text.as_bytes());
    assert_eq!(
        (decoded.outcome, batch.num_rows(), decoded.rejects.len()),
        (Outcome::Read, 3, 2)
    );
    assert_eq!(decoded.rejects[0].text, format!("\"{}", row(2)));
    assert!(decoded.rejects[1].reason.contains("5 fields for 4 columns"));
}

#[test]
fn what_other_commands_print_is_read() {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let cell = |text: &str| serde_json::json!({ "VarCharValue": text });
    let header = [
        "eventtime",
        "eventsource",
        "eventname",
        "useridentity",
        "errorcode",
    ];
    let values = [
        "2025-03-05T02:17:31Z",
        "s3.amazonaws.com",
        "GetObject",
        "{type=IAMUser, accesskeyid=AKIAIOSFODNN7EXAMPLE}",
    ];
    let named = serde_json::json!({ "Data": header.map(cell) });
    let mut cells = values.map(cell).to_vec();
    cells.push(serde_json::json!({}));
    let row = serde_json::json!({ "Data": cells });
    let columns = header.map(|name| serde_json::json!({"Name": name, "Type": "varchar"}));
    let metadata = serde_json::json!({ "ColumnInfo": columns });
    for (text, rows) in [
        (
            serde_json::json!({"UpdateCount": 0, "ResultSet": {"Rows": [named, row], "ResultSetMetadata": metadata}}),
            1,
        ),
        // The second page has no header.
        (
            serde_json::json!({"ResultSet": {"Rows": [row, row], "ResultSetMetadata": metadata}}),
            2,
        ),
        (serde_json::json!([named, row, row]), 2),
        // Of several pages or shards, only the data.
        (
            serde_json::json!([base64(EVENT.as_bytes()), base64(&gzip(EVENT.as_bytes()))]),
            2,
        ),
        (
            serde_json::json!({"Records": [
                {"SequenceNumber": "1", "Data": base64(EVENT.as_bytes()), "PartitionKey": "p"},
                {"SequenceNumber": "2", "Data": base64(&gzip(format!("[{EVENT}]").as_bytes())), "PartitionKey": "p"},
                {"SequenceNumber": "3", "Data": base64(format!("\n [ {EVENT} ]").as_bytes()), "PartitionKey": "p"},
            ], "NextShardIterator": "x"}),
            3,
        ),
        (
            serde_json::json!([{"_index": "x", "_source": {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-03-05T02:17:31Z"}},
                {"_index": "x", "_source": {"message": EVENT}}]),
            2,
        ),
    ] {
        let (decoded, batch) = decode(text.to_string().as_bytes());
        assert_eq!(
            decoded.outcome,
            Outcome::Read,
            "{text}: {:?}",
            decoded.rejects
        );
        assert_eq!(
            (batch.num_rows(), decoded.rejects.len()),
            (rows, 0),
            "{text}"
        );
        let names = texts(&batch, Field::EventName);
        assert!(
            names
                .iter()
                .all(|name| name.as_deref() == Some("GetObject"))
        );
    }
    let lines = format!(
        "{}\n{}\t{}\n",
        base64(&gzip(EVENT.as_bytes())),
        base64(EVENT.as_bytes()),
        base64(&gzip(EVENT.as_bytes()))
    );
    let (decoded, batch) = decode(lines.as_bytes());
    assert_eq!((decoded.outcome, batch.num_rows()), (Outcome::Read, 3));
    // A row that does not fit its columns is rejected.
    let torn = serde_json::json!([named, {"Data": [cell("x")]}, row]);
    let (decoded, batch) = decode(torn.to_string().as_bytes());
    assert_eq!((batch.num_rows(), decoded.rejects.len()), (1, 1));
    assert!(decoded.rejects[0].reason.contains("1 values for 5 columns"));
}

#[test]
fn what_cannot_be_read_is_called_by_its_name() {
    for (text, name) in [
        (
            r#"{"schemaVersion":"2.0","severity":8,"type":"Recon:EC2/PortProbe"}"#,
            "findings of GuardDuty or Security Hub",
        ),
        (
            r#"{"Findings":[{"SchemaVersion":"2.0"}]}"#,
            "findings of GuardDuty or Security Hub",
        ),
        (
            r#"{"timestamp":1,"formatVersion":1,"webaclId":"arn"}"#,
            "logs of AWS WAF",
        ),
        (
            "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1 2 ACCEPT OK\n",
            "VPC flow logs",
        ),
        (
            "#Version: 1.0\n#Fields: date time\n",
            "access logs of CloudFront",
        ),
    ] {
        assert_eq!(
            decode(text.as_bytes()).0.outcome,
            Outcome::Skipped(name.to_owned())
        );
    }
    for (text, reason) in [
        (
            "Event name,Event time,User name\nX,2025,a\n",
            "Event history",
        ),
        ("Events:\n- CloudTrailEvent: '{}'\n", "--output json"),
        ("-----------------\n|  LookupEvents |\n", "--output json"),
        (
            "user,arn,access_key_1_active\na,b,true\n",
            "--credential-report",
        ),
        (
            r#"{"Content":"eA==","ReportFormat":"text/csv"}"#,
            "--credential-report",
        ),
        (
            r#"[{"_source":{"event":{"action":"X"},"aws":{"cloudtrail":{"event_version":"1.08"}}}}]"#,
            "event.original",
        ),
        ("Rar!\u{1a}\u{7}", "a RAR archive"),
        ("%PDF-1.7", "a PDF document"),
        ("\u{7f}ELF", "an ELF program"),
        ("<?xml version=\"1.0\"?>", "XML"),
        ("<html>", "an HTML page"),
    ] {
        match decode(text.as_bytes()).0.outcome {
            Outcome::Rejected(fault) => assert!(fault.to_string().contains(reason), "{fault}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let mut broken = zstd::encode_all(EVENT.repeat(100).as_bytes(), 3).expect("in memory");
    broken[6] ^= 0xff;
    let Outcome::Rejected(fault) = decode(&broken).0.outcome else {
        panic!("read");
    };
    assert!(
        fault.to_string().starts_with("broken Zstandard data"),
        "{fault}"
    );
}

/// Where no record can be read, there is no log file that was read, and the records are kept.
#[test]
fn a_log_file_of_rejected_records_is_rejected() {
    let (decoded, batch) = decode(br#"{"Records":[{"eventName":"X","eventTime":"soon"},7]}"#);
    let Outcome::Rejected(fault) = &decoded.outcome else {
        panic!("{:?}", decoded.outcome);
    };
    assert!(
        fault
            .to_string()
            .starts_with("none of its 2 records can be read; the first: "),
        "{fault}"
    );
    assert_eq!(
        (batch.num_rows(), decoded.rejects.len(), decoded.records),
        (0, 2, 2)
    );
}

/// Each file of an archive that cannot be read is named, and documents are no loss.
#[test]
fn every_bad_file_of_an_archive_is_named() {
    let log = format!(r#"{{"Records":[{EVENT}]}}"#);
    let files: [(&str, &[u8]); 6] = [
        ("a.json", log.as_bytes()),
        ("b.json", b"\x1f\x8b\x08\0oops"),
        ("README.md", b"# no log"),
        (".git/config", b"[core]"),
        ("c.json", b"PAR1"),
        ("d.json", log.as_bytes()),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("in memory");
        std::io::Write::write_all(&mut zip, content).expect("in memory");
    }
    let zip = zip.finish().expect("in memory").into_inner();
    let (decoded, batch) = decode(&zip);
    assert_eq!((decoded.outcome, batch.num_rows()), (Outcome::Read, 2));
    let reasons: Vec<&str> = decoded
        .rejects
        .iter()
        .map(|it| it.reason.as_str())
        .collect();
    assert!(
        reasons[0].starts_with("b.json: ") && reasons[1].starts_with("c.json: "),
        "{reasons:?}"
    );
    assert_eq!(reasons.len(), 2);
    let remark = decoded.remark.expect("said");
    assert!(
        remark.contains("passed over 2 of its files") && remark.contains("README.md"),
        "{remark}"
    );
    // Without its end, the files before the cut are read.
    let (decoded, batch) = decode(&zip[..zip.len() - 40]);
    assert_eq!(batch.num_rows(), 2);
    assert!(matches!(
        decoded.outcome,
        Outcome::Rejected(FileFault::Archive(_))
    ));
}
