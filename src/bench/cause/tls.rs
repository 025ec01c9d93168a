//! Why a connection failed or was lost below the WebSocket, on `wss://`, and what to do.
//!
//! Must not know: the library that speaks TLS, so that the names are there in every build.

use std::borrow::Cow;
use std::fmt;

/// What TLS ends a connection for.
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing makes one"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsFault {
    /// What answers on this port speaks something else.
    NotTls,
    /// The server ended the connection within the handshake.
    Cut,
    /// The handshake was begun, and not over in time.
    TimedOut,
    /// The server's alert (RFC 8446 §6).
    Alert(u8),
    /// Nothing that both sides can do.
    Incompatible,
    /// The certificate is not accepted.
    Certificate(CertificateFault),
    /// The server does what TLS does not allow.
    Misbehaved,
    /// What came was changed on its way, or was not made with the right keys.
    Undecipherable,
    /// Whatever else the library says.
    Other,
}

/// Why a certificate is not accepted.
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing makes one"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    /// Nobody who is trusted has signed it.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for other names than the one in the URL.
    OtherName,
    /// It is that of a CA, which signs others and is no server's (RFC 5280 §4.2.1.9).
    OfCa,
    /// It is for other things than servers.
    OtherPurpose,
    /// Its signature is wrong.
    Signature,
    /// Its issuer has taken it back.
    Revoked,
    /// It cannot be read.
    Unreadable,
    /// Whatever else the library says.
    Other,
}

impl TlsFault {
    /// The name it is counted under.
    pub(super) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotTls => "no TLS",
            Self::Cut => "TLS cut",
            Self::TimedOut => "TLS timed out",
            Self::Alert(number) => return Cow::Owned(format!("TLS alert {number}")),
            Self::Incompatible => "no common TLS",
            Self::Certificate(_) => "certificate not trusted",
            Self::Misbehaved | Self::Undecipherable | Self::Other => "TLS error",
        })
    }
}

/// What it means and what to do; its name stands before it.
impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTls => "what answers on this port speaks something else; try ws://",
            Self::Cut => "the server ended the connection within the handshake; does this port speak TLS?",
            Self::TimedOut => "the server did not end its handshake in time; does this port speak TLS?",
            Self::Alert(number) => alert(*number),
            Self::Incompatible => "there is no version, cipher or group that both sides can do",
            Self::Certificate(fault) => return fault.fmt(f),
            Self::Misbehaved => "the server did what TLS does not allow",
            Self::Undecipherable => "what came was changed on its way, or was not made with the right keys",
            Self::Other => "the connection cannot go on",
        })
    }
}

/// A socket's error can be one.
impl std::error::Error for TlsFault {}

/// What an alert is called (RFC 8446 §6), the ones that a server sends to a client without a certificate.
fn alert(number: u8) -> &'static str {
    match number {
        10 => "unexpected message",
        20 => "bad record MAC",
        22 => "record overflow",
        40 => "handshake failure: the server can do nothing that was offered",
        47 => "illegal parameter",
        50 => "decode error",
        51 => "decrypt error",
        70 => "the server speaks neither TLS 1.2 nor 1.3",
        71 => "insufficient security",
        80 => "internal error of the server",
        86 => "inappropriate fallback",
        109 => "missing extension",
        110 => "unsupported extension",
        112 => "the server does not know the name in the URL",
        116 => "the server wants a certificate of its clients, which this program does not have",
        120 => "the server does not speak HTTP/1.1",
        _ => "see RFC 8446 §6",
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, remedy) = match self {
            Self::UnknownIssuer => ("nobody who is trusted has signed it", "name its CA with --ca FILE"),
            Self::Expired => ("it has expired", "renew it"),
            Self::NotYetValid => ("it is not valid yet", "set the clocks right"),
            Self::OtherName => ("it is for other names than that in the URL", "connect by one of them"),
            Self::OfCa => {
                ("it is that of a CA, as `openssl req -x509` makes it", "sign another with it for the server")
            }
            Self::OtherPurpose => ("it is for other things than servers", "give the server another"),
            Self::Signature => ("its signature is wrong", "give the server another"),
            Self::Revoked => ("its issuer has taken it back", "give the server another"),
            Self::Unreadable => ("it cannot be read", "give the server another"),
            Self::Other => ("it breaks a rule of RFC 5280", "give the server another"),
        };
        write!(f, "{what}; {remedy}, or accept any with --insecure")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cause;
    use super::*;

    #[test]
    fn names() {
        let rows = [
            (
                Cause::Tls(TlsFault::NotTls),
                "no TLS",
                "no TLS: what answers on this port speaks something else; try ws://",
            ),
            (
                Cause::Tls(TlsFault::Alert(112)),
                "TLS alert 112",
                "TLS alert 112: the server does not know the name in the URL",
            ),
            (
                Cause::Tls(TlsFault::Certificate(CertificateFault::UnknownIssuer)),
                "certificate not trusted",
                "certificate not trusted: nobody who is trusted has signed it; \
                 name its CA with --ca FILE, or accept any with --insecure",
            ),
        ];
        for (cause, name, told) in rows {
            assert_eq!((cause.name().as_ref(), cause.to_string().as_str()), (name, told));
        }
    }
}
