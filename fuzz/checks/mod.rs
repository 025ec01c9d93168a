//! What must hold whatever comes in: one function for each target, which asserts.
//!
//! A fuzz target is one line around such a function; `tests/corpus.rs` gives the same functions the seeds and
//! random bytes on stable. They know the public face of fanfare alone.

pub mod channel;
pub mod close;
pub mod connection;
pub mod deflate;
pub mod frames;
pub mod input;
pub mod legacy;
pub mod merge;
pub mod model;
pub mod path;
pub mod request;
pub mod trace;
pub mod utf8;

/// Asserts what must hold of any input.
pub type Check = fn(&[u8]);

/// Every target by its name: that of its file here, of its seeds, and of its fuzz target.
pub const ALL: [(&str, Check); 11] = [
    ("channel", channel::check),
    ("close", close::check),
    ("connection", connection::check),
    ("deflate", deflate::check),
    ("frames", frames::check),
    ("legacy", legacy::check),
    ("merge", merge::check),
    ("path", path::check),
    ("request", request::check),
    ("trace", trace::check),
    ("utf8", utf8::check),
];
