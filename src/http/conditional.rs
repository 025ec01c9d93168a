//! Requests with conditions: what the client has already, and what it wants only if that still holds (RFC 9110 §13).
//!
//! [`Conditions::parse`] keeps what a request says, as long as it takes to find the page; [`Conditions::answer`] says
//! what that means for the page that was found.
//!
//! Must not know: where pages come from, how an answer looks.

use super::headers::Headers;
use super::range::{ByteRange, Part};
use super::response::Content;
use std::ops::Range;
use std::time::UNIX_EPOCH;

/// The conditions of a request. Most have none: then it owns nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<Box<[u8]>>,
    if_none_match: Option<Box<[u8]>>,
    if_modified_since: Option<u64>,
    if_unmodified_since: Option<u64>,
    if_range: Option<Box<[u8]>>,
    range: Option<ByteRange>,
}

/// By what one state of a page is told from another (RFC 9110 §8.8).
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// A strong entity tag, with its quotes.
    pub etag: &'a str,
    /// When it changed last, in seconds since 1970.
    pub modified: Option<u64>,
    /// Whether it is there in several codings, which may have one date and not one content.
    pub has_codings: bool,
}

/// What a request gets of the page that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it.
    Whole,
    /// This part of it.
    Part(Range<u64>),
    /// The client has it (304).
    NotModified,
    /// A condition does not hold (412).
    Failed,
    /// There is nothing where the client wants something of it (416).
    Unsatisfiable,
}

impl Conditions {
    /// What a request says. What is no condition is ignored, as RFC 9110 wants for each of them.
    pub fn parse(headers: &Headers<'_>) -> Self {
        let mut conditions = Self::default();
        // One walk for all of them: nearly every request has none.
        for header in headers.iter() {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            match header.name.as_bytes() {
                [b'i' | b'I', b'f' | b'F', b'-', ..] => {}
                name if name.eq_ignore_ascii_case(b"range") => {}
                _ => continue,
            }
            match () {
                () if is("if-match") => conditions.if_match = joined(headers, "if-match"),
                () if is("if-none-match") => conditions.if_none_match = joined(headers, "if-none-match"),
                () if is("if-modified-since") => {
                    conditions.if_modified_since = only(headers, "if-modified-since").and_then(date);
                }
                () if is("if-unmodified-since") => {
                    conditions.if_unmodified_since = only(headers, "if-unmodified-since").and_then(date);
                }
                () if is("if-range") => conditions.if_range = joined(headers, "if-range"),
                () if is("range") => conditions.range = only(headers, "range").and_then(ByteRange::parse),
                () => {}
            }
        }
        conditions
    }

    /// What the client gets of a page of `length` bytes, in the order of RFC 9110 §13.2.2. `content`: a range is for
    /// GET alone (§14.2). `now`: seconds since 1970.
    pub fn answer(&self, page: Validators<'_>, length: u64, content: Content, now: u64) -> Answer {
        if self.is_failed(page) {
            return Answer::Failed;
        }
        if self.is_known(page) {
            return Answer::NotModified;
        }
        match self.range {
            Some(range) if content == Content::Sent && self.may_be_part(page, now) => {
                match range.of(length) {
                    Part::Whole => Answer::Whole,
                    Part::Range(range) => Answer::Part(range),
                    Part::Nothing => Answer::Unsatisfiable,
                }
            }
            Some(_) | None => Answer::Whole,
        }
    }

    /// §13.1.1 and §13.1.4.
    fn is_failed(&self, page: Validators<'_>) -> bool {
        match (&self.if_match, self.if_unmodified_since, page.modified) {
            (Some(list), _, _) => !names(list, |tag| tag == page.etag.as_bytes()),
            (None, Some(since), Some(modified)) => modified > since,
            (None, _, _) => false,
        }
    }

    /// §13.1.2 and §13.1.3.
    fn is_known(&self, page: Validators<'_>) -> bool {
        match (&self.if_none_match, self.if_modified_since, page.modified) {
            (Some(list), _, _) => {
                names(list, |tag| tag.strip_prefix(b"W/").unwrap_or(tag) == page.etag.as_bytes())
            }
            (None, Some(since), Some(modified)) => modified <= since,
            (None, _, _) => false,
        }
    }

    /// §13.1.5. A date says which state it is only when no other can have the same one: that second must be over, and the
    /// coding the only one. (That it did not change twice within that second is for the client to know, by the `Date`
    /// beside it.)
    fn may_be_part(&self, page: Validators<'_>, now: u64) -> bool {
        let Some(validator) = &self.if_range else { return true };
        if validator.starts_with(b"\"") || validator.starts_with(b"W/") {
            return **validator == *page.etag.as_bytes();
        }
        let is_its = |modified| date(validator) == Some(modified) && modified < now;
        !page.has_codings && page.modified.is_some_and(is_its)
    }
}

/// All lines of a name as one list.
fn joined(headers: &Headers<'_>, name: &str) -> Option<Box<[u8]>> {
    let values: Vec<_> = headers.values(name).collect();
    Some(values.join(&b',').into_boxed_slice())
}

/// The value of a header that is there once.
fn only<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a [u8]> {
    headers.single(name).ok().flatten()
}

