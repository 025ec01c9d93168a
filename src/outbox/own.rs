//! What belongs to one connection alone: items in their order, what they weigh, and what of it the budget lends.
//!
//! Must not know: the backlog, when anything is written.

use super::{Body, FileId};
use crate::budget::{self, Budget, Exhausted, Loan};
use crate::limits::{
    LOAN_FREE_BYTES, OUTBOX_BYTES_MAX, OUTBOX_ITEM_COST, OUTBOX_MERGED_BYTES_MAX, PONGS_WAITING_MAX,
};
use std::collections::VecDeque;
use std::rc::Rc;

impl Body {
    /// Bytes that are to be written of it.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Static(bytes) => bytes.len() as u64,
            Self::Shared(_, range) => range.len() as u64,
            Self::File(range) => range.end - range.start,
        }
    }

    /// Bytes it has on the heap for itself.
    fn owned(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.capacity(),
            Self::Static(_) | Self::Shared(..) | Self::File(_) => 0,
        }
    }
}

/// Invariant: `taken < body.bytes()`.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) at: u64,
    pub(super) body: Body,
    pub(super) taken: u64,
    /// A newer pong may take its place.
    is_pong: bool,
}

/// Bytes that several connections have, kept until the last of them is done.
#[derive(Debug)]
pub struct Shared {
    bytes: Vec<u8>,
    /// Gives back what they cost.
    _loan: Loan,
}

impl Shared {
    /// Shares bytes. All of them count: there may be many of these, and small ones.
    ///
    /// # Errors
    /// The bytes, when the budget has no room for them.
    pub fn new(bytes: Vec<u8>, budget: &Budget) -> Result<Rc<Self>, Vec<u8>> {
        let mut loan = budget.open_without_free();
        match loan.resize(loan.bytes() + bytes.capacity()) {
            Ok(()) => Ok(Rc::new(Self { bytes, _loan: loan })),
            Err(Exhausted) => Err(bytes),
        }
    }

