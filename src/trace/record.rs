//! One thing that happened on a wire.

use crate::limits::TRACED_FRAME_BYTES;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    In,
    /// From the server to the client.
    Out,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in microseconds since the request was read.
    pub at_us: u64,
    /// Which way it went; of an end, from whom it came.
    pub direction: Direction,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A request or a response, head and all, as it was on the wire.
    Handshake(Box<[u8]>),
    /// A frame.
    Frame(Frame),
    /// The connection is over.
    Close,
}

impl Record {
    /// What it takes in memory, in a queue that is twice as long when it has just grown.
    pub fn bytes(&self) -> usize {
        let owned = match &self.what {
            What::Handshake(text) => text.len(),
            What::Frame(_) | What::Close => 0,
        };
        2 * size_of::<Self>() + owned
    }
}

/// What a payload is, by the frame that began its message (RFC 6455 §5.6, RFC 7692 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text as it is.
    Text,
    /// A close code and a reason.
    Close,
    /// Anything else: bytes, or what is compressed.
    Opaque,
}

/// A frame, as far as it is kept: its header, and its payload up to [`TRACED_FRAME_BYTES`] in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(super) wire: [u8; TRACED_FRAME_BYTES],
    /// Bytes of it that are there: those of the header, and more where there are.
    pub(super) used: usize,
    pub(super) shape: Shape,
    pub(super) content: Content,
}

/// What a header says, whether it may or not (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) fin: bool,
    pub(super) rsv: u8,
    pub(super) opcode: u8,
    pub(super) key: Option<[u8; 4]>,
    pub(super) header_bytes: usize,
    pub(super) length: u64,
}

impl Shape {
    /// Reads one off the front of `bytes`; else says how many bytes it takes to know more. Unlike
    /// [`Header::parse`](crate::websocket::frame::Header::parse) it refuses nothing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, usize> {
        let &[first, second, ref rest @ ..] = bytes else { return Err(2) };
        let length_bytes = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let is_masked = second & 0x80 != 0;
        let header_bytes = 2 + length_bytes + if is_masked { 4 } else { 0 };
        if bytes.len() < header_bytes {
            return Err(header_bytes);
        }
        let length = match length_bytes {
            0 => u64::from(second & 0x7F),
            _ => rest[..length_bytes].iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
        };
        Ok(Self {
            fin: first & 0x80 != 0,
            rsv: (first & 0x70) >> 4,
            opcode: first & 0x0F,
            key: if is_masked { rest[length_bytes..].first_chunk().copied() } else { None },
            header_bytes,
            length,
        })
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        (self.header_bytes as u64).saturating_add(self.length)
    }
}

impl Frame {
    /// The bytes that are kept of it, as they were on the wire.
    pub fn wire(&self) -> &[u8] {
        &self.wire[..self.used]
    }

    /// What is kept of its payload, unmasked.
    pub fn payload(&self) -> Vec<u8> {
        let masked = self.wire().get(self.shape.header_bytes..).unwrap_or_default();
        let key = self.shape.key.unwrap_or_default();
        masked.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    }

    /// What its payload says, as far as it is kept and is text.
    pub fn preview(&self) -> Option<String> {
        let payload = self.payload();
        match self.content {
            Content::Text => Some(begin_of_text(&payload)),
            Content::Close => Some(begin_of_text(payload.get(2..).unwrap_or_default())),
            Content::Opaque => None,
        }
    }
}

/// What is text of these bytes, which may begin and end in the middle of a character.
fn begin_of_text(bytes: &[u8]) -> String {
    let continuing = bytes.iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
    let mut text = String::new();
    let mut chunks = bytes[continuing..].utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        // What is cut off at the end is not wrong.
        if !chunk.invalid().is_empty() && chunks.peek().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_cut_and_text_that_is_wrong() {
        for (bytes, want) in [
            (&b"Hello"[..], "Hello"),
            (b"", ""),
            (b"Gr\xC3\xBC", "Grü"),
            (b"Gr\xC3", "Gr"),
            (b"\xBC\xC3\x9F", "ß"),
            (b"a\xFFb", "a\u{FFFD}b"),
        ] {
            assert_eq!(begin_of_text(bytes), want, "{bytes:x?}");
        }
    }
}
