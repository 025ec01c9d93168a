//! The closing handshake (RFC 6455 §7), and the close code that each misdeed earns (§7.4.1).

use crate::peer::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, header};
use crate::support::{DEADLINE, Server};

/// The server's Close for a client's misdeed: the code alone counts.
#[track_caller]
fn assert_closes_with(server: &Server, name: &str, wire: &[u8], code: u16) {
    let mut peer = server.websocket("/");
    peer.send(wire);
    let close = peer.frame();
    let got = close.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
    assert_eq!((close.opcode, got), (CLOSE, Some(code)), "{name}");
    assert!(std::str::from_utf8(&close.payload[2..]).is_ok(), "{name}: a reason is text");
    peer.expect_end();
}

#[test]
fn a_close_is_answered_with_its_code_and_the_end() {
    let server = Server::start(&[]);
    for path in ["/", "/echo"] {
        for code in [1000, 1001, 1003, 1007, 1008, 1011, 1014, 3000, 3999, 4000, 4999] {
            let mut peer = server.websocket(path);
            peer.send(Frame::close(code, "bye").masked());
            let close = peer.frame();
            assert_eq!(
                (close.opcode, &close.payload[..2]),
                (CLOSE, &code.to_be_bytes()[..]),
                "{path}, {code}"
            );
            peer.expect_end();
        }
    }
}

#[test]
fn an_empty_close_is_answered() {
    let server = Server::start(&[]);
    let mut peer = server.websocket("/");
    peer.send(Frame::new(CLOSE, "").masked());
    let close = peer.frame();
    assert_eq!(close.opcode, CLOSE);
    // Without a code, or with the one that says that all is well.
    assert!([&b""[..], &1000_u16.to_be_bytes()].contains(&&*close.payload), "{close:?}");
    peer.expect_end();
}

#[test]
fn a_wrong_close_is_a_protocol_error() {
    let server = Server::start(&[]);
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] {
        assert_closes_with(&server, &code.to_string(), &Frame::close(code, "").masked(), 1002);
    }
    assert_closes_with(&server, "half a code", &Frame::new(CLOSE, [3]).masked(), 1002);
    let reason = Frame::new(CLOSE, *b"\x03\xe8\xff\xfe");
    assert_closes_with(&server, "a reason that is no text", &reason.masked(), 1007);
}

/// RFC 6455 §5.5.1: the answer to a Close may wait for what is under way, and what was said before it counts.
#[test]
fn what_came_before_a_close_is_still_delivered() {
    let server = Server::start(&[]);
    let (mut leaver, mut other) = (server.websocket("/"), server.websocket("/"));
    let said = ["first", "second", &"third".repeat(20_000)].map(Frame::text);
    let close = Frame::close(1000, "");
    let wire: Vec<u8> = said.iter().chain([&close]).flat_map(Frame::masked).collect();
    leaver.send([&wire[..], &Frame::text("behind the Close").masked()].concat());
    leaver.expect(&said);
    assert_eq!(leaver.frame(), close);
    leaver.expect_end();
    other.expect(&said);
    other.send(Frame::text("and nothing was said behind it").masked());
    assert_eq!(other.frame(), Frame::text("and nothing was said behind it"));
}

/// A client that was closed hears nothing of what is said later.
#[test]
fn nothing_comes_behind_the_servers_close() {
    let server = Server::start(&[]);
    let (mut leaver, mut stayer) = (server.websocket("/"), server.websocket("/"));
    leaver.send(Frame::close(1000, "").masked());
    assert_eq!(leaver.frame(), Frame::close(1000, ""));
    stayer.send(Frame::text("who is left?").masked());
    assert_eq!(stayer.frame(), Frame::text("who is left?"));
    leaver.expect_end();
}

