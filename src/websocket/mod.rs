//! The WebSocket protocol, RFC 6455, permessage-deflate, RFC 7692, and the older draft: bytes in, events out, bytes
//! out.
//!
//! Must not know: sockets, clocks, files, who else is connected.

pub mod close;
pub mod codec;
pub mod decoder;
#[cfg(feature = "deflate")]
pub mod deflate;
pub mod extension;
pub mod frame;
pub mod handshake;
pub mod legacy;
pub mod mask;
pub mod message;
pub mod utf8;

mod violation;
pub use violation::Violation;
