//! Connections that were agreed to be told otherwise, and messages that wait for their turn.

use super::*;
use crate::config::Legacy;

const DRAFT: &[u8] = b"GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: null\r\n\r\n^n:ds[4U";

fn legacy() -> Client {
    let mut client = Client::new();
    client.config.legacy = Legacy::Spoken;
    client
}

#[test]
fn the_third_key_may_come_late() {
    let mut client = legacy();
    let (head, key3) = DRAFT.split_at(DRAFT.len() - 8);
    assert!(client.hear(head).is_empty(), "nothing tells that more comes, and it does");
    assert!(client.hear(&key3[..7]).is_empty());
    assert_eq!(client.hear(&[&key3[7..], b"\x00at once\xff"].concat()), ["open /demo", "Text at once"]);
    let answer = client.take(usize::MAX);
    assert!(answer.ends_with("\r\n\r\n8jKS'y:G*Co,Wxa-"), "{answer}");
    assert_eq!(client.connection.format(), WireFormat::Legacy);
}

#[test]
fn a_third_key_that_never_comes_is_a_request_that_took_too_long() {
    let mut client = legacy();
    client.hear(&DRAFT[..DRAFT.len() - 1]);
    assert_eq!(client.wait(11), Some(Expiry::Speaks));
    assert!(client.take(usize::MAX).starts_with("HTTP/1.1 408 "));
}

#[test]
fn the_draft_has_no_pings_and_one_last_word() {
    let mut client = legacy();
    client.hear(DRAFT);
    client.take(usize::MAX);
    assert_eq!(client.wait(24 * 60 * 60), None, "nobody can tell whether it lives");
    client.with(|connection, turn| connection.send(&Message::binary(&b"a"[..]), turn));
    client.with(|connection, turn| connection.close(CloseCode::GOING_AWAY, "unsaid", turn));
    assert_eq!(client.take(usize::MAX), "\u{ff}\0");
    assert_eq!(client.hear(b"\xff\x00"), ["close 1005 "]);
}

#[test]
fn messages_that_wait_keep_their_order() {
    let mut client = Client::websocket();
    let mut wire = b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x89\x80\0\0\0\0\x81\x83\0\0\0\0c".to_vec();
    client.with(|connection, turn| {
        let mut input = &mut wire[..];
        assert!(matches!(connection.next(&mut input, turn), Some(Event::Message(_))));
        assert!(connection.keep(input, turn).is_none() && connection.is_paused());
        assert_eq!(connection.kept_bytes(), 7 + 6 + 7);
    });
    assert_eq!(client.hear(b"de"), ["Text b", "Text cde"], "what comes later is put behind");
    assert_eq!(client.take(usize::MAX), "\u{8a}\0");
    assert!(!client.connection.is_paused());
    assert_eq!(client.connection.kept_bytes(), 0);
}

/// Behind our Close nothing is taken, but what it costs to pass over it has its bound.
#[cfg(feature = "deflate")]
#[test]
fn compressed_messages_behind_a_close_wait_as_well() {
    let mut client = Client::websocket();
    client.with(|connection, turn| connection.close(CloseCode::NORMAL, "", turn));
    if let State::WebSocket(websocket) = &mut client.connection.state {
        websocket.format = WireFormat::Deflate;
    }
    let mut deflated = Vec::new();
    let codec = Codec::default();
    assert!(codec.deflate(&[0; 50_000], crate::websocket::extension::Window::Full, &mut deflated));
    let header = crate::websocket::frame::Header {
        fin: true,
        opcode: crate::websocket::frame::Opcode::Binary,
        masking_key: Some([0; 4]),
        length: deflated.len() as u64,
    };
    let bomb = [&*header.write().compressed(), &deflated].concat();
    let mut wire = bomb.repeat(10);
    client.with(|connection, turn| {
        let mut input = &mut wire[..];
        assert!(connection.next(&mut input, turn).is_none());
        assert_eq!(input.len(), 8 * bomb.len(), "two of them were read");
        assert!(connection.keep(input, turn).is_none() && connection.is_paused());
    });
}

#[test]
fn messages_that_there_is_no_memory_for_do_not_wait() {
    let mut client = Client::websocket();
    client.budget = Budget::new(1_000);
    let mut wire = b"\x81\x81\0\0\0\0a".repeat(1_000);
    client.with(|connection, turn| {
        let mut input = &mut wire[..];
        connection.next(&mut input, turn);
        let event = connection.keep(input, turn);
        assert!(matches!(event, Some(Event::Violation(Violation::NoRoom))), "{event:?}");
        assert!(!connection.is_paused());
    });
    assert_eq!(client.take(usize::MAX), "\u{88}\u{2}\u{3}\u{f5}");
}
