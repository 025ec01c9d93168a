//! Receivers that take k bytes a turn, beside the naive model: a queue for each.

mod formats;

use super::*;
use crate::backlog::Boundary;
use crate::config::{OwnMessages, SlowConsumer};
use crate::limits::{Limits, READ_BYTES_PER_TURN};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;

fn channel(backlog_bytes_max: usize, own_messages: OwnMessages) -> Channel {
    let limits = Limits { backlog_bytes_max, ..Limits::default() };
    Channel::with_segments(&Config { limits, own_messages, ..Config::default() }, 32)
}

/// A receiver in memory: its socket has room for so many bytes, and its model is a queue of its own.
struct Receiver {
    seat: Seat,
    room: usize,
    got: Vec<u8>,
    model: VecDeque<u8>,
    evicted: bool,
}

struct World {
    channel: Channel,
    receivers: Vec<Receiver>,
    own_messages: OwnMessages,
}

impl World {
    fn new(receivers: usize, backlog_bytes_max: usize, own_messages: OwnMessages) -> Self {
        let mut channel = channel(backlog_bytes_max, own_messages);
        let receivers = (0..receivers)
            .map(|key| Receiver {
                seat: channel.subscribe(key as u32, WireFormat::Plain),
                room: 0,
                got: Vec::new(),
                model: VecDeque::new(),
                evicted: false,
            })
            .collect();
        Self { channel, receivers, own_messages }
    }

    fn publish(&mut self, from: usize, payload: &[u8]) {
        let message = Message::binary(payload);
        let mut room = Vec::new();
        let frame =
            WireFormat::Plain.frame(&message, self.channel.codec(), &mut room).expect("it can be said");
        let frame = frame.parts().concat();
        self.channel.publish(Some(self.receivers[from].seat), &message);
        for (key, receiver) in self.receivers.iter_mut().enumerate() {
            if !receiver.evicted && (key != from || self.own_messages == OwnMessages::Deliver) {
                receiver.model.extend(&frame);
            }
        }
        while let Some(Verdict { key, on_the_wire, .. }) = self.channel.take_verdict() {
            self.receivers[key as usize].evict(on_the_wire);
            self.channel.unsubscribe(self.receivers[key as usize].seat);
        }
    }

    /// A receiver has read: its socket takes `room` bytes more.
    fn make_room(&mut self, key: usize, room: usize) {
        let receiver = &mut self.receivers[key];
        receiver.room = receiver.room.saturating_add(room);
        if !receiver.evicted {
            self.channel.set_readiness(receiver.seat, Readiness::Writable);
            self.write(key);
        }
    }

    fn flush(&mut self, mut writes: usize) {
        while writes > 0
            && let Some(key) = self.channel.next_behind()
        {
            self.write(key as usize);
            writes -= 1;
        }
        self.channel.review();
    }

    /// Writes until the socket is full or nothing is left.
    fn write(&mut self, key: usize) {
        let receiver = &mut self.receivers[key];
        while self.channel.is_behind(receiver.seat) {
            let mut gathered = Gather::new();
            self.channel.gather(Some(receiver.seat), None, &mut gathered);
            let offered: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect();
            let written = offered.len().min(receiver.room);
            receiver.room -= written;
            receiver.take(&offered[..written]);
            self.channel.advance(Some(receiver.seat), None, written);
            if written < offered.len() {
                self.channel.set_readiness(receiver.seat, Readiness::Blocked);
                return;
            }
        }
    }
}

impl Receiver {
    fn take(&mut self, wire: &[u8]) {
        let want: Vec<u8> = self.model.drain(..wire.len().min(self.model.len())).collect();
        assert_eq!(wire, want, "what a queue of its own would have given");
        self.got.extend(wire);
    }

    /// What is left of the frame on the wire still comes; the rest of the model does not.
    fn evict(&mut self, on_the_wire: OnTheWire) {
        self.evicted = true;
        match on_the_wire {
            OnTheWire::Begun(frame, taken) => self.take(&frame.bytes()[taken..]),
            OnTheWire::Nothing => {}
            OnTheWire::Lost => panic!("there is memory enough"),
        }
    }
}

