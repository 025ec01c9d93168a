//! The phases of a run, and when one ends and the next begins.
//!
//! ```text
//! Opening ─ Probing ─ Measuring ─ Draining ─ Closing ─ Over
//!    └──────────── the next stage of a search ┘
//! ```
//!
//! Probing is left out where there are no messages, or where it is known who hears them.
//!
//! Must not know: what comes in, how anything is sent.

use super::Run;
use super::connection::Connection;
use crate::bench::error::BenchError;
use crate::bench::limits::{CLOSE_US, DRAIN_US, STAGES_MAX};
use crate::bench::machine::{self, Process};
use crate::bench::mirror::{Cursor, Mirror};
use crate::bench::plan::{Pace, Scenario};
use crate::bench::probe::{Probe, SILENCE_SECONDS, Verdict};
use crate::bench::schedule::Schedule;
use crate::bench::summary;
use std::time::Duration;

/// What is going on. Times are in microseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connections are opened.
    Opening,
    /// A message shows who hears what is sent.
    Probing,
    /// Everything counts.
    Measuring { until_us: u64 },
    /// What was sent may still arrive.
    Draining { until_us: u64 },
    /// All say goodbye.
    Closing { until_us: u64 },
    /// There is nothing left to do.
    Over,
}

impl Phase {
    /// Whether deliveries count, and in the open loop messages are sent.
    pub(super) fn is_counted(self) -> bool {
        match self {
            Self::Measuring { .. } | Self::Draining { .. } => true,
            Self::Opening | Self::Probing | Self::Closing { .. } | Self::Over => false,
        }
    }

    /// Whether something new may begin.
    pub(super) fn is_measured(self) -> bool {
        match self {
            Self::Measuring { .. } => true,
            Self::Opening | Self::Probing | Self::Draining { .. } | Self::Closing { .. } | Self::Over => {
                false
            }
        }
    }
}

/// How far a run has come.
pub(super) struct Course {
    pub(super) phase: Phase,
    /// Whether it is known who hears what is sent.
    is_audience_known: bool,
    pub(super) is_interrupted: bool,
    /// Receivers of this stage.
    pub(super) receivers: usize,
    /// What stages of a search came to.
    pub(super) stages: Vec<summary::Stage>,
    /// When this phase began.
    pub(super) began_us: u64,
}

impl Course {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Opening,
            is_audience_known: false,
            is_interrupted: false,
            receivers: 0,
            stages: Vec::new(),
            began_us: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// When the phase ends at the latest.
    pub(super) fn until_us(&self) -> Option<u64> {
        match self.phase {
            Phase::Measuring { until_us } | Phase::Draining { until_us } | Phase::Closing { until_us } => {
                Some(until_us)
            }
            Phase::Opening | Phase::Probing | Phase::Over => None,
        }
    }
}

