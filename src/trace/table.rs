//! Who watches whom: at most [`TRACES_MAX`] traces at a time.

use super::{Trace, TraceId};
use crate::budget::Budget;
use crate::limits::TRACES_MAX;
use std::cell::RefCell;
use std::rc::Rc;

/// Why nobody may watch a connection of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwatchable {
    /// Somebody does already.
    Watched,
    /// There are [`TRACES_MAX`] that are watched.
    TooMany,
}

/// What is told to a viewer next.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// A record, as JSON.
    Record(String),
    /// Nothing, for now.
    Nothing,
    /// Nothing more will come: the connection is over, and all of it was told.
    End,
}

/// All traces. Viewers and connections are the numbers that the loop knows them by.
///
/// Invariants: a number is in one place at most; a trace has a viewer or a connection, or both.
#[derive(Debug, Default)]
pub struct Traces {
    /// The oldest first.
    list: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: TraceId,
    viewer: Option<usize>,
    target: Target,
    /// Shared with those who watch the bytes.
    trace: Rc<RefCell<Trace>>,
    /// The viewer wants the connection to be pinged.
    wants_ping: bool,
}

/// The connection of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// It has not come yet.
    Awaited,
    Here(usize),
    /// It is over.
    Gone,
}

/// A trace that came to its end: nobody has to watch this connection any more.
pub type Unwatched = Option<usize>;

impl Traces {
    /// Whether there are none: nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// A viewer has come. Where its connection is not here yet, it is awaited. Where there is no room, the oldest trace
    /// that nobody watches gives way.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn watch(&mut self, id: &TraceId, viewer: usize, budget: &Budget) -> Result<Unwatched, Unwatchable> {
        if let Some(entry) = self.list.iter_mut().find(|entry| entry.id == *id) {
            return match entry.viewer {
                Some(_) => Err(Unwatchable::Watched),
                None => {
                    entry.viewer = Some(viewer);
                    Ok(None)
                }
            };
        }
        let unwatched = self.make_room().ok_or(Unwatchable::TooMany)?;
        self.list.push(Entry::new(id, Some(viewer), Target::Awaited, budget));
        Ok(unwatched)
    }

    /// A connection has come that wants to be traced; where its records go, and who gave way. `None`: it is not traced,
    /// since another one of this name is, or there is no room.
    pub fn begin(
        &mut self,
        id: &TraceId,
        target: usize,
        budget: &Budget,
    ) -> Option<(Rc<RefCell<Trace>>, Unwatched)> {
        if let Some(entry) = self.list.iter_mut().find(|entry| entry.id == *id) {
            if entry.target != Target::Awaited {
                return None;
            }
            entry.target = Target::Here(target);
            return Some((Rc::clone(&entry.trace), None));
        }
        let unwatched = self.make_room()?;
        let entry = Entry::new(id, None, Target::Here(target), budget);
        let trace = Rc::clone(&entry.trace);
        self.list.push(entry);
        Some((trace, unwatched))
    }

    /// A connection is over, whoever it was. What is left of its trace is still told.
    pub fn leave(&mut self, key: usize) -> Unwatched {
        let is_of = |entry: &Entry| entry.viewer == Some(key) || entry.target == Target::Here(key);
        let index = self.list.iter().position(is_of)?;
        let entry = &mut self.list[index];
        if entry.viewer.is_some_and(|viewer| viewer != key) {
            entry.target = Target::Gone;
            return None;
        }
        let entry = self.list.remove(index);
        entry.watched().filter(|&target| target != key)
    }

    /// A viewer wants its connection to be pinged.
    pub fn want_ping(&mut self, viewer: usize) {
        if let Some(entry) = self.list.iter_mut().find(|entry| entry.viewer == Some(viewer)) {
            entry.wants_ping = true;
        }
    }

    /// The connection that one of them wants to have pinged, once for however often it was wanted.
    pub fn take_ping(&mut self) -> Option<usize> {
        let wanted = self.list.iter_mut().find(|entry| entry.wants_ping)?;
        wanted.wants_ping = false;
        wanted.watched().or_else(|| self.take_ping())
    }

    /// The viewer of the trace with this number, below [`len`](Self::len).
    pub fn viewer(&self, index: usize) -> Option<usize> {
        self.list.get(index)?.viewer
    }

    /// What its viewer is told next.
    pub fn tell(&mut self, index: usize) -> Told {
        let Some(entry) = self.list.get(index) else { return Told::Nothing };
        match (entry.trace.borrow_mut().pop(), entry.target) {
            (Some(record), _) => Told::Record(record),
            (None, Target::Gone) => Told::End,
            (None, Target::Awaited | Target::Here(_)) => Told::Nothing,
        }
    }

    /// What is kept is needed elsewhere: all that was not told yet is counted as dropped.
    pub fn forget(&mut self) {
        self.list.iter().for_each(|entry| entry.trace.borrow_mut().forget());
    }

    /// Whether there is room for one more, and who gave way to it.
    fn make_room(&mut self) -> Option<Unwatched> {
        if self.list.len() < TRACES_MAX {
            return Some(None);
        }
        let unseen = self.list.iter().position(|entry| entry.viewer.is_none())?;
        Some(self.list.remove(unseen).watched())
    }
}

