//! The log that nobody takes: standard error closed, its reader gone, its pipe or terminal full. The server does not
//! notice.

use crate::peer::Frame;
use crate::pipe::Pipe;
use crate::program::{clean, program};
use crate::support::{DEADLINE, Server, until};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::process::Command;

/// What a pipe holds on Linux.
const PIPE_BYTES: usize = 64 << 10;

/// The program with these options, its standard error a pipe of which nothing is read.
fn start_unread(options: &[&str]) -> (Server, PipeReader) {
    let mut command = program();
    command.args(["--port", "0"]).args(options);
    let (reader, writer) = io::pipe().expect("a pipe can be made");
    (Server::spawn_unread(command, writer), reader)
}

/// Clients of which each leaves some lines, of some hundred bytes each.
fn say_more_than_a_pipe_holds(server: &Server) {
    let reason = "x".repeat(120);
    for _ in 0..2 * PIPE_BYTES / reason.len() {
        let mut peer = server.websocket("/");
        peer.send(Frame::close(4000, &reason).masked());
        assert_eq!(peer.frame().payload[..2], 4000_u16.to_be_bytes());
    }
}

/// All lines, each whole: none is cut, none runs into another.
fn whole_lines(log: &str) -> Vec<&str> {
    assert!(log.ends_with('\n'), "the last line is whole: {:?}", log.lines().last());
    let lines: Vec<_> = log.lines().collect();
    for line in &lines {
        assert!(line.starts_with("20") && line.matches("Z ").count() == 1, "one record: {line:?}");
    }
    lines
}

/// How many lines a line says were lost.
fn lost(line: &str) -> Option<usize> {
    let (before, _) = line.split_once(" lines were lost: standard error took none")?;
    before.rsplit_once(' ')?.1.parse().ok()
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_says_what_is_missing() {
    let (mut server, mut pipe) = start_unread(&["-vv"]);
    say_more_than_a_pipe_holds(&server);
    server.assert_serves();
    // What fits is taken off; then there is room, and the next line is behind one that counts.
    let mut first = vec![0; PIPE_BYTES / 2];
    pipe.read_exact(&mut first).expect("half of what was logged");
    server.websocket("/").send(Frame::close(4001, "again").masked());
    let rest = Pipe::collect(pipe);
    until("the log goes on", || rest.text().contains("closes with 4001 \"again\""));
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
    until("the log ends", || rest.is_complete());
    let log = String::from_utf8(first).expect("text") + &rest.text();
    let lines = whole_lines(&log);
    let reports: Vec<_> = lines.iter().filter_map(|line| lost(line)).collect();
    assert!(matches!(reports[..], [lost] if lost > 100), "one report, of many: {reports:?}");
    let at = |text: &str| lines.iter().position(|line| line.contains(text)).expect("it is logged");
    assert!(lines[at("were lost")].contains(" WARN "), "{}", lines[at("were lost")]);
    assert!(at("were lost") < at("with 4001") && at("with 4001") < at("stopped"), "in order");
}

/// What cannot be told before the end is told then.
#[test]
fn what_is_missing_is_said_at_the_end_at_the_latest() {
    let (mut server, mut pipe) = start_unread(&["-vv", "--drain", "0"]);
    say_more_than_a_pipe_holds(&server);
    let mut first = vec![0; PIPE_BYTES / 2];
    pipe.read_exact(&mut first).expect("half of what was logged");
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
    let mut rest = String::new();
    pipe.read_to_string(&mut rest).expect("the rest of what was logged");
    let log = String::from_utf8(first).expect("text") + &rest;
    let lines = whole_lines(&log);
    assert!(lines.iter().any(|line| lost(line).is_some_and(|lost| lost > 100)), "it says so: {lines:?}");
    assert!(lines.last().is_some_and(|line| line.ends_with("stopped")), "{:?}", lines.last());
}

#[test]
fn a_server_whose_pipe_stays_full_ends_all_the_same() {
    let (mut server, _pipe) = start_unread(&["-vv"]);
    say_more_than_a_pipe_holds(&server);
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

/// One behind a connection that hangs, say. It takes lines in part; what it shows later is whole lines but one.
#[test]
fn a_terminal_that_nobody_reads_stops_nothing() {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let screen = openpt(flags).expect("there are terminals");
    unlockpt(&screen).expect("it is ours");
    let terminal = ioctl_tiocgptpeer(&screen, flags).expect("it has another side");
    let mut command = program();
    command.args(["--port", "0", "-vv"]);
    let mut server = Server::spawn_unread(command, terminal);
    say_more_than_a_pipe_holds(&server);
    server.assert_serves();
    let shown = Pipe::collect(File::from(screen));
    until("all that it took is read", || {
        server.websocket("/").send(Frame::close(4001, "again").masked());
        shown.text().contains("closes with 4001")
    });
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
    until("the terminal is closed", || shown.is_complete());
    let reported = |line: &str| lost(line).is_some_and(|lost| lost > 100);
    assert!(shown.text().lines().any(reported), "on a line of its own: {}", shown.text());
}

#[test]
fn a_server_starts_and_serves_with_standard_error_closed() {
    let mut command = clean(Command::new("sh"));
    command.args(["-c", "exec \"$0\" \"$@\" 2>&-", env!("CARGO_BIN_EXE_fanfare")]);
    command.args(["--port", "0", "-vv"]);
    let (mut pipe, writer) = io::pipe().expect("a pipe can be made");
    let mut server = Server::spawn_unread(command, writer);
    let mut said = String::new();
    pipe.read_to_string(&mut said).expect("it has ended: the server does not have it");
    assert_eq!(said, "");
    server.assert_serves();
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

#[test]
fn a_reader_that_is_gone_ends_nothing() {
    let (mut server, pipe) = start_unread(&["-vv"]);
    server.assert_serves();
    drop(pipe);
    server.assert_serves();
    server.assert_serves();
    server.signal("TERM");
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

/// As text and as JSON.
#[test]
fn a_line_that_is_too_long_is_cut_and_is_a_line() {
    for options in [&[][..], &["--log-format", "json"]] {
        let server = Server::start(&[&["-vv"], options].concat());
        server.websocket(&format!("/{}", "%22".repeat(2000)));
        server.wait_for_log("is a WebSocket on");
        let log = server.log();
        let line = log.lines().find(|line| line.contains("is a WebSocket on")).expect("it is there");
        assert_eq!(line.len(), 4095, "with its end one write");
        assert!(line.trim_end_matches("\"}").ends_with('…'), "{line}");
        if !options.is_empty() {
            let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(record["level"], "trace");
        }
    }
}
