//! CPU time for a handshake, from the first byte of a connection until nothing is left to do for it.

use super::{entrants, header, library_rounds, row};
use crate::load::Load;
use crate::rounds::{figures, interleave};
use crate::run::{Lab, Run};
use crate::server::Kind;
use crate::table::{Table, figure, thousands};

const CONNECTIONS: u64 = 5_000;
/// Nothing is to be seen once all are open.
const SECONDS: f64 = 0.2;

pub fn table(lab: &Lab) -> Table {
    let kinds = lab.present(&Kind::ALL);
    let loads = [Load::idle(lab.room_for(CONNECTIONS), SECONDS)];
    let run = |load: &Load, kind| lab.run(kind, load);
    let rows = interleave(
        &loads,
        |_| entrants(lab, &kinds),
        run,
        |run| cpu_us(run).map_or_else(|| "?".to_owned(), |us| format!("{} µs a handshake", figure(us))),
    );
    let mut table = Table::new("CPU time for a handshake", header(&["connections"], "µs", &kinds));
    for (load, columns) in loads.iter().zip(rows) {
        table.row(row([thousands(load.connections)], &kinds, &figures(&columns, cpu_us)));
    }
    table.note(format!("Those behind uWebSockets: {} rounds.", library_rounds(lab)));
    table
}

/// The load is started once the first sample is taken. Until the middle of what it measures, since its clock starts a
/// few milliseconds after ours; nothing happens in between.
fn cpu_us(run: &Run) -> Option<f64> {
    let (from, to) = run.window();
    Some(run.samples.cpu_seconds_until((from + to) / 2.0)? * 1e6 / run.report.opened as f64)
}
