//! What docs/CONFORMANCE.md names and no other test here holds: mostly that nothing more happens.

use crate::pages::{assert_is_page, get};
use crate::peer::{ACCEPT, BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, handshake, header};
use crate::support::Server;
use std::time::{Duration, Instant};

/// Every value that the first byte of a client can have, with nothing in the frame (§5.2, §5.4, §5.5).
#[test]
fn every_first_byte_is_taken_or_refused() {
    let server = Server::start(&[]);
    let ping = Frame::new(PING, "on it goes").masked();
    for first in 0..=u8::MAX {
        let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let may_begin = match opcode {
            TEXT | BINARY => true,
            CLOSE | PING | PONG => fin,
            _ => false,
        };
        let mut peer = server.websocket("/echo");
        peer.send([&[first, 0x80, 0, 0, 0, 0], &ping[..]].concat());
        let answer = peer.frame();
        let name = format!("{first:08b}: {answer:?}");
        match (reserved == 0 && may_begin, opcode) {
            (false, _) => assert_eq!(answer, Frame::close(1002, ""), "{name}"),
            (true, CLOSE) => assert_eq!(answer, Frame::new(CLOSE, ""), "{name}"),
            (true, TEXT | BINARY) if fin => assert_eq!(answer, Frame::new(opcode, ""), "{name}"),
            (true, PING) => assert_eq!(answer, Frame::new(PONG, ""), "{name}"),
            (true, _) => assert_eq!(answer, Frame::new(PONG, "on it goes"), "{name}"),
        }
        if answer.opcode == CLOSE {
            peer.expect_end();
        }
    }
}

/// §5.2: the fewest bytes a length can have, on both sides of where its forms meet.
#[test]
fn the_server_writes_lengths_in_their_shortest_form() {
    let server = Server::start(&[]);
    let mut peer = server.websocket("/");
    let rows: [(usize, &[u8]); 6] = [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (255, b"\x82\x7e\x00\xff"),
        (65_535, b"\x82\x7e\xff\xff"),
        (65_536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
    ];
    for (length, head) in rows {
        peer.send(Frame::new(BINARY, vec![7; length]).masked());
        assert_eq!(peer.take(head.len()), head, "{length}");
        assert_eq!(peer.take(length), vec![7; length], "{length}");
    }
}

/// §7.1.7: who broke the protocol is not heard any more. Neither is its Close: one has been sent.
#[test]
fn nothing_behind_a_violation_is_processed() {
    let server = Server::start(&[]);
    let behind = [Frame::text("behind it"), Frame::new(PING, "?"), Frame::close(1000, "")];
    let behind: Vec<u8> = behind.iter().flat_map(Frame::masked).collect();
    let mut witness = server.websocket("/");
    for (name, wrong, code) in [
        ("a reserved opcode", &b"\x83\x80\0\0\0\0"[..], 1002),
        ("no masking key", b"\x81\x00", 1002),
        ("no UTF-8", b"\x81\x81\0\0\0\0\xff", 1007),
        ("no UTF-8 in a reason", b"\x88\x83\0\0\0\0\x03\xe8\xff", 1007),
    ] {
        let mut peer = server.websocket("/");
        peer.send([wrong, &behind].concat());
        assert_eq!(peer.frame(), Frame::close(code, ""), "{name}");
        // Sent apart as well, so that no read has both.
        peer.send(&behind);
        peer.expect_end();
        witness.send(Frame::text(name).masked());
        assert_eq!(witness.frame(), Frame::text(name));
    }
}

/// §5.4, §5.5: a Close may come between fragments like any control frame; the message is never whole.
#[test]
fn a_close_between_fragments_is_answered_and_the_message_dropped() {
    let server = Server::start(&[]);
    let mut witness = server.websocket("/");
    for fragments in [&[Frame::begun(TEXT, "half")][..], &[Frame::begun(BINARY, "a"), Frame::begun(0, "b")]] {
        let mut peer = server.websocket("/");
        let last = [Frame::close(1000, "bye"), Frame::new(CONTINUATION, "the rest")];
        peer.send(fragments.iter().chain(&last).flat_map(Frame::masked).collect::<Vec<_>>());
        assert_eq!(peer.frame(), Frame::close(1000, "bye"));
        peer.expect_end();
    }
    witness.send(Frame::text("heard nothing").masked());
    assert_eq!(witness.frame(), Frame::text("heard nothing"));
}

/// §7.1.1, §5.5.1: a client that has closed its side behind its Close is still answered.
#[test]
fn a_close_with_a_fin_behind_it_is_answered() {
    let server = Server::start(&[]);
    for code in [1000, 4999] {
        let mut peer = server.websocket("/");
        peer.send(Frame::close(code, "").masked());
        peer.send_end();
        assert_eq!(peer.frame(), Frame::close(code, ""));
        peer.expect_end();
    }
}

/// §5.5.1, §7.1.1: the FIN comes behind the Close, not when the server has waited for the client's.
#[test]
fn the_server_ends_tcp_at_once() {
    let server = Server::start(&[]);
    let begun = Instant::now();
    for _ in 0..5 {
        let mut peer = server.websocket("/");
        peer.send(Frame::close(1000, "").masked());
        assert_eq!(peer.frame(), Frame::close(1000, ""));
        peer.expect_end();
    }
    // Each of them would be waited for two seconds.
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
}

/// §5.5.1: both at once. Neither answers the other's.
#[cfg(unix)]
#[test]
fn closes_that_cross_are_one_each() {
    let server = Server::start(&["--drain", "5s"]);
    let mut peer = server.websocket("/");
    server.signal("TERM");
    assert_eq!(peer.frame(), Frame::close(1001, ""));
    peer.send(Frame::close(1000, "mine").masked()); // as one that had not seen the server's would
    peer.expect_end();
}

/// §4.4; RFC 9110 §15.5.22 wants the Upgrade, and §7.8 its mention in Connection.
#[test]
fn another_version_is_told_which_there_is() {
    let server = Server::start(&[]);
    let request = handshake("/", "").replace("Version: 13", "Version: 8");
    let response = server.connect().ask(request);
    assert_eq!((response.status, response.header("upgrade")), (426, Some("websocket")));
    assert_eq!(response.header("sec-websocket-version"), Some("13"));
    let named = response.headers.iter().any(|(name, value)| name == "Connection" && value == "Upgrade");
    assert!(named && response.closes(), "{:?}", response.headers);
}

/// §4.2.1, §8.1: bytes that are no UTF-8, where text has a meaning.
#[test]
fn a_handshake_that_is_no_text_is_refused() {
    let server = Server::start(&[]);
    let rows = [
        ("GET / ", "GET /@ ", 400),
        ("Host: localhost", "Host: @", 400),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: @\r\n\r\n", 400),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: @\r\n\r\n", 400),
        ("\r\n\r\n", "\r\nOrigin: @\r\n\r\n", 403),
    ];
    for (right, wrong, status) in rows {
        let request = handshake("/", "").replacen(right, wrong, 1).into_bytes();
        let request: Vec<_> =
            request.into_iter().map(|byte| if byte == b'@' { 0xff } else { byte }).collect();
        let mut peer = server.connect();
        assert_eq!(peer.ask(request).status, status, "{wrong}");
        peer.expect_end();
    }
}

