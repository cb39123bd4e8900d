//! Limits: nothing small takes the machine, and what is only large can be let in. `docs/reliability.md` has them all.

use crate::program::{assert_adds_up, json, number, ran};
use crate::trail::{gzip, record, write};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::{self, Read};
use tempfile::TempDir;

/// Ingests the folder's trail into its lake.
fn ingest(home: &TempDir, options: &[&str], exit_code: i32) -> Value {
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (trail, lake) = (path("trail"), path("lake"));
    let args = [&["ingest", &trail, "--lake", &lake], options].concat();
    let summary = json(&args, exit_code);
    assert_adds_up(&summary);
    summary
}

fn reason(summary: &Value) -> &str {
    summary["rejected"][0]["reason"].as_str().unwrap()
}

#[test]
fn a_decompression_bomb_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut io::repeat(b' ').take(64 << 20), &mut bomb).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    write(home.path(), "trail/bomb.json.gz", &bomb);
    write(home.path(), "trail/sound.json.gz", &gzip(&record(1)));

    let summary = ingest(&home, &["--max-log-file-size", "1MiB"], 3);
    assert_eq!(
        reason(&summary),
        "more than 1048576 bytes of JSON when decompressed"
    );
    assert_eq!(number(&summary, "/events/stored"), 1);

    // It is not tried again, unless asked to; then it turns out to be empty.
    let summary = ingest(&home, &[], 3);
    assert_eq!(number(&summary, "/log_files/already_stored"), 1);
    assert_eq!(number(&summary, "/log_files/rejected_before"), 1);
    let again = ingest(
        &home,
        &["--retry-rejected", "--max-log-file-size", "65MiB"],
        3,
    );
    assert_eq!(reason(&again), "no JSON in it");
}

/// Long texts are decoded piece by piece: what is not held at once must still be whole in the end.
#[test]
fn a_large_log_file_is_read_once_the_limit_allows() {
    const EVENTS: u32 = 16_000;
    let home = tempfile::tempdir().unwrap();
    let records: Vec<String> = (0..EVENTS).map(record).collect();
    let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    assert!(text.len() > 9 << 20);
    write(home.path(), "trail/large.json.gz", &gzip(&text));

    let summary = ingest(&home, &["--max-log-file-size", "8MiB"], 1);
    assert_eq!(
        reason(&summary),
        "more than 8388608 bytes of JSON when decompressed"
    );
    assert_eq!(number(&summary, "/events/stored"), 0);
    let summary = ingest(&home, &["--retry-rejected"], 0);
    assert_eq!(number(&summary, "/events/stored"), u64::from(EVENTS));
    assert_eq!(number(&summary, "/bytes/json"), text.len() as u64);
}

/// Tiny records that are no events: a small file holds millions of them.
#[test]
fn very_many_records_without_an_event_are_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let empty = format!(r#"{{"Records":[{}{{}}]}}"#, "{},".repeat(2_000_000));
    write(home.path(), "trail/empty.json.gz", &gzip(&empty));
    let summary = ingest(&home, &[], 1);
    assert_eq!(reason(&summary), "no event among its first 1000000 records");

    // One event among them is found, and all records are counted.
    let many = format!(r#"{{"Records":[{}{}]}}"#, "{},".repeat(30_000), record(1));
    write(home.path(), "trail/many.json.gz", &gzip(&many));
    let summary = ingest(&home, &[], 3);
    assert_eq!(number(&summary, "/events/read"), 30_001);
    assert_eq!(number(&summary, "/events/stored"), 1);
    assert_eq!(number(&summary, "/events/rejected"), 30_000);
    assert_eq!(
        summary["remarks"][0]["reason"],
        "only the first 10000 of 30000 rejected records are kept"
    );
}

/// A device that never ends is not read to its end.
#[cfg(unix)]
#[test]
fn a_device_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let summary = json(
        &["ingest", "/dev/zero", "--lake", lake.to_str().unwrap()],
        1,
    );
    assert_eq!(reason(&summary), "neither gzip nor JSON");
}

/// Runs SQL within four seconds and 256 MiB; gives what was said, and the seconds it took.
fn limited(sql: &str) -> (String, f64) {
    let begun = std::time::Instant::now();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), sql).unwrap();
    let limits = ["--timeout", "4s", "--max-memory", "256MiB"];
    let asked = [
        "sql",
        "--file",
        file.path().to_str().unwrap(),
        "--trail",
        "testdata/trail",
    ];
    let said = ran(&[&asked[..], &limits[..]].concat());
    (said, begun.elapsed().as_secs_f64())
}

