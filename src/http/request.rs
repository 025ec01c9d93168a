//! A request's head, read off the front of what came in (RFC 9112 §2 to §6).
//!
//! [`parse`] is httparse and the rules it leaves to us: one `Host`, one length, a version, a target that
//! fits its method. Nothing is kept between calls: an incomplete head is `Ok(None)`, and the same bytes come
//! again with more behind them.
//!
//! Must not know: what is done with a request.

use super::Refusal;
use super::body::{self, Framing};
use super::headers::{Header, Headers, is_token};
use super::response::{Content, Status};
use super::target;
use crate::limits::{ASKED_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};
use std::borrow::Cow;

/// The methods that make a difference here (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The resource.
    Get,
    /// The resource without its content.
    Head,
    /// What may be asked for.
    Options,
    /// One that is known, and that nothing here takes.
    Other,
    /// One that is not known here.
    Unknown,
}

impl Method {
    fn parse(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "OPTIONS" => Self::Options,
            "POST" | "PUT" | "DELETE" | "PATCH" | "CONNECT" | "TRACE" => Self::Other,
            _ => Self::Unknown,
        }
    }

    /// What a response to it has (RFC 9110 §9.3.2).
    pub fn content(self) -> Content {
        match self {
            Self::Head => Content::Omitted,
            Self::Get | Self::Options | Self::Other | Self::Unknown => Content::Sent,
        }
    }
}

/// The version of the request (RFC 9112 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: closes after the response unless asked not to.
    Http10,
    /// HTTP/1.1: stays open unless asked not to.
    Http11,
}

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is wanted.
    pub method: Method,
    /// The same in the client's words.
    pub method_name: &'a str,
    /// The path and query, beginning with `/`, that of an absolute target as well; or `*`, with
    /// [`Method::Options`] alone.
    pub target: Cow<'a, str>,
    /// The host and port that were asked for: those of an absolute target, else of `Host`; may be empty.
    pub host: &'a str,
    /// HTTP/1.0 or 1.1.
    pub version: Version,
    /// All header lines in their order.
    pub headers: Headers<'a>,
    /// How long the body is that follows the head.
    pub body: Framing,
    /// The client waits for a `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    pub awaits_continue: bool,
}

/// A method and a path, without the query: that may hold what is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(Box<str>);

impl Asked {
    /// A method and the path of a target. Of a long one the end is left out: many may wait for their answers.
    pub fn new(method: &str, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let mut text = [method, " ", path].concat();
        if text.len() > ASKED_BYTES_MAX {
            let mut end = ASKED_BYTES_MAX;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
        }
        Self(text.into())
    }

    /// The method, in the client's words.
    pub fn method(&self) -> &str {
        self.0.split_once(' ').map_or(&self.0, |(method, _)| method)
    }

    /// The path as it was sent, cut where it is long.
    pub fn path(&self) -> &str {
        self.0.split_once(' ').map_or("", |(_, path)| path)
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// Reads a request's head off the front of `bytes`, and says how many bytes it took.
///
/// # Errors
/// What RFC 9112 does not allow, and what passes a limit. The connection is of no use after that: where the
/// next request begins is not known.
pub fn parse(bytes: &[u8]) -> Result<Option<(Request<'_>, usize)>, Refusal> {
    let mut lines = [httparse::EMPTY_HEADER; REQUEST_HEADERS_MAX];
    let mut raw = httparse::Request::new(&mut lines);
    let bounded = &bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)];
    let head_bytes = match raw.parse(bounded) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) if bytes.len() >= REQUEST_HEAD_BYTES_MAX => {
            return Err(too_long(bounded));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refuse(error)),
    };
    // httparse takes a bare LF for the end of a line. A recipient may (RFC 9112 §2.2); who smuggles
    // requests hopes for it.
    if has_bare_line_feed(&bytes[..head_bytes]) {
        return Err(Refusal::bad("a line ends without a carriage return"));
    }
    Request::check(&raw).map(|request| Some((request, head_bytes)))
}

/// RFC 9112 §3: it is the target that is too long when not even the request line has an end.
fn too_long(head: &[u8]) -> Refusal {
    match behind_empty_lines(head) {
        [] => Refusal::bad("there are empty lines and no request"),
        head if head.contains(&b'\n') => Refusal::new(Status::HeadTooLarge, "the headers are too long"),
        _ => Refusal::new(Status::TargetTooLong, "the request line is too long"),
    }
}

