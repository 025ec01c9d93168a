//! A program that runs beside a trial, what it says on standard error, and its end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. Generous: it turns a hang into a failure, and says nothing about speed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

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

/// A child; killed and reaped with its last use.
pub(crate) struct Process {
    child: Child,
    errors: Arc<Mutex<String>>,
}

impl Process {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut pipe = BufReader::new(child.stderr.take().expect("it is piped"));
        let errors = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&errors);
        // A full pipe would stop the child, so a thread takes whatever comes. It ends with the pipe.
        thread::spawn(move || {
            let mut line = Vec::new();
            while let Ok(1..) = pipe.read_until(b'\n', &mut line) {
                let mut errors = shared.lock().unwrap_or_else(PoisonError::into_inner);
                errors.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { child, errors }
    }

    /// Waits until it says something; gives what `find` made of all that it said.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let mut found = None;
        let found_in_time = comes_true(DEADLINE, || {
            found = find(&self.errors());
            found.is_some() || self.has_ended()
        });
        let ended = if found_in_time { "it ended" } else { "it runs" };
        found.unwrap_or_else(|| panic!("{what}: {ended}, and said\n{}", self.errors()))
    }

    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Asks it to end, as `systemctl stop` does. Where there are no signals, nothing can ask.
    pub(crate) fn terminate(&mut self) {
        if cfg!(unix) {
            let kill = format!("kill -TERM {}", self.child.id());
            let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
            assert!(status.success(), "{kill}: {status}");
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
