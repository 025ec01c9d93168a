//! Opening connections: spread over the ramp, so many at a time, each with a deadline.
//!
//! Must not know: what opened connections say.

use super::Run;
use super::connection::{Connection, Opening, Stage};
use super::course::microseconds;
use crate::bench::cause::{Cause, TlsFault};
use crate::bench::handshake::{self, Deflate};
use crate::bench::limits::{CLOSE_US, OPENING_MAX, RETRY_US, SLOW_RECEIVE_BUFFER_BYTES};
use crate::bench::plan::Scenario;
use crate::bench::reader::Reader;
use crate::bench::sockets::Socket;
use crate::bench::transport::Transport;
use mio::{Interest, Token};
use std::collections::VecDeque;
use std::io;

/// Which connections are opened, and when.
pub(super) struct Dialer {
    /// The next place.
    next: usize,
    /// The first place of this stage, and one past the last.
    first: usize,
    end: usize,
    begin_us: u64,
    span_us: u64,
    not_before_us: u64,
    /// Attempts so far, over all stages.
    pub(super) attempts: u64,
    /// How many are under way.
    pub(super) under_way: usize,
    handshakes: Deadlines,
    closings: Deadlines,
    /// Places to try again at another address of the host.
    again: Vec<usize>,
    /// Places to open anew, in `connect`.
    free: Vec<usize>,
}

/// Deadlines in their order: the place, its attempt, and when. What has come further since is passed over.
type Deadlines = VecDeque<(usize, u64, u64)>;

impl Dialer {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            first: 0,
            end: 0,
            begin_us: 0,
            span_us: 0,
            not_before_us: 0,
            attempts: 0,
            under_way: 0,
            handshakes: VecDeque::new(),
            closings: VecDeque::new(),
            again: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Goes on up to place `end`, over `span_us`.
    pub(super) fn extend(&mut self, end: usize, now_us: u64, span_us: u64) {
        (self.first, self.next, self.end) = (self.next, self.next, end);
        (self.begin_us, self.span_us) = (now_us, span_us);
    }

    /// Whether there is nothing to open and nothing under way.
    pub(super) fn is_done(&self) -> bool {
        self.next == self.end && self.under_way == 0 && self.again.is_empty()
    }

    /// Opens no more.
    pub(super) fn stop(&mut self) {
        self.end = self.next;
        self.again.clear();
    }

    /// A Close is on its way; the connection is not waited for beyond this.
    pub(super) fn closes(&mut self, index: usize, attempt: u64, now_us: u64) {
        self.closings.push_back((index, attempt, now_us.saturating_add(CLOSE_US)));
    }

    /// When the next one is due; `None`: it waits for others, or there is none.
    pub(super) fn due_us(&self) -> Option<u64> {
        if !self.again.is_empty() {
            return Some(self.not_before_us);
        }
        if self.next == self.end || self.under_way >= OPENING_MAX {
            return None;
        }
        let done = (self.next - self.first) as u64;
        let all = (self.end - self.first) as u64;
        let at = u128::from(self.span_us) * u128::from(done) / u128::from(all.max(1));
        let at = self.begin_us.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        Some(at.max(self.not_before_us))
    }
}

