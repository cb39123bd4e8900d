//! Checksums of pages.
//!
//! In: a Parquet file as the writer made it, and its metadata. Out: the same file with the CRC-32 of every page in the page's
//! header. Promise: every reader of Parquet reads the file; a reader that verifies checksums notices a changed bit in a page.
//!
//! The field is part of the format (<https://parquet.apache.org/docs/file-format/data-pages/checksumming/>). The crate
//! `parquet` verifies it but does not write it. A header that grows moves all that follows, so the offsets in the metadata
//! move, too.

use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::writer::TrackedWrite;
use std::io::Write;

/// The file with a checksum in every page.
pub(super) fn with_checksums(file: &[u8], metadata: ParquetMetaData) -> Result<Vec<u8>> {
    let columns = || {
        let groups = metadata.row_groups().iter();
        groups.flat_map(RowGroupMetaData::columns)
    };
    let indexes = columns()
        .flat_map(|column| [column.column_index_offset(), column.offset_index_offset()])
        .flatten()
        .min();
    let Some(indexes) = indexes else {
        // No rows, no pages.
        return Ok(file.to_vec());
    };
    let mut chunks: Vec<(usize, usize)> = columns()
        .map(|column| {
            let (begin, length) = column.byte_range();
            (begin as usize, (begin + length) as usize)
        })
        .collect();
    chunks.sort_unstable();
    let mut bytes = Vec::with_capacity(file.len() + file.len() / 32);
    let mut out = TrackedWrite::new(&mut bytes);
    let mut growth = Growth::default();
    let mut done = 0;
    for (begin, end) in chunks {
        // What stands between two chunks (bloom filters) stays as it is.
        out.write_all(file.get(done..begin).ok_or_else(broken)?)?;
        let mut page = begin;
        while page < end {
            let rest = file.get(page..end).ok_or_else(broken)?;
            let header = PageHeader::read(rest)?;
            let length = header.length + header.page;
            let body = rest.get(header.length..length).ok_or_else(broken)?;
            let grown = header.write((rest, crc32fast::hash(body)), &mut out)?;
            out.write_all(body)?;
            growth.add(page, grown);
            page += length;
        }
        done = end;
    }
    out.write_all(file.get(done..indexes as usize).ok_or_else(broken)?)?;
    let metadata = growth.moved(metadata)?;
    ParquetMetaDataWriter::new_with_tracked(out, &metadata).finish()?;
    Ok(bytes)
}

fn broken() -> ParquetError {
    ParquetError::General("the pages of a new file are not where its metadata says".to_owned())
}

/// By how much the headers of pages grew.
#[derive(Default)]
struct Growth(Vec<(usize, usize)>);

impl Growth {
    /// The header of the page that began at `page` grew by `grown` bytes; pages come in order.
    fn add(&mut self, page: usize, grown: usize) {
        let before = self.0.last().map_or(0, |(_, sum)| *sum);
        self.0.push((page, before + grown));
    }

    /// By how much all pages grew that began before `offset`.
    fn before(&self, offset: i64) -> i64 {
        let pages = self.0.partition_point(|(page, _)| (*page as i64) < offset);
        pages.checked_sub(1).map_or(0, |last| self.0[last].1 as i64)
    }

    fn of(&self, begin: i64, length: i64) -> i64 {
        self.before(begin + length) - self.before(begin)
    }

    /// The metadata with offsets and sizes as they are now.
    fn moved(&self, metadata: ParquetMetaData) -> Result<ParquetMetaData> {
        let moved = |offset: i64| offset + self.before(offset);
        let groups = metadata.row_groups().iter().map(|group| {
            let columns = group.columns().iter().map(|column| self.column(column));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let bytes = columns.iter().map(ColumnChunkMetaData::uncompressed_size);
            let mut builder = group.clone().into_builder();
            builder = builder.set_total_byte_size(bytes.sum());
            if let Some(offset) = group.file_offset() {
                builder = builder.set_file_offset(moved(offset));
            }
            builder.set_column_metadata(columns).build()
        });
        let groups = groups.collect::<Result<Vec<_>>>()?;
        let mut pages = metadata.offset_index().cloned();
        for location in pages
            .iter_mut()
            .flatten()
            .flatten()
            .flat_map(|column| &mut column.page_locations)
        {
            let (begin, length) = (location.offset, i64::from(location.compressed_page_size));
            location.offset = moved(begin);
            location.compressed_page_size += self.of(begin, length) as i32;
        }
        let builder = metadata.into_builder().set_row_groups(groups);
        Ok(builder.set_offset_index(pages).build())
    }

