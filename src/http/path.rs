//! A target becomes a path that cannot leave its folder (RFC 3986 §2.1, §3.3).
//!
//! Must not know: whether the path exists.
//!
//! Invariant: a [`CleanPath`] has no empty segment, none that begins with a dot but a first `.well-known`, no
//! slash or backslash inside a segment, and no control character.

use super::target::has_whole_escapes;
use super::{NOT_FOUND, Refusal};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// The one name that begins with a dot and is served.
const WELL_KNOWN: &str = ".well-known";

/// What a query has escaped in a `Location`: what no URI may hold (RFC 3986 §2). Its own escapes stay as they are.
const ESCAPED_IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a path has escaped there: that as well, what would begin an escape or a query, and brackets.
const ESCAPED: &AsciiSet = &ESCAPED_IN_QUERY.add(b'%').add(b'?').add(b'[').add(b']');

/// The same for one name, which may hold what would end it, or begin a scheme.
const ESCAPED_IN_LINK: &AsciiSet = &ESCAPED.add(b'/').add(b':').add(b'&').add(b'\'');

/// The decoded path of a request, relative to the folder of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanPath {
    /// With a slash at its end for a folder, but for the outermost.
    text: String,
    is_folder: bool,
    /// What stands behind the path, with its question mark.
    query: Box<str>,
}

impl CleanPath {
    /// Cleans the path of a target that begins with `/`.
    ///
    /// # Errors
    /// 400 for escapes that are none, 404 for a path that would leave the folder or name what is hidden.
    pub fn parse(target: &str) -> Result<Self, Refusal> {
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let mut text = String::with_capacity(path.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let segment = decode(segment)?;
            if segment == "." {
                continue;
            }
            if !is_servable(&segment, text.is_empty()) {
                return Err(NOT_FOUND);
            }
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(&segment);
        }
        let is_folder = text.is_empty() || path.ends_with('/') || path.ends_with("/.");
        if is_folder && !text.is_empty() {
            text.push('/');
        }
        Ok(Self { text, is_folder, query: query.into() })
    }

    /// The path below the folder of pages, its segments divided by `/`; empty for the folder itself.
    pub fn relative(&self) -> &str {
        self.text.strip_suffix('/').unwrap_or(&self.text)
    }

    /// The same, with a slash at its end where a folder was asked for, but for the folder itself: two that are equal ask
    /// for the same.
    pub fn as_asked(&self) -> &str {
        &self.text
    }

    /// Whether the client asked for a folder: its path ends with a slash.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The same path with a slash at its end and the same query, for a `Location`. It begins with one slash, so it can
    /// name no other host.
    pub fn as_folder(&self) -> String {
        let path = utf8_percent_encode(self.relative(), ESCAPED);
        format!("/{path}/{}", utf8_percent_encode(&self.query, ESCAPED_IN_QUERY))
    }
}

/// What a path keeps escaped in a link: the name of one file or folder.
pub fn escape_segment(name: &str) -> impl fmt::Display {
    utf8_percent_encode(name, ESCAPED_IN_LINK)
}

/// The path of what is in a folder, which is empty for the outermost.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn decode(segment: &str) -> Result<String, Refusal> {
    if !has_whole_escapes(segment) {
        return Err(Refusal::bad("a percent sign is no escape"));
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| NOT_FOUND)?;
    Ok(decoded.into_owned())
}

/// Whether a file or folder of this name can be asked for; `is_first`: in the outermost folder.
pub fn is_servable(name: &str, is_first: bool) -> bool {
    !name.is_empty() && !is_hostile(name) && !is_hidden(name, is_first)
}

/// Names with a dot are for the machine, not for visitors; but for one at the top (RFC 8615 §3).
fn is_hidden(segment: &str, is_first: bool) -> bool {
    segment.starts_with('.') && !(is_first && segment == WELL_KNOWN)
}

fn is_hostile(segment: &str) -> bool {
    // A colon names a drive or a stream where backslashes are slashes.
    segment.contains(['/', '\\'])
        || segment.chars().any(char::is_control)
        || (cfg!(windows) && segment.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::Status;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn cleaned() {
        let rows = [
            ("/", "", true),
            ("/a.html", "a.html", false),
            ("/a.html?b=/../c#d", "a.html", false),
            ("//evil.example//x", "evil.example/x", false),
            ("/a/./b/", "a/b", true),
            ("/a%20b/%E4%B8%AD", "a b/中", false),
            ("/.well-known/x", ".well-known/x", false),
            ("/./.well-known/", ".well-known", true),
        ];
        for (target, relative, is_folder) in rows {
            let path = CleanPath::parse(target).expect("clean");
            assert_eq!((path.relative(), path.is_folder()), (relative, is_folder), "{target}");
            let slash = if is_folder && !relative.is_empty() { "/" } else { "" };
            assert_eq!(path.as_asked(), format!("{relative}{slash}"), "{target}");
        }
    }

    #[test]
    fn refused() {
        let rows = [
            ("/..", Status::NotFound),
            ("/a/../b", Status::NotFound),
            ("/%2e%2e/etc/passwd", Status::NotFound),
            ("/..%2fetc", Status::NotFound),
            ("/a%5c..%5cb", Status::NotFound),
            ("/a\\b", Status::NotFound),
            ("/a%00.html", Status::NotFound),
            ("/.git/config", Status::NotFound),
            ("/a/.well-known/x", Status::NotFound),
            ("/.well-known/.git", Status::NotFound),
            ("/.well-known.", Status::NotFound),
            ("/%ff", Status::NotFound),
            ("/%zz", Status::BadRequest),
            ("/%2", Status::BadRequest),
        ];
        for (target, want) in rows {
            assert_eq!(CleanPath::parse(target).map_err(|refusal| refusal.status), Err(want), "{target}");
        }
        // Decoded once: a second round of escapes is a name, not a path.
        assert_eq!(CleanPath::parse("/%252e%252e").map(|path| path.text), Ok("%2e%2e".to_owned()));
    }

    #[test]
    fn a_location_names_no_other_host() {
        let path = CleanPath::parse("//evil.example/%0aa b").map(|_| ()).map_err(|refusal| refusal.status);
        assert_eq!(path, Err(Status::NotFound));
        let path = CleanPath::parse("//evil.example/a%20b%3f").expect("clean");
        assert_eq!(path.as_folder(), "/evil.example/a%20b%3F/");
        assert_eq!(
            CleanPath::parse("/a|b^c[d]").map(|path| path.as_folder()),
            Ok("/a%7Cb%5Ec%5Bd%5D/".to_owned())
        );
        let path = CleanPath::parse("/a?next=//evil.example/%0d%0a&x=\u{e9} \"\\").expect("clean");
        assert_eq!(path.as_folder(), "/a/?next=//evil.example/%0d%0a&x=%C3%A9%20%22%5C");
    }

    proptest! {
        #[test]
        fn never_leaves_the_folder(target in "/([a./%2eEfF5cC\\\\~0-9]|%2e|\\.\\.|%2f){0,24}") {
            let Ok(path) = CleanPath::parse(&target) else { return Ok(()) };
            for component in Path::new(path.relative()).components() {
                prop_assert!(matches!(component, Component::Normal(_)), "{target} gives {component:?}");
            }
        }
    }
}
