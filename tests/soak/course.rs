//! What all threads of a soak share: where the server is, whether to go on, and what they have done.

use crate::support::DEADLINE;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// What everybody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// What they are there for.
    Run,
    /// Nothing: those who are no longer needed go, the others are silent.
    Rest,
    /// The last messages, and then nothing any more.
    End,
}

pub(crate) struct Course {
    pub(crate) address: SocketAddr,
    phase: Mutex<Phase>,
    changed: Condvar,
    /// Threads that have come to rest, of so many.
    resting: AtomicUsize,
    threads: AtomicUsize,
    has_failed: AtomicBool,
    pub(crate) connections: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) deliveries: AtomicU64,
}

/// Lets everybody end when the test fails.
pub(crate) struct EndOnPanic<'c>(&'c Course);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.has_failed.store(true, Ordering::Relaxed);
            self.0.set(Phase::End);
        }
    }
}

impl Course {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            phase: Mutex::new(Phase::Run),
            changed: Condvar::new(),
            resting: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
        }
    }

    pub(crate) fn end_on_panic(&self) -> EndOnPanic<'_> {
        EndOnPanic(self)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// One more thread that rests when it is told to.
    pub(crate) fn join(&self) {
        self.threads.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
        self.changed.notify_all();
    }

    /// Rests while everybody does; gives what comes then.
    pub(crate) fn rest(&self) -> Phase {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase != Phase::Rest {
            return *phase;
        }
        self.resting.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_all();
        let rested = self.changed.wait_while(phase, |phase| *phase == Phase::Rest);
        let phase = *rested.unwrap_or_else(PoisonError::into_inner);
        self.resting.fetch_sub(1, Ordering::SeqCst);
        phase
    }

    /// Waits for a time to come, or for somebody to fail.
    pub(crate) fn run_until(&self, time: Instant) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        while *phase != Phase::End
            && let Some(left) = time.checked_duration_since(Instant::now())
        {
            let waited = self.changed.wait_timeout(phase, left);
            phase = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(phase);
        assert!(!self.has_failed(), "somebody has failed, see above");
    }

    pub(crate) fn wait_until_all_rest(&self) {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let is_awaited = |_: &mut Phase| {
            !self.has_failed() && self.resting.load(Ordering::SeqCst) < self.threads.load(Ordering::SeqCst)
        };
        let (_phase, waited) = self
            .changed
            .wait_timeout_while(phase, 2 * DEADLINE, is_awaited)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!self.has_failed(), "somebody has failed, see above");
        assert!(!waited.timed_out(), "everybody comes to rest");
    }

    pub(crate) fn summary(&self) -> String {
        let [connections, messages, deliveries] =
            [&self.connections, &self.messages, &self.deliveries].map(|count| count.load(Ordering::Relaxed));
        format!(
            "{connections} connections came and went, {messages} messages, {deliveries} deliveries checked"
        )
    }
}

/// A generator of its own, so that what it does can be repeated (xorshift64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}
