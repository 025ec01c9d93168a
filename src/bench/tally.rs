//! What each message and each delivery means for the figures: the ledger, what is under way, and the histograms, behind
//! two calls, [`Tally::depart`] and [`Tally::arrive`].
//!
//! Must not know: sockets, frames, clocks; times are microseconds since the run began.

use super::figures::{Counts, Timeline, Times};
use super::flights::Flights;
use super::ledger::{Audience, Entry, Ledger};
use super::plan::{Pace, Plan, Scenario};
use super::stamp::{Arrival, Stamp};

/// The figures of one stage, and what they are made with.
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    /// From the intended time of sending to each arrival.
    pub(crate) latency: Times,
    /// From the first receiver to the last.
    pub(crate) spread: Times,
    /// How late messages were handed to the system, by the generator's own fault.
    pub(crate) lateness: Times,
    pub(crate) timeline: Timeline,
    ledger: Ledger,
    flights: Flights,
    window: Option<usize>,
    /// Senders whose window has room again.
    freed: Vec<usize>,
}

impl Tally {
    pub(crate) fn new(plan: &Plan) -> Self {
        let audience = match plan.scenario {
            Scenario::Echo => Audience::Sender,
            Scenario::Connect | Scenario::Idle | Scenario::Broadcast | Scenario::Slow => Audience::Everyone,
        };
        let (flights, window) = match plan.pace {
            Pace::Open { .. } => (Flights::of_rate(plan.senders), None),
            Pace::Closed { window } => (Flights::of_window(plan.senders, window), Some(window)),
        };
        Self {
            counts: Counts::default(),
            latency: Times::new(),
            spread: Times::new(),
            lateness: Times::new(),
            timeline: Timeline::new(),
            ledger: Ledger::new(audience, plan.senders),
            flights,
            window,
            freed: Vec::new(),
        }
    }

    /// Makes room for this many receivers.
    pub(crate) fn grow(&mut self, receivers: usize) {
        self.ledger.grow(receivers);
    }

    /// Who hears what a sender sends, once that is known.
    pub(crate) fn set_audience(&mut self, audience: Audience) {
        self.ledger.set_audience(audience);
    }

    /// Whether receivers hear the same.
    pub(crate) fn is_broadcast(&self) -> bool {
        match self.ledger.audience() {
            Audience::Sender => false,
            Audience::Everyone | Audience::Others => true,
        }
    }

    /// From here on it counts.
    pub(crate) fn begin(&mut self) {
        self.counts = Counts::default();
        for times in [&mut self.latency, &mut self.spread, &mut self.lateness] {
            times.clear();
        }
        self.ledger.begin();
        self.flights.clear();
        self.freed.clear();
    }

    /// The stamp of a message that is not counted.
    pub(crate) fn probe(&mut self, sender: usize, now_us: u64) -> Stamp {
        Stamp { sender: index(sender), sequence: self.ledger.send(sender), intended_us: now_us }
    }

    /// The stamp of a message that is sent now; `open` receivers are there, its sender among them.
    pub(crate) fn depart(&mut self, sender: usize, open: u64, intended_us: u64, now_us: u64) -> Stamp {
        let receivers = match self.ledger.audience() {
            Audience::Sender => 1,
            Audience::Everyone => open,
            Audience::Others => open.saturating_sub(1),
        };
        let sequence = self.ledger.send(sender);
        self.flights.depart(sender, sequence, u32::try_from(receivers).unwrap_or(u32::MAX), now_us);
        self.counts.sent += 1;
        self.counts.expected += receivers;
        self.timeline.sent(now_us);
        Stamp { sender: index(sender), sequence, intended_us }
    }

    /// A delivery.
    pub(crate) fn arrive(&mut self, receiver: usize, arrival: Arrival, now_us: u64) {
        let stamp = match arrival {
            Arrival::Whole(stamp) => stamp,
            Arrival::Damaged(Some(stamp)) => return self.arrive_damaged(receiver, stamp, now_us),
            Arrival::Damaged(None) => {
                self.counts.corrupt += 1;
                return self.counts.corrupt_unknown += 1;
            }
            Arrival::Foreign => return self.counts.foreign += 1,
        };
        match self.ledger.receive(receiver, stamp) {
            Entry::InOrder => {}
            Entry::Overtaken => self.counts.reordered += 1,
            Entry::Duplicate => return self.counts.duplicated += 1,
            Entry::Unexpected => return self.counts.unexpected += 1,
            Entry::Stale => return,
        }
        let latency_us = now_us.saturating_sub(stamp.intended_us);
        self.counts.received += 1;
        self.latency.add(latency_us);
        self.timeline.received(now_us, latency_us);
        self.land(stamp, now_us);
    }

    /// A handshake took so long, in `connect`.
    pub(crate) fn shake(&mut self, time_us: u64) {
        self.latency.add(time_us);
    }

    /// A receiver is gone; it gets nothing any more.
    pub(crate) fn lose_receiver(&mut self, receiver: usize) {
        self.counts.forsaken += self.ledger.owed_to(receiver);
        if self.window.is_none() {
            return; // nobody waits for it
        }
        let ledger = &self.ledger;
        let is_owed =
            |sender, sequence| ledger.is_for(receiver, sender) && !ledger.has(receiver, sender, sequence);
        self.flights.forget_receiver(is_owed, |sender| self.freed.push(sender));
    }

    /// In the closed loop: gives up what takes too long.
    pub(crate) fn give_up(&mut self, now_us: u64) {
        if self.window.is_some() {
            let before = self.freed.len();
            self.flights.give_up(now_us, |sender| self.freed.push(sender));
            self.counts.given_up += (self.freed.len() - before) as u64;
        }
    }

