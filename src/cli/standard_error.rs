//! Standard error, which never makes anybody wait: it takes a line at once or not at all.
//!
//! It is not made non-blocking: that would hold for every program that shares it, the shell first of all. It is
//! asked instead, and a pipe that says yes has room for a whole line. (Whoever else writes to the same pipe could
//! fill it between question and answer; a log of one's own cannot.) A terminal says yes to a single byte: it is
//! opened once more, and that opening is non-blocking.
//!
//! Must not know: what is said.

use super::lossy::Taken;
use std::fs::File;
use std::io::{self, Write as _};

/// What a pipe that calls itself writable takes without waiting, PIPE_BUF: on Linux, and at least everywhere.
pub(crate) const LINE_BYTES_MAX: usize = if cfg!(any(target_os = "linux", windows)) { 4096 } else { 512 };

/// Where lines go.
pub(crate) struct StandardError {
    /// The terminal that standard error is, opened for ourselves.
    terminal: Option<File>,
}

impl StandardError {
    /// Looks what standard error is.
    pub(crate) fn new() -> Self {
        Self { terminal: system::open_terminal() }
    }

    /// Writes a line of at most [`LINE_BYTES_MAX`] if that can be done at once.
    pub(crate) fn offer(&self, line: &str) -> Taken {
        let written = match &self.terminal {
            Some(terminal) => retry(|| (&*terminal).write(line.as_bytes())),
            None if system::can_write() => retry(|| io::stderr().write(line.as_bytes())),
            None => return Taken::Nothing,
        };
        match written {
            Ok(length) if length == line.len() => Taken::Whole,
            Ok(0) | Err(_) => Taken::Nothing,
            Ok(_) => Taken::Part,
        }
    }
}

fn retry(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => return written,
        }
    }
}

#[cfg(unix)]
mod system {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::retry_on_intr;
    use std::fs::File;
    use std::io;

    /// Whether a write comes back at once. It does when nobody reads any more, or when there is no such
    /// descriptor: with an error. So any answer will do, and where poll does not know terminals as well.
    pub(super) fn can_write() -> bool {
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        let stderr = io::stderr();
        let mut asked = [PollFd::new(&stderr, PollFlags::OUT)];
        retry_on_intr(|| poll(&mut asked, Some(&AT_ONCE))).is_ok_and(|answers| answers > 0)
    }

    /// None where it is no terminal, or may not be opened, as behind `su`: then it is asked like a pipe.
    #[cfg(target_os = "linux")]
    pub(super) fn open_terminal() -> Option<File> {
        use rustix::fs::OFlags;
        use std::io::IsTerminal as _;
        use std::os::unix::fs::OpenOptionsExt as _;

        if !io::stderr().is_terminal() {
            return None;
        }
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).ok()?;
        File::options().write(true).custom_flags(flags).open("/proc/self/fd/2").ok()
    }

    /// Elsewhere that path, if there is one, is the same opening, and not one more.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn open_terminal() -> Option<File> {
        None
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::File;

    /// There is nobody to ask here: it may wait.
    pub(super) fn can_write() -> bool {
        true
    }

    pub(super) fn open_terminal() -> Option<File> {
        None
    }
}
