//! One connection of the load: what carries it, how far it has come, and bytes that were not taken yet.
//!
//! Must not know: the other connections, what is counted.

use crate::bench::cause::Cause;
use crate::bench::handshake::Key;
use crate::bench::mirror::Cursor;
use crate::bench::reader::Reader;
use crate::bench::sockets;
use crate::bench::transport::Transport;
use std::io;

/// One place in the load. A connection that is gone leaves it empty; `connect` puts another one there.
pub(super) struct Connection {
    /// None before it is opened and after it is gone.
    pub(super) transport: Option<Transport>,
    pub(super) stage: Stage,
    /// Which attempt this is, of all that the run makes: what waits for one must not meet the next.
    pub(super) attempt: u64,
    pub(super) reader: Reader,
    /// Where it stands in what all receivers get alike.
    pub(super) cursor: Cursor,
    /// Whether it has a place in the queue of those that are to be read.
    pub(super) is_queued: bool,
    /// Whether the peer has said its last word, which may stand behind others.
    pub(super) is_ending: bool,
    /// What a write said, while what came before it is still read: it may tell more.
    pub(super) failure: Option<Cause>,
    out: Vec<u8>,
    /// How much of it is written.
    written: usize,
    /// How much of it is answers to control frames, in bytes.
    pub(super) answers: usize,
}

/// How far a connection has come.
pub(super) enum Stage {
    /// There is none.
    Empty,
    /// Being opened, up to the end of the handshake.
    Opening(Box<Opening>),
    /// A receiver, perhaps a sender.
    Open,
    /// One that never reads.
    Slow,
    /// Our Close is on its way, and nothing else counts.
    Closing,
}

/// What only a handshake needs.
pub(super) struct Opening {
    pub(super) key: Key,
    /// The response so far.
    pub(super) head: Vec<u8>,
    /// When the connection was meant to be opened, in microseconds since the run began.
    pub(super) intended_us: u64,
    /// Which of the host's addresses it is tried at.
    pub(super) destination: usize,
}

/// What became of bytes that were to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// How many the system took.
    pub(super) bytes: usize,
    /// Whether none are left.
    pub(super) is_all: bool,
}

impl Connection {
    pub(super) fn empty() -> Self {
        Self {
            transport: None,
            stage: Stage::Empty,
            attempt: 0,
            reader: Reader::new(false),
            cursor: Cursor::default(),
            is_queued: false,
            is_ending: false,
            failure: None,
            out: Vec::new(),
            written: 0,
            answers: 0,
        }
    }

    /// A new attempt in this place.
    pub(super) fn begin(&mut self, transport: Transport, opening: Opening, attempt: u64) {
        *self = Self {
            transport: Some(transport),
            stage: Stage::Opening(Box::new(opening)),
            attempt,
            is_queued: self.is_queued, // the queue knows the place, not who is in it
            ..Self::empty()
        };
    }

    /// Drops what carries it and everything that belongs to it.
    pub(super) fn clear(&mut self) {
        *self = Self { attempt: self.attempt, is_queued: self.is_queued, ..Self::empty() };
    }

    /// Whether it receives.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Whether bytes wait for the socket to take them.
    pub(super) fn is_blocked(&self) -> bool {
        self.written < self.out.len() || self.transport.as_ref().is_some_and(Transport::is_blocked)
    }

    /// Writes behind what waits, and keeps what is not taken.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Written> {
        if self.is_blocked() {
            self.out.extend_from_slice(bytes);
            return Ok(Written { bytes: 0, is_all: false });
        }
        let Some(transport) = &mut self.transport else { return Ok(Written { bytes: 0, is_all: true }) };
        let taken = write_some(transport, bytes)?;
        if taken < bytes.len() {
            self.out.clear();
            self.written = 0;
            self.out.extend_from_slice(&bytes[taken..]);
        }
        Ok(Written { bytes: taken, is_all: !self.is_blocked() })
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<Written> {
        let mut bytes = 0;
        while let Some(transport) = &mut self.transport
            && self.written < self.out.len()
        {
            let taken = write_some(transport, &self.out[self.written..])?;
            if taken == 0 {
                return Ok(Written { bytes, is_all: false });
            }
            bytes += taken;
            self.written += taken;
        }
        if let Some(transport) = &mut self.transport {
            transport.flush()?;
            if transport.is_blocked() {
                return Ok(Written { bytes, is_all: false });
            }
        }
        // Most connections never wait again.
        self.out = Vec::new();
        self.written = 0;
        self.answers = 0;
        Ok(Written { bytes, is_all: true })
    }
}

/// Writes once; 0 when nothing is taken now.
fn write_some(transport: &mut Transport, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match transport.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if sockets::is_for_later(&error) => return Ok(0),
            outcome => return outcome,
        }
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;
    use crate::bench::tls::tests::{pair, wait};
    use mio::Interest;
    use std::io::Read;

    /// Everything was taken, and some of it waits below: no more is written before it, and the next writable event
    /// sends both.
    #[test]
    fn what_waits_below_blocks() {
        let (mut session, mut server) = pair();
        let mut piece = (0_u8..250).cycle();
        let mut pieces = || piece.by_ref().take(1000).collect::<Vec<u8>>();
        let mut sent = 0;
        let mut connection = Connection::empty();
        // Until the socket is full.
        while !session.is_blocked() {
            sent += session.write(&pieces()).expect("writes");
        }
        connection.transport = Some(Transport::Tls(Box::new(session)));
        assert!(connection.is_blocked() && connection.out.is_empty());
        let written = connection.write(&pieces()).expect("keeps it");
        assert_eq!(written, Written { bytes: 0, is_all: false });
        sent += 1000;
        let mut got = vec![0; sent];
        let reader = std::thread::spawn(move || {
            server.read_exact(&mut got).expect("all of it comes");
            got
        });
        while !connection.flush().expect("flushes").is_all {
            assert!(connection.is_blocked());
            let Some(Transport::Tls(session)) = &mut connection.transport else { panic!("it has one") };
            wait(session, Interest::WRITABLE);
        }
        assert!(!connection.is_blocked());
        let want: Vec<u8> = (0_u8..250).cycle().take(sent).collect();
        assert!(reader.join().expect("it reads") == want, "byte for byte");
    }
}
