//! The verdict on subscribers that are further behind than the backlog may hold: closed, moved on to the newest
//! message, or waited for.
//!
//! Must not know: what a connection does with its verdict.

use super::Readiness;
use super::feed::{Feed, Standing, Subscriber};
use crate::backlog::Backlog;
use crate::budget::Budget;
use crate::config::SlowConsumer;
use crate::outbox::Shared;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of a subscriber that fell too far behind.
#[derive(Debug)]
pub struct Verdict {
    /// Its connection.
    pub key: u32,
    /// What follows for it.
    pub sentence: Sentence,
    /// The frame that is on its wire, if it is in the middle of one, and how much of it was written. It comes before
    /// everything else. Shared by all who are in the same frame.
    pub on_the_wire: OnTheWire,
}

/// What follows for a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// It took nothing, and is further behind than the limit: it is to be closed. Its seat stays taken until it is
    /// unsubscribed.
    TooSlow,
    /// The same of one that held up all senders for too long.
    Stalled,
    /// It goes on with the newest message.
    Skips {
        /// Messages it does not get.
        missed: usize,
    },
}

/// What is on the wire of one whose place in the backlog is gone.
#[derive(Clone, Debug)]
pub enum OnTheWire {
    /// Whole frames alone.
    Nothing,
    /// The beginning of this frame, so many bytes of it.
    Begun(Rc<Shared>, usize),
    /// The beginning of a frame that there is no memory to keep: the stream cannot go on.
    Lost,
}

impl Feed {
    /// The next verdict.
    pub(super) fn take_verdict(&mut self) -> Option<Verdict> {
        self.verdicts.pop()
    }

    /// At the end of a slice of the flush: looks whether those who held up the senders have come far enough.
    pub(super) fn review(&mut self) {
        if self.is_held_up {
            self.release();
            self.is_held_up = self.is_anyone_waited_for();
        }
    }

    /// Once a sweep: counts for how many of them each of those that are waited for took nothing, and gives up who
    /// reaches `sweeps_max`; `None`: nobody is given up.
    pub(super) fn count_stalls(&mut self, sweeps_max: Option<u16>) {
        if self.slow_consumer != SlowConsumer::Wait || !self.is_held_up {
            return;
        }
        let oldest = self.oldest_allowed();
        let is_stalled = |one: &mut Subscriber| {
            if one.standing != Standing::Blocked || one.cursor >= oldest {
                return false;
            }
            one.stalled = one.stalled.saturating_add(1);
            sweeps_max.is_some_and(|most| one.stalled >= most)
        };
        self.sentence(Sentence::Stalled, is_stalled);
        self.review();
    }

    pub(super) fn is_over_limit(&self) -> bool {
        self.backlog_bytes() > self.backlog_bytes_max || self.backlog.len() > self.backlog_frames_max
    }

    pub(super) fn is_verdict_due(&self) -> bool {
        let frames_between = (self.backlog_frames_max / 64).max(1);
        self.backlog.head() >= self.next_verdict
            || self.backlog.len() >= self.frames_at_verdict + frames_between
    }

    /// The backlog is over its limit: lets go of what everybody has, then of who is too slow.
    pub(super) fn give_verdicts(&mut self) {
        self.release();
        if self.is_over_limit() {
            let oldest = self.oldest_allowed();
            let is_too_slow = |one: &mut Subscriber| one.standing == Standing::Blocked && one.cursor < oldest;
            match self.slow_consumer {
                SlowConsumer::Close => self.sentence(Sentence::TooSlow, is_too_slow),
                SlowConsumer::Skip => self.sentence(Sentence::Skips { missed: 0 }, is_too_slow),
                // Who reads senders waits; a program that publishes on its own does not, and is not waited for by memory.
                SlowConsumer::Wait if self.backlog_bytes() > self.bytes_waited_for_max => {
                    self.sentence(Sentence::Stalled, is_too_slow);
                }
                SlowConsumer::Wait => {}
            }
            self.release();
        }
        self.is_held_up = self.is_anyone_waited_for();
        self.next_verdict = self.backlog.head() + (self.backlog_bytes_max / 64).max(1);
        self.frames_at_verdict = self.backlog.len();
    }

