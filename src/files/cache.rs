//! Pages that were asked for lately, with the content of small ones: looked at again once a second at most, and read
//! again when they were changed.
//!
//! Must not know: what a page is.
//!
//! Invariant: `bytes` is the sum over all entries.

use crate::deadline::{Deadline, Tick};
use crate::limits::{CACHED_FILES_MAX, CACHED_NAME_BYTES_MAX};
use std::collections::HashMap;

/// What is kept, by the path that was asked for.
#[derive(Debug)]
pub(super) struct Cache<P> {
    entries: HashMap<Box<str>, Entry<P>>,
    bytes: usize,
    bytes_max: usize,
    /// Counts look-ups: whose is the lowest was not asked for the longest.
    look_ups: u64,
}

#[derive(Debug)]
struct Entry<P> {
    page: P,
    bytes: usize,
    look_again: Deadline,
    asked_for: u64,
}

impl<P> Cache<P> {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), bytes: 0, bytes_max, look_ups: 0 }
    }

    /// A page that need not be looked at again yet.
    pub(super) fn fresh(&mut self, path: &str, now: Tick) -> Option<&P> {
        self.look_ups += 1;
        let entry = self.entries.get_mut(path).filter(|entry| !entry.look_again.is_past(now))?;
        entry.asked_for = self.look_ups;
        Some(&entry.page)
    }

    /// Keeps a page of so many bytes, or one that it keeps already and that has them now. Others make room for it.
    pub(super) fn keep(&mut self, path: &str, page: P, bytes: usize, until: Deadline) {
        self.remove(path);
        if bytes > self.bytes_max || path.len() > CACHED_NAME_BYTES_MAX {
            return;
        }
        while self.bytes + bytes > self.bytes_max || self.entries.len() >= CACHED_FILES_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.asked_for);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else { break };
            self.remove(&oldest);
        }
        self.bytes += bytes;
        self.entries.insert(path.into(), Entry { page, bytes, look_again: until, asked_for: self.look_ups });
    }

    /// Takes a page out.
    pub(super) fn remove(&mut self, path: &str) -> Option<P> {
        let entry = self.entries.remove(path)?;
        self.bytes -= entry.bytes;
        Some(entry.page)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn cache() -> Cache<char> {
        Cache::new(100)
    }

    fn soon() -> Deadline {
        Deadline::after(Tick::default(), Duration::from_secs(1))
    }

    fn letters(cache: &mut Cache<char>, paths: &str) -> String {
        let mut find = |path: &str| cache.fresh(path, Tick::default()).copied().unwrap_or('-');
        paths.chars().map(|path| find(&path.to_string())).collect()
    }

    #[test]
    fn fresh_for_a_second() {
        let mut cache = cache();
        cache.keep("a", 'A', 10, soon());
        let at = |seconds| Tick::at(Duration::from_millis(seconds));
        assert_eq!(cache.fresh("a", at(900)), Some(&'A'));
        assert_eq!(cache.fresh("b", at(0)), None);
        assert_eq!(cache.fresh("a", at(1200)), None);
        assert_eq!((cache.remove("a"), cache.bytes), (Some('A'), 0));
    }

    #[test]
    fn who_was_not_asked_for_the_longest_makes_room() {
        let mut cache = cache();
        for (path, page) in [("a", 'A'), ("b", 'B'), ("c", 'C')] {
            assert_eq!(letters(&mut cache, path), "-");
            cache.keep(path, page, 33, soon());
        }
        assert_eq!(letters(&mut cache, "ba"), "BA");
        cache.keep("d", 'D', 40, soon());
        assert_eq!((&*letters(&mut cache, "abcd"), cache.bytes), ("A--D", 73), "two had to go");
        cache.keep("a", 'a', 60, soon());
        assert_eq!((&*letters(&mut cache, "ad"), cache.bytes), ("aD", 100), "in its own place");
        cache.keep("a", 'A', 101, soon());
        assert_eq!(letters(&mut cache, "ad"), "-D", "too large, and nobody makes room for it");
        cache.clear();
        assert_eq!((&*letters(&mut cache, "d"), cache.bytes), ("-", 0));
    }

    #[test]
    fn their_number_is_bounded() {
        let mut cache = cache();
        for path in 0..2 * CACHED_FILES_MAX {
            cache.fresh("", Tick::default());
            cache.keep(&path.to_string(), 'x', 0, soon());
        }
        assert_eq!(cache.entries.len(), CACHED_FILES_MAX);
        cache.keep(&"x".repeat(CACHED_NAME_BYTES_MAX + 1), 'x', 0, soon());
        assert_eq!(cache.entries.len(), CACHED_FILES_MAX, "a name has a limit as well");
    }
}
