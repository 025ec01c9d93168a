//! Slow receivers: what their verdicts mean for their connections, and the senders that wait for them.

use super::notes::End;
use super::{Address, Entry, Server};
use crate::channel::{OnTheWire, Sentence, Verdict};
use crate::connection::Turn;
use crate::message::CloseCode;
use log::Level;
use std::mem;

impl Server {
    /// Carries out what the channel has decided on who is too slow.
    pub(super) fn carry_out_verdicts(&mut self) {
        let mut is_anyone_closed = false;
        while let Some(verdict) = self.channel.take_verdict() {
            is_anyone_closed |= !matches!(verdict.sentence, Sentence::Skips { .. });
            self.carry_out(verdict);
        }
        if is_anyone_closed {
            self.let_go_of_those_who_end();
        }
    }

    fn carry_out(&mut self, verdict: Verdict) {
        let Verdict { key, sentence, on_the_wire } = verdict;
        let (key, now) = (key as usize, self.now);
        let Some(entry) = self.connections.get_mut(key) else { return };
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let address = Address(&entry.transport);
        let metrics = &mut self.notes.metrics;
        let (cause, what) = match sentence {
            Sentence::TooSlow => {
                metrics.slow_closed += 1;
                ("a receiver is too slow", "is too slow: closed with 1013".to_owned())
            }
            Sentence::Stalled => {
                metrics.slow_stalled += 1;
                ("a receiver holds up all others", "holds up all others: closed with 1013".to_owned())
            }
            Sentence::Skips { missed } => {
                metrics.slow_skipped += 1;
                metrics.messages_missed += missed as u64;
                ("a receiver is too slow", format!("is too slow: it misses {missed} messages"))
            }
        };
        let line = format_args!("connection {key}{address} {what}");
        self.notes.complaints.say(self.instant, Level::Debug, cause, line);
        if matches!(sentence, Sentence::Skips { .. }) {
            entry.connection.finish_frame(on_the_wire, &turn);
            return self.queue_write(key);
        }
        if !entry.connection.has_said_all() {
            self.notes.metrics.note_close(CloseCode::TRY_AGAIN_LATER);
        }
        if matches!(on_the_wire, OnTheWire::Lost) {
            return self.end(key, End::Abnormal("there is no memory left for the frame it is in"));
        }
        if let Some(seat) = entry.connection.fall_behind(on_the_wire, &turn) {
            self.channel.unsubscribe(seat);
        }
        self.queue_write(key);
    }

    /// A sender waits until the flush has come further. It keeps its place among those who are read.
    pub(super) fn hold(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if !mem::replace(&mut entry.in_readable, true) {
            self.held.push(key);
            self.notes.metrics.senders_held += 1;
        }
    }

    /// Senders are read again when nobody is waited for any more; until then only those who are gone leave.
    pub(super) fn let_go(&mut self) {
        if !self.held.is_empty() && !self.channel.is_congested() {
            self.readable.extend(self.held.drain(..));
        }
    }

    /// Who is closing or over has nothing more to publish: the answer of the one is waited for, the other is reaped when
    /// it has come out of its queue.
    pub(super) fn let_go_of_those_who_end(&mut self) {
        let (connections, readable) = (&self.connections, &mut self.readable);
        self.held.retain(|&key| {
            let waits = |entry: &Entry| !entry.is_gone && entry.connection.is_publisher();
            let is_held = connections.get(key).is_some_and(waits);
            if !is_held {
                readable.push_back(key);
            }
            is_held
        });
    }

    /// Once a sweep: who is waited for and takes nothing is given up in the end, and who waits is not to blame for its
    /// silence: it was not listened to. It is pinged all the same: whoever has gone answers that with a reset.
    pub(super) fn count_stalls(&mut self) {
        let between = self.sweep_interval();
        let sweeps = self.config.limits.ping.map(|ping| {
            let sweeps = (2 * ping).as_millis().div_ceil(between.as_millis());
            u16::try_from(sweeps).unwrap_or(u16::MAX)
        });
        self.channel.count_stalls(sweeps);
        self.carry_out_verdicts();
        let now = self.now;
        for &key in &self.held {
            if let Some(entry) = self.connections.get_mut(key) {
                let head = self.channel.head(entry.connection.seat());
                let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
                entry.connection.excuse(&turn);
            }
        }
    }
}
