//! One run: a server on the first processor, the load on the last, and what the server used meanwhile.

use crate::load::{Load, Report};
use crate::options::Options;
use crate::process::{Process, descriptors, pinned, processors};
use crate::programs::Programs;
use crate::ratio::Outcome;
use crate::samples::Samples;
use crate::server::{Kind, Server};
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// Descriptors that are no connections, with some to spare.
const DESCRIPTORS_RESERVED: u64 = 256;
/// The clocks of the load and of this program differ by a few milliseconds: the edges of what is measured are cut off.
const EDGE_SECONDS: f64 = 0.1;
/// What a load may take on top of the time it measures: opening, stragglers, goodbyes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all measures need.
pub struct Lab {
    pub programs: Programs,
    pub options: Options,
    pub server_processor: usize,
    pub load_processor: usize,
}

impl Lab {
    pub fn new(options: Options) -> Result<Self, Box<dyn Error>> {
        let processors = processors()?;
        let [server_processor, .., load_processor] = processors[..] else {
            return Err("needs two processors, one for the server and one for the load".into());
        };
        Ok(Self { programs: Programs::prepare()?, options, server_processor, load_processor })
    }

    /// As many connections as asked for, or as the limit of descriptors leaves.
    pub fn room_for(&self, connections: u64) -> u64 {
        connections.min(descriptors().saturating_sub(DESCRIPTORS_RESERVED))
    }

    /// Those of them that are not missing.
    pub fn present(&self, kinds: &[Kind]) -> Vec<Kind> {
        kinds.iter().copied().filter(|&kind| self.programs.serve(kind, 0).is_some()).collect()
    }

    pub fn start(&self, kind: Kind) -> Outcome<Server> {
        Server::start(&self.programs, kind, self.server_processor)
    }

    /// A load on a server of its own.
    pub fn run(&self, kind: Kind, load: &Load) -> Outcome<Run> {
        self.run_on(&self.start(kind)?, load, Watch::Processor)
    }

    /// A load on a server that is there.
    pub fn run_on(&self, server: &Server, load: &Load, watch: Watch) -> Outcome<Run> {
        let mut command: Vec<OsString> = vec![self.programs.fanfare.clone().into(), "bench".into()];
        command.push(server.url().into());
        command.extend(load.arguments().into_iter().map(OsString::from));
        let observe = || -> io::Result<(String, Samples)> {
            let (reader, writer) = io::pipe()?;
            let command = pinned(self.load_processor, command)?;
            let mut samples = Samples::begin(server.id(), watch == Watch::Memory);
            let began = Instant::now();
            let mut process = Process::start(&command, Stdio::from(writer))?;
            let said = thread::spawn(|| io::read_to_string(reader));
            let limit = Duration::from_secs_f64(load.seconds) + PATIENCE;
            while process.ended()?.is_none() {
                if began.elapsed() > limit {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                samples.tick();
            }
            let said = said.join().map_err(|_| io::Error::other("the thread that reads it"))??;
            Ok((said, samples))
        };
        let (said, samples) = observe().map_err(|error| format!("the load: {error}"))?;
        let line = said.lines().next().ok_or("the load says nothing")?;
        let report = Report::read(line)?;
        report.fault(load).map_or(Ok(Run { report, samples }), Err)
    }
}

/// What is looked at while the load runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    Processor,
    Memory,
}

/// What came of it.
pub struct Run {
    pub report: Report,
    pub samples: Samples,
}

impl Run {
    /// What is measured without its edges, in seconds since the load was started.
    pub fn window(&self) -> (f64, f64) {
        let Report { measured_from, measured_to, .. } = self.report;
        let edge = EDGE_SECONDS.min((measured_to - measured_from) / 10.0);
        (measured_from + edge, measured_to - edge)
    }

    /// The server's CPU time for each delivery: its share of the processor over the whole window, by the rate at which
    /// messages arrived.
    pub fn cpu_us_per_delivery(&self) -> Option<f64> {
        let (from, to) = self.window();
        let share = self.samples.cpu_share(from, to)?;
        let rate = self.report.deliveries_per_second.filter(|&rate| rate > 0.0)?;
        Some(share * 1e6 / rate)
    }
}
