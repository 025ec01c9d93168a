//! Servers that lose, repeat, swap and change what they deliver: each fault is found, named, and counted exactly.

use crate::peer::{Corruption, Fault, Peer, Role};
use crate::run::{Report, at_once, bench};

/// Sends 500 messages to 10 receivers, which takes a second.
const OPTIONS: &str = "-c 10 -s 1 -r 500 -d 1s";

/// Runs against a fault; gives the report, and the peer with its counts.
#[track_caller]
fn broadcast(fault: Fault, code: i32, options: &str) -> (Report, Peer) {
    let peer = Peer::start(Role::Broadcast, fault);
    let report = bench(&peer.url("/"), options).report(code);
    report.assert_counts(&[("connections.opened", 10), ("connections.lost", 0)]);
    let sent = report.count("messages.sent");
    report.assert_counts(&[("deliveries.expected", 10 * sent)]);
    report.assert_agrees(64);
    (report, peer)
}

#[track_caller]
fn assert_reach(report: &Report) {
    let want = report.count("deliveries.received") as f64 / report.count("deliveries.expected") as f64;
    // It has three digits.
    assert!((report.figure("reach") - want).abs() < 0.0015, "received ÷ expected: {report}");
}

#[test]
fn lost() {
    let (report, peer) = broadcast(Fault::DropEvery(100), 1, OPTIONS);
    let dropped = peer.seen().dropped.get();
    assert!(dropped >= 30, "the peer dropped {dropped} of 5000");
    report.assert_counts(&[
        ("deliveries.lost", dropped),
        ("deliveries.received", report.count("deliveries.expected") - dropped),
        ("deliveries.duplicated", 0),
        ("deliveries.reordered", 0),
        ("deliveries.corrupt", 0),
    ]);
    assert!(report.figure("reach") < 1.0, "{report}");
    assert_reach(&report);
}

/// With several senders, in an echo and where the sender hears itself not; nobody waits for ever in the closed loop.
#[test]
fn lost_everywhere() {
    let rows = [
        (Role::Broadcast, "-c 10 -s 4 -r 200"),
        (Role::NoSelf, "-c 10 -s 4 -r 200"),
        (Role::Echo, "--scenario echo -c 4 -s 4 -r 400"),
        (Role::Broadcast, "-c 5 -s 2 -w 4"),
        (Role::Echo, "--scenario echo -c 4 -s 4 -w 4"),
    ];
    at_once(&rows, |(role, options)| {
        let peer = Peer::start(*role, Fault::DropEvery(10));
        let report = bench(&peer.url("/"), &format!("-d 500ms {options}")).report(1);
        let dropped = peer.seen().dropped.get();
        assert!(dropped > 0, "the peer dropped some: {report}");
        report.assert_counts(&[
            ("deliveries.lost", dropped),
            ("deliveries.duplicated", 0),
            ("deliveries.reordered", 0),
            ("deliveries.corrupt", 0),
        ]);
        assert_reach(&report);
    });
}

/// What comes twice was not lost: it is told, and does not fail the run.
#[test]
fn duplicated() {
    let (report, peer) = broadcast(Fault::DuplicateEvery(50), 0, OPTIONS);
    let duplicated = peer.seen().duplicated.get();
    assert!(duplicated >= 60, "the peer sent {duplicated} of 5000 twice");
    report.assert_counts(&[
        ("deliveries.duplicated", duplicated),
        ("deliveries.received", report.count("deliveries.expected")),
        ("deliveries.lost", 0),
        ("deliveries.reordered", 0),
        ("deliveries.corrupt", 0),
    ]);
    assert_eq!(report.figure("reach"), 1.0, "{report}");
}

/// What comes late has come: not lost, not twice.
#[test]
fn reordered() {
    let (report, peer) = broadcast(Fault::ReorderEvery(50), 0, OPTIONS);
    let reordered = peer.seen().reordered.get();
    assert!(reordered >= 60, "the peer swapped {reordered} of 5000");
    report.assert_counts(&[
        ("deliveries.reordered", reordered),
        ("deliveries.received", report.count("deliveries.expected")),
        ("deliveries.lost", 0),
        ("deliveries.duplicated", 0),
        ("deliveries.corrupt", 0),
    ]);
    assert_eq!(report.figure("reach"), 1.0, "{report}");
}

/// Messages of two senders may overtake each other; each sender's own may not.
#[test]
fn reordered_with_two_senders() {
    let (report, peer) = broadcast(Fault::ReorderEvery(7), 0, "-c 10 -s 2 -r 300 -d 500ms");
    let (found, swapped) = (report.count("deliveries.reordered"), peer.seen().reordered.get());
    assert!(found <= swapped, "{found} of {swapped} swaps were of one sender's: {report}");
    report.assert_counts(&[("deliveries.lost", 0), ("deliveries.duplicated", 0)]);
}

/// A changed message has not arrived whole, and is not lost either.
#[test]
fn corrupt() {
    let rows = [
        (Corruption::Filler, "-m 64"),
        (Corruption::Filler, "--binary"),
        (Corruption::ByteAt(32), "-m 64"),
        (Corruption::ByteAt(1000), "-m 2k"),
        (Corruption::Truncated, "-m 64"),
    ];
    at_once(&rows, |(corruption, options)| {
        let options = format!("-c 10 -r 300 -d 500ms {options}");
        let (report, peer) = broadcast(Fault::CorruptEvery(30, *corruption), 1, &options);
        let corrupted = peer.seen().corrupted.get();
        assert!(corrupted >= 30, "the peer changed {corrupted} of 1500");
        report.assert_counts(&[
            ("deliveries.corrupt", corrupted),
            ("deliveries.received", report.count("deliveries.expected") - corrupted),
            ("deliveries.lost", 0),
            ("deliveries.duplicated", 0),
            ("deliveries.reordered", 0),
        ]);
        assert_reach(&report);
    });
}

/// Wherever a bit is changed, in the stamp too, the message does not pass for whole, nor for another one.
#[test]
fn corrupt_at_any_byte() {
    let fault = Fault::CorruptEvery(5, Corruption::EachByteInTurn);
    let (report, peer) = broadcast(fault, 1, "-c 10 -r 300 -d 500ms");
    let corrupted = peer.seen().corrupted.get();
    assert!(corrupted >= 4 * 64, "each of 64 bytes several times, and not {corrupted} times in all");
    report.assert_counts(&[
        ("deliveries.received", report.count("deliveries.expected") - corrupted),
        ("deliveries.duplicated", 0),
        ("deliveries.reordered", 0),
    ]);
    let named = report.count("deliveries.corrupt") + report.count("deliveries.lost");
    assert_eq!(named, corrupted, "whose stamp cannot be read is lost: {report}");
}
