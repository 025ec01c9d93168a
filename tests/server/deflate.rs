//! permessage-deflate on the wire (RFC 7692): who gets what, and what comes of what is wrong.

use crate::peer::{BINARY, CONTINUATION, DEFLATE, Frame, PING, PONG, Peer, TEXT, handshake, header};
use crate::support::Server;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// RSV1: the message is compressed (§6).
const RSV1: u8 = 0x40;

const SMALL_WINDOW: &str = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n";

/// As §7.2.1 wants it, without context.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut into = Vec::with_capacity(payload.len() + 100);
    let mut stream = Compress::new(Compression::best(), false);
    stream.compress_vec(payload, &mut into, FlushCompress::Sync).expect("it can be deflated");
    assert!(into.len() < into.capacity() && into.ends_with(&[0, 0, 0xff, 0xff]));
    into.truncate(into.len() - 4);
    into
}

/// §7.2.2, by one that looks back so far at most.
fn inflated(payload: &[u8], window_bits: u8) -> Vec<u8> {
    let mut into = Vec::with_capacity(4 << 20);
    let mut stream = Decompress::new_with_window_bits(false, window_bits);
    let all = [payload, &[0, 0, 0xff, 0xff]].concat();
    stream.decompress_vec(&all, &mut into, FlushDecompress::Sync).expect("it can be inflated");
    into
}

/// A client's frame with RSV1.
fn compressed(fin: bool, opcode: u8, payload: Vec<u8>) -> Vec<u8> {
    let mut wire = Frame { fin, ..Frame::new(opcode, payload) }.masked();
    wire[0] |= RSV1;
    wire
}

fn message(opcode: u8, payload: &[u8]) -> Vec<u8> {
    compressed(true, opcode, deflated(payload))
}

/// The next message, which must be compressed.
#[track_caller]
fn next_compressed(peer: &mut Peer, window_bits: u8) -> Frame {
    let (bits, frame) = peer.try_frame_with_bits().expect("a frame comes");
    assert_eq!(bits, RSV1, "compressed, {frame:?}");
    Frame { payload: inflated(&frame.payload, window_bits), ..frame }
}

/// Something that compresses.
fn json(bytes: usize) -> String {
    let rows =
        (0..bytes / 40 + 1).map(|row| format!("{{\"row\":{row},\"temperature\":21.5,\"unit\":\"C\"}},"));
    let mut text = rows.collect::<String>();
    text.truncate(bytes);
    text
}

