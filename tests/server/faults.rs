//! Whatever one client does, the others notice nothing; and what is over leaves nothing behind.

use crate::peer::{BINARY, CLOSE, Frame, PING, Peer, TEXT, handshake, header};
#[cfg(target_os = "linux")]
use crate::support::program_with_descriptors;
use crate::support::{Server, may_open, until};
use std::io::Write;
use std::net::Shutdown;
use std::ops::Range;

/// How a client can vanish: with half of something sent, or with something unread, which is a reset.
#[test]
fn a_client_that_vanishes_in_mid_frame_leaves_the_others_working() {
    let server = Server::start(&[]);
    let (mut one, mut other) = (server.websocket("/"), server.websocket("/"));
    let message = Frame::text("in the middle of it").masked();
    let unfinished = Frame::begun(TEXT, "half").masked();
    let large = [header(true, BINARY, 1 << 20), vec![0; 100_000]].concat();
    let rows = [
        ("in a header", &message[..1]),
        ("in a masking key", &message[..4]),
        ("in a payload", &message[..10]),
        ("between fragments", &unfinished),
        ("in a large message", &large),
        ("between messages", &[]),
    ];
    for (name, sent) in rows {
        let mut vanishing = server.websocket("/");
        vanishing.send(sent);
        one.send(Frame::text(name).masked());
        for peer in [&mut one, &mut other] {
            assert_eq!(peer.frame(), Frame::text(name));
        }
        // It has a message unread: closing resets the connection.
        drop(vanishing);
        other.send(Frame::text("and on").masked());
        for peer in [&mut one, &mut other] {
            assert_eq!(peer.frame(), Frame::text("and on"), "{name}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn who_vanishes_leaves_no_descriptor() {
    let server = Server::start(&[]);
    let mut witness = server.websocket("/");
    let before = server.descriptors();
    type Way = fn(&mut Peer);
    let ways: [(&str, Way); 6] = [
        ("silently", |_| {}),
        ("in a request", |peer| peer.send("GET / HTTP/1.1\r\nHost:")),
        ("with a response unread", |peer| peer.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ("after a handshake", |peer| peer.open("/")),
        ("with a FIN in a message", |peer| {
            peer.open("/");
            peer.send(header(true, TEXT, 100));
            peer.send_end();
        }),
        ("after a violation", |peer| {
            peer.open("/");
            peer.send(b"\xff\xff");
        }),
    ];
    for (name, vanish) in ways {
        for _ in 0..20 {
            vanish(&mut server.connect());
        }
        until(&format!("{name}: their descriptors are closed"), || server.descriptors() == before);
    }
    witness.send(Frame::text("here").masked());
    assert_eq!(witness.frame(), Frame::text("here"));
}

#[test]
fn past_the_greatest_number_of_connections_newcomers_get_503() {
    let server = Server::start(&["--max-connections", "3"]);
    let mut held: Vec<_> = (0..3).map(|_| server.websocket("/")).collect();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned();
    // Often, and with requests of both kinds: the answer must not be lost in a reset.
    for request in [request, handshake("/", "")].iter().cycle().take(40) {
        let mut refused = server.connect();
        let response = refused.ask(request);
        assert_eq!((response.status, response.closes()), (503, true));
        let seconds = response.header("retry-after").expect("it says when to come again");
        assert!(seconds.parse::<u32>().is_ok(), "{seconds}");
        refused.expect_end();
    }
    held[0].send(Frame::text("we are served").masked());
    for peer in &mut held {
        assert_eq!(peer.frame(), Frame::text("we are served"));
    }
    held.pop();
    until("there is room again", || server.connect().try_open());
}

/// As many newcomers at once as nobody can refuse one after the other: those inside notice nothing.
#[test]
fn a_crowd_at_the_door_does_not_disturb_those_inside() {
    let server = Server::start(&["--max-connections", "2"]);
    let mut inside = [server.websocket("/"), server.websocket("/")];
    let crowd: Vec<_> = (0..200).map(|_| server.connect()).collect();
    inside[0].send(Frame::text("it is loud outside").masked());
    for peer in &mut inside {
        assert_eq!(peer.frame(), Frame::text("it is loud outside"));
    }
    drop(crowd);
    drop(inside);
    until("there is room again", || server.connect().try_open());
}

#[cfg(target_os = "linux")]
#[test]
fn two_thousand_connections_come_and_hear_and_go() {
    const CONNECTIONS: usize = 2000;
    if !may_open(CONNECTIONS) {
        return;
    }
    let server = Server::start(&[]);
    let mut sender = server.websocket("/");
    let before = server.descriptors();
    for round in ["the first time", "the second time"] {
        let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| server.websocket("/")).collect();
        assert_eq!(server.descriptors(), before + CONNECTIONS);
        let message = Frame::text(round);
        sender.send(message.masked());
        assert_eq!(sender.frame(), message);
        for (at, peer) in peers.iter_mut().enumerate() {
            assert_eq!(peer.frame(), message, "client {at}");
        }
        // Half of them say so, half just go.
        for peer in peers.iter_mut().step_by(2) {
            peer.send(Frame::close(1000, "").masked());
        }
        drop(peers);
        until("their descriptors are closed", || server.descriptors() == before);
    }
}

/// The kernel has taken connections that the server has no descriptors for: they wait, those inside do not,
/// and the server does not ask again and again.
#[cfg(target_os = "linux")]
#[test]
fn when_the_descriptors_run_out_newcomers_wait_and_nobody_else() {
    let mut command = program_with_descriptors(40);
    command.args(["--port", "0", "--max-connections", "1000", "--handshake-timeout", "1s"]);
    let server = Server::spawn(command);
    let mut witness = server.websocket("/");
    let before = server.cpu_seconds();
    let mut silent: Vec<_> = (0..100).map(|_| server.connect()).collect();
    witness.send(Frame::text("I am inside").masked());
    assert_eq!(witness.frame(), Frame::text("I am inside"));
    // Who is let in and says nothing is closed, which makes room for the next.
    for (at, peer) in silent.iter_mut().enumerate() {
        assert!(peer.ends(), "connection {at} has its turn");
    }
    let spent = server.cpu_seconds() - before;
    assert!(spent < 0.3, "it took {spent} s of computing");
    drop(silent);
    until("there is room again", || server.descriptors() < 30);
    server.assert_serves();
}

/// Each of them waits for its client; a loop that asks them again and again would show here.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_are_stuck_cost_no_computing() {
    let server = Server::start(&["--handshake-timeout", "2s", "--backlog", "64m"]);
    let large = Frame::new(BINARY, vec![7; 60_000]).masked();
    let requests = "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    let mut pages = server.connect();
    pages.send_until_full(requests.as_bytes(), 64 << 20);
    let mut echo = server.websocket("/echo");
    echo.send_until_full(&large, 64 << 20);
    let mut broadcast = server.websocket("/");
    broadcast.send_until_full(&large, 20 << 20);
    let mut half_message = server.websocket("/");
    half_message.send(&Frame::text("half").masked()[..8]);
    let mut half_request = server.connect();
    half_request.send("GET / HTTP/1.1\r\nHost: ");
    let before = server.cpu_seconds();
    // The time it takes until one that says nothing is closed.
    server.connect().expect_end();
    let spent = server.cpu_seconds() - before;
    assert!(spent < 0.3, "waiting for them took {spent} s of computing");
    server.websocket("/echo").send(Frame::text("hello").masked());
}

/// A generator of its own, so that a failure can be repeated (xorshift64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, range: Range<usize>) -> usize {
        range.start + self.next() as usize % range.len()
    }

    fn bytes(&mut self, range: Range<usize>) -> Vec<u8> {
        (0..self.below(range)).map(|_| self.next() as u8).collect()
    }

    /// Something right, with a few bytes replaced, left out or doubled.
    fn spoil(&mut self, right: &[u8]) -> Vec<u8> {
        let mut bytes = right.to_vec();
        for _ in 0..self.below(1..5) {
            let at = self.below(0..bytes.len());
            match self.below(0..4) {
                0 => bytes[at] = self.next() as u8,
                1 => bytes[at] ^= 1 << self.below(0..8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes
    }

    /// Garbage of one of many kinds.
    fn garbage(&mut self) -> Vec<u8> {
        let request =
            "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc".as_bytes();
        let shake = handshake("/garbage", "Origin: null\r\n").into_bytes();
        let frames = [
            Frame::begun(TEXT, "é").masked(),
            Frame::new(PING, "ping").masked(),
            Frame::new(0, "中").masked(),
            Frame::new(BINARY, vec![1; 300]).masked(),
            Frame::close(1000, "bye").masked(),
        ]
        .concat();
        match self.below(0..7) {
            0 => self.bytes(1..2000),
            1 => self.spoil(request),
            2 => self.spoil(&shake),
            3 => [shake, self.bytes(1..500)].concat(),
            4 => [shake, self.spoil(&frames)].concat(),
            5 => [request, &self.spoil(&request.repeat(20))].concat(),
            _ => self.spoil(&[shake, frames].concat()),
        }
    }
}

#[test]
fn no_garbage_disturbs_the_server() {
    let server = Server::start(&["--max-message", "64k"]);
    let mut witness = server.websocket("/echo");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut kept = Vec::new();
    for number in 0..1500 {
        let garbage = random.garbage();
        let peer = server.connect();
        for piece in garbage.chunks(random.below(1..garbage.len() + 1)).take(20) {
            // The server may have had enough of it already.
            if peer.stream().write_all(piece).is_err() {
                break;
            }
        }
        match number % 3 {
            0 => drop(peer),
            1 => drop(peer.stream().shutdown(Shutdown::Write)),
            _ => kept.push(peer),
        }
        if number % 100 == 0 {
            witness.send(Frame::text("still there").masked());
            assert_eq!(witness.frame(), Frame::text("still there"), "after piece {number}");
        }
    }
    server.assert_serves();
    drop(kept);
    witness.send(Frame::close(1000, "").masked());
    assert_eq!(witness.frame().opcode, CLOSE);
}
