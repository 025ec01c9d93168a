//! A server under test: started anew for each run, on a port of its own, and gone with its last use.

use crate::process::{Process, own_bytes, pinned};
use crate::programs::Programs;
use crate::ratio::Outcome;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take that is not the load.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);
/// After which a server has taken note of what happened.
const SETTLE: Duration = Duration::from_millis(50);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bare,
    Fanfare,
    UWebSockets,
    Tungstenite,
    FastWebSockets,
    Ws,
}

impl Kind {
    /// Those whose figures are close enough to be compared everywhere.
    pub const FAST: [Self; 3] = [Self::Bare, Self::Fanfare, Self::UWebSockets];
    pub const ALL: [Self; 6] =
        [Self::Bare, Self::Fanfare, Self::UWebSockets, Self::Tungstenite, Self::FastWebSockets, Self::Ws];
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bare => "bare",
            Self::Fanfare => "fanfare",
            Self::UWebSockets => "uWebSockets",
            Self::Tungstenite => "tokio-tungstenite",
            Self::FastWebSockets => "fastwebsockets",
            Self::Ws => "ws",
        })
    }
}

/// A server that listens.
pub struct Server {
    process: Process,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(programs: &Programs, kind: Kind, processor: usize) -> Outcome<Self> {
        Self::start_under(&[], programs, kind, processor)
    }

    /// Starts it as the child of another program, whose words these are.
    pub fn start_under(
        tracer: &[OsString],
        programs: &Programs,
        kind: Kind,
        processor: usize,
    ) -> Outcome<Self> {
        let start = || -> io::Result<Self> {
            let address = free_address()?;
            let command = programs.serve(kind, address.port()).ok_or(io::ErrorKind::NotFound)?;
            let mut command = pinned(processor, command)?;
            if !tracer.is_empty() {
                command = pinned(processor, [tracer, &command].concat())?;
            }
            let mut server = Self { process: Process::start(&command, Stdio::null())?, address };
            server.wait_until_it_listens()?;
            Ok(server)
        };
        start().map_err(|error| format!("{kind} does not start: {error}"))
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let began = Instant::now();
        loop {
            match TcpStream::connect(self.address) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => return Err(error),
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
            if let Some(status) = self.process.ended()? {
                return Err(io::Error::other(format!("it ended, {status}")));
            }
            sleep(PAUSE);
        }
    }

    /// The number of its process, or of its tracer's.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// What it has before anybody stays: one handshake came and went, so that what is made at first use is there.
    pub fn fresh_bytes(&self) -> io::Result<u64> {
        self.shake_hands()?;
        sleep(SETTLE);
        own_bytes(self.id())
    }

    fn shake_hands(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            self.address
        )?;
        let mut response = [0; 1024];
        let read = stream.read(&mut response)?;
        let is_open = response[..read].starts_with(b"HTTP/1.1 101");
        if is_open { Ok(()) } else { Err(io::Error::other("no handshake")) }
    }

    /// Waits until it has ended, after somebody else saw to that.
    pub fn wait(mut self) -> io::Result<()> {
        self.process.wait().map(drop)
    }
}

/// Nobody has it now; that somebody takes it before the server does is unlikely, and told.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
