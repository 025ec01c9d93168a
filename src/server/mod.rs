//! The loop: one thread, one poll, all connections.
//!
//! `Server::turn` is its table of contents: wait, take in, give out, clean up. It branches on neither
//! protocol nor wire format; what bytes mean is decided below the sans-IO line, what is done with them by the
//! [`Handler`].
//!
//! Invariants: a slab key means the same connection from `wait` to `reap`; a connection is in each queue at
//! most once; every bound on the work of a turn is in `limits`.

mod accept;
mod access;
mod complaints;
mod drain;
mod expire;
mod flush;
mod guard;
mod inspect;
mod listen;
mod notes;
mod read;
mod reap;
mod room;
mod signals;
mod slow;
mod stopper;
mod take_in;

pub use notes::MetricsReader;
pub use stopper::Stopper;

use crate::budget::Budget;
use crate::channel::{Channel, Readiness};
use crate::config::{Config, SlowConsumer};
use crate::connection::{Connection, Turn};
use crate::deadline::{Now, Tick};
use crate::error::Error;
use crate::files::Files;
use crate::handler::Handler;
use crate::limits::{DESCRIPTORS_RESERVED, EVENTS_PER_POLL, Limits, PAUSE_MIN, READ_BYTES_MAX};
use crate::message::CloseCode;
use crate::outbox::Outbox;
use crate::signals::Signals;
use crate::tls::Acceptor;
use crate::trace::{Direction, Traces};
use crate::transport::{Transport, is_tls_failure};
use crate::websocket::codec::Codec;
use access::Access;
use drain::Drain;
use listen::Listener;
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};
use notes::{End, Notes};
use slab::Slab;
use std::collections::VecDeque;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{io, mem};

const WAKER: Token = Token(usize::MAX - 1);
const SIGNALS: Token = Token(usize::MAX - 2);
const HANGUPS: Token = Token(usize::MAX - 3);
/// Listener i has the token so far below; connections have their slab keys, far below that.
const LISTENERS: usize = usize::MAX - 4;

/// A WebSocket broadcast server, bound and ready to run.
#[derive(Debug)]
pub struct Server {
    config: Config,
    connections_max: usize,
    poll: Poll,
    listeners: Vec<Listener>,
    /// For those that speak TLS.
    tls: Option<Acceptor>,
    /// Where a page can be opened: said when it can.
    pages: Vec<String>,
    /// Accepting pauses until then: the descriptors ran out.
    accept_again: Option<Instant>,
    /// Given up to refuse a newcomer when the descriptors run out.
    spare_descriptor: Option<File>,
    signals: Option<Signals>,
    hangups: Option<Signals>,
    stopper: Stopper,
    files: Files,
    channel: Channel,
    /// What all connections together may keep: the channel's.
    budget: Budget,
    /// What compresses and decompresses, for all connections: the channel's.
    codec: Codec,
    connections: Slab<Entry>,
    traces: Traces,
    /// How often in this turn somebody may still be looked for who keeps too much.
    looks_for_largest: usize,
    /// How many of them are past the limit, and are told so.
    refused: usize,
    /// Idle HTTP connections that may give way to newcomers, the one that is idle longest last; found once a turn.
    idle: Option<Vec<usize>>,
    /// Who may have something to read.
    readable: VecDeque<usize>,
    /// The same for those whose handshake is under way: it costs more than all others together, so they do not stand in
    /// front of them.
    shaking_hands: VecDeque<usize>,
    /// Senders that wait until the flush has come further; they count as readable.
    held: Vec<usize>,
    /// Who has something to write and whose socket takes it; broadcasts go by the channel's round.
    writable: VecDeque<usize>,
    /// Who is over, to be reaped at the end of the turn.
    gone: Vec<usize>,
    scratch: Vec<u8>,
    started: Instant,
    /// This turn's time, and the same for those below the sans-IO line.
    instant: Instant,
    now: Now,
    /// When the second that `now` names is over.
    next_date: Instant,
    next_sweep: Instant,
    drain: Option<Drain>,
    notes: Notes,
    access: Access,
    /// What is done to each of the next connections.
    #[cfg(test)]
    faults: VecDeque<crate::transport::faults::Plan>,
}

