//! What of each sender has arrived at each receiver: losses, duplicates and what was overtaken, in memory that does not
//! grow however long a run is.
//!
//! For each pair there is one cell of 16 bytes: the number that comes next, which of the 32 before it are there, and how
//! many older ones never came. A message that comes after one with a higher number was overtaken; one that is there
//! already is a duplicate. Past the 32 the two cannot be told apart for certain: while older ones are missing it is taken
//! for one of those.
//!
//! Must not know: payloads, times, sockets.

use super::stamp::Stamp;

const WINDOW: u64 = u32::BITS as u64;

/// Who gets what a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Its sender alone.
    Sender,
    /// Everybody.
    Everyone,
    /// Everybody but its sender.
    Others,
}

/// What one delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The next one, or one further on.
    InOrder,
    /// The first of its kind, behind one with a higher number.
    Overtaken,
    /// It was there already.
    Duplicate,
    /// From before the time that is measured.
    Stale,
    /// It should not have come to this receiver, or was never sent.
    Unexpected,
}

/// What has arrived of one sender at one receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// One past the highest number that arrived.
    next: u64,
    /// Bit i: whether number `next - 1 - i` is there.
    window: u32,
    /// Numbers older than the window that never came.
    missing: u32,
}

/// All pairs.
#[derive(Debug)]
pub(crate) struct Ledger {
    audience: Audience,
    senders: usize,
    /// A row for each receiver, with a cell for each sender; one cell for each when everybody hears only itself.
    cells: Vec<Cell>,
    /// For each sender the first number that counts.
    first: Vec<u64>,
    /// For each sender the number that is sent next.
    next: Vec<u64>,
}

impl Ledger {
    /// Without receivers yet. The first `senders` connections are the senders.
    pub(crate) fn new(audience: Audience, senders: usize) -> Self {
        Self { audience, senders, cells: Vec::new(), first: vec![0; senders], next: vec![0; senders] }
    }

    /// How many pairs these make.
    pub(crate) fn pairs(audience: Audience, senders: usize, receivers: usize) -> usize {
        match audience {
            Audience::Sender => receivers,
            Audience::Everyone | Audience::Others => senders.saturating_mul(receivers),
        }
    }

    /// Makes room for this many receivers.
    pub(crate) fn grow(&mut self, receivers: usize) {
        let cells = Self::pairs(self.audience, self.senders, receivers);
        self.cells.resize(cells.max(self.cells.len()), Cell::default());
    }

    /// Who hears, once that is known.
    pub(crate) fn set_audience(&mut self, audience: Audience) {
        let receivers = match self.audience {
            Audience::Sender => self.cells.len(),
            Audience::Everyone | Audience::Others => self.cells.len() / self.senders.max(1),
        };
        self.audience = audience;
        self.cells.clear();
        self.grow(receivers);
        self.begin();
    }

    /// Who hears.
    pub(crate) fn audience(&self) -> Audience {
        self.audience
    }

