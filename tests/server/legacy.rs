//! The older draft on the wire (draft-hixie-thewebsocketprotocol-76), beside RFC 6455.

use crate::peer::{BINARY, Frame, PING, Peer, handshake};
use crate::support::Server;

/// The example of §1.2, and its third key.
const HANDSHAKE: &str = "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nSec-WebSocket-Protocol: sample\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n^n:ds[4U";
const ANSWER: &[u8] = b"8jKS'y:G*Co,Wxa-";

/// A handshake as a page of this server makes it.
fn of_this_server(path: &str) -> String {
    HANDSHAKE
        .replace("/demo", path)
        .replace("example.com", "localhost")
        .replace("Sec-WebSocket-Protocol: sample\r\n", "")
}

/// A client of the draft, whose handshake is done.
#[track_caller]
fn old_client(server: &Server, path: &str) -> Peer {
    let mut peer = server.connect();
    assert_eq!(peer.ask(of_this_server(path)).status, 101);
    assert_eq!(peer.take(16), ANSWER);
    peer
}

fn text(text: &str) -> Vec<u8> {
    [b"\x00", text.as_bytes(), b"\xff"].concat()
}

/// Asserts that exactly these bytes come.
#[track_caller]
fn expect(peer: &mut Peer, bytes: &[u8]) {
    assert_eq!(peer.take(bytes.len()).escape_ascii().to_string(), bytes.escape_ascii().to_string());
}

#[test]
fn the_example_of_the_draft() {
    let server = Server::start(&["--legacy", "--protocol", "sample", "--origin", "example.com"]);
    let want = [
        b"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Origin: http://example.com\r\nSec-WebSocket-Location: ws://example.com/demo\r\n\
          Sec-WebSocket-Protocol: sample\r\n\r\n",
        ANSWER,
    ]
    .concat();
    let mut whole = server.connect();
    whole.send(HANDSHAKE);
    expect(&mut whole, &want);
    let mut cut = server.connect();
    cut.send_byte_by_byte(HANDSHAKE);
    expect(&mut cut, &want);
    // What it says at once comes behind its third key.
    let mut hasty = server.connect();
    hasty.send([HANDSHAKE.as_bytes(), &text("at once")].concat());
    expect(&mut hasty, &want);
    for peer in [&mut whole, &mut cut, &mut hasty] {
        expect(peer, &text("at once"));
    }
}

#[test]
fn without_the_option_its_client_is_told_the_version() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let response = peer.ask(of_this_server("/"));
    let body = String::from_utf8_lossy(&response.body).into_owned();
    assert_eq!(response.status, 400);
    assert!(body.contains("the WebSocket version is 13"), "{body}");
    peer.expect_end();
}

/// The two headers of the draft, exactly as in the transcript; and neither without the option.
#[test]
fn the_other_handshake_carries_its_headers() {
    for (options, origin, location) in
        [(&["--legacy"][..], Some("null"), Some("ws://example.com/")), (&[], None, None)]
    {
        let response = Server::start(options).connect().ask(handshake("/any", ""));
        assert_eq!(response.status, 101);
        assert_eq!(response.header("sec-websocket-origin"), origin);
        assert_eq!(response.header("sec-websocket-location"), location);
    }
}

#[test]
fn old_and_new_clients_hear_each_other() {
    let server = Server::start(&["--legacy"]);
    let mut old = old_client(&server, "/");
    let mut new = server.websocket("/");
    old.send(text("of the old"));
    assert_eq!(new.frame(), Frame::text("of the old"));
    expect(&mut old, &text("of the old"));
    new.send(Frame::new(BINARY, "nothing for the old").masked());
    new.send(Frame::text("of the new, \u{e9}").masked());
    new.expect(&[Frame::new(BINARY, "nothing for the old"), Frame::text("of the new, \u{e9}")]);
    expect(&mut old, &text("of the new, \u{e9}"));
    // What is not UTF-8 is read as U+FFFD, what is no text not at all.
    old.send(b"\x00a\xc3b\xff\x80\x03abc\x01unknown\xff\x00c\xff");
    new.expect(&[Frame::text("a\u{fffd}b"), Frame::text("c")]);
    expect(&mut old, &[text("a\u{fffd}b"), text("c")].concat());
}

