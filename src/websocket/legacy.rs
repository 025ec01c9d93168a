//! The older draft: text between 0x00 and 0xFF (draft-hixie-thewebsocketprotocol-76 §5).
//!
//! What Safari 5 and the first iOS with WebSockets speak. It knows text alone, and 0xFF 0x00 for the end: no pings, no
//! close codes, no fragments. Frames that begin otherwise mean nothing, and are read and dropped.
//!
//! Must not know: what is done with an event, sockets, clocks.
//!
//! Invariant: what comes out is UTF-8, whatever came in.

pub mod handshake;

use super::Violation;
use super::message::{Event, make_room};
use crate::budget::{Budget, Loan};
use crate::message::{CloseCode, Message};
use std::borrow::Cow;
use std::str;

/// What a text frame begins with.
pub const TEXT: u8 = 0x00;

/// What a text frame ends with: no byte of UTF-8.
pub const TEXT_END: u8 = 0xFF;

/// The closing handshake (§5.2, §5.3): a frame of the type 0xFF, and of no length.
pub const CLOSE: [u8; 2] = [0xFF, 0x00];

/// From here on a type says that a length follows.
const OF_A_LENGTH: u8 = 0x80;

/// A text frame that lies whole in the input.
pub(super) fn take_whole_frame<'a>(
    input: &mut &'a mut [u8],
    message_bytes_max: usize,
) -> Result<Option<Event<'a>>, Violation> {
    let Some((&mut TEXT, rest)) = input.split_first_mut() else { return Ok(None) };
    let Some(length) = rest.iter().position(|&byte| byte == TEXT_END) else { return Ok(None) };
    let _type = input.split_off_mut(..1);
    let Some(payload) = input.split_off_mut(..length) else { return Ok(None) };
    let _end = input.split_off_mut(..1);
    text(Cow::Borrowed(&*payload), message_bytes_max).map(Some)
}

/// §5.2: what is not UTF-8 is read as U+FFFD, which may make it longer.
fn text(payload: Cow<'_, [u8]>, message_bytes_max: usize) -> Result<Event<'_>, Violation> {
    let replaced =
        |chunk: str::Utf8Chunk<'_>| if chunk.invalid().is_empty() { 0 } else { '\u{fffd}'.len_utf8() };
    let length: usize = payload.utf8_chunks().map(|chunk| chunk.valid().len() + replaced(chunk)).sum();
    if length > message_bytes_max {
        return Err(Violation::MessageTooBig { limit: message_bytes_max });
    }
    let text = match payload {
        Cow::Borrowed(payload) => String::from_utf8_lossy(payload),
        Cow::Owned(payload) => Cow::Owned(match String::from_utf8(payload) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    };
    Ok(Event::Message(Message::text(text)))
}

/// What is incomplete.
#[derive(Debug)]
pub(super) struct Assembly {
    /// What the budget of all lends for the payload.
    loan: Loan,
    frame: Frame,
}

/// How far a frame has come.
#[derive(Debug)]
enum Frame {
    /// Its type has not come.
    Awaited,
    /// Text, up to 0xFF.
    Text(Vec<u8>),
    /// Of a type that means nothing, up to 0xFF; bytes so far.
    Unknown(u64),
    /// A type of so many bytes, of which the length is coming: seven bits a byte, the highest first.
    Length { is_close: bool, length: u64 },
    /// So many bytes that mean nothing.
    Dropped(u64),
}

impl Assembly {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { loan: budget.open(), frame: Frame::Awaited }
    }

    /// Whether nothing is incomplete.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.frame, Frame::Awaited)
    }

    /// Bytes it keeps of the budget of all.
    pub(super) fn kept_bytes(&self) -> usize {
        self.loan.bytes()
    }

    /// Frame after frame, until one makes an event.
    pub(super) fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        message_bytes_max: usize,
    ) -> Result<Option<Event<'a>>, Violation> {
        let limit = message_bytes_max;
        let too_big = Violation::MessageTooBig { limit };
        while !input.is_empty() {
            match &mut self.frame {
                Frame::Awaited => {
                    let Some(&mut kind) = input.split_off_first_mut() else { return Ok(None) };
                    self.frame = match kind {
                        TEXT => Frame::Text(Vec::new()),
                        kind if kind < OF_A_LENGTH => Frame::Unknown(0),
                        kind => Frame::Length { is_close: kind == CLOSE[0], length: 0 },
                    };
                }
                Frame::Text(payload) => {
                    let (piece, is_end) = take_until_end(input);
                    if payload.len() + piece.len() > limit {
                        return Err(too_big);
                    }
                    make_room(payload, piece.len(), limit, &mut self.loan)?;
                    payload.extend_from_slice(piece);
                    if is_end {
                        let payload = std::mem::take(payload);
                        self.frame = Frame::Awaited;
                        return text(Cow::Owned(payload), limit).map(Some);
                    }
                }
                Frame::Unknown(before) => {
                    let (piece, is_end) = take_until_end(input);
                    *before += piece.len() as u64;
                    if *before > limit as u64 {
                        return Err(too_big);
                    }
                    if is_end {
                        self.frame = Frame::Awaited;
                    }
                }
                Frame::Length { is_close, length } => {
                    let Some(&mut byte) = input.split_off_first_mut() else { return Ok(None) };
                    *length = length.saturating_mul(128) | u64::from(byte & !OF_A_LENGTH);
                    if *length > limit as u64 {
                        return Err(too_big);
                    }
                    if byte & OF_A_LENGTH != 0 {
                        continue;
                    }
                    let (is_end, length) = (*is_close && *length == 0, *length);
                    self.frame = if length == 0 { Frame::Awaited } else { Frame::Dropped(length) };
                    if is_end {
                        return Ok(Some(Event::Close(CloseCode::NO_STATUS, String::new())));
                    }
                }
                Frame::Dropped(left) => {
                    let dropped = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    let _dropped = input.split_off_mut(..dropped);
                    *left -= dropped as u64;
                    if *left == 0 {
                        self.frame = Frame::Awaited;
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Takes bytes up to an 0xFF, and that as well; says whether it was there.
fn take_until_end<'a>(input: &mut &'a mut [u8]) -> (&'a [u8], bool) {
    let end = input.iter().position(|&byte| byte == TEXT_END);
    let piece = input.split_off_mut(..end.unwrap_or(input.len())).expect("no longer than the input");
    if end.is_some() {
        let _end = input.split_off_first_mut();
    }
    (piece, end.is_some())
}
