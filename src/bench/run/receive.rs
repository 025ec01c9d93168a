//! What comes in: readiness, handshakes, messages, control frames, and ends.
//!
//! Must not know: when anything is due.

use super::Run;
use super::connection::Stage;
use super::course::Phase;
use crate::bench::cause::{ABNORMAL, Cause};
use crate::bench::limits::PONG_BYTES_MAX;
use crate::bench::reader::Event;
use crate::bench::sockets::Read;
use crate::bench::stamp::Arrival;
use fanfare::CloseCode;
use fanfare::websocket::frame::Opcode;
use std::io;

impl Run<'_> {
    /// A connection is ready for something.
    pub(super) fn ready(&mut self, index: usize, event: &mio::event::Event) {
        if index >= self.connections.len() {
            return;
        }
        if event.is_writable() {
            self.flush(index);
        }
        let connection = &mut self.connections[index];
        if connection.transport.is_none() {
            return;
        }
        if event.is_read_closed() || event.is_error() {
            connection.is_ending = true;
        }
        if event.is_readable() || connection.is_ending {
            self.read(index);
        }
    }

    /// Those that had more to read than they had a turn for.
    pub(super) fn read_on(&mut self) {
        for _ in 0..self.readable.len() {
            let Some(index) = self.readable.pop_front() else { return };
            self.connections[index].is_queued = false;
            self.read(index);
        }
    }

    /// Reads once; who may have more gets a place in the queue.
    fn read(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if connection.is_queued || matches!(connection.stage, Stage::Slow) {
            return;
        }
        let Some(transport) = &mut connection.transport else { return };
        let mut scratch = std::mem::take(&mut self.scratch);
        let outcome = transport.read(&mut scratch);
        let now_us = self.now_us();
        match outcome {
            Ok(Read::End) => self.end_of_stream(index),
            Ok(Read::Some { bytes, is_all }) => {
                self.bytes.received += bytes as u64;
                self.take(index, &scratch.bytes[..bytes], now_us);
                // The end may stand behind all there was.
                let connection = &mut self.connections[index];
                if connection.transport.is_some() && (!is_all || connection.is_ending) {
                    self.read_later(index);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read_later(index),
            Err(error) => self.lose(index, Cause::from_io(&error)),
        }
        self.scratch = scratch;
        // A batch of reads may take longer than the time between two messages.
        if self.send_due_us().is_some_and(|due_us| due_us <= now_us) {
            self.send(now_us);
        }
    }

    fn take(&mut self, index: usize, bytes: &[u8], now_us: u64) {
        let mut rest = bytes;
        if matches!(self.connections[index].stage, Stage::Opening(_)) {
            let Some(used) = self.take_response(index, bytes, now_us) else { return };
            rest = bytes.get(used..).unwrap_or_default();
        }
        while !rest.is_empty() {
            let connection = &mut self.connections[index];
            match connection.stage {
                Stage::Open | Stage::Closing => {}
                Stage::Empty | Stage::Opening(_) | Stage::Slow => return,
            }
            let is_between = connection.reader.is_between() && !connection.reader.may_compress();
            if is_between && self.follow(index, &mut rest, now_us) {
                continue;
            }
            let before = rest;
            match self.connections[index].reader.next(&mut rest, &mut self.judge) {
                Ok(Some(event)) => {
                    if is_between {
                        self.learn(index, &before[..before.len() - rest.len()], event);
                    }
                    self.heed(index, event, now_us);
                }
                Ok(None) => return,
                Err(violation) => {
                    self.answer(index, Opcode::Close, &violation.close_code().0.to_be_bytes()); // §7.1.7
                    return self.lose(index, Cause::Protocol(violation));
                }
            }
        }
    }

    /// Takes frames off the front that another receiver has brought already. Gives `false` when there are none.
    fn follow(&mut self, index: usize, bytes: &mut &[u8], now_us: u64) -> bool {
        let Some(mirror) = self.mirror.as_ref().filter(|_| self.course.phase.is_counted()) else {
            return false;
        };
        let connection = &mut self.connections[index];
        let stamps = mirror.follow(connection.cursor, bytes);
        for stamp in stamps {
            self.tally.arrive(index, Arrival::Whole(*stamp), now_us);
        }
        connection.cursor.advance(stamps.len());
        *bytes = &bytes[stamps.len() * self.judge.frame_bytes()..];
        !stamps.is_empty()
    }

    /// Keeps a frame for the other receivers, when it is one as they were sent.
    fn learn(&mut self, index: usize, frame: &[u8], event: Event) {
        let Some(mirror) = self.mirror.as_mut().filter(|_| self.course.phase.is_counted()) else { return };
        if let Event::Message(Arrival::Whole(stamp), opcode) = event
            && opcode == self.plan.kind.opcode()
        {
            mirror.learn(&mut self.connections[index].cursor, frame, stamp);
        }
    }

    fn heed(&mut self, index: usize, event: Event, now_us: u64) {
        match event {
            Event::Message(arrival, opcode) => self.arrive(index, arrival, opcode, now_us),
            Event::Ping(control) => self.answer(index, Opcode::Pong, control.payload()),
            Event::Close(code) => {
                if self.connections[index].is_open() {
                    let body = if code.may_be_sent() { &code.0.to_be_bytes()[..] } else { &[] };
                    self.answer(index, Opcode::Close, body);
                }
                self.lose(index, Cause::Closed(code));
            }
        }
    }

    fn arrive(&mut self, index: usize, arrival: Arrival, opcode: Opcode, now_us: u64) {
        if let (Phase::Probing, Some(probe)) = (self.course.phase, &mut self.probe) {
            return match arrival {
                Arrival::Whole(_) => probe.arrive(index, now_us),
                Arrival::Damaged(_) | Arrival::Foreign => probe.arrive_other(),
            };
        }
        if !self.course.phase.is_counted() || !self.plan.scenario.has_messages() {
            return;
        }
        let is_ours = !matches!(arrival, Arrival::Foreign);
        if is_ours && opcode != self.plan.kind.opcode() {
            self.tally.counts.kind_changed += 1;
        }
        self.tally.arrive(index, arrival, now_us);
    }

    /// Sends a control frame, as an answer.
    fn answer(&mut self, index: usize, opcode: Opcode, payload: &[u8]) {
        // A message of ours that waits may be longer, and is not the server's fault.
        if self.connections[index].answers > PONG_BYTES_MAX {
            return self.lose(index, Cause::Flooded);
        }
        self.frames.clear();
        let frame = self.begin_frame(opcode, payload.len());
        self.frames.extend_from_slice(payload);
        self.end_frame(frame);
        if !self.write_frames(index) {
            self.connections[index].answers += self.frames.len();
        }
    }

    /// Says goodbye; what comes from here on does not count.
    pub(super) fn close(&mut self, index: usize, now_us: u64) {
        if !self.connections[index].is_open() {
            return self.gone(index);
        }
        self.answer(index, Opcode::Close, &CloseCode::NORMAL.0.to_be_bytes());
        let connection = &mut self.connections[index];
        if connection.is_open() {
            connection.stage = Stage::Closing;
            self.dialer.closes(index, connection.attempt, now_us);
            self.open -= 1;
        }
    }

    fn end_of_stream(&mut self, index: usize) {
        let failure = self.connections[index].failure;
        self.lose(index, failure.unwrap_or(Cause::Closed(ABNORMAL)));
    }

    /// A write failed. Of an open connection what came before is read first: a Close says more than a reset.
    pub(super) fn write_failed(&mut self, index: usize, error: &io::Error) {
        let cause = Cause::from_io(error);
        let connection = &mut self.connections[index];
        if !connection.is_open() || connection.failure.is_some() {
            return self.lose(index, cause);
        }
        connection.failure = Some(cause);
        connection.is_ending = true;
        self.read_later(index);
    }

    fn read_later(&mut self, index: usize) {
        if !std::mem::replace(&mut self.connections[index].is_queued, true) {
            self.readable.push_back(index);
        }
    }

    /// A connection is over, and why.
    pub(super) fn lose(&mut self, index: usize, cause: Cause) {
        let connection = &mut self.connections[index];
        let opening = match &connection.stage {
            Stage::Opening(opening) => Some(opening.destination),
            Stage::Open => None,
            Stage::Empty | Stage::Slow | Stage::Closing => return self.gone(index),
        };
        let is_counted = match self.course.phase {
            Phase::Closing { .. } | Phase::Over => false,
            Phase::Opening | Phase::Probing | Phase::Measuring { .. } | Phase::Draining { .. } => true,
        };
        connection.clear();
        if let Some(destination) = opening {
            self.dialer.under_way -= 1;
            return self.fail(index, destination, cause);
        }
        self.open -= 1;
        if is_counted {
            self.lost += 1;
            self.causes.add(cause);
            self.tally.lose_receiver(index);
        }
        self.free(index);
    }

    /// A connection is over as it should be.
    pub(super) fn gone(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if connection.transport.is_none() {
            return;
        }
        match connection.stage {
            Stage::Opening(_) => self.dialer.under_way -= 1,
            Stage::Open => self.open -= 1,
            Stage::Empty | Stage::Slow | Stage::Closing => {}
        }
        connection.clear();
        self.free(index);
    }
}
