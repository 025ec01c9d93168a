//! One budget for all that is kept for single connections: incomplete messages, requests that wait, what a client
//! has not taken yet. It is the bound that holds when thousands of clients each stay below their own.
//!
//! A [`Budget`] is shared; whoever keeps something holds a [`Loan`] of as many bytes, and gives it back by dropping
//! it. The first [`LOAN_FREE_BYTES`] of each loan are not counted: a ping, a short request or a small message in
//! pieces works also while somebody has used up the budget.
//!
//! Must not know: what is kept, and what becomes of the one who gets nothing.
//!
//! Invariant: what is lent is the sum of the counted parts of all loans that are held.

use crate::limits::LOAN_FREE_BYTES;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Bytes that all connections together may keep.
#[derive(Clone, Debug)]
pub struct Budget(Rc<Account>);

#[derive(Debug)]
struct Account {
    limit: usize,
    lent: Cell<usize>,
}

/// So many bytes of a budget, until it is dropped.
#[derive(Debug)]
pub struct Loan {
    budget: Budget,
    bytes: usize,
}

/// The budget does not hold so much, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Budget {
    /// A budget of `limit` bytes, of which nothing is lent.
    pub fn new(limit: usize) -> Self {
        Self(Rc::new(Account { limit, lent: Cell::new(0) }))
    }

    /// A loan of nothing yet.
    pub fn open(&self) -> Loan {
        Loan { budget: self.clone(), bytes: 0 }
    }

    /// A loan of whose bytes none that come are free: for what there may be many of, and small ones. It begins with those
    /// that are.
    pub fn open_without_free(&self) -> Loan {
        let mut loan = self.open();
        loan.force(LOAN_FREE_BYTES);
        loan
    }

    /// The most it lends, in bytes.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// What is lent, in bytes.
    pub fn lent(&self) -> usize {
        self.0.lent.get()
    }

    /// Whether it is used up.
    pub fn is_exhausted(&self) -> bool {
        self.lent() >= self.limit()
    }
}

impl Loan {
    /// Makes it a loan of `bytes` in all; less is always possible.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget does not hold the difference: the loan is what it was.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let (before, after) = (counted(self.bytes), counted(bytes));
        if after > before && self.budget.lent().saturating_add(after - before) > self.budget.limit() {
            return Err(Exhausted);
        }
        self.force(bytes);
        Ok(())
    }

    /// The same without asking: for what is small, owed all the same, and bounded elsewhere.
    pub fn force(&mut self, bytes: usize) {
        let lent = &self.budget.0.lent;
        lent.set(lent.get() - counted(self.bytes) + counted(bytes));
        self.bytes = bytes;
    }

    /// How much it is, with what is free of it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it is of.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.force(0);
    }
}

/// Gives back the memory of a queue that was long: what is held is what is paid for.
pub(crate) fn trim<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > 16 && queue.len() < queue.capacity() / 4 {
        queue.shrink_to(queue.len() * 2);
    }
}

/// The part of a loan that counts.
fn counted(bytes: usize) -> usize {
    bytes.saturating_sub(LOAN_FREE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: usize = LOAN_FREE_BYTES;

    #[test]
    fn lent_and_given_back() {
        let budget = Budget::new(1000);
        let (mut one, mut other) = (budget.open(), budget.open());
        assert_eq!(one.resize(FREE + 600), Ok(()));
        assert_eq!(other.resize(FREE + 401), Err(Exhausted));
        assert_eq!((budget.lent(), budget.is_exhausted()), (600, false));
        assert_eq!(other.resize(FREE + 400), Ok(()));
        assert!(budget.is_exhausted() && one.budget().is_exhausted());
        assert_eq!(one.resize(FREE + 601), Err(Exhausted));
        assert_eq!(one.resize(FREE + 100), Ok(()));
        drop(other);
        assert_eq!(budget.lent(), 100);
    }

    #[test]
    fn where_nothing_is_free_every_byte_counts() {
        let budget = Budget::new(10);
        let mut loan = budget.open_without_free();
        assert_eq!(budget.lent(), 0);
        assert_eq!(loan.resize(loan.bytes() + 10), Ok(()));
        assert_eq!((budget.lent(), loan.resize(loan.bytes() + 1)), (10, Err(Exhausted)));
    }

    #[test]
    fn the_first_bytes_are_free_and_the_owed_are_forced() {
        let budget = Budget::new(10);
        let mut first = budget.open();
        first.force(FREE + 50);
        assert_eq!(budget.lent(), 50);
        let mut second = budget.open();
        assert_eq!(second.resize(FREE), Ok(()));
        assert_eq!(second.resize(FREE + 1), Err(Exhausted));
        assert_eq!(first.resize(FREE + 49), Ok(()), "less is always possible");
        drop((first, second));
        assert_eq!(budget.lent(), 0);
    }
}
