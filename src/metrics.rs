//! What happened since the server started, in numbers: for the operator, and for programs that use the library.
//!
//! Plain values. Pure rooms return facts, the loop counts them here.
//!
//! Must not know: who reads them, and how they are spelled there.

use crate::message::CloseCode;

/// Counts, and a few sizes as they are now. Every count is since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections there are now, with those being refused.
    pub connections: u64,
    /// Subscribers there are now: WebSockets that hear broadcasts.
    pub subscribers: u64,
    /// Connections that were accepted, to be served or to be refused.
    pub connections_accepted: u64,
    /// Those of them past the limit: told so with 503, or dropped.
    pub connections_refused: u64,
    /// Idle HTTP connections that gave way to newcomers.
    pub connections_displaced: u64,
    /// Requests that were answered with a page or its like.
    pub requests: u64,
    /// Handshakes that were completed.
    pub handshakes: u64,
    /// Requests that were refused, by cause: the sentence the client got.
    pub refusals: Tally<&'static str>,
    /// TLS handshakes that were completed.
    pub tls_handshakes: u64,
    /// Connections that ended because what came was no TLS, or not allowed in it.
    pub tls_failures: u64,
    /// Messages that clients sent.
    pub messages_received: u64,
    /// Bytes that were read, of everything.
    pub bytes_received: u64,
    /// Bytes that sockets took, of everything.
    pub bytes_sent: u64,
    /// WebSockets that ended, by the code that came first from either side; 1006: without any. Codes of applications
    /// count for their range: 3000 and 4000.
    pub closes: Tally<CloseCode>,
    /// Receivers that were too slow, and were closed.
    pub slow_closed: u64,
    /// Times that a receiver was too slow, and was moved on to the newest message.
    pub slow_skipped: u64,
    /// Messages that they missed.
    pub messages_missed: u64,
    /// Messages that subscribers could not be told in their format, one for each of them: binary ones, and clients of
    /// the older draft.
    pub messages_untold: u64,
    /// Receivers that were waited for, and took nothing for too long.
    pub slow_stalled: u64,
    /// Times that a sender had to wait for receivers.
    pub senders_held: u64,
    /// Panics of the handler.
    pub handler_panics: u64,
    /// Times that the process did not run for a while.
    pub pauses: u64,
    /// Bytes held now for those who are behind.
    pub backlog_bytes: u64,
    /// Bytes kept now for single connections, of [`Limits::buffers_bytes_max`](crate::limits::Limits).
    pub buffers_bytes: u64,
}

/// How often each of a few things happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally<K>(Vec<(K, u64)>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + PartialEq> Tally<K> {
    /// One more.
    pub fn add(&mut self, what: K) {
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => self.0.push((what, 1)),
        }
    }

    /// How often it happened.
    pub fn get(&self, what: K) -> u64 {
        self.0.iter().find(|(known, _)| *known == what).map_or(0, |(_, count)| *count)
    }

    /// Everything that happened, in the order in which it first did.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.0.iter().copied()
    }
}

impl Metrics {
    /// A WebSocket ended with this code. Peers choose among two thousand: what applications use counts for its range,
    /// so that the tally has a bound.
    pub(crate) fn note_close(&mut self, code: CloseCode) {
        self.closes.add(CloseCode(match code.0 {
            3000..=3999 => 3000,
            4000..=4999 => 4000,
            standard => standard,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_each() {
        let mut tally = Tally::default();
        ["a", "b", "a"].into_iter().for_each(|what| tally.add(what));
        assert_eq!(tally.iter().collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
        assert_eq!((tally.get("a"), tally.get("c")), (2, 0));
    }

    #[test]
    fn peers_cannot_make_it_grow() {
        let mut metrics = Metrics::default();
        (0..=u16::MAX)
            .filter(|&code| CloseCode(code).may_be_sent())
            .for_each(|c| metrics.note_close(CloseCode(c)));
        assert_eq!(metrics.closes.iter().count(), 14);
        assert_eq!([3000, 4000, 1000].map(|code| metrics.closes.get(CloseCode(code))), [1000, 1000, 1]);
    }
}
