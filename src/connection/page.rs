//! Requests for pages, and what they are answered with.

use super::{Connection, Patience, Turn};
use crate::deadline::Deadline;
use crate::http::coding::Accepted;
use crate::http::conditional::{Answer, Conditions};
use crate::http::path::CleanPath;
use crate::http::representation::Representation;
use crate::http::request::Asked;
use crate::http::response::{ALLOW, Content, Head, Persistence, Status, text_bytes};
use crate::http::{NO_ROOM, Refusal};
use crate::outbox::{Body, FileId};
use std::rc::Rc;

/// A request for a page.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// For the log.
    pub asked: Asked,
    /// Which page, or why it can be none: that is an answer like others, and the connection stays.
    pub path: Result<CleanPath, Refusal>,
    /// Whether the content is wanted or the head alone.
    pub content: Content,
    /// In which coding.
    pub accepted: Accepted,
    /// Under which conditions, and which part of it.
    pub conditions: Conditions,
    /// What becomes of the connection behind the response.
    pub persistence: Persistence,
}

/// A request for the server's figures.
#[derive(Debug, PartialEq, Eq)]
pub struct StatsRequest {
    /// For the log.
    pub asked: Asked,
    /// Whether the content is wanted or the head alone.
    pub content: Content,
    /// What becomes of the connection behind the response.
    pub persistence: Persistence,
}

/// What a path leads to.
#[derive(Debug)]
pub enum Found {
    /// A page.
    Page {
        /// The state and coding of it that the client gets.
        representation: Rc<Representation>,
        /// How much of it.
        answer: Answer,
        /// The bytes, where some are to be sent.
        body: Option<Body>,
    },
    /// A folder that was asked for without its slash: here is where to ask.
    Folder {
        /// For `Location`.
        location: String,
    },
    /// What is in a folder, in HTML.
    Listing {
        /// The page.
        html: String,
    },
}

impl Found {
    /// The status that says it.
    fn status(&self) -> Status {
        match self {
            Self::Page { answer, .. } => answer.status(),
            Self::Folder { .. } => Status::MovedPermanently,
            Self::Listing { .. } => Status::Ok,
        }
    }

    /// Bytes of content that are sent for it.
    fn content_bytes(&self, content: Content) -> u64 {
        match (self, content) {
            (_, Content::Omitted) => 0,
            (Self::Page { body: Some(body), .. }, _) => body.bytes(),
            (Self::Page { answer, body: None, .. }, _) => answer.text().map_or(0, text_bytes),
            (Self::Folder { .. }, _) => text_bytes(FOLDER),
            (Self::Listing { html }, _) => html.len() as u64,
        }
    }

    /// The file that it is to be sent from.
    fn file(&self) -> Option<FileId> {
        match self {
            Self::Page { body: Some(Body::File(range)), .. } => Some(range.file),
            Self::Page { .. } | Self::Folder { .. } | Self::Listing { .. } => None,
        }
    }

    /// What is kept in memory for one client alone until it has taken it.
    fn kept_bytes(&self) -> usize {
        match self {
            Self::Page { body: Some(Body::Bytes(bytes)), .. } => bytes.capacity(),
            Self::Page { .. } | Self::Folder { .. } => 0,
            Self::Listing { html } => html.capacity(),
        }
    }
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Responded {
    /// The status it got.
    pub status: Status,
    /// Bytes of content that are sent for it.
    pub content_bytes: u64,
    /// A file that is not sent after all, to be closed.
    pub unsent: Option<FileId>,
}

/// The text behind a redirect.
const FOLDER: &str = "the folder is here";

impl Connection {
    /// Answers a request with what its path leads to. Behind a response that closes, nothing is said.
    pub fn respond(
        &mut self,
        request: &PageRequest,
        found: Result<Found, Refusal>,
        turn: &Turn<'_>,
    ) -> Responded {
        // Behind the last word a file would be dropped, and stay open.
        debug_assert!(!self.has_said_all(), "who asks for pages is still answered");
        let PageRequest { content, persistence, .. } = *request;
        let date = turn.now.unix_seconds;
        let mut unsent = None;
        let found = found.and_then(|found| {
            if self.outbox_or_new(turn).would_fit(found.kept_bytes()) {
                return Ok(found);
            }
            unsent = found.file();
            Err(NO_ROOM)
        });
        let (status, content_bytes) = match &found {
            Ok(found) => (found.status(), found.content_bytes(content)),
            Err(refusal) => (refusal.status, refusal.content_bytes(content)),
        };
        match found {
            Ok(Found::Page { representation, answer, body }) => {
                let head = representation.head(&answer, content, persistence, date);
                self.push(Body::Bytes(head), turn);
                if let Some(body) = body {
                    self.push(body, turn);
                }
            }
            Ok(Found::Folder { location }) => {
                let head = Head::new(Status::MovedPermanently, date)
                    .header("Location", &location)
                    .header("Cache-Control", "no-cache")
                    .header("X-Content-Type-Options", "nosniff");
                let response = head.persistence(persistence).finish_with_text(FOLDER, content);
                self.push(Body::Bytes(response), turn);
            }
            Ok(Found::Listing { html }) => {
                let head = Head::new(Status::Ok, date)
                    .header("Cache-Control", "no-cache")
                    .header("X-Content-Type-Options", "nosniff")
                    .header("Content-Security-Policy", "default-src 'none'")
                    .persistence(persistence);
                let response = head.finish_with("text/html; charset=utf-8", &html, content);
                self.push(Body::Bytes(response), turn);
            }
            Err(refusal) => self.push(Body::Bytes(refusal.response(date, persistence, content)), turn),
        }
        self.go_on(persistence, turn);
        Responded { status, content_bytes, unsent }
    }

    /// Says figures, in JSON. They are of this moment: nobody keeps them.
    pub fn respond_with_stats(&mut self, request: &StatsRequest, json: &str, turn: &Turn<'_>) -> Responded {
        let StatsRequest { content, persistence, .. } = *request;
        let head = Head::new(Status::Ok, turn.now.unix_seconds)
            .header("Cache-Control", "no-store")
            .header("X-Content-Type-Options", "nosniff")
            .persistence(persistence);
        self.push(Body::Bytes(head.finish_with("application/json", json, content)), turn);
        self.go_on(persistence, turn);
        let content_bytes = match content {
            Content::Sent => json.len() as u64,
            Content::Omitted => 0,
        };
        Responded { status: Status::Ok, content_bytes, unsent: None }
    }

    /// Says what may be asked for (RFC 9110 §9.3.7): the same of every page and of the whole server.
    pub(super) fn respond_with_options(&mut self, persistence: Persistence, turn: &Turn<'_>) {
        let head = Head::new(Status::NoContent, turn.now.unix_seconds).header("Allow", ALLOW);
        self.push(Body::Bytes(head.persistence(persistence).finish()), turn);
        self.go_on(persistence, turn);
    }

    fn go_on(&mut self, persistence: Persistence, turn: &Turn<'_>) {
        match persistence {
            Persistence::KeepAlive => {
                self.deadline = Deadline::after(turn.now.tick, turn.config.limits.keep_alive);
            }
            Persistence::Close => self.end(Patience::PerWrite, turn),
        }
    }
}
