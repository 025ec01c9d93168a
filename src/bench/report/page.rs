//! A result as one self-contained page: no script, nothing loaded, read on paper as well.
//!
//! Must not know: where it is written to.
//!
//! Invariant: every text in it has come through [`html::text`]; every section without figures is left out.

use super::sentences::{self, Verdict};
use super::{curve, figures, html, stages, timeline};
use crate::bench::summary::{Generator, Lateness, Percentiles, SearchResult, ServerUse, Stage, Summary};

/// The whole page.
pub(crate) fn page(summary: &Summary) -> String {
    let title = format!("{} {}", summary.scenario.name(), summary.url);
    let body = [
        header(summary),
        html::section("Latency", &latency(summary)),
        html::section("Over time", &timeline::figure(&summary.series)),
        html::section("How many connections", &summary.search.as_ref().map_or_else(String::new, search)),
        html::section("What went wrong", &causes(summary)),
        html::section("Notes", &notes(&summary.notes)),
        html::section("All figures", &all(summary)),
        html::section("About this run", &about(summary)),
    ];
    html::head(&title) + "<main>\n" + &body.concat() + "</main>\n" + html::FOOT
}

fn header(summary: &Summary) -> String {
    let verdict = match sentences::verdict(summary) {
        Verdict::Lossy => "verdict bad",
        Verdict::Bottleneck => "verdict warning",
        Verdict::Clean => "verdict good",
    };
    format!(
        "<header>\n<p class=\"kicker\">fanfare bench: {}</p>\n<h1>{}</h1>\n<p class=\"load\">{}</p>\n\
         <p class=\"{verdict}\">{}</p>\n<div class=\"key\">\n{}</div>\n</header>\n",
        html::text(summary.scenario.name()),
        html::text(&summary.url),
        html::text(&sentences::load(summary).join(", ")),
        html::text(&sentences::whole(summary)),
        html::definitions("", &key(summary))
    )
}

/// The few figures that are looked for first.
fn key(summary: &Summary) -> Vec<(&'static str, String)> {
    let latency = summary.latency_ms;
    let ms = |value: Option<f64>| value.map_or_else(String::new, |ms| format!("{} ms", figures::ms(ms)));
    let rate = |value: Option<f64>| value.map_or_else(String::new, figures::rate);
    let deliveries = rate(summary.deliveries.per_second);
    let opened = if deliveries.is_empty() { rate(summary.connections.per_second) } else { String::new() };
    vec![
        (
            "connections held",
            figures::count(summary.connections.opened.saturating_sub(summary.connections.lost)),
        ),
        ("opened a second", opened),
        ("deliveries a second", deliveries),
        ("reach", summary.reach.map_or_else(String::new, figures::reach)),
        ("median", ms(latency.p50)),
        ("p99", ms(latency.p99)),
    ]
}

fn latency(summary: &Summary) -> String {
    let name = sentences::latency_name(summary.scenario);
    let lines = [curve::Line { name: "", points: &summary.curve, marks: summary.latency_ms }];
    let spread = summary.spread_ms;
    let spread = Percentiles { p50: spread.p50, p99: spread.p99, max: spread.max, ..Percentiles::default() };
    let rows = [
        (name, summary.latency_ms),
        ("as measured, not corrected", summary.measured_latency_ms),
        ("spread, first to last receiver", spread),
    ];
    let is_known = |percentiles: &Percentiles| *percentiles != Percentiles::default();
    let rows: Vec<_> = rows.into_iter().filter(|(_, percentiles)| is_known(percentiles)).collect();
    let row = |(name, percentiles): &(&str, Percentiles)| ((*name).to_owned(), cells(percentiles));
    let mut html = curve::figure(&lines, "Latency, by the share that took at most so long");
    if !rows.is_empty() {
        let rows: Vec<_> = rows.iter().map(row).collect();
        html += &html::table("figures", &["milliseconds", "p50", "p90", "p99", "p99.9", "max"], &rows);
    }
    html
}

fn cells(percentiles: &Percentiles) -> Vec<String> {
    let Percentiles { p50, p90, p99, p99_9, max } = *percentiles;
    [p50, p90, p99, p99_9, max].map(|ms| ms.map_or_else(String::new, figures::ms)).to_vec()
}

fn search(search: &SearchResult) -> String {
    let row = |stage: &Stage| {
        let fault = if stage.bottleneck { "the generator" } else { "" };
        let counts = [stage.lost, stage.broken].map(figures::count);
        let cells = [figures::ms(stage.p95_ms)].into_iter().chain(counts).chain([fault.to_owned()]);
        (figures::count(stage.connections), cells.collect())
    };
    let rows: Vec<_> = search.stages.iter().map(row).collect();
    format!(
        "<p>The server {}.</p>\n{}{}",
        html::text(&sentences::answer(search)),
        stages::figure(search),
        html::table("figures", &["connections", "p95 ms", "lost", "failed", "limited by"], &rows)
    )
}

fn causes(summary: &Summary) -> String {
    let row = |(name, count): &(String, u64)| (name.clone(), vec![figures::count(*count)]);
    let rows: Vec<_> = summary.connections.causes.iter().map(row).collect();
    if rows.is_empty() {
        String::new()
    } else {
        html::table("figures short", &["cause", "connections"], &rows)
    }
}

/// One paragraph each.
pub(super) fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", html::text(note))).collect()
}

