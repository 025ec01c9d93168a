//! Messages that are under way: how many deliveries of each are outstanding, when the first came, and with it the
//! spread from the first receiver to the last, and the closed loop's window.
//!
//! For each sender there is a ring of a fixed number of places. In the open loop a message that is still under way when
//! its place is needed again is forgotten: its deliveries count, its spread does not. In the closed loop a message is
//! given up when it takes longer than [`PATIENCE_US`]: the next one is sent, and what still comes of it counts.
//!
//! Must not know: payloads, sockets; times are numbers that the caller hands in.

use super::limits::{FLIGHTS_MAX, FLIGHTS_OF_ONE_MAX, FORGETTING_MAX, PATIENCE_US};
use super::stamp::Stamp;

/// A message that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    /// From the first receiver to the last, in microseconds.
    pub(crate) spread_us: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    sequence: u64,
    sent_us: u64,
    first_us: u64,
    /// Deliveries that are to come; 0: the place is free.
    left: u32,
    /// Whether any came.
    has_landed: bool,
}

/// What is under way of all senders.
#[derive(Debug)]
pub(crate) struct Flights {
    places: Vec<Flight>,
    /// Places of one sender; a power of two.
    ring: usize,
    /// How many of each sender's are under way.
    under_way: Vec<u32>,
    /// And of all of them.
    total: usize,
}

impl Flights {
    /// For the closed loop: as many as the window lets be under way; at most
    /// [`IN_FLIGHT_MAX`](super::limits::IN_FLIGHT_MAX) in all, which the caller has checked.
    pub(crate) fn of_window(senders: usize, window: usize) -> Self {
        Self::with_ring(senders, window.next_power_of_two())
    }

    /// For the open loop: as many as memory allows.
    pub(crate) fn of_rate(senders: usize) -> Self {
        let share = (FLIGHTS_MAX / senders.max(1)).clamp(1, FLIGHTS_OF_ONE_MAX);
        Self::with_ring(senders, 1 << share.ilog2())
    }

    fn with_ring(senders: usize, ring: usize) -> Self {
        Self { places: vec![Flight::default(); senders * ring], ring, under_way: vec![0; senders], total: 0 }
    }

    /// A message goes out to so many receivers.
    pub(crate) fn depart(&mut self, sender: usize, sequence: u64, receivers: u32, now_us: u64) {
        let place = self.place(sender, sequence);
        if self.places[place].left == 0 && receivers > 0 {
            self.under_way[sender] += 1;
            self.total += 1;
        } else if self.places[place].left > 0 && receivers == 0 {
            self.ended(sender);
        }
        self.places[place] =
            Flight { sequence, sent_us: now_us, first_us: now_us, left: receivers, has_landed: false };
    }

    /// One delivery of it arrived for the first time.
    pub(crate) fn land(&mut self, stamp: Stamp, now_us: u64) -> Option<Landing> {
        let sender = stamp.sender as usize;
        let place = self.place(sender, stamp.sequence);
        let flight = self.places.get_mut(place)?;
        if flight.left == 0 || flight.sequence != stamp.sequence {
            return None; // forgotten or given up
        }
        if !flight.has_landed {
            flight.has_landed = true;
            flight.first_us = now_us;
        }
        flight.left -= 1;
        if flight.left > 0 {
            return None;
        }
        self.ended(sender);
        Some(Landing { spread_us: now_us.saturating_sub(self.places[place].first_us) })
    }

    /// A receiver that is gone will not get what is under way: `is_owed` says of which message it is so. The senders for
    /// which that made room are handed to `freed`.
    pub(crate) fn forget_receiver(
        &mut self,
        is_owed: impl Fn(usize, u64) -> bool,
        mut freed: impl FnMut(usize),
    ) {
        // With so many under way the patience has to do: all receivers may be lost at once.
        if self.total > FORGETTING_MAX {
            return;
        }
        for sender in 0..self.under_way.len() {
            if self.under_way[sender] == 0 {
                continue;
            }
            for place in sender * self.ring..(sender + 1) * self.ring {
                let flight = &mut self.places[place];
                if flight.left > 0 && is_owed(sender, flight.sequence) {
                    flight.left -= 1;
                    if flight.left == 0 {
                        self.ended(sender);
                        freed(sender);
                    }
                }
            }
        }
    }