    fn column(&self, column: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData> {
        let moved = |offset: i64| offset + self.before(offset);
        let (begin, length) = column.byte_range();
        let grown = self.of(begin as i64, length as i64);
        column
            .clone()
            .into_builder()
            .set_data_page_offset(moved(column.data_page_offset()))
            .set_dictionary_page_offset(column.dictionary_page_offset().map(moved))
            .set_bloom_filter_offset(column.bloom_filter_offset().map(moved))
            .set_total_compressed_size(column.compressed_size() + grown)
            .set_total_uncompressed_size(column.uncompressed_size() + grown)
            .build()
    }
}

/// What has to be known of a page header, a struct in Thrift's compact protocol
/// (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>).
struct PageHeader {
    /// Its own bytes.
    length: usize,
    /// Those of the page that follows.
    page: usize,
    /// Where the field before the checksum ends.
    sizes_end: usize,
}

/// The fields of a page header (<https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>).
const COMPRESSED_PAGE_SIZE: i64 = 3;
const CRC: i64 = 4;

/// Types of the compact protocol.
const STOP: u8 = 0;
const I32: u8 = 5;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

impl PageHeader {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut thrift = Thrift { bytes, at: 0 };
        let (mut page, mut sizes_end, mut field) = (None, None, 0);
        loop {
            let (id, kind) = thrift.field(field)?;
            field = id;
            match (id, kind) {
                (_, STOP) => break,
                (CRC, _) => return Err(broken()),
                (COMPRESSED_PAGE_SIZE, I32) => {
                    page = usize::try_from(thrift.zigzag()?).ok();
                    sizes_end = Some(thrift.at);
                }
                (_, kind) => thrift.skip(kind)?,
            }
        }
        Ok(Self {
            length: thrift.at,
            page: page.ok_or_else(broken)?,
            sizes_end: sizes_end.ok_or_else(broken)?,
        })
    }

    /// Writes the header with a checksum; gives the number of bytes it grew by.
    fn write(&self, (old, crc): (&[u8], u32), out: &mut impl Write) -> Result<usize> {
        let (sizes, others) = (&old[..self.sizes_end], &old[self.sizes_end..self.length]);
        // One field further than the compressed size, and the field after that is one nearer.
        let mut field = vec![1 << 4 | I32];
        let signed = i64::from(crc as i32);
        let mut rest = (signed << 1 ^ signed >> 63) as u64;
        while rest >= 0x80 {
            field.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        field.push(rest as u8);
        let (next, others) = others.split_first().ok_or_else(broken)?;
        // A delta of 0 would mean that the number follows.
        if next >> 4 < 2 && next & 0xf != STOP {
            return Err(broken());
        }
        field.push(if *next == STOP { STOP } else { next - (1 << 4) });
        for part in [sizes, &field, others] {
            out.write_all(part)?;
        }
        Ok(field.len() - 1)
    }
}

struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.at).ok_or_else(broken)?;
        self.at += 1;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(broken())
    }

    fn zigzag(&mut self) -> Result<i64> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// The number and the type of the next field, after the field of number `last`.
    fn field(&mut self, last: i64) -> Result<(i64, u8)> {
        let byte = self.byte()?;
        Ok(match (byte >> 4, byte & 0xf) {
            (_, STOP) => (last, STOP),
            (0, kind) => (self.zigzag()?, kind),
            (delta, kind) => (last + i64::from(delta), kind),
        })
    }

    fn skip(&mut self, kind: u8) -> Result<()> {
        match kind {
            // Booleans are in the type.
            1 | 2 => {}
            3 => self.at += 1,
            4..=6 => drop(self.varint()?),
            7 => self.at += 8,
            BINARY => self.at += self.varint()? as usize,
            LIST | SET => {
                let byte = self.byte()?;
                let length = match byte >> 4 {
                    15 => self.varint()?,
                    short => u64::from(short),
                };
                for _ in 0..length {
                    match byte & 0xf {
                        1 | 2 => self.at += 1,
                        kind => self.skip(kind)?,
                    }
                }
            }
            STRUCT => {
                let mut last = 0;
                loop {
                    let (id, kind) = self.field(last)?;
                    if kind == STOP {
                        break;
                    }
                    self.skip(kind)?;
                    last = id;
                }
            }
            _ => return Err(broken()),
        }
        Ok(())
    }
}
