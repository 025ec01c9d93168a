//! The test server, tried by a client that shares no code with it: it misbehaves as it says, and counts that.

use crate::peer::{Corruption, Fault, Peer, Role};
use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::{Error, Message, WebSocket};

/// Deliveries that faults spare.
const SPARED: usize = 20;

type Client = WebSocket<TcpStream>;

#[track_caller]
fn try_open(peer: &Peer) -> Result<Client, String> {
    let stream = TcpStream::connect(peer.address()).expect("the peer listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    let opened = tungstenite::client(peer.url("/a?b"), stream);
    opened.map(|(client, _)| client).map_err(|error| error.to_string())
}

#[track_caller]
fn open(peer: &Peer) -> Client {
    try_open(peer).expect("the handshake succeeds")
}

fn text(number: usize) -> String {
    format!("message {number:04} ..........")
}

fn send(client: &mut Client, count: usize) {
    for number in 0..count {
        client.send(text(number).into()).expect("a message can be sent");
    }
}

/// The next message that is none of the protocol's.
fn read(client: &mut Client) -> Result<Message, Error> {
    loop {
        match client.read()? {
            Message::Ping(_) | Message::Pong(_) => {}
            message @ (Message::Text(_) | Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                return Ok(message);
            }
        }
    }
}

fn read_texts(client: &mut Client, count: usize) -> Vec<String> {
    let text = |_| read(client).expect("a message").into_text().expect("a text").to_string();
    (0..count).map(text).collect()
}

/// Sends messages over one of two connections, and gives what each of them got.
#[track_caller]
fn exchange(peer: &Peer, count: usize, received: [usize; 2]) -> [Vec<String>; 2] {
    let mut clients = [open(peer), open(peer)];
    send(&mut clients[0], count);
    let mut received = received.into_iter();
    clients.each_mut().map(|client| read_texts(client, received.next().expect("there are two")))
}

fn texts(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(text).collect()
}

#[test]
fn roles() {
    let rows = [(Role::Broadcast, [3, 3]), (Role::NoSelf, [0, 3]), (Role::Echo, [3, 0])];
    for (role, received) in rows {
        let peer = Peer::start(role, Fault::None);
        let got = exchange(&peer, 3, received);
        assert_eq!(got, received.map(|count| texts(0..count)), "{role:?}");
        assert_eq!(peer.seen().messages.get(), 3, "{role:?}");
        assert_eq!(peer.seen().delivered.get(), (received[0] + received[1]) as u64, "{role:?}");
        assert_eq!(peer.seen().violations(), Vec::<String>::new(), "{role:?}");
        assert_eq!(peer.seen().keys_repeated.get(), 0, "{role:?}");
        assert_eq!(peer.seen().requests()[0].target, "/a?b", "{role:?}");
    }
}

#[test]
fn each_tenth_is_dropped() {
    let peer = Peer::start(Role::Broadcast, Fault::DropEvery(10));
    let want = texts((0..SPARED + 25).filter(|number| ![29, 39].contains(number)));
    assert_eq!(exchange(&peer, SPARED + 25, [SPARED + 23; 2]), [want.clone(), want]);
    assert_eq!(peer.seen().dropped.get(), 4);
}

#[test]
fn each_tenth_comes_twice() {
    let peer = Peer::start(Role::NoSelf, Fault::DuplicateEvery(10));
    let want = texts((0..SPARED + 15).flat_map(|number| vec![number; if number == 29 { 2 } else { 1 }]));
    assert_eq!(exchange(&peer, SPARED + 15, [0, SPARED + 16]), [vec![], want]);
    assert_eq!(peer.seen().duplicated.get(), 1);
}

#[test]
fn each_tenth_comes_behind_its_neighbour() {
    let peer = Peer::start(Role::Broadcast, Fault::ReorderEvery(10));
    // The last one has no neighbour; it comes in the end.
    let want = texts((0..29).chain([30, 29]).chain(31..40));
    let got = exchange(&peer, SPARED + 20, [SPARED + 20; 2]);
    assert_eq!(got, [want.clone(), want]);
    assert_eq!(peer.seen().reordered.get(), 2);
}

#[test]
fn each_tenth_is_changed() {
    let rows = [
        (Corruption::Filler, "message 0029 ........./"),
        (Corruption::ByteAt(0), "lessage 0029 .........."),
        (Corruption::EachByteInTurn, "lessage 0029 .........."),
        (Corruption::Truncated, "message 0029 "),
    ];
    for (corruption, want) in rows {
        let peer = Peer::start(Role::Echo, Fault::CorruptEvery(10, corruption));
        let [got, _] = exchange(&peer, SPARED + 11, [SPARED + 11, 0]);
        assert_eq!(got[29], want, "{corruption:?}");
        assert_eq!([&got[..29], &got[30..]].concat(), texts((0..29).chain([30])), "{corruption:?}");
        assert_eq!(peer.seen().corrupted.get(), 1, "{corruption:?}");
    }
}

#[test]
fn what_only_looks_odd_is_the_same_message() {
    for fault in [Fault::Fragmented, Fault::PingFlood, Fault::OneByteWrites] {
        let peer = Peer::start(Role::Broadcast, fault);
        assert_eq!(exchange(&peer, SPARED + 5, [SPARED + 5; 2]), [texts(0..25), texts(0..25)], "{fault:?}");
    }
}

#[test]
fn other_contents() {
    let peer = Peer::start(Role::Echo, Fault::Wrap);
    let mut client = open(&peer);
    client.send(r#"a "quote""#.into()).expect("a message can be sent");
    assert_eq!(read_texts(&mut client, 1), [r#"{"from":7,"text":"a \"quote\""}"#]);

    let peer = Peer::start(Role::Echo, Fault::TextAsBinary);
    let mut client = open(&peer);
    client.send("text".into()).expect("a message can be sent");
    assert_eq!(read(&mut client).expect("a message"), Message::binary("text"));

    let peer = Peer::start(Role::Echo, Fault::Greeting);
    let mut client = open(&peer);
    assert_eq!(read_texts(&mut client, 2), ["", "hello"]);
}

#[test]
fn frames_that_break_the_protocol() {
    for fault in [Fault::MaskedFrames, Fault::ReservedOpcode, Fault::ReservedBit] {
        let peer = Peer::start(Role::Echo, fault);
        let mut client = open(&peer);
        send(&mut client, SPARED + 1);
        assert_eq!(read_texts(&mut client, SPARED), texts(0..SPARED), "{fault:?}");
        let error = read(&mut client).expect_err("what follows is wrong");
        assert!(matches!(error, Error::Protocol(_)), "{fault:?}: {error}");
    }
}

#[test]
fn one_of_two_is_ended() {
    for fault in [Fault::CloseOneIn(2, 1013), Fault::HangUpOneIn(2), Fault::ResetOneIn(2)] {
        let peer = Peer::start(Role::Broadcast, fault);
        let mut clients = [open(&peer), open(&peer)];
        send(&mut clients[0], 60);
        assert_eq!(read_texts(&mut clients[0], 60), texts(0..60), "{fault:?}");
        let end = loop {
            match read(&mut clients[1]) {
                Ok(Message::Text(_)) => {}
                end => break end,
            }
        };
        match (fault, end) {
            (Fault::CloseOneIn(..), Ok(Message::Close(Some(frame)))) => {
                assert_eq!(u16::from(frame.code), 1013);
            }
            (Fault::ResetOneIn(_), Err(Error::Io(error))) => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            }
            (Fault::HangUpOneIn(_), Err(Error::Protocol(_))) => {}
            (_, end) => panic!("{fault:?}: {end:?}"),
        }
        assert_eq!(peer.seen().ended.get(), 1, "{fault:?}");
    }
}

#[test]
fn handshakes() {
    let rows = [
        (Fault::RefuseBeyond(0, 503), "HTTP error: 503 Service Unavailable"),
        (Fault::Redirect, "HTTP error: 302 Found"),
        (Fault::WrongAccept, "Key mismatch"),
        (Fault::NotHttp, "invalid HTTP version"),
        (Fault::UnofferedProtocol, "subprotocol"),
        (Fault::HugeHead, ""),
    ];
    for (fault, want) in rows {
        let error = try_open(&Peer::start(Role::Echo, fault)).expect_err("no handshake");
        assert!(error.contains(want), "{fault:?}: {error}");
    }
    let peer = Peer::start(Role::Echo, Fault::RefuseBeyond(1, 403));
    let _first = open(&peer);
    assert!(try_open(&peer).is_err(), "the second is refused");
    assert_eq!((peer.seen().opened.get(), peer.seen().refused.get()), (1, 1));
}

#[test]
fn it_stands_still_once_a_period() {
    let (every, for_) = (Duration::from_millis(200), Duration::from_millis(50));
    let peer = Peer::start(Role::Echo, Fault::Stall { every, for_ });
    let mut client = open(&peer);
    let began = Instant::now();
    let mut slow = Vec::new();
    while began.elapsed() < 3 * every {
        let sent = Instant::now();
        client.send("how long?".into()).expect("a message can be sent");
        read(&mut client).expect("a message");
        if sent.elapsed() > for_ / 2 {
            slow.push(sent.elapsed());
        }
    }
    // A period that is cut by the begin or by the end may show as one more, or as one less.
    assert!((2..=5).contains(&slow.len()), "three periods, and these took longer than most: {slow:?}");
}

#[cfg(unix)]
#[test]
fn on_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("socket");
    let peer = Peer::start_on_unix(&path, Role::Echo);
    let stream = std::os::unix::net::UnixStream::connect(&path).expect("the peer listens");
    let (mut client, _) = tungstenite::client("ws://localhost/", stream).expect("the handshake succeeds");
    client.send("local".into()).expect("a message can be sent");
    assert_eq!(client.read().expect("a message"), "local".into());
    assert!(peer.seen().sources().is_empty(), "there is no address");
}

#[test]
fn a_bad_client_is_noticed() {
    let peer = Peer::start(Role::Echo, Fault::None);
    let mut stream = TcpStream::connect(peer.address()).expect("the peer listens");
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let unmasked = b"\x81\x05Hello\x88\x00";
    io::Write::write_all(&mut stream, &[head.as_bytes(), key.as_bytes(), unmasked].concat()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer and the end");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the key of RFC 6455 §1.3: {answer}");
    let violations = peer.seen().violations();
    assert_eq!(violations, ["a frame that is not masked", "a frame that is not masked"]);
}
