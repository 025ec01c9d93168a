//! Two results side by side as one self-contained page, both curves in one picture.
//!
//! Must not know: where they were read from.
//!
//! Invariant: as of `page`, every text in it has come through [`html::text`].

use super::compare_table::{Row, rows};
use super::{curve, html, page::notes, sentences};
use crate::bench::summary::Summary;

/// The whole page.
pub(crate) fn page(names: [&str; 2], both: [&Summary; 2]) -> String {
    let title = format!("{} and {}", names[0], names[1]);
    let runs = ["A", "B"].iter().zip(names).zip(both);
    let runs = runs.map(|((letter, name), summary)| {
        let load = sentences::load(summary).join(", ");
        let what =
            format!("{} {}, {load}. {}", summary.scenario.name(), summary.url, sentences::whole(summary));
        format!("<div><dt>{letter}: {}</dt><dd>{}</dd></div>\n", html::text(name), html::text(&what))
    });
    let header = format!(
        "<header>\n<p class=\"kicker\">fanfare bench: two runs</p>\n<h1>{}</h1>\n\
         <dl class=\"runs\">\n{}</dl>\n{}</header>\n",
        html::text(&title),
        runs.collect::<String>(),
        notes(&sentences::differences(both))
    );
    let lines = [("A", both[0]), ("B", both[1])].map(|(name, summary)| curve::Line {
        name,
        points: &summary.curve,
        marks: summary.latency_ms,
    });
    let cells =
        |Row { name, values: [a, b], ratio }: Row| (name.to_owned(), vec![a, b, ratio.unwrap_or_default()]);
    let rows: Vec<_> = rows(both).into_iter().map(cells).collect();
    let figures = html::table("figures", &["figure", "A", "B", "B ÷ A"], &rows);
    let body = [
        header,
        html::section(
            "Latency",
            &curve::figure(&lines, "Latency of both, by the share that took at most so long"),
        ),
        html::section("All figures", &figures),
        html::section("About these runs", &about(both)),
    ];
    html::head(&title) + "<main>\n" + &body.concat() + "</main>\n" + html::FOOT
}

fn about(both: [&Summary; 2]) -> String {
    let value = |of: fn(&Summary) -> &String| both.map(|summary| of(summary).clone()).to_vec();
    let rows = [
        ("command line", value(|summary| &summary.about.command)),
        ("version", value(|summary| &summary.about.version)),
        ("machine", value(|summary| &summary.about.machine)),
        ("began", value(|summary| &summary.about.began)),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|(_, values)| values.iter().any(|value| !value.is_empty()))
        .map(|(name, values)| (name.to_owned(), values))
        .collect();
    if rows.is_empty() { String::new() } else { html::table("words", &["run", "A", "B"], &rows) }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn both_curves_are_in_one_picture() {
        let (a, b) = (sample::clean(), sample::small());
        let page = page(["a.json", "b.json"], [&a, &b]);
        for (part, count) in [
            ("<svg ", 2),
            ("class=\"line first\"", 2),
            ("class=\"line second\"", 2),
            (">A max 48.40<", 2),
            (">B max 8.022<", 2),
            ("B is not clean", 1),
        ] {
            assert_eq!(page.matches(part).count(), count, "{part}");
        }
    }

    #[test]
    fn what_comes_from_outside_is_text() {
        let hostile = sample::hostile();
        let page = page(["<b>", "\"><script>"], [&hostile, &hostile]);
        assert!(!page.contains("<script") && !page.contains("<b>"));
        assert!(page.contains("A: &lt;b&gt;") && page.contains("B: &quot;&gt;&lt;script&gt;"));
        assert!(!page.contains(|letter: char| letter.is_control() && letter != '\n'));
    }
}
