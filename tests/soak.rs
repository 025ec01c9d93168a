//! A server under everything at once, for a while: clients that come, speak and vanish in every way, receivers that do
//! not read, pages, garbage, and in between those who do it right. At the end every message that was due has arrived,
//! in order, once; memory is what it was after the first third (or minute), and no descriptor is left.
//!
//! `FANFARE_SOAK_SECONDS` says how long; without it ten seconds, and sixty where nothing may be left out
//! (`FANFARE_REQUIRE_ALL`).
#![cfg(target_os = "linux")]

#[path = "soak/churn.rs"]
mod churn;
#[path = "soak/course.rs"]
mod course;
#[path = "soak/steady.rs"]
mod steady;

// What the tests of the server have, of which this needs a part.
#[path = "server/peer.rs"]
#[allow(dead_code, reason = "shared with tests/server")]
mod peer;
#[path = "outside/pipe.rs"]
#[allow(dead_code, reason = "shared with tests/server")]
mod pipe;
#[path = "outside/program.rs"]
#[allow(dead_code, reason = "shared with tests/server")]
mod program;
#[path = "server/support.rs"]
#[allow(dead_code, reason = "shared with tests/server")]
mod support;

use course::{Course, Phase};
use std::time::{Duration, Instant};
use support::{Server, within};

/// Beside a tenth: what the allocator keeps here and there differs from rest to rest.
const SLACK_BYTES: u64 = 1 << 20;
/// The same where the warm-up is a few seconds long: it is not warm then.
const SLACK_OF_SHORT_RUNS_BYTES: u64 = 4 << 20;
const SHORT_WARM_UP: Duration = Duration::from_secs(20);
/// Connections that an orderly or disorderly end may still hold for a moment: timeouts of two seconds, and a Close that
/// nobody answers takes five.
const SETTLING: Duration = Duration::from_secs(30);

fn duration() -> Duration {
    let seconds = std::env::var("FANFARE_SOAK_SECONDS").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("FANFARE_SOAK_SECONDS is a number"));
    let is_gate = std::env::var_os("FANFARE_REQUIRE_ALL").is_some();
    Duration::from_secs(seconds.unwrap_or(if is_gate { 60 } else { 10 }))
}

/// At rest: nobody but those who do it right is there.
fn resident_at_rest(server: &Server, descriptors: usize) -> u64 {
    within(SETTLING, "those who vanished are gone", || server.descriptors() == descriptors);
    server.resident_bytes()
}

#[test]
fn everything_at_once_for_a_while() {
    let options = ["-v", "--ping", "2s", "--handshake-timeout", "2s", "--keep-alive", "2s"];
    let limits = ["--backlog", "2m", "--max-message", "256k", "--buffers", "8m"];
    let server = Server::start(&[&options[..], &limits].concat());
    let before = server.descriptors();
    let course = Course::new(server.address());
    let (began, total) = (Instant::now(), duration());
    let warm_up = (total / 3).min(Duration::from_secs(60));
    let (mut warm, mut end) = (0, 0);
    std::thread::scope(|scope| {
        // Whatever fails, the others must hear of it, or the scope would wait for them.
        let _guard = course.end_on_panic();
        let steady = steady::start(scope, &course);
        let at_rest = server.descriptors();
        churn::start(scope, &course);
        course.run_until(began + warm_up);
        course.set(Phase::Rest);
        course.wait_until_all_rest();
        warm = resident_at_rest(&server, at_rest);
        course.set(Phase::Run);
        course.run_until(began + total);
        course.set(Phase::Rest);
        course.wait_until_all_rest();
        end = resident_at_rest(&server, at_rest);
        course.set(Phase::End);
        steady::expect_everything(steady, &course);
    });
    within(SETTLING, "no descriptor is left", || server.descriptors() == before);
    server.assert_serves();
    assert!(server.log().contains("is too slow"), "receivers that never read had their verdict");
    println!(
        "{:.0?}: {}; resident {} KiB warm, {} KiB at the end, {} KiB at most",
        began.elapsed(),
        course.summary(),
        warm >> 10,
        end >> 10,
        server.peak_bytes() >> 10
    );
    let slack = if warm_up < SHORT_WARM_UP { SLACK_OF_SHORT_RUNS_BYTES } else { SLACK_BYTES };
    assert!(end <= warm + warm / 10 + slack, "{warm} bytes were resident when warm, {end} at the end");
}
