//! The sockets of the connections: where the server is, from which address to connect, how many there may be.
//!
//! Must not know: protocols, the poll, when a connection is begun and when it ends.

use super::error::BenchError;
use super::limits::DESCRIPTORS_RESERVED;
use super::target::Address;
use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Type};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// One address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The addresses of a server, at least one. Asks the resolver and waits for it: once, before the run.
///
/// # Errors
/// When the name has none.
pub(crate) fn resolve(address: &Address) -> Result<Vec<Destination>, BenchError> {
    let (host, port) = match address {
        Address::Unix(_) if !cfg!(unix) => return Err(BenchError::NoUnixSockets),
        Address::Unix(path) => return Ok(vec![Destination::Unix(path.clone())]),
        Address::Tcp { host, port } => (host.as_str(), *port),
    };
    let failed = |cause| BenchError::Resolve { host: host.to_owned(), cause };
    let addresses = in_order((host, port).to_socket_addrs().map_err(failed)?);
    if addresses.is_empty() {
        return Err(failed(io::ErrorKind::NotFound.into()));
    }
    Ok(addresses.into_iter().map(Destination::Tcp).collect())
}

/// Each once, in the resolver's order. Only on loopback IPv4 goes first: there it has more than one source
/// address.
fn in_order(resolved: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in resolved {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        addresses.sort_by_key(SocketAddr::is_ipv6);
    }
    addresses
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// So many bytes of the scratch; none when what came was all of it for TLS.
    Some {
        /// How many.
        bytes: usize,
        /// Whether there was no more when it was read.
        is_all: bool,
    },
    /// The peer will say no more.
    End,
}

/// A connection's socket, never blocking.
#[derive(Debug)]
pub(crate) enum Socket {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A connection to a Unix socket.
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl Socket {
    /// Begins a connection; it stands when the socket is writable and no read says otherwise.
    /// Messages are small and wait for nobody: `TCP_NODELAY` is set. `receive_buffer` is in bytes, and what
    /// the system makes of it is its own affair.
    ///
    /// # Errors
    /// What the system says. `WouldBlock`: the queue of a Unix socket is full, try again.
    pub(crate) fn connect(
        destination: &Destination,
        source: Option<IpAddr>,
        receive_buffer: Option<usize>,
    ) -> io::Result<Self> {
        match destination {
            Destination::Tcp(address) => {
                let socket =
                    socket2::Socket::new(Domain::for_address(*address), Type::STREAM, Some(Protocol::TCP))?;
                prepare(&socket, receive_buffer)?;
                socket.set_tcp_nodelay(true)?;
                if let Some(source) = source {
                    socket.bind(&SocketAddr::new(source, 0).into())?;
                }
                match socket.connect(&(*address).into()) {
                    Err(error) if !is_in_progress(&error) => Err(error),
                    Ok(()) | Err(_) => Ok(Self::Tcp(TcpStream::from_std(socket.into()))),
                }
            }
            #[cfg(unix)]
            Destination::Unix(path) => {
                let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
                prepare(&socket, receive_buffer)?;
                socket.connect(&socket2::SockAddr::unix(path)?)?;
                let socket = std::os::unix::net::UnixStream::from(std::os::fd::OwnedFd::from(socket));
                Ok(Self::Unix(mio::net::UnixStream::from_std(socket)))
            }
            #[cfg(not(unix))]
            Destination::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Reads what is there, at most `into.len()` bytes. 0: the peer has sent its FIN.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, and whatever ends the connection.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(into),
        }
    }

    /// Writes what the socket takes, with one system call.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, and whatever ends the connection.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    /// The same for bytes that lie in several places.
    ///
    /// # Errors
    /// As [`Self::write`].
    #[cfg(feature = "tls")]
    pub(crate) fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write_vectored(slices),
        }
    }
}

/// Whether a write that failed is one to try again, when the poll says that the socket is writable.
pub(crate) fn is_for_later(error: &io::Error) -> bool {
    // A connection that is not there yet; the event that says so is to come.
    [io::ErrorKind::WouldBlock, io::ErrorKind::NotConnected].contains(&error.kind())
}

fn prepare(socket: &socket2::Socket, receive_buffer: Option<usize>) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    receive_buffer.map_or(Ok(()), |bytes| socket.set_recv_buffer_size(bytes))
}

/// Whether a connect goes on by itself.
#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.register(registry, token, interests),
            #[cfg(unix)]
            Self::Unix(stream) => stream.register(registry, token, interests),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.reregister(registry, token, interests),
            #[cfg(unix)]
            Self::Unix(stream) => stream.reregister(registry, token, interests),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.deregister(registry),
            #[cfg(unix)]
            Self::Unix(stream) => stream.deregister(registry),
        }
    }
}

