//! Coarse time in 32 bits, so that a connection's deadline is four bytes.
//!
//! A [`Tick`] is a tenth of a second since the server started; 32 bits of them last thirteen years. A
//! [`Deadline`] is the tick at which something is over. Both are plain numbers: the loop reads the clock
//! once a turn and hands the result down as [`Now`].
//!
//! Must not know: a clock.

use std::time::Duration;

/// Milliseconds of one tick.
const TICK_MILLIS: u128 = 100;

/// Tenths of a second since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(u32);

impl Tick {
    /// The tick in which `elapsed` falls; saturates after thirteen years.
    pub fn at(elapsed: Duration) -> Self {
        Self(u32::try_from(elapsed.as_millis() / TICK_MILLIS).unwrap_or(u32::MAX - 1).min(u32::MAX - 1))
    }
}

/// When a connection's patience ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Tick);

impl Deadline {
    /// The deadline that does not come.
    pub const NEVER: Self = Self(Tick(u32::MAX));

    /// `wait` from `now`, rounded up: never early, at most two ticks late.
    pub fn after(now: Tick, wait: Duration) -> Self {
        let ticks = wait.as_millis().div_ceil(TICK_MILLIS) + 1;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        Self(Tick(now.0.saturating_add(ticks).min(u32::MAX - 1)))
    }

    /// Whether `now` has reached it.
    pub fn is_past(self, now: Tick) -> bool {
        now >= self.0
    }
}

/// One turn's time: everything that happens in a turn happens at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since the server started: for deadlines.
    pub tick: Tick,
    /// Seconds since 1970, UTC: for the `Date` of a response.
    pub unix_seconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        let start = Duration::from_millis(1_999);
        for wait in [0, 1, 99, 100, 101, 1_000, 25_000].map(Duration::from_millis) {
            let deadline = Deadline::after(Tick::at(start), wait);
            let before = (start + wait).saturating_sub(Duration::from_millis(1));
            assert!(!deadline.is_past(Tick::at(before)), "{wait:?} early");
            assert!(deadline.is_past(Tick::at(start + wait + Duration::from_millis(200))), "{wait:?} late");
        }
    }

    #[test]
    fn the_end_of_time_saturates() {
        let late = Tick::at(Duration::MAX);
        assert!(!Deadline::NEVER.is_past(late));
        assert!(Deadline::after(late, Duration::MAX) < Deadline::NEVER);
    }
}
