//! Traces: who watches whom, and what viewers are told.
//!
//! Whether there is a trace is asked once a turn and once for each end; a connection that is traced has its taps in its
//! transport, so that nobody else is asked anything.
//!
//! Must not know: what is recorded, and how.

use super::Server;
use crate::connection::{TraceRequest, Turn, WatchRequest, Wish};
use crate::limits::TRACE_RECORDS_PER_TURN;
use crate::message::CloseCode;
use crate::trace::{Direction, Told};

impl Server {
    /// Somebody wants to watch a connection, here or to come. `true`: it may.
    pub(super) fn watch(&mut self, key: usize, request: &WatchRequest) -> bool {
        let now = self.now;
        let watched = self.traces.watch(&request.id, key, &self.budget);
        let Some(entry) = self.connections.get_mut(key) else { return false };
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        if let Some(event) = entry.connection.watch(request, watched.map(drop), &turn) {
            self.notes.event(self.instant, key, &entry.transport, &event, false);
            self.note_request(key, &event, None);
            return false;
        }
        self.notes.metrics.handshakes += 1;
        self.untap(watched.ok().flatten());
        true
    }

    /// A connection wants to be traced. `behind`: what came behind its request.
    pub(super) fn trace(&mut self, key: usize, request: &TraceRequest, behind: &[u8]) {
        let Some((trace, unwatched)) = self.traces.begin(&request.id, key, &self.budget) else { return };
        if let Some(entry) = self.connections.get_mut(key) {
            entry.transport.tap(trace, (&request.head, behind), request.owed);
        }
        self.untap(unwatched);
    }

    /// A viewer has said what it wants.
    pub(super) fn heed_viewer(&mut self, key: usize, wish: Wish) {
        match wish {
            Wish::Ping => self.traces.want_ping(key),
            Wish::Unknown => self.close_viewer(key, CloseCode::POLICY, "all a viewer may say is ping"),
        }
    }

    fn close_viewer(&mut self, key: usize, code: CloseCode, reason: &str) {
        let Some((entry, turn)) = self.in_turn(key) else { return };
        if !entry.connection.has_said_all() {
            entry.connection.close(code, reason, &turn);
            self.notes.metrics.note_close(code);
        }
    }

    /// A connection is over: what it was for a trace, it is no more.
    pub(super) fn leave_trace(&mut self, key: usize) {
        let unwatched = self.traces.leave(key);
        self.untap(unwatched);
    }

    /// Nobody sees what a connection does any more.
    fn untap(&mut self, unwatched: Option<usize>) {
        if let Some(entry) = unwatched.and_then(|key| self.connections.get_mut(key)) {
            entry.transport.untap();
        }
    }

    /// Tells viewers what happened in this turn and before, as far as they take it, and does what they want.
    pub(super) fn tell_viewers(&mut self) {
        if self.traces.is_empty() {
            return;
        }
        while let Some(key) = self.traces.take_ping() {
            self.ping(key);
        }
        // Backwards: one that leaves moves those behind it.
        for index in (0..self.traces.len()).rev() {
            if let Some(viewer) = self.traces.viewer(index) {
                self.tell_viewer(viewer, index);
            }
        }
    }

    fn tell_viewer(&mut self, viewer: usize, index: usize) {
        let now = self.now;
        let Some(entry) = self.connections.get_mut(viewer) else { return };
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        // One that has closed, or was told to go, may take its time to: its trace is free for the next.
        let connection = &entry.connection;
        if entry.is_gone || !connection.is_viewer() || connection.has_said_all() {
            return self.leave_trace(viewer);
        }
        for _ in 0..TRACE_RECORDS_PER_TURN {
            if !entry.connection.can_be_told() {
                break;
            }
            match self.traces.tell(index) {
                Told::Nothing => break,
                Told::Record(record) => entry.connection.tell(&record, &turn),
                Told::End => {
                    self.close_viewer(viewer, CloseCode::NORMAL, "the connection is over");
                    break;
                }
            }
        }
        if self.connections.get(viewer).is_some_and(|entry| entry.connection.wants_flush()) {
            self.queue_write(viewer);
        }
    }

    fn ping(&mut self, key: usize) {
        let Some((entry, turn)) = self.in_turn(key) else { return };
        entry.connection.ping_for_viewer(&turn);
        self.queue_write(key);
    }

    /// From whom the end of a connection comes that has one now: who said first that nothing more would come.
    pub(super) fn note_end_of_trace(&mut self, key: usize) {
        if let Some(entry) = self.connections.get_mut(key) {
            let by = if entry.input_ended || entry.read_closed { Direction::In } else { Direction::Out };
            entry.transport.note_end(by);
        }
    }
}
