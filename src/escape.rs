//! Text from outside made fit for one line: on a terminal, or between the quotes of JSON.
//!
//! Must not know: where the text comes from, where it goes.
//!
//! Invariant: what comes out has no control character and no line break, whatever went in.

use std::fmt::Write as _;

/// Whatever could end a line or begin an escape sequence becomes `\u001b` and the like.
pub(crate) fn text(raw: &str) -> String {
    escape(raw, "")
}

/// The same for the inside of a string in JSON (RFC 8259 §7): also what could end that string.
pub(crate) fn json(raw: &str) -> String {
    escape(raw, "\"\\")
}

/// All that is written as a code is below U+10000, so the code is one of JSON as well.
fn escape(raw: &str, specials: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            // Line breaks to JavaScript and to some terminals, though no control characters.
            '\u{2028}' | '\u{2029}' => push_code(&mut escaped, letter),
            letter if letter.is_control() => push_code(&mut escaped, letter),
            letter if specials.contains(letter) => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
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
        ];
        for (raw, as_text, as_json) in rows {
            assert_eq!(text(raw), as_text, "{raw:?}");
            assert_eq!(json(raw), as_json, "{raw:?}");
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
