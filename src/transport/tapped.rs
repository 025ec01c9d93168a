//! A transport that somebody watches: what goes through it is put down in a trace, as it goes.
//!
//! A connection without a trace has none of this; one with a trace has it put in between when it becomes a WebSocket.
//!
//! Must not know: what a frame is, who sees the trace.
//!
//! Invariant: what goes through is what would go through without it.

use super::{Got, Transport, Wrote};
use crate::limits::TRACED_WRITE_BYTES_MAX;
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

    /// Of what is offered a part: what a turn writes may be a million frames, each of which is put down.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Wrote> {
        let mut room = TRACED_WRITE_BYTES_MAX;
        let fits = |slice: &&IoSlice<'_>| {
            let left = room.checked_sub(slice.len());
            room = left.unwrap_or(room);
            left.is_some()
        };
        let whole = slices.iter().take_while(fits).count();
        let cut =
            slices.first().map(|first| [IoSlice::new(&first[..first.len().min(TRACED_WRITE_BYTES_MAX)])]);
        let slices = match &cut {
            Some(cut) if whole == 0 => &cut[..],
            Some(_) | None => &slices[..whole],
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use std::io::Read;

    /// Each frame of it costs something: a turn must not write a megabyte of the smallest.
    #[test]
    fn a_write_takes_a_part_of_what_is_offered() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it binds");
        let stream =
            std::net::TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
        stream.set_nonblocking(true).expect("it can be set");
        let (mut peer, _) = listener.accept().expect("it is there");
        let mut transport = Transport::tcp(mio::net::TcpStream::from_std(stream));
        let trace = Rc::new(RefCell::new(Trace::new(&Budget::new(usize::MAX))));
        transport.tap(trace, (b"", b""), 0);
        let wire: Vec<u8> = (0..200_000_u32).map(|at| at as u8).collect();
        for cuts in [1, 3, 65_536, 200_000] {
            let slices: Vec<_> = wire.chunks(cuts).take(64).map(IoSlice::new).collect();
            let wrote = transport.write(&slices).expect("there is room");
            let offered: usize = slices.iter().map(|slice| slice.len()).sum();
            assert_eq!(wrote.taken, offered.min(TRACED_WRITE_BYTES_MAX), "{cuts} bytes a slice");
            assert!(!wrote.is_full, "{cuts} bytes a slice");
            let mut got = vec![0; wrote.taken];
            peer.read_exact(&mut got).expect("it comes");
            assert!(got == wire[..wrote.taken], "{cuts} bytes a slice");
        }
        assert_eq!(transport.write(&[]).expect("nothing").taken, 0);
    }
}
