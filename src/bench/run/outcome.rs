//! The figures of a run, put together at its end.
//!
//! Must not know: how figures are shown.

use super::{Measured, Run};
use crate::bench::cause::Causes;
use crate::bench::figures::{Counts, Times};
use crate::bench::limits::{CLOSE_US, PATIENCE_US};
use crate::bench::machine;
use crate::bench::plan::{Pace, Scenario};
use crate::bench::report::figures::count;
use crate::bench::summary::{
    About, Bytes, Connections, Deliveries, Generator, Messages, Percentiles, SearchResult, Series, ServerUse,
    Stage, Summary,
};

/// Past this share of its time the loop had no room for what came late.
const BUSY_SHARE_MAX: f64 = 0.9;
/// Messages that are handed to the system later than this, at the median, are not sent when they should be.
const LATENESS_MS_MAX: f64 = 1.0;

/// What one stage came to.
pub(super) struct StageFigures {
    counts: Counts,
    latency: Times,
    spread: Times,
    lateness: Times,
    measured: Measured,
    /// Connections of the stage, those that never read among them.
    asked: u64,
    opened: u64,
    failed: u64,
    lost: u64,
    causes: Causes,
    bytes: Bytes,
    /// What was due and could not be begun.
    owed: u64,
}

impl Run<'_> {
    /// What the stage that ends now came to.
    pub(super) fn figures(&self) -> StageFigures {
        StageFigures {
            counts: self.tally.counts,
            latency: self.tally.latency.settled(),
            spread: self.tally.spread.settled(),
            lateness: self.tally.lateness.settled(),
            measured: self.measured,
            asked: match self.plan.scenario {
                Scenario::Connect => self.dialer.attempts,
                Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => {
                    self.connections.len() as u64
                }
            },
            opened: self.opened,
            failed: self.failed,
            lost: self.lost,
            causes: self.causes.clone(),
            bytes: self.bytes,
            owed: self.owed(),
        }
    }

    /// A stage as the search shows it.
    pub(super) fn stage(&self, figures: &StageFigures) -> Stage {
        Stage {
            connections: self.course.receivers as u64,
            p95_ms: self.latency(figures).at(0.95).unwrap_or(0.0),
            lost: figures.counts.lost() + figures.counts.corrupt,
            broken: figures.failed + figures.lost,
            bottleneck: generator(figures).bottleneck,
        }
    }

    /// Everything that was found.
    pub(super) fn summary(mut self) -> Summary {
        let now_us = self.now_us();
        let figures = self.result.take().unwrap_or_else(|| self.figures());
        let notes = self.notes(&figures);
        let has_messages = self.plan.scenario.has_messages();
        let seconds = figures.seconds();
        let latency = self.latency(&figures);
        let measured = &figures.measured;
        self.tally.timeline.advance(now_us, 0);
        let (interval, spans) = self.tally.timeline.finish();
        Summary {
            url: self.plan.target.url.clone(),
            scenario: self.plan.scenario,
            seconds,
            connections: Connections {
                asked: figures.asked,
                opened: figures.opened,
                failed: figures.failed,
                lost: figures.lost,
                per_second: self.opened_per_second(&figures),
                causes: figures.causes.counts(),
            },
            messages: self.messages(&figures),
            deliveries: self.deliveries(&figures),
            reach: (figures.counts.expected > 0)
                .then(|| figures.counts.received as f64 / figures.counts.expected as f64),
            latency_ms: latency.percentiles(),
            spread_ms: figures.spread.spread(),
            bytes: figures.bytes,
            generator: generator(&figures),
            server: server(&figures),
            measured_latency_ms: match self.plan.pace {
                Pace::Closed { .. } => figures.latency.percentiles(),
                Pace::Open { .. } => Percentiles::default(),
            },
            curve: latency.curve(),
            series: Series {
                interval: interval.as_secs_f64(),
                measured: (seconds_of(measured.begin_us), seconds_of(measured.end_us)),
                spans,
            },
            search: self.search(),
            notes,
            about: About {
                command: self.plan.command.clone(),
                version: machine::version(),
                machine: machine::machine(),
                began: self.began_utc,
                pace: (self.plan.scenario != Scenario::Idle).then_some(self.plan.pace),
                senders: has_messages.then_some(self.plan.senders as u64),
                message_bytes: has_messages.then_some(self.plan.message_bytes as u64),
                connections: Some(self.plan.connections as u64),
                slow: Some(self.plan.slow_receivers() as u64).filter(|slow| *slow > 0),
            },
        }
    }

    /// The latency that is reported: in the closed loop corrected for what was not sent while it waited. Each of its
    /// places in the windows would have sent again after the mean time that they took.
    fn latency(&self, figures: &StageFigures) -> Times {
        let places = match (self.plan.pace, self.plan.scenario) {
            (Pace::Open { .. }, _) => return figures.latency.clone(),
            (Pace::Closed { .. }, Scenario::Connect) => self.plan.connections,
            (Pace::Closed { window }, _) => figures.measured.senders * window,
        };
        let turns = match self.plan.scenario {
            Scenario::Connect => figures.measured.opened,
            Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => figures.counts.sent,
        };
        if turns == 0 {
            return figures.latency.clone();
        }
        let interval_us = u128::from(figures.microseconds()) * places as u128 / u128::from(turns);
        figures.latency.corrected(u64::try_from(interval_us).unwrap_or(u64::MAX))
    }

    fn opened_per_second(&self, figures: &StageFigures) -> Option<f64> {
        if matches!(self.plan.scenario, Scenario::Connect) {
            return figures.per_second(figures.measured.opened);
        }
        let seconds = seconds_of(figures.measured.opening_us);
        (seconds > 0.0).then(|| figures.opened as f64 / seconds)
    }

    fn messages(&self, figures: &StageFigures) -> Messages {
        if !self.plan.scenario.has_messages() {
            return Messages::default();
        }
        Messages {
            sent: Some(figures.counts.sent),
            per_second: figures.per_second(figures.measured.sent),
            unsent: self.schedule.map(|_| figures.owed),
        }
    }

    fn deliveries(&self, figures: &StageFigures) -> Deliveries {
        if !self.plan.scenario.has_messages() {
            return Deliveries::default();
        }
        let counts = &figures.counts;
        Deliveries {
            expected: Some(counts.expected),
            received: Some(counts.received),
            lost: Some(counts.lost()),
            duplicated: Some(counts.duplicated),
            reordered: Some(counts.reordered),
            corrupt: Some(counts.corrupt),
            per_second: figures.per_second(figures.measured.received),
        }
    }

    fn search(&self) -> Option<SearchResult> {
        let search = self.plan.search?;
        let limit_ms = search.p95.as_secs_f64() * 1000.0;
        let held = self.course.stages.iter().filter(|stage| stage.holds(limit_ms));
        Some(SearchResult {
            limit_ms,
            held: held.map(|stage| stage.connections).max().unwrap_or(0),
            stages: self.course.stages.clone(),
        })
    }

    /// What people should know beside the figures.
    fn notes(&self, figures: &StageFigures) -> Vec<String> {
        let mut notes = Vec::new();
        let own = generator(figures);
        if let Some(share) = busiest(&own).filter(|share| *share > BUSY_SHARE_MAX) {
            notes.push(format!(
                "the load generator was busy {:.0} % of the time: the figures may be its own limit, not the server's",
                share * 100.0
            ));
        }
        if let Some(late) = own.lateness_ms.filter(|late| late.p50 > LATENESS_MS_MAX) {
            notes.push(format!(
                "messages were sent {:.1} ms late at the median: the load generator could not keep the rate",
                late.p50
            ));
        }
        let counts = &figures.counts;
        let mut note = |number: u64, what: &str| {
            if number > 0 {
                notes.push(format!("{} {what}", count(number)));
            }
        };
        let seconds = |us: u64| us / 1_000_000;
        match self.plan.scenario {
            Scenario::Connect => {
                note(figures.owed, "handshakes were due and had no free connection to begin on");
                let kept = seconds(CLOSE_US);
                let what = format!(
                    "connections were kept for {kept} s, since the server did not answer their Close"
                );
                note(self.unanswered, &what);
            }
            Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => {
                let what = "messages were due and never sent: the server took no more from their senders";
                note(figures.owed, what);
                let patience = seconds(PATIENCE_US);
                let what = format!(
                    "messages took more than {patience} s; the next ones were sent without waiting for them"
                );
                note(counts.given_up, &what);
            }
        }
        note(counts.foreign, "messages came that are not of this run; they are not counted");
        note(
            counts.unexpected,
            "messages came to connections that should not get them; they are not counted",
        );
        note(counts.kind_changed, "messages came as text that were sent as binary, or the other way round");
        notes.extend(figures.causes.details().map(|cause| format!("the first {cause}")));
        if self.course.is_interrupted {
            notes.push("interrupted: these are the figures up to then".to_owned());
        } else if self.plan.scenario.has_messages() && figures.measured.begin_us == 0 {
            let why = if figures.opened > 0 { "no sender was left" } else { "no connection was opened" };
            notes.push(format!("nothing was measured: {why}"));
        }
        notes
    }
}

