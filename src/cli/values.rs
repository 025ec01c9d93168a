//! How the values of options are spelled: numbers, sizes, durations, switches, origins, tokens.
//!
//! Every reader answers with the value, or with the text that goes behind "takes": what would have been
//! right. The bounds in that text are the bounds that were checked.
//!
//! Must not know: which option a value is for.

use fanfare::config::OriginRule;
use std::ffi::OsStr;
use std::fmt::Display;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

const SIZE_UNITS: [(&str, u64); 4] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10), ("", 1)];
/// In milliseconds. A bare number is seconds, so that `--ping 25` means what it says.
const DURATION_UNITS: [(&str, u64); 4] = [("m", 60_000), ("s", 1_000), ("ms", 1), ("", 1_000)];

/// What most options take; only paths may be other than text.
pub(crate) fn text(value: &OsStr) -> Result<&str, String> {
    value.to_str().ok_or_else(|| "text in UTF-8".to_owned())
}

/// A whole number within bounds.
pub(crate) fn number<T>(text: &str, bounds: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    // `parse` alone would let a plus sign through.
    let number = is_digits(text).then(|| text.parse().ok()).flatten().filter(|n| bounds.contains(n));
    number.ok_or_else(|| format!("a number from {} to {}", bounds.start(), bounds.end()))
}

/// Bytes: a number and optionally `k`, `m` or `g`, powers of 1024. The upper bound is lowered to what this
/// machine can address.
pub(crate) fn size(text: &str, bounds: RangeInclusive<u64>) -> Result<usize, String> {
    let (least, most) = bounds.into_inner();
    let most = most.min(usize::MAX as u64);
    let bytes = with_unit(&text.to_ascii_lowercase(), &SIZE_UNITS).filter(|n| (least..=most).contains(n));
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| {
        let [least, most] = [least, most].map(|bytes| spell(bytes, &SIZE_UNITS));
        format!("a size from {least} to {most} (a number and k, m or g)")
    })
}

/// A time span: a number and `ms`, `s` or `m`; without a unit it is seconds.
pub(crate) fn duration(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = with_unit(text, &DURATION_UNITS).map(Duration::from_millis);
    duration.filter(|duration| bounds.contains(duration)).ok_or_else(|| {
        let [least, most] = [bounds.start(), bounds.end()]
            .map(|bound| spell(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX), &DURATION_UNITS));
        format!("a duration from {least} to {most} (a number and ms, s or m)")
    })
}

/// What a variable says about a switch.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("1, true, yes or on, or 0, false, no or off".to_owned()),
    }
}

/// Whose pages: `any`, `same`, `HOST` or `HOST:PORT`. A scheme in front is dropped, since an address is
/// often pasted whole; anything that could never equal a browser's `Origin` is refused here rather than
/// kept as a rule that allows nobody.
pub(crate) fn origin(text: &str) -> Result<OriginRule, String> {
    let text = text.to_ascii_lowercase();
    match text.as_str() {
        "any" => return Ok(OriginRule::Any),
        "same" => return Ok(OriginRule::Same),
        _ => {}
    }
    let authority = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let host = host_and_port(authority.unwrap_or(&text)).map(OriginRule::Host);
    host.ok_or_else(|| "any, same, HOST or HOST:PORT (an IPv6 address in brackets)".to_owned())
}

/// A token (RFC 9110 §5.6.2), as the name of a subprotocol has to be.
pub(crate) fn token(text: &str) -> Result<String, String> {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_token_byte) {
        return Err("a name of letters, digits and !#$%&'*+-.^_`|~".to_owned());
    }
    Ok(text.to_owned())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `None` as well when the product does not fit.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The shortest way to type a value: in the largest unit that divides it.
fn spell(value: u64, units: &[(&str, u64)]) -> String {
    let largest = units.iter().find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor));
    largest.map_or_else(|| value.to_string(), |(unit, factor)| format!("{}{unit}", value / factor))
}

