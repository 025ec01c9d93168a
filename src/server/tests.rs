//! The loop behind sockets that misbehave ([`faults`](crate::transport::faults)): what a client gets is the beginning of
//! what it should, without gap or repetition, and the others notice nothing.

use super::*;
use crate::config::{Audience, Listen, OwnMessages};
use crate::handler::Context;
use crate::message::Message;
use crate::transport::faults::Plan;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};

#[cfg(feature = "tls")]
mod tls;

const PATIENCE: Duration = Duration::from_secs(20);
const HANDSHAKE: &str = "HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

struct Broadcast;

impl Handler for Broadcast {
    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        match context.audience() {
            Audience::Everyone => context.publish(&message),
            Audience::Sender => context.send(&message),
        }
    }
}

/// A server in a thread, its first connections faulty by their plans.
struct Running {
    address: SocketAddr,
    stopper: Stopper,
    metrics: MetricsReader,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(own_messages: OwnMessages, plans: Vec<Plan>) -> Self {
        Self::start_as(Config { own_messages, ..Config::default() }, plans)
    }

    fn start_as(config: Config, plans: Vec<Plan>) -> Self {
        let (sender, started) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let listen = vec![Listen::Tcp { host: "127.0.0.1".to_owned(), port: 0 }];
            let mut server = Server::bind(Config { listen, ..config }).expect("it binds");
            server.faults = plans.into();
            sender.send((server.addresses()[0], server.stopper(), server.metrics())).expect("the test waits");
            server.run(Broadcast).expect("it runs");
        });
        let (address, stopper, metrics) = started.recv_timeout(PATIENCE).expect("it starts");
        Self { address, stopper, metrics, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream
    }

    /// A WebSocket whose handshake is done.
    fn open(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(format!("GET {path} {HANDSHAKE}").as_bytes()).expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(take(&mut stream, 1));
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", head.escape_ascii());
        stream
    }

    /// A page, a handshake and a broadcast; and those who were reset are gone.
    fn assert_serves(&self, connections: u64) {
        let mut page = self.connect();
        page.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
        let mut text = String::new();
        page.read_to_string(&mut text).expect("a page");
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("</html>\n"), "{text}");
        let (mut one, mut other) = (self.open("/"), self.open("/"));
        one.write_all(&frame(TEXT, b"still there")).expect("sent");
        assert_eq!(read_frame(&mut other), (TEXT, b"still there".to_vec()));
        drop((page, one, other));
        let deadline = Instant::now() + PATIENCE;
        while self.metrics.read().connections != connections {
            assert!(Instant::now() < deadline, "{:?}", self.metrics.read());
            thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the server ends by itself");
    }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A client's frame, with a masking key of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => wire.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            wire.push(0xfe);
            wire.extend((medium as u16).to_be_bytes());
        }
        long => {
            wire.push(0xff);
            wire.extend((long as u64).to_be_bytes());
        }
    }
    wire.extend([0; 4]);
    wire.extend(payload);
    wire
}

fn take(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("the bytes come");
    bytes
}

/// A server's frame.
fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let head = take(stream, 2);
    let length = match head[1] {
        126 => take(stream, 2),
        127 => take(stream, 8),
        short => vec![short],
    };
    let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    (head[0] & 15, take(stream, length))
}

/// Everything until the end, however that comes.
fn read_to_any_end(stream: &mut TcpStream) -> Vec<u8> {
    let (mut got, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        got.extend_from_slice(&piece[..read]);
    }
    got
}

/// Message `number` of a sender, of any length up to where a frame takes eight bytes for it.
fn message(sender: u8, number: usize) -> Vec<u8> {
    let length = [0, 1, 124, 125, 126, 5_000, 65_530, 70_000][(number * 7 + usize::from(sender)) % 8];
    let mut payload = vec![sender, number as u8];
    payload.extend((0..length).map(|at: usize| (at * 31 + number) as u8));
    payload
}

const MESSAGES: usize = 16;

/// Sends its messages with a ping behind each, and expects all of both senders that are for it, in order.
fn send_and_hear(mut stream: TcpStream, sender: u8, hears_itself: bool) {
    let mut sending = stream.try_clone().expect("a socket can be shared");
    let sends = thread::spawn(move || {
        for number in 0..MESSAGES {
            sending.write_all(&frame(BINARY, &message(sender, number))).expect("sent");
            sending.write_all(&frame(PING, &[number as u8; 9])).expect("sent");
        }
    });
    let expected = |of: u8| if of == sender && !hears_itself { MESSAGES } else { 0 };
    let (mut next, mut pongs) = ([expected(0), expected(1)], 0);
    while next != [MESSAGES; 2] || pongs < MESSAGES {
        match read_frame(&mut stream) {
            (PONG, payload) => {
                assert_eq!(payload, [pongs as u8; 9]);
                pongs += 1;
            }
            (BINARY, payload) => expect_next(&payload, &mut next),
            (opcode, payload) => panic!("{opcode}: {}", payload.escape_ascii()),
        }
    }
    sends.join().expect("all is sent");
}

fn expect_next(payload: &[u8], next: &mut [usize; 2]) {
    let sender = payload[0];
    let number = &mut next[usize::from(sender)];
    assert!(payload == message(sender, *number), "message {number} of {sender}, not {:?}", &payload[..2]);
    *number += 1;
}

