//! The one table of options. Parsing, the environment, `--help` and the table in the README all come from
//! it: an option that has a row here exists everywhere.
//!
//! [`parse()`] makes a [`Command`] of what was typed. A row says how an option is spelled, what it takes, what
//! holds without it, and what it does to the [`Settings`]. What a value looks like is in `values`, which of
//! several values counts in `parse`.
//!
//! Must not know: where a value comes from, how help is laid out.

pub(crate) use super::help::{help, version};
pub(crate) use super::parse::parse;

use super::logger::LogFormat;
use super::values;
use fanfare::config::{Audience, Config, Listen, OwnMessages, Pages, ParseListenError};
use log::LevelFilter;
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What to do.
#[expect(clippy::large_enum_variant, reason = "a process makes one")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Serve, with these settings.
    Serve(Settings),
    /// Print [`help()`].
    Help,
    /// Print [`version()`].
    Version,
}

/// Everything the options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What the server is started with.
    pub(crate) config: Config,
    /// The least important records that are shown.
    pub(crate) level: LevelFilter,
    /// How they are shown.
    pub(crate) log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self { config: Config::default(), level: LevelFilter::Info, log_format: LogFormat::Text }
    }
}

/// One option.
pub(crate) struct Flag {
    /// Behind `--`; in upper case and behind `FANFARE_` it is the variable.
    pub(crate) long: &'static str,
    /// Behind `-`.
    pub(crate) short: Option<char>,
    /// What its value is called in texts; empty when it takes none.
    pub(crate) takes: &'static str,
    /// What holds without it, in words or as it would be typed; empty when there is no such thing.
    pub(crate) default: &'static str,
    /// Where `--help` shows it.
    pub(crate) group: Group,
    /// What it means. No line of it may begin with a dash once it is wrapped: `--help` is read by tests.
    pub(crate) help: &'static str,
    /// Whether each value adds to the ones before, instead of replacing them.
    pub(crate) repeatable: bool,
    /// What it does.
    pub(crate) action: Action,
}

/// What an option does. A value that is wrong is answered with the text that goes behind "takes".
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Takes a value, in UTF-8.
    Text(fn(&mut Settings, &str) -> Result<(), String>),
    /// Takes a path, which is any string that the system knows.
    Path(fn(&mut Settings, &OsStr) -> Result<(), String>),
    /// Takes nothing.
    Switch(fn(&mut Settings)),
    /// Takes nothing and moves the level of the log; in the environment all of them are `FANFARE_LOG`.
    Level(fn(&mut LevelFilter)),
    /// Ends the reading of the command line with this; not in the environment.
    Answer(fn() -> Command),
}

impl Flag {
    /// The variable that stands for it in the environment, if one does.
    pub(crate) fn variable(&self) -> Option<String> {
        match self.action {
            Action::Text(_) | Action::Path(_) | Action::Switch(_) => {
                Some(format!("FANFARE_{}", self.long.to_ascii_uppercase().replace('-', "_")))
            }
            Action::Level(_) | Action::Answer(_) => None,
        }
    }
}

/// The headings of `--help`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Serving,
    Limits,
    WhoMayConnect,
    Logging,
    Other,
}

impl Group {
    pub(crate) const ALL: [Self; 5] =
        [Self::Serving, Self::Limits, Self::WhoMayConnect, Self::Logging, Self::Other];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Serving => "Serving",
            Self::Limits => "Limits",
            Self::WhoMayConnect => "Who may connect",
            Self::Logging => "Logging",
            Self::Other => "Other",
        }
    }
}

/// The option that [`LISTEN`] may not stand beside: both say where to listen.
pub(crate) const PORT: &str = "port";
/// See [`PORT`].
pub(crate) const LISTEN: &str = "listen";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Below this a client on a slow line has no chance.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=DAY;
const MAY_BE_ZERO: RangeInclusive<Duration> = Duration::ZERO..=DAY;

