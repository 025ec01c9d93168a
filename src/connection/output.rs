//! What a connection says for itself, into its outbox: messages to it alone, its last word, refusals, pongs.
//!
//! Must not know: what is published to everybody, when anything is written.

use super::{Connection, Event, Patience, Stage, State, Turn};
use crate::backlog::Seat;
use crate::channel::OnTheWire;
use crate::deadline::Deadline;
use crate::http::Refusal;
use crate::http::response::{Content, Persistence};
use crate::limits::CLOSE_TIMEOUT;
use crate::message::{CloseCode, Message};
use crate::outbox::{Body, Outbox};
use crate::websocket::Violation;
use crate::websocket::frame::{Header, Opcode};

impl Connection {
    /// Sends a message to this client alone. One that there is no memory left to keep closes it with 1013.
    pub fn send(&mut self, message: &Message<'_>, turn: &Turn<'_>) {
        if !self.is_open() {
            return;
        }
        let mut room = Vec::new();
        let Some(frame) = self.format().frame(message, turn.codec, &mut room) else { return };
        let frame = frame.parts().concat();
        if self.outbox_or_new(turn).try_push(turn.head, Body::Bytes(frame)).is_err() {
            self.close(CloseCode::TRY_AGAIN_LATER, "no memory left", turn);
        }
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2): the last word comes behind all that was published so
    /// far, and the client has [`CLOSE_TIMEOUT`] to take it and answer.
    pub fn close(&mut self, code: CloseCode, reason: &str, turn: &Turn<'_>) {
        if self.is_open() {
            self.say_close(code, reason, turn);
            self.set_stage(Stage::Closing);
            self.deadline = Deadline::after(turn.now.tick, CLOSE_TIMEOUT);
        }
    }

    /// It fell too far behind and has lost its place in the backlog: the frame on its wire is finished, then
    /// a Close with 1013. The seat is to be given back.
    pub fn fall_behind(&mut self, on_the_wire: OnTheWire, turn: &Turn<'_>) -> Option<Seat> {
        self.finish_frame(on_the_wire, turn);
        self.close(CloseCode::TRY_AGAIN_LATER, "too slow", turn);
        self.stand_up()
    }

    /// It left out a part of the backlog: the frame on its wire is finished first.
    pub fn finish_frame(&mut self, on_the_wire: OnTheWire, turn: &Turn<'_>) {
        match on_the_wire {
            OnTheWire::Begun(frame, taken) => self.outbox_or_new(turn).push_rest(frame, taken),
            OnTheWire::Nothing | OnTheWire::Lost => {}
        }
    }

    pub(super) fn outbox_or_new(&mut self, turn: &Turn<'_>) -> &mut Outbox {
        self.outbox.get_or_insert_with(|| Box::new(Outbox::new(turn.budget)))
    }

    pub(super) fn push(&mut self, body: Body, turn: &Turn<'_>) {
        self.outbox_or_new(turn).push(turn.head, body);
    }

    pub(super) fn seal(&mut self, turn: &Turn<'_>) {
        self.outbox_or_new(turn).seal(turn.head);
    }

    pub(super) fn say_close(&mut self, code: CloseCode, reason: &str, turn: &Turn<'_>) {
        self.push(Body::Bytes(self.format().close(code, reason)), turn);
        self.seal(turn);
    }

    /// It did what its dialect does not allow.
    pub(super) fn violated(&mut self, violation: Violation, turn: &Turn<'_>) -> Event<'static> {
        self.say_close(violation.close_code(), "", turn);
        self.end(Patience::Whole, turn);
        Event::Violation(violation)
    }

    /// Nothing is said or heard from here on.
    pub(super) fn end(&mut self, patience: Patience, turn: &Turn<'_>) {
        self.seal(turn);
        self.state = State::Ending(patience);
        let wait = match patience {
            Patience::Whole => CLOSE_TIMEOUT,
            Patience::PerWrite => turn.config.limits.keep_alive,
        };
        self.deadline = Deadline::after(turn.now.tick, wait);
    }

    /// Refuses what it asked for, or would: it ends.
    pub fn refuse(&mut self, refusal: Refusal, content: Content, turn: &Turn<'_>) {
        let response = refusal.response(turn.now.unix_seconds, Persistence::Close, content);
        self.push(Body::Bytes(response), turn);
        self.end(Patience::Whole, turn);
    }

    /// Behind our Close as well: a ping is answered until the client's Close has come (RFC 6455 §5.5.2).
    pub(super) fn pong(&mut self, payload: &[u8], turn: &Turn<'_>) {
        let frame = control_frame(Opcode::Pong, payload);
        self.outbox_or_new(turn).push_pong(turn.head, frame);
    }
}

pub(super) fn control_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header = Header { fin: true, opcode, masking_key: None, length: payload.len() as u64 };
    [&*header.write(), payload].concat()
}
