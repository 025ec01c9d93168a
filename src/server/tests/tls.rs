//! The same with TLS between the loop and the socket that misbehaves: records are cut everywhere, in both directions.

use super::*;
use crate::config::Certificate;
use crate::transport::tls::trusting;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, StreamOwned, SupportedProtocolVersion};

type Secure = StreamOwned<ClientConnection, TcpStream>;

fn secure(server: &Running, version: &'static SupportedProtocolVersion) -> Secure {
    let settings = trusting::settings(version);
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(settings), name).expect("it can begin");
    StreamOwned::new(session, server.connect())
}

fn open(server: &Running, version: &'static SupportedProtocolVersion, path: &str) -> Secure {
    let mut stream = secure(server, version);
    stream.write_all(format!("GET {path} {HANDSHAKE}").as_bytes()).expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it answers");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", head.escape_ascii());
    stream
}

fn read(stream: &mut Secure) -> (u8, Vec<u8>) {
    let mut take = |length: usize| {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).expect("the bytes come");
        bytes
    };
    let head = take(2);
    let length = match head[1] {
        126 => take(2),
        127 => take(8),
        short => vec![short],
    };
    let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    (head[0] & 15, take(length))
}

fn start(plans: Vec<Plan>) -> Running {
    let certificate = Some(Certificate::SelfSigned);
    Running::start_as(Config { certificate, ..Config::default() }, plans)
}

fn plans(seed: u64, count: u64) -> Vec<Plan> {
    let plan = |number: u64| Plan {
        seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number << 9) | 1,
        ..Plan::default()
    };
    (0..count).map(plan).collect()
}

/// One says what three others and itself must hear, while one talks to itself and one takes a page.
#[test]
fn nothing_is_lost_behind_short_reads_and_writes() {
    for seed in 1..=6_u64 {
        let version = if seed % 2 == 0 { &TLS12 } else { &TLS13 };
        let server = start(plans(seed, 6));
        let mut hearers: Vec<_> = (0..4).map(|_| open(&server, version, "/")).collect();
        let mut echoing = open(&server, version, "/echo");
        let mut page = secure(&server, version);
        thread::scope(|scope| {
            scope.spawn(|| {
                page.write_all(b"GET /websocket.html HTTP/1.0\r\n\r\n").expect("sent");
                let mut got = Vec::new();
                page.read_to_end(&mut got).expect("all of it, and close_notify");
                assert!(got.starts_with(b"HTTP/1.1 200") && got.ends_with(b"</html>\n"), "seed {seed}");
            });
            scope.spawn(|| {
                for number in 0..MESSAGES {
                    echoing.write_all(&frame(BINARY, &message(7, number))).expect("sent");
                    assert!(read(&mut echoing) == (BINARY, message(7, number)), "seed {seed}, echo {number}");
                }
            });
            let sender = &mut hearers[0];
            for number in 0..MESSAGES {
                sender.write_all(&frame(BINARY, &message(0, number))).expect("sent");
            }
            for hearer in &mut hearers {
                scope.spawn(move || {
                    let mut next = [0; 2];
                    while next[0] != MESSAGES {
                        let (opcode, payload) = read(hearer);
                        assert_eq!(opcode, BINARY);
                        expect_next(&payload, &mut next);
                    }
                });
            }
        });
    }
}

/// A prime, so that it falls everywhere.
const STEP: usize = 23;

/// Whatever of a handshake and of what follows was said: the others notice nothing, and nobody is left over.
#[test]
fn reset_at_any_byte_nobody_else_notices() {
    let resets = 0..200;
    let plans = |reset: fn(usize) -> Plan| {
        [Plan::default()].into_iter().chain(resets.clone().map(|n| reset(n * STEP))).collect::<Vec<_>>()
    };
    let written: fn(usize) -> Plan = |n| Plan { reset_at_written: Some(n), ..Plan::default() };
    let read_at: fn(usize) -> Plan = |n| Plan { reset_at_read: Some(n), ..Plan::default() };
    for (name, reset) in [("written", written), ("read", read_at)] {
        let server = start(plans(reset));
        let mut witness = open(&server, &TLS13, "/");
        for n in resets.clone() {
            let mut stream = secure(&server, if n % 2 == 0 { &TLS13 } else { &TLS12 });
            let _ = stream.write_all(b"GET /websocket.html HTTP/1.0\r\n\r\n"); // as far as it comes
            let mut got = Vec::new();
            let _ = stream.read_to_end(&mut got);
            assert!(
                got.is_empty() || got.starts_with(b"HTTP/1."),
                "{name} {}: {}",
                n * STEP,
                got.escape_ascii()
            );
        }
        witness.write_all(&frame(TEXT, b"still there")).expect("sent");
        assert_eq!(read(&mut witness), (TEXT, b"still there".to_vec()), "{name}");
        drop(witness);
        let deadline = Instant::now() + PATIENCE;
        while server.metrics.read().connections != 0 {
            assert!(Instant::now() < deadline, "{:?}", server.metrics.read());
            thread::yield_now();
        }
    }
}

#[test]
fn handshakes_and_failures_are_counted() {
    let server = start(Vec::new());
    for version in [&TLS13, &TLS12] {
        open(&server, version, "/");
    }
    let mut garbage = server.connect();
    garbage.write_all(&[0; 100]).expect("sent");
    assert_eq!(read_to_any_end(&mut garbage).first(), Some(&0x15), "an alert");
    let deadline = Instant::now() + PATIENCE;
    while server.metrics.read().connections != 0 {
        assert!(Instant::now() < deadline, "{:?}", server.metrics.read());
        thread::yield_now();
    }
    let metrics = server.metrics.read();
    assert_eq!((metrics.tls_handshakes, metrics.tls_failures), (2, 1));
    assert_eq!(metrics.buffers_bytes, 0, "nothing is kept for those who are gone");
}

/// Many come at once and go no further than to ask for what is costly. Others wait for a few of them, not for all.
#[test]
fn a_storm_of_handshakes_stands_in_nobodys_way() {
    const STORM: usize = 200;
    let server = start(Vec::new());
    let mut client = open(&server, &TLS13, "/echo");
    let mut hello = Vec::new();
    secure(&server, &TLS13).conn.write_tls(&mut hello).expect("to memory");
    // Where this thread does not get to run meanwhile, all are answered before it looks.
    let was_overtaken = (0..5).any(|_| {
        let storm: Vec<_> = (0..STORM)
            .map(|_| {
                let mut stream = server.connect();
                stream.write_all(&hello).expect("sent");
                stream
            })
            .collect();
        client.write_all(&frame(TEXT, b"quick")).expect("sent");
        assert_eq!(read(&mut client), (TEXT, b"quick".to_vec()));
        let is_answered = |stream: &TcpStream| {
            stream.set_nonblocking(true).expect("it can be");
            stream.peek(&mut [0]).is_ok()
        };
        let answered = storm.iter().filter(|stream| is_answered(stream)).count();
        let deadline = Instant::now() + PATIENCE;
        while !storm.iter().all(is_answered) {
            assert!(Instant::now() < deadline, "and in the end everybody is answered");
            thread::yield_now();
        }
        answered < STORM
    });
    assert!(was_overtaken, "all {STORM} came first, each time");
}
