//! Log files in an archive.
//!
//! In: the bytes of a ZIP or tar archive, the latter also compressed. Out: its files, one after the other, with their names.
//! Promise: nothing is written to disk; no file is larger than the caller's limit; what is not a file, and what operating
//! systems add for themselves, is passed over.

use super::fault::FileFault;
use super::gzip::ZSTD;
use std::io::{self, Cursor, Read};

/// The kinds of archive that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    Zip,
    Tar,
    GzippedTar,
    ZstdTar,
}

/// Gives the name and the content of a file in an archive.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&str, &[u8]) -> Result<(), FileFault>;

/// What archive the bytes are. Log files as AWS names them are not looked into twice.
pub(super) fn kind(bytes: &[u8], name: &str) -> Option<Archive> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(Archive::Zip);
    }
    if is_tar(bytes) {
        return Some(Archive::Tar);
    }
    if name.ends_with(".json.gz") {
        return None;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return is_tar(&start(flate2::bufread::GzDecoder::new(bytes)))
            .then_some(Archive::GzippedTar);
    }
    if bytes.starts_with(&ZSTD) {
        let decoder = zstd::Decoder::with_buffer(bytes).ok()?;
        return is_tar(&start(decoder)).then_some(Archive::ZstdTar);
    }
    None
}

/// As much of a text as tells that it is a tar archive.
fn start(reader: impl Read) -> Vec<u8> {
    let mut start = Vec::new();
    // Of damaged data, what came before the damage is enough or there is too little.
    let _read = reader.take(512).read_to_end(&mut start);
    start
}

/// <https://www.gnu.org/software/tar/manual/html_node/Standard.html>
fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// Visits the files of an archive; none may be larger than `limit`.
pub(super) fn members(
    bytes: &[u8],
    kind: Archive,
    limit: u64,
    visit: Visit<'_>,
) -> Result<(), FileFault> {
    match kind {
        Archive::Zip => zip(bytes, limit, visit),
        Archive::Tar => tar(bytes, limit, visit),
        Archive::GzippedTar => tar(flate2::bufread::MultiGzDecoder::new(bytes), limit, visit),
        Archive::ZstdTar => match zstd::Decoder::with_buffer(bytes) {
            Ok(decoder) => tar(decoder, limit, visit),
            Err(error) => Err(FileFault::Gzip(error.to_string())),
        },
    }
}

fn zip(bytes: &[u8], limit: u64, visit: Visit<'_>) -> Result<(), FileFault> {
    let broken = |error: &dyn std::fmt::Display| FileFault::Archive(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let mut fault = None;
    for place in 0..archive.len() {
        match zipped(&mut archive, place, limit) {
            Ok(Some((name, content))) => visit(&name, &content)?,
            Ok(None) => {}
            Err(error) => {
                fault.get_or_insert(error);
            }
        }
    }
    fault.map_or(Ok(()), Err)
}

/// Name and content of one file; none where there is nothing to read.
fn zipped(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    place: usize,
    limit: u64,
) -> Result<Option<(String, Vec<u8>)>, FileFault> {
    let broken = |error: &dyn std::fmt::Display| FileFault::Archive(error.to_string());
    let mut file = archive.by_index(place).map_err(|error| broken(&error))?;
    let name = file.name().map_err(|error| broken(&error))?.into_owned();
    if !file.is_file() || is_clutter(&name) {
        return Ok(None);
    }
    let content = content(&mut file, limit).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => FileFault::TooLarge { limit },
        _ => broken(&format!("{name}: {error}")),
    })?;
    Ok(Some((name, content)))
}

fn tar(reader: impl Read, limit: u64, visit: Visit<'_>) -> Result<(), FileFault> {
    let mut read = 0;
    let fault = |error: io::Error, read: u64| match error.kind() {
        io::ErrorKind::UnexpectedEof => FileFault::CutGzip { byte: read },
        io::ErrorKind::FileTooLarge => FileFault::TooLarge { limit },
        _ => FileFault::Archive(error.to_string()),
    };
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(|error| fault(error, 0))? {
        let mut entry = entry.map_err(|error| fault(error, read))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || is_clutter(&name) {
            continue;
        }
        let size = entry.size();
        let content = content(&mut entry, limit).map_err(|error| fault(error, read))?;
        if (content.len() as u64) < size {
            return Err(FileFault::CutGzip { byte: read });
        }
        read += size;
        visit(&name, &content)?;
    }
    Ok(())
}

fn content(reader: &mut dyn Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    match read as u64 > limit {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(content),
    }
}

/// What macOS and file managers put into archives.
fn is_clutter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || last.starts_with('.') || last == "Thumbs.db"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const FILES: [(&str, &str); 3] = [
        ("a/one.json", "{\"Records\":[]}"),
        ("__MACOSX/a/._one.json", "x"),
        ("two.json", "[]"),
    ];

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).expect("in memory");
            writer.write_all(content).expect("in memory");
        }
        writer.finish().expect("in memory").into_inner()
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, *content)
                .expect("in memory");
        }
        builder.into_inner().expect("in memory")
    }

    fn names(bytes: &[u8], kind: Archive) -> Result<Vec<String>, FileFault> {
        let mut names = Vec::new();
        members(bytes, kind, 1_000, &mut |name, content| {
            names.push(format!("{name} {}", content.len()));
            Ok(())
        })?;
        Ok(names)
    }

    #[test]
    fn every_kind_gives_its_files() {
        let files: Vec<(&str, &[u8])> = FILES
            .iter()
            .map(|(name, text)| (*name, text.as_bytes()))
            .collect();
        let tar = tar_of(&files);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).expect("in memory");
        let gzip = gzip.finish().expect("in memory");
        let zstd = zstd::encode_all(&tar[..], 3).expect("in memory");
        for (bytes, archive) in [
            (zip_of(&files), Archive::Zip),
            (tar.clone(), Archive::Tar),
            (gzip.clone(), Archive::GzippedTar),
            (zstd, Archive::ZstdTar),
        ] {
            assert_eq!(kind(&bytes, "evidence"), Some(archive));
            assert_eq!(
                names(&bytes, archive),
                Ok(vec!["a/one.json 14".to_owned(), "two.json 2".to_owned()])
            );
        }
        assert_eq!(kind(b"{}", "x"), None);
        assert!(matches!(
            names(&gzip[..gzip.len() - 20], Archive::GzippedTar),
            Err(FileFault::CutGzip { .. })
        ));
        let large: Vec<u8> = vec![b' '; 2_000];
        assert_eq!(
            names(&zip_of(&[("large", &large)]), Archive::Zip),
            Err(FileFault::TooLarge { limit: 1_000 })
        );
    }
}
