//! What is counted and timed while a run is measured: histograms from 1 µs to 60 s at three digits
//! (<https://hdrhistogram.org>), counts, and the run over time in a bounded number of spans.
//!
//! Must not know: what is counted, clocks; times are microseconds that the caller hands in.

use super::limits::SERIES_SPANS_MAX;
use super::summary::{CurvePoint, Lateness, Percentiles, Span, Spread};
use hdrhistogram::Histogram;
use std::time::Duration;

/// The longest time that is told from longer ones, in microseconds.
const HIGHEST_US: u64 = 60_000_000;
const DIGITS: u8 = 3;

/// One span of the series at first, in microseconds; twice as long each time there are too many.
const SPAN_US: u64 = 500_000;

/// Points of a curve for each halving of the distance to 100 %.
const POINTS_PER_HALVING: u32 = 5;

/// Times of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// All but the last few.
    histogram: Histogram<u64>,
    /// The last time, and how often in a row it came: messages that are read together have waited alike, and to count
    /// them is less work than to find their place.
    last_us: u64,
    count: u64,
}

impl Times {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, HIGHEST_US, DIGITS).expect("the bounds are right");
        Self { histogram, last_us: 0, count: 0 }
    }

    /// Adds one; below 1 µs counts as 1 µs, above 60 s as 60 s.
    pub(crate) fn add(&mut self, time_us: u64) {
        if time_us != self.last_us {
            self.settle();
            self.last_us = time_us;
        }
        self.count += 1;
    }

    fn settle(&mut self) {
        self.histogram.saturating_record_n(self.last_us.max(1), self.count);
        self.count = 0;
    }

    /// A copy in which every time has its place: all questions below are asked of one.
    pub(crate) fn settled(&self) -> Self {
        let mut copy = self.clone();
        copy.settle();
        copy
    }

    pub(crate) fn clear(&mut self) {
        self.histogram.reset();
        self.count = 0;
    }

    /// The same with what a closed loop left out while it waited: behind each time longer than `interval_us`, in which it
    /// would have sent again, stand the times that those messages would have had (`recordValueWithExpectedInterval`).
    pub(crate) fn corrected(&self, interval_us: u64) -> Self {
        let histogram = self.histogram.clone_correct(interval_us.max(1));
        Self { histogram, last_us: 0, count: 0 }
    }

    /// The time below which this share of them is, in milliseconds; `None` without any.
    pub(crate) fn at(&self, quantile: f64) -> Option<f64> {
        debug_assert_eq!(self.count, 0, "it is settled");
        let time_us = self.histogram.value_at_quantile(quantile).min(self.histogram.max());
        (!self.histogram.is_empty()).then(|| milliseconds(time_us))
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        Percentiles {
            p50: self.at(0.5),
            p90: self.at(0.9),
            p99: self.at(0.99),
            p99_9: self.at(0.999),
            max: self.at(1.0),
        }
    }

    pub(crate) fn spread(&self) -> Spread {
        Spread { p50: self.at(0.5), p99: self.at(0.99), max: self.at(1.0) }
    }

    pub(crate) fn lateness(&self) -> Option<Lateness> {
        Some(Lateness { p50: self.at(0.5)?, p99: self.at(0.99)?, max: self.at(1.0)? })
    }

    /// The whole curve, denser towards 100 %.
    pub(crate) fn curve(&self) -> Vec<CurvePoint> {
        let max = self.histogram.max();
        let points = self.histogram.iter_quantiles(POINTS_PER_HALVING).map(|step| CurvePoint {
            quantile: step.quantile_iterated_to(),
            ms: milliseconds(step.value_iterated_to().min(max)),
        });
        points.collect()
    }
}

fn milliseconds(time_us: u64) -> f64 {
    // Exact: below 2^53.
    time_us as f64 / 1000.0
}

/// Counts of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) expected: u64,
    pub(crate) received: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    /// Damaged deliveries.
    pub(crate) corrupt: u64,
    /// Of those, how many said which message they were, the first of its kind.
    pub(crate) corrupt_known: u64,
    /// And how many could not say.
    pub(crate) corrupt_unknown: u64,
    /// What receivers were owed when they were lost.
    pub(crate) forsaken: u64,
    /// In the closed loop: messages that were not waited for any more.
    pub(crate) given_up: u64,
    /// Messages that are not of this run.
    pub(crate) foreign: u64,
    /// Of this run, at a receiver that should not get them.
    pub(crate) unexpected: u64,
    /// Came in the other kind of frame than they were sent in.
    pub(crate) kind_changed: u64,
}

impl Counts {
    /// Deliveries that did not come, whole or damaged. One that is too damaged to say which it is stands for one of them.
    pub(crate) fn lost(&self) -> u64 {
        let came = self.received + self.corrupt_known + self.corrupt_unknown;
        self.expected.saturating_sub(came)
    }

    /// Deliveries that may still come.
    pub(crate) fn outstanding(&self) -> u64 {
        self.expected.saturating_sub(self.received + self.corrupt_known + self.forsaken)
    }
}

