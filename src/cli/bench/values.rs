//! How the values of options are spelled that only `fanfare bench` has: header lines, names, milliseconds.
//!
//! Every reader answers with the value, or with the text that goes behind "takes": what would have been
//! right.
//!
//! Must not know: which option a value is for.

use super::super::values;
use fanfare::http::headers::is_token;
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// The header that a token is sent in; it may be given by hand instead.
pub(crate) const AUTHORIZATION: &str = "Authorization";

/// Headers that the handshake writes itself (RFC 6455 §4.1), and the option that decides what they say.
const OWN_HEADERS: [(&str, Option<&str>); 8] = [
    ("Host", None),
    ("Upgrade", None),
    ("Connection", None),
    ("Sec-WebSocket-Key", None),
    ("Sec-WebSocket-Version", None),
    ("Sec-WebSocket-Protocol", Some("--protocol")),
    ("Sec-WebSocket-Extensions", Some("--deflate")),
    ("Origin", Some("--origin")),
];

/// `NAME: VALUE`, of which the name is a token and the value has no control characters (RFC 9110 §5.5).
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let form =
        "NAME: VALUE, a name of letters, digits and !#$%&'*+-.^_`|~ and a value without control characters";
    let (name, value) = text.split_once(':').ok_or(form)?;
    let value = value.trim_matches([' ', '\t']);
    let is_control = |letter: char| letter.is_control() && letter != '\t';
    if !is_token(name.as_bytes()) || value.contains(is_control) {
        return Err(form.to_owned());
    }
    let own = OWN_HEADERS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    match own {
        None => Ok((name.to_owned(), value.to_owned())),
        Some((own, Some(option))) => Err(format!("headers other than {own}, which {option} decides")),
        Some((own, None)) => Err(format!("headers other than {own}, which the handshake needs for itself")),
    }
}

/// What fits into a header line as one word.
pub(crate) fn visible(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("visible ASCII without spaces".to_owned());
    }
    Ok(text.to_owned())
}

/// A time span of which a bare number is milliseconds.
pub(crate) fn milliseconds(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    let is_bare = text.bytes().all(|byte| byte.is_ascii_digit());
    let unit = if is_bare { "ms" } else { "" };
    values::duration(&format!("{text}{unit}"), bounds)
}

/// One of several names.
pub(crate) fn one_of<T: Copy, const N: usize>(text: &str, names: [(&str, T); N]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names = names.map(|(name, _)| name).join(", ");
        // Before the last one stands an "or".
        names.rsplit_once(", ").map_or(names.clone(), |(before, last)| format!("{before} or {last}"))
    })
}

/// The path of a file.
pub(crate) fn file(path: &OsStr) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err("a file".to_owned());
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (text, name, value) in [
            ("Cookie: a=b; c=d", "Cookie", "a=b; c=d"),
            ("X-Real-IP:10.0.0.1", "X-Real-IP", "10.0.0.1"),
            ("a: \t b\tc \t", "a", "b\tc"),
            ("a:", "a", ""),
            ("a: b: c", "a", "b: c"),
            ("authorization: Bearer x", "authorization", "Bearer x"),
            ("a: \u{e9}", "a", "\u{e9}"),
        ] {
            assert_eq!(header(text), Ok((name.to_owned(), value.to_owned())), "{text}");
        }
        for text in
            ["", "a", ": b", "a b: c", " a: b", "a : b", "\u{e9}: a", "a: b\r\nc: d", "a: \0", "a: \u{85}"]
        {
            assert!(header(text).is_err_and(|takes| takes.starts_with("NAME: VALUE, ")), "{text:?}");
        }
        for (text, want) in [
            ("host: a", "headers other than Host, which the handshake needs for itself"),
            ("UPGRADE: a", "headers other than Upgrade, which the handshake needs for itself"),
            ("Connection:", "headers other than Connection, which the handshake needs for itself"),
            (
                "sec-websocket-key: a",
                "headers other than Sec-WebSocket-Key, which the handshake needs for itself",
            ),
            (
                "Sec-WebSocket-Protocol: a",
                "headers other than Sec-WebSocket-Protocol, which --protocol decides",
            ),
            (
                "Sec-WebSocket-Extensions: a",
                "headers other than Sec-WebSocket-Extensions, which --deflate decides",
            ),
            ("origin: a", "headers other than Origin, which --origin decides"),
        ] {
            assert_eq!(header(text), Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn visible_words() {
        for text in ["a", "https://example.com:1", "!~", "null"] {
            assert_eq!(visible(text).as_deref(), Ok(text));
        }
        for text in ["", " ", "a b", "a\n", "\u{e9}", "\u{7f}"] {
            assert!(visible(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn milliseconds_need_no_unit() {
        let bounds = Duration::from_millis(1)..=Duration::from_secs(60);
        for (text, want) in [("20", 20), ("20ms", 20), ("2s", 2_000), ("1m", 60_000), ("60000", 60_000)] {
            assert_eq!(milliseconds(text, bounds.clone()), Ok(Duration::from_millis(want)), "{text}");
        }
        for text in ["", "0", "60001", "2m", "1.5", "-1", "1h"] {
            let want = Err("a duration from 1ms to 1m (a number and ms, s or m)".to_owned());
            assert_eq!(milliseconds(text, bounds.clone()), want, "{text}");
        }
    }
}
