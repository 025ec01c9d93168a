//! Requests for pages, and what they are answered with.

use super::{Connection, Patience, Turn};
use crate::deadline::Deadline;
use crate::http::path::CleanPath;
use crate::http::response::{ALLOW, Content, Head, Persistence, Status};
use crate::http::{NO_ROOM, Refusal};
use crate::outbox::{Body, FileId};

/// A request for a page.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Which page.
    pub path: CleanPath,
    /// Whether the content is wanted or the head alone.
    pub content: Content,
    /// What becomes of the connection behind the response.
    pub persistence: Persistence,
}

/// What a path leads to.
#[derive(Debug)]
pub enum Found {
    /// A file.
    Page {
        /// Its media type.
        content_type: &'static str,
        /// Its length in bytes.
        length: u64,
        /// Its content, where that is wanted.
        body: Option<Body>,
    },
    /// A folder that was asked for without its slash: here is where to ask.
    Folder {
        /// For `Location`.
        location: String,
    },
}

impl Found {
    /// The file that it is to be sent from.
    fn file(&self) -> Option<FileId> {
        match self {
            Self::Page { body: Some(Body::File(range)), .. } => Some(range.file),
            Self::Page { .. } | Self::Folder { .. } => None,
        }
    }
}

impl Connection {
    /// Answers a request with what its path leads to. Behind a response that closes, nothing is said. A file that is
    /// not sent after all is given back, to be closed.
    #[must_use]
    pub fn respond(
        &mut self,
        request: &PageRequest,
        found: Result<Found, Refusal>,
        turn: &Turn<'_>,
    ) -> Option<FileId> {
        let PageRequest { content, persistence, .. } = *request;
        let date = turn.now.unix_seconds;
        let mut unsent = None;
        let found = found.and_then(|found| {
            if self.has_room_for(&found, turn) {
                return Ok(found);
            }
            unsent = found.file();
            Err(NO_ROOM)
        });
        match found {
            Ok(Found::Page { content_type, length, body }) => {
                let head = Head::new(Status::Ok, date)
                    .header("Content-Type", content_type)
                    .header("Content-Length", &length.to_string())
                    .header("Cache-Control", "no-cache")
                    .header("X-Content-Type-Options", "nosniff")
                    .persistence(persistence);
                self.push(Body::Bytes(head.finish()), turn);
                if let Some(body) = body {
                    self.push(body, turn);
                }
            }
            Ok(Found::Folder { location }) => {
                let head = Head::new(Status::MovedPermanently, date).header("Location", &location);
                let response = head.persistence(persistence).finish_with_text("the folder is here", content);
                self.push(Body::Bytes(response), turn);
            }
            Err(refusal) => self.push(Body::Bytes(refusal.response(date, persistence, content)), turn),
        }
        self.go_on(persistence, turn);
        unsent
    }

    /// Says what may be asked for (RFC 9110 §9.3.7): the same of every page and of the whole server.
    pub(super) fn respond_with_options(&mut self, persistence: Persistence, turn: &Turn<'_>) {
        let head = Head::new(Status::NoContent, turn.now.unix_seconds).header("Allow", ALLOW);
        self.push(Body::Bytes(head.persistence(persistence).finish()), turn);
        self.go_on(persistence, turn);
    }

    /// Whether what is kept in memory for it until its client has taken it is within the budget of all.
    fn has_room_for(&mut self, found: &Found, turn: &Turn<'_>) -> bool {
        let bytes = match found {
            Found::Page { body: Some(Body::Bytes(bytes)), .. } => bytes.capacity(),
            Found::Page { .. } | Found::Folder { .. } => 0,
        };
        self.outbox_or_new(turn).would_fit(bytes)
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
