//! The geometry of a picture: scales, ticks, lines. Everything is drawn twice, for wide and for narrow
//! windows, since letters must not shrink with the picture.
//!
//! Must not know: what is drawn.
//!
//! Invariant: every coordinate is a finite number, whatever the values are.

use super::html;

/// For which windows a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Wide,
    Narrow,
}

impl Size {
    pub(super) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

    /// The class that shows it in its windows only.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }

    /// In the units of the drawing, which are about CSS pixels.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Wide => 704.0,
            Self::Narrow => 330.0,
        }
    }

    /// About how many labels an axis across has room for.
    pub(super) fn labels(self) -> usize {
        match self {
            Self::Wide => 10,
            Self::Narrow => 5,
        }
    }
}

/// Values beyond this are drawn here; it is a thousand years in milliseconds.
const VALUE_MAX: f64 = 3e13;

/// What can be drawn: no NaN, nothing below zero, nothing without an end.
pub(super) fn sane(value: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(0.0, VALUE_MAX))
}

/// Where values from 0 to `most` stand between two coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) most: f64,
    pub(super) start: f64,
    pub(super) end: f64,
}

impl Scale {
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.most > 0.0 { (value / self.most).clamp(0.0, 1.0) } else { 0.0 };
        self.start + (self.end - self.start) * share
    }
}

/// Round values from 0 to the first that is not below `most`, `steps` of them at most and at least half as
/// many, 1, 2 or 5 of some power of ten apart.
pub(super) fn ticks(most: f64, steps: usize) -> Vec<f64> {
    let most = sane(most).filter(|most| *most > 1e-6).unwrap_or(1.0);
    let rough = most / steps.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter();
    // A hair more, since a tenth has no exact power.
    let step = step.into_iter().find(|step| *step * 1.000_001 >= rough).unwrap_or(rough);
    let count = (most / step * 0.999_999).ceil() as usize;
    (0..=count.max(1)).map(|at| at as f64 * step).collect()
}

/// As many digits as tell one tick from the next.
pub(super) fn tick_label(value: f64, step: f64) -> String {
    let digits = (-(step * 1.000_001).log10().floor()).clamp(0.0, 6.0) as usize;
    if value >= 1e9 {
        return super::figures::short(value);
    }
    let text = super::figures::count(value.trunc() as u64);
    match format!("{:.digits$}", value.fract()).split_once('.') {
        Some((_, behind)) => format!("{text}.{behind}"),
        None => text,
    }
}

/// The axis of HdrHistogram: the distance of a quantile from 1 in decades. 0.9 is 1, 0.99 is 2, and so on.
/// `None` for 1, which is infinitely far, and for what is no quantile.
pub(super) fn decades(quantile: f64) -> Option<f64> {
    (0.0..1.0).contains(&quantile).then(|| -(1.0 - quantile).log10())
}

/// One coordinate, to a tenth of a pixel.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A line through points.
pub(super) fn line(class: &str, points: impl Iterator<Item = (f64, f64)>) -> String {
    let points: Vec<_> = points.map(|(x, y)| format!("{},{}", number(x), number(y))).collect();
    format!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" "))
}

/// Level lines, one for each span of `x`, with a step between them.
pub(super) fn steps(class: &str, spans: impl Iterator<Item = (f64, f64, f64)>) -> String {
    let mut path = String::new();
    for (from, to, y) in spans {
        if path.is_empty() {
            path.push_str(&format!("M{} {}", number(from), number(y)));
        } else {
            path.push_str(&format!("V{}", number(y)));
        }
        path.push_str(&format!("H{}", number(to)));
    }
    format!("<path class=\"{class}\" d=\"{path}\"/>\n")
}

/// A straight line.
pub(super) fn rule(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
    format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>\n")
}

/// Text beside a point; the class says at which side.
pub(super) fn text(class: &str, (x, y): (f64, f64), raw: &str) -> String {
    format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>\n", number(x), number(y), html::text(raw))
}

/// A dot.
pub(super) fn dot(class: &str, (x, y): (f64, f64)) -> String {
    format!("<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>\n", number(x), number(y))
}