/// The run over time.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    span_us: u64,
    spans: Vec<Span>,
    current: Span,
    /// When the current one ends.
    end_us: u64,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { span_us: SPAN_US, spans: Vec::new(), current: Span::default(), end_us: SPAN_US }
    }

    /// A message is sent.
    pub(crate) fn sent(&mut self, now_us: u64) {
        self.roll(now_us);
        self.current.sent += 1;
    }

    /// A delivery arrives.
    pub(crate) fn received(&mut self, now_us: u64, latency_us: u64) {
        self.roll(now_us);
        self.current.received += 1;
        self.current.latency_us_max = self.current.latency_us_max.max(latency_us);
    }

    /// Time goes on; `open` connections are open.
    pub(crate) fn advance(&mut self, now_us: u64, open: u64) {
        self.roll(now_us);
        self.current.open = open;
    }

    /// Ends the spans that are over.
    fn roll(&mut self, now_us: u64) {
        if now_us >= self.end_us {
            self.end_spans(now_us);
        }
    }

    fn end_spans(&mut self, now_us: u64) {
        while now_us >= self.end_us {
            let open = self.current.open;
            self.spans.push(std::mem::replace(&mut self.current, Span { open, ..Span::default() }));
            if self.spans.len() == SERIES_SPANS_MAX {
                self.halve();
            }
            self.end_us = (self.spans.len() as u64 + 1).saturating_mul(self.span_us);
        }
    }

    /// The longest latency lately: of the span that is not finished, and of the one before.
    pub(crate) fn worst_us(&self) -> Option<u64> {
        let before = self.spans.last().map_or(0, |span| span.latency_us_max);
        Some(self.current.latency_us_max.max(before)).filter(|us| *us > 0)
    }

    /// All spans, the last one unfinished. Nothing is left behind.
    pub(crate) fn finish(&mut self) -> (Duration, Vec<Span>) {
        let last = std::mem::take(&mut self.current);
        let mut spans = std::mem::take(&mut self.spans);
        spans.extend((last != Span::default()).then_some(last));
        (Duration::from_micros(self.span_us), spans)
    }

    fn halve(&mut self) {
        let merged = self.spans.chunks(2).map(|pair| {
            pair.iter().fold(Span::default(), |sum, span| Span {
                sent: sum.sent + span.sent,
                received: sum.received + span.received,
                open: span.open,
                latency_us_max: sum.latency_us_max.max(span.latency_us_max),
            })
        });
        self.spans = merged.collect();
        self.span_us *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_in_milliseconds() {
        let mut times = Times::new();
        assert_eq!(times.percentiles(), Percentiles::default());
        (1..=1000).for_each(|ms| times.add(ms * 1000));
        let percentiles = times.settled().percentiles();
        for (got, want) in [
            (percentiles.p50, 500.0),
            (percentiles.p90, 900.0),
            (percentiles.p99, 990.0),
            (percentiles.p99_9, 999.0),
            (percentiles.max, 1000.0),
        ] {
            let got = got.expect("there are times");
            assert!((got - want).abs() <= want / 1000.0, "{got}, not {want}: three digits");
        }
        times.add(0);
        times.add(u64::MAX);
        let times = times.settled();
        assert_eq!(times.at(0.0), Some(0.001));
        let max = times.at(1.0).expect("there are times");
        assert!((60_000.0..60_100.0).contains(&max), "{max}");
    }

    /// A server that answers in 1 ms and stands still for 200 ms once in 1000 messages: as measured 0.1 % of the times
    /// show it, though a client that sends each millisecond would have met it with one message in six.
    #[test]
    fn what_a_closed_loop_leaves_out() {
        let mut times = Times::new();
        (0..1000).for_each(|_| times.add(1000));
        times.add(200_000);
        let times = times.settled();
        assert!(times.at(0.99).is_some_and(|ms| ms < 1.1));
        let corrected = times.corrected(1000);
        assert!(corrected.at(0.99).is_some_and(|ms| ms > 150.0), "{:?}", corrected.at(0.99));
        assert_eq!(corrected.at(1.0), times.at(1.0));
        assert_eq!(corrected.histogram.len(), 1000 + 200);
    }

    #[test]
    fn a_curve_rises_and_is_short() {
        let mut times = Times::new();
        (0..100_000).for_each(|time| times.add(time * time % 77_777));
        let times = times.settled();
        let curve = times.curve();
        assert!(curve.len() < 200, "{}", curve.len());
        assert!(curve.is_sorted_by(|a, b| a.quantile <= b.quantile && a.ms <= b.ms));
        assert_eq!(curve.last().map(|point| (point.quantile, Some(point.ms))), Some((1.0, times.at(1.0))));
        assert_eq!(Times::new().curve(), []);
    }

    #[test]
    fn a_timeline_is_bounded_and_loses_nothing() {
        let mut timeline = Timeline::new();
        for second in 0..10_000 {
            timeline.sent(second * 1_000_000);
            timeline.sent(second * 1_000_000 + 999_999);
            timeline.received(second * 1_000_000, second);
            timeline.advance((second + 1) * 1_000_000, second);
        }
        let (span, spans) = timeline.finish();
        assert!((SERIES_SPANS_MAX / 2..=SERIES_SPANS_MAX).contains(&spans.len()), "{}", spans.len());
        assert_eq!(spans.iter().map(|span| span.sent).sum::<u64>(), 20_000);
        assert_eq!(spans.iter().map(|span| span.received).sum::<u64>(), 10_000);
        assert_eq!(spans.iter().map(|span| span.latency_us_max).max(), Some(9_999));
        assert!(span.as_secs_f64() * spans.len() as f64 >= 9_999.0, "{span:?}");
    }

    #[test]
    fn a_corrupt_delivery_is_not_a_lost_one() {
        let counts = Counts {
            expected: 10,
            received: 6,
            corrupt: 4, // two of them duplicates
            corrupt_known: 1,
            corrupt_unknown: 1,
            forsaken: 1,
            ..Counts::default()
        };
        assert_eq!((counts.lost(), counts.outstanding()), (2, 2));
    }
}
