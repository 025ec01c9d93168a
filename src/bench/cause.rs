//! Why a connection failed or was lost, and how often each happened.
//!
//! Must not know: sockets, whether what happened failed a connection or lost it.
//!
//! Invariant: the counts of [`Causes`] add up to the causes that were added, however many names there are.

mod tls;

#[cfg(feature = "tls")]
pub(crate) use tls::CertificateFault;
pub(crate) use tls::TlsFault;

use super::limits::CAUSES_MAX;
use fanfare::CloseCode;
use fanfare::websocket::Violation;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::{fmt, io};

/// The code that stands for an end of the stream without a Close (RFC 6455 §7.1.5).
pub(crate) const ABNORMAL: CloseCode = CloseCode(1006);

/// Why a connection failed, or was lost after it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody listens there.
    Refused,
    /// The peer, or something in between, cut the connection.
    Reset,
    /// It took longer than it may.
    TimedOut,
    /// There is no way to the host or its network.
    Unreachable,
    /// A response to the handshake other than 101.
    Http(u16),
    /// The peer's Close; the end of the stream without one is [`ABNORMAL`].
    Closed(CloseCode),
    /// A response to the handshake that completes none (RFC 6455 §4.1).
    Handshake(HandshakeFault),
    /// Frames or messages against RFC 6455.
    Protocol(Violation),
    /// What is wrong below the WebSocket, on `wss://`.
    Tls(TlsFault),
    /// More pings than answers may be queued for.
    Flooded,
    /// No port of the source address is free.
    NoPort,
    /// The process or the system has no descriptor left.
    NoDescriptor,
    /// Whatever else the system says.
    Other(io::ErrorKind),
}

/// What is wrong with the response to a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeFault {
    /// It is not HTTP/1.
    NotHttp,
    /// Past [`super::limits::RESPONSE_HEAD_BYTES_MAX`] or [`super::limits::RESPONSE_HEADERS_MAX`].
    HeadTooLong,
    /// `Upgrade` does not name websocket.
    Upgrade,
    /// `Connection` does not name Upgrade.
    Connection,
    /// `Sec-WebSocket-Accept` is missing, there twice, or not the one of the key.
    Accept,
    /// A subprotocol that was not offered.
    Subprotocol,
    /// An extension that was not offered, or not with these parameters.
    Extension,
}

/// Codes of "too many open files" in the process and in the system, the same on every Unix; Windows has the
/// third.
const NO_DESCRIPTOR: [i32; 3] = [24, 23, 10_024];

const KINDS: [(io::ErrorKind, Cause); 10] = [
    (io::ErrorKind::ConnectionRefused, Cause::Refused),
    // A Unix socket that is not there.
    (io::ErrorKind::NotFound, Cause::Refused),
    (io::ErrorKind::ConnectionReset, Cause::Reset),
    (io::ErrorKind::ConnectionAborted, Cause::Reset),
    // A write after the reset was read.
    (io::ErrorKind::BrokenPipe, Cause::Reset),
    (io::ErrorKind::TimedOut, Cause::TimedOut),
    (io::ErrorKind::HostUnreachable, Cause::Unreachable),
    (io::ErrorKind::NetworkUnreachable, Cause::Unreachable),
    (io::ErrorKind::AddrNotAvailable, Cause::NoPort),
    // What a bind to port 0 says when all are taken.
    (io::ErrorKind::AddrInUse, Cause::NoPort),
];

impl Cause {
    /// What an error of a socket means.
    pub(crate) fn from_io(error: &io::Error) -> Self {
        if error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code)) {
            return Self::NoDescriptor;
        }
        if let Some(fault) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::Tls(*fault);
        }
        let known = KINDS.iter().find(|(kind, _)| *kind == error.kind());
        known.map_or(Self::Other(error.kind()), |(_, cause)| *cause)
    }

    /// The name it is counted under. [`fmt::Display`] tells more.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::Http(status) => return Cow::Owned(format!("HTTP {status}")),
            Self::Closed(code) => return Cow::Owned(format!("closed {code}")),
            Self::Handshake(_) => "bad handshake",
            Self::Protocol(_) => "protocol error",
            Self::Tls(fault) => return fault.name(),
            Self::Flooded => "flooded",
            Self::NoPort => "no free port",
            Self::NoDescriptor => "no descriptor",
            Self::Other(_) => OTHER,
        })
    }
}

const OTHER: &str = "other";

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        match self {
            Self::Handshake(fault) => write!(f, ": {fault}"),
            Self::Protocol(violation) => write!(f, ": {violation}"),
            Self::Tls(fault) => write!(f, ": {fault}"),
            Self::Other(kind) => write!(f, " cause: {kind}"),
            Self::Refused
            | Self::Reset
            | Self::TimedOut
            | Self::Unreachable
            | Self::Http(_)
            | Self::Closed(_)
            | Self::Flooded
            | Self::NoPort
            | Self::NoDescriptor => Ok(()),
        }
    }
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp => "the response is not HTTP",
            Self::HeadTooLong => "the head of the response is too long",
            Self::Upgrade => "Upgrade does not name websocket",
            Self::Connection => "Connection does not name Upgrade",
            Self::Accept => "Sec-WebSocket-Accept is not the one of the key",
            Self::Subprotocol => "a subprotocol that was not offered",
            Self::Extension => "an extension that was not offered",
        })
    }
}

/// How often each cause was met, by name: [`CAUSES_MAX`] of them, the rest together as `other`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Causes {
    counts: BTreeMap<Cow<'static, str>, u64>,
    /// The first of each kind that knows more than its name says.
    first: [Option<Cause>; 5],
}

