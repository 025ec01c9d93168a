//! The log: one line an event on standard error, as text for people or as JSON for machines.
//!
//! Only records of this program are shown; those of the crates below it are noise at the levels where
//! somebody looks. Messages quote what peers sent, so a line is escaped here, once, for all of them.
//!
//! Must not know: what is worth a line.
//!
//! Invariant: a record is one line, however its message looks, and puts no control character on a terminal.

use crate::escape;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::{self, Write as _};
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
    if log::set_boxed_logger(Box::new(StandardError { format })).is_ok() {
        log::set_max_level(level);
    }
}

struct StandardError {
    format: LogFormat,
}

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("fanfare")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = line(self.format, SystemTime::now(), record.level(), &record.args().to_string());
        // Whole lines, so that other writers cannot come in between. Whoever closed standard error wants no
        // log, and the server goes on without.
        let _ = io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// One event, with the line break.
fn line(format: LogFormat, time: SystemTime, level: Level, message: &str) -> String {
    // A clock before 1970 is a machine without a battery, not a reason to stop.
    let time = humantime::format_rfc3339_seconds(time.max(SystemTime::UNIX_EPOCH));
    match format {
        LogFormat::Text => format!("{time} {level:<5} {}\n", escape::text(message)),
        LogFormat::Json => {
            let message = escape::json(message);
            let level = level.as_str().to_ascii_lowercase();
            format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"message\":\"{message}\"}}\n")
        }
    }
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
        let all: String = ('\0'..=char::MAX).collect();
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = line(format, SystemTime::UNIX_EPOCH, Level::Info, &all);
            let body = line.strip_suffix('\n').expect("a line");
            assert!(!body.contains(|letter: char| letter.is_control()), "{format:?}");
        }
    }

    #[test]
    fn a_clock_before_1970_is_no_panic() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(line(LogFormat::Text, early, Level::Info, "x"), "1970-01-01T00:00:00Z INFO  x\n");
    }

    #[test]
    fn whose_records_are_shown() {
        let logger = StandardError { format: LogFormat::Text };
        for (target, want) in
            [("fanfare", true), ("fanfare::server", true), ("mio::poll", false), ("", false)]
        {
            assert_eq!(logger.enabled(&Metadata::builder().target(target).build()), want, "{target}");
        }
    }
}
