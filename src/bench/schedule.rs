//! When messages are meant to be sent in the open loop: by the clock, whatever the server does. Message i is due i/rate
//! after the beginning and belongs to sender i mod senders, so that all of them take turns.
//!
//! Latency counts from these times. A generator that measures from when it got round to sending leaves out the time in
//! which a slow server kept it from sending ("coordinated omission", G. Tene, "How NOT to Measure Latency").
//!
//! Must not know: clocks; times are microseconds that the caller hands in.

/// The times of one run or stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    begin_us: u64,
    end_us: u64,
    rate: u64,
    senders: u64,
}

impl Schedule {
    /// `rate` messages a second from `begin_us` until before `end_us`.
    pub(crate) fn new(begin_us: u64, end_us: u64, rate: u32, senders: usize) -> Self {
        Self { begin_us, end_us, rate: u64::from(rate.max(1)), senders: senders.max(1) as u64 }
    }

    /// How many messages are due by now, all senders together.
    pub(crate) fn due(&self, now_us: u64) -> u64 {
        let Some(now_us) = now_us.min(self.end_us.saturating_sub(1)).checked_sub(self.begin_us) else {
            return 0;
        };
        // In 128 bits: a week of microseconds times the highest rate is more than 64.
        let due = u128::from(now_us) * u128::from(self.rate) / 1_000_000;
        u64::try_from(due).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// How many of one sender's are, when so many are of all.
    pub(crate) fn due_of(&self, sender: usize, due: u64) -> u64 {
        due.saturating_sub(sender as u64).div_ceil(self.senders)
    }

    /// When a message of all senders' is due; a fraction of a microsecond is rounded up, so that it counts as due then.
    pub(crate) fn time_of(&self, message: u64) -> u64 {
        let offset = (u128::from(message) * 1_000_000).div_ceil(u128::from(self.rate));
        self.begin_us.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX))
    }

    /// When one sender's is.
    pub(crate) fn time_of_its(&self, sender: usize, its: u64) -> u64 {
        self.time_of(its.saturating_mul(self.senders).saturating_add(sender as u64))
    }

    /// Whose message it is.
    pub(crate) fn sender_of(&self, message: u64) -> usize {
        // Less than the number of senders, which is a `usize`.
        (message % self.senders) as usize
    }

    /// How many there are.
    pub(crate) fn all(&self) -> u64 {
        self.due(u64::MAX)
    }

    /// Ends it earlier.
    pub(crate) fn cut(&mut self, end_us: u64) {
        self.end_us = self.end_us.min(end_us);
    }

    /// When a message of all senders' is due; `None`: the end comes first.
    pub(crate) fn due_us(&self, message: u64) -> Option<u64> {
        Some(self.time_of(message)).filter(|due_us| self.is_within(*due_us))
    }

    fn is_within(&self, time_us: u64) -> bool {
        time_us < self.end_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_a_second_of_two_senders() {
        let schedule = Schedule::new(1_000_000, 3_000_000, 3, 2);
        let rows = [
            (0, 0),
            (999_999, 0),
            (1_000_000, 1),
            (1_333_333, 1),
            (1_333_334, 2),
            (1_666_667, 3),
            (2_000_000, 4),
            (2_999_999, 6),
            (3_000_000, 6),
            (9_000_000, 6),
        ];
        for (now_us, due) in rows {
            assert_eq!(schedule.due(now_us), due, "at {now_us}");
        }
        assert_eq!(
            [0, 1, 2, 3].map(|message| schedule.time_of(message)),
            [1_000_000, 1_333_334, 1_666_667, 2_000_000]
        );
        assert_eq!(
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(sender, its)| schedule.time_of_its(sender, its)),
            [1_000_000, 1_666_667, 1_333_334, 2_000_000]
        );
        assert_eq!(
            [0, 1, 2, 3, 4].map(|due| (schedule.due_of(0, due), schedule.due_of(1, due))),
            [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]
        );
        assert!(schedule.is_within(2_999_999) && !schedule.is_within(3_000_000));
        assert_eq!(schedule.all(), 6);
        let mut cut = schedule;
        cut.cut(2_000_000);
        assert_eq!(cut.all(), 3, "what would be due at its end is not");
        cut.cut(0);
        assert_eq!(cut.all(), 0);
    }

    proptest! {
        /// A message is due at its time, and not a microsecond before.
        #[test]
        fn due_at_its_time(rate in 1..10_000_000_u32, senders in 1..1000_usize, message in 0..1_000_000_000_u64) {
            let schedule = Schedule::new(5, u64::MAX, rate, senders);
            let time = schedule.time_of(message);
            prop_assert!(schedule.due(time) > message);
            prop_assert!(schedule.due(time - 1) <= message);
            let sender = schedule.sender_of(message);
            prop_assert_eq!(schedule.time_of_its(sender, message / senders as u64), time);
            prop_assert_eq!(schedule.due_of(sender, message + 1), message / senders as u64 + 1);
        }
    }
}