fn hear(mut stream: TcpStream) {
    let mut next = [0; 2];
    while next != [MESSAGES; 2] {
        let (opcode, payload) = read_frame(&mut stream);
        assert_eq!(opcode, BINARY);
        expect_next(&payload, &mut next);
    }
}

fn echo(mut stream: TcpStream) {
    for number in 0..MESSAGES {
        stream.write_all(&frame(BINARY, &message(7, number))).expect("sent");
        assert!(read_frame(&mut stream) == (BINARY, message(7, number)), "echo {number}");
    }
}

#[test]
fn short_reads_and_writes_and_storms_of_eagain_lose_nothing() {
    for seed in 1..=6_u64 {
        let own_messages = if seed % 2 == 0 { OwnMessages::Skip } else { OwnMessages::Deliver };
        let plan = |number: u64| Plan {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number << 7),
            ..Plan::default()
        };
        let server = Running::start(own_messages, (0..6).map(plan).collect());
        let [one, other, third, fourth] = [(); 4].map(|()| server.open("/"));
        let echoing = server.open("/echo");
        let mut page = server.connect();
        let hears_itself = own_messages == OwnMessages::Deliver;
        thread::scope(|scope| {
            scope.spawn(|| send_and_hear(one, 0, hears_itself));
            scope.spawn(|| send_and_hear(other, 1, hears_itself));
            scope.spawn(|| hear(third));
            scope.spawn(|| hear(fourth));
            scope.spawn(|| echo(echoing));
            page.write_all(b"GET /websocket.html HTTP/1.0\r\n\r\n").expect("sent");
            let got = read_to_any_end(&mut page);
            assert!(
                got.starts_with(b"HTTP/1.1 200") && got.ends_with(b"</html>\n"),
                "seed {seed}: the page is whole"
            );
        });
        drop(page);
        server.assert_serves(0);
    }
}

/// All that a client does that is reset: a handshake, a ping, a message, and a Close.
fn short_life(number: usize) -> Vec<u8> {
    let close = frame(8, &1000_u16.to_be_bytes());
    let said = format!("message {number:04}");
    [format!("GET / {HANDSHAKE}").as_bytes(), &frame(PING, b"?"), &frame(TEXT, said.as_bytes()), &close]
        .concat()
}

#[test]
fn reset_at_every_byte_it_is_told_a_client_has_the_beginning_of_its_stream() {
    let truth = {
        let server = Running::start(OwnMessages::Deliver, Vec::new());
        let mut client = server.connect();
        client.write_all(&short_life(0)).expect("sent");
        read_to_any_end(&mut client)
    };
    assert!(truth.len() > 140, "{}", truth.escape_ascii());
    let reset_at = |n| Plan { reset_at_written: Some(n), ..Plan::default() };
    let witness = Plan::default();
    let plans = [witness].into_iter().chain((0..=truth.len()).map(reset_at)).collect();
    let server = Running::start(OwnMessages::Deliver, plans);
    let mut witness = server.open("/");
    for n in 0..=truth.len() {
        let mut client = server.connect();
        client.write_all(&short_life(0)).expect("sent");
        let got = read_to_any_end(&mut client);
        assert!(got.len() <= n && truth.starts_with(&got), "after {n}: {}", got.escape_ascii());
        drop(client);
        assert_eq!(read_frame(&mut witness), (TEXT, b"message 0000".to_vec()), "after {n}");
    }
    server.assert_serves(1);
}

/// A read or a write may hear of it first: it is the client that has ended it.
#[test]
fn a_reset_comes_from_the_client() {
    let reset = Plan { reset_at_written: Some(129), ..Plan::default() };
    let server = Running::start(OwnMessages::Deliver, vec![Plan::default(), reset]);
    let mut viewer = server.open("/inspect?trace=0123456789abcdef");
    let mut client = server.open("/echo?trace=0123456789abcdef");
    client.write_all(&frame(TEXT, b"said")).expect("sent");
    let mut records = std::iter::repeat_with(|| String::from_utf8(read_frame(&mut viewer).1).expect("text"));
    let end = records.find(|record| record.contains("\"close\""));
    assert!(end.as_ref().is_some_and(|end| end.contains("\"dir\":\"in\"")), "{end:?}");
}

#[test]
fn reset_at_every_byte_it_says_a_client_is_heard_as_far_as_its_messages_are_whole() {
    let heard_from = short_life(0).len() - frame(8, &[0; 2]).len();
    let length = short_life(0).len();
    let reset_at = |n| Plan { reset_at_read: Some(n), ..Plan::default() };
    let plans = [Plan::default()].into_iter().chain((0..=length).map(reset_at)).collect();
    let server = Running::start(OwnMessages::Deliver, plans);
    let mut witness = server.open("/");
    for n in 0..=length {
        let mut client = server.connect();
        client.write_all(&short_life(n)).expect("sent");
        read_to_any_end(&mut client);
    }
    for n in heard_from..=length {
        assert_eq!(read_frame(&mut witness), (TEXT, format!("message {n:04}").into_bytes()));
    }
    witness.write_all(&frame(TEXT, b"and nothing else")).expect("sent");
    assert_eq!(read_frame(&mut witness), (TEXT, b"and nothing else".to_vec()));
    server.assert_serves(1);
}