/// Seconds since 1970, of any of the three forms of a date (RFC 9110 §5.6.7).
fn date(value: &[u8]) -> Option<u64> {
    let time = httpdate::parse_http_date(str::from_utf8(value).ok()?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Whether a list of entity tags has one that matches, or is `*`: any state of a page that is there (RFC 9110 §8.8.3).
/// A tag is given as it stands, with its quotes and its `W/`. What follows something that is no tag is not looked at.
fn names(list: &[u8], matches: impl Fn(&[u8]) -> bool) -> bool {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    loop {
        while let [b',' | b' ' | b'\t', behind @ ..] = rest {
            rest = behind;
        }
        let opaque = if rest.starts_with(b"W/\"") { 2 } else { 0 };
        if rest.get(opaque) != Some(&b'"') {
            return false;
        }
        // A comma within the quotes is a part of the tag.
        let Some(quoted) = rest[opaque + 1..].iter().position(|&byte| byte == b'"') else { return false };
        let (tag, behind) = rest.split_at(opaque + quoted + 2);
        if matches(tag) {
            return true;
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request;

    const TAG: &str = "\"a\"";
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const MODIFIED: u64 = 784_111_777;

    fn answer(lines: &str, content: Content, now: u64) -> Answer {
        let wire = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        let (request, _) = request::parse(wire.as_bytes()).expect("right").expect("complete");
        let page = Validators { etag: TAG, modified: Some(MODIFIED), has_codings: false };
        Conditions::parse(&request.headers).answer(page, 100, content, now)
    }

    #[test]
    fn answers() {
        let part = || Answer::Part(10..20);
        let rows = [
            ("", Answer::Whole),
            ("If-None-Match: \"a\"", Answer::NotModified),
            ("If-None-Match: W/\"a\"", Answer::NotModified),
            ("If-None-Match: \"b\", \"a\"", Answer::NotModified),
            ("If-None-Match: \"b\"\r\nIf-None-Match: \"a\"", Answer::NotModified),
            ("If-None-Match: *", Answer::NotModified),
            ("If-None-Match: \"b\"", Answer::Whole),
            ("If-None-Match: \"x, \"a\"", Answer::Whole),
            ("If-None-Match: a", Answer::Whole),
            ("If-None-Match: \"a", Answer::Whole),
            ("If-None-Match:", Answer::Whole),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", Answer::NotModified),
            ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", Answer::NotModified),
            ("If-Modified-Since: Sun Nov  6 08:49:37 1994", Answer::NotModified),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT", Answer::NotModified),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", Answer::Whole),
            ("If-Modified-Since: yesterday", Answer::Whole),
            ("If-None-Match: \"b\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", Answer::Whole),
            ("If-Match: \"a\"", Answer::Whole),
            ("If-Match: W/\"a\"", Answer::Failed),
            ("If-Match: \"b\"", Answer::Failed),
            ("If-Match: *", Answer::Whole),
            ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", Answer::Failed),
            ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", Answer::Whole),
            ("If-Match: \"a\"\r\nIf-None-Match: \"a\"", Answer::NotModified),
            ("Range: bytes=10-19", part()),
            ("Range: bytes=100-", Answer::Unsatisfiable),
            ("Range: bytes=0-1, 5-6", Answer::Whole),
            ("Range: bytes=0-1\r\nRange: bytes=5-6", Answer::Whole),
            ("Range: bytes=100-\r\nIf-None-Match: \"a\"", Answer::NotModified),
            ("Range: bytes=10-19\r\nIf-Match: \"b\"", Answer::Failed),
            ("Range: bytes=10-19\r\nIf-Range: \"a\"", part()),
            ("Range: bytes=10-19\r\nIf-Range: \"b\"", Answer::Whole),
            ("Range: bytes=10-19\r\nIf-Range: W/\"a\"", Answer::Whole),
            ("Range: bytes=10-19\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT", part()),
            ("Range: bytes=10-19\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", Answer::Whole),
            ("Range: bytes=10-19\r\nIf-Range: nothing", Answer::Whole),
            ("If-Range: \"a\"", Answer::Whole),
        ];
        for (lines, want) in rows {
            let lines = if lines.is_empty() { String::new() } else { format!("{lines}\r\n") };
            assert_eq!(answer(&lines, Content::Sent, MODIFIED + 60), want, "{lines}");
        }
    }

    #[test]
    fn a_range_is_for_get_alone() {
        let lines = "Range: bytes=10-19\r\n";
        assert_eq!(answer(lines, Content::Omitted, MODIFIED + 60), Answer::Whole);
    }

    /// Within the same second it may change again, and the date would still match.
    #[test]
    fn a_date_that_is_now_vouches_for_nothing() {
        let lines = "Range: bytes=10-19\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        assert_eq!(answer(lines, Content::Sent, MODIFIED), Answer::Whole);
        assert_eq!(answer(lines, Content::Sent, MODIFIED + 1), Answer::Part(10..20));
    }

    /// Of one date, and not of one content: half of the one and half of the other would be no page.
    #[test]
    fn a_date_does_not_tell_codings_apart() {
        let wire = b"GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=10-19\r\n\
            If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        let (request, _) = request::parse(wire).expect("right").expect("complete");
        let conditions = Conditions::parse(&request.headers);
        for (has_codings, want) in [(false, Answer::Part(10..20)), (true, Answer::Whole)] {
            let page = Validators { etag: TAG, modified: Some(MODIFIED), has_codings };
            assert_eq!(conditions.answer(page, 100, Content::Sent, MODIFIED + 60), want);
        }
    }

    #[test]
    fn a_page_without_a_date_has_its_tag() {
        let wire = b"GET / HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        let (request, _) = request::parse(wire).expect("right").expect("complete");
        let page = Validators { etag: TAG, modified: None, has_codings: false };
        let conditions = Conditions::parse(&request.headers);
        assert_eq!(conditions.answer(page, 100, Content::Sent, 0), Answer::Whole);
    }
}
