//! The load generator's loop: one thread, one poll, all connections. [`Run::turn`] is its table of contents.
//!
//! A run goes through phases (`course`): connections are opened (`dial`), a message shows who hears what is sent, then
//! it is measured (`send`, `receive`), stragglers are waited for, and all are closed. `outcome` makes a summary of it.
//!
//! The clock is read once for each read from a socket, so that a delivery is timed when it is there and not when its
//! turn came; messages that are due are sent between two reads as well.
//!
//! Must not know: how results are shown.

mod connection;
mod course;
mod dial;
mod outcome;
mod receive;
mod send;
mod snapshot;

use super::cause::Causes;
use super::error::BenchError;
use super::handshake::Request;
use super::judge::Judge;
use super::limits::{IN_FLIGHT_MAX, PAIRS_MAX};
use super::machine::{self, Process};
use super::mirror::Mirror;
use super::plan::{Pace, Plan, Scenario};
use super::probe::Probe;
use super::progress::Progress;
use super::schedule::Schedule;
use super::sockets::{self, Destination};
use super::sources::Sources;
use super::stamp::Pattern;
use super::summary::{self, Summary};
use super::tally::Tally;
use super::timer::Timer;
use super::transport::{Carrier, Scratch};
use connection::Connection;
use course::Course;
use dial::Dialer;
use fanfare::limits::EVENTS_PER_POLL;
use fanfare::signals::Signals;
#[cfg(feature = "deflate")]
use fanfare::websocket::deflate::Deflater;
use fastrand::Rng;
use mio::{Events, Poll, Token};
use outcome::StageFigures;
use snapshot::Last;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const TIMER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// How often deadlines are looked at and progress is shown, in microseconds.
const TICK_US: u64 = 100_000;

/// Does what the plan says, and tells what came of it.
///
/// # Errors
/// What keeps a run from beginning, or from saying anything.
pub(crate) fn run(plan: &Plan, progress: &mut Progress) -> Result<Summary, BenchError> {
    let mut run = Run::new(plan)?;
    let mut events = Events::with_capacity(EVENTS_PER_POLL);
    let mut outcome = Ok(());
    while outcome.is_ok() && !run.course.is_over() {
        outcome = run.turn(&mut events, progress);
    }
    progress.finish(); // an error as well has its line to itself
    outcome.map(|()| run.summary())
}

/// A run under way.
struct Run<'p> {
    plan: &'p Plan,
    course: Course,
    began: Instant,
    began_utc: String,

    poll: Poll,
    timer: Timer,
    signals: Signals,
    /// Time in which the loop waited, in microseconds.
    idle_us: u64,
    next_tick_us: u64,

    /// The host's addresses.
    destinations: Vec<Destination>,
    /// The one that is tried; the first that was connected to is the one for all.
    destination: usize,
    sources: Sources,
    /// How many connections there could be.
    room: usize,
    request: Request,
    random: Rng,
    dialer: Dialer,
    /// Receivers in their order, senders first; behind them those that never read.
    connections: Vec<Connection>,
    /// Those that may have more to read than they had a turn for.
    readable: VecDeque<usize>,
    carrier: Carrier,
    scratch: Scratch,

    /// In the open loop: when messages are due.
    schedule: Option<Schedule>,
    /// How many of all messages have been handed to their senders.
    scheduled: u64,
    /// How many each sender has sent of those that are counted.
    sent: Vec<u64>,
    /// In the closed loop: senders whose window has room.
    ready: Vec<usize>,
    /// Frames that are being made.
    frames: Vec<u8>,
    #[cfg(feature = "deflate")]
    deflater: Deflater,
    /// A payload that is to be compressed.
    #[cfg(feature = "deflate")]
    plain: Vec<u8>,
    /// The same, compressed.
    packed: Vec<u8>,

    judge: Judge,
    /// In a broadcast while it is measured: what one receiver brought, for the others to be compared with.
    mirror: Option<Mirror>,
    probe: Option<Probe>,
    tally: Tally,
    causes: Causes,
    /// Handshakes completed, failed, and connections lost.
    opened: u64,
    failed: u64,
    lost: u64,
    /// Our Closes that were not answered in time.
    unanswered: u64,
    /// Receivers that are open now.
    open: u64,
    bytes: summary::Bytes,
    server: Option<Process>,
    measured: Measured,
    /// What is reported: the last stage, or the last good one of a search.
    result: Option<StageFigures>,
    /// What was shown last, to tell rates.
    last: Last,
}

