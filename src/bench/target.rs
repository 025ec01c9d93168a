//! The URL of a server under test: `ws://host:port/path?query`, `wss://` for TLS, `ws+unix:SOCKET:/path`.
//!
//! [`Target::parse`] reads one (RFC 6455 §3, RFC 3986). Of the path and the query it makes what browsers
//! make: what may not stand in a request line is percent-encoded.
//!
//! Must not know: which addresses a host name has.
//!
//! Invariant: [`Target::path`] begins with a slash and is visible ASCII; `authority` is as well.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// A server, and what to ask it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was typed, fit to be shown: see [`shown`].
    pub(crate) url: String,
    /// Where it listens.
    pub(crate) address: Address,
    /// Whether it speaks TLS there; not on a Unix socket.
    pub(crate) is_tls: bool,
    /// What the `Host` header says (RFC 9110 §7.2).
    pub(crate) authority: String,
    /// Path and query, as they stand in the request line.
    pub(crate) path: String,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A name or an address, that of IPv6 without brackets, and a port.
    Tcp { host: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
}

/// The longest URL, in bytes. Encoded it still fits into the head of a request.
pub(crate) const URL_BYTES_MAX: usize = 4 * 1024;

/// The ports that go without saying (RFC 6455 §3), without TLS and with it.
const PORT_DEFAULT: u16 = 80;
const PORT_DEFAULT_TLS: u16 = 443;

/// What may stand neither in a path nor in a query (RFC 3986 §3.3, §3.4). Brackets may not either, but
/// browsers leave them, and so does this. A percent sign is taken for the beginning of an escape.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Parameters of a query whose values are nobody's business.
const SECRETS: [&str; 2] = ["token", "access_token"];

/// A text that is no URL of a server to put load on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// Longer than [`URL_BYTES_MAX`].
    TooLong,
    /// A control character; browsers would drop some of them.
    ControlCharacter { url: String },
    /// Nothing that says how to connect, and the URL that was meant, if one can be made of it.
    NoScheme { url: String, meant: Option<String> },
    /// `http://` or `https://`, and the URL that was meant.
    Http { url: String, meant: String },
    /// `wss+unix:`, and the URL without TLS.
    TlsOnUnix { meant: String },
    /// Neither of the forms.
    Form { url: String },
    /// A name or a password in front of the host. RFC 6455 §3 has none, and it would be in every report.
    UserInfo,
    /// RFC 6455 §3.
    Fragment,
    /// No name, no IPv4 address, and no IPv6 address in brackets.
    Host { host: String },
    /// No number from 1 to 65535.
    Port { port: String },
    /// No path of a Unix socket.
    NoSocket,
}

const FORMS: &str = "ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or ws+unix:SOCKET:/PATH";

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the URL is longer than {URL_BYTES_MAX} bytes"),
            Self::ControlCharacter { url } => {
                write!(f, "the URL {url:?} has a control character; leave it out or percent-encode it")
            }
            Self::NoScheme { url, meant: Some(meant) } => {
                write!(f, "the URL {url:?} has no scheme; type {}", meant.escape_debug())
            }
            Self::Http { url, meant } => {
                write!(f, "the URL {url:?} is not of a WebSocket; did you mean {}?", meant.escape_debug())
            }
            Self::TlsOnUnix { meant } => {
                write!(f, "there is no TLS on a Unix socket here; type {}", meant.escape_debug())
            }
            Self::NoScheme { url, meant: None } | Self::Form { url } => {
                write!(f, "the URL takes the form {FORMS}, not {url:?}")
            }
            Self::UserInfo => f.write_str(
                "the URL has a user name, which a WebSocket does not know; \
                 say who you are with --token or --header",
            ),
            Self::Fragment => f.write_str(
                "the URL has a fragment, which a WebSocket does not know; leave it out, or write # as %23",
            ),
            Self::Host { host } => write!(
                f,
                "the URL takes a host name, an IPv4 address or an IPv6 address in brackets, not {host:?}"
            ),
            Self::Port { port } => write!(f, "the URL takes a port from 1 to 65535, not {port:?}"),
            Self::NoSocket => f.write_str("the URL names no Unix socket; type ws+unix:SOCKET:/PATH"),
        }
    }
}

