//! Sockets of either kind, and TLS over one of them.

#[cfg(feature = "tls")]
use super::tls::TlsStream;
use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Takes connections.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(feature = "tls")]
    Tls(TcpListener, std::sync::Arc<rustls::ServerConfig>),
    #[cfg(unix)]
    Unix(mio::net::UnixListener),
}

impl Listener {
    pub(super) fn tcp(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).map(Self::Tcp)
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(address: SocketAddr, config: std::sync::Arc<rustls::ServerConfig>) -> io::Result<Self> {
        TcpListener::bind(address).map(|listener| Self::Tls(listener, config))
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &std::path::Path) -> io::Result<Self> {
        mio::net::UnixListener::bind(path).map(Self::Unix)
    }

    /// Where it listens, if that is a port.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(feature = "tls")]
            Self::Tls(listener, _) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// The next connection, and from where.
    pub(super) fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = accept_tcp(listener)?;
                Ok((Stream::Tcp(stream), Some(from)))
            }
            #[cfg(feature = "tls")]
            Self::Tls(listener, config) => {
                let (stream, from) = accept_tcp(listener)?;
                Ok((Stream::Tls(Box::new(TlsStream::new(stream, config.clone()))), Some(from)))
            }
            #[cfg(unix)]
            Self::Unix(listener) => listener.accept().map(|(stream, _)| (Stream::Unix(stream), None)),
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Self::Tcp(listener) => listener,
            #[cfg(feature = "tls")]
            Self::Tls(listener, _) => listener,
            #[cfg(unix)]
            Self::Unix(listener) => listener,
        };
        source.register(registry, token, Interest::READABLE)
    }
}

fn accept_tcp(listener: &TcpListener) -> io::Result<(TcpStream, IpAddr)> {
    let (stream, from) = listener.accept()?;
    // A fault that is about single bytes or frames would be none in one segment.
    stream.set_nodelay(true)?;
    Ok((stream, from.ip()))
}

/// One connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream>),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl Stream {
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Self::Tcp(stream) => stream,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.socket(),
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        };
        source.register(registry, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Makes its end a reset.
    pub(super) fn end_with_reset(&mut self) -> io::Result<()> {
        let linger_not = |stream: &TcpStream| socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        match self {
            Self::Tcp(stream) => linger_not(stream),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                stream.end_without_a_word();
                linger_not(stream.socket())
            }
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(into),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) => Ok(()), // a socket keeps nothing back
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }
}
