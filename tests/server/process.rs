//! The program as its operator sees it: options, exit codes, the log, signals.

use crate::peer::{Frame, Peer, handshake};
use crate::program::program;
use crate::support::{Finished, Server, connect, finish};
use std::net::{SocketAddr, TcpListener};

#[track_caller]
fn run(options: &[&str]) -> Finished {
    let mut command = program();
    command.args(options);
    finish(command)
}

/// One line that names something, and nothing on standard output.
#[track_caller]
fn assert_fails(finished: &Finished, code: i32, names: &str) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert_eq!(finished.output, "");
    assert!(finished.errors.ends_with('\n') && finished.errors.lines().count() == 1, "{finished:?}");
    assert!(finished.errors.contains(names), "{names} in {finished:?}");
}

#[test]
fn help_and_version_are_printed_and_that_is_all() {
    let version = run(&["--version"]);
    assert_eq!((version.code, &*version.errors), (Some(0), ""));
    assert!(version.output.starts_with(concat!("fanfare ", env!("CARGO_PKG_VERSION"))), "{version:?}");
    // Whatever stands beside it.
    for options in [&["--help"][..], &["-h"], &["--port", "0", "--help"]] {
        let help = run(options);
        assert_eq!((help.code, &*help.errors), (Some(0), ""));
        for option in
            ["--port", "--www", "--echo", "--no-self", "--origin", "--max-message", "--drain", "--log-format"]
        {
            assert!(help.output.contains(option), "{option} in {}", help.output);
        }
        assert!(help.output.lines().count() < 100, "a screen or two");
    }
}

#[test]
fn a_wrong_option_is_one_line_that_names_it_and_exit_2() {
    let rows: [(&[&str], &str); 32] = [
        (&["--no-such-option"], "--no-such-option"),
        (&["-x"], "-x"),
        (&["words"], "words"),
        (&["--port"], "--port"),
        (&["--port", "x"], "--port"),
        (&["--port", "65536"], "--port"),
        (&["--port", "-1"], "--port"),
        (&["--port="], "--port"),
        (&["-p", "x"], "--port"),
        (&["--echo=yes"], "--echo"),
        (&["--listen", "9999"], "--listen"),
        (&["--listen", "::1:9999"], "--listen"),
        (&["--listen", "localhost:http"], "--listen"),
        (&["--max-message", "1x"], "--max-message"),
        (&["--max-message", ""], "--max-message"),
        (&["--max-message", "-1"], "--max-message"),
        (&["--max-message", "99999999999999999999g"], "--max-message"),
        (&["--max-message", "17179869184g"], "--max-message"),
        (&["--backlog", "much"], "--backlog"),
        (&["--backlog", "1.5m"], "--backlog"),
        (&["--max-connections", "many"], "--max-connections"),
        (&["--ping", "soon"], "--ping"),
        (&["--ping", "-1s"], "--ping"),
        (&["--handshake-timeout", "10 parsecs"], "--handshake-timeout"),
        (&["--keep-alive", "s"], "--keep-alive"),
        (&["--drain", "slowly"], "--drain"),
        (&["--drain", "99999999999999999999s"], "--drain"),
        (&["--protocol", "not a token"], "--protocol"),
        (&["--protocol", ""], "--protocol"),
        (&["--slow-consumer", "punish"], "--slow-consumer"),
        (&["--log-format", "xml"], "--log-format"),
        (&["--log-format"], "--log-format"),
    ];
    for (options, names) in rows {
        // The port comes first: should an option be taken after all, no test is in another's way.
        assert_fails(&run(&[&["--port=0"], options].concat()), 2, names);
    }
}

#[test]
fn a_wrong_value_in_the_environment_is_exit_2_as_well() {
    for (name, value) in [("FANFARE_PORT", "x"), ("FANFARE_MAX_MESSAGE", "1x"), ("FANFARE_LOG_FORMAT", "xml")]
    {
        let mut command = program();
        command.env("FANFARE_PORT", "0").env(name, value);
        assert_fails(&finish(command), 2, name);
    }
}

