//! A target becomes a path that cannot leave its folder (RFC 3986 §2.1, §3.3).
//!
//! Must not know: whether the path exists.
//!
//! Invariant: a [`CleanPath`] has no empty segment, none that begins with a dot but `.well-known`, no
//! slash or backslash inside a segment, and no control character.

use super::target::has_whole_escapes;
use super::{NOT_FOUND, Refusal};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// What a path keeps escaped when it is written into a `Location`.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// The decoded path of a request, relative to the folder of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanPath {
    relative: String,
    is_folder: bool,
}

impl CleanPath {
    /// Cleans the path of a target that begins with `/`; its query is left out.
    ///
    /// # Errors
    /// 400 for escapes that are none, 404 for a path that would leave the folder or name what is hidden.
    pub fn parse(target: &str) -> Result<Self, Refusal> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let mut relative = String::with_capacity(path.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let segment = decode(segment)?;
            if segment == "." {
                continue;
            }
            if is_hostile(&segment) || (segment.starts_with('.') && segment != ".well-known") {
                return Err(NOT_FOUND);
            }
            if !relative.is_empty() {
                relative.push('/');
            }
            relative.push_str(&segment);
        }
        let is_folder = relative.is_empty() || path.ends_with('/') || path.ends_with("/.");
        Ok(Self { relative, is_folder })
    }

    /// The path below the folder of pages, its segments divided by `/`; empty for the folder itself.
    pub fn relative(&self) -> &str {
        &self.relative
    }

    /// Whether the client asked for a folder: its path ends with a slash.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The same path with a slash at its end, for a `Location`. It begins with one slash, so it can name no
    /// other host.
    pub fn as_folder(&self) -> impl fmt::Display {
        format!("/{}/", utf8_percent_encode(&self.relative, ESCAPED))
    }
}

fn decode(segment: &str) -> Result<String, Refusal> {
    if !has_whole_escapes(segment) {
        return Err(Refusal::bad("a percent sign is no escape"));
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| NOT_FOUND)?;
    Ok(decoded.into_owned())
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
        ];
        for (target, relative, is_folder) in rows {
            assert_eq!(
                CleanPath::parse(target),
                Ok(CleanPath { relative: relative.to_owned(), is_folder }),
                "{target}"
            );
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
            ("/%ff", Status::NotFound),
            ("/%zz", Status::BadRequest),
            ("/%2", Status::BadRequest),
        ];
        for (target, want) in rows {
            assert_eq!(CleanPath::parse(target).map_err(|refusal| refusal.status), Err(want), "{target}");
        }
        // Decoded once: a second round of escapes is a name, not a path.
        assert_eq!(CleanPath::parse("/%252e%252e").map(|path| path.relative), Ok("%2e%2e".to_owned()));
    }

    #[test]
    fn a_location_names_no_other_host() {
        let path = CleanPath::parse("//evil.example/%0aa b").map(|_| ()).map_err(|refusal| refusal.status);
        assert_eq!(path, Err(Status::NotFound));
        let path = CleanPath::parse("//evil.example/a%20b%3f").expect("clean");
        assert_eq!(path.as_folder().to_string(), "/evil.example/a%20b%3F/");
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
