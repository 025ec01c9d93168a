//! Receivers that do not read, and senders that do not stop: they get their verdict, the server keeps its
//! size, and the others notice nothing.

use crate::peer::{BINARY, CLOSE, Frame, PING, PONG, Peer};
use crate::support::{Server, may_open, until};
use std::io;

const PIECE: usize = 16 * 1024;
/// Messages sent before they are read again: half the backlog, so that who reads is never behind.
const ROUND: usize = 8;
/// Far more than all the socket buffers on the way hold.
const MESSAGES: usize = (40 << 20) / PIECE;
/// What a server may grow by while it is flooded; it is a tenth of what goes through.
#[cfg(target_os = "linux")]
const GROWTH_BYTES_MAX: u64 = 16 << 20;

/// A message that says which it is, at both ends and in between.
fn piece(number: usize) -> Frame {
    let mut payload = vec![number as u8; PIECE];
    payload[..8].copy_from_slice(&(number as u64).to_be_bytes());
    payload[PIECE - 8..].copy_from_slice(&(number as u64).to_be_bytes());
    Frame::new(BINARY, payload)
}

/// Sends through the first of the readers, and has all of them read along.
#[track_caller]
fn broadcast(readers: &mut [Peer], numbers: std::ops::Range<usize>) {
    for start in numbers.clone().step_by(ROUND) {
        let round = start..numbers.end.min(start + ROUND);
        round.clone().for_each(|number| readers[0].send(piece(number).masked()));
        for (at, reader) in readers.iter_mut().enumerate() {
            for number in round.clone() {
                assert!(reader.frame() == piece(number), "reader {at}, message {number}");
            }
        }
    }
}

