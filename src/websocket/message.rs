//! Frames become messages (RFC 6455 §5.4 to §5.6): unmasked, assembled, decompressed (RFC 7692 §7.2.2), checked,
//! limited.
//!
//! A frame that lies whole in the input is given without a copy. Of the others an `Assembly` keeps what has come; it
//! grows with the bytes, never on the word of a length.
//!
//! Must not know: what is done with an event, sockets, clocks.
//!
//! Invariant: a message is decompressed once, when all of it is there: no state of it is kept between reads.

use super::codec::{self, Codec};
use super::frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX, Header, Opcode};
use super::utf8::{Checker, InvalidUtf8};
use super::{Violation, close, mask};
use crate::budget::{Budget, Exhausted, Loan};
use crate::message::{CloseCode, Kind, Message};
use std::borrow::Cow;

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message.
    Message(Message<'a>),
    /// A ping and its payload, to be sent back in a pong (§5.5.2).
    Ping(Cow<'a, [u8]>),
    /// A pong, asked for or not (§5.5.3).
    Pong,
    /// The client says no more (§5.5.1).
    Close(CloseCode, String),
}

/// What frames are held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'r> {
    /// Messages may be compressed: permessage-deflate was agreed on.
    pub(super) may_compress: bool,
    /// The longest message, in bytes, all its fragments together and decompressed.
    pub(super) message_bytes_max: usize,
    /// What decompresses.
    pub(super) codec: &'r Codec,
}

impl Rules<'_> {
    /// A header with whether the message that it begins is compressed.
    fn parse(&self, bytes: &[u8]) -> Result<Option<(Header, usize, bool)>, Violation> {
        match self.may_compress {
            true => Header::parse_compressible(bytes),
            false => Ok(Header::parse(bytes)?.map(|(header, used)| (header, used, false))),
        }
    }

    /// The longest payload that a message may come in.
    fn payload_bytes_max(&self, is_compressed: bool) -> usize {
        match is_compressed {
            true => codec::deflated_bytes_max(self.message_bytes_max),
            false => self.message_bytes_max,
        }
    }

    /// A payload is whole: it is decompressed, and text is UTF-8.
    fn inflate(&self, kind: Kind, payload: &[u8]) -> Result<Message<'static>, Violation> {
        let inflated = self.codec.inflate(payload, self.message_bytes_max)?;
        if kind == Kind::Text && str::from_utf8(&inflated).is_err() {
            return Err(Violation::InvalidUtf8);
        }
        Ok(Message::checked(kind, Cow::Owned(inflated)))
    }
}

/// What is incomplete: a header, a frame, a message, or one inside the other.
#[derive(Debug)]
pub(super) struct Assembly {
    /// What the budget of all lends for the payload.
    loan: Loan,
    header: [u8; HEADER_BYTES_MAX],
    header_used: usize,
    frame: Option<Frame>,
    /// The payload of a control frame under way; it may come between the fragments of a message.
    control: Vec<u8>,
    message: Option<Begun>,
}

/// A frame of which the header is there. Invariant: `taken <= header.length`.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: Header,
    taken: u64,
}

/// A message of which the first frame has begun.
#[derive(Debug)]
struct Begun {
    kind: Kind,
    is_compressed: bool,
    payload: Vec<u8>,
    utf8: Checker,
}