/// A client that goes on sending while it is told to stop: what it sends is read and dropped, or the answer to
/// it would be a reset that overtakes the Close. The server is the first to end the connection (§7.1.1).
#[test]
fn a_close_is_not_lost_because_more_comes() {
    let server = Server::start(&[]);
    let more = [header(true, BINARY, 1 << 20), vec![0; 1 << 20]].concat();
    for (wire, code) in [(Frame::close(1000, "").masked(), 1000), (b"\x83\x80\0\0\0\0".to_vec(), 1002)] {
        let mut peer = server.websocket("/");
        peer.send(wire);
        (0..16).for_each(|_| peer.send(&more));
        assert_eq!(peer.frame(), Frame::close(code, ""));
        peer.expect_end();
    }
}

#[cfg(unix)]
#[test]
fn a_ping_is_answered_until_the_clients_close() {
    let mut server = Server::start(&["--drain", "5s"]);
    let mut peer = server.websocket("/");
    server.signal("TERM");
    assert_eq!(peer.frame(), Frame::close(1001, ""));
    let [ping, pong, close] = [Frame::new(PING, "?"), Frame::new(PONG, "?"), Frame::close(1001, "")];
    peer.send(ping.masked());
    assert_eq!(peer.frame(), pong);
    peer.send([Frame::text("too late").masked(), close.masked(), ping.masked()].concat());
    peer.expect_end();
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

#[test]
fn protocol_errors_are_closed_with_1002() {
    let server = Server::start(&[]);
    let rows: [(&str, &[u8]); 21] = [
        ("RSV1, no extension", b"\xc1\x80\0\0\0\0"),
        ("RSV2", b"\xa1\x80\0\0\0\0"),
        ("RSV3", b"\x91\x80\0\0\0\0"),
        ("RSV1 of a ping", b"\xc9\x80\0\0\0\0"),
        ("opcode 3", b"\x83\x80\0\0\0\0"),
        ("opcode 7", b"\x87\x80\0\0\0\0"),
        ("opcode 11", b"\x8b\x80\0\0\0\0"),
        ("opcode 15", b"\x8f\x80\0\0\0\0"),
        ("unmasked text", b"\x81\x05Hello"),
        ("unmasked and empty", b"\x81\x00"),
        ("an unmasked ping", b"\x89\x00"),
        ("an unmasked Close", b"\x88\x02\x03\xe8"),
        ("a ping in fragments", b"\x09\x80\0\0\0\0"),
        ("a Close in fragments", b"\x08\x82\0\0\0\0\x03\xe8"),
        ("a ping of 126 bytes", b"\x89\xfe\x00\x7e\0\0\0\0"),
        ("a continuation of nothing", b"\x80\x81\0\0\0\0x"),
        ("an unfinished continuation of nothing", b"\x00\x81\0\0\0\0x"),
        ("a message inside another", b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b"),
        ("5 in 16 bits", b"\x81\xfe\x00\x05\0\0\0\0Hello"),
        ("5 in 64 bits", b"\x81\xff\0\0\0\0\0\0\0\x05\0\0\0\0Hello"),
        ("a length with its highest bit", b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"),
    ];
    for (name, wire) in rows {
        assert_closes_with(&server, name, wire, 1002);
    }
    server.assert_serves();
}

/// Each row ends at the first byte that no text can have there; the frames that would follow never come.
#[test]
fn text_that_is_none_is_closed_with_1007_at_its_first_wrong_byte() {
    let server = Server::start(&[]);
    let begun = |opcode, length, bytes: &[u8]| {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let masked = bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [header(true, opcode, length), masked.collect()].concat()
    };
    let whole = |bytes: &[u8]| begun(TEXT, bytes.len() as u64, bytes);
    let first = |bytes: &[u8]| Frame { fin: false, opcode: TEXT, payload: bytes.into() }.masked();
    let rows = [
        ("a lone byte of 0xff", whole(b"\xff")),
        ("an overlong slash", whole(b"a\xc0\xaf")),
        ("half a surrogate pair", whole(b"\xed\xa0\x80")),
        ("above U+10FFFF", whole(b"\xf4\x90\x80\x80")),
        ("a character cut off at the end", whole(b"abc\xc3")),
        ("a long message, its fourth byte", begun(TEXT, 100_000, b"abc\xff")),
        ("a long message, an impossible second byte", begun(TEXT, 100_000, b"abc\xed\xa0")),
        ("a fragment", first(b"abc\xff")),
        ("a character that the next fragment breaks", {
            [first(b"\xe4\xb8"), begun(CONTINUATION, 50, b"x")].concat()
        }),
        ("a character that the last fragment leaves open", {
            [first(b"abc\xe4"), Frame::new(CONTINUATION, [0xb8]).masked()].concat()
        }),
    ];
    for (name, wire) in rows {
        assert_closes_with(&server, name, &wire, 1007);
    }
    let mut peer = server.websocket("/");
    peer.send(
        [first(b"\xe4"), Frame::new(PING, "").masked(), Frame::new(CONTINUATION, *b"\xb8\xad").masked()]
            .concat(),
    );
    assert_eq!(peer.frame().payload, b"");
    assert_eq!(peer.frame(), Frame::text("中"), "a character may be spread over fragments");
}

/// Refused on the word of its header: what is too long is not read first.
#[test]
fn a_message_that_is_too_long_is_closed_with_1009_at_its_header() {
    let server = Server::start(&["--max-message", "1k"]);
    let mut longest = server.websocket("/");
    for (fragments, name) in [(vec![1024], "in one frame"), (vec![1000, 0, 24], "in three")] {
        let last = fragments.len() - 1;
        for (at, length) in fragments.into_iter().enumerate() {
            let opcode = if at == 0 { BINARY } else { CONTINUATION };
            longest.send(Frame { fin: at == last, opcode, payload: vec![7; length] }.masked());
        }
        assert_eq!(longest.frame(), Frame::new(BINARY, [7; 1024]), "{name}");
    }
    let begun = Frame { fin: false, opcode: TEXT, payload: vec![b'x'; 1024] }.masked();
    let rows = [
        ("a byte too long", header(true, TEXT, 1025)),
        ("a first fragment", header(false, BINARY, 1025)),
        ("four gigabytes", header(true, BINARY, 1 << 32)),
        ("the longest there is", header(true, BINARY, i64::MAX as u64)),
        ("a second fragment", [begun, header(true, CONTINUATION, 1)].concat()),
    ];
    for (name, wire) in rows {
        assert_closes_with(&server, name, &wire, 1009);
    }
    server.assert_serves();
}

#[test]
fn by_default_a_message_may_have_a_mebibyte() {
    let server = Server::start(&[]);
    assert_closes_with(&server, "a byte more", &header(true, BINARY, (1 << 20) + 1), 1009);
    let mut peer = server.websocket("/echo");
    let longest = Frame::new(BINARY, vec![1; 1 << 20]);
    peer.send(longest.masked());
    assert!(peer.frame() == longest, "a mebibyte is not too long");
}

/// [`Peer::try_frame`](crate::peer::Peer::try_frame) checks the mask bit of everything it reads; here it
/// reads one of each kind.
#[test]
fn the_server_masks_nothing() {
    let server = Server::start(&["--ping", "1s"]);
    let mut peer = server.websocket("/");
    assert_eq!(peer.frame(), Frame::new(PING, ""));
    let said = [Frame::text("short"), Frame::new(BINARY, [1; 200]), Frame::new(BINARY, vec![2; 70_000])];
    said.iter().for_each(|frame| peer.send(frame.masked()));
    peer.expect(&said);
    peer.send(Frame::new(PING, "p").masked());
    assert_eq!(peer.frame().payload, b"p");
    peer.send(Frame::close(1000, "").masked());
    assert_eq!(peer.frame(), Frame::close(1000, ""));
}
