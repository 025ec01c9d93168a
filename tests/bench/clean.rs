//! Servers that do nothing wrong, whatever they look like: each scenario ends with 0, and its figures agree.

use crate::outside::program::comes_true;
use crate::peer::{Fault, Peer, Role, Seen};
use crate::run::{Report, at_once, bench};
use std::time::Duration;

/// The program has ended, and what it sent is on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every client owes a server: valid requests and frames, keys that differ, and a Close at the end.
#[track_caller]
fn assert_well_behaved(seen: &Seen, connections: u64) {
    assert_eq!(seen.violations(), Vec::<String>::new());
    assert_eq!(seen.keys_repeated.get(), 0, "each frame has a key of its own");
    // The peer may read its last Close when the program has ended.
    let are_closed = comes_true(PATIENCE, || seen.closed_normally.get() >= connections);
    assert!(are_closed, "each of {connections} was closed with 1000 or 1001: {seen:?}");
    let requests = seen.requests();
    let mut keys: Vec<_> = requests.iter().filter_map(|head| head.header("Sec-WebSocket-Key")).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), requests.len(), "each handshake has a key of its own");
}

/// What a scenario without messages has no figure for.
#[track_caller]
fn assert_has_no_messages(report: &Report) {
    let groups = [
        ("messages", &["sent", "per_second"][..]),
        ("deliveries", &["expected", "received", "lost", "duplicated", "reordered", "corrupt", "per_second"]),
        ("spread_ms", &["p50", "p99", "max"]),
    ];
    for (group, keys) in groups {
        for key in keys {
            assert!(report.is_null(&format!("{group}.{key}")), "{group}.{key} in {report}");
        }
    }
    assert!(report.is_null("reach"), "{report}");
}

#[test]
fn broadcast_in_the_open_loop() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let outcome = bench(&peer.url("/"), "--scenario broadcast -c 20 -s 2 -r 200 -d 1s");
    let report = outcome.report(0);
    report.assert_clean(20, 20, 64);
    assert_eq!((report.text("url"), report.text("scenario")), (peer.url("/").as_str(), "broadcast"));
    assert!((report.figure("seconds") - 1.0).abs() < 0.05, "{report}");
    let sent = report.count("messages.sent");
    assert!((198..=202).contains(&sent), "200 a second for a second are {sent}");
    assert!(report.figure("spread_ms.p50") > 0.0, "20 receivers are not served at once: {report}");
    assert!(report.figure("connections.per_second") > 20.0, "20 do not take a second: {report}");
    for key in ["cpu_seconds", "rss_bytes", "rss_per_connection"] {
        assert!(report.is_null(&format!("server.{key}")), "without --pid: {report}");
    }
    assert_well_behaved(peer.seen(), 20);
}

/// The rate is that of all senders together, each has its part, and no message is sent in a burst at the end.
#[test]
fn every_connection_may_send() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let report = bench(&peer.url("/"), "-c 10 -s 10 -r 300 -d 500ms").report(0);
    report.assert_clean(10, 10, 64);
    let sent = report.count("messages.sent");
    assert!((147..=153).contains(&sent), "300 a second for half a second are {sent}");
}

/// Who waits for the next message, or for nothing at all, does not compute meanwhile.
#[test]
fn a_little_load_is_little_work() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    for options in ["-c 3 -r 20 -d 500ms", "--scenario idle -c 10 -d 500ms"] {
        let report = bench(&peer.url("/"), options).report(0);
        assert!(report.figure("generator.cpu_share") < 0.5, "{report}");
        assert!(!report.flag("generator.bottleneck"), "{report}");
    }
}

#[test]
fn broadcast_in_the_closed_loop() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    for options in ["-c 5 -s 2 -d 300ms", "-c 5 -s 2 -w 8 -d 300ms"] {
        bench(&peer.url("/"), options).report(0).assert_clean(5, 5, 64);
    }
}

#[test]
fn echo_in_both_loops() {
    let peer = Peer::start(Role::Echo, Fault::None);
    for options in ["-r 300", "-w 1", "-w 16"] {
        let options = format!("--scenario echo -c 10 -s 5 -d 300ms {options}");
        let report = bench(&peer.url("/echo"), &options).report(0);
        report.assert_clean(10, 1, 64);
        assert!(report.is_null("spread_ms.p50"), "one receiver has no spread: {report}");
    }
    assert_well_behaved(peer.seen(), 30);
}

