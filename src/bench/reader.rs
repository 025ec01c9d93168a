//! The client's side of what comes in: frames cut from bytes, messages judged, control frames handed on
//! (RFC 6455 §5). Payloads are checked where they lie; nothing is allocated for a message, unless it must be kept until
//! it is whole (compressed, or wrapped in something) and comes in pieces, and then the room is used again.
//!
//! Must not know: sockets, who is counted.
//!
//! Invariant: where reads are cut does not show.

use super::judge::Judge;
use super::stamp::{Arrival, Check};
use fanfare::CloseCode;
use fanfare::websocket::frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX, Header, Opcode};
use fanfare::websocket::{Violation, close};

/// The first bit that an extension may use: the message is compressed (RFC 7692 §6).
pub(crate) const RSV1: u8 = 0x40;

/// What came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A message, and whether it came as text or binary.
    Message(Arrival, Opcode),
    /// A ping, to be answered with the same payload.
    Ping(Control),
    /// A Close.
    Close(CloseCode),
}

/// The payload of a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    bytes: [u8; CONTROL_BYTES_MAX],
    used: usize,
}

impl Control {
    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    fn push(&mut self, piece: &[u8]) {
        self.bytes[self.used..self.used + piece.len()].copy_from_slice(piece);
        self.used += piece.len();
    }

    const EMPTY: Self = Self { bytes: [0; CONTROL_BYTES_MAX], used: 0 };
}

/// What one connection keeps between two reads.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// permessage-deflate was agreed on.
    may_compress: bool,
    /// A header that is not complete.
    header: [u8; HEADER_BYTES_MAX],
    header_used: usize,
    frame: Option<Frame>,
    message: Option<Message>,
    check: Check,
    /// A message that must be whole to be judged.
    kept: Vec<u8>,
    /// A control frame that came in pieces; few ever do.
    control: Option<Box<Control>>,
}

/// A frame that is not complete.
#[derive(Clone, Copy, Debug)]
struct Frame {
    fin: bool,
    opcode: Opcode,
    left: u64,
}

/// A message that is not complete.
#[derive(Clone, Copy, Debug)]
struct Message {
    opcode: Opcode,
    is_compressed: bool,
}

impl Reader {
    pub(crate) fn new(may_compress: bool) -> Self {
        Self { may_compress, ..Self::default() }
    }

    /// Whether permessage-deflate was agreed on.
    pub(crate) fn may_compress(&self) -> bool {
        self.may_compress
    }

