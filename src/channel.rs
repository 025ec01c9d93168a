//! A channel: what everybody hears, in every wire format that somebody listens in.
//!
//! [`Channel::publish`] makes a frame of a message once for each format in use, however many subscribers there are.
//! Each format is a feed of its own, with its backlog, its cursors and its round; what is too slow in one does
//! not show in another. The feeds take turns, a slice of the flush each.
//!
//! Must not know: sockets, what a connection does with a verdict.
//!
//! Invariants: publishing costs nothing for a format that nobody listens in; a seat means one feed for good.

mod feed;
mod verdict;

use crate::backlog::Seat;
use crate::budget::Budget;
use crate::config::Config;
use crate::format::WireFormat;
use crate::limits::SEGMENT_BYTES;
use crate::message::Message;
use crate::outbox::{self, Advanced, Gather, Outbox, View};
use crate::websocket::codec::Codec;
use feed::Feed;
pub use verdict::{OnTheWire, Sentence, Verdict};

/// Whether a subscriber's socket takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// As far as we know it does.
    Writable,
    /// It refused some, and has not said since that it takes more.
    Blocked,
}

/// What everybody hears.
#[derive(Debug)]
pub struct Channel {
    feeds: [Feed; WireFormat::ALL.len()],
    /// Whose slice it is.
    turn: usize,
    codec: Codec,
    /// Room for a payload to be deflated into.
    deflated: Vec<u8>,
    budget: Budget,
    /// Messages that subscribers could not be told in their format, one for each of them.
    untold: u64,
}

impl Channel {
    /// A channel nobody listens to.
    pub fn new(config: &Config) -> Self {
        Self::with_segments(config, SEGMENT_BYTES)
    }

    /// The same with segments of another size, to come to their ends sooner.
    pub fn with_segments(config: &Config, segment_bytes: usize) -> Self {
        let budget = Budget::new(config.limits.buffers_bytes_max);
        Self {
            feeds: WireFormat::ALL.map(|format| Feed::new(format, config, segment_bytes, &budget)),
            turn: 0,
            codec: Codec::default(),
            deflated: Vec::new(),
            budget,
            untold: 0,
        }
    }

    /// The head of the backlog that a seat reads: what is made now for its connection comes behind everything
    /// published so far. Without a seat there is none to come behind: 0.
    pub fn head(&self, seat: Option<Seat>) -> u64 {
        seat.map_or(0, |seat| self.feed(seat).head())
    }

    /// Bytes held for those who are behind.
    pub fn backlog_bytes(&self) -> u64 {
        self.feeds.iter().map(Feed::backlog_bytes).sum()
    }

    /// What all connections together may keep. The frames of those who lose their place are of it; so is what a
    /// server keeps for its connections.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What deflates what is published; the same inflates what comes in.
    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    /// Subscribers.
    pub fn len(&self) -> usize {
        self.feeds.iter().map(Feed::len).sum()
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.feeds.iter().all(Feed::is_empty)
    }

    /// A newcomer; it hears what is published from now on, in this format.
    pub fn subscribe(&mut self, key: u32, format: WireFormat) -> Seat {
        self.feeds[format.index()].subscribe(key)
    }

    /// A subscriber leaves. A seat that is taken again meets nothing of the one before: cursors start at
    /// the head.
    pub fn unsubscribe(&mut self, seat: Seat) {
        self.feed_mut(seat).unsubscribe(seat);
    }

    /// Everybody hears `message`. The backlogs hold it until all have it or are evicted.
    pub fn publish(&mut self, publisher: Option<Seat>, message: &Message<'_>) {
        for feed in self.feeds.iter_mut().filter(|feed| !feed.is_empty()) {
            match feed.format.frame(message, &self.codec, &mut self.deflated) {
                Some(frame) => feed.append(publisher, &frame),
                None => self.untold += feed.len() as u64,
            }
        }
        // A long message is rare, and its room not worth keeping.
        if self.deflated.capacity() > SEGMENT_BYTES {
            self.deflated = Vec::new();
        }
    }

    /// A message could not be told to somebody in its format.
    pub fn note_untold(&mut self) {
        self.untold += 1;
    }

    /// How many messages subscribers could not be told in their format, one for each of them, since this was last asked.
    pub fn take_untold(&mut self) -> u64 {
        std::mem::take(&mut self.untold)
    }

