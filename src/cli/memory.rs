//! The memory of the process.
//!
//! In: nothing. Out: the bytes that the process holds. Promise: what is mapped from files, the program itself among it, is
//! not counted; where the system does not tell, nothing is said.

/// What a command takes besides what its queries sort, group and join: log files that are read, footers, the program.
pub(crate) const BESIDES: u64 = 1 << 30;

/// The bytes that the process holds in memory.
///
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
#[cfg(target_os = "linux")]
pub(crate) fn held() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// The bytes that the process holds in memory: not known on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn held() -> Option<u64> {
    None
}
