//! The real program on a real port, seen by clients that share no code with it.
//!
//! Each test starts its own server on port 0 ([`support::Server`]) and talks to it as an independent client
//! does: `tungstenite` where messages matter, [`peer::Peer`] where the bytes do. Nothing waits for a time to
//! pass, only for a thing to happen, with a deadline.

// It looks at descriptors and memory, which Linux tells.
#[cfg(target_os = "linux")]
mod abuse;
mod access;
mod broadcast;
mod closing;
mod conformance;
#[cfg(feature = "deflate")]
mod deflate;
mod faults;
mod flood;
mod folder;
mod handshake;
mod inspect;
mod legacy;
mod listing;
#[cfg(target_os = "linux")]
mod log;
mod pages;
mod peer;
#[path = "../outside/pipe.rs"]
mod pipe;
mod process;
#[path = "../outside/program.rs"]
mod program;
mod regressions;
#[cfg(unix)]
mod reload;
mod representation;
mod requests;
mod silence;
mod support;
#[cfg(all(unix, feature = "tls"))]
mod tls;
#[cfg(feature = "tls")]
#[path = "../outside/trusting.rs"]
mod trusting;