/// Every option, by group.
pub(crate) static FLAGS: &[Flag] = &[
    Flag {
        long: PORT,
        short: Some('p'),
        takes: "N",
        default: "9999",
        group: Group::Serving,
        help: "port on loopback, IPv4 and IPv6; 0 lets the system pick, and the log says which",
        repeatable: false,
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
        group: Group::Serving,
        help: "where to listen instead, [::]:PORT for every address; repeatable",
        repeatable: true,
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
        group: Group::Serving,
        help: "folder to serve",
        repeatable: false,
        action: Action::Path(|settings, path| {
            if path.is_empty() {
                return Err("a folder".to_owned());
            }
            settings.config.pages = Pages::Folder(path.into());
            Ok(())
        }),
    },
    Flag {
        long: "echo",
        short: None,
        takes: "",
        default: "off",
        group: Group::Serving,
        help: "every message goes back to its sender alone, on every path",
        repeatable: false,
        action: Action::Switch(|settings| settings.config.audience = Audience::Sender),
    },
    Flag {
        long: "no-self",
        short: None,
        takes: "",
        default: "off",
        group: Group::Serving,
        help: "a sender does not get its own message back",
        repeatable: false,
        action: Action::Switch(|settings| settings.config.own_messages = OwnMessages::Skip),
    },
    Flag {
        long: "protocol",
        short: None,
        takes: "NAME",
        default: "none",
        group: Group::Serving,
        help: "subprotocols the server speaks, in order of preference; repeatable",
        repeatable: true,
        action: Action::Text(|settings, text| {
            settings.config.protocols.push(values::token(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "max-connections",
        short: None,
        takes: "N",
        default: "what the descriptor limit allows",
        group: Group::Limits,
        help: "connections at a time, the next one gets 503; the soft descriptor limit is raised to the hard \
               one first",
        repeatable: false,
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
        group: Group::Limits,
        help: "a larger message closes its sender with 1009",
        repeatable: false,
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
        group: Group::Limits,
        help: "how many bytes a receiver may fall behind; past that it is closed with 1013",
        repeatable: false,
        action: Action::Text(|settings, text| {
            settings.config.limits.backlog_bytes_max = values::size(text, 1 << 10..=4 << 30)?;
            Ok(())
        }),
    },
    Flag {
        long: "ping",
        short: None,
        takes: "DURATION",
        default: "25s",
        group: Group::Limits,
        help: "ping a silent client; no sign of life for two of these: it is gone; 0 turns it off",
        repeatable: false,
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
        group: Group::Limits,
        help: "a connection must have sent a whole request by then",
        repeatable: false,
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
        group: Group::Limits,
        help: "an idle HTTP connection is closed after this",
        repeatable: false,
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
        group: Group::Limits,
        help: "on SIGTERM or SIGINT: stop accepting, close clients with 1001 spread over this time, exit 0",
        repeatable: false,
        action: Action::Text(|settings, text| {
            settings.config.limits.drain = values::duration(text, MAY_BE_ZERO)?;
            Ok(())
        }),
    },
    Flag {
        long: "origin",
        short: None,
        takes: "HOST",
        default: "same and null",
        group: Group::WhoMayConnect,
        help: "whose pages may connect, HOST or HOST:PORT; repeatable; any: everybody's; same: an Origin whose \
               host name is that of Host, and on a loopback connection localhost or an address as well (DNS \
               rebinding). Default: same, and Origin null (a page opened from disk). Who sends no Origin may \
               always connect; anybody else gets 403",
        repeatable: true,
        action: Action::Text(|settings, text| {
            settings.config.origins.push(values::origin(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        takes: "",
        default: "info",
        group: Group::Logging,
        help: "log warnings and errors only",
        repeatable: false,
        action: Action::Level(|level| *level = LevelFilter::Warn),
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        takes: "",
        default: "info",
        group: Group::Logging,
        help: "log details as well, such as what a peer did wrong; twice (-vv): everything",
        repeatable: false,
        action: Action::Level(|level| {
            *level = if *level < LevelFilter::Debug { LevelFilter::Debug } else { LevelFilter::Trace };
        }),
    },
    Flag {
        long: "log-format",
        short: None,
        takes: "text|json",
        default: "text",
        group: Group::Logging,
        help: "one line an event, on standard error; whatever a peer sent is escaped",
        repeatable: false,
        action: Action::Text(|settings, text| {
            settings.log_format = match text {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("text or json".to_owned()),
            };
            Ok(())
        }),
    },
    Flag {
        long: "help",
        short: Some('h'),
        takes: "",
        default: "",
        group: Group::Other,
        help: "print this",
        repeatable: false,
        action: Action::Answer(|| Command::Help),
    },
    Flag {
        long: "version",
        short: Some('V'),
        takes: "",
        default: "",
        group: Group::Other,
        help: "print name, version and features",
        repeatable: false,
        action: Action::Answer(|| Command::Version),
    },
];
