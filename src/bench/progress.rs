//! A line of life while a run goes on: on a terminal only, gone when it is over.
//!
//! Must not know: what the figures mean, when it is time for the next.
//!
//! Invariant: what is not a terminal gets not one byte; a terminal gets one line, cut where it is too narrow.

use super::report::figures;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connections are being opened.
    Opening,
    /// Messages are sent, and not counted yet.
    WarmingUp,
    /// What happens counts.
    Measuring,
    /// Nothing is sent any more; what is on its way may arrive.
    Draining,
    /// Connections are being closed.
    Closing,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::WarmingUp => "warming up",
            Self::Measuring => "measuring",
            Self::Draining => "draining",
            Self::Closing => "closing",
        }
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) phase: Phase,
    /// Since this phase began.
    pub(crate) elapsed: Duration,
    /// How long this phase takes; `None` when nobody knows.
    pub(crate) total: Option<Duration>,
    /// Connections that are open.
    pub(crate) open: u64,
    /// Connections that were asked for.
    pub(crate) asked: u64,
    /// Messages sent a second, lately.
    pub(crate) sent_per_second: f64,
    /// Deliveries a second, lately.
    pub(crate) received_per_second: f64,
    /// Connections and messages that went wrong so far.
    pub(crate) errors: u64,
    /// The longest latency lately, in milliseconds.
    pub(crate) worst_ms: Option<f64>,
}

/// The line on standard error; nothing where that is no terminal.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Nothing is drawn before the first snapshot.
    pub(crate) fn new() -> Self {
        if io::stderr().is_terminal() { Self::on(ProgressDrawTarget::stderr()) } else { Self { bar: None } }
    }

    /// Shows how the run stands now. May be called more often than is drawn.
    pub(crate) fn show(&mut self, now: &Snapshot) {
        if let Some(bar) = &self.bar {
            bar.set_message(line(now));
        }
    }

    /// Clears the line. Nothing is shown from here on.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        // What is wide is cut to the terminal instead of going on in a second line.
        let style = ProgressStyle::with_template("{wide_msg}").expect("a template without a mistake");
        bar.set_style(style);
        Self { bar: Some(bar) }
    }
}

/// What the line has room for.
const COLUMNS: usize = 80;
/// Letters of the bar.
const BAR: usize = 8;

/// The line: the most important first, and of the rest what still fits.
fn line(now: &Snapshot) -> String {
    let mut line = format!("{}{}", now.phase.name(), clock(now));
    let open = match now.phase {
        Phase::Opening => format!("{} of {} open", figures::count(now.open), figures::count(now.asked)),
        Phase::WarmingUp | Phase::Measuring | Phase::Draining | Phase::Closing => {
            format!("{} open", figures::count(now.open))
        }
    };
    let errors = (now.errors > 0).then(|| figures::counted(now.errors, "error"));
    let rate = |what: &str, rate: f64| (rate > 0.0).then(|| format!("{what} {}/s", figures::short(rate)));
    let worst = now.worst_ms.map(|ms| format!("worst {} ms", figures::ms(ms)));
    let sent = rate("out", now.sent_per_second);
    let received = rate("in", now.received_per_second);
    for part in [Some(open), errors, received, sent, worst].into_iter().flatten() {
        // All of it is ASCII, beside the sign of what is no number.
        if line.chars().count() + 2 + part.chars().count() <= COLUMNS {
            line.push_str("  ");
            line.push_str(&part);
        }
    }
    line
}

/// ` [####....] 3/10 s`, or ` 3 s`.
fn clock(now: &Snapshot) -> String {
    let elapsed = now.elapsed.as_secs();
    let Some(total) = now.total.filter(|total| !total.is_zero()) else { return format!(" {elapsed} s") };
    let share = (now.elapsed.as_secs_f64() / total.as_secs_f64()).min(1.0);
    let full = (share * BAR as f64) as usize;
    let total = total.as_secs_f64().ceil();
    format!(" [{}{}] {elapsed}/{total} s", "#".repeat(full), ".".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::sync::{Arc, Mutex};

    const NOW: Snapshot = Snapshot {
        phase: Phase::Measuring,
        elapsed: Duration::from_millis(5_200),
        total: Some(Duration::from_secs(10)),
        open: 15_000,
        asked: 15_000,
        sent_per_second: 100.0,
        received_per_second: 1_500_000.0,
        errors: 0,
        worst_ms: Some(2.117),
    };

    #[test]
    fn lines() {
        for (now, want) in [
            (NOW, "measuring [####....] 5/10 s  15,000 open  in 1.5M/s  out 100/s  worst 2.117 ms"),
            (
                Snapshot { errors: 12, ..NOW },
                "measuring [####....] 5/10 s  15,000 open  12 errors  in 1.5M/s  out 100/s",
            ),
            (
                Snapshot {
                    phase: Phase::Opening,
                    open: 7,
                    sent_per_second: 0.0,
                    received_per_second: 0.0,
                    worst_ms: None,
                    ..NOW
                },
                "opening [####....] 5/10 s  7 of 15,000 open",
            ),
            (
                Snapshot { phase: Phase::Closing, total: None, sent_per_second: f64::NAN, ..NOW },
                "closing 5 s  15,000 open  in 1.5M/s  worst 2.117 ms",
            ),
            (
                Snapshot { elapsed: Duration::from_secs(99), total: Some(Duration::ZERO), errors: 1, ..NOW },
                "measuring 99 s  15,000 open  1 error  in 1.5M/s  out 100/s  worst 2.117 ms",
            ),
        ] {
            assert_eq!(line(&now), want);
        }
    }

    #[test]
    fn a_line_fits_80_columns() {
        for phase in [Phase::Opening, Phase::WarmingUp, Phase::Measuring, Phase::Draining, Phase::Closing] {
            let week = Duration::from_secs(7 * 24 * 60 * 60);
            let most = Snapshot {
                phase,
                elapsed: week,
                total: Some(week),
                open: 1_000_000,
                asked: 1_000_000,
                sent_per_second: f64::MAX,
                received_per_second: f64::INFINITY,
                errors: u64::MAX,
                worst_ms: Some(60_000.0),
            };
            let line = line(&most);
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }

    /// A terminal that remembers what was put on it.
    #[derive(Clone, Debug)]
    struct Terminal {
        width: u16,
        seen: Arc<Mutex<Vec<String>>>,
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            self.width
        }
        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            assert_eq!(lines, 0, "there is one line");
            Ok(())
        }
        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            assert_eq!(lines, 0, "there is one line");
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            panic!("a line break behind {text:?}")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.seen.lock().unwrap().push(text.to_owned());
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.seen.lock().unwrap().push("cleared".to_owned());
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_narrow_terminal_cuts_the_line() {
        for width in [80, 40, 10, 1] {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let terminal = Terminal { width, seen: Arc::clone(&seen) };
            let mut progress = Progress::on(ProgressDrawTarget::term_like(Box::new(terminal)));
            progress.show(&NOW);
            progress.show(&Snapshot { open: 7, ..NOW });
            progress.finish();
            progress.show(&NOW);
            let seen = seen.lock().unwrap();
            let longest = seen.iter().filter(|text| *text != "cleared").map(|text| text.trim_end().len());
            let line = line(&NOW);
            let want = line[..line.len().min(width.into())].trim_end().len();
            assert_eq!(longest.max(), Some(want), "{width}: {seen:?}");
            let last = seen.iter().rposition(|text| text == "cleared").expect("cleared at the end");
            assert!(seen[last + 1..].iter().all(String::is_empty), "{width}: {seen:?}");
        }
    }
}