/// Named queries that name the one before twice.
fn doubled(levels: usize) -> String {
    let named = (1..=levels).map(|n| format!("c{n} AS (SELECT a.x FROM c{0} a, c{0} b)", n - 1));
    let named: Vec<String> = named.collect();
    format!(
        "WITH c0 AS (SELECT 1 x), {} SELECT count(*) FROM c{levels}",
        named.join(", ")
    )
}

#[test]
fn a_statement_that_multiplies_itself_is_refused() {
    for levels in [16, 22, 40] {
        let (said, seconds) = limited(&doubled(levels));
        assert!(said.contains("too many tables"), "{said}");
        assert!(seconds < 5.0, "{seconds}");
    }
    let (said, _) = limited(&doubled(5));
    assert!(said.starts_with("exit code: 0"), "{said}");
}

#[test]
fn no_function_takes_more_than_it_may() {
    for sql in [
        "SELECT length(repeat('x', 1000000000))",
        "SELECT repeat(event_name, 1000000000) FROM events",
        "SELECT max(length(repeat(event_id, 100000))) FROM events",
        "SELECT length(lpad('x', 2000000000, 'y'))",
        "SELECT length(rpad(event_name, 2000000000, 'y')) FROM events",
        "SELECT length(replace(repeat('x', 900000), 'x', repeat('y', 900000)))",
        "SELECT length(regexp_replace(repeat('x', 900000), '.', repeat('y', 900000), 'g'))",
        "SELECT array_length(generate_series(1, 1000000000))",
        "SELECT array_length(range(0, 100000000000, 3))",
        "SELECT array_length(sequence(1, 1000000000))",
        "SELECT count(*) FROM (SELECT unnest(range(1, 1000000)) FROM events)",
        "SELECT array_length(generate_series(timestamp '1970-01-01', timestamp '2025-01-01', interval '1 millisecond'))",
        "SELECT array_length(array_repeat(1, 2000000000))",
        "SELECT array_length(array_repeat(event_name, 200000000)) FROM events",
        "SELECT array_length(array_resize(make_array(1), 2000000000, 0))",
        "SELECT length(repeat(repeat('x', 1000000), 1000000))",
        "SELECT count(*) FROM events WHERE regexp_like(user_agent, event_id || '(x{1,200}){1,50}')",
    ] {
        let (said, seconds) = limited(sql);
        assert!(said.starts_with("exit code: 1"), "{sql}: {said}");
        assert!(
            said.contains("bytes of memory") || said.contains("there is not enough memory"),
            "{sql}: {said}"
        );
        assert!(seconds < 8.0, "{sql}: {seconds}");
    }
    // What people ask for is answered.
    for sql in [
        "SELECT lpad(event_name, 60, ' '), repeat('-', 1000), array_length(range(1, 10000)), replace(user_agent, 'a', 'bb') FROM events",
        "SELECT regexp_replace(user_agent, '[0-9]+', '#'), regexp_like(user_agent, event_source) FROM events",
        "SELECT * FROM generate_series(1, 3)",
    ] {
        let (said, _) = limited(sql);
        let answered = said.starts_with("exit code: 3") || said.starts_with("exit code: 0");
        assert!(answered, "{sql}: {said}");
    }
}

/// What the engine does not count is seen from outside.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_nobody_counts_has_a_limit() {
    let chain: Vec<String> = (1..30)
        .map(|n| format!("c{n} AS (SELECT x || x AS x FROM c{})", n - 1))
        .collect();
    let chain = format!(
        "WITH c0 AS (SELECT event_id AS x FROM events), {} SELECT max(length(x)) FROM c29",
        chain.join(", ")
    );
    for sql in [
        chain.as_str(),
        "SELECT array_agg(a.event_json) FROM (SELECT event_id || user_agent AS event_json FROM events) a, events b, events c",
    ] {
        let (said, seconds) = limited(sql);
        assert!(said.starts_with("exit code: 1"), "{said}");
        let limits = ["no answer within 4 s", "memory"];
        assert!(limits.iter().any(|limit| said.contains(limit)), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(seconds < 9.0, "{seconds}");
    }
}

