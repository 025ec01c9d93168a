//! What the environment and the source say about the programs from outside.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a variable says; an empty one says nothing.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether a variable says just this.
pub(crate) fn is_set(name: &str, value: &str) -> bool {
    env::var_os(name).is_some_and(|set| set == value)
}

/// Where the scripts install, each in a folder of its own.
pub(crate) fn tools() -> PathBuf {
    variable("FANFARE_TOOLS").map_or_else(|| here("target/tools"), PathBuf::from)
}

/// A path in the source.
pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