    /// Whether publishing must pause. Whoever reads senders reads on when the flush has come further: some feed is
    /// far from everybody having been seen, or holds more than it may for one that takes all it is offered.
    pub fn is_congested(&self) -> bool {
        self.feeds.iter().any(Feed::is_congested)
    }

    /// Whether there may be subscribers to write to.
    pub fn is_round_pending(&self) -> bool {
        self.feeds.iter().any(Feed::is_round_pending)
    }

    /// The next subscriber, by its connection's key, that is behind and takes bytes; `None`: everybody was
    /// seen since the last publication.
    #[inline]
    pub fn next_behind(&mut self) -> Option<u32> {
        for _ in 0..self.feeds.len() {
            if let Some(key) = self.feeds[self.turn].next_behind() {
                return Some(key);
            }
            self.pass_on();
        }
        None
    }

    /// At the end of a slice of the flush: looks whether those who held up the senders have come far enough. The next
    /// slice begins with another feed.
    pub fn review(&mut self) {
        self.feeds.iter_mut().for_each(Feed::review);
        self.pass_on();
    }

    fn pass_on(&mut self) {
        self.turn = (self.turn + 1) % self.feeds.len();
    }

    /// The next verdict.
    pub fn take_verdict(&mut self) -> Option<Verdict> {
        self.feeds.iter_mut().find_map(Feed::take_verdict)
    }

    /// Once a sweep: counts for how many of them each of those that are waited for took nothing, and gives up who
    /// reaches `sweeps_max`; `None`: nobody is given up.
    pub fn count_stalls(&mut self, sweeps_max: Option<u16>) {
        self.feeds.iter_mut().for_each(|feed| feed.count_stalls(sweeps_max));
    }

    /// Whether a subscriber has frames to take.
    pub fn is_behind(&self, seat: Seat) -> bool {
        self.feed(seat).is_behind(seat)
    }

    /// Whether [`gather`](Self::gather) may have something for a connection, or frames to step over that are left
    /// out: behind its last word only what it says itself.
    pub fn has_more(&self, seat: Option<Seat>, outbox: Option<&Outbox>) -> bool {
        let has_own = outbox.is_some_and(|outbox| !outbox.is_empty());
        let has_said_all = outbox.is_some_and(Outbox::is_sealed);
        has_own || (!has_said_all && seat.is_some_and(|seat| self.is_behind(seat)))
    }

    /// Takes note of what a subscriber's socket said.
    pub fn set_readiness(&mut self, seat: Seat, readiness: Readiness) {
        self.feed_mut(seat).set_readiness(seat, readiness);
    }

    /// All that a subscriber has not taken, where that is one piece and nothing of it is left out: what a receiver
    /// takes that has nothing of its own. `None`: it has taken everything, or it is for [`gather`](Self::gather).
    #[inline]
    pub fn rest(&self, seat: Seat) -> Option<&[u8]> {
        self.feed(seat).rest(seat)
    }

    /// Takes note that its socket took all of that.
    #[inline]
    pub fn advance_to_head(&mut self, seat: Seat) {
        self.feed_mut(seat).advance_to_head(seat);
    }

    /// What to write next to a connection: the merge of its outbox and, with a seat, of the backlog.
    pub fn gather<'a>(&'a self, seat: Option<Seat>, outbox: Option<&'a Outbox>, gathered: &mut Gather<'a>) {
        outbox::gather(outbox, self.view(seat), gathered);
    }

    /// Takes note that its socket took so many bytes of that.
    pub fn advance(&mut self, seat: Option<Seat>, outbox: Option<&mut Outbox>, written: usize) -> Advanced {
        let advanced = outbox::advance(outbox, self.view(seat), written);
        if let Some(seat) = seat {
            self.feed_mut(seat).advance_to(seat, advanced.cursor);
        }
        advanced
    }

    fn view(&self, seat: Option<Seat>) -> Option<View<'_>> {
        seat.and_then(|seat| self.feed(seat).view(seat))
    }

    #[inline]
    fn feed(&self, seat: Seat) -> &Feed {
        &self.feeds[WireFormat::of(seat).0.index()]
    }

    #[inline]
    fn feed_mut(&mut self, seat: Seat) -> &mut Feed {
        &mut self.feeds[WireFormat::of(seat).0.index()]
    }
}

#[cfg(test)]
mod tests;