    /// From here on it counts: what was sent before is stale.
    pub(crate) fn begin(&mut self) {
        self.first.copy_from_slice(&self.next);
        let senders = self.senders;
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let sender = match self.audience {
                Audience::Sender => index,
                Audience::Everyone | Audience::Others => index % senders,
            };
            // What is before the first one is there: nothing of it is missing.
            let next = self.first.get(sender).copied().unwrap_or(0);
            *cell = Cell { next, window: u32::MAX, missing: 0 };
        }
    }

    /// The number of the message that a sender sends now.
    pub(crate) fn send(&mut self, sender: usize) -> u64 {
        let sequence = self.next[sender];
        self.next[sender] += 1;
        sequence
    }

    /// The number of the message that a sender would send now.
    pub(crate) fn next(&self, sender: usize) -> u64 {
        self.next[sender]
    }

    /// Enters a delivery.
    pub(crate) fn receive(&mut self, receiver: usize, stamp: Stamp) -> Entry {
        let sender = stamp.sender as usize;
        if sender >= self.senders || stamp.sequence >= self.next[sender] {
            return Entry::Unexpected;
        }
        if stamp.sequence < self.first[sender] {
            return Entry::Stale;
        }
        if !self.is_for(receiver, sender) {
            return Entry::Unexpected;
        }
        let index = self.index(receiver, sender);
        let Some(cell) = self.cells.get_mut(index) else { return Entry::Unexpected };
        cell.receive(stamp.sequence)
    }

    /// Whether a message has arrived, as far as can be told.
    pub(crate) fn has(&self, receiver: usize, sender: usize, sequence: u64) -> bool {
        self.cells.get(self.index(receiver, sender)).is_some_and(|cell| cell.has(sequence))
    }

    /// How much of what was sent has not arrived at a receiver.
    pub(crate) fn owed_to(&self, receiver: usize) -> u64 {
        let senders = (0..self.senders).filter(|&sender| self.is_for(receiver, sender));
        let owed = senders.filter_map(|sender| {
            let cell = self.cells.get(self.index(receiver, sender))?;
            Some(cell.missing() + self.next[sender].saturating_sub(cell.next))
        });
        owed.sum()
    }

    /// Whether a receiver should hear a sender.
    pub(crate) fn is_for(&self, receiver: usize, sender: usize) -> bool {
        match self.audience {
            Audience::Sender => receiver == sender,
            Audience::Everyone => true,
            Audience::Others => receiver != sender,
        }
    }

    fn index(&self, receiver: usize, sender: usize) -> usize {
        match self.audience {
            Audience::Sender => receiver,
            Audience::Everyone | Audience::Others => receiver * self.senders + sender,
        }
    }
}

impl Cell {
    fn receive(&mut self, sequence: u64) -> Entry {
        if sequence == self.next && self.window == u32::MAX {
            self.next += 1; // the usual case: nothing is missing, and this is the next
            return Entry::InOrder;
        }
        if sequence >= self.next {
            self.advance(sequence + 1 - self.next);
            return Entry::InOrder;
        }
        let back = self.next - 1 - sequence;
        if back >= WINDOW {
            return self.receive_old();
        }
        let bit = 1 << back;
        if self.window & bit != 0 {
            return Entry::Duplicate;
        }
        self.window |= bit;
        Entry::Overtaken
    }

    /// Moves on by so many numbers, of which the last is there.
    fn advance(&mut self, by: u64) {
        // Those that leave the window without having come, and those that were never in it.
        let came = if by < WINDOW { self.window >> (WINDOW - by) } else { self.window };
        let left = by - u64::from(came.count_ones());
        self.missing = self.missing.saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
        self.window = if by < WINDOW { self.window << by | 1 } else { 1 };
        self.next += by;
    }

    fn receive_old(&mut self) -> Entry {
        if self.missing == 0 {
            return Entry::Duplicate;
        }
        self.missing -= 1;
        Entry::Overtaken
    }

    /// How many below the highest that arrived did not.
    fn missing(&self) -> u64 {
        u64::from(self.missing) + u64::from(self.window.count_zeros())
    }

