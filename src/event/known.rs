//! Files that are no log files of CloudTrail, by how they begin.
//!
//! In: the first bytes of a file, or of its text. Out: what it is. Promise: only beginnings that AWS or the format's own
//! specification documents; a file that merely looks unusual is read.

/// How files in other formats begin.
const FORMATS: &[(&[u8], &str)] = &[
    (b"\xff\xfe\0\0", "text in UTF-32"),
    (b"\0\0\xfe\xff", "text in UTF-32"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3", "a SQLite database"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"LZIP", "lzip data"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy data"),
    (b"\x1f\x9d", "data of compress (.Z)"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "an ELF program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a Microsoft Office document",
    ),
    (b"ElfFile\0", "a Windows event log"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"\0\x05\x16\x07", "metadata of macOS (AppleDouble)"),
    (b"\0\0\0\x01Bud1", "metadata of macOS (.DS_Store)"),
    (b"-----BEGIN PGP", "PGP-encrypted data"),
    (b"age-encryption.org", "age-encrypted data"),
];

/// The name of a well-known format that is neither compressed text nor text.
pub(super) fn format(bytes: &[u8]) -> Option<&'static str> {
    let known = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic));
    let program = bytes.starts_with(b"MZ") && bytes.iter().take(256).any(|byte| *byte == 0);
    known
        .map(|(_, name)| *name)
        .or(program.then_some("a Windows program"))
}

/// A text that is no log of CloudTrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The log of another service: it has no events.
    Foreign(&'static str),
    /// Something with events that cannot be read from it: what it is, and what to do instead.
    Refused(&'static str, &'static str),
}

/// How much of a text is looked at.
const LOOK: usize = 4 << 10;

/// What a text is, if its first lines tell.
pub(super) fn text(text: &[u8]) -> Option<Known> {
    if text.get(257..262) == Some(b"ustar") {
        let instead = "rename it to .tar.gz";
        return Some(Known::Refused(
            "a tar archive with the name of a log file",
            instead,
        ));
    }
    let start = text.get(..text.len().min(LOOK)).unwrap_or_default();
    let start = String::from_utf8_lossy(start);
    let start = start.trim_start();
    if start.starts_with(['{', '[']) {
        return None;
    }
    let mut lines = start.lines();
    let first = lines.next()?.trim_end();
    let second = lines.next().unwrap_or_default();
    markup(first)
        .or_else(|| printed(first, second))
        .or_else(|| table(first))
        .or_else(|| foreign(first))
}

