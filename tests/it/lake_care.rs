//! A lake that is looked after: damage is noticed in plain words and mended; small files are merged; what no table names is
//! removed; what is forgotten is not lost.

use crate::facts::{Facts, unsealed};
use crate::program::{keytrail, number};
use crate::trail::{EVENTS_OF_A_DAY, record, write_days, write_log_file};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const DAYS: u32 = 4;
const EVENTS: i64 = (EVENTS_OF_A_DAY * DAYS as u64) as i64;

/// A folder with a trail and a lake of it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        write_days(&home.path("trail"), "111111111111", 0..DAYS);
        home.json(&["ingest", "trail"], 3);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes the lake again.
    fn renew(&self) {
        fs::remove_dir_all(self.path("lake")).unwrap();
        self.json(&["ingest", "trail"], 3);
    }

    /// Runs the program in the folder; gives exit code, output and errors.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = keytrail(args);
        command.args(["--lake", "lake", "--quiet"]);
        let output = command.current_dir(&self.0).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    fn json(&self, args: &[&str], exit_code: i32) -> Value {
        let (code, answer, errors) = self.run(&[args, &["--format", "json"]].concat());
        assert_eq!(code, exit_code, "{args:?}: {answer}{errors}");
        serde_json::from_str(&answer).unwrap()
    }

    async fn facts(&self) -> Facts {
        Facts::of(&self.path("lake")).await
    }

    /// The data files of a table, in order.
    fn files(&self, table: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path(&format!("lake/{table}"))];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "parquet") {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// The last entry of a table's log.
    fn last_entry(&self, table: &str) -> PathBuf {
        let log = self.path(&format!("lake/{table}/_delta_log"));
        let entries = fs::read_dir(log).unwrap();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.retain(|path| path.extension().is_some_and(|end| end == "json"));
        entries.sort();
        entries.pop().unwrap()
    }

    /// Both questions and ingests notice the damage, in plain words and with a way out.
    fn assert_noticed(&self, by: &[&[&str]]) {
        for args in by {
            let (code, answer, errors) = self.run(args);
            assert_eq!(code, 1, "{args:?}: {answer}{errors}");
            assert!(answer.is_empty(), "{answer}");
            assert!(errors.starts_with("error: "), "{errors}");
            assert!(
                errors.contains("hint: list all damage: keytrail lake check"),
                "{errors}"
            );
            assert!(errors.contains("keytrail lake mend"), "{errors}");
            for engine in ["Kernel", "Generic", "FileMeta", "Arrow", "ParquetError"] {
                assert!(!errors.contains(engine), "engine text: {errors}");
            }
        }
        let (code, answer, _) = self.run(&["lake", "check"]);
        assert_eq!(code, 1, "{answer}");
        assert!(answer.contains("\nfaults:\n"), "{answer}");
    }
}

const KEYS: &[&str] = &["keys"];
const COVERAGE: &[&str] = &["coverage"];
const INGEST: &[&str] = &["ingest", "trail"];

#[test]
fn a_lake_may_be_named_by_a_way_back() {
    let home = Home::new();
    let args = ["keys", "--format", "json", "--quiet"];
    let by_name = home.run(&args[..3]);
    for lake in ["trail/../lake", "./lake/"] {
        let mut command = keytrail(&[&args[..], &["--lake", lake]].concat());
        let output = command.current_dir(&home.0).output().unwrap();
        assert_eq!(output.status.code(), Some(by_name.0), "{lake}");
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            by_name.1,
            "{lake}"
        );
    }
}

#[tokio::test]
async fn a_lost_commit_of_events_is_noticed_and_mended() {
    let home = Home::new();
    let whole = home.facts().await;
    assert_eq!(whole.events, EVENTS);
    for damage in ["removed", "emptied"] {
        let entry = home.last_entry("events");
        match damage {
            "removed" => fs::remove_file(entry).unwrap(),
            _ => fs::write(entry, "").unwrap(),
        }
        home.assert_noticed(&[KEYS, COVERAGE, INGEST]);
        let mended = home.json(&["lake", "mend"], 0);
        assert!(number(&mended, "/events_found_again") > 0, "{mended}");
        assert_eq!(home.facts().await, whole, "{damage}");
    }
}

