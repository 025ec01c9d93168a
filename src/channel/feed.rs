//! One wire format of a channel: its backlog, its subscribers' cursors, and who is to be written to next.
//!
//! [`Feed::append`] costs the same however many subscribers there are. [`Feed::next_behind`] goes
//! round the subscribers and names those that are behind and whose sockets take something; where a slice of
//! the round stops, the next goes on. A subscriber whose socket takes nothing and that is further behind
//! than the backlog may hold gets its verdict in `verdict`.
//!
//! Must not know: messages, other formats, sockets, what a connection does with a verdict.
//!
//! Invariants: every cursor lies in the backlog; who is behind is counted; only a subscriber whose socket refused
//! bytes is ever evicted, never one we have not come round to (see [`Feed::is_congested`]); with nobody to listen
//! it holds no memory.

use crate::backlog::{Backlog, Boundary, Seat};
use crate::budget::Budget;
use crate::channel::Readiness;
use crate::channel::verdict::Verdict;
use crate::config::{Config, OwnMessages, SlowConsumer};
use crate::format::{Frame, WireFormat};
use crate::limits::{READ_BYTES_PER_TURN, SUBSCRIBER_BYTES};
use crate::outbox::View;
use slab::Slab;

/// Where a subscriber stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Writable,
    Blocked,
    /// Too slow: its verdict waits to be taken, its cursor counts no more.
    Evicted,
}

/// One receiver: what it has taken of the backlog, and whose it is.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) cursor: u64,
    pub(super) key: u32,
    pub(super) standing: Standing,
    /// Sweeps since its socket last took something, while it is waited for.
    pub(super) stalled: u16,
}

// What a connection is said to cost counts so much for a place here, with the slab's own mark.
const _: () = assert!(size_of::<(usize, Subscriber)>() <= SUBSCRIBER_BYTES);

/// The pass over the subscribers that are behind.
#[derive(Debug, Default)]
struct Round {
    /// The seat to look at next.
    next: usize,
    /// Seats to look at until everybody was seen since the last publication.
    left: usize,
    /// The head when the round last came to its first seat: everybody was seen since.
    head_at_start: u64,
    /// Frames held at that moment, so that many small ones count as well.
    published: usize,
}

/// What all who take one format hear.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) backlog: Backlog,
    pub(super) format: WireFormat,
    pub(super) subscribers: Slab<Subscriber>,
    /// Subscribers that count: those that are not evicted.
    pub(super) listening: usize,
    /// Those of them that have not taken everything.
    pub(super) behind: usize,
    /// One past the highest seat taken since the channel was empty.
    seats: usize,
    round: Round,
    /// Somebody who may have held the tail of the backlog has moved on or left.
    is_release_due: bool,
    /// Somebody is further behind than the limit, and is waited for.
    pub(super) is_held_up: bool,
    pub(super) verdicts: Vec<Verdict>,
    /// For the frames of those who lose their place in the middle of one.
    pub(super) budget: Budget,
    own_messages: OwnMessages,
    pub(super) slow_consumer: SlowConsumer,
    pub(super) backlog_bytes_max: u64,
    pub(super) backlog_frames_max: usize,
    /// What the backlog may hold where receivers are waited for: its limit, a round, and what one read publishes.
    pub(super) bytes_waited_for_max: u64,
    /// Verdicts are given when the head passes this, not at each message: they look at every subscriber.
    pub(super) next_verdict: u64,
    pub(super) frames_at_verdict: usize,
}