fn host_and_port(authority: &str) -> Option<String> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(number(port, 1..=u16::MAX).ok()?)),
        _ => (authority, None),
    };
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let right = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        // `null` is no host; as an Origin it is part of the default rule.
        None => !host.is_empty() && host != "null" && host.bytes().all(is_name_byte),
    };
    right.then(|| port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, want) in [("0", Some(0)), ("80", Some(80)), ("65535", Some(65_535)), ("007", Some(7))] {
            assert_eq!(number(text, 0..=u16::MAX).ok(), want, "{text}");
        }
        for text in ["", "x", "-1", "+1", "1.0", " 1", "1 ", "65536", "99999999999999999999", "٣"] {
            let want = Err("a number from 0 to 65535".to_owned());
            assert_eq!(number(text, 0..=u16::MAX), want, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let bounds = 1..=1 << 30;
        let right =
            [("1", 1), ("64k", 65_536), ("64K", 65_536), ("1m", 1 << 20), ("1g", 1 << 30), ("1G", 1 << 30)];
        for (text, want) in right {
            assert_eq!(size(text, bounds.clone()), Ok(want), "{text}");
        }
        for text in
            ["", "0", "k", "-1", "1.5m", "1 k", "1kb", "1KiB", "2g", "1t", "18446744073709551615g", "1µ"]
        {
            let want = Err("a size from 1 to 1g (a number and k, m or g)".to_owned());
            assert_eq!(size(text, bounds.clone()), want, "{text}");
        }
    }

    #[test]
    fn durations() {
        let bounds = Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60);
        for (text, want) in
            [("100ms", 100), ("1s", 1_000), ("25", 25_000), ("2m", 120_000), ("1440m", 86_400_000)]
        {
            assert_eq!(duration(text, bounds.clone()), Ok(Duration::from_millis(want)), "{text}");
        }
        for text in ["", "0", "s", "99ms", "1441m", "1h", "1 s", "1S", "-1s", "1.5s", "18446744073709551615m"]
        {
            let want = Err("a duration from 100ms to 1440m (a number and ms, s or m)".to_owned());
            assert_eq!(duration(text, bounds.clone()), want, "{text}");
        }
    }

    #[test]
    fn spelled_in_the_largest_unit() {
        for (value, want) in
            [(0, "0"), (1, "1"), (1023, "1023"), (1024, "1k"), (1 << 30, "1g"), (1025, "1025")]
        {
            assert_eq!(spell(value, &SIZE_UNITS), want);
        }
        for (value, want) in [(0, "0"), (1, "1ms"), (1_500, "1500ms"), (5_000, "5s"), (60_000, "1m")] {
            assert_eq!(spell(value, &DURATION_UNITS), want);
        }
    }

    #[test]
    fn switches() {
        for (text, want) in [("1", true), ("True", true), ("YES", true), ("on", true)] {
            assert_eq!(switch(text), Ok(want), "{text}");
        }
        for (text, want) in [("0", false), ("false", false), ("No", false), ("off", false)] {
            assert_eq!(switch(text), Ok(want), "{text}");
        }
        for text in ["2", "y", "enabled", " 1"] {
            assert!(switch(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins() {
        let host = |host: &str| Ok(OriginRule::Host(host.to_owned()));
        for (text, want) in [
            ("any", Ok(OriginRule::Any)),
            ("Same", Ok(OriginRule::Same)),
            ("Example.COM", host("example.com")),
            ("example.com:8080", host("example.com:8080")),
            ("example.com:0080", host("example.com:80")),
            ("http://example.com", host("example.com")),
            ("HTTPS://example.com:8443", host("example.com:8443")),
            ("10.0.0.1", host("10.0.0.1")),
            ("[::1]", host("[::1]")),
            ("[::1]:80", host("[::1]:80")),
            ("any.example", host("any.example")),
        ] {
            assert_eq!(origin(text), want, "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "http://",
            "http://any/",
            "example.com/",
            "ws://example.com",
            "a,b",
            "a b",
            "x@y",
            "::1",
            "[::1",
            "[x]",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            ":80",
            "münchen.de",
            "a\nb",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tokens() {
        for text in ["chat", "v1.chat", "graphql-ws", "!#$%&'*+-.^_`|~09AZaz"] {
            assert_eq!(token(text).as_deref(), Ok(text));
        }
        for text in ["", "a b", "a,b", "a/b", "\"a\"", "a\r\n", "é", "a=b"] {
            assert!(token(text).is_err(), "{text}");
        }
    }
}
