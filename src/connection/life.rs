//! Signs of life, and what follows when there are none: pings, timeouts, patience at its end.
//!
//! Must not know: the clock; what is said at all, it says when its time comes.

use super::{Connection, Stage, State, Turn, Wanted, control_frame};
use crate::deadline::Deadline;
use crate::http::Refusal;
use crate::http::request;
use crate::http::response::Status;
use crate::outbox::Body;
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

    fn ping(&mut self, turn: &Turn<'_>) -> Expiry {
        self.push(Body::Bytes(control_frame(Opcode::Ping, &[])), turn);
        self.set_stage(Stage::Pinged);
        let wait = turn.config.limits.ping.map(|interval| interval + self.ping_lead(interval));
        self.deadline = wait.map_or(Deadline::NEVER, |wait| Deadline::after(turn.now.tick, wait));
        Expiry::Speaks
    }

    fn ping_deadline(&self, turn: &Turn<'_>) -> Deadline {
        let wait = turn.config.limits.ping.map(|interval| interval - self.ping_lead(interval));
        wait.map_or(Deadline::NEVER, |wait| Deadline::after(turn.now.tick, wait))
    }

    /// How much earlier than the interval it is pinged, up to a quarter, by its own number: those who came in
    /// the same moment are not pinged in the same moment for ever. What the ping comes earlier, its answer
    /// may take longer: nobody is given up before two intervals.
    fn ping_lead(&self, interval: Duration) -> Duration {
        interval / 1024 * u32::from(self.spread)
    }
}
