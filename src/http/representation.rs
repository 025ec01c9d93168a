//! One state of a page in one coding, and the heads of the responses that give it (RFC 9110 §3.2, §8, §15).
//!
//! What does not change from one response to the next is written once.
//!
//! Must not know: where the content is, or who wants it.

use super::coding::Coding;
use super::conditional::{Answer, Validators};
use super::range::ContentRange;
use super::refusal::Refusal;
use super::response::{Content, Head, Lines, Persistence, Status, date};

/// Whose page it is: what it may do is known of our own alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// One of those compiled in: it gets a policy.
    Ours,
    /// The operator's.
    Operator,
}

/// Whether a page is there in several codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is there in one.
    None,
    /// Somebody else may get another one: caches must know (RFC 9110 §12.5.5).
    ByCoding,
}

/// What is known of a page before it is described.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its media type.
    pub content_type: &'static str,
    /// How it is coded.
    pub coding: Coding,
    /// Whether there are others.
    pub choice: Choice,
    /// A strong entity tag, with its quotes (RFC 9110 §8.8.3).
    pub etag: String,
    /// When it changed last, in seconds since 1970; not later than now (RFC 9110 §8.8.2.1).
    pub modified: Option<u64>,
    /// Its length as it is coded, in bytes.
    pub length: u64,
    /// Whose it is.
    pub author: Author,
}

/// One state of a page in one coding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representation {
    etag: String,
    modified: Option<u64>,
    choice: Choice,
    length: u64,
    /// By what it is known again: all that is said to a client that has it.
    validators: Lines,
    /// What it is.
    description: Lines,
}

/// What our own pages may do: load what lies beside them, and open WebSockets to wherever somebody types.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

impl Representation {
    /// Describes a page.
    pub fn new(facts: Facts) -> Self {
        let Facts { content_type, coding, choice, etag, modified, length, author } = facts;
        let mut validators = Lines::default().header("ETag", &etag);
        if let Some(modified) = modified {
            validators = validators.header("Last-Modified", &date(modified));
        }
        if choice == Choice::ByCoding {
            validators = validators.header("Vary", "Accept-Encoding");
        }
        // Kept, and asked about each time: a page that was edited shows at once.
        validators = validators.header("Cache-Control", "no-cache");

        let mut description = Lines::default().header("Content-Type", content_type);
        if let Some(coding) = coding.name() {
            description = description.header("Content-Encoding", coding);
        }
        description =
            description.header("Accept-Ranges", "bytes").header("X-Content-Type-Options", "nosniff");
        if author == Author::Ours {
            description = description
                .header("Content-Security-Policy", POLICY)
                .header("Referrer-Policy", "no-referrer");
        }
        Self { etag, modified, choice, length, validators, description }
    }

    /// By what it is told from other states.
    pub fn validators(&self) -> Validators<'_> {
        let has_codings = self.choice == Choice::ByCoding;
        Validators { etag: &self.etag, modified: self.modified, has_codings }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.etag.capacity() + self.validators.bytes() + self.description.bytes()
    }

    /// The head of an answer, and the whole of one that has no part of the page. `date`: seconds since 1970.
    pub fn head(&self, answer: &Answer, content: Content, persistence: Persistence, date: u64) -> Vec<u8> {
        match answer {
            Answer::Whole => self.described(Status::Ok, self.length, date).persistence(persistence).finish(),
            Answer::Part(range) => {
                let content_range = ContentRange { range: Some(range.clone()), length: self.length };
                self.described(Status::PartialContent, range.end - range.start, date)
                    .header("Content-Range", &content_range.to_string())
                    .persistence(persistence)
                    .finish()
            }
            Answer::NotModified => {
                Head::new(Status::NotModified, date).lines(&self.validators).persistence(persistence).finish()
            }
            Answer::Failed => FAILED.response(date, persistence, content),
            Answer::Unsatisfiable => {
                let content_range = ContentRange { range: None, length: self.length };
                Head::new(Status::RangeNotSatisfiable, date)
                    .header("Content-Range", &content_range.to_string())
                    .header("X-Content-Type-Options", "nosniff")
                    .persistence(persistence)
                    .finish_with_text(UNSATISFIABLE, content)
            }
        }
    }

    fn described(&self, status: Status, length: u64, date: u64) -> Head {
        Head::new(status, date)
            .lines(&self.description)
            .lines(&self.validators)
            .header("Content-Length", &length.to_string())
    }
}

