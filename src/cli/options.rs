//! The server's table of options. Parsing, the environment, `--help` and the table in the README all come
//! from it: an option that has a row here exists everywhere.
//!
//! [`parse()`] makes a [`Command`] of what was typed. A row says how an option is spelled, what it takes,
//! what holds without it, and what it does to the [`Settings`]. What a value looks like is in `values`, which
//! of several values counts in `read`.
//!
//! Must not know: where a value comes from, how help is laid out.

pub(crate) use super::help::version;
pub(crate) use super::parse::parse;

use super::logger::LogFormat;
use super::table::{Action, Again, Flag, Group, Place, Rivals, Table};
use super::tls::{self, TlsSettings};
use super::{help, values};
use fanfare::config::{
    Audience, Compression, Config, Legacy, Listen, Listing, OwnMessages, Pages, ParseListenError,
    SlowConsumer, Tracing,
};
use fanfare::limits::REPEATED_OPTIONS_MAX;
use log::LevelFilter;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What to do.
#[allow(clippy::large_enum_variant, reason = "a process makes one")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Serve, with these settings.
    Serve(Settings),
    /// Print [`help()`].
    Help,
    /// Print [`version()`].
    Version,
    /// Put load on a server, or compare what that gave.
    #[cfg(feature = "bench")]
    Bench(crate::bench::plan::Task),
    /// Print [`super::bench::help()`].
    #[cfg(feature = "bench")]
    BenchHelp,
}

/// What `fanfare --help` prints, with the last line break.
pub(crate) fn help() -> String {
    help::help(&TABLE)
}

/// Everything the options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What the server is started with.
    pub(crate) config: Config,
    /// What was said of TLS; together it is [`Config::certificate`].
    pub(crate) tls: TlsSettings,
    /// The least important records that are shown.
    pub(crate) level: LevelFilter,
    /// How they are shown.
    pub(crate) log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            tls: TlsSettings::default(),
            level: LevelFilter::Info,
            log_format: LogFormat::Text,
        }
    }
}

/// Of the feature `deflate`.
pub(crate) const NO_DEFLATE: &str = "no-deflate";
/// The option that [`LISTEN`] may not stand beside: both say where to listen.
pub(crate) const PORT: &str = "port";
/// See [`PORT`].
pub(crate) const LISTEN: &str = "listen";
/// With [`VERBOSE`] an option that moves the level of the log; in the environment both are `FANFARE_LOG`.
pub(crate) const QUIET: &str = "quiet";
/// See [`QUIET`].
pub(crate) const VERBOSE: &str = "verbose";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Below this a client on a slow line has no chance.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=DAY;
const MAY_BE_ZERO: RangeInclusive<Duration> = Duration::ZERO..=DAY;

const HEAD: &str = "\
Usage: fanfare [OPTIONS]
Serves pages and broadcasts: what one WebSocket client says, all of them hear.
";

#[cfg(feature = "bench")]
const BENCH: &str = "
fanfare bench URL [OPTIONS] puts load on a WebSocket server, this one or any
other, and reports: see fanfare bench --help.
";
#[cfg(not(feature = "bench"))]
const BENCH: &str = "";

const FOOT: &str = "
SIZE takes k, m and g (powers of 1024). DURATION takes ms, s and m; a bare
number is seconds.

Options can come from the environment as well, --max-message for example as
FANFARE_MAX_MESSAGE; a switch takes 1 or 0, a repeatable option a list with
commas. FANFARE_LOG is the level of the log: off, error, warn, info, debug or
trace. The command line wins.
";

/// Every option, by group.
pub(crate) static TABLE: Table<Settings> = Table {
    command: "fanfare",
    prefix: "FANFARE_",
    head: &[HEAD, BENCH],
    foot: FOOT,
    groups: &[
        Group { title: "Serving", flags: SERVING },
        Group { title: "TLS", flags: tls::FLAGS },
        Group { title: "Limits", flags: LIMITS },
        Group { title: "Who may connect", flags: WHO_MAY_CONNECT },
        Group { title: "Logging", flags: LOGGING },
        Group { title: "Other", flags: OTHER },
    ],
    operand: None,
    rivals: Rivals { yields: PORT, decides: LISTEN, already: "names the port" },
};