    /// Copies a frame of `length` bytes out of its pieces.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget has no room for it.
    pub fn copy<'a>(
        length: u64,
        pieces: impl Iterator<Item = &'a [u8]>,
        budget: &Budget,
    ) -> Result<Rc<Self>, Exhausted> {
        let mut loan = budget.open();
        let length = usize::try_from(length).map_err(|_| Exhausted)?;
        loan.resize(length)?;
        let mut bytes = Vec::with_capacity(length);
        pieces.for_each(|piece| bytes.extend_from_slice(piece));
        Ok(Rc::new(Self { bytes, _loan: loan }))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One connection's own bytes, in their order. Boxed, and only while there are any.
///
/// Invariants: tags rise; no item is empty; of the backlog nothing comes behind a seal.
#[derive(Debug, Default)]
pub struct Outbox {
    pub(super) items: VecDeque<Item>,
    bytes: u64,
    /// Bytes on the heap, until their item is done with; what is written of it does not free them.
    owned: usize,
    /// Where the backlog ends for this connection: it has said its last word.
    pub(super) sealed: Option<u64>,
    /// Pongs since it was empty.
    pongs: usize,
    /// What the budget lends for it; `None`: nobody counts.
    loan: Option<Loan>,
}

impl Outbox {
    /// An empty one, whose bytes are of `budget`.
    pub fn new(budget: &Budget) -> Self {
        Self { loan: Some(budget.open()), ..Self::default() }
    }

    /// Puts an item behind all that was made so far; `at` is the backlog's head. Behind the seal it is
    /// dropped. For what is small: its memory is taken even where the budget is used up.
    pub fn push(&mut self, at: u64, body: Body) {
        if self.sealed.is_none() {
            self.push_even_sealed(at, body);
        }
    }

    /// The same for what is as large as a client makes it.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget has no room for it: nothing was put.
    pub fn try_push(&mut self, at: u64, body: Body) -> Result<(), Exhausted> {
        if !self.would_fit(body.owned()) {
            return Err(Exhausted);
        }
        self.push(at, body);
        Ok(())
    }

    /// The same for what may come behind the seal.
    pub fn push_even_sealed(&mut self, at: u64, body: Body) {
        if body.bytes() == 0 {
            return;
        }
        self.bytes += body.bytes();
        // Small answers in a row share one allocation and one slice of the write. Not with what is half
        // written: an item that is added to for ever would keep what was written for ever.
        if let Body::Bytes(more) = &body
            && let Some(Item { at: last, body: Body::Bytes(bytes), taken: 0, is_pong: false }) =
                self.items.back_mut()
            && *last == at
            && bytes.len() + more.len() <= OUTBOX_MERGED_BYTES_MAX
        {
            let before = bytes.capacity();
            bytes.extend_from_slice(more);
            self.owned += bytes.capacity() - before;
        } else {
            self.owned += body.owned();
            self.items.push_back(Item { at, body, taken: 0, is_pong: false });
        }
        self.settle();
    }

    /// Puts a pong, behind the seal as well. Of many in a row only the first few are kept while the client takes
    /// nothing, fewer where the budget is used up, and the newest (RFC 6455 §5.5.3).
    pub fn push_pong(&mut self, at: u64, frame: Vec<u8>) {
        self.pongs += 1;
        if self.pongs <= PONGS_WAITING_MAX && self.would_fit(frame.capacity()) {
            return self.push_even_sealed(at, Body::Bytes(frame));
        }
        if let Some(Item { body: Body::Bytes(older), taken: 0, is_pong: true, .. }) = self.items.back() {
            self.bytes -= older.len() as u64;
            self.owned -= older.capacity();
            self.items.pop_back();
        }
        self.bytes += frame.len() as u64;
        self.owned += frame.capacity();
        self.items.push_back(Item { at, body: Body::Bytes(frame), taken: 0, is_pong: true });
        self.settle();
    }

    /// Puts the rest of a frame, from its byte `taken` on, before everything else. For one whose cursor
    /// has left the backlog.
    pub fn push_rest(&mut self, frame: Rc<Shared>, taken: usize) {
        let rest = taken..frame.bytes().len();
        if !rest.is_empty() {
            self.bytes += rest.len() as u64;
            self.items.push_front(Item { at: 0, body: Body::Shared(frame, rest), taken: 0, is_pong: false });
            self.settle();
        }
    }

    /// Whether the budget has room for an item of so many bytes.
    pub fn would_fit(&mut self, bytes: usize) -> bool {
        let held = self.owned_bytes() + OUTBOX_ITEM_COST;
        let fits = self.loan.as_mut().is_none_or(|loan| loan.resize(held + bytes).is_ok());
        self.settle();
        fits
    }

    /// Bytes it has on the heap for itself.
    pub fn owned_bytes(&self) -> usize {
        self.owned + self.items.len() * OUTBOX_ITEM_COST
    }

    /// Bytes that would be free without it: its own, and its part of what it has together with others.
    pub fn held_bytes(&self) -> usize {
        let shared = self.items.iter().map(|item| match &item.body {
            Body::Shared(shared, _) => shared.bytes().len() / Rc::strong_count(shared),
            Body::Bytes(_) | Body::Static(_) | Body::File(_) => 0,
        });
        self.owned_bytes() + shared.sum::<usize>()
    }

    /// Takes what it weighs now from the budget, or gives it back.
    fn settle(&mut self) {
        let held = self.owned_bytes();
        if let Some(loan) = &mut self.loan {
            loan.force(held);
        }
    }

    /// Whether more may be put: it is below its own limit, and has little when the budget of all is used up.
    pub fn has_room(&self) -> bool {
        let is_scarce = self.loan.as_ref().is_some_and(|loan| loan.budget().is_exhausted());
        let most = if is_scarce { LOAN_FREE_BYTES } else { OUTBOX_BYTES_MAX };
        self.weight() < most as u64
    }

    /// Nothing follows what is there, from the backlog either: but for answers that the protocol owes.
    pub fn seal(&mut self, at: u64) {
        self.sealed.get_or_insert(at);
    }

    /// Whether the last word is said.
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Whether everything in it was written.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes still to be written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it weighs against [`OUTBOX_BYTES_MAX`](crate::limits::OUTBOX_BYTES_MAX): its bytes, and what
    /// holding each item costs beside them.
    pub fn weight(&self) -> u64 {
        self.bytes + (self.items.len() * OUTBOX_ITEM_COST) as u64
    }

    /// The files still to be read from, so that they can be closed when the connection ends.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.items.iter().filter_map(|item| match item.body {
            Body::File(range) => Some(range.file),
            Body::Bytes(_) | Body::Static(_) | Body::Shared(..) => None,
        })
    }

    /// Takes note of written bytes of the first item; says how many of them were not its own, and which
    /// file it has done with.
    pub(super) fn advance_first(&mut self, written: u64) -> (u64, Option<FileId>) {
        let Some(first) = self.items.front_mut() else { return (written, None) };
        let left = first.body.bytes() - first.taken;
        if written < left {
            first.taken += written;
            self.bytes -= written;
            return (0, None);
        }
        self.bytes -= left;
        let done = match first.body {
            Body::File(range) => Some(range.file),
            Body::Bytes(_) | Body::Static(_) | Body::Shared(..) => None,
        };
        self.owned -= first.body.owned();
        self.items.pop_front();
        budget::trim(&mut self.items);
        self.settle();
        (written - left, done)
    }
}
