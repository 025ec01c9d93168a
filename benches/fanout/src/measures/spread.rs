//! From the first receiver of a message to the last.

use super::{entrants, header, kinds, row};
use crate::load::Load;
use crate::rounds::{figures, interleave};
use crate::run::{Lab, Run};
use crate::table::{Table, figure, thousands};

const RECEIVERS: u64 = 1_000;
const RATE: u32 = 20;
/// There are only so many messages.
const SECONDS_LEAST: f64 = 2.0;

pub fn table(lab: &Lab) -> Table {
    let kinds = kinds(lab);
    let receivers = lab.room_for(RECEIVERS);
    let loads = [Load::closed(receivers, lab.options.seconds.max(SECONDS_LEAST)).rate(RATE)];
    let run = |load: &Load, kind| lab.run(kind, load);
    let rows = interleave(
        &loads,
        |_| entrants(lab, &kinds),
        run,
        |run: &Run| {
            run.report.spread_ms[0]
                .map_or_else(|| "?".to_owned(), |ms| format!("{} ms in the middle", figure(ms)))
        },
    );
    let title = format!("From the first of {} receivers to the last, -r {RATE}", thousands(receivers));
    let mut table = Table::new(title, header(&["of all messages"], "ms", &kinds));
    for (at, label) in ["p50", "p99"].into_iter().enumerate() {
        for columns in &rows {
            table.row(row(
                [label.to_owned()],
                &kinds,
                &figures(columns, |run: &Run| run.report.spread_ms[at]),
            ));
        }
    }
    table.note(format!("{} s a run: p99 is nearly the worst of the messages.", loads[0].seconds));
    table
}
