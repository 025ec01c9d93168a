//! Text from outside made fit for one line: on a terminal, or between the quotes of JSON.
//!
//! Must not know: where the text comes from, where it goes.
//!
//! Invariant: what comes out has no control character and no line break, whatever went in.

use fanfare::http::html::misleads;
use std::fmt::Write as _;

/// What stands for the rest of a text that was cut.
const ELLIPSIS: char = '…';

/// Whatever could end a line or begin an escape sequence becomes `\u001b` and the like.
#[cfg(any(test, feature = "bench"))]
pub(crate) fn text(raw: &str) -> String {
    text_within(raw, usize::MAX)
}

/// The same in so many bytes: a longer text is cut, and ends with an ellipsis.
pub(crate) fn text_within(raw: &str, bytes: usize) -> String {
    escape(raw, "", bytes)
}

/// The same for the inside of a string in JSON (RFC 8259 §7): also what could end that string.
#[cfg(any(test, feature = "bench"))]
pub(crate) fn json(raw: &str) -> String {
    json_within(raw, usize::MAX)
}

/// The same in so many bytes. No code is cut in two, so the string stays one.
pub(crate) fn json_within(raw: &str, bytes: usize) -> String {
    escape(raw, "\"\\", bytes)
}

/// All that is written as a code is below U+10000, so the code is one of JSON as well.
fn escape(raw: &str, specials: &str, bytes: usize) -> String {
    let mut escaped = String::with_capacity(raw.len().min(bytes));
    // How much may stay where an ellipsis must follow.
    let mut fits = 0;
    for letter in raw.chars() {
        match letter {
            letter if misleads(letter) => push_code(&mut escaped, letter),
            letter if specials.contains(letter) => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
        if escaped.len() > bytes {
            return cut(escaped, fits, bytes);
        }
        if escaped.len() <= bytes.saturating_sub(ELLIPSIS.len_utf8()) {
            fits = escaped.len();
        }
    }
    escaped
}

/// Where not even the ellipsis has room, nothing is left.
fn cut(mut escaped: String, fits: usize, bytes: usize) -> String {
    escaped.truncate(fits);
    if bytes >= ELLIPSIS.len_utf8() {
        escaped.push(ELLIPSIS);
    }
    escaped
}

fn push_code(escaped: &mut String, letter: char) {
    // Writing to a String does not fail.
    let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped() {
        let rows = [
            ("", "", ""),
            ("你好, é", "你好, é", "你好, é"),
            (r#"say "a\b""#, r#"say "a\b""#, r#"say \"a\\b\""#),
            ("a\r\nb\t", r"a\u000d\u000ab\u0009", r"a\u000d\u000ab\u0009"),
            ("\x1b[31m\x7f\0", r"\u001b[31m\u007f\u0000", r"\u001b[31m\u007f\u0000"),
            ("\u{85}\u{9b}\u{2028}\u{2029}", r"\u0085\u009b\u2028\u2029", r"\u0085\u009b\u2028\u2029"),
            ("a\u{202e}b\u{2066}\u{feff}", r"a\u202eb\u2066\ufeff", r"a\u202eb\u2066\ufeff"),
        ];
        for (raw, as_text, as_json) in rows {
            assert_eq!(text(raw), as_text, "{raw:?}");
            assert_eq!(json(raw), as_json, "{raw:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_letters_and_between_codes() {
        let rows = [
            ("abcdef", 6, "abcdef", "abcdef"),
            ("abcdef", 5, "ab…", "ab…"),
            ("abcdef", 3, "…", "…"),
            ("abcdef", 2, "", ""),
            ("", 0, "", ""),
            ("你好你", 9, "你好你", "你好你"),
            ("你好你", 8, "你…", "你…"),
            ("a\r\nb", 14, r"a\u000d\u000ab", r"a\u000d\u000ab"),
            ("a\r\nb", 13, r"a\u000d…", r"a\u000d…"),
            ("a\r\nb", 9, "a…", "a…"),
            (r#"ab"""#, 4, r#"ab"""#, "a…"),
            (r"a\\\", 7, r"a\\\", r"a\\\\\\"),
            (r"a\\\", 6, r"a\\\", r"a\\…"),
        ];
        for (raw, bytes, as_text, as_json) in rows {
            assert_eq!(text_within(raw, bytes), as_text, "{raw:?} in {bytes}");
            assert_eq!(json_within(raw, bytes), as_json, "{raw:?} in {bytes}");
        }
    }

    #[test]
    fn every_character_leaves_one_line() {
        let all: String = ('\0'..=char::MAX).collect();
        for escaped in [text(&all), json(&all)] {
            assert!(!escaped.contains(|letter: char| letter.is_control()));
        }
    }
}