impl StageFigures {
    fn microseconds(&self) -> u64 {
        self.measured.end_us.saturating_sub(self.measured.begin_us)
    }

    fn seconds(&self) -> f64 {
        seconds_of(self.microseconds())
    }

    fn per_second(&self, count: u64) -> Option<f64> {
        (self.microseconds() > 0).then(|| count as f64 / self.seconds())
    }
}

fn generator(figures: &StageFigures) -> Generator {
    let seconds = figures.seconds();
    let share = |part: f64| (seconds > 0.0).then(|| (part / seconds).clamp(0.0, 1.0));
    let own = Generator {
        cpu_share: figures.measured.cpu.and_then(|cpu| share(cpu.as_secs_f64())),
        busy_share: share(seconds - seconds_of(figures.measured.idle_us)),
        lateness_ms: figures.lateness.lateness(),
        bottleneck: false,
    };
    let is_busy = busiest(&own).is_some_and(|share| share > BUSY_SHARE_MAX);
    let is_late = own.lateness_ms.is_some_and(|late| late.p50 > LATENESS_MS_MAX);
    Generator { bottleneck: is_busy || is_late, ..own }
}

/// The larger share: the loop may wait for a processor, and waiting for events takes CPU time as well.
fn busiest(own: &Generator) -> Option<f64> {
    own.busy_share.into_iter().chain(own.cpu_share).reduce(f64::max)
}

fn server(figures: &StageFigures) -> ServerUse {
    let measured = &figures.measured;
    let grown =
        measured.rss_after.zip(measured.rss_before).map(|(after, before)| after.saturating_sub(before));
    // Memory of an earlier run that is used again does not show.
    let is_known = |grown: &u64| *grown > 0 && measured.held > 0;
    ServerUse {
        cpu_seconds: measured.server_cpu.map(|cpu| cpu.as_secs_f64()),
        rss_bytes: measured.rss_after,
        rss_per_connection: grown.filter(is_known).map(|grown| grown as f64 / measured.held as f64),
    }
}

fn seconds_of(microseconds: u64) -> f64 {
    microseconds as f64 / 1e6
}
