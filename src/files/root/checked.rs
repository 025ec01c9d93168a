//! The way to a file where the kernel cannot be asked to stay within a folder: find out where a name really leads, see
//! that it is within, and go there without following a link again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Where a name really leads, without a link on the way.
///
/// # Errors
/// When it is not there or not within the folder, and what else the system says.
pub(super) fn locate(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let real = folder.join(name).canonicalize()?;
    if real.starts_with(folder) { Ok(real) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Opens a file where [`locate`] has found it, one folder after the other: who has put a link into the way meanwhile has
/// put an end to it.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(super) fn open(folder: &Path, real: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let within = real.strip_prefix(folder).map_err(|_| io::ErrorKind::NotFound)?;
    let mut at = rustix::fs::open(folder, flags | OFlags::DIRECTORY, Mode::empty())?;
    let mut names = within.iter().peekable();
    while let Some(name) = names.next() {
        let kind = match names.peek() {
            Some(_) => OFlags::DIRECTORY,
            None => OFlags::NONBLOCK | OFlags::NOCTTY,
        };
        at = rustix::fs::openat(&at, name, flags | kind, Mode::empty())?;
    }
    Ok(File::from(at))
}

/// Elsewhere there is a moment between finding and opening.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub(super) fn open(_folder: &Path, real: &Path) -> io::Result<File> {
    File::open(real)
}
