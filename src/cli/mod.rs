//! The command line: what the operator asked for, as [`options::Settings`], or one line about what is wrong.
//!
//! `options` is the door, and the one table of what there is; `parse` reads arguments and environment by it,
//! `values` reads their values, `usage` words what is wrong, and `help` is made of it. `logger` is the log
//! that they set.
//!
//! Must not know: whether what an option names exists. Files and addresses are for those who open them.
//!
//! Invariant: a wrong command line is answered with one line without control characters, whatever was typed.

mod help;
pub(crate) mod logger;
pub(crate) mod options;
mod parse;
mod usage;
mod values;
