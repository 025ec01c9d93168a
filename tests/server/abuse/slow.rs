//! Receivers that do not read, under each policy.

use super::{Yard, close_code, next_message};
use crate::peer::{BINARY, CLOSE, Frame, PING, PONG, Peer, handshake};
use crate::support::{DEADLINE, Server, until, within};
use std::io::Write;
use std::thread;
use std::time::Duration;

const PIECE: usize = 16 * 1024;
/// Far more than the socket buffers on the way hold.
const MESSAGES: u32 = (24 << 20) / PIECE as u32;

fn piece(number: u32) -> Frame {
    Frame::new(BINARY, [&number.to_be_bytes()[..], &vec![number as u8; PIECE - 4]].concat())
}

fn number(frame: &Frame) -> u32 {
    let number = u32::from_be_bytes(*frame.payload.first_chunk().expect("a number"));
    assert!(*frame == piece(number), "{frame:?} is whole");
    number
}

/// Sends all, each when the one before was heard by the witnesses.
#[track_caller]
fn broadcast(yard: &mut Yard, numbers: std::ops::Range<u32>) {
    for number in numbers {
        yard.witnesses[0].send(piece(number).masked());
        yard.witnesses.iter_mut().for_each(|witness| assert!(next_message(witness) == piece(number)));
    }
}

#[test]
fn close_gives_whole_messages_and_1013() {
    let mut yard = Yard::start(&["--backlog", "256k"]);
    let mut slow = yard.server.websocket("/");
    broadcast(&mut yard, 0..MESSAGES);
    let mut next = 0;
    loop {
        match slow.try_frame() {
            Ok(frame) if frame.opcode == CLOSE => {
                break assert_eq!(frame.payload[..2], 1013_u16.to_be_bytes());
            }
            Ok(frame) => assert_eq!(number(&frame), next),
            // Its five seconds are over: dropped.
            Err(_) => break,
        }
        next += 1;
    }
    assert!(next > 0 && next < MESSAGES);
    drop(slow);
    yard.end();
}

#[test]
fn skip_leaves_out_whole_messages_and_ends_with_the_newest() {
    let mut yard = Yard::start(&["--slow-consumer", "skip", "--backlog", "256k", "-v"]);
    let mut slow = yard.server.websocket("/");
    broadcast(&mut yard, 0..MESSAGES);
    let (mut last, mut gaps) = (None, 0);
    while last != Some(MESSAGES - 1) {
        let next = number(&next_message(&mut slow));
        assert!(last.is_none_or(|last| last < next), "{next} behind {last:?}");
        gaps += u32::from(next != last.map_or(0, |last| last + 1));
        last = Some(next);
    }
    assert!(gaps > 0, "it was too slow");
    yard.server.wait_for_log("it misses");
    broadcast(&mut yard, MESSAGES..MESSAGES + 1);
    assert_eq!(number(&next_message(&mut slow)), MESSAGES, "it is a receiver like all others again");
    drop(slow);
    yard.end();
}

/// A sender in a thread: it may have to wait.
fn send_in_a_thread(peer: &Peer, numbers: std::ops::Range<u32>) -> thread::JoinHandle<()> {
    let mut stream = peer.stream().try_clone().expect("a socket can be shared");
    thread::spawn(move || {
        for number in numbers {
            stream.write_all(&piece(number).masked()).expect("the server takes it in the end");
        }
    })
}

#[track_caller]
fn expect_all(peer: &mut Peer, numbers: std::ops::Range<u32>) {
    numbers.for_each(|want| assert_eq!(number(&next_message(peer)), want));
}

