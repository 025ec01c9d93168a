//! A request's head, read off the front of what came in (RFC 9112 §2 to §6).
//!
//! [`parse`] is httparse and the rules it leaves to us: one `Host`, one length, a version, a target that
//! is a path. Nothing is kept between calls: an incomplete head is `Ok(None)`, and the same bytes come
//! again with more behind them.
//!
//! Must not know: what is done with a request.

use super::Refusal;
use super::response::Status;
use crate::limits::{REQUEST_BODY_SKIPPED_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};

/// The methods that make a difference here (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The resource.
    Get,
    /// The resource without its content.
    Head,
    /// Any other.
    Other,
}

/// The version of the request (RFC 9112 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: closes after the response unless asked not to.
    Http10,
    /// HTTP/1.1: stays open unless asked not to.
    Http11,
}

/// One header line; the name as the client wrote it, the value without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Compare it without case.
    pub name: &'a str,
    /// Any bytes but control characters.
    pub value: &'a [u8],
}

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is wanted.
    pub method: Method,
    /// The path and query, beginning with `/`; that of an absolute target as well.
    pub target: &'a str,
    /// The host and port that were asked for: those of an absolute target, else of `Host`; may be empty.
    pub host: &'a str,
    /// HTTP/1.0 or 1.1.
    pub version: Version,
    /// All header lines in their order.
    pub headers: Vec<Header<'a>>,
    /// Bytes of body that follow the head.
    pub body_bytes: u64,
}

/// Reads a request's head off the front of `bytes`, and says how many bytes it took.
///
/// # Errors
/// What RFC 9112 does not allow, and what passes a limit. The connection is of no use after that: where the
/// next request begins is not known.
pub fn parse(bytes: &[u8]) -> Result<Option<(Request<'_>, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; REQUEST_HEADERS_MAX];
    let mut raw = httparse::Request::new(&mut headers);
    let bounded = &bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)];
    let head_bytes = match raw.parse(bounded) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) if bytes.len() >= REQUEST_HEAD_BYTES_MAX => {
            return Err(Refusal::new(Status::HeadTooLarge, "the request line and headers are too long"));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refuse(error)),
    };
    // httparse takes a bare LF for the end of a line. A recipient may (RFC 9112 §2.2); who smuggles
    // requests hopes for it.
    if has_bare_line_feed(&bytes[..head_bytes]) {
        return Err(Refusal::bad("a line ends without a carriage return"));
    }
    let version = match raw.version {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    };
    let method = match raw.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        _ => Method::Other,
    };
    let headers: Vec<_> =
        raw.headers.iter().map(|header| Header { name: header.name, value: header.value }).collect();
    let mut request = Request { method, target: "/", host: "", version, headers, body_bytes: 0 };
    let (authority, target) = split_target(raw.path.unwrap_or("/"))?;
    request.target = target;
    request.host = authority.unwrap_or(request.find_host()?);
    request.body_bytes = request.find_body_bytes()?;
    Ok(Some((request, head_bytes)))
}

impl<'a> Request<'a> {
    /// The values of all header lines of one name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    }

    /// The value of a header that may be there once.
    ///
    /// # Errors
    /// When it is there twice.
    pub fn single(&self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Refusal::bad("a header that may be there once is there twice")),
            None => Ok(first),
        }
    }

    /// The members of a list, over all header lines of one name (RFC 9110 §5.6.1).
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }

    /// Whether a token is a member of a list, without case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether the connection stays open behind the response (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        match self.version {
            _ if self.has_token("connection", "close") => false,
            Version::Http10 => self.has_token("connection", "keep-alive"),
            Version::Http11 => true,
        }
    }

    /// RFC 9112 §3.2: one `Host`, always in HTTP/1.1, and a name or an address with a port or without.
    fn find_host(&self) -> Result<&'a str, Refusal> {
        match self.single("host")?.map(str::from_utf8) {
            None if self.version == Version::Http11 => Err(Refusal::bad("there is no Host")),
            None => Ok(""),
            Some(Ok(host)) if host.bytes().all(is_authority_byte) => Ok(host),
            Some(_) => Err(Refusal::bad("Host is not a host")),
        }
    }

    /// RFC 9112 §6: how long the body is. One that takes long to say so is refused: none is wanted here.
    fn find_body_bytes(&self) -> Result<u64, Refusal> {
        if self.values("transfer-encoding").next().is_some() {
            return Err(Refusal::new(Status::NotImplemented, "a body in transfer encoding is not taken"));
        }
        let mut lengths = self.list("content-length");
        let Some(first) = lengths.next() else {
            return match self.values("content-length").next() {
                Some(_) => Err(Refusal::bad("Content-Length is no number")),
                None => Ok(0),
            };
        };
        if lengths.any(|other| other != first) {
            return Err(Refusal::bad("two lengths that differ"));
        }
        if !first.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::bad("Content-Length is no number"));
        }
        let length =
            std::str::from_utf8(first).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
        if length > REQUEST_BODY_SKIPPED_MAX {
            return Err(Refusal::new(Status::ContentTooLarge, "the body is too long"));
        }
        Ok(length)
    }
}

