//! Reading: one read into the shared scratch for each that has something, within a budget.
//!
//! Must not know: what comes of what was read.

use super::notes::End;
use super::{Entry, Server};
use crate::connection::{Event, Turn};
use crate::handler::Handler;
use crate::http::{SPEAKS_TLS, request};
use crate::limits::{
    GIVING_WAY_PER_TURN, READ_BYTES_MAX, READ_BYTES_MIN, READ_BYTES_PER_TURN, READ_COST_MIN,
    TLS_UNREAD_BYTES_MAX,
};
use crate::transport::Got;
use std::{io, mem};

/// What a read brought.
enum Input {
    /// So many bytes; none when only kept input is to be taken up.
    Bytes(usize),
    /// So many of a request that came unprotected where TLS is spoken.
    Unprotected(usize),
    /// The peer's FIN.
    End,
    /// The connection is over.
    Broken(io::Error),
}

impl Server {
    /// Reads from those who have something until the budget is spent; those whose handshakes are under way have one of
    /// their own, so that a storm of them keeps nobody waiting for more than a few. Senders wait while the flush is far
    /// behind: what they have to say would only pile up.
    pub(super) fn read(&mut self, handler: &mut impl Handler) {
        self.let_go();
        self.looks_for_largest = GIVING_WAY_PER_TURN;
        let mut budget = READ_BYTES_PER_TURN;
        while budget > 0 {
            let Some(key) = self.shaking_hands.pop_front() else { break };
            budget = budget.saturating_sub(self.read_next(key, budget, handler));
        }
        let mut budget = READ_BYTES_PER_TURN;
        while budget > 0 {
            let Some(key) = self.readable.pop_front() else { break };
            budget = budget.saturating_sub(self.read_next(key, budget, handler));
        }
    }

    /// Reads from one that has come out of its queue, if it may be read; says what it counts for in the budget.
    fn read_next(&mut self, key: usize, budget: usize, handler: &mut impl Handler) -> usize {
        let Some(entry) = self.connections.get_mut(key) else { return 0 };
        entry.in_readable = false;
        if entry.is_gone || !entry.connection.wants_input() {
            return 0; // read again when it has taken what it is owed
        }
        if self.channel.is_congested() && entry.connection.is_publisher() {
            self.hold(key);
            return 0;
        }
        self.read_from(key, budget, handler).max(READ_COST_MIN)
    }

    /// One read, and what comes of it; says what it counts for in the budget.
    fn read_from(&mut self, key: usize, budget: usize, handler: &mut impl Handler) -> usize {
        let mut scratch = mem::take(&mut self.scratch);
        let input = self.fill(key, &mut scratch[..budget.clamp(READ_BYTES_MIN, READ_BYTES_MAX)]);
        let news = self.connections.get_mut(key).map(|entry| entry.transport.take_news()).unwrap_or_default();
        let cost = match input {
            Input::Bytes(read) => {
                self.make_room(key, read);
                self.take_in(key, &mut scratch[..read], budget, handler)
            }
            Input::Unprotected(read) => {
                self.refuse_unprotected(key, &scratch[..read]);
                read
            }
            Input::End => {
                self.end_input(key);
                0
            }
            Input::Broken(error) => {
                self.end(key, End::Broken(error));
                0
            }
        };
        self.scratch = scratch;
        self.carry_out_verdicts();
        self.read_on(key);
        if self.connections.get(key).is_some_and(|entry| entry.connection.wants_flush()) {
            self.queue_write(key);
        }
        self.notes.metrics.tls_handshakes += u64::from(news.is_secured);
        if news.wants_write {
            self.note_writable(key); // what is to be said comes first, or had to wait for this
            self.queue_write(key);
        }
        cost + news.cost
    }

    /// Gives a connection its place among those who are read, if it has something and may be heard.
    pub(super) fn read_on(&mut self, key: usize) {
        let Some(entry) = self.connections.get(key) else { return };
        let connection = &entry.connection;
        if (entry.may_read || connection.is_paused()) && !entry.is_gone && connection.wants_input() {
            self.queue_read(key);
        }
    }

    fn fill(&mut self, key: usize, scratch: &mut [u8]) -> Input {
        let Some(entry) = self.connections.get_mut(key) else { return Input::Bytes(0) };
        // What it has sent before comes first.
        if !entry.may_read || entry.connection.is_paused() {
            return Input::Bytes(0);
        }
        if entry.transport.is_secure() {
            // It may have to keep what comes before anybody sees it.
            self.make_room(key, TLS_UNREAD_BYTES_MAX);
        }
        let Some(entry) = self.connections.get_mut(key) else { return Input::Bytes(0) };
        match entry.transport.read(scratch) {
            Ok(Got::End) => {
                entry.may_read = false;
                Input::End
            }
            Ok(Got::Bytes { count, is_drained }) => {
                // A FIN may be behind it.
                if is_drained && !entry.read_closed {
                    entry.may_read = false;
                }
                Input::Bytes(count)
            }
            Ok(Got::Unprotected { count }) => Input::Unprotected(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                entry.may_read = false;
                Input::Bytes(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Input::Bytes(0),
            Err(error) => Input::Broken(error),
        }
    }

    /// Somebody asks without TLS where it is spoken, and is told so, without it as well.
    fn refuse_unprotected(&mut self, key: usize, read: &[u8]) {
        let (now, instant) = (self.now, self.instant);
        let Some(Entry { transport, connection, .. }) = self.connections.get_mut(key) else { return };
        if connection.has_said_all() {
            return; // it was refused already
        }
        self.notes.metrics.bytes_received += read.len() as u64;
        let head = self.channel.head(connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        connection.refuse(SPEAKS_TLS, request::content_of_refusal(read), &turn);
        let event = Event::Refusal(SPEAKS_TLS, request::asked_for(read).map(Box::new));
        self.notes.event(instant, key, transport, &event, false);
        self.access.event(key, (transport, connection), &event, None, (instant, &self.budget));
    }

    fn end_input(&mut self, key: usize) {
        let Some((entry, turn)) = self.in_turn(key) else { return };
        entry.input_ended = true;
        if !entry.connection.end_of_input(&turn) {
            self.end(key, End::Orderly("the peer has closed"));
        }
    }
}
