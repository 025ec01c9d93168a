//! What is said of peers that misbehave: each cause a few times, then its number. A peer that does the same wrong a
//! thousand times gets a line with a count, not a thousand lines.
//!
//! Must not know: what the causes are. They are texts of this program, so there is a bound on how many there are.

use crate::limits::{COMPLAINTS_OF_A_CAUSE, COMPLAINTS_WINDOW};
use log::Level;
use std::fmt::Arguments;
use std::time::Instant;

/// The complaints of the last few seconds.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    causes: Vec<Cause>,
    /// When they are counted up.
    ends: Option<Instant>,
}

#[derive(Debug)]
struct Cause {
    text: &'static str,
    level: Level,
    said: usize,
    left_out: u64,
}

impl Complaints {
    /// Says a line, unless enough was said of its cause.
    pub(super) fn say(&mut self, now: Instant, level: Level, cause: &'static str, line: Arguments<'_>) {
        if log::log_enabled!(level) && self.admits(now, level, cause) {
            log::log!(level, "{line}");
        }
    }

    /// When there is something to count up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.ends.filter(|_| self.causes.iter().any(|cause| cause.left_out > 0))
    }

    /// Says what was left out, when it is time for it.
    pub(super) fn count_up(&mut self, now: Instant) {
        if self.ends.is_none_or(|ends| now < ends) {
            return;
        }
        self.ends = None;
        for Cause { text, level, left_out, .. } in self.causes.drain(..).filter(|cause| cause.left_out > 0) {
            log::log!(level, "{left_out} times more within {COMPLAINTS_WINDOW:?}: {text}");
        }
    }

    fn admits(&mut self, now: Instant, level: Level, text: &'static str) -> bool {
        self.ends.get_or_insert(now + COMPLAINTS_WINDOW);
        let at = self.causes.iter().position(|cause| cause.text == text).unwrap_or_else(|| {
            self.causes.push(Cause { text, level, said: 0, left_out: 0 });
            self.causes.len() - 1
        });
        let cause = &mut self.causes[at];
        let is_said = cause.said < COMPLAINTS_OF_A_CAUSE;
        if is_said {
            cause.said += 1;
        } else {
            cause.left_out += 1;
        }
        is_said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_a_few_times_then_its_number() {
        let mut complaints = Complaints::default();
        let start = Instant::now();
        let said = (0..1000).filter(|_| complaints.admits(start, Level::Debug, "one")).count();
        assert_eq!(said, COMPLAINTS_OF_A_CAUSE);
        assert!(complaints.admits(start, Level::Debug, "other"), "of each cause");
        let ends = complaints.due().expect("there is something to count up");
        complaints.count_up(start);
        let left_out: Vec<_> = complaints.causes.iter().map(|cause| cause.left_out).collect();
        assert_eq!(left_out, [1000 - COMPLAINTS_OF_A_CAUSE as u64, 0], "it is not time yet");
        complaints.count_up(ends);
        assert!(complaints.causes.is_empty() && complaints.due().is_none());
        assert!(complaints.admits(ends, Level::Debug, "one"), "and it begins anew");
    }
}
