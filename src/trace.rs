//! What was on the wire of one connection, for somebody who learns from it: its handshake, each frame, its end.
//!
//! A [`Tap`] watches the bytes of one direction and makes [`Record`]s of them; a [`Trace`] keeps the newest of those
//! until its viewer takes them, as JSON; [`Traces`] knows which viewer has asked for which connection. Viewer and
//! connection find each other by a [`TraceId`], which whoever opens both has chosen.
//!
//! Must not know: sockets, clocks, what bytes mean beyond their frames. Nothing here refuses anything: what no peer may
//! send is shown like everything else.
//!
//! Invariants: where the bytes were cut into reads and writes does not show in the records; what is kept of a trace is
//! at most [`TRACE_BYTES_MAX`].

mod json;
mod record;
mod table;
mod tap;

pub use record::{Direction, Frame, Record, What};
pub use table::{Told, Traces, Unwatchable, Unwatched};
pub use tap::Tap;

use crate::budget::{Budget, Loan};
use crate::limits::{TRACE_BYTES_MAX, TRACE_ID_BYTES_MAX, TRACE_ID_BYTES_MIN, TRACES_MAX};
use std::collections::VecDeque;

/// The name of a trace: who knows it may see it. 16 to 64 of `A-Za-z0-9_-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceId(Box<str>);

impl TraceId {
    /// That of a request's target, in its query as `trace=ID`; `None` where there is none, or none that is right.
    pub fn of_target(target: &str) -> Option<Self> {
        let (_, query) = target.split_once('?')?;
        let id = query.split('&').find_map(|pair| pair.strip_prefix("trace="))?;
        let is_right = (TRACE_ID_BYTES_MIN..=TRACE_ID_BYTES_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        is_right.then(|| Self(id.into()))
    }
}

/// What was recorded and not yet told, the oldest first. What there is no room for is counted.
#[derive(Debug)]
pub struct Trace {
    records: VecDeque<Record>,
    /// Bytes of all of them, and the most they may be.
    bytes: usize,
    bytes_max: usize,
    /// Those that gave way, before the oldest that is left; and when the last of them was.
    dropped: u64,
    dropped_until_us: u64,
    /// What the budget lends for them.
    loan: Loan,
}

impl Trace {
    /// One of nothing yet, whose bytes are of `budget`. All traces together have an eighth of it at most.
    pub fn new(budget: &Budget) -> Self {
        Self {
            records: VecDeque::new(),
            bytes: 0,
            bytes_max: TRACE_BYTES_MAX.min(budget.limit() / 8 / TRACES_MAX),
            dropped: 0,
            dropped_until_us: 0,
            loan: budget.open(),
        }
    }

    /// Takes note of something. The oldest give way to it, by the limit or by what the budget lends.
    pub fn push(&mut self, record: Record) {
        let needed = record.bytes();
        if needed > self.bytes_max {
            return self.note_dropped(&record); // nobody gives way to what would not fit
        }
        while self.bytes + needed > self.bytes_max || self.loan.resize(self.bytes + needed).is_err() {
            if !self.drop_oldest() {
                self.note_dropped(&record);
                return;
            }
        }
        self.bytes += needed;
        self.records.push_back(record);
    }

    /// Drops all of it, as if it had given way.
    pub fn forget(&mut self) {
        while self.drop_oldest() {}
    }

    /// The oldest record, or first how many are missing before it, as JSON.
    pub fn pop(&mut self) -> Option<String> {
        if self.dropped > 0 {
            return Some(json::dropped(std::mem::take(&mut self.dropped), self.dropped_until_us));
        }
        let record = self.take_oldest()?;
        Some(json::record(&record))
    }

    /// Whether all was told.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.dropped == 0
    }

    fn take_oldest(&mut self) -> Option<Record> {
        let record = self.records.pop_front()?;
        self.bytes -= record.bytes();
        self.loan.force(self.bytes);
        crate::budget::trim(&mut self.records);
        Some(record)
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(record) = self.take_oldest() else { return false };
        self.note_dropped(&record);
        true
    }