/// An upright axis: hair lines across, with their values at the left.
pub(super) fn upright(scale: &Scale, ticks: &[f64], right: f64, left: f64) -> String {
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let mark = |value: &f64| {
        let y = scale.at(*value);
        let label = text("end", (left - 6.0, y + 4.0), &tick_label(*value, step));
        rule(if *value > 0.0 { "hair" } else { "axis" }, (left, y), (right, y)) + &label
    };
    ticks.iter().map(mark).collect()
}

/// A picture in both sizes, with what it is called and what it says for those who do not see it.
pub(super) fn figure(
    name: &str,
    title: &str,
    description: &str,
    height: impl Fn(Size) -> f64,
    draw: impl Fn(Size) -> String,
) -> String {
    let both = Size::ALL.map(|size| {
        let id = format!("{name}-{}", size.name());
        let (width, height) = (number(size.width()), number(height(size)));
        format!(
            "<svg class=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-text\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>\n{}</svg>\n",
            size.name(),
            html::text(title),
            html::text(description),
            draw(size)
        )
    });
    format!("<figure>\n{}</figure>\n", both.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        for (most, count, want) in [
            (8.022, 5, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
            (8.0, 4, vec![0.0, 2.0, 4.0, 6.0, 8.0]),
            (0.3, 3, vec![0.0, 0.1, 0.2, 0.3]),
            (1_000.0, 2, vec![0.0, 500.0, 1_000.0]),
            (0.0, 2, vec![0.0, 0.5, 1.0]),
            (f64::NAN, 1, vec![0.0, 1.0]),
        ] {
            let got = ticks(most, count);
            assert_eq!(got.len(), want.len(), "{most}: {got:?}");
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-9), "{most}: {got:?}");
        }
        for most in [1e-300, 1e-3, 7.3, 99_999.9, 1e300, f64::INFINITY, -5.0] {
            for count in [0, 1, 4, 12] {
                let got = ticks(most, count);
                assert!(got.len() <= count.max(1) + 2, "{most}, {count}: {got:?}");
                assert!(got.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn ticks_have_as_many_digits_as_they_need() {
        for (value, step, want) in [
            (0.0, 0.5, "0.0"),
            (1.5, 0.5, "1.5"),
            (0.3, 0.1, "0.3"),
            (20.0, 10.0, "20"),
            (15_000.0, 5_000.0, "15,000"),
            (0.02, 0.01, "0.02"),
            (2e10, 1e10, "20.0G"),
        ] {
            assert_eq!(tick_label(value, step), want);
        }
    }

    #[test]
    fn quantiles_are_decades_from_one() {
        for (quantile, want) in [
            (0.0, 0.0),
            (0.5, std::f64::consts::LOG10_2),
            (0.9, 1.0),
            (0.99, 2.0),
            (0.999, 3.0),
            (0.999_9, 4.0),
        ] {
            let got = decades(quantile).expect("a quantile");
            assert!((got - want).abs() < 1e-5, "{quantile}: {got}");
        }
        for quantile in [1.0, 1.5, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(decades(quantile), None, "{quantile}");
        }
    }

    #[test]
    fn scales_and_lines() {
        let scale = Scale { most: 4.0, start: 100.0, end: 20.0 };
        for (value, want) in [(0.0, 100.0), (1.0, 80.0), (4.0, 20.0), (9.0, 20.0), (-1.0, 100.0)] {
            assert!((scale.at(value) - want).abs() < 1e-9, "{value}");
        }
        assert!((Scale { most: 0.0, ..scale }.at(7.0) - 100.0).abs() < 1e-9, "nothing to divide by");
        let points = [(0.0, 1.25), (10.04, 2.0)].into_iter();
        assert_eq!(line("a", points), "<polyline class=\"a\" points=\"0,1.2 10,2\"/>\n");
        let spans = [(0.0, 5.0, 1.0), (5.0, 10.0, 2.0)].into_iter();
        assert_eq!(steps("a", spans), "<path class=\"a\" d=\"M0 1H5V2H10\"/>\n");
        assert_eq!(text("end", (1.0, 2.0), "<"), "<text class=\"end\" x=\"1\" y=\"2\">&lt;</text>\n");
        assert_eq!([f64::NAN, -1.0, f64::INFINITY].map(sane), [None, Some(0.0), Some(VALUE_MAX)]);
    }
}
