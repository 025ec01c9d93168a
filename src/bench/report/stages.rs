//! The picture of a search: the 95th percentile at each number of connections, with the limit across.
//!
//! Must not know: how the search went on.

use super::chart::{self, Scale, Size};
use super::{figures, sentences};
use crate::bench::summary::SearchResult;

/// The picture; nothing when there was no stage.
pub(super) fn figure(search: &SearchResult) -> String {
    let points: Vec<_> = search
        .stages
        .iter()
        .filter_map(|stage| Some((stage.connections as f64, chart::sane(stage.p95_ms)?, stage.bottleneck)))
        .collect();
    if points.is_empty() {
        return String::new();
    }
    let title = "The 95th percentile by number of connections";
    chart::figure("stages", title, &sentences::answer(search), height, |size| draw(size, search, &points))
}

fn height(size: Size) -> f64 {
    match size {
        Size::Wide => 260.0,
        Size::Narrow => 220.0,
    }
}

/// Room for labels at the left.
const LEFT: f64 = 48.0;

fn draw(size: Size, search: &SearchResult, points: &[(f64, f64, bool)]) -> String {
    let limit = chart::sane(search.limit_ms).unwrap_or(0.0);
    let ticks = chart::ticks(points.iter().map(|(_, ms, _)| *ms).fold(limit, f64::max), 4);
    let across = chart::ticks(
        points.iter().map(|(connections, _, _)| *connections).fold(0.0, f64::max),
        size.labels(),
    );
    let (bottom, right) = (height(size) - 40.0, size.width() - 20.0);
    let x = Scale { most: across.last().copied().unwrap_or(1.0), start: LEFT, end: right };
    let y = Scale { most: ticks.last().copied().unwrap_or(1.0), start: bottom, end: 28.0 };
    let mut svg = chart::upright(&y, &ticks, right, LEFT);
    svg += &chart::text("start muted", (0.0, 12.0), "p95, milliseconds");
    let step = across.get(1).copied().unwrap_or(1.0);
    for value in &across {
        let at = x.at(*value);
        svg += &chart::rule("axis", (at, bottom), (at, bottom + 4.0));
        svg += &chart::text("middle", (at, bottom + 18.0), &chart::tick_label(*value, step));
    }
    svg += &chart::text("end muted", (right, bottom + 36.0), "connections");
    let at = y.at(limit);
    svg += &chart::rule("limit", (LEFT, at), (right, at));
    svg +=
        &chart::text("start bad", (LEFT + 6.0, at - 6.0), &format!("limit {} ms", figures::limit_ms(limit)));
    let place = |(connections, ms, _): &(f64, f64, bool)| (x.at(*connections), y.at(*ms));
    svg += &chart::line("line first", points.iter().map(place));
    for point in points {
        // Hollow where the figure is the generator's own fault.
        svg += &chart::dot(if point.2 { "hollow" } else { "dot" }, place(point));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_dot_for_each_stage_and_the_limit() {
        let search = sample::search().search.expect("one");
        let svg = figure(&search);
        assert_eq!(svg.matches("<circle class=\"dot\"").count(), 2 * 6, "in both sizes");
        assert_eq!(svg.matches("<circle class=\"hollow\"").count(), 2);
        assert_eq!(svg.matches("class=\"limit\"").count(), 2);
        assert!(svg.contains("limit 20 ms") && svg.contains("held 1,000 connections"));
        assert_eq!(figure(&SearchResult { stages: vec![], ..search }), "");
    }

    #[test]
    fn whatever_the_figures_every_coordinate_is_one() {
        let svg = figure(&sample::hostile().search.expect("one"));
        assert!(svg.contains("<polyline") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
