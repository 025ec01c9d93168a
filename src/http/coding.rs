//! Content codings: which of those there are is the one that a client wants (RFC 9110 §8.4.1, §12.5.3).
//!
//! Must not know: who has coded anything, or where it lies.

use super::headers::Headers;

/// How the content of a response may be coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstandard,
    /// GZIP (RFC 1952).
    Gzip,
    /// Not at all.
    Identity,
}

impl Coding {
    /// All of them, the one first that makes pages smallest.
    pub const ALL: [Self; 4] = [Self::Brotli, Self::Zstandard, Self::Gzip, Self::Identity];

    /// Its name for `Content-Encoding`, which says nothing of what is not coded.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Zstandard => Some("zstd"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What the name of a coded file ends with, behind that of the file itself.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstandard => ".zst",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is("br") => Some(Self::Brotli),
            () if is("zstd") => Some(Self::Zstandard),
            // An old name for the same (RFC 9110 §8.4.1.3).
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            () if is("identity") => Some(Self::Identity),
            () => None,
        }
    }
}

/// How much a client wants each coding, in thousandths, in the order of [`Coding::ALL`]; 0: not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted([u16; Coding::ALL.len()]);

impl Accepted {
    /// Without the header, a client gets what every client can read.
    pub const IDENTITY: Self = Self([0, 0, 0, 1]);

    /// Reads `Accept-Encoding`. A member that is none is left out.
    pub fn parse(headers: &Headers<'_>) -> Self {
        let mut listed = [None; Coding::ALL.len()];
        let mut others = None;
        for member in headers.list("accept-encoding") {
            let Some((name, weight)) = parse_member(member) else { continue };
            match Coding::parse(name) {
                Some(coding) => listed[coding as usize] = Some(weight),
                None if name == b"*" => others = Some(weight),
                None => {}
            }
        }
        // What is not coded is acceptable unless it is excluded, but comes behind all that is listed.
        Self(Coding::ALL.map(|coding| {
            let unlisted = if coding == Coding::Identity { 1 } else { 0 };
            listed[coding as usize].or(others).unwrap_or(unlisted)
        }))
    }

    /// The one of those there are that is wanted most; of several the smallest. Where none is acceptable it is what is
    /// not coded: a page that cannot be read says more than none (RFC 9110 §12.4.1).
    pub fn choose(self, is_there: impl Fn(Coding) -> bool) -> Coding {
        let mut best = (Coding::Identity, 0);
        for coding in Coding::ALL {
            let weight = self.0[coding as usize];
            if weight > best.1 && is_there(coding) {
                best = (coding, weight);
            }
        }
        best.0
    }
}

/// A name and its weight in thousandths, 1000 where none is given.
fn parse_member(member: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next()?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => parse_weight(parameter)?,
    };
    Some((name, weight))
}

/// `q=0.5` (RFC 9110 §12.4.2).
fn parse_weight(parameter: &[u8]) -> Option<u16> {
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    let (whole, fraction) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    if !matches!(whole, b'0' | b'1') || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| u16::from(fraction.get(place).unwrap_or(&b'0') - b'0');
    let weight = u16::from(whole - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    (weight <= 1000).then_some(weight)
}

// The discriminants are the places in `Accepted`.
const _: () = assert!(Coding::Brotli as usize == 0 && Coding::Identity as usize == 3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::headers::Header;

    fn accepted(lines: &[&str]) -> Accepted {
        let header = |value: &&'static str| Header { name: "Accept-Encoding", value: value.as_bytes() };
        // Tests have literals only.
        let lines: Vec<&'static str> = lines.iter().map(|line| &*line.to_string().leak()).collect();
        Accepted::parse(&lines.iter().map(header).collect())
    }

    #[test]
    fn chosen() {
        use Coding::{Brotli, Gzip, Identity, Zstandard};
        let all = &[Brotli, Zstandard, Gzip, Identity][..];
        let gzip = &[Gzip, Identity][..];
        let rows: [(&[&str], &[Coding], Coding); 21] = [
            (&[], all, Identity),
            (&[""], all, Identity),
            (&["gzip, deflate, br, zstd"], all, Brotli),
            (&["gzip, deflate, br, zstd"], gzip, Gzip),
            (&["gzip, deflate"], all, Gzip),
            (&["gzip", "br"], all, Brotli),
            (&["gzip;q=1.0, br;q=0.5"], all, Gzip),
            (&["gzip;q=0.5, br;q=0.50, zstd;q=0.501"], all, Zstandard),
            (&["gzip;q=0"], all, Identity),
            (&["gzip;q=0.000, *"], all, Brotli),
            (&["*"], gzip, Gzip),
            (&["*;q=0"], all, Identity),
            (&["identity;q=0, gzip;q=0.001"], all, Gzip),
            (&["identity, gzip;q=0.5"], all, Identity),
            (&["gzip;q=0.001"], all, Gzip),
            (&["GZIP;Q=0.7"], all, Gzip),
            (&["x-gzip"], all, Gzip),
            (&["gzip ; q=0.7"], all, Gzip),
            (&["deflate, compress"], all, Identity),
            (&["gzip;q=2, br;q=0.1234, zstd;q=x"], all, Identity),
            (&["gzip;q=1.001"], all, Identity),
        ];
        for (lines, there, want) in rows {
            let got = accepted(lines).choose(|coding| there.contains(&coding));
            assert_eq!(got, want, "{lines:?} of {there:?}");
        }
    }

    #[test]
    fn without_the_header_nothing_is_coded() {
        assert_eq!(accepted(&[]), Accepted::IDENTITY);
    }
}
