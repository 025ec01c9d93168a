//! Signs of life, and what follows when there are none: pings, timeouts, patience at its end.
//!
//! Must not know: the clock; what is said at all, it says when its time comes.

use super::output::control_frame;
use super::{Connection, Stage, State, Turn, Wanted};
use crate::deadline::Deadline;
use crate::http::request;
use crate::http::response::Status;
use crate::http::{NO_ROOM, Refusal};
use crate::limits::{CLOSE_TIMEOUT, LOAN_FREE_BYTES};
use crate::message::CloseCode;
use crate::outbox::{Body, Outbox};
use crate::websocket::decoder::Decoder;
use crate::websocket::frame::Opcode;
use std::time::Duration;

/// What became of a connection whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It has something to say; its patience begins anew.
    Speaks,
    /// It is over, for this reason.
    Gone(&'static str),
}

impl Connection {
    /// Bytes it keeps of the budget of all: what came in and is incomplete, and what is for it alone.
    pub fn kept_bytes(&self) -> usize {
        let came = match &self.state {
            State::Http(http) => http.kept.len(),
            State::WebSocket(websocket) => websocket.decoder.kept_bytes(),
            State::Ending(_) | State::Lingering => 0,
        };
        came + self.outbox().map_or(0, Outbox::held_bytes)
    }

    /// Nothing that it is owed will be written any more. Its files were closed.
    pub fn forget_owed(&mut self) {
        self.outbox = None;
    }

    /// It keeps the most when memory runs out: it lets go of what came in, and is told so. What it is owed cannot be
    /// cut: then it is gone at once.
    pub fn give_way(&mut self, turn: &Turn<'_>) -> Expiry {
        const CAUSE: &str = "it kept the most when memory ran out";
        if self.outbox().is_some_and(|outbox| outbox.held_bytes() > LOAN_FREE_BYTES) {
            return Expiry::Gone(CAUSE);
        }
        let is_open = self.is_open();
        match &mut self.state {
            State::Http(http) => {
                let content = request::content_of_refusal(&http.kept);
                self.refuse(NO_ROOM, content, turn);
                Expiry::Speaks
            }
            State::WebSocket(websocket) if is_open => {
                websocket.decoder = Decoder::default();
                websocket.stage = Stage::Deaf;
                self.say_close(CloseCode::TRY_AGAIN_LATER, "no memory left", turn);
                self.deadline = Deadline::after(turn.now.tick, CLOSE_TIMEOUT);
                Expiry::Speaks
            }
            State::WebSocket(_) | State::Ending(_) | State::Lingering => Expiry::Gone(CAUSE),
        }
    }

    /// Its deadline has passed.
    pub fn expire(&mut self, turn: &Turn<'_>) -> Expiry {
        match &self.state {
            State::Http(_) if self.outbox.is_some() => Expiry::Gone("it does not take its response"),
            State::Http(http) => match (http.waits_for, http.kept.is_empty()) {
                (Wanted::NextRequest, _) => Expiry::Gone("it was idle"),
                (Wanted::FirstRequest | Wanted::Rest, true) => Expiry::Gone("it sent no request"),
                (Wanted::FirstRequest | Wanted::Rest, false) => {
                    let content = request::content_of_refusal(&http.kept);
                    let refusal = Refusal::new(Status::RequestTimeout, "the request took too long");
                    self.refuse(refusal, content, turn);
                    Expiry::Speaks
                }
            },
            State::WebSocket(websocket) => match websocket.stage {
                Stage::Open => self.ping(turn),
                Stage::Pinged => Expiry::Gone("it did not answer a ping"),
                Stage::Closing => Expiry::Gone("it did not answer a Close"),
                Stage::Deaf => Expiry::Gone("it did not close"),
            },
            State::Ending(_) => Expiry::Gone("it does not take what is left"),
            State::Lingering => Expiry::Gone("it does not close"),
        }
    }

    /// A sign of life: bytes came, or its socket was full and takes some again.
    pub fn heard(&mut self, turn: &Turn<'_>) {
        if self.is_open() {
            self.set_stage(Stage::Open);
            self.deadline = self.ping_deadline(turn);
        }
    }

    /// It was pinged and is not read: its answer may wait there.
    pub fn excuse(&mut self, turn: &Turn<'_>) {
        let is_pinged = match &self.state {
            State::WebSocket(websocket) => websocket.stage == Stage::Pinged,
            State::Http(_) | State::Ending(_) | State::Lingering => false,
        };
        if is_pinged {
            self.deadline = self.ping_deadline(turn);
        }
    }

    fn ping(&mut self, turn: &Turn<'_>) -> Expiry {
        self.push(Body::Bytes(control_frame(Opcode::Ping, &[])), turn);
        self.set_stage(Stage::Pinged);
        let wait = turn.config.limits.ping.map(|interval| interval + self.ping_lead(interval));
        self.deadline = wait.map_or(Deadline::NEVER, |wait| Deadline::after(turn.now.tick, wait));
        Expiry::Speaks
    }

    fn ping_deadline(&self, turn: &Turn<'_>) -> Deadline {
        let interval = turn.config.limits.ping.filter(|_| self.format().has_pings());
        let wait = interval.map(|interval| interval - self.ping_lead(interval));
        wait.map_or(Deadline::NEVER, |wait| Deadline::after(turn.now.tick, wait))
    }

    /// How much earlier than the interval it is pinged, up to a quarter, by its own number: those who came in
    /// the same moment are not pinged in the same moment for ever. What the ping comes earlier, its answer
    /// may take longer: nobody is given up before two intervals.
    fn ping_lead(&self, interval: Duration) -> Duration {
        interval / 1024 * u32::from(self.spread)
    }
}
