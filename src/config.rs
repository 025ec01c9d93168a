//! What an operator decides: plain values, no more. The program fills them in from its command line, a
//! library user by hand.
//!
//! Must not know: how an option is spelled, or whether what it names exists.

use crate::limits::Limits;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Everything a server is started with. [`Config::default`] is what the program does without options.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// What the server proves itself with where TLS is spoken: on the listeners that are [`Listen::Tls`], or on all of
    /// them if none is. `None`: nowhere. Needs the feature `tls`.
    pub certificate: Option<Certificate>,
    /// Which pages to serve.
    pub pages: Pages,
    /// What a folder of pages without an index shows.
    pub listing: Listing,
    /// Who hears a message, on every path but `/echo`.
    pub audience: Audience,
    /// Whether a sender gets its own broadcast back.
    pub own_messages: OwnMessages,
    /// What happens to a receiver that is further behind than the backlog.
    pub slow_consumer: SlowConsumer,
    /// Whose pages may connect; a request is allowed when any rule allows it.
    pub origins: Vec<OriginRule>,
    /// Subprotocols the server speaks, the preferred one first (RFC 6455 §1.9).
    pub protocols: Vec<String>,
    /// Whether messages may be compressed.
    pub compression: Compression,
    /// Whether the older draft is spoken.
    pub legacy: Legacy,
    /// Who may have its own connection traced.
    pub tracing: Tracing,
    /// Every bound with a knob.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![Listen::Loopback { port: 9999 }],
            certificate: None,
            pages: Pages::BuiltIn,
            listing: Listing::Never,
            audience: Audience::Everyone,
            own_messages: OwnMessages::Deliver,
            slow_consumer: SlowConsumer::Close,
            origins: vec![OriginRule::SameOrNull],
            protocols: Vec::new(),
            compression: Compression::Negotiated,
            legacy: Legacy::Refused,
            tracing: Tracing::Loopback,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// In how many wire formats clients may be told what is published: each has a backlog while somebody listens in it.
    pub fn formats(&self) -> usize {
        let compressed = match self.compression {
            Compression::Negotiated if cfg!(feature = "deflate") => 2,
            Compression::Negotiated | Compression::Never => 0,
        };
        let legacy = match self.legacy {
            Legacy::Spoken => 1,
            Legacy::Refused => 0,
        };
        1 + compressed + legacy
    }
    /// Whether TLS is spoken in a place where it listens.
    pub fn speaks_tls(&self, listen: &Listen) -> bool {
        let is_tls = |listen: &Listen| matches!(listen, Listen::Tls { .. });
        is_tls(listen) || (self.certificate.is_some() && !self.listen.iter().any(is_tls))
    }
}

/// What a server proves itself with to clients that come by TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Files in PEM; a reload reads them again.
    Files {
        /// The certificate, and behind it those that lead to one that clients trust.
        chain: PathBuf,
        /// Its private key: PKCS#8, SEC1 or PKCS#1, without a password.
        key: PathBuf,
    },
    /// One made at the start, for `localhost`, the loopback addresses and the hosts that are listened on. It is for
    /// trials: clients have to be told to take it.
    SelfSigned,
}

/// One place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// 127.0.0.1 and `[::1]`, the same port on both; port 0 lets the system pick it.
    Loopback {
        /// The TCP port.
        port: u16,
    },
    /// A host name or address: every address that the name has.
    Tcp {
        /// A name, an IPv4 address, or an IPv6 address without its brackets.
        host: String,
        /// The TCP port; 0 lets the system pick.
        port: u16,
    },
    /// The same, where TLS is spoken. It makes every other place plain.
    Tls {
        /// Like that of [`Listen::Tcp`].
        host: String,
        /// Like that of [`Listen::Tcp`].
        port: u16,
    },
}

/// A text that is no place to listen; says what one looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseListenError(&'static str);

impl fmt::Display for ParseListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseListenError {}

