//! A transport that somebody watches: what goes through it is put down in a trace, as it goes.
//!
//! A connection without a trace has none of this; one with a trace has it put in between when it becomes a WebSocket.
//!
//! Must not know: what a frame is, who sees the trace.
//!
//! Invariant: what goes through is what would go through without it.

use super::{Got, Transport, Wrote};
use crate::trace::{Direction, Record, Tap, Trace, What};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Instant;

/// A transport, and a tap for each direction.
#[derive(Debug)]
pub(crate) struct Tapped {
    /// `None` only while it is put in or taken out.
    inner: Option<Transport>,
    started: Instant,
    incoming: Tap,
    outgoing: Tap,
    trace: Rc<RefCell<Trace>>,
    /// Its end was put down: nothing comes behind it.
    is_over: bool,
}

impl Tapped {
    pub(super) fn new(trace: Rc<RefCell<Trace>>, (request, behind): (&[u8], &[u8]), owed: u64) -> Self {
        let mut incoming = Tap::of_frames();
        {
            let mut trace = trace.borrow_mut();
            trace.push(Record { at_us: 0, direction: Direction::In, what: What::Handshake(request.into()) });
            incoming.receive(behind, 0, &mut trace);
        }
        let outgoing = Tap::of_responses(owed);
        Self { inner: None, started: Instant::now(), incoming, outgoing, trace, is_over: false }
    }

    pub(super) fn watch(&mut self, inner: Transport) {
        self.inner = Some(inner);
    }

    pub(super) fn take_inner(&mut self) -> Transport {
        self.inner.take().expect(WATCHED)
    }

    pub(super) fn inner(&self) -> &Transport {
        self.inner.as_ref().expect(WATCHED)
    }

    pub(super) fn inner_mut(&mut self) -> &mut Transport {
        self.inner.as_mut().expect(WATCHED)
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        let got = self.inner_mut().read(into)?;
        if let Got::Bytes { count, .. } = got
            && !self.is_over
        {
            let at_us = self.at_us();
            self.incoming.receive(&into[..count], at_us, &mut self.trace.borrow_mut());
        }
        Ok(got)
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Wrote> {
        let wrote = self.inner_mut().write(slices)?;
        if self.is_over {
            return Ok(wrote);
        }
        let (at_us, mut left) = (self.at_us(), wrote.taken);
        for slice in slices {
            let taken = left.min(slice.len());
            self.outgoing.receive(&slice[..taken], at_us, &mut self.trace.borrow_mut());
            left -= taken;
        }
        Ok(wrote)
    }

    pub(super) fn end(&mut self, by: Direction) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let at_us = self.at_us();
        let trace = &mut self.trace.borrow_mut();
        self.incoming.end(at_us, trace);
        self.outgoing.end(at_us, trace);
        trace.push(Record { at_us, direction: by, what: What::Close });
    }

    fn at_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Why there is a transport.
const WATCHED: &str = "it is put in right behind `new`, and only taken out when the tap is";
