//! A result for people on a terminal: at most 80 columns, read at a glance.
//!
//! Must not know: whether there is a terminal.
//!
//! Invariant: a row whose figures are not known is not there; what is zero and would be a fault is not named.

use super::sheet::{COLUMNS, Colour, Piece, Sheet, Tone, width};
use super::{figures, sentences};
use crate::bench::summary::{Generator, Percentiles, SearchResult, ServerUse, Summary};

/// The whole result, line by line.
pub(crate) fn table(summary: &Summary, colour: Colour) -> String {
    let mut sheet = Sheet::new(colour);
    headline(&mut sheet, summary);
    sheet.blank();
    connections(&mut sheet, summary);
    messages(&mut sheet, summary);
    latency(&mut sheet, summary);
    rest(&mut sheet, summary);
    if let Some(search) = &summary.search {
        stages(&mut sheet, search);
    }
    if !summary.notes.is_empty() {
        sheet.blank();
    }
    for note in &summary.notes {
        sheet.paragraph(Tone::Warning, &format!("note: {note}"), 0, 6);
    }
    sheet.end()
}

/// What was done to whom: on one line when it fits.
fn headline(sheet: &mut Sheet, summary: &Summary) {
    let who = format!("{} {}", summary.scenario.name(), summary.url);
    let what = sentences::load(summary).join(", ");
    if width(&who) + 2 + width(&what) <= COLUMNS {
        return sheet.paragraph(Tone::Heading, &format!("{who}, {what}"), 0, 0);
    }
    sheet.paragraph(Tone::Heading, &who, 0, 2);
    sheet.paragraph(Tone::Plain, &what, 0, 2);
}

fn connections(sheet: &mut Sheet, summary: &Summary) {
    let connections = &summary.connections;
    let mut row = vec![plain(format!("{} opened", figures::count(connections.opened)))];
    row.push(fault(connections.failed, "failed"));
    row.push(fault(connections.lost, "lost"));
    row.extend(connections.per_second.map(a_second));
    sheet.row("connections", &row);
    let causes = connections.causes.iter();
    let causes = causes.map(|(name, count)| (Tone::Loss, format!("{} × {name}", figures::count(*count))));
    optional(sheet, "", causes);
}

fn messages(sheet: &mut Sheet, summary: &Summary) {
    let messages = &summary.messages;
    let sent = messages.sent.map(|sent| plain(format!("{} sent", figures::count(sent))));
    let unsent = messages.unsent.filter(|unsent| *unsent > 0).map(|unsent| fault(unsent, "never sent"));
    optional(sheet, "messages", sent.into_iter().chain(messages.per_second.map(a_second)).chain(unsent));
    let deliveries = &summary.deliveries;
    let received = deliveries.received.map(|received| match deliveries.expected {
        Some(expected) => format!("{} of {}", figures::count(received), figures::count(expected)),
        None => format!("{} received", figures::count(received)),
    });
    let reach = summary.reach.map(|reach| {
        let tone = if reach < 1.0 { Tone::Loss } else { Tone::Plain };
        (tone, format!("reach {}", figures::reach(reach)))
    });
    let rate = deliveries.per_second.map(a_second);
    optional(sheet, "deliveries", received.map(plain).into_iter().chain(reach).chain(rate));
    let faults = [
        (deliveries.lost, "lost"),
        (deliveries.duplicated, "duplicated"),
        (deliveries.reordered, "reordered"),
        (deliveries.corrupt, "corrupt"),
    ];
    let faults = faults.into_iter().filter_map(|(count, name)| Some(fault(count.filter(|n| *n > 0)?, name)));
    optional(sheet, "", faults);
}

fn latency(sheet: &mut Sheet, summary: &Summary) {
    let latency = cells(&summary.latency_ms);
    let measured = cells(&summary.measured_latency_ms);
    let spread = &summary.spread_ms;
    let spread = [spread.p50, None, spread.p99, None, spread.max].map(cell);
    let rows = [
        (format!("{} ms", sentences::latency_name(summary.scenario)), latency),
        ("  as measured".to_owned(), measured),
        ("spread ms".to_owned(), spread),
    ];
    let is_known = |(_, cells): &&(String, [Piece; 5])| cells.iter().any(|(_, text)| !text.is_empty());
    if rows.iter().any(|row| is_known(&row)) {
        sheet.blank();
        sheet
            .columns("", &["p50", "p90", "p99", "p99.9", "max"].map(|name| (Tone::Heading, name.to_owned())));
    }
    for (label, cells) in rows.iter().filter(is_known) {
        sheet.columns(label, cells);
    }
    sheet.blank();
}

fn rest(sheet: &mut Sheet, summary: &Summary) {
    let bytes = summary.bytes;
    let [sent, received] = [bytes.sent, bytes.received].map(|bytes| figures::bytes(bytes as f64));
    if (bytes.sent, bytes.received) != (0, 0) {
        sheet.row("bytes", &[plain(format!("{sent} sent")), plain(format!("{received} received"))]);
    }
    optional(sheet, "generator", generator(&summary.generator));
    optional(sheet, "server", server(&summary.server));
}

/// Beside the figures that make it true.
const WARNING: &str = "WARNING: the bottleneck, not the server";

