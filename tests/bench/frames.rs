//! Servers that break the protocol of frames: their connections are lost, with a cause, and nothing grows.

use crate::outside::program::{clean, comes_true};
use crate::peer::{Fault, Peer, Role};
use crate::run::{Running, at_once, bench};
use std::process::Command;
use std::time::Duration;

/// The program has ended, and what it sent is on its way.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn violations_are_named() {
    at_once(&[Fault::MaskedFrames, Fault::ReservedOpcode, Fault::ReservedBit], |&fault| {
        let peer = Peer::start(Role::Broadcast, fault);
        let report = bench(&peer.url("/"), "-c 5 -r 200 -d 500ms").report(1);
        report.assert_causes(&[("protocol error", 5)]);
        report.assert_counts(&[
            ("connections.opened", 5),
            ("connections.failed", 0),
            ("connections.lost", 5),
        ]);
        // The peer may read its last Close when the program has ended.
        let are_closed = comes_true(PATIENCE, || peer.seen().closed_for_protocol.get() == 5);
        assert!(are_closed, "each was closed with 1002 (§7.1.7), {fault:?}: {:?}", peer.seen());
    });
}

/// No memory is kept for what is only announced: with 1 GiB of address space there would be none.
#[cfg(target_os = "linux")]
#[test]
fn a_frame_of_any_length_costs_nothing() {
    let peer = Peer::start(Role::Broadcast, Fault::HugeFrame);
    let mut command = clean(Command::new("sh"));
    command.args(["-c", r#"ulimit -v 1048576 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_fanfare")]);
    command.args(["bench", &peer.url("/"), "--json", "--ramp", "0ms", "-c", "5", "-r", "200", "-d", "500ms"]);
    let report = Running::start(command).finish().report(1);
    assert!(report.count("deliveries.lost") + report.count("connections.lost") > 0, "{report}");
}
