//! A request that is not answered with what it asks for, and the answer it gets instead.
//!
//! Must not know: who refuses, or what happens to the connection.

use super::response::{ALLOW, Content, Head, Persistence, Status, text_bytes};
use crate::limits::RETRY_AFTER_SECONDS;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status it gets.
    pub status: Status,
    /// Why, in a few words: the content of the answer, and the log line.
    pub cause: &'static str,
}

/// Whatever is no page, or is none of the client's business.
pub const NOT_FOUND: Refusal = Refusal::new(Status::NotFound, "there is no such page");

/// A newcomer past the limit.
pub const TOO_MANY_CONNECTIONS: Refusal =
    Refusal::new(Status::ServiceUnavailable, "there are too many connections; try again later");

/// A request that came without TLS where it is spoken.
pub const SPEAKS_TLS: Refusal =
    Refusal::bad("this port speaks TLS: ask for https:// or wss:// instead of http:// or ws://");

/// A request, or its answer, that there is no memory left to keep.
pub const NO_ROOM: Refusal =
    Refusal::new(Status::ServiceUnavailable, "there is no memory left for this; try again later");

impl Refusal {
    /// A refusal with its status and cause.
    pub const fn new(status: Status, cause: &'static str) -> Self {
        Self { status, cause }
    }

    /// A request that RFC 9110, 9112 or 6455 calls wrong.
    pub const fn bad(cause: &'static str) -> Self {
        Self::new(Status::BadRequest, cause)
    }

    /// Bytes of the content of its response.
    pub fn content_bytes(&self, content: Content) -> u64 {
        match (content, self.status) {
            (Content::Omitted, _) => 0,
            (Content::Sent, Status::NotFound) => NOT_FOUND_PAGE.len() as u64,
            (Content::Sent, _) => text_bytes(self.cause),
        }
    }

    /// The whole response, with the headers that its status owes the client.
    pub fn response(&self, unix_seconds: u64, persistence: Persistence, content: Content) -> Vec<u8> {
        let head = Head::new(self.status, unix_seconds).header("X-Content-Type-Options", "nosniff");
        let head = match self.status {
            // RFC 6455 §4.4; RFC 9110 §15.5.22 wants the Upgrade, and §7.8 its mention in Connection.
            Status::UpgradeRequired => head
                .header("Sec-WebSocket-Version", "13")
                .header("Upgrade", "websocket")
                .header("Connection", "Upgrade"),
            Status::MethodNotAllowed => head.header("Allow", ALLOW),
            Status::NotFound => return not_found(head.persistence(persistence), content),
            Status::ServiceUnavailable | Status::TooManyRequests => {
                head.header("Retry-After", &RETRY_AFTER_SECONDS.to_string())
            }
            Status::Continue
            | Status::SwitchingProtocols
            | Status::Ok
            | Status::NoContent
            | Status::PartialContent
            | Status::MovedPermanently
            | Status::NotModified
            | Status::BadRequest
            | Status::Forbidden
            | Status::Conflict
            | Status::PreconditionFailed
            | Status::RangeNotSatisfiable
            | Status::RequestTimeout
            | Status::ContentTooLarge
            | Status::TargetTooLong
            | Status::ExpectationFailed
            | Status::HeadTooLarge
            | Status::NotImplemented
            | Status::VersionNotSupported => head,
        };
        head.persistence(persistence).finish_with_text(self.cause, content)
    }
}

/// Somebody has mistyped, or followed an old link: a page for people, which repeats nothing of what was asked for.
const NOT_FOUND_PAGE: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Not found</title>
<h1>There is no such page</h1>
<p>The address may be mistyped, or the page has moved. <a href=\"/\">Go to the start page</a>.</p>
</html>
";

fn not_found(head: Head, content: Content) -> Vec<u8> {
    let head = head.header("Content-Security-Policy", "default-src 'none'");
    head.finish_with("text/html; charset=utf-8", NOT_FOUND_PAGE, content)
}
