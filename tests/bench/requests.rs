//! What a handshake says, and from where: the options that are about it.

use crate::outside::program::program;
use crate::peer::{Fault, Peer, Role};
use crate::run::{Running, bench};
use std::collections::BTreeSet;

#[test]
fn options_are_headers() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let mut command = program();
    command.args(["bench", &peer.url("/a/path?a=1&b=%20"), "--json", "--ramp", "0ms", "-c", "3", "-r", "50"]);
    command.args(["-d", "200ms", "-H", "X-One: first value", "-H", "Cookie: a=b; c=d"]);
    command.args(["--origin", "https://app.example", "--token", "secret", "--protocol", "chat.v2"]);
    command.args(["--protocol", "chat.v1"]);
    Running::start(command).finish().report(0).assert_clean(3, 3, 64);
    let host = peer.address().to_string();
    let rows = [
        ("Host", host.as_str()),
        ("X-One", "first value"),
        ("Cookie", "a=b; c=d"),
        ("Origin", "https://app.example"),
        ("Authorization", "Bearer secret"),
        ("Sec-WebSocket-Protocol", "chat.v2, chat.v1"),
    ];
    assert_eq!(peer.seen().requests().len(), 3);
    for head in peer.seen().requests() {
        assert_eq!(head.target, "/a/path?a=1&b=%20");
        for (name, value) in rows {
            assert_eq!(head.header(name), Some(value), "{name}");
        }
    }
}

/// Nothing is offered or said that was not asked for.
#[test]
fn by_default_a_handshake_says_little() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    bench(&peer.url("/"), "-c 1 -r 50 -d 200ms").report(0);
    for name in ["Origin", "Authorization", "Cookie", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
        assert_eq!(peer.seen().requests()[0].header(name), None, "{name}");
    }
}

/// A server may decline; then messages go as they are.
#[test]
fn compression_is_offered_when_asked_for() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    bench(&peer.url("/"), "-c 2 -r 50 -d 200ms --deflate").report(0).assert_clean(2, 2, 64);
    for head in peer.seen().requests() {
        let offer = head.header("Sec-WebSocket-Extensions").unwrap_or_default();
        assert!(offer.starts_with("permessage-deflate"), "{offer:?}");
    }
}

/// Where all of 127.0.0.0/8 is loopback.
#[cfg(target_os = "linux")]
#[test]
fn connections_come_from_the_addresses_given() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let options = "-c 10 -r 50 -d 200ms --source-ip 127.0.0.2 --source-ip 127.0.1.3";
    bench(&peer.url("/"), options).report(0).assert_clean(10, 10, 64);
    let sources = peer.seen().sources();
    let of = |address: &str| sources.iter().filter(|source| source.to_string() == address).count();
    assert_eq!((of("127.0.0.2"), of("127.0.1.3")), (5, 5), "{sources:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_not_ours() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    // TEST-NET-1, which nobody has (RFC 5737).
    let outcome = bench(&peer.url("/"), "-c 2 -r 50 -d 200ms --source-ip 192.0.2.1");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.output.contains("192.0.2.1") || outcome.errors.contains("192.0.2.1"), "named: {outcome}");
}

/// On loopback, without being told.
#[cfg(target_os = "linux")]
#[test]
fn addresses_on_loopback_are_loopback() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    bench(&peer.url("/"), "--scenario idle -c 100 -d 200ms").report(0);
    let sources: BTreeSet<_> = peer.seen().sources().into_iter().collect();
    assert!(!sources.is_empty() && sources.iter().all(std::net::IpAddr::is_loopback), "{sources:?}");
}