impl Causes {
    /// One more of these.
    pub(crate) fn add(&mut self, cause: Cause) {
        let place = match cause {
            Cause::Handshake(_) => Some(0),
            Cause::Protocol(_) => Some(1),
            Cause::Other(_) => Some(2),
            Cause::Tls(TlsFault::Certificate(_)) => Some(3),
            Cause::Tls(_) => Some(4),
            Cause::Refused
            | Cause::Reset
            | Cause::TimedOut
            | Cause::Unreachable
            | Cause::Http(_)
            | Cause::Closed(_)
            | Cause::Flooded
            | Cause::NoPort
            | Cause::NoDescriptor => None,
        };
        if let Some(place) = place {
            self.first[place].get_or_insert(cause);
        }
        let name = cause.name();
        let is_counted = self.counts.len() < CAUSES_MAX || self.counts.contains_key(&name);
        let name = if is_counted { name } else { Cow::Borrowed(OTHER) };
        *self.counts.entry(name).or_default() += 1;
    }

    /// The first of each kind that knows more than its name says.
    pub(crate) fn details(&self) -> impl Iterator<Item = Cause> {
        self.first.into_iter().flatten()
    }

    /// Names and counts, the most frequent first, then by name.
    pub(crate) fn counts(&self) -> Vec<(String, u64)> {
        let mut rows: Vec<_> = self.counts.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        // Stable, and the map was sorted by name.
        rows.sort_by_key(|(_, count)| Reverse(*count));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_sockets() {
        let kind = |kind: io::ErrorKind| io::Error::from(kind);
        let mut rows = vec![
            (kind(io::ErrorKind::ConnectionRefused), Cause::Refused),
            (kind(io::ErrorKind::BrokenPipe), Cause::Reset),
            (kind(io::ErrorKind::NetworkUnreachable), Cause::Unreachable),
            (kind(io::ErrorKind::AddrInUse), Cause::NoPort),
            (kind(io::ErrorKind::NotFound), Cause::Refused),
            (kind(io::ErrorKind::PermissionDenied), Cause::Other(io::ErrorKind::PermissionDenied)),
            (io::Error::other(TlsFault::Cut), Cause::Tls(TlsFault::Cut)),
            (io::Error::other("something else"), Cause::Other(io::ErrorKind::Other)),
        ];
        if cfg!(target_os = "linux") {
            let codes = [
                (104, Cause::Reset),
                (103, Cause::Reset),
                (110, Cause::TimedOut),
                (111, Cause::Refused),
                (113, Cause::Unreachable),
                (101, Cause::Unreachable),
                (99, Cause::NoPort),
                (24, Cause::NoDescriptor),
                (23, Cause::NoDescriptor),
            ];
            rows.extend(codes.map(|(code, cause)| (io::Error::from_raw_os_error(code), cause)));
        }
        for (error, want) in rows {
            assert_eq!(Cause::from_io(&error), want, "{error}");
        }
    }

    #[test]
    fn names() {
        let rows = [
            (Cause::Refused, "refused", "refused"),
            (Cause::TimedOut, "timed out", "timed out"),
            (Cause::Http(403), "HTTP 403", "HTTP 403"),
            (Cause::Closed(CloseCode(1013)), "closed 1013", "closed 1013"),
            (Cause::Closed(ABNORMAL), "closed 1006", "closed 1006"),
            (
                Cause::Handshake(HandshakeFault::Upgrade),
                "bad handshake",
                "bad handshake: Upgrade does not name websocket",
            ),
            (
                Cause::Protocol(Violation::ReservedOpcode(3)),
                "protocol error",
                "protocol error: reserved opcode 3",
            ),
            (Cause::NoPort, "no free port", "no free port"),
            (Cause::Other(io::ErrorKind::NotFound), "other", "other cause: entity not found"),
        ];
        for (cause, name, told) in rows {
            assert_eq!((cause.name().as_ref(), cause.to_string().as_str()), (name, told));
        }
    }

    #[test]
    fn counted_by_name() {
        let mut causes = Causes::default();
        let closed = |code| Cause::Closed(CloseCode(code));
        for cause in [Cause::Reset, closed(1013), closed(1001), closed(1013), Cause::Refused] {
            causes.add(cause);
        }
        // Both are bad handshakes, whatever is bad about them.
        causes.add(Cause::Handshake(HandshakeFault::NotHttp));
        causes.add(Cause::Handshake(HandshakeFault::Accept));
        assert_eq!(causes.counts.values().sum::<u64>(), 7);
        let want =
            [("bad handshake", 2), ("closed 1013", 2), ("closed 1001", 1), ("refused", 1), ("reset", 1)];
        assert_eq!(causes.counts(), want.map(|(name, count)| (name.to_owned(), count)));
    }

    #[test]
    fn a_peer_that_closes_with_every_code_there_is() {
        let mut causes = Causes::default();
        for code in (0..=u16::MAX).chain(0..2) {
            causes.add(Cause::Closed(CloseCode(code)));
        }
        assert_eq!(causes.counts.values().sum::<u64>(), 65_538);
        let rows = causes.counts();
        assert_eq!(rows.len(), CAUSES_MAX + 1);
        assert_eq!(rows[0], ("other".to_owned(), 65_536 - CAUSES_MAX as u64), "what had no name left");
        assert_eq!(
            rows[1..3],
            [("closed 0".to_owned(), 2), ("closed 1".to_owned(), 2)],
            "who had one keeps it"
        );
    }
}
