//! How fast is a log file taken apart? Bytes of JSON per second on one core, for the steps alone and together:
//! `cargo bench --bench decode`.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot go on fails, and says where"
)]

mod log_files;

use std::hint::black_box;
use std::io::Read;

use criterion::{BatchSize, Criterion, Throughput};
use flate2::read::GzDecoder;
use keytrail::event::{Decoder, EventBuilder, Field};
use libdeflater::Decompressor;
use log_files::LogFile;
use serde::de::IgnoredAny;
use simd_json::Tape;

/// More than the caches hold.
const JSON_BYTES: usize = 32 << 20;

/// More than any log file here.
const MAX_JSON: u64 = 1 << 30;

/// What `keytrail keys` asks for.
const INVENTORY: [Field; 13] = [
    Field::AccessKeyId,
    Field::UserIdentityUserName,
    Field::UserIdentityAccountId,
    Field::UserIdentityType,
    Field::UserIdentityArn,
    Field::EventTime,
    Field::ErrorCode,
    Field::SourceIpAddress,
    Field::UserAgent,
    Field::EventSource,
    Field::EventName,
    Field::AwsRegion,
    Field::IssuedAccessKeyId,
];

fn main() {
    let files = log_files::log_files(JSON_BYTES);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(log_files::json_bytes(&files)));

    group.bench_function("gunzip: libdeflate, one piece", |b| {
        let (mut inflater, mut text) = (Decompressor::new(), Vec::new());
        b.iter(|| {
            for file in &files {
                text.resize(file.json.len(), 0);
                inflater.gzip_decompress(&file.gzip, &mut text).unwrap();
                black_box(&text);
            }
        });
    });
    group.bench_function("gunzip: zlib-rs, stream", |b| {
        let mut text = Vec::new();
        b.iter(|| {
            for file in &files {
                text.clear();
                let mut inflater = GzDecoder::new(file.gzip.as_slice());
                inflater.read_to_end(&mut text).unwrap();
                black_box(&text);
            }
        });
    });
    group.bench_function("parse: serde_json, nothing kept", |b| {
        b.iter(|| {
            for file in &files {
                serde_json::from_slice::<IgnoredAny>(&file.json).unwrap();
            }
        });
    });
    group.bench_function("parse: scanner, every value skipped", |b| {
        b.iter(|| {
            for file in &files {
                black_box(keytrail::json::is_sound(&file.json));
            }
        });
    });
    group.bench_function("parse: simd-json, tape, buffers reused", |b| {
        let (mut buffers, mut tape) = (simd_json::Buffers::default(), Some(Tape::null()));
        // It writes into its input, so that a copy is part of its work, as it would be of the program's.
        let mut copy = Vec::new();
        b.iter(|| {
            for file in &files {
                copy.clear();
                copy.extend_from_slice(&file.json);
                let mut filled = tape.take().unwrap_or_else(Tape::null).reset();
                simd_json::fill_tape(&mut copy, &mut buffers, &mut filled).unwrap();
                tape = Some(black_box(filled).reset());
            }
        });
    });
    group.bench_function("parse: simd-json, tape, fresh buffers", |b| {
        let copy = || files.iter().map(|file| file.json.clone()).collect();
        b.iter_batched(
            copy,
            |mut texts: Vec<Vec<u8>>| {
                for text in &mut texts {
                    black_box(simd_json::to_tape(text).unwrap());
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("scan and build: inventory's columns, plain text", |b| {
        b.iter(|| decode(&files, &INVENTORY, |file| &file.json));
    });
    group.bench_function("scan and build: all columns, plain text", |b| {
        b.iter(|| decode(&files, Field::all(), |file| &file.json));
    });
    group.bench_function("whole: inventory's columns, gzip", |b| {
        b.iter(|| decode(&files, &INVENTORY, |file| &file.gzip));
    });
    group.bench_function("whole: all columns, gzip", |b| {
        b.iter(|| decode(&files, Field::all(), |file| &file.gzip));
    });
    group.finish();
    criterion.final_summary();
}

/// Decodes the log files as the program does, and counts the rows.
fn decode(files: &[LogFile], fields: &[Field], bytes: fn(&LogFile) -> &[u8]) -> usize {
    let (mut decoder, mut builder) = (Decoder::new(MAX_JSON), EventBuilder::new(fields));
    let mut rows = 0;
    let mut when_full = |builder: &mut EventBuilder| {
        let (batch, _) = builder.finish().unwrap();
        rows += batch.num_rows();
    };
    for file in files {
        decoder.decode(bytes(file), &file.key, (&mut builder, &mut when_full));
        if builder.is_full() {
            when_full(&mut builder);
        }
    }
    when_full(&mut builder);
    rows
}