const FAILED: Refusal = Refusal::new(Status::PreconditionFailed, "the page is not in the state you have");

const UNSATISFIABLE: &str = "the page is shorter than that";

impl Answer {
    /// What it says instead of a part of the page.
    pub fn text(&self) -> Option<&'static str> {
        match self {
            Self::Failed => Some(FAILED.cause),
            Self::Unsatisfiable => Some(UNSATISFIABLE),
            Self::Whole | Self::Part(_) | Self::NotModified => None,
        }
    }

    /// The status that says it.
    pub fn status(&self) -> Status {
        match self {
            Self::Whole => Status::Ok,
            Self::Part(_) => Status::PartialContent,
            Self::NotModified => Status::NotModified,
            Self::Failed => Status::PreconditionFailed,
            Self::Unsatisfiable => Status::RangeNotSatisfiable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn representation(coding: Coding, choice: Choice, author: Author) -> Representation {
        let modified = Some(784_111_777);
        let etag = "\"a\"".to_owned();
        Representation::new(Facts {
            content_type: "text/html",
            coding,
            choice,
            etag,
            modified,
            length: 100,
            author,
        })
    }

    fn head(page: &Representation, answer: &Answer) -> String {
        let head = page.head(answer, Content::Sent, Persistence::KeepAlive, 784_111_777);
        String::from_utf8(head).expect("ASCII")
    }

    #[test]
    fn heads() {
        let page = representation(Coding::Gzip, Choice::ByCoding, Author::Operator);
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let description = "Content-Type: text/html\r\nContent-Encoding: gzip\r\nAccept-Ranges: bytes\r\n\
                           X-Content-Type-Options: nosniff\r\n";
        let validators = "ETag: \"a\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                          Vary: Accept-Encoding\r\nCache-Control: no-cache\r\n";
        let end = "Connection: keep-alive\r\n\r\n";
        let rows = [
            (
                Answer::Whole,
                format!("HTTP/1.1 200 OK\r\n{date}{description}{validators}Content-Length: 100\r\n{end}"),
            ),
            (
                Answer::Part(10..20),
                format!(
                    "HTTP/1.1 206 Partial Content\r\n{date}{description}{validators}Content-Length: 10\r\n\
                     Content-Range: bytes 10-19/100\r\n{end}"
                ),
            ),
            (Answer::NotModified, format!("HTTP/1.1 304 Not Modified\r\n{date}{validators}{end}")),
        ];
        for (answer, want) in rows {
            assert_eq!(head(&page, &answer), want);
        }
        let refused = head(&page, &Answer::Unsatisfiable);
        assert!(refused.starts_with("HTTP/1.1 416 ") && refused.contains("Content-Range: bytes */100\r\n"));
        assert!(head(&page, &Answer::Failed).starts_with("HTTP/1.1 412 "));
    }

    #[test]
    fn what_does_not_apply_is_not_said() {
        let page = representation(Coding::Identity, Choice::None, Author::Operator);
        let whole = head(&page, &Answer::Whole);
        for name in ["Content-Encoding", "Vary", "Content-Security-Policy", "Referrer-Policy"] {
            assert!(!whole.contains(name), "{name}");
        }
        let ours = head(&representation(Coding::Identity, Choice::None, Author::Ours), &Answer::Whole);
        assert!(ours.contains("Content-Security-Policy: ") && ours.contains("Referrer-Policy: "));
    }
}