    /// Whether the next byte begins a frame that begins a message, or stands between messages.
    pub(crate) fn is_between(&self) -> bool {
        self.header_used == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Whether a message has begun to come that is not complete.
    pub(crate) fn is_within_message(&self) -> bool {
        self.message.is_some()
    }

    /// Takes bytes off the front of `bytes` until something is complete, or none are left.
    ///
    /// # Errors
    /// What the server may not send. The connection cannot be read on.
    pub(crate) fn next(&mut self, bytes: &mut &[u8], judge: &mut Judge) -> Result<Option<Event>, Violation> {
        if let Some(event) = self.usual(bytes, judge) {
            return Ok(Some(event));
        }
        loop {
            let frame = match self.frame.take() {
                Some(frame) => frame,
                None => {
                    let Some((header, is_compressed)) = self.header(bytes)? else { return Ok(None) };
                    self.begin(header, is_compressed)?
                }
            };
            if frame.left > 0 && bytes.is_empty() {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(event) = self.payload(frame, bytes, judge)? {
                return Ok(Some(event));
            }
        }
    }

    /// The usual case in as few steps as may be: at the beginning of a frame, one that is as long as ours, and all of it
    /// there. The rest would come to the same.
    fn usual(&self, bytes: &mut &[u8], judge: &mut Judge) -> Option<Event> {
        let (header, length, opcode) = judge.usual_frame();
        let payload = bytes.strip_prefix(header)?;
        if !self.is_between() || payload.len() < length {
            return None;
        }
        let (payload, rest) = payload.split_at(length);
        *bytes = rest;
        Some(Event::Message(judge.inspect(payload), opcode))
    }

    /// The next header, and whether it says that the message is compressed.
    fn header(&mut self, bytes: &mut &[u8]) -> Result<Option<(Header, bool)>, Violation> {
        if self.header_used == 0
            && bytes.first().is_some_and(|first| first & RSV1 == 0 || !self.may_compress)
            && let Some((header, used)) = Header::parse(bytes)?
        {
            *bytes = &bytes[used..];
            return Ok(Some((header, false)));
        }
        // It is cut by the end of the read, or has a bit that only we understand: put together aside.
        let before = self.header_used;
        let taken = bytes.len().min(HEADER_BYTES_MAX - before);
        self.header[before..before + taken].copy_from_slice(&bytes[..taken]);
        let mut header = self.header;
        let is_compressed = self.may_compress && header[0] & RSV1 != 0;
        if is_compressed {
            header[0] &= !RSV1;
        }
        let Some((header, used)) = Header::parse(&header[..before + taken])? else {
            self.header_used = before + taken;
            *bytes = &bytes[taken..];
            return Ok(None);
        };
        if is_compressed && !matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            return Err(Violation::ReservedBits(RSV1 >> 4)); // RFC 7692 §6.1: first frames only
        }
        self.header_used = 0;
        *bytes = &bytes[used - before..];
        Ok(Some((header, is_compressed)))
    }

    fn begin(&mut self, header: Header, is_compressed: bool) -> Result<Frame, Violation> {
        if header.masking_key.is_some() {
            return Err(Violation::Masked);
        }
        match header.opcode {
            Opcode::Text | Opcode::Binary if self.message.is_some() => {
                return Err(Violation::ExpectedContinuation);
            }
            Opcode::Text | Opcode::Binary => {
                self.message = Some(Message { opcode: header.opcode, is_compressed });
            }
            Opcode::Continuation if self.message.is_none() => {
                return Err(Violation::UnexpectedContinuation);
            }
            Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
        Ok(Frame { fin: header.fin, opcode: header.opcode, left: header.length })
    }

    /// Takes what there is of a frame's payload.
    fn payload(
        &mut self,
        frame: Frame,
        bytes: &mut &[u8],
        judge: &mut Judge,
    ) -> Result<Option<Event>, Violation> {
        let taken = usize::try_from(frame.left).unwrap_or(usize::MAX).min(bytes.len());
        let (piece, rest) = bytes.split_at(taken);
        *bytes = rest;
        let left = frame.left - taken as u64;
        if left > 0 {
            self.frame = Some(Frame { left, ..frame });
        }
        if frame.opcode.is_control() {
            return self.control_piece(frame.opcode, piece, left == 0);
        }
        let is_last = frame.fin && left == 0;
        Ok(self.message_piece(piece, is_last, judge))
    }

    fn message_piece(&mut self, piece: &[u8], is_last: bool, judge: &mut Judge) -> Option<Event> {
        let message = self.message?;
        if judge.takes_pieces() && !message.is_compressed {
            if is_last && self.check.is_empty() {
                return Some(self.complete(message, judge.inspect(piece)));
            }
            self.check.take(judge.pattern(), piece);
            return is_last.then(|| {
                let arrival = self.check.finish(judge.pattern());
                self.complete(message, arrival)
            });
        }
        if is_last && self.kept.is_empty() {
            let arrival = inspect(judge, message, piece);
            return Some(self.complete(message, arrival));
        }
        // One byte past the limit shows that it was passed.
        let room = (judge.payload_bytes_max() + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        if !is_last {
            return None;
        }
        let is_too_long = self.kept.len() > judge.payload_bytes_max();
        let kept = std::mem::take(&mut self.kept);
        let arrival = if is_too_long { Arrival::Foreign } else { inspect(judge, message, &kept) };
        self.kept = kept;
        self.kept.clear();
        Some(self.complete(message, arrival))
    }

    fn complete(&mut self, message: Message, arrival: Arrival) -> Event {
        self.message = None;
        Event::Message(arrival, message.opcode)
    }

    fn control_piece(
        &mut self,
        opcode: Opcode,
        piece: &[u8],
        is_last: bool,
    ) -> Result<Option<Event>, Violation> {
        let mut control = self.control.take().map_or(Control::EMPTY, |control| *control);
        control.push(piece);
        if !is_last {
            self.control = Some(Box::new(control));
            return Ok(None);
        }
        match opcode {
            Opcode::Close => Ok(Some(Event::Close(close::parse(control.payload())?.0))),
            Opcode::Ping => Ok(Some(Event::Ping(control))),
            // Pongs answer nothing of ours; the rest are no control frames.
            Opcode::Pong | Opcode::Continuation | Opcode::Text | Opcode::Binary => Ok(None),
        }
    }
}

fn inspect(judge: &mut Judge, message: Message, payload: &[u8]) -> Arrival {
    if message.is_compressed { judge.inspect_compressed(payload) } else { judge.inspect(payload) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::Matching;
    use crate::bench::stamp::{Pattern, Stamp};
    use proptest::prelude::*;

    const STAMP: Stamp = Stamp { sender: 3, sequence: 4, intended_us: 5 };
    const LENGTH: usize = 200;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).ok().filter(|&length| length < 126);
        let head = match length {
            Some(length) => vec![first, length],
            None => [&[first, 126][..], &(payload.len() as u16).to_be_bytes()].concat(),
        };
        [&head, payload].concat()
    }

    fn ours() -> Vec<u8> {
        let mut payload = Vec::new();
        Pattern::new(1, LENGTH).write(STAMP, &mut payload);
        payload
    }

    fn events(wire: &[u8], step: usize, matching: Matching) -> (Vec<Event>, Option<Violation>) {
        let mut judge = Judge::new(Pattern::new(1, LENGTH), Opcode::Text, matching);
        let (mut reader, mut events) = (Reader::new(false), Vec::new());
        for mut piece in wire.chunks(step) {
            loop {
                match reader.next(&mut piece, &mut judge) {
                    Ok(Some(event)) => events.push(event),
                    Ok(None) => break,
                    Err(violation) => return (events, Some(violation)),
                }
            }
            assert!(piece.is_empty());
        }
        (events, None)
    }

    fn message(arrival: Arrival, opcode: Opcode) -> Event {
        Event::Message(arrival, opcode)
    }

    fn ping(payload: &[u8]) -> Event {
        let mut control = Control::EMPTY;
        control.push(payload);
        Event::Ping(control)
    }

    #[test]
    fn wire_to_events() {
        let (text, binary) = (Opcode::Text, Opcode::Binary);
        let (whole, foreign) = (Arrival::Whole(STAMP), Arrival::Foreign);
        let ours = ours();
        let rows: [(&str, Vec<u8>, &[Event]); 7] = [
            ("text", frame(0x81, &ours), &[message(whole, text)]),
            (
                "two",
                [frame(0x82, &ours), frame(0x81, b"")].concat(),
                &[message(whole, binary), message(foreign, text)],
            ),
            (
                "fragments with a ping among them",
                [
                    frame(0x01, &ours[..10]),
                    frame(0x89, b"are you there"),
                    frame(0x00, b""),
                    frame(0x00, &ours[10..150]),
                    frame(0x8a, b"a pong"),
                    frame(0x80, &ours[150..]),
                ]
                .concat(),
                &[ping(b"are you there"), message(whole, text)],
            ),
            ("empty last fragment", [frame(0x01, &ours), frame(0x80, b"")].concat(), &[message(whole, text)]),
            ("damaged", frame(0x81, &ours[..199]), &[message(Arrival::Damaged(Some(STAMP)), text)]),
            ("close", frame(0x88, b"\x03\xf5slow"), &[Event::Close(CloseCode(1013))]),
            ("empty close", frame(0x88, b""), &[Event::Close(CloseCode::NO_STATUS)]),
        ];
        for (name, wire, want) in rows {
            for step in [wire.len(), 1, 2, 3, 100] {
                for matching in [Matching::Whole, Matching::Contains] {
                    let (got, violation) = events(&wire, step, matching);
                    assert_eq!(
                        (&got[..], violation),
                        (want, None),
                        "{name}, {step} bytes a read, {matching:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_a_server_may_not_send() {
        let rows: [(&str, Vec<u8>, Violation); 6] = [
            ("masked", b"\x81\x80\0\0\0\0".to_vec(), Violation::Masked),
            ("compressed without having agreed", frame(0xc1, b"x"), (Violation::ReservedBits(4))),
            ("reserved opcode", frame(0x83, b""), (Violation::ReservedOpcode(3))),
            ("nothing to continue", frame(0x80, b""), (Violation::UnexpectedContinuation)),
            (
                "two at once",
                [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
                (Violation::ExpectedContinuation),
            ),
            ("half a code", frame(0x88, b"\x03"), (Violation::CloseTooShort)),
        ];
        for (name, wire, want) in rows {
            for step in [wire.len(), 1] {
                let (got, violation) = events(&wire, step, Matching::Whole);
                assert_eq!((got, violation), (vec![], Some(want)), "{name}, {step} bytes a read");
            }
        }
    }

    /// What wraps a message may be long; beyond the limit nothing of it is kept.
    #[test]
    fn memory_is_bounded() {
        let mut judge = Judge::new(Pattern::new(1, LENGTH), Opcode::Text, Matching::Contains);
        let mut reader = Reader::new(false);
        let header = [&[0x81, 127][..], &(1_u64 << 40).to_be_bytes()].concat();
        assert_eq!(reader.next(&mut &header[..], &mut judge), Ok(None));
        for _ in 0..100 {
            assert_eq!(reader.next(&mut &[b'x'; 10_000][..], &mut judge), Ok(None));
        }
        assert!(reader.kept.capacity() < 4 * judge.payload_bytes_max(), "{}", reader.kept.capacity());
    }

    proptest! {
        /// Whatever a server sends, and wherever it is cut: no panic, and the same events.
        #[test]
        fn where_reads_are_cut_does_not_show(
            pieces in proptest::collection::vec(piece(), 0..12),
            cuts in proptest::collection::vec(1..40_usize, 1..8),
        ) {
            let wire = pieces.concat();
            for matching in [Matching::Whole, Matching::Contains] {
                let whole = events(&wire, wire.len().max(1), matching);
                for &cut in &cuts {
                    prop_assert_eq!(&events(&wire, cut, matching), &whole, "{} bytes a read", cut);
                }
            }
        }
    }

    /// Mostly frames that a server might send, now and then anything.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![Just(0x81), Just(0x01), Just(0x00), Just(0x80), Just(0x89), Just(0x82)];
        let payload = prop_oneof![
            Just(ours()),
            (0..LENGTH).prop_map(|end| ours()[..end].to_vec()),
            proptest::collection::vec(any::<u8>(), 0..60),
        ];
        prop_oneof![
            9 => (first, payload).prop_map(|(first, payload)| {
                let is_control = first & 0x08 != 0;
                frame(first, if is_control { &payload[..payload.len().min(125)] } else { &payload })
            }),
            1 => proptest::collection::vec(any::<u8>(), 0..20),
        ]
    }
}