impl Feed {
    /// One that nobody listens to, with segments of this size.
    pub(super) fn new(format: WireFormat, config: &Config, segment_bytes: usize, budget: &Budget) -> Self {
        let backlog_bytes_max = config.limits.backlog_bytes_max;
        Self {
            backlog: Backlog::new(segment_bytes),
            format,
            subscribers: Slab::new(),
            listening: 0,
            behind: 0,
            seats: 0,
            round: Round::default(),
            is_release_due: false,
            is_held_up: false,
            verdicts: Vec::new(),
            budget: budget.clone(),
            own_messages: config.own_messages,
            slow_consumer: config.slow_consumer,
            backlog_bytes_max: backlog_bytes_max as u64,
            bytes_waited_for_max: (backlog_bytes_max / 4 * 5
                + config.limits.message_bytes_max
                + READ_BYTES_PER_TURN) as u64,
            // Where frames begin takes no more memory than the frames, in a queue that doubles as it grows.
            backlog_frames_max: (backlog_bytes_max / (2 * size_of::<Boundary>())).max(1),
            next_verdict: 0,
            frames_at_verdict: 0,
        }
    }

    /// The backlog's head: what is made now comes behind everything published so far.
    pub(super) fn head(&self) -> u64 {
        self.backlog.head()
    }

    /// Bytes held for those who are behind.
    pub(super) fn backlog_bytes(&self) -> u64 {
        self.backlog.head() - self.backlog.tail()
    }