#[test]
fn the_time_holds_while_a_statement_is_planned() {
    let columns: Vec<String> = (0..20_000).map(|n| format!("{n} AS c{n}")).collect();
    let replaced = (0..45).fold("event_id".to_owned(), |inner, n| {
        format!("replace({inner}, '{}', 'aaaaaaaaaaaaaaaa')", n % 10)
    });
    for sql in [
        format!("SELECT {} FROM events", columns.join(", ")),
        format!("SELECT length({replaced}) FROM events"),
    ] {
        let (said, seconds) = limited(&sql);
        assert!(seconds < 8.0, "{seconds}");
        let code = said.lines().next().unwrap();
        assert!(
            ["exit code: 0", "exit code: 1", "exit code: 3"].contains(&code),
            "{code}"
        );
    }
}

/// Texts and lists that no column of a batch of rows has room for end in a sentence, not in the engine's last words.
#[test]
fn what_has_no_room_in_a_column_is_said() {
    let long = "(SELECT repeat(event_id, 20000) AS x FROM events)";
    for sql in [
        "SELECT repeat('x', 1000000), value FROM generate_series(1, 3000)".to_owned(),
        "SELECT max(length(x)) FROM (SELECT repeat('x', 1000000) AS x, value FROM generate_series(1, 9000)) WHERE value % 2 = 0".to_owned(),
        "SELECT sequence(1, 200000) AS numbers FROM generate_series(1, 100000)".to_owned(),
        "SELECT CASE WHEN value > 5 THEN repeat('y', 900000) ELSE 'z' END FROM generate_series(1, 9000)".to_owned(),
        "SELECT coalesce(nullif(value, 3)::varchar, repeat('y', 900000)) || repeat('z', 900000) FROM generate_series(1, 9000)".to_owned(),
        "SELECT array_to_string(range(1, 100000), repeat('x', 1000000))".to_owned(),
        "SELECT length(array_to_string(array_repeat(user_agent, 9000), repeat('x', 9000))) FROM events".to_owned(),
        "SELECT array_length(array_repeat(ARRAY[repeat('x', 1000000)], 100000))".to_owned(),
        "SELECT array_length(array_resize(ARRAY['x'], 1000000, repeat('x', 1000000)))".to_owned(),
        format!("SELECT max(length(a.x)) FROM {long} a, events b, events c"),
        format!("SELECT a.x, b.x FROM {long} a, {long} b ORDER BY 1, 2"),
        format!("SELECT string_agg(x, ',') FROM {long}, generate_series(1, 100)"),
        format!("SELECT array_agg(x) FROM {long}, generate_series(1, 100)"),
        format!("SELECT x, unnest(range(1, 9000)) FROM {long}"),
        format!("SELECT concat(x, x, x, x), concat_ws(x, x, x, x) FROM {long}"),
        "SELECT length(lpad(event_id, 20000000, event_id)) FROM events".to_owned(),
    ] {
        let (said, seconds) = limited(&sql);
        assert!(said.starts_with("exit code: 1"), "{sql}: {}", head(&said));
        let words = ["memory", "2 GiB", "no answer within"];
        assert!(words.iter().any(|word| said.contains(word)), "{sql}: {}", head(&said));
        for inside in ["panicked", "overflow", "RUST_BACKTRACE"] {
            assert!(!said.contains(inside), "{sql}: {}", head(&said));
        }
        assert!(seconds < 30.0, "{sql}: {seconds}");
    }
    // What is long and has room is answered.
    for sql in [
        "SELECT array_length(sequence(1, 200000))",
        "SELECT count(*) FROM (SELECT unnest(sequence(1, 200000)))",
        "SELECT max(length(event_name || repeat('x', 5000))) FROM events",
        "SELECT count(*) FROM events WHERE event_name <> repeat('x', 1000000)",
    ] {
        let (said, _) = limited(sql);
        let answered = said.starts_with("exit code: 3") || said.starts_with("exit code: 0");
        assert!(answered, "{sql}: {}", head(&said));
    }
}

fn head(said: &str) -> String {
    said.chars().take(1_000).collect()
}

/// A hint names what helps.
#[test]
fn a_limit_that_cannot_be_raised_is_not_to_be_raised() {
    let raised = "hint: raise --max-memory";
    let (said, _) = limited("SELECT repeat(event_id, 10000) FROM events");
    assert!(said.contains(raised), "{said}");
    let (said, _) = limited("SELECT length(repeat('x', 50000000))");
    assert!(!said.contains(raised), "{said}");
    assert!(
        said.contains("a constant may take 4194304 at most"),
        "{said}"
    );
    let asked = ["sql", "--trail", "testdata/trail", "--max-memory", "64GiB"];
    let said = ran(&[
        &asked[..],
        &["SELECT repeat(event_id, 1000000) FROM events"],
    ]
    .concat());
    assert!(said.contains("bytes of memory"), "{said}");
    assert!(!said.contains(raised), "{said}");
}

