//! Text from outside made fit for a page, and the few shapes that a page is made of.
//!
//! Must not know: what a result is.
//!
//! Invariant: what [`text`] gives back is text between tags and inside quoted attributes, whatever went in.

use crate::escape;
use fanfare::http::html;

/// The head of a page, up to the beginning of its body. Nothing is loaded, nothing is run.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        text(title),
        include_str!("style.css")
    )
}

/// What ends it.
pub(super) const FOOT: &str = "</body>\n</html>\n";

/// Text from outside: what cannot be seen, or turns the direction of what follows, as a code.
pub(super) fn text(raw: &str) -> String {
    html::escape(&escape::text(raw))
}

/// A section with its heading; nothing when it is empty. `body` is HTML.
pub(super) fn section(heading: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", text(heading))
}

/// A table: its columns, then rows that begin with their name. All of it is text.
pub(super) fn table(class: &str, columns: &[&str], rows: &[(String, Vec<String>)]) -> String {
    let mut html = format!("<div class=\"scroll\"><table class=\"{class}\">\n<thead><tr>");
    for column in columns {
        html.push_str(&format!("<th scope=\"col\">{}</th>", text(column)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (name, cells) in rows {
        html.push_str(&format!("<tr><th scope=\"row\">{}</th>", text(name)));
        for cell in cells {
            html.push_str(&format!("<td>{}</td>", text(cell)));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

/// Names and what they stand for, below a small heading if there is one. All of it is text; a name without a
/// value is left out, and so are all of them when none has one.
pub(super) fn definitions(heading: &str, rows: &[(&str, String)]) -> String {
    let known: Vec<_> = rows.iter().filter(|(_, value)| !value.is_empty()).collect();
    if known.is_empty() {
        return String::new();
    }
    let mut html = match heading {
        "" => "<dl>\n".to_owned(),
        heading => format!("<div>\n<h3>{}</h3>\n<dl>\n", text(heading)),
    };
    for (name, value) in known {
        html.push_str(&format!("<div><dt>{}</dt><dd>{}</dd></div>\n", text(name), text(value)));
    }
    html + if heading.is_empty() { "</dl>\n" } else { "</dl>\n</div>\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped() {
        for (raw, want) in [
            ("a & b", "a &amp; b"),
            ("<script>", "&lt;script&gt;"),
            ("\"quoted\" 'too'", "&quot;quoted&quot; &#39;too&#39;"),
            ("a\0\r\n\u{1b}", r"a\u0000\u000d\u000a\u001b"),
            ("a\u{202e}b\u{2066}\u{feff}", r"a\u202eb\u2066\ufeff"),
            ("你好, é", "你好, é"),
        ] {
            assert_eq!(text(raw), want, "{raw:?}");
        }
    }

    #[test]
    fn every_cell_is_escaped() {
        let harm = || "<b>".to_owned();
        let html = [
            table("t", &["<b>"], &[(harm(), vec![harm()])]),
            definitions("<b>", &[("<b>", harm()), ("left out", String::new())]),
            definitions("left out", &[("left out", String::new())]),
            section("<b>", "x"),
            head("<b>"),
        ]
        .concat();
        assert!(!html.contains("<b>") && !html.contains("left out"), "{html}");
        assert_eq!(html.matches("&lt;b&gt;").count(), 8);
        assert_eq!(section("empty", ""), "");
    }
}
