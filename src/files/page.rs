//! One file of the folder in all the codings it is there in: `app.js`, and beside it `app.js.br`, `app.js.zst` and
//! `app.js.gz`.
//!
//! A coded file is taken only when it is as new as the file itself: who edits a page sees the edit, not what was made
//! of the page before.
//!
//! Must not know: who asks, and under which conditions.

use super::root::{Inside, Thing};
use super::stamp::{self, Stamp};
use super::{Content, Ready, Unready};
use crate::budget::Budget;
use crate::http::coding::{Accepted, Coding};
use crate::http::content_type;
use crate::http::path::{self, CleanPath};
use crate::http::representation::{Author, Choice, Facts, Representation};
use crate::limits::FILE_PIECE_BYTES;
use crate::outbox::Shared;
use crate::transport::is_out_of_descriptors;
use std::io::{self, Read};
use std::rc::Rc;

pub(super) const INDEX: &str = "index.html";

/// A file in all its codings. Invariant: the last is not coded.
#[derive(Debug)]
pub(super) struct Page {
    variants: Vec<Variant>,
}

#[derive(Debug)]
struct Variant {
    coding: Coding,
    name: String,
    stamp: Stamp,
    /// Once somebody wanted it.
    ready: Option<Ready>,
}

/// What a path leads to in the folder.
#[derive(Debug)]
pub(super) enum Way {
    Page(Page),
    /// A folder, by a path that has no slash at its end.
    FolderWithoutSlash,
    FolderWithoutIndex,
}

impl Page {
    /// Looks where a path leads, and opens nothing.
    ///
    /// # Errors
    /// When it leads nowhere, and what else the system says.
    pub(super) fn look_up(inside: &Inside<'_>, asked: &CleanPath) -> io::Result<Way> {
        let name = asked.relative();
        match (inside.look(name)?, asked.is_folder()) {
            (Thing::File(stamp), false) => Ok(Way::Page(Self::of(inside, name.to_owned(), stamp)?)),
            (Thing::Folder, false) => Ok(Way::FolderWithoutSlash),
            (Thing::Folder, true) => {
                let index = path::join(name, INDEX);
                match inside.look(&index) {
                    Ok(Thing::File(stamp)) => Ok(Way::Page(Self::of(inside, index, stamp)?)),
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    Ok(Thing::Folder | Thing::Other) | Err(_) => Ok(Way::FolderWithoutIndex),
                }
            }
            (Thing::File(_), true) | (Thing::Other, _) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn of(inside: &Inside<'_>, name: String, stamp: Stamp) -> io::Result<Self> {
        let mut variants = Vec::new();
        for coding in Coding::ALL.into_iter().filter(|coding| *coding != Coding::Identity) {
            let name = format!("{name}{}", coding.suffix());
            match inside.look(&name) {
                Ok(Thing::File(coded)) if coded.is_as_new_as(&stamp) => {
                    variants.push(Variant { coding, name, stamp: coded, ready: None });
                }
                // Whether there is one is not known.
                Err(error) if is_out_of_descriptors(&error) => return Err(error),
                Ok(Thing::File(_) | Thing::Folder | Thing::Other) | Err(_) => {}
            }
        }
        variants.push(Variant { coding: Coding::Identity, name, stamp, ready: None });
        Ok(Self { variants })
    }

    /// Whether both are the same files in the same states.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let states =
            |page: &Self| -> Vec<_> { page.variants.iter().map(|it| (it.coding, it.stamp)).collect() };
        states(self) == states(other)
    }

    /// Whether it may be kept: a change of any of them would show, and none would be in memory if there were any. `now`:
    /// seconds since 1970.
    pub(super) fn may_be_kept(&self, now: u64) -> bool {
        let is_unkept =
            |variant: &Variant| matches!(variant.ready, Some(Ready { content: Content::Unkept(_), .. }));
        self.variants.iter().all(|variant| variant.stamp.is_settled(now) && !is_unkept(variant))
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let of = |variant: &Variant| {
            let ready = variant
                .ready
                .as_ref()
                .map_or(0, |ready| ready.representation.bytes() + ready.content.bytes());
            size_of::<Variant>() + variant.name.capacity() + ready
        };
        self.variants.iter().map(of).sum()
    }

    /// What a client gets of it, if somebody wanted that before.
    pub(super) fn ready(&self, accepted: Accepted) -> Option<&Ready> {
        self.variants[self.index(accepted)].ready.as_ref()
    }

    /// The same, read now if it must be; with its name, and how many bytes were read.
    ///
    /// # Errors
    /// When it was changed meanwhile, and what the system says.
    pub(super) fn make_ready(
        &mut self,
        accepted: Accepted,
        inside: &Inside<'_>,
        budget: &Budget,
        now: u64,
    ) -> Result<(&Ready, &str, usize), Unready> {
        let content_type = content_type::of(&self.plain().name);
        loop {
            let choice = if self.variants.len() > 1 { Choice::ByCoding } else { Choice::None };
            let index = self.index(accepted);
            let variant = &mut self.variants[index];
            if variant.ready.is_some() {
                return Ok(self.is_ready(index, 0));
            }
            let coding = variant.coding;
            let (content, etag, read) = match read(inside, variant, budget) {
                Ok(read) => read,
                // A coded file that may not be read is none.
                Err(Unready::Failed(error))
                    if coding != Coding::Identity && !is_out_of_descriptors(&error) =>
                {
                    self.variants.remove(index);
                    continue;
                }
                Err(unready) => return Err(unready),
            };
            let facts = Facts {
                content_type,
                coding,
                choice,
                etag,
                modified: variant.stamp.modified(now),
                length: variant.stamp.length,
                author: Author::Operator,
            };
            let representation = Rc::new(Representation::new(facts));
            variant.ready = Some(Ready { representation, content });
            return Ok(self.is_ready(index, read));
        }
    }

    fn is_ready(&self, index: usize, read: usize) -> (&Ready, &str, usize) {
        let variant = &self.variants[index];
        (variant.ready.as_ref().expect("it was made ready"), &variant.name, read)
    }

    /// Where the variant is that a client gets.
    fn index(&self, accepted: Accepted) -> usize {
        let find = |coding| self.variants.iter().position(|variant| variant.coding == coding);
        let chosen = accepted.choose(|coding| find(coding).is_some());
        find(chosen).unwrap_or(self.variants.len() - 1)
    }

    fn plain(&self) -> &Variant {
        self.variants.last().expect("the last is always there")
    }
}

/// A small file as it is, a large one by its state; an entity tag for either, and how many bytes were read.
fn read(
    inside: &Inside<'_>,
    variant: &Variant,
    budget: &Budget,
) -> Result<(Content, String, usize), Unready> {
    let Variant { coding, name, stamp, .. } = variant;
    let (file, found) = inside.open(name)?;
    if found != *stamp {
        return Err(Unready::Changed);
    }
    if stamp.length > FILE_PIECE_BYTES as u64 {
        return Ok((Content::File(*stamp), stamp.etag(*coding), 0));
    }
    let mut bytes = Vec::with_capacity(stamp.length as usize + 1);
    // A byte more than there should be: so reading ends where the file does.
    (&file).take(stamp.length + 1).read_to_end(&mut bytes)?;
    if Stamp::of(&file.metadata()?) != *stamp || bytes.len() as u64 != stamp.length {
        return Err(Unready::Changed);
    }
    let (etag, read) = (stamp::etag(&bytes, *coding), bytes.len());
    Ok((Shared::new(bytes, budget).map_or(Content::Unkept(*stamp), Content::Kept), etag, read))
}
