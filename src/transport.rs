//! What bytes go through: TCP, or TLS over it. One read and one write for all of them, so that the loop does not ask
//! which it is.
//!
//! Must not know: protocols, who reads and writes, when.

#[cfg(test)]
pub(crate) mod faults;
mod tapped;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use crate::http::origin::Peer;
use crate::limits::FILE_PIECE_BYTES;
use crate::trace::{Direction, Trace};
use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
#[cfg(target_os = "linux")]
use rustix::net::SendFlags;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::ops::Range;
use std::rc::Rc;
use tapped::Tapped;

/// A connection's socket, never blocking.
#[derive(Debug)]
pub(crate) enum Transport {
    /// A TCP connection.
    Tcp(TcpStream),
    /// TLS over one of the others.
    #[cfg(feature = "tls")]
    Tls(Box<tls::Tls>),
    /// One of the others that somebody watches.
    Tapped(Box<Tapped>),
    /// One that misbehaves.
    #[cfg(test)]
    Faulty(Box<faults::Faulty>),
}

impl Transport {
    /// A TCP connection that was just accepted. Messages are small and wait for nobody: `TCP_NODELAY` is set.
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        // Without it the connection works, only later: nothing to fail for.
        let _ = stream.set_nodelay(true);
        Self::Tcp(stream)
    }

    /// The same with what a test does to it.
    #[cfg(test)]
    pub(crate) fn faulty(stream: TcpStream, plan: faults::Plan) -> Self {
        Self::Faulty(Box::new(faults::Faulty::new(stream, plan)))
    }

    /// Reads what is there, at most `into.len()` bytes.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, and whatever ends the connection.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        let read = match self {
            Self::Tcp(stream) => stream.read(into)?,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => return tls.read(into),
            Self::Tapped(tapped) => return tapped.read(into),
            #[cfg(test)]
            Self::Faulty(faulty) => faulty.read(into)?,
        };
        Ok(Got::of_socket(read, into.len()))
    }

    /// Writes what the socket takes, with one system call.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, and whatever ends the connection.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Wrote> {
        let written = match (&mut *self, slices) {
            // Nothing to write, and nothing that waits.
            (Self::Tcp(_), []) => 0,
            // The common case, and the cheaper system call.
            (Self::Tcp(stream), [slice]) => stream.write(slice)?,
            (Self::Tcp(stream), slices) => stream.write_vectored(slices)?,
            #[cfg(feature = "tls")]
            (Self::Tls(tls), slices) => return tls.write(slices),
            (Self::Tapped(tapped), slices) => return tapped.write(slices),
            #[cfg(test)]
            (Self::Faulty(faulty), slices) => faulty.write(slices)?,
        };
        Ok(Wrote::of_socket(written, slices.iter().map(|slice| slice.len()).sum()))
    }

    /// The same for one piece, where a broadcast spends its time.
    ///
    /// Without a call between the loop and the system call, where that is possible: the kernel's own calls have
    /// pushed the loop's return addresses out of the processor's predictor, and the first return behind a system
    /// call then costs up to a fifth of what the whole delivery does (docs/PERFORMANCE.md).
    ///
    /// # Errors
    /// Like [`write`](Self::write).
    #[inline(always)]
    pub(crate) fn write_one(&mut self, bytes: &[u8]) -> io::Result<Wrote> {
        let written = match self {
            #[cfg(target_os = "linux")]
            Self::Tcp(stream) => rustix::net::send(&*stream, bytes, SendFlags::NOSIGNAL)?,
            #[cfg(not(target_os = "linux"))]
            Self::Tcp(stream) => stream.write(bytes)?,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => return tls.write(&[IoSlice::new(bytes)]),
            Self::Tapped(tapped) => return tapped.write(&[IoSlice::new(bytes)]),
            #[cfg(test)]
            Self::Faulty(faulty) => faulty.write(&[IoSlice::new(bytes)])?,
        };
        Ok(Wrote::of_socket(written, bytes.len()))
    }

    /// Writes what the socket takes of a range of a file, at most [`FILE_PIECE_BYTES`]. Where the system can, it goes
    /// from the file to the socket without a detour; elsewhere, and for bytes that must be changed on the way, by
    /// `scratch`. `None`: the file has no more.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes nothing, and whatever ends the connection: what the file says as well.
    pub(crate) fn write_file(
        &mut self,
        file: &File,
        range: Range<u64>,
        scratch: &mut [u8],
    ) -> io::Result<Option<Wrote>> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(FILE_PIECE_BYTES);
        #[cfg(target_os = "linux")]
        match self {
            Self::Tcp(stream) => match send_file(stream, file, range.start, length) {
                // Not every file system can.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {}
                sent => return sent,
            },
            #[cfg(feature = "tls")]
            Self::Tls(_) => {}
            Self::Tapped(_) => {}
            #[cfg(test)]
            Self::Faulty(_) => {}
        }
        let offered = read_at(file, &mut scratch[..length], range.start)?;
        if offered == 0 {
            return Ok(None);
        }
        self.write(&[IoSlice::new(&scratch[..offered])]).map(Some)
    }

    /// Sends FIN: nothing more will be written. `true`: the socket is full, and it comes with another write.
    pub(crate) fn shutdown(&mut self) -> bool {
        match self {
            // Fails when the peer is gone already, and then there is nothing to shut down.
            Self::Tcp(stream) => drop(stream.shutdown(Shutdown::Write)),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => return tls.shutdown(),
            Self::Tapped(tapped) => return tapped.inner_mut().shutdown(),
            #[cfg(test)]
            Self::Faulty(faulty) => drop(faulty.stream.shutdown(Shutdown::Write)),
        }
        false
    }

    /// What it has to say for itself before it is closed, with nothing that was to be written left out.
    pub(crate) fn say_farewell(&mut self) {
        match self {
            Self::Tcp(_) => {}
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.say_farewell(),
            Self::Tapped(tapped) => tapped.inner_mut().say_farewell(),
            #[cfg(test)]
            Self::Faulty(_) => {}
        }
    }

    /// Whether nobody on the way can read or change what goes through.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => !tls.is_plain(),
            Self::Tapped(tapped) => tapped.inner().is_secure(),
            #[cfg(test)]
            Self::Faulty(_) => false,
        }
    }

    /// Whether what it reads next is costly, and nobody's message: a handshake is under way.
    pub(crate) fn is_handshaking(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.is_handshaking(),
            Self::Tapped(tapped) => tapped.inner().is_handshaking(),
            #[cfg(test)]
            Self::Faulty(_) => false,
        }
    }

    /// What reading has come to beside bytes, since it was last asked.
    pub(crate) fn take_news(&mut self) -> News {
        match self {
            Self::Tcp(_) => News::default(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.take_news(),
            Self::Tapped(tapped) => tapped.inner_mut().take_news(),
            #[cfg(test)]
            Self::Faulty(_) => News::default(),
        }
    }

    /// Bytes it keeps of the budget of all.
    pub(crate) fn kept_bytes(&self) -> usize {
        match self {
            Self::Tcp(_) => 0,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.kept_bytes(),
            Self::Tapped(tapped) => tapped.inner().kept_bytes(),
            #[cfg(test)]
            Self::Faulty(_) => 0,
        }
    }

    /// It is over, and what it keeps is needed elsewhere.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Tcp(_) => {}
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.forget(),
            Self::Tapped(tapped) => tapped.inner_mut().forget(),
            #[cfg(test)]
            Self::Faulty(_) => {}
        }
    }

    /// Registers it for everything, once and for all; closing it takes it out again.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.register(registry, token, Interest::READABLE | Interest::WRITABLE),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.register(registry, token),
            Self::Tapped(tapped) => tapped.inner_mut().register(registry, token),
            #[cfg(test)]
            Self::Faulty(faulty) => faulty.register(registry, token),
        }
    }

    /// Has it watched from here on: what is read and what is written goes into a trace. `heard` was read just before, the
    /// request and what came behind it; `owed` bytes are to be written before the response.
    pub(crate) fn tap(&mut self, trace: Rc<RefCell<Trace>>, heard: (&[u8], &[u8]), owed: u64) {
        let tapped = Box::new(Tapped::new(trace, heard, owed));
        let inner = mem::replace(self, Self::Tapped(tapped));
        if let Self::Tapped(tapped) = self {
            tapped.watch(inner);
        }
    }

    /// Nobody watches it any more.
    pub(crate) fn untap(&mut self) {
        if let Self::Tapped(tapped) = self {
            *self = tapped.take_inner();
        }
    }

    /// This is from whom its end comes, the first time it is said: the last that its trace hears.
    pub(crate) fn note_end(&mut self, by: Direction) {
        if let Self::Tapped(tapped) = self {
            tapped.end(by);
        }
    }

    /// The peer's address, while the system knows it.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.address(),
            Self::Tapped(tapped) => tapped.inner().address(),
            #[cfg(test)]
            Self::Faulty(faulty) => faulty.stream.peer_addr().ok(),
        }
    }
}

