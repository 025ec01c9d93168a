//! The program under test as a command, where it says that it listens, and waiting for a thing to happen. For the
//! tests in `server/` as well.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program, with nothing of the environment that would change what it does, and nothing to read.
pub(crate) fn program() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_fanfare")))
}

/// The same for whatever starts the program.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FANFARE_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// The port that the program says it listens on, once it has.
pub(crate) fn port_in(log: &str) -> Option<u16> {
    let (before, _) = log.split_once("/websocket.html")?;
    before.rsplit_once(':')?.1.parse().ok()
}

/// Waits for something to be so: the only place that lets time pass. Gives `false` when it never was.
#[must_use]
pub(crate) fn comes_true(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
