//! `fanfare bench` from outside: the real program against servers that behave, and that misbehave on purpose.
//!
//! Each test starts a [`peer::Peer`] with a role and at most one fault, runs the program against it ([`run`]) and
//! compares what it reports with what the server knows that it did. Nothing waits for a time to pass, only for a
//! thing to happen, with a deadline.

#![cfg(feature = "bench")]

#[cfg(feature = "tls")]
mod certificates;
mod clean;
mod connections;
mod deliveries;
mod fanfare;
mod frames;
mod handshakes;
mod output;
#[path = "../outside/mod.rs"]
mod outside;
mod peer;
mod peer_itself;
mod requests;
mod run;
mod stalls;
#[cfg(feature = "tls")]
mod tls;
mod warm_up;
