//! SQL that a user gave can only ask. Each attempt to do more fails with a clear sentence, and leaves no file.

use chrono::Utc;
use keytrail::analysis::question::Question;
use keytrail::cloudtrail::{AccountId, Selection};
use keytrail::session::{
    FaultKind, Params, Session, SessionError, SessionOptions, SqlFault, VIEWS,
};
use keytrail::source::{self, SourceOptions};
use std::fs;
use std::path::Path;

/// A session on the test data.
async fn session(selection: Selection) -> Session {
    let trail = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
    let source = source::open(trail, &SourceOptions::default())
        .await
        .unwrap();
    let options = SessionOptions {
        selection,
        ..SessionOptions::default()
    };
    Session::trail(vec![source], &options).await.unwrap()
}

/// Runs all statements of a text; gives the number of rows.
async fn rows(session: &Session, sql: &str) -> Result<usize, SessionError> {
    let mut count = 0;
    for statement in session.statements(sql)? {
        let query = session.plan(statement).await?.bind(&Params::new())?;
        let mut rows = query.ready().await?.run()?;
        while let Some(batch) = rows.next().await? {
            count += batch.num_rows();
        }
    }
    Ok(count)
}

async fn fault(session: &Session, sql: &str) -> SqlFault {
    match rows(session, sql).await {
        Err(SessionError::Sql(fault)) => fault,
        other => panic!("{sql}: {other:?}"),
    }
}

