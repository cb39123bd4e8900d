//! Questions on a cluster: its processes run on loopback, started by the tests.

mod commands;
mod failures;
mod guard;
mod ingest;
#[cfg(target_os = "linux")]
mod measure;
mod progress;
mod statements;
mod trail;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::s3_server::S3Server;

/// Tests with processes of their own run one after the other: they would wait for each other's processor time.
static TURN: Mutex<()> = Mutex::new(());

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        Self::run(program, args, environment)
    }

    fn run(mut program: Command, args: &[&str], environment: &[(&str, &str)]) -> Self {
        program.args(args).stdout(Stdio::null());
        program.stderr(Stdio::piped());
        program.envs(environment.iter().copied());
        Self(program.spawn().unwrap())
    }

    /// The first line on standard error that has this word; what follows is read and dropped.
    fn says(&mut self, word: &str) -> String {
        let mut lines = BufReader::new(self.0.stderr.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains(word)));
        std::thread::spawn(move || lines.for_each(drop));
        line.unwrap_or_else(|| panic!("it ended before it said {word:?}"))
    }
}

/// A scheduler and its executors.
struct Cluster {
    address: String,
    executors: Vec<Process>,
    scheduler: Option<Process>,
    folder: TempDir,
}

impl Cluster {
    /// Starts a scheduler and so many executors with so many slots each.
    fn start(executors: usize, slots: usize) -> Self {
        Self::start_in(executors, slots, (&[], &[]))
    }

    /// The same; the executors have options and variables of their own.
    fn start_in(
        executors: usize,
        slots: usize,
        (options, environment): (&[&str], &[(&str, &str)]),
    ) -> Self {
        let (scheduler, address) = scheduler("127.0.0.1:0");
        let mut cluster = Self {
            address,
            executors: Vec::new(),
            scheduler: Some(scheduler),
            folder: tempfile::tempdir().unwrap(),
        };
        for _ in 0..executors {
            cluster.add(slots, options, environment);
        }
        if executors > 0 {
            cluster.wait_for(executors);
        }
        cluster
    }

    /// Starts one more executor.
    fn add(&mut self, slots: usize, options: &[&str], environment: &[(&str, &str)]) {
        let program = Command::new(env!("CARGO_BIN_EXE_keytrail"));
        self.add_as(program, slots, (options, environment));
    }

    /// The same, started by this command.
    fn add_as(
        &mut self,
        program: Command,
        slots: usize,
        (options, environment): (&[&str], &[(&str, &str)]),
    ) {
        let number = self.executors.len().to_string();
        let work = self.folder.path().join(number);
        let bind = format!("127.0.0.1:{}", two_ports());
        let args = [
            "cluster",
            "executor",
            "--scheduler",
            &self.address,
            "--bind",
            &bind,
            "--slots",
            &slots.to_string(),
            "--work-dir",
            work.to_str().unwrap(),
            "--memory",
            "1GiB",
        ];
        let mut process = Process::run(program, &[&args, options].concat(), environment);
        process.says("executor on");
        self.executors.push(process);
    }

    /// Waits until the scheduler knows so many executors.
    fn wait_for(&self, executors: usize) {
        let begun = Instant::now();
        let wanted = format!("ready: {executors} executors registered");
        while !self.readiness().contains(&wanted) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{}",
                self.readiness()
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn readiness(&self) -> String {
        let host = self.address.trim_start_matches("df://");
        let mut stream = TcpStream::connect(host).unwrap();
        let request = "GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Hears everything that clients send to a scheduler.
struct Ear {
    address: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Ear {
    /// One before this scheduler.
    fn before(scheduler: &str) -> Self {
        Self::changing(scheduler, |_| {})
    }

    /// The same; what it hears it changes.
    fn changing(scheduler: &str, change: fn(&mut [u8])) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("df://{}", listener.local_addr().unwrap());
        let there = scheduler.trim_start_matches("df://").to_owned();
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, mut server) =
                    (client.unwrap(), TcpStream::connect(&there).unwrap());
                let (mut back, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let ear = Arc::clone(&ear);
                std::thread::spawn(move || {
                    let mut bytes = [0; 64 << 10];
                    while let Ok(some @ 1..) = client.read(&mut bytes) {
                        ear.lock().unwrap().extend_from_slice(&bytes[..some]);
                        change(&mut bytes[..some]);
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
        Self { address, heard }
    }

    /// A plan was heard, and no credential.
    fn assert_no_credentials(&self, server: &S3Server) {
        let heard = self.heard.lock().unwrap();
        let text = String::from_utf8_lossy(&heard);
        assert!(text.contains("s3://logs"), "the plan did not pass here");
        for (name, value) in server.environment() {
            let secret = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name);
            assert!(!secret || !text.contains(value), "{name} travels");
        }
    }
}

/// A scheduler, and its address.
fn scheduler(bind: &str) -> (Process, String) {
    let mut scheduler = Process::start(&["cluster", "scheduler", "--bind", bind], &[]);
    let line = scheduler.says("df://");
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("df://"));
    let address = address.unwrap().trim_end_matches(';').to_owned();
    (scheduler, address)
}

/// A port that is free now, and the next one as well.
fn two_ports() -> u16 {
    for _ in 0..1000 {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two free ports in a row")
}

/// A lake of a trail in several files, so that there is something to share. Ingested in parts.
fn lake(trail: &str, folder: &Path) -> String {
    let lake = folder.join("lake");
    let lake = lake.to_str().unwrap();
    let trail = Path::new(env!("CARGO_MANIFEST_DIR")).join(trail);
    crate::program::keytrail(&["ingest", trail.to_str().unwrap(), "--lake", lake, "--quiet"])
        .output()
        .unwrap();
    lake.to_owned()
}
