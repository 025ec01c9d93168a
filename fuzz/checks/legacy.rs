//! The older draft: its frames, whole and cut, beside a reader that wants everything at once; and its handshake.

use super::frames::decode;
use super::input::Input;
use fanfare::config::{Compression, Legacy};
use fanfare::http::origin::Scheme;
use fanfare::http::request::{self, Request};
use fanfare::websocket::decoder::Dialect;
use fanfare::websocket::handshake::{self, Terms, is_of_the_draft};
use fanfare::websocket::legacy::handshake::check as check_handshake;
use fanfare::websocket::message::Event;
use fanfare::{CloseCode, Message};

/// The input: cuts, which limit, the third key, then what a client sends.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let limit = [1 << 20, 0, 1, 125, 1_000][input.below(5)];
    let wire = input.rest();

    let whole = decode([wire].into_iter(), Dialect::Legacy, limit);
    let cut = decode(cuts.pieces(wire), Dialect::Legacy, limit);
    assert_eq!(whole, cut, "whole, and cut by {cuts:?}");
    let events: Vec<_> = whole.iter().flatten().cloned().collect();
    let naive = read_naively(wire, limit);
    if whole.iter().all(Result::is_ok) {
        assert_eq!(events, naive);
    } else {
        assert_eq!(events[..], naive[..events.len().min(naive.len())]);
    }
    if let Ok(Some((request, used))) = request::parse(wire)
        && let Some(key3) = wire[used..].first_chunk()
    {
        shake_hands(&request, *key3);
    }
}

/// §5.3 for one who has all of it.
fn read_naively(mut wire: &[u8], limit: usize) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    while let Some((&kind, rest)) = wire.split_first() {
        if kind < 0x80 {
            let Some(end) = rest.iter().position(|&byte| byte == 0xff) else { break };
            if kind == 0 {
                let text = String::from_utf8_lossy(&rest[..end]).into_owned();
                if text.len() > limit {
                    break;
                }
                events.push(Event::Message(Message::text(text)));
            }
            wire = &rest[end + 1..];
            continue;
        }
        let Some(last) = rest.iter().position(|&byte| byte < 0x80) else { break };
        let digits = rest[..=last].iter();
        let length =
            digits.fold(0_u128, |length, &byte| (length << 7 | u128::from(byte & 0x7f)).min(1 << 100));
        if kind == 0xff && length == 0 {
            events.push(Event::Close(CloseCode::NO_STATUS, String::new()));
        }
        let Ok(length) = usize::try_from(length) else { break };
        let Some(behind) = rest.get(last + 1..).and_then(|rest| rest.get(length..)) else { break };
        wire = behind;
    }
    events
}

/// A right one gets an answer that is a head and sixteen bytes, and repeats nothing that would break it.
fn shake_hands(request: &Request<'_>, key3: [u8; 8]) {
    let terms = Terms { protocols: &[], compression: Compression::Negotiated, legacy: Legacy::Refused };
    if !is_of_the_draft(request) {
        return;
    }
    assert!(handshake::check(request, &terms).is_err(), "it is not taken for the other");
    let protocols = ["chat".to_owned()];
    let Ok(handshake) = check_handshake(request, key3, &protocols, Scheme::Http) else { return };
    let response = handshake.response();
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(used) = head.parse(&response).expect("a head that parses") else {
        panic!("the head is whole");
    };
    assert_eq!((head.code, response.len() - used), (Some(101), 16));
    let keys = ["sec-websocket-key1", "sec-websocket-key2"];
    for key in keys.map(|name| request.headers.single(name).expect("one key").expect("one key")) {
        let spaces = key.iter().filter(|&&byte| byte == b' ').count() as u128;
        let digits = key.iter().filter(|byte| byte.is_ascii_digit());
        let number = digits.fold(0_u128, |number, &digit| number * 10 + u128::from(digit - b'0'));
        assert!(spaces > 0 && number % spaces == 0 && number / spaces <= u128::from(u32::MAX));
    }
    assert_eq!(head.headers.len(), 4 + usize::from(response.windows(9).any(|part| part == b"Protocol:")));
}