#[test]
fn wait_loses_nothing_while_one_pauses() {
    let mut yard = Yard::start(&["--slow-consumer", "wait", "--backlog", "256k"]);
    let mut sender = yard.server.websocket("/echo");
    sender.send(Frame::text("not a part of this").masked());
    let mut slow = yard.server.websocket("/");
    let [first, other] = &mut yard.witnesses;
    let sending = send_in_a_thread(first, 0..MESSAGES);
    // They hear what the slow one's buffers hold, and then nothing more.
    let mut heard = 0;
    first
        .stream()
        .set_read_timeout(Some(std::time::Duration::from_millis(500)))
        .expect("a timeout can be set");
    while first.stream().peek(&mut [0]).is_ok() {
        assert_eq!(number(&first.frame()), heard);
        heard += 1;
    }
    assert!(heard < MESSAGES, "the sender waits");
    first.stream().set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    let before = yard.server.cpu_seconds();
    // Who is not concerned is served; and waiting costs nothing.
    assert_eq!(yard.server.connect().ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    assert_eq!(sender.frame(), Frame::text("not a part of this"));
    let spent = yard.server.cpu_seconds() - before;
    assert!(spent < 0.2, "waiting took {spent} s of computing");
    thread::scope(|scope| {
        scope.spawn(|| expect_all(first, heard..MESSAGES));
        scope.spawn(|| expect_all(other, 0..MESSAGES));
        expect_all(&mut slow, 0..MESSAGES);
    });
    sending.join().expect("all was sent");
    drop((slow, sender));
    yard.end();
}

/// The same for one whose socket another thread writes to: a pong would come in the middle of a frame.
#[track_caller]
fn expect_all_in_silence(peer: &mut Peer, numbers: std::ops::Range<u32>) {
    for want in numbers {
        let mut frame = peer.frame();
        while frame.opcode == PING {
            frame = peer.frame();
        }
        assert_eq!(number(&frame), want);
    }
}

/// One that is alive in every other way: it answers and asks, and takes no bytes.
#[test]
fn wait_gives_up_one_that_takes_nothing() {
    let mut yard = Yard::start(&["--slow-consumer", "wait", "--backlog", "256k", "--ping", "1s", "-v"]);
    let mut dead = yard.server.websocket("/");
    let [first, other] = &mut yard.witnesses;
    let sending = send_in_a_thread(first, 0..MESSAGES);
    thread::scope(|scope| {
        scope.spawn(|| expect_all_in_silence(first, 0..MESSAGES));
        scope.spawn(|| expect_all(other, 0..MESSAGES));
        until("it is given up", || {
            dead.send(Frame::new(PONG, "alive").masked());
            yard.server.log().contains("holds up all others")
        });
    });
    sending.join().expect("all was sent");
    assert!([None, Some(1013)].contains(&close_code(&mut dead)));
    drop(dead);
    yard.end();
}

/// Those who wait are asked to go like all others, and their answer is heard.
#[test]
fn a_drain_does_not_wait_for_who_is_waited_for() {
    let mut server = Server::start(&["--slow-consumer", "wait", "--backlog", "256k", "--drain", "1m"]);
    let dead = server.websocket("/");
    let mut sender = server.websocket("/");
    let mut sent = 0;
    sender.stream().set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout can be set");
    // A frame that is cut stays so: it is not sent any further.
    while sent < MESSAGES && sender.stream().write_all(&piece(sent).masked()).is_ok() {
        sent += 1;
    }
    assert!(sent < MESSAGES, "it is held");
    let mut receiving = 0;
    server.signal("TERM");
    loop {
        match sender.frame() {
            frame if frame.opcode == CLOSE => break,
            frame => assert_eq!(number(&frame), receiving),
        }
        receiving += 1;
    }
    // It is read on, though the dead one has not moved: a held one would not see that this connection ends.
    let both = server.descriptors();
    drop(sender);
    within(Duration::from_secs(3), "its end is seen", || server.descriptors() < both);
    drop(dead);
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

/// One that reads nothing, and a sender that has to wait for it.
fn stalled(yard: &mut Yard) -> (Peer, Peer) {
    let dead = yard.server.websocket("/");
    let sender = yard.server.websocket("/");
    sender.stream().set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout can be set");
    let mut number = 0;
    while sender.stream().write_all(&piece(number).masked()).is_ok() {
        number += 1;
    }
    (dead, sender)
}

/// Messages in the same packet as the handshake have not waited for their turn: they were a way around it.
#[test]
fn who_speaks_with_its_handshake_does_not_pass_those_who_wait() {
    let mut yard = Yard::start(&["--slow-consumer", "wait", "--backlog", "1m"]);
    let (dead, sender) = stalled(&mut yard);
    let before = yard.server.peak_bytes();
    let said = [
        handshake("/", "").into_bytes(),
        Frame::new(BINARY, vec![7; 60_000]).masked(),
        Frame::close(1000, "").masked(),
    ]
    .concat();
    for _ in 0..300 {
        let mut peer = yard.server.connect();
        peer.send(&said);
        assert!(peer.ends());
    }
    let growth = yard.server.peak_growth(before);
    assert!(growth < 2 << 20, "300 of them made it grow by {growth} bytes");
    drop((dead, sender));
    let Yard { server, witnesses, .. } = yard; // they have not read what came meanwhile
    drop(witnesses);
    until("all are gone", || server.descriptors() == server.descriptors_at_start());
    server.assert_serves();
}

/// It would hold its place until those it waited for have moved.
#[test]
fn a_sender_that_is_reset_while_it_waits_is_gone() {
    let mut yard = Yard::start(&["--slow-consumer", "wait", "--backlog", "256k"]);
    let (dead, sender) = stalled(&mut yard);
    let both = yard.server.descriptors();
    socket2::SockRef::from(sender.stream()).set_linger(Some(Duration::ZERO)).expect("it can be set");
    drop(sender);
    until("its place is free", || yard.server.descriptors() < both);
    drop(dead);
}
