//! The warm-up: one message that is not counted shows who hears what is sent. A server may broadcast with its sender or
//! without, or only echo, and nobody should have to say which.
//!
//! Must not know: sockets, payloads, clocks; times are microseconds that the caller hands in.

use super::ledger::Audience;
use super::limits::{ON_ITS_WAY_US, OTHERS_GRACE_US, OWN_GRACE_US, PROBE_US, PROBES_MAX};
use super::plan::Scenario;

/// How long nothing may come at all, in seconds.
pub(crate) const SILENCE_SECONDS: u64 = PROBES_MAX as u64 * PROBE_US / 1_000_000;

/// What is known so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing yet.
    Wait,
    /// The message should be sent once more.
    SendAgain,
    /// Who hears it.
    Heard(Audience),
    /// The sender alone, where all others should.
    EchoOnly,
    /// Others, where only the sender should.
    Broadcasts,
    /// Nobody; so many other messages came instead.
    Silent {
        /// Messages in which it was not found.
        strange: u64,
    },
}

/// Who got the message so far.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    sender: usize,
    heard: Vec<bool>,
    others: usize,
    /// When the last one that had not got it did.
    changed_us: u64,
    /// When it was sent for the first time, and for the last.
    began_us: u64,
    sent_us: u64,
    tries: u32,
    /// Messages that were something else.
    strange: u64,
}

impl Probe {
    /// Before anything is sent. `receivers` includes those that are not open.
    pub(crate) fn new(sender: usize, receivers: usize) -> Self {
        Self {
            sender,
            heard: vec![false; receivers],
            others: 0,
            changed_us: 0,
            began_us: 0,
            sent_us: 0,
            tries: 0,
            strange: 0,
        }
    }

    pub(crate) fn sender(&self) -> usize {
        self.sender
    }

    /// The message goes out, for the first time or again.
    pub(crate) fn sent(&mut self, now_us: u64) {
        self.tries += 1;
        self.sent_us = now_us;
        if self.tries == 1 {
            (self.began_us, self.changed_us) = (now_us, now_us);
        }
    }

    /// Somebody got it.
    pub(crate) fn arrive(&mut self, receiver: usize, now_us: u64) {
        let Some(heard) = self.heard.get_mut(receiver) else { return };
        if !std::mem::replace(heard, true) {
            self.others += usize::from(receiver != self.sender);
            self.changed_us = now_us;
        }
    }

    /// Somebody got something else.
    pub(crate) fn arrive_other(&mut self) {
        self.strange += 1;
    }

    /// Whether this verdict takes silence for an answer, and should wait for what is on its way: a long message to many
    /// receivers takes its time.
    pub(crate) fn may_be_coming(&self, verdict: Verdict, now_us: u64) -> bool {
        let takes_silence = match verdict {
            Verdict::Wait | Verdict::Broadcasts | Verdict::Heard(Audience::Everyone) => false,
            Verdict::SendAgain => self.tries > 0,
            Verdict::Heard(Audience::Sender | Audience::Others)
            | Verdict::EchoOnly
            | Verdict::Silent { .. } => true,
        };
        takes_silence && now_us.saturating_sub(self.began_us) < ON_ITS_WAY_US
    }

    /// What that means, with so many receivers open, the sender among them.
    pub(crate) fn verdict(&self, scenario: Scenario, open: usize, now_us: u64) -> Verdict {
        if self.tries == 0 {
            return Verdict::SendAgain;
        }
        let own = self.heard.get(self.sender).is_some_and(|heard| *heard);
        let quiet_us = now_us.saturating_sub(self.changed_us);
        let known = match scenario {
            Scenario::Echo => self.echo(own, open, quiet_us),
            Scenario::Connect | Scenario::Idle | Scenario::Broadcast | Scenario::Slow => {
                self.broadcast(own, open, quiet_us)
            }
        };
        if let Some(verdict) = known {
            return verdict;
        }
        if now_us.saturating_sub(self.sent_us) < PROBE_US {
            return Verdict::Wait;
        }
        if self.tries < PROBES_MAX { Verdict::SendAgain } else { self.last_word(own) }
    }

    fn echo(&self, own: bool, open: usize, quiet_us: u64) -> Option<Verdict> {
        if self.others > 0 {
            return Some(Verdict::Broadcasts);
        }
        let is_alone = open < 2 || quiet_us >= OTHERS_GRACE_US;
        (own && is_alone).then_some(Verdict::Heard(Audience::Sender))
    }