/// What the answer to a request may have whose head is wrong: that of a HEAD has no content, however wrong it
/// is.
pub fn content_of_refusal(bytes: &[u8]) -> Content {
    let bounded = &bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)];
    if behind_empty_lines(bounded).starts_with(b"HEAD ") { Content::Omitted } else { Content::Sent }
}

/// What a request asked for whose head is wrong, as far as its first line tells.
pub fn asked_for(bytes: &[u8]) -> Option<Asked> {
    let bounded = behind_empty_lines(&bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)]);
    let line = bounded.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let (method, rest) = str::from_utf8(line).ok()?.split_once(' ')?;
    let target = rest.split(' ').next().filter(|target| !target.is_empty())?;
    let is_clean = is_token(method.as_bytes()) && !target.contains(char::is_control);
    is_clean.then(|| Asked::new(method, target))
}

/// Not other white space: it is refused where it stands, and what follows it may not have come yet.
fn behind_empty_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(behind) = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n")) {
        bytes = behind;
    }
    bytes
}

impl<'a> Request<'a> {
    /// What httparse has split, against the rules that go beyond one line.
    fn check(raw: &httparse::Request<'_, 'a>) -> Result<Self, Refusal> {
        let method_name = raw.method.unwrap_or_default();
        let method = Method::parse(method_name);
        let version = match raw.version {
            Some(0) => Version::Http10,
            _ => Version::Http11,
        };
        if method_name == "CONNECT" {
            return Err(Refusal::new(Status::MethodNotAllowed, "this is no proxy"));
        }
        let (authority, mut target) = target::split(raw.path.unwrap_or_default())?;
        if target == "*" && method != Method::Options {
            return Err(Refusal::bad("the target * is for OPTIONS alone"));
        }
        // Without a path the root is meant; with OPTIONS, all of the server (RFC 9112 §3.2.4).
        if target.is_empty() {
            target = if method == Method::Options { "*".into() } else { "/".into() };
        }
        let headers: Headers<'_> =
            raw.headers.iter().map(|header| Header { name: header.name, value: header.value }).collect();
        let host = find_host(&headers, version)?;
        let body = Framing::parse(&headers)?;
        // RFC 9112 §6.1: whoever sent it cannot know the coding, so its framing is faulty.
        if version == Version::Http10 && headers.contains("transfer-encoding") {
            return Err(Refusal::bad("Transfer-Encoding in HTTP/1.0"));
        }
        let awaits_continue = version == Version::Http11 && body::awaits_continue(&headers)?;
        let host = authority.unwrap_or(host);
        Ok(Self { method, method_name, target, host, version, headers, body, awaits_continue })
    }

    /// What it asks for, as the log tells it.
    pub fn asked(&self) -> Asked {
        Asked::new(self.method_name, &self.target)
    }

    /// Whether the connection stays open behind the response (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        match self.version {
            _ if self.headers.has_token("connection", "close") => false,
            Version::Http10 => self.headers.has_token("connection", "keep-alive"),
            Version::Http11 => true,
        }
    }
}

