//! What clients say: requests and frames of all kinds, right and wrong, from a few bytes of the input.

use super::super::input::Input;
use fanfare::websocket::codec::Codec;
use fanfare::websocket::extension::Window;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";

/// The next that the client sends.
pub(super) fn say(input: &mut Input<'_>) -> Vec<u8> {
    match input.below(16) {
        0..=2 => handshake(input),
        3 | 4 => request(input),
        5 => {
            let length = input.below(64);
            input.take(length).to_vec()
        }
        6 => long(input),
        7 => close(input),
        8 => chunk(input),
        _ => frame(input),
    }
}

/// Mostly right.
fn handshake(input: &mut Input<'_>) -> Vec<u8> {
    let target = ["/", "/echo", "/chat?x=1", "/echo?", "ws://h/echo"][input.below(5)];
    let more = [
        "Origin: null\r\n",
        "Sec-WebSocket-Protocol: chat\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        "Origin: http://evil.example\r\n",
        "Content-Length: 5\r\n",
        "",
    ][input.below(16).min(5)];
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n{UPGRADE}{KEY}{more}\r\n").into_bytes()
}

fn request(input: &mut Input<'_>) -> Vec<u8> {
    let methods = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "FOO", "GET", "HEAD"];
    let targets =
        ["/", "/long", "/file", "/folder", "/empty", "/none", "*", "/../x", "http://h/", "/%zz", "/listing"];
    let versions = ["1.1", "1.1", "1.1", "1.0", "2.0"];
    let lines = [
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "Expect: 100-continue\r\n",
        "Expect: 200-ok\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 300\r\n",
        "Content-Length: 65536\r\n",
        "Content-Length: 65537\r\n",
        "X: \u{e9}\r\n",
        "Host: h\r\n",
        "Range: bytes=1-3\r\n",
        "Range: bytes=2999-\r\n",
        "If-None-Match: \"a\"\r\n",
        "If-Match: \"b\"\r\n",
        "If-Range: \"b\"\r\n",
        "Accept-Encoding: gzip\r\n",
    ];
    let method = methods[input.below(methods.len())];
    let target = targets[input.below(targets.len())];
    let version = versions[input.below(versions.len())];
    let mut wire = format!("{method} {target} HTTP/{version}\r\nHost: h\r\n");
    for _ in 0..input.below(4) {
        wire.push_str(lines[input.below(lines.len())]);
    }
    // A body may come at once, later, or never: what follows is taken for it.
    wire.push_str(["\r\n", "\r\nhello", "\r\n5\r\nhello\r\n0\r\n\r\n", "", "\n"][input.below(16).min(4)]);
    let times = if input.below(8) == 0 { input.below(60) + 1 } else { 1 };
    wire.repeat(times).into_bytes()
}

/// More of the same than one wants.
fn long(input: &mut Input<'_>) -> Vec<u8> {
    let pieces: [&[u8]; 8] = [
        b"x",
        b"\r\n",
        b"X: y\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x89\x80\0\0\0\0",
        b"\x82\x81\0\0\0\0m",
        b"\x01\x80\0\0\0\0\x80\x80\0\0\0\0",
        b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n",
    ];
    let piece = pieces[input.below(pieces.len())];
    let bytes = 80 * (usize::from(input.byte()) + 1);
    piece.repeat(bytes / piece.len())
}

fn chunk(input: &mut Input<'_>) -> Vec<u8> {
    let length = input.below(20);
    format!("{length:x}\r\n{}\r\n", "c".repeat(length)).into_bytes()
}

/// A client's Close.
fn close(input: &mut Input<'_>) -> Vec<u8> {
    let code = [1000, 1001, 3000, 1005, 999, 4999][input.below(6)];
    let mut body = u16::to_be_bytes(code).to_vec();
    let length = input.below(8);
    body.extend_from_slice(input.take(length));
    masked(0x88, 0x80, &body, [7, 0, 9, 1])
}

/// Any first byte, but mostly a good one; any length; the payload from the input or made up; sometimes short.
fn frame(input: &mut Input<'_>) -> Vec<u8> {
    let first = match input.below(16) {
        0..=3 => 0x81,
        4..=6 => 0x82,
        7 => 0x01,
        8 => 0x02,
        9 => 0x00,
        10 => 0x80,
        11 | 12 => 0x89,
        13 => 0x8a,
        14 => 0x88,
        _ => input.byte(),
    };
    let mask_bit = if input.byte() == 0xff { 0 } else { 0x80 };
    let key = if input.flag() { [0; 4] } else { [input.byte(), 0x5a, 0xff, 0] };
    let mut payload = match input.below(8) {
        0..=4 => {
            let length = input.below(40);
            input.take(length).to_vec()
        }
        5 => "\u{20ac}uro".repeat(input.below(200)).into_bytes(),
        6 => vec![b'p'; input.below(256)],
        _ => vec![b'P'; usize::from(input.number()) % 5000],
    };
    // A character may be cut by the end of a frame.
    if input.below(8) == 1 {
        payload.pop();
    }
    let mut first = first;
    if input.below(8) == 2 {
        let mut deflated = Vec::new();
        if Codec::default().deflate(&payload.repeat(3), Window::Full, &mut deflated) {
            payload = deflated;
        }
        first |= 0x40;
    }
    let mut wire = masked(first, mask_bit, &payload, key);
    if input.below(32) == 1 {
        wire.pop();
    }
    wire
}

fn masked(first: u8, mask_bit: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut wire = vec![first];
    match payload.len() {
        short @ 0..126 => wire.push(mask_bit | short as u8),
        long => {
            wire.push(mask_bit | 126);
            wire.extend((long as u16).to_be_bytes());
        }
    }
    if mask_bit == 0 {
        wire.extend(payload);
        return wire;
    }
    wire.extend(key);
    wire.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}
