//! How a run stands, for the line that shows life.
//!
//! Must not know: whether anybody looks.

use super::Run;
use super::course::Phase;
use crate::bench::progress;
use std::time::Duration;

/// What was shown last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    at_us: u64,
    sent: u64,
    received: u64,
}

impl Run<'_> {
    /// How the run stands now.
    pub(super) fn snapshot(&mut self, now_us: u64) -> progress::Snapshot {
        let counts = &self.tally.counts;
        let last = std::mem::replace(
            &mut self.last,
            Last { at_us: now_us, sent: counts.sent, received: counts.received },
        );
        let seconds = now_us.saturating_sub(last.at_us) as f64 / 1e6;
        // A new stage counts from nothing.
        let rate = |now: u64, before: u64| {
            if seconds > 0.0 { now.saturating_sub(before) as f64 / seconds } else { 0.0 }
        };
        let phase = match self.course.phase {
            Phase::Opening => progress::Phase::Opening,
            Phase::Probing => progress::Phase::WarmingUp,
            Phase::Measuring { .. } => progress::Phase::Measuring,
            Phase::Draining { .. } => progress::Phase::Draining,
            Phase::Closing { .. } | Phase::Over => progress::Phase::Closing,
        };
        let total = match self.course.phase {
            Phase::Opening => Some(self.plan.ramp),
            Phase::Measuring { .. } => Some(self.plan.duration),
            Phase::Probing | Phase::Draining { .. } | Phase::Closing { .. } | Phase::Over => None,
        };
        progress::Snapshot {
            phase,
            elapsed: Duration::from_micros(now_us.saturating_sub(self.course.began_us)),
            total,
            open: self.open,
            asked: self.connections.len() as u64,
            sent_per_second: rate(counts.sent, last.sent),
            received_per_second: rate(counts.received, last.received),
            errors: self.failed + self.lost + counts.corrupt + counts.duplicated,
            worst_ms: self.tally.timeline.worst_us().map(|us| us as f64 / 1000.0),
        }
    }
}