/// Whether bytes are whole frames, with payloads below 126 bytes.
fn are_whole_frames(mut wire: &[u8]) -> bool {
    while let Some((&[_, length], rest)) = wire.split_first_chunk() {
        let Some(next) = rest.get(usize::from(length)..) else { return false };
        wire = next;
    }
    wire.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn agrees_with_a_queue_per_receiver(
        steps in prop::collection::vec((0_usize..4, 0_usize..40, 0_usize..60, 0_usize..4), 0..80),
        backlog in 1_usize..400,
        no_self: bool,
    ) {
        let own_messages = if no_self { OwnMessages::Skip } else { OwnMessages::Deliver };
        let mut world = World::new(4, backlog, own_messages);
        for (key, length, room, writes) in steps {
            world.publish(key, &vec![length as u8; length]);
            world.make_room((key + length) % 4, room);
            world.flush(writes);
        }
        for key in 0..4 {
            world.make_room(key, usize::MAX);
        }
        world.flush(usize::MAX);
        for receiver in &world.receivers {
            if !receiver.evicted {
                prop_assert!(receiver.model.is_empty(), "everything came");
            }
            prop_assert!(are_whole_frames(&receiver.got) || receiver.evicted);
        }
        prop_assert_eq!(world.channel.backlog_bytes(), 0, "nothing is held when all have it");
    }
}

#[test]
fn the_slow_one_is_evicted_behind_its_frame_and_the_others_lose_nothing() {
    let mut world = World::new(3, 1_000, OwnMessages::Deliver);
    world.receivers[0].room = usize::MAX;
    world.receivers[2].room = usize::MAX;
    world.receivers[1].room = 150;
    for _ in 0..30 {
        world.publish(0, &[7; 100]);
        world.flush(usize::MAX);
        let held = world.channel.backlog_bytes();
        assert!(held <= 1_000 + 102, "{held} bytes are held");
    }
    assert!(world.receivers[1].evicted);
    assert_eq!(world.receivers[1].got.len(), 2 * 102, "whole frames");
    for key in [0, 2] {
        assert_eq!((world.receivers[key].got.len(), world.receivers[key].evicted), (30 * 102, false));
    }
    assert_eq!(world.channel.backlog_bytes(), 0);
}

#[test]
fn many_small_messages_have_a_limit_too() {
    let mut world = World::new(2, 64 * size_of::<Boundary>(), OwnMessages::Deliver);
    world.receivers[0].room = usize::MAX;
    for _ in 0..200 {
        world.publish(0, b"");
        world.flush(usize::MAX);
        assert!(world.channel.feeds[0].backlog.len() <= 64 + 1);
    }
    assert!(world.receivers[1].evicted);
}

#[test]
fn who_was_not_visited_is_not_blamed() {
    let mut world = World::new(2, 1_000, OwnMessages::Deliver);
    for _ in 0..50 {
        world.publish(0, &[7; 100]);
    }
    assert!(world.channel.is_congested(), "publishing should have paused");
    assert!(world.receivers.iter().all(|receiver| !receiver.evicted));
    world.receivers[0].room = usize::MAX;
    world.receivers[1].room = usize::MAX;
    world.flush(usize::MAX);
    assert!(!world.channel.is_congested());
    assert_eq!(world.receivers[1].got.len(), 50 * 102);
}

#[test]
fn a_newcomer_in_an_old_seat_hears_whole_messages_from_now_on() {
    let mut world = World::new(2, 1_000, OwnMessages::Skip);
    world.receivers[0].room = usize::MAX;
    world.publish(1, b"before");
    world.channel.unsubscribe(world.receivers[1].seat);
    world.receivers[1].seat = world.channel.subscribe(1, WireFormat::Plain);
    world.receivers[1].model.clear();
    world.receivers[1].room = usize::MAX;
    world.publish(0, b"after");
    world.flush(usize::MAX);
    assert_eq!(world.receivers[1].got, b"\x82\x05after");
    assert_eq!(world.receivers[0].got, b"\x82\x06before");
}

#[test]
fn a_round_goes_on_where_its_slice_stopped() {
    let mut world = World::new(5, 1_000, OwnMessages::Deliver);
    (0..5).for_each(|key| world.make_room(key, usize::MAX));
    world.publish(0, b"x");
    let firsts: Vec<_> = (0..5).map_while(|_| world.channel.next_behind()).collect();
    assert_eq!(firsts, [0, 1, 2, 3, 4]);
    assert_eq!(world.channel.next_behind(), None);
}

