//! Servers that end connections: they are counted as lost, with the name of their end.

use crate::peer::{Fault, Peer, Role};
use crate::run::{at_once, bench};

#[test]
fn one_in_ten_is_ended() {
    let rows = [
        (Fault::CloseOneIn(10, 1013), "closed 1013"),
        (Fault::CloseOneIn(10, 1011), "closed 1011"),
        (Fault::CloseOneIn(10, 4321), "closed 4321"),
        // The code that stands for an end without a Close (§7.1.5).
        (Fault::HangUpOneIn(10), "closed 1006"),
        (Fault::ResetOneIn(10), "reset"),
    ];
    at_once(&rows, |&(fault, cause)| {
        let peer = Peer::start(Role::Broadcast, fault);
        let report = bench(&peer.url("/"), "-c 30 -s 1 -r 200 -d 500ms").report(1);
        assert_eq!(peer.seen().ended.get(), 3, "{fault:?}");
        report.assert_causes(&[(cause, 3)]);
        report.assert_counts(&[
            ("connections.asked", 30),
            ("connections.opened", 30),
            ("connections.failed", 0),
            ("connections.lost", 3),
            ("deliveries.duplicated", 0),
            ("deliveries.reordered", 0),
            ("deliveries.corrupt", 0),
        ]);
        assert_eq!(peer.seen().violations(), Vec::<String>::new(), "{fault:?}");
    });
}

/// A receiver that is gone is not waited for.
#[test]
fn the_closed_loop_goes_on_without_them() {
    let peer = Peer::start(Role::Broadcast, Fault::CloseOneIn(5, 1013));
    let report = bench(&peer.url("/"), "-c 10 -s 2 -w 2 -d 500ms").report(1);
    report.assert_causes(&[("closed 1013", 2)]);
    assert!(report.count("messages.sent") > 100, "it went on behind the 50th: {report}");
}

/// All of them, senders too: it ends and says so.
#[test]
fn all_are_ended() {
    let peer = Peer::start(Role::Broadcast, Fault::CloseOneIn(1, 1001));
    for options in ["-r 500 -d 500ms", "-w 2 -d 500ms"] {
        let report = bench(&peer.url("/"), &format!("-c 10 {options}")).report(1);
        report.assert_causes(&[("closed 1001", 10)]);
        report.assert_counts(&[("connections.opened", 10), ("connections.lost", 10)]);
    }
}
