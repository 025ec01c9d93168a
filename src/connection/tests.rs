//! A connection in memory, with a clock the test turns.

mod formats;
mod inspect;

use super::*;
use crate::backlog::Backlog;
use crate::channel::OnTheWire;
use crate::deadline::Tick;
use crate::http::coding::{Accepted, Coding};
use crate::http::conditional::{Answer, Conditions};
use crate::http::representation::{Author, Choice, Facts, Representation};
use crate::http::response::Persistence;
use crate::limits::{OUTBOX_BYTES_MAX, PONGS_WAITING_MAX};
use crate::outbox::{Body, Gather, Shared, View, advance, gather};
use std::rc::Rc;
use std::time::Duration;

const HANDSHAKE: &[u8] = b"GET /chat HTTP/1.1\r\nHost: example.com\r\nOrigin: null\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: sN9cRrP/n9NdMgdcy2VJFQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: fFBooB7FAkLlXgRSz0BT3v4hq5s=\r\n\r\n";

/// A connection in memory, with a clock the test turns.
struct Client {
    config: Config,
    budget: Budget,
    codec: Codec,
    connection: Connection,
    seconds: u64,
}

/// The whole of a page.
fn page(length: u64, body: Body) -> Found {
    let facts = Facts {
        content_type: "text/plain",
        coding: Coding::Identity,
        choice: Choice::None,
        etag: "\"a\"".to_owned(),
        modified: None,
        length,
        author: Author::Operator,
    };
    let representation = Rc::new(Representation::new(facts));
    Found::Page { representation, answer: Answer::Whole, body: Some(body) }
}

impl Client {
    fn new() -> Self {
        let config = Config::default();
        let budget = Budget::new(64 << 20);
        let turn =
            Turn { config: &config, budget: &budget, codec: &Codec::default(), now: Now::default(), head: 0 };
        let connection = Connection::new(Link { peer: Peer::Loopback, scheme: Scheme::Http }, 0, &turn);
        Self { config, budget, codec: Codec::default(), connection, seconds: 0 }
    }

    /// A client whose handshake is done and taken.
    fn websocket() -> Self {
        let mut client = Self::new();
        assert_eq!(client.hear(HANDSHAKE), ["open /chat"]);
        assert_eq!(client.take(usize::MAX), SWITCHED);
        client
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Connection, &Turn<'_>) -> T) -> T {
        let tick = Tick::at(Duration::from_secs(self.seconds));
        let now = Now { tick, unix_seconds: 0 };
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head: 0 };
        act(&mut self.connection, &turn)
    }

    /// The events of one read, in short.
    fn hear(&mut self, read: &[u8]) -> Vec<String> {
        self.with(|connection, turn| {
            let mut bytes = connection.take_kept();
            bytes.extend_from_slice(read);
            connection.heard(turn);
            let mut input = &mut bytes[..];
            let mut events = Vec::new();
            while let Some(event) = connection.next(&mut input, turn) {
                if let Event::Page(request) = &event {
                    let found = request.path.as_ref().map_err(|refusal| *refusal);
                    let found = found.map(|_| page(5, Body::Static(b"page;")));
                    assert_eq!(connection.respond(request, found, turn).unsent, None);
                }
                events.push(short(&event));
            }
            connection.keep(input, turn);
            events
        })
    }

    /// What its socket takes, up to `room` bytes.
    fn take(&mut self, room: usize) -> String {
        self.take_bytes(room).iter().map(|&byte| char::from(byte)).collect()
    }

    fn take_bytes(&mut self, room: usize) -> Vec<u8> {
        let mut gathered = Gather::new();
        gather(self.connection.outbox(), None, &mut gathered);
        let wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).take(room).collect();
        advance(self.connection.outbox_mut(), None, wire.len());
        self.with(|connection, turn| connection.written(turn));
        wire
    }

    /// Lets time pass; what happens at the deadline, if it is past.
    fn wait(&mut self, seconds: u64) -> Option<Expiry> {
        self.seconds += seconds;
        self.with(|connection, turn| {
            connection.deadline().is_past(turn.now.tick).then(|| connection.expire(turn))
        })
    }

    fn flushed(&mut self) -> Flushed {
        self.with(|connection, turn| connection.flushed(turn))
    }
}

