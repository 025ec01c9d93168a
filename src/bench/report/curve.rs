//! The picture of a latency's whole distribution, on the axis of HdrHistogram: each step to the right leaves
//! a tenth of what was above, so that the slow ones are not hidden in a corner.
//!
//! Must not know: what the latency is of.

use super::chart::{self, Scale, Size};
use super::figures;
use crate::bench::summary::{CurvePoint, Percentiles};

/// One line of the picture.
pub(super) struct Line<'a> {
    /// Beside its end when there are two.
    pub(super) name: &'a str,
    pub(super) points: &'a [CurvePoint],
    /// What is marked on it.
    pub(super) marks: Percentiles,
}

/// Labels of the axis: the share that was at most so slow, and its decades.
const SHARES: [(&str, f64); 8] = [
    ("0 %", 0.0),
    ("50 %", std::f64::consts::LOG10_2),
    ("90 %", 1.0),
    ("99 %", 2.0),
    ("99.9 %", 3.0),
    ("99.99 %", 4.0),
    ("99.999 %", 5.0),
    ("99.9999 %", 6.0),
];

/// The picture; nothing when there is nothing to draw.
pub(super) fn figure(lines: &[Line<'_>], title: &str) -> String {
    let placed: Vec<_> = lines.iter().map(|line| place(line.points)).collect();
    if placed.iter().all(|points| points.len() < 2) {
        return String::new();
    }
    let all = || placed.iter().flatten();
    let axes = Axes {
        decades: all().map(|(x, _)| *x).fold(1.0, f64::max),
        ticks: chart::ticks(all().map(|(_, y)| *y).fold(0.0, f64::max), 5),
    };
    let describe = |line: &Line<'_>| {
        let Percentiles { p50, p90, p99, p99_9, max } = line.marks;
        let figures = [("median", p50), ("p90", p90), ("p99", p99), ("p99.9", p99_9), ("max", max)];
        let figures =
            figures.iter().filter_map(|(name, ms)| Some(format!("{name} {} ms", figures::ms((*ms)?))));
        format!("{} {}.", line.name, figures.collect::<Vec<_>>().join(", ")).trim().to_owned()
    };
    let description = lines.iter().map(describe).collect::<Vec<_>>().join(" ");
    chart::figure("curve", title, &description, height, |size| axes.draw(size, lines, &placed))
}

fn height(size: Size) -> f64 {
    match size {
        Size::Wide => 320.0,
        Size::Narrow => 250.0,
    }
}

/// Decades and milliseconds. The greatest has no place on the axis: it is drawn half a step behind the last
/// one.
fn place(points: &[CurvePoint]) -> Vec<(f64, f64)> {
    let mut placed = Vec::with_capacity(points.len());
    let mut last = 0.0_f64;
    for point in points {
        let Some(ms) = chart::sane(point.ms) else { continue };
        match chart::decades(point.quantile) {
            Some(decades) => {
                last = last.max(decades);
                placed.push((last, ms));
            }
            None if point.quantile == 1.0 => placed.push((last + std::f64::consts::LOG10_2, ms)),
            None => {}
        }
    }
    placed
}

/// What the axes hold.
struct Axes {
    decades: f64,
    ticks: Vec<f64>,
}

