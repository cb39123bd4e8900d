//! Log files in an archive.
//!
//! In: the bytes of a ZIP or tar archive, the latter also compressed. Out: its files, one after the other, with their names.
//! Promise: nothing is written to disk; no file is larger than the caller's limit; a file that cannot be unpacked is given
//! as a fault, and those around it are read; what is not a file is passed over; of an archive that is cut off, the files
//! before the cut are given.

mod torn;

use super::fault::FileFault;
use super::gzip::ZSTD;
use crate::cloudtrail::is_log_file;
use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use tar::EntryType;

/// The kinds of archive that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    Zip,
    Tar,
    GzippedTar,
    ZstdTar,
}

/// Gives the name and the content of a file in an archive, or why it has none.
pub(super) type Visit<'v> =
    &'v mut dyn FnMut(&str, Result<&[u8], FileFault>) -> Result<(), FileFault>;

/// A file in an archive is held whole, and so may not be larger than this.
const LARGEST: u64 = 256 << 20;

/// What archive the bytes are. Log files as AWS names them are not looked into twice.
pub(super) fn kind(bytes: &[u8], name: &str) -> Option<Archive> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(Archive::Zip);
    }
    if is_tar(bytes) {
        return Some(Archive::Tar);
    }
    if is_log_file(name.rsplit('/').next().unwrap_or(name)) {
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
    let limit = limit.min(LARGEST);
    match kind {
        Archive::Zip => zip(bytes, limit, visit),
        Archive::Tar => tar(bytes, limit, visit),
        Archive::GzippedTar => tar(flate2::bufread::MultiGzDecoder::new(bytes), limit, visit),
        Archive::ZstdTar => match zstd::Decoder::with_buffer(bytes) {
            Ok(decoder) => tar(decoder, limit, visit),
            Err(error) => Err(FileFault::Archive(error.to_string())),
        },
    }
}

fn zip(bytes: &[u8], limit: u64, visit: Visit<'_>) -> Result<(), FileFault> {
    // Without the directory at its end, each file still has a header of its own.
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return torn::zip(bytes, limit, visit);
    };
    for place in 0..archive.len() {
        let name = archive.name_for_index(place).and_then(Result::ok);
        let name = name.map(Cow::into_owned);
        match zipped(&mut archive, place, limit) {
            Ok(Some((name, content))) => visit(&name, Ok(&content))?,
            Ok(None) => {}
            Err(fault) => {
                let name = name.unwrap_or_else(|| format!("file {place}"));
                visit(&name, Err(fault))?;
            }
        }
    }
    let listed = listed(bytes).unwrap_or(archive.len());
    match listed.checked_sub(archive.len()) {
        None | Some(0) => Ok(()),
        Some(more) => Err(FileFault::Archive(format!(
            "{more} of its {listed} files have the name of another, and only the last of each name was read"
        ))),
    }
}

/// How many files a ZIP archive says that it has, in the record at its end.
fn listed(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    let count = bytes.get(end + 10..end + 12)?.try_into().ok()?;
    // All bits are set where another record says it.
    Some(usize::from(u16::from_le_bytes(count))).filter(|count| *count != 0xffff)
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
    if !file.is_file() {
        return Ok(None);
    }
    let content = content(&mut file, limit).map_err(|error| unpacked(&error, limit))?;
    Ok(Some((name, content)))
}

/// Why a file in an archive could not be unpacked.
fn unpacked(error: &io::Error, limit: u64) -> FileFault {
    match error.kind() {
        io::ErrorKind::FileTooLarge => FileFault::TooLarge { limit },
        _ => FileFault::Archive(error.to_string()),
    }
}

fn tar(reader: impl Read, limit: u64, visit: Visit<'_>) -> Result<(), FileFault> {
    let mut read = 0;
    let fault = |error: io::Error, read: u64| match error.kind() {
        io::ErrorKind::UnexpectedEof => FileFault::Archive(format!(
            "it ends too early, after {read} bytes of its files: the rest is missing"
        )),
        _ => FileFault::Archive(format!(
            "{error}; what follows byte {read} of its files is missing"
        )),
    };
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(|error| fault(error, 0))? {
        let mut entry = entry.map_err(|error| fault(error, read))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if !matches!(
            kind,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse
        ) {
            continue;
        }
        let size = entry.size();
        if size > limit {
            visit(&name, Err(FileFault::TooLarge { limit }))?;
            continue;
        }
        let mut content = Vec::new();
        // Of a file that is cut off, what is there is read.
        let whole = entry.read_to_end(&mut content);
        read += content.len() as u64;
        if whole.is_ok() && content.len() as u64 == size {
            visit(&name, Ok(&content))?;
            continue;
        }
        if !content.is_empty() {
            visit(&name, Ok(&content))?;
        }
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        return Err(fault(whole.err().unwrap_or_else(cut), read));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const FILES: [(&str, &str); 2] = [("a/one.json", "{\"Records\":[]}"), ("two.json", "[]")];

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
            names.push(match content {
                Ok(content) => format!("{name} {}", content.len()),
                Err(fault) => format!("{name}: {fault}"),
            });
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
            Err(FileFault::Archive(_))
        ));
        let large: Vec<u8> = vec![b' '; 2_000];
        let files: [(&str, &[u8]); 2] = [("large", &large), ("small", b"[]")];
        for (bytes, kind) in [
            (zip_of(&files), Archive::Zip),
            (tar_of(&files), Archive::Tar),
        ] {
            let names = names(&bytes, kind).expect("sound");
            assert!(
                names[0].starts_with("large: more than 1000 bytes"),
                "{names:?}"
            );
            assert_eq!(names[1], "small 2");
        }
    }

    /// However a ZIP is cut, the files before the cut are there, and nothing else is.
    #[test]
    fn a_torn_zip_gives_the_files_before_the_cut() {
        let text: Vec<u8> = (0..3_000u32)
            .flat_map(|n| n.to_string().into_bytes())
            .collect();
        let files: [(&str, &[u8]); 3] = [("a", &text), ("b", b"[]"), ("c", &text)];
        let whole = zip_of(&files);
        let all = names(&whole, Archive::Zip).expect("sound");
        for cut in (4..whole.len() - 1).step_by(37) {
            let mut found = Vec::new();
            let torn = members(
                &whole[..cut],
                Archive::Zip,
                1 << 20,
                &mut |name, content| {
                    let content = content.expect("what is there is sound");
                    let (_, file) = files
                        .iter()
                        .find(|(file, _)| *file == name)
                        .expect("a file");
                    assert!(file.starts_with(content), "{name}");
                    found.push((name.to_owned(), content.len()));
                    Ok(())
                },
            );
            let fault = torn.expect_err("cut").to_string();
            assert!(fault.contains("is missing"), "{fault}");
            assert!(found.len() <= all.len());
        }
        let mut found = 0;
        let torn = members(
            &whole[..whole.len() - 30],
            Archive::Zip,
            1 << 20,
            &mut |_, _| {
                found += 1;
                Ok(())
            },
        );
        assert!(torn.is_err() && found == 3, "{found}");
    }
}
