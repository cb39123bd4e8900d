//! Makes trails on disk: in: a folder and keys; out: files at those keys.

use std::fs;
use std::path::Path;

/// Writes a file, with the folders it needs.
pub(crate) fn write(folder: &Path, key: &str, content: &[u8]) {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The key of the log file that was delivered on a day (`2025/03/05`) at a time (`1205`).
pub(crate) fn key(region_folder: &str, day: &str, time: &str) -> String {
    let date = day.replace('/', "");
    format!("{region_folder}/{day}/1_CloudTrail_x_{date}T{time}Z_AbCdEfGhIjKlMnOp.json.gz")
}
