//! Who may be traced, and who may watch.

use super::*;
use crate::config::Tracing;
use crate::limits::LOAN_FREE_BYTES;
use crate::trace::Unwatchable;

const TRACED: &str = "/chat?trace=0123456789abcdef";
const VIEWED: &str = "/inspect?trace=0123456789abcdef";

fn handshake(target: &str) -> Vec<u8> {
    String::from_utf8_lossy(HANDSHAKE).replace("/chat", target).into_bytes()
}

/// What a client of this machine or of another one gets for its handshake.
fn asked(target: &str, peer: Peer, tracing: Tracing) -> (Client, Vec<String>) {
    let mut client = Client::new();
    client.config.tracing = tracing;
    client.connection.link.peer = peer;
    let events = client.hear(&handshake(target));
    (client, events)
}

#[test]
fn clients_of_other_machines_need_the_option() {
    for (peer, tracing, may) in [
        (Peer::Loopback, Tracing::Loopback, true),
        (Peer::Remote, Tracing::Loopback, false),
        (Peer::Remote, Tracing::Anybody, true),
    ] {
        let (mut client, events) = asked(VIEWED, peer, tracing);
        assert_eq!(events[0].starts_with("watch"), may, "{events:?}");
        let answer = client.take(usize::MAX);
        assert_eq!(answer.starts_with("HTTP/1.1 403"), !may, "{answer}");
        assert_eq!(answer.contains("--inspect"), !may, "{answer}");
        // Not to be traced is no reason to be refused.
        let trace = |event: Option<Event<'_>>| match event {
            Some(Event::Open(opening)) => opening.trace,
            other => panic!("{other:?}"),
        };
        let mut client = Client::new();
        client.config.tracing = tracing;
        client.connection.link.peer = peer;
        let mut wire = handshake(TRACED);
        let request = client.with(|connection, turn| trace(connection.next(&mut &mut wire[..], turn)));
        assert_eq!(request.as_ref().map(|request| &request.head), may.then(|| handshake(TRACED)).as_ref());
    }
}

#[test]
fn who_may_not_watch_is_told_why() {
    for (unwatchable, status) in [(Unwatchable::Watched, "409 Conflict"), (Unwatchable::TooMany, "429 Too")] {
        let mut client = Client::new();
        let mut wire = handshake(VIEWED);
        client.with(|connection, turn| {
            let Some(Event::Watch(request)) = connection.next(&mut &mut wire[..], turn) else {
                panic!("no watch")
            };
            let told = connection.watch(&request, Err(unwatchable), turn);
            assert!(matches!(told, Some(Event::Refusal(..))), "{told:?}");
        });
        assert!(!client.connection.is_viewer());
        assert!(client.take(usize::MAX).starts_with(&format!("HTTP/1.1 {status}")));
    }
}

/// What a viewer wants is for the loop.
#[test]
fn a_viewer_may_say_ping() {
    let mut client = Client::new();
    let mut wire = handshake(VIEWED);
    client.with(|connection, turn| {
        let Some(Event::Watch(request)) = connection.next(&mut &mut wire[..], turn) else {
            panic!("no watch")
        };
        assert!(connection.watch(&request, Ok(()), turn).is_none());
    });
    assert!(client.connection.is_viewer() && client.connection.is_websocket());
    assert_eq!(client.connection.audience(), None);
    assert_eq!(client.take(usize::MAX), SWITCHED);
    assert_eq!(client.hear(b"\x81\x84\0\0\0\0ping\x81\x84\0\0\0\0ping"), ["wants Ping", "wants Ping"]);
    assert_eq!(client.hear(b"\x82\x84\0\0\0\0ping\x81\x84\0\0\0\0Ping"), ["wants Unknown", "wants Unknown"]);
}

/// The others wait in its trace: it is no reason to send it away that somebody else has used up the memory.
#[test]
fn a_viewer_is_told_one_by_one_when_memory_is_used_up() {
    let mut client = Client::new();
    let mut wire = handshake(VIEWED);
    let mut others = client.budget.open();
    client.with(|connection, turn| {
        let Some(Event::Watch(request)) = connection.next(&mut &mut wire[..], turn) else {
            panic!("no watch")
        };
        assert!(connection.watch(&request, Ok(()), turn).is_none());
    });
    client.take(usize::MAX);
    others.force(client.budget.limit() - client.budget.lent() + LOAN_FREE_BYTES - 100);
    let record = "x".repeat(500);
    let mut told = 0;
    client.with(|connection, turn| {
        while connection.can_be_told() {
            connection.tell(&record, turn);
            told += 1;
        }
    });
    assert!((1..=3).contains(&told), "{told}");
    assert!(!client.connection.has_said_all(), "it is closed");
    client.take(usize::MAX);
    assert!(client.connection.can_be_told());
}