fn short(event: &Event<'_>) -> String {
    match event {
        Event::Page(request) => match &request.path {
            Ok(path) => format!("page {}", path.relative()),
            Err(refusal) => format!("page {}", refusal.status.code()),
        },
        Event::Answered(_) => "answered".to_owned(),
        Event::Stats(request) => format!("stats {:?}", request.content),
        Event::Watch(request) => format!("watch {:?}", request.id),
        Event::Wish(wish) => format!("wants {wish:?}"),
        Event::Open(opening) => format!("open {}", opening.target),
        Event::Message(message) => format!("{:?} {}", message.kind(), message.payload().escape_ascii()),
        Event::Close(code, reason) => format!("close {code} {reason}"),
        Event::Violation(violation) => format!("violation {}", violation.close_code()),
        Event::Refusal(refusal, _) => format!("refusal {}", refusal.status.code()),
    }
}

#[test]
fn the_handshake_with_frames_behind_it_whole_and_byte_by_byte() {
    let wire = [HANDSHAKE, b"\x81\x82\0\0\0\0hi\x89\x81\0\0\0\0?"].concat();
    for step in [wire.len(), 1] {
        let mut client = Client::new();
        let events: Vec<_> = wire.chunks(step).flat_map(|read| client.hear(read)).collect();
        assert_eq!(events, ["open /chat", "Text hi"], "{step} bytes a read");
        assert_eq!(client.take(usize::MAX), format!("{SWITCHED}\u{8a}\u{1}?"), "{step} bytes a read");
        assert!(client.connection.outbox().is_none(), "an idle connection owns no memory");
    }
}

#[test]
fn pipelined_requests_and_a_body_that_nobody_wants() {
    let wire = b"GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz\
                 GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /c";
    for step in [wire.len(), 1] {
        let mut client = Client::new();
        let events: Vec<_> = wire.chunks(step).flat_map(|read| client.hear(read)).collect();
        assert_eq!(events, ["page a", "page b"], "{step} bytes a read");
        assert_eq!(client.take(usize::MAX).matches("page;").count(), 2);
        assert_eq!(client.flushed(), Flushed::ShutsDown);
    }
}

#[test]
fn a_client_that_takes_no_responses_is_not_answered_for_ever() {
    let mut client = Client::new();
    let request = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    client.with(|connection, turn| connection.push(Body::Bytes(vec![b'x'; OUTBOX_BYTES_MAX]), turn));
    assert!(!client.connection.wants_input());
    assert_eq!(client.hear(request), [""; 0]);
    client.take(usize::MAX);
    assert!(client.connection.is_paused(), "it has not been forgotten");
    assert_eq!(client.hear(b""), ["page a"]);
    assert!(!client.connection.is_paused());
}

#[test]
fn a_flood_of_requests_that_cost_nothing_waits_until_its_answers_are_taken() {
    let mut client = Client::new();
    let request = b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n";
    let flood = request.repeat(4 * OUTBOX_BYTES_MAX / 100);
    let answered = client.hear(&flood).len();
    assert!((100..flood.len() / request.len()).contains(&answered), "{answered} were answered");
    assert!(client.connection.is_paused());
    assert!(client.connection.outbox().is_some_and(|outbox| outbox.weight() < 2 * OUTBOX_BYTES_MAX as u64));
}

