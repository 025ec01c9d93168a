//! Each format on the wire, and back.

use super::*;
use crate::budget::Budget;
use crate::websocket::decoder::{Decoder, Rules};
use crate::websocket::mask;
use crate::websocket::message::Event;
use proptest::prelude::*;

fn wire(format: WireFormat, message: &Message<'_>) -> Option<Vec<u8>> {
    let mut room = Vec::new();
    let frame = format.frame(message, &Codec::default(), &mut room)?;
    Some(frame.parts().concat())
}

#[test]
fn plain_is_one_unmasked_frame() {
    let plain = |message| wire(WireFormat::Plain, &message).expect("everything can be said");
    assert_eq!(plain(Message::text("Hello")), b"\x81\x05Hello");
    assert_eq!(plain(Message::binary(vec![0; 256]))[..4], *b"\x82\x7e\x01\x00");
}

#[test]
fn the_draft_has_text_alone() {
    assert_eq!(wire(WireFormat::Legacy, &Message::text("é")).as_deref(), Some(&b"\x00\xc3\xa9\xff"[..]));
    assert_eq!(wire(WireFormat::Legacy, &Message::binary(&b"a"[..])), None);
    assert_eq!(WireFormat::Legacy.close(CloseCode::NORMAL, "bye"), b"\xff\x00");
}

#[cfg(feature = "deflate")]
#[test]
fn compressed_where_that_makes_it_shorter() {
    for format in [WireFormat::Deflate, WireFormat::DeflateSmall] {
        let short = wire(format, &Message::text("Hello"));
        assert_eq!(short, wire(WireFormat::Plain, &Message::text("Hello")), "{format:?}");
        let long = wire(format, &Message::text("Hello ".repeat(100))).expect("everything can be said");
        assert_eq!(long[0], 0xc1, "{format:?}: RSV1, as RFC 7692 §6 says");
        assert!(long.len() < 50, "{format:?}: {} bytes", long.len());
    }
}

#[test]
fn a_seat_tells_its_format() {
    for format in WireFormat::ALL {
        for index in [0, 1, 20_000] {
            assert_eq!(WireFormat::of(format.seat(index)), (format, index));
        }
    }
}

proptest! {
    /// What is written is read as what it was, by a decoder that is a server's: the client's mask is put on
    /// in between, the one thing in which the two directions differ.
    #[test]
    fn what_is_written_is_read(
        text in any::<Option<String>>(),
        length in prop_oneof![0_usize..300, 65_530_usize..65_540, Just(200_000)],
        key: [u8; 4],
        format in prop::sample::select(&WireFormat::ALL[..]),
    ) {
        let message = match text {
            Some(text) => Message::text(text.repeat(length / 100)),
            None => Message::binary(vec![7; length]),
        };
        let Some(mut wire) = wire(format, &message) else {
            prop_assert_eq!((format, message.kind()), (WireFormat::Legacy, Kind::Binary));
            return Ok(());
        };
        if format != WireFormat::Legacy {
            let (header, used, is_compressed) = Header::parse_compressible(&wire).expect("right").expect("complete");
            prop_assert_eq!((header.masking_key, header.fin), (None, true));
            let mut payload = wire[used..].to_vec();
            mask::apply(&mut payload, key, 0);
            let head = Header { masking_key: Some(key), ..header }.write();
            let head = if is_compressed { head.compressed() } else { head };
            wire = [&*head, &payload].concat();
        }
        let (budget, codec) = (Budget::new(usize::MAX), Codec::default());
        let dialect = format.dialect();
        let rules = Rules { dialect, message_bytes_max: 1 << 26, budget: &budget, codec: &codec };
        let mut input = &mut wire[..];
        let event = Decoder::default().decode(&mut input, &rules).expect("right");
        prop_assert!(input.is_empty());
        prop_assert_eq!(event, Some(Event::Message(message)));
    }
}
