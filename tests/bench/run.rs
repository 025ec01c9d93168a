//! Runs the program, `fanfare bench` above all, and reads what it says.

use crate::outside::pipe::Pipe;
#[cfg(unix)]
use crate::outside::process::signal;
use crate::outside::program::{comes_true, program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. Generous: it turns a hang into a failure, and says nothing about speed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// `fanfare bench URL --json`, no ramp, and options with spaces between them.
#[track_caller]
pub(crate) fn bench(url: &str, options: &str) -> Outcome {
    Running::start(bench_command(url, options)).finish()
}

/// The same as a command.
pub(crate) fn bench_command(url: &str, options: &str) -> Command {
    let mut command = program();
    command.args(["bench", url, "--json", "--ramp", "0ms"]).args(options.split_whitespace());
    command
}

/// Tries all rows at the same time: most of a run is waiting. Not for what compares speeds.
pub(crate) fn at_once<T: Sync>(rows: &[T], try_one: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for row in rows {
            scope.spawn(|| try_one(row));
        }
    });
}

/// A program that was started; killed with its last use.
pub(crate) struct Running {
    command: String,
    started: Instant,
    child: Child,
    output: Pipe,
    errors: Pipe,
}

impl Running {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let output = Pipe::collect(child.stdout.take().expect("it is piped"));
        let errors = Pipe::collect(child.stderr.take().expect("it is piped"));
        Self { command: format!("{command:?}"), started: Instant::now(), child, output, errors }
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by the name that `kill` has for it.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome {
        let mut code = None;
        let ended = comes_true(DEADLINE, || {
            code = self.child.try_wait().expect("it is our child").map(|status| status.code());
            code.is_some() && self.output.is_complete() && self.errors.is_complete()
        });
        assert!(ended, "runs on: {}\n{}{}", self.command, self.output.text(), self.errors.text());
        Outcome {
            command: self.command.clone(),
            code: code.flatten(),
            output: self.output.text(),
            errors: self.errors.text(),
            took: self.started.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program left that has ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) took: Duration,
}

impl Outcome {
    /// Checks the exit code, and gives what it reported.
    #[track_caller]
    pub(crate) fn report(&self, code: i32) -> Report {
        assert_eq!(self.code, Some(code), "{self}");
        match serde_json::from_str(&self.output) {
            Ok(value) => Report(value),
            Err(error) => panic!("no JSON: {error}: {self}"),
        }
    }

    /// Checks that nothing is reported, and that the one line on standard error says all of these.
    #[track_caller]
    pub(crate) fn assert_gives_up(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.output, "", "{self}");
        assert_eq!(self.errors.lines().count(), 1, "{self}");
        let lacking: Vec<_> = words.iter().filter(|words| !self.errors.contains(**words)).collect();
        assert!(lacking.is_empty(), "{lacking:?} is not said: {self}");
    }
}

/// For the message of a failure.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, output, errors, took } = self;
        write!(
            f,
            "{command}\nended with {code:?} after {took:?}\n--- output\n{output}\n--- errors\n{errors}---"
        )
    }
}

/// The object that `--json` prints.
#[derive(Clone, Debug)]
pub(crate) struct Report(Value);

impl Report {
    /// The value at a path such as `deliveries.lost`.
    #[track_caller]
    fn at(&self, path: &str) -> &Value {
        let mut value = &self.0;
        for key in path.split('.') {
            let item = key.parse().ok().and_then(|index: usize| value.get(index));
            value = item.or_else(|| value.get(key)).unwrap_or_else(|| panic!("no {path} in {}", self.0));
        }
        value
    }

    /// Whether one of the notes says this.
    #[track_caller]
    pub(crate) fn assert_note(&self, words: &str) {
        let notes = self.at("notes").as_array().map(Vec::as_slice).unwrap_or_default();
        let has_words = |note: &Value| note.as_str().is_some_and(|note| note.contains(words));
        assert!(notes.iter().any(has_words), "no note says {words:?} in {}", self.0);
    }

    /// A whole number.
    #[track_caller]
    pub(crate) fn count(&self, path: &str) -> u64 {
        self.at(path).as_u64().unwrap_or_else(|| panic!("{path} is no whole number in {}", self.0))
    }

    /// A number.
    #[track_caller]
    pub(crate) fn figure(&self, path: &str) -> f64 {
        self.at(path).as_f64().unwrap_or_else(|| panic!("{path} is no number in {}", self.0))
    }

