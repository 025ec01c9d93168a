//! Tables in Markdown that can be read as they are: the columns are aligned.

use crate::ratio::{Outcome, Spread, failures};
use std::fmt;

pub struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    pub fn new<S: Into<String>>(title: impl Into<String>, header: impl IntoIterator<Item = S>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { title: title.into(), header, rows: Vec::new(), notes: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |column| lines().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.header.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = widths.iter().enumerate().map(|(at, &width)| format!(" {:<width$} |", cell(row, at)));
            format!("|{}", cells.collect::<String>())
        };
        let rule = widths.iter().map(|&width| format!("{}|", "-".repeat(width + 2))).collect::<String>();
        writeln!(formatter, "\n### {}\n\n{}\n|{rule}", self.title, line(&self.header))?;
        self.rows.iter().try_for_each(|row| writeln!(formatter, "{}", line(row)))?;
        self.notes.iter().try_for_each(|note| writeln!(formatter, "\n{note}"))
    }
}

/// A figure with as many digits as it deserves.
pub fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => thousands(value.round() as u64),
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 0.1 || small == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The median of the outcomes, or what went wrong.
pub fn median(outcomes: &[Outcome<f64>]) -> String {
    let known = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).copied();
    with_failures(Spread::of(known).map(|spread| figure(spread.median)), outcomes)
}

/// The median of the ratios of the same rounds, and the least and the greatest of them.
pub fn ratio(ours: &[Outcome<f64>], base: &[Outcome<f64>]) -> String {
    let spread = Spread::of_ratios(ours, base)
        .map(|Spread { median, least, greatest }| format!("{median:.2} ({least:.2} to {greatest:.2})"));
    with_failures(spread, ours)
}

/// A silent number would hide that rounds are missing from it.
fn with_failures(cell: Option<String>, outcomes: &[Outcome<f64>]) -> String {
    match (cell, failures(outcomes)) {
        (Some(cell), None) => cell,
        (Some(cell), Some(failed)) => format!("{cell}; {failed}"),
        (None, Some(failed)) => failed,
        (None, None) => "–".to_owned(),
    }
}

/// 15000 as 15,000.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (value, want) in [
            (0.0, "0.00"),
            (0.012_34, "0.0123"),
            (1.234, "1.23"),
            (56.78, "56.8"),
            (123.4, "123"),
            (45_678.9, "45,679"),
        ] {
            assert_eq!(figure(value), want);
        }
        assert_eq!(
            [1, 999, 1000, 15_000, 1_234_567].map(thousands).join(" "),
            "1 999 1,000 15,000 1,234,567"
        );
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new("Title", ["receivers", "µs"]);
        table.row(["100".to_owned(), "1.23 µs".to_owned()]);
        table.note("A note.");
        let want = "\n### Title\n\n| receivers | µs      |\n|-----------|---------|\n| 100       | 1.23 µs |\n\nA note.\n";
        assert_eq!(table.to_string(), want);
    }

    #[test]
    fn what_failed_is_told() {
        let lost = || Err("2 deliveries lost".to_owned());
        assert_eq!(median(&[Ok(1.0), Ok(3.0)]), "2.00");
        assert_eq!(median(&[Ok(1.0), lost()]), "1.00; 1 of 2 failed: 2 deliveries lost");
        assert_eq!(ratio(&[lost()], &[Ok(1.0)]), "1 of 1 failed: 2 deliveries lost");
        assert_eq!(ratio(&[Ok(1.0)], &[lost()]), "–");
    }
}