#[test]
fn a_port_in_use_is_one_line_that_names_it_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    assert_fails(&run(&["--port", &port]), 1, &port);
    assert_fails(&run(&["--listen", &format!("127.0.0.1:{port}")]), 1, &port);
}

#[test]
fn a_folder_that_is_none_is_one_line_that_names_it_and_exit_1() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let missing = folder.path().join("missing");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file can be written");
    for path in [missing, file] {
        let path = path.to_str().expect("a name in UTF-8");
        assert_fails(&run(&["--port", "0", "--www", path]), 1, path);
    }
}

#[test]
fn options_come_from_the_environment_too() {
    let mut command = program();
    command.env("FANFARE_PORT", "0").env("FANFARE_ECHO", "1").env("FANFARE_MAX_MESSAGE", "1k");
    let server = Server::spawn(command);
    let (mut one, mut other) = (server.websocket("/"), server.websocket("/"));
    one.send(Frame::text("echo").masked());
    assert_eq!(one.frame(), Frame::text("echo"));
    other.send(Frame::text("mine").masked());
    assert_eq!(other.frame(), Frame::text("mine"), "FANFARE_ECHO=1");
    other.send(Frame::text(&"x".repeat(1025)).masked());
    assert_eq!(other.frame().payload[..2], 1009_u16.to_be_bytes(), "FANFARE_MAX_MESSAGE=1k");
}

#[test]
fn the_command_line_outweighs_the_environment() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let mut command = program();
    command.env("FANFARE_PORT", port).args(["--port", "0"]);
    Server::spawn(command).assert_serves();
}

#[test]
fn listen_replaces_the_default_and_says_where() {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0"]);
    let server = Server::spawn(command);
    server.wait_for_log(&format!("http://127.0.0.1:{}/websocket.html", server.port()));
    server.assert_serves();
    assert!(!server.log().contains("localhost"), "nothing else is listened on: {}", server.log());
}

#[test]
fn listen_can_be_given_more_than_once() {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0", "--listen", "localhost:0", "--listen", "127.0.0.2:0"]);
    let server = Server::spawn(command);
    server.wait_for_log("http://127.0.0.2:");
    let log = server.log();
    let addresses = log.lines().filter_map(|line| line.split_once("http://")?.1.split_once('/'));
    let addresses: Vec<SocketAddr> =
        addresses.map(|(address, _)| address.parse().expect("an address")).collect();
    assert!(addresses.len() >= 3, "{log}");
    let mut peers: Vec<_> = addresses.into_iter().map(|address| Peer::new(connect(address))).collect();
    peers.iter_mut().for_each(|peer| peer.open("/"));
    peers[0].send(Frame::text("one channel").masked());
    for peer in &mut peers {
        assert_eq!(peer.frame(), Frame::text("one channel"));
    }
}

/// An object on one line: its brackets and quotes are closed, with nothing raw inside a string.
fn is_object(line: &str) -> bool {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (at, character) in line.char_indices() {
        match character {
            _ if character.is_control() => return false,
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => match depth.checked_sub(1) {
                Some(0) if at + 1 < line.len() => return false,
                Some(less) => depth = less,
                None => return false,
            },
            _ => {}
        }
    }
    line.starts_with("{\"") && line.ends_with('}') && depth == 0 && !in_string
}

