//! A request's body, as its head announces it (RFC 9112 §6): how long it is, and whether the client waits to
//! be told to send it (RFC 9110 §10.1.1).
//!
//! No request takes a body here. One whose length is said is dropped; one that says chunk by chunk how long
//! it is ends the connection behind the response, and its end need not be found.
//!
//! Must not know: the body.

use super::Refusal;
use super::headers::Headers;
use super::response::Status;
use crate::limits::REQUEST_BODY_SKIPPED_MAX;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes: at most [`REQUEST_BODY_SKIPPED_MAX`], 0 for a request without a body.
    Length(u64),
    /// Each chunk says how long it is.
    Chunked,
}

impl Framing {
    /// Reads it off the headers (RFC 9112 §6.3).
    ///
    /// # Errors
    /// 400 for what could be read in two ways, which is how requests are smuggled; 413 for a length that is
    /// not dropped any more; 501 for codings other than chunked.
    pub fn parse(headers: &Headers<'_>) -> Result<Self, Refusal> {
        match (headers.contains("transfer-encoding"), headers.contains("content-length")) {
            (true, true) => Err(Refusal::bad("Content-Length beside Transfer-Encoding")),
            (true, false) => chunked(headers),
            (false, true) => length(headers),
            (false, false) => Ok(Self::Length(0)),
        }
    }

    /// Whether any body follows.
    pub fn has_body(self) -> bool {
        self != Self::Length(0)
    }
}

fn chunked(headers: &Headers<'_>) -> Result<Framing, Refusal> {
    let codings: Vec<_> = headers.list("transfer-encoding").collect();
    let Some((last, others)) = codings.split_last() else {
        return Err(Refusal::bad("Transfer-Encoding names no coding"));
    };
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if !is_chunked(last) || others.iter().any(|coding| is_chunked(coding)) {
        return Err(Refusal::bad("Transfer-Encoding does not end with chunked, or has it twice"));
    }
    match others {
        [] => Ok(Framing::Chunked),
        _ => Err(Refusal::new(Status::NotImplemented, "of the transfer codings only chunked is known here")),
    }
}

fn length(headers: &Headers<'_>) -> Result<Framing, Refusal> {
    // Empty members are errors here, in no other list: what others make of them is not known.
    let mut lengths = headers
        .values("content-length")
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii);
    let first = lengths.next().unwrap_or_default();
    if lengths.any(|other| other != first) {
        return Err(Refusal::bad("two lengths that differ"));
    }
    if first.is_empty() || !first.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::bad("Content-Length is no number"));
    }
    let length = str::from_utf8(first).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
    if length > REQUEST_BODY_SKIPPED_MAX {
        return Err(Refusal::new(Status::ContentTooLarge, "the body is too long"));
    }
    Ok(Framing::Length(length))
}

/// Whether the client waits for a `100 Continue` before it sends the body.
///
/// # Errors
/// 417 for an expectation other than that.
pub fn awaits_continue(headers: &Headers<'_>) -> Result<bool, Refusal> {
    if headers.list("expect").any(|expectation| !expectation.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Refusal::new(Status::ExpectationFailed, "the only expectation met here is 100-continue"));
    }
    Ok(headers.has_token("expect", "100-continue"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::headers::Header;

    type Lines<'a> = &'a [(&'a str, &'a str)];

    fn headers<'a>(lines: Lines<'a>) -> Headers<'a> {
        lines.iter().map(|&(name, value)| Header { name, value: value.as_bytes() }).collect()
    }

    #[test]
    fn framing() {
        const LENGTH: &str = "Content-Length";
        const CODING: &str = "Transfer-Encoding";
        let bad = Err(Status::BadRequest);
        let rows: [(Lines<'_>, Result<Framing, Status>); 21] = [
            (&[], Ok(Framing::Length(0))),
            (&[(LENGTH, "0")], Ok(Framing::Length(0))),
            (&[(LENGTH, "5")], Ok(Framing::Length(5))),
            (&[(LENGTH, "5, 5")], Ok(Framing::Length(5))),
            (&[(LENGTH, "5"), (LENGTH, "5")], Ok(Framing::Length(5))),
            (&[(LENGTH, "5"), (LENGTH, "6")], bad),
            (&[(LENGTH, "1, 2")], bad),
            (&[(LENGTH, "")], bad),
            (&[(LENGTH, "5,")], bad),
            (&[(LENGTH, ","), (LENGTH, "")], bad),
            (&[(LENGTH, "+1")], bad),
            (&[(LENGTH, "0x1")], bad),
            (&[(LENGTH, "-0")], bad),
            (&[(LENGTH, "65537")], Err(Status::ContentTooLarge)),
            (&[(LENGTH, "99999999999999999999")], Err(Status::ContentTooLarge)),
            (&[(CODING, "Chunked")], Ok(Framing::Chunked)),
            (&[(CODING, "chunked"), (LENGTH, "5")], bad),
            (&[(CODING, "chunked, gzip")], bad),
            (&[(CODING, "chunked"), (CODING, "chunked")], bad),
            (&[(CODING, "")], bad),
            (&[(CODING, "gzip, chunked")], Err(Status::NotImplemented)),
        ];
        for (lines, want) in rows {
            let got = Framing::parse(&headers(lines)).map_err(|refusal| refusal.status);
            assert_eq!(got, want, "{lines:?}");
        }
    }

    #[test]
    fn expectations() {
        let rows: [(Lines<'_>, Result<bool, Status>); 4] = [
            (&[], Ok(false)),
            (&[("Expect", "100-Continue")], Ok(true)),
            (&[("Expect", "200-ok")], Err(Status::ExpectationFailed)),
            (&[("Expect", "100-continue"), ("Expect", "more")], Err(Status::ExpectationFailed)),
        ];
        for (lines, want) in rows {
            let got = awaits_continue(&headers(lines)).map_err(|refusal| refusal.status);
            assert_eq!(got, want, "{lines:?}");
        }
    }
}
