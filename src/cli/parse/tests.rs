//! What the server makes of arguments and variables.

use super::*;
use crate::cli::logger::LogFormat;
use crate::cli::table::{Action, Flag};
use fanfare::config::{Audience, Listen, OriginRule, OwnMessages, Pages};
use fanfare::limits::REPEATED_OPTIONS_MAX;
use std::time::Duration;

/// Arguments and variables, both as a shell would split them.
fn serve(arguments: &str, variables: &str) -> Result<Settings, String> {
    let variables: Vec<_> = variables.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
    let environment = |name: &str| {
        let pair = variables.iter().find(|(key, _)| *key == name);
        pair.map(|(_, value)| value.into())
    };
    match parse(arguments.split_whitespace().map(OsString::from), environment) {
        Ok(Command::Serve(settings)) => Ok(settings),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

fn tcp(host: &str, port: u16) -> Listen {
    Listen::Tcp { host: host.to_owned(), port }
}

fn host(host: &str) -> OriginRule {
    OriginRule::Host(host.to_owned())
}

type Change = fn(&mut Settings);

#[test]
fn right() {
    let rows: [(&str, &str, Change); 34] = [
        ("", "", |_| ()),
        ("-p 80", "", |s| s.config.listen = vec![Listen::Loopback { port: 80 }]),
        ("-p0", "", |s| s.config.listen = vec![Listen::Loopback { port: 0 }]),
        ("--port=1 --port 2", "", |s| s.config.listen = vec![Listen::Loopback { port: 2 }]),
        ("--listen [::]:1 --listen a:2", "", |s| s.config.listen = vec![tcp("::", 1), tcp("a", 2)]),
        ("--www a/b", "", |s| s.config.pages = Pages::Folder("a/b".into())),
        ("--echo", "", |s| s.config.audience = Audience::Sender),
        ("--no-self", "", |s| s.config.own_messages = OwnMessages::Skip),
        ("--protocol b --protocol a", "", |s| s.config.protocols = vec!["b".into(), "a".into()]),
        ("--max-connections 1", "", |s| s.config.limits.connections_max = Some(1)),
        ("--max-message 64k", "", |s| s.config.limits.message_bytes_max = 65_536),
        ("--backlog 1k", "", |s| s.config.limits.backlog_bytes_max = 1024),
        ("--ping 30", "", |s| s.config.limits.ping = Some(Duration::from_secs(30))),
        ("--ping 0", "", |s| s.config.limits.ping = None),
        ("--handshake-timeout 100ms", "", |s| {
            s.config.limits.handshake_timeout = Duration::from_millis(100);
        }),
        ("--keep-alive 2m", "", |s| s.config.limits.keep_alive = Duration::from_secs(120)),
        ("--drain 0", "", |s| s.config.limits.drain = Duration::ZERO),
        ("--origin any", "", |s| s.config.origins = vec![OriginRule::Any]),
        ("--origin same --origin https://A.b:1", "", |s| {
            s.config.origins = vec![OriginRule::Same, host("a.b:1")];
        }),
        ("-q", "", |s| s.level = LevelFilter::Warn),
        ("-v", "", |s| s.level = LevelFilter::Debug),
        ("-vv", "", |s| s.level = LevelFilter::Trace),
        ("-q --verbose", "", |s| s.level = LevelFilter::Debug),
        ("--log-format json", "", |s| s.log_format = LogFormat::Json),
        ("", "FANFARE_PORT=80", |s| s.config.listen = vec![Listen::Loopback { port: 80 }]),
        ("", "FANFARE_MAX_MESSAGE=1g FANFARE_ECHO=yes FANFARE_NO_SELF=0", |s| {
            s.config.limits.message_bytes_max = 1 << 30;
            s.config.audience = Audience::Sender;
        }),
        ("", "FANFARE_PORT= FANFARE_ECHO= FANFARE_ORIGIN=, FANFARE_LOG=", |_| ()),
        ("", "FANFARE_ORIGIN=a,,b:1, FANFARE_LOG=off", |s| {
            s.config.origins = vec![host("a"), host("b:1")];
            s.level = LevelFilter::Off;
        }),
        ("--origin c", "FANFARE_ORIGIN=a,b", |s| s.config.origins = vec![host("c")]),
        ("--listen a:1", "FANFARE_PORT=2", |s| s.config.listen = vec![tcp("a", 1)]),
        ("-p 2", "FANFARE_LISTEN=a:1", |s| s.config.listen = vec![Listen::Loopback { port: 2 }]),
        ("-p 2 --echo", "FANFARE_PORT=x FANFARE_ECHO=maybe", |s| {
            s.config.listen = vec![Listen::Loopback { port: 2 }];
            s.config.audience = Audience::Sender;
        }),
        ("-v", "FANFARE_LOG=debug", |s| s.level = LevelFilter::Debug),
        ("", "FANFARE_QUIET=1 FANFARE_HELP=1", |_| ()),
    ];
    for (arguments, variables, change) in rows {
        assert_eq!(serve(arguments, variables), Ok(settings(change)), "{variables} fanfare {arguments}");
    }
}

#[test]
fn wrong() {
    let arguments = [
        ("-p x", r#"--port takes a number from 0 to 65535, not "x""#),
        ("--port 65536 --port 1", r#"--port takes a number from 0 to 65535, not "65536""#),
        ("--port", "--port needs a value: N"),
        ("-p", "--port needs a value: N"),
        ("--port= --echo", r#"--port takes a number from 0 to 65535, not """#),
        ("--listen 80", r#"--listen takes HOST:PORT, with an IPv6 address in brackets, not "80""#),
        ("--listen a:1 -p 2", "--listen already names the port; leave --port out"),
        ("--www=", r#"--www takes a folder, not """#),
        ("--echo=1", r#"--echo takes no value, not "1""#),
        ("-q=1", r#"-q takes no value, not "1""#),
        ("--protocol a,b", r#"--protocol takes a name of letters, digits and !#$%&'*+-.^_`|~, not "a,b""#),
        ("--max-connections 0", r#"--max-connections takes a number from 1 to 4294967295, not "0""#),
        ("--max-message 0", r#"--max-message takes a size from 1 to 1g (a number and k, m or g), not "0""#),
        ("--backlog 1kb", r#"--backlog takes a size from 1k to 4g (a number and k, m or g), not "1kb""#),
        ("--ping 1h", r#"--ping takes a duration from 0 to 1440m (a number and ms, s or m), not "1h""#),
        (
            "--origin *",
            r#"--origin takes any, same, HOST or HOST:PORT (an IPv6 address in brackets), not "*""#,
        ),
        ("--log-format xml", r#"--log-format takes text or json, not "xml""#),
        ("--prot 1", "unknown option --prot; did you mean --port?"),
        ("--maxmessage=1", "unknown option --maxmessage; did you mean --max-message?"),
        ("--channels", "unknown option --channels; see fanfare --help"),
        ("--x", "unknown option --x; see fanfare --help"),
        ("-x", "unknown option -x; see fanfare --help"),
        ("--e\x1b[31m", r"unknown option --e\u{1b}[31m; see fanfare --help"),
        ("words", r#"unexpected argument "words"; see fanfare --help"#),
        ("-v bench", r#"unexpected argument "bench"; see fanfare --help"#),
        ("-- --echo", r#"unexpected argument "--echo"; see fanfare --help"#),
    ];
    let variables = [
        ("FANFARE_PORT=x", r#"FANFARE_PORT: takes a number from 0 to 65535, not "x""#),
        ("FANFARE_ECHO=2", r#"FANFARE_ECHO: takes 1, true, yes or on, or 0, false, no or off, not "2""#),
        ("FANFARE_LOG=all", r#"FANFARE_LOG: takes off, error, warn, info, debug or trace, not "all""#),
        (
            "FANFARE_PROTOCOL=a,b/c",
            r#"FANFARE_PROTOCOL: takes a name of letters, digits and !#$%&'*+-.^_`|~, not "b/c""#,
        ),
        (
            "FANFARE_PORT=1 FANFARE_LISTEN=a:1",
            "FANFARE_LISTEN already names the port; leave FANFARE_PORT out",
        ),
    ];
    for (typed, want) in arguments {
        assert_eq!(serve(typed, ""), Err(want.to_owned()), "fanfare {typed}");
    }
    for (set, want) in variables {
        assert_eq!(serve("", set), Err(want.to_owned()), "{set}");
    }
}

#[test]
fn answers_come_before_what_is_wrong_behind_them() {
    for (arguments, want) in [
        ("--help", Command::Help),
        ("-vhx", Command::Help),
        ("--port x -V --nonsense", Command::Version),
        ("--version --help", Command::Version),
    ] {
        let parsed = parse(arguments.split_whitespace().map(OsString::from), |_| Some("nonsense".into()));
        assert_eq!(parsed, Ok(want), "{arguments}");
    }
}

/// What is shown of a default is what holds without the option.
#[test]
fn defaults_are_the_ones_shown() {
    let in_words = ["listen", "protocol", "max-connections", "origin"];
    let is_typed =
        |flag: &&Flag<Settings>| matches!(flag.action, Action::Text(_)) && !in_words.contains(&flag.long);
    for flag in TABLE.flags().filter(is_typed) {
        let typed = format!("--{} {}", flag.long, flag.default);
        assert_eq!(serve(&typed, ""), Ok(Settings::default()), "{typed}");
    }
}

#[test]
fn no_more_values_than_the_limit() {
    for (count, right) in [(REPEATED_OPTIONS_MAX, true), (REPEATED_OPTIONS_MAX + 1, false)] {
        for (arguments, variables, name) in [
            ("--origin a ".repeat(count), String::new(), "--origin"),
            (String::new(), format!("FANFARE_LISTEN={}", "a:1,".repeat(count)), "FANFARE_LISTEN"),
        ] {
            let outcome = serve(&arguments, &variables);
            let want = format!("{name} takes at most 64 values");
            assert!(if right { outcome.is_ok() } else { outcome == Err(want) }, "{count} {name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn only_a_path_may_be_other_than_utf_8() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(b"a\xff\x1b".to_vec());
    let want = settings(|s| s.config.pages = Pages::Folder(odd().into()));
    assert_eq!(parse(["--www".into(), odd()], |_| None), Ok(Command::Serve(want.clone())));
    let variable = |name: &str| (name == "FANFARE_WWW").then(odd);
    assert_eq!(parse([], variable), Ok(Command::Serve(want)));
    for (name, error) in [
        ("port", r#"--port takes text in UTF-8, not "a�\u{1b}""#),
        ("origin", r#"--origin takes text in UTF-8, not "a�\u{1b}""#),
    ] {
        let parsed = parse([format!("--{name}").into(), odd()], |_| None);
        assert_eq!(parsed.unwrap_err().to_string(), error);
    }
    for name in ["FANFARE_PORT", "FANFARE_ECHO", "FANFARE_ORIGIN", "FANFARE_LOG"] {
        let error = parse([], |asked| (asked == name).then(odd)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: takes ")), "{error}");
        assert!(error.ends_with(r#", not "a�\u{1b}""#), "{error}");
    }
}

#[cfg(not(feature = "bench"))]
#[test]
fn bench_needs_its_feature() {
    for arguments in ["bench", "bench --help", "bench ws://localhost/"] {
        let want = "bench needs the feature bench, which this build does not have";
        assert_eq!(serve(arguments, ""), Err(want.to_owned()), "{arguments}");
    }
}