/// Clients that put into the log what would move a terminal's cursor, end a line or break a string.
fn say_what_must_not_be_logged_raw(server: &Server) {
    let hostile = "\"quoted\" \\back {brace} \u{1b}[31mred\u{1b}[0m\u{9b}2J\u{7}\u{7f}\u{85}\u{202e}\r\n{\"level\":\"ERROR\"}";
    let encoded: String = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let one_line = hostile.replace(['\r', '\n'], " ");
    let requests = [
        format!("GET /{one_line} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET /{encoded} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {one_line}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {one_line}\r\n\r\n"),
        format!("{one_line}\r\n\r\n"),
        handshake("/", &format!("Origin: http://{one_line}\r\n")),
        handshake("/", "Origin: http://\u{9b}2J\u{85}\u{202e}\"\\\r\n"),
    ];
    for request in requests {
        let mut peer = server.connect();
        let response = peer.ask(request);
        assert!(response.status >= 400, "{response:?}");
    }
    for path in [format!("/{encoded}"), "/\u{e9}\u{9b}2J\u{85}\u{202e}\"\\".to_owned()] {
        let mut peer = server.connect();
        if peer.ask(handshake(&path, "")).status == 101 {
            peer.send(Frame::text(hostile).masked());
            assert_eq!(peer.frame(), Frame::text(hostile));
            peer.send(Frame::close(4000, &hostile[..60]).masked());
            assert_eq!(peer.frame().payload[..2], 4000_u16.to_be_bytes());
        }
    }
}

#[test]
fn the_log_can_be_json_whatever_peers_say() {
    let server = Server::start(&["-vv", "--log-format", "json"]);
    say_what_must_not_be_logged_raw(&server);
    server.wait_for_log("4000");
    let log = server.log();
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        assert!(is_object(line), "{line:?}");
        assert!(!line.starts_with("{\"level\":\"ERROR\"}"), "a line that a peer made up");
    }
}

