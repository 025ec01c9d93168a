//! The picture of a run over time: a small panel for each thing that was counted, one below the other, with
//! the same seconds across and the span that was measured shaded.
//!
//! Must not know: how spans were counted.

use super::chart::{self, Scale, Size};
use super::figures;
use crate::bench::summary::{Series, Span};

/// One thing over time, one value for each span.
struct Panel {
    name: &'static str,
    values: Vec<f64>,
}

/// Units of time, the smallest first: from how many seconds on each is used.
const UNITS: [(&str, f64, f64); 3] =
    [("seconds", 1.0, 0.0), ("minutes", 60.0, 600.0), ("hours", 3_600.0, 18_000.0)];

/// The picture; nothing when there is nothing to draw.
pub(super) fn figure(series: &Series) -> String {
    let panels = panels(series);
    let total = chart::sane(series.interval * series.spans.len() as f64).unwrap_or(0.0);
    if panels.is_empty() || total <= 0.0 {
        return String::new();
    }
    let describe = |panel: &Panel| {
        let most = panel.values.iter().copied().fold(0.0, f64::max);
        format!("{}: at most {}.", panel.name, figures::rate(most))
    };
    let description = panels.iter().map(describe).collect::<Vec<_>>().join(" ");
    let height = |_| TOP + PITCH * panels.len() as f64 + 26.0;
    chart::figure("timeline", "The run over time", &description, height, |size| {
        draw(size, &panels, series, total)
    })
}

/// What never was anything but zero has no panel.
fn panels(series: &Series) -> Vec<Panel> {
    let a_second = |count: u64| if series.interval > 0.0 { count as f64 / series.interval } else { 0.0 };
    let panel = |name, value: &dyn Fn(&Span) -> f64| {
        let values = series.spans.iter().map(|span| chart::sane(value(span)).unwrap_or(0.0));
        Panel { name, values: values.collect() }
    };
    let all = [
        panel("messages sent a second", &|span| a_second(span.sent)),
        panel("deliveries received a second", &|span| a_second(span.received)),
        panel("worst latency, milliseconds", &|span| span.latency_us_max as f64 / 1_000.0),
        panel("open connections", &|span| span.open as f64),
    ];
    all.into_iter().filter(|panel| panel.values.iter().any(|value| *value > 0.0)).collect()
}

const TOP: f64 = 6.0;
/// From one panel to the next.
const PITCH: f64 = 104.0;
/// Of the lines of one.
const PANEL: f64 = 62.0;
/// Room for labels at the left.
const LEFT: f64 = 60.0;

fn draw(size: Size, panels: &[Panel], series: &Series, total: f64) -> String {
    let right = size.width() - 14.0;
    let time = Scale { most: total, start: LEFT, end: right };
    let bottom = TOP + PITCH * panels.len() as f64 - (PITCH - PANEL - 28.0);
    let mut svg = measured(&time, series, bottom);
    for (at, panel) in panels.iter().enumerate() {
        let top = TOP + PITCH * at as f64;
        let ticks = chart::ticks(panel.values.iter().copied().fold(0.0, f64::max), 2);
        let most = ticks.last().copied().unwrap_or(1.0);
        let scale = Scale { most, start: top + 28.0 + PANEL, end: top + 28.0 };
        svg += &chart::text("start strong", (0.0, top + 14.0), panel.name);
        svg += &chart::upright(&scale, &ticks, right, LEFT);
        let width = total / panel.values.len() as f64;
        let spans = panel.values.iter().enumerate().map(|(at, value)| {
            let from = width * at as f64;
            (time.at(from), time.at(from + width), scale.at(*value))
        });
        svg += &chart::steps("line first", spans);
    }
    svg + &seconds(size, &time, bottom)
}

/// The shade behind all panels.
fn measured(time: &Scale, series: &Series, bottom: f64) -> String {
    let (from, to) = series.measured;
    let (Some(from), Some(to)) = (chart::sane(from), chart::sane(to)) else { return String::new() };
    if from >= to {
        return String::new();
    }
    let (from, to) = (time.at(from), time.at(to));
    let [x, y, width, height] = [from, TOP + 22.0, to - from, bottom - TOP - 22.0].map(chart::number);
    format!("<rect class=\"shade\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n")
}

/// Labels across, below the last panel.
fn seconds(size: Size, time: &Scale, bottom: f64) -> String {
    let unit = UNITS.iter().rev().find(|(_, _, from)| time.most >= *from).unwrap_or(&UNITS[0]);
    let (name, seconds, _) = *unit;
    let ticks = chart::ticks(time.most / seconds, size.labels());
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let mut svg = String::new();
    // The last may lie behind the end of the run.
    for value in ticks.iter().filter(|value| **value * seconds <= time.most * 1.000_001) {
        let x = time.at(value * seconds);
        svg += &chart::rule("axis", (x, bottom), (x, bottom + 4.0));
        svg += &chart::text("middle", (x, bottom + 18.0), &chart::tick_label(*value, step));
    }
    let label = format!("{name} since the first connection; shaded: measured");
    svg + &chart::text("end muted", (time.end, bottom + 36.0), &label)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_panel_for_each_thing_that_was() {
        let series = sample::small().series;
        let names = |series: &Series| panels(series).iter().map(|panel| panel.name).collect::<Vec<_>>();
        assert_eq!(names(&series).len(), 4);
        let idle = Span { open: 7, ..Span::default() };
        assert_eq!(names(&Series { spans: vec![idle; 3], ..series.clone() }), ["open connections"]);
        assert_eq!(panels(&series)[1].values, [0.0, 9_800.0, 9_800.0, 2.0], "a second, not a span");
        assert_eq!(figure(&sample::empty().series), "");
    }

    #[test]
    fn what_was_measured_is_shaded() {
        let series = sample::small().series;
        let time = Scale { most: 2.0, start: 0.0, end: 100.0 };
        let svg = measured(&time, &series, 128.0);
        assert!(svg.contains("x=\"50\" y=\"28\" width=\"50\" height=\"100\""), "{svg}");
        assert_eq!(measured(&time, &sample::hostile().series, 128.0), "", "never");
    }

    #[test]
    fn time_has_the_unit_of_its_length() {
        for (most, want) in [(12.0, "seconds since"), (900.0, "minutes since"), (86_400.0, "hours since")] {
            let time = Scale { most, start: 0.0, end: 100.0 };
            assert!(seconds(Size::Wide, &time, 0.0).contains(want), "{most}");
        }
    }

    #[test]
    fn whatever_the_figures_every_coordinate_is_one() {
        let hostile = sample::hostile().series;
        for interval in [0.0, -1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY] {
            let svg = figure(&Series { interval, ..hostile.clone() });
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{interval}: {svg}");
        }
    }
}
