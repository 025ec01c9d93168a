//! The listeners: bound once at the start, and asked whether somebody waits.

use crate::config::{Config, Legacy, Listen};
use crate::error::Error;
use crate::limits::{KEEPALIVE_MIN, LISTEN_QUEUE, PORT_PAIR_TRIES};
use mio::net::TcpListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// One listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    is_ready: bool,
    is_tls: bool,
}

impl Listener {
    fn new(address: SocketAddr, v6_only: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for the connections of the last run to time out. On Windows the same option
        // would let two programs share the port.
        if cfg!(unix) {
            socket.set_reuse_address(true)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(v6_only)?;
        }
        socket.bind(&address.into())?;
        socket.listen(LISTEN_QUEUE)?;
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket.into());
        let address = socket.local_addr()?;
        Ok(Self { socket, address, is_ready: false, is_tls: false })
    }

    /// Clients of the older draft cannot be pinged: the system asks theirs whether they are still there. Connections
    /// have it of their listener; where it cannot be set, a client that vanished is held until something is sent to it.
    fn ask_for_signs_of_life(&self, config: &Config) {
        if let (Legacy::Spoken, Some(ping)) = (config.legacy, config.limits.ping) {
            let ping = ping.max(KEEPALIVE_MIN);
            let keepalive = TcpKeepalive::new().with_time(ping).with_interval(ping);
            let _ = SockRef::from(&self.socket).set_tcp_keepalive(&keepalive);
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether those who come to it speak TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        // Closing it right after does the same.
        let _ = registry.deregister(&mut self.socket);
    }

    pub(super) fn note_readiness(&mut self) {
        self.is_ready = true;
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The next newcomer; `None`: nobody waits any more.
    pub(super) fn accept(&mut self) -> io::Result<Option<(mio::net::TcpStream, SocketAddr)>> {
        loop {
            let error = match self.socket.accept() {
                Ok(newcomer) => return Ok(Some(newcomer)),
                Err(error) => error,
            };
            if error.kind() == io::ErrorKind::WouldBlock {
                self.is_ready = false;
                return Ok(None);
            }
            // One that gave up while it waited says nothing of the next.
            if ![io::ErrorKind::Interrupted, io::ErrorKind::ConnectionAborted].contains(&error.kind()) {
                return Err(error);
            }
        }
    }
}

/// Binds everything the configuration names. Gives with it where a page can be opened.
pub(super) fn bind(config: &Config) -> Result<(Vec<Listener>, Vec<String>), Error> {
    let mut listeners = Vec::new();
    let mut pages = Vec::new();
    for listen in &config.listen {
        let is_tls = config.speaks_tls(listen);
        let scheme = if is_tls { "https" } else { "http" };
        let page = |host: String| format!("{scheme}://{host}/websocket.html");
        let mut bound = match listen {
            Listen::Loopback { port } => {
                let bound = bind_loopback(*port)?;
                pages.push(page(format!("localhost:{}", bound[0].address.port())));
                bound
            }
            Listen::Tcp { host, port } | Listen::Tls { host, port } => {
                let bound = bind_host(host, *port, config)?;
                pages.extend(bound.iter().map(|listener| page(listener.address.to_string())));
                bound
            }
        };
        for listener in &mut bound {
            listener.is_tls = is_tls;
            listener.ask_for_signs_of_life(config);
        }
        listeners.extend(bound);
    }
    if listeners.is_empty() { Err(Error::NoListener) } else { Ok((listeners, pages)) }
}

fn failed(address: SocketAddr) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Listen { address: address.to_string(), cause }
}

/// The same port on both loopback addresses, or on the one there is.
fn bind_loopback(port: u16) -> Result<Vec<Listener>, Error> {
    for tried in 1.. {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let first = Listener::new(v4, false).map_err(failed(v4))?;
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, first.address.port()));
        match Listener::new(v6, true) {
            Ok(second) => return Ok(vec![first, second]),
            // The system picked a port that only IPv4 has free.
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tried < PORT_PAIR_TRIES => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(failed(v6)(error)),
            Err(error) => {
                log::debug!("no IPv6 here: {error}");
                return Ok(vec![first]);
            }
        }
    }
    unreachable!("the loop returns")
}

fn bind_host(host: &str, port: u16, config: &Config) -> Result<Vec<Listener>, Error> {
    let resolved = (host, port).to_socket_addrs();
    let addresses = resolved.map_err(|cause| Error::Resolve { host: host.to_owned(), cause })?;
    // `[::]` takes IPv4 as well where the system can, unless somebody else was asked to.
    let v6_only = port != 0 && config.listen.iter().any(|other| is_ipv4(other, port));
    let mut listeners: Vec<Listener> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        if let Some(first) = listeners.first() {
            address.set_port(first.address.port());
        }
        if listeners.iter().any(|known| known.address == address) {
            continue;
        }
        match Listener::new(address, v6_only) {
            Ok(listener) => listeners.push(listener),
            // A name may have an address that this machine has not.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                missing = Some(failed(address)(error))
            }
            Err(error) => return Err(failed(address)(error)),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        Some(_) | None => Ok(listeners),
    }
}

fn is_ipv4(listen: &Listen, wanted: u16) -> bool {
    match listen {
        Listen::Loopback { port } => *port == wanted,
        Listen::Tcp { host, port } | Listen::Tls { host, port } => {
            *port == wanted && host.parse::<Ipv4Addr>().is_ok()
        }
    }
}