impl std::error::Error for UrlError {}

impl Target {
    /// Reads a URL.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        if text.contains(char::is_control) {
            return Err(UrlError::ControlCharacter { url: shown(text) });
        }
        let Some((scheme, rest)) = text.split_once(':') else { return Err(no_scheme(text)) };
        match (&*scheme.to_ascii_lowercase(), rest.strip_prefix("//")) {
            ("ws", Some(rest)) => tcp(text, rest, false),
            ("wss", Some(rest)) => tcp(text, rest, true),
            ("ws+unix", _) => unix(text, rest),
            ("wss+unix", _) => Err(UrlError::TlsOnUnix { meant: shown(&format!("ws+unix:{rest}")) }),
            ("http", Some(rest)) => Err(http(text, "ws", rest)),
            ("https", Some(rest)) => Err(http(text, "wss", rest)),
            ("ws" | "wss", None) | (_, Some(_)) => Err(UrlError::Form { url: shown(text) }),
            // Of `localhost:9999` the name looks like a scheme.
            (_, None) => Err(no_scheme(text)),
        }
    }
}

/// A URL as it may be shown: without the secrets in its query.
pub(crate) fn shown(url: &str) -> String {
    let Some((before, query)) = url.split_once('?') else { return url.to_owned() };
    let is_secret = |name: &str| SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    format!("{before}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// `text` is the whole URL, `rest` what follows `ws://` or `wss://`.
fn tcp(text: &str, rest: &str, is_tls: bool) -> Result<Target, UrlError> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    let default = if is_tls { PORT_DEFAULT_TLS } else { PORT_DEFAULT };
    let (host, port) = host_and_port(authority, default)?;
    let path = request_path(path)?;
    // The port that goes without saying is not said (RFC 6455 §4.1).
    let authority = if port == default { host.clone() } else { format!("{host}:{port}") };
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok(Target { url: shown(text), address: Address::Tcp { host, port }, is_tls, authority, path })
}

/// `text` is the whole URL, `rest` what follows `ws+unix:`. The socket ends at the last colon before a slash,
/// if there is one; a query may have more of them.
fn unix(text: &str, rest: &str) -> Result<Target, UrlError> {
    let socket_and_path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let end = socket_and_path.rfind(":/").unwrap_or(socket_and_path.len());
    let (socket, path) = rest.split_at(end);
    if socket.is_empty() {
        return Err(UrlError::NoSocket);
    }
    Ok(Target {
        url: shown(text),
        address: Address::Unix(socket.into()),
        is_tls: false,
        authority: "localhost".to_owned(),
        path: request_path(path.strip_prefix(':').unwrap_or(path))?,
    })
}

/// The host in lower case, an IPv6 address in its brackets, and the port.
fn host_and_port(authority: &str, default: u16) -> Result<(String, u16), UrlError> {
    let wrong_host = || UrlError::Host { host: authority.to_owned() };
    let (host, rest) = match authority.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => authority.split_at(end + 2),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_right = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name_byte) && rest.matches(':').count() < 2,
    };
    if !is_right {
        return Err(wrong_host());
    }
    let port = match rest {
        // A colon alone is no port as well (RFC 3986 §3.2.3).
        "" | ":" => default,
        rest => port(rest.strip_prefix(':').ok_or_else(wrong_host)?)?,
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn port(text: &str) -> Result<u16, UrlError> {
    // `parse` alone would let a plus sign through.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0);
    port.ok_or_else(|| UrlError::Port { port: text.to_owned() })
}

/// What follows the host, as it stands in a request line.
fn request_path(text: &str) -> Result<String, UrlError> {
    if text.contains('#') {
        return Err(UrlError::Fragment);
    }
    let slash = if text.starts_with('/') { "" } else { "/" };
    Ok(format!("{slash}{}", utf8_percent_encode(text, ENCODED)))
}

/// The URL that was meant is only made if it is one.
fn no_scheme(text: &str) -> UrlError {
    let begins = match text {
        text if text.starts_with("//") => "ws:",
        text if text.starts_with('/') => "ws+unix:",
        _ => "ws://",
    };
    let meant = format!("{begins}{text}");
    let meant = Target::parse(&meant).is_ok().then(|| shown(&meant));
    UrlError::NoScheme { url: shown(text), meant }
}

/// `rest` is what follows `http://`.
fn http(text: &str, scheme: &str, rest: &str) -> UrlError {
    UrlError::Http { url: shown(text), meant: shown(&format!("{scheme}://{rest}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_tcp(url: &str, host: &str, port: u16, authority: &str, path: &str) -> Target {
        let address = Address::Tcp { host: host.to_owned(), port };
        Target {
            url: url.to_owned(),
            address,
            is_tls: url.starts_with("wss"),
            authority: authority.to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn servers_on_ports() {
        for (url, host, port, authority, path) in [
            ("ws://localhost", "localhost", 80, "localhost", "/"),
            ("ws://localhost/", "localhost", 80, "localhost", "/"),
            ("ws://localhost:9999/", "localhost", 9999, "localhost:9999", "/"),
            ("WS://LocalHost:9999/Chat?A", "localhost", 9999, "localhost:9999", "/Chat?A"),
            ("ws://a.example:80/x", "a.example", 80, "a.example", "/x"),
            ("ws://a.example:/x", "a.example", 80, "a.example", "/x"),
            ("ws://a_b-c.example:0080", "a_b-c.example", 80, "a_b-c.example", "/"),
            ("ws://127.0.0.1:65535/echo", "127.0.0.1", 65_535, "127.0.0.1:65535", "/echo"),
            ("ws://[::1]:9999/", "::1", 9999, "[::1]:9999", "/"),
            ("ws://[2001:DB8::1]", "2001:db8::1", 80, "[2001:db8::1]", "/"),
            ("ws://[::ffff:10.0.0.1]:81?q", "::ffff:10.0.0.1", 81, "[::ffff:10.0.0.1]:81", "/?q"),
            ("wss://a.example/x", "a.example", 443, "a.example", "/x"),
            ("wss://a.example:443/x", "a.example", 443, "a.example", "/x"),
            ("wss://a.example:80/x", "a.example", 80, "a.example:80", "/x"),
            ("ws://a.example:443/x", "a.example", 443, "a.example:443", "/x"),
            ("wss://[::1]:9999?q", "::1", 9999, "[::1]:9999", "/?q"),
            ("ws://h?", "h", 80, "h", "/?"),
            ("ws://h?a=b/c:d@e", "h", 80, "h", "/?a=b/c:d@e"),
            ("ws://h//a/../b;c=1,2", "h", 80, "h", "//a/../b;c=1,2"),
            ("ws://h/a b?c d", "h", 80, "h", "/a%20b?c%20d"),
            ("ws://h/\u{e9}?\u{4e2d}", "h", 80, "h", "/%C3%A9?%E4%B8%AD"),
            ("ws://h/a%20%zz%", "h", 80, "h", "/a%20%zz%"),
            (r#"ws://h/"<>\^`{|}"#, "h", 80, "h", "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
            ("ws://h/!$&'()*+,-.:;=@_~[]", "h", 80, "h", "/!$&'()*+,-.:;=@_~[]"),
        ] {
            assert_eq!(Target::parse(url), Ok(of_tcp(url, host, port, authority, path)), "{url}");
        }
    }

    #[test]
    fn servers_on_unix_sockets() {
        for (url, socket, path) in [
            ("ws+unix:/run/x.sock:/path", "/run/x.sock", "/path"),
            ("ws+unix:/run/x.sock:/", "/run/x.sock", "/"),
            ("ws+unix:/run/x.sock", "/run/x.sock", "/"),
            ("WS+Unix:/run/x.sock?q", "/run/x.sock", "/?q"),
            ("ws+unix:/run/x.sock:/a?b=http://c:/d", "/run/x.sock", "/a?b=http://c:/d"),
            ("ws+unix:/run/x.sock?b=c:/d", "/run/x.sock", "/?b=c:/d"),
            ("ws+unix:/run/a:/b.sock:/c", "/run/a:/b.sock", "/c"),
            ("ws+unix:/run/a:b.sock", "/run/a:b.sock", "/"),
            ("ws+unix:x.sock:/a b", "x.sock", "/a%20b"),
            ("ws+unix:///run/x.sock:/", "///run/x.sock", "/"),
            ("ws+unix:/run/a b\u{e9}%20.sock:/", "/run/a b\u{e9}%20.sock", "/"),
        ] {
            let want = Target {
                url: url.to_owned(),
                address: Address::Unix(socket.into()),
                is_tls: false,
                authority: "localhost".to_owned(),
                path: path.to_owned(),
            };
            assert_eq!(Target::parse(url), Ok(want), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_with_it() {
        let forms = |url: &str| format!("the URL takes the form {FORMS}, not {url:?}");
        let host = |host: &str| {
            let takes = "a host name, an IPv4 address or an IPv6 address in brackets";
            format!("the URL takes {takes}, not {host:?}")
        };
        let port = |port: &str| format!("the URL takes a port from 1 to 65535, not {port:?}");
        let scheme = |url: &str, meant: &str| format!("the URL {url:?} has no scheme; type {meant}");
        let fragment =
            "the URL has a fragment, which a WebSocket does not know; leave it out, or write # as %23";
        let tls = |meant: &str| format!("there is no TLS on a Unix socket here; type {meant}");
        let user = "the URL has a user name, which a WebSocket does not know; \
                    say who you are with --token or --header";
        let http =
            |url: &str, meant: &str| format!("the URL {url:?} is not of a WebSocket; did you mean {meant}?");
        for (url, want) in [
            ("", forms("")),
            ("localhost", scheme("localhost", "ws://localhost")),
            ("localhost:9999", scheme("localhost:9999", "ws://localhost:9999")),
            ("127.0.0.1:9999/a", scheme("127.0.0.1:9999/a", "ws://127.0.0.1:9999/a")),
            ("[::1]:9999", scheme("[::1]:9999", "ws://[::1]:9999")),
            ("//h:1/", scheme("//h:1/", "ws://h:1/")),
            ("/run/x.sock:/", scheme("/run/x.sock:/", "ws+unix:/run/x.sock:/")),
            ("h?token=abc", scheme("h?token=***", "ws://h?token=***")),
            (":9999", forms(":9999")),
            ("9999 ", forms("9999 ")),
            ("ws:h", forms("ws:h")),
            ("ws:/h", forms("ws:/h")),
            ("ftp://h/", forms("ftp://h/")),
            (" ws://h/", forms(" ws://h/")),
            ("http:h", forms("http:h")),
            ("http://h:9999/a", http("http://h:9999/a", "ws://h:9999/a")),
            ("HTTPS://h", http("HTTPS://h", "wss://h")),
            ("wss:h", forms("wss:h")),
            ("WSS://", host("")),
            ("wss://h:0/", port("0")),
            ("wss://h/#", fragment.to_owned()),
            ("wss://user:word@h/", user.to_owned()),
            ("wss+unix:/run/x.sock?token=a", tls("ws+unix:/run/x.sock?token=***")),
            ("ws://user:word@h/", user.to_owned()),
            ("ws://@h", user.to_owned()),
            ("ws://h/#", fragment.to_owned()),
            ("ws://h#a", fragment.to_owned()),
            ("ws://h/?a#b", fragment.to_owned()),
            ("ws+unix:/run/x.sock#a", fragment.to_owned()),
            ("ws+unix:/run/x.sock:/a#b", fragment.to_owned()),
            ("ws://", host("")),
            ("ws:///path", host("")),
            ("ws://:9999/", host(":9999")),
            ("ws://::1/", host("::1")),
            ("ws://fe80::1:9999/", host("fe80::1:9999")),
            ("ws://[::1/", host("[::1")),
            ("ws://[::1]9999/", host("[::1]9999")),
            ("ws://[fe80::1%25eth0]/", host("[fe80::1%25eth0]")),
            ("ws://[1.2.3.4]/", host("[1.2.3.4]")),
            ("ws://a b/", host("a b")),
            ("ws://m\u{fc}nchen.example/", host("m\u{fc}nchen.example")),
            ("ws://*:9999/", host("*:9999")),
            ("ws://h:0/", port("0")),
            ("ws://h:65536/", port("65536")),
            ("ws://h:+1/", port("+1")),
            ("ws://h:http/", port("http")),
            ("ws://[::1]:1:2/", port("1:2")),
            ("ws+unix:", "the URL names no Unix socket; type ws+unix:SOCKET:/PATH".to_owned()),
            ("ws+unix::/path", "the URL names no Unix socket; type ws+unix:SOCKET:/PATH".to_owned()),
            (
                "ws://h/\r\nHost: x",
                r#"the URL "ws://h/\r\nHost: x" has a control character; leave it out or percent-encode it"#
                    .to_owned(),
            ),
        ] {
            let error = Target::parse(url).expect_err(url).to_string();
            assert_eq!(error, want, "{url}");
        }
    }

    #[test]
    fn no_longer_than_the_limit() {
        let url = |bytes: usize| format!("ws://h/{}", "a".repeat(bytes - "ws://h/".len()));
        assert!(Target::parse(&url(URL_BYTES_MAX)).is_ok());
        assert_eq!(Target::parse(&url(URL_BYTES_MAX + 1)), Err(UrlError::TooLong));
        assert_eq!(UrlError::TooLong.to_string(), "the URL is longer than 4096 bytes");
    }

    #[test]
    fn secrets_are_sent_and_not_shown() {
        for (url, want) in [
            ("ws://h/a?token=abc", "ws://h/a?token=***"),
            ("ws://h?a=1&Token=a=b&c", "ws://h?a=1&Token=***&c"),
            ("ws://h?access_token=x&token=", "ws://h?access_token=***&token=***"),
            ("ws+unix:x?token=y", "ws+unix:x?token=***"),
            ("ws://h/token=abc?tokens=1&token&atoken=2", "ws://h/token=abc?tokens=1&token&atoken=2"),
        ] {
            let target = Target::parse(url).expect(url);
            assert_eq!(target.url, want);
            assert!(url.ends_with(target.path.trim_start_matches('/')), "{url} asks for {}", target.path);
        }
    }

    proptest! {
        /// Whatever is typed: what comes of it fits a request line, or one line on a terminal.
        #[test]
        fn nothing_raw_comes_through(
            begins in prop::sample::select(vec!["", "ws://", "wss://h", "ws+unix:", "wss+unix:", "http://", "ws://["]),
            rest in ".*|[a:/?#@%\\[\\] ]*|\\PC*",
        ) {
            match Target::parse(&format!("{begins}{rest}")) {
                Ok(target) => {
                    prop_assert!(target.path.starts_with('/'));
                    let sent = [target.path, target.authority].concat();
                    prop_assert!(sent.bytes().all(|byte| byte.is_ascii_graphic()), "{sent:?}");
                }
                Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
            }
        }
    }
}
