//! Files that are being sent: one descriptor for each, however many clients take it.
//!
//! Must not know: where in the file anybody is.

use super::TOO_MANY_FILES;
use super::stamp::Stamp;
use crate::http::Refusal;
use crate::limits::FILES_OPEN_MAX;
use crate::outbox::FileId;
use slab::Slab;
use std::fs::File;

/// Open files, by the number that outboxes know them by.
#[derive(Debug, Default)]
pub(super) struct Sending(Slab<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    /// Which file it is; its state may be another one by now.
    stamp: Stamp,
    /// Responses that are not done with it; at least one.
    users: usize,
}

impl Sending {
    /// The file, for one more response, if it is being sent and is in this state: nobody has written into it since.
    pub(super) fn join(&mut self, stamp: &Stamp) -> Option<FileId> {
        let (key, open) = self.0.iter_mut().find(|(_, open)| open.stamp.is_same_file(stamp))?;
        if Stamp::of(&open.file.metadata().ok()?) != *stamp {
            return None;
        }
        open.users += 1;
        Some(id(key))
    }

    /// Another file.
    ///
    /// # Errors
    /// 503 when there are too many.
    pub(super) fn begin(&mut self, file: File, stamp: Stamp) -> Result<FileId, Refusal> {
        if self.0.len() >= FILES_OPEN_MAX {
            return Err(TOO_MANY_FILES);
        }
        Ok(id(self.0.insert(Open { file, stamp, users: 1 })))
    }

    pub(super) fn get(&self, id: FileId) -> Option<&File> {
        self.0.get(id.0 as usize).map(|open| &open.file)
    }

    /// A response is done with it; the last one closes it.
    pub(super) fn leave(&mut self, id: FileId) {
        let Some(open) = self.0.get_mut(id.0 as usize) else { return };
        open.users -= 1;
        if open.users == 0 {
            self.0.remove(id.0 as usize);
        }
    }
}

fn id(key: usize) -> FileId {
    FileId(u32::try_from(key).expect("fewer than FILES_OPEN_MAX"))
}
