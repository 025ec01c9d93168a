//! UTF-8, checked as it comes in (RFC 6455 §8.1, RFC 3629).
//!
//! A character may be cut by the end of a read or of a fragment: its first bytes, three at most, wait in
//! the [`Checker`]. What can no longer become UTF-8 is refused at the first impossible byte.
//!
//! Must not know: where the text comes from.

use std::str;

/// The text seen so far is no UTF-8, whatever may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUtf8;

/// Checks a text given in pieces.
///
/// Invariant: `waiting[..used]` is the beginning of a character, and `used < 4`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checker {
    waiting: [u8; 4],
    used: usize,
}

impl Checker {
    /// Takes the next piece.
    ///
    /// # Errors
    /// When no continuation could make the text UTF-8.
    pub fn check(&mut self, mut bytes: &[u8]) -> Result<(), InvalidUtf8> {
        while self.used > 0 {
            let Some((&next, rest)) = bytes.split_first() else { return Ok(()) };
            self.waiting[self.used] = next;
            self.used += 1;
            bytes = rest;
            match str::from_utf8(&self.waiting[..self.used]) {
                Ok(_) => self.used = 0,
                Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
                Err(_) => {}
            }
        }
        let Err(error) = str::from_utf8(bytes) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(InvalidUtf8);
        }
        let cut = &bytes[error.valid_up_to()..];
        self.waiting[..cut.len()].copy_from_slice(cut);
        self.used = cut.len();
        Ok(())
    }

    /// The text ends here.
    ///
    /// # Errors
    /// When it ends in the middle of a character.
    pub fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.used == 0 { Ok(()) } else { Err(InvalidUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many bytes are taken before the refusal; `None`: none is refused.
    fn refused_after(bytes: &[u8]) -> Option<usize> {
        let mut checker = Checker::default();
        (0..bytes.len()).find(|&i| checker.check(&bytes[i..=i]).is_err())
    }

    #[test]
    fn refused_at_the_first_impossible_byte() {
        let rows: [(&str, &[u8], Option<usize>); 9] = [
            ("κόσμε", "κόσμε".as_bytes(), None),
            ("U+10FFFF", b"\xf4\x8f\xbf\xbf", None),
            ("past U+10FFFF", b"\xf4\x90\x80\x80", Some(1)),
            ("a surrogate", b"\xed\xa0\x80", Some(1)),
            ("too long a form", b"\xc0\xaf", Some(0)),
            ("too long a form of three", b"\xe0\x80\xaf", Some(1)),
            ("a continuation alone", b"a\x80", Some(1)),
            ("F5", b"\xf5", Some(0)),
            ("cut, then ASCII", b"\xe2\x82a", Some(2)),
        ];
        for (name, bytes, want) in rows {
            assert_eq!(refused_after(bytes), want, "{name}");
        }
    }

    #[test]
    fn a_text_may_not_end_in_a_character() {
        let mut checker = Checker::default();
        assert_eq!(checker.check("€".as_bytes()), Ok(()));
        assert_eq!(checker.finish(), Ok(()));
        assert_eq!(checker.check(&"€".as_bytes()[..2]), Ok(()));
        assert_eq!(checker.finish(), Err(InvalidUtf8));
    }

    proptest! {
        #[test]
        fn agrees_with_std_wherever_it_is_cut(bytes: Vec<u8>, text: String, cuts: [usize; 3]) {
            for bytes in [&bytes[..], text.as_bytes()] {
                let mut cuts = cuts.map(|cut| cut % (bytes.len() + 1));
                cuts.sort_unstable();
                let pieces = [&bytes[..cuts[0]], &bytes[cuts[0]..cuts[1]], &bytes[cuts[1]..cuts[2]], &bytes[cuts[2]..]];
                let mut checker = Checker::default();
                let got = pieces.iter().try_for_each(|piece| checker.check(piece)).and_then(|()| checker.finish());
                prop_assert_eq!(got.is_ok(), str::from_utf8(bytes).is_ok());
            }
        }
    }
}