    /// Gives up what is under way for longer than the patience; hands the senders that this made room for to `freed`.
    pub(crate) fn give_up(&mut self, now_us: u64, mut freed: impl FnMut(usize)) {
        for sender in 0..self.under_way.len() {
            if self.under_way[sender] == 0 {
                continue;
            }
            for place in sender * self.ring..(sender + 1) * self.ring {
                let flight = &mut self.places[place];
                if flight.left > 0 && now_us.saturating_sub(flight.sent_us) > PATIENCE_US {
                    flight.left = 0;
                    self.ended(sender);
                    freed(sender);
                }
            }
        }
    }

    /// Whether a sender may send this one: fewer than `window` are under way, and its place is free.
    pub(crate) fn may_depart(&self, sender: usize, sequence: u64, window: usize) -> bool {
        (self.under_way[sender] as usize) < window && self.places[self.place(sender, sequence)].left == 0
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.places.fill(Flight::default());
        self.under_way.fill(0);
        self.total = 0;
    }

    fn ended(&mut self, sender: usize) {
        self.under_way[sender] -= 1;
        self.total -= 1;
    }

    fn place(&self, sender: usize, sequence: u64) -> usize {
        // The remainder: the ring is a power of two.
        sender * self.ring + (sequence as usize & (self.ring - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { sender: 0, sequence, intended_us: 0 }
    }

    #[test]
    fn from_the_first_to_the_last() {
        let mut flights = Flights::of_rate(1);
        flights.depart(0, 0, 3, 10);
        flights.depart(0, 1, 1, 11);
        assert_eq!(flights.land(stamp(0), 100), None);
        assert_eq!(flights.land(stamp(1), 101), Some(Landing { spread_us: 0 }));
        assert_eq!(flights.land(stamp(0), 110), None);
        assert_eq!(flights.land(stamp(0), 150), Some(Landing { spread_us: 50 }));
        assert_eq!(flights.land(stamp(0), 160), None, "it is complete");
    }

    #[test]
    fn a_window() {
        let mut flights = Flights::of_window(1, 3);
        let sent: Vec<u64> = (0..5)
            .filter(|&sequence| {
                let may = flights.may_depart(0, sequence, 3);
                if may {
                    flights.depart(0, sequence, 1, 0);
                }
                may
            })
            .collect();
        assert_eq!(sent, [0, 1, 2]);
        flights.land(stamp(1), 1);
        assert!(flights.may_depart(0, 3, 3));
        flights.depart(0, 3, 1, 0);
        flights.land(stamp(2), 1);
        assert!(!flights.may_depart(0, 4, 3), "its place is taken by the first");
    }

    #[test]
    fn nothing_is_waited_for_for_ever() {
        let mut flights = Flights::of_window(2, 1);
        flights.depart(0, 0, 2, 0);
        flights.depart(1, 0, 2, PATIENCE_US);
        flights.land(stamp(0), 5);
        let mut freed = Vec::new();
        flights.give_up(PATIENCE_US, |sender| freed.push(sender));
        assert_eq!(freed, [0_usize; 0]);
        flights.give_up(PATIENCE_US + 1, |sender| freed.push(sender));
        assert_eq!(freed, [0]);
        assert!(flights.may_depart(0, 1, 1) && !flights.may_depart(1, 1, 1));
        assert_eq!(flights.land(stamp(0), 6), None, "what still comes changes nothing here");
    }

    #[test]
    fn who_is_gone_is_not_waited_for() {
        let mut flights = Flights::of_window(2, 2);
        flights.depart(0, 0, 1, 0);
        flights.depart(0, 1, 2, 0);
        flights.depart(1, 0, 1, 0);
        let mut freed = Vec::new();
        flights.forget_receiver(|sender, _| sender == 0, |sender| freed.push(sender));
        assert_eq!(freed, [0]);
        assert!(flights.may_depart(0, 2, 2) && !flights.may_depart(0, 3, 2));
        assert!(flights.land(stamp(1), 1).is_some(), "one of two had to come still");
    }

    /// In the open loop a place that is needed again is taken.
    #[test]
    fn memory_is_bounded() {
        for senders in [1, 2, 64, 1000, 100_000] {
            let mut flights = Flights::of_rate(senders);
            assert!(flights.places.len() <= FLIGHTS_MAX.max(senders), "{senders}");
            (0..5000).for_each(|sequence| flights.depart(0, sequence, 1, 0));
            assert_eq!(flights.under_way[0] as usize, flights.ring);
            assert_eq!(flights.land(stamp(0), 1), None);
            assert!(flights.land(stamp(4999), 1).is_some());
            flights.clear();
            assert_eq!(flights.land(stamp(4998), 1), None);
        }
    }
}
