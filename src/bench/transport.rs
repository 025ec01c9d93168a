//! What carries a connection: its socket, or TLS over it, behind one read, one write and one flush. The loop does not
//! branch on which of them it is.
//!
//! Must not know: what is carried, when a connection is begun and when it ends.
//!
//! Invariant: bytes are counted and handed on as the WebSocket has them; without TLS a read and a write are one system
//! call each, and nothing is copied.

use super::error::BenchError;
#[cfg(feature = "tls")]
use super::limits::TLS_RECORD_BYTES_MAX;
use super::plan::Plan;
use super::sockets::{Read, Socket};
#[cfg(feature = "tls")]
use super::tls::{Session, Tls};
use fanfare::limits::READ_BYTES_MAX;
use std::io;

/// What all connections of a run are carried by.
pub(crate) enum Carrier {
    /// Sockets alone.
    Plain,
    /// TLS over them.
    #[cfg(feature = "tls")]
    Tls(Tls),
}

impl Carrier {
    /// As the plan's URL says. Reads the certificates that are to be trusted.
    ///
    /// # Errors
    /// When there are none, or the host is one that has no certificates.
    pub(crate) fn new(plan: &Plan) -> Result<Self, BenchError> {
        if !plan.target.is_tls {
            return Ok(Self::Plain);
        }
        #[cfg(feature = "tls")]
        return Tls::new(&plan.target, &plan.trust).map(Self::Tls);
        // The command line was refused, so this is for who makes a plan in another way.
        #[cfg(not(feature = "tls"))]
        Err(BenchError::System { what: "speak TLS", cause: io::ErrorKind::Unsupported.into() })
    }

    /// Room for one read of any connection.
    pub(crate) fn scratch(&self) -> Scratch {
        let mut scratch = Scratch::default();
        match self {
            Self::Plain => scratch.bytes.resize(READ_BYTES_MAX, 0),
            #[cfg(feature = "tls")]
            Self::Tls(_) => {
                scratch.sealed.resize(READ_BYTES_MAX, 0);
                // What is read may end a record that was begun before.
                scratch.bytes.resize(READ_BYTES_MAX + TLS_RECORD_BYTES_MAX, 0);
            }
        }
        scratch
    }

    /// Carries a connection that has been begun.
    ///
    /// # Errors
    /// When TLS cannot begin: there is no randomness.
    pub(crate) fn carry(&self, socket: Socket) -> io::Result<Transport> {
        match self {
            Self::Plain => Ok(Transport::Plain(socket)),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => Ok(Transport::Tls(Box::new(tls.begin(socket)?))),
        }
    }
}

/// Room for what is read, shared by all connections: it is used up before the next read.
#[derive(Default)]
pub(crate) struct Scratch {
    /// As the WebSocket has it.
    pub(crate) bytes: Vec<u8>,
    /// As TLS has it; of no length without.
    #[cfg(feature = "tls")]
    sealed: Vec<u8>,
}

/// One connection's socket, and what is between it and the WebSocket.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Nothing.
    Plain(Socket),
    /// TLS.
    #[cfg(feature = "tls")]
    Tls(Box<Session>),
}

impl Transport {
    /// To be registered with a poll.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.socket(),
        }
    }

    /// Reads once what is there. A short read means that there is no more, unless the end stands behind it.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, and whatever ends the connection; a
    /// [`TlsFault`](super::cause::TlsFault) is within it.
    pub(crate) fn read(&mut self, scratch: &mut Scratch) -> io::Result<Read> {
        match self {
            Self::Plain(socket) => match socket.read(&mut scratch.bytes)? {
                0 => Ok(Read::End),
                bytes => Ok(Read::Some { bytes, is_all: bytes < scratch.bytes.len() }),
            },
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.read(&mut scratch.sealed, &mut scratch.bytes),
        }
    }

    /// Writes what the socket takes; of TLS a bounded part may wait below, see [`Self::is_blocked`].
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, and whatever ends the connection.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.write(bytes),
        }
    }

    /// Writes what waits below. Nothing may: then this costs nothing.
    ///
    /// # Errors
    /// What ends the connection. What the socket does not take goes on waiting.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.flush(),
        }
    }

    /// Whether something waits below that was written. The socket did not take it, so the poll will tell when it does.
    pub(crate) fn is_blocked(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.is_blocked(),
        }
    }

    /// Whether the peer has been asked for TLS, and has not agreed yet.
    pub(crate) fn is_waiting_for_tls(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.is_waiting(),
        }
    }
}