#[test]
fn no_control_character_of_a_peer_gets_into_the_log() {
    let server = Server::start(&["-vv"]);
    say_what_must_not_be_logged_raw(&server);
    server.wait_for_log("4000");
    let log = server.log();
    let is_wrong = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
    let wrong: Vec<_> = log.lines().filter(|line| line.contains(is_wrong)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(!log.lines().any(|line| line.starts_with("{\"level\"")), "a line that a peer made up");
}

#[test]
fn levels_go_from_silent_to_everything() {
    let lines = |options: &[&str]| {
        let server = Server::start(options);
        server.assert_serves();
        server.websocket("/").send(b"\xff\xff");
        if options.contains(&"-v") {
            server.wait_for_log("closed with 1002");
        }
        let log = server.log();
        let (access, others): (Vec<_>, Vec<_>) = log.lines().partition(|line| line.contains("GET /"));
        assert!(access.len() >= 3, "a page and two handshakes at least: {access:?}");
        others.len()
    };
    let (default, verbose) = (lines(&[]), lines(&["-v"]));
    assert!(default < 5 && verbose > default, "{default} lines, with -v {verbose}");
}

#[cfg(unix)]
mod signals {
    use super::*;
    use crate::peer::CLOSE;
    use crate::support::{DEADLINE, until};
    use std::net::TcpStream;
    use std::time::Duration;

    /// Less than an answer to a Close is waited for: what ends in this time did not wait.
    const AT_ONCE: Duration = Duration::from_secs(4);

    #[track_caller]
    fn assert_is_sent_away(peer: &mut Peer) {
        let close = peer.frame();
        assert_eq!((close.opcode, &close.payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
    }

    #[test]
    fn either_signal_closes_clients_with_1001_and_exits_0() {
        for signal in ["TERM", "INT"] {
            let mut server = Server::start(&["--drain", "1m"]);
            let mut peers = Vec::from(["/", "/echo", "/"].map(|path| server.websocket(path)));
            let mut half = server.websocket("/");
            half.send(&Frame::text("half").masked()[..7]);
            let mut idle = server.connect();
            assert_eq!(idle.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
            server.signal(signal);
            for peer in &mut peers {
                assert_is_sent_away(peer);
                peer.send(Frame::close(1001, "").masked());
            }
            // Who is in the middle of a message when the Close comes may finish it first.
            assert_is_sent_away(&mut half);
            half.send(&Frame::text("half").masked()[7..]);
            half.send(Frame::close(1001, "").masked());
            peers.push(half);
            for peer in &mut peers {
                peer.expect_end();
            }
            idle.expect_end();
            drop((peers, idle));
            assert_eq!(server.exit_code(DEADLINE), Some(0), "SIG{signal}");
        }
    }

    #[test]
    fn without_clients_a_signal_ends_it_at_once() {
        let mut server = Server::start(&["--drain", "1m"]);
        server.signal("TERM");
        assert_eq!(server.exit_code(AT_ONCE), Some(0));
    }

    #[test]
    fn who_does_not_answer_does_not_keep_it_past_the_drain() {
        let mut server = Server::start(&["--drain", "1s"]);
        let mut deaf = server.websocket("/");
        let _silent = server.connect();
        server.signal("TERM");
        assert_is_sent_away(&mut deaf);
        assert_eq!(server.exit_code(AT_ONCE), Some(0));
    }

    #[test]
    fn a_second_signal_ends_it_at_once() {
        for second in ["TERM", "INT"] {
            let mut server = Server::start(&["--drain", "1m"]);
            let mut deaf = server.websocket("/");
            server.signal("TERM");
            assert_is_sent_away(&mut deaf);
            server.signal(second);
            let code = server.exit_code(AT_ONCE);
            assert_ne!(code, None, "it ends by itself");
            assert!(deaf.ends(), "and with it its connections");
        }
    }

    #[test]
    fn while_it_drains_nobody_new_gets_in() {
        let server = Server::start(&["--drain", "1m"]);
        let mut deaf = server.websocket("/");
        server.signal("TERM");
        assert_is_sent_away(&mut deaf);
        until("connections are refused", || TcpStream::connect(server.address()).is_err());
    }

    /// What was said before the end is still heard.
    #[test]
    fn what_was_broadcast_before_the_signal_arrives_before_the_close() {
        let mut server = Server::start(&["--drain", "1m"]);
        let (mut sender, mut receiver) = (server.websocket("/"), server.websocket("/"));
        let last = Frame::text(&"x".repeat(100_000));
        sender.send(last.masked());
        assert!(sender.frame() == last);
        server.signal("TERM");
        assert!(receiver.frame() == last);
        for peer in [&mut sender, &mut receiver] {
            assert_is_sent_away(peer);
            peer.send(Frame::close(1001, "").masked());
            peer.expect_end();
        }
        drop((sender, receiver));
        assert_eq!(server.exit_code(DEADLINE), Some(0));
    }

    /// Pages as well: a response that has begun is finished, and the connection ends behind it.
    #[test]
    fn a_download_under_way_is_finished_first() {
        const BYTES: usize = 20 << 20;
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = std::fs::File::create(folder.path().join("large.bin")).expect("a file can be made");
        file.set_len(BYTES as u64).expect("it may have holes");
        let www = folder.path().to_str().expect("a name in UTF-8");
        let mut server = Server::start(&["--drain", "1m", "--www", www]);
        let mut peer = server.connect();
        peer.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(peer.response_head().status, 200);
        server.signal("TERM");
        until("connections are refused", || TcpStream::connect(server.address()).is_err());
        assert_eq!(peer.take(BYTES).len(), BYTES);
        peer.expect_end();
        drop(peer);
        assert_eq!(server.exit_code(DEADLINE), Some(0));
    }

    #[test]
    fn two_hundred_clients_are_sent_away_within_the_drain() {
        let mut server = Server::start(&["--drain", "2s"]);
        let mut peers: Vec<_> = (0..200).map(|_| server.websocket("/")).collect();
        server.signal("TERM");
        for peer in &mut peers {
            assert_is_sent_away(peer);
            peer.send(Frame::close(1001, "").masked());
        }
        drop(peers);
        assert_eq!(server.exit_code(DEADLINE), Some(0));
    }
}
