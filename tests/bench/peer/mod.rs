//! A small WebSocket server that does as it is told, and counts what it did.
//!
//! One thread with a poll of its own. It shares the frame header, the masking and the accept key with the program
//! under test, nothing else, and `peer_itself.rs` tries it with a client that shares nothing at all.

mod connection;
mod delivery;
mod fault;
mod handshake;
mod server;
mod stream;
#[cfg(feature = "tls")]
pub(crate) mod tls;

pub(crate) use fault::{Corruption, Fault, Role};
pub(crate) use handshake::Head;

use server::Server;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};
use stream::Listener;

/// A running server; gone with its last use.
pub(crate) struct Peer {
    address: Option<SocketAddr>,
    seen: Arc<Seen>,
    waker: mio::Waker,
    thread: Option<thread::JoinHandle<()>>,
}

impl Peer {
    /// One on 127.0.0.1.
    #[track_caller]
    pub(crate) fn start(role: Role, fault: Fault) -> Self {
        let listener = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a loopback");
        Self::serve(listener, role, fault)
    }

    /// One on ::1, where there is IPv6.
    pub(crate) fn start_on_ipv6(role: Role) -> io::Result<Self> {
        Ok(Self::serve(Listener::tcp((Ipv6Addr::LOCALHOST, 0).into())?, role, Fault::None))
    }

    /// One on a Unix socket.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn start_on_unix(path: &Path, role: Role) -> Self {
        Self::serve(Listener::unix(path).expect("a socket can be made"), role, Fault::None)
    }

    /// One on 127.0.0.1 that speaks TLS.
    #[cfg(feature = "tls")]
    #[track_caller]
    pub(crate) fn start_with_tls(role: Role, fault: Fault, config: Arc<rustls::ServerConfig>) -> Self {
        let listener = Listener::tls((Ipv4Addr::LOCALHOST, 0).into(), config).expect("there is a loopback");
        Self::serve(listener, role, fault)
    }

    fn serve(listener: Listener, role: Role, fault: Fault) -> Self {
        let address = listener.address();
        let seen = Arc::new(Seen::default());
        let server = Server::new(listener, role, fault, Arc::clone(&seen)).expect("there is a poll");
        let waker = server.waker().expect("the poll can be woken");
        let thread = thread::spawn(move || server.run());
        Self { address, seen, waker, thread: Some(thread) }
    }

    /// The URL of a path on it. Not for one on a Unix socket.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("it listens on an address")
    }

    /// What it did and saw so far.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.seen.stop.add(1);
        self.waker.wake().expect("its thread runs until now");
        let end = self.thread.take().expect("it is joined once").join();
        assert!(end.is_ok() || thread::panicking(), "the peer's thread panicked");
    }
}

/// What a server did and saw. All counts begin with its start.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Handshakes that were answered with 101.
    pub(crate) opened: Count,
    /// Messages that came.
    pub(crate) messages: Count,
    /// Messages sent, whole or not.
    pub(crate) delivered: Count,
    pub(crate) dropped: Count,
    pub(crate) duplicated: Count,
    pub(crate) reordered: Count,
    pub(crate) corrupted: Count,
    /// Connections it closed, ended or reset.
    pub(crate) ended: Count,
    /// Handshakes it refused.
    pub(crate) refused: Count,
    /// Bytes of heads that do not end.
    pub(crate) head_bytes: Count,
    /// Pongs that came.
    pub(crate) pongs: Count,
    /// Frames whose masking key was that of the frame before.
    pub(crate) keys_repeated: Count,
    /// Closes that came, with 1000 or 1001.
    pub(crate) closed_normally: Count,
    /// Closes that came with 1002: the client has found a violation.
    pub(crate) closed_for_protocol: Count,
    /// What a client did that RFC 6455 does not allow, in words.
    violations: Mutex<Vec<String>>,
    /// The requests, in their order, and from where.
    requests: Mutex<Vec<(Head, Option<IpAddr>)>>,
    stop: Count,
}

impl Seen {
    /// What clients did that RFC 6455 does not allow, in words.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Head> {
        lock(&self.requests).iter().map(|(head, _)| head.clone()).collect()
    }

    /// The addresses the requests came from; none for Unix sockets.
    pub(crate) fn sources(&self) -> Vec<IpAddr> {
        lock(&self.requests).iter().filter_map(|(_, source)| *source).collect()
    }

    fn note_violation(&self, words: &str) {
        lock(&self.violations).push(words.to_owned());
    }

    fn note_request(&self, head: Head, source: Option<IpAddr>) {
        lock(&self.requests).push((head, source));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that one thread adds to and another reads.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::SeqCst);
    }
}
