//! A program that runs beside a trial, what it says on standard error, and its end.

use super::pipe::Pipe;
use super::program::comes_true;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long anything may take. Generous: it turns a hang into a failure, and says nothing about speed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A child; killed and reaped with its last use.
pub(crate) struct Process {
    child: Child,
    errors: Pipe,
}

impl Process {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        Self::try_start(&mut command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// The same for a program that may not be there.
    pub(crate) fn try_start(command: &mut Command) -> io::Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let errors = Pipe::collect(child.stderr.take().expect("it is piped"));
        Ok(Self { child, errors })
    }

    /// Waits until it says something; gives what `find` made of all the lines that it said.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let mut found = None;
        let found_in_time = comes_true(DEADLINE, || {
            let said = self.errors();
            let lines = said.rfind('\n').map_or(0, |end| end + 1);
            found = find(&said[..lines]);
            found.is_some() || self.has_ended()
        });
        let ended = if found_in_time { "it ended" } else { "it runs" };
        found.unwrap_or_else(|| panic!("{what}: {ended}, and said\n{}", self.errors()))
    }

    pub(crate) fn errors(&self) -> String {
        self.errors.text()
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Waits until it ends by itself and all that it said is there; gives `None` when it runs on.
    #[must_use]
    pub(crate) fn end(&mut self, limit: Duration) -> Option<ExitStatus> {
        let mut status = None;
        let ended = comes_true(limit, || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some() && self.errors.is_complete()
        });
        if ended { status } else { None }
    }

    /// Asks it to end, as `systemctl stop` does. Where there are no signals, nothing can ask.
    pub(crate) fn terminate(&mut self) {
        if cfg!(unix) {
            signal(self.id(), "TERM");
        } else {
            self.child.kill().expect("it is our child");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a process a signal, by the name that `kill` has for it.
#[track_caller]
pub(crate) fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(status.success(), "{kill}: {status}");
}
