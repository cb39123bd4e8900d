//! What goes wrong with a cluster, and what is said then.

use std::io::{Read as _, Write as _};
use std::process::{Child, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Cluster, TURN, scheduler};
use crate::program::keytrail;
use crate::s3_server::S3Server;

/// What a question says and how it ends.
fn asked(lake: &str, address: &str, sql: &str) -> (Option<i32>, String, String) {
    let args = [
        "sql",
        sql,
        "--lake",
        lake,
        "--format",
        "csv",
        "--cluster",
        address,
    ];
    let output = keytrail(&args).output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A lake in a bucket, and a cluster that may read it.
struct Remote {
    cluster: Cluster,
    server: S3Server,
    /// The server's.
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Remote {
    const LAKE: &str = "s3://logs/lake";

    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(S3Server::start(folder.path()));
        let s3 = ["--endpoint-url", &server.endpoint];
        let ingest = ["ingest", "testdata/trail", "--lake", Self::LAKE, "--quiet"];
        let mut ingest = keytrail(&[&ingest[..], &s3].concat());
        let ingested = ingest.envs(server.environment()).output().unwrap();
        assert_eq!(ingested.status.code(), Some(3), "{ingested:?}");
        Self {
            cluster: Cluster::start_in(2, 1, (&s3, &server.environment())),
            server,
            _runtime: runtime,
            _folder: folder,
        }
    }

    /// What a question answers.
    fn ask(&self, sql: &str, more: &[&str]) -> Output {
        let ask = ["sql", sql, "--lake", Self::LAKE, "--format", "csv"];
        let s3 = ["--endpoint-url", &self.server.endpoint];
        let mut command = keytrail(&[&ask[..], &s3, more].concat());
        command.envs(self.server.environment()).output().unwrap()
    }
}

const COUNT: &str = "SELECT count(*) FROM events WHERE access_key_id IS NOT NULL";

#[test]
fn nobody_there_is_told_at_once() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let nobody = format!("df://127.0.0.1:{}", super::two_ports());
    let begun = Instant::now();
    let (code, _, said) = asked(&lake, &nobody, COUNT);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("the scheduler {nobody} cannot be reached")),
        "{said}"
    );
    assert!(begun.elapsed() < Duration::from_secs(8));
    let (code, _, said) = asked(&lake, "127.0.0.1:50050", COUNT);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("df://HOST:PORT"), "{said}");
}

#[test]
fn a_scheduler_without_executors_is_told_of() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let (_scheduler, address) = scheduler("127.0.0.1:0");
    let (code, _, said) = asked(&lake, &address, COUNT);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("the cluster {address} has no executor")),
        "{said}"
    );
    assert!(said.contains("keytrail cluster executor"), "{said}");
}

#[test]
fn an_error_of_a_statement_is_told_as_here() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = Cluster::start(1, 2);
    let (code, _, said) = asked(&lake, &cluster.address, "SELECT no_such_column FROM events");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("there is no column"), "{said}");
    let (code, _, said) = asked(
        &lake,
        &cluster.address,
        "SELECT 1 / (length(event_name) - length(event_name)) AS x FROM events",
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("failed on the cluster: Divide by zero error"),
        "{said}"
    );
}

#[test]
fn a_data_file_that_is_gone_is_told_of() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = Cluster::start(1, 2);
    let file = walkdir::WalkDir::new(format!("{lake}/events"))
        .into_iter()
        .filter_map(Result::ok)
        .find(|file| file.path().extension().is_some_and(|end| end == "parquet"))
        .unwrap();
    std::fs::remove_file(file.path()).unwrap();
    let (code, _, said) = asked(&lake, &cluster.address, COUNT);
    assert_eq!(code, Some(1), "{said}");
    let name = file.file_name().to_str().unwrap();
    assert!(said.contains(name), "{said}");
}

/// A question that takes a while: all events with all others, compared as text.
const LONG: &str = "SELECT count(*) FROM events AS a JOIN events AS b ON a.event_id < b.event_id
    JOIN (SELECT event_id FROM events ORDER BY event_id LIMIT 300) AS c ON a.event_id || b.event_id > c.event_id";

/// Waits until executors have begun to hand on rows, or to read.
fn begun(asked: &mut Child) {
    sleep(Duration::from_secs(2));
    assert!(
        asked.try_wait().unwrap().is_none(),
        "the question was too quick"
    );
}

