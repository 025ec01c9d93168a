//! What somebody may do to a server who means it ill, with raw sockets. Each row ends with the same: a fresh page, a
//! fresh handshake and a broadcast work, descriptors and memory are back; and while it runs, two clients that do
//! nothing wrong hear each other, and a page comes.

mod crowd;
mod log;
mod memory;
mod slow;
mod trickle;

use crate::peer::{Frame, PING, PONG, Peer};
use crate::support::{Server, until};

/// What the allocator may keep of memory that was given back: the C library's trims its heap only past twice the largest
/// block that it ever freed, which here is of a few MiB, and holds on to what lies between pieces that are in use. What
/// grows with every round is for `tests/soak.rs` to find.
const KEPT_BYTES_MAX: u64 = 10 << 20;

/// A server, those who behave, and how it was before.
struct Yard {
    server: Server,
    witnesses: [Peer; 2],
    descriptors: usize,
    resident: u64,
    said: usize,
}

impl Yard {
    #[track_caller]
    fn start(options: &[&str]) -> Self {
        Self::around(Server::start(options))
    }

    /// A few clients of each kind come and go first, so that what is needed once is there.
    #[track_caller]
    fn around(server: Server) -> Self {
        server.assert_serves();
        until("the first clients are gone", || server.descriptors() <= server.descriptors_at_start());
        let witnesses = [server.websocket("/"), server.websocket("/")];
        let (descriptors, resident) = (server.descriptors(), server.resident_bytes());
        Self { server, witnesses, descriptors, resident, said: 0 }
    }

    /// The others notice nothing.
    #[track_caller]
    fn meanwhile(&mut self) {
        let page =
            self.server.connect().ask("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(page.status, 200, "a page meanwhile");
        self.said += 1;
        let said = Frame::text(&format!("meanwhile {}", self.said));
        self.witnesses[0].send(said.masked());
        for witness in &mut self.witnesses {
            assert_eq!(next_message(witness), said, "a broadcast meanwhile");
        }
    }

    /// What it has grown by since it began.
    fn growth(&self) -> u64 {
        self.server.resident_bytes().saturating_sub(self.resident)
    }

    /// It was nothing. Those who did it must be gone.
    #[track_caller]
    fn end(mut self) {
        until("their descriptors are closed", || self.server.descriptors() <= self.descriptors);
        self.meanwhile();
        self.server.assert_serves();
        let growth = self.growth();
        assert!(growth < KEPT_BYTES_MAX, "{growth} bytes more than before are resident");
    }
}

/// The next message of one who answers its pings.
#[track_caller]
fn next_message(peer: &mut Peer) -> Frame {
    loop {
        let frame = peer.frame();
        if frame.opcode != PING {
            return frame;
        }
        peer.send(Frame::new(PONG, frame.payload).masked());
    }
}

/// Reads until the Close; gives its code. What comes before it is dropped.
#[track_caller]
fn close_code(peer: &mut Peer) -> Option<u16> {
    loop {
        let frame = peer.try_frame().ok()?;
        if frame.opcode == crate::peer::CLOSE {
            return frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        }
    }
}
