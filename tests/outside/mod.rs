//! What the tests share that need a program from outside: processes that end with their trial, the server
//! under test, and trials that show as ignored where their program is missing.

#![allow(dead_code, reason = "each of these tests uses the part it needs")]

pub(crate) mod environment;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod server;
pub(crate) mod trial;
