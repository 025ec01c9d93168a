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
mod life;
mod page;

pub use life::Expiry;
pub use page::{Found, PageRequest, Responded};

use crate::backlog::Seat;
use crate::budget::{Budget, Loan};
use crate::channel::OnTheWire;
use crate::config::{Audience, Config};
use crate::deadline::{Deadline, Now};
use crate::format::WireFormat;
use crate::http::origin::Peer;
use crate::http::request::Asked;
use crate::http::response::{Content, Persistence};
use crate::http::{NO_ROOM, Refusal, TOO_MANY_CONNECTIONS};
use crate::limits::{CLOSE_TIMEOUT, CONNECTION_BYTES, LINGER_TIMEOUT, LOAN_FREE_BYTES};
use crate::message::{CloseCode, Message};
use crate::outbox::{Body, FileId, Outbox};
use crate::websocket::frame::{Header, Opcode};
use crate::websocket::message::Decoder;
use crate::websocket::{Violation, close};

/// What a connection is told of the turn it lives in.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'t> {
    /// The operator's decisions.
    pub config: &'t Config,
    /// What all connections together may keep.
    pub budget: &'t Budget,
    /// The turn's time.
    pub now: Now,
    /// The backlog's head: what the connection says now comes behind what was published before.
    pub head: u64,
}

/// What a client wants, or did.
#[derive(Debug)]
pub enum Event<'a> {
    /// A page: answer with [`Connection::respond`].
    Page(Box<PageRequest>),
    /// It asked for something that needs nobody else; the answer is in the outbox.
    Answered(Asked),
    /// It is a WebSocket now; the 101 is in the outbox.
    Open(Opening),
    /// It said something.
    Message(Message<'a>),
    /// It closed, with this code and reason; the answer is in the outbox.
    Close(CloseCode, String),
    /// It did what RFC 6455 does not allow; the Close is in the outbox.
    Violation(Violation),
    /// Its request was refused, where one could be read; the answer is in the outbox.
    Refusal(Refusal, Option<Box<Asked>>),
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
    /// What the budget of all lends for that.
    loan: Option<Loan>,
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
    /// We have sent a Close in the middle of its message, of which nothing is kept: what comes is dropped.
    Deaf,
}

// What a connection has on the heap beside what its loans count, and its places in tables that grow (a slab and a
// channel, three times over while they do), are within what it is said to cost.
const _: () = {
    let boxes = size_of::<Http>() + Decoder::PARTIAL_BYTES + size_of::<Outbox>();
    let places = 3 * (64 + 32);
    assert!(boxes + places + 3 * LOAN_FREE_BYTES <= CONNECTION_BYTES as usize);
};

impl Connection {
    /// A connection past the limit: it is told so, and ends.
    pub fn refused(peer: Peer, turn: &Turn<'_>) -> Self {
        let mut connection = Self::new(peer, 0, turn);
        connection.refuse(TOO_MANY_CONNECTIONS, Content::Sent, turn);
        connection
    }

    /// A connection that was just accepted. `spread` is any number that differs from others'.
    pub fn new(peer: Peer, spread: u8, turn: &Turn<'_>) -> Self {
        let http = Http {
            kept: Vec::new(),
            loan: None,
            body_left: 0,
            waits_for: Wanted::FirstRequest,
            is_paused: false,
        };
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
        self.is_open() && self.audience() == Some(Audience::Everyone)
    }