/// Ways out, and what is said.
pub(crate) const ATTEMPTS: &[(&str, &str)] = &[
    // Writing files.
    ("COPY events TO 'FOLDER/x.parquet'", "COPY is not allowed"),
    (
        "COPY (SELECT 1) TO 'FOLDER/x.csv' STORED AS CSV",
        "COPY is not allowed",
    ),
    (
        "EXPLAIN ANALYZE COPY events TO 'FOLDER/x.parquet'",
        "COPY is not allowed",
    ),
    (
        "EXPLAIN COPY events TO 'FOLDER/x.parquet'",
        "COPY is not allowed",
    ),
    (
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION 'FOLDER/'",
        "CREATE EXTERNAL TABLE is not allowed",
    ),
    (
        "CREATE EXTERNAL TABLE x (a INT) STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE EXTERNAL TABLE is not allowed",
    ),
    ("CREATE TABLE x AS SELECT * FROM events", "CREATE TABLE"),
    ("CREATE TABLE x (a INT)", "CREATE TABLE"),
    ("CREATE VIEW x AS SELECT * FROM events", "CREATE VIEW"),
    (
        "CREATE OR REPLACE VIEW events AS SELECT 1",
        "CREATE OR REPLACE",
    ),
    ("CREATE SCHEMA x", "CREATE SCHEMA"),
    ("CREATE DATABASE x", "CREATE DATABASE"),
    (
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE FUNCTION",
    ),
    ("CREATE INDEX i ON events (event_name)", "CREATE INDEX"),
    ("INSERT INTO events SELECT * FROM events", "INSERT INTO"),
    (
        "INSERT INTO rejects VALUES ('a', 1, 'b', 'c', NULL)",
        "INSERT INTO",
    ),
    (
        "INSERT OVERWRITE events SELECT * FROM events",
        "INSERT OVERWRITE",
    ),
    ("UPDATE events SET user_agent = 'x'", "UPDATE"),
    ("DELETE FROM events", "DELETE FROM"),
    ("TRUNCATE TABLE events", "TRUNCATE TABLE"),
    (
        "MERGE INTO events USING rejects ON true WHEN MATCHED THEN DELETE",
        "MERGE INTO",
    ),
    ("DROP TABLE events", "DROP TABLE"),
    ("DROP VIEW events", "DROP VIEW"),
    ("ALTER TABLE events ADD COLUMN a INT", "ALTER TABLE"),
    ("SELECT * INTO x FROM events", "SELECT INTO is not allowed"),
    (
        "SELECT 1 UNION (SELECT 1 INTO x)",
        "SELECT INTO is not allowed",
    ),
    (
        "WITH x AS (INSERT INTO rejects VALUES (1) RETURNING 1) SELECT * FROM x",
        "INSERT is not allowed",
    ),
    (
        "WITH x AS (DELETE FROM rejects RETURNING 1) SELECT * FROM x",
        "DELETE is not allowed",
    ),
    (
        "WITH x AS (UPDATE rejects SET reason = '' RETURNING 1) SELECT * FROM x",
        "UPDATE is not allowed",
    ),
    (
        "EXPLAIN INSERT INTO events SELECT * FROM events",
        "INSERT INTO",
    ),
    ("EXPLAIN CREATE TABLE x AS SELECT 1", "CREATE TABLE"),
    ("UNLOAD (SELECT 1) TO 's3://x/y'", "UNLOAD"),
    ("EXPORT DATABASE 'FOLDER'", "not SQL"),
    // Settings and state of the session.
    ("SET datafusion.catalog.location = '/'", "SET"),
    ("SET datafusion.runtime.memory_limit = '900G'", "SET"),
    (
        "RESET datafusion.execution.batch_size",
        "RESET is not allowed",
    ),
    ("SHOW ALL", "SHOW"),
    ("SHOW datafusion.execution.batch_size", "SHOW"),
    ("PREPARE p AS SELECT 1", "PREPARE"),
    ("EXECUTE p", "EXECUTE"),
    ("DEALLOCATE p", "DEALLOCATE"),
    ("BEGIN", "is not allowed"),
    ("COMMIT", "COMMIT"),
    ("USE x", "USE"),
    ("LOAD 'x'", "LOAD"),
    ("INSTALL httpfs", "INSTALL"),
    ("ATTACH 'x.db' AS x", "ATTACH"),
    ("CALL x()", "CALL"),
    ("ANALYZE TABLE events", "ANALYZE"),
    ("GRANT ALL ON events TO x", "GRANT"),
    ("LISTEN x", "LISTEN"),
    ("KILL 1", "KILL"),
    ("VACUUM", "VACUUM"),
    ("SELECT 1; DROP TABLE events", "DROP TABLE"),
    // Reading what is not a table.
    (
        "SELECT * FROM '/etc/passwd'",
        "files cannot be read by name",
    ),
    (
        "SELECT * FROM 'FOLDER/x.parquet'",
        "files cannot be read by name",
    ),
    ("SELECT * FROM \"x.csv\"", "files cannot be read by name"),
    (
        "SELECT * FROM 'https://example.com/x.json'",
        "files cannot be read by name",
    ),
    (
        "SELECT * FROM 's3://bucket/x.parquet'",
        "files cannot be read by name",
    ),
    ("DESCRIBE '/etc/passwd'", "files cannot be read by name"),
    (
        "SELECT * FROM read_parquet('FOLDER/x.parquet')",
        "table function",
    ),
    ("SELECT * FROM read_csv('/etc/passwd')", "table function"),
    (
        "SELECT * FROM parquet_metadata('FOLDER/x.parquet')",
        "table function",
    ),
    ("SELECT * FROM glob('/*')", "table function"),
    ("SELECT read_text('/etc/passwd')", "there is no function"),
    ("SELECT pg_read_file('/etc/passwd')", "there is no function"),
    (
        "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
        "there is no function",
    ),
    ("SELECT @@version", "@@"),
    // Looking behind the tables.
    (
        "SELECT * FROM information_schema.tables",
        "there is no information_schema",
    ),
    (
        "SELECT * FROM information_schema.df_settings",
        "there is no information_schema",
    ),
    (
        "SELECT * FROM datafusion.information_schema.views",
        "there is no information_schema",
    ),
    ("SELECT * FROM pg_catalog.pg_tables", "there is no table"),
    (
        "SELECT * FROM all_events",
        "there is no table \"all_events\"",
    ),
    ("SELECT * FROM public.all_events", "there is no table"),
    ("SHOW CREATE TABLE events", "SHOW CREATE TABLE"),
    // The same in the words of Athena and CloudTrail Lake.
    (
        "CREATE EXTERNAL TABLE cloudtrail_logs (eventversion STRING) LOCATION 's3://bucket/AWSLogs/'",
        "not SQL",
    ),
    (
        "CREATE EXTERNAL TABLE cloudtrail_logs (eventversion STRING) STORED AS JSON LOCATION '/etc/'",
        "CREATE EXTERNAL TABLE is not allowed",
    ),
    (
        "CREATE TABLE x WITH (format = 'PARQUET', external_location = 'FOLDER') AS SELECT * FROM cloudtrail_logs",
        "CREATE TABLE is not allowed",
    ),
    (
        "UNLOAD (SELECT * FROM cloudtrail_logs) TO 'FOLDER' WITH (format = 'PARQUET')",
        "UNLOAD is not allowed",
    ),
    ("MSCK REPAIR TABLE cloudtrail_logs", "MSCK REPAIR TABLE"),
    (
        "ALTER TABLE cloudtrail_logs ADD PARTITION (region = 'x') LOCATION '/etc/'",
        "ALTER TABLE",
    ),
    (
        "CREATE OR REPLACE VIEW sessions AS SELECT 1",
        "CREATE OR REPLACE",
    ),
    ("DROP VIEW cloudtrail_logs", "DROP VIEW"),
    ("INSERT INTO sessions SELECT * FROM sessions", "INSERT INTO"),
    ("DELETE FROM event_data_store", "DELETE FROM"),
    (
        "SELECT * FROM \"default\".\"/etc/passwd\"",
        "files cannot be read by name",
    ),
    (
        "SELECT * FROM default.information_schema",
        "there is no table",
    ),
    (
        "SELECT * FROM cloudtrail_logs CROSS JOIN UNNEST(glob('/*')) AS f(name)",
        "there is no function",
    ),
    (
        "SELECT filter(ARRAY['x'], x -> x = read_text('/etc/passwd'))",
        "there is no function",
    ),
    (
        "SELECT TRY(read_blob('/etc/passwd'))",
        "there is no function",
    ),
    (
        "SELECT * FROM 01234567-0123-0123-0123-0123456789ab",
        "there is no table \"01234567-0123-0123-0123-0123456789ab\"",
    ),
    // Nothing at all.
    ("SELECT", "not SQL"),
    ("SELECT 'a", "not SQL"),
    ("SELECT $x", "parameter $x has no value"),
];