    #[track_caller]
    pub(crate) fn flag(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_else(|| panic!("{path} is neither true nor false in {}", self.0))
    }

    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_else(|| panic!("{path} is no text in {}", self.0))
    }

    #[track_caller]
    pub(crate) fn is_null(&self, path: &str) -> bool {
        self.at(path).is_null()
    }

    /// Why connections failed or were lost, and how many.
    #[track_caller]
    pub(crate) fn causes(&self) -> BTreeMap<String, u64> {
        let causes = self.at("connections.causes").as_object().expect("causes are an object");
        causes.iter().map(|(name, count)| (name.clone(), count.as_u64().expect("a count"))).collect()
    }

    /// Checks the counts at these paths.
    #[track_caller]
    pub(crate) fn assert_counts(&self, rows: &[(&str, u64)]) {
        let got: Vec<_> = rows.iter().map(|(path, _)| (*path, self.count(path))).collect();
        assert_eq!(got, rows, "{}", self.0);
    }

    /// Checks why connections failed or were lost, and that each of them has its cause.
    #[track_caller]
    pub(crate) fn assert_causes(&self, causes: &[(&str, u64)]) {
        let want: BTreeMap<_, _> = causes.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(self.causes(), want, "{}", self.0);
        let ended = self.count("connections.failed") + self.count("connections.lost");
        assert_eq!(ended, want.values().sum::<u64>(), "each has a cause: {}", self.0);
    }

    /// Checks that no connection and no message was lost, that messages went to `receivers` each, and that the
    /// figures agree with each other.
    #[track_caller]
    pub(crate) fn assert_clean(&self, connections: u64, receivers: u64, message_bytes: u64) {
        self.assert_causes(&[]);
        let sent = self.count("messages.sent");
        assert!(sent > 0, "messages were sent: {}", self.0);
        self.assert_counts(&[
            ("connections.asked", connections),
            ("connections.opened", connections),
            ("connections.failed", 0),
            ("connections.lost", 0),
            ("deliveries.expected", sent * receivers),
            ("deliveries.received", sent * receivers),
            ("deliveries.lost", 0),
            ("deliveries.duplicated", 0),
            ("deliveries.reordered", 0),
            ("deliveries.corrupt", 0),
        ]);
        assert_eq!(self.figure("reach"), 1.0, "{}", self.0);
        self.assert_agrees(message_bytes);
    }

    /// Checks that rates, percentiles and bytes are what the counts allow.
    #[track_caller]
    pub(crate) fn assert_agrees(&self, message_bytes: u64) {
        let seconds = self.figure("seconds");
        // Within 1 %, and seconds have three digits. On a busy machine some deliveries come when the time is over: they
        // count, and are not of the rate.
        let within = 0.01 + 0.0005 / seconds;
        for (rate, count, below) in [
            ("messages.per_second", "messages.sent", within),
            ("deliveries.per_second", "deliveries.received", 0.5),
        ] {
            let (rate, want) = (self.figure(rate), self.figure(count) / seconds);
            assert!(
                (want * (1.0 - below)..=want * (1.0 + within)).contains(&rate),
                "{count} in {seconds} s is {want} a second: {}",
                self.0
            );
        }
        for (bytes, count) in [("bytes.sent", "messages.sent"), ("bytes.received", "deliveries.received")] {
            let least = self.count(count) * message_bytes;
            assert!(self.count(bytes) >= least, "{bytes} is at least {least}: {}", self.0);
        }
        let latency = ["p50", "p90", "p99", "p99_9", "max"].map(|name| format!("latency_ms.{name}"));
        self.assert_rises(&latency);
        assert!(self.figure("latency_ms.p50") > 0.0, "{}", self.0);
        if !self.is_null("spread_ms.p50") {
            self.assert_rises(&["p50", "p99", "max"].map(|name| format!("spread_ms.{name}")));
        }
        let share = self.figure("generator.cpu_share");
        assert!(share > 0.0 && share < 1.1, "a thread cannot use more than a processor: {}", self.0);
    }

    #[track_caller]
    fn assert_rises(&self, paths: &[String]) {
        let figures: Vec<_> = paths.iter().map(|path| self.figure(path)).collect();
        assert!(figures.is_sorted(), "{paths:?} rise: {}", self.0);
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
