//! How a message looks on the wire to one kind of receiver. A channel keeps one backlog per format that
//! somebody listens in.
//!
//! Must not know: who receives it.

use crate::backlog::Seat;
use crate::message::{CloseCode, Kind, Message};
use crate::websocket::codec::Codec;
use crate::websocket::decoder::Dialect;
use crate::websocket::extension::{Agreement, Window};
use crate::websocket::frame::{Encoded, Header, Opcode};
use crate::websocket::{close, legacy};

/// A way to put a message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFormat {
    /// RFC 6455 without extensions: one unmasked frame.
    Plain,
    /// The same, compressed where that makes it shorter (RFC 7692).
    Deflate,
    /// The same for those who want a smaller window.
    DeflateSmall,
    /// The older draft: text alone, between 0x00 and 0xFF.
    Legacy,
}

/// A message in its format: what is to be written, the same for every receiver.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'m> {
    head: Encoded,
    payload: &'m [u8],
    tail: &'static [u8],
}

impl Frame<'_> {
    /// Its bytes, in pieces.
    pub fn parts(&self) -> [&[u8]; 3] {
        [&self.head, self.payload, self.tail]
    }
}

impl WireFormat {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Deflate, Self::DeflateSmall, Self::Legacy];

    /// That of a client of RFC 6455, by what was agreed on.
    pub fn agreed(agreement: Option<Agreement>) -> Self {
        match agreement.map(|agreement| agreement.window) {
            None => Self::Plain,
            Some(Window::Full) => Self::Deflate,
            Some(Window::Small) => Self::DeflateSmall,
        }
    }

    /// Its place among all.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The seat of one of its subscribers: a seat tells the format.
    pub fn seat(self, index: usize) -> Seat {
        Seat::new(index * Self::ALL.len() + self.index())
    }

    /// The format that a seat tells, and which of its subscribers has it.
    #[inline]
    pub fn of(seat: Seat) -> (Self, usize) {
        let number = seat.index();
        (Self::ALL[number % Self::ALL.len()], number / Self::ALL.len())
    }

    /// What its clients speak.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Plain => Dialect::Plain,
            Self::Deflate | Self::DeflateSmall => Dialect::Compressible,
            Self::Legacy => Dialect::Legacy,
        }
    }

    /// Whether there are messages of this kind.
    pub fn can_say(self, kind: Kind) -> bool {
        match self {
            Self::Plain | Self::Deflate | Self::DeflateSmall => true,
            Self::Legacy => kind == Kind::Text,
        }
    }

    /// A message as one frame; `room` may be used for its payload. `None`: it cannot be said in this format.
    pub fn frame<'m>(
        self,
        message: &'m Message<'_>,
        codec: &Codec,
        room: &'m mut Vec<u8>,
    ) -> Option<Frame<'m>> {
        let payload = message.payload();
        let window = match self {
            Self::Plain => return Some(plain(message.kind(), payload)),
            Self::Deflate => Window::Full,
            Self::DeflateSmall => Window::Small,
            Self::Legacy => return old(message),
        };
        if !codec.deflate(payload, window, room) {
            return Some(plain(message.kind(), payload));
        }
        let frame = plain(message.kind(), room);
        Some(Frame { head: frame.head.compressed(), ..frame })
    }

    /// The last word: a Close with its code and reason, or what stands for it.
    pub fn close(self, code: CloseCode, reason: &str) -> Vec<u8> {
        match self {
            Self::Plain | Self::Deflate | Self::DeflateSmall => close::write(code, reason),
            Self::Legacy => legacy::CLOSE.to_vec(),
        }
    }

    /// Whether its clients answer pings.
    pub fn has_pings(self) -> bool {
        match self {
            Self::Plain | Self::Deflate | Self::DeflateSmall => true,
            Self::Legacy => false,
        }
    }
}

fn plain(kind: Kind, payload: &[u8]) -> Frame<'_> {
    let opcode = match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    };
    let head = Header { fin: true, opcode, masking_key: None, length: payload.len() as u64 }.write();
    Frame { head, payload, tail: &[] }
}

fn old<'m>(message: &'m Message<'_>) -> Option<Frame<'m>> {
    let frame = || Frame {
        head: Encoded::of_one(legacy::TEXT),
        payload: message.payload(),
        tail: &[legacy::TEXT_END],
    };
    WireFormat::Legacy.can_say(message.kind()).then(frame)
}

#[cfg(test)]
mod tests;
