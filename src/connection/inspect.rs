//! Connections that are traced, and those that watch them.
//!
//! A client that names a trace in its target is traced where the operator allows it. A viewer asks for one on `/inspect`,
//! hears of it what the loop tells it, and may say one thing: that the connection is to be pinged.
//!
//! Must not know: what is recorded, and who else traces.

use super::output::control_frame;
use super::{Connection, Event, Role, Stage, State, Turn, WebSocket};
use crate::config::{Compression, Legacy, Tracing};
use crate::format::WireFormat;
use crate::http::Refusal;
use crate::http::origin::{self, Peer};
use crate::http::request::{Asked, Request};
use crate::http::response::{Content, Status};
use crate::message::{Kind, Message};
use crate::outbox::{Body, Outbox};
use crate::trace::{TraceId, Unwatchable};
use crate::websocket::decoder::Decoder;
use crate::websocket::frame::{Header, Opcode};
use crate::websocket::handshake::{self, Terms};

/// A handshake that asks to be traced, and was completed.
#[derive(Debug, PartialEq, Eq)]
pub struct TraceRequest {
    /// By this name.
    pub id: TraceId,
    /// The request as it was on the wire.
    pub head: Vec<u8>,
    /// Bytes that are to be written before its response.
    pub owed: u64,
}

/// Somebody wants to see a trace: answer with [`Connection::watch`].
#[derive(Debug)]
pub struct WatchRequest {
    /// For the log.
    pub asked: Asked,
    /// Which.
    pub id: TraceId,
    /// The 101 for it.
    response: Vec<u8>,
}

/// What a viewer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That the connection it watches is pinged.
    Ping,
    /// Nobody knows.
    Unknown,
}

impl Wish {
    pub(super) fn of(message: &Message<'_>) -> Self {
        match (message.kind(), message.payload()) {
            (Kind::Text, WANT_PING) => Self::Ping,
            (Kind::Text | Kind::Binary, _) => Self::Unknown,
        }
    }
}

/// What the server pings with for a viewer: it comes back in the pong, and is seen to.
const PING: &[u8] = b"fanfare";

/// What a viewer says to have its connection pinged.
const WANT_PING: &[u8] = b"ping";

const NO_ID: Refusal = Refusal::bad("a trace is asked for by ?trace=ID, 16 to 64 of A-Za-z0-9_-");
const NOT_FROM_HERE: Refusal = Refusal::new(
    Status::Forbidden,
    "traces are for clients on this machine; the server's option --inspect allows others",
);

/// What becomes of a viewer whose trace cannot be had.
fn refusal_of(unwatchable: Unwatchable) -> Refusal {
    match unwatchable {
        Unwatchable::Watched => Refusal::new(Status::Conflict, "somebody watches this trace already"),
        Unwatchable::TooMany => {
            Refusal::new(Status::TooManyRequests, "there are too many traces; try again later")
        }
    }
}

impl Connection {
    /// What is needed to trace the connection that this request makes; `None`: it does not ask to be, or may not.
    pub(super) fn trace_request(
        &self,
        request: &Request<'_>,
        head: &[u8],
        turn: &Turn<'_>,
    ) -> Option<Box<TraceRequest>> {
        let id = TraceId::of_target(&request.target).filter(|_| self.may_trace(turn.config.tracing))?;
        let owed = self.outbox().map_or(0, Outbox::bytes);
        Some(Box::new(TraceRequest { id, head: head.to_vec(), owed }))
    }

    /// Checks a handshake on `/inspect`.
    pub(super) fn ask_to_watch(
        &self,
        request: &Request<'_>,
        turn: &Turn<'_>,
    ) -> Result<Event<'static>, Refusal> {
        // Records are short, and for one client alone: compressing them would cost more than it saves.
        let terms = Terms { protocols: &[], compression: Compression::Never, legacy: Legacy::Refused };
        let handshake = handshake::check(request, &terms)?;
        origin::check(request, &turn.config.origins, self.link.peer)?;
        if !self.may_trace(turn.config.tracing) {
            return Err(NOT_FROM_HERE);
        }
        let id = TraceId::of_target(&request.target).ok_or(NO_ID)?;
        let response = handshake.response();
        Ok(Event::Watch(Box::new(WatchRequest { asked: request.asked(), id, response })))
    }

    /// Answers a request to watch: it is a viewer from now on, or is told why not, which is the event.
    pub fn watch(
        &mut self,
        request: &WatchRequest,
        granted: Result<(), Unwatchable>,
        turn: &Turn<'_>,
    ) -> Option<Event<'static>> {
        if let Err(unwatchable) = granted {
            let refusal = refusal_of(unwatchable);
            self.refuse(refusal, Content::Sent, turn);
            return Some(Event::Refusal(refusal, Some(Box::new(request.asked.clone()))));
        }
        self.push(Body::Bytes(request.response.clone()), turn);
        self.become_websocket(WireFormat::Plain, Role::Viewer, turn);
        None
    }

    /// It is a WebSocket from now on.
    pub(super) fn become_websocket(&mut self, format: WireFormat, role: Role, turn: &Turn<'_>) {
        let decoder = Decoder::default();
        self.state = State::WebSocket(WebSocket { decoder, format, role, stage: Stage::Open });
        self.heard(turn);
    }

    /// Tells a viewer something, if it [`can_be_told`](Self::can_be_told): where memory is used up, one record after the
    /// other, while the others wait in the trace.
    pub fn tell(&mut self, record: &str, turn: &Turn<'_>) {
        let header =
            Header { fin: true, opcode: Opcode::Text, masking_key: None, length: record.len() as u64 };
        self.push(Body::Bytes([&*header.write(), record.as_bytes()].concat()), turn);
    }

    /// Whether it is open, and takes more of what is for it alone.
    pub fn can_be_told(&self) -> bool {
        self.is_open() && self.wants_input()
    }

    /// Somebody who watches it wants it to be pinged.
    pub fn ping_for_viewer(&mut self, turn: &Turn<'_>) {
        if self.can_be_told() && self.format().has_pings() {
            self.push(Body::Bytes(control_frame(Opcode::Ping, PING)), turn);
        }
    }

    /// Whether it watches another connection: what it does is no affair of the handler's.
    pub fn is_viewer(&self) -> bool {
        match &self.state {
            State::WebSocket(websocket) => websocket.role == Role::Viewer,
            State::Http(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    fn may_trace(&self, tracing: Tracing) -> bool {
        match (tracing, self.link.peer) {
            (Tracing::Anybody, _) | (Tracing::Loopback, Peer::Loopback) => true,
            (Tracing::Loopback, Peer::Remote) => false,
        }
    }
}
