//! What belongs to one connection alone, and its merge with the backlog.
//!
//! An [`Outbox`] holds responses, pongs, echoes and the Close. Each item is tagged with the backlog's head
//! at the moment it was made, and is written when the connection's cursor comes there: what a client gets
//! is both in the order in which they were made, and no frame is split by another.
//!
//! [`gather`] says what to write next and [`advance`] takes note of what was written; both walk the same
//! steps. A file is only named here; who reads it, a piece at a time, is the loop.
//!
//! Must not know: sockets, files, who else receives.

mod own;

use own::Item;
pub use own::{Outbox, Shared};

use crate::backlog::{Backlog, Seat};
use crate::limits::{RUN_FRAMES_MAX, WRITE_SLICES_MAX};
use std::io::IoSlice;
use std::ops::Range;
use std::rc::Rc;

/// A number the loop gave to an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(pub u32);

/// A range of a file, to be read when the socket can take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRange {
    /// Which file.
    pub file: FileId,
    /// The first byte.
    pub start: u64,
    /// Behind the last byte.
    pub end: u64,
}

/// What an item is made of.
#[derive(Clone, Debug)]
pub enum Body {
    /// Bytes of its own.
    Bytes(Vec<u8>),
    /// Bytes in the binary: the pages compiled in.
    Static(&'static [u8]),
    /// A range of bytes that several have: a frame that left the backlog, for all who were in the middle of it, or
    /// a page that is read once for all who ask for it.
    Shared(Rc<Shared>, Range<usize>),
    /// A range of a file.
    File(FileRange),
}

/// A subscriber's view of the backlog.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The frames.
    pub backlog: &'a Backlog,
    /// Up to where the subscriber's socket has taken them.
    pub cursor: u64,
    /// Whose frames are left out: the subscriber's own, with `--no-self`.
    pub skipped: Option<Seat>,
}

impl View<'_> {
    /// All that is behind the cursor, when nothing of it is left out. That is the common case, and costs the same
    /// however many frames it is.
    pub fn whole_rest(&self) -> Option<Range<u64>> {
        let is_whole = match self.skipped {
            None => true,
            Some(own) => !self.backlog.may_hold_frame_of(own, self.cursor),
        };
        is_whole.then_some(self.cursor..self.backlog.head())
    }

    /// The next run of frames between `from` and `until` that is not left out.
    fn run(&self, from: u64, until: u64) -> Option<Range<u64>> {
        if self.skipped.is_none() {
            return (from < until).then_some(from..until);
        }
        let mut run = self.backlog.rest_of_frame(from);
        // Bounded: a step costs as much as it has frames, however many are behind.
        let mut frames = 0;
        while frames < RUN_FRAMES_MAX
            && let Some((frame, publisher)) = self.backlog.frame_from(run.end)
            && frame.start < until
        {
            match (publisher == self.skipped, run.is_empty()) {
                (true, true) => run = frame.end..frame.end,
                (true, false) => break,
                (false, true) => run = frame,
                (false, false) => run.end = frame.end,
            }
            frames += usize::from(!run.is_empty());
        }
        (!run.is_empty()).then_some(run)
    }
}

/// The next thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Frames(Range<u64>),
    Item(usize),
}

/// Walks what is to be written, in order. Invariant: `cursor` is where the backlog part of it goes on.
struct Merge<'a> {
    outbox: Option<&'a Outbox>,
    view: Option<View<'a>>,
    item: usize,
}

impl<'a> Merge<'a> {
    fn new(outbox: Option<&'a Outbox>, view: Option<View<'a>>) -> Self {
        Self { outbox, view, item: 0 }
    }

    /// Where this connection's part of the backlog ends.
    fn end(&self) -> u64 {
        let head = self.view.map_or(0, |view| view.backlog.head());
        self.outbox.and_then(|outbox| outbox.sealed).unwrap_or(head).min(head)
    }
}

impl Iterator for Merge<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let item = self.outbox.and_then(|outbox| outbox.items.get(self.item));
        let end = self.end();
        if let Some(view) = &mut self.view {
            let until = item.map_or(end, |item| item.at.min(end));
            if let Some(run) = view.run(view.cursor, until) {
                view.cursor = run.end;
                return Some(Step::Frames(run));
            }
            view.cursor = view.cursor.max(until);
        }
        item?;
        self.item += 1;
        Some(Step::Item(self.item - 1))
    }
}

