//! Giving out: plaintext becomes records, all of one write in one piece for the socket.

use super::{Scratch, Tls, failed};
use crate::limits::{LOAN_FREE_BYTES, TLS_PLAINTEXT_BYTES_MAX, TLS_RECORD_OVERHEAD_MAX, TLS_WRITE_BYTES_MAX};
use crate::transport::{Transport, Wrote};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use std::io::{self, IoSlice};
use std::rc::Rc;

/// What a record is made of.
enum Content<'a> {
    Bytes(&'a [u8]),
    /// `close_notify`: nothing more comes (RFC 8446 §6.1).
    Farewell,
}

/// It takes nothing until somebody says so: the socket, or the handshake's end.
const FULL: Wrote = Wrote { taken: 0, is_full: true };

impl Tls {
    /// Writes what was taken before, and then of the slices as much as may wait encrypted.
    ///
    /// # Errors
    /// `InvalidData` when the keys are worn out (TLS 1.2), and whatever ends the connection below.
    #[inline(never)]
    pub(in crate::transport) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Wrote> {
        if self.is_plain {
            return self.below.write(slices);
        }
        // What came has failed already, and nothing may be asked of rustls any more.
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.send_unsent()? {
            return Ok(FULL);
        }
        let most = self.may_take();
        let scratch = Rc::clone(&self.scratch);
        let Scratch { outgoing, plain, .. } = &mut *scratch.borrow_mut();
        let bytes = match slices {
            [] => return Ok(Wrote { taken: 0, is_full: false }),
            [slice] => &slice[..slice.len().min(most)],
            slices => gather(slices, most, plain),
        };
        if bytes.is_empty() {
            return Ok(Wrote { taken: 0, is_full: false });
        }
        let Some(length) = self.seal(&Content::Bytes(bytes), outgoing)? else { return Ok(FULL) };
        let is_full = !self.send(&outgoing[..length])?;
        Ok(Wrote { taken: bytes.len(), is_full })
    }

    /// Says `close_notify` and sends FIN behind it. `true`: the socket is full, and they come when it takes more.
    pub(in crate::transport) fn shutdown(&mut self) -> bool {
        self.say_farewell();
        let is_full = !self.unsent.bytes.is_empty() && !self.is_plain;
        if is_full {
            self.fin_due = true;
        } else {
            self.below.shutdown();
        }
        is_full
    }

    /// Says `close_notify`, if there is somebody who understands it, and nothing that it would cut.
    pub(in crate::transport) fn say_farewell(&mut self) {
        if self.is_plain || self.has_said_all || self.session.is_handshaking() {
            return;
        }
        if !self.send_unsent().is_ok_and(|is_empty| is_empty) {
            return;
        }
        self.has_said_all = true;
        let scratch = Rc::clone(&self.scratch);
        let outgoing = &mut scratch.borrow_mut().outgoing;
        // What goes wrong here ends a connection that ends.
        if let Ok(Some(length)) = self.seal(&Content::Farewell, outgoing) {
            let _ = self.send(&outgoing[..length]);
        }
    }

    /// Gives the socket what it has not taken yet. `false`: it is full.
    pub(super) fn send_unsent(&mut self) -> io::Result<bool> {
        if !self.unsent.bytes.is_empty() {
            let taken = offer(&mut self.below, &self.unsent.bytes)?;
            self.unsent.advance(taken);
        }
        let is_empty = self.unsent.bytes.is_empty();
        if is_empty && self.fin_due {
            self.fin_due = false;
            self.below.shutdown();
        }
        Ok(is_empty)
    }

    /// Gives the socket new ciphertext, and keeps what it does not take. `false`: it is full.
    fn send(&mut self, ciphertext: &[u8]) -> io::Result<bool> {
        let taken = offer(&mut self.below, ciphertext)?;
        self.was_full = taken < ciphertext.len();
        self.unsent.append(&ciphertext[taken..]);
        Ok(!self.was_full)
    }

    /// How much plaintext a write takes: what may have to wait encrypted. Where the socket was full it will wait, so
    /// it is one record. Half of the budget of all is not for this, so that nobody has to give way for receivers that
    /// are merely slow; past it a write takes what is always free.
    pub(super) fn may_take(&self) -> usize {
        let budget = self.unsent.loan.budget();
        let room = (budget.limit() / 2).saturating_sub(budget.lent()) + LOAN_FREE_BYTES;
        let most = if self.was_full { TLS_PLAINTEXT_BYTES_MAX } else { TLS_WRITE_BYTES_MAX };
        let overhead = (most / TLS_PLAINTEXT_BYTES_MAX + 2) * TLS_RECORD_OVERHEAD_MAX;
        most.min(room - overhead)
    }

    /// Makes records. `None`: not before the handshake is done.
    fn seal(&mut self, content: &Content<'_>, outgoing: &mut [u8]) -> io::Result<Option<usize>> {
        let mut used = 0;
        loop {
            // rustls looks at what came first: at nothing where that is whole records, for those are for a read, and
            // at what it knows already where they are incomplete. (Between whole records no message of the handshake is
            // incomplete, to which it would refer: data in the middle of one is an error.)
            let incoming: &mut [u8] = if self.holds_records { &mut [] } else { &mut self.unread.bytes };
            let UnbufferedStatus { discard, state } = self.session.process_tls_records(incoming);
            debug_assert_eq!(discard, 0, "a read has used all it could");
            match state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let room = &mut outgoing[used..];
                    let length = match content {
                        Content::Bytes(bytes) => traffic.encrypt(bytes, room),
                        Content::Farewell => traffic.queue_close_notify(room),
                    };
                    return Ok(Some(used + length.map_err(failed)?));
                }
                Ok(ConnectionState::EncodeTlsData(mut answer)) => {
                    used += answer.encode(&mut outgoing[used..]).map_err(failed)?;
                }
                Ok(ConnectionState::TransmitTlsData(answer)) => answer.done(),
                Ok(ConnectionState::PeerClosed) => {}
                Ok(ConnectionState::BlockedHandshake) => {
                    self.unsent.append(&outgoing[..used]);
                    return Ok(None);
                }
                Ok(
                    ConnectionState::Closed
                    | ConnectionState::ReadTraffic(_)
                    | ConnectionState::ReadEarlyData(_)
                    | _,
                ) => return Err(io::ErrorKind::NotConnected.into()),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Offers bytes until all are taken or the socket is full; says how many were.
fn offer(below: &mut Transport, bytes: &[u8]) -> io::Result<usize> {
    let mut taken = 0;
    while taken < bytes.len() {
        match below.write_one(&bytes[taken..]) {
            Ok(wrote) => {
                taken += wrote.taken;
                if wrote.is_full || wrote.taken == 0 {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// The beginning of several slices in one piece.
fn gather<'p>(slices: &[IoSlice<'_>], most: usize, plain: &'p mut Vec<u8>) -> &'p [u8] {
    plain.clear();
    for slice in slices {
        let room = most - plain.len();
        plain.extend_from_slice(&slice[..slice.len().min(room)]);
    }
    plain
}
