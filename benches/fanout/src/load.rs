//! What `fanfare bench` is told to do, and what it says it did.

use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Connections a second that the load opens at most.
const OPENED_PER_SECOND: f64 = 15_000.0;
/// A message that is on its way at the end may take so much longer.
const STALL_SECONDS: f64 = 2.0;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;

/// How the senders go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many messages of each sender in flight.
    Closed { window: u32 },
    /// So many messages a second, all senders together.
    Open { rate: u32 },
    /// Nobody sends.
    Idle,
}

/// One load.
#[derive(Clone, Copy, PartialEq)]
pub struct Load {
    pub connections: u64,
    pub senders: u32,
    pub message_bytes: u64,
    pub pace: Pace,
    pub seconds: f64,
}

impl Load {
    /// One sender with one message of 64 bytes in flight.
    pub fn closed(connections: u64, seconds: f64) -> Self {
        Self { connections, senders: 1, message_bytes: 64, pace: Pace::Closed { window: 1 }, seconds }
    }

    pub fn idle(connections: u64, seconds: f64) -> Self {
        Self { pace: Pace::Idle, ..Self::closed(connections, seconds) }
    }

    pub fn senders(self, senders: u32) -> Self {
        Self { senders, ..self }
    }

    pub fn window(self, window: u32) -> Self {
        Self { pace: Pace::Closed { window }, ..self }
    }

    pub fn rate(self, rate: u32) -> Self {
        Self { pace: Pace::Open { rate }, ..self }
    }

    pub fn message(self, message_bytes: u64) -> Self {
        Self { message_bytes, ..self }
    }

    /// The arguments of `fanfare bench`, behind the URL.
    pub fn arguments(&self) -> Vec<String> {
        let ramp = Duration::from_secs_f64(self.connections as f64 / OPENED_PER_SECOND);
        let duration = Duration::from_secs_f64(self.seconds);
        let mut arguments = vec!["--json".to_owned()];
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        add("--connections", self.connections.to_string());
        add("--ramp", format!("{}ms", ramp.as_millis().max(1)));
        add("--duration", format!("{}ms", duration.as_millis().max(1)));
        match self.pace {
            Pace::Closed { window } => add("--window", window.to_string()),
            Pace::Open { rate } => add("--rate", rate.to_string()),
            Pace::Idle => add("--scenario", "idle".to_owned()),
        }
        if self.pace != Pace::Idle {
            add("--senders", self.senders.to_string());
            add("--message", self.message_bytes.to_string());
        }
        arguments
    }

    /// The size of a message, as a table names it.
    pub fn message_size(&self) -> String {
        match self.message_bytes {
            bytes if bytes >= MIB && bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
            bytes if bytes >= KIB && bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
            bytes => format!("{bytes} B"),
        }
    }

    /// Who sends and how, as the options say it.
    pub fn pace_options(&self) -> String {
        let pace = match self.pace {
            Pace::Closed { window } => format!("-w {window}"),
            Pace::Open { rate } => format!("-r {rate}"),
            Pace::Idle => "idle".to_owned(),
        };
        if self.senders > 1 { format!("-s {} {pace}", self.senders) } else { pace }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = crate::table::thousands(self.connections);
        match self.pace {
            Pace::Idle => write!(formatter, "{connections} idle"),
            Pace::Closed { .. } | Pace::Open { .. } => {
                write!(formatter, "{connections} receivers, {}, {}", self.message_size(), self.pace_options())
            }
        }
    }
}

/// What it says it did.
pub struct Report {
    /// Since it was started, in seconds.
    pub measured_from: f64,
    pub measured_to: f64,
    pub opened: u64,
    /// `None` where nothing was sent.
    pub deliveries: Option<u64>,
    pub deliveries_per_second: Option<f64>,
    pub spread_ms: [Option<f64>; 2],
    fault: Option<String>,
}

impl Report {
    /// Reads the line of JSON that it printed.
    pub fn read(line: &str) -> Result<Self, String> {
        let said: Value = serde_json::from_str(line).map_err(|error| format!("its JSON: {error}"))?;
        let seconds =
            |key: &str| said["series"][key].as_f64().ok_or_else(|| format!("its JSON has no {key}"));
        Ok(Self {
            measured_from: seconds("measured_from")?,
            measured_to: seconds("measured_to")?,
            opened: said["connections"]["opened"].as_u64().unwrap_or(0),
            deliveries: said["deliveries"]["received"].as_u64(),
            deliveries_per_second: said["deliveries"]["per_second"].as_f64(),
            spread_ms: ["p50", "p99"].map(|key| said["spread_ms"][key].as_f64()),
            fault: fault(&said),
        })
    }

    /// What makes the figures worthless: something was lost, or the machine or a server stood still.
    pub fn fault(&self, load: &Load) -> Option<String> {
        let seconds = self.measured_to - self.measured_from;
        let stalled = seconds > load.seconds * 1.5 + STALL_SECONDS;
        let stall = || stalled.then(|| format!("took {seconds:.1} s to measure {:.1}", load.seconds));
        self.fault.clone().or_else(stall)
    }
}

/// What went wrong, in a few words.
fn fault(said: &Value) -> Option<String> {
    let faults = [
        ("connections", "failed", "connections failed"),
        ("connections", "lost", "connections lost"),
        ("deliveries", "lost", "deliveries lost"),
        ("deliveries", "duplicated", "duplicated"),
        ("deliveries", "reordered", "reordered"),
        ("deliveries", "corrupt", "corrupt"),
    ];
    let told = faults.iter().filter_map(|(object, key, words)| {
        let count = said[object][key].as_u64().filter(|&count| count > 0)?;
        Some(format!("{} {words}", crate::table::thousands(count)))
    });
    let causes = said["connections"]["causes"].as_object().into_iter().flatten();
    let told: Vec<_> = told.chain(causes.map(|(cause, count)| format!("{cause}: {count}"))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}