/// Every figure that is known, group by group.
fn all(summary: &Summary) -> String {
    let count = |value: Option<u64>| value.map_or_else(String::new, figures::count);
    let rate = |value: Option<f64>| value.map_or_else(String::new, figures::rate);
    let Summary { connections, messages, deliveries, bytes, .. } = summary;
    let groups = [
        html::definitions(
            "connections",
            &[
                ("asked for", figures::count(connections.asked)),
                ("opened", figures::count(connections.opened)),
                ("failed", figures::count(connections.failed)),
                ("lost", figures::count(connections.lost)),
                ("opened a second", rate(connections.per_second)),
            ],
        ),
        html::definitions(
            "deliveries",
            &[
                ("expected", count(deliveries.expected)),
                ("received", count(deliveries.received)),
                ("lost", count(deliveries.lost)),
                ("duplicated", count(deliveries.duplicated)),
                ("reordered", count(deliveries.reordered)),
                ("corrupt", count(deliveries.corrupt)),
                ("received a second", rate(deliveries.per_second)),
            ],
        ),
        html::definitions(
            "messages",
            &[("sent", count(messages.sent)), ("sent a second", rate(messages.per_second))],
        ),
        html::definitions(
            "bytes on the sockets",
            &[
                ("sent", figures::bytes(bytes.sent as f64)),
                ("received", figures::bytes(bytes.received as f64)),
            ],
        ),
        html::definitions("generator", &generator(&summary.generator)),
        html::definitions("server", &server(&summary.server)),
    ];
    format!("<div class=\"groups\">\n{}</div>\n", groups.concat())
}

fn generator(generator: &Generator) -> [(&'static str, String); 5] {
    let percent = |value: Option<f64>| value.map_or_else(String::new, figures::percent);
    let late = |of: fn(&Lateness) -> f64| {
        generator
            .lateness_ms
            .as_ref()
            .map_or_else(String::new, |late| format!("{} ms", figures::ms(of(late))))
    };
    [
        ("CPU", percent(generator.cpu_share)),
        ("busy", percent(generator.busy_share)),
        ("late, median", late(|late| late.p50)),
        ("late, p99", late(|late| late.p99)),
        ("late, max", late(|late| late.max)),
    ]
}

fn server(server: &ServerUse) -> [(&'static str, String); 3] {
    let bytes = |value: Option<f64>| value.map_or_else(String::new, figures::bytes);
    let cpu = server.cpu_seconds.map(|seconds| format!("{} s", figures::seconds(seconds)));
    [
        ("CPU", cpu.unwrap_or_default()),
        ("resident", bytes(server.rss_bytes.map(|bytes| bytes as f64))),
        ("grown by, a connection", bytes(server.rss_per_connection)),
    ]
}

fn about(summary: &Summary) -> String {
    let about = &summary.about;
    let rows = [("version", &about.version), ("machine", &about.machine), ("began", &about.began)];
    let rows = html::definitions("", &rows.map(|(name, value)| (name, value.clone())));
    match (about.command.is_empty(), rows.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("<div class=\"about\">\n{rows}</div>\n"),
        (false, _) => {
            format!("<pre>{}</pre>\n<div class=\"about\">\n{rows}</div>\n", html::text(&about.command))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_loads_and_runs_nothing() {
        for summary in
            [sample::clean(), sample::search(), sample::small(), sample::empty(), sample::hostile()]
        {
            let page = page(&summary);
            assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">") && page.ends_with("</html>\n"));
            assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline';"));
            for part in
                ["<script", "<link", "<img", " src=", " href=", "@import", "url(", "style=\"", "http:"]
            {
                assert!(!page.contains(part), "{part}");
            }
        }
    }

    /// A naive reading: every tag that is opened is closed, and is one that we write.
    #[test]
    fn tags_match_whatever_is_between_them() {
        const VOID: [&str; 6] = ["meta", "!doctype", "polyline", "path", "line", "circle"];
        for summary in [sample::clean(), sample::search(), sample::empty(), sample::hostile()] {
            let page = page(&summary);
            let mut open = Vec::new();
            for part in page.split('<').skip(1) {
                let (tag, _) = part.split_once('>').expect("a tag ends");
                let name = tag.split([' ', '\n']).next().expect("a first part");
                match name.strip_prefix('/') {
                    Some(name) => assert_eq!(open.pop(), Some(name), "{part}"),
                    None if VOID.contains(&name) || tag.ends_with('/') => {}
                    None => open.push(name),
                }
            }
            assert!(open.is_empty(), "{open:?}");
        }
    }

    #[test]
    fn what_comes_from_outside_is_text() {
        let summary = sample::hostile();
        let page = page(&summary);
        let harm = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\
                    &#39;&amp;\\\\u000d\\u000a\\u001b[31m\\u0000\\u202e\\u009b";
        for (at, what) in [
            ("<h1>ws://", "URL"),
            ("<th scope=\"row\">", "cause"),
            ("<p class=\"note\">", "note"),
            ("<pre>", "command"),
        ] {
            assert!(page.contains(&format!("{at}{harm}")), "{what}");
        }
        for (name, count) in [("<dd>", 3), ("<title>broadcast ws://", 1)] {
            assert_eq!(page.matches(&format!("{name}{harm}")).count(), count, "{name}");
        }
        assert!(!page.contains(|letter: char| letter.is_control() && letter != '\n'));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let full = page(&sample::small());
        let empty = page(&sample::empty());
        for part in [
            "<h2>Latency",
            "<h2>Over time",
            "<h2>How many",
            "<h2>What went",
            "<h2>Notes",
            "<h2>About",
            "reach",
            "<h3>server</h3>",
            "late, max",
            "<svg",
        ] {
            assert!(full.contains(part), "{part} is in the full one");
            assert!(!empty.contains(part), "{part} is not in the empty one");
        }
        assert!(!empty.contains("None") && !empty.contains("<dd></dd>"));
    }
}