/// Reads what is left for a receiver that was too slow: whole messages without a gap, from the first, and
/// pongs between them. Gives the Close behind them, or `None` when the connection was dropped. Behind the Close
/// are the pongs that are still owed, and nothing else.
#[track_caller]
fn read_late(slow: &mut Peer) -> Option<u16> {
    let mut number = 0;
    let mut close = None;
    loop {
        match slow.try_frame() {
            Ok(frame) if frame.opcode == PONG => assert_eq!(frame, Frame::new(PONG, "slow, but here")),
            Ok(frame) if close.is_some() => panic!("behind the Close comes {frame:?}"),
            Ok(frame) if frame.opcode == CLOSE => {
                slow.send(frame.masked());
                close = frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
            Ok(frame) => {
                assert!(frame == piece(number), "message {number} is {frame:?}");
                number += 1;
            }
            Err(error) => {
                let is_dropped = error.kind() == io::ErrorKind::ConnectionReset && close.is_none();
                assert!(is_dropped || error.kind() == io::ErrorKind::UnexpectedEof, "{error}");
                return close;
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_receiver_that_never_reads_costs_the_others_nothing() {
    let server = Server::start(&["--backlog", "256k"]);
    let mut slow = server.websocket("/");
    let mut readers: Vec<_> = (0..3).map(|_| server.websocket("/")).collect();
    // Who is gone is waited for even less: one has read nothing of this, the other has missed it.
    let vanishing = [server.websocket("/"), server.websocket("/echo")];
    drop(server.websocket("/"));
    broadcast(&mut readers, 0..ROUND);
    drop(vanishing);
    let before = server.peak_bytes();
    broadcast(&mut readers, ROUND..MESSAGES);
    let growth = server.peak_growth(before);
    assert!(growth < GROWTH_BYTES_MAX, "the server grew by {growth} bytes");
    // On a slow machine its five seconds may be over.
    let code = read_late(&mut slow);
    assert!([None, Some(1013)].contains(&code), "closed with {code:?}");
    server.assert_serves();
}

/// What is sent goes to eight that read and past twenty that never do: the server holds the backlog, and no more.
#[cfg(target_os = "linux")]
#[test]
fn sixty_four_mebibytes_past_twenty_that_never_read() {
    const BACKLOG: u64 = 4 << 20;
    let server = Server::start(&["--backlog", "4m"]);
    let slow: Vec<_> = (0..20).map(|_| server.websocket("/")).collect();
    let mut readers: Vec<_> = (0..8).map(|_| server.websocket("/")).collect();
    let before = server.peak_bytes();
    broadcast(&mut readers, 0..(64 << 20) / PIECE);
    let growth = server.peak_growth(before);
    assert!(growth < BACKLOG + (8 << 20), "the server grew by {growth} bytes");
    drop(slow);
    server.assert_serves();
}

/// Broadcasts until the log says that somebody was too slow.
#[track_caller]
fn broadcast_until_evicted(server: &Server, readers: &mut [Peer], mut between: impl FnMut()) {
    let mut sent = 0;
    while !server.log().contains("1013") {
        assert!(sent < 8 * MESSAGES, "it is found too slow at some time");
        broadcast(readers, sent..sent + ROUND);
        between();
        sent += ROUND;
    }
}

/// Whether it says something itself meanwhile or not: the answers have their place between the messages.
#[test]
fn a_receiver_that_is_too_slow_gets_whole_messages_and_1013() {
    for talks in [false, true] {
        let server = Server::start(&["--backlog", "256k", "-v"]);
        let mut slow = server.websocket("/");
        let mut readers = vec![server.websocket("/")];
        let ping = Frame::new(PING, "slow, but here").masked();
        broadcast_until_evicted(&server, &mut readers, || {
            if talks {
                slow.send(&ping);
            }
        });
        assert_eq!(read_late(&mut slow), Some(1013), "talks: {talks}");
        server.assert_serves();
    }
}

/// It has five seconds to take what is on the wire and the Close, and then its place is free.
#[cfg(target_os = "linux")]
#[test]
fn a_receiver_that_takes_nothing_at_all_is_dropped() {
    let server = Server::start(&["--backlog", "256k", "-v"]);
    let mut readers = vec![server.websocket("/")];
    let without = server.descriptors();
    let slow = server.websocket("/");
    broadcast_until_evicted(&server, &mut readers, || {});
    let before = server.cpu_seconds();
    until("its descriptor is closed", || server.descriptors() == without);
    let spent = server.cpu_seconds() - before;
    assert!(spent < 0.3, "waiting for it took {spent} s of computing");
    drop(slow);
}

/// More than the socket buffers hold, and less than the backlog: a client that says all it has to say before
/// it reads gets everything, its pongs where its pings were.
#[test]
fn what_waits_comes_in_the_order_it_was_made() {
    const MESSAGES: usize = (20 << 20) / PIECE;
    let server = Server::start(&["--backlog", "64m"]);
    let mut peer = server.websocket("/");
    let mut late = server.websocket("/");
    for number in 0..MESSAGES {
        peer.send(piece(number).masked());
        if number % 3 == 0 {
            peer.send(Frame::new(PING, number.to_string()).masked());
        }
    }
    for number in 0..MESSAGES {
        assert!(peer.frame() == piece(number), "message {number}");
        if number % 3 == 0 {
            assert_eq!(peer.frame(), Frame::new(PONG, number.to_string()));
        }
        assert!(late.frame() == piece(number), "message {number}, for who only listens");
    }
}

/// A burst that is larger than the backlog, to more than the server writes to in one turn: it holds the
/// sender back until it has come round, and nobody who reads is taken for slow.
#[test]
fn a_burst_beyond_the_backlog_closes_nobody_who_reads() {
    const RECEIVERS: usize = 600;
    const BURST: usize = 800;
    if !may_open(RECEIVERS) {
        return;
    }
    let server = Server::start(&["--backlog", "16k"]);
    let mut receivers: Vec<_> = (0..RECEIVERS).map(|_| server.websocket("/")).collect();
    let message = |number: usize| Frame::text(&format!("{number} {}", "x".repeat(400)));
    let wire: Vec<u8> = (0..BURST).flat_map(|number| message(number).masked()).collect();
    receivers[0].send(wire);
    for (at, receiver) in receivers.iter_mut().enumerate() {
        for number in 0..BURST {
            assert_eq!(receiver.frame(), message(number), "receiver {at}");
        }
    }
}

/// Who does not take its echoes is not read any more.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_without_reading_becomes_backpressure() {
    const LIMIT: usize = 256 << 20;
    let server = Server::start(&[]);
    let mut other = server.websocket("/echo");
    let before = server.peak_bytes();
    let mut flood = server.websocket("/echo");
    let frame = piece(0);
    let sent = flood.send_until_full(&frame.masked().repeat(4), LIMIT);
    assert!(sent < LIMIT, "the server takes all and forgets nothing");
    let growth = server.peak_growth(before);
    assert!(growth < GROWTH_BYTES_MAX, "the server grew by {growth} bytes for {sent}");

    other.send(Frame::text("me too").masked());
    assert_eq!(other.frame(), Frame::text("me too"), "others are served");

    let whole = sent / frame.masked().len();
    for number in 0..whole {
        let answer = flood.frame();
        assert!(answer == frame, "answer {number} of {whole} is {answer:?}");
    }
}

/// RFC 6455 §5.5.3: a client that pings without end and reads nothing is read on, and costs no more for it; in the end
/// it gets the pongs that were there first, and the newest.
#[cfg(target_os = "linux")]
#[test]
fn of_a_flood_of_pings_only_the_newest_is_answered() {
    const PINGS: u32 = 200_000;
    let server = Server::start(&[]);
    let mut flood = server.websocket("/");
    let before = server.peak_bytes();
    let ping = |number: u32| Frame::new(PING, [&number.to_be_bytes()[..], &[7; 121]].concat()).masked();
    for first in (0..PINGS).step_by(500) {
        flood.send((first..first + 500).flat_map(ping).collect::<Vec<_>>());
    }
    let growth = server.peak_growth(before);
    assert!(growth < 2 << 20, "the server grew by {growth} bytes");
    let mut numbers = Vec::new();
    while numbers.last() != Some(&(PINGS - 1)) {
        let pong = flood.frame();
        assert_eq!(pong.opcode, PONG);
        numbers.push(u32::from_be_bytes(*pong.payload.first_chunk().expect("a number")));
    }
    assert!(numbers.is_sorted_by(|one, next| one < next) && numbers[..512].iter().copied().eq(0..512));
    assert!(numbers.len() < PINGS as usize / 2, "{} are answered", numbers.len());
    server.assert_serves();
}

/// Requests as well: who does not take the pages is not read any more.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_requests_becomes_backpressure() {
    const LIMIT: usize = 64 << 20;
    let server = Server::start(&[]);
    server.assert_serves();
    let before = server.peak_bytes();
    let mut flood = server.connect();
    let request = "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let sent = flood.send_until_full(request.repeat(1000).as_bytes(), LIMIT);
    assert!(sent < LIMIT, "the server takes all and forgets nothing");
    let growth = server.peak_growth(before);
    assert!(growth < GROWTH_BYTES_MAX, "the server grew by {growth} bytes for {sent}");
    server.assert_serves();
    // It goes on where it stopped; what is taken makes room for more. All of it would be a gigabyte.
    for number in 0..5000 {
        assert_eq!(flood.response().status, 200, "response {number}");
    }
}
