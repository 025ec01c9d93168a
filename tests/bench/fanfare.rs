//! The load generator and the server of this project, together.

use crate::outside::server::Server;
use crate::run::{DEADLINE, Running, bench, bench_command};

/// The address of a channel.
fn url(server: &Server, path: &str) -> String {
    format!("ws://127.0.0.1:{}{path}", server.port())
}

#[test]
fn broadcast() {
    let server = Server::start(&[]);
    let url = url(&server, "/");
    bench(&url, "-c 50 -s 3 -r 500 -d 1s").report(0).assert_clean(50, 50, 64);
    bench(&url, "-c 50 -s 3 -w 2 -d 500ms --binary").report(0).assert_clean(50, 50, 64);
    bench(&url, "--scenario slow --slow 5 -c 10 -r 200 -d 500ms").report(0).assert_clean(15, 10, 64);
}

#[test]
fn echo() {
    let server = Server::start(&[]);
    for options in ["-r 500", "-w 4"] {
        let options = format!("--scenario echo -c 20 -s 20 -d 500ms {options}");
        bench(&url(&server, "/echo"), &options).report(0).assert_clean(20, 1, 64);
    }
}

#[test]
fn connect_and_idle() {
    let server = Server::start(&[]);
    for scenario in ["connect", "idle"] {
        let report = bench(&url(&server, "/"), &format!("--scenario {scenario} -c 20 -d 500ms")).report(0);
        report.assert_causes(&[]);
        assert!(report.count("connections.opened") >= 20, "{report}");
    }
}

#[test]
fn without_the_sender() {
    let server = Server::start(&["--no-self"]);
    bench(&url(&server, "/"), "-c 10 -s 2 -r 200 -d 300ms").report(0).assert_clean(10, 9, 64);
}

/// A server that echoes on every path is told from one that broadcasts.
#[test]
fn only_echo() {
    let server = Server::start(&["--echo"]);
    bench(&url(&server, "/"), "-c 5 -r 100 -d 300ms").assert_gives_up(1, &["--scenario echo"]);
}

#[test]
fn a_foreign_origin() {
    let server = Server::start(&[]);
    let report = bench(&url(&server, "/"), "-c 5 -r 100 -d 300ms --origin https://evil.example").report(1);
    report.assert_causes(&[("HTTP 403", 5)]);
}

#[test]
fn subprotocols() {
    let server = Server::start(&["--protocol", "chat.v2", "--protocol", "chat.v1"]);
    let options = "-c 5 -r 100 -d 300ms --protocol chat.v1 --protocol other";
    bench(&url(&server, "/"), options).report(0).assert_clean(5, 5, 64);
}

/// Whether the server takes the offer or not.
#[test]
fn compression() {
    let server = Server::start(&[]);
    let report = bench(&url(&server, "/"), "-c 5 -r 100 -d 300ms -m 1k --deflate").report(0);
    // What is compressed may be shorter than its payload.
    report.assert_clean(5, 5, 0);
}

/// Messages larger than the server takes: the sender is closed with 1009.
#[test]
fn messages_that_are_too_big() {
    let server = Server::start(&["--max-message", "1k"]);
    let report = bench(&url(&server, "/echo"), "--scenario echo -c 3 -s 3 -r 30 -d 300ms -m 2k");
    assert_eq!(report.code, Some(1), "{report}");
    assert!(format!("{}{}", report.output, report.errors).contains("1009"), "{report}");
}

/// A server that goes away in the middle.
#[cfg(unix)]
#[test]
fn a_server_that_stops() {
    let server = Server::start(&["--drain", "1s"]);
    let stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    let (mut listener, _) = tungstenite::client(url(&server, "/"), stream).expect("the handshake succeeds");
    let load = Running::start(bench_command(&url(&server, "/"), "-c 5 -r 200 -d 20s"));
    for _ in 0..100 {
        listener.read().expect("the load has begun");
    }
    server.stop();
    load.finish().report(1).assert_causes(&[("closed 1001", 5)]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_servers_process() {
    let server = Server::start(&[]);
    let options = format!("-c 50 -s 5 -r 500 -d 1s --pid {}", server.pid());
    let report = bench(&url(&server, "/"), &options).report(0);
    let (cpu, rss) = (report.figure("server.cpu_seconds"), report.count("server.rss_bytes"));
    assert!(cpu > 0.0 && cpu < 2.0, "25,000 deliveries are some work, of one thread: {report}");
    assert!((1 << 20..1 << 30).contains(&rss), "{report}");
    let each = report.figure("server.rss_per_connection");
    assert!((0.0..1e6).contains(&each), "{report}");
}

#[test]
fn a_process_that_is_none() {
    let server = Server::start(&[]);
    let outcome = bench(&url(&server, "/"), "-c 2 -r 50 -d 200ms --pid 4194999");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.errors.contains("4194999"), "{outcome}");
}
