//! One connection: bytes and times in, events out, and its own bytes for the outbox.
//!
//! A connection begins as HTTP; a handshake makes it a WebSocket; at the end it says its last word, sends
//! FIN and drops what still comes. [`Connection::next`] takes bytes off the front of what was read and gives
//! one event at a time; what it leaves, [`Connection::keep`] holds until more comes.
//!
//! Must not know: its socket, the clock, who else is connected. Whether what it says is taken it hears from
//! the loop ([`Connection::written`], [`Connection::flushed`]).
//!
//! Invariants: an idle WebSocket connection owns no heap memory; behind its Close it says nothing but pongs, and
//! behind both ends' nothing.

mod input;
mod page;

pub use page::{Found, PageRequest};

use crate::backlog::Seat;
use crate::config::{Audience, Config};
use crate::deadline::{Deadline, Now};
use crate::format::WireFormat;
use crate::http::origin::Peer;
use crate::http::request;
use crate::http::response::{Content, Persistence, Status};
use crate::http::{Refusal, TOO_MANY_CONNECTIONS};
use crate::limits::{CLOSE_TIMEOUT, LINGER_TIMEOUT, OUTBOX_BYTES_MAX};
use crate::message::{CloseCode, Message};
use crate::outbox::{Body, FileId, Outbox};
use crate::websocket::frame::{Header, Opcode};
use crate::websocket::message::Decoder;
use crate::websocket::{Violation, close};
use std::rc::Rc;
use std::time::Duration;

/// What a connection is told of the turn it lives in.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'t> {
    /// The operator's decisions.
    pub config: &'t Config,
    /// The turn's time.
    pub now: Now,
    /// The backlog's head: what the connection says now comes behind what was published before.
    pub head: u64,
}

/// What a client wants, or did.
#[derive(Debug)]
pub enum Event<'a> {
    /// A page: answer with [`Connection::respond`].
    Page(PageRequest),
    /// It asked for something that needs nobody else; the answer is in the outbox.
    Answered,
    /// It is a WebSocket now; the 101 is in the outbox.
    Open(Opening),
    /// It said something.
    Message(Message<'a>),
    /// It closed, with this code and reason; the answer is in the outbox.
    Close(CloseCode, String),
    /// It did what RFC 6455 does not allow; the Close is in the outbox.
    Violation(Violation),
    /// Its request was refused; the answer is in the outbox.
    Refusal(Refusal),
}

/// A handshake that was completed.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// The path and query that were asked for.
    pub target: String,
    /// Who hears what this client says.
    pub audience: Audience,
}

/// What became of a connection whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It has something to say; its patience begins anew.
    Speaks,
    /// It is over, for this reason.
    Gone(&'static str),
}

/// What follows when everything that was to be written was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing.
    Stays,
    /// The last word of a WebSocket is out, and the client's is awaited: it leaves its channel.
    Leaves,
    /// The last word of both is out: it leaves its channel, and FIN is due.
    ShutsDown,
}

/// One client. With its transport it fits a cache line.
#[derive(Debug)]
pub struct Connection {
    state: State,
    outbox: Option<Box<Outbox>>,
    /// Its seat in the channel, while it listens.
    seat: Option<Seat>,
    deadline: Deadline,
    peer: Peer,
    /// A number of its own, by which its pings keep away from the others'.
    spread: u8,
}

#[derive(Debug)]
enum State {
    Http(Box<Http>),
    WebSocket(WebSocket),
    /// The last word is in the outbox; what comes in is dropped.
    Ending(Patience),
    /// FIN is sent; what comes in is dropped until the peer's FIN.
    Lingering,
}

/// How long a connection that ends has to take what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// A close timeout for all of it.
    Whole,
    /// The keep-alive for each write: a long response.
    PerWrite,
}

#[derive(Debug)]
struct Http {
    /// What came of a request that is not complete, or that waits for its turn.
    kept: Vec<u8>,
    /// Bytes of a request's body still to be dropped.
    body_left: u64,
    waits_for: Wanted,
    /// There is input that waits until the client has taken its responses.
    is_paused: bool,
}

/// What an HTTP connection's deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The first request; the deadline counts from the accept.
    FirstRequest,
    /// The rest of a request that has begun.
    Rest,
    /// Another request.
    NextRequest,
}

#[derive(Debug)]
struct WebSocket {
    decoder: Decoder,
    audience: Audience,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// It was silent and was pinged; silent on, it is gone.
    Pinged,
    /// We have sent a Close and wait for the client's (RFC 6455 §7.1.2).
    Closing,
}

