//! A response's head, written (RFC 9112 §4, RFC 9110 §15).
//!
//! Must not know: where the content comes from, or how it gets to the client.

use std::time::{Duration, UNIX_EPOCH};

/// The statuses this server answers with (RFC 9110 §15, RFC 6585).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Status {
    Continue,
    SwitchingProtocols,
    Ok,
    NoContent,
    PartialContent,
    MovedPermanently,
    NotModified,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    PreconditionFailed,
    ContentTooLarge,
    TargetTooLong,
    RangeNotSatisfiable,
    ExpectationFailed,
    UpgradeRequired,
    TooManyRequests,
    HeadTooLarge,
    NotImplemented,
    ServiceUnavailable,
    VersionNotSupported,
}

impl Status {
    /// The number and the reason phrase.
    pub fn line(self) -> &'static str {
        match self {
            Self::Continue => "100 Continue",
            Self::SwitchingProtocols => "101 Switching Protocols",
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::PartialContent => "206 Partial Content",
            Self::MovedPermanently => "301 Moved Permanently",
            Self::NotModified => "304 Not Modified",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::Conflict => "409 Conflict",
            Self::PreconditionFailed => "412 Precondition Failed",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::TargetTooLong => "414 URI Too Long",
            Self::RangeNotSatisfiable => "416 Range Not Satisfiable",
            Self::ExpectationFailed => "417 Expectation Failed",
            Self::UpgradeRequired => "426 Upgrade Required",
            Self::TooManyRequests => "429 Too Many Requests",
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
            Self::NotImplemented => "501 Not Implemented",
            Self::ServiceUnavailable => "503 Service Unavailable",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    /// Whether another response follows it, or none of HTTP at all (RFC 9110 §15.2).
    fn is_interim(self) -> bool {
        matches!(self, Self::Continue | Self::SwitchingProtocols)
    }

    /// The number, as text.
    pub fn code(self) -> &'static str {
        &self.line()[..3]
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.code().parse().expect("a line begins with three digits")
    }
}

/// The methods that are taken here, for `Allow` (RFC 9110 §10.2.1).
pub const ALLOW: &str = "GET, HEAD, OPTIONS";

/// Whether the connection stays open behind the response (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// The next request may follow.
    KeepAlive,
    /// The server closes behind the response.
    Close,
}

/// Header lines that many responses have, made once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// Adds a header. The value is the server's own, or was checked: it holds no line end.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        push_header(&mut self.0, name, value);
        self
    }

    /// What they take in memory.
    pub fn bytes(&self) -> usize {
        self.0.capacity()
    }
}

fn push_header(to: &mut Vec<u8>, name: &str, value: &str) {
    debug_assert!(!value.contains(['\r', '\n']), "{name} would split the response");
    for part in [name, ": ", value, "\r\n"] {
        to.extend_from_slice(part.as_bytes());
    }
}

/// A response's head under construction.
#[derive(Debug)]
pub struct Head {
    bytes: Vec<u8>,
}

impl Head {
    /// Begins a head: the status line and, where RFC 9110 §6.6.1 wants it, the `Date`.
    pub fn new(status: Status, unix_seconds: u64) -> Self {
        let mut head = Self { bytes: Vec::with_capacity(512) };
        head.bytes.extend_from_slice(b"HTTP/1.1 ");
        head.bytes.extend_from_slice(status.line().as_bytes());
        head.bytes.extend_from_slice(b"\r\n");
        if status.is_interim() {
            return head;
        }
        head.header("Date", &date(unix_seconds))
    }

    /// Adds a header. The value is the server's own, or was checked: it holds no line end.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        push_header(&mut self.bytes, name, value);
        self
    }

    /// Adds headers that were made before.
    pub fn lines(mut self, lines: &Lines) -> Self {
        self.bytes.extend_from_slice(&lines.0);
        self
    }

    /// Says what becomes of the connection. That it stays open must be said to HTTP/1.0 alone (RFC 9112
    /// §C.2.2), and is to all.
    pub fn persistence(self, persistence: Persistence) -> Self {
        match persistence {
            Persistence::KeepAlive => self.header("Connection", "keep-alive"),
            Persistence::Close => self.header("Connection", "close"),
        }
    }

    /// The head's bytes, with the empty line.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes
    }

    /// The head's bytes, and a text as content: the whole response of one that says why.
    pub fn finish_with_text(self, text: &str, content: Content) -> Vec<u8> {
        self.finish_with("text/plain; charset=utf-8", &format!("{text}\n"), content)
    }

    /// The head's bytes, and a short content: the whole response.
    pub fn finish_with(self, content_type: &str, text: &str, content: Content) -> Vec<u8> {
        let length = text.len().to_string();
        let head = self.header("Content-Type", content_type).header("Content-Length", &length).finish();
        match content {
            Content::Sent => [&head, text.as_bytes()].concat(),
            Content::Omitted => head,
        }
    }
}

/// A date as HTTP writes it (RFC 9110 §5.6.7), of seconds since 1970. It has four digits for a year: what is later than
/// 9999, which a file system may say of a file, is the end of that.
pub fn date(unix_seconds: u64) -> String {
    const END_OF_9999: u64 = 253_402_300_799;
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix_seconds.min(END_OF_9999)))
}

/// Bytes of the content that [`Head::finish_with_text`] makes of a text.
pub fn text_bytes(text: &str) -> u64 {
    text.len() as u64 + 1
}

/// Whether a response's content follows its head: it does not for HEAD (RFC 9110 §9.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// It follows.
    Sent,
    /// The head describes it, and that is all.
    Omitted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_that_says_why() {
        let head =
            || Head::new(Status::NotFound, 784_111_777).header("X-Y", "z").persistence(Persistence::Close);
        let want = "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Y: z\r\n\
                    Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n";
        let text = |content| String::from_utf8(head().finish_with_text("gone", content)).expect("ASCII");
        assert_eq!(text(Content::Omitted), want);
        assert_eq!(text(Content::Sent), format!("{want}gone\n"));
    }

    #[test]
    fn a_date_has_an_end() {
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn an_interim_response_has_no_date() {
        assert_eq!(Head::new(Status::Continue, 0).finish(), b"HTTP/1.1 100 Continue\r\n\r\n");
    }
}
