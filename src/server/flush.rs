//! Giving out: one vectored write for each that has something to take, a slice of them a turn.

use super::notes::End;
use super::{Entry, Server};
use crate::channel::Readiness;
use crate::connection::{Flushed, Turn};
use crate::limits::FLUSH_WRITES_PER_TURN;
use crate::outbox::{FileRange, Gather};
use crate::transport::Wrote;
use std::io;

impl Server {
    /// A slice of the flush: first those with something of their own, a page must not wait for a broadcast
    /// to thousands, then on with the channel's round.
    pub(super) fn flush(&mut self) {
        // Only those who are here now, and half of the slice: who has more to take comes again next turn.
        let own = self.writable.len().min(FLUSH_WRITES_PER_TURN / 2);
        for _ in 0..own {
            let Some(key) = self.writable.pop_front() else { break };
            // Here alone: who is visited by the round keeps its place in the queue, and has one.
            if let Some(entry) = self.connections.get_mut(key) {
                entry.in_writable = false;
            }
            self.write_to(key);
        }
        for _ in own..FLUSH_WRITES_PER_TURN {
            let Some(key) = self.channel.next_behind() else { break };
            self.write_to(key as usize);
        }
        self.channel.review();
    }

    /// One write of what comes next for one connection.
    ///
    /// Thousands of times a turn that is a receiver which has nothing of its own and takes all there is. This way
    /// is kept short and free of calls; whatever else comes of a write goes the long one.
    #[inline(always)]
    fn write_to(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if entry.is_gone || entry.is_blocked {
            return;
        }
        let listener = entry.connection.seat().filter(|_| entry.connection.outbox().is_none());
        let Some((seat, rest)) = listener.and_then(|seat| Some((seat, self.channel.rest(seat)?))) else {
            return self.write_gathered(key);
        };
        let (offered, written) = (rest.len(), entry.transport.write_one(rest));
        match written {
            Ok(Wrote { taken, is_full: false }) if taken == offered => {
                self.notes.metrics.bytes_sent += taken as u64;
                self.channel.advance_to_head(seat);
            }
            written => self.note_outcome(key, written),
        }
    }

    /// The same for whatever there is to write.
    #[inline(never)]
    fn write_gathered(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        let mut gathered = Gather::new();
        let Entry { transport, connection, .. } = entry;
        self.channel.gather(connection.seat(), connection.outbox(), &mut gathered);
        let written = match gathered.file() {
            // Perhaps of nothing: it may still have to say what it took before.
            None => transport.write(gathered.slices()),
            Some(range) => return self.write_file(key, range),
        };
        self.note_outcome(key, written);
    }

    /// A piece of a file.
    #[inline(never)]
    fn write_file(&mut self, key: usize, range: FileRange) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        let Some(file) = self.files.sending(range.file) else {
            return self.end(key, End::Abnormal("its file is not open"));
        };
        match entry.transport.write_file(file, range.start..range.end, &mut self.scratch) {
            Ok(None) => self.end(key, End::Abnormal("its file became shorter while it was sent")),
            Ok(Some(wrote)) => self.note_outcome(key, Ok(wrote)),
            Err(error) => self.note_outcome(key, Err(error)),
        }
    }

    #[inline(never)]
    fn note_outcome(&mut self, key: usize, written: io::Result<Wrote>) {
        match written {
            Ok(wrote) => self.note_written(key, wrote),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.block(key),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.queue_write(key),
            Err(error) => self.end(key, End::Broken(error)),
        }
    }

    fn note_written(&mut self, key: usize, Wrote { taken: written, is_full }: Wrote) {
        let now = self.now;
        self.access.written(key, written);
        self.notes.metrics.bytes_sent += written as u64;
        let Some(entry) = self.connections.get_mut(key) else { return };
        let connection = &mut entry.connection;
        let seat = connection.seat();
        let advanced = self.channel.advance(seat, connection.outbox_mut(), written);
        if let Some(file) = advanced.done_with {
            self.files.close(file);
        }
        let head = self.channel.head(seat);
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        if written > 0 {
            connection.written(&turn);
        }
        if is_full {
            self.block(key);
        } else if self.channel.has_more(seat, connection.outbox()) {
            self.queue_write(key);
        } else {
            let flushed = connection.flushed(&turn);
            self.follow(key, flushed);
        }
        self.read_on(key); // it may not have been read because it was owed so much
    }

    /// The socket takes nothing until it says so.
    fn block(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        entry.is_blocked = true;
        if let Some(seat) = entry.connection.seat() {
            self.channel.set_readiness(seat, Readiness::Blocked);
        }
    }

    /// Everything is written: does what the connection says comes then.
    fn follow(&mut self, key: usize, flushed: Flushed) {
        match flushed {
            Flushed::Stays => {}
            Flushed::Leaves => self.leave_channel(key),
            Flushed::ShutsDown => {
                self.leave_channel(key);
                self.note_end_of_trace(key);
                let Some(entry) = self.connections.get_mut(key) else { return };
                let (is_full, input_ended) = (entry.transport.shutdown(), entry.input_ended);
                if input_ended {
                    self.end(key, End::Orderly("both sides are done"));
                } else if is_full {
                    self.block(key);
                }
            }
        }
    }

    fn leave_channel(&mut self, key: usize) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        if let Some(seat) = entry.connection.stand_up() {
            self.channel.unsubscribe(seat);
        }
    }
}
