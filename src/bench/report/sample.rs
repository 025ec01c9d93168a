//! Results as runs make them, for the tests of everything that shows one.
//!
//! Must not know: how they are shown.

use crate::bench::plan::{Pace, Scenario};
use crate::bench::summary::{
    About, Bytes, Connections, CurvePoint, Deliveries, Generator, Lateness, Messages, Percentiles,
    SearchResult, Series, ServerUse, Span, Spread, Stage, Summary,
};

/// A result without a figure.
pub(crate) fn empty() -> Summary {
    Summary {
        url: String::new(),
        scenario: Scenario::Idle,
        seconds: 0.0,
        connections: Connections::default(),
        messages: Messages::default(),
        deliveries: Deliveries::default(),
        reach: None,
        latency_ms: Percentiles::default(),
        spread_ms: Spread::default(),
        bytes: Bytes::default(),
        generator: Generator::default(),
        server: ServerUse::default(),
        measured_latency_ms: Percentiles::default(),
        curve: Vec::new(),
        series: Series::default(),
        search: None,
        notes: Vec::new(),
        about: About::default(),
    }
}

/// A result with every figure of the open loop, short enough to be written out.
pub(crate) fn small() -> Summary {
    let cause = |name: &str, count| (name.to_owned(), count);
    Summary {
        url: "ws://127.0.0.1:9999/".to_owned(),
        scenario: Scenario::Broadcast,
        seconds: 10.0,
        connections: Connections {
            asked: 100,
            opened: 98,
            failed: 2,
            lost: 1,
            per_second: Some(1_234.567_8),
            causes: vec![cause("refused", 2), cause("closed 1013", 1)],
        },
        messages: Messages { sent: Some(1_000), per_second: Some(100.0), unsent: Some(0) },
        deliveries: Deliveries {
            expected: Some(98_000),
            received: Some(97_999),
            lost: Some(1),
            duplicated: Some(0),
            reordered: Some(0),
            corrupt: Some(0),
            per_second: Some(9_799.9),
        },
        reach: Some(97_999.0 / 98_000.0),
        latency_ms: percentiles([0.412, 0.801, 1.402, 3.11, 8.022]),
        spread_ms: Spread { p50: Some(0.21), p99: Some(0.82), max: Some(1.201) },
        bytes: Bytes { sent: 64_200, received: 6_500_000 },
        generator: Generator {
            cpu_share: Some(0.231),
            busy_share: Some(0.31),
            lateness_ms: Some(Lateness { p50: 0.012, p99: 0.09, max: 0.3 }),
            bottleneck: false,
        },
        server: ServerUse {
            cpu_seconds: Some(1.234),
            rss_bytes: Some(12 << 20),
            rss_per_connection: Some(6_348.8),
        },
        measured_latency_ms: Percentiles::default(),
        curve: [(0.0, 0.1), (0.5, 0.412), (0.999_99, 7.0), (1.0, 8.022)].map(point).to_vec(),
        series: Series {
            interval: 0.5,
            measured: (1.0, 2.0),
            spans: [(0, 0, 98, 0), (50, 4_900, 98, 1_402), (50, 4_900, 98, 8_022), (0, 1, 97, 12_001)]
                .map(span)
                .to_vec(),
        },
        search: Some(SearchResult {
            limit_ms: 20.0,
            held: 200,
            stages: vec![
                Stage { connections: 200, p95_ms: 3.1, lost: 0, broken: 0, bottleneck: false },
                Stage { connections: 300, p95_ms: 25.125, lost: 2, broken: 1, bottleneck: true },
            ],
        }),
        notes: vec!["12 messages were not ours".to_owned()],
        about: About {
            command: "fanfare bench ws://127.0.0.1:9999/ -r 100".to_owned(),
            version: "fanfare 0.1.0".to_owned(),
            machine: "Linux, 2 processors".to_owned(),
            began: "2026-11-25T03:08:18Z".to_owned(),
            pace: Some(Pace::Open { rate: 100 }),
            senders: Some(1),
            message_bytes: Some(64),
            connections: Some(100),
            slow: None,
        },
    }
}