/// What a read brought.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Got {
    /// Bytes.
    Bytes {
        /// So many.
        count: usize,
        /// There are no more until the socket says so, but perhaps a FIN.
        is_drained: bool,
    },
    /// The peer has said that nothing more comes.
    End,
    /// So many bytes of HTTP where TLS is spoken. From here on everything goes unprotected.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "TLS tells them apart"))]
    Unprotected {
        /// What came of the request.
        count: usize,
    },
}

/// What reading has come to, beside bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    /// What it counts for in the budget of reads.
    pub(crate) cost: usize,
    /// A handshake was completed: what waited for it may be written.
    pub(crate) is_secured: bool,
    /// There is something to write that nobody knows of.
    pub(crate) wants_write: bool,
}

impl Got {
    /// A short read means that the socket is drained, and spares the read that would only say so: where the system keeps
    /// that promise.
    fn of_socket(read: usize, most: usize) -> Self {
        match read {
            0 => Self::End,
            count => Self::Bytes { count, is_drained: cfg!(unix) && count < most },
        }
    }
}

/// What a write came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrote {
    /// So many bytes of what was offered will not be offered again.
    pub(crate) taken: usize,
    /// Nothing more is taken until the socket says so.
    pub(crate) is_full: bool,
}

impl Wrote {
    /// On Unix a socket says that it is full by taking less, and will say when it takes more.
    #[inline(always)]
    fn of_socket(taken: usize, offered: usize) -> Self {
        Self { taken, is_full: cfg!(unix) && taken < offered }
    }
}

/// Why a write is short, the next one says: the socket is full, the file has no more, or it cannot be read. To take it for
/// the first would be to wait for a socket that has room.
#[cfg(target_os = "linux")]
fn send_file(stream: &TcpStream, file: &File, start: u64, length: usize) -> io::Result<Option<Wrote>> {
    let mut at = start;
    let taken = rustix::fs::sendfile(stream, file, Some(&mut at), length)?;
    Ok((taken > 0).then_some(Wrote { taken, is_full: false }))
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

/// Where a peer is, by its address.
pub(crate) fn peer_of(address: SocketAddr) -> Peer {
    let is_loopback = match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
    };
    if is_loopback { Peer::Loopback } else { Peer::Remote }
}

/// Whether it is TLS that ends a connection, not the system.
pub(crate) fn is_tls_failure(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

/// Whether the system says that there are no descriptors left, of this process or at all.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}
