//! The log: one line an event on standard error, as text for people or as JSON for machines.
//!
//! Only records of this program are shown; those of the crates below it are noise at the levels where
//! somebody looks. Messages quote what peers sent, so a line is escaped here, once, for all of them.
//!
//! Must not know: what is worth a line.
//!
//! Invariants: a record is one line, however its message looks, and puts no control character on a terminal; nobody
//! waits for the log. A line that standard error would not take at once is lost, and counted.

use crate::escape;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// `2026-11-24T18:37:26Z INFO  message`
    Text,
    /// `{"time":"2026-11-24T18:37:26Z","level":"info","message":"message"}`
    Json,
}

/// Makes standard error the log. Only the first call of a process counts.
pub(crate) fn install(level: LevelFilter, format: LogFormat) {
    if log::set_boxed_logger(Box::new(StandardError::new(format))).is_ok() {
        log::set_max_level(level);
    }
}

/// The longest line, in bytes with its end. A pipe that takes anything takes so much at once (POSIX's PIPE_BUF, on
/// Linux), and no other writer comes in between; what is longer is cut.
const LINE_BYTES_MAX: usize = 4096;

struct StandardError {
    format: LogFormat,
    /// Lines that were lost since the last that was not.
    lost: AtomicUsize,
    /// Of the last line only a part was taken: the next begins with the break that it lacks.
    is_torn: AtomicBool,
}

impl StandardError {
    fn new(format: LogFormat) -> Self {
        Self { format, lost: AtomicUsize::new(0), is_torn: AtomicBool::new(false) }
    }

    /// Offers a line, once; counts it as lost when it is not taken.
    fn say(&self, level: Level, message: &str) -> bool {
        let mut line = line(self.format, SystemTime::now(), level, message);
        if self.is_torn.load(Ordering::Relaxed) {
            line.insert(0, '\n');
        }
        let taken = if takes_a_line() { write(line.as_bytes()) } else { 0 };
        if taken > 0 {
            self.is_torn.store(taken < line.len(), Ordering::Relaxed);
        }
        if taken == 0 {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        taken > 0
    }
}

/// One write, which comes back at once. Whoever closed standard error wants no log, and the server goes on without.
fn write(line: &[u8]) -> usize {
    loop {
        match io::stderr().write(line) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => return written.unwrap_or(0),
        }
    }
}

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("fanfare")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0
            && !self.say(Level::Warn, &format!("{lost} lines were lost here: standard error took none"))
        {
            // The line about them is none of them, and this one is.
            self.lost.fetch_add(lost, Ordering::Relaxed);
            return;
        }
        self.say(record.level(), &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Whether standard error takes a line without waiting: its reader may have stopped, or its terminal.
#[cfg(unix)]
fn takes_a_line() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::retry_on_intr;
    let stderr = io::stderr();
    let mut polled = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // An error, such as a reader that is gone, is for the write to find: it does not wait either.
    retry_on_intr(|| poll(&mut polled, Some(&now))).is_ok_and(|ready| ready > 0)
}

/// There is nothing to ask here.
#[cfg(not(unix))]
fn takes_a_line() -> bool {
    true
}

/// One event, with the line break.
fn line(format: LogFormat, time: SystemTime, level: Level, message: &str) -> String {
    // A clock before 1970 is a machine without a battery, not a reason to stop.
    let time = humantime::format_rfc3339_seconds(time.max(SystemTime::UNIX_EPOCH));
    match format {
        LogFormat::Text => format!("{time} {level:<5} {}\n", cut(message, escape::text)),
        LogFormat::Json => {
            let message = cut(message, escape::json);
            let level = level.as_str().to_ascii_lowercase();
            format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"message\":\"{message}\"}}\n")
        }
    }
}