/// Makes room for the descriptors of a run: the soft limit is raised to the hard one. Gives how many connections
/// there could be.
///
/// # Errors
/// When these do not fit even then.
pub(crate) fn make_room(connections: usize) -> Result<usize, BenchError> {
    // Where the system has no such limit, or does not say, opening them will tell.
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    check_room(connections, allowed)?;
    Ok(usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED))
}

fn check_room(connections: usize, allowed: u64) -> Result<(), BenchError> {
    let needed = connections.saturating_add(DESCRIPTORS_RESERVED);
    if needed as u64 > allowed {
        return Err(BenchError::Descriptors { connections, needed, allowed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Duration;

    /// Waits until the poll has the socket writable.
    fn wait_for_writable(socket: &mut Socket) {
        let mut poll = Poll::new().expect("a poll");
        poll.registry().register(socket, Token(0), Interest::WRITABLE).expect("registers");
        let mut events = Events::with_capacity(4);
        while !events.iter().any(|event| event.is_writable()) {
            poll.poll(&mut events, Some(Duration::from_secs(10))).expect("polls");
            assert!(!events.is_empty(), "nothing within 10 s");
        }
        poll.registry().deregister(socket).expect("deregisters");
    }

    #[test]
    fn the_order_of_addresses() {
        let rows = [
            (&["[::1]:80", "127.0.0.1:80", "[::1]:80"][..], &["127.0.0.1:80", "[::1]:80"][..]),
            (&["[2001:db8::1]:80", "192.0.2.1:80", "192.0.2.1:80"], &["[2001:db8::1]:80", "192.0.2.1:80"]),
            (&["[::1]:80", "192.0.2.1:80"], &["[::1]:80", "192.0.2.1:80"]),
        ];
        for (resolved, want) in rows {
            let got = in_order(resolved.iter().map(|text| text.parse().expect("an address")));
            assert_eq!(got.iter().map(SocketAddr::to_string).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn resolved() {
        let tcp = |host: &str| Address::Tcp { host: host.to_owned(), port: 7 };
        for address in ["127.0.0.1", "::1"] {
            let want = SocketAddr::new(address.parse().expect("an address"), 7);
            assert_eq!(resolve(&tcp(address)).expect("resolves"), [Destination::Tcp(want)]);
        }
        // Not a name at all, so no resolver is asked.
        let error = resolve(&tcp("a\0b")).expect_err("no name");
        assert!(error.to_string().starts_with(r"cannot find an address of a\0b: "), "{error}");
    }

    #[test]
    fn a_tcp_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let destination = Destination::Tcp(listener.local_addr().expect("has one"));
        let source = cfg!(target_os = "linux").then_some(IpAddr::from([127, 0, 0, 9]));
        let mut socket = Socket::connect(&destination, source, Some(4096)).expect("begins");
        let (mut peer, from) = listener.accept().expect("accepts");
        assert_eq!(from.ip(), source.unwrap_or(Ipv4Addr::LOCALHOST.into()));
        wait_for_writable(&mut socket);
        assert_eq!(socket.write(b"ping").expect("writes"), 4);
        let mut bytes = [0; 4];
        peer.read_exact(&mut bytes).expect("reads");
        assert_eq!(&bytes, b"ping");
        let nothing = socket.read(&mut bytes).expect_err("nothing is there");
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn nobody_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let destination = Destination::Tcp(listener.local_addr().expect("has one"));
        drop(listener);
        let error = match Socket::connect(&destination, None, None) {
            Err(error) => error,
            Ok(mut socket) => {
                wait_for_writable(&mut socket);
                socket.read(&mut [0]).expect_err("has failed")
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_connection_and_a_full_queue() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let missing =
            Socket::connect(&Destination::Unix(path.clone()), None, None).expect_err("is not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);

        let listener = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        listener.bind(&socket2::SockAddr::unix(&path).expect("short enough")).expect("binds");
        listener.listen(1).expect("listens");
        let destination = resolve(&Address::Unix(path)).expect("one").remove(0);
        let mut socket = Socket::connect(&destination, None, None).expect("begins");
        wait_for_writable(&mut socket);
        assert_eq!(socket.write(b"ping").expect("writes"), 4);

        let mut waiting = Vec::new();
        let full = (0..100).find_map(|_| match Socket::connect(&destination, None, None) {
            Ok(socket) => {
                waiting.push(socket);
                None
            }
            Err(error) => Some(error.kind()),
        });
        if cfg!(target_os = "linux") {
            assert_eq!(full, Some(io::ErrorKind::WouldBlock));
        }
        // There is room again when somebody is accepted.
        listener.accept().expect("accepts");
        assert!(Socket::connect(&destination, None, None).is_ok());
    }

    #[test]
    fn room() {
        let rows = [
            (1024 - DESCRIPTORS_RESERVED, true),
            (1024 - DESCRIPTORS_RESERVED + 1, false),
            (usize::MAX, false),
        ];
        for (connections, fits) in rows {
            assert_eq!(check_room(connections, 1024).is_ok(), fits, "{connections}");
        }
        assert!(make_room(1).is_ok());
    }
}
