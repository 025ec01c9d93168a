//! HTTP/1.1 as far as a server of pages and handshakes needs it: RFC 9110 and RFC 9112.
//!
//! Must not know: WebSocket frames, sockets, files, clocks.

pub mod body;
pub mod coding;
pub mod conditional;
pub mod content_type;
pub mod headers;
pub mod html;
pub mod listing;
pub mod origin;
pub mod path;
pub mod range;
pub mod representation;
pub mod request;
pub mod response;
pub mod route;
pub mod stats;
pub mod target;

mod refusal;
pub use refusal::{NO_ROOM, NOT_FOUND, Refusal, SPEAKS_TLS, TOO_MANY_CONNECTIONS};