impl Connection {
    /// A connection past the limit: it is told so, and ends.
    pub fn refused(peer: Peer, turn: &Turn<'_>) -> Self {
        let mut connection = Self::new(peer, 0, turn);
        connection.refuse(TOO_MANY_CONNECTIONS, Content::Sent, turn);
        connection
    }

    /// A connection that was just accepted. `spread` is any number that differs from others'.
    pub fn new(peer: Peer, spread: u8, turn: &Turn<'_>) -> Self {
        let http = Http { kept: Vec::new(), body_left: 0, waits_for: Wanted::FirstRequest, is_paused: false };
        Self {
            state: State::Http(Box::new(http)),
            outbox: None,
            seat: None,
            deadline: Deadline::after(turn.now.tick, turn.config.limits.handshake_timeout),
            peer,
            spread,
        }
    }

    /// When [`expire`](Self::expire) is due.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Its seat in the channel.
    pub fn seat(&self) -> Option<Seat> {
        self.seat
    }

    /// Gives it a seat: it listens from now on.
    pub fn sit_down(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Takes its seat away.
    pub fn stand_up(&mut self) -> Option<Seat> {
        self.seat.take()
    }

    /// What it has to say for itself.
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_deref()
    }

    /// The same, to take note of what was written.
    pub fn outbox_mut(&mut self) -> Option<&mut Outbox> {
        self.outbox.as_deref_mut()
    }

    /// Who hears what it says; `None`: it is no WebSocket, or not any more.
    pub fn audience(&self) -> Option<Audience> {
        match &self.state {
            State::WebSocket(websocket) => Some(websocket.audience),
            State::Http(_) | State::Ending(_) | State::Lingering => None,
        }
    }

    /// Whether what it says would be published: it is held back while the flush is behind.
    pub fn is_publisher(&self) -> bool {
        self.audience() == Some(Audience::Everyone)
    }

    /// Whether it may be heard: what it is owed has a limit, and what follows must wait until it took some.
    pub fn wants_input(&self) -> bool {
        self.outbox().is_none_or(|outbox| outbox.weight() < OUTBOX_BYTES_MAX as u64)
    }

