//! What can stop a run from beginning or from ending with a report, in one line each: the thing, the cause
//! and what to do.
//!
//! A connection that fails is not here: that is a [`super::cause::Cause`], and the run goes on.
//!
//! Invariant: the line has no control characters, whatever was typed or found.

use super::limits::{IN_FLIGHT_MAX, PAIRS_MAX};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::{fmt, io};

/// Why there is no result.
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "some are about certificates"))]
#[derive(Debug)]
pub(crate) enum BenchError {
    /// The server's name has no address.
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// More connections than this process may have descriptors.
    Descriptors {
        /// How many were asked for.
        connections: usize,
        /// What they take, all in all.
        needed: usize,
        /// What this process may have.
        allowed: u64,
    },
    /// More pairs of a sender and a receiver than can be checked.
    Pairs {
        /// Connections that send.
        senders: usize,
        /// Connections that receive.
        receivers: usize,
    },
    /// More messages in flight than can be kept apart.
    InFlight {
        /// Connections that send.
        senders: usize,
        /// What each of them may have in flight.
        window: usize,
    },
    /// An IPv4 address to connect from, and an IPv6 one to connect to, or the other way round.
    SourceFamily {
        /// To connect from.
        address: IpAddr,
        /// The server's.
        destination: SocketAddr,
    },
    /// An address to connect from that cannot be used.
    SourceAddress {
        /// To connect from.
        address: IpAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Source addresses, and a server on a Unix socket.
    SourceOfUnix,
    /// A server on a Unix socket, and a system without them.
    NoUnixSockets,
    /// No certificates of the system to check the server's by.
    NoSystemTrust {
        /// What kept them from being loaded; none: there are none.
        cause: Option<String>,
    },
    /// The file of certificates cannot be read.
    ReadCa {
        /// What was asked for.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not one.
    NotCertificates {
        /// What was asked for.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The server's name is none that a certificate could have.
    NameWithTls {
        /// The name.
        host: String,
    },
    /// There is no such process, or not for us to see.
    Process {
        /// What was asked for.
        pid: u32,
        /// What the system said.
        cause: io::Error,
    },
    /// The page cannot be written.
    Write {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// An earlier result cannot be read.
    Read {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// An earlier result is not one.
    NotAResult {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system refused what the loop cannot do without.
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// A scenario with receivers, and a server that echoes.
    EchoOnly,
    /// The echo scenario, and a server that broadcasts.
    Broadcasts,
    /// Nobody got the first message.
    Silent {
        /// How long was waited.
        seconds: u64,
        /// How many there were.
        connections: usize,
    },
    /// Nobody got the first message as it was sent.
    Strange {
        /// How long was waited.
        seconds: u64,
        /// What came instead.
        messages: u64,
    },
    /// Whoever started it does not want to wait for the result.
    Interrupted,
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { host, cause } => {
                write!(f, "cannot find an address of {}: {cause}", host.escape_debug())
            }
            Self::Descriptors { connections, needed, allowed } => write!(
                f,
                "{connections} connections need {needed} descriptors, and this process may have {allowed}: \
                 raise the limit (ulimit -n {needed}; above the hard one, ulimit -Hn, as root) or lower --connections"
            ),
            Self::Pairs { senders, receivers } => write!(
                f,
                "{senders} senders and {receivers} receivers are more than the {PAIRS_MAX} pairs that can be checked: \
                 lower --senders or --connections"
            ),
            Self::InFlight { senders, window } => write!(
                f,
                "{senders} senders with {window} messages each are more than the {IN_FLIGHT_MAX} that may be in flight: \
                 lower --senders or --window"
            ),
            Self::SourceFamily { address, destination } => write!(
                f,
                "cannot connect from {address} to {destination}: \
                 give a --source-ip that is {} as the server's address is",
                if destination.is_ipv4() { "IPv4" } else { "IPv6" }
            ),
            Self::SourceAddress { address, cause } => {
                write!(
                    f,
                    "cannot connect from {address}: {cause}; give an address of this machine with --source-ip"
                )
            }
            Self::SourceOfUnix => {
                write!(f, "a Unix socket is not connected to from an address: leave --source-ip out")
            }
            Self::NoUnixSockets => write!(f, "this system has no Unix sockets: give a ws:// URL"),
            Self::NoSystemTrust { cause } => {
                write!(f, "the system has no certificates to check the server's by")?;
                if let Some(cause) = cause {
                    write!(f, " ({})", cause.escape_debug())?;
                }
                write!(f, ": name a CA with --ca FILE, or accept any certificate with --insecure")
            }
            Self::ReadCa { path, cause } => {
                write!(f, "cannot read {path:?}: {cause}; give certificates in PEM with --ca")
            }
            Self::NotCertificates { path, problem } => {
                write!(f, "{path:?} {}; give certificates in PEM with --ca", problem.escape_debug())
            }
            Self::NameWithTls { host } => write!(
                f,
                "no certificate could be for {}: give a name of letters, digits and hyphens, or an address",
                host.escape_debug()
            ),
            Self::Process { pid, cause } => {
                write!(f, "cannot look at process {pid}: {cause}; give that of the server with --pid")
            }
            Self::Write { path, cause } => write!(f, "cannot write {path:?}: {cause}"),
            Self::Read { path, cause } => write!(f, "cannot read {path:?}: {cause}"),
            Self::NotAResult { path, problem } => {
                write!(f, "{path:?} is no result of --json: {}", problem.escape_debug())
            }
            Self::System { what, cause } => write!(f, "cannot {what}: {cause}"),
            Self::EchoOnly => {
                write!(f, "only the sender got its message back: this server echoes; use --scenario echo")
            }
            Self::Broadcasts => {
                write!(f, "others got the message as well: this server broadcasts; use --scenario broadcast")
            }
            Self::Silent { seconds, connections: 1 } => write!(
                f,
                "the only connection did not get its message back within {seconds} s: does the server answer on this \
                 path? If it leaves out the sender, it takes --connections 2"
            ),
            Self::Silent { seconds, .. } => write!(
                f,
                "no connection got the first message within {seconds} s: does the server answer on this path?"
            ),
            Self::Strange { seconds, messages } => write!(
                f,
                "no connection got the first message as it was sent within {seconds} s, but {messages} others: \
                 does the server wrap or change it? See --match contains"
            ),
            Self::Interrupted => write!(f, "interrupted twice: there is no result"),
        }
    }
}

// The cause is in the line already: no `source`, which would tell it twice.
impl std::error::Error for BenchError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_each() {
        let not_found = || io::Error::from(io::ErrorKind::NotFound);
        let rows = [
            (
                BenchError::Resolve { host: "no\nsuch".into(), cause: not_found() },
                r"cannot find an address of no\nsuch: entity not found",
            ),
            (
                BenchError::Descriptors { connections: 19_000, needed: 19_032, allowed: 1024 },
                "19000 connections need 19032 descriptors, and this process may have 1024: \
                 raise the limit (ulimit -n 19032; above the hard one, ulimit -Hn, as root) or lower --connections",
            ),
            (
                BenchError::SourceFamily {
                    address: IpAddr::from([10, 0, 0, 1]),
                    destination: SocketAddr::from(([0_u16; 8], 80)),
                },
                "cannot connect from 10.0.0.1 to [::]:80: \
                 give a --source-ip that is IPv6 as the server's address is",
            ),
            (
                BenchError::Write { path: "a\x1b.html".into(), cause: not_found() },
                r#"cannot write "a\u{1b}.html": entity not found"#,
            ),
            (
                BenchError::NotAResult { path: "a.json".into(), problem: "no \"url\"\r".into() },
                r#""a.json" is no result of --json: no \"url\"\r"#,
            ),
            (
                BenchError::NoSystemTrust { cause: Some("no\nfile".into()) },
                "the system has no certificates to check the server's by (no\\nfile): \
                 name a CA with --ca FILE, or accept any certificate with --insecure",
            ),
            (
                BenchError::NotCertificates { path: "a.pem".into(), problem: "has\nnone".into() },
                r#""a.pem" has\nnone; give certificates in PEM with --ca"#,
            ),
            (
                BenchError::Silent { seconds: 5, connections: 2 },
                "no connection got the first message within 5 s: does the server answer on this path?",
            ),
        ];
        for (error, want) in rows {
            assert_eq!(error.to_string(), want);
        }
    }
}
