//! A channel and its receivers, each beside the naive model: a queue of its own.

use super::input::Input;
use super::model::{Model, Source};
use fanfare::Message;
use fanfare::backlog::{Boundary, Seat};
use fanfare::channel::{Channel, OnTheWire, Readiness, Sentence, Verdict};
use fanfare::config::{Config, OwnMessages, SlowConsumer};
use fanfare::format::WireFormat;
use fanfare::limits::SEGMENT_BYTES;
use fanfare::outbox::{Body, Gather, Outbox};
use std::collections::HashSet;

/// What can be done in one run.
const ACTIONS_MAX: usize = 200;

const RECEIVERS: usize = 4;

/// The input: how far one may fall behind, whether senders hear themselves, what becomes of the slow, whether all
/// take the same format, then what happens.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let mut config = Config::default();
    config.limits.backlog_bytes_max = input.below(256) * 4 + 1;
    config.own_messages = if input.flag() { OwnMessages::Skip } else { OwnMessages::Deliver };
    config.slow_consumer = match input.below(3) {
        0 => SlowConsumer::Close,
        1 => SlowConsumer::Skip,
        _ => SlowConsumer::Wait,
    };
    let formats = if input.flag() { WireFormat::ALL } else { [WireFormat::Plain; RECEIVERS] };
    let mut world = World::new(config, formats);
    for _ in 0..ACTIONS_MAX {
        if input.is_empty() {
            break;
        }
        world.act(&mut input);
        world.compare();
    }
    world.finish();
}

/// A receiver in memory: its socket has room for so many bytes, and its model is a queue of its own.
#[derive(Default)]
struct Receiver {
    seat: Option<Seat>,
    outbox: Outbox,
    room: usize,
    is_blocked: bool,
    /// Something was published since it was last written to, and its socket took bytes then.
    is_owed_a_visit: bool,
    model: Model,
}

struct World {
    config: Config,
    /// What each receiver takes.
    formats: [WireFormat; RECEIVERS],
    channel: Channel,
    receivers: [Receiver; RECEIVERS],
    next: u8,
}

impl World {
    fn new(config: Config, formats: [WireFormat; RECEIVERS]) -> Self {
        // In half of the runs what is published crosses segments, which else takes more than a run publishes.
        let segment_bytes = if config.limits.backlog_bytes_max % 8 == 1 { SEGMENT_BYTES } else { 64 };
        let channel = Channel::with_segments(&config, segment_bytes);
        Self { config, formats, channel, receivers: Default::default(), next: 0 }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        let choice = input.below(16);
        let key = input.below(RECEIVERS);
        match choice {
            0..=4 => self.publish(Some(key), input.below(200)),
            5 => self.publish(None, input.below(200)),
            6 | 7 => self.subscribe(key),
            8 => self.unsubscribe(key),
            9 => self.push(key, input.below(40)),
            10 | 11 => self.make_room(key, input.below(250)),
            12 => self.make_room(key, 1 << 20),
            13 => self.flush(input.below(4)),
            14 if input.flag() => self.sweep(),
            14 => self.flush(usize::MAX),
            _ => self.write(key),
        }
    }

    /// Bytes unlike those before them, which may be text.
    fn fresh(&mut self, length: usize) -> Vec<u8> {
        self.next = (self.next + 1) % 128;
        vec![self.next; length]
    }

    fn subscribe(&mut self, key: usize) {
        let receiver = &mut self.receivers[key];
        if receiver.seat.is_some() {
            return;
        }
        let seat = self.channel.subscribe(key as u32, self.formats[key]);
        if receiver.is_blocked {
            self.channel.set_readiness(seat, Readiness::Blocked);
        }
        receiver.seat = Some(seat);
    }

    /// It leaves as the loop lets it: gone, and whatever was for it with it.
    fn unsubscribe(&mut self, key: usize) {
        if let Some(seat) = self.receivers[key].seat.take() {
            self.channel.unsubscribe(seat);
            self.receivers[key] = Receiver::default();
        }
    }

