//! Frames become messages (RFC 6455 §5.4 to §5.6): unmasked, assembled, checked, limited.
//!
//! [`Decoder::decode`] takes bytes off the front of what was read and gives one event at a time. A frame
//! that lies whole in the input is given without a copy. Only what is incomplete is kept, and only then
//! does a decoder own memory; it grows with the bytes that come, never on the word of a length.
//!
//! Must not know: what is done with an event, sockets, clocks.
//!
//! Invariant: where the input was cut does not show in the events. Between messages nothing is kept.

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

/// Decodes what one client sends. Eight bytes, and no memory between messages.
#[derive(Debug, Default)]
pub struct Decoder {
    partial: Option<Box<Partial>>,
}

/// What is incomplete: a header, a frame, a message, or one inside the other.
#[derive(Debug)]
struct Partial {
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
    payload: Vec<u8>,
    utf8: Checker,
}

impl Decoder {
    /// What an incomplete message costs beside its payload, in bytes.
    pub const PARTIAL_BYTES: usize = size_of::<Partial>() + CONTROL_BYTES_MAX;

    /// Takes the next event off the front of `input`; `None`: the input is used up. A message of more
    /// than `message_bytes_max` bytes is refused at the header that says so; one that comes in pieces also when
    /// `budget` has no room for what is there of it.
    ///
    /// # Errors
    /// What RFC 6455 does not allow. The decoder is of no use after that.
    pub fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        message_bytes_max: usize,
        budget: &Budget,
    ) -> Result<Option<Event<'a>>, Violation> {
        if self.partial.is_none() {
            if let Some(event) = take_whole_frame(input, message_bytes_max)? {
                return Ok(Some(event));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        let partial = self.partial.get_or_insert_with(|| Box::new(Partial::new(budget)));
        let event = partial.decode(input, message_bytes_max)?;
        if partial.is_idle() {
            self.partial = None;
        }
        Ok(event)
    }

    /// Whether a frame or a message is incomplete.
    pub fn is_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// Bytes it keeps of an incomplete message.
    pub fn kept_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.loan.bytes())
    }
}

/// The common case: nothing is kept, and a frame that is no fragment is there as a whole.
fn take_whole_frame<'a>(
    input: &mut &'a mut [u8],
    message_bytes_max: usize,
) -> Result<Option<Event<'a>>, Violation> {
    let Some((header, used)) = Header::parse(input)? else { return Ok(None) };
    let key = check(&header, None, message_bytes_max)?;
    let Ok(length) = usize::try_from(header.length) else { return Ok(None) };
    if !header.fin || input.len() - used < length {
        return Ok(None);
    }
    let _header = input.split_off_mut(..used);
    let Some(payload) = input.split_off_mut(..length) else { return Ok(None) };
    mask::apply(payload, key, 0);
    let payload = Cow::Borrowed(&*payload);
    match header.opcode {
        Opcode::Text => {
            std::str::from_utf8(&payload).map_err(|_| Violation::InvalidUtf8)?;
            Ok(Some(Event::Message(Message::checked(Kind::Text, payload))))
        }
        Opcode::Binary => Ok(Some(Event::Message(Message::checked(Kind::Binary, payload)))),
        Opcode::Continuation => Err(Violation::UnexpectedContinuation),
        Opcode::Ping | Opcode::Pong | Opcode::Close => control(header.opcode, payload).map(Some),
    }
}

impl Partial {
    fn new(budget: &Budget) -> Self {
        Self {
            loan: budget.open(),
            header: [0; HEADER_BYTES_MAX],
            header_used: 0,
            frame: None,
            control: Vec::new(),
            message: None,
        }
    }