/// A clean run of ten seconds with a whole curve: one sender, a thousand receivers, a server that stalled
/// once.
pub(crate) fn clean() -> Summary {
    let waves = |index: u64| (index * 7 + index * index * 3) % 11;
    let spans = (0..120_u64).map(|index| {
        let is_sending = (8..112).contains(&index);
        let is_stalled = index == 70;
        let sent = if is_sending { 10 } else { 0 };
        let share = if is_stalled { 120 } else { 1_000 - 4 * waves(index) };
        let latency_us_max = if is_stalled { 86_000 } else { 900 + 240 * waves(index) };
        Span {
            sent,
            received: sent * share,
            open: (index * 125).min(1_000),
            latency_us_max: if is_sending { latency_us_max } else { 0 },
        }
    });
    let curve = (0..=170_u32).map(|step| {
        let decades = f64::from(step) * 0.035;
        let tail = (decades - 2.4).max(0.0);
        point((1.0 - 0.1_f64.powf(decades), 0.31 + 0.12 * decades + 3.6 * tail * tail))
    });
    Summary {
        connections: Connections {
            asked: 1_000,
            opened: 1_000,
            per_second: Some(987.2),
            ..Default::default()
        },
        deliveries: Deliveries {
            expected: Some(1_000_000),
            received: Some(1_000_000),
            lost: Some(0),
            duplicated: Some(0),
            reordered: Some(0),
            corrupt: Some(0),
            per_second: Some(99_981.4),
        },
        reach: Some(1.0),
        latency_ms: percentiles([0.346, 0.43, 0.55, 1.966, 48.4]),
        bytes: Bytes { sent: 1_264_200, received: 98_500_000 },
        curve: curve.chain([point((1.0, 48.4))]).collect(),
        series: Series { interval: 0.1, measured: (1.0, 11.0), spans: spans.collect() },
        search: None,
        notes: Vec::new(),
        ..small()
    }
}

/// A search in the closed loop in which the generator came to its own limit.
pub(crate) fn search() -> Summary {
    let stage = |connections: u32| Stage {
        connections: u64::from(connections),
        p95_ms: 1.2 + (f64::from(connections) / 400.0).powi(3),
        broken: 0,
        lost: 0,
        bottleneck: connections > 1_200,
    };
    Summary {
        generator: Generator {
            cpu_share: Some(0.97),
            busy_share: Some(0.953),
            lateness_ms: None,
            bottleneck: true,
        },
        measured_latency_ms: percentiles([0.4, 0.79, 1.38, 2.9, 8.022]),
        search: Some(SearchResult {
            limit_ms: 20.0,
            held: 1_000,
            stages: (1..=6).map(|n| stage(n * 200)).chain([stage(1_300)]).collect(),
        }),
        about: About { pace: Some(Pace::Closed { window: 4 }), ..small().about },
        ..clean()
    }
}

/// Text that means harm, and figures that are none.
pub(crate) fn hostile() -> Summary {
    let harm = "<script>alert(\"1\")</script>'&\\\r\n\u{1b}[31m\0\u{202e}\u{9b}";
    Summary {
        url: format!("ws://{harm}/{}", "x".repeat(300)),
        seconds: f64::NAN,
        connections: Connections {
            asked: u64::MAX,
            per_second: Some(f64::INFINITY),
            causes: vec![(harm.to_owned(), 7), ("y".repeat(200), u64::MAX)],
            ..small().connections
        },
        latency_ms: percentiles([-1.0, 1e300, f64::NAN, 1e18, f64::INFINITY]),
        curve: [(-1.0, 5.0), (0.5, f64::NAN), (0.9, 1e300), (2.0, -3.0), (1.0, f64::INFINITY)]
            .map(point)
            .to_vec(),
        series: Series {
            interval: 0.0,
            measured: (f64::NAN, -1.0),
            spans: vec![span((u64::MAX, u64::MAX, u64::MAX, u64::MAX)); 3],
        },
        search: Some(SearchResult {
            limit_ms: f64::NAN,
            held: u64::MAX,
            stages: vec![
                Stage {
                    connections: u64::MAX,
                    p95_ms: 1e300,
                    lost: 1,
                    broken: u64::MAX,
                    bottleneck: true
                };
                3
            ],
        }),
        notes: vec![harm.to_owned(), "word ".repeat(60)],
        about: About {
            command: harm.to_owned(),
            version: harm.to_owned(),
            machine: harm.to_owned(),
            began: harm.to_owned(),
            ..small().about
        },
        ..small()
    }
}

fn percentiles([p50, p90, p99, p99_9, max]: [f64; 5]) -> Percentiles {
    Percentiles { p50: Some(p50), p90: Some(p90), p99: Some(p99), p99_9: Some(p99_9), max: Some(max) }
}

fn point((quantile, ms): (f64, f64)) -> CurvePoint {
    CurvePoint { quantile, ms }
}

fn span((sent, received, open, latency_us_max): (u64, u64, u64, u64)) -> Span {
    Span { sent, received, open, latency_us_max }
}
