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
            if let Err(fault) = self.open_some(&mut sealed) {
                self.end = Some(End::Failed(fault));
            }
            // What stands before a fault counts. It is within a record of what came, so there is always room.
            opened += self.connection.reader().read(&mut bytes[opened..]).unwrap_or(0);
        }
        opened
    }

    /// Opens as much as the library takes at a time; what was in it is in its reader.
    fn open_some(&mut self, sealed: &mut &[u8]) -> Result<(), TlsFault> {
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
        Ok(())
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

#[cfg(test)]
pub(crate) mod tests {
    use super::super::Tls;
    use super::*;
    use crate::bench::limits::TLS_RECORD_BYTES_MAX;
    use crate::bench::plan::Trust;
    use crate::bench::sockets::Destination;
    use crate::bench::target::Target;
    use mio::{Events, Interest, Poll, Token};
    use rustls::crypto::ring;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    const DEADLINE: Duration = Duration::from_secs(10);
    const SCRATCH_BYTES: usize = 64 * 1024;

    pub(crate) type Server = StreamOwned<ServerConnection, TcpStream>;

    fn server(stream: TcpStream) -> Server {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![made.cert.into()], key))
            .expect("they belong together");
        let connection = ServerConnection::new(Arc::new(config)).expect("the configuration is right");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
        let mut server = StreamOwned::new(connection, stream);
        server.conn.complete_io(&mut server.sock).expect("the handshake succeeds");
        server
    }

    pub(crate) fn wait(session: &mut Session, interest: Interest) {
        let mut poll = Poll::new().expect("a poll");
        poll.registry().register(session.socket(), Token(0), interest).expect("registers");
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(DEADLINE)).expect("polls");
        assert!(!events.is_empty(), "nothing within {DEADLINE:?}");
        poll.registry().deregister(session.socket()).expect("deregisters");
    }

    /// Reads something once it is there.
    fn read(session: &mut Session) -> io::Result<(Read, Vec<u8>)> {
        let mut sealed = vec![0; SCRATCH_BYTES];
        let mut bytes = vec![0; SCRATCH_BYTES + TLS_RECORD_BYTES_MAX];
        loop {
            wait(session, Interest::READABLE);
            match session.read(&mut sealed, &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(Read::Some { bytes: 0, is_all: true }) => {}
                Ok(Read::Some { bytes: length, is_all }) => {
                    bytes.truncate(length);
                    return Ok((Read::Some { bytes: length, is_all }, bytes));
                }
                Ok(Read::End) => return Ok((Read::End, Vec::new())),
                Err(error) => return Err(error),
            }
        }
    }

    /// Both sides behind the handshake, and `hello` said by each.
    pub(crate) fn pair() -> (Session, Server) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let destination = Destination::Tcp(listener.local_addr().expect("has one"));
        let target = Target::parse("wss://localhost:9/").expect("a URL");
        let tls = Tls::new(&target, &Trust::Any).expect("nothing is asked for");
        let socket = Socket::connect(&destination, None, None).expect("begins");
        let mut session = tls.begin(socket).expect("begins");
        let (stream, _) = listener.accept().expect("accepts");
        let server = thread::spawn(move || {
            let mut server = server(stream);
            server.write_all(b"hello").expect("writes");
            server
        });
        wait(&mut session, Interest::WRITABLE);
        assert_eq!(session.write(b"hello").expect("writes"), 5, "it waits for the handshake");
        assert!(session.is_waiting() && !session.is_blocked());
        assert_eq!(read(&mut session).expect("reads").1, b"hello");
        assert!(!session.is_waiting());
        let mut server = server.join().expect("the handshake succeeds");
        let mut hello = [0; 5];
        server.read_exact(&mut hello).expect("reads");
        assert_eq!(&hello, b"hello");
        (session, server)
    }

    /// A peer that does not read: what was taken is bounded, and goes on when the poll says so and not before.
    #[test]
    fn what_the_socket_does_not_take_waits() {
        let (mut session, mut server) = pair();
        let bytes: Vec<u8> = (0..64 << 20).map(|at: usize| (at % 251) as u8).collect();
        let taken = session.write(&bytes).expect("some is taken");
        assert!((1..bytes.len()).contains(&taken), "{taken} of {}", bytes.len());
        assert!(session.is_blocked());
        assert_eq!(session.write(b"more").expect_err("is full").kind(), io::ErrorKind::WouldBlock);
        // What comes in meanwhile is read, and nothing else.
        let mut got = vec![0; taken - TLS_PENDING_BYTES - TLS_RECORD_BYTES_MAX];
        server.read_exact(&mut got).expect("all but what waits is there");
        server.write_all(b"hello").expect("writes");
        assert_eq!(read(&mut session).expect("reads").1, b"hello");
        assert!(session.is_blocked(), "who waits is told by the poll");
        wait(&mut session, Interest::WRITABLE);
        session.flush().expect("flushes");
        assert!(!session.is_blocked());
        let mut rest = vec![0; taken - got.len()];
        server.read_exact(&mut rest).expect("reads");
        assert!([got, rest].concat() == bytes[..taken], "byte for byte");
    }

    /// What stands before an end is read first.
    #[test]
    fn ends() {
        type End = fn(&mut Server) -> io::Result<()>;
        let rows: [(&str, End, Option<TlsFault>); 3] = [
            (
                "close_notify",
                |server| {
                    server.conn.send_close_notify();
                    server.flush()
                },
                None,
            ),
            ("the end of the stream", |server| server.sock.shutdown(std::net::Shutdown::Write), None),
            (
                "what has no key",
                |server| server.sock.write_all(&[&[23, 3, 3, 0, 32][..], &[7; 32]].concat()),
                Some(TlsFault::Undecipherable),
            ),
        ];
        for (name, end, want) in rows {
            let (mut session, mut server) = pair();
            server.write_all(b"last words").expect("writes");
            end(&mut server).expect(name);
            assert_eq!(read(&mut session).expect(name).1, b"last words", "{name}");
            // Told as often as it is asked for, though the socket has no more.
            let mut sealed = vec![0; SCRATCH_BYTES];
            let mut bytes = vec![0; SCRATCH_BYTES + TLS_RECORD_BYTES_MAX];
            let first = read_on(&mut session, &mut sealed, &mut bytes);
            assert_eq!(first, Err(want), "{name}");
            assert_eq!(read_on(&mut session, &mut sealed, &mut bytes), Err(want), "{name}, again");
        }
    }

    /// Reads until the end; gives bytes, or why it ended.
    fn read_on(
        session: &mut Session,
        sealed: &mut [u8],
        bytes: &mut [u8],
    ) -> Result<usize, Option<TlsFault>> {
        loop {
            match session.read(sealed, bytes) {
                Ok(Read::Some { bytes: 0, .. }) => {}
                Ok(Read::Some { bytes, .. }) => return Ok(bytes),
                Ok(Read::End) => return Err(None),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(session, Interest::READABLE),
                Err(error) => {
                    return Err(error.get_ref().and_then(|inner| inner.downcast_ref()).copied());
                }
            }
        }
    }

    /// Many records in one read, and one record in many.
    #[test]
    fn records_and_reads() {
        let (mut session, mut server) = pair();
        let mut want = Vec::new();
        for length in [1, 100, 16_384, 70_000, 3] {
            let piece: Vec<u8> = (0..length).map(|at: usize| (at % 249) as u8).collect();
            want.extend_from_slice(&piece);
            server.write_all(&piece).expect("writes");
        }
        let mut got = Vec::new();
        let mut is_drained = false;
        while got.len() < want.len() {
            let (outcome, bytes) = read(&mut session).expect("reads");
            is_drained = matches!(outcome, Read::Some { is_all: true, .. });
            got.extend_from_slice(&bytes);
        }
        assert!(got == want, "byte for byte");
        assert!(is_drained, "a short read is the last");
    }
}