#[test]
fn what_is_agreed_on() {
    let server = Server::start(&[]);
    let base = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let small = format!("{base}; server_max_window_bits=9");
    let rows = [
        ("permessage-deflate", Some(base)),
        ("permessage-deflate; client_max_window_bits", Some(base)),
        ("x-unheard-of, permessage-deflate; server_max_window_bits=12", Some(&small)),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", Some(base)),
        ("permessage-deflate; mode=fast", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
    ];
    for (offer, want) in rows {
        let request = handshake("/", &format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        let response = server.connect().ask(request);
        assert_eq!((response.status, response.header("sec-websocket-extensions")), (101, want), "{offer}");
    }
    let malformed = handshake("/", "Sec-WebSocket-Extensions: permessage-deflate; =\r\n");
    assert_eq!(server.connect().ask(malformed).status, 400);
}

/// One message to those who took the offer, those who want a small window, and those who made none.
#[test]
fn everybody_gets_it_as_agreed() {
    let server = Server::start(&[]);
    let mut plain = server.websocket("/");
    let mut deflate = server.websocket_with("/", DEFLATE);
    let mut small = server.websocket_with("/", SMALL_WINDOW);
    for (opcode, text) in [(TEXT, json(2_000)), (BINARY, json(100_000)), (TEXT, json(300))] {
        for sender in 0..3 {
            let wire = match sender {
                0 => Frame::new(opcode, text.as_str()).masked(),
                _ => message(opcode, text.as_bytes()),
            };
            [&mut plain, &mut deflate, &mut small][sender].send(wire);
            let want = Frame::new(opcode, text.as_str());
            plain.expect(std::slice::from_ref(&want));
            assert_eq!(next_compressed(&mut deflate, 15), want, "of {sender}");
            assert_eq!(next_compressed(&mut small, 9), want, "of {sender}, and looks back 512 bytes at most");
        }
    }
}

#[test]
fn what_is_short_or_has_no_pattern_goes_as_it_is() {
    let server = Server::start(&[]);
    let mut peer = server.websocket_with("/", DEFLATE);
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5_000)
    .collect();
    for frame in [Frame::text("Hello"), Frame::new(BINARY, noise), Frame::text("")] {
        peer.send(frame.masked());
        peer.expect(&[frame]);
    }
}

/// §7.2.3.1: the frames of a message may be cut anywhere, and control frames come between them.
#[test]
fn a_message_in_fragments() {
    let server = Server::start(&[]);
    let mut peer = server.websocket_with("/echo", DEFLATE);
    let text = json(5_000);
    let payload = deflated(text.as_bytes());
    let (first, rest) = payload.split_at(7);
    peer.send_byte_by_byte(compressed(false, TEXT, first.to_vec()));
    peer.send(Frame::new(PING, "in between").masked());
    let last = rest.chunks(100).count() - 1;
    for (number, piece) in rest.chunks(100).enumerate() {
        peer.send(Frame { fin: number == last, ..Frame::new(CONTINUATION, piece) }.masked());
    }
    assert_eq!(peer.frame(), Frame::new(PONG, "in between"));
    assert_eq!(next_compressed(&mut peer, 15), Frame::text(&text), "an echo is compressed as well");
}

#[test]
fn what_is_wrong_with_a_compressed_message_is_told_by_its_close_code() {
    let server = Server::start(&["--max-message", "10k"]);
    let rows: [(&str, Vec<u8>, u16); 6] = [
        ("no deflated data", compressed(true, BINARY, vec![0x06]), 1007),
        ("text that is not UTF-8", message(TEXT, b"a\xff"), 1007),
        ("a bomb", message(BINARY, &vec![0; 100_000]), 1009),
        ("a length that is too long", [&[0xc2][..], &header(true, BINARY, 1 << 20)[1..]].concat(), 1009),
        ("a compressed ping", compressed(true, PING, Vec::new()), 1002),
        (
            "RSV2",
            {
                let mut wire = message(TEXT, b"a");
                wire[0] |= 0x20;
                wire
            },
            1002,
        ),
    ];
    for (name, wire, code) in rows {
        let mut peer = server.websocket_with("/", DEFLATE);
        peer.send(wire);
        assert_eq!(peer.frame(), Frame::close(code, ""), "{name}");
        peer.send(Frame::close(code, "").masked());
        peer.expect_end();
    }
    // The longest there may be, as long as it can become.
    let mut peer = server.websocket_with("/", DEFLATE);
    let longest = json(10 << 10);
    peer.send(message(TEXT, longest.as_bytes()));
    assert_eq!(next_compressed(&mut peer, 15), Frame::text(&longest));
    server.assert_serves();
}

#[test]
fn without_it_nothing_is_agreed_on() {
    let server = Server::start(&["--no-deflate"]);
    let mut peer = server.connect();
    let response = peer.ask(handshake("/", DEFLATE));
    assert_eq!((response.status, response.header("sec-websocket-extensions")), (101, None));
    peer.send(message(TEXT, b"Hello"));
    assert_eq!(peer.frame(), Frame::close(1002, ""));
}

/// Thousands of bombs in one read: they wait for their turns, and others have theirs.
#[test]
fn many_bombs_in_one_read_leave_room_for_others() {
    let server = Server::start(&[]);
    let bomb = message(BINARY, &vec![0; 1 << 20]);
    let mut attacker = server.websocket_with("/echo", DEFLATE);
    let mut others = server.websocket("/");
    for _ in 0..4 {
        attacker.send(bomb.repeat(15));
        others.send(Frame::text("meanwhile").masked());
        others.expect(&[Frame::text("meanwhile")]);
        assert_eq!(server.connect().ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    }
    attacker.send(Frame::close(1000, "").masked());
    for _ in 0..60 {
        let frame = next_compressed(&mut attacker, 15);
        assert_eq!(frame.payload.len(), 1 << 20, "each comes back");
    }
    assert_eq!(
        attacker.frame(),
        Frame::close(1000, ""),
        "what waited has lost nothing, and its order neither"
    );
    attacker.expect_end();
}

/// A client that is being closed is not listened to any more, and its bombs wait for their turns all the same.
#[cfg(unix)]
#[test]
fn bombs_behind_a_close_leave_room_for_others() {
    let server = Server::start(&["--drain", "3s"]);
    let bomb = message(BINARY, &vec![0; 1 << 20]);
    let mut attackers: Vec<_> = (0..40).map(|_| server.websocket_with("/echo", DEFLATE)).collect();
    server.signal("TERM");
    for attacker in &mut attackers {
        assert_eq!(attacker.frame(), Frame::close(1001, ""));
        attacker.send(bomb.repeat(20));
        attacker.send(Frame::close(1001, "").masked());
    }
    attackers.iter_mut().for_each(Peer::expect_end);
}

#[test]
fn nobody_gets_its_own_back() {
    let server = Server::start(&["--no-self"]);
    let mut plain = server.websocket("/");
    let mut deflate = server.websocket_with("/", DEFLATE);
    let mut other = server.websocket_with("/", DEFLATE);
    plain.send(Frame::text("of plain").masked());
    assert_eq!([deflate.frame(), other.frame()], [(); 2].map(|()| Frame::text("of plain")));
    deflate.send(message(TEXT, json(500).as_bytes()));
    assert_eq!(plain.frame(), Frame::text(&json(500)));
    assert_eq!(next_compressed(&mut other, 15), Frame::text(&json(500)));
    deflate.send(Frame::new(PING, "").masked());
    assert_eq!(deflate.frame(), Frame::new(PONG, ""), "and nothing before it");
}

/// Pongs and broadcasts come in the order in which they were made, in every format.
#[test]
fn order_is_kept() {
    let server = Server::start(&[]);
    let mut peer = server.websocket_with("/", DEFLATE);
    let text = json(1_000);
    let mut wire = Vec::new();
    for number in 0..50 {
        wire.extend(message(TEXT, text.as_bytes()));
        wire.extend(Frame::new(PING, number.to_string()).masked());
    }
    peer.send(wire);
    for number in 0..50 {
        assert_eq!(next_compressed(&mut peer, 15), Frame::text(&text));
        assert_eq!(peer.frame(), Frame::new(PONG, number.to_string()));
    }
}