#[test]
fn a_listener_is_offered_all_in_one_piece() {
    let mut channel = channel(1_000, OwnMessages::Skip);
    let [one, other] = [channel.subscribe(0, WireFormat::Plain), channel.subscribe(1, WireFormat::Plain)];
    assert_eq!(channel.rest(one), None, "nothing was said");
    channel.publish(Some(other), &Message::text("a"));
    channel.publish(Some(other), &Message::text("b"));
    assert_eq!(channel.rest(one), Some(&b"\x81\x01a\x81\x01b"[..]));
    assert_eq!(channel.rest(other), None, "some of it is left out");
    channel.advance_to_head(one);
    assert_eq!(channel.rest(one), None, "it has taken everything");
    channel.advance(Some(other), None, 0);
    assert_eq!((channel.next_behind(), channel.backlog_bytes()), (None, 0));
}

#[test]
fn those_in_the_same_frame_share_its_rest() {
    let mut channel = channel(100, OwnMessages::Deliver);
    let seats = [channel.subscribe(0, WireFormat::Plain), channel.subscribe(1, WireFormat::Plain)];
    channel.publish(None, &Message::binary(vec![7; 90]));
    for (seat, written) in seats.into_iter().zip([10, 50]) {
        channel.advance(Some(seat), None, written);
        channel.set_readiness(seat, Readiness::Blocked);
    }
    channel.publish(None, &Message::binary(vec![7; 90]));
    let on_the_wire =
        [channel.take_verdict(), channel.take_verdict()].map(|one| one.map(|one| one.on_the_wire));
    let [Some(OnTheWire::Begun(first, one)), Some(OnTheWire::Begun(second, other))] = on_the_wire else {
        panic!("both are too slow")
    };
    assert!(Rc::ptr_eq(&first, &second), "one copy");
    assert_eq!(
        [one, other].map(|taken| first.bytes().len() - taken),
        [92 - 50, 92 - 10],
        "each has its own rest"
    );
    assert!(channel.budget().lent() == 0, "a small one is free");
}

#[test]
fn what_was_published_to_nobody_congests_nothing() {
    let mut channel = channel(1_000, OwnMessages::Deliver);
    let seat = channel.subscribe(0, WireFormat::Plain);
    channel.publish(None, &Message::binary(vec![7; 400]));
    channel.unsubscribe(seat);
    channel.publish(None, &Message::binary(vec![7; 400]));
    assert_eq!(channel.next_behind(), None);
    channel.subscribe(1, WireFormat::Plain);
    channel.publish(None, &Message::text("x"));
    assert!(!channel.is_congested());
}

/// As the loop does it: a sender is heard while the channel is not congested, the flush has a slice a turn.
/// However small the slice, receivers that take everything are not evicted, and what is held has a bound.
#[test]
fn a_flood_waits_for_the_round() {
    let mut world = World::new(50, 4_000, OwnMessages::Deliver);
    (0..50).for_each(|key| world.make_room(key, usize::MAX));
    for _ in 0..5_000 {
        if !world.channel.is_congested() {
            world.publish(0, &[7; 100]);
        }
        world.flush(1);
        let held = world.channel.backlog_bytes();
        assert!(held <= 4_000, "{held} bytes are held");
    }
    assert!(world.receivers.iter().all(|receiver| !receiver.evicted && !receiver.got.is_empty()));
}

/// As the loop does it, with sockets that take all they are offered, which is less a visit than is published between
/// two: who has more to take comes again beside the round, a few a slice.
#[test]
fn whoever_takes_all_it_is_offered_is_waited_for() {
    const LIMIT: u64 = 32 * 1024;
    for (own_messages, payload) in [(OwnMessages::Deliver, 100), (OwnMessages::Skip, 2)] {
        let mut channel = channel(LIMIT as usize, own_messages);
        let seats: Vec<_> = (0..8).map(|key| channel.subscribe(key, WireFormat::Plain)).collect();
        let (mut again, mut taken) = (VecDeque::new(), 0);
        for _ in 0..500 {
            while !channel.is_congested() {
                channel.publish(Some(seats[0]), &Message::binary(vec![0; payload]));
            }
            for _ in 0..4 {
                let Some(key) = channel.next_behind().or_else(|| again.pop_front()) else { break };
                let seat = seats[key as usize];
                let mut gathered = Gather::new();
                channel.gather(Some(seat), None, &mut gathered);
                let offered = gathered.bytes();
                taken += offered;
                channel.advance(Some(seat), None, offered);
                if channel.is_behind(seat) && !again.contains(&key) {
                    again.push_back(key);
                }
            }
            channel.review();
            let held = channel.backlog_bytes();
            assert!(held <= LIMIT + LIMIT / 8, "{held} bytes are held, and at most {LIMIT} may be");
        }
        assert!(taken > 1_000_000, "senders are heard again: {taken} bytes");
    }
}

