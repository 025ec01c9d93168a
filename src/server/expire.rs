//! Deadlines: once a second, while there are connections, one look at a number of each; more often where pings are due
//! within seconds.

use super::Server;
use super::notes::End;
use crate::connection::{Expiry, Turn};
use crate::limits::{SWEEP_INTERVAL, SWEEP_INTERVAL_MIN};
use std::time::Duration;

impl Server {
    /// How often: a short `--ping` is swept for more often, or its pings, which are a quarter of it apart, would all
    /// fall into one sweep.
    pub(super) fn sweep_interval(&self) -> Duration {
        let ping = self.config.limits.ping.unwrap_or(Duration::MAX);
        (ping / 16).clamp(SWEEP_INTERVAL_MIN, SWEEP_INTERVAL)
    }

    /// Sweeps over all deadlines when it is time for it.
    pub(super) fn expire(&mut self) {
        if self.instant < self.next_sweep {
            return;
        }
        self.next_sweep = self.instant + self.sweep_interval();
        self.count_stalls();
        let now = self.now;
        let mut speaking = Vec::new();
        let mut over = Vec::new();
        for (key, entry) in &mut self.connections {
            if entry.is_gone || !entry.connection.deadline().is_past(now.tick) {
                continue;
            }
            let head = self.channel.head(entry.connection.seat());
            let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
            match entry.connection.expire(&turn) {
                Expiry::Speaks => speaking.push(key),
                Expiry::Gone(cause) => over.push((key, cause)),
            }
        }
        speaking.into_iter().for_each(|key| self.queue_write(key));
        over.into_iter().for_each(|(key, cause)| self.end(key, End::Abnormal(cause)));
    }
}
