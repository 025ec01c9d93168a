//! What peers can make the log say.

use super::Yard;
use crate::peer::handshake;
use crate::support::{Server, within};
use std::time::Duration;

#[test]
fn the_same_complaint_a_thousand_times_is_a_few_lines_and_a_count() {
    let yard = Yard::start(&["-v"]);
    for number in 0..1000 {
        let mut peer = yard.server.connect();
        let status = match number % 2 {
            0 => peer.ask(handshake("/", "Origin: http://elsewhere.example\r\n")).status,
            _ => peer.ask("GET / HTTP/1.1\r\n\r\n").status,
        };
        assert_eq!(status, if number % 2 == 0 { 403 } else { 400 });
    }
    within(Duration::from_secs(15), "they are counted up", || {
        let log = yard.server.log();
        let counted = log.lines().filter_map(|line| line.split_once(" times more within"));
        let counts = counted.filter_map(|(before, _)| before.rsplit(' ').next()?.parse::<u32>().ok());
        counts.filter(|&count| count > 400).count() >= 2
    });
    // The access log has a line for each request, as it should.
    let lines = yard.server.log().lines().filter(|line| !line.contains(" GET / 40")).count();
    assert!(lines < 100, "{lines} lines");
    yard.end();
}

#[test]
fn the_start_says_what_it_holds_itself_to_and_the_end_that_it_went() {
    let mut server =
        Server::start(&["--max-connections", "100", "--backlog", "1m", "--slow-consumer", "skip"]);
    server.wait_for_log(
        "room for 100 connections; messages up to 1 MiB; 1 MiB behind, then moved on; 64 MiB of buffers",
    );
    server.wait_for_log("of memory");
    server.signal("TERM");
    assert_eq!(server.exit_code(crate::support::DEADLINE), Some(0));
    server.wait_for_log("draining 0 connections");
    server.wait_for_log("stopped");
}