/// Senders do not wait for one that takes nothing, however far behind it is: the next message is its end.
#[test]
fn nobody_waits_for_one_that_takes_nothing() {
    let mut channel = channel(1_000, OwnMessages::Deliver);
    let seats = [channel.subscribe(0, WireFormat::Plain), channel.subscribe(1, WireFormat::Plain)];
    channel.publish(None, &Message::binary(vec![0; 5_000]));
    assert!(channel.is_congested(), "nobody was offered anything yet");
    channel.advance_to_head(seats[0]);
    channel.advance(Some(seats[1]), None, 10);
    channel.set_readiness(seats[1], Readiness::Blocked);
    while channel.next_behind().is_some() {}
    channel.review();
    assert!(!channel.is_congested());
    assert!(channel.take_verdict().is_none(), "it has until the next message");
    channel.publish(None, &Message::binary(vec![0; 100]));
    assert_eq!(channel.take_verdict().map(|evicted| evicted.key), Some(1));
}

/// Nobody is left out of a round because somebody came while it was under way.
#[test]
fn a_newcomer_takes_nobodys_turn() {
    let mut channel = channel(1_000, OwnMessages::Deliver);
    let message = Message::text("x");
    for key in 0..2 {
        channel.subscribe(key, WireFormat::Plain);
    }
    channel.publish(None, &message);
    assert_eq!(channel.next_behind(), Some(0), "the slice ends here");
    channel.publish(None, &message);
    channel.subscribe(2, WireFormat::Plain);
    assert_eq!([(); 3].map(|()| channel.next_behind()), [Some(1), Some(0), None]);
}

/// A slice of the flush that ends with the round, turn for turn: nobody is behind, and yet nothing is let go of.
#[test]
fn a_round_that_is_just_one_slice_lets_go() {
    const SLICE: usize = 4;
    let mut channel = channel(100_000, OwnMessages::Deliver);
    let seats: Vec<_> = (0..SLICE).map(|key| channel.subscribe(key as u32, WireFormat::Plain)).collect();
    let mut held = 0;
    for _ in 0..1_000 {
        channel.publish(None, &Message::binary(&[0; 30]));
        for _ in 0..SLICE {
            let key = channel.next_behind().expect("it is behind");
            channel.advance_to_head(seats[key as usize]);
        }
        held = held.max(channel.backlog_bytes());
    }
    assert!(held <= 10 * 32, "{held} bytes are held, and everybody has everything");
}

/// A channel with one receiver that takes nothing and has four bytes of a frame, and one that takes everything; then
/// more is published than the backlog holds.
fn one_too_slow(slow_consumer: SlowConsumer) -> (Channel, Seat, Seat) {
    let limits = Limits { backlog_bytes_max: 100, ping: None, ..Limits::default() };
    let mut channel = Channel::with_segments(&Config { limits, slow_consumer, ..Config::default() }, 32);
    let (slow, quick) = (channel.subscribe(0, WireFormat::Plain), channel.subscribe(1, WireFormat::Plain));
    for number in 0..5 {
        channel.publish(None, &Message::binary(vec![number; 30]));
        if number == 0 {
            channel.advance(Some(slow), None, 4);
            channel.set_readiness(slow, Readiness::Blocked);
        }
        channel.advance_to_head(quick);
        channel.next_behind();
        channel.review();
    }
    (channel, slow, quick)
}