    fn publish(&mut self, from: Option<usize>, length: usize) {
        let payload = self.fresh(length);
        let message = match str::from_utf8(&payload) {
            Ok(text) if length % 3 != 1 => Message::text(text),
            Ok(_) | Err(_) => Message::binary(&payload[..]),
        };
        let publisher = from.and_then(|key| self.receivers[key].seat);
        self.channel.publish(publisher, &message);
        let skips = self.config.own_messages == OwnMessages::Skip;
        let mut untold = 0;
        for (key, receiver) in self.receivers.iter_mut().enumerate() {
            let mut room = Vec::new();
            let Some(frame) = self.formats[key].frame(&message, self.channel.codec(), &mut room) else {
                untold += u64::from(receiver.seat.is_some());
                continue;
            };
            receiver.is_owed_a_visit = receiver.seat.is_some() && !receiver.is_blocked;
            let is_left_out = skips && from == Some(key);
            if receiver.seat.is_some() && !is_left_out {
                receiver.model.push(Source::Backlog, frame.parts().concat());
            }
        }
        assert_eq!(self.channel.take_untold(), untold, "messages that could not be said");
        self.carry_out_verdicts(from);
    }

    /// A second passes for those who are waited for.
    fn sweep(&mut self) {
        self.channel.count_stalls(Some(2));
        self.carry_out_verdicts(None);
    }

    fn carry_out_verdicts(&mut self, newest_is_of: Option<usize>) {
        while let Some(verdict) = self.channel.take_verdict() {
            self.carry_out(verdict, newest_is_of);
        }
    }

    fn carry_out(&mut self, verdict: Verdict, newest_is_of: Option<usize>) {
        let key = verdict.key as usize;
        let receiver = &mut self.receivers[key];
        assert!(receiver.is_blocked, "only one whose socket refused bytes is too slow");
        // Its own frames count for the backlog as well, and are not in the model when they are left out.
        if self.config.own_messages == OwnMessages::Deliver {
            let (frames, bytes) = receiver.model.left(Source::Backlog);
            let bytes_max = self.config.limits.backlog_bytes_max;
            let frames_max = (bytes_max / (2 * size_of::<Boundary>())).max(1);
            assert!(bytes > bytes_max || frames > frames_max, "{bytes} bytes behind is not too slow");
        }
        match verdict.on_the_wire {
            OnTheWire::Begun(frame, taken) => receiver.outbox.push_rest(frame, taken),
            OnTheWire::Nothing => {}
            OnTheWire::Lost => panic!("there is memory enough"),
        }
        match (verdict.sentence, self.config.slow_consumer) {
            (Sentence::Skips { missed }, SlowConsumer::Skip) => {
                let is_left_out = self.config.own_messages == OwnMessages::Skip && newest_is_of == Some(key);
                let lost = receiver.model.skip_frames(!is_left_out);
                assert!(missed >= lost, "{missed} of {lost} are counted; its own are as well");
            }
            (Sentence::TooSlow, SlowConsumer::Close) | (Sentence::Stalled, SlowConsumer::Wait) => {
                receiver.model.lose_frames();
                let seat = receiver.seat.take().expect("it had one");
                self.channel.unsubscribe(seat);
            }
            (sentence, policy) => panic!("{sentence:?} where the policy is {policy:?}"),
        }
    }

    fn push(&mut self, key: usize, length: usize) {
        let bytes = self.fresh(length);
        let receiver = &mut self.receivers[key];
        receiver.outbox.push(self.channel.head(receiver.seat), Body::Bytes(bytes.clone()));
        receiver.model.push(Source::Outbox, bytes);
    }

    /// A receiver has read: its socket takes `room` bytes more, and says so.
    fn make_room(&mut self, key: usize, room: usize) {
        let receiver = &mut self.receivers[key];
        receiver.room += room;
        if room > 0 {
            receiver.is_blocked = false;
            if let Some(seat) = receiver.seat {
                self.channel.set_readiness(seat, Readiness::Writable);
            }
        }
    }

