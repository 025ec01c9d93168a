//! The WebSocket protocol, RFC 6455: bytes in, events out, bytes out.
//!
//! Must not know: sockets, clocks, files, who else is connected.

pub mod close;
pub mod extension;
pub mod frame;
pub mod handshake;
pub mod mask;
pub mod message;
pub mod utf8;

mod violation;
pub use violation::Violation;