impl Axes {
    fn draw(&self, size: Size, lines: &[Line<'_>], placed: &[Vec<(f64, f64)>]) -> String {
        let most = self.ticks.last().copied().unwrap_or(1.0);
        let (left, bottom) = (LEFT, height(size) - 40.0);
        let right = size.width() - 12.0;
        let x = Scale { most: self.decades, start: left, end: right };
        let y = Scale { most, start: bottom, end: 28.0 };
        let mut svg = chart::upright(&y, &self.ticks, right, left);
        svg += &chart::text("start muted", (0.0, 12.0), "milliseconds");
        svg += &self.shares(size, &x, bottom);
        for (at, points) in placed.iter().enumerate() {
            let place = |(decades, ms): &(f64, f64)| (x.at(*decades), y.at(*ms));
            svg += &chart::line(class(at), points.iter().map(place));
            if lines.len() > 1 {
                svg += &name(lines, at, points, &x, &y);
            } else {
                svg += &marks(&lines[at].marks, points, &x, &y);
            }
        }
        svg
    }

    /// Labels across, those that do not run into each other.
    fn shares(&self, size: Size, x: &Scale, bottom: f64) -> String {
        let mut svg = String::new();
        let mut free = 0.0;
        for (label, decades) in SHARES.iter().filter(|(_, decades)| *decades <= self.decades + 1e-9) {
            let at = x.at(*decades);
            svg += &chart::rule("axis", (at, bottom), (at, bottom + 4.0));
            let half = label.len() as f64 * 3.2 + 2.0;
            let is_crowded = size == Size::Narrow && *decades == 0.0;
            if !is_crowded && at - half >= free && at + half <= size.width() {
                svg += &chart::text("middle", (at, bottom + 18.0), label);
                free = at + half;
            }
        }
        svg + &chart::text("end muted", (x.end, bottom + 36.0), "share that took at most so long")
    }
}

/// Room for labels at the left.
const LEFT: f64 = 48.0;

fn class(at: usize) -> &'static str {
    if at == 0 { "line first" } else { "line second" }
}

/// Dots with their figures, above the line.
fn marks(marks: &Percentiles, points: &[(f64, f64)], x: &Scale, y: &Scale) -> String {
    let Percentiles { p50, p90, p99, p99_9, max } = *marks;
    let last = points.last().map_or(0.0, |(decades, _)| *decades);
    let marks = [(0.5, p50), (0.9, p90), (0.99, p99), (0.999, p99_9)];
    let mut svg = String::new();
    for (quantile, ms) in marks {
        let (Some(decades), Some(ms)) = (chart::decades(quantile), ms.and_then(chart::sane)) else {
            continue;
        };
        if decades > last {
            break;
        }
        let at = (x.at(decades), y.at(ms));
        svg += &chart::dot("dot", at);
        svg += &chart::text("middle strong", (at.0, at.1 - 9.0), &figures::ms(ms));
    }
    if let (Some(ms), Some((decades, height))) = (max, points.last()) {
        let at = (x.at(*decades), y.at(*height));
        svg += &chart::dot("dot", at);
        svg += &chart::text("end strong", (at.0 + 4.0, at.1 - 9.0), &format!("max {}", figures::ms(ms)));
    }
    svg
}

/// The name of a line above its end.
fn name(lines: &[Line<'_>], at: usize, points: &[(f64, f64)], x: &Scale, y: &Scale) -> String {
    let Some((decades, ms)) = points.last() else { return String::new() };
    let class = if at == 0 { "end strong first" } else { "end strong second" };
    let label = format!("{} max {}", super::sheet::cut(lines[at].name, 16), figures::ms(*ms));
    chart::text(class, (x.at(*decades) + 4.0, y.at(*ms) - 6.0), &label)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn one(summary: &crate::bench::summary::Summary) -> String {
        figure(&[Line { name: "", points: &summary.curve, marks: summary.latency_ms }], "Latency")
    }

    #[test]
    fn every_decade_is_as_wide_as_the_next() {
        let points = [0.0, 0.9, 0.99, 0.999, 1.0].map(|quantile| CurvePoint { quantile, ms: quantile });
        let placed: Vec<_> = place(&points).iter().map(|(x, _)| (x * 100.0).round() / 100.0).collect();
        assert_eq!(placed, [0.0, 1.0, 2.0, 3.0, 3.3]);
    }

    #[test]
    fn the_curve_is_drawn_from_zero_with_its_figures() {
        let svg = one(&sample::clean());
        for part in [">99.999 %<", ">0.346<", ">0.430<", ">1.966<", ">max 48.40<", ">0<", ">50<"] {
            assert_eq!(svg.matches(part).count(), 2, "{part} in both sizes");
        }
        assert!(svg.contains("median 0.346 ms, p90 0.430 ms, p99 0.550 ms, p99.9 1.966 ms, max 48.40 ms."));
        assert_eq!(one(&sample::empty()), "", "nothing to draw");
    }

    #[test]
    fn whatever_the_figures_every_coordinate_is_one() {
        let svg = one(&sample::hostile());
        assert!(svg.contains("<polyline"), "some of it can be drawn");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