/// What sorts, groups and gathers uses files or says so; the process stays near its limit.
#[cfg(target_os = "linux")]
#[test]
fn memory_holds_for_what_sorts_groups_and_gathers() {
    let rows = "(SELECT a.event_id || b.event_id AS x FROM events a, events b)";
    for (sql, code) in [
        (format!("SELECT x FROM {rows} ORDER BY x LIMIT 10000000"), 3),
        (
            format!("SELECT count(*) FROM (SELECT x, count(*) AS n FROM {rows} GROUP BY x)"),
            3,
        ),
        (
            format!("SELECT count(*) FROM (SELECT DISTINCT x FROM {rows})"),
            3,
        ),
        (
            format!("SELECT length(string_agg(x, ',')) FROM {rows}, generate_series(1, 300)"),
            1,
        ),
        (
            format!("SELECT array_agg(x) FROM {rows}, generate_series(1, 300)"),
            1,
        ),
    ] {
        let (ended, peak, said) = measured(&sql, 128);
        assert_eq!(ended, Some(code), "{sql}: {}", head(&said));
        assert!(
            code == 3 || said.contains("memory"),
            "{sql}: {}",
            head(&said)
        );
        // What queries take and what they take besides; a busy machine may look late.
        assert!(peak < 1_700 << 20, "{sql}: {} MiB", peak >> 20);
    }
}

