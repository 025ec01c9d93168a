//! Taking in: ciphertext of the socket becomes plaintext, and handshakes are answered.

use super::{Scratch, Tls, failed};
use crate::limits::{
    READ_COST_OF_HANDSHAKE, READ_COST_OF_RECORD, READ_COST_OF_TLS_ANSWER, READ_COST_OF_TLS_BYTE,
    TLS_PLAINTEXT_BYTES_MAX, TLS_READ_BYTES_MIN, TLS_UNREAD_BYTES_MAX,
};
use crate::transport::Got;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{Error, ProtocolVersion};
use std::io;
use std::rc::Rc;

/// Why records are not opened any further.
enum Stop {
    /// What follows has not come yet.
    NeedsMore,
    /// There is no room left for what another record may hold.
    IsFull,
    /// The peer's `close_notify`.
    Ended,
    Failed(io::Error),
}

impl Tls {
    /// Reads what is there, at most `into.len()` bytes, which is room for a record at least.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, `InvalidData` for what is no TLS or not allowed in it, and whatever ends the
    /// connection below.
    pub(in crate::transport) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        if self.is_plain {
            return self.below.read(into);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.input_ended {
            return Ok(Got::End);
        }
        let scratch = Rc::clone(&self.scratch);
        let Scratch { incoming, outgoing, .. } = &mut *scratch.borrow_mut();
        if self.has_said_all {
            return self.drop_input(incoming);
        }
        let kept = self.unread.bytes.len();
        incoming[..kept].copy_from_slice(&self.unread.bytes);
        let (filled, is_drained) = if self.holds_records {
            (kept, false)
        } else {
            let most = into.len().max(kept + TLS_READ_BYTES_MIN).min(incoming.len());
            match self.below.read(&mut incoming[kept..most])? {
                Got::Bytes { count, is_drained } => (kept + count, is_drained),
                Got::End | Got::Unprotected { .. } => {
                    self.input_ended = true;
                    return Ok(Got::End);
                }
            }
        };
        if !self.has_begun {
            self.has_begun = true;
            // The letter of a method: a record begins with a number that is none.
            if incoming[0].is_ascii_uppercase() {
                self.is_plain = true;
                let count = filled.min(into.len());
                into[..count].copy_from_slice(&incoming[..count]);
                return Ok(Got::Unprotected { count });
            }
        }
        let was_handshaking = self.session.is_handshaking();
        let (done, count, stop) = self.open(&mut incoming[..filled], outgoing, into);
        if was_handshaking && !self.session.is_handshaking() {
            self.news.is_secured = true;
            self.news.wants_write = true; // whoever had something to say was told to wait
        }
        // What was opened counts, not only what was in it: short records, new keys and padding are work as well.
        self.news.cost += done.saturating_sub(count).saturating_mul(READ_COST_OF_TLS_BYTE);
        // The keys of TLS 1.2 are agreed on with the client's second flight, those of 1.3 with the first.
        if was_handshaking && done > 0 && self.session.protocol_version() == Some(ProtocolVersion::TLSv1_2) {
            self.news.cost = self.news.cost.max(READ_COST_OF_HANDSHAKE);
        }
        let left = &incoming[done..filled];
        self.holds_records = matches!(stop, Stop::IsFull) && !left.is_empty();
        let failure = match stop {
            Stop::NeedsMore | Stop::IsFull => match self.keep(left) {
                Ok(()) => return Ok(Got::Bytes { count, is_drained: is_drained && !self.holds_records }),
                Err(failure) => Some(failure),
            },
            Stop::Ended => None,
            Stop::Failed(failure) => Some(failure),
        };
        // rustls may still refer to what is thrown away where it has failed: nothing may be asked of it any more.
        self.has_said_all |= failure.is_some();
        self.input_ended |= failure.is_none();
        self.holds_records = false;
        self.unread.clear();
        match (count, failure) {
            (0, Some(failure)) => Err(failure),
            (0, None) => Ok(Got::End),
            (count, failure) => {
                self.failure = failure;
                Ok(Got::Bytes { count, is_drained: false })
            }
        }
    }

    /// Keeps what cannot be used yet.
    fn keep(&mut self, left: &[u8]) -> io::Result<()> {
        if left.len() > TLS_UNREAD_BYTES_MAX {
            return Err(failed("a message of the handshake is too long"));
        }
        let kept = self.unread.replace(left);
        kept.map_err(|_| io::Error::new(io::ErrorKind::OutOfMemory, "no memory left for its records"))
    }

    /// Nothing is said any more, so nothing is heard either: what comes is dropped as it is, until the peer's FIN.
    fn drop_input(&mut self, incoming: &mut [u8]) -> io::Result<Got> {
        self.holds_records = false;
        self.unread.clear();
        match self.below.read(incoming)? {
            Got::Bytes { is_drained, .. } => Ok(Got::Bytes { count: 0, is_drained }),
            Got::End | Got::Unprotected { .. } => {
                self.input_ended = true;
                Ok(Got::End)
            }
        }
    }

    /// Opens records as far as there is room for what they hold. Says how much of them was used, and how much they
    /// held.
    fn open(&mut self, incoming: &mut [u8], outgoing: &mut [u8], into: &mut [u8]) -> (usize, usize, Stop) {
        let (mut done, mut count) = (0, 0);
        loop {
            // One that is rejected for its length is not decrypted; all others fit.
            if into.len() - count < TLS_PLAINTEXT_BYTES_MAX {
                return (done, count, Stop::IsFull);
            }
            let UnbufferedStatus { discard, state } = self.session.process_tls_records(&mut incoming[done..]);
            let mut stop = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                self.news.cost += READ_COST_OF_RECORD;
                                let room = &mut into[count..count + record.payload.len()];
                                room.copy_from_slice(record.payload);
                                count += record.payload.len();
                            }
                            Err(error) => stop = Some(Stop::Failed(failed(error))),
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut answer)) => match answer.encode(outgoing) {
                    Ok(length) => {
                        self.news.cost += READ_COST_OF_TLS_ANSWER;
                        self.unsent.append(&outgoing[..length]);
                        self.news.wants_write = true;
                        if self.session.is_handshaking() {
                            self.news.cost = self.news.cost.max(READ_COST_OF_HANDSHAKE);
                        }
                    }
                    Err(error) => stop = Some(Stop::Failed(failed(error))),
                },
                Ok(ConnectionState::TransmitTlsData(answer)) => answer.done(),
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => {
                    stop = Some(Stop::NeedsMore);
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => stop = Some(Stop::Ended),
                // Early data is never accepted.
                Ok(ConnectionState::ReadEarlyData(_) | _) => {
                    stop = Some(Stop::Failed(failed("it speaks a TLS that nobody agreed to")));
                }
                Err(error) => stop = Some(Stop::Failed(self.give_up(error, outgoing))),
            }
            done += discard;
            if let Some(stop) = stop {
                return (done, count, stop);
            }
        }
    }

    /// Tells the peer what it did wrong, as far as the socket takes it: the connection ends.
    fn give_up(&mut self, error: Error, outgoing: &mut [u8]) -> io::Error {
        self.has_said_all = true;
        // Alerts come first, before anything that came is looked at.
        while self.session.wants_write() {
            match self.session.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(mut alert)) => match alert.encode(outgoing) {
                    Ok(length) => self.unsent.append(&outgoing[..length]),
                    Err(_) => break,
                },
                Ok(_) | Err(_) => break,
            }
        }
        // It ends either way.
        let _ = self.send_unsent();
        failed(error)
    }
}