fn markup(first: &str) -> Option<Known> {
    let begins = |tag: &str| {
        let start = first.get(..tag.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    if begins("<!doctype html") || begins("<html") {
        let instead = "not a log file; was it saved from a page that asks to sign in?";
        return Some(Known::Refused("an HTML page", instead));
    }
    let instead = "not a log file; S3 also answers with XML when a download fails";
    (begins("<?xml") || begins("<Error>")).then_some(Known::Refused("XML", instead))
}

/// What the AWS CLI prints in other formats than JSON.
fn printed(first: &str, second: &str) -> Option<Known> {
    let instead = "repeat the command with --output json";
    let yaml = ["Events:", "- Events:", "- CloudTrailEvent:", "NextToken:"];
    if yaml.iter().any(|start| first.starts_with(start)) {
        return Some(Known::Refused("YAML output of the AWS CLI", instead));
    }
    let rule = first.len() > 10 && first.bytes().all(|byte| b"-+".contains(&byte));
    (rule && second.starts_with('|'))
        .then_some(Known::Refused("table output of the AWS CLI", instead))
}

/// Tables without whole records, by their columns.
fn table(first: &str) -> Option<Known> {
    let columns = first.trim_start_matches('\u{feff}').split([',', '\t', ';']);
    let columns: Vec<&str> = columns.map(|name| name.trim().trim_matches('"')).collect();
    let has = |wanted: &str| columns.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html
    if has("Event name") && has("Event time") {
        return Some(Known::Refused(
            "a CSV file of the console's Event history, without whole records",
            "choose Download events as JSON, or use aws cloudtrail lookup-events",
        ));
    }
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    (has("user") && has("arn") && has("access_key_1_active")).then_some(Known::Refused(
        "a credential report of IAM, not a log",
        "give it with --credential-report",
    ))
}

/// Logs of other services, as their pages show them.
fn foreign(first: &str) -> Option<Known> {
    let words: Vec<&str> = first.split_ascii_whitespace().take(12).collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let is_time = |text: &str| {
        text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z')
    };
    // https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
    if words.contains(&"interface-id") && words.contains(&"srcaddr")
        || word(2).starts_with("eni-") && word(0).bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some(Known::Foreign("VPC flow logs"));
    }
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
    if first.starts_with("#Version:") || first.starts_with("#Fields:") {
        return Some(Known::Foreign("access logs of CloudFront"));
    }
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
    if word(0).len() == 64
        && word(0).bytes().all(|byte| byte.is_ascii_hexdigit())
        && word(2).starts_with('[')
    {
        return Some(Known::Foreign("server access logs of S3"));
    }
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    let kind = ["http", "https", "h2", "grpcs", "ws", "wss"].contains(&word(0));
    if kind && is_time(word(1)) || word(0) == "tls" && word(2).len() == 19 {
        return Some(Known::Foreign("access logs of a load balancer"));
    }
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
    let address = |text: &str| text.contains(':') && text.bytes().any(|byte| byte == b'.');
    (is_time(word(0)) && address(word(2)) && first.contains('"') && !first.contains('{'))
        .then_some(Known::Foreign("access logs of a load balancer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_log_of_cloudtrail_is_called_by_its_name() {
        let owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
        for (start, name) in [
            ("2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK".to_owned(), "VPC flow logs"),
            ("version account-id interface-id srcaddr dstaddr".to_owned(), "VPC flow logs"),
            (format!("{owner} amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3"), "server access logs of S3"),
            ("https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817".to_owned(), "access logs of a load balancer"),
            ("tls 2.0 2018-12-20T02:59:40 net/network-loadbalancer/c6e77e28c25b2234".to_owned(), "access logs of a load balancer"),
            ("2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 \"GET http://www.example.com:80/ HTTP/1.1\"".to_owned(), "access logs of a load balancer"),
            ("#Version: 1.0\n#Fields: date time x-edge-location".to_owned(), "access logs of CloudFront"),
        ] {
            assert_eq!(text(start.as_bytes()), Some(Known::Foreign(name)), "{start}");
        }
        for (start, name) in [
            ("<?xml version=\"1.0\"?><Error/>", "XML"),
            ("<!DOCTYPE html>", "an HTML page"),
            ("Events:\n- AccessKeyId: AKIA", "YAML output of the AWS CLI"),
            (
                "-------------------\n|  LookupEvents  |",
                "table output of the AWS CLI",
            ),
            (
                "Event name,Event time,User name",
                "a CSV file of the console's Event history, without whole records",
            ),
            (
                "user,arn,user_creation_time,access_key_1_active",
                "a credential report of IAM, not a log",
            ),
        ] {
            assert!(
                matches!(text(start.as_bytes()), Some(Known::Refused(found, _)) if found == name),
                "{start}"
            );
        }
        for log in [
            "{\"Records\":[]}",
            "eventname,eventtime\n",
            "2026-10-01T10:00:05.123Z {\"eventName\":\"x\"}",
            "EVENTS\tAKIA\t{}",
            "",
        ] {
            assert_eq!(text(log.as_bytes()), None, "{log}");
        }
        assert_eq!(format(b"Rar!\x1a\x07\x01\0"), Some("a RAR archive"));
        assert_eq!(format(b"MZ is a text"), None);
        assert_eq!(format(b"{}"), None);
    }
}
