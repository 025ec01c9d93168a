//! The log: one line an event on standard error, as text for people or as JSON for machines.
//!
//! Only records of this program are shown; those of the crates below it are noise at the levels where
//! somebody looks. Messages quote what peers sent, so a line is escaped here, once, for all of them. Whoever
//! does not read the log, or closed it, has no say in how the server runs: a line that is not taken is lost,
//! and the next one that is taken comes behind one that counts them.
//!
//! Must not know: what is worth a line.
//!
//! Invariants: a record is one line, however its message looks, and puts no control character on a terminal;
//! no record waits.

use super::lossy::Lossy;
use super::standard_error::{LINE_BYTES_MAX, StandardError};
use crate::escape;
use log::kv::{Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::sync::{Mutex, PoisonError};
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
    let logger = Logger::new(format);
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

struct Logger {
    format: LogFormat,
    to: StandardError,
    lines: Mutex<Lossy>,
}

impl Logger {
    fn new(format: LogFormat) -> Self {
        Self { format, to: StandardError::new(), lines: Mutex::default() }
    }

    fn report(&self, lost: u64) -> String {
        let lines = if lost == 1 { "line was" } else { "lines were" };
        let message = format!("{lost} {lines} lost: standard error took none");
        line(self.format, SystemTime::now(), Level::Warn, &message, "")
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("fanfare")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let fields = match self.format {
            LogFormat::Text => String::new(), // its message says them
            LogFormat::Json => fields(record),
        };
        let message = record.args().to_string();
        let line = line(self.format, SystemTime::now(), record.level(), &message, &fields);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.offer(&line, |lost| self.report(lost), |line| self.to.offer(line));
    }

    /// Says what was lost, should no line follow that could.
    fn flush(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.confess(|lost| self.report(lost), |line| self.to.offer(line));
    }
}

/// The fields of a record as members of an object, each behind a comma. One that would take most of a line is cut.
fn fields(record: &Record<'_>) -> String {
    struct Fields(String);
    impl<'kvs> VisitSource<'kvs> for Fields {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
            let value = match value.to_borrowed_str() {
                Some(text) => format!("\"{}\"", escape::json_within(text, LINE_BYTES_MAX / 4)),
                None if value.to_f64().is_some() => value.to_string(),
                None => format!("\"{}\"", escape::json_within(&value.to_string(), LINE_BYTES_MAX / 4)),
            };
            self.0 += &format!(",\"{}\":{value}", escape::json_within(key.as_str(), LINE_BYTES_MAX / 16));
            Ok(())
        }
    }
    let mut fields = Fields(String::new());
    // It fails only when a visitor does.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

/// One event, with the line break; a message too long for one write is cut. Fields that leave no room for it are left
/// out.
fn line(format: LogFormat, time: SystemTime, level: Level, message: &str, fields: &str) -> String {
    // A clock before 1970 is a machine without a battery, not a reason to stop.
    let time = humantime::format_rfc3339_seconds(time.max(SystemTime::UNIX_EPOCH));
    let fields = if fields.len() > LINE_BYTES_MAX / 2 { "" } else { fields };
    let (start, end) = match format {
        LogFormat::Text => (format!("{time} {level:<5} "), "\n".to_owned()),
        LogFormat::Json => {
            let level = level.as_str().to_ascii_lowercase();
            (format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"message\":\""), format!("\"{fields}}}\n"))
        }
    };
    let room = LINE_BYTES_MAX.saturating_sub(start.len() + end.len());
    let message = match format {
        LogFormat::Text => escape::text_within(message, room),
        LogFormat::Json => escape::json_within(message, room),
    };
    start + &message + &end
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
            assert_eq!(line(LogFormat::Text, time, level, message, ""), text, "{message:?}");
            let json = format!("{{\"time\":\"2026-11-24T18:37:26Z\",\"level\":{json}}}\n");
            assert_eq!(line(LogFormat::Json, time, level, message, ""), json, "{message:?}");
        }
    }

    #[test]
    fn every_character_leaves_one_line() {
        let all: Vec<_> = ('\0'..=char::MAX).collect();
        // In pieces of which none is cut.
        for piece in all.chunks(50) {
            let piece: String = piece.iter().collect();
            for format in [LogFormat::Text, LogFormat::Json] {
                let line = line(format, SystemTime::UNIX_EPOCH, Level::Info, &piece, "");
                let body = line.strip_suffix('\n').expect("a line");
                assert!(!body.contains(|letter: char| letter.is_control()), "{format:?}");
            }
        }
    }

    #[test]
    fn a_line_is_never_longer_than_one_write() {
        for message in ["x", "é", "你", "\"", "\n", "𝄞"] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let line =
                    line(format, SystemTime::UNIX_EPOCH, Level::Debug, &message.repeat(LINE_BYTES_MAX), "");
                // A letter or a code that has no room leaves less than its own length.
                assert!((LINE_BYTES_MAX - 6..=LINE_BYTES_MAX).contains(&line.len()), "{}", line.len());
                let end = if format == LogFormat::Json { "…\"}\n" } else { "…\n" };
                assert!(line.ends_with(end), "{format:?} {message:?}");
            }
        }
    }

    #[test]
    fn what_is_lost_is_counted_in_words() {
        let logger = Logger::new(LogFormat::Text);
        for (lost, want) in
            [(1, "WARN  1 line was lost: "), (12, "WARN  12 lines were lost: standard error took none\n")]
        {
            assert!(logger.report(lost).contains(want), "{}", logger.report(lost));
        }
    }

    #[test]
    fn fields_are_members() {
        let record = |path: &'static str, line: &dyn Fn(&Record<'_>)| {
            let fields: &[(&str, Value<'_>)] =
                &[("path", path.into()), ("status", 200.into()), ("milliseconds", 0.25.into())];
            line(&Record::builder().key_values(&fields).build());
        };
        record("/\"\n", &|record| {
            let fields = fields(record);
            assert_eq!(fields, r#","path":"/\"\u000a","status":200,"milliseconds":0.25"#);
            let line = line(LogFormat::Json, SystemTime::UNIX_EPOCH, Level::Info, "x", &fields);
            assert!(line.ends_with(&format!("\"message\":\"x\"{fields}}}\n")), "{line}");
        });
        let long: &'static str = "\u{1}".repeat(LINE_BYTES_MAX).leak();
        record(long, &|record| {
            let fields = fields(record);
            assert!(fields.len() < LINE_BYTES_MAX / 2 && fields.contains("…"), "{fields}");
            let text = "y".repeat(LINE_BYTES_MAX);
            let line = line(LogFormat::Json, SystemTime::UNIX_EPOCH, Level::Info, &text, &fields.repeat(3));
            assert!(line.len() <= LINE_BYTES_MAX && !line.contains("path"), "no room for them");
        });
    }

    #[test]
    fn a_clock_before_1970_is_no_panic() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(line(LogFormat::Text, early, Level::Info, "x", ""), "1970-01-01T00:00:00Z INFO  x\n");
    }

    #[test]
    fn whose_records_are_shown() {
        let logger = Logger::new(LogFormat::Text);
        for (target, want) in
            [("fanfare", true), ("fanfare::server", true), ("mio::poll", false), ("", false)]
        {
            assert_eq!(logger.enabled(&Metadata::builder().target(target).build()), want, "{target}");
        }
    }
}
