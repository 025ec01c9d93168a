//! A client that says exactly the bytes it is told to, and reads responses and frames off its socket.
//!
//! It checks what every client may rely on: a server's frames are unmasked, and no reserved bit is set.

use crate::support::{DEADLINE, retry};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The key of RFC 6455 §1.3, and what it must be answered with.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The masking key of the examples in RFC 6455 §5.7.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An offer of permessage-deflate.
pub(crate) const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// A right handshake for a path, with more header lines if there are any, each with its line end.
pub(crate) fn handshake(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

/// A frame, of either side.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, opcode, payload: payload.into() }
    }

    pub(crate) fn text(payload: &str) -> Self {
        Self::new(TEXT, payload)
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    /// A fragment that is not the last.
    pub(crate) fn begun(opcode: u8, payload: &str) -> Self {
        Self { fin: false, opcode, payload: payload.into() }
    }

    /// As a client sends it.
    pub(crate) fn masked(&self) -> Vec<u8> {
        let mut wire = header(self.fin, self.opcode, self.payload.len() as u64);
        wire.extend(self.payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        wire
    }
}

impl std::fmt::Debug for Frame {
    /// A message of a megabyte makes no failure clearer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = &self.payload[..self.payload.len().min(40)];
        let fin = if self.fin { "" } else { "unfinished " };
        write!(f, "{fin}{:x} of {}: {:?}", self.opcode, self.payload.len(), String::from_utf8_lossy(start))
    }
}

/// The header of a client's frame, its masking key included; the payload may be missing.
pub(crate) fn header(fin: bool, opcode: u8, length: u64) -> Vec<u8> {
    let mut wire = vec![if fin { 0x80 } else { 0 } | opcode];
    match length {
        0..=125 => wire.push(0x80 | length as u8),
        126..=0xffff => {
            wire.push(0x80 | 126);
            wire.extend((length as u16).to_be_bytes());
        }
        _ => {
            wire.push(0x80 | 127);
            wire.extend(length.to_be_bytes());
        }
    }
    wire.extend(MASK);
    wire
}

/// A response of HTTP.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header that is there once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| &**value);
        assert!(values.next().is_none(), "{name} is there twice: {:?}", self.headers);
        value
    }

    /// Whether it says that the connection ends behind it.
    pub(crate) fn closes(&self) -> bool {
        let connection = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
        connection
            .flat_map(|(_, list)| list.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case("close"))
    }
}

/// One connection.
pub(crate) struct Peer {
    reader: BufReader<TcpStream>,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Sends bytes in one write.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream().write_all(bytes.as_ref()).expect("the server takes it");
    }

    /// Sends bytes one at a time, each in a segment of its own.
    #[track_caller]
    pub(crate) fn send_byte_by_byte(&mut self, bytes: impl AsRef<[u8]>) {
        bytes.as_ref().chunks(1).for_each(|byte| self.send(byte));
    }

    /// Says that nothing more comes.
    #[track_caller]
    pub(crate) fn send_end(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("it is connected");
    }

    /// Sends a request and reads the response.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Response {
        self.send(request);
        self.response()
    }

    /// Becomes a WebSocket.
    #[track_caller]
    pub(crate) fn open(&mut self, path: &str) {
        self.open_with(path, "");
    }

    /// Becomes a WebSocket, with more header lines.
    #[track_caller]
    pub(crate) fn open_with(&mut self, path: &str, more: &str) {
        let response = self.ask(handshake(path, more));
        assert_eq!((response.status, response.header("sec-websocket-accept")), (101, Some(ACCEPT)));
    }

    /// Becomes a WebSocket, if the server has room for one more.
    pub(crate) fn try_open(&mut self) -> bool {
        let mut status = [0; b"HTTP/1.1 101".len()];
        let asked = self.stream().write_all(handshake("/", "").as_bytes());
        asked.and_then(|()| self.reader.read_exact(&mut status)).is_ok() && status == *b"HTTP/1.1 101"
    }

    /// Reads a response with its body.
    #[track_caller]
    pub(crate) fn response(&mut self) -> Response {
        let mut response = self.response_head();
        let length = response.header("content-length").map(|length| length.parse().expect("a length"));
        // Any other response here says how long it is (RFC 9110 §8.6).
        let has_none = matches!(response.status, 101 | 204 | 304);
        assert_eq!(length.is_none(), has_none, "Content-Length in {:?}", response.headers);
        response.body = vec![0; length.unwrap_or(0)];
        self.reader.read_exact(&mut response.body).expect("the whole body comes");
        response
    }

    /// Reads a response that has no body, such as that to a HEAD.
    #[track_caller]
    pub(crate) fn response_head(&mut self) -> Response {
        let line = self.line();
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                return Response { status, headers, body: Vec::new() };
            }
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("not a header: {line:?}"));
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Reads this many bytes, whatever they mean.
    #[track_caller]
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("the bytes come");
        bytes
    }

    /// Reads a frame.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Frame {
        self.try_frame().expect("a frame comes")
    }

    /// Reads a frame, if the connection lasts so long.
    #[track_caller]
    pub(crate) fn try_frame(&mut self) -> io::Result<Frame> {
        let (bits, frame) = self.try_frame_with_bits()?;
        assert_eq!(bits, 0, "no extension was agreed on, and no reserved bit may be set: {frame:?}");
        Ok(frame)
    }

    /// Reads a frame and its reserved bits, if the connection lasts so long.
    #[track_caller]
    pub(crate) fn try_frame_with_bits(&mut self) -> io::Result<(u8, Frame)> {
        let mut head = [0; 2];
        self.reader.read_exact(&mut head)?;
        assert_eq!(head[1] & 0x80, 0, "a server does not mask: {head:x?}");
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.array()?)),
            127 => u64::from_be_bytes(self.array()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length that fits")];
        self.reader.read_exact(&mut payload)?;
        Ok((head[0] & 0x70, Frame { fin: head[0] & 0x80 != 0, opcode: head[0] & 0x0f, payload }))
    }

    /// Asserts that these frames come, in this order.
    #[track_caller]
    pub(crate) fn expect(&mut self, frames: &[Frame]) {
        for want in frames {
            assert_eq!(self.frame(), *want);
        }
    }

    /// Asserts that the server ends the connection, and says nothing more before that.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        let end = self.reader.read_to_end(&mut rest);
        assert!(rest.is_empty(), "more comes: {:?}", String::from_utf8_lossy(&rest));
        end.expect("a clean end");
    }

    /// Whether the connection ends in time, cleanly or not; what comes before is dropped.
    pub(crate) fn ends(&mut self) -> bool {
        let deadline = Instant::now() + DEADLINE;
        let mut dropped = [0; 64 * 1024];
        while Instant::now() < deadline {
            match retry(|| self.reader.read(&mut dropped)) {
                Ok(1..) => {}
                Ok(0) => return true,
                Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
            }
        }
        false
    }

    /// Sends until the server takes no more for a while; gives the bytes it took.
    pub(crate) fn send_until_full(&mut self, bytes: &[u8], limit: usize) -> usize {
        let mut sent = 0;
        self.stream().set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout can be set");
        while sent < limit {
            let at = sent % bytes.len();
            match retry(|| self.stream().write(&bytes[at..])) {
                Ok(taken) => sent += taken,
                Err(_) => break,
            }
        }
        self.stream().set_write_timeout(Some(DEADLINE)).expect("a timeout can be set");
        sent
    }

    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).expect("a line comes");
        let line = String::from_utf8(line).expect("a head is ASCII");
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("the response ends early: {line:?}")).to_owned()
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