#[tokio::test]
async fn every_way_out_is_closed() {
    let session = session(Selection::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let (before, tables) = (files(Path::new(".")), session.tables());
    let mut wrong = Vec::new();
    for (sql, said) in ATTEMPTS {
        let sql = sql.replace("FOLDER", folder.path().to_str().unwrap());
        let fault = fault(&session, &sql).await;
        if !fault.message.contains(said) || fault.message.lines().count() != 1 {
            wrong.push(format!("{sql}: {}", fault.message));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(files(folder.path()), [""; 0]);
    assert_eq!(files(Path::new(".")), before);
    assert_eq!(session.tables(), tables);
}

/// A file of a user's own goes the same way.
#[tokio::test]
async fn every_way_out_is_closed_for_files_of_questions() {
    let session = session(Selection::default()).await;
    let folder = tempfile::tempdir().unwrap();
    for (sql, said) in ATTEMPTS {
        let sql = sql.replace("FOLDER", folder.path().to_str().unwrap());
        let text = format!("-- A question\n-- grain: one row\n{sql}\n");
        let question = match Question::new("q", "q.sql", &text) {
            Ok(question) => question,
            Err(error) => {
                let expected = [said, "a saved query is one query", "the query uses $"];
                let words = error.to_string();
                assert!(
                    expected.iter().any(|said| words.contains(*said)),
                    "{sql}: {words}"
                );
                continue;
            }
        };
        let params = question.params(&Default::default(), Utc::now()).unwrap();
        match question.ready(&session, &params).await {
            Err(SessionError::Sql(fault)) => {
                assert!(fault.message.contains(said), "{sql}: {fault}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// What may be asked.
#[tokio::test]
async fn questions_are_answered() {
    let session = session(Selection::default()).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM events", 1),
        ("WITH x AS (SELECT 1 AS a) SELECT * FROM x", 1),
        ("VALUES (1), (2)", 2),
        ("SELECT * FROM generate_series(1, 5)", 5),
        ("SHOW TABLES", 3 + VIEWS.len()),
        ("SHOW TABLES LIKE 'e%'", 2),
        ("DESCRIBE cloudtrail_logs", 36),
        ("WITH sessions AS (SELECT 1 AS a) SELECT a FROM sessions", 1),
        ("SHOW COLUMNS FROM rejects", 5),
        ("DESCRIBE rejects", 5),
        ("DESC rejects", 5),
        ("DESCRIBE SELECT 1 AS a, 2 AS b", 2),
        ("SHOW FUNCTIONS LIKE 'decoded_account_id'", 1),
        ("SELECT 1; -- a comment;\n SELECT 2 /* ; */;; SELECT ';'", 3),
        ("", 0),
        (
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT * FROM n",
            4,
        ),
        (
            "SELECT * FROM events WHERE access_key_id IN (SELECT issued_access_key_id FROM events) LIMIT 3",
            3,
        ),
        (
            "SELECT request_parameters, count(*) FROM events GROUP BY 1 LIMIT 2",
            2,
        ),
        (
            "SELECT max(request_parameters) FROM events UNION ALL SELECT user_agent FROM events LIMIT 2",
            2,
        ),
    ] {
        assert_eq!(rows(&session, sql).await.unwrap(), expected, "{sql}");
    }
    assert!(
        rows(&session, "EXPLAIN SELECT * FROM events")
            .await
            .unwrap()
            > 1
    );
}

/// A recursive query reads the log files once per step; each step sees all of them.
#[tokio::test]
async fn log_files_are_read_again_for_every_step() {
    let session = session(Selection::default()).await;
    let steps = "WITH RECURSIVE n AS (
            SELECT 1 AS step, count(*) AS events FROM events
            UNION ALL
            SELECT n.step + 1, e.events FROM n, (SELECT count(*) AS events FROM events) e WHERE n.step < 3
        ) SELECT DISTINCT events FROM n";
    assert_eq!(rows(&session, steps).await.unwrap(), 1);
    let twice =
        "SELECT 1 FROM (SELECT count(*) AS n FROM events) a, (SELECT count(*) AS n FROM events) b
        WHERE a.n = b.n AND a.n = 336";
    assert_eq!(rows(&session, twice).await.unwrap(), 1);
    assert_eq!(session.coverage().await.unwrap().events, 336);
}

/// Log files tell of themselves without a query that read them before.
#[tokio::test]
async fn log_files_and_rejects_are_tables_without_a_lake() {
    let asked = session(Selection::default()).await;
    let stored = "SELECT * FROM log_files WHERE outcome = 'stored'";
    assert_eq!(rows(&asked, stored).await.unwrap(), 54);
    let asked = session(Selection::default()).await;
    // A record that is no event, and what is left of the torn file.
    assert_eq!(rows(&asked, "SELECT record FROM rejects").await.unwrap(), 2);
}

/// No name leads around the selection.
#[tokio::test]
async fn the_selection_holds() {
    let account: AccountId = "444455556666".parse().unwrap();
    let session = session(Selection {
        accounts: [account].into(),
        ..Selection::default()
    })
    .await;
    for table in [
        "events",
        "public.events",
        "datafusion.public.events",
        "EVENTS",
    ] {
        let sql = format!("SELECT 1 FROM {table} WHERE account_id = '111122223333'");
        assert_eq!(rows(&session, &sql).await.unwrap(), 0, "{table}");
        let sql = format!("SELECT 1 FROM {table} WHERE account_id = '444455556666' LIMIT 1");
        assert_eq!(rows(&session, &sql).await.unwrap(), 1, "{table}");
    }
    // Nor does a view, by whatever name.
    for (view, account) in [
        ("cloudtrail_logs", "account"),
        ("awsdb.cloudtrail", "account_partition"),
        ("event_data_store", "recipientaccountid"),
        ("key_usage", "account_id"),
        ("failures", "account_id"),
    ] {
        let sql = format!("SELECT 1 FROM {view} WHERE {account} = '111122223333'");
        assert_eq!(rows(&session, &sql).await.unwrap(), 0, "{view}");
    }
}

/// What a build for tests needs to walk the deepest trees; the program's threads have more.
const STACK: usize = 8 << 20;

/// Statements that would be trees too deep to walk are refused; long flat ones are not.
#[test]
fn deep_statements_are_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let work = std::thread::Builder::new().stack_size(STACK);
    let work = work.spawn(move || runtime.block_on(deep_statements()));
    work.unwrap().join().unwrap();
}

async fn deep_statements() {
    let session = session(Selection::default()).await;
    let deep = 20_000;
    let nested = [
        format!("SELECT {}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("SELECT {}1", "NOT ".repeat(deep)),
        format!("SELECT {}1", "- ".repeat(deep)),
        format!("SELECT 1{}", " + 1".repeat(deep)),
        format!("SELECT 1 WHERE true{}", " OR 1 = 2".repeat(deep)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(deep)),
        format!("SELECT {}1{}", "abs(".repeat(deep), ")".repeat(deep)),
        format!("SELECT 1{}", "::int".repeat(deep)),
        format!("SELECT x{}", "[1]".repeat(deep)),
        format!("SELECT x{}", ".x".repeat(deep)),
        format!(
            "SELECT {} 1{}",
            "CASE WHEN true THEN ".repeat(deep),
            " END".repeat(deep)
        ),
        format!(
            "{}SELECT 1{}",
            "SELECT * FROM (".repeat(deep),
            ")".repeat(deep)
        ),
        format!(
            "SELECT 1 FROM events{}",
            " JOIN events USING (event_id)".repeat(deep)
        ),
        format!("SELECT 1 FROM events{}", ", events".repeat(deep)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(deep)),
        format!("SELECT ARRAY{}{}", "[".repeat(deep), "]".repeat(deep)),
    ];
    for sql in &nested {
        let start: String = sql.chars().take(40).collect();
        let fault = fault(&session, sql).await;
        let expected = ["too deeply", "too long", "too many"];
        assert!(
            expected.iter().any(|words| fault.message.contains(words)),
            "{start}: {}",
            fault.message
        );
    }
    let values: Vec<String> = (0..20_000).map(|n| format!("'{n}'")).collect();
    let flat = format!("SELECT 1 WHERE '7' IN ({})", values.join(", "));
    assert_eq!(rows(&session, &flat).await.unwrap(), 1);
    // What is allowed must also survive.
    let chain = format!("SELECT 1 WHERE false{}", " OR 1 = 2".repeat(490));
    assert_eq!(rows(&session, &chain).await.unwrap(), 0);
    let sum = format!("SELECT 1{}", " + 1".repeat(990));
    assert_eq!(rows(&session, &sum).await.unwrap(), 1);
    let concat = format!(
        "SELECT event_name{} FROM events LIMIT 1",
        " || 'x'".repeat(990)
    );
    assert_eq!(rows(&session, &concat).await.unwrap(), 1);
}

/// Refusals and near names are told apart.
#[tokio::test]
async fn faults_say_what_was_meant() {
    let session = session(Selection::default()).await;
    let refused = fault(&session, "DROP TABLE events").await;
    assert_eq!(refused.kind, FaultKind::Refused);
    let table = fault(&session, "SELECT 1 FROM evnts").await;
    assert_eq!(table.kind, FaultKind::NoTable("evnts".to_owned()));
    assert_eq!(table.near, ["events"]);
    let column = fault(&session, "SELECT\n  user_agnt FROM events").await;
    assert_eq!(column.near[0], "user_agent");
    let place = column.place.unwrap();
    assert_eq!((place.line, place.column, place.length), (2, 3, 9));
}

/// The engine would ask for memory for each of them at once, and end with the process.
#[tokio::test]
async fn a_percentile_does_not_count_more_finely_than_memory_allows() {
    let session = session(Selection::default()).await;
    for sql in [
        "SELECT approx_percentile_cont(log_file_record, 0.5, 1000000000) FROM events",
        "SELECT approx_percentile_cont(log_file_record, 0.5, 2000000000 / 2) FROM events GROUP BY event_name",
        "SELECT approx_percentile_cont(0.5, 1000000000) WITHIN GROUP (ORDER BY log_file_record) FROM events",
        "SELECT approx_percentile_cont(log_file_record, 0.5, 1000000000) OVER () FROM events",
    ] {
        let said = fault(&session, sql).await;
        assert!(
            said.message.contains("1000000000 centroids: at most 10000"),
            "{sql}: {said:?}"
        );
    }
    for sql in [
        "SELECT approx_percentile_cont(log_file_record, 0.5, 10000) FROM events",
        "SELECT approx_percentile(log_file_record, 0.5) FROM events",
    ] {
        assert_eq!(rows(&session, sql).await.unwrap(), 1, "{sql}");
    }
}