/// The slices of one vectored write, or the range of a file to read and write first.
#[derive(Debug)]
pub struct Gather<'a> {
    slices: [IoSlice<'a>; WRITE_SLICES_MAX],
    used: usize,
    bytes: usize,
    file: Option<FileRange>,
}

impl<'a> Gather<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { slices: [IoSlice::new(&[]); WRITE_SLICES_MAX], used: 0, bytes: 0, file: None }
    }

    /// What to write with one call.
    pub fn slices(&self) -> &[IoSlice<'a>] {
        &self.slices[..self.used]
    }

    /// Bytes in all slices.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The range to read and write, when a file comes first.
    pub fn file(&self) -> Option<FileRange> {
        self.file
    }

    fn push(&mut self, bytes: &'a [u8]) {
        self.slices[self.used] = IoSlice::new(bytes);
        self.used += 1;
        self.bytes += bytes.len();
    }

    /// As many bytes of a run as there is room for.
    fn push_frames(&mut self, backlog: &'a Backlog, run: Range<u64>) {
        let room = WRITE_SLICES_MAX - self.used;
        backlog.slices(run).take(room).for_each(|bytes| self.push(bytes));
    }

    fn is_full(&self) -> bool {
        self.used == WRITE_SLICES_MAX
    }
}

impl Default for Gather<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Gathers what to write next: frames and items, as much as one vectored write takes.
pub fn gather<'a>(outbox: Option<&'a Outbox>, view: Option<View<'a>>, gathered: &mut Gather<'a>) {
    if let (None, Some(view)) = (outbox, view)
        && let Some(run) = view.whole_rest()
    {
        return gathered.push_frames(view.backlog, run);
    }
    for step in Merge::new(outbox, view) {
        match (step, outbox, view) {
            (Step::Frames(run), _, Some(view)) => gathered.push_frames(view.backlog, run),
            (Step::Item(index), Some(outbox), _) => {
                let Item { body, taken, .. } = &outbox.items[index];
                let from = usize::try_from(*taken).unwrap_or(usize::MAX);
                let bytes = match body {
                    Body::Bytes(bytes) => &bytes[from..],
                    Body::Static(bytes) => &bytes[from..],
                    Body::Shared(shared, range) => &shared.bytes()[range.start + from..range.end],
                    Body::File(range) => {
                        if gathered.used == 0 {
                            gathered.file = Some(FileRange { start: range.start + taken, ..*range });
                        }
                        return;
                    }
                };
                gathered.push(bytes);
            }
            (Step::Frames(_), _, None) | (Step::Item(_), None, _) => {
                unreachable!("steps come of what is there")
            }
        }
        if gathered.is_full() {
            return;
        }
    }
}

/// What a write changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The cursor, where there is one; it has stepped over frames that are left out.
    pub cursor: u64,
    /// The file that was written to its end.
    pub done_with: Option<FileId>,
}

/// Takes note that the socket took `written` bytes of what [`gather`] gave.
pub fn advance(mut outbox: Option<&mut Outbox>, mut view: Option<View<'_>>, written: usize) -> Advanced {
    let mut left = written as u64;
    if let (None, Some(rest)) = (&outbox, view.and_then(|view| view.whole_rest())) {
        debug_assert!(left <= rest.end - rest.start, "more was written than gathered");
        return Advanced { cursor: rest.start + left, done_with: None };
    }
    let mut done_with = None;
    loop {
        let mut merge = Merge::new(outbox.as_deref(), view);
        let step = merge.next();
        let passed = merge.view.map_or(0, |view| view.cursor);
        match (step, view.as_mut(), outbox.as_deref_mut()) {
            (Some(Step::Frames(run)), Some(view), _) => {
                let taken = left.min(run.end - run.start);
                view.cursor = run.start + taken;
                left -= taken;
                if view.cursor < run.end {
                    break;
                }
            }
            (Some(Step::Item(_)), view, Some(outbox)) => {
                if let Some(view) = view {
                    view.cursor = passed;
                }
                if left == 0 {
                    break;
                }
                let (over, done) = outbox.advance_first(left);
                left = over;
                done_with = done_with.or(done);
            }
            (None, view, _) => {
                if let Some(view) = view {
                    view.cursor = passed;
                }
                break;
            }
            (Some(Step::Frames(_)), None, _) | (Some(Step::Item(_)), _, None) => {
                unreachable!("steps come of what is there")
            }
        }
    }
    debug_assert_eq!(left, 0, "more was written than gathered");
    Advanced { cursor: view.map_or(0, |view| view.cursor), done_with }
}

#[cfg(test)]
mod tests;
