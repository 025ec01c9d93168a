//! Wire bytes of the draft and the events they make, however the reads are cut.

use super::{Dialect, LIMIT, Outcome, closed, outcomes_of, text};
use crate::message::{CloseCode, Message};
use crate::websocket::Violation;
use crate::websocket::decoder::Decoder;
use crate::websocket::message::Event;
use proptest::prelude::*;

fn outcomes(wire: &[u8], sizes: impl Iterator<Item = usize>) -> (Vec<Outcome>, Decoder) {
    outcomes_of(Dialect::Legacy, wire, sizes)
}

#[test]
fn wire_to_events() {
    let close = || closed(CloseCode::NO_STATUS, "");
    let too_big = || Err(Violation::MessageTooBig { limit: LIMIT });
    let long = [&[0x00][..], &[b'a'; LIMIT + 1], &[0xff]].concat();
    let longest = [&[0x00][..], &[b'a'; LIMIT], &[0xff]].concat();
    let replaced = [&[0x00][..], &[0x80; LIMIT / 2], &[0xff]].concat();
    let rows: [(&str, &[u8], &[Outcome]); 15] = [
        ("text", b"\x00Hello\xff", &[text("Hello")]),
        ("nothing", b"\x00\xff", &[text("")]),
        ("two", b"\x00a\xff\x00\xc3\xa9\xff", &[text("a"), text("é")]),
        ("not UTF-8, §5.2", b"\x00a\x80b\xff", &[text("a\u{fffd}b")]),
        ("half a character", b"\x00\xc3\xff", &[text("\u{fffd}")]),
        ("a close", b"\xff\x00", &[close()]),
        ("text and a close", b"\x00a\xff\xff\x00", &[text("a"), close()]),
        ("a type that means nothing", b"\x01secret\xff\x00a\xff", &[text("a")]),
        ("a type with a length", b"\x80\x03abc\x00a\xff", &[text("a")]),
        ("a length in two bytes", b"\x80\x80\x03abc\x00a\xff", &[text("a")]),
        ("an 0xff with a length", b"\xff\x01a\x00a\xff", &[text("a")]),
        ("a length that is too long", b"\x80\x88\x7f", &[too_big()]),
        ("text that is too long", &long, &[too_big()]),
        ("a text that gets too long", &replaced, &[too_big()]),
        ("the longest", &longest, &[Ok(Event::Message(Message::text("a".repeat(LIMIT))))]),
    ];
    for (name, wire, want) in rows {
        for step in [wire.len(), 3, 1] {
            let (got, decoder) = outcomes(wire, std::iter::repeat(step));
            assert_eq!(got, want, "{name}, {step} bytes a read");
            let failed = want.iter().any(Result::is_err);
            assert!(failed || !decoder.is_partial(), "{name}: nothing is kept between messages");
        }
    }
}

#[test]
fn an_unknown_frame_has_a_bound_as_well() {
    let wire = vec![0x01; LIMIT + 2];
    let (got, decoder) = outcomes(&wire, std::iter::repeat(7));
    assert_eq!(got, [Err(Violation::MessageTooBig { limit: LIMIT })]);
    assert_eq!(decoder.kept_bytes(), 0);
}

#[test]
fn memory_grows_with_the_bytes_that_come() {
    let (got, decoder) = outcomes(b"\x00abc", std::iter::repeat(1));
    assert!(got.is_empty() && decoder.is_partial());
    assert!((1..=8).contains(&decoder.kept_bytes()), "{}", decoder.kept_bytes());
}

proptest! {
    /// Whatever comes in: no panic, text alone, and cut or whole makes no difference.
    #[test]
    fn random_bytes(
        wire in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 0..300),
        reads in prop::collection::vec(1_usize..9, 1..9),
    ) {
        let whole = outcomes(&wire, std::iter::repeat(wire.len().max(1))).0;
        let cut = outcomes(&wire, reads.into_iter().cycle()).0;
        prop_assert_eq!(whole, cut);
    }
}