/// Runs SQL with so many MiB of memory; gives its exit code, the most bytes it held, and what it said on standard error.
#[cfg(target_os = "linux")]
fn measured(sql: &str, mebibytes: u64) -> (Option<i32>, u64, String) {
    use std::process::{Command, Stdio};
    let limit = format!("{mebibytes}MiB");
    let mut query = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args([
            "sql",
            "--trail",
            "testdata/trail",
            "--quiet",
            "--max-memory",
            &limit,
            sql,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", query.id());
    let mut peak = 0;
    while query.try_wait().unwrap().is_none() {
        let held = std::fs::read_to_string(&status).unwrap_or_default();
        let held = held.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let held = held.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        peak = peak.max(held.unwrap_or_default() << 10);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut said = String::new();
    query
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (query.wait().unwrap().code(), peak, said)
}

/// A function at work on many rows, or on a long one, gives way to Ctrl-C and to the time.
#[cfg(unix)]
#[test]
fn functions_can_be_stopped() {
    use std::process::{Command, Stdio};
    let busy = [
        "SELECT max(length(regexp_replace(a.user_agent || b.user_agent, '[a-z0-9]+', 'x'))) FROM events a, events b, events c",
        "SELECT sum(levenshtein(a.event_id, b.event_id)) FROM events a, events b, events c",
        "SELECT max(json_extract_scalar(a.request_parameters, '$.bucketName') || json_extract_scalar(b.request_parameters, '$.key')) FROM events a, events b, events c",
        "SELECT max(date_format(a.event_time + (b.event_time - c.event_time), '%i %M %s')) FROM events a, events b, events c",
        "SELECT max(substr(md5(a.event_id || b.event_id || c.event_id), -5)) FROM events a, events b, events c",
    ];
    for sql in busy {
        let (said, seconds) = limited(sql);
        assert!(said.contains("no answer within 4 s"), "{sql}: {said}");
        assert!(seconds < 8.0, "{sql}: {seconds}");

        let mut query = Command::new(env!("CARGO_BIN_EXE_keytrail"))
            .args(["sql", "--trail", "testdata/trail", "--quiet", sql])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert!(
            query.try_wait().unwrap().is_none(),
            "{sql}: it was done before"
        );
        let begun = std::time::Instant::now();
        let pid = query.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
        let ended = query.wait().unwrap();
        assert_eq!(ended.code(), Some(130), "{sql}");
        assert!(
            begun.elapsed().as_secs() < 4,
            "{sql}: {:?}",
            begun.elapsed()
        );
    }
}

/// Stops a program by a signal and gives its exit code, what it wrote, and how long that took.
#[cfg(target_os = "linux")]
fn stopped(mut running: std::process::Child, signal: &str) -> (Option<i32>, String, f64) {
    let begun = std::time::Instant::now();
    let kill = std::process::Command::new("kill")
        .args([format!("-{signal}"), running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let mut said = String::new();
    running
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    let code = running.wait().unwrap().code();
    (code, said, begun.elapsed().as_secs_f64())
}

/// A stream that does not come to its end is given up, and nothing of it is called stored.
#[cfg(target_os = "linux")]
#[test]
fn an_ingest_that_waits_for_a_stream_stops() {
    use std::process::Stdio;
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (source, signal) in [("-", "INT"), ("-", "TERM"), (pipe.to_str().unwrap(), "INT")] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command
            .args(["ingest", source, "--lake", lake.to_str().unwrap()])
            .args(["--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut running = command.spawn().unwrap();
        let mut input = running.stdin.take().unwrap();
        io::Write::write_all(&mut input, record(1).as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let (code, said, seconds) = stopped(running, signal);
        drop(input);
        assert_eq!(code, Some(130), "{source} {signal}: {said}");
        assert!(seconds < 2.0, "{source} {signal}: {seconds}");
        let summary: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(summary["log_files"]["stopped_listing"], true, "{said}");
        assert_eq!(number(&summary, "/events/stored"), 0);
    }
}

/// Within a long log file, too, and what of it is stored is said and not stored again.
#[cfg(target_os = "linux")]
#[test]
fn an_ingest_stops_within_a_log_file() {
    use std::process::Stdio;
    const EVENTS: u32 = 24_000;
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    // More than is held at once.
    let padded = format!(r#"{{"pad":"{}","#, "x".repeat(3_000));
    let records = (0..EVENTS).map(|n| record(n).replacen('{', &padded, 1));
    let text = format!(
        r#"{{"Records":[{}]}}"#,
        records.collect::<Vec<_>>().join(",")
    );
    assert!(text.len() > 70 << 20);
    write(home.path(), "trail/large.json", text.as_bytes());
    let trail = home.path().join("trail");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command
        .args(["ingest", trail.to_str().unwrap()])
        .args(["--lake", lake.to_str().unwrap(), "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let running = command.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_000));
    let (code, said, seconds) = stopped(running, "INT");
    assert_eq!(code, Some(130), "{said}");
    assert!(seconds < 6.0, "{seconds}");
    let summary: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(number(&summary, "/log_files/left"), 1, "{said}");
    let before = number(&summary, "/events/stored_of_left");
    let whole = ingest(&home, &[], 0);
    assert_eq!(number(&whole, "/events/read"), u64::from(EVENTS));
    assert_eq!(number(&whole, "/events/duplicates"), before);
    let stored = number(&whole, "/events/stored");
    assert_eq!(stored + before, u64::from(EVENTS));
}

/// The most memory that a program held, in MiB.
#[cfg(target_os = "linux")]
fn peak(mut running: std::process::Child) -> (Option<i32>, u64) {
    let status = format!("/proc/{}/status", running.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let held = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(held.unwrap_or_default() >> 10);
        if let Some(ended) = running.try_wait().unwrap() {
            return (ended.code(), most);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Small input does not become large memory: millions of empty records in a small file, and streams that do not end.
#[cfg(target_os = "linux")]
#[test]
fn input_does_not_take_the_memory() {
    use std::process::Stdio;
    let home = tempfile::tempdir().unwrap();
    let lake = home.path().join("lake");
    let mut many = GzEncoder::new(Vec::new(), Compression::best());
    io::Write::write_all(&mut many, br#"{"Records":["#).unwrap();
    for _ in 0..400 {
        io::Write::write_all(&mut many, "{},".repeat(50_000).as_bytes()).unwrap();
    }
    io::Write::write_all(&mut many, format!("{}]}}", record(1)).as_bytes()).unwrap();
    write(home.path(), "many.json.gz", &many.finish().unwrap());
    let many = home.path().join("many.json.gz");
    let run = |source: &str, input: Stdio| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command
            .args(["ingest", source, "--lake", lake.to_str().unwrap()])
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let (code, most) = peak(run(many.to_str().unwrap(), Stdio::null()));
    assert_eq!(code, Some(1));
    assert!(most < 700, "{most} MiB");
    let (code, most) = peak(run("/dev/zero", Stdio::null()));
    assert_eq!(code, Some(1));
    assert!(most < 400, "{most} MiB");
    // 4 GB of text.
    let mut writer = std::process::Command::new("sh")
        .args(["-c", "yes '{}' | head -c 4000000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = writer.stdout.take().unwrap();
    let (code, most) = peak(run("-", input.into()));
    assert_eq!(code, Some(1));
    assert!(most < 1_300, "{most} MiB");
    writer.wait().unwrap();
}
