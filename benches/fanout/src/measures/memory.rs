//! Memory of the server's own for each connection, before and after it heard messages. What the kernel keeps for a
//! socket is not in it.

use super::{entrants, header, library_rounds, row};
use crate::load::Load;
use crate::ratio::Outcome;
use crate::rounds::{figures, interleave};
use crate::run::{Lab, Watch};
use crate::server::Kind;
use crate::table::{Table, figure, thousands};

const CONNECTIONS: u64 = 10_000;

pub fn table(lab: &Lab) -> Table {
    let kinds = lab.present(&Kind::ALL);
    let (connections, seconds) = (lab.room_for(CONNECTIONS), lab.options.seconds);
    let loads = [Load::idle(connections, seconds / 2.0), Load::closed(connections, seconds)];
    let run = |load: &Load, kind| bytes_per_connection(lab, kind, load);
    let tell = |bytes: &f64| format!("{} bytes a connection", figure(*bytes));
    let rows = interleave(&loads, |_| entrants(lab, &kinds), run, tell);
    let rounds = library_rounds(lab);
    let title = format!("Own memory for each of {} connections", thousands(connections));
    let mut table = Table::new(title, header(&["connections"], "bytes", &kinds));
    for (label, columns) in ["idle, nothing was ever sent", "after messages of 64 B"].iter().zip(rows) {
        let columns = figures(&columns, |bytes| Some(*bytes));
        table.row(row([(*label).to_owned()], &kinds, &columns));
    }
    table.note(format!(
        "Those behind uWebSockets: {rounds} rounds. RssAnon, less what the same process had before, when one connection had come and gone."
    ));
    table
}

/// At the end of what is measured: all connections are still open.
fn bytes_per_connection(lab: &Lab, kind: Kind, load: &Load) -> Outcome<f64> {
    let server = lab.start(kind)?;
    let fresh = server.fresh_bytes().map_err(|error| format!("the first handshake: {error}"))?;
    let run = lab.run_on(&server, load, Watch::Memory)?;
    let bytes = run.samples.own_bytes_at(run.report.measured_to).ok_or("no sample")?;
    Ok((bytes as f64 - fresh as f64) / run.report.opened as f64)
}