#[tokio::test]
async fn lost_tables_are_noticed_and_mended() {
    let home = Home::new();
    let whole = home.facts().await;
    for table in ["events", "rejects"] {
        fs::remove_dir_all(home.path(&format!("lake/{table}"))).unwrap();
        home.assert_noticed(&[KEYS, COVERAGE, INGEST]);
        // A log file of the trail is cut off: it cannot be read, as before.
        home.json(&["lake", "mend"], 0);
        assert_eq!(home.facts().await, whole, "{table}");
    }
    // What the ledger has to tell is found again with the log files.
    fs::remove_dir_all(home.path("lake/log_files")).unwrap();
    home.assert_noticed(&[KEYS, COVERAGE, INGEST]);
    home.json(&["lake", "mend", "trail"], 0);
    assert_eq!(home.facts().await, whole);
}

#[tokio::test]
async fn a_damaged_log_is_noticed_and_mended() {
    let home = Home::new();
    let whole = home.facts().await;
    for table in ["events", "log_files"] {
        let first = home.path(&format!("lake/{table}/_delta_log/{:020}.json", 2));
        fs::remove_file(first).unwrap();
        home.assert_noticed(&[KEYS, COVERAGE, INGEST]);
        home.json(&["lake", "mend", "trail"], 0);
        assert_eq!(home.facts().await, whole, "{table}");
    }
}

#[tokio::test]
async fn missing_and_cut_data_files_are_noticed_and_mended() {
    let home = Home::new();
    let whole = home.facts().await;
    let (file, other) = (
        home.files("events")[0].clone(),
        home.files("events")[1].clone(),
    );
    fs::remove_file(file).unwrap();
    let bytes = fs::read(&other).unwrap();
    fs::write(&other, &bytes[..bytes.len() / 2]).unwrap();
    home.assert_noticed(&[KEYS, INGEST]);
    let mended = home.json(&["lake", "mend"], 0);
    assert_eq!(
        mended["files_taken_out"].as_array().unwrap().len(),
        2,
        "{mended}"
    );
    assert!(number(&mended, "/log_files_read_again") > 0);
    assert_eq!(home.facts().await, whole);
    // A file of the ledger: its log files are known by their events.
    fs::remove_file(&home.files("log_files")[0]).unwrap();
    home.json(&["lake", "mend", "trail"], 0);
    assert_eq!(home.facts().await, whole);
}

/// A bit in the pages of a file changes no answer: pages have checksums. A bit anywhere is found by the check.
#[test]
fn a_flipped_bit_changes_no_answer() {
    let home = Home::new();
    let file = home.files("events")[0].clone();
    let whole = fs::read(&file).unwrap();
    let all = [
        "sql",
        "SELECT * FROM events ORDER BY event_id",
        "--format",
        "csv",
    ];
    let (code, right, _) = home.run(&all);
    assert_eq!(code, 3, "one of its log files is torn");
    let mut noticed = 0;
    let tries = 40;
    for n in 1..tries {
        let mut bytes = whole.clone();
        let place = whole.len() * n / tries;
        bytes[place] ^= 1 << (n % 8);
        fs::write(&file, &bytes).unwrap();
        let (code, answer, _) = home.run(&all);
        assert!(
            code == 1 || answer == right,
            "another answer for a bit at {place} of {}",
            whole.len()
        );
        noticed += u32::from(code == 1);
        let (code, answer, _) = home.run(&["lake", "check"]);
        assert_eq!(code, 1, "{answer}");
        assert!(answer.contains("its bytes have changed"), "{answer}");
    }
    assert!(noticed > 10, "{noticed}");
}