    fn note_dropped(&mut self, record: &Record) {
        self.dropped += 1;
        self.dropped_until_us = record.at_us;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at_us: u64, text: &[u8]) -> Record {
        Record { at_us, direction: Direction::In, what: What::Handshake(text.into()) }
    }

    #[test]
    fn names() {
        let right = "0123456789abcdef";
        for (target, want) in [
            ("/?trace=0123456789abcdef", Some(right)),
            ("/inspect?a=b&trace=0123456789abcdef&c", Some(right)),
            ("/?trace=AZaz09_-AZaz09_-", Some("AZaz09_-AZaz09_-")),
            ("/trace=0123456789abcdef", None),
            ("/?trace=0123456789abcde", None),
            ("/?trace=0123456789abcde%30", None),
            ("/?trace=0123456789abcde.", None),
            ("/?xtrace=0123456789abcdef", None),
            ("/?trace=&trace=0123456789abcdef", None),
        ] {
            assert_eq!(TraceId::of_target(target).as_ref().map(|id| &*id.0), want, "{target}");
        }
        let longest = "x".repeat(TRACE_ID_BYTES_MAX);
        assert!(TraceId::of_target(&format!("/?trace={longest}")).is_some());
        assert!(TraceId::of_target(&format!("/?trace={longest}x")).is_none());
    }

    #[test]
    fn the_oldest_give_way_and_are_counted() {
        let mut trace = Trace::new(&Budget::new(usize::MAX));
        for at_us in 0..1000 {
            trace.push(record(at_us, &[b'x'; 1000]));
            assert!(trace.bytes <= TRACE_BYTES_MAX);
        }
        let kept = trace.records.len() as u64;
        assert!(kept > 400, "{kept} are kept");
        let dropped = 1000 - kept;
        let until = dropped - 1;
        assert_eq!(
            trace.pop(),
            Some(format!("{{\"at_us\":{until},\"kind\":\"dropped\",\"count\":{dropped}}}"))
        );
        assert!(trace.pop().is_some_and(|json| json.starts_with(&format!("{{\"at_us\":{dropped},"))));
    }

    /// The queue itself, not only what is in it.
    #[test]
    fn what_is_held_is_what_is_paid_for() {
        let budget = Budget::new(usize::MAX);
        let mut trace = Trace::new(&budget);
        for at_us in 0..20_000 {
            trace.push(Record { at_us, direction: Direction::In, what: What::Close });
            let held = trace.records.capacity() * size_of::<Record>();
            assert!(at_us < 16 || held <= trace.loan.bytes(), "{held} bytes after {at_us} records");
        }
    }

    #[test]
    fn the_budget_is_a_limit_as_well() {
        const LIMIT: usize = 1 << 20;
        let budget = Budget::new(LIMIT);
        let mut traces: Vec<_> = (0..TRACES_MAX).map(|_| Trace::new(&budget)).collect();
        for trace in &mut traces {
            (0..100).for_each(|at_us| trace.push(record(at_us, &[b'x'; 1000])));
            assert!(trace.pop().is_some_and(|json| json.contains("\"dropped\"")));
            assert!(trace.pop().is_some_and(|json| json.contains("\"handshake\"")));
        }
        assert!(budget.lent() <= LIMIT / 8, "{} are lent", budget.lent());
        traces[1].forget();
        assert_eq!((traces[1].bytes, traces[1].loan.bytes()), (0, 0), "it was given back");
        assert!(traces[1].pop().is_some_and(|json| json.contains("\"dropped\"")) && traces[1].is_empty());
        let mut others = budget.open();
        others.force(2 * LIMIT);
        let trace = &mut traces[0];
        while trace.pop().is_some() {}
        trace.push(record(10, &[b'x'; 4096]));
        assert_eq!(trace.pop().as_deref(), Some("{\"at_us\":10,\"kind\":\"dropped\",\"count\":1}"));
        assert!(trace.is_empty());
    }
}