fn ask(lake: &str, address: &str, sql: &str) -> Child {
    let args = [
        "sql",
        sql,
        "--lake",
        lake,
        "--format",
        "csv",
        "--cluster",
        address,
    ];
    std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn an_executor_that_is_killed_costs_seconds_and_no_rows() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let mut cluster = Cluster::start(2, 1);
    let (code, undisturbed, said) = asked(&lake, &cluster.address, LONG);
    assert_eq!(code, Some(3), "{said}");
    let mut asked = ask(&lake, &cluster.address, LONG);
    begun(&mut asked);
    cluster.executors.pop();
    let killed = Instant::now();
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        undisturbed,
        "{said}"
    );
    println!(
        "answered {:.1} s after the kill",
        killed.elapsed().as_secs_f32()
    );
    assert!(killed.elapsed() < Duration::from_secs(120));
}

#[test]
fn a_scheduler_that_is_killed_is_told_of_and_can_come_back() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let mut cluster = Cluster::start(1, 2);
    let mut asked_now = ask(&lake, &cluster.address, LONG);
    begun(&mut asked_now);
    let bind = cluster.address.trim_start_matches("df://").to_owned();
    drop(cluster.scheduler.take());
    let output = asked_now.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("went away during the query"), "{said}");
    let (scheduler, _) = scheduler(&bind);
    cluster.scheduler = Some(scheduler);
    cluster.wait_for(1);
    let (code, _, said) = asked(&lake, &cluster.address, COUNT);
    // A log file of the trail is torn.
    assert_eq!(code, Some(3), "{said}");
}

/// Work that goes on is seen by the processor time of the executor.
#[cfg(target_os = "linux")]
fn busy(process: &super::Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.0.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_cancels_the_job() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = Cluster::start(1, 1);
    let mut asked_now = ask(&lake, &cluster.address, LONG);
    begun(&mut asked_now);
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &asked_now.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let output = asked_now.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    // A task that runs stops at its next rows; what is not begun does not begin.
    let begun = Instant::now();
    loop {
        let before = busy(&cluster.executors[0]);
        sleep(Duration::from_secs(1));
        if busy(&cluster.executors[0]) - before < 20 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it goes on");
    }
    println!("quiet {:.1} s after Ctrl-C", begun.elapsed().as_secs_f32());
    let (code, _, said) = asked(&lake, &cluster.address, COUNT);
    // A log file of the trail is torn.
    assert_eq!(code, Some(3), "{said}");
}

#[test]
fn credentials_do_not_travel() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let remote = Remote::start();
    // Everything that the client sends passes here.
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let through = format!("df://{}", listener.local_addr().unwrap());
    let there = remote
        .cluster
        .address
        .trim_start_matches("df://")
        .to_owned();
    let ear = Arc::clone(&heard);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (
                client.unwrap(),
                std::net::TcpStream::connect(&there).unwrap(),
            );
            let (mut back, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let ear = Arc::clone(&ear);
            std::thread::spawn(move || {
                let mut bytes = [0; 64 << 10];
                while let Ok(some @ 1..) = client.read(&mut bytes) {
                    ear.lock().unwrap().extend_from_slice(&bytes[..some]);
                    if to.write_all(&bytes[..some]).is_err() {
                        break;
                    }
                }
            });
            std::thread::spawn(move || {
                let _ended = std::io::copy(&mut server, &mut back);
                let _closed = back.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    let question = "SELECT access_key_id, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1";
    let here = remote.ask(question, &[]);
    let output = remote.ask(question, &["--cluster", &through]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.stdout, here.stdout, "{said}");
    assert!(!said.contains("not on the cluster"), "{said}");
    let heard = heard.lock().unwrap();
    let text = String::from_utf8_lossy(&heard);
    assert!(text.contains("s3://logs"), "the plan did not pass here");
    for (name, value) in remote.server.environment() {
        let secret = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name);
        assert!(!secret || !text.contains(value), "{name} travels");
    }
}

#[test]
fn a_bucket_that_refuses_for_a_while_costs_no_rows() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let remote = Remote::start();
    let question = "SELECT event_id, event_name FROM events ORDER BY 1";
    let here = remote.ask(question, &[]);
    let refusal = || s3s::s3_error!(SlowDown);
    remote.server.refuse("GetObject", 10, refusal);
    let there = remote.ask(question, &["--cluster", &remote.cluster.address]);
    let said = String::from_utf8(there.stderr).unwrap();
    assert_eq!(there.stdout, here.stdout, "{said}");
    assert!(!said.contains("not on the cluster"), "{said}");
}