    fn flush(&mut self, mut writes: usize) {
        while writes > 0 {
            let Some(key) = self.channel.next_behind() else {
                self.channel.review();
                return self.expect_all_were_visited();
            };
            let receiver = &self.receivers[key as usize];
            assert!(receiver.seat.is_some_and(|seat| self.channel.is_behind(seat)), "it is behind");
            assert!(!receiver.is_blocked, "and takes bytes");
            self.write(key as usize);
            writes -= 1;
        }
        self.channel.review();
    }

    /// The round is over: who takes bytes and is behind was written to since the last publication.
    fn expect_all_were_visited(&self) {
        for receiver in &self.receivers {
            let is_behind = receiver.seat.is_some_and(|seat| self.channel.is_behind(seat));
            assert!(!is_behind || !receiver.is_owed_a_visit, "the round left nobody out");
        }
    }

    /// One write, as the loop does it.
    fn write(&mut self, key: usize) {
        let receiver = &mut self.receivers[key];
        receiver.is_owed_a_visit = false;
        if receiver.is_blocked {
            return;
        }
        let own = (!receiver.outbox.is_empty()).then_some(&receiver.outbox);
        let mut gathered = Gather::new();
        self.channel.gather(receiver.seat, own, &mut gathered);
        let mut wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect();
        let offered = wire.len();
        let listener = receiver.seat.filter(|_| own.is_none());
        let rest = listener.and_then(|seat| self.channel.rest(seat));
        assert!(rest.is_none_or(|rest| rest == wire), "the short way offers the same");
        let is_short = rest.is_some();
        assert_eq!(offered == 0, receiver.model.is_empty(), "something is offered while something is left");
        let has_more = self.channel.has_more(receiver.seat, own);
        assert!(has_more || offered == 0, "what is offered was announced");
        wire.truncate(receiver.room);
        receiver.room -= wire.len();
        match listener {
            Some(seat) if is_short && wire.len() == offered => self.channel.advance_to_head(seat),
            Some(seat) => drop(self.channel.advance(Some(seat), None, wire.len())),
            None => drop(self.channel.advance(receiver.seat, Some(&mut receiver.outbox), wire.len())),
        }
        receiver.model.take(&wire);
        if wire.len() < offered {
            receiver.is_blocked = true;
            if let Some(seat) = receiver.seat {
                self.channel.set_readiness(seat, Readiness::Blocked);
            }
        }
    }

    fn compare(&mut self) {
        // Each turn of the loop does so, also when it has nobody to write to.
        self.channel.review();
        let seats: Vec<_> = self.receivers.iter().filter_map(|receiver| receiver.seat).collect();
        assert_eq!(self.channel.len(), seats.len());
        assert_eq!(seats.iter().collect::<HashSet<_>>().len(), seats.len(), "a seat is one receiver's");
        for receiver in &self.receivers {
            let Some(seat) = receiver.seat else { continue };
            let waits = receiver.model.left(Source::Backlog).0 > 0;
            assert!(!waits || self.channel.is_behind(seat), "who has frames to take is behind");
        }
        let behind = |receiver: &Receiver| {
            !receiver.is_blocked && receiver.seat.is_some_and(|seat| self.channel.is_behind(seat))
        };
        let is_waiting = self.channel.is_round_pending() || self.receivers.iter().any(behind);
        let may_wait = self.config.slow_consumer == SlowConsumer::Wait;
        let is_right = !self.channel.is_congested() || is_waiting || may_wait;
        assert!(is_right, "senders wait for somebody who will be written to");
    }

    /// Sockets that take everything get everything, and then nothing is held.
    fn finish(mut self) {
        for key in 0..RECEIVERS {
            self.make_room(key, 1 << 20);
        }
        self.give_out();
        assert!(!self.channel.is_congested());
        // What was published to nobody goes when the next round ends.
        self.publish(None, 0);
        self.give_out();
        assert_eq!(self.channel.backlog_bytes(), 0, "nothing is held when all have it");
    }

    /// The flush to its end, in more than one write for those who need it.
    fn give_out(&mut self) {
        self.flush(usize::MAX);
        for key in 0..RECEIVERS {
            while !self.receivers[key].model.is_empty() {
                self.write(key);
            }
            self.write(key);
        }
        self.flush(usize::MAX);
    }
}
