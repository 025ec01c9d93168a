//! TLS between a connection and its socket: rustls, driven through its interface without buffers.
//!
//! A connection holds its keys, and beside them only what cannot be used yet: ciphertext that is no whole record (or
//! that found no room where it was read to), and ciphertext that the socket has not taken. Everything else passes
//! through the [`Scratch`] that all connections share.
//!
//! One read takes one portion off the socket, one write gives it one: as with TCP, whoever reads and writes decides
//! how often. Before the handshake is done nothing is taken; [`News`] says when it is, and that there are answers to
//! be written.
//!
//! Must not know: certificates and files (`tls` has them), what is said, when.
//!
//! Invariants: an idle connection owns no buffer; what it keeps is a loan of the budget of all; plaintext that was
//! taken goes out whole and in order, or the connection ends.

mod input;
mod output;

use super::{News, Transport};
use crate::budget::{Budget, Exhausted, Loan};
use crate::limits::{READ_BYTES_MAX, TLS_RECORD_OVERHEAD_MAX, TLS_WRITE_BYTES_MAX};
use mio::{Registry, Token};
use rustls::server::UnbufferedServerConnection;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::{fmt, io, mem};

/// A connection's TLS, over its socket.
pub(crate) struct Tls {
    session: UnbufferedServerConnection,
    below: Transport,
    scratch: Rc<RefCell<Scratch>>,
    /// Ciphertext that is not used yet.
    unread: Kept,
    /// Ciphertext that the socket has not taken.
    unsent: Kept,
    /// What `unread` begins with are whole records: they come before anything that is still to be read.
    holds_records: bool,
    /// Something has come.
    has_begun: bool,
    /// It was no TLS: everything goes as it is.
    is_plain: bool,
    /// The peer has said that nothing more comes.
    input_ended: bool,
    /// Why it is over, for when what came before that was read.
    failure: Option<io::Error>,
    /// The last write found the socket full.
    was_full: bool,
    /// Nothing may be said any more: a `close_notify` was, or what was to be said is lost.
    has_said_all: bool,
    /// A FIN is due behind what is unsent.
    fin_due: bool,
    news: News,
}

/// What all connections use while one of them reads or writes.
pub(crate) struct Scratch {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// Several pieces, to become one record.
    plain: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            incoming: vec![0; READ_BYTES_MAX],
            outgoing: vec![0; TLS_WRITE_BYTES_MAX + 16 * TLS_RECORD_OVERHEAD_MAX],
            plain: Vec::new(),
        }
    }
}

/// Bytes that wait, and what the budget of all lends for them.
struct Kept {
    bytes: Vec<u8>,
    loan: Loan,
}

impl Tls {
    pub(crate) fn new(
        session: UnbufferedServerConnection,
        below: Transport,
        scratch: Rc<RefCell<Scratch>>,
        budget: &Budget,
    ) -> Self {
        let kept = || Kept { bytes: Vec::new(), loan: budget.open() };
        Self {
            session,
            below,
            scratch,
            unread: kept(),
            unsent: kept(),
            holds_records: false,
            has_begun: false,
            is_plain: false,
            input_ended: false,
            failure: None,
            was_full: false,
            has_said_all: false,
            fin_due: false,
            news: News::default(),
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.below.register(registry, token)
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.below.address()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.session.is_handshaking() && !self.is_plain
    }

    pub(super) fn take_news(&mut self) -> News {
        mem::take(&mut self.news)
    }

    pub(super) fn kept_bytes(&self) -> usize {
        self.unread.bytes.len() + self.unsent.bytes.len()
    }

    /// It is over, and its memory is needed now.
    pub(super) fn forget(&mut self) {
        self.has_said_all = true;
        self.unread.clear();
        self.unsent.clear();
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("below", &self.below).finish_non_exhaustive()
    }
}

impl Kept {
    /// Keeps these bytes instead, if there is memory for them.
    fn replace(&mut self, bytes: &[u8]) -> Result<(), Exhausted> {
        self.clear();
        if !bytes.is_empty() {
            self.loan.resize(bytes.len())?;
            self.bytes = bytes.to_vec();
        }
        Ok(())
    }

    /// Keeps these as well: they are owed, and bounded by whoever makes them.
    fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes.reserve_exact(bytes.len());
            self.bytes.extend_from_slice(bytes);
            self.loan.force(self.bytes.capacity());
        }
    }

    /// So many of them are used.
    fn advance(&mut self, used: usize) {
        if used == self.bytes.len() { self.clear() } else { drop(self.bytes.drain(..used)) }
    }

    fn clear(&mut self) {
        self.bytes = Vec::new();
        self.loan.force(0);
    }
}

/// What rustls says is the peer's fault, or that of its keys.
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../../tests/outside/trusting.rs"]
pub(crate) mod trusting;
