//! Going down without pushing anybody: nobody is accepted any more, clients are closed with 1001 spread over
//! time, so that they do not all come back to the next server in the same instant.

use super::Server;
use super::stopper::Request;
use crate::limits::{DRAIN_CLOSES_AT_ONCE, DRAIN_MAX, DRAIN_STEP};
use crate::message::CloseCode;
use std::time::{Duration, Instant};

/// A drain under way.
#[derive(Debug)]
pub(super) struct Drain {
    began: Instant,
    ends: Instant,
    next_step: Instant,
    /// The slab key to close next.
    next_key: usize,
}

impl Drain {
    pub(super) fn next_step(&self) -> Instant {
        self.next_step
    }

    /// How many of `keys` are due: all of them after three quarters of the time, for the last need some of it
    /// to answer; and a handful at once.
    fn due(&self, now: Instant, keys: usize) -> usize {
        let span = (self.ends - self.began) * 3 / 4;
        let elapsed = now.saturating_duration_since(self.began);
        let share = if span > Duration::ZERO { elapsed.as_secs_f64() / span.as_secs_f64() } else { 1.0 };
        let by_time = (keys as f64 * share.min(1.0)).ceil() as usize;
        by_time.max(self.next_key).max(DRAIN_CLOSES_AT_ONCE).min(keys)
    }
}

impl Server {
    /// Whether the server is asked to stop at once, or has drained.
    pub(super) fn is_done(&self) -> bool {
        match (self.stopper.request(), &self.drain) {
            (Request::Stop, _) => true,
            (Request::Drain, Some(drain)) => self.connections.is_empty() || self.instant >= drain.ends,
            (Request::Drain, None) | (Request::Serve, _) => false,
        }
    }

    /// Begins a drain that was asked for, and closes those whose time has come.
    pub(super) fn drain(&mut self) {
        if self.stopper.request() != Request::Drain {
            return;
        }
        if self.drain.is_none() {
            self.begin_drain();
        }
        let Some(drain) = &mut self.drain else { return };
        if self.instant < drain.next_step {
            return;
        }
        drain.next_step = drain.ends.min(self.instant + DRAIN_STEP);
        let keys = self.connections.capacity();
        let due = drain.due(self.instant, keys);
        let first = std::mem::replace(&mut drain.next_key, due);
        for key in first..due {
            self.send_away(key);
        }
        self.let_go_of_those_who_end();
    }

    fn begin_drain(&mut self) {
        let wait = self.config.limits.drain.min(DRAIN_MAX);
        log::info!("draining {} connections for at most {wait:?}", self.connections.len());
        for listener in &mut self.listeners {
            listener.deregister(self.poll.registry());
        }
        self.listeners.clear();
        self.drain = Some(Drain {
            began: self.instant,
            ends: self.instant + wait,
            next_step: self.instant,
            next_key: 0,
        });
    }

    fn send_away(&mut self, key: usize) {
        let Some((entry, turn)) = self.in_turn(key) else { return };
        let is_open = entry.connection.is_websocket() && !entry.connection.has_said_all();
        entry.connection.go_away(&turn);
        if is_open {
            self.notes.metrics.note_close(CloseCode::GOING_AWAY);
        }
        self.queue_write(key);
    }
}
