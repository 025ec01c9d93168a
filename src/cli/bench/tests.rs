//! What `fanfare bench` makes of arguments and variables.

use super::*;
use crate::bench::plan::tests::plan;
use crate::cli::options::parse;
use crate::cli::table::{Action, Flag};
use fanfare::limits::REPEATED_OPTIONS_MAX;

const HERE: &str = "ws://localhost:9999/";

/// Arguments behind `bench` and variables, both as a shell would split them; `_` is a space within one.
fn task(arguments: &str, variables: &str) -> Result<Task, String> {
    let variables: Vec<_> = variables.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
    let environment = |name: &str| {
        let pair = variables.iter().find(|(key, _)| *key == name);
        pair.map(|(_, value)| value.into())
    };
    let words = arguments.split_whitespace().map(|word| word.replace('_', " "));
    match parse(["bench".to_owned()].into_iter().chain(words).map(OsString::from), environment) {
        Ok(Command::Bench(task)) => Ok(task),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The plan of a run; `command` is tested for itself.
fn run(options: &str, variables: &str) -> Result<Plan, String> {
    match task(&format!("{HERE} {options}"), variables)? {
        Task::Run(plan) => Ok(Plan { command: String::new(), ..plan }),
        other @ Task::Compare(_) => Err(format!("{other:?}")),
    }
}

type Change = fn(&mut Plan);

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn right() {
    let rows: [(&str, Change); 42] = [
        ("", |_| ()),
        ("--scenario connect", |p| p.scenario = Scenario::Connect),
        ("--scenario idle", |p| p.scenario = Scenario::Idle),
        ("--scenario echo", |p| p.scenario = Scenario::Echo),
        ("--scenario idle --scenario broadcast", |_| ()),
        ("--scenario slow", |p| (p.scenario, p.slow) = (Scenario::Slow, 1)),
        ("--slow 7 --scenario slow", |p| (p.scenario, p.slow) = (Scenario::Slow, 7)),
        ("-c 1", |p| p.connections = 1),
        ("--connections=1000000", |p| p.connections = 1_000_000),
        ("-s 100", |p| p.senders = 100),
        ("--senders 3 -c3", |p| (p.senders, p.connections) = (3, 3)),
        ("-m 28", |p| p.message_bytes = 28),
        ("--message 64M", |p| p.message_bytes = 64 << 20),
        ("--binary", |p| p.kind = Kind::Binary),
        ("-r 1", |p| p.pace = Pace::Open { rate: 1 }),
        ("--rate 10000000", |p| p.pace = Pace::Open { rate: 10_000_000 }),
        ("-w1024", |p| p.pace = Pace::Closed { window: 1024 }),
        ("--window 2", |p| p.pace = Pace::Closed { window: 2 }),
        ("-d 100ms", |p| p.duration = Duration::from_millis(100)),
        ("--duration 10080m", |p| p.duration = 7 * 24 * 3600 * SECOND),
        ("--ramp 0", |p| p.ramp = Duration::ZERO),
        ("--ramp 30", |p| p.ramp = 30 * SECOND),
        ("--until-p95 20", |p| p.search = Some(Search { p95: SECOND / 50, step: 100 })),
        ("--until-p95 2s -c 50", |p| {
            p.search = Some(Search { p95: 2 * SECOND, step: 50 });
            p.connections = 50;
        }),
        ("--step 10 --until-p95 1500ms", |p| p.search = Some(Search { p95: SECOND * 3 / 2, step: 10 })),
        ("--match contains", |p| p.matching = Matching::Contains),
        ("--match whole", |_| ()),
        ("-H A:_b -H a:c --header Authorization:_x", |p| {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            p.handshake.headers = vec![header("A", "b"), header("a", "c"), header("Authorization", "x")];
        }),
        ("--protocol b --protocol a", |p| p.handshake.protocols = vec!["b".into(), "a".into()]),
        ("--origin https://example.com", |p| p.handshake.origin = Some("https://example.com".into())),
        ("--token -a,b", |p| p.handshake.token = Some("-a,b".into())),
        ("--token a -H Cookie:b", |p| {
            p.handshake.token = Some("a".into());
            p.handshake.headers = vec![("Cookie".into(), "b".into())];
        }),
        ("--source-ip 127.0.0.2 --source-ip ::1", |p| {
            p.source_addresses = vec![[127, 0, 0, 2].into(), [0, 0, 0, 0, 0, 0, 0, 1].into()];
        }),
        ("--timeout 100ms", |p| p.timeout = SECOND / 10),
        ("--pid 1", |p| p.pid = Some(1)),
        ("--pid 4294967295", |p| p.pid = Some(u32::MAX)),
        ("--json", |p| p.output.json = true),
        ("--report a/b_c.html", |p| p.output.report = Some("a/b c.html".into())),
        ("--json --report -", |p| p.output = Output { json: true, report: Some("-".into()) }),
        ("-c 10 -s 10 -c 20", |p| (p.connections, p.senders) = (20, 10)),
        ("-r 5 --rate 6", |p| p.pace = Pace::Open { rate: 6 }),
        ("--", |_| ()),
    ];
    for (options, change) in rows {
        assert_eq!(run(options, ""), Ok(plan(change)), "{options}");
    }
}

#[test]
fn environment() {
    let rows: [(&str, &str, Change); 12] = [
        ("", "FANFARE_BENCH_CONNECTIONS=7", |p| p.connections = 7),
        ("-c 8", "FANFARE_BENCH_CONNECTIONS=x", |p| p.connections = 8),
        ("", "FANFARE_BENCH_CONNECTIONS= FANFARE_BENCH_PROTOCOL=,", |_| ()),
        ("", "FANFARE_BENCH_BINARY=yes FANFARE_BENCH_JSON=0 FANFARE_BENCH_DEFLATE=off", |p| {
            p.kind = Kind::Binary;
        }),
        ("", "FANFARE_BENCH_UNTIL_P95=20 FANFARE_BENCH_STEP=5", |p| {
            p.search = Some(Search { p95: SECOND / 50, step: 5 });
        }),
        ("", "FANFARE_BENCH_SOURCE_IP=127.0.0.2,127.0.0.3", |p| {
            p.source_addresses = vec![[127, 0, 0, 2].into(), [127, 0, 0, 3].into()];
        }),
        ("--protocol c", "FANFARE_BENCH_PROTOCOL=a,b", |p| p.handshake.protocols = vec!["c".into()]),
        ("", "FANFARE_BENCH_TOKEN=a,b", |p| p.handshake.token = Some("a,b".into())),
        // The one on the command line sets the pace.
        ("-r 5", "FANFARE_BENCH_WINDOW=2", |p| p.pace = Pace::Open { rate: 5 }),
        ("-w 2", "FANFARE_BENCH_RATE=5", |p| p.pace = Pace::Closed { window: 2 }),
        (
            "",
            "FANFARE_BENCH_HEADER=a:b FANFARE_BENCH_COMPARE=a FANFARE_BENCH_REPORT=a FANFARE_BENCH_HELP=1",
            |_| {},
        ),
        // Those of the server.
        ("", "FANFARE_ORIGIN=x FANFARE_PROTOCOL=y FANFARE_TOKEN=z FANFARE_PORT=a FANFARE_LOG=b", |_| ()),
    ];
    for (options, variables, change) in rows {
        assert_eq!(run(options, variables), Ok(plan(change)), "{variables} fanfare bench {options}");
    }
}

#[test]
fn the_url_stands_anywhere() {
    let want = task("ws://h/ -c 5 --binary", "");
    assert!(want.is_ok());
    for arguments in ["-c 5 ws://h/ --binary", "--binary -c5 -- ws://h/", "--connections=5 --binary ws://h/"]
    {
        let (got, want) = (task(arguments, ""), want.clone());
        let target = |task| match task {
            Ok(Task::Run(plan)) => Some((plan.target, plan.connections, plan.kind)),
            Ok(Task::Compare(_)) | Err(_) => None,
        };
        assert_eq!(target(got), target(want), "{arguments}");
    }
}

#[test]
fn wrong() {
    let number = |most: &str| format!("a number from 1 to {most}");
    let size = "a size from 28 to 64m (a number and k, m or g)";
    let duration = |least: &str| format!("a duration from {least} to 10080m (a number and ms, s or m)");
    let takes = |option: &str, takes: &str, value: &str| format!("--{option} takes {takes}, not {value:?}");
    for (options, want) in [
        ("--scenario x", takes("scenario", "connect, idle, echo, broadcast or slow", "x")),
        ("-c 0", takes("connections", &number("1000000"), "0")),
        ("-c 1000001", takes("connections", &number("1000000"), "1000001")),
        ("-s 0", takes("senders", &number("1000000"), "0")),
        ("-m 27", takes("message", size, "27")),
        ("-m 65m", takes("message", size, "65m")),
        ("-r 0", takes("rate", &number("10000000"), "0")),
        ("-r 10000001", takes("rate", &number("10000000"), "10000001")),
        ("-w 0", takes("window", &number("1024"), "0")),
        ("-w 1025", takes("window", &number("1024"), "1025")),
        ("-d 99ms", takes("duration", &duration("100ms"), "99ms")),
        ("-d 10081m", takes("duration", &duration("100ms"), "10081m")),
        ("--ramp x", takes("ramp", &duration("0"), "x")),
        ("--timeout 0", takes("timeout", &duration("100ms"), "0")),
        ("--until-p95 0", takes("until-p95", "a duration from 1ms to 1m (a number and ms, s or m)", "0")),
        ("--step 0", takes("step", &number("1000000"), "0")),
        ("--slow 0", takes("slow", &number("1000000"), "0")),
        ("--match some", takes("match", "whole or contains", "some")),
        ("-H Origin:a", takes("header", "headers other than Origin, which --origin decides", "Origin:a")),
        ("--protocol a,b", takes("protocol", "a name of letters, digits and !#$%&'*+-.^_`|~", "a,b")),
        ("--protocol a --protocol a", takes("protocol", "each name once", "a")),
        ("--origin a_b", takes("origin", "visible ASCII without spaces", "a b")),
        ("--token a_b", takes("token", "visible ASCII without spaces", "***")),
        ("--source-ip localhost", takes("source-ip", "an IPv4 or IPv6 address", "localhost")),
        ("--pid 0", takes("pid", &number("4294967295"), "0")),
        ("--report=", takes("report", "a file", "")),
        ("--compare=", takes("compare", "a file", "")),
        ("--json=1", "--json takes no value, not \"1\"".to_owned()),
        ("-c", "--connections needs a value: N".to_owned()),
        ("-H", r#"--header needs a value: "NAME: VALUE""#.to_owned()),
        ("--conections 1", "unknown option --conections; did you mean --connections?".to_owned()),
        ("--www 1", "unknown option --www; see fanfare bench --help".to_owned()),
        ("--insecur", "unknown option --insecur; did you mean --insecure?".to_owned()),
        ("-x", "unknown option -x; see fanfare bench --help".to_owned()),
        ("ws://b", "unexpected argument \"ws://b\"; see fanfare bench --help".to_owned()),
        ("-- -c", "unexpected argument \"-c\"; see fanfare bench --help".to_owned()),
        ("--ca=", takes("ca", "a file", "")),
    ] {
        assert_eq!(run(options, ""), Err(want), "{options}");
    }
    for (arguments, want) in [
        ("", "fanfare bench needs a URL, ws://localhost:9999/ for example"),
        ("-c 5", "fanfare bench needs a URL, ws://localhost:9999/ for example"),
        ("localhost:9999", r#"the URL "localhost:9999" has no scheme; type ws://localhost:9999"#),
        ("bench", r#"the URL "bench" has no scheme; type ws://bench"#),
    ] {
        assert_eq!(task(arguments, ""), Err(want.to_owned()), "{arguments}");
    }
}

#[test]
fn wrong_together() {
    for (options, variables, want) in [
        ("-s 101", "", "--senders is 101, more than --connections, which is 100"),
        ("-s 2 -c 1", "", "--senders is 2, more than --connections, which is 1"),
        (
            "-c 1",
            "FANFARE_BENCH_SENDERS=2",
            "FANFARE_BENCH_SENDERS is 2, more than --connections, which is 1",
        ),
        ("-r 1 -w 1", "", "--rate already sets the pace; leave --window out"),
        (
            "",
            "FANFARE_BENCH_RATE=1 FANFARE_BENCH_WINDOW=1",
            "FANFARE_BENCH_RATE already sets the pace; leave FANFARE_BENCH_WINDOW out",
        ),
        ("--step 5", "", "--step needs --until-p95 beside it"),
        (
            "--until-p95 5 --scenario idle",
            "",
            "--until-p95 needs a scenario with messages; --scenario is idle",
        ),
        (
            "--until-p95 5",
            "FANFARE_BENCH_SCENARIO=connect",
            "--until-p95 needs a scenario with messages; FANFARE_BENCH_SCENARIO is connect",
        ),
        ("--slow 1", "", "--slow needs --scenario slow; --scenario is broadcast"),
        ("--slow 1 --scenario echo", "", "--slow needs --scenario slow; --scenario is echo"),
        ("--token a -H authorization:b", "", "--token already sends Authorization; leave that --header out"),
        (
            "-H Authorization:b",
            "FANFARE_BENCH_TOKEN=a",
            "FANFARE_BENCH_TOKEN already sends Authorization; leave that --header out",
        ),
        ("", "FANFARE_BENCH_RATE=x", r#"FANFARE_BENCH_RATE: takes a number from 1 to 10000000, not "x""#),
    ] {
        assert_eq!(run(options, variables), Err(want.to_owned()), "{variables} fanfare bench {options}");
    }
}

#[test]
fn deflate_needs_its_feature() {
    for (options, variables, name) in
        [("--deflate", "", "--deflate"), ("", "FANFARE_BENCH_DEFLATE=1", "FANFARE_BENCH_DEFLATE")]
    {
        let want = if cfg!(feature = "deflate") {
            Ok(plan(|p| p.handshake.deflate = true))
        } else {
            Err(format!("{name} needs the feature deflate, which this build does not have"))
        };
        assert_eq!(run(options, variables), want, "{options}");
    }
}

#[test]
fn tls_needs_its_feature() {
    let trust = |name: &'static str, trust: Trust| (name, Ok(trust));
    let wrong = |name: &'static str, line: &str| (name, Err(line.to_owned()));
    let both = "leave --ca out";
    let odd = |name: &str| format!("{name} is about certificates, which only a wss:// URL has; leave it out");
    for (arguments, variables, (name, want)) in [
        ("wss://h", "", trust("a wss:// URL", Trust::System)),
        ("--insecure wss://h", "", trust("--insecure", Trust::Any)),
        ("wss://h --ca a/b_c.pem", "", trust("--ca", Trust::File("a/b c.pem".into()))),
        ("wss://h --ca a --ca b", "", trust("--ca", Trust::File("b".into()))),
        ("wss://h", "FANFARE_BENCH_CA=a", trust("FANFARE_BENCH_CA", Trust::File("a".into()))),
        ("wss://h", "FANFARE_BENCH_INSECURE=1", trust("FANFARE_BENCH_INSECURE", Trust::Any)),
        (
            "wss://h --insecure --ca a",
            "",
            wrong("--ca", &format!("--insecure already accepts any certificate; {both}")),
        ),
        (
            "wss://h --ca a",
            "FANFARE_BENCH_INSECURE=1",
            wrong("--ca", &format!("FANFARE_BENCH_INSECURE already accepts any certificate; {both}")),
        ),
        ("ws://h --insecure", "", wrong("--insecure", &odd("--insecure"))),
        ("ws+unix:x.sock --ca a", "", wrong("--ca", &odd("--ca"))),
        ("ws://h", "FANFARE_BENCH_CA=a", wrong("FANFARE_BENCH_CA", &odd("FANFARE_BENCH_CA"))),
    ] {
        let got = task(arguments, variables).map(|task| match task {
            Task::Run(plan) => plan.trust,
            Task::Compare(_) => panic!("{arguments} is a run"),
        });
        let lacks = format!("{name} needs the feature tls, which this build does not have");
        let want = if cfg!(feature = "tls") { want } else { Err(lacks) };
        assert_eq!(got, want, "{variables} fanfare bench {arguments}");
    }
}

#[test]
fn two_files_side_by_side() {
    let files = |report: Option<&str>| {
        Ok(Task::Compare(Comparison {
            files: ["A.json".into(), "B.json".into()],
            report: report.map(PathBuf::from),
        }))
    };
    let needs = || Err("fanfare bench --compare needs two files, A.json B.json for example".to_owned());
    let odd = |name: &str| Err(format!("{name} has no meaning beside --compare; leave it out"));
    for (arguments, variables, want) in [
        ("--compare A.json B.json", "", files(None)),
        ("B.json --compare=A.json", "", files(None)),
        ("--report c.html --compare A.json B.json", "", files(Some("c.html"))),
        ("--compare A.json B.json", "FANFARE_BENCH_JSON=1 FANFARE_BENCH_RATE=5", files(None)),
        ("--compare A.json", "", needs()),
        ("--compare A.json --", "", needs()),
        ("--compare A.json B.json --json", "", odd("--json")),
        ("--compare A.json B.json -c 5 --json", "", odd("--connections")),
        ("--compare", "", Err("--compare needs a value: FILE".to_owned())),
        (
            "--compare A.json B.json C.json",
            "",
            Err(r#"unexpected argument "C.json"; see fanfare bench --help"#.to_owned()),
        ),
    ] {
        assert_eq!(task(arguments, variables), want, "{variables} fanfare bench {arguments}");
    }
}

#[test]
fn answers_come_before_what_is_wrong_behind_them() {
    for (arguments, want) in [
        ("bench --help", Command::BenchHelp),
        ("bench -h x y z", Command::BenchHelp),
        ("bench -c x -V --nonsense", Command::Version),
        ("bench --insecure ftp:// --help", Command::BenchHelp),
        ("--help bench", Command::Help),
    ] {
        let parsed = parse(arguments.split_whitespace().map(OsString::from), |_| Some("nonsense".into()));
        assert_eq!(parsed, Ok(want), "{arguments}");
    }
    assert!(help().starts_with("Usage: fanfare bench URL [OPTIONS]"));
}

/// What is shown of a default is what holds without the option.
#[test]
fn defaults_are_the_ones_shown() {
    let absent = ["none", "off", "as many as at first", "those of the system", "picked for the target"];
    let mut typed = 0;
    for flag in TABLE.flags() {
        let is_text = match flag.action {
            Action::Text(_) => true,
            Action::Path(_) | Action::Switch(_) => false,
            Action::Answer(_) => continue,
        };
        if !is_text || absent.contains(&flag.default) {
            assert!(absent.contains(&flag.default), "{}", flag.long);
            continue;
        }
        // Receivers that never read are there in one scenario alone.
        let scenario = if flag.long == SLOW { "--scenario slow" } else { "" };
        let [with, without] = [format!("{scenario} --{} {}", flag.long, flag.default), scenario.to_owned()]
            .map(|options| run(&options, ""));
        assert!(with.is_ok(), "{with:?}");
        assert_eq!(with, without, "{}", flag.long);
        typed += 1;
    }
    assert_eq!(typed, 10, "options with a default that can be typed");
    assert_eq!(run("", ""), Ok(plan(|_| ())), "nothing is there and all is off");
}

#[test]
fn no_more_values_than_the_limit() {
    let most = |flag: &Flag<Settings>| if flag.long == "source-ip" { 256 } else { REPEATED_OPTIONS_MAX };
    let repeatable: Vec<_> = TABLE.flags().filter(|flag| flag.help.contains("repeatable")).collect();
    assert_eq!(repeatable.len(), 3);
    for flag in repeatable {
        for (count, right) in [(most(flag), true), (most(flag) + 1, false)] {
            let value = |number: usize| match flag.long {
                HEADER => "a:b".to_owned(),
                "protocol" => format!("p{number}"),
                _ => "127.0.0.1".to_owned(),
            };
            let typed = (0..count).map(|number| format!("--{} {} ", flag.long, value(number)));
            let outcome = run(&typed.collect::<String>(), "");
            let want = format!("--{} takes at most {} values", flag.long, most(flag));
            assert!(if right { outcome.is_ok() } else { outcome == Err(want) }, "{count} {}", flag.long);
        }
    }
}

#[test]
fn the_command_is_shown_without_secrets() {
    for (arguments, want) in [
        ("ws://h/", "ws://h/"),
        ("-c5 ws://h/ --rate=7 --json", "--connections 5 ws://h/ --rate 7 --json"),
        ("ws://h/a_b?c=1&d", "'ws://h/a b?c=1&d'"),
        ("ws://h/?a&token=abc&b=c", "'ws://h/?a&token=***&b=c'"),
        ("ws+unix:/run/x.sock:/", "ws+unix:/run/x.sock:/"),
        ("ws://h --token abc", "ws://h --token ***"),
        ("ws://h --token=abc --deflate", "ws://h --token *** --deflate"),
        ("ws://h -HAuthorization:_Bearer_abc", "ws://h --header 'Authorization: ***'"),
        ("ws://h --header=COOKIE:abc", "ws://h --header 'COOKIE: ***'"),
        ("ws://h -H Proxy-Authorization:abc", "ws://h --header 'Proxy-Authorization: ***'"),
        ("ws://h -H X:_it's", r"ws://h --header 'X: it'\''s'"),
        ("ws://h -H X-Cookie:abc", "ws://h --header X-Cookie:abc"),
        ("--report it_is.html -- ws://h", "--report 'it is.html' ws://h"),
    ] {
        if arguments.contains("deflate") && !cfg!(feature = "deflate") {
            continue;
        }
        let Ok(Task::Run(plan)) = task(arguments, "FANFARE_BENCH_SENDERS=1 FANFARE_BENCH_BINARY=1") else {
            panic!("{arguments} is right");
        };
        assert_eq!(plan.command, format!("fanfare bench {want}"), "{arguments}");
        assert!(!plan.command.contains("abc") || arguments.contains("X-Cookie"), "{}", plan.command);
        assert!(!plan.target.url.contains("abc"), "{}", plan.target.url);
    }
    let variables = "FANFARE_BENCH_TOKEN=abc";
    let Ok(Task::Run(plan)) = task(HERE, variables) else { panic!("{variables} is right") };
    assert_eq!(plan.command, format!("fanfare bench {HERE}"));
}

#[cfg(unix)]
#[test]
fn only_a_path_may_be_other_than_utf_8() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(b"a\xff\x1b".to_vec());
    let read = |arguments: &[OsString]| {
        let bench = [OsString::from("bench")];
        parse(bench.into_iter().chain(arguments.iter().cloned()), |_| None)
    };
    let Ok(Command::Bench(Task::Run(plan))) = read(&["--report".into(), odd(), HERE.into()]) else {
        panic!("a path is any string");
    };
    assert_eq!(plan.output.report, Some(odd().into()));
    assert_eq!(plan.command, format!(r"fanfare bench --report 'a{}\u{{1b}}' {HERE}", '\u{fffd}'));
    let compared = read(&["--compare".into(), odd(), odd()]);
    let want = Comparison { files: [odd().into(), odd().into()], report: None };
    assert_eq!(compared, Ok(Command::Bench(Task::Compare(want))));
    for (arguments, want) in [
        (vec![odd()], "the URL takes text in UTF-8, not \"a\u{fffd}\\u{1b}\""),
        (vec!["--token".into(), odd()], "--token takes text in UTF-8, not \"***\""),
        (vec!["--pid".into(), odd()], "--pid takes text in UTF-8, not \"a\u{fffd}\\u{1b}\""),
    ] {
        assert_eq!(read(&arguments).map_err(|error| error.to_string()), Err(want.to_owned()));
    }
}