#[test]
fn an_echo_of_the_draft() {
    let server = Server::start(&["--legacy"]);
    let mut echoing = old_client(&server, "/echo");
    let mut other = old_client(&server, "/");
    for said in ["", "one", &"long ".repeat(50_000)] {
        echoing.send(text(said));
        expect(&mut echoing, &text(said));
    }
    other.send(text("nobody else has heard it"));
    expect(&mut other, &text("nobody else has heard it"));
}

#[test]
fn its_closing_handshake() {
    let server = Server::start(&["--legacy", "--max-message", "1k"]);
    let mut leaving = old_client(&server, "/");
    leaving.send([&text("bye")[..], b"\xff\x00", &text("unheard")].concat());
    expect(&mut leaving, &[&text("bye")[..], b"\xff\x00"].concat());
    leaving.expect_end();
    for wrong in [[b"\x00".as_slice(), &[b'a'; 2_000]].concat(), b"\x80\xff\xff\x7f".to_vec()] {
        let mut peer = old_client(&server, "/");
        peer.send(wrong);
        expect(&mut peer, b"\xff\x00");
        peer.expect_end();
    }
    let mut staying = old_client(&server, "/");
    #[cfg(unix)]
    server.signal("TERM");
    #[cfg(not(unix))]
    staying.send(b"\xff\x00");
    expect(&mut staying, b"\xff\x00");
    staying.send(b"\xff\x00");
    staying.expect_end();
}

/// Each row changes one thing of a right handshake.
#[test]
fn what_is_wrong_with_its_handshake_is_told_by_its_status() {
    let server = Server::start(&["--legacy"]);
    let rows = [
        ("Origin: http://localhost", "Origin: http://evil.example", 403),
        ("4 @1  46546xW%0l 1 5", "4@146546xW%0l15", 400),
        ("Upgrade: WebSocket", "Upgrade: h2c", 400),
        ("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n", "", 400),
        ("GET ", "POST ", 400),
        ("Connection: Upgrade", "Connection: close", 400),
    ];
    for (right, wrong, status) in rows {
        let request = of_this_server("/").replacen(right, wrong, 1);
        let mut peer = server.connect();
        assert_eq!(peer.ask(request).status, status, "{wrong:?}");
        peer.expect_end();
    }
    let mut half = server.connect();
    half.send(&of_this_server("/").as_bytes()[..of_this_server("/").len() - 1]);
    server.assert_serves();
    half.send(b"U");
    assert_eq!(half.response().status, 101);
}

/// The draft has no pings: who is silent is not sent one, and not given up either.
#[test]
fn nobody_is_pinged_who_cannot_answer() {
    let server = Server::start(&["--legacy", "--ping", "200ms"]);
    let mut old = old_client(&server, "/");
    let mut new = server.websocket("/");
    for _ in 0..5 {
        let ping = new.frame();
        assert_eq!(ping.opcode, PING);
        new.send(Frame { opcode: crate::peer::PONG, ..ping }.masked());
    }
    old.send(text("still here"));
    expect(&mut old, &text("still here"));
}

/// One that has vanished without a word is found out by the system.
#[cfg(target_os = "linux")]
#[test]
fn who_cannot_be_pinged_is_asked_by_the_system() {
    for (options, want) in [(&["--legacy"][..], true), (&[], false)] {
        let server = Server::start(options);
        let peer = server.websocket("/");
        let [local, remote] = [peer.stream().peer_addr(), peer.stream().local_addr()]
            .map(|address| format!(":{:04X}", address.expect("it is connected").port()));
        // Local and remote address are the columns 1 and 2; the timer is 5, and 02 is that of signs of life.
        let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
        let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|columns| {
            columns.len() > 5 && columns[1].ends_with(&local) && columns[2].ends_with(&remote)
        });
        let has_timer = row.expect("it is there")[5].starts_with("02:");
        assert_eq!(has_timer, want, "{options:?}");
    }
}