/// What is read off the system around the time that is measured.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    begin_us: u64,
    end_us: u64,
    idle_us: u64,
    /// Senders at its beginning.
    senders: usize,
    cpu: Option<Duration>,
    server_cpu: Option<Duration>,
    /// What was sent, delivered and opened in that time, without what came behind it in the drain.
    sent: u64,
    received: u64,
    opened: u64,
    /// Connections open at its end, those that never read among them; 0 in `connect`, where they come and go.
    held: u64,
    rss_before: Option<u64>,
    rss_after: Option<u64>,
    /// How long it took to open the connections, over all stages so far, in microseconds.
    opening_us: u64,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan) -> Result<Self, BenchError> {
        let room = check_size(plan)?;
        let carrier = Carrier::new(plan)?;
        let server = plan.pid.map(Process::open).transpose()?;
        let mut destinations = sockets::resolve(&plan.target.address)?;
        let sources = Sources::new(&plan.source_addresses, &mut destinations, plan.scenario)?;
        let poll = Poll::new().map_err(|cause| BenchError::System { what: "poll", cause })?;
        let timer = Timer::new(poll.registry(), TIMER)
            .map_err(|cause| BenchError::System { what: "make a timer", cause })?;
        let signals = Signals::to_stop(poll.registry(), SIGNALS)
            .map_err(|cause| BenchError::System { what: "listen for signals", cause })?;
        let mut random = Rng::new();
        let pattern = Pattern::new(random.u32(..), plan.message_bytes);
        let measured =
            Measured { rss_before: server.as_ref().and_then(Process::rss_bytes), ..Measured::default() };
        let mut run = Self {
            plan,
            course: Course::new(),
            began: Instant::now(),
            began_utc: machine::now_utc(),
            poll,
            timer,
            signals,
            idle_us: 0,
            next_tick_us: 0,
            destinations,
            destination: 0,
            sources,
            room,
            request: Request::new(&plan.target, &plan.handshake),
            random,
            dialer: Dialer::new(),
            connections: Vec::new(),
            readable: VecDeque::new(),
            scratch: carrier.scratch(),
            carrier,
            schedule: None,
            scheduled: 0,
            sent: vec![0; plan.senders],
            ready: Vec::new(),
            frames: Vec::new(),
            #[cfg(feature = "deflate")]
            deflater: Deflater::fast(),
            #[cfg(feature = "deflate")]
            plain: Vec::new(),
            packed: Vec::new(),
            judge: Judge::new(pattern, plan.kind.opcode(), plan.matching),
            mirror: None,
            probe: None,
            tally: Tally::new(plan),
            causes: Causes::default(),
            opened: 0,
            failed: 0,
            lost: 0,
            unanswered: 0,
            open: 0,
            bytes: summary::Bytes::default(),
            server,
            measured,
            result: None,
            last: Last::default(),
        };
        run.begin();
        Ok(run)
    }

    /// One turn: wait, take in, give out, move on.
    fn turn(&mut self, events: &mut Events, progress: &mut Progress) -> Result<(), BenchError> {
        self.wait(events)?;
        for event in events.iter() {
            match event.token() {
                TIMER => self.timer.clear(),
                SIGNALS => self.take_signals()?,
                Token(index) => self.ready(index, event),
            }
        }
        self.read_on();
        let now_us = self.now_us();
        self.send(now_us);
        if now_us >= self.next_tick_us {
            self.next_tick_us = now_us + TICK_US;
            self.tick(now_us, progress);
        }
        self.advance(now_us)
    }

    /// Microseconds since the run began.
    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Waits for events; not at all while there is work, else until something is due.
    fn wait(&mut self, events: &mut Events) -> Result<(), BenchError> {
        let before_us = self.now_us();
        let wait_us = if self.has_work() { 0 } else { self.due_us().saturating_sub(before_us) };
        let outcome = if wait_us == 0 {
            self.poll.poll(events, Some(Duration::ZERO))
        } else {
            let wait = Duration::from_micros(wait_us);
            let deadline = self.began + Duration::from_micros(before_us + wait_us);
            self.timer.arm(deadline).map_err(|cause| BenchError::System { what: "set a timer", cause })?;
            self.poll.poll(events, self.timer.poll_timeout(wait))
        };
        if wait_us > 0 {
            self.idle_us += self.now_us() - before_us;
        }
        match outcome {
            // Events of the turn before must not be taken twice.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            outcome => outcome.map_err(|cause| BenchError::System { what: "poll", cause }),
        }
    }

    /// Whether there is something to do that no event will tell of.
    fn has_work(&self) -> bool {
        !self.readable.is_empty() || self.has_ready()
    }

    /// When the next thing is due.
    fn due_us(&self) -> u64 {
        let due = [self.course.until_us(), self.dialer.due_us(), self.send_due_us()];
        due.into_iter().flatten().fold(self.next_tick_us, u64::min)
    }

    fn take_signals(&mut self) -> Result<(), BenchError> {
        match self.signals.take() {
            0 => Ok(()),
            1 if !self.course.is_interrupted => {
                self.course.is_interrupted = true;
                self.cut_short();
                Ok(())
            }
            _ => Err(BenchError::Interrupted),
        }
    }

    /// Several times a second: deadlines, the series, progress.
    fn tick(&mut self, now_us: u64, progress: &mut Progress) {
        self.expire(now_us);
        self.tally.give_up(now_us);
        self.tally.timeline.advance(now_us, self.open);
        progress.show(&self.snapshot(now_us));
    }
}

/// Whether so much can be opened and checked. Gives how many connections there could be.
fn check_size(plan: &Plan) -> Result<usize, BenchError> {
    if let Pace::Closed { window } = plan.pace
        && plan.senders.saturating_mul(window.next_power_of_two()) > IN_FLIGHT_MAX
    {
        return Err(BenchError::InFlight { senders: plan.senders, window });
    }
    let room = sockets::make_room(plan.places())?;
    match plan.scenario {
        Scenario::Connect | Scenario::Idle | Scenario::Echo => Ok(room),
        Scenario::Broadcast | Scenario::Slow => {
            let receivers_max = PAIRS_MAX / plan.senders.max(1);
            if plan.places() > receivers_max {
                return Err(BenchError::Pairs { senders: plan.senders, receivers: plan.places() });
            }
            Ok(room.min(receivers_max))
        }
    }
}
