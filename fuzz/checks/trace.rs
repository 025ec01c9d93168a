//! The taps of a trace, beside the headers as the protocol reads them: the same records wherever the bytes are cut, and
//! every frame that is right is one of them, with its first bytes.

use super::input::Input;
use fanfare::budget::Budget;
use fanfare::limits::TRACED_FRAME_BYTES;
use fanfare::trace::{Tap, Trace};
use fanfare::websocket::frame::Header;

/// The input: how many bytes come before a response, cuts, then what goes by.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let owed = u64::from(input.byte());
    let cuts = input.cuts();
    let wire = input.rest();
    for tap in [Tap::of_frames, || Tap::of_responses(0)] {
        assert_eq!(told(tap(), [wire].into_iter()), told(tap(), cuts.pieces(wire)), "where it is cut");
    }
    let behind = wire.get(usize::try_from(owed).expect("it is a byte")..).unwrap_or_default();
    let skipping = told(Tap::of_responses(owed), cuts.pieces(wire));
    assert_eq!(
        skipping,
        told(Tap::of_responses(0), [behind].into_iter()),
        "what comes before is not looked at"
    );
    shows_what_is_right(wire);
}

/// What a viewer would be told of bytes in pieces.
fn told<'a>(mut tap: Tap, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut trace = Trace::new(&Budget::new(usize::MAX));
    let mut told = Vec::new();
    for piece in pieces {
        tap.receive(piece, 0, &mut trace);
        told.extend(std::iter::from_fn(|| trace.pop()));
    }
    tap.end(0, &mut trace);
    told.extend(std::iter::from_fn(|| trace.pop()));
    told
}

fn shows_what_is_right(wire: &[u8]) {
    let records = told(Tap::of_frames(), [wire].into_iter());
    let mut records = records.iter();
    let mut rest = wire;
    while let Ok(Some((header, used))) = Header::parse(rest) {
        let whole = usize::try_from(header.length).ok().and_then(|length| length.checked_add(used));
        let bytes = &rest[..whole.unwrap_or(usize::MAX).min(rest.len())];
        let shown = &bytes[..bytes.len().min(TRACED_FRAME_BYTES)];
        let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        let record = records.next().expect("a frame whose header is whole is told");
        assert!(record.contains(&format!("\"wire\":\"{hex}\"")), "{record} has not {hex}");
        assert!(record.contains(&format!("\"length\":{},", header.length)), "{record}");
        rest = &rest[bytes.len()..];
    }
}
