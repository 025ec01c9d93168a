//! The tables, each in a file of its own that says what is run and which figures of it count.

mod big;
mod calls;
mod delivery;
mod growth;
mod handshake;
mod memory;
mod page;
mod spread;

use crate::load::Load;
use crate::rounds::{Column, Entrant, of};
use crate::run::Lab;
use crate::server::Kind;
use crate::table::{Table, median, ratio};

/// Several messages at a time: so many in flight of one sender, or so many senders.
const WINDOW: u32 = 32;
const SENDERS: u32 = 20;
const LIBRARY_ROUNDS: usize = 3;

/// One table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Delivery,
    Growth,
    Calls,
    Handshake,
    Memory,
    Big,
    Spread,
    Page,
}

impl Measure {
    pub const ALL: [Self; 8] = [
        Self::Delivery,
        Self::Growth,
        Self::Calls,
        Self::Handshake,
        Self::Memory,
        Self::Big,
        Self::Spread,
        Self::Page,
    ];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Growth => "growth",
            Self::Calls => "calls",
            Self::Handshake => "handshake",
            Self::Memory => "memory",
            Self::Big => "big",
            Self::Spread => "spread",
            Self::Page => "page",
        }
    }
}

/// Runs what a table needs, and makes it.
type Maker = fn(&Lab) -> Table;

/// Measures what was asked for, and prints each table as soon as it is there.
pub fn measure(lab: &Lab) {
    let wants = |measure| lab.options.measures.contains(&measure);
    // The same runs give both.
    if wants(Measure::Delivery) || wants(Measure::Growth) {
        let cells = delivery::measure(lab, wants(Measure::Delivery), wants(Measure::Growth));
        if wants(Measure::Delivery) {
            print!("{}", delivery::table(lab, &cells));
        }
        if wants(Measure::Growth) {
            print!("{}", growth::table(lab, &cells));
        }
    }
    let others: [(Measure, Maker); 6] = [
        (Measure::Calls, calls::table),
        (Measure::Handshake, handshake::table),
        (Measure::Memory, memory::table),
        (Measure::Big, big::table),
        (Measure::Spread, spread::table),
        (Measure::Page, page::table),
    ];
    for (_, table) in others.into_iter().filter(|&(measure, _)| wants(measure)) {
        print!("{}", table(lab));
    }
}

/// Rounds of the servers that are far from the bare loop, for which a few are enough.
fn library_rounds(lab: &Lab) -> usize {
    if lab.options.all { lab.options.rounds } else { lab.options.rounds.min(LIBRARY_ROUNDS) }
}

/// The fast ones, or with `--all` all of them.
fn kinds(lab: &Lab) -> Vec<Kind> {
    lab.present(if lab.options.all { &Kind::ALL } else { &Kind::FAST })
}

/// All of them, each in its rounds.
fn entrants(lab: &Lab, kinds: &[Kind]) -> Vec<Entrant> {
    let rounds = |kind| if Kind::FAST.contains(kind) { lab.options.rounds } else { library_rounds(lab) };
    kinds.iter().map(|kind| Entrant { kind: *kind, rounds: rounds(kind) }).collect()
}

/// Names of the columns behind the labels: what the bare loop and fanfare have, then ratios to the bare loop.
fn header(labels: &[&str], unit: &str, kinds: &[Kind]) -> Vec<String> {
    let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
    let labels = labels.iter().map(|&label| label.to_owned());
    let absolute = [Kind::Bare, Kind::Fanfare].map(|kind| format!("{kind}{unit}"));
    let others = kinds.iter().filter(|&&kind| kind != Kind::Bare);
    labels.chain(absolute).chain(others.map(|kind| format!("{kind} : bare"))).collect()
}

/// The cells for that header.
fn row(labels: impl IntoIterator<Item = String>, kinds: &[Kind], columns: &[Column<f64>]) -> Vec<String> {
    let bare = of(columns, Kind::Bare);
    let absolute = [bare, of(columns, Kind::Fanfare)].map(median);
    let others = kinds.iter().filter(|&&kind| kind != Kind::Bare);
    let ratios = others.map(|&kind| ratio(of(columns, kind), bare));
    labels.into_iter().chain(absolute).chain(ratios).collect()
}

/// Receivers, message and pace.
const LOAD_LABELS: [&str; 3] = ["receivers", "message", "load"];

fn load_labels(load: &Load) -> [String; 3] {
    [crate::table::thousands(load.connections), load.message_size(), load.pace_options()]
}