    /// In the closed loop: whether a sender's window has room.
    pub(crate) fn may_depart(&self, sender: usize) -> bool {
        let next = self.ledger.next(sender);
        self.window.is_some_and(|window| self.flights.may_depart(sender, next, window))
    }

    /// Hands over the senders whose window has room again.
    pub(crate) fn take_freed(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.freed);
    }

    pub(crate) fn has_freed(&self) -> bool {
        !self.freed.is_empty()
    }

    fn arrive_damaged(&mut self, receiver: usize, stamp: Stamp, now_us: u64) {
        match self.ledger.receive(receiver, stamp) {
            Entry::Stale => return,
            Entry::InOrder | Entry::Overtaken => {
                self.counts.corrupt_known += 1;
                self.land(stamp, now_us);
            }
            Entry::Duplicate | Entry::Unexpected => {}
        }
        self.counts.corrupt += 1;
    }

    fn land(&mut self, stamp: Stamp, now_us: u64) {
        if let Some(landing) = self.flights.land(stamp, now_us) {
            if self.ledger.audience() != Audience::Sender {
                self.spread.add(landing.spread_us);
            }
            if self.window.is_some() {
                self.freed.push(stamp.sender as usize);
            }
        }
    }
}

fn index(sender: usize) -> u32 {
    u32::try_from(sender).expect("there are fewer connections than numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::limits::PATIENCE_US;
    use crate::bench::plan::tests::plan;

    /// Two senders and a third receiver, all of which hear everything; in a window of 1.
    fn tally() -> Tally {
        let mut tally = Tally::new(&plan(|plan| {
            plan.connections = 3;
            plan.senders = 2;
            plan.pace = Pace::Closed { window: 1 };
        }));
        tally.grow(3);
        tally.set_audience(Audience::Everyone);
        tally.begin();
        tally
    }

    fn freed(tally: &mut Tally) -> Vec<usize> {
        let mut freed = Vec::new();
        tally.take_freed(&mut freed);
        freed
    }

    #[test]
    fn a_message_reaches_all() {
        let mut tally = tally();
        let first = tally.depart(0, 3, 100, 110);
        assert!(!tally.may_depart(0) && tally.may_depart(1));
        for (receiver, now_us) in [(0, 200), (1, 300), (2, 500)] {
            assert_eq!(freed(&mut tally), [0; 0]);
            tally.arrive(receiver, Arrival::Whole(first), now_us);
        }
        assert_eq!(freed(&mut tally), [0]);
        assert!(tally.may_depart(0));
        let want = Counts { sent: 1, expected: 3, received: 3, ..Counts::default() };
        assert_eq!(tally.counts, want);
        assert_eq!(tally.latency.settled().at(1.0), Some(0.4), "from the intended time");
        assert_eq!(tally.spread.settled().at(1.0), Some(0.3));
    }

    #[test]
    fn what_is_not_as_it_should_be() {
        let mut tally = tally();
        let [first, second] = [0, 1].map(|_| tally.depart(0, 3, 0, 0));
        tally.arrive(0, Arrival::Whole(second), 1);
        tally.arrive(0, Arrival::Whole(first), 2);
        tally.arrive(0, Arrival::Whole(first), 3);
        tally.arrive(1, Arrival::Damaged(Some(first)), 4);
        tally.arrive(1, Arrival::Damaged(None), 5);
        tally.arrive(1, Arrival::Foreign, 6);
        tally.arrive(1, Arrival::Whole(Stamp { sequence: 99, ..first }), 7);
        let want = Counts {
            sent: 2,
            expected: 6,
            received: 2,
            reordered: 1,
            duplicated: 1,
            corrupt: 2,
            corrupt_known: 1,
            corrupt_unknown: 1,
            foreign: 1,
            unexpected: 1,
            ..Counts::default()
        };
        assert_eq!(tally.counts, want);
        assert_eq!((tally.counts.lost(), tally.counts.outstanding()), (2, 3));
    }

    /// Who hears itself not is not waited for, nor who is gone, nor for ever.
    #[test]
    fn nobody_is_waited_for_in_vain() {
        let mut tally = tally();
        tally.set_audience(Audience::Others);
        let first = tally.depart(0, 3, 0, 0);
        assert_eq!(tally.counts.expected, 2);
        tally.arrive(0, Arrival::Whole(first), 1);
        assert_eq!(tally.counts.unexpected, 1);
        tally.arrive(1, Arrival::Whole(first), 2);
        tally.lose_receiver(2);
        assert_eq!(freed(&mut tally), [0]);
        assert_eq!((tally.counts.lost(), tally.counts.outstanding()), (1, 0), "it will not come");
        tally.depart(1, 2, 10, 10);
        tally.give_up(PATIENCE_US + 11);
        assert_eq!((freed(&mut tally), tally.counts.given_up), (vec![1], 1));
        assert_eq!((tally.counts.lost(), tally.counts.outstanding()), (2, 1), "it may still come");
    }

    #[test]
    fn a_new_stage_counts_from_nothing() {
        let mut tally = tally();
        let before = tally.depart(0, 3, 0, 0);
        tally.begin();
        tally.arrive(1, Arrival::Whole(before), 5);
        tally.arrive(1, Arrival::Damaged(Some(before)), 6);
        assert_eq!(tally.counts, Counts::default());
        assert_eq!(tally.latency.settled().at(1.0), None);
        assert!(tally.may_depart(0));
    }
}
