//! Servers that cannot be reached or do not answer the handshake as they should: each failure by its name.

use crate::outside::program::clean;
use crate::peer::{Fault, Peer, Role};
use crate::run::{Outcome, Report, Running, bench};
use socket2::{Domain, Socket, Type};
use std::net::TcpListener;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

/// All of 10 connections fail for one cause.
#[track_caller]
fn assert_all_fail(url: &str, options: &str, cause: &str) -> Outcome {
    let outcome = bench(url, &format!("-c 10 -r 100 -d 300ms {options}"));
    let report = outcome.report(1);
    report.assert_causes(&[(cause, 10)]);
    assert_none_opened(&report);
    outcome
}

#[track_caller]
fn assert_none_opened(report: &Report) {
    report.assert_counts(&[
        ("connections.asked", 10),
        ("connections.opened", 0),
        ("connections.failed", 10),
        ("connections.lost", 0),
    ]);
}

#[test]
fn refused_beyond_some_number() {
    for (status, cause) in [(503, "HTTP 503"), (403, "HTTP 403"), (429, "HTTP 429")] {
        let peer = Peer::start(Role::Broadcast, Fault::RefuseBeyond(50, status));
        let report = bench(&peer.url("/"), "-c 100 -r 50 -d 300ms").report(1);
        report.assert_causes(&[(cause, 50)]);
        let sent = report.count("messages.sent");
        report.assert_counts(&[
            ("connections.asked", 100),
            ("connections.opened", 50),
            ("connections.failed", 50),
            ("connections.lost", 0),
            // Who was never there is no receiver.
            ("deliveries.expected", 50 * sent),
            ("deliveries.lost", 0),
        ]);
        assert_eq!((peer.seen().opened.get(), peer.seen().refused.get()), (50, 50), "{status}");
    }
}

#[test]
fn answers_that_are_none() {
    let rows = [
        (Fault::RefuseBeyond(0, 401), "HTTP 401", "no connection was opened"),
        (Fault::Redirect, "HTTP 302", "no connection was opened"),
        (Fault::WrongAccept, "bad handshake", "the first bad handshake: Sec-WebSocket-Accept is not"),
        (Fault::NotHttp, "bad handshake", "the response is not HTTP"),
        (Fault::UnofferedProtocol, "bad handshake", "a subprotocol that was not offered"),
        (Fault::UnofferedExtension, "bad handshake", "an extension that was not offered"),
    ];
    for (fault, cause, note) in rows {
        let peer = Peer::start(Role::Broadcast, fault);
        assert_all_fail(&peer.url("/"), "", cause).report(1).assert_note(note);
        assert_eq!(peer.seen().messages.get(), 0, "nothing is sent before a handshake: {fault:?}");
    }
}

#[test]
fn the_other_scenarios_name_it_too() {
    let peer = Peer::start(Role::Broadcast, Fault::RefuseBeyond(0, 503));
    for scenario in ["idle", "echo"] {
        assert_all_fail(&peer.url("/"), &format!("--scenario {scenario}"), "HTTP 503");
    }
    // This one goes on trying.
    let report = bench(&peer.url("/"), "--scenario connect -c 2 -d 300ms").report(1);
    report.assert_counts(&[("connections.opened", 0)]);
    assert_eq!(report.causes().keys().collect::<Vec<_>>(), ["HTTP 503"], "{report}");
    assert!(report.causes()["HTTP 503"] >= 2, "{report}");
}

#[test]
fn never_answered() {
    let peer = Peer::start(Role::Broadcast, Fault::NeverAnswer);
    let outcome = assert_all_fail(&peer.url("/"), "--timeout 500ms", "timed out");
    assert!(outcome.took >= Duration::from_millis(500), "not before its time: {outcome}");
    assert!(outcome.took < Duration::from_secs(10), "all at the same time: {outcome}");
}

/// A port on which nobody listens, kept from others as long as the socket lives.
#[test]
fn nobody_listens() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    socket.bind(&any.into()).expect("there is a port");
    let address = socket.local_addr().expect("it is bound").as_socket().expect("it is an address");
    assert_all_fail(&format!("ws://{address}/"), "", "refused");
}

#[cfg(unix)]
#[test]
fn no_such_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("missing");
    let outcome = bench(&format!("ws+unix:{}:/", path.display()), "-c 10 -d 300ms");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    // Either at once, with its path, or as a cause.
    if !outcome.output.is_empty() {
        let report = outcome.report(1);
        assert_none_opened(&report);
        assert_eq!(report.causes().values().sum::<u64>(), 10, "{report}");
        return;
    }
    outcome.assert_gives_up(1, &["missing"]);
}

/// Its client gives up by itself and keeps no more than a head may have; the rest are the system's buffers.
#[test]
fn a_head_without_an_end() {
    let peer = Peer::start(Role::Broadcast, Fault::HugeHead);
    let outcome = assert_all_fail(&peer.url("/"), "--timeout 20s", "bad handshake");
    assert!(outcome.took < Duration::from_secs(15), "it does not wait for its timeout: {outcome}");
    let each = peer.seen().head_bytes.get() / 10;
    assert!(each < 16 << 20, "{each} bytes for each connection");
}

#[test]
fn a_name_that_does_not_exist() {
    let outcome = bench("ws://does-not-exist.invalid/", "-c 10 -d 300ms");
    outcome.assert_gives_up(1, &["does-not-exist.invalid"]);
}

#[cfg(unix)]
#[test]
fn too_few_descriptors() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let mut command = clean(Command::new("sh"));
    command.args(["-c", r#"ulimit -n 64 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_fanfare")]);
    command.args(["bench", &peer.url("/"), "--json", "-c", "100", "-d", "300ms"]);
    let outcome = Running::start(command).finish();
    outcome.assert_gives_up(1, &["ulimit -n"]);
    assert_eq!(peer.seen().requests(), [], "it says so before it begins");
}

/// Each attempt is refused at once, which must not be an endless turn of the loop, nor all of its time.
#[test]
fn connect_where_nobody_listens_ends() {
    let nobody =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    for options in ["-d 300ms", "-r 500 -d 300ms"] {
        let report =
            bench(&format!("ws://{nobody}/"), &format!("--scenario connect -c 4 {options}")).report(1);
        let refused = report.causes()["refused"];
        assert!((1..=1200).contains(&refused), "at most so many in a millisecond as there are: {report}");
    }
}
