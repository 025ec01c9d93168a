//! Who tries to make the server keep things: halves of messages and requests, answers nobody takes, lengths.

use super::{Yard, close_code};
use crate::folder::folder;
use crate::pages::get;
use crate::peer::{BINARY, CONTINUATION, DEFLATE, Frame, Peer, TEXT, header};
use crate::support::until;
use std::io::{BufWriter, Write};

const BUDGET: &str = "8m";
/// The budget, what is free of each of a hundred connections, and the allocator's share.
const GROWTH_MAX: u64 = (8 << 20) + 100 * 4096 + (4 << 20);

/// How each of them ends: with a code, or without.
fn codes(peers: &mut [Peer]) -> Vec<Option<u16>> {
    peers.iter_mut().map(close_code).collect()
}

#[test]
fn halves_of_messages_are_refused_when_the_budget_is_used_up() {
    let mut yard = Yard::start(&["--buffers", BUDGET]);
    let half = [header(true, BINARY, 1 << 20), vec![7; 1 << 19]].concat();
    // They hear no broadcast: what comes is a Close.
    let mut peers: Vec<_> = (0..60).map(|_| yard.server.websocket("/echo")).collect();
    for peer in &mut peers {
        // Who is refused in the middle of it may have closed already.
        let _ = peer.stream().write_all(&half);
    }
    let is_told = |peer: &Peer| {
        peer.stream().set_nonblocking(true).expect("it can be set");
        let is_told = peer.stream().peek(&mut [0]).is_ok();
        peer.stream().set_nonblocking(false).expect("it can be set");
        is_told
    };
    until("most are refused", || peers.iter().filter(|peer| is_told(peer)).count() >= 40);
    yard.meanwhile();
    let growth = yard.growth();
    assert!(growth < GROWTH_MAX, "{growth} bytes for a budget of {BUDGET}");
    for peer in peers.iter_mut().filter(|peer| is_told(peer)) {
        assert_eq!(close_code(peer), Some(1013));
    }
    // A small message in pieces works all the same.
    let mut small = yard.server.websocket("/echo");
    small.send(Frame::begun(TEXT, "small ").masked());
    yard.meanwhile();
    small.send(Frame::new(CONTINUATION, "one").masked());
    assert_eq!(small.frame(), Frame::text("small one"));
    drop(small);
    drop(peers);
    // And a large one when they are gone.
    until("there is room again", || {
        let mut large = yard.server.websocket("/echo");
        large.send(&half);
        large.send(vec![7; 1 << 19]);
        large.try_frame().is_ok_and(|frame| frame.opcode == BINARY && frame.payload.len() == 1 << 20)
    });
    yard.end();
}

/// Those who came first do not shut out the others: who keeps the most gives way.
#[test]
fn who_keeps_the_most_gives_way_to_who_keeps_less() {
    let yard = Yard::start(&["--buffers", BUDGET, "-v"]);
    let mut greedy: Vec<_> = (0..20).map(|_| yard.server.websocket("/echo")).collect();
    for peer in &mut greedy {
        let _ = peer.stream().write_all(&[header(true, BINARY, 1 << 20), vec![7; 900_000]].concat());
    }
    for _ in 0..20 {
        let mut modest = yard.server.websocket("/echo");
        let large = Frame::new(BINARY, vec![1; 500_000]);
        modest.send(large.masked());
        assert!(modest.frame() == large, "a large message, though memory was used up");
        // The greedy fill up what was freed.
        let next = yard.server.websocket("/echo");
        let _ = next.stream().write_all(&[header(true, BINARY, 1 << 20), vec![7; 900_000]].concat());
        greedy.push(next);
    }
    yard.server.wait_for_log("kept the most when memory ran out");
    let growth = yard.growth();
    assert!(growth < GROWTH_MAX, "{growth} bytes for a budget of {BUDGET}");
    let ends: Vec<_> = greedy
        .iter_mut()
        .filter_map(|peer| {
            peer.stream()
                .set_read_timeout(Some(std::time::Duration::from_millis(100)))
                .expect("it can be set");
            close_code(peer)
        })
        .collect();
    assert!(ends.len() > 20 && ends.iter().all(|&code| code == 1013), "{ends:?}");
    drop(greedy);
    yard.end();
}