/// What the log says of a file is compared with the file, also where the log has no seal: of an older keytrail, or another program.
#[tokio::test]
async fn a_log_that_says_something_else_of_a_file_is_noticed_and_mended() {
    let home = Home::new();
    let whole = home.facts().await;
    let behind = |text: &str, mark: &str, from: &str, to: &str| {
        let (before, after) = text.split_once(mark).unwrap();
        assert!(after.contains(from), "{text}");
        format!("{before}{mark}{}", after.replacen(from, to, 1))
    };
    let number = |text: &str, mark: &str| {
        let (before, after) = text.split_once(mark).unwrap();
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap();
        let number: u64 = after[..end].parse().unwrap();
        format!("{before}{mark}{}{}", number + 1, &after[end..])
    };
    type Change<'a> = &'a dyn Fn(&str) -> String;
    let changes: [(&str, Change<'_>); 6] = [
        ("bytes", &|text| number(text, "\"size\":")),
        ("rows", &|text| number(text, "\\\"numRecords\\\":")),
        ("statistics", &|text| {
            behind(text, "maxValues", "AKIA3", "AKIA2")
        }),
        ("statistics", &|text| {
            behind(text, "minValues", "2025-03-0", "2026-03-0")
        }),
        ("statistics", &|text| {
            number(text, "nullCount\\\":{\\\"access_key_id\\\":")
        }),
        ("another day", &|text| {
            behind(
                text,
                "partitionValues",
                "event_date\":\"2025-03-0",
                "event_date\":\"2024-03-0",
            )
        }),
    ];
    for (problem, change) in changes {
        let entry = home.last_entry("events");
        let commit = unsealed(&fs::read_to_string(&entry).unwrap());
        fs::write(&entry, change(&commit)).unwrap();
        let check = home.json(&["lake", "check"], 1);
        let faults = check["faults"].as_array().unwrap();
        assert!(
            faults
                .iter()
                .any(|fault| fault["problem"].as_str().unwrap().contains(problem)),
            "{problem}: {check}"
        );
        home.json(&["lake", "mend"], 0);
        assert_eq!(home.facts().await, whole, "{problem}");
        // The last commit is again one with a file of events.
        home.renew();
    }
}

/// Log files that are gone cannot be read again: they are named, by every answer until they are found elsewhere.
#[tokio::test]
async fn what_cannot_be_mended_is_said() {
    let home = Home::new();
    fs::remove_file(&home.files("events")[0]).unwrap();
    fs::rename(home.path("trail"), home.path("moved")).unwrap();
    let mended = home.json(&["lake", "mend"], 3);
    let missing = mended["log_files_not_read"].as_array().unwrap().len() as u64;
    assert!(missing > 0, "{mended}");
    let coverage = home.json(COVERAGE, 3);
    assert!(
        number(&coverage, "/coverage/log_files_rejected") >= missing,
        "{coverage}"
    );
    let mended = home.json(&["lake", "mend", "moved"], 0);
    assert_eq!(mended["log_files_not_read"].as_array().unwrap().len(), 0);
    let facts = home.facts().await;
    assert_eq!((facts.events, facts.distinct), (EVENTS, EVENTS));
}

/// Each log file is an ingest, and so a data file, of its own.
fn ingest_in_pieces(home: &Home, days: u32) {
    let region = "AWSLogs/222222222222/CloudTrail/eu-west-1";
    for piece in 0..days * PIECES {
        let first = piece * EVENTS_OF_A_PIECE;
        let records: Vec<String> = (first..first + EVENTS_OF_A_PIECE).map(record).collect();
        let place = (region, piece / PIECES, piece % PIECES);
        write_log_file(&home.path("pieces"), place, &records);
        home.json(&["ingest", "pieces"], 0);
    }
}

/// Log files of a day, with these many events.
const PIECES: u32 = 3;
const EVENTS_OF_A_PIECE: u32 = EVENTS_OF_A_DAY as u32 / PIECES;

#[tokio::test]
async fn compacted_the_lake_answers_as_before() {
    let home = Home(tempfile::tempdir().unwrap());
    ingest_in_pieces(&home, 3);
    let before = home.facts().await;
    let files = home.files("events").len();
    let compacted = home.json(&["lake", "compact"], 0);
    assert!(
        number(&compacted, "/files/before") > number(&compacted, "/files/after"),
        "{compacted}"
    );
    assert_eq!(home.facts().await, before);
    let again = home.json(&["lake", "compact"], 0);
    assert_eq!(number(&again, "/files/before"), 0, "{again}");

    // The old files are there until they are old enough.
    assert!(home.files("events").len() > files);
    let kept = home.json(&["lake", "vacuum"], 0);
    assert_eq!(number(&kept, "/files"), 0, "{kept}");
    // What was ingested before is known, and what is new is stored once.
    ingest_in_pieces(&home, 4);
    assert_eq!(home.facts().await.events as u64, 4 * EVENTS_OF_A_DAY);
}

#[tokio::test]
async fn compacting_beside_an_ingest_and_after_a_kill_loses_nothing() {
    let home = Home(tempfile::tempdir().unwrap());
    ingest_in_pieces(&home, 4);
    write_days(&home.path("more"), "333333333333", 3..12);
    let start = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.args(args).args(["--lake", "lake", "--quiet"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.current_dir(&home.0).spawn().unwrap()
    };
    for part in [20, 60, 120] {
        let mut compact = start(&["lake", "compact"]);
        thread::sleep(Duration::from_millis(part));
        compact.kill().unwrap();
        compact.wait().unwrap();
    }
    let (ingest, compact) = (start(&["ingest", "more"]), start(&["lake", "compact"]));
    for child in [ingest, compact] {
        let output = child.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    }
    let facts = home.facts().await;
    assert_eq!(facts.events, facts.distinct);
    assert_eq!(facts.events as u64, 12 * EVENTS_OF_A_DAY);
}

#[tokio::test]
async fn vacuum_removes_what_no_table_names() {
    let home = Home::new();
    let whole = home.facts().await;
    let day = home.files("events")[0].parent().unwrap().to_owned();
    let age = |path: &Path, days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 86_400);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    // A killed run's: a data file, and one that was being written.
    for (name, days) in [
        ("part-1.zstd.parquet", 8),
        (".writing-x", 8),
        ("part-2.zstd.parquet", 1),
    ] {
        fs::write(day.join(name), "orphan").unwrap();
        age(&day.join(name), days);
    }
    for file in home.files("events") {
        age(
            &file,
            if file.ends_with("part-2.zstd.parquet") {
                1
            } else {
                30
            },
        );
    }
    let stats = home.json(&["lake", "stats"], 0);
    assert_eq!(number(&stats, "/unnamed_files/files"), 3, "{stats}");
    let dry = home.json(&["lake", "vacuum", "--dry-run"], 0);
    assert_eq!(
        (number(&dry, "/files"), number(&dry, "/kept")),
        (2, 1),
        "{dry}"
    );
    let vacuum = home.json(&["lake", "vacuum", "--retain", "7d"], 0);
    assert_eq!(number(&vacuum, "/files"), 2, "{vacuum}");
    assert!(!day.join("part-1.zstd.parquet").exists());
    assert!(day.join("part-2.zstd.parquet").exists());
    assert_eq!(home.facts().await, whole);
    let (code, _, errors) = home.run(&["lake", "vacuum", "--retain", "5m"]);
    assert_eq!(code, 2, "{errors}");
}

#[test]
fn what_is_forgotten_is_not_lost() {
    let home = Home::new();
    let forgotten = home.json(&["lake", "forget", "--before", "2025-03-03"], 0);
    assert_eq!(
        number(&forgotten, "/events"),
        2 * EVENTS_OF_A_DAY,
        "{forgotten}"
    );
    assert_eq!(number(&forgotten, "/days"), 2);
    let check = home.json(&["lake", "check"], 0);
    assert_eq!(check["whole"], true, "{check}");
    // The log files are known still.
    let again = home.json(INGEST, 3);
    assert_eq!(number(&again, "/events/stored"), 0, "{again}");
    // Loss beside it is noticed.
    fs::remove_file(home.last_entry("events")).unwrap();
    let (code, _, _) = home.run(&["lake", "check"]);
    assert_eq!(
        code, 0,
        "the forgotten events are there again, and nothing is lost"
    );
    fs::remove_file(home.last_entry("events")).unwrap();
    home.assert_noticed(&[KEYS, INGEST]);
}

#[test]
fn statements_for_other_engines_name_the_lake() {
    let ddl = |engine: &str, lake: &str| {
        let args = ["lake", "ddl", "--engine", engine, "--lake", lake];
        let output = keytrail(&args).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    for engine in ["trino", "spark", "duckdb"] {
        let (code, sql) = ddl(engine, "/data/it's/lake");
        assert_eq!(code, 0);
        assert!(sql.contains("'/data/it''s/lake/events"), "{sql}");
        assert!(
            sql.contains("/log_files") && sql.contains("/rejects"),
            "{sql}"
        );
    }
    assert_eq!(ddl("athena", "/data/lake").0, 2);
}

/// Another reader of Delta Lake sees the same, and finds the checksums of the pages right: `pip install deltalake pyarrow`.
#[test]
#[ignore = "needs deltalake"]
fn another_reader_sees_the_same_with_deltalake() {
    let home = Home::new();
    home.json(&["lake", "compact"], 0);
    let script = "import sys, glob, deltalake, pyarrow.compute as pc, pyarrow.parquet as pq
t = deltalake.DeltaTable(sys.argv[1] + '/events').to_pyarrow_table()
l = deltalake.DeltaTable(sys.argv[1] + '/log_files').to_pyarrow_table()
files = glob.glob(sys.argv[1] + '/events/**/*.parquet', recursive=True)
rows = sum(pq.ParquetFile(f, page_checksum_verification=True).read().num_rows for f in files if '.writing-' not in f)
# One bit of a page is turned: the checksum tells.
data = bytearray(open(files[0], 'rb').read()); data[len(data) // 3] ^= 1
open(sys.argv[1] + '/../turned.parquet', 'wb').write(data)
try:
    pq.ParquetFile(sys.argv[1] + '/../turned.parquet', page_checksum_verification=True).read(); turned = 'not noticed'
except OSError:
    turned = 'noticed'
print(t.num_rows, len(set(t['event_id'].to_pylist())), pc.sum(l['stored']).as_py(), rows >= t.num_rows, turned)";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(home.path("lake"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let seen = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        seen.trim(),
        format!("{EVENTS} {EVENTS} {EVENTS} True noticed")
    );
}

/// An engine that knows nothing of Delta Lake sees the same in the data files: `pip install duckdb`.
#[test]
#[ignore = "needs duckdb"]
fn the_data_files_say_the_same_with_duckdb() {
    let home = Home::new();
    let sql = "SELECT access_key_id, event_id, event_name, error_code FROM events \
               WHERE access_key_id = (SELECT min(access_key_id) FROM events) ORDER BY event_id";
    let (_, ours, _) = home.run(&["sql", sql, "--format", "csv"]);
    let ours = ours.trim().replace("\r\n", "\n");
    let (_, ours) = ours.split_once('\n').unwrap();
    assert!(ours.lines().count() > 5, "{ours}");
    let script = "import sys, duckdb
lake = sys.argv[1]
events = f\"read_parquet('{lake}/events/event_date=*/*.parquet', hive_partitioning = true)\"
ask = lambda sql: duckdb.sql(sql).fetchall()
counts = ask(f'SELECT count(*), count(DISTINCT event_id), count(*) FILTER (WHERE CAST(event_date AS DATE) <> CAST(event_time AT TIME ZONE \\'UTC\\' AS DATE)) FROM {events}')[0]
stored = ask(f\"SELECT CAST(sum(stored) AS BIGINT) FROM read_parquet('{lake}/log_files/*.parquet')\")[0]
print(*counts, *stored)
for row in ask(f'SELECT access_key_id, event_id, event_name, error_code FROM {events} WHERE access_key_id = (SELECT min(access_key_id) FROM {events}) ORDER BY event_id'):
    print(*['' if value is None else value for value in row], sep=',')";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(home.path("lake"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let theirs = String::from_utf8(output.stdout).unwrap();
    let (counts, theirs) = theirs.trim().split_once('\n').unwrap();
    assert_eq!(counts, format!("{EVENTS} {EVENTS} 0 {EVENTS}"));
    assert_eq!(theirs, ours);
}

/// Rows that another program has taken out of files, and columns that it has renamed, cannot be read rightly here.
#[test]
fn a_lake_with_features_that_are_not_read_is_refused() {
    let named = |log: &str| {
        log.replace(
            "\"configuration\":{",
            "\"configuration\":{\"delta.columnMapping.mode\":\"name\",",
        )
    };
    let deleted = |log: &str| {
        log.replace(
            "{\"add\":{",
            "{\"add\":{\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"ab^-aqEH.-t@S}K{vb[*k^\",\"offset\":4,\"sizeInBytes\":40,\"cardinality\":6},",
        )
    };
    type Change<'a> = &'a dyn Fn(&str) -> String;
    let changes: [(&str, Change<'_>); 2] =
        [("column mapping", &named), ("deletion vectors", &deleted)];
    for (feature, change) in changes {
        let home = Home::new();
        let folder = home.path("lake/events/_delta_log");
        let mut changed = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "json") {
                let log = fs::read_to_string(&path).unwrap();
                let new = unsealed(&change(&log));
                changed += usize::from(new != unsealed(&log));
                fs::write(&path, new).unwrap();
            }
        }
        assert!(changed > 0, "{feature}");
        let (code, out, errors) = home.run(KEYS);
        assert_eq!(code, 1, "{feature}: {out}{errors}");
        assert!(errors.contains(feature), "{feature}: {errors}");
        assert!(errors.contains("hint: "), "{feature}: {errors}");
    }
}
