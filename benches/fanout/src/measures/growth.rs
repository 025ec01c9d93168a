//! How the cost of a delivery grows with the receivers: what a loop does for each that is not the write alone.

use super::delivery::Cell;
use crate::load::{Load, Pace};
use crate::rounds::of;
use crate::run::Lab;
use crate::server::Kind;
use crate::table::{Table, ratio, thousands};

pub fn table(lab: &Lab, cells: &[Cell]) -> Table {
    let is_single = |load: &Load| {
        load.pace == Pace::Closed { window: 1 } && load.senders == 1 && load.message_bytes < 1024
    };
    let cells: Vec<_> = cells.iter().filter(|cell| is_single(&cell.load)).collect();
    let kinds = lab.present(&Kind::FAST);
    let header = std::iter::once("receivers".to_owned()).chain(kinds.iter().map(Kind::to_string));
    let title = "CPU time for a delivery, by that with the fewest receivers (64 B, -w 1)";
    let mut table = Table::new(title, header);
    let Some(fewest) = cells.first() else { return table };
    for cell in &cells {
        let ratios = kinds.iter().map(|&kind| ratio(of(&cell.columns, kind), of(&fewest.columns, kind)));
        table.row(std::iter::once(thousands(cell.load.connections)).chain(ratios));
    }
    table
}
