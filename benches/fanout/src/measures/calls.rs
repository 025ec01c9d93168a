//! System calls, counted by strace: how many deliveries share a write, and what a message costs beside the writes.
//!
//! The calls of a server that is only connected to are counted as well, and taken off. Being traced makes a server
//! slow, so that more waits for each write than otherwise: of all servers alike.

use super::{LOAD_LABELS, SENDERS, WINDOW, load_labels};
use crate::load::Load;
use crate::process::kill_children;
use crate::ratio::Outcome;
use crate::run::{Lab, Watch};
use crate::server::{Kind, Server};
use crate::table::{Table, figure};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

const RECEIVERS: [u64; 2] = [1_000, 5_000];
const IDLE_SECONDS: f64 = 0.1;
const WRITES: [&str; 4] = ["sendto", "sendmsg", "writev", "write"];
const READS: [&str; 3] = ["recvfrom", "recvmsg", "read"];

/// Calls, and how many of them failed, by name.
type Calls = HashMap<String, [f64; 2]>;

pub fn table(lab: &Lab) -> Table {
    let kinds = lab.present(&Kind::FAST);
    let deliveries = kinds.iter().map(|kind| format!("{kind}, deliveries a write"));
    let ours = ["fanfare, epoll_ctl a message", "fanfare, failed reads a message"].map(str::to_owned);
    let header = LOAD_LABELS.into_iter().map(str::to_owned).chain(deliveries).chain(ours);
    let mut table = Table::new("System calls", header);
    if !lab.programs.has_strace {
        table.note("Not counted: strace is missing.");
        return table;
    }
    for receivers in RECEIVERS.map(|receivers| lab.room_for(receivers)) {
        let load = Load::closed(receivers, lab.options.seconds);
        let loads = [load.window(WINDOW), load.senders(SENDERS)];
        let counts: Vec<_> = kinds.iter().map(|&kind| count_all(lab, kind, &loads)).collect();
        for (at, load) in loads.iter().enumerate() {
            let shared = counts.iter().map(|counts| cell(counts, at, Count::deliveries_per_write));
            let of_ours = kinds.iter().zip(&counts).filter(|(kind, _)| **kind == Kind::Fanfare);
            let of_ours = of_ours.flat_map(|(_, counts)| {
                [Count::registrations, Count::failed_reads].map(|value| cell(counts, at, value))
            });
            table.row(load_labels(load).into_iter().chain(shared).chain(of_ours));
        }
    }
    table.note("One run each, under strace. It makes a server slow, so that more waits for each write than otherwise.");
    table
}

/// A figure of one of the two loads.
fn cell(counts: &Outcome<[Count; 2]>, at: usize, value: fn(&Count) -> f64) -> String {
    counts.as_ref().map_or_else(|error| format!("failed: {error}"), |counts| figure(value(&counts[at])))
}

/// What was counted under a load, without what the connections alone make.
struct Count {
    calls: Calls,
    deliveries: f64,
    messages: f64,
}

impl Count {
    fn sum(&self, names: &[&str], which: usize) -> f64 {
        names.iter().filter_map(|&name| self.calls.get(name)).map(|calls| calls[which]).sum()
    }

    fn deliveries_per_write(&self) -> f64 {
        self.deliveries / self.sum(&WRITES, 0)
    }

    fn registrations(&self) -> f64 {
        self.sum(&["epoll_ctl"], 0) / self.messages
    }

    fn failed_reads(&self) -> f64 {
        self.sum(&READS, 1) / self.messages
    }
}

fn count_all(lab: &Lab, kind: Kind, loads: &[Load; 2]) -> Outcome<[Count; 2]> {
    let (idle, _) = count(lab, kind, &Load::idle(loads[0].connections, IDLE_SECONDS))?;
    let count = |load: &Load| -> Outcome<Count> {
        let (mut calls, deliveries) = count(lab, kind, load)?;
        for (name, [all, failed]) in &mut calls {
            let [idle_all, idle_failed] = idle.get(name).copied().unwrap_or_default();
            (*all, *failed) = ((*all - idle_all).max(0.0), (*failed - idle_failed).max(0.0));
        }
        // One more message goes to all before it is measured.
        let receivers = load.connections as f64;
        let deliveries = deliveries.ok_or("nothing was delivered")? as f64 + receivers;
        let count = Count { calls, deliveries, messages: deliveries / receivers };
        eprintln!("strace: {load}: {kind} {} deliveries a write", figure(count.deliveries_per_write()));
        Ok(count)
    };
    Ok([count(&loads[0])?, count(&loads[1])?])
}

/// One run under strace; it tells what it counted when the server has ended.
fn count(lab: &Lab, kind: Kind, load: &Load) -> Outcome<(Calls, Option<u64>)> {
    let text = std::env::temp_dir().join(format!("fanfare-fanout-{}.strace", std::process::id()));
    let names = [&WRITES[..], &READS, &["epoll_ctl"]].concat().join(",");
    let mut tracer: Vec<OsString> = ["strace", "-c", "-f", "-o"].map(OsString::from).to_vec();
    tracer.extend([text.clone().into(), "-e".into(), format!("trace={names}").into()]);
    let server = Server::start_under(&tracer, &lab.programs, kind, lab.server_processor)?;
    let run = lab.run_on(&server, load, Watch::Processor)?;
    let ended = kill_children(server.id()).and_then(|()| server.wait());
    let summary = ended.and_then(|()| fs::read_to_string(&text)).map_err(|error| format!("strace: {error}"));
    // What is left behind is a small file among other temporary ones.
    let _removed = fs::remove_file(&text);
    Ok((parse(&summary?), run.report.deliveries))
}

/// Reads lines such as `12.34 0.001 5 200 3 recvfrom`, of which the fifth is absent when nothing failed.
fn parse(summary: &str) -> Calls {
    let row = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, _, _, calls, failed @ .., name] = &fields[..] else { return None };
        let failed = failed.first().map_or(Some(0.0), |failed| failed.parse().ok())?;
        Some(((*name).to_owned(), [calls.parse().ok()?, failed]))
    };
    summary.lines().filter_map(row).filter(|(name, _)| name != "total").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strace_counted() {
        let calls = parse(
            "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n \
             96.51    0.012345           5      2400           writev\n  \
              3.49    0.000446           4       120        20 recvfrom\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.012791           5      2520        20 total\n",
        );
        assert_eq!(calls.len(), 2);
        assert_eq!(calls["writev"], [2400.0, 0.0]);
        assert_eq!(calls["recvfrom"], [120.0, 20.0]);
    }
}
