//! The table of options of `fanfare bench`. Parsing, the environment, `--help` and the table in the README
//! all come from it.
//!
//! Must not know: where a value comes from, how help is laid out, what goes together.

use super::{Settings, values};
use crate::bench::limits;
use crate::bench::plan::{Kind, Matching, Scenario};
use crate::bench::stamp;
use crate::cli::options::Command;
use crate::cli::table::{Action, Again, Flag, Group, Place, Rivals, Table};
use crate::cli::values::{duration, number, size, token};
use fanfare::limits::REPEATED_OPTIONS_MAX;
use std::ops::RangeInclusive;
use std::time::Duration;

pub(crate) const CA: &str = "ca";
pub(crate) const COMPARE: &str = "compare";
pub(crate) const CONNECTIONS: &str = "connections";
pub(crate) const DEFLATE: &str = "deflate";
pub(crate) const HEADER: &str = "header";
pub(crate) const INSECURE: &str = "insecure";
pub(crate) const RATE: &str = "rate";
pub(crate) const REPORT: &str = "report";
pub(crate) const SCENARIO: &str = "scenario";
pub(crate) const SENDERS: &str = "senders";
pub(crate) const SLOW: &str = "slow";
pub(crate) const STEP: &str = "step";
pub(crate) const TOKEN: &str = "token";
pub(crate) const UNTIL_P95: &str = "until-p95";
/// What the argument is called that belongs to no option.
pub(crate) const URL: &str = "URL";
pub(crate) const WINDOW: &str = "window";

/// Below this there is nothing to measure, and no time to connect.
const MEASURED: RangeInclusive<Duration> = Duration::from_millis(100)..=limits::DURATION_MAX;
/// The latencies that are told apart.
const LATENCY: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

const HEAD: &str = "\
Usage: fanfare bench URL [OPTIONS], or fanfare bench --compare A.json B.json
Puts load on a WebSocket server, checks that every message arrives, and reports.
URL is ws://HOST:PORT/PATH, wss://HOST:PORT/PATH for TLS, or
ws+unix:SOCKET:/PATH for a Unix socket.
";

const FOOT: &str = "
SIZE takes k, m and g (powers of 1024). DURATION takes ms, s and m; a bare
number is seconds.

Options can come from the environment as well, --source-ip for example as
FANFARE_BENCH_SOURCE_IP; a switch takes 1 or 0, a repeatable option a list with
commas. Not in the environment: --header, --report, --compare. The command line
wins. A token is best given as FANFARE_BENCH_TOKEN: everybody on the machine can
read a command line. Reports show it as ***.
";

/// Every option, by group.
pub(crate) static TABLE: Table<Settings> = Table {
    command: "fanfare bench",
    prefix: "FANFARE_BENCH_",
    head: &[HEAD],
    foot: FOOT,
    groups: &[
        Group { title: "Load", flags: LOAD },
        Group { title: "Connections", flags: OF_CONNECTIONS },
        Group { title: "Handshake", flags: HANDSHAKE },
        Group { title: "Result", flags: RESULT },
        Group { title: "Other", flags: OTHER },
    ],
    operand: Some(Flag {
        long: URL,
        short: None,
        takes: "URL",
        default: "",
        help: "",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Path(|settings, operand| {
            settings.operand = Some(operand.to_owned());
            Ok(())
        }),
    }),
    rivals: Rivals { yields: WINDOW, decides: RATE, already: "sets the pace" },
};

const LOAD: &[Flag<Settings>] = &[
    Flag {
        long: SCENARIO,
        short: None,
        takes: "connect|idle|echo|broadcast|slow",
        default: "broadcast",
        help: "connect: handshakes a second; idle: open and hold; echo: a message and its reply; broadcast: \
               senders and receivers; slow: the same with receivers that never read",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.scenario =
                values::one_of(text, Scenario::ALL.map(|scenario| (scenario.name(), scenario)))?;
            Ok(())
        }),
    },
    Flag {
        long: SENDERS,
        short: Some('s'),
        takes: "N",
        default: "1",
        help: "how many of the connections send",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.senders = number(text, 1..=limits::CONNECTIONS_MAX)?;
            Ok(())
        }),
    },
    Flag {
        long: "message",
        short: Some('m'),
        takes: "SIZE",
        default: "64",
        help: "payload of a message, of which 28 bytes say whose it is, which and from when",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.message_bytes = size(text, stamp::BYTES as u64..=limits::MESSAGE_BYTES_MAX as u64)?;
            Ok(())
        }),
    },
    Flag {
        long: "binary",
        short: None,
        takes: "",
        default: "off",
        help: "send binary instead of text",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.kind = Kind::Binary),
    },
    Flag {
        long: RATE,
        short: Some('r'),
        takes: "N",
        default: "none",
        help: "messages a second, all senders together, in connect handshakes a second: latency counts from when one was due",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.rate = Some(number(text, 1..=limits::RATE_MAX)?);
            Ok(())
        }),
    },
    Flag {
        long: WINDOW,
        short: Some('w'),
        takes: "N",
        default: "1",
        help: "messages in flight per sender when there is no rate",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.window = number(text, 1..=limits::WINDOW_MAX)?;
            Ok(())
        }),
    },
    Flag {
        long: "duration",
        short: Some('d'),
        takes: "DURATION",
        default: "10s",
        help: "how long is measured, after the ramp",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.duration = duration(text, MEASURED)?;
            Ok(())
        }),
    },
    Flag {
        long: UNTIL_P95,
        short: None,
        takes: "MS",
        default: "off",
        help: "add connections until the 95th percentile of the latency passes this, a bare number of \
               milliseconds: how many clients does this server hold",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.until_p95 = Some(values::milliseconds(text, LATENCY)?);
            Ok(())
        }),
    },
    Flag {
        long: STEP,
        short: None,
        takes: "N",
        default: "as many as at first",
        help: "connections to add at a time",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.step = Some(number(text, 1..=limits::CONNECTIONS_MAX)?);
            Ok(())
        }),
    },
    Flag {
        long: SLOW,
        short: None,
        takes: "N",
        default: "1",
        help: "receivers that never read, beyond the connections, in the scenario slow",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.slow = Some(number(text, 1..=limits::CONNECTIONS_MAX)?);
            Ok(())
        }),
    },
    Flag {
        long: "match",
        short: None,
        takes: "whole|contains",
        default: "whole",
        help: "whole: what arrives is what was sent; contains: the server may add or wrap text",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.matching =
                values::one_of(text, [("whole", Matching::Whole), ("contains", Matching::Contains)])?;
            Ok(())
        }),
    },
];

