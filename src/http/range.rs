//! A range of bytes: what `Range` asks for, and what that is of a content (RFC 9110 §14).
//!
//! Must not know: whether the range is wanted under a condition, where the content is.

use std::fmt;
use std::ops;

/// One range of bytes (RFC 9110 §14.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From a byte on, to another one or to the end.
    From {
        /// The first byte.
        first: u64,
        /// The last byte, itself included.
        last: Option<u64>,
    },
    /// So many bytes at the end.
    Suffix(u64),
}

impl ByteRange {
    /// Reads the value of `Range`. `None`: it is no range, another unit's, or several at once; such a one is ignored,
    /// and the whole content is the answer (RFC 9110 §14.2).
    pub fn parse(value: &[u8]) -> Option<Self> {
        let unit_ends = value.iter().position(|&byte| byte == b'=')?;
        let (unit, ranges) = (&value[..unit_ends], &value[unit_ends + 1..]);
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        let ranges = ranges.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        let mut ranges = ranges.filter(|range| !range.is_empty());
        let (Some(range), None) = (ranges.next(), ranges.next()) else { return None };
        let dash = range.iter().position(|&byte| byte == b'-')?;
        match (&range[..dash], &range[dash + 1..]) {
            ([], suffix) => Some(Self::Suffix(number(suffix)?)),
            (first, []) => Some(Self::From { first: number(first)?, last: None }),
            (first, last) => {
                // As they are written: past all lengths numbers are the same.
                let is_range = is_not_above(first, last);
                let (first, last) = (number(first)?, number(last)?);
                is_range.then_some(Self::From { first, last: Some(last) })
            }
        }
    }

    /// What it is of a content of `length` bytes.
    pub fn of(self, length: u64) -> Part {
        let range = match self {
            // All of nothing is the whole content; no `Content-Range` could say it.
            Self::Suffix(bytes) if bytes > 0 && length == 0 => return Part::Whole,
            Self::Suffix(bytes) => length.saturating_sub(bytes)..length,
            Self::From { first, last } => {
                let end = last.map_or(length, |last| last.saturating_add(1).min(length));
                first..end
            }
        };
        if range.start < range.end { Part::Range(range) } else { Part::Nothing }
    }
}

/// What a range is of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Range(ops::Range<u64>),
    /// Not a byte: it cannot be satisfied (RFC 9110 §15.5.17).
    Nothing,
}

/// The value of `Content-Range` (RFC 9110 §14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// The bytes that are sent; `None`: what was asked for cannot be.
    pub range: Option<ops::Range<u64>>,
    /// Bytes of the whole content.
    pub length: u64,
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.range {
            Some(range) => write!(f, "bytes {}-{}/{}", range.start, range.end - 1, self.length),
            None => write!(f, "bytes */{}", self.length),
        }
    }
}

/// Digits; a number past all lengths is one that no content reaches.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

fn is_not_above(one: &[u8], other: &[u8]) -> bool {
    let [one, other] = [one, other].map(|digits| {
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        &digits[zeros..]
    });
    (one.len(), one) <= (other.len(), other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_a_thousand_bytes() {
        let range = |from, to| Some(Part::Range(from..to));
        let rows = [
            ("bytes=0-0", range(0, 1)),
            ("bytes=0-499", range(0, 500)),
            ("bytes=500-", range(500, 1000)),
            ("bytes=999-", range(999, 1000)),
            ("bytes=0-5000", range(0, 1000)),
            ("bytes=-1", range(999, 1000)),
            ("bytes=-1000", range(0, 1000)),
            ("bytes=-5000", range(0, 1000)),
            ("Bytes= 1-2 ", range(1, 3)),
            ("bytes=,1-2,", range(1, 3)),
            ("bytes=5-99999999999999999999999999", range(5, 1000)),
            ("bytes=1000-", Some(Part::Nothing)),
            ("bytes=1000-1001", Some(Part::Nothing)),
            ("bytes=99999999999999999999999999-", Some(Part::Nothing)),
            ("bytes=-0", Some(Part::Nothing)),
            ("bytes=2-1", None),
            ("bytes=10-9", None),
            ("bytes=002-10", range(2, 11)),
            ("bytes=0000-0", range(0, 1)),
            ("bytes=18446744073709551616-18446744073709551615", None),
            ("bytes=0-1,3-4", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=1", None),
            ("bytes=a-b", None),
            ("bytes=1-2-3", None),
            ("bytes=+1-2", None),
            ("bytes=0x1-2", None),
            ("bytes =1-2", None),
            ("items=0-1", None),
            ("0-1", None),
            ("", None),
        ];
        for (value, want) in rows {
            assert_eq!(ByteRange::parse(value.as_bytes()).map(|range| range.of(1000)), want, "{value}");
        }
    }

    #[test]
    fn of_nothing() {
        let of_nothing = |value: &str| ByteRange::parse(value.as_bytes()).map(|range| range.of(0));
        assert_eq!(of_nothing("bytes=0-"), Some(Part::Nothing));
        assert_eq!(of_nothing("bytes=-5"), Some(Part::Whole));
    }

    #[test]
    fn as_it_is_written() {
        let said = |range, length| ContentRange { range, length }.to_string();
        assert_eq!(said(Some(0..500), 1234), "bytes 0-499/1234");
        assert_eq!(said(None, 1234), "bytes */1234");
    }

    proptest! {
        #[test]
        fn never_past_the_content(
            value in "bytes=[0-9]{0,21}-[0-9]{0,21}",
            length in prop_oneof![0..10_u64, 0..u64::MAX],
        ) {
            let Some(Part::Range(range)) = ByteRange::parse(value.as_bytes()).map(|range| range.of(length)) else {
                return Ok(());
            };
            prop_assert!(range.start < range.end && range.end <= length, "{value} of {length}: {range:?}");
        }
    }
}
