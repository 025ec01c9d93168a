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
mod inspect;
mod life;
mod output;
mod page;

pub use inspect::{TraceRequest, WatchRequest, Wish};
pub use life::Expiry;
pub use page::{Found, PageRequest, Responded, StatsRequest};

use crate::backlog::Seat;
use crate::budget::{Budget, Loan};
use crate::config::{Audience, Config};
use crate::deadline::{Deadline, Now};
use crate::format::WireFormat;
use crate::http::origin::{Peer, Scheme};
use crate::http::request::Asked;
use crate::http::response::Content;
use crate::http::{NO_ROOM, Refusal, TOO_MANY_CONNECTIONS};
use crate::limits::{CONNECTION_BYTES, LINGER_TIMEOUT, LOAN_FREE_BYTES, SUBSCRIBER_BYTES};
use crate::message::{CloseCode, Message};
use crate::outbox::{FileId, Outbox};
use crate::websocket::Violation;
use crate::websocket::codec::Codec;
use crate::websocket::decoder::Decoder;

/// What a connection is told of the turn it lives in.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'t> {
    /// The operator's decisions.
    pub config: &'t Config,
    /// What all connections together may keep.
    pub budget: &'t Budget,
    /// What compresses and decompresses, for all connections.
    pub codec: &'t Codec,
    /// The turn's time.
    pub now: Now,
    /// The head of the connection's backlog: what it says now comes behind what was published before.
    pub head: u64,
}

/// What a connection goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where its other end is.
    pub peer: Peer,
    /// Whether it is secure.
    pub scheme: Scheme,
}

/// What a client wants, or did.
#[derive(Debug)]
pub enum Event<'a> {
    /// A page: answer with [`Connection::respond`].
    Page(Box<PageRequest>),
    /// The server's figures: answer with [`Connection::respond_with_stats`].
    Stats(Box<StatsRequest>),
    /// To watch another connection: answer with [`Connection::watch`].
    Watch(Box<WatchRequest>),
    /// A viewer has said what it wants.
    Wish(Wish),
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
    /// It wants to be traced, and may.
    pub(crate) trace: Option<Box<TraceRequest>>,
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
    link: Link,
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
    format: WireFormat,
    role: Role,
    stage: Stage,
}

/// What a WebSocket is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// To say something, which these hear.
    Client(Audience),
    /// To see what goes on on another connection.
    Viewer,
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

// What a connection has on the heap beside what its loans count, and its places in tables that grow (a slab, and a
// feed of each format once somebody had a place there, three times over while they do), are within what it is said to cost.
const _: () = {
    // It is either of the first two.
    let [http, websocket] = [size_of::<Http>(), Decoder::PARTIAL_BYTES];
    let boxes = (if http > websocket { http } else { websocket }) + size_of::<Outbox>();
    let places = 3 * (64 + WireFormat::ALL.len() * SUBSCRIBER_BYTES);
    assert!(boxes + places + 3 * LOAN_FREE_BYTES <= CONNECTION_BYTES as usize);
};

impl Connection {
    /// A connection past the limit: it is told so, and ends.
    pub fn refused(link: Link, turn: &Turn<'_>) -> Self {
        let mut connection = Self::new(link, 0, turn);
        connection.refuse(TOO_MANY_CONNECTIONS, Content::Sent, turn);
        connection
    }

    /// A connection that was just accepted. `spread` is any number that differs from others'.
    pub fn new(link: Link, spread: u8, turn: &Turn<'_>) -> Self {
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
            link,
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

    /// Who hears what it says; `None`: it is no client's WebSocket, or not any more.
    pub fn audience(&self) -> Option<Audience> {
        match &self.state {
            State::WebSocket(WebSocket { role: Role::Client(audience), .. }) => Some(*audience),
            State::WebSocket(WebSocket { role: Role::Viewer, .. }) => None,
            State::Http(_) | State::Ending(_) | State::Lingering => None,
        }
    }

    /// Whether it is a WebSocket, of whatever role.
    pub fn is_websocket(&self) -> bool {
        match &self.state {
            State::WebSocket(_) => true,
            State::Http(_) | State::Ending(_) | State::Lingering => false,
        }
    }

    /// The format it is to be told everything in; [`WireFormat::Plain`] of what is no WebSocket.
    pub fn format(&self) -> WireFormat {
        match &self.state {
            State::WebSocket(websocket) => websocket.format,
            State::Http(_) | State::Ending(_) | State::Lingering => WireFormat::Plain,
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

    /// Whether requests or messages it has sent wait for their turn. They come before anything that is still to be
    /// read, its FIN as well.
    pub fn is_paused(&self) -> bool {
        match &self.state {
            State::Http(http) => http.is_paused,
            State::WebSocket(websocket) => websocket.decoder.is_holding(),
            State::Ending(_) | State::Lingering => false,
        }
    }

    /// Its requests wait for their turn. (Messages do when [`keep`](Self::keep) is given some.)
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
            State::WebSocket(websocket) => websocket.decoder.take_held(),
            State::Ending(_) | State::Lingering => Vec::new(),
        }
    }

    /// Keeps what [`next`](Self::next) did not take, until more comes or it is its turn. Bounded by the limit on a
    /// request's head and one read; past the budget of all it is refused, which is the event.
    pub fn keep(&mut self, left: &[u8], turn: &Turn<'_>) -> Option<Event<'static>> {
        match &mut self.state {
            State::Http(http) if left.is_empty() => {
                http.is_paused = false;
                None
            }
            State::Http(_) => self.keep_of_request(left, turn),
            State::WebSocket(websocket) if !left.is_empty() => {
                websocket.decoder.hold(left, turn.budget).err()?;
                Some(self.violated(Violation::NoRoom, turn))
            }
            State::WebSocket(_) | State::Ending(_) | State::Lingering => None,
        }
    }

    fn keep_of_request(&mut self, left: &[u8], turn: &Turn<'_>) -> Option<Event<'static>> {
        let State::Http(http) = &mut self.state else { return None };
        let mut loan = turn.budget.open();
        if loan.resize(left.len()).is_err() {
            self.refuse(NO_ROOM, Content::Sent, turn);
            return Some(Event::Refusal(NO_ROOM, None));
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
}

#[cfg(test)]
mod tests;
