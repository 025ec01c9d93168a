//! CPU time for each delivery: a message that arrives at one receiver.

use super::{LOAD_LABELS, SENDERS, WINDOW, entrants, header, library_rounds, load_labels, row};
use crate::load::Load;
use crate::rounds::{Column, Entrant, figures, interleave};
use crate::run::{Lab, Run};
use crate::server::Kind;
use crate::table::{Table, figure};

const RECEIVERS: [u64; 4] = [100, 1_000, 5_000, 15_000];
/// Only for the growth.
const RECEIVERS_MOST: u64 = 19_000;
const KIB: u64 = 1024;

/// The libraries take part where it is told most.
const LIBRARY_RECEIVERS: [u64; 2] = [1_000, 5_000];

/// A load, and what each server took for a delivery under it, in microseconds.
pub struct Cell {
    pub load: Load,
    pub columns: Vec<Column<f64>>,
}

/// Measures what the two tables need.
pub fn measure(lab: &Lab, for_delivery: bool, for_growth: bool) -> Vec<Cell> {
    let loads = loads(lab, for_delivery, for_growth);
    let run = |load: &Load, kind| lab.run(kind, load);
    let rows = interleave(
        &loads,
        |load| entrants_of(lab, load, for_delivery),
        run,
        |run: &Run| {
            run.cpu_us_per_delivery()
                .map_or_else(|| "?".to_owned(), |us| format!("{} µs a delivery", figure(us)))
        },
    );
    let cell = |(load, row): (Load, Vec<_>)| Cell { load, columns: figures(&row, Run::cpu_us_per_delivery) };
    loads.into_iter().zip(rows).map(cell).collect()
}

/// One sender with one message of 64 bytes in flight comes first: both tables show it.
fn loads(lab: &Lab, for_delivery: bool, for_growth: bool) -> Vec<Load> {
    let single = |receivers| Load::closed(lab.room_for(receivers), lab.options.seconds);
    let mut singles = RECEIVERS.map(single).to_vec();
    singles.dedup();
    let mut loads = singles.clone();
    if for_growth {
        loads.push(single(RECEIVERS_MOST));
        loads.dedup();
    }
    if !for_delivery {
        return loads;
    }
    loads.extend(singles.iter().map(|load| load.message(KIB)));
    let several = |more: fn(&Load) -> Load| {
        let small: Vec<_> = singles.iter().map(more).collect();
        [small.clone(), small.iter().map(|load| load.message(KIB)).collect()].concat()
    };
    loads.extend(several(|load| load.window(WINDOW)));
    loads.extend(several(|load| load.senders(SENDERS)));
    loads
}

fn entrants_of(lab: &Lab, load: &Load, for_delivery: bool) -> Vec<Entrant> {
    let is_shown =
        LIBRARY_RECEIVERS.contains(&load.connections) && load.message_bytes < KIB && load.senders == 1;
    let is_for_all = for_delivery && load.connections < RECEIVERS_MOST && (is_shown || lab.options.all);
    let kinds: &[Kind] = if is_for_all { &Kind::ALL } else { &Kind::FAST };
    entrants(lab, &lab.present(kinds))
}

pub fn table(lab: &Lab, cells: &[Cell]) -> Table {
    let takes_part =
        |kind: &Kind| cells.iter().flat_map(|cell| &cell.columns).any(|column| column.kind == *kind);
    let kinds: Vec<_> = Kind::ALL.into_iter().filter(takes_part).collect();
    let mut table = Table::new("CPU time for a delivery", header(&LOAD_LABELS, "µs", &kinds));
    for cell in cells {
        table.row(row(load_labels(&cell.load), &kinds, &cell.columns));
    }
    table.note("-w: messages in flight of each sender; -s: senders, 1 unless told otherwise.");
    if !lab.options.all {
        let rounds = library_rounds(lab);
        table
            .note(format!("Those behind uWebSockets: {rounds} rounds, in some of the cells; --all for all."));
    }
    table
}