    /// Subscribers.
    pub(super) fn len(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether nobody listens.
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// A newcomer; it hears what is published from now on.
    pub(super) fn subscribe(&mut self, key: u32) -> Seat {
        let subscriber =
            Subscriber { cursor: self.backlog.head(), key, standing: Standing::Writable, stalled: 0 };
        if self.subscribers.is_empty() {
            // What was published to nobody is nothing to catch up with.
            self.round.head_at_start = self.backlog.head();
        }
        let index = self.subscribers.insert(subscriber);
        self.listening += 1;
        let seats = self.seats.max(index + 1);
        if self.is_round_pending() {
            // The round passes the new seat on its way, and must not end before one that it still owes a visit.
            self.round.left += seats - self.seats;
        }
        self.seats = seats;
        self.format.seat(index)
    }

    /// A subscriber leaves. A seat that is taken again meets nothing of the one before: cursors start at
    /// the head.
    pub(super) fn unsubscribe(&mut self, seat: Seat) {
        if let Some(subscriber) = self.subscribers.try_remove(index_of(seat))
            && subscriber.standing != Standing::Evicted
        {
            self.listening -= 1;
            self.behind -= usize::from(subscriber.cursor < self.backlog.head());
        }
        self.is_release_due = true;
        if self.subscribers.is_empty() {
            self.seats = 0;
            self.round = Round::default();
            self.is_held_up = false;
            self.subscribers = Slab::new();
            self.backlog.clear();
        }
    }

    /// Everybody hears `frame`. The backlog holds it until all have it or are evicted.
    pub(super) fn append(&mut self, publisher: Option<Seat>, frame: &Frame<'_>) {
        self.backlog.append(publisher, &frame.parts());
        self.behind = self.listening;
        self.round.left = self.seats;
        self.round.published += 1;
        if self.is_over_limit() && self.is_verdict_due() {
            self.give_verdicts();
        }
    }

    /// Whether publishing must pause. Whoever reads senders reads on when the flush has come further.
    ///
    /// Either a quarter of the backlog was published since the round last came to its first seat: a subscriber is
    /// so visited before it is half of the backlog behind, and nobody is too slow because we were. Or a subscriber
    /// that takes all it is offered is further behind than the limit all the same: one write a round is not enough for
    /// it, and more would be held with every round. Where the policy is to wait, the same holds for one that takes nothing.
    pub(super) fn is_congested(&self) -> bool {
        let is_much_published = self.backlog.head() - self.round.head_at_start > self.backlog_bytes_max / 4
            || self.round.published > self.backlog_frames_max / 4;
        self.is_held_up || (self.is_round_pending() && is_much_published)
    }

    /// Whether there may be subscribers to write to.
    pub(super) fn is_round_pending(&self) -> bool {
        self.round.left > 0
    }

    /// The next subscriber, by its connection's key, that is behind and takes bytes; `None`: everybody was
    /// seen since the last publication.
    #[inline]
    pub(super) fn next_behind(&mut self) -> Option<u32> {
        let head = self.backlog.head();
        while self.round.left > 0 {
            let seat = self.round.next;
            self.round.left -= 1;
            self.round.next += 1;
            if self.round.next >= self.seats {
                self.start_round();
            }
            if let Some(subscriber) = self.subscribers.get(seat)
                && subscriber.standing == Standing::Writable
                && subscriber.cursor < head
            {
                return Some(subscriber.key);
            }
        }
        // Whoever was visited last has been written to by now.
        if std::mem::take(&mut self.is_release_due) {
            self.release();
        }
        None
    }

    /// Whether a subscriber has frames to take.
    pub(super) fn is_behind(&self, seat: Seat) -> bool {
        self.subscribers.get(index_of(seat)).is_some_and(|subscriber| {
            subscriber.standing != Standing::Evicted && subscriber.cursor < self.backlog.head()
        })
    }

    /// Takes note of what a subscriber's socket said.
    pub(super) fn set_readiness(&mut self, seat: Seat, readiness: Readiness) {
        let Some(subscriber) = self.subscribers.get_mut(index_of(seat)) else { return };
        subscriber.set_readiness(readiness);
    }

    /// All that a subscriber has not taken, where that is one piece and nothing of it is left out: what a receiver
    /// takes that has nothing of its own. `None`: it has taken everything, or it is for a merge.
    #[inline]
    pub(super) fn rest(&self, seat: Seat) -> Option<&[u8]> {
        let view = self.view(seat)?;
        let rest = view.whole_rest().filter(|rest| !rest.is_empty())?;
        view.backlog.one_piece(rest)
    }

    /// Takes note that its socket took all of that.
    #[inline]
    pub(super) fn advance_to_head(&mut self, seat: Seat) {
        self.advance_to(seat, self.backlog.head());
    }

    #[inline]
    pub(super) fn advance_to(&mut self, seat: Seat, cursor: u64) {
        let (head, tail) = (self.backlog.head(), self.backlog.tail());
        let Some(subscriber) = self.subscribers.get_mut(index_of(seat)) else { return };
        if subscriber.standing == Standing::Evicted || subscriber.cursor >= cursor {
            return;
        }
        // The last of all moves on: what it held can go at the end of the flush.
        self.is_release_due |= subscriber.cursor == tail;
        self.behind -= usize::from(cursor == head);
        subscriber.cursor = cursor;
    }

    /// What it has not taken, for the merge.
    #[inline]
    pub(super) fn view(&self, seat: Seat) -> Option<View<'_>> {
        let subscriber = self.subscribers.get(index_of(seat))?;
        if subscriber.standing == Standing::Evicted {
            return None;
        }
        let skipped = match self.own_messages {
            OwnMessages::Deliver => None,
            OwnMessages::Skip => Some(seat),
        };
        Some(View { backlog: &self.backlog, cursor: subscriber.cursor, skipped })
    }

    fn start_round(&mut self) {
        self.round.next = 0;
        self.round.head_at_start = self.backlog.head();
        self.round.published = 0;
        // A round that ends here lets go of everything once the last was written to; but when every slice ends with a
        // round, nobody comes back to see that.
        if self.backlog_bytes() >= self.backlog.segment_bytes() {
            self.release();
        }
    }

    /// Lets go of what everybody has.
    pub(super) fn release(&mut self) {
        debug_assert_eq!(self.behind, self.cursors().filter(|&cursor| cursor < self.backlog.head()).count());
        // Most often nobody is: that spares a look at each of thousands.
        let needed = if self.behind == 0 { None } else { self.cursors().min() };
        self.backlog.release(needed.unwrap_or(self.backlog.head()));
    }

    fn cursors(&self) -> impl Iterator<Item = u64> {
        let counts = |subscriber: &&Subscriber| subscriber.standing != Standing::Evicted;
        self.subscribers
            .iter()
            .map(|(_, subscriber)| subscriber)
            .filter(counts)
            .map(|subscriber| subscriber.cursor)
    }
}

/// Which of its format's subscribers has a seat.
#[inline]
fn index_of(seat: Seat) -> usize {
    WireFormat::of(seat).1
}