    /// Whether it is an HTTP connection that was answered, owes nothing, and asks for nothing.
    pub fn is_idle(&self) -> bool {
        match &self.state {
            State::Http(http) => {
                let is_between = http.waits_for == Wanted::NextRequest && http.body_left == 0;
                is_between && http.kept.is_empty() && self.outbox.is_none()
            }
            State::WebSocket(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    /// Whether it may be heard: what it is owed has a limit, and what follows must wait until it took some.
    pub fn wants_input(&self) -> bool {
        self.outbox().is_none_or(Outbox::has_room)
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
            State::Http(http) => {
                http.loan = None;
                std::mem::take(&mut http.kept)
            }
            State::WebSocket(_) | State::Ending(_) | State::Lingering => Vec::new(),
        }
    }

    /// Keeps what [`next`](Self::next) did not take, until more comes. Bounded by the limit on a request's
    /// head and one read; past the budget of all it is refused.
    pub fn keep(&mut self, left: &[u8], turn: &Turn<'_>) -> Option<Refusal> {
        let State::Http(http) = &mut self.state else { return None };
        if left.is_empty() {
            http.is_paused = false;
            return None;
        }
        let mut loan = turn.budget.open();
        if loan.resize(left.len()).is_err() {
            self.refuse(NO_ROOM, Content::Sent, turn);
            return Some(NO_ROOM);
        }
        http.kept = left.to_vec();
        http.loan = Some(loan);
        if http.waits_for == Wanted::NextRequest && !http.is_paused {
            http.waits_for = Wanted::Rest;
            self.deadline = Deadline::after(turn.now.tick, turn.config.limits.handshake_timeout);
        }
        None
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

    /// Sends a message to this client alone. One that there is no memory left to keep closes it with 1013.
    pub fn send(&mut self, message: &Message<'_>, turn: &Turn<'_>) {
        if !self.is_open() {
            return;
        }
        let head = WireFormat::Plain.head(message);
        let frame = [&*head, message.payload()].concat();
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

    /// The server drains: a WebSocket is closed with 1001, HTTP ends behind the response under way.
    pub fn go_away(&mut self, turn: &Turn<'_>) {
        match &self.state {
            State::WebSocket(_) => self.close(CloseCode::GOING_AWAY, "", turn),
            State::Http(_) => self.end(Patience::PerWrite, turn),
            State::Ending(_) | State::Lingering => {}
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

    /// Nothing is left to write. What follows?
    pub fn flushed(&mut self, turn: &Turn<'_>) -> Flushed {
        match &self.state {
            State::WebSocket(WebSocket { stage: Stage::Closing, .. }) => Flushed::Leaves,
            State::WebSocket(WebSocket { stage: Stage::Deaf, .. }) => Flushed::ShutsDown,
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
            State::WebSocket(websocket) => match websocket.stage {
                Stage::Open | Stage::Pinged => true,
                Stage::Closing | Stage::Deaf => false,
            },
            State::Http(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let State::WebSocket(websocket) = &mut self.state {
            websocket.stage = stage;
        }
    }

    fn outbox_or_new(&mut self, turn: &Turn<'_>) -> &mut Outbox {
        self.outbox.get_or_insert_with(|| Box::new(Outbox::new(turn.budget)))
    }

    fn push(&mut self, body: Body, turn: &Turn<'_>) {
        self.outbox_or_new(turn).push(turn.head, body);
    }

    fn seal(&mut self, turn: &Turn<'_>) {
        self.outbox_or_new(turn).seal(turn.head);
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

    /// Refuses what it asked for, or would: it ends.
    pub fn refuse(&mut self, refusal: Refusal, content: Content, turn: &Turn<'_>) {
        let response = refusal.response(turn.now.unix_seconds, Persistence::Close, content);
        self.push(Body::Bytes(response), turn);
        self.end(Patience::Whole, turn);
    }

    /// Behind our Close as well: a ping is answered until the client's Close has come (RFC 6455 §5.5.2).
    fn pong(&mut self, payload: &[u8], turn: &Turn<'_>) {
        let frame = control_frame(Opcode::Pong, payload);
        self.outbox_or_new(turn).push_pong(turn.head, frame);
    }
}

fn control_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header = Header { fin: true, opcode, masking_key: None, length: payload.len() as u64 };
    [&*header.write(), payload].concat()
}

#[cfg(test)]
mod tests;
