//! The pages: those compiled in, or a folder's.
//!
//! What a path leads to is found, in the coding that the client wants most, and so is how much of it the client gets.
//! A small file is read once and kept while nobody changes it; a large one is kept open and sent a piece at a time, when
//! its client can take it.
//!
//! Must not know: who asked.

mod built_in;
mod cache;
mod page;
mod root;
mod sending;
mod stamp;

use crate::config::{Listing, Pages};
use crate::connection::{Found, PageRequest, Turn};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::conditional::Answer;
use crate::http::listing;
use crate::http::path::CleanPath;
use crate::http::representation::Representation;
use crate::http::response::{Content as Wanted, Status};
use crate::http::{NOT_FOUND, Refusal};
use crate::limits::{
    CACHE_BYTES_MAX, CACHE_LOOK_INTERVAL, FILE_LOOK_TRIES, LISTED_MAX, READ_COST_OF_LISTING,
    READ_COST_OF_LOOK,
};
use crate::outbox::{Body, FileId, FileRange, Shared};
use crate::transport::is_out_of_descriptors;
use built_in::BuiltIn;
use cache::Cache;
use page::{Page, Way};
use root::{Inside, Root};
use sending::Sending;
use stamp::Stamp;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{io, mem};

/// There are no places for files left, or no descriptors.
const TOO_MANY_FILES: Refusal =
    Refusal::new(Status::ServiceUnavailable, "too many files are being sent; try again later");

/// The file is another one each time it is looked at.
const CHANGES: Refusal =
    Refusal::new(Status::ServiceUnavailable, "the page is being written; try again later");

/// Why a page is not ready.
#[derive(Debug)]
enum Unready {
    /// Somebody has changed the file since it was looked at.
    Changed,
    Failed(io::Error),
    Refused(Refusal),
}

impl From<io::Error> for Unready {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Finds pages, and holds the files that are being sent.
#[derive(Debug)]
pub(crate) struct Files {
    source: Source,
    sending: Sending,
}

#[derive(Debug)]
enum Source {
    BuiltIn(BuiltIn),
    Folder(Folder),
}

#[derive(Debug)]
struct Folder {
    root: Root,
    cache: Cache<Page>,
    listing: Listing,
    /// What was done since somebody asked, in bytes of the budget of reads.
    effort: usize,
}

/// A page as a client gets it.
#[derive(Debug)]
struct Ready {
    representation: Rc<Representation>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// In the binary.
    Static(&'static [u8]),
    /// Read, and kept for all who ask.
    Kept(Rc<Shared>),
    /// Too large to be kept: the file in this state.
    File(Stamp),
    /// The same for one that there is no memory left to keep now.
    Unkept(Stamp),
}

impl Content {
    fn body(
        &self,
        range: Range<u64>,
        open: impl FnOnce(&Stamp) -> Result<FileId, Unready>,
    ) -> Result<Body, Unready> {
        // What is in memory is shorter than memory.
        let within = range.start as usize..range.end as usize;
        Ok(match self {
            // Nobody would be done with a file of which nothing is sent.
            _ if range.is_empty() => Body::Static(&[]),
            Self::Static(bytes) => Body::Static(&bytes[within]),
            Self::Kept(shared) => Body::Shared(Rc::clone(shared), within),
            Self::File(stamp) | Self::Unkept(stamp) => {
                Body::File(FileRange { file: open(stamp)?, start: range.start, end: range.end })
            }
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Static(_) | Self::File(_) | Self::Unkept(_) => 0,
            Self::Kept(shared) => shared.bytes().len(),
        }
    }
}

impl Files {
    /// The pages an operator wants. `buffers`: what is kept of them is of this, in bytes.
    ///
    /// # Errors
    /// When the folder is not there, is no folder or may not be read.
    pub(crate) fn new(pages: &Pages, listing: Listing, buffers: usize) -> Result<Self, Error> {
        let source = match pages {
            Pages::BuiltIn => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Source::BuiltIn(BuiltIn::new(now.as_secs()))
            }
            Pages::Folder(folder) => {
                let root =
                    Root::new(folder).map_err(|cause| Error::Pages { folder: folder.clone(), cause })?;
                // What is kept for all is never most of what may be kept at all.
                Source::Folder(Folder {
                    root,
                    cache: Cache::new(CACHE_BYTES_MAX.min(buffers / 8)),
                    listing,
                    effort: 0,
                })
            }
        };
        Ok(Self { source, sending: Sending::default() })
    }

    /// Looks up the folder anew: a link to it may lead elsewhere by now. Downloads under way go on with what they have.
    /// `None`: the pages are compiled in.
    ///
    /// # Errors
    /// Like [`new`](Self::new); the folder stays what it was.
    pub(crate) fn look_up_again(&mut self, pages: &Pages) -> Result<Option<&Path>, Error> {
        let (Source::Folder(folder), Pages::Folder(path)) = (&mut self.source, pages) else {
            return Ok(None);
        };
        folder.root = Root::new(path).map_err(|cause| Error::Pages { folder: path.clone(), cause })?;
        folder.cache.clear();
        Ok(Some(folder.root.path()))
    }

    /// Lets go of all that is kept for whoever asks next.
    pub(crate) fn forget(&mut self) {
        match &mut self.source {
            Source::BuiltIn(_) => {}
            Source::Folder(folder) => folder.cache.clear(),
        }
    }

