//! Slowloris: a byte at a time, in every state; and silence where an answer is due.

use super::{Yard, close_code, next_message};
use crate::peer::{CLOSE, CONTINUATION, Frame, PING, TEXT, handshake};
use crate::support::{Server, until, within};

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

/// Says a byte now and then, until the server has had enough; gives what it said to that.
fn trickle_until_closed(yard: &mut Yard, start: &str) -> Vec<u8> {
    let mut peer = yard.server.connect();
    peer.send(start);
    peer.stream().set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
    let mut said = Vec::new();
    until("the server has had enough", || {
        let _ = peer.stream().write_all(b"x");
        let mut piece = [0; 1024];
        match peer.stream().read(&mut piece) {
            Ok(0) => true,
            Ok(read) => {
                said.extend_from_slice(&piece[..read]);
                false
            }
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    });
    yard.meanwhile();
    said
}

#[test]
fn of_a_head_and_of_a_body() {
    let mut yard = Yard::start(&["--handshake-timeout", "1s", "--keep-alive", "1s"]);
    let head = trickle_until_closed(&mut yard, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    assert!(head.starts_with(b"HTTP/1.1 408"), "{}", head.escape_ascii());
    let body = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n";
    let body = trickle_until_closed(&mut yard, body);
    assert!(body.starts_with(b"HTTP/1.1 4"), "{}", body.escape_ascii());
    let page = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n";
    let page = trickle_until_closed(&mut yard, page);
    assert!(page.starts_with(b"HTTP/1.1 200"), "{}", page.escape_ascii());
    yard.end();
}

/// It is slow, not wrong: it is heard to its end, and costs the others nothing.
#[test]
fn of_a_frame_and_between_fragments() {
    let mut yard = Yard::start(&["--ping", "1s"]);
    let mut peer = yard.server.websocket("/echo");
    let wire = [
        Frame::begun(TEXT, "slow ").masked(),
        Frame::new(CONTINUATION, "but here").masked(),
        Frame::text("again").masked(),
    ];
    for byte in wire.concat() {
        peer.send([byte]);
        yard.meanwhile();
    }
    assert_eq!(next_message(&mut peer), Frame::text("slow but here"));
    assert_eq!(next_message(&mut peer), Frame::text("again"));
    drop(peer);
    yard.end();
}

#[test]
fn of_a_close() {
    let mut yard = Yard::start(&["--ping", "1s"]);
    // Half a Close, and then silence: pinged and dropped.
    let mut half = yard.server.websocket("/");
    half.send(&Frame::close(1000, "bye").masked()[..4]);
    // No answer to ours, but a byte now and then: five seconds, however alive it seems.
    let mut endless = yard.server.websocket("/");
    endless.send(b"\x83\x80\0\0\0\0");
    assert_eq!(close_code(&mut endless), Some(1002));
    let began = Instant::now();
    within(Duration::from_secs(9), "both are dropped", || {
        let _ = endless.stream().write_all(b"x");
        yard.meanwhile(); // the witnesses answer their pings
        yard.server.descriptors() == yard.descriptors
    });
    assert!(began.elapsed() < Duration::from_secs(9));
    assert!(half.ends());
    drop((half, endless));
    yard.end();
}

/// Each has a number of its own, by which its ping keeps away from the others'.
#[test]
fn silent_clients_are_pinged_apart_and_then_let_go() {
    const CLIENTS: usize = 60;
    let server = Server::start(&["--ping", "4s"]);
    let began = Instant::now();
    let mut silent: Vec<_> = (0..CLIENTS).map(|_| server.websocket("/")).collect();
    let mut pinged: Vec<_> = thread::scope(|scope| {
        let waiting: Vec<_> = silent
            .iter_mut()
            .map(|peer| {
                scope.spawn(move || {
                    assert_eq!(peer.frame(), Frame::new(PING, ""));
                    began.elapsed()
                })
            })
            .collect();
        waiting.into_iter().map(|thread| thread.join().expect("a ping comes")).collect()
    });
    pinged.sort_unstable();
    // A quarter of the interval apart, as far as a sweep a second can tell: never all in one.
    assert!(pinged[CLIENTS - 1] - pinged[0] > Duration::from_millis(500), "{pinged:?}");
    assert!(pinged[0] > Duration::from_millis(2500), "{pinged:?}");
    assert!(silent.iter_mut().all(|peer| peer.ends()), "who does not answer is let go");
    drop(silent);
    until("their descriptors are closed", || server.descriptors() == server.descriptors_at_start());
    server.assert_serves();
}

#[test]
fn who_vanishes_in_any_state_leaves_nothing() {
    let mut yard = Yard::start(&["--handshake-timeout", "2s", "--ping", "1s"]);
    let message = Frame::text("in the middle").masked();
    let states: [(&str, String, &[u8]); 7] = [
        ("before anything", String::new(), &[]),
        ("in a head", "GET / HTTP/1.1\r\nHo".to_owned(), &[]),
        ("with a page unread", "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), &[]),
        ("behind a handshake", handshake("/", ""), &[]),
        ("in a header", handshake("/", ""), &message[..1]),
        ("in a payload", handshake("/", ""), &message[..9]),
        ("in a Close", handshake("/", ""), &[0x80 | CLOSE, 0x82, 0, 0]),
    ];
    for (name, head, frames) in &states {
        for is_reset in [false, true] {
            let peer = yard.server.connect();
            let socket = socket2::SockRef::from(peer.stream());
            if is_reset {
                socket.set_linger(Some(Duration::ZERO)).expect("it can be set");
            }
            let sent =
                peer.stream().write_all(head.as_bytes()).and_then(|()| peer.stream().write_all(frames));
            sent.unwrap_or_else(|error| panic!("{name}: {error}"));
            drop(peer);
            yard.meanwhile();
        }
    }
    yard.end();
}