#[test]
fn who_is_skipped_goes_on_with_the_newest_message_and_what_it_misses_is_counted() {
    let (mut channel, slow, _) = one_too_slow(SlowConsumer::Skip);
    let verdict = channel.take_verdict().expect("it is too far behind");
    // The fourth message passes the limit: it is the newest then. The second and third are left out.
    assert_eq!((verdict.key, verdict.sentence), (0, Sentence::Skips { missed: 2 }));
    let OnTheWire::Begun(frame, taken) = verdict.on_the_wire else { panic!("four bytes of it are out") };
    assert_eq!(frame.bytes().len() - taken, 32 - 4);
    assert!(channel.take_verdict().is_none() && !channel.is_congested());
    channel.set_readiness(slow, Readiness::Writable);
    let mut gathered = Gather::new();
    channel.gather(Some(slow), None, &mut gathered);
    let wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect();
    assert_eq!(wire, [[&[0x82, 30][..], &[3; 30]].concat(), [&[0x82, 30][..], &[4; 30]].concat()].concat());
}

#[test]
fn who_is_waited_for_holds_up_the_senders_until_it_is_within_the_backlog() {
    let (mut channel, slow, _) = one_too_slow(SlowConsumer::Wait);
    assert!(channel.take_verdict().is_none() && channel.is_congested());
    channel.set_readiness(slow, Readiness::Writable);
    channel.advance(Some(slow), None, 50);
    channel.review();
    assert!(channel.is_congested(), "106 bytes behind");
    channel.advance(Some(slow), None, 10);
    channel.next_behind();
    channel.review();
    assert!(!channel.is_congested(), "96 bytes behind");
}

#[test]
fn who_is_waited_for_and_takes_nothing_is_given_up() {
    let (mut channel, slow, _) = one_too_slow(SlowConsumer::Wait);
    channel.count_stalls(Some(2));
    assert!(channel.take_verdict().is_none());
    // It takes a little: its patience begins anew.
    channel.set_readiness(slow, Readiness::Writable);
    channel.advance(Some(slow), None, 1);
    channel.set_readiness(slow, Readiness::Blocked);
    channel.count_stalls(Some(2));
    channel.count_stalls(None);
    assert!(channel.take_verdict().is_none() && channel.is_congested());
    channel.count_stalls(Some(3));
    let verdict = channel.take_verdict().expect("twice it took nothing, and once more");
    assert_eq!(verdict.sentence, Sentence::Stalled);
    let OnTheWire::Begun(frame, taken) = verdict.on_the_wire else { panic!("five bytes of it are out") };
    assert_eq!(frame.bytes().len() - taken, 32 - 5);
    assert!(!channel.is_congested());
    assert_eq!(channel.backlog_bytes(), 0);
}

#[test]
fn a_frame_there_is_no_memory_for_is_lost() {
    let limits = Limits { backlog_bytes_max: 5_000, buffers_bytes_max: 100, ..Limits::default() };
    for slow_consumer in [SlowConsumer::Close, SlowConsumer::Skip] {
        let mut channel =
            Channel::new(&Config { limits: limits.clone(), slow_consumer, ..Config::default() });
        let seat = channel.subscribe(0, WireFormat::Plain);
        channel.publish(None, &Message::binary(vec![7; 3_000]));
        channel.advance(Some(seat), None, 1);
        channel.set_readiness(seat, Readiness::Blocked);
        channel.publish(None, &Message::binary(vec![7; 3_000]));
        let verdict = channel.take_verdict().expect("it is too far behind");
        assert_eq!(verdict.sentence, Sentence::TooSlow);
        assert!(matches!(verdict.on_the_wire, OnTheWire::Lost));
    }
}

/// A program that publishes on its own does not wait; the backlog has its bound all the same.
#[test]
fn nobody_is_waited_for_without_bound() {
    let limits = Limits { backlog_bytes_max: 100_000, message_bytes_max: 1_000, ..Limits::default() };
    let config = Config { limits, slow_consumer: SlowConsumer::Wait, ..Config::default() };
    let mut channel = Channel::new(&config);
    let seat = channel.subscribe(0, WireFormat::Plain);
    channel.set_readiness(seat, Readiness::Blocked);
    let most = 100_000 * 5 / 4 + 1_000 + READ_BYTES_PER_TURN as u64;
    for _ in 0..2_000 {
        channel.publish(None, &Message::binary(vec![7; 1_000]));
        let held = channel.backlog_bytes();
        assert!(held <= most + 5_000, "{held} bytes are held, and at most {most} may be");
        if let Some(verdict) = channel.take_verdict() {
            assert_eq!(verdict.sentence, Sentence::Stalled);
            return;
        }
    }
    panic!("it was waited for without end");
}
