//! Several formats in one channel: each has its backlog, and none pays for another.

use super::*;

fn subscribe_all(channel: &mut Channel) -> [Seat; 4] {
    let mut key = 0;
    WireFormat::ALL.map(|format| {
        key += 1;
        channel.subscribe(key - 1, format)
    })
}

fn wire(channel: &Channel, seat: Seat) -> Vec<u8> {
    let mut gathered = Gather::new();
    channel.gather(Some(seat), None, &mut gathered);
    gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect()
}

#[test]
fn everybody_is_told_in_its_own_format() {
    let mut channel = channel(10_000, OwnMessages::Deliver);
    let seats = subscribe_all(&mut channel);
    channel.publish(None, &Message::text("Hello"));
    channel.publish(None, &Message::binary(&b"\x01"[..]));
    let frames = &b"\x81\x05Hello\x82\x01\x01"[..];
    let want = [frames, frames, frames, b"\x00Hello\xff"];
    assert_eq!(seats.map(|seat| wire(&channel, seat)), want);
    assert_eq!((channel.take_untold(), channel.take_untold()), (1, 0), "the draft has no binary");
    assert_eq!((channel.len(), channel.backlog_bytes()), (4, 3 * 10 + 7));
    let visited: Vec<_> = std::iter::from_fn(|| channel.next_behind()).collect();
    assert_eq!(visited, [0, 1, 2, 3], "the round goes through all of them");
}

#[test]
fn a_format_nobody_listens_in_costs_nothing() {
    let mut channel = channel(10_000, OwnMessages::Deliver);
    let plain = channel.subscribe(0, WireFormat::Plain);
    let old = channel.subscribe(1, WireFormat::Legacy);
    channel.publish(None, &Message::text("a".repeat(200)));
    assert_eq!(channel.codec().take_effort(), 0, "nothing was compressed");
    assert_eq!(channel.backlog_bytes(), 204 + 202);
    channel.unsubscribe(old);
    assert_eq!(channel.backlog_bytes(), 204, "it goes with the last who listens in it");
    channel.publish(None, &Message::text("b"));
    assert_eq!(channel.head(Some(plain)), 204 + 3);
    assert_eq!(channel.head(None), 0, "who has no seat comes behind nothing");
}

/// One who has taken nothing of what was published in its format is moved or closed; the others are not.
#[test]
fn who_is_too_slow_is_so_in_its_own_format() {
    let mut channel = channel(1_000, OwnMessages::Deliver);
    let seats = subscribe_all(&mut channel);
    seats.iter().for_each(|&seat| channel.set_readiness(seat, Readiness::Blocked));
    // Compressed it is far below the limit of a backlog.
    (0..8).for_each(|_| channel.publish(None, &Message::text("a".repeat(150))));
    let mut keys: Vec<_> = std::iter::from_fn(|| channel.take_verdict()).map(|verdict| verdict.key).collect();
    keys.sort_unstable();
    let want: &[u32] = if cfg!(feature = "deflate") { &[0, 3] } else { &[0, 1, 2, 3] };
    assert_eq!(keys, want);
}

/// Each slice begins with another format: a crowd in one does not keep the others waiting.
#[test]
fn formats_take_turns() {
    let mut channel = channel(100_000, OwnMessages::Deliver);
    let plain: Vec<_> = (0..100).map(|key| channel.subscribe(key, WireFormat::Plain)).collect();
    let deflate = channel.subscribe(100, WireFormat::Deflate);
    for _ in 0..WireFormat::ALL.len() {
        channel.publish(None, &Message::text("x"));
        for _ in 0..10 {
            let Some(key) = channel.next_behind() else { break };
            if key == 100 {
                return;
            }
            channel.advance_to_head(plain[key as usize]);
        }
        channel.review();
    }
    panic!("{deflate:?} was not visited in as many slices as there are formats");
}

/// Own frames are left out by their seat, in whatever format they were published.
#[test]
fn own_frames_are_left_out_in_every_format() {
    let mut channel = channel(10_000, OwnMessages::Skip);
    let seats = subscribe_all(&mut channel);
    for (at, publisher) in seats.into_iter().enumerate() {
        channel.publish(Some(publisher), &Message::text("x"));
        for (other, seat) in seats.into_iter().enumerate() {
            let got = wire(&channel, seat);
            assert_eq!(got.is_empty(), at == other, "{at} has published, {other} hears");
            channel.advance(Some(seat), None, got.len());
        }
    }
    assert!(!seats.into_iter().any(|seat| channel.is_behind(seat)));
}