impl Run<'_> {
    /// Opens what is due.
    pub(super) fn dial(&mut self, now_us: u64) {
        while let Some(due_us) = self.dialer.due_us().filter(|due_us| *due_us <= now_us) {
            let again = self.dialer.again.pop();
            let index = again.unwrap_or(self.dialer.next);
            let intended_us = if again.is_some() { now_us } else { due_us };
            if !self.open(index, intended_us, now_us) {
                self.dialer.again.extend(again);
                return;
            }
            self.dialer.next += usize::from(again.is_none());
        }
    }

    /// In `connect`: opens the places that are free, when the pace lets them.
    pub(super) fn dial_again(&mut self, now_us: u64) {
        while self.dial_again_due_us().is_some_and(|due_us| due_us <= now_us) {
            let Some(index) = self.dialer.free.pop() else { return };
            let intended_us = self.schedule.map_or(now_us, |schedule| schedule.time_of(self.scheduled));
            if !self.open(index, intended_us, now_us) {
                return self.dialer.free.push(index);
            }
            self.scheduled += 1;
            // Without a pace, one that is refused at once would be begun again at once, and for ever.
            if self.schedule.is_none() && self.connections[index].transport.is_none() {
                self.dialer.not_before_us = now_us + RETRY_US;
            }
        }
    }

    /// In `connect`: when the next handshake is to begin; `None`: no place is free, or none is due any more.
    pub(super) fn dial_again_due_us(&self) -> Option<u64> {
        if self.dialer.free.is_empty() {
            return None;
        }
        let due_us = match self.schedule {
            Some(schedule) => schedule.due_us(self.scheduled)?,
            None => 0,
        };
        Some(due_us.max(self.dialer.not_before_us))
    }

    /// In `connect`: a place is free; while it is measured it is opened again.
    pub(super) fn free(&mut self, index: usize) {
        if matches!(self.plan.scenario, Scenario::Connect) {
            self.dialer.free.push(index);
        }
    }

    /// In `connect`: all places are free.
    pub(super) fn free_all(&mut self) {
        self.dialer.free = (0..self.connections.len()).rev().collect();
    }

    /// Begins one. Gives `false` when it must be tried again later.
    fn open(&mut self, index: usize, intended_us: u64, now_us: u64) -> bool {
        let receive_buffer = self.is_slow(index).then_some(SLOW_RECEIVE_BUFFER_BYTES);
        let destination = &self.destinations[self.destination];
        let source = self.sources.address(self.dialer.attempts, destination);
        let connected = Socket::connect(destination, source, receive_buffer);
        let mut transport = match connected.and_then(|socket| self.carrier.carry(socket)) {
            Ok(transport) => transport,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.dialer.not_before_us = now_us + RETRY_US;
                return false;
            }
            Err(error) => {
                self.dialer.attempts += 1;
                self.fail(index, self.destination, Cause::from_io(&error));
                return true;
            }
        };
        self.dialer.attempts += 1;
        let interests = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(transport.socket(), Token(index), interests) {
            self.fail(index, self.destination, Cause::from_io(&error));
            return true;
        }
        let mut random = [0; 16];
        self.random.fill(&mut random);
        let destination = self.destination;
        let opening = Opening { key: handshake::key(random), head: Vec::new(), intended_us, destination };
        let attempt = self.dialer.attempts;
        self.frames.clear();
        self.request.write(&opening.key, &mut self.frames);
        self.connections[index].begin(transport, opening, attempt);
        self.dialer.under_way += 1;
        let deadline_us = now_us.saturating_add(microseconds(self.plan.timeout));
        self.dialer.handshakes.push_back((index, attempt, deadline_us));
        self.write_frames(index);
        true
    }

    /// Reads the response to a handshake. Gives how many bytes of these it took when it is complete.
    pub(super) fn take_response(&mut self, index: usize, bytes: &[u8], now_us: u64) -> Option<usize> {
        let Stage::Opening(opening) = &mut self.connections[index].stage else { return None };
        let before = opening.head.len();
        opening.head.extend_from_slice(bytes);
        match handshake::response(&opening.head, &opening.key, &self.plan.handshake) {
            Ok(None) => None,
            Ok(Some(accepted)) => {
                let intended_us = opening.intended_us;
                self.opened(index, accepted.deflate, intended_us, now_us);
                Some(accepted.consumed.saturating_sub(before))
            }
            Err(cause) => {
                self.lose(index, cause);
                None
            }
        }
    }

    /// A handshake is complete.
    fn opened(&mut self, index: usize, deflate: Deflate, intended_us: u64, now_us: u64) {
        let is_slow = self.is_slow(index);
        self.dialer.under_way -= 1;
        self.opened += 1;
        let connection = &mut self.connections[index];
        connection.reader = Reader::new(matches!(deflate, Deflate::On));
        if is_slow {
            connection.stage = Stage::Slow;
            if let Some(transport) = &mut connection.transport {
                // Without events nothing reads it. It stays open.
                let _ = self.poll.registry().deregister(transport.socket());
            }
            return;
        }
        connection.stage = Stage::Open;
        self.open += 1;
        if matches!(self.plan.scenario, Scenario::Connect) {
            self.tally.shake(now_us.saturating_sub(intended_us));
            self.close(index, now_us);
        }
    }

    /// A connection that was never opened; it was tried at this destination.
    pub(super) fn fail(&mut self, index: usize, destination: usize, cause: Cause) {
        let is_last = destination >= self.destination && destination + 1 >= self.destinations.len();
        if is_of_address(cause) && self.opened == 0 && !is_last {
            self.destination = self.destination.max(destination + 1);
            self.dialer.again.push(index);
            return;
        }
        self.failed += 1;
        self.causes.add(cause);
        self.free(index);
    }

    /// Ends what takes too long.
    pub(super) fn expire(&mut self, now_us: u64) {
        let is_opening = |stage: &Stage| matches!(stage, Stage::Opening(_));
        while let Some(index) = next_over(&mut self.dialer.handshakes, &self.connections, is_opening, now_us)
        {
            let transport = self.connections[index].transport.as_ref();
            let is_of_tls = transport.is_some_and(Transport::is_waiting_for_tls);
            self.lose(index, if is_of_tls { Cause::Tls(TlsFault::TimedOut) } else { Cause::TimedOut });
        }
        let is_closing = |stage: &Stage| matches!(stage, Stage::Closing);
        while let Some(index) = next_over(&mut self.dialer.closings, &self.connections, is_closing, now_us) {
            self.unanswered += 1;
            self.gone(index);
        }
    }

    /// Whether this place is one of those that never read: they come behind the first stage's receivers.
    pub(super) fn is_slow(&self, index: usize) -> bool {
        (self.plan.connections..self.plan.places()).contains(&index)
    }
}

/// The next place whose deadline is over while it waits; those that have come further are let go.
fn next_over(
    deadlines: &mut Deadlines,
    connections: &[Connection],
    waits: impl Fn(&Stage) -> bool,
    now_us: u64,
) -> Option<usize> {
    while let Some(&(index, attempt, deadline_us)) = deadlines.front() {
        let connection = &connections[index];
        let is_waiting = connection.attempt == attempt && waits(&connection.stage);
        if is_waiting && deadline_us > now_us {
            return None;
        }
        deadlines.pop_front();
        if is_waiting {
            return Some(index);
        }
    }
    None
}

/// Whether it may be otherwise at another address of the same host.
fn is_of_address(cause: Cause) -> bool {
    match cause {
        Cause::Refused | Cause::Unreachable | Cause::NoPort | Cause::Other(_) => true,
        Cause::Reset
        | Cause::TimedOut
        | Cause::Http(_)
        | Cause::Closed(_)
        | Cause::Handshake(_)
        | Cause::Protocol(_)
        | Cause::Tls(_)
        | Cause::Flooded
        | Cause::NoDescriptor => false,
    }
}
