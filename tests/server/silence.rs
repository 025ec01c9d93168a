//! Clients that say nothing, or not enough: each is let go when its time is over, and no other is.

use crate::peer::{BINARY, Frame, PING, PONG, header};
use crate::support::{Server, until};
use std::io::{Read, Write};
use std::time::Duration;

#[test]
fn who_sends_no_whole_request_is_closed() {
    let server = Server::start(&["--handshake-timeout", "1s"]);
    let begun = ["", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\n"];
    let mut peers = begun.map(|begun| {
        let mut peer = server.connect();
        peer.send(begun);
        peer
    });
    peers[0].expect_end();
    for (peer, begun) in peers[1..].iter_mut().zip(&begun[1..]) {
        let response = peer.response();
        assert_eq!((response.status, response.closes()), (408, true), "{begun}");
        peer.expect_end();
    }
}

/// A byte now and then is not a request.
#[test]
fn who_trickles_a_request_is_closed_as_well() {
    let server = Server::start(&["--handshake-timeout", "1s"]);
    let mut peer = server.connect();
    peer.stream().set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
    peer.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    let mut answer = [0; b"HTTP/1.1 408".len()];
    until("its time is over", || {
        peer.send("x");
        peer.stream().read(&mut answer).is_ok()
    });
    // Not lost in a reset, though the client went on sending.
    assert_eq!(answer, *b"HTTP/1.1 408");
}

#[test]
fn an_idle_http_connection_is_closed_after_its_keep_alive() {
    let server = Server::start(&["--keep-alive", "1s", "--handshake-timeout", "1m"]);
    let mut peer = server.connect();
    for _ in 0..2 {
        assert_eq!(peer.ask("GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    }
    peer.expect_end();
}

/// The keep-alive is for HTTP, and the handshake's time for the handshake: a WebSocket may be silent longer.
/// A download that nobody takes; one that is taken slowly goes on.
#[cfg(target_os = "linux")]
#[test]
fn who_takes_nothing_of_a_file_is_given_up() {
    let www = crate::folder::large_files(1);
    let folder = www.path().to_str().expect("a name in UTF-8");
    let server = Server::start(&["-v", "--www", folder, "--keep-alive", "1s"]);
    let (mut idle, mut slow) = (server.connect(), server.connect());
    for peer in [&mut idle, &mut slow] {
        peer.send(crate::pages::get("/huge-0.bin"));
        assert_eq!(peer.response_head().status, 200);
    }
    until("it is given up", || {
        slow.take(100_000);
        server.log().contains("it does not take its response")
    });
    until("its end is logged", || server.log().contains("GET /huge-0.bin 200"));
    slow.take(10 << 20);
    drop((idle, slow));
    until("its file is closed", || server.descriptors() == server.descriptors_at_start());
}

#[test]
fn a_websocket_outlives_the_times_of_http() {
    let server = Server::start(&["--keep-alive", "1s", "--handshake-timeout", "1s", "--ping", "0"]);
    let mut silent = server.websocket("/");
    let mut idle = server.connect();
    assert_eq!(idle.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    idle.expect_end();
    server.connect().expect_end();
    silent.send(Frame::text("still here").masked());
    assert_eq!(silent.frame(), Frame::text("still here"), "and nothing before it: no ping was wanted");
}

#[test]
fn a_silent_client_is_pinged_and_then_dropped() {
    let server = Server::start(&["--ping", "1s"]);
    let mut silent = server.websocket("/");
    assert_eq!(silent.frame(), Frame::new(PING, ""));
    assert!(silent.ends(), "it did not answer");
    server.assert_serves();
}

/// In the middle of a message as well: a ping may come between its fragments, and between its bytes.
#[test]
fn a_client_that_stops_in_the_middle_of_a_message_is_pinged_and_then_dropped() {
    let server = Server::start(&["--ping", "1s"]);
    let mut stalled = server.websocket("/");
    stalled.send([header(true, BINARY, 1000), vec![0; 10]].concat());
    assert_eq!(stalled.frame(), Frame::new(PING, ""));
    assert!(stalled.ends(), "it did not answer");
}

#[test]
fn a_client_that_answers_its_pings_stays() {
    let server = Server::start(&["--ping", "1s"]);
    let mut alive = server.websocket("/");
    for _ in 0..3 {
        let ping = alive.frame();
        assert_eq!(ping, Frame::new(PING, ""));
        alive.send(Frame::new(PONG, ping.payload).masked());
    }
    alive.send(Frame::text("here I am").masked());
    assert_eq!(alive.frame(), Frame::text("here I am"));
}

/// After our Close a client may be silent, but not for ever: here it does not take part in the handshake.
#[test]
fn who_does_not_close_after_the_end_is_let_go() {
    let server = Server::start(&[]);
    let mut peer = server.websocket("/");
    peer.send(Frame::close(1000, "").masked());
    assert_eq!(peer.frame(), Frame::close(1000, ""));
    peer.expect_end();
    // The server has sent its FIN and waits for ours; what we send is dropped, until the connection is.
    until("the server resets the connection", || peer.stream().write(b"x").is_err());
}