#[test]
fn connect_opens_again_and_again() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let report = bench(&peer.url("/"), "--scenario connect -c 10 -d 500ms").report(0);
    report.assert_causes(&[]);
    let opened = report.count("connections.opened");
    // Each time one is opened, it was asked for.
    let counts = [("connections.asked", opened), ("connections.failed", 0), ("connections.lost", 0)];
    report.assert_counts(&counts);
    assert_has_no_messages(&report);
    assert!(opened > 20, "half a second is enough for more than two each: {report}");
    let (rate, want) = (report.figure("connections.per_second"), opened as f64 / report.figure("seconds"));
    assert!((rate - want).abs() <= want / 10.0, "{want} a second: {report}");
    assert!(report.figure("latency_ms.p50") > 0.0, "a handshake takes its time: {report}");
    assert!(peer.seen().opened.get() >= opened, "the peer opened {:?}", peer.seen().opened);
    assert!(report.count("bytes.received") > opened * 100, "a response is longer: {report}");
    assert_eq!(peer.seen().violations(), Vec::<String>::new());
}

#[test]
fn idle_opens_and_holds() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let report = bench(&peer.url("/"), "--scenario idle -c 50 -d 300ms").report(0);
    report.assert_causes(&[]);
    report.assert_counts(&[("connections.asked", 50), ("connections.opened", 50)]);
    assert_has_no_messages(&report);
    assert_eq!((peer.seen().opened.get(), peer.seen().messages.get()), (50, 0));
    assert_well_behaved(peer.seen(), 50);
}

/// Those that never read are connections, and no receivers.
#[test]
fn slow_receivers_are_no_receivers() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let report = bench(&peer.url("/"), "--scenario slow --slow 3 -c 10 -r 200 -d 500ms").report(0);
    report.assert_clean(13, 10, 64);
    assert_eq!(peer.seen().opened.get(), 13);
}

#[test]
fn payloads_of_every_length_in_text_and_binary() {
    let rows = [("28", 28), ("125", 125), ("126", 126), ("65535", 65_535), ("64k", 65_536), ("1m", 1 << 20)];
    at_once(&rows, |(size, bytes)| {
        let peer = Peer::start(Role::Broadcast, Fault::None);
        for kind in ["", "--binary"] {
            let options = format!("-c 3 -r 20 -d 200ms -m {size} {kind}");
            bench(&peer.url("/"), &options).report(0).assert_clean(3, 3, *bytes);
        }
        assert_eq!(peer.seen().violations(), Vec::<String>::new());
    });
}

/// None of it is a fault, and none may look like one.
#[test]
fn what_only_looks_odd() {
    let rows = [Fault::Greeting, Fault::TextAsBinary, Fault::Fragmented, Fault::PingFlood];
    at_once(&rows, |&fault| {
        let peer = Peer::start(Role::Broadcast, fault);
        let report = bench(&peer.url("/"), "-c 5 -s 2 -r 200 -d 500ms").report(0);
        report.assert_clean(5, 5, 64);
        let pinged = matches!(fault, Fault::Fragmented | Fault::PingFlood);
        assert_eq!(peer.seen().pongs.get() > 0, pinged, "a ping is answered: {fault:?}");
        assert_eq!(peer.seen().violations(), Vec::<String>::new(), "{fault:?}");
    });
}

#[test]
fn a_byte_at_a_time() {
    let peer = Peer::start(Role::Broadcast, Fault::OneByteWrites);
    bench(&peer.url("/"), "-c 2 -r 20 -d 300ms").report(0).assert_clean(2, 2, 64);
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("socket");
    let peer = Peer::start_on_unix(&path, Role::Broadcast);
    let url = format!("ws+unix:{}:/a/path?with=query", path.display());
    let report = bench(&url, "-c 10 -r 100 -d 300ms").report(0);
    report.assert_clean(10, 10, 64);
    assert_eq!(report.text("url"), url);
    assert!(peer.seen().requests().iter().all(|head| head.target == "/a/path?with=query"));
    assert_eq!(peer.seen().violations(), Vec::<String>::new());
}

#[test]
fn over_ipv6() {
    let Ok(peer) = Peer::start_on_ipv6(Role::Broadcast) else {
        return eprintln!("skipped: there is no ::1");
    };
    bench(&peer.url("/"), "-c 10 -r 100 -d 300ms").report(0).assert_clean(10, 10, 64);
    let host = format!("[::1]:{}", peer.address().port());
    assert_eq!(peer.seen().requests()[0].header("Host"), Some(host.as_str()));
}

#[test]
fn to_a_host_name() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    // ::1 may come first, where nobody listens: the next address of the name is tried.
    let url = format!("ws://localhost:{}/", peer.address().port());
    bench(&url, "-c 5 -r 100 -d 300ms").report(0).assert_clean(5, 5, 64);
    let host = format!("localhost:{}", peer.address().port());
    assert_eq!(peer.seen().requests()[0].header("Host"), Some(host.as_str()));
}
