//! Servers in turn: what changes on the machine from minute to minute changes for all of them.
//!
//! In each round every cell is measured, of every cell one server after the other, in the next round the other way
//! round. A ratio is of two runs of one round.

use crate::ratio::{Outcome, each};
use crate::server::Kind;
use std::fmt::Display;

/// What a server gave in a cell, round by round.
pub struct Column<T> {
    pub kind: Kind,
    pub outcomes: Vec<Outcome<T>>,
}

/// A server that takes part in a cell, and in how many of the rounds.
pub struct Entrant {
    pub kind: Kind,
    pub rounds: usize,
}

/// Runs everything; gives the columns of each cell.
pub fn interleave<C: Display, T>(
    cells: &[C],
    entrants: impl Fn(&C) -> Vec<Entrant>,
    run: impl Fn(&C, Kind) -> Outcome<T>,
    tell: impl Fn(&T) -> String,
) -> Vec<Vec<Column<T>>> {
    let entrants: Vec<_> = cells.iter().map(entrants).collect();
    let column = |entrant: &Entrant| Column { kind: entrant.kind, outcomes: Vec::new() };
    let mut rows: Vec<Vec<_>> = entrants.iter().map(|row| row.iter().map(column).collect()).collect();
    let rounds = entrants.iter().flatten().map(|entrant| entrant.rounds).max().unwrap_or(0);
    for round in 0..rounds {
        for (cell, (entrants, row)) in cells.iter().zip(entrants.iter().zip(&mut rows)) {
            let mut order: Vec<_> = (0..row.len()).filter(|&at| round < entrants[at].rounds).collect();
            if !round.is_multiple_of(2) {
                order.reverse();
            }
            for at in order {
                let outcome = run(cell, row[at].kind);
                let told = outcome.as_ref().map_or_else(|error| format!("FAILED: {error}"), &tell);
                eprintln!("round {} of {rounds}: {cell}: {} {told}", round + 1, row[at].kind);
                row[at].outcomes.push(outcome);
            }
        }
    }
    rows
}

/// One figure of each run.
pub fn figures<T>(columns: &[Column<T>], value: impl Fn(&T) -> Option<f64>) -> Vec<Column<f64>> {
    let figure = |column: &Column<T>| Column { kind: column.kind, outcomes: each(&column.outcomes, &value) };
    columns.iter().map(figure).collect()
}

/// What a server gave; nothing, when it took no part.
pub fn of(columns: &[Column<f64>], kind: Kind) -> &[Outcome<f64>] {
    columns.iter().find(|column| column.kind == kind).map_or(&[], |column| &column.outcomes)
}
