//! Text made fit for HTML.
//!
//! Must not know: the page that it goes into.
//!
//! Invariant: what comes out is text between two tags and between the quotes of an attribute, on one line, in the order
//! in which it was written.

/// Letters that mean something in HTML as references. What would end a line or turns around what follows shows as
/// a replacement.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if misleads(letter) => escaped.push(char::REPLACEMENT_CHARACTER),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Whether a letter would let a line show what it does not say: one that ends it, begins an escape sequence, turns around
/// what follows or cannot be seen. All of them are below U+10000.
pub fn misleads(letter: char) -> bool {
    match letter {
        // Line ends to JavaScript and to some terminals, though no control characters.
        '\u{2028}' | '\u{2029}' => true,
        '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => true,
        letter => letter.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped() {
        for (text, want) in [
            ("", ""),
            ("a é 你", "a é 你"),
            ("<a href=\"x\" b='&'>", "&lt;a href=&quot;x&quot; b=&#39;&amp;&#39;&gt;"),
            ("a\r\nb\0\u{9b}", "a\u{fffd}\u{fffd}b\u{fffd}\u{fffd}"),
            ("\u{202e}txt.exe\u{feff}\u{2028}", "\u{fffd}txt.exe\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(escape(text), want, "{text:?}");
        }
    }
}
