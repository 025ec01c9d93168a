//! The state of a file, as far as the system tells it without reading: what is different was changed.

use crate::http::coding::Coding;
use crate::limits::FILE_SETTLES;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};

const SETTLES_SECONDS: i64 = FILE_SETTLES.as_secs() as i64;

/// One state of one file. Two that are equal are the same file with the same content, once it has settled; unless it was
/// written through a mapping of it, of which no time tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    device: u64,
    file: u64,
    pub(super) length: u64,
    /// Seconds since 1970, and nanoseconds.
    modified: (i64, i64),
    /// When the system noted a change last, which nobody can set.
    noted: (i64, i64),
}

impl Stamp {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            file: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            noted: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Without numbers of files, what is known of one must do.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let since_1970 = |time: std::io::Result<std::time::SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let since = since.unwrap_or_default();
            (since.as_secs() as i64, i64::from(since.subsec_nanos()))
        };
        let modified = since_1970(metadata.modified());
        let length = metadata.len();
        Self { device: 0, file: 0, length, modified, noted: since_1970(metadata.created()).max(modified) }
    }

    /// Whether it is the same file, in whatever state.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.file) == (other.device, other.file)
    }

    /// When it changed last, in seconds since 1970. A clock that was wrong then says nothing later than now
    /// (RFC 9110 §8.8.2.1).
    pub(super) fn modified(&self, now: u64) -> Option<u64> {
        u64::try_from(self.modified.0).ok().map(|modified| modified.min(now))
    }

    /// Whether it was changed no earlier than `original`, to the second: a compressor that gives its file the time of the
    /// original may leave out the rest.
    pub(super) fn is_as_new_as(&self, original: &Self) -> bool {
        self.modified.0 >= original.modified.0
    }

    /// Whether a later change must show in its times: they do not tell changes apart that follow each other at once.
    /// `now`: seconds since 1970. While a clock is behind them, which has been set back or not been set yet, nothing is
    /// settled.
    pub(super) fn is_settled(&self, now: u64) -> bool {
        let settles = self.noted.0.saturating_add(SETTLES_SECONDS);
        u64::try_from(settles).is_ok_and(|settles| settles < now)
    }

    /// An entity tag of a file that is too long to be read for it.
    pub(super) fn etag(&self, coding: Coding) -> String {
        // The device is left out: the same disk may have another number after a restart.
        etag_of(&(self.file, self.length, self.modified, self.noted, coding.name()), self.length)
    }
}

/// An entity tag of a content in its coding: as the page itself the same bytes would mean something else.
pub(super) fn etag(content: &[u8], coding: Coding) -> String {
    etag_of(&(content, coding.name()), content.len() as u64)
}

/// A hash that nobody needs to be safe from: whoever can choose the pages can serve what he likes.
fn etag_of<T: Hash + ?Sized>(state: &T, length: u64) -> String {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    format!("\"{:016x}-{length:x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(modified: i64) -> Stamp {
        Stamp { device: 1, file: 2, length: 3, modified: (modified, 0), noted: (modified, 0) }
    }

    #[test]
    fn no_time_to_come_is_told() {
        for (modified, want) in
            [(0, Some(0)), (999, Some(999)), (1001, Some(1000)), (i64::MAX, Some(1000)), (-1, None)]
        {
            assert_eq!(stamp(modified).modified(1000), want, "{modified}");
        }
    }

    #[test]
    fn settled_is_what_a_change_would_show_in() {
        for (noted, want) in
            [(0, true), (997, true), (998, false), (1000, false), (2000, false), (i64::MAX, false)]
        {
            assert_eq!(stamp(noted).is_settled(1000), want, "{noted}");
        }
        assert!(stamp(i64::MAX).is_as_new_as(&stamp(i64::MAX)) && !stamp(0).is_as_new_as(&stamp(i64::MAX)));
    }

    #[test]
    fn a_tag_tells_states_apart() {
        let tags = [stamp(1), stamp(2), Stamp { file: 3, ..stamp(1) }, Stamp { length: 4, ..stamp(1) }]
            .map(|it| it.etag(Coding::Identity));
        for (number, tag) in tags.iter().enumerate() {
            assert!(!tags[..number].contains(tag), "{tags:?}");
        }
        let tag = stamp(1).etag(Coding::Identity);
        assert_eq!(Stamp { device: 9, ..stamp(1) }.etag(Coding::Identity), tag);
        assert_ne!(stamp(1).etag(Coding::Gzip), tag);
    }
}
