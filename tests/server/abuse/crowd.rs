//! More clients than there is room for, and a server that is told to go, or does not run for a while.

use super::{Yard, next_message};
use crate::peer::{CLOSE, Frame, PING, PONG, Peer};
use crate::support::{DEADLINE, Server, program_with_descriptors, until, within};
use std::time::{Duration, Instant};

const PAGE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn past_the_limit_newcomers_are_told_and_the_first_close_lets_the_next_in() {
    let mut yard = Yard::start(&["--max-connections", "12", "-v"]);
    // Two of the twelve are the witnesses, one is for their page.
    let mut inside: Vec<_> = (0..9).map(|_| yard.server.websocket("/")).collect();
    yard.meanwhile();
    inside.push(yard.server.websocket("/"));
    let before = yard.server.cpu_seconds();
    for _ in 0..50 {
        let mut refused = yard.server.connect();
        let response = refused.response();
        assert_eq!((response.status, response.header("retry-after").is_some()), (503, true));
    }
    let mut lingering: Vec<_> = (0..20).map(|_| yard.server.connect()).collect();
    lingering.iter_mut().for_each(|peer| assert_eq!(peer.response().status, 503));
    let spent = yard.server.cpu_seconds() - before;
    assert!(spent < 0.3, "refusing took {spent} s of computing");
    // Those who were refused are still there: they do not count.
    inside.pop();
    within(Duration::from_secs(1), "there is room at once", || yard.server.connect().try_open());
    drop((inside, lingering));
    yard.end();
}

#[test]
fn an_idle_http_connection_gives_way_and_a_websocket_does_not() {
    let yard = Yard::start(&["--max-connections", "10", "-v"]);
    let mut idle: Vec<Peer> = (0..8).map(|_| yard.server.connect()).collect();
    for peer in &mut idle {
        assert_eq!(peer.ask(PAGE).status, 200);
    }
    let mut inside: Vec<_> = (0..8).map(|_| yard.server.websocket("/")).collect();
    // Each took the place of one, the one that was idle longest first.
    idle.iter_mut().for_each(Peer::expect_end);
    yard.server.wait_for_log("was idle and gives way");
    assert_eq!(yard.server.connect().response().status, 503, "nobody is idle any more");
    for peer in &mut inside {
        peer.send(Frame::new(PING, "here").masked());
        assert_eq!(peer.frame(), Frame::new(PONG, "here"));
    }
    drop((idle, inside));
    until("there is room again", || yard.server.connect().try_open());
    yard.end();
}

/// Of a folder, a page that is there is not called missing because there is no descriptor for it.
#[test]
fn without_descriptors_a_page_is_503_and_not_404() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("page.txt"), "here").expect("a file can be written");
    let mut command = program_with_descriptors(40);
    command.args(["--port", "0", "--max-connections", "1000", "--www"]).arg(folder.path());
    let server = Server::spawn(command);
    let request = "GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(server.connect().ask(request).status, 200);
    // In the middle of a request nobody gives way.
    let mut inside: Vec<_> = (0..5).map(|_| server.connect()).collect();
    inside.iter_mut().for_each(|peer| peer.send(&request[..20]));
    let mut crowd = Vec::new();
    until("it has no descriptor left", || {
        crowd.push(server.connect());
        server.log().contains("cannot accept")
    });
    let statuses: Vec<_> = inside.iter_mut().map(|peer| peer.ask(&request[20..]).status).collect();
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&503), "{statuses:?}");
    drop((inside, crowd));
    until("the page is there again", || server.connect().ask(request).status == 200);
}

#[test]
fn a_drain_is_spread_over_its_time() {
    const CLIENTS: usize = 150;
    let mut server = Server::start(&["--drain", "2s"]);
    let mut peers: Vec<_> = (0..CLIENTS).map(|_| server.websocket("/")).collect();
    let began = Instant::now();
    server.signal("TERM");
    let mut times = Vec::new();
    for peer in &mut peers {
        let close = peer.frame();
        assert_eq!((close.opcode, &close.payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
        times.push(began.elapsed());
        peer.send(Frame::close(1001, "").masked());
    }
    let last = times.iter().max().expect("there are some");
    assert!(*last >= Duration::from_millis(800), "all within {last:?}");
    drop(peers);
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

/// The time that the process did not run is not held against its clients.
#[test]
fn a_process_that_was_suspended_gives_nobody_up() {
    let yard = Yard::start(&["--ping", "1s", "--handshake-timeout", "2s"]);
    let mut client = yard.server.websocket("/echo");
    let mut request = yard.server.connect();
    request.send("GET / HTTP/1.1\r\n");
    let suspended = Instant::now();
    yard.server.signal("STOP");
    // Longer than everybody's patience; nothing but time has to pass.
    until("five seconds are over", || suspended.elapsed() > Duration::from_secs(5));
    yard.server.signal("CONT");
    yard.server.wait_for_log("nobody is given up for it");
    request.send("Host: localhost\r\n\r\n");
    assert_eq!(request.response().status, 200, "its request was under way");
    client.send(Frame::text("still here").masked());
    assert_eq!(next_message(&mut client), Frame::text("still here"));
    drop((client, request));
    yard.end();
}
