//! The page of a folder that has no index: what is in it, as links.
//!
//! Must not know: the folder.
//!
//! Invariant: names are text and links within the folder, whatever they hold.

use super::html::escape;
use super::path::escape_segment;
use super::response::date;
use std::fmt::Write as _;

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// When it changed last, in seconds since 1970.
    pub modified: Option<u64>,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file of so many bytes.
    File(u64),
}

/// Whether a listing names all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All.
    Whole,
    /// There is more than is listed.
    Cut,
}

/// The page: folders first, each by name. `path`: of the folder, as people read it, with its slashes.
pub fn page(path: &str, mut entries: Vec<Entry>, extent: Extent) -> String {
    let is_file = |entry: &Entry| matches!(entry.kind, Kind::File(_));
    entries.sort_by(|one, other| (is_file(one), &one.name).cmp(&(is_file(other), &other.name)));
    let title = escape(path);
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<h1>{title}</h1>\n<table>\n"
    );
    if path != "/" {
        page.push_str("<tr><td><a href=\"../\">../</a><td><td>\n");
    }
    entries.iter().for_each(|entry| push_row(&mut page, entry));
    page.push_str("</table>\n");
    if extent == Extent::Cut {
        page.push_str("<p>There is more that is not listed.</p>\n");
    }
    page.push_str("</html>\n");
    page
}

fn push_row(page: &mut String, entry: &Entry) {
    let (slash, length) = match entry.kind {
        Kind::Folder => ("/", String::new()),
        Kind::File(bytes) => ("", bytes.to_string()),
    };
    let date = entry.modified.map(date);
    let (link, name) = (escape_segment(&entry.name), escape(&entry.name));
    // `./`: a name with a colon would be a scheme.
    let row = writeln!(
        page,
        "<tr><td><a href=\"./{link}{slash}\">{name}{slash}</a><td align=\"right\">{length}<td>{}",
        date.unwrap_or_default()
    );
    row.expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Entry {
        Entry { name: name.to_owned(), kind: Kind::File(5), modified: Some(784_111_777) }
    }

    #[test]
    fn folders_first_and_by_name() {
        let folder = Entry { name: "z".to_owned(), kind: Kind::Folder, modified: None };
        let page = page("/a/", vec![file("c"), folder, file("b")], Extent::Whole);
        let places: Vec<_> = ["\"../\"", "\"./z/\"", "\"./b\"", "\"./c\""]
            .into_iter()
            .map(|link| page.find(link).unwrap_or_else(|| panic!("{link} in {page}")))
            .collect();
        assert!(places.is_sorted(), "{page}");
        assert!(page.contains("Sun, 06 Nov 1994 08:49:37 GMT") && !page.contains("more"), "{page}");
    }

    #[test]
    fn names_are_text() {
        let name = "<img src=x onerror=alert(1)>\"'&javascript:\n\u{202e}.html";
        let page = page("/<b>/", vec![file(name), file("javascript:alert(1)")], Extent::Cut);
        for raw in ["<img", "<b>", "\"'", "href=\"javascript", "\u{202e}"] {
            assert!(!page.contains(raw), "{raw} in {page}");
        }
        assert!(page.contains("href=\"./javascript%3Aalert(1)\""), "{page}");
        assert!(page.contains("There is more"), "{page}");
    }

    /// Some file systems tell times that no calendar has.
    #[test]
    fn a_date_of_no_calendar_is_no_panic() {
        let far = Entry { modified: Some(u64::MAX), ..file("far") };
        assert!(page("/", vec![far], Extent::Whole).contains("9999"));
    }

    #[test]
    fn the_outermost_has_nothing_above_it() {
        assert!(!page("/", Vec::new(), Extent::Whole).contains("../"));
    }
}
