//! What a server has used, over the time that the load runs.

use crate::process::{cpu_seconds, own_bytes};
use std::time::{Duration, Instant};

/// Often enough to tell one moment from another; each costs some 20 µs on the processor of the load.
const INTERVAL: Duration = Duration::from_millis(20);

#[derive(Clone, Copy)]
struct Sample {
    /// Since the load was started.
    seconds: f64,
    cpu_seconds: f64,
    /// Zero where nobody asked.
    own_bytes: u64,
}

/// Samples of one server.
pub struct Samples {
    began: Instant,
    server: u32,
    with_memory: bool,
    taken: Vec<Sample>,
}

impl Samples {
    /// Begins with a sample: the load is started right behind it.
    pub fn begin(server: u32, with_memory: bool) -> Self {
        let mut samples = Self { began: Instant::now(), server, with_memory, taken: Vec::new() };
        samples.take();
        samples
    }

    /// Takes one. A process that has just ended tells nothing more.
    fn take(&mut self) {
        let Ok(cpu_seconds) = cpu_seconds(self.server) else { return };
        let own_bytes = if self.with_memory { own_bytes(self.server).unwrap_or(0) } else { 0 };
        self.taken.push(Sample { seconds: self.began.elapsed().as_secs_f64(), cpu_seconds, own_bytes });
    }

    /// Takes one, and pauses.
    pub fn tick(&mut self) {
        self.take();
        std::thread::sleep(INTERVAL);
    }

    /// CPU time that was used from the beginning to a moment, from the samples around it.
    pub fn cpu_seconds_until(&self, moment: f64) -> Option<f64> {
        let around = self.taken.windows(2).find(|pair| pair[1].seconds >= moment)?;
        let [before, after] = [around[0], around[1]];
        let part = (moment - before.seconds) / (after.seconds - before.seconds);
        let used = before.cpu_seconds + (after.cpu_seconds - before.cpu_seconds) * part;
        Some(used - self.taken.first()?.cpu_seconds)
    }

    /// Share of a processor that was used between two moments.
    pub fn cpu_share(&self, from: f64, to: f64) -> Option<f64> {
        Some((self.cpu_seconds_until(to)? - self.cpu_seconds_until(from)?) / (to - from))
    }

    /// Its own memory at a moment: the last that was seen before.
    pub fn own_bytes_at(&self, moment: f64) -> Option<u64> {
        self.taken.iter().rev().find(|sample| sample.seconds <= moment).map(|sample| sample.own_bytes)
    }

    /// The most that was seen of it.
    pub fn own_bytes_max(&self) -> Option<u64> {
        self.taken.iter().map(|sample| sample.own_bytes).max()
    }
}