    fn is_idle(&self) -> bool {
        self.header_used == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Frame after frame, until one makes an event.
    fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        message_bytes_max: usize,
    ) -> Result<Option<Event<'a>>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.take_header(input, message_bytes_max)? {
                    Some(header) => self.begin(header),
                    None => return Ok(None),
                },
            };
            if !self.take_payload(frame, input, message_bytes_max)? {
                return Ok(None);
            }
            self.frame = None;
            let header = frame.header;
            if header.opcode.is_control() {
                let payload = Cow::Owned(std::mem::take(&mut self.control));
                return control(header.opcode, payload).map(Some);
            }
            if header.fin {
                return self.finish().map(Some);
            }
        }
    }

    /// Takes header bytes one at a time: a header that comes in pieces is rare and short.
    fn take_header(
        &mut self,
        input: &mut &mut [u8],
        message_bytes_max: usize,
    ) -> Result<Option<Header>, Violation> {
        while let Some(byte) = input.split_off_first_mut() {
            self.header[self.header_used] = *byte;
            self.header_used += 1;
            if let Some((header, _)) = Header::parse(&self.header[..self.header_used])? {
                check(&header, self.message.as_ref(), message_bytes_max)?;
                self.header_used = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    fn begin(&mut self, header: Header) -> Frame {
        let begun = match header.opcode {
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
            Opcode::Continuation | Opcode::Ping | Opcode::Pong | Opcode::Close => None,
        };
        if let Some(kind) = begun {
            self.message = Some(Begun { kind, payload: Vec::new(), utf8: Checker::default() });
        }
        Frame { header, taken: 0 }
    }

    /// Takes what is there of a frame's payload; says whether that was all of it.
    fn take_payload(
        &mut self,
        frame: Frame,
        input: &mut &mut [u8],
        message_bytes_max: usize,
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
                false => message_bytes_max,
            };
            message.make_room(piece.len(), most, &mut self.loan)?;
            message.extend(piece).map_err(|InvalidUtf8| Violation::InvalidUtf8)?;
        }
        let taken = taken + length as u64;
        self.frame = Some(Frame { header, taken });
        Ok(taken == header.length)
    }

    fn finish<'a>(&mut self) -> Result<Event<'a>, Violation> {
        let message = self.message.take().expect("begun by the first frame");
        message.utf8.finish().map_err(|InvalidUtf8| Violation::InvalidUtf8)?;
        Ok(Event::Message(Message::checked(message.kind, Cow::Owned(message.payload))))
    }
}

/// What a message comes to that the budget has no room for: it would never have, or has none now.
fn no_room(needed: usize, loan: &Loan) -> Violation {
    let limit = loan.budget().limit();
    if needed > limit { Violation::MessageTooBig { limit } } else { Violation::NoRoom }
}

impl Begun {
    /// Makes room for a piece; the memory doubles as it grows, but not past `most`, and less than that when the budget
    /// is nearly used up.
    fn make_room(&mut self, piece: usize, most: usize, loan: &mut Loan) -> Result<(), Violation> {
        let needed = self.payload.len() + piece;
        if needed <= self.payload.capacity() {
            return Ok(());
        }
        let wanted = (self.payload.capacity() * 2).min(most).max(needed);
        let granted = match loan.resize(wanted) {
            Ok(()) => wanted,
            Err(Exhausted) => {
                loan.resize(needed).map(|()| needed).map_err(|Exhausted| no_room(needed, loan))?
            }
        };
        self.payload.reserve_exact(granted - self.payload.len());
        Ok(())
    }

    /// Appends a piece.
    fn extend(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        self.payload.extend_from_slice(piece);
        match self.kind {
            Kind::Text => self.utf8.check(piece),
            Kind::Binary => Ok(()),
        }
    }
}

