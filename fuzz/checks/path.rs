//! The path cleaner: what it accepts stays below its folder, and cleaning it again changes nothing.

use fanfare::http::path::CleanPath;
use fanfare::http::response::Status;
use std::fmt::Write as _;
use std::path::{Component, Path};
use std::str;

/// The input: a target, with or without the slash it begins with.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let target = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let path = match CleanPath::parse(&target) {
        Ok(path) => path,
        Err(refusal) => {
            assert!(matches!(refusal.status, Status::BadRequest | Status::NotFound), "{:?}", refusal.status);
            return;
        }
    };
    let relative = path.relative();
    stays_below(relative);

    if !relative.is_empty() {
        has_clean_segments(relative);
        let location = path.as_folder();
        is_no_other_host(&location);
        let folder = CleanPath::parse(&location).expect("its own Location");
        assert_eq!((folder.relative(), folder.is_folder()), (relative, true), "{location}");
    } else {
        assert!(path.is_folder(), "the folder of pages is one");
    }

    let escaped = CleanPath::parse(&escape_all(relative)).expect("escaped, it means the same");
    assert_eq!(escaped.relative(), relative);
    for (mark, what) in [("?", "a query"), ("#", "a fragment")] {
        let behind = CleanPath::parse(&format!("{}{mark}/../.git", without_query(&target)));
        let behind = behind.expect("what stands behind a path is not of it");
        assert_eq!(behind.as_asked(), path.as_asked(), "{what} does not matter");
    }
}

/// Joined to a folder, it is below it, segment by segment.
fn stays_below(relative: &str) {
    let root = Path::new("/srv/pages");
    let joined = root.join(relative);
    let below = joined.strip_prefix(root).expect("below the folder");
    let names = below.components().inspect(|component| {
        assert!(matches!(component, Component::Normal(_)), "{relative:?} has {component:?}");
    });
    let segments = relative.split('/').filter(|segment| !segment.is_empty());
    assert_eq!(names.count(), segments.count(), "the system sees the same segments in {relative:?}");
}

fn has_clean_segments(relative: &str) {
    for (place, segment) in relative.split('/').enumerate() {
        assert!(!segment.is_empty(), "an empty segment in {relative:?}");
        assert!(
            !segment.starts_with('.') || (place == 0 && segment == ".well-known"),
            "a hidden segment in {relative:?}"
        );
        assert!(!segment.contains(['\\', '\0']), "a hostile character in {relative:?}");
        assert!(!segment.chars().any(char::is_control), "a control character in {relative:?}");
    }
}

/// What goes into a header as a place on this server.
fn is_no_other_host(location: &str) {
    assert!(location.starts_with('/') && !location.starts_with("//"), "{location} names a host");
    assert!(location.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{location:?}");
}

fn without_query(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

/// Every byte but the slashes as an escape.
fn escape_all(relative: &str) -> String {
    let mut escaped = String::from("/");
    for byte in relative.bytes() {
        match byte {
            b'/' => escaped.push('/'),
            byte => write!(escaped, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    escaped
}
