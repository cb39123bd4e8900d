//! Whether a cluster can work.
//!
//! In: a scheduler's address. Out: how many executors it has. Promise: an answer within seconds, whatever is or is not at the
//! address. A scheduler without executors takes queries and never says that nobody works on them.

use super::{Address, ClusterError};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// Longer than any healthy answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long an executor that is about to register is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// The most of an answer that is read.
const ANSWER: u64 = 4096;

/// Waits for the first executor, and says how many there are.
///
/// # Errors
///
/// There is no scheduler, or none of its executors comes.
pub(super) async fn executors(address: &Address) -> Result<usize, ClusterError> {
    let begun = Instant::now();
    loop {
        match look(address).await? {
            0 if begun.elapsed() >= PATIENCE => {
                return Err(ClusterError::NoExecutor {
                    address: address.clone(),
                    seconds: PATIENCE.as_secs(),
                });
            }
            0 => sleep(PAUSE).await,
            some => return Ok(some),
        }
    }
}

/// The executors of a scheduler, now.
pub(super) async fn look(address: &Address) -> Result<usize, ClusterError> {
    let answer = match timeout(ANSWER_LIMIT, ask(address)).await {
        Ok(answer) => answer,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    let answer = answer.map_err(|error| ClusterError::Unreachable {
        address: address.clone(),
        source: Box::new(error),
    })?;
    registered(&answer).ok_or_else(|| ClusterError::Foreign {
        address: address.clone(),
        answer: answer.lines().next().unwrap_or_default().to_owned(),
    })
}

/// What the scheduler says to whom asks whether it is ready.
async fn ask(address: &Address) -> io::Result<String> {
    let host = address.host.trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, address.port)).await?;
    let request = format!(
        "GET /readyz HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n",
        address.host, address.port
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// `ready: 3 executors registered` or `not ready: 0/1 executors registered`.
fn registered(answer: &str) -> Option<usize> {
    let line = answer
        .lines()
        .find(|line| line.ends_with("executors registered"))?;
    let (_, count) = line.split_once("ready: ")?;
    let digits = count.find(|c: char| !c.is_ascii_digit())?;
    count[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executors_are_counted() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n";
        let count = |line: &str| registered(&format!("{head}{line}"));
        assert_eq!(count("ready: 12 executors registered\n"), Some(12));
        assert_eq!(count("not ready: 0/1 executors registered\n"), Some(0));
        assert_eq!(count("ready: executors registered\n"), None);
        assert_eq!(registered("SSH-2.0-OpenSSH_9.6\r\n"), None);
        assert_eq!(registered(""), None);
    }

    #[tokio::test]
    async fn nobody_and_somebody_else_are_told_apart() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
        };
        let other = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await.unwrap();
        };
        let (looked, ()) = tokio::join!(look(&address), other);
        assert!(matches!(looked, Err(ClusterError::Foreign { .. })));
        drop(listener);
        let looked = look(&address).await;
        assert!(matches!(looked, Err(ClusterError::Unreachable { .. })));
    }
}