/// A connection with its transport, and what the loop knows of the two. Where each begins a cache line, a flush
/// fetches one for each receiver, not two.
#[derive(Debug)]
#[repr(align(64))]
struct Entry {
    transport: Transport,
    connection: Connection,
    /// Bytes or a FIN may be there to read.
    may_read: bool,
    /// A FIN is on its way: a short read is not the end.
    read_closed: bool,
    /// The FIN was read.
    input_ended: bool,
    /// The socket takes nothing until it says so.
    is_blocked: bool,
    in_readable: bool,
    in_writable: bool,
    is_gone: bool,
    /// It is past the limit.
    is_refused: bool,
}

/// As slab lays an entry out, so that its size can be asserted.
#[expect(dead_code, reason = "only its size matters")]
enum SlabEntry {
    Vacant(usize),
    Occupied(Entry),
}

// A cache line for an idle connection, which owns nothing beside it.
// Not in debug builds: there mio keeps more in a socket, to find errors.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<SlabEntry>() <= 64);

/// Who an event is for.
enum Source {
    Waker,
    Signals,
    Hangups,
    Listener(usize),
    Connection(usize),
}

impl Server {
    /// Opens what the configuration names: the pages and the listeners. Nothing is accepted before
    /// [`run`](Self::run).
    ///
    /// # Errors
    /// When an address cannot be listened on, or the pages cannot be served.
    pub fn bind(config: Config) -> Result<Self, Error> {
        let system = |what| move |cause| Error::System { what, cause };
        let files = Files::new(&config.pages, config.listing, config.limits.buffers_bytes_max)?;
        let poll = Poll::new().map_err(system("open a poll"))?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(system("open a waker"))?;
        let (mut listeners, pages) = listen::bind(&config)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            listener
                .register(poll.registry(), Token(LISTENERS - index))
                .map_err(system("register a listener"))?;
        }
        let started = Instant::now();
        let channel = Channel::new(&config);
        let tls = Acceptor::open(&config, channel.budget())?;
        Ok(Self {
            connections_max: config.limits.connections_max.unwrap_or_else(affordable_connections),
            budget: channel.budget().clone(),
            codec: channel.codec().clone(),
            channel,
            config,
            poll,
            listeners,
            tls,
            pages,
            accept_again: None,
            spare_descriptor: accept::spare_descriptor(),
            signals: None,
            hangups: None,
            stopper: Stopper::new(Arc::new(waker)),
            files,
            connections: Slab::new(),
            traces: Traces::default(),
            looks_for_largest: 0,
            refused: 0,
            idle: None,
            readable: VecDeque::new(),
            shaking_hands: VecDeque::new(),
            held: Vec::new(),
            writable: VecDeque::new(),
            gone: Vec::new(),
            scratch: vec![0; READ_BYTES_MAX],
            started,
            instant: started,
            now: Now::default(),
            next_date: started,
            next_sweep: started,
            drain: None,
            notes: Notes::default(),
            access: Access::default(),
            #[cfg(test)]
            faults: VecDeque::new(),
        })
    }

    /// The addresses it listens on; where the system picked the port, this is the one.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Connections it holds at a time.
    pub fn connections_max(&self) -> usize {
        self.connections_max
    }

    /// What it holds itself to, in one line.
    fn limits_in_force(&self) -> String {
        let Limits { message_bytes_max, backlog_bytes_max, buffers_bytes_max, ping, .. } =
            &self.config.limits;
        let slow = match self.config.slow_consumer {
            SlowConsumer::Close => "then closed",
            SlowConsumer::Skip => "then moved on",
            SlowConsumer::Wait => "then waited for",
        };
        let [message, backlog, buffers] =
            [message_bytes_max, backlog_bytes_max, buffers_bytes_max].map(|bytes| kib(*bytes as u64));
        let mut memory = self.config.limits.memory_bytes_max(self.connections_max, self.config.formats());
        if self.tls.is_some() {
            memory += Limits::tls_memory_bytes_max(self.connections_max);
        }
        let memory = kib(memory);
        let ping = ping.map_or("never".to_owned(), |ping| format!("after {ping:?}"));
        format!(
            "room for {} connections; messages up to {message}; {backlog} behind, {slow}; {buffers} of buffers; \
             pinged {ping}; at most {memory} of memory",
            self.connections_max
        )
    }

    /// A handle that stops this server from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// SIGTERM and SIGINT drain the server from now on, a second one stops it at once; SIGHUP makes it read again what
    /// can be: the folder of pages is looked up anew. (Unix; elsewhere nothing changes.) Without this call signals do
    /// what they did. SIGPIPE is ignored by every Rust program.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn drain_on_signals(&mut self) -> Result<(), Error> {
        let system = |cause| Error::System { what: "listen to signals", cause };
        self.signals = Some(Signals::to_stop(self.poll.registry(), SIGNALS).map_err(system)?);
        self.hangups = Some(Signals::to_reload(self.poll.registry(), HANGUPS).map_err(system)?);
        Ok(())
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When the system refuses what the loop cannot do without. Nothing a client does ends it.
    pub fn run<H: Handler>(mut self, mut handler: H) -> Result<(), Error> {
        // Said only now: whoever reads it may open the page, or send a signal.
        self.pages.iter().for_each(|page| log::info!("listening on {page}"));
        log::info!("{}", self.limits_in_force());
        self.tls.iter().for_each(|tls| log::info!("{}", tls.about()));
        let mut events = Events::with_capacity(EVENTS_PER_POLL);
        while !self.is_done() {
            let turned = self.turn(&mut events, &mut handler);
            turned.map_err(|cause| Error::System { what: "wait for events", cause })?;
        }
        self.end_all(&mut handler);
        Ok(())
    }

    /// One turn: wait, take in, give out, clean up.
    fn turn(&mut self, events: &mut Events, handler: &mut impl Handler) -> io::Result<()> {
        self.wait(events)?; // not at all while work is left over, else until the next deadline
        self.read_clock(); // one turn, one time
        for event in events.iter() {
            match self.source(event.token()) {
                Source::Waker => {} // what it woke us for is looked at in `is_done` and `drain`
                Source::Signals => self.take_signals(),
                Source::Hangups => self.take_hangups(),
                Source::Listener(listener) => self.listeners[listener].note_readiness(),
                Source::Connection(key) => self.note_readiness(key, event),
            }
        }
        self.accept(); // within a budget, like everything that follows
        self.read(handler); // who is still readable when the budget is spent keeps its place in the queue
        self.expire();
        self.drain();
        self.flush(); // a slice of those who have something to take, one vectored write each
        self.reap(handler); // until here every key means whom it meant at `wait`
        self.tell_viewers();
        self.publish_notes();
        Ok(())
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            polled => polled,
        }
    }

    /// How long there is nothing to do unless somebody comes.
    fn patience(&self) -> Option<Duration> {
        let has_work = !self.readable.is_empty()
            || !self.shaking_hands.is_empty()
            || !self.writable.is_empty()
            || !self.gone.is_empty()
            || self.channel.is_round_pending()
            || (!self.held.is_empty() && !self.channel.is_congested())
            || (self.accept_again.is_none() && self.listeners.iter().any(Listener::is_ready));
        if has_work {
            return Some(Duration::ZERO);
        }
        let sweep = (!self.connections.is_empty()).then_some(self.next_sweep);
        let drain = self.drain.as_ref().map(|drain| drain.next_step());
        let complaints = self.notes.complaints.due();
        let next = [sweep, self.accept_again, drain, complaints].into_iter().flatten().min()?;
        // From this turn's time: what the turn took is not worth another look at the clock.
        Some(next.saturating_duration_since(self.instant))
    }

    fn read_clock(&mut self) {
        let before = std::mem::replace(&mut self.instant, Instant::now());
        // While there are connections nobody sleeps past a sweep.
        let late = self.instant.saturating_duration_since(self.next_sweep.max(before));
        if late > PAUSE_MIN && !self.connections.is_empty() {
            log::info!("the process did not run for {late:.1?}: nobody is given up for it");
            self.notes.metrics.pauses += 1;
            self.started += late;
        }
        self.now.tick = Tick::at(self.instant - self.started);
        // A date counts seconds: its clock is looked at when the next one begins.
        if self.instant >= self.next_date {
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.now.unix_seconds = since_1970.as_secs();
            let of_second = Duration::from_nanos(since_1970.subsec_nanos().into());
            self.next_date = self.instant + (Duration::from_secs(1) - of_second);
        }
    }

    fn source(&self, token: Token) -> Source {
        match token {
            WAKER => Source::Waker,
            SIGNALS => Source::Signals,
            HANGUPS => Source::Hangups,
            Token(token) => match LISTENERS.checked_sub(token) {
                Some(listener) if listener < self.listeners.len() => Source::Listener(listener),
                _ => Source::Connection(token),
            },
        }
    }

    /// Notes what a socket says of itself; the work is done later, at our own pace.
    fn note_readiness(&mut self, key: usize, event: &Event) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        // One that is not read would hold its place until those who are waited for have moved.
        if event.is_write_closed() && self.channel.is_congested() && entry.connection.is_publisher() {
            return self.end(key, End::Abnormal("it was reset while it waited for others"));
        }
        // A read-closed is readable: a short read may hide the FIN behind it. So is an error.
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            entry.may_read = true;
            entry.read_closed |= event.is_read_closed() || event.is_error();
            self.queue_read(key);
        }
        if event.is_writable() {
            self.note_writable(key);
        }
    }

    fn note_writable(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if !mem::take(&mut entry.is_blocked) {
            return;
        }
        if let Some(seat) = entry.connection.seat() {
            self.channel.set_readiness(seat, Readiness::Writable);
        }
        if let Some((entry, turn)) = self.in_turn(key) {
            entry.connection.heard(&turn); // it takes bytes again: it lives, however far behind it is
        }
        self.queue_write(key);
    }

    /// A connection, and the turn that it lives in.
    fn in_turn(&mut self, key: usize) -> Option<(&mut Entry, Turn<'_>)> {
        let Self { config, budget, codec, .. } = self;
        let entry = self.connections.get_mut(key)?;
        let head = self.channel.head(entry.connection.seat());
        Some((entry, Turn { config, budget, codec, now: self.now, head }))
    }

    /// Gives a connection its place among those who are read.
    fn queue_read(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if !mem::replace(&mut entry.in_readable, true) {
            let queue = match entry.transport.is_handshaking() {
                true => &mut self.shaking_hands,
                false => &mut self.readable,
            };
            queue.push_back(key);
        }
    }

    /// Gives a connection its place among those who are written to, unless its socket takes nothing.
    fn queue_write(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if !entry.is_blocked && !mem::replace(&mut entry.in_writable, true) {
            self.writable.push_back(key);
        }
    }

    /// A connection is over; it is reaped at the end of the turn.
    fn end(&mut self, key: usize, end: End) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if mem::replace(&mut entry.is_gone, true) {
            return;
        }
        let is_websocket = entry.connection.is_websocket();
        if let End::Broken(error) = &end
            && !is_tls_failure(error)
        {
            entry.transport.note_end(Direction::In); // a write may hear of a reset before anybody says so
        }
        if !matches!(end, End::Broken(_)) && entry.connection.outbox().is_none_or(Outbox::is_empty) {
            entry.transport.say_farewell();
        }
        let code = (is_websocket && !entry.connection.has_said_all()).then_some(CloseCode::ABNORMAL);
        if let Some(code) = code {
            self.notes.metrics.note_close(code);
        }
        self.notes.end(self.instant, key, &entry.transport, &end, code);
        if let Some(seat) = entry.connection.stand_up() {
            self.channel.unsubscribe(seat);
        }
        self.access.ended(key);
        self.gone.push(key);
    }
}

/// Bytes as a person reads them.
fn kib(bytes: u64) -> String {
    match bytes {
        0..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// What the descriptors allow, with a reserve for everything that is no connection.
fn affordable_connections() -> usize {
    #[cfg(unix)]
    let soft = rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(1024, |(soft, _)| soft);
    #[cfg(not(unix))]
    let soft = u64::from(u16::MAX);
    usize::try_from(soft).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED).max(1)
}

/// A peer's address in a log line, while the system knows it.
struct Address<'t>(&'t Transport);

impl std::fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.address().map_or(Ok(()), |address| write!(f, " from {address}"))
    }
}

#[cfg(test)]
mod tests;