    /// The lowest cursor that is not too far behind.
    fn oldest_allowed(&self) -> u64 {
        let by_bytes = self.backlog.head().saturating_sub(self.backlog_bytes_max);
        by_bytes.max(self.backlog.start_of_newest(self.backlog_frames_max))
    }

    /// Whether one that has no verdict is too far behind all the same: it takes all it is offered, or the policy is to
    /// wait.
    fn is_anyone_waited_for(&self) -> bool {
        let oldest = self.oldest_allowed();
        let counts = |standing| match (standing, self.slow_consumer) {
            (Standing::Writable, _) | (Standing::Blocked, SlowConsumer::Wait) => true,
            (Standing::Blocked, SlowConsumer::Close | SlowConsumer::Skip) | (Standing::Evicted, _) => false,
        };
        let is_far = |one: &Subscriber| one.cursor < oldest && counts(one.standing);
        self.is_over_limit() && self.subscribers.iter().any(|(_, subscriber)| is_far(subscriber))
    }

    /// Gives those it is about the same sentence.
    fn sentence(&mut self, sentence: Sentence, mut is_due: impl FnMut(&mut Subscriber) -> bool) {
        let newest = self.backlog.start_of_newest(1);
        let mut frames = BTreeMap::new();
        for (_, subscriber) in &mut self.subscribers {
            if !is_due(subscriber) {
                continue;
            }
            let on_the_wire = strand(&mut frames, &self.backlog, &self.budget, subscriber.cursor);
            let sentence = match (sentence, &on_the_wire) {
                (Sentence::Skips { .. }, OnTheWire::Nothing | OnTheWire::Begun(..)) => {
                    let next = self.backlog.rest_of_frame(subscriber.cursor).end;
                    if newest <= subscriber.cursor {
                        continue; // it is at the newest, which is longer than the limit
                    }
                    subscriber.cursor = newest.max(next);
                    Sentence::Skips { missed: self.backlog.frames_between(next, newest) }
                }
                // Without the rest of its frame it has no next message.
                (Sentence::Skips { .. } | Sentence::TooSlow, _) => Sentence::TooSlow,
                (Sentence::Stalled, _) => Sentence::Stalled,
            };
            if !matches!(sentence, Sentence::Skips { .. }) {
                subscriber.standing = Standing::Evicted;
                self.listening -= 1;
                self.behind -= 1;
            } else if subscriber.cursor == self.backlog.head() {
                self.behind -= 1;
            }
            self.verdicts.push(Verdict { key: subscriber.key, sentence, on_the_wire });
        }
    }
}

impl Subscriber {
    /// Takes note of what its socket said.
    pub(super) fn set_readiness(&mut self, readiness: Readiness) {
        self.standing = match (self.standing, readiness) {
            (Standing::Evicted, _) => Standing::Evicted,
            (_, Readiness::Writable) => Standing::Writable,
            (_, Readiness::Blocked) => Standing::Blocked,
        };
        if readiness == Readiness::Writable {
            self.stalled = 0;
        }
    }
}

/// The frame that a cursor is in the middle of, one copy for all who are in it, and where in it the cursor is.
fn strand(
    frames: &mut BTreeMap<u64, Option<Rc<Shared>>>,
    backlog: &Backlog,
    budget: &Budget,
    cursor: u64,
) -> OnTheWire {
    let held = backlog.held_of_frame(cursor);
    let Ok(taken) = usize::try_from(cursor - held.start) else { return OnTheWire::Lost };
    if held.is_empty() {
        return OnTheWire::Nothing;
    }
    let copy = || Shared::copy(held.end - held.start, backlog.slices(held.clone()), budget).ok();
    match frames.entry(held.end).or_insert_with(copy) {
        Some(frame) => OnTheWire::Begun(Rc::clone(frame), taken),
        None => OnTheWire::Lost,
    }
}
