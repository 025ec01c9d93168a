//! What goes out: messages by the clock in the open loop, when there is room in the window in the closed one; and what
//! sockets did not take at once.
//!
//! Must not know: who receives.

use super::Run;
use super::course::Phase;
use crate::bench::limits::{FRAMES_BYTES, SEND_BYTES_PER_TURN, SENDS_PER_TURN};
use crate::bench::plan::Scenario;
use crate::bench::reader::RSV1;
use crate::bench::stamp::Stamp;
use fanfare::websocket::frame::{Header, Opcode};
use fanfare::websocket::mask;

impl Run<'_> {
    /// Sends what is due, or what the windows let. What was due and could not be sent in time is sent when the time is
    /// over, so that a server that stopped reading does not look fast.
    pub(super) fn send(&mut self, now_us: u64) {
        let is_measured = match self.course.phase {
            Phase::Measuring { until_us } => now_us < until_us,
            Phase::Draining { .. } => false,
            Phase::Opening | Phase::Probing | Phase::Closing { .. } | Phase::Over => return,
        };
        match self.plan.scenario {
            Scenario::Idle => {}
            Scenario::Connect if is_measured => self.dial_again(now_us),
            Scenario::Connect => {}
            Scenario::Echo | Scenario::Broadcast | Scenario::Slow if self.schedule.is_some() => {
                self.send_due(now_us);
            }
            Scenario::Echo | Scenario::Broadcast | Scenario::Slow if is_measured => self.send_ready(now_us),
            Scenario::Echo | Scenario::Broadcast | Scenario::Slow => {}
        }
    }

    /// In the open loop: messages that were due and are not sent, of senders that could. In `connect`: handshakes.
    pub(super) fn owed(&self) -> u64 {
        let Some(schedule) = self.schedule else { return 0 };
        if matches!(self.plan.scenario, Scenario::Connect) {
            return schedule.all() - self.scheduled.min(schedule.all());
        }
        let senders = self.sent.iter().enumerate().filter(|(sender, _)| self.connections[*sender].is_open());
        senders.map(|(sender, sent)| schedule.due_of(sender, schedule.all()).saturating_sub(*sent)).sum()
    }

    /// When the next message is due in the open loop, or the next handshake in `connect`.
    pub(super) fn send_due_us(&self) -> Option<u64> {
        if !self.course.phase.is_counted() {
            return None;
        }
        match self.plan.scenario {
            Scenario::Idle => None,
            Scenario::Connect if self.course.phase.is_measured() => self.dial_again_due_us(),
            Scenario::Connect => None,
            Scenario::Echo | Scenario::Broadcast | Scenario::Slow => self.schedule?.due_us(self.scheduled),
        }
    }

    /// In the closed loop: whether a sender could send at once.
    pub(super) fn has_ready(&self) -> bool {
        self.course.phase.is_measured()
            && self.plan.scenario.has_messages()
            && self.schedule.is_none()
            && (!self.ready.is_empty() || self.tally.has_freed())
    }

    fn send_due(&mut self, now_us: u64) {
        let Some(schedule) = self.schedule else { return };
        let in_bytes = SEND_BYTES_PER_TURN / self.judge.pattern().length();
        let at_once = SENDS_PER_TURN.min(in_bytes.max(1) as u64);
        let due = schedule.due(now_us).min(self.scheduled + at_once);
        // When all of them are due several times over, each is visited once.
        let visits = (due - self.scheduled).min(self.plan.senders as u64);
        for message in due - visits..due {
            let sender = schedule.sender_of(message);
            let connection = &self.connections[sender];
            if connection.is_open() && !connection.is_blocked() {
                self.send_owed(sender, schedule.due_of(sender, due), now_us, Lateness::Ours);
            }
        }
        self.scheduled = due;
    }

    /// Sends what a sender owes, as far as its socket takes it.
    fn send_owed(&mut self, sender: usize, due: u64, now_us: u64, lateness: Lateness) {
        let Some(schedule) = self.schedule else { return };
        while self.sent[sender] < due {
            self.frames.clear();
            while self.sent[sender] < due && self.frames.len() < FRAMES_BYTES {
                let intended_us = schedule.time_of_its(sender, self.sent[sender]);
                match lateness {
                    Lateness::Ours => self.tally.lateness.add(now_us.saturating_sub(intended_us)),
                    Lateness::TheServers => {}
                }
                self.message(sender, intended_us, now_us);
            }
            if !self.write_frames(sender) {
                return;
            }
        }
    }

    fn send_ready(&mut self, now_us: u64) {
        let mut ready = std::mem::take(&mut self.ready);
        self.tally.take_freed(&mut ready);
        ready.retain(|&sender| self.fill_window(sender, now_us));
        self.ready = ready;
    }

    /// Sends what a sender's window has room for. Gives `true` when it could go on; one that is stopped by its socket is
    /// ready again once that has taken all.
    fn fill_window(&mut self, sender: usize, now_us: u64) -> bool {
        let connection = &self.connections[sender];
        if !connection.is_open() || connection.is_blocked() {
            return false;
        }
        self.frames.clear();
        while self.tally.may_depart(sender) && self.frames.len() < FRAMES_BYTES {
            self.message(sender, now_us, now_us);
        }
        // Its window was filled already: it is freed once for each message that arrived everywhere.
        !self.frames.is_empty() && self.write_frames(sender) && self.tally.may_depart(sender)
    }

    /// Makes a sender's next message, and counts it.
    fn message(&mut self, sender: usize, intended_us: u64, now_us: u64) {
        let stamp = self.tally.depart(sender, self.open, intended_us, now_us);
        self.sent[sender] += 1;
        self.frame(sender, stamp);
    }

    /// Sends the message of the warm-up.
    pub(super) fn send_probe(&mut self, sender: usize, now_us: u64) {
        let stamp = self.tally.probe(sender, now_us);
        self.frames.clear();
        self.frame(sender, stamp);
        self.write_frames(sender);
    }

    /// Adds a message to the frames that are being made.
    fn frame(&mut self, sender: usize, stamp: Stamp) {
        let is_compressed = self.connections[sender].reader.may_compress();
        let length = if is_compressed { self.compress(stamp) } else { self.judge.pattern().length() };
        let start = self.frames.len();
        let frame = self.begin_frame(self.plan.kind.opcode(), length);
        if is_compressed {
            self.frames[start] |= RSV1;
            self.frames.extend_from_slice(&self.packed);
        } else {
            self.judge.pattern().write(stamp, &mut self.frames);
        }
        self.end_frame(frame);
    }

    /// Adds the header of a frame, with a masking key of its own (RFC 6455 §5.3). The payload follows, then the end.
    pub(super) fn begin_frame(&mut self, opcode: Opcode, length: usize) -> Unmasked {
        let key = self.random.u32(..).to_ne_bytes();
        let header = Header { fin: true, opcode, masking_key: Some(key), length: length as u64 };
        self.frames.extend_from_slice(&header.write());
        Unmasked { key, payload: self.frames.len() }
    }

    /// Masks what was added since.
    pub(super) fn end_frame(&mut self, Unmasked { key, payload }: Unmasked) {
        mask::apply(&mut self.frames[payload..], key, 0);
    }

    /// Makes a compressed payload, and gives its length.
    #[cfg(feature = "deflate")]
    fn compress(&mut self, stamp: Stamp) -> usize {
        self.plain.clear();
        self.judge.pattern().write(stamp, &mut self.plain);
        self.packed.clear();
        self.deflater.compress(&self.plain, &mut self.packed);
        self.packed.len()
    }

    /// Without the feature nothing is agreed on that could be compressed.
    #[cfg(not(feature = "deflate"))]
    fn compress(&mut self, stamp: Stamp) -> usize {
        self.packed.clear();
        self.judge.pattern().write(stamp, &mut self.packed);
        self.packed.len()
    }

    /// Writes the frames that were made. Gives `false` when the socket did not take all of them, or is gone.
    pub(super) fn write_frames(&mut self, index: usize) -> bool {
        match self.connections[index].write(&self.frames) {
            Ok(written) => {
                self.bytes.sent += written.bytes as u64;
                written.is_all
            }
            Err(error) => {
                self.write_failed(index, &error);
                false
            }
        }
    }

    /// The socket takes bytes again.
    pub(super) fn flush(&mut self, index: usize) {
        if !self.connections[index].is_blocked() {
            return;
        }
        match self.connections[index].flush() {
            Ok(written) => {
                self.bytes.sent += written.bytes as u64;
                if written.is_all && index < self.plan.senders {
                    self.unblocked(index);
                }
            }
            Err(error) => self.write_failed(index, &error),
        }
    }

    /// A sender goes on where its socket stopped it.
    fn unblocked(&mut self, sender: usize) {
        if !self.plan.scenario.has_messages() || !self.connections[sender].is_open() {
            return;
        }
        match self.schedule {
            Some(schedule) if self.course.phase.is_counted() => {
                let due = schedule.due_of(sender, self.scheduled);
                self.send_owed(sender, due, self.now_us(), Lateness::TheServers);
            }
            None if self.course.phase.is_measured() => self.ready.push(sender),
            Some(_) | None => {}
        }
    }
}

/// A frame whose payload is not masked yet.
#[must_use]
pub(super) struct Unmasked {
    key: [u8; 4],
    /// Where the payload begins.
    payload: usize,
}

/// Whose fault it is when a message is sent late: latency counts it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lateness {
    /// The loop did not get round to it.
    Ours,
    /// Its socket took nothing.
    TheServers,
}