fn generator(generator: &Generator) -> impl Iterator<Item = Piece> {
    let share = |name: &str, share: Option<f64>| {
        share.map(|share| plain(format!("{name} {}", figures::percent(share))))
    };
    let late = generator.lateness_ms.map(|late| {
        let [p50, max] = [late.p50, late.max].map(figures::ms);
        plain(format!("late {p50} ms p50, {max} ms max"))
    });
    let warning = generator.bottleneck.then(|| (Tone::Warning, WARNING.to_owned()));
    let pieces = [share("CPU", generator.cpu_share), share("busy", generator.busy_share), warning, late];
    pieces.into_iter().flatten()
}

fn server(server: &ServerUse) -> impl Iterator<Item = Piece> {
    let cpu = server.cpu_seconds.map(|seconds| format!("CPU {} s", figures::seconds(seconds)));
    let rss = server.rss_bytes.map(|bytes| format!("{} resident", figures::bytes(bytes as f64)));
    let each = server.rss_per_connection.map(|bytes| format!("{} a connection", figures::bytes(bytes)));
    [cpu, rss, each].into_iter().flatten().map(plain)
}

fn stages(sheet: &mut Sheet, search: &SearchResult) {
    sheet.blank();
    let heading = |name: &str| (Tone::Heading, name.to_owned());
    sheet.columns("search", &["clients", "p95 ms", "lost"].map(heading));
    for stage in &search.stages {
        let is_over = stage.p95_ms > search.limit_ms;
        let p95 = (if is_over { Tone::Loss } else { Tone::Plain }, figures::ms(stage.p95_ms));
        let lost = (if stage.lost > 0 { Tone::Loss } else { Tone::Plain }, figures::count(stage.lost));
        let mut cells = vec![plain(figures::count(stage.connections)), p95, lost];
        if stage.broken > 0 {
            cells.push((Tone::Loss, format!("{} failed", figures::count(stage.broken))));
        }
        if stage.bottleneck {
            cells.push((Tone::Warning, "bottleneck".to_owned()));
        }
        sheet.columns("", &cells);
    }
    sheet.row("", &[(Tone::Heading, sentences::answer(search))]);
}

/// A row, if there is something in it.
fn optional(sheet: &mut Sheet, label: &str, pieces: impl Iterator<Item = Piece>) {
    let pieces: Vec<_> = pieces.collect();
    if !pieces.is_empty() {
        sheet.row(label, &pieces);
    }
}

fn plain(text: String) -> Piece {
    (Tone::Plain, text)
}

fn a_second(rate: f64) -> Piece {
    plain(format!("{} a second", figures::rate(rate)))
}

fn fault(count: u64, name: &str) -> Piece {
    let tone = if count > 0 { Tone::Loss } else { Tone::Plain };
    (tone, format!("{} {name}", figures::count(count)))
}

fn cells(percentiles: &Percentiles) -> [Piece; 5] {
    let Percentiles { p50, p90, p99, p99_9, max } = *percentiles;
    [p50, p90, p99, p99_9, max].map(cell)
}

fn cell(ms: Option<f64>) -> Piece {
    plain(ms.map_or_else(String::new, figures::ms))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn line_by_line() {
        let want = "\
broadcast ws://127.0.0.1:9999/
100 connections, 1 sender, 64 bytes, 100 messages/s (open loop), 10\u{a0}s

connections    98 opened   2 failed   1 lost   1,235 a second
               2 × refused   1 × closed 1013
messages       1,000 sent   100 a second
deliveries     97,999 of 98,000   reach 99.999 %   9,800 a second
               1 lost

                       p50        p90        p99      p99.9        max
latency ms           0.412      0.801      1.402      3.110      8.022
spread ms            0.210                 0.820                 1.201

bytes          62.7 KiB sent   6.2 MiB received
generator      CPU 23 %   busy 31 %   late 0.012 ms p50, 0.300 ms max
server         CPU 1.23 s   12.0 MiB resident   6.2 KiB a connection

search             clients     p95 ms       lost
                       200      3.100          0
                       300      25.12          2   1 failed bottleneck
               held 200 connections with p95 below 20 ms; with 300, 1 connection
               failed

note: 12 messages were not ours
";
        assert_eq!(table(&sample::small(), Colour::Plain), want);
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let text = table(&sample::empty(), Colour::Plain);
        assert_eq!(
            text.trim_end(),
            "idle , 0 connections, 0\u{a0}s\n\nconnections    0 opened   0 failed   0 lost"
        );
        let clean = table(&sample::clean(), Colour::Plain);
        assert_eq!(
            clean.matches("lost").count(),
            1,
            "of connections; no fault of deliveries is named: {clean}"
        );
        assert!(!clean.contains("as measured") && !clean.contains("WARNING"));
    }

    #[test]
    fn the_warning_is_beside_the_share() {
        let text = table(&sample::search(), Colour::Plain);
        assert!(text.contains("CPU 97 %   busy 95 %   WARNING: the bottleneck, not the server\n"), "{text}");
        assert!(text.contains("\n  as measured        0.400      0.790"), "{text}");
        let text = table(&sample::search(), Colour::Ansi);
        assert!(text.contains("\x1b[33mWARNING"), "{text:?}");
    }

    #[test]
    fn whatever_is_in_it_a_line_fits() {
        for summary in [sample::hostile(), sample::clean(), sample::search(), sample::small()] {
            let text = table(&summary, Colour::Plain);
            assert!(text.lines().all(|line| width(line) <= COLUMNS), "{text}");
            assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
        }
    }
}