impl Entry {
    fn new(id: &TraceId, viewer: Option<usize>, target: Target, budget: &Budget) -> Self {
        let trace = Rc::new(RefCell::new(Trace::new(budget)));
        Self { id: id.clone(), viewer, target, trace, wants_ping: false }
    }

    fn watched(&self) -> Option<usize> {
        match self.target {
            Target::Here(target) => Some(target),
            Target::Awaited | Target::Gone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, Record, What};
    use super::*;

    fn id(number: usize) -> TraceId {
        TraceId::of_target(&format!("/?trace={number:016}")).expect("right")
    }

    fn close() -> Record {
        Record { at_us: 0, direction: Direction::In, what: What::Close }
    }

    #[test]
    fn viewer_and_connection_come_in_any_order() {
        let budget = Budget::new(usize::MAX);
        for viewer_first in [true, false] {
            let mut traces = Traces::default();
            if viewer_first {
                assert_eq!(traces.watch(&id(0), 1, &budget), Ok(None));
            }
            let (trace, _) = traces.begin(&id(0), 2, &budget).expect("there is room");
            if !viewer_first {
                assert_eq!(traces.watch(&id(0), 1, &budget), Ok(None));
            }
            assert_eq!(traces.watch(&id(0), 3, &budget), Err(Unwatchable::Watched));
            assert!(traces.begin(&id(0), 3, &budget).is_none(), "the one connection");
            assert_eq!(traces.tell(0), Told::Nothing);
            trace.borrow_mut().push(close());
            assert_eq!(traces.leave(2), None);
            assert!(matches!(traces.tell(0), Told::Record(_)));
            assert_eq!(traces.tell(0), Told::End);
            assert!(traces.begin(&id(0), 3, &budget).is_none(), "it had its connection");
            assert_eq!(traces.leave(1), None);
            assert!(traces.is_empty());
        }
    }

    #[test]
    fn without_its_viewer_a_trace_is_over() {
        let budget = Budget::new(usize::MAX);
        let mut traces = Traces::default();
        assert_eq!(traces.watch(&id(0), 1, &budget), Ok(None));
        let _trace = traces.begin(&id(0), 2, &budget);
        assert_eq!(traces.leave(1), Some(2), "nobody watches it any more");
        assert!(traces.is_empty());
        let _trace = traces.begin(&id(0), 2, &budget);
        assert_eq!(traces.leave(2), None);
        assert!(traces.is_empty());
        assert_eq!(traces.leave(7), None);
    }

    #[test]
    fn who_is_not_watched_gives_way() {
        let budget = Budget::new(usize::MAX);
        let mut traces = Traces::default();
        for number in 0..TRACES_MAX {
            assert!(traces.begin(&id(number), number, &budget).is_some());
        }
        assert_eq!(traces.watch(&id(0), 100, &budget), Ok(None));
        let given_way = traces.watch(&id(100), 101, &budget);
        assert_eq!((given_way, traces.len()), (Ok(Some(1)), TRACES_MAX));
        let (_, given_way) = traces.begin(&id(200), 200, &budget).expect("one is not watched");
        assert_eq!((given_way, traces.len()), (Some(2), TRACES_MAX));
        for number in 3..TRACES_MAX {
            assert!(traces.watch(&id(number), 100 + number, &budget).is_ok());
        }
        assert_eq!(traces.watch(&id(200), 300, &budget), Ok(None));
        assert_eq!(traces.watch(&id(300), 301, &budget), Err(Unwatchable::TooMany));
        assert!(traces.begin(&id(300), 301, &budget).is_none());
    }

    #[test]
    fn pings_that_are_wanted() {
        let budget = Budget::new(usize::MAX);
        let mut traces = Traces::default();
        for (viewer, target) in [(1, 2), (3, 4)] {
            assert_eq!(traces.watch(&id(viewer), viewer, &budget), Ok(None));
            traces.want_ping(viewer);
            if viewer == 3 {
                let _trace = traces.begin(&id(viewer), target, &budget);
            }
        }
        traces.want_ping(3);
        traces.want_ping(9);
        assert_eq!([traces.take_ping(), traces.take_ping()], [Some(4), None]);
    }
}
