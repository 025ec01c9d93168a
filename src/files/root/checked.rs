//! The way to a file where the kernel cannot be asked to stay within a folder: find out where a name really leads, see
//! that it is within, and go there without following a link again.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{Mode, OFlags};
#[cfg(unix)]
use std::os::fd::OwnedFd;

/// Where a name really leads, without a link on the way.
///
/// # Errors
/// When it is not there or not within the folder, and what else the system says.
pub(super) fn locate(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let real = folder.join(name).canonicalize()?;
    if real.starts_with(folder) { Ok(real) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// What is where [`locate`] has found it, without opening that.
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub(super) fn look(folder: &Path, real: &Path) -> io::Result<Metadata> {
    File::from(walk(folder, real, OFlags::PATH)?).metadata()
}

/// Elsewhere one that puts a link into the way just now can learn when a file outside was changed, and how long it is; not
/// what is in it.
///
/// # Errors
/// What the system says.
#[cfg(not(target_os = "linux"))]
pub(super) fn look(_folder: &Path, real: &Path) -> io::Result<Metadata> {
    std::fs::symlink_metadata(real)
}

/// Opens a file where [`locate`] has found it.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(super) fn open(folder: &Path, real: &Path) -> io::Result<File> {
    Ok(File::from(walk(folder, real, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?))
}

/// Where there is no way to go step by step, there is a moment between finding and opening.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub(super) fn open(_folder: &Path, real: &Path) -> io::Result<File> {
    File::open(real)
}

/// Opens a folder where [`locate`] has found it, to be listed.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(super) fn open_folder(folder: &Path, real: &Path) -> io::Result<OwnedFd> {
    walk(folder, real, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// How a folder on the way is opened: it need not be readable, where that can be said.
#[cfg(target_os = "linux")]
const STEP: OFlags = OFlags::PATH;
#[cfg(all(unix, not(target_os = "linux")))]
const STEP: OFlags = OFlags::RDONLY;

/// One folder after the other: who has put a link into the way meanwhile has put an end to it.
#[cfg(unix)]
fn walk(folder: &Path, real: &Path, last: OFlags) -> io::Result<OwnedFd> {
    let each = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let step = STEP | OFlags::DIRECTORY | each;
    let within = real.strip_prefix(folder).map_err(|_| io::ErrorKind::NotFound)?;
    let mut names = within.iter().peekable();
    let mut at =
        rustix::fs::open(folder, if names.peek().is_some() { step } else { last | each }, Mode::empty())?;
    while let Some(name) = names.next() {
        let flags = if names.peek().is_some() { step } else { last | each };
        at = rustix::fs::openat(&at, name, flags, Mode::empty())?;
    }
    Ok(at)
}