const SERVING: &[Flag<Settings>] = &[
    Flag {
        long: PORT,
        short: Some('p'),
        takes: "N",
        default: "9999",
        help: "port on loopback, IPv4 and IPv6; 0 lets the system pick, and the log says which",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.listen = vec![Listen::Loopback { port: values::number(text, 0..=u16::MAX)? }];
            Ok(())
        }),
    },
    Flag {
        long: LISTEN,
        short: None,
        takes: "HOST:PORT",
        default: "loopback",
        help: "where to listen instead, [::]:PORT for every address, tls:HOST:PORT for TLS there and nowhere else; \
               repeatable",
        again: Again::Adds { most: REPEATED_OPTIONS_MAX },
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.listen.push(text.parse().map_err(|error: ParseListenError| error.to_string())?);
            Ok(())
        }),
    },
    Flag {
        long: "www",
        short: None,
        takes: "DIR",
        default: "the pages in the binary",
        help: "folder to serve",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Path(|settings, path| {
            if path.is_empty() {
                return Err("a folder".to_owned());
            }
            settings.config.pages = Pages::Folder(path.into());
            Ok(())
        }),
    },
    Flag {
        long: "list",
        short: None,
        takes: "",
        default: "off",
        help: "what is in a folder of --www without index.html is listed",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.listing = Listing::WithoutIndex),
    },
    Flag {
        long: "echo",
        short: None,
        takes: "",
        default: "off",
        help: "every message goes back to its sender alone, on every path",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.audience = Audience::Sender),
    },
    Flag {
        long: "no-self",
        short: None,
        takes: "",
        default: "off",
        help: "a sender does not get its own message back",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.own_messages = OwnMessages::Skip),
    },
    Flag {
        long: "protocol",
        short: None,
        takes: "NAME",
        default: "none",
        help: "subprotocols the server speaks, in order of preference; repeatable",
        again: Again::Adds { most: REPEATED_OPTIONS_MAX },
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.protocols.push(values::token(text)?);
            Ok(())
        }),
    },
    Flag {
        long: NO_DEFLATE,
        short: None,
        takes: "",
        default: "deflate on",
        help: "do not negotiate permessage-deflate",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.compression = Compression::Never),
    },
    Flag {
        long: "legacy",
        short: None,
        takes: "",
        default: "off",
        help: "also speak the draft with 0x00 ... 0xFF framing (hixie-76: text alone, no pings), and answer every \
               handshake with its headers Sec-WebSocket-Origin and Sec-WebSocket-Location",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.legacy = Legacy::Spoken),
    },
];