/// They begin no request: neither does a deadline for one, nor is there an answer to it.
#[test]
fn empty_lines_between_requests_mean_nothing() {
    let mut client = Client::new();
    assert_eq!(client.hear(b"\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n"), ["page a"]);
    client.take(usize::MAX);
    client.hear(b"\r\n");
    assert_eq!(client.wait(59), None, "its keep-alive counts, not the time for a request");
    assert_eq!(client.wait(2), Some(Expiry::Gone("it was idle")));
}

#[test]
fn a_head_request_that_takes_too_long_is_answered_without_content() {
    for (request, has_content) in [("HEAD / HTTP/1.1\r\n", false), ("GET / HTTP/1.1\r\n", true)] {
        let mut client = Client::new();
        client.hear(request.as_bytes());
        assert_eq!(client.wait(11), Some(Expiry::Speaks));
        let answer = client.take(usize::MAX);
        assert!(answer.starts_with("HTTP/1.1 408"));
        assert_eq!(!answer.ends_with("\r\n\r\n"), has_content, "{request}");
    }
}

#[test]
fn refusals_end_the_connection() {
    for (request, want, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "refusal 400", "HTTP/1.1 400"),
        (b"POST / HTTP/1.1\r\nHost: h\r\n\r\n", "refusal 405", "HTTP/1.1 405"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", "refusal 400", "HTTP/1.1 400"),
    ] {
        let mut client = Client::new();
        assert_eq!(client.hear(request), [want]);
        assert!(client.take(usize::MAX).starts_with(status), "{want}");
        assert_eq!(client.hear(request), [""; 0], "nothing is heard behind {want}");
        assert_eq!(client.flushed(), Flushed::ShutsDown);
    }
}

/// A link that leads nowhere is no reason to connect anew.
#[test]
fn behind_what_is_not_there_the_connection_stays() {
    let mut client = Client::new();
    let pipelined = b"GET /.. HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(client.hear(pipelined), ["page 404", "page a"]);
    let responses = client.take(usize::MAX);
    assert!(responses.starts_with("HTTP/1.1 404") && responses.ends_with("page;"), "{responses}");
}

#[test]
fn the_client_closes() {
    let mut client = Client::websocket();
    assert_eq!(client.hear(b"\x88\x85\0\0\0\0\x03\xe8bye\x81\x80\0\0\0\0"), ["close 1000 bye"]);
    assert_eq!(client.take(usize::MAX), "\u{88}\u{5}\u{3}\u{e8}bye", "code and reason come back");
    assert_eq!(client.flushed(), Flushed::ShutsDown);
    assert_eq!(client.wait(1), None);
    assert_eq!(client.wait(2), Some(Expiry::Gone("it does not close")));
}

#[test]
fn the_server_closes() {
    let mut client = Client::websocket();
    client.with(|connection, turn| connection.close(CloseCode::GOING_AWAY, "", turn));
    client.with(|connection, turn| connection.send(&Message::text("late"), turn));
    assert_eq!(client.take(usize::MAX), "\u{88}\u{2}\u{3}\u{e9}");
    assert_eq!(client.flushed(), Flushed::Leaves);
    assert_eq!(client.hear(b"\x81\x80\0\0\0\0"), [""; 0], "data behind our Close is dropped");
    assert_eq!(client.hear(b"\x89\x81\0\0\0\0?"), [""; 0]);
    assert_eq!(client.take(usize::MAX), "\u{8a}\u{1}?", "a ping is answered until the client's Close");
    assert_eq!(client.hear(b"\x88\x82\0\0\0\0\x03\xe9\x89\x81\0\0\0\0?"), ["close 1001 "]);
    assert_eq!(client.take(usize::MAX), "", "one Close is enough");
    assert_eq!(client.flushed(), Flushed::ShutsDown);
}

#[test]
fn a_close_that_is_not_answered_has_an_end() {
    let mut client = Client::websocket();
    client.with(|connection, turn| connection.close(CloseCode::GOING_AWAY, "", turn));
    assert_eq!(client.wait(4), None);
    assert_eq!(client.wait(2), Some(Expiry::Gone("it did not answer a Close")));
}

