//! Wire bytes and the events they make, however the reads are cut.

mod legacy;

use super::*;
use crate::message::{CloseCode, Message};
use crate::websocket::frame::{Header, Opcode};
use crate::websocket::mask;
use proptest::prelude::*;
use std::borrow::Cow;

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
    outcomes_of(Dialect::Plain, wire, sizes)
}

fn outcomes_of(dialect: Dialect, wire: &[u8], sizes: impl Iterator<Item = usize>) -> (Vec<Outcome>, Decoder) {
    let (budget, codec) = (Budget::new(usize::MAX), Codec::default());
    let rules = Rules { dialect, message_bytes_max: LIMIT, budget: &budget, codec: &codec };
    let (mut decoder, mut got, mut wire) = (Decoder::default(), Vec::new(), wire);
    for size in sizes {
        let (read, rest) = wire.split_at(size.min(wire.len()));
        wire = rest;
        let mut read = read.to_vec();
        let mut input = &mut read[..];
        loop {
            match decoder.decode(&mut input, &rules) {
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
    let (got, decoder) = outcomes(b"\x82\xfe\x04\x00\0\0\0\0abc", std::iter::repeat(100));
    assert!(got.is_empty() && decoder.is_partial());
    assert!((1..64).contains(&decoder.kept_bytes()), "{}", decoder.kept_bytes());
}

/// What waits for its turn comes back as it was, and is counted.
#[test]
fn input_that_waits() {
    let (budget, mut decoder) = (Budget::new(10_000), Decoder::default());
    decoder.hold(&[7; 5_000], &budget).expect("there is room");
    assert!(decoder.is_holding() && !decoder.is_partial());
    assert_eq!((decoder.kept_bytes(), budget.lent() > 3_000), (5_000, true));
    assert_eq!(decoder.take_held(), [7; 5_000]);
    assert!(!decoder.is_holding() && decoder.kept.is_none() && budget.lent() == 0);
    assert_eq!(decoder.hold(&[7; 50_000], &budget), Err(Exhausted));
    assert!(decoder.kept.is_none(), "nothing is kept of it");
}

/// A client's compressed message; the first frame of it has RSV1 (RFC 7692 §7.2.1).
#[cfg(feature = "deflate")]
fn compressed(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = frame(fin, opcode, payload);
    wire[0] |= 0x40;
    wire
}

/// The examples of RFC 7692 §7.2.3, and what §6.1 and §7.2.2 do not allow.
#[cfg(feature = "deflate")]
#[test]
fn compressed_messages() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let bomb = {
        let mut deflated = Vec::new();
        assert!(Codec::default().deflate(
            &[b'a'; LIMIT + 1],
            crate::websocket::extension::Window::Full,
            &mut deflated
        ));
        deflated
    };
    let whole = compressed(true, Opcode::Text, hello);
    let in_two = [
        compressed(false, Opcode::Text, &hello[..3]),
        frame(true, Opcode::Ping, b""),
        frame(true, Opcode::Continuation, &hello[3..]),
    ];
    let rows: [(&str, Vec<u8>, &[Outcome]); 13] = [
        ("one frame, §7.2.3.1", whole.clone(), &[text("Hello")]),
        ("two frames, §7.2.3.1", in_two.concat(), &[ping(b""), text("Hello")]),
        ("nothing", compressed(true, Opcode::Text, b"\x00"), &[text("")]),
        ("not even a block", compressed(true, Opcode::Text, b""), &[text("")]),
        (
            "beside one that is not, §6",
            [whole, frame(true, Opcode::Text, b"a")].concat(),
            &[text("Hello"), text("a")],
        ),
        ("no deflated data", compressed(true, Opcode::Binary, b"\x06"), &[Err(Violation::InvalidDeflate)]),
        (
            "text that is not UTF-8",
            compressed(true, Opcode::Text, b"\x00\x01\x00\xfe\xff\xff\x00"),
            &[Err(Violation::InvalidUtf8)],
        ),
        (
            "the same in two frames",
            [
                compressed(false, Opcode::Text, b"\x00\x01\x00\xfe\xff\xff\x00"),
                frame(true, Opcode::Continuation, b""),
            ]
            .concat(),
            &[Err(Violation::InvalidUtf8)],
        ),
        (
            "a bomb",
            compressed(true, Opcode::Binary, &bomb),
            &[Err(Violation::MessageTooBig { limit: LIMIT })],
        ),
        ("a compressed ping, §6.1", compressed(true, Opcode::Ping, b""), &[Err(Violation::ReservedBits(4))]),
        (
            "a compressed continuation, §6.1",
            [compressed(false, Opcode::Text, hello), compressed(true, Opcode::Continuation, b"")].concat(),
            &[Err(Violation::ReservedBits(4))],
        ),
        ("RSV2", b"\xa1\x80\0\0\0\0".to_vec(), &[Err(Violation::ReservedBits(2))]),
        ("RSV1 and RSV3", b"\xd1\x80\0\0\0\0".to_vec(), &[Err(Violation::ReservedBits(1))]),
    ];
    for (name, wire, want) in rows {
        for step in [wire.len(), 1] {
            let (got, decoder) = outcomes_of(Dialect::Compressible, &wire, std::iter::repeat(step));
            assert_eq!(got, want, "{name}, {step} bytes a read");
            let failed = want.iter().any(Result::is_err);
            assert!(failed || decoder.kept.is_none(), "{name}: nothing is kept between messages");
        }
    }
    let (got, _) = outcomes(&compressed(true, Opcode::Text, hello), std::iter::repeat(1));
    assert_eq!(got, [Err(Violation::ReservedBits(4))], "nobody has agreed to it");
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