fn refuse(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(Status::HeadTooLarge, "too many headers"),
        httparse::Error::Version => Refusal::new(Status::VersionNotSupported, "not HTTP/1.0 or HTTP/1.1"),
        httparse::Error::HeaderName => Refusal::bad("a header name is wrong"),
        httparse::Error::HeaderValue => Refusal::bad("a header value is wrong"),
        httparse::Error::NewLine => Refusal::bad("a line end is wrong"),
        httparse::Error::Token | httparse::Error::Status => Refusal::bad("not a request line"),
    }
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    // Empty lines before the request line are allowed, and their ends count as well.
    let mut before = 0;
    head.iter().any(|&byte| {
        let bare = byte == b'\n' && before != b'\r';
        before = byte;
        bare
    })
}

/// RFC 9112 §3.2: the authority of a target in absolute form, and the path and query of either form.
fn split_target(target: &str) -> Result<(Option<&str>, &str), Refusal> {
    if target.starts_with('/') {
        return Ok((None, target));
    }
    let lower =
        |prefix: &str| target.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let scheme = ["http://", "https://", "ws://", "wss://"].into_iter().find(|scheme| lower(scheme));
    let Some(scheme) = scheme else { return Err(Refusal::bad("the target is no path")) };
    let rest = &target[scheme.len()..];
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.is_empty() || !authority.bytes().all(is_authority_byte) {
        return Err(Refusal::bad("the target has no host"));
    }
    match path.as_bytes().first() {
        None => Ok((Some(authority), "/")),
        Some(b'/') => Ok((Some(authority), path)),
        Some(_) => Err(Refusal::bad("the target has no path")),
    }
}

fn is_authority_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(wire: &str) -> Option<Status> {
        parse(wire.as_bytes()).err().map(|refusal| refusal.status)
    }

    #[test]
    fn a_request() {
        let wire = b"\r\nGET /a?b HTTP/1.1\r\nHost: h:1\r\nX: 1 , ,2\r\nx:3\r\n\r\nrest";
        let (request, used) = parse(wire).expect("right").expect("complete");
        assert_eq!((request.method, request.target, used), (Method::Get, "/a?b", wire.len() - 4));
        assert_eq!(request.list("x").collect::<Vec<_>>(), [b"1", b"2", b"3"]);
        assert!(request.keeps_alive());
        for cut in 0..used {
            assert_eq!(parse(&wire[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn refused() {
        let rows = [
            ("no host", "GET / HTTP/1.1\r\n\r\n", Status::BadRequest),
            ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Status::BadRequest),
            ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Status::BadRequest),
            ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", Status::BadRequest),
            ("folded", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", Status::BadRequest),
            ("bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", Status::BadRequest),
            ("bare LF", "GET / HTTP/1.1\nHost: a\n\n", Status::BadRequest),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Status::VersionNotSupported),
            ("asterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
            ("two lengths", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n", Status::BadRequest),
            ("no length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", Status::BadRequest),
            ("signed length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", Status::BadRequest),
            (
                "long",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
                Status::ContentTooLarge,
            ),
            (
                "chunked",
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                Status::NotImplemented,
            ),
        ];
        for (name, wire, want) in rows {
            assert_eq!(status(wire), Some(want), "{name}");
        }
    }

    #[test]
    fn the_head_has_a_limit() {
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(REQUEST_HEAD_BYTES_MAX));
        assert_eq!(status(&long), Some(Status::HeadTooLarge));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(REQUEST_HEADERS_MAX + 1));
        assert_eq!(status(&many), Some(Status::HeadTooLarge));
    }

    #[test]
    fn absolute_targets() {
        let split = |target| split_target(target).map_err(|refusal| refusal.status);
        assert_eq!(split("/a?b"), Ok((None, "/a?b")));
        assert_eq!(split("http://h:1/a?b"), Ok((Some("h:1"), "/a?b")));
        assert_eq!(split("HTTP://h"), Ok((Some("h"), "/")));
        for target in ["ftp://h/", "h:443", "http:///x", "http://h?q", "*"] {
            assert_eq!(split(target), Err(Status::BadRequest), "{target}");
        }
        let wire = b"GET ws://one/ HTTP/1.1\r\nHost: two\r\n\r\n";
        let (request, _) = parse(wire).expect("right").expect("complete");
        assert_eq!(request.host, "one", "the target's host replaces Host");
    }

    #[test]
    fn staying_open() {
        let rows = [
            ("1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("1.1 close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: Close\r\n\r\n", false),
            ("1.0", "GET / HTTP/1.0\r\n\r\n", false),
            ("1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ];
        for (name, wire, want) in rows {
            let (request, _) = parse(wire.as_bytes()).expect("right").expect("complete");
            assert_eq!(request.keeps_alive(), want, "{name}");
        }
    }
}
