//! UTF-8 that comes in pieces, beside the standard library: the same verdict, at the first byte that shows it.

use super::input::Input;
use fanfare::websocket::utf8::{Checker, InvalidUtf8};
use std::str;

/// The input: cuts, then the text.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let text = input.rest();
    let wrong_at = first_impossible(text);

    let mut checker = Checker::default();
    let mut seen = 0;
    for piece in cuts.pieces(text) {
        let refused = checker.check(piece).is_err();
        let shows = wrong_at.is_some_and(|at| at < seen + piece.len());
        assert_eq!(refused, shows, "the piece from {seen} on, wrong at {wrong_at:?}");
        if refused {
            return;
        }
        seen += piece.len();
        let want = str::from_utf8(&text[..seen]).map(|_| ()).map_err(|_| InvalidUtf8);
        assert_eq!(checker.finish(), want, "if the text ended at {seen}");
    }
}

/// The first byte behind which nothing could make it UTF-8: looked for prefix by prefix, where std says that
/// the text stops to be right.
fn first_impossible(text: &[u8]) -> Option<usize> {
    let right = str::from_utf8(text).err()?.valid_up_to();
    (right..text.len()).find(|&at| {
        let judged = str::from_utf8(&text[right..=at]);
        judged.is_err_and(|error| error.error_len().is_some())
    })
}