/// §4.2.1: what is not known is passed over, and what is only offered need not be taken.
#[test]
fn what_a_handshake_has_beside_changes_nothing() {
    let server = Server::start(&[]);
    let rows = [
        "Cookie: a=b\r\nAuthorization: Basic eDp5\r\nUser-Agent: \u{e9}\r\n",
        "Sec-WebSocket-Unheard-Of: x\r\nSec-WebSocket-Accept: x\r\n",
        "Content-Length: 0\r\n",
        "Sec-WebSocket-Protocol: a, a\r\n",
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame; client_max_window_bits, x; y=\"z\"\r\n",
    ];
    for more in rows {
        let mut peer = server.connect();
        let response = peer.ask(handshake("/", more));
        let names: Vec<_> = response.headers.iter().map(|(name, _)| &**name).collect();
        assert_eq!((response.status, response.header("sec-websocket-accept")), (101, Some(ACCEPT)), "{more}");
        assert_eq!(names, ["Upgrade", "Connection", "Sec-WebSocket-Accept"], "{more}");
        // RSV1 was not agreed on, whatever was offered.
        peer.send(b"\xc1\x80\0\0\0\0");
        assert_eq!(peer.frame(), Frame::close(1002, ""), "{more}");
    }
}

/// RFC 9112 §2.2, §5, §6: where the next request begins is not certain, so there is none.
#[test]
fn behind_what_could_be_read_in_two_ways_nothing_is_answered() {
    let server = Server::start(&[]);
    let rows = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X: 1\r\n Content-Length: 5\r\n",
        "X: 1\nContent-Length: 5\r\n",
        "X: 1\rContent-Length: 5\r\n",
        "X\r\n",
        ": 5\r\n",
    ];
    for wrong in rows {
        for version in ["1.1", "1.0"] {
            let mut peer = server.connect();
            let head =
                format!("GET / HTTP/{version}\r\nHost: localhost\r\nConnection: keep-alive\r\n{wrong}\r\n");
            let response = peer.ask(format!("{head}0\r\n\r\n{}", get("/")));
            assert_eq!((response.status, response.closes()), (400, true), "{wrong:?}, {version}");
            peer.expect_end();
        }
    }
    server.assert_serves();
}

/// RFC 9112 §3: at least that.
#[test]
fn a_request_line_of_8000_bytes_is_taken() {
    let server = Server::start(&[]);
    let target = |path: &str| format!("{path}?{}", "x".repeat(8000 - path.len() - "GET ? HTTP/1.1".len()));
    assert_is_page(&server.connect().ask(get(&target("/style.css"))), "style.css");
    assert_eq!(server.connect().ask(handshake(&target("/chat"), "")).status, 101);
}

/// §10.4, §5.4: a stream of small fragments counts as the message it is.
#[test]
fn small_fragments_add_up() {
    let server = Server::start(&["--max-message", "1k"]);
    let mut peer = server.websocket("/");
    let fragment = Frame { fin: false, opcode: CONTINUATION, payload: vec![7] }.masked();
    peer.send([Frame::begun(BINARY, "").masked(), fragment.repeat(1024)].concat());
    peer.send(Frame::new(PING, "not yet").masked());
    assert_eq!(peer.frame(), Frame::new(PONG, "not yet"));
    peer.send(header(false, CONTINUATION, 1));
    assert_eq!(peer.frame(), Frame::close(1009, ""));
    peer.expect_end();
}
