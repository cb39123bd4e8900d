//! What goes wrong with a cluster, and what is said then.

use std::process::{Child, Output, Stdio};
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
    folder: tempfile::TempDir,
}

impl Remote {
    const LAKE: &str = "s3://logs/lake";

    /// So many executors of one slot.
    fn start(executors: usize) -> Self {
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
            cluster: Cluster::start_in(executors, 1, (&s3, &server.environment())),
            server,
            _runtime: runtime,
            folder,
        }
    }

    /// Starts one more executor, whose reads the server can hold.
    fn add_other(&mut self, slots: usize) {
        let s3 = ["--endpoint-url", &self.server.endpoint];
        self.cluster
            .add(slots, &s3, &self.server.other_environment());
        self.cluster.wait_for(self.cluster.executors.len());
    }

    /// How many data files have events.
    fn data_files(&self) -> usize {
        let lake = self.folder.path().join("logs/lake/events");
        let files = walkdir::WalkDir::new(lake).into_iter();
        let names = files.map(|file| file.unwrap().file_name().to_owned());
        names
            .filter(|name| name.to_str().unwrap().ends_with(".parquet"))
            .count()
    }

    /// A question that is asked.
    fn command(&self, sql: &str, more: &[&str]) -> std::process::Command {
        let ask = ["sql", sql, "--lake", Self::LAKE, "--format", "csv"];
        let s3 = ["--endpoint-url", &self.server.endpoint];
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.args([&ask[..], &s3, more].concat());
        command.envs(self.server.environment());
        command
    }

    /// What a question answers.
    fn ask(&self, sql: &str, more: &[&str]) -> Output {
        self.command(sql, more).output().unwrap()
    }

    /// A question that the cluster is asked.
    fn begin(&self, sql: &str) -> Child {
        let mut command = self.command(sql, &["--cluster", &self.cluster.address]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
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

/// Waits until the executor with the other key reads a data file: it has a task.
fn begun(server: &S3Server, asked: &mut Child) {
    let since = Instant::now();
    while !server.holds_one() {
        assert!(asked.try_wait().unwrap().is_none(), "nothing waited");
        assert!(since.elapsed() < Duration::from_secs(60), "nothing begins");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_executor_that_is_killed_costs_seconds_and_no_rows() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start(1);
    remote.add_other(1);
    let undisturbed = remote.ask(COUNT, &[]);
    remote.server.hold();
    let mut asked = remote.begin(COUNT);
    begun(&remote.server, &mut asked);
    remote.cluster.executors.pop();
    let killed = Instant::now();
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.stdout, undisturbed.stdout, "{said}");
    println!(
        "answered {:.1} s after the kill",
        killed.elapsed().as_secs_f32()
    );
    assert!(killed.elapsed() < Duration::from_secs(120));
}

#[test]
fn a_scheduler_that_is_killed_is_told_of_and_can_come_back() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start(0);
    remote.add_other(2);
    remote.server.hold();
    let mut asked = remote.begin(COUNT);
    begun(&remote.server, &mut asked);
    let address = remote.cluster.address.clone();
    drop(remote.cluster.scheduler.take());
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("went away during the"), "{said}");
    remote.server.release();
    let (scheduler, _) = scheduler(address.trim_start_matches("df://"));
    remote.cluster.scheduler = Some(scheduler);
    remote.cluster.wait_for(1);
    let output = remote.ask(COUNT, &["--cluster", &address]);
    let said = String::from_utf8(output.stderr).unwrap();
    // A log file of the trail is torn.
    assert_eq!(output.status.code(), Some(3), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_the_job() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let mut remote = Remote::start(0);
    remote.add_other(1);
    let files = remote.data_files();
    remote.server.hold();
    remote.server.take_gets();
    let mut asked = remote.begin(COUNT);
    begun(&remote.server, &mut asked);
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &asked.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let output = asked.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    remote.server.release();
    // The task that runs goes on to its end; what is not begun does not begin.
    sleep(Duration::from_secs(3));
    let read = remote.server.take_gets().into_keys();
    let read = read.filter(|key| key.contains("event_date=")).count();
    println!("{read} of {files} data files read");
    assert!(0 < read && read < files);
    let output = remote.ask(COUNT, &["--cluster", &remote.cluster.address]);
    let said = String::from_utf8(output.stderr).unwrap();
    // A log file of the trail is torn.
    assert_eq!(output.status.code(), Some(3), "{said}");
}

#[test]
fn another_version_is_refused_by_name() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let cluster = Cluster::start(1, 1);
    // On the way, the client's version becomes another one.
    let other = super::Ear::changing(&cluster.address, |bytes| {
        const VERSION: &[u8] = b", plans ";
        let found = bytes.windows(VERSION.len()).position(|it| it == VERSION);
        if let Some(digit) = found.and_then(|at| bytes.get_mut(at + VERSION.len())) {
            *digit = b'x';
        }
    });
    let (code, _, said) = asked(&lake, &other.address, COUNT);
    assert_eq!(code, Some(1), "{said}");
    let version = env!("CARGO_PKG_VERSION");
    let named = format!(
        "different versions of keytrail: the query comes from {version}, plans x, the scheduler is {version}, plans "
    );
    assert!(said.contains(&named), "{said}");
    assert!(
        said.contains(
            "hint: run the same version of keytrail here, on the scheduler and on all executors"
        ),
        "{said}"
    );
}

