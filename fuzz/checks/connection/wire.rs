//! Everything that a server has written to one client, read back: responses, then frames.

use fanfare::http::response::Content;
use fanfare::message::Kind;
use fanfare::websocket::close;
use fanfare::websocket::codec::Codec;
use fanfare::websocket::frame::{Header, Opcode};
use std::collections::VecDeque;
use std::str;

/// What is to be on the wire.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The pages that were answered, in their order, and whether their content was wanted.
    pub(super) pages: VecDeque<Content>,
    /// The messages, in the order in which they were published and sent.
    pub(super) messages: VecDeque<(Kind, Vec<u8>)>,
    /// It was too slow: which messages are missing is not known here.
    pub(super) has_lost_some: bool,
    /// Everything was taken: nothing may end in its middle.
    pub(super) is_whole: bool,
}

/// A response, and where in the wire its content begins.
struct Response {
    status: u16,
    length: Option<usize>,
    closes: bool,
    head_bytes: usize,
}

impl Said {
    /// Reads the wire to its end.
    pub(super) fn check(mut self, written: &[u8]) {
        let mut wire = written;
        while !wire.is_empty() {
            let Some(response) = read_head(wire) else {
                assert!(!self.is_whole, "half a head: {:?}", wire.escape_ascii());
                return;
            };
            wire = &wire[response.head_bytes..];
            match response.status {
                100 => {}
                101 => return self.check_frames(wire),
                _ => wire = self.skip_content(&response, wire),
            }
        }
        assert!(!self.is_whole || self.pages.is_empty(), "{} pages were not answered", self.pages.len());
    }

    /// What follows the content, which is there as a whole or is the last that was written.
    fn skip_content<'w>(&mut self, response: &Response, wire: &'w [u8]) -> &'w [u8] {
        let length = match (response.status, response.length) {
            (204, None) => 0,
            (204, Some(_)) => panic!("a 204 has no length (RFC 9110 \u{a7}8.6)"),
            // Its length would be that of what is not sent.
            (304, None) => {
                assert!(self.pages.pop_front().is_some(), "nobody asked for this");
                0
            }
            (_, None) => panic!("where does the content of a {} end?", response.status),
            (_, Some(length)) => match self.pages.pop_front() {
                Some(Content::Sent) => length,
                Some(Content::Omitted) => 0,
                // A refusal, and the last response: whether it answers a HEAD only the request knows.
                None => {
                    assert!(response.status >= 400 && response.closes, "nobody asked for this");
                    if wire.is_empty() { 0 } else { length }
                }
            },
        };
        let rest = wire.get(length..).unwrap_or_default();
        assert!(!self.is_whole || wire.len() >= length, "{} of {length} bytes of content", wire.len());
        assert!(!response.closes || rest.is_empty(), "behind the last response: {:?}", rest.escape_ascii());
        rest
    }

    /// Unmasked, whole messages, in the order in which they were made; behind a Close nothing but pongs.
    fn check_frames(mut self, mut wire: &[u8]) {
        let mut is_closed = false;
        let codec = Codec::default();
        while let Some((header, is_compressed, rest)) = self.read_header(wire) {
            let Header { fin, opcode, masking_key, length } = header;
            assert!(fin && masking_key.is_none(), "{header:?} is no server's");
            assert!(!opcode.is_control() || length <= 125);
            assert!(!is_closed || opcode == Opcode::Pong, "{opcode:?} behind a Close");
            let length = usize::try_from(length).expect("as long as it is");
            let Some((payload, rest)) = rest.split_at_checked(length) else {
                assert!(!self.is_whole, "{} of {length} bytes of a payload", rest.len());
                return;
            };
            let inflated;
            let mut payload = payload;
            if is_compressed {
                inflated = codec.inflate(payload, usize::MAX).expect("it was deflated");
                payload = &inflated;
            }
            match opcode {
                Opcode::Text => self.check_message(Kind::Text, payload),
                Opcode::Binary => self.check_message(Kind::Binary, payload),
                Opcode::Close => {
                    assert!(close::parse(payload).is_ok(), "Close with {:?}", payload.escape_ascii());
                    is_closed = true;
                }
                Opcode::Ping | Opcode::Pong => {}
                Opcode::Continuation => panic!("a server sends no fragments"),
            }
            wire = rest;
        }
        if self.is_whole && !self.has_lost_some {
            assert!(self.messages.is_empty(), "{} messages did not come", self.messages.len());
        }
    }

    fn read_header<'w>(&self, wire: &'w [u8]) -> Option<(Header, bool, &'w [u8])> {
        match Header::parse_compressible(wire).expect("a right header") {
            Some((header, used, is_compressed)) => Some((header, is_compressed, &wire[used..])),
            None => {
                assert!(!self.is_whole || wire.is_empty(), "half a header");
                None
            }
        }
    }

    fn check_message(&mut self, kind: Kind, payload: &[u8]) {
        assert!(kind == Kind::Binary || str::from_utf8(payload).is_ok(), "text is UTF-8");
        if !self.has_lost_some {
            let (want_kind, want) = self.messages.pop_front().expect("nobody said this");
            assert!(kind == want_kind && payload == want, "messages come in the order they were made in");
        }
    }
}

/// The same without the responses that only say to go on.
pub(super) fn without_interim(written: &[u8]) -> Vec<u8> {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut rest = written;
    let mut kept = Vec::new();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(CONTINUE) {
            rest = behind;
            continue;
        }
        let next = rest[1..].iter().position(|&byte| byte == CONTINUE[0]).map_or(rest.len(), |at| at + 1);
        kept.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    kept
}

/// The same without pongs: how many there are depends on when the client takes them (RFC 6455 §5.5.3).
pub(super) fn without_pongs(wire: &[u8]) -> Vec<u8> {
    let find = |text: &[u8], from: usize| {
        wire[from..].windows(text.len()).position(|part| part == text).map(|at| from + at + text.len())
    };
    let frames = find(b"HTTP/1.1 101", 0).and_then(|head| find(b"\r\n\r\n", head));
    let Some(mut at) = frames else { return wire.to_vec() };
    let mut kept = wire[..at].to_vec();
    while let Some((header, used, _)) =
        Header::parse_compressible(&wire[at..]).expect("a server's frame is right")
    {
        let length = usize::try_from(header.length).expect("a frame fits the memory");
        let end = (at + used + length).min(wire.len());
        if header.opcode != Opcode::Pong {
            kept.extend_from_slice(&wire[at..end]);
        }
        at = end;
    }
    kept.extend_from_slice(&wire[at..]);
    kept
}

fn read_head(wire: &[u8]) -> Option<Response> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let head_bytes = match head.parse(wire).expect("a head that parses") {
        httparse::Status::Complete(head_bytes) => head_bytes,
        httparse::Status::Partial => return None,
    };
    let status = head.code.expect("complete");
    let value = |name: &str| {
        let mut values = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        values.next().map(|header| str::from_utf8(header.value).expect("ASCII"))
    };
    let is_interim = status < 200;
    assert_eq!(head.version, Some(1), "a server of HTTP/1.1");
    assert_eq!(value("date").is_none(), is_interim, "a final response has its date");
    let length = value("content-length").map(|digits| digits.parse().expect("a number"));
    let closes = head.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("connection") && header.value.eq_ignore_ascii_case(b"close")
    });
    Some(Response { status, length, closes, head_bytes })
}
