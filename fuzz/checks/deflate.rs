//! Compressed messages: whatever comes is within its bounds, however it is cut; what was compressed comes back.

use super::frames::decode;
use super::input::Input;
use fanfare::websocket::Violation;
use fanfare::websocket::codec::Codec;
use fanfare::websocket::decoder::Dialect;
use fanfare::websocket::extension::Window;
use fanfare::websocket::frame::{Header, Opcode};
use fanfare::websocket::message::Event;

/// The input: cuts, which limit, then what is deflated or passed off as it.
pub fn check(input: &[u8]) {
    if !cfg!(feature = "deflate") {
        return;
    }
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let limit = [1 << 20, 0, 1, 125, 1_000, 1 << 16][input.below(6)];
    let at = input.below(256);
    let payload = input.rest();

    there_and_back(payload);
    inflates_within(payload, limit);
    // As the fragments of a message, what is behind `at` in the second: right only by luck, within bounds always.
    let (first, second) = payload.split_at(at.min(payload.len()));
    let wire = [frame(0x41, first), frame(0x80, second), frame(0xc2, payload), frame(0x89, b"")].concat();
    let whole = decode([&wire[..]].into_iter(), Dialect::Compressible, limit);
    let cut = decode(cuts.pieces(&wire), Dialect::Compressible, limit);
    assert_eq!(whole, cut, "whole, and cut by {cuts:?}");
    for outcome in whole {
        if let Ok(Event::Message(message)) = outcome {
            assert!(message.payload().len() <= limit);
        }
    }
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let opcode = Opcode::Binary;
    let header = Header { fin: true, opcode, masking_key: Some([0; 4]), length: payload.len() as u64 };
    let mut wire = [&*header.write(), payload].concat();
    wire[0] = first;
    wire
}

fn there_and_back(payload: &[u8]) {
    let codec = Codec::default();
    // Longer, and like itself: alone it would hardly ever be worth it.
    let payload = payload.repeat(3);
    let mut deflated = Vec::new();
    for window in Window::ALL {
        if codec.deflate(&payload, window, &mut deflated) {
            assert!(deflated.len() < payload.len());
            assert_eq!(codec.inflate(&deflated, payload.len()).as_ref(), Ok(&payload), "{window:?}");
        }
    }
}

/// At most the limit, and not a byte less than without one.
fn inflates_within(payload: &[u8], limit: usize) {
    let codec = Codec::default();
    match codec.inflate(payload, limit) {
        Ok(inflated) => {
            assert!(inflated.len() <= limit);
            if let Some(limit) = inflated.len().checked_sub(1) {
                assert_eq!(codec.inflate(payload, limit), Err(Violation::MessageTooBig { limit }));
            }
        }
        Err(violation) => {
            assert!(matches!(violation, Violation::InvalidDeflate | Violation::MessageTooBig { .. }));
        }
    }
}