/// Pages that nobody takes: more of them than are kept for all, so that each is a copy of somebody's own.
#[test]
fn who_takes_none_of_many_pages_gives_way_as_well() {
    const PAGES: usize = 80;
    let names: Vec<_> = (0..PAGES).map(|number| format!("{number}.bin")).collect();
    let content = vec![b'x'; 60_000];
    let mut files: Vec<_> = names.iter().map(|name| (&**name, &content[..])).collect();
    files.push(("index.html", b"<p>home"));
    let www = folder(&files);
    let www = www.path().to_str().expect("a name in UTF-8");
    let mut yard = Yard::start(&["--www", www, "--buffers", "4m", "-v"]);
    let greedy: Vec<_> = (0..60)
        .map(|number| {
            let mut peer = yard.server.connect();
            let asked = (0..100).map(|page| get(&format!("/{}", names[(number * 7 + page) % PAGES])));
            peer.send(asked.collect::<String>());
            peer
        })
        .collect();
    yard.meanwhile();
    for _ in 0..20 {
        let mut modest = yard.server.websocket("/echo");
        let large = Frame::new(BINARY, vec![1; 200_000]);
        modest.send(large.masked());
        assert!(modest.frame() == large, "a large message, though memory was used up");
    }
    yard.server.wait_for_log("kept the most when memory ran out");
    let growth = yard.growth();
    assert!(growth < (4 << 20) + 100 * 4096 + (4 << 20), "{growth} bytes for a budget of 4 MiB");
    drop(greedy);
    yard.end();
}

#[test]
fn a_message_that_would_never_fit_is_1009() {
    let yard = Yard::start(&["--buffers", "1m", "--max-message", "16m"]);
    let mut peer = yard.server.websocket("/");
    peer.send([header(true, BINARY, 8 << 20), vec![7; 1 << 20]].concat());
    let _ = peer.stream().write_all(&vec![7; 1 << 20]);
    assert_eq!(close_code(&mut peer), Some(1009));
    drop(peer);
    yard.end();
}

#[test]
fn halves_of_requests_are_refused_as_well() {
    let mut yard = Yard::start(&["--buffers", "1m"]);
    let half = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(15_000));
    let mut peers: Vec<_> = (0..200).map(|_| yard.server.connect()).collect();
    peers.iter_mut().for_each(|peer| peer.send(&half));
    yard.meanwhile();
    let growth = yard.growth();
    assert!(growth < (1 << 20) + 200 * 4096 + (4 << 20), "{growth} bytes for a budget of 1 MiB");
    // The last of them found nothing left.
    assert_eq!(peers.last_mut().expect("there are some").response().status, 503);
    drop(peers);
    yard.end();
}

/// Each may be owed 256 KiB; all of them together what the budget has.
#[test]
fn answers_that_nobody_takes_have_one_budget() {
    let mut yard = Yard::start(&["--buffers", BUDGET]);
    let echo = Frame::new(BINARY, vec![7; 60_000]).masked();
    let pages = "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2000);
    let mut peers = Vec::new();
    for number in 0..60 {
        let mut peer = yard.server.connect();
        let said = if number % 2 == 0 {
            peer.open("/echo");
            &echo[..]
        } else {
            pages.as_bytes()
        };
        peer.stream().set_nonblocking(true).expect("it can be set");
        peers.push((peer, said));
    }
    // A few rounds, each as much as a socket takes.
    for _ in 0..40 {
        for (peer, said) in &peers {
            while peer.stream().write(said).is_ok_and(|taken| taken == said.len()) {}
        }
        yard.meanwhile();
    }
    let growth = yard.growth();
    assert!(growth < GROWTH_MAX, "{growth} bytes for a budget of {BUDGET}");
    drop(peers);
    yard.end();
}

#[test]
fn a_million_fragments_of_a_byte_are_one_message_and_one_more_is_too_many() {
    const FRAGMENTS: usize = 1 << 20;
    let yard = Yard::start(&["--max-message", "1m"]);
    let mut peer = yard.server.websocket("/echo");
    let mut wire =
        BufWriter::with_capacity(60_000, peer.stream().try_clone().expect("a socket can be shared"));
    for at in 0..FRAGMENTS {
        let opcode = if at == 0 { TEXT } else { CONTINUATION };
        let fragment = Frame { fin: at == FRAGMENTS - 1, opcode, payload: vec![b'x'] };
        wire.write_all(&fragment.masked()).expect("the server takes it");
    }
    wire.flush().expect("the server takes it");
    assert!(peer.frame() == Frame::new(TEXT, vec![b'x'; FRAGMENTS]));
    wire.write_all(&Frame { fin: false, opcode: TEXT, payload: vec![b'x'; FRAGMENTS] }.masked())
        .expect("taken");
    wire.write_all(&Frame { fin: false, opcode: CONTINUATION, payload: vec![b'x'] }.masked()).expect("taken");
    wire.flush().expect("the server takes it");
    assert_eq!(close_code(&mut peer), Some(1009));
    drop((wire, peer));
    yard.end();
}

