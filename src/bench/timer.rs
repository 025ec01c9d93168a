//! Wakes a poll at an instant. A poll waits for whole milliseconds, and that is too coarse to send by the
//! clock: on Linux a timer of the system is one more thing that the poll hears.
//!
//! Must not know: what is due.
//!
//! Invariant: a poll that is given [`Timer::poll_timeout`] returns even if the timer never rings.

use std::io;
use std::time::{Duration, Instant};

pub(crate) use system::Timer;

impl Timer {
    /// What to give to the poll when the next thing is due in `wait`. The poll rounds up, so where there is a
    /// timer that one comes first.
    pub(crate) fn poll_timeout(&self, wait: Duration) -> Option<Duration> {
        Some(wait)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Duration, Instant, io};
    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::os::fd::{AsRawFd, OwnedFd};

    /// A timer that a poll hears.
    #[derive(Debug)]
    pub(crate) struct Timer {
        descriptor: OwnedFd,
        /// When it will ring, as far as is known.
        deadline: Option<Instant>,
    }

    impl Timer {
        /// Makes one and registers it.
        ///
        /// # Errors
        /// What the system says.
        pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&descriptor.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Self { descriptor, deadline: None })
        }

        /// Rings at `deadline`, or at once when that is over, and no more at the one before. Costs a system
        /// call only when it is another deadline.
        ///
        /// # Errors
        /// What the system says.
        pub(crate) fn arm(&mut self, deadline: Instant) -> io::Result<()> {
            if self.deadline == Some(deadline) {
                return Ok(());
            }
            // Zero would stop it.
            let wait = deadline.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
            self.set(wait)?;
            self.deadline = Some(deadline);
            Ok(())
        }

        /// It has rung: to be called for its event, or the same deadline would not be armed again. Nothing is
        /// read, since setting it starts a new edge (timerfd_create(2)) and nobody asks how often it rang.
        pub(crate) fn clear(&mut self) {
            self.deadline = None;
        }

        fn set(&self, wait: Duration) -> io::Result<()> {
            let once = Timespec { tv_sec: 0, tv_nsec: 0 };
            let seconds = wait.as_secs().try_into().unwrap_or(i32::MAX.into());
            let first = Timespec { tv_sec: seconds, tv_nsec: wait.subsec_nanos() as _ };
            let value = Itimerspec { it_interval: once, it_value: first };
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &value)?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Instant, io};
    use mio::{Registry, Token};

    /// There is none here: the poll alone has to do.
    #[derive(Debug)]
    pub(crate) struct Timer;

    impl Timer {
        pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn arm(&mut self, _: Instant) -> io::Result<()> {
            Ok(())
        }

        pub(crate) fn clear(&mut self) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll, Token};

    const TOKEN: Token = Token(7);
    const LONG: Duration = Duration::from_secs(60);

    fn timer() -> (Poll, Events, Timer) {
        let poll = Poll::new().expect("a poll");
        let timer = Timer::new(poll.registry(), TOKEN).expect("a timer");
        (poll, Events::with_capacity(8), timer)
    }

    /// Whether it has rung by then.
    fn rings(poll: &mut Poll, events: &mut Events, timeout: Duration) -> bool {
        poll.poll(events, Some(timeout)).expect("polls");
        events.iter().any(|event| event.token() == TOKEN && event.is_readable())
    }

    /// Over and over, without its being read: each setting is a new edge.
    #[cfg(target_os = "linux")]
    #[test]
    fn finer_than_a_millisecond() {
        let (mut poll, mut events, mut timer) = timer();
        for round in 0..5 {
            let begun = Instant::now();
            let deadline = begun + Duration::from_micros(300);
            timer.arm(deadline).expect("arms");
            timer.arm(deadline).expect("nothing to do");
            assert!(rings(&mut poll, &mut events, LONG), "round {round}");
            assert!(begun.elapsed() >= Duration::from_micros(300), "round {round}");
            timer.clear();
            assert!(!rings(&mut poll, &mut events, Duration::ZERO), "round {round}: once for each setting");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_deadline_that_is_over() {
        let (mut poll, mut events, mut timer) = timer();
        let over = Instant::now();
        for _ in 0..2 {
            timer.arm(over).expect("arms");
            assert!(rings(&mut poll, &mut events, LONG));
            timer.clear();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_last_setting_counts() {
        let (mut poll, mut events, mut timer) = timer();
        timer.arm(Instant::now() + LONG).expect("arms");
        timer.arm(Instant::now()).expect("arms");
        assert!(rings(&mut poll, &mut events, LONG), "brought forward");
        timer.clear();
        timer.arm(Instant::now() + LONG).expect("arms");
        assert!(!rings(&mut poll, &mut events, Duration::ZERO), "put off");
    }

    #[test]
    fn the_poll_alone_is_enough() {
        let (mut poll, mut events, timer) = timer();
        let wait = Duration::from_micros(300);
        let begun = Instant::now();
        rings(&mut poll, &mut events, timer.poll_timeout(wait).expect("a bound"));
        assert!(begun.elapsed() >= wait);
    }
}
