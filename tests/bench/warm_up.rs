//! What a run finds out about the server before it counts: who gets a message, and whether it comes back at all.

use crate::peer::{Corruption, Fault, Peer, Role};
use crate::run::{at_once, bench};

#[test]
fn a_server_that_leaves_the_sender_out() {
    let peer = Peer::start(Role::NoSelf, Fault::None);
    for options in ["-c 10 -s 1 -r 200 -d 300ms", "-c 10 -s 3 -r 200 -d 300ms", "-c 10 -s 10 -w 2 -d 300ms"] {
        bench(&peer.url("/"), options).report(0).assert_clean(10, 9, 64);
    }
}

/// Whoever loses messages is not taken for one that leaves the sender out.
#[test]
fn a_server_that_leaves_the_sender_out_and_loses() {
    let peer = Peer::start(Role::NoSelf, Fault::DropEvery(10));
    let report = bench(&peer.url("/"), "-c 5 -r 200 -d 500ms").report(1);
    let (sent, dropped) = (report.count("messages.sent"), peer.seen().dropped.get());
    report.assert_counts(&[("deliveries.expected", 4 * sent), ("deliveries.lost", dropped)]);
}

#[test]
fn a_server_that_only_echoes() {
    let peer = Peer::start(Role::Echo, Fault::None);
    bench(&peer.url("/"), "-c 5 -s 2 -r 100 -d 300ms").assert_gives_up(1, &["--scenario echo"]);
}

/// With one connection it cannot be told, and does not matter.
#[test]
fn a_server_that_only_echoes_to_one_connection() {
    let peer = Peer::start(Role::Echo, Fault::None);
    bench(&peer.url("/"), "-c 1 -r 100 -d 300ms").report(0).assert_clean(1, 1, 64);
}

#[test]
fn a_server_that_broadcasts_instead_of_echoing() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let outcome = bench(&peer.url("/"), "--scenario echo -c 5 -s 5 -r 100 -d 300ms");
    outcome.assert_gives_up(1, &["--scenario broadcast"]);
}

#[test]
fn a_server_that_says_nothing() {
    let peer = Peer::start(Role::Mute, Fault::None);
    at_once(&["broadcast", "echo"], |scenario| {
        let options = format!("--scenario {scenario} -c 5 -r 100 -d 300ms");
        bench(&peer.url("/"), &options).assert_gives_up(1, &["no connection got the first message"]);
    });
}

#[test]
fn wrapped_messages_are_found_when_asked_for() {
    for (role, scenario, receivers) in
        [(Role::Broadcast, "broadcast", 4), (Role::NoSelf, "broadcast", 3), (Role::Echo, "echo", 1)]
    {
        let peer = Peer::start(role, Fault::Wrap);
        let options = format!("--scenario {scenario} --match contains -c 4 -s 2 -r 200 -d 300ms");
        bench(&peer.url("/"), &options).report(0).assert_clean(4, receivers, 64);
    }
}

/// Otherwise they are none of ours: nothing of ours has come, and the option is named.
#[test]
fn wrapped_messages_are_not_ours_by_default() {
    let peer = Peer::start(Role::Broadcast, Fault::Wrap);
    let outcome = bench(&peer.url("/"), "-c 4 -r 100 -d 300ms");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.errors.contains("--match contains"), "{outcome}");
    if outcome.output.is_empty() {
        return; // it has given up in the warm-up
    }
    let report = outcome.report(1);
    let expected = report.count("deliveries.expected");
    report.assert_counts(&[
        ("deliveries.received", 0),
        ("deliveries.lost", expected),
        ("deliveries.corrupt", 0),
    ]);
}

/// What is only contained is still compared byte for byte.
#[test]
fn a_changed_byte_is_found_when_more_may_come_with_it() {
    let peer = Peer::start(Role::Broadcast, Fault::CorruptEvery(50, Corruption::ByteAt(40)));
    let report = bench(&peer.url("/"), "--match contains -c 4 -r 300 -d 500ms").report(1);
    let corrupted = peer.seen().corrupted.get();
    assert!(corrupted > 0, "{report}");
    report.assert_counts(&[("deliveries.corrupt", corrupted), ("deliveries.lost", 0)]);
}