#[test]
fn a_million_empty_fragments_cost_nothing() {
    let mut yard = Yard::start(&[]);
    let mut peer = yard.server.websocket("/echo");
    peer.send(Frame::begun(TEXT, "").masked());
    let empty = Frame::begun(CONTINUATION, "").masked().repeat(10_000);
    for _ in 0..100 {
        peer.send(&empty);
    }
    yard.meanwhile();
    assert!(yard.growth() < 1 << 20, "{} bytes", yard.growth());
    peer.send(Frame::new(CONTINUATION, "the end").masked());
    assert_eq!(peer.frame(), Frame::text("the end"));
    drop(peer);
    yard.end();
}

#[test]
fn lengths_that_are_none_are_not_believed() {
    let mut yard = Yard::start(&[]);
    let rows = [(1_u64 << 63, 1002), ((1 << 63) - 1, 1009), (u64::MAX, 1002), (1 << 32, 1009)];
    let mut peers: Vec<_> = rows.iter().map(|_| yard.server.websocket("/")).collect();
    for (peer, (length, _)) in peers.iter_mut().zip(rows) {
        peer.send([&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat());
    }
    assert_eq!(codes(&mut peers), rows.map(|(_, code)| Some(code)));
    yard.meanwhile();
    let mut requests = [u64::MAX.to_string(), "9".repeat(40)].map(|length| {
        let mut peer = yard.server.connect();
        peer.send(format!("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"));
        peer
    });
    for peer in &mut requests {
        let status = peer.response().status;
        assert!([400, 413].contains(&status), "{status}");
    }
    drop((peers, requests));
    yard.end();
}

/// The limit that the log says at the start, in bytes.
fn memory_limit(yard: &Yard) -> u64 {
    let log = yard.server.log();
    let (_, rest) = log.split_once("at most ").expect("the start says it");
    let (mebibytes, _) = rest.split_once(" MiB of memory").expect("in MiB");
    mebibytes.parse::<u64>().expect("a number") << 20
}

/// Everything that takes memory, all at once: the process stays below what its bounds add up to.
#[test]
fn all_of_it_at_once_stays_below_the_sum_of_the_bounds() {
    const EACH: usize = 90;
    let limits = ["--buffers", "16m", "--backlog", "4m", "--max-message", "1m", "--max-connections", "500"];
    let mut yard = Yard::start(&[&limits[..], &["--slow-consumer", "skip"]].concat());
    let limit = memory_limit(&yard);
    assert!(limit < 80 << 20, "{limit}: the bounds of this test are small");
    let half = [header(true, BINARY, 1 << 20), vec![7; 900_000]].concat();
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(15_000));
    let echo = Frame::new(BINARY, vec![7; 100_000]).masked();
    let mut crowd: Vec<(Peer, &[u8])> = Vec::new();
    for _ in 0..EACH {
        crowd.push((yard.server.websocket("/echo"), &half));
        crowd.push((yard.server.connect(), request.as_bytes()));
        crowd.push((yard.server.websocket("/echo"), &echo));
        crowd.push((yard.server.websocket("/"), &[])); // hears all, and reads nothing
        crowd.push((yard.server.websocket_with("/", DEFLATE), &[])); // the same, in a backlog of its own
    }
    crowd.iter().for_each(|(peer, _)| peer.stream().set_nonblocking(true).expect("it can be set"));
    // Less than each of them keeps: it is not the one that gives way.
    let loud = Frame::new(BINARY, vec![9; 60_000]);
    for _ in 0..100 {
        for (peer, said) in crowd.iter().filter(|(_, said)| !said.is_empty()) {
            while peer.stream().write(said).is_ok_and(|taken| taken == said.len()) {}
        }
        yard.witnesses[0].send(loud.masked());
        yard.witnesses.iter_mut().for_each(|witness| assert_eq!(super::next_message(witness), loud));
        yard.meanwhile();
    }
    let peak = yard.server.peak_bytes();
    assert!(peak < limit, "{peak} bytes of {limit}");
    drop(crowd);
    until("they are gone", || yard.server.descriptors() == yard.descriptors);
    yard.meanwhile();
    println!("{} KiB at most, of {} KiB", peak >> 10, limit >> 10);
    yard.server.assert_serves();
}