/// A message that is escaped and fits a line, with what a line has beside it. What is cut ends with an ellipsis.
fn cut(message: &str, escape: fn(&str) -> String) -> String {
    const MOST: usize = LINE_BYTES_MAX - 128;
    let whole = escape(start(message, LINE_BYTES_MAX));
    if message.len() <= LINE_BYTES_MAX && whole.len() <= MOST {
        return whole;
    }
    let mut end = message.len().min(MOST);
    loop {
        let escaped = escape(start(message, end));
        if escaped.len() <= MOST {
            return escaped + "…";
        }
        // By at least a tenth, for what is escaped is longer.
        end -= end / 10 + 1;
    }
}

/// What of a text fits so many bytes, in whole characters.
fn start(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lines() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_545_446);
        let rows = [
            (Level::Info, "listening", "INFO  listening", r#""info","message":"listening""#),
            (Level::Error, "", "ERROR ", r#""error","message":"""#),
            (Level::Warn, "你好, é", "WARN  你好, é", r#""warn","message":"你好, é""#),
            (Level::Debug, r#"say "a\b""#, r#"DEBUG say "a\b""#, r#""debug","message":"say \"a\\b\"""#),
            (
                Level::Trace,
                "a\r\nb\t",
                r"TRACE a\u000d\u000ab\u0009",
                r#""trace","message":"a\u000d\u000ab\u0009""#,
            ),
            (
                Level::Info,
                "\x1b[31m\x7f\0",
                r"INFO  \u001b[31m\u007f\u0000",
                r#""info","message":"\u001b[31m\u007f\u0000""#,
            ),
            (
                Level::Info,
                "\u{85}\u{9b}\u{2028}\u{2029}",
                r"INFO  \u0085\u009b\u2028\u2029",
                r#""info","message":"\u0085\u009b\u2028\u2029""#,
            ),
        ];
        for (level, message, text, json) in rows {
            let text = format!("2026-11-24T18:37:26Z {text}\n");
            assert_eq!(line(LogFormat::Text, time, level, message), text, "{message:?}");
            let json = format!("{{\"time\":\"2026-11-24T18:37:26Z\",\"level\":{json}}}\n");
            assert_eq!(line(LogFormat::Json, time, level, message), json, "{message:?}");
        }
    }

    #[test]
    fn every_character_leaves_one_line() {
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        for format in [LogFormat::Text, LogFormat::Json] {
            for some in all.chunks(500).map(String::from_iter) {
                let line = line(format, SystemTime::UNIX_EPOCH, Level::Info, &some);
                let body = line.strip_suffix('\n').expect("a line");
                assert!(!body.contains(|letter: char| letter.is_control()), "{format:?}");
            }
        }
    }

    /// A pipe takes it at once or not at all; JSON stays JSON.
    #[test]
    fn a_long_message_is_cut() {
        for letter in ["x", "中", "\0", "\"", "\u{1b}"] {
            for count in [900, 1000, 1300, 2000, 4000, 5000, 100_000] {
                let message = letter.repeat(count);
                let text = line(LogFormat::Text, SystemTime::UNIX_EPOCH, Level::Info, &message);
                let json = line(LogFormat::Json, SystemTime::UNIX_EPOCH, Level::Info, &message);
                assert!(text.len() <= LINE_BYTES_MAX && json.len() <= LINE_BYTES_MAX, "{letter:?} {count}");
                let is_whole = escape::json(&message).len() + 128 <= LINE_BYTES_MAX;
                assert_eq!(json.ends_with("…\"}\n"), !is_whole, "{letter:?} {count}: {json}");
                let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
                let said = value["message"].as_str().expect("text").trim_end_matches('…');
                assert!(message.starts_with(said) && said.len() * 8 > message.len().min(4096));
            }
        }
    }

    #[test]
    fn a_clock_before_1970_is_no_panic() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(line(LogFormat::Text, early, Level::Info, "x"), "1970-01-01T00:00:00Z INFO  x\n");
    }

    #[test]
    fn whose_records_are_shown() {
        let logger = StandardError::new(LogFormat::Text);
        for (target, want) in
            [("fanfare", true), ("fanfare::server", true), ("mio::poll", false), ("", false)]
        {
            assert_eq!(logger.enabled(&Metadata::builder().target(target).build()), want, "{target}");
        }
    }
}
