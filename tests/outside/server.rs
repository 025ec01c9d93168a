//! The program under test, started for a trial and gone when the trial is.

use super::process::{DEADLINE, Process};
use super::program::{comes_true, port_in, program};
use std::thread;

/// A running server.
pub(crate) struct Server {
    process: Process,
    port: u16,
    /// What its pages begin with.
    scheme: &'static str,
}

impl Server {
    /// Starts the program with options, on a port that the system picks, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_on(0, options)
    }

    /// The same on a port of one's own.
    #[track_caller]
    pub(crate) fn start_on(port: u16, options: &[&str]) -> Self {
        let mut command = program();
        command.args(["--port", &port.to_string()]).args(options);
        let mut process = Process::start(command);
        let port = process.wait_for("the line that says where the server listens", port_in);
        let scheme = if process.errors().contains(" on https://") { "https" } else { "http" };
        Self { process, port, scheme }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.errors()
    }

    /// The address of a page.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("{}://localhost:{}/{page}", self.scheme, self.port)
    }

    /// The address of its WebSockets, without a path.
    pub(crate) fn websocket_url(&self) -> String {
        format!("{}://localhost:{}", self.scheme.replace("http", "ws"), self.port)
    }

    /// Asks the server to stop, and waits until it is gone.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.process.terminate();
        let ended = comes_true(DEADLINE, || self.process.has_ended());
        assert!(ended, "a server that was asked to stop runs on");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server said\n{}---", self.process.errors());
        }
    }
}
