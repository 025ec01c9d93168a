//! The pages compiled in, with what `build.rs` has compressed of them.

use super::page::INDEX;
use super::{Content, Ready, stamp};
use crate::http::NOT_FOUND;
use crate::http::Refusal;
use crate::http::coding::{Accepted, Coding};
use crate::http::content_type;
use crate::http::path::{self, CleanPath};
use crate::http::representation::{Author, Choice, Facts, Representation};
use std::rc::Rc;

/// A page as `build.rs` writes it into the table.
struct Source {
    path: &'static str,
    /// In seconds since 1970.
    modified: u64,
    plain: &'static [u8],
    /// Where that is worth it.
    gzip: Option<&'static [u8]>,
}

/// By path.
const SOURCES: &[Source] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// All of them, by path.
#[derive(Debug)]
pub(super) struct BuiltIn(Vec<Page>);

#[derive(Debug)]
struct Page {
    path: &'static str,
    plain: Ready,
    gzip: Option<Ready>,
}

impl BuiltIn {
    /// `now`: seconds since 1970; a box whose clock was not set yet sends no dates of a time to come.
    pub(super) fn new(now: u64) -> Self {
        let page = |source: &Source| Page {
            path: source.path,
            plain: ready(source, Coding::Identity, source.plain, now),
            gzip: source.gzip.map(|gzip| ready(source, Coding::Gzip, gzip, now)),
        };
        Self(SOURCES.iter().map(page).collect())
    }

    /// What a path leads to.
    ///
    /// # Errors
    /// 404.
    pub(super) fn find(&self, asked: &CleanPath, accepted: Accepted) -> Result<Option<&Ready>, Refusal> {
        let name = asked.relative();
        let index = || path::join(name, INDEX);
        let found = if asked.is_folder() { self.page(&index()) } else { self.page(name) };
        match found {
            Some(page) => Ok(Some(page.choose(accepted))),
            None if !asked.is_folder() && self.page(&index()).is_some() => Ok(None),
            None => Err(NOT_FOUND),
        }
    }

    fn page(&self, path: &str) -> Option<&Page> {
        self.0.iter().find(|page| page.path == path)
    }
}

impl Page {
    fn choose(&self, accepted: Accepted) -> &Ready {
        let of = |coding| match coding {
            Coding::Gzip => self.gzip.as_ref(),
            Coding::Identity => Some(&self.plain),
            Coding::Brotli | Coding::Zstandard => None,
        };
        of(accepted.choose(|coding| of(coding).is_some())).unwrap_or(&self.plain)
    }
}

fn ready(source: &Source, coding: Coding, bytes: &'static [u8], now: u64) -> Ready {
    let facts = Facts {
        content_type: content_type::of(source.path),
        coding,
        choice: if source.gzip.is_some() { Choice::ByCoding } else { Choice::None },
        etag: stamp::etag(bytes, coding),
        modified: (source.modified <= now).then_some(source.modified),
        length: bytes.len() as u64,
        author: Author::Ours,
    };
    Ready { representation: Rc::new(Representation::new(facts)), content: Content::Static(bytes) }
}
