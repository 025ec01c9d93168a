//! When the budget of all is nearly used up: who keeps the most gives way to who keeps less. Otherwise those who came
//! first would shut out all others, and a message in pieces could only be refused.

use super::notes::End;
use super::{Address, Entry, Server};
use crate::connection::{Expiry, Turn};
use crate::limits::{LOAN_FREE_BYTES, READ_BYTES_MAX};
use crate::message::CloseCode;
use log::Level;

impl Entry {
    /// Bytes that it keeps of the budget of all.
    fn kept_bytes(&self) -> usize {
        self.connection.kept_bytes() + self.transport.kept_bytes()
    }
}

impl Server {
    /// Makes room for what a read of so many bytes may need, if somebody keeps more than the one it is for.
    pub(super) fn make_room(&mut self, key: usize, read: usize) {
        let Some(entry) = self.connections.get(key) else { return };
        let kept = entry.kept_bytes();
        if read.saturating_add(kept) <= LOAN_FREE_BYTES {
            return; // what is small is free
        }
        let most = self.config.limits.message_bytes_max.saturating_add(READ_BYTES_MAX);
        let needed = most.min(self.budget.limit() / 4);
        if self.budget.lent().saturating_add(needed) > self.budget.limit() {
            self.files.forget(); // what is kept for whoever asks next comes last
        }
        if self.budget.lent().saturating_add(needed) > self.budget.limit() {
            self.traces.forget(); // and what is only shown before anybody's message
        }
        while self.looks_for_largest > 0 && self.budget.lent().saturating_add(needed) > self.budget.limit() {
            self.looks_for_largest -= 1;
            match self.largest() {
                Some((largest, bytes)) if largest != key && bytes > kept.max(LOAN_FREE_BYTES) => {
                    self.give_way(largest);
                }
                Some(_) | None => return,
            }
        }
    }

    /// Who keeps the most.
    fn largest(&self) -> Option<(usize, usize)> {
        let here = self.connections.iter().filter(|(_, entry)| !entry.is_gone);
        here.map(|(key, entry)| (key, entry.kept_bytes())).max_by_key(|&(_, bytes)| bytes)
    }

    fn give_way(&mut self, key: usize) {
        let now = self.now;
        let Some(entry) = self.connections.get_mut(key) else { return };
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let is_websocket = entry.connection.is_websocket();
        // Where it is ciphertext that is kept, none of it can be left out, and nothing be said behind it.
        let is_ciphertext = entry.transport.kept_bytes() > entry.connection.kept_bytes();
        let expiry = match is_ciphertext {
            true => Expiry::Gone("it kept the most when memory ran out"),
            false => entry.connection.give_way(&turn),
        };
        match expiry {
            Expiry::Gone(cause) => {
                self.end(key, End::Abnormal(cause));
                let Some(entry) = self.connections.get_mut(key) else { return };
                entry.transport.forget();
                entry.connection.files().for_each(|file| self.files.close(file));
                entry.connection.forget_owed(); // not only when it is reaped: somebody needs it now
            }
            Expiry::Speaks => {
                if is_websocket {
                    self.notes.metrics.note_close(CloseCode::TRY_AGAIN_LATER);
                }
                let line = format_args!(
                    "connection {key}{} kept the most when memory ran out: it is told to try again later",
                    Address(&entry.transport)
                );
                self.notes.complaints.say(self.instant, Level::Debug, "memory ran out", line);
                self.queue_write(key);
            }
        }
    }
}