/// What a header must be, given the message it may belong to. Gives the masking key.
fn check(header: &Header, begun: Option<&Begun>, message_bytes_max: usize) -> Result<[u8; 4], Violation> {
    let key = header.masking_key.ok_or(Violation::Unmasked)?;
    let before = match (header.opcode, begun) {
        (Opcode::Ping | Opcode::Pong | Opcode::Close, _) => return Ok(key),
        (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::ExpectedContinuation),
        (Opcode::Continuation, None) => return Err(Violation::UnexpectedContinuation),
        (Opcode::Text | Opcode::Binary, None) => 0,
        (Opcode::Continuation, Some(begun)) => begun.payload.len(),
    };
    // The header parser keeps lengths below 2^63: the sum cannot overflow.
    if header.length + before as u64 > message_bytes_max as u64 {
        return Err(Violation::MessageTooBig { limit: message_bytes_max });
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1024;

    type Outcome = Result<Event<'static>, Violation>;

    fn owned(event: Event<'_>) -> Event<'static> {
        match event {
            Event::Message(message) => {
                Event::Message(Message::checked(message.kind(), Cow::Owned(message.payload().to_vec())))
            }
            Event::Ping(payload) => Event::Ping(Cow::Owned(payload.into_owned())),
            Event::Pong => Event::Pong,
            Event::Close(code, reason) => Event::Close(code, reason),
        }
    }

    /// Everything that comes out of reads of the given sizes, and the decoder as it is left.
    fn outcomes(wire: &[u8], sizes: impl Iterator<Item = usize>) -> (Vec<Outcome>, Decoder) {
        let (mut decoder, mut got, mut wire) = (Decoder::default(), Vec::new(), wire);
        for size in sizes {
            let (read, rest) = wire.split_at(size.min(wire.len()));
            wire = rest;
            let mut read = read.to_vec();
            let mut input = &mut read[..];
            loop {
                match decoder.decode(&mut input, LIMIT, &Budget::new(usize::MAX)) {
                    Ok(Some(event)) => got.push(Ok(owned(event))),
                    Ok(None) => break,
                    Err(violation) => {
                        got.push(Err(violation));
                        return (got, decoder);
                    }
                }
            }
            assert!(input.is_empty(), "the input is used up");
            if wire.is_empty() {
                break;
            }
        }
        (got, decoder)
    }

    fn text(text: &'static str) -> Outcome {
        Ok(Event::Message(Message::text(text)))
    }

    fn ping(payload: &'static [u8]) -> Outcome {
        Ok(Event::Ping(Cow::Borrowed(payload)))
    }

    fn closed(code: CloseCode, reason: &str) -> Outcome {
        Ok(Event::Close(code, reason.to_owned()))
    }

    /// A client's frame with the key of zeros, which leaves the payload readable.
    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let header = Header { fin, opcode, masking_key: Some([0; 4]), length: payload.len() as u64 };
        [&*header.write(), payload].concat()
    }

    /// Rows are fed whole and byte by byte: where the reads happen to fall must not show.
    #[test]
    fn wire_to_events() {
        let big = frame(true, Opcode::Binary, &[7; 256]);
        let rows: [(&str, &[u8], &[Outcome]); 17] = [
            ("masked text, §5.7", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &[text("Hello")]),
            ("fragments, §5.7", b"\x01\x83\0\0\0\0Hel\x80\x82\0\0\0\0lo", &[text("Hello")]),
            ("masked ping, §5.7", b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &[ping(b"Hello")]),
            ("masked pong, §5.7", b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &[Ok(Event::Pong)]),
            ("256 bytes, §5.7", &big, &[Ok(Event::Message(Message::binary(vec![7; 256])))]),
            (
                "ping in a message, §5.4",
                b"\x01\x81\0\0\0\0h\x89\x80\0\0\0\0\x80\x81\0\0\0\0i",
                &[ping(b""), text("hi")],
            ),
            ("empty text", b"\x81\x80\0\0\0\0", &[text("")]),
            ("empty fragments", b"\x01\x80\0\0\0\0\0\x80\0\0\0\0\x80\x80\0\0\0\0", &[text("")]),
            ("a character in two fragments", b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\xa9", &[text("é")]),
            ("two messages", b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b", &[text("a"), text("b")]),
            ("close, nothing", b"\x88\x80\0\0\0\0", &[closed(CloseCode::NO_STATUS, "")]),
            ("close, 1000 bye", b"\x88\x85\0\0\0\0\x03\xe8bye", &[closed(CloseCode::NORMAL, "bye")]),
            ("unmasked", b"\x81\x01a", &[Err(Violation::Unmasked)]),
            ("reserved opcode, §5.2", b"\x83\x80\0\0\0\0", &[Err(Violation::ReservedOpcode(3))]),
            ("continuation of nothing", b"\x80\x80\0\0\0\0", &[Err(Violation::UnexpectedContinuation)]),
            ("text in text", b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", &[Err(Violation::ExpectedContinuation)]),
            ("half a character", b"\x81\x81\0\0\0\0\xc3", &[Err(Violation::InvalidUtf8)]),
        ];
        for (name, wire, want) in rows {
            for step in [wire.len(), 1] {
                let (got, decoder) = outcomes(wire, std::iter::repeat(step));
                assert_eq!(got, want, "{name}, {step} bytes a read");
                let failed = want.iter().any(Result::is_err);
                assert!(failed || !decoder.is_partial(), "{name}: nothing is kept between messages");
            }
        }
    }

    #[test]
    fn too_long_is_refused_at_the_header() {
        let refused = [Err(Violation::MessageTooBig { limit: LIMIT })];
        let (got, _) = outcomes(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", std::iter::repeat(1));
        assert_eq!(got, refused);
        let first = frame(false, Opcode::Binary, &[0; LIMIT]);
        let (got, _) = outcomes(&[&first[..], b"\x80\x81\0\0\0\0"].concat(), std::iter::repeat(100));
        assert_eq!(got, refused);
    }

    #[test]
    fn bad_text_is_refused_before_its_end() {
        let wire = [&b"\x81\xfe\x01\x00\0\0\0\0abc\xff"[..]].concat();
        let (got, _) = outcomes(&wire, std::iter::repeat(1));
        assert_eq!(got, [Err(Violation::InvalidUtf8)]);
    }

    #[test]
    fn memory_grows_with_the_bytes_that_come() {
        let mut decoder = Decoder::default();
        let mut read = *b"\x82\xfe\x04\x00\0\0\0\0abc";
        assert_eq!(decoder.decode(&mut &mut read[..], LIMIT, &Budget::new(usize::MAX)), Ok(None));
        let message = decoder.partial.as_ref().and_then(|partial| partial.message.as_ref());
        assert!(message.expect("begun").payload.capacity() < 64);
    }

    proptest! {
        /// Any fragmentation, any pings and pongs in between, any cuts: the same message, and every ping.
        #[test]
        fn fragmentation_does_not_show(
            text: String,
            key: [u8; 4],
            cuts in prop::collection::vec((0_usize..300, any::<Option<[u8; 2]>>()), 0..6),
            reads in prop::collection::vec(1_usize..40, 1..9),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|(cut, ping)| (cut.min(text.len()), ping)).collect();
            cuts.extend([(0, None), (text.len(), None)]);
            cuts.sort_unstable();
            let (mut wire, mut want, last) = (Vec::new(), Vec::new(), cuts.len() - 2);
            for (i, piece) in cuts.windows(2).enumerate() {
                let [(start, ping), (end, _)] = [piece[0], piece[1]];
                let (between, event) = match ping {
                    Some(payload) => (frame(true, Opcode::Ping, &payload), Event::Ping(payload.to_vec().into())),
                    None => (frame(true, Opcode::Pong, b"!"), Event::Pong),
                };
                wire.extend(between);
                want.push(Ok(event));
                let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
                let mut piece = text.as_bytes()[start..end].to_vec();
                let header = Header { fin: i == last, opcode, masking_key: Some(key), length: piece.len() as u64 };
                mask::apply(&mut piece, key, 0);
                wire.extend_from_slice(&header.write());
                wire.extend(piece);
            }
            want.push(Ok(Event::Message(Message::text(text))));
            let (got, decoder) = outcomes(&wire, reads.into_iter().cycle());
            prop_assert!(!decoder.is_partial());
            prop_assert_eq!(got, want);
        }

        /// Whatever comes in: no panic, and cut or whole makes no difference.
        #[test]
        fn random_bytes(wire: Vec<u8>, reads in prop::collection::vec(1_usize..9, 1..9)) {
            let whole = outcomes(&wire, std::iter::repeat(wire.len().max(1))).0;
            let cut = outcomes(&wire, reads.into_iter().cycle()).0;
            prop_assert_eq!(whole, cut);
        }
    }
}
