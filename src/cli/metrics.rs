//! What an ingest that goes on tells a monitoring system.
//!
//! In: the summaries of its rounds. Out: Prometheus' text format over HTTP, at `/metrics`. Promise: numbers only, no name out of a
//! log file; an address that is not of this machine must have been asked for.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use chrono::Utc;
use keytrail::ingest::{IngestSummary, Round};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters since the process began.
#[derive(Debug, Default, Clone)]
pub(crate) struct Metrics(Arc<Mutex<Counters>>);

#[derive(Debug, Default)]
struct Counters {
    rounds: u64,
    failures: u64,
    messages_left: u64,
    log_files: [u64; 3],
    events: [u64; 3],
    bytes: [u64; 3],
    /// Seconds since 1970.
    last_round: i64,
    last_delivery: Option<i64>,
    lag: i64,
}

/// The names of `log_files`, `events` and `bytes`.
const LOG_FILES: [&str; 3] = ["stored", "rejected", "without_events"];
const EVENTS: [&str; 3] = ["stored", "duplicate", "rejected"];
const BYTES: [&str; 3] = ["compressed", "json", "lake"];

impl Metrics {
    /// Takes a round into account.
    pub(crate) fn count(&self, round: &Round<'_>) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match round {
            Round::Done(summary) => counters.add(summary),
            Round::Failed(_) => counters.failures += 1,
            Round::Left(_) => counters.messages_left += 1,
        }
    }

    /// Answers at an address until the process ends; gives the address, with its port.
    pub(crate) async fn serve(&self, address: SocketAddr) -> Result<SocketAddr, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("{address} cannot be listened on"))
                .because(&error)
                .of_option("--metrics-addr")
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let metrics = self.clone();
        let page = move || std::future::ready(([(CONTENT_TYPE, TEXT)], metrics.text()));
        let server = axum::serve(listener, Router::new().route("/metrics", get(page)));
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "metrics");
            }
        });
        Ok(bound)
    }

    fn text(&self) -> String {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.text()
    }
}

impl Counters {
    fn add(&mut self, summary: &IngestSummary) {
        self.rounds += 1;
        self.last_round = Utc::now().timestamp();
        let log_files = [
            summary.stored,
            summary.rejected.len() as u64,
            summary.skipped.len() as u64,
        ];
        let events = [
            summary.events_stored,
            summary.events_duplicates,
            summary.events_rejected,
        ];
        let bytes = [
            summary.bytes_compressed,
            summary.bytes_json,
            summary.bytes_lake,
        ];
        for (counters, more) in [
            (&mut self.log_files, log_files),
            (&mut self.events, events),
            (&mut self.bytes, bytes),
        ] {
            counters
                .iter_mut()
                .zip(more)
                .for_each(|(counter, more)| *counter += more);
        }
        if let Some(delivered) = summary.last_delivery {
            let delivered = delivered.timestamp();
            self.lag = self.last_round - delivered;
            self.last_delivery = self.last_delivery.max(Some(delivered));
        }
    }

    fn text(&self) -> String {
        let mut page = Page::default();
        page.counter("rounds", "Ingests that completed", self.rounds);
        page.counter(
            "round_failures",
            "Ingests that failed and are retried",
            self.failures,
        );
        page.counter(
            "messages_left",
            "Messages that were not understood and stay in the queue",
            self.messages_left,
        );
        page.counters("log_files", "Log files", (&LOG_FILES, &self.log_files));
        page.counters("events", "Records of log files", (&EVENTS, &self.events));
        page.counters(
            "bytes",
            "Bytes read from the sources, of JSON, and written to the lake",
            (&BYTES, &self.bytes),
        );
        page.gauge(
            "last_round_timestamp_seconds",
            "When the last ingest completed",
            self.last_round,
        );
        if let Some(delivered) = self.last_delivery {
            page.gauge(
                "last_delivery_timestamp_seconds",
                "When the newest log file in the lake was delivered",
                delivered,
            );
            page.gauge("lag_seconds", "Time from the delivery of the last log file to the end of the ingest that stored it", self.lag);
        }
        page.0
    }
}

/// Text for Prometheus.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP keytrail_{name} {help}"));
        self.line(format_args!("# TYPE keytrail_{name} {kind}"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let name = format!("{name}_total");
        self.head(&name, help, "counter");
        self.line(format_args!("keytrail_{name} {value}"));
    }

    fn counters(&mut self, name: &str, help: &str, (kinds, values): (&[&str; 3], &[u64; 3])) {
        let name = format!("{name}_total");
        self.head(&name, help, "counter");
        for (kind, value) in kinds.iter().zip(values) {
            self.line(format_args!("keytrail_{name}{{kind=\"{kind}\"}} {value}"));
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) {
        self.head(name, help, "gauge");
        self.line(format_args!("keytrail_{name} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up() {
        let metrics = Metrics::default();
        let mut summary = IngestSummary::default();
        summary.stored = 2;
        summary.events_stored = 30;
        summary.events_duplicates = 4;
        summary.bytes_json = 999;
        summary.last_delivery = Some(Utc::now() - chrono::TimeDelta::seconds(90));
        metrics.count(&Round::Done(&summary));
        metrics.count(&Round::Done(&summary));
        metrics.count(&Round::Left("odd"));
        let text = metrics.text();
        for line in [
            "keytrail_rounds_total 2",
            "keytrail_messages_left_total 1",
            "keytrail_log_files_total{kind=\"stored\"} 4",
            "keytrail_events_total{kind=\"duplicate\"} 8",
            "keytrail_bytes_total{kind=\"json\"} 1998",
            "keytrail_lag_seconds 90",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
