//! Two results side by side on a terminal, with what the second is of the first.
//!
//! Must not know: where they were read from.
//!
//! Invariant: a row that neither has a figure for is not there.

use super::sheet::{Colour, Sheet, Tone, cut};
use super::{figures, sentences};
use crate::bench::summary::Summary;

/// One figure of both.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// As they are read; empty when not known.
    pub(super) values: [String; 2],
    /// The second ÷ the first.
    pub(super) ratio: Option<String>,
}

/// Both, row by row.
pub(crate) fn table(names: [&str; 2], both: [&Summary; 2], colour: Colour) -> String {
    let mut sheet = Sheet::new(colour);
    for ((letter, name), summary) in ["A", "B"].iter().zip(names).zip(both) {
        let heading = format!("{letter}: {name}");
        sheet.paragraph(Tone::Heading, &heading, 0, 3);
        let what =
            format!("{} {}, {}", summary.scenario.name(), summary.url, sentences::load(summary).join(", "));
        sheet.paragraph(Tone::Plain, &what, 3, 3);
    }
    sheet.blank();
    let heading = |text: &str| (Tone::Heading, text.to_owned());
    sheet.pair("", [heading("A"), heading("B"), heading("B ÷ A")]);
    for Row { name, values: [a, b], ratio } in rows(both) {
        let cells = [a, b, ratio.unwrap_or_default()].map(|text| (Tone::Plain, cut(&text, 18)));
        sheet.pair(name, cells);
    }
    let notes = sentences::differences(both);
    if !notes.is_empty() {
        sheet.blank();
    }
    for note in notes {
        sheet.paragraph(Tone::Warning, &format!("note: {note}"), 0, 6);
    }
    sheet.end()
}

/// All figures that one of them has.
pub(super) fn rows(both: [&Summary; 2]) -> Vec<Row> {
    let figure = |name, show: fn(f64) -> String, of: fn(&Summary) -> Option<f64>| {
        let [a, b] = both.map(of);
        let ratio = a.zip(b).and_then(|(a, b)| figures::ratio(a, b));
        Row { name, values: [a, b].map(|value| value.map_or_else(String::new, show)), ratio }
    };
    let count = |name, of: fn(&Summary) -> Option<u64>| {
        let values = both.map(|summary| of(summary).map_or_else(String::new, figures::count));
        Row { name, values, ratio: None }
    };
    let rows = [
        count("connections opened", |s| Some(s.connections.opened)),
        count("connections failed", |s| Some(s.connections.failed)),
        count("connections lost", |s| Some(s.connections.lost)),
        figure("opened a second", figures::rate, |s| s.connections.per_second),
        figure("messages a second", figures::rate, |s| s.messages.per_second),
        figure("deliveries a second", figures::rate, |s| s.deliveries.per_second),
        figure("reach", figures::reach, |s| s.reach),
        count("deliveries lost", |s| s.deliveries.lost),
        count("duplicated", |s| s.deliveries.duplicated),
        count("reordered", |s| s.deliveries.reordered),
        count("corrupt", |s| s.deliveries.corrupt),
        figure("latency p50 ms", figures::ms, |s| s.latency_ms.p50),
        figure("latency p90 ms", figures::ms, |s| s.latency_ms.p90),
        figure("latency p99 ms", figures::ms, |s| s.latency_ms.p99),
        figure("latency p99.9 ms", figures::ms, |s| s.latency_ms.p99_9),
        figure("latency max ms", figures::ms, |s| s.latency_ms.max),
        figure("spread p50 ms", figures::ms, |s| s.spread_ms.p50),
        figure("spread p99 ms", figures::ms, |s| s.spread_ms.p99),
        figure("spread max ms", figures::ms, |s| s.spread_ms.max),
        figure(
            "held connections",
            |held| figures::count(held as u64),
            |s| Some(s.search.as_ref()?.held as f64),
        ),
        figure("generator CPU", figures::percent, |s| s.generator.cpu_share),
        figure("server CPU s", figures::seconds, |s| s.server.cpu_seconds),
        figure("server resident", figures::bytes, |s| Some(s.server.rss_bytes? as f64)),
        figure("resident a connection", figures::bytes, |s| s.server.rss_per_connection),
    ];
    rows.into_iter().filter(|row| row.values.iter().any(|value| !value.is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::super::sheet::{COLUMNS, width};
    use super::*;

    #[test]
    fn side_by_side() {
        let (a, b) = (sample::clean(), sample::search());
        let text = table(["a.json", "b.json"], [&a, &b], Colour::Plain);
        for line in [
            "A: a.json",
            "   broadcast ws://127.0.0.1:9999/, 1,000 connections, 1 sender, 64 bytes, 100",
            "                                       A                 B             B ÷ A",
            "latency p99 ms                     0.550             0.550            1.00 ×",
            "generator CPU                       23 %              97 %            4.20 ×",
            "held connections                                     1,000",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} in\n{text}");
        }
        assert!(text.contains("note: the paces differ,"), "{text}");
    }

    #[test]
    fn whatever_is_in_it_a_line_fits() {
        let (a, b) = (sample::hostile(), sample::empty());
        let text = table([&"n".repeat(200), "\u{1b}"], [&a, &b], Colour::Plain);
        assert!(text.lines().all(|line| width(line) <= COLUMNS), "{text}");
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
    }

    #[test]
    fn what_neither_knows_is_not_there() {
        let empty = sample::empty();
        let names: Vec<_> = rows([&empty, &empty]).iter().map(|row| row.name).collect();
        assert_eq!(names, ["connections opened", "connections failed", "connections lost"]);
    }
}