    fn has(&self, sequence: u64) -> bool {
        sequence < self.next && {
            let back = self.next - 1 - sequence;
            back >= WINDOW || self.window & (1 << back) != 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Entry::{Duplicate, InOrder, Overtaken, Stale, Unexpected};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn stamp(sender: u32, sequence: u64) -> Stamp {
        Stamp { sender, sequence, intended_us: 0 }
    }

    /// One sender that sent 200, two receivers; all goes to the second.
    fn entries(sequences: &[u64]) -> Vec<Entry> {
        let mut ledger = Ledger::new(Audience::Everyone, 1);
        ledger.grow(2);
        ledger.begin();
        (0..200).for_each(|_| _ = ledger.send(0));
        sequences.iter().map(|&sequence| ledger.receive(1, stamp(0, sequence))).collect()
    }

    #[test]
    fn what_each_delivery_is() {
        let rows: [(&str, &[u64], &[Entry]); 8] = [
            ("in order", &[0, 1, 2], &[InOrder, InOrder, InOrder]),
            ("one left out", &[0, 2], &[InOrder, InOrder]),
            ("twice", &[0, 0], &[InOrder, Duplicate]),
            ("swapped", &[1, 0, 2], &[InOrder, Overtaken, InOrder]),
            ("swapped and twice", &[1, 0, 0, 1], &[InOrder, Overtaken, Duplicate, Duplicate]),
            ("far behind", &[100, 3, 3], &[InOrder, Overtaken, Overtaken]), // 99 are missing: no telling
            ("far behind, nothing old missing", &[0, 32, 0], &[InOrder, InOrder, Duplicate]),
            ("never sent", &[200], &[Unexpected]),
        ];
        for (name, sequences, want) in rows {
            assert_eq!(entries(sequences), want, "{name}");
        }
    }

    #[test]
    fn who_should_hear_whom() {
        let rows = [
            (Audience::Sender, [[InOrder, Unexpected], [Unexpected, InOrder]]),
            (Audience::Everyone, [[InOrder, InOrder], [InOrder, InOrder]]),
            (Audience::Others, [[Unexpected, InOrder], [InOrder, Unexpected]]),
        ];
        for (audience, want) in rows {
            let mut ledger = Ledger::new(audience, 2);
            ledger.grow(2);
            ledger.begin();
            (0..2).for_each(|sender| _ = ledger.send(sender));
            let got = [0, 1].map(|sender| [0, 1].map(|receiver| ledger.receive(receiver, stamp(sender, 0))));
            assert_eq!(got, want, "{audience:?}");
            assert_eq!(ledger.receive(0, stamp(2, 0)), Unexpected, "a sender that there is not");
            assert_eq!(ledger.receive(7, stamp(0, 0)), Unexpected, "nor such a receiver");
        }
    }

    #[test]
    fn what_was_sent_before_is_stale() {
        let mut ledger = Ledger::new(Audience::Everyone, 1);
        ledger.grow(1);
        let probe = ledger.send(0);
        ledger.set_audience(Audience::Everyone);
        let counted = ledger.send(0);
        assert_eq!(ledger.receive(0, stamp(0, probe)), Stale);
        assert_eq!(ledger.receive(0, stamp(0, counted)), InOrder);
        ledger.grow(2);
        ledger.begin();
        let later = ledger.send(0);
        for receiver in [0, 1] {
            assert_eq!(ledger.receive(receiver, stamp(0, counted)), Stale);
            assert!(!ledger.has(receiver, 0, later));
            assert_eq!(ledger.receive(receiver, stamp(0, later)), InOrder);
            assert!(ledger.has(receiver, 0, later));
        }
        (0..5).for_each(|_| _ = ledger.send(0));
        ledger.receive(0, stamp(0, later + 3));
        assert_eq!([0, 1].map(|receiver| ledger.owed_to(receiver)), [4, 5]);
    }

    proptest! {
        /// Beside a set that forgets nothing, as long as nothing is further behind than the window.
        #[test]
        fn as_a_set_that_forgets_nothing(steps in proptest::collection::vec(0..6_u64, 1..200)) {
            let mut cell = Cell { next: 0, window: u32::MAX, missing: 0 };
            let (mut seen, mut highest, mut at) = (HashSet::new(), None, 0_u64);
            for step in steps {
                at = (at + step).saturating_sub(2);
                let want = if !seen.insert(at) {
                    Duplicate
                } else if highest.is_some_and(|highest| at < highest) {
                    Overtaken
                } else {
                    InOrder
                };
                highest = highest.max(Some(at));
                if highest.is_some_and(|highest| highest - at < WINDOW) {
                    prop_assert_eq!(cell.receive(at), want);
                }
                let missing = (0..cell.next).filter(|number| !seen.contains(number)).count();
                prop_assert_eq!(cell.missing() as usize, missing);
            }
        }
    }
}
