//! The command line: what the operator asked for, as [`options::Command`], or one line about what is wrong.
//!
//! `options` is the door, and the table of what the server takes; `bench` is that of the load generator.
//! `table` is what such a table is made of, `read` reads arguments and environment by it, `values` reads
//! their values, `usage` words what is wrong, and `help` is made of it; `parse` says whose table it is.
//! `logger` is the log that the server's options set: `lossy` counts its lines, `standard_error` takes them.
//!
//! Must not know: whether what an option names exists. Files and addresses are for those who open them.
//!
//! Invariant: a wrong command line is answered with one line without control characters, whatever was typed.

#[cfg(feature = "bench")]
pub(crate) mod bench;
mod help;
pub(crate) mod logger;
mod lossy;
pub(crate) mod options;
mod parse;
mod read;
mod standard_error;
mod table;
mod tls;
mod usage;
mod values;
