//! One test a bug: each failed before its bug was mended.

use crate::peer::{CLOSE, Frame, TEXT, handshake};
use crate::support::Server;
use std::thread;
use std::time::{Duration, Instant};

const REQUEST: &str = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Requests that wait for the responses before them were forgotten when a FIN came.
#[test]
fn all_pipelined_requests_are_answered_though_the_client_has_closed_its_side() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let count = 400;
    let mut sender = peer.stream().try_clone().expect("a second handle");
    let sending = thread::spawn(move || {
        std::io::Write::write_all(&mut sender, REQUEST.repeat(count).as_bytes()).expect("all is taken");
        sender.shutdown(std::net::Shutdown::Write).expect("a FIN");
    });
    let first = peer.response();
    for number in 1..count {
        assert_eq!(peer.response().body, first.body, "response {number}");
    }
    sending.join().expect("no panic");
    peer.expect_end();
}

/// Requests that wait were read on without a bound.
#[test]
#[cfg(target_os = "linux")]
fn waiting_requests_are_not_piled_up() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("large.bin"), vec![7; 300_000]).expect("a file");
    let server = Server::start(&["--www", folder.path().to_str().expect("UTF-8")]);
    let mut peer = server.connect();
    let before = server.peak_bytes();
    let mut sender = peer.stream().try_clone().expect("a second handle");
    let request = "GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100_000);
    let sending = thread::spawn(move || {
        // Fails when the reader has had enough.
        let _ = std::io::Write::write_all(&mut sender, request.as_bytes());
    });
    for number in 0..300 {
        assert_eq!(peer.response().body.len(), 300_000, "response {number}");
    }
    let grown = server.peak_growth(before);
    peer.stream().shutdown(std::net::Shutdown::Both).expect("enough");
    sending.join().expect("no panic");
    assert!(grown < 4 << 20, "{grown} bytes for one client's requests");
}

/// One whose socket was full when it became a WebSocket was taken for one that had not been visited, and
/// could hold the backlog for ever.
#[test]
#[cfg(target_os = "linux")]
fn one_that_was_blocked_when_it_subscribed_is_evicted_too() {
    let server = Server::start(&["--backlog", "1m"]);
    // How much the sockets hold is the system's affair: of these, each with a little more to come before its
    // handshake, some fill theirs and still have room in their outboxes.
    let deaf: Vec<_> = (0..128)
        .map(|step| {
            let mut peer = server.connect();
            peer.send(format!("{}{}", REQUEST.repeat(100 + 10 * step), handshake("/", "")));
            peer
        })
        .collect();
    let mut sender = server.websocket("/");
    let before = server.peak_bytes();
    let message = Frame::new(TEXT, vec![b'x'; 64 * 1024]);
    for _ in 0..(64 << 20) / (64 * 1024) {
        sender.send(message.masked());
        assert!(sender.frame() == message);
    }
    let grown = server.peak_growth(before);
    drop(deaf);
    assert!(grown < 16 << 20, "{grown} bytes are held for one that does not read");
}

/// With no time to drain nobody was told.
#[test]
fn a_drain_of_no_time_says_goodbye_all_the_same() {
    let mut server = Server::start(&["--drain", "0"]);
    let mut client = server.websocket("/");
    server.signal("TERM");
    assert_eq!(client.frame(), Frame::new(CLOSE, 1001_u16.to_be_bytes()));
    assert_eq!(server.exit_code(Duration::from_secs(5)), Some(0));
}

/// All clients were sent away within a moment, to come back all at once.
#[test]
fn a_drain_is_spread() {
    let server = Server::start(&["--drain", "4s"]);
    let mut clients: Vec<_> = (0..120).map(|_| server.websocket("/")).collect();
    server.signal("TERM");
    let begun = Instant::now();
    for client in &mut clients {
        let close = client.frame();
        assert_eq!(close, Frame::new(CLOSE, 1001_u16.to_be_bytes()));
        client.send(close.masked());
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(1), "the last was closed after {took:?}");
}

/// A failure at the second listener came behind a line that said the first was listening.
#[test]
fn nothing_is_announced_before_everything_is_bound() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let mut command = crate::program::program();
    command.args(["--listen", "127.0.0.1:0", "--listen", &format!("127.0.0.1:{port}")]);
    let finished = crate::support::finish(command);
    assert_eq!(finished.code, Some(1));
    assert_eq!(finished.errors.lines().count(), 1, "{}", finished.errors);
}