    fn broadcast(&self, own: bool, open: usize, quiet_us: u64) -> Option<Verdict> {
        let all_others = self.others + 1 >= open;
        if own && all_others {
            return Some(Verdict::Heard(Audience::Everyone));
        }
        let without_sender = all_others && open > 1 && quiet_us >= OWN_GRACE_US;
        without_sender.then_some(Verdict::Heard(Audience::Others))
    }

    /// No more is to be expected: some never got it, and the figures will show that.
    fn last_word(&self, own: bool) -> Verdict {
        match (own, self.others) {
            (false, 0) => Verdict::Silent { strange: self.strange },
            (true, 0) => Verdict::EchoOnly,
            (true, _) => Verdict::Heard(Audience::Everyone),
            (false, _) => Verdict::Heard(Audience::Others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it is called, who gets the message when, the verdict, and the time at which it is known, in tenths of a
    /// second.
    type Row = (&'static str, Scenario, &'static [(usize, u64)], (Verdict, u64));

    /// The verdict when these have got the message at these times and nothing more comes, of three receivers of which
    /// the first sends; asked every 50 ms.
    fn verdict(scenario: Scenario, arrivals: &[(usize, u64)]) -> (Verdict, u64) {
        let mut probe = Probe::new(0, 3);
        for now_us in (0..).step_by(50_000) {
            for &(receiver, at) in arrivals.iter().filter(|(_, at)| (now_us..now_us + 50_000).contains(at)) {
                probe.arrive(receiver, at);
            }
            match probe.verdict(scenario, 3, now_us) {
                Verdict::Wait => {}
                Verdict::SendAgain => probe.sent(now_us),
                verdict @ (Verdict::Heard(_)
                | Verdict::EchoOnly
                | Verdict::Broadcasts
                | Verdict::Silent { .. }) => return (verdict, now_us / 100_000),
            }
        }
        unreachable!("the range has no end")
    }

    #[test]
    fn who_hears() {
        let (echo, broadcast) = (Scenario::Echo, Scenario::Broadcast);
        let everyone = Verdict::Heard(Audience::Everyone);
        let others = Verdict::Heard(Audience::Others);
        let rows: [Row; 10] = [
            ("everybody", broadcast, &[(0, 1), (1, 2), (2, 3)], (everyone, 0)),
            ("the sender last", broadcast, &[(1, 1), (2, 2), (0, 400_000)], (everyone, 4)),
            ("all but the sender", broadcast, &[(1, 1), (2, 2)], (others, 5)),
            (
                "one of them only the second time",
                broadcast,
                &[(0, 1), (1, 2), (2, 1_600_000)],
                (everyone, 16),
            ),
            ("one of them never", broadcast, &[(0, 1), (1, 2)], (everyone, 40)),
            ("the sender alone", broadcast, &[(0, 1)], (Verdict::EchoOnly, 40)),
            ("nobody", broadcast, &[], (Verdict::Silent { strange: 0 }, 40)),
            ("an echo", echo, &[(0, 1)], (Verdict::Heard(Audience::Sender), 1)),
            ("an echo that all hear", echo, &[(0, 1), (2, 1)], (Verdict::Broadcasts, 0)),
            ("no echo", echo, &[], (Verdict::Silent { strange: 0 }, 40)),
        ];
        for (name, scenario, arrivals, want) in rows {
            assert_eq!(verdict(scenario, arrivals), want, "{name}");
        }
    }

    #[test]
    fn what_is_on_its_way_is_waited_for() {
        let mut probe = Probe::new(0, 2);
        assert!(!probe.may_be_coming(Verdict::SendAgain, 0), "nothing was sent");
        probe.sent(5);
        probe.sent(PROBE_US);
        let waits = |verdict| probe.may_be_coming(verdict, ON_ITS_WAY_US);
        assert!(waits(Verdict::SendAgain) && waits(Verdict::Heard(Audience::Others)));
        assert!(!waits(Verdict::Heard(Audience::Everyone)), "nothing is missing");
        assert!(!probe.may_be_coming(Verdict::SendAgain, ON_ITS_WAY_US + 5), "not for ever");
    }

    #[test]
    fn a_single_connection_hears_itself_or_nothing() {
        let mut probe = Probe::new(0, 1);
        assert_eq!(probe.verdict(Scenario::Broadcast, 1, 0), Verdict::SendAgain);
        probe.sent(0);
        assert_eq!(probe.verdict(Scenario::Broadcast, 1, OWN_GRACE_US), Verdict::Wait);
        probe.arrive(0, OWN_GRACE_US);
        assert_eq!(probe.verdict(Scenario::Broadcast, 1, OWN_GRACE_US), Verdict::Heard(Audience::Everyone));
    }
}