/// The common case: nothing is kept, and a frame that is no fragment is there as a whole.
pub(super) fn take_whole_frame<'a>(
    input: &mut &'a mut [u8],
    rules: &Rules<'_>,
) -> Result<Option<Event<'a>>, Violation> {
    let Some((header, used, is_compressed)) = rules.parse(input)? else { return Ok(None) };
    let key = check(&header, None, rules.payload_bytes_max(is_compressed), rules)?;
    let Ok(length) = usize::try_from(header.length) else { return Ok(None) };
    if !header.fin || input.len() - used < length {
        return Ok(None);
    }
    let _header = input.split_off_mut(..used);
    let Some(payload) = input.split_off_mut(..length) else { return Ok(None) };
    mask::apply(payload, key, 0);
    let payload = Cow::Borrowed(&*payload);
    match header.opcode {
        Opcode::Text if is_compressed => rules.inflate(Kind::Text, &payload).map(Event::Message).map(Some),
        Opcode::Binary if is_compressed => {
            rules.inflate(Kind::Binary, &payload).map(Event::Message).map(Some)
        }
        Opcode::Text => {
            std::str::from_utf8(&payload).map_err(|_| Violation::InvalidUtf8)?;
            Ok(Some(Event::Message(Message::checked(Kind::Text, payload))))
        }
        Opcode::Binary => Ok(Some(Event::Message(Message::checked(Kind::Binary, payload)))),
        Opcode::Continuation => Err(Violation::UnexpectedContinuation),
        Opcode::Ping | Opcode::Pong | Opcode::Close => control(header.opcode, payload).map(Some),
    }
}

impl Assembly {
    /// What one costs beside the payload it keeps, in bytes.
    pub(super) const BYTES: usize = size_of::<Self>() + CONTROL_BYTES_MAX;

    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            loan: budget.open(),
            header: [0; HEADER_BYTES_MAX],
            header_used: 0,
            frame: None,
            control: Vec::new(),
            message: None,
        }
    }

    /// Whether nothing is incomplete.
    pub(super) fn is_idle(&self) -> bool {
        self.header_used == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Bytes it keeps of the budget of all.
    pub(super) fn kept_bytes(&self) -> usize {
        self.loan.bytes()
    }

    /// Frame after frame, until one makes an event.
    pub(super) fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        rules: &Rules<'_>,
    ) -> Result<Option<Event<'a>>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.take_header(input, rules)? {
                    Some((header, is_compressed)) => self.begin(header, is_compressed),
                    None => return Ok(None),
                },
            };
            if !self.take_payload(frame, input, rules)? {
                return Ok(None);
            }
            self.frame = None;
            let header = frame.header;
            if header.opcode.is_control() {
                let payload = Cow::Owned(std::mem::take(&mut self.control));
                return control(header.opcode, payload).map(Some);
            }
            if header.fin {
                return self.finish(rules).map(Some);
            }
        }
    }

    /// Takes header bytes one at a time: a header that comes in pieces is rare and short.
    fn take_header(
        &mut self,
        input: &mut &mut [u8],
        rules: &Rules<'_>,
    ) -> Result<Option<(Header, bool)>, Violation> {
        while let Some(byte) = input.split_off_first_mut() {
            self.header[self.header_used] = *byte;
            self.header_used += 1;
            if let Some((header, _, is_compressed)) = rules.parse(&self.header[..self.header_used])? {
                let most = rules.payload_bytes_max(is_compressed || self.is_compressed());
                check(&header, self.message.as_ref(), most, rules)?;
                self.header_used = 0;
                return Ok(Some((header, is_compressed)));
            }
        }
        Ok(None)
    }

    /// Whether the message that has begun is compressed.
    fn is_compressed(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.is_compressed)
    }

    fn begin(&mut self, header: Header, is_compressed: bool) -> Frame {
        let begun = match header.opcode {
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
            Opcode::Continuation | Opcode::Ping | Opcode::Pong | Opcode::Close => None,
        };
        if let Some(kind) = begun {
            self.message = Some(Begun { kind, is_compressed, payload: Vec::new(), utf8: Checker::default() });
        }
        Frame { header, taken: 0 }
    }

    /// Takes what is there of a frame's payload; says whether that was all of it.
    fn take_payload(
        &mut self,
        frame: Frame,
        input: &mut &mut [u8],
        rules: &Rules<'_>,
    ) -> Result<bool, Violation> {
        let Frame { header, taken } = frame;
        let left = header.length - taken;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let piece = input.split_off_mut(..length).expect("no longer than the input");
        mask::apply(piece, header.masking_key.expect("checked with the header"), taken);
        if header.opcode.is_control() {
            self.control.extend_from_slice(piece);
        } else {
            // A final frame tells how long the message will be, any other only how long it may become.
            let message = self.message.as_mut().expect("begun by the first frame");
            let most = match header.fin {
                true => message.payload.len() + usize::try_from(left).unwrap_or(usize::MAX),
                false => rules.payload_bytes_max(message.is_compressed),
            };
            make_room(&mut message.payload, piece.len(), most, &mut self.loan)?;
            message.extend(piece).map_err(|InvalidUtf8| Violation::InvalidUtf8)?;
        }
        let taken = taken + length as u64;
        self.frame = Some(Frame { header, taken });
        Ok(taken == header.length)
    }

    fn finish<'a>(&mut self, rules: &Rules<'_>) -> Result<Event<'a>, Violation> {
        let message = self.message.take().expect("begun by the first frame");
        if message.is_compressed {
            return rules.inflate(message.kind, &message.payload).map(Event::Message);
        }
        message.utf8.finish().map_err(|InvalidUtf8| Violation::InvalidUtf8)?;
        Ok(Event::Message(Message::checked(message.kind, Cow::Owned(message.payload))))
    }
}