impl FromStr for Listen {
    type Err = ParseListenError;

    /// Reads `HOST:PORT`, with an IPv6 address in brackets, and `tls:` in front of it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: ParseListenError = ParseListenError("HOST:PORT, with an IPv6 address in brackets");
        if text.starts_with("unix:") {
            return Err(ParseListenError("HOST:PORT; Unix sockets are not there yet"));
        }
        let (is_tls, place) = text.strip_prefix("tls:").map_or((false, text), |place| (true, place));
        let (host, port) = place.rsplit_once(':').ok_or(FORM)?;
        let port = port.parse().map_err(|_| FORM)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) => host,
            None if host.contains([':', '[', ']']) => return Err(FORM),
            None => host,
        };
        if host.is_empty() {
            return Err(FORM);
        }
        let host = host.to_owned();
        Ok(if is_tls { Self::Tls { host, port } } else { Self::Tcp { host, port } })
    }
}

/// Which pages are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// The demo pages in the binary.
    BuiltIn,
    /// The files below a folder.
    Folder(PathBuf),
}

/// What a folder without `index.html` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Nothing: 404.
    Never,
    /// What is in it, as links.
    WithoutIndex,
}

/// Who hears what a client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every client, the sender as well (see [`OwnMessages`]).
    Everyone,
    /// The sender alone: an echo. Such a client does not hear broadcasts either.
    Sender,
}

/// Whether a sender gets its own broadcast back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnMessages {
    /// The sender is a receiver like all others.
    Deliver,
    /// All but the sender.
    Skip,
}

/// Whether permessage-deflate is agreed to (RFC 7692). In a build without the feature `deflate` it never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// With each client that offers it.
    Negotiated,
    /// With nobody.
    Never,
}

/// Whether the draft before RFC 6455 is spoken, that of 0x00 … 0xFF (draft-hixie-thewebsocketprotocol-76).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legacy {
    /// Its clients are told the version that is.
    Refused,
    /// With whoever asks for it; and every handshake carries its two headers, `Sec-WebSocket-Origin` and
    /// `Sec-WebSocket-Location`. Its clients get no binary messages, and are not pinged: the draft has neither.
    Spoken,
}

/// Who may have its own connection traced, which a demo page shows: see `/inspect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// Clients on this machine.
    Loopback,
    /// Everybody who may connect.
    Anybody,
}

/// The verdict on a receiver that is further behind than the backlog, and that takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowConsumer {
    /// The frame on the wire is finished, then a Close with 1013.
    Close,
    /// The frame on the wire is finished, then it goes on with the newest message; what it missed is counted.
    Skip,
    /// Senders are not read until it is within the backlog again: nothing is lost. One that takes nothing at all for
    /// twice [`Limits::ping`] is closed with 1013; without pings it is waited for without end.
    Wait,
}

/// Whose pages may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginRule {
    /// Everybody's.
    Any,
    /// An Origin whose host name is that of `Host`; on a loopback connection that name must be `localhost`
    /// or an address as well, against DNS rebinding.
    Same,
    /// The same, and Origin `null`: a page opened from disk.
    SameOrNull,
    /// Pages of this host, `HOST` or `HOST:PORT`.
    Host(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        let tcp = |host: &str, port| Ok(Listen::Tcp { host: host.to_owned(), port });
        for (text, want) in [
            ("localhost:80", tcp("localhost", 80)),
            ("0.0.0.0:0", tcp("0.0.0.0", 0)),
            ("[::]:9999", tcp("::", 9999)),
            ("tls:[::1]:443", Ok(Listen::Tls { host: "::1".to_owned(), port: 443 })),
        ] {
            assert_eq!(text.parse::<Listen>(), want, "{text}");
        }
        for text in [
            "",
            "9999",
            ":9999",
            "[]:1",
            "::1:9999",
            "host:",
            "host:65536",
            "[::1:1",
            "unix:/run/f",
            "tls::1",
            "tls:80",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