#[test]
#[ignore = "needs unshare"]
fn a_full_work_folder_is_told_of_with_unshare() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let lake = super::lake("testdata/trail", folder.path());
    let mut cluster = Cluster::start(0, 1);
    let work = cluster.folder.path().join("0");
    std::fs::create_dir(&work).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=64k none '{}' && exec '{}' \"$@\"",
        work.display(),
        env!("CARGO_BIN_EXE_keytrail")
    );
    let mut small = std::process::Command::new("unshare");
    small.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    cluster.add_as(small, 1, (&[], &[]));
    cluster.wait_for(1);
    let all = "SELECT * FROM events ORDER BY event_id";
    let (code, _, said) = asked(&lake, &cluster.address, all);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("the work folder of an executor is full"),
        "{said}"
    );
    assert!(
        said.contains("hint: give the executors a --work-dir with more space"),
        "{said}"
    );
    // The executor goes on.
    let (code, _, said) = asked(&lake, &cluster.address, COUNT);
    assert_eq!(code, Some(3), "{said}");
}

#[test]
fn an_address_that_nobody_could_reach_is_refused() {
    for process in [
        &["scheduler"][..],
        &[
            "executor",
            "--scheduler",
            "df://127.0.0.1:50050",
            "--work-dir",
            "unused",
        ],
    ] {
        let bind = ["--bind", "0.0.0.0:0"];
        let output = keytrail(&[&["cluster"], process, &bind].concat())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("the others need to know one"), "{said}");
    }
}

#[test]
fn credentials_do_not_travel() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let remote = Remote::start(2);
    let ear = super::Ear::before(&remote.cluster.address);
    let question = "SELECT access_key_id, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1";
    let here = remote.ask(question, &[]);
    let output = remote.ask(question, &["--cluster", &ear.address]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.stdout, here.stdout, "{said}");
    assert!(!said.contains("not on the cluster"), "{said}");
    ear.assert_no_credentials(&remote.server);
}

#[test]
fn a_bucket_that_refuses_for_a_while_costs_no_rows() {
    let _turn = TURN.lock().unwrap_or_else(|turn| turn.into_inner());
    let remote = Remote::start(2);
    let question = "SELECT event_id, event_name FROM events ORDER BY 1";
    let here = remote.ask(question, &[]);
    let refusal = || s3s::s3_error!(SlowDown);
    remote.server.refuse("GetObject", 10, refusal);
    let there = remote.ask(question, &["--cluster", &remote.cluster.address]);
    let said = String::from_utf8(there.stderr).unwrap();
    assert_eq!(there.stdout, here.stdout, "{said}");
    assert!(!said.contains("not on the cluster"), "{said}");
}
