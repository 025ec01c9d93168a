//! Newcomers: accepted within a budget, refused politely past a limit.
//!
//! When the descriptors run out nobody tells us when there are some again: accepting pauses, and is tried on
//! a timer and after every close.

use super::{Entry, Server};
use crate::connection::{Connection, Turn};
use crate::http::TOO_MANY_CONNECTIONS;
use crate::http::response::{Content, Persistence};
use crate::limits::{ACCEPT_RETRY, ACCEPTS_PER_TURN, REFUSED_AT_A_TIME_MAX, SWEEP_INTERVAL};
use crate::transport::{Transport, peer_of};
use mio::Token;
use mio::net::TcpStream;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;

/// A descriptor to give up when there are none left.
pub(super) fn spare_descriptor() -> Option<File> {
    File::open(if cfg!(windows) { "NUL" } else { "/dev/null" }).ok()
}

impl Server {
    /// Accepts those who wait, within the turn's budget.
    pub(super) fn accept(&mut self) {
        if self.accept_again.is_some_and(|again| self.instant < again) {
            return;
        }
        self.accept_again = None;
        // Each listener has its share: a storm on one does not keep the others waiting.
        let share = (ACCEPTS_PER_TURN / self.listeners.len().max(1)).max(1);
        for index in 0..self.listeners.len() {
            let mut budget = share;
            while budget > 0 && self.listeners[index].is_ready() {
                budget -= 1;
                match self.listeners[index].accept() {
                    Ok(Some((stream, address))) => self.welcome(stream, address),
                    Ok(None) => break,
                    Err(error) => return self.pause_accepting(index, &error),
                }
            }
        }
    }

    fn welcome(&mut self, stream: TcpStream, address: SocketAddr) {
        self.is_accept_failing = false;
        let held = self.connections.len();
        if held >= self.connections_max.saturating_add(REFUSED_AT_A_TIME_MAX) {
            return; // dropped: even refusing has its limit
        }
        let turn =
            Turn { config: &self.config, budget: &self.budget, now: self.now, head: self.channel.head() };
        let peer = peer_of(address);
        let slot = self.connections.vacant_entry();
        let key = slot.key();
        let is_refused = held >= self.connections_max;
        let connection = if is_refused {
            Connection::refused(peer, &turn)
        } else {
            Connection::new(peer, spread(key), &turn)
        };
        // In the middle of a broadcast it has waited for a slice of it, and what it asks for is most likely there: it is
        // looked for now, or it would wait for another. Otherwise its event says when it is worth a look.
        let may_read = self.channel.is_round_pending();
        let mut transport = Transport::tcp(stream);
        if let Err(error) = transport.register(self.poll.registry(), Token(key)) {
            log::warn!("cannot watch a connection from {address}: {error}");
            return;
        }
        slot.insert(Entry {
            transport,
            connection,
            may_read,
            read_closed: false,
            input_ended: false,
            is_blocked: false,
            in_readable: false,
            in_writable: false,
            is_gone: false,
        });
        if is_refused {
            log::debug!("connection {key} from {address} is refused: {} are held", self.connections_max);
            self.queue_write(key);
        } else {
            log::debug!("connection {key} from {address}");
            self.read_on(key);
        }
        if held == 0 {
            self.next_sweep = self.instant + SWEEP_INTERVAL;
        }
    }

    /// The system gives no more connections: most likely the descriptors ran out.
    fn pause_accepting(&mut self, index: usize, error: &io::Error) {
        if !std::mem::replace(&mut self.is_accept_failing, true) {
            log::warn!("cannot accept: {error}; there may be too few descriptors (`ulimit -n`)");
        }
        self.accept_again = Some(self.instant + ACCEPT_RETRY);
        // The spare is given up for one newcomer, who so learns that it need not wait.
        if self.spare_descriptor.take().is_some()
            && let Ok(Some((mut stream, _))) = self.listeners[index].accept()
        {
            // Written or not, it is over.
            let _ = stream.write(&TOO_MANY_CONNECTIONS.response(
                self.now.unix_seconds,
                Persistence::Close,
                Content::Sent,
            ));
        }
        self.spare_descriptor = spare_descriptor();
    }
}

/// A byte that neighbouring keys do not share: the golden ratio, as a hash.
fn spread(key: usize) -> u8 {
    ((key as u32).wrapping_mul(0x9E37_79B9) >> 24) as u8
}