const OF_CONNECTIONS: &[Flag<Settings>] = &[
    Flag {
        long: CONNECTIONS,
        short: Some('c'),
        takes: "N",
        default: "100",
        help: "connections to open",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.connections = number(text, 1..=limits::CONNECTIONS_MAX)?;
            Ok(())
        }),
    },
    Flag {
        long: "ramp",
        short: None,
        takes: "DURATION",
        default: "1s",
        help: "the time over which they are opened, not measured",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.ramp = duration(text, Duration::ZERO..=limits::DURATION_MAX)?;
            Ok(())
        }),
    },
    Flag {
        long: "timeout",
        short: None,
        takes: "DURATION",
        default: "10s",
        help: "a connection must have ended its handshake by then",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.timeout = duration(text, MEASURED)?;
            Ok(())
        }),
    },
    Flag {
        long: "source-ip",
        short: None,
        takes: "ADDRESS",
        default: "picked for the target",
        help: "address to connect from; repeatable. Each has some 28,000 ports; towards loopback, addresses \
               of 127.0.0.0/8 are picked",
        again: Again::Adds { most: limits::SOURCE_ADDRESSES_MAX },
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.source_addresses.push(text.parse().map_err(|_| "an IPv4 or IPv6 address")?);
            Ok(())
        }),
    },
];

const HANDSHAKE: &[Flag<Settings>] = &[
    Flag {
        long: HEADER,
        short: Some('H'),
        takes: "\"NAME: VALUE\"",
        default: "none",
        help: "header line to send; repeatable",
        again: Again::Adds { most: REPEATED_OPTIONS_MAX },
        place: Place::CommandLine,
        action: Action::Text(|settings, text| {
            settings.handshake.headers.push(values::header(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "protocol",
        short: None,
        takes: "NAME",
        default: "none",
        help: "subprotocols to offer, in order of preference; repeatable",
        again: Again::Adds { most: REPEATED_OPTIONS_MAX },
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            let protocol = token(text)?;
            // RFC 6455 §4.1.
            if settings.handshake.protocols.contains(&protocol) {
                return Err("each name once".to_owned());
            }
            settings.handshake.protocols.push(protocol);
            Ok(())
        }),
    },
    Flag {
        long: "origin",
        short: None,
        takes: "ORIGIN",
        default: "none",
        help: "page to come from, https://example.com for example",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.handshake.origin = Some(values::visible(text)?);
            Ok(())
        }),
    },
    Flag {
        long: TOKEN,
        short: None,
        takes: "TOKEN",
        default: "none",
        help: "token to send as Authorization: Bearer",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.handshake.token = Some(values::visible(text)?);
            Ok(())
        }),
    },
    Flag {
        long: DEFLATE,
        short: None,
        takes: "",
        default: "off",
        help: "offer permessage-deflate",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.handshake.deflate = true),
    },
    Flag {
        long: CA,
        short: None,
        takes: "FILE",
        default: "those of the system",
        help: "certificates to trust on wss://, in PEM, in place of the system's",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Path(|settings, path| {
            settings.ca = Some(values::file(path)?);
            Ok(())
        }),
    },
    Flag {
        long: INSECURE,
        short: None,
        takes: "",
        default: "off",
        help: "accept any certificate on wss://",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.insecure = true),
    },
];

const RESULT: &[Flag<Settings>] = &[
    Flag {
        long: "json",
        short: None,
        takes: "",
        default: "off",
        help: "print one JSON object instead of the table",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.output.json = true),
    },
    Flag {
        long: REPORT,
        short: None,
        takes: "FILE",
        default: "none",
        help: "also write a page with curves, one HTML file",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Path(|settings, path| {
            settings.output.report = Some(values::file(path)?);
            Ok(())
        }),
    },
    Flag {
        long: COMPARE,
        short: None,
        takes: "FILE",
        default: "none",
        help: "put what two runs printed as JSON side by side: this one and, in place of the URL, the other",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Path(|settings, path| {
            settings.compare = Some(values::file(path)?);
            Ok(())
        }),
    },
    Flag {
        long: "pid",
        short: None,
        takes: "PID",
        default: "none",
        help: "process of the server on this machine: its CPU time and memory",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.pid = Some(number(text, 1..=u32::MAX)?);
            Ok(())
        }),
    },
];

const OTHER: &[Flag<Settings>] = &[
    Flag {
        long: "help",
        short: Some('h'),
        takes: "",
        default: "",
        help: "print this",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Answer(|| Command::BenchHelp),
    },
    Flag {
        long: "version",
        short: Some('V'),
        takes: "",
        default: "",
        help: "print name, version and features",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Answer(|| Command::Version),
    },
];