    /// Whether requests it has sent wait for their turn. They come before anything that is still to be read,
    /// its FIN as well.
    pub fn is_paused(&self) -> bool {
        match &self.state {
            State::Http(http) => http.is_paused,
            State::WebSocket(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    /// Its requests wait for their turn.
    pub fn pause(&mut self) {
        if let State::Http(http) = &mut self.state {
            http.is_paused = true;
        }
    }

    /// Whether there is something to write, or to do when all is written.
    pub fn wants_flush(&self) -> bool {
        let has_output = self.outbox().is_some_and(|outbox| !outbox.is_empty());
        has_output || matches!(self.state, State::Ending(_))
    }

    /// Whether everything was said that will be.
    pub fn has_said_all(&self) -> bool {
        self.outbox().is_some_and(Outbox::is_sealed)
    }

    /// Takes back what the last [`keep`](Self::keep) left.
    pub fn take_kept(&mut self) -> Vec<u8> {
        match &mut self.state {
            State::Http(http) => std::mem::take(&mut http.kept),
            State::WebSocket(_) | State::Ending(_) | State::Lingering => Vec::new(),
        }
    }

    /// Keeps what [`next`](Self::next) did not take, until more comes. Bounded by the limit on a request's
    /// head and one read.
    pub fn keep(&mut self, left: &[u8], turn: &Turn<'_>) {
        let State::Http(http) = &mut self.state else { return };
        if left.is_empty() {
            http.is_paused = false;
            return;
        }
        http.kept = left.to_vec();
        if http.waits_for == Wanted::NextRequest && !http.is_paused {
            http.waits_for = Wanted::Rest;
            self.deadline = Deadline::after(turn.now.tick, turn.config.limits.handshake_timeout);
        }
    }

    /// Takes the next event off the front of `input`; `None`: nothing more comes of it.
    pub fn next<'a>(&mut self, input: &mut &'a mut [u8], turn: &Turn<'_>) -> Option<Event<'a>> {
        match &mut self.state {
            State::Http(_) => self.next_of_http(input, turn),
            State::WebSocket(_) => self.next_of_websocket(input, turn),
            State::Ending(_) | State::Lingering => {
                *input = &mut [];
                None
            }
        }
    }

    /// Sends a message to this client alone.
    pub fn send(&mut self, message: &Message<'_>, turn: &Turn<'_>) {
        if !self.is_open() {
            return;
        }
        let head = WireFormat::Plain.head(message);
        let frame = [&*head, message.payload()].concat();
        self.push(Body::Bytes(frame), turn);
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
    pub fn fall_behind(&mut self, on_the_wire: Option<(Rc<[u8]>, usize)>, turn: &Turn<'_>) -> Option<Seat> {
        if let Some((frame, taken)) = on_the_wire {
            self.outbox.get_or_insert_default().push_rest(frame, taken);
        }
        self.close(CloseCode::TRY_AGAIN_LATER, "too slow", turn);
        self.stand_up()
    }

    /// The server drains: a WebSocket is closed with 1001, HTTP ends behind the response under way.
    pub fn go_away(&mut self, turn: &Turn<'_>) {
        match &self.state {
            State::WebSocket(_) => self.close(CloseCode::GOING_AWAY, "", turn),
            State::Http(_) => self.end(Patience::PerWrite, turn),
            State::Ending(_) | State::Lingering => {}
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
            },
            State::Ending(_) => Expiry::Gone("it does not take what is left"),
            State::Lingering => Expiry::Gone("it does not close"),
        }
    }

    /// The client's FIN has come. `false`: it is over; otherwise what is left for it is still written.
    pub fn end_of_input(&mut self, turn: &Turn<'_>) -> bool {
        match &self.state {
            State::Http(_) if self.outbox.is_some() => {
                self.end(Patience::PerWrite, turn);
                true
            }
            State::Ending(_) => true,
            State::Http(_) | State::WebSocket(_) | State::Lingering => false,
        }
    }

    /// The socket took some bytes.
    pub fn written(&mut self, turn: &Turn<'_>) {
        let is_empty = self.outbox().is_some_and(Outbox::is_empty);
        match &self.state {
            State::Http(_) | State::Ending(Patience::PerWrite) if !is_empty => {
                self.deadline = Deadline::after(turn.now.tick, turn.config.limits.keep_alive);
            }
            State::Http(_) | State::Ending(_) | State::WebSocket(_) | State::Lingering => {}
        }
        if is_empty && !self.has_said_all() {
            self.outbox = None;
        }
    }

    /// A sign of life: bytes came, or its socket was full and takes some again.
    pub fn heard(&mut self, turn: &Turn<'_>) {
        if self.is_open() {
            self.set_stage(Stage::Open);
            self.deadline = self.ping_deadline(turn);
        }
    }

    /// Nothing is left to write. What follows?
    pub fn flushed(&mut self, turn: &Turn<'_>) -> Flushed {
        match &self.state {
            State::WebSocket(WebSocket { stage: Stage::Closing, .. }) => Flushed::Leaves,
            State::Ending(_) => {
                self.state = State::Lingering;
                self.outbox = None;
                self.deadline = Deadline::after(turn.now.tick, LINGER_TIMEOUT);
                Flushed::ShutsDown
            }
            State::Http(_) | State::WebSocket(_) | State::Lingering => Flushed::Stays,
        }
    }

    /// The files it was still to send.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.outbox().into_iter().flat_map(Outbox::files)
    }

    fn is_open(&self) -> bool {
        match &self.state {
            State::WebSocket(websocket) => websocket.stage != Stage::Closing,
            State::Http(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let State::WebSocket(websocket) = &mut self.state {
            websocket.stage = stage;
        }
    }

    fn push(&mut self, body: Body, turn: &Turn<'_>) {
        self.outbox.get_or_insert_default().push(turn.head, body);
    }

    fn seal(&mut self, turn: &Turn<'_>) {
        self.outbox.get_or_insert_default().seal(turn.head);
    }

    fn say_close(&mut self, code: CloseCode, reason: &str, turn: &Turn<'_>) {
        self.push(Body::Bytes(close::write(code, reason)), turn);
        self.seal(turn);
    }

    /// Nothing is said or heard from here on.
    fn end(&mut self, patience: Patience, turn: &Turn<'_>) {
        self.seal(turn);
        self.state = State::Ending(patience);
        let wait = match patience {
            Patience::Whole => CLOSE_TIMEOUT,
            Patience::PerWrite => turn.config.limits.keep_alive,
        };
        self.deadline = Deadline::after(turn.now.tick, wait);
    }

    fn refuse(&mut self, refusal: Refusal, content: Content, turn: &Turn<'_>) {
        let response = refusal.response(turn.now.unix_seconds, Persistence::Close, content);
        self.push(Body::Bytes(response), turn);
        self.end(Patience::Whole, turn);
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

    /// Behind our Close as well: a ping is answered until the client's Close has come (RFC 6455 §5.5.2).
    fn pong(&mut self, payload: &[u8], turn: &Turn<'_>) {
        let frame = control_frame(Opcode::Pong, payload);
        self.outbox.get_or_insert_default().push_even_sealed(turn.head, Body::Bytes(frame));
    }
}

fn control_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header = Header { fin: true, opcode, masking_key: None, length: payload.len() as u64 };
    [&*header.write(), payload].concat()
}

#[cfg(test)]
mod tests;
