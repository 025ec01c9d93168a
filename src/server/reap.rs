//! The end of connections: their handler hears of it, their files are closed, their keys are free again.

use super::Server;
use super::guard::{self, Called};
use super::notes::End;
use crate::handler::{Context, Handler};
use crate::message::CloseCode;
use std::mem;

impl Server {
    /// Frees the connections that ended in this turn. One that is still in a queue waits until it has come
    /// out of it, so that its place there never means another.
    pub(super) fn reap(&mut self, handler: &mut impl Handler) {
        if self.gone.is_empty() {
            return;
        }
        self.let_go_of_those_who_end();
        for key in mem::take(&mut self.gone) {
            match self.connections.get(key) {
                Some(entry) if entry.in_readable || entry.in_writable => self.gone.push(key),
                Some(_) => self.free(key, handler),
                None => {}
            }
        }
        self.carry_out_verdicts();
        // There is a descriptor again.
        self.accept_again = None;
    }

    /// The server ends, and every connection with it.
    pub(super) fn end_all(&mut self, handler: &mut impl Handler) {
        let keys: Vec<_> = self.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.end(key, End::Orderly("the server ends"));
            self.free(key, handler);
        }
    }

    fn free(&mut self, key: usize, handler: &mut impl Handler) {
        if !self.traces.is_empty() {
            self.note_end_of_trace(key);
            self.leave_trace(key);
        }
        let now = self.now;
        let mut entry = self.connections.remove(key);
        self.refused -= usize::from(entry.is_refused);
        entry.connection.files().for_each(|file| self.files.close(file));
        if entry.connection.audience().is_some() {
            let connection = &mut entry.connection;
            let mut context = Context::new(
                key,
                connection,
                &mut self.channel,
                &self.config,
                (&self.budget, &self.codec),
                now,
            );
            if let Called::Panicked = guard::call_close(handler, &mut context, CloseCode::ABNORMAL) {
                self.notes.metrics.handler_panics += 1;
            }
        }
    }
}
