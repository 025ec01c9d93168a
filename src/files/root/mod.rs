//! The folder that is served, and that nothing leads out of: no name, no symbolic link, nobody who exchanges one for the
//! other while a request runs.
//!
//! Where the kernel has `openat2`, it is asked to stay beneath the folder. Elsewhere, and for what it refuses that way
//! although it may lie within (a link by its absolute path; a kernel or a sandbox without the call), `checked` finds out
//! where a name really leads, and goes there step by step.
//!
//! Must not know: what is served, or to whom.
//!
//! Invariants: what is opened is a regular file or a folder within the root; a FIFO or a device is looked at, and not
//! opened. (One that is put there between the look and the opening is: opening does not wait.)

mod checked;

use super::stamp::Stamp;
use crate::http::listing::{Entry, Extent, Kind};
use crate::http::path;
use crate::limits::LISTED_SCANNED_MAX;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;

/// The folder, its own symbolic links resolved.
#[derive(Debug)]
pub(super) struct Root {
    folder: PathBuf,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    File(Stamp),
    Folder,
    /// A FIFO, a socket, a device.
    Other,
}

impl Thing {
    fn of(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        match () {
            () if kind.is_file() => Self::File(Stamp::of(metadata)),
            () if kind.is_dir() => Self::Folder,
            () => Self::Other,
        }
    }
}

/// Who is asked to stay within the folder.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guide {
    /// The kernel, where it can.
    Kernel,
    /// `checked` alone.
    #[cfg(test)]
    Checked,
}

impl Root {
    /// # Errors
    /// When it is not there, is no folder or may not be read.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        fs::read_dir(&folder)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// The folder as it is now: somebody may have put another one in its place.
    ///
    /// # Errors
    /// When it is not there any more, and whatever else the system says.
    pub(super) fn enter(&self) -> io::Result<Inside<'_>> {
        Ok(Inside {
            path: &self.folder,
            #[cfg(target_os = "linux")]
            folder: open_root(&self.folder)?,
            #[cfg(target_os = "linux")]
            guide: Guide::Kernel,
        })
    }
}

/// Without a link on the way: where the folder was when it was looked up there may be one now, that leads elsewhere.
#[cfg(target_os = "linux")]
fn open_root(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, folder, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOSYS | Errno::PERM) => Ok(rustix::fs::open(folder, flags, Mode::empty())?),
        opened => Ok(opened?),
    }
}

/// The folder, open. Names in it are relative, with slashes and without dots; the empty one is the folder itself.
#[derive(Debug)]
pub(super) struct Inside<'a> {
    path: &'a Path,
    #[cfg(target_os = "linux")]
    folder: OwnedFd,
    #[cfg(target_os = "linux")]
    guide: Guide,
}

impl Inside<'_> {
    /// What a name leads to. Nothing is opened for it.
    ///
    /// # Errors
    /// When it is not there or leads out of the folder, and what else the system says.
    pub(super) fn look(&self, name: &str) -> io::Result<Thing> {
        #[cfg(target_os = "linux")]
        if let Some(found) = self.beneath(name, OFlags::PATH) {
            return Ok(Thing::of(&File::from(found?).metadata()?));
        }
        Ok(Thing::of(&checked::look(self.path, &checked::locate(self.path, name)?)?))
    }

    /// Opens the file that a name leads to.
    ///
    /// # Errors
    /// When it is no file, is not there or leads out of the folder, and what else the system says.
    pub(super) fn open(&self, name: &str) -> io::Result<(File, Stamp)> {
        // What is no file is not opened: that would wait for a FIFO's writer, or wind back a tape.
        let Thing::File(_) = self.look(name)? else { return Err(io::ErrorKind::NotFound.into()) };
        let file = self.open_unlooked(name)?;
        // Whoever has put something else there in between gains nothing: opening does not wait.
        match Thing::of(&file.metadata()?) {
            Thing::File(stamp) => Ok((file, stamp)),
            Thing::Folder | Thing::Other => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn open_unlooked(&self, name: &str) -> io::Result<File> {
        #[cfg(target_os = "linux")]
        if let Some(opened) = self.beneath(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
            return Ok(File::from(opened?));
        }
        checked::open(self.path, &checked::locate(self.path, name)?)
    }

    /// What a folder has that can be served, in no order. Of one with more than `most` names it is some.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn list(&self, folder: &str, most: usize) -> io::Result<(Vec<Entry>, Extent)> {
        let mut names = self.names(folder, most + 1)?;
        let extent = if names.len() > most { Extent::Cut } else { Extent::Whole };
        names.truncate(most);
        let entries = names.into_iter().filter_map(|name| match self.look(&path::join(folder, &name)) {
            Ok(Thing::File(stamp)) => {
                Some(Entry { name, kind: Kind::File(stamp.length), modified: stamp.modified(u64::MAX) })
            }
            Ok(Thing::Folder) => Some(Entry { name, kind: Kind::Folder, modified: None }),
            Ok(Thing::Other) | Err(_) => None,
        });
        Ok((entries.collect(), extent))
    }

    /// Names that can be asked for, of the first [`LISTED_SCANNED_MAX`] in the folder.
    fn names(&self, folder: &str, most: usize) -> io::Result<Vec<String>> {
        let is_asked_for = |name: &String| path::is_servable(name, folder.is_empty());
        let names = self.entries(folder)?.take(LISTED_SCANNED_MAX).filter_map(io::Result::transpose);
        names.filter(|name| name.as_ref().map_or(true, is_asked_for)).take(most).collect()
    }

    /// All names in a folder; `None`: one that is no text.
    #[cfg(unix)]
    fn entries(&self, folder: &str) -> io::Result<impl Iterator<Item = io::Result<Option<String>>>> {
        let names = rustix::fs::Dir::new(self.open_folder(folder)?)?;
        Ok(names.map(|entry| Ok(entry.map(|entry| entry.file_name().to_str().ok().map(str::to_owned))?)))
    }

    #[cfg(not(unix))]
    fn entries(&self, folder: &str) -> io::Result<impl Iterator<Item = io::Result<Option<String>>>> {
        let names = fs::read_dir(checked::locate(self.path, folder)?)?;
        Ok(names.map(|entry| entry.map(|entry| entry.file_name().into_string().ok())))
    }

    #[cfg(unix)]
    fn open_folder(&self, folder: &str) -> io::Result<std::os::fd::OwnedFd> {
        #[cfg(target_os = "linux")]
        if let Some(opened) = self.beneath(folder, OFlags::RDONLY | OFlags::DIRECTORY) {
            return opened;
        }
        checked::open_folder(self.path, &checked::locate(self.path, folder)?)
    }

    /// Opens what a name leads to, with the kernel's word that it is beneath the folder. `None`: the kernel cannot tell.
    #[cfg(target_os = "linux")]
    fn beneath(&self, name: &str, flags: OFlags) -> Option<io::Result<OwnedFd>> {
        if self.guide != Guide::Kernel {
            return None;
        }
        let name = if name.is_empty() { "." } else { name };
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.folder, name, flags | OFlags::CLOEXEC, Mode::empty(), within) {
            // A link by its absolute path may lead within all the same; somebody moves a folder at this moment.
            Err(Errno::XDEV | Errno::AGAIN) => None,
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => None,
            opened => Some(opened.map_err(io::Error::from)),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