    /// What the path of a request leads to. A file that is kept open must be given back with [`close`](Self::close).
    ///
    /// # Errors
    /// 404 for whatever cannot be served, 503 when too many files are being sent.
    pub(crate) fn find(&mut self, request: &PageRequest, turn: &Turn<'_>) -> Result<Found, Refusal> {
        let path = request.path.as_ref().map_err(|refusal| *refusal)?;
        match &mut self.source {
            Source::BuiltIn(pages) => match pages.find(path, request.accepted)? {
                // All of them are in memory.
                Some(ready) => found(ready, request, turn, |_| Err(Unready::Changed)).map_err(|_| NOT_FOUND),
                None => Ok(Found::Folder { location: path.as_folder() }),
            },
            Source::Folder(folder) => folder.find(path, request, turn, &mut self.sending),
        }
    }

    /// What finding has cost since this was asked last, in bytes of the budget of reads; nothing for what is in memory.
    pub(crate) fn take_effort(&mut self) -> usize {
        match &mut self.source {
            Source::BuiltIn(_) => 0,
            Source::Folder(folder) => mem::take(&mut folder.effort),
        }
    }

    /// A file that is being sent.
    pub(crate) fn sending(&self, file: FileId) -> Option<&File> {
        self.sending.get(file)
    }

    /// A response is done with a file, or its client is gone.
    pub(crate) fn close(&mut self, file: FileId) {
        self.sending.leave(file);
    }
}

impl Folder {
    fn find(
        &mut self,
        path: &CleanPath,
        request: &PageRequest,
        turn: &Turn<'_>,
        sending: &mut Sending,
    ) -> Result<Found, Refusal> {
        if let Some(page) = self.cache.fresh(path.as_asked(), turn.now.tick)
            && let Some(ready) = page.ready(request.accepted)
            && let Ok(found) =
                found(ready, request, turn, |stamp| sending.join(stamp).ok_or(Unready::Changed))
        {
            return Ok(found);
        }
        for _ in 0..FILE_LOOK_TRIES {
            match self.look_up(path, request, turn, sending) {
                Ok(found) => return Ok(found),
                Err(Unready::Changed) => {}
                Err(Unready::Failed(error)) => return Err(refusal(&error)),
                Err(Unready::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(CHANGES)
    }

    /// Looks what is there now, and reads what is not known.
    fn look_up(
        &mut self,
        path: &CleanPath,
        request: &PageRequest,
        turn: &Turn<'_>,
        sending: &mut Sending,
    ) -> Result<Found, Unready> {
        self.effort += READ_COST_OF_LOOK;
        let kept = self.cache.remove(path.as_asked());
        let inside = self.root.enter()?;
        let page = match Page::look_up(&inside, path)? {
            Way::Page(page) => page,
            Way::FolderWithoutSlash => return Ok(Found::Folder { location: path.as_folder() }),
            Way::FolderWithoutIndex if self.listing == Listing::Never => {
                return Err(Unready::Refused(NOT_FOUND));
            }
            Way::FolderWithoutIndex => {
                self.effort += READ_COST_OF_LISTING;
                return list(&inside, path);
            }
        };
        let mut page = kept.filter(|kept| kept.is_same(&page)).unwrap_or(page);
        let (ready, name, read) =
            page.make_ready(request.accepted, &inside, turn.budget, turn.now.unix_seconds)?;
        self.effort += read;
        let found = found(ready, request, turn, |stamp| open(sending, &inside, name, stamp))?;
        if page.may_be_kept(turn.now.unix_seconds) {
            let until = Deadline::after(turn.now.tick, CACHE_LOOK_INTERVAL);
            let bytes = page.bytes();
            self.cache.keep(path.as_asked(), page, bytes, until);
        }
        Ok(found)
    }
}

/// What a client gets of a page. `open` is for one that is not in memory.
fn found(
    ready: &Ready,
    request: &PageRequest,
    turn: &Turn<'_>,
    open: impl FnOnce(&Stamp) -> Result<FileId, Unready>,
) -> Result<Found, Unready> {
    let Ready { representation, content } = ready;
    let now = turn.now.unix_seconds;
    let answer =
        request.conditions.answer(representation.validators(), representation.length(), request.content, now);
    let range = match &answer {
        _ if request.content == Wanted::Omitted => None,
        Answer::Whole => Some(0..representation.length()),
        Answer::Part(range) => Some(range.clone()),
        Answer::NotModified | Answer::Failed | Answer::Unsatisfiable => None,
    };
    let body = range.map(|range| content.body(range, open)).transpose()?;
    Ok(Found::Page { representation: Rc::clone(representation), answer, body })
}

fn open(sending: &mut Sending, inside: &Inside<'_>, name: &str, stamp: &Stamp) -> Result<FileId, Unready> {
    if let Some(joined) = sending.join(stamp) {
        return Ok(joined);
    }
    let (file, found) = inside.open(name)?;
    if found != *stamp {
        return Err(Unready::Changed);
    }
    sending.begin(file, found).map_err(Unready::Refused)
}

fn list(inside: &Inside<'_>, path: &CleanPath) -> Result<Found, Unready> {
    let (entries, extent) = inside.list(path.relative(), LISTED_MAX)?;
    let html = listing::page(&format!("/{}", path.as_asked()), entries, extent);
    Ok(Found::Listing { html })
}

/// What a file that cannot be opened means: it is none of the client's business, unless it is only now that there are
/// no descriptors.
fn refusal(error: &io::Error) -> Refusal {
    if is_out_of_descriptors(error) { TOO_MANY_FILES } else { NOT_FOUND }
}

#[cfg(all(test, unix))]
mod tests;
