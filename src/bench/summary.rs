//! What a run has found: plain figures, ready to be shown. A figure that the scenario does not have is `None`.
//!
//! Must not know: how they were come by, how they are shown.

use super::plan::{Pace, Scenario};

/// Everything that a report says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The URL as it was typed.
    pub(crate) url: String,
    /// What the connections did.
    pub(crate) scenario: Scenario,
    /// How long was measured: without the ramp, the warm-up and the drain.
    pub(crate) seconds: f64,
    pub(crate) connections: Connections,
    pub(crate) messages: Messages,
    pub(crate) deliveries: Deliveries,
    /// Received ÷ expected.
    pub(crate) reach: Option<f64>,
    /// From the intended time of sending (open loop), or the time of sending, corrected for coordinated
    /// omission (closed loop), to each arrival; in `connect` the time of a handshake. In milliseconds.
    pub(crate) latency_ms: Percentiles,
    /// From the first receiver to the last, of each message that reached all of them. In milliseconds.
    pub(crate) spread_ms: Spread,
    pub(crate) bytes: Bytes,
    pub(crate) generator: Generator,
    pub(crate) server: ServerUse,
    /// The closed loop's latency as it was measured, without the correction.
    pub(crate) measured_latency_ms: Percentiles,
    /// The latency's whole curve, with rising quantiles.
    pub(crate) curve: Vec<CurvePoint>,
    /// The run over time.
    pub(crate) series: Series,
    /// What the search for a number of connections found.
    pub(crate) search: Option<SearchResult>,
    /// Sentences for people about what they should know: figures that are the generator's own fault, messages
    /// that were not ours, a run that was interrupted.
    pub(crate) notes: Vec<String>,
    pub(crate) about: About,
}

impl Summary {
    /// Whether no connection and no message was lost, which is what the exit status says.
    pub(crate) fn is_clean(&self) -> bool {
        let connections = &self.connections;
        let is_whole = |reach: f64| reach >= 1.0;
        connections.failed == 0
            && connections.lost == 0
            && self.messages.unsent.unwrap_or(0) == 0
            && self.deliveries.lost.unwrap_or(0) == 0
            && self.deliveries.corrupt.unwrap_or(0) == 0
            && self.reach.is_none_or(is_whole)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Connections {
    /// How many were asked for.
    pub(crate) asked: u64,
    /// Handshakes that were completed.
    pub(crate) opened: u64,
    /// Never opened.
    pub(crate) failed: u64,
    /// Opened, and gone before the end.
    pub(crate) lost: u64,
    /// Opened a second: while they were being opened, or in `connect` over the time measured.
    pub(crate) per_second: Option<f64>,
    /// Why they failed or were lost, by name (`refused`, `HTTP 403`, `closed 1013`), and how many, most frequent first.
    pub(crate) causes: Vec<(String, u64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Messages {
    pub(crate) sent: Option<u64>,
    pub(crate) per_second: Option<f64>,
    /// In the open loop: due, and never sent, because the server took no more from their senders.
    pub(crate) unsent: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Deliveries {
    /// One for each message and each receiver that should get it.
    pub(crate) expected: Option<u64>,
    /// Arrived whole; duplicates do not count.
    pub(crate) received: Option<u64>,
    pub(crate) lost: Option<u64>,
    pub(crate) duplicated: Option<u64>,
    pub(crate) reordered: Option<u64>,
    pub(crate) corrupt: Option<u64>,
    pub(crate) per_second: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) p50: Option<f64>,
    pub(crate) p90: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) p99_9: Option<f64>,
    pub(crate) max: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// On the sockets, from the first handshake to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// The load generator itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Generator {
    /// CPU time ÷ time, of its one thread, while it measured.
    pub(crate) cpu_share: Option<f64>,
    /// The share of the time in which its loop did not wait for anything.
    pub(crate) busy_share: Option<f64>,
    /// How late messages were handed to the system, in the open loop. In milliseconds.
    pub(crate) lateness_ms: Option<Lateness>,
    /// Whether the figures are the generator's own fault.
    pub(crate) bottleneck: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lateness {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// The server's process, with `--pid`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ServerUse {
    /// While it was measured.
    pub(crate) cpu_seconds: Option<f64>,
    /// At the end of the time measured.
    pub(crate) rss_bytes: Option<u64>,
    /// What it grew by since before the first connection, for each.
    pub(crate) rss_per_connection: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CurvePoint {
    /// From 0 to 1.
    pub(crate) quantile: f64,
    pub(crate) ms: f64,
}

/// Counts of equal spans of time, the ramp and the drain included.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    /// Seconds of one span.
    pub(crate) interval: f64,
    /// Seconds after the first connection was begun at which measuring began and ended.
    pub(crate) measured: (f64, f64),
    /// At most [`super::limits::SERIES_SPANS_MAX`].
    pub(crate) spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Messages sent in it.
    pub(crate) sent: u64,
    /// Deliveries in it.
    pub(crate) received: u64,
    /// Connections open at its end.
    pub(crate) open: u64,
    /// The longest latency in it, in microseconds.
    pub(crate) latency_us_max: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SearchResult {
    /// The 95th percentile that was still good, in milliseconds.
    pub(crate) limit_ms: f64,
    /// The most connections with which it held; 0 when not even the first stage did.
    pub(crate) held: u64,
    pub(crate) stages: Vec<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) connections: u64,
    pub(crate) p95_ms: f64,
    /// Deliveries that were lost, or came damaged.
    pub(crate) lost: u64,
    /// Connections that failed or were lost.
    pub(crate) broken: u64,
    pub(crate) bottleneck: bool,
}

impl Stage {
    /// Whether the server held so many connections.
    pub(crate) fn holds(&self, limit_ms: f64) -> bool {
        self.p95_ms <= limit_ms && self.lost == 0 && self.broken == 0
    }
}

/// Where the figures come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The command line.
    pub(crate) command: String,
    /// `fanfare 0.1.0`.
    pub(crate) version: String,
    /// System, processor, number of processors.
    pub(crate) machine: String,
    /// When the run began, in UTC: `2026-11-25T03:08:18Z`.
    pub(crate) began: String,
    /// When the next message was sent, or in `connect` the next handshake begun. `None` where there is no such thing,
    /// and when it is not known.
    pub(crate) pace: Option<Pace>,
    /// How many connections sent; `None` as above.
    pub(crate) senders: Option<u64>,
    /// Bytes of one payload; `None` as above.
    pub(crate) message_bytes: Option<u64>,
    /// Connections at a time, without those that never read; of a search those of its first stage.
    pub(crate) connections: Option<u64>,
    /// Connections that never read.
    pub(crate) slow: Option<u64>,
}
