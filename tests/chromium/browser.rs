//! Chromium: found, started without a window, and gone when its trial is.

use crate::connection::Connection;
use crate::outside::environment::variable;
use crate::outside::process::Process;
use crate::outside::program::comes_true;
use crate::outside::trial::Tool;
use crate::page::Page;
use serde_json::{Value, json};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// What Chromium is called, depending on who packed it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Names a browser of one's own choice.
const VARIABLE: &str = "FANFARE_CHROMIUM";

/// The browser to use. One that the variable names is not looked for: if it is not there, its start fails.
pub(crate) fn find() -> Tool<PathBuf> {
    if let Some(path) = variable(VARIABLE) {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path);
    let found = folders
        .find_map(|folder| NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file()));
    found.ok_or_else(|| {
        format!("needs Chromium: PATH has none of {}, and {VARIABLE} names none", NAMES.join(", "))
    })
}

/// A running browser.
pub(crate) struct Browser {
    connection: Connection,
    process: Process,
    /// Dropped last: the browser writes into it until it ends.
    _profile: TempDir,
}

impl Browser {
    #[track_caller]
    pub(crate) fn start(chromium: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder can be made");
        let mut command = Command::new(chromium);
        command.args(OPTIONS).arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.env("TMPDIR", profile.path()); // what it leaves elsewhere goes with its profile
        let mut process = Process::start(command);
        let url = process.wait_for("the address of the browser's remote control", |errors| {
            let (_, behind) = errors.split_once("DevTools listening on ")?;
            Some(behind.split_once('\n')?.0.trim().to_owned())
        });
        Self { connection: Connection::open(&url), process, _profile: profile }
    }

    /// A tab that shows a page.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) -> Page<'_> {
        let page = self.blank();
        page.open(url);
        page
    }

    /// A tab that shows nothing yet. It has a window of its own: a tab behind another one is slowed down.
    #[track_caller]
    pub(crate) fn blank(&self) -> Page<'_> {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank", "newWindow": true }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", target);
        Page::new(&self.connection, attached["sessionId"].as_str().expect("a session has a name"))
    }

    /// Looks whether a script of any page has thrown something that nobody caught. What a trial has thrown itself says
    /// that it is `thrown`.
    #[track_caller]
    pub(crate) fn assert_nothing_thrown(&self) {
        self.call("Target.getTargets", json!({})); // with its answer come the events before it
        let thrown = self.connection.all_events(|method, parameters| {
            let details = &parameters["exceptionDetails"];
            let text = details["exception"]["description"]
                .as_str()
                .map_or_else(|| details.to_string(), str::to_owned);
            (method == "Runtime.exceptionThrown" && !text.starts_with("Error: thrown")).then_some(text)
        });
        assert!(thrown.is_empty(), "a page has thrown\n{}", thrown.join("\n"));
    }

    #[track_caller]
    fn call(&self, method: &str, parameters: Value) -> Value {
        self.connection.call(None, method, parameters)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that closes takes its many processes along, and is done with its profile. One that does
        // not is killed, which is why nothing here is checked.
        let _ = self.connection.send(None, "Browser.close", json!({}));
        let _ = comes_true(Duration::from_secs(5), || self.process.has_ended());
    }
}

const OPTIONS: [&str; 14] = [
    "--headless",
    "--no-sandbox", // which does not start as root, nor in most containers
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage", // containers have little of it
    "--lang=en-US",
    "--ignore-certificate-errors", // nobody knows the certificate of a trial
    // Nothing that goes elsewhere, or comes in between.
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
];