#[test]
fn a_violation_is_told_and_ends_it() {
    let mut client = Client::websocket();
    assert_eq!(client.hear(b"\x81\x01a"), ["violation 1002"]);
    assert_eq!(client.take(usize::MAX), "\u{88}\u{2}\u{3}\u{ea}");
    assert_eq!(client.flushed(), Flushed::ShutsDown);
}

#[test]
fn the_silent_are_pinged_and_then_gone() {
    let mut client = Client::websocket();
    assert_eq!(client.wait(24), None);
    assert_eq!(client.wait(2), Some(Expiry::Speaks));
    assert_eq!(client.take(usize::MAX), "\u{89}\0");
    client.hear(b"\x8a\x80\0\0\0\0");
    assert_eq!(client.wait(24), None, "a pong is a sign of life");
    assert_eq!(client.wait(2), Some(Expiry::Speaks));
    assert_eq!(client.wait(26), Some(Expiry::Gone("it did not answer a ping")));
}

#[test]
fn requests_have_their_time() {
    assert_eq!(Client::new().wait(11), Some(Expiry::Gone("it sent no request")));
    let mut slow = Client::new();
    slow.hear(b"GET / HT");
    slow.wait(9);
    slow.hear(b"TP/1.1\r\n");
    assert_eq!(slow.wait(2), Some(Expiry::Speaks), "a byte now and then buys no time");
    assert!(slow.take(usize::MAX).starts_with("HTTP/1.1 408"));
    let mut idle = Client::new();
    idle.hear(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    idle.take(usize::MAX);
    assert_eq!(idle.wait(59), None);
    assert_eq!(idle.wait(2), Some(Expiry::Gone("it was idle")));
}

#[test]
fn who_falls_behind_gets_its_frame_and_a_close() {
    let mut client = Client::websocket();
    let pieces = [&b"\x81\x05He"[..], b"llo"].into_iter();
    let frame = Shared::copy(7, pieces, &client.budget).expect("there is room");
    client.with(|connection, turn| connection.fall_behind(OnTheWire::Begun(frame, 4), turn));
    assert_eq!(client.take(usize::MAX), "llo\u{88}\u{a}\u{3}\u{f5}too slow");
}

#[test]
fn what_was_published_before_a_close_comes_before_it() {
    let mut client = Client::websocket();
    let mut backlog = Backlog::new(8);
    backlog.append(None, &[b"before "]);
    let turn = Turn {
        config: &client.config,
        budget: &client.budget,
        codec: &client.codec,
        now: Now::default(),
        head: backlog.head(),
    };
    client.connection.close(CloseCode::NO_STATUS, "", &turn);
    backlog.append(None, &[b"behind"]);
    let mut gathered = Gather::new();
    let view = View { backlog: &backlog, cursor: 0, skipped: None };
    gather(client.connection.outbox(), Some(view), &mut gathered);
    let wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect();
    assert_eq!(wire, b"before \x88\x00");
}

#[test]
fn nobody_is_given_up_before_two_intervals() {
    for spread in [0, 100, 255] {
        let mut client = Client::websocket();
        client.connection.spread = spread;
        client.hear(b"\x8a\x80\0\0\0\0");
        let mut silent = 0;
        while !matches!(client.wait(1), Some(Expiry::Gone(_))) {
            silent += 1;
            assert!(silent <= 52, "spread {spread}: it goes in the end");
        }
        assert!(silent >= 49, "spread {spread}: gone after {silent} seconds");
    }
}

/// RFC 6455 §5.5.3: who pings and takes nothing gets the first few pongs, and the newest.
#[test]
fn of_many_pings_the_first_and_the_newest_are_answered() {
    let mut client = Client::websocket();
    for number in 0..10_000_u32 {
        let payload = number.to_be_bytes();
        client.hear(&[&[0x89, 0x84, 0, 0, 0, 0][..], &payload].concat());
    }
    let weight = client.connection.outbox().map_or(0, Outbox::weight);
    assert!(weight < 8 * PONGS_WAITING_MAX as u64, "{weight}");
    let numbers: Vec<u32> = (0..PONGS_WAITING_MAX as u32).chain([9_999]).collect();
    let want: Vec<u8> = numbers.iter().flat_map(|n| [&[0x8a, 4][..], &n.to_be_bytes()].concat()).collect();
    assert_eq!(client.take_bytes(usize::MAX), want);
    client.hear(&[0x89, 0x80, 0, 0, 0, 0]);
    assert_eq!(client.take_bytes(usize::MAX), [0x8a, 0], "what was taken is not counted any more");
}

/// Client frames with a masking key of zeros.
fn frame(fin: bool, opcode: u8, length: usize) -> Vec<u8> {
    let head = [if fin { 0x80 } else { 0 } | opcode, 0xFE];
    [&head[..], &(length as u16).to_be_bytes(), &[0; 4], &vec![b'x'; length]].concat()
}

/// What is kept is of one budget: when it is used up, what is small goes on, what is large is refused.
#[test]
fn a_budget_of_all_is_kept() {
    let mut client = Client::websocket();
    client.budget = Budget::new(10_000);
    assert!(client.hear(&frame(false, 2, 8_000)).is_empty(), "a fragment is kept");
    let lent = client.budget.lent();
    assert!((6_000..=10_000).contains(&lent), "{lent}");
    let mut others = client.budget.open();
    others.force(10_000 - lent + 1024);
    assert!(client.budget.is_exhausted());
    let said = client.hear(&frame(false, 0, 1_500));
    assert_eq!(said, ["violation 1013"], "others have taken what is left");
    assert_eq!(client.budget.lent(), 10_000 - lent, "what it kept is given back");
    let mut other = Client::websocket();
    other.budget = Budget::new(100);
    other.budget.open().force(5_000);
    assert!(other.hear(&frame(false, 2, 500)).is_empty());
    let said = other.hear(&frame(true, 0, 400));
    assert_eq!(said, [format!("Binary {}", "x".repeat(900))], "small messages in pieces go on");
    assert_eq!(other.hear(&frame(false, 2, 5_000)), ["violation 1009"], "more than there is for all");
}

#[test]
fn an_answer_there_is_no_memory_for_is_a_close() {
    let mut client = Client::websocket();
    client.budget = Budget::new(100);
    client.with(|connection, turn| connection.send(&Message::binary(vec![7; 5_000]), turn));
    assert_eq!(client.take_bytes(usize::MAX)[..4], [0x88, 0x10, 0x03, 0xf5]);
    let mut request = Client::new();
    request.budget = Budget::new(100);
    let head = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'x'; 2_000]].concat();
    request.hear(&head);
    assert!(request.take(usize::MAX).starts_with("HTTP/1.1 503 "));
}

/// A file that is not sent for want of memory was kept open for ever.
#[test]
fn a_file_that_is_not_sent_is_given_back() {
    let mut client = Client::new();
    client.budget = Budget::new(0);
    let path = crate::http::path::CleanPath::parse("/large");
    let request = PageRequest {
        asked: Asked::new("GET", "/large"),
        path,
        content: Content::Sent,
        accepted: Accepted::IDENTITY,
        conditions: Conditions::default(),
        persistence: Persistence::KeepAlive,
    };
    let file = FileId(7);
    let given_back = client.with(|connection, turn| {
        // It is owed enough already.
        connection.push(Body::Bytes(vec![b'x'; 1_000]), turn);
        let body = Body::File(crate::outbox::FileRange { file, start: 0, end: 1 << 20 });
        let found = page(1 << 20, body);
        connection.respond(&request, Ok(found), turn).unsent
    });
    assert_eq!(given_back, Some(file));
    assert!(client.take(usize::MAX).contains("HTTP/1.1 503 "));
}