/// What a message comes to that the budget has no room for: it would never have, or has none now.
fn no_room(needed: usize, loan: &Loan) -> Violation {
    let limit = loan.budget().limit();
    if needed > limit { Violation::MessageTooBig { limit } } else { Violation::NoRoom }
}

/// Makes room for a piece; the memory doubles as it grows, but not past `most`, and less than that when the budget is
/// nearly used up.
pub(super) fn make_room(
    payload: &mut Vec<u8>,
    piece: usize,
    most: usize,
    loan: &mut Loan,
) -> Result<(), Violation> {
    let needed = payload.len() + piece;
    if needed <= payload.capacity() {
        return Ok(());
    }
    let wanted = (payload.capacity() * 2).min(most).max(needed);
    let granted = match loan.resize(wanted) {
        Ok(()) => wanted,
        Err(Exhausted) => loan.resize(needed).map(|()| needed).map_err(|Exhausted| no_room(needed, loan))?,
    };
    payload.reserve_exact(granted - payload.len());
    Ok(())
}

impl Begun {
    /// Appends a piece.
    fn extend(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        self.payload.extend_from_slice(piece);
        match self.kind {
            Kind::Text if !self.is_compressed => self.utf8.check(piece),
            Kind::Text | Kind::Binary => Ok(()),
        }
    }
}

/// What a header must be, given the message it may belong to and how long its payload may become. Gives the masking key.
fn check(
    header: &Header,
    begun: Option<&Begun>,
    payload_bytes_max: usize,
    rules: &Rules<'_>,
) -> Result<[u8; 4], Violation> {
    let key = header.masking_key.ok_or(Violation::Unmasked)?;
    let before = match (header.opcode, begun) {
        (Opcode::Ping | Opcode::Pong | Opcode::Close, _) => return Ok(key),
        (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::ExpectedContinuation),
        (Opcode::Continuation, None) => return Err(Violation::UnexpectedContinuation),
        (Opcode::Text | Opcode::Binary, None) => 0,
        (Opcode::Continuation, Some(begun)) => begun.payload.len(),
    };
    // The header parser keeps lengths below 2^63: the sum cannot overflow.
    if header.length + before as u64 > payload_bytes_max as u64 {
        return Err(Violation::MessageTooBig { limit: rules.message_bytes_max });
    }
    Ok(key)
}

fn control<'a>(opcode: Opcode, payload: Cow<'a, [u8]>) -> Result<Event<'a>, Violation> {
    match opcode {
        Opcode::Ping => Ok(Event::Ping(payload)),
        Opcode::Pong => Ok(Event::Pong),
        Opcode::Close => close::parse(&payload).map(|(code, reason)| Event::Close(code, reason.to_owned())),
        Opcode::Continuation | Opcode::Text | Opcode::Binary => {
            unreachable!("asked for control frames alone")
        }
    }
}
