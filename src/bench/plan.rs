//! What a run is to do: the options of `fanfare bench`, read and checked.
//!
//! Must not know: how anything of it is spelled, how it is done.

use super::target::Target;
use fanfare::websocket::frame::Opcode;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What `fanfare bench` was asked for.
#[expect(clippy::large_enum_variant, reason = "a process makes one")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Put load on a server and report.
    Run(Plan),
    /// Put two reports in JSON side by side.
    Compare(Comparison),
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The server.
    pub(crate) target: Target,
    /// What the connections do.
    pub(crate) scenario: Scenario,
    /// Connections that receive, senders among them. At least 1.
    pub(crate) connections: usize,
    /// How many of them send; at least 1, at most all.
    pub(crate) senders: usize,
    /// Receivers beyond these that never read, in [`Scenario::Slow`].
    pub(crate) slow: usize,
    /// Bytes of one payload, from [`super::stamp::BYTES`] on.
    pub(crate) message_bytes: usize,
    /// How a payload is sent.
    pub(crate) kind: Kind,
    /// When the next message is sent.
    pub(crate) pace: Pace,
    /// How long is measured.
    pub(crate) duration: Duration,
    /// The time over which connections are opened, not measured.
    pub(crate) ramp: Duration,
    /// Looks for the number of connections that a server holds.
    pub(crate) search: Option<Search>,
    /// What counts as the message that was sent.
    pub(crate) matching: Matching,
    /// What the handshake says beyond the necessary.
    pub(crate) handshake: HandshakeOptions,
    /// Whose certificates count, on `wss://`.
    pub(crate) trust: Trust,
    /// How long a connection may take from its start to the end of its handshake.
    pub(crate) timeout: Duration,
    /// Addresses to connect from; none: picked for the target.
    pub(crate) source_addresses: Vec<IpAddr>,
    /// The server's process on this machine.
    pub(crate) pid: Option<u32>,
    /// How the result is told.
    pub(crate) output: Output,
    /// The command line, for the report.
    pub(crate) command: String,
}

impl Plan {
    /// Receivers that never read.
    pub(crate) fn slow_receivers(&self) -> usize {
        match self.scenario {
            Scenario::Slow => self.slow,
            Scenario::Connect | Scenario::Idle | Scenario::Echo | Scenario::Broadcast => 0,
        }
    }

    /// Connections at a time, in the first stage of a search.
    pub(crate) fn places(&self) -> usize {
        self.connections + self.slow_receivers()
    }
}

/// What the connections do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Handshakes a second: open, close, open again.
    Connect,
    /// Open and hold.
    Idle,
    /// A message and its reply, to its sender alone.
    Echo,
    /// Senders and receivers.
    Broadcast,
    /// The same with receivers that never read.
    Slow,
}

impl Scenario {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 5] = [Self::Connect, Self::Idle, Self::Echo, Self::Broadcast, Self::Slow];

    /// As it is typed and shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Idle => "idle",
            Self::Echo => "echo",
            Self::Broadcast => "broadcast",
            Self::Slow => "slow",
        }
    }

    /// Whether messages are sent in it.
    pub(crate) fn has_messages(self) -> bool {
        match self {
            Self::Connect | Self::Idle => false,
            Self::Echo | Self::Broadcast | Self::Slow => true,
        }
    }
}

/// How a payload is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As text.
    Text,
    /// As binary.
    Binary,
}

impl Kind {
    /// Of its frames (RFC 6455 §5.2).
    pub(crate) fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

/// When the next message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// By the clock, whatever the server does: so many a second, all senders together. At least 1.
    Open {
        /// Messages a second.
        rate: u32,
    },
    /// When an earlier one has arrived.
    Closed {
        /// Messages in flight per sender; at least 1.
        window: usize,
    },
}

/// Adds connections until the server is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    /// The 95th percentile of the latency that is still good.
    pub(crate) p95: Duration,
    /// Connections added at a time; at least 1.
    pub(crate) step: usize,
}

/// What counts as the message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    /// The payload is the message, byte for byte.
    Whole,
    /// The payload contains it; the server may add or wrap text.
    Contains,
}

/// What the handshake says beyond the necessary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HandshakeOptions {
    /// Header lines in their order, name and value; both are right (RFC 9110 §5.5), none is one that the
    /// handshake writes itself.
    pub(crate) headers: Vec<(String, String)>,
    /// Subprotocols offered, in order of preference.
    pub(crate) protocols: Vec<String>,
    /// The `Origin`.
    pub(crate) origin: Option<String>,
    /// Sent as `Authorization: Bearer`.
    pub(crate) token: Option<String>,
    /// Whether permessage-deflate is offered.
    pub(crate) deflate: bool,
}

/// Which certificates of a server are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those that the certificates in this file stand for, in PEM, and no others.
    File(PathBuf),
    /// Any.
    Any,
}

/// How the result is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// One JSON object instead of the table.
    pub(crate) json: bool,
    /// A page with curves, beside it.
    pub(crate) report: Option<PathBuf>,
}

/// Two reports side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// What earlier runs said with `--json`.
    pub(crate) files: [PathBuf; 2],
    /// A page with both curves instead of the table.
    pub(crate) report: Option<PathBuf>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::bench::target::Target;

    /// A plan as it is without options, changed.
    pub(crate) fn plan(change: impl FnOnce(&mut Plan)) -> Plan {
        let mut plan = Plan {
            target: Target::parse("ws://localhost:9999/").expect("a URL"),
            scenario: Scenario::Broadcast,
            connections: 100,
            senders: 1,
            slow: 0,
            message_bytes: 64,
            kind: Kind::Text,
            pace: Pace::Closed { window: 1 },
            duration: Duration::from_secs(10),
            ramp: Duration::from_secs(1),
            search: None,
            matching: Matching::Whole,
            handshake: HandshakeOptions::default(),
            trust: Trust::System,
            timeout: Duration::from_secs(10),
            source_addresses: Vec::new(),
            pid: None,
            output: Output::default(),
            command: String::new(),
        };
        change(&mut plan);
        plan
    }
}
