//! Newcomers: accepted within a budget, refused politely past a limit.
//!
//! When the descriptors run out nobody tells us when there are some again: accepting pauses, and is tried on
//! a timer and after every close.

use super::{Address, Entry, Server};
use crate::connection::{Connection, Link, Turn};
use crate::http::TOO_MANY_CONNECTIONS;
use crate::http::origin::Scheme;
use crate::http::response::{Content, Persistence};
use crate::limits::{ACCEPT_RETRY, ACCEPTS_PER_TURN, REFUSED_AT_A_TIME_MAX};
use crate::transport::{Transport, is_out_of_descriptors, peer_of};
use log::Level;
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
        self.idle = None;
        // Each listener has its share: a storm on one does not keep the others waiting.
        let share = (ACCEPTS_PER_TURN / self.listeners.len().max(1)).max(1);
        for index in 0..self.listeners.len() {
            let mut budget = share;
            while budget > 0 && self.listeners[index].is_ready() {
                budget -= 1;
                match self.listeners[index].accept() {
                    Ok(Some((stream, address))) => self.welcome(index, stream, address),
                    Ok(None) => break,
                    // One that is idle has a descriptor to give.
                    Err(error) if is_out_of_descriptors(&error) && self.displace_idle() => {}
                    Err(error) => return self.pause_accepting(index, &error),
                }
            }
        }
    }

    fn welcome(&mut self, listener: usize, stream: TcpStream, address: SocketAddr) {
        self.notes.metrics.connections_accepted += 1;
        let served = self.connections.len() - self.refused;
        let is_refused = served >= self.connections_max && !self.displace_idle();
        if is_refused {
            self.notes.metrics.connections_refused += 1;
            let most = self.connections_max;
            let line = format_args!("a connection from {address} is refused: {most} are held");
            self.notes.complaints.say(self.instant, Level::Debug, "too many connections", line);
            if self.refused >= REFUSED_AT_A_TIME_MAX {
                return; // dropped: even refusing has its limit
            }
        }
        let transport = self
            .transport(listener, stream)
            .and_then(|transport| self.take_in_connection(transport, address, is_refused));
        if let Err(error) = transport {
            let line = format_args!("cannot watch a connection from {address}: {error}");
            self.notes.complaints.say(self.instant, Level::Warn, "cannot watch a connection", line);
        }
    }

    /// What a listener makes of a newcomer's socket.
    fn transport(&mut self, listener: usize, stream: TcpStream) -> io::Result<Transport> {
        #[cfg(not(test))]
        let transport = Transport::tcp(stream);
        #[cfg(test)]
        let transport = match self.faults.pop_front() {
            Some(plan) => Transport::faulty(stream, plan),
            None => Transport::tcp(stream),
        };
        match &self.tls {
            Some(tls) if self.listeners[listener].is_tls() => tls.wrap(transport),
            Some(_) | None => Ok(transport),
        }
    }

    fn take_in_connection(
        &mut self,
        mut transport: Transport,
        address: SocketAddr,
        is_refused: bool,
    ) -> io::Result<()> {
        let now = self.now;
        let head = self.channel.head(None);
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let scheme = if transport.is_secure() { Scheme::Https } else { Scheme::Http };
        let link = Link { peer: peer_of(address), scheme };
        let is_first = self.connections.is_empty();
        let slot = self.connections.vacant_entry();
        let key = slot.key();
        let connection = match is_refused {
            true => Connection::refused(link, &turn),
            false => Connection::new(link, spread(key), &turn),
        };
        // In the middle of a broadcast it has waited for a slice of it, and what it asks for is most likely there: it is
        // looked for now, or it would wait for another. Otherwise its event says when it is worth a look.
        let may_read = self.channel.is_round_pending();
        transport.register(self.poll.registry(), Token(key))?;
        let over = if transport.is_secure() { " over TLS" } else { "" };
        log::trace!("connection {key} from {address}{over}");
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
            is_refused,
        });
        if is_refused {
            self.refused += 1;
            self.queue_write(key);
        } else {
            self.read_on(key);
        }
        if is_first {
            self.next_sweep = self.instant + self.sweep_interval();
        }
        Ok(())
    }

    /// The HTTP connection that is idle longest makes room for somebody who wants something now. `false`: there is
    /// none. It is in no queue and nobody waits for it, so its key is free at once.
    fn displace_idle(&mut self) -> bool {
        let mut idle = self.idle.take().unwrap_or_else(|| self.find_idle());
        let displaced = idle.pop();
        self.idle = Some(idle);
        let Some(key) = displaced else { return false };
        let mut entry = self.connections.remove(key);
        entry.transport.say_farewell();
        self.notes.metrics.connections_displaced += 1;
        let line = format_args!("connection {key}{} was idle and gives way", Address(&entry.transport));
        self.notes.complaints.say(self.instant, Level::Debug, "an idle connection gives way", line);
        true
    }

    /// One look at all connections; a turn accepts no more of them than it may.
    fn find_idle(&self) -> Vec<usize> {
        let is_idle = |entry: &Entry| {
            let is_waited_for = entry.may_read || entry.in_readable || entry.in_writable || entry.is_gone;
            // Over TLS, what the connection is rid of may still wait for the socket.
            !is_waited_for && !entry.is_blocked && entry.connection.is_idle()
        };
        let idle = self.connections.iter().filter(|(_, entry)| is_idle(entry));
        let mut idle: Vec<_> = idle.map(|(key, entry)| (entry.connection.deadline(), key)).collect();
        idle.sort_unstable();
        idle.truncate(ACCEPTS_PER_TURN);
        idle.into_iter().rev().map(|(_, key)| key).collect()
    }

    /// The system gives no more connections: most likely the descriptors ran out.
    fn pause_accepting(&mut self, index: usize, error: &io::Error) {
        let line = format_args!("cannot accept: {error}; there may be too few descriptors (`ulimit -n`)");
        self.notes.complaints.say(self.instant, Level::Warn, "cannot accept", line);
        self.accept_again = Some(self.instant + ACCEPT_RETRY);
        // The spare is given up for one newcomer, who so learns that it need not wait: by TLS, from the end alone.
        let is_tls = self.listeners[index].is_tls();
        if self.spare_descriptor.take().is_some()
            && let Ok(Some((mut stream, _))) = self.listeners[index].accept()
        {
            self.notes.metrics.connections_accepted += 1;
            self.notes.metrics.connections_refused += 1;
            if is_tls {
                drop(stream);
            } else {
                // Written or not, it is over.
                let _ = stream.write(&TOO_MANY_CONNECTIONS.response(
                    self.now.unix_seconds,
                    Persistence::Close,
                    Content::Sent,
                ));
            }
        }
        self.spare_descriptor = spare_descriptor();
    }
}

/// A byte that neighbouring keys do not share: the golden ratio, as a hash.
fn spread(key: usize) -> u8 {
    ((key as u32).wrapping_mul(0x9E37_79B9) >> 24) as u8
}