const LIMITS: &[Flag<Settings>] = &[
    Flag {
        long: "max-connections",
        short: None,
        takes: "N",
        default: "what the descriptor limit allows",
        help: "connections at a time, the next one gets 503; the soft descriptor limit is raised to the hard \
               one first",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            let connections = values::number(text, 1..=u32::MAX)?;
            settings.config.limits.connections_max = usize::try_from(connections).ok();
            Ok(())
        }),
    },
    Flag {
        long: "max-message",
        short: None,
        takes: "SIZE",
        default: "1m",
        help: "a larger message closes its sender with 1009",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.message_bytes_max = values::size(text, 1..=1 << 30)?;
            Ok(())
        }),
    },
    Flag {
        long: "backlog",
        short: None,
        takes: "SIZE",
        default: "16m",
        help: "how many bytes a receiver may fall behind; then see --slow-consumer",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.backlog_bytes_max = values::size(text, 1 << 10..=4 << 30)?;
            Ok(())
        }),
    },
    Flag {
        long: "slow-consumer",
        short: None,
        takes: "close|skip|wait",
        default: "close",
        help: "a receiver past the backlog: close it with 1013; skip: move it on to the newest message; wait: do not \
               read from senders until it has caught up (one that takes nothing for twice --ping is closed)",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.slow_consumer = match text {
                "close" => SlowConsumer::Close,
                "skip" => SlowConsumer::Skip,
                "wait" => SlowConsumer::Wait,
                _ => return Err("close, skip or wait".to_owned()),
            };
            Ok(())
        }),
    },
    Flag {
        long: "buffers",
        short: None,
        takes: "SIZE",
        default: "64m",
        help: "memory for incomplete messages, requests that wait and what single clients have not taken yet, all \
               together; past it a message is refused with 1013, a request with 503",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.buffers_bytes_max = values::size(text, 1 << 10..=4 << 30)?;
            Ok(())
        }),
    },
    Flag {
        long: "ping",
        short: None,
        takes: "DURATION",
        default: "25s",
        help: "ping a silent client; silent for two of these, it is gone; 0: never",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            let ping = values::duration(text, MAY_BE_ZERO)?;
            settings.config.limits.ping = (!ping.is_zero()).then_some(ping);
            Ok(())
        }),
    },
    Flag {
        long: "handshake-timeout",
        short: None,
        takes: "DURATION",
        default: "10s",
        help: "a connection must have sent a whole request by then",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.handshake_timeout = values::duration(text, TIMEOUT)?;
            Ok(())
        }),
    },
    Flag {
        long: "keep-alive",
        short: None,
        takes: "DURATION",
        default: "60s",
        help: "an idle HTTP connection is closed after this",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.keep_alive = values::duration(text, TIMEOUT)?;
            Ok(())
        }),
    },
    Flag {
        long: "drain",
        short: None,
        takes: "DURATION",
        default: "5s",
        help: "on SIGTERM or SIGINT: stop accepting, close clients with 1001 spread over this time, exit 0",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.limits.drain = values::duration(text, MAY_BE_ZERO)?;
            Ok(())
        }),
    },
];

const WHO_MAY_CONNECT: &[Flag<Settings>] = &[
    Flag {
        long: "origin",
        short: None,
        takes: "HOST",
        default: "same and null",
        help: "whose pages may connect, HOST or HOST:PORT; repeatable; any: everybody's; same: an Origin whose \
               host name is that of Host, and on a loopback connection localhost or an address as well (DNS \
               rebinding). Default: same, and Origin null (a page opened from disk). Who sends no Origin may \
               always connect; anybody else gets 403",
        again: Again::Adds { most: REPEATED_OPTIONS_MAX },
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.config.origins.push(values::origin(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "inspect",
        short: None,
        takes: "",
        default: "loopback only",
        help: "clients of other machines may trace their own connection as well",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.config.tracing = Tracing::Anybody),
    },
];

const LOGGING: &[Flag<Settings>] = &[
    Flag {
        long: QUIET,
        short: Some('q'),
        takes: "",
        default: "info",
        help: "log warnings and errors only",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Switch(|settings| settings.level = LevelFilter::Warn),
    },
    Flag {
        long: VERBOSE,
        short: Some('v'),
        takes: "",
        default: "info",
        help: "log details as well, such as what peers do wrong; -vv: everything",
        again: Again::Replaces,
        place: Place::CommandLine,
        action: Action::Switch(|settings| {
            let level = &mut settings.level;
            *level = if *level < LevelFilter::Debug { LevelFilter::Debug } else { LevelFilter::Trace };
        }),
    },
    Flag {
        long: "log-format",
        short: None,
        takes: "text|json",
        default: "text",
        help: "one line an event, on standard error; whatever a peer sent is escaped",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Text(|settings, text| {
            settings.log_format = match text {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("text or json".to_owned()),
            };
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
        action: Action::Answer(|| Command::Help),
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
