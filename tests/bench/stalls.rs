//! Servers that stand still now and then: neither loop hides it (coordinated omission), and a server that is too
//! slow from some number of connections on is found to hold fewer.

use crate::outside::program::program;
use crate::peer::{Fault, Peer, Role};
use crate::run::{Running, bench};
use std::time::Duration;

/// 200 ms in each second.
const STALL: Fault = Fault::Stall { every: Duration::from_secs(1), for_: Duration::from_millis(200) };

/// A fifth of the messages falls into a stall and waits for its end, half of them longer than 100 ms: whenever
/// the two seconds begin, there is a whole stall in them.
#[test]
fn the_open_loop_counts_from_the_intended_time() {
    let peer = Peer::start(Role::Echo, STALL);
    let report = bench(&peer.url("/"), "--scenario echo -c 2 -r 1000 -d 2s").report(0);
    report.assert_clean(2, 1, 64);
    let p90 = report.figure("latency_ms.p90");
    assert!((40.0..180.0).contains(&p90), "p90 is about 100 ms: {report}");
    assert!(report.figure("latency_ms.p99") >= 150.0, "{report}");
    assert!(report.figure("latency_ms.max") >= 170.0, "{report}");
    assert!(report.figure("latency_ms.p50") < 50.0, "most messages meet no stall: {report}");
    let sent = report.count("messages.sent");
    assert!((1980..=2020).contains(&sent), "the rate does not sink with the server: {sent}");
}

/// With a window of 1 one message waits in each stall, among thousands that do not: 1 in 1000 or less as it is
/// measured, and still the 99th percentile once those count that would have been sent meanwhile.
#[test]
fn the_closed_loop_is_corrected() {
    let peer = Peer::start(Role::Echo, STALL);
    let report = bench(&peer.url("/"), "--scenario echo -c 1 -w 1 -d 2s").report(0);
    report.assert_clean(1, 1, 64);
    assert!(report.figure("latency_ms.max") >= 150.0, "{report}");
    assert!(report.figure("latency_ms.p99") >= 100.0, "{report}");
    assert!(report.figure("latency_ms.p50") < 50.0, "{report}");
}

/// A server that stands still for 400 ms a turn from 26 connections on holds 20, if 10 are added at a time.
#[test]
fn the_search_finds_how_many_it_holds() {
    let fault = Fault::SlowBeyond { connections: 25, for_: Duration::from_millis(400) };
    let peer = Peer::start(Role::Broadcast, fault);
    let mut command = program();
    command.args(["bench", &peer.url("/"), "-c", "10", "-r", "50", "-d", "500ms", "--ramp", "0ms"]);
    command.args(["--until-p95", "200", "--step", "10"]);
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let words: Vec<_> = outcome.output.split(|c: char| !c.is_ascii_digit()).collect();
    assert!(words.contains(&"20"), "it says that 20 are held: {outcome}");
    assert!(peer.seen().opened.get() < 100, "and stops there: {:?}", peer.seen().opened);
}

/// A server that takes nothing for most of the time stops its senders; what was due is sent all the same once it takes
/// it, and counts from when it was due. Otherwise it would look fast: only what it took in time would be seen.
#[test]
fn what_a_server_does_not_take_in_time_counts() {
    let fault = Fault::Stall { every: Duration::from_secs(1), for_: Duration::from_millis(900) };
    let peer = Peer::start(Role::Echo, fault);
    let report = bench(&peer.url("/"), "--scenario echo -c 2 -s 2 -m 1m -r 60 -d 1s").report(0);
    report.assert_counts(&[("messages.sent", 60), ("deliveries.received", 60)]);
    assert!(report.figure("latency_ms.max") >= 500.0, "{report}");
}

/// A search ends where connections fail, and what it reports is the stage before: nothing failed in that.
#[test]
fn the_search_ends_where_connections_fail() {
    let peer = Peer::start(Role::Broadcast, Fault::RefuseBeyond(25, 503));
    let options = "-c 10 -r 50 -d 300ms --until-p95 1s --step 10";
    let report = bench(&peer.url("/"), options).report(0);
    report.assert_counts(&[("search.held", 20), ("connections.opened", 20), ("connections.failed", 0)]);
    report.assert_counts(&[("search.stages.2.connections", 30), ("search.stages.2.broken", 5)]);
}