/// RFC 9112 §3.2: one `Host`, always in HTTP/1.1, and a name or an address with a port or without.
fn find_host<'a>(headers: &Headers<'a>, version: Version) -> Result<&'a str, Refusal> {
    match headers.single("host")?.map(str::from_utf8) {
        None if version == Version::Http11 => Err(Refusal::bad("there is no Host")),
        None => Ok(""),
        // Empty: that of a target without a host of its own (RFC 9110 §7.2).
        Some(Ok(host)) if host.is_empty() || target::is_authority(host) => Ok(host),
        Some(_) => Err(Refusal::bad("Host is not a host")),
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
        assert_eq!((request.method, &*request.target, used), (Method::Get, "/a?b", wire.len() - 4));
        assert_eq!(request.headers.list("x").collect::<Vec<_>>(), [b"1", b"2", b"3"]);
        assert!(request.keeps_alive() && !request.awaits_continue && !request.body.has_body());
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
            ("space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Status::BadRequest),
            ("folded", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", Status::BadRequest),
            ("bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", Status::BadRequest),
            ("bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", Status::BadRequest),
            ("bare LF", "GET / HTTP/1.1\nHost: a\n\n", Status::BadRequest),
            ("NUL", "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", Status::BadRequest),
            ("HTTP/0.9", "GET /\r\n\r\n", Status::BadRequest),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Status::VersionNotSupported),
            ("asterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
            ("authority", "CONNECT h:443 HTTP/1.1\r\nHost: a\r\n\r\n", Status::MethodNotAllowed),
            ("expects", "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", Status::ExpectationFailed),
            ("two lengths", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n", Status::BadRequest),
            ("chunks in 1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Status::BadRequest),
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
        assert_eq!(status(&"\r\n".repeat(REQUEST_HEAD_BYTES_MAX)), Some(Status::BadRequest));
        let endless = format!("\r\nGET /{}", "x".repeat(REQUEST_HEAD_BYTES_MAX));
        assert_eq!(status(&endless), Some(Status::TargetTooLong));
    }

    #[test]
    fn targets() {
        let rows = [
            ("GET ws://one/a HTTP/1.1", "one", "/a"),
            ("GET /a HTTP/1.1", "two", "/a"),
            ("OPTIONS * HTTP/1.1", "two", "*"),
            ("OPTIONS http://one HTTP/1.1", "one", "*"),
            ("OPTIONS http://one/ HTTP/1.1", "one", "/"),
            ("GET http://one HTTP/1.1", "one", "/"),
            ("GET http://one?q HTTP/1.1", "one", "/?q"),
            ("OPTIONS /a HTTP/1.1", "two", "/a"),
        ];
        for (line, host, target) in rows {
            let wire = format!("{line}\r\nHost: two\r\n\r\n");
            let (request, _) = parse(wire.as_bytes()).expect("right").expect("complete");
            assert_eq!((request.host, &*request.target), (host, target), "{line}");
        }
    }

    #[test]
    fn what_was_asked_for_is_short_and_has_no_query() {
        let asked = |line: &str| {
            let wire = format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n");
            parse(wire.as_bytes()).expect("right").expect("complete").0.asked()
        };
        let short = asked("BREW http://h/a%20b?token=secret");
        assert_eq!((short.method(), short.path()), ("BREW", "/a%20b"));
        let long = asked(&format!("GET /{}", "é".repeat(ASKED_BYTES_MAX)));
        assert!(long.path().ends_with("é…") && long.bytes() < ASKED_BYTES_MAX + 4, "{}", long.bytes());
        let method = asked(&format!("{} /", "M".repeat(ASKED_BYTES_MAX + 1)));
        assert_eq!((method.method().len(), method.path()), (ASKED_BYTES_MAX + 3, ""));
    }

    #[test]
    fn a_wrong_head_tells_what_it_asked_for() {
        let rows = [
            ("GET /a?b HTTP/1.1\r\n\r\n", Some(("GET", "/a"))),
            ("\r\nGET /a", Some(("GET", "/a"))),
            ("BREW * x", Some(("BREW", "*"))),
            ("GET /", Some(("GET", "/"))),
            ("GET  /", None),
            ("GET /\x1b[31m HTTP/1.1", None),
            ("nonsense\r\n", None),
            ("\x16\x03\x01 \x02", None),
            ("", None),
        ];
        for (wire, want) in rows {
            let asked = asked_for(wire.as_bytes());
            assert_eq!(asked.as_ref().map(|asked| (asked.method(), asked.path())), want, "{wire:?}");
        }
        assert_eq!(asked_for(b"GET /\xff HTTP/1.1\r\n"), None);
    }

    #[test]
    fn continuing_is_for_those_who_know_it() {
        for (version, want) in [("1.0", false), ("1.1", true)] {
            let wire = format!("GET / HTTP/{version}\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
            let (request, _) = parse(wire.as_bytes()).expect("right").expect("complete");
            assert_eq!(request.awaits_continue, want, "{version}");
        }
    }

    #[test]
    fn a_wrong_head_has_an_answer_without_content_all_the_same() {
        for (wire, want) in [
            (" HEAD / HTTP/1.1", Content::Sent),
            ("HEAD / HTTP/3", Content::Omitted),
            ("\r\nHEAD * HTTP/1.1", Content::Omitted),
            ("HEADS", Content::Sent),
        ] {
            assert_eq!(content_of_refusal(wire.as_bytes()), want, "{wire}");
        }
        assert_eq!(content_of_refusal(b""), Content::Sent);
        let behind_the_limit = "\r\n".repeat(REQUEST_HEAD_BYTES_MAX / 2) + "HEAD / HTTP/1.1";
        assert_eq!(content_of_refusal(behind_the_limit.as_bytes()), Content::Sent, "it is not looked at");
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
