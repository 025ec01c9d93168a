//! Messages of 1 MiB: bytes count more than calls, and a server must hold what a socket does not take at once.

use super::{entrants, header, kinds, row};
use crate::load::Load;
use crate::rounds::{figures, interleave};
use crate::run::{Lab, Run, Watch};
use crate::table::{Table, figure, thousands};

const RECEIVERS: u64 = 1_000;
const MESSAGE_BYTES: u64 = 1024 * 1024;
/// A message takes a good part of a second until all have it.
const SECONDS_LEAST: f64 = 3.0;
const MIB: f64 = (1024 * 1024) as f64;

/// One of a run.
type Figure = fn(&Run) -> Option<f64>;

pub fn table(lab: &Lab) -> Table {
    let kinds = kinds(lab);
    let receivers = lab.room_for(RECEIVERS);
    let loads = [Load::closed(receivers, lab.options.seconds.max(SECONDS_LEAST)).message(MESSAGE_BYTES)];
    let run = |load: &Load, kind| lab.run_on(&lab.start(kind)?, load, Watch::Memory);
    let rows = interleave(
        &loads,
        |_| entrants(lab, &kinds),
        run,
        |run: &Run| {
            rate(run).map_or_else(|| "?".to_owned(), |rate| format!("{} deliveries a second", figure(rate)))
        },
    );
    let title = format!("1 MiB to {} receivers, -w 1", thousands(receivers));
    let mut table = Table::new(title, header(&["figure"], "", &kinds));
    let shown: [(&str, Figure); 3] = [
        ("deliveries a second", rate),
        ("CPU time for a delivery, µs", Run::cpu_us_per_delivery),
        ("most own memory, MiB", memory),
    ];
    for (label, value) in shown {
        for columns in &rows {
            table.row(row([label.to_owned()], &kinds, &figures(columns, value)));
        }
    }
    table.note(format!("{} s a run.", loads[0].seconds));
    table
}

fn rate(run: &Run) -> Option<f64> {
    run.report.deliveries_per_second
}

fn memory(run: &Run) -> Option<f64> {
    Some(run.samples.own_bytes_max()? as f64 / MIB)
}
