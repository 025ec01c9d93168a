//! One connection under TLS.
//!
//! A read is one system call for a buffer full of records, which are opened one after the other; what TLS itself has to
//! say in return goes out at once. A write is sealed and handed to the socket; what the socket does not take waits here.
//!
//! Must not know: what is carried, who trusts whom.
//!
//! Invariant: between two calls nothing that came in waits but a record that is not whole, and of what goes out at most
//! [`TLS_PENDING_BYTES`] and a record, unless that is the request, which waits for the end of the handshake.

use super::fault::fault;
use crate::bench::cause::TlsFault;
use crate::bench::limits::TLS_PENDING_BYTES;
use crate::bench::sockets::{self, Read, Socket};
use rustls::ClientConnection;
use std::io::{self, IoSlice, Read as _, Write};

/// A socket and the state of TLS over it.
#[derive(Debug)]
pub(crate) struct Session {
    socket: Socket,
    connection: ClientConnection,
    /// Why nothing more is read, though the socket may have more.
    end: Option<End>,
}

/// How TLS ends, below which the connection may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The peer has said that it will say no more (close_notify, RFC 8446 §6.1).
    Notified,
    /// It cannot go on.
    Failed(TlsFault),
}

impl Session {
    pub(super) fn new(socket: Socket, mut connection: ClientConnection) -> Self {
        // The request is written before anything is agreed on, and is as long as the command line makes it.
        connection.set_buffer_limit(None);
        Self { socket, connection, end: None }
    }

    /// To be registered with a poll.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Whether the handshake was begun and is not over.
    pub(crate) fn is_waiting(&self) -> bool {
        self.connection.is_handshaking() && !self.is_blocked()
    }

    /// Whether something waits for the socket to take it.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.wants_write()
    }

    /// Reads once into `sealed`, and opens all of it into `bytes`, which is longer by a record.
    pub(crate) fn read(&mut self, sealed: &mut [u8], bytes: &mut [u8]) -> io::Result<Read> {
        match self.end {
            Some(End::Notified) => return Ok(Read::End),
            Some(End::Failed(fault)) => return Err(io::Error::other(fault)),
            None => {}
        }
        let sealed_bytes = self.socket.read(sealed)?;
        if sealed_bytes == 0 {
            let is_cut = self.connection.is_handshaking();
            return if is_cut { Err(io::Error::other(TlsFault::Cut)) } else { Ok(Read::End) };
        }
        // Who waits to write is told by the poll when to go on, and must not find it done.
        let was_blocked = self.is_blocked();
        let opened = self.open(&sealed[..sealed_bytes], bytes);
        // What TLS has to say in return, an alert perhaps.
        let flushed = if was_blocked { Ok(()) } else { self.flush() };
        match (self.end, flushed) {
            // What the peer did says more than that it is gone.
            (Some(End::Failed(fault)), _) if opened == 0 => Err(io::Error::other(fault)),
            (None, Err(error)) if opened == 0 => Err(error),
            (None, Ok(())) => Ok(Read::Some { bytes: opened, is_all: sealed_bytes < sealed.len() }),
            // The next read tells the end, or the socket says its error again.
            (Some(_), _) | (None, Err(_)) => Ok(Read::Some { bytes: opened, is_all: false }),
        }
    }

    /// Opens what came, up to its end. Gives how many bytes were in it.
    fn open(&mut self, mut sealed: &[u8], bytes: &mut [u8]) -> usize {
        let mut opened = 0;
        while !sealed.is_empty() && self.end.is_none() {
            match self.open_some(&mut sealed, &mut bytes[opened..]) {
                Ok(more) => opened += more,
                Err(fault) => self.end = Some(End::Failed(fault)),
            }
        }
        opened
    }

    /// Opens as much as the library takes at a time.
    fn open_some(&mut self, sealed: &mut &[u8], bytes: &mut [u8]) -> Result<usize, TlsFault> {
        // It only refuses when a message is longer than it keeps.
        self.connection.read_tls(sealed).map_err(|_| TlsFault::Misbehaved)?;
        let was_handshaking = self.connection.is_handshaking();
        let has_greeted = self.connection.protocol_version().is_some();
        let state = self.connection.process_new_packets();
        let state = state.map_err(|error| fault(&error, has_greeted))?;
        if was_handshaking && !self.connection.is_handshaking() {
            self.connection.set_buffer_limit(Some(TLS_PENDING_BYTES));
        }
        if state.peer_has_closed() {
            self.end = Some(End::Notified);
        }
        let opened = state.plaintext_bytes_to_read();
        if opened > 0 {
            // There is always room, or it would not be within a record of what came.
            let room = bytes.get_mut(..opened).ok_or(TlsFault::Misbehaved)?;
            self.connection.reader().read_exact(room).map_err(|_| TlsFault::Misbehaved)?;
        }
        Ok(opened)
    }

    /// Seals and writes until all is taken or the socket takes no more.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            self.flush()?;
            if self.is_blocked() && taken == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if self.is_blocked() || taken == bytes.len() {
                return Ok(taken);
            }
            match self.connection.writer().write(&bytes[taken..])? {
                0 => return Ok(taken),
                more => taken += more,
            }
        }
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Wire(&mut self.socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if sockets::is_for_later(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    /// Says that nothing more comes (RFC 8446 §6.1), if the socket takes that at once.
    fn drop(&mut self) {
        let may_speak = !self.connection.is_handshaking() && !self.is_blocked();
        if may_speak && !matches!(self.end, Some(End::Failed(_))) {
            self.connection.send_close_notify();
            // Who is gone does not hear it.
            let _ = self.flush();
        }
    }
}

/// The socket as rustls writes to it.
struct Wire<'s>(&'s mut Socket);

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a socket keeps nothing back
    }
}