impl Run<'_> {
    /// Begins to open connections.
    pub(super) fn begin(&mut self) {
        self.course.receivers = self.plan.connections;
        let places = self.plan.places();
        self.connections.resize_with(places, Connection::empty);
        self.tally.grow(places);
        if matches!(self.plan.scenario, Scenario::Connect) {
            self.free_all();
            return self.measure(0);
        }
        let ramp_us = microseconds(self.plan.ramp);
        self.dialer.extend(places, 0, ramp_us);
    }

    /// Moves on when a phase has done what it is for.
    pub(super) fn advance(&mut self, now_us: u64) -> Result<(), BenchError> {
        match self.course.phase {
            Phase::Opening => {
                self.dial(now_us);
                if self.dialer.is_done() {
                    self.measured.opening_us += now_us - self.course.began_us;
                    self.all_opened(now_us);
                }
            }
            Phase::Probing => self.look_at_probe(now_us)?,
            Phase::Measuring { until_us } => {
                self.dial(now_us); // at another address of the host, in `connect`
                if now_us >= until_us || self.has_nothing_left() {
                    self.drain(now_us);
                }
            }
            Phase::Draining { until_us } => {
                if now_us >= until_us || self.is_drained() {
                    self.end_stage(now_us);
                }
            }
            Phase::Closing { until_us } => {
                if now_us >= until_us || self.connections.iter().all(|one| one.transport.is_none()) {
                    self.course.phase = Phase::Over;
                }
            }
            Phase::Over => {}
        }
        Ok(())
    }

    /// The first interrupt: report what there is.
    pub(super) fn cut_short(&mut self) {
        let now_us = self.now_us();
        match self.course.phase {
            Phase::Opening | Phase::Probing => {
                self.dialer.stop();
                self.say_goodbye(now_us);
            }
            Phase::Measuring { .. } => self.drain(now_us),
            Phase::Draining { .. } | Phase::Closing { .. } | Phase::Over => {}
        }
    }

    fn enter(&mut self, phase: Phase, now_us: u64) {
        self.course.phase = phase;
        self.course.began_us = now_us;
    }

    /// Those that can be opened are.
    fn all_opened(&mut self, now_us: u64) {
        if self.open == 0 {
            return self.say_goodbye(now_us);
        }
        if self.plan.scenario.has_messages() && !self.course.is_audience_known {
            // Any of the senders will do; without one there is nothing to measure.
            let Some(sender) = (0..self.plan.senders).find(|&index| self.connections[index].is_open()) else {
                return self.say_goodbye(now_us);
            };
            self.probe = Some(Probe::new(sender, self.connections.len()));
            return self.enter(Phase::Probing, now_us);
        }
        self.measure(now_us);
    }

    fn look_at_probe(&mut self, now_us: u64) -> Result<(), BenchError> {
        let Some(probe) = &mut self.probe else { return Ok(()) };
        let sender = probe.sender();
        if !self.connections[sender].is_open() {
            // It was lost, which is counted. What is left may have a sender.
            self.probe = None;
            self.all_opened(now_us);
            return Ok(());
        }
        let open = usize::try_from(self.open).unwrap_or(usize::MAX);
        let verdict = probe.verdict(self.plan.scenario, open, now_us);
        if probe.may_be_coming(verdict, now_us)
            && (self.connections[sender].is_blocked()
                || self.connections.iter().any(|one| one.reader.is_within_message()))
        {
            return Ok(());
        }
        match verdict {
            Verdict::Wait => {}
            Verdict::SendAgain => {
                probe.sent(now_us);
                self.send_probe(sender, now_us);
            }
            Verdict::Heard(audience) => {
                self.tally.set_audience(audience);
                self.course.is_audience_known = true;
                self.measure(now_us);
            }
            Verdict::EchoOnly => return Err(BenchError::EchoOnly),
            Verdict::Broadcasts => return Err(BenchError::Broadcasts),
            Verdict::Silent { strange: 0 } => {
                return Err(BenchError::Silent { seconds: SILENCE_SECONDS, connections: open });
            }
            Verdict::Silent { strange } => {
                return Err(BenchError::Strange { seconds: SILENCE_SECONDS, messages: strange });
            }
        }
        Ok(())
    }

    fn measure(&mut self, now_us: u64) {
        let until_us = now_us.saturating_add(microseconds(self.plan.duration));
        self.tally.begin();
        self.scheduled = 0;
        self.sent.fill(0);
        // In `connect` it is handshakes that are due.
        self.schedule = match self.plan.pace {
            Pace::Open { rate } => Some(Schedule::new(now_us, until_us, rate, self.plan.senders)),
            Pace::Closed { .. } => None,
        };
        self.ready.clear();
        if self.schedule.is_none() {
            self.ready.extend(0..self.plan.senders);
        }
        // A payload that is wrapped may be wrapped in another way for each receiver.
        let is_mirrored = self.tally.is_broadcast() && self.judge.takes_pieces();
        self.mirror = is_mirrored.then(|| Mirror::new(self.judge.frame_bytes()));
        self.connections.iter_mut().for_each(|one| one.cursor = Cursor::default());
        self.measured.begin_us = now_us;
        self.measured.senders =
            self.connections.iter().take(self.plan.senders).filter(|one| one.is_open()).count();
        self.measured.idle_us = self.idle_us;
        self.measured.cpu = machine::cpu_time();
        self.measured.server_cpu = self.server.as_ref().and_then(Process::cpu);
        self.enter(Phase::Measuring { until_us }, now_us);
    }

    /// Whether there is no connection left that could do anything.
    fn has_nothing_left(&self) -> bool {
        !matches!(self.plan.scenario, Scenario::Connect) && self.open == 0
    }

    /// The time that is measured is over.
    fn drain(&mut self, now_us: u64) {
        if let Some(schedule) = &mut self.schedule {
            schedule.cut(now_us); // earlier than planned when it is interrupted
        }
        let measured = &mut self.measured;
        let since = |now: Option<Duration>, before: Option<Duration>| Some(now?.saturating_sub(before?));
        measured.end_us = now_us;
        measured.sent = self.tally.counts.sent;
        measured.received = self.tally.counts.received;
        measured.opened = self.opened;
        measured.held = match self.plan.scenario {
            Scenario::Connect => 0,
            Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => self.opened - self.lost,
        };
        measured.idle_us = self.idle_us - measured.idle_us;
        measured.cpu = since(machine::cpu_time(), measured.cpu);
        measured.server_cpu = since(self.server.as_ref().and_then(Process::cpu), measured.server_cpu);
        measured.rss_after = self.server.as_ref().and_then(Process::rss_bytes);
        let patience_us = match self.plan.scenario {
            Scenario::Connect if self.course.is_interrupted => 0,
            Scenario::Connect => microseconds(self.plan.timeout),
            Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => DRAIN_US,
        };
        self.enter(Phase::Draining { until_us: now_us.saturating_add(patience_us) }, now_us);
    }

    fn is_drained(&self) -> bool {
        match self.plan.scenario {
            Scenario::Connect => self.dialer.is_done(),
            Scenario::Idle => true,
            Scenario::Echo | Scenario::Broadcast | Scenario::Slow => {
                self.open == 0 || (self.tally.counts.outstanding() == 0 && self.owed() == 0)
            }
        }
    }

    fn end_stage(&mut self, now_us: u64) {
        let figures = self.figures();
        let Some(search) = self.plan.search else {
            self.result = Some(figures);
            return self.say_goodbye(now_us);
        };
        let stage = self.stage(&figures);
        let is_good = stage.holds(search.p95.as_secs_f64() * 1000.0);
        self.course.stages.push(stage);
        // What is reported is the last stage that was good, or the first.
        if is_good || self.result.is_none() {
            self.result = Some(figures);
        }
        let receivers = self.course.receivers + search.step;
        let has_room = receivers + self.plan.slow_receivers() <= self.room;
        if !is_good || !has_room || self.course.is_interrupted || self.course.stages.len() == STAGES_MAX {
            return self.say_goodbye(now_us);
        }
        self.course.receivers = receivers;
        let places = receivers + self.plan.slow_receivers();
        self.connections.resize_with(places, Connection::empty);
        self.tally.grow(places);
        self.dialer.extend(places, now_us, microseconds(self.plan.ramp));
        self.enter(Phase::Opening, now_us);
    }

    fn say_goodbye(&mut self, now_us: u64) {
        self.enter(Phase::Closing { until_us: now_us.saturating_add(CLOSE_US) }, now_us);
        for index in 0..self.connections.len() {
            self.close(index, now_us);
        }
    }
}

/// Bounded by what the options take, which is far less than 64 bits.
pub(super) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
